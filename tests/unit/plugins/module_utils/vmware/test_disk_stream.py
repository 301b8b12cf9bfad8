# SPDX-License-Identifier: Apache-2.0
"""Streams of disks: the same bytes come out, and whatever was lost or changed on the way ends it."""

from __future__ import annotations

import contextlib
import hashlib
import random
import struct
import tracemalloc
import zlib

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.core.transfer import TruncatedError
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks import header, stream
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks.descriptor import FormatError

from . import vmdk
from .vmdk import MIB, SECTOR

SIZES = [SECTOR, 65536, 65536 + SECTOR, 33 * MIB, MIB + MIB // 64, 2 * MIB - SECTOR]


def chunks(chance: random.Random, data: bytes):
    """As a network gives them."""
    place = 0
    while place < len(data):
        length = chance.choice([1, 100, 511, 512, 65536, MIB])
        yield data[place : place + length]
        place += length


def decoded(given: bytes, chance: random.Random | None = None, **options) -> bytes:
    """What comes out."""
    made = stream.Decoder(chunks(chance, given) if chance else [given], "disk-0.vmdk", **options)
    found, place = bytearray(), 0
    for piece in made.pieces():
        assert piece.offset == place
        found += bytes(piece.length) if piece.data is None else piece.data
        place += piece.length
    assert place == made.size
    return bytes(found)


@pytest.mark.parametrize("late", [False, True], ids=["tables-behind-grains", "tables-last"])
@pytest.mark.parametrize("size", SIZES)
def test_the_same_bytes(seed, size, late):
    chance = random.Random(f"{seed} {size}")
    data = vmdk.disk(chance, size)
    found = decoded(vmdk.stream(data, tables_late=late), chance, expected=size)
    assert hashlib.sha256(found).digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize("grain", [8, 16, 2048])
def test_grains_of_other_sizes(seed, grain):
    data = vmdk.disk(random.Random(seed), 3 * MIB + 7 * SECTOR)
    assert decoded(vmdk.stream(data, grain=grain)) == data


def test_nothing_but_zeroes():
    assert decoded(vmdk.stream(bytes(MIB))) == bytes(MIB)


@pytest.mark.parametrize("number", range(25))
def test_a_stream_that_ends_anywhere_is_noticed(seed, number):
    chance = random.Random(seed + number)
    whole = vmdk.stream(vmdk.disk(chance, 3 * MIB))
    # The last sector marks the end; a stream without some of its zeroes lacks part of the marker.
    with pytest.raises(TruncatedError):
        decoded(whole[: chance.randrange(len(whole))], chance)


@pytest.mark.parametrize("number", range(40))
def test_a_changed_bit_gives_no_other_bytes(seed, number):
    chance = random.Random(seed + number)
    data = vmdk.disk(chance, 2 * MIB)
    broken = bytearray(vmdk.stream(data))
    broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
    with contextlib.suppress(LandscapeError):
        assert decoded(bytes(broken)) == data  # It was padding, or a word that nothing depends on.


@pytest.mark.parametrize("number", range(6))
def test_a_lost_grain_is_noticed(seed, number):
    """A transfer that loses whole sectors, and ends as it should."""
    chance = random.Random(seed + number)
    data = chance.randbytes(2 * MIB)
    whole = bytearray(vmdk.stream(data))
    places = []
    place = 128 * SECTOR
    while struct.unpack_from("<I", whole, place + 8)[0]:
        length = 12 + struct.unpack_from("<I", whole, place + 8)[0]
        places.append((place, place + length + -length % SECTOR))
        place = places[-1][1]
    low, high = chance.choice(places)
    with pytest.raises(LandscapeError):
        decoded(bytes(whole[:low] + whole[high:]))
    # Nor when grains have changed places, or one comes twice.
    (one, two), (three, four) = places[0], places[1]
    with pytest.raises(LandscapeError, match="comes after"):
        decoded(bytes(whole[:one] + whole[three:four] + whole[one:two] + whole[four:]))
    with pytest.raises(LandscapeError, match="comes twice"):
        decoded(bytes(whole[:two] + whole[one:two] + whole[four:]))


def grain(number: int, packed: bytes) -> bytes:
    """A grain with its marker."""
    return vmdk.padded(struct.pack("<QI", number * 128, len(packed)) + packed)


HEAD = vmdk.header(2 * 128, text_size=0).ljust(128 * SECTOR, b"\0")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (grain(2, zlib.compress(bytes(65536))), "none can be"),
        (struct.pack("<QI", 5, 100).ljust(SECTOR, b"\0"), "none can be"),
        (struct.pack("<QI", 2**63, 100).ljust(SECTOR, b"\0"), "none can be"),
        (grain(0, b"x" * 100), "does not inflate"),
        (grain(0, zlib.compress(bytes(64 * MIB), 9)), "more than"),
        (grain(0, zlib.compress(bytes(100))), "not whole"),
        (grain(0, zlib.compress(random.Random(1).randbytes(65536))[:-9]), "not whole"),
        (struct.pack("<QI", 0, 2**32 - 1).ljust(SECTOR, b"\0"), "compressed bytes"),
        (struct.pack("<QII", 4, 0, 9).ljust(SECTOR, b"\0"), "a marker of kind 9"),
        (struct.pack("<QII", 2**60, 0, 1).ljust(SECTOR, b"\0"), "a marker of kind 1"),
        (bytes(SECTOR), "without its grain directory"),
    ],
    ids=["behind", "beside", "far", "junk", "bomb", "short", "cut", "long", "kind", "table", "empty"],
)
def test_hostile_streams(body, error):
    tracemalloc.start()
    with pytest.raises(LandscapeError, match=error):
        decoded(HEAD + body + bytes(1024))
    assert tracemalloc.get_traced_memory()[1] < 2 * MIB
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("sector", "error"),
    [
        (b"", "ends after"),
        (b"COWD".ljust(SECTOR, b"\0"), "COWD"),
        (header.SESPARSE.ljust(SECTOR, b"\0"), "seSparse"),
        (b"# Disk DescriptorFile".ljust(SECTOR, b"\n"), "no disk of VMware"),
        (vmdk.header(2**60), "sectors"),
        (vmdk.header(0), "sectors"),
        (vmdk.header(8, grain=127), "grains have"),
        (vmdk.header(8, grain=2**40), "grains have"),
        (vmdk.header(8, overhead=2**62), "data begins"),
        (vmdk.header(8, text_size=2**50), "descriptor has"),
        (vmdk.header(8, version=9), "version"),
        (vmdk.header(8, flags=0x30009), "flags"),
        (vmdk.header(8, flags=3, how=0), "out of order"),
        (vmdk.header(8).replace(b"\n \r\n", b"\n \n\n"), "newlines"),
    ],
    ids=[
        "nothing",
        "cowd",
        "sesparse",
        "text",
        "huge",
        "none",
        "odd-grain",
        "huge-grain",
        "overhead",
        "text-size",
        "version",
        "flags",
        "flat",
        "newlines",
    ],
)
def test_hostile_heads(sector, error):
    with pytest.raises(LandscapeError, match=error):
        decoded(sector)


