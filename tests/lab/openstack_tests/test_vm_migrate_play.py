# SPDX-License-Identifier: Apache-2.0
"""The whole way by the playbooks: machines of an ESXi become servers of a real cloud, and one of them goes back."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.vmware import client, reading
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.estates import (
    MIB,
    Estate,
    between,
    holds,
    is_at_the_source,
    is_migrated,
    machine,
)

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


#: Where the disks of a machine hang, in the order in which its firmware looks for them, and what their files are called.
PLACES = [
    {"controller": "pvscsi", "unit": 0, "path": "web/web server_1.vmdk"},
    {"controller": "pvscsi", "unit": 3, "path": "web/web.vmdk"},
    {"controller": "lsilogic", "bus": 1, "unit": 0, "path": "web/Größe (alt)_2.vmdk"},
    {"controller": "sata", "unit": 1, "path": "web/web_1_1.vmdk"},
    {"controller": "nvme", "unit": 0, "path": "web/web_1.vmdk"},
]


@pytest.fixture
def estate(compute_cloud: Cloud, tmp_path: Path, seed: int) -> Iterator[Estate]:
    """An estate with a machine of five disks on four controllers, which does not start from the first of them, and a small one.

    The keys of its disks say nothing of their places.
    """
    draw = random.Random(seed)
    disks = {
        "web": [draw.randbytes(512 * draw.randint(1, 2048)) for _place in PLACES],
        "old": [draw.randbytes(2 * MIB)],
    }
    disks["web"][draw.randrange(len(PLACES))] = draw.randbytes(3 * MIB) + bytes(6 * MIB) + draw.randbytes(512)
    described = [machine(tmp_path, name, number + 1, disks[name]) for number, name in enumerate(disks)]
    places = draw.sample(PLACES, len(PLACES))
    for number, (disk, place) in enumerate(zip(described[0]["disks"], places)):
        disk.update(place, key=2000 + number)
    boot = draw.choice([number for number, place in enumerate(places) if place is not PLACES[0]])
    described[0]["boot_order"] = [f"disk:{2000 + boot}"]
    rest = [number for place in PLACES for number in range(len(places)) if places[number] is place and number != boot]
    with between(compute_cloud, tmp_path, described, disks) as found:
        found.order = [str(2000 + number) for number in (boot, *rest)]
        yield found


def boots_from(estate: Estate, name: str) -> list[str]:
    """Keys of the disks of a machine in the order in which its server has them."""
    (server,) = estate.servers(name)
    keys = {one["id"]: one["metadata"]["migration_disk"] for one in estate.volumes(name)}
    with estate.desk.session() as cloud:
        path = f"/servers/{server['id']}/os-volume_attachments"
        found = cloud.get("compute", path)["volumeAttachments"]
    return [keys[one["volumeId"]] for one in sorted(found, key=lambda one: str(one["device"]))]


def read(estate: Estate) -> list[str]:
    """What of disks was read at the source, but for descriptors."""
    with estate.desk.cloud.inside():
        calls = estate.esxi.calls("http")
    return [one["path"] for one in calls if one["method"] == "GET" and one["bytes"] > 65536]


@pytest.mark.accept("V1.8", "V1.13")
def test_two_machines_go_to_the_cloud_and_one_of_them_comes_back(estate: Estate) -> None:
    estate.play("vm_assess")
    estate.play("vm_plan")
    assert sorted(one["name"] for one in estate.plan["vms"]) == ["old", "web"]
    estate.migrate("--check")
    assert estate.written() == []
    assert estate.source("web")["power"] == "poweredOn"
    estate.migrate()
    is_migrated(estate, "web", 1)
    is_migrated(estate, "old", 2)
    assert boots_from(estate, "web") == estate.order
    written, made = estate.written(), estate.servers("web") + estate.volumes("web")
    moved = read(estate)
    said = estate.migrate()
    assert read(estate) == moved
    # The report alone: it tells what was moved in its own run.
    assert int(said.rpartition("changed=")[2].split()[0]) <= 1
    assert (estate.written(), estate.servers("web") + estate.volumes("web")) == (written, made)
    assert made[0]["id"] in (estate.desk.folder / "migration-report/report.md").read_text(encoding="utf-8")
    # What is done comes back by its name alone.
    before = [one["id"] for one in (*estate.servers("old"), *estate.volumes("old"))]
    estate.roll_back()
    assert [one["id"] for one in (*estate.servers("old"), *estate.volumes("old"))] == before
    written = estate.written()
    said = estate.roll_back("--check", vm_only=[estate.uuid("old")])
    assert int(said.rpartition("changed=")[2].split()[0]) >= 3
    assert (estate.written(), estate.journal("old")) == (written, "done")
    is_migrated(estate, "old", 2)
    estate.roll_back(vm_only=[estate.uuid("old")])
    is_at_the_source(estate, "old", 2)
    is_migrated(estate, "web", 1)
    maps = estate.desk.folder / "converter/maps"
    assert len(list(maps.iterdir())) == len(PLACES) + 1
    estate.play("vm_cleanup")
    assert list(maps.iterdir()) == []
    assert [estate.journal(name) for name in ("web", "old")] == ["cleaned", "cleaned"]


@pytest.mark.accept("V1.13")
def test_a_machine_that_ran_since_it_was_copied_does_not_become_a_server_that_lacks_it(estate: Estate) -> None:
    estate.play("vm_plan", vm_machines=["old"])
    said = estate.migrate(fails=True, vm_key_name="nobody-has-this-key")
    assert "nobody-has-this-key" in said
    holds(estate, "old")
    volumes = [one["id"] for one in estate.volumes("old")]
    with estate.desk.cloud.inside():
        path = next(path for path in (estate.esxi.folder).rglob("*-flat.vmdk") if path.stat().st_size == 2 * MIB)
    with path.open("r+b") as file:
        file.write(b"a day of work")
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 5))
    said = estate.migrate(fails=True)
    assert "was changed after its volume" in said
    assert (estate.servers("old"), [one["id"] for one in estate.volumes("old")]) == ([], volumes)
    estate.roll_back()
    is_at_the_source(estate, "old", 2)
    estate.disks["old"][0] = b"a day of work" + estate.disks["old"][0][13:]
    estate.migrate()
    is_migrated(estate, "old", 2)
    # Once it is done, its source may be removed: later runs need nothing of it, and nothing takes its server away.
    unregister(estate, "old")
    there = [one["id"] for one in (*estate.servers("old"), *estate.volumes("old"), *estate.ports("old"))]
    estate.migrate("--check")
    estate.migrate()
    assert estate.journal("old") == "done"
    said = estate.roll_back(fails=True, vm_only=[estate.uuid("old")])
    assert f"no VM is called '{estate.uuid('old')}' at 127.0.0.1, so its server was left" in " ".join(said.split())
    assert [one["id"] for one in (*estate.servers("old"), *estate.volumes("old"), *estate.ports("old"))] == there
    assert estate.journal("old") == "done"


def unregister(estate: Estate, name: str) -> None:
    """Takes a machine off its host, as an administrator would."""
    login = {"hostname": "127.0.0.1", "port": estate.esxi.port, "username": estate.esxi.username}
    login.update(password=estate.esxi.password, ca_path=str(estate.esxi.ca))
    with estate.desk.cloud.inside(), client.connect(login) as session:
        (vm,) = reading.read(session, [name])
        session.call("unregistering", "UnregisterVM", session.object("VirtualMachine", vm.moid).UnregisterVM)
