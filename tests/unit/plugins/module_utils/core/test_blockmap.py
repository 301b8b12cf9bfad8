# SPDX-License-Identifier: Apache-2.0
"""Pieces of disks: holes, order, digests block by block, and the file that a broken run leaves."""

from __future__ import annotations

import hashlib
import os
import random

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core import blockmap, journal, transfer
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError

MIB = 1024 * 1024


def disk(chance: random.Random, size: int) -> bytes:
    """Bytes with stretches of zeroes of many lengths."""
    made = bytearray()
    while len(made) < size:
        length = chance.choice([1, 512, 4096, 65536, 100_000, 1_000_000, 5 * MIB])
        made += bytes(length) if chance.random() < 0.5 else chance.randbytes(min(length, 300_000))
    return bytes(made[:size])


def pieces(chance: random.Random, data: bytes, begin: int = 0):
    """The same bytes in pieces of odd lengths."""
    while begin < len(data):
        part = data[begin : begin + chance.choice([512, 70_000, MIB - 1, MIB])]
        yield transfer.Piece(begin, len(part), part)
        begin += len(part)


def joined(given) -> bytes:
    """The bytes of pieces."""
    return b"".join(bytes(piece.length) if piece.data is None else piece.data for piece in given)


@pytest.mark.parametrize("number", range(6))
def test_holes_are_the_same_bytes(seed, number):
    chance = random.Random(seed + number)
    data = disk(chance, chance.choice([512, 3 * MIB + 512, 9 * MIB - 512]))
    found = list(transfer.with_holes(pieces(chance, data)))
    assert joined(found) == data
    assert all(left.end == right.offset for left, right in zip(found, found[1:]))
    assert not any(piece.data is not None and transfer.is_zero(piece.data) for piece in found)
    holes = [piece.data is None for piece in found]
    assert not any(left and right for left, right in zip(holes, holes[1:]))


@pytest.mark.parametrize("number", range(6))
def test_maps_do_not_depend_on_pieces(seed, number):
    chance = random.Random(seed + number)
    size = chance.choice([512, 4096, 3 * MIB + 512, 9 * MIB - 512])
    data = disk(chance, size)
    head = blockmap.Head("disk", size, chance.choice([4096, 65536, MIB]))
    first = blockmap.map_of(head, pieces(chance, data), whole=True)
    second = blockmap.map_of(head, transfer.with_holes(pieces(chance, data)), whole=True)
    wanted = [data[place : place + head.block] for place in range(0, size, head.block)]
    wanted = [hashlib.sha256(block).digest() if block.strip(b"\0") else b"" for block in wanted]
    assert [first.digest(number) for number in range(len(first))] == wanted
    assert first.complete
    assert first.covered == size
    assert first.zero == wanted.count(b"")
    assert first.root == second.root
    assert not first.compare(second)
    assert first.whole == second.whole == hashlib.sha256(data).hexdigest()


def test_a_difference_has_a_place(seed):
    chance = random.Random(seed)
    data = chance.randbytes(10 * 4096 + 512)
    other = bytearray(data)
    other[3 * 4096 + 7] ^= 1
    other[4 * 4096] ^= 1
    other[-1] ^= 1
    head = blockmap.Head("disk", len(data), 4096)
    one, two = (blockmap.map_of(head, pieces(chance, bytes(given))) for given in (data, other))
    assert one.compare(two) == [(3 * 4096, 2 * 4096), (10 * 4096, 512)]
    assert one.root != two.root
    with pytest.raises(InputError):
        one.compare(blockmap.BlockMap(blockmap.Head("disk", len(data), 8192)))


@pytest.mark.parametrize("block", [0, 512, 4097, 12288, 128 * MIB])
def test_blocks_are_powers_of_two(block):
    with pytest.raises(InputError):
        blockmap.Head("disk", 4096, block)


def test_blocks_grow_with_disks():
    assert blockmap.block_for(10 * 1024**3) == 4 * MIB
    assert blockmap.Head("disk", 62 * 1024**4, blockmap.block_for(62 * 1024**4)).count <= 1024 * 1024


