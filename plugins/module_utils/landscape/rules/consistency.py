# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about what is missing: values that mean nothing without each other, and sets that are not complete."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address

from ..derive import ResolvedDevice
from ..finding import Finding
from ..model import DeviceModel, Network, PortGroup
from .index import Index, grouped, repeats, words
from .registry import Rule, rule

#: So many devices of a role in redundancy groups make the others stand out.
_PEERS = 2
#: So many numbers make a row.
_ROW = 6
#: What names of ports count with, left out where spellings are compared.
_COUNTS = re.compile(r"\{[^}]*\}|[0-9]+")
#: Shorter spellings are alike by chance; more than so many are not compared.
_SHORTEST, _MOST_STEMS = 6, 200
#: Inventory groups that OSISM's plays address by name, together (osism/ansible-playbooks, osism/cfg-generics).
_OSISM_BASE = ("generic", "manager", "monitoring", "control", "compute", "network")
_OSISM_CEPH = ("ceph-control", "ceph-resource")
#: Speeds that a socket is built for (SFF-8402, SFF-8431, SFF-8436, SFF-8665; IEEE 802.3 for copper).
_SPEEDS = {
    "rj45": ("10M", "100M", "1G", "2.5G", "5G", "10G"),
    "sfp": ("100M", "1G", "2.5G"),
    "sfp+": ("1G", "10G"),
    "sfp28": ("10G", "25G"),
    "sfp56": ("25G", "50G"),
    "qsfp+": ("40G",),
    "qsfp28": ("40G", "50G", "100G"),
    "qsfp56": ("100G", "200G"),
    "qsfp-dd": ("200G", "400G", "800G"),
    "osfp": ("400G", "800G"),
}


@rule(
    "K01",
    "warning",
    "Value without what it needs",
    why="The value has no effect alone, so somebody believes in something that does not happen.",
    source="Meaning of the fields, docs/landscape-format.md",
    hint="add what is missing, or remove the value",
)
def needs(rule: Rule, index: Index) -> Iterator[Finding]:
    landscape = index.landscape
    if landscape.naming is not None and not landscape.naming.pattern:
        yield rule.finding(landscape.naming, "pattern", "the naming standard has no pattern, so it checks nothing")
    for role in landscape.roles.values():
        if role.uplinks_to and role.uplinks is None:
            message = f"role {role.name} says where its uplinks lead to, but not how many there are"
            yield rule.finding(role, "uplinks", message, severity="info")
    if any(feed.site for feed in landscape.feeds.values()):
        for feed in landscape.feeds.values():
            if not feed.site:
                yield rule.finding(feed, "site", f"feed {feed.name} belongs to no site, other feeds do")
    for device in index.devices:
        if device.model and device.model.height == 0 and device.device.unit is not None and device.device.rack:
            message = f"{device.name} stands in unit {device.device.unit}, but its model has no height"
            yield rule.finding(device.device, "unit", message)
        yield from _one_loopback(rule, index, device)
    for network in landscape.networks.values():
        yield from _network(rule, network)


def _one_loopback(rule: Rule, index: Index, device: ResolvedDevice) -> Iterator[Finding]:
    network = index.loopback_network(device)
    derived = network is not None and bool(network.v4 and network.v6) and network.scheme_v6 != "none"
    held = {"loopback_v4": device.loopback_v4, "loopback_v6": device.loopback_v6}
    if not derived and not device.device.loopback_v6:
        return  # IPv4 alone is all there is
    for field, other in (("loopback_v4", "loopback_v6"), ("loopback_v6", "loopback_v4")):
        if held[other] and not held[field]:
            yield rule.finding(device.device, field, f"{device.name} has {other} {held[other]}, but no {field}")


def _network(rule: Rule, network: Network) -> Iterator[Finding]:
    if not (network.v4 or network.v6 or network.vlan or network.vni):
        yield rule.finding(network, "v4", f"network {network.name} has neither a prefix nor a VLAN nor a VNI")
    for part in network.ranges:
        if part.purpose == "dhcp" and part.start and part.end in ("", part.start):
            message = f"the DHCP range of {network.name} holds the one address {part.start}"
            yield rule.finding(network, "ranges", message, place=part.place(), severity="info")


