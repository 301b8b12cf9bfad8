# SPDX-License-Identifier: Apache-2.0
"""Retries with a clock that only moves when somebody sleeps."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.retry import Backoff, retry


class Time:
    """A clock and its sleep."""

    def __init__(self):
        self.now, self.pauses = 100.0, []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


def failing(times, error=KeyError):
    left = [times]

    def operation():
        if left[0]:
            left[0] -= 1
            raise error("not yet")
        return "done"

    return operation


def run(operation, backoff, chance=1.0):
    time = Time()
    result = retry(
        operation, on=(KeyError,), backoff=backoff, clock=time.clock, sleep=time.sleep, chance=lambda: chance
    )
    return result, time.pauses


def test_pauses_double_up_to_the_longest():
    assert run(failing(5), Backoff(1, 4, 60)) == ("done", [1, 2, 4, 4, 4])


def test_chance_takes_off_up_to_half():
    assert run(failing(3), Backoff(1, 4, 60), chance=0.0) == ("done", [0.5, 1, 2])


def test_no_attempt_starts_after_the_deadline():
    time = Time()
    with pytest.raises(KeyError):
        retry(
            failing(99),
            on=(KeyError,),
            backoff=Backoff(1, 4, 10),
            clock=time.clock,
            sleep=time.sleep,
            chance=lambda: 1.0,
        )
    assert sum(time.pauses) <= 10
    assert len(time.pauses) == 3


def test_other_errors_are_not_retried():
    with pytest.raises(ValueError, match="not yet"):
        run(failing(1, ValueError), Backoff())


def test_the_pause_stays_finite_after_many_attempts():
    assert Backoff(0.5, 15, 60).pause(10_000, 1.0) == 15
