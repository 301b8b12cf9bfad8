# SPDX-License-Identifier: Apache-2.0
"""Separation of environments: who hears of whom in rendered configurations equals what the landscape allows.

Landscapes are drawn at random. What is allowed is read off the drawn document here, and what a configuration does is
worked out by :mod:`evaluator`; neither uses the renderer's own idea of it.
"""

from __future__ import annotations

import collections
import itertools
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
    document["vrfs"] = {f"vrf{name}": _instance(source, number) for number, name in enumerate(names)}
    alone = {name for name in names if _often(source, document, document["environments"][name].get("vrf", ""))}
    document["roles"] = {key: row for key, row in document["roles"].items() if row["kind"] == "switch"}
    document["hosts"], document["cables"] = {}, [document["cables"][0]]
    document["switches"]["leaf2"] = {**document["switches"]["leaf1"], "index": 22}
    document["cables"].append({"a": "leaf2/Ethernet48", "b": "spine1/Ethernet4", "speed": "100G"})
    for number, name in enumerate(names):
        loopback = source.choice(["common", f"{name}n0"])
        document["roles"][name] = {"kind": "server", "loopback_network": loopback, "asn_scheme": "all"}
        for leaf in (1,) if name in alone else (1, 2):
            host = {"model": "box", "role": name, "environment": name, "index": 10 * number + leaf}
            document["hosts"][f"{name}h{leaf}"] = host
            document["cables"].append({"a": f"leaf{leaf}/Ethernet{number}", "b": f"{name}h{leaf}/nic0"})
    kinds = ["all", "one", *["nobody"] * (10 if instances else 3)]
    for name in {"all": names, "one": source.sample(names, 1)}.get(source.choice(kinds), []):
        networks[f"{name}v"] = {"purpose": "internal", "vni": 10000 + names.index(name), "environment": name}
    if source.random() < 0.2:
        networks["everybodys"] = {"purpose": "internal", "vni": 9999}
    return document


def _instance(source: random.Random, number: int) -> dict[str, Any]:
    return {"vni": 50000 + number, "vlan": 3000 + number} if source.random() < 0.5 else {}


def _often(source: random.Random, document: dict[str, Any], vrf: str) -> bool:
    """Whether the hosts of an instance are on one leaf alone: mostly when it has no VNI."""
    return bool(vrf) and source.random() < (0.2 if document["vrfs"][vrf] else 0.95)


def _environment(source: random.Random, name: str, names: list[str]) -> dict[str, Any]:
    others = [other for other in names if other != name]
    reached = source.sample(others, min(len(others), source.choice([0, 0, 1, 1, 3])))
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


def numbers(document: dict[str, Any]) -> dict[int, set[str]]:
    """Every VNI of the document, and whose it is; nobody's is everybody's."""
    found: dict[int, set[str]] = {}
    for network in document["networks"].values():
        if "vni" in network:
            found[network["vni"]] = {network["environment"]} if "environment" in network else set()
    for name, instance in document["vrfs"].items():
        if "vni" in instance:
            found[instance["vni"]] = {
                key for key, environment in document["environments"].items() if environment.get("vrf") == name
            }
    return found


def may_know(document: dict[str, Any], name: str, owners: set[str]) -> bool:
    """Whether an environment may announce and hear routes of a VNI: its own, or among those that hide nothing."""
    environments = document["environments"]
    if name in owners or not separated(document):
        return True
    return not environments[name]["separated"] and not any(environments[owner]["separated"] for owner in owners)


def torn(document: dict[str, Any], name: str) -> bool:
    """Whether an environment may know some VNIs and must not know others, which nothing on a switch tells apart."""
    return len({may_know(document, name, owners) for owners in numbers(document).values()}) == 2


def between(document: dict[str, Any], sender: str, receiver: str, owner: str, network: str) -> bool:
    """Whether the routing instances of two environments let a route pass: between two only what is reached does."""
    environments = document["environments"]
    vrfs = {name: environment.get("vrf", "default") for name, environment in environments.items()}
    if vrfs[sender] == vrfs[receiver]:
        return True
    return bool(owner) and any(
        reach["environment"] == owner and vrfs[owner] == vrfs[sender] and network in reach.get("networks", [network])
        for name, environment in environments.items()
        if vrfs[name] == vrfs[receiver]
        for reach in environment.get("reaches", ())
    )


def ask(document: dict[str, Any], view: Any, configs: dict[str, Any]) -> tuple[int, int]:
    """Puts every question to every pair of switches that both environments are on; how many, and how many said yes."""
    ports = {name: f"Ethernet{number}" for number, name in enumerate(list(document["environments"])[1:])}
    asked = allowed = 0
    for near, far in itertools.product(sorted(configs), repeat=2):
        for sender, receiver, owner, network, route in matrix(document, view):
            here, there = (f"{name}h{leaf[-1]}" for name, leaf in ((sender, near), (receiver, far)))
            if here not in document["hosts"] or there not in document["hosts"]:
                continue
            want = may_announce(document, sender, owner) and may_hear(document, receiver, owner, network, route)
            want = want and between(document, sender, receiver, owner, network)
            sides = (configs[near], ports[sender]), (configs[far], ports[receiver])
            if near == far:
                got = evaluator.hears(configs[near], ports[sender], ports[receiver], route)
            else:
                got = evaluator.hears_over(*sides[0], *sides[1], route)
            assert got == want, (near, far, sender, receiver, owner, network, route)
            asked, allowed = asked + 1, allowed + want
            for number, owners in numbers(document).items():
                want = all(
                    may_know(document, name, owners) and "vrf" not in document["environments"][name]
                    for name in (sender, receiver)
                )
                got = evaluator.hears_overlay(*sides[0], *sides[1])
                assert got == want, (near, far, sender, receiver, "VNI", number)
    return asked, allowed


