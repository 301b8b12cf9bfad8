# SPDX-License-Identifier: Apache-2.0
"""Policies: every mistake has its place, and what is right becomes the options of the modules."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import policy
from ansible_collections.scs.landscape.plugins.modules import (
    volume_backup_policy,
    volume_backup_prune,
    volume_backup_run,
    volume_backup_verify,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import FakeCinder
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_machine import Machine

KEY = "backup:policy"
GOLD = {"gold": {"keep": {"daily": 7}}}


def run(fake: FakeCinder | None = None, check: bool = False, **options: Any) -> Result:
    given = {name: spec.get("default") for name, spec in volume_backup_policy.ARGUMENTS.items()}

    def connect(*_args: Any, **_more: Any) -> FakeCinder:
        assert fake is not None, "nobody asked for a cloud"
        return fake

    return volume_backup_policy.main({**given, "policies": GOLD, **options}, check, connect=connect)


def test_defaults_are_those_of_the_modules_and_nobody_logs_in() -> None:
    (one,) = run().values["policies"]
    of_module = {
        "take": volume_backup_run.ARGUMENTS,
        "thin": volume_backup_prune.ARGUMENTS,
        "prove": volume_backup_verify.ARGUMENTS,
    }
    given = {"policy": "gold", "policies": ["gold"], "keep": {"daily": 7}}
    for part, arguments in of_module.items():
        for key, value in one[part].items():
            assert value == given.get(key, arguments[key].get("default")), (part, key)


MISTAKES = [
    ({"gold": {"kep": {"daily": 1}}}, "policies.gold.kep: there is no such key; did you mean keep?"),
    ({"gold": {"keep": {"dayly": 7}}}, "policies.gold.keep.dayly: there is no such key; did you mean daily?"),
    ({"gold": {"keep": {"daily": 0}}}, "policies.gold.keep: no number is above 0"),
    ({"gold": {"keep": {"daily": -1}}}, "policies.gold.keep.daily: -1 is no number from 0 on"),
    ({"gold": {"keep": 7}}, "policies.gold.keep: 7 has no numbers by kind"),
    ({"gold": {"every": "daily"}}, "policies.gold.every: 'daily' is none of hour, day, week, month; did you mean day?"),
    ({"gold": {"max_chain": 1.5}}, "policies.gold.max_chain: 1.5 is no whole number"),
    ({"gold": {"full_days": "inf"}}, "policies.gold.full_days: 'inf' is no number"),
    ({"gold": {"own_only": "perhaps"}}, "policies.gold.own_only: 'perhaps' is neither true nor false"),
    ({"gold": {"max_chain": True}}, "policies.gold.max_chain: True is no number"),
    ({"gold": {"volumes": "db"}}, "policies.gold.volumes: 'db' is no list of names"),
    ({"gold": {"volume_metadata": ["a"]}}, "policies.gold.volume_metadata: ['a'] has no texts by name"),
    ({"gold": {"container": 5}}, "policies.gold.container: 5 is no text"),
    ({"gold": ["daily"]}, "policies.gold: ['daily'] has no keys"),
    ({"a/b": {}}, "policies.a/b: a name has up to 64"),
]


@pytest.mark.parametrize(
    ("given", "said"), MISTAKES, ids=[said.split(":")[0] + str(n) for n, (_g, said) in enumerate(MISTAKES)]
)
def test_a_mistake_has_its_place(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as refused:
        run(policies=given)
    assert said in str(refused.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InputError) as refused:
        run(policies={"gold": {"evry": "day", "mode": "increment"}, "tin": {"keep": {}}})
    said = str(refused.value)
    assert [place in said for place in ("gold.evry", "gold.mode", "tin.keep")] == [True] * 3


def test_texts_of_the_command_line_count_and_absent_values_do_not() -> None:
    given = {"gold": {"max_chain": "7", "own_only": "no", "full_days": "1.5", "keep": None, "every": None}}
    (one,) = run(policies=given).values["policies"]
    assert (one["take"]["max_chain"], one["take"]["own_only"], one["take"]["full_days"]) == (7, False, 1.5)
    assert (one["take"]["period"], one["thin"]) == ("day", {})


def test_what_is_hardly_meant_is_said() -> None:
    doubts = run(policies={"slow": {"every": "week", "keep": {"daily": 7}}, "kept": None}).warnings
    assert ["so daily slots hold no more" in doubt for doubt in doubts] == [True]


def named(fake: FakeCinder) -> None:
    fake.add_volume("v1", name="db", metadata={"owner": "me"})
    fake.add_volume("v2", name="web", metadata={KEY: "glod"})
    fake.add_volume("v3", name="tmp", metadata={KEY: "gold", "backup:exclude": "true"})
    fake.add_volume("v4", name="twin")
    fake.add_volume("v5", name="twin")


def test_volumes_get_their_policy_once_and_keep_what_else_they_have() -> None:
    fake = FakeCinder()
    named(fake)
    planned = run(fake, check=True, assign={"gold": ["db", "v3"]}, coverage=True)
    assert (fake.writes, planned.steps_done, planned.values["covered"]) == ([], 0, {"gold": ["v1"]})
    done = run(fake, assign={"gold": ["db", "v3"]}, coverage=True)
    assert (done.plan.digest, done.steps_done, done.diff) == (planned.plan.digest, 1, planned.diff)
    assert (fake.writes, fake.volumes["v1"]["metadata"]) == (
        [("POST", "/volumes/v1/metadata")],
        {"owner": "me", KEY: "gold"},
    )
    left = {one["id"]: one["reason"] for one in done.values["uncovered"]}
    assert left == {
        "v2": "its policy glod is not defined; did you mean gold?",
        "v3": "its metadata say backup:exclude=true",
        "v4": "no policy is for it",
        "v5": "no policy is for it",
    }
    again = run(fake, assign={"gold": ["db", "v3"]})
    assert (again.changed, len(fake.writes)) == (False, 1)


def test_what_was_there_can_be_put_back() -> None:
    fake = FakeCinder()
    named(fake)
    steps = run(fake, check=True, assign={"gold": ["web", "db"]}).plan.steps
    assert sorted(step.undo for step in steps) == [f"remove {KEY}", f"set {KEY} to glod"]


def test_nothing_is_assigned_when_one_of_them_is_wrong() -> None:
    fake = FakeCinder()
    named(fake)
    with pytest.raises(InputError) as refused:
        run(fake, policies={"gold": {}, "tin": {}}, assign={"gold": ["db", "twin", "none"], "tin": ["v1"], "lead": []})
    said = str(refused.value)
    for part in (
        "assign.lead: there is no such key",
        "assign.gold: 2 volumes are called twin",
        "assign.gold: no volume is called none",
        "assign.tin: volume db (v1) is assigned to gold as well",
    ):
        assert part in said
    assert fake.writes == []
    with pytest.raises(InputError, match=r"assign\.gold: 'db' is no list of names"):
        run(fake, assign={"gold": "db"})


def test_what_a_policy_names_and_nobody_finds_is_told() -> None:
    fake = FakeCinder()
    fake.add_volume("v1")
    seen = run(fake, policies={"gold": {"volumes": ["v1", "gone"]}}, coverage=True).values
    assert (seen["covered"], seen["missing"]) == ({"gold": ["v1"]}, ["policies.gold: there is no volume gone"])
    fake.add_volume("v2", metadata={KEY: "gold"})
    seen = run(fake, policies={"gold": {"volumes": ["v1"]}}, coverage=True).values
    assert seen["uncovered"] == [{"id": "v2", "name": "v2", "reason": "its policy gold names others"}]


def test_every_key_is_described() -> None:
    said = volume_backup_policy.DOCUMENTATION
    assert [key for key in policy.KEYS if f"C({key})" not in said] == []


def test_a_policy_may_name_servers_and_their_tags():
    fake = Machine("va", "vb")
    fake.add_volume("free")
    fake.nova.server["tags"] = ["database"]
    for selects in ({"servers": ["web"]}, {"server_tags": ["database"]}):
        seen = run(fake, policies={"gold": selects}, coverage=True).values
        assert (seen["covered"], seen["missing"]) == ({"gold": ["va", "vb"]}, [])
        assert [one["id"] for one in seen["uncovered"]] == ["free"]
    seen = run(fake, policies={"gold": {"server_tags": ["other"]}}, coverage=True).values
    assert seen["covered"] == {"gold": []}
    seen = run(fake, policies={"gold": {"servers": ["nobody"]}}, coverage=True).values
    assert "nobody" in seen["missing"][0]
