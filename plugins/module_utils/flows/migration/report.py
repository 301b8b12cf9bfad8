# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The report of a migration: what needs a hand, the timeline, disks with bytes and rates, servers, what was verified and how. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from ...core import report_html
from ...core.report import Case, Report, Table, to_json, to_junit, to_markdown
from ...core.units import format_bytes, format_seconds
from . import state
from .state import Journal
from .timeline_picture import PHASES, Row, off_for, timeline_picture

_STATUS = {"passed": "passed", "skipped": "skipped", "failed": "failed"}
_DISK = {"done": "passed", "present": "passed", "planned": "skipped", "failed": "failed"}
#: States between which a machine is off at the source and runs nowhere else.
_NOWHERE = state.WAY[state.WAY.index("stopped") : state.WAY.index("started")]
#: In these nothing is left to do.
_ENDS = ("done", state.BACK, state.CLEANED)
#: What a check compares, where it has nothing to say.
_HOW = {
    "blocks": "what was read back is what was sent",
    "properties": "size, type, whether it boots, and the properties of the image are those of the plan",
    "ports": "network, MAC and IP addresses, groups and port security are those of the plan",
    "server": "its state, name, flavor, volumes and ports are those of the plan",
}
#: What to do about a check that failed.
_MEND = {
    "blocks": "Look at the storage of the target; roll the machine back (vm_rollback), and migrate it again",
    "properties": "Somebody changed the volume; set it right, or roll the machine back and migrate it again",
    "ports": "Somebody changed the port; set it right, and run vm_migrate with --tags verify",
    "server": "Look at the server and its console; set it right, or bring the machine back with vm_rollback",
}
_READ = {"volume": "the volume", "image": "its image", "none": "nothing"}
_TIMELINE = (
    "A state is written down when all machines of a run have reached it, so a machine runs nowhere for at most the time that stands here: "
    "from the moment at which its guest is asked to shut down until its server runs."
)
_RATES = "Rates are bytes of the disk per second, zeroes included. Sent is what went over the wire to the target."


def report_of(
    title: str, journals: Sequence[Journal], disks: Sequence[Mapping[str, Any]], checks: Sequence[Mapping[str, Any]]
) -> Report:
    """The report.

    :param disks: as ``vm_migration_copy`` returned them; ``checks`` as ``vm_migration_verify`` did.
    """
    names = {one.uuid: one.name for one in journals}
    known = _known(journals, disks)
    tables = (
        _hands(journals, known, checks, names),
        _timeline(journals, known),
        _disks(known, names),
        _machines(journals),
        _verified(checks, names),
    )
    cases = (*_states(journals), *_moves(known, names), *_checks(checks, names))
    return Report(title, _facts(journals, known), tuple(one for one in tables if one.rows), cases)


