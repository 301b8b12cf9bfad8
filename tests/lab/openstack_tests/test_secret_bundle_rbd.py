# SPDX-License-Identifier: Apache-2.0
"""The same loss with volumes in Ceph: an encrypted image is rebuilt from the bundle, the records and the store of backups."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import pools
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.openstack_tests.pools import Pool
from ansible_collections.scs.landscape.tests.lab.openstack_tests.test_secret_bundle import (
    SIZE,
    encrypting,
    qemu,
    rebuilt,
)

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.full,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
#: Bytes in which LUKS keeps what it needs, and more: the header is smaller.
HEADER = 8 << 20


@pytest.fixture(scope="module")
def ceph_cloud() -> Iterator[Cloud]:
    yield from pools.cloud_on_ceph("keys-rbd")


@pytest.fixture
def desk(ceph_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(ceph_cloud, tmp_path / "desk", "member")
    found.folder.mkdir()
    encrypting(found)
    yield found
    ceph_cloud.clean("demo")


class Images:
    """Encrypted volumes of the RBD driver: images of Ceph with LUKS inside.

    :param folder: for copies of them.
    """

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk, self.folder = desk, folder
        self.cluster = CephCluster(desk.cloud.lane)

    def put(self, volume: str, key: bytes, plain: Path) -> None:
        """Writes the bytes of a volume."""
        with self._copy(volume) as copy:
            qemu(key, "-n", "-f", "raw", str(plain), "--target-image-opts", self._options(copy))
            with copy.open("rb") as file:
                Pool(self.cluster).write(f"volume-{volume}", [(0, file.read(HEADER + SIZE))])

    def take(self, volume: str, key: bytes, plain: Path) -> None:
        """Reads them."""
        with self._copy(volume) as copy:
            qemu(key, "--image-opts", self._options(copy), "-O", "raw", str(plain))

    @staticmethod
    def _options(copy: Path) -> str:
        return f"driver=luks,key-secret=s,file.filename={copy}"

    @contextlib.contextmanager
    def _copy(self, volume: str) -> Iterator[Path]:
        path = self.folder / "copy"
        argv = ["rbd", "--conf", str(self.cluster.conf), "--id", "cinder", "export", "--no-progress"]
        with self.desk.cloud.inside():
            done = subprocess.run(
                [*argv, f"volumes/volume-{volume}", str(path)], capture_output=True, timeout=600, check=False
            )
        assert done.returncode == 0, done.stderr
        try:
            yield path
        finally:
            path.unlink()


@pytest.mark.accept("B1.14", "B1.21")
def test_an_encrypted_image_of_ceph_is_rebuilt_from_the_bundle(
    desk: Desk, tmp_path: Path, collections_root: Path, seed: int
) -> None:
    rebuilt(desk, collections_root, Images(desk, tmp_path), seed)
