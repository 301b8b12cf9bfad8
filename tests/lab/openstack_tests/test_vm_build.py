# SPDX-License-Identifier: Apache-2.0
"""A machine of volumes that were written and ports that were claimed, in a real cloud, as a member makes it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
PROPERTIES = {"hw_disk_bus": "scsi", "hw_scsi_model": "virtio-scsi", "hw_firmware_type": "uefi", "os_distro": "debian"}


@pytest.fixture
def desk(compute_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(compute_cloud, tmp_path, "member")
    with found.session() as cloud:
        body = {"network": {"name": "front"}}
        network = cloud.call("network", "POST", "/networks", json=body, repeat=False).body["network"]["id"]
        subnet = {"network_id": network, "name": "front", "ip_version": 4, "cidr": "10.7.0.0/24"}
        cloud.call("network", "POST", "/subnets", json={"subnet": subnet}, repeat=False)
    yield found
    compute_cloud.clean("demo")


def parts(desk: Desk, check: bool = False) -> dict[str, Any]:
    """Three volumes, of which the second boots, and two ports."""
    volumes = []
    for number in range(3):
        source = desk.folder / f"disk-{number}.raw"
        source.write_bytes(random.Random(number).randbytes(1 << 20))
        options = {
            "source": str(source),
            "name": f"web-{number}",
            "bootable": number == 1,
            "metadata": {"migration_vm": "u1", "migration_disk": str(2000 + number)},
            "mounts": {"127.0.0.1:/lab": str(desk.cloud.share)},
        }
        volumes.append(desk.run("volume_write", check_mode=check, **options).values["volume"])
    cards = [
        {"name": f"web-{number}", "network": "front", "mac_address": f"00:50:56:ab:cd:0{number}"} for number in (1, 2)
    ]
    ports = desk.run("port_claim", check_mode=check, vm="u1", ports=cards).values["ports"]
    return {"vm": "u1", "name": "web", "volumes": volumes, "ports": ports, "image_metadata": PROPERTIES}


def servers(desk: Desk) -> list[dict[str, Any]]:
    with desk.session() as cloud:
        return list(cloud.pages("compute", "/servers/detail", "servers", microversion="2.79"))


def test_a_machine_is_what_it_was_planned_to_be(desk: Desk) -> None:
    needs = {"vcpus": 1, "ram": 1024}
    planned = desk.run("vm_build", check_mode=True, needs=needs, **parts(desk, check=True))
    assert servers(desk) == []
    there = parts(desk)
    with pytest.raises(InputError, match="2048 MiB of memory, 4096 are needed"):
        desk.run("vm_build", flavor="lab-small", needs={"ram": 4096}, **there)
    done = desk.run("vm_build", needs=needs, **there)
    assert (done.plan.digest, done.values["differences"]) == (planned.plan.digest, [])
    identifier, boot = done.values["server"]["id"], there["volumes"][1]["id"]
    with desk.session() as cloud:
        server = cloud.get("compute", f"/servers/{identifier}", microversion="2.79")["server"]
        path = f"/servers/{identifier}/os-volume_attachments"
        found = cloud.get("compute", path, microversion="2.89")["volumeAttachments"]
        seen = cloud.get("block-storage", f"/volumes/{boot}")["volume"]
        cards = {one["mac_address"] for one in cloud.pages("network", "/ports", "ports", device_id=identifier)}
    assert (server["status"], server["flavor"]["original_name"]) == ("ACTIVE", "lab-small")
    assert server["metadata"] == {"migration_vm": "u1", "migration_state": "done"}
    order = [one["volumeId"] for one in sorted(found, key=lambda one: str(one["device"]))]
    assert order == [boot, there["volumes"][0]["id"], there["volumes"][2]["id"]]
    assert not any(one["delete_on_termination"] for one in found)
    assert seen["volume_image_metadata"] == PROPERTIES
    assert cards == {"00:50:56:ab:cd:01", "00:50:56:ab:cd:02"}
    again = desk.run("vm_build", needs=needs, **there)
    assert (again.changed, again.values["server"]["id"], len(servers(desk))) == (False, identifier, 1)
    with pytest.raises(InputError, match=f"is attached to {identifier}"):
        desk.run("vm_build", needs=needs, **{**there, "vm": "u2"})
    given_back(desk, there)


def given_back(desk: Desk, there: dict[str, Any]) -> None:
    """A decoy stays, and so do volumes and ports."""
    with desk.session() as cloud:
        decoy = machines.server(cloud, "web", [machines.volume(cloud, "decoy", True)], metadata={"migration_vm": "u10"})
    assert desk.run("vm_build", vm="u1", state="absent").steps_done == 1
    assert [one["id"] for one in servers(desk)] == [decoy]
    with desk.session() as cloud:
        for one in there["volumes"]:
            assert machines.until(lambda one=one: status(cloud, one["id"]) == "available")
        ports = {one["id"]: one["device_id"] for one in cloud.pages("network", "/ports", "ports")}
    assert {one["id"]: "" for one in there["ports"]}.items() <= ports.items()


def status(cloud: Any, volume: str) -> str:
    return str(cloud.get("block-storage", f"/volumes/{volume}")["volume"]["status"])
