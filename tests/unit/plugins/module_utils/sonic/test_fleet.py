# SPDX-License-Identifier: Apache-2.0
"""Two sides of a fabric: every way to the same plan gives the same plan, and says what it leaves alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import fleet, plan
from ansible_collections.scs.landscape.plugins.modules import sonic_render
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import fabrics

SECRETS = {"snmp_communities": ["canary"], "tacacs_passkey": "canary"}
RENDERING = fleet.Rendering("", (), False, SECRETS)


def fabric() -> dict[str, Any]:
    """The test fabric, to be changed at will."""
    text = fabrics.REPO.joinpath(*fabrics.LANDSCAPES["fabric"], "landscape.yml").read_text("utf-8")
    return yaml.safe_load(text)


def write(document: dict[str, Any], folder: Path) -> str:
    folder.mkdir()
    (folder / "landscape.yml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return str(folder)


def rendered(source: str, dest: Path, **options: Any) -> str:
    """A folder that the module made of a landscape."""
    params = {
        "src": [source],
        "dest": str(dest),
        "switches": [],
        "release": "202605",
        "unmodelled": False,
        "secrets": SECRETS,
        "adopt": False,
        "prune": True,
        "on_finding": "fail",
        "as_of": None,
    }
    done = sonic_render.main({**params, **options}, False)
    assert not done.failed, done.failed
    return str(dest)


def steps(compared: fleet.Comparison) -> dict[str, list[tuple[str, str, Any, Any]]]:
    return {
        name: [
            (step.action, step.name, step.before, step.after)
            for step in plan.plan_switch(name, before, after, "").changes
        ]
        for name, (before, after) in compared.targets().items()
    }


def _fewer_services(document):
    document["services"] = {"snmp_location": "Room 2"}
    document["switches"]["oob1"]["config_db"] = {"SSH_SERVER": None}


def _no_additions(document):
    document["services"].pop("tacacs_servers")
    document["roles"]["oob"].pop("config_db")


def _no_services(document):
    document.pop("services")


def _no_host(document):
    document["hosts"].pop("lab1")
    document["cables"] = [
        one for one in document["cables"] if not one["a"].startswith("lab1/") and "lab1" not in one["b"]
    ]


def _no_management_instance(document):
    document["networks"]["oob"].pop("vrf")


EDITS: dict[str, Callable[[dict[str, Any]], None]] = {
    "fewer services": _fewer_services,
    "no additions": _no_additions,
    "no services": _no_services,
    "no host": _no_host,
    "no management instance": _no_management_instance,
    "no peering": lambda document: document.pop("peerings"),
    "nothing": lambda document: None,
}


#: What is no longer said and stays: it is named, see below.
SILENT = ("nothing", "no additions", "no services")


@pytest.mark.slow
@pytest.mark.accept("S1.6")
@pytest.mark.parametrize("edit", EDITS)
def test_files_and_landscapes_lead_to_the_same_plan(edit, tmp_path):
    """Both ways to say what is there, times both ways to say what is wanted."""
    later = fabric()
    EDITS[edit](later)
    old, new = write(fabric(), tmp_path / "old"), write(later, tmp_path / "new")
    befores = (fleet.Side([], [old]), fleet.Side([rendered(old, tmp_path / "backups")], []))
    afters = (fleet.Side([], [new]), fleet.Side([rendered(new, tmp_path / "wanted")], []))
    made = [steps(fleet.compare(before, after, [], RENDERING)) for before in befores for after in afters]
    assert made[1:] == made[:1] * 3
    assert any(made[0].values()) == (edit not in SILENT)


def test_what_was_taken_out_of_a_landscape_without_a_word_stays_and_is_named(tmp_path):
    later = fabric()
    _no_additions(later)
    old, new = write(fabric(), tmp_path / "old"), write(later, tmp_path / "new")
    compared = fleet.compare(fleet.Side([], [old]), fleet.Side([], [new]), [], RENDERING)
    kept = compared.kept(plan.RUNTIME_OWNED)
    assert kept["oob1"] == {
        "AAA": ["authentication"],
        "SSH_SERVER": ["POLICIES"],
        "TACPLUS": ["global"],
        "TACPLUS_SERVER": ["192.0.2.5", "192.0.2.6"],
    }
    said = " ".join(compared.staying(kept))
    assert "SSH_SERVER" in said
    assert "oob1" in said
    backup = fleet.compare(fleet.Side([rendered(old, tmp_path / "backups")], []), fleet.Side([], [new]), [], RENDERING)
    assert backup.kept(plan.RUNTIME_OWNED) == kept
    said = " ".join(backup.staying(kept))
    assert "TACPLUS" in said
    assert "SSH_SERVER" not in said, "of a switch, it may as well be an operator's"
    later["switches"]["oob1"]["config_db"] = dict.fromkeys(("AAA", "SSH_SERVER", "TACPLUS", "TACPLUS_SERVER"))
    gone = fleet.compare(fleet.Side([], [old]), fleet.Side([], [write(later, tmp_path / "gone")]), [], RENDERING)
    assert "oob1" not in gone.kept(plan.RUNTIME_OWNED)
    assert ("delete", "SSH_SERVER|POLICIES") in {step[:2] for step in steps(gone)["oob1"]}


def test_rows_that_stay_are_named_without_secrets(tmp_path):
    config = {"SNMP_COMMUNITY": {"canary": {"TYPE": "RO"}}, "CRM": {"Config": {}}}
    for name, what in (("before", config), ("after", {"PORT": {}})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "leaf1.json").write_text(json.dumps(what), encoding="utf-8")
    sides = (fleet.Side([str(tmp_path / name)], []) for name in ("before", "after"))
    compared = fleet.compare(*sides, [], RENDERING)
    assert set(compared.kept()["leaf1"]) == {"CRM", "SNMP_COMMUNITY"}
    assert "canary" not in json.dumps(compared.kept())
    assert compared.staying(compared.kept()) == [], "a file speaks for what it has"


def test_a_folder_remembers_what_its_files_speak_for(tmp_path):
    """Also of a run that changes no file, and of switches that a later run leaves out."""
    document = fabric()
    source = write(document, tmp_path / "landscape")
    dest = Path(rendered(source, tmp_path / "made"))
    assert "CRM" not in fleet.written([str(dest)])["oob1"]
    whole = fleet.written([str(dest)])
    document["switches"]["oob1"]["config_db"] = {"CRM": None}
    Path(source, "landscape.yml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    texts = {path.name: path.read_text(encoding="utf-8") for path in dest.glob("*.json")}
    rendered(source, dest, switches=["oob1"])
    assert {path.name: path.read_text(encoding="utf-8") for path in dest.glob("*.json")} == texts
    assert fleet.written([str(dest)]) == {**whole, "oob1": whole["oob1"] | {"CRM"}}


def _same_index(document):
    document["switches"]["leaf2"]["index"] = 21


def _retired(document):
    document["switches"]["leaf2"]["state"] = "retired"


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize(("edit", "rule"), [(_same_index, "A02"), (_retired, "C09")], ids=["same index", "retired"])
def test_a_landscape_that_is_not_rendered_is_not_planned(edit, rule, side, tmp_path):
    wrong = fabric()
    edit(wrong)
    sides = [fleet.Side([], [write(wrong, tmp_path / "wrong")]), fleet.Side([], [write(fabric(), tmp_path / "good")])]
    if side == "after":
        sides.reverse()
    with pytest.raises(InputError, match=rule):
        fleet.compare(*sides, [], RENDERING)
    warned = fleet.compare(*sides, [], fleet.Rendering(secrets=SECRETS, on_finding="warn"))
    assert any(rule in text for text in warned.warnings)
    ignored = fleet.compare(*sides, [], fleet.Rendering(secrets=SECRETS, on_finding="ignore"))
    assert not any(rule in text for text in ignored.warnings)
    assert steps(ignored) == steps(warned)


def with_vni() -> dict[str, Any]:
    """A network that is stretched over the fabric, which 202411 has no models for."""
    document = fabric()
    document["networks"]["tenant"] = {"purpose": "internal", "v4": "10.77.0.0/24", "vlan": 77, "vni": 10077}
    document["roles"]["lab"].pop("asn_scheme")
    document["roles"]["lab"]["networks"] = ["tenant"]
    return document


def test_a_landscape_is_rendered_for_the_release_that_the_switch_runs(tmp_path):
    source = write(fabric(), tmp_path / "landscape")
    sides = (fleet.Side([rendered(source, tmp_path / "backups", release="202411")], []), fleet.Side([], [source]))
    compared = fleet.compare(*sides, [], RENDERING)
    assert {
        name: rows["VERSIONS"]["DATABASE"]["VERSION"] for name, (_old, rows) in compared.pairs.items()
    } == dict.fromkeys(compared.pairs, "version_202411_01")
    assert len(compared.pairs) == 6
    assert not any(steps(compared).values())


def test_what_the_release_of_a_switch_cannot_do_is_refused(tmp_path):
    old = write(fabric(), tmp_path / "old")
    backups = rendered(old, tmp_path / "backups", release="202411")
    sides = (fleet.Side([backups], []), fleet.Side([], [write(with_vni(), tmp_path / "new")]))
    with pytest.raises(InputError, match="advertise-all-vni"):
        fleet.compare(*sides, [], RENDERING)


def test_another_release_than_that_of_the_switch_is_refused(tmp_path):
    document = fabric()
    source = write(document, tmp_path / "landscape")
    document = copy.deepcopy(document)
    document["services"]["snmp_location"] = "Room 2"
    backups = rendered(source, tmp_path / "backups", release="202411")
    later = write(document, tmp_path / "later")
    for after in (fleet.Side([], [later]), fleet.Side([rendered(later, tmp_path / "wanted")], [])):
        compared = fleet.compare(fleet.Side([backups], []), after, [], fleet.Rendering("202605", (), False, SECRETS))
        before, target = compared.targets()["leaf1"]
        (obstacle,) = (one for one in plan.plan_switch("leaf1", before, target).obstacles if one.blocks == "all")
        assert obstacle.path == "VERSIONS|DATABASE VERSION"
        assert "202411" in obstacle.reason
        assert "202605" in obstacle.reason
