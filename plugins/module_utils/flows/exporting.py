# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Exports of the disks of a VM: what is there already, what would be written, and writing it. Images and volumes: :mod:`.sending`."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.blockmap import Head, block_for, map_of
from ..core.errors import InputError, LandscapeError
from ..core.journal import is_recorded, load
from ..core.local_file import PART, LocalFile, read_pieces
from ..core.plan import Plan, Step
from ..vmware.disks.opening import Opened, Ways, candidates, files, guessed_state, opened
from ..vmware.disks.web.client import BrokenError
from ..vmware.model import Disk, UnreachableError, Vm
from .copying import BROKEN, Copied, Job
from .fleet import copy_all, room_of
from .sending import Far, Target

MAP = ".blocks"
CHECKS = ("recorded", "read")
_WORDS = ("vm", "uuid", "moid", "key", "label", "place", "position")


@dataclass(frozen=True)
class Wish:
    """What to export, and where to.

    :param dest: folder; of block maps alone where disks do not become files.
    :param file_name: template.
    :param far: where disks become images or volumes.
    :param disks: keys, places (``scsi0:1``) or labels; all when empty.
    :param check: how a file that is there is recognised, one of :data:`CHECKS`.
    :param whole: also compute the SHA-256 of the file.
    """

    dest: str
    file_name: str = "{vm}-{key}.raw"
    disks: tuple[str, ...] = ()
    check: str = "recorded"
    overwrite: bool = False
    read_back: bool = True
    whole: bool = False
    parallel: int = 4
    far: Far | None = None


@dataclass
class Item:
    """One disk, and what becomes of it.

    :param state: names the content of the disk; empty when nobody can tell.
    :param status: ``present``, ``planned``, ``done`` or ``failed``.
    :param target: the image or volume that it becomes.
    """

    disk: Disk
    path: str
    state: str = ""
    status: str = "planned"
    message: str = ""
    before: dict[str, Any] | None = None
    transport: str = ""
    copied: Copied | None = None
    head: Head = field(default_factory=lambda: Head("", 0))
    target: Target | None = None

    def __post_init__(self) -> None:
        #: File of its block map, and the one while it is being written.
        self.map_path, self.part_map = self.path + MAP, self.path + PART + MAP


def chosen(vm: Vm, names: Sequence[str]) -> list[Disk]:
    """The disks that some names mean, in the order of the VM; all without names.

    :raises InputError: a name fits none, or several.
    """
    if not names:
        return list(vm.disks)
    found = set()
    for name in names:
        fits = [disk for disk in vm.disks if name in (str(disk.key), disk.place, disk.label)]
        if len(fits) != 1:
            there = ", ".join(f"{disk.key} {disk.place} {disk.label!r}" for disk in vm.disks)
            raise InputError(f"{name!r} is {len(fits)} disks of {vm.name}, which has {there or 'none'}")
        found.add(fits[0].key)
    return [disk for disk in vm.disks if disk.key in found]


def items_of(vm: Vm, wish: Wish) -> list[Item]:
    """The disks with their files.

    :raises InputError: two would have the same, or one would lie elsewhere.
    """
    items = []
    for disk in chosen(vm, wish.disks):
        if wish.far is not None:
            items.append(_far_item(vm, disk, wish.far, wish))
            continue
        # Names of machines may hold what leads elsewhere, or what no file system takes.
        name = _named("file_name", wish.file_name, vm, disk, r"[/\\:\x00-\x1f\x7f]")
        if not name or name in (".", "..") or "/" in name or name.endswith((PART, MAP)):
            raise InputError(f"file_name gives {name!r} for {disk.place}, which is no name of a file in {wish.dest}")
        items.append(Item(disk, os.path.join(wish.dest, name)))
    paths = [item.target.wanted.name if item.target else item.path for item in items]
    if len(set(paths)) < len(paths):
        told = f"name is {wish.far.shape.name!r}" if wish.far else f"file_name is {wish.file_name!r}"
        raise InputError(f"{told}, the same for several disks", hint="Write {key} or {place}")
    if not items:
        raise InputError(f"{vm.name} has no disks")
    return items


