# SPDX-License-Identifier: Apache-2.0
"""Separation of environments: who hears of whom in rendered configurations equals what the landscape allows.

Landscapes are drawn at random. What is allowed is read off the drawn document here, and what a configuration does is
worked out by :mod:`evaluator`; neither uses the renderer's own idea of it.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic.render import build, policy, separation
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import evaluator, fabrics

pytestmark = pytest.mark.slow

DRAWS = 200 if os.environ.get("SCS_FULL") else 60
FOREIGN = "192.168.77.0/24"


def drawn(source: random.Random, *, instances: bool) -> dict[str, Any]:
    """A fabric of two leaves with a host of every environment on both."""
    document = fabrics.document()
    names = [f"e{number}" for number in range(source.randint(2, 4))]
    document["environments"] = {"net": {}, **{name: _environment(source, name, names) for name in names}}
    networks = {name: row for name, row in document["networks"].items() if name in ("oob", "fabric")}
    networks["common"] = {"purpose": "loopback", "v4": "10.90.0.0/24", "v6": "fd00:90::/64", "scheme_v6": "embed-v4"}
    for number, name in enumerate(names):
        for part in range(source.randint(1, 2)):
            network = {"purpose": "loopback", "v4": f"10.{20 + number}.{part}.0/24", "environment": name}
            if source.random() < 0.5:
                network["v6"] = f"fd00:{20 + number}:{part}::/64"
                network["scheme_v6"] = "embed-v4"
            networks[f"{name}n{part}"] = network
    document["networks"] = networks
    for name in names:
        environment = document["environments"][name]
        for reach in environment["reaches"]:
            of_other = [key for key in networks if networks[key].get("environment") == reach["environment"]]
            if source.random() < 0.5:
                reach["networks"] = source.sample(of_other, source.randint(1, len(of_other)))
        if instances and source.random() < 0.6:
            environment["vrf"] = f"vrf{name}"
    document["vrfs"] = {f"vrf{name}": {} for name in names}
    document["roles"] = {key: row for key, row in document["roles"].items() if row["kind"] == "switch"}
    document["hosts"], document["cables"] = {}, [document["cables"][0]]
    document["switches"]["leaf2"] = {**document["switches"]["leaf1"], "index": 22}
    document["cables"].append({"a": "leaf2/Ethernet48", "b": "spine1/Ethernet4", "speed": "100G"})
    for number, name in enumerate(names):
        loopback = source.choice(["common", f"{name}n0"])
        document["roles"][name] = {"kind": "server", "loopback_network": loopback, "asn_scheme": "all"}
        for leaf in (1, 2):
            host = {"model": "box", "role": name, "environment": name, "index": 10 * number + leaf}
            document["hosts"][f"{name}h{leaf}"] = host
            document["cables"].append({"a": f"leaf{leaf}/Ethernet{number}", "b": f"{name}h{leaf}/nic0"})
    return document


def _environment(source: random.Random, name: str, names: list[str]) -> dict[str, Any]:
    others = [other for other in names if other != name]
    reached = source.sample(others, source.randint(0, len(others)))
    return {
        "separated": source.random() < 0.6,
        "default_route": source.random() < 0.5,
        "reaches": [{"environment": other} for other in reached],
    }


def routes(document: dict[str, Any], view: Any) -> list[tuple[str, str, str]]:
    """Every route there is: whose it is (nobody's: empty), its network (a host's in a common one: empty), the prefix."""
    found = []
    for key, network in document["networks"].items():
        if "environment" in network:
            for family in ("v4", "v6"):
                if family in network:
                    found.append((network["environment"], key, network[family]))
    for name, host in document["hosts"].items():
        loopback = document["roles"][host["role"]]["loopback_network"]
        device = view.devices[name]
        for address in (device.loopback_v4, device.loopback_v6):
            if address:
                network = "" if loopback == "common" else loopback
                found.append((host["environment"], network, f"{address}/{128 if ':' in address else 32}"))
    return [*found, ("", "", FOREIGN), ("", "", "0.0.0.0/0")]


def may_announce(document: dict[str, Any], sender: str, owner: str) -> bool:
    """Whether the devices of an environment may announce what belongs to somebody."""
    environments = document["environments"]
    if sender == owner:
        return True
    if environments[sender]["separated"]:
        return False
    return not owner or not environments[owner]["separated"]


def may_hear(document: dict[str, Any], receiver: str, owner: str, network: str, route: str) -> bool:
    """Whether the devices of an environment may hear of a route."""
    environment = document["environments"][receiver]
    if receiver == owner:
        return True
    for reach in environment["reaches"]:
        if owner and reach["environment"] == owner and network in reach.get("networks", [network]):
            return True
    if route == "0.0.0.0/0" and environment["separated"]:
        return bool(environment["default_route"])
    if environment["separated"]:
        return False
    return not owner or not document["environments"][owner]["separated"]


def matrix(document: dict[str, Any], view: Any) -> list[tuple[str, str, str, str, str]]:
    """Every question: sender, receiver, owner of the route, its network, the route."""
    names = [name for name in document["environments"] if name != "net"]
    return [(sender, receiver, *route) for sender in names for receiver in names for route in routes(document, view)]


def separated(document: dict[str, Any]) -> bool:
    return any(environment.get("separated") for environment in document["environments"].values())


@pytest.mark.accept("S1.9")
@pytest.mark.parametrize("draw", range(DRAWS))
def test_default_instance(draw: int, seed: int, tmp_path: Path) -> None:
    document = drawn(random.Random(f"{seed} separation {draw}"), instances=False)
    view = fabrics.view_of(document, tmp_path)
    configs = fabrics.configs(view)
    ports = {name: f"Ethernet{number}" for number, name in enumerate(list(document["environments"])[1:])}
    asked = allowed = 0
    for sender, receiver, owner, network, route in matrix(document, view):
        want = may_announce(document, sender, owner) and may_hear(document, receiver, owner, network, route)
        here = evaluator.hears(configs["leaf1"], ports[sender], ports[receiver], route)
        over = evaluator.hears_over(configs["leaf1"], ports[sender], configs["leaf2"], ports[receiver], route)
        assert (here, over) == (want, want), (sender, receiver, owner, network, route)
        asked, allowed = asked + 1, allowed + want
    if separated(document):
        assert 0 < allowed < asked, "a matrix that says yes or no to everything proves nothing"


@pytest.mark.accept("S1.9")
@pytest.mark.parametrize("draw", range(DRAWS))
def test_routing_instances(draw: int, seed: int, tmp_path: Path) -> None:
    document = drawn(random.Random(f"{seed} instances {draw}"), instances=True)
    view = fabrics.view_of(document, tmp_path)
    rendered = build.render(view, "leaf1", build.Options())
    vrfs = {name: environment.get("vrf", "default") for name, environment in document["environments"].items()}
    sources: dict[str, set[str]] = {}
    for name, environment in document["environments"].items():
        for reach in environment.get("reaches", ()):
            if vrfs[reach["environment"]] != vrfs[name]:
                sources.setdefault(vrfs[name], set()).add(vrfs[reach["environment"]])
    several = any(len(found) > 1 for found in sources.values())
    assert bool(rendered.refused) == several, [str(issue) for issue in rendered.refused]
    if several:
        assert {issue.rule for issue in rendered.refused} == {"SR013"}
        return
    ports = {name: f"Ethernet{number}" for number, name in enumerate(list(document["environments"])[1:])}
    for sender, receiver, owner, network, route in matrix(document, view):
        want = may_announce(document, sender, owner) and may_hear(document, receiver, owner, network, route)
        if vrfs[sender] != vrfs[receiver]:
            # between two instances only what is reached passes, whether separated or not
            reached = any(
                reach["environment"] == owner
                and vrfs[owner] == vrfs[sender]
                and network in reach.get("networks", [network])
                for name, environment in document["environments"].items()
                if vrfs[name] == vrfs[receiver]
                for reach in environment.get("reaches", ())
            )
            want = want and bool(owner) and reached and vrfs[sender] in sources.get(vrfs[receiver], ())
        here = evaluator.hears(rendered.config, ports[sender], ports[receiver], route)
        assert here == want, (sender, receiver, owner, network, route)


SABOTAGE: dict[str, Any] = {
    "nothing is hidden": ("hidden", lambda view, environment: []),
    "nothing is reached": ("reached", lambda view, environment: []),
    "all is its own": ("own", lambda view, name: [policy.Prefix("0.0.0.0/0", longer=True)]),
    "nothing is its own": ("own", lambda view, name: []),
    "no default route for anybody": ("DEFAULT_ROUTES", ()),
}


@pytest.mark.parametrize("what", sorted(SABOTAGE))
def test_the_matrix_finds_what_is_planted(what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A renderer that is wrong in one thing is caught by one of the first draws of a fixed seed."""
    name, value = SABOTAGE[what]
    monkeypatch.setattr(separation, name, value)
    caught = 0
    for draw in range(20):
        try:
            test_default_instance(draw, 1, tmp_path)
        except AssertionError:
            caught += 1
    assert caught


