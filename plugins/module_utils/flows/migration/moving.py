# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The disks of a wave, from their machines straight into volumes: what is there, what is missing, and moving it.

Nothing is staged: bytes go from the source to the volume while they come. A way to the disks of a machine (a lease, a login) is
opened when the first of them begins and closed when the last one has ended, so a machine that waits holds none.
"""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ...core.errors import InputError, LandscapeError
from ...core.journal import load
from ...core.plan import Plan, Step
from ...core.transfer import Source
from ...openstack.backup.model import Volume
from ...openstack.volumes import model as volumes
from ...openstack.volumes.places import Reach
from ...vmware.model import Disk as SourceDisk
from ...vmware.model import UnreachableError, Vm
from .. import fleet
from ..copying import BROKEN, Copied, Job, Progress, copy
from . import figures
from .model import Disk, Document, Machine
from .ways import Open, Way

#: Opens a sink for a volume; for a sparse image it is told where there is data.
OpenSink = Callable[..., Any]


@dataclass
class Item:
    """One disk of the wave.

    :param volume: id of its volume, once there is one.
    :param status: ``present``, ``planned``, ``done`` or ``failed``.
    :param state: what the source was when the volume that is present was filled; empty when nobody can tell.
    :param used: whether a server has that volume.
    :param began: seconds since the epoch at which this run began with it.
    """

    machine: Machine
    vm: Vm
    disk: Disk
    wanted: volumes.Wanted
    map_path: str
    volume: str = ""
    status: str = "planned"
    message: str = ""
    copied: Copied | None = None
    digest: str = ""
    state: str = ""
    used: bool = False
    began: float = 0.0

    @property
    def source(self) -> SourceDisk:
        """The disk at the source."""
        return next(one for one in self.vm.disks if one.key == self.disk.key)

    @property
    def label(self) -> str:
        """The disk as people name it."""
        return f"{self.machine.name} {self.disk.label}"


def items_of(
    machines: Sequence[Machine],
    vms: Sequence[Vm],
    folder: str,
    metadata: Mapping[str, Mapping[str, str]],
    *,
    off: bool = True,
    day: str = "",
) -> list[Item]:
    """The disks of some machines with the volumes that are wanted for them.

    :param vms: the machines at the source now.
    :param metadata: further metadata of volumes, by uuid of the machine.
    :param off: whether they have to be off.
    :param day: of the migration, ``YYYY-MM-DD``; it is no part of a plan, whose digest has to be the same tomorrow.
    :raises InputError: a machine is not there, is on, or has other disks than the plan says; all at once.
    """
    by = {vm.uuid: vm for vm in vms}
    problems = [text for one in machines for text in _differs(one, by.get(one.uuid), off)]
    if problems:
        raise InputError("\n".join(problems))
    return [
        _item(one, by[one.uuid], disk, folder, metadata.get(one.uuid, {}), day)
        for one in machines
        for disk in one.disks
    ]


def _differs(machine: Machine, vm: Vm | None, off: bool) -> list[str]:
    """Why the disks of a machine cannot be moved as the plan says."""
    if vm is None:
        return [f"{machine.label} is not among vms"]
    found = (
        [] if vm.power == "off" or not off else [f"{machine.label} is {vm.power}; its disks change while they are read"]
    )
    there = {disk.key: disk.capacity_bytes for disk in vm.disks}
    planned = {disk.key: disk.capacity for disk in machine.disks}
    found += [f"{machine.label}: its disk {key} is not in the plan" for key in sorted(set(there) - set(planned))]
    for disk in machine.disks:
        if there.get(disk.key) != disk.capacity:
            now = f"{there[disk.key]} bytes" if disk.key in there else "gone"
            found.append(f"{machine.label}: {disk.label} is {now}, and was {disk.capacity} bytes when it was planned")
    return found


def _item(machine: Machine, vm: Vm, disk: Disk, folder: str, metadata: Mapping[str, str], day: str) -> Item:
    dated = {"image_build_date": day} if day else {}
    wanted = volumes.Wanted(
        name=disk.volume,
        bytes=disk.capacity,
        size=disk.size,
        kind=disk.volume_type,
        description=f"{disk.label} of {machine.label}"[:255],
        bootable=disk.position == 0,
        # Nova reads them from the volume that a server boots from.
        properties={**dated, **machine.properties} if disk.position == 0 else {},
        metadata={**metadata, volumes.VM: machine.uuid, volumes.DISK: str(disk.key)},
    )
    return Item(machine, vm, disk, wanted, os.path.join(folder, f"{machine.uuid}-{disk.key}.map"))


def look(items: Sequence[Item], there: Sequence[Any]) -> None:
    """Finds out which volumes are there already.

    :param there: all volumes of the project.
    """
    for item in items:
        done = [one for one in volumes.mine(there, item.wanted) if volumes.is_done(one)]
        if done:
            item.volume, item.status = done[0].id, "present"
            item.digest = done[0].metadata.get(volumes.DIGEST, "")
            item.state = done[0].metadata.get(volumes.SOURCE_STATE, "")
            item.used = any(one.server for one in done[0].attachments)


def possible(items: Sequence[Item], missing: Callable[[volumes.Wanted], Sequence[str]], reach: Reach | None) -> None:
    """Whether volumes can be made and filled as far as anybody can tell before.

    :param missing: what of a volume the block storage does not have.
    :param reach: of this machine, where it has to write volumes itself.
    :raises InputError: it cannot be done; all at once.
    """
    planned = {(one.wanted.kind, one.wanted.zone): one.wanted for one in items if one.status == "planned"}
    problems = [text for wanted in planned.values() for text in missing(wanted)]
    if planned and reach is not None:
        problems += [] if reach.told else ["nobody says where volumes lie: give mounts, or ceph_conf"]
        problems += [f"{one} is no folder" for one in sorted(reach.mounts.values()) if not os.path.isdir(one)]
    if problems:
        raise InputError("\n".join(dict.fromkeys(problems)), hint="Nothing was touched yet")


def marks(machines: Sequence[Machine], there: Sequence[Volume]) -> dict[str, str]:
    """What volumes say of how their machines were at the source, by uuid; another converter may have begun them."""
    uuids = {one.uuid for one in machines}
    ours = [one.metadata for one in there if one.metadata.get(volumes.VM) in uuids and volumes.STATE in one.metadata]
    return {one[volumes.VM]: one[volumes.SOURCE] for one in ours if one.get(volumes.SOURCE)}


def unchanged(items: Sequence[Item], state: Callable[[Item], str], *, whole: bool = False) -> None:
    """Makes sure that volumes which are there hold what their machines have now.

    :param whole: whether a volume that is missing is a problem, too.
    :param state: what names the content of the disk of an item now; empty where nobody can tell.
    :raises InputError: a machine ran since its volume was filled, or nobody can tell; all at once.
    """
    problems = [text for one in items if one.status == "present" for text in _aged(one, state(one))]
    problems += [f"{one.label}: it has no volume that is whole" for one in items if whole and one.status != "present"]
    if problems:
        raise InputError("\n".join(problems), hint="Roll these machines back, and migrate them again")


def _aged(item: Item, now: str) -> list[str]:
    # Where a server has it already and nobody can tell, that the machine is off has to do.
    if (now and now == item.state) or (item.used and not (now and item.state)):
        return []
    if now and item.state:
        return [
            f"{item.label} was changed after its volume {item.volume} was filled, so the volume lacks what was written since"
        ]
    return [f"{item.label}: nobody can tell whether it was changed after its volume {item.volume} was filled"]


def plan_of(items: Sequence[Item]) -> Plan:
    """What would be made."""
    return Plan(
        tuple(
            Step("create", f"volume {one.wanted.name}", None, _shown(one), undo="Delete the volume")
            for one in items
            if one.status == "planned"
        )
    )


def _shown(item: Item) -> dict[str, Any]:
    shown = {"disk": item.label, "bytes": item.disk.capacity, "size": item.disk.size, "type": item.disk.volume_type}
    shown.update({"format": item.disk.format} if item.disk.format else {})
    return {**shown, "transport": item.machine.transport, "read": item.disk.read, "sent": item.disk.sent}


@dataclass(frozen=True)
class Moving:
    """How disks are moved.

    :param converter: name of the machine where this runs.
    """

    open: Open
    sink: OpenSink
    converter: str = ""
    read_back: bool = True
    broken: tuple[type[LandscapeError], ...] = (*BROKEN, UnreachableError)

    def carry_out(self, items: Sequence[Item], document: Document, stop: threading.Event | None = None) -> float:
        """Moves what is planned; the failure of one disk ends no other. The seconds that it took."""
        make_folders(items)
        return self._all(items, document, stop)

    def _all(self, items: Sequence[Item], document: Document, stop: threading.Event | None) -> float:
        todo = [one for one in items if one.status == "planned"]
        ways = self._ways(todo)
        jobs = [self._job(one, ways[one.machine.uuid]) for one in todo]
        by = {job.name: one for job, one in zip(jobs, todo)}
        limits = document.settings["limits"]
        room = fleet.room_of(jobs, limits["host"], limits["datastore"], limits["converter"], limits["total"])

        def work(job: Job, progress: Progress, ends: threading.Event) -> Copied:
            way, error = ways[by[job.name].machine.uuid], None
            by[job.name].began = round(time.time(), 3)
            try:
                return copy(job, progress, ends)
            except LandscapeError as found:
                error = found
                raise
            finally:
                way.end(error)

        began = time.monotonic()
        for one, outcome in zip(todo, fleet.copy_all(jobs, room, work=work, stop=stop, title="disks")):
            _settle(one, outcome)
        return time.monotonic() - began

    def _ways(self, todo: Sequence[Item]) -> dict[str, Way]:
        found: dict[str, Way] = {}
        for one in todo:
            mine = tuple(other.source for other in todo if other.machine.uuid == one.machine.uuid)
            found[one.machine.uuid] = Way(one.vm, mine, one.machine.transports, self.open, len(mine))
        return found

    def _job(self, item: Item, way: Way) -> Job:
        def source() -> Source:
            found: Source = way.get().source(item.source)
            return found

        seen: list[str] = []

        def sink(*extents: Any) -> Any:
            seen[:] = [way.get().state(item.source)]
            marks = {**item.wanted.metadata, volumes.SOURCE_STATE: seen[0]}
            return self.sink(dataclasses.replace(item.wanted, metadata=marks), *extents)

        def subject() -> str:
            # A machine that ran meanwhile has another disk; where nobody can tell, nothing is gone on with.
            return f"{item.machine.uuid}/{item.disk.key} {seen[0] or f'unknown since {time.time_ns()}'}"

        def judge() -> None:
            way.get().check()
            if way.get().state(item.source) != seen[0]:
                raise LandscapeError(f"{item.label} was changed while it was copied")

        return Job(
            name=f"{item.label} ({item.machine.uuid})",
            subject=subject,
            source=source,
            sink=sink,
            map_path=item.map_path,
            host=f"{item.machine.endpoint} {item.vm.esxi_host}",
            datastore=f"{item.machine.endpoint} {item.disk.datastore}",
            converter=self.converter,
            size=item.disk.capacity,
            read_back=self.read_back,
            broken=self.broken,
            judge=judge,
            sparse=item.disk.format == "qcow2",
        )


def make_folders(items: Sequence[Item]) -> None:
    """Makes the folders of block maps, for their owner alone.

    :raises LandscapeError: one cannot be made.
    """
    for folder in {os.path.dirname(os.path.abspath(one.map_path)) for one in items}:
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
        except OSError as error:
            raise LandscapeError(f"The folder {folder} cannot be made: {error.strerror or error}") from error


def _settle(item: Item, outcome: Any) -> None:
    if outcome.error is not None:
        item.status, item.message = "failed", str(outcome.error)
        return
    item.status, item.copied = "done", outcome.value
    item.volume, item.digest = str(outcome.value.sink.volume), outcome.value.digest


def values(items: Sequence[Item], seconds: float) -> dict[str, Any]:
    """What ``vm_migration_copy`` returns."""
    made: dict[str, dict[str, Any]] = {}
    for one in items:
        if one.volume:
            mine = made.setdefault(one.machine.uuid, {"volumes": {}})
            mine["volumes"][str(one.disk.key)] = one.volume
            kept = getattr(one.copied.sink, "kept", "") if one.copied else ""
            if kept:
                mine.setdefault("images", {})[str(one.disk.key)] = kept
            figures.keep(mine, _result(one))
    whole = {one.machine.uuid for one in items} - {one.machine.uuid for one in items if not one.volume}
    told = [_result(one) for one in items]
    return {"disks": told, "made": made, "copied": sorted(whole), "figures": figures.sums(told, seconds)}


def _result(item: Item) -> dict[str, Any]:
    found = {
        "vm": item.machine.uuid,
        "vm_name": item.machine.name,
        "key": item.disk.key,
        "label": item.disk.label,
        "volume": item.volume or None,
        "name": item.wanted.name,
        "status": item.status,
        "message": item.message,
        "digest": item.digest,
        "verified": getattr(item.copied.sink, "verified", volumes.NONE) if item.copied else "",
        "map": item.map_path if load(item.map_path) else "",
        "size": item.disk.capacity,
        "transport": item.machine.transport,
    }
    moved = {**item.copied.as_dict(), "sent": _sent(item.copied), "began": item.began} if item.copied else {}
    return {**found, **moved, "predicted": item.status == "planned"}


def _sent(copied: Copied) -> int:
    """Bytes that went to the target; of an image in raw form these are all."""
    return int(getattr(copied.sink, "sent", copied.data))
