# SPDX-License-Identifier: Apache-2.0
"""Disks of an ESXi straight into volumes of a real Cinder: whole, with all that a server needs to know, or not at all."""

from __future__ import annotations

import contextlib
import datetime
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import choices, plan, source, target
from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors.model import Flavor
from ansible_collections.scs.landscape.plugins.modules import vmware_vm_info
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.proxy import FaultProxy, Rule
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane
from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere
from ansible_collections.scs.landscape.tests.lab.vsphere_tests.test_vmware_vm_info import foreign_authority
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.vmware import matrix

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
MIB, BLOCK = 1 << 20, 4 << 20
NAME = "127.0.0.1"


@dataclass
class Move:
    """An operator who moves the disks of an ESXi; the plan is made for a cloud of which only Cinder and Glance are there.

    :param contents: what the disks hold, by name of the machine.
    """

    desk: Desk
    esxi: Vsphere
    contents: dict[str, list[bytes]] = field(default_factory=dict)

    def facts(self) -> list[dict[str, Any]]:
        login = {"hostname": NAME, "port": self.esxi.port, "username": self.esxi.username, "timeout": 60}
        with self.desk.cloud.inside():
            found = vmware_vm_info.main(
                {
                    **login,
                    "password": self.esxi.password,
                    "ca_path": str(self.esxi.ca),
                    "vms": [],
                    "files": False,
                    "ignore_missing": False,
                },
                False,
            )
        return list(found.values["vms"])

    def login(self, port: int = 0, **changes: Any) -> dict[str, Any]:
        """The ESXi as an endpoint."""
        given = {"name": NAME, "hostname": NAME, "port": port or self.esxi.port, "username": self.esxi.username}
        return {**given, "password": self.esxi.password, "ca_path": str(self.esxi.ca), **changes}

    def planned(self, **options: Any) -> Path:
        """The file of a plan."""
        flavor = Flavor(id="f1", name="large", vcpus=64, ram=1 << 20, disk=0)
        network = target.Network("n1", "front", project="p1")
        there = target.TargetCloud(project="p1", flavors=(flavor,), networks=(network,), groups={"default": "g1"})
        given = {"networks": {"*": {"network": "front", "keep_mac": False, "keep_ip": False}}, **options}
        document = plan.plan(source.vms_of(self.facts()), there, choices.choices_of(given))
        assert document.ready, (document.problems, plan.left_out(document))
        file = self.desk.folder / "plan.json"
        file.write_text(json.dumps(document.as_dict()), encoding="utf-8")
        return file

    def move(self, file: Path, port: int = 0, **options: Any) -> Result:
        """What ``vm_migration_copy`` gives."""
        given = {
            "src": str(file),
            "vms": options.pop("vms", None) or self.facts(),
            "maps": str(self.desk.folder / "maps"),
            "endpoints": [self.login(port)],
            "mounts": {"127.0.0.1:/lab": str(self.desk.cloud.share)},
            **options,
        }
        return self.desk.run("vm_migration_copy", **given)

    def verify(self, file: Path) -> Result:
        mounts = {"127.0.0.1:/lab": str(self.desk.cloud.share)}
        given = {"checks": ["blocks"], "read": "all", "mounts": mounts, "required": False}
        return self.desk.run("vm_migration_verify", src=str(file), maps=str(self.desk.folder / "maps"), **given)

    def volumes(self) -> list[dict[str, Any]]:
        with self.desk.session() as cloud:
            found = list(cloud.pages("block-storage", "/volumes/detail", "volumes"))
        return sorted(found, key=lambda one: (one["metadata"]["migration_vm"], int(one["metadata"]["migration_disk"])))

    def left(self) -> list[str]:
        """Images and volumes that nobody can use, and leases."""
        images = [f"image {one['status']}" for one in self.desk.images().values() if one.get("migration_vm")]
        volumes = [f"volume {one['status']}" for one in self.volumes() if one["status"] != "available"]
        with self.desk.cloud.inside():
            return [*images, *volumes, *(f"lease {one}" for one in self.esxi.state()["leases"])]

    def holds(self, name: str) -> None:
        """That the volumes of a machine have the bytes of its disks, and zeroes behind them."""
        uuid = next(one["uuid"] for one in self.facts() if one["name"] == name)
        found = [one for one in self.volumes() if one["metadata"]["migration_vm"] == uuid]
        assert len(found) == len(self.contents[name])
        for volume, content in zip(found, self.contents[name]):
            with machines.disk(self.desk.cloud, volume["id"]).open("rb") as file:
                assert file.read(len(content)) == content
                assert not any(block.count(0) != len(block) for block in iter(lambda file=file: file.read(MIB), b""))


