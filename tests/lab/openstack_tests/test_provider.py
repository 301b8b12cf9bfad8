# SPDX-License-Identifier: Apache-2.0
"""The provider ``openstack``: up, again, side by side, killed, refused, looked into, and nothing left after down."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud, template
from ansible_collections.scs.landscape.tests.lab.openstack.cloud import environment
from ansible_collections.scs.landscape.tests.lab.openstack.debian import hosts_lane
from ansible_collections.scs.landscape.tests.lab.openstack.place import Place
from ansible_collections.scs.landscape.tests.lab.openstack_tests import stories
from ansible_collections.scs.landscape.tests.lab.openstack_tests.looking import keeper, readable, script, traces
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane
from ansible_collections.scs.landscape.tests.tools import yardstick
from ansible_collections.scs.landscape.tests.tools.console import Unavailable

KILLS = 6 if os.environ.get("SCS_FULL") else 3
#: Seconds of a warm start on an idle machine of two cores; a busy one gets more.
IMAGE_SECONDS, COMPUTE_SECONDS = 20.0, 75.0


@pytest.fixture
def own() -> Iterator[Cloud]:
    """A cloud of the test's own that is down before and after."""
    found = Cloud(lane("own"), profile="image")
    found.down()
    yield found
    found.down()


@pytest.mark.accept("O1.1")
def test_images_are_there_in_seconds_and_down_leaves_nothing(own):
    template.provide(Place(own.folder, environment(), "image"))
    pace = max(1.0, yardstick.pace())
    began = time.monotonic()
    status = own.up()
    seconds = time.monotonic() - began
    print(f"\nprofile image: {seconds:.1f} s at pace {pace:.1f}, {status['memory_total_mib']} MiB")
    assert status["state"] == "up"
    assert seconds < IMAGE_SECONDS * max(pace, yardstick.pace())
    assert status["memory_total_mib"] < 800
    spaces = {kernel.namespace_of(keeper(own), kind) for kind in ("net", "mnt", "pid")}
    spaces -= {kernel.namespace_of(os.getpid(), kind) for kind in ("net", "mnt", "pid")}
    seen = traces(str(own.folder), spaces)
    assert len(spaces) == 3
    assert all(seen.values()), "the test sees nothing"
    own.down()
    assert traces(str(own.folder), spaces) == {kind: [] for kind in seen}
    assert not own.folder.exists()
    own.down()  # and once more is fine


@pytest.mark.accept("O1.1")
def test_everything_is_there_in_time(compute_cloud, paces):
    status = compute_cloud.status()
    seconds, pace = status["seconds"]["total"], paces["compute"]
    print(f"\nprofile compute: {seconds:.1f} s at pace {pace:.1f}, {status['memory_total_mib']} MiB")
    assert status["state"] == "up"
    assert seconds < COMPUTE_SECONDS * pace
    assert status["memory_total_mib"] < 4096


@pytest.mark.accept("O1.1")
def test_lanes_run_side_by_side_with_the_same_addresses(cloud, own):
    own.up()
    # each has credentials and images of its own
    assert own.clouds_yaml.read_text(encoding="utf-8") == own.clouds_yaml.read_text(encoding="utf-8")
    for one, name in ((cloud, "ours"), (own, "theirs")):
        create = f"cloud.image.create_image(name={name!r}, disk_format='raw', container_format='bare')"
        script(one, f"{create}\nprint(json.dumps(None))")
    names = "print(json.dumps([image.name for image in cloud.image.images()]))"
    assert "ours" not in script(own, names)
    assert "theirs" not in script(cloud, names)
    script(cloud, "[cloud.image.delete_image(i) for i in cloud.image.images(name='ours')]\nprint('null')")


def test_a_second_up_changes_nothing(cloud):
    before = keeper(cloud)
    began = time.monotonic()
    assert cloud.up()["state"] == "up"
    assert time.monotonic() - began < 10 * max(1.0, yardstick.pace())
    assert keeper(cloud) == before


