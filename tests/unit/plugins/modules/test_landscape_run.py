# SPDX-License-Identifier: Apache-2.0
"""The module landscape_run: a run begins, holds its lock, and ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LockedError
from ansible_collections.scs.landscape.plugins.modules import landscape_run

LAB = str(Path(__file__).resolve().parents[4] / "examples" / "embedded")
CTL, LEAF = "em01-ctl-r01-u03", "em01-leaf-r01-u38"


def run(folder, check=False, **options):
    params = {"src": [LAB], "state": "begun", "playbook": "lab_deploy", "folder": str(folder), "hold": True}
    return landscape_run.main({**params, "targets": {}, "run": None, **options}, check)


def test_a_landscape_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "broken.yml"
    path.write_text("version: 1\nhosts: [", encoding="utf-8")
    assert "broken.yml" in run(tmp_path, src=[str(path)]).failed


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
