# SPDX-License-Identifier: Apache-2.0
"""What a change does, and what it needs: pinned to what SONiC's updater and frrcfgd said."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Impact
from ansible_collections.scs.landscape.plugins.module_utils.sonic import impact_tables, plan, tables, yang
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import changing, golden

#: For every recorded refusal: the row we name, and a word of what is needed.
REFUSED = {
    "7b-port-speed-not-supported": ("PORT|Ethernet48", "another speed", "all"),
    "9-unmodelled-field-blocks": (
        "BGP_GLOBALS_AF|VrfBlue|l2vpn_evpn advertise-ipv4-unicast",
        "ordered row writes",
        "updater",
    ),
    "10b-remove-loopback0-row": ("LOOPBACK_INTERFACE|Loopback0", "ordered row writes", "updater"),
    "13-lag-member-as-vlan-member": (
        "VLAN_MEMBER|Vlan100|Ethernet52",
        "remove PORTCHANNEL_MEMBER|PortChannel01",
        "all",
    ),
}
WORST = {
    "1-add-vlan": "none",
    "2-routed-to-vlan-member": "interrupted",
    "3-neighbor-asn-and-peer-group": "interrupted",
    "4-l2vni-add-and-remove": "interrupted",
    "5-ntp-servers": "none",
    "6-loopback-address": "interrupted",
    "7-port-shut-speed-mtu": "interrupted",
    "8-remove-vrf": "interrupted",
    "9-unmodelled-field-blocks": "none",
    "10-remove-loopback0": "interrupted",
    "11-port-lanes": "none",
    "12-local-asn": "interrupted",
}


def planned(name, **options):
    before, after, recorded = changing.change(name)
    speeds = {
        key.split("|")[1]: row["supported_speeds"].split(",") for key, row in recorded.get("state_db", {}).items()
    }
    return plan.plan_switch("leaf1", before, after, changing.RELEASE, speeds=speeds, **options), recorded


@pytest.mark.accept("S1.5")
@pytest.mark.parametrize("name", changing.CHANGES)
def test_we_see_an_obstacle_exactly_where_the_updater_refuses(name):
    made, recorded = planned(name)
    assert bool(made.obstacles) == recorded["refused"], recorded["reason"]
    if name in REFUSED:
        path, needed, blocks = REFUSED[name]
        first = made.obstacles[0]
        assert (first.path, first.blocks) == (path, blocks)
        assert needed in first.needs
    else:
        assert not recorded["refused"]


@pytest.mark.accept("S1.5")
def test_a_new_as_number_says_that_frr_keeps_the_old_one():
    made, _recorded = planned("12-local-asn")
    log = golden.shared("golden", "changes", "12-local-asn", "frrcfgd.log.txt").read_text("utf-8")
    assert "local_asn could not be modified" in log
    assert ["restart of the bgp container" in need for need in made.as_dict()["needs"]] == [True]


@pytest.mark.parametrize("name", sorted(WORST))
def test_the_worst_impact_of_recorded_changes(name):
    assert planned(name)[0].impact.label == WORST[name]


def step(before, after, release="202605"):
    made = plan.plan_switch("leaf1", before, after, release)
    return [(effect.impact.label, effect.kind) for effect in made.effects], made


def test_texts_of_a_port_are_harmless_and_its_speed_is_not():
    port = {"lanes": "1", "speed": "25000", "admin_status": "up"}
    assert step({"PORT": {"Ethernet0": port}}, {"PORT": {"Ethernet0": {**port, "description": "x"}}})[0] == [
        ("none", "none")
    ]
    found = step({"PORT": {"Ethernet0": port}}, {"PORT": {"Ethernet0": {**port, "speed": "10000"}}})[0]
    assert found == [("interrupted", "port"), ("none", "none"), ("none", "port")]


def test_a_port_that_is_shut_harms_nobody():
    port = {"PORT": {"Ethernet0": {"lanes": "1", "admin_status": "down"}}}
    member = {"VLAN": {"Vlan5": {"vlanid": "5"}}, "VLAN_MEMBER": {"Vlan5|Ethernet0": {"tagging_mode": "tagged"}}}
    found, made = step({**port, **member}, {**port, "VLAN": member["VLAN"]})
    assert found == [("none", "none")]
    assert made.effects[0].reason == "the port is shut before and after"


def test_the_management_network_and_the_login_are_told_from_the_rest():
    found, _made = step(
        {}, {"MGMT_INTERFACE": {"eth0|192.0.2.1/24": {}}, "AAA": {"authentication": {"login": "local"}}}
    )
    assert set(found) == {("unreachable", "management")}


def test_unknown_tables_and_fields_are_not_taken_for_harmless():
    assert step({}, {"BREW_COFFEE": {"now": {"sugar": "2"}}})[0] == [("degraded", "service")]
    port = {"lanes": "1", "admin_status": "up"}
    before = {"PORT": {"Ethernet0": port}}
    assert step(before, {"PORT": {"Ethernet0": {**port, "brew": "2"}}})[0] == [("degraded", "service")]


def test_a_table_of_the_models_without_a_rule_is_no_obstacle_and_is_not_taken_for_unknown():
    found, made = step({}, {"SWITCH_HASH": {"GLOBAL": {"ecmp_hash": ["DST_IP"]}}})
    assert (found, made.obstacles) == ([("degraded", "service")], ())
    assert made.effects[0].reason.startswith("the models have it")
    ztp = {"ZTP": {"mode": {"profile": "active"}}}
    assert step({}, ztp, "202605")[1].obstacles == ()
    assert [(obstacle.path, "202411" in obstacle.reason) for obstacle in step({}, ztp, "202411")[1].obstacles] == [
        ("ZTP", True)
    ]
    (obstacle,) = step({}, {"BREW_COFFEE": {"now": {}}})[1].obstacles
    assert obstacle.path == "BREW_COFFEE"


def test_stopping_the_container_of_the_switch_chip_is_worse_than_any_other():
    def features(state):
        return {"FEATURE": {"swss": {"state": state}, "telemetry": {"state": state}}}

    assert step(features("enabled"), features("disabled"))[0] == [("interrupted", "session"), ("degraded", "service")]


def test_hostname_is_a_text_and_the_routing_mode_wants_a_reload():
    def metadata(**fields):
        return {"DEVICE_METADATA": {"localhost": {"hostname": "a", **fields}}}

    assert step(metadata(), metadata(hostname="b"))[0] == [("none", "none")]
    found, made = step(metadata(), metadata(docker_routing_config_mode="unified"))
    assert found == [("unreachable", "reload")]
    assert "config reload" in made.as_dict()["needs"][0]


@pytest.mark.parametrize(
    ("mode", "framework", "words"),
    [("split", "true", "frr.conf"), ("separated", "false", "frr_mgmt_framework_config"), ("unified", "true", None)],
)
def test_routing_rows_that_nobody_reads_say_what_is_needed(mode, framework, words):
    base = {
        "DEVICE_METADATA": {"localhost": {"docker_routing_config_mode": mode, "frr_mgmt_framework_config": framework}}
    }
    _found, made = step(base, {**base, "ROUTE_MAP_SET": {"M": {}}})
    needs = made.as_dict()["needs"]
    assert bool(needs) == bool(words)
    assert words is None or words in needs[0]


def test_fields_that_came_with_a_release_are_obstacles_before_it():
    base = {"BGP_GLOBALS": {"default": {"local_asn": "1"}}}
    after = {**base, "BGP_GLOBALS_AF": {"default|l2vpn_evpn": {"advertise-all-vni": "true"}}}
    assert step(base, after, "202605")[1].obstacles == ()
    assert [obstacle.path for obstacle in step(base, after, "202411")[1].obstacles] == [
        "BGP_GLOBALS_AF|default|l2vpn_evpn advertise-all-vni"
    ]


ENTERPRISE = {
    "PORT": {"Ethernet0": {"lanes": "1", "parent_port": "Ethernet0"}},
    "REST_SERVER": {"default": {}},
    "FEATURE": {"bgp": {"has_timer": "False"}},
    "VERSIONS": {"DATABASE": {"VERSION": "version_2_0_4"}},
}
COMMUNITY = {"PORT": {"Ethernet0": {"lanes": "1"}}, "VERSIONS": {"DATABASE": {"VERSION": "version_202605_01"}}}


@pytest.mark.parametrize(
    "after",
    [COMMUNITY, {**ENTERPRISE, **COMMUNITY}, {**ENTERPRISE, "VERSIONS": COMMUNITY["VERSIONS"], "LLDP": {"GLOBAL": {}}}],
    ids=["whole", "over what is kept", "database of another"],
)
def test_rows_do_not_lead_from_the_enterprise_image_to_the_community_s(after):
    (obstacle,) = [item for item in step(ENTERPRISE, after)[1].obstacles if item.blocks == "all"]
    assert "Enterprise" in obstacle.reason
    assert "sonic_convert" in obstacle.needs


def test_rows_do_not_lead_to_the_enterprise_image_and_within_one_there_is_nothing_to_say():
    assert [item.blocks for item in step(COMMUNITY, {**COMMUNITY, **ENTERPRISE})[1].obstacles if item.blocks == "all"]
    port = {"PORT": {"Ethernet0": {**ENTERPRISE["PORT"]["Ethernet0"], "description": "x"}}}
    assert not [item for item in step(ENTERPRISE, {**ENTERPRISE, **port})[1].obstacles if item.blocks == "all"]


@pytest.mark.parametrize("release", golden.RELEASES)
@pytest.mark.parametrize("name", golden.SWITCHES + golden.BACKUPS)
def test_unknown_fields_are_obstacles_as_the_models_say(name, release):
    config = golden.config(name)
    _found, made = step({}, config, release)
    ours = {item.path for item in made.obstacles if " has the field " in item.reason}
    faults = yang.Translator(golden.models(release), config).faults
    assert ours == {f"{fault.table}|{fault.key} {fault.field}" for fault in faults if fault.kind == "unknown_field"}


def test_every_rule_speaks_of_a_table_and_every_kind_has_its_place():
    assert set(impact_tables.RULES) <= set(tables.TABLES) | {"SAG_GLOBAL", "SNMP_AGENT_ADDRESS_CONFIG"}
    for rules in impact_tables.RULES.values():
        for rule in rules:
            assert rule.kind in impact_tables.KINDS
            assert rule.reason
            assert isinstance(rule.impact, Impact)


_VLANS = {
    "VLAN": {"Vlan10": {"vlanid": "10"}, "Vlan20": {"vlanid": "20"}},
    "VRF": {"VrfA": {}, "VrfB": {}},
}


@pytest.mark.parametrize(
    ("address", "instances", "refused"),
    [
        ("10.0.0.1/24", ("VrfA", "VrfB"), False),
        ("10.0.0.1/24", ("VrfA", ""), False),
        ("10.0.0.1/24", ("VrfA", "VrfA"), True),
        ("10.0.0.1/24", ("", ""), True),
        ("fe80::1/64", ("", ""), False),
        ("169.254.0.1/16", ("", ""), False),
        ("fd00::1/64", ("", ""), True),
    ],
)
def test_an_address_is_one_in_its_routing_instance_and_one_of_a_link_on_its_interface(address, instances, refused):
    rows = {name: {"vrf_name": vrf} if vrf else {} for name, vrf in zip(("Vlan10", "Vlan20"), instances)}
    before = {**_VLANS, "VLAN_INTERFACE": {**rows, f"Vlan10|{address}": {}}}
    after = {**_VLANS, "VLAN_INTERFACE": {**before["VLAN_INTERFACE"], f"Vlan20|{address}": {}}}
    found = plan.plan_switch("leaf1", before, after, "202605").obstacles
    assert [one.path for one in found if one.blocks == "all"] == (
        [f"VLAN_INTERFACE|Vlan20|{address}"] if refused else []
    )


def neighbour(**families):
    return {
        "BGP_GLOBALS": {"default": {"local_asn": "65001"}},
        "BGP_PEER_GROUP": {"default|hosts": {"peer_type": "external"}},
        "BGP_PEER_GROUP_AF": {f"default|hosts|{name}": row for name, row in families.items()},
        "BGP_NEIGHBOR": {"default|Ethernet0": {"peer_group_name": "hosts"}},
    }


@pytest.mark.parametrize("way", ["on", "off"])
def test_an_address_family_that_is_switched_resets_the_sessions(way):
    """FRR sends CEASE (peer_activate_af) as long as dynamic capabilities were not negotiated."""
    up = {"admin_status": "true"}
    pair = [neighbour(ipv4_unicast=up), neighbour(ipv4_unicast=up, l2vpn_evpn=up)]
    assert step(*(pair if way == "on" else reversed(pair)))[0] == [("interrupted", "session")]


def test_an_address_family_of_a_new_group_harms_nobody():
    after = neighbour(ipv4_unicast={"admin_status": "true"})
    made = step({}, after)[1]
    effects = {change.table: effect.impact.label for change, effect in zip(made.changes, made.effects)}
    assert effects["BGP_PEER_GROUP_AF"] == "degraded"
    assert effects["BGP_NEIGHBOR"] == "none"


def test_another_filter_of_a_session_may_end_traffic_and_none_does_not():
    up = {"admin_status": "true"}
    filtered = neighbour(ipv4_unicast={**up, "route_map_out": ["M"]})
    assert step(neighbour(ipv4_unicast=up), filtered)[0] == [("interrupted", "policy")]
    assert step(filtered, neighbour(ipv4_unicast=up))[0] == [("degraded", "policy")]


def policy(operation, *keys, use=True, **more):
    return {
        **neighbour(ipv4_unicast={"admin_status": "true", "route_map_out": ["M"] if use else ["N"]}),
        "ROUTE_MAP_SET": {"M": {}},
        "PREFIX_SET": {"L": {"mode": "IPv4"}},
        "PREFIX": {f"L|{key}": {"action": "permit"} for key in keys},
        "ROUTE_MAP": {"M|10": {"route_operation": operation, "match_prefix_set": "L"}, **more},
    }


SMALL, LARGE, OTHER = "10|10.0.1.0/24|exact", "20|10.0.0.0/16|16..32", "30|10.9.0.0/24|exact"
ALL = {"M|90": {"route_operation": "permit"}}


@pytest.mark.parametrize(
    ("before", "after", "label"),
    [
        (policy("permit", SMALL, OTHER), policy("permit", OTHER), "interrupted"),
        (policy("permit", OTHER), policy("permit", SMALL, OTHER), "degraded"),
        (policy("permit", SMALL, LARGE), policy("permit", LARGE), "degraded"),
        (policy("deny", OTHER, **ALL), policy("deny", SMALL, OTHER, **ALL), "interrupted"),
        (policy("deny", SMALL, OTHER, **ALL), policy("deny", OTHER, **ALL), "degraded"),
        (policy("permit", SMALL, **ALL), policy("permit", SMALL), "interrupted"),
        (policy("permit", SMALL), policy("permit", SMALL, **ALL), "degraded"),
        (policy("permit", SMALL, OTHER, use=False), policy("permit", OTHER, use=False), "degraded"),
    ],
    ids=["less", "more", "covered", "deny more", "deny less", "statement gone", "statement new", "not used"],
)
def test_taking_a_permit_away_is_an_interruption_where_routes_go_through_it(before, after, label):
    assert [impact for impact, _kind in step(before, after)[0]] == [label]


def test_what_only_sets_something_takes_nothing_away():
    rows = {"M|90": {"route_operation": "permit", "set_local_pref": "200"}}
    assert step(policy("permit", SMALL, **ALL), policy("permit", SMALL, **rows))[0] == [("degraded", "policy")]
