# SPDX-License-Identifier: Apache-2.0
"""Verdicts on a cluster: every reason has a name in it."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.ceph import client, health
from ansible_collections.scs.landscape.plugins.module_utils.ceph.health import StopAnswer, Wanted
from ansible_collections.scs.landscape.plugins.module_utils.ceph.model import Check, Group, Groups, Mgrs, Osd, Quorum
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.ceph.recorded import Recorded

ALL = Wanted(checks=health.CHECKS)


@pytest.fixture
def healthy():
    return client.look(client.Ceph(Recorded()), ALL)


@pytest.fixture
def sick():
    return client.look(client.Ceph(Recorded(healthy=False)), ALL)


def reasons(view, wanted):
    return list(health.judge(view, wanted).reasons)


def test_the_recorded_healthy_cluster_passes_everything(healthy):
    assert health.judge(healthy, ALL).passed


def test_the_recorded_undersized_group_is_named_with_its_pool_and_osds(sick):
    (reason,) = reasons(sick, Wanted(checks=("pgs",)))
    assert reason.startswith("PG 10.0 of pool narrow is undersized+peered (acting: osd.")
    assert [text.split(" is ")[0] for text in reasons(sick, Wanted(checks=("health",)))] == [
        "health check PG_AVAILABILITY",
        "health check PG_DEGRADED",
    ]


@pytest.mark.parametrize(
    ("state", "fine"),
    [
        ("active+clean", True),
        ("active+clean+scrubbing+deep", True),
        ("active+clean+snaptrim_wait", True),
        ("active+clean+remapped", False),
        ("active+clean+inconsistent", False),
        ("active+undersized+degraded", False),
        ("active", False),
        ("peering", False),
        ("unknown", False),
    ],
)
def test_states_of_groups(state, fine):
    assert health.is_fine(state) is fine


def test_many_groups_are_counted(healthy):
    groups = tuple(Group(f"1.{number:x}", "down", (2**31 - 1, 4)) for number in range(40))
    found = reasons(dataclasses.replace(healthy, unclean=groups), Wanted(checks=("pgs",)))
    assert found[0] == "PG 1.0 of pool 1 is down (acting: none, osd.4)"
    assert found[-1] == "40 placement groups are not active and clean in all"
    assert len(found) == 6


def test_groups_that_were_clean_again_when_looked_at_one_by_one_are_still_counted(healthy):
    status = dataclasses.replace(healthy.status, groups=Groups(8, {"active+clean": 7, "peering": 1}))
    found = reasons(dataclasses.replace(healthy, status=status), Wanted(checks=("pgs",)))
    assert found == ["1 placement groups are peering"]


def test_without_a_mgr_nobody_knows_the_groups(healthy):
    status = dataclasses.replace(healthy.status, mgr_available=False)
    (reason,) = reasons(dataclasses.replace(healthy, status=status), Wanted(checks=("pgs",)))
    assert "no mgr is active" in reason


def quorum(**changes):
    mons = {name: [] for name in "abc"}
    return dataclasses.replace(Quorum(mons, tuple("abc"), "a", 1, 4, 90), **changes)


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        (quorum(), Wanted(), []),
        (quorum(names=("a", "b")), Wanted(), ["mon c is not in quorum (in quorum: a, b)"]),
        (
            quorum(),
            Wanted(mons=("a", "b", "d")),
            ["mon d is not in the monmap", "mon c is in the monmap and not expected"],
        ),
        (quorum(age=12), Wanted(quorum_age=60), ["the quorum of a, b, c is 12 s old, not yet 60 s"]),
        (quorum(age=60), Wanted(quorum_age=60), []),
    ],
)
def test_quorum(found, wanted, expected):
    assert health.quorum(found, wanted) == expected


def test_an_election_changes_the_key(healthy):
    after = dataclasses.replace(healthy, quorum=dataclasses.replace(healthy.quorum, election_epoch=99))
    assert health.judge(healthy, ALL).key != health.judge(after, ALL).key


def test_objects_that_are_not_where_they_should_be_are_counted(healthy):
    status = dataclasses.replace(healthy.status, groups=Groups(1, {}, misplaced=3, degraded=4))
    assert health.recovery(status) == ["3 copies of objects are misplaced", "4 copies of objects are degraded"]


def test_an_osd_that_is_down_is_named_with_its_host_unless_somebody_took_it_out():
    osds = [Osd(0, True, True), Osd(1, False, True, location={"host": "h1"}), Osd(2, False, False)]
    assert health.osds(osds) == ["osd.1 on h1 is down"]


@pytest.mark.parametrize(
    ("mgrs", "expected"),
    [
        (None, ["no mgr is active"]),
        (Mgrs("", False, ()), ["no mgr is active"]),
        (Mgrs("a", True, ()), ["mgr a is active and none stands by"]),
        (Mgrs("a", True, ("b",)), []),
    ],
)
def test_mgrs(mgrs, expected):
    assert health.mgr(mgrs) == expected


def test_health_checks_may_be_allowed_muted_or_forbidden():
    checks = [Check("A", "HEALTH_WARN", "one"), Check("B", "HEALTH_WARN", "two", muted=True)]
    assert health.health(checks, ()) == ["health check A is raised: one"]
    assert health.health(checks, ("A",)) == []
    assert health.forbidden(checks, ("B",)) == ["health check B is raised: two, which is forbidden"]


def test_daemons_that_must_not_be_stopped_are_named(healthy):
    stops = (
        StopAnswer("osd", ("0", "1"), False, "busy", ("3.1", "4.2", "3.2")),
        StopAnswer("mon", ("ceph-1",), False, "not enough monitors"),
        StopAnswer("mgr", ("nobody",), True),
        StopAnswer("osd", ("2",), True),
    )
    pools = client.Ceph(Recorded()).pools()
    assert health.stops(dataclasses.replace(healthy, stops=stops, pools=pools)) == [
        "osd.0, osd.1 must not be stopped: PG 3.1, 4.2, 3.2 of pool backups, vms would not be served",
        "mon ceph-1 must not be stopped: not enough monitors",
        "mgr nobody does not exist in this cluster",
    ]


def test_one_mgr_must_be_left():
    mgrs = Mgrs("a", True, ("b",))
    assert health.stop_mgrs(mgrs, ("a",)).fine
    assert not health.stop_mgrs(mgrs, ("a", "b")).fine


def test_a_client_that_is_not_served_is_named_with_its_pool(healthy):
    view = dataclasses.replace(healthy, probes={"a": 0.1, "b": "no answer within 5 s"})
    assert health.probes(view) == ["a client cannot write and read in pool b: no answer within 5 s"]
