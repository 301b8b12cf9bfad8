# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""VLANs and prefixes of NetBox become networks; a VLAN and the prefixes that name it are one network."""

from __future__ import annotations

import re
from typing import Any, Callable

from ..schema import NAME_PATTERN
from . import cells
from .draft import Draft, as_slug
from .networks import network_holding
from .tables import Row

_PURPOSES = {
    "management": "management", "mgmt": "management", "oob": "management", "out-of-band": "management", "loopback": "loopback",
    "provider": "provider", "external": "provider", "public": "provider", "storage": "storage", "transfer": "transfer", "lab": "lab",
    "vpn": "vpn", "uplink": "uplink", "internal": "internal",
}  # fmt: skip


class Networks:
    """Reads VLANs, then prefixes.

    :param environment: gives the environment of a tenant.
    """

    def __init__(self, draft: Draft, environment: Callable[[Row, str], str]) -> None:
        self._draft = draft
        self._environment = environment
        self._vlans: dict[str, dict[str, Any]] = {}
        self._by_id: dict[int, str] = {}

    def vlan(self, row: Row, record: dict[str, Any]) -> None:
        """A VLAN; its name is the network's."""
        name = self._name(record["name"]) or f"vlan-{record['vid']}"
        vid = cells.number(str(record["vid"]), 1, 4094)
        self._vlans[record["name"]] = {"vlan": vid, "network": name}
        self._by_id[vid] = name
        network = self._network(row, name, record)
        network.setdefault("vlan", vid)
        if record["description"]:
            network.setdefault("description", record["description"])
        self._draft.ledger.use(row)

    def prefix(self, row: Row, record: dict[str, Any]) -> None:
        """A prefix: of its VLAN's network, else of the one its description begins with, else one of its own."""
        family, prefix = cells.prefix(record["prefix"])
        text = record["description"]
        told = re.fullmatch(rf"({NAME_PATTERN})(?:: (.*))?", text)
        vlan = self._vlans.get(record["vlan_name"], {}).get("network") or self._by_id.get(record["vlan"] or 0, "")
        name = (
            vlan
            or (told[1] if told else "")
            or self._name(text)
            or self._name(record["role"])
            or "net-" + re.sub(r"[^0-9a-f]+", "-", prefix)
        )
        if family in self._draft.section("networks").get(name, {}):
            name = "net-" + re.sub(r"[^0-9a-f]+", "-", prefix)
        network = self._network(row, name, record)
        network.setdefault(family, prefix)
        if vlan and record["vlan"]:
            network.setdefault("vlan", record["vlan"])
        description = (told[2] or "") if told else text
        if description:
            network.setdefault("description", description)
        if record["vrf"]:
            network.setdefault("vrf", cells.name(record["vrf"]))
        self._draft.ledger.use(row)

    def _network(self, row: Row, name: str, record: dict[str, Any]) -> dict[str, Any]:
        network: dict[str, Any] = self._draft.section("networks").setdefault(name, {})
        purpose = _PURPOSES.get(record["role"].lower(), "")
        if purpose:
            network["purpose"] = purpose
        elif "purpose" not in network:
            network["purpose"] = "internal"
            self._draft.ledger.note(row, f"networks/{name}: no role says what it is for; internal is assumed")
        environment = self._environment(row, record["tenant"]) if record["tenant"] else ""
        if environment:
            network.setdefault("environment", environment)
        return network

    @staticmethod
    def _name(text: str) -> str:
        try:
            return cells.name(text)
        except cells.BadCell:
            return as_slug(text) or ""

    def of_roles(self, stated: dict[str, dict[str, Any]]) -> None:
        """Networks of roles that say none: those that hold the addresses of their devices."""
        networks = self._draft.section("networks")
        for section in ("hosts", "switches"):
            for name, device in self._draft.section(section).items():
                role = self._draft.section("roles")[device["role"]]
                for field, key in (("oob_address", "oob_network"), ("loopback_v4", "loopback_network")):
                    address = stated.get(name, {}).get(field)
                    holding = network_holding(networks, address) if address and key not in role else None
                    if holding and device["role"] not in self._draft.known.roles:
                        role[key] = holding
