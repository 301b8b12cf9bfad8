# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules that compare cables with LLDP, and the settings of equal machines with each other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..derive import Link, ResolvedDevice
from ..finding import Finding
from ..names import natural
from ..observed import ObservedDevice, ObservedNeighbor
from .index import Index, grouped, words
from .observed_rules import about, pairs
from .registry import Rule, rule


@rule(
    "O03",
    "error",
    "LLDP sees another neighbour than the cable says",
    why="The cable is plugged in somewhere else: maintenance on one switch takes down the links of another.",
    source="IEEE 802.1AB; cables of the landscape",
    hint="look at both ends of the cable, then correct the landscape or move the plug",
)
def lldp(rule: Rule, index: Index) -> Iterator[Finding]:
    for _source, seen, device in pairs(index):
        if "lldp" in seen.source.lines:
            yield from _neighbors(rule, index, seen, device)


def _neighbors(rule: Rule, index: Index, seen: ObservedDevice, device: ResolvedDevice) -> Iterator[Finding]:
    found = grouped((_port_name(device, entry.port), entry) for entry in seen.lldp)
    planned = {link.port: link for link in device.links if link.active and index.device(link.peer)}
    told = set()
    for port in sorted({*found, *planned}, key=natural):
        link, entries = planned.get(port), found.get(port, [])
        if port in told or (link and any(_same(entry, link, index) for entry in entries)):
            continue
        if link is None:
            external = any(other.port == port and not index.device(other.peer) for other in device.links)
            for entry in entries if not external else ():
                message = f"{port} sees {entry.peer}/{entry.peer_port}, but no active cable is written"
                yield about(
                    rule,
                    seen,
                    device,
                    "lldp",
                    message,
                    place=entry.place("port"),
                    found=f"{entry.peer}/{entry.peer_port}",
                )
        elif not entries:
            if device.ports.get(port) and device.ports[port].use == "data" and _answers(link, index):
                message = f"{port} sees no neighbour, its cable leads to {link.peer}/{link.peer_port}"
                yield about(rule, seen, device, "lldp", message, expected=f"{link.peer}/{link.peer_port}")
        else:
            partner = _swapped(port, link, entries[0], found, planned, index)
            told.add(partner)
            yield _other_neighbor(rule, seen, device, link, entries[0], partner)


def _other_neighbor(
    rule: Rule, seen: ObservedDevice, device: ResolvedDevice, link: Link, entry: ObservedNeighbor, partner: str
) -> Finding:
    far, expected = f"{entry.peer}/{entry.peer_port}", f"{link.peer}/{link.peer_port}"
    message = f"{link.port} sees {far}, its cable leads to {expected}"
    hint = rule.hint
    if partner:
        message = f"the cables of {link.port} and {partner} are swapped: {message}"
        hint = f"swap the plugs of {link.port} and {partner}, or the two cables in the landscape"
    return about(
        rule, seen, device, "lldp", message, place=entry.place("peer"), found=far, expected=expected, hint=hint
    )


def _port_name(device: ResolvedDevice, port: str) -> str:
    """The model's name of a port that a source names by alias."""
    if port in device.ports:
        return port
    return next((known.name for known in device.ports.values() if known.alias == port), port)


def _same(entry: ObservedNeighbor, link: Link, index: Index) -> bool:
    if entry.peer.partition(".")[0] != link.peer:
        return False
    peer = index.device(link.peer)
    names = {"", link.peer_port}
    if peer is not None:
        names.add(peer.device.macs.get(link.peer_port, ""))
        port = peer.ports.get(link.peer_port)
        names.add(port.alias if port else "")
    return entry.peer_port in names


def _answers(link: Link, index: Index) -> bool:
    """Whether the far end is a data port: management controllers rarely speak LLDP."""
    peer = index.device(link.peer)
    port = peer.ports.get(link.peer_port) if peer else None
    return port is not None and port.use == "data"


def _swapped(
    port: str,
    link: Link,
    entry: ObservedNeighbor,
    found: dict[str, list[ObservedNeighbor]],
    planned: dict[str, Link],
    index: Index,
) -> str:
    """The other port, when each of two ports sees the neighbour of the other."""
    for other, other_link in planned.items():
        if (
            other != port
            and _same(entry, other_link, index)
            and any(_same(seen, link, index) for seen in found.get(other, ()))
        ):
            return other
    return ""


_MAC = re.compile(r"\b[0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){5}\b")
#: How many of a group must agree before one is odd: more than half of at least three.
_ENOUGH = 3


@rule(
    "O07",
    "warning",
    "Setting that differs among equal machines",
    why="One of them behaves differently, and only under load, or at the next boot.",
    source="Observed settings; MAC addresses, serial numbers, names and addresses of the machine itself are masked",
    hint="set it as on the others, or set the others as on this one",
)
def odd_setting(rule: Rule, index: Index) -> Iterator[Finding]:
    equal = grouped((device.device.model, (seen, device)) for _source, seen, device in pairs(index) if seen.settings)
    for machines in equal.values():
        settings = [_masked(seen, device) for seen, device in machines]
        for name in dict.fromkeys(key for one in settings for key in one):
            values = [one.get(name, "(absent)") for one in settings]
            if len(set(values)) > 1:
                yield from _odd_ones(rule, name, values, machines)


def _odd_ones(
    rule: Rule, name: str, values: list[str], machines: list[tuple[ObservedDevice, ResolvedDevice]]
) -> Iterator[Finding]:
    common = max(dict.fromkeys(values), key=values.count)
    if len(values) >= _ENOUGH and values.count(common) * 2 > len(values):
        for value, (seen, device) in zip(values, machines):
            if value != common:
                message = (
                    f"{name} is {value!r}, but {common!r} on {values.count(common)} of {len(values)} equal machines"
                )
                yield about(rule, seen, device, "settings", message, found=value, expected=common)
        return
    said = grouped(zip(values, (device.name for _seen, device in machines)))
    seen, device = machines[0]
    message = f"{name} differs among equal machines: " + "; ".join(
        f"{value!r} on {words(names)}" for value, names in said.items()
    )
    yield about(rule, seen, device, "settings", message, found=values[0])


def _masked(seen: ObservedDevice, device: ResolvedDevice) -> dict[str, str]:
    """Settings without what is different on every machine by nature."""
    own = (device.device.serial, device.name, device.oob_v4, device.loopback_v4, device.loopback_v6)
    hidden = [text for text in own if len(text) > 3]
    result: dict[str, str] = {}
    for name, value in seen.settings.items():
        key, number = _mask(name, hidden), 1
        while key in result:
            number += 1
            key = f"{_mask(name, hidden)} ({number})"
        result[key] = _mask(value, hidden)
    return result


def _mask(text: str, hidden: list[str]) -> str:
    text = _MAC.sub("<mac>", text)
    for own in hidden:
        text = text.replace(own, "<own>")
    return text
