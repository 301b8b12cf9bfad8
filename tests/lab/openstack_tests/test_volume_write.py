# SPDX-License-Identifier: Apache-2.0
"""Disks in volumes of a real Cinder and Glance: what the back end holds is read past all services."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes import places
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
MIB, GIB = 1 << 20, 1 << 30
#: What Cinder of the lab calls its share.
SHARE = "127.0.0.1:/lab"


@pytest.fixture
def desk(volume_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    """Of a plain member; emptied afterwards."""
    found = Desk(volume_cloud, tmp_path, "member")
    yield found
    with found.session() as cloud:
        machines.no_volumes(cloud)


def disk(path: Path, size: int, chance: random.Random, stretches: int, longest: int) -> int:
    """A sparse raw file; the bytes that it holds."""
    with path.open("wb") as file:
        file.truncate(size)
        for _number in range(stretches):
            length = chance.randrange(1, longest)
            file.seek(chance.randrange(0, size - length))
            file.write(chance.randbytes(length))
        file.seek(size - 512)
        file.write(chance.randbytes(512))
    return path.stat().st_blocks * 512


def equal(desk: Desk, volume: dict[str, Any], source: Path) -> int:
    """That a volume has exactly the bytes of a disk and zeroes behind; the room that it takes."""
    path = machines.disk(desk.cloud, volume["id"])
    assert path.stat().st_size == volume["size"] * GIB
    with path.open("rb") as found, source.open("rb") as wanted:
        while True:
            one = wanted.read(MIB)
            assert found.read(len(one)) == one
            if not one:
                break
        assert all(block.count(0) == len(block) for block in iter(lambda: found.read(MIB), b""))
    return path.stat().st_blocks * 512


def left(desk: Desk) -> tuple[list[str], list[str], list[str]]:
    """Statuses of volumes, names of images, ids of attachments."""
    with desk.session() as cloud:
        volumes = [str(one["status"]) for one in cloud.pages("block-storage", "/volumes/detail", "volumes")]
        query = {"microversion": "3.54"}
        attached = [str(one["id"]) for one in cloud.pages("block-storage", "/attachments", "attachments", **query)]
    return volumes, [str(one["name"]) for one in desk.images().values() if one.get("migration_disk")], attached


WAYS: dict[str, dict[str, Any]] = {"attach": {"method": "attach"}, "image": {"method": "image"}}


@pytest.mark.accept("V1.6", "V1.7")
@pytest.mark.parametrize("way", [pytest.param("attach"), pytest.param("image", marks=pytest.mark.full)])
@pytest.mark.parametrize("size", [GIB + MIB, GIB - 512], ids=["more", "less"])
def test_a_sparse_disk_of_an_odd_size_is_in_the_volume_and_moves_what_it_holds(
    desk: Desk, tmp_path: Path, seed: int, way: str, size: int
) -> None:
    source = tmp_path / "disk.raw"
    held = disk(source, size, random.Random(seed ^ size), 12, 4 * MIB)
    mounts = {SHARE: str(desk.cloud.share)} if way == "attach" else {}
    options = {
        "source": str(source),
        "name": f"odd {way}",
        "bootable": True,
        "image_metadata": {"hw_disk_bus": "scsi", "hw_firmware_type": "uefi"},
        "metadata": {"migration_vm": "u1", "migration_disk": f"{size}"},
        "mounts": mounts,
        **WAYS[way],
    }
    planned = desk.run("volume_write", check_mode=True, **options)
    assert left(desk) == ([], [], [])
    done = desk.run("volume_write", **options)
    assert done.plan.digest == planned.plan.digest
    volume = done.values["volume"]
    assert (volume["size"], volume["status"], volume["bootable"]) == (-(-size // GIB), "available", True)
    assert volume["image_metadata"] == options["image_metadata"]
    assert equal(desk, volume, source) <= held * 1.1 + MIB
    assert done.values["moves"] == done.values["moved"] <= held * 1.1 + MIB
    with desk.session() as cloud:
        seen = cloud.get("block-storage", f"/volumes/{volume['id']}")["volume"]
    assert (seen["volume_image_metadata"], seen["bootable"]) == (options["image_metadata"], "true")
    assert left(desk) == (["available"], [], [])
    again = desk.run("volume_write", **options)
    assert (again.changed, again.values["volume"]["id"], again.values["moved"]) == (False, volume["id"], 0)


def test_killed_in_the_middle_it_goes_on_where_it_was(desk: Desk, tmp_path: Path, seed: int) -> None:
    source, chance = tmp_path / "disk.raw", random.Random(seed)
    with source.open("wb") as file:
        for _number in range(800):
            file.write(chance.randbytes(MIB))
    options = {"source": str(source), "name": "killed", "mounts": {SHARE: str(desk.cloud.share)}}
    program = desk.start("volume_write", **options)
    try:
        with desk.session() as cloud:
            assert machines.until(lambda: safe(cloud) > 0)
    finally:
        os.killpg(program.pid, signal.SIGKILL)
        program.communicate(timeout=60)
    assert left(desk)[0] == ["in-use"]
    assert len(left(desk)[2]) == 1
    done = desk.run("volume_write", **options)
    assert done.values["resumed_from"] >= 256 * MIB
    assert done.values["moved"] == 800 * MIB - done.values["resumed_from"]
    equal(desk, done.values["volume"], source)
    assert left(desk) == (["available"], [], [])


def safe(cloud: Any) -> int:
    """Bytes that the volume says are safe."""
    for one in cloud.pages("block-storage", "/volumes/detail", "volumes"):
        state = one["metadata"].get("migration_state", "").split(" ")
        return int(state[1]) if len(state) == 2 else 0
    return 0


def test_a_flipped_bit_in_the_back_end_leaves_nothing_and_is_placed(
    desk: Desk, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "disk.raw"
    disk(source, 200 * MIB, random.Random(seed), 6, 4 * MIB)
    offset = random.Random(seed).randrange(0, 200 * MIB)
    real = places.FilePlace.flush

    def flipping(self: places.FilePlace) -> None:
        real(self)
        monkeypatch.setattr(places.FilePlace, "flush", real)
        with open(self.name, "r+b") as file:
            byte = os.pread(file.fileno(), 1, offset)[0]
            os.pwrite(file.fileno(), bytes([byte ^ 1]), offset)

    monkeypatch.setattr(places.FilePlace, "flush", flipping)
    with pytest.raises(LandscapeError, match="does not hold the bytes that were written") as caught:
        desk.run("volume_write", source=str(source), name="flipped", mounts={SHARE: str(desk.cloud.share)})
    (place,) = caught.value.details["differing"]
    assert place["offset"] <= offset < place["offset"] + place["length"] <= place["offset"] + 4 * MIB
    end = time.monotonic() + 60
    while left(desk) != ([], [], []) and time.monotonic() < end:
        time.sleep(0.5)
    assert left(desk) == ([], [], [])