def _named(option: str, template: str, vm: Vm, disk: Disk, bad: str) -> str:
    """A name for a disk.

    :param bad: pattern of what no such name may hold.
    """
    values = (vm.name, vm.uuid, vm.moid, disk.key, disk.label, disk.place, vm.disks.index(disk))
    words = {word: re.sub(bad, "_", str(value)) for word, value in zip(_WORDS, values)}
    try:
        return template.format(**words)
    except (LookupError, ValueError, AttributeError):
        raise InputError(f"{option} is {template!r}; it knows {', '.join(_WORDS)}") from None


def _far_item(vm: Vm, disk: Disk, far: Far, wish: Wish) -> Item:
    name = _named("name", far.shape.name, vm, disk, r"[\x00-\x1f\x7f]")
    if not 0 < len(name) <= 255:
        raise InputError(f"name gives {name!r} for {disk.place}; names have 1 to 255 characters")
    path = os.path.join(wish.dest, re.sub(r"[^0-9A-Za-z.-]", "_", f"{vm.uuid or vm.moid}-{disk.key}.{far.shape.to}"))
    return Item(disk, path, target=far.target(vm, disk, name))


def look(vm: Vm, items: Sequence[Item], ways: Ways, wish: Wish, stack: Any) -> None:
    """Finds out what is to be done; reads, and changes nothing.

    :param stack: an ``ExitStack`` that closes what is opened.
    """
    names, _reasons = candidates(vm, ways)
    for item in items:
        item.transport = names[0]
        try:
            if names[0] == "nfc":
                item.state = guessed_state(vm, item.disk, ways)
            else:
                item.state = files(vm, names[0], ways, stack).state(item.disk)
        except LandscapeError as error:
            item.status, item.message = "failed", str(error)
            continue
        size = item.disk.capacity_bytes
        item.head = Head(f"{vm.uuid}/{item.disk.key} {item.state or 'unknown'}", size, block_for(size))
        if wish.far is not None and item.target is not None:
            _judge_far(item, item.target, wish.far)
        elif os.path.lexists(item.path):
            _judge_there(item, wish)
    if wish.far is not None:
        wish.far.check([item.target for item in items if item.target is not None and item.status == "planned"])


def _judge_far(item: Item, target: Target, far: Far) -> None:
    """Whether there is an image or a volume, and whether it is the one."""
    try:
        item.status = far.look(target, item.disk, item.state, item.transport)
    except LandscapeError as error:
        item.status, item.message = "failed", str(error)


def _judge_there(item: Item, wish: Wish) -> None:
    """Whether the file that is there is the one."""
    if not os.path.lexists(item.path + PART) and is_recorded(item.path, item.part_map, item.head):
        item.map_path = item.part_map  # A run was killed after the file had its name, and before its map had.
    ours = load(item.map_path)
    status = os.lstat(item.path)
    item.before = {"size": status.st_size, "digest": ours.root if ours is not None and ours.complete else ""}
    if item.state and is_recorded(item.path, item.map_path, item.head):
        if wish.check == "recorded" or _is_right(item):
            item.status = "present"
        return
    ours_before = ours is not None and ours.complete and is_recorded(item.path, item.map_path, ours.head)
    if not ours_before and not wish.overwrite:
        item.status = "failed"
        item.message = f"{item.path} is there, and was not written here or was changed since; overwrite is off"


def _is_right(item: Item) -> bool:
    there = load(item.map_path)
    return there is not None and not there.compare(map_of(item.head, read_pieces(item.path, item.head.size)))


def plan_of(items: Sequence[Item], far: Far | None = None) -> Plan:
    """What would be written."""
    steps = []
    for item in items:
        if far is not None and item.target is not None:
            if item.status in ("planned", "update"):
                steps.append(far.step(item.target, item.disk, item.transport))
        elif item.status == "planned":
            after = {"disk": item.disk.path, "size": item.disk.capacity_bytes, "transport": item.transport}
            verb = "create" if item.before is None else "replace"
            steps.append(Step(verb, item.path, item.before, after, undo="Delete the file"))
    return Plan(tuple(steps))


def carry_out(vm: Vm, items: Sequence[Item], ways: Ways, wish: Wish) -> None:
    """Copies what is planned; each disk has its own outcome."""
    for item in items:
        if item.status == "update":
            _update(item, wish)
    todo = [item for item in items if item.status == "planned"]
    if not todo:
        return
    _folder(wish.dest)
    try:
        with opened(vm, [item.disk for item in todo], ways) as found:
            _copy(vm, todo, found, wish)
            if any(item.status == "failed" for item in todo):
                raise _SomeFailed("a disk was not exported")
    except _SomeFailed:
        pass  # It has been said for each disk; a lease has been given up and not completed.
    except LandscapeError as error:
        for item in todo:
            item.status, item.message = "failed", item.message or str(error)


