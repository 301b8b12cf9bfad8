# SPDX-License-Identifier: Apache-2.0
"""The main job on thirteen machines: it deploys, rests, reports, asks before what is protected, and runs one at a time."""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape.deployment import picture
from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.lab.tests.deploying import (
    Controller,
    Done,
    Running,
    cables_of,
    limit,
    pictures_of,
)

HOST, OTHER = "em01-comp-r01-u04", "em01-comp-r01-u05"
FEW = (HOST, OTHER, "em01-leaf-r01-u38")
DRIFT = "# drifted"
#: A file that the baseline owns as a whole.
FILE = "/etc/systemd/journald.conf.d/50-scs-landscape.conf"


def drift(lab: Lab, *names: str) -> None:
    """Something to do: a line that does not belong into a file of the baseline."""
    for name in names:
        lab.machine(name).run(["sh", "-c", f"echo '{DRIFT}' >>{FILE}"])


def drifted(lab: Lab) -> list[str]:
    return [name for name in lab.machines if DRIFT in lab.machine(name).run(["cat", FILE]).stdout]


@pytest.fixture(scope="module")
def controller(lab: Lab, tmp_path_factory: pytest.TempPathFactory, collections_root: Path) -> Controller:
    """A controller that has deployed once."""
    found = Controller(lab, tmp_path_factory.mktemp("deploy"), collections_root)
    first = found.run("scs.landscape.lab_deploy")
    assert first.rc == 0, first.output[-4000:]
    return found


@pytest.fixture
def protected(lab: Lab, tmp_path: Path, collections_root: Path, controller: Controller) -> Iterator[Controller]:
    """The same machines in an environment that does not say that it is not protected."""
    landscape = tmp_path / "landscape"
    shutil.copytree(lab.landscape, landscape)
    file = landscape / "landscape.yml"
    text = file.read_text(encoding="utf-8")
    assert "    protected: false\n" in text
    file.write_text(text.replace("    protected: false\n", ""), encoding="utf-8")
    yield Controller(lab, tmp_path / "c", collections_root, landscape)
    done = controller.run("scs.landscape.lab_deploy", *limit(HOST, OTHER))
    assert done.rc == 0, done.output[-4000:]


@pytest.fixture(scope="module")
def second(controller: Controller) -> tuple[Done, Path]:
    """A second deploy of all machines, and the folder of its report."""
    return controller.run("scs.landscape.lab_deploy"), (controller.reports / "latest").resolve()


def test_a_second_deploy_changes_nothing(lab, second):
    done, _report = second
    assert done.rc == 0, done.output[-4000:]
    assert set(done.recap()) == set(lab.machines)
    assert done.changed() == {}


@pytest.mark.accept("L1.11")
def test_the_report_says_so_in_every_form(second):
    _done, latest = second
    assert {path.name for path in latest.iterdir()} == {
        f"report.{form}" for form in ("html", "json", "md", "txt", "xml")
    }
    facts = json.loads((latest / "report.json").read_text(encoding="utf-8"))["facts"]
    assert facts["Machines"] == "13 of 13 well"
    assert facts["Cables as written"] == "32 of 32"
    assert [cables_of(drawn) for drawn in pictures_of(latest)] == [{picture.GREEN, picture.PALE}] * 2
    assert "<script" not in (latest / "report.html").read_text(encoding="utf-8")
    assert (
        (latest / "report.txt")
        .read_text(encoding="utf-8")
        .splitlines()[-1]
        .startswith("OK  Deployment of Embedded lab")
    )


def test_drift_is_seen_by_verify_and_mended_by_deploy(lab, controller):
    drift(lab, HOST)
    looked = controller.run("scs.landscape.lab_verify")
    assert looked.rc == 0, looked.output[-4000:]
    assert controller.report()["facts"]["Would change"] == "1"
    assert drifted(lab) == [HOST]
    mended = controller.run("scs.landscape.lab_deploy", *limit(HOST))
    assert mended.rc == 0, mended.output[-4000:]
    assert drifted(lab) == []