@rule(
    "K02",
    "warning",
    "Device outside the redundancy groups of its peers",
    why="A rolling play would take it down together with the one it should stand in for.",
    source="Leaf pairs, spine sets and quorums hold all devices of a role",
    hint="add the device to its group",
)
def outside_groups(rule: Rule, index: Index) -> Iterator[Finding]:
    for role, alike in grouped((device.device.role, device) for device in index.active).items():
        inside = [device for device in alike if device.name in index.redundancy]
        for device in alike if len(inside) >= _PEERS else ():
            if device.name not in index.redundancy:
                message = f"{device.name} is in no redundancy group, unlike {inside[0].name} and others of role {role}"
                yield rule.finding(device.device, "", message)


@rule(
    "K03",
    "warning",
    "Speed and connector do not go together",
    why="The transceiver that is ordered for the socket does not fit, or runs at another speed.",
    source="SFF-8402, SFF-8431, SFF-8436, SFF-8665, IEEE 802.3",
    hint="read the data sheet of the model",
)
def speed_and_connector(rule: Rule, index: Index) -> Iterator[Finding]:
    for model in index.landscape.device_models.values():
        for group in model.ports:
            yield from _socket(rule, model, group)


def _socket(rule: Rule, model: DeviceModel, group: PortGroup) -> Iterator[Finding]:
    allowed = _SPEEDS.get(group.connector)
    if allowed and group.speed and group.speed not in allowed:
        message = f"ports {words(group.names)} of {model.name} are {group.connector} sockets of {group.speed}"
        yield rule.finding(
            model, "ports", message, place=group.place("speed"), found=group.speed, expected=" or ".join(allowed)
        )


@rule(
    "K04",
    "info",
    "Inventory group that OSISM looks for is missing",
    why="OSISM's plays address these groups by name; a play without hosts does nothing and looks like success.",
    source="osism/cfg-generics inventory/50-infrastructure and 50-ceph",
    hint="define the group, or correct the name of the one that is meant",
)
def osism_groups(rule: Rule, index: Index) -> Iterator[Finding]:
    groups = index.landscape.groups
    for family in (_OSISM_BASE, _OSISM_CEPH):
        present = [name for name in family if name in groups]
        if len(present) > len(family) // 2 or (family is _OSISM_CEPH and present):
            for name in family:
                if name not in groups:
                    message = f"the inventory has {words(present)}, but not {name}"
                    yield rule.finding(groups[present[0]], "", message, expected=name)


@rule(
    "K06",
    "warning",
    "OSISM group outside the group generic",
    why="OSISM installs the basics (packages, network, time, SSH) on the group generic, and everything else on top of them.",
    source="osism/ansible-playbooks: hosts_default_group is generic",
    hint="add the role or the device to the group generic",
)
def outside_generic(rule: Rule, index: Index) -> Iterator[Finding]:
    members = index.view.groups
    for name in (*_OSISM_BASE, *_OSISM_CEPH) if "generic" in index.landscape.groups else ():
        outside = [member for member in members.get(name, ()) if member not in members.get("generic", ())]
        if outside and name in index.landscape.groups:
            message = f"{words(outside[:3])} of group {name} are not in group generic"
            yield rule.finding(index.landscape.groups[name], "", message)


@rule(
    "K07",
    "info",
    "One of the devices named in a group is of another role",
    why="The play of the group runs on a machine that was not meant.",
    source="Peer comparison: the odd one out is where the mistake is",
    hint="correct the name, or give the group a description and a waiver",
)
def odd_member(rule: Rule, index: Index) -> Iterator[Finding]:
    for group in index.landscape.groups.values():
        named = [device for device in map(index.device, group.hosts) if device is not None]
        roles = Counter(device.device.role for device in named)
        for device in named if len(named) > _PEERS and len(roles) == _PEERS else ():
            if roles[device.device.role] == 1:
                message = f"{device.name} is of role {device.device.role}, all others named in {group.name} are not"
                yield rule.finding(group, "hosts", message, found=device.name)