def _known(journals: Sequence[Journal], disks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every disk once: what this run says of it, and the figures of the run that moved it."""
    kept = {(one.uuid, key): dict(value) for one in journals for key, value in (one.made.get("figures") or {}).items()}
    for one in disks:
        place = (str(one.get("vm")), str(one.get("key")))
        before = kept.get(place, {})
        # A disk that is there already keeps its figures: it was moved once.
        kept[place] = {**before, **one} if one.get("status") != "present" or not before else {**one, **before}
    order = {one.uuid: number for number, one in enumerate(journals)}
    found = [{**value, "vm": uuid, "key": key} for (uuid, key), value in kept.items()]
    return sorted(found, key=lambda one: (order.get(one["vm"], len(order)), one["key"]))


def _moved(disks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in disks if one.get("status") == "done"]


def _sum(disks: Sequence[Mapping[str, Any]], key: str) -> int:
    return sum(int(one.get(key) or 0) for one in disks)


def _facts(journals: Sequence[Journal], disks: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    ended = [one for one in journals if one.state in ("done", state.CLEANED)]
    back = [one for one in journals if one.state == state.BACK]
    under_way = len(journals) - len(ended) - len(back)
    facts = [("Machines done", f"{len(ended)} of {len(journals)}")]
    facts += [("Under way", str(under_way))] if under_way else []
    facts += [("Brought back", str(len(back)))] if back else []
    off = [seconds for one in journals for seconds in [_off(one)] if seconds is not None]
    return (*facts, *_figures(_moved(disks)), *((("Off for at most", format_seconds(max(off))),) if off else ()))


def _figures(moved: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Of the disks that were moved."""
    if not moved:
        return []
    facts = [("Disks", f"{len(moved)}, {format_bytes(_sum(moved, 'size'))}")]
    facts.append(("Data in them", format_bytes(_sum(moved, "data"))))
    facts.append(("Sent", format_bytes(_sum(moved, "sent"))))
    begun = [(float(one["began"]), float(one["began"]) + float(one["seconds"])) for one in moved if one.get("began")]
    if begun:
        seconds = max(end for _begin, end in begun) - min(begin for begin, _end in begun)
        facts.append(("Time of copying", format_seconds(seconds)))
        facts.append(("Rate", f"{format_bytes(_read(moved) / max(seconds, 0.001))}/s"))
    there = sum(one.get("verified") == "volume" for one in moved)
    return [*facts, ("Volumes read back", f"{there} of {len(moved)}")]


def _read(disks: Sequence[Mapping[str, Any]]) -> int:
    return _sum(disks, "size") - _sum(disks, "resumed")


def _off(journal: Journal) -> float | None:
    return off_for(tuple(journal.times.items())) if journal.original.get("power") == "on" else None


def _hands(
    journals: Sequence[Journal],
    disks: Sequence[Mapping[str, Any]],
    checks: Sequence[Mapping[str, Any]],
    names: Mapping[str, str],
) -> Table:
    """What somebody has to look at, the worst first."""
    again = "Mend what it says, and run vm_migrate again: it goes on where it was"
    rows = [
        ("failed", _label(one, names), str(one.get("message")), again) for one in disks if one["status"] == "failed"
    ]
    for kind in ("failed", "skipped"):
        for one in (one for one in checks if one.get("status") == kind):
            what = f"{one.get('kind')} of {names.get(str(one.get('vm')), '')}, {one.get('name', '')}"
            mend = (
                _MEND.get(str(one.get("kind")), "")
                if kind == "failed"
                else "Read it back: vm_migration_verify, read: all"
            )
            rows.append((kind, what, str(one.get("message") or ""), mend))
    told = {str(one.get("vm")) for one in (*disks, *checks) if one.get("status") == "failed"}
    for machine in journals:
        if _error(machine) and machine.uuid not in told:
            rows.append(("failed", machine.name, _error(machine), again))
        elif machine.state not in _ENDS and not _error(machine):
            off = " It runs nowhere now." if machine.state in _NOWHERE and machine.original.get("power") == "on" else ""
            do = "Run vm_migrate again, or bring it back with vm_rollback"
            rows.append(("warning", machine.name, f"It is {machine.state}: {state.MEANING[machine.state]}.{off}", do))
    return Table("What needs a hand", ("What", "Where", "Why", "What to do"), tuple(rows))


def _error(journal: Journal) -> str:
    """Why a machine stayed behind in the last run."""
    return journal.error


def _timeline(journals: Sequence[Journal], disks: Sequence[Mapping[str, Any]]) -> Table:
    drawn, rows = [], []
    for one in journals:
        mine = [disk for disk in _moved(disks) if disk["vm"] == one.uuid]
        bars = tuple((float(disk["began"]), float(disk["seconds"]), _words(disk)) for disk in mine if disk.get("began"))
        off = _off(one)
        words = f"off for at most {format_seconds(off)}" if off is not None else ""
        row = Row(one.name, tuple(one.times.items()), bars, words if one.state in _ENDS else f"it is {one.state}")
        drawn.append(row)
        took = {words: format_seconds(end - begin) for begin, end, words, _colour in row.phases}
        began = _moment(min(one.times.values())) if one.times else ""
        cells = (one.name, began, *(took.get(words, "") for _state, words, _colour in PHASES))
        rows.append((*cells, format_seconds(off) if off is not None else ""))
    columns = ("Machine", "Began (UTC)", *(words.capitalize() for _state, words, _colour in PHASES), "Off for at most")
    return Table("Timeline", columns, tuple(rows), _TIMELINE, timeline_picture(drawn))


def _moment(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def _words(disk: Mapping[str, Any]) -> str:
    return f"{disk.get('label', '')}: {format_bytes(int(disk.get('size') or 0))}, {_rate(disk)}"


def _rate(disk: Mapping[str, Any]) -> str:
    return f"{format_bytes(float(disk.get('rate') or 0))}/s"


def _label(disk: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return f"{names.get(str(disk.get('vm')), str(disk.get('vm_name', '')))} {disk.get('label', '')}".strip()


def _disks(disks: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    return Table("Disks", _COLUMNS, tuple(_row(one, names) for one in disks), _RATES)


_COLUMNS = ("Disk", "Result", "Transport", "Size", "Read", "Data", "Sent", "Seconds", "Rate", "Read back")


def _row(disk: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, ...]:
    head = (_label(disk, names), str(disk["status"]), str(disk.get("transport", "")))
    if disk["status"] != "done":
        size = format_bytes(int(disk["size"])) if disk.get("size") else ""
        return (*head, size, *[""] * 6)
    bytes_of = [format_bytes(int(disk.get(key) or 0)) for key in ("data", "sent")]
    seconds, back = f"{float(disk.get('seconds') or 0):.1f}", _READ.get(str(disk.get("verified")), "")
    return (
        *head,
        format_bytes(int(disk["size"])),
        format_bytes(_read([disk])),
        *bytes_of,
        seconds,
        _rate(disk),
        back,
    )


def _machines(journals: Sequence[Journal]) -> Table:
    rows = tuple(
        (
            one.name,
            one.state,
            _error(one) or state.MEANING[one.state],
            str(one.original.get("power", "")),
            str(one.made.get("server", "")),
            ", ".join(str(value) for _key, value in sorted((one.made.get("volumes") or {}).items())),
        )
        for one in journals
    )
    return Table("Servers", ("Machine", "State", "That means", "Was at the source", "Server", "Volumes"), rows)


def _verified(checks: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    rows = tuple(
        (
            names.get(str(one.get("vm")), ""),
            str(one.get("kind", "")),
            str(one.get("name", "")),
            _STATUS.get(str(one.get("status")), "warning"),
            str(one.get("message") or _HOW.get(str(one.get("kind")), "")),
        )
        for one in checks
    )
    return Table("What was verified, and how", ("Machine", "What", "Of", "Result", "How"), rows)


def _states(journals: Sequence[Journal]) -> list[Case]:
    """A machine under way is no failure; it is not whole either."""
    kinds = {"done": "passed", state.CLEANED: "passed", state.BACK: "skipped"}
    return [
        Case(
            "state",
            one.name,
            "failed" if _error(one) else kinds.get(one.state, "warning"),
            _error(one) or state.MEANING[one.state],
        )
        for one in journals
    ]


def _moves(disks: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[Case]:
    return [
        Case(
            "disk",
            _label(one, names),
            _DISK.get(str(one.get("status")), "warning"),
            str(one.get("message") or ""),
            float(one["seconds"]) if one.get("seconds") is not None else None,
        )
        for one in disks
    ]


def _checks(checks: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[Case]:
    return [
        Case(
            str(one.get("kind", "")),
            f"{names.get(str(one.get('vm')), '')} {one.get('name', '')}",
            _STATUS.get(str(one.get("status")), "warning"),
            str(one.get("message") or ""),
        )
        for one in checks
    ]


def files_of(report: Report, folder: str) -> dict[str, str]:
    """Every form of the report, by path."""
    forms = {"json": to_json, "md": to_markdown, "xml": to_junit, "html": report_html.to_html}
    return {f"{folder}/report.{ending}": make(report) for ending, make in forms.items()}


def summary(report: Report) -> str:
    """One line."""
    return ", ".join(f"{label}: {value}" for label, value in report.facts) + f"; {report.status}"
