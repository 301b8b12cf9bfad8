# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Raw disks on this machine, files and block devices, as sources; holes of files are not read."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator

from ...core.errors import InputError, LandscapeError
from ...core.transfer import CHUNK, Piece, pieces_of

_QCOW2, _VMDK, _SPARSE = b"QFI\xfb", b"# Disk DescriptorFile", b"KDMV"


class RawDisk:
    """A raw file or block device.

    :param path: never a link when it is told so.
    :raises InputError: it is not there, or no raw disk.
    """

    restartable = True

    def __init__(self, path: str) -> None:
        self.name, self.path = path, path
        try:
            self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
        try:
            mode = os.fstat(self._handle).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
                raise InputError(f"{path} is neither a file nor a block device")
            self.size = os.lseek(self._handle, 0, os.SEEK_END)
            self._check(os.pread(self._handle, 32, 0))
        except (LandscapeError, OSError):
            self.close()
            raise

    def _check(self, begin: bytes) -> None:
        for magic, kind in ((_QCOW2, "QCOW2"), (_VMDK, "VMDK"), (_SPARSE, "VMDK")):
            if begin.startswith(magic):
                raise InputError(f"{self.path} is a {kind} file, not the bytes of a disk", hint="Convert it to raw")
        if not self.size or self.size % 512:
            raise InputError(f"{self.path} has {self.size} bytes, no whole number of sectors of 512 bytes")

    def pieces(self, begin: int = 0) -> Iterator[Piece]:
        """See :class:`core.transfer.Source`."""
        return pieces_from(self._handle, self.name, begin, self.size)

    def close(self) -> None:
        """Ends reading for good."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1


def pieces_from(handle: int, name: str, begin: int, end: int) -> Iterator[Piece]:
    """A stretch of an open file or device.

    :raises LandscapeError: it cannot be read, or is shorter.
    """
    place = begin
    while place < end:
        data, hole = _next(handle, name, place, end)
        if data > place:
            yield Piece(place, data - place)
        place = data
        while place < hole:
            chunk = _read(handle, name, place, min(hole - place, CHUNK - place % CHUNK))
            yield from pieces_of(chunk, place)
            place += len(chunk)


def _next(handle: int, name: str, place: int, end: int) -> tuple[int, int]:
    """Where the next bytes begin and end; a file system that does not know holes gives all of it."""
    try:
        data = min(os.lseek(handle, place, os.SEEK_DATA), end)
        return data, min(os.lseek(handle, data, os.SEEK_HOLE), end) if data < end else end
    except OSError as error:
        if error.errno == errno.ENXIO:
            if os.lseek(handle, 0, os.SEEK_END) < end:
                raise LandscapeError(f"{name} is shorter than {end} bytes") from error
            return end, end  # nothing but a hole follows
        return place, end


def _read(handle: int, name: str, place: int, count: int) -> bytes:
    try:
        chunk = os.pread(handle, count, place)
    except OSError as error:
        raise LandscapeError(f"{name} cannot be read at byte {place}: {error.strerror or error}") from error
    if not chunk:
        raise LandscapeError(f"{name} ends at byte {place}, before all bytes were there")
    return chunk
