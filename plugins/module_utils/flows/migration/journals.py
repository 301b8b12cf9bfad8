# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The journals of a wave in their record: one file for each machine, one lock for the folder. What ``vm_migration_state`` does."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Callable

from ...core.errors import InputError
from ...core.plan import Plan, Step
from ...core.record import RunRecord
from . import state
from .model import Document, Machine, machines_of
from .source import vms_of
from .state import Journal

#: Which machines of a plan a task is for; documented in ``doc_fragments/migration.py``.
WAVE_ARGUMENTS: dict[str, dict[str, Any]] = {
    "src": {"type": "path", "required": True},
    "wave": {"type": "str", "default": ""},
    "only": {"type": "list", "elements": "str"},
}


def _record(folder: str, uuid: str) -> RunRecord:
    if not all(one.isalnum() or one == "-" for one in uuid):
        raise InputError(f"{uuid!r} is no uuid of a machine")
    return RunRecord(folder, f"vm-{uuid.lower()}")


def load(folder: str, uuid: str) -> Journal | None:
    """The journal of a machine, nothing when there is none.

    :raises LandscapeError: it cannot be read.
    """
    content = _record(folder, uuid).load()
    return state.journal_of(content["journal"]) if content else None


def chosen(document: Document, wave: str, uuids: Sequence[str] | None) -> list[Machine]:
    """The machines of a wave, or some of them.

    :raises InputError: the plan has no such wave or machine.
    """
    machines = machines_of(document, wave)
    if uuids is None:
        return list(machines)
    by = {one.uuid: one for one in machines}
    missing = [uuid for uuid in uuids if uuid not in by]
    if missing:
        raise InputError(f"The plan has no machine {', '.join(missing)}" + (f" in wave {wave}" if wave else ""))
    return [by[uuid] for uuid in uuids]


def advance(
    document: Document,
    params: Mapping[str, Any],
    check: bool,
    clock: Callable[[], float] = time.time,
    patience: float = 30.0,
) -> tuple[list[Journal], Plan]:
    """Begins the machines that have no journal, and takes all of them to a state; what is there, and what was changed.

    :param patience: seconds to wait for another run that writes.
    :raises InputError: one cannot go there; then none is changed.
    """
    folder, machines = os.path.abspath(params["folder"]), chosen(document, params["wave"], params["only"])
    record = _record(folder, "lock")
    if check or params["state"] is None:
        before = {one.uuid: load(folder, one.uuid) for one in machines}
        after = _after(document, machines, params, before, clock())
        return after, _steps(before, after)
    with record.locked(patience, clock):
        before = {one.uuid: load(folder, one.uuid) for one in machines}
        after = _after(document, machines, params, before, clock())
        for journal in after:
            if journal != before[journal.uuid]:
                _record(folder, journal.uuid).save({"journal": journal.as_dict()})
        return after, _steps(before, after)


def _after(
    document: Document,
    machines: Sequence[Machine],
    params: Mapping[str, Any],
    before: Mapping[str, Journal | None],
    now: float,
) -> list[Journal]:
    vms = {vm.uuid: vm for vm in vms_of(params["vms"])}
    marks, made, wanted = params["marks"], params["made"] or {}, params["state"]
    found, problems = [], []
    for one in machines:
        known = before[one.uuid]
        error = _error(one, known, params)
        if known is None and (wanted is None or error):
            continue  # it lacks something from the start, so it is not begun
        try:
            if wanted in state.WAY and not _stays(known, wanted, error):
                known = state.begin(one, document.digest, vms.get(one.uuid), known, now, str(marks.get(one.uuid) or ""))
            known = _taken(known, wanted, error, made.get(one.uuid), now)
        except InputError as error:
            problems.append(str(error))
        found += [known] if known is not None else []
    if problems:
        raise InputError("\n".join(problems))
    return found


def _error(machine: Machine, known: Journal | None, params: Mapping[str, Any]) -> str:
    """What keeps a machine from a state."""
    ended = known is not None and known.state in state.ENDED and known.task == state.task_of(machine)
    if ended and params["state"] == state.WAY[0]:
        return ""  # nothing of the source is needed any more, which may be gone
    return str((params.get("errors") or {}).get(machine.uuid) or "")


def _stays(known: Journal | None, wanted: str, error: str) -> bool:
    """Whether a machine is left as it is: it failed, now or in this run, and may not even be there to be begun."""
    return bool(error) or (known is not None and bool(known.error) and wanted != state.WAY[0])


def _taken(
    known: Journal | None, wanted: str | None, error: str, made: Mapping[str, Any] | None, now: float
) -> Journal | None:
    """The journal of a machine after a state, or after what kept it from there."""
    if known is None or wanted is None:
        return known
    if wanted == state.WAY[0]:
        known = replace(known, error="")  # another try
    if error:
        return state.failed(known, error, made)
    if known.error and wanted in state.WAY:
        return known
    return state.reach(known, wanted, now, made)


def _steps(before: Mapping[str, Journal | None], after: Sequence[Journal]) -> Plan:
    steps = []
    for journal in after:
        old = before[journal.uuid]
        if journal != old:
            shown = [None if one is None else _shown(one) for one in (old, journal)]
            steps.append(Step("record", f"journal of {journal.name}", shown[0], shown[1]))
    return Plan(tuple(steps))


def _shown(journal: Journal) -> dict[str, Any]:
    return {"state": journal.state, "made": dict(journal.made), **({"error": journal.error} if journal.error else {})}


def values(journals: Sequence[Journal]) -> dict[str, Any]:
    """What ``vm_migration_state`` returns."""
    return {
        "vms": [{**one.as_dict(), "metadata": one.metadata} for one in journals],
        "due": {name: state.due(journals, name) for name in state.WAY[1:]},
        "going": [one.uuid for one in journals if not one.error],
        "errors": {one.uuid: one.error for one in journals if one.error},
    }
