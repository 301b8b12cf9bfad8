# SPDX-License-Identifier: Apache-2.0
"""``make demo-backup`` as a newcomer types it: twice, by a member alone; and ``make demo-backup-down``."""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.looking import traces
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane
from ansible_collections.scs.landscape.tests.tools import environments, svg_check, yardstick

pytestmark = pytest.mark.full

#: Seconds a demo may take when all is built, on a machine as fast as the yardstick's.
WARM = 240
#: After so many the test calls it hung.
PATIENCE = 3600
_REPORT = re.compile(r"^  Report: +(/\S*/report\.html) ", re.MULTILINE)
_BYTES = re.compile(r"^  (\S+) +([0-9a-f]{16})  ([0-9a-f]{16})  the same$", re.MULTILINE)


def typed(command: str, repo: Path) -> tuple[str, float]:
    """What a command says, and the seconds it would have taken on a machine as fast as the yardstick's."""
    argv = [sys.executable, "-B", "-m", "tests.tools", command]
    pipe, errors = subprocess.PIPE, subprocess.STDOUT
    environ = environments.clean_environ()
    quiet = subprocess.DEVNULL
    with yardstick.meanwhile() as paces:
        began = time.monotonic()
        done = subprocess.run(
            argv,
            cwd=repo,
            env=environ,
            stdin=quiet,
            stdout=pipe,
            stderr=errors,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        seconds = time.monotonic() - began
    # The machine has others to serve, now more, now less, and a demo takes minutes.
    pace = max(1.0, statistics.fmean(paces))
    print(f"{done.stdout}\n{seconds:.0f} s at a pace of {pace:.1f} (between {min(paces):.1f} and {max(paces):.1f})")
    assert done.returncode == 0
    return done.stdout, seconds / pace


def reports(said: str) -> list[tuple[str, dict[str, object]]]:
    """The reports of a demo: the page, and the data."""
    paths = [Path(found) for found in _REPORT.findall(said)]
    return [(one.read_text("utf-8"), json.loads(one.with_name("report.json").read_text("utf-8"))) for one in paths]


def ran_well(said: str) -> None:
    """Everything was deleted and is there again, proven by bytes that the demo read itself; the reports show it."""
    same = _BYTES.findall(said)
    assert [name for name, _before, _after in same] == ["db-root", "db-data", "web-data"]
    assert all(before == after for _name, before, after in same)
    assert len({before for _name, before, _after in same}) == 3
    assert "  servers    as they were\n  ports      as they were\n" in said
    (drill, proofs), (rebuild, brought) = reports(said)
    assert (proofs["status"], brought["status"]) == ("passed", "passed")
    facts = [one["facts"] for one in (proofs, brought)]
    assert [one["Backups"] for one in facts] == ["9", "9"]
    assert [one["Proven"] for one in facts] == ["2 of 9", "2 of 9"]
    assert [one["Restored with the same bytes"] for one in facts] == ["2 of 2", "3 of 3"]
    assert facts[1]["Servers as they were"] == "2 of 2"
    for page in (drill, rebuild):
        chains, times = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
        assert svg_check.problems(chains) + svg_check.problems(times) == []
        body = chains.partition('<g id="legend"')[0]
        # Three chains: a full backup and two that stand on each other.
        assert [body.count(f">{word}</text>") for word in ("full", "incremental")] == [3, 6]
        assert body.count(" Z") == 6
    assert drill.count(">proven 20") >= 2


@pytest.mark.accept("B1.20")
def test_a_member_alone_brings_everything_back_twice_and_nothing_is_left(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = lane("t")
    monkeypatch.setenv("SCS_LANE", name)
    cloud = Cloud(f"demo-{name}-backup", "compute")
    build = repo / "build" / f"demo-{name}-backup"
    try:
        said, _seconds = typed("demo-backup", repo)
        ran_well(said)
        known = json.loads((build / "clouds.yaml").read_text(encoding="utf-8"))
        assert list(known["clouds"]) == ["member"]
        assert known["clouds"]["member"]["auth"]["username"] == "member"
        assert any(traces(str(cloud.folder), set()).values()), "the test sees nothing"
        said, seconds = typed("demo-backup", repo)
        ran_well(said)
        assert seconds <= WARM
        # Nothing an administrator alone may do was tried, but for a look at where backups are stored.
        services = ("keystone", "glance", "cinder", "nova", "neutron")
        refused = {one.path for service in services for one in cloud.access_log(service) if one.status == 403}
        assert refused <= {"/v3/os-services"}
    finally:
        said, _seconds = typed("demo-backup-down", repo)
    assert "the cloud is gone" in said
    left = traces(str(cloud.folder), set())
    assert left == {kind: [] for kind in left}
    assert not cloud.folder.exists()
    assert not any((build / one).exists() for one in ("clouds.yaml", "servers", "digests"))
    shutil.rmtree(build)
