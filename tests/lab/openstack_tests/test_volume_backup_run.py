# SPDX-License-Identifier: Apache-2.0
"""Backups by a real Cinder: four moments in time, volumes that grow or are attached, kills, planted faults, quotas."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.openstack_tests.disks import Disks, until
from ansible_collections.scs.landscape.tests.lab.proxy import FaultProxy, Rule

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
CINDER = "http://127.0.0.1:8776"
#: Seconds for what competes with everything else on the machine.
PATIENCE = 600
SERVER = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def disks(volume_cloud: Cloud, tmp_path: Path, request: pytest.FixtureRequest, seed: int) -> Iterator[Disks]:
    mark = f"{zlib.crc32(f'{request.node.name}{seed}'.encode()):08x}"
    found = Disks(Desk(volume_cloud, tmp_path, "member"), mark, random.Random(seed))
    yield found
    found.detach_all()
    volume_cloud.clean("demo")


def run(disks: Disks, volumes: list[str], run_id: str, **options: Any) -> dict[str, dict[str, Any]]:
    """One task that succeeds; what became of each volume."""
    done = disks.desk.run("volume_backup_run", volumes=volumes, policy=disks.mark, run_id=run_id, **options)
    assert done.failed == ""
    return {one["volume"]: one for one in done.values["backups"]}


def posts(disks: Disks, since: float) -> list[Any]:
    """Requests for backups that Cinder got."""
    return [one for one in disks.desk.cloud.writes("cinder", since) if one.path.endswith("/backups")]


def under_way(disks: Disks) -> int:
    """How many backups Cinder's database says are being made."""
    states = "('creating', 'backing-up')"
    return int(disks.desk.cloud.database(f"select count(*) from cinder.backups where status in {states}")[0][0])  # noqa: S608


@pytest.mark.full
@pytest.mark.accept("B1.1", "B1.3", "B1.16")
def test_four_moments_and_a_volume_that_grows(disks: Disks, tmp_path: Path) -> None:
    volume = disks.make("a")
    lists = tmp_path / "digests"
    reading = {"reader": {"kind": "file", "path": str(disks.desk.cloud.share / "volume-{id}")}, "digests": str(lists)}
    recorded: dict[str, tuple[str, int]] = {}
    kinds = []
    for number in range(4):
        disks.write(volume)
        began = time.time()
        predicted = disks.desk.run(
            "volume_backup_run", check_mode=True, volumes=[volume], policy=disks.mark, run_id=str(number)
        )
        assert disks.desk.cloud.writes("cinder", began) == []
        made = run(disks, [volume], str(number), **reading)[volume]
        assert (lists / (made["digest"].replace(":", "-") + ".blocks")).is_file()
        assert predicted.values["backups"][0]["kind"] == made["kind"]
        recorded[made["id"]] = (disks.digest(volume), 1)
        kinds.append(made["kind"])
    assert len(list(lists.iterdir())) == 4
    assert kinds == ["full", "incremental", "incremental", "incremental"]
    began = time.time()
    again = disks.desk.run("volume_backup_run", volumes=[volume], policy=disks.mark, run_id="3")
    assert (again.changed, again.values["backups"][0]["id"]) == (False, made["id"])
    assert disks.desk.cloud.writes("cinder", began) == []
    disks.act(volume, "os-extend", new_size=2)
    disks.until(volume, "available")
    disks.write(volume)
    grown = run(disks, [volume], "grown")[volume]
    assert (grown["kind"], grown["why"]) == ("full", "the volume has grown from 1 to 2 GiB")
    assert (grown["chain"], made["chain"]) == (grown["id"], next(iter(recorded)))
    recorded[grown["id"]] = (disks.digest(volume, 2), 2)
    for backup, (digest, size) in recorded.items():
        assert disks.restored(backup, size) == digest, backup
    assert sorted(one.id for one in disks.backups()) == sorted(recorded)


