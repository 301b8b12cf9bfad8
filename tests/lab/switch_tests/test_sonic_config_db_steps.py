# SPDX-License-Identifier: Apache-2.0
"""SSH is cut, or the controller killed, at every step that a change goes through: the switch ends old or new by itself."""

from __future__ import annotations

import functools
import json
import os
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane
from ansible_collections.scs.landscape.tests.tools import yardstick

from . import stepping
from .playing import Stage, change, kill, rows
from .stepping import Case

pytestmark = [pytest.mark.accept("S2.5"), pytest.mark.accept("S2.7")]

#: Rows that FRR, the kernel and nobody follows; the order is one of those that the plan keeps.
WISH: dict[str, Any] = {
    "LOOPBACK_INTERFACE": {"Loopback5": {}, "Loopback5|192.0.2.5/32": {}},
    "NTP_SERVER": {"192.0.2.50": {}},
    "PREFIX_SET": {"STEPS": {"mode": "IPv4"}},
    "PREFIX": {"STEPS|10|198.51.100.0/24|exact": {"action": "permit"}},
}
ROWS = sum(len(content) for content in WISH.values())
#: What a change does on a switch, in its order: all that it writes, starts and removes there, and of its looks those that
#: every change has. The first row is noted before it is written, the others after.
STEPS: tuple[str, ...] = (
    "read config_db.json#1",
    "write lock.json#1",
    "run vtysh#1",
    "run lldpctl json#1",
    "read config_db.json#2",
    "write checkpoint#1",
    "write program words.py#1",
    "write program client.py#1",
    "write program state.py#1",
    "write program sonic.py#1",
    "write program confirm.py#1",
    "write program __init__.py#1",
    "remove config_db.json.scs-landscape#1",
    "write config_db.json.scs-landscape#1",
    "row#1",
    "write scs-landscape-confirm-boot.service#1",
    "remove scs-landscape-confirm-boot.service#1",
    "write scs-landscape-confirm-boot.service#2",
    "run systemctl stop#1",
    "run systemctl reset-failed#1",
    "run systemd-run#1",
    "write pending.json#1",
    "row#2",
    "row#3",
    "row#4",
    "row#5",
    "row#6",
    "run lldpctl json#2",
    "run lldpctl json#3",
    "write pending.json#2",
    "run config save#1",
    "write config_db.json#1",
    "write pending.json#3",
    "write last.json#1",
    "remove lock.json#1",
    "remove journal#1",
    "remove scs-landscape-confirm-boot.service#2",
    "remove scs-landscape-confirm-boot.service#3",
    "remove config_db.json.scs-landscape#2",
    "remove given.json#1",
    "remove before.json#1",
    "remove pending.json#1",
    "run systemctl stop#2",
    "run systemctl reset-failed#2",
    "run logger#1",
)
#: Switches at once; seconds of the window on a machine that has nothing else to do; seconds that a dead connection goes unnoticed; and
#: what may come on top, for as many switches as there are processors: the others wait for them.
AT_ONCE = 15 if os.environ.get("SCS_FULL") else 6
WINDOW, UNNOTICED, GRACE = 40, 25.0, 5.0
_KINDS = ("cut", "kill")


@pytest.fixture(scope="module")
def bench() -> Iterator[Fabric]:
    """Switches without cables: for each step one."""
    found = Fabric.plain(lane("steps"), AT_ONCE)
    found.down()
    found.up()
    yield found
    found.down()


@functools.lru_cache(maxsize=1)
def window() -> int:
    """Seconds in which many switches at once get through a change here: one that runs out of time shows no later step."""
    return int(min(300.0, WINDOW * max(1.0, yardstick.pace())))


def _task(**options: Any) -> dict[str, Any]:
    chosen = {"confirm_within": window(), "verify_timeout": window() - 15, "max_impact": "interrupted", **options}
    return change(WISH, checkpoint="steps", **chosen)


def _back(bench: Fabric, stage: Stage, names: Sequence[str]) -> None:
    """The switches as they were: nobody holds one of them."""
    gone = {table: {key: {} for key in content} for table, content in WISH.items()}
    done = stage.run(
        list(names), change(gone, state="deleted", max_impact="interrupted"), arguments=("--forks", str(AT_ONCE))
    )
    assert done.rc == 0, done.output[-4000:]
    for name in names:
        bench.machine(name).run(["rm", "-f", "/var/lib/scs-landscape/checkpoints/steps.json"])


def _cases(bench: Fabric, steps: Sequence[str]) -> list[Case]:
    """Switches that wait at their step."""
    found = []
    for name, step in zip(bench.switches, steps):
        machine = bench.machine(name)
        stepping.watch(machine, step)
        found.append(Case(name, step, machine, (rows(bench, name), bench.saved(name)), machine.root))
    return found


def happens(bench: Fabric, stage: Stage, kind: str, steps: Sequence[str]) -> list[Case]:
    """Lets it happen at a step of each switch, and waits until all of them are through with it."""
    cases = _cases(bench, steps)
    names = [case.name for case in cases]
    process = stage.start(names, _task(), arguments=("-v", "--forks", str(AT_ONCE)))
    began = time.monotonic()
    try:
        if kind == "cut":
            _cut(bench, cases)
            done = stage.end(process, began)
            for case in cases:
                case.result = (done.results.get(case.name) or [{}])[-1]
        else:
            assert kernel.wait_for(lambda: _reached(cases), 120 + 3 * window(), 0.05), [
                case for case in cases if not case.at
            ]
            kill(process)
            for case in cases:
                case.go()
            _wait(cases)
    finally:
        if process.poll() is None:
            kill(process)
        for case in cases:
            stepping.unwatch(case.machine)
            stepping.cut(bench, case.name, up=True)
    bench.disconnect_ssh()
    return cases


