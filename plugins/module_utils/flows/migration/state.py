# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""How far each machine of a migration is, and what reality cannot tell any more: how it was at the source. Pure.

A state is reached when its work is done, so a run that was killed does the work of one state again, and every work is one that
may be done twice. What was at the source is written down before anything there is changed, and never again until the machine was
rolled back. The same goes, in few characters, into metadata of the volumes, for the day on which the record is lost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ...core.errors import InputError
from ...vmware.model import Vm
from ...vmware.power.plan import state_of
from .model import Machine

#: The way of a machine, in order.
WAY = (
    "planned",
    "probed",
    "claimed",
    "stopped",
    "copied",
    "verified",
    "built",
    "started",
    "checked",
    "cut_over",
    "done",
)
#: Where a machine is that was brought back, and where one is whose source may be removed.
BACK, CLEANED = "rolled_back", "cleaned"
STATES = (*WAY, BACK, CLEANED)
#: Where a machine is whose migration is over.
ENDED = ("done", CLEANED)
#: What a state means for people.
MEANING = {
    "planned": "its values at the source are written down",
    "probed": "ports, quotas, flavor and source were looked at once more",
    "claimed": "its ports are there",
    "stopped": "it is off at the source",
    "copied": "its volumes are written",
    "verified": "its volumes were read back and are right",
    "built": "its server is there, and off",
    "started": "its server runs",
    "checked": "its server is as planned",
    "cut_over": "its network cards at the source are disconnected, and it does not start by itself there",
    "done": "nothing is left to do",
    BACK: "it is at the source as it was, and what was made of it is gone",
    CLEANED: "what only the migration needed is gone",
}


@dataclass(frozen=True)
class Journal:
    """One machine.

    :param task: digest of what the plan says of it; work of another task is not gone on with.
    :param original: how it was at the source, as ``vmware_vm_power`` restores it.
    :param made: ids of what was made at the target, by kind: ``volumes`` and ``ports`` by key, ``server``.
    :param times: seconds since the epoch at which each state was reached.
    :param error: what failed in the latest run; then that run leaves the machine where it is.
    """

    uuid: str
    name: str
    plan: str
    task: str
    state: str
    original: Mapping[str, Any]
    made: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, float] = field(default_factory=dict)
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        data: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return data

    @property
    def metadata(self) -> dict[str, str]:
        """What volumes and servers of the machine carry."""
        return {"migration_vm": self.uuid, "migration_plan": self.plan, "migration_source": mark_of(self.original)}


def journal_of(data: Mapping[str, Any]) -> Journal:
    """A journal of a record.

    :raises InputError: it cannot be understood; guessing could lose how the machine was.
    """
    try:
        original = dict(data["original"])
        texts = {key: str(data[key]) for key in ("uuid", "name", "plan", "task", "state")}
        made, times, error = dict(data["made"]), dict(data["times"]), str(data.get("error") or "")
        found = Journal(**texts, original=original, made=made, times=times, error=error)
    except (KeyError, TypeError, ValueError) as problem:
        raise InputError(f"A journal of a migration is not whole: {problem}", hint="Restore the record") from problem
    if found.state not in STATES:
        raise InputError(f"{found.name}: its journal knows a state {found.state}, this collection does not")
    return found


def original_of(vm: Vm) -> dict[str, Any]:
    """How a machine is at the source."""
    return state_of(vm).as_dict()


def mark_of(original: Mapping[str, Any]) -> str:
    """The same in at most 255 characters, for metadata of a volume (Cinder and Nova take no more)."""
    nics = original.get("nics") or {}
    shown = [original.get("power"), original.get("autostart"), {str(key): value for key, value in nics.items()}]
    return json.dumps(shown, separators=(",", ":"), sort_keys=True)


def original_from(mark: str) -> dict[str, Any]:
    """The reverse of :func:`mark_of`.

    :raises InputError: the text is none.
    """
    try:
        power, autostart, nics = json.loads(mark)
        return {"power": str(power), "nics": {str(key): value for key, value in nics.items()}, "autostart": autostart}
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{mark!r} does not say how a machine was at the source") from error


