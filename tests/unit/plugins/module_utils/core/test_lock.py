# SPDX-License-Identifier: Apache-2.0
"""The lock keeps runs apart, and a dead one does not block."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core import lock
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LockedError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.communicate(b"\n")


def _state(pid: Any, **more: Any) -> str:
    holder = {"owner": "other", "host": socket.gethostname(), "pid": pid, "expires": time.time() + 900, "token": "x"}
    return json.dumps({**holder, **more})


def _dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_nothing_is_left_after_the_block(path: Path) -> None:
    with lock.held(str(path), "me"):
        assert path.exists()
    assert list(path.parent.iterdir()) == []


def test_nothing_is_left_after_an_error(path: Path) -> None:
    with pytest.raises(RuntimeError, match="inside"):
        with lock.held(str(path), "me"):
            raise RuntimeError("inside")
    assert list(path.parent.iterdir()) == []


def test_a_second_one_is_refused_and_told_by_whom(path: Path) -> None:
    with lock.held(str(path), "first"):
        with pytest.raises(LockedError, match=f"held by first .process {os.getpid()} on"):
            with lock.held(str(path), "second"):
                pytest.fail("both hold it")
        assert json.loads(path.read_text())["owner"] == "first"
    assert list(path.parent.iterdir()) == []


def test_a_living_process_keeps_its_lock(path: Path, other: subprocess.Popen[bytes]) -> None:
    path.write_text(_state(other.pid))
    with pytest.raises(LockedError, match="held by other"):
        with lock.held(str(path), "me"):
            pytest.fail("both hold it")
    assert json.loads(path.read_text())["token"] == "x"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "\x00\xff",
        _state(_dead_pid()),
        _state(10**40),
        _state("1"),
        _state(1, expires="never"),
        _state(1, expires=0),
        _state(1, expires=1, host="elsewhere"),
    ],
    # Process numbers differ between the workers of one run, names must not.
    ids=["empty", "cut", "list", "bytes", "dead", "impossible", "text", "never", "over", "over elsewhere"],
)
def test_a_dead_or_broken_lock_is_taken_over(path: Path, content: str) -> None:
    path.write_text(content)
    with lock.held(str(path), "me"):
        assert json.loads(path.read_text())["owner"] == "me"
    assert list(path.parent.iterdir()) == []


def test_a_lock_of_another_machine_holds_until_it_expires(path: Path) -> None:
    path.write_text(_state(_dead_pid(), host="elsewhere", expires=1000))
    with pytest.raises(LockedError, match="on elsewhere"):
        with lock.held(str(path), "me", clock=lambda: 999):
            pytest.fail("both hold it")
    with lock.held(str(path), "me", clock=lambda: 1000):
        assert json.loads(path.read_text())["owner"] == "me"


def test_a_lock_of_another_user_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(_state(1))

    def refuse(_pid: int, _signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    with pytest.raises(LockedError, match="process 1 "):
        with lock.held(str(path), "me"):
            pytest.fail("both hold it")


def test_a_lock_that_cannot_be_read_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(_state(_dead_pid()))

    def refuse(_path: str) -> dict[str, Any]:
        raise PermissionError

    monkeypatch.setattr(lock, "_read", refuse)
    with pytest.raises(LockedError, match="held by somebody"):
        with lock.held(str(path), "me"):
            pytest.fail("both hold it")
    assert path.exists()


def test_a_lock_taken_over_meanwhile_is_not_removed(path: Path) -> None:
    with lock.held(str(path), "slow"):
        path.write_text(_state(os.getpid(), owner="faster"))
    assert json.loads(path.read_text())["owner"] == "faster"


def test_leftovers_of_killed_waiters_are_swept(path: Path, other: subprocess.Popen[bytes]) -> None:
    Path(f"{path}.dead").write_text(_state(_dead_pid()))
    Path(f"{path}.alive").write_text(_state(other.pid))
    with lock.held(str(path), "me"):
        pass
    assert [file.name for file in path.parent.iterdir()] == ["lock.alive"]


def _refuse(_handle: int, _how: int) -> None:
    raise OSError("not supported")


def test_a_waiter_that_is_just_writing_its_file_is_not_swept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock.fcntl, "flock", _refuse)
    young, old = Path(f"{path}.young"), Path(f"{path}.old")
    young.touch()
    old.touch()
    os.utime(old, (0, 0))
    with lock.held(str(path), "me"):
        pass
    assert [file.name for file in path.parent.iterdir()] == ["lock.young"]


_DIES_WRITING = """
import os, sys
from ansible_collections.scs.landscape.plugins.module_utils.core import lock
lock.json.dump = lambda *_what: os._exit(9)
with lock.held(sys.argv[1], "dies"):
    pass
"""


def test_a_run_that_is_killed_while_it_writes_its_file_leaves_nothing_after_the_next(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _DIES_WRITING, str(path)], check=False, timeout=60)
    assert done.returncode == 9
    assert [file.stat().st_size for file in path.parent.iterdir()] == [0]
    with lock.held(str(path), "me"):
        pass
    assert list(path.parent.iterdir()) == []


def test_a_file_system_without_kernel_locks_works_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock.fcntl, "flock", _refuse)
    path.write_text(_state(_dead_pid()))
    with lock.held(str(path), "me"):
        assert json.loads(path.read_text())["owner"] == "me"


_CONTENDER = """
import sys, time
from ansible_collections.scs.landscape.plugins.module_utils.core import lock
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LockedError
path, log, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
while rounds:
    try:
        with lock.held(path, "contender"):
            rounds -= 1
            with open(log, "a") as stream:
                stream.write("in\\n"); stream.flush()
                time.sleep(0.002)
                stream.write("out\\n"); stream.flush()
    except LockedError:
        time.sleep(0.001)
"""


def test_only_one_of_many_holds_it_even_when_a_dead_lock_lies_there(path: Path, tmp_path: Path) -> None:
    """Four processes fight for it, while a dead lock is put in their way whenever nobody holds it."""
    log, dead = tmp_path.parent / f"{tmp_path.name}.log", _state(_dead_pid())
    line = [sys.executable, "-c", _CONTENDER, str(path), str(log), "40"]
    contenders = [subprocess.Popen(line) for _number in range(4)]
    spare = tmp_path / "spare"
    while any(contender.poll() is None for contender in contenders):
        spare.write_text(dead)
        try:
            os.link(spare, path)
        except FileExistsError:
            time.sleep(0.001)
        spare.unlink()
    assert [contender.returncode for contender in contenders] == [0] * 4
    assert log.read_text().split() == ["in", "out"] * 160
