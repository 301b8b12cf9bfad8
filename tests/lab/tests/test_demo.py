# SPDX-License-Identifier: Apache-2.0
"""``make demo``, as a newcomer types it: twice, and ``make demo-down``; here, and on a Debian 13 with nothing built before."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.tests.deploying import Done, lane
from ansible_collections.scs.landscape.tests.lab.tests.traces import traces
from ansible_collections.scs.landscape.tests.tools import environments, roots, staging, yardstick
from ansible_collections.scs.landscape.tests.tools.paths import CACHE, locked

#: Seconds a demo may take, with empty caches and when all is built, on a machine as fast as the yardstick's.
COLD, WARM = 600, 120
#: After so many the test calls it hung.
PATIENCE = 3600
#: The playbooks in their order: how many machines they are run on, and what they are called in reports.
PLAYBOOKS = {
    "lab_deploy": (13, "Deployment of Embedded lab"),
    "fabric_deploy": (12, "Deployment of the fabric of Embedded lab"),
}
_REPORT = re.compile(r"^  Report: +(/\S*/report\.html) ", re.MULTILINE)


def typed(command: list[str], folder: Path, environ: dict[str, str]) -> Done:
    """What a command said, and the seconds it would have taken on a machine as fast as the yardstick's."""
    before, began = yardstick.pace(), time.monotonic()
    done = subprocess.run(
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=PATIENCE,
        check=False,
    )
    seconds = time.monotonic() - began
    # The other tests of this suite come and go beside it, so neither end alone says what the machine was like.
    pace = max(1.0, (before + yardstick.pace()) / 2)
    print(f"{done.stdout}\n{seconds:.0f} s at a pace of {pace:.1f}")
    return Done(done.returncode, done.stdout, seconds / pace)


def recaps(demo: Done) -> list[dict[str, dict[str, int]]]:
    """The counters of all playbooks, by host."""
    parts = demo.output.split("PLAY RECAP")[1:]
    return [Done(demo.rc, f"PLAY RECAP{part.partition('[')[0]}", 0.0).recap() for part in parts]


def runs_well(demo: Done, state: str, seconds: int, root: Path = Path("/")) -> None:
    """The recaps of all machines, the summaries, the reports, and the time.

    :param state: what the playbooks that deploy say of every machine.
    :param root: where the files of the demo's machine are.
    """
    assert demo.rc == 0
    assert [len(hosts) for hosts in recaps(demo)] == [machines for machines, _title in PLAYBOOKS.values()]
    assert not any(host["failed"] or host["unreachable"] for hosts in recaps(demo) for host in hosts.values())
    for machines, title in PLAYBOOKS.values():
        assert f"Machines  {machines}: {machines} {state}\n" in demo.output
        assert f"\nOK  {title} in " in demo.output
    assert demo.output.count("BGP sessions 28 of 28 established, ECMP 2 wide") == 1
    assert demo.output.count("30 of 30 ways between 6 hosts, ") == 1
    paths = [root / found.lstrip("/") for found in _REPORT.findall(demo.output)]
    pages = [path.read_text(encoding="utf-8") for path in paths]
    assert len(pages) == len(PLAYBOOKS)
    assert all("<svg" in page and "em01-spine-r02-u41" in page for page in pages)
    reached = pages[-1].partition('<g id="reach"')[2].partition("</g>")[0]
    assert len(re.findall(r"<text[^>]*>[\d.]+ ms<", reached)) + reached.count("% lost") == 30
    assert demo.seconds <= seconds


def untouched(demo: Done) -> None:
    """Nothing was changed, neither on a machine nor on a switch."""
    assert [host for hosts in recaps(demo) for host, counters in hosts.items() if counters["changed"]] == []


@pytest.fixture
def own_lane(monkeypatch: pytest.MonkeyPatch) -> str:
    """A demo beside the one that somebody may look at just now."""
    name = lane("t")
    monkeypatch.setenv("SCS_LANE", name)
    return f"demo-{name}"


@pytest.mark.accept("L1.1")
def test_a_second_demo_changes_nothing_and_demo_down_leaves_nothing(repo: Path, own_lane: str) -> None:
    def tools(command: str) -> Done:
        return typed([sys.executable, "-B", "-m", "tests.tools", command], repo, environments.clean_environ())

    build = repo / "build" / own_lane
    try:
        runs_well(tools("demo"), "changed", WARM)
        assert sum(len(found) for found in traces([own_lane], set()).values()), "the test sees nothing"
        again = tools("demo")
        runs_well(again, "as written", WARM)
        untouched(again)
        assert f"tests.lab enter --lane {own_lane} " in again.output
    finally:
        down = tools("demo-down")
        shutil.rmtree(build, ignore_errors=True)
    assert down.rc == 0
    assert "the machines are gone" in down.output
    left = traces([own_lane], set())
    assert left == {kind: [] for kind in left}


@pytest.mark.full
@pytest.mark.accept("L1.1")
def test_on_a_fresh_debian_13_with_empty_caches(repo: Path, own_lane: str) -> None:
    root = CACHE / "roots" / own_lane
    kept = {
        name: value for name, value in environments.clean_environ().items() if name not in ("SCS_CACHE", "SCS_SHARED")
    }
    environ = {
        **{name: value for name, value in kept.items() if not name.startswith("XDG_")},
        "HOME": "/root",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }

    def newcomer(script: str) -> Done:
        return typed(roots.wrap_machine(root, ["sh", "-ec", script]), Path("/"), environ)

    with locked(root):
        shutil.rmtree(root, ignore_errors=True)
        try:
            roots.build_machine("trixie", root, ("make",))
            for name in staging.tracked(repo):
                (root / "srv/origin" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(repo / name, root / "srv/origin" / name, follow_symlinks=False)
            commit = "git -c user.name=test -c user.email=test@localhost commit --quiet --message test"
            cloned = newcomer(
                f"cd /srv/origin; git init --quiet; git add --all; {commit}; git clone --quiet /srv/origin /root/clone"
            )
            assert cloned.rc == 0
            try:
                runs_well(newcomer("cd /root/clone; make demo"), "changed", COLD, root)
                again = newcomer("cd /root/clone; make demo")
                runs_well(again, "as written", WARM, root)
                untouched(again)
            finally:
                down = newcomer("cd /root/clone; make demo-down")
        finally:
            shutil.rmtree(root, ignore_errors=True)
    assert down.rc == 0
    left = traces([own_lane, str(root)], set())
    assert left == {kind: [] for kind in left}
    assert not os.path.lexists(root)
