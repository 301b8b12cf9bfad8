# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""BGP: neighbours, peer groups, AS numbers, router ids."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import SEPARATOR
from .index import DEFAULT_VRF, Neighbor, Switch, address_of, integer
from .registry import Found, rule

_UNIFIED = ("unified",)
#: RFC 7607, RFC 4893 (AS_TRANS), RFC 7300.
_RESERVED = (0, 23456, 65535, 4294967295)
_INTERFACE_TABLES = ("INTERFACE", "PORTCHANNEL_INTERFACE", "VLAN_INTERFACE", "VLAN_SUB_INTERFACE")


@rule(
    "SL401",
    "error",
    "A neighbour's interface is no router port, or has no link-local address",
    why="BGP unnumbered finds its neighbour by IPv6 link-local addresses; without one the session never starts.",
    source="frrcfgd and intfmgrd; the models ask for the port only",
    hint='add the interface with ipv6_use_link_local_only "enable", or an IPv6 address',
    dialects=_UNIFIED,
)
def interface(switch: Switch) -> Iterator[Found]:
    with_ipv6 = {placed.interface for placed in switch.addresses if placed.address.version == 6}
    for neighbor in switch.neighbors:
        if not neighbor.port:
            continue
        tables = [table for table in _INTERFACE_TABLES if neighbor.port in switch.rows(table)]
        if not tables:
            yield "BGP_NEIGHBOR", neighbor.key, "neighbor", f"{neighbor.port} is no router port"
            continue
        enabled = switch.text(tables[0], neighbor.port, "ipv6_use_link_local_only") == "enable"
        if not enabled and neighbor.port not in with_ipv6:
            yield "BGP_NEIGHBOR", neighbor.key, "neighbor", f"{neighbor.port} has no IPv6 link-local address"
        elif switch.vrf_of.get(neighbor.port, DEFAULT_VRF) != neighbor.vrf:
            vrf = switch.vrf_of.get(neighbor.port, DEFAULT_VRF)
            yield "BGP_NEIGHBOR", neighbor.key, "vrf_name", f"{neighbor.port} is in VRF {vrf}, not in {neighbor.vrf}"


@rule(
    "SL402",
    "error",
    "The address family of a peer group stands in the table of neighbours",
    why="Nobody reads it there: the group's policy is missing, and with FRR's default every route is dropped.",
    source="The SCS lab's leaf has it so; frrcfgd reads BGP_PEER_GROUP_AF",
    hint="move the row to BGP_PEER_GROUP_AF",
)
def group_as_neighbor(switch: Switch) -> Iterator[Found]:
    for (vrf, name, _family), key, _row in switch.split("BGP_NEIGHBOR_AF", 3):
        if f"{vrf}{SEPARATOR}{name}" in switch.rows("BGP_PEER_GROUP"):
            yield "BGP_NEIGHBOR_AF", key, "neighbor", f"{name} is a peer group"


@rule(
    "SL403",
    "error",
    "A neighbour has no remote AS",
    why="FRR takes no neighbour without one; the session is not even tried.",
    source="bgpd: specify remote-as or peer-group commands first",
    hint="give asn or peer_type, to the neighbour or its peer group",
    dialects=_UNIFIED,
)
def remote_as(switch: Switch) -> Iterator[Found]:
    for neighbor in switch.neighbors:
        if not neighbor.text("asn") and neighbor.text("peer_type") not in ("internal", "external"):
            yield (
                "BGP_NEIGHBOR",
                neighbor.key,
                "asn",
                f"neither {neighbor.name} nor its peer group has asn or peer_type",
            )


@rule(
    "SL404",
    "error",
    "An AS number that cannot be",
    why="Reserved numbers are refused by the neighbour, or break its AS paths.",
    source="RFC 7607 (0), RFC 6793 (23456), RFC 7300 (65535, 4294967295)",
    hint="take one of 64512 to 65534 or 4200000000 to 4294967294",
    in_models=True,
)
def as_numbers(switch: Switch) -> Iterator[Found]:
    places = [("BGP_GLOBALS", "local_asn"), ("BGP_NEIGHBOR", "asn"), ("BGP_PEER_GROUP", "asn")]
    for table, field in (*places, ("BGP_NEIGHBOR", "local_asn"), ("BGP_PEER_GROUP", "local_asn")):
        for key in switch.rows(table):
            text = switch.text(table, key, field)
            number = integer(text)
            if text and (number is None or number in _RESERVED or number > 2**32 - 1):
                yield table, key, field, f"{text[:20]} is no AS number to use"


@rule(
    "SL405",
    "error",
    "External neighbours without policy exchange nothing",
    why="FRR drops every route of an external neighbour that has no route map, in and out; no field turns that off.",
    source="RFC 8212; frrcfgd and models know no ebgp_requires_policy",
    hint="give route_map_in and route_map_out, if only one that permits all",
    dialects=_UNIFIED,
)
def policy(switch: Switch) -> Iterator[Found]:
    for neighbor in switch.neighbors:
        if not _external(switch, neighbor) or neighbor.text("admin_status") == "down":
            continue
        for family in ("ipv4_unicast", "ipv6_unicast", "l2vpn_evpn"):
            own = SEPARATOR.join((neighbor.vrf, neighbor.name, family))
            group = SEPARATOR.join((neighbor.vrf, neighbor.group, family))
            merged = {**switch.row("BGP_PEER_GROUP_AF", group), **switch.row("BGP_NEIGHBOR_AF", own)}
            missing = [field for field in ("route_map_in", "route_map_out") if not merged.get(field)]
            if merged.get("admin_status") in ("up", "true") and missing:
                at_group = own not in switch.rows("BGP_NEIGHBOR_AF")
                table, key = ("BGP_PEER_GROUP_AF", group) if at_group else ("BGP_NEIGHBOR_AF", own)
                yield table, key, missing[0], f"{family} with {neighbor.name} has no {' and no '.join(missing)}"


