# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A run as a report: for the terminal, for people who were not there, for CI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.report import Case, Report, Table
from ...core.units import format_seconds
from ..cables import model as cables
from ..derive import View
from . import fabric as fabrics
from .fabric import Fabric
from .machines import BROKEN, CHANGED, OK, PENDING, Machine, place_of
from .picture import pictures
from .reach_picture import reach_picture

#: What the playbooks are called in a title.
TITLES = {
    "lab_deploy": "Deployment",
    "lab_verify": "Verification",
    "lab_status": "Status",
    "fabric_deploy": "Deployment of the fabric",
    "fabric_verify": "Verification of the fabric",
    "fabric_rollback": "Rollback of the fabric",
}
_KEY = (
    "Green lines are as written, red ones are not, grey ones nobody could ask about; rest the pointer on a line for its "
    "ends. Machines with an amber frame were (or would be) changed, those with a red one failed."
)
_KEY_SESSIONS = (
    "Green lines carry a BGP session that is established, red ones one that is not; rest the pointer on a line for its ends. "
    "Machines with an amber frame were (or would be) changed, those with a red one failed."
)
#: Longest lists on a terminal; the report has all of it.
SHOWN = 6


@dataclass(frozen=True)
class Deed:
    """Everything a report is made of.

    :param cables: what the module lldp_cables returned; empty when cables were not looked at.
    :param stages: name and seconds of every stage, in order.
    :param gates: what the module landscape_guard returned as gates.
    :param predicted: the run was meant to change nothing.
    :param fabric: what was seen of the fabric; empty when nobody looked.
    """

    view: View
    playbook: str
    run: str
    machines: Sequence[Machine]
    cables: Mapping[str, Any] = field(default_factory=dict)
    stages: Sequence[tuple[str, float]] = ()
    gates: Sequence[Mapping[str, Any]] = ()
    predicted: bool = False
    fabric: Fabric = field(default_factory=Fabric)

    @property
    def defects(self) -> list[Mapping[str, Any]]:
        """Cables that are not as written."""
        return [result for result in self.cables.get("results", ()) if result["kind"] in cables.DEFECTS]

    @property
    def broken(self) -> list[Machine]:
        """Machines that failed."""
        return [machine for machine in self.machines if machine.state in BROKEN]

    @property
    def cut(self) -> dict[str, list[str]]:
        """What is wrong with the fabric, by machine; of machines that did not fail, whose reason says it already."""
        broken = {machine.name for machine in self.broken}
        return {name: texts for name, texts in fabrics.faults(self.fabric).items() if name not in broken}

    @property
    def seconds(self) -> float:
        """Time of all stages."""
        return sum(seconds for _name, seconds in self.stages)

    @property
    def began(self) -> str:
        """When it began, as its name says: ``2026-11-21 13:12``."""
        day, _t, time = self.run.partition("T")
        return f"{day} {time[:5].replace('-', ':')}"

    @property
    def title(self) -> str:
        """Title of the report."""
        word = TITLES.get(self.playbook, self.playbook)
        return f"{word} of {self.view.landscape.title or 'the landscape'}"


def report_of(deed: Deed) -> Report:
    """The report; its status is ``failed`` when a machine failed, a cable is not as written, or the fabric is cut."""
    seen = [
        fabrics.reach_table(deed.fabric, reach_picture(deed.fabric)),
        fabrics.switches_table(deed.view, deed.fabric),
    ]
    tables = [_hands(deed), *seen, *_pictures(deed), _machines(deed), _steps(deed), _checkpoints(deed)]
    tables += [_gates(deed), _cables(deed), _stages(deed)]
    return Report(deed.title, _facts(deed), tuple(table for table in tables if table), tuple(_cases(deed)))


def _facts(deed: Deed) -> tuple[tuple[str, str], ...]:
    whole = [machine for machine in deed.machines if machine.state not in BROKEN]
    facts = [("Machines", f"{len(whole)} of {len(deed.machines)} well")]
    changed = sum(machine.state in (CHANGED, PENDING) for machine in deed.machines)
    facts.append(("Would change" if deed.predicted else "Changed", str(changed)))
    facts.append(("Failed", str(len(deed.broken))))
    if deed.cables:
        counts = deed.cables["counts"]
        facts.append(("Cables as written", f"{counts[cables.MATCHED]} of {_expected(deed)}"))
        facts.append(("Cable defects", str(len(deed.defects))))
        if counts[cables.UNKNOWN]:
            facts.append(("Cables not known", str(counts[cables.UNKNOWN])))
    facts += fabrics.facts(deed.fabric)
    facts += [("Time", format_seconds(deed.seconds)), ("Began (UTC)", deed.began)]
    return tuple(facts)


