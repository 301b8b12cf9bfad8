# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The fabric at the end of a run: sessions and ECMP of its switches, and which host reaches which. Read from what tasks returned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.report import Case, Table
from ..derive import View
from ..names import natural

UP = "Established"
#: How well a host reaches another one.
GOOD, LOSSY, LOST = "reached", "loses packets", "no answer"


@dataclass(frozen=True)
class Session:
    """A BGP session of a switch.

    :param state: as FRR calls it; empty when there is no session.
    :param expected: it is to be Established.
    """

    vrf: str
    peer: str
    state: str
    expected: bool


@dataclass(frozen=True)
class Switch:
    """What a switch showed.

    :param ecmp: by prefix the number of next hops in use, and how many there should be.
    """

    name: str
    sessions: tuple[Session, ...] = ()
    ecmp: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def expected(self) -> list[Session]:
        """The sessions that are to be there."""
        return [one for one in self.sessions if one.expected]

    @property
    def up(self) -> list[Session]:
        """Those of them that are."""
        return [one for one in self.expected if one.state == UP]

    @property
    def faults(self) -> list[str]:
        """What is not as it should be."""
        down = [f"{one.peer} is {one.state or 'not there'}" for one in self.expected if one.state != UP]
        narrow = [
            f"{prefix} over {width} instead of {wanted}"
            for prefix, (width, wanted) in self.ecmp.items()
            if width != wanted
        ]
        return down + narrow


@dataclass(frozen=True)
class Way:
    """What a host noticed of the way to another one.

    :param sent: questions.
    :param received: answers.
    :param rtt_ms: milliseconds from a question to its answer, on average.
    """

    source: str
    target: str
    sent: int
    received: int
    rtt_ms: float | None = None

    @property
    def state(self) -> str:
        """One of the states above."""
        return LOST if not self.received else GOOD if self.received >= self.sent else LOSSY

    @property
    def loss(self) -> int:
        """Questions without an answer, in percent; never 0 when there is one."""
        lost = max(0, self.sent - self.received)
        return max(1, round(100 * lost / self.sent)) if lost else 0

    @property
    def time(self) -> str:
        """The round trip in words."""
        if self.rtt_ms is None:
            return ""
        return f"{self.rtt_ms:.2f} ms" if self.rtt_ms < 10 else f"{self.rtt_ms:.0f} ms"

    @property
    def words(self) -> str:
        """What a table says of it."""
        if self.state == LOST:
            return LOST
        return ", ".join(part for part in (self.time, f"{self.loss} % lost" if self.loss else "") if part) or GOOD


@dataclass(frozen=True)
class Fabric:
    """Everything that was seen of a fabric; empty when nobody looked.

    :param ways: by source and target.
    """

    switches: tuple[Switch, ...] = ()
    ways: Mapping[tuple[str, str], Way] = field(default_factory=dict)

    @property
    def hosts(self) -> list[str]:
        """Who asked or was asked, in natural order."""
        return sorted({name for pair in self.ways for name in pair}, key=natural)

    def count(self, state: str) -> int:
        """Ways in a state."""
        return sum(way.state == state for way in self.ways.values())

    @property
    def links(self) -> dict[tuple[str, str], Session]:
        """The session at a port, by switch and port; the worst of several."""
        found: dict[tuple[str, str], Session] = {}
        for switch in self.switches:
            for one in switch.expected:
                key = (switch.name, one.peer)
                if key not in found or found[key].state == UP:
                    found[key] = one
        return found


def fabric_of(view: View, results: Mapping[str, Mapping[str, Any]]) -> Fabric:
    """What tasks returned, read.

    :param results: by machine ``switch``, what sonic_verify returned, and ``host``, what node_probe returned. What is no
        such result, because a machine took no part or failed before, is left out.
    """
    owner = {address: name for name, one in view.devices.items() for address in (one.loopback_v4, one.loopback_v6)}
    switches, ways = [], {}
    for name in sorted(results, key=natural):
        said = _mapping(results[name])
        switch = _switch(name, _mapping(said.get("switch")))
        switches += [switch] if switch.sessions or switch.ecmp else []
        for answer in _mappings(_mapping(said.get("host")).get("answers")):
            target = str(answer.get("address", ""))
            way = _way(name, owner.get(target, target), answer)
            ways[name, way.target] = way
    return Fabric(tuple(switches), ways)


def _switch(name: str, said: Mapping[str, Any]) -> Switch:
    sessions = tuple(
        Session(str(one.get("vrf", "")), str(one.get("peer", "")), str(one.get("state", "")), bool(one.get("expected")))
        for one in _mappings(said.get("sessions"))
    )
    ecmp = {
        str(one.get("prefix", "")): (_number(one.get("width")), _number(one.get("expected")))
        for one in _mappings(said.get("ecmp"))
    }
    return Switch(name, sessions, ecmp)


