# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Files in parts: which bytes are which part, and bodies that are read from a place of a file."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ..store import Outgoing

#: Bytes of a part, and of the largest object that is sent without parts.
PART = 16 * 1024 * 1024
#: What S3 allows at most.
_MOST_PARTS = 10_000
_MIB = 1024 * 1024
#: HTTP libraries ask for small pieces and send what they get.
_PIECE = 256 * 1024


@dataclass(frozen=True)
class Part:
    """A piece of a file.

    :param number: from 1.
    :param md5: of its bytes; the service compares it with what it received.
    """

    number: int
    offset: int
    size: int
    md5: bytes

    @property
    def header(self) -> str:
        """For ``Content-MD5``."""
        return base64.b64encode(self.md5).decode("ascii")


def part_size(size: int) -> int:
    """Bytes of each part but the last; the same for a size every time, so that a killed run can be gone on with."""
    least = -(-size // _MOST_PARTS)
    return max(PART, -(-least // _MIB) * _MIB)


def parts_of(outgoing: Outgoing) -> Iterator[Part]:
    """The parts of a file; the last one only when all of its bytes are what they must be.

    :raises ChangedError: they are not.
    """
    length = part_size(outgoing.size)
    number, begin, at, digest = 1, 0, 0, md5()
    for chunk in outgoing.chunks():
        view = memoryview(chunk)
        while view:
            piece = view[: begin + length - at]
            digest.update(piece)
            at += len(piece)
            view = view[len(piece) :]
            if at == begin + length and at < outgoing.size:
                yield Part(number, begin, at - begin, digest.digest())
                number, begin, digest = number + 1, at, md5()
    yield Part(number, begin, at - begin, digest.digest())


def md5() -> hashlib._Hash:
    """What S3 proves transfers with; no secret depends on it."""
    return hashlib.md5(usedforsecurity=False)


class Slice(io.RawIOBase):
    """A piece of a file as a body: read as often as it has to be sent."""

    def __init__(self, path: str, offset: int, size: int) -> None:
        super().__init__()
        self._file: BinaryIO = open(path, "rb")  # noqa: SIM115 - closed by close()
        self._offset, self._size, self._at = offset, size, 0

    def __len__(self) -> int:
        return self._size

    def readable(self) -> bool:
        """See :class:`io.RawIOBase`."""
        return True

    def seekable(self) -> bool:
        """See :class:`io.RawIOBase`."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, perhaps more than asked for; empty at the end."""
        left = self._size - self._at
        many = left if size is None or size < 0 else min(left, max(size, _PIECE))
        self._file.seek(self._offset + self._at)
        chunk = self._file.read(many) if many > 0 else b""
        self._at += len(chunk)
        return chunk

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """See :class:`io.RawIOBase`."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, min(self._size, base + offset))
        return self._at

    def tell(self) -> int:
        """See :class:`io.RawIOBase`."""
        return self._at

    def close(self) -> None:
        """Closes the file."""
        if not self.closed:
            self._file.close()
        super().close()
