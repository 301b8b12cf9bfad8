# SPDX-License-Identifier: Apache-2.0
"""Volumes in the lane's Ceph: written and read by the bindings of Ceph on one of its hosts, past Cinder and past `rbd export`."""

from __future__ import annotations

import base64
import dataclasses
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.ceph.client import environment
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.openstack_tests.vault import GIB, Vault
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane

#: Bytes of an object of RBD, and of a block of a list of digests.
BLOCK = 4 << 20
#: What a cloud needs to have its backups in Ceph as well.
CEPH_DRIVER: dict[str, Any] = {
    "cinder/cinder.conf": {
        "DEFAULT": {
            "backup_driver": "cinder.backup.drivers.ceph.CephBackupDriver",
            "backup_ceph_conf": "/etc/ceph/ceph.conf",
            "backup_ceph_user": "cinder-backup",
            "backup_ceph_pool": "backups",
            # small enough for an image of 1 GiB to be several of them
            "backup_ceph_chunk_size": 16 << 20,
        }
    }
}
_SECONDS = 600
_PROGRAM = """
import base64, hashlib, json, sys
import rados, rbd
order = json.load(sys.stdin)
with rados.Rados(conffile="/etc/ceph/ceph.conf", rados_id="admin") as client:
    with client.open_ioctx(order["pool"]) as pool:
        with rbd.Image(pool, order["image"], snapshot=order.get("snapshot"), read_only=not order["writes"]) as image:
            for offset, data in order["writes"]:
                data = base64.b64decode(data)
                assert image.write(data, offset) == len(data)
            image.flush() if order["writes"] else None
            if order["writes"]:
                answer = None
            else:
                whole, parts, size = hashlib.sha256(), [], image.size()
                for offset in range(0, size, order["block"]):
                    data = image.read(offset, min(order["block"], size - offset))
                    whole.update(data)
                    parts.append(hashlib.sha256(data).hexdigest() if data.count(0) < len(data) else "")
                answer = {"whole": whole.hexdigest(), "blocks": parts, "snapshots": [s["name"] for s in image.list_snaps()]}
print(json.dumps(answer))
"""


@dataclasses.dataclass
class Pool:
    """A pool of a cluster, by default that of volumes."""

    cluster: CephCluster
    name: str = "volumes"

    def write(self, image: str, writes: list[tuple[int, bytes]]) -> None:
        """Bytes at places of an image."""
        self._do(image, writes=[(offset, base64.b64encode(data).decode()) for offset, data in writes])

    def read(self, image: str, snapshot: str | None = None) -> dict[str, Any]:
        """SHA-256 of all bytes (``whole``) and of each block (``blocks``, empty for zeroes), and names of ``snapshots``."""
        found: dict[str, Any] = self._do(image, snapshot=snapshot, writes=[])
        return found

    def images(self) -> list[str]:
        """Names of all images."""
        found: list[str] = json.loads(self.cluster.run(["rbd", "ls", "--format", "json", self.name]).stdout)
        return found

    def _do(self, image: str, **order: Any) -> Any:
        text = json.dumps({"pool": self.name, "image": image, "block": BLOCK, **order})
        done = self.cluster.run(["python3", "-c", _PROGRAM], input=text, timeout=_SECONDS)
        return json.loads(done.stdout)


def cloud_on_ceph(purpose: str, release: str = "index", settings: dict[str, Any] | None = None) -> Iterator[Cloud]:
    """A cloud with volumes on a Ceph of its own; both are down afterwards. Ceph's programs are on this process's path."""
    found = Cloud(lane(purpose), "volume", "rbd", settings, release)
    found.down()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment().items():
            if name != "PYTHONPATH":
                patch.setenv(name, value)
        try:
            found.up()
            yield found
        finally:
            found.down()
            CephCluster(found.lane).down()


def reader(cloud: Cloud, **more: Any) -> dict[str, Any]:
    """Option ``reader`` of the modules."""
    names = {"image": "volume-{id}", "snapshot": "snapshot-{snapshot}"}
    conf = str(CephCluster(cloud.lane).conf)
    return {"kind": "rbd", "pool": "volumes", "conf": conf, "user": "cinder", **names, **more}


class PoolVault(Vault):
    """A vault whose volumes are images of Ceph.

    :param digests: folder with the lists of digests.
    """

    def __init__(self, desk: Desk, digests: Path) -> None:
        super().__init__(desk, digests)
        self.pool = Pool(CephCluster(desk.cloud.lane))
        self.reader = reader(desk.cloud)

    def path(self, volume: str) -> Path:
        """There is none."""
        raise AssertionError(f"volume {volume} is no file")

    def write(self, volume: str, seed: int, count: int = 8, size: int = 1 << 20) -> None:
        """Random bytes at random places of a volume."""
        chance = random.Random(seed)
        places = [(chance.randrange(GIB - size), chance.randbytes(size)) for _number in range(count)]
        self.pool.write(f"volume-{volume}", places)

    def sha256(self, volume: str) -> str:
        """Digest of the bytes in the back end, read by the test itself."""
        return str(self.pool.read(f"volume-{volume}")["whole"])

    def clean(self) -> None:
        """Removes snapshots as well."""
        with self.desk.session() as cloud:
            for one in self.all("snapshots"):
                cloud.call("block-storage", "DELETE", f"/snapshots/{one['id']}", accept=(400, 404))
        super().clean()


def vault_of(cloud: Cloud, folder: Path) -> Iterator[PoolVault]:
    """A vault of a plain member for one test, emptied afterwards."""
    found = PoolVault(Desk(cloud, folder, "member"), folder / "digests")
    yield found
    found.clean()