def test_another_disk_is_refused_at_once():
    given = vmdk.stream(bytes(MIB))
    with pytest.raises(LandscapeError, match="the machine has one of"):
        stream.Decoder([given[: 200 * SECTOR]], "disk-0.vmdk", expected=2 * MIB)


def test_bytes_behind_the_end_are_refused(seed):
    whole = vmdk.stream(vmdk.disk(random.Random(seed), MIB))
    assert len(decoded(whole + bytes(5000))) == MIB
    with pytest.raises(FormatError, match="behind its end"):
        decoded(whole + b"HTTP/1.1 200 OK")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_disk():
    """62 TiB, nearly all of it zeroes."""
    size = 62 * 1024**4
    tables = size // (32 * MIB)
    made = bytearray(vmdk.header(size // SECTOR, text_size=0).ljust(128 * SECTOR, b"\0"))
    made += struct.pack("<QII", tables * 4 // SECTOR, 0, 2).ljust(SECTOR, b"\0")
    footer = struct.pack("<QII", 1, 0, 3).ljust(SECTOR, b"\0")
    footer += vmdk.header(size // SECTOR, text_size=0, directory=129) + bytes(SECTOR)

    def parts():
        yield bytes(made)
        for _number in range(tables * 4 // MIB):
            yield bytes(MIB)
        yield bytes(tables * 4 % MIB)
        yield footer

    tracemalloc.start()
    found = list(stream.Decoder(parts(), "disk").pieces())
    assert tracemalloc.get_traced_memory()[1] < 64 * MIB
    tracemalloc.stop()
    assert [(piece.offset, piece.length, piece.data) for piece in found] == [(0, size, None)]
