# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which table is what and which column is which field: by the names people give to columns, or as the mapping says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import InputError
from ..decode import nearest
from .tables import Table

_DEVICE = (
    "host",
    "hostname",
    "host_name",
    "device",
    "device_name",
    "inventory_hostname",
    "name",
    "server",
    "node",
    "switch",
)
_MODEL = ("model", "device_model", "device_type", "model_file", "hardware", "type_of_hardware", "make")
_OOB = (
    "oob_address",
    "management_ip",
    "mgmt_ip",
    "mgmt_address",
    "management_address",
    "bmc_address",
    "bmc_ip",
    "ipmi_ip",
    "ipmi_address",
    "management_ips",
    "management_ips_vxlans",
    "oob_ip",
)
_OOB_MAC = ("oob_mac", "mgmt_mac", "management_mac", "bmc_mac", "ipmi_mac", "mac", "mac_address")
_ASN = ("asn", "as_number", "bgp_asn", "local_as", "frr_local_as", "local_asn")
_V4 = ("loopback_v4", "node_ipv4", "frr_loopback_v4", "loopback_ipv4", "loopback", "node_ip", "ipv4")
_V6 = ("loopback_v6", "node_ipv6", "frr_loopback_v6", "loopback_ipv6", "ipv6")
_TEXT = ("description", "comment", "comments", "remark", "remarks", "note", "notes", "bemerkung")
_UNIT = ("unit", "rack_unit", "position", "u", "he")

#: Fields of each kind of table with the usual names of their columns, the best one first.
KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "cables": {
        "a": ("a", "end_a", "endpoint_a"),
        "b": ("b", "end_b", "endpoint_b"),
        "a_device": (
            "source",
            "a_device",
            "device_a",
            "from_device",
            "side_a_device",
            "source_device",
            "from",
            "local_device",
            "host_a",
        ),
        "a_port": (
            "source_port",
            "a_port",
            "port_a",
            "from_port",
            "side_a_name",
            "local_port",
            "interface_a",
            "a_interface",
        ),
        "b_device": (
            "destination",
            "b_device",
            "device_b",
            "to_device",
            "side_b_device",
            "destination_device",
            "target",
            "to",
            "peer",
            "remote_device",
            "host_b",
        ),
        "b_port": (
            "destination_port",
            "b_port",
            "port_b",
            "to_port",
            "side_b_name",
            "target_port",
            "peer_port",
            "remote_port",
            "interface_b",
            "b_interface",
        ),
        "link": ("link_type", "type", "cable_type", "medium", "kind", "speed"),
        "group": ("connection_group", "group", "purpose", "label"),
        "bundle": ("ident_group", "lag", "port_channel", "bundle", "bond"),
        "state": ("state", "status"),
        "description": _TEXT,
    },
    "power": {
        "name": _DEVICE,
        "psu": ("psu", "power_supply", "power_port", "inlet", "netzteil"),
        "feed": ("feed", "power_feed", "pdu", "source", "circuit"),
    },
    "ranges": {
        "network": ("network", "name", "net", "subnet"),
        "start": ("from", "start", "first", "start_address", "begin"),
        "end": ("to", "end", "last", "end_address"),
        "purpose": ("purpose", "kind"),
        "description": _TEXT,
    },
    "networks": {
        "name": ("name", "network_name", "net"),
        "prefix": ("prefix", "network", "subnet", "cidr", "v4", "ipv4"),
        "router": ("router", "gateway", "gw", "default_gateway"),
        "tag": ("vlan_or_vxlan", "vlan", "vlan_id", "vid", "vxlan", "vni", "tag"),
        "purpose": ("purpose", "usage"),
        "environment": ("environment", "env"),
        "vrf": ("vrf",),
        "uplink": ("uplink", "external", "internet"),
        "description": _TEXT,
    },
    "groups": {"group": ("group", "group_name"), "member": ("member", "host", "name", "device")},
    "uplinks": {
        "name": _DEVICE,
        "interface": ("interface", "port", "uplink"),
        "remote_asn": ("remote_asn", "remote_as", "peer_as", "peer_asn"),
    },
    "racks": {
        "name": _DEVICE,
        "unit": _UNIT,
        "height": ("height", "height_units", "units", "u_height", "size"),
        "rack": ("rack", "rack_name"),
        "site": ("site", "location", "room"),
        "role": ("role", "device_role", "type", "function"),
        "model": _MODEL,
        "environment": ("environment", "env"),
        "groups": ("groups",),
        "description": _TEXT,
    },
    "devices": {
        "name": (
            "name",
            "hostname",
            "host_name",
            "host",
            "device",
            "device_name",
            "inventory_hostname",
            "server",
            "switch",
            "node",
        ),
        "model": _MODEL,
        "role": ("role", "device_role", "function"),
        "serial": ("serial_number", "serial_no", "sn", "service_tag", "serial"),
        "oob_address": _OOB,
        "oob_mac": _OOB_MAC,
        "asn": _ASN,
        "loopback_v4": _V4,
        "loopback_v6": _V6,
        "environment": ("environment", "env"),
        "site": ("site", "location"),
        "rack": ("rack", "rack_name"),
        "unit": _UNIT,
        "state": ("state", "status"),
        "os": ("os", "os_flavor", "operating_system", "platform"),
        "console": ("console", "serial_console", "serial_device", "serial_adapter", "serial"),
        "delivered": ("delivered", "delivery_date", "date_of_delivery", "purchase_date"),
        "groups": ("groups",),
        "description": _TEXT,
    },
    "host_vars": {
        "name": _DEVICE,
        "model": _MODEL,
        "oob_address": _OOB,
        "oob_mac": _OOB_MAC,
        "asn": ("frr_local_as", "bgp_asn", "asn", "local_as"),
        "loopback_v4": _V4,
        "loopback_v6": _V6,
        "role": ("role", "device_role"),
        "hostname": ("running_hostname",),
        "groups": ("groups",),
        "ansible_host": ("ansible_host",),
    },
}