Begin = Callable[[list[dict[str, Any]]], Move]


@pytest.fixture
def begin(volume_cloud: Cloud, tmp_path: Path) -> Iterator[Begin]:
    """Starts an ESXi with some machines beside the cloud."""
    with contextlib.ExitStack() as stack:

        def started(described: list[dict[str, Any]]) -> Move:
            desk, esxi = Desk(volume_cloud, tmp_path, "member"), Vsphere(lane("copy"), "esxi", {"machines": described})
            esxi.prepare()
            with volume_cloud.inside():
                esxi.down()  # a killed run may have left one
                esxi.up()
            stack.callback(ended, desk, esxi)
            return Move(desk, esxi)

        yield started


def ended(desk: Desk, esxi: Vsphere) -> None:
    with desk.cloud.inside():
        esxi.down()
    with desk.session() as cloud:
        machines.no_volumes(cloud)


def described(folder: Path, contents: dict[str, list[bytes]]) -> list[dict[str, Any]]:
    """Machines that are off."""
    found = []
    for name, disks in contents.items():
        files = []
        for index, content in enumerate(disks):
            path = folder / f"{name}-{index}.raw"
            path.write_bytes(content)
            files.append({"size": len(content), "source": str(path), "thin": True})
        found.append({"name": name, "power": "off", "guest_id": "debian11_64Guest", "disks": files, "nics": [{}]})
    return found


@contextlib.contextmanager
def quota(desk: Desk, volumes: int) -> Iterator[None]:
    """Lets the project have so many volumes."""
    with desk.session() as cloud:
        path = f"/os-quota-sets/{cloud.project_id}"
    with desk.session("admin") as cloud:
        cloud.call("block-storage", "PUT", path, json={"quota_set": {"volumes": volumes}})
    try:
        yield
    finally:
        with desk.session("admin") as cloud:
            cloud.call("block-storage", "DELETE", path)


@pytest.fixture
def contents(seed: int) -> dict[str, list[bytes]]:
    draw = random.Random(seed)
    return {"web": [draw.randbytes(9 * MIB) + bytes(3 * MIB) + draw.randbytes(512), draw.randbytes(5 * MIB)]}


@pytest.mark.full
@pytest.mark.accept("V1.9")
def test_boot_volumes_say_exactly_what_the_rules_say(begin: Begin, tmp_path: Path, seed: int) -> None:
    rows = matrix.drawn(seed)
    (tmp_path / "disk.raw").write_bytes(random.Random(seed).randbytes(MIB))
    disk = {"size": MIB, "source": str(tmp_path / "disk.raw"), "link": True}
    some = begin(
        [
            {
                "name": row.name,
                "power": "off",
                "guest_id": row.guest_id,
                "firmware": "efi" if row.efi else "bios",
                "secure_boot": row.secure,
                "cpus": row.sockets * row.cores,
                "cores_per_socket": row.cores,
                "disks": [{**disk, "controller": row.controller}],
                "nics": [{"model": row.card, "mac": row.mac}],
            }
            for row in rows
        ]
    )
    before = datetime.date.today().isoformat()
    file = some.planned(target={"uefi": True, "secure_boot": True})
    with quota(some.desk, 24):
        assert not some.move(file).failed
    days = {before, datetime.date.today().isoformat()}  # it may have become midnight
    names = {one["uuid"]: one["name"] for one in some.facts()}
    with some.desk.session() as cloud:
        shown = [cloud.get("block-storage", f"/volumes/{one['id']}")["volume"] for one in some.volumes()]
    found = {names[one["metadata"]["migration_vm"]]: one["volume_image_metadata"] for one in shown}
    assert {one["bootable"] for one in shown} == {"true"}
    assert len(found) == 24
    for row in rows:
        assert found[row.name] in [matrix.expected(row, NAME, day) for day in days], row


@pytest.mark.accept("V1.5")
def test_a_bit_that_flips_in_the_storage_is_named_by_disk_and_block(
    begin: Begin, tmp_path: Path, seed: int, contents: dict[str, list[bytes]]
) -> None:
    some = begin(described(tmp_path, contents))
    some.contents = contents
    file = some.planned()
    assert not some.move(file).failed
    some.holds("web")
    checked = some.verify(file).values
    assert (checked["counts"], checked["checks"][0]["message"]) == (
        {"passed": 2, "failed": 0, "skipped": 0},
        "every block was read",
    )
    draw, volume = random.Random(seed), some.volumes()[1]
    place = draw.randrange(5 * MIB)
    (byte,) = machines.read(some.desk.cloud, volume["id"], place, 1)
    machines.write(some.desk.cloud, volume["id"], place, bytes([byte ^ 1 << draw.randrange(8)]))
    checked = some.verify(file).values
    assert [(one["name"], one["status"]) for one in checked["checks"]] == [
        ("Hard disk 1", "passed"),
        ("Hard disk 2", "failed"),
    ]
    begins = place - place % BLOCK
    assert checked["checks"][1]["ranges"] == [{"offset": begins, "length": min(BLOCK, 5 * MIB - begins)}]
    assert volume["id"] in checked["checks"][1]["message"]
    assert some.left() == []


