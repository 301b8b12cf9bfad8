# SPDX-License-Identifier: Apache-2.0
"""Users set options for all our modules at once: every module is in the action groups that exist."""

from __future__ import annotations

import yaml


def test_the_group_landscape_lists_every_module(repo):
    runtime = yaml.safe_load((repo / "meta/runtime.yml").read_text(encoding="utf-8"))
    modules = {file.stem for file in (repo / "plugins/modules").glob("[a-z]*.py")}
    groups = runtime["action_groups"]
    assert sorted(groups["landscape"]) == sorted(modules)
    for name, members in groups.items():
        assert set(members) <= modules, f"group {name} lists modules that do not exist"
        assert list(members) == sorted(members), f"group {name} is not sorted"


def test_action_plugins_have_a_documented_module(repo):
    actions = {file.stem for file in (repo / "plugins/action").glob("[a-z]*.py")}
    assert actions <= {file.stem for file in (repo / "plugins/modules").glob("*.py")}
