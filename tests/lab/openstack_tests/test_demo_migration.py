# SPDX-License-Identifier: Apache-2.0
"""``make demo-migration`` as a newcomer types it: stopped in its middle, gone on with, a second time; and ``make demo-migration-down``."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.disks import until
from ansible_collections.scs.landscape.tests.lab.openstack_tests.looking import traces
from ansible_collections.scs.landscape.tests.lab.openstack_tests.test_demo_backup import PATIENCE, WARM, typed
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane
from ansible_collections.scs.landscape.tests.tools import demo_migration, environments, svg_check, yardstick

pytestmark = pytest.mark.full

_REPORT = re.compile(r"^  Report: +(/\S*/report\.html) ", re.MULTILINE)
_SAME = re.compile(r"^  (\S+) +disk (\d+) +\d+ MiB, the same bytes$", re.MULTILINE)


def interrupted(repo: Path, at: str) -> str:
    """What the demo says until somebody presses Ctrl-C while it is at a task; all of it has ended then."""
    argv = [sys.executable, "-B", "-m", "tests.tools", "demo-migration"]
    pipe, errors = subprocess.PIPE, subprocess.STDOUT
    said, end = [], time.monotonic() + PATIENCE
    with subprocess.Popen(
        argv,
        cwd=repo,
        env=environments.clean_environ(),
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=errors,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if at in line:
                time.sleep(2)  # into the task
                os.killpg(process.pid, signal.SIGINT)
                break
            assert time.monotonic() < end
        assert process.wait(300 * yardstick.pace()) != 0, "".join(said)
    assert at in said[-1], "".join(said)[-3000:]
    return "".join(said)


def ran_well(said: str) -> Path:
    """All bytes, servers and sources are as they should be; the report."""
    wanted = [(one.name, str(key)) for one in demo_migration.GUESTS for key in one.disks]
    assert _SAME.findall(said) == wanted
    assert "  mail      server     ACTIVE, boots from 2001 by bios, 00:50:56:aa:00:01 10.7.0.21\n" in said
    assert "  web       server     ACTIVE, boots from 2000 by uefi, 00:50:56:aa:00:02 10.7.0.22\n" in said
    assert said.count(" source     off, disconnected, does not start by itself\n") == 3
    (page,) = map(Path, _REPORT.findall(said))
    data = json.loads(page.with_name("report.json").read_text("utf-8"))
    assert data["status"] == "passed"
    facts = data["facts"]
    assert (facts["Machines done"], facts["Volumes read back"]) == ("3 of 3", "4 of 4")
    assert facts["Disks"] == "4, 1.6 GiB"
    tables = {table["title"]: table["rows"] for table in data["tables"]}
    assert len(tables["Timeline"]) == len(tables["Servers"]) == 3
    assert all(row["Rate"].endswith("/s") and float(row["Seconds"]) > 0 for row in tables["Disks"])
    archive = next(row for row in tables["Disks"] if row["Disk"].startswith("archive "))
    # Zeroes are not sent: 51 of 1024 MiB are data.
    assert (archive["Size"], archive["Data"], archive["Sent"]) == ("1 GiB", "51 MiB", "51 MiB")
    assert {row["What"] for row in tables["What was verified, and how"]} == {"blocks", "properties", "ports", "server"}
    (drawn,) = re.findall(r"<svg .*?</svg>", page.read_text("utf-8"), re.DOTALL)
    assert svg_check.problems(drawn) == []
    return page


def test_three_machines_move_once_whatever_comes_between_and_nothing_is_left(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = lane("t")
    monkeypatch.setenv("SCS_LANE", name)
    whole = f"demo-{name}-migration"
    cloud, build = Cloud(whole, "compute"), repo / "build" / whole
    programs = str(build / "variables.json")
    try:
        interrupted(repo, "Move the disks")
        assert until(lambda: not traces(programs, set())["processes"], 120 * yardstick.pace())
        said, _seconds = typed("demo-migration", repo)
        page = ran_well(said)
        assert "This run changed nothing" not in said
        before = page.read_bytes()
        said, seconds = typed("demo-migration", repo)
        assert ran_well(said).read_bytes() == before
        assert "This run changed nothing and moved no byte" in said
        assert seconds <= WARM
        assert any(traces(str(cloud.folder), set()).values()), "the test sees nothing"
    finally:
        said, _seconds = typed("demo-migration-down", repo)
    assert "both ends are gone" in said
    left = traces(whole, set())
    assert left == {kind: [] for kind in left}
    assert not cloud.folder.exists()
    kept = {"report", *(f"vm_{one}.log" for one in ("assess", "plan", "migrate"))}
    assert {one.name for one in build.iterdir()} == kept
    shutil.rmtree(build)
