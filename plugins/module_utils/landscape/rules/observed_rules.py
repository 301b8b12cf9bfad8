# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules that compare the landscape with facts from elsewhere. Their findings name the place in the observed file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..derive import ResolvedDevice
from ..finding import Finding
from ..observed import Observed, ObservedDevice, ObservedUplink
from .index import Index, squeezed, words
from .registry import Rule, rule

Pair = tuple[Observed, ObservedDevice, ResolvedDevice]


def pairs(index: Index) -> Iterator[Pair]:
    """Every observed device that the landscape knows, with its source."""
    for source in index.observed:
        for name, seen in source.devices.items():
            device = index.device(name)
            if device is not None:
                yield source, seen, device


def about(rule: Rule, seen: ObservedDevice, device: ResolvedDevice, field: str, message: str, **more: Any) -> Finding:
    """A finding about a device, at the place where the other source says so."""
    more.setdefault("place", seen.place(field))
    more.setdefault("origin", seen.origin)
    return rule.finding(device.device, field, message, **more)


@rule(
    "O01",
    "error",
    "Another source says something else about the device",
    why="One of the two is wrong, and both are believed by somebody.",
    source="Observed facts",
    hint="look at the device, then correct the landscape or the other source",
)
def facts(rule: Rule, index: Index) -> Iterator[Finding]:
    for _source, seen, device in pairs(index):
        stated = (
            ("asn", device.asn),
            ("loopback_v4", device.loopback_v4),
            ("loopback_v6", device.loopback_v6),
            ("oob_address", device.oob_v4),
            ("oob_mac", device.oob_mac),
        )
        for field, ours in stated:
            theirs = getattr(seen, field)
            if theirs and theirs != ours:
                message = f"observed {field} is {theirs}, the landscape says {ours or 'nothing'}"
                yield about(rule, seen, device, field, message, found=theirs, expected=ours)
        if seen.oob_missing and device.oob_v4:
            message = f"no management address was observed, the landscape says {device.oob_v4}"
            yield about(rule, seen, device, "oob_missing", message, found="none", expected=device.oob_v4)
        if seen.model and squeezed(seen.model) not in _spellings(device):
            message = f"observed model is {seen.model}, the landscape says {device.device.model}"
            yield about(rule, seen, device, "model", message, found=seen.model, expected=device.device.model)


def _spellings(device: ResolvedDevice) -> list[str]:
    model = device.model
    if model is None:
        return [squeezed(device.device.model)]
    names = (model.name, model.part_number, f"{model.vendor} {model.name}", f"{model.vendor} {model.part_number}")
    return [squeezed(name) for name in names if name]


@rule(
    "O02",
    "error",
    "Uplink of another source does not fit the cables",
    why="The BGP session does not come up: the interface or the AS number is another one.",
    source="Observed facts; cables and AS numbers of the landscape",
    hint="look which session is up on the device, then correct the cable, the AS number or the other source",
)
def uplinks(rule: Rule, index: Index) -> Iterator[Finding]:
    for _source, seen, device in pairs(index):
        for uplink in seen.uplinks:
            yield from _uplink(rule, index, seen, device, uplink)


def _uplink(
    rule: Rule, index: Index, seen: ObservedDevice, device: ResolvedDevice, uplink: ObservedUplink
) -> Iterator[Finding]:
    more = {"place": uplink.place("interface"), "origin": uplink.origin or seen.origin}
    port = uplink.interface
    if device.ports and port not in device.ports:
        same = [name for name in device.ports if name.lower() == port.lower()]
        hint = f"the model spells it {same[0]}" if same else index.nearest(port, device.ports) or rule.hint
        message = f"an uplink over {port} was observed, which {device.device.model} does not have"
        yield about(
            rule, seen, device, "uplinks", message, found=port, expected=words(same) if same else "", hint=hint, **more
        )
        if not same:
            return
        port = same[0]
    link = next((link for link in device.links if link.port == port and link.active), None)
    if link is None:
        message = f"an uplink over {port} was observed, but the landscape has no active cable there"
        yield about(rule, seen, device, "uplinks", message, found=port, **more)
        return
    peer = index.device(link.peer)
    if uplink.remote_asn is not None and peer is not None and peer.asn != uplink.remote_asn:
        ours = f"AS number {peer.asn}" if peer.asn is not None else "no AS number"
        far = f"{link.peer}/{link.peer_port}"
        message = f"observed {port} expects AS number {uplink.remote_asn}, but its cable leads to {far} with {ours}"
        more["place"] = uplink.place("remote_asn")
        yield about(rule, seen, device, "uplinks", message, found=uplink.remote_asn, expected=peer.asn, **more)


@rule(
    "O04",
    "warning",
    "Another host name is running",
    why="Logs, LLDP and prompts show a name that nobody knows, or that of another device.",
    source="Observed facts",
    hint="set the host name on the device",
)
def hostname(rule: Rule, index: Index) -> Iterator[Finding]:
    for _source, seen, device in pairs(index):
        if seen.hostname and seen.hostname.partition(".")[0] != device.name:
            message = f"the device calls itself {seen.hostname}"
            yield about(rule, seen, device, "hostname", message, found=seen.hostname, expected=device.name)


