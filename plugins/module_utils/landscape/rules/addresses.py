# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about networks and the addresses taken from them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from ..finding import Finding
from ..model import AddressRange, Network
from .index import Held, Index, Prefix, grouped, refused, repeats, words
from .registry import Rule, rule


@rule(
    "A01",
    "error",
    "Address does not fit its network",
    why="The device cannot be reached by its neighbours in the network.",
    source="RFC 4632 (prefixes); the first and last address of an IPv4 network are not for devices (RFC 1122)",
    hint="correct the address or the index, or use a larger network",
)
def outside(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.devices:
        for problem in device.problems:
            if problem.rule == rule.id:
                yield rule.finding(device.device, "index", problem.message, found=device.device.index)
    for held in index.addresses:
        prefix = index.prefix(held.network, held.address) if held.network else None
        if prefix is not None and held.network and not _usable(held.address, prefix):
            message = (
                f"{held.field} {held.address} is no address for devices in {prefix} of network {held.network.name}"
            )
            yield rule.finding(held.owner, _written(held), message, found=held.address, expected=prefix)
        elif held.network is None:
            yield from _homeless(rule, held, index)


def _homeless(rule: Rule, held: Held, index: Index) -> Iterator[Finding]:
    """An address that the role names no network for still lies in a network of its purpose, if there is one at all."""
    purpose = "management" if held.field == "oob_address" else "loopback"
    networks = [network for network in index.landscape.networks.values() if network.purpose == purpose]
    prefixes = [prefix for network in networks for prefix in (index.prefix(network, held.address),) if prefix]
    if prefixes and not any(_usable(held.address, prefix) for prefix in prefixes):
        message = f"{held.field} {held.address} lies in no network of purpose {purpose}"
        yield rule.finding(held.owner, held.field, message, found=held.address, expected=words(prefixes))


def _usable(address: Any, prefix: Prefix) -> bool:
    if address not in prefix:
        return False
    ends = (prefix.network_address, prefix.broadcast_address)
    return address.version == 6 or prefix.prefixlen >= 31 or address not in ends


def _written(held: Held) -> str:
    """The field that an address comes from: its own one where it is written, else the index."""
    return held.field if getattr(held.owner, held.field) else "index"


@rule(
    "A02",
    "error",
    "Address given twice",
    why="Both answer; which one is reached changes with every ARP or neighbour discovery.",
    source="An address belongs to one interface of a routing instance",
    hint="give one of them another index or address",
)
def twice(rule: Rule, index: Index) -> Iterator[Finding]:
    held = (((item.vrf, item.address), item) for item in index.addresses)
    clashes = grouped(((second.owner.name, first.owner.name), (first, second)) for _key, first, second in repeats(held))
    for (_name, other), pairs in clashes.items():
        owner = pairs[0][1].owner
        taken = words(f"{second.field} {second.address}" for _first, second in pairs)
        message = f"{taken} {'is' if len(pairs) == 1 else 'are'} also held by {other}"
        yield rule.finding(owner, _written(pairs[0][1]), message, found=taken)
    routers = (((item.vrf, item.address), item) for item in index.routers)
    for (_vrf, address), first, second in repeats(routers):
        message = f"router {address} is also the router of network {first.owner.name}"
        yield rule.finding(second.owner, second.field, message, found=address)


@rule(
    "A03",
    "error",
    "Address in a range that something else gives out",
    why="DHCP, a load balancer or an API takes the same address some day.",
    source="Ranges of the network",
    hint="give the device another index or address, or shrink the range",
)
def in_range(rule: Rule, index: Index) -> Iterator[Finding]:
    bounds = {
        name: [(_bounds(item), item) for item in network.ranges] for name, network in index.landscape.networks.items()
    }
    for held in index.addresses + index.routers:
        for pair, given in bounds[held.network.name] if held.network and held.address.version == 4 else ():
            if pair and pair[0] <= int(held.address) <= pair[1]:
                span = f"{given.start} to {given.end or given.start}"
                message = f"{held.field} {held.address} lies in the range {span} ({given.purpose})"
                yield rule.finding(held.owner, _written(held), message, found=held.address)


def _bounds(given: AddressRange) -> tuple[int, int] | None:
    if not given.start:
        return None
    start = int(ipaddress.IPv4Address(given.start))
    return start, int(ipaddress.IPv4Address(given.end)) if given.end else start


@rule(
    "A04",
    "error",
    "Router outside its network",
    why="Nothing in the network reaches its router, so nothing leaves the network.",
    source="RFC 1122: a router is reached on the link; IPv6 routers may use link-local addresses (RFC 4861)",
    hint="correct the router or the prefix",
)
def router_outside(rule: Rule, index: Index) -> Iterator[Finding]:
    for held in index.routers:
        prefix = index.prefix(held.network, held.address) if held.network else None
        if prefix is not None and not held.address.is_link_local and not _usable(held.address, prefix):
            message = f"router {held.address} is no address for devices in {prefix}"
            yield rule.finding(held.owner, held.field, message, found=held.address, expected=prefix)


@rule(
    "A06",
    "error",
    "Prefixes overlap",
    why="Packets for one network are sent into the other.",
    source="RFC 4632; prefixes of one routing instance are disjoint",
    hint="correct a prefix, or put one network into a routing instance (vrf) of its own",
)
def overlap(rule: Rule, index: Index) -> Iterator[Finding]:
    for version in (0, 1):
        found: list[tuple[str, int, int, Network, Prefix]] = []
        for name, prefixes in index.prefixes.items():
            prefix = prefixes[version]
            if prefix is not None:
                network = index.landscape.networks[name]
                found.append((network.vrf, int(prefix.network_address), -prefix.num_addresses, network, prefix))
        widest: Any = None
        for vrf, start, size, network, prefix in sorted(found, key=lambda entry: entry[:3]):
            if widest and widest[0] == vrf and start <= widest[1]:
                field = "v6" if version else "v4"
                message = f"{prefix} overlaps {widest[3]} of network {widest[2].name}"
                yield rule.finding(network, field, message, found=prefix)
            if not widest or widest[0] != vrf or start - size - 1 > widest[1]:
                widest = (vrf, start - size - 1, network, prefix)


@rule(
    "A07",
    "error",
    "Range does not fit its network",
    why="A DHCP server refuses the range, or gives out what belongs to something else.",
    source="A range lies inside its network, from the lower to the higher address, apart from other ranges",
    hint="correct the first or the last address of the range",
)
def ranges(rule: Rule, index: Index) -> Iterator[Finding]:
    for network in index.landscape.networks.values():
        prefix = index.prefixes[network.name][0]
        known = [(pair, given) for given in network.ranges for pair in (_bounds(given),) if pair]
        for pair, given in known:
            span = f"{given.start} to {given.end or given.start}"
            if pair[0] > pair[1]:
                yield rule.finding(
                    network, "ranges", f"the range {span} is reversed", place=given.place("end"), found=span
                )
            elif (
                prefix is None
                or ipaddress.IPv4Address(pair[0]) not in prefix
                or ipaddress.IPv4Address(pair[1]) not in prefix
            ):
                message = f"the range {span} is not inside {prefix or 'the network, which has no IPv4 prefix'}"
                yield rule.finding(network, "ranges", message, place=given.place(), found=span, expected=prefix or "")
        last: Any = None
        for pair, given in sorted(known, key=lambda entry: entry[0]):
            if last and pair[0] <= last[0][1]:
                message = f"the range that begins with {given.start} overlaps the one that begins with {last[1].start}"
                yield rule.finding(network, "ranges", message, place=given.place(), found=given.start)
            if not last or pair[1] > last[0][1]:
                last = (pair, given)


@rule(
    "A08",
    "error",
    "Address of a router given to a device",
    why="The device takes the traffic of the whole network.",
    source="An address belongs to one interface",
    hint="give the device another index or address",
)
def router_taken(rule: Rule, index: Index) -> Iterator[Finding]:
    routers = {(held.vrf, held.address): held for held in index.routers}
    for held in index.addresses:
        router = routers.get((held.vrf, held.address))
        if router is not None:
            message = f"{held.field} {held.address} is the router of network {router.owner.name}"
            yield rule.finding(held.owner, _written(held), message, found=held.address)


@rule(
    "A09",
    "error",
    "Active device without an address it should have",
    why="It cannot be reached, and everything made from the landscape leaves it out.",
    source="Networks of the role",
    hint="give the device an index",
)
def missing(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.active:
        own, role = device.device, device.role
        if role is None or device.problems or refused(own, "index"):
            continue
        wanted = []
        if device.oob_network and device.oob_network.v4 and not device.oob_v4:
            wanted.append(f"a management address in network {device.oob_network.name}")
        network = index.loopback_network(device)
        if network and network.v4 and not device.loopback_v4:
            wanted.append(f"a loopback in network {network.name}")
        if wanted:
            message = f"role {role.name} asks for {words(wanted)}, but {own.name} has no index"
            yield rule.finding(own, "index", message)
        elif device.oob_port and not own.oob_network and not role.oob_network and not device.oob_v4:
            message = f"management port {device.oob_port} has no address: role {role.name} names no oob_network"
            yield rule.finding(own, "oob_network", message, hint="name the management network in the role")


@rule(
    "A10",
    "error",
    "Values of a network contradict each other",
    why="Addresses that should follow from the network do not.",
    source="Address schemes; embed-v4 needs the last 64 bits (docs/rules.md, address schemes)",
    hint="add the prefix, or correct the scheme",
)
def contradictions(rule: Rule, index: Index) -> Iterator[Finding]:
    sources = {role.loopback_network for role in index.landscape.roles.values()}
    managing = {device.oob_network.name for device in index.devices if device.oob_network}
    for name, network in index.landscape.networks.items():
        for field, message in _contradictions(network, name in sources, name in managing):
            yield rule.finding(network, field, message, found=getattr(network, field))


def _contradictions(network: Network, gives_loopbacks: bool, gives_management: bool) -> Iterator[tuple[str, str]]:
    if network.scheme_v6 != "none" and not network.v6:
        yield "scheme_v6", f"scheme_v6 is {network.scheme_v6}, but the network has no IPv6 prefix"
    if network.scheme_v6 == "embed-v4" and not network.v4:
        yield "scheme_v6", "scheme_v6 is embed-v4, but the network has no IPv4 prefix"
    if network.scheme_v6 == "embed-v4" and network.v6 and ipaddress.IPv6Network(network.v6).prefixlen > 64:
        yield "v6", f"scheme_v6 embed-v4 needs a /64 or shorter, v6 is {network.v6}"
    for version in ("v4", "v6"):
        if getattr(network, f"router_{version}") and not getattr(network, version):
            yield f"router_{version}", f"router_{version} is given, but the network has no {version} prefix"
    if network.purpose == "uplink" and not network.uplink:
        yield "uplink", "its purpose is uplink, but uplink is not true"
    if gives_loopbacks and network.v6 and network.scheme_v6 == "none":
        yield "scheme_v6", f"loopbacks are taken from the network and it has {network.v6}, but no scheme_v6"
    if (gives_loopbacks or gives_management) and not network.v4:
        yield "v4", "addresses of devices are taken from the network, but it has no IPv4 prefix"
    purposes = {"management": gives_management, "loopback": gives_loopbacks}
    for purpose, given in purposes.items():
        if given and network.purpose and network.purpose != purpose and not purposes.get(network.purpose):
            yield "purpose", f"{purpose} addresses are taken from the network, but its purpose is {network.purpose}"
    if network.ranges and not network.v4:
        yield "ranges", "the network has ranges, but no IPv4 prefix"
