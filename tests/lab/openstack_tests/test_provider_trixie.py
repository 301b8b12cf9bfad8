# SPDX-License-Identifier: Apache-2.0
"""The second release: Debian's packages under systemd. The same tests where they do not depend on the release."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack.debian import MACHINE, hosts_lane, provide
from ansible_collections.scs.landscape.tests.lab.openstack.furniture import place
from ansible_collections.scs.landscape.tests.lab.openstack_tests import stories
from ansible_collections.scs.landscape.tests.lab.openstack_tests.importing import Images, by_name
from ansible_collections.scs.landscape.tests.lab.openstack_tests.looking import keeper, script, traces
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane
from ansible_collections.scs.landscape.tests.tools import yardstick
from ansible_collections.scs.landscape.tests.tools.console import Unavailable

KILLS = 4 if os.environ.get("SCS_FULL") else 2
#: Seconds of a warm start on an idle machine of two cores; a busy one gets more.
SECONDS = 20.0

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    # its root is 1.3 GB of packages
    pytest.mark.full,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def debian() -> Iterator[Cloud]:
    """Keystone and Glance of Debian, shared by the tests of this file."""
    found = Cloud(lane("trixie"), release="trixie")
    found.down()
    found.up()
    yield found
    found.down()


@pytest.fixture
def images(debian: Cloud, tmp_path: Path, request: pytest.FixtureRequest, seed: int) -> Images:
    return Images(debian, tmp_path, hashlib.sha256(f"{request.node.name}{seed}".encode()).hexdigest()[:8])


@pytest.fixture
def own() -> Iterator[Cloud]:
    """A cloud of the test's own that is down before and after."""
    found = Cloud(lane("trixie-own"), release="trixie")
    found.down()
    yield found
    found.down()


@pytest.mark.accept("O1.1")
def test_debians_services_run_under_systemd(debian):
    states = debian.machine.run(["systemctl", "is-active", "keystone", "glance-api", "mariadb", "memcached"]).stdout
    assert states.split() == ["active"] * 4
    versions = debian.machine.run(
        ["dpkg-query", "--show", "--showformat=${Version}\n", "glance-api", "keystone"]
    ).stdout
    # the release 2025.1
    assert [version.partition(":")[2].partition(".")[0] for version in versions.split()] == ["30", "27"]
    users = debian.machine.run(["ps", "-C", "uwsgi_python3,glance-api", "-o", "user="]).stdout
    assert set(users.split()) == {"keystone", "glance"}
    status = debian.status()
    assert (status["state"], status["release"]) == ("up", "trixie")
    assert status["memory_total_mib"] < 900


@pytest.mark.accept("O1.1")
def test_images_are_there_in_seconds_beside_another_lane_and_down_leaves_nothing(debian, own):
    provide(own.lane, place(own.profile))
    pace = max(1.0, yardstick.pace())
    began = time.monotonic()
    status = own.up()
    seconds = time.monotonic() - began
    print(f"\nDebian's release: {seconds:.1f} s at pace {pace:.1f}, {status['memory_total_mib']} MiB")
    assert seconds < SECONDS * max(pace, yardstick.pace())
    create = "cloud.image.create_image(name='theirs', disk_format='raw', container_format='bare')\nprint('null')"
    script(own, create)
    names = "print(json.dumps([image.name for image in cloud.image.images()]))"
    assert "theirs" in script(own, names)
    assert "theirs" not in script(debian, names)
    folder, leader = str(own.machine.folder), keeper(own)
    spaces = {kernel.namespace_of(leader, kind) for kind in ("net", "mnt", "pid")}
    spaces -= {kernel.namespace_of(os.getpid(), kind) for kind in ("net", "mnt", "pid")}
    seen = traces(folder, spaces)
    assert len(spaces) == 3
    assert all(seen.values()), "the test sees nothing"
    own.down()
    assert traces(folder, spaces) == {kind: [] for kind in seen}
    assert not own.folder.exists()
    assert not Path(folder).exists()
    own.down()  # and once more is fine


