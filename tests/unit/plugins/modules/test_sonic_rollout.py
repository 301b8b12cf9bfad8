# SPDX-License-Identifier: Apache-2.0
"""The module sonic_rollout: the way of a change through the embedded fabric."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.modules import sonic_rollout

LAB = str(Path(__file__).resolve().parents[4] / "examples" / "embedded")
LEAVES = [f"em01-leaf-r0{rack}-u{unit}" for rack in (1, 2) for unit in (38, 39)]
SPINES = ["em01-spine-r01-u41", "em01-spine-r02-u41"]
STEP = {"op": "add", "path": "/VLAN/Vlan100", "impact": "none"}
BUSY = {"BGP_NEIGHBOR": {"default|Ethernet48": {}}}


def said(*, steps: int = 1, config: Any = None, impact: str = "degraded", hwsku: str = "") -> dict[str, Any]:
    plan = {"digest": "0" * 12, "impact": impact, "steps": [STEP] * steps}
    return {
        "plan": {"changed": bool(steps), "plan": plan},
        "facts": {"switch": {"config": BUSY if config is None else config, "hwsku": hwsku}},
    }


def rollout(switches: dict[str, Any], parallel: int = 0) -> dict[str, Any]:
    return sonic_rollout.main({"src": [LAB], "switches": switches, "parallel": parallel}, False).values


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


def test_nothing_to_do_is_no_wave() -> None:
    found = rollout({name: said(steps=0) for name in LEAVES})
    assert found["waves"] == []
    assert found["impact"] == "none"


def test_widths_are_known_when_nobody_is_left_out() -> None:
    found = rollout({name: said() for name in (*SPINES, *LEAVES)})
    assert sorted(found["ecmp"][LEAVES[0]].values()) == [2, 2, 2]
    assert set(found["links"][LEAVES[0]].values()) == set(SPINES)
    assert rollout({name: said() for name in (SPINES[0], *LEAVES)})["ecmp"][LEAVES[0]] == {}


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
