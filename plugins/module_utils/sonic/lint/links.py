# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Both ends of a link, and what must be unique in a fabric."""

from __future__ import annotations

from collections.abc import Iterator

from .index import DEFAULT_VRF, Fabric, Switch, integer
from .registry import FabricFound, fabric_rule


def _both(fabric: Fabric) -> Iterator[tuple[Switch, str, Switch, str]]:
    """Every link whose ports are there: switch, port, switch, port."""
    for link in fabric.links:
        one, other = fabric.ends(link)
        if link.a.port in one.rows("PORT") and link.b.port in other.rows("PORT"):
            yield one, link.a.port, other, link.b.port


@fabric_rule(
    "SL801",
    "error",
    "An address, a router id or a MAC address is used by two switches",
    why="Sessions flap between the two, or do not start: BGP refuses its own router id.",
    source="RFC 4271, section 4.2; loopbacks identify a switch",
    hint="give each switch its own",
)
def unique(fabric: Fabric) -> Iterator[FabricFound]:
    taken: dict[tuple[str, str], str] = {}
    for switch in fabric.switches.values():
        loopbacks = [placed for placed in switch.loopbacks if placed.vrf == DEFAULT_VRF]
        places = [("LOOPBACK_INTERFACE", placed.key, "", str(placed.address.ip)) for placed in loopbacks]
        places += [
            ("BGP_GLOBALS", vrf, "router_id", switch.text("BGP_GLOBALS", vrf, "router_id"))
            for vrf in switch.rows("BGP_GLOBALS")
        ]
        places += [
            ("MGMT_INTERFACE", key, "", parts[1].split("/")[0])
            for parts, key, _row in switch.split("MGMT_INTERFACE", 2)
        ]
        for field in ("hostname", "mac"):
            places.append(("DEVICE_METADATA", "localhost", field, switch.text("DEVICE_METADATA", "localhost", field)))
        for table, key, field, value in places:
            other = taken.setdefault((table, value.lower()), switch.name) if value else switch.name
            if other != switch.name:
                yield switch.name, table, key, field, f"{value} is used by {other} as well"


@fabric_rule(
    "SL802",
    "error",
    "The ends of a link differ in speed, FEC or autonegotiation",
    why="The link stays down, or comes up with errors under load.",
    source="IEEE 802.3",
    hint="set the same at both ends",
)
def physical(fabric: Fabric) -> Iterator[FabricFound]:
    for one, port, other, peer in _both(fabric):
        for field in ("speed", "fec", "autoneg"):
            here, there = one.text("PORT", port, field), other.text("PORT", peer, field)
            if here and there and here != there:
                yield one.name, "PORT", port, field, f"{field} is {here}, at {other.name}:{peer} it is {there}"


@fabric_rule(
    "SL803",
    "error",
    "The ends of a link differ in MTU",
    why="Small packets pass and large ones vanish: sessions come up and hang as soon as tables or data are exchanged.",
    source="RFC 4821 describes the black hole",
    hint="set the same MTU at both ends",
)
def mtu(fabric: Fabric) -> Iterator[FabricFound]:
    for one, port, other, peer in _both(fabric):
        here = one.text("PORT", port, "mtu") or "9100"
        there = other.text("PORT", peer, "mtu") or "9100"
        if here != there:
            yield one.name, "PORT", port, "mtu", f"MTU is {here}, at {other.name}:{peer} it is {there}"


@fabric_rule(
    "SL804",
    "warning",
    "One end of a link is shut",
    why="The other end shows a fault that is none.",
    source="The configurations of both ends",
    hint="set both ends up, or both down",
)
def one_shut(fabric: Fabric) -> Iterator[FabricFound]:
    for one, port, other, peer in _both(fabric):
        here, there = (s.text("PORT", p, "admin_status") == "up" for s, p in ((one, port), (other, peer)))
        if here != there:
            at, name = (other, peer) if here else (one, port)
            yield at.name, "PORT", name, "admin_status", "this end is not up, the other one is"


@fabric_rule(
    "SL805",
    "error",
    "BGP at one end of a link only",
    why="The session never comes up; the link carries no traffic.",
    source="Unnumbered neighbours stand at both ends",
    hint="add the neighbour, or remove it at the other end",
)
def one_sided(fabric: Fabric) -> Iterator[FabricFound]:
    for one, port, other, peer in _both(fabric):
        ends = [(one, one.lag_of.get(port, port)), (other, other.lag_of.get(peer, peer))]
        if any(s.dialect != "unified" for s, _p in ends):
            continue
        keys = [[neighbor.key for neighbor in switch.neighbors if neighbor.port == name] for switch, name in ends]
        if bool(keys[0]) != bool(keys[1]):
            (switch, _name), (without, peer_name) = ends if keys[0] else ends[::-1]
            key = (keys[0] or keys[1])[0]
            yield switch.name, "BGP_NEIGHBOR", key, "", f"{without.name} has no neighbour on {peer_name}"


