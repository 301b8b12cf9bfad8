# SPDX-License-Identifier: Apache-2.0
"""Imports from the cache beside a plain PUT of the same bytes to the same Glance, and many at once beside one by one."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.importing import Images
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane

pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
SIZE = 512 * 1024 * 1024
ROUNDS = 3
MIN_RATE, MIN_SPEEDUP = 0.85, 2.0
MAX_MEMORY = 150 * 1024 * 1024
MANY = 20


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """A cloud of its own: nobody else's requests are measured."""
    found = Cloud(lane("bench-images"), profile="image")
    found.down()
    found.up()
    yield found
    found.down()


@pytest.fixture
def images(cloud: Cloud, tmp_path: Path) -> Images:
    return Images(cloud, tmp_path, uuid.uuid4().hex[:8])


def token(cloud: Cloud) -> str:
    entry = json.loads(cloud.clouds_yaml.read_text(encoding="utf-8"))["clouds"]["admin"]["auth"]
    user = {"name": entry["username"], "domain": {"name": "Default"}, "password": entry["password"]}
    scope = {"project": {"name": entry["project_name"], "domain": {"name": "Default"}}}
    identity = {"methods": ["password"], "password": {"user": user}}
    body = json.dumps({"auth": {"identity": identity, "scope": scope}})
    line = http.client.HTTPConnection("127.0.0.1", 5000, timeout=60)
    line.request("POST", "/v3/auth/tokens", body, {"Content-Type": "application/json"})
    reply = line.getresponse()
    reply.read()
    line.close()
    return str(reply.headers["X-Subject-Token"])


def ask(method: str, path: str, body: Any, headers: dict[str, str]) -> int:
    line = http.client.HTTPConnection("127.0.0.1", 9292, timeout=600, blocksize=1 << 20)
    line.request(method, path, body, headers)
    reply = line.getresponse()
    reply.read()
    line.close()
    return reply.status


def plain_put(cloud: Cloud, path: Path) -> float:
    """Seconds for the bytes alone, as any HTTP client sends them: a new image, then the time of its PUT."""
    with cloud.inside():
        identifier, headers = str(uuid.uuid4()), {"X-Auth-Token": token(cloud)}
        image = {"id": identifier, "name": "plain", "disk_format": "raw", "container_format": "bare"}
        kind = {"Content-Type": "application/json"}
        assert ask("POST", "/v2/images", json.dumps(image), {**headers, **kind}) == 201
        kind = {"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)}
        with open(path, "rb") as stream:
            began = time.monotonic()
            assert ask("PUT", f"/v2/images/{identifier}/file", stream, {**headers, **kind}) == 204
            took = time.monotonic() - began
        ask("DELETE", f"/v2/images/{identifier}", None, headers)
    return took


@pytest.mark.accept("O1.15")
def test_imports_from_the_cache_are_as_fast_as_a_plain_put(images: Images) -> None:
    one = images.image("large", size=SIZE)
    assert images.run([one]).failed == ""  # fills the cache
    (path,) = [entry for entry in (images.folder / "cache").iterdir() if "." not in entry.name]
    ratios, memory = [], 0
    for number in range(ROUNDS):
        bare = plain_put(images.cloud, path)
        process = images.start([{**one, "name": f"again{number}-{images.seed}"}])
        out, err = process.communicate(timeout=1800)
        told = json.loads(out)["results"][0]
        assert told["status"] == "done", err
        ratios.append(bare / told["seconds"])
        memory = max(memory, json.loads(out)["peak_memory"])
        images.cloud.run([str(images.cloud.python), "-c", _DELETE, told["id"]], check=True, env=dict(os.environ))
    ratio = statistics.median(ratios)
    print(
        f"\nfrom the cache: {ratio:.2f} of a plain PUT ({', '.join(f'{r:.2f}' for r in ratios)}),"
        f" peak memory {memory / 2**20:.0f} MiB"
    )
    assert memory <= MAX_MEMORY
    assert ratio >= MIN_RATE


_DELETE = "import sys, openstack; openstack.connect(cloud='admin').image.delete_image(sys.argv[1])"


@pytest.mark.accept("O1.15")
def test_twenty_images_four_at_once_are_twice_as_fast_as_one_by_one(images: Images) -> None:
    """As from the world: every mirror sends with a bounded rate, and waiting for many is not longer than for one."""

    def many(name: str) -> list[dict[str, Any]]:
        return [images.image(f"{name}{number}", size=4_000_000, query={"rate": 2_000_000}) for number in range(MANY)]

    took = {}
    for name, limit in (("single", 1), ("four", 4)):
        began = time.monotonic()
        result = images.run(many(name), max_parallel=limit)
        took[name] = time.monotonic() - began
        assert result.failed == ""
    print(
        f"\n{MANY} images: one by one {took['single']:.1f} s, four at once {took['four']:.1f} s,"
        f" {took['single'] / took['four']:.1f} times as fast"
    )
    assert took["single"] / took["four"] >= MIN_SPEEDUP
