# SPDX-License-Identifier: Apache-2.0
"""Edits of landscapes, walked step by step: models and FRR take every state, and nobody hears of more meanwhile."""

from __future__ import annotations

import copy
import os
import random
from typing import Any

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import diff, plan, targets
from ansible_collections.scs.landscape.plugins.module_utils.sonic.render import build
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import (
    changing,
    fabrics,
    golden,
    test_render_separation,
    walking,
)

pytestmark = pytest.mark.slow

FULL = bool(os.environ.get("SCS_FULL"))
DRAWS = 120 if FULL else 10
JUDGED = 40 if FULL else 3
SECRETS = {"snmp_communities": ["canary"], "tacacs_passkey": "canary-passkey"}
Document = dict[str, Any]


def fabric() -> Document:
    """The made-up fabric with everything the renderer knows, to be changed at will."""
    path = fabrics.REPO.joinpath(*fabrics.LANDSCAPES["fabric"], "landscape.yml")
    document: Document = yaml.safe_load(path.read_text("utf-8"))
    return document


def uncable(document: Document, *ends: str) -> None:
    document["cables"] = [cable for cable in document["cables"] if not {cable["a"], cable["b"]} & set(ends)]


def cable_of(document: Document, end: str) -> Any:
    return next((cable for cable in document["cables"] if end in (cable["a"], cable["b"])), {})


def first(mapping: dict[str, Any], name: str, value: Any) -> None:
    """Puts an entry in front of all others."""
    rest = dict(mapping)
    mapping.clear()
    mapping.update({name: value, **rest})


def _host(document: Document) -> None:
    document["hosts"]["lab2"] = {**document["hosts"]["lab1"], "index": 9, "unit": 9}
    document["cables"].append({"a": "lab2/nic0", "b": "leaf1/Ethernet9"})


def _no_host(document: Document) -> None:
    document["hosts"].pop("cloud2")
    uncable(document, "cloud2/nic0", "cloud2/MGMT")


def _network(document: Document) -> None:
    first(document["networks"], "apps", {"purpose": "internal", "v4": "10.2.128.0/24", "environment": "cloud"})


def _announced(document: Document) -> None:
    more = {"v4": "203.0.113.64/26", "router_v4": "203.0.113.65", "environment": "cloud", "uplink": True}
    document["networks"]["more"] = {"purpose": "provider", **more}
    document["peerings"]["uplink"]["announces"].insert(0, "more")


def _no_v6(document: Document) -> None:
    for name in ("v6", "scheme_v6"):
        document["networks"]["cloud-nodes"].pop(name, None)


def _moved(document: Document) -> None:
    document["hosts"]["ceph1"].update(environment="cloud", role="cloud")


def _open(document: Document) -> None:
    for environment in document["environments"].values():
        for name in ("separated", "reaches", "default_route"):
            environment.pop(name, None)


def _lag(document: Document) -> None:
    for cable in document["cables"]:
        if cable.get("lag"):
            cable["lag"] = "PortChannel7"


def _swapped(document: Document) -> None:
    ends = {"leaf1/Ethernet48": "leaf1/Ethernet52", "leaf1/Ethernet52": "leaf1/Ethernet48"}
    for cable in document["cables"]:
        cable["a"] = ends.get(cable["a"], cable["a"])


def _tenants(document: Document) -> None:
    document["networks"]["tenants"] = {"purpose": "internal", "v4": "10.77.0.0/24", "vlan": 77, "environment": "cloud"}
    cable_of(document, "cloud2/nic0")["networks"] = ["tenants"]


EDITS: dict[str, Any] = {
    "a host with a smaller address": _host,
    "a host less": _no_host,
    "a network in front": _network,
    "a prefix announced in front": _announced,
    "no IPv6": _no_v6,
    "another environment": _moved,
    "no separation": _open,
    "lab separated": lambda document: document["environments"]["lab"].update(separated=True),
    "cloud not separated": lambda document: document["environments"]["cloud"].pop("separated"),
    "storage reaches nobody": lambda document: document["environments"]["storage"].update(reaches=[]),
    "lab reaches nobody": lambda document: document["environments"]["lab"].update(reaches=[]),
    "lab reaches storage": lambda document: document["environments"]["lab"].update(
        reaches=[{"environment": "storage"}]
    ),
    "no default route": lambda document: document["environments"]["cloud"].pop("default_route"),
    "no services": lambda document: document.pop("services"),
    "few services": lambda document: document.update(services={"ntp_servers": ["192.0.2.9"]}),
    "no management instance": lambda document: document["networks"]["oob"].pop("vrf"),
    "another LAG": _lag,
    "uplinks swapped": _swapped,
    "a network of a host": _tenants,
    "another VLAN": lambda document: document["networks"]["bmc"].update(vlan=201),
    "VLANs swapped": lambda document: (
        document["networks"]["bmc"].update(vlan=100),
        document["networks"]["oob"].update(vlan=200),
    ),
    "another frame size": lambda document: document["roles"]["spine"].update(mtu=9100),
    "no BFD": lambda document: document["roles"]["spine"].pop("bfd"),
    "no peering": lambda document: document.update(peerings={}),
    "more believed": lambda document: document["peerings"]["uplink"].update(accepts_v4=["198.18.0.0/15", "0.0.0.0/0"]),
    "another instance": lambda document: [
        document["networks"][name].update(vrf="outside") for name in ("transfer", "provider")
    ],
    "another AS number": lambda document: document["switches"]["leaf1"].update(
        asn=4210009999, override_reason="taken over"
    ),
    "another number": lambda document: document["switches"]["leaf1"].update(index=25),
    "split ports": lambda document: document["switches"]["spine1"].update(breakout={"Ethernet20": "4x25G"}),
}


