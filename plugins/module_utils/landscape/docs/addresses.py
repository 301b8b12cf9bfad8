# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Every network with its addresses in order."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Union

from ..model import AddressRange, Item, Network
from ..names import natural
from .markdown import Markup, Page
from .model import Book
from .parts import device_link, finish
from .tables import RANGE_WORDS

Prefix = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
#: Family, number, name, text: the order of a table of addresses.
_Key = tuple[int, int, str, str]
_Row = tuple[_Key, Sequence[str]]


def address_pages(book: Book) -> dict[str, str]:
    """``addresses.md``."""
    networks = book.view.landscape.networks
    page = Page("addresses.md", "Addresses")
    rows = _device_rows(book, page)
    for name in sorted(networks, key=natural):
        network = networks[name]
        page.heading(name)
        _facts(page, network)
        own = sorted(rows.pop(name, []) + _network_rows(network), key=lambda row: row[0])
        page.table(("Address", "What", "Device"), [row for _key, row in own])
    rest = sorted((row for found in rows.values() for row in found), key=lambda row: row[0])
    if rest:
        page.heading("In no network")
        page.table(("Address", "What", "Device"), [row for _key, row in rest])
    items: list[Item] = [*networks.values(), *book.view.landscape.devices.values()]
    return {page.path: finish(book, page, items)}


def _facts(page: Page, network: Network) -> None:
    if network.description:
        page.paragraph(network.description)
    page.facts(
        (
            ("Prefixes", ", ".join(prefix for prefix in (network.v4, network.v6) if prefix)),
            ("Purpose", network.purpose),
            ("VLAN", "" if network.vlan is None else str(network.vlan)),
            ("VNI", "" if network.vni is None else str(network.vni)),
            ("Routing instance", network.vrf),
            ("Environment", network.environment),
            ("From outside", "reachable" if network.uplink else ""),
        )
    )


def _key(address: str, name: str, text: str) -> _Key:
    parsed = ipaddress.ip_address(address)
    return parsed.version, int(parsed), name, text


def _network_rows(network: Network) -> list[_Row]:
    """What belongs to the network itself: routers and ranges."""
    rows: list[_Row] = [
        (_key(address, "", "router"), (address, Markup("**router**"), ""))
        for address in (network.router_v4, network.router_v6)
        if address
    ]
    return rows + [_range(one) for one in network.ranges]


def _range(one: AddressRange) -> _Row:
    shown = one.start if one.end in ("", one.start) else f"{one.start} - {one.end}"
    what = ": ".join(word for word in (RANGE_WORDS.get(one.purpose, one.purpose), one.description) if word)
    return _key(one.start, one.end, what), (shown, what, "")


def _device_rows(book: Book, page: Page) -> dict[str, list[_Row]]:
    """Addresses of devices by the narrowest network that holds them; those in none under an empty name."""
    prefixes = _prefixes(book)
    rows: dict[str, list[_Row]] = {}
    for resolved in book.devices:
        held = (
            (resolved.oob_v4, f"management, {resolved.oob_port}" if resolved.oob_port else "management"),
            (resolved.loopback_v4, "loopback"),
            (resolved.loopback_v6, "loopback"),
        )
        for address, what in held:
            if address:
                key = _key(address, resolved.name, what)
                network = next(
                    (name for version, low, high, name in prefixes if version == key[0] and low <= key[1] <= high), ""
                )
                rows.setdefault(network, []).append((key, (address, what, device_link(book, page, resolved.name))))
    return rows


def _prefixes(book: Book) -> list[tuple[int, int, int, str]]:
    """Version, first and last address and name of all prefixes, the narrowest first."""
    found = []
    for name, network in book.view.landscape.networks.items():
        for text in (network.v4, network.v6):
            if text:
                prefix: Prefix = ipaddress.ip_network(text)
                found.append((prefix.version, int(prefix.network_address), int(prefix.broadcast_address), name))
    return sorted(found, key=lambda entry: (entry[2] - entry[1], entry[3], entry[0]))
