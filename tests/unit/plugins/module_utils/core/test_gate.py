# SPDX-License-Identifier: Apache-2.0
"""Gates with a clock that only moves when somebody sleeps or looks."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.gate import Limits, Verdict, wait

NO = Verdict(("disk 1 is not there",))
YES = Verdict()


class World:
    """A clock, and verdicts one after the other; the last one stays. Every look takes a while."""

    def __init__(self, *verdicts, look=0.0):
        self.now, self.takes, self.left = 100.0, look, []
        self.verdicts = list(verdicts)

    def look(self, left):
        self.left.append(left)
        self.now += self.takes
        return self.verdicts.pop(0) if len(self.verdicts) > 1 else self.verdicts[0]

    def clock(self):
        return self.now

    def sleep(self, seconds):
        assert seconds > 0
        self.now += seconds

    def wait(self, progress=None, **limits):
        return wait(self.look, Limits(**limits), clock=self.clock, sleep=self.sleep, progress=progress)


def test_what_holds_passes_at_the_first_look_without_a_pause():
    world = World(YES)
    outcome = world.wait(within=10, every=1)
    assert (outcome.passed, outcome.waited, outcome.looks, outcome.reasons) == (True, 0, 1, ())
    assert outcome.said == "passed after 0.0 s and 1 look"


def test_it_looks_again_until_it_holds():
    outcome = World(NO, NO, YES).wait(within=10, every=2)
    assert (outcome.passed, outcome.waited, outcome.looks) == (True, 4, 3)


def test_at_the_deadline_it_looks_for_the_last_time_and_gives_the_reason():
    world = World(NO)
    outcome = world.wait(within=7, every=2)
    assert (outcome.passed, outcome.waited, outcome.looks) == (False, 7, 5)
    assert outcome.said == "disk 1 is not there (after 7.0 s and 5 looks)"
    assert world.left == [7, 5, 3, 1, 0]


def test_what_comes_true_at_the_deadline_passes():
    assert World(NO, NO, YES).wait(within=3, every=2).passed


def test_no_time_means_one_look():
    assert World(NO).wait(within=0, every=2).looks == 1
    assert World(YES).wait(within=0, every=2).passed


def test_slow_looks_do_not_add_up():
    outcome = World(NO, look=4.0).wait(within=10, every=5)
    assert outcome.waited <= 10 + 4


def test_what_cannot_come_true_is_not_waited_for():
    outcome = World(NO, Verdict(("server 1 is in state ERROR",), final=True)).wait(within=1000, every=1)
    assert (outcome.passed, outcome.waited) == (False, 1)


def test_a_condition_has_to_hold_for_a_while():
    outcome = World(YES, YES, NO, YES).wait(within=60, every=5, stable=10)
    assert (outcome.passed, outcome.waited) == (True, 25)


def test_a_condition_has_to_hold_with_the_same_key():
    verdicts = [Verdict(key=1), Verdict(key=1), Verdict(key=2)]
    assert World(*verdicts).wait(within=60, every=5, stable=10).waited == 20


def test_a_condition_that_did_not_hold_long_enough_says_so():
    outcome = World(NO, YES).wait(within=6, every=4, stable=30)
    assert not outcome.passed
    assert outcome.reasons == ("it has held for 2.0 s only, not for 30 s",)


def test_every_look_is_told():
    told = []
    World(NO, YES).wait(lambda verdict, waited: told.append((verdict.passed, waited)), within=9, every=3)
    assert told == [(False, 0), (True, 3)]


def test_whatever_the_look_raises_ends_the_wait():
    def look(_left):
        raise KeyError("broken")

    with pytest.raises(KeyError):
        wait(look, Limits(within=0))


def test_an_outcome_is_data():
    assert World(NO).wait(within=0).as_dict() == {
        "passed": False,
        "reasons": ["disk 1 is not there"],
        "waited": 0,
        "looks": 1,
    }
