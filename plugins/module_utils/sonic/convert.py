# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Edgecore's Enterprise SONiC 202211 -> community SONiC with frr-mgmt-framework, with every row that is not the same any more.

Sources: a backup of each kind; the port maps and YANG models of community SONiC; db_migrator and init_cfg.json of
sonic-buildimage for what a switch writes by itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import InputError
from ..core.redact import MASK
from . import diff, masking, model, ports, tables
from .model import ConfigDb

ACTIONS = ("added", "changed", "dropped", "missing")

#: Containers of a community image with the default build options (202411, as recorded).
FEATURES = frozenset(
    (
        *("bgp", "database", "dhcp_relay", "eventd", "gnmi", "lldp", "macsec", "mgmt-framework", "mux", "nat", "pmon"),
        *("radv", "sflow", "snmp", "swss", "syncd", "teamd"),
    )
)
#: Containers that are called otherwise now.
RENAMED = {"telemetry": "gnmi"}
#: Tables of Edgecore's image alone, and why the community has nothing in their place.
ONLY_ENTERPRISE = {
    "REST_SERVER": "the community's REST server is set up by the mgmt-framework container, no model has the table",
    "DOT1X_INITIAL": "802.1X is part of the Enterprise image alone",
}
_ROUTING = ("BGP_GLOBALS", "BGP_NEIGHBOR", "BGP_PEER_GROUP")
_ADDRESS_FIELD = re.compile(r"^[^|]+\|[0-9a-fA-F.:]+/\d+$")


@dataclass(frozen=True)
class Note:
    """One row or field that is not what it was, and why.

    :param action: ``added``, ``changed``, ``dropped``; ``missing`` for what a backup cannot tell and somebody has to write.
    :param field: empty when the whole row is meant.
    """

    action: str
    table: str
    key: str
    field: str
    why: str
    before: str = ""
    after: str = ""

    def as_dict(self) -> dict[str, str]:
        """JSON-able form without secrets; empty values are left out."""
        hidden = masking.is_secret(self.table, self.field)
        data = {
            "action": self.action,
            "table": self.table,
            "key": masking.key(self.table, self.key),
            "field": self.field,
            "before": MASK if hidden and self.before else self.before,
            "after": MASK if hidden and self.after else self.after,
            "why": self.why,
        }
        return {name: value for name, value in data.items() if value}


