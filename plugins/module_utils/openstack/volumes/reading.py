# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Reads a whole volume back where it lies, whoever filled it, and compares it with what it must hold."""

from __future__ import annotations

from ...core.blockmap import BlockMap, map_of
from ...core.errors import InputError
from ...core.transfer import Piece, is_zero
from .places import Place, Reach, place_of
from .service import VolumeService


def differing(
    service: VolumeService, reach: Reach, volume: str, room: int, expected: BlockMap
) -> list[tuple[int, int]] | None:
    """Offset and length in bytes of each stretch in which a volume differs; nothing behind the disk but zeroes is right.
    None where this machine does not reach the volume. It is attached here for that time only.

    :param room: bytes of the volume.
    :raises LandscapeError: it cannot be attached or read.
    """
    lent = service.attach(volume)
    try:
        try:
            place = place_of(lent.info, room, reach)
        except InputError:
            return None
        try:
            return _differing(place, room, expected)
        finally:
            place.close()
    finally:
        service.detach(volume, lent.id)


def _differing(place: Place, room: int, expected: BlockMap) -> list[tuple[int, int]]:
    size = expected.head.size
    found = list(expected.compare(map_of(expected.head, place.read(0, size))))
    behind = next((one for one in place.read(size, room) if has_bytes(one)), None) if room > size else None
    return found + ([(behind.offset, behind.length)] if behind else [])


def has_bytes(piece: Piece) -> bool:
    """Whether there is anything but zeroes."""
    return piece.data is not None and not is_zero(piece.data)
