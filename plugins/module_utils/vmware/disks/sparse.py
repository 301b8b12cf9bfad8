# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Sparse files whose grains are read through their tables (``monolithicSparse``, ``twoGbMaxExtentSparse``).

Tables are read one by one, grains that follow each other together. A grain that is named twice, or lies outside the file or
in its head, ends it: two places of a disk cannot be the same bytes.

Source: Virtual Disk Format 5.0 (VMware technical note), "Hosted Sparse Extents".
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator

from ...core.transfer import CHUNK, Piece
from .descriptor import SECTOR, FormatError
from .header import ENTRIES, Header, header_of
from .store import Store
from .stream import judge_embedded


class SparseFile:
    """One sparse file of a store.

    :ivar size: bytes of the disk, or of the part of it that the file holds.
    :raises FormatError: it is broken, or of a kind that is not read.
    """

    def __init__(self, store: Store, name: str) -> None:
        self.name, self._store = name, store
        self._length = store.size(name)
        self.header: Header = header_of(store.read(name, 0, min(SECTOR, self._length)), name)
        self.size = self.header.size
        if self.header.compressed or self.header.directory is None:
            raise FormatError(f"{name} is a stream, and a file that is read in any order was expected")
        if self.header.descriptor_size:
            judge_embedded(store.read(name, self.header.descriptor, self.header.descriptor_size), name)
        # One bit for each place of a grain in the file; those in its head count as taken.
        self._taken = bytearray(self._length // self.header.grain // 8 + 1)

    def pieces(self, begin: int, end: int) -> Iterator[Piece]:
        """Its bytes, with offsets inside the file's part of the disk.

        :raises FormatError: the tables are broken.
        """
        header = self.header
        tables = self._entries(header.directory or 0, header.tables)
        self._taken = bytearray(len(self._taken))
        for number in range(begin // header.span, header.tables):
            low, high = number * header.span, min((number + 1) * header.span, header.size)
            if low >= end:
                return
            place = tables[number] * SECTOR
            entries = self._entries(place, ENTRIES) if place else array("I", bytes(4 * ENTRIES))
            yield from self._table(entries, low, max(low, begin), min(high, end))

    def _table(self, entries: array[int], low: int, begin: int, end: int) -> Iterator[Piece]:
        """The part of one table between two places of the disk."""
        grain, place = self.header.grain, begin
        while place < end:
            first = (place - low) // grain
            last = min(-(-(end - low) // grain), ENTRIES)
            at = self._grain(entries[first])
            count = 1
            most = last - first if at is None else min(last - first, max(1, CHUNK // grain))
            while count < most and self._follows(entries[first + count], at, count):
                count += 1
            stop = min(low + (first + count) * grain, end)
            if at is None:
                yield Piece(place, stop - place)
            else:
                inside = (place - low) % grain
                yield Piece(place, stop - place, self._bytes(at + inside, stop - place))
            place = stop

    def _follows(self, entry: int, at: int | None, count: int) -> bool:
        """Whether a grain goes on where a run of others ends."""
        if at is None:
            return self._is_hole(entry)
        if entry * SECTOR != at + count * self.header.grain or self._is_hole(entry):
            return False
        self._grain(entry)
        return True

    def _is_hole(self, entry: int) -> bool:
        return entry == 0 or (entry == 1 and self.header.zero_grains)

    def _grain(self, entry: int) -> int | None:
        """Where a grain is in the file; nothing for zeroes.

        :raises FormatError: not in the data of the file, or another grain is there.
        """
        if self._is_hole(entry):
            return None
        place, grain = entry * SECTOR, self.header.grain
        if place < self.header.overhead or place >= self._length:
            raise FormatError(f"{self.name} is broken: a grain at byte {place}, and its data ends at {self._length}")
        # Writers put grains at multiples of their size, counted from the first one.
        first, rest = divmod(place - self.header.overhead, grain)
        if rest:
            raise FormatError(f"{self.name} is broken: a grain at byte {place}, which is inside another one")
        byte, bit = first >> 3, 1 << (first & 7)
        if self._taken[byte] & bit:
            raise FormatError(f"{self.name} is broken: two grains of the disk are at byte {place}")
        self._taken[byte] |= bit
        return place

    def _bytes(self, place: int, length: int) -> bytes:
        """Bytes of the file; the last grain may be cut off behind the end of the disk, nowhere else."""
        return self._store.read(self.name, place, length)

    def _entries(self, place: int, count: int) -> array[int]:
        if place + 4 * count > self._length:
            raise FormatError(f"{self.name} is broken or was cut off: a table at byte {place} of {self._length}")
        found = array("I", self._store.read(self.name, place, 4 * count))
        if sys.byteorder == "big":
            found.byteswap()
        return found
