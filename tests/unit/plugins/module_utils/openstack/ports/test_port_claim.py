# SPDX-License-Identifier: Apache-2.0
"""Ports are claimed once, whatever interrupts, and what stands against it is told before anything is made."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.modules import port_claim
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.ports.fake_neutron import (
    FakeNeutron,
    Killed,
)

MAC = "00:50:56:ab:cd:01"
CARDS = [
    {
        "name": "c0",
        "network": "front",
        "mac_address": "00-50-56-AB-CD-01",
        "fixed_ips": ["10.7.0.20", {"ip_address": "fd00:7::20", "subnet_id": "front-6"}],
        "security_groups": ["web", "sg-default"],
        "tags": ["blue"],
        "description": "front",
    },
    {"name": "c1", "network": "net", "mac_address": "00:50:56:ab:cd:02", "port_security": False},
    {"name": "c2", "network": "shared"},
]


def run(cloud: FakeNeutron, cards: Any = None, check: bool = False, **more: Any) -> Any:
    given = {"vm": "u1", "ports": CARDS if cards is None else cards, **more}
    checked = ArgumentSpecValidator(port_claim.ARGUMENTS).validate(given)
    assert not checked.error_messages, checked.error_messages
    return port_claim.main(checked.validated_parameters, check, connect=lambda _params, **_more: cloud)


def kept(cloud: FakeNeutron) -> list[dict[str, Any]]:
    """All ports without what is another one each time."""
    found = [{key: value for key, value in one.items() if key != "id"} for one in cloud.ports.values()]
    for one in found:
        if one["name"] == "c2":
            one.update(mac_address="", fixed_ips=[])
        elif one["name"] == "c1":
            one.update(fixed_ips=[])
    return sorted(found, key=lambda one: str(one["name"]))


def test_ports_are_made_once_and_are_what_was_wanted() -> None:
    cloud = FakeNeutron()
    predicted = run(cloud, check=True)
    assert cloud.writes == []
    assert [(one["id"], one["predicted"], one["status"]) for one in predicted.values["ports"]] == [
        (None, True, "planned")
    ] * 3
    done = run(cloud)
    assert (done.changed, done.steps_done, done.plan.digest) == (True, 3, predicted.plan.digest)
    assert [one["status"] for one in done.values["ports"]] == ["made"] * 3
    first, second, third = kept(cloud)
    assert (first["mac_address"], first["security_groups"]) == (MAC, ["sg-web", "sg-default"])
    assert first["fixed_ips"] == [
        {"subnet_id": "sub", "ip_address": "10.7.0.20"},
        {"subnet_id": "six", "ip_address": "fd00:7::20"},
    ]
    assert (first["tags"], first["description"]) == (["blue", "migration_vm=u1"], "front")
    assert (second["port_security_enabled"], second["security_groups"]) == (False, [])
    assert (third["tags"], third["description"]) == (["migration_vm=u1"], "")
    count = len(cloud.writes)
    again = run(cloud)
    assert (again.changed, len(cloud.writes)) == (False, count)
    assert [one["id"] for one in again.values["ports"]] == [one["id"] for one in done.values["ports"]]


def test_killed_anywhere_and_run_again_the_ports_are_the_same() -> None:
    whole = FakeNeutron()
    run(whole)
    for count in range(len(whole.writes)):
        cloud = FakeNeutron()
        cloud.kill_after = count
        with pytest.raises(Killed):
            run(cloud)
        cloud.kill_after = None
        run(cloud)
        assert kept(cloud) == kept(whole)
        assert not run(cloud).changed


@pytest.mark.parametrize("acted", [True, False])
def test_a_lost_answer_makes_no_second_port(acted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(10_000))
    monkeypatch.setattr(port_claim.task.Making.__init__, "__kwdefaults__", {
        "patience": 60.0, "clock": lambda: float(next(seconds)), "sleep": lambda _seconds: None, "stop": None
    })  # fmt: skip
    cloud = FakeNeutron()
    cloud.lose = [("POST", "/ports", acted)]
    run(cloud)
    assert len(cloud.ports) == 3


CONFLICTS: dict[str, tuple[dict[str, Any], str]] = {
    "address": ({"fixed_ips": ["10.7.0.50"]}, "10.7.0.50 is taken by port theirs"),
    "mac": ({"mac_address": "fa:16:3e:11:11:11"}, "is that of port theirs, which compute:nova s1 uses"),
    "gateway": ({"fixed_ips": ["10.7.0.1"]}, "is the gateway of subnet front-4"),
    "broadcast": ({"fixed_ips": ["10.7.0.255"]}, "is no address of a machine"),
    "outside": ({"fixed_ips": ["10.8.0.1"]}, "10.8.0.1 is not in a subnet of network front"),
    "subnet": ({"fixed_ips": [{"ip_address": "10.7.0.9", "subnet_id": "front-6"}]}, "is not in subnet front-6"),
    "group": ({"security_groups": ["nope"]}, "there is no security group nope"),
    "network": ({"network": "nope"}, "there is no network nope"),
    "shared mac": ({"network": "shared"}, "only the owner of network shared or an administrator may choose its MAC"),
    "shared ip": (
        {"network": "shared", "mac_address": None, "name": "x", "fixed_ips": ["10.9.0.7"]},
        "its fixed addresses",
    ),
}


@pytest.mark.parametrize(("card", "why"), CONFLICTS.values(), ids=CONFLICTS)
def test_what_stands_against_it_is_told_before_anything_is_made(card: dict[str, Any], why: str) -> None:
    cloud = FakeNeutron()
    theirs = {"mac_address": "fa:16:3e:11:11:11", "fixed_ips": [{"subnet_id": "sub", "ip_address": "10.7.0.50"}]}
    base = {"id": "theirs", "network_id": "net", "device_id": "s1", "device_owner": "compute:nova", "tags": []}
    cloud.ports["theirs"] = {**base, **theirs, "project_id": "p1", "name": "theirs"}
    good = {"name": "good", "network": "front", "mac_address": "00:50:56:00:00:01"}
    wrong = {"network": "front", "mac_address": MAC, **card}
    for check in (True, False):
        with pytest.raises(InputError, match=why):
            run(cloud, [good, wrong], check)
    assert cloud.writes == []


BAD: dict[str, tuple[list[dict[str, Any]], str]] = {
    "no mac": ([{"network": "n", "name": "x", "mac_address": "00:50:56"}], "no MAC address of a card"),
    "multicast": ([{"network": "n", "mac_address": "01:00:5e:00:00:01"}], "no MAC address of a card"),
    "nothing": ([{"network": "n"}], "neither mac_address nor name"),
    "address": ([{"network": "n", "name": "x", "fixed_ips": ["10.7.0.300"]}], "no IP address"),
    "twice": ([{"network": "n", "mac_address": MAC}, {"network": "n", "mac_address": MAC.upper()}], "wanted twice"),
    "tag": ([{"network": "n", "name": "x", "tags": ["migration_vm=u9"]}], "is ours"),
    "security": (
        [{"network": "n", "name": "x", "port_security": False, "security_groups": ["web"]}],
        "without port security",
    ),
}


@pytest.mark.parametrize(("cards", "why"), BAD.values(), ids=BAD)
def test_bad_cards_are_refused_without_a_request(cards: list[dict[str, Any]], why: str) -> None:
    cloud = FakeNeutron()
    with pytest.raises(InputError, match=why):
        run(cloud, cards)
    assert cloud.writes == []


def test_no_room_in_the_quota_is_told() -> None:
    cloud = FakeNeutron()
    cloud.quota["limit"] = 2
    with pytest.raises(InputError, match="3 ports are to be made, and the quota has room for 2"):
        run(cloud)
    assert cloud.writes == []


def test_administrators_and_clouds_with_rules_of_their_own() -> None:
    card = [{"network": "shared", "mac_address": MAC}]
    assert run(FakeNeutron("admin"), card).changed
    cloud = FakeNeutron()
    cloud.lenient = True
    with pytest.raises(InputError, match="only the owner"):
        run(cloud, card)
    assert run(cloud, card, probe="request").changed
    assert len(cloud.ports) == 1
    strict = FakeNeutron()
    with pytest.raises(InputError, match="only the owner"):
        run(strict, card, probe="request")
    assert strict.ports == {}
    with pytest.raises(InputError, match="only the owner"):
        run(strict, card, check=True, probe="request")
    assert strict.writes == [("POST", "/ports")]  # none in check mode


def test_what_differs_is_changed_and_a_port_of_somebody_is_used_but_stays_theirs() -> None:
    cloud = FakeNeutron()
    _status, body = cloud._made({"network_id": "net", "mac_address": MAC, "name": "old"})
    theirs = body["port"]["id"]
    done = run(cloud, CARDS[:1])
    assert [(one["id"], one["status"], one["created"]) for one in done.values["ports"]] == [(theirs, "changed", False)]
    assert (cloud.ports[theirs]["name"], cloud.ports[theirs]["tags"]) == ("c0", ["blue"])
    assert not run(cloud, CARDS[:1]).changed
    assert run(cloud, [], state="absent").values["ports"] == []
    assert list(cloud.ports) == [theirs]


def test_only_ports_of_the_machine_are_removed_and_none_in_use() -> None:
    cloud = FakeNeutron()
    run(cloud)
    run(cloud, [{"name": "x", "network": "front", "mac_address": "00:50:56:ab:cd:09"}], vm="u1-copy")
    before = copy.deepcopy(cloud.ports)
    assert len(run(cloud, [], check=True, state="absent").plan) == 3
    assert cloud.ports == before
    first = next(iter(cloud.ports.values()))
    first["device_id"] = "s1"
    with pytest.raises(InputError, match="is used by s1"):
        run(cloud, [], state="absent")
    # In check mode the server is only foretold to be gone by then.
    assert len(run(cloud, [], check=True, state="absent").plan) == 3
    assert cloud.ports == {**before, first["id"]: first}
    first["device_id"] = ""
    assert run(cloud, [], state="absent").steps_done == 3
    assert [one["tags"] for one in cloud.ports.values()] == [["migration_vm=u1-copy"]]
    assert not run(cloud, [], state="absent").changed
