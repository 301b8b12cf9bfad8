# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What rows of prefix lists and route maps do to those who hear of routes: whether more or less passes. Pure look-ups.

A change is written in four parts: what denies is added, what permits is added, what permitted is removed, what denied is
removed. After every write a route passes only if it passed before the change or passes after it.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Mapping

from . import model
from .diff import RowChange
from .model import ConfigDb, Row

TABLES = frozenset(("PREFIX", "ROUTE_MAP"))
#: By table, the fields that put a route map or a prefix list into use.
_MAPS = ("route_map_in", "route_map_out", "default_rmap", "unsuppress_map_name", "import_vrf_route_map", "route_map")
_LISTS = ("prefix_list_in", "prefix_list_out")
_MATCHES = ("match_prefix_set", "match_ipv6_prefix_set", "match_next_hop_set")
#: All fields that a filter is put into use with.
BINDING = frozenset((*_MAPS, *_LISTS, "policy", "route_download_filter"))

#: Prefix, shortest and longest length of an entry.
_Span = tuple["ipaddress.IPv4Network | ipaddress.IPv6Network", int, int]
#: By prefix list: what the statements do that ask for it, ``permit`` or ``deny``.
Uses = Mapping[str, set[str]]


def uses(statements: Iterable[Row]) -> Uses:
    """By prefix list, what the statements of route maps do that ask for it."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in statements:
        for name in lists_of(row):
            found[name].add(str(row.get("route_operation", "permit")))
    return found


def lists_of(statement: Row) -> list[str]:
    """The prefix lists that a statement of a route map asks for."""
    return [name for field in _MATCHES for name in model.values(statement.get(field))]


def widens(table: str, key: str, row: Row, used: Uses) -> bool:
    """Whether more passes with this row than without it.

    An entry of a list that permits and denies counts by what it does where it permits.
    """
    if table == "ROUTE_MAP":
        return row.get("route_operation") != "deny"
    denying = used.get(key.partition(model.SEPARATOR)[0], set()) == {"deny"}
    return (row.get("action") != "deny") != denying


def part(change: RowChange, used: Uses) -> int:
    """In which of the four parts of a change a row is written; an entry that turns to permit comes last of all."""
    before, after = (
        None if row is None else widens(change.table, change.key, row, used) for row in (change.before, change.after)
    )
    if before is None:
        return 1 if after else 0
    if after is None:
        return 2 if before else 3
    if before == after:
        return 1
    return 3 if after else 0


def in_use(config: ConfigDb) -> tuple[frozenset[str], frozenset[str]]:
    """Route maps, and prefix lists, that anybody's routes go through."""
    maps: set[str] = set()
    lists: set[str] = set()
    for table, rows in config.items():
        if table.startswith("BGP_") or table == "ROUTE_REDISTRIBUTE":
            for row in rows.values():
                for field in BINDING & row.keys():
                    (lists if field in _LISTS else maps).update(model.values(row[field]))
    statements = config.get("ROUTE_MAP", {})
    called = [row.get("call_route_map") for key, row in statements.items() if _name(key) in maps]
    maps.update(name for value in called for name in model.values(value))
    for key, row in statements.items():
        if _name(key) in maps:
            lists.update(lists_of(row))
    return frozenset(maps), frozenset(lists)


class Change:
    """What filters do before and after a change, looked up once for all of its writes."""

    def __init__(self, before: ConfigDb, after: ConfigDb) -> None:
        self.maps, self.lists = in_use(before)
        self.uses = uses((*before.get("ROUTE_MAP", {}).values(), *after.get("ROUTE_MAP", {}).values()))
        self.stays: dict[str, list[tuple[str, _Span]]] = defaultdict(list)
        for key, row in after.get("PREFIX", {}).items() if self.lists else ():
            span = _span(key)
            if span is not None and _name(key) in self.lists:
                self.stays[_name(key)].append((str(row.get("action")), span))

    def takes_away(self, write: RowChange) -> bool:
        """Whether routes that pass may stop to pass: something in use permits less or denies more."""
        if _name(write.key) not in (self.maps if write.table == "ROUTE_MAP" else self.lists):
            return False
        if write.before is not None and write.after is not None:
            return any(not field.startswith("set_") for field in write.fields)
        row = write.after if write.before is None else write.before
        if row is None or widens(write.table, write.key, row, self.uses) == (write.before is None):
            return False
        return write.table != "PREFIX" or write.after is not None or not self._covered(write.key, row)

    def _covered(self, key: str, row: Row) -> bool:
        """Whether another entry that stays says the same of all that a removed entry spoke of."""
        gone = _span(key)
        same = (span for action, span in self.stays[_name(key)] if action == row.get("action"))
        return gone is not None and any(_holds(span, gone) for span in same)


def _name(key: str) -> str:
    return key.partition(model.SEPARATOR)[0]


def _holds(span: _Span, gone: _Span) -> bool:
    """Whether all routes that one entry speaks of are among those of another."""
    if span[0].version != gone[0].version or gone[0].prefixlen < span[0].prefixlen:
        return False
    return gone[0].network_address in span[0] and span[1] <= gone[1] and gone[2] <= span[2]


def _span(key: str) -> _Span | None:
    """What an entry speaks of; nothing when it cannot be read."""
    *_name, prefix, lengths = key.split(model.SEPARATOR)
    try:
        network = ipaddress.ip_network(prefix)
        low, _dots, high = lengths.partition("..")
        return (network, network.prefixlen, network.prefixlen) if lengths == "exact" else (network, int(low), int(high))
    except ValueError:
        return None
