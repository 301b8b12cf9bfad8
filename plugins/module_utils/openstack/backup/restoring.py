# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Restores backups as planned, and compares what was restored with what was backed up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core import pool
from ...core.errors import InputError, LandscapeError
from ...core.plan import Plan
from ...core.stream import Meter, say
from ..model import CloudError, is_unclear
from . import blocks, manifest, model, readers, restore
from .cinder import Cinder
from .manifest import BlockMap
from .model import Backup, Volume
from .readers import Reader, Subject
from .restore import Todo, Wanted
from .volumes import Patience, Volumes, check_room

#: Options of all that restores and reads what it restored (doc fragments ``backup_reader`` and ``volume_restore``).
ARGUMENTS: dict[str, dict[str, Any]] = {
    "digests": {"type": "path"},
    "reader": readers.ARGUMENTS,
    "timeout": {"type": "int", "default": 7200},
    "max_parallel": {"type": "int", "default": 4},
}

GIB = 1024**3


class WrongBytesError(LandscapeError):
    """What was restored is not what was backed up."""


def list_of(backup: Backup, folder: str) -> BlockMap:
    """The list of digests that was taken when a backup was made.

    :raises ManifestError: it cannot be used.
    """
    root = backup.metadata.get(model.DIGEST, "")
    if not root:
        raise manifest.ManifestError("missing", f"backup {backup}: no digests were taken when it was made")
    try:
        return manifest.load(folder, root, backup.volume, backup.size * GIB, f"backup {backup}")
    except InputError as error:
        raise manifest.ManifestError("damaged", f"backup {backup}: {error}") from error


def compared(
    reader: Reader, wanted: BlockMap, volume: Volume, patience: Patience, meter: Meter | None = None
) -> blocks.Comparison:
    """Reads a volume and compares it with a list.

    :raises LengthError: it has another length.
    """
    with reader.open(Subject(volume.id)) as stream:
        return blocks.compare(wanted, stream, size=volume.size * GIB, meter=meter, stop=patience.stop)


@dataclass
class Done:
    """What became of one restore."""

    volume: Volume
    comparison: blocks.Comparison | None = None
    seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)


class Restorer:
    """Restores many backups.

    :param reader: reads what was restored; without it nothing is compared.
    :param digests: folder with the lists of digests.
    """

    def __init__(self, cinder: Cinder, patience: Patience, reader: Reader | None, digests: str, parallel: int) -> None:
        self.cinder, self.patience, self.parallel = cinder, patience, parallel
        self._reader, self._digests = reader, digests
        self._volumes = Volumes(cinder, patience)
        self._lists: dict[str, BlockMap] = {}
        self.meter = Meter()

    @property
    def compares(self) -> bool:
        """Whether bytes are read."""
        return self._reader is not None

    def plan(self, wanted: Sequence[Wanted]) -> list[Todo]:
        """What has to be done; nothing is changed.

        :raises InputError: something cannot be done, a list of digests cannot be used, or the quota is too small.
        """
        world = restore.World(self.cinder.backups(), self.cinder.volumes())
        todos = restore.plan(wanted, world, compared=self.compares)
        problems = []
        for todo in todos:
            if self.compares and todo.action != "none":
                try:
                    self._lists[todo.backup.id] = list_of(todo.backup, self._digests)
                except manifest.ManifestError as error:
                    problems.append(str(error))
        if problems:
            raise InputError("; ".join(problems))
        new = [todo.size for todo in todos if todo.action == "create"]
        if new:
            check_room(self.cinder.limits(), len(new), sum(new), "The project has no room for what is to be restored")
        return todos

    def apply(self, todos: Sequence[Todo]) -> list[pool.Outcome[list[Todo]]]:
        """Does what is planned: so many at once, never two from one backup; one failure does not end the others."""
        groups: dict[str, list[Todo]] = {}
        for todo in todos:
            if todo.action != "none" or todo.failed:
                groups.setdefault(todo.backup.id, []).append(todo)
        flat = [[todo] for todo in todos if todo.action == "none" and not todo.failed]
        work = [*groups.values(), *flat]
        return pool.each(work, self._group, self.parallel, tick=self._tick, every=30.0, stop=self.patience.stop)

    def _tick(self) -> None:
        say(f"restores are under way; {self.meter} compared")

    def _group(self, todos: list[Todo]) -> list[Done | LandscapeError]:
        found: list[Done | LandscapeError] = []
        for todo in todos:
            try:
                found.append(self._one(todo))
            except LandscapeError as error:
                found.append(error)
        return found

    def _one(self, todo: Todo) -> Done:
        began = self.patience.clock()
        for one in todo.failed:
            self._remove(todo, one)
        volume = self._filled(todo)
        done = Done(volume)
        if todo.action != "none":
            self._check(todo, volume)
            if self._reader is not None:
                done.comparison = self._compare(todo, volume)
        done.seconds = self.patience.clock() - began
        return done

    def _remove(self, todo: Todo, failed: Volume) -> None:
        """Removes what a failed restore left, unless somebody has mended it since it was planned.

        :raises InputError: it may hold something now.
        """
        now = self.cinder.volume(failed.id)
        if now is not None and not restore.never_filled(now, todo.backup):
            raise InputError(f"volume {now} was {failed.status} and is now {now.status}", hint="Start again")
        self._volumes.remove(failed.id)

    def _filled(self, todo: Todo) -> Volume:
        """The volume once the backup is in it."""
        if todo.volume is not None and todo.action in ("none", "compare"):
            return todo.volume
        if todo.action == "wait" and todo.volume is not None:
            identifier = todo.volume.id
        elif todo.volume is not None:
            identifier = todo.volume.id
            self._overwrite(todo, identifier)
        else:
            identifier = self._create(todo)
        volume = self._volumes.filled(identifier, todo.backup)
        # The metadata are those of the source now, if it had any.
        self._volumes.note(volume.id, {**todo.wanted.metadata, **todo.mark(restore.DONE)})
        return volume

    def _create(self, todo: Todo) -> str:
        self._volumes.idle(todo.backup.id)
        return self._volumes.make(
            todo.backup,
            todo.wanted.title(todo.backup),
            restore.description_of(todo.backup),
            size=todo.size,
            metadata={**todo.wanted.metadata, **todo.mark(restore.NEW)},
            kind=todo.kind,
            zone=todo.wanted.zone,
        )

    def _overwrite(self, todo: Todo, volume: str) -> None:
        """Begins a restore over a volume; when the answer is lost, the volume says whether it began."""
        self._volumes.idle(todo.backup.id)
        self._volumes.note(volume, todo.mark(restore.BEGUN))
        try:
            self.cinder.begin_restore(todo.backup.id, volume)
        except CloudError as error:
            if not is_unclear(error):
                raise
            self.patience.sleep(3.0)
            found = self.cinder.volume(volume)
            if found is None or found.status != "restoring-backup":
                # Either nothing happened, or all is over already: the same bytes once more do no harm.
                self._volumes.idle(todo.backup.id)
                self.cinder.begin_restore(todo.backup.id, volume)

    def _check(self, todo: Todo, volume: Volume) -> None:
        """What Cinder made is what was asked for."""
        problems = []
        if volume.size != todo.size:
            problems.append(f"it has {volume.size} GiB instead of {todo.size}")
        if todo.kind and volume.type != todo.kind and todo.action == "create":
            problems.append(f"its type is {volume.type} instead of {todo.kind}")
        if todo.wanted.zone and volume.zone != todo.wanted.zone:
            problems.append(f"it is in {volume.zone} instead of {todo.wanted.zone}")
        if todo.backup.encrypted and not volume.encrypted:
            problems.append("it is not encrypted, and its backup is")
        if problems:
            raise CloudError(f"volume {volume} is not what was asked for: {' and '.join(problems)}")

    def _compare(self, todo: Todo, volume: Volume) -> blocks.Comparison:
        """Reads and compares, and writes down how it ended.

        :raises WrongBytesError: not one block may differ.
        """
        if self._reader is None:
            raise InputError("There is no reader")
        places: list[dict[str, int]] = []
        try:
            found = compared(self._reader, self._lists[todo.backup.id], volume, self.patience, self.meter)
            wrong = "" if found.same else str(found)
            places = found.places()
        except blocks.LengthError as error:
            wrong = str(error)
        if wrong:
            self._volumes.note(volume.id, todo.mark(restore.WRONG))
            raise WrongBytesError(
                f"backup {todo.backup} was restored into volume {volume}: {wrong}",
                hint="The volume is left for a look at it; restore another backup",
                details={"differing": places},
            )
        self._volumes.note(volume.id, todo.mark(restore.SAME))
        return found


