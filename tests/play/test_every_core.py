# SPDX-License-Identifier: Apache-2.0
"""What must hold on every core we support: plugins are found, the lab is an inventory, check mode writes nothing."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def lab(repo):
    """The SCS lab's description."""
    return repo / "examples/scs-lab"


@pytest.mark.parametrize(("kind", "folder"), [("module", "modules"), ("inventory", "inventory")])
def test_documentation_is_found(ansible, repo, kind, folder):
    names = [f"scs.landscape.{file.stem}" for file in sorted((repo / "plugins" / folder).glob("[a-z]*.py"))]
    assert set(json.loads(ansible("ansible-doc", "--json", "-t", kind, *names).stdout)) == set(names)


def test_playbooks_are_understood(ansible, repo):
    for playbook in sorted((repo / "playbooks").glob("*.yml")):
        ansible("ansible-playbook", "-i", "localhost,", "--syntax-check", f"scs.landscape.{playbook.stem}")


def test_the_lab_is_an_inventory(inventory, lab, tmp_path):
    source = tmp_path / "lab.landscape.yml"
    source.write_text(f"plugin: scs.landscape.landscape\nsrc: [{lab}]\n", encoding="utf-8")
    hosts = inventory(source)["_meta"]["hostvars"]
    assert len(hosts) >= 21 + 12


def test_check_mode_of_the_docs_writes_nothing(play, lab, tmp_path):
    target = tmp_path / "docs"
    variables = {"lab_docs_src": [str(lab)], "lab_docs_dest": str(target)}
    results = play("scs.landscape.lab_docs", "--check", "--diff", variables=variables)
    assert any(result.get("changed") for result in results)
    assert not target.exists()


def test_the_lab_is_valid(play, lab):
    assert play("scs.landscape.lab_validate", "--check", variables={"lab_validate_src": [str(lab)]})