@pytest.mark.accept("O1.1")
@pytest.mark.parametrize("who", ["member", "admin"])
def test_an_image_is_imported_and_nothing_but_its_bytes(images, who):
    visibility = "public" if who == "admin" else "private"
    good = images.image("good", visibility=visibility)
    # the service downloads this one itself, into both stores
    served = images.image("served", visibility=visibility, algorithm="sha512", stores=["fast", "slow"])
    bad = images.image("bad", "flipped", visibility=visibility)
    told = by_name(images.run([good, served, bad], cloud=who))
    assert {name: one["status"] == "done" for name, one in told.items()} == {"good": True, "served": True, "bad": False}
    there = images.there()
    assert {one["visibility"] for rows in there.values() for one in rows} == {visibility}
    assert images.bytes_of("fast", there[good["name"]][0]["id"]) == good["digest"].partition(":")[2]
    (both,) = there[served["name"]]
    assert both["os_hash_value"] == served["digest"].partition(":")[2]
    assert images.bytes_of("fast", both["id"]) == images.bytes_of("slow", both["id"])
    assert (bad["name"] in there, images.unfinished(), images.orphans()) == (False, [], [])


@pytest.mark.accept("O1.1")
@pytest.mark.parametrize("who", ["member", "admin"])
def test_check_mode_and_a_run_with_nothing_to_do_write_nothing(images, who):
    wanted = [images.image("one", visibility="private")]
    since = time.time()
    planned = images.run(wanted, check_mode=True, cloud=who)
    assert planned.changed
    assert images.cloud.writes("glance", since) == images.cloud.writes("keystone", since) == []
    assert images.cloud.access_log("glance"), "the test sees nothing"
    assert images.run(wanted, cloud=who).changed
    assert images.cloud.writes("glance", since) != []
    since = time.time()
    assert not images.run(wanted, cloud=who).changed
    assert images.cloud.writes("glance", since) == images.cloud.writes("keystone", since) == []


def test_a_reader_reads_and_another_project_sees_nothing(debian):
    create = "cloud.image.create_image(name='m', disk_format='raw', container_format='bare')"
    made = script(debian, f"print(json.dumps({create}.id))")
    ids = "print(json.dumps([image.id for image in cloud.image.images()]))"
    assert made in script(debian, ids, "reader")
    assert made not in script(debian, ids, "second")
    code = (
        f"from openstack import exceptions\ntry:\n {create}; print('true')\n"
        "except exceptions.ForbiddenException: print('false')"
    )
    assert script(debian, code, "reader") is False
    debian.clean("demo")
    assert made not in script(debian, ids)


def test_a_service_that_was_killed_is_started_again(debian):
    debian.stop("glance")
    assert debian.status()["state"] == "partial"
    debian.start("glance")
    assert debian.status()["state"] == "up"
    assert script(debian, "print(json.dumps(len(list(cloud.image.images()))))") is not None