def _update(item: Item, wish: Wish) -> None:
    if wish.far is not None and item.target is not None:
        try:
            wish.far.update(item.target)
            item.status = "done"
        except LandscapeError as error:
            item.status, item.message = "failed", str(error)


class _SomeFailed(LandscapeError):
    """Ends the way to the disks as a failure."""


def _folder(path: str) -> None:
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError as error:
        raise LandscapeError(f"The folder {path} cannot be made: {error.strerror or error}") from error


def _copy(vm: Vm, items: Sequence[Item], found: Opened, wish: Wish) -> None:
    with contextlib.ExitStack() as stack:
        jobs = [_job(vm, item, found, wish, stack) for item in items]
        outcomes = copy_all(jobs, room_of(jobs, wish.parallel), title=vm.name)
    for item, outcome in zip(items, outcomes):
        item.transport = found.transport
        if outcome.error is not None:
            item.status, item.message = "failed", str(outcome.error)
        else:
            item.status, item.copied = "done", outcome.value
            if wish.far is not None and item.target is not None and outcome.value is not None:
                item.target.identifier = wish.far.made(outcome.value.sink)


def _job(vm: Vm, item: Item, found: Opened, wish: Wish, stack: contextlib.ExitStack) -> Job:
    item.map_path = item.path + MAP

    def file() -> LocalFile:
        made = LocalFile(item.path, item.disk.capacity_bytes, {item.part_map: item.map_path})
        stack.callback(made.close)  # What a break has left is free for the next run.
        return made

    job = Job(
        name=f"{vm.name} {item.disk.place}",
        subject=item.head.subject,
        source=lambda: found.source(item.disk),
        sink=file,
        map_path=item.part_map,
        host=vm.esxi_host or vm.endpoint,
        datastore=item.disk.datastore,
        size=item.disk.capacity_bytes,
        read_back=wish.read_back,
        whole=wish.whole,
        broken=(*BROKEN, BrokenError, UnreachableError),
    )
    if wish.far is None or item.target is None:
        return job
    return _far_job(job, item, item.target, found, wish.far)


def _far_job(job: Job, item: Item, target: Target, found: Opened, far: Far) -> Job:
    """The same for an image or a volume."""

    def judge() -> None:
        found.check()
        # It stands on what is made, and is believed later.
        if found.state(item.disk) != item.state:
            raise LandscapeError(f"{job.name} was changed while it was exported")

    return dataclasses.replace(
        job,
        sink=lambda extents=None: far.sink(target, extents),
        # Where nobody can tell whether the disk has changed, nothing of before is gone on with.
        subject=item.head.subject if item.state else f"{item.head.subject} since {time.time_ns()}",
        map_path=item.map_path,
        sparse=target.format == "qcow2",
        judge=judge,
    )


def result_of(item: Item) -> Mapping[str, Any]:
    """One disk, for people and for other tasks."""
    disk, target = item.disk, item.target
    values = {
        "key": disk.key,
        "label": disk.label,
        "place": disk.place,
        "path": disk.path,
        "dest": item.path if target is None else "",
        "id": target.identifier or None if target else None,
        "name": target.wanted.name if target else os.path.basename(item.path),
        "map": item.map_path,
        "size": disk.capacity_bytes,
        "transport": item.transport,
        "status": item.status,
        "message": item.message,
    }
    if target is not None:
        values.update(format=target.format, sent=target.sent if item.status == "planned" else 0)
    if item.copied is not None:
        sent = {"sent": getattr(item.copied.sink, "sent", item.copied.data)} if target is not None else {}
        return {**values, **item.copied.as_dict(), **sent}
    if target is not None:
        return {**values, "digest": target.digest}
    there = load(item.map_path) if item.status == "present" else None
    return {**values, "digest": there.root, "sha256": there.whole} if there is not None else values


def failure_of(items: Sequence[Item]) -> str:
    """What the task fails with; empty when it does not."""
    failed = [item for item in items if item.status == "failed"]
    if not failed:
        return ""
    first = f"{failed[0].disk.place} was not exported: {failed[0].message}"
    return first if len(failed) == 1 else f"{first} (and {len(failed) - 1} more)"
