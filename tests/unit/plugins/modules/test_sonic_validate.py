# SPDX-License-Identifier: Apache-2.0
"""The module sonic_validate: the lab's backups, what fails it, what it writes, what it says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import client, inspection, inspection_report
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint import validate
from ansible_collections.scs.landscape.plugins.modules import sonic_validate
from ansible_collections.scs.landscape.tests.tools import gen_sonic_rules_page
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import clean_fabric, golden

EXPECTED = Path(__file__).resolve().parents[4] / "tests" / "unit" / "fixtures" / "sonic" / "expected.yml"
DAY = "2026-11-21"
FORMS = ("json", "md", "xml", "html", "sarif")


def run(*src, check=False, **options):
    params = {
        "src": [str(path) for path in src],
        "release": None,
        "dialect": None,
        "yang_dir": None,
        "checks": ["lint"],
        "landscape": [],
        "port_config": [],
        "expected": None,
        "fail_on": "error",
        "reports": [],
        "as_of": DAY,
        **options,
    }
    return sonic_validate.main(params, check)


@pytest.fixture
def fabric(tmp_path):
    """The clean fabric as files, and a way to change a switch of it."""
    folder = tmp_path / "switches"
    folder.mkdir()
    made = clean_fabric.configs()

    def write(change=lambda _configs: None):
        change(made)
        for name, config in made.items():
            (folder / f"{name}.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
        return folder

    return write


def judged_backups(**options):
    golden.need_yanglint()
    folder = golden.path_of(golden.BACKUPS[0]).parent
    return run(folder, checks=["yang", "lint"], yang_dir=str(golden.shared("yang")), **options)


@pytest.mark.slow
@pytest.mark.accept("S1.2")
def test_the_labs_backups_have_exactly_the_findings_that_are_expected():
    entries = client.load_expected(str(EXPECTED))
    result = judged_backups(fail_on="never")
    places = [
        tuple(found[name] for name in ("rule", "switch", "table", "key", "field"))
        for found in result.values["findings"]
    ]
    assert Counter(places) == Counter(
        (entry["rule"], entry["switch"], entry["table"], entry["key"], entry["field"]) for entry in entries
    )
    assert all(entry["reason"].endswith(".") and len(entry["reason"].split()) > 6 for entry in entries)
    assert [found["switch"] for found in result.values["findings"] if found["rule"] == "SY003"] == [golden.BACKUPS[2]]


@pytest.mark.slow
@pytest.mark.accept("S1.2")
def test_with_the_expected_list_the_backups_pass_at_every_severity():
    result = judged_backups(fail_on="info", expected=str(EXPECTED))
    assert result.failed == ""
    assert result.values["passed"]
    assert result.values["counts"] == {"info": 0, "warning": 0, "error": 0, "waived": 40}


@pytest.mark.slow
@pytest.mark.accept("S1.2")
def test_one_more_fault_in_a_backup_fails(tmp_path):
    for name in golden.BACKUPS:
        config = golden.config(name)
        config["PORT"]["Ethernet0"]["speed"] = "12345"
        (tmp_path / f"{name}.json").write_text(json.dumps(config), encoding="utf-8")
    golden.need_yanglint()
    options = {"checks": ["yang", "lint"], "yang_dir": str(golden.shared("yang"))}
    result = run(tmp_path, expected=str(EXPECTED), **options)
    assert result.failed.startswith("3 findings in the switch configurations\n")
    assert result.failed.count("SL103") == 3


def test_a_clean_fabric_passes(fabric):
    result = run(fabric(), fail_on="warning")
    assert (result.failed, result.changed, result.steps_done) == ("", False, 0)
    assert sorted(result.values["switches"]) == ["leaf1", "leaf2", "spine1"]


def test_a_broken_one_fails_and_says_where(fabric):
    folder = fabric(lambda made: made["leaf1"]["PORT"]["Ethernet48"].update(mtu="1500", speed="12345"))
    result = run(folder)
    assert not result.values["passed"]
    assert result.failed.startswith("3 findings in the switch configurations\n")
    assert "leaf1: error SL803 PORT|Ethernet48 mtu" in result.failed
    assert run(folder, fail_on="never").failed == ""


@pytest.mark.slow
def test_models_are_asked_for_the_release_that_is_given(fabric, monkeypatch):
    golden.need_yanglint()
    monkeypatch.setenv("SONIC_YANG_DIR", str(golden.shared("yang")))
    folder = fabric()
    assert run(folder, checks=["yang"]).failed == ""
    assert "advertise-all-vni" in run(folder, checks=["yang"], release="202411").failed


def test_without_models_it_says_so(fabric, monkeypatch, tmp_path):
    monkeypatch.delenv("SONIC_YANG_DIR", raising=False)
    with pytest.raises(InputError, match="no YANG models"):
        run(fabric(), checks=["yang"], yang_dir=str(tmp_path))
    with pytest.raises(InputError, match="where the YANG models of 202605 are"):
        run(fabric(), checks=["yang"])


@pytest.mark.slow
def test_what_no_model_judged_does_not_pass(fabric):
    golden.need_yanglint()
    folder = fabric(lambda made: made["leaf1"]["VERSIONS"]["DATABASE"].update(VERSION="version_2_0_4"))
    options = {"checks": ["yang"], "yang_dir": str(golden.shared("yang"))}
    result = run(folder, **options)
    assert [found["switch"] for found in result.values["findings"] if found["rule"] == "SY003"] == ["leaf1"]
    assert "say which release" in result.failed
    assert run(folder, release="202605", **options).failed == ""
    assert "SY003" not in run(folder).failed


@pytest.mark.accept("S1.2")
def test_reports_in_every_form(fabric, tmp_path):
    folder = fabric(lambda made: made["leaf1"]["PORT"]["Ethernet48"].update(mtu="1500"))
    reports = [str(tmp_path / "out" / f"report.{form}") for form in FORMS]
    checked = run(folder, reports=reports, check=True, fail_on="never")
    assert checked.changed
    assert not (tmp_path / "out").exists()
    done = run(folder, reports=reports, fail_on="never")
    assert done.steps_done == len(FORMS)
    assert done.plan.as_dict() == checked.plan.as_dict()
    assert not run(folder, reports=reports, fail_on="never").changed
    written = {path.suffix: path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()}
    assert "SL803" in written[".md"]
    assert "SL803" in written[".html"]
    failures = ElementTree.fromstring(written[".xml"]).iter("failure")
    assert [failure for failure in failures if "SL803" in failure.get("message")]
    assert json.loads(written[".json"])["status"] == "failed"
    results = json.loads(written[".sarif"])["runs"][0]["results"]
    found = next(result for result in results if result["ruleId"] == "SL803")
    region = found["locations"][0]["physicalLocation"]
    lines = (folder / "leaf1.json").read_text(encoding="utf-8").splitlines()
    assert '"mtu": "1500"' in lines[region["region"]["startLine"] - 1]
    assert region["artifactLocation"]["uri"].endswith("/switches/leaf1.json")


def test_sarif_names_files_as_their_repository_does(fabric, tmp_path):
    folder = fabric(lambda made: made["leaf1"]["PORT"]["Ethernet48"].update(mtu="1500"))
    (folder.parent / ".git").mkdir()
    run(folder, reports=[str(tmp_path / "report.sarif")], fail_on="never")
    results = json.loads((tmp_path / "report.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    uris = {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results}
    assert uris == {f"switches/{name}.json" for name in ("leaf1", "leaf2", "spine1")}


def test_unknown_forms_of_reports_are_refused_before_anything_is_read():
    with pytest.raises(InputError, match=r"report\.pdf"):
        run("/does/not/exist", reports=["report.pdf"])


def test_cables_of_a_landscape_are_the_links(fabric, monkeypatch):
    def change(made):
        for config in made.values():
            for row in config["PORT"].values():
                row.pop("description", None)
        made["leaf1"]["PORT"]["Ethernet48"]["mtu"] = "1500"

    class Cable:
        a, b, state = "leaf1/Ethernet48", "spine1/Ethernet0", "active"

    class View:
        class landscape:  # noqa: N801 - stands for an attribute
            cables = (Cable,)

    folder = fabric(change)
    assert "SL803" not in run(folder, fail_on="never").failed
    assert run(folder).failed == ""
    monkeypatch.setattr(sonic_validate.fleet, "load", lambda _sources: View)
    assert "SL803" in run(folder, landscape=["lab"]).failed


def test_port_maps_of_other_models(fabric, tmp_path):
    file = tmp_path / "Other-1X.ini"
    file.write_text("# name lanes alias index speed\nEthernet0 9 one 1 10000\n", encoding="utf-8")
    folder = fabric(lambda made: made["leaf1"]["DEVICE_METADATA"]["localhost"].update(hwsku="Other-1X"))
    assert "SL102" not in run(folder, fail_on="never").failed
    assert "SL102" in run(folder, port_config=[str(file)]).failed


@pytest.mark.accept("S1.2")
def test_a_value_of_the_wrong_form_is_a_finding_and_the_rest_is_judged(tmp_path):
    (tmp_path / "leaf1.json").write_text('{"PORT": {"Ethernet0": {"mtu": 9100, "lanes": "3"}}, "VLAN": []}')
    found = [
        (issue["rule"], issue["table"], issue["field"]) for issue in run(tmp_path, fail_on="never").values["findings"]
    ]
    assert ("SL001", "PORT", "mtu") in found
    assert ("SL001", "VLAN", "") in found


def test_no_secret_is_in_what_is_returned_or_written(fabric, monkeypatch, tmp_path):
    golden.need_yanglint()
    monkeypatch.setenv("SONIC_YANG_DIR", str(golden.shared("yang")))

    def change(made):
        made["leaf1"]["SNMP_COMMUNITY"] = {"CaNaRy @1": {"TYPE": "RX"}, "CaNaRy-2": {"TYPE": ["CaNaRy-3,"]}}
        made["leaf1"]["TACPLUS"] = {"global": {"passkey": "CaNaRy 4 with spaces"}}
        made["leaf1"]["BGP_NEIGHBOR"]["default|Ethernet48"]["auth_password"] = ["CaNaRy-5"]

    reports = [str(tmp_path / "out" / f"report.{form}") for form in FORMS]
    result = run(fabric(change), checks=["yang", "lint"], reports=reports, fail_on="never")
    found = {(issue["rule"], issue["table"]) for issue in result.values["findings"]}
    assert {("SY001", "SNMP_COMMUNITY"), ("SY001", "TACPLUS"), ("SL007", "SNMP_COMMUNITY")} <= found
    said = [json.dumps(result.values), json.dumps(result.plan.as_dict()), json.dumps(result.diff)]
    said += [path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()]
    assert not [
        text for text in said if "CaNaRy-2" in text or "CaNaRy @" in text or "CaNaRy 4" in text or "CaNaRy-5" in text
    ]


def test_two_files_of_one_switch_are_refused(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "leaf1.json").write_text("{}")
    with pytest.raises(InputError, match="both of leaf1"):
        run(tmp_path)


def test_one_finding_is_one(tmp_path):
    issue = validate.RULES["SL101"].issue("leaf1", "PORT", "Ethernet0", "lanes", "text")
    assert inspection_report.failure([issue]).startswith("1 finding in")
    assert "5 more" in inspection_report.failure([issue] * 25)


@pytest.mark.parametrize("text", ["rule: SL101", "- [", "3"], ids=["mapping", "cut off", "number"])
def test_expected_files_of_another_form(tmp_path, text):
    file = tmp_path / "expected.yml"
    file.write_text(text)
    with pytest.raises(InputError, match="expected"):
        client.load_expected(str(file))


def test_expected_files_may_be_json_or_empty(tmp_path):
    (tmp_path / "expected.json").write_text('[{"rule": "SL101"}]')
    assert client.load_expected(str(tmp_path / "expected.json")) == [{"rule": "SL101"}]
    (tmp_path / "expected.yml").write_text("")
    assert client.load_expected(str(tmp_path / "expected.yml")) == []


def test_the_page_of_rules_is_current(repo):
    assert (repo / gen_sonic_rules_page.PAGE).read_text(encoding="utf-8") == gen_sonic_rules_page.page()


def test_the_page_names_every_rule_once(repo):
    page = gen_sonic_rules_page.page()
    for rule in validate.RULES:
        assert page.count(f"\n### {rule}: ") == 1
    assert inspection.CHECKS == ("yang", "lint")
