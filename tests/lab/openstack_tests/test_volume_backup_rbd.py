# SPDX-License-Identifier: Apache-2.0
"""Backups of volumes in Ceph: digests by `rbd export` are those of the bytes that Ceph holds, and prove what a restore gives."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import blocks, model, readers
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.manifest import BlockMap
from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines, pools
from ansible_collections.scs.landscape.tests.lab.openstack_tests.pools import BLOCK, Pool, PoolVault
from ansible_collections.scs.landscape.tests.lab.openstack_tests.vault import GIB

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.full,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
STALL = 5


@pytest.fixture(scope="module")
def ceph_cloud() -> Iterator[Cloud]:
    yield from pools.cloud_on_ceph("backups-rbd")


@pytest.fixture(scope="module")
def ceph_driver_cloud() -> Iterator[Cloud]:
    """Backups are in Ceph as well."""
    yield from pools.cloud_on_ceph("backups-ceph", settings=pools.CEPH_DRIVER)


@pytest.fixture
def vault(ceph_cloud: Cloud, tmp_path: Path) -> Iterator[PoolVault]:
    """Of a plain member; emptied afterwards."""
    yield from pools.vault_of(ceph_cloud, tmp_path)


@pytest.fixture
def twice(ceph_driver_cloud: Cloud, tmp_path: Path) -> Iterator[PoolVault]:
    """The same with backups in Ceph."""
    yield from pools.vault_of(ceph_driver_cloud, tmp_path)


def take(vault: PoolVault, volume: str, snapshot: str = "", **more: object) -> BlockMap:
    """Digests by the reader, in the network that Ceph is in."""
    with (
        vault.desk.cloud.inside(),
        readers.reader_of({**vault.reader, **more}).open(readers.Subject(volume, snapshot)) as stream,
    ):
        return blocks.take(stream, volume, GIB, str(vault.digests))


def snapshot_of(vault: PoolVault, volume: str) -> str:
    """A snapshot, available."""
    with vault.desk.session() as cloud:
        body = {"snapshot": {"volume_id": volume, "name": "point"}}
        identifier = str(cloud.call("block-storage", "POST", "/snapshots", json=body).body["snapshot"]["id"])
    vault.until("snapshots", identifier, "available")
    return identifier


def expanded(found: BlockMap) -> list[str]:
    """A digest per block, empty for zeroes."""
    return [text for entry in found.digests() for text in ([entry.hex()] if isinstance(entry, bytes) else [""] * entry)]


@pytest.mark.accept("B1.21")
def test_digests_of_a_volume_and_its_snapshot_are_those_of_the_bytes_in_ceph(vault: PoolVault, seed: int) -> None:
    volume = vault.volume("a")
    chance = random.Random(seed)
    # Bytes that cross the border of two blocks, a block that is written and all zeroes, the last bytes; holes between.
    middle, zeroes = 17 * BLOCK - 1000, 40 * BLOCK
    vault.pool.write(
        f"volume-{volume}",
        [(middle, chance.randbytes(5000)), (zeroes, bytes(BLOCK)), (GIB - 4096, chance.randbytes(4096))],
    )
    snapshot = snapshot_of(vault, volume)
    before = vault.pool.read(f"volume-{volume}")
    vault.write(volume, seed)
    after = vault.pool.read(f"volume-{volume}")
    assert before["snapshots"] == after["snapshots"] == [f"snapshot-{snapshot}"]
    then, now = take(vault, volume, snapshot), take(vault, volume)
    assert expanded(then) == before["blocks"]
    assert [number for number, one in enumerate(before["blocks"]) if one] == [16, 17, 255]
    assert then.zero == 253
    assert expanded(now) == after["blocks"]
    assert then.root != now.root
    whole = hashlib.sha256()
    reader = readers.reader_of(vault.reader)
    with vault.desk.cloud.inside(), reader.open(readers.Subject(volume, point=f"snapshot-{snapshot}")) as stream:
        for piece in stream.blocks(BLOCK):
            whole.update(piece if not isinstance(piece, int) else bytes(piece * BLOCK))
    assert whole.hexdigest() == before["whole"]
    with vault.desk.session() as cloud:
        cloud.call("block-storage", "DELETE", f"/snapshots/{snapshot}")
    vault.until("snapshots", snapshot, "")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"image": "none-{id}"}, r"ended with 2: .*(No such file|error opening image)"),
        ({"pool": "nowhere"}, r"ended with 2: .*(No such file|error opening pool)"),
        ({"user": "nobody"}, r"ended with [0-9]+: .*(couldn't connect|keyring|Permission|error connecting)"),
        ({"conf": "/nowhere/ceph.conf"}, r"ended with [0-9]+: .*(conf|initial)"),
    ],
    ids=["image", "pool", "user", "conf"],
)
def test_what_rbd_refuses_is_said_in_its_own_words(vault: PoolVault, more: dict[str, str], words: str) -> None:
    with pytest.raises(LandscapeError, match=words) as caught:
        take(vault, "00000000-0000-4000-8000-000000000000", **more)
    print(f"\n{caught.value}")
    assert len(str(caught.value)) < 2500
    assert list(vault.digests.iterdir()) == []


def test_a_cluster_that_answers_nothing_is_given_up(vault: PoolVault, seed: int) -> None:
    volume = vault.volume("a")
    vault.write(volume, seed)
    cluster = CephCluster(vault.desk.cloud.lane)
    cluster.run(["ceph", "osd", "set", "pause"])
    try:
        began = time.monotonic()
        with pytest.raises(LandscapeError, match=f"wrote nothing for {STALL} s"):
            take(vault, volume, stall=STALL)
        assert time.monotonic() - began < 60
    finally:
        cluster.run(["ceph", "osd", "unset", "pause"])
    assert list(vault.digests.iterdir()) == []
    assert expanded(take(vault, volume)) == vault.pool.read(f"volume-{volume}")["blocks"]


def run(vault: PoolVault, volume: str, number: int) -> dict[str, object]:
    """A backup of a run, with digests."""
    done = vault.desk.run(
        "volume_backup_run",
        volumes=[volume],
        policy="rbd",
        run_id=str(number),
        reader=vault.reader,
        digests=str(vault.digests),
    )
    assert done.failed == ""
    (made,) = done.values["backups"]
    assert made["digest"].startswith("sha256:")
    return dict(made)


@pytest.mark.accept("B1.1", "B1.2", "B1.21")
def test_backups_in_a_folder_are_taken_restored_and_proven(vault: PoolVault, seed: int) -> None:
    volume = vault.volume("database", metadata={"who": "somebody"})
    points = {}
    for number in range(3):
        vault.write(volume, seed + number)
        made = run(vault, volume, number)
        points[str(made["id"])] = vault.sha256(volume)
        assert made["kind"] == ("incremental" if number else "full"), made
    assert len(set(points.values())) == 3
    assert vault.pool.read(f"volume-{volume}")["snapshots"] == []
    given = {"reader": vault.reader, "digests": str(vault.digests)}
    restores = [{"backup": backup, "name": f"of-{backup}"} for backup in points]
    done = vault.desk.run("volume_backup_restore", restores=restores, max_parallel=1, **given)
    assert done.failed == ""
    found = {one["backup"]: vault.sha256(one["volume"]["id"]) for one in done.values["restores"]}
    assert found == points
    assert [one["compared"] for one in done.values["restores"]] == [True] * 3

    newest, victim = list(points)[-1], next(iter(points))
    proven = vault.desk.run("volume_backup_verify", **given)
    assert (proven.failed, [one["backup"] for one in proven.values["verified"]]) == ("", [newest])
    shown = vault.show("backups", newest)
    assert shown is not None
    assert model.PROVEN in shown["metadata"]
    # One bit of the full one in the store, and what stands on it gives other bytes or none.
    vault.flip(victim, seed)
    refuted = vault.desk.run("volume_backup_verify", period_days=0, **given)
    (one,) = refuted.values["verified"]
    assert one["status"] in ("refuted", "unrestorable")
    assert newest in refuted.failed
    assert vault.scratch() == []


@pytest.mark.accept("B1.1", "B1.8", "B1.21")
def test_backups_in_ceph_are_incremental_restored_and_proven(twice: PoolVault, seed: int) -> None:
    volume = twice.volume("database", metadata={"who": "somebody"})
    points = {}
    for number in range(2):
        twice.write(volume, seed + number)
        made = run(twice, volume, number)
        points[str(made["id"])] = twice.sha256(volume)
        assert made["kind"] == ("incremental" if number else "full"), made
    first, newest = list(points)
    images = Pool(twice.pool.cluster, "backups")
    (image,) = [one for one in images.images() if volume in one]
    assert [one.split(".")[1] for one in images.read(image)["snapshots"]] == [first, newest]
    given = {"reader": twice.reader, "digests": str(twice.digests)}
    restores = [{"backup": backup, "name": f"of-{backup}"} for backup in points]
    done = twice.desk.run("volume_backup_restore", restores=restores, max_parallel=1, **given)
    assert done.failed == ""
    assert {one["backup"]: twice.sha256(one["volume"]["id"]) for one in done.values["restores"]} == points
    proven = twice.desk.run("volume_backup_verify", **given)
    assert (proven.failed, [one["status"] for one in proven.values["verified"]]) == ("", ["proven"])
    assert twice.scratch() == []


@pytest.mark.accept("B1.8")
def test_of_a_snapshot_the_ceph_driver_makes_full_ones_and_keeps_one_of_them(twice: PoolVault, seed: int) -> None:
    volume = twice.volume("database", metadata={"who": "somebody"})
    twice.write(volume, seed)
    digest = twice.sha256(volume)
    snapshot = snapshot_of(twice, volume)
    first = twice.backup(volume, "first", digest=False, snapshot=snapshot)
    shown = twice.show("backups", first)
    assert shown is not None
    assert (shown["is_incremental"], shown["object_count"], shown["snapshot_id"]) == (False, 0, snapshot)
    # The next one of the volume itself stands on nothing: with the driver it would fail, and cost the bytes of the first.
    made = run(twice, volume, 1)
    assert (made["kind"], made["why"]) == (
        "full",
        f"the newest backup {first} is of a snapshot, and nothing can stand on that with the Ceph driver",
    )
    with twice.desk.session() as cloud:
        there = Cinder(cloud)
        second = there.begin_backup(volume, name="second", metadata={model.RUN: "test"}, snapshot=snapshot)
        assert machines.until(lambda: (one := there.backup(second)) and one.status == "error" and one).failure
    # It has failed. Whoever removes it removes the bytes of the first one; we do not.
    done = twice.desk.run("volume_backup_prune", keep={"last": 2}, volumes=[volume], failed_days=0)
    assert (done.failed, done.changed) == ("", False)
    assert twice.show("backups", second) is not None
    restored = twice.desk.run("volume_backup_restore", restores=[{"backup": first, "name": "back"}])
    assert restored.failed == ""
    assert twice.sha256(restored.values["restores"][0]["volume"]["id"]) == digest
