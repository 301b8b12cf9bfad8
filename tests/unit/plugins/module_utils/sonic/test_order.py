# SPDX-License-Identifier: Apache-2.0
"""Ordered writes, judged by SONiC's own updater and by SONiC's own models."""

from __future__ import annotations

import random

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import diff, order, plan
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import changing


@pytest.fixture(scope="module")
def judge():
    with changing.judge() as made:
        yield made


def walk(before, after, judge):
    """Applies our steps one by one; what the models refuse in between, they refuse before or after as well."""
    known = judge.faults(before) | judge.faults(after)
    steps = order.ordered(before, after)
    rows = diff.rows_of(before)
    for step in steps:
        diff.advance(rows, step)
        extra = judge.faults(diff.config_of(rows)) - known
        assert not extra, f"after {step.action} {step.name}: {extra}"
    assert diff.config_of(rows) == diff.config_of(diff.rows_of(after))
    return steps


@pytest.mark.slow
@pytest.mark.accept("S1.5")
@pytest.mark.parametrize("name", changing.CHANGES)
def test_every_step_of_a_recorded_change_leads_to_a_valid_configuration(name, judge):
    before, after, recorded = changing.change(name)
    # The updater refuses these two because of the configuration itself.
    if not recorded["refused"] or name in ("7b-port-speed-not-supported", "10b-remove-loopback0-row"):
        assert judge.faults(before) == set()
        assert judge.faults(after) == set()
    walk(before, after, judge)


@pytest.mark.slow
@pytest.mark.accept("S1.5")
@pytest.mark.parametrize("name", changing.CHANGES)
def test_a_recorded_change_can_be_taken_back_step_by_step(name, judge):
    earlier, later, _recorded = changing.change(name)
    walk(later, earlier, judge)


@pytest.mark.slow
@pytest.mark.accept("S1.5")
@pytest.mark.parametrize("name", changing.FABRICS)
@pytest.mark.parametrize("way", ["up", "down"])
def test_a_bare_switch_is_set_up_and_emptied_in_valid_steps(name, way, judge):
    config = changing.fabric(name)
    pair = (changing.bare(config), config)
    walk(*(pair if way == "up" else reversed(pair)), judge)


@pytest.mark.accept("S1.5")
@pytest.mark.parametrize("name", changing.CHANGES)
def test_we_write_the_rows_that_the_updater_writes(name):
    before, after, recorded = changing.change(name)
    ours = diff.apply(before, order.ordered(before, after))
    theirs = before
    for step in recorded["steps"]:
        theirs = diff.apply_patch(theirs, step)
    if not recorded["refused"]:
        assert diff.rows_of(theirs) == diff.rows_of(ours)
    assert diff.rows_of(diff.apply_patch(before, recorded["patch"])) == diff.rows_of(ours)


def steps(before, after):
    return [(step.action, step.name, step.fields) for step in order.ordered(before, after)]


def test_a_port_is_shut_before_it_is_set_up_and_opened_last():
    before = {
        "PORT": {"Ethernet0": {"lanes": "1", "speed": "25000", "admin_status": "up"}},
        "VLAN": {"Vlan5": {"vlanid": "5"}},
    }
    after = {
        "PORT": {"Ethernet0": {"lanes": "1", "speed": "10000", "admin_status": "up"}},
        "VLAN": {"Vlan6": {"vlanid": "6"}},
    }
    assert steps(before, after) == [
        ("update", "PORT|Ethernet0", ("admin_status",)),
        ("delete", "VLAN|Vlan5", ("vlanid",)),
        ("update", "PORT|Ethernet0", ("speed",)),
        ("create", "VLAN|Vlan6", ("vlanid",)),
        ("update", "PORT|Ethernet0", ("admin_status",)),
    ]


def test_all_that_stands_on_a_port_is_made_again_with_it_and_lists_let_it_go():
    row = {"lanes": "1", "speed": "25000", "admin_status": "up"}
    common = {
        "VLAN": {"Vlan5": {"vlanid": "5"}},
        "VLAN_MEMBER": {"Vlan5|Ethernet0": {"tagging_mode": "tagged"}},
        "ACL_TABLE": {"T": {"type": "L3", "ports": ["Ethernet0", "Ethernet1"]}},
    }
    before = {"PORT": {"Ethernet0": row, "Ethernet1": {**row, "lanes": "2"}}, **common}
    after = {"PORT": {"Ethernet0": {**row, "lanes": "9"}, "Ethernet1": {**row, "lanes": "2"}}, **common}
    assert steps(before, after) == [
        ("update", "PORT|Ethernet0", ("admin_status",)),
        ("update", "ACL_TABLE|T", ("ports",)),
        ("delete", "VLAN_MEMBER|Vlan5|Ethernet0", ("tagging_mode",)),
        ("delete", "PORT|Ethernet0", ("admin_status", "lanes", "speed")),
        ("create", "PORT|Ethernet0", ("admin_status", "lanes", "speed")),
        ("create", "VLAN_MEMBER|Vlan5|Ethernet0", ("tagging_mode",)),
        ("update", "ACL_TABLE|T", ("ports",)),
    ]


