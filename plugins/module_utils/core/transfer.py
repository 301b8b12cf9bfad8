# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Disks on their way from one place to another: what sources give and sinks take, whatever the far ends speak.

A disk travels as pieces, front to back. Holes are pieces without bytes, so zeroes are neither sent nor hashed nor kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from .errors import LandscapeError

#: Most bytes in one piece; holes have any length.
CHUNK = 1024 * 1024
#: Bytes in which zeroes are looked for inside a piece: small enough for scattered data, large enough to cost nothing.
GRAIN = 64 * 1024
#: Bytes of zeroes that are read before anybody hears of them: who is killed in a long run of them reads no more than this again.
MERGED = 64 * 1024 * 1024
_ZEROES = bytes(CHUNK)


class TruncatedError(LandscapeError):
    """A source ended before all bytes were there."""


@dataclass(frozen=True)
class Piece:
    """One stretch of a disk.

    :param offset: bytes from the start of the disk.
    :param length: bytes.
    :param data: the bytes, at most :data:`CHUNK`; nothing for a hole, which may have any length.
    """

    offset: int
    length: int
    data: bytes | None = None

    @property
    def end(self) -> int:
        """First byte behind it."""
        return self.offset + self.length


class Source(Protocol):
    """A disk that can be read.

    :ivar name: for messages.
    :ivar size: bytes of the disk; a multiple of 512, not always one of a GiB.
    :ivar restartable: whether :meth:`pieces` can begin elsewhere than at 0.
    """

    name: str
    size: int
    restartable: bool

    def pieces(self, begin: int = 0) -> Iterator[Piece]:
        """All of ``[begin, size)``, front to back, without gaps and overlaps.

        May be called again after an error. Closing the iterator ends reading.

        :raises TruncatedError: it ends too early.
        :raises LandscapeError: it cannot be read.
        """


class Sink(Protocol):
    """A place that takes the bytes of a disk.

    :ivar name: for messages.
    :ivar size: bytes of the disk.
    :ivar resumable: whether what was flushed is there after a kill.
    """

    name: str
    size: int
    resumable: bool

    def write(self, piece: Piece) -> None:
        """The next piece. The first one may begin anywhere; what lies behind its begin may come from a broken run."""

    def flush(self) -> None:
        """Returns when all that was written would survive a crash."""

    def read(self, begin: int = 0, end: int | None = None) -> Iterator[Piece]:
        """What is at the far end now, front to back; not for all sinks.

        :raises LandscapeError: it cannot be read.
        """

    def finish(self) -> None:
        """All is there and was found to be right: makes it usable. Called once."""

    def abort(self) -> None:
        """Removes what was half made."""


def is_zero(data: bytes, begin: int = 0, length: int | None = None) -> bool:
    """Whether a stretch of a piece holds only zeroes; nothing is copied, and the first other byte ends it."""
    length = len(data) - begin if length is None else length
    if length == CHUNK:
        return data.startswith(_ZEROES, begin)
    return data.startswith(_ZEROES[:length], begin)


def pieces_of(data: bytes, offset: int) -> Iterator[Piece]:
    """The same bytes with their zeroes as holes.

    :param data: at most :data:`CHUNK`.
    :param offset: of the first byte on the disk.
    """
    length = len(data)
    if is_zero(data):
        yield Piece(offset, length)
        return
    # Places are on the disk's grid, so that the same disk gives the same holes wherever reading began.
    cuts = [0, *range(GRAIN - offset % GRAIN, length, GRAIN), length]
    flags = [is_zero(data, low, high - low) for low, high in zip(cuts, cuts[1:])]
    if not any(flags):
        yield Piece(offset, length, data)
        return
    begin = 0
    for number in range(1, len(flags) + 1):
        if number == len(flags) or flags[number] != flags[begin]:
            low, high = cuts[begin], cuts[number]
            yield Piece(offset + low, high - low, None if flags[begin] else data[low:high])
            begin = number


def with_holes(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Pieces with their zeroes as holes, and neighbouring holes as one of :data:`MERGED` bytes or a little more.

    What was read comes before the error of a source that breaks off, so that nobody reads it again.
    """
    hole: Piece | None = None
    try:
        for given in pieces:
            for piece in (given,) if given.data is None else pieces_of(given.data, given.offset):
                if piece.data is None:
                    hole = Piece(hole.offset, hole.length + piece.length) if hole else piece
                if hole and (piece.data is not None or hole.length >= MERGED):
                    yield hole
                    hole = None
                if piece.data is not None:
                    yield piece
    except LandscapeError:
        if hole:
            yield hole
        raise
    if hole:
        yield hole


def in_order(source: Source, begin: int = 0) -> Iterator[Piece]:
    """The pieces of a source, with what it promises watched.

    :raises TruncatedError: it ends too early.
    :raises LandscapeError: a piece is not where it must be.
    """
    place = begin
    for piece in source.pieces(begin):
        fits = piece.offset == place and 0 < piece.length <= source.size - place
        if not fits or (piece.data is not None and len(piece.data) != piece.length):
            raise LandscapeError(
                f"{source.name} gave {piece.length} bytes at {piece.offset}, and those at {place} were next"
            )
        place = piece.end
        yield piece
    if place != source.size:
        raise TruncatedError(f"{source.name} ends after {place} of {source.size} bytes")
