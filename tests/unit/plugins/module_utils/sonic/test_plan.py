# SPDX-License-Identifier: Apache-2.0
"""Plans per switch and for a fabric: secrets, digests, and who goes when."""

from __future__ import annotations

import itertools
import json
import random

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Impact
from ansible_collections.scs.landscape.plugins.module_utils.core.redact import MASK
from ansible_collections.scs.landscape.plugins.module_utils.sonic import diff, fabric_order, plan
from ansible_collections.scs.landscape.plugins.module_utils.sonic.fabric_order import Group
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import changing

GROUPS = (
    Group("r1", "leaf-pair", ("leaf1", "leaf2")),
    Group("r2", "leaf-pair", ("leaf3", "leaf4")),
    Group("spines", "spine-set", ("spine1", "spine2", "spine3")),
)
ALL = (*(name for group in GROUPS for name in group.members), "mgmt1", "mgmt2")


def waves(impacts=None, groups=GROUPS, parallel=0):
    found = fabric_order.waves(impacts or dict.fromkeys(ALL, Impact.INTERRUPTED), groups, parallel)
    return [wave.switches for wave in found]


def test_pairs_never_go_together_spines_and_lone_switches_one_by_one():
    assert waves(parallel=2) == [
        ("leaf1",),
        ("leaf3",),
        ("leaf2", "leaf4"),
        ("spine1",),
        ("spine2",),
        ("spine3",),
        ("mgmt1",),
        ("mgmt2",),
    ]


