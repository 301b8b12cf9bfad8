# SPDX-License-Identifier: Apache-2.0
"""The endpoints that the tests share: an ESXi and a vCenter with the same machines."""

from __future__ import annotations

import contextlib
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane
from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere
from ansible_collections.scs.landscape.tests.lab.vsphere_tests.soap import Client
from ansible_collections.scs.landscape.tests.tools import apt

SECTOR = 512


def drawn(draw: random.Random, size: int) -> bytes:
    """A disk's bytes: islands of noise of odd lengths in zeroes, the first and the last sector among them."""
    disk = bytearray(size)
    for at, length in [
        (0, 700),
        (size - SECTOR, SECTOR),
        *((draw.randrange(size), draw.randrange(1, 90_000)) for _number in range(40)),
    ]:
        piece = draw.randbytes(min(length, size - at))
        disk[at : at + len(piece)] = piece
    return bytes(disk)


@pytest.fixture(scope="session")
def disks(seed: int, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Raw disks by name: ``odd`` ends in the middle of a grain and of a grain table, ``empty`` has no data, ``dense`` is
    more than buffers on the way hold."""
    folder, draw = tmp_path_factory.mktemp("disks"), random.Random(seed)
    sizes = {"odd": (70 << 20) + draw.randrange(1, 100) * SECTOR, "small": 3 << 20, "empty": 33 << 20}
    for name, size in sizes.items():
        (folder / name).write_bytes(bytes(size) if name == "empty" else drawn(draw, size))
    (folder / "dense").write_bytes(draw.randbytes(32 << 20))
    return {name: folder / name for name in (*sizes, "dense")}


def machines(disks: dict[str, Path]) -> list[dict[str, Any]]:
    """What both endpoints hold."""

    def disk(name: str, **more: Any) -> dict[str, Any]:
        return {"size": disks[name].stat().st_size, "source": str(disks[name]), "thin": True, **more}

    return [
        {
            "name": "böse 1",
            "firmware": "efi",
            "secure_boot": True,
            "guest_id": "debian11_64Guest",
            "cpus": 4,
            "cores_per_socket": 2,
            "memory_mb": 2048,
            "tools": "running",
            "cbt": True,
            "autostart": 2,
            "snapshots": [{"name": "before", "children": [{"name": "after"}]}],
            "disks": [
                disk("odd", key=2011),
                disk("small", controller="sata", key=2003),
                disk("empty", controller="nvme"),
            ],
            "nics": [{"mac": "00:50:56:aa:bb:cc", "ips": ["192.0.2.7"]}, {"model": "e1000e", "no_start_connect": True}],
        },
        {
            "name": "running",
            "power": "on",
            "tools": "running",
            "autostart": 1,
            "disks": [{"size": 1 << 20}],
            "nics": [{}],
        },
        {"name": "dense", "disks": [disk("dense", link=True)]},
        {"name": "deaf", "power": "on", "tools": "none", "disks": [{"size": 1 << 20}]},
    ]


@contextlib.contextmanager
def endpoint(name: str, mode: str, description: dict[str, Any]) -> Iterator[Vsphere]:
    """An endpoint for the time of a ``with``."""
    found = Vsphere(lane(name), mode, description)
    found.down()  # a killed run may have left one
    found.up()
    try:
        yield found
    finally:
        found.down()


@pytest.fixture(scope="session")
def esxi(disks: dict[str, Path]) -> Iterator[Vsphere]:
    """A host alone."""
    with endpoint(
        "vs", "esxi", {"machines": machines(disks), "datastores": [{"name": "ds 1"}, {"name": "vs", "type": "vsan"}]}
    ) as found:
        yield found


@pytest.fixture(scope="session")
def vcenter(disks: dict[str, Path]) -> Iterator[Vsphere]:
    """A vCenter with two hosts."""
    with endpoint("vs", "vcenter", {"machines": machines(disks), "hosts": 2}) as found:
        yield found


@pytest.fixture(params=["esxi", "vcenter"])
def vsphere(request: pytest.FixtureRequest) -> Vsphere:
    """The one and the other."""
    found: Vsphere = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def client(vsphere: Vsphere) -> Client:
    """Somebody who is logged in."""
    return Client(vsphere).login()


@pytest.fixture
def qemu_img() -> Callable[[Path], bytes]:
    """What a VMDK holds, in the eyes of qemu."""
    apt.ensure(["qemu-utils"], "reading VMDKs with an eye that is not ours")

    def read(file: Path) -> bytes:
        out = file.with_suffix(".raw")
        argv = ["qemu-img", "convert", "-f", "vmdk", "-O", "raw", str(file), str(out)]
        subprocess.run(argv, check=True, timeout=300)
        return out.read_bytes()

    return read