def _waiting(lab: Lab, running: Running, task: str, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while task not in running.output and running.process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    assert task in running.output, running.output[-2000:]


@pytest.mark.accept("L1.6")
def test_two_at_once(lab, controller):
    drift(lab, *lab.machines)
    with controller.start("scs.landscape.lab_deploy") as first:
        _waiting(lab, first, "lab_reach : Log in")
        second = controller.run("scs.landscape.lab_deploy")
        assert first.process.poll() is None, "the second one is told while the first one runs"
        done = first.wait()
    assert second.rc != 0
    assert "Another deployment of this landscape is under way" in second.output
    assert "is held by lab_deploy" in second.output
    assert second.changed() == {}
    assert done.rc == 0, done.output[-4000:]
    assert drifted(lab) == []


@pytest.mark.accept("L1.6")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["SIGKILL", "Ctrl-C"])
def test_a_deploy_that_was_ended_is_in_nobodys_way(lab, controller, number):
    drift(lab, *FEW)
    with controller.start("scs.landscape.lab_deploy", *limit(*FEW)) as first:
        _waiting(lab, first, "node_baseline : ")
        first.end(number)
    again = controller.run("scs.landscape.lab_deploy", *limit(*FEW))
    assert again.rc == 0, again.output[-4000:]
    assert drifted(lab) == []


def _wanted(output: str) -> str:
    found = re.search(r"landscape_confirm=\\*\"(demo [0-9a-f]{12})", output)
    assert found, output[-3000:]
    return found[1]


def test_a_protected_environment_asks_and_check_mode_says_what_to_pass(lab, protected):
    assert protected.run("scs.landscape.lab_deploy").rc == 0, "without changes nobody is asked"
    drift(lab, HOST, OTHER)
    both = limit(HOST, OTHER)
    refused = protected.run("scs.landscape.lab_deploy", *both)
    assert refused.rc != 0
    assert "The environment demo is protected" in refused.output
    assert sorted(drifted(lab)) == [HOST, OTHER]
    looked = protected.run("scs.landscape.lab_deploy", *both, "--check")
    assert looked.rc == 0, looked.output[-4000:]
    assert _wanted(looked.output) == _wanted(refused.output)
    limited = protected.run("scs.landscape.lab_deploy", *limit(HOST))
    assert limited.rc != 0, "--limit leaves out machines, never the guard"
    assert "The environment demo is protected" in limited.output
    assert _wanted(limited.output) != _wanted(refused.output)
    everything = {"landscape_confirm": "all 0123456789ab"}
    assert (
        "stands for everything" in protected.run("scs.landscape.lab_deploy", *limit(HOST), variables=everything).output
    )
    stale = protected.run("scs.landscape.lab_deploy", *both, variables={"landscape_confirm": _wanted(limited.output)})
    assert stale.rc != 0
    assert "belongs to another plan" in stale.output
    assert sorted(drifted(lab)) == [HOST, OTHER]
    done = protected.run("scs.landscape.lab_deploy", *both, variables={"landscape_confirm": _wanted(looked.output)})
    assert done.rc == 0, done.output[-4000:]
    assert drifted(lab) == []


def test_the_report_is_there_when_no_machine_can_be_reached(lab, controller, tmp_path):
    nowhere = {name: {"ansible_host": f"192.0.2.{number}"} for number, name in enumerate(sorted(lab.machines), 1)}
    variables = json.loads(lab.inventory.read_text(encoding="utf-8"))["all"]["vars"]
    source = tmp_path / "nowhere.json"
    source.write_text(json.dumps({"all": {"hosts": nowhere, "vars": variables}}), encoding="utf-8")
    began = time.monotonic()
    done = controller.run("scs.landscape.lab_status", "-i", str(source))
    assert done.rc != 0
    assert controller.report()["facts"]["Failed"] == "13"
    assert time.monotonic() - began < 60
    assert all(counters["failed"] for counters in done.recap().values())
