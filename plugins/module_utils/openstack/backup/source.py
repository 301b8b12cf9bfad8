# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Digests of what is backed up, taken when it is backed up: what a restore is compared with later.

A snapshot does not change, so an attached volume is taken from one. A volume is read only while nobody has it attached; that nobody
had it meanwhile is looked up before its backup is asked for, without force, so that Cinder refuses one that was attached in the
last moment.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from ...core.errors import InputError, LandscapeError
from . import blocks, readers
from .cinder import Cinder
from .model import Volume
from .readers import Reader, Subject

_GIB = 1 << 30


class Source:
    """Where the bytes of volumes can be read, and where lists of digests are kept.

    :param folder: of the lists.
    """

    def __init__(self, reader: Reader, folder: str) -> None:
        self.reader, self.folder = reader, folder

    @property
    def snapshots(self) -> bool:
        """Whether snapshots can be read."""
        return bool(getattr(self.reader, "snapshot", ""))

    def digest(self, cinder: Cinder, volume: Volume, snapshot: str, stop: threading.Event) -> str:
        """The digest of the list of a volume's blocks.

        :param snapshot: what is backed up instead of the volume; empty for the volume.
        :raises LandscapeError: there is none, and why.
        """
        before = None if snapshot else self._free(cinder, volume)
        with self.reader.open(Subject(volume.id, snapshot=snapshot)) as stream:
            project = str(cinder.cloud.project_id)  # Cinder gives a backup to the project that asks for it
            found = blocks.take(stream, volume.id, volume.size * _GIB, self.folder, project=project, stop=stop)
        if before is not None and self._free(cinder, volume).updated != before.updated:
            raise LandscapeError("something was done with the volume while it was read")
        return found.root

    @staticmethod
    def _free(cinder: Cinder, volume: Volume) -> Volume:
        """The volume, when nobody writes to it."""
        found = cinder.volume(volume.id)
        if found is None or found.status != "available" or found.attachments:
            raise LandscapeError(
                f"the volume is {found.status if found else 'gone'}, and only a snapshot of it could be read",
                hint="It gets one with backup_driver chunked (also where backups show that), for a reader that reads"
                " snapshots (snapshot_path, or kind rbd); with Ceph's driver, detach the volume or go without digests",
            )
        return found


def source_of(params: Mapping[str, Any]) -> Source | None:
    """What the options ``reader`` and ``digests`` say; nothing without them.

    :raises InputError: one is there without the other, or they do not fit together.
    """
    reader, folder = params.get("reader"), params.get("digests")
    if not reader and not folder:
        return None
    if not reader or not folder:
        raise InputError("digests and reader belong together: one says where lists are kept, the other what is read")
    return Source(readers.reader_of(reader), str(folder))
