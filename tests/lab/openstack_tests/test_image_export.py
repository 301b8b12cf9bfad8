# SPDX-License-Identifier: Apache-2.0
"""Images that are downloaded from a real Glance: killed at half and gone on with, from a store that cannot, over a line that lies."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.openstack_tests.importing import until
from ansible_collections.scs.landscape.tests.lab.proxy import FaultProxy, Rule

pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
GLANCE = "http://127.0.0.1:9292"
MIB = 1024 * 1024
#: Long enough for a program that competes with everything else on the machine.
PATIENCE = 300


class Shelf:
    """Images of one test, whose bytes the test knows."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk, self._chance = desk, random.Random(seed)
        self.ids: list[str] = []
        self.bytes: dict[str, bytes] = {}

    def put(self, name: str, mib: int, holes: int = 0, **more: Any) -> str:
        """A new image of the member's: random bytes, and MiB of zeroes in the middle."""
        half = self._chance.randbytes((mib - holes) * MIB // 2)
        data = half + bytes(holes * MIB) + half
        body = {"name": name, "disk_format": "raw", "container_format": "bare", **more}
        kind = {"Content-Type": "application/octet-stream"}
        with self.desk.session() as cloud:
            made = str(cloud.call("image", "POST", "/images", json=body).body["id"])
            self.ids.append(made)
            cloud.call("image", "PUT", f"/images/{made}/file", data=data, headers=kind)
        self.bytes[made] = data
        return made

    def asked(self, identifier: str, since: float) -> list[int]:
        """What Glance answered to requests for the bytes of an image, as its own log has it."""
        path = f"/v2/images/{identifier}/file"
        log = self.desk.cloud.access_log("glance")
        return [one.status for one in log if one.at >= since and (one.method, one.path) == ("GET", path)]

    def is_whole(self, path: Path, identifier: str) -> bool:
        return path.read_bytes() == self.bytes[identifier]


@pytest.fixture
def shelf(cloud: Cloud, tmp_path: Path, seed: int) -> Iterator[Shelf]:
    desk = Desk(cloud, tmp_path, "member")
    found = Shelf(desk, seed)
    yield found
    with desk.session() as session:
        for one in found.ids:
            session.call("image", "DELETE", f"/images/{one}", accept=(404,))


def only(result: Any) -> dict[str, Any]:
    (found,) = result.values["results"]
    return dict(found)


def beside(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir()) if folder.exists() else []


def kill_at_half(shelf: Shelf, folder: Path, identifier: str) -> int:
    """Starts an export and kills it when half of the bytes are there; how many they are."""
    half = len(shelf.bytes[identifier]) // 2
    part = folder / f"{identifier}.raw.part"
    process = shelf.desk.start("image_export", images=[identifier], dest=str(folder), max_rate=8)
    try:
        assert until(lambda: part.exists() and part.stat().st_size >= half, PATIENCE), process.poll()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
    return part.stat().st_size


@pytest.mark.accept("B1.12")
def test_killed_at_half_it_goes_on_and_a_store_that_cannot_and_a_line_that_lies_are_met(
    shelf: Shelf, tmp_path: Path
) -> None:
    image, folder = shelf.put("half", 12, holes=4), tmp_path / "out"
    path = folder / f"{image}.raw"
    there = kill_at_half(shelf, folder, image)
    assert not path.exists()
    again = since = time.time()
    told = only(shelf.desk.run("image_export", images=["half"], dest=str(folder)))
    assert told["status"] == "done"
    assert shelf.asked(image, since) == told["http_statuses"] == [206]
    assert told["resumed_from"] == there
    assert told["bytes"] == len(shelf.bytes[image]) - there
    assert told["digest"] == f"sha512:{hashlib.sha512(shelf.bytes[image]).hexdigest()}"
    assert shelf.is_whole(path, image)
    assert told["on_disk"] <= len(shelf.bytes[image]) - 3 * MIB
    assert beside(folder) == [path.name, f"{path.name}.scs.json"]
    # One bit is another one on the way: no file, and nothing that could be gone on with.
    bent = tmp_path / "bent"
    rules = [Rule("flip", method="GET", path="/file", at=3 * MIB)]
    with FaultProxy(GLANCE, rules, seed=1, namespace=shelf.desk.cloud.namespace) as proxy:
        shelf.desk.clouds = shelf.desk.cloud.proxied(tmp_path / "clouds.yaml", glance=proxy.url)
        result = shelf.desk.run("image_export", images=[image], dest=str(bent))
    assert only(result)["status"] == "failed"
    assert "other bytes came" in result.failed
    assert beside(bent) == []
    assert shelf.asked(image, again)[-1] == 200


@pytest.mark.full
@pytest.mark.accept("B1.12")
def test_a_store_that_gives_no_parts_is_read_from_the_beginning(shelf: Shelf, tmp_path: Path) -> None:
    image, folder = shelf.put("no parts", 16), tmp_path / "out"
    kill_at_half(shelf, folder, image)
    rules = [Rule(400, method="GET", path="/file", times=1)]
    with FaultProxy(GLANCE, rules, seed=1, namespace=shelf.desk.cloud.namespace) as proxy:
        shelf.desk.clouds = shelf.desk.cloud.proxied(tmp_path / "clouds.yaml", glance=proxy.url)
        told = only(shelf.desk.run("image_export", images=[image], dest=str(folder)))
    assert (told["status"], told["http_statuses"], told["resumed_from"]) == ("done", [400, 200], 0)
    assert told["bytes"] == len(shelf.bytes[image])
    assert shelf.is_whole(folder / f"{image}.raw", image)


@pytest.mark.full
@pytest.mark.accept("B1.12", "B1.19")
def test_a_line_that_breaks_and_a_service_that_is_busy_only_cost_time(shelf: Shelf, tmp_path: Path, seed: int) -> None:
    for number in range(6):
        shelf.put(f"faulty {number}", 8, tags=["faulty"])
    rules = [
        Rule(503, method="GET", path="/file", skip=1, times=1),
        Rule("truncate", method="GET", path="/file", skip=1, every=2, times=3),
        Rule("cut", method="GET", path="/file", skip=2, times=1),
        Rule(429, method="GET", percent=5),
    ]
    with FaultProxy(GLANCE, rules, seed=seed, namespace=shelf.desk.cloud.namespace) as proxy:
        shelf.desk.clouds = shelf.desk.cloud.proxied(tmp_path / "clouds.yaml", glance=proxy.url)
        result = shelf.desk.run("image_export", tags=["faulty"], dest=str(tmp_path / "out"), max_parallel=3)
    assert result.failed == ""
    assert [rule.acted for rule in rules[:3]] == [1, 3, 1]
    statuses = [status for one in result.values["results"] for status in one["http_statuses"]]
    assert 206 in statuses
    for one in result.values["results"]:
        assert shelf.is_whole(Path(one["path"]), one["id"])


@pytest.mark.full
@pytest.mark.accept("B1.12", "B1.17")
def test_check_mode_reads_only_and_a_foreign_file_stays(shelf: Shelf, tmp_path: Path) -> None:
    image, folder, since = shelf.put("checked", 2), tmp_path / "out", time.time()
    checked = shelf.desk.run("image_export", check_mode=True, images=["checked"], dest=str(folder))
    assert (only(checked)["status"], checked.changed, folder.exists()) == ("planned", True, False)
    assert shelf.asked(image, since) == []
    assert shelf.desk.cloud.writes("glance", since) == []
    folder.mkdir()
    (folder / f"{image}.raw").write_bytes(b"somebody's")
    refused = shelf.desk.run("image_export", images=["checked"], dest=str(folder))
    assert "not as it was left" in refused.failed
    assert (folder / f"{image}.raw").read_bytes() == b"somebody's"
    result = shelf.desk.run("image_export", images=["checked"], dest=str(folder), overwrite=True)
    assert only(result)["status"] == "done"
    assert shelf.is_whole(folder / f"{image}.raw", image)
    since = time.time()
    assert not shelf.desk.run("image_export", images=[image], dest=str(folder)).changed
    assert shelf.asked(image, since) == []
    noted = json.loads((folder / f"{image}.raw.scs.json").read_text(encoding="utf-8"))
    assert (noted["image"], noted["digest"]) == (image, only(result)["digest"])


@pytest.mark.full
@pytest.mark.accept("B1.12")
def test_what_was_exported_can_be_imported_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put("there and back", 4, holes=2, os_distro="debian")
    told = only(shelf.desk.run("image_export", images=["there and back"], dest=str(tmp_path / "out")))
    noted = json.loads(Path(told["record"]).read_text(encoding="utf-8"))
    assert noted["about"]["properties"]["os_distro"] == "debian"
    entry = {"name": "back", "file": told["path"], "digest": told["digest"], "disk_format": "raw"}
    result = shelf.desk.run("image_import", images=[entry], cache_dir=str(tmp_path / "cache"))
    assert result.failed == ""
    shelf.ids.append(result.values["results"][0]["id"])
    assert result.values["results"][0]["verified"]["hash"] == told["digest"]