def edited(source: random.Random, count: int) -> Document:
    """The fabric after some edits that go together."""
    document = fabric()
    for name in source.sample(sorted(EDITS), count):
        try:
            trial = copy.deepcopy(document)
            EDITS[name](trial)
        except KeyError:  # another edit took away what this one changes
            continue
        document = trial
    return document


def configs(document: Document, folder: Any) -> dict[str, Any]:
    view = fabrics.view_of(document, folder)
    rendered = build.render_all(view, build.Options(secrets=SECRETS))
    assert [str(issue) for one in rendered for issue in one.refused] == []
    return {one.name: one.config for one in rendered}


def planned(before: Any, after: Any) -> Any:
    return plan.plan_switch("a-switch", before, after, changing.RELEASE)


def walk(source: random.Random, old: dict[str, Any], new: dict[str, Any], faults: Any = None) -> None:
    """Every switch that both have, there and back again."""
    for name in sorted(old.keys() & new.keys()):
        before = old[name]
        for after in (new[name], old[name]):
            made = planned(before, after)
            assert [item for item in made.obstacles if item.blocks == "all"] == []
            walking.walk(source, before, after, made.changes, faults)
            before = diff.apply(before, made.changes)
            assert planned(before, after).changes == ()


@pytest.mark.accept("S1.5", "S1.9")
@pytest.mark.parametrize("name", sorted(EDITS))
def test_every_step_of_an_edit_is_taken_by_frr_and_lets_nothing_more_through(name, tmp_path, seed):
    document = fabric()
    EDITS[name](document)
    walk(random.Random(f"{seed} {name}"), configs(fabric(), tmp_path), configs(document, tmp_path))


@pytest.mark.accept("S1.5", "S1.9")
@pytest.mark.parametrize("draw", range(DRAWS))
def test_every_step_between_two_drawn_fabrics_is_taken_and_lets_nothing_more_through(draw, tmp_path, seed):
    source = random.Random(f"{seed} steps {draw}")
    sides = []
    while len(sides) < 2:
        try:
            sides.append(configs(edited(source, source.randint(1, 5)), tmp_path))
        except (AssertionError, InputError):
            continue  # edits that do not go together: the landscape's own rules refuse them
    walk(source, *sides)


@pytest.mark.accept("S1.5")
@pytest.mark.parametrize("draw", range(JUDGED))
def test_the_models_accept_every_step_between_two_drawn_fabrics(draw, tmp_path, seed):
    source = random.Random(f"{seed} judged {draw}")
    sides = []
    while len(sides) < 2:
        try:
            sides.append(configs(edited(source, source.randint(1, 5)), tmp_path))
        except (AssertionError, InputError):
            continue
    with changing.judge() as judge:
        names = source.sample(sorted(sides[0].keys() & sides[1].keys()), 3)
        walk(source, *({name: side[name] for name in names} for side in sides), judge.faults)


@pytest.mark.accept("S1.9")
@pytest.mark.parametrize("draw", range(DRAWS))
def test_separation_holds_at_every_step_from_one_policy_to_another(draw, tmp_path, seed):
    source = random.Random(f"{seed} policies {draw}")
    sides = []
    while len(sides) < 2:
        try:
            sides.append(configs(test_render_separation.drawn(source, instances=draw % 2 == 1), tmp_path))
        except (AssertionError, InputError):
            continue
    for name in ("leaf1", "leaf2"):
        made = planned(sides[0][name], sides[1][name])
        walking.walk(source, sides[0][name], sides[1][name], made.changes)


@pytest.mark.accept("S1.5")
@pytest.mark.parametrize("way", ["there", "back"])
@pytest.mark.parametrize("name", ["st01-sw100g-r01-u41", "st01-sw1g-r01-u42"])
def test_frr_takes_every_step_between_a_real_backup_and_its_landscape(name, way):
    backup, wanted = golden.config(name), build.render(fabrics.view("scs-lab"), name, build.Options(secrets=SECRETS))
    pair = (backup, targets.wanted(backup, wanted.config, wanted.owned))
    before, after = pair if way == "there" else reversed(pair)
    rows = diff.rows_of(before)
    made = planned(before, after)
    assert len(made.changes) > 50
    for step in made.changes:
        assert not walking.refused_by_frr(rows, step)
        diff.advance(rows, step)
