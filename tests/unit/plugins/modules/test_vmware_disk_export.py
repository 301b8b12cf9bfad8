# SPDX-License-Identifier: Apache-2.0
"""The module vmware_disk_export on folders: the right bytes, nothing twice, nothing half, and no way to anything else."""

from __future__ import annotations

import hashlib
import os
import random

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks.sources.local import LocalStore
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import Disk, Vm
from ansible_collections.scs.landscape.plugins.modules import vmware_disk_export as module
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.vmware import vmdk

MIB = vmdk.MIB
DEFAULTS = {name: rules.get("default") for name, rules in module.ARGUMENTS.items()}


def no_endpoint(_params):
    raise AssertionError("nobody asked for an endpoint")


class Machine:
    """A VM whose files lie in a folder."""

    def __init__(self, folder, chance, sizes=(9 * MIB + 512, MIB), **facts):
        self.folder, self.dest = folder, folder / "out"
        self.data = [vmdk.disk(chance, size) for size in sizes]
        disks = []
        for number, data in enumerate(self.data):
            name = ["web", "web server_1", "größe"][number]
            where = folder / "datastores" / "ds 1" / "web"
            where.mkdir(parents=True, exist_ok=True)
            (where / f"{name}-flat.vmdk").write_bytes(data)
            (where / f"{name}.vmdk").write_bytes(vmdk.text("vmfs", [f'RW {len(data) // 512} VMFS "{name}-flat.vmdk"']))
            disks.append(
                Disk(2000 + number, f"Hard disk {number + 1}", "scsi", "pvscsi", number, len(data), datastore="ds 1",
                     path=f"[ds 1] web/{name}.vmdk", chain=(f"[ds 1] web/{name}.vmdk",))
            )  # fmt: skip
        self.where = where
        facts = {"power": "off", **facts}
        self.vm = Vm("esxi", "web/1", "7", "5029c1a6-7b2a-4f5e-9d1a-3c5d6c1f8a77", disks=tuple(disks), **facts)

    def run(self, dry=False, **options):
        options = {"transport": "local", "local_path": str(self.folder / "datastores"), **options}
        params = {**DEFAULTS, "facts": self.vm.as_dict(), "dest": str(self.dest), **options}
        return module.main(params, dry, connect=no_endpoint)

    def files(self):
        return sorted(os.listdir(self.dest)) if self.dest.exists() else []

    def file(self, number=0):
        return self.dest / f"web_1-{2000 + number}.raw"


@pytest.fixture
def machine(tmp_path, seed):
    return Machine(tmp_path, random.Random(seed))


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.mark.accept("V1.13")
def test_all_disks_and_nothing_twice(machine):
    planned = machine.run(dry=True, sha256=True)
    assert planned.changed
    assert machine.files() == []
    first = machine.run(sha256=True)
    assert not first.failed
    assert first.plan.as_dict() == planned.plan.as_dict()
    assert first.steps_done == 2
    assert machine.files() == [f"web_1-200{n}.raw{end}" for n in (0, 1) for end in ("", ".blocks")]
    for number, (data, found) in enumerate(zip(machine.data, first.values["disks"])):
        assert digest(machine.file(number).read_bytes()) == digest(data) == found["sha256"]
        assert (found["status"], found["transport"], found["size"]) == ("done", "local", len(data))
        assert found["data"] + found["zero"] == len(data)
    for check in ("recorded", "read"):
        again = machine.run(check=check)
        assert not again.changed
        assert [one["status"] for one in again.values["disks"]] == ["present", "present"]
        assert [one["digest"] for one in again.values["disks"]] == [one["digest"] for one in first.values["disks"]]


def test_the_same_bytes_have_the_same_digest_whatever_the_format(machine, seed):
    first = machine.run(disks=["2000"])
    name = machine.where / "web.vmdk"
    name.write_bytes(vmdk.stream(machine.data[0]))
    (machine.where / "web-flat.vmdk").unlink()
    second = machine.run(disks=["scsi0:0"], file_name="other")
    assert first.values["disks"][0]["digest"] == second.values["disks"][0]["digest"]


def test_a_disk_that_changed_is_exported_again(machine):
    machine.run(disks=["2000"])
    data = bytearray(machine.data[0])
    data[5 * MIB] ^= 1
    (machine.where / "web-flat.vmdk").write_bytes(data)
    os.utime(machine.where / "web-flat.vmdk", (1, 1_000_000))
    result = machine.run(disks=["2000"])
    assert result.changed
    assert [step.action for step in result.plan.steps] == ["replace"]
    assert digest(machine.file().read_bytes()) == digest(data)


@pytest.mark.parametrize("how", ["foreign", "changed"])
def test_what_others_wrote_stays(machine, how):
    if how == "foreign":
        machine.dest.mkdir()
        machine.file().write_bytes(b"precious")
    else:
        machine.run(disks=["2000"])
        with open(machine.file(), "r+b") as stream:
            stream.write(b"changed")
        os.utime(machine.file(), (4e9, 4e9))
    before = machine.file().read_bytes()
    result = machine.run()
    assert "overwrite is off" in result.failed
    assert [one["status"] for one in result.values["disks"]] == ["failed", "done"]
    assert machine.file().read_bytes() == before
    assert not machine.run(overwrite=True).failed
    assert digest(machine.file().read_bytes()) == digest(machine.data[0])