@pytest.mark.parametrize("left", [[], ["Ethernet2", "Ethernet1"]], ids=["nothing", "another order"])
def test_a_list_that_lets_a_port_go_for_good_is_written_once(left):
    row = {"lanes": "1", "admin_status": "down"}
    before = {"PORT": {"Ethernet0": row}, "ACL_TABLE": {"T": {"ports": ["Ethernet0", *reversed(left)]}}}
    after = {"PORT": {"Ethernet0": {**row, "lanes": "2"}}, "ACL_TABLE": {"T": {"ports": left}}}
    made = plan.plan_switch("s", before, after)
    assert [change.name for change in made.changes] == ["ACL_TABLE|T", "PORT|Ethernet0", "PORT|Ethernet0"]
    assert diff.changes(diff.apply(before, made.changes), after) == ()


def test_a_breakout_frees_the_lanes_before_the_children_take_them():
    before = {"PORT": {"Ethernet0": {"lanes": "1,2,3,4", "speed": "100000"}}}
    after = {"PORT": {f"Ethernet{n}": {"lanes": str(n + 1), "speed": "25000"} for n in range(4)}}
    assert [step.name for step in order.ordered(before, after)] == [
        "PORT|Ethernet0",
        *(f"PORT|Ethernet{n}" for n in range(4)),
    ]
    assert [step.action for step in order.ordered(before, after)] == ["delete", *["create"] * 4]


def test_rows_that_exchange_a_vni_give_it_back_first():
    base = {"VXLAN_TUNNEL": {"vtep": {"src_ip": "192.0.2.1"}}}
    rows = {"vtep|a": {"vlan": "Vlan1", "vni": "1"}, "vtep|b": {"vlan": "Vlan2", "vni": "2"}}
    swapped = {"vtep|a": {"vlan": "Vlan1", "vni": "2"}, "vtep|b": {"vlan": "Vlan2", "vni": "1"}}
    done = steps({**base, "VXLAN_TUNNEL_MAP": rows}, {**base, "VXLAN_TUNNEL_MAP": swapped})
    assert [action for action, _name, _fields in done] == ["delete", "delete", "create", "create"]


def test_vrfs_that_exchange_their_vni_are_made_again_although_a_vni_can_be_changed():
    done = steps(
        {"VRF": {"VrfA": {"vni": "1"}, "VrfB": {"vni": "2"}}}, {"VRF": {"VrfA": {"vni": "2"}, "VrfB": {"vni": "1"}}}
    )
    assert [action for action, _name, _fields in done] == ["delete", "delete", "create", "create"]


def test_a_full_table_lets_old_rows_go_one_by_one():
    before = {"DNS_NAMESERVER": {f"192.0.2.{n}": {} for n in (1, 2, 3)}}
    after = {"DNS_NAMESERVER": {f"192.0.2.{n}": {} for n in (7, 8, 9)}}
    rows = diff.rows_of(before)
    for step in order.ordered(before, after):
        diff.advance(rows, step)
        assert 2 <= len(rows) <= 3


def test_what_denies_is_written_first_and_removed_last():
    deny, permit = {"route_operation": "deny"}, {"route_operation": "permit"}
    before = {"ROUTE_MAP_SET": {"M": {}}, "ROUTE_MAP": {"M|10": deny, "M|20": permit}}
    after = {"ROUTE_MAP_SET": {"M": {}}, "ROUTE_MAP": {"M|30": permit, "M|40": deny}}
    assert [(action, name) for action, name, _fields in steps(before, after)] == [
        ("create", "ROUTE_MAP|M|40"),
        ("create", "ROUTE_MAP|M|30"),
        ("delete", "ROUTE_MAP|M|20"),
        ("delete", "ROUTE_MAP|M|10"),
    ]


def test_routing_is_written_in_the_order_in_which_frrcfgd_takes_all_of_it():
    config = changing.fabric("e-border/border1")
    order_of = {step.name: number for number, step in enumerate(order.ordered(changing.bare(config), config))}
    first = ("PREFIX_SET|EXT_OUT", "PREFIX|EXT_OUT|20|203.0.113.128/25|exact", "ROUTE_MAP|EXT_OUT|10")
    then = ("BGP_GLOBALS|default", "BGP_PEER_GROUP|default|fabric", "BGP_NEIGHBOR|default|Ethernet48")
    numbers = [order_of[name] for name in (*first, *then)]
    assert numbers == sorted(numbers)
    assert order_of["INTERFACE|Ethernet48"] < order_of["BGP_NEIGHBOR|default|Ethernet48"]


