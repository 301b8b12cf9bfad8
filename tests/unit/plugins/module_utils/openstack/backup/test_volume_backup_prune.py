# SPDX-License-Identifier: Apache-2.0
"""What is kept can be restored, what is removed is ours and held by nobody, and Cinder never has to refuse."""

from __future__ import annotations

import dataclasses
import datetime
import io
import os
import random
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import model as cloud_model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import (
    blocks,
    chains,
    gfs,
    lists,
    model,
    prune,
)
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.model import Backup, moment
from ansible_collections.scs.landscape.plugins.modules import volume_backup_prune
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import FakeCinder
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.histories import (
    History,
    grown,
    into,
    text,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.test_gfs import some_keep

LATE = datetime.datetime(2027, 1, 1, tzinfo=datetime.timezone.utc)


def run(fake: FakeCinder, check: bool = False, **options: Any) -> Result:
    defaults = {name: spec.get("default") for name, spec in volume_backup_prune.ARGUMENTS.items()}
    given = {**defaults, "keep": {"last": 1}, **options}
    clock = {"clock": fake.clock, "sleep": fake.sleep, "now": lambda: LATE}
    return volume_backup_prune.main(given, check, connect=lambda *_args, **_more: fake, **clock)


def refusals(fake: FakeCinder) -> list[int]:
    """Statuses of refused requests, from now on."""
    found: list[int] = []
    answer = fake._answer

    def watched(*request: Any) -> tuple[int, Any]:
        status, body = answer(*request)
        if status >= 400 and status != 404:
            found.append(status)
        return status, body

    fake._answer = watched  # type: ignore[method-assign]
    return found


def decide(shown: list[Backup], keep: gfs.Keep, **rules: Any) -> prune.Decision:
    return prune.decide(shown, prune.Rules(keep, LATE, **rules))


def proven_somewhere(history: History, chance: random.Random) -> None:
    """Some were proven, some refuted."""
    for one in list(history.backups.values()):
        mark = chance.choice(["", "", "", model.PROVEN, model.REFUTED])
        if mark and one.ours and one.available:
            metadata = {**one.metadata, mark: text(history.now)}
            history.backups[one.id] = dataclasses.replace(one, metadata=metadata)


@pytest.mark.slow
@pytest.mark.parametrize("round", range(80))
def test_any_history_is_thinned_out_without_a_refusal_and_only_once(round: int) -> None:
    chance = random.Random(round)
    history, keep = grown(chance, 60), some_keep(chance)
    proven_somewhere(history, chance)
    before = {one.id: one for one in history.shown()}
    sound = [one for chain in chains.build(before.values()) for one in chains.sound(chain) if one.ours]
    wanted = set(gfs.slots([(one.id, moment(one.taken)) for one in sound], keep))
    decision = decide(list(before.values()), keep)
    for one in decision.going:
        assert one.ours
        history.delete(one.id)  # as Cinder: refuses what something stands on
    assert wanted <= set(history.backups)
    proofs = [one for one in sound if chains.proven(one)]
    assert not proofs or max(proofs, key=lambda one: one.taken).id in history.backups
    assert {one.id for one in before.values() if not one.ours} <= set(history.backups)
    for one in history.backups.values():
        assert history.parents.get(one.id, one.id) in history.backups
    again = decide(history.shown(), keep)
    assert again.going == ()
    assert {fate.backup.id: fate.needed for fate in again.fates} == {
        fate.backup.id: fate.needed for fate in decision.fates if not fate.goes
    }
    # Everything that stays is needed, or something that stays stands on it.
    for fate in again.fates:
        assert fate.why
        assert fate.needed or any(parent == fate.backup.id for parent in history.parents.values())


@pytest.mark.parametrize("round", range(15))
def test_the_task_does_what_was_decided_and_cinder_never_refuses(round: int) -> None:
    chance = random.Random(round)
    fake = FakeCinder()
    for volume in ("v1", "v2", "v3"):
        into(fake, grown(chance, 12, volume))
    keep = dataclasses.asdict(some_keep(chance))
    predicted = run(fake, check=True, keep=keep)
    assert fake.writes == []
    refused = refusals(fake)
    done = run(fake, keep=keep)
    assert (done.failed, refused) == ("", [])
    assert done.plan.digest == predicted.plan.digest
    assert [one["id"] for one in done.values["deleted"]] == [one["id"] for one in predicted.values["deleted"]]
    assert done.steps_done == len(done.plan) == len(fake.writes)
    assert done.changed == predicted.changed == bool(fake.writes)
    began = len(fake.requests)
    again = run(fake, keep=keep)
    assert (again.changed, again.failed, again.plan.steps) == (False, "", ())
    assert fake.requests[began:] == [("GET", "/backups/detail")]


@pytest.mark.parametrize("round", range(12))
def test_wrong_counts_of_cinder_never_lead_to_a_refusal(round: int) -> None:
    """Counts drifted in releases before 2026: some say that something stands there, some that nothing does."""
    chance = random.Random(round)
    history = grown(chance, 25)
    fake = into(FakeCinder(), history)
    for one in fake.backups.values():
        if chance.random() < 0.2:
            one["has_dependent_backups"] = not one["has_dependent_backups"]
    before, refused = set(fake.backups), refusals(fake)
    done = run(fake, keep={"last": 2, "daily": 3})
    assert (done.failed, refused) == ("", [])
    assert before - set(fake.backups) <= {one["id"] for one in done.values["deleted"]}
    assert all(parent in fake.backups for key, parent in fake.parents.items() if key in fake.backups)


def chain_of(*, ours: str = "111", **more: Any) -> History:
    """A full backup and incrementals, a day apart."""
    history = History(**more)
    for number, own in enumerate(ours):
        history.take(number > 0, ours=own == "1")
        history.wait(days=1)
    return history


@pytest.mark.accept("B1.4")
def test_a_stranger_on_our_base_holds_it_and_is_named() -> None:
    history = chain_of(ours="110")
    history.take()
    fake = into(FakeCinder(), history)
    refused = refusals(fake)
    done = run(fake)
    assert (done.failed, refused, done.changed) == ("", [], False)
    held = {one["id"]: one for one in done.values["blocked"]}
    assert list(held) == ["v1-002", "v1-001"]
    assert held["v1-002"]["why"] == ["backup b3 (v1-003), which is not ours, stands on it"]
    assert held["v1-002"]["held_by"] == ["v1-003"]
    assert held["v1-001"]["why"] == ["backup b2 (v1-002) stands on it"]
    assert done.values["untouched"] == 1


@pytest.mark.accept("B1.4")
def test_a_stranger_who_comes_while_we_remove_is_spared_and_what_he_stands_on() -> None:
    history = chain_of(ours="1111")
    history.take()
    fake = into(FakeCinder(), history)

    def hook(method: str, path: str) -> None:
        if (method, path) == ("DELETE", "/backups/v1-004"):
            fake.add_backup("foreign", "v1", parent="v1-003", status="creating")
            fake.backups["foreign"]["_due"], fake.backups["foreign"]["_fails"] = fake.now, ""
            fake.backups["foreign"]["_before"] = "available"
            fake.backups["foreign"].update(data_timestamp=text(history.now), created_at=text(history.now))
            fake.backups["v1-005"].update(created_at=text(history.now + datetime.timedelta(hours=1)))

    fake.hook = hook  # type: ignore[assignment]
    refused = refusals(fake)
    done = run(fake)
    assert (done.failed, refused) == ("", [])
    assert [one["id"] for one in done.values["deleted"]] == ["v1-004"]
    assert {one["id"] for one in done.values["blocked"]} == {"v1-003", "v1-002", "v1-001"}
    assert done.values["blocked"][0]["why"] == ["backup foreign (foreign), which is not ours, stands on it"]


def test_a_count_that_falls_late_is_waited_for() -> None:
    fake = into(FakeCinder(), chain_of(ours="11"))
    fake.add_backup("new", "v1", created_at="2026-01-01T00:00:00", data_timestamp="2026-01-01T00:00:00")
    fake.backups["new"]["metadata"] = {model.RUN: "r"}
    drop, late = fake._drop, []

    def slow(identifier: str) -> None:
        drop(identifier)
        if identifier == "v1-002":
            fake.backups["v1-001"]["has_dependent_backups"] = True
            late.append(fake.now + datetime.timedelta(seconds=8))

    def hook(_method: str, _path: str) -> None:
        if late and fake.now >= late[0] and "v1-001" in fake.backups:
            fake.backups["v1-001"]["has_dependent_backups"] = False

    fake._drop, fake.hook = slow, hook  # type: ignore[method-assign,assignment]
    refused = refusals(fake)
    done = run(fake)
    assert (done.failed, refused, done.steps_done) == ("", [], 2)
    assert list(fake.backups) == ["new"]


def test_a_count_that_never_falls_keeps_a_backup_and_is_said() -> None:
    fake = into(FakeCinder(), chain_of(ours="1"))
    fake.backups["v1-001"]["has_dependent_backups"] = True
    fake.add_backup("new", "v1", metadata={model.RUN: "r"})
    done = run(fake)
    assert (done.failed, done.changed) == ("", False)
    assert done.values["blocked"][0]["why"] == ["Cinder says that others stand on it, and none is to be seen"]


@pytest.mark.parametrize("moment", ["before", "lose"])
def test_a_lost_answer_is_no_failure(moment: str) -> None:
    fake = into(FakeCinder(), chain_of(ours="111"))
    fake.add_backup("new", "v1", metadata={model.RUN: "r"})
    call, lost = fake.call, []

    def twice(service: str, method: str, path: str, **more: Any) -> Any:
        """The client repeats a DELETE whose answer was lost; Cinder then says that it is under way."""
        if method == "DELETE" and not lost:
            lost.append(path)
            if moment == "lose":
                call(service, method, path, **more)
        return call(service, method, path, **more)

    fake.call = twice  # type: ignore[method-assign]
    done = run(fake)
    assert (done.failed, done.steps_done, list(fake.backups)) == ("", 3, ["new"])


def test_a_removal_that_fails_ends_its_volume_alone() -> None:
    fake = into(into(FakeCinder(), chain_of(ours="111")), chain_of(volume="v2"))
    for volume in ("v1", "v2"):
        fake.add_backup(f"new-{volume}", volume, metadata={model.RUN: "r"})
    drop = fake._drop

    def broken(identifier: str) -> None:
        if identifier == "v1-002":
            fake.backups[identifier].update(status="error", fail_reason="the store is read-only")
        else:
            drop(identifier)

    fake._drop = broken  # type: ignore[method-assign]
    done = run(fake)
    assert done.failed == "backup b2 (v1-002) was not removed: the store is read-only"
    assert done.values["failed_backups"] == [{"id": "v1-002", "reason": done.failed}]
    assert sorted(fake.backups) == ["new-v1", "new-v2", "v1-001", "v1-002"]
    assert done.steps_done == 4
    (left,) = [one for one in done.values["kept"] if one["id"] == "v1-001"]
    assert left["why"] == ["it was not reached"]


def test_one_that_never_goes_does_not_hang_the_task() -> None:
    fake = into(FakeCinder(), chain_of(ours="1"))
    fake.add_backup("new", "v1", metadata={model.RUN: "r"})
    fake.dead = True
    done = run(fake, timeout=50)
    assert done.failed == "backup b1 (v1-001) is still deleting after 50 s"


def test_only_what_is_asked_for_goes() -> None:
    fake = FakeCinder()
    gold = History("v1")
    for policy in ("gold", "gold", "silver", "gold", "gold"):
        gold.take(**{model.POLICY: policy})
        gold.wait(days=1)
    into(into(fake, gold), chain_of(volume="v2"))
    done = run(fake, policies=["gold"], keep={"last": 1})
    assert [one["id"] for one in done.values["deleted"]] == ["v1-004", "v1-002", "v1-001"]
    assert done.values["untouched"] == 4
    done = run(fake, volumes=["v2"], keep={"last": 1})
    assert done.steps_done == 0  # the newest one stands on all others
    assert {one["id"] for one in done.values["blocked"]} == {"v2-001", "v2-002"}


def test_an_empty_keep_never_reaches_cinder() -> None:
    fake = into(FakeCinder(), chain_of())
    with pytest.raises(InputError, match="keep is empty"):
        run(fake, keep=dict.fromkeys(gfs.KINDS, 0))
    assert fake.requests == []


def refuted_last() -> History:
    history = History()
    for _number in range(3):
        history.take()
        history.wait(days=1)
    last = history.backups["v1-003"]
    metadata = {**last.metadata, model.REFUTED: text(history.now)}
    history.backups[last.id] = dataclasses.replace(last, metadata=metadata)
    return history


def test_a_refuted_one_fills_no_slot_and_goes_once_a_good_one_is_newer() -> None:
    history = refuted_last()
    decision = decide(history.shown(), gfs.Keep(last=1))
    why = {fate.backup.id: fate.why for fate in decision.fates}
    assert [one.id for one in decision.going] == ["v1-001"]
    assert why["v1-002"] == ("last 1",)
    assert why["v1-003"] == ("it was refuted, and no good one is newer",)
    history.take()
    assert [one.id for one in decide(history.shown(), gfs.Keep(last=1)).going] == ["v1-003", "v1-002", "v1-001"]
    soon = prune.Rules(gfs.Keep(last=1), moment(text(history.now)), failed_days=3)
    fates = {fate.backup.id: fate.why for fate in prune.decide(history.shown(), soon).fates}
    assert fates["v1-003"] == ("it was refuted, and is younger than 3 days",)


def test_what_stands_on_a_refuted_one_is_no_good_unless_it_was_proven_later() -> None:
    history = chain_of(ours="111")
    first, second = history.backups["v1-001"], history.backups["v1-002"]
    history.backups[first.id] = dataclasses.replace(first, metadata={**first.metadata, model.REFUTED: "2025-11-01"})
    (chain,) = chains.build(history.shown())
    assert chains.sound(chain) == []
    history.backups[second.id] = dataclasses.replace(second, metadata={**second.metadata, model.PROVEN: "2025-11-02"})
    (chain,) = chains.build(history.shown())
    assert [one.id for one in chains.sound(chain)] == ["v1-002", "v1-003"]


def test_what_stands_on_a_refuted_one_has_days_from_the_verdict_on() -> None:
    history = chain_of(ours="111")
    first = history.backups["v1-001"]
    history.wait(days=30)
    history.backups[first.id] = dataclasses.replace(
        first, metadata={**first.metadata, model.REFUTED: text(history.now)}
    )
    history.take(full=True)
    rules = prune.Rules(gfs.Keep(last=1), moment(text(history.now)), failed_days=7)
    decision = prune.decide(history.shown(), rules)
    assert decision.going == ()
    why = {fate.backup.id: fate.why[0] for fate in decision.fates}
    assert why["v1-003"] == "what it stands on was refuted, and is younger than 7 days"
    history.wait(days=8)
    rules = prune.Rules(gfs.Keep(last=1), moment(text(history.now)), failed_days=7)
    assert {one.id for one in prune.decide(history.shown(), rules).going} == {"v1-001", "v1-002", "v1-003"}


@pytest.mark.parametrize("objects", [0, 3])
def test_a_failed_one_beside_a_good_one_of_a_snapshot_stays_with_the_ceph_driver(objects: int) -> None:
    old = {"volume": "v", "size": 1, "metadata": {model.RUN: "r"}, "project": "p"}
    days = [f"2026-01-0{day}T00:00:00" for day in (1, 2, 3)]
    failed = Backup("f", status="error", snapshot="s2", taken=days[1], created=days[1], **old)
    good = [
        Backup(name, status="available", snapshot=of, taken=day, created=day, objects=objects, **old)
        for name, of, day in (("g", "s1", days[0]), ("n", "", days[2]))
    ]
    found = decide([good[0], failed, good[1]], gfs.Keep(last=2))
    assert [one.id for one in found.going] == ([] if not objects else ["f"])
    (fate,) = [one for one in found.fates if one.backup.id == "f"]
    assert ("the Ceph driver could remove the bytes of backup g with it" in fate.why) == (not objects)


def test_one_that_cinder_works_on_stays_and_holds() -> None:
    history = chain_of(ours="11")
    history.take(True, status="creating")
    history.wait(days=1)
    history.take()
    decision = decide(history.shown(), gfs.Keep(last=1))
    why = {fate.backup.id: fate.why for fate in decision.fates}
    assert decision.going == ()
    assert why["v1-003"] == ("it is creating",)
    assert why["v1-002"] == ("backup b3 (v1-003) stands on it",)


@pytest.mark.parametrize("admin", [True, False])
def test_records_settle_what_is_not_sure(admin: bool) -> None:
    """Two at once: the third may stand on the second for all that is shown."""
    history = History()
    for number in range(3):
        history.take(number > 0, status="creating" if number == 1 else "available")
        history.wait(minutes=1)
    history.backups["v1-002"] = dataclasses.replace(history.backups["v1-002"], status="available")
    assert history.parents["v1-003"] == "v1-001"
    fake = into(FakeCinder(), history)
    fake.admin = admin
    done = run(fake, records=True)
    assert (done.failed, bool(done.warnings)) == ("", not admin)
    assert [one["id"] for one in done.values["deleted"]] == (["v1-002"] if admin else [])


# Lists of digests.


class Bytes:
    """A stream of some bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = io.BytesIO(data)

    def blocks(self, size: int) -> Any:
        return iter(lambda: self.data.read(size), b"")


def write_list(folder: Path, volume: str, data: bytes, days: float = 30.0, project: str = "p1") -> str:
    """A list that was written some days ago; its digest."""
    made = blocks.take(Bytes(data * 4096), volume, len(data) * 4096, str(folder), block=4096, project=project)
    then = LATE.timestamp() - days * 86400
    os.utime(made.path, (then, then))
    return made.root


def with_lists(folder: Path) -> tuple[FakeCinder, dict[str, str]]:
    """Three backups of a volume of which the newest stays, and lists: theirs, and some that nobody names."""
    fake = FakeCinder()
    fake.add_volume("v")
    roots = {name: write_list(folder, "v", name.encode()) for name in ("a", "b", "c", "n", "f")}
    for name in "abc":
        fake.add_backup(name, "v", metadata={model.RUN: "r", model.DIGEST: roots[name]})
        fake.pass_by(days=1)
    fake.add_backup("hand", "v", metadata={model.DIGEST: roots["f"]})
    roots["y"] = write_list(folder, "v", b"y", days=6.9)
    roots["o"] = write_list(folder, "other", b"o")
    return fake, roots


def left(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


def names(roots: dict[str, str], which: str) -> set[str]:
    return {roots[one].replace(":", "-") + ".blocks" for one in which}


def test_lists_that_no_backup_names_any_more_go_with_the_backups(tmp_path):
    fake, roots = with_lists(tmp_path)
    seen = run(fake, check=True, digests=str(tmp_path))
    assert (fake.writes, left(tmp_path)) == ([], names(roots, "abcnfyo"))
    done = run(fake, digests=str(tmp_path))
    assert (done.failed, done.plan.digest, done.steps_done) == ("", seen.plan.digest, 5)
    assert left(tmp_path) == names(roots, "cfyo")
    assert set(fake.backups) == {"c", "hand"}
    paths = {name: sorted(str(tmp_path / one) for one in names(roots, name)) for name in ("abn", "y", "o")}
    expected = {"removed": paths["abn"], "young": paths["y"], "unknown": paths["o"], "failed": {}}
    assert done.values["lists"] == seen.values["lists"] == expected
    again = run(fake, digests=str(tmp_path))
    assert (again.changed, again.plan.steps) == (False, ())
    assert run(fake, digests=str(tmp_path), digests_days=1).values["lists"]["removed"] == paths["y"]


def test_without_the_option_no_list_is_looked_at(tmp_path):
    fake, roots = with_lists(tmp_path)
    assert run(fake).values["lists"] == {"removed": [], "young": [], "unknown": [], "failed": {}}
    assert left(tmp_path) == names(roots, "abcnfyo")


def test_only_files_that_are_lists_of_ours_are_touched(tmp_path):
    fake, _roots = with_lists(tmp_path / "real")
    folder, outside = tmp_path / "odd", tmp_path / "outside"
    folder.mkdir()
    outside.write_text("{}", encoding="utf-8")
    text = (tmp_path / "real" / next(iter(left(tmp_path / "real")))).read_bytes()
    odd = ["sha256-" + "0" * 63 + ".blocks", "sha256-" + "0" * 64 + ".blocks.bak", "notes", "sha256:" + "0" * 64]
    for name in odd:
        (folder / name).write_bytes(text)
    (folder / ("sha256-" + "1" * 64 + ".blocks")).write_text('{"format": "something"}\n', encoding="utf-8")
    (folder / ("sha256-" + "2" * 64 + ".blocks")).symlink_to(outside)
    (folder / ("sha256-" + "3" * 64 + ".blocks")).mkdir()
    (folder / ("sha256-" + "4" * 64 + ".blocks")).write_bytes(b"")
    for one in folder.iterdir():
        os.utime(one, (0, 0))
    before = left(folder)
    assert run(fake, digests=str(folder)).values["lists"]["removed"] == []
    assert left(folder) == before


def test_no_list_goes_when_a_backup_could_not_be_removed(tmp_path):
    fake, roots = with_lists(tmp_path)

    def hook(method: str, path: str) -> None:
        if (method, path) == ("DELETE", "/backups/b"):
            raise cloud_model.CloudError("the store is read-only", status=500)

    fake.hook = hook
    done = run(fake, digests=str(tmp_path))
    assert "the store is read-only" in done.failed
    assert done.values["lists"]["removed"] == []
    assert left(tmp_path) == names(roots, "abcnfyo")
    fake.hook = lambda _method, _path: None
    assert run(fake, digests=str(tmp_path)).failed == ""
    assert left(tmp_path) == names(roots, "cfyo")


def test_a_list_that_a_backup_names_meanwhile_or_that_is_written_anew_stays(tmp_path):
    fake, roots = with_lists(tmp_path)

    def hook(method: str, path: str) -> None:
        if method == "DELETE" and "late" not in fake.backups:
            fake.add_backup("late", "v", metadata={model.DIGEST: roots["n"]})
            write_list(tmp_path, "v", b"a", days=0)

    fake.hook = hook
    done = run(fake, digests=str(tmp_path))
    assert (done.failed, left(tmp_path)) == ("", names(roots, "acnfyo"))


def test_a_folder_that_is_not_there_is_refused_before_anything_is_removed(tmp_path):
    fake, _roots = with_lists(tmp_path)
    with pytest.raises(InputError, match=r"digests: .*nowhere cannot be read"):
        run(fake, digests=str(tmp_path / "nowhere"))
    assert fake.writes == []


def test_a_list_that_cannot_be_removed_is_told(tmp_path, monkeypatch):
    fake, roots = with_lists(tmp_path)

    def refused(_one: lists.Listed) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(lists, "_removed", refused)
    done = run(fake, digests=str(tmp_path))
    assert "was not removed: Permission denied" in done.failed
    assert (len(done.values["lists"]["failed"]), left(tmp_path)) == (3, names(roots, "abcnfyo"))


@pytest.mark.parametrize("project", ["p2", ""], ids=["another", "unsaid"])
def test_a_list_that_was_written_for_another_projects_backup_stays(tmp_path, project):
    """An administrator's run backs up a member's volume: its backups are in a project that the member does not see."""
    fake, roots = with_lists(tmp_path)
    theirs = write_list(tmp_path, "v", b"n", project=project)
    done = run(fake, digests=str(tmp_path))
    assert left(tmp_path) == names({**roots, "t": theirs}, "cfyot")
    assert [os.path.basename(one) for one in done.values["lists"]["unknown"]] == sorted(
        names({**roots, "t": theirs}, "ot")
    )


def test_only_lists_of_the_volumes_that_are_asked_for_go(tmp_path):
    fake, roots = with_lists(tmp_path)
    fake.add_volume("other")
    assert names(roots, "o") <= {
        os.path.basename(one) for one in run(fake, True, digests=str(tmp_path)).values["lists"]["removed"]
    }
    run(fake, digests=str(tmp_path), volumes=["other"])
    assert left(tmp_path) == names(roots, "abcnfy")
