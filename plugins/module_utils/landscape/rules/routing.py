# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about AS numbers, VLANs and VNIs."""

from __future__ import annotations

from collections.abc import Iterator

from ..derive import ResolvedDevice
from ..finding import Finding
from ..model import AsnScheme
from ..schemes import is_private
from .environments import joined
from .index import Index, grouped, refused, repeats, words
from .registry import Rule, rule


@rule(
    "B01",
    "error",
    "AS number does not fit or is not private",
    why="A number of somebody else leaks into the Internet, or the router refuses it.",
    source="RFC 6996 (64512 to 65534, 4200000000 to 4294967294), RFC 6793 (four octets), RFC 7300 (last numbers)",
    hint="use another prefix or number, or waive it where the number is your own",
)
def not_private(rule: Rule, index: Index) -> Iterator[Finding]:
    for scheme in index.landscape.asn_schemes.values():
        if scheme.kind == "octets" and scheme.prefix is None and not refused(scheme, "prefix"):
            yield rule.finding(scheme, "prefix", "kind octets needs a prefix", hint="add prefix, for example 4210")
        elif scheme.kind and scheme.kind != "octets" and scheme.prefix is not None:
            message = f"prefix {scheme.prefix} does not count for kind {scheme.kind}"
            yield rule.finding(scheme, "prefix", message, found=scheme.prefix, hint="remove it, or use kind octets")
    for device in index.devices:
        for problem in device.problems:
            if problem.rule == rule.id:
                yield rule.finding(device.device, "asn", problem.message)
        made_of_nothing = device.device.asn is None and _scheme_without_prefix(device, index)
        if device.asn is not None and not is_private(device.asn) and not made_of_nothing:
            field = "asn" if device.device.asn is not None else "index"
            yield rule.finding(device.device, field, f"AS number {device.asn} is not for private use", found=device.asn)


def _scheme(device: ResolvedDevice, index: Index) -> AsnScheme | None:
    return index.landscape.asn_schemes.get(device.role.asn_scheme) if device.role else None


def _scheme_without_prefix(device: ResolvedDevice, index: Index) -> bool:
    scheme = _scheme(device, index)
    return scheme is not None and scheme.kind == "octets" and scheme.prefix is None


@rule(
    "B02",
    "error",
    "AS number given twice",
    why="BGP drops routes that carry the own AS number: the two devices cannot hear of each other.",
    source="RFC 4271 section 9.1.2 (loop detection)",
    hint="correct one of them, or mark the scheme as shared where that is the plan",
)
def asn_twice(rule: Rule, index: Index) -> Iterator[Finding]:
    numbers = ((device.asn, device) for device in index.devices if device.asn is not None)
    for asn, first, second in repeats(numbers):
        ours, theirs = _scheme(second, index), _scheme(first, index)
        if not (ours and theirs and ours.name == theirs.name and ours.shared):
            field = "asn" if second.device.asn is not None else "index"
            yield rule.finding(second.device, field, f"AS number {asn} is also that of {first.name}", found=asn)


@rule(
    "B03",
    "warning",
    "AS number missing",
    why="The BGP sessions over its links never come up.",
    source="AS number scheme of the role; RFC 5549 sessions run over every data link",
    hint="write its asn",
)
def asn_missing(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.active:
        scheme = _scheme(device, index)
        if scheme is None or device.asn is not None or device.problems:
            continue
        if scheme.kind != "explicit":
            if not device.loopback_v4 and not (device.role and index.loopback_network(device)):
                message = f"scheme {scheme.name} makes AS numbers from loopbacks, but {device.name} has none"
                yield rule.finding(device.device, "asn", message, hint="name loopback_network in the role")
            continue
        peers = [
            link.peer
            for link in device.links
            if link.active and _speaks(link.peer, index) and _is_data(device, link.port)
        ]
        if peers:
            message = f"{device.name} has links to {words(dict.fromkeys(peers))}, which speak BGP, but no AS number"
            yield rule.finding(device.device, "asn", message)


def _speaks(name: str, index: Index) -> bool:
    device = index.device(name)
    return device is not None and device.asn is not None


def _is_data(device: ResolvedDevice, port: str) -> bool:
    return port in device.ports and device.ports[port].use == "data"


@rule(
    "B04",
    "error",
    "Members of a set carry different AS numbers",
    why="Paths through a second spine are no longer dropped: routes wander through the fabric.",
    source="RFC 7938 section 5.2.1: the spines of a set share one AS number",
    hint="give all members the same asn",
)
def set_differs(rule: Rule, index: Index) -> Iterator[Finding]:
    for group in index.landscape.redundancy_groups.values():
        members = [
            member for name in group.members for member in (index.device(name),) if member and member.asn is not None
        ]
        schemes = [_scheme(member, index) for member in members]
        numbers = grouped((member.asn, member.name) for member in members)
        if len(numbers) > 1 and all(scheme and scheme.shared for scheme in schemes):
            message = "; ".join(f"{words(names)}: {asn}" for asn, names in numbers.items())
            yield rule.finding(
                group, "members", f"the AS number is shared, but the members differ ({message})", found=words(numbers)
            )


@rule(
    "B05",
    "warning",
    "AS number that the role does not ask for",
    why="Nobody expects a session with it, so none is set up.",
    source="AS number scheme of the role",
    hint="name asn_scheme in the role, or remove asn",
)
def unexpected_asn(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.devices:
        if device.device.asn is not None and device.role and not device.role.asn_scheme:
            message = f"{device.name} has AS number {device.device.asn}, but role {device.role.name} has no asn_scheme"
            yield rule.finding(device.device, "asn", message, found=device.device.asn)
        scheme = _scheme(device, index)
        if device.device.asn is not None and scheme and scheme.kind != "explicit" and not device.loopback_v4:
            message = (
                f"{device.name} has AS number {device.device.asn}, but scheme {scheme.name} makes them from loopbacks"
            )
            hint = "make the scheme explicit, or give the device a loopback and remove asn"
            yield rule.finding(device.device, "asn", message, found=device.device.asn, hint=hint)


@rule(
    "V01",
    "error",
    "VLAN id on two networks",
    why="Two networks become one broadcast domain.",
    source="IEEE 802.1Q; environments that no cable may join can reuse an id",
    hint="give one of them another VLAN",
)
def vlan_twice(rule: Rule, index: Index) -> Iterator[Finding]:
    networks = grouped(
        (network.vlan, network) for network in index.landscape.networks.values() if network.vlan is not None
    )
    for vlan, sharing in networks.items():
        for position, network in enumerate(sharing[:50]):
            for other in sharing[:position]:
                apart = (
                    network.environment
                    and other.environment
                    and not joined(network.environment, other.environment, index)
                )
                if not apart:
                    yield rule.finding(network, "vlan", f"VLAN {vlan} is also that of network {other.name}", found=vlan)
                    break


@rule(
    "V02",
    "error",
    "VNI on two networks",
    why="Two networks become one broadcast domain across the whole fabric.",
    source="RFC 7348: a VNI identifies one segment",
    hint="give one of them another VNI",
)
def vni_twice(rule: Rule, index: Index) -> Iterator[Finding]:
    networks = ((network.vni, network) for network in index.landscape.networks.values() if network.vni is not None)
    for vni, first, second in repeats(networks):
        yield rule.finding(second, "vni", f"VNI {vni} is also that of network {first.name}", found=vni)
