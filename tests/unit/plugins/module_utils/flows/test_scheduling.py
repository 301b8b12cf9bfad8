# SPDX-License-Identifier: Apache-2.0
"""Limits for hosts, datastores and converters: never above one, nobody waits for ever, nothing stands idle."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.flows.scheduling import Room


@dataclass(frozen=True)
class Task:
    number: int
    places: tuple
    seconds: float = 1.0


def run(tasks, room, look=lambda running: None):
    """Begin and end of every task on a clock of its own; ``look`` sees what runs at each moment."""
    waiting, running, ends, now, times = list(tasks), [], [], 0.0, {}
    while waiting or running:
        for task in room.startable(waiting, running):
            waiting.remove(task)
            running.append(task)
            times[task.number] = (now, now + task.seconds)
            heapq.heappush(ends, (now + task.seconds, task.number))
        look(running)
        assert running, f"nothing runs and {len(waiting)} wait"
        now, number = heapq.heappop(ends)
        running = [task for task in running if task.number != number]
    return times


def drawn(chance):
    hosts, stores = chance.randint(1, 4), chance.randint(1, 4)
    slots = {("host", n): chance.randint(1, 4) for n in range(hosts)}
    slots.update({("datastore", n): chance.randint(1, 4) for n in range(stores) if chance.random() < 0.7})
    tasks = []
    for number in range(chance.randint(1, 60)):
        places = (("host", chance.randrange(hosts)), ("datastore", chance.randrange(stores)), ("converter", 0))
        tasks.append(Task(number, places, chance.choice((0.1, 1.0, 5.0))))
    return tasks, Room(slots, chance.choice((0, 0, 3, 8)))


@pytest.mark.accept("V1.18")
def test_no_limit_is_ever_exceeded_and_everything_is_done(seed):
    chance = random.Random(seed)
    for _round in range(200):
        tasks, room = drawn(chance)

        def look(running, room=room):
            for place, most in room.slots.items():
                assert sum(place in task.places for task in running) <= most
            assert not room.total or len(running) <= room.total

        assert len(run(tasks, room, look)) == len(tasks)


def test_the_first_in_the_queue_waits_only_for_what_ran_already(seed):
    """Whoever cannot begin at a moment, and has nobody before, begins when those have ended that ran then."""
    chance = random.Random(seed)
    for _round in range(200):
        tasks, room = drawn(chance)
        if room.total:
            continue
        times = run(tasks, room)
        for task in tasks:
            begin = times[task.number][0]
            before = [times[other.number] for other in tasks if other.number < task.number]
            at_head = max([start for start, _end in before], default=0.0)
            if begin <= at_head:
                continue
            running_then = [
                end for other, (start, end) in times.items() if other != task.number and start <= at_head < end
            ]
            assert begin <= max(running_then, default=at_head) + 1e-9


def test_nothing_stands_idle_while_a_place_of_its_own_is_free():
    slow = [Task(number, (("host", 0), ("datastore", 0)), 10.0) for number in range(10)]
    other = Task(99, (("host", 1), ("datastore", 0)), 1.0)
    room = Room({("host", 0): 2, ("host", 1): 2, ("datastore", 0): 8})
    assert other in room.startable([*slow, other], [])


def test_the_last_slot_is_kept_for_who_waits_longest():
    blocked = Task(1, (("host", 0), ("datastore", 0)))
    later = Task(2, (("host", 1), ("datastore", 0)))
    room = Room({("host", 0): 1, ("host", 1): 9, ("datastore", 0): 1})
    running = [Task(0, (("host", 0), ("datastore", 1)))]
    assert room.startable([blocked, later], running) == []


@pytest.mark.accept("V1.18")
@pytest.mark.parametrize(("count", "limit"), [(8, 8), (8, 4), (50, 4)])
def test_a_fleet_takes_at_most_1_3_times_the_ideal(seed, count, limit):
    chance = random.Random(seed)
    rate = 10e6
    sizes = sorted((chance.uniform(0.8e9, 1.2e9) for _disk in range(count)), reverse=True)
    tasks = [Task(number, (("host", 0),), size / rate) for number, size in enumerate(sizes)]
    times = run(tasks, Room({("host", 0): limit}))
    ideal = max(sizes[0] / rate, sum(sizes) / rate / limit)
    assert max(end for _start, end in times.values()) <= 1.3 * ideal
