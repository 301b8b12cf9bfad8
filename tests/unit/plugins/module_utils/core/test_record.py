# SPDX-License-Identifier: Apache-2.0
"""The run record: what is there after a crash, and who may write."""

from __future__ import annotations

import json
import os
import stat

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError, LockedError
from ansible_collections.scs.landscape.plugins.module_utils.core.record import RunRecord, write_atomic


@pytest.fixture
def record(tmp_path):
    return RunRecord(str(tmp_path / "record"), "landscape_docs")


def test_nothing_is_remembered_at_first(record):
    assert record.load() == {}
    assert not record.is_locked()


def test_what_is_saved_is_loaded_by_another_run(record):
    with record.locked():
        record.save({"files": {"a": "1"}})
    assert RunRecord(record.folder, "landscape_docs").load() == {"owner": "landscape_docs", "files": {"a": "1"}}
    assert RunRecord(record.folder, "landscape_render").load() == {}


def test_the_lock_is_gone_afterwards_also_after_an_error(record):
    def work():
        with record.locked():
            assert record.is_locked()
            raise KeyError("the work failed")

    with pytest.raises(KeyError, match="the work failed"):
        work()
    assert not record.is_locked()
    assert os.listdir(record.folder) == []


def test_a_second_run_waits_and_then_names_the_first(record):
    with record.locked(), pytest.raises(LockedError, match=f"held by landscape_docs .*{os.getpid()}"):
        with RunRecord(record.folder, "landscape_render").locked(patience=0.1):
            pytest.fail("two runs held the lock")


@pytest.mark.parametrize(("content", "message"), [("{", "cannot be read"), ("[]", "no JSON object")])
def test_a_record_that_cannot_be_understood_is_not_guessed(record, content, message):
    os.makedirs(record.folder)
    with open(record.path, "w", encoding="utf-8") as stream:
        stream.write(content)
    with pytest.raises(LandscapeError, match=message):
        record.load()


def refuse(*_arguments):
    raise OSError(28, "No space left on device")


def test_a_failed_save_leaves_the_old_record(record, monkeypatch):
    with record.locked():
        record.save({"files": {"a": "1"}})
        monkeypatch.setattr(os, "replace", refuse)
        with pytest.raises(OSError, match="No space left"):
            record.save({"files": {}})
    assert record.load()["files"] == {"a": "1"}
    assert sorted(os.listdir(record.folder)) == ["landscape_docs.json"]


def test_an_existing_mode_is_kept_and_a_new_file_gets_the_one_asked_for(tmp_path):
    path = tmp_path / "secret.conf"
    write_atomic(str(path), "1", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_atomic(str(path), "2")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("2", 0o600)


def test_the_content_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    order = []
    real_fsync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("fsync"), real_fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("replace"), real_replace(a, b)))
    write_atomic(str(tmp_path / "f"), json.dumps({}))
    assert order == ["fsync", "replace", "fsync"]
