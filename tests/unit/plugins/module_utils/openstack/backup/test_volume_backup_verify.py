# SPDX-License-Identifier: Apache-2.0
"""volume_backup_verify on a Cinder in memory: exactly the wrong backup is named, and no scratch volume stays."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import model as cloud_model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import (
    chains,
    manifest,
    model,
    readers,
    volumes,
)
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import owner
from ansible_collections.scs.landscape.plugins.modules import volume_backup_verify as module
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import Killed
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_restores import (
    BLOCK,
    GIB,
    FakeReader,
    FakeRestores,
)


class Bench:
    """Two chains: b1 and b3 on v1, b2 on v2."""

    def __init__(self, folder: Path, monkeypatch, metadata: dict[str, str]) -> None:
        self.fake, self.folder = FakeRestores(), folder
        self.reader: Any = FakeReader(self.fake)
        monkeypatch.setattr(readers, "reader_of", lambda _options: self.reader)
        self.fake.add_volume("v1", volume_type="ssd", metadata=metadata)
        self.fake.add_volume("v2", metadata=metadata)
        self.fake.back_up("b1", "v1", b"one", str(folder))
        self.fake.back_up("b2", "v2", b"two" * BLOCK, str(folder))
        self.fake.back_up("b3", "v1", b"three", str(folder), parent="b1")

    def run(self, check: bool = False, **more: Any):
        given = {"digests": str(self.folder), "reader": {"kind": "file", "path": "/{id}"}, **more}
        checked = ArgumentSpecValidator(module.ARGUMENTS).validate(given)
        assert not checked.error_messages, checked.error_messages
        return module.main(checked.validated_parameters, check, self.fake.connect, self.fake.patience())

    def endings(self, done) -> dict[str, str]:
        return {one["backup"]: one["status"] for one in done.values["verified"]}

    def marks(self, key: str) -> list[str]:
        return sorted(name for name, one in self.fake.backups.items() if key in one["metadata"])

    def left(self) -> list[str]:
        return sorted(set(self.fake.volumes) - {"v1", "v2"})

    def list_file(self, backup: str) -> Path:
        return self.folder / manifest.name_of(self.fake.backups[backup]["metadata"][model.DIGEST])


@pytest.fixture(params=[False, True], ids=["plain", "marked"])
def bench(tmp_path, monkeypatch, request):
    """Sources have metadata of their own or not: a restore puts them in the place of those of its target."""
    return Bench(tmp_path, monkeypatch, {"who": "somebody"} if request.param else {})


def test_the_newest_of_every_chain_is_proven_once_in_a_period(bench):
    planned = bench.run(check=True)
    assert bench.fake.writes == []
    assert [one["predicted"] for one in planned.values["verified"]] == [True, True]
    done = bench.run()
    assert bench.endings(done) == {"b3": "proven", "b2": "proven"}
    assert [one["backup"] for one in done.values["verified"]] == ["b3", "b2"]
    assert (done.failed, done.changed, done.steps_done) == ("", True, 2)
    assert done.plan.digest == planned.plan.digest
    assert (bench.marks(model.PROVEN), bench.marks(model.REFUTED), bench.left()) == (["b2", "b3"], [], [])
    assert bench.fake.backups["b3"]["metadata"][model.RUN] == "r1"
    before = len(bench.fake.writes)
    again = bench.run()
    assert (again.changed, len(bench.fake.writes), again.values["verified"]) == (False, before, [])
    assert all("proven on 2026-03-01T" in one["reason"] for one in again.values["omitted"])
    bench.fake.pass_by(days=31)
    assert bench.endings(bench.run()) == {"b3": "proven", "b2": "proven"}


def test_scratch_volumes_have_the_type_of_their_source(bench):
    kinds = []
    bench.fake.hook = lambda _method, _path: kinds.extend(
        (one["name"], one["volume_type"]) for one in bench.fake.volumes.values() if "scratch" in one["name"]
    )
    bench.run()
    assert set(kinds) == {("scs-landscape-scratch-b3", "ssd"), ("scs-landscape-scratch-b2", "__DEFAULT__")}
    assert bench.fake.most_volumes <= 2


@pytest.mark.parametrize(
    ("arrange", "ending", "sentence"),
    [
        (
            lambda fake: fake.damaged.update(b2=b"twO" * BLOCK),
            "refuted",
            "3 of 16384 blocks of 64 KiB are not what was",
        ),
        (lambda fake: fake.damaged.update(b2=b""), "refuted", "3 of 16384 blocks"),
        (lambda fake: fake.damaged.update(b2=b"two" * BLOCK + b"!"), "refuted", "1 of 16384 blocks"),
        (
            lambda fake: fake.lengths.update(b2=3 * BLOCK),
            "refuted",
            "ends after 196608 bytes, and 1073741824 are wanted",
        ),
        (lambda fake: fake.lengths.update(b2=2 * GIB), "refuted", "is longer than 1073741824 bytes"),
        (lambda fake: fake.ends.extend(["", "error_restoring", "error_restoring"]), "unrestorable", "(2 times)"),
        (lambda fake: fake.ends.extend(["", "error"]), "failed", "was not restored: volume"),
        (lambda fake: fake.ends.extend(["", "error_restoring"]), "proven", ""),
    ],
    ids=["other", "zeroes", "more", "short", "long", "unrestorable", "unmade", "second-try"],
)
def test_exactly_the_wrong_backup_is_named(bench, arrange, ending, sentence):
    arrange(bench.fake)
    done = bench.run(max_parallel=1)
    assert bench.endings(done) == {"b3": "proven", "b2": ending}
    assert sentence in done.failed
    assert ("b3" in done.failed, bool(done.failed)) == (False, bool(sentence))
    assert bench.marks(model.REFUTED) == (["b2"] if ending == "refuted" else [])
    assert bench.marks(model.UNRESTORABLE) == (["b2"] if ending == "unrestorable" else [])
    assert bench.marks(model.PROVEN) == (["b2", "b3"] if ending == "proven" else ["b3"])
    assert bench.left() == []


def test_an_outage_is_not_written_down_as_the_fault_of_backups(bench):
    bench.fake.ends.extend(["error_restoring"] * 4)
    done = bench.run(max_parallel=1)
    assert bench.endings(done) == {"b3": "failed", "b2": "failed"}
    assert "no other one could be restored either" in done.failed
    assert (bench.marks(model.UNRESTORABLE), bench.marks(model.REFUTED)) == ([], [])
    assert bench.endings(bench.run()) == {"b3": "proven", "b2": "proven"}


def test_the_only_one_that_could_not_be_restored_is_said_so_until_it_can(bench):
    bench.fake.ends.extend(["error_restoring"] * 2)
    assert bench.endings(bench.run(backups=["b2"])) == {"b2": "unrestorable"}
    assert bench.marks(model.UNRESTORABLE) == ["b2"]
    told = chains.fault(model.backup_of(bench.fake.backups["b2"]))
    assert told.startswith("could not be restored, on 20")
    assert bench.endings(bench.run(backups=["b2"])) == {"b2": "proven"}
    assert chains.fault(model.backup_of(bench.fake.backups["b2"])) == ""


def test_what_was_refuted_is_tried_again_and_may_be_proven(bench):
    bench.fake.damaged["b3"] = b"wrong"
    assert bench.endings(bench.run())["b3"] == "refuted"
    bench.fake.damaged.clear()
    assert bench.endings(bench.run()) == {"b3": "proven"}
    assert bench.run().changed is False


@pytest.mark.parametrize(
    ("arrange", "sentence"),
    [
        (lambda bench: bench.list_file("b2").unlink(), "is missing"),
        (lambda bench: bench.list_file("b2").write_bytes(b""), "is damaged"),
        (
            lambda bench: bench.list_file("b2").write_bytes(bench.list_file("b1").read_bytes()),
            "is that of another backup",
        ),
        (lambda bench: bench.fake.backups["b2"].update(size=2), "is of another size"),
    ],
    ids=["missing", "damaged", "other", "size"],
)
def test_a_list_that_cannot_be_used_is_no_verdict(bench, arrange, sentence):
    arrange(bench)
    done = bench.run()
    assert bench.endings(done) == {"b3": "proven", "b2": "failed"}
    assert sentence in done.failed
    assert "backup b2" in done.failed
    assert bench.marks(model.PROVEN) + bench.marks(model.REFUTED) == ["b3"]
    assert bench.left() == []


def test_a_volume_that_cannot_be_read_is_no_verdict(bench):
    class Blind:
        def open(self, subject: readers.Subject) -> Any:
            raise LandscapeError(f"volumes/volume-{subject.volume} cannot be read: rbd ended with 2")

    bench.reader = Blind()
    done = bench.run()
    assert set(bench.endings(done).values()) == {"failed"}
    assert "cannot be read: rbd ended with 2" in done.failed
    assert bench.marks(model.PROVEN) + bench.marks(model.REFUTED) + bench.left() == []


def test_named_backups_and_what_cannot_be_proven(bench):
    assert bench.endings(bench.run(backups=["b1", "b1"])) == {"b1": "proven"}
    assert bench.run(backups=["b1"]).changed is False
    assert bench.endings(bench.run(backups=["b1"], period_days=0)) == {"b1": "proven"}
    bench.fake.add_backup("b4", "v2", status="error")
    bench.fake.add_backup("b5", "v2")
    with pytest.raises(InputError) as caught:
        bench.run(backups=["b4", "b5", "b9"])
    for sentence in ("cannot be restored: it is error", "no digests were taken when it was made", "b9 is not there"):
        assert sentence in str(caught.value)


def test_samples_are_bounded_and_foreign_chains_are_left_alone(bench):
    bench.fake.add_volume("v3")
    bench.fake.add_backup("f1", "v3")
    bench.fake.add_volume("v4")
    bench.fake.add_backup("n1", "v4", metadata={model.RUN: "r1"})
    done = bench.run(limit=1)
    assert bench.endings(done) == {"b3": "proven"}
    reasons = {one["backup"]: one["reason"] for one in done.values["omitted"]}
    assert reasons == {"b2": "1 in one run are enough", "n1": "no digests were taken in this chain"}
    assert bench.endings(bench.run(limit=1)) == {"b2": "proven"}
    assert bench.endings(bench.run(volumes=["v2"], period_days=0)) == {"b2": "proven"}


def test_only_backups_of_a_policy_are_proven(bench):
    bench.fake.backups["b2"]["metadata"][model.POLICY] = "gold"
    assert bench.endings(bench.run(policies=["tin"])) == {}
    assert bench.endings(bench.run(policies=["gold"])) == {"b2": "proven"}
    # A chain of two policies: the newest member of this one.
    bench.fake.backups["b1"]["metadata"][model.POLICY] = "silver"
    assert bench.endings(bench.run(policies=["silver"])) == {"b1": "proven"}


def test_the_quota_is_looked_at_first_with_its_numbers(bench):
    bench.fake.quota["maxTotalVolumes"] = 3
    with pytest.raises(InputError, match="2 volumes more do not fit: 2 of 3 are used"):
        bench.run()
    assert bench.fake.writes == []
    assert bench.run(max_parallel=1).failed == ""
    assert bench.fake.most_volumes == 1


def gone_process() -> str:
    """The mark of a process of this machine that has ended."""
    code = (
        "from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import volumes;"
        "print(volumes.scratch_mark(1e9, 0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    return done.stdout.strip()[len(volumes.SCRATCH) :]


def test_what_a_killed_run_left_goes_and_what_others_use_stays(bench):
    now = bench.fake.clock()
    mark = {
        "dead": gone_process(),
        "late": f"other/x/1 1 1 1 {int(now) - 1}",
        "busy": f"other/x/1 1 1 1 {int(now) + 9999}",
    }
    for name, value in mark.items():
        bench.fake.add_volume(name, name=f"{volumes.PREFIX}x", description=volumes.SCRATCH + value)
    living = f"{owner.mark().split(' ')[0]} {os.getppid()} {owner.started(os.getppid())} 1 {int(now) + 9999}"
    bench.fake.add_volume("alive", name=f"{volumes.PREFIX}y", description=volumes.SCRATCH + living)
    bench.fake.add_volume("users", name="data", description=volumes.SCRATCH + mark["dead"])
    bench.fake.add_volume("odd", name=f"{volumes.PREFIX}z", description=volumes.SCRATCH + "words of somebody")
    planned = bench.run(check=True)
    assert sorted(planned.values["orphans"]) == ["dead", "late"]
    assert bench.fake.writes == []
    assert bench.run().failed == ""
    assert bench.left() == ["alive", "busy", "odd", "users"]


@pytest.mark.slow
@pytest.mark.parametrize("when", range(0, 24, 2))
def test_a_run_that_is_killed_anywhere_leaves_nothing_behind_the_next_one(bench, when, monkeypatch):
    dead = gone_process()
    monkeypatch.setattr(volumes, "scratch_mark", lambda _within, _now: volumes.SCRATCH + dead)
    seen = []

    def kill(method: str, path: str) -> str | None:
        seen.append(path)
        if len(seen) > when:
            raise Killed
        return None

    bench.fake.hook = kill
    with pytest.raises(Killed):
        bench.run(max_parallel=1, period_days=0)
    bench.fake.hook = lambda _method, _path: None
    assert bench.run(max_parallel=1).failed == ""
    assert bench.left() == []
    assert bench.marks(model.PROVEN) == ["b2", "b3"]


@pytest.mark.parametrize("late", [False, True], ids=["early", "late"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_an_answer_that_is_lost_leaves_no_volume_and_no_wrong_verdict(bench, method, late):
    lost = []

    def lose(verb: str, path: str) -> str | None:
        if verb == method and not lost:
            lost.append(path)
            if late:
                return "lose"
            raise cloud_model.UnreachableError("cut")
        return None

    bench.fake.hook = lose
    done = bench.run()
    assert len(lost) == 1
    assert bench.left() == []
    if method == "PUT":  # repeated by the client itself; here nobody does
        assert sorted(bench.endings(done).values()) == ["failed", "proven"]
        bench.run()
    else:
        assert done.failed == ""
    assert bench.marks(model.PROVEN) == ["b2", "b3"]


def test_a_scratch_volume_that_cannot_be_removed_is_told_beside_the_verdict(bench):
    stubborn = bench.fake._delete
    bench.fake._delete = lambda *_given: (400, {"badRequest": {"message": "no"}})
    done = bench.run()
    assert set(bench.endings(done).values()) == {"proven"}
    assert done.failed.count("cannot be removed: it is available") >= 2
    bench.fake._delete = stubborn


def test_marks_that_others_write_meanwhile_stay(bench):
    def write(method: str, path: str) -> None:
        if method == "DELETE":
            bench.fake.backups["b3"]["metadata"]["note"] = "mine"

    bench.fake.hook = write
    bench.run()
    assert bench.fake.backups["b3"]["metadata"]["note"] == "mine"


def test_a_backup_that_is_removed_meanwhile_is_no_verdict(bench):
    def drop(method: str, path: str) -> None:
        if method == "DELETE":
            bench.fake.backups.pop("b2", None)

    bench.fake.hook = drop
    done = bench.run(backups=["b2"])
    assert bench.endings(done) == {"b2": "failed"}
    assert "was removed while it was proven" in done.failed


def test_dates_are_those_of_the_wall(bench):
    bench.run()
    said = bench.fake.backups["b2"]["metadata"][model.PROVEN]
    assert abs(model.moment(said) - bench.fake.now) < datetime.timedelta(minutes=5)