def values(todos: Sequence[Todo], outcomes: Sequence[pool.Outcome[list[Todo]]], planned: bool) -> dict[str, Any]:
    """What the module returns, in the order of what was wanted."""
    results = _results(outcomes)
    return {"restores": [_value(todo, results.get(id(todo)), planned) for todo in todos]}


def _results(outcomes: Sequence[pool.Outcome[list[Todo]]]) -> dict[int, Any]:
    found = {}
    for outcome in outcomes:
        for number, todo in enumerate(outcome.item):
            found[id(todo)] = outcome.error or outcome.value[number]
    return found


def _value(todo: Todo, result: Any, planned: bool) -> dict[str, Any]:
    done = result if isinstance(result, Done) else None
    volume = done.volume if done else todo.volume
    value: dict[str, Any] = {
        "backup": todo.backup.id,
        "taken": todo.backup.taken,
        "action": todo.action,
        "predicted": planned and todo.action != "none",
        "volume": {
            "id": volume.id if volume else None,
            "name": volume.name if volume else todo.wanted.title(todo.backup),
            "size": todo.size,
            "type": volume.type if volume else todo.kind,
            "availability_zone": volume.zone if volume else todo.wanted.zone,
            "encrypted": volume.encrypted if volume else todo.backup.encrypted,
            "bootable": volume.bootable if volume else None,
        },
        "compared": bool(done and done.comparison),
        "seconds": round(done.seconds, 1) if done else 0.0,
        "reason": str(result) if isinstance(result, LandscapeError) else "",
    }
    if done and done.comparison:
        value.update(blocks=done.comparison.head.count, bytes=done.comparison.read)
    return value


def failure(found: Mapping[str, Any]) -> str:
    """Why the task fails; empty when it does not."""
    return "; ".join(one["reason"] for one in found["restores"] if one["reason"])


def warnings(todos: Sequence[Todo], compares: bool) -> list[str]:
    """What was not done, and somebody may think it was."""
    names = [str(todo.backup) for todo in todos if todo.action in ("create", "overwrite")]
    if compares or not names:
        return []
    return [f"Nothing was read back, so nobody knows whether these were restored rightly: {', '.join(names)}"]


def done(plan: Plan, found: Mapping[str, Any], todos: Sequence[Todo], planned: bool) -> int:
    """Number of restores that ended well and were not there before."""
    if planned or not plan:
        return 0
    return sum(not one["reason"] for one, todo in zip(found["restores"], todos) if todo.action != "none" or todo.failed)