def _way(source: str, target: str, said: Mapping[str, Any]) -> Way:
    rtt = said.get("rtt_ms")
    time = float(rtt) if isinstance(rtt, (int, float)) else None
    return Way(source, target, _number(said.get("sent")), _number(said.get("received")), time)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (one for one in (value if isinstance(value, (list, tuple)) else ()) if isinstance(one, Mapping))


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


# in words


def facts(fabric: Fabric) -> list[tuple[str, str]]:
    """Figures for the head of a report."""
    found = []
    wanted = sum(len(one.expected) for one in fabric.switches)
    if wanted:
        found.append(("BGP sessions", f"{sum(len(one.up) for one in fabric.switches)} of {wanted} established"))
    widths = sorted({width for one in fabric.switches for width, _wanted in one.ecmp.values()})
    if widths:
        found.append(("ECMP", f"{_span(widths)} wide"))
    if fabric.ways:
        found.append(("Hosts reach", f"{len(fabric.ways) - fabric.count(LOST)} of {len(fabric.ways)} others"))
        times = [way.rtt_ms for way in fabric.ways.values() if way.rtt_ms is not None]
        if times:
            found.append(("Round trip", f"{sum(times) / len(times):.2f} ms"))
    return found


def summary(fabric: Fabric) -> list[str]:
    """Lines for the terminal."""
    known = dict(facts(fabric))
    lines = []
    if fabric.switches:
        parts = [f"{len(fabric.switches)} switches"]
        parts += [f"BGP sessions {known['BGP sessions']}"] if "BGP sessions" in known else []
        parts += [f"ECMP {known['ECMP']}"] if "ECMP" in known else []
        lines.append(f"Fabric    {', '.join(parts)}")
    if fabric.ways:
        lossy = fabric.count(LOSSY)
        loss = f"{lossy} of them lose packets" if lossy else "nothing lost"
        trip = f", round trip {known['Round trip']}" if "Round trip" in known else ""
        reached = len(fabric.ways) - fabric.count(LOST)
        lines.append(f"Reach     {reached} of {len(fabric.ways)} ways between {len(fabric.hosts)} hosts, {loss}{trip}")
    return lines


def switches_table(view: View, fabric: Fabric) -> Table | None:
    """Every switch: its sessions, the width of its ways, what is wrong."""
    rows = []
    for one in fabric.switches:
        device = view.devices.get(one.name)
        widths = sorted({width for width, _wanted in one.ecmp.values()})
        ways = f"{_span(widths)}, for {len(one.ecmp)} prefixes" if widths else ""
        sessions = f"{len(one.up)} of {len(one.expected)}" if one.sessions else "not asked"
        faults = "; ".join(one.faults)
        rows.append((one.name, device.device.role if device else "", sessions, ways, faults or "as written"))
    if not rows:
        return None
    text = "Sessions of BGP that are established, of those that are configured; next hops in use, of equal cost, to what is behind others."
    return Table("Fabric", ("Switch", "Role", "Sessions", "Next hops", "State"), tuple(rows), text)


def reach_table(fabric: Fabric, svg: str = "") -> Table | None:
    """Who reaches whom, and how: a row for each that asked."""
    hosts = fabric.hosts
    if not hosts:
        return None
    rows = tuple((one, *(_cell(fabric, one, other) for other in hosts)) for one in hosts)
    text = "Each host asks for the loopbacks of all others, over the fabric: average time of a round trip, and what got lost."
    return Table("Reachability", ("From, to", *hosts), rows, text, svg)


def _cell(fabric: Fabric, source: str, target: str) -> str:
    if source == target:
        return "\u2013"
    way = fabric.ways.get((source, target))
    return way.words if way else "not asked"


def _span(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if numbers[0] == numbers[-1] else f"{numbers[0]} to {numbers[-1]}"


def faults(fabric: Fabric) -> dict[str, list[str]]:
    """What is wrong, by machine."""
    found = {one.name: list(one.faults) for one in fabric.switches if one.faults}
    for way in fabric.ways.values():
        if way.state == LOST:
            found.setdefault(way.source, []).append(f"does not reach {way.target}")
    return found


def cases(fabric: Fabric) -> list[Case]:
    """What CI counts: every switch, every way."""
    found = []
    for one in fabric.switches:
        status = "failed" if one.faults else "passed"
        found.append(Case("fabric", one.name, status, "; ".join(one.faults)))
    statuses = {GOOD: "passed", LOSSY: "warning", LOST: "failed"}
    for way in fabric.ways.values():
        message = "" if way.state == GOOD else way.words
        found.append(Case("reachability", f"{way.source} - {way.target}", statuses[way.state], message))
    return found
