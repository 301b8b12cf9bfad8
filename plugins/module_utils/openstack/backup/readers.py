# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Where the bytes of volumes are read: files of a file driver, block devices, images of Ceph. Runs where they are."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ...core.errors import InputError, LandscapeError
from .blocks import Piece, Stream, ring_of
from .client import PipeStream

#: Kind of reader that :mod:`.attached` knows.
ATTACHMENT = "attachment"
#: Option ``reader`` of the modules.
ARGUMENTS: dict[str, Any] = {
    "type": "dict",
    "options": {
        "kind": {"type": "str", "choices": ["file", "device", "rbd", ATTACHMENT], "required": True},
        "path": {"type": "str"},
        "snapshot_path": {"type": "str"},
        "pool": {"type": "str"},
        "image": {"type": "str", "default": "volume-{id}"},
        "snapshot": {"type": "str", "default": "snapshot-{snapshot}"},
        "conf": {"type": "path"},
        "user": {"type": "str"},
        "mounts": {"type": "dict", "default": {}},
        "stall": {"type": "int", "default": 120},
    },
}

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,254}")
_QCOW2 = b"QFI\xfb"


@dataclass(frozen=True)
class Subject:
    """What is read: a volume, or its snapshot.

    :param volume: id.
    :param snapshot: id of a snapshot of Cinder.
    :param point: name of a snapshot of the back end itself, as Ceph's backup driver keeps on the source of a backup.
    """

    volume: str
    snapshot: str = ""
    point: str = ""

    def names(self) -> dict[str, str]:
        """The words of templates.

        :raises InputError: a name that could lead elsewhere.
        """
        for word in (self.volume, self.snapshot, self.point):
            if word and not _ID.fullmatch(word):
                raise InputError(f"{word!r} is no id or name of a snapshot")
        return {"id": self.volume, "id20": self.volume[:20], "snapshot": self.snapshot or self.point}


class Reader(Protocol):
    """Opens what is read."""

    def open(self, subject: Subject) -> AbstractContextManager[Stream]:
        """The bytes of a volume or snapshot; ends reading at the end of the block.

        :raises LandscapeError: there is nothing to read.
        """


def reader_of(options: Mapping[str, Any]) -> Reader:
    """The reader that an operator's options describe.

    :raises InputError: they do not fit together.
    """
    kind = str(options["kind"])
    if kind == ATTACHMENT:
        raise InputError(
            "reader.kind attachment is for volume_backup_verify alone",
            hint="Volumes that others use are read with kind rbd or file",
        )
    if kind == "rbd":
        if not options.get("pool"):
            raise InputError("reader.kind is rbd, and reader.pool is missing")
        texts = {name: str(options.get(name) or "") for name in ("pool", "image", "snapshot", "conf", "user")}
        _fits("reader.image", texts["image"], "{id}")
        return RbdReader(**texts, stall=float(options.get("stall") or 120))
    if not options.get("path"):
        raise InputError(f"reader.kind is {kind}, and reader.path is missing")
    path, other = str(options["path"]), str(options.get("snapshot_path") or "")
    _fits("reader.path", path, "{id}", "{id20}")
    if other:
        _fits("reader.snapshot_path", other, "{snapshot}")
    return FileReader(path, other)


def _fits(option: str, template: str, *words: str) -> None:
    """Refuses a template that names the same thing for every volume, or cannot be filled in."""
    try:
        template.format(id="", id20="", snapshot="")
    except (LookupError, ValueError, AttributeError):
        raise InputError(f"{option} is {template!r}; it knows {{id}}, {{id20}} and {{snapshot}}") from None
    if not any(word in template for word in words):
        raise InputError(f"{option} is {template!r}, the same for every volume", hint=f"Write {' or '.join(words)}")


