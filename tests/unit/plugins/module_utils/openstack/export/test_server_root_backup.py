# SPDX-License-Identifier: Apache-2.0
"""Root disks of servers: an image by Nova, a file, and no image afterwards, whatever happens; on a cloud in memory."""

from __future__ import annotations

import datetime
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import model as clouds
from ansible_collections.scs.landscape.plugins.module_utils.openstack.export import nova, roots, target, transfer
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import owner
from ansible_collections.scs.landscape.plugins.modules import server_root_backup
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.export.fake_images import (
    PIECE,
    FakeImages,
    Killed,
    cut,
    flip,
)

NOW = datetime.datetime(2026, 11, 22, 5, tzinfo=datetime.timezone.utc)
RUN = "2026-11-22"
#: A process of this machine that is gone.
GONE = "somewhere/else/1 1 1 1"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer.Patience, "wait", lambda *_given: None)
    init = nova.Roots.__init__

    def quick(self: nova.Roots, *given: Any, **more: Any) -> None:
        now = [0.0]
        init(self, *given, **more, clock=lambda: now[0], sleep=lambda s: now.__setitem__(0, now[0] + s))

    monkeypatch.setattr(nova.Roots, "__init__", quick)


def back_up(cloud: FakeImages, folder: Path, check_mode: bool = False, **params: Any) -> Result:
    checked = ArgumentSpecValidator(server_root_backup.ARGUMENTS).validate({"dest": str(folder), **params})
    assert not checked.error_messages, checked.error_messages
    given = checked.validated_parameters
    return server_root_backup.main(given, check_mode, connect=lambda *_a, **_k: cloud, now=lambda: NOW)


def bytes_of(server: str) -> bytes:
    return hashlib.shake_256(server.encode()).digest(3 * PIECE)


def made(cloud: FakeImages) -> int:
    return sum(path.endswith("/action") for method, path in cloud.writes if method == "POST")


def test_a_root_disk_is_backed_up_once_and_nothing_of_it_stays_in_the_cloud(tmp_path: Path) -> None:
    cloud, folder = FakeImages(), tmp_path / "out"
    server = cloud.server(1, name="shop", flavor={"disk": 1, "ephemeral": 2, "swap": 512})
    checked = back_up(cloud, folder, check_mode=True, servers=["shop"])
    assert (checked.changed, cloud.writes, folder.exists()) == (True, [], False)
    assert checked.values["results"][0]["status"] == "planned"
    result = back_up(cloud, folder, servers=["shop"])
    (told,) = result.values["results"]
    assert (result.failed, result.steps_done, told["status"], told["level"]) == ("", 1, "done", "crash")
    assert checked.plan.digest == result.plan.digest
    assert "3 GiB of other local disks" in result.warnings[0]
    path = folder / f"{server}-{RUN}.raw"
    assert told["path"] == str(path)
    assert path.read_bytes() == bytes_of(server)
    assert cloud.images == {}
    assert told["import"] == {
        "name": f"shop {RUN}",
        "file": str(path),
        "digest": f"sha512:{hashlib.sha512(bytes_of(server)).hexdigest()}",
        "disk_format": "raw",
        "container_format": "bare",
        "properties": {"hw_disk_bus": "virtio"},
    }
    found = roots.newest(target.records(str(folder)), server)
    assert found is not None
    assert (found[0], found[1]["server"]["run"], found[1]["server"]["name"]) == (str(path), RUN, "shop")
    again = back_up(cloud, folder, servers=["shop"])
    assert (again.changed, again.values["results"][0]["status"], made(cloud)) == (False, "present", 1)
    assert again.values["results"][0]["import"] == told["import"]
    assert back_up(cloud, folder, servers=[server], run_id="before the upgrade").changed
    assert (folder / f"{server}-before-the-upgrade.raw").exists()
    path.unlink()
    assert back_up(cloud, folder, servers=["shop"]).changed


