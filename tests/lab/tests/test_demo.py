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
MACHINES = 13
_REPORT = re.compile(r"^  Report: +(/.*/report\.html)$", re.MULTILINE)


def typed(command: list[str], folder: Path, environ: dict[str, str]) -> Done:
    """What a command said, and the seconds it took."""
    began = time.monotonic()
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
    print(f"{done.stdout}\n{seconds:.0f} s")
    return Done(done.returncode, done.stdout, seconds)


def runs_well(demo: Done, machines: str, seconds: int, root: Path = Path("/")) -> None:
    """The recap of all machines, the summary, the report, and the time; ``root`` is where its machine's files are."""
    assert demo.rc == 0
    assert len(demo.recap()) == MACHINES
    assert not any(host["failed"] or host["unreachable"] for host in demo.recap().values())
    assert f"Machines  {MACHINES}: {machines}\n" in demo.output
    assert "\nOK  Deployment of Embedded lab in " in demo.output
    found = _REPORT.search(demo.output)
    assert found
    html = (root / found[1].lstrip("/")).read_text(encoding="utf-8")
    assert "<svg" in html
    assert "em01-spine-r02-u41" in html
    assert demo.seconds <= seconds * max(1.0, yardstick.pace())


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
        runs_well(tools("demo"), f"{MACHINES} changed", WARM)
        assert sum(len(found) for found in traces([own_lane], set()).values()), "the test sees nothing"
        again = tools("demo")
        runs_well(again, f"{MACHINES} as written", WARM)
        assert again.changed() == {}
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
                runs_well(newcomer("cd /root/clone; make demo"), f"{MACHINES} changed", COLD, root)
                again = newcomer("cd /root/clone; make demo")
                runs_well(again, f"{MACHINES} as written", WARM, root)
                assert again.changed() == {}
            finally:
                down = newcomer("cd /root/clone; make demo-down")
        finally:
            shutil.rmtree(root, ignore_errors=True)
    assert down.rc == 0
    left = traces([own_lane, str(root)], set())
    assert left == {kind: [] for kind in left}
    assert not os.path.lexists(root)
