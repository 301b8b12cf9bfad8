# SPDX-License-Identifier: Apache-2.0
"""Exports of images: what is asked for, gone on with, refused and kept, against a service in memory."""

from __future__ import annotations

import hashlib
import json
import os
import random
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import model as clouds
from ansible_collections.scs.landscape.plugins.module_utils.openstack.export import model, run, transfer
from ansible_collections.scs.landscape.plugins.module_utils.openstack.export.target import Target, Writer
from ansible_collections.scs.landscape.plugins.modules import image_export
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.export.fake_images import (
    PIECE,
    FakeImages,
    Killed,
    cut,
    flip,
    longer,
)

DATA = random.Random(7).randbytes(5 * PIECE)
HALF = 2 * PIECE


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for between two attempts."""
    monkeypatch.setattr(transfer.Patience, "wait", lambda *_given: None)


def export(cloud: FakeImages, folder: Path, check_mode: bool = False, **params: Any) -> Result:
    checked = ArgumentSpecValidator(image_export.ARGUMENTS).validate({"dest": str(folder), **params})
    assert not checked.error_messages, checked.error_messages
    return image_export.main(checked.validated_parameters, check_mode, connect=lambda *_a, **_k: cloud)


def only(result: Result) -> dict[str, Any]:
    (found,) = result.values["results"]
    return dict(found)


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir()) if folder.exists() else []


def killed(cloud: FakeImages, folder: Path, image: str, after: int = 2) -> None:
    """A run ends in the middle; pieces that were not written yet are lost with it."""
    cloud.spoil[len(cloud.asked)] = cut(after, Killed())
    with pytest.raises(Killed):
        export(cloud, folder, images=[image])
    assert names(folder) == [f"{image}.raw.part", f"{image}.raw.part.json"]


def test_it_is_loaded_once_and_says_all_about_itself(tmp_path: Path) -> None:
    cloud, folder = FakeImages(), tmp_path / "out"
    image = cloud.add(1, DATA, hw_disk_bus="virtio", direct_url="rbd://secret")
    checked = export(cloud, folder, check_mode=True, images=["image 1"])
    assert (only(checked)["status"], names(folder), cloud.asked) == ("planned", [], [])
    result = export(cloud, folder, images=["image 1"])
    told, digest = only(result), f"sha512:{hashlib.sha512(DATA).hexdigest()}"
    assert checked.plan.digest == result.plan.digest
    assert (told["status"], told["digest"], told["bytes"], told["resumed_from"]) == ("done", digest, len(DATA), 0)
    assert (told["http_statuses"], result.changed, result.steps_done) == ([200], True, 1)
    path = folder / f"{image}.raw"
    assert path.read_bytes() == DATA
    assert names(folder) == [path.name, f"{path.name}.scs.json"]
    assert [os.stat(one).st_mode & 0o777 for one in (folder, path, told["record"])] == [0o700, 0o600, 0o600]
    noted = json.loads(Path(told["record"]).read_text(encoding="utf-8"))
    assert noted["about"]["properties"] == {"hw_disk_bus": "virtio"}
    assert "secret" not in json.dumps([noted, result.values, result.diff])
    again = export(cloud, folder, images=[image])
    assert (again.changed, only(again)["status"], only(again)["checked_by"]) == (False, "present", "recorded")
    assert only(export(cloud, folder, images=[image], check="read"))["checked_by"] == "read"
    assert (len(cloud.asked), cloud.writes) == (1, [])


@pytest.mark.parametrize(
    ("store", "statuses", "resumed"),
    [("file", [206], HALF), ("rbd", [400, 200], 0), ("cache", [200], 0)],
)
def test_a_killed_run_goes_on_where_the_store_can(
    tmp_path: Path, store: str, statuses: list[int], resumed: int
) -> None:
    cloud = FakeImages(store)
    image = cloud.add(1, DATA)
    killed(cloud, tmp_path, image)
    assert export(cloud, tmp_path, check_mode=True, images=[image]).changed
    told = only(export(cloud, tmp_path, images=[image]))
    assert (told["http_statuses"], told["resumed_from"]) == (statuses, resumed)
    assert told["bytes"] == len(DATA) - resumed
    assert (tmp_path / f"{image}.raw").read_bytes() == DATA
    assert names(tmp_path) == [f"{image}.raw", f"{image}.raw.scs.json"]


def test_a_line_that_breaks_is_gone_on_with_in_the_same_run(tmp_path: Path) -> None:
    cloud = FakeImages()
    image = cloud.add(1, DATA)
    cloud.spoil = {0: cut(1, clouds.UnreachableError("cut")), 1: cut(1, clouds.CloudError("busy", status=503))}
    told = only(export(cloud, tmp_path, images=[image]))
    assert (told["status"], told["http_statuses"]) == ("done", [200, 206, 503, 206])
    assert [one.get("Range") for one in cloud.asked] == [None, f"bytes={PIECE}-", f"bytes={2 * PIECE}-"]
    assert (told["bytes"], told["resumed_from"]) == (len(DATA), 0)


def test_a_line_that_brings_nothing_is_given_up_and_what_came_is_kept(tmp_path: Path) -> None:
    cloud = FakeImages()
    image = cloud.add(1, DATA)
    cloud.spoil = {number: cut(int(number == 0), clouds.UnreachableError("cut")) for number in range(40)}
    result = export(cloud, tmp_path, images=[image])
    assert "cut" in result.failed
    assert len(cloud.asked) < 10
    assert names(tmp_path) == [f"{image}.raw.part", f"{image}.raw.part.json"]
    cloud.spoil = {}
    assert only(export(cloud, tmp_path, images=[image]))["resumed_from"] == PIECE


@pytest.mark.parametrize(("spoil", "said"), [(flip(3), "other bytes came"), (longer, "more bytes came than it has")])
def test_wrong_bytes_leave_nothing(tmp_path: Path, spoil: Any, said: str) -> None:
    cloud = FakeImages()
    image = cloud.add(1, DATA)
    other = cloud.add(2, DATA[:PIECE])
    cloud.spoil = {0: spoil}
    result = export(cloud, tmp_path, images=[image, other], max_parallel=1)
    assert said in result.failed
    assert [one["status"] for one in result.values["results"]] == ["failed", "done"]
    assert f"{image}.raw" not in names(tmp_path)
    assert said != "other bytes came" or not [one for one in names(tmp_path) if one.startswith(image)]
    assert only(export(cloud, tmp_path, images=[image]))["status"] == "done"
    assert (tmp_path / f"{image}.raw").read_bytes() == DATA


def test_a_part_that_was_damaged_meanwhile_costs_one_more_download_and_no_wrong_file(tmp_path: Path) -> None:
    cloud = FakeImages()
    image = cloud.add(1, DATA)
    killed(cloud, tmp_path, image)
    part = tmp_path / f"{image}.raw.part"
    part.write_bytes(b"x" + part.read_bytes()[1:])
    told = only(export(cloud, tmp_path, images=[image]))
    assert (told["status"], told["http_statuses"], told["resumed_from"]) == ("done", [206, 200], 0)
    assert (tmp_path / f"{image}.raw").read_bytes() == DATA


@pytest.mark.parametrize("change", ["image", "digest", "size", "format", "nothing at all"])
def test_a_part_of_something_else_is_not_used(tmp_path: Path, change: str) -> None:
    cloud = FakeImages()
    image = cloud.add(1, DATA)
    killed(cloud, tmp_path, image)
    state = tmp_path / f"{image}.raw.part.json"
    noted = json.loads(state.read_text(encoding="utf-8"))
    state.write_text("{" if change == "nothing at all" else json.dumps({**noted, change: "another"}))
    told = only(export(cloud, tmp_path, images=[image]))
    assert (told["http_statuses"], told["resumed_from"]) == ([200], 0)
    assert (tmp_path / f"{image}.raw").read_bytes() == DATA


def test_a_whole_part_is_only_given_its_name(tmp_path: Path) -> None:
    cloud = FakeImages()
    image = cloud.add(1, DATA)
    killed(cloud, tmp_path, image)
    (tmp_path / f"{image}.raw.part").write_bytes(DATA)
    told = only(export(cloud, tmp_path, images=[image]))
    assert (told["status"], told["bytes"], told["resumed_from"], len(cloud.asked)) == ("done", 0, len(DATA), 1)


def test_an_answer_with_another_part_is_refused(tmp_path: Path) -> None:
    cloud = FakeImages()
    image = cloud.add(1, DATA)
    killed(cloud, tmp_path, image)
    found = model.image_of(cloud.images[image])
    assert model.total({"content-range": f"bytes 5-9/{len(DATA)}"}, 5, found) == ""
    for said in ("", "bytes 4-9/500000", "bytes 5-9/7", "lines 5-9/500000"):
        assert model.total({"content-range": said}, 5, found)


def test_a_file_of_somebody_else_stays_and_ours_is_mended(tmp_path: Path) -> None:
    cloud = FakeImages()
    image = cloud.add(1, DATA)
    path = tmp_path / f"{image}.raw"
    path.write_bytes(b"somebody's")
    assert "not as it was left" in export(cloud, tmp_path, images=[image]).failed
    assert path.read_bytes() == b"somebody's"
    assert only(export(cloud, tmp_path, images=[image], overwrite=True))["status"] == "done"
    kept = path.stat()
    path.write_bytes(b"x" + DATA[1:])  # the disk lost some; nobody changed it
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert not export(cloud, tmp_path, images=[image]).changed
    assert only(export(cloud, tmp_path, images=[image], check="read"))["status"] == "done"
    assert path.read_bytes() == DATA
    Path(f"{path}.scs.json").unlink()
    assert only(export(cloud, tmp_path, images=[image]))["checked_by"] == "read"
    assert only(export(cloud, tmp_path, images=[image]))["checked_by"] == "recorded"
    assert len(cloud.asked) == 2


def test_old_images_have_md5_and_that_is_said(tmp_path: Path) -> None:
    cloud = FakeImages()
    cloud.add(1, DATA, os_hash_algo=None, os_hash_value=None)
    result = export(cloud, tmp_path, images=["image 1"])
    assert (only(result)["weak"], only(result)["digest"][:4]) == (True, "md5:")
    assert "MD5" in result.warnings[0]


def test_who_is_asked_for(tmp_path: Path) -> None:
    cloud = FakeImages()
    first = cloud.add(1, DATA[:10], tags=["golden", "a"], os_distro="debian")
    second = cloud.add(2, DATA[:20], tags=["golden"], os_hidden=True)
    cloud.add(3, b"", tags=["golden"], size=None, status="queued", os_hash_value=None)
    listed = cloud.add(4, b"", tags=["golden"], block_device_mapping="[]")
    cloud.add(5, DATA[:30], owner="theirs", tags=["golden"])
    result = export(cloud, tmp_path, tags=["golden"])
    assert [one["id"] for one in result.values["results"]] == [first, second]
    assert [one["reason"][:20] for one in result.values["omitted"]] == ["it is queued, not ac", "it has no bytes of i"]
    assert listed in {one["id"] for one in result.values["omitted"]}
    only_one = export(cloud, tmp_path, tags=["golden"], properties={"os_distro": "debian"})
    assert [one["id"] for one in only_one.values["results"]] == [first]
    assert only(export(cloud, tmp_path, images=["image 5"]))["status"] == "done"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "No image is asked for"),
        ({"images": ["nobody"]}, "there is no image 'nobody'"),
        ({"images": ["twice"]}, "2 images are called 'twice'"),
        ({"images": ["image 3"]}, "it is queued"),
        ({"tags": ["t"], "file_name": "same"}, "would all be 'same'"),
        ({"images": ["../up"], "file_name": "{name}"}, "cannot be part of the name"),
        ({"images": ["image 4"], "file_name": "../{id}"}, "leads out"),
        ({"images": ["image 4"], "file_name": "{id}.part"}, "beside a file"),
        ({"images": ["image 4"], "max_parallel": 0}, "max_parallel is 0"),
        ({"images": ["image 4"], "max_rate": -1}, "max_rate is -1"),
    ],
)
def test_what_is_refused_before_anything_is_touched(tmp_path: Path, params: dict[str, Any], said: str) -> None:
    cloud, folder = FakeImages(), tmp_path / "out"
    cloud.add(1, DATA[:10], name="twice", tags=["t"])
    cloud.add(2, DATA[:10], name="twice", tags=["t"])
    cloud.add(3, b"", status="queued", size=None)
    cloud.add(4, DATA[:10])
    cloud.add(5, DATA[:10], name="../up")
    with pytest.raises(InputError, match=said):
        export(cloud, folder, **params)
    assert (cloud.asked, folder.exists()) == ([], False)


def test_room_is_looked_for_before_the_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud, folder = FakeImages(), tmp_path / "out"
    for number in range(3):
        cloud.add(number, DATA, tags=["t"])
    free = run._RESERVE + 3 * len(DATA) - 1
    monkeypatch.setattr(run.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": free})())
    with pytest.raises(LandscapeError, match=r"has 1\.4 MiB left, 1\.4 MiB are needed"):
        export(cloud, folder, tags=["t"])
    assert (cloud.asked, folder.exists()) == ([], False)
    free += 1
    assert export(cloud, folder, tags=["t"]).failed == ""


def test_two_processes_do_not_load_one_file(tmp_path: Path) -> None:
    cloud = FakeImages()
    image = cloud.add(1, DATA)
    with Target(str(tmp_path / f"{image}.raw")).held():
        assert "Another process loads" in export(cloud, tmp_path, images=[image]).failed
    assert cloud.asked == []
    assert export(cloud, tmp_path, images=[image]).failed == ""


def test_a_part_is_no_way_to_another_file(tmp_path: Path) -> None:
    cloud, folder = FakeImages(), tmp_path / "out"
    image = cloud.add(1, DATA)
    folder.mkdir()
    (tmp_path / "victim").write_bytes(b"precious")
    (folder / f"{image}.raw.part").symlink_to(tmp_path / "victim")
    assert "cannot be written" in export(cloud, folder, images=[image]).failed
    assert (tmp_path / "victim").read_bytes() == b"precious"


@pytest.mark.parametrize("size", [1, 4096, 65_536, 100_000, 3_000_000])
def test_zeroes_become_holes_wherever_pieces_end(tmp_path: Path, size: int) -> None:
    data = bytes(1_500_000) + DATA[:70_000] + bytes(1_000_000) + DATA[:3] + bytes(500_000)
    data = data if size > 1 else data[-600_000:]
    path = tmp_path / "sparse"
    file = Writer(str(path), 0)
    for at in range(0, len(data) // 2, size):
        file.write(data[at : min(at + size, len(data) // 2)])
    file.close()
    file = Writer(str(path), len(data) // 2)
    for at in range(len(data) // 2, len(data), size):
        file.write(data[at : at + size])
    file.close()
    assert path.read_bytes() == data
    assert path.stat().st_blocks * 512 <= 70_000 + 4 * 65_536


def test_the_rate_is_bounded_for_all_together() -> None:
    now, waited = [0.0], []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout)
            return False

    throttle = transfer.Throttle(1000.0, Stop(), clock=lambda: now[0])
    for _piece in range(3):
        throttle.take(500)
    assert waited == [0.5, 1.0, 1.5]
    now[0] = 10.0
    throttle.take(1000)
    assert waited[-1] == 1.0
    transfer.Throttle(0, Stop()).take(10**9)
    assert len(waited) == 4


def test_a_server_that_drips_is_left(tmp_path: Path) -> None:
    cloud = FakeImages()
    image = cloud.add(1, DATA)
    now = [0.0]

    def drip(pieces: Any) -> Any:
        for piece in pieces:
            for at in range(0, len(piece), 100):
                now[0] += 1
                yield piece[at : at + 100]

    cloud.spoil = dict.fromkeys(range(40), drip)
    item = run.items_of([model.image_of(cloud.images[image])], "{id}", run.Options(str(tmp_path)))[0]
    patience = transfer.Patience(60, clock=lambda: now[0])
    load = transfer.Download(cloud, item.image, item.target, item.meter, patience, transfer.Throttle(0, patience.stop))
    with pytest.raises(LandscapeError, match="less than 64 KiB came in 60 s"):
        load.run()
    assert now[0] < 1000
