# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Block maps: the SHA-256 of each block of a disk, with which a copy goes on after a break and a difference has a place.

Zeroes are neither hashed nor kept. Files of them are made and read by :mod:`.journal`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from .errors import InputError, LandscapeError
from .transfer import CHUNK, Piece, is_zero

FORMAT = "scs-landscape-blockmap"
VERSION = 1
#: Bytes of a block; larger ones for disks of more than :data:`_MOST` blocks.
BLOCK = 4 * 1024 * 1024
SMALLEST, LARGEST = 4096, 64 * 1024 * 1024
#: Blocks whose digests are kept in memory, 32 bytes each.
_MOST = 1024 * 1024
_SIZE = 32
#: What stands for a block of zeroes in memory.
_HOLE = bytes(_SIZE)


def block_for(size: int) -> int:
    """Bytes of a block for a disk: a power of two, the smallest with which the map is not too long."""
    block = BLOCK
    while block < LARGEST and size > block * _MOST:
        block *= 2
    return block


@dataclass(frozen=True)
class Head:
    """Of which bytes a map is.

    :param subject: names the bytes (ids of machine and disk, state of the source); a map of others is not used.
    :param size: bytes of the disk.
    :param block: bytes of a block.
    """

    subject: str
    size: int
    block: int = BLOCK

    def __post_init__(self) -> None:
        if not SMALLEST <= self.block <= LARGEST or self.block & (self.block - 1):
            raise InputError(f"A block of {self.block} bytes is no power of two between {SMALLEST} and {LARGEST}")

    @property
    def count(self) -> int:
        """Number of blocks; the last one may be shorter."""
        return -(-self.size // self.block)

    def line(self) -> bytes:
        """First line of a map."""
        return line_of({"format": FORMAT, "version": VERSION, **asdict(self)})


class BlockMap:
    """The digests of the first blocks of a disk, or of all.

    :ivar covered: bytes from the start whose digests are known; a whole number of blocks, or all.
    """

    def __init__(self, head: Head) -> None:
        self.head = head
        self._digests = bytearray()
        self._zero = 0
        #: SHA-256 of all bytes, where somebody has computed it.
        self.whole: str = ""

    def __len__(self) -> int:
        return len(self._digests) // _SIZE

    @property
    def covered(self) -> int:
        """See the class."""
        return min(len(self) * self.head.block, self.head.size)

    @property
    def complete(self) -> bool:
        """Whether no block is missing."""
        return len(self) == self.head.count

    @property
    def zero(self) -> int:
        """Number of blocks that hold nothing but zeroes."""
        return self._zero

    @property
    def root(self) -> str:
        """One digest for size, block size and all digests so far: equal bytes have equal ones, wherever they come from."""
        whole = hashlib.sha256(f"{FORMAT} {self.head.size} {self.head.block}\n".encode())
        whole.update(self._digests)
        return "sha256:" + whole.hexdigest()

    def digest(self, number: int) -> bytes:
        """Of one block; empty for one of zeroes."""
        found = bytes(self._digests[number * _SIZE : (number + 1) * _SIZE])
        return b"" if found == _HOLE else found

    def add(self, digest: bytes, count: int = 1) -> None:
        """The next block, or with an empty digest the next ``count`` blocks of zeroes."""
        self._digests += digest or _HOLE * count
        self._zero += 0 if digest else count

    def cut(self, count: int) -> None:
        """Forgets all but the first blocks."""
        del self._digests[count * _SIZE :]
        self._zero = sum(not self.digest(number) for number in range(len(self)))
        self.whole = ""

    def compare(self, other: BlockMap) -> list[tuple[int, int]]:
        """Where the two differ: offset and length in bytes of each stretch; blocks that only one of them has differ.

        :raises InputError: they are of other sizes and cannot be compared.
        """
        if (self.head.size, self.head.block) != (other.head.size, other.head.block):
            raise InputError("Maps of different sizes of disk or block cannot be compared")
        found: list[tuple[int, int]] = []
        block, size, least = self.head.block, self.head.size, min(len(self), len(other))
        for number in range(max(len(self), len(other))):
            if number < least and self.digest(number) == other.digest(number):
                continue
            begin, end = number * block, min((number + 1) * block, size)
            if found and sum(found[-1]) == begin:
                found[-1] = (found[-1][0], end - found[-1][0])
            else:
                found.append((begin, end - begin))
        return found

    def lines(self, first: int = 0) -> Iterator[bytes]:
        """The lines of blocks from ``first`` on."""
        run = 0
        for number in range(first, len(self)):
            digest = self.digest(number)
            if not digest:
                run += 1
                continue
            if run:
                yield line_of(run)
                run = 0
            yield line_of(digest.hex())
        if run:
            yield line_of(run)

    def end_line(self) -> bytes:
        """Last line of a whole map."""
        return line_of({"root": self.root, "whole": self.whole})


class Hasher:
    """Makes the entries of a map from pieces.

    :param map: what is added to; pieces begin where it ends.
    :param whole: also compute the SHA-256 of all bytes (that cannot skip zeroes, nor go on after a break).
    """

    def __init__(self, map: BlockMap, *, whole: bool = False) -> None:
        self.map = map
        self._whole = hashlib.sha256() if whole and not len(map) else None
        self._place = map.covered
        self._current: Any = None

    def feed(self, piece: Piece) -> None:
        """The next piece.

        :raises LandscapeError: another one was next.
        """
        if piece.offset != self._place or piece.end > self.map.head.size:
            raise LandscapeError(f"Bytes at {piece.offset} came, and those at {self._place} were next")
        if self._whole is not None:
            for part in zeroes(piece.length) if piece.data is None else (piece.data,):
                self._whole.update(part)
        if piece.data is None:
            self._hole(piece.length)
        else:
            self._bytes(piece.data)
        if self._whole is not None and self._place == self.map.head.size:
            self.map.whole = self._whole.hexdigest()

    def _hole(self, length: int) -> None:
        block = self.map.head.block
        first = min(length, -self._place % block)
        if first:
            for some in zeroes(first if self._current is not None else 0):
                self._current.update(some)
            self._moved(first)
        many, rest = divmod(length - first, block)
        if many:
            self.map.add(b"", many)
            self._place += many * block
        if rest:
            self._moved(rest)

    def _bytes(self, data: bytes) -> None:
        block, view, begin = self.map.head.block, memoryview(data), 0
        while begin < len(data):
            inside = self._place % block
            part = min(block - inside, len(data) - begin)
            if self._current is None and not is_zero(data, begin, part):
                # Zeroes before the first other byte of a block were not hashed until now.
                self._current = hashlib.sha256()
                for some in zeroes(inside):
                    self._current.update(some)
            if self._current is not None:
                self._current.update(view[begin : begin + part])
            self._moved(part)
            begin += part

    def _moved(self, length: int) -> None:
        self._place += length
        if self._place % self.map.head.block == 0 or self._place == self.map.head.size:
            self.map.add(self._current.digest() if self._current is not None else b"")
            self._current = None


def zeroes(length: int) -> Iterator[bytes]:
    """That many zeroes, in pieces."""
    whole = bytes(min(length, CHUNK))
    while length:
        part = min(length, CHUNK)
        yield whole if part == len(whole) else whole[:part]
        length -= part


def map_of(head: Head, pieces: Iterable[Piece], *, whole: bool = False) -> BlockMap:
    """The map of a disk that is read from its start."""
    found = BlockMap(head)
    hasher = Hasher(found, whole=whole)
    for piece in pieces:
        hasher.feed(piece)
    return found


def line_of(data: Any) -> bytes:
    """One line of a file of a map."""
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode() + b"\n"
