# SPDX-License-Identifier: Apache-2.0
"""Disks get into volumes whole, once, whatever interrupts; nothing that is not ours is touched."""

from __future__ import annotations

import copy
import functools
import hashlib
import itertools
import os
import random
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError, LockedError
from ansible_collections.scs.landscape.plugins.module_utils.core.transfer import Piece
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import glance
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes import (
    body,
    glance_sink,
    model,
    places,
    raw,
    scan,
    sinks,
    task,
    writing,
)
from ansible_collections.scs.landscape.plugins.modules import volume_write
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.volumes.fake_volumes import (
    EXPORT,
    FakeVolumes,
    Killed,
)

MIB = 1 << 20
#: Unlike Cinder's, so that tests move no gibibytes.
SMALL = 8 * MIB


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits, and a gibibyte is small."""
    seconds = itertools.count()
    later = functools.partial(task.VolumeService, clock=lambda: float(next(seconds)), sleep=lambda _seconds: None)
    monkeypatch.setattr(task, "VolumeService", later)
    for module in (model, sinks):
        monkeypatch.setattr(module, "GIB", SMALL)
    monkeypatch.setattr(
        "ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.volumes.fake_volumes.GIB", SMALL
    )


@pytest.fixture
def cloud(tmp_path: Path) -> FakeVolumes:
    share = tmp_path / "share"
    share.mkdir()
    return FakeVolumes(share)


@pytest.fixture
def disk(tmp_path: Path, seed: int) -> Path:
    """Ten mebibytes and a sector, so two gibibytes here, with three stretches of data."""
    chance, path = random.Random(seed), tmp_path / "disk.raw"
    with path.open("wb") as file:
        file.truncate(10 * MIB + 512)
        for begin in (0, 3 * MIB + 700, 10 * MIB):
            file.seek(begin)
            file.write(chance.randbytes(chance.randrange(300, 512)))
    return path


def run(cloud: FakeVolumes, disk: Path, check: bool = False, **more: Any) -> Any:
    given = {"source": str(disk), "name": "web01", "mounts": {EXPORT: str(cloud.share)}, **more}
    checked = ArgumentSpecValidator(volume_write.ARGUMENTS).validate(given)
    assert not checked.error_messages, checked.error_messages
    return volume_write.main(checked.validated_parameters, check, connect=lambda _params: cloud)


def held(cloud: FakeVolumes, disk: Path) -> dict[str, Any]:
    """The one volume of a cloud, which has exactly the bytes of the disk and zeroes behind."""
    ((identifier, volume),) = cloud.volumes.items()
    found, wanted = cloud.path(identifier).read_bytes(), disk.read_bytes()
    assert len(found) == volume["size"] * SMALL
    assert (found[: len(wanted)] == wanted, found[len(wanted) :].count(0)) == (True, len(found) - len(wanted))
    assert (volume["status"], cloud.attachments) == ("available", {})
    return volume


WAYS: list[dict[str, Any]] = [
    {"method": "attach"},
    {"method": "image", "image_format": "raw"},
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way["method"])
def test_a_disk_gets_into_a_new_volume_once(way: dict[str, Any], cloud: FakeVolumes, disk: Path) -> None:
    more = {
        "bootable": True,
        "image_metadata": {"hw_disk_bus": "scsi"},
        "metadata": {"migration_vm": "u1", "migration_disk": "2000"},
        "description": "boots",
        "volume_type": "fast",
        "availability_zone": "nova",
        **way,
    }
    predicted = run(cloud, disk, check=True, **more)
    assert cloud.writes == []
    assert (predicted.values["volume"]["id"], predicted.values["volume"]["predicted"]) == (None, True)
    done = run(cloud, disk, **more)
    assert (done.changed, done.plan.digest, done.steps_done) == (True, predicted.plan.digest, 1)
    volume = held(cloud, disk)
    assert volume["metadata"] == {
        "migration_vm": "u1",
        "migration_disk": "2000",
        "migration_state": "done",
        "migration_digest": done.values["digest"],
        "migration_verified": "volume",
    }
    assert (volume["size"], volume["bootable"], volume["volume_type"]) == (2, "true", "fast")
    assert volume["volume_image_metadata"] == {"hw_disk_bus": "scsi"}
    assert (volume["name"], volume["description"], cloud.images) == ("web01", "boots", {})
    whole = 10 * MIB + 512
    assert done.values["moved"] == done.values["moves"]
    assert 0 < done.values["moved"] <= 3 * 65536 if way["method"] == "attach" else done.values["moved"] == whole
    count = len(cloud.writes)
    again = run(cloud, disk, **more)
    assert (again.changed, again.values["volume"]["id"], len(cloud.writes)) == (False, volume["id"], count)


@pytest.mark.accept("V1.5")
@pytest.mark.parametrize(
    ("way", "mounts", "read_back", "level"),
    [
        (WAYS[0], True, True, "volume"),
        (WAYS[0], True, False, "none"),
        (WAYS[1], True, True, "volume"),
        (WAYS[1], True, False, "none"),
        (WAYS[1], False, True, "image"),
    ],
    ids=lambda value: str(value["method"] if isinstance(value, dict) else value),
)
def test_a_volume_says_what_of_it_was_read(
    way: dict[str, Any], mounts: bool, read_back: bool, level: str, cloud: FakeVolumes, disk: Path
) -> None:
    given = {} if mounts else {"mounts": {}}
    run(cloud, disk, read_back=read_back, **way, **given)
    assert held(cloud, disk)["metadata"]["migration_verified"] == level
    run(cloud, disk, read_back=read_back, bootable=True, **way, **given)
    assert held(cloud, disk)["metadata"]["migration_verified"] == level


@pytest.mark.accept("V1.5")
@pytest.mark.parametrize("place", [4 * MIB, 15 * MIB], ids=["disk", "behind"])
def test_a_volume_that_differs_from_its_image_leaves_nothing(
    place: int, cloud: FakeVolumes, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cloud._made

    def spoiled(wanted: dict[str, Any]) -> dict[str, Any]:
        found = made(wanted)
        with cloud.path(found["id"]).open("r+b") as file:
            file.seek(place)
            file.write(b"x")
        return dict(found)

    monkeypatch.setattr(cloud, "_made", spoiled)
    with pytest.raises(LandscapeError, match="differs from the image that it was made from"):
        run(cloud, disk, method="image", image_format="raw")
    assert (cloud.volumes, cloud.images, cloud.attachments) == ({}, {}, {})


def test_a_volume_out_of_reach_is_not_said_to_be_read(cloud: FakeVolumes, disk: Path) -> None:
    cloud.connection = {"driver_volume_type": "iscsi"}
    run(cloud, disk, method="image", image_format="raw")
    assert held(cloud, disk)["metadata"]["migration_verified"] == "image"


def test_a_sparse_image_is_sent_where_that_is_less(
    cloud: FakeVolumes, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cinder makes the volume of it; here the service only keeps the bytes."""
    monkeypatch.setattr(cloud, "_made", functools.partial(_from_sparse, cloud, disk, cloud._made))
    done = run(cloud, disk, mounts={})
    assert (done.values["method"], done.values["format"]) == ("image", "qcow2")
    assert done.values["moves"] == done.values["moved"] == cloud.sent < 9 * 65536
    held(cloud, disk)


