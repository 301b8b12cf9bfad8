# SPDX-License-Identifier: Apache-2.0
"""The room for images equals what a real Glance with Keystone's limits says and does, at its edges."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.openstack.limits import MIB
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

KIND = {"Content-Type": "application/octet-stream"}


class Project:
    """A member's project with limits of its own."""

    def __init__(self, desk: Desk) -> None:
        self.admin = desk
        self.member = Desk(desk.cloud, desk.folder, "second")
        with self.member.session() as cloud:
            self.id = cloud.project_id
        self.limits: list[str] = []
        self.images: list[str] = []

    def allow(self, **limits: int) -> None:
        with self.admin.session() as cloud:
            known = {
                one["resource_name"]: one for one in cloud.pages("identity", "/registered_limits", "registered_limits")
            }
            wanted = [
                {
                    "project_id": self.id,
                    "service_id": known[name]["service_id"],
                    "region_id": known[name]["region_id"],
                    "resource_name": name,
                    "resource_limit": limit,
                }
                for name, limit in limits.items()
            ]
            made = cloud.call("identity", "POST", "/limits", json={"limits": wanted}).body["limits"]
        self.limits += [one["id"] for one in made]

    def add(self, size: int | None, count: int = 1) -> int:
        """Images of a size, without bytes when there is none; the last status."""
        status = 0
        with self.member.session() as cloud:
            for number in range(count):
                body = {"name": f"room{number}", "disk_format": "raw", "container_format": "bare"}
                made = cloud.call("image", "POST", "/images", json=body, accept=(413,))
                status = made.status
                if status == 413:
                    return status
                self.images.append(made.body["id"])
                if size is not None:
                    path = f"/images/{made.body['id']}/file"
                    status = cloud.call("image", "PUT", path, data=b"x" * size, headers=KIND, accept=(413,)).status
        return status

    def told(self) -> dict[str, Any]:
        """What the service says."""
        with self.member.session() as cloud:
            return dict(cloud.get("image", "/info/usage")["usage"])

    def clean(self) -> None:
        with self.member.session() as cloud:
            for one in self.images:
                cloud.call("image", "DELETE", f"/images/{one}", accept=(404,))
        with self.admin.session() as cloud:
            for one in self.limits:
                cloud.call("identity", "DELETE", f"/limits/{one}", accept=(404,))


@pytest.fixture
def project(cloud: Cloud, tmp_path: Path) -> Iterator[Project]:
    found = Project(Desk(cloud, tmp_path))
    yield found
    found.clean()


def is_what_the_service_says(project: Project, done: Any) -> None:
    told = project.told()
    limits = done.values["room"]["limits"]
    assert {name: (one["limit"], one["usage"]) for name, one in limits.items()} == {
        name: (one["limit"], one["usage"]) for name, one in told.items()
    }


@pytest.mark.accept("O1.10", "O1.8")
def test_the_fortieth_image(project: Project) -> None:
    project.allow(image_count_total=40)
    project.add(None, 39)
    done = project.member.run("image_headroom_info", images=1)
    is_what_the_service_says(project, done)
    assert done.values["room"]["limits"]["image_count_total"] == {"limit": 40, "usage": 39, "free": 1}
    assert (done.values["fits"]["fits"], done.values["room"]["images"]) == (True, 39)
    assert project.add(None) == 201
    full = project.member.run("image_headroom_info", images=1)
    is_what_the_service_says(project, full)
    assert full.values["fits"]["problems"] == ["1 images do not fit: image_count_total has 0 left (40 of 40 used)"]
    assert project.add(None) == 413
    assert full.values["target"]["fits"] is True


@pytest.mark.accept("O1.10")
def test_the_last_byte_of_the_size(project: Project) -> None:
    project.allow(image_size_total=5)
    assert project.add(2 * MIB) in (200, 204)
    for wanted, fits in ((3 * MIB - 1, True), (3 * MIB, True), (3 * MIB + 1, False)):
        done = project.member.run("image_headroom_info", bytes=wanted)
        is_what_the_service_says(project, done)
        assert done.values["fits"]["fits"] is fits
    assert project.add(3 * MIB) in (200, 204)
    full = project.member.run("image_headroom_info", bytes=1)
    assert full.values["room"]["bytes"] == 5 * MIB
    assert full.values["fits"]["problems"] == ["1 MiB do not fit: image_size_total has 0 MiB left (5 of 5 used)"]
    # Glance counts whole MiB, rounded down: what is smaller gets through, and we do not count on that.
    assert project.add(MIB) == 413
    assert project.add(MIB - 1) in (200, 204)
    is_what_the_service_says(project, project.member.run("image_headroom_info"))


@pytest.mark.accept("O1.10")
def test_what_is_below_the_target_is_said_and_what_is_shut_too(project: Project) -> None:
    project.allow(image_count_total=39, image_size_total=204799, image_stage_total=0)
    done = project.member.run("image_headroom_info", fail_on=["target"])
    assert done.failed == (
        "40 images are asked for, image_count_total allows 39; 204800 MiB are asked for, image_size_total allows 204799 MiB;"
        " image_stage_total is 0, which forbids imports by glance-direct and web-download"
    )
