# SPDX-License-Identifier: Apache-2.0
"""An import that is killed anywhere is finished by running it again: nothing twice, nothing left over, nothing seen too early."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import model
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.importing import Images, by_name, until

pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
#: Long enough for a program that competes with everything else on the machine.
PATIENCE = 300


@pytest.fixture
def images(cloud: Cloud, tmp_path: Path, request: pytest.FixtureRequest, seed: int) -> Images:
    return Images(cloud, tmp_path, f"{zlib.crc32(f'{request.node.name}{seed}'.encode()):08x}")


def kill(process: Any) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)


def finished(images: Images, wanted: list[dict[str, Any]]) -> None:
    """Every image is there once, as wanted, and there is nothing else."""
    there = images.there()
    assert {name: [one["status"] for one in ones] for name, ones in there.items()} == {
        one["name"]: ["active"] for one in wanted
    }
    for one in wanted:
        (image,) = there[one["name"]]
        assert image["visibility"] == one.get("visibility", "private")
        algorithm, _mark, value = one["digest"].partition(":")
        if algorithm == image["os_hash_algo"]:
            assert image["os_hash_value"] == value
    assert images.unfinished() == []
    assert until(lambda: images.orphans() == [], 60), images.orphans()


@pytest.mark.accept("O1.7")
def test_a_run_that_is_killed_anywhere_is_finished_by_the_next(images: Images, seed: int) -> None:
    chance = random.Random(seed)
    wanted = [
        images.image("plain", size=8_000_000, visibility="public"),
        images.image("slow", size=8_000_000, visibility="public", query={"rate": 4_000_000}),
        images.image("staged", size=8_000_000, stores=["fast", "slow"], visibility="community"),
        images.image("served", size=8_000_000, algorithm="sha512", visibility="public", query={"rate": 4_000_000}),
    ]
    for _round in range(6):
        began = time.time()
        process = images.start(wanted, max_parallel=2)
        # Importing Python's modules takes as long as it takes; the clock starts when the work does.
        assert until(lambda since=began: bool(recent(images, since)), PATIENCE)
        time.sleep(chance.uniform(0, 4))
        kill(process)
        seen = {one["name"]: one for ones in images.there().values() for one in ones if one["visibility"] != "private"}
        assert all(one["status"] == "active" for one in seen.values())
    result = images.run(wanted)
    assert result.failed == ""
    finished(images, wanted)
    assert images.run(wanted).changed is False


def recent(images: Images, since: float) -> list[Any]:
    return [one for one in images.cloud.access_log("glance") if one.at >= since]


@pytest.mark.accept("O1.7")
@pytest.mark.parametrize(
    "when", ["PUT", *(pytest.param(one, marks=pytest.mark.full) for one in ("POST /v2/images", "POST import"))]
)
def test_a_kill_right_after_a_request_leaves_nothing_that_stays(images: Images, when: str) -> None:
    """The moments in which the service has done something that the killed run cannot know yet."""
    stores = {"POST import": ["fast", "slow"], "PUT": ["fast"]}.get(when, [])
    wanted = [images.image(f"at{len(when)}", size=30_000_000, stores=stores, visibility="public")]
    began = time.time()
    process = images.start(wanted)
    name = wanted[0]["name"]
    if when == "PUT":
        # The bytes are on their way: the image is being saved, and the line breaks.
        assert until(lambda: any(one["status"] == "saving" for one in images.there().get(name, [])), PATIENCE)
    else:
        path = "/import" if when == "POST import" else "/v2/images"
        assert until(lambda: any(r.method == "POST" and r.path.endswith(path) for r in recent(images, began)), PATIENCE)
    kill(process)
    result = images.run(wanted)
    assert result.failed == ""
    finished(images, wanted)


@pytest.mark.accept("O1.7")
def test_a_run_that_still_lives_is_not_disturbed(images: Images) -> None:
    wanted = [images.image("alive", size=8_000_000, query={"rate": 500_000}, method="web-download", algorithm="sha512")]
    process = images.start(wanted)
    name = wanted[0]["name"]
    assert until(lambda: name in images.there(), PATIENCE)
    told = by_name(images.run(wanted))["alive"]
    assert "is being imported" in told["message"]
    out, err = process.communicate(timeout=PATIENCE)
    assert json.loads(out)["results"][0]["status"] == "done", err
    finished(images, wanted)


@pytest.mark.accept("O1.7")
def test_two_controllers_that_begin_at_once_make_each_image_once(images: Images, tmp_path: Path) -> None:
    """Neither sees anything of the other when it plans; each is a process of a machine of its own."""
    rate = {"rate": 4_000_000}
    wanted = [
        images.image("plain", visibility="public", query=rate),
        images.image("staged", stores=["fast", "slow"], visibility="community"),
        images.image("served", algorithm="sha512", visibility="public", query=rate),
        images.image("fixed", id=model.new_id(), visibility="public"),
        *(images.image(f"quick{number}", size=300_000) for number in range(4)),
    ]
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    caches = [str(tmp_path / host) for host in ("here", "there")]
    began = time.time()
    runs = [
        images.start(wanted, Path(cache).name, meeting, cache_dir=cache, max_parallel=len(wanted)) for cache in caches
    ]
    told = []
    for process in runs:
        out, err = process.communicate(timeout=PATIENCE)
        assert out, err
        told.append({one["name"]: one for one in json.loads(out)["results"]})
    made = [r for r in recent(images, began) if (r.method, r.path, r.status) == ("POST", "/v2/images", 201)]
    assert len(made) > len(wanted), "one of them found what the other had made, so they did not begin at once"
    for one in wanted:
        states = [results[one["name"]]["status"] for results in told]
        assert {"done", "present"} & set(states), told
        # Who has not made it says that somebody else does or did.
        for results in told:
            if results[one["name"]]["status"] == "failed":
                assert re.search("another run|is being imported|is taken", results[one["name"]]["message"])
    finished(images, wanted)
    again = images.run(wanted)
    assert (again.failed, again.changed) == ("", False)
