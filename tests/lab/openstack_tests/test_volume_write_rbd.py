# SPDX-License-Identifier: Apache-2.0
"""Disks in volumes of a real Ceph, behind a real Cinder: what the pool holds is read by Ceph's own bindings on one of its hosts."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes import rbd
from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines, pools
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.openstack_tests.pools import BLOCK, Pool
from ansible_collections.scs.landscape.tests.lab.openstack_tests.test_volume_write import safe

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.full,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
MIB, GIB = 1 << 20, 1 << 30


@pytest.fixture(scope="module")
def ceph_cloud() -> Iterator[Cloud]:
    yield from pools.cloud_on_ceph("write-rbd")


@pytest.fixture
def desk(ceph_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    """Of a plain member; emptied afterwards."""
    found = Desk(ceph_cloud, tmp_path, "member")
    yield found
    with found.session() as cloud:
        machines.no_volumes(cloud)


@pytest.fixture
def pool(ceph_cloud: Cloud) -> Pool:
    return Pool(CephCluster(ceph_cloud.lane))


def reached(desk: Desk) -> dict[str, Any]:
    """How this machine reaches the volumes."""
    return {"ceph_conf": str(CephCluster(desk.cloud.lane).conf), "ceph_user": "cinder"}


def disk(path: Path, size: int, chance: random.Random, stretches: int) -> int:
    """A sparse raw file with stretches of 12 MiB, and a last sector; the bytes that it holds."""
    length = 3 * BLOCK
    places = chance.sample(range((size - BLOCK) // length), stretches)
    with path.open("wb") as file:
        file.truncate(size)
        for place in places:
            file.seek(place * length)
            file.write(chance.randbytes(length))
        file.seek(size - 512)
        file.write(chance.randbytes(512))
    return stretches * length + 512


def digest(source: Path, size: int) -> str:
    """SHA-256 of a disk and of the zeroes behind it, up to a size."""
    found = hashlib.sha256()
    with source.open("rb") as file:
        for piece in iter(lambda: file.read(BLOCK), b""):
            found.update(piece)
    found.update(bytes(size - source.stat().st_size))
    return found.hexdigest()


def used(pool: Pool, volume: str) -> int:
    """Bytes that an image takes in the pool, by ``rbd du``: whole objects."""
    done = pool.cluster.run(["rbd", "du", "--format", "json", f"{pool.name}/volume-{volume}"])
    return int(json.loads(done.stdout)["images"][0]["used_size"])


def attachments(desk: Desk) -> list[str]:
    with desk.session() as cloud:
        found = cloud.pages("block-storage", "/attachments", "attachments", microversion="3.54")
        return [str(one["id"]) for one in found]


def volumes(desk: Desk) -> list[dict[str, Any]]:
    with desk.session() as cloud:
        return list(cloud.pages("block-storage", "/volumes/detail", "volumes"))


@pytest.mark.accept("V1.6", "V1.7")
@pytest.mark.parametrize(("way", "form"), [("attach", "auto"), ("image", "raw"), ("image", "qcow2")])
@pytest.mark.parametrize("size", [GIB + MIB, GIB - 512], ids=["more", "less"])
def test_a_sparse_disk_of_an_odd_size_is_in_the_pool_and_takes_what_it_holds(
    desk: Desk, pool: Pool, tmp_path: Path, seed: int, way: str, form: str, size: int
) -> None:
    source = tmp_path / "disk.raw"
    held = disk(source, size, random.Random(seed ^ size), 8)
    options = {"source": str(source), "name": f"odd {way}", "method": way, "image_format": form}
    options.update(reached(desk) if way == "attach" else {})
    done = desk.run("volume_write", **options)
    volume = done.values["volume"]
    gib = -(-size // GIB)
    assert (volume["size"], volume["status"]) == (gib, "available")
    assert pool.read(f"volume-{volume['id']}")["whole"] == digest(source, gib * GIB)
    moved = size if form == "raw" else held
    assert done.values["moves"] == done.values["moved"]
    assert moved <= done.values["moved"] <= moved * 1.1
    if form != "raw":  # which Ceph copies or clones with its zeroes
        assert used(pool, volume["id"]) <= held * 1.1 + BLOCK
    assert attachments(desk) == []
    again = desk.run("volume_write", **options)
    assert (again.changed, again.values["moved"]) == (False, 0)


def test_killed_in_the_middle_it_goes_on_where_it_was(desk: Desk, pool: Pool, tmp_path: Path, seed: int) -> None:
    source, chance = tmp_path / "disk.raw", random.Random(seed)
    with source.open("wb") as file:
        for _number in range(800):
            file.write(chance.randbytes(MIB))
    options = {"source": str(source), "name": "killed", **reached(desk)}
    program = desk.start("volume_write", **options)
    try:
        with desk.session() as cloud:
            assert machines.until(lambda: safe(cloud) > 0)
    finally:
        os.killpg(program.pid, signal.SIGKILL)
        program.communicate(timeout=60)
    assert len(attachments(desk)) == 1
    done = desk.run("volume_write", **options)
    assert done.values["resumed_from"] >= 256 * MIB
    assert done.values["moved"] == 800 * MIB - done.values["resumed_from"]
    assert pool.read(f"volume-{done.values['volume']['id']}")["whole"] == digest(source, GIB)
    assert attachments(desk) == []


@pytest.mark.accept("V1.5")
def test_a_flipped_bit_in_the_pool_leaves_nothing_and_is_placed(
    desk: Desk, pool: Pool, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, chance = tmp_path / "disk.raw", random.Random(seed)
    disk(source, 200 * MIB, chance, 6)
    offset = chance.randrange(0, 200 * MIB)
    with source.open("rb") as file:
        file.seek(offset)
        (byte,) = file.read(1)
    real = rbd.RbdPlace.flush

    def flipping(self: rbd.RbdPlace) -> None:
        real(self)
        monkeypatch.setattr(rbd.RbdPlace, "flush", real)
        pool.write(self.name.rpartition("/")[2], [(offset, bytes([byte ^ 1 << chance.randrange(8)]))])

    monkeypatch.setattr(rbd.RbdPlace, "flush", flipping)
    with pytest.raises(LandscapeError, match="does not hold the bytes that were written") as caught:
        desk.run("volume_write", source=str(source), name="flipped", **reached(desk))
    (place,) = caught.value.details["differing"]
    assert place["offset"] <= offset < place["offset"] + place["length"] <= place["offset"] + 4 * MIB
    assert machines.until(lambda: volumes(desk) == [])
    assert attachments(desk) == []
    assert pool.images() == []
