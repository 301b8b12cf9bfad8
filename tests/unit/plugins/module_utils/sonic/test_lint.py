# SPDX-License-Identifier: Apache-2.0
"""Every rule: a configuration that breaks it, and one that comes close and does not."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import codec, model, yang, yang_check
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint import index, registry, validate
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import clean_fabric, golden
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic.lint_cases import CASES

#: Raised by reading, by the models and by expectations; tested where they come from.
ELSEWHERE = {"SL001", "SL901", "SY001", "SY002", "SY003"}
DAY = "2026-11-21"


def findings(configs, **options):
    return validate.check(clean_fabric.fabric(configs), today=DAY, **options)


def places(issues, rule):
    return {(issue.switch, *issue.where) for issue in issues if issue.rule == rule}


def test_the_clean_fabric_has_no_finding_but_what_nobody_can_help():
    assert {issue.rule for issue in findings(clean_fabric.configs())} == {"SL305", "SL409"}


@pytest.mark.slow
@pytest.mark.accept("S1.3")
@pytest.mark.parametrize("release", golden.RELEASES)
def test_the_clean_fabric_is_valid(release):
    with golden.judge(release) as judge:
        for name, config in clean_fabric.configs().items():
            faults = yang_check.check(golden.models(release), config, judge).faults
            only_later = (
                {("BGP_GLOBALS_AF", "default|l2vpn_evpn", "advertise-all-vni")} if release == "202411" else set()
            )
            assert {fault.where for fault in faults} <= only_later, name


def test_every_rule_has_cases():
    assert set(CASES) == set(registry.RULES) - ELSEWHERE


@pytest.mark.parametrize("rule", CASES)
def test_a_configuration_that_breaks_the_rule(rule):
    configs = clean_fabric.configs()
    before = places(findings(configs), rule)
    CASES[rule].broken(configs)
    issues = findings(configs)
    assert places(issues, rule) - before == CASES[rule].places
    for issue in issues:
        assert issue.severity == registry.RULES[issue.rule].severity
        assert issue.message
        assert issue.hint


@pytest.mark.parametrize("rule", CASES)
def test_a_configuration_that_comes_close(rule):
    configs = clean_fabric.configs()
    CASES[rule].close(configs)
    assert places(findings(configs), rule) == CASES[rule].still


@pytest.mark.slow
def test_eight_of_the_broken_ones_pass_the_models():
    """The linter earns its keep: it finds what the models accept."""
    passed, clean = set(), clean_fabric.configs()
    with golden.judge("202605") as judge:
        for rule, case in CASES.items():
            configs = clean_fabric.configs()
            case.broken(configs)
            changed = [config for name, config in configs.items() if config != clean.get(name)]
            document = [yang.Translator(golden.models("202605"), config) for config in changed]
            if not any(each.faults or judge(each.document().text) for each in document):
                passed.add(rule)
    assert passed >= {"SL101", "SL103", "SL201", "SL301", "SL302", "SL303", "SL405", "SL501", "SL601", "SL802"}
    assert len(passed) >= 30


def test_where_the_models_spoke_rules_that_say_the_same_keep_quiet():
    configs = clean_fabric.configs()
    configs["leaf1"]["INTERFACE"]["Ethernet0"] = {}
    where = ("VLAN_MEMBER", "Vlan10|Ethernet0", "port")
    told = model.Issue("SY001", "error", "leaf1", *where, "Port is a router interface.")
    assert places(findings(configs), "SL105") == {("leaf1", *where)}
    assert places(findings(configs, known=[told]), "SL105") == set()


def test_rules_are_for_releases_and_dialects():
    configs = clean_fabric.configs()
    configs["leaf1"]["ROUTE_MAP"]["OWN|10"]["match_ipv6_prefix_set"] = "LOOPBACKS6"

    def found(release="", dialect=""):
        switch = index.Switch("leaf1", configs["leaf1"], release, dialect)
        return {issue.rule for issue in validate.check(index.Fabric([switch]), today=DAY)}

    assert "SL503" in found()
    assert "SL503" not in found(release="202411")
    assert "SL503" not in found(dialect="split")


def test_links_are_told_by_descriptions_or_given():
    configs = clean_fabric.configs()
    told = clean_fabric.fabric(configs)
    assert sorted(f"{link.a} {link.b} {len(link.told)}" for link in told.links) == [
        "leaf1:Ethernet48 spine1:Ethernet0 2",
        "leaf1:Ethernet60 leaf2:Ethernet60 2",
        "leaf2:Ethernet48 spine1:Ethernet4 2",
    ]
    given = [("leaf1", "Ethernet0", "spine1", "Ethernet0"), ("leaf1", "Ethernet1", "elsewhere", "Ethernet0")]
    switches = [index.Switch(name, config) for name, config in configs.items()]
    assert [str(link.b) for link in index.Fabric(switches, given).links] == ["spine1:Ethernet0"]
    configs["leaf1"]["PORT"]["Ethernet48"]["description"] = ""
    configs["leaf1"]["DEVICE_NEIGHBOR"] = {
        "spine1": {"local_port": "Ethernet48", "name": "spine1", "port": "hundredGigE1"}
    }
    assert len(clean_fabric.fabric(configs).links) == 3


def test_expected_findings_are_accepted_with_their_reason():
    configs = clean_fabric.configs()
    configs["leaf1"]["PORT"]["Ethernet0"]["speed"] = "12345"
    entries = [
        {"rule": "SL103", "switch": "leaf*", "table": "PORT", "reason": "a made up speed for a test"},
        {"rule": "SL305", "reason": "the vendor has been told about it"},
        {"rule": "SL409", "reason": "we never use config load here"},
    ]
    issues = findings(configs, expected=validate.expectations(entries))
    assert {issue.waived for issue in issues if issue.rule == "SL103"} == {"a made up speed for a test"}
    assert validate.unwaived(issues, "info") == []


def test_an_expectation_that_matches_nothing_or_has_expired_is_a_finding():
    entries = [
        {"rule": "SL101", "reason": "it was so once upon a time", "expires": "2099-01-01"},
        {"rule": "SL305", "reason": "until the next image comes", "expires": "2026-11-20"},
    ]
    issues = findings(clean_fabric.configs(), expected=validate.expectations(entries))
    assert sorted(issue.message.split()[-1] for issue in issues if issue.rule == "SL901") == ["expired", "nothing"]
    assert [issue for issue in issues if issue.rule == "SL305" and not issue.waived]


def test_brackets_in_an_expectation_stand_for_themselves():
    issue = model.Issue("SL101", "error", "leaf1", "A", "x[1]y", "", "message")
    assert validate.Expected("SL101", "a reason", key="x[1]*").matches(issue)
    assert not validate.Expected("SL101", "a reason", key="x1y").matches(issue)


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ("text", "right form"),
        ({"rule": "SL101", "reason": "a long enough reason", "colour": "red"}, "right form"),
        ({"rule": "SL101", "reason": 3}, "right form"),
        ({"rule": "SL101"}, "a reason"),
        ({"rule": "SL101", "reason": "because"}, "a reason"),
        ({"rule": "SL999", "reason": "a long enough reason"}, "does not exist"),
        ({"rule": "SL101", "reason": "a long enough reason", "expires": "soon"}, "no day"),
    ],
    ids=["text", "unknown key", "number", "no reason", "short reason", "unknown rule", "day"],
)
def test_expectations_of_the_wrong_form_are_refused(entry, word):
    with pytest.raises(InputError, match=word):
        validate.expectations([entry])


def test_a_rule_is_declared_once():
    with pytest.raises(ValueError, match="twice"):
        registry.declare("SL101", "error", "again", why="", source="", hint="")


HOSTILE = ["", "x", "|", "a|b|c|d|e", "\u2603", "1" * 5000, "-1", "1e9", "::", "0.0.0.0/0", "{'a': 1}", "../..", "\x00"]


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_no_rule_falls_over_what_may_stand_anywhere(value):
    """The value in every field of one row of each table, as text and as list, and as a key."""
    for as_list in (False, True):
        configs = clean_fabric.configs()
        for config in configs.values():
            for rows in config.values():
                key = next(iter(rows))
                rows[key] = {field: [value] if as_list else value for field in [*rows[key], "extra"]}
                rows[value or "empty"] = {}
                rows[f"{key}|{value}"] = {}
        data, _faults = codec.check(configs)
        assert isinstance(findings(configs), list)
        assert data


#: Rules that find something in each golden fabric; all of them are facts its README lists.
GOLDEN = {
    "a-underlay": {"SL409", "SL503", "SL505"},
    "b-l2vni": {"SL409", "SL503", "SL505"},
    "c-l3vni": {"SL305", "SL409", "SL503", "SL505", "SL508"},
    "d-mgmt": set(),
    "e-border": {"SL409", "SL503", "SL504", "SL505"},
}


@pytest.mark.parametrize("fabric", GOLDEN)
def test_golden_fabrics_have_the_traps_they_were_made_with_and_nothing_else(fabric):
    names = [name for name in golden.SWITCHES if name.startswith(f"{fabric}.")]
    switches = [index.Switch(name.partition(".")[2], golden.config(name)) for name in names]
    made = index.Fabric(switches)
    assert len(made.links) == (4 if len(names) == 4 else 0)
    assert {issue.rule for issue in validate.check(made, today=DAY)} == GOLDEN[fabric]