def test_servers_that_have_no_such_disk_are_refused_or_left_out(tmp_path: Path) -> None:
    cloud = FakeImages()
    local = cloud.server(1, status="SHUTOFF", metadata={"backup": "yes"})
    cloud.server(2, name="db", image="", metadata={"backup": "yes"})
    cloud.server(3, name="away", status="SHELVED_OFFLOADED")
    cloud.server(4, name="busy")
    with pytest.raises(InputError, match=r"db .*is a volume: use volume_backup_run") as refused:
        back_up(cloud, tmp_path, servers=["db", "away", local])
    assert "SHELVED_OFFLOADED" in str(refused.value)
    with pytest.raises(InputError, match="shut it off"):
        back_up(cloud, tmp_path, servers=["busy"], consistency="quiesce_required")
    assert cloud.writes == []
    result = back_up(cloud, tmp_path, metadata={"backup": "yes"}, consistency="quiesce_required")
    assert [(one["server"], one["level"]) for one in result.values["results"]] == [(local, "quiesced")]
    assert [one["name"] for one in result.values["omitted"]] == ["db"]
    everything = back_up(cloud, tmp_path, all_servers=True, run_id="all")
    assert sorted(one["name"] for one in everything.values["results"]) == ["busy", "server 1"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "No server is asked for"),
        ({"servers": ["nobody"]}, "there is no server 'nobody'"),
        ({"servers": ["twice"]}, "2 servers are called 'twice'"),
        ({"servers": ["twice"], "file_name": "{server}.{format}"}, "{run} must be in it"),
        ({"all_servers": True, "run_id": "r" * 250}, "no name for a run"),
    ],
)
def test_what_is_refused(tmp_path: Path, params: dict[str, Any], said: str) -> None:
    cloud = FakeImages()
    cloud.server(1, name="twice")
    cloud.server(2, name="twice")
    with pytest.raises(InputError, match=said.replace("{", r"\{").replace("}", r"\}")):
        back_up(cloud, tmp_path, **params)
    assert cloud.writes == []


@pytest.mark.parametrize("spoil", [flip(1), cut(1, clouds.CloudError("gone", status=404))], ids=["flip", "gone"])
def test_whatever_ends_it_the_image_goes_and_no_part_stays(tmp_path: Path, spoil: Any) -> None:
    cloud, folder = FakeImages(), tmp_path / "out"
    bad, good = cloud.server(1), cloud.server(2)
    cloud.spoil = {0: spoil}
    result = back_up(cloud, folder, servers=[bad, good], max_parallel=1)
    assert [one["status"] for one in result.values["results"]] == ["failed", "done"]
    assert cloud.images == {}
    assert sorted(one.name for one in folder.iterdir()) == [f"{good}-{RUN}.raw", f"{good}-{RUN}.raw.scs.json"]


def test_an_image_that_nova_gives_up_or_never_ends(tmp_path: Path) -> None:
    cloud = FakeImages()
    server = cloud.server(1)
    cloud.slow = 10**6
    assert "is not there after 30 s" in back_up(cloud, tmp_path, servers=[server], timeout=30).failed
    assert cloud.images == {}
    create = cloud._create_image

    def lost(one: str, wanted: dict[str, Any]) -> clouds.Answer:
        answer = create(one, wanted)
        cloud.images.clear()
        return answer

    cloud._create_image = lost
    assert "Nova gave up the image" in back_up(cloud, tmp_path, servers=[server]).failed


def test_a_server_that_is_being_copied_is_waited_for_and_not_for_ever(tmp_path: Path) -> None:
    cloud = FakeImages()
    server = cloud.server(1)
    cloud.busy = 3
    assert back_up(cloud, tmp_path, servers=[server]).failed == ""
    assert made(cloud) == 2
    cloud.busy = 10**6
    assert "makes no image of it now" in back_up(cloud, tmp_path, servers=[server], run_id="r", timeout=60).failed
    assert (made(cloud), cloud.images) == (3, {})


@pytest.mark.parametrize(("lost", "requests"), [([True], 1), ([False], 2), ([False] * 3, 3)])
def test_an_answer_that_is_lost_makes_no_second_image(tmp_path: Path, lost: list[bool], requests: int) -> None:
    cloud = FakeImages()
    server = cloud.server(1)
    cloud.lost = list(lost)
    result = back_up(cloud, tmp_path, servers=[server])
    assert made(cloud) == requests
    assert bool(result.failed) == (len(lost) > 1)
    assert cloud.images == {}


