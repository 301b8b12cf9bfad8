# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Exports of disks into images or volumes of OpenStack: what is there already, what would be made, and the sinks.

They are found again by their marks, which are other ones than those of a migration: neither takes what the other made for its own.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import InputError, LandscapeError
from ..core.plan import Step
from ..openstack.backup.model import Volume
from ..openstack.backup.volumes import check_room
from ..openstack.images.glance import Glance
from ..openstack.volumes import model, sinks
from ..openstack.volumes.model import Wanted
from ..openstack.volumes.service import VolumeService
from ..vmware.model import Disk, Vm
from .sparse import format_of

DESTINATIONS = ("file", "image", "volume")
#: In front of the machine's uuid in the marks of what was exported.
_EXPORT = "export-"
_AGAIN = "remove it, or leave the disk out"


@dataclass(frozen=True)
class Shape:
    """What images or volumes are to be.

    :param to: ``image`` or ``volume``.
    :param name: template, see :func:`.exporting.named`.
    :param method: how volumes are filled, ``attach`` or ``image``.
    :param image_format: one of ``sparse.FORMATS``.
    :param properties: of images, and of volumes those that servers have which boot from them.
    """

    to: str
    name: str = "{vm}-{key}"
    method: str = "image"
    image_format: str = "auto"
    kind: str = ""
    zone: str = ""
    bootable: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Target:
    """The image or volume of one disk.

    :param identifier: of the one that is there.
    :param changes: what of it is other than wanted: name of the thing, now and wanted.
    :param format: of the image that is sent; empty where none is.
    :param sent: bytes that are expected to be sent at most.
    """

    wanted: Wanted
    identifier: str = ""
    digest: str = ""
    changes: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    format: str = ""
    sent: int = 0
    image: Mapping[str, Any] = field(default_factory=dict)


