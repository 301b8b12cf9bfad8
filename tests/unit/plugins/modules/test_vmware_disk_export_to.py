# SPDX-License-Identifier: Apache-2.0
"""The module vmware_disk_export into images and volumes: the right bytes, once, announced before; a file needs no cloud."""

from __future__ import annotations

import functools
import itertools
import os
import random

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes import model, sinks
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks.sources.local import LocalStore
from ansible_collections.scs.landscape.plugins.modules import vmware_disk_export as module
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.volumes import fake_volumes
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.vmware import vmdk
from ansible_collections.scs.landscape.tests.unit.plugins.modules.test_vmware_disk_export import Machine, no_endpoint

MIB = 1 << 20
#: Unlike Cinder's, so that tests move no gibibytes.
SMALL = 8 * MIB
SIZE = 9 * MIB + 512


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Nobody waits, and a gibibyte is small."""
    seconds = itertools.count()
    later = functools.partial(module.VolumeService, clock=lambda: float(next(seconds)), sleep=lambda _seconds: None)
    monkeypatch.setattr(module, "VolumeService", later)
    for place in (model, sinks, fake_volumes):
        monkeypatch.setattr(place, "GIB", SMALL)


@pytest.fixture
def cloud(tmp_path):
    (tmp_path / "share").mkdir()
    return fake_volumes.FakeVolumes(tmp_path / "share")


@pytest.fixture
def machine(tmp_path, seed):
    """Two disks; the source keeps a tenth of the first, and all of the second."""
    made = Machine(tmp_path, random.Random(seed), sizes=(SIZE, 4 * MIB))
    data = bytearray(SIZE)
    data[3 * MIB : 3 * MIB + 5000] = random.Random(seed).randbytes(5000)
    data[-1] = 7
    made.data[0] = bytes(data)
    (made.where / "web-flat.vmdk").write_bytes(data)
    return made


def run(machine, cloud, check=False, **more):
    facts = machine.vm.as_dict()
    facts["disks"][0]["allocated_bytes"] = MIB
    options = {"facts": facts, "dest": str(machine.dest), "transport": "local", **more}
    given = ArgumentSpecValidator(module.ARGUMENTS).validate(
        {"local_path": str(machine.folder / "datastores"), **options}
    )
    assert not given.error_messages, given.error_messages
    return module.main(given.validated_parameters, check, connect=no_endpoint, connect_cloud=lambda _params: cloud)


def disk_of(cloud, one, to, size):
    """What an image or a volume holds."""
    if to == "volume":
        return cloud.path(one["id"]).read_bytes()
    found = bytearray(size)
    for offset, data in fake_volumes.disk_of(cloud.bytes[one["id"]]):
        found[offset : offset + len(data)] = data
    return bytes(found)


WAYS = {
    "image": {"to": "image"},
    "raw": {"to": "image", "image_format": "raw"},
    "attached": {"to": "volume", "mounts": "share"},
    "imaged": {"to": "volume", "method": "image"},
    "imaged-raw": {"to": "volume", "method": "image", "image_format": "raw"},
}


def way_of(name, cloud):
    way = dict(WAYS[name])
    if way.get("mounts"):
        way["mounts"] = {fake_volumes.EXPORT: str(cloud.share)}
    return way


@pytest.mark.accept("V1.6", "V1.7", "V1.13")
@pytest.mark.parametrize("name", list(WAYS))
def test_all_disks_are_there_once_and_what_is_sent_was_announced(machine, cloud, name):
    way = way_of(name, cloud)
    planned = run(machine, cloud, check=True, properties={"os_distro": "debian"}, **way)
    assert (planned.changed, cloud.writes, machine.files()) == (True, [], [])
    done = run(machine, cloud, properties={"os_distro": "debian"}, **way)
    assert (done.failed, done.steps_done, done.plan.digest) == ("", 2, planned.plan.digest)
    first, second = done.values["disks"]
    sparse = name in ("image", "imaged")
    assert [one["format"] for one in (first, second)] == (
        ["", ""] if name == "attached" else ["qcow2" if sparse else "raw", "raw"]
    )
    announced = [one["sent"] for one in planned.values["disks"]]
    assert announced == [MIB if sparse or name == "attached" else SIZE, 4 * MIB]
    assert [step.after["sent"] for step in planned.plan.steps] == announced
    if sparse:
        assert first["sent"] <= 9 * 65536  # two clusters of data, and tables
    elif name == "attached":
        assert first["sent"] <= 3 * 65536
    else:
        assert (first["sent"], second["sent"]) == (SIZE, 4 * MIB)
    for one, data in zip(done.values["disks"], machine.data):
        held = disk_of(cloud, one, way["to"], len(data))
        assert held[: len(data)] == data
        assert len(held) == (len(data) if way["to"] == "image" else -(-len(data) // SMALL) * SMALL)
        assert not held[len(data) :].strip(b"\0")
        assert (one["status"], one["dest"], one["size"]) == ("done", "", len(data))
    kept, other = (cloud.images, cloud.volumes) if way["to"] == "image" else (cloud.volumes, cloud.images)
    assert (sorted(kept), other, cloud.attachments) == (sorted([first["id"], second["id"]]), {}, {})
    assert all(file.endswith(".blocks") for file in machine.files())
    count = len(cloud.writes)
    again = run(machine, cloud, properties={"os_distro": "debian"}, **way)
    assert (again.changed, again.failed, len(cloud.writes)) == (False, "", count)
    assert [one["id"] for one in again.values["disks"]] == [first["id"], second["id"]]
    assert [one["digest"] for one in again.values["disks"]] == [first["digest"], second["digest"]]


def test_an_image_is_hidden_until_it_is_whole_and_says_what_it_is(machine, cloud):
    run(machine, cloud, to="image", disks=["2000"], name="golden", properties={"os_distro": "debian"})
    ((_id, image),) = cloud.images.items()
    marks = {key: value for key, value in image.items() if key.startswith("migration_")}
    assert marks.pop("migration_digest").startswith("sha256:")
    assert marks.pop("migration_source_state").startswith("local:")
    assert marks == {
        "migration_vm": f"export-{machine.vm.uuid}",
        "migration_disk": "2000",
        "migration_state": "done",
        "migration_verified": "image",
    }
    assert (image["name"], image["os_hidden"], image["os_distro"]) == ("golden", False, "debian")
    assert (image["visibility"], image["disk_format"]) == ("private", "qcow2")


@pytest.mark.parametrize("name", ["image", "attached"])
def test_names_and_properties_are_set_again_without_moving_bytes(machine, cloud, name):
    way = way_of(name, cloud)
    run(machine, cloud, disks=["2000"], properties={"a": "b"}, **way)
    sent = cloud.sent
    planned = run(machine, cloud, check=True, disks=["2000"], properties={"a": "c"}, name="other", **way)
    done = run(machine, cloud, disks=["2000"], properties={"a": "c"}, name="other", **way)
    assert [step.action for step in done.plan.steps] == ["update"]
    assert (done.plan.digest, done.steps_done, cloud.sent) == (planned.plan.digest, 1, sent)
    ((_id, one),) = (cloud.images if way["to"] == "image" else cloud.volumes).items()
    assert one["name"] == "other"
    assert (one if way["to"] == "image" else one["volume_image_metadata"])["a"] == "c"
    assert not run(machine, cloud, disks=["2000"], properties={"a": "c"}, name="other", **way).changed


@pytest.mark.parametrize("name", ["image", "attached"])
def test_what_was_made_of_another_state_of_the_disk_is_never_replaced(machine, cloud, name):
    way = way_of(name, cloud)
    run(machine, cloud, disks=["2000"], **way)
    os.utime(machine.where / "web-flat.vmdk", (1, 1_000_000))
    count = len(cloud.writes)
    result = run(machine, cloud, disks=["2000"], overwrite=True, **way)
    assert "was changed after" in result.failed
    assert (result.values["disks"][0]["status"], len(cloud.writes)) == ("failed", count)


@pytest.mark.accept("V1.4")
@pytest.mark.parametrize("name", ["image", "imaged", "attached"])
def test_a_source_that_breaks_leaves_no_half_image(machine, cloud, name, monkeypatch):
    real = LocalStore._read

    def broken(self, file, handle, offset, length):
        if file == "web server_1-flat.vmdk" and offset >= 2 * MIB:
            raise LandscapeError("the cable was pulled")
        return real(self, file, handle, offset, length)

    monkeypatch.setattr(LocalStore, "_read", broken)
    way = way_of(name, cloud)
    result = run(machine, cloud, **way)
    assert "the cable was pulled" in result.failed
    assert [one["status"] for one in result.values["disks"]] == ["done", "failed"]
    assert len(cloud.images if way["to"] == "image" else cloud.volumes) == (2 if name == "attached" else 1)
    assert (len(cloud.images), cloud.attachments) == (way["to"] == "image", {})
    monkeypatch.setattr(LocalStore, "_read", real)
    result = run(machine, cloud, **way)
    assert not result.failed
    assert disk_of(cloud, result.values["disks"][1], way["to"], 4 * MIB)[: 4 * MIB] == machine.data[1]


def test_a_stream_goes_raw_because_it_can_be_read_once(machine, cloud):
    """Its descriptor does not tell beforehand; then the zeroes are sent after all."""
    (machine.where / "web.vmdk").write_bytes(vmdk.stream(machine.data[0]))
    done = run(machine, cloud, to="image", disks=["2000"])
    assert not done.failed
    assert done.values["disks"][0]["sent"] == SIZE
    assert disk_of(cloud, done.values["disks"][0], "image", SIZE) == machine.data[0]


def test_migrations_and_exports_do_not_take_each_others_volumes(machine, cloud):
    way = way_of("attached", cloud)
    (one,) = run(machine, cloud, disks=["2000"], **way).values["disks"]
    wanted = model.Wanted("x", SIZE, metadata={model.VM: machine.vm.uuid, model.DISK: "2000"})
    assert not model.is_of(cloud.volumes[one["id"]]["metadata"], wanted)


def test_an_image_that_was_asked_for_stays_when_a_volume_is_made_over_one(machine, cloud):
    run(machine, cloud, to="image", disks=["2000"])
    ((kept, _image),) = cloud.images.items()
    run(machine, cloud, disks=["2000"], **way_of("imaged", cloud))
    assert (list(cloud.images), len(cloud.volumes)) == ([kept], 1)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"to": "volume", "volume_type": "gold"}, "no volume type gold"),
        ({"to": "volume", "method": "attach"}, "nobody says where volumes lie"),
        ({"to": "volume", "mounts": {"a:/b": "/nowhere"}}, "/nowhere is no folder"),
        ({"to": "image", "name": "same"}, "the same for several disks"),
        ({"to": "image", "name": "{nothing}"}, "it knows"),
    ],
    ids=["type", "nowhere", "folder", "same", "word"],
)
def test_what_cannot_be_is_refused_before_anything(machine, cloud, options, why):
    with pytest.raises(InputError, match=why):
        run(machine, cloud, **options)
    assert (cloud.writes, machine.files()) == ([], [])


def test_no_room_is_told_in_check_mode(machine, cloud):
    cloud.limits.update(maxTotalVolumeGigabytes=2)
    with pytest.raises(InputError, match="3 GiB of volumes more do not fit"):
        run(machine, cloud, check=True, to="volume")


def test_a_file_needs_no_cloud(machine):
    def nobody(_params):
        raise AssertionError("nobody asked for a cloud")

    given = ArgumentSpecValidator(module.ARGUMENTS).validate(
        {"facts": machine.vm.as_dict(), "dest": str(machine.dest), "local_path": str(machine.folder / "datastores")}
    )
    assert not module.main(given.validated_parameters, False, connect=no_endpoint, connect_cloud=nobody).failed
