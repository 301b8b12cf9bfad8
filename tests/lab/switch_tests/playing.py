# SPDX-License-Identifier: Apache-2.0
"""Runs tasks of the collection against switches of the lab over SSH, and lets tests interrupt them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.scs.landscape.tests.lab.switches import Fabric

LEAF, SPINE = "em01-leaf-r01-u38", "em01-spine-r01-u41"
PROGRAM = Path(sys.executable).parent / "ansible-playbook"
#: Seconds a play may take before the test calls it hung; machines that run the tests may be slow.
PATIENCE = 420.0
#: Seconds between two looks at a switch: tests that are not about that wait less than an operator does.
HOLD = 1
#: Where anything may lie for longer than a run. What waits for its confirmation and the database belong to root alone.
_PLACES = ("/home", "/root", "/tmp", "/var", "/etc/frr", "/run", "/usr/local")


@dataclass(frozen=True)
class Played:
    """How a play ended.

    :param results: what each task returned, by switch, in order.
    """

    rc: int
    output: str
    seconds: float
    results: dict[str, list[dict[str, Any]]]

    def only(self) -> dict[str, Any]:
        """The result of the only task on the only switch."""
        ((result,),) = self.results.values()
        return result


class Stage:
    """Where plays are run from.

    :param folder: temporary.
    """

    def __init__(self, fabric: Fabric, folder: Path, root: Path) -> None:
        self.fabric, self.folder, self.root = fabric, folder, root
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, names: list[str], *tasks: dict[str, Any], arguments: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Starts a play; results land in a file of its own."""
        number = len(list(self.folder.glob("play-*.json")))
        play = {"hosts": names, "gather_facts": False, "become": True, "tasks": list(tasks)}
        path = self.folder / f"play-{number}.json"
        path.write_text(json.dumps([play]))
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHONPATH"))
        }
        environment |= {
            "ANSIBLE_COLLECTIONS_PATH": str(self.root),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_TIMEOUT": "10",
        }
        log = (self.folder / f"out-{number}").open("w+")
        line = [str(PROGRAM), "-i", str(self.fabric.inventory), *arguments, str(path)]
        process = subprocess.Popen(line, env=environment, text=True, stdout=log, stderr=log, start_new_session=True)
        log.close()
        process.log = self.folder / f"out-{number}"  # type: ignore[attr-defined]
        return process

    def end(self, process: subprocess.Popen[str], began: float) -> Played:
        """Waits for a play."""
        try:
            rc = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            kill(process)
            raise
        output = process.log.read_text()  # type: ignore[attr-defined]
        return Played(rc, output, time.monotonic() - began, _results(output))

    def run(self, names: str | list[str], *tasks: dict[str, Any], arguments: tuple[str, ...] = ()) -> Played:
        """Runs a play and tells what its tasks returned."""
        began = time.monotonic()
        names = [names] if isinstance(names, str) else names
        return self.end(self.start(names, *tasks, arguments=("-v", *arguments)), began)


def change(config: Any, **options: Any) -> dict[str, Any]:
    """A task that changes a switch."""
    return {"scs.landscape.sonic_config_db": {"config": config, "hold": HOLD, **options}}


def kill(process: subprocess.Popen[str]) -> None:
    """Ends a controller and all it started at once, as a crash of its machine would."""
    for pid in [process.pid, *_descendants(process.pid)]:  # workers of Ansible have sessions of their own
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _descendants(pid: int) -> list[int]:
    """Processes that a process started, and those that they started."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            children.setdefault(int(path.read_text().rpartition(")")[2].split()[1]), []).append(int(path.parent.name))
    found, todo = [], [pid]
    while todo:
        todo += (more := children.get(todo.pop(), []))
        found += more
    return found


def _results(output: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    decoder = json.JSONDecoder()
    for mark in ("ok: [", "changed: [", "fatal: ["):
        start = 0
        while (start := output.find(mark, start)) >= 0:
            host = output[start + len(mark) : output.index("]", start)]
            brace = output.find("{", start)
            with contextlib.suppress(ValueError):
                result, _end = decoder.raw_decode(output, brace)
                found.setdefault(host.split(" ")[0], []).append(result)
            start += len(mark)
    return found


def wait_for(condition: Callable[[], Any], seconds: float, why: str) -> None:
    """Waits until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, why
        time.sleep(0.3)


def rows(fabric: Fabric, name: str) -> str:
    """A dump of database 4, as the switch's own tool prints it."""
    return json.dumps(fabric.config_db(name), sort_keys=True)


def pending(fabric: Fabric, name: str) -> bool:
    """Whether a change waits on a switch."""
    return not fabric.machine(name).run(["test", "-e", "/var/lib/scs-landscape/pending.json"], check=False).returncode


def settled(fabric: Fabric, name: str, before: str, seconds: float) -> None:
    """Waits until a switch is what it was, and nothing of ours waits there."""
    wait_for(lambda: not pending(fabric, name), seconds, "the switch did not come back in time")
    assert rows(fabric, name) == before


def holding(pair: Fabric) -> str:
    """Lines and files that hold a canary: all of the disk, the journal, command lines. The change that waits is root's."""
    own = "-e ^/var/lib/scs-landscape/ -e ^/run/redis/ -e ^/var/log/journal/ -e ^/run/log/journal/ -e ^/etc/sonic/"
    script = (
        f"grep -ra 'canary471[1]' {' '.join(_PLACES)} 2>/dev/null | grep -av {own}; "
        "journalctl --no-pager -q -o cat | grep -a 'canary471[1]'; ps axww | grep 'canary471[1]'; "
        "find /var/lib/scs-landscape -not -user root -o -type f -perm /077; true"
    )
    return pair.machine(LEAF).run(["sh", "-c", script]).stdout