@rule(
    "K05",
    "warning",
    "Loopback that nobody announces",
    why="Without an AS number there is no BGP session, and the loopback address cannot be reached.",
    source="Routing on the host: loopbacks are announced by BGP (RFC 7938)",
    hint="give the role an asn_scheme, or take its loopback_network away",
)
def silent_loopback(rule: Rule, index: Index) -> Iterator[Finding]:
    routed = {device.device.role for device in index.active if device.asn is not None}
    for name, devices in grouped((device.device.role, device) for device in index.active).items():
        role = index.landscape.roles.get(name)
        if role is None or role.asn_scheme or not role.loopback_network or not routed - {name}:
            continue
        silent = [device.name for device in devices if device.asn is None and device.loopback_v4]
        if silent:
            message = f"role {name} has loopbacks, but no AS numbers: {words(silent[:3])}"
            yield rule.finding(role, "asn_scheme", message)


@rule(
    "K08",
    "info",
    "Switches that stand in for each other are not wired alike",
    why="When one of them fails, the other has less to give than everybody thinks.",
    source="SCS hardware landscape, System_Network_Connections: symmetric ports between switches",
    hint="look for the missing cable, or for the one too many",
)
def uneven_pair(rule: Rule, index: Index) -> Iterator[Finding]:
    between: Counter[str] = Counter()
    for cable in index.landscape.cables:
        names = [endpoint.partition("/")[0] for endpoint in (cable.a, cable.b)]
        devices = [index.view.devices.get(name) for name in names]
        if all(device and device.device.section == "switches" for device in devices):
            between.update(names)
    for pair in _pairs(index):
        counts = [between[device.name] for device in pair]
        if len(set(counts)) > 1:
            said = ", ".join(f"{device.name} {count}" for device, count in zip(pair, counts))
            yield rule.finding(pair[0].device, "", f"cables to other switches differ: {said}")


def _pairs(index: Index) -> Iterator[list[ResolvedDevice]]:
    """Switches of one redundancy group; and where a role has just two of a model in an environment, those."""
    switches = [device for device in index.active if device.device.section == "switches"]
    for group in index.landscape.redundancy_groups.values():
        members = [device for device in switches if device.name in group.members]
        if len(members) > 1:
            yield members
    alone = [device for device in switches if device.name not in index.redundancy]
    alike = grouped(((one.device.role, one.device.model, one.device.environment), one) for one in alone)
    yield from (pair for pair in alike.values() if len(pair) == _PEERS)


@rule(
    "K09",
    "info",
    "Only one of two environments knows that they are joined",
    why="Who reads the one that is silent believes that no cable leads out of it.",
    source="A cable has two ends, so the permission has two sides",
    hint="add it to connects_to of the other environment, or remove it here",
)
def one_sided(rule: Rule, index: Index) -> Iterator[Finding]:
    environments = index.landscape.environments
    for environment in environments.values():
        for name in environment.connects_to:
            other = environments.get(name)
            if other is not None and other is not environment and environment.name not in other.connects_to:
                message = f"{environment.name} connects to {name}, but {name} does not connect to {environment.name}"
                yield rule.finding(environment, "connects_to", message, found=name)


@rule(
    "K10",
    "info",
    "One address between two ranges",
    why="A range that ends one too early leaves an address that nobody gives out and nobody may use.",
    source="Off by one at the end of a range",
    hint="correct the end or the start, or add a range of one address",
)
def fence_post(rule: Rule, index: Index) -> Iterator[Finding]:
    for network in index.landscape.networks.values():
        bounds = [
            (IPv4Address(part.start), IPv4Address(part.end or part.start)) for part in network.ranges if part.start
        ]
        for (_first, end), (start, _last) in zip(sorted(bounds), sorted(bounds)[1:]):
            if int(start) - int(end) == _PEERS:
                yield rule.finding(network, "ranges", f"{end + 1} lies between two ranges of {network.name}")


