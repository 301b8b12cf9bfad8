# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A raw file of a disk: holes stay holes, a killed run goes on, and the file has its name only when all of it is right."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Mapping

from .errors import LandscapeError, LockedError
from .transfer import CHUNK, Piece, with_holes

PART = ".part"


class LocalFile:
    """See :class:`.transfer.Sink`. Until the end the file is ``<path>.part``, for its owner alone and locked.

    :param path: of the file.
    :param size: bytes of the disk.
    :param companions: files beside it that get their names with it: name so far, name then.
    :raises LockedError: another run writes it.
    :raises LandscapeError: it cannot be written.
    """

    resumable = True

    def __init__(self, path: str, size: int, companions: Mapping[str, str] | None = None) -> None:
        self.name, self.size = path, size
        self.part = path + PART
        self._companions = dict(companions or {})
        self._began = self._done = False
        with self._told("opened"):
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            self._handle = os.open(self.part, flags, 0o600)
        status = os.fstat(self._handle)
        #: Bytes that an earlier run may have left; how many of them are right, its block map says.
        self.flushed = status.st_size
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise LandscapeError(f"{self.part} is no file")
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise LockedError(f"{self.part} is being written by another run", hint="Wait for it to end") from None

    def write(self, piece: Piece) -> None:
        """See :class:`.transfer.Sink`."""
        with self._told("written"):
            if not self._began:
                # What lies behind may be of a broken run; cut off and grown again, it is a hole.
                os.ftruncate(self._handle, piece.offset)
                os.ftruncate(self._handle, self.size)
                self._began = True
            if piece.data is None:
                return
            done = os.pwrite(self._handle, piece.data, piece.offset)
            while done < piece.length:
                done += os.pwrite(self._handle, memoryview(piece.data)[done:], piece.offset + done)

    def flush(self) -> None:
        """See :class:`.transfer.Sink`."""
        with self._told("written"):
            os.fsync(self._handle)

    def read(self, begin: int = 0, end: int | None = None) -> Iterator[Piece]:
        """See :class:`.transfer.Sink`."""
        return with_holes(self._raw(begin, self.size if end is None else end))

    def _raw(self, begin: int, end: int) -> Iterator[Piece]:
        with self._told("read"):
            yield from _pieces(self._handle, begin, end, self.part)

    def finish(self) -> None:
        """See :class:`.transfer.Sink`; the file gets its name."""
        with self._told("finished"):
            if os.fstat(self._handle).st_size != self.size:
                os.ftruncate(self._handle, self.size)
            os.fsync(self._handle)
            os.replace(self.part, self.name)
            self._done = True
            for before, after in self._companions.items():
                os.replace(before, after)
            folder = os.open(os.path.dirname(self.name) or ".", os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        self.close()

    def abort(self) -> None:
        """See :class:`.transfer.Sink`."""
        if not self._done:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.part)
        self.close()

    def close(self) -> None:
        """Ends writing; what is there stays for the next run."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            hint = "Make room on that file system; what is there is used again" if error.errno == errno.ENOSPC else None
            raise LandscapeError(f"{self.part} cannot be {what}: {error.strerror or error}", hint=hint) from error


def next_data(handle: int, place: int, end: int) -> int:
    """The next byte that is no hole; ``end`` when there is none. Without holes in the file system: ``place``."""
    try:
        return os.lseek(handle, place, os.SEEK_DATA)
    except OSError as error:
        return end if error.errno == errno.ENXIO else place


def next_hole(handle: int, place: int, end: int) -> int:
    """The next hole; ``end`` when there is none."""
    try:
        return os.lseek(handle, place, os.SEEK_HOLE)
    except OSError:
        return end


def read_pieces(path: str, size: int) -> Iterator[Piece]:
    """A file as pieces with holes.

    :raises LandscapeError: it cannot be read, or is shorter.
    """
    try:
        with open(path, "rb", buffering=0) as stream:
            yield from with_holes(_pieces(stream.fileno(), 0, size, path))
    except OSError as error:
        raise LandscapeError(f"{path} cannot be read: {error.strerror or error}") from error


def _pieces(handle: int, begin: int, end: int, name: str) -> Iterator[Piece]:
    place = begin
    while place < end:
        data = min(next_data(handle, place, end), end)
        hole = min(next_hole(handle, data, end), end) if data < end else end
        if data > place:
            yield Piece(place, data - place)
        place = data
        while place < hole:
            some = os.pread(handle, min(CHUNK, hole - place), place)
            if not some:
                raise LandscapeError(f"{name} ends at byte {place}, and should have {end}")
            yield Piece(place, len(some), some)
            place += len(some)
