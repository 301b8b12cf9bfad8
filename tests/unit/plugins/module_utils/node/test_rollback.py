# SPDX-License-Identifier: Apache-2.0
"""The program that brings files back when nobody confirmed a change, and what arms it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.node.client import Host
from ansible_collections.scs.landscape.plugins.module_utils.node.guard import Guard
from ansible_collections.scs.landscape.plugins.module_utils.node.rollback import client as rollback
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.node.machines import Machine


def test_the_programs_main_waits_and_looks_at_the_token(tmp_path):
    kept, new, path = tmp_path / "kept", tmp_path / "new", tmp_path / "rollback-x.json"
    kept.write_bytes(b"old \xff\n")
    files = {str(kept): rollback.pack(kept.read_bytes(), os.stat(kept)), str(new): None}
    path.write_text(json.dumps({"token": "t", "files": files, "commands": [["true"]]}))
    kept.write_text("changed")
    new.write_text("made")
    assert rollback.main([str(path), "other"]) == 0
    assert kept.read_text() == "changed"
    assert rollback.main([str(path), "t", "0.01"]) == 0
    assert kept.read_bytes() == b"old \xff\n"
    assert not new.exists()
    assert not path.exists()
    assert rollback.main([str(path), "t"]) == 0
    assert not rollback.confirm(str(path), "t")


def test_commands_of_a_rollback_have_no_input_and_an_end(tmp_path):
    assert rollback.execute(["sh", "-c", "exit 3"]) == 3
    assert rollback.execute(["cat"], 5) == 0
    with pytest.raises(TimeoutError, match=r"sleep did not end within 0 s"):
        rollback.execute(["sleep", "30"], 0.1)
    with pytest.raises(FileNotFoundError):
        rollback.execute([str(tmp_path / "none")])


def test_a_rollback_whose_command_hangs_is_done_again(tmp_path, monkeypatch):
    """Files are back before any command runs, and the state stays for the next one."""
    kept, path = tmp_path / "kept", tmp_path / "rollback-x.json"
    kept.write_text("old")
    files = {str(kept): rollback.pack(b"old", os.stat(kept))}
    path.write_text(json.dumps({"token": "t", "files": files, "commands": [["sleep", "30"]]}))
    kept.write_text("changed")
    monkeypatch.setattr(rollback.execute, "__defaults__", (0.1,))
    with pytest.raises(TimeoutError):
        rollback.restore(str(path), "t")
    assert kept.read_text() == "old"
    assert path.exists()


def test_nothing_slow_is_loaded_for_a_rollback_that_is_not_needed(tmp_path):
    line = (
        "import sys; sys.argv = ['x', sys.argv[2], 't']; import runpy\ntry: runpy.run_path(FILE, run_name='__main__')\n"
    )
    code = line.replace("FILE", repr(rollback.__file__)) + "except SystemExit: sys.exit('asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code, "-", str(tmp_path / "none")], check=False, timeout=60)
    assert done.returncode == 0


def test_the_copied_program_runs_alone(tmp_path, programs, monkeypatch):
    """What is left on the host needs nothing of the collection."""
    machine = Machine(tmp_path)
    target = Path(machine.at("/etc/thing"))
    target.write_text("old")

    def start(argv):
        """The change happens before: the program does not wait, and may be done before we go on."""
        target.write_text("new")
        return Host(programs).start(argv)

    monkeypatch.setattr(machine, "start", start)
    os.unlink(machine.at("/run/systemd/system/x"))
    os.rmdir(machine.at("/run/systemd/system"))
    guard = Guard(machine, "test")
    guard.arm(["/etc/thing"], [], 0)
    deadline = time.monotonic() + 20
    while target.read_text() != "old" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert target.read_text() == "old"
    while os.path.exists(guard.program) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not guard.armed()
    assert sys.executable


def test_a_state_that_cannot_be_read_counts_as_none(tmp_path):
    machine = Machine(tmp_path)
    folder = Path(machine.at("/var/lib/scs-landscape"))
    folder.mkdir()
    (folder / "rollback-x.json").write_text("{")
    assert Guard(machine, "x").armed() == {}
    (folder / "rollback-x.json").write_text("[]")
    assert Guard(machine, "x").armed() == {}
