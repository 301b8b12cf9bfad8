# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Policy: route maps and prefix lists, and the traps that the two ways into FRR have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model import SEPARATOR
from .index import Switch, interface_of
from .registry import Found, rule

_UNIFIED = ("unified",)
_RANGE = re.compile("([0-9]{1,3})\\.\\.([0-9]{1,3})")


@rule(
    "SL501",
    "error",
    "A route map or prefix list is empty",
    why="A route map without a statement denies everything; a prefix list without an entry matches nothing.",
    source="route-map and prefix-list of FRR",
    hint="add a statement, or remove the set and what uses it",
    dialects=_UNIFIED,
)
def empty(switch: Switch) -> Iterator[Found]:
    for sets, entries in (("ROUTE_MAP_SET", "ROUTE_MAP"), ("PREFIX_SET", "PREFIX")):
        filled = {key.split(SEPARATOR)[0] for key in switch.rows(entries)}
        for name in switch.rows(sets):
            if name not in filled:
                yield sets, name, "", f"{entries} has no row of {name}"


@rule(
    "SL502",
    "error",
    "A route map has no row in ROUTE_MAP_SET",
    why="Nothing may refer to it: the models refuse every neighbour that uses it.",
    source="YANG models; the SCS lab has ROUTE_MAP rows alone",
    hint="add the row to ROUTE_MAP_SET",
    dialects=_UNIFIED,
)
def without_set(switch: Switch) -> Iterator[Found]:
    names = dict.fromkeys(key.split(SEPARATOR)[0] for key in switch.rows("ROUTE_MAP"))
    for name in names:
        if name not in switch.rows("ROUTE_MAP_SET"):
            yield "ROUTE_MAP_SET", name, "", f"ROUTE_MAP has statements of {name}, ROUTE_MAP_SET has no row"


@rule(
    "SL503",
    "error",
    "match_ipv6_prefix_set is read by nobody",
    why="The statement loses its condition and matches every route, without a line in any log.",
    source="Golden data: neither boot templates nor frrcfgd of 202605 read it",
    hint="use match_prefix_set; it takes sets of mode IPv6 as well",
    releases=("202605",),
    dialects=_UNIFIED,
)
def unread_match(switch: Switch) -> Iterator[Found]:
    for key in switch.rows("ROUTE_MAP"):
        name = switch.text("ROUTE_MAP", key, "match_ipv6_prefix_set")
        if name:
            yield "ROUTE_MAP", key, "match_ipv6_prefix_set", f"the set {name} is not looked at"


@rule(
    "SL504",
    "warning",
    "set_local_pref is lost at the next start",
    why="frrcfgd sets it live, the boot templates read another name: after a restart of bgp paths are chosen differently.",
    source="Golden data: the template reads set_local_preference",
    hint="choose paths by set_med at the other end, or write the row again after each start of bgp",
    releases=("202605",),
    dialects=_UNIFIED,
)
def local_preference(switch: Switch) -> Iterator[Found]:
    for key in switch.rows("ROUTE_MAP"):
        if switch.text("ROUTE_MAP", key, "set_local_pref"):
            yield "ROUTE_MAP", key, "set_local_pref", "the boot templates leave it out"


@rule(
    "SL505",
    "warning",
    "A prefix range that boot renders wider",
    why="The boot template compares lengths as texts: 128 comes before 48, so `ge` is left out and shorter prefixes match.",
    source="Golden data: `128..128` on a /48 boots as `le 128`",
    hint="take a prefix whose length comes before it as a text as well (/0, /10), or list the prefixes one by one",
    releases=("202605",),
    dialects=_UNIFIED,
)
def text_order(switch: Switch) -> Iterator[Found]:
    for key, prefix, low, _high in _ranges(switch):
        length = prefix.rpartition("/")[2]
        if low.isdecimal() and length.isdecimal() and int(low) > int(length) and low <= length:
            yield "PREFIX", key, "masklength_range", f"{low} is more than {length}, but not as a text"


@rule(
    "SL506",
    "error",
    "A prefix range that cannot match",
    why="FRR refuses the line, and the list is without it.",
    source="prefix-list of FRR: length <= ge <= le <= 32 or 128",
    hint="write exact, or a range from the prefix's own length up",
)
def ranges(switch: Switch) -> Iterator[Found]:
    for key, prefix, low, high in _ranges(switch):
        interface = interface_of(prefix)
        if interface is None:
            yield "PREFIX", key, "ip_prefix", f"{prefix} is no prefix"
            continue
        network = interface.network
        if low and not network.prefixlen <= int(low) <= int(high) <= network.max_prefixlen:
            message = f"{low}..{high} does not lie between {network.prefixlen} and {network.max_prefixlen}"
            yield "PREFIX", key, "masklength_range", message


def _ranges(switch: Switch) -> Iterator[tuple[str, str, str, str]]:
    """Key, prefix, and both ends of the range; empty ends for ``exact``."""
    for parts in (3, 4):
        for pieces, key, _row in switch.split("PREFIX", parts):
            found = _RANGE.fullmatch(pieces[-1])
            if found:
                yield key, pieces[-2], found.group(1), found.group(2)
            elif pieces[-1] == "exact":
                yield key, pieces[-2], "", ""


@rule(
    "SL507",
    "error",
    "A prefix of the other address family than its set",
    why="FRR keeps two lists of one name, and the route map looks at one of them only.",
    source="ip prefix-list and ipv6 prefix-list of FRR",
    hint="move it to a set of its own family",
)
def families(switch: Switch) -> Iterator[Found]:
    for parts in (3, 4):
        for pieces, key, _row in switch.split("PREFIX", parts):
            mode = switch.text("PREFIX_SET", pieces[0], "mode")
            interface = interface_of(pieces[-2])
            if interface is not None and mode in ("IPv4", "IPv6") and mode != f"IPv{interface.version}":
                yield "PREFIX", key, "ip_prefix", f"{pieces[-2]} stands in the {mode} set {pieces[0]}"


@rule(
    "SL508",
    "error",
    "A field that no model has and frrcfgd reads",
    why="The generic config updater refuses every change of the switch, also of other tables, as long as it is there.",
    source="Golden data: change 9; sonic-net/sonic-buildimage#28089",
    hint="leave it out and tell FRR by vtysh, or use split-unified mode",
    dialects=_UNIFIED,
    in_models=True,
)
def unmodelled(switch: Switch) -> Iterator[Found]:
    fields = ["advertise-ipv4-unicast", "advertise-ipv6-unicast", "route-distinguisher", "import-rts", "export-rts"]
    if switch.release in ("202311", "202405", "202411"):
        fields.append("advertise-all-vni")
    for key, row in switch.rows("BGP_GLOBALS_AF").items():
        for field in fields:
            if field in row:
                yield "BGP_GLOBALS_AF", key, field, f"no model of {switch.release or 'any release'} has {field}"


@rule(
    "SL509",
    "error",
    "A prefix set without its family, or an entry or statement without its action",
    why="Both ways into FRR write a line without that word, which FRR refuses: the list or the statement is missing.",
    source="bgpd.conf.db.pref_list.j2 and bgpd.conf.db.route_map.j2; frrcfgd",
    hint="give mode (IPv4 or IPv6), action or route_operation (permit or deny)",
    dialects=_UNIFIED,
)
def incomplete(switch: Switch) -> Iterator[Found]:
    for table, field in (("PREFIX_SET", "mode"), ("PREFIX", "action"), ("ROUTE_MAP", "route_operation")):
        for key in switch.rows(table):
            if not switch.text(table, key, field):
                yield table, key, field, f"{field} is missing"