def task_of(machine: Machine) -> str:
    """A digest of what the plan says of a machine, but for its wave and for what is only told."""
    plain = replace(machine, wave="", notes=(), reasons=(), host="", power="", moid="")
    return hashlib.sha256(json.dumps(asdict(plain), sort_keys=True).encode()).hexdigest()[:12]


def begin(machine: Machine, plan: str, vm: Vm | None, known: Journal | None, now: float, mark: str = "") -> Journal:
    """The journal with which a run begins: the one that is there, or a new one.

    :param vm: the machine at the source now; needed for a new one.
    :param mark: ``migration_source`` of a volume of the machine, when the record is lost.
    :raises InputError: it is under way by another task, or cannot be begun.
    """
    task = task_of(machine)
    if known is not None and known.state not in (BACK, "planned"):
        if known.task != task and known.state not in ENDED:
            raise InputError(
                f"{machine.label} is {known.state} by plan {known.plan}, and this plan wants something else of it",
                hint="Go on with that plan, or roll the machine back first",
            )
        return known
    if vm is None and not mark:
        if known is not None and known.state == "planned" and known.task == task:
            return known  # begun already, and nothing at the source was touched since
        raise InputError(f"{machine.label} is not at the source any more, and no journal says how it was")
    # A machine that was begun and whose record was lost may be off because we have stopped it.
    original = original_from(mark) if mark else original_of(vm) if vm else {}
    if known is not None and known.plan == plan and known.task == task and known.original == original:
        return known if known.state == "planned" else replace(known, state="planned", made={}, times={"planned": now})
    return Journal(machine.uuid, machine.name, plan, task, "planned", original, times={"planned": now})


def reach(journal: Journal, state: str, now: float, made: Mapping[str, Any] | None = None) -> Journal:
    """The journal of a machine that has reached a state; unchanged when it was further already.

    :raises InputError: there is no way to that state from where it is.
    """
    kept = _merged(journal.made, made or {})
    if journal.error and state in (BACK, CLEANED):
        journal = replace(journal, error="")
    if state == journal.state or _is_behind(journal.state, state):
        return journal if kept == journal.made else replace(journal, made=kept)
    if not _may_follow(journal.state, state):
        raise InputError(f"{journal.name} is {journal.state} and cannot become {state}", hint=_way_to(journal.state))
    kept = {} if state == BACK else kept
    return replace(journal, state=state, made=kept, times={**journal.times, state: now})


def _is_behind(current: str, state: str) -> bool:
    """Whether a state was passed already."""
    if current == CLEANED:
        return state in WAY
    return current in WAY and state in WAY and WAY.index(state) < WAY.index(current)


def _may_follow(current: str, state: str) -> bool:
    if state == BACK:
        return current in WAY[:-1] or current == "done"
    if state == CLEANED:
        return current in ("done", BACK)
    return current in WAY and WAY.index(state) == WAY.index(current) + 1


def _way_to(current: str) -> str:
    if current in WAY[:-1]:
        return f"The next state is {WAY[WAY.index(current) + 1]}"
    return "Begin it anew" if current == BACK else "It is at the end of its way"


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(old)
    for key, value in new.items():
        both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        found[key] = {**found[key], **value} if both else dict(value) if isinstance(value, Mapping) else value
    return found


def failed(journal: Journal, error: str, made: Mapping[str, Any] | None = None) -> Journal:
    """The journal of a machine whose work failed: it stays where it is until a run begins anew."""
    return replace(journal, error=error, made=_merged(journal.made, made or {}))


def due(journals: Sequence[Journal], state: str) -> list[str]:
    """Uuids of the machines whose next state is this one, or one that comes before it; not of those that failed."""
    if state not in WAY:
        return []
    going = [one for one in journals if one.state in WAY and not one.error]
    return [one.uuid for one in going if WAY.index(one.state) < WAY.index(state)]
