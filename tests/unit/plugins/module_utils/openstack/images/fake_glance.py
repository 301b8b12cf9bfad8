# SPDX-License-Identifier: Apache-2.0
"""A cloud with images, servers and volumes, in memory: what a lifecycle needs of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.openstack import model

BASE = {"name", "visibility", "os_hidden", "min_disk", "min_ram", "tags", "protected"}


class Killed(Exception):
    """The run was killed."""


class FakeCloud:
    """Stands where :class:`client.Cloud` stands. Every state that anybody could see is kept in ``seen``."""

    name = "fake"
    project_id = "mine"

    def __init__(self, *images: dict[str, Any], roles: tuple[str, ...] = ("admin",)) -> None:
        self.images = {one["id"]: copy.deepcopy(one) for one in images}
        self.roles = roles
        self.servers: list[dict[str, Any]] = []
        self.volumes: list[dict[str, Any]] = []
        self.snapshots: list[dict[str, Any]] = []
        self.services = {"compute", "block-storage"}
        self.writes: list[tuple[str, str]] = []
        self.seen: list[list[dict[str, Any]]] = []
        self.kill_after: int | None = None
        self.refuse: dict[str, int] = {}  # id of an image and how many of its changes are accepted

    def has(self, service: str) -> bool:
        return service in self.services

    def pages(self, _service: str, path: str, _key: str, **query: Any) -> Iterator[dict[str, Any]]:
        query.pop("limit", None)
        if query.pop("all_tenants", None) and "admin" not in self.roles:
            raise model.ForbiddenError("all_tenants is for administrators", status=403)
        if path == "/images":
            hidden = query.pop("os_hidden", "false") == "true"
            found = [one for one in self.images.values() if one.get("os_hidden", False) == hidden]
            yield from copy.deepcopy([one for one in found if all(one.get(k) == v for k, v in query.items())])
        elif path == "/servers":
            yield from (one for one in self.servers if one["image"] == query["image"])
        else:
            yield from {"/volumes/detail": self.volumes, "/snapshots/detail": self.snapshots}[path]

    def call(self, _service: str, method: str, path: str, *, json: Any = None, accept: Any = (), **_more: Any) -> Any:
        if method != "GET":
            if self.kill_after is not None and len(self.writes) >= self.kill_after:
                raise Killed
            self.writes.append((method, path))
        identifier = path.split("/")[2]
        image = self.images.get(identifier)
        answer = model.Answer(200, body=image)
        if image is None:
            answer = model.Answer(404)
        elif method == "DELETE":
            del self.images[identifier]
        elif method == "PATCH":
            answer = self._patched(identifier, image, json)
        self.seen.append(copy.deepcopy(list(self.images.values())))
        if answer.status >= 400 and answer.status not in accept:
            raise model.refusal("image", method, path, answer)
        return answer

    def _patched(self, identifier: str, image: dict[str, Any], operations: Any) -> model.Answer:
        left = self.refuse.get(identifier)
        if left == 0:
            return model.Answer(403, text="not allowed")
        if left is not None:
            self.refuse[identifier] = left - 1
        for one in operations:
            name = one["path"][1:]
            assert name in BASE or isinstance(one.get("value", ""), str), one
            if one["op"] == "remove":
                assert name not in BASE
                del image[name]
            else:
                image[name] = one["value"]
        return model.Answer(200, body=copy.deepcopy(image))


def image(identifier: str, **values: Any) -> dict[str, Any]:
    """An image as Glance lists it."""
    plain = {
        "id": identifier,
        "owner": "mine",
        "status": "active",
        "visibility": "private",
        "os_hidden": False,
        "min_disk": 0,
        "min_ram": 0,
        "protected": False,
        "tags": [],
        "created_at": "2026-01-01T00:00:00Z",
    }
    return {**plain, **values}


def entry(name: str = "Ubuntu 24.04", *versions: str, **more: Any) -> dict[str, Any]:
    """An entry of a catalogue."""
    meta = {"architecture": "x86_64", "os_distro": "ubuntu", "os_version": "24.04", "os_purpose": "generic"}
    return {
        "name": name,
        "format": "qcow2",
        "login": "ubuntu",
        "min_disk": 8,
        "min_ram": 512,
        "visibility": "public",
        "meta": {**meta, **more.pop("meta", {})},
        "versions": [version(one) for one in versions],
        **more,
    }


def version(name: str, **more: Any) -> dict[str, Any]:
    """A version of an entry."""
    digest = f"sha256:{'0' * 63}{len(name) % 10}"
    return {"version": name, "url": f"https://example.org/{name}/disk.img", "checksum": digest, **more}


def imported(cloud: FakeCloud, wanted: list[dict[str, Any]]) -> None:
    """What ``image_import`` makes of ``imports``."""
    for one in wanted:
        number = f"{len(cloud.images) + 1:08d}-0000-4000-8000-000000000000"
        made = image(number, name=one["name"], os_hidden=one["hidden"], visibility=one["visibility"], tags=one["tags"])
        properties = {**one["properties"], **one["match"]}
        owned = {"scs_landscape_properties": ",".join(sorted(one["properties"])), "scs_landscape_id": number}
        cloud.images[number] = {**made, "min_disk": one["min_disk"], "min_ram": one["min_ram"], **properties, **owned}
