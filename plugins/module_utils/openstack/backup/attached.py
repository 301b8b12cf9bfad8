# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Volumes that Cinder lends to this machine: read where its answer says they are, so that nobody has to know their back end.

Only volumes that are ours are read so: while one is attached here, nobody else can have it, and a run that is killed leaves it
attached.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import InputError, LandscapeError
from ..volumes import places
from ..volumes.places import Reach
from ..volumes.service import VolumeService
from . import readers
from .blocks import Stream
from .readers import FileStream, RbdReader, Reader, Subject
from .volumes import Patience


def reader_of(options: Mapping[str, Any], cloud: Any, patience: Patience) -> Reader:
    """The reader that an operator's options describe, for volumes that nobody else needs.

    :raises InputError: they do not fit together.
    """
    if options["kind"] != readers.ATTACHMENT:
        return readers.reader_of(options)
    return AttachedReader(service_of(cloud, patience), reach_of(options))


def service_of(cloud: Any, patience: Patience) -> VolumeService:
    """Cinder, as far as attachments go."""
    return VolumeService(cloud, patience=patience.within, clock=patience.clock, sleep=patience.sleep)


def reach_of(options: Mapping[str, Any]) -> Reach:
    """What the options of a reader say about this machine."""
    return Reach(
        mounts={str(key): str(value) for key, value in (options.get("mounts") or {}).items()},
        ceph_conf=str(options.get("conf") or ""),
        ceph_user=str(options.get("user") or ""),
        stall=float(options.get("stall") or 120),
    )


@dataclass(frozen=True)
class AttachedReader:
    """Volumes by attachments of Cinder: files of file drivers, images of Ceph.

    :param service: may be used from many threads.
    """

    service: VolumeService
    reach: Reach

    @contextlib.contextmanager
    def open(self, subject: Subject) -> Iterator[Stream]:
        """See :class:`.readers.Reader`; the volume is available again when the block is left."""
        if subject.snapshot or subject.point:
            raise InputError(
                "Cinder attaches volumes, and no snapshots of them", hint="Use a reader of kind rbd or file"
            )
        attached = self.service.attach(subject.volume)
        try:
            with contextlib.ExitStack() as closed:
                yield self._stream(attached.info, subject, closed)
        finally:
            self.service.detach(subject.volume, attached.id)

    def _stream(self, info: Mapping[str, Any], subject: Subject, closed: contextlib.ExitStack) -> Stream:
        place = places.where(info, self.reach)
        if isinstance(place, str):
            return FileStream(place, _opened(place, closed))
        pool, _slash, image = place.name.rpartition("/")
        reader = RbdReader(pool, image, conf=place.conf, user=place.user, stall=self.reach.stall)
        return closed.enter_context(reader.open(subject))


def _opened(path: str, closed: contextlib.ExitStack) -> Any:
    """A file of a file driver, read only: what is judged must not become longer or shorter by being looked at."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        file = closed.enter_context(os.fdopen(handle, "rb", buffering=0))
        # Another machine has written it.
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError as error:
        hint = "Whoever runs this needs the rights of the volume service on the share"
        raise LandscapeError(f"{path} cannot be read: {error.strerror or error}", hint=hint) from error
    return file
