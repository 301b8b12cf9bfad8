# SPDX-License-Identifier: Apache-2.0
"""Every rule has a failing fixture, found at the exact object, and a passing twin."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape.finding import SEVERITIES
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import registry, validate
from ansible_collections.scs.landscape.tests.tools import gen_rules_page

FIXTURES = Path("tests/unit/fixtures/rules")
#: The objects that the failing fixture of a rule is refused for, one entry per finding.
OBJECTS = {
    "A01": ["hosts/a", "hosts/a", "hosts/b"],
    "A02": ["hosts/b"],
    "A03": ["hosts/a"],
    "A04": ["networks/vpn"],
    "A05": ["hosts/a", "hosts/b", "hosts/c"],
    "A06": ["networks/lab"],
    "A07": ["networks/lab", "networks/lab", "networks/lab"],
    "A08": ["hosts/a"],
    "A09": ["hosts/a", "hosts/b"],
    "A10": ["networks/loop", "networks/old", "networks/oob", "networks/oob", "networks/oob"],
    "A11": ["hosts/n3"],
    "A12": ["switches/a"],
    "B01": ["asn_schemes/old", "hosts/a"],
    "B02": ["switches/b"],
    "B03": ["switches/b"],
    "B04": ["redundancy_groups/spines"],
    "B05": ["switches/a"],
    "C01": ["cables/a/nic0 -- swx/Ethernet0"],
    "C02": ["cables/a/NIC0 -- sw/Ethernet0", "cables/b/nic0 -- provider/x8"],
    "C03": ["switches/sw"],
    "C04": [
        "cables/a/nic0 -- sw/Ethernet8",
        "cables/a/nic0 -- sw/Ethernet8",
        "cables/a/nic1 -- sw/Ethernet1",
        "cables/b/nic0 -- sw/Ethernet2",
    ],
    "C05": ["cables/sw/Ethernet0 -- a/nic0"],
    "C06": ["hosts/b"],
    "C07": ["hosts/a", "hosts/b"],
    "C08": ["cables/a/Ethernet1 -- c/Ethernet1", "cables/b/Ethernet4 -- c/Ethernet4"],
    "C09": ["cables/a/nic0 -- sw/Ethernet0"],
    "C10": ["cables/sw/Ethernet0 -- sw/Ethernet1"],
    "C11": ["cables/b/nic0 -- sw/Ethernet9", "cables/c/MGMT -- b/nic1"],
    "C12": ["cables/b/nic1 -- l2/Ethernet2"],
    "C13": ["cables/a/Ethernet0 -- b/Ethernet0"],
    "E01": ["cables/a/nic0 -- sw/Ethernet0"],
    "E02": ["hosts/a"],
    "E03": ["environments/test"],
    "F01": ["vrfs/blue", "vrfs/red"],
    "F02": ["networks/tenants"],
    "F03": ["cables/a/Ethernet0 -- b/Ethernet0", "networks/tenants", "roles/node", "roles/node"],
    "F04": ["environments/prod", "environments/prod"],
    "F05": ["peerings/up4", "peerings/up4", "peerings/up6"],
    "F06": ["switches/a", "switches/a", "switches/a"],
    "F07": ["networks/blue-tenants", "networks/red-storage"],
    "G01": ["redundancy_groups/databases"],
    "G02": ["redundancy_groups/databases"],
    "G03": ["redundancy_groups/gateways", "redundancy_groups/gateways", "redundancy_groups/managers"],
    "G04": ["redundancy_groups/managers"],
    "G05": ["hosts/a"],
    "G06": ["groups/compute"],
    "G07": ["groups/all", "groups/manager"],
    "G08": ["groups/nodes"],
    "G09": ["hosts/b"],
    "K01": ["feeds/right", "hosts/a", "hosts/a", "naming", "networks/lab", "networks/later", "roles/node"],
    "K02": ["switches/l3"],
    "K03": ["device_models/switch", "device_models/switch"],
    "K04": ["groups/ceph-control", "groups/generic"],
    "K05": ["roles/node"],
    "K06": ["groups/compute"],
    "K07": ["groups/network"],
    "K08": ["switches/l1", "switches/s1"],
    "K09": ["environments/prod"],
    "K10": ["networks/lab"],
    "K11": ["networks/mgmt"],
    "K12": ["switches/l1"],
    "K13": ["device_models/three"],
    "K14": ["hosts/b"],
    "M01": ["device_models/switch", "device_models/switch", "device_models/switch"],
    "M02": ["hosts/a", "switches/c", "switches/c"],
    "M03": ["hosts/a"],
    "M04": ["device_models/box", "device_models/lamp"],
    "M05": ["device_models/two"],
    "N01": ["hosts/web_1"],
    "N02": ["hosts/st01-comp-r01-u09"],
    "N03": ["hosts/b"],
    "N04": ["hosts/b"],
    "N05": ["hosts/a"],
    "N06": ["hosts/a"],
    "N07": ["hosts/b"],
    "O01": ["hosts/a", "hosts/a", "hosts/b"],
    "O02": ["hosts/a", "hosts/a", "hosts/b"],
    "O03": ["hosts/a", "hosts/b", "switches/l1", "switches/l1"],
    "O04": ["switches/l1"],
    "O05": ["hosts/a"],
    "O06": ["devices/gw", "hosts/c"],
    "O07": ["hosts/b"],
    "O08": ["mentions", "mentions", "mentions"],
    "O09": ["networks/lab", "networks/lab", "networks/laboratory", "switches/l1"],
    "O10": ["hosts/a", "hosts/a", "hosts/a", "hosts/b", "hosts/b"],
    "P01": ["hosts/a"],
    "R01": ["hosts/b"],
    "R02": ["hosts/a"],
    "R03": ["hosts/a", "hosts/b"],
    "R04": ["hosts/a"],
    "R05": ["hosts/a", "racks/r01"],
    "R06": ["hosts/a"],
    "S01": ["landscape"],
    "S02": ["landscape"],
    "S03": ["racks/r01"],
    "S04": ["landscape"],
    "S05": ["racks/r01"],
    "S06": ["racks/r01"],
    "S07": ["hosts/a"],
    "S08": ["landscape"],
    "S09": ["switches/a"],
    "S10": ["landscape"],
    "S11": ["feeds/left", "groups/empty"],
    "V01": ["networks/lab"],
    "V02": ["networks/lab"],
    "W01": ["waivers"],
    "W02": ["waivers"],
    "W03": ["waivers"],
}


def _findings(repo: Path, check, rule: str, name: str):
    folder = repo / FIXTURES / rule
    # What is no YAML, or YAML that a linter refuses, ends in .txt.
    landscape = next(path for path in (folder / f"{name}.yml", folder / f"{name}.txt") if path.exists())
    observed = folder / f"{name}.observed.yml"
    return check([landscape], [observed] if observed.exists() else [])


@pytest.mark.accept("F1.4")
@pytest.mark.parametrize("rule", sorted(OBJECTS))
def test_the_failing_fixture_is_found(repo, check, rule):
    found = [finding for finding in _findings(repo, check, rule, "fail") if finding.rule == rule]
    assert sorted(finding.object for finding in found) == OBJECTS[rule]
    for finding in found:
        assert finding.message
        assert Path(finding.place.file).parent.name == rule
        assert finding.place.line or rule in ("O06",)
        # Messages that name another place are as long as the way to this checkout.
        assert len(finding.message.replace(str(repo), "")) < 160, "one sentence"


@pytest.mark.accept("F1.4")
@pytest.mark.parametrize("rule", sorted(OBJECTS))
def test_the_passing_twin_has_no_such_finding(repo, check, rule):
    assert [str(finding) for finding in _findings(repo, check, rule, "pass") if finding.rule == rule] == []


@pytest.mark.accept("F1.4")
def test_catalogue_and_fixtures_are_the_same_set(repo):
    folders = {path.name for path in (repo / FIXTURES).iterdir()}
    assert folders == set(registry.RULES) == set(OBJECTS)


def test_the_twins_differ(repo):
    for rule in OBJECTS:
        names = {path.name.split(".", 1)[0] for path in (repo / FIXTURES / rule).iterdir()}
        assert names == {"fail", "pass"}
        texts = {path.read_text(encoding="utf-8") for path in (repo / FIXTURES / rule).iterdir()}
        assert len(texts) == len(list((repo / FIXTURES / rule).iterdir()))


def test_every_rule_is_well_declared():
    for rule in registry.RULES.values():
        assert re.fullmatch("[A-Z][0-9]{2}", rule.id)
        assert rule.severity in SEVERITIES
        assert rule.why.endswith((".", "?"))
        assert rule.title
        assert rule.source


def test_an_id_is_given_once():
    with pytest.raises(ValueError, match="N03"):
        registry.declare("N03", "error", "again", why="", source="")


def test_every_file_of_rules_is_registered(repo):
    folder = repo / "plugins/module_utils/landscape/rules"
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "registry", "index", "validate"}
    assert {module.__name__.rpartition(".")[2] for module in validate.RULE_FILES} == files


def test_the_reference_page_is_in_step(repo):
    assert (repo / gen_rules_page.PAGE).read_text(encoding="utf-8") == gen_rules_page.page()


def test_the_reference_page_names_every_rule_and_observed_key():
    page = gen_rules_page.page()
    for rule in registry.RULES.values():
        assert f"### {rule.id}" in page
    for key in ("oob_missing", "remote_asn", "peer_port", "mentions"):
        assert f"`{key}`" in page
