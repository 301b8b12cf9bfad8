# SPDX-License-Identifier: Apache-2.0
"""Backed up, proven and restored: both places that volumes are in, both kinds of stores that backups are in.

Readers are the real ones, of files and of ``rbd export``, which is a program of the test's here. Cinder is in memory; what
Ceph's driver loses when it is let is lost here, too.
"""

from __future__ import annotations

import hashlib
import os
import random
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model, restoring, source
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.waits import Waits
from ansible_collections.scs.landscape.plugins.modules import (
    volume_backup_prune,
    volume_backup_restore,
    volume_backup_run,
    volume_backup_verify,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_drivers import (
    GIB,
    PIECE,
    Drivers,
)

pytestmark = pytest.mark.accept("B1.21")
WAYS = [("file", False), ("file", True), ("rbd", False), ("rbd", True)]
NAMES = ["file-chunked", "file-ceph", "rbd-chunked", "rbd-ceph"]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GiB of these volumes is smaller: a program that writes one takes a second, whoever reads it another."""
    monkeypatch.setattr(source, "_GIB", GIB)
    monkeypatch.setattr(restoring, "GIB", GIB)


class Operator:
    """Runs the modules on a cloud whose bytes it may read."""

    def __init__(self, fake: Drivers, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fake = fake
        self.reading = {"digests": str(fake.folder / "digests"), "reader": fake.reader(kind)}
        if kind == "rbd":
            monkeypatch.setenv("PATH", str(fake.programs()), prepend=os.pathsep)

    def _task(self, module: Any, world: dict[str, Any], **options: Any) -> Result:
        checked = ArgumentSpecValidator(module.ARGUMENTS, **getattr(module, "RULES", {})).validate(options)
        assert not checked.error_messages, checked.error_messages
        connect = self.fake.connect
        return module.main(checked.validated_parameters, False, connect=connect, **world)  # type: ignore[no-any-return]

    def back_up(self, name: str, **options: Any) -> Result:
        """A run of a day."""
        world = {"now": lambda: self.fake.now, "waits": Waits(self.fake.clock, self.fake.sleep)}
        self.fake.pass_by(days=1)
        return self._task(volume_backup_run, world, run_id=name, all_volumes=True, **options)

    def restored(self, *backups: str) -> dict[str, str]:
        """Digests of what restores give, by backup; empty for one that failed."""
        wanted = [{"backup": one, "name": f"restored-{one}"} for one in backups]
        world = {"patience": self.fake.patience()}
        done = self._task(volume_backup_restore, world, restores=wanted)
        made = {one["backup"]: one["volume"]["id"] for one in done.values["restores"]}
        assert bool(done.failed) == (None in made.values())
        return {one: sha256(self.fake.data[made[one]]) if made[one] else "" for one in backups}

    def compared(self, *backups: str) -> Result:
        """The same with the digests that were taken at the time of the backup."""
        wanted = [{"backup": one, "name": f"compared-{one}"} for one in backups]
        return self._task(
            volume_backup_restore, {"patience": self.fake.patience()}, restores=wanted, max_parallel=1, **self.reading
        )

    def proven(self) -> dict[str, str]:
        """What verification says of each backup that it tried."""
        world = {"patience": self.fake.patience()}
        done = self._task(volume_backup_verify, world, period_days=0, max_parallel=1, **self.reading)
        found = {one["backup"]: one["status"] for one in done.values["verified"]}
        assert bool(done.failed) == (set(found.values()) != {"proven"})
        return found

    def thinned(self, **options: Any) -> Result:
        """What pruning does."""
        world = {"now": lambda: self.fake.now, "clock": self.fake.clock, "sleep": self.fake.sleep}
        return self._task(volume_backup_prune, world, failed_days=0, **options)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(("kind", "ceph"), WAYS, ids=NAMES)
def test_the_whole_way_gives_the_bytes_of_each_moment_and_finds_one_that_is_wrong(
    kind: str, ceph: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, chance = Drivers(tmp_path, ceph=ceph), random.Random(len(kind))
    operator = Operator(fake, kind, monkeypatch)
    fake.add_volume("v1", metadata={"who": "somebody"})
    data, points, kinds = bytearray(chance.randbytes(64 * PIECE)), {}, []
    for number in range(2):
        place = chance.randrange(len(data) - 5000)
        data[place : place + 5000] = chance.randbytes(5000)
        fake.write("v1", bytes(data))
        done = operator.back_up(f"point-{number}", **operator.reading)
        assert done.failed == ""
        (made,) = done.values["backups"]
        assert made["digest"].startswith("sha256:")
        points[made["id"]] = sha256(bytes(data))
        kinds.append(made["kind"])
    assert (kinds, len(set(points.values()))) == (["full", "incremental"], 2)
    first, newest = list(points)
    assert (len(fake.store[first]), 0 < len(fake.store[newest]) <= 3) == (64, True)
    assert list(fake.images.values()) == ([[first, newest]] if ceph else [])
    assert operator.proven() == {newest: "proven"}
    assert model.PROVEN in fake.backups[newest]["metadata"]

    fake.write("v1", b"lost")
    assert operator.restored(first, newest) == points
    done = operator.compared(newest)
    assert (done.failed, [one["compared"] for one in done.values["restores"]]) == ("", [True])
    # One bit in the store, in what both of them stand on.
    untouched = set(fake.store[first]) - set(fake.store[newest])
    place = chance.choice(sorted(untouched))
    piece = fake.store[first][place]
    fake.store[first][place] = bytes([piece[0] ^ 1]) + piece[1:]
    assert operator.proven() == {newest: "refuted"}
    assert first in operator.compared(first).failed
    # Each was read by its reader: twice for the backups, then what a restore gave.
    said = [one.partition("/volume-")[0] for one in fake.exports()]
    assert said == (["volumes"] * 6 if kind == "rbd" else [])


@pytest.mark.parametrize("kind", ["file", "rbd"])
def test_what_the_ceph_driver_would_lose_is_kept(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup of a snapshot survives the days that follow, and so does one beside which another failed."""
    fake = Drivers(tmp_path, "vda", "vdb", ceph=True)
    operator = Operator(fake, kind, monkeypatch)
    moment = {one: sha256(fake.data[one]) for one in ("vda", "vdb")}
    taken = operator.back_up("1", consistency="crash", **operator.reading)
    assert taken.failed == ""
    good = {one["volume"]: one["id"] for one in taken.values["backups"]}
    assert sorted(fake.images) == ["volume-vda.backup.base", "volume-vdb.backup.base"]
    assert {fake.backups[one]["object_count"] for one in good.values()} == {0}
    # A second one of a snapshot would fail, and nobody could clear up behind it.
    refused = operator.back_up("2", consistency="crash")
    assert "the Ceph driver can keep one backup of a snapshot of a volume" in refused.failed
    assert set(fake.backups) == set(good.values())
    # What stood on one of a snapshot would cost its bytes.
    alone = operator.back_up("3")
    assert (alone.failed, {one["kind"] for one in alone.values["backups"]}) == ("", {"full"})
    assert {one["kind"] for one in operator.back_up("4").values["backups"]} == {"incremental"}
    # Somebody's script did what we refused: what failed stays, in a run of the same name and when backups are thinned out.
    fake.add_backup("bad", "vda", status="error", snapshot_id="s", metadata={model.RUN: "5"})
    assert operator.back_up("5").failed == ""
    assert operator.thinned(keep={"last": 5}).failed == ""
    assert "bad" in fake.backups
    assert operator.restored(*good.values()) == {good[one]: moment[one] for one in moment}
    done = operator.compared(*good.values())
    assert (done.failed, [one["compared"] for one in done.values["restores"]]) == ("", [True, True])
    assert (kind == "rbd") == any("@snapshot-" in one for one in fake.exports())


@pytest.mark.parametrize("how", ["standing", "removed"])
def test_without_the_guards_the_bytes_would_be_lost_here_as_well(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contrast: whoever says that the driver is another one, or clears up by hand, loses them."""
    fake = Drivers(tmp_path, "vda", ceph=True)
    operator = Operator(fake, "file", monkeypatch)
    taken = operator.back_up("1", consistency="crash")
    (good,) = [one["id"] for one in taken.values["backups"]]
    assert fake.whole(good) == fake.data["vda"]
    if how == "standing":
        operator.back_up("2", backup_driver="chunked")
    else:
        point = {"snapshot": {"volume_id": "vda", "name": "point", "metadata": {}}}
        snapshot = fake.call("block-storage", "POST", "/snapshots", json=point).body["snapshot"]["id"]
        fake.snapshots[snapshot]["status"] = "available"
        wanted = {"volume_id": "vda", "name": "second", "snapshot_id": snapshot, "incremental": False, "force": True}
        second = fake.call("block-storage", "POST", "/backups", json={"backup": wanted}).body["backup"]["id"]
        fake.pass_by(minutes=1)
        assert "already exists" in fake.backups[second]["fail_reason"]
        assert fake.whole(good) == fake.data["vda"]
        fake.call("block-storage", "DELETE", f"/backups/{second}")
        fake.pass_by(minutes=1)
    assert fake.backups[good]["status"] == "available"
    assert fake.whole(good) is None
    assert operator.restored(good) == {good: ""}
