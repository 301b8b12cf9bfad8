# SPDX-License-Identifier: Apache-2.0
"""Volumes and backups in the lab's Cinder that a test fills, backs up and looks at past all APIs."""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import blocks, model, readers, volumes
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.manifest import BlockMap
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk

GIB = 1024**3
#: What ends a wait in these tests; a machine that is five times slower is still in time.
PATIENCE = 900.0


class Vault:
    """A project with volumes.

    :param digests: folder with the lists of digests.
    """

    def __init__(self, desk: Desk, digests: Path) -> None:
        self.desk, self.digests = desk, digests
        share = desk.cloud.share
        self.reader = {"kind": "file", "path": f"{share}/volume-{{id}}"}

    def volume(self, name: str, size: int = 1, **more: Any) -> str:
        """A new volume, available."""
        with self.desk.session() as cloud:
            body = {"volume": {"size": size, "name": name, **more}}
            identifier = str(cloud.call("block-storage", "POST", "/volumes", json=body).body["volume"]["id"])
        self.until("volumes", identifier, "available")
        return identifier

    def path(self, volume: str) -> Path:
        """Its file."""
        return Path(self.desk.cloud.share) / f"volume-{volume}"

    def write(self, volume: str, seed: int, count: int = 8, size: int = 1 << 20) -> None:
        """Random bytes at random places of a volume."""
        chance = random.Random(seed)
        with open(self.path(volume), "r+b") as file:
            for _number in range(count):
                file.seek(chance.randrange(GIB - size))
                file.write(chance.randbytes(size))

    def sha256(self, volume: str) -> str:
        """Digest of the bytes in the back end, read by the test itself."""
        whole = hashlib.sha256()
        with open(self.path(volume), "rb") as file:
            for chunk in iter(lambda: file.read(1 << 22), b""):
                whole.update(chunk)
        return whole.hexdigest()

    def backup(self, volume: str, name: str, *, digest: bool = True, **more: Any) -> str:
        """A backup with our metadata, available; its digests are taken of the volume, which nobody uses."""
        metadata = {model.RUN: "test"}
        if digest:
            metadata[model.DIGEST] = self.take(volume).root
        with self.desk.session() as cloud:
            identifier = Cinder(cloud).begin_backup(volume, name=name, metadata=metadata, **more)
        self.until("backups", identifier, "available")
        return identifier

    def take(self, volume: str) -> BlockMap:
        """Digests of a volume."""
        reader = readers.reader_of(self.reader)
        with reader.open(readers.Subject(volume)) as stream:
            return blocks.take(stream, volume, GIB, str(self.digests))

    def show(self, kind: str, identifier: str) -> dict[str, Any] | None:
        """A volume or backup as Cinder shows it; nothing when it is gone."""
        with self.desk.session() as cloud:
            answer = cloud.call("block-storage", "GET", f"/{kind}/{identifier}", accept=(404,), microversion="3.64")
        return None if answer.status == 404 else dict(answer.body[kind[:-1]])

    def all(self, kind: str) -> list[dict[str, Any]]:
        """All volumes or backups of the project."""
        with self.desk.session() as cloud:
            return list(cloud.pages("block-storage", f"/{kind}/detail", kind, microversion="3.64"))

    def scratch(self) -> list[str]:
        """Ids of scratch volumes, of whatever run."""
        return [one["id"] for one in self.all("volumes") if one["name"].startswith(volumes.PREFIX)]

    def until(self, kind: str, identifier: str, status: str) -> None:
        """Waits for a state."""
        end, found = time.monotonic() + PATIENCE, None
        while time.monotonic() < end:
            found = self.show(kind, identifier)
            if (found is None and not status) or (found and found["status"] == status):
                return
            assert found is None or "error" not in found["status"], found
            time.sleep(0.5)
        raise AssertionError(f"{kind} {identifier} is not {status or 'gone'}: {found}")

    def objects(self, backup: str) -> list[Path]:
        """Files in the backup store that hold the bytes of a backup, not what describes them."""
        store = Path(self.desk.cloud.backups)
        return [path for path in sorted(store.rglob(f"*backup_{backup}*-[0-9]*")) if path.is_file()]

    def flip(self, backup: str, seed: int) -> Path:
        """Turns one bit of one object of a backup."""
        chance = random.Random(seed)
        path = chance.choice(self.objects(backup))
        with open(path, "r+b") as file:
            place = chance.randrange(os.path.getsize(path))
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ 1 << chance.randrange(8)]))
        return path

    def clean(self) -> None:
        """Removes all backups, those that stand on others first, and all volumes."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = [("backups", one) for one in self.all("backups")] or [
                ("volumes", one) for one in self.all("volumes")
            ]
            if not found:
                return
            with self.desk.session() as cloud:
                for kind, one in found:
                    free = not one.get("has_dependent_backups") and one["status"] != "deleting"
                    if free:
                        cloud.call("block-storage", "DELETE", f"/{kind}/{one['id']}", accept=(400, 404, 409))
            time.sleep(0.5)
        raise AssertionError("not everything is gone")


def vault_of(desk: Desk, folder: Path) -> Iterator[Vault]:
    """A vault for one test, emptied afterwards."""
    found = Vault(desk, folder / "digests")
    yield found
    found.clean()
