# SPDX-License-Identifier: Apache-2.0
"""The module sonic_render: what it writes, when it refuses, that check mode tells the truth and secrets stay inside."""

from __future__ import annotations

import json

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import client
from ansible_collections.scs.landscape.plugins.modules import sonic_render

SECRETS = {"snmp_communities": ["canary-community"], "tacacs_passkey": "canary-passkey"}


@pytest.fixture
def render(repo, tmp_path):
    """Return a function that runs the module on the test fabric; its result. ``check=True`` for check mode."""

    def run(check=False, **changes):
        params = {
            "src": [str(repo / "tests/unit/fixtures/fabric")],
            "dest": str(tmp_path / "out"),
            "switches": [],
            "release": "202605",
            "unmodelled": False,
            "secrets": {"snmp_communities": [], "tacacs_passkey": None},
            "adopt": False,
            "prune": True,
            "on_finding": "fail",
            "as_of": "2026-01-01",
        }
        return sonic_render.main({**params, **changes}, check)

    return run


def written(folder):
    return sorted(path.name for path in folder.glob("*.json"))


def test_check_mode_writes_nothing_and_plans_what_is_done(render, tmp_path):
    checked = render(check=True)
    assert not (tmp_path / "out").exists()
    assert checked.steps_done == 0
    real = render()
    assert checked.plan == real.plan
    assert checked.changed is real.changed is True
    assert real.values["files"] == written(tmp_path / "out")
    assert real.steps_done == len(real.plan) == 6


@pytest.mark.accept("S1.6")
def test_a_second_run_changes_nothing(render):
    render()
    again = render()
    assert (again.changed, len(again.plan), again.diff, again.steps_done) == (False, 0, [], 0)


def test_files_are_what_a_switch_reads(render, tmp_path):
    render()
    config = client.load_json(str(tmp_path / "out" / "leaf1.json"))
    assert config["DEVICE_METADATA"]["localhost"]["hostname"] == "leaf1"
    assert (tmp_path / "out" / "leaf1.json").read_text(encoding="utf-8").startswith('{\n    "BANNER_MESSAGE"')


def test_without_dest_configurations_are_facts(render, tmp_path):
    result = render(dest=None, switches=["leaf2", "leaf1"])
    assert list(result.values["configs"]) == ["leaf1", "leaf2"]
    assert (result.changed, len(result.plan)) == (False, 0)
    assert not (tmp_path / "out").exists()


def test_some_switches_leave_the_others_alone(render, tmp_path):
    render()
    assert render(switches=["leaf1"], release="202411").steps_done == 1
    assert len(written(tmp_path / "out")) == 6


def test_a_switch_that_is_gone_is_pruned(render, repo, tmp_path):
    render()
    text = (repo / "tests/unit/fixtures/fabric/landscape.yml").read_text(encoding="utf-8")
    source = tmp_path / "landscape.yml"
    source.write_text(text.replace("leaf2:\n    model: as7326\n", "leaf2:\n    model: as7326\n    state: planned\n"))
    kept = render(src=[str(source)], prune=False, on_finding="warn")
    assert [step.action for step in kept.plan.steps if step.object == "leaf2.json"] == []
    gone = render(src=[str(source)], on_finding="warn")
    assert [step.object for step in gone.plan.steps if step.action == "delete"] == ["leaf2.json"]
    assert "leaf2.json" not in written(tmp_path / "out")


def test_files_of_others_are_refused(render, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "leaf1.json").write_text("{}\n", encoding="utf-8")
    with pytest.raises(InputError, match="did not write"):
        render()
    assert render(adopt=True).steps_done == 6


def test_what_the_release_cannot_do_is_refused_before_anything_is_written(render, repo, tmp_path):
    text = (repo / "tests/unit/fixtures/fabric/landscape.yml").read_text(encoding="utf-8")
    source = tmp_path / "landscape.yml"
    source.write_text(text.replace("  leaf: {kind: switch,", "  leaf: {kind: switch, config_db: {SAG: {GLOBAL: {}}},"))
    result = render(src=[str(source)])
    assert "202605 has no model of this table" in result.failed
    assert result.values["files"] == []
    assert [issue["rule"] for issue in result.values["issues"] if issue["severity"] == "error"] == ["SR020", "SR020"]
    assert not (tmp_path / "out").exists()
    asked = render(src=[str(source)], unmodelled=True)
    assert asked.failed == ""
    assert any("SAG" in warning for warning in asked.warnings)


def test_a_wrong_landscape_is_not_rendered(render, tmp_path):
    source = tmp_path / "landscape.yml"
    source.write_text("version: 1\nenvironments: {prod: {vrf: nowhere}}\n", encoding="utf-8")
    result = render(src=[str(source)])
    assert "nowhere" in result.failed
    assert not (tmp_path / "out").exists()
    assert render(src=[str(source)], on_finding="ignore").failed == ""


def test_an_unknown_switch_is_refused(render):
    with pytest.raises(InputError, match="no switch 'nobody'") as caught:
        render(switches=["nobody"])
    assert "There are border1" in caught.value.hint
    with pytest.raises(InputError) as caught:
        render(switches=["laef1"])
    assert "Did you mean leaf1" in caught.value.hint


def modes(folder):
    return {path.stat().st_mode & 0o777 for path in folder.glob("*.json")}


def test_files_with_secrets_are_their_owners_alone(render, tmp_path):
    out = tmp_path / "out"
    render()
    assert not modes(out) & {0o600}, "files without secrets are as the umask says"
    render(secrets=SECRETS)
    assert modes(out) == {0o600}
    (out / "leaf1.json").chmod(0o644)
    checked = render(secrets=SECRETS, check=True)
    assert [(step.action, step.object, step.after) for step in checked.plan.steps] == [
        ("restrict", "leaf1.json", "mode 0600")
    ]
    assert render(secrets=SECRETS).steps_done == 1
    assert modes(out) == {0o600}
    assert not render(secrets=SECRETS).changed


def test_secrets_are_in_the_files_and_nowhere_else(render, tmp_path):
    first = render(secrets=SECRETS)
    text = (tmp_path / "out" / "leaf1.json").read_text(encoding="utf-8")
    assert "canary-community" in text
    assert "canary-passkey" in text
    changed = render(secrets={"snmp_communities": ["canary-other"], "tacacs_passkey": "canary-new"})
    facts = render(secrets=SECRETS, dest=None)
    assert facts.values["configs"]["leaf1"]["SNMP_COMMUNITY"]
    assert "canary" not in json.dumps(facts.values)
    for result in (first, changed, render(check=True)):
        assert result.diff
        shown = json.dumps([result.diff, result.plan.as_dict(), result.values, result.warnings])
        assert "canary" not in shown
