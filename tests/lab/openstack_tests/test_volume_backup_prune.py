# SPDX-License-Identifier: Apache-2.0
"""Backups of a real Cinder are thinned out: what stays can stand, what goes is gone, and Cinder never has to refuse."""

from __future__ import annotations

import datetime
import os
import random
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import past
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk, until_status
from ansible_collections.scs.landscape.tests.lab.openstack_tests.past import Row
from ansible_collections.scs.landscape.tests.lab.proxy import FaultProxy, Rule
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.histories import (
    History,
    four_hundred_days,
)

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

CINDER = "http://127.0.0.1:8776"
KEEP = {"last": 3, "daily": 5, "weekly": 4, "monthly": 6, "yearly": 2}
_PERIODS: dict[str, Any] = {
    "daily": lambda moment: moment.date(),
    "weekly": lambda moment: moment.isocalendar()[:2],
    "monthly": lambda moment: (moment.year, moment.month),
    "yearly": lambda moment: moment.year,
}


@pytest.fixture
def desk(volume_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(volume_cloud, tmp_path, "member")
    yield found
    past.forget(found)


def refused(cloud: Cloud, since: float) -> list[tuple[str, str, int]]:
    """Requests to Cinder that it refused, but for questions about what is gone, and for versions before the login."""
    expected = {("GET", 404), ("GET", 401)}
    return [
        (one.method, one.path, one.status)
        for one in cloud.access_log("cinder")
        if one.at >= since and one.status >= 400 and (one.method, one.status) not in expected
    ]


@pytest.mark.full
@pytest.mark.accept("B1.4")
def test_a_manual_incremental_on_our_base_holds_it(desk: Desk, seed: int) -> None:
    cloud, chance = desk.cloud, random.Random(seed)
    with past.volume(desk) as volume:
        past.scribble(desk, volume, chance)
        ours = past.back_up(desk, volume)
        past.scribble(desk, volume, chance)
        theirs = past.back_up(desk, volume, incremental=True, ours=False)
        assert past.rows(cloud, volume)[theirs].parent == ours
        later = History(volume, now=datetime.datetime.utcnow() + datetime.timedelta(seconds=5))
        later.take()
        (newest,) = past.write(desk, later).values()
        began = time.time()
        done = desk.run("volume_backup_prune", keep={"last": 1}, volumes=[volume])
        assert (done.failed, done.changed, refused(cloud, began)) == ("", False, [])
        assert cloud.writes("cinder", began) == []
        (held,) = done.values["blocked"]
        assert (held["id"], held["held_by"]) == (ours, [theirs])
        assert held["why"] == [f"backup real ({theirs}), which is not ours, stands on it"]
        owner, _user = past.project(desk)
        there = cloud.database(f"select id from cinder.backups where deleted = 0 and project_id = '{owner}'")  # noqa: S608 - an id
        assert done.values["untouched"] == len(there) - 2
        assert set(past.rows(cloud, volume)) == {ours, theirs, newest}
        # An administrator reads the same out of the record.
        admin = Desk(cloud, desk.folder, "admin")
        told = admin.run("volume_backup_info", records=True, all_projects=True, volumes=[volume])
        (chain,) = [one for one in told.values["chains"] if one["id"] == ours]
        assert (chain["foreign"], chain["length"], told.values["omitted"]) == ([theirs], 2, [])
        # When its owner takes the incremental away, nothing holds ours any more.
        with desk.session() as session:
            session.call("block-storage", "DELETE", f"/backups/{theirs}")
            until_status(session, "block-storage", f"/backups/{theirs}", 404)
        assert past.files(cloud, ours) > 0
        began = time.time()
        done = desk.run("volume_backup_prune", keep={"last": 1}, volumes=[volume])
        assert (done.failed, [one["id"] for one in done.values["deleted"]]) == ("", [ours])
        assert refused(cloud, began) == []
        assert (set(past.rows(cloud, volume)), past.files(cloud, ours)) == ({newest}, 0)


def slots(rows: dict[str, Row]) -> set[str]:
    """What must stay, counted with the database's own truth."""
    good = {key: row for key, row in rows.items() if row.ours and _usable(rows, key)}
    order = sorted(good.values(), key=lambda row: row.taken, reverse=True)
    found = {row.id for row in order[: KEEP["last"]]}
    for kind, period in _PERIODS.items():
        newest: dict[Any, str] = {}
        for row in order:
            newest.setdefault(period(row.taken), row.id)
        found |= {newest[key] for key in sorted(newest, reverse=True)[: KEEP[kind]]}
    return found


def _usable(rows: dict[str, Row], key: str) -> bool:
    while key:
        if key not in rows or rows[key].status != "available":
            return False
        key = rows[key].parent
    return True


@pytest.mark.full
@pytest.mark.accept("B1.5")
def test_four_hundred_days_are_thinned_out_once(desk: Desk, seed: int) -> None:
    cloud, chance = desk.cloud, random.Random(seed)
    with past.volume(desk) as volume:
        past.scribble(desk, volume, chance)
        real = [past.back_up(desk, volume)]
        past.scribble(desk, volume, chance)
        real.append(past.back_up(desk, volume, incremental=True))
        history = four_hundred_days(volume, chance, datetime.datetime.utcnow())
        ids = past.write(desk, history, real)
        before = past.rows(cloud, volume)
        assert {key: before[ids[key]].parent for key in history.parents} == {
            key: ids[parent] for key, parent in history.parents.items()
        }
        began = time.time()
        predicted = desk.run("volume_backup_prune", check_mode=True, keep=KEEP, volumes=[volume])
        assert cloud.writes("cinder", began) == []
        goes = {one["id"] for one in predicted.values["deleted"]}
        assert len(goes) > 20
        killed_after_three(desk, volume)
        done = desk.run("volume_backup_prune", keep=KEEP, volumes=[volume], max_parallel=2)
        assert (done.failed, refused(cloud, began)) == ("", [])
        after = past.rows(cloud, volume)
        assert set(before) - set(after) == goes
        assert slots(before) <= set(after)
        assert slots(after) == slots(before)
        assert all(row.parent in after for row in after.values() if row.parent)
        assert {key for key, row in before.items() if not row.ours} <= set(after)
        assert all(before[key].ours for key in goes)
        for one in real:
            assert (past.files(cloud, one) > 0) == (one in after)
        assert_everything_has_a_reason(done.values["kept"], after)
        began = time.time()
        again = desk.run("volume_backup_prune", keep=KEEP, volumes=[volume])
        assert (again.changed, again.failed, cloud.writes("cinder", began)) == (False, "", [])


def assert_everything_has_a_reason(kept: list[dict[str, Any]], after: dict[str, Row]) -> None:
    """Each fills a slot, or names what stands on it, as the database says."""
    assert {one["id"] for one in kept} == {key for key, row in after.items() if row.ours}
    needed = slots(after)
    for one in kept:
        assert one["why"], one
        truth = {key for key, row in after.items() if row.parent == one["id"]}
        assert truth <= set(one["held_by"]), one
        assert one["id"] in needed or truth or after[one["id"]].status == "error", one


def killed_after_three(desk: Desk, volume: str) -> None:
    """A task that is killed between two removals, and Cinder at rest again."""
    began, end = time.time(), time.monotonic() + 600
    process = desk.start("volume_backup_prune", keep=KEEP, volumes=[volume])
    try:
        while sum(one.method == "DELETE" for one in desk.cloud.writes("cinder", began)) < 3:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end, "three removals took ten minutes"
            time.sleep(0.2)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    while any(row.status == "deleting" for row in past.rows(desk.cloud, volume).values()):
        assert time.monotonic() < end, "Cinder did not end its removals in ten minutes"
        time.sleep(0.5)


@pytest.mark.full
@pytest.mark.accept("B1.19")
def test_planted_faults_change_nothing_in_the_end(desk: Desk, seed: int, tmp_path: Path) -> None:
    """Answers that are lost, before and after Cinder has acted; busy ones and broken ones."""
    cloud, volume = desk.cloud, str(uuid.uuid4())
    history = History(volume, now=datetime.datetime.utcnow() - datetime.timedelta(days=20))
    for number in range(12):
        history.take(number % 4 > 0, ours=number != 2)
        history.wait(days=1)
    ids = past.write(desk, history)
    certain = [Rule("cut", method="DELETE", path="/backups/", times=1, late=True, skip=1)]
    certain += [Rule("cut", method="DELETE", path="/backups/", times=1, skip=2)]
    certain += [Rule(status, method="DELETE", path="/backups/", times=1, skip=4) for status in (503, 429)]
    chance = [Rule("cut", percent=2, late=True), Rule(503, percent=2), Rule("truncate", method="GET", percent=1)]
    with FaultProxy(CINDER, [*certain, *chance], seed=seed, namespace=cloud.namespace) as proxy:
        desk.clouds = cloud.proxied(tmp_path / "clouds.yaml", cinder=proxy.url)
        done = desk.run("volume_backup_prune", keep={"last": 2}, volumes=[volume])
    desk.clouds = None
    assert [rule for rule in certain if rule.acted != 1] == []
    assert done.failed == ""
    # What stands under the stranger's, and under the two newest, stays.
    kept = {ids[f"{volume}-{number:03}"] for number in (1, 2, 3, 9, 10, 11, 12)}
    assert set(past.rows(cloud, volume)) == kept
    assert not desk.run("volume_backup_prune", keep={"last": 2}, volumes=[volume]).changed
