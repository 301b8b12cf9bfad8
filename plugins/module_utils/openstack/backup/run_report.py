# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a task says about the backups of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.pool import Outcome
from . import chains
from .model import DIGEST, LEVEL, WHY
from .plan import Todo
from .run import Made, Report


def values(report: Report, check_mode: bool) -> dict[str, Any]:
    """The return values of a task."""
    outcomes = {outcome.item.volume.id: outcome for outcome in report.outcomes}
    known = {one.id: chain for chain in chains.build(report.backups) for one in chain.members}
    return {
        "run": report.wishes.run,
        "backups": [_entry(todo, outcomes.get(todo.volume.id), known, check_mode) for todo in report.todos],
        "failures": failures(report),
        "omitted": [
            {"id": one.volume.id, "name": one.volume.name, "reason": one.reason} for one in report.selection.omitted
        ],
        "unseen": list(report.unseen),
    }


def _entry(
    todo: Todo, outcome: Outcome[Todo] | None, known: dict[str, chains.Chain], check_mode: bool
) -> dict[str, Any]:
    made = outcome.value if outcome and outcome.error is None else None
    if made is None and todo.action == "none" and todo.backup:
        made = Made(todo.backup, todo.backup.metadata.get(WHY, ""), known.get(todo.backup.id))
    found: dict[str, Any] = {
        "volume": todo.volume.id,
        "volume_name": todo.volume.name,
        "size": todo.volume.size,
        "status": _status(todo, outcome, check_mode),
        "message": _message(todo, outcome),
        "server": todo.taking.server.id if todo.taking else "",
        "level": _level(todo, made),
    }
    return {**found, **(_shown(made) if made else _foreseen(todo))}


def _level(todo: Todo, made: Made | None) -> str:
    told = made.backup.metadata.get(LEVEL, "") if made else ""
    return told or (todo.taking.level if todo.taking else "none")


def _shown(made: Made) -> dict[str, Any]:
    backup, chain = made.backup, made.chain
    parent = chain.parents.get(backup.id, "") if chain else ""
    return {
        "id": backup.id,
        "kind": "incremental" if backup.incremental else "full",
        "why": made.why or (f"stands on {parent}" if parent else ""),
        "chain": chain.id if chain else "",
        "parent": parent,
        "taken": backup.taken,
        "digest": backup.metadata.get(DIGEST, ""),
        "size": backup.size,
        "seconds": round(made.seconds, 1),
    }


def _foreseen(todo: Todo) -> dict[str, Any]:
    decision = todo.decision
    return {
        "id": todo.backup.id if todo.backup else "",
        "kind": decision.kind,
        "why": decision.why,
        "chain": decision.chain.id if decision.chain and decision.kind == "incremental" else "",
        "parent": decision.parent.id if decision.parent and decision.kind == "incremental" else "",
        "taken": "",
        "digest": "",
        "seconds": 0.0,
    }


def _status(todo: Todo, outcome: Outcome[Todo] | None, check_mode: bool) -> str:
    if todo.action in ("none", "refuse"):
        return "present" if todo.action == "none" else "refused"
    if check_mode:
        return "planned" if todo.action == "create" else "under way"
    return "failed" if outcome is None or outcome.error else "available"


def _message(todo: Todo, outcome: Outcome[Todo] | None) -> str:
    if outcome and outcome.error:
        return str(outcome.error)
    return outcome.value.problem if outcome and outcome.value else todo.refused


def failures(report: Report) -> list[dict[str, str]]:
    """What has no backup of this run, or is not as it was, and why."""
    found = [{"volume": "", "message": text} for text in report.selection.missing]
    outcomes = {outcome.item.volume.id: outcome for outcome in report.outcomes}
    for todo in report.todos:
        text = _message(todo, outcomes.get(todo.volume.id))
        if text:
            found.append({"volume": str(todo.volume), "message": text})
    return [*found, *({"volume": "", "message": text} for text in report.problems)]


def failure(report: Report) -> str:
    """Why the task fails, empty when it does not: all reasons, one line each."""
    lines = [
        f"volume {one['volume']}: {one['message']}" if one["volume"] else one["message"] for one in failures(report)
    ]
    if not lines:
        return ""
    asked = len(report.todos) + len(report.selection.missing)
    return "\n".join([f"Of {asked} volumes, not all are backed up as they should be:", *lines])


def done(report: Report) -> int:
    """How many steps were done."""
    cleared = 0 if report.problems else len(report.leftovers)
    return cleared + sum(len(one.item.steps()) for one in report.outcomes if one.error is None)


def nothing_found(report: Report) -> Sequence[str]:
    """What is said when a rule finds no volume at all: a word misspelled would go unnoticed for months."""
    if report.todos or report.selection.omitted or report.selection.missing:
        return []
    return [f"No volume is selected, so run {report.wishes.run} has nothing to back up"]
