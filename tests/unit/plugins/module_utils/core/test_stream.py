# SPDX-License-Identifier: Apache-2.0
"""Bytes on their way: holes, digests, rates."""

from __future__ import annotations

import hashlib
import io
import threading

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core import stream
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError


@pytest.mark.parametrize(
    ("chunk", "zero"),
    [
        (b"", True),
        (bytes(10), True),
        (bytes(9) + b"x", False),
        (bytes(stream.CHUNK + 1), True),
        (b"x" * 3_000_000, False),
    ],
    ids=["empty", "zeroes", "last", "long", "other"],
)
def test_zeroes(chunk, zero):
    assert stream.is_zero(chunk) is zero


def test_digests():
    digests = stream.Digests(["sha256", "sha512"])
    for part in stream.chunks_of(io.BytesIO(b"abc" * 100), 7):
        digests.update(part)
    assert digests.values() == {name: hashlib.new(name, b"abc" * 100).hexdigest() for name in ("sha256", "sha512")}
    assert digests.size == 300
    with pytest.raises(LandscapeError, match="digest none"):
        stream.Digests(["none"])


@pytest.mark.parametrize("offset", [0, 5000])
def test_zeroes_take_no_room_and_the_size_is_right(tmp_path, offset):
    path = tmp_path / "file"
    path.write_bytes(b"a" * 10_000)
    file = stream.SparseFile(str(path), offset)
    file.write(b"b" * stream.CHUNK)
    for _number in range(8):
        file.write(bytes(stream.CHUNK))
    file.close(durable=True)
    assert path.read_bytes() == b"a" * offset + b"b" * stream.CHUNK + bytes(8 * stream.CHUNK)
    assert path.stat().st_blocks * 512 < 3 * stream.CHUNK


def test_a_meter_says_how_fast_and_how_long():
    now = [0.0]
    meter = stream.Meter(clock=lambda: now[0])
    assert str(meter) == "0 B, 0 B/s"
    meter.begin(100 * 2**20, 50 * 2**20)
    now[0] = 5.0
    meter.add(10 * 2**20)
    assert (meter.rate, meter.left) == (2 * 2**20, 20.0)
    assert str(meter) == "60 MiB of 100 MiB, 2 MiB/s, 20 s left"


def test_a_body_counts_and_stops():
    size = 1_000_000
    stop, meter = threading.Event(), stream.Meter(size)
    body = stream.Metered(io.BytesIO(b"x" * size), size, meter, stop)
    # A library that asks for little gets more: it sends what it gets.
    assert (len(body), len(body.read(4)), meter.done) == (size, 262_144, 262_144)
    assert len(body.read()) == size - 262_144
    assert body.read() == b""
    stop.set()
    with pytest.raises(stream.Stopped):
        body.read()


def test_who_listens_hears():
    said: list[str] = []
    stream.say("nobody")
    with stream.heard_by(said.append):
        stream.say("one")
    stream.say("nobody")
    assert said == ["one"]
