# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a disk holds, found by reading it once: digests of its blocks, and where there is anything but zeroes. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...core.blockmap import BlockMap, Hasher, Head, block_for
from ...core.transfer import GRAIN, Source, in_order, with_holes

#: Extents that are kept one by one; with more of them small gaps are closed, so that memory has a bound.
_MOST = 100_000


class Extents:
    """Where data may be, a little more rather than less."""

    def __init__(self, most: int = _MOST) -> None:
        self._found: list[tuple[int, int]] = []
        self._gap, self._most = 0, most

    def add(self, begin: int, end: int) -> None:
        """Another stretch with data, behind all others."""
        if self._found and begin - self._found[-1][1] <= self._gap:
            self._found[-1] = (self._found[-1][0], end)
            return
        self._found.append((begin, end))
        while len(self._found) > self._most:
            self._gap = max(GRAIN, self._gap * 2)
            before, self._found = self._found, []
            for low, high in before:
                if self._found and low - self._found[-1][1] <= self._gap:
                    self._found[-1] = (self._found[-1][0], high)
                else:
                    self._found.append((low, high))

    def all(self) -> list[tuple[int, int]]:
        """Offset and length of each."""
        return [(begin, end - begin) for begin, end in self._found]


@dataclass(frozen=True)
class Scan:
    """What reading a disk once told.

    :param data: bytes that are not in holes.
    """

    map: BlockMap
    extents: list[tuple[int, int]]
    data: int


def scan(source: Source, subject: str, seen: Callable[[int], None] = lambda _place: None) -> Scan:
    """Reads a disk from its start.

    :param seen: is told how far it is.
    """
    found = BlockMap(Head(subject, source.size, block_for(source.size)))
    hasher, extents, data = Hasher(found), Extents(), 0
    for piece in with_holes(in_order(source)):
        hasher.feed(piece)
        if piece.data is not None:
            extents.add(piece.offset, piece.end)
            data += piece.length
        seen(piece.end)
    return Scan(found, extents.all(), data)
