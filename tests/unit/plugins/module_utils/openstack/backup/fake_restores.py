# SPDX-License-Identifier: Apache-2.0
"""A Cinder in memory whose restores may fail, and a reader of its bytes."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import blocks, model, readers
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.volumes import Patience
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import FakeCinder

GIB = 1024**3
#: Bytes of a block in these tests: volumes are GiB, and nearly all of them is a hole.
BLOCK = 65536


class FakeRestores(FakeCinder):
    """Stands where :class:`client.Cloud` stands.

    :ivar ends: status of the volumes of the next restores, in order; empty for ``available``, ``stuck`` for never.
    :ivar damaged: other bytes that a restore of a backup gives, by its id.
    :ivar most_restores: how many restores of one backup were under way at once at most.
    :ivar lengths: bytes that there are of a volume, where that is not its size; by id of the backup it was made of.
    """

    def __init__(self, duration: float = 30.0) -> None:
        super().__init__(duration)
        self.ends: list[str] = []
        self.damaged: dict[str, bytes] = {}
        self.lengths: dict[str, int] = {}
        self.quota.update(maxTotalVolumes=10, maxTotalVolumeGigabytes=1000)
        self.sources: dict[str, str] = {}
        self.most_volumes = self.most_restores = 0

    def pages(self, service: str, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        for one in super().pages(service, path, key, **query):
            yield {**one, "size": int(one["size"])} if "size" in one else one

    def _answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if method == "POST" and path.endswith("/metadata"):
            found = self.volumes.get(path.split("/")[2])
            if found is None:
                return 404, None
            found["metadata"] = {**found["metadata"], **body["metadata"]}
            return 200, {"metadata": found["metadata"]}
        return super()._answer(method, path, body)

    def _limits(self, body: Any) -> tuple[int, Any]:
        status, answer = super()._limits(body)
        used = {
            "totalVolumesUsed": len(self.volumes),
            "totalGigabytesUsed": sum(v["size"] for v in self.volumes.values()),
        }
        return status, {"limits": {"absolute": {**answer["limits"]["absolute"], **used}}}

    def _create_volume(self, body: Any) -> tuple[int, Any]:
        source = body["volume"].get("backup_id")
        status, answer = super()._create_volume(body)
        if status == 202:
            self._fill(answer["volume"]["id"], source)
            answer["volume"]["status"] = "creating"
        self.most_volumes = max(self.most_volumes, sum("scratch" in one["name"] for one in self.volumes.values()))
        return status, answer

    def _restore(self, body: Any, identifier: str) -> tuple[int, Any]:
        status, answer = super()._restore(body, identifier)
        if status == 202:
            self._fill(body["restore"]["volume_id"], identifier)
        return status, answer

    def _fill(self, volume: str, backup: str) -> None:
        self.volumes[volume]["_ends"] = self.ends.pop(0) if self.ends else ""
        self.sources[volume] = backup
        self.backups[backup]["status"] = "restoring"
        busy = [one for one, source in self.sources.items() if source == backup and one in self.volumes]
        under_way = [one for one in busy if self.volumes[one]["status"] in ("creating", "restoring-backup")]
        self.most_restores = max(self.most_restores, len(under_way))
        self.data[volume] = self.damaged.get(backup, self.data[backup])
        self.volumes[volume]["encrypted"] = self.volumes[volume]["volume_type"] == "luks"

    def _settle(self) -> None:
        for one in self.volumes.values():
            busy = one["status"] in ("creating", "restoring-backup")
            if busy and one.get("_ends") == "stuck":
                one["_due"] = self.now + datetime.timedelta(days=1)
            elif busy and self.now >= one.get("_due", self.now):
                one["status"] = one.pop("_ends", "") or "available"
                if one["id"] in self.sources and self.sources[one["id"]] in self.backups:
                    backup = self.backups[self.sources[one["id"]]]
                    backup["status"] = "available"
                    # What the source had replaces what is there; then, if all went well, Cinder adds its own word.
                    one["metadata"] = dict(backup.get("_meta") or one["metadata"])
                    if one["status"] == "available":
                        one["metadata"]["src_backup_id"] = backup["id"]
        super()._settle()

    def _delete(self, _body: Any, kind: str, identifier: str) -> tuple[int, Any]:
        found = getattr(self, kind).get(identifier)
        if found is not None and found["status"] in ("creating", "restoring-backup"):
            return 400, {"badRequest": {"message": "Invalid volume: it is in use."}}
        return super()._delete(_body, kind, identifier)

    # What a test arranges.

    def patience(self, within: float = 600.0) -> Patience:
        """Waiting in the time of this Cinder."""
        return Patience(within=within, sleep=self.sleep, clock=self.clock, now=self.clock)

    def connect(self, _params: Any, parallel: int = 4) -> FakeRestores:
        """Stands where ``client.connect`` stands."""
        return self

    def back_up(self, identifier: str, volume: str, content: bytes, digests: str, **more: Any) -> str:
        """A backup of ours with a list of digests."""
        size = more.get("size", self.volumes[volume]["size"])
        self.data[volume] = content
        with FakeReader(self).open(readers.Subject(volume)) as stream:
            root = blocks.take(stream, volume, size * GIB, digests, block=BLOCK).root
        metadata = {model.RUN: "r1", model.DIGEST: root, **more.pop("metadata", {})}
        self.add_backup(identifier, volume, metadata=metadata, _meta=dict(self.volumes[volume]["metadata"]), **more)
        self.data[identifier] = content
        self.pass_by(minutes=1)
        return root


class FakeReader:
    """Reads the bytes of a :class:`FakeRestores`: those it has, then a hole."""

    def __init__(self, fake: FakeRestores) -> None:
        self.fake, self.opened = fake, 0

    @contextlib.contextmanager
    def open(self, subject: readers.Subject) -> Iterator[Any]:
        """As a reader's."""
        self.opened += 1
        yield _Stream(self.fake, subject.volume)


class _Stream:
    def __init__(self, fake: FakeRestores, volume: str) -> None:
        self.name = f"volume-{volume}"
        self._data = fake.data[volume]
        whole = fake.volumes[volume]["size"] * GIB
        self._size = fake.lengths.get(fake.sources.get(volume, ""), whole)

    def blocks(self, size: int) -> Iterator[Any]:
        """As a stream's."""
        place = 0
        while place < min(len(self._data), self._size):
            piece = self._data[place : place + size]
            yield piece.ljust(min(size, self._size - place), b"\0")
            place += size
        holes = max(0, self._size - place) // size
        if holes:
            yield holes
            place += holes * size
        if place < self._size:
            yield bytes(self._size - place)
