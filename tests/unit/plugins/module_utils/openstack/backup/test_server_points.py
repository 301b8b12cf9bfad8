# SPDX-License-Identifier: Apache-2.0
"""Points of servers: how good they are, that one is never taken twice, and that nothing of one stays."""

from __future__ import annotations

import datetime
import itertools
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError, LockedError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model, moments, points
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.nova import Points
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_points import (
    FakeCloud,
    Killed,
)


def taker(cloud: FakeCloud, run: str = "night", **more: Any) -> Points:
    clock = itertools.count(0, 1)
    return Points(cloud, Cinder(cloud), run, clock=lambda: next(clock), sleep=lambda _seconds: None, **more)


def only(found: Points) -> points.Server:
    (server,) = found.servers()
    return server


def test_one_image_gives_the_snapshots_of_all_volumes_and_is_gone_afterwards():
    cloud = FakeCloud("vda", "vdb", "vdc")
    cloud.slow = 2
    found = taker(cloud)
    with found.held(only(found), "quiesce_required") as point:
        assert {part.volume for part in point.parts} == {"vda", "vdb", "vdc"}
        assert (point.level, point.spread, point.resumed) == ("quiesced", 2.0, False)
        assert {one["metadata"][model.RUN] for one in cloud.snapshots.values()} == {"night"}
        assert point.marks() == {model.POINT: "image-0", model.SERVER: "s1", model.LEVEL: "quiesced"}
        assert point.snapshot("vdb") in cloud.snapshots
        assert point.snapshot("vdx") == ""
    assert (cloud.snapshots, cloud.images, len(cloud.actions)) == ({}, {}, 1)


@pytest.mark.parametrize(
    ("shape", "level", "together", "why"),
    [
        ({}, "quiesced", True, "agent freezes"),
        ({"agent": False}, "crash", True, "hw_qemu_guest_agent and os_require_quiesce"),
        ({"status": "SHUTOFF", "agent": False}, "quiesced", True, "nothing writes"),
        ({"status": "PAUSED"}, "crash", True, "cannot answer"),
        ({"status": "SHELVED_OFFLOADED"}, "quiesced", False, "nothing writes"),
        ({"status": "ERROR"}, "crash", False, "cannot answer"),
        ({"from_volume": False}, "crash", False, "boot from a volume"),
        ({"from_volume": False, "status": "SHUTOFF"}, "quiesced", False, "nothing writes"),
    ],
)
def test_how_good_a_point_can_be(shape: dict[str, Any], level: str, together: bool, why: str):
    cloud = FakeCloud("vda", "vdb", **shape)
    server, volumes = points.server_of(cloud.server), [model.volume_of(one) for one in cloud.volumes.values()]
    found = points.way(server, volumes, "crash")
    assert (found.level, found.together) == (level, together)
    assert why in found.why
    if level == "quiesced":
        assert points.way(server, volumes, "quiesce_required") == found
    else:
        with pytest.raises(InputError, match=why):
            points.way(server, volumes, "quiesce_required")


def test_what_is_not_possible_touches_nothing():
    cloud = FakeCloud("vda", "vdb", agent=False)
    found = taker(cloud)
    with pytest.raises(InputError), found.held(only(found), "quiesce_required"):
        pass
    cloud.limits["maxTotalSnapshots"] = 1
    with (
        pytest.raises(LandscapeError, match=r"2 snapshots do not fit, 0 of 1 are used \(maxTotalSnapshots\)"),
        found.held(only(found), "crash"),
    ):
        pass
    with pytest.raises(InputError, match="takes no point"):
        found.take(only(found), "none")
    assert cloud.writes == []


def test_a_server_with_a_local_root_gives_the_snapshots_of_the_volumes_that_are_wanted():
    cloud = FakeCloud("vdb", "vdc", from_volume=False)
    found = taker(cloud)
    with found.held(only(found), "crash", ["vdc"]) as point:
        assert [(part.volume, part.status) for part in point.parts] == [("vdc", "available")]
        assert (point.image, point.id) == ("", point.snapshot("vdc"))
    assert (cloud.snapshots, cloud.actions) == ({}, [])


