# SPDX-License-Identifier: Apache-2.0
"""The module landscape_guard: who may pass, and what it asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Plan, Step
from ansible_collections.scs.landscape.plugins.modules import landscape_guard

LAB = str(Path(__file__).resolve().parents[4] / "examples" / "embedded")
CTL = "em01-ctl-r01-u03"
PLAN = Plan((Step("update", "file /etc/hosts", "a", "b"),)).as_dict()


def guard(check=False, **options):
    return landscape_guard.main({"src": [LAB], "plans": {}, "environment": None, "confirm": [], **options}, check)


def test_a_landscape_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "broken.yml"
    path.write_text("version: 1\nhosts: [", encoding="utf-8")
    assert "broken.yml" in guard(src=[str(path)]).failed


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
