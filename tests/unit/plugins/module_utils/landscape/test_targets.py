# SPDX-License-Identifier: Apache-2.0
"""A run that would reach other machines than it names is refused."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive, targets

LAB = """\
version: 1
environments: {prod: {}}
roles: {comp: {kind: server}}
device_models: {box: {kind: server}}
hosts:
  a: {model: box, role: comp, environment: prod}
  b: {model: box, role: comp, environment: prod}
"""
GOOD = {
    "a": {"name": "a", "address": "10.0.0.1", "landscape_role": "comp", "landscape_protected": True},
    "b": {"name": "b", "address": "10.0.0.2", "connection": "ssh", "landscape_protected": "True"},
    "stranger": {},
}


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    path = tmp_path_factory.mktemp("lab") / "lab.yml"
    path.write_text(LAB, encoding="utf-8")
    return derive.resolve(client.load([str(path)])[0])


def test_all_is_well(view):
    assert targets.misleading(view, GOOD) == []
    assert targets.misleading(view, {}) == []


@pytest.mark.parametrize(
    ("poison", "said"),
    [
        ({"address": "10.0.0.9"}, "ansible_host is 10.0.0.9 (port 22) for a, b, stranger"),
        ({"name": "x"}, "inventory_hostname is overridden for a, b, stranger"),
        ({"connection": "local"}, "ansible_connection is local for a, b: the controller itself would be changed"),
        ({"connection": "ansible.builtin.local"}, "ansible_connection is local"),
        ({"landscape_role": "boss"}, "landscape_role of a is 'boss', but the landscape says 'comp'"),
        ({"landscape_protected": False}, "landscape_protected of b is 'False', but the landscape says True"),
        ({"landscape_unit": 3}, "landscape_unit of a is '3', but the landscape says 'nothing'"),
    ],
)
def test_poison_is_named(view, poison, said):
    poisoned = {name: {**target, **poison} for name, target in GOOD.items()}
    assert any(said in text for text in targets.misleading(view, poisoned))


def test_different_ports_are_different_machines(view):
    two = {"a": {"address": "10.0.0.1", "port": 2201}, "b": {"address": "10.0.0.1", "port": 2202}}
    assert targets.misleading(view, two) == []


def test_the_controller_may_be_a_machine_of_the_landscape(view):
    assert targets.misleading(view, {"a": {"connection": "local", "address": "localhost"}}) == []


def test_long_lists_are_cut(view):
    many = {f"h{number}": {"address": "10.0.0.1"} for number in range(9)}
    assert "h0, h1, h2, h3 and 5 more" in targets.misleading(view, many)[0]