@pytest.mark.parametrize("acted", [True, False], ids=["acted", "not-acted"])
@pytest.mark.parametrize("from_volume", [True, False], ids=["image", "one-by-one"])
def test_a_lost_answer_makes_nothing_twice(acted: bool, from_volume: bool):
    cloud = FakeCloud("vda", "vdb", from_volume=from_volume)
    cloud.lose = [("POST", "/action" if from_volume else "/snapshots", acted)]
    found = taker(cloud)
    with found.held(only(found), "crash") as point:
        assert len(point.parts) == len(cloud.snapshots) == 2
    assert len(cloud.actions) == int(from_volume)
    assert (cloud.images, cloud.snapshots) == ({}, {})


def test_who_may_not_see_the_log_of_actions_does_not_ask_twice():
    cloud = FakeCloud("vda")
    cloud.hides_actions = True
    cloud.lose = [("POST", "/action", False)]
    found = taker(cloud, patience=30)
    with pytest.raises(LandscapeError, match="made no image"), found.held(only(found), "crash"):
        pass
    assert cloud.actions == []


def test_a_snapshot_that_fails_is_told_and_all_is_removed():
    cloud = FakeCloud("vda", "vdb")
    cloud.broken = {"vdb"}
    found = taker(cloud)
    with pytest.raises(LandscapeError, match="of volume vdb is error"), found.held(only(found), "crash"):
        pass
    assert (cloud.images, cloud.snapshots) == ({}, {})


@pytest.mark.parametrize("error", [KeyboardInterrupt(), LandscapeError("x"), ValueError("defect")], ids=repr)
def test_every_way_out_removes_it_and_waits_for_backups_that_still_read(error: BaseException):
    cloud = FakeCloud("vda", "vdb")
    cloud.busy = 5
    found = taker(cloud)
    with pytest.raises(type(error)), found.held(only(found), "crash"):
        raise error
    assert (cloud.images, cloud.snapshots, cloud.busy) == ({}, {}, 0)


def test_what_cannot_be_removed_is_named_beside_the_first_reason():
    cloud = FakeCloud("vda")
    cloud.busy = 1000
    found = taker(cloud, patience=20)
    with pytest.raises(LandscapeError) as caught, found.held(only(found), "crash"):
        raise LandscapeError("the store is full")
    assert "the store is full" in str(caught.value)
    assert "snapshot snap-vda-1 of run night could not be removed: it is available: Snapshot is backing-up" in str(
        caught.value
    )


@pytest.mark.parametrize("writes", range(9))
@pytest.mark.parametrize("from_volume", [True, False], ids=["image", "one-by-one"])
def test_killed_anywhere_the_next_start_goes_on_and_leaves_nothing(writes: int, from_volume: bool):
    cloud = FakeCloud("vda", "vdb", from_volume=from_volume)
    cloud.kill_after = writes
    found = taker(cloud)
    died = False
    try:
        with found.held(only(found), "crash"):
            pass
    except Killed:
        died = True
    assert died == (writes < 6)
    cloud.kill_after = None
    again = taker(cloud)
    with again.held(only(again), "crash") as point:
        assert {part.volume for part in point.parts} == {"vda", "vdb"}
        assert len(cloud.snapshots) == 2
    assert (cloud.images, cloud.snapshots) == ({}, {})


def test_a_killed_run_is_resumed_with_the_same_snapshots_and_cleared_up_by_another():
    cloud = FakeCloud("vda", "vdb")
    first = taker(cloud).take(only(taker(cloud)), "crash")
    again = taker(cloud).take(only(taker(cloud)), "crash")
    assert (again.id, again.parts, again.resumed) == (first.id, first.parts, True)
    assert len(cloud.actions) == 1
    assert taker(cloud).leftovers(0) == []
    other = taker(cloud, "morning")
    assert other.leftovers(10 * 365 * 86400.0) == []
    # Somebody else's objects are no leftovers, whatever they look like.
    cloud.snapshots["foreign"] = {**next(iter(cloud.snapshots.values())), "id": "foreign", "name": "snapshot for web"}
    left = other.leftovers(-10 * 365 * 86400.0)
    assert [(one.kind, one.run, one.server) for one in left] == [
        ("image", "night", "s1"),
        ("snapshot", "night", "s1"),
        ("snapshot", "night", "s1"),
    ]
    other.remove(left)
    assert (cloud.images, list(cloud.snapshots)) == ({}, ["foreign"])


def test_a_point_that_misses_a_volume_is_taken_anew():
    cloud = FakeCloud("vda", "vdb")
    taker(cloud).take(only(taker(cloud)), "crash")
    gone = next(iter(cloud.snapshots))
    del cloud.snapshots[gone]
    again = taker(cloud).take(only(taker(cloud)), "crash")
    assert (again.resumed, len(cloud.actions), len(cloud.snapshots), len(cloud.images)) == (False, 2, 2, 1)