@pytest.mark.accept("V1.4")
@pytest.mark.parametrize("method", ["volume", pytest.param("image", marks=pytest.mark.full)])
@pytest.mark.parametrize("act", ["end", pytest.param("truncate", marks=pytest.mark.full)])
def test_a_stream_that_ends_too_early_leaves_no_image_and_no_volume(
    begin: Begin, tmp_path: Path, contents: dict[str, list[bytes]], method: str, act: str
) -> None:
    some = begin(described(tmp_path, {"web": contents["web"][:1]}))
    some.contents = {"web": contents["web"][:1]}
    file, inside = some.planned(method=method, transport="nfc"), some.desk.cloud.namespace
    rules = [Rule(act, path="disk-", at=(9 * MIB) * 7 // 10)]
    with some.desk.cloud.inside():
        url, ca, front = some.esxi.url, some.esxi.ca, some.esxi.front
    with FaultProxy(url, rules, namespace=inside, ca=ca, certificate=front) as proxy:
        failed = some.move(file, int(proxy.url.rpartition(":")[2])).failed
    assert rules[0].acted >= 1
    assert "web" in failed
    assert (some.volumes(), some.left()) == ([], [])
    assert list((some.desk.folder / "maps").iterdir()) == []
    assert not some.move(file).failed
    some.holds("web")


@pytest.mark.accept("V1.3")
@pytest.mark.parametrize("what", ["strip", pytest.param("401", marks=pytest.mark.full)])
def test_answers_that_are_not_what_was_asked_for_do_not_get_into_a_volume(
    begin: Begin, tmp_path: Path, seed: int, contents: dict[str, list[bytes]], what: str
) -> None:
    some = begin(described(tmp_path, {"web": contents["web"][:1]}))
    some.contents = {"web": contents["web"][:1]}
    file, inside = some.planned(transport="folder"), some.desk.cloud.namespace
    at = random.Random(f"{seed} {what}").randrange(5 * MIB, 12 * MIB)
    again = Rule("strip" if what == "strip" else 401, method="GET", path="-flat", times=1)
    rules = [Rule("truncate", method="GET", path="-flat", at=at, times=1), again]
    with some.desk.cloud.inside():
        url, ca, front = some.esxi.url, some.esxi.ca, some.esxi.front
    with FaultProxy(url, rules, namespace=inside, ca=ca, certificate=front) as proxy:
        assert not some.move(file, int(proxy.url.rpartition(":")[2])).failed
    assert [rule.acted for rule in rules] == [1, 1]
    some.holds("web")
    assert some.left() == []


@pytest.mark.accept("V1.16")
@pytest.mark.parametrize("transport", ["nfc", "folder"])
def test_an_endpoint_that_is_not_who_was_meant_is_told_nothing_and_no_volume_is_made(
    begin: Begin, tmp_path: Path, contents: dict[str, list[bytes]], transport: str
) -> None:
    some = begin(described(tmp_path, {"web": contents["web"][:1]}))
    file, vms = some.planned(transport=transport), some.facts()
    with some.desk.cloud.inside():
        calls = len(some.esxi.calls(""))
    strange = {"ca_path": str(foreign_authority(tmp_path))}, {"ca_path": None, "thumbprint_sha256": "00:" * 31 + "00"}
    for changes, words in zip(strange, ("is not believed", "is not who was meant")):
        failed = some.move(file, vms=vms, endpoints=[some.login(**changes)]).failed
        assert words in failed
        assert some.esxi.password not in failed
    with some.desk.cloud.inside():
        assert some.esxi.calls("")[calls:] == []
    assert (some.volumes(), some.left()) == ([], [])


@pytest.mark.accept("V1.21")
def test_a_quota_that_ends_in_the_middle_leaves_nothing_half_made(
    begin: Begin, tmp_path: Path, contents: dict[str, list[bytes]]
) -> None:
    some = begin(described(tmp_path, contents))
    some.contents = contents
    file = some.planned()
    with quota(some.desk, 1):
        failed = some.move(file).failed
    assert "413" in failed
    assert "olume" in failed
    assert (len(some.volumes()), some.left()) == (1, [])
    assert not some.move(file).failed
    some.holds("web")
    assert (len(some.volumes()), some.left()) == (2, [])
