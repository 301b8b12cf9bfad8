# SPDX-License-Identifier: Apache-2.0
"""A role's argument_specs say what its defaults do, and names do not collide."""

from __future__ import annotations

import yaml


def load(file):
    return yaml.safe_load(file.read_text(encoding="utf-8")) or {} if file.exists() else {}


def roles(repo):
    return sorted(folder for folder in (repo / "roles").glob("*") if folder.is_dir())


def argument_defaults(specs):
    """The defaults that the specifications promise, over all entry points."""
    return {
        name: option["default"]
        for entry in specs["argument_specs"].values()
        for name, option in entry.get("options", {}).items()
        if "default" in option
    }


def test_argument_specs_equal_role_defaults(repo):
    wrong = []
    for role in roles(repo):
        specs = load(role / "meta/argument_specs.yml")
        assert specs, f"{role.name} has no meta/argument_specs.yml"
        promised, real = argument_defaults(specs), load(role / "defaults/main.yml")
        for name in sorted(set(promised) | set(real)):
            if promised.get(name, "no default") != real.get(name, "no default"):
                wrong.append(f"{role.name}: {name} is {real.get(name)!r}, documented {promised.get(name)!r}")
    assert not wrong, "\n".join(wrong)


def test_no_role_is_named_like_a_plugin_or_an_integration_target(repo):
    names = {role.name for role in roles(repo)}
    plugins = {file.stem for file in (repo / "plugins").glob("*/*.py")}
    targets = {folder.name for folder in (repo / "tests/integration/targets").glob("*")}
    assert not names & plugins
    assert not names & targets
