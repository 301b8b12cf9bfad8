# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""One moment for all volumes of a server: how it is taken, how good it is, and what it leaves behind. Pure.

A server that boots from a volume is taken by one ``createImage``: Nova freezes the guest once, through its agent, makes a
snapshot of every volume and thaws it. The image is only the list of the snapshots. For any other server Nova would take its
local disk and none of its volumes (``snapshot`` in ``nova/compute/api.py``), so its volumes get snapshots one after another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from . import model
from .model import Volume

#: What a policy may ask for. ``none`` takes each volume by itself.
CONSISTENCY = ("none", "crash", "quiesce_required")
#: Property of the images we make here.
KIND, POINT_KIND = "scs_landscape_kind", "point"
#: Which process made an image or a snapshot; written as ``images.owner.mark`` does.
MAKER = "scs_landscape_owner"
_NAME = "scs-landscape point"
#: States in which Nova makes an image of a server.
_IMAGED = ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED")
#: States in which nothing writes to a volume, and in which a guest has written what it had to.
_OFF = ("SHUTOFF", "SHELVED", "SHELVED_OFFLOADED")
_TRUE = ("1", "t", "true", "on", "y", "yes")


@dataclass(frozen=True)
class Server:
    """A server as far as its volumes go.

    :param status: Nova's, in upper case.
    :param from_volume: whether its root disk is a volume.
    :param volumes: ids, in the order in which Nova tells them.
    :param tags: where they were asked for.
    """

    id: str
    name: str = ""
    project: str = ""
    status: str = ""
    task: str = ""
    from_volume: bool = False
    volumes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


@dataclass(frozen=True)
class Way:
    """How the volumes of a server are taken.

    :param together: by one ``createImage``, and not one by one.
    :param level: ``crash`` or ``quiesced``; what a backup may say of itself.
    :param why: the reason of the level.
    """

    together: bool
    level: str
    why: str


@dataclass(frozen=True)
class Maker:
    """Which process made an image or a snapshot, and when that was last seen to change.

    :param mark: as ``images.owner.mark`` writes it; empty where Nova made a snapshot and we have not marked it yet.
    """

    mark: str = ""
    changed: str = ""


@dataclass(frozen=True)
class Part:
    """The snapshot of one volume.

    :param size: GiB.
    :param level: what was promised of its moment when it was made; empty before it is marked.
    """

    volume: str
    snapshot: str
    size: int = 0
    created: str = ""
    status: str = ""
    level: str = field(default="", compare=False)
    maker: Maker = field(default=Maker(), compare=False)


@dataclass(frozen=True)
class Point:
    """What was taken of a server.

    :param id: the same for all its volumes, and for no other point.
    :param image: the image that ``createImage`` made, empty when the volumes were taken one by one.
    :param resumed: whether an earlier start of the same run took it.
    """

    id: str
    server: str
    run: str
    level: str
    why: str
    parts: tuple[Part, ...]
    image: str = ""
    resumed: bool = False

    @property
    def spread(self) -> float:
        """Seconds from the first snapshot to the last one, as Cinder noted them."""
        moments = [model.moment(part.created).timestamp() for part in self.parts if part.created]
        return max(moments) - min(moments) if moments else 0.0

    def snapshot(self, volume: str) -> str:
        """The snapshot of a volume; empty when it was not there at that moment."""
        return next((part.snapshot for part in self.parts if part.volume == volume), "")

    def marks(self) -> dict[str, str]:
        """What a backup of one of its snapshots says about it.

        Snapshots that were made one after the other of a server that ran are no common moment, so they name none.
        """
        common = {model.POINT: self.id} if self.image or self.level == "quiesced" else {}
        return {**common, model.SERVER: self.server, model.LEVEL: self.level}


@dataclass(frozen=True)
class Leftover:
    """An image or a snapshot that a run should have removed.

    :param kind: ``image`` or ``snapshot``.
    """

    kind: str
    id: str
    run: str
    server: str
    created: str = ""
    maker: Maker = Maker()

    def __str__(self) -> str:
        return f"{self.kind} {self.id} of run {self.run}"


def server_of(body: Mapping[str, Any]) -> Server:
    """A server of ``GET /servers/detail``, without a microversion or with the one of tags."""
    attached = body.get("os-extended-volumes:volumes_attached") or ()
    return Server(
        id=str(body["id"]),
        name=str(body.get("name") or ""),
        project=str(body.get("tenant_id") or ""),
        status=str(body.get("status") or "").upper(),
        task=str(body.get("OS-EXT-STS:task_state") or ""),
        from_volume=not body.get("image"),
        volumes=tuple(str(one["id"]) for one in attached),
        tags=tuple(str(one) for one in body.get("tags") or ()),
    )


# How.


def seen_again(server: Server, later: Server | None, how: Way) -> Way:
    """How good a point is, once its server was looked at again behind the last snapshot.

    :param server: as it was before the first one.
    :param later: nothing when it is gone; then nobody wrote any more.
    """
    if later is None or server.status not in _OFF or later.status in _OFF:
        return how
    return Way(
        how.together, "crash", f"the server was {server.status}, and {later.status} before its snapshots were done"
    )


