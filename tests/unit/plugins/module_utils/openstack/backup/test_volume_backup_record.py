# SPDX-License-Identifier: Apache-2.0
"""Records go out and come back as they were: parents first, once, into the right project, and never by halves."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import model as cloud_model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.plugins.modules import volume_backup_record
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import FakeCinder
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.histories import (
    History,
    grown,
    into,
)


def run(fake: FakeCinder, state: str, path: Path, check: bool = False, **options: Any) -> Result:
    defaults = {name: spec.get("default") for name, spec in volume_backup_record.ARGUMENTS.items()}
    given = {**defaults, "state": state, "path": str(path), "max_parallel": 1, **options}
    clock = {"clock": fake.clock, "sleep": fake.sleep}
    return volume_backup_record.main(given, check, connect=lambda *_a, **_m: fake, **clock)


def admin(*histories: History) -> FakeCinder:
    fake = FakeCinder()
    fake.admin, fake.quota = True, {"maxTotalBackups": -1, "maxTotalBackupGigabytes": -1}
    for history in histories:
        into(fake, history)
    return fake


def chain_of(number: int = 3, volume: str = "v1", project: str = "p1") -> History:
    history = History(volume, project)
    for count in range(number):
        history.take(count > 0, **{model.PROVEN: "2025-10-02"})
        history.wait(days=1)
    return history


@pytest.mark.parametrize("round", range(10))
def test_what_was_lost_comes_back_as_it_was(round: int, tmp_path: Path) -> None:
    history, path = grown(random.Random(round), 20), tmp_path / "records.json"
    fake = admin(history)
    done = run(fake, "exported", path)
    good = sorted(one.id for one in history.backups.values() if one.available)
    assert (done.failed, done.changed, done.values["records"]) == ("", True, good)
    assert {one["id"]: one["reason"] for one in done.values["omitted"]} == {
        key: "it is error" for key in history.backups if key not in good
    }
    empty = admin()
    predicted = run(empty, "imported", path, check=True)
    assert empty.writes == []
    again = run(empty, "imported", path)
    assert (again.failed, again.values["imported"]) == ("", good)
    assert again.plan.digest == predicted.plan.digest
    for key in good:
        new, old = empty.backups[key], fake.backups[key]
        for name in ("volume_id", "data_timestamp", "created_at", "metadata", "name", "is_incremental"):
            assert new[name] == old[name], (key, name)
    assert empty.parents == {key: parent for key, parent in history.parents.items() if key in good}
    order = list(empty.backups)
    assert all(order.index(parent) < order.index(key) for key, parent in empty.parents.items())
    began = len(empty.writes)
    assert not run(empty, "imported", path).changed
    assert len(empty.writes) == began


def test_the_same_records_are_not_written_again(tmp_path: Path) -> None:
    path, fake = tmp_path / "records.json", admin(chain_of())
    assert run(fake, "exported", path, check=True).changed
    assert not path.exists()
    run(fake, "exported", path)
    before = path.read_text(encoding="utf-8")
    fake.pass_by(days=3)  # what passes in a record (updated_at) is other now
    assert not run(fake, "exported", path).changed
    assert path.read_text(encoding="utf-8") == before
    fake._drop("v1-003")
    fake.backups["v1-002"]["status"] = "restoring"
    done = run(fake, "exported", path)
    assert done.changed
    # What is there and cannot be exported now keeps its old record; what is gone has none.
    assert done.values["records"] == ["v1-001", "v1-002"]


def test_a_member_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    fake = into(FakeCinder(), chain_of())
    done = run(fake, "exported", tmp_path / "records.json")
    assert (done.failed, done.changed) == ("", False)
    assert done.values["omitted"] == [{"id": "", "reason": "records of backups are for administrators"}]
    assert list(tmp_path.iterdir()) == []
    assert len([path for _method, path in fake.requests if "export_record" in path]) == 1


def test_a_parent_without_a_record_fails_its_children_alone(tmp_path: Path) -> None:
    path, history = tmp_path / "records.json", chain_of()
    fake = admin(history, chain_of(1, "v2"))
    fake.backups["v1-001"]["status"] = "restoring"
    run(fake, "exported", path)
    empty = admin()
    done = run(empty, "imported", path)
    assert done.values["imported"] == ["v2-001"]
    assert "backup v1-002: it stands on v1-001, which neither is there nor has a usable record" in done.failed
    assert "backup v1-003: it stands on v1-002" in done.failed


def test_records_of_other_projects_are_left_out_unless_they_are_this_one_now(tmp_path: Path) -> None:
    path = tmp_path / "records.json"
    run(admin(chain_of(), chain_of(2, "v2", "p-old")), "exported", path, all_projects=True)
    empty = admin()
    done = run(empty, "imported", path)
    assert (done.failed, len(done.values["imported"])) == ("", 3)
    assert done.values["omitted"][0] == {
        "id": "v2-001",
        "reason": "it belongs to the project p-old, and the token to p1",
    }
    done = run(empty, "imported", path, projects={"p-old": "p1"})
    assert (done.values["imported"], done.values["present"]) == (["v2-001", "v2-002"], ["v1-001", "v1-002", "v1-003"])


def test_what_does_not_fit_is_refused_before_the_first(tmp_path: Path) -> None:
    path, empty = tmp_path / "records.json", admin()
    run(admin(chain_of()), "exported", path)
    empty.quota = {"maxTotalBackups": 2, "maxTotalBackupGigabytes": 2}
    with pytest.raises(InputError, match="3 are needed, maxTotalBackups is 2 and 0 are used; 3 are needed, maxTotalB"):
        run(empty, "imported", path)
    assert empty.writes == []


@pytest.mark.parametrize("place", range(0, 1500, 97))
def test_a_damaged_file_is_refused(place: int, tmp_path: Path) -> None:
    path, empty = tmp_path / "records.json", admin()
    run(admin(chain_of()), "exported", path)
    content = path.read_text(encoding="utf-8")
    place %= len(content)
    flipped = "x" if content[place] != "x" else "y"
    path.write_text(content[:place] + flipped + content[place + 1 :], encoding="utf-8")
    if content[place].isspace():
        return  # JSON does not mind where
    with pytest.raises(InputError):
        run(empty, "imported", path)
    assert empty.requests == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "other", "records": []}', "\x00"])
def test_something_else_is_neither_read_nor_written_over(content: str, tmp_path: Path) -> None:
    path = tmp_path / "records.json"
    path.write_text(content, encoding="utf-8")
    for state in ("imported", "exported"):
        with pytest.raises(InputError, match="holds no records of backups"):
            run(admin(chain_of()), state, path)
    assert path.read_text(encoding="utf-8") == content
    with pytest.raises(InputError, match="cannot be read"):
        run(admin(), "imported", tmp_path / "missing")


@pytest.mark.parametrize("moment", ["before", "lose"])
def test_a_lost_answer_imports_once(moment: str, tmp_path: Path) -> None:
    path, empty, lost = tmp_path / "records.json", admin(), []
    run(admin(chain_of()), "exported", path)

    def hook(method: str, path: str) -> str | None:
        if method == "POST" and len(lost) < 2:
            lost.append(path)
            if moment == "lose":
                return "lose"
            raise cloud_model.UnreachableError("broken", status=503)
        return None

    empty.hook = hook
    done = run(empty, "imported", path)
    assert (done.failed, done.steps_done, len(lost)) == ("", 3, 2)


def test_another_driver_fails_with_cinders_reason_and_ends_its_chain(tmp_path: Path) -> None:
    path, empty = tmp_path / "records.json", admin()
    run(admin(chain_of()), "exported", path)
    empty.driver = "cinder.backup.drivers.s3.S3BackupDriver"
    done = run(empty, "imported", path)
    assert "backup v1-001: backup b1 (v1-001) was not imported: Import record failed" in done.failed
    assert "backup v1-003: it stands on v1-002, which was not imported" in done.failed
    assert list(empty.backups) == ["v1-001"]
    # A second run says what is there instead of trying for ever.
    assert "backup v1-001: it is there and error: Import record failed" in run(empty, "imported", path).failed


def test_the_file_can_be_read_by_people(tmp_path: Path) -> None:
    path = tmp_path / "records.json"
    run(admin(chain_of(2)), "exported", path)
    first, second = json.loads(path.read_text(encoding="utf-8"))["records"]
    assert (first["id"], first["parent"], second["parent"]) == ("v1-001", None, "v1-001")
    assert (first["volume"], first["project"], first["size"]) == ("v1", "p1", 1)
