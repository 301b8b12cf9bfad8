# SPDX-License-Identifier: Apache-2.0
"""The module sonic_plan: two sides in, an ordered plan out, nothing touched."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.core.files import Folder
from ansible_collections.scs.landscape.plugins.module_utils.sonic import plan
from ansible_collections.scs.landscape.plugins.modules import sonic_plan
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import changing, fabrics, golden

LAB = Path(__file__).resolve().parents[4] / "examples" / "scs-lab"
BASE = {"DEVICE_METADATA": {"localhost": {"hostname": "x", "mac": "02:00:00:00:00:01"}}, "KDUMP": {"config": {}}}


def run(*, check=False, **options):
    params = {
        **dict.fromkeys(("before", "before_landscape", "after", "after_landscape", "landscape", "release")),
        "switches": [],
        "unmodelled": False,
        "secrets": {},
        "missing_tables": "keep",
        "ignore_tables": list(plan.RUNTIME_OWNED),
        "max_impact": "destroyed",
        "parallel": 0,
        "speeds": {},
        "yang_dir": None,
        "reports": [],
        "on_finding": "fail",
        "as_of": None,
        **options,
    }
    return sonic_plan.main(params, check)


def folder(path, **configs):
    path.mkdir()
    for name, config in configs.items():
        (path / f"{name}.json").write_text(json.dumps(config), encoding="utf-8")
    return [str(path)]


def sides(tmp_path, before, after):
    return {"before": folder(tmp_path / "before", **before), "after": folder(tmp_path / "after", **after)}


def test_two_folders_give_ordered_steps_per_switch_and_in_waves(tmp_path):
    before, after, _recorded = changing.change("4-l2vni-add-and-remove")
    done = run(**sides(tmp_path, {"leaf1": before, "leaf2": before}, {"leaf1": after, "leaf2": after}))
    assert not done.changed
    assert [wave["switches"] for wave in done.values["waves"]] == [["leaf1"], ["leaf2"]]
    assert len(done.plan) == 12
    assert done.values["switches"]["leaf1"]["impact"] == "interrupted"
    assert done.values["switches"]["leaf1"]["steps"][0]["table"] == "VXLAN_TUNNEL_MAP"
    assert [entry["before_header"] for entry in done.diff] == ["leaf1 before", "leaf2 before"]
    assert "VLAN|Vlan12 vlanid: 12" in done.diff[0]["after"]
    json.dumps(done.values)


def test_a_wanted_configuration_need_not_speak_of_everything(tmp_path):
    wanted = {"DEVICE_METADATA": {"localhost": {"hostname": "y"}}}
    files = sides(tmp_path, {"leaf1": BASE}, {"leaf1": wanted})
    kept = run(**files)
    assert [step.after for step in kept.plan.steps] == [{"hostname": "y", "mac": "02:00:00:00:00:01"}]
    removed = run(**files, missing_tables="remove")
    assert sorted(step.action for step in removed.plan.steps) == ["delete", "update"]


def test_the_limit_refuses_and_says_which_row_does_what(tmp_path):
    before, after, _recorded = changing.change("2-routed-to-vlan-member")
    files = sides(tmp_path, {"leaf1": before}, {"leaf1": after})
    done = run(**files, max_impact="degraded")
    assert "INTERFACE|Ethernet4" in done.failed
    assert len(done.plan) == 3
    assert run(**files, max_impact="interrupted").failed == ""


def test_a_configuration_that_contradicts_itself_is_refused_with_what_helps(tmp_path):
    before, after, _recorded = changing.change("13-lag-member-as-vlan-member")
    done = run(**sides(tmp_path, {"mgmt1": before}, {"mgmt1": after}))
    assert "remove PORTCHANNEL_MEMBER|PortChannel01|Ethernet52" in done.failed


@pytest.mark.accept("S1.5")
def test_a_speed_that_the_switch_does_not_support_is_refused(tmp_path):
    """The recorded case: the switch itself says less than its port map."""
    before, after, recorded = changing.change("7b-port-speed-not-supported")
    told = {key.split("|")[1]: row["supported_speeds"] for key, row in recorded["state_db"].items()}
    files = sides(tmp_path, {"leaf1": before}, {"leaf1": after})
    done = run(**files, speeds={"leaf1": told})
    assert recorded["refused"]
    assert "PORT|Ethernet48: the port does not support the speed 40000, but 100000" in done.failed
    assert run(**files).failed == ""
    after["PORT"]["Ethernet48"]["speed"] = "10000"
    Path(files["after"][0], "leaf1.json").write_text(json.dumps(after), encoding="utf-8")
    assert "does not support the speed 10000" in run(**files).failed


@pytest.mark.slow
def test_what_the_models_refuse_is_not_planned(tmp_path):
    golden.need_yanglint()
    before, after, _recorded = changing.change("1-add-vlan")
    files = sides(tmp_path, {"leaf1": before, "leaf2": before}, {"leaf1": after, "leaf2": before})
    models = str(golden.shared("yang", "202605").parent)
    assert run(**files, yang_dir=models).failed == ""
    after["VLAN"]["Vlan5000"] = {"vlanid": "5000"}
    Path(files["after"][0], "leaf1.json").write_text(json.dumps(after), encoding="utf-8")
    assert run(**files).failed == ""
    done = run(**files, yang_dir=models)
    assert "leaf1: VLAN|Vlan5000" in done.failed
    assert [switch for switch in ("leaf1", "leaf2") if done.values["switches"][switch]["obstacles"]] == ["leaf1"]


def test_files_of_the_renderer_speak_for_the_whole_fabric_and_others_for_what_they_have(tmp_path):
    before = {**BASE, "VLAN": {"Vlan7": {"vlanid": "7"}}, "VLAN_MEMBER": {"Vlan7|Ethernet0": {}}}
    folder(tmp_path / "before", leaf1=before)
    sides_of = {"before": [str(tmp_path / "before")], "after": [str(tmp_path / "after")]}
    rendered = Folder(str(tmp_path / "after"), "sonic_render")
    desired = {"leaf1.json": json.dumps({**BASE, "KDUMP": {}})}
    rendered.apply(rendered.plan(desired), desired)
    done = run(**sides_of)
    assert [(step.action, step.payload.name) for step in done.plan.steps] == [
        ("delete", "KDUMP|config"),
        ("delete", "VLAN_MEMBER|Vlan7|Ethernet0"),
        ("delete", "VLAN|Vlan7"),
    ]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "leaf1.json").write_text(desired["leaf1.json"], encoding="utf-8")
    kept = run(**{**sides_of, "after": [str(tmp_path / "other")]})
    assert [(step.action, step.payload.name) for step in kept.plan.steps] == [("delete", "KDUMP|config")]
    assert "VLAN_MEMBER|Vlan7|Ethernet0 port: it needs" in kept.failed


def test_switches_of_one_side_only_are_named_and_not_planned(tmp_path):
    done = run(**sides(tmp_path, {"leaf1": BASE, "leaf2": BASE}, {"leaf1": BASE, "leaf3": BASE}))
    assert done.values["unmatched"] == {"before": ["leaf2"], "after": ["leaf3"]}
    assert len(done.warnings) == 2
    assert not done.plan
    with pytest.raises(InputError, match="leaf2"):
        run(**{side: [str(tmp_path / side)] for side in ("before", "after")}, switches=["leaf2"])


def test_between_landscapes_a_new_switch_goes_first_and_a_retired_one_last(tmp_path):
    whole = yaml.safe_load(
        (fabrics.REPO / "tests" / "unit" / "fixtures" / "fabric" / "landscape.yml").read_text("utf-8")
    )
    less = copy.deepcopy(whole)
    less["switches"].pop("leaf2")
    less["cables"] = [
        cable for cable in whole["cables"] if not any(cable[end].startswith("leaf2/") for end in ("a", "b"))
    ]
    for name, document in (("whole", whole), ("less", less)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "landscape.yml").write_text(json.dumps(document), encoding="utf-8")
    secrets = {"snmp_communities": [], "tacacs_passkey": "canary-key"}
    sides_of = {name: [str(tmp_path / name)] for name in ("whole", "less")}
    came = run(before_landscape=sides_of["less"], after_landscape=sides_of["whole"], secrets=secrets)
    waves = came.values["waves"]
    assert [waves[0]["switches"], waves[0]["kind"]] == [["leaf2"], "new"]
    assert {"spine1", "spine2", "oob1"} <= {name for wave in waves[1:] for name in wave["switches"]}
    assert came.values["unmatched"] == {"before": [], "after": ["leaf2"]}
    assert any(text.startswith("New and not planned row by row") for text in came.warnings)
    gone = run(before_landscape=sides_of["whole"], after_landscape=sides_of["less"], secrets=secrets)
    waves = gone.values["waves"]
    assert [waves[-1]["switches"], waves[-1]["kind"]] == [["leaf2"], "retired"]
    assert "no session and no traffic" in waves[-1]["gate"]


def test_a_file_called_config_db_belongs_to_its_folder(tmp_path):
    for side in ("before", "after"):
        (tmp_path / side).mkdir()
        folder(tmp_path / side / "leaf7", config_db=BASE)
    done = run(before=[str(tmp_path / "before")], after=[str(tmp_path / "after")])
    assert list(done.values["switches"]) == ["leaf7"]


def test_two_files_of_one_switch_are_refused(tmp_path):
    one, other = folder(tmp_path / "one", leaf1=BASE), folder(tmp_path / "other", leaf1=BASE)
    with pytest.raises(InputError, match="both of leaf1"):
        run(before=[*one, *other], after=one)


def test_what_is_no_configuration_is_refused_with_its_place(tmp_path):
    wrong = {"VLAN": {"Vlan10": {"vlanid": 10}}}
    with pytest.raises(InputError, match=r"VLAN\|Vlan10 vlanid"):
        run(**sides(tmp_path, {"leaf1": BASE}, {"leaf1": wrong}))


@pytest.mark.parametrize("ending", ["md", "json", "xml", "html"])
def test_reports_are_written_once_and_not_in_check_mode(tmp_path, ending):
    before, after, _recorded = changing.change("12-local-asn")
    files = sides(tmp_path, {"leaf1": before}, {"leaf1": after})
    path = tmp_path / f"plan.{ending}"
    checked = run(**files, reports=[str(path)], check=True)
    assert checked.changed
    assert not path.exists()
    done = run(**files, reports=[str(path)])
    assert (done.steps_done, done.plan.digest) == (1, checked.plan.digest)
    text = path.read_text(encoding="utf-8")
    assert "restart of the bgp container" in text or ending == "xml"
    assert not run(**files, reports=[str(path)]).changed


def test_an_unknown_form_of_report_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"plan\.pdf"):
        run(**sides(tmp_path, {"leaf1": BASE}, {"leaf1": BASE}), reports=["plan.pdf"])


def test_secrets_stay_inside(tmp_path):
    before = {**BASE, "SNMP_COMMUNITY": {"canary-old": {"TYPE": "RO"}}}
    after = {**BASE, "SNMP_COMMUNITY": {"canary-new": {"TYPE": "RO"}, "canary-more": {"TYPE": "RW"}}}
    files = sides(tmp_path, {"leaf1": before}, {"leaf1": after})
    report = tmp_path / "plan.md"
    done = run(**files, reports=[str(report)])
    said = json.dumps([done.plan.as_dict(), done.values, done.diff]) + report.read_text(encoding="utf-8")
    assert "canary" not in said
    assert len(done.plan) == 3


def test_the_landscape_beside_itself_changes_nothing_and_knows_its_pairs():
    done = run(before_landscape=[str(LAB)], after_landscape=[str(LAB)])
    assert done.values["switches"]
    assert not done.plan
    assert done.values["waves"] == []


def test_the_redundancy_groups_of_the_landscape_keep_pairs_apart(tmp_path):
    rendered = run(before_landscape=[str(LAB)], after_landscape=[str(LAB)]).values["switches"]
    before = dict.fromkeys(rendered, BASE)
    after = {name: {**BASE, "NTP_SERVER": {"192.0.2.1": {}}} for name in rendered}
    done = run(**sides(tmp_path, before, after), landscape=[str(LAB)], parallel=4)
    waves = [wave["switches"] for wave in done.values["waves"]]
    assert sorted(name for wave in waves for name in wave) == sorted(rendered)
    view = sonic_plan.fleet.load([str(LAB)])
    groups = sonic_plan.fleet.groups(view)
    assert groups
    for group in groups:
        for wave in waves:
            assert len(set(wave) & set(group.members)) <= 1, (group.name, wave)
