# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Prefix lists and route maps: what CONFIG_DB's rows become on the boot path and on the event path.

The two paths do not agree on ranges and on ``set_local_pref``; :mod:`faults` says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .fields import ROUTE_MAP
from .lines import Sections

Row = Mapping[str, Any]
Config = Mapping[str, Mapping[str, Row]]

WORDS = {"IPv4": "ip", "IPv6": "ipv6"}
_BITS = {"IPv4": 32, "IPv6": 128}


def prefix_lists(config: Config, found: Sections, *, live: bool) -> None:
    """Every PREFIX row whose set has a mode."""
    for key, row in config.get("PREFIX", {}).items():
        name, *rest = key.split("|")
        mode = config.get("PREFIX_SET", {}).get(name, {}).get("mode", "")
        if mode in WORDS and len(rest) in (2, 3):
            sequence = f"seq {rest[0]} " if len(rest) == 3 else ""
            line = f"{WORDS[mode]} prefix-list {name} {sequence}{row.get('action', 'permit')} {rest[-2]}"
            found.add((), line + _bounds(rest[-2], rest[-1], _BITS[mode], live=live))


def _bounds(prefix: str, span: str, bits: int, *, live: bool) -> str:
    """``ge``/``le`` of a length range.

    The boot template compares the texts of range and prefix length, so that "128" is below "48"; frrcfgd compares
    numbers and leaves out an upper bound that is the longest length there is.
    """
    low, _dots, high = span.partition("..")
    length = prefix.rpartition("/")[2]
    if not (low.isdecimal() and high.isdecimal() and length.isdecimal()):
        return ""
    longer = int(low) > int(length) if live else low > length
    lower = f" ge {low}" if longer else ""
    upper = "" if live and high == str(bits) else f" le {high}"
    return lower + upper


def route_maps(config: Config, found: Sections, *, live: bool) -> None:
    """Every ROUTE_MAP row that says permit or deny."""
    for key, row in config.get("ROUTE_MAP", {}).items():
        name, _bar, sequence = key.partition("|")
        if "route_operation" in row and sequence:
            section = (f"route-map {name} {row['route_operation']} {sequence}",)
            found.add(section, *_statement(row, config.get("PREFIX_SET", {}), live=live))


def _statement(row: Row, sets: Mapping[str, Row], *, live: bool) -> Iterator[str]:
    for field, _wanted, line in ROUTE_MAP:
        if field in row and (not _wanted or row[field] == _wanted):
            yield line.format(row[field])
    for field, what in (("match_prefix_set", "address"), ("match_next_hop_set", "next-hop")):
        mode = sets[row[field]].get("mode", "") if row.get(field) in sets else ""
        if mode in WORDS:
            yield f"match {WORDS[mode]} {what} prefix-list {row[field]}"
    if row.get("match_tag"):
        yield f"match tag {_first(row['match_tag'])}"
    if row.get("match_neighbor"):
        yield f"match peer {_first(row['match_neighbor'])}"
    if "match_origin" in row:
        yield f"match origin {row['match_origin'].lower()}"
    if "set_origin" in row:
        yield f"set origin {row['set_origin'].lower()}"
    if "set_community_inline" in row:
        yield f"set community {' '.join(row['set_community_inline'])}"
    yield from _metrics(row, live=live)


def _metrics(row: Row, *, live: bool) -> Iterator[str]:
    if live and "set_local_pref" in row:
        yield f"set local-preference {row['set_local_pref']}"
    if "set_med" in row:
        yield f"set metric {row['set_med']}"
    elif "set_metric" in row and "set_metric_action" in row:
        sign = {"METRIC_SET_VALUE": "", "METRIC_ADD_VALUE": "+", "METRIC_SUBTRACT_VALUE": "-"}
        if row["set_metric_action"] in sign:
            yield f"set metric {sign[row['set_metric_action']]}{row['set_metric']}"
    if "set_asn" in row and "set_repeat_asn" in row:
        # FRR takes no longer line than this; a larger number is a mistake
        times = int(row["set_repeat_asn"]) if row["set_repeat_asn"].isdecimal() else 1
        yield f"set as-path prepend {' '.join([row['set_asn']] * min(max(1, times), 64))}"


def _first(value: Any) -> str:
    return str(value[0]) if isinstance(value, (list, tuple)) else str(value)
