# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What has to be done to restore backups: pure planning.

A restore goes into a new volume of the source's type unless an operator names a volume and allows that it is overwritten.
Where a restore stands is written on its volume (:data:`.volumes.RESTORED`), so a run that was killed is taken up again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from ...core.plan import Impact, Plan, Step
from . import chains, model
from .model import Backup, Volume
from .volumes import RESTORED, SOURCE, kind_of

#: States of a restore: a new volume was asked for, an old one is being overwritten, that ended, its bytes are the same,
#: its bytes are others.
NEW, BEGUN, DONE, SAME, WRONG = "new", "begun", "done", "same", "wrong"


@dataclass(frozen=True)
class Wanted:
    """One restore.

    :param backup: id.
    :param volume: id of the volume to overwrite; empty for a new one.
    :param size: GiB, 0 for that of the backup.
    :param kind: name of the type, empty for that of the source.
    :param run: names a restore over a volume; the same name is done once.
    """

    backup: str
    volume: str = ""
    name: str = ""
    size: int = 0
    kind: str = ""
    zone: str = ""
    run: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def title(self, backup: Backup) -> str:
        """Name of the new volume."""
        return self.name or f"restored-{backup.name or backup.id}"


@dataclass(frozen=True)
class World:
    """What is there."""

    backups: Sequence[Backup]
    volumes: Sequence[Volume]

    def backup(self, identifier: str) -> Backup | None:
        """A backup by id."""
        return next((one for one in self.backups if one.id == identifier), None)

    def volume(self, identifier: str) -> Volume | None:
        """A volume by id."""
        return next((one for one in self.volumes if one.id == identifier), None)


@dataclass(frozen=True)
class Todo:
    """What has to be done for one restore.

    :param action: ``create``, ``overwrite``, ``wait`` (an earlier run began it), ``compare`` (it has ended, nobody has looked)
        or ``none``.
    :param volume: the volume that is there.
    :param failed: what an earlier run left in an error state, and goes first.
    :param kind: name of the type, empty for Cinder's default.
    """

    wanted: Wanted
    backup: Backup
    action: str
    volume: Volume | None = None
    failed: tuple[Volume, ...] = ()
    kind: str = ""

    @property
    def size(self) -> int:
        """GiB."""
        return self.volume.size if self.volume else self.wanted.size or self.backup.size

    @property
    def target(self) -> str:
        """The volume, as people name it."""
        return str(self.volume) if self.volume else self.wanted.title(self.backup)

    def mark(self, state: str) -> dict[str, str]:
        """Where the restore stands, for the metadata of the volume."""
        return {RESTORED: " ".join(filter(None, [state, self.backup.id, self.wanted.run]))}


def wanted_of(entries: Iterable[Mapping[str, Any]], overwrite: bool) -> list[Wanted]:
    """The restores of a module's option.

    :raises InputError: some are contradictory, or would overwrite without being allowed to; all are named at once.
    """
    found, problems = [], []
    for number, entry in enumerate(entries):
        one = Wanted(
            backup=str(entry["backup"]),
            volume=str(entry.get("volume") or ""),
            name=str(entry.get("name") or ""),
            size=int(entry.get("size") or 0),
            kind=str(entry.get("type") or ""),
            zone=str(entry.get("availability_zone") or ""),
            run=str(entry.get("run") or ""),
            metadata={str(key): str(value) for key, value in (entry.get("metadata") or {}).items()},
        )
        found.append(one)
        problems += [f"restores[{number}]: {text}" for text in _problems(one, overwrite)]
    twice = [one for one, count in Counter(_target(one) for one in found).items() if count > 1]
    problems += [f"two restores go into {where}" for where in twice]
    if problems:
        raise InputError("; ".join(problems))
    return found