def way(server: Server, volumes: Iterable[Volume], consistency: str) -> Way:
    """How a server's volumes are to be taken.

    :param volumes: those of the server, root included; its image's properties say whether there is an agent.
    :param consistency: ``crash`` or ``quiesce_required``.
    :raises InputError: what is asked for is not possible; the message says what is missing.
    """
    if consistency not in CONSISTENCY[1:]:
        raise InputError(f"server {server}: consistency {consistency!r} takes no point; it is one of {CONSISTENCY[1:]}")
    together = server.from_volume and server.status in _IMAGED
    if server.status in _OFF:
        return Way(together, "quiesced", f"the server is {server.status}, nothing writes")
    missing = _missing(server, root_of(server, volumes))
    if not missing:
        return Way(
            together, "quiesced", "the guest's agent freezes its file systems, and Nova must not go on without it"
        )
    if consistency == "quiesce_required":
        raise InputError(
            f"server {server}: quiesce_required is not possible: {missing}",
            hint="Shut the server off, use an image with a guest agent, or ask for consistency crash",
        )
    return Way(together, "crash", missing)


def _missing(server: Server, root: Volume | None) -> str:
    """Why nobody can promise that the guest is frozen; empty when Nova promises it."""
    if server.status != "ACTIVE":
        return f"the server is {server.status}, its guest cannot answer"
    if not server.from_volume:
        return "Nova freezes only servers that boot from a volume"
    properties = root.image if root else {}
    absent = [
        name for name in ("hw_qemu_guest_agent", "os_require_quiesce") if properties.get(name, "").lower() not in _TRUE
    ]
    return f"its image does not have {' and '.join(absent)}" if absent else ""


def root_of(server: Server, volumes: Iterable[Volume]) -> Volume | None:
    """The volume that a server boots from: a bootable one, the first by its device."""
    if not server.from_volume:
        return None
    mine = [one for one in volumes if one.id in server.volumes and one.bootable]
    return min(mine, key=lambda one: (_device(one, server.id), server.volumes.index(one.id)), default=None)


def _device(volume: Volume, server: str) -> tuple[int, str]:
    device = next((one.device for one in volume.attachments if one.server == server), "")
    return len(device) or 99, device  # vdb comes before vdaa


def shortage(limits: Mapping[str, int], sizes: Sequence[int]) -> str:
    """Why snapshots of these sizes do not fit into the limits of the project; empty when they do.

    :param limits: those of Cinder: ``maxTotalSnapshots``, ``totalSnapshotsUsed``...; -1 is no limit.
    :param sizes: GiB.
    """
    wanted = (
        ("snapshots", len(sizes), "maxTotalSnapshots", "totalSnapshotsUsed"),
        ("GiB", sum(sizes), "maxTotalVolumeGigabytes", "totalGigabytesUsed"),
    )
    found = []
    for what, count, most, used in wanted:
        limit, taken = limits.get(most, -1), limits.get(used, 0)
        if limit >= 0 and taken + count > limit:
            found.append(f"{count} {what} do not fit, {taken} of {limit} are used ({most})")
    return "; ".join(found)


# Names: Nova names a snapshot after the image, so all that a killed run leaves says whose it is.


def name_of(run: str, server: str) -> str:
    """Name of the image of a point, and the end of the name of each of its snapshots.

    :raises InputError: the run's name is too long for it.
    """
    name = f"{_NAME} {run} {server}"
    if len(name) > 230 or not run.strip():
        raise InputError(f"run {run!r} is no name for a run: it has 1 to {229 - len(_NAME) - len(server)} characters")
    return name


def owner_of(name: str) -> tuple[str, str] | None:
    """Run and server of the name of an image or a snapshot; nothing when it is none of a point."""
    _before, mark, rest = name.rpartition(f"{_NAME} ")
    run, _space, server = rest.rpartition(" ")
    return (run, server) if mark and run and server else None


def leftover_of(kind: str, body: Mapping[str, Any]) -> Leftover | None:
    """An image or a snapshot of a point, of whichever run."""
    owner = owner_of(str(body.get("name") or ""))
    if owner is None:
        return None
    return Leftover(kind, str(body["id"]), *owner, created=str(body.get("created_at") or ""), maker=maker_of(body))


def maker_of(body: Mapping[str, Any]) -> Maker:
    """Whose an image of Glance or a snapshot of Cinder is."""
    marks = body.get("metadata") or body
    changed = str(body.get("updated_at") or body.get("created_at") or "")
    return Maker(str(marks.get(MAKER) or ""), changed)


def is_orphan(leftover: Leftover, run: str, now: float, age: float) -> bool:
    """Whether nobody needs it any more: it is of another run, and older than any run gets.

    :param now: seconds since the epoch.
    :param age: seconds; what is younger may belong to a run that is under way elsewhere.
    """
    return leftover.run != run and model.moment(leftover.created).timestamp() + age < now


def snapshots_of(image: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids of the snapshots that an image of a server lists."""
    mapping = image.get("block_device_mapping") or []
    if isinstance(mapping, str):  # Glance keeps properties as texts
        try:
            mapping = json.loads(mapping)
        except ValueError:
            return ()
    if not isinstance(mapping, list):
        return ()
    return tuple(str(one["snapshot_id"]) for one in mapping if isinstance(one, Mapping) and one.get("snapshot_id"))


def part_of(body: Mapping[str, Any]) -> Part:
    """A snapshot of Cinder."""
    return Part(
        volume=str(body.get("volume_id") or ""),
        snapshot=str(body["id"]),
        size=int(body.get("size") or 0),
        created=str(body.get("created_at") or ""),
        status=str(body.get("status") or ""),
        level=str((body.get("metadata") or {}).get(model.LEVEL) or ""),
        maker=maker_of(body),
    )