@pytest.mark.accept("B1.1", "B1.21")
def test_a_full_and_an_incremental_one_are_restored_as_the_volume_was(disks: Disks) -> None:
    """The quick half of four moments: both modules, and digests that the test takes of the back end itself."""
    volume, recorded, kinds = disks.make("a"), {}, []
    for number in range(2):
        disks.write(volume)
        made = run(disks, [volume], str(number))[volume]
        recorded[made["id"]] = disks.digest(volume)
        kinds.append(made["kind"])
    assert (kinds, len(set(recorded.values()))) == (["full", "incremental"], 2)
    disks.write(volume)
    wanted = [{"backup": backup, "name": f"{disks.mark}-{backup}"} for backup in recorded]
    done = disks.desk.run("volume_backup_restore", restores=wanted, max_parallel=2)
    assert (done.failed, done.steps_done) == ("", 2)
    assert {one["backup"]: disks.digest(one["volume"]["id"]) for one in done.values["restores"]} == recorded


@pytest.mark.full
@pytest.mark.accept("B1.6", "B1.16")
def test_an_attached_volume_is_backed_up_where_that_is_allowed_and_stays_attached(disks: Disks) -> None:
    volume = disks.make("a")
    disks.act(volume, "os-attach", instance_uuid=SERVER, mountpoint="/dev/vdb")
    disks.until(volume, "in-use")
    began = time.time()
    never = disks.desk.run("volume_backup_run", servers=[SERVER], run_id="1", force="never")
    assert "the volume is in use, and force is never" in never.failed
    assert disks.desk.cloud.writes("cinder", began) == []
    done = disks.desk.run("volume_backup_run", servers=[SERVER], run_id="1")
    assert done.failed == ""
    (backup,) = disks.backups()
    assert (backup.status, backup.metadata[model.SERVER]) == ("available", SERVER)
    found = disks.volume(volume)
    assert found is not None
    assert found.status == "in-use"
    assert disks.temporary() == []
    assert disks.restored(backup.id) == disks.digest(volume)


@pytest.mark.accept("B1.9")
def test_a_quota_one_short_is_refused_before_any_request_with_the_numbers_of_the_service(disks: Disks) -> None:
    volumes = [disks.make(name, written=0) for name in ("a", "b")]
    with disks.desk.session() as cloud:
        project = cloud.project_id

    def limit(backups: int) -> None:
        with disks.desk.session("admin") as admin:
            body = {"quota_set": {"backups": backups}}
            admin.call("block-storage", "PUT", f"/os-quota-sets/{project}", json=body)

    limit(1)
    try:
        began = time.time()
        with disks.desk.session() as cloud:
            limits = cloud.get("block-storage", "/limits")["limits"]["absolute"]
        with pytest.raises(InputError, match="No backup was begun") as refused:
            run(disks, volumes, "1")
        used = limits["totalBackupsUsed"]
        assert (
            f"2 more backups are needed, maxTotalBackups is {limits['maxTotalBackups']}, {used} are used and"
            f" {limits['maxTotalBackups'] - used} left" in str(refused.value)
        )
        assert posts(disks, began) == []
        assert disks.backups() == []
    finally:
        limit(-1)
    assert len(run(disks, volumes, "1")) == 2


@pytest.mark.full
@pytest.mark.accept("B1.10")
@pytest.mark.parametrize(("count", "limit"), [(4, 2), (30, 4)], ids=["four-by-two", "thirty-by-four"])
def test_never_more_at_once_than_allowed(disks: Disks, count: int, limit: int) -> None:
    with disks.desk.session() as cloud, disks.desk.session("admin") as admin:
        every = dict.fromkeys(("volumes", "gigabytes", "backups", "backup_gigabytes"), -1)
        admin.call("block-storage", "PUT", f"/os-quota-sets/{cloud.project_id}", json={"quota_set": every})
    volumes = [disks.make(f"v{number}", written=1) for number in range(count)]
    seen: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            seen.append(under_way(disks))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        began = time.monotonic()
        done = run(disks, volumes, "1", max_parallel=limit)
        seconds = time.monotonic() - began
    finally:
        over.set()
        watcher.join(PATIENCE)
    print(f"\n{count} volumes, {limit} at once: {seconds:.0f} s; seen at once: {max(seen)}")
    assert max(seen) == limit
    assert {one["status"] for one in done.values()} == {"available"}
    assert len(disks.backups()) == count


