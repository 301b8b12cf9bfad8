# SPDX-License-Identifier: Apache-2.0
"""Histories of backups as Cinder makes them, with the truth that it does not show."""

from __future__ import annotations

import dataclasses
import datetime
import random

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.model import Backup
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import FakeCinder

BEGIN = datetime.datetime(2025, 10, 1, 2, 0, 0)


def text(when: datetime.datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.000000")


@dataclasses.dataclass
class History:
    """One volume of one project. What it does follows ``cinder/backup/api.py``, the one place where parents are chosen."""

    volume: str = "v1"
    project: str = "p1"
    now: datetime.datetime = BEGIN
    backups: dict[str, Backup] = dataclasses.field(default_factory=dict)
    parents: dict[str, str] = dataclasses.field(default_factory=dict)

    def take(
        self,
        incremental: bool = False,
        *,
        ours: bool = True,
        status: str = "available",
        snapshot: datetime.datetime | None = None,
        **metadata: str,
    ) -> Backup:
        """A backup that is made now, at once done."""
        parent = self._parent(snapshot) if incremental else ""
        identifier = f"{self.volume}-{len(self.backups) + 1:03}"
        if ours:
            metadata = {model.RUN: "r1", **metadata}
        made = Backup(
            id=identifier,
            volume=self.volume,
            name=f"b{len(self.backups) + 1}",
            size=1,
            status=status,
            incremental=bool(parent),
            taken=text(snapshot or self.now),
            created=text(self.now),
            snapshot="s1" if snapshot else "",
            project=self.project,
            metadata=metadata,
        )
        self.backups[identifier] = made
        if parent:
            self.parents[identifier] = parent
        return made

    def _parent(self, snapshot: datetime.datetime | None) -> str:
        good = [one for one in self.backups.values() if one.available]
        if snapshot:
            good = [one for one in good if one.taken < text(snapshot)]
        return max(good, key=lambda one: one.taken).id if good else ""

    def wait(self, **time: float) -> None:
        self.now += datetime.timedelta(**time)

    def delete(self, identifier: str) -> None:
        """As Cinder does it: what something stands on is refused."""
        assert identifier not in self.parents.values(), f"Cinder's 400: something stands on {identifier}"
        del self.backups[identifier]
        self.parents.pop(identifier, None)

    def shown(self) -> list[Backup]:
        """What the API shows, the newest first; children count once they are done."""
        done = {
            self.parents[one.id]
            for one in self.backups.values()
            if one.id in self.parents and one.status not in ("creating", "error")
        }
        found = [dataclasses.replace(one, dependents=one.id in done) for one in self.backups.values()]
        return sorted(found, key=lambda one: one.created, reverse=True)


def grown(chance: random.Random, rounds: int, volume: str = "v1", *, foreign: float = 0.15) -> History:
    """A history that nobody planned: fulls, incrementals, snapshots that waited, failures, strangers."""
    found = History(volume)
    found.take()
    for _round in range(rounds):
        found.wait(hours=chance.choice([1, 6, 24, 24, 24, 72]), seconds=chance.randrange(3600))
        waited = datetime.timedelta(seconds=chance.randrange(60, 90000))
        found.take(
            chance.random() < 0.8,
            ours=chance.random() >= foreign,
            status=chance.choices(["available", "error"], [9, 1])[0],
            snapshot=found.now - waited if chance.random() < 0.2 else None,
        )
    return found


def into(fake: FakeCinder, history: History) -> FakeCinder:
    """The same backups in a Cinder in memory."""
    for one in history.backups.values():
        fake.add_backup(
            one.id,
            one.volume,
            parent=history.parents.get(one.id, ""),
            name=one.name,
            status=one.status,
            snapshot_id=one.snapshot or None,
            data_timestamp=one.taken,
            created_at=one.created,
            metadata=dict(one.metadata),
            fail_reason=one.failure or None,
            **{"os-backup-project-attr:project_id": one.project},
        )
    done = {one.id for one in history.shown() if one.dependents}
    for identifier, backup in fake.backups.items():
        if backup["volume_id"] == history.volume:
            backup["has_dependent_backups"] = identifier in done
    return fake


def four_hundred_days(volume: str, chance: random.Random, until: datetime.datetime) -> History:
    """A full one every four weeks or so, incrementals between, strangers and failures among them; dense in the end."""
    history = History(volume, now=until - datetime.timedelta(days=401))
    history.take()
    history.wait(days=1)
    history.take(True)
    while history.now < until - datetime.timedelta(days=4):
        history.wait(days=chance.choice([2, 3, 4]), seconds=chance.randrange(3600))
        status = "error" if chance.random() < 0.07 else "available"
        history.take(chance.random() < 0.88, ours=chance.random() < 0.95, status=status)
    for _time in range(6):
        history.wait(hours=8)
        history.take(chance.random() < 0.7)
    return history
