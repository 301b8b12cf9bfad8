# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about the fabric: routing instances, networks on ports, separation, the way out."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from ..fabric import networks_on
from ..finding import Finding
from ..model import Cable, Network, Peering, Role, Vrf
from .environments import joined
from .index import Index, repeats
from .registry import Rule, rule

#: Routing instances that every switch has: the management port's own, and the one of all else.
_BUILT_IN = ("mgmt", "default")


@rule(
    "F01",
    "error",
    "VNI or VLAN of a routing instance is given twice",
    why="Routes of one instance arrive in another, or a tenant's frames in the switches' own VLAN.",
    source="RFC 9135 section 4: an L3VNI identifies one routing instance",
    hint="give the routing instance a number of its own",
)
def number_twice(rule: Rule, index: Index) -> Iterator[Finding]:
    for field in ("vni", "vlan"):
        items: tuple[Network | Vrf, ...] = (*index.landscape.networks.values(), *index.landscape.vrfs.values())
        numbers = ((getattr(item, field), item) for item in items if getattr(item, field) is not None)
        for number, first, second in repeats(numbers):
            if second.section == "vrfs":
                yield rule.finding(second, field, f"{field} {number} is also that of {first.ref}", found=number)


@rule(
    "F02",
    "error",
    "Routing instance that is not declared",
    why="A mistyped name makes an instance of its own: the network is cut off from all others.",
    source="Section vrfs, once it is there",
    hint="correct the name, or add it to vrfs",
)
def unknown_instance(rule: Rule, index: Index) -> Iterator[Finding]:
    known = index.landscape.vrfs
    for network in index.landscape.networks.values() if known else ():
        if network.vrf and network.vrf not in known and network.vrf not in _BUILT_IN:
            message = f"vrf {network.vrf} is not one of vrfs"
            nearest = index.nearest(network.vrf, known)
            yield rule.finding(network, "vrf", message, found=network.vrf, hint=nearest or rule.hint)


@rule(
    "F03",
    "error",
    "Network on ports of switches without a VLAN id",
    why="A switch keeps networks apart by VLAN ids; without one the network cannot be on its ports.",
    source="IEEE 802.1Q",
    hint="give the network a vlan",
)
def without_vlan(rule: Rule, index: Index) -> Iterator[Finding]:
    networks = index.landscape.networks
    carriers: tuple[Role | Cable, ...] = (*index.landscape.roles.values(), *index.landscape.cables)
    for item in carriers:
        for field in ("networks", "untagged"):
            named = item.networks if field == "networks" else (item.untagged,)
            for name in named:
                if name in networks and networks[name].vlan is None:
                    yield rule.finding(item, field, f"network {name} has no VLAN id", found=name)
    for network in networks.values():
        if network.routers and network.vlan is None:
            yield rule.finding(network, "routers", f"switches route network {network.name}, which has no VLAN id")


@rule(
    "F04",
    "error",
    "Reached network of another environment",
    why="The filters would open something else than what the line says.",
    source="Environment of the network",
    hint="name networks of that environment, or of none, or add an entry for the other environment",
)
def reaches_elsewhere(rule: Rule, index: Index) -> Iterator[Finding]:
    for environment in index.landscape.environments.values():
        for reach in environment.reaches:
            if reach.environment == environment.name:
                message = f"environment {environment.name} reaches itself, which it always does"
                yield rule.finding(environment, "reaches", message, found=reach.environment)
            for name in reach.networks:
                network = index.landscape.networks.get(name)
                if network and network.environment not in ("", reach.environment):
                    message = f"network {name} belongs to environment {network.environment}, not {reach.environment}"
                    yield rule.finding(environment, "reaches", message, found=name)


@rule(
    "F05",
    "error",
    "BGP session with others that cannot come up",
    why="Both ends must stand in the transfer network, and the port must be one of the switch.",
    source="RFC 4271; addresses of the transfer network",
    hint="correct the address, the port or the network",
)
def unusable_peering(rule: Rule, index: Index) -> Iterator[Finding]:
    for peering in index.landscape.peerings.values():
        switch = index.device(peering.switch)
        if switch and peering.port and switch.ports and peering.port not in switch.ports:
            message = f"{peering.switch} has no port {peering.port}"
            yield rule.finding(peering, "port", message, found=peering.port)
        if not any((peering.local_v4, peering.remote_v4, peering.local_v6, peering.remote_v6)):
            yield rule.finding(peering, "local_v4", "the session has no addresses")
        for family in ("v4", "v6"):
            yield from _addresses(rule, index, peering, family)


@rule(
    "F06",
    "error",
    "Port that cannot be broken out so",
    why="The switch refuses the whole configuration, or two ports share a lane.",
    source="Lanes of the socket; SONiC names children by their first lane",
    hint="correct the port or the mode",
)
def unusable_breakout(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.devices:
        for problem in device.problems:
            if problem.rule == rule.id:
                yield rule.finding(device.device, problem.field, problem.message)


@rule(
    "F07",
    "error",
    "Two networks of one VLAN on one switch",
    why="A switch knows a VLAN by its number alone: the networks become one, and one of them loses its router.",
    source="IEEE 802.1Q; environments that no cable may join can reuse an id, but not on the same switch",
    hint="give one of them another VLAN, or another switch",
)
def vlan_shared_on_switch(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.devices:
        held = networks_on(index.view, device) if device.device.section == "switches" else []
        for vlan, first, second in repeats((network.vlan, network) for network in held):
            if first.environment and second.environment and not joined(first.environment, second.environment, index):
                message = f"{device.name} has VLAN {vlan} of network {first.name} as well"
                yield rule.finding(second, "vlan", message, found=vlan)


def _addresses(rule: Rule, index: Index, peering: Peering, family: str) -> Iterator[Finding]:
    fields = (f"local_{family}", f"remote_{family}")
    texts = [getattr(peering, field) for field in fields]
    network = index.landscape.networks.get(peering.network)
    written = getattr(network, family) if network else ""
    for field, text in zip(fields, texts):
        if not text and any(texts):
            yield rule.finding(peering, field, f"one end of the IP{family} session has no address")
        elif text and network and not (written and ipaddress.ip_address(text) in ipaddress.ip_network(written)):
            message = f"{text} is not in the transfer network {network.name} ({written or f'no {family} prefix'})"
            yield rule.finding(peering, field, message, found=text)
    if all(texts) and texts[0] == texts[1]:
        yield rule.finding(peering, fields[1], f"both ends have the address {texts[0]}", found=texts[0])
