# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Prefix lists and route maps as rows, written so that every path into FRR reads them alike.

Two things are avoided on purpose (:mod:`..frr.faults`): a range whose lower end is the prefix' own length, and IPv6
sets named by ``match_ipv6_prefix_set``, which no daemon reads.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Union

from .model import Rows

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
FAMILIES = (4, 6)
#: Between entries and statements, so that people can put one in between.
STEP = 10


@dataclass(frozen=True, order=True)
class Prefix:
    """A prefix; with ``longer`` everything inside it as well."""

    text: str
    longer: bool = False

    @property
    def network(self) -> Network:
        """Ready for arithmetic."""
        return ipaddress.ip_network(self.text)


def prefix_sets(rows: Rows, name: str, prefixes: Iterable[Prefix]) -> list[str]:
    """Writes a set for each family that has prefixes: ``<name>_v4``, ``<name>_v6``; their names."""
    written = []
    wanted = sorted(set(prefixes), key=lambda prefix: (prefix.network.version, int(prefix.network[0]), prefix))
    for family in FAMILIES:
        own = [prefix for prefix in wanted if prefix.network.version == family]
        if not own:
            continue
        key = f"{name}_v{family}"
        rows.put("PREFIX_SET", key, mode=f"IPv{family}")
        sequence = 0
        for prefix in own:
            sequence += STEP
            rows.put("PREFIX", f"{key}|{sequence}|{prefix.text}|exact", action="permit")
            length, longest = prefix.network.prefixlen, prefix.network.max_prefixlen
            if prefix.longer and length < longest:
                sequence += STEP
                rows.put("PREFIX", f"{key}|{sequence}|{prefix.text}|{length + 1}..{longest}", action="permit")
        written.append(key)
    return written


@dataclass(frozen=True)
class Statement:
    """One statement of a route map: what it does with what is in a prefix set; everything when ``prefixes`` is None."""

    operation: str
    name: str = ""
    prefixes: Sequence[Prefix] | None = None


def route_map(rows: Rows, name: str, statements: Iterable[Statement]) -> str:
    """Writes a route map; a statement about an empty set says nothing and is left out. What no statement permits is denied."""
    rows.put("ROUTE_MAP_SET", name)
    sequence = 0
    for statement in statements:
        sets: Sequence[str | None] = [None]
        if statement.prefixes is not None:
            sets = prefix_sets(rows, statement.name, statement.prefixes)
        for key in sets:
            sequence += STEP
            rows.put("ROUTE_MAP", f"{name}|{sequence}", route_operation=statement.operation, match_prefix_set=key)
    if not sequence:
        rows.put("ROUTE_MAP", f"{name}|{STEP}", route_operation="deny")
    return name
