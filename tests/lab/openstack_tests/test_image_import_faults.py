# SPDX-License-Identifier: Apache-2.0
"""Imports through a line that loses requests, with tokens that end, and without a secret in what is said and left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from keystoneauth1.identity.base import BaseIdentityPlugin

from ansible_collections.scs.landscape.plugins.module_utils.core import stream
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud, config
from ansible_collections.scs.landscape.tests.lab.openstack_tests.importing import Images, by_name
from ansible_collections.scs.landscape.tests.lab.proxy import FaultProxy, Rule, one_in_twenty
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane

pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
GLANCE, KEYSTONE = "http://127.0.0.1:9292", "http://127.0.0.1:5000"


@pytest.fixture
def images(cloud: Cloud, tmp_path: Path, request: pytest.FixtureRequest, seed: int) -> Images:
    return Images(cloud, tmp_path, f"{zlib.crc32(f'{request.node.name}{seed}'.encode()):08x}")


def mixture(images: Images, count: int) -> list[dict[str, object]]:
    """Images that take every way."""
    kinds: list[dict[str, object]] = [
        {"visibility": "public", "properties": {"os_distro": "debian"}},
        {"stores": ["fast", "slow"]},
        {"algorithm": "sha512", "visibility": "community"},
    ]
    return [images.image(f"m{number}", size=1_000_000, **kinds[number % 3]) for number in range(count)]


@pytest.mark.accept("O1.11")
def test_five_percent_of_planted_faults_leave_no_trace(images: Images, seed: int, tmp_path: Path) -> None:
    wanted = mixture(images, 12)
    chance = one_in_twenty(seed)
    faults = [
        *chance,
        # So few requests may pass that chance alone would plant nothing where it hurts most.
        Rule("cut", method="POST", path="/v2/images$", skip=2, times=1, late=True),
        Rule("cut", method="PATCH", skip=1, times=1, late=True),
        Rule("cut", method="POST", path="/import", skip=1, times=1, late=True),
        Rule(503, method="PUT", path="/file", skip=1, times=1),
        Rule(429, method="PUT", path="/file", skip=2, times=1),
        Rule(429, method="PUT", path="/stage", skip=1, times=1),
    ]
    inside = images.cloud.namespace
    with FaultProxy(GLANCE, faults, seed=seed, namespace=inside) as glance:
        with FaultProxy(KEYSTONE, [Rule(503, every=2, times=3)], seed=seed, namespace=inside) as keystone:
            images.clouds = images.cloud.proxied(tmp_path / "clouds.yaml", glance=glance.url, keystone=keystone.url)
            result = images.run(wanted)
            assert result.failed == ""
            again = images.run(wanted)
    # All that was to hit one certain request did, and so did chance.
    assert [rule for rule in faults if rule.times and rule.acted != 1] == []
    assert sum(rule.acted for rule in chance) >= 2, glance.count()
    assert sum(rule.acted for rule in keystone.rules) >= 1
    assert again.changed is False
    there = images.there()
    assert {name: len(ones) for name, ones in there.items()} == {str(one["name"]): 1 for one in wanted}
    for one in wanted:
        (image,) = there[str(one["name"])]
        assert (image["status"], image["visibility"]) == ("active", one.get("visibility", "private"))
    assert images.unfinished() == []


@pytest.mark.accept("O1.11")
def test_a_bit_that_flips_on_the_way_is_found_and_the_image_sent_again_or_removed(
    images: Images, tmp_path: Path
) -> None:
    wanted = [images.image("bent", visibility="public")]
    rules = [Rule("flip", method="PUT", path="/file", at=1_000_000, upload=True)]
    with FaultProxy(GLANCE, rules, seed=1, namespace=images.cloud.namespace) as glance:
        images.clouds = images.cloud.proxied(tmp_path / "clouds.yaml", glance=glance.url)
        told = by_name(images.run(wanted))["bent"]
    assert told["status"] == "failed"
    assert "other bytes" in told["message"]
    assert images.there() == {}


@pytest.mark.accept("O1.14")
def test_a_token_that_is_refused_in_the_middle_is_renewed(images: Images, tmp_path: Path) -> None:
    wanted = [images.image("renewed", visibility="public"), images.image("staged", stores=["fast", "slow"])]
    rules = [
        Rule(401, method="PUT", path="/file", times=1),
        Rule(401, method="PUT", path="/stage", times=1),
        Rule(401, method="PATCH", times=1),
        Rule(401, method="POST", path="/import", times=1),
    ]
    with FaultProxy(GLANCE, rules, seed=1, namespace=images.cloud.namespace) as glance:
        images.clouds = images.cloud.proxied(tmp_path / "clouds.yaml", glance=glance.url)
        result = images.run(wanted)
    assert result.failed == ""
    assert {len(ones) for ones in images.there().values()} == {1}
    assert [one["visibility"] for one in images.there()[wanted[0]["name"]]] == ["public"]


#: Seconds that a token lives in a cloud of its own, and that bytes are on their way there.
LIFE, ON_THE_WAY = 20, 32
BRIEF: dict[str, config.Sections] = {
    "keystone/keystone.conf": {"token": {"expiration": LIFE}},
    # Glance would log in for each of the many looks at its limits: no library keeps a token that ends so soon.
    "glance/glance-api.conf": {"DEFAULT": {"use_keystone_limits": False}},
}


@pytest.mark.accept("O1.14")
def test_a_token_may_end_while_the_bytes_are_on_their_way(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = Cloud(lane("token"), profile="image", settings=BRIEF)
    brief.down()
    try:
        brief.up()
        images = Images(brief, tmp_path, f"{seed % 100000}t")
        read = stream.Metered.read

        def slowly(self: stream.Metered, size: int = -1) -> bytes:
            piece = read(self, size)
            time.sleep(ON_THE_WAY * len(piece) / len(self))
            return piece

        monkeypatch.setattr(stream.Metered, "read", slowly)
        # The library gives away a token two minutes before its end; then these would be good for one request each.
        monkeypatch.setattr(BaseIdentityPlugin, "MIN_TOKEN_LIFE_SECONDS", 5)
        issued: list[tuple[float, str]] = []
        monkeypatch.setattr(client.Cloud, "login", noting(client.Cloud.login, issued))
        wanted = [
            images.image("late", size=4_000_000, visibility="public"),
            images.image("staged", size=4_000_000, stores=["fast", "slow"]),
        ]
        result = images.run(wanted, stall_timeout=120, max_parallel=2)
        assert result.failed == ""
        sent = [one for one in brief.access_log("glance") if one.method == "PUT"]
        assert sorted(one.path.rpartition("/")[2] for one in sent) == ["file", "stage"]
        for one in sent:
            began, token = next(found for found in reversed(issued) if found[0] <= one.at + 1)
            assert one.at + one.seconds > began + LIFE + 2, "its token did not end on the way"
            assert refused(brief, token)
        there = {name.partition("-")[0]: image for name, (image,) in images.there().items()}
        assert {name: (image["status"], image["visibility"]) for name, image in there.items()} == {
            "late": ("active", "public"),
            "staged": ("active", "private"),
        }
        assert images.unfinished() == []
        assert not images.run(wanted).changed
    finally:
        brief.down()


def noting(login: Callable[[client.Cloud], None], issued: list[tuple[float, str]]) -> Callable[[client.Cloud], None]:
    """The same login; when each token was first had, and the token."""

    def noted(cloud: client.Cloud) -> None:
        login(cloud)
        token = str(cloud.connection.session.get_token())
        if all(token != known for _at, known in issued):
            issued.append((time.time(), token))

    return noted


def refused(cloud: Cloud, token: str) -> bool:
    """Whether Keystone itself says that a token is none any more."""
    code = (
        "import sys, urllib.request, urllib.error\n"
        "ask = urllib.request.Request(sys.argv[1] + '/v3/auth/tokens', headers={'X-Auth-Token': sys.argv[2],"
        " 'X-Subject-Token': sys.argv[2]})\n"
        "try: print(urllib.request.urlopen(ask, timeout=60).status)\n"
        "except urllib.error.HTTPError as error: print(error.code)"
    )
    done = cloud.run([str(cloud.python), "-c", code, KEYSTONE, token], capture_output=True, text=True, timeout=120)
    return done.stdout.strip() in ("401", "404")


@pytest.mark.accept("O1.14")
@pytest.mark.parametrize("face", ["action", pytest.param("module", marks=pytest.mark.full)])
def test_no_secret_is_said_or_left(images: Images, collections_root: Path, tmp_path: Path, face: str) -> None:
    entry = json.loads(images.cloud.clouds_yaml.read_text(encoding="utf-8"))["clouds"]["admin"]
    secret = entry["auth"]["password"]
    assert len(secret) >= 8
    good, bad = images.image(f"said{face}", visibility="public"), images.image(f"bad{face}", "404")
    common = {"auth": entry["auth"], "region_name": entry.get("region_name"), "cache_dir": str(tmp_path / "cache")}
    wrong = {**common, "auth": {**entry["auth"], "username": "nobody"}}
    tasks = [
        {"name": "imports", "scs.landscape.image_import": {**common, "images": [good, bad]}, "ignore_errors": True},
        {"name": "no login", "scs.landscape.image_import": {**wrong, "images": [good]}, "ignore_errors": True},
        {"name": "check", "scs.landscape.image_import": {**common, "images": [good]}, "check_mode": True, "diff": True},
    ]
    # A task with variables of its own cannot be called in a process that has others.
    head = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    book = tmp_path / "book.yml"
    book.write_text(yaml.safe_dump([{**head, "environment": {"SCS_FACE": face} if face == "module" else {}}]))
    argv = [*images.cloud.entering(), str(Path(sys.executable).parent / "ansible-playbook"), "-vvv", str(book)]
    environ = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(collections_root),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
        "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote"),
        "ANSIBLE_LOG_PATH": str(tmp_path / "log"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
    }
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=600, cwd=tmp_path, check=False)
    said = done.stdout + done.stderr
    assert "ok=3" in said, said
    assert list(images.there()) == [good["name"]]
    if face == "action":
        assert f"{good['name']}: upload: " in done.stdout, "the live face says nothing"
    assert secret not in said
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path != book]
    assert left
    assert [str(path) for path in left if secret.encode() in path.read_bytes()] == []
