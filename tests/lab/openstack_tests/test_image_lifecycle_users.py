# SPDX-License-Identifier: Apache-2.0
"""Images that machines and volumes of other projects need are not removed, on a real Nova and Cinder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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


@pytest.mark.accept("O1.5")
def test_an_image_of_a_server_a_volume_and_a_snapshot_stays_until_they_are_gone(desk: Desk) -> None:
    desk.sync([desk.entry(NAME, OLD)])
    (old,) = [key for key, one in desk.images().items() if one.get("scs_landscape_entry") == NAME]
    desk.run("flavor_set", flavors=[{"name": "tiny", "vcpus": 1, "ram": 512, "disk": 1}])
    with desk.session("second") as other:
        server, volume, snapshot = use(other, old)
    desk.sync([desk.entry(NAME, OLD, NEW)])
    ending = {"images": [desk.entry(NAME, OLD, NEW)], "delete": True, "grace_days": 0}
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
