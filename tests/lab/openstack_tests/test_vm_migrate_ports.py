# SPDX-License-Identifier: Apache-2.0
"""Ports of a migration in a real Neutron: what cannot be had is found while guests still run, and passwords are nowhere."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.openstack_tests.test_vm_migrate_play import MIB, Estate, machine
from ansible_collections.scs.landscape.tests.lab.samples import Samples
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane
from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
MACS = ("00:50:56:aa:00:01", "00:50:56:aa:00:11")


@pytest.fixture
def estate(compute_cloud: Cloud, tmp_path: Path, seed: int) -> Iterator[Estate]:
    """A machine with two cards on two networks of the source."""
    desk, content = Desk(compute_cloud, tmp_path, "member"), random.Random(seed).randbytes(MIB)
    with desk.session() as cloud:
        for number, name in enumerate(("front", "back")):
            network = made(cloud, "network", name=name)["id"]
            made(cloud, "subnet", network_id=network, name=name, ip_version=4, cidr=f"10.{7 + number}.0.0/24")
        made(cloud, "security-group", key="security_group", name="web")
    described = machine(tmp_path, "web", 1, [content])
    described["nics"].append({"mac": MACS[1], "ips": ["10.8.0.21"], "network": "inner"})
    esxi = Vsphere(lane("ports"), "esxi", {"machines": [described], "networks": [{"name": "inner"}]})
    esxi.prepare()
    with compute_cloud.inside():
        esxi.down()  # a killed run may have left one
        esxi.up()
    yield Estate(desk, esxi, {"web": [content]})
    with compute_cloud.inside():
        esxi.down()
    compute_cloud.clean("demo")


def made(cloud: Any, kind: str, key: str = "", **body: Any) -> dict[str, Any]:
    key = key or kind
    return dict(cloud.call("network", "POST", f"/{kind}s", json={key: body}, repeat=False).body[key])


def events(estate: Estate) -> list[str]:
    """What happened to machines; logins are events, too."""
    with estate.desk.cloud.inside():
        return [str(one["event"]) for one in estate.esxi.events() if one.get("machine")]


def untouched(estate: Estate, before: list[str]) -> None:
    """That nothing happened at the source, in its own words."""
    assert events(estate) == before
    assert estate.written() == []
    source = estate.source("web")
    assert (source["power"], all(source["nics"])) == ("poweredOn", True)


@pytest.mark.accept("V1.10", "V1.16")
def test_what_cannot_be_had_is_found_while_guests_run_and_ports_are_made_once(estate: Estate) -> None:
    networks = {"inner": "back", "*": {"network": "front", "security_groups": ["web"]}}
    before = events(estate)
    with Samples(estate.esxi.password) as samples:
        estate.play("vm_assess")
        # A right that is missing: addresses on a network of others.
        said = estate.play("vm_plan", fails=True, vm_networks={"*": "shared"})
        assert "belongs to another project" in said
        untouched(estate, before)
        estate.play("vm_plan", vm_networks=networks)
        # Somebody takes an address after the plan was made.
        with estate.desk.session() as cloud:
            back = next(one["id"] for one in cloud.pages("network", "/networks", "networks", name="back"))
            taken = made(cloud, "port", network_id=back, mac_address=MACS[1], name="somebody")["id"]
        said = estate.migrate(fails=True)
        assert f"{MACS[1]} on network back belongs to port {taken}" in " ".join(said.split())
        untouched(estate, before)
        assert (estate.ports("web"), estate.volumes("web"), estate.servers("web")) == ([], [], [])
        with estate.desk.session() as cloud:
            cloud.call("network", "DELETE", f"/ports/{taken}")
        estate.migrate()
    ports = sorted(estate.ports("web"), key=lambda one: str(one["mac_address"]))
    assert [one["mac_address"] for one in ports] == list(MACS)
    assert [[ip["ip_address"] for ip in one["fixed_ips"]] for one in ports] == [["10.7.0.21"], ["10.8.0.21"]]
    with estate.desk.session() as cloud:
        groups = {one["id"]: one["name"] for one in cloud.pages("network", "/security-groups", "security_groups")}
    assert [[groups[group] for group in one["security_groups"]] for one in ports] == [["web"], ["default"]]
    (server,) = estate.servers("web")
    assert {one["device_id"] for one in ports} == {server["id"]}
    assert any("PoweredOff" in one or "Shutdown" in one for one in events(estate)[len(before) :])
    estate.migrate()
    assert sorted(one["id"] for one in estate.ports("web")) == sorted(one["id"] for one in ports)
    secret = estate.esxi.password.encode()
    assert samples.count > 20
    assert any("vm_migrate" in name for name in samples.names)
    assert samples.found == set()
    # Journals, block maps, plans, reports; the variables are the operator's own file.
    files = [path for path in estate.desk.folder.rglob("*") if path.is_file() and path.name != "variables.yml"]
    assert any("journals" in str(path) for path in files)
    assert [str(path) for path in files if secret in path.read_bytes()] == []