def _expected(deed: Deed) -> int:
    return sum(len(result["cables"]) for result in deed.cables["results"])


def _hands(deed: Deed) -> Table | None:
    """What somebody has to do, the worst first."""
    rows = [(machine.state, machine.name, machine.reason, machine.stage) for machine in deed.broken]
    for result in deed.defects:
        where = ", ".join(f"{cable['a']} - {cable['b']}" for cable in result["cables"])
        where = where or ", ".join(f"{link['a']} - {link['b']}" for link in result["seen"])
        rows.append((result["kind"].replace("_", " "), where, result["message"], result.get("advice", "")))
    rows += [("fabric", name, text, "") for name, texts in deed.cut.items() for text in texts]
    for machine in deed.machines:
        rows += [("warning", machine.name, text, "") for text in machine.warnings]
    if not rows:
        return None
    return Table("What needs a hand", ("What", "Where", "Why", "What to do, or where it stopped"), tuple(rows))


def _pictures(deed: Deed) -> list[Table]:
    results = deed.cables.get("results") if deed.cables else None
    sessions = {end: one.state == fabrics.UP for end, one in deed.fabric.links.items()}
    drawn = pictures(deed.view, deed.machines, results, sessions)
    key = _KEY_SESSIONS if results is None and sessions else _KEY
    return [Table(title, text="" if number else key, svg=svg) for number, (title, svg) in enumerate(drawn)]


def _machines(deed: Deed) -> Table:
    rows = []
    for machine in deed.machines:
        role, place, environment = place_of(deed.view, machine.name)
        seconds = "" if machine.seconds is None else f"{machine.seconds:.1f}"
        rows.append((machine.name, role, place, environment, machine.state, machine.summary, seconds))
    columns = ("Machine", "Role", "Place", "Environment", "State", "What", "Seconds")
    return Table("Machines", columns, tuple(rows))


def _steps(deed: Deed) -> Table | None:
    rows = tuple((machine.name, *step) for machine in deed.machines for step in machine.steps)
    title = "What would be done" if deed.predicted else "What was done"
    return Table(title, ("Machine", "Action", "Object", "Impact"), rows) if rows else None


def _checkpoints(deed: Deed) -> Table | None:
    """Who can go back; the way back reads it here, to miss nobody who has lost it since."""
    rows = tuple((machine.checkpoint, machine.name) for machine in deed.machines if machine.checkpoint)
    return Table("Checkpoints", ("Checkpoint", "Machine"), rows, "The way back of each machine.") if rows else None


def _gates(deed: Deed) -> Table | None:
    rows = tuple(
        (
            str(gate["environment"]),
            "protected" if gate["protected"] else "not protected",
            str(len(gate["hosts"])),
            str(gate["steps"]),
            str(gate["impact"]),
            str(gate["digest"]),
            ("passed" if gate["confirmed"] else "needed") if gate["confirmation"] else "not needed",
        )
        for gate in deed.gates
    )
    columns = ("Environment", "Protection", "Machines", "Steps", "Impact", "Digest", "Confirmation")
    return Table("Confirmation", columns, rows) if rows else None


def _cables(deed: Deed) -> Table | None:
    rows = []
    for result in deed.cables.get("results", ()):
        observers = sorted({name for link in result["seen"] for name in link["seen_by"]})
        for end in result["cables"] or result["seen"]:
            said = "" if result["kind"] == cables.MATCHED else result["message"]
            rows.append((result["kind"].replace("_", " "), end["a"], end["b"], ", ".join(observers), said))
    if not rows:
        return None
    text = f"{deed.cables.get('silent', 0)} more cables are not expected to be seen by LLDP."
    return Table("Cables", ("State", "One end", "Other end", "Seen by", "What"), tuple(rows), text)


def _stages(deed: Deed) -> Table | None:
    rows = tuple((name, f"{seconds:.1f}") for name, seconds in deed.stages)
    return Table("Time", ("Stage", "Seconds"), rows) if rows else None


