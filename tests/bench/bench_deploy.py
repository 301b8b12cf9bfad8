# SPDX-License-Identifier: Apache-2.0
"""The embedded lab against its limits: how fast its machines start and what they weigh, and what a deploy costs beside Ansible's own."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS, Controller, lane

MACHINES = 13
#: L1.2: seconds until all machines answer, MiB each, and a deploy that changes nothing beside `ansible -m setup`.
MAX_START, MAX_MEMORY = 30.0, 40.0
MAX_RATIO, MAX_MORE = 1.5, 15.0


@pytest.fixture(scope="module")
def lab(repo: Path) -> Iterator[Lab]:
    lab = Lab(lane("bench"), landscape=repo / "examples/embedded")
    try:
        yield lab
    finally:
        lab.down()


@pytest.mark.accept("L1.2")
def test_provider_is_fast_and_light(lab: Lab) -> None:
    lab.up()
    lab.down()  # warm from here on: the machines' root is built
    started = time.monotonic()
    machines = lab.up()["machines"]
    seconds = time.monotonic() - started
    memory = [machine["memory_mib"] for machine in machines.values()]
    print(f"\nprovider: {len(machines)} machines up, SSH answering, in {seconds:.1f} s (limit {MAX_START:.0f} s)")
    print(
        f"  memory of one: {statistics.mean(memory):.1f} MiB, the largest {max(memory):.1f} MiB (limit {MAX_MEMORY:.0f})"
    )
    print(f"  one boot: {max(machine['seconds'] for machine in machines.values()):.1f} s at most")
    assert len(machines) == MACHINES
    assert seconds < MAX_START
    assert 1 < max(memory) < MAX_MEMORY


def _setup(controller: Controller) -> float:
    """Seconds that gathering facts of all hosts takes, with the same inventory and forks."""
    argv = [
        *controller.lab.entering(),
        str(PROGRAMS / "ansible"),
        "-i",
        str(controller.lab.inventory),
        "all",
        "-m",
        "setup",
    ]
    started = time.monotonic()
    done = subprocess.run(
        argv,
        env=controller.environ(),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.count("SUCCESS") == MACHINES
    return time.monotonic() - started


@pytest.mark.accept("L1.2")
def test_a_deploy_that_changes_nothing(lab: Lab, tmp_path: Path, collections_root: Path) -> None:
    """Side by side, in turns, in one run; connections are warm for both."""
    lab.up()
    controller = Controller(lab, tmp_path, collections_root)
    first = controller.run("scs.landscape.lab_deploy")
    assert first.rc == 0, first.output[-3000:]
    ours, theirs = [], []
    for _turn in range(2):
        theirs.append(_setup(controller))
        done = controller.run("scs.landscape.lab_deploy")
        assert done.rc == 0, done.output[-3000:]
        assert not done.changed(), done.changed()
        ours.append(done.seconds)
    limit = MAX_RATIO * min(theirs) + MAX_MORE
    print(
        f"\nlab_deploy, nothing to change, {MACHINES} machines (the first, with everything to do: {first.seconds:.1f} s)"
    )
    print(f"  lab_deploy           {min(ours):6.1f} s")
    print(f"  ansible -m setup     {min(theirs):6.1f} s")
    print(f"  ratio                {min(ours) / min(theirs):6.2f}   limit {limit:.1f} s (1.5 x setup + 15 s)")
    assert min(ours) <= limit
