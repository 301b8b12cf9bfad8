# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A drill or a rebuild as a report: for the terminal, for people who were not there, for CI."""

from __future__ import annotations

from ...core.report import Case, Report, Table
from ...core.units import format_bytes, format_seconds
from .chains_picture import chains_picture, moment_of
from .model import BAD, EQUAL, PROVEN, REFUTED, UNREAD, Deed, Trial
from .times_picture import times_picture

_STATUS = {EQUAL: "passed", UNREAD: "warning", BAD: "failed"}
_CHAINS = (
    "Each box is a backup, with the time when its data was read. An incremental one holds what changed since the one that its "
    "arrow points at. What was restored just now says how long that took, and whether its bytes were compared."
)
_TIMES = "From the request to the last byte that was compared. Restores beside each other share the backup service."


def report_of(deed: Deed) -> Report:
    """The report; ``failed`` when something was not restored or is not as it was."""
    tables = [_hands(deed), _chains(deed), _times(deed), _machines(deed), _backups(deed), _stages(deed)]
    return Report(deed.title, _facts(deed), tuple(table for table in tables if table), tuple(_cases(deed)))


def _equal(deed: Deed) -> list[Trial]:
    return [one for one in deed.trials if one.state == EQUAL]


def _facts(deed: Deed) -> tuple[tuple[str, str], ...]:
    members = [one for row in deed.rows for one in row.members]
    facts = [("Volumes with backups", str(len(deed.rows))), ("Backups", str(len(members)))]
    facts.append(("Proven", f"{sum(one.state == PROVEN for one in members)} of {len(members)}"))
    if deed.trials:
        facts.append(("Restored with the same bytes", f"{len(_equal(deed))} of {len(deed.trials)}"))
        facts.append(("Compared", format_bytes(sum(one.bytes for one in _equal(deed)))))
        facts.append(("Longest restore", format_seconds(max(one.seconds for one in deed.trials))))
    if deed.machines:
        whole = [one for one in deed.machines if not one.bad]
        facts.append(("Servers as they were", f"{len(whole)} of {len(deed.machines)}"))
    if deed.stages:
        facts.append(("Time", format_seconds(sum(seconds for _name, seconds in deed.stages))))
    return (*facts, ("Began (UTC)", deed.began))


def _hands(deed: Deed) -> Table | None:
    """What somebody has to look at, the worst first."""
    rows = [("failed", one.name, one.reason) for one in deed.trials if one.state == BAD]
    rows += [("failed", one.name, one.reason or "; ".join(one.differences)) for one in deed.machines if one.bad]
    told = {one.backup for one in deed.trials if one.state == BAD}
    for row in deed.rows:
        refuted = [one for one in row.members if one.state == REFUTED and one.id not in told]
        rows += [("warning", row.name, f"backup {one.name} was refuted by a restore") for one in refuted]
    rows += [("warning", one.name, "restored, and nobody read it") for one in deed.trials if one.state == UNREAD]
    rows += list(deed.hands)
    return Table("What needs a hand", ("What", "Where", "Why"), tuple(rows)) if rows else None


def _chains(deed: Deed) -> Table | None:
    drawn = chains_picture(deed.rows, deed.trials)
    return Table("Chains of backups", text=_CHAINS, svg=drawn) if drawn else None


def _times(deed: Deed) -> Table | None:
    rows = tuple(
        (
            one.name,
            "scratch volume" if one.scratch else "volume that stays",
            f"{one.seconds:.1f}",
            format_bytes(one.bytes) if one.bytes else "",
            f"{format_bytes(one.speed)}/s" if one.speed else "",
            {EQUAL: "passed", UNREAD: "not asked", BAD: "failed"}[one.state],
            one.reason or {EQUAL: "every block is what was backed up", UNREAD: "there was no reader"}[one.state],
        )
        for one in deed.trials
    )
    columns = ("Volume", "Restored into", "Seconds", "Bytes", "Speed", "Comparison", "What")
    return Table("Times of restores", columns, rows, _TIMES, times_picture(deed.trials)) if rows else None


def _machines(deed: Deed) -> Table | None:
    rows = tuple(
        (
            one.name,
            one.status,
            "failed" if one.bad else "as written",
            one.reason or "; ".join(one.differences) or "ports, addresses, groups, volumes are those of the manifest",
            one.old,
            one.new,
        )
        for one in deed.machines
    )
    columns = ("Server", "Status", "Compared", "What", "Id before", "Id now")
    return Table("Servers", columns, rows) if rows else None


def _backups(deed: Deed) -> Table | None:
    names = {one.id: moment_of(one.taken) for row in deed.rows for one in row.members}
    rows = tuple(
        (
            row.name,
            moment_of(one.taken),
            "full" if one.full else "incremental",
            "" if one.full else f"that of {names.get(one.parent, one.parent or 'unknown')}",
            f"{one.state} {moment_of(one.judged)}".strip(),
            one.id,
        )
        for row in deed.rows
        for one in row.members
    )
    columns = ("Volume", "Data of (UTC)", "Kind", "Stands on", "Proof (UTC)", "Id")
    return Table("Backups", columns, rows) if rows else None


def _stages(deed: Deed) -> Table | None:
    rows = tuple((name, f"{seconds:.1f}") for name, seconds in deed.stages)
    return Table("Time", ("Stage", "Seconds"), rows) if rows else None


def _cases(deed: Deed) -> list[Case]:
    cases = [Case("restores", one.name, _STATUS[one.state], one.reason, one.seconds) for one in deed.trials]
    for one in deed.machines:
        said = one.reason or "; ".join(one.differences)
        cases.append(Case("servers", one.name, "failed" if one.bad else "passed", said))
    return cases + [Case("backups", where or "all", what, why) for what, where, why in deed.hands]


def summary_of(deed: Deed) -> list[str]:
    """The lines of a terminal that a person reads in ten seconds; the most important last."""
    lines = [f"FAILED    {one.name}: {one.reason}" for one in deed.trials if one.state == BAD]
    lines += [f"FAILED    {one.name}: {one.reason or '; '.join(one.differences)}" for one in deed.machines if one.bad]
    lines += [f"{what.upper():<9} {where + ': ' if where else ''}{why}" for what, where, why in deed.hands]
    times = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in deed.stages)
    lines += [f"Stages    {times}"] if times else []
    members = [one for row in deed.rows for one in row.members]
    proven = sum(one.state == PROVEN for one in members)
    lines.append(f"Backups   {len(members)}, of {len(deed.rows)} volumes, {proven} proven")
    if deed.trials:
        longest = format_seconds(max(one.seconds for one in deed.trials))
        lines.append(
            f"Restores  {len(_equal(deed))} of {len(deed.trials)} with the same bytes, the longest took {longest}"
        )
    if deed.machines:
        whole = sum(not one.bad for one in deed.machines)
        lines.append(f"Servers   {whole} of {len(deed.machines)} as they were")
    return [*lines, f"{'FAILED' if deed.failed else 'OK'}  {deed.title}"]