def _external(switch: Switch, neighbor: Neighbor) -> bool:
    if neighbor.text("peer_type") == "external":
        return True
    own = integer(neighbor.text("local_asn")) or switch.asn(neighbor.vrf)
    return bool(neighbor.text("asn")) and integer(neighbor.text("asn")) != own


@rule(
    "SL406",
    "warning",
    "The router id is no address of a loopback",
    why="Two switches that were copied from each other keep the same id; BGP then refuses the session between them.",
    source="Practice; RFC 6286",
    hint="use the IPv4 address of Loopback0",
)
def router_id(switch: Switch) -> Iterator[Found]:
    own = {placed.address.ip for placed in switch.addresses}
    for vrf in switch.rows("BGP_GLOBALS"):
        identifier = address_of(switch.text("BGP_GLOBALS", vrf, "router_id"))
        if identifier is not None and identifier not in own:
            yield "BGP_GLOBALS", vrf, "router_id", f"{identifier} is no address of this switch"


@rule(
    "SL407",
    "error",
    "Kind of session and AS number contradict each other",
    why="FRR takes what is written last: after a restart the session is of the other kind.",
    source="frrcfgd writes peer_type and asn to the same command, remote-as",
    hint="give one of them, or such that they agree",
    dialects=_UNIFIED,
)
def kinds(switch: Switch) -> Iterator[Found]:
    for table in ("BGP_NEIGHBOR", "BGP_PEER_GROUP"):
        for (vrf, _name), key, _row in switch.split(table, 2):
            kind, asn = switch.text(table, key, "peer_type"), integer(switch.text(table, key, "asn"))
            own = integer(switch.text(table, key, "local_asn")) or switch.asn(vrf)
            known = kind in ("internal", "external") and asn is not None and own is not None
            if known and (kind == "internal") != (asn == own):
                yield table, key, "peer_type", f"the session is {kind}, but AS {asn} meets our AS {own}"


@rule(
    "SL408",
    "warning",
    "Hold time less than three times the keepalive",
    why="Two lost keepalives end the session, and so does a short wait of a busy CPU.",
    source="RFC 4271, section 4.4",
    hint="make the hold time at least three times the keepalive",
)
def timers(switch: Switch) -> Iterator[Found]:
    for table in ("BGP_NEIGHBOR", "BGP_PEER_GROUP"):
        for key in switch.rows(table):
            hold = integer(switch.text(table, key, "holdtime"))
            keep = integer(switch.text(table, key, "keepalive"))
            if hold is not None and keep is not None and 0 < hold < 3 * keep:
                yield table, key, "holdtime", f"{hold} s is less than three times {keep} s"


@rule(
    "SL409",
    "info",
    "`config load` leaves its unnumbered neighbours outside their peer group",
    why="It writes tables by name: neighbours come before their group, and frrcfgd does not look again.",
    source="Golden data; sonic-net/sonic-buildimage#29397",
    hint="write rows in order (patch or ordered), or restart bgp after the load",
    releases=("202411", "202505", "202511", "202605"),
    dialects=_UNIFIED,
)
def load_order(switch: Switch) -> Iterator[Found]:
    grouped = [neighbor for neighbor in switch.neighbors if neighbor.port and neighbor.group]
    if grouped:
        count = f"{len(grouped)} neighbours have" if len(grouped) > 1 else "1 neighbour has"
        yield "BGP_NEIGHBOR", "", "peer_group_name", f"{count} a peer group"


@rule(
    "SL410",
    "error",
    "A neighbour carries no address family",
    why="frrcfgd writes `no bgp default ipv4-unicast`: without an active family the session comes up and carries nothing.",
    source="Golden data: bgpd.main.conf.j2 and frrcfgd of 202605",
    hint="add BGP_PEER_GROUP_AF or BGP_NEIGHBOR_AF with admin_status up",
    dialects=_UNIFIED,
)
def without_family(switch: Switch) -> Iterator[Found]:
    active = {
        (table, parts[0], parts[1])
        for table in ("BGP_PEER_GROUP_AF", "BGP_NEIGHBOR_AF")
        for parts, key, _row in switch.split(table, 3)
        if switch.text(table, key, "admin_status") in ("up", "true")
    }
    for neighbor in switch.neighbors:
        own = ("BGP_NEIGHBOR_AF", neighbor.vrf, neighbor.name)
        group = ("BGP_PEER_GROUP_AF", neighbor.vrf, neighbor.group)
        if own not in active and group not in active and neighbor.text("admin_status") != "down":
            yield "BGP_NEIGHBOR", neighbor.key, "", f"neither {neighbor.name} nor its peer group has an active family"


@rule(
    "SL411",
    "error",
    "A BGP instance has no AS number",
    why="frrcfgd starts no instance without one; its neighbours, networks and redistribution are silently left out.",
    source="frrcfgd of 202605: bgp_globals_handler",
    hint="give local_asn",
    dialects=_UNIFIED,
)
def instances(switch: Switch) -> Iterator[Found]:
    for vrf in switch.rows("BGP_GLOBALS"):
        if not switch.text("BGP_GLOBALS", vrf, "local_asn"):
            yield "BGP_GLOBALS", vrf, "local_asn", f"the instance of VRF {vrf} has no AS number"
