# SPDX-License-Identifier: Apache-2.0
"""Root disks of servers in a real Nova: an image, its bytes in a file, and no image afterwards; killed, spoiled, and brought back."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.proxy import FaultProxy, Rule

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
GLANCE, NOVA = "http://127.0.0.1:9292", "http://127.0.0.1:8774"
MIB = 1024 * 1024


@pytest.fixture
def desk(compute_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    yield Desk(compute_cloud, tmp_path, "member")
    compute_cloud.clean("demo")


def on_disk(server: str) -> bytes:
    """What a pretended host has on the root disk of a server (``drivers/labnova.py``)."""
    return hashlib.shake_256(server.encode()).digest(MIB)


def images(cloud: Any) -> list[str]:
    return [str(one["name"]) for one in cloud.pages("image", "/images", "images") if "root" in str(one["name"])]


def proxied(desk: Desk, folder: Path, **endpoints: str) -> Desk:
    return Desk(desk.cloud, folder, "member", clouds=desk.cloud.proxied(folder / "clouds.yaml", **endpoints))


@pytest.mark.accept("B1.7", "B1.12")
def test_a_root_disk_goes_into_a_file_and_comes_back_as_an_image(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "roots"
    with desk.session() as cloud:
        base, volume = machines.image(cloud, "base"), machines.volume(cloud, "boots", True)
        local = machines.server(cloud, "local", [], base)
        machines.server(cloud, "from volume", [volume])
    with pytest.raises(InputError, match="is a volume: use volume_backup_run"):
        desk.run("server_root_backup", servers=["from volume"], dest=str(folder))
    checked = desk.run("server_root_backup", check_mode=True, all_servers=True, dest=str(folder))
    with desk.session() as cloud:
        assert (machines.actions(cloud, local), images(cloud), folder.exists()) == ([], [], False)
    result = desk.run("server_root_backup", all_servers=True, dest=str(folder))
    (told,) = result.values["results"]
    assert (result.failed, told["status"], told["level"]) == ("", "done", "crash")
    assert checked.plan.digest == result.plan.digest
    assert [one["name"] for one in result.values["omitted"]] == ["from volume"]
    assert Path(told["path"]).read_bytes() == on_disk(local)
    assert not desk.run("server_root_backup", all_servers=True, dest=str(folder)).changed
    with desk.session() as cloud:
        assert (len(machines.actions(cloud, local)), images(cloud)) == (1, [])
    back = desk.run("image_import", images=[told["import"]], cache_dir=str(tmp_path / "cache"))
    assert back.failed == ""
    with desk.session() as cloud:
        found = cloud.get("image", f"/images/{back.values['results'][0]['id']}")
        assert (found["status"], f"sha512:{found['os_hash_value']}") == ("active", told["digest"])
        assert "instance_uuid" not in found
        again = machines.server(cloud, "again", [], found["id"])
    # A server of that image hands nothing on by which an image of it could be taken for ours.
    more = desk.run("server_root_backup", servers=[again], dest=str(folder), run_id="more")
    assert (more.failed, more.values["orphans"]) == ("", [])


@pytest.mark.accept("B1.11", "B1.12")
def test_a_killed_run_goes_on_with_its_image_and_another_run_clears_it_up(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "roots"
    with desk.session() as cloud:
        server = machines.server(cloud, "killed", [], machines.image(cloud, "base"))

    def killed(run: str) -> None:
        """The run is killed as soon as there is an image, which Nova still fills."""
        process = desk.start("server_root_backup", servers=[server], dest=str(folder), run_id=run)
        try:
            with desk.session() as cloud:
                machines.until(lambda: images(cloud))
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=60)

    killed("first")
    with desk.session() as cloud:
        assert len(images(cloud)) == 1
    (told,) = desk.run("server_root_backup", servers=[server], dest=str(folder), run_id="first").values["results"]
    assert (told["status"], told["resumed"]) == ("done", True), told["message"]
    assert Path(told["path"]).read_bytes() == on_disk(server)
    killed("second")
    result = desk.run("server_root_backup", servers=[server], dest=str(folder), run_id="third")
    assert (result.failed, len(result.values["orphans"])) == ("", 1)
    with desk.session() as cloud:
        assert (len(machines.actions(cloud, server)), images(cloud)) == (3, [])


@pytest.mark.accept("B1.12", "B1.19")
def test_what_goes_wrong_on_the_way_leaves_no_image_and_no_file(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "roots"
    with desk.session() as cloud:
        server = machines.server(cloud, "spoiled", [], machines.image(cloud, "base"))
    inside = desk.cloud.namespace
    with FaultProxy(GLANCE, [Rule("flip", method="GET", path="/file")], seed=1, namespace=inside) as glance:
        bad = proxied(desk, tmp_path, glance=glance.url).run("server_root_backup", servers=[server], dest=str(folder))
    assert "other bytes came" in bad.failed
    assert list(folder.iterdir()) == []
    with desk.session() as cloud:
        assert images(cloud) == []
    cut = Rule("cut", method="POST", path="/action$", times=1, late=True)
    with FaultProxy(NOVA, [cut], seed=1, namespace=inside) as nova:
        good = proxied(desk, tmp_path, nova=nova.url).run("server_root_backup", servers=[server], dest=str(folder))
    assert (good.failed, cut.acted) == ("", 1)
    with desk.session() as cloud:
        assert (len(machines.actions(cloud, server)), images(cloud)) == (2, [])