def test_the_order_of_the_input_does_not_matter(seed):
    before, after, _recorded = changing.change("8-remove-vrf")
    generator = random.Random(seed)

    def shuffled(config):
        tables = list(config.items())
        generator.shuffle(tables)
        result = {}
        for table, content in tables:
            items = list(content.items())
            generator.shuffle(items)
            result[table] = dict(items)
        return result

    wanted = order.ordered(before, after)
    for _attempt in range(5):
        assert order.ordered(shuffled(before), shuffled(after)) == wanted


def test_tables_that_are_left_alone_are_not_looked_at():
    before, after, _recorded = changing.change("5-ntp-servers")
    assert order.ordered(before, after, ignore=["NTP_SERVER"]) == ()


def test_a_row_written_as_text_is_refused_with_its_place():
    with pytest.raises(InputError, match=r"MGMT_PORT\|eth0"):
        order.ordered({}, {"MGMT_PORT": {"eth0": "{'gwaddr': '192.0.2.1'}"}})


MANAGEMENT = {
    "MGMT_VRF_CONFIG": {"vrf_global": {"mgmtVrfEnabled": "true"}},
    "NTP": {"global": {"vrf": "mgmt"}},
    "SYSLOG_SERVER": {"192.0.2.1": {"vrf": "mgmt"}},
    "TACPLUS_SERVER": {"192.0.2.2": {"vrf": "mgmt"}},
    "SFLOW_COLLECTOR": {"c": {"collector_ip": "192.0.2.3", "collector_vrf": "mgmt"}},
}
LOGIN = {"TACPLUS": {"global": {"passkey": "canary"}}, "AAA": {"authentication": {"login": "tacacs+,local"}}}


@pytest.mark.parametrize("left", [{}, {"NTP": {"global": {"vrf": "default"}}}], ids=["removed", "moved"])
def test_the_management_instance_outlives_those_who_use_it_and_is_there_before_them(left):
    """``must`` of NTP, SYSLOG_SERVER and SFLOW_COLLECTOR."""
    assert [name.partition("|")[0] for _action, name, _fields in steps(MANAGEMENT, left)][-1] == "MGMT_VRF_CONFIG"
    assert next(name.partition("|")[0] for _action, name, _fields in steps(left, MANAGEMENT)) == "MGMT_VRF_CONFIG"
    off = {**MANAGEMENT, "MGMT_VRF_CONFIG": {"vrf_global": {"mgmtVrfEnabled": "false"}}}
    for name in set(MANAGEMENT) - {"MGMT_VRF_CONFIG"}:
        off = {**off, name: {}}
    assert steps(MANAGEMENT, off)[-1][:2] == ("update", "MGMT_VRF_CONFIG|vrf_global")
    assert steps(off, MANAGEMENT)[0][:2] == ("update", "MGMT_VRF_CONFIG|vrf_global")


def test_a_login_by_tacacs_comes_after_its_key_and_goes_before_it():
    assert [name for _action, name, _fields in steps({}, LOGIN)] == ["TACPLUS|global", "AAA|authentication"]
    assert [name for _action, name, _fields in steps(LOGIN, {})] == ["AAA|authentication", "TACPLUS|global"]
    local = {"TACPLUS": {"global": {"auth_type": "pap"}}, "AAA": {"authentication": {"login": "local"}}}
    assert [name for _action, name, _fields in steps(local, LOGIN)] == ["TACPLUS|global", "AAA|authentication"]
    assert [name for _action, name, _fields in steps(LOGIN, local)] == ["AAA|authentication", "TACPLUS|global"]


def test_who_asks_for_what_nobody_says_is_an_obstacle():
    said = [
        (item.path, item.blocks)
        for item in plan.plan_switch("s", MANAGEMENT, {**MANAGEMENT, "MGMT_VRF_CONFIG": {}}).obstacles
    ]
    assert {path for path, blocks in said if blocks == "all"} >= {"NTP|global vrf", "SYSLOG_SERVER|192.0.2.1 vrf"}
    said = plan.plan_switch("s", LOGIN, {**LOGIN, "TACPLUS": {"global": {"auth_type": "pap"}}}).obstacles
    assert [(item.path, item.reason) for item in said] == [
        ("AAA|authentication login", "it needs TACPLUS|global passkey, which would not be there")
    ]
    assert plan.plan_switch("s", {}, MANAGEMENT | LOGIN, "202605").obstacles == ()
    accounting = {"AAA": {"accounting": {"login": "local"}}}
    assert plan.plan_switch("s", {}, accounting, "202605").obstacles == ()
