# SPDX-License-Identifier: Apache-2.0
"""A run begins and ends, one at a time; what a killed one leaves is no obstacle."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError, LockedError
from ansible_collections.scs.landscape.plugins.module_utils.landscape import run


def begin(folder, **options):
    def now():
        return datetime.datetime(2026, 11, 21, 13, 12, 13, tzinfo=datetime.timezone.utc)

    return run.begin("lab_deploy", str(folder), ["lab"], **{"hold": True, "now": now, **options})


def test_a_run_has_a_name_and_gives_its_lock_back(tmp_path):
    begun = begin(tmp_path / "state")
    assert begun["id"].startswith("2026-11-21T13-12-13-lab_deploy-")
    assert os.path.exists(begun["lock"])
    assert run.end(begun)
    assert os.listdir(tmp_path / "state") == []
    assert not run.end(begun)


def test_a_second_run_is_told_in_one_sentence(tmp_path):
    begin(tmp_path)
    with pytest.raises(LockedError, match=r"Another deployment of this landscape is under way: .*lab_deploy") as error:
        begin(tmp_path)
    assert "nothing was changed" in str(error.value)


def test_a_run_that_only_looks_takes_no_lock(tmp_path):
    begin(tmp_path)
    looking = begin(tmp_path, hold=False)
    assert not looking["lock"]
    assert not run.end(looking)


def test_the_lock_of_a_dead_process_is_over(tmp_path, monkeypatch):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    monkeypatch.setattr(run, "playbook_process", lambda: child.pid)
    first = begin(tmp_path)
    monkeypatch.undo()
    second = begin(tmp_path)
    assert not run.end(first)
    assert run.end(second)


def test_two_paths_to_one_landscape_have_one_lock(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    assert run.lock_path("f", [str(tmp_path)]) == run.lock_path("f", [str(tmp_path / "link")])
    assert run.lock_path("f", [str(tmp_path)]) != run.lock_path("f", [str(tmp_path / "other")])


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LandscapeError, match="cannot be taken"):
        begin(tmp_path / "file" / "below")


@pytest.mark.parametrize("wrong", [None, {}, "run", []])
def test_what_is_no_run_cannot_end(wrong):
    with pytest.raises(InputError, match="not what the start of a run returned"):
        run.end(wrong)


def test_the_default_folder_follows_the_standard(monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert run.default_folder() == "/state/scs-landscape"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/x")
    assert run.default_folder() == "/home/x/.local/state/scs-landscape"


def process(proc, pid, parent, *words):
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "cmdline").write_bytes(b"\0".join(word.encode() for word in words) + b"\0")
    (proc / str(pid) / "stat").write_text(f"{pid} (a) b) S {parent} 1 1 0")


def test_the_process_of_the_playbook_is_found_above_the_module(tmp_path):
    process(tmp_path, 10, 1, "bash")
    process(tmp_path, 20, 10, "/venv/bin/python3", "/venv/bin/ansible-playbook", "x.yml")
    process(tmp_path, 30, 20, "/venv/bin/python3", "/venv/bin/ansible-playbook", "x.yml")
    process(tmp_path, 40, 30, "/bin/sh", "-c", "python3 module")
    assert run.playbook_process(40, str(tmp_path)) == 20
    assert run.playbook_process(10, str(tmp_path)) == 10
    assert run.playbook_process(99, str(tmp_path)) == 99
    assert run.playbook_process() > 0
