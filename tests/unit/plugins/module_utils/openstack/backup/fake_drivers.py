# SPDX-License-Identifier: Apache-2.0
"""A Cinder in memory whose volumes are files that real readers read, and whose backups are in a store of one of two kinds.

Both kinds keep of an incremental backup what differs from its parent, and nothing else. That of Ceph loses bytes in the ways in
which Cinder's driver for Ceph was seen to lose them (Cinder 29.0, Ceph 18.2, ``test_volume_backup_rbd.py`` of the lab).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_restores import (
    FakeRestores,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.test_volume_backup_run_points import (
    Machine,
)

#: Bytes of a GiB of these volumes: the programs that read them read everything.
GIB = 1 << 24
#: Bytes of a piece of which the store has a copy or not.
PIECE = 4096
#: What stands where ``rbd`` would: an image, or its snapshot, is a file beside the others.
_RBD = """#!/bin/sh
test "$*" = "--conf /etc/ceph/ceph.conf --id cinder export --no-progress $7 -" || exit 64
echo "$7" >> "{folder}/exports"
exec cat "{folder}/images/$7"
"""


def pieces(data: bytes) -> dict[int, bytes]:
    return {place: data[place : place + PIECE] for place in range(0, len(data), PIECE)}


class Drivers(Machine, FakeRestores):
    """A cloud with one server and a backup store.

    :param volumes: of the server.
    :ivar store: pieces of each backup whose bytes are there.
    :ivar images: with Ceph's driver, which backups an image of the pool of backups holds, by its name.
    """

    def __init__(self, folder: Path, *volumes: str, ceph: bool) -> None:
        super().__init__(*volumes, agent=False)
        self.folder, self.ceph = folder, ceph
        self.store: dict[str, dict[int, bytes]] = {}
        self.images: dict[str, list[str]] = {}
        (folder / "images/volumes").mkdir(parents=True)
        for one in volumes:
            self.write(one, one.encode() * 1000)

    # Where volumes are.

    def path(self, volume: str, snapshot: str = "") -> Path:
        return self.folder / "images/volumes" / (f"volume-{volume}" + (f"@snapshot-{snapshot}" if snapshot else ""))

    def write(self, volume: str, data: bytes) -> None:
        """What a guest writes: all of a volume."""
        self.data[volume] = data
        self._lay(self.path(volume), data)

    @staticmethod
    def _lay(path: Path, data: bytes) -> None:
        path.write_bytes(data)
        os.truncate(path, GIB)

    def reader(self, kind: str) -> dict[str, Any]:
        """Option ``reader`` of the modules; ``rbd`` has to be found in :meth:`programs`."""
        place = self.folder / "images/volumes"
        if kind == "rbd":
            return {"kind": kind, "pool": "volumes", "conf": "/etc/ceph/ceph.conf", "user": "cinder"}
        return {"kind": kind, "path": f"{place}/volume-{{id}}", "snapshot_path": f"{place}/*@snapshot-{{snapshot}}"}

    def programs(self) -> Path:
        """A folder with the program."""
        path = self.folder / "bin/rbd"
        path.parent.mkdir()
        path.write_text(_RBD.format(folder=self.folder), encoding="utf-8")
        path.chmod(0o755)
        return path.parent

    def exports(self) -> list[str]:
        """What the program was asked for."""
        path = self.folder / "exports"
        return path.read_text(encoding="utf-8").split() if path.exists() else []

    def call(self, service: str, method: str, path: str, **options: Any) -> Any:
        """Snapshots are copies."""
        with self._lock:
            answer = super().call(service, method, path, **options)
            for name, one in self.snapshots.items():
                if name not in self.data:
                    self.data[name] = self.data[one["volume_id"]]
                    self._lay(self.path(one["volume_id"], name), self.data[name])
        return answer

    # Where backups are.

    def whole(self, backup: str) -> bytes | None:
        """What the store has of a backup, put together; nothing when bytes of it are gone."""
        below: dict[int, bytes] = {}
        if backup in self.parents:
            under = self.whole(self.parents[backup])
            if under is None:
                return None
            below = pieces(under)
        if backup not in self.store:
            return None
        return b"".join(piece for _place, piece in sorted({**below, **self.store[backup]}.items()))

    def _begin(self, body: Any) -> tuple[int, Any]:
        status, answer = super()._begin(body)
        if status == 202:
            made = answer["backup"]["id"]
            data, self.data[made] = self.data[made], b""
            failed = self._place(self.backups[made]) if self.ceph else ""
            if failed:
                self.backups[made]["_fails"] = failed
            elif made in self.parents:
                below = pieces(self.whole(self.parents[made]) or b"")
                now = pieces(data)
                self.store[made] = {place: piece for place, piece in now.items() if below.get(place) != piece}
            else:
                self.store[made] = pieces(data)
        return status, answer

    def _place(self, made: dict[str, Any]) -> str:
        """Finds Ceph's driver an image; why it cannot."""
        volume, parent = made["volume_id"], self.parents.get(made["id"])
        base = f"volume-{volume}.backup.base"
        if made["snapshot_id"]:
            if base in self.images:
                return "[errno 17] RBD image already exists (error creating image)"
            self.images[base] = [made["id"]]
        elif parent and parent in self.images.get(base, ()):
            self._lose(base)  # the driver clears up behind itself
            return "[errno 2] RBD image not found"
        elif parent:
            next(held for held in self.images.values() if parent in held).append(made["id"])
        else:
            self.images[f"volume-{volume}.backup.{made['id']}"] = [made["id"]]
        return ""

    def _lose(self, image: str) -> None:
        for one in self.images.pop(image, ()):
            self.store.pop(one, None)

    def _drop(self, identifier: str) -> None:
        volume = self.backups[identifier]["volume_id"]
        super()._drop(identifier)
        if not self.ceph:
            self.store.pop(identifier, None)
            return
        own = next((name for name, held in self.images.items() if identifier in held), "")
        if not own:
            self._lose(f"volume-{volume}.backup.base")
        elif self.images[own] == [identifier]:
            self._lose(own)
        else:
            self.images[own].remove(identifier)
            self.store.pop(identifier)

    def _fill(self, volume: str, backup: str) -> None:
        whole = self.whole(backup)
        if whole is None:
            self.ends.insert(0, "error")
        self.data[backup] = whole or b""
        super()._fill(volume, backup)
        self.data[backup] = b""
        self._lay(self.path(volume), self.data[volume])
