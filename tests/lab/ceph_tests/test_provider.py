# SPDX-License-Identifier: Apache-2.0
"""The provider ``ceph``: cold, warm, two at once, killed, from outside, and nothing left after down."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster, Layout, client
from ansible_collections.scs.landscape.tests.lab.ceph_tests import asking
from ansible_collections.scs.landscape.tests.lab.ceph_tests.asking import left, put, read
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane

pytestmark = pytest.mark.accept("O1.1")

#: Seconds from nothing, with the machines' root in the cache, and from a prepared cluster.
COLD, WARM = 150.0, 60.0
KILLS = 4 if os.environ.get("SCS_FULL") else 2


def loops(cluster: CephCluster) -> int:
    """How many loop devices are made of its disks."""
    files = Path("/sys/block").glob("loop*/loop/backing_file")
    return sum(f"/{cluster.lab.disks}/" in file.read_text(encoding="utf-8") for file in files)


@pytest.fixture
def prepared(tmp_path: Path) -> Iterator[list[CephCluster]]:
    """Two clusters that share a place for prepared ones, which is empty."""
    found = [CephCluster(lane(name), templates=tmp_path) for name in ("one", "two")]
    for cluster in found:
        cluster.down()
    yield found
    for cluster in found:
        cluster.down()


def test_cold_then_warm_then_two_at_once_and_nothing_left(prepared):
    one, two = prepared
    pace = asking.pace()
    began = time.monotonic()
    one.up()
    cold = time.monotonic() - began
    assert one.status()["ceph"]["health"]["status"] == "HEALTH_OK"
    began = time.monotonic()
    one.up()
    again = time.monotonic() - began
    put(one, "first")
    assert loops(one) == 3
    one.down()
    assert left(one) == {}

    pace = max(pace, asking.pace())
    began = time.monotonic()
    one.up()
    warm = time.monotonic() - began
    pace = max(pace, asking.pace())
    print(f"cold {cold:.1f} s, again {again:.1f} s, warm {warm:.1f} s, pace {pace:.2f}")
    assert cold < COLD * pace
    assert warm < WARM * pace
    assert again < warm

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(CephCluster.up, prepared))
    put(one, "one")
    put(two, "two")
    assert (read(one), read(two)) == ("one", "two")
    two.down()
    assert left(two) == {}
    assert read(one) == "one"
    one.down()
    assert left(one) == {}
    assert not one.lab.lane.folder.exists()


def test_up_that_was_killed_is_cleaned_by_the_next(seed, repo):
    cluster = CephCluster(lane("kill"))
    chance = random.Random(seed)
    command = [sys.executable, "-B", "-m", "tests.lab", "ceph", "up", "--lane", lane("kill")]
    try:
        for _number in range(KILLS):
            process = subprocess.Popen(
                command, cwd=repo, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            time.sleep(chance.uniform(1, 25))
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
            cluster.down()
            assert left(cluster) == {}
    finally:
        cluster.down()


def test_it_is_laid_out_as_ceph_ansible_does(ceph):
    first = ceph.machine("ceph-1")
    units = [f"ceph-{unit}.service" for unit in ("mon@ceph-1", "mgr@ceph-1", "osd@*", "radosgw@rgw.ceph-1.rgw0")]
    listed = first.run(["systemctl", "list-units", "--plain", "--no-legend", "--state=active", *units]).stdout
    assert len(listed.splitlines()) == 4
    for path in (
        "/etc/ceph/ceph.conf",
        "/etc/ceph/ceph.client.admin.keyring",
        "/var/lib/ceph/bootstrap-osd/ceph.keyring",
        "/var/lib/ceph/mon/ceph-ceph-1/keyring",
        "/var/lib/ceph/mgr/ceph-ceph-1/keyring",
        "/var/lib/ceph/radosgw/ceph-rgw.ceph-1.rgw0/keyring",
    ):
        assert first.run(["stat", "--format=%U", path]).stdout.strip() in ("ceph", "root")
    devices = json.loads(first.run(["ceph-volume", "raw", "list"]).stdout)
    (osd,) = devices.values()
    assert (osd["type"], osd["ceph_fsid"]) == ("bluestore", ceph.ask("status")["fsid"])
    assert "cephx" in ceph.run(["ceph", "config", "show", "mon.ceph-1", "auth_service_required"]).stdout


def test_clients_outside_reach_it_with_their_own_keys(ceph):
    environment = {**os.environ, **client.environment()}
    begin = ["nsenter", f"--net={ceph.namespace}", "rbd", "--conf", str(ceph.conf)]

    def rbd(user: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [*begin, "--id", user, *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    made = rbd("cinder", "create", "--pool", "volumes", "--size", "16M", "mine")
    assert made.returncode == 0, made.stderr
    assert rbd("cinder", "ls", "--pool", "volumes").stdout.split() == ["mine"]
    assert rbd("glance", "ls", "--pool", "volumes").returncode != 0
    assert rbd("cinder", "rm", "--no-progress", "volumes/mine").returncode == 0
    assert ceph.keyring.stat().st_mode & 0o077 == 0


def test_another_namespace_can_be_plugged_in(ceph):
    with subprocess.Popen(["unshare", "--net", "sleep", "60"]) as process:
        try:
            own = Path("/proc/self/ns/net").stat().st_ino
            assert kernel.wait_for(lambda: kernel.namespace_of(process.pid, "net") not in (0, own), 10)
            assert ceph.join(process.pid) == ceph.join(process.pid) == "10.61.0.100"
            greeting = ["bash", "-c", "head -c 4 </dev/tcp/10.61.0.12/3300"]
            command = ["nsenter", f"--net=/proc/{process.pid}/ns/net", "timeout", "20", *greeting]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
            assert done.stdout == "ceph"
        finally:
            process.kill()


def test_a_reboot_keeps_the_disks(ceph):
    machine = ceph.machine("ceph-3")
    (osd,) = ceph.ask("osd", "ls-tree", "ceph-3")
    before, boots = machine.leader, asking.boots(ceph, osd)
    put(ceph, "kept")
    machine.run(["systemctl", "reboot"], check=False)
    assert kernel.wait_for(lambda: machine.leader not in (0, before), 60 * asking.pace(), 0.1)
    asking.await_boot(ceph, osd, boots, 120 * asking.pace())
    assert read(ceph) == "kept"
    assert loops(ceph) == 3


@pytest.mark.full
def test_a_larger_one_has_six_osds_and_a_metadata_server():
    cluster = CephCluster(lane("large"), Layout(osds=2, mds=True))
    cluster.down()
    try:
        cluster.up()
        found = asking.info(cluster)
        assert found["daemons"]["osd"] == ["0", "1", "2", "3", "4", "5"]
        assert found["daemons"]["mds"] == ["ceph-3"]
        assert found["health"]["checks"] == []
        assert len({osd["address"] for osd in found["osds"]}) == 6
        assert loops(cluster) == 6
    finally:
        cluster.down()
    assert left(cluster) == {}
