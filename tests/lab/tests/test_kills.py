# SPDX-License-Identifier: Apache-2.0
"""A deploy that is killed at any point, whatever is killed, is finished by the next one as if nothing had happened."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.lab.machine import Machine
from ansible_collections.scs.landscape.tests.lab.tests import state
from ansible_collections.scs.landscape.tests.lab.tests.deploying import Controller, Done, Running, lane, renew

#: A quarter of the twenty kills in every run, all of them in `make test-all`.
KILLS = 20 if os.environ.get("SCS_FULL") else 5
HOSTS = ("em01-ctl-r01-u03", "em01-comp-r01-u04", "em01-leaf-r01-u38")
#: The whole of Ansible as the kernel or a person ends it; or a module on one of the hosts, alone.
KINDS = ("SIGKILL", "SIGINT", "SIGKILL", "SIGINT", "module")


_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*\S.*$", re.MULTILINE)


def tracebacks(output: str, kind: str) -> list[str]:
    """What no person should see.

    Ctrl-C may meet Ansible while it lets go of a lock; then Python itself tells of the interrupt, and goes on.
    """
    ours = "ansible_collections/scs"
    return [
        text
        for text in _TRACEBACK.findall(output)
        if kind != "SIGINT" or ours in text or not text.splitlines()[-1].startswith("KeyboardInterrupt")
    ]


@dataclass
class Stage:
    """Machines that can be made new, and what an uninterrupted deploy makes of them."""

    lab: Lab
    controller: Controller
    tasks: int
    fresh: dict[str, state.Table]
    clean: dict[str, state.Table]

    def machines(self) -> dict[str, Machine]:
        return {name: self.lab.machine(name) for name in HOSTS}

    def renew(self) -> None:
        """Machines as they were when they were installed."""
        renew(self.lab, *HOSTS)


def _tables(lab: Lab) -> dict[str, state.Table]:
    tables = state.of_all({name: lab.machine(name) for name in HOSTS})
    return {name: state.lasting(table) for name, table in tables.items()}


def _deploy(controller: Controller) -> Done:
    return controller.run("scs.landscape.lab_deploy", "--limit", ",".join(HOSTS))


@pytest.fixture(scope="module")
def stage(collections_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    lab = Lab(lane("kills"))
    try:
        lab.up(HOSTS)
        controller = Controller(lab, tmp_path_factory.mktemp("kills"), collections_root)
        fresh = _tables(lab)
        done = _deploy(controller)
        assert done.rc == 0, done.output[-4000:]
        clean = _tables(lab)
        assert state.differences(fresh, clean), "the deploy changes nothing: killing it proves nothing"
        yield Stage(lab, controller, done.output.count("\nTASK ["), fresh, clean)
    finally:
        lab.down()


def _kill_modules(stage: Stage) -> int:
    """Kills what Ansible runs on the machines at this moment, all of it; how many processes that were."""
    killed = 0
    for machine in stage.machines().values():
        for pid in machine.members():
            try:
                program = Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0]
                if program.endswith(b"/python3"):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
            except OSError:
                continue  # it ended meanwhile
    return killed


def _await(stage: Stage, running: Running, point: int) -> None:
    """Waits until a task begins, or with 0 until the first machine has a record: it is being changed then."""
    records = [machine.root / "var/lib/scs-landscape/node_state.json" for machine in stage.machines().values()]
    while running.process.poll() is None:
        if point and running.output.count("\nTASK [") >= point:
            return
        if not point and any(record.exists() for record in records):
            return
        time.sleep(0.01)


def test_only_an_interrupt_of_ansible_itself_is_no_traceback() -> None:
    head = "x\nException ignored in: <f>\nTraceback (most recent call last):\n"
    theirs = f'{head}  File "logging.py", line 1\n    \n  File "ansible/executor/a.py", line 2\n    raise\nKeyboardInterrupt: \ny\n'
    assert tracebacks(theirs, "SIGINT") == []
    assert len(tracebacks(theirs, "SIGKILL")) == 1
    assert len(tracebacks(theirs.replace("ansible/executor", "ansible_collections/scs"), "SIGINT")) == 1
    assert len(tracebacks(theirs.replace("KeyboardInterrupt", "ValueError"), "SIGINT")) == 1


@pytest.mark.accept("L1.6")
def test_kills_at_random_points(stage: Stage, seed: int) -> None:
    """Two of three kills hit while machines are being changed, the others anywhere."""
    source = random.Random(f"{seed} kills")
    amid = 0
    for number in range(KILLS):
        kind = KINDS[number % len(KINDS)]
        point = source.choice((0, 0, source.randint(1, stage.tasks)))
        moment = source.uniform(0, 1.5)
        stage.renew()
        with stage.controller.start("scs.landscape.lab_deploy", "--limit", ",".join(HOSTS)) as running:
            _await(stage, running, point)
            time.sleep(moment)
            if kind == "module":
                _kill_modules(stage)
                running.wait()
            else:
                running.end(getattr(signal, kind))
            assert tracebacks(running.output, kind) == []
        why = f"seed {seed}, kill {number}: {kind}, {moment:.2f} s after {f'task {point}' if point else 'the first change'}"
        left = _tables(stage.lab)
        halfway = left not in (stage.fresh, stage.clean)
        amid += halfway
        print(f"{why}, {'in the middle' if halfway else 'at an end'}")
        again = _deploy(stage.controller)
        assert again.rc == 0, f"{why}\n{again.output[-4000:]}"
        assert state.differences(stage.clean, _tables(stage.lab)) == [], why
    third = _deploy(stage.controller)
    assert third.rc == 0
    assert not third.changed(), "the last rerun was not complete"
    assert amid >= KILLS // 5, "the kills came before or after the work; the test proves nothing"
