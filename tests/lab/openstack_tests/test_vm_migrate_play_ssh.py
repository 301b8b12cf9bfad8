# SPDX-License-Identifier: Apache-2.0
"""A whole migration from a host with the free licence, over SSH: not one SOAP call that writes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.estates import MIB, Estate, between, holds, machine
from ansible_collections.scs.landscape.tests.lab.vsphere_tests import shells

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def estate(compute_cloud: Cloud, tmp_path: Path, seed: int) -> Iterator[Estate]:
    """A machine that is off, for its host lets nobody shut it down by SOAP."""
    draw = random.Random(seed)
    disks = {"web": [draw.randbytes(3 * MIB) + bytes(5 * MIB) + draw.randbytes(512), draw.randbytes(MIB)]}
    described = [{**machine(tmp_path, "web", 1, disks["web"]), "power": "off", "autostart": 0}]
    shells.needs()
    with between(compute_cloud, tmp_path, described, disks, licence="free") as found, compute_cloud.inside():
        (tmp_path / "sshd").mkdir()
        with shells.sshd(tmp_path / "sshd") as port:
            way = {"host": "127.0.0.1", "port": port, "key": str(tmp_path / "sshd/key")}
            way.update(known_hosts=str(tmp_path / "sshd/known"), volumes=str(found.esxi.datastores))
            found.ssh = way
            yield found


@pytest.mark.accept("V1.22")
def test_a_host_with_the_free_licence_is_left_without_a_call_that_writes(estate: Estate, tmp_path: Path) -> None:
    estate.variables = {"vm_transport": "ssh", "vm_migrate_disconnect": False}
    estate.play("vm_plan")
    assert [one["transport"] for one in estate.plan["vms"]] == ["ssh"]
    way, estate.ssh = estate.ssh, None
    said = estate.migrate(fails=True)
    assert "ssh: no host for SSH is named" in said
    estate.ssh = way
    estate.migrate("--check")
    estate.migrate()
    holds(estate, "web")
    (server,) = estate.servers("web")
    assert server["status"] == "SHUTOFF"
    asked = (tmp_path / "sshd/asked").read_text(encoding="utf-8").splitlines()
    assert {line.split()[0] for line in asked} == {"stat", "dd"}
    estate.roll_back(vm_only=[estate.uuid("web")])
    assert (estate.servers("web"), estate.volumes("web"), estate.ports("web")) == ([], [], [])
    assert estate.written() == []
    with estate.desk.cloud.inside():
        assert estate.esxi.calls("lease") == []
