# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What rules want to know of a switch, worked out once. Nothing in here trusts a configuration."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Union

from .. import ports
from ..model import SEPARATOR, ConfigDb, Row, dialect_of, hostname_of, release_of

Interface = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]
Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

#: Tables whose rows make something a router port; keys are ``name`` or ``name|address``.
ROUTED = ("INTERFACE", "PORTCHANNEL_INTERFACE", "VLAN_INTERFACE", "VLAN_SUB_INTERFACE", "LOOPBACK_INTERFACE")
DEFAULT_VRF = "default"


@dataclass(frozen=True)
class Placed:
    """An address of an interface, and the row that gives it."""

    table: str
    key: str
    interface: str
    address: Interface
    vrf: str


@dataclass(frozen=True)
class Neighbor:
    """A row of BGP_NEIGHBOR with what its peer group adds.

    :param port: the interface of an unnumbered neighbour; empty for an address.
    """

    key: str
    vrf: str
    name: str
    group: str
    row: Mapping[str, object]
    port: str = ""

    def text(self, field: str) -> str:
        """A field of the neighbour, else of its peer group."""
        value = self.row.get(field, "")
        return value if isinstance(value, str) else ""


def interface_of(text: str) -> Interface | None:
    """An address with its length, or nothing."""
    try:
        return ipaddress.ip_interface(text) if "/" in text else None
    except ValueError:
        return None


def address_of(text: str) -> Address | None:
    """An address, or nothing."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def integer(text: str) -> int | None:
    """A number written in decimals, or nothing."""
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else None


class Switch:
    """One configuration.

    :param release: the release it is for; that which wrote it when empty.
    :param dialect: one of :data:`..model.DIALECTS`; that which it looks like when empty.
    """

    def __init__(
        self,
        name: str,
        config: ConfigDb,
        release: str = "",
        dialect: str = "",
        port_map: ports.PortMap | None = None,
    ) -> None:
        self.name = name
        self.config = config
        self.release = release or release_of(config)
        self.dialect = dialect or dialect_of(config)
        self.port_map = port_map or ports.known(self.text("DEVICE_METADATA", "localhost", "hwsku"))

    def rows(self, table: str) -> dict[str, Row]:
        """The rows of a table."""
        return self.config.get(table, {})

    def row(self, table: str, key: str) -> Row:
        """A row; empty when there is none."""
        return self.rows(table).get(key, {})

    def text(self, table: str, key: str, field: str) -> str:
        """A field; empty when there is none or when it is a list."""
        value = self.row(table, key).get(field, "")
        return value if isinstance(value, str) else ""

    def items(self, table: str, key: str, field: str) -> list[str]:
        """A list field; a text with commas counts as one."""
        value = self.row(table, key).get(field, [])
        return list(value) if isinstance(value, list) else [item for item in value.split(",") if item]

    def split(self, table: str, parts: int) -> Iterator[tuple[tuple[str, ...], str, Row]]:
        """The rows of a table whose key has so many parts: parts, key, row."""
        for key, row in self.rows(table).items():
            if key.count(SEPARATOR) == parts - 1:
                yield tuple(key.split(SEPARATOR)), key, row

    @property
    def hostname(self) -> str:
        """The name it gives itself."""
        return hostname_of(self.config)

    @functools.cached_property
    def vrf_of(self) -> dict[str, str]:
        """VRF by interface, for everything routed."""
        return {
            key: self.text(table, key, "vrf_name") or DEFAULT_VRF
            for table in ROUTED
            for key in self.rows(table)
            if SEPARATOR not in key
        }

    @functools.cached_property
    def addresses(self) -> list[Placed]:
        """Every address of every interface, those for management apart."""
        found = []
        for table in ROUTED:
            for (name, text), key, _row in self.split(table, 2):
                address = interface_of(text)
                if address:
                    found.append(Placed(table, key, name, address, self.vrf_of.get(name, DEFAULT_VRF)))
        return found

    @functools.cached_property
    def loopbacks(self) -> list[Placed]:
        """The addresses of loopbacks."""
        return [placed for placed in self.addresses if placed.table == "LOOPBACK_INTERFACE"]

    @functools.cached_property
    def lag_of(self) -> dict[str, str]:
        """LAG by member port."""
        return {port: lag for (lag, port), _key, _row in self.split("PORTCHANNEL_MEMBER", 2)}

    @functools.cached_property
    def members(self) -> dict[str, list[str]]:
        """Member ports by LAG."""
        found: dict[str, list[str]] = {}
        for port, lag in self.lag_of.items():
            found.setdefault(lag, []).append(port)
        return found

    @functools.cached_property
    def vlans_of(self) -> dict[str, dict[str, str]]:
        """Tagging mode by VLAN, by port or LAG."""
        found: dict[str, dict[str, str]] = {}
        for (vlan, port), key, _row in self.split("VLAN_MEMBER", 2):
            found.setdefault(port, {})[vlan] = self.text("VLAN_MEMBER", key, "tagging_mode")
        return found

    def asn(self, vrf: str = DEFAULT_VRF) -> int | None:
        """The local AS number in a VRF."""
        return integer(self.text("BGP_GLOBALS", vrf, "local_asn"))

    @functools.cached_property
    def neighbors(self) -> list[Neighbor]:
        """The neighbours of frrcfgd's tables, peer groups merged in."""
        found = []
        for (vrf, name), key, row in self.split("BGP_NEIGHBOR", 2):
            group = self.text("BGP_NEIGHBOR", key, "peer_group_name")
            merged = {**self.row("BGP_PEER_GROUP", f"{vrf}{SEPARATOR}{group}"), **row}
            found.append(Neighbor(key, vrf, name, group, merged, "" if address_of(name) else name))
        return found

    @property
    def frrcfgd(self) -> bool:
        """Whether frrcfgd renders FRR's configuration from the tables BGP_GLOBALS, ROUTE_MAP..."""
        return self.dialect == "unified"