def test_a_changed_file_is_found_by_reading(machine):
    machine.run(disks=["2000"])
    status = machine.file().stat()
    with open(machine.file(), "r+b") as stream:
        stream.seek(MIB)
        stream.write(b"bit rot")
    os.utime(machine.file(), ns=(status.st_mtime_ns, status.st_mtime_ns))
    assert not machine.run(disks=["2000"]).changed
    assert machine.run(disks=["2000"], check="read").changed
    assert digest(machine.file().read_bytes()) == digest(machine.data[0])


@pytest.mark.parametrize("number", range(3))
def test_a_break_is_gone_on_after(tmp_path, seed, number, monkeypatch):
    chance = random.Random(seed + number)
    machine = Machine(tmp_path, chance, sizes=(60 * MIB + 512,))
    size, read = len(machine.data[0]), []
    limit = chance.randrange(20 * MIB, size)
    real = LocalStore._read

    def broken(self, name, handle, offset, length):
        if name.endswith("-flat.vmdk"):
            read.append((offset, length))
            if limit and offset + length > limit:
                raise LandscapeError("the cable was pulled")
        return real(self, name, handle, offset, length)

    monkeypatch.setattr(LocalStore, "_read", broken)
    result = machine.run()
    assert "the cable was pulled" in result.failed
    assert not machine.file().exists()
    assert machine.files() == ["web_1-2000.raw.part", "web_1-2000.raw.part.blocks"]
    limit, read[:] = 0, []
    result = machine.run()
    assert not result.failed
    assert digest(machine.file().read_bytes()) == digest(machine.data[0])
    assert machine.files() == ["web_1-2000.raw", "web_1-2000.raw.blocks"]
    begin = result.values["disks"][0]["resumed"]
    assert all(offset >= begin for offset, _length in read)
    assert begin % (4 * MIB) == 0


def test_a_stream_that_is_cut_leaves_nothing(machine):
    whole = vmdk.stream(machine.data[0])
    (machine.where / "web.vmdk").write_bytes(whole[: len(whole) * 7 // 10])
    result = machine.run(disks=["2000"])
    assert result.failed
    assert machine.files() == []


def test_a_wrong_sink_is_noticed(machine, monkeypatch):
    """Bytes that are other ones at the far end: named, and no file."""
    real = os.pwrite

    def bad(handle, data, offset):
        return real(handle, bytes(len(data)) if offset == 0 else data, offset)

    monkeypatch.setattr(os, "pwrite", bad)
    (machine.where / "web-flat.vmdk").write_bytes(b"x" * len(machine.data[0]))
    result = machine.run(disks=["2000"])
    assert "bytes at 0" in result.failed
    assert not machine.file().exists()


def test_a_kill_between_the_names_is_mended(machine):
    machine.run(disks=["2000"])
    os.rename(f"{machine.file()}.blocks", f"{machine.file()}.part.blocks")
    assert not machine.run(disks=["2000"]).changed
    # With a part beside it the map is that of the part.
    with open(f"{machine.file()}.part", "wb"):
        pass
    assert "overwrite is off" in machine.run(disks=["2000"]).failed


@pytest.mark.parametrize(
    ("facts", "options", "error"),
    [
        ({"power": "on"}, {}, "is on"),
        ({"power": "suspended"}, {}, "is suspended"),
        ({}, {"disks": ["Hard disk 9"]}, "0 disks"),
        ({}, {"file_name": "{nothing}"}, "it knows"),
        ({}, {"file_name": "same"}, "the same for several"),
        ({}, {"file_name": "../{key}"}, "no name of a file"),
        ({}, {"file_name": "{key}.part"}, "no name of a file"),
        ({}, {"max_parallel": 0}, "at least 1"),
        ({}, {"snapshot": "snapshot-1"}, "a snapshot is meant"),
        ({}, {"transport": "nfc", "local_path": None}, "no endpoint"),
        ({}, {"transport": "auto", "local_path": None}, "no local folder"),
    ],
    ids=["on", "suspended", "disk", "word", "same", "elsewhere", "part", "parallel", "snapshot", "endpoint", "nothing"],
)
def test_refused_before_anything_happens(tmp_path, facts, options, error):
    machine = Machine(tmp_path, random.Random(1), **facts)
    with pytest.raises(InputError, match=error):
        machine.run(**options)
    assert machine.files() == []


@pytest.mark.accept("V1.17")
@pytest.mark.parametrize("name", ["/etc/passwd", "../web server_1-flat.vmdk"])
def test_a_descriptor_that_leads_elsewhere(machine, name):
    (machine.where / "web.vmdk").write_bytes(vmdk.text("vmfs", [f'RW 1 VMFS "{name}"']))
    result = machine.run()
    assert "nothing was opened" in result.failed
    assert [one["status"] for one in result.values["disks"]] == ["failed", "done"]


def test_another_disk_is_not_taken_for_it(machine):
    (machine.where / "web.vmdk").write_bytes(vmdk.text("vmfs", ['RW 2 VMFS "web-flat.vmdk"']))
    assert "the machine has one of" in machine.run(disks=["2000"]).failed


def test_auto_takes_the_folder_without_an_endpoint(machine):
    result = machine.run(transport="auto", local_path=str(machine.where))
    assert [one["transport"] for one in result.values["disks"]] == ["local", "local"]
