# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A disk of a folder as a source: its descriptor is read and judged, and only then are the files opened that it names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, Union

from ...core.transfer import Piece, with_holes
from . import descriptor
from .descriptor import SECTOR, Descriptor, Extent, FormatError
from .header import MAGIC, fitting, header_of
from .sparse import SparseFile
from .store import Part, Store
from .stream import Decoder

#: Bytes that are read first; more than any descriptor of a disk in few files has.
_BEGIN = 16 * 1024


class Stretch(Protocol):
    """What holds the bytes of one extent."""

    def pieces(self, begin: int, end: int) -> Iterator[Piece]:
        """Its bytes, with offsets inside it."""


class FlatFile:
    """An extent that is simply its bytes."""

    def __init__(self, store: Store, name: str, offset: int, size: int) -> None:
        self._store, self._name, self._offset = store, name, offset
        there = store.size(name)
        if there < offset + size:
            raise FormatError(f"{name} has {there} bytes, and its descriptor names {offset + size}")

    def pieces(self, begin: int, end: int) -> Iterator[Piece]:
        """See :class:`Stretch`."""
        place = begin
        for part in self._store.stream(self._name, self._offset + begin, self._offset + end):
            length = part if isinstance(part, int) else len(part)
            yield Piece(place, length, None if isinstance(part, int) else part)
            place += length


class Zeroes:
    """An extent without bytes."""

    def pieces(self, begin: int, end: int) -> Iterator[Piece]:
        """See :class:`Stretch`."""
        yield Piece(begin, end - begin)


class ExtentsSource:
    """A disk made of extents; see :class:`...core.transfer.Source`.

    :ivar files: that its bytes are in.
    """

    restartable = True

    def __init__(self, name: str, extents: list[tuple[int, Stretch]], files: list[str]) -> None:
        self.name, self.files, self._extents = name, files, extents
        self.size = sum(size for size, _stretch in extents)

    def pieces(self, begin: int = 0) -> Iterator[Piece]:
        """See :class:`...core.transfer.Source`."""
        return with_holes(self._raw(begin))

    def _raw(self, begin: int) -> Iterator[Piece]:
        base = 0
        for size, stretch in self._extents:
            if begin < base + size:
                for piece in stretch.pieces(max(begin - base, 0), size):
                    yield Piece(base + piece.offset, piece.length, piece.data)
            base += size


class StreamSource:
    """A stream that lies in a folder: can only be decoded from its start."""

    restartable = False

    def __init__(self, store: Store, file: str, name: str, size: int) -> None:
        self.name, self.size, self.files = name, size, [file]
        self._store, self._file = store, file

    def pieces(self, begin: int = 0) -> Iterator[Piece]:
        """See :class:`...core.transfer.Source`."""
        from_start(begin, self.name)
        chunks = _chunks(self._store.stream(self._file, 0, self._store.size(self._file)))
        return with_holes(Decoder(chunks, self.name, expected=self.size).pieces())


def from_start(begin: int, name: str) -> None:
    """Refuses to begin elsewhere.

    :raises FormatError: that was asked for.
    """
    if begin:
        raise FormatError(f"{name} is a stream: it can only be read from its start")


def _chunks(parts: Iterator[Part]) -> Iterator[bytes]:
    for part in parts:
        while isinstance(part, int) and part > 0:
            some = min(part, 1 << 20)
            yield bytes(some)
            part -= some
        if isinstance(part, bytes):
            yield part


#: A disk of a folder, whatever it is made of.
DiskSource = Union[ExtentsSource, StreamSource]


def open_disk(store: Store, name: str, *, expected: int = 0) -> DiskSource:
    """A disk of a folder as a source.

    :param name: of its descriptor, or of a sparse file that holds its own.
    :param expected: bytes that it must have; 0 when nobody knows.
    :raises FormatError: it is broken, leads elsewhere, or is of a kind that is refused by name.
    :raises LandscapeError: it is not there, or cannot be read.
    """
    descriptor.confined(name, store.name)
    title = f"{store.name}/{name}"
    length = store.size(name)
    begin = store.read(name, 0, min(length, _BEGIN))
    if descriptor.is_descriptor(begin):
        if length > descriptor.LONGEST:
            raise FormatError(f"{title} is no descriptor: it has {length} bytes")
        text = begin + store.read(name, len(begin), length - len(begin))
        made = descriptor.parse(text, title)
        descriptor.refuse_chain(made, title)
        source = _described(store, name, title, made)
    elif begin[:4] == MAGIC:
        source = _sparse(store, name, title, begin)
    elif name.endswith("-flat.vmdk"):
        raise FormatError(f"{title} is a file of bytes: name the descriptor beside it")
    else:
        header_of(begin[:SECTOR], title)
        raise FormatError(f"{title} is no disk of VMware")
    fitting(source.size, expected, title)
    return source


def _sparse(store: Store, name: str, title: str, begin: bytes) -> DiskSource:
    header = header_of(begin[:SECTOR], title)
    if header.compressed:
        return StreamSource(store, name, title, header.size)
    return ExtentsSource(title, [(header.size, SparseFile(store, name))], [name])


def _described(store: Store, name: str, title: str, made: Descriptor) -> DiskSource:
    if made.kind in ("vmfssparse", "sesparse"):
        descriptor.refuse_kind(made, title)
    if made.kind == "streamoptimized":
        extent = made.extents[0]
        if len(made.extents) != 1 or extent.name == name:
            raise FormatError(f"{title} describes a stream of {len(made.extents)} files")
        return StreamSource(store, extent.name, title, extent.size)
    stretches = [(extent.size, _stretch(store, extent, name, title)) for extent in made.extents]
    return ExtentsSource(title, stretches, [extent.name for extent in made.extents if extent.name])


def _stretch(store: Store, extent: Extent, name: str, title: str) -> Stretch:
    if extent.kind == "ZERO":
        return Zeroes()
    if extent.name == name:
        raise FormatError(f"{title} names itself as the file of its bytes")
    if extent.kind != "SPARSE":
        return FlatFile(store, extent.name, extent.offset, extent.size)
    made = SparseFile(store, extent.name)
    if made.size != extent.size:
        raise FormatError(f"{extent.name} holds {made.size} bytes of the disk, and {title} says {extent.size}")
    return made