def leave(cloud: FakeImages, server: str, run: str, mark: str = GONE, **more: Any) -> str:
    """What a killed run leaves of a server."""
    name = roots.name_of(run, server)
    root = roots.root_of(next(one for one in cloud.servers if one["id"] == server))
    marks = {**roots.marks(root, run, mark), "instance_uuid": server, **more}
    return cloud.add(len(cloud.images) + 300, bytes_of(server), name=name, **marks)


def test_a_killed_run_goes_on_with_its_image_and_its_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = FakeImages()
    server = cloud.server(1)
    cloud.spoil = {0: cut(2, Killed())}
    with monkeypatch.context() as patched:
        patched.setattr(nova.Roots, "_let_go", lambda *_given: None)
        with pytest.raises(Killed):
            back_up(cloud, tmp_path, servers=[server])
    assert len(cloud.images) == 1
    for left in cloud.images.values():
        left[roots.OWNER] = GONE
    result = back_up(cloud, tmp_path, servers=[server])
    (told,) = result.values["results"]
    assert (told["resumed"], told["resumed_from"], told["http_statuses"]) == (True, 2 * PIECE, [206])
    assert (made(cloud), cloud.images) == (1, {})


def test_what_killed_runs_left_goes_and_what_others_need_stays(tmp_path: Path) -> None:
    cloud = FakeImages()
    server, other = cloud.server(1), cloud.server(2)
    old = leave(cloud, server, "2026-11-01")
    working = leave(cloud, other, "elsewhere", "another/host/1 1 1 1", updated_at=datetime.datetime.now().isoformat())
    copies = [
        leave(cloud, server, "2026-11-01", instance_uuid="another server"),  # of a server that booted from one of ours
        cloud.add(900, b"x", name=roots.name_of("r", server)),  # only called so
        cloud.add(901, b"x", scs_landscape_kind="root", name="golden"),
    ]
    checked = back_up(cloud, tmp_path, check_mode=True, servers=[server])
    assert checked.values["orphans"] == [old]
    assert old in cloud.images
    result = back_up(cloud, tmp_path, servers=[server])
    assert (result.values["orphans"], result.steps_done) == ([old], 2)
    assert set(cloud.images) == {working, *copies}


def test_another_process_of_the_same_run_is_not_disturbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = FakeImages()
    server = cloud.server(1)
    image = leave(cloud, server, RUN)
    monkeypatch.setattr(owner, "lives", lambda *_given, **_more: True)
    result = back_up(cloud, tmp_path, servers=[server])
    assert "another process works on its image" in result.failed
    assert (list(cloud.images), made(cloud)) == ([image], 0)


def test_marks_do_not_reach_what_is_imported_again(tmp_path: Path) -> None:
    cloud = FakeImages()
    server = cloud.server(1)
    back_up(cloud, tmp_path, servers=[server])
    noted = json.loads((tmp_path / f"{server}-{RUN}.raw.scs.json").read_text(encoding="utf-8"))
    assert noted["about"]["properties"][roots.OWNER]
    image = roots.recorded(noted)
    assert image is not None
    assert not [key for key in roots.importable(image, "f", noted["server"])["properties"] if "scs_landscape" in key]
    assert roots.recorded({**noted, "digest": "damaged"}) is None


def test_a_server_that_is_started_meanwhile_is_not_called_quiesced(tmp_path: Path) -> None:
    cloud = FakeImages()
    off = [cloud.server(number, status="SHUTOFF") for number in (1, 2)]
    cloud.starts = True
    (told,) = back_up(cloud, tmp_path, servers=off[:1]).values["results"]
    assert (told["status"], told["level"]) == ("done", "crash")
    result = back_up(cloud, tmp_path, servers=off[1:], consistency="quiesce_required")
    assert "quiesce_required was not kept: the server is ACTIVE" in result.failed
    assert cloud.images == {}


def test_an_image_of_a_running_server_is_not_called_quiesced_when_a_later_start_finds_it_off(tmp_path: Path) -> None:
    cloud = FakeImages()
    server = cloud.server(1)
    name = roots.name_of("night", server)
    root = roots.root_of(cloud.servers[0])
    cloud.add(7, bytes_of(server), name=name, instance_uuid=server, **roots.marks(root, "night", GONE))
    cloud.servers[0]["status"] = "SHUTOFF"
    (told,) = back_up(cloud, tmp_path, servers=[server], run_id="night").values["results"]
    assert (told["resumed"], told["level"], made(cloud)) == (True, "crash", 0)
