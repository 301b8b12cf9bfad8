# SPDX-License-Identifier: Apache-2.0
"""Cinder with a file back end and Glance, in memory and in a folder: what they accept and show is written down from the real ones."""

from __future__ import annotations

import copy
import hashlib
import itertools
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.openstack import model
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.fake_cloud import FakeApi, Killed

__all__ = ["EXPORT", "FakeVolumes", "Killed"]
GIB = 1 << 30
EXPORT = "nfs.example.org:/volumes"


def disk_of(image: bytes) -> Iterator[tuple[int, bytes]]:
    """Offsets and bytes of the disk of an image, raw or QCOW2 (docs/interop/qcow2.txt of QEMU)."""
    if image[:4] != b"QFI\xfb":
        yield 0, image
        return
    bits, size = struct.unpack_from(">IQ", image, 20)
    (count,), (table,) = struct.unpack_from(">I", image, 36), struct.unpack_from(">Q", image, 40)
    cluster, mask = 1 << bits, (1 << 56) - (1 << 9)
    for number, entry in enumerate(struct.unpack_from(f">{count}Q", image, table)):
        entries = struct.unpack_from(f">{cluster // 8}Q", image, entry & mask) if entry else ()
        for index, one in enumerate(entries):
            offset = (number * cluster // 8 + index) * cluster
            if one:
                yield offset, image[one & mask : (one & mask) + min(cluster, size - offset)]


class FakeVolumes(FakeApi):
    """A project with volumes and images.

    :param share: folder that stands for the share.
    :ivar connection: changes what an attachment says of its connection.
    :ivar refuse: status and number of bytes with which the next uploads are refused, in order.
    :ivar flips: whether the image service changes a bit.
    :ivar trouble: number of the write that is answered with a status, that status, and whether the service had acted.
    :ivar fills: status in which the next volumes end that are made, instead of ``available``.
    """

    def __init__(self, share: Path) -> None:
        super().__init__()
        self.share = share
        self.number = itertools.count(1)
        self.volumes: dict[str, dict[str, Any]] = {}
        self.attachments: dict[str, dict[str, Any]] = {}
        self.images: dict[str, dict[str, Any]] = {}
        self.bytes: dict[str, bytes] = {}
        self.connection: dict[str, Any] = {}
        self.refuse: list[tuple[int, int]] = []
        self.trouble: tuple[int, int, bool] | None = None
        self.fills: list[str] = []
        self.flips = self.cloned = False
        self.limits = {"maxTotalVolumes": 10, "totalVolumesUsed": 0, "maxTotalVolumeGigabytes": 100}
        self.sent = 0
        self.kinds: tuple[str, ...] = ("lab", "fast")
        self.watch: Callable[[str, str], None] = lambda _method, _path: None

    # What a client asks.

    def microversion(self, _service: str, wanted: str) -> str | None:
        return wanted

    def call(self, service: str, method: str, path: str, *, data: Any = None, **more: Any) -> Any:
        self.watch(method, path)
        trouble, body = self.trouble, data
        if method == "GET" or not trouble or len(self.writes) != trouble[0]:
            return self._done(service, method, path, body, more)
        self.trouble, (_number, status, acted) = None, trouble
        if body is not None and not acted:
            self.refuse = [(status, len(body) // 2)]
        if body is not None or acted:
            self._done(service, method, path, body, more)
        else:
            self.writes.append((method, path))
        if status in more.get("accept", ()):
            return model.Answer(status)
        raise model.refusal(service, method, path, model.Answer(status))

    def _done(self, service: str, method: str, path: str, data: Any, more: dict[str, Any]) -> Any:
        if data is not None:
            return self._upload(service, method, path, data)
        return super().call(service, method, path, **more)

    def pages(self, _service: str, path: str, _key: str, **query: Any) -> Iterator[dict[str, Any]]:
        if path == "/types":
            yield from ({"name": one} for one in self.kinds)
            return
        kept = {"/volumes/detail": self.volumes, "/attachments/detail": self.attachments, "/images": self.images}[path]
        for one in list(kept.values()):
            if path == "/images" and one["os_hidden"] != (query["os_hidden"] == "true"):
                continue
            yield copy.deepcopy(one)

    def stream(self, _service: str, path: str, **_more: Any) -> Iterator[bytes]:
        data = self.bytes[path.split("/")[2]]
        yield from (data[at : at + 100_000] for at in range(0, len(data), 100_000))

    # What the services do.

    def _upload(self, service: str, method: str, path: str, body: Any) -> Any:
        if self.kill_after is not None and len(self.writes) >= self.kill_after:
            raise Killed
        self.writes.append((method, path))
        image, found = self.images[path.split("/")[2]], bytearray()
        image["status"] = "saving"
        refused = self.refuse.pop(0) if self.refuse else None
        while True:
            if refused and len(found) >= refused[1]:
                image["status"] = "queued"
                raise model.refusal(service, method, path, model.Answer(refused[0]))
            try:
                part = body.read(8192)
            except Exception:
                image["status"] = "queued"
                raise
            if not part:
                break
            found += part
        assert len(found) == len(body)
        self.sent += len(found)
        if self.flips:
            found[-1] ^= 1
        self.bytes[image["id"]] = bytes(found)
        digest = hashlib.sha512(found).hexdigest()
        image.update(status="active", size=len(found), os_hash_algo="sha512", os_hash_value=digest)
        return model.Answer(204)

    def _answer(self, method: str, path: list[str], body: Any) -> tuple[int, Any]:
        kind = path[0]
        if kind == "limits":
            return 200, {"limits": {"absolute": dict(self.limits)}}
        if kind == "os-availability-zone":
            return 200, {"availabilityZoneInfo": [{"zoneName": "nova", "zoneState": {"available": True}}]}
        return getattr(self, f"_{kind}")(method, path, body)

    def _images(self, method: str, path: list[str], body: Any) -> tuple[int, Any]:
        if method == "POST":
            self.images[body["id"]] = {
                "status": "queued",
                "owner": self.project_id,
                "updated_at": "2026-01-01T00:00:00Z",
                **body,
            }
            return 201, copy.deepcopy(self.images[body["id"]])
        if path[1] not in self.images:
            return 404, None
        if method == "DELETE":
            if self.cloned:
                return 409, None
            del self.images[path[1]]
            return 204, None
        for change in body if method == "PATCH" else ():
            name = change["path"][1:]
            if change["op"] == "remove":
                del self.images[path[1]][name]
            else:
                self.images[path[1]][name] = change["value"]
        return 200, copy.deepcopy(self.images[path[1]])

    def _volumes(self, method: str, path: list[str], body: Any) -> tuple[int, Any]:
        if len(path) == 1:
            return 202, {"volume": self._made(body["volume"])}
        found = self.volumes.get(path[1])
        if found is None:
            return 404, None
        if path[-1] == "action":
            return self._acted(found, body)
        if path[-1] == "metadata":
            found["metadata"].update(body["metadata"])
        elif len(path) == 4:
            return (200 if found["metadata"].pop(path[3], None) is not None else 404), None
        elif method == "DELETE":
            if found["status"] not in ("available", "error"):
                return 400, {"badRequest": {"message": f"it is {found['status']}"}}
            del self.volumes[path[1]]
            self.path(path[1]).unlink()
            return 202, None
        elif method == "PUT":
            found.update(body["volume"])
        return 200, {"volume": copy.deepcopy(found)}

    def _made(self, wanted: dict[str, Any]) -> dict[str, Any]:
        identifier = f"vol-{next(self.number)}"
        image = wanted.pop("imageRef", "")
        base = {"status": "available", "bootable": "false", "volume_type": "lab", "availability_zone": "nova"}
        more = {"id": identifier, "created_at": f"{len(self.writes):06}", "attachments": [], "description": None}
        self.volumes[identifier] = {**base, **more, **wanted}
        with self.path(identifier).open("wb") as file:
            file.truncate(wanted["size"] * GIB)
            for offset, data in disk_of(self.bytes[image]) if image else ():
                file.seek(offset)
                file.write(data)
        if image:
            left = {"image_id": image, "migration_state": "writing", "container_format": "bare"}
            self.volumes[identifier].update(bootable="true", volume_image_metadata=left)
        if self.fills:
            self.volumes[identifier]["status"] = self.fills.pop(0)
        return copy.deepcopy(self.volumes[identifier])

    def path(self, volume: str) -> Path:
        return self.share / f"volume-{volume}"

    def _acted(self, found: dict[str, Any], body: dict[str, Any]) -> tuple[int, Any]:
        ((action, what),) = body.items()
        if action == "os-set_bootable":
            found["bootable"] = str(what["bootable"]).lower()
        elif action == "os-set_image_metadata":
            found.setdefault("volume_image_metadata", {}).update(what["metadata"])
        else:
            gone = found.get("volume_image_metadata", {}).pop(what["key"], None)
            return (404 if gone is None else 200), None
        return 200, None

    def _attachments(self, method: str, path: list[str], body: Any) -> tuple[int, Any]:
        if len(path) == 1:
            wanted = body["attachment"]
            volume = self.volumes[wanted["volume_uuid"]]
            if volume["status"] != "available":
                return 400, {"badRequest": {"message": f"volume is {volume['status']}"}}
            info = {"driver_volume_type": "nfs", "export": EXPORT, "name": f"volume-{volume['id']}", "format": "raw"}
            made = {"id": f"att-{next(self.number)}", "volume_id": volume["id"], "instance": None}
            made["connection_info"] = {**info, "encrypted": False, **self.connection}
            self.attachments[made["id"]] = made
            volume["status"] = "attaching"
            return 200, {"attachment": copy.deepcopy(made)}
        found = self.attachments.get(path[1])
        if found is None:
            return 404, None
        if path[-1] == "action":
            self.volumes[found["volume_id"]]["status"] = "in-use"
            return 204, None
        assert method == "DELETE"
        del self.attachments[path[1]]
        self.volumes[found["volume_id"]]["status"] = "available"
        return 200, {"attachments": []}
