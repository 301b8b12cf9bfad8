# SPDX-License-Identifier: Apache-2.0
"""Runs of volume_backup_run that take all volumes of a server at one moment, and leave nothing of it."""

from __future__ import annotations

import contextlib
import os

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.stream import heard_by
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import manifest, model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.waits import Waits
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import (
    Killed,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_machine import Machine
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.test_volume_backup_run import (
    next_day,
    run,
    told,
    with_files,
)


@pytest.mark.accept("B1.7")
def test_all_volumes_of_a_server_are_of_one_moment_by_one_image_and_nothing_is_left():
    cloud = Machine("vda", "vdb", "vdc")
    seen = run(cloud, check=True, consistency="quiesce_required")
    assert cloud.writes == []
    done = run(cloud, consistency="quiesce_required")
    assert (done.failed, done.plan.digest) == ("", seen.plan.digest)
    assert {one["level"] for one in done.values["backups"]} == {"quiesced"}
    assert len(cloud.nova.actions) == 1
    points = {one["metadata"][model.POINT] for one in cloud.backups.values()}
    assert len(points) == 1
    assert {one["metadata"][model.SERVER] for one in cloud.backups.values()} == {"s1"}
    assert all(one["snapshot_id"] for one in cloud.backups.values())
    assert cloud.left == []
    again = run(cloud, consistency="quiesce_required")
    assert not again.changed
    second = next_day(cloud, consistency="quiesce_required")
    assert {one["kind"] for one in second.values["backups"]} == {"incremental"}


def test_a_guest_that_nobody_can_freeze_is_refused_before_anything_is_touched():
    cloud = Machine("vda", "vdb", agent=False)
    cloud.add_volume("free")
    done = run(cloud, consistency="quiesce_required")
    assert "quiesce_required is not possible: its image does not have hw_qemu_guest_agent" in done.failed
    assert told(done)["free"]["status"] == "available"
    assert (cloud.nova.actions, len(cloud.backups)) == ([], 1)
    crash = run(cloud, consistency="crash")
    assert (crash.failed, told(crash)["vda"]["level"], told(crash)["free"]["level"]) == ("", "crash", "none")


def test_the_data_volumes_of_a_server_with_a_local_disk_are_taken_one_by_one():
    cloud = Machine("vdb", "vdc", from_volume=False)
    assert run(cloud, consistency="crash").failed == ""
    assert cloud.nova.actions == []
    assert (len(cloud.backups), cloud.left) == (2, [])


@pytest.mark.accept("B1.8")
def test_the_ceph_driver_makes_it_a_full_one_and_that_is_said():
    cloud = Machine("vda", "vdb")
    cloud.ceph = True
    run(cloud)
    done = next_day(cloud, consistency="crash")
    assert {one["why"] for one in done.values["backups"]} == {
        "the Ceph driver makes every backup of a snapshot a full one"
    }
    # What would stand on that fails as well, and takes the bytes of its parent with it.
    reasons = [one["why"] for one in next_day(cloud).values["backups"]]
    assert len(reasons) == 2
    assert all("is of a snapshot, and nothing can stand on that with the Ceph driver" in text for text in reasons)
    assert {one["kind"] for one in next_day(cloud).values["backups"]} == {"incremental"}


@pytest.mark.accept("B1.8")
@pytest.mark.parametrize("mode", ["auto", "full"])
def test_a_second_one_of_a_snapshot_is_refused_with_the_ceph_driver_and_nothing_that_failed_is_removed(mode):
    cloud = Machine("vda", "vdb")
    cloud.ceph = True
    assert run(cloud, consistency="crash").failed == ""
    good = set(cloud.backups)
    refused = next_day(cloud, consistency="crash", mode=mode)
    assert "the Ceph driver can keep one backup of a snapshot of a volume, and " in refused.failed
    assert (set(cloud.backups), cloud.left) == (good, [])
    # One of this run that somebody else's version began, and that failed: it stays, because its removal costs the other.
    cloud.add_backup("bad", "vda", status="error", snapshot_id="s", metadata={model.RUN: "x"})
    done = run(cloud, run_id="x", mode=mode)
    assert done.failed == ""
    assert good | {"bad"} < set(cloud.backups)


def test_a_volume_whose_point_cannot_be_taken_fails_with_all_of_its_server_and_no_other():
    cloud = Machine("vda", "vdb")
    cloud.add_volume("free")
    cloud.nova.broken = {"vdb"}
    done = run(cloud, consistency="crash")
    found = told(done)
    assert [found[one]["status"] for one in ("vda", "vdb", "free")] == ["failed", "failed", "available"]
    assert "its volumes could not be taken" in done.failed
    assert cloud.left == []


def test_what_cannot_be_removed_is_a_failure_that_names_it():
    cloud = Machine("vda")
    cloud.nova.busy = 10_000
    done = run(cloud, consistency="crash")
    assert "the point of server web (s1) is not removed" in done.failed
    assert told(done)["vda"]["status"] == "available"
    cloud.nova.busy = 0
    seen = run(cloud, check=True, consistency="crash")
    assert [step.action for step in seen.plan.steps] == ["delete"]
    again = run(cloud, consistency="crash")
    assert (again.failed, again.changed, again.steps_done, cloud.left) == ("", True, 1, [])


def test_an_interrupted_run_ends_soon_says_what_is_left_and_the_next_start_removes_it():
    cloud = Machine("vda", "vdb", "vdc")
    cloud.nova.busy = 10_000  # snapshots that Cinder still reads
    waits, said, since = Waits(cloud.clock, cloud.sleep), [], []

    def hook(method: str, path: str) -> None:
        if path.startswith("/backups/backup-") and not since:
            since.append((cloud.now, len(cloud.requests)))
            waits.stop.set()

    cloud.hook = hook
    with heard_by(said.append):
        done = run(cloud, consistency="crash", waits=waits)
    assert (cloud.now - since[0][0]).total_seconds() < 60  # one request takes a second
    assert len(cloud.requests) - since[0][1] < 40
    assert "the run was interrupted" in done.failed
    assert "the point of server web (s1) is not removed: snapshot" in done.failed
    assert "the next start of this run removes it, or any run a day later" in done.failed
    assert any(text.startswith("interrupted: the point of server web (s1) is not removed") for text in said)
    cloud.nova.busy, cloud.hook = 0, lambda _method, _path: None
    assert (run(cloud, consistency="crash").failed, cloud.left) == ("", [])


def test_volumes_that_an_earlier_start_took_at_another_point_are_told():
    """A start that ends early lets its point go; what is left is taken at a new one, and says of itself that it is as good."""
    cloud = Machine("vda", "vdb", "vdc")
    first = run(cloud, consistency="crash", volumes=["vda"])
    assert (first.failed, first.warnings, len(cloud.backups)) == ("", [], 1)
    done = run(cloud, consistency="crash")
    assert len({one["metadata"][model.POINT] for one in cloud.backups.values()}) == 2
    assert (done.failed, len(done.warnings)) == ("", 1)
    assert "server s1: an earlier start of run 2026-03-01 took some of its volumes at another point" in done.warnings[0]
    assert next_day(cloud, consistency="crash").warnings == []


@pytest.mark.accept("B1.11")
@pytest.mark.parametrize("after", range(2, 44, 3))
def test_a_run_that_was_killed_anywhere_leaves_no_image_and_no_snapshot_to_the_next(after):
    cloud = Machine("vda", "vdb", "vdc")

    def hook(method: str, path: str) -> None:
        if len(cloud.requests) > after:
            raise Killed

    cloud.hook = hook
    with contextlib.suppress(Killed):
        run(cloud, consistency="crash")
    cloud.hook = lambda _method, _path: None
    assert run(cloud, consistency="crash").failed == ""
    assert {volume: len(cloud.of(volume)) for volume in cloud.volumes} == dict.fromkeys(cloud.volumes, 1)
    assert cloud.left == []
    assert not run(cloud, consistency="crash").changed


@pytest.mark.parametrize("from_volume", [True, False], ids=["volume", "image"])
def test_the_digest_of_an_attached_volume_is_that_of_the_snapshot_that_is_backed_up(tmp_path, from_volume):
    """Also without consistency: the volume itself changes while it is read, and Cinder's temporary copy is nowhere to be read."""
    cloud = Machine("vda", "vdb", from_volume=from_volume, agent=False)
    cloud.add_volume("free")
    options = with_files(cloud, tmp_path)
    options["reader"]["snapshot_path"] = options["reader"]["path"] + "-{snapshot}"

    def hook(method: str, path: str) -> None:
        for one in cloud.snapshots.values():
            path = tmp_path / f"volume-{one['volume_id']}-{one['id']}"
            if not path.exists():
                path.write_bytes(one["id"].encode())
                os.truncate(path, 1024**3)

    cloud.hook = hook
    options["backup_driver"] = "chunked"
    seen = run(cloud, check=True, **options)
    assert cloud.writes == []
    assert {one["level"] for one in seen.values["backups"]} == {"crash", "none"}
    done = run(cloud, **options)
    assert (done.failed, done.plan.digest, cloud.left) == ("", seen.plan.digest, [])
    assert cloud.nova.actions == []  # each snapshot by itself, without an image
    made = {one["volume"]: one for one in done.values["backups"]}
    assert {name: one["level"] for name, one in made.items()} == {"vda": "crash", "vdb": "crash", "free": "none"}
    for name in ("vda", "vdb"):
        (backup,) = cloud.of(name)
        snapshot = backup["snapshot_id"]
        with (tmp_path / f"volume-{name}-{snapshot}").open("rb") as file:
            assert file.read(len(snapshot)) == snapshot.encode()
        listed = manifest.load(str(tmp_path / "digests"), made[name]["digest"], name, 1024**3, name)
        assert listed.root == made[name]["digest"] == backup["metadata"][model.DIGEST]
    assert made["vda"]["digest"] != made["vdb"]["digest"]
    assert not run(cloud, **options).changed


@pytest.mark.parametrize("driver", ["auto", "ceph"])
def test_no_snapshot_is_backed_up_for_a_digest_alone_where_the_driver_may_be_that_of_ceph(tmp_path, driver):
    cloud = Machine("vda")
    cloud.ceph = True
    options = with_files(cloud, tmp_path)
    for _day in range(2):
        done = next_day(cloud, backup_driver=driver, **options)
        assert "the backup has no digest: the volume is in-use, and only a snapshot of it could be read" in done.failed
        assert "It gets one with backup_driver chunked" in done.failed
    assert [(one["snapshot_id"], one["is_incremental"]) for one in cloud.of("vda")] == [(None, False), (None, True)]


def test_the_backups_that_are_there_tell_that_a_snapshot_may_be_backed_up_for_a_digest(tmp_path):
    cloud = Machine("vda")
    run(cloud)
    options = with_files(cloud, tmp_path)
    seen = next_day(cloud, check=True, **options)
    assert [(one["level"], one["kind"]) for one in seen.values["backups"]] == [("crash", "incremental")]
