# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What ``vm_migration_verify`` looks at: lists of the target, block maps, and volumes that are read back."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from ...core.blockmap import BlockMap, Head, map_of
from ...core.errors import LockedError
from ...core.journal import load
from ...openstack.backup.model import Volume
from ...openstack.images import owner
from ...openstack.volumes import model as volumes
from ...openstack.volumes.places import Reach, place_of
from ...openstack.volumes.service import VolumeService
from .checks import There
from .model import Disk, Machine

GIB = 1024**3
#: The microversion from which on Nova shows the name of a flavor in a server.
_FLAVOR = "2.47"


def there(cloud: Any, service: VolumeService, machines: Sequence[Machine], folder: str, kinds: Sequence[str]) -> There:
    """What is at the target; what no check needs is not listed."""
    maps = {}
    for machine in machines:
        for disk in machine.disks:
            known = load(os.path.join(folder, f"{machine.uuid}-{disk.key}.map")) if folder else None
            if known is not None:
                maps[(machine.uuid, disk.key)] = known
    return There(
        volumes=service.cinder.volumes(),
        ports=list(cloud.pages("network", "/ports", "ports")) if {"ports", "server"} & set(kinds) else (),
        servers=_servers(cloud) if "server" in kinds else (),
        maps=maps if folder else None,
    )


def _servers(cloud: Any) -> list[dict[str, Any]]:
    version = cloud.microversion("compute", _FLAVOR)
    return list(cloud.pages("compute", "/servers/detail", "servers", microversion=version, limit=500))


def reader(service: VolumeService, reach: Reach) -> Callable[[Volume, Disk, BlockMap], tuple[BlockMap, bool]]:
    """What reads a volume back where it lies, attached for that time only."""

    def read(volume: Volume, disk: Disk, known: BlockMap) -> tuple[BlockMap, bool]:
        if owner.lives(volume.metadata.get(volumes.RUN, owner.NOBODY), volume.updated):
            raise LockedError(f"volume {volume} is used by another run: {volume.metadata[volumes.RUN]}")
        left = volume.metadata.get(volumes.ATTACHMENT, "")
        if left:  # by a run that was killed
            service.detach(volume.id, left)
        service.note(volume.id, {volumes.RUN: owner.mark()[:255]})
        try:
            return compared(volume, disk, known)
        finally:
            service.unnote(service.show(volume.id))

    def compared(volume: Volume, disk: Disk, known: BlockMap) -> tuple[BlockMap, bool]:
        lent = service.attach(volume.id)
        try:
            place = place_of(lent.info, volume.size * GIB, reach)
            try:
                head = Head(known.head.subject, disk.capacity, known.head.block)
                now = map_of(head, place.read(0, disk.capacity))
                behind = place.read(disk.capacity, volume.size * GIB) if volume.size * GIB > disk.capacity else ()
                return now, all(piece.data is None or not any(piece.data) for piece in behind)
            finally:
                place.close()
        finally:
            service.detach(volume.id, lent.id)

    return read
