# SPDX-License-Identifier: Apache-2.0
"""Images that machines and volumes of other projects need are not removed, on a real Nova and Cinder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.retry import Backoff
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import CloudError
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk, until_status

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

OLD, NEW = "20260101", "20260201"
NAME = "Alpine 3"


@pytest.fixture
def desk(compute_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(compute_cloud, tmp_path)
    yield found
    found.clean()
    found.run("flavor_set", flavors=[{"name": "tiny", "state": "absent"}])


def entry(desk: Desk, *versions: str) -> dict[str, Any]:
    """The lab's hosts are pretended ones, and Nova's scheduler gives them no image that wants another hypervisor."""
    return desk.entry(NAME, *versions, meta={"hypervisor_type": "fake"})


@pytest.mark.accept("O1.5")
def test_an_image_of_a_server_a_volume_and_a_snapshot_stays_until_they_are_gone(desk: Desk) -> None:
    desk.sync([entry(desk, OLD)])
    (old,) = [key for key, one in desk.images().items() if one.get("scs_landscape_entry") == NAME]
    desk.run("flavor_set", flavors=[{"name": "tiny", "vcpus": 1, "ram": 512, "disk": 1}])
    with desk.session("second") as other:
        server, volume, snapshot = use(other, old)
    desk.sync([entry(desk, OLD, NEW)])
    ending = {"images": [entry(desk, OLD, NEW)], "delete": True, "grace_days": 0}
    done = desk.run("image_lifecycle", **ending)
    (blocked,) = done.values["blocked"]
    assert blocked["id"] == old
    assert blocked["used_by"] == {"servers": [server], "volumes": [volume], "snapshots": [snapshot]}
    assert all(one in blocked["reason"] for one in (server, volume, snapshot))
    # One who sees one project only does not know, and so does not remove it.
    with desk.session("second") as other:
        for service, kind, identifier in (
            ("block-storage", "snapshots", snapshot),
            ("block-storage", "volumes", volume),
            ("compute", "servers", server),
        ):
            assert old in desk.images()
            assert not desk.run("image_lifecycle", **ending).values["deleted"]
            other.call(service, "DELETE", f"/{kind}/{identifier}")
            until_status(other, service, f"/{kind}/{identifier}", 404)
    done = desk.run("image_lifecycle", **ending)
    assert (done.failed, [one["id"] for one in done.values["deleted"]]) == ("", [old])
    assert old not in desk.images()
    assert not desk.run("image_lifecycle", **ending).changed


@pytest.mark.accept("O1.5")
@pytest.mark.parametrize("service", ["nova", "cinder"])
def test_nothing_is_removed_while_nobody_can_say_who_uses_it(
    desk: Desk, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sync([entry(desk, OLD)])
    desk.sync([entry(desk, OLD, NEW)])
    (old,) = [key for key, one in desk.images().items() if one.get("internal_version") == OLD and NAME in one["name"]]
    ending = {"images": [entry(desk, OLD, NEW)], "delete": True, "grace_days": 0}
    # It stays away for the whole test, so there is no use in waiting for it as long as an operator would.
    monkeypatch.setattr(client, "Backoff", lambda first, longest, within: Backoff(first, longest, min(within, 8)))
    desk.cloud.stop(service)
    try:
        began = time.time()
        with pytest.raises(CloudError) as refused:
            desk.run("image_lifecycle", **ending)
        assert {"nova": "compute", "cinder": "block-storage"}[service] in str(refused.value)
        assert "only removed when it is known that nothing uses it" in str(refused.value)
        assert desk.cloud.writes("glance", began) == []
        # Without removals it does not matter who uses what.
        assert desk.run("image_lifecycle", images=ending["images"]).failed == ""
    finally:
        desk.cloud.start(service)
    monkeypatch.undo()
    assert old in desk.images()
    assert [one["id"] for one in desk.run("image_lifecycle", **ending).values["deleted"]] == [old]


@pytest.mark.accept("O1.5")
def test_images_made_of_servers_and_volumes_are_somebodys_data(desk: Desk) -> None:
    """They lie in the same project and inherit every mark of the image that the server was made of."""
    desk.sync([entry(desk, OLD)])
    (old,) = [key for key, one in desk.images().items() if one.get("scs_landscape_entry") == NAME]
    desk.run("flavor_set", flavors=[{"name": "tiny", "vcpus": 1, "ram": 512, "disk": 1}])
    with desk.session() as cloud:
        server, volume, snapshot = use(cloud, old)
        copies = copied(cloud, server, volume)
    try:
        before = {one: desk.images()[one] for one in copies}
        for one in before.values():
            assert (one["scs_landscape_entry"], one["os_purpose"]) == (NAME, "generic"), (
                "it does not inherit, so prove more"
            )
        ending = {"images": [entry(desk, OLD, NEW)], "delete": True, "grace_days": 0}
        done = desk.sync(**ending)
        assert (done.failed, [one["id"] for one in done.values["retired"]]) == ("", [old])
        (blocked,) = done.values["blocked"]
        assert blocked["used_by"] == {"servers": [server], "volumes": [volume], "snapshots": [snapshot]}
        assert {one: desk.images()[one] for one in copies} == before
        assert not desk.sync(**ending).changed
        with desk.session() as cloud:
            gone(cloud, server, volume, snapshot)
        # Nova itself removes the image of a shelved server with it.
        left = {one: image for one, image in before.items() if one in desk.images()}
        assert len(left) == len(before) - 1
        done = desk.run("image_lifecycle", **ending)
        assert (done.failed, [one["id"] for one in done.values["deleted"]]) == ("", [old])
        assert desk.run("image_lifecycle", **ending, retire=[NAME]).failed == ""
        assert not [key for key, one in desk.images().items() if one["name"].startswith(NAME) and key not in left]
        assert {one: desk.images()[one] for one in left} == left
    finally:
        with desk.session() as cloud:
            for one in copies:
                cloud.call("image", "DELETE", f"/images/{one}", accept=(403, 404, 409))


def copied(cloud: Any, server: str, volume: str) -> list[str]:
    """A snapshot of a server, the image of it as it is shelved, and an image of a volume; their ids."""
    body = {"createImage": {"name": "snapshot of somebody"}}
    made = cloud.call("compute", "POST", f"/servers/{server}/action", json=body, microversion="2.60").body["image_id"]
    until_status(cloud, "compute", f"/servers/{server}", 200, "server", "ACTIVE")
    wait_for_task(cloud, server)
    cloud.call("compute", "POST", f"/servers/{server}/action", json={"shelve": None}, microversion="2.60")
    until_status(cloud, "compute", f"/servers/{server}", 200, "server", "SHELVED_OFFLOADED")
    (shelved,) = [one["id"] for one in cloud.pages("image", "/images", "images") if one["name"] == "user-shelved"]
    body = {"os-volume_upload_image": {"image_name": "volume of somebody", "disk_format": "raw"}}
    answer = cloud.call("block-storage", "POST", f"/volumes/{volume}/action", json=body).body
    uploaded = answer["os-volume_upload_image"]["image_id"]
    until_status(cloud, "block-storage", f"/volumes/{volume}", 200, "volume", "available")
    kind = {"Content-Type": "application/octet-stream"}
    for one in (made, shelved):
        # The lab's servers have no disk: what Nova would send comes from here.
        if cloud.get("image", f"/images/{one}")["status"] == "queued":
            cloud.call("image", "PUT", f"/images/{one}/file", data=b"somebody's data", headers=kind)
    found = [made, shelved, uploaded]
    assert [cloud.get("image", f"/images/{one}")["status"] for one in found] == ["active"] * 3
    return found


def wait_for_task(cloud: Any, server: str) -> None:
    """Until Nova does nothing with a server any more."""
    end = time.monotonic() + 300
    while cloud.get("compute", f"/servers/{server}")["server"]["OS-EXT-STS:task_state"]:
        assert time.monotonic() < end, "the server stays busy"
        time.sleep(0.3)


def gone(cloud: Any, server: str, volume: str, snapshot: str) -> None:
    for service, kind, identifier in (
        ("block-storage", "snapshots", snapshot),
        ("block-storage", "volumes", volume),
        ("compute", "servers", server),
    ):
        cloud.call(service, "DELETE", f"/{kind}/{identifier}")
        until_status(cloud, service, f"/{kind}/{identifier}", 404)


def use(cloud: Any, image: str) -> tuple[str, str, str]:
    """A server, a volume and a snapshot that need an image; their ids."""
    found = {one["name"]: one["id"] for one in cloud.pages("compute", "/flavors", "flavors")}
    wanted = {"name": "user", "imageRef": image, "flavorRef": found["tiny"], "networks": "none"}
    server = cloud.call("compute", "POST", "/servers", json={"server": wanted}, microversion="2.60").body["server"][
        "id"
    ]
    body = {"volume": {"name": "user", "size": 1, "imageRef": image}}
    volume = cloud.call("block-storage", "POST", "/volumes", json=body).body["volume"]["id"]
    until_status(cloud, "block-storage", f"/volumes/{volume}", 200, "volume", "available")
    body = {"snapshot": {"name": "user", "volume_id": volume}}
    snapshot = cloud.call("block-storage", "POST", "/snapshots", json=body).body["snapshot"]["id"]
    until_status(cloud, "block-storage", f"/snapshots/{snapshot}", 200, "snapshot", "available")
    until_status(cloud, "compute", f"/servers/{server}", 200, "server", "ACTIVE")
    return server, volume, snapshot
