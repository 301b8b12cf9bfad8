# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The header of sparse files (``KDMV``), as hosted disks and streams have it; checked before anything is made of it.

Source: Virtual Disk Format 5.0 (VMware technical note), "Hosted Sparse Extents" and "Stream-Optimized Compressed Sparse
Extents"; limits as QEMU's block/vmdk.c has them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ...core.errors import LandscapeError
from ...core.transfer import CHUNK
from .descriptor import LARGEST, LONGEST, SECTOR, FormatError

MAGIC = b"KDMV"
#: First bytes of the sparse files of snapshots, on VMFS 5 and 6.
COWD, SESPARSE = b"COWD", struct.pack("<Q", 0x00000000CAFEBABE)
#: Entries of a grain table; the only number that is ever written.
ENTRIES = 512
#: The grain directory is at the end, and a footer says where.
AT_END = 0xFFFFFFFFFFFFFFFF

_HEADER = struct.Struct("<4sIIQQQQIQQQB4sH")
_NEWLINES = 1
_ZERO_GRAINS = 1 << 2
_COMPRESSED = 1 << 16
_MARKERS = 1 << 17
_KNOWN = 0b111 | _COMPRESSED | _MARKERS
_NEWLINE_BYTES = b"\n \r\n"
_DEFLATE = 1
#: Sectors of the smallest and the largest grain that is read.
_SMALLEST, _LARGEST = 8, CHUNK // SECTOR


@dataclass(frozen=True)
class Header:
    """What a sparse file says of itself; all in bytes, checked to fit together.

    :param compressed: grains are deflated and have markers: a stream.
    :param zero_grains: an entry 1 stands for a grain of zeroes.
    :param directory: where the grain directory is; nothing when a footer says it.
    :param overhead: where data begins.
    """

    size: int
    grain: int
    compressed: bool
    zero_grains: bool
    directory: int | None
    overhead: int
    descriptor: int
    descriptor_size: int

    @property
    def grains(self) -> int:
        """Number of grains."""
        return -(-self.size // self.grain)

    @property
    def span(self) -> int:
        """Bytes of the disk in one grain table."""
        return self.grain * ENTRIES

    @property
    def tables(self) -> int:
        """Number of grain tables."""
        return -(-self.size // self.span)


def header_of(sector: bytes, where: str) -> Header:
    """What the first sector of a sparse file says.

    :param where: name of the file, for messages.
    :raises FormatError: it is broken, or of a kind that is not read.
    """
    _recognise(sector, where)
    values = _HEADER.unpack_from(sector)
    version, flags, capacity, grain, text, text_size, entries = values[1:8]
    directory, overhead, unclean, lines, how = values[9:]
    compressed = bool(flags & _COMPRESSED)
    _judge(
        where,
        (version in (1, 2, 3), f"its version is {version}"),
        (not flags & ~_KNOWN, f"it has the unknown flags {flags:#x}"),
        (not flags & _NEWLINES or lines == _NEWLINE_BYTES, "its newlines were changed: it was copied as text"),
        (compressed == bool(flags & _MARKERS), "grains are compressed or have markers, and not both"),
        (how == (_DEFLATE if compressed else 0), f"its compression is number {how}"),
        (entries == ENTRIES, f"its grain tables have {entries} entries"),
    )
    _judge_places(where, capacity, grain, text, text_size, directory, overhead)
    if unclean and not compressed:  # A stream proves by its end that it is whole.
        raise FormatError(
            f"{where} was not closed properly by who wrote it",
            hint="Let the program that wrote it repair it, or clone the disk with vmkfstools -i",
        )
    return Header(
        size=capacity * SECTOR,
        grain=grain * SECTOR,
        compressed=compressed,
        zero_grains=bool(flags & _ZERO_GRAINS),
        directory=None if directory == AT_END else directory * SECTOR,
        overhead=overhead * SECTOR,
        descriptor=text * SECTOR,
        descriptor_size=text_size * SECTOR,
    )


def _recognise(sector: bytes, where: str) -> None:
    """Refuses what does not begin as a sparse file does."""
    if sector[:4] == COWD or sector[:8] == SESPARSE:
        kind = "vmfsSparse (COWD)" if sector[:4] == COWD else "seSparse"
        raise FormatError(f"{where} is of type {kind}, where a disk of its own was expected")
    if len(sector) < SECTOR or sector[:4] != MAGIC:
        raise FormatError(f"{where} is no disk of VMware: it begins with {sector[:8].hex() or 'nothing'}")


def _judge_places(
    where: str, capacity: int, grain: int, text: int, text_size: int, directory: int, overhead: int
) -> None:
    """Judges sizes and places, all in sectors."""
    most = LARGEST // SECTOR
    _judge(
        where,
        (0 < capacity <= most, f"it says that it has {capacity} sectors"),
        (_SMALLEST <= grain <= _LARGEST and not grain & (grain - 1), f"its grains have {grain} sectors"),
        (0 < overhead <= most, f"its data begins at sector {overhead}"),
        (text_size * SECTOR <= LONGEST, f"its descriptor has {text_size} sectors"),
        (not text_size or 0 < text <= overhead - text_size, "its descriptor is not in front of its data"),
        (directory == AT_END or 0 < directory <= most, f"its directory is at sector {directory}"),
    )


def _judge(where: str, *rules: tuple[bool, str]) -> None:
    for holds, message in rules:
        if not holds:
            raise FormatError(f"{where} is a broken sparse file, or none: {message}")


def fitting(size: int, expected: int, where: str) -> None:
    """Refuses a disk of another size than the one that was asked for.

    :param expected: bytes; 0 when nobody knows.
    :raises LandscapeError: they differ.
    """
    if expected and size != expected:
        raise LandscapeError(
            f"{where} is a disk of {size} bytes, and the machine has one of {expected}",
            hint="It is another disk, or was changed meanwhile",
        )
