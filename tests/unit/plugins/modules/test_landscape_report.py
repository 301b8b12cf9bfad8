# SPDX-License-Identifier: Apache-2.0
"""The module landscape_report: what is written at the end of a run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.modules import landscape_report, landscape_run

LAB = str(Path(__file__).resolve().parents[4] / "examples" / "embedded")
CTL = "em01-ctl-r01-u03"


@pytest.fixture
def begin(tmp_path):
    """Begin a run in the folder ``state``."""

    def begin(check=False):
        known = {"src": [LAB], "state": "begun", "playbook": "lab_deploy", "folder": str(tmp_path / "state")}
        return landscape_run.main({**known, "hold": True, "targets": {}, "run": None}, check).values["run"]

    return begin


def reporting(begun, check=False, **options):
    params = {
        "src": [LAB],
        "dest": None,
        "keep": 20,
        "run": begun,
        "results": {CTL: {}},
        "alive": [CTL],
        "cables": None,
        "fabric": {},
    }
    return landscape_report.main(
        {**params, "gates": [], "clock": {}, "table": False, "predicted": False, **options}, check
    )


def test_a_landscape_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "broken.yml"
    path.write_text("version: 1\nhosts: [", encoding="utf-8")
    assert (
        "broken.yml"
        in reporting({"id": "2026-11-21T13-12-13-lab_deploy-0a1b", "playbook": "lab_deploy"}, src=[str(path)]).failed
    )


def test_a_report_is_written_and_ends_the_run(tmp_path, begin):
    begun = begin()
    result = reporting(begun, dest=str(tmp_path / "runs"), clock={"reach": 1.0})
    assert not result.changed
    assert result.values["status"] == "passed"
    assert Path(result.values["files"]["html"]).exists()
    assert result.values["summary"][-2].endswith("report.html")
    assert os.listdir(tmp_path / "state") == []


def test_a_report_in_check_mode_writes_nothing(tmp_path, begin):
    begun = begin(check=True)
    result = reporting(begun, check=True, dest=str(tmp_path / "runs"))
    assert result.values["files"] == {}
    assert os.listdir(tmp_path) == []


def test_a_report_needs_a_run():
    with pytest.raises(InputError, match="no id"):
        reporting({})
