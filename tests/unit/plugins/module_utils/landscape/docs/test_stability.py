# SPDX-License-Identifier: Apache-2.0
"""The same landscape gives the same bytes, and a changed cable changes only what is said about it."""

from __future__ import annotations

import copy
import difflib
import random

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape.docs import build, model

SECTIONS = ("sites", "feeds", "racks", "device_models", "asn_schemes", "networks", "environments", "roles", "hosts")
SECTIONS += ("switches", "externals", "redundancy_groups", "groups", "vrfs", "peerings")
PICTURES = {"topology.svg", "management.svg"}
#: The fabric draws all cables between two switches as one line, and counts sessions.
FABRIC = {"fabric.md", "fabric.svg"}


@pytest.mark.accept("F1.7")
def test_two_runs_give_the_same_bytes(lab, lab_pages):
    assert build.pages(lab, [], model.Options()) == lab_pages


@pytest.mark.accept("F1.7")
def test_the_order_of_the_input_does_not_matter(lab_data, lab_pages, view_of, seed):
    shuffled = random.Random(seed)
    data = copy.deepcopy(lab_data)
    for section in SECTIONS:
        entries = list(data.get(section, {}).items())
        shuffled.shuffle(entries)
        data[section] = dict(entries)
    for cable in data["cables"]:
        if shuffled.random() < 0.5:
            cable["a"], cable["b"] = cable["b"], cable["a"]
    shuffled.shuffle(data["cables"])
    for group in (*data["groups"].values(), *data["redundancy_groups"].values(), *data["racks"].values()):
        for members in group.values():
            if isinstance(members, list):
                shuffled.shuffle(members)
    assert build.pages(view_of(data), [], model.Options()) == lab_pages


def changed_lines(before, after):
    """Lines that differ, by page."""
    lines = {}
    for name in before.keys() | after.keys():
        old, new = before.get(name, "").splitlines(), after.get(name, "").splitlines()
        if old != new:
            lines[name] = [line for line in list(difflib.unified_diff(old, new, n=0))[2:] if line[0] in "+-"]
    return lines


def free_port(data, switch, taken):
    return next(port for port in (f"Ethernet{number}" for number in range(48)) if f"{switch}/{port}" not in taken)


def moved(data, number, chooser):
    """The lab with one cable moved, switched off or slowed down; the ends before and after."""
    data = {**data, "cables": copy.deepcopy(data["cables"])}
    cable = data["cables"][number]
    ends = [cable["a"], cable["b"]]
    taken = {cable[side] for cable in data["cables"] for side in "ab"}
    at_switch = [side for side in "ab" if cable[side].split("/")[0] in data["switches"] and "/Eth" in cable[side]]
    kind = chooser.choice(["state", "speed", "port", "switch"])
    if kind in ("port", "switch") and at_switch:
        here = cable[at_switch[0]].split("/")[0]
        like = [n for n, one in data["switches"].items() if one["role"] == data["switches"][here]["role"]]
        there = here if kind == "port" else chooser.choice(like)
        cable[at_switch[0]] = f"{there}/{free_port(data, there, taken)}"
    elif kind == "speed":
        cable["speed"] = "10M"
    else:
        cable["state"] = "planned"
    return data, [*ends, cable["a"], cable["b"]]


@pytest.mark.slow
@pytest.mark.accept("F1.7")
def test_a_changed_cable_changes_its_rows_and_its_line(lab_data, lab_pages, view_of, seed):
    chooser = random.Random(seed)
    for number in chooser.sample(range(len(lab_data["cables"])), 15):
        data, ends = moved(lab_data, number, chooser)
        changed = changed_lines(lab_pages, build.pages(view_of(data), [], model.Options()))
        devices = {end.partition("/")[0] for end in ends}
        ports = {end.partition("/")[2] for end in ends}
        assert changed
        fabric = {name: changed.pop(name) for name in FABRIC & set(changed)}
        assert all(any(one in line for one in devices) for delta in fabric.values() for line in delta)
        assert set(changed) <= {"cables.md", "topology.md", *PICTURES, *(f"devices/{one}.md" for one in devices)}
        assert len(PICTURES & set(changed)) == 1
        for name, delta in changed.items():
            if name in PICTURES:
                assert sorted(line[0] for line in delta) == ["+", "-"], (name, delta)
                assert all('<path d="' in line and 'id="cable-' in line for line in delta), (name, delta)
            else:
                assert len(delta) <= 8, (name, delta)
            assert all(any(one in line for one in devices) for line in delta), (name, delta)
            assert all(any(port in line for port in ports) for line in delta), (name, delta)


def test_a_removed_cable_leaves_everything_else_in_place(lab_data, lab_pages, view_of):
    data = {**lab_data, "cables": lab_data["cables"][:40] + lab_data["cables"][41:]}
    changed = changed_lines(lab_pages, build.pages(view_of(data), [], model.Options(include=("topology",))))
    assert [len(delta) for name, delta in changed.items() if name in PICTURES] == [1]


def test_sources_are_named_without_places_of_this_machine(repo, tmp_path, lab_pages):
    for text in lab_pages.values():
        assert str(repo) not in text
        assert str(tmp_path.parent) not in text
    assert "Generated by scs.landscape from landscape.yml" in lab_pages["index.md"]
