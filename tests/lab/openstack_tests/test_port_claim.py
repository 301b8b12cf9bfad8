# SPDX-License-Identifier: Apache-2.0
"""Ports in a real Neutron: the owner of a network may choose addresses, a member on a shared one may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import ForbiddenError
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
MAC = "00:50:56:ab:cd:01"


@pytest.fixture
def desk(compute_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(compute_cloud, tmp_path, "member")
    with found.session() as cloud:
        network = made(cloud, "network", name="front")["id"]
        made(cloud, "subnet", network_id=network, name="front", ip_version=4, cidr="10.7.0.0/24")
    yield found
    Desk(compute_cloud, tmp_path, "admin").run("port_claim", vm="u3", state="absent")
    compute_cloud.clean("demo")


def made(cloud: Any, kind: str, **body: Any) -> dict[str, Any]:
    return dict(cloud.call("network", "POST", f"/{kind}s", json={kind: body}, repeat=False).body[kind])


def ports(desk: Desk) -> list[dict[str, Any]]:
    with desk.session() as cloud:
        return sorted(cloud.pages("network", "/ports", "ports"), key=lambda one: str(one["mac_address"]))


@pytest.mark.accept("V1.10")
def test_addresses_are_claimed_once_and_given_back(desk: Desk) -> None:
    cards = [
        {
            "name": "c0",
            "network": "front",
            "mac_address": MAC.upper(),
            "fixed_ips": ["10.7.0.20"],
            "security_groups": ["default"],
            "tags": ["blue"],
            "description": "front",
        },
        {"name": "c1", "network": "front", "mac_address": "00:50:56:ab:cd:02", "port_security": False},
    ]
    planned = desk.run("port_claim", check_mode=True, vm="u1", ports=cards)
    assert ports(desk) == []
    done = desk.run("port_claim", vm="u1", ports=cards)
    assert done.plan.digest == planned.plan.digest
    first, second = ports(desk)
    assert (first["mac_address"], [one["ip_address"] for one in first["fixed_ips"]]) == (MAC, ["10.7.0.20"])
    assert (sorted(first["tags"]), first["description"]) == (["blue", "migration_vm=u1"], "front")
    assert len(first["security_groups"]) == 1
    assert (second["port_security_enabled"], second["security_groups"]) == (False, [])
    again = desk.run("port_claim", vm="u1", ports=cards)
    assert (again.changed, [one["id"] for one in again.values["ports"]]) == (False, [first["id"], second["id"]])
    for wrong, why in (
        ({"mac_address": "00:50:56:00:00:09", "fixed_ips": ["10.7.0.20"]}, f"is taken by port {first['id']}"),
        ({"mac_address": "00:50:56:00:00:09", "fixed_ips": ["10.7.0.1"]}, "is the gateway"),
        ({"mac_address": "00:50:56:00:00:09", "fixed_ips": ["10.8.0.1"]}, "is not in a subnet"),
    ):
        with pytest.raises(InputError, match=why):
            desk.run("port_claim", vm="u2", ports=[{"network": "front", **wrong}])
    assert [one["id"] for one in ports(desk)] == [first["id"], second["id"]]
    assert desk.run("port_claim", vm="u2", state="absent").changed is False
    assert desk.run("port_claim", vm="u1", state="absent").steps_done == 2
    assert ports(desk) == []


@pytest.mark.accept("V1.10")
def test_who_may_not_choose_addresses_is_told_before_a_port_is_made(desk: Desk) -> None:
    card = [{"network": "shared", "mac_address": MAC}]
    for probe in ("rules", "request"):
        with pytest.raises(InputError, match="only the owner of network shared or an administrator may choose its MAC"):
            desk.run("port_claim", vm="u3", ports=card, probe=probe)
    with pytest.raises(ForbiddenError):  # Neutron says the same
        desk.run("port_claim", vm="u3", ports=card, probe="none")
    assert ports(desk) == []
    plain = [{"name": "any", "network": "shared"}]
    (port,) = desk.run("port_claim", vm="u3", ports=plain).values["ports"]
    assert desk.run("port_claim", vm="u3", ports=plain).values["ports"][0]["id"] == port["id"]
    desk.run("port_claim", vm="u3", state="absent")
    admin = Desk(desk.cloud, desk.folder, "admin")
    for probe in ("rules", "request"):
        (port,) = admin.run("port_claim", vm="u3", ports=card, probe=probe).values["ports"]
        assert port["mac_address"] == MAC
    assert admin.run("port_claim", vm="u3", state="absent").steps_done == 1
