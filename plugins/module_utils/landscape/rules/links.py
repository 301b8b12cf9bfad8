# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about links: what the cables of a device add up to."""

from __future__ import annotations

from collections.abc import Iterator

from ..derive import Link, ResolvedDevice
from ..finding import Finding
from ..model import Cable
from ..names import split_endpoint
from .index import Index, grouped, words
from .registry import Rule, rule

_OUT_OF_BAND = ("bmc", "management")
_PAIRS = ("leaf-pair", "pair")
_STANDARD = "SCS hardware landscape, System_Network_Connections: every system has one out-of-band port"


@rule(
    "C06",
    "error",
    "Management port without a cable",
    why="When the operating system hangs, somebody has to drive to the data centre.",
    source=_STANDARD,
    hint="plug it in and write the cable; one written at another port of the device may be meant",
)
def unmanaged(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.active if index.landscape.cables else ():
        ports = [port.name for port in device.ports.values() if port.use in _OUT_OF_BAND]
        if ports and not any((device.name, port) in index.used for port in ports):
            message = f"management port {words(ports)} of {device.name} has no active cable"
            yield rule.finding(device.device, "", message, found="no cable", expected=words(ports))


@rule(
    "C07",
    "error",
    "Uplinks are not as the role says",
    why="A link less is bandwidth or redundancy that people count on; one leaf for all of them fails at once.",
    source="uplinks and uplinks_to of the role; multihoming is symmetric (RFC 7938 section 4.3)",
    hint="look where the cables of the device really go",
)
def uplinks(rule: Rule, index: Index) -> Iterator[Finding]:
    for role in index.landscape.roles.values():
        if role.uplinks and not role.uplinks_to:
            message = f"role {role.name} has {role.uplinks} uplinks, but does not say to which roles"
            yield rule.finding(role, "uplinks_to", message, hint="add uplinks_to")
    targets = grouped((device.device.role, device.name) for device in index.active)
    for device in index.active if index.landscape.cables else ():
        if device.role is None or not device.role.uplinks_to:
            continue
        found = [link.peer for link in device.uplinks]
        wanted = device.role.uplinks
        if wanted is not None and len(found) != wanted:
            far = words(device.role.uplinks_to)
            plural = "" if len(found) == 1 else "s"
            message = f"{device.name} has {len(found)} active uplink{plural} to {far}, its role says {wanted}"
            yield rule.finding(device.device, "", message, found=len(found), expected=wanted)
        elif wanted is None and not found and any(name in targets for name in device.role.uplinks_to):
            message = f"{device.name} has no active uplink to {words(device.role.uplinks_to)}"
            yield rule.finding(device.device, "", message, found="0")
        for group, counts in _per_group(found, index).items():
            if len(set(counts.values())) > 1:
                spread = words(f"{count} to {name}" for name, count in counts.items())
                message = f"the uplinks of {device.name} are not spread evenly over {group}: {spread}"
                yield rule.finding(device.device, "", message, found=spread, severity="warning")
        if len(found) > 1 and len(set(found)) == 1 and _others_near(device, found[0], targets, index):
            message = f"all {len(found)} uplinks of {device.name} lead to {found[0]}"
            yield rule.finding(device.device, "", message, found=found[0], severity="warning")


def _others_near(device: ResolvedDevice, peer: str, targets: dict[str, list[str]], index: Index) -> bool:
    """Whether the rack holds another device that an uplink could lead to, and no redundancy group says so already."""
    roles = device.role.uplinks_to if device.role else ()
    near = [
        name
        for role in roles
        for name in targets.get(role, ())
        if index.view.devices[name].device.rack == device.device.rack
    ]
    return len(near) > 1 and not any(
        index.landscape.redundancy_groups[name].kind in _PAIRS for name in index.redundancy.get(peer, ())
    )


def _per_group(peers: list[str], index: Index) -> dict[str, dict[str, int]]:
    """Uplinks per member of every pair that they lead to; spines are reached by one link each, or by some of them."""
    counts: dict[str, dict[str, int]] = {}
    for name in dict.fromkeys(group for peer in peers for group in index.redundancy.get(peer, ())):
        group = index.landscape.redundancy_groups[name]
        if group.kind in _PAIRS and len(peers) > 1:
            counts[name] = {member: peers.count(member) for member in group.members}
    return counts


@rule(
    "C08",
    "error",
    "Link aggregation does not hold together",
    why="LACP leaves the odd link out, or the aggregation does not come up.",
    source="IEEE 802.1AX: links of one speed between two systems; multi-chassis ones end in a redundancy group",
    hint="correct the name of the aggregation, or the cable",
)
def aggregation(rule: Rule, index: Index) -> Iterator[Finding]:
    bundles = grouped(((cable.a.partition("/")[0], cable.lag), cable) for cable in index.landscape.cables if cable.lag)
    for (name, lag), cables in bundles.items():
        first = cables[0]
        if len(cables) == 1:
            yield rule.finding(first, "lag", f"aggregation {lag} of {name} has one link", found=lag, severity="warning")
        far = list(dict.fromkeys(cable.b.partition("/")[0] for cable in cables))
        together = set.intersection(*(set(index.redundancy.get(peer, ())) for peer in far))
        if len(far) > 1 and not together:
            message = f"aggregation {lag} of {name} ends in {words(far)}, which are no redundancy group"
            yield rule.finding(cables[-1], "lag", message, found=words(far))
        for field, values in (("speed", [_speed(c, index) for c in cables]), ("state", [c.state for c in cables])):
            if len(set(values)) > 1:
                message = f"links of aggregation {lag} of {name} differ in {field}: {words(dict.fromkeys(values))}"
                yield rule.finding(cables[-1], "lag", message, found=words(dict.fromkeys(values)))
    owned = {
        (cable.a.partition("/")[0], cable.b.partition("/")[0], cable.state): cable
        for cable in index.landscape.cables
        if cable.lag
    }
    for cable in index.landscape.cables:
        near, far_name = cable.a.partition("/")[0], cable.b.partition("/")[0]
        bundle = owned.get((near, far_name, cable.state)) or owned.get((far_name, near, cable.state))
        if bundle and not cable.lag and bundle.speed == cable.speed and _speed(bundle, index) == _speed(cable, index):
            message = (
                f"other cables between {near} and {far_name} form aggregation {bundle.lag}, this one is no part of it"
            )
            yield rule.finding(cable, "lag", message, severity="warning")


def _speed(cable: Cable, index: Index) -> str:
    if cable.speed:
        return cable.speed
    name, port = split_endpoint(cable.a)
    device = index.device(name)
    return device.ports[port].speed if device and port in device.ports else ""


@rule(
    "C09",
    "error",
    "Active cable at a device that is not in use",
    why="The far end waits for a link that will not come up, or traffic still crosses what is to be removed.",
    source="States of cables and devices",
    hint="change the state of the cable, or of the device",
)
def not_in_use(rule: Rule, index: Index) -> Iterator[Finding]:
    for end in index.ends:
        device = index.device(end.device)
        if device and end.cable.state == "active" and device.device.state != "active":
            message = f"the cable is active, but {end.device} is {device.device.state}"
            yield rule.finding(end.cable, "state", message, found=end.cable.state, expected=device.device.state)


@rule(
    "C11",
    "warning",
    "Cable between ports of different use",
    why="The management network stops at that port, or data runs over the management network.",
    source=_STANDARD,
    hint="look which socket the cable is plugged into",
)
def wrong_use(rule: Rule, index: Index) -> Iterator[Finding]:
    switches_of_bmcs = _management_of_roles(index)
    for end in index.ends:
        far_name, far_port = split_endpoint(end.cable.b if end.field == "a" else end.cable.a)
        near, far = index.device(end.device), index.device(far_name)
        if near is None or far is None or end.port not in near.ports:
            continue
        use = near.ports[end.port].use
        far_use = far.ports[far_port].use if far_port in far.ports else ""
        if use in _OUT_OF_BAND and (far.device.section != "switches" or far_use in (*_OUT_OF_BAND, "console")):
            message = (
                f"{use} port {end.device}/{end.port} leads to {far_name}/{far_port}, which is no data port of a switch"
            )
            yield rule.finding(end.cable, end.field, message, found=f"{far_name}/{far_port}")
        elif use == "data" and _takes_place_of_bmc(near, far, end.cable, switches_of_bmcs, index):
            role = near.device.role
            message = f"{end.device}/{end.port} leads to {far_name}, where role {role} has its management ports"
            yield rule.finding(end.cable, end.field, message, found=end.port, expected=near.oob_port)
        elif "console" in (use, far_use) and use != far_use and use == "data":
            message = f"data port {end.device}/{end.port} leads to console port {far_name}/{far_port}"
            yield rule.finding(end.cable, end.field, message, found=far_port)


def _management_of_roles(index: Index) -> dict[str, set[str]]:
    """By role: roles of the switches that its devices have their management port at."""
    found: dict[str, set[str]] = {}
    for device in index.devices:
        for link in device.links:
            port, far = device.ports.get(link.port), index.device(link.peer)
            if port and far and port.use in _OUT_OF_BAND and far.device.section == "switches":
                found.setdefault(device.device.role, set()).add(far.device.role)
    return found


def _takes_place_of_bmc(
    near: ResolvedDevice, far: ResolvedDevice, cable: Cable, switches: dict[str, set[str]], index: Index
) -> bool:
    """A data port of a host where peers have their BMC, while its own BMC has no cable: most likely the BMC's cable."""
    if near.device.section != "hosts" or not near.oob_port or (near.name, near.oob_port) in index.used:
        return False
    return cable.state == "active" and far.device.role in switches.get(near.device.role, ())


@rule(
    "C12",
    "warning",
    "A host is plugged into different ports of its leaf pair",
    why="Whoever pulls the cable at the number known from the other leaf hits another machine.",
    source="SCS hardware landscape: cabling is symmetric; multi-chassis aggregation wants equal port numbers",
    hint="look at both leaves; correct the port of one cable",
)
def uneven_ports(rule: Rule, index: Index) -> Iterator[Finding]:
    for group in index.landscape.redundancy_groups.values():
        if group.kind != "leaf-pair" or len(group.members) != 2:
            continue
        ports: dict[str, dict[str, list[Link]]] = {}
        for member in group.members:
            device = index.device(member)
            for link in device.links if device else ():
                if _host_uplink(link, index):
                    ports.setdefault(link.peer, {}).setdefault(member, []).append(link)
        for host, by_member in ports.items():
            yield from _uneven(rule, host, by_member, group.members)


def _host_uplink(link: Link, index: Index) -> bool:
    far = index.device(link.peer)
    return far is not None and far.device.section == "hosts" and _use(far, link.peer_port) == "data"


def _use(device: ResolvedDevice, port: str) -> str:
    return device.ports[port].use if port in device.ports else ""


def _uneven(rule: Rule, host: str, by_member: dict[str, list[Link]], pair: tuple[str, ...]) -> Iterator[Finding]:
    if len(by_member) < 2:
        return
    one, other = ({link.port for link in by_member[member]} for member in pair)
    if one != other and len(one) == len(other):
        odd = [link for link in by_member[pair[1]] if link.port not in one] or by_member[pair[1]]
        message = f"{host} is at {words(sorted(one))} of {pair[0]}, but at {words(sorted(other))} of {pair[1]}"
        yield rule.finding(odd[0].cable, "", message, found=words(sorted(other)), expected=words(sorted(one)))


@rule(
    "C13",
    "warning",
    "Cable that runs at another speed than its equals",
    why="One slow link of many is found last: the path over it is slow for some of the traffic.",
    source="More than half of at least three cables between the same roles and the same kinds of port",
    hint="write the speed that the cable really has",
)
def odd_speed(rule: Rule, index: Index) -> Iterator[Finding]:
    equal = grouped((_kind_of_link(cable, index), cable) for cable in index.landscape.cables)
    for kind, cables in equal.items():
        speeds = [cable.speed for cable in cables]
        usual = max(dict.fromkeys(speeds), key=speeds.count)
        if kind and len(speeds) >= 3 and speeds.count(usual) * 2 > len(speeds):
            for cable in cables:
                if cable.speed != usual:
                    said = f"{speeds.count(usual)} of {len(speeds)} such cables {f'at {usual}' if usual else 'say nothing'}"
                    message = f"the cable runs at {cable.speed or 'the speed of its ports'}, {said}"
                    yield rule.finding(cable, "speed", message, found=cable.speed, expected=usual)


def _kind_of_link(cable: Cable, index: Index) -> frozenset[tuple[str, str, str]]:
    """What makes cables equal: role of the device, speed and use of the port at both ends; nothing when not known."""
    kinds = []
    for endpoint in (cable.a, cable.b):
        name, port = split_endpoint(endpoint)
        device = index.device(name)
        if device is None or port not in device.ports:
            return frozenset()
        kinds.append((device.device.role, device.ports[port].speed, device.ports[port].use))
    return frozenset(kinds)
