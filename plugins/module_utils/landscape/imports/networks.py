# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Tables of networks and of ranges inside them."""

from __future__ import annotations

import ipaddress
from typing import Any

from . import cells
from .columns import Layout
from .draft import Draft, as_slug, folded
from .tables import Row

#: Words in the name or description of a network that say what it carries, the most telling first.
_PURPOSES: tuple[tuple[str, str], ...] = (
    ("vpn", "vpn"),
    ("provider", "provider"),
    ("public", "provider"),
    ("out of band", "management"),
    ("mgmt", "management"),
    ("management", "management"),
    ("bmc", "management"),
    ("storage", "storage"),
    ("ceph", "storage"),
    ("loopback", "loopback"),
    ("node network", "loopback"),
    ("transfer", "transfer"),
    ("uplink", "uplink"),
    ("lab", "lab"),
)
_RANGES: tuple[tuple[str, str], ...] = (
    ("dhcp", "dhcp"),
    ("uplink", "uplink"),
    ("virtual", "virtual"),
    ("vip", "virtual"),
    ("loadbalancer", "virtual"),
    ("load balancer", "virtual"),
    ("endpoint", "virtual"),
)


def read_networks(draft: Draft, layout: Layout, rows: list[Row]) -> None:
    """One network per row; rows of the same name (IPv4 and IPv6) make one network."""
    for row in rows:
        try:
            name = cells.name(layout.cell(row.cells, "name"))
            family, prefix = cells.prefix(layout.cell(row.cells, "prefix"))
        except cells.BadCell as error:
            draft.ledger.refuse(row, str(error))
            continue
        draft.put("networks", name, family, prefix, row)
        draft.add_origin("networks", name, row)
        _details(draft, layout, row, name)
        draft.ledger.use(row)


def _details(draft: Draft, layout: Layout, row: Row, name: str) -> None:
    description = draft.read(row, layout, "description", cells.text)
    router = draft.read(row, layout, "router", _address)
    tag = draft.read(row, layout, "tag", cells.tag)
    if description:
        draft.put("networks", name, "description", description, row)
    if router:
        draft.put("networks", name, router[0], router[1], row)
    if tag:
        draft.put("networks", name, tag[0], tag[1], row)
    if any(cells.yes(cell) for cell in layout.cells(row.cells, "uplink")):
        draft.put("networks", name, "uplink", True, row)
    vrf = draft.read(row, layout, "vrf", cells.name)
    if vrf:
        draft.put("networks", name, "vrf", vrf, row)
    environment = draft.choice(
        row, layout, "environment", {folded(known): known for known in draft.section("environments")}
    )
    if environment:
        draft.put("networks", name, "environment", environment, row)
    network = draft.section("networks")[name]
    if "purpose" not in network:
        told = draft.choice(row, layout, "purpose", {purpose: purpose for _word, purpose in _PURPOSES})
        network["purpose"] = told or _guess(_PURPOSES, f"{name} {description or ''}", "internal")
        if not told:
            draft.ledger.note(row, f"networks/{name}: the purpose {network['purpose']} is a guess")


def _address(cell: str) -> tuple[str, str]:
    try:
        address = ipaddress.ip_address(cell.strip())
    except ValueError as error:
        raise cells.BadCell(f"{cell[:60]!r} is no address") from error
    return f"router_v{address.version}", str(address)


def _guess(words: tuple[tuple[str, str], ...], text: str, otherwise: str) -> str:
    return next((meaning for word, meaning in words if word in text.lower()), otherwise)


def read_ranges(draft: Draft, layout: Layout, rows: list[Row]) -> None:
    """One range per row; a range of an unknown network goes to the one that holds its first address."""
    for row in rows:
        start = draft.read(row, layout, "start", cells.ipv4)
        if not start:
            draft.ledger.refuse(row, "it has no first address")
            continue
        network = _network_of(draft, layout, row, start)
        if network is None:
            draft.ledger.refuse(row, f"no network of the tables holds {start}")
            continue
        entry: dict[str, Any] = {"start": start}
        end = draft.read(row, layout, "end", cells.ipv4)
        description = draft.read(row, layout, "description", cells.text)
        if end:
            entry["end"] = end
        told = draft.choice(row, layout, "purpose", {purpose: purpose for _word, purpose in _RANGES})
        entry["purpose"] = told or _guess(_RANGES, description or "", "reserved")
        if description:
            entry["description"] = description
        ranges = draft.section("networks")[network].setdefault("ranges", [])
        if entry in ranges:
            draft.ledger.merge(row, f"networks/{network} has this range already")
        else:
            ranges.append(entry)
            draft.add_origin("networks", network, row)
            draft.ledger.use(row)


def _network_of(draft: Draft, layout: Layout, row: Row, start: str) -> str | None:
    networks = draft.section("networks")
    name = cells.text(layout.cell(row.cells, "network"))
    if name in networks:
        return name
    found = network_holding(networks, start)
    if found and name:
        draft.ledger.note(row, f"there is no network {name[:60]}; the range was put into {found}, which holds {start}")
    return found


def network_holding(networks: dict[str, Any], address: str) -> str | None:
    """The name of the smallest network that holds an IPv4 address."""
    holding = _holding(networks, address)
    return min(holding)[1] if holding else None


def _holding(networks: dict[str, Any], address: str) -> list[tuple[int, str]]:
    found = []
    for name, network in networks.items():
        if network.get("v4"):
            prefix = ipaddress.IPv4Network(network["v4"])
            if ipaddress.IPv4Address(address) in prefix:
                found.append((prefix.num_addresses, name))
    return found


def environment_of(draft: Draft, layout: Layout, row: Row) -> str:
    """The environment a row names, made up when it is new."""
    known = {folded(name): name for name in draft.section("environments")}
    found = draft.choice(row, layout, "environment", known)
    cell = cells.text(layout.cell(row.cells, "environment"))
    if found or not cell:
        return found
    name = as_slug(cell)
    if name is None:
        draft.ledger.cell(row, f"environment: {cell[:60]!r} cannot be a name")
        return ""
    return draft.named("environments", name, row, lambda: {"protected": True})
