# SPDX-License-Identifier: Apache-2.0
"""Numbers of entries and statements: who is there keeps them, who comes gets a free one, the meaning stays."""

from __future__ import annotations

import random

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic import diff, numbering, plan
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import evaluator, walking

PREFIXES = tuple(f"10.{number}.0.0/16" for number in range(8))
ROUTES = [*PREFIXES, *(f"10.{number}.4.0/24" for number in range(8)), "192.0.2.0/24"]


def entries(name, *prefixes):
    return {f"{name}|{10 * number}|{prefix}|exact": {"action": "permit"} for number, prefix in enumerate(prefixes, 1)}


def statements(*rows):
    return {
        f"M|{10 * number}": {"route_operation": operation, **({"match_prefix_set": name} if name else {})}
        for number, (operation, name) in enumerate(rows, 1)
    }


def test_an_entry_in_front_leaves_the_others_their_numbers():
    made = numbering.kept({"PREFIX": entries("L", *PREFIXES[1:3])}, {"PREFIX": entries("L", *PREFIXES[:3])})
    assert sorted(made["PREFIX"]) == [
        "L|10|10.1.0.0/16|exact",
        "L|20|10.2.0.0/16|exact",
        "L|30|10.0.0.0/16|exact",
    ]


def test_a_removed_entry_makes_no_other_move():
    after = {"PREFIX": entries("L", *PREFIXES[1:3])}
    changes = plan.plan_switch("s", {"PREFIX": entries("L", *PREFIXES[:3])}, after).changes
    assert [(change.action, change.key) for change in changes] == [("delete", "L|10|10.0.0.0/16|exact")]


def test_the_number_of_a_removed_entry_is_not_given_again_at_once():
    made = numbering.kept({"PREFIX": entries("L", PREFIXES[0])}, {"PREFIX": entries("L", PREFIXES[1])})
    assert list(made["PREFIX"]) == ["L|20|10.1.0.0/16|exact"]


def test_other_lists_and_new_ones_are_as_they_are_rendered():
    after = {"PREFIX": {**entries("L", *PREFIXES[:3]), **entries("N", *PREFIXES[:2])}, "VLAN": {}}
    assert numbering.kept({"PREFIX": entries("N", *PREFIXES[:2])}, after) is after
    assert numbering.kept({}, after) is after


def test_a_statement_is_fitted_in_between():
    before = {"ROUTE_MAP": statements(("permit", "A"), ("deny", "B"), ("permit", ""))}
    after = {"ROUTE_MAP": statements(("permit", "A"), ("permit", "A6"), ("deny", "B"), ("deny", "B6"), ("permit", ""))}
    made = numbering.kept(before, after)["ROUTE_MAP"]
    assert {int(key.split("|")[1]): row.get("match_prefix_set") for key, row in made.items()} == {
        10: "A", 15: "A6", 20: "B", 25: "B6", 30: None,
    }  # fmt: skip


def test_where_there_is_no_room_what_follows_goes_behind():
    rows = {"M|10": {"route_operation": "permit", "match_prefix_set": "A"}, "M|11": {"route_operation": "deny"}}
    after = statements(("permit", "A"), ("permit", "B"), ("deny", ""))
    assert sorted(numbering.kept({"ROUTE_MAP": rows}, {"ROUTE_MAP": after})["ROUTE_MAP"]) == ["M|10", "M|20", "M|30"]


def test_beyond_the_highest_number_those_that_were_given_stay():
    rows = {"M|65535": {"route_operation": "permit", "match_prefix_set": "A"}}
    after = {"ROUTE_MAP": statements(("permit", "A"), ("deny", ""))}
    assert numbering.kept({"ROUTE_MAP": rows}, after) == after


def test_what_only_sets_something_is_changed_in_place():
    before = {"ROUTE_MAP": {"M|10": {"route_operation": "permit", "set_local_pref": "100"}}}
    after = {"ROUTE_MAP": {"M|20": {"route_operation": "permit", "set_local_pref": "200"}}}
    assert numbering.kept(before, after)["ROUTE_MAP"] == {
        "M|10": {"route_operation": "permit", "set_local_pref": "200"}
    }


def test_long_lists_that_differ_much_keep_both_ends():
    def rows(*parts):
        return {
            f"L|{10 * number}|10.{part // 256}.{part % 256}.0/24|exact": {"action": "deny" if part % 2 else "permit"}
            for number, part in enumerate(parts, 1)
        }

    before, after = rows(1, 2, *range(1000, 2000), 3), rows(1, 2, *range(3000, 4000), 3)
    made = numbering.kept({"PREFIX": before}, {"PREFIX": after})["PREFIX"]
    assert len(made) == 1003
    assert len(made.keys() & before.keys()) == 3
    order = [row for _number, row in sorted((int(key.split("|")[1]), row["action"]) for key, row in made.items())]
    assert order == [row["action"] for row in after.values()]


@pytest.mark.parametrize("key", ["L|x|10.0.0.0/16|exact", "L|10.0.0.0/16|exact", "²|²|10.0.0.0/16|exact"])
def test_keys_of_other_forms_stay_as_they_are(key):
    after = {"PREFIX": {key: {"action": "permit"}, **entries("K", *PREFIXES[:2])}}
    made = numbering.kept({"PREFIX": entries("K", PREFIXES[1])}, after)
    assert key in made["PREFIX"]
    assert len(made["PREFIX"]) == 3


def drawn(source):
    """Lists that permit and deny, and a map over them."""
    lists = {name: source.sample(PREFIXES, source.randint(1, 6)) for name in ("A", "B", "C")}
    actions = ["permit"] if source.random() < 0.6 else ["permit", "deny"]
    config = {
        "PREFIX_SET": {name: {"mode": "IPv4"} for name in lists},
        "PREFIX": {
            f"{name}|{10 * number}|{prefix}|{source.choice(['exact', '17..32'])}": {"action": source.choice(actions)}
            for name, prefixes in lists.items()
            for number, prefix in enumerate(prefixes, 1)
        },
        "ROUTE_MAP_SET": {"M": {}},
    }
    rows = [(source.choice(["permit", "deny"]), name) for name in source.sample("ABC", source.randint(1, 3))]
    config["ROUTE_MAP"] = statements(*rows, *([("permit", "")] if source.random() < 0.5 else []))
    return config


def test_the_meaning_stays_and_so_does_what_stands_on_both_sides(seed):
    source = random.Random(f"{seed} numbering")
    for _attempt in range(150):
        before, after = drawn(source), drawn(source)
        made = numbering.kept(before, after)
        for route in ROUTES:
            assert evaluator.permits(made, "M", route) == evaluator.permits(after, "M", route)
        assert numbering.kept(made, after) == made
        assert numbering.kept(before, made) == made
        assert len(diff.rows_of(made)) == len(diff.rows_of(after))


@pytest.mark.slow
def test_no_write_lets_more_through_than_before_or_after(seed):
    """Lists with one action, as the renderer writes them: one of them says what is denied."""
    source = random.Random(f"{seed} writes")
    for _attempt in range(60):
        before, after = (
            {**config, "PREFIX": {key: {"action": "permit"} for key in config["PREFIX"]}}
            for config in (drawn(source), drawn(source))
        )
        for config in (before, after):
            for row in config["ROUTE_MAP"].values():
                row["route_operation"] = "deny" if row.get("match_prefix_set") == "B" else "permit"
        walking.walk(source, before, after, plan.plan_switch("s", before, after).changes)