@pytest.mark.parametrize("number", range(8))
def test_a_torn_file_says_only_what_is_true(seed, number, tmp_path):
    chance = random.Random(seed + number)
    data = disk(chance, 40 * 4096 + 512)
    head, path = blockmap.Head("disk", len(data), 4096), str(tmp_path / "map")
    first = journal.Journal(path, head)
    hasher = blockmap.Hasher(first.map)
    for piece in pieces(chance, data[: chance.randrange(0, len(data), 512)]):
        hasher.feed(piece)
        if chance.random() < 0.5:
            first.commit()
    first.commit()
    first.close()
    assert os.stat(path).st_mode & 0o777 == 0o600
    with open(path, "r+b") as stream:
        stream.truncate(chance.randrange(os.path.getsize(path) + 1))
    whole = blockmap.map_of(head, pieces(chance, data))
    again = journal.Journal(path, head)
    assert [again.map.digest(at) for at in range(len(again.map))] == [whole.digest(at) for at in range(len(again.map))]
    hasher = blockmap.Hasher(again.map)
    for piece in pieces(chance, data, again.map.covered):
        hasher.feed(piece)
    again.end()
    found = journal.load(path)
    assert found is not None
    assert found.complete
    assert found.root == whole.root
    assert found.zero == whole.zero


def test_files_of_other_bytes_are_not_used(tmp_path):
    path, head = str(tmp_path / "map"), blockmap.Head("disk", 8192, 4096)
    made = journal.Journal(path, head)
    blockmap.Hasher(made.map).feed(transfer.Piece(0, 8192))
    made.end()
    assert journal.Journal(path, head).continued
    assert not journal.Journal(path, head, keep=False).continued
    assert not journal.Journal(path, blockmap.Head("other", 8192, 4096)).continued
    with open(path, "rb") as stream:
        lines = stream.readlines()
    with open(path, "wb") as stream:
        stream.writelines([lines[0], b"1\n", b'"' + b"1" * 64 + b'"\n', lines[-1]])
    assert journal.load(path) is None


def test_order_is_watched():
    class Bad:
        name, size, restartable = "bad", 1024, True

        def __init__(self, *given):
            self.given = given

        def pieces(self, begin=0):
            return iter(self.given)

    good = (transfer.Piece(0, 512), transfer.Piece(512, 512, b"x" * 512))
    assert list(transfer.in_order(Bad(*good))) == list(good)
    with pytest.raises(transfer.TruncatedError):
        list(transfer.in_order(Bad(good[0])))
    for wrong in (good[1:], (good[0], good[0]), (transfer.Piece(0, 2048),), (transfer.Piece(0, 1024, b"x"),)):
        with pytest.raises(LandscapeError):
            list(transfer.in_order(Bad(*wrong)))


def test_zeroes_before_a_break_count_as_read():
    """Otherwise a source that breaks off in the middle of a long run of zeroes begins at the start of it again, for ever."""

    def broken():
        yield transfer.Piece(0, 4096, b"x" * 4096)
        yield transfer.Piece(4096, 4096, bytes(4096))
        raise transfer.TruncatedError("it broke off")

    found: list[transfer.Piece] = []

    def keep():
        for piece in transfer.with_holes(broken()):
            found.append(piece)  # noqa: PERF402 - what came before the error stays

    with pytest.raises(transfer.TruncatedError, match="it broke off"):
        keep()
    assert [(piece.offset, piece.length) for piece in found] == [(0, 4096), (4096, 4096)]


def test_a_long_run_of_zeroes_is_told_while_it_lasts():
    zeroes, count = bytes(transfer.CHUNK), 3 * transfer.MERGED // transfer.CHUNK + 1
    read = 0

    def many():
        nonlocal read
        for number in range(count):
            read = (number + 1) * transfer.CHUNK
            yield transfer.Piece(number * transfer.CHUNK, transfer.CHUNK, zeroes)

    end = 0
    for piece in transfer.with_holes(many()):
        assert piece.data is None
        assert piece.offset == end
        end = piece.end
        assert read - end < transfer.MERGED
    assert end == count * transfer.CHUNK