def test_whatever_the_groups_no_two_members_go_together(seed):
    generator = random.Random(seed)
    for _attempt in range(50):
        names = [f"sw{number}" for number in range(generator.randint(1, 20))]
        groups = [
            Group(f"g{number}", generator.choice(["leaf-pair", "pair", "quorum", "spine-set", "new"]), tuple(members))
            for number in range(generator.randint(0, 6))
            for members in [generator.sample(names, min(len(names), generator.randint(2, 4)))]
        ]
        impacts = {name: generator.choice(list(Impact)) for name in names}
        limit = generator.randint(0, 5)
        found = waves(impacts, groups, limit)
        assert sorted(itertools.chain(*found)) == sorted(names)
        assert len(found[0]) == 1
        for wave in found:
            assert len(wave) <= max(limit, 1) if limit else len(wave) <= max(1, len(names) // 3)
            for one, other in itertools.combinations(wave, 2):
                assert not any(one in group.members and other in group.members for group in groups)


def test_the_first_switch_goes_alone_and_its_partner_waits_for_it():
    found = fabric_order.waves(dict.fromkeys(ALL, Impact.NONE), GROUPS, 4)
    assert len(found[0].switches) == 1
    assert found[0].gate == "the partners of these switches forward; nothing else is being changed"
    partner = next(wave for wave in found if "leaf2" in wave.switches)
    assert "leaf1" in partner.gate


def test_no_switch_no_wave_and_a_negative_number_is_refused():
    assert waves({"a": Impact.NONE}, (), 0) == [("a",)]
    assert fabric_order.waves({}, GROUPS) == ()
    with pytest.raises(InputError):
        waves(parallel=-1)


def test_new_switches_go_before_their_far_ends_and_retired_ones_after_them():
    found = fabric_order.waves(dict.fromkeys(ALL, Impact.NONE), GROUPS, 4, new=["leaf10", "leaf9"], retired=["spine9"])
    assert [wave.kind for wave in found] == ["new", *["change"] * (len(found) - 2), "retired"]
    assert [found[0].switches, found[-1].switches] == [("leaf9", "leaf10"), ("spine9",)]
    assert len(found[1].switches) == 1
    assert found[1].gate.startswith("leaf9, leaf10: configured as a whole and verified; the partners")
    assert found[-1].gate.startswith("mgmt2: verified after the change; no session")
    assert [wave.switches for wave in found[1:-1]] == waves(dict.fromkeys(ALL, Impact.NONE), parallel=4)


def test_new_and_retired_switches_have_waves_without_steps_even_alone():
    before, after, _recorded = changing.change("1-add-vlan")
    alone = plan.plan_fabric([], new=["leaf9"], retired=["leaf1"])
    assert [wave.as_dict()["kind"] for wave in alone.waves] == ["new", "retired"]
    assert len(alone.plan) == 0
    made = plan.plan_fabric([plan.plan_switch("leaf2", before, after)], new=["leaf9"], retired=["leaf1"])
    assert [wave.switches for wave in made.waves] == [("leaf9",), ("leaf2",), ("leaf1",)]
    assert made.plan.steps[0].gate.startswith("leaf9: configured as a whole and verified")


SECRETS = {
    "SNMP_COMMUNITY": {"canary-1": {"TYPE": "RO"}},
    "TACPLUS_SERVER": {"192.0.2.1": {"passkey": "canary-2"}},
    "BGP_NEIGHBOR": {"default|192.0.2.9": {"auth_password": "canary-3", "asn": "65000"}},
    "SNMP_USER": {"u": {"SNMP_USER_AUTH_PASSWORD": "canary-4", "SNMP_USER_ENCRYPTION_PASSWORD": "canary-5"}},
    "NTP_KEY": {"1": {"value": "canary-6"}},
    "RADIUS": {"global": {"passkey": "canary-7"}},
    "LDAP": {"global": {"bind_password": "canary-8"}},
}


@pytest.mark.parametrize("way", ["create", "delete"])
def test_no_secret_leaves_a_plan(way):
    pair = ({}, SECRETS) if way == "create" else (SECRETS, {})
    made = plan.plan_fabric([plan.plan_switch("leaf1", *pair)])
    said = json.dumps([made.plan.as_dict(), made.switches["leaf1"].as_dict(), made.switches["leaf1"].text_diff()])
    assert MASK in said
    assert "canary" not in said
    assert "canary" not in repr(made.plan)


def test_no_secret_key_leaves_an_obstacle():
    rows = {"SNMP_COMMUNITY": {"canary": {"TYPE": "RO", "BREW": "1"}}}
    obstacles = plan.plan_switch("leaf1", {}, rows, changing.RELEASE).obstacles
    assert [item.path for item in obstacles] == [f"SNMP_COMMUNITY|{MASK} BREW"]


def test_the_digest_names_the_steps_and_nothing_else():
    before, after, _recorded = changing.change("1-add-vlan")
    one, again = (plan.plan_fabric([plan.plan_switch("leaf1", before, after)]).plan for _attempt in range(2))
    other = plan.plan_fabric([plan.plan_switch("leaf2", before, after)]).plan
    assert one.digest == again.digest != other.digest
    assert len(one) == 6
    assert plan.plan_fabric([plan.plan_switch("leaf1", after, after)]).plan.digest == plan.Plan().digest


def test_what_daemons_own_is_left_alone_unless_asked_for():
    before, after = {"FLEX_COUNTER_TABLE": {"ACL": {"FLEX_COUNTER_STATUS": "enable"}}}, {}
    assert plan.plan_switch("leaf1", before, after).changes == ()
    assert len(plan.plan_switch("leaf1", before, after, ignore=()).changes) == 1


def test_the_text_diff_shows_rows_once_however_many_writes_they_take():
    before, after, _recorded = changing.change("3-neighbor-asn-and-peer-group")
    shown = plan.plan_switch("leaf1", before, after).text_diff()
    assert shown["before"].splitlines() == [
        "BGP_NEIGHBOR|default|Ethernet48 peer_group_name: fabric",
        "BGP_NEIGHBOR|default|Ethernet52 asn: 65100",
        "BGP_NEIGHBOR|default|Ethernet52 name: spine2",
    ]
    assert "BGP_NEIGHBOR|default|Ethernet52 asn: 65199" in shown["after"]


def test_the_patch_of_a_plan_leads_where_the_steps_lead():
    before, after, _recorded = changing.change("8-remove-vrf")
    made = plan.plan_switch("leaf1", before, after)
    assert diff.rows_of(diff.apply_patch(before, made.as_dict()["patch"])) == diff.rows_of(after)


def test_gates_stand_in_front_of_what_interrupts_and_of_every_wave():
    before, after, _recorded = changing.change("2-routed-to-vlan-member")
    made = plan.plan_fabric([plan.plan_switch(name, before, after) for name in ("leaf1", "leaf2")], GROUPS)
    gates = [step.gate for step in made.plan.steps]
    assert gates[0].startswith("the partners of these switches forward")
    assert gates[1] == "what stands in for this switch forwards"
    assert gates[3].startswith("leaf1: verified after the change")
    assert made.plan.impact == Impact.INTERRUPTED