#: It tells a table of host variables; as an address it says nothing that the other columns do not.
_MARK = "ansible_host"
#: What a table must have to be taken for a kind: of each group one field.
_NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "cables": (("a_device", "a"), ("b_device", "b")),
    "power": (("name",), ("psu",), ("feed",)),
    "ranges": (("network",), ("start",), ("end",)),
    "networks": (("name",), ("prefix",)),
    "groups": (("group",), ("member",)),
    "uplinks": (("name",), ("interface",), ("remote_asn",)),
    "racks": (("name",), ("unit",)),
    "devices": (("name",), ("model", "serial", "oob_mac", "oob_address", "asn", "loopback_v4")),
    "host_vars": (("name",), (_MARK,)),
}
#: Fields that several columns may fill; the first cell that says something counts.
_SEVERAL = {"oob_address", "asn", "description"}
#: Where the facts of a table go when the mapping does not say.
_INTO = {"host_vars": ("observed",), "uplinks": ("observed",), "racks": ("landscape", "observed")}


@dataclass(frozen=True)
class Layout:
    """What a table is: its kind, the columns of each field, where its facts go, columns nobody asked for."""

    kind: str
    columns: dict[str, tuple[str, ...]]
    into: tuple[str, ...]
    ignored: tuple[str, ...] = ()

    def cells(self, cells: Mapping[str, str], field: str) -> list[str]:
        """The cells of a field that say something."""
        return [cells[column] for column in self.columns.get(field, ()) if cells.get(column, "").strip()]

    def cell(self, cells: Mapping[str, str], field: str) -> str:
        """The first cell of a field that says something, or an empty text."""
        return next(iter(self.cells(cells, field)), "")


def layout_of(table: Table, mapping: Mapping[str, Any]) -> Layout | None:
    """The layout of a table, or nothing when no kind fits.

    :param mapping: ``tables`` of the mapping: by table or file name ``kind``, ``into``, ``columns``.
    """
    told = mapping.get(table.name) or mapping.get(table.file) or {}
    columns = told.get("columns") or {}
    unknown = [column for column in columns if column not in table.header]
    if unknown:
        hint = nearest(unknown[0], table.header) or "columns: " + ", ".join(table.header)
        raise InputError(
            f"The mapping of {table.name} names the column {unknown[0]}, which the table does not have", hint=hint
        )
    asked = {field for fields in columns.values() for field in fields}
    kinds = [told["kind"]] if told.get("kind") else [kind for kind in KINDS if asked <= set(KINDS[kind])]
    if not kinds:
        raise InputError(
            f"The mapping of {table.name}: no kind of table has the fields {', '.join(sorted(asked))}",
            hint="name its kind",
        )
    fitting = [(kind, _assigned(table.header, kind, columns)) for kind in kinds]
    if not told.get("kind"):
        fitting = [
            (kind, found) for kind, found in fitting if all(any(f in found for f in group) for group in _NEEDED[kind])
        ]
    if not fitting:
        return None
    # A column called ansible_host is in host variables and nowhere else.
    kind, found = max(fitting, key=lambda entry: (_MARK in entry[1], sum(len(names) for names in entry[1].values())))
    used = {column for field, names in found.items() for column in names if field != _MARK}
    into = tuple(told.get("into") or _INTO.get(kind, ("landscape",)))
    left = tuple(column for column in table.header if column not in used and columns.get(column) != [])
    return Layout(kind, found, into, left)


def _assigned(header: tuple[str, ...], kind: str, told: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """Columns by field: told ones first, then by name; a name goes to the field that lists it earliest."""
    found: dict[str, list[str]] = {}
    for column, fields in told.items():
        for field in fields:
            if field not in KINDS[kind]:
                hint = nearest(field, KINDS[kind]) or "fields: " + ", ".join(KINDS[kind])
                raise InputError(
                    f"The mapping gives the column {column} to {field}, which {kind} do not have", hint=hint
                )
            found.setdefault(field, []).append(column)
    plain = {column: plain_name(column) for column in header if column not in told}
    wishes = sorted(
        (names.index(name), position, rank, field, column)
        for rank, (field, names) in enumerate(KINDS[kind].items())
        for position, (column, name) in enumerate(plain.items())
        if name in names
    )
    taken: set[str] = set()
    for _place, _position, _rank, field, column in wishes:
        if column not in taken and (field not in found or field in _SEVERAL):
            found.setdefault(field, []).append(column)
            taken.add(column)
    return {field: tuple(columns) for field, columns in found.items()}


def plain_name(column: str) -> str:
    """A column name for comparison: lower case, everything between words an underscore."""
    return re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
