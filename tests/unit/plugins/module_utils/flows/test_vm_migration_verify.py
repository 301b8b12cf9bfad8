# SPDX-License-Identifier: Apache-2.0
"""Checks after a migration: each finds its own fault, and nothing else."""

from __future__ import annotations

import copy
import random

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.blockmap import Head, map_of
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.core.transfer import Piece
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import checks
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.model import Volume

from . import fakes_migration
from .fakes_copying import UNIT, content

BLOCK = 4 * UNIT
SIZE = 5 * BLOCK


class World:
    """A machine with two disks and a card that went well, at the target."""

    def __init__(self, seed):
        disks = [fakes_migration.disk(key, capacity_bytes=SIZE) for key in (2000, 2001)]
        document = fakes_migration.made([fakes_migration.vm(disks=disks)])
        (self.machine,) = document.machines
        chance = random.Random(seed)
        self.bytes = {key: bytearray(content(chance, SIZE)) for key in (2000, 2001)}
        self.maps = {(self.machine.uuid, key): self.map(key) for key in self.bytes}
        self.tail = True
        self.volumes = {
            disk.key: {
                "id": f"v{disk.key}",
                "name": disk.volume,
                "size": disk.size,
                "status": "available",
                "type": disk.volume_type,
                "bootable": disk.position == 0,
                "image": dict(self.machine.properties) if disk.position == 0 else {},
                "metadata": {
                    "migration_vm": self.machine.uuid,
                    "migration_disk": str(disk.key),
                    "migration_state": "done",
                    "migration_digest": self.map(disk.key).root,
                    "migration_verified": "volume",
                },
            }
            for disk in self.machine.disks
        }
        self.ports = [
            {
                "id": "port1",
                "name": "vm1-0",
                "network_id": "n1",
                "mac_address": "00:50:56:00:00:01",
                "fixed_ips": [{"ip_address": "10.0.0.11"}],
                "security_groups": ["g1"],
                "tags": [f"migration_vm={self.machine.uuid}"],
                "device_id": "server1",
            }
        ]
        self.servers = [
            {
                "id": "server1",
                "name": "vm1",
                "status": "ACTIVE",
                "metadata": {"migration_vm": self.machine.uuid},
                "flavor": {"original_name": "middle"},
                "os-extended-volumes:volumes_attached": [{"id": "v2000"}, {"id": "v2001"}],
            }
        ]

    def map(self, key):
        data = bytes(self.bytes[key])
        return map_of(Head("x", SIZE, BLOCK), (Piece(at, UNIT, data[at : at + UNIT]) for at in range(0, SIZE, UNIT)))

    def read(self, volume, disk, _known):
        return self.map(disk.key), self.tail

    def check(self, read=None, **more):
        there = checks.There([Volume(**one) for one in self.volumes.values()], self.ports, self.servers, self.maps)
        given = {"kinds": checks.KINDS, "running": True, **more}
        return checks.check([self.machine], there, read=read, **given)


@pytest.fixture
def world(seed):
    return World(seed)


def failed(found):
    return [(one.kind, one.name, one.message) for one in found if one.status == "failed"]


@pytest.mark.parametrize("reads", [False, True])
def test_what_went_well_passes(world, reads):
    found = world.check(world.read if reads else None)
    assert failed(found) == []
    assert [one.kind for one in found] == ["blocks"] * 2 + ["properties"] * 2 + ["ports", "server"]
    assert checks.failure(found, {}) == ""


@pytest.mark.accept("V1.5")
def test_a_flipped_bit_names_its_disk_and_its_block(world, seed):
    chance = random.Random(seed)
    place = chance.randrange(SIZE)
    world.bytes[2001][place] ^= 1 << chance.randrange(8)
    assert failed(world.check()) == []
    found = world.check(world.read)
    ((kind, name, message),) = failed(found)
    assert (kind, name) == ("blocks", "Hard disk 2")
    begin = place - place % BLOCK
    assert f"differs in {BLOCK} bytes at {begin}" in message
    (ranges,) = [one.as_dict()["ranges"] for one in found if one.status == "failed"]
    assert ranges == [{"offset": begin, "length": BLOCK}]


@pytest.mark.accept("V1.7")
def test_the_tail_behind_the_disk_has_to_be_zero(world):
    world.tail = False
    assert "zeroes behind the disk" in failed(world.check(world.read))[0][2]


def changed(what, key, value):
    def change(world):
        thing = {
            "boot": world.volumes[2000],
            "data": world.volumes[2001],
            "port": world.ports[0],
            "server": world.servers[0],
        }
        thing[what][key] = value

    return change


def meta(key, value):
    return lambda world: world.volumes[2000]["metadata"].update({key: value})


