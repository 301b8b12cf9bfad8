# SPDX-License-Identifier: Apache-2.0
"""One moment for all volumes of a server, in a real Nova: one image, its snapshots, and nothing of them afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.nova import Points
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.proxy import FaultProxy, Rule

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
NOVA = "http://127.0.0.1:8774"


@pytest.fixture
def desk(compute_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    yield Desk(compute_cloud, tmp_path, "member")
    compute_cloud.clean("demo")


def three(cloud: Any, properties: dict[str, str] | None = None) -> tuple[str, list[str]]:
    """A server with three volumes."""
    volumes = [machines.volume(cloud, f"disk-{number}", number == 0) for number in range(3)]
    if properties:
        machines.act(cloud, volumes[0], "os-set_image_metadata", metadata=properties)
    return machines.server(cloud, "three", volumes), volumes


def points(cloud: Any, run: str = "nightly 2026-11-22") -> Points:
    return Points(cloud, Cinder(cloud), run, patience=300)


@pytest.mark.accept("B1.7")
def test_a_server_with_three_volumes_is_taken_by_one_image_and_nothing_of_it_stays(desk: Desk) -> None:
    with desk.session() as cloud:
        server, volumes = three(cloud, machines.AGENT)
        taker = points(cloud)
        found = taker.server(server)
        assert sorted(found.volumes) == sorted(volumes)
        with taker.held(found, "quiesce_required") as point:
            snapshots = {one["id"]: one for one in cloud.pages("block-storage", "/snapshots/detail", "snapshots")}
            backup = Cinder(cloud).begin_backup(
                volumes[1],
                name="of a point",
                metadata={model.RUN: "r", **point.marks()},
                snapshot=point.snapshot(volumes[1]),
            )
            read = machines.until(lambda: _is_read(cloud, backup))
        assert (point.level, point.resumed) == ("quiesced", False)
        assert {point.snapshot(one) for one in volumes} == set(snapshots)
        assert {one["volume_id"] for one in snapshots.values()} == set(volumes)
        assert (read.status, read.snapshot) == ("available", point.snapshot(volumes[1]))
        assert read.metadata[model.POINT] == point.image
        assert len(machines.actions(cloud, server)) == 1
        assert machines.temporary(cloud) == []
        # Nova froze the guest: its compute says so when it cannot, and then makes no image (see the next tests).
        assert taker.leftovers(0) == []


def _is_read(cloud: Any, identifier: str) -> Any:
    found = Cinder(cloud).backup(identifier)
    return found if found and found.status in ("available", "error") else None


@pytest.mark.accept("B1.7")
def test_without_an_agent_it_is_refused_or_a_crash_and_an_image_backed_one_is_taken_volume_by_volume(
    desk: Desk,
) -> None:
    with desk.session() as cloud:
        server, _volumes = three(cloud)
        taker = points(cloud)
        with pytest.raises(InputError, match="hw_qemu_guest_agent and os_require_quiesce"):
            taker.take(taker.server(server), "quiesce_required")
        assert machines.actions(cloud, server) == []
        with taker.held(taker.server(server), "crash") as point:
            assert (point.level, len(point.parts)) == ("crash", 3)
        image = machines.image(cloud, "root")
        more = [machines.volume(cloud, "data"), machines.volume(cloud, "logs")]
        other = machines.server(cloud, "local root", more, image)
        with pytest.raises(InputError, match="boot from a volume"):
            taker.take(taker.server(other), "quiesce_required")
        with taker.held(taker.server(other), "crash") as point:
            assert ({part.volume for part in point.parts}, point.image) == (set(more), "")
            assert 0 <= point.spread < 120
        assert machines.actions(cloud, other) == []
        assert machines.temporary(cloud) == []


@pytest.mark.accept("B1.7")
def test_whatever_ends_the_work_nothing_stays_and_a_full_project_is_told_first(desk: Desk) -> None:
    with desk.session() as cloud:
        server, _volumes = three(cloud)
        taker = points(cloud)
        for ends in (KeyboardInterrupt("ended"), LandscapeError("store is full"), ValueError("defect")):
            with pytest.raises(type(ends), match=str(ends)), taker.held(taker.server(server), "crash"):
                raise ends
            assert machines.temporary(cloud) == []
    with desk.session("admin") as admin, desk.session() as cloud:
        path = f"/os-quota-sets/{cloud.project_id}"
        admin.call("block-storage", "PUT", path, json={"quota_set": {"snapshots": 2}})
        try:
            before = len(machines.actions(cloud, server))
            with pytest.raises(LandscapeError, match="3 snapshots do not fit, 0 of 2 are used"):
                taker.take(taker.server(server), "crash")
            assert len(machines.actions(cloud, server)) == before
        finally:
            admin.call("block-storage", "PUT", path, json={"quota_set": {"snapshots": 1000}})


@pytest.mark.accept("B1.7")
def test_a_killed_run_goes_on_with_its_point_and_another_one_clears_it_up(desk: Desk) -> None:
    with desk.session() as cloud:
        server, _volumes = three(cloud)
    process = start(desk, server, "killed run")
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        first = json.loads(line)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    with desk.session() as cloud:
        assert len(machines.temporary(cloud)) == 4
        same, other = points(cloud, "killed run"), points(cloud, "next run")
        assert same.leftovers(0) == []
        assert other.leftovers(3600) == []
        found = same.take(same.server(server), "crash")
        assert (found.id, found.resumed) == (first["id"], True)
        assert len(machines.actions(cloud, server)) == 1
        left = other.leftovers(0)
        assert sorted(one.kind for one in left) == ["image", "snapshot", "snapshot", "snapshot"]
        assert {(one.run, one.server) for one in left} == {("killed run", server)}
        other.remove(left)
        assert machines.temporary(cloud) == []


def start(desk: Desk, server: str, run: str) -> subprocess.Popen[str]:
    """A program that takes a point and holds it for ever."""
    argv = [*desk.cloud.entering(), sys.executable, "-B", "-m", __name__, server, run]
    environ = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(desk.cloud.clouds_yaml)}
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, env=environ, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


@pytest.mark.accept("B1.7", "B1.19")
@pytest.mark.parametrize("late", [True, False], ids=["after-nova-acted", "before-nova-acted"])
def test_an_answer_that_is_lost_makes_no_second_image(desk: Desk, late: bool, seed: int, tmp_path: Path) -> None:
    with desk.session() as cloud:
        server, _volumes = three(cloud)
    cut = Rule("cut", method="POST", path="/action$", times=1, late=late)
    with FaultProxy(NOVA, [cut], seed=seed, namespace=desk.cloud.namespace) as nova:
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(desk.cloud.proxied(tmp_path / "clouds.yaml", nova=nova.url))
        with desk.cloud.inside():
            cloud = client.connect({"cloud": "member"})
            taker = points(cloud)
            with taker.held(taker.server(server), "crash") as point:
                assert len(point.parts) == 3
    assert cut.acted == 1
    with desk.session() as cloud:
        assert len(machines.actions(cloud, server)) == 1
        assert machines.temporary(cloud) == []


if __name__ == "__main__":
    one = points(client.connect({"cloud": "member"}), sys.argv[2])
    made = one.take(one.server(sys.argv[1]), "crash")
    print(json.dumps({"id": made.id}), flush=True)
    sys.stdin.read()
    signal.pause()
