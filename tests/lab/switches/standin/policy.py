# SPDX-License-Identifier: Apache-2.0
"""Prefix lists, route maps, routes: rows that say something to FRR below no ``router bgp``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .fields import Line, Row, flag, listed, value

WORDS = {"ipv4": "ip", "ipv6": "ipv6"}
BITS = {"ipv4": 32, "ipv6": 128}


def prefix(name: str, mode: str, key: str, row: Row, *, boot: bool) -> str:
    """The line of a prefix list for a PREFIX row whose key lacks the name of its set.

    The boot templates compare the texts of two lengths, so that "128" is below "48", and always write an upper bound;
    the event path compares numbers and leaves out an upper bound that says nothing.
    """
    parts = key.split("|")
    network, span = parts[-2:]
    sequence = f"seq {parts[0]} " if len(parts) == 3 else ""
    low, _dots, high = span.partition("..")
    bounds = ""
    if low.isdecimal() and high.isdecimal():
        length = network.rpartition("/")[2]
        above = low > length if boot else int(low) > int(length)
        bounds = f" ge {low}" if above else ""
        bounds += f" le {high}" if boot or int(high) != BITS[mode] else ""
    return f"{WORDS[mode]} prefix-list {name} {sequence}{row.get('action', 'permit')} {network}{bounds}"


def _origin(field: str, command: str) -> Line:
    return Line((field,), lambda row, _name: [command.format(str(row[field]).lower())], daemons=("bgpd",))


def _peer(row: Row, _name: str) -> list[str]:
    return [f"match peer {item}" for item in listed(row["match_neighbor"])[:1]]


def _tag(row: Row, _name: str) -> list[str]:
    return [f"match tag {item}" for item in listed(row["match_tag"])[:1]]


def _metric(row: Row, _name: str) -> list[str]:
    sign = {"METRIC_SET_VALUE": "", "METRIC_ADD_VALUE": "+", "METRIC_SUBTRACT_VALUE": "-"}
    action = str(row["set_metric_action"])
    if action in sign and "set_metric" in row:
        return [f"set metric {sign[action]}{row['set_metric']}"]
    return [f"set metric {row['set_med']}"] if "set_med" in row else []


def _prepend(row: Row, _name: str) -> list[str]:
    times = int(row["set_repeat_asn"]) if str(row.get("set_repeat_asn", "")).isdecimal() else 1
    return [f"set as-path prepend {' '.join([str(row['set_asn'])] * max(1, min(times, 64)))}"]


ROUTE_MAP = (
    value("match_interface", "match interface {}"),
    Line(("match_neighbor",), _peer, daemons=("bgpd",)),
    Line(("match_tag",), _tag),
    value("match_protocol", "match source-protocol {}", "zebra"),
    value("match_med", "match metric {}"),
    _origin("match_origin", "match origin {}"),
    value("match_local_pref", "match local-preference {}", "bgpd"),
    value("match_community", "match community {}", "bgpd"),
    value("match_ext_community", "match extcommunity {}", "bgpd"),
    value("match_as_path", "match as-path {}", "bgpd"),
    value("match_src_vrf", "match source-vrf {}", "bgpd"),
    value("call_route_map", "call {}"),
    _origin("set_origin", "set origin {}"),
    value("set_local_pref", "set local-preference {}", "bgpd"),
    value("set_next_hop", "set ip next-hop {}"),
    value("set_ipv6_next_hop_global", "set ipv6 next-hop global {}", "bgpd"),
    flag("set_ipv6_next_hop_prefer_global", "set ipv6 next-hop prefer-global"),
    Line(("set_metric_action", "set_metric", "set_med"), _metric),
    value("set_med", "set metric {}"),
    Line(("set_asn", "set_repeat_asn"), _prepend, daemons=("bgpd",)),
    value("set_community_inline", "set community {}", "bgpd"),
    value("set_community_ref", "set community {}", "bgpd"),
    value("set_ext_community_ref", "set extcommunity {}", "bgpd"),
)


def matched_sets(modes: Mapping[str, str], row: Row) -> tuple[Line, ...]:
    """Lines for the prefix sets that a route map names; of a set nobody has heard of both kinds are written.

    ``match_ipv6_prefix_set`` is in the model and read by nobody.
    """
    lines = []
    for field, what in (("match_prefix_set", "address"), ("match_next_hop_set", "next-hop")):
        mode = modes.get(str(row.get(field, "")))
        for each in [mode] if mode else ["ipv4", "ipv6"]:
            lines.append(value(field, f"match {WORDS[each]} {what} prefix-list {{}}"))
    return tuple(lines)


def routes(network: str, row: Row) -> list[str]:
    """The commands of a STATIC_ROUTE row: its fields are lists with commas, one item for each next hop."""
    hops = {field: str(found).split(",") for field, found in row.items() if not isinstance(found, list)}
    counts = {len(items) for items in hops.values()}
    if len(counts) != 1:
        return []  # fields that count different next hops: nothing is written
    found = []
    for position in range(counts.pop()):
        line = _route(network, {field: items[position] for field, items in hops.items()})
        if line:
            found.append(line)
    return found


def _route(network: str, hop: Mapping[str, Any]) -> str:
    word = "ipv6 route" if ":" in network else "ip route"
    tag = f"tag {hop['tag']}" if hop.get("tag", "0") not in ("", "0") else ""
    distance = hop.get("distance", "0").replace("0", "") if hop.get("distance") == "0" else hop.get("distance", "")
    if hop.get("blackhole") == "true":
        return " ".join(filter(None, (word, network, "blackhole", tag, distance)))
    address = hop.get("nexthop", "")
    address = "" if address in ("0.0.0.0", "::") else address  # noqa: S104 - SONiC's word for no address
    if not address and not hop.get("ifname"):
        return ""
    vrf = f"nexthop-vrf {hop['nexthop-vrf']}" if hop.get("nexthop-vrf") else ""
    return " ".join(filter(None, (word, network, address, hop.get("ifname", ""), tag, distance, vrf)))