@dataclass(frozen=True)
class End:
    """One end of a link."""

    switch: str
    port: str

    def __str__(self) -> str:
        return f"{self.switch}:{self.port}"


@dataclass(frozen=True)
class Link:
    """A cable between two switches; ``told`` lists the ends whose own configuration names the other."""

    a: End
    b: End
    told: tuple[End, ...] = ()


class Fabric:
    """Several switches.

    :param links: the cables between them; without any, what descriptions and DEVICE_NEIGHBOR say is taken.
    """

    def __init__(self, switches: Iterable[Switch], links: Iterable[tuple[str, str, str, str]] = ()) -> None:
        self.switches = {switch.name: switch for switch in switches}
        self._by_name = {switch.hostname: switch.name for switch in self.switches.values() if switch.hostname}
        self._by_name.update({name: name for name in self.switches})
        given = [Link(End(a, a_port), End(b, b_port)) for a, a_port, b, b_port in links]
        known = [link for link in given if link.a.switch in self.switches and link.b.switch in self.switches]
        self.links = known or self._told()

    @functools.cached_property
    def claims(self) -> dict[End, End]:
        """What each port's own configuration says is at its other end, for ports of switches we have."""
        found: dict[End, End] = {}
        for switch in self.switches.values():
            for port, row in switch.rows("PORT").items():
                peer = self._peer(str(row.get("description", "")))
                if peer:
                    found[End(switch.name, port)] = peer
            for row in switch.rows("DEVICE_NEIGHBOR").values():
                peer = self._peer(f"{row.get('name', '')}:{row.get('port', '')}")
                if peer and row.get("local_port"):
                    found[End(switch.name, str(row["local_port"]))] = peer
        return found

    def _peer(self, text: str) -> End | None:
        """``spine1:Ethernet0``, also with a space, a slash or an alias."""
        match = re.fullmatch(r"([\w.-]{1,64})[:/ ]+([\w/()-]{1,40})", text.strip())
        name = self._by_name.get(match.group(1)) if match else None
        if not match or not name:
            return None
        rows = self.switches[name].rows("PORT")
        port = match.group(2)
        by_alias = (other for other, row in rows.items() if row.get("alias") == port)
        return End(name, port if port in rows else next(by_alias, port))

    def _told(self) -> list[Link]:
        links: dict[frozenset[End], Link] = {}
        for end, peer in self.claims.items():
            pair = frozenset((end, peer))
            if pair in links:
                links[pair] = Link(links[pair].a, links[pair].b, (*links[pair].told, end))
            else:
                links[pair] = Link(end, peer, (end,))
        return list(links.values())

    def ends(self, link: Link) -> tuple[Switch, Switch]:
        """The switches of a link."""
        return self.switches[link.a.switch], self.switches[link.b.switch]