def _reached(cases: Sequence[Case]) -> bool:
    for case in cases:
        case.look()
    return all(case.at for case in cases)


def _cut(bench: Fabric, cases: Sequence[Case]) -> None:
    """Cuts the way to each switch at its step, for as long as anything waits there and nobody could have noticed."""
    is_cut, is_up = set[str](), set[str]()
    end = time.monotonic() + 120 + 3 * window()
    while len(is_up) < len(cases):
        assert time.monotonic() < end, [case for case in cases if case.name not in is_up]
        for case in cases:
            case.look()
            if case.at and case.name not in is_cut:
                stepping.cut(bench, case.name)
                case.at = stepping.uptime()
                case.go()
                is_cut.add(case.name)
            elif case.name in is_cut - is_up and case.end and stepping.uptime() > case.at + UNNOTICED:
                stepping.cut(bench, case.name, up=True)
                is_up.add(case.name)
        time.sleep(0.05)


def _wait(cases: Sequence[Case]) -> None:
    """Until nothing waits on any switch: whoever was on his way there is through with it."""
    end = time.monotonic() + 3 * window()

    def done() -> bool:
        _reached(cases)
        return all(case.end and stepping.uptime() > case.end + 8 for case in cases)

    while not done():
        assert time.monotonic() < end, cases
        time.sleep(0.05)


def judge(bench: Fabric, case: Case, kind: str, slower: float) -> str:
    """Whether a switch is old or new; nothing else is allowed."""
    before, saved = case.before
    now = bench.config_db(case.name)
    is_new = all(key in now.get(table, {}) for table, content in WISH.items() for key in content)
    assert is_new or json.dumps(now, sort_keys=True) == before, (case, "between old and new")
    assert bench.saved(case.name) == (now if is_new else saved), case
    running = bench.vtysh(case.name, "show running-config")
    assert ("ip prefix-list STEPS" in running) == is_new, case
    addresses = case.machine.run(["ip", "-br", "address"]).stdout
    assert ("192.0.2.5/32" in addresses) == is_new, case
    left = case.machine.run(["sh", "-c", "cd /var/lib/scs-landscape; ls; ls /etc/systemd/system /etc/sonic"]).stdout
    assert not {"pending.json", "lock.json", "journal", "scs-landscape-confirm-boot.service"} & set(left.split()), left
    assert case.over is None or case.over <= GRACE * slower, (case, "it came back too late")
    if kind == "cut":
        assert is_new == bool(case.result.get("saved")), case
        if not is_new and "unreachable" not in case.result:
            assert "msg" in case.result, case  # it failed, and says why
            assert "brought itself back" in case.result["msg"] or "not begun" in case.result["msg"], case
    return "new" if is_new else "old"


def tried(bench: Fabric, folder: Path, root: Path, kind: str, steps: Sequence[str]) -> dict[str, str]:
    """How a switch ended for each step."""
    ends = {}
    stage = Stage(bench, folder, root)
    for start in range(0, len(steps), AT_ONCE):
        cases = happens(bench, stage, kind, steps[start : start + AT_ONCE])
        slower = max(1.0, yardstick.pace()) * max(1.0, len(cases) / (os.cpu_count() or 1))
        ends.update({case.step: judge(bench, case, kind, slower) for case in cases})
        _back(bench, stage, [case.name for case in cases])
    print(f"{kind}: {ends}")
    return ends


def test_these_are_the_steps_that_a_change_goes_through(bench: Fabric, tmp_path: Path, collections_root: Path) -> None:
    """So that none is left out: the ones that change something on the switch, all of them."""
    stage, name = Stage(bench, tmp_path, collections_root), bench.switches[0]
    machine = bench.machine(name)
    stepping.watch(machine)
    try:
        done = stage.run(name, _task())
        assert done.rc == 0, done.output[-4000:]
        found = stepping.passed(machine)
    finally:
        stepping.unwatch(machine)
    _back(bench, stage, [name])
    print("\n".join(found))
    looks = ("run vtysh", "run lldpctl", "run ip", "read ")
    assert [one for one in found if not one.startswith(looks)] == [one for one in STEPS if not one.startswith(looks)]
    assert set(STEPS) <= set(found)


@pytest.mark.full
def test_some_steps(bench: Fabric, tmp_path: Path, collections_root: Path, seed: int) -> None:
    """Others in each run, and in one of the two ways."""
    source = random.Random(f"{seed} steps")
    kind = source.choice(_KINDS)
    assert len(tried(bench, tmp_path / kind, collections_root, kind, source.sample(STEPS, AT_ONCE))) == AT_ONCE


@pytest.mark.full
@pytest.mark.parametrize("kind", _KINDS)
def test_every_step(bench: Fabric, tmp_path: Path, collections_root: Path, kind: str) -> None:
    ends = tried(bench, tmp_path, collections_root, kind, STEPS)
    assert set(ends) == set(STEPS)
    assert set(ends.values()) == {"old", "new"}
    assert ends["write pending.json#1"] == ends[f"row#{ROWS + 1}"] == "old"
