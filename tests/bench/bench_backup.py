# SPDX-License-Identifier: Apache-2.0
"""What backups cost the controller, and how long many take, beside a stand-in of Cinder that costs us nothing."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.tests.bench.bench_catalogue import LATE
from ansible_collections.scs.landscape.tests.bench.store import PAGE, Standing, standing
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import call
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS

pytestmark = [
    pytest.mark.accept("B1.23"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

#: Volumes of a plan, with two weeks of backups each, and its CPU beside that of the lists alone.
PLANNED, AGES, MAX_PLAN = 500, 14, 10.0
#: Volumes that have what they should have, and how much dearer the loops of openstack.cloud are.
PRESENT, MIN_RATIO = 200, 15.0
#: The loop is linear in its items; one item in this many is run, beside an empty play that is taken off.
PART = 10
#: Volumes, how many at once, seconds that a backup takes, and how much faster that is than one by one.
MANY, LIMIT, SECONDS, MIN_SPEEDUP = 30, 4, 1.0, 2.5
ROUNDS = 5


def cpu_of(work: Callable[[], Any]) -> float:
    """Processor seconds of something in this process, the median of some rounds."""
    took = []
    for _round in range(ROUNDS):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return statistics.median(took)


def test_a_plan_of_500_volumes_takes_one_request_a_page_and_little_more_than_its_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with standing(tmp_path, PLANNED, AGES) as cinder:
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(cinder.clouds))
        cloud = client.connect({"cloud": "member"})

        def lists() -> None:
            for kind, version in (("volumes", None), ("backups", "3.64")):
                pages = cloud.pages("block-storage", f"/{kind}/detail", kind, microversion=version, limit=PAGE)
                assert sum(1 for _one in pages) == (PLANNED if kind == "volumes" else PLANNED * AGES)

        def plan() -> None:
            done = call("volume_backup_run", {"cloud": "member", "policy": "gold"}, check_mode=True)
            assert len(done.plan.steps) == PLANNED

        plan()  # what is done once in a process
        before = len(cinder.facts()[0])
        plan()
        asked = [path for _method, path in cinder.facts()[0][before:] if path.endswith("/detail")]
        bare, whole = cpu_of(lists), cpu_of(plan)
    print(f"\nplan of {PLANNED} volumes with {AGES} backups each, {len(asked)} list calls:")
    print(f"  {whole:.2f} s of CPU with its login, the lists alone {bare:.2f} s, ratio {whole / bare:.1f}")
    pages = -(-PLANNED // PAGE) + -(-PLANNED * AGES // PAGE)
    assert len(asked) == pages
    assert whole <= MAX_PLAN * bare


def play(cinder: Standing, folder: Path, tasks: list[dict[str, Any]]) -> tuple[float, str]:
    """CPU seconds of a playbook on the controller, and what it said."""
    header = {"name": "Bench", "hosts": "localhost", "connection": "local", "gather_facts": False}
    (folder / "play.yml").write_text(yaml.safe_dump([{**header, "tasks": tasks}]), encoding="utf-8")
    (folder / "sitecustomize.py").write_text(LATE, encoding="utf-8")
    environ = {
        **os.environ,
        "OS_CLIENT_CONFIG_FILE": str(cinder.clouds),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")])),
    }
    argv = [str(PROGRAMS / "ansible-playbook"), "-i", "localhost,", str(folder / "play.yml")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        argv, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=600
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout[-4000:]
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def test_a_run_over_200_volumes_that_have_their_backups_costs_a_fifteenth_and_writes_nothing(tmp_path: Path) -> None:
    nothing = {"name": "Nothing", "ansible.builtin.meta": "noop"}
    ours = {
        "name": "Backups",
        "scs.landscape.volume_backup_run": {"cloud": "member", "policy": "gold", "run_id": "today"},
    }
    backup = {"cloud": "member", "name": "backup-{{ item }}-0", "volume": "volume-{{ item }}"}
    items = list(range(0, PRESENT, PART))
    theirs = {"name": "Backup", "openstack.cloud.volume_backup": backup, "loop": items}
    with standing(tmp_path / "store", PRESENT, AGES, "gold/today") as cinder:
        empty, _said = play(cinder, tmp_path, [nothing])
        cpu, said = play(cinder, tmp_path, [ours])
        assert "CHANGED" not in said
        requests = cinder.facts()[0]
        assert {method for method, _path in requests} == {"GET"}
        part, said = play(cinder, tmp_path, [theirs])
        assert "CHANGED" not in said
    loops = (part - empty) * PART + empty
    print(f"\n{PRESENT} volumes that have the backup of this run:")
    print(f"  scs.landscape: {cpu:.1f} s of CPU, {len(requests)} requests, none of them writes")
    print(f"  openstack.cloud: {loops:.1f} s of CPU for all, from {part:.1f} s for {len(items)}")
    print(f"  ratio {loops / cpu:.1f} (limit {MIN_RATIO:.0f}); an empty play takes {empty:.1f} s of CPU")
    assert loops >= MIN_RATIO * cpu


def test_30_backups_four_at_once_are_much_faster_than_one_by_one_and_never_more_than_four(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    took, most = {}, {}
    for limit in (1, LIMIT):
        with standing(tmp_path, MANY, seconds=SECONDS) as cinder:
            monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(cinder.clouds))
            began = time.monotonic()
            done = call("volume_backup_run", {"cloud": "member", "policy": "gold", "max_parallel": limit})
            took[limit] = time.monotonic() - began
            assert (done.failed, done.steps_done) == ("", MANY)
            most[limit] = cinder.facts()[1]
    speedup = took[1] / took[LIMIT]
    print(f"\n{MANY} backups of {SECONDS:.0f} s: one by one {took[1]:.1f} s, {LIMIT} at once {took[LIMIT]:.1f} s,")
    print(f"  {speedup:.1f} times as fast; at once at most {most[LIMIT]}")
    assert most == {1: 1, LIMIT: LIMIT}
    assert speedup >= MIN_SPEEDUP
