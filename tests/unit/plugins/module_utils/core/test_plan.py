# SPDX-License-Identifier: Apache-2.0
"""Plans are data: their digest names exactly their steps."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Impact, Plan, Step

STEP = Step("update", "a.md", "old", "new", undo="restore it", payload=("secret", "secret"))


def test_an_empty_plan_is_false_and_harmless() -> None:
    plan = Plan()
    assert not plan
    assert len(plan) == 0
    assert plan.impact is Impact.NONE
    assert plan.as_dict()["steps"] == []


def test_a_plan_is_as_bad_as_its_worst_step() -> None:
    steps = (
        STEP,
        dataclasses.replace(STEP, impact=Impact.UNREACHABLE),
        dataclasses.replace(STEP, impact=Impact.DEGRADED),
    )
    assert Plan(steps).impact is Impact.UNREACHABLE
    assert Plan(steps).as_dict()["impact"] == "unreachable"
    assert [impact.label for impact in sorted(Impact)] == [
        "none",
        "degraded",
        "interrupted",
        "unreachable",
        "destroyed",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"action": "delete"},
        {"object": "b.md"},
        {"before": "older"},
        {"after": None},
        {"impact": Impact.DEGRADED},
        {"undo": ""},
        {"gate": "when all is calm"},
    ],
)
def test_the_digest_sees_every_part_of_a_step(change: dict[str, object]) -> None:
    assert Plan((STEP,)).digest != Plan((dataclasses.replace(STEP, **change),)).digest


def test_the_digest_sees_order_and_number() -> None:
    other = dataclasses.replace(STEP, object="b.md")
    assert len({Plan(steps).digest for steps in ((), (STEP,), (STEP, STEP), (STEP, other), (other, STEP))}) == 5


def test_the_payload_is_neither_shown_nor_compared() -> None:
    bare = dataclasses.replace(STEP, payload=None)
    assert bare == STEP
    assert Plan((bare,)).digest == Plan((STEP,)).digest
    assert "secret" not in json.dumps(Plan((STEP,)).as_dict())
    assert "secret" not in repr(STEP)


def test_empty_parts_are_left_out() -> None:
    assert Step("create", "x", None, "new").as_dict() == {
        "action": "create",
        "object": "x",
        "impact": "none",
        "after": "new",
    }
    assert Step("set", "x", False, 0).as_dict() == {
        "action": "set",
        "object": "x",
        "impact": "none",
        "before": False,
        "after": 0,
    }


def test_a_diff_has_both_states_of_each_step():
    steps = Plan((Step("create", "x", None, {"b": 1, "a": [2]}), Step("delete", "y", "old", None)))
    assert steps.diff() == [
        {
            "before_header": "x (create)",
            "after_header": "x (create)",
            "before": "",
            "after": '{\n "a": [\n  2\n ],\n "b": 1\n}\n',
        },
        {"before_header": "y (delete)", "after_header": "y (delete)", "before": '"old"\n', "after": ""},
    ]
    assert Plan().diff() == []
