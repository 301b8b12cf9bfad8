# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about cables: their ends, and what they can carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..derive import Port
from ..finding import Finding
from ..model import SPEEDS, Cable
from ..names import split_endpoint
from .index import End, Index, grouped, repeats
from .registry import Rule, rule

_ONCE = "SCS hardware landscape, System_Network_Connections: every connection is documented once"


@rule(
    "C01",
    "error",
    "Cable to an unknown device",
    why="The cable leads to nothing: its links, uplinks and BGP neighbours are missing.",
    source="Referential integrity of the landscape",
    hint="correct the name, or add the device (a device of somebody else under externals)",
)
def unknown_device(rule: Rule, index: Index) -> Iterator[Finding]:
    for end in index.ends:
        if index.far_end(end.device) is None:
            message = f"end {end.field} names {end.device}, which is no host, switch or external device"
            hint = index.nearest(end.device, index.known_ends) or rule.hint
            yield rule.finding(end.cable, end.field, message, found=end.device, hint=hint)


@rule(
    "C02",
    "error",
    "Cable to a port that the device does not have",
    why="Plays configure an interface that never comes up.",
    source="Ports of the device model; the kernel and SONiC tell upper from lower case",
    hint="use the port's name as the model gives it",
)
def unknown_port(rule: Rule, index: Index) -> Iterator[Finding]:
    for end in index.ends:
        ports = index.ports(end.device)
        if ports and end.port not in ports:
            hint = _nearest_port(end, ports, index) or rule.hint
            message = f"end {end.field} names port {end.port}, which {end.device} does not have"
            yield rule.finding(end.cable, end.field, message, found=end.port, hint=hint)


def _nearest_port(end: End, ports: Mapping[str, str], index: Index) -> str:
    other = index.other_spellings(end.device).get(end.port.lower())
    if other is None:
        return index.nearest(end.port, ports)
    if ports[other] == end.port:
        return f"{end.port} is another name of port {other}, write that"
    return f"did you mean {other}?"


@rule(
    "C03",
    "error",
    "Port with two cables",
    why="Only one of them can be plugged in.",
    source="A port takes one cable",
    hint="look where the cables really go",
)
def port_twice(rule: Rule, index: Index) -> Iterator[Finding]:
    ends = grouped(((end.device, end.port), end) for end in index.ends)
    for (name, port), (first, *others) in ends.items():
        known = index.far_end(name)
        for end in others:
            if _pair(end.cable) != _pair(first.cable) or end.cable is first.cable:
                message = f"port {port} carries two cables, to {_other(first)} and to {_other(end)}"
                yield rule.finding(
                    known or end.cable,
                    "",
                    message,
                    place=end.cable.place(end.field),
                    found=port,
                    origin=end.cable.origin,
                )


def _pair(cable: Cable) -> tuple[str, ...]:
    return tuple(sorted((cable.a, cable.b)))


def _other(end: End) -> str:
    return (end.cable.b if end.field == "a" else end.cable.a) or "an unknown end"


_FAMILIES = (
    ("rj45",),
    ("sfp", "sfp+", "sfp28", "sfp56"),
    ("qsfp+", "qsfp28", "qsfp56", "qsfp-dd", "osfp"),
    ("serial",),
    ("virtual",),
)
#: What a socket takes besides its own family: copper transceivers, adapters, breakout cables, serial over RJ45.
_ALSO_TAKES = {"sfp": ("rj45",), "qsfp+": ("sfp", "rj45"), "rj45": ("serial",), "serial": ("rj45",)}


def _family(connector: str) -> str:
    return next((family[0] for family in _FAMILIES if connector in family), "")


def fits(connector: str, socket: str) -> bool:
    """Whether a cable or transceiver of the kind goes into the socket."""
    family, own = _family(connector), _family(socket)
    return "virtual" in (family, own) or family == own or family in _ALSO_TAKES.get(own, ())


@rule(
    "C04",
    "error",
    "Speed or connector of the two ends do not fit",
    why="The link stays down, or runs slower than planned.",
    source="Sockets and speeds of the ports of the device models",
    hint="correct the port, or write the speed and connector that the cable really has",
)
def mismatch(rule: Rule, index: Index) -> Iterator[Finding]:
    for cable in index.landscape.cables:
        ends = [(end, port) for end in (cable.a, cable.b) for port in (_port_of(end, index),) if port]
        if cable.speed and ends:
            slower, slow = min(ends, key=lambda end: SPEEDS.index(end[1].speed))
            if SPEEDS.index(cable.speed) > SPEEDS.index(slow.speed):
                message = f"the cable runs at {cable.speed}, but {slower} at {slow.speed} at most"
                yield rule.finding(cable, "speed", message, found=cable.speed, expected=slow.speed)
        refusing = [(end, port) for end, port in ends if cable.connector and not fits(cable.connector, port.connector)]
        for end, port in refusing[:1]:
            message = f"{cable.connector} does not fit {end}, whose socket is {port.connector}"
            yield rule.finding(cable, "connector", message, found=cable.connector, expected=port.connector)
        if len(ends) == 2:
            yield from _unlike(rule, cable, ends[0][1], ends[1][1])


def _unlike(rule: Rule, cable: Cable, a: Port, b: Port) -> Iterator[Finding]:
    """What the cable does not say about ends that differ."""
    if not cable.speed and a.speed != b.speed:
        message = f"{cable.a} runs at {a.speed}, {cable.b} at {b.speed}"
        yield rule.finding(cable, "speed", message, found=a.speed, expected=b.speed)
    if not cable.connector and not _plain_fit(a.connector, b.connector):
        message = f"{cable.a} is {a.connector}, {cable.b} is {b.connector}"
        yield rule.finding(cable, "connector", message, found=a.connector, expected=b.connector)


def _plain_fit(a: str, b: str) -> bool:
    families = {_family(a), _family(b)}
    return len(families) == 1 or "virtual" in families or families == {"rj45", "serial"}


def _port_of(endpoint: str, index: Index) -> Port | None:
    name, port = split_endpoint(endpoint)
    device = index.device(name)
    found = device.ports.get(port) if device else None
    return found if found and found.speed and found.connector else None


@rule(
    "C05",
    "error",
    "Cable written twice",
    why="Two rows about one cable drift apart.",
    source=_ONCE,
    hint="remove one of them",
)
def cable_twice(rule: Rule, index: Index) -> Iterator[Finding]:
    cables = [cable for cable in index.landscape.cables if cable.a and cable.b]
    for _pair_of_ends, first, second in repeats((_pair(cable), cable) for cable in cables):
        yield rule.finding(second, "", f"the cable is written a second time, first in {first.place()}")


@rule(
    "C10",
    "error",
    "Cable from a device to itself",
    why="A loop: storms where nothing stops it.",
    source="No landscape of ours needs a loop",
    hint="correct one end",
)
def loop(rule: Rule, index: Index) -> Iterator[Finding]:
    for cable in index.landscape.cables:
        name = split_endpoint(cable.a)[0]
        if cable.a and name == split_endpoint(cable.b)[0]:
            yield rule.finding(cable, "b", f"both ends of the cable are at {name}", found=cable.b)