@pytest.mark.parametrize("name", ["a" * 300, "", "  "], ids=["long", "empty", "blank"])
def test_a_run_without_a_usable_name_is_refused(name: str):
    with pytest.raises(InputError, match="is no name for a run"):
        points.name_of(name, "s1")


def test_names_say_whose_something_is():
    name = points.name_of("daily 2026-11-22", "s1")
    assert points.owner_of(f"snapshot for {name}") == ("daily 2026-11-22", "s1")
    assert points.owner_of(f"Schattenkopie von {name}") == ("daily 2026-11-22", "s1")
    assert [points.owner_of(one) for one in ("", "web", "scs-landscape point x", "scs-landscape pointless a b")] == [
        None
    ] * 4


@pytest.mark.parametrize("mapping", ["no json", "{}", [1, {"device_name": "vda"}], None, "[]"], ids=repr)
def test_an_image_without_snapshots_has_none(mapping: Any):
    assert points.snapshots_of({"block_device_mapping": mapping}) == ()


def test_a_server_that_was_started_since_the_plan_promises_no_more_than_it_can():
    cloud = FakeCloud("vda", "vdb", status="SHUTOFF", agent=False)
    planned = only(taker(cloud))
    cloud.server["status"] = "ACTIVE"
    with taker(cloud).held(planned, "crash") as point:
        assert point.level == "crash"
    with pytest.raises(InputError, match="quiesce_required is not possible"):
        taker(cloud).take(planned, "quiesce_required")
    assert (cloud.images, cloud.snapshots) == ({}, {})


@pytest.mark.parametrize("consistency", ["crash", "quiesce_required"])
def test_a_server_that_is_started_while_it_is_taken_is_not_called_quiesced(consistency: str):
    cloud = FakeCloud("vda", "vdb", status="SHUTOFF", agent=False)
    cloud.starts = True
    found = taker(cloud)
    if consistency == "quiesce_required":
        with pytest.raises(LandscapeError, match="was not kept: the server was SHUTOFF, and ACTIVE"):
            found.take(only(found), consistency)
    else:
        assert found.take(only(found), consistency).level == "crash"
        assert {one["metadata"][model.LEVEL] for one in cloud.snapshots.values()} == {"crash"}
        # It is off again: what was taken while it ran does not become better by that.
        cloud.starts, cloud.server["status"] = False, "SHUTOFF"
        again = taker(cloud).take(only(taker(cloud)), consistency)
        assert (again.level, again.resumed) == ("quiesced", False)
    found.release(only(found))
    assert (cloud.images, cloud.snapshots) == ({}, {})


def test_a_volume_that_was_attached_since_the_plan_leaves_no_snapshot():
    cloud = FakeCloud("vda", "vdb")
    planned = replace(only(taker(cloud)), volumes=("vda",))
    with taker(cloud).held(planned, "crash", ["vda"]) as point:
        assert {part.volume for part in point.parts} == {"vda", "vdb"}
    assert (cloud.images, cloud.snapshots) == ({}, {})


def test_what_another_living_process_holds_under_the_same_name_is_left_to_it(monkeypatch: pytest.MonkeyPatch):
    cloud = FakeCloud("vda", "vdb")
    first = taker(cloud)
    first.take(only(first), "crash")
    second = taker(cloud)
    monkeypatch.setattr(second, "in_use", lambda maker: maker.mark == first.mark)
    assert moments.leftovers(second, []) == []
    with pytest.raises(LockedError, match="another process backs it up in run 'night'"):
        second.take(only(second), "crash")
    assert (len(cloud.images), len(cloud.snapshots)) == (1, 2)
    monkeypatch.setattr(second, "in_use", lambda _maker: False)  # it was killed
    assert len(moments.leftovers(second, [])) == 3


def test_snapshots_that_nova_is_still_making_for_another_task_are_left(monkeypatch: pytest.MonkeyPatch):
    cloud = FakeCloud("vda")
    cloud.snapshots["young"] = {
        "id": "young",
        "name": f"snapshot for {points.name_of('night', 's1')}",
        "volume_id": "vda",
        "status": "creating",
        "created_at": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "metadata": {},
    }
    assert moments.leftovers(taker(cloud), []) == []
    cloud.snapshots["young"]["created_at"] = "2026-01-01T00:00:00"
    assert [one.id for one in moments.leftovers(taker(cloud), [])] == ["young"]
