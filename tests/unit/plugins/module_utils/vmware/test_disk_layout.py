# SPDX-License-Identifier: Apache-2.0
"""Disks of a folder: descriptors are judged before anything is opened, and all readable kinds give the same bytes."""

from __future__ import annotations

import hashlib
import os
import random

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.core.transfer import in_order
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks import descriptor, layout
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks.descriptor import FormatError
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks.sources.local import LocalStore

from . import vmdk
from .vmdk import MIB, SECTOR

NAMES = ["disk", "web server_1", "größe", "a'b $(x) ;"]


class Watched(LocalStore):
    """Remembers what was opened."""

    def __init__(self, folder):
        super().__init__(folder)
        self.opened = []

    def _file(self, name):
        self.opened.append(name)
        return super()._file(name)


def read(folder, name, begin=0, **options) -> bytes:
    """The bytes of a disk."""
    with LocalStore(str(folder)) as store:
        source = layout.open_disk(store, name, **options)
        return b"".join(bytes(piece.length) if piece.data is None else piece.data for piece in in_order(source, begin))


def put(folder, kind: str, name: str, data: bytes, chance: random.Random) -> str:
    """Writes a disk; the name of the file to be named."""

    def write(suffix: str, content: bytes) -> str:
        (folder / f"{name}{suffix}.vmdk").write_bytes(content)
        return f"{name}{suffix}.vmdk"

    sectors = len(data) // SECTOR
    if kind in ("vmfs", "monolithicFlat"):
        with open(folder / f"{name}-flat.vmdk", "wb") as stream:
            for place in range(0, len(data), 65536):
                part = data[place : place + 65536]
                if part.strip(b"\0"):
                    stream.seek(place)
                    stream.write(part)
            stream.truncate(len(data))
        word = "VMFS" if kind == "vmfs" else "FLAT"
        more = "" if kind == "vmfs" else " 0"
        return write("", vmdk.text(kind, [f'RW {sectors} {word} "{name}-flat.vmdk"{more}']))
    if kind == "streamOptimized":
        return write("", vmdk.stream(data))
    if kind == "monolithicSparse":
        return write("", vmdk.sparse(data, chance, embedded=vmdk.text(kind, [f'RW {sectors} SPARSE "{name}.vmdk"'])))
    lines, cut = [], chance.randrange(0, sectors) * SECTOR
    for number, part in enumerate((data[:cut], data[cut:], b"")):
        if part and kind == "twoGbMaxExtentSparse":
            lines.append(f'RW {len(part) // SECTOR} SPARSE "{write(f"-s00{number}", vmdk.sparse(part, chance))}"')
        elif part:
            front = chance.randrange(9) * SECTOR
            file = write(f"-f00{number}", bytes(chance.randbytes(front)) + part + b"behind")
            lines.append(f'RW {len(part) // SECTOR} FLAT "{file}" {front // SECTOR}')
    return write("", vmdk.text(kind, lines))


