# SPDX-License-Identifier: Apache-2.0
"""Raw files of disks: holes, what a broken run leaves, and the name that only a finished file has."""

from __future__ import annotations

import os
import random

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core import local_file
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError, LockedError
from ansible_collections.scs.landscape.plugins.module_utils.core.transfer import Piece

MIB = 1024 * 1024


def test_holes_and_name(tmp_path):
    path = tmp_path / "disk.raw"
    sink = local_file.LocalFile(str(path), 64 * MIB + 512)
    sink.write(Piece(0, 4096, b"a" * 4096))
    sink.write(Piece(4096, 64 * MIB - 4096))
    sink.write(Piece(64 * MIB, 512, b"z" * 512))
    sink.flush()
    assert not path.exists()
    assert list(sink.read(0, 8192)) == [Piece(0, 4096, b"a" * 4096), Piece(4096, 4096)]
    assert sum(piece.length for piece in sink.read()) == sink.size
    sink.finish()
    assert sorted(os.listdir(tmp_path)) == ["disk.raw"]
    status = path.stat()
    assert (status.st_size, status.st_mode & 0o777) == (sink.size, 0o600)
    assert status.st_blocks * 512 < MIB
    sink.abort()
    assert path.exists()


def test_what_a_broken_run_left_behind_is_gone(seed, tmp_path):
    path = str(tmp_path / "disk.raw")
    begin = random.Random(seed).randrange(0, 100) * 512
    with open(path + ".part", "wb") as stream:
        stream.write(b"x" * 100_000)
    sink = local_file.LocalFile(path, 200_192)
    assert sink.flushed == 100_000
    sink.write(Piece(begin, 200_192 - begin))
    sink.finish()
    with open(path, "rb") as stream:
        assert stream.read() == b"x" * begin + bytes(200_192 - begin)


def test_one_run_at_a_time(tmp_path):
    sink = local_file.LocalFile(str(tmp_path / "disk.raw"), 512)
    with pytest.raises(LockedError):
        local_file.LocalFile(str(tmp_path / "disk.raw"), 512)
    sink.abort()
    assert not os.listdir(tmp_path)
    local_file.LocalFile(str(tmp_path / "disk.raw"), 512).close()
    assert os.listdir(tmp_path) == ["disk.raw.part"]


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_files_are_written(tmp_path, kind):
    part = tmp_path / "disk.raw.part"
    {"link": lambda: part.symlink_to(tmp_path / "other"), "pipe": lambda: os.mkfifo(part), "folder": part.mkdir}[kind]()
    with pytest.raises(LandscapeError):
        local_file.LocalFile(str(tmp_path / "disk.raw"), 512)
    assert not (tmp_path / "other").exists()