def _problems(one: Wanted, overwrite: bool) -> list[str]:
    problems = []
    if one.volume:
        if not overwrite:
            problems.append(f"volume {one.volume} would be overwritten, and allow_overwrite is not set")
        if not one.run:
            problems.append("a restore over a volume needs run, a name for it that is done once")
        if one.name or one.size or one.kind or one.zone or one.metadata:
            problems.append("name, size, type, availability_zone and metadata are for new volumes")
    elif one.run:
        problems.append("run is for restores over a volume; new volumes are told apart by their names")
    if " " in one.run or len(one.run) > 64:
        problems.append("run has spaces or more than 64 characters")
    if one.size < 0:
        problems.append(f"size is {one.size}")
    if RESTORED in one.metadata:
        problems.append(f"the metadata {RESTORED} is ours")
    return problems


def _target(one: Wanted) -> str:
    return f"volume {one.volume}" if one.volume else f"the new volume {one.name or f'of backup {one.backup}'}"


def plan(wanted: Sequence[Wanted], world: World, *, compared: bool) -> list[Todo]:
    """What has to be done, in the order in which it is wanted.

    :param compared: the bytes are read and compared afterwards.
    :raises InputError: something cannot be restored as it is wanted; all of that is named at once.
    """
    found, problems = [], []
    trees = chains.build(world.backups)
    for one in wanted:
        try:
            found.append(_todo(one, world, trees, compared))
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("; ".join(problems))
    return found


def _todo(one: Wanted, world: World, trees: Sequence[chains.Chain], compared: bool) -> Todo:
    backup = world.backup(one.backup)
    if backup is None:
        raise InputError(f"backup {one.backup} is not there, or not for this project")
    _check_restorable(backup, trees)
    if one.volume:
        return _over(one, backup, world.volume(one.volume), compared)
    size = one.size or backup.size
    if size < backup.size:
        raise InputError(f"backup {backup} has {backup.size} GiB, and a volume of {size} GiB is wanted for it")
    kind = kind_of(backup, world.volume(backup.volume), one.kind, model.TYPE)
    mine = [
        each for each in world.volumes if each.name == one.title(backup) and each.description == description_of(backup)
    ]
    failed = tuple(each for each in mine if never_filled(each, backup))
    left = [each for each in mine if each not in failed and each.status != "deleting"]
    if not left:
        return Todo(one, backup, "create", None, failed, kind)
    volume = min(left, key=lambda each: (each.status.startswith("error"), each.created, each.id))
    if volume.status.startswith("error"):
        raise InputError(
            f"backup {backup} was restored before, into volume {volume}, which is now {volume.status}",
            hint="It may hold data: mend or rename it, or restore under another name",
        )
    return Todo(one, backup, _rest(volume, _state(volume, backup, "") or NEW, compared), volume, failed, kind)


def _check_restorable(backup: Backup, trees: Sequence[chains.Chain]) -> None:
    chain = chains.find(trees, backup.id)
    if backup.status in ("available", "restoring") and chain and backup.id in chain.broken:
        bad = [each for each in chain.path(backup.id) if each.status not in ("available", "restoring")]
        if bad:
            raise InputError(f"backup {backup} cannot be restored: it stands on {bad[0]}, which is {bad[0].status}")
    if backup.status not in ("available", "restoring"):
        raise InputError(f"backup {backup} cannot be restored: it is {backup.status}")


def description_of(backup: Backup) -> str:
    """Description of a new volume, by which it is found again; unlike metadata it stays as it is in a restore."""
    return f"Restored from backup {backup.id}"


def never_filled(volume: Volume, backup: Backup) -> bool:
    """Whether a new volume holds nothing, because its only restore failed; all others may have been written to since.

    Cinder names the backup in the metadata of a volume once a restore into it has ended well (``cinder/backup/manager.py``).
    """
    ended = volume.metadata.get(SOURCE) == backup.id or _state(volume, backup, "") not in ("", NEW)
    return volume.status in ("error", "error_restoring") and not ended and not volume.attachments