@fabric_rule(
    "SL806",
    "error",
    "The ends of a session disagree on their AS numbers",
    why="OPEN is answered with Bad Peer AS, again and again.",
    source="RFC 4271, section 6.2",
    hint="correct asn or peer_type, or local_asn at the other end",
)
def as_numbers(fabric: Fabric) -> Iterator[FabricFound]:
    for one, port, other, peer in _both(fabric):
        for here, name, there in ((one, port, other), (other, peer, one)):
            name = here.lag_of.get(name, name)
            for neighbor in here.neighbors:
                theirs, ours = there.asn(neighbor.vrf), here.asn(neighbor.vrf)
                if neighbor.port != name or theirs is None:
                    continue
                asn, kind = integer(neighbor.text("asn")), neighbor.text("peer_type")
                if asn is not None and asn != theirs:
                    message = f"expects AS {asn}, {there.name} is AS {theirs}"
                elif asn is None and kind in ("internal", "external") and (kind == "internal") != (ours == theirs):
                    message = f"the session is {kind}, our AS is {ours} and that of {there.name} is {theirs}"
                else:
                    continue
                yield here.name, "BGP_NEIGHBOR", neighbor.key, "asn", message


@fabric_rule(
    "SL807",
    "error",
    "A LAG at one end only, or over two switches",
    why="LACP finds no partner, or two: single ports come up alone, and frames loop or get lost.",
    source="IEEE 802.1AX: all links of a LAG end at one system",
    hint="bundle the same links at both ends; over two switches only with MCLAG",
)
def lags(fabric: Fabric) -> Iterator[FabricFound]:
    partners: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for one, port, other, peer in _both(fabric):
        here, there = one.lag_of.get(port, ""), other.lag_of.get(peer, "")
        if bool(here) != bool(there):
            (switch, name, lag), bare = (
                ((one, port, here), f"{other.name}:{peer}") if here else ((other, peer, there), f"{one.name}:{port}")
            )
            yield switch.name, "PORTCHANNEL_MEMBER", f"{lag}|{name}", "port", f"{bare} is in no LAG"
        elif here:
            partners.setdefault((one.name, here), set()).add((other.name, there))
            partners.setdefault((other.name, there), set()).add((one.name, here))
    for (name, lag), others in partners.items():
        if len(others) > 1 and not any(fabric.switches[other].rows("MCLAG_DOMAIN") for other, _lag in others):
            shown = " and ".join(f"{other}:{peer}" for other, peer in sorted(others))
            yield name, "PORTCHANNEL", lag, "", f"ends at {shown}"


@fabric_rule(
    "SL808",
    "error",
    "The ends of a link differ in their VLANs",
    why="Frames of the VLAN are dropped at the end that does not have it, or, untagged, change into another VLAN.",
    source="IEEE 802.1Q",
    hint="give both ends the same VLANs in the same mode",
)
def vlans(fabric: Fabric) -> Iterator[FabricFound]:
    done: set[tuple[str, str, str]] = set()
    for one, port, other, peer in _both(fabric):
        port, peer = one.lag_of.get(port, port), other.lag_of.get(peer, peer)
        here, there = one.vlans_of.get(port, {}), other.vlans_of.get(peer, {})
        for switch, name, own, theirs, far in ((one, port, here, there, other), (other, peer, there, here, one)):
            for vlan in sorted(set(own) - set(theirs)):
                if (switch.name, vlan, name) not in done:
                    done.add((switch.name, vlan, name))
                    yield switch.name, "VLAN_MEMBER", f"{vlan}|{name}", "", f"{far.name} does not have {vlan} there"
        for vlan in sorted(set(here) & set(there)):
            if here[vlan] != there[vlan] and (one.name, vlan, port) not in done:
                done.add((one.name, vlan, port))
                message = f"{vlan} is {here[vlan]}, at {other.name} it is {there[vlan]}"
                yield one.name, "VLAN_MEMBER", f"{vlan}|{port}", "tagging_mode", message


@fabric_rule(
    "SL809",
    "error",
    "Two switches tell different things of one cable",
    why="One of the descriptions is wrong; whoever pulls a cable by it cuts another link.",
    source="Descriptions and DEVICE_NEIGHBOR of both ends",
    hint="look where the cable goes (LLDP), and correct the description",
)
def claims(fabric: Fabric) -> Iterator[FabricFound]:
    for end, peer in fabric.claims.items():
        answer = fabric.claims.get(peer)
        far = fabric.switches[peer.switch]
        rows = {**far.rows("PORT"), **far.rows("MGMT_PORT")}
        if far.rows("PORT") and peer.port not in rows:
            yield end.switch, "PORT", end.port, "description", f"{peer.switch} has no port {peer.port}"
        elif answer is not None and answer != end:
            yield end.switch, "PORT", end.port, "description", f"says {peer}, which says {answer}"