def _from_sparse(cloud: FakeVolumes, disk: Path, made: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    image = wanted["imageRef"]
    assert (cloud.images[image]["disk_format"], cloud.bytes[image][:4]) == ("qcow2", b"QFI\xfb")
    cloud.bytes[image] = disk.read_bytes()
    return made(wanted)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way["method"])
def test_killed_anywhere_and_run_again_there_is_one_whole_volume(
    way: dict[str, Any], cloud: FakeVolumes, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _hook: None)  # the sender of an image dies with the run
    for count in range(100):
        cloud.kill_after = count
        cloud.writes.clear()
        try:
            run(cloud, disk, bootable=True, image_metadata={"a": "b"}, **way)
        except (Killed, LandscapeError):
            cloud.kill_after = None
            done = run(cloud, disk, bootable=True, image_metadata={"a": "b"}, **way)
            volume = held(cloud, disk)
            assert (volume["volume_image_metadata"], volume["bootable"], cloud.images) == ({"a": "b"}, "true", {})
            assert not run(cloud, disk, bootable=True, image_metadata={"a": "b"}, **way).changed, done
            cloud.volumes.clear()
            continue
        break
    assert 6 < count < 99


def test_what_was_flushed_is_not_written_again(
    cloud: FakeVolumes, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path / "dense.raw"
    disk.write_bytes(random.Random(seed).randbytes(40 * MIB))
    monkeypatch.setattr(writing, "_FLUSH", 8 * MIB)
    monkeypatch.setattr(sinks, "_NOTES", -1.0)
    cut = threading.Event()
    real = sinks.VolumeSink.write

    def breaking(self: sinks.VolumeSink, piece: Piece) -> None:
        if piece.offset >= 30 * MIB and not cut.is_set():
            cut.set()
            raise Killed
        real(self, piece)

    monkeypatch.setattr(sinks.VolumeSink, "write", breaking)
    monkeypatch.setattr(sinks.VolumeSink, "leave", lambda _self: None)
    with pytest.raises(Killed):
        run(cloud, disk)
    ((identifier, volume),) = cloud.volumes.items()
    assert (volume["metadata"]["migration_state"], volume["status"]) == (f"writing {24 * MIB}", "in-use")
    planned = run(cloud, disk, check=True)
    assert planned.plan.steps[0].action == "resume"
    done = run(cloud, disk)
    assert (done.values["resumed_from"], done.values["moved"], done.values["volume"]["id"]) == (
        24 * MIB,
        16 * MIB,
        identifier,
    )
    held(cloud, disk)


def test_what_a_killed_run_left_is_checked_and_its_rubbish_is_overwritten(cloud: FakeVolumes, disk: Path) -> None:
    made = cloud._made(
        {"name": "web01", "size": 2, "metadata": {"migration_disk": "web01", "migration_state": f"writing {8 * MIB}"}}
    )
    cloud.path(made["id"]).write_bytes(b"rubbish " * (9 * MIB // 8) + bytes(7 * MIB))
    done = run(cloud, disk)
    assert (done.values["resumed_from"], done.values["volume"]["id"]) == (0, made["id"])
    held(cloud, disk)


def test_rubbish_behind_the_disk_is_found(cloud: FakeVolumes, disk: Path) -> None:
    made = cloud._made(
        {"name": "web01", "size": 2, "metadata": {"migration_disk": "web01", "migration_state": "writing 0"}}
    )
    with cloud.path(made["id"]).open("r+b") as file:
        file.seek(15 * MIB)
        file.write(b"x")
    with pytest.raises(LandscapeError, match="does not hold the bytes that were written"):
        run(cloud, disk)
    assert (cloud.volumes, cloud.attachments) == ({}, {})


def test_one_flipped_bit_leaves_nothing_and_is_named(
    cloud: FakeVolumes, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = places.FilePlace.flush

    def flipping(self: places.FilePlace) -> None:
        real(self)
        with open(self.name, "r+b") as file:
            file.seek(3 * MIB + 700)
            byte = file.read(1)[0]
            file.seek(3 * MIB + 700)
            file.write(bytes([byte ^ 4]))
        monkeypatch.setattr(places.FilePlace, "flush", real)

    monkeypatch.setattr(places.FilePlace, "flush", flipping)
    with pytest.raises(writing.DifferentError, match="the first at byte 0") as caught:
        run(cloud, disk)
    assert caught.value.details == {"differing": [{"offset": 0, "length": 4 * MIB}]}
    assert (cloud.volumes, cloud.attachments) == ({}, {})
    monkeypatch.undo()


def test_an_image_service_that_changes_bits_leaves_nothing(cloud: FakeVolumes, disk: Path) -> None:
    cloud.flips = True
    with pytest.raises(LandscapeError, match="the service has other bytes than were sent"):
        run(cloud, disk, method="image")
    assert (cloud.volumes, cloud.images) == ({}, {})


@pytest.mark.parametrize("status", [413, 403, 503, 500])
def test_a_refused_upload_leaves_nothing_and_a_busy_service_gets_it_again(
    status: int, cloud: FakeVolumes, disk: Path
) -> None:
    cloud.refuse = [(status, 3 * MIB)]
    if status >= 500:
        assert run(cloud, disk, method="image", image_format="raw").values["moved"] == 10 * MIB + 512
        held(cloud, disk)
    else:
        with pytest.raises(client.CloudError, match=str(status)):
            run(cloud, disk, method="image", image_format="raw")
        assert (cloud.volumes, cloud.images) == ({}, {})


def test_an_image_that_a_volume_stands_on_stays_and_is_told(
    cloud: FakeVolumes, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.cloned = True
    monkeypatch.setattr(glance_sink, "_GOES", -1.0)
    done = run(cloud, disk, method="image", image_format="raw")
    (warning,) = done.warnings
    assert "stands on it" in warning
    held(cloud, disk)


def test_other_bytes_for_the_same_disk_are_refused(cloud: FakeVolumes, disk: Path) -> None:
    run(cloud, disk)
    before = copy.deepcopy(cloud.volumes)
    disk.write_bytes(b"x" * 512)
    with pytest.raises(InputError, match="has other bytes"):
        run(cloud, disk)
    assert cloud.volumes == before


def test_a_volume_that_somebody_else_fills_is_left_alone(cloud: FakeVolumes, disk: Path) -> None:
    mark = f"{os.uname().nodename}-other 1 1 1"
    now = "2999-01-01T00:00:00"
    labels = {"migration_disk": "web01", "migration_state": "writing 0", "migration_run": mark}
    cloud._made({"name": "web01", "size": 2, "metadata": labels, "updated_at": now})
    for way in WAYS:
        with pytest.raises(LockedError, match="filled by another run"):
            run(cloud, disk, **way)
    assert len(cloud.volumes) == 1


def test_volumes_of_others_with_the_same_name_are_not_ours(cloud: FakeVolumes, disk: Path) -> None:
    other = cloud._made({"name": "web01", "size": 2, "metadata": {}})
    apart = cloud._made(
        {
            "name": "web01",
            "size": 2,
            "metadata": {"migration_vm": "u2", "migration_disk": "web01", "migration_state": "done"},
        }
    )
    run(cloud, disk)
    assert len(cloud.volumes) == 3
    assert [cloud.volumes[one["id"]]["metadata"] for one in (other, apart)] == [other["metadata"], apart["metadata"]]


def test_what_drifted_is_set_again_without_moving_bytes(cloud: FakeVolumes, disk: Path) -> None:
    run(cloud, disk, image_metadata={"a": "b"})
    (volume,) = cloud.volumes.values()
    volume["volume_image_metadata"] = {"c": "d"}
    done = run(cloud, disk, image_metadata={"a": "b"}, bootable=True)
    assert ([step.action for step in done.plan.steps], done.values["moved"]) == (["update"], 0)
    assert (volume["volume_image_metadata"], volume["bootable"]) == ({"a": "b"}, "true")
    assert not run(cloud, disk, image_metadata={"a": "b"}, bootable=True).changed


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"size": 1}, "1 GiB are too few"),
        ({"volume_type": "gold"}, "no volume type gold, but fast, lab"),
        ({"availability_zone": "moon"}, "no availability zone moon, but nova"),
        ({"metadata": {"migration_state": "done"}}, "metadata migration_state is ours"),
        ({"image_metadata": {"a": "x" * 256}}, "more than 255 characters"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_is_refused_before_anything(
    options: dict[str, Any], why: str, cloud: FakeVolumes, disk: Path
) -> None:
    with pytest.raises(InputError, match=why):
        run(cloud, disk, **options)
    assert cloud.writes == []


def test_no_room_is_told_with_numbers(cloud: FakeVolumes, disk: Path) -> None:
    cloud.limits.update(maxTotalVolumeGigabytes=1)
    with pytest.raises(InputError, match="2 GiB of volumes more do not fit: 0 of 1 are used"):
        run(cloud, disk, check=True)


@pytest.mark.parametrize(
    ("begin", "size", "why"),
    [
        (b"QFI\xfb", 512, "QCOW2"),
        (b"KDMV", 512, "VMDK"),
        (b"# Disk DescriptorFile", 512, "VMDK"),
        (b"", 511, "whole number"),
    ],
)
def test_files_that_are_no_raw_disks_are_refused(
    begin: bytes, size: int, why: str, cloud: FakeVolumes, tmp_path: Path
) -> None:
    path = tmp_path / "disk"
    path.write_bytes(begin.ljust(size, b"\0"))
    with pytest.raises(InputError, match=why):
        run(cloud, path)
    for nothing in (tmp_path / "absent", tmp_path):
        with pytest.raises(InputError):
            run(cloud, nothing)


@pytest.mark.parametrize(
    ("connection", "why"),
    [
        ({"driver_volume_type": "iscsi"}, "needs an initiator"),
        ({"encrypted": True}, "is encrypted"),
        ({"format": "qcow2"}, "not raw bytes"),
        ({"name": "../../etc/passwd"}, "no name of a file"),
        ({"export": "elsewhere:/x"}, "not mounted on this machine"),
        ({"driver_volume_type": "rbd", "name": "--conf"}, "no name of one"),
    ],
    ids=str,
)
def test_a_volume_that_cannot_be_reached_is_taken_away_again(
    connection: dict[str, Any], why: str, cloud: FakeVolumes, disk: Path
) -> None:
    cloud.connection = connection
    with pytest.raises(InputError, match=why):
        run(cloud, disk, method="attach")
    assert (cloud.volumes, cloud.attachments) == ({}, {})


def test_a_link_in_the_place_of_a_volume_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"x" * 512)
    (tmp_path / "volume-1").symlink_to("target")
    info = {"driver_volume_type": "nfs", "export": EXPORT, "name": "volume-1", "format": "raw"}
    with pytest.raises(InputError, match="cannot be written"):
        places.place_of(info, 512, places.Reach({EXPORT: str(tmp_path)}))
    assert (tmp_path / "target").read_bytes() == b"x" * 512


def test_mounts_are_found_in_the_table_of_the_kernel(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(r"1 2 0:3 / /mnt/a\040b rw,relatime shared:1 - nfs4 nfs.example.org:/volumes rw" + "\nbroken\n")
    assert places.mounted(EXPORT, str(table)) == "/mnt/a b"
    assert (places.mounted("other:/x", str(table)), places.mounted(EXPORT, str(tmp_path / "none"))) == ("", "")


def test_lost_answers_make_nothing_twice(cloud: FakeVolumes, disk: Path) -> None:
    for acted in (True, False):
        cloud.lose = [("POST", "/volumes", acted), ("POST", "/attachments", acted)]
        run(cloud, disk)
        held(cloud, disk)
        cloud.volumes.clear()


def test_extents_of_a_scattered_disk_have_a_bound() -> None:
    found = scan.Extents(100)
    for number in range(100_000):
        found.add(number * 200_000, number * 200_000 + 1000)
    extents = found.all()
    assert len(extents) <= 100
    assert (extents[0][0], sum(extents[-1])) == (0, 99_999 * 200_000 + 1000)
    ends = itertools.accumulate(extents, lambda _last, one: one, initial=(0, 0))
    assert all(one[0] >= sum(last) for last, one in itertools.pairwise(ends))


def test_a_body_that_ends_too_early_breaks_the_request() -> None:
    found = body.PipeBody(1000)
    found.put(b"x" * 10)
    assert found.read() == b"x" * 10
    found.give_up()
    with pytest.raises(LandscapeError, match="ended too early"):
        found.read()
    with pytest.raises(LandscapeError, match="10 of 1000 bytes"):
        found.digest()


def test_a_body_that_was_sent_keeps_nobody_waiting_who_sends_it_again() -> None:
    found = body.PipeBody(1)
    found.put(b"x")
    found.end()
    assert [found.read(), found.read()] == [b"x", b""]
    with pytest.raises(LandscapeError, match="cannot be sent once more"):
        found.read()


def test_a_raw_disk_gives_its_holes_and_begins_anywhere(tmp_path: Path, seed: int) -> None:
    chance, path = random.Random(seed), tmp_path / "disk"
    with path.open("wb") as file:
        file.truncate(5 * MIB)
        file.seek(2 * MIB + 100)
        file.write(chance.randbytes(70_000))
    source = raw.RawDisk(str(path))
    begin = chance.randrange(0, 5 * MIB)
    found = b"".join(one.data or bytes(one.length) for one in source.pieces(begin))
    assert hashlib.sha256(found).digest() == hashlib.sha256(path.read_bytes()[begin:]).digest()
    source.close()


SPARSE = {"method": "image", "image_format": "qcow2"}


def leftovers(cloud: FakeVolumes) -> list[str]:
    """What nobody can use and nobody will look for."""
    images = [f"image {one['status']}" for one in cloud.images.values()]
    return images + [f"volume {one['status']}" for one in cloud.volumes.values() if one["status"] != "available"]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seed: int) -> Path:
    """A disk that is small enough to be moved some hundred times."""
    path, chance = tmp_path / "tiny.raw", random.Random(seed)
    path.write_bytes(chance.randbytes(9000) + bytes(301_784) + chance.randbytes(512))
    fakes = "ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.volumes.fake_volumes.GIB"
    monkeypatch.setattr(fakes, MIB)
    monkeypatch.setattr(sys.modules[__name__], "SMALL", MIB)
    for module in (model, sinks):
        monkeypatch.setattr(module, "GIB", MIB)
    monkeypatch.setattr(glance.Glance, "_wait_a_little", lambda _self, _attempt: None)
    return path


@pytest.mark.slow
@pytest.mark.accept("V1.21")
@pytest.mark.parametrize("way", [*WAYS, SPARSE], ids=["attach", "raw", "qcow2"])
@pytest.mark.parametrize(
    ("status", "acted"), [(409, False), (413, False), (503, False), (503, True)], ids=["409", "413", "503", "503-late"]
)
def test_a_refusal_anywhere_leaves_nothing_and_another_try_works(
    status: int, acted: bool, way: dict[str, Any], cloud: FakeVolumes, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way is SPARSE:
        monkeypatch.setattr(cloud, "_made", functools.partial(_from_sparse, cloud, tiny, cloud._made))
    given = {"bootable": True, "image_metadata": {"hw_disk_bus": "scsi"}, **way}
    failed = []
    for number in range(100):
        cloud.writes.clear()
        cloud.trouble = (number, status, acted)
        try:
            run(cloud, tiny, **given)
        except LandscapeError as error:
            failed.append(str(error))
            assert leftovers(cloud) == [], cloud.writes
            run(cloud, tiny, **given)
        assert leftovers(cloud) == []
        held(cloud, tiny)
        if cloud.trouble is not None:
            break
        cloud.volumes.clear()
    assert 6 < number < 99
    assert all(str(status) in one for one in failed), failed
    assert failed or status != 413  # without a time to wait it is final


@pytest.mark.accept("V1.21")
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way["method"])
def test_a_volume_that_ends_in_error_is_removed_and_another_try_works(
    way: dict[str, Any], cloud: FakeVolumes, tiny: Path
) -> None:
    cloud.fills = ["error"]
    with pytest.raises(LandscapeError, match="is error"):
        run(cloud, tiny, **way)
    assert (cloud.volumes, cloud.images) == ({}, {})
    run(cloud, tiny, **way)
    held(cloud, tiny)
