# SPDX-License-Identifier: Apache-2.0
"""Slots are what an operator counts on a calendar."""

from __future__ import annotations

import datetime
import random

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import gfs

UTC = datetime.timezone.utc


def points(chance: random.Random, number: int) -> list[tuple[str, datetime.datetime]]:
    begin = datetime.datetime(2023, 12, 25, tzinfo=UTC)
    return [(f"b{count}", begin + datetime.timedelta(seconds=chance.randrange(400 * 86400))) for count in range(number)]


def some_keep(chance: random.Random) -> gfs.Keep:
    numbers = {kind: chance.choice([0, 0, 1, 3, 7, 500]) for kind in gfs.KINDS}
    numbers[chance.choice(gfs.KINDS)] += 1
    return gfs.keep_of(numbers)


def period(kind: str, moment: datetime.datetime) -> tuple[int, ...]:
    """The same periods, found in another way."""
    parts = (moment.year, moment.month, moment.day, moment.hour)
    if kind == "weekly":
        return tuple(moment.isocalendar()[:2])
    return parts[: {"yearly": 1, "monthly": 2, "daily": 3, "hourly": 4}[kind]]


@pytest.mark.parametrize("round", range(60))
def test_every_slot_has_the_newest_of_its_period_and_nothing_else_is_chosen(round: int) -> None:
    chance = random.Random(round)
    found, keep = points(chance, chance.choice([0, 1, 5, 300])), some_keep(chance)
    expected = {identifier for identifier, _at in sorted(found, key=lambda one: (one[1], one[0]))[::-1][: keep.last]}
    for kind in gfs.PERIODS:
        newest: dict[tuple[int, ...], tuple[datetime.datetime, str]] = {}
        for identifier, moment in found:
            key = period(kind, moment)
            newest[key] = max(newest.get(key, (moment, identifier)), (moment, identifier))
        last = sorted(newest, reverse=True)[: getattr(keep, kind)]
        expected |= {newest[key][1] for key in last}
    chosen = gfs.slots(found, keep)
    assert set(chosen) == expected
    # Choosing again from what was chosen, and from some that are held besides, changes nothing.
    extra = {identifier for identifier, _at in found if chance.random() < 0.3}
    left = [one for one in found if one[0] in set(chosen) | extra]
    assert gfs.slots(left, keep) == chosen


def test_slots_have_names_that_people_know():
    moment = datetime.datetime(2025, 12, 29, 1, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    keep = gfs.keep_of({"last": 1, "hourly": 1, "daily": 1, "weekly": 1, "monthly": 1, "yearly": 1})
    assert gfs.slots([("b", moment)], keep) == {
        "b": ("last 1", "hourly 2025-12-28T23", "daily 2025-12-28", "weekly 2025-W52", "monthly 2025-12", "yearly 2025")
    }


@pytest.mark.parametrize("keep", [None, {}, {"daily": 0}, {"daily": None, "last": 0}])
def test_an_empty_keep_is_refused(keep):
    with pytest.raises(InputError, match="keep is empty, so that every backup would go"):
        gfs.keep_of(keep)


def test_what_is_no_number_of_slots_is_refused():
    with pytest.raises(InputError, match="weekly is below 0"):
        gfs.keep_of({"daily": 3, "weekly": -1})
    with pytest.raises(InputError, match="keep has no fortnightly"):
        gfs.keep_of({"fortnightly": 3})
