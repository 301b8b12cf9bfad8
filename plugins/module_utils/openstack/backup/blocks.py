# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Bytes of volumes, block by block: digests are taken of them at the time of the backup, and compared after a restore.

A block is read while the one before is hashed. Memory is a few blocks, whatever the size of a volume.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, Union

from ...core.errors import InputError, LandscapeError
from ...core.stream import Meter, Stopped
from ...core.units import format_bytes
from .manifest import BLOCK, LARGEST, SMALLEST, BlockMap, Head, ManifestError, is_block, new

#: How many pieces a stream must leave as they are before it uses their memory again.
KEPT = 4

#: Differing ranges that are named one by one; their number is always exact.
_NAMED = 50

#: What a stream gives: a block, or the number of blocks that are holes.
Piece = Union[int, bytes, bytearray]


class Stream(Protocol):
    """The bytes of one volume or snapshot, read once from front to back.

    :ivar name: what is read, for messages.
    """

    name: str

    def blocks(self, size: int) -> Iterator[Piece]:
        """Pieces from front to back: the next block (only the last may be shorter), or the number of blocks that are holes.

        :data:`KEPT` pieces stay as they are; then their memory may be used again.

        :raises LandscapeError: they cannot be read.
        """


def ring_of(size: int) -> list[bytearray]:
    """Memory for the pieces that have to stay as they are."""
    return [bytearray(size) for _number in range(KEPT + 1)]