def _cases(deed: Deed) -> list[Case]:
    cases = []
    for machine in deed.machines:
        status = "failed" if machine.state in BROKEN else "warning" if machine.warnings else "passed"
        said = machine.summary or "; ".join(machine.warnings)
        cases.append(Case("machines", machine.name, status, said, machine.seconds))
    statuses = {cables.MATCHED: "passed", cables.UNKNOWN: "skipped"}
    for result in deed.cables.get("results", ()):
        ends = result["cables"] or result["seen"]
        name = ", ".join(f"{end['a']} - {end['b']}" for end in ends)
        cases.append(Case("cables", name, statuses.get(result["kind"], "failed"), result["message"]))
    return cases + fabrics.cases(deed.fabric)


def verdicts(deed: Deed) -> dict[str, str]:
    """What each machine that something is wrong with is told at the end of the run; a cable is told to one of its ends."""
    said: dict[str, list[str]] = {machine.name: [machine.summary] for machine in deed.broken}
    known = [machine.name for machine in deed.machines]
    for result in deed.defects:
        at = result.get("device", "")
        at = at if at in known else next(iter(known), "")
        said.setdefault(at, []).append(result["message"])
    for name, texts in deed.cut.items():
        said.setdefault(name, []).extend(texts)
    return {name: "; ".join(texts) for name, texts in said.items() if name}


def summary_of(deed: Deed, *, table: bool = False) -> list[str]:
    """The lines of a terminal that a person reads in ten seconds; the most important last.

    :param table: a line for every machine.
    """
    lines = _rows(deed) if table else []
    lines += [f"{machine.state.upper()}  {machine.name}: {machine.reason}" for machine in deed.broken]
    for result in deed.defects[:SHOWN]:
        lines.append(f"{result['kind'].replace('_', ' ').upper()}  {result['message']}")
        if result.get("advice"):
            lines.append(f"    -> {result['advice']}")
    if len(deed.defects) > SHOWN:
        lines.append(f"... and {len(deed.defects) - SHOWN} more cables")
    lines += [
        f"To do this in {gate['environment']} pass: -e 'landscape_confirm=\"{gate['confirmation']}\"'"
        for gate in deed.gates
        if gate["confirmation"] and not gate["confirmed"]
    ]
    times = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in deed.stages)
    lines += [f"Stages    {times}"] if times else []
    lines.append(f"Machines  {_machine_words(deed)}")
    if deed.cables:
        lines.append(f"Cables    {_cable_words(deed)}")
    lines += fabrics.summary(deed.fabric)
    verdict = "FAILED" if deed.broken or deed.defects or deed.cut else "OK"
    lines.append(f"{verdict}  {deed.title} in {format_seconds(deed.seconds)}")
    return lines


def _rows(deed: Deed) -> list[str]:
    """Every machine: where it stands, how it is, how many of its cables are as written."""
    right: dict[str, list[bool]] = {}
    for result in deed.cables.get("results", ()):
        for end in {cable[side].partition("/")[0] for cable in result["cables"] for side in ("a", "b")}:
            right.setdefault(end, []).append(result["kind"] == cables.MATCHED)
    rows = []
    for machine in deed.machines:
        role, place, environment = place_of(deed.view, machine.name)
        found = right.get(machine.name, [])
        words = f"{sum(found)}/{len(found)} cables" if found else ""
        state = "answers" if machine.state == OK else machine.state
        rows.append(f"{machine.name:<20} {role:<12} {place:<8} {environment:<8} {state:<12} {words}".rstrip())
    return rows


def _machine_words(deed: Deed) -> str:
    order = [(OK, OK), (CHANGED, CHANGED), (PENDING, PENDING), *((state, state) for state in BROKEN)]
    counts = [(sum(machine.state == state for machine in deed.machines), word) for state, word in order]
    return f"{len(deed.machines)}: " + ", ".join(f"{number} {word}" for number, word in counts if number)


def _cable_words(deed: Deed) -> str:
    counts = deed.cables["counts"]
    words = [f"{counts[cables.MATCHED]} as written"]
    words += [f"{counts[kind]} {kind.replace('_', ' ')}" for kind in (*cables.DEFECTS, cables.UNKNOWN) if counts[kind]]
    return f"{_expected(deed)}: {', '.join(words)} ({deed.cables.get('silent', 0)} more are not seen by LLDP)"
