# SPDX-License-Identifier: Apache-2.0
"""Writes disks of VMware for tests, from the text of the specification and not by what reads them."""

from __future__ import annotations

import random
import struct
import zlib

SECTOR = 512
MIB = 1024 * 1024


def disk(chance: random.Random, size: int) -> bytes:
    """Bytes with stretches of zeroes, of text and of chance; large disks are mostly zeroes."""
    made = bytearray()
    while len(made) < size:
        length = chance.choice([512, 4096, 65536, 200_192, max(size // 3 // SECTOR, 1) * SECTOR])
        kind = chance.randrange(3)
        made += (
            bytes(length) if kind == 0 else (chance.randbytes(min(length, 100_000)) if kind == 1 else b"text" * 2048)
        )
    return bytes(made[:size])


def text(kind: str, extents: list[str], **more: str) -> bytes:
    """A descriptor."""
    lines = ["# Disk DescriptorFile", "version=1", "CID=fffffffe", f"parentCID={more.pop('parent_cid', 'ffffffff')}"]
    lines += [f'createType="{kind}"', *(f'{name}="{value}"' for name, value in more.items())]
    lines += ["", "# Extent description", *extents, "", "# The Disk Data Base", "#DDB", 'ddb.adapterType = "lsilogic"']
    return ("\n".join(lines) + "\n").encode()


def header(
    sectors: int, *, grain=128, directory=2**64 - 1, overhead=128, flags=0x30001, how=1, version=3, **more
) -> bytes:
    """First sector of a sparse file."""
    values = (
        b"KDMV",
        version,
        flags,
        sectors,
        grain,
        more.get("text_at", 1),
        more.get("text_size", 20),
        512,
        0,
        directory,
    )
    made = struct.pack("<4sIIQQQQIQQQB4sH", *values, overhead, more.get("unclean", 0), b"\n \r\n", how)
    return made.ljust(SECTOR, b"\0")


def padded(data: bytes, to: int = SECTOR) -> bytes:
    """With zeroes up to the next sector."""
    return data + bytes(-len(data) % to)


def stream(data: bytes, *, grain: int = 128, tables_late: bool = False, level: int = 1) -> bytes:
    """A stream as vSphere writes it: grains of zeroes left out, tables behind their grains, directory and footer last.

    :param grain: sectors.
    :param tables_late: all tables at the end.
    """
    size = grain * SECTOR
    descriptor = text("streamOptimized", [f'RW {len(data) // SECTOR} SPARSE "x.vmdk"'])
    made = bytearray(header(len(data) // SECTOR, grain=grain) + descriptor.ljust(20 * SECTOR, b"\0"))
    made += bytes(128 * SECTOR - len(made))
    directory: list[int] = []
    late: list[tuple[int, bytes]] = []
    for low in range(0, len(data), size * 512):
        entries = [0] * 512
        for number in range(512):
            piece = data[low + number * size : low + (number + 1) * size]
            if piece.strip(b"\0"):
                entries[number] = len(made) // SECTOR
                packed = zlib.compress(piece.ljust(size, b"\0"), level)
                made += padded(struct.pack("<QI", (low + number * size) // SECTOR, len(packed)) + packed)
        directory.append(0)
        if any(entries):
            late.append((len(directory) - 1, struct.pack("<512I", *entries)))
            if not tables_late:
                _tables(made, directory, late)
    _tables(made, directory, late)
    listed = padded(struct.pack(f"<{len(directory)}I", *directory))
    made += struct.pack("<QII", len(listed) // SECTOR, 0, 2).ljust(SECTOR, b"\0")
    place = len(made) // SECTOR
    made += listed
    made += struct.pack("<QII", 1, 0, 3).ljust(SECTOR, b"\0") + header(
        len(data) // SECTOR, grain=grain, directory=place
    )
    return bytes(made + bytes(SECTOR))


def _tables(made: bytearray, directory: list[int], late: list[tuple[int, bytes]]) -> None:
    while late:
        number, table = late.pop(0)
        made += struct.pack("<QII", 4, 0, 1).ljust(SECTOR, b"\0")
        directory[number] = len(made) // SECTOR
        made += table


def sparse(data: bytes, chance: random.Random, *, grain: int = 128, embedded: bytes = b"") -> bytes:
    """A sparse file whose grains lie in any order, some grains of zeroes named as such."""
    size, tables = grain * SECTOR, -(-len(data) // (grain * SECTOR * 512))
    first = 21 + -(-tables * 4 // SECTOR)
    overhead = -(-(first + 4 * tables) // grain) * grain
    numbers = [n for n in range(-(-len(data) // size)) if data[n * size : (n + 1) * size].strip(b"\0")]
    places = list(range(len(numbers)))
    if chance.random() < 0.5:
        chance.shuffle(places)
    entries = [chance.choice([0, 1]) for _number in range(tables * 512)]
    body = bytearray(len(numbers) * size)
    for number, place in zip(numbers, places):
        entries[number] = overhead + place * grain
        piece = data[number * size : (number + 1) * size]
        body[place * size : place * size + len(piece)] = piece
    head = header(
        len(data) // SECTOR, grain=grain, directory=21, overhead=overhead, flags=5, how=0, version=1, text_size=20
    )
    made = head + embedded.ljust(20 * SECTOR, b"\0")
    made += padded(struct.pack(f"<{tables}I", *(first + 4 * number for number in range(tables))))
    made += struct.pack(f"<{len(entries)}I", *entries)
    return made.ljust(overhead * SECTOR, b"\0") + bytes(body)
