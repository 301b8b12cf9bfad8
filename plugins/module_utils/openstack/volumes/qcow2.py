# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Sparse disks as a QCOW2 file that is written front to back, into a pipe. Pure.

The header, which comes first, names the places of all tables, and those say where each cluster lies (docs/interop/qcow2.txt of
QEMU). So a stream is possible only when it is known beforehand which clusters have data at all: the extents. All of them are
given room, in order, behind the tables; one that turns out to hold zeroes only costs its bytes on the wire and is no error.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...core.errors import InputError, LandscapeError
from ...core.transfer import CHUNK, Piece, is_zero, pieces_of

#: Bytes of a cluster; what QEMU takes by default.
CLUSTER = 64 * 1024
_BITS = 16
_ENTRIES = CLUSTER // 8  # clusters of a table of the second level
_COUNTS = CLUSTER // 2  # clusters of a block of reference counts of 16 bits
_COPIED = 1 << 63
_HEADER = 104


@dataclass(frozen=True)
class Layout:
    """Where everything lies.

    :param size: bytes of the disk.
    :param runs: first and behind-last cluster of each stretch of the disk that has room in the file, in order.
    :param tables: numbers of the tables of the second level that there are, in order.
    :param l1: clusters of the table of the first level; ``index`` of that of reference counts, ``counts`` blocks of those.
    """

    size: int
    runs: tuple[tuple[int, int], ...]
    tables: tuple[int, ...]
    l1: int
    index: int
    counts: int

    @property
    def data(self) -> int:
        """Clusters with bytes of the disk."""
        return sum(end - begin for begin, end in self.runs)

    @property
    def first(self) -> int:
        """Cluster of the file where those begin."""
        return 1 + self.l1 + self.index + self.counts + len(self.tables)

    @property
    def length(self) -> int:
        """Bytes of the file."""
        return (self.first + self.data) * CLUSTER

    def head(self) -> Iterator[bytes]:
        """All that comes before the bytes of the disk."""
        entries = -(-self.size // (CLUSTER * _ENTRIES))
        index_at, counts_at = 1 + self.l1, 1 + self.l1 + self.index
        yield _padded(
            struct.pack(
                ">4sIQIIQIIQQIIQQQQII",
                *(b"QFI\xfb", 3, 0, 0, _BITS, self.size, 0, entries, CLUSTER, index_at * CLUSTER, self.index),
                *(0, 0, 0, 0, 0, 4, _HEADER),
            ),
            1,
        )
        tables_at = counts_at + self.counts
        level = [0] * entries
        for number, table in enumerate(self.tables):
            level[table] = (tables_at + number) * CLUSTER | _COPIED
        yield _padded(struct.pack(f">{entries}Q", *level), self.l1)
        blocks = [(counts_at + number) * CLUSTER for number in range(self.counts)]
        yield _padded(struct.pack(f">{self.counts}Q", *blocks), self.index)
        left = self.length // CLUSTER
        for _number in range(self.counts):
            yield _padded(b"\0\1" * min(left, _COUNTS), 1)
            left -= min(left, _COUNTS)
        yield from self._seconds()

    def _seconds(self) -> Iterator[bytes]:
        """The tables of the second level, one after the other."""
        place, run = self.first * CLUSTER, 0
        for table in self.tables:
            low, high = table * _ENTRIES, (table + 1) * _ENTRIES
            entries = [0] * _ENTRIES
            while run < len(self.runs) and self.runs[run][0] < high:
                begin, end = max(self.runs[run][0], low), min(self.runs[run][1], high)
                for cluster in range(begin, end):
                    entries[cluster - low] = place | _COPIED
                    place += CLUSTER
                if self.runs[run][1] > high:
                    break
                run += 1
            yield struct.pack(f">{_ENTRIES}Q", *entries)


def layout(size: int, extents: Iterable[tuple[int, int]]) -> Layout:
    """The layout for a disk.

    :param extents: offset and length in bytes of all stretches that may hold other bytes than zeroes, in order.
    :raises InputError: they are in no order, or lie outside.
    """
    runs: list[list[int]] = []
    last = 0
    for offset, length in extents:
        if offset < last or length <= 0 or offset + length > size:
            raise InputError(
                f"The extent of {length} bytes at {offset} is out of order, or not on a disk of {size} bytes"
            )
        last = offset + length
        begin, end = offset // CLUSTER, -(-last // CLUSTER)
        if runs and begin <= runs[-1][1]:
            runs[-1][1] = max(end, runs[-1][1])
        else:
            runs.append([begin, end])
    tables = sorted({table for begin, end in runs for table in range(begin // _ENTRIES, (end - 1) // _ENTRIES + 1)})
    entries = -(-size // (CLUSTER * _ENTRIES))
    l1 = max(1, -(-entries * 8 // CLUSTER))
    fixed = 1 + l1 + len(tables) + sum(end - begin for begin, end in runs)
    index = counts = 1
    while True:  # counts count themselves
        need = -(-(fixed + index + counts) // _COUNTS)
        if need <= counts and -(-counts * 8 // CLUSTER) <= index:
            break
        counts = max(counts, need)
        index = -(-counts * 8 // CLUSTER)
    return Layout(size, tuple((begin, end) for begin, end in runs), tuple(tables), l1, index, counts)


def _padded(data: bytes, clusters: int) -> bytes:
    return data.ljust(clusters * CLUSTER, b"\0")


class Writer:
    """Turns pieces of a disk into the bytes of the file behind its head.

    :param plan: of all of the disk; pieces come front to back, from 0 to its end.
    """

    def __init__(self, plan: Layout) -> None:
        self._plan, self._run, self._place = plan, 0, 0

    def feed(self, piece: Piece) -> Iterator[bytes]:
        """The bytes for a piece.

        :raises LandscapeError: there are bytes where the extents said there were none, or another piece was next.
        """
        if piece.offset != self._place:
            raise LandscapeError(f"Bytes at {piece.offset} came, and those at {self._place} were next")
        self._place = piece.end
        place = piece.offset
        while place < piece.end:
            inside, until = self._where(place)
            until = min(until, piece.end)
            if inside:
                yield from _bytes(piece, place, until)
            elif piece.data is not None and not is_zero(piece.data, place - piece.offset, until - place):
                raise LandscapeError(
                    f"There are bytes between {place} and {until}, where the source said there were only zeroes"
                )
            place = until
        if self._place == self._plan.size and self._plan.runs and self._plan.runs[-1][1] * CLUSTER > self._plan.size:
            yield bytes(self._plan.runs[-1][1] * CLUSTER - self._plan.size)

    def _where(self, place: int) -> tuple[bool, int]:
        """Whether a byte of the disk has room in the file, and up to which byte the same holds."""
        runs = self._plan.runs
        while self._run < len(runs) and runs[self._run][1] * CLUSTER <= place:
            self._run += 1
        if self._run == len(runs):
            return False, self._plan.size
        begin, end = (one * CLUSTER for one in runs[self._run])
        return (True, end) if place >= begin else (False, begin)


def _bytes(piece: Piece, begin: int, end: int) -> Iterator[bytes]:
    if piece.data is not None:
        low, high = begin - piece.offset, end - piece.offset
        yield piece.data if (low, high) == (0, piece.length) else piece.data[low:high]
        return
    while begin < end:
        yield bytes(min(CHUNK, end - begin))
        begin += min(CHUNK, end - begin)


def pieces(plan: Layout, chunks: Iterable[bytes]) -> Iterator[Piece]:
    """The disk of a file that was written by a layout; its head is not looked at.

    :param chunks: the file from its start.
    :raises LandscapeError: it is shorter.
    """
    skip, place = plan.first * CLUSTER, 0
    runs = [(begin * CLUSTER, end * CLUSTER) for begin, end in plan.runs]
    at = runs[0][0] if runs else 0
    for given in chunks:
        chunk = given
        if skip:
            chunk, skip = chunk[skip:], max(0, skip - len(chunk))
        while chunk and runs:
            if min(at, plan.size) > place:
                yield Piece(place, at - place)
                place = at
            part = chunk[: min(runs[0][1] - at, CHUNK)]
            inside = part[: max(0, plan.size - at)]
            if inside:
                yield from pieces_of(inside, at)
            at, place, chunk = at + len(part), min(at + len(part), plan.size), chunk[len(part) :]
            if at == runs[0][1]:
                runs.pop(0)
                at = runs[0][0] if runs else at
    if runs:
        raise LandscapeError(f"The image ends at byte {place} of the disk, before all bytes were there")
    if place < plan.size:
        yield Piece(place, plan.size - place)
