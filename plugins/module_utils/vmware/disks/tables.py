# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Grain directory and grain tables of a stream, compared with the grains that came; memory does not grow with the grains.

A table is kept as a hash of eight bytes: one of the places at which its grains came, one of what the file says. So 62 TiB
take 32 MiB, and a disk of 1 TiB half of one.
"""

from __future__ import annotations

import bisect
import hashlib
import struct
from array import array
from collections.abc import Iterator
from typing import Protocol

from ...core.transfer import TruncatedError
from .descriptor import SECTOR, FormatError
from .header import ENTRIES, Header

_BYTES = ENTRIES * 4
#: Bytes of the directory that are looked at together.
_PART = 64 * 1024


class Bytes(Protocol):
    """What gives the next bytes."""

    place: int

    def exactly(self, count: int) -> bytes:
        """That many."""

    def skip(self, count: int) -> None:
        """Passes over that many."""


def _hash(table: bytes | array[int]) -> int:
    found = hashlib.blake2b(table, digest_size=8).digest()
    return int.from_bytes(found, "little") or 1


def _entries(data: bytes) -> array[int]:
    found = array("I", data)
    if struct.pack("=I", 1) != struct.pack("<I", 1):
        found.byteswap()
    return found


class Tables:
    """What came, and what the tables say.

    :ivar front: the tables were in front of the data, as programs write them that can seek.
    """

    table_sectors = _BYTES // SECTOR

    def __init__(self, header: Header, name: str) -> None:
        self.front = False
        self.directory_sectors = -(-header.tables * 4 // SECTOR)
        self._header, self._name = header, name
        #: By number of the table: hash of the places at which its grains came; 0 when none did.
        self._came = array("Q", bytes(8 * header.tables))
        self._current, self._places = -1, array("I", bytes(_BYTES))
        #: Of each table in the file, as they come: its sector, and the hash of what it says.
        self._said_at, self._said = array("Q"), array("Q")
        self._directory: array[int] | None = None
        self._directory_at = 0
        self._footer: int | None = None

    def came(self, number: int, where: int) -> None:
        """A grain came.

        :param where: byte of its marker.
        """
        table, entry = divmod(number, ENTRIES)
        if table != self._current:
            self._keep()
            self._current = table
        if where // SECTOR >= 1 << 32:
            raise FormatError(f"{self._name} is longer than its tables can say")
        self._places[entry] = where // SECTOR

    def _keep(self) -> None:
        if self._current >= 0:
            self._came[self._current] = _hash(self._places)
            self._places = array("I", bytes(_BYTES))

    def table(self, place: int, data: bytes) -> None:
        """A grain table of the file.

        :param place: its first byte.
        """
        entries = _entries(data)
        if self._header.zero_grains and 1 in entries:
            entries = array("I", (0 if entry == 1 else entry for entry in entries))
        if len(self._said) >= 2 * self._header.tables:
            raise FormatError(f"{self._name} has more grain tables than the disk needs")
        self._said_at.append(place // SECTOR)
        self._said.append(_hash(entries) if any(entries) else 0)

    def directory(self, place: int, reader: Bytes) -> None:
        """The grain directory of the file."""
        if self._directory is not None:
            raise FormatError(f"{self._name} has two grain directories")
        self._directory, self._directory_at = array("I"), place
        left = self.directory_sectors * SECTOR
        while left:
            part = min(left, _PART)
            self._directory.extend(_entries(reader.exactly(part)))
            left -= part
        del self._directory[self._header.tables :]

    def footer(self, header: Header) -> None:
        """The footer: the header once more, with the place of the directory."""
        own = self._header
        if (header.size, header.grain) != (own.size, own.grain) or header.directory is None:
            raise FormatError(f"{self._name} ends as another disk than it began")
        self._footer = header.directory

    def read_front(self, reader: Bytes) -> None:
        """Directory and tables in front of the data.

        :raises FormatError: they are not in order, so that they cannot be read as they come.
        """
        place = self._header.directory or 0
        if place < reader.place:
            raise FormatError(f"{self._name}: its grain directory is inside its descriptor")
        reader.skip(place - reader.place)
        self.directory(place, reader)
        self.front = True
        for sector in self._wanted():
            if sector * SECTOR < reader.place or (sector + self.table_sectors) * SECTOR > self._header.overhead:
                raise FormatError(f"{self._name}: its grain tables are neither in order nor in front of its data")
            reader.skip(sector * SECTOR - reader.place)
            self.table(reader.place, reader.exactly(_BYTES))

    def _wanted(self) -> Iterator[int]:
        return (sector for sector in self._directory or () if sector)

    def check(self, header: Header) -> None:
        """Compares, after the end of the stream.

        :raises TruncatedError: grains that the tables name did not come.
        :raises FormatError: the tables say something else.
        """
        self._keep()
        if self._directory is None or (not self.front and self._footer is None):
            raise TruncatedError(f"{self._name} ends without its grain directory or its footer")
        if not self.front and self._footer != self._directory_at:
            raise FormatError(f"{self._name}: its footer names another grain directory")
        for number, sector in enumerate(self._directory):
            said = self._says(sector) if sector else 0
            if said is None:
                raise FormatError(f"{self._name}: its directory names a grain table that is not there")
            if said != self._came[number]:
                begin = number * header.span
                raise TruncatedError(
                    f"{self._name}: what came for bytes {begin} to {min(begin + header.span, header.size)} of the disk"
                    " is not what its grain table names",
                    hint="Grains are missing or were changed on their way; nothing of it is kept",
                )

    def _says(self, sector: int) -> int | None:
        found = bisect.bisect_left(self._said_at, sector)
        there = found < len(self._said_at) and self._said_at[found] == sector
        return self._said[found] if there else None