KINDS = ["vmfs", "monolithicFlat", "streamOptimized", "monolithicSparse", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat"]


@pytest.mark.accept("V1.17")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [SECTOR, 65536 + SECTOR, MIB + MIB // 1024, 2 * MIB - SECTOR, 33 * MIB])
def test_the_same_bytes(seed, tmp_path, kind, size):
    chance = random.Random(f"{seed} {kind} {size}")
    data = vmdk.disk(chance, size)
    name = put(tmp_path, kind, chance.choice(NAMES), data, chance)
    assert hashlib.sha256(read(tmp_path, name, expected=size)).digest() == hashlib.sha256(data).digest()
    with LocalStore(str(tmp_path)) as store:
        restartable = layout.open_disk(store, name).restartable
    assert restartable is (kind != "streamOptimized")
    for begin in [SECTOR * chance.randrange(size // SECTOR + 1), size - SECTOR, size] if restartable else []:
        assert read(tmp_path, name, begin) == data[begin:]
    with pytest.raises(LandscapeError, match="the machine has one of"):
        read(tmp_path, name, expected=size + SECTOR)


def test_holes_are_found(tmp_path):
    chance = random.Random(1)
    data = b"x" * 65536 + bytes(20 * MIB) + b"y" * SECTOR
    for kind in KINDS[:4]:
        name = put(tmp_path, kind, kind, data, chance)
        with LocalStore(str(tmp_path)) as store:
            found = [
                (piece.offset, piece.length) for piece in layout.open_disk(store, name).pieces() if piece.data is None
            ]
        assert sum(length for _offset, length in found) == 20 * MIB, kind


def test_extents_of_zeroes(tmp_path):
    (tmp_path / "a").write_bytes(b"a" * SECTOR)
    (tmp_path / "d.vmdk").write_bytes(vmdk.text("twoGbMaxExtentFlat", ["RW 3 ZERO", 'RW 1 FLAT "a" 0', "RW 2 ZERO"]))
    assert read(tmp_path, "d.vmdk") == bytes(3 * SECTOR) + b"a" * SECTOR + bytes(2 * SECTOR)
    assert read(tmp_path, "d.vmdk", 2 * SECTOR) == bytes(SECTOR) + b"a" * SECTOR + bytes(2 * SECTOR)


OUTSIDE = [
    "/etc/passwd",
    "../x",
    "a/b.vmdk",
    "..",
    ".",
    "",
    "\\\\host\\x",
    "C:\\x",
    "/dev/sda",
    "vsan://52-0",
    "x\x07y",
]
OUTSIDE += ["http:x", "/vmfs/volumes/other/x.vmdk", "./x", "a" * 300]


@pytest.mark.accept("V1.17")
@pytest.mark.parametrize("where", ["extent", "parent", "embedded", "second"])
@pytest.mark.parametrize("name", OUTSIDE, ids=[f"name{number}" for number in range(len(OUTSIDE))])
def test_what_leads_elsewhere_is_refused_before_it_is_opened(tmp_path, name, where):
    flat = 'RW 2 VMFS "a-flat.vmdk"'
    (tmp_path / "a-flat.vmdk").write_bytes(bytes(1024))
    if where == "parent":
        content = vmdk.text("vmfs", [flat], parent_cid="12345678", parentFileNameHint=name)
    elif where == "embedded":
        text = vmdk.text("monolithicSparse", [f'RW 2 SPARSE "{name}"'])
        content = vmdk.sparse(bytes(1024), random.Random(1), embedded=text)
    else:
        content = vmdk.text("vmfs", [flat] * (where == "second") + [f'RW 2 VMFS "{name}"'])
    (tmp_path / "a.vmdk").write_bytes(content)
    with Watched(str(tmp_path)) as store, pytest.raises(FormatError):
        layout.open_disk(store, "a.vmdk")
    assert set(store.opened) == {"a.vmdk"}


@pytest.mark.parametrize("name", ["../a.vmdk", "/etc/passwd", ""])
def test_the_disk_itself_lies_in_the_folder(tmp_path, name):
    with Watched(str(tmp_path)) as store, pytest.raises(FormatError):
        layout.open_disk(store, name)
    assert not store.opened


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "missing"])
def test_only_files_are_opened(tmp_path, kind):
    path = tmp_path / "a-flat.vmdk"
    (tmp_path / "a.vmdk").write_bytes(vmdk.text("vmfs", ['RW 2 VMFS "a-flat.vmdk"']))
    {"link": lambda: path.symlink_to("/etc/passwd"), "pipe": lambda: os.mkfifo(path), "folder": path.mkdir}.get(
        kind, lambda: None
    )()
    with pytest.raises(LandscapeError, match=r"cannot be read|is no file"):
        read(tmp_path, "a.vmdk")


REFUSED = {
    "vmfsRawDeviceMap": "raw device mapping",
    "vmfsPassthroughRawDeviceMap": "physical raw device",
    "fullDevice": "device",
    "partitionedDevice": "partitions",
    "custom": "custom",
    "vmfsSparse": "vmfsSparse",
    "seSparse": "seSparse",
    "else": "not known",
}
EXTENT = {"vmfsSparse": "VMFSSPARSE", "seSparse": "SESPARSE"}


@pytest.mark.accept("V1.17")
@pytest.mark.parametrize("kind", list(REFUSED))
def test_other_kinds_are_refused_by_name(tmp_path, kind):
    line = f'RW 2 {EXTENT.get(kind, "VMFSRDM")} "a-rdm.vmdk"'
    (tmp_path / "a.vmdk").write_bytes(vmdk.text(kind, [line]))
    with Watched(str(tmp_path)) as store, pytest.raises(FormatError, match=REFUSED[kind]) as error:
        layout.open_disk(store, "a.vmdk")
    assert error.value.hint
    assert set(store.opened) == {"a.vmdk"}


BROKEN = {
    "encrypted": (vmdk.text("vmfs", ['RW 2 VMFS "f"']) + b'encryption.keySafe = "x"\n', "encrypted"),
    "filtered": (vmdk.text("vmfs", ['RW 2 VMFS "f"']) + b'ddb.iofilters = "vmwarevmcrypt"\n', "encrypted"),
    "snapshot": (vmdk.text("vmfs", ['RW 2 VMFS "f"'], parent_cid="1234abcd", parentFileNameHint="p"), "snapshot"),
    "half a parent": (vmdk.text("vmfs", ['RW 2 VMFS "f"'], parent_cid="1234abcd"), "half a parent"),
    "no extents": (vmdk.text("vmfs", []), "0 extents"),
    "line": (vmdk.text("vmfs", ['RW 2 VMFS "f"', "what is this"]), "no part"),
    "extent": (vmdk.text("vmfs", ['RW -2 VMFS "f"']), "cannot be understood"),
    "mixed": (vmdk.text("vmfs", ['RW 2 SPARSE "f"']), "an extent SPARSE"),
    "empty": (vmdk.text("vmfs", ['RW 0 VMFS "f"']), "without bytes"),
    "locked": (vmdk.text("vmfs", ['NOACCESS 2 VMFS "f"']), "nobody may read"),
    "twice": (vmdk.text("twoGbMaxExtentFlat", ['RW 2 FLAT "f" 0', 'RW 2 FLAT "f" 1']), "twice"),
    "huge": (vmdk.text("vmfs", ['RW 999999999999999 VMFS "f"']), "more than any"),
    "itself": (vmdk.text("vmfs", ['RW 1 VMFS "a.vmdk"']), "names itself"),
    "short": (vmdk.text("vmfs", ['RW 99 VMFS "f"']), "has 1024 bytes"),
    "no type": (b"# Disk DescriptorFile\n", "of type nothing"),
    "other": (b"x" * 1024, "no disk of VMware"),
    "nothing": (b"", "no disk of VMware"),
}


@pytest.mark.parametrize("what", list(BROKEN))
def test_broken_descriptors(tmp_path, what):
    content, error = BROKEN[what]
    (tmp_path / "a.vmdk").write_bytes(content)
    (tmp_path / "f").write_bytes(bytes(1024))
    with pytest.raises(FormatError, match=error):
        read(tmp_path, "a.vmdk")


def test_a_file_of_bytes_is_not_the_disk(tmp_path):
    (tmp_path / "a-flat.vmdk").write_bytes(bytes(1024))
    with pytest.raises(FormatError, match="name the descriptor"):
        read(tmp_path, "a-flat.vmdk")


@pytest.mark.parametrize("number", range(40))
def test_changed_sparse_files_give_no_wrong_length(seed, tmp_path, number):
    """Tables of chance: refused or read, never endless, never beside the disk."""
    chance = random.Random(seed + number)
    data = vmdk.disk(chance, MIB)
    broken = bytearray(vmdk.sparse(data, chance))
    for _change in range(chance.randrange(1, 4)):
        broken[chance.randrange(40 * SECTOR)] = chance.randrange(256)
    (tmp_path / "a.vmdk").write_bytes(broken if chance.random() < 0.7 else broken[: chance.randrange(len(broken))])
    try:
        found = read(tmp_path, "a.vmdk")
    except LandscapeError:
        return
    assert len(found) % SECTOR == 0


def test_two_grains_are_not_the_same_bytes(tmp_path):
    data = b"a" * 65536 + b"b" * 65536
    made = bytearray(vmdk.sparse(data, random.Random(3)))
    place = 22 * SECTOR
    made[place + 4 : place + 8] = made[place : place + 4]
    (tmp_path / "a.vmdk").write_bytes(made)
    with pytest.raises(FormatError, match="two grains"):
        read(tmp_path, "a.vmdk")


def test_descriptors_as_vsphere_writes_them():
    text = (
        '# Disk DescriptorFile\nversion=4\nencoding="UTF-8"\nCID=fffffffe\nparentCID=ffffffff\ncreateType="vmfs"\n\n'
        '# Extent description\nRW 33554432 VMFS "web-flat.vmdk"\n\n# Change Tracking File\n'
        'changeTrackPath="web-ctk.vmdk"\n\n# The Disk Data Base\n#DDB\n\nddb.adapterType = "lsilogic"\n'
        'ddb.thinProvisioned = "1"\nddb.uuid = "60 00 C2 9a 5a 6c 4b 44-a1 b6 5d 5e 0a 9c 22 5b"\n'
    )
    made = descriptor.parse(text.encode(), "web.vmdk")
    assert made.size == 16 * 1024 * MIB
    assert made.extents == (descriptor.Extent("RW", made.size, "VMFS", "web-flat.vmdk"),)
    assert made.entries["ddb.thinprovisioned"] == "1"
