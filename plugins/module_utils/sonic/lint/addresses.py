# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Addresses: interfaces, loopbacks, static routes, management."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from ..model import SEPARATOR
from .index import DEFAULT_VRF, Placed, Switch, address_of, interface_of
from .registry import Found, rule


@rule(
    "SL201",
    "error",
    "Two subnets of one VRF overlap",
    why="The kernel has one route for the common part: half of the hosts of the other subnet are unreachable.",
    source="The models do not compare addresses",
    hint="move one of them, or put it into another VRF",
)
def overlaps(switch: Switch) -> Iterator[Found]:
    by_vrf: dict[tuple[str, int], list[Placed]] = {}
    for placed in switch.addresses:
        if not placed.address.is_link_local:
            by_vrf.setdefault((placed.vrf, placed.address.version), []).append(placed)
    for several in by_vrf.values():
        # Sorted by network, what overlaps a network follows one that contains it.
        ordered = sorted(several, key=lambda p: (int(p.address.network.network_address), p.address.network.prefixlen))
        wide: Placed | None = None
        for placed in ordered:
            inside = wide is not None and placed.address.network.network_address in wide.address.network
            if wide is not None and inside and (placed.interface != wide.interface or placed.address == wide.address):
                shown = f"{placed.address.network} overlaps {wide.address.network} of {wide.interface}"
                yield placed.table, placed.key, "", f"{shown} in VRF {placed.vrf}"
            elif not inside:
                wide = placed


@rule(
    "SL202",
    "error",
    "An interface has the address of its network or its broadcast",
    why="Hosts do not answer to it, or answer all at once; the kernel takes it without a word.",
    source="RFC 1122, section 3.2.1.3; RFC 4291, section 2.6.1",
    hint="give it an address for a host",
)
def host_part(switch: Switch) -> Iterator[Found]:
    for placed in switch.addresses:
        network = placed.address.network
        if network.prefixlen >= network.max_prefixlen - 1:
            continue
        if placed.address.ip == network.network_address:
            yield placed.table, placed.key, "", f"{placed.address} is the network itself"
        elif network.version == 4 and placed.address.ip == network.broadcast_address:
            yield placed.table, placed.key, "", f"{placed.address} is the broadcast address of the network"


@rule(
    "SL203",
    "error",
    "The management gateway is not in the management subnet",
    why="No route is set: the switch is reached from its own subnet only, and not at all after the next reload.",
    source="interfaces.j2 of sonic-buildimage",
    hint="give it an address of the subnet",
)
def gateway(switch: Switch) -> Iterator[Found]:
    for (_port, text), key, row in switch.split("MGMT_INTERFACE", 2):
        address, gateway = interface_of(text), address_of(str(row.get("gwaddr", "")))
        if address is None or gateway is None:
            continue
        if gateway not in address.network:
            yield "MGMT_INTERFACE", key, "gwaddr", f"{gateway} is not in {address.network}"
        elif gateway == address.ip:
            yield "MGMT_INTERFACE", key, "gwaddr", f"{gateway} is the switch itself"


@rule(
    "SL204",
    "warning",
    "A loopback address has a network",
    why="It is announced as a whole subnet, and takes traffic for addresses that nobody has.",
    source="Practice: loopbacks are /32 and /128",
    hint="write /32 or /128",
)
def loopback_length(switch: Switch) -> Iterator[Found]:
    for placed in switch.loopbacks:
        if placed.address.network.prefixlen != placed.address.network.max_prefixlen:
            length = placed.address.network.max_prefixlen
            yield placed.table, placed.key, "", f"{placed.address} is a loopback's, and should end in /{length}"


@rule(
    "SL205",
    "warning",
    "A static route has a next hop that no interface reaches",
    why="FRR keeps the route as inactive: it is in the configuration and not in the kernel.",
    source="staticd of FRR",
    hint="give a next hop of a connected subnet, or the interface",
)
def next_hops(switch: Switch) -> Iterator[Found]:
    for key in switch.rows("STATIC_ROUTE"):
        vrf, separator, _prefix = key.rpartition("|")
        hops = switch.items("STATIC_ROUTE", key, "nexthop")
        vrfs = switch.items("STATIC_ROUTE", key, "nexthop-vrf")
        for count, text in enumerate(hops):
            hop = address_of(text)
            where = (vrfs[count] if count < len(vrfs) else "") or (vrf if separator else DEFAULT_VRF)
            if hop is None or hop.is_unspecified or hop.is_link_local:
                continue
            networks = [placed.address.network for placed in switch.addresses if placed.vrf == where]
            if not any(hop in network for network in networks):
                yield "STATIC_ROUTE", key, "nexthop", f"{hop} is in no subnet of VRF {where}"


@rule(
    "SL206",
    "error",
    "The management subnet is also a subnet of a port",
    why="Answers leave by the other interface: management is lost as soon as the port comes up.",
    source="Without a management VRF both stand in one routing table",
    hint="use a management VRF, or another subnet",
)
def management_subnet(switch: Switch) -> Iterator[Found]:
    if switch.text("MGMT_VRF_CONFIG", "vrf_global", "mgmtVrfEnabled") == "true":
        return
    for (_port, text), key, _row in switch.split("MGMT_INTERFACE", 2):
        address = interface_of(text)
        for placed in switch.addresses if address else ():
            if placed.vrf == DEFAULT_VRF and address and _overlap(placed.address.network, address.network):
                message = f"{address.network} overlaps {placed.address.network} of {placed.interface}"
                yield "MGMT_INTERFACE", key, "ip_prefix", message


@rule(
    "SL207",
    "error",
    "A static route that leads nowhere",
    why="frrcfgd refuses it when it writes the route, or FRR keeps it inactive; the traffic takes the next best way.",
    source="frrcfgd of sonic-buildimage; the models take any text as next hop and as interface",
    hint="give an address, an interface of this switch, or blackhole true",
)
def nowhere(switch: Switch) -> Iterator[Found]:
    interfaces = {
        key.split(SEPARATOR)[0]
        for table in ("PORT", "PORTCHANNEL", "VLAN", "VLAN_SUB_INTERFACE", "LOOPBACK_INTERFACE", "MGMT_PORT", "VRF")
        for key in switch.rows(table)
    }
    for key in switch.rows("STATIC_ROUTE"):
        hops = switch.items("STATIC_ROUTE", key, "nexthop")
        names = switch.items("STATIC_ROUTE", key, "ifname")
        for text in hops:
            if address_of(text) is None:
                yield "STATIC_ROUTE", key, "nexthop", f"{text} is no address"
        for name in names:
            if name not in interfaces and name != "Null0":
                yield "STATIC_ROUTE", key, "ifname", f"{name} is no interface of this switch"
        if not (hops or names or "true" in switch.items("STATIC_ROUTE", key, "blackhole")):
            yield "STATIC_ROUTE", key, "", "neither a next hop, nor an interface, nor a black hole"


def _overlap(
    one: ipaddress.IPv4Network | ipaddress.IPv6Network, other: ipaddress.IPv4Network | ipaddress.IPv6Network
) -> bool:
    if isinstance(one, ipaddress.IPv4Network) and isinstance(other, ipaddress.IPv4Network):
        return one.overlaps(other)
    if isinstance(one, ipaddress.IPv6Network) and isinstance(other, ipaddress.IPv6Network):
        return one.overlaps(other)
    return False