@dataclass(frozen=True)
class Converted:
    """A configuration of community SONiC, and all that is not as it was."""

    config: ConfigDb
    notes: tuple[Note, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Number of notes by action."""
        return {action: sum(note.action == action for note in self.notes) for action in ACTIONS}


def convert(config: ConfigDb) -> Converted:
    """The configuration for community SONiC.

    :raises InputError: when it is not of Edgecore's Enterprise SONiC, or is no configuration.
    """
    clean = diff.config_of(diff.rows_of(config))
    found = model.dialect_of(clean)
    if found != "enterprise":
        raise InputError(
            f"The configuration is of the dialect {found}, not of Edgecore's Enterprise SONiC",
            hint="It needs no conversion; sonic_validate says what is wrong with it",
        )
    work = _Work(clean)
    for step in (work.tables, work.features, work.ports, work.breakouts, work.management, work.services, work.routing):
        step()
    notes = sorted(work.notes, key=lambda note: (note.table, note.key, note.field, note.action))
    return Converted(diff.config_of(diff.rows_of(work.config)), tuple(notes))


def convert_all(configs: Mapping[str, ConfigDb]) -> dict[str, Converted]:
    """The configurations of several switches.

    :raises InputError: when one of them is not of Edgecore's Enterprise SONiC; names all of these.
    """
    others = {name: found for name, config in configs.items() if (found := model.dialect_of(config)) != "enterprise"}
    if others:
        shown = ", ".join(f"{name} ({found})" for name, found in sorted(others.items()))
        raise InputError(
            f"Not of Edgecore's Enterprise SONiC, but of another dialect: {shown}",
            hint="They need no conversion: name only the others, and let sonic_validate say what is wrong with these",
        )
    return {name: convert(config) for name, config in configs.items()}


class _Work:
    """A configuration being converted."""

    def __init__(self, config: ConfigDb) -> None:
        self.config = config
        self.notes: list[Note] = []
        #: Ports whose children, or themselves, are not as the port map has them.
        self._apart: set[str] = set()

    def tables(self) -> None:
        """Tables that the community does not have, or that a switch writes by itself."""
        for name in sorted(self.config):
            if name in ONLY_ENTERPRISE:
                self._drop_table(name, ONLY_ENTERPRISE[name])
            elif tables.table(name).runtime_owned:
                self._drop_table(name, "the switch writes it by itself, for its own release")
            elif name not in tables.TABLES and not tables.table(name).modelled:
                self._drop_table(name, "no model of community SONiC has the table")

    def features(self) -> None:
        """Containers: other names, other fields, some are not there."""
        for table in ("FEATURE", "AUTO_TECHSUPPORT_FEATURE"):
            rows = self.config.get(table, {})
            for key in sorted(rows):
                new = RENAMED.get(key, key)
                if new not in FEATURES:
                    self._drop_row(table, key, "the community's image is built without this container")
                elif new != key and new in rows:
                    self._drop_row(table, key, f"the container is called {new}, which has a row of its own that stays")
                elif new != key:
                    rows[new] = rows.pop(key)
                    self._note("changed", table, key, "", f"the container is called {new}", key, new)
        for key, row in sorted(self.config.get("FEATURE", {}).items()):
            if "has_timer" in row:
                value = str(row.pop("has_timer"))
                row["delayed"] = value
                self._note(
                    "changed", "FEATURE", key, "has_timer", "the field is called delayed since 202305", value, value
                )

    def ports(self) -> None:
        """Aliases and lanes of the community's port map; no parents."""
        hwsku = str(self._metadata().get("hwsku", ""))
        known = ports.known(hwsku)
        for name, row in sorted(self.config.get("PORT", {}).items()):
            parent = name
            if "parent_port" in row:
                why = "the lanes alone say what a port is broken out of"
                parent = str(row.pop("parent_port"))
                self._note("dropped", "PORT", name, "parent_port", why, parent)
            port = known.ports.get(name) if known else None
            if known and (port is None or row.get("lanes") != ",".join(str(lane) for lane in port.lanes)):
                self._apart.add(parent)
            if port is None:
                why = f"the port map of {hwsku or 'this hardware'} is not known here; compare alias and index with the image's"
                self._note("missing", "PORT", name, "alias", why, str(row.get("alias", "")))
                continue
            lanes = ",".join(str(lane) for lane in port.lanes)
            if row.get("lanes") != lanes:
                why = f"the community's port map has the lanes {lanes}; the port is broken out, which needs a platform.json"
                self._note("missing", "PORT", name, "lanes", why, str(row.get("lanes", "")))
                continue
            for field, value in (("alias", port.alias), ("index", str(port.index))):
                if row.get(field) != value:
                    why = (
                        f"the community's port map calls it so; LLDP shows the {field}"
                        if field == "alias"
                        else "port map"
                    )
                    self._note("changed", "PORT", name, field, why, str(row.get(field, "")), value)
                    row[field] = value

    def breakouts(self) -> None:
        """Dynamic breakout needs a platform.json, which the community does not have for these switches."""
        hwsku = str(self._metadata().get("hwsku", ""))
        fixed = f"the community has no platform.json for {hwsku}, its port map is fixed"
        for key in sorted(self.config.get("BREAKOUT_CFG", {})):
            if ports.known(hwsku) is None:
                why = f"whether the image has a platform.json for {hwsku or 'this hardware'} is not known here"
            elif key in self._apart:
                why = f"{fixed} and has other ports there, which are listed as missing"
            else:
                why = f"{fixed} and has these ports already"
            self._drop_row("BREAKOUT_CFG", key, why)

    def management(self) -> None:
        """Rows that were written as text inside another row."""
        for key, row in sorted(self.config.get("MGMT_PORT", {}).items()):
            for field in sorted(name for name in row if _ADDRESS_FIELD.match(name)):
                value = str(row.pop(field))
                addresses = self.config.setdefault("MGMT_INTERFACE", {})
                if field in addresses:
                    why = f"an address was written as text into the row of the port; MGMT_INTERFACE|{field} is there and stays"
                    self._note("dropped", "MGMT_PORT", key, field, why, value)
                else:
                    addresses[field] = _fields_of(value)
                    why = f"an address was written as text into the row of the port; it is the row MGMT_INTERFACE|{field} now"
                    self._note("changed", "MGMT_PORT", key, field, why, value)
        names = {key.split(model.SEPARATOR)[0] for key in self.config.get("MGMT_INTERFACE", {})}
        for name in sorted(names - set(self.config.get("MGMT_PORT", {}))):
            self.config.setdefault("MGMT_PORT", {})[name] = {"admin_status": "up", "alias": name}
            self._note("added", "MGMT_PORT", name, "", "the address of a management port needs the row of the port")

    def services(self) -> None:
        """Services that followed the management VRF by themselves and have to be told so now."""
        in_vrf = self.config.get("MGMT_VRF_CONFIG", {}).get("vrf_global", {}).get("mgmtVrfEnabled") == "true"
        row = self.config.get("NTP", {}).get("global")
        if in_vrf and row is not None and "vrf" not in row:
            row["vrf"] = "mgmt"
            why = "202211 asked time servers in the management VRF by itself, newer releases ask where the field says"
            self._note("added", "NTP", "global", "vrf", why, "", "mgmt")

    def routing(self) -> None:
        """FRR's configuration comes from CONFIG_DB."""
        row = self._metadata()
        wanted = {"docker_routing_config_mode": "unified", "frr_mgmt_framework_config": "true"}
        for field, value in wanted.items():
            if row.get(field) != value:
                why = "frrcfgd makes FRR's configuration from CONFIG_DB"
                self._note("changed", "DEVICE_METADATA", "localhost", field, why, str(row.get(field, "")), value)
                row[field] = value
        if not any(self.config.get(name) for name in _ROUTING):
            why = "routing stood in frr.conf, which is no part of this backup; write these tables, or render them"
            for name in _ROUTING:
                self._note("missing", name, "", "", why)

    def _metadata(self) -> dict[str, Any]:
        return self.config.setdefault("DEVICE_METADATA", {}).setdefault("localhost", {})

    def _drop_table(self, name: str, why: str) -> None:
        for key in sorted(self.config[name]):
            self._note("dropped", name, key, "", why)
        del self.config[name]

    def _drop_row(self, table: str, key: str, why: str) -> None:
        del self.config[table][key]
        self._note("dropped", table, key, "", why)

    def _note(self, action: str, table: str, key: str, field: str, why: str, before: str = "", after: str = "") -> None:
        self.notes.append(Note(action, table, key, field, why, before, after))


def _fields_of(text: str) -> dict[str, Any]:
    """The fields of a row that was written as text (``{'gwaddr': '192.0.2.1'}``); none when it cannot be read."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return {}
    if not isinstance(found, Mapping):
        return {}
    return {str(name): value for name, value in found.items() if isinstance(value, str)}


def unexplained(before: ConfigDb, made: Converted) -> list[str]:
    """Rows that differ and that no note speaks of; empty unless the conversion forgot to say something."""
    explained = {(note.table, note.key) for note in made.notes}
    explained |= {(note.table, note.after) for note in made.notes if not note.field}
    explained |= {("MGMT_INTERFACE", note.field) for note in made.notes if note.table == "MGMT_PORT"}
    return [change.name for change in diff.changes(before, made.config) if change.place not in explained]