@dataclass(frozen=True)
class FileReader:
    """Raw files, also on NFS, and block devices.

    :param path: template with ``{id}``, or ``{id20}`` for its first 20 characters as guests show them; ``*`` and ``?`` may
        stand for folders.
    :param snapshot: template for snapshots, with ``{snapshot}`` and the words above.
    """

    path: str
    snapshot: str = ""

    @contextlib.contextmanager
    def open(self, subject: Subject) -> Iterator[Stream]:
        """See :class:`Reader`."""
        path = self._found(subject)
        with contextlib.ExitStack() as closed:
            try:  # what goes wrong where the bytes are used is none of this file's
                file = closed.enter_context(open(path, "rb", buffering=0))
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
                begins, stream = os.pread(file.fileno(), 4, 0), FileStream(path, file)
            except OSError as error:
                raise LandscapeError(f"{path} cannot be read: {error.strerror or error}") from error
            if begins == _QCOW2:
                raise LandscapeError(
                    f"{path} is a QCOW2 file, not the bytes of a volume",
                    hint="Only raw files can be read; a volume with a snapshot or with encryption may be none",
                )
            yield stream

    def _found(self, subject: Subject) -> str:
        other = subject.snapshot or subject.point
        template = self.snapshot if other else self.path
        if not template:
            raise InputError(f"The reader has no snapshot_path, and snapshot {other} has to be read")
        pattern = template.format(**subject.names())
        found = sorted(glob.glob(pattern)) if glob.has_magic(pattern) else [pattern]
        if len(found) != 1:
            raise LandscapeError(f"{pattern} is {len(found)} files, not one", hint="Look at reader.path")
        return found[0]


class FileStream:
    """A raw file or a block device; holes are not read."""

    def __init__(self, name: str, file: Any) -> None:
        self.name, self._file = name, file
        self._handle: int = file.fileno()
        self._size = os.lseek(self._handle, 0, os.SEEK_END)
        self._holes = stat.S_ISREG(os.fstat(self._handle).st_mode)

    def blocks(self, size: int) -> Iterator[Piece]:
        """See :class:`..blocks.Stream`."""
        ring, turn, place, data = ring_of(size), 0, 0, 0
        try:
            while place < self._size:
                if place >= data:
                    # Up to here holes were looked for; from here to the next hole there are bytes.
                    begin, data = self._next(place)
                    skipped = (begin - place) // size
                    if skipped:
                        yield skipped
                        place += skipped * size
                        continue
                many = self._read(ring[turn], place)
                if not many:
                    return  # it became shorter meanwhile; whoever counts will notice
                yield ring[turn] if many == size else bytes(ring[turn][:many])
                place, turn = place + many, (turn + 1) % len(ring)
        except OSError as error:
            raise LandscapeError(f"{self.name} cannot be read: {error.strerror or error}") from error

    def _read(self, buffer: bytearray, place: int) -> int:
        """Fills a buffer from a place on; how many bytes there were."""
        many = 0
        with memoryview(buffer) as view:
            while many < len(view):
                got = os.preadv(self._handle, [view[many:]], place + many)
                if not got:
                    break
                many += got
        return many

    def _next(self, place: int) -> tuple[int, int]:
        """Where the next bytes begin and end."""
        if not self._holes:
            return place, self._size
        try:
            begin = os.lseek(self._handle, place, os.SEEK_DATA)
            return begin, os.lseek(self._handle, begin, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return self._size, self._size  # nothing but a hole follows
            self._holes = False  # a file system that does not know
            return place, self._size


@dataclass(frozen=True)
class RbdReader:
    """Images of Ceph, by the program ``rbd``.

    :param image: template with ``{id}``.
    :param snapshot: template with ``{snapshot}`` for snapshots of Cinder; one of the back end itself is taken by its name.
    :param conf: path of ``ceph.conf``, empty for the program's default.
    :param user: name of a client without ``client.``, empty for the program's default.
    :param stall: seconds without a byte after which reading is given up.
    """

    pool: str
    image: str = "volume-{id}"
    snapshot: str = "snapshot-{snapshot}"
    conf: str = ""
    user: str = ""
    stall: float = 120.0
    program: str = "rbd"

    def spec(self, subject: Subject) -> str:
        """Name of the image, or of its snapshot."""
        words = subject.names()
        found = f"{self.pool}/{self.image.format(**words)}"
        if subject.snapshot:
            return f"{found}@{self.snapshot.format(**words)}"
        return f"{found}@{subject.point}" if subject.point else found

    @contextlib.contextmanager
    def open(self, subject: Subject) -> Iterator[Stream]:
        """See :class:`Reader`."""
        spec = self.spec(subject)
        argv = [self.program]
        argv += ["--conf", self.conf] if self.conf else []
        argv += ["--id", self.user] if self.user else []
        with contextlib.closing(PipeStream(spec, [*argv, "export", "--no-progress", spec, "-"], self.stall)) as stream:
            yield stream
