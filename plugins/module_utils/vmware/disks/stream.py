# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Streams of disks (``streamOptimized``: every export of vSphere, every OVA) decoded while they come, from front to back.

No seek, no scratch, memory for a few grains. What is wrong ends it at once: a marker that is none, a grain that does not
inflate, comes twice or lies behind the end of the disk. A stream that just ends, even a well-formed one, is found by its end
marker; one with grains missing in the middle by its grain directory, which is compared with what came.

Source: Virtual Disk Format 5.0 (VMware technical note), "Stream-Optimized Compressed Sparse Extents".
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator

from ...core.transfer import CHUNK, Piece, TruncatedError
from . import descriptor
from .descriptor import SECTOR, FormatError
from .header import fitting, header_of
from .tables import Tables

_MARKER = struct.Struct("<QII")
_GRAIN_HEAD = 12
_END, _TABLE, _DIRECTORY, _FOOTER = range(4)


class Reader:
    """Exact numbers of bytes from chunks of any length.

    :ivar place: bytes that were read so far.
    :param chunks: of bytes; never asked again after its end.
    :param name: for messages.
    """

    def __init__(self, chunks: Iterable[bytes], name: str) -> None:
        self.place = 0
        self._chunks, self._name = iter(chunks), name
        self._chunk, self._at = b"", 0

    def exactly(self, count: int) -> bytes:
        """The next bytes.

        :raises TruncatedError: there are fewer.
        """
        data = self.some(count)
        if len(data) < count:
            raise TruncatedError(
                f"{self._name} ends after {self.place} bytes, in the middle of the disk",
                hint="The transfer was cut off, even if it ended without an error; nothing of it is kept",
            )
        return data

    def some(self, count: int) -> bytes:
        """The next bytes, fewer only at the end."""
        begin, end = self._at, self._at + count
        if end <= len(self._chunk):
            self._at = end
            self.place += count
            return self._chunk[begin:end]
        parts, left = [self._chunk[begin:]], end - len(self._chunk)
        self._chunk, self._at = b"", 0
        for chunk in self._chunks:
            if left <= len(chunk):
                parts.append(chunk[:left])
                self._chunk, self._at = chunk, left
                break
            parts.append(chunk)
            left -= len(chunk)
        data = b"".join(parts)
        self.place += len(data)
        return data

    def skip(self, count: int) -> None:
        """Passes over bytes.

        :raises TruncatedError: there are fewer.
        """
        while count:
            part = min(count, CHUNK)
            self.exactly(part)
            count -= part


class Decoder:
    """One stream.

    :ivar size: bytes of the disk.
    :param chunks: the stream, as it comes.
    :param name: for messages.
    :param expected: bytes that the disk must have; 0 when nobody knows.
    :raises FormatError: it is no stream.
    :raises TruncatedError: it ends within its head.
    """

    def __init__(self, chunks: Iterable[bytes], name: str, *, expected: int = 0) -> None:
        self.name = name
        self._reader = Reader(chunks, name)
        self._header = header_of(self._reader.exactly(SECTOR), name)
        if not self._header.compressed:
            raise FormatError(f"{name} is a sparse disk that needs to be read out of order, and this is a stream")
        self.size = self._header.size
        fitting(self.size, expected, name)
        self._tables = Tables(self._header, name)
        self._head()

    def _head(self) -> None:
        """What lies in front of the data: the descriptor, and the grain tables where a writer could seek."""
        header, reader = self._header, self._reader
        if header.descriptor_size:
            reader.skip(header.descriptor - reader.place)
            text = reader.exactly(header.descriptor_size)
            judge_embedded(text, self.name)
        if header.directory is not None and header.directory < header.overhead:
            self._tables.read_front(reader)
        reader.skip(header.overhead - reader.place)

    def pieces(self) -> Iterator[Piece]:
        """All of the disk.

        :raises TruncatedError: the stream ends too early, or grains are missing.
        :raises FormatError: it is broken.
        """
        header, place = self._header, 0
        for begin, data in self._grains():
            if begin > place:
                yield Piece(place, begin - place)
            place = begin + len(data)
            yield Piece(begin, len(data), data)
        self._tables.check(header)
        if place < header.size:
            yield Piece(place, header.size - place)

    def _grains(self) -> Iterator[tuple[int, bytes]]:
        reader, number = self._reader, -1
        while True:
            where = reader.place
            sector = reader.some(SECTOR)
            if not sector and self._tables.front:
                return  # Written by a program that could seek: the directory in front says that all is here.
            if len(sector) < SECTOR:
                reader.exactly(SECTOR)
            value, size, kind = _MARKER.unpack_from(sector)
            if size:
                last, number = number, self._number(value, where)
                if number <= last:
                    what = "comes twice" if number == last else f"comes after grain {last}"
                    raise self._broken(where, f"grain {number} {what}, so it cannot be decoded while it comes")
                self._tables.came(number, where)
                yield number * self._header.grain, self._inflated(sector, number, size, where)
            elif kind == _END and not value:
                self._rest()
                return
            else:
                self._metadata(kind, value, where)

    def _number(self, sector: int, where: int) -> int:
        number, rest = divmod(sector * SECTOR, self._header.grain)
        if rest or number >= self._header.grains:
            raise self._broken(where, f"a grain of sector {sector}, where none can be")
        return number

    def _inflated(self, sector: bytes, number: int, size: int, where: int) -> bytes:
        grain = self._header.grain
        if size > 2 * grain + SECTOR:
            raise self._broken(where, f"grain {number} has {size} compressed bytes")
        packed = sector[_GRAIN_HEAD : _GRAIN_HEAD + size]
        if size > len(packed):
            rest = size - len(packed)
            packed += self._reader.exactly(-(-rest // SECTOR) * SECTOR)[:rest]
        wanted = min(grain, self._header.size - number * grain)
        inflate = zlib.decompressobj()
        try:
            data = inflate.decompress(packed, grain + 1)
        except zlib.error as error:
            raise self._broken(where, f"grain {number} does not inflate: {error}") from error
        if not inflate.eof or not wanted <= len(data) <= grain:
            raise self._broken(where, f"grain {number} is not whole, or has more than {grain} bytes")
        return data if len(data) == wanted else data[:wanted]

    def _metadata(self, kind: int, sectors: int, where: int) -> None:
        reader, tables = self._reader, self._tables
        if kind == _TABLE and sectors == tables.table_sectors:
            tables.table(reader.place, reader.exactly(sectors * SECTOR))
        elif kind == _DIRECTORY and sectors == tables.directory_sectors:
            tables.directory(reader.place, reader)
        elif kind == _FOOTER and sectors == 1:
            tables.footer(header_of(reader.exactly(SECTOR), f"the footer of {self.name}"))
        else:
            raise self._broken(where, f"a marker of kind {kind} with {sectors} sectors")

    def _rest(self) -> None:
        """What follows the end: nothing, or padding."""
        while True:
            rest = self._reader.some(CHUNK)
            if rest.strip(b"\0"):
                raise self._broken(self._reader.place, "bytes behind its end")
            if len(rest) < CHUNK:
                return

    def _broken(self, where: int, what: str) -> FormatError:
        return FormatError(f"{self.name} is broken at byte {where}: {what}")


def judge_embedded(text: bytes, name: str) -> None:
    """Judges the descriptor inside a sparse file: nothing that it names is opened, but it must be that of a whole disk.

    :raises FormatError: it has a parent, is encrypted or leads elsewhere.
    """
    if text.strip(b"\0"):
        where = f"the descriptor in {name}"
        descriptor.refuse_chain(descriptor.parse(text, where), where)
