# SPDX-License-Identifier: Apache-2.0
"""The one confirmation: who is asked, for what, and what does not count."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Impact, Plan, Step
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, guard

LAB = """\
version: 1
environments: {prod: {protected: true}, silent: {}, demo: {protected: false}}
roles: {comp: {kind: server}}
device_models: {box: {kind: server}}
hosts:
  p1: {model: box, role: comp, environment: prod}
  p2: {model: box, role: comp, environment: prod}
  s1: {model: box, role: comp, environment: silent}
  d1: {model: box, role: comp, environment: demo}
"""
CHANGE = Plan((Step("update", "/etc/hosts", "a", "b"),)).as_dict()
LOSS = Plan((Step("delete", "disk", "a", None, impact=Impact.DESTROYED),)).as_dict()
NOTHING = Plan().as_dict()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    path = tmp_path_factory.mktemp("lab") / "lab.yml"
    path.write_text(LAB, encoding="utf-8")
    landscape, findings = client.load([str(path)])
    assert not findings
    return landscape


def test_nothing_to_do_needs_nothing(lab):
    assert guard.gates(lab, {"p1": [NOTHING], "d1": []}) == []


def test_a_protected_environment_asks_and_says_what_to_pass(lab):
    (gate,) = guard.gates(lab, {"p1": [CHANGE], "p2": [CHANGE]})
    assert (gate.environment, gate.protected, gate.hosts, gate.steps) == ("prod", True, ("p1", "p2"), 2)
    assert not gate.open
    said = guard.demand([gate])
    assert f"-e 'landscape_confirm=\"prod {gate.digest}\"'" in said
    assert "2 steps on 2 machines (p1, p2)" in said
    (again,) = guard.gates(lab, {"p1": [CHANGE], "p2": [CHANGE]}, [f"  prod   {gate.digest} "])
    assert again.open
    assert guard.demand([again]) == ""


def test_an_environment_that_says_nothing_is_protected(lab):
    assert not guard.gates(lab, {"s1": [CHANGE]})[0].open


def test_a_machine_that_is_not_in_the_landscape_is_protected(lab):
    (gate,) = guard.gates(lab, {"stranger": [CHANGE]})
    assert not gate.open
    assert guard.gates(lab, {"stranger": [CHANGE]}, [f"unknown {gate.digest}"])[0].open


def test_an_unprotected_environment_passes_unless_something_is_lost(lab):
    assert guard.gates(lab, {"d1": [CHANGE]})[0].open
    (gate,) = guard.gates(lab, {"d1": [CHANGE, LOSS]})
    assert not gate.open
    assert "would lose something" in guard.demand([gate])


def test_an_impact_that_is_not_known_counts_as_loss(lab):
    assert not guard.gates(lab, {"d1": [{**CHANGE, "impact": "novel"}]})[0].open


def test_the_digest_names_machines_and_plans(lab):
    one = guard.gates(lab, {"p1": [CHANGE]})[0].digest
    assert one != guard.gates(lab, {"p2": [CHANGE]})[0].digest
    assert one != guard.gates(lab, {"p1": [CHANGE], "p2": [CHANGE]})[0].digest
    assert one != guard.gates(lab, {"p1": [LOSS]})[0].digest
    assert one == guard.gates(lab, {"p2": [NOTHING], "p1": [NOTHING, CHANGE]})[0].digest
    assert guard.joined_digest({"a": ["1"], "b": ["2"]}) == guard.joined_digest({"b": ["2"], "a": ["1"]})


def test_a_confirmation_of_another_plan_is_of_no_use_and_says_so(lab):
    given = ["prod 0123456789ab"]
    found = guard.gates(lab, {"p1": [CHANGE]}, given)
    assert not found[0].open
    assert "belongs to another plan" in guard.demand(found, given)


def test_each_environment_has_its_own_confirmation(lab):
    plans = {"p1": [CHANGE], "s1": [CHANGE], "d1": [CHANGE]}
    wanted = [gate.confirmation for gate in guard.gates(lab, plans)]
    assert wanted[0] == ""
    half = guard.gates(lab, plans, wanted[1:2])
    assert [gate.open for gate in half] == [True, True, False]
    assert guard.demand(guard.gates(lab, plans, wanted)) == ""


def test_registered_results_are_plans_too(lab):
    results = {"a": {"changed": True, "plan": CHANGE}, "b": {"skipped": True}, "c": {"failed": True, "msg": "x"}}
    (gate,) = guard.gates(lab, {"p1": results})
    assert gate.steps == 1
    assert gate.as_dict()["confirmation"] == f"prod {gate.digest}"


@pytest.mark.parametrize(
    "plans", ["text", [3], [{}], [{"steps": []}], [{"steps": {}, "digest": "x"}], {"a": {"changed": True}}]
)
def test_what_is_no_plan_is_refused(lab, plans):
    with pytest.raises(InputError, match="p1"):
        guard.gates(lab, {"p1": plans})


@pytest.mark.parametrize("word", ["all", " ALL ", "*", "any", "everything"])
def test_everything_is_refused(lab, word):
    with pytest.raises(InputError, match="stands for everything"):
        guard.check_environment(lab, word)
    if word.strip() != "*":
        with pytest.raises(InputError, match="stands for everything"):
            guard.gates(lab, {}, [f"{word.strip()} 0123456789ab"])


def test_a_wrong_name_is_refused_with_a_hint(lab):
    with pytest.raises(InputError, match="did you mean prod"):
        guard.check_environment(lab, "prd")
    with pytest.raises(InputError, match="The landscape has demo, prod, silent"):
        guard.check_environment(lab, "zzzzzz")
    guard.check_environment(lab, "demo")


def test_many_machines_are_counted(lab):
    (gate,) = guard.gates(lab, {f"x{number}": [CHANGE] for number in range(9)})
    assert "(x0, x1, x2 and 6 more)" in guard.demand([gate])
