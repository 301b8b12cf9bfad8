# SPDX-License-Identifier: Apache-2.0
"""The modules lldp_cables, landscape_guard, landscape_run and landscape_report: what they return, and when they fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LockedError
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Plan, Step
from ansible_collections.scs.landscape.plugins.modules import (
    landscape_guard,
    landscape_report,
    landscape_run,
    lldp_cables,
)

LAB = str(Path(__file__).resolve().parents[4] / "examples" / "embedded")
CTL, LEAF = "em01-ctl-r01-u03", "em01-leaf-r01-u38"
PLAN = Plan((Step("update", "file /etc/hosts", "a", "b"),)).as_dict()


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.yml"
    path.write_text("version: 1\nhosts: [", encoding="utf-8")
    return [str(path)]


def cables(**options):
    return lldp_cables.main({"src": [LAB], "observed": {}, "ignore_ports": [], "fail_on": [], **options}, False)


def guard(check=False, **options):
    return landscape_guard.main({"src": [LAB], "plans": {}, "environment": None, "confirm": [], **options}, check)


def run(folder, check=False, **options):
    params = {"src": [LAB], "state": "begun", "playbook": "lab_deploy", "folder": str(folder), "hold": True}
    return landscape_run.main({**params, "targets": {}, "run": None, **options}, check)


def reporting(begun, check=False, **options):
    params = {
        "src": [LAB],
        "dest": None,
        "keep": 20,
        "run": begun,
        "results": {CTL: {}},
        "alive": [CTL],
        "cables": None,
    }
    return landscape_report.main(
        {**params, "gates": [], "clock": {}, "table": False, "predicted": False, **options}, check
    )


def test_every_module_refuses_a_landscape_it_cannot_read(broken, tmp_path):
    begun = {"id": "2026-11-21T13-12-13-lab_deploy-0a1b", "playbook": "lab_deploy"}
    assert "broken.yml" in cables(src=broken).failed
    assert "broken.yml" in guard(src=broken).failed
    assert "broken.yml" in run(tmp_path, src=broken).failed
    assert "broken.yml" in reporting(begun, src=broken).failed


def test_cables_fail_only_when_told_to():
    observed = {LEAF: {"neighbors": [{"port": "Ethernet20", "peer": "printer", "peer_port": "lan"}]}}
    calm = cables(observed=observed)
    assert not calm.failed
    assert calm.values["counts"]["unexpected"] == 1
    assert "Pull the plug" in calm.values["advice"][0]
    strict = cables(observed=observed, fail_on=["unexpected"])
    assert strict.failed.startswith("unexpected: em01-leaf-r01-u38/Ethernet20 sees printer/lan")
    assert strict.values == calm.values
    assert cables(fail_on=["unknown"]).failed.startswith("unknown: Nothing is known about")


def test_the_guard_lets_an_unprotected_environment_pass():
    result = guard(plans={CTL: [PLAN]})
    assert not result.failed
    assert result.values["allowed"]
    assert [gate["environment"] for gate in result.values["gates"]] == ["demo"]


def test_the_guard_asks_and_is_content_with_the_answer():
    plans = {"stranger": {"a": {"changed": True, "plan": PLAN}}}
    asked = guard(plans=plans)
    assert "landscape_confirm=" in asked.failed
    looked = guard(check=True, plans=plans)
    assert not looked.failed
    assert looked.values["demand"] == asked.failed
    assert not guard(plans=plans, confirm=[looked.values["gates"][0]["confirmation"]]).failed


def test_the_guard_refuses_all_and_machines_of_another_environment():
    with pytest.raises(InputError, match="stands for everything"):
        guard(environment="all")
    with pytest.raises(InputError, match="meant for prod, but its plans change demo"):
        guard(environment="prod", plans={CTL: [PLAN]})
    assert not guard(environment="demo", plans={CTL: [PLAN]}).failed


def test_a_run_begins_and_ends(tmp_path):
    begun = run(tmp_path).values["run"]
    with pytest.raises(LockedError):
        run(tmp_path)
    assert run(tmp_path, state="ended", run=begun).values["released"]
    assert os.listdir(tmp_path) == []


def test_a_run_in_check_mode_takes_no_lock(tmp_path):
    assert run(tmp_path / "none", check=True).values["run"]["lock"] == ""
    assert not (tmp_path / "none").exists()


def test_a_run_that_would_reach_the_wrong_machines_is_refused(tmp_path):
    targets = {CTL: {"address": "10.0.0.1"}, LEAF: {"address": "10.0.0.1"}}
    with pytest.raises(InputError, match=r"ansible_host is 10.0.0.1 .* Nothing was changed"):
        run(tmp_path, targets=targets)
    assert os.listdir(tmp_path) == []


def test_a_report_is_written_and_ends_the_run(tmp_path):
    begun = run(tmp_path / "state").values["run"]
    result = reporting(begun, dest=str(tmp_path / "runs"), clock={"reach": 1.0})
    assert not result.changed
    assert result.values["status"] == "passed"
    assert Path(result.values["files"]["html"]).exists()
    assert result.values["summary"][-2].endswith("report.html")
    assert os.listdir(tmp_path / "state") == []


def test_a_report_in_check_mode_writes_nothing(tmp_path):
    begun = run(tmp_path / "state", check=True).values["run"]
    result = reporting(begun, check=True, dest=str(tmp_path / "runs"))
    assert result.values["files"] == {}
    assert os.listdir(tmp_path) == []


def test_a_report_needs_a_run():
    with pytest.raises(InputError, match="no id"):
        reporting({})
