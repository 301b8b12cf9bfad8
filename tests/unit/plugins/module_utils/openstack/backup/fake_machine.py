# SPDX-License-Identifier: Apache-2.0
"""Cinder with volumes of a server, and Nova and Glance with that server, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import (
    FakeCinder,
    _text,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_points import FakeCloud


class Machine(FakeCinder):
    """A cloud with one server; its snapshots are those of the volumes."""

    def __init__(self, *volumes: str, **options: Any) -> None:
        super().__init__()
        self.nova = FakeCloud(*volumes, **options)
        for one in volumes:
            properties = self.nova.volumes[one].get("volume_image_metadata", {})
            attached = [{"server_id": "s1", "device": f"/dev/{one}"}]
            more = {"bootable": "true", "volume_image_metadata": properties}
            self.add_volume(one, status="in-use", attachments=attached, **more)
        self.nova.volumes = {one: self.volumes[one] for one in volumes}
        self.snapshots = self.nova.snapshots

    def pages(self, service: str, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Servers, images and snapshots are the other fake's."""
        if path in ("/servers/detail", "/images", "/snapshots/detail"):
            self.requests.append(("GET", path))
            return self.nova.pages(service, path, key, **query)
        return super().pages(service, path, key, **query)

    def call(self, service: str, method: str, path: str, **options: Any) -> Any:
        """So are requests about them."""
        if service == "block-storage" and not path.startswith("/snapshots"):
            return super().call(service, method, path, **options)
        with self._lock:
            self.requests.append((method, path))
            self.hook(method, path)
            self.pass_by(seconds=1)
            before = set(self.snapshots)
            answer = self.nova.call(service, method, path, **options)
            for one in set(self.snapshots) - before:
                self.snapshots[one]["created_at"] = _text(self.now)
            return answer

    @property
    def left(self) -> list[str]:
        """What is left of points."""
        return [*self.nova.images, *self.snapshots]