@fabric_rule(
    "SL810",
    "error",
    "A VNI means two things in one fabric",
    why="Two VLANs, or two VRFs, are bridged or routed into one another; hosts meet whom they should never meet.",
    source="RFC 7348: the VNI identifies the segment",
    hint="one VNI for one segment, on every switch",
)
def vnis(fabric: Fabric) -> Iterator[FabricFound]:
    vrfs: dict[str, tuple[str, str]] = {}
    names: dict[str, tuple[str, str]] = {}
    maps: dict[str, tuple[str, str]] = {}
    for switch in fabric.switches.values():
        for vrf in switch.rows("VRF"):
            vni = switch.text("VRF", vrf, "vni")
            if not vni or vni == "0":
                continue
            for table, key, value in ((vrfs, vni, vrf), (names, vrf, vni)):
                told, where = table.setdefault(key, (value, switch.name))
                if told != value:
                    yield switch.name, "VRF", vrf, "vni", f"{key} is {value} here and {told} on {where}"
        l3 = {switch.text("VRF", vrf, "vni") for vrf in switch.rows("VRF")}
        for name in switch.rows("VXLAN_TUNNEL_MAP"):
            vni, vlan = (switch.text("VXLAN_TUNNEL_MAP", name, field) for field in ("vni", "vlan"))
            told, where = maps.setdefault(vni, (vlan, switch.name))
            if vni and vni not in l3 and told != vlan:
                yield switch.name, "VXLAN_TUNNEL_MAP", name, "vlan", f"VNI {vni} is {vlan} here and {told} on {where}"


@fabric_rule(
    "SL811",
    "error",
    "Both ends of a numbered link are in different subnets",
    why="Neither end answers the other.",
    source="The addresses of both ends",
    hint="give both ends addresses of one subnet",
)
def subnets(fabric: Fabric) -> Iterator[FabricFound]:
    for one, port, other, peer in _both(fabric):
        here = [placed for placed in one.addresses if placed.interface == port]
        there = [placed for placed in other.addresses if placed.interface == peer]
        for version in (4, 6):
            mine = [placed for placed in here if placed.address.version == version]
            theirs = {placed.address.network for placed in there if placed.address.version == version}
            if mine and theirs and not any(placed.address.network in theirs for placed in mine):
                yield (
                    one.name,
                    mine[0].table,
                    mine[0].key,
                    "",
                    f"{other.name}:{peer} is in {', '.join(map(str, theirs))}",
                )
            elif any(a.address == b.address for a in mine for b in there):
                yield one.name, mine[0].table, mine[0].key, "", f"{other.name}:{peer} has the same address"


@fabric_rule(
    "SL812",
    "warning",
    "Two leaves have one AS number",
    why="A spine hands the routes of one to the other, which finds its own AS number in the path and drops them.",
    source="RFC 4271, section 9.1.2: loop detection",
    hint="give each leaf, or each pair that shares all its hosts, an AS number of its own",
    dialects=("unified",),
)
def leaf_as(fabric: Fabric) -> Iterator[FabricFound]:
    leaves: dict[int, str] = {}
    for switch in fabric.switches.values():
        kind = switch.text("DEVICE_METADATA", "localhost", "type")
        asn = switch.asn()
        external = any(neighbor.port for neighbor in switch.neighbors)
        if kind in ("LeafRouter", "ToRRouter") and asn is not None and external:
            other = leaves.setdefault(asn, switch.name)
            if other != switch.name:
                yield switch.name, "BGP_GLOBALS", DEFAULT_VRF, "local_asn", f"AS {asn} is that of {other} as well"


@fabric_rule(
    "SL813",
    "warning",
    "BFD at one end of a session only",
    why="It is never up; a fault is found by the hold timer, seconds later than planned.",
    source="RFC 5880, section 6.1: both ends take part",
    hint="switch it on at both ends",
)
def bfd(fabric: Fabric) -> Iterator[FabricFound]:
    for one, port, other, peer in _both(fabric):
        found = []
        for switch, name in ((one, one.lag_of.get(port, port)), (other, other.lag_of.get(peer, peer))):
            found += [(switch, neighbor) for neighbor in switch.neighbors if neighbor.port == name]
        without = [(switch, neighbor) for switch, neighbor in found if neighbor.text("bfd") != "true"]
        if len(found) == 2 and len(without) == 1:
            yield without[0][0].name, "BGP_NEIGHBOR", without[0][1].key, "bfd", "the other end has BFD on"
