# SPDX-License-Identifier: Apache-2.0
"""A mon keeps its identity when its store moves: what a change of the tool that runs it stands on. See docs/ceph.md."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.ceph_tests import asking
from ansible_collections.scs.landscape.tests.lab.kernel import wait_for

HOST, UNIT, MOVED = "ceph-3", "ceph-mon@ceph-3", "moved-mon"
OLD, NEW = "/var/lib/ceph/mon/ceph-ceph-3", "/var/lib/rook/mon-ceph-3/data"
LOG = "/var/log/ceph/moved-mon.log"
#: A mon that asks another for its store says so, with `full` or with `recent` for the last commits only.
SYNC = re.compile(r" sync_start (?P<from>\S+) (?P<kind>full|recent)")
_SECONDS = 60.0


class Watch(threading.Thread):
    """Looks at the quorum again and again."""

    def __init__(self, cluster: CephCluster) -> None:
        super().__init__(daemon=True)
        self.cluster, self.over, self.seen = cluster, threading.Event(), list[set[str]]()

    def run(self) -> None:
        while not self.over.wait(0.2):
            self.seen.append(set(self.cluster.ask("quorum_status")["quorum_names"]))


@contextlib.contextmanager
def watched(cluster: CephCluster) -> Iterator[list[set[str]]]:
    watch = Watch(cluster)
    watch.start()
    try:
        yield watch.seen
    finally:
        watch.over.set()
        watch.join(120)


def identity(cluster: CephCluster) -> dict[str, Any]:
    """What must not change: epoch of the monmap, and name, rank and addresses of every mon."""
    monmap = cluster.ask("mon", "dump")
    mons = {mon["name"]: (mon["rank"], mon["public_addrs"]["addrvec"]) for mon in monmap["mons"]}
    return {"epoch": monmap["epoch"], "modified": monmap["modified"], "mons": mons}


def run_moved(cluster: CephCluster, store: str) -> None:
    """Start the mon on a store with the same name and address, and wait until it is in quorum again."""
    machine = cluster.machine(HOST)
    machine.run(["rm", "-f", LOG])
    daemon = f"ceph-mon -f --cluster ceph -i {HOST} --mon-data={store} --public-addr={cluster.layout.address(HOST)}"
    options = f"--setuser ceph --setgroup ceph --debug-mon 10 --log-file {LOG}"
    machine.run(["systemd-run", "--quiet", f"--unit={MOVED}", "--collect", *daemon.split(), *options.split()])
    assert wait_for(lambda: state(cluster) in ("peon", "leader"), _SECONDS * asking.pace(), 0.2)


def state(cluster: CephCluster) -> str:
    done = cluster.machine(HOST).run(["ceph", "daemon", f"mon.{HOST}", "mon_status"], check=False)
    return str(json.loads(done.stdout)["state"]) if done.returncode == 0 else ""


def syncs(cluster: CephCluster) -> list[str]:
    """Kinds of syncs that the moved mon asked for."""
    log = cluster.machine(HOST).run(["grep", "sync_start", LOG], check=False).stdout
    return [found["kind"] for found in SYNC.finditer(log)]


@pytest.fixture
def moved(ceph: CephCluster) -> Iterator[CephCluster]:
    """The mon of one host is stopped; afterwards it is back at its old place and all is clean."""
    machine = ceph.machine(HOST)
    machine.run(["rm", "-rf", "/var/lib/rook"])
    machine.run(["systemctl", "stop", UNIT])
    try:
        yield ceph
    finally:
        machine.run(["systemctl", "stop", MOVED], check=False)
        asking.start(ceph, HOST, UNIT)
        ceph.await_clean()
        machine.run(["rm", "-rf", "/var/lib/rook"])


@pytest.fixture
def trimming(ceph: CephCluster) -> Iterator[None]:
    """Mons that keep a few commits only; a young cluster still has all of them, and then even an empty store gets those."""
    options = ("paxos_min", "paxos_trim_min")
    for option in options:
        ceph.run(["ceph", "config", "set", "mon", option, "5"])
    try:
        end = time.monotonic() + _SECONDS * asking.pace()
        while ceph.ask("report")["paxos"]["first_committed"] <= 1:
            assert time.monotonic() < end
            commit(ceph, 5)
        yield
    finally:
        for option in options:
            ceph.run(["ceph", "config", "rm", "mon", option])


def commit(cluster: CephCluster, times: int) -> None:
    """Make the mons write something."""
    for number in range(times):
        cluster.run(["ceph", "config-key", "set", "lab/mon-store", str(number)])


@pytest.mark.accept("O1.12")
def test_a_mon_rejoins_from_a_copy_of_its_store_without_a_sync_or_a_new_monmap(ceph, request):
    before = identity(ceph)
    moved = request.getfixturevalue("moved")
    machine = ceph.machine(HOST)
    with watched(ceph) as quorums:
        machine.run(["mkdir", "-p", NEW.rpartition("/")[0]])
        machine.run(["cp", "-a", OLD, NEW])
        run_moved(moved, NEW)
    ceph.await_clean()
    assert identity(ceph) == before
    assert syncs(ceph) == []
    assert "sync" not in ceph.ask("tell", f"mon.{HOST}", "mon_status")["state"]
    assert quorums
    assert all(len(names) >= 2 for names in quorums)
    # and it is a full member: with another one stopped the two still decide
    with asking.stopped(ceph, ("ceph-1", "ceph-mon@ceph-1")):
        found = ceph.machine("ceph-2").run(["ceph", "config-key", "set", "lab/two", "yes"])
        assert found.returncode == 0


@pytest.mark.accept("O1.12")
def test_a_copy_that_is_a_little_old_fetches_the_last_commits_only(ceph, moved):
    machine = ceph.machine(HOST)
    machine.run(["mkdir", "-p", NEW.rpartition("/")[0]])
    machine.run(["cp", "-a", OLD, NEW])
    commit(ceph, 15)  # more than paxos_max_join_drift
    run_moved(ceph, NEW)
    assert syncs(ceph) == ["recent"]


@pytest.mark.accept("O1.12")
def test_an_empty_store_is_synced_in_full_so_the_proof_could_fail(ceph, moved, trimming):
    machine = ceph.machine(HOST)
    machine.run(["install", "-d", "-o", "ceph", "-g", "ceph", NEW])
    ceph_1 = ceph.machine("ceph-1")
    ceph_1.run(["ceph", "mon", "getmap", "-o", "/tmp/monmap"])
    for name, text in {
        "monmap": ceph_1.run(["base64", "/tmp/monmap"]).stdout,
        "keyring": ceph_1.run(["base64", "/var/lib/ceph/mon/ceph-ceph-1/keyring"]).stdout,
    }.items():
        machine.run(["sh", "-c", f"base64 -d >/tmp/{name} && chown ceph /tmp/{name}"], input=text)
    mkfs = f"ceph-mon --cluster ceph --mkfs -i {HOST} --monmap /tmp/monmap --keyring /tmp/keyring --mon-data={NEW}"
    machine.run([*mkfs.split(), "--setuser", "ceph", "--setgroup", "ceph"])
    run_moved(ceph, NEW)
    assert syncs(ceph) == ["full"]