def prop(key, value):
    return lambda world: world.volumes[2000]["image"].update({key: value})


FAULTS = [
    ("no volume", lambda world: world.volumes.pop(2001), {"blocks", "properties"}, "there is no volume"),
    ("half", meta("migration_state", "writing 5"), {"blocks"}, "is not whole: writing 5"),
    ("other bytes", meta("migration_digest", "sha256:00"), {"blocks"}, "filled with other bytes"),
    ("size", changed("data", "size", 9), {"properties"}, "it has 9 GiB"),
    ("type", changed("data", "type", "slow"), {"properties"}, "its type is slow, not hdd"),
    ("not bootable", changed("boot", "bootable", False), {"properties"}, "not bootable"),
    ("property", prop("hw_disk_bus", "ide"), {"properties"}, "hw_disk_bus is ide, not scsi"),
    ("mac", changed("port", "mac_address", "00:50:56:00:00:02"), {"ports"}, "there is no port on front with"),
    ("ip", changed("port", "fixed_ips", []), {"ports"}, "lacks the address 10.0.0.11"),
    ("groups", changed("port", "security_groups", ["g2"]), {"ports"}, "its security groups are g2"),
    ("security", changed("port", "port_security_enabled", False), {"ports"}, "port security is off"),
    ("no server", lambda world: world.servers.clear(), {"server"}, "there is no server of it"),
    (
        "two servers",
        lambda world: world.servers.append(copy.deepcopy(world.servers[0])),
        {"server"},
        "there is a server of it 2 times",
    ),
    ("error", changed("server", "status", "ERROR"), {"server"}, "it is ERROR, not ACTIVE"),
    ("flavor", changed("server", "flavor", {"original_name": "small"}), {"server"}, "its flavor is small, not middle"),
    (
        "volumes",
        changed("server", "os-extended-volumes:volumes_attached", [{"id": "v2000"}, {"id": "other"}]),
        {"server"},
        "volume v2001 is not attached; volume other is attached",
    ),
    ("port elsewhere", changed("port", "device_id", "other"), {"server"}, "port port1 is not its own"),
]


@pytest.mark.parametrize(("fault", "kinds", "reason"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_each_fault_is_found_by_its_own_check(world, fault, kinds, reason):
    fault(world)
    found = failed(world.check())
    expected = kinds | ({"server"} if reason == "there is no volume" else set())
    assert {kind for kind, _name, _message in found} == expected
    assert any(reason in message for _kind, _name, message in found)
    assert reason in checks.failure(world.check(), {})


def test_a_volume_that_cannot_be_read_is_no_proof(world):
    def read(*_arguments):
        raise LandscapeError("the share is not mounted")

    assert [one[2] for one in failed(world.check(read))] == [
        "volume vm1-0 (v2000) cannot be read: the share is not mounted",
        "volume vm1-1 (v2001) cannot be read: the share is not mounted",
    ]


def test_without_a_map_blocks_are_not_said_to_be_right(world):
    world.maps.clear()
    assert [one[2] for one in failed(world.check(kinds=["blocks"]))] == [
        "no block map of it was kept here, so there is nothing to compare"
    ] * 2
    assert [one.status for one in world.check(kinds=["blocks"], least="none")] == ["skipped"] * 2
    world.maps = None
    assert [one.status for one in world.check(kinds=["blocks"])] == ["passed"] * 2
    assert [one.status for one in world.check(world.read, kinds=["blocks"])] == ["failed"] * 2


@pytest.mark.accept("V1.5")
@pytest.mark.parametrize(
    ("level", "status"),
    [
        ("volume", {"none": "passed", "image": "passed", "volume": "passed"}),
        ("image", {"none": "passed", "image": "passed", "volume": "failed"}),
        ("none", {"none": "skipped", "image": "failed", "volume": "failed"}),
        ("surely", {"none": "skipped", "image": "failed", "volume": "failed"}),
        (None, {"none": "skipped", "image": "failed", "volume": "failed"}),
    ],
    ids=str,
)
def test_what_nobody_has_read_is_not_verified(world, level, status):
    for volume in world.volumes.values():
        volume["metadata"]["migration_verified"] = level
    if level is None:
        for volume in world.volumes.values():
            del volume["metadata"]["migration_verified"]
    for least, expected in status.items():
        assert [one.status for one in world.check(kinds=["blocks"], least=least)] == [expected] * 2
    assert [one.status for one in world.check(world.read, kinds=["blocks"], least="volume")] == ["passed"] * 2


def test_a_server_that_has_to_be_off_is(world):
    assert "it is ACTIVE, not SHUTOFF" in failed(world.check(running=False))[0][2]
    world.servers[0]["status"] = "SHUTOFF"
    assert failed(world.check(running=False)) == []