def test_a_killed_up_is_cleaned_by_the_next(own, repo, seed):
    generator = random.Random(seed)
    argv = [sys.executable, "-B", "-m", "tests.lab", "openstack", "up", "--lane", own.lane]
    for _number in range(KILLS):
        moment = generator.uniform(0.3, 5.0) * max(1.0, yardstick.pace())
        process = subprocess.Popen(
            argv, cwd=repo, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        if own.status()["state"] == "down":
            nothing = kernel.wait_for(lambda: not any(traces(str(own.folder), set()).values()), 30, 0.2)
            assert nothing, f"killed after {moment:.2f} s"
        else:
            own.down()
    assert own.up()["state"] == "up"


@pytest.mark.full
def test_a_reset_forgets_what_was_made(own):
    own.up()
    create = "cloud.image.create_image(name='gone', disk_format='raw', container_format='bare')"
    script(own, f"{create}\nprint('null')")
    own.reset()
    assert script(own, "print(json.dumps([image.name for image in cloud.image.images()]))") == []


def test_a_service_that_was_killed_is_started_again(cloud):
    cloud.stop("glance")
    assert cloud.status()["state"] == "partial"
    cloud.start("glance")
    assert cloud.status()["state"] == "up"
    assert script(cloud, "print(json.dumps(len(list(cloud.image.images()))))") is not None


def test_bytes_are_in_the_stores_and_requests_in_the_log(cloud, seed):
    since = time.time()
    size, fetches = 3_000_000, cloud.fetches()
    address = fetches.url("good", seed, size)
    got = script(
        cloud,
        "image = cloud.image.create_image(name='two', disk_format='raw', container_format='bare')\n"
        f"cloud.image.import_image(image, method='web-download', uri={address!r}, all_stores=True)\n"
        "cloud.image.wait_for_status(image, 'active', ['killed'], 1, 300)\n"
        "print(json.dumps([image.id, cloud.image.get_image(image.id).hash_value]))",
    )
    assert got[1] == fetches.digest(seed, size, algorithm="sha512")
    for store in ("fast", "slow"):
        data = (cloud.store(store) / got[0]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == fetches.digest(seed, size)
    assert cloud.database(f"SELECT status FROM glance.images WHERE id = '{got[0]}'") == [["active"]]  # noqa: S608
    written = [(request.method, request.path) for request in cloud.writes("glance", since)]
    assert written == [("POST", "/v2/images"), ("POST", f"/v2/images/{got[0]}/import")]
    assert cloud.writes("keystone", since) == [], "a login is no write"
    assert any(request.bytes == size for request in cloud.access_log("fetches") if request.at >= since - 1)
    assert all(request.request_id.startswith("req-") for request in cloud.writes("glance", since))
    script(cloud, f"cloud.image.delete_image({got[0]!r})\nprint('null')")


def test_a_reader_reads_and_another_project_sees_nothing(cloud):
    made = script(
        cloud,
        "print(json.dumps(cloud.image.create_image(name='m', disk_format='raw', container_format='bare').id))",
    )
    ids = "print(json.dumps([image.id for image in cloud.image.images()]))"
    assert made in script(cloud, ids, "reader")
    assert made not in script(cloud, ids, "second")
    code = (
        "from openstack import exceptions\n"
        "try:\n cloud.image.create_image(name='x', disk_format='raw', container_format='bare'); print('true')\n"
        "except exceptions.ForbiddenException: print('false')"
    )
    assert script(cloud, code, "reader") is False
    script(cloud, f"cloud.image.delete_image({made!r})\nprint('null')")


@pytest.mark.full
def test_settings_of_a_test_reach_the_services(own):
    other = Cloud(own.lane, settings={"keystone/keystone.conf": {"token": {"expiration": 90}}})
    other.up()
    code = (
        "import datetime\naccess = cloud.session.auth.get_access(cloud.session)\n"
        "print(json.dumps((access.expires - access.issued).total_seconds()))"
    )
    assert 80 <= script(other, code) <= 90


def test_volumes_servers_and_backups_work(compute_cloud):
    """One of each, through the lab's own drivers; what was written into the volume comes back from its backup."""
    cloud = compute_cloud
    volume = script(
        cloud,
        "v = cloud.block_storage.create_volume(size=1, name='origin')\n"
        "v = cloud.block_storage.wait_for_status(v, 'available', ['error'], 1, 300)\n"
        "cloud.block_storage.set_volume_bootable_status(v, True)\nprint(json.dumps(v.id))",
    )
    path = cloud.share / f"volume-{volume}"
    mark = os.urandom(4096)
    with open(path, "r+b") as file:
        file.seek(123 << 20)
        file.write(mark)
    got = script(
        cloud,
        "net = cloud.network.find_network('shared')\nflavor = cloud.compute.find_flavor('lab-small')\n"
        f"v = {volume!r}\n"
        "s = cloud.compute.create_server(name='s', flavor_id=flavor.id, networks=[{'uuid': net.id}],\n"
        " block_device_mapping=[{'boot_index': 0, 'uuid': v, 'source_type': 'volume', 'destination_type': 'volume'}])\n"
        "s = cloud.compute.wait_for_server(s, 'ACTIVE', ['ERROR'], 1, 300)\n"
        "b = cloud.block_storage.create_backup(volume_id=v, force=True, name='b')\n"
        "b = cloud.block_storage.wait_for_status(b, 'available', ['error'], 2, 600)\n"
        "snap = cloud.block_storage.create_snapshot(volume_id=v, is_forced=True, name='snap')\n"
        "cloud.block_storage.wait_for_status(snap, 'available', ['error'], 1, 300)\n"
        "r = cloud.block_storage.create_volume(size=1, name='back')\n"
        "r = cloud.block_storage.wait_for_status(r, 'available', ['error'], 1, 300)\n"
        "b.restore(cloud.block_storage, volume_id=r.id)\n"
        "r = cloud.block_storage.get_volume(r.id)\n"  # what was known of it says that it is done
        "cloud.block_storage.wait_for_status(r, 'available', ['error_restoring', 'error'], 2, 600)\n"
        "print(json.dumps([r.id, s.id, cloud.block_storage.get_volume(v).status]))",
    )
    assert got[2] == "in-use"
    with open(cloud.share / f"volume-{got[0]}", "rb") as file:
        file.seek(123 << 20)
        assert file.read(4096) == mark
        assert file.seek(0, os.SEEK_END) == 1 << 30
    cloud.clean("demo")
    left = "print(json.dumps([len(list(cloud.compute.servers())), len(list(cloud.block_storage.volumes()))]))"
    assert script(cloud, left) == [0, 0]


def test_a_server_boots_and_an_image_is_made_of_it(compute_cloud, seed):
    stories.server(compute_cloud, seed)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["up", "--lane", "No Lane"], "'No Lane' is no name for a lane"),
        (["enter", "--lane", "nobody", "--", "true"], "the cloud of lane nobody is not up"),
    ],
    ids=["lane", "down"],
)
def test_bad_input_is_refused_in_one_sentence(repo, arguments, says):
    done = subprocess.run(
        [sys.executable, "-B", "-m", "tests.lab", "openstack", *arguments],
        cwd=repo,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_lane_with_a_long_name_is_as_good_as_another():
    # Debian's release has a lane of machines for it, whose names must be shorter
    names = [f"{'a' * 31}{last}" for last in "bc"]
    for name in names:
        Cloud(name).down()
    assert all(len(one) <= 32 for one in map(hosts_lane, names))
    assert hosts_lane(names[0]) != hosts_lane(names[1])


@pytest.mark.parametrize("does", ["up", "down"])
def test_without_root_there_is_one_sentence(own, monkeypatch, does):
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    with pytest.raises(Unavailable, match=r"run it as root on Linux$"):
        getattr(own, does)()
    monkeypatch.undo()


def test_credentials_are_roots_alone_and_no_other_lane_s(cloud):
    files = [cloud.clouds_yaml, *(cloud.folder / "etc").rglob("*.conf")]
    secret = [path for path in files if "password" in readable(path)]
    assert len(secret) >= 2
    assert cloud.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in [cloud.clouds_yaml]} == {0o600}


def test_a_start_that_fails_leaves_nothing_but_its_logs(own, monkeypatch):
    broken = Cloud(own.lane, settings={"glance/glance-api.conf": {"DEFAULT": {"enabled_backends": "no:such"}}})
    with pytest.raises(Unavailable, match=r"glance"):
        broken.up()
    assert not own.folder.exists()
    assert kernel.wait_for(lambda: not any(traces(str(own.folder), set()).values()), 30, 0.2)
