# SPDX-License-Identifier: Apache-2.0
"""Chains are what Cinder made of the backups, as far as what it shows can tell; where it cannot, nothing is thought free."""

from __future__ import annotations

import dataclasses
import datetime
import random

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import chains, model
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.histories import History, grown


def told(found: tuple[chains.Chain, ...]) -> dict[str, str]:
    return {key: value for chain in found for key, value in chain.parents.items()}


@pytest.mark.parametrize("round", range(60))
def test_parents_are_those_that_cinder_chose(round: int) -> None:
    history = grown(random.Random(round), 40)
    shown = history.shown()
    random.Random(round).shuffle(shown)
    found = chains.build(shown)
    assert told(found) == history.parents
    members = [one.id for chain in found for one in chain.members]
    assert sorted(members) == sorted(history.backups)
    for chain in found:
        seen: set[str] = set()
        for one in chain.members:
            assert chain.parents.get(one.id, chain.id) in seen or one.id == chain.id
            seen.add(one.id)
        for one in chain.members:
            path = chain.path(one.id)
            assert path[0].id == chain.id
            good = all(step.status == "available" for step in path)
            assert (one.id not in chain.broken) == good
    assert not [text for chain in found for text in chain.problems if "failed" not in text]


@pytest.mark.parametrize("round", range(20))
def test_the_base_is_what_cinder_takes_next(round: int) -> None:
    history = grown(random.Random(round), 25)
    shown = history.shown()
    expected = chains.base(shown, "v1", "p1")
    open_ones = [chain for chain in chains.build(shown) if not chain.closed]
    assert expected is not None
    assert [chain.id for chain in open_ones] == [chains.find(open_ones, expected.id).id]  # type: ignore[union-attr]
    history.wait(hours=1)
    assert history.parents.get(history.take(True).id) == expected.id


@pytest.mark.parametrize("round", range(30))
def test_nothing_counts_as_free_that_something_stands_on_whatever_flags_say(round: int) -> None:
    """Flags of Cinder drifted in releases before 2026; a wrong one must not make a parent free that is none."""
    chance = random.Random(round)
    history = grown(chance, 30)
    shown = [
        dataclasses.replace(one, dependents=not one.dependents) if chance.random() < 0.2 else one
        for one in history.shown()
    ]
    found = chains.build(shown)
    held = chains.holders(found)
    flagged = {one.id for one in shown if one.dependents}
    for child, parent in history.parents.items():
        assert (
            parent in flagged
            or child in [one.id for one in held.get(parent, ())]
            or any(parent in members.perhaps.get(child, ()) for members in found)
        ), (child, parent)


def test_two_at_once_stand_on_the_same() -> None:
    history = History()
    first = history.take()
    history.wait(hours=1)
    second = history.take(True, status="creating")
    history.wait(minutes=1)
    third = history.take(True)
    history.backups[second.id] = dataclasses.replace(second, status="available")
    assert history.parents[third.id] == first.id
    (chain,) = chains.build(history.shown())
    # The third may stand on the second for all that is shown, so the second is not free while the third is there.
    assert [one.id for one in chains.holders([chain])[second.id]] == [third.id]
    (chain,) = chains.build(history.shown(), {second.id: first.id, third.id: first.id})
    assert second.id not in chains.holders([chain])
    assert [one.id for one in chain.children(first.id)] == [second.id, third.id]
    assert (chain.length, chain.size) == (2, 3)


def test_a_full_one_that_was_not_done_in_time_is_no_parent() -> None:
    history = History()
    old = history.take()
    history.wait(hours=1)
    full = history.take(status="creating")
    history.wait(minutes=1)
    late = history.take(True)
    history.backups[full.id] = dataclasses.replace(full, status="available")
    assert history.parents[late.id] == old.id
    found = chains.build(history.shown())
    # Cinder says that something stands on the old one and nothing on the new one: that settles it.
    assert told(found) == history.parents
    assert [one.id for one in chains.holders(found)[full.id]] == [late.id]


def test_an_incremental_without_a_base_is_no_backup() -> None:
    history = History()
    history.take()
    history.wait(days=1)
    lonely = history.take(True)
    (chain,) = chains.build([history.backups[lonely.id]])
    assert chain.restorable == ()
    assert chain.newest is None
    assert "what it stands on is not to be seen" in chain.problems[0]
    (chain,) = chains.build([history.backups[lonely.id]], {lonely.id: "elsewhere"})
    assert chain.problems == (f"{lonely} stands on elsewhere, which is not there",)
    assert chain.broken == {lonely.id}


def test_other_projects_and_volumes_do_not_mix() -> None:
    ours, theirs, other = History(), History(project="p2"), History(volume="v2")
    for history in (theirs, ours, other):
        history.take()
        history.wait(hours=2)
    ours.take(True)
    found = chains.build([*ours.shown(), *theirs.shown(), *other.shown()])
    assert [(chain.volume, chain.project, len(chain.members)) for chain in found] in (
        [("v1", "p1", 2), ("v1", "p2", 1), ("v2", "p1", 1)],
    )


def test_what_cannot_be_seen_and_what_was_refuted_is_said() -> None:
    history = History()
    one = history.take(**{model.REFUTED: "2025-10-02T00:00:00Z"})
    (chain,) = chains.build([dataclasses.replace(one, dependents=True)])
    assert chain.problems == (
        f"Cinder says that others stand on {one}, and none is to be seen",
        f"{one} gave other bytes when it was restored, on 2025-10-02T00:00:00Z",
    )


def test_a_failed_one_holds_what_it_stands_on() -> None:
    history = History()
    full = history.take()
    history.wait(hours=1)
    failed = history.take(True, status="error")
    history.wait(hours=1)
    last = history.take(True)
    found = chains.build(history.shown())
    assert [one.id for one in chains.holders(found)[full.id]] == [failed.id, last.id]
    assert found[0].broken == {failed.id}


def test_records_that_go_in_a_circle_end() -> None:
    history = History()
    one = history.take()
    history.wait(hours=1)
    two = history.take(True)
    found = chains.build(history.shown(), {one.id: two.id, two.id: one.id})
    assert len([member for chain in found for member in chain.members]) == 2


def test_an_old_snapshot_stands_on_what_was_there_before_it() -> None:
    history = History()
    first = history.take()
    history.wait(hours=1)
    moment = history.now
    history.wait(hours=1)
    history.take(True)
    history.wait(hours=1)
    late = history.take(True, snapshot=moment)
    (chain,) = chains.build(history.shown())
    assert chain.parents[late.id] == first.id
    # Cinder's next choice is the newest data, not what was made last.
    assert chains.base(history.shown(), "v1", "p1") != late
    assert chains.base(history.shown(), "v1", "p1", before=history.backups[first.id].taken) is None
    assert datetime.datetime.fromisoformat(late.taken) == moment
