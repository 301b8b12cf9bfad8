# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Programs that write the bytes of a volume: started, read, ended whatever happens."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.pipe import Pipe
from .blocks import Piece, ring_of


class PipeStream(Pipe):
    """What a program writes; see :class:`..blocks.Stream`."""

    def __init__(self, name: str, argv: list[str], stall: float) -> None:
        super().__init__(name, argv, stall, "Install ceph-common where this runs")

    def blocks(self, size: int) -> Iterator[Piece]:
        """See :class:`..blocks.Stream`.

        :raises LandscapeError: the program failed, or wrote nothing for too long.
        """
        ring, turn = ring_of(size), 0
        while True:
            many = self.fill(ring[turn])
            if many:
                yield ring[turn] if many == size else bytes(ring[turn][:many])
            if many < size:
                break
            turn = (turn + 1) % len(ring)
        self.ended()
