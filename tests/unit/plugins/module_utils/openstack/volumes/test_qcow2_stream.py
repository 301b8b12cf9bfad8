# SPDX-License-Identifier: Apache-2.0
"""QCOW2 files that were written front to back are whole, and hold the disk: qemu-img itself judges."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.core.transfer import Piece
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes import qcow2, raw

needs_qemu = pytest.mark.skipif(not shutil.which("qemu-img"), reason="no package source may hold qemu-utils here")


def disk(path: Path, size: int, chance: random.Random, stretches: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)
        for _number in range(stretches):
            length = chance.randrange(1, min(300_000, size))
            file.seek(chance.randrange(0, size - length))
            file.write(chance.randbytes(length))


def stream(source: raw.RawDisk, plan: qcow2.Layout, target: Path) -> None:
    writer = qcow2.Writer(plan)
    with target.open("wb") as file:
        for part in plan.head():
            file.write(part)
        for piece in source.pieces():
            for part in writer.feed(piece):
                file.write(part)


def extents(source: raw.RawDisk) -> list[tuple[int, int]]:
    return [(one.offset, one.length) for one in source.pieces() if one.data is not None]


def data(pieces: list[Piece]) -> bytes:
    return b"".join(bytes(one.length) if one.data is None else one.data for one in pieces)


@needs_qemu
@pytest.mark.parametrize(
    "size", [512, 65536, 65536 + 512, (1 << 20) - 512, (1 << 30) + (1 << 20), 20 * (1 << 30) - 512]
)
def test_a_stream_is_a_whole_file_with_the_same_disk(size: int, seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed ^ size)
    original, made = tmp_path / "disk", tmp_path / "made.qcow2"
    disk(original, size, chance, chance.randrange(1, 8) if size > 1 << 20 else 1)
    source = raw.RawDisk(str(original))
    plan = qcow2.layout(size, extents(source))
    stream(source, plan, made)
    assert made.stat().st_size == plan.length
    subprocess.run(["qemu-img", "check", "-f", "qcow2", made], check=True, capture_output=True, timeout=300)
    argv = ["qemu-img", "compare", "-f", "raw", "-F", "qcow2", original, made]
    subprocess.run(argv, check=True, capture_output=True, timeout=300)
    if size < 1 << 21:
        whole, wanted = made.read_bytes(), original.read_bytes()
        for chunk in (1000, 65536, chance.randrange(1000, 300_000)):
            parts = [whole[at : at + chunk] for at in range(0, len(whole), chunk)]
            found = list(qcow2.pieces(plan, parts))
            assert all(last.end == one.offset for last, one in zip(found, found[1:]))
            assert data(found) == wanted
    source.close()


def test_an_empty_disk_is_only_tables() -> None:
    plan = qcow2.layout(10 << 30, [])
    assert (plan.data, plan.length) == (0, 4 * qcow2.CLUSTER)
    whole = b"".join(plan.head())
    assert len(whole) == plan.length
    assert list(qcow2.pieces(plan, [whole])) == [Piece(0, 10 << 30)]


def test_tables_of_a_large_disk_are_made_one_after_the_other() -> None:
    """A disk of 8 TiB has a gibibyte of tables."""
    plan = qcow2.layout(8 << 40, [(0, 8 << 40)])
    parts = plan.head()
    assert max(len(next(parts)) for _number in range(4000)) <= 2 << 20
    assert plan.length > 8 << 40


def test_bytes_outside_of_the_extents_are_not_lost_silently() -> None:
    writer = qcow2.Writer(qcow2.layout(1 << 20, [(0, 512)]))
    assert b"".join(writer.feed(Piece(0, 65536, b"x" * 65536))) == b"x" * 65536
    assert list(writer.feed(Piece(65536, 65536, bytes(65536)))) == []
    with pytest.raises(LandscapeError, match="where the source said there were only zeroes"):
        list(writer.feed(Piece(131072, 512, bytes(511) + b"x")))


def test_pieces_come_in_order_and_extents_are_on_the_disk() -> None:
    writer = qcow2.Writer(qcow2.layout(1 << 20, []))
    with pytest.raises(LandscapeError, match="those at 0 were next"):
        list(writer.feed(Piece(512, 512)))
    for wrong in ([(512, 512), (0, 512)], [(0, (1 << 20) + 512)], [(0, 0)]):
        with pytest.raises(InputError, match="out of order, or not on a disk"):
            qcow2.layout(1 << 20, wrong)


def test_a_file_that_ends_early_is_told() -> None:
    plan = qcow2.layout(1 << 20, [(0, 65536)])
    with pytest.raises(LandscapeError, match="before all bytes were there"):
        list(qcow2.pieces(plan, [b"".join(plan.head()), b"x" * 60000]))
