# SPDX-License-Identifier: Apache-2.0
"""Exports over SSH from a host that has what ESXi's shell has: a real sshd, busybox, and not one SOAP call."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.modules import vmware_disk_export

from . import shells
from .exporting import MIB, SECTOR, names

SIZE = 33 * MIB + SECTOR


@dataclass
class Esxi:
    """A host behind sshd.

    :param data: bytes of its one disk.
    """

    folder: Path
    port: int
    data: bytes

    def export(self, dest: Path, check: bool = False, **ssh: Any) -> dict[str, Any]:
        """The module's result, ``failed`` its message."""
        path = "[ds 1] web's/größe_1.vmdk"
        disk = {"key": 2000, "label": "Hard disk 1", "bus": "scsi", "controller": "pvscsi", "unit": 0}
        disk.update(capacity_bytes=len(self.data), datastore="ds 1", path=path, chain=[path])
        facts = {"endpoint": "esxi", "name": "web", "moid": "1", "uuid": "u", "power": "off", "disks": [disk]}
        way = {"host": "127.0.0.1", "user": "root", "port": self.port, "key": str(self.folder / "key")}
        way.update({"known_hosts": str(self.folder / "known"), "volumes": str(self.folder / "volumes"), **ssh})
        options = {key: rules.get("default") for key, rules in vmware_disk_export.ARGUMENTS.items()}
        options.update(facts=facts, dest=str(dest), transport="auto", ssh=way, timeout=30)
        try:
            result = vmware_disk_export.main(options, check)
        except LandscapeError as error:
            return {"failed": str(error), "changed": False}
        return {"failed": result.failed, "changed": result.changed, **result.values}

    def asked(self) -> list[str]:
        """The commands that were run there."""
        file = self.folder / "asked"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture(scope="module")
def esxi(seed: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Esxi]:
    """A host with one disk."""
    shells.needs()
    folder, draw = tmp_path_factory.mktemp("sshd"), random.Random(seed)
    where = folder / "volumes" / "ds 1" / "web's"
    where.mkdir(parents=True)
    data = bytearray(SIZE)
    for _number in range(30):
        at, piece = draw.randrange(SIZE - 200_000), draw.randbytes(draw.randrange(1, 200_000))
        data[at : at + len(piece)] = piece
    data[-SECTOR:] = draw.randbytes(SECTOR)
    (where / "größe_1-flat.vmdk").write_bytes(data)
    text = f'# Disk DescriptorFile\nversion=1\nparentCID=ffffffff\ncreateType="vmfs"\nRW {SIZE // SECTOR} VMFS "größe_1-flat.vmdk"\n'
    (where / "größe_1.vmdk").write_text(text)
    with shells.sshd(folder) as port:
        yield Esxi(folder, port, bytes(data))


def digest(dest: Path) -> str:
    """Of the one file of a folder."""
    return hashlib.sha256((dest / "web-2000.raw").read_bytes()).hexdigest()


@pytest.mark.accept("V1.22")
def test_bytes_and_nothing_twice(esxi, tmp_path):
    assert esxi.export(tmp_path / "out", check=True)["changed"]
    assert not (tmp_path / "out").exists()
    first = esxi.export(tmp_path / "out")
    assert not first["failed"]
    assert first["disks"][0]["transport"] == "ssh"
    assert digest(tmp_path / "out") == hashlib.sha256(esxi.data).hexdigest()
    before = len(esxi.asked())
    again = esxi.export(tmp_path / "out")
    assert (again["changed"], again["failed"]) == (False, "")
    asked = esxi.asked()
    assert {line.split()[0] for line in asked} == {"stat", "dd"}
    assert not [line for line in asked[before:] if "-flat" in line and line.startswith("dd")]


@pytest.mark.full
@pytest.mark.accept("V1.22")
def test_a_connection_that_breaks(esxi, seed, tmp_path):
    at = random.Random(seed).randrange(MIB, SIZE - MIB)
    before = len(esxi.asked())
    (esxi.folder / "cut").write_text(str(at))
    result = esxi.export(tmp_path)
    assert not result["failed"]
    assert result["disks"][0]["restarts"] == 1
    assert digest(tmp_path) == hashlib.sha256(esxi.data).hexdigest()
    reads = [line for line in esxi.asked()[before:] if line.startswith("dd") and "-flat" in line]
    assert len(reads) == 2
    assert int(reads[1].split("skip=")[1].split()[0]) >= at // MIB - 1


@pytest.mark.full
@pytest.mark.accept("V1.22")
def test_a_stranger_gets_nothing(esxi, tmp_path):
    before = len(esxi.asked())
    result = esxi.export(tmp_path, known_hosts=str(esxi.folder / "stranger"))
    assert "no way to 127.0.0.1 over SSH" in result["failed"]
    began = time.monotonic()
    result = esxi.export(tmp_path, key=str(esxi.folder / "other"))
    assert "no way to 127.0.0.1 over SSH" in result["failed"]
    assert time.monotonic() - began < 60
    assert len(esxi.asked()) == before
    assert names(tmp_path) == []
