# SPDX-License-Identifier: Apache-2.0
"""The gate over time: slow prefixes are judged, probes are not made again for nothing."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.ceph.client import Ceph
from ansible_collections.scs.landscape.plugins.module_utils.ceph.health import Wanted
from ansible_collections.scs.landscape.plugins.module_utils.ceph.waiting import Gate
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.core.gate import Limits
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.ceph.recorded import Recorded


class Clock:
    """Time that passes when somebody sleeps, or runs a program: each takes so many seconds."""

    def __init__(self, world, each=0.0):
        self.now, self.world, self.each = 0.0, world, each

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds

    def run(self, argv, seconds, environment):
        took = min(self.each, seconds)
        self.now += took
        return (124, "", "") if took < self.each else self.world(argv, seconds, environment)


def gate(clock, limits, once=False, **options):
    found = Gate(Ceph(clock.run, seconds=15, clock=clock), Wanted(), limits, once=once, **options)
    return found, found.wait(clock=clock, sleep=clock.sleep)


@pytest.mark.parametrize(("once", "within"), [(True, 300.0), (False, 0.0)], ids=["check", "timeout0"])
def test_a_slow_prefix_is_no_reason_against_a_healthy_cluster(once, within):
    _gate, outcome = gate(Clock(Recorded(), each=6), Limits(within), once)
    assert (outcome.passed, outcome.reasons) == (True, ())


def test_a_cluster_that_does_not_answer_costs_one_command():
    clock = Clock(Recorded(), each=60)
    _gate, outcome = gate(clock, Limits(0))
    assert outcome.reasons == ("ceph did not answer within 15 s; do the mons have a quorum?",)
    assert clock.now == 15


def test_what_can_never_pass_is_refused_before_anybody_is_asked():
    world = Recorded()
    with pytest.raises(InputError, match=r"stable_for is 60 s, longer than timeout .30 s."):
        gate(Clock(world), Limits(30, 5, 60))
    assert world.said == []
    assert gate(Clock(world), Limits(60, 5, 30))[1].passed


def writes(world):
    return [argv for argv in world.said if "setxattr" in argv]


def test_probes_are_not_made_again_while_other_reasons_stand():
    world = Recorded(healthy=False)
    found, outcome = gate(Clock(world), Limits(60, 5), probes={"volumes": 5})
    assert outcome.looks > 5
    assert len(writes(world)) == 1
    assert isinstance(found.values(outcome)["probes"]["volumes"], float)


def test_probes_are_made_again_before_it_passes():
    world = Recorded(healthy=False)
    clock = Clock(world)
    healthy = Recorded().answers

    def sleep(seconds):
        clock.now += seconds
        if clock.now >= 20:
            world.answers = healthy

    found = Gate(Ceph(clock.run, clock=clock), Wanted(), Limits(60, 5), probes={"volumes": 5})
    assert found.wait(clock=clock, sleep=sleep).passed
    assert len(writes(world)) == 2


def test_a_probe_that_fails_keeps_a_healthy_cluster_waiting():
    world = Recorded()
    world.results = {"rados": (1, "", "error setting xattr volumes: (110) Connection timed out")}
    _gate, outcome = gate(Clock(world), Limits(10, 5), probes={"volumes": 5})
    assert outcome.reasons == ("a client cannot write and read in pool volumes: no answer within 5 s",)
    assert len(writes(world)) == 3