def test_a_killed_up_is_cleaned_by_the_next(own, repo, seed):
    generator = random.Random(seed)
    argv = [sys.executable, "-B", "-m", "tests.lab", "openstack", "up", "--release", "trixie", "--lane", own.lane]
    for _number in range(KILLS):
        nowhere = subprocess.DEVNULL
        process = subprocess.Popen(argv, cwd=repo, stdout=nowhere, stderr=nowhere, stdin=nowhere)
        try:
            process.wait(generator.uniform(0.5, 8.0) * max(1.0, yardstick.pace()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
    assert own.up()["state"] == "up"
    assert json.loads(own.machine.run(["cat", "/root/clouds.yaml"]).stdout)["clouds"].keys() >= {"admin", "reader"}
    folder = str(own.machine.folder)
    own.down()
    assert kernel.wait_for(lambda: not any(traces(folder, set()).values()), 30, 0.2)


def test_a_start_that_fails_leaves_nothing(own):
    broken = Cloud(
        own.lane, release="trixie", settings={"glance/glance-api.conf": {"DEFAULT": {"enabled_backends": "no:such"}}}
    )
    with pytest.raises(Unavailable, match=r"glance"):
        broken.up()
    assert not own.folder.exists()
    word = f"{hosts_lane(own.lane)}/machines/{MACHINE}"
    assert kernel.wait_for(lambda: not any(traces(word, set()).values()), 30, 0.2)


def of(own: Cloud, profile: str, backend: str = "file") -> Cloud:
    """A cloud in the lane of the test's own, with more in it."""
    cloud = Cloud(own.lane, profile, backend, release="trixie")
    status = cloud.up()
    print(f"\nprofile {profile} on {backend}: {status['seconds']['total']} s, {status['memory_total_mib']} MiB")
    assert status["state"] == "up"
    return cloud


@pytest.mark.accept("O1.1")
def test_volumes_backups_and_secrets_work(own):
    """What was written into a volume is in its copy and comes back from its backup."""
    cloud = of(own, "volume")
    code = (
        "volumes = cloud.block_storage\n"
        "def there(one):\n"
        "    return volumes.wait_for_status(one, 'available', ['error', 'error_restoring'], 1, 600)\n"
    )
    origin = script(
        cloud, f"{code}print(json.dumps(there(volumes.create_volume(size=1, name='origin', volume_type='lab')).id))"
    )
    mark = os.urandom(4096)
    with open(cloud.share / f"volume-{origin}", "r+b") as file:
        file.seek(123 << 20)
        file.write(mark)
    copies = script(
        cloud,
        f"{code}backup = there(volumes.create_backup(volume_id={origin!r}, name='backup'))\n"
        f"snapshot = there(volumes.create_snapshot(volume_id={origin!r}, name='snapshot'))\n"
        "second = there(volumes.create_volume(snapshot_id=snapshot.id, size=1, name='second'))\n"
        "back = there(volumes.create_volume(size=1, name='back'))\n"
        "backup.restore(volumes, volume_id=back.id)\n"
        "there(volumes.get_volume(back.id))\n"
        "print(json.dumps([second.id, back.id]))",
    )
    for identifier in copies:
        with open(cloud.share / f"volume-{identifier}", "rb") as file:
            file.seek(123 << 20)
            assert file.read(4096) == mark
            assert file.seek(0, os.SEEK_END) == 1 << 30
    assert ("POST", "/v3/backups") in [(request.method, request.path) for request in cloud.writes("cinder")]
    secret = (
        "made = cloud.key_manager.create_secret(name='k', payload='quiet', payload_content_type='text/plain')\n"
        "print(json.dumps(cloud.key_manager.get_secret(made.secret_id).payload))"
    )
    assert script(cloud, secret) == "quiet"
    assert cloud.database("SELECT COUNT(*) FROM barbican.secrets WHERE deleted = 0") == [["1"]]
    cloud.clean("demo")
    assert list(cloud.share.iterdir()) == []


@pytest.mark.accept("O1.1")
def test_a_server_boots_and_an_image_is_made_of_it(own, seed):
    cloud = of(own, "compute")
    stories.server(cloud, seed)
    users = cloud.machine.run(["ps", "-C", "uwsgi_python3,nova-conductor,nova-scheduler", "-o", "user="]).stdout
    assert {"nova", "neutron", "placement"} <= set(users.split())
    # a second machine with the same template has the same hosts, and Placement knows them
    assert cloud.database("SELECT COUNT(*) FROM placement.resource_providers") == [["3"]]


@pytest.fixture
def ceph_of_own(own: Cloud) -> Iterator[None]:
    """The Ceph of that lane is down before and after."""
    cluster = CephCluster(own.lane)
    cluster.down()
    yield
    own.down()
    cluster.down()


@pytest.mark.accept("O1.1")
def test_image_snapshot_and_backup_give_the_same_bytes_on_rbd(own, ceph_of_own, seed):
    stories.on_ceph(of(own, "volume", "rbd"), seed)
