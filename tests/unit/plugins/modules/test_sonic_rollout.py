# SPDX-License-Identifier: Apache-2.0
"""The module sonic_rollout: the way of a change through the embedded fabric."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import fleet
from ansible_collections.scs.landscape.plugins.module_utils.sonic.render import build
from ansible_collections.scs.landscape.plugins.modules import sonic_rollout

LAB = str(Path(__file__).resolve().parents[4] / "examples" / "embedded")
LEAVES = [f"em01-leaf-r0{rack}-u{unit}" for rack in (1, 2) for unit in (38, 39)]
SPINES = ["em01-spine-r01-u41", "em01-spine-r02-u41"]
STEP = {"op": "add", "path": "/VLAN/Vlan100", "impact": "none"}
BUSY = {"BGP_NEIGHBOR": {"default|Ethernet48": {}}}


def said(
    *, steps: int = 1, config: Any = None, impact: str = "degraded", hwsku: str = "", bgp: Any = ()
) -> dict[str, Any]:
    plan = {"digest": "0" * 12, "impact": impact, "steps": [STEP] * steps}
    return {
        "plan": {"changed": bool(steps), "plan": plan},
        "facts": {"switch": {"config": BUSY if config is None else config, "hwsku": hwsku, "bgp": bgp}},
    }


def rollout(switches: dict[str, Any], parallel: int = 0, leads_to: str = "landscape") -> dict[str, Any]:
    options = {"src": [LAB], "switches": switches, "parallel": parallel, "leads_to": leads_to}
    return sonic_rollout.main(options, False).values


def test_leaves_before_spines_and_never_both_of_a_group() -> None:
    waves = rollout({name: said() for name in (*SPINES, *LEAVES)})["waves"]
    assert [wave["switches"] for wave in waves] == [
        [LEAVES[0]],
        [LEAVES[2]],
        [LEAVES[1], LEAVES[3]],
        *([one] for one in SPINES),
    ]
    assert waves[0]["pending"] == sorted([LEAVES[1], LEAVES[3], LEAVES[2], *SPINES])
    assert waves[-1]["pending"] == []


def test_switches_that_carry_nothing_go_together_and_first() -> None:
    bare = said(config={"PORT": {"Ethernet0": {}}, "VLAN": {}})
    waves = rollout({LEAVES[0]: said(), LEAVES[1]: bare, SPINES[0]: bare})["waves"]
    assert [(wave["kind"], wave["switches"]) for wave in waves] == [
        ("new", [LEAVES[1], SPINES[0]]),
        ("change", [LEAVES[0]]),
    ]


def test_a_switch_of_which_nothing_is_known_is_no_idle_one() -> None:
    waves = rollout({LEAVES[0]: said(config={}), LEAVES[1]: said(config={})})["waves"]
    assert [wave["kind"] for wave in waves] == ["change", "change"]


@pytest.mark.parametrize(
    "rows",
    [
        {"INTERFACE": {"Ethernet0|10.0.0.0/31": {}}},
        {"STATIC_ROUTE": {"default|10.0.0.0/8": {"nexthop": "10.0.0.1"}}},
        {"BGP_PEER_RANGE": {"hosts": {"ip_range": ["10.8.0.0/24"]}}},
        {"BGP_GLOBALS_LISTEN_PREFIX": {"default|10.8.0.0/24": {"peer_group": "hosts"}}},
        {"BGP_INTERNAL_NEIGHBOR": {"10.0.0.1": {}}},
        {"BGP_VOQ_CHASSIS_NEIGHBOR": {"10.0.0.1": {}}},
        {"OSPFV2_ROUTER": {"default": {}}},
        {"VLAN_SUB_INTERFACE": {"Ethernet0.10|10.0.0.0/31": {}}},
    ],
    ids=lambda rows: next(iter(rows)),
)
def test_both_of_a_pair_that_carry_something_in_another_way_do_not_go_together(rows: dict[str, Any]) -> None:
    routed = said(config={"PORT": {"Ethernet0": {}}, **rows})
    waves = rollout(dict.fromkeys(LEAVES[:2], routed))["waves"]
    assert [(wave["kind"], len(wave["switches"])) for wave in waves] == [("change", 1), ("change", 1)]


@pytest.mark.parametrize(
    ("bgp", "kinds"),
    [
        ([{"vrf": "default", "neighbor": "10.0.0.1", "state": "Active"}], ["new"]),
        ([{"vrf": "default", "neighbor": "10.0.0.1", "state": "Established"}], ["change", "change"]),
        (None, ["change", "change"]),
    ],
    ids=["a session that is down", "a session made by hand", "nobody looked"],
)
def test_a_switch_with_a_session_that_no_row_names_is_no_idle_one(bgp: Any, kinds: list[str]) -> None:
    bare = said(config={"PORT": {"Ethernet0": {}}}, bgp=bgp)
    assert [wave["kind"] for wave in rollout(dict.fromkeys(LEAVES[:2], bare))["waves"]] == kinds


def test_nothing_to_do_is_no_wave() -> None:
    found = rollout({name: said(steps=0) for name in LEAVES})
    assert found["waves"] == []
    assert found["impact"] == "none"


def test_widths_are_known_when_nobody_is_left_out() -> None:
    found = rollout({name: said() for name in (*SPINES, *LEAVES)})
    assert sorted(found["ecmp"][LEAVES[0]].values()) == [2, 2, 2]
    assert set(found["links"][LEAVES[0]].values()) == set(SPINES)
    assert rollout({name: said() for name in (SPINES[0], *LEAVES)})["ecmp"][LEAVES[0]] == {}


@pytest.fixture(scope="module")
def running() -> dict[str, Any]:
    """What the switches would say of themselves when the landscape runs, and nothing that is to be done."""
    view = fleet.load([LAB])
    options = build.Options(fleet.DEFAULT_RELEASE, unmodelled=True)
    made = {one.name: one.config for one in build.render_all(view, options)}
    return {name: said(steps=0, config=made[name]) for name in (*SPINES, *LEAVES)}


def stepping(known: dict[str, Any], name: str, *steps: dict[str, Any]) -> dict[str, Any]:
    """The same, but one of them has a plan."""
    plan = {**known[name]["plan"]["plan"], "steps": [*steps]}
    return {**known, name: {**known[name], "plan": {"changed": True, "plan": plan}}}


def test_a_way_back_is_as_wide_as_where_it_leads(running: dict[str, Any]) -> None:
    """To a checkpoint that is like the landscape, all of it is expected; of what the plan takes away, nothing."""
    wide = rollout(running)["ecmp"]
    assert rollout(running, leads_to="plans")["ecmp"] == wide
    leaf, far = LEAVES[0], sorted(wide[LEAVES[0]])
    uplink = {"op": "remove", "path": "/BGP_NEIGHBOR/default|Ethernet48"}
    narrow = rollout(stepping(running, leaf, uplink), leads_to="plans")["ecmp"]
    assert narrow[leaf] == dict.fromkeys(far, 1)
    assert sorted(narrow[LEAVES[2]].values()) == [1, 2, 2]
    assert rollout(stepping(running, leaf, uplink))["ecmp"] == wide, "whoever follows the landscape goes on to it"
    (address,) = (key for key in running[leaf]["facts"]["switch"]["config"]["LOOPBACK_INTERFACE"] if "." in key)
    gone = {"op": "remove", "path": "/LOOPBACK_INTERFACE/" + address.replace("/", "~1")}
    assert sorted(rollout(stepping(running, leaf, gone), leads_to="plans")["ecmp"][LEAVES[2]].values()) == [2, 2]


def test_a_way_back_that_makes_rows_counts_them(running: dict[str, Any]) -> None:
    bare = {**running, LEAVES[0]: said(steps=0, config={"PORT": {"Ethernet48": {}}})}
    assert rollout(bare, leads_to="plans")["ecmp"][LEAVES[0]] == {}
    rows = running[LEAVES[0]]["facts"]["switch"]["config"]["BGP_NEIGHBOR"]
    made = [{"op": "add", "path": f"/BGP_NEIGHBOR/{key}"} for key in rows]
    plans = stepping(bare, LEAVES[0], *made)
    assert sorted(rollout(plans, leads_to="plans")["ecmp"][LEAVES[0]].values()) == [2, 2, 2]


def test_a_switch_whose_number_changes_on_the_way_back_is_none_that_anything_is_expected_of(running) -> None:
    step = {"op": "replace", "path": "/BGP_GLOBALS/default", "fields": ["local_asn"]}
    found = rollout(stepping(running, SPINES[0], step), leads_to="plans")["ecmp"]
    assert (found[SPINES[0]], set(found[LEAVES[0]].values())) == ({}, {1})
    same = {"op": "replace", "path": "/BGP_GLOBALS/default", "fields": ["default_local_preference"]}
    assert rollout(stepping(running, SPINES[0], same), leads_to="plans")["ecmp"] == rollout(running)["ecmp"]


def test_a_session_that_one_end_gives_up_leaves_at_both() -> None:
    row = "/BGP_NEIGHBOR/default|"
    leaf = said()
    leaf["plan"]["plan"]["steps"] = [
        {"op": "remove", "path": f"{row}Ethernet48"},
        {"op": "remove", "path": f"{row}Ethernet52"},
        {"op": "add", "path": f"{row}Ethernet52"},
        {"op": "remove", "path": "/BGP_NEIGHBOR/10.0.0.1"},
    ]
    found = rollout({LEAVES[0]: leaf, SPINES[0]: said(), SPINES[1]: said()})["leaving"]
    assert found == {LEAVES[0]: ["10.0.0.1", "Ethernet48"], SPINES[0]: ["Ethernet0"], SPINES[1]: []}


def test_an_impact_that_is_not_known_is_the_worst() -> None:
    assert rollout({LEAVES[0]: said(impact="mild")})["impact"] == "destroyed"


@pytest.mark.parametrize(
    ("switches", "words"),
    [
        ({"stranger": said()}, "has no switch stranger"),
        ({LEAVES[0]: {"facts": {}}}, f"no plan for {LEAVES[0]}"),
        (
            {LEAVES[0]: said(hwsku="Accton-AS7726-32X")},
            "is a Accton-AS7726-32X, but the landscape says Accton-AS7326-56X",
        ),
    ],
    ids=["not in the landscape", "not planned", "another make"],
)
def test_what_cannot_be_ordered_is_named(switches, words) -> None:
    with pytest.raises(InputError, match=words):
        rollout(switches)
