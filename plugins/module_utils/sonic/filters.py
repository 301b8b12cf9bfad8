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


def takes_away(change: RowChange, before: ConfigDb, after: ConfigDb) -> bool:
    """Whether routes that pass may stop to pass by this write: something permits less or denies more, and is in use."""
    maps, lists = in_use(before)
    if _name(change.key) not in (maps if change.table == "ROUTE_MAP" else lists):
        return False
    used = uses((*before.get("ROUTE_MAP", {}).values(), *after.get("ROUTE_MAP", {}).values()))
    if change.before is not None and change.after is not None:
        said = [
            {name: value for name, value in row.items() if not name.startswith("set_")}
            for row in (change.before, change.after)
        ]
        return said[0] != said[1]
    row = change.after if change.before is None else change.before
    if row is None or widens(change.table, change.key, row, used) == (change.before is None):
        return False
    return not (change.table == "PREFIX" and change.after is None and _covered(change, after))


def _name(key: str) -> str:
    return key.partition(model.SEPARATOR)[0]


def _covered(change: RowChange, after: ConfigDb) -> bool:
    """Whether another entry that stays says the same of all that a removed entry spoke of."""
    gone = _span(change.key)
    return gone is not None and any(
        _name(key) == _name(change.key)
        and row.get("action") == (change.before or {}).get("action")
        and _holds(key, gone)
        for key, row in after.get("PREFIX", {}).items()
    )


_Span = tuple["ipaddress.IPv4Network | ipaddress.IPv6Network", int, int]


def _holds(key: str, gone: _Span) -> bool:
    span = _span(key)
    if span is None or span[0].version != gone[0].version:
        return False
    inside = int(gone[0][0]) >> (gone[0].max_prefixlen - span[0].prefixlen) == int(span[0][0]) >> (
        gone[0].max_prefixlen - span[0].prefixlen
    )
    return inside and gone[0].prefixlen >= span[0].prefixlen and span[1] <= gone[1] and gone[2] <= span[2]


def _span(key: str) -> _Span | None:
    """Prefix, shortest and longest length of an entry; nothing when it cannot be read."""
    *_name, prefix, lengths = key.split(model.SEPARATOR)
    try:
        network = ipaddress.ip_network(prefix)
        low, _dots, high = lengths.partition("..")
        return (network, network.prefixlen, network.prefixlen) if lengths == "exact" else (network, int(low), int(high))
    except ValueError:
        return None