class LengthError(LandscapeError):
    """There are fewer or more bytes than there should be.

    :param kind: ``shorter`` or ``longer``.
    """

    def __init__(self, kind: str, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


@dataclass
class Comparison:
    """What a comparison found.

    :param read: bytes.
    :param differing: number of blocks that are not the same.
    :param ranges: the first of them, as (first block, number of blocks).
    """

    head: Head
    read: int = 0
    differing: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether every block is there and is the same."""
        return not self.differing and self.read >= self.head.size

    def add(self, first: int, count: int) -> None:
        """More blocks that differ."""
        self.differing += count
        if self.ranges and sum(self.ranges[-1]) == first:
            self.ranges[-1] = (self.ranges[-1][0], self.ranges[-1][1] + count)
        elif len(self.ranges) < _NAMED:
            self.ranges.append((first, count))

    def places(self) -> list[dict[str, int]]:
        """Where the bytes differ: offset and length in bytes, of the first ranges."""
        block, size = self.head.block, self.head.size
        return [
            {"offset": first * block, "length": min(count * block, size - first * block)}
            for first, count in self.ranges
        ]

    def __str__(self) -> str:
        if not self.differing:
            return f"all {self.head.count} blocks of {format_bytes(self.head.block)} are the same"
        offset = self.ranges[0][0] * self.head.block
        return (
            f"{self.differing} of {self.head.count} blocks of {format_bytes(self.head.block)} are not what was backed up,"
            f" the first one at byte {offset}"
        )


def take(
    stream: Stream,
    volume: str,
    size: int,
    folder: str,
    *,
    block: int = BLOCK,
    project: str = "",
    meter: Meter | None = None,
    stop: threading.Event | None = None,
) -> BlockMap:
    """Reads a volume, or a snapshot of it, and writes the list of its digests.

    :param volume: id of the volume, also when a snapshot of it is read.
    :param size: bytes that there must be.
    :param folder: made when it is missing; the list is ``<digest>.blocks`` in it, and the same bytes give the same file.
    :param block: bytes.
    :param project: id of the project that will own the backup.
    :param meter: is told what was read.
    :param stop: set when the run ends; reading then raises ``Stopped``.
    :raises LengthError: there are fewer or more bytes.
    :raises LandscapeError: they cannot be read, or the list cannot be written.
    """
    if not is_block(block):
        raise InputError(f"A block of {block} bytes is no power of two between {SMALLEST} and {LARGEST}")
    head = Head(volume, size, block, project)
    with new(folder, head) as (writer, finish):
        for count, digest, _length in _measured(stream, head, meter, stop):
            writer.add(count, digest)
        root = writer.end()
        path = finish(root)
    return BlockMap(path, head, root, writer.zero)


def compare(
    wanted: BlockMap,
    stream: Stream,
    *,
    size: int = 0,
    meter: Meter | None = None,
    stop: threading.Event | None = None,
) -> Comparison:
    """Reads bytes and compares them with a list; all of them, also after a difference.

    :param size: bytes that there must be, when the volume is larger than its backup; what lies behind it is not compared.
    :raises LengthError: there are fewer or more; what differs besides is said, too.
    :raises LandscapeError: they cannot be read.
    """
    found, listed = Comparison(wanted.head), _Listed(wanted)
    whole = Head(wanted.head.volume, size or wanted.head.size, wanted.head.block)
    if whole.size != wanted.head.size and (whole.size < wanted.head.size or wanted.head.size % wanted.head.block):
        raise InputError(f"{whole.size} bytes cannot be compared with a list of {wanted.head.size}")
    number = 0
    try:
        for count, digest, length in _measured(stream, whole, meter, stop):
            for first, same, many in listed.match(number, count, digest):
                if not same:
                    found.add(first, many)
            number += count
            found.read += length
    except LengthError as error:
        if found.differing:
            error.message += f"; and {found}"
        raise
    return found


class _Listed:
    """The list, walked along with the bytes."""

    def __init__(self, wanted: BlockMap) -> None:
        self._entries = wanted.digests()
        self._zeroes = 0
        self._count = wanted.head.count

    def match(self, number: int, count: int, digest: bytes) -> Iterator[tuple[int, bool, int]]:
        """First block, whether they are the same, and how many: for ``count`` blocks of zeroes, or one with a digest."""
        while count and number < self._count:
            entry = self._zeroes or next(self._entries, None)
            if entry is None:
                raise ManifestError("damaged", "The list of digests was changed or removed while it was used")
            if isinstance(entry, bytes):
                yield number, entry == digest, 1
                number, count = number + 1, count - 1
                continue
            many = min(entry, count)
            yield number, not digest, many
            self._zeroes = entry - many
            number, count = number + many, count - many


def _measured(
    stream: Stream, head: Head, meter: Meter | None, stop: threading.Event | None
) -> Iterator[tuple[int, bytes, int]]:
    """Number of blocks, digest (empty for zeroes) and bytes, for all of a stream.

    :raises LengthError: that is not as many bytes as the head says.
    """
    read = 0
    for count, digest, length in _digests(stream, head.block, stop):
        read += length
        if read > head.size:
            break
        if meter is not None:
            meter.add(length)
        yield count, digest, length
    if read == head.size:
        return
    if read > head.size:
        raise LengthError("longer", f"{stream.name} is longer than {head.size} bytes", "It is not what was backed up")
    raise LengthError(
        "shorter",
        f"{stream.name} ends after {read} bytes, and {head.size} are wanted",
        "A machine would see a disk that is too short; file drivers of volumes may end a file at its last written block",
    )


def _digests(stream: Stream, block: int, stop: threading.Event | None) -> Iterator[tuple[int, bytes, int]]:
    """As :func:`_measured`; one thread hashes while this one reads."""
    zeroes = bytes(block)
    waiting: deque[Future[tuple[int, bytes, int]]] = deque()

    def digest(piece: bytes | bytearray) -> tuple[int, bytes, int]:
        # Comparing with zeroes ends at the first other byte, and spares most of the hashing of most disks.
        same = piece == zeroes if len(piece) == block else piece.count(0) == len(piece)
        return 1, b"" if same else hashlib.sha256(piece).digest(), len(piece)

    with ThreadPoolExecutor(1) as executor:
        for piece in stream.blocks(block):
            if stop is not None and stop.is_set():
                raise Stopped(f"Reading {stream.name} was given up, because the run ends")
            while waiting and (isinstance(piece, int) or len(waiting) >= KEPT - 1):
                yield waiting.popleft().result()
            if isinstance(piece, int):
                yield piece, b"", piece * block
            else:
                waiting.append(executor.submit(digest, piece))
        while waiting:
            yield waiting.popleft().result()
