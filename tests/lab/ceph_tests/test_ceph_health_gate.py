# SPDX-License-Identifier: Apache-2.0
"""The gate on a real cluster: what is not as it should be is refused in time, by name; what becomes fit passes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.ceph_tests import asking

pytestmark = pytest.mark.accept("O1.13")


@pytest.fixture
def narrow(ceph: CephCluster) -> Iterator[int]:
    """A pool that wants four copies on three hosts: one placement group that is undersized for ever, and not served."""
    with asking.pool(ceph, "narrow", 4, 4) as number:
        yield number
    ceph.await_clean()


def test_a_healthy_cluster_passes_at_the_first_look(ceph):
    found = asking.gate(
        ceph,
        checks=["quorum", "pgs", "recovery", "osds", "mgr", "health"],
        mons=["ceph-1", "ceph-2", "ceph-3"],
        stop_osds=[0],
        stop_mons=["ceph-3"],
        stop_mgrs=["ceph-1"],
        probe_pools=["volumes"],
        probe_seconds=60,
        timeout=0,
    )
    assert found.failed == ""
    assert found.values["gate"]["looks"] == 1
    assert 0 < found.values["probes"]["volumes"] < 60
    assert "scs_probe" not in ceph.run(["rados", "--pool", "volumes", "ls"]).stdout


def test_one_undersized_pg_is_refused_in_time_with_its_name_and_pool(ceph, narrow):
    began = time.monotonic()
    found = asking.gate(ceph, timeout=5, command_timeout=15 * asking.pace())
    took = time.monotonic() - began
    assert f"PG {narrow}.0 of pool narrow is undersized" in found.failed
    assert took < 5 + 15 * asking.pace()
    assert not found.values["gate"]["passed"]


def test_a_client_that_is_not_served_is_a_reason_too(ceph, narrow):
    found = asking.gate(ceph, checks=["quorum"], probe_pools=["narrow", "volumes"], probe_seconds=20, timeout=0)
    assert "a client cannot write and read in pool narrow: no answer within 20 s" in found.failed
    assert "pool volumes" not in found.failed


def test_a_mon_that_is_out_is_named(ceph):
    with asking.stopped(ceph, ("ceph-3", "ceph-mon@ceph-3")):
        at_once = asking.gate(ceph, timeout=0, command_timeout=30)
        assert "mon ceph-3 is in quorum and does not answer" in at_once.failed or "mon ceph-3 is not" in at_once.failed
        asking.await_missed(ceph, "ceph-3")
        found = asking.gate(ceph, timeout=3)
        assert "mon ceph-3 is not in quorum (in quorum: ceph-1, ceph-2)" in found.failed
        two = asking.gate(ceph, checks=[], stop_mons=["ceph-2"], timeout=0)
        assert "mon ceph-2 must not be stopped" in two.failed


def test_it_waits_for_a_mon_that_comes_back_and_for_a_quorum_that_is_old_enough(ceph):
    ceph.machine("ceph-3").run(["systemctl", "stop", "ceph-mon@ceph-3"])
    asking.await_missed(ceph, "ceph-3")
    # It comes back once the gate has seen it missing, however slow the machine is.
    asked = threading.Event()

    def see(argv: Sequence[str]) -> None:
        if "quorum_status" in argv:
            asked.set()

    back = threading.Thread(target=lambda: (asked.wait(300), asking.start(ceph, "ceph-3", "ceph-mon@ceph-3")))
    back.start()
    try:
        found = asking.gate(ceph, quorum_stable_for=5, timeout=120 * asking.pace(), ran=see)
    finally:
        asked.set()
        back.join()
    assert found.failed == ""
    assert found.values["quorum"]["age"] >= 5
    said = [reason for step in found.values["progress"] for reason in step["reasons"]]
    assert any("mon ceph-3 is not in quorum" in reason for reason in said)
    assert found.values["progress"][-1]["reasons"] == []


def test_health_checks_by_name(ceph):
    # what tests before this one have done to mons may be a health check for some seconds more
    assert asking.gate(ceph, checks=["health"], timeout=120 * asking.pace()).failed == ""
    ceph.run(["ceph", "osd", "set", "noout"])
    try:
        ceph.run(["ceph", "health", "mute", "OSDMAP_FLAGS", "1h", "--sticky"])
        assert asking.gate(ceph, checks=["health"], timeout=0).failed == ""
        found = asking.gate(ceph, checks=[], health_forbidden=["OSDMAP_FLAGS"], timeout=0)
        assert "health check OSDMAP_FLAGS is raised: noout flag(s) set, which is forbidden" in found.failed
        ceph.run(["ceph", "health", "unmute", "OSDMAP_FLAGS"])
        found = asking.gate(ceph, checks=["health"], timeout=0)
        assert "health check OSDMAP_FLAGS is raised: noout flag(s) set" in found.failed
        assert asking.gate(ceph, checks=["health"], health_allowed=["OSDMAP_FLAGS"], timeout=0).failed == ""
    finally:
        ceph.run(["ceph", "osd", "unset", "noout"])
        ceph.run(["ceph", "health", "unmute", "OSDMAP_FLAGS"], check=False)


def test_without_a_quorum_it_ends_in_time_and_says_so(ceph):
    with asking.stopped(ceph, ("ceph-2", "ceph-mon@ceph-2"), ("ceph-3", "ceph-mon@ceph-3")):
        asking.await_missed(ceph, "ceph-2", "ceph-3")
        began = time.monotonic()
        found = asking.gate(ceph, command_timeout=6, timeout=4)
        took = time.monotonic() - began
    assert "did not answer within" in found.failed or "was refused" in found.failed
    assert took < 4 + 6 + 5 * asking.pace()


def test_osds_that_must_not_be_stopped_together_are_refused_with_pg_and_pool(ceph):
    with asking.pool(ceph, "pair", 2, 2) as number:
        ceph.await_clean()
        acting = ceph.ask("pg", "map", f"{number}.0")["acting"]
        found = asking.gate(ceph, checks=[], stop_osds=[acting[0]], timeout=0)
        assert f"osd.{acting[0]} must not be stopped: PG {number}.0 of pool pair would not be served" in found.failed
        spare = ({0, 1, 2} - set(acting)).pop()
        assert asking.gate(ceph, checks=[], stop_osds=[spare], timeout=0).failed == ""


def test_daemons_that_do_not_exist_are_refused_though_ceph_would_let_them_pass(ceph):
    found = asking.gate(ceph, checks=[], stop_osds=[9], stop_mons=["ceph-9"], stop_mgrs=["ceph-9"], timeout=0)
    for name in ("osd 9", "mon ceph-9", "mgr ceph-9"):
        assert f"{name} does not exist in this cluster" in found.failed


def test_check_mode_looks_once_writes_nothing_and_does_not_fail(ceph, narrow):
    found = asking.gate(ceph, check=True, probe_pools=["volumes"], timeout=300)
    assert found.failed == ""
    assert not found.values["gate"]["passed"]
    assert found.values["gate"]["looks"] == 1
    assert found.values["probes"] == {}


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["no-such-ceph"], "no-such-ceph"),
        (["ceph", "--name", "client.nobody"], "was refused"),
    ],
)
def test_what_waiting_cannot_mend_ends_at_once(ceph, command, reason):
    found = asking.gate(ceph, command=command, timeout=600)
    assert reason in found.failed
    assert found.values["gate"]["looks"] == 1