@rule(
    "O05",
    "warning",
    "Other firmware is running",
    why="Known faults come back, and equal machines behave differently.",
    source="Firmware of the device model",
    hint="update the device, or the version that the model is meant to run",
)
def firmware(rule: Rule, index: Index) -> Iterator[Finding]:
    for _source, seen, device in pairs(index):
        for component, meant in device.model.firmware.items() if device.model else ():
            running = seen.firmware.get(component)
            if running and running != meant:
                message = f"{component} runs {running}, {device.device.model} is meant to run {meant}"
                yield about(rule, seen, device, "firmware", message, found=running, expected=meant)


@rule(
    "O06",
    "error",
    "Device that only one side knows",
    why="It is watched, backed up or paid for by one side only.",
    source="Observed facts; a source that says complete claims to know every active device",
    hint="add it to the landscape, or correct its name",
)
def presence(rule: Rule, index: Index) -> Iterator[Finding]:
    for source in index.observed:
        for name, seen in source.devices.items():
            if index.device(name) is None:
                hint = index.nearest(name, index.view.devices) or rule.hint
                yield rule.finding(seen, "", f"{name} was observed, but is not in the landscape", found=name, hint=hint)
        for device in index.active if source.complete else ():
            if device.name not in source.devices:
                where = source.title or "a source that says it is complete"
                message = f"{device.name} is active in the landscape, but unknown to {where}"
                hint = "add it there, or set its state to planned or retired"
                yield rule.finding(
                    device.device, "", message, place=source.place("complete"), found="unknown there", hint=hint
                )


@rule(
    "O08",
    "warning",
    "A document names what does not exist",
    why="Somebody follows it at three in the morning and gets an error.",
    source="Observed facts: what documents and runbooks mention",
    hint="correct the document",
)
def mentions(rule: Rule, index: Index) -> Iterator[Finding]:
    landscape = index.landscape
    known = {
        "play": [play for source in index.observed for play in source.plays],
        "host": index.known_ends,
        "vlan": [str(network.vlan) for network in landscape.networks.values() if network.vlan is not None],
        "network": list(landscape.networks),
        "group": list(index.view.groups),
    }
    for source in index.observed:
        for mention in source.mentions:
            names = known.get(mention.kind, [])
            if mention.what and mention.kind and mention.what not in names:
                hint = (
                    index.nearest(mention.what, names)
                    if mention.kind != "vlan"
                    else f"VLANs of the landscape: {words(names)}"
                )
                message = f"{mention.kind} {mention.what} is mentioned, but does not exist"
                yield rule.finding(mention, "what", message, found=mention.what, hint=hint or rule.hint)


@rule(
    "O09",
    "error",
    "Another source says something else about a network",
    why="Ports are put into the wrong VLAN, or hosts send to a router that is not there.",
    source="Observed facts",
    hint="look at the switches, then correct the landscape or the other source",
)
def networks(rule: Rule, index: Index) -> Iterator[Finding]:
    ours = index.landscape.networks
    for source in index.observed:
        for name, seen in source.networks.items():
            network = ours.get(name)
            if network is None:
                message = f"network {name} was observed, but is not in the landscape"
                yield rule.finding(seen, "", message, found=name, hint=index.nearest(name, ours) or rule.hint)
                continue
            for field in ("v4", "router_v4", "vlan", "vni"):
                theirs, own = getattr(seen, field), getattr(network, field)
                if theirs and theirs != own:
                    message = f"observed {field} is {theirs}, the landscape says {own or 'nothing'}"
                    more = {"place": seen.place(field), "origin": seen.origin, "found": theirs, "expected": own}
                    yield rule.finding(network, field, message, **more)
    vlans = {network.vlan for network in ours.values()}
    for _source, facts_seen, device in pairs(index):
        for vlan in facts_seen.vlans:
            if vlan not in vlans:
                message = f"VLAN {vlan} was observed on it, but no network of the landscape has it"
                yield about(rule, facts_seen, device, "vlans", message, found=vlan)


@rule(
    "O10",
    "warning",
    "Another source gives the device another role or group",
    why="Plays reach the wrong machine: the manager is set up as monitoring.",
    source="Observed facts; only groups that the other source uses are compared",
    hint="correct the role or the groups, here or there",
)
def roles_and_groups(rule: Rule, index: Index) -> Iterator[Finding]:
    used = {
        id(source): {group for seen in source.devices.values() for group in seen.groups} for source in index.observed
    }
    for source, seen, device in pairs(index):
        role = device.role
        if seen.role and role and squeezed(seen.role) not in [squeezed(name) for name in (role.name, *role.names)]:
            message = f"observed role is {seen.role}, the landscape says {role.name}"
            yield about(rule, seen, device, "role", message, found=seen.role, expected=role.name)
        for group in seen.groups:
            if group not in device.groups:
                yield about(
                    rule,
                    seen,
                    device,
                    "groups",
                    f"observed in group {group}, where the landscape does not have it",
                    found=group,
                )
        for group in device.groups if seen.groups else ():
            if group in used[id(source)] and group not in seen.groups:
                yield about(
                    rule,
                    seen,
                    device,
                    "groups",
                    f"the landscape has it in group {group}, where it was not observed",
                    expected=group,
                )
