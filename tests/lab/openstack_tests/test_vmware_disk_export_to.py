# SPDX-License-Identifier: Apache-2.0
"""Disks of an ESXi straight into a real Glance and Cinder: what the far ends hold is read past all services."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk, call
from ansible_collections.scs.landscape.tests.lab.openstack_tests.test_volume_write import SHARE, disk, equal
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane
from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere
from ansible_collections.scs.landscape.tests.tools import apt

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.full,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
MIB, GIB = 1 << 20, 1 << 30
SIZE = GIB + MIB + 512


@dataclass
class Estate:
    """An operator between an ESXi and a cloud.

    :param disk: what the disk of the machine holds; ``held``: its bytes that are no zeroes, about.
    """

    desk: Desk
    esxi: Vsphere
    disk: Path
    held: int

    def export(self, monkeypatch: pytest.MonkeyPatch, check_mode: bool = False, **options: Any) -> Result:
        """The module in the cloud's network."""
        login = {"hostname": "127.0.0.1", "port": self.esxi.port, "username": self.esxi.username}
        login.update(password=self.esxi.password, ca_path=str(self.esxi.ca), vm="web", openstack={"cloud": "member"})
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(self.desk.cloud.clouds_yaml))
        with self.desk.cloud.inside():
            return call("vmware_disk_export", {**login, "dest": str(self.desk.folder / "maps"), **options}, check_mode)


@pytest.fixture
def estate(volume_cloud: Cloud, tmp_path: Path, seed: int) -> Iterator[Estate]:
    desk, path = Desk(volume_cloud, tmp_path, "member"), tmp_path / "web.raw"
    held = disk(path, SIZE, random.Random(seed), 12, 4 * MIB)
    described = {"machines": [{"name": "web", "disks": [{"size": SIZE, "source": str(path), "thin": True}]}]}
    esxi = Vsphere(lane("export-to"), "esxi", described)
    esxi.prepare()
    with volume_cloud.inside():
        esxi.down()  # a killed run may have left one
        esxi.up()
    yield Estate(desk, esxi, path, held)
    with volume_cloud.inside():
        esxi.down()
    with desk.session() as cloud:
        for one in list(cloud.pages("block-storage", "/volumes/detail", "volumes")):
            machines.gone(cloud, "block-storage", f"/volumes/{one['id']}")
        for one in desk.images().values():
            if one.get("migration_disk"):
                cloud.call("image", "DELETE", f"/images/{one['id']}", accept=(404,))


WAYS: list[Any] = [
    pytest.param({"to": "image", "transport": "folder"}, "qcow2", id="image"),
    pytest.param({"to": "volume", "transport": "nfc", "mounts": "share"}, "", id="volume-attached"),
    pytest.param({"to": "volume", "transport": "folder", "method": "image"}, "qcow2", id="volume-of-qcow2"),
    pytest.param({"to": "volume", "transport": "nfc", "method": "image"}, "raw", id="volume-of-raw"),
]


@pytest.mark.accept("V1.6", "V1.7", "V1.13", "V1.23")
@pytest.mark.parametrize(("way", "form"), WAYS)
def test_a_sparse_disk_of_an_odd_size_gets_there_once_and_sends_what_was_announced(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, way: dict[str, Any], form: str
) -> None:
    options = {**way, "properties": {"os_distro": "debian"}}
    if options.get("mounts"):
        options["mounts"] = {SHARE: str(estate.desk.cloud.share)}
    with estate.desk.cloud.inside():
        before = len(estate.esxi.writes())
    planned = estate.export(monkeypatch, check_mode=True, **options)
    with estate.desk.cloud.inside():
        assert len(estate.esxi.writes()) == before
    assert planned.changed
    done = estate.export(monkeypatch, **options)
    assert (done.failed, done.plan.digest) == ("", planned.plan.digest)
    (one,), (expected,) = done.values["disks"], planned.values["disks"]
    assert one["format"] == form
    if form == "raw":
        assert one["sent"] == expected["sent"] == SIZE
    else:
        # What the source keeps is in its own blocks, so a little more than what is found.
        assert one["sent"] <= expected["sent"] * 1.1 <= estate.held * 1.21 + 2 * MIB
    if way["to"] == "volume":
        with estate.desk.session() as cloud:
            volume = cloud.get("block-storage", f"/volumes/{one['id']}")["volume"]
        assert (volume["size"], volume["status"]) == (2, "available")
        assert volume["volume_image_metadata"] == {"os_distro": "debian"}
        assert equal(estate.desk, volume, estate.disk) <= estate.held * 1.1 + 2 * MIB
    else:
        image = estate.desk.images()[one["id"]]
        assert (image["status"], image["os_hidden"], image["os_distro"]) == ("active", False, "debian")
        assert (image["disk_format"], image["virtual_size"], image["size"]) == ("qcow2", SIZE, one["sent"])
        same(estate, one["id"])
    again = estate.export(monkeypatch, **options)
    assert (again.changed, again.failed, again.values["disks"][0]["id"]) == (False, "", one["id"])


def same(estate: Estate, image: str) -> None:
    """That an image is the disk in the eyes of qemu."""
    apt.ensure(["qemu-utils"], "reading images with an eye that is not ours")
    file = estate.desk.folder / "image.qcow2"
    with estate.desk.session() as cloud, file.open("wb") as stream:
        for chunk in cloud.stream("image", f"/images/{image}/file", timeout=60.0, size=MIB):
            stream.write(chunk)
    for argv in (["check", "-f", "qcow2", file], ["compare", "-f", "raw", "-F", "qcow2", estate.disk, file]):
        done = subprocess.run(["qemu-img", *argv], capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
