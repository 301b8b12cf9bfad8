# SPDX-License-Identifier: Apache-2.0
"""A project whose volumes are those of a Cinder that takes its time over restores: what a rebuild meets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_restores import (
    FakeRestores,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.fake_cloud import Killed
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.servers.furnished import furnished

_VOLUMES = "block-storage"


class FakeSite:
    """Stands where :class:`client.Cloud` stands: one server with two volumes, each with a backup.

    :ivar writes: method and path of each request that changes something, of all services.
    :ivar kill_after: number of writes after which the run dies.
    """

    name, project_id, region = "fake", "p1", ""

    def __init__(self, duration: float = 30.0, **shape: Any) -> None:
        self.cinder, self.project = FakeRestores(duration), furnished(**shape)
        self.writes: list[tuple[str, str]] = []
        self.kill_after: int | None = None
        for identifier, one in list(self.project.kept["volumes"].items()):
            self.cinder.add_volume(
                identifier, **{key: value for key, value in one.items() if key not in ("id", "size")}
            )
            self.cinder.volumes[identifier]["size"] = one["size"]
            metadata = {model.RUN: "r1", model.TYPE: one["volume_type"]}
            kept = dict(one["metadata"])
            self.cinder.add_backup(f"b-{identifier}", identifier, metadata=metadata, _meta=kept)
        self.project.kept.update(volumes=self.cinder.volumes, backups=self.cinder.backups)

    # What the client has.

    def microversion(self, service: str, wanted: str) -> str | None:
        """As the client's."""
        return (self.cinder if service == _VOLUMES else self.project).microversion(service, wanted)

    def get(self, service: str, path: str, **options: Any) -> Any:
        """As the client's."""
        return self.call(service, "GET", path, **options).body

    def pages(self, service: str, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        """As the client's."""
        yield from (self.cinder if service == _VOLUMES else self.project).pages(service, path, key, **query)

    def call(self, service: str, method: str, path: str, **options: Any) -> Any:
        """As the client's."""
        if method != "GET":
            if self.kill_after is not None and len(self.writes) >= self.kill_after:
                raise Killed
            self.writes.append((method, path))
        # Names and actions of volumes are the project's part, all else about them is Cinder's.
        renamed = method == "PUT" and path.startswith("/volumes/")
        mine = service == _VOLUMES and not renamed and not path.endswith("/action")
        return (self.cinder if mine else self.project).call(service, method, path, **options)

    # What a test arranges.

    def lose_everything(self) -> None:
        """Somebody deletes the server and all that belongs to it; backups stay."""
        self.project.lose_everything()
        self.writes.clear()
