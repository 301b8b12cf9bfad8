# SPDX-License-Identifier: Apache-2.0
"""A run that is killed leaves each file old or new, and the next run ends as if nothing had happened."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.bench import generate, processes

pytestmark = pytest.mark.slow
#: A quarter and more of the twenty kills in every run, all of them in `make test-all`.
KILLS = 20 if os.environ.get("SCS_FULL") else 8
RECORD = ".scs-landscape"
_OPTIONS: dict[str, dict[str, Any]] = {
    "landscape_docs": {"as_of": "2026-06-01"},
    "landscape_render": {"formats": ["hosts", "netbox", "osism_groups", "osism_host_vars", "ssh_config"]},
}


class Stage:
    """One module with its old state, its new state, and the state an uninterrupted run ends in."""

    def __init__(self, module: str, home: Path) -> None:
        self.module, self.home = module, home
        self.sources = {name: str(generate.write(home / name, hosts)) for name, hosts in (("old", 8), ("new", 11))}
        self.run("old", home / "before")
        shutil.copytree(home / "before", home / "after", symlinks=True)
        self.steps = self.run("new", home / "after")["steps_done"]
        self.old, self.new = processes.contents(home / "before"), processes.contents(home / "after")

    def options(self, source: str, dest: Path) -> dict[str, Any]:
        return {"src": [self.sources[source]], "dest": str(dest), **_OPTIONS[self.module]}

    def run(self, source: str, dest: Path) -> dict[str, Any]:
        result = processes.inside(self.module, self.options(source, dest))
        assert not result.get("failed"), result
        return result


@pytest.fixture(params=sorted(_OPTIONS))
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    return Stage(request.param, tmp_path)


def _inodes(folder: Path) -> dict[str, int]:
    """Files by name; a file that is replaced gets another inode."""
    found = {}
    for here, _folders, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                found[os.path.join(here, name)] = os.stat(os.path.join(here, name)).st_ino
    return found


def _kill_at(stage: Stage, dest: Path, step: int, delay: float) -> int:
    """Runs the module and kills it once so many files have changed and a moment has passed; how many had by then."""
    before = _inodes(dest)
    process = processes.start(stage.module, stage.options("new", dest))
    changed = 0
    while process.poll() is None and changed < step:
        changed = len(before.items() ^ _inodes(dest).items())
    time.sleep(delay)
    process.kill()
    process.communicate(timeout=60)
    return len(before.items() ^ _inodes(dest).items())


@pytest.mark.accept("F1.8")
def test_kills_at_random_points(stage: Stage, seed: int) -> None:
    source = random.Random(f"{seed} {stage.module}")
    # Both ends of a change count: a replaced file has an old and a new inode; the lock and the record change as well.
    points = [source.randrange(1, 2 * stage.steps) for _kill in range(KILLS // len(_OPTIONS))]
    interrupted = 0
    for number, point in enumerate(points):
        dest = stage.home / f"kill-{number}"
        shutil.copytree(stage.home / "before", dest, symlinks=True)
        _kill_at(stage, dest, point, source.choice((0, 0, source.uniform(0, 0.003))))
        left = {name: text for name, text in processes.contents(dest).items() if not name.startswith(RECORD)}
        for name in {*left, *stage.old, *stage.new} - {name for name in stage.old if name.startswith(RECORD)}:
            if not name.endswith("/"):
                assert left.get(name) in (stage.old.get(name), stage.new.get(name)), f"{name} after kill at {point}"
        interrupted += processes.contents(dest) not in (stage.old, stage.new)
        stage.run("new", dest)
        assert processes.contents(dest) == stage.new, f"kill at {point}, seed {seed}"
        shutil.rmtree(dest)
    print(f"seed {seed}: {stage.module} killed at {points}, {interrupted} of {len(points)} in the middle of its work")
    assert interrupted >= len(points) // 2, "the kills came before or after the work; the test proves nothing"


def test_a_first_run_that_is_killed_is_finished_by_the_next(stage: Stage) -> None:
    dest = stage.home / "first"
    dest.mkdir()
    _kill_at(stage, dest, 6, 0)
    stage.run("new", dest)
    fresh = stage.home / "fresh"
    stage.run("new", fresh)
    assert processes.contents(dest) == processes.contents(fresh)