class Far:
    """Images or volumes of a project as destinations.

    :param cloud: see ``openstack.client.Cloud``.
    :param service: of volumes.
    :raises InputError: they cannot be made; nothing was touched.
    """

    def __init__(
        self,
        cloud: Any,
        shape: Shape,
        settings: sinks.Settings,
        *,
        service: VolumeService | None = None,
        glance: Glance | None = None,
    ) -> None:
        self.shape = shape
        self._cloud, self._settings = cloud, settings
        self._service, self._glance = service or VolumeService(cloud), glance or Glance(cloud)
        self._volumes: list[Volume] = self._service.cinder.volumes() if shape.to == "volume" else []

    @property
    def _filled(self) -> bool:
        """Whether volumes are written where they lie."""
        return self.shape.to == "volume" and self.shape.method == "attach"

    def target(self, vm: Vm, disk: Disk, name: str) -> Target:
        """What is wanted for a disk."""
        shape = self.shape
        metadata = {model.VM: f"{_EXPORT}{vm.uuid or vm.moid}", model.DISK: str(disk.key)}
        return Target(
            Wanted(
                name=name,
                bytes=disk.capacity_bytes,
                kind=shape.kind,
                zone=shape.zone,
                description=f"{disk.label} of {vm.name}"[:255] if shape.to == "volume" else "",
                bootable=shape.bootable,
                properties=shape.properties,
                metadata=metadata,
            )
        )

    def look(self, target: Target, disk: Disk, state: str, transport: str) -> str:
        """Finds out what is to be done for a disk: ``present``, ``planned``, or ``update``.

        :param state: names the content of the disk; empty where nobody can tell.
        :raises LandscapeError: what is there was made of other bytes, or nobody can tell.
        """
        target.wanted = dataclasses.replace(
            target.wanted, metadata={**target.wanted.metadata, model.SOURCE_STATE: state}
        )
        if not self._filled:
            target.format = format_of(self.shape.image_format, transport, disk.capacity_bytes, disk.allocated_bytes)
        kept = disk.capacity_bytes if disk.allocated_bytes is None else min(disk.allocated_bytes, disk.capacity_bytes)
        # What the source keeps is more than its data, which only shows when it is read.
        target.sent = disk.capacity_bytes if target.format == "raw" else kept
        there = self._image_there(target) if self.shape.to == "image" else self._volume_there(target)
        if there is None:
            return "planned"
        before, name = there.get(model.SOURCE_STATE, ""), f"{self.shape.to} {target.wanted.name} ({target.identifier})"
        # The first word is the transport that was asked; each of them says the same of a file.
        if not state or not before or before.partition(":")[2] != state.partition(":")[2]:
            what = "was changed" if state and before else "may have been changed"
            raise LandscapeError(f"The disk {what} after {name} was made of it: {_AGAIN}")
        if state != before:
            target.wanted = dataclasses.replace(
                target.wanted, metadata={**target.wanted.metadata, model.SOURCE_STATE: before}
            )
            target.changes = {key: pair for key, pair in target.changes.items() if key != "metadata"}
        return "update" if target.changes else "present"

    def _image_there(self, target: Target) -> Mapping[str, str] | None:
        found = sinks.images_of(self._glance, self._cloud.project_id, target.wanted)
        if not found:
            return None
        target.image = image = found[0]
        target.identifier, target.digest = str(image["id"]), str(image.get(model.DIGEST) or "")
        wanted = {"name": target.wanted.name, "os_hidden": False, **target.wanted.properties}
        target.changes = {key: (image.get(key), value) for key, value in wanted.items() if image.get(key) != value}
        return {key: str(value) for key, value in image.items() if isinstance(value, str)}

    def _volume_there(self, target: Target) -> Mapping[str, str] | None:
        done = [one for one in model.mine(self._volumes, target.wanted) if model.is_done(one)]
        if not done:
            return None
        target.identifier, target.digest = done[0].id, done[0].metadata.get(model.DIGEST, "")
        target.changes = model.drift(done[0], target.wanted)
        return done[0].metadata

    def check(self, targets: Sequence[Target]) -> None:
        """Whether all of what is missing can be made, as far as anybody can tell before.

        :raises InputError: it cannot.
        """
        if self.shape.to != "volume" or not targets:
            return
        problems = self._service.missing(targets[0].wanted)
        reach = self._settings.reach
        if self._filled:
            problems += [] if reach.told else ["nobody says where volumes lie: give mounts, or ceph_conf"]
            problems += [f"{one} is no folder" for one in sorted(reach.mounts.values()) if not os.path.isdir(one)]
        if problems:
            raise InputError("; ".join(problems), hint="Nothing was touched yet")
        new = [one.wanted for one in targets if not model.mine(self._volumes, one.wanted)]
        if new:
            why = "The disks do not fit into volumes"
            check_room(self._service.cinder.limits(), len(new), sum(one.gib for one in new), why)

    def step(self, target: Target, disk: Disk, transport: str) -> Step:
        """What would be made, or changed."""
        name = f"{self.shape.to} {target.wanted.name}"
        if target.identifier:
            now, then = ({key: pair[side] for key, pair in target.changes.items()} for side in (0, 1))
            return Step("update", name, now, then, undo="Set the former values")
        after: dict[str, Any] = {"disk": disk.path, "bytes": disk.capacity_bytes, "transport": transport}
        after.update({"format": target.format} if target.format else {})
        after.update(sent=target.sent, properties=dict(target.wanted.properties))
        if self.shape.to == "volume":
            more = {"size": target.wanted.gib, "type": target.wanted.kind, "availability_zone": target.wanted.zone}
            after.update(**more, bootable=target.wanted.bootable, method=self.shape.method)
        return Step("create", name, None, after, undo=f"Delete the {self.shape.to}")

    def update(self, target: Target) -> None:
        """Sets what is other than wanted on what is there."""
        if self.shape.to == "image":
            self._glance.converge(target.image, {key: pair[1] for key, pair in target.changes.items()})
        else:
            self._service.settle(target.identifier, target.wanted, "")

    def sink(self, target: Target, extents: Sequence[tuple[int, int]] | None = None) -> Any:
        """Opens the sink of a disk."""
        if self.shape.to == "image":
            return sinks.open_image(
                self._cloud, target.wanted, settings=self._settings, extents=extents, glance=self._glance
            )
        return sinks.open_sink(
            self._cloud,
            target.wanted,
            self.shape.method,
            settings=self._settings,
            extents=extents,
            service=self._service,
        )

    def made(self, sink: Any) -> str:
        """The id of what a sink has made."""
        return str(sink.image.identifier if self.shape.to == "image" else sink.volume)
