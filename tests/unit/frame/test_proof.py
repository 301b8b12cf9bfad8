# SPDX-License-Identifier: Apache-2.0
"""docs/proof.md names what stands behind every feature, and names nothing that is gone."""

from __future__ import annotations

import re

import pytest

KINDS = ("real service", "simulator", "recorded data", "reasoned only", "real tool")
ROW = re.compile(r"^\| (module|inventory|action|filter|role|playbook) \| `([^`]+)` \| ([^|]+) \|", re.MULTILINE)


def features(repo):
    """What a user can call, as (kind, name)."""
    for folder, kind in (("modules", "module"), ("inventory", "inventory"), ("action", "action"), ("filter", "filter")):
        yield from ((kind, file.stem) for file in (repo / "plugins" / folder).glob("[a-z]*.py"))
    yield from (("role", folder.name) for folder in (repo / "roles").glob("*") if folder.is_dir())
    yield from (("playbook", file.stem) for file in (repo / "playbooks").glob("*.yml"))


def test_every_feature_says_what_stands_behind_it(repo):
    rows = ROW.findall((repo / "docs/proof.md").read_text(encoding="utf-8"))
    assert sorted(row[:2] for row in rows) == sorted(features(repo))
    assert not [name for kind, name, proof in rows if not proof.strip().startswith(KINDS)]


def test_every_plugin_has_tests_in_a_file_that_carries_its_name(repo):
    tests = [str(path.relative_to(repo)) for path in (repo / "tests").rglob("*") if path.is_file()]
    plugins = [name for kind, name in features(repo) if kind not in ("role", "playbook")]
    assert [name for name in plugins if not any(name in path for path in tests)] == []


@pytest.mark.accept("V1.26")
def test_what_of_migrations_is_contract_only_is_named(repo):
    text = (
        (repo / "docs/proof.md").read_text(encoding="utf-8").partition("## Migrations from VMware: contract only\n")[2]
    )
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", text.partition("\n## ")[0], re.MULTILINE))
    wanted = ("Windows", "secure boot", "vTPM", "real licences", "real vSAN", "real vCenter", "real ESXi")
    assert [name for name in wanted if not any(name in row for row in rows)] == []
    assert all(len(instead) > 40 for name, instead in rows.items() if name not in ("what", "---"))
    # Whoever migrates is told so where he reads.
    for page in ("docs/migration.md", "docs/runbooks/migration.md"):
        assert "proof.md" in (repo / page).read_text(encoding="utf-8").rpartition("\n\n")[2]
