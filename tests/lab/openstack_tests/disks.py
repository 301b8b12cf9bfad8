# SPDX-License-Identifier: Apache-2.0
"""Volumes whose bytes the test knows: written past Cinder into the files of the lab's back end, and read there again."""

from __future__ import annotations

import dataclasses
import hashlib
import random
import time
from collections.abc import Callable
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import cinder, model
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.tools import yardstick

GIB = 1 << 30
_PIECE = 1 << 20
#: Seconds that one thing at Cinder may take on an idle machine; a busy one gets more.
PATIENCE = 120


@dataclasses.dataclass
class Disks:
    """Volumes of one test.

    :param mark: part of the name of everything the test makes.
    """

    desk: Desk
    mark: str
    random: random.Random

    def make(self, name: str, size: int = 1, written: int = 3, **more: Any) -> str:
        """Id of a new volume with some random blocks."""
        with self.desk.session() as cloud:
            made = cinder.Cinder(cloud).begin_volume(size=size, name=f"{self.mark}-{name}", metadata=more)
        self.until(made, "available")
        self.write(made, written)
        return made

    def write(self, volume: str, blocks: int = 3) -> None:
        """Random blocks at random places."""
        path = self.desk.cloud.share / f"volume-{volume}"
        with path.open("r+b") as file:
            size = file.seek(0, 2)
            for _number in range(blocks):
                file.seek(self.random.randrange(0, size - 200_000))
                file.write(self.random.randbytes(self.random.randrange(1, 200_000)))

    def digest(self, volume: str, size: int = 1) -> str:
        """SHA-256 of all bytes of a volume; a file that ends early ends in zeros."""
        found, left = hashlib.sha256(), size * GIB
        with (self.desk.cloud.share / f"volume-{volume}").open("rb") as file:
            while left:
                piece = file.read(min(_PIECE, left)) or bytes(min(_PIECE, left))
                found.update(piece)
                left -= len(piece)
        return found.hexdigest()

    def restored(self, backup: str, size: int = 1) -> str:
        """SHA-256 of what a restore of a backup gives; the volume is removed again."""
        with self.desk.session() as cloud:
            there = cinder.Cinder(cloud)
            made = there.begin_volume(size=size, name=f"{self.mark}-restored", metadata={}, backup=backup)
            self.until(made, "available")
            found = self.digest(made, size)
            there.delete_volume(made)
        return found

    def volume(self, identifier: str) -> model.Volume | None:
        """As Cinder shows it."""
        with self.desk.session() as cloud:
            return cinder.Cinder(cloud).volume(identifier)

    def backups(self) -> list[model.Backup]:
        """Backups of this test's volumes, oldest first; also those whose volume is gone."""
        with self.desk.session() as cloud:
            found = [one for one in cinder.Cinder(cloud).backups() if one.name.startswith(self.mark)]
        return sorted(found, key=lambda one: model.moment(one.created))

    def act(self, volume: str, action: str, user: str = "", **what: Any) -> None:
        """An action on a volume."""
        with self.desk.session(user) as cloud:
            cloud.call("block-storage", "POST", f"/volumes/{volume}/action", json={action: what}, repeat=False)

    def until(self, volume: str, status: str) -> None:
        """Waits for a volume's state."""
        with self.desk.session() as cloud:
            there = cinder.Cinder(cloud)

            def reached() -> bool:
                one = there.volume(volume)
                assert one is None or not one.status.startswith("error"), one
                return (one.status if one else "") == status

            assert until(reached, PATIENCE * yardstick.pace()), f"volume {volume} is {there.volume(volume)}"

    def detach_all(self) -> None:
        """Sets back what tests attached without a server; Cinder would ask Nova for one that is not there."""
        with self.desk.session() as cloud:
            attached = [
                one.id for one in cinder.Cinder(cloud).volumes() if one.in_use and one.name.startswith(self.mark)
            ]
        for volume in attached:
            self.act(volume, "os-reset_status", "admin", status="available", attach_status="detached")

    def temporary(self) -> list[str]:
        """What Cinder's database has beside the volumes that tests made: copies and snapshots for a backup."""
        rows = self.desk.cloud.database(
            "select id from cinder.volumes where deleted = 0 and display_name like 'backup-vol-%'"
            " union select id from cinder.snapshots where deleted = 0"
        )
        return [row[0] for row in rows]


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether something became true in time."""
    end = time.monotonic() + max(seconds, 1.0)
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.3)
    return condition()