@rule(
    "K11",
    "info",
    "Network without a router",
    why="Operators and users come from other networks; without a router the answers do not find the way back.",
    source="Purposes of networks, docs/landscape-format.md",
    hint="add router_v4",
)
def unrouted(rule: Rule, index: Index) -> Iterator[Finding]:
    for network in index.landscape.networks.values():
        if (
            network.purpose in ("management", "provider", "lab", "vpn", "uplink")
            and network.v4
            and not network.router_v4
        ):
            message = f"network {network.name} carries {network.purpose} traffic, but has no router"
            yield rule.finding(network, "router_v4", message)


@rule(
    "K12",
    "info",
    "Hosts are plugged into two switches that no redundancy group names",
    why="A play that takes down one switch at a time does not know that the two belong together.",
    source="Leaf pairs are stated, docs/landscape-format.md",
    hint="add a redundancy group of kind leaf-pair",
)
def unnamed_pair(rule: Rule, index: Index) -> Iterator[Finding]:
    seen: set[tuple[str, ...]] = set()
    for device in index.active if index.landscape.redundancy_groups else ():
        ends = tuple(sorted({link.peer for link in device.uplinks}))
        if device.device.section == "hosts" and len(ends) == _PEERS and ends not in seen:
            seen.add(ends)
            first, second = (set(index.redundancy.get(end, ())) for end in ends)
            if not first & second:
                message = f"{device.name} is plugged into {words(ends)}, which share no redundancy group"
                yield rule.finding(index.view.devices[ends[0]].device, "", message)


@rule(
    "K13",
    "info",
    "Ports spelled almost like those of another model",
    why="A cable or a play that uses the usual name finds no such port.",
    source="Names of ports of the other models",
    hint="write both in the same way",
)
def odd_spelling(rule: Rule, index: Index) -> Iterator[Finding]:
    groups = [(model, group) for model in index.landscape.device_models.values() for group in model.ports]
    stems = grouped(
        (_COUNTS.sub("", text), model) for model, group in groups for text in (*group.names, *group.aliases)
    )
    for stem, (model, *others) in list(stems.items())[:_MOST_STEMS]:
        alike = [] if others or len(stem) < _SHORTEST else difflib.get_close_matches(stem, stems, n=2, cutoff=0.85)
        for other in alike:
            if other != stem and len(stems[other]) > 1:
                message = f"{model.name} has ports {stem}, {stems[other][0].name} has {other}"
                yield rule.finding(model, "ports", message, found=stem, expected=other)


@rule(
    "K14",
    "info",
    "A number is missing in the row, and one stands apart",
    why="An index with a typing error is a valid one: the machine gets an address that nobody looks for.",
    source="The indexes of all other hosts (or switches) are a row with one hole",
    hint="compare it with the list of addresses",
)
def stands_apart(rule: Rule, index: Index) -> Iterator[Finding]:
    for devices in (index.landscape.hosts, index.landscape.switches):
        numbers = sorted({device.index for device in devices.values() if device.index is not None})
        if len(numbers) < _ROW:
            continue
        for apart, rest in ((numbers[0], numbers[1:]), (numbers[-1], numbers[:-1])):
            holes = set(range(rest[0], rest[-1])) - set(rest) if rest[-1] - rest[0] == len(rest) else set()
            if len(holes) == 1 and min(abs(apart - number) for number in (rest[0], rest[-1])) > 1:
                for device in devices.values():
                    if device.index == apart:
                        message = (
                            f"index {apart} stands apart from {rest[0]} to {rest[-1]}, where {min(holes)} is missing"
                        )
                        yield rule.finding(device, "index", message, found=apart, expected=min(holes))


@rule(
    "W03",
    "warning",
    "A waiver is written twice",
    why="One of them stays when the other is removed.",
    source="Practice of linters: a suppression is written once",
    hint="remove one of them",
)
def waiver_twice(rule: Rule, index: Index) -> Iterator[Finding]:
    stated = (((waiver.rule, waiver.object), waiver) for waiver in index.landscape.waivers)
    for (waived, name), first, second in repeats(stated):
        yield rule.finding(second, "", f"{waived} on {name} is waived already, in {first.place()}")