def test_without_a_separated_environment_there_are_no_filters(tmp_path: Path) -> None:
    config = fabrics.configs(fabrics.view_of(fabrics.document(), tmp_path))["leaf1"]
    assert set(config["ROUTE_MAP_SET"]) == {"ALLOW", "CONNECTED"}
    assert config["BGP_NEIGHBOR"]["default|Ethernet0"] == {"peer_group_name": "hosts"}


def test_networks_of_separated_environments_are_not_routed_together(tmp_path: Path) -> None:
    document = fabrics.document()
    document["environments"]["red"]["separated"] = True
    for name, vlan in (("red", 201), ("blue", 202)):
        routed = {"purpose": "internal", "v4": f"10.{vlan}.0.0/24", "router_v4": f"10.{vlan}.0.1", "vlan": vlan}
        document["networks"][f"{name}-vlan"] = {**routed, "environment": name, "routers": ["leaf1"]}
    rendered = build.render(fabrics.view_of(document, tmp_path), "leaf1", build.Options())
    assert [issue.rule for issue in rendered.refused] == ["SR011"]
    document["networks"]["red-vlan"]["vrf"] = "redder"
    assert build.render(fabrics.view_of(document, tmp_path), "leaf1", build.Options()).refused == ()


@pytest.mark.accept("S1.9")
def test_environments_with_similar_names_do_not_share_lists(tmp_path: Path) -> None:
    document = fabrics.document()
    for old, new in (("red", "a.b"), ("blue", "a-b")):
        document["environments"][new] = {**document["environments"].pop(old), "separated": True}
        document["networks"][old]["environment"] = new
        document["hosts"][f"{old}1"]["environment"] = new
    config = fabrics.configs(fabrics.view_of(document, tmp_path))["leaf1"]
    for sender, receiver, route in (
        ("Ethernet0", "Ethernet1", "10.2.0.1/32"),
        ("Ethernet1", "Ethernet0", "10.3.0.1/32"),
    ):
        assert evaluator.hears(config, sender, sender, route)
        assert not evaluator.hears(config, sender, receiver, route)
        assert not evaluator.hears(config, receiver, receiver, route)


@pytest.mark.accept("S1.9")
def test_the_border_announces_and_believes_only_what_is_listed() -> None:
    config = fabrics.configs(fabrics.view("fabric"))["border1"]
    row = config["BGP_NEIGHBOR_AF"]["default|203.0.113.0|ipv4_unicast"]
    candidates = ["0.0.0.0/0", "203.0.113.128/25", "203.0.113.128/26", "10.2.0.11/32", "10.1.0.41/32", "10.0.0.0/8"]
    out = [route for route in candidates if evaluator.permits(config, row["route_map_out"][0], route)]
    into = [route for route in candidates if evaluator.permits(config, row["route_map_in"][0], route)]
    assert (out, into) == (["203.0.113.128/25"], ["0.0.0.0/0"])
    v6 = config["BGP_NEIGHBOR_AF"]["default|2001:db8:ffff::|ipv6_unicast"]
    for direction in ("in", "out"):
        assert not evaluator.permits(config, v6[f"route_map_{direction}"][0], "::/0")
    assert "default|ipv4_unicast|203.0.113.128/25" in config["BGP_GLOBALS_AF_AGGREGATE_ADDR"]
