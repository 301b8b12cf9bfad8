# SPDX-License-Identifier: Apache-2.0
"""Nova, Cinder and Glance as far as points of servers go, in memory; written down from what the real ones answered."""

from __future__ import annotations

import copy
import json as texts
from collections.abc import Iterator
from typing import Any

from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.fake_cloud import FakeApi, Killed

__all__ = ["AGENT", "FakeCloud", "Killed"]
AGENT = {"hw_qemu_guest_agent": "yes", "os_require_quiesce": "True"}


class FakeCloud(FakeApi):
    """A server with volumes."""

    def __init__(self, *volumes: str, from_volume: bool = True, status: str = "ACTIVE", agent: bool = True) -> None:
        super().__init__()
        self.volumes = {one: self._volume(one, agent and not index) for index, one in enumerate(volumes)}
        attached = [{"id": one} for one in volumes]
        self.server = {
            "id": "s1",
            "name": "web",
            "status": status,
            "tenant_id": "p1",
            "image": "" if from_volume else {"id": "i0"},
            "os-extended-volumes:volumes_attached": attached,
        }
        self.snapshots: dict[str, dict[str, Any]] = {}
        self.images: dict[str, dict[str, Any]] = {}
        self.actions: list[dict[str, str]] = []
        self.limits = {"maxTotalSnapshots": 10, "totalSnapshotsUsed": 0, "maxTotalVolumeGigabytes": -1}
        self.made = 0  # images, those that are gone as well
        self.slow = 0  # looks at a snapshot before it is available
        self.busy = 0  # refusals to delete a snapshot
        self.broken: set[str] = set()  # volumes whose snapshots fail
        self.hides_actions = False
        self.starts = False  # somebody starts the server while Nova makes its image

    @staticmethod
    def _volume(name: str, root: bool) -> dict[str, Any]:
        device = {"server_id": "s1", "device": f"/dev/{name}"}
        properties = {"volume_image_metadata": AGENT} if root else {}
        return {"id": name, "size": 1, "status": "in-use", "bootable": "true", "attachments": [device], **properties}

    def microversion(self, _service: str, wanted: str) -> str:
        return wanted

    def pages(self, _service: str, path: str, _key: str, **query: Any) -> Iterator[dict[str, Any]]:
        if path == "/servers/detail":
            yield copy.deepcopy(self.server)
        elif path == "/images":
            wanted = {name: query[name] for name in ("name", "scs_landscape_kind") if name in query}
            for one in copy.deepcopy(list(self.images.values())):
                if wanted.items() <= one.items():
                    yield one
        else:
            for one in copy.deepcopy(list(self.snapshots.values())):
                if query.get("volume_id") in (None, one["volume_id"]):
                    yield one

    def _answer(self, method: str, path: list[str], body: Any) -> tuple[int, Any]:
        if path == ["limits"]:
            return 200, {"limits": {"absolute": {**self.limits, "totalSnapshotsUsed": len(self.snapshots)}}}
        if path[-1] == "os-instance-actions":
            return (403, None) if self.hides_actions else (200, {"instanceActions": list(self.actions)})
        if path[-1] == "action":
            return 202, {"image_id": self._image(body["createImage"])}
        if path == ["snapshots"]:
            wanted = body["snapshot"]
            return 202, {"snapshot": self._snapshot(wanted["volume_id"], wanted["name"], wanted["metadata"])}
        if path[0] == "servers":
            return (200, {"server": copy.deepcopy(self.server)}) if path[1] == "s1" else (404, None)
        if path[-1] == "metadata":
            self.snapshots[path[1]]["metadata"].update(body["metadata"])
            return 200, {}
        kept = {"volumes": self.volumes, "snapshots": self.snapshots, "images": self.images}[path[0]]
        if path[1] not in kept:
            return 404, None
        return self._delete(kept, path) if method == "DELETE" else self._show(kept, path)

    def _show(self, kept: dict[str, dict[str, Any]], path: list[str]) -> tuple[int, Any]:
        found = kept[path[1]]
        if path[0] == "snapshots" and found["status"] == "creating":
            found["looks"] -= 1
            if found["looks"] < 0:
                found["status"] = "error" if found["volume_id"] in self.broken else "available"
        return 200, {path[0][:-1]: copy.deepcopy(found)}

    def _delete(self, kept: dict[str, dict[str, Any]], path: list[str]) -> tuple[int, Any]:
        if path[0] == "snapshots" and self.busy:
            self.busy -= 1
            return 400, {"badRequest": {"message": "Snapshot is backing-up"}}
        del kept[path[1]]
        return (202 if path[0] == "snapshots" else 204), None

    def _image(self, wanted: dict[str, Any]) -> str:
        self.actions.append({"action": "createImage", "request_id": f"req-{len(self.actions)}"})
        made = [self._snapshot(one, f"snapshot for {wanted['name']}", {}) for one in self.volumes]
        mapping = texts.dumps([{"snapshot_id": one["id"]} for one in made])
        identifier = f"image-{self.made}"
        self.made += 1
        self.images[identifier] = {
            "id": identifier,
            "name": wanted["name"],
            "status": "active",
            "created_at": "2026-11-22T01:00:09Z",
            "block_device_mapping": mapping,
            **wanted["metadata"],
        }
        if self.starts:
            self.server["status"] = "ACTIVE"
        return identifier

    def _snapshot(self, volume: str, name: str, metadata: dict[str, str]) -> dict[str, Any]:
        identifier = f"snap-{volume}-{len(self.writes)}"
        self.snapshots[identifier] = {
            "id": identifier,
            "name": name,
            "volume_id": volume,
            "size": 1,
            "status": "creating",
            "looks": self.slow,
            "created_at": f"2026-11-22T01:00:0{len(self.snapshots) % 10}.000000",
            "metadata": dict(metadata),
        }
        return {"id": identifier}