@pytest.mark.full
@pytest.mark.accept("B1.11")
@pytest.mark.parametrize("count", [4, 6])
def test_a_run_that_is_killed_during_the_third_backup_is_finished_by_the_next(disks: Disks, count: int) -> None:
    volumes = [disks.make(f"v{number}", written=1) for number in range(count)]
    options = {"volumes": volumes, "policy": disks.mark, "run_id": "1", "max_parallel": 1}
    began = time.time()
    process = disks.desk.start("volume_backup_run", **options)
    try:
        assert until(lambda: len(posts(disks, began)) == 3, PATIENCE)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
    states = sorted(one.status for one in disks.backups())
    assert states == ["available", "available", "creating"]
    done = run(disks, volumes, "1", max_parallel=2)
    assert sorted(one["status"] for one in done.values()) == ["available"] * (count - 2) + ["present"] * 2
    assert sorted(one.volume for one in disks.backups()) == sorted(volumes)
    assert {one.status for one in disks.backups()} == {"available"}
    assert len(posts(disks, began)) == count
    assert not disks.desk.run("volume_backup_run", **options).changed


@pytest.mark.full
@pytest.mark.accept("B1.11")
def test_two_runs_at_once_make_each_backup_once(disks: Disks) -> None:
    volumes = [disks.make(name, written=1) for name in ("a", "b")]
    options = {"volumes": volumes, "policy": disks.mark, "run_id": "1"}
    processes = [disks.desk.start("volume_backup_run", **options) for _number in range(2)]
    told = [process.communicate(timeout=PATIENCE) for process in processes]
    results = [json.loads(out) for out, _err in told]
    assert [one.get("failed", False) for one in results] == [False, False], [one.get("msg") for one in results]
    assert until(lambda: sorted(one.volume for one in disks.backups()) == sorted(volumes), 60), disks.backups()


@pytest.mark.full
@pytest.mark.accept("B1.19")
def test_planted_faults_leave_one_backup_of_each_volume(disks: Disks, seed: int, tmp_path: Path) -> None:
    volumes = [disks.make(name, written=1) for name in ("a", "b", "c")]
    chance = [
        Rule(503, percent=2),
        Rule(429, percent=2),
        Rule("cut", percent=1),
        Rule("cut", percent=1, late=True, method="GET"),
        Rule("truncate", method="GET", percent=1),
    ]
    path = "/backups$"
    # One after the other: each sees the first request that those before it let pass.
    certain = [
        Rule("cut", method="POST", path=path, times=1, late=True),
        Rule("cut", method="POST", path=path, times=1),
        Rule(503, method="POST", path=path, times=1, late=True),
        Rule(429, method="POST", path=path, times=1),
    ]
    with FaultProxy(CINDER, [*certain, *chance], seed=seed, namespace=disks.desk.cloud.namespace) as cinder:
        disks.desk.clouds = disks.desk.cloud.proxied(tmp_path / "clouds.yaml", cinder=cinder.url)
        done = run(disks, volumes, "1", max_parallel=2)
        again = disks.desk.run("volume_backup_run", volumes=volumes, policy=disks.mark, run_id="1")
    disks.desk.clouds = None
    assert {one["status"] for one in done.values()} == {"available"}
    assert not again.changed
    assert [rule.acted for rule in certain] == [1, 1, 1, 1], cinder.count()
    assert sorted(one.volume for one in disks.backups()) == sorted(volumes)
    assert {one.status for one in disks.backups()} == {"available"}


@pytest.mark.full
@pytest.mark.accept("B1.19")
def test_a_dead_service_is_waited_for_in_bounded_time_and_its_backup_is_made_once(disks: Disks) -> None:
    volume = disks.make("a", written=1)
    cloud = disks.desk.cloud
    cloud.stop("cinder-backup")
    try:
        done = disks.desk.run("volume_backup_run", volumes=[volume], run_id="1", timeout=15)
        assert "is still creating after 15 s" in done.failed
    finally:
        cloud.start("cinder-backup")
    # What the service finds at its start it calls failed; then it is made again, once.
    again = disks.desk.run("volume_backup_run", volumes=[volume], run_id="1", timeout=PATIENCE)
    assert again.failed == ""
    assert [one.status for one in disks.backups()] == ["available"]
