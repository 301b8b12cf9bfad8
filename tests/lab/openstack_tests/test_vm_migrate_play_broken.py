# SPDX-License-Identifier: Apache-2.0
"""Migrations in which something breaks: the play is killed, a server cannot be built, a guest does not listen."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.flows.migration.state import WAY
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines
from ansible_collections.scs.landscape.tests.lab.openstack_tests.estates import (
    MIB,
    Estate,
    between,
    is_at_the_source,
    is_migrated,
    machine,
)

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
#: Seconds after which an ESXi ends a lease that nobody keeps; 300 on a real one.
LEASE = 30


@pytest.fixture
def estate(compute_cloud: Cloud, tmp_path: Path, seed: int) -> Iterator[Estate]:
    """Three small machines."""
    draw = random.Random(seed)
    disks = {name: [draw.randbytes(2 * MIB)] for name in ("web", "deaf", "good")}
    described = [machine(tmp_path, name, number + 1, disks[name]) for number, name in enumerate(disks)]
    described[1]["shutdown"] = "ignore"
    with between(compute_cloud, tmp_path, described, disks, lease_seconds=LEASE) as found:
        yield found


def decoys(estate: Estate) -> list[str]:
    """Things with the names of ours, which are not."""
    network = estate.plan["vms"][0]["ports"][0]["network_id"]
    with estate.desk.session() as cloud:
        volume = machines.volume(cloud, "web-0", metadata={"migration_vm": "another", "migration_disk": "2000"})
        port = cloud.call("network", "POST", "/ports", json={"port": {"network_id": network, "name": "web-0"}})
        image = machines.image(cloud, "web-0")
    return [volume, str(port.body["port"]["id"]), image]


def there(estate: Estate) -> list[str]:
    """Ids of all volumes, ports, images and servers of the project."""
    with estate.desk.session() as cloud:
        lists = (
            cloud.pages("block-storage", "/volumes/detail", "volumes"),
            cloud.pages("network", "/ports", "ports"),
            cloud.pages("image", "/images", "images", os_hidden="true"),
            cloud.pages("image", "/images", "images", owner=cloud.project_id),
            cloud.pages("compute", "/servers", "servers"),
        )
        return sorted(str(one["id"]) for found in lists for one in found)


def tree(estate: Estate) -> dict[str, str]:
    """Digests of the files of all disks; logs and the like are the host's own."""
    files = [path for path in estate.esxi.datastores.rglob("*.vmdk") if path.is_file()]
    assert files
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.accept("V1.11", "V1.15")
def test_machines_that_cannot_go_hold_up_no_other_and_go_back_wholly(estate: Estate) -> None:
    estate.play("vm_plan", vm_overrides={"web": {"properties": {"hypervisor_type": "xen"}}})
    before, mine, foreign = tree(estate), there(estate), decoys(estate)
    said = estate.migrate(fails=True, vm_migrate_shutdown_timeout=5)
    assert "2 of 3 machines could not go on" in said
    assert "deaf: The guest of deaf did not shut down within 5 s; it is still on" in said
    assert "No valid host" in said
    is_migrated(estate, "good", 3)
    source = estate.source("deaf")
    assert (source["power"], estate.volumes("deaf")) == ("poweredOn", [])
    assert (len(estate.volumes("web")), estate.servers("web")) == (1, [])
    kept = sorted(one["id"] for one in (*estate.servers("good"), *estate.volumes("good"), *estate.ports("good")))
    estate.roll_back()
    is_at_the_source(estate, "web", 1)
    is_at_the_source(estate, "deaf", 2)
    is_migrated(estate, "good", 3)
    assert there(estate) == sorted([*mine, *foreign, *kept])
    estate.roll_back(vm_only=[estate.uuid("good")])
    is_at_the_source(estate, "good", 3)
    assert there(estate) == sorted([*mine, *foreign])
    assert tree(estate) == before
    assert "PowerOffVM_Task" not in estate.written()


def moments(estate: Estate, name: str) -> dict[str, Callable[[], Any]]:
    """Each state of a machine, and the middle of work that takes longer."""

    def at(state: str) -> Callable[[], bool]:
        return lambda: estate.journal(name) in WAY[WAY.index(state) :]

    found: dict[str, Callable[[], Any]] = {state: at(state) for state in WAY}
    # Between these two there is no state, and asking costs the cloud something.
    found["copying"] = lambda: estate.journal(name) != "stopped" or bool(time.sleep(1) or estate.volumes(name))
    found["building"] = lambda: estate.journal(name) != "verified" or bool(time.sleep(1) or estate.servers(name))
    return {key: found[key] for key in (*WAY[:4], "copying", *WAY[4:6], "building", *WAY[6:])}


@pytest.mark.accept("V1.14")
def test_killed_everywhere_and_run_again_it_ends_the_same_and_leaves_nothing(estate: Estate) -> None:
    estate.play("vm_plan", vm_machines=["good"])
    before, killed = there(estate), []
    for name, when in moments(estate, "good").items():
        confirmed = {"landscape_confirm": f"lab {estate.digest}"}
        if estate.killed("vm_migrate", when, **confirmed):
            killed.append(name)
    assert len(killed) >= 12, killed
    estate.migrate()
    is_migrated(estate, "good", 3)
    own = [*estate.servers("good"), *estate.volumes("good"), *estate.ports("good")]
    assert (len(own), there(estate)) == (3, sorted([*before, *(str(one["id"]) for one in own)]))
    assert [len(one["attachments"]) for one in estate.volumes("good")] == [1]
    # Nobody can end the lease of a process that was killed: it ends when nobody says any more how far he is.
    with estate.desk.cloud.inside():
        assert machines.until(lambda: estate.esxi.state()["leases"] == [], 4 * LEASE)
        state = estate.esxi.state()
    assert [one["snapshots"] for one in state["machines"].values()] == [[], [], []]
