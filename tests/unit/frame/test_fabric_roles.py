# SPDX-License-Identifier: Apache-2.0
"""A role of the fabric hides nothing: every option of its module can be set through it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

ROLES = {
    "fabric_convert": "sonic_convert",
    "fabric_plan": "sonic_plan",
    "fabric_render": "sonic_render",
    "fabric_validate": "sonic_validate",
}
#: Options that a role leaves at the module's default, and why.
LEFT = {("fabric_plan", "ignore_tables"): "which tables daemons own is no matter of a site"}


def options_of(module: Path) -> set[str]:
    """The options a module takes: the keys of what it hands to run_module."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "run_module":
            spec = node.args[0]
            assert isinstance(spec, ast.Dict)
            return {key.value for key in spec.keys if isinstance(key, ast.Constant)}
    raise AssertionError(f"{module} calls no run_module")


@pytest.mark.parametrize("role", ROLES)
def test_every_option_of_the_module_is_passed(repo: Path, role: str) -> None:
    tasks = yaml.safe_load((repo / "roles" / role / "tasks" / "main.yml").read_text(encoding="utf-8"))
    passed = {name for task in tasks for name in task.get(f"scs.landscape.{ROLES[role]}", {})}
    options = options_of(repo / "plugins" / "modules" / f"{ROLES[role]}.py")
    left = {name for where, name in LEFT if where == role}
    assert passed == options - left
    spec = yaml.safe_load((repo / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    named = {name.removeprefix(f"{role}_") for name in spec["argument_specs"]["main"]["options"]}
    assert named == passed