@pytest.mark.accept("S1.9")
@pytest.mark.parametrize("draw", range(DRAWS))
def test_default_instance(draw: int, seed: int, tmp_path: Path) -> None:
    document = drawn(random.Random(f"{seed} separation {draw}"), instances=False)
    view = fabrics.view_of(document, tmp_path)
    rendered = {name: build.render(view, name, build.Options()) for name in ("leaf1", "leaf2")}
    mixed = any(torn(document, name) for name in document["environments"] if name != "net")
    for one in rendered.values():
        assert {issue.rule for issue in one.refused} == ({"SR019"} if mixed else set())
    if mixed:
        return
    asked, allowed = ask(document, view, {name: one.config for name, one in rendered.items()})
    if separated(document):
        assert 0 < allowed < asked, "a matrix that says yes or no to everything proves nothing"


def refusals(document: dict[str, Any], leaf: str) -> set[str]:
    """What a leaf cannot do of what the document asks for."""
    environments = document["environments"]
    vrfs = {name: environment.get("vrf", "default") for name, environment in environments.items()}
    here = [name for name in environments if f"{name}h{leaf[-1]}" in document["hosts"]]
    sources: dict[str, set[str]] = {}
    for name in here:
        for reach in environments[name]["reaches"]:
            if vrfs[reach["environment"]] != vrfs[name]:
                sources.setdefault(vrfs[name], set()).add(vrfs[reach["environment"]])
    found = {"SR013"} if any(len(several) > 1 for several in sources.values()) else set()
    # of several that are asked for, the first one is imported
    present = {vrfs[name] for name in here} | {sorted(several, key=shown)[0] for several in sources.values()}
    other = "2" if leaf == "leaf1" else "1"
    for name, vrf in vrfs.items():
        cut = vrf != "default" and "vni" not in document["vrfs"][vrf]
        if cut and vrf in present and f"{name}h{other}" in document["hosts"]:
            found.add("SR017")
    if any(vrfs[name] == "default" and torn(document, name) for name in here):
        found.add("SR019")
    return found


def shown(vrf: str) -> str:
    """The name of an instance on a switch."""
    return vrf if vrf == "default" else f"V{vrf}"


@pytest.mark.accept("S1.9")
@pytest.mark.parametrize("draw", range(DRAWS))
def test_routing_instances(draw: int, seed: int, tmp_path: Path) -> None:
    """Two leaves: an instance without a VNI stays on one of them, one with a VNI goes over the fabric."""
    document = drawn(random.Random(f"{seed} instances {draw}"), instances=True)
    view = fabrics.view_of(document, tmp_path)
    rendered = {name: build.render(view, name, build.Options(unmodelled=True)) for name in ("leaf1", "leaf2")}
    for name, one in rendered.items():
        assert {issue.rule for issue in one.refused} == refusals(document, name), [str(issue) for issue in one.refused]
    configs = {name: one.config for name, one in rendered.items() if not one.refused}
    asked, _allowed = ask(document, view, configs)
    # a leaf that is left alone may have hosts of one environment only
    assert asked or len(configs) < 2


def test_what_is_drawn_is_worth_asking() -> None:
    """Enough draws are not refused, with an instance on one switch and with one that goes over the fabric."""
    kinds: collections.Counter[str] = collections.Counter()
    for draw in range(100):
        document = drawn(random.Random(f"worth {draw}"), instances=True)
        if not refusals(document, "leaf1") | refusals(document, "leaf2"):
            vrfs = [environment["vrf"] for environment in document["environments"].values() if "vrf" in environment]
            kinds.update({"over" if "vni" in document["vrfs"][vrf] else "alone" for vrf in vrfs} or {"none"})
    assert min(kinds["over"], kinds["alone"]) >= 10, kinds


SABOTAGE: dict[str, Any] = {
    "nothing is hidden": ("hidden", lambda view, environment: []),
    "nothing is reached": ("reached", lambda view, environment: []),
    "all is its own": ("own", lambda view, name: [policy.Prefix("0.0.0.0/0", longer=True)]),
    "nothing is its own": ("own", lambda view, name: []),
    "no default route for anybody": ("DEFAULT_ROUTES", ()),
    "everybody hears of every VNI": ("overlay", lambda view, environment: ([1], [])),
    "nobody hears of a VNI": ("overlay", lambda view, environment: ([], [1])),
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
