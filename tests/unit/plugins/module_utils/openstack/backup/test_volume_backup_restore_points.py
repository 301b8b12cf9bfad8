# SPDX-License-Identifier: Apache-2.0
"""What volume_backup_run wrote is what volume_backup_restore gives, after Cinder lost its database as well.

The store of this Cinder has of an incremental backup what differs from its parent, and nothing else: whoever stands on the
wrong one gets wrong bytes.
"""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import readers
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.waits import Waits
from ansible_collections.scs.landscape.plugins.modules import (
    volume_backup_record,
    volume_backup_restore,
    volume_backup_run,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_restores import (
    FakeReader,
    FakeRestores,
)

#: Bytes of a piece of which the store has a copy or not.
PIECE = 4096
Pieces = dict[int, bytes]


def pieces(data: bytes) -> Pieces:
    return {place: data[place : place + PIECE] for place in range(0, len(data), PIECE)}


class Store(FakeRestores):
    """A Cinder with a chunked backup driver.

    :ivar store: pieces of each backup; it outlives the database.
    """

    def __init__(self, store: dict[str, Pieces]) -> None:
        super().__init__()
        self.admin, self.store = True, store

    def _begin(self, body: Any) -> tuple[int, Any]:
        status, answer = super()._begin(body)
        if status == 202:
            made = answer["backup"]["id"]
            below = pieces(self.whole(self.parents[made])) if made in self.parents else {}
            now = pieces(self.data.pop(made))
            self.store[made] = {place: piece for place, piece in now.items() if below.get(place) != piece}
        return status, answer

    def whole(self, backup: str) -> bytes:
        """What the database says it is made of, put together."""
        below = pieces(self.whole(self.parents[backup])) if backup in self.parents else {}
        together = {**below, **self.store[backup]}
        return b"".join(piece for _place, piece in sorted(together.items()))

    def _create_volume(self, body: Any) -> tuple[int, Any]:
        source = body["volume"].get("backup_id")
        self.data[source] = self.whole(source)
        answer = super()._create_volume(body)
        del self.data[source]
        return answer


def task(module: Any, fake: Store, check: bool = False, *, world: dict[str, Any], **options: Any) -> Result:
    """One task, with its options checked and completed as Ansible does."""
    checked = ArgumentSpecValidator(module.ARGUMENTS, **getattr(module, "RULES", {})).validate(options)
    assert not checked.error_messages, checked.error_messages
    return module.main(checked.validated_parameters, check, connect=fake.connect, **world)  # type: ignore[no-any-return]


class Operator:
    """Runs the modules on a Cinder whose bytes it may read."""

    def __init__(self, fake: Store, folder: Path) -> None:
        self.fake = fake
        self.reading = {"digests": str(folder / "digests"), "reader": {"kind": "file", "path": "/{id}"}}

    def back_up(self, name: str) -> dict[str, Any]:
        world = {"now": lambda: self.fake.now, "waits": Waits(self.fake.clock, self.fake.sleep)}
        done = task(volume_backup_run, self.fake, world=world, volumes=["v1"], run_id=name, **self.reading)
        assert done.failed == ""
        return dict(done.values["backups"][0])

    def restored(self, backups: list[str]) -> dict[str, str]:
        """Digests of what restores give, all of which were compared, by backup."""
        wanted = [{"backup": one, "name": f"restored-{one}"} for one in backups]
        world = {"patience": self.fake.patience()}
        done = task(volume_backup_restore, self.fake, world=world, restores=wanted, **self.reading)
        assert (done.failed, done.steps_done) == ("", len(backups))
        assert all(one["compared"] for one in done.values["restores"])
        made = {one["backup"]: one["volume"]["id"] for one in done.values["restores"]}
        return {backup: digest(self.fake.data[volume]) for backup, volume in made.items()}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def four_points(operator: Operator, chance: random.Random) -> dict[str, str]:
    """A full backup and three incremental ones of a volume that is written to at random places between them."""
    fake, recorded, kinds = operator.fake, {}, []
    fake.add_volume("v1")
    data = bytearray(chance.randbytes(64 * PIECE))
    for number in range(4):
        place = chance.randrange(len(data) - 5000)
        data[place : place + 5000] = chance.randbytes(5000)
        fake.data["v1"] = bytes(data)
        made = operator.back_up(f"point-{number}")
        recorded[made["id"]] = digest(bytes(data))
        kinds.append(made["kind"])
        fake.pass_by(days=1)
    assert kinds == ["full", "incremental", "incremental", "incremental"]
    first, *later = recorded
    assert len(fake.store[first]) == 64
    assert all(0 < len(fake.store[one]) <= 3 for one in later)
    assert len(set(recorded.values())) == 4
    return recorded


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    found = Operator(Store({}), tmp_path)
    monkeypatch.setattr(readers, "reader_of", lambda _options: FakeReader(found.fake))
    return found


@pytest.mark.accept("B1.1")
@pytest.mark.parametrize("round", range(2))
def test_every_one_of_four_points_in_time_is_restored_as_it_was(operator: Operator, round: int) -> None:
    recorded = four_points(operator, random.Random(round))
    operator.fake.data["v1"] = b"lost"
    assert operator.restored(list(recorded)) == recorded


@pytest.mark.accept("B1.13")
def test_records_bring_all_points_back_into_an_empty_database_bit_by_bit(operator: Operator, tmp_path: Path) -> None:
    recorded = four_points(operator, random.Random(13))
    lost, path = operator.fake, tmp_path / "records.json"
    world = {"clock": lost.clock, "sleep": lost.sleep}
    assert task(volume_backup_record, lost, world=world, state="exported", path=str(path)).failed == ""
    operator.fake = empty = Store(lost.store)
    empty.project_id = "p-new"
    options = {"state": "imported", "path": str(path), "projects": {"p1": "p-new"}}
    world = {"clock": empty.clock, "sleep": empty.sleep}
    predicted = task(volume_backup_record, empty, True, world=world, **options)
    assert empty.writes == []
    done = task(volume_backup_record, empty, world=world, **options)
    assert (done.failed, done.plan.digest, list(empty.backups)) == ("", predicted.plan.digest, list(recorded))
    assert empty.parents == lost.parents
    assert {one["os-backup-project-attr:project_id"] for one in empty.backups.values()} == {"p-new"}
    used = empty.get("block-storage", "/limits")["limits"]["absolute"]
    assert (used["totalBackupsUsed"], used["totalBackupGigabytesUsed"]) == (4, 4)
    assert operator.restored(list(recorded)) == recorded
    assert not task(volume_backup_record, empty, world=world, **options).changed
