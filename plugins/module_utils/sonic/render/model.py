# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a rendering starts from: options, the switch and its place in the fabric, and the rows it is made of."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from ...landscape.derive import Link, ResolvedDevice, View, speed_of
from ...landscape.fabric import kind_of
from ...landscape.model import Network
from .. import masking
from .. import ports as port_files
from ..model import ConfigDb, Issue

#: Largest packet of a data port when no role says otherwise: what SONiC itself sets.
DEFAULT_MTU = 9100


@dataclass(frozen=True)
class Options:
    """What a landscape does not say.

    :param release: SONiC release the configurations are for.
    :param unmodelled: write fields that no YANG model of the release has, with a warning, instead of refusing them.
    :param secrets: ``snmp_communities`` (list, read only) and ``tacacs_passkey``; never part of a landscape.
    """

    release: str = "202605"
    unmodelled: bool = False
    secrets: Mapping[str, Any] = field(default_factory=dict)


class Rows:
    """A configuration being written. Fields of a row that is written twice are merged."""

    def __init__(self) -> None:
        self.config: ConfigDb = {}

    def put(self, table: str, key: str, fields: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Writes fields of a row; values of ``None`` are left out, ``True``/``False`` and numbers become texts.

        :raises InputError: for an item of a list that is nothing.
        """
        row = self.config.setdefault(table, {}).setdefault(key, {})
        for name, value in {**(fields or {}), **more}.items():
            if isinstance(value, (list, tuple)):
                if None in value:
                    raise InputError(f"The list {table}|{masking.key(table, key)} {name} has an item that is nothing")
                row[name] = [_text(item) for item in value]
            elif value is not None:
                row[name] = _text(value)


def _text(value: Any) -> str:
    """A value as SONiC writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass
class Switch:
    """A switch of the landscape, and everything the parts of the renderer ask about it.

    :param issues: what cannot be rendered as the landscape says, or only with a warning.
    :param vrf_names: the routing instance behind each name that was given out on the switch.
    """

    view: View
    device: ResolvedDevice
    options: Options
    rows: Rows = field(default_factory=Rows)
    issues: list[Issue] = field(default_factory=list)
    vrf_names: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The switch's name."""
        return self.device.name

    @functools.cached_property
    def kind(self) -> str:
        """What it does in the fabric; see :func:`kind_of`."""
        return kind_of(self.view, self.device)

    @functools.cached_property
    def port_map(self) -> port_files.PortMap | None:
        """The ports of its model, after breaking out; nothing when the model is not known."""
        known = port_files.known(self.device.model.sonic_hwsku) if self.device.model else None
        wanted = self.device.device.breakout
        if known is None or not wanted:
            return known
        try:
            return port_files.breakout(known, wanted)
        except InputError as error:
            self.issue("SR016", "error", ("PORT", "", ""), error.message, error.hint or "")
            return known

    @functools.cached_property
    def links(self) -> dict[str, Link]:
        """The cable of each data port that SONiC knows; of two on one port the one in use."""
        found: dict[str, Link] = {}
        for link in self.device.links:
            if self.port_map and link.port in self.port_map.ports and not (link.port in found and not link.active):
                found[link.port] = link
        return found

    def far(self, link: Link) -> ResolvedDevice | None:
        """The device at the far end, when it is one of ours."""
        return self.view.devices.get(link.peer)

    def network(self, name: str) -> Network | None:
        """A network by name."""
        return self.view.landscape.networks.get(name)

    def speed(self, link: Link) -> str:
        """The speed of a link as the landscape writes it; may be empty."""
        far = self.far(link)
        return speed_of(link.cable, self.device.ports.get(link.port), far.ports.get(link.peer_port) if far else None)

    def mtu(self, link: Link | None = None) -> int:
        """Largest packet of a port: the smaller of both ends between switches, else what the switch's role says."""
        own = (self.device.role.mtu if self.device.role else None) or DEFAULT_MTU
        far = self.far(link) if link else None
        if far is None or far.device.section != "switches":
            return own
        return min(own, (far.role.mtu if far.role else None) or DEFAULT_MTU)

    def issue(self, rule: str, severity: str, where: tuple[str, str, str], message: str, hint: str = "") -> None:
        """Notes what cannot be rendered; ``where`` is table, key and field."""
        table, key, name = where
        shown = (table, masking.key(table, key), name)
        self.issues.append(Issue(rule, severity, self.name, *shown, message, hint, (self.options.release,)))


@dataclass(frozen=True)
class Rendered:
    """A switch's configuration and what could not be rendered as wished.

    :param owned: tables that it speaks for: those that are absent are meant to be empty.
    """

    name: str
    config: ConfigDb
    issues: tuple[Issue, ...]
    owned: frozenset[str] = frozenset()

    @property
    def refused(self) -> tuple[Issue, ...]:
        """What stops the configuration from being used."""
        return tuple(issue for issue in self.issues if issue.severity == "error")