def _state(volume: Volume, backup: Backup, run: str) -> str:
    """Where a restore stands, as the volume says it; empty when it says nothing about this one.

    What it says may come from its source, which may have been restored itself, from another backup.
    """
    state, _space, rest = volume.metadata.get(RESTORED, "").partition(" ")
    ours = rest == " ".join(filter(None, [backup.id, run])) and volume.metadata.get(SOURCE, backup.id) == backup.id
    return state if ours else ""


def _rest(volume: Volume, state: str, compared: bool) -> str:
    """What is left to do for a volume that an earlier run began to fill."""
    if state == WRONG:
        raise InputError(
            f"volume {volume} was restored before, and its bytes were not those that were backed up",
            hint="Remove it, or choose another name",
        )
    if volume.status in ("creating", "restoring-backup"):
        return "wait"
    fresh = volume.status == "available" and not volume.attachments
    return "compare" if compared and state in (NEW, DONE) and fresh else "none"


def _over(one: Wanted, backup: Backup, volume: Volume | None, compared: bool) -> Todo:
    if volume is None:
        raise InputError(f"volume {one.volume} is not there, or not for this project")
    if volume.size < backup.size:
        raise InputError(f"backup {backup} has {backup.size} GiB, and volume {volume} has {volume.size} GiB")
    if backup.encrypted != volume.encrypted:
        ours, theirs = ("encrypted" if each.encrypted else "not encrypted" for each in (backup, volume))
        raise InputError(f"backup {backup} is {ours}, and volume {volume} is {theirs}")
    state = _state(volume, backup, one.run)
    if state and state != BEGUN:
        return Todo(one, backup, _rest(volume, state, compared), volume)
    if state and volume.status == "restoring-backup":
        return Todo(one, backup, "wait", volume)
    if volume.status != "available":
        mend = "Detach it" if volume.in_use else "Wait or reset its state, or restore into a new volume"
        raise InputError(f"volume {volume} cannot be overwritten: it is {volume.status}", hint=mend)
    return Todo(one, backup, "overwrite", volume)


def plan_of(todos: Iterable[Todo], compared: bool) -> Plan:
    """The steps of all restores."""
    return Plan(tuple(step for todo in todos for step in _steps(todo, compared)))


def _steps(todo: Todo, compared: bool) -> list[Step]:
    name, source = f"volume {todo.target}", {"backup": todo.backup.id, "taken": todo.backup.taken}
    steps = [
        Step("delete", f"volume {one}", {"status": one.status}, None, Impact.NONE, "it holds nothing")
        for one in todo.failed
    ]
    gate = f"backup {todo.backup} is available"
    if todo.action == "create":
        after = {**source, "size": todo.size, "type": todo.kind, "availability_zone": todo.wanted.zone}
        steps.append(Step("create", name, None, after, undo=f"remove {name}", gate=gate))
    elif todo.action == "overwrite":
        size = todo.volume.size if todo.volume else 0
        before = {"size": size, "bytes": "those that are there now"}
        undo = "none: what was there is lost, unless there is a backup of it"
        steps.append(Step("overwrite", name, before, source, Impact.DESTROYED, undo, gate))
    elif todo.action == "wait":
        steps.append(Step("wait", name, {"status": todo.volume.status if todo.volume else ""}, source))
    if compared and todo.action != "none":
        digest = todo.backup.metadata.get(model.DIGEST, "")
        steps.append(Step("compare", name, None, {"digest": digest}))
    return steps


def diff(steps: Plan) -> list[dict[str, str]]:
    """The plan as Ansible shows it with ``--diff``."""
    shown = []
    for step in steps.steps:
        before, after = ("" if one is None else _lines(one) for one in (step.before, step.after))
        title = f"{step.action} {step.object}"
        shown.append({"before_header": title, "after_header": title, "before": before, "after": after})
    return shown


def _lines(values: Mapping[str, Any]) -> str:
    return "".join(f"{key}: {value}\n" for key, value in values.items())
