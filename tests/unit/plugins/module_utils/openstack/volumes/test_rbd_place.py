# SPDX-License-Identifier: Apache-2.0
"""Images of Ceph are written by what `rbd import-diff` documents; a program of ours stands for it, on a file."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.core.transfer import Piece
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes import places
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes.rbd import RbdPlace

#: doc/dev/rbd-diff.rst of Ceph, version 1.
PROGRAM = """#!{python}
import struct, sys
assert sys.argv[1:5] == ["--conf", "/etc/ceph/lab.conf", "--id", "cinder"], sys.argv
folder = {folder!r}
if sys.argv[5] == "export":
    assert sys.argv[6:] == ["--no-progress", "volumes/volume-1", "-"], sys.argv
    sys.stdout.buffer.write(open(folder + "/image", "rb").read())
    sys.exit()
assert sys.argv[5:] == ["import-diff", "--no-progress", "-", "volumes/volume-1"], sys.argv
given = sys.stdin.buffer
assert given.read(12) == b"rbd diff v1\\n"
with open(folder + "/image", "r+b") as image, open(folder + "/calls", "a") as calls:
    while True:
        kind = given.read(1)
        if kind == b"e":
            assert not given.read()
            calls.write("end\\n")
            break
        if kind not in (b"w", b"z"):
            print("rbd: import-diff failed", file=sys.stderr)
            sys.exit(22)
        offset, length = struct.unpack("<QQ", given.read(16))
        image.seek(offset)
        image.write(given.read(length) if kind == b"w" else bytes(length))
        calls.write(kind.decode() + "\\n")
"""
MIB = 1 << 20
INFO = {"driver_volume_type": "rbd", "name": "volumes/volume-1", "auth_username": "cinder", "encrypted": False}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> places.Place:
    program = tmp_path / "rbd"
    program.write_text(PROGRAM.format(python=sys.executable, folder=str(tmp_path)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "image").write_bytes(b"old!" * (8 * MIB // 4))
    return places.place_of(INFO, 8 * MIB, places.Reach(ceph_conf="/etc/ceph/lab.conf", stall=60.0))


def test_stretches_and_zeroes_are_where_they_belong(place: places.Place, tmp_path: Path, seed: int) -> None:
    assert isinstance(place, RbdPlace)
    wanted, chance = bytearray((tmp_path / "image").read_bytes()), random.Random(seed)
    for _turn in range(2):
        for begin in range(0, 8 * MIB, MIB):
            data = chance.choice([None, chance.randbytes(MIB)])
            place.write(Piece(begin, MIB, data))
            wanted[begin : begin + MIB] = data or bytes(MIB)
        place.flush()
        assert (tmp_path / "image").read_bytes() == wanted
    place.flush()  # nothing new, so no program
    assert (tmp_path / "calls").read_text().count("end") == 2
    low, high = sorted(chance.sample(range(8 * MIB), 2))
    found = list(place.read(low, high))
    assert (found[0].offset, found[-1].end) == (low, high)
    assert b"".join(one.data or bytes(one.length) for one in found) == wanted[low:high]
    with pytest.raises(LandscapeError, match="before all were there"):
        list(place.read(0, 9 * MIB))


def test_a_program_that_fails_says_why(place: places.Place, tmp_path: Path) -> None:
    (tmp_path / "image").unlink()
    with pytest.raises(LandscapeError, match=r"volumes/volume-1 cannot be written: rbd ended with 1: .*No such file"):
        dense(place)
    place.close()
    place.close()


def dense(place: places.Place) -> None:
    for number in range(64):
        place.write(Piece(number * MIB, MIB, b"x" * MIB))
    place.flush()


def test_no_program_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LandscapeError, match=r"there is no program rbd\. Install ceph-common"):
        RbdPlace("volumes/volume-1").write(Piece(0, 512, b"x" * 512))
