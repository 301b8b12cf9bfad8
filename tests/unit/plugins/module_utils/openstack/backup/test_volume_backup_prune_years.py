# SPDX-License-Identifier: Apache-2.0
"""More than a year of backups is thinned out: what a calendar asks for is there with all it stands on, and it happens once."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import FakeCinder
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.histories import (
    History,
    four_hundred_days,
    into,
    text,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.test_volume_backup_prune import (
    refusals,
    run,
)

KEEP = {"last": 3, "daily": 5, "weekly": 4, "monthly": 6, "yearly": 2}
#: Periods of a calendar, found in another way than the code under test does it.
PERIODS: dict[str, Callable[[datetime.datetime], Any]] = {
    "daily": lambda at: at.date(),
    "weekly": lambda at: at.date() - datetime.timedelta(days=at.weekday()),
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: at.year,
}


def asked_for(history: History) -> set[str]:
    """What fills a slot, by the truth that Cinder does not show."""
    good = [one for one in history.backups.values() if model.RUN in one.metadata and whole(history, one.id)]
    newest_first = sorted(good, key=lambda one: one.taken, reverse=True)
    found = {one.id for one in newest_first[: KEEP["last"]]}
    for kind, period in PERIODS.items():
        newest: dict[Any, str] = {}
        for one in newest_first:
            newest.setdefault(period(model.moment(one.taken)), one.id)
        found |= {newest[key] for key in sorted(newest, reverse=True)[: KEEP[kind]]}
    return found


def whole(history: History, identifier: str) -> bool:
    """Whether a backup and all it stands on are available."""
    parent = history.parents.get(identifier)
    return history.backups[identifier].available and (parent is None or whole(history, parent))


@pytest.mark.slow
@pytest.mark.accept("B1.5")
@pytest.mark.parametrize("round", range(2))
def test_four_hundred_days_leave_what_the_calendar_asks_for_and_a_second_run_changes_nothing(round: int) -> None:
    until = datetime.datetime(2026, 12, 20, 2, 0, 0)
    history = four_hundred_days("v1", random.Random(round), until)
    assert min(one.taken for one in history.backups.values()) < text(until - datetime.timedelta(days=400))
    fake = into(FakeCinder(), history)
    before, parents, wanted = set(fake.backups), dict(fake.parents), asked_for(history)
    predicted = run(fake, check=True, keep=KEEP)
    assert fake.writes == []
    refused = refusals(fake)
    done = run(fake, keep=KEEP)
    assert (done.failed, refused, done.plan.digest) == ("", [], predicted.plan.digest)
    after = set(fake.backups)
    assert before - after == {one["id"] for one in predicted.values["deleted"]}
    assert len(before - after) > 15
    assert wanted <= after
    assert all(parents.get(one, one) in after for one in after)
    assert {one.id for one in history.backups.values() if model.RUN not in one.metadata} <= after
    # Nothing stays for its own sake: it fills a slot, failed lately, or something stands on it.
    held = {parents[one] for one in after if one in parents}
    ours = {one for one in after if model.RUN in fake.backups[one]["metadata"]}
    assert all(fake.backups[one]["status"] == "error" for one in ours - wanted - held)
    writes = len(fake.writes)
    again = run(fake, keep=KEEP)
    assert (again.changed, again.failed, len(fake.writes)) == (False, "", writes)
