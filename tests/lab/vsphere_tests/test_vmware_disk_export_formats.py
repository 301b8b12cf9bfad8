# SPDX-License-Identifier: Apache-2.0
"""Formats of disks against an eye that is not ours: what qemu writes we read, and what we refuse is not read by accident."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.modules import vmware_disk_export
from ansible_collections.scs.landscape.tests.tools import apt

from .exporting import MIB, SECTOR

FORMATS = ["monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat", "streamOptimized"]


@pytest.fixture(scope="module", autouse=True)
def qemu() -> None:
    """The program."""
    apt.ensure(["qemu-utils"], "writing VMDKs with a hand that is not ours")


def raw(path: Path, draw: random.Random, size: int) -> None:
    """A disk with islands of bytes, the last sector among them."""
    with open(path, "wb") as stream:
        for _number in range(25):
            stream.seek(draw.randrange(size))
            stream.write(draw.randbytes(draw.randrange(1, 200_000)))
        stream.truncate(size)
        stream.seek(size - SECTOR)
        stream.write(draw.randbytes(SECTOR))


def export(folder: Path, name: str, size: int) -> tuple[str, Path]:
    """The message of a failure, and the file."""
    disk = {
        "key": 2000,
        "label": "Hard disk 1",
        "bus": "scsi",
        "controller": "pvscsi",
        "unit": 0,
        "capacity_bytes": size,
        "datastore": "ds",
        "path": f"[ds] {name}",
        "chain": [f"[ds] {name}"],
    }
    facts = {"endpoint": "esxi", "name": "web", "moid": "1", "uuid": "u", "power": "off", "disks": [disk]}
    options = {key: rules.get("default") for key, rules in vmware_disk_export.ARGUMENTS.items()}
    options.update(
        facts=facts, dest=str(folder / "out"), transport="local", local_path=str(folder), file_name=f"{name}.raw"
    )
    return vmware_disk_export.main(options, False).failed, folder / "out" / f"{name}.raw"


@pytest.mark.accept("V1.17")
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "size", [SECTOR, 20 * MIB - SECTOR, MIB + MIB // 1024, 33 * MIB + SECTOR], ids=["one", "last", "odd", "table"]
)
def test_what_qemu_writes(seed, tmp_path, kind, size):
    raw(tmp_path / "disk", random.Random(f"{seed} {kind} {size}"), size)
    argv = ["qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", f"subformat={kind}", "disk", "größe 1.vmdk"]
    subprocess.run(argv, cwd=tmp_path, check=True, timeout=120)
    failed, file = export(tmp_path, "größe 1.vmdk", size)
    assert not failed
    same = ["qemu-img", "compare", "-f", "raw", "-F", "raw", str(tmp_path / "disk"), str(file)]
    assert subprocess.run(same, check=False, timeout=120, capture_output=True).returncode == 0


@pytest.mark.accept("V1.17")
@pytest.mark.parametrize("kind", ["monolithicSparse", "streamOptimized", "monolithicFlat"])
def test_what_stands_on_a_parent_is_refused(seed, tmp_path, kind):
    raw(tmp_path / "disk", random.Random(seed), 3 * MIB)
    for name, options in (("base.vmdk", f"subformat={kind}"), ("top.vmdk", "backing_file=base.vmdk,backing_fmt=vmdk")):
        argv = ["qemu-img", "create", "-q", "-f", "vmdk", "-o", options, name, *(["3M"] if name == "base.vmdk" else [])]
        subprocess.run(argv, cwd=tmp_path, check=kind != "monolithicFlat" or name == "base.vmdk", timeout=60)
    if not (tmp_path / "top.vmdk").exists():
        text = (tmp_path / "base.vmdk").read_text("latin-1").replace("parentCID=ffffffff", "parentCID=12345678")
        (tmp_path / "top.vmdk").write_text(text.replace("createType", 'parentFileNameHint="base.vmdk"\ncreateType'))
    failed, file = export(tmp_path, "top.vmdk", 3 * MIB)
    assert "disk of a snapshot" in failed
    assert not file.exists()
