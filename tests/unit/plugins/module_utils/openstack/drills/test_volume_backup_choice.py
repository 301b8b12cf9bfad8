# SPDX-License-Identifier: Apache-2.0
"""A drill takes what was not proven for the longest time; a rebuild takes what brings the servers' volumes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.servers import model as servers
from ansible_collections.scs.landscape.plugins.modules import volume_backup_choice
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import FakeCinder

DIGEST = {model.RUN: "r1", model.DIGEST: "sha256:" + "0" * 64}


def run(fake: FakeCinder, **options: Any) -> Result:
    defaults = {name: spec.get("default") for name, spec in volume_backup_choice.ARGUMENTS.items()}
    done = volume_backup_choice.main({**defaults, **options}, False, connect=lambda *_a, **_m: fake)
    assert (fake.writes, done.changed) == ([], False)
    return done


def chosen(done: Result) -> list[str]:
    return [one["backup"] for one in done.values["choices"]]


@pytest.fixture
def fake() -> FakeCinder:
    """Four volumes: proven long ago, proven lately, never, and one without digests; each with two backups."""
    found = FakeCinder()
    for name in ("old", "late", "never", "bare"):
        found.add_volume(name, size=2)
        found.add_backup(f"{name}-1", name, metadata=dict(DIGEST) if name != "bare" else {model.RUN: "r1"})
        found.pass_by(hours=1)
        metadata = dict(DIGEST) if name != "bare" else {model.RUN: "r1"}
        found.add_backup(f"{name}-2", name, parent=f"{name}-1", name=f"{name} r1", metadata=metadata)
        found.pass_by(hours=1)
    found.backups["old-1"]["metadata"][model.PROVEN] = "2026-01-01T00:00:00+00:00"
    found.backups["late-2"]["metadata"][model.PROVEN] = "2026-02-20T00:00:00+00:00"
    return found


def test_what_was_never_proven_comes_first_and_then_the_oldest_proof(fake: FakeCinder) -> None:
    everything = run(fake, sample=0)
    assert chosen(everything) == ["never-2", "old-2", "late-2"]
    assert [one["why"] for one in everything.values["choices"]] == [
        "never proven",
        "last proven 2026-01-01",
        "last proven 2026-02-20",
    ]
    two = run(fake, sample=2)
    assert chosen(two) == ["never-2", "old-2"]
    assert two.values["omitted"] == [
        {"volume": "bare", "name": "bare", "reason": "no digests were taken when it was backed up"},
        {"volume": "late", "name": "late", "reason": "not in this sample: last proven 2026-02-20"},
    ]
    assert chosen(run(fake, sample=1, volumes=["late", "old"])) == ["old-2"]
    assert fake.requests.count(("GET", "/backups/detail")) == 3


def test_one_drill_after_the_other_reaches_every_volume(fake: FakeCinder) -> None:
    seen = []
    for day in range(3):
        (backup,) = chosen(run(fake, sample=1))
        seen.append(backup)
        fake.backups[backup]["metadata"][model.PROVEN] = f"2026-03-0{day + 2}T00:00:00+00:00"
    assert seen == ["never-2", "old-2", "late-2"]


def test_what_is_no_good_is_not_tried_and_said(fake: FakeCinder) -> None:
    fake.backups["never-2"]["metadata"][model.REFUTED] = "2026-03-01T03:00:00+00:00"
    fake.backups["late-1"]["status"] = fake.backups["late-2"]["status"] = "error"
    done = run(fake, sample=0)
    assert chosen(done) == ["never-1", "old-2"]
    assert done.values["missing"] == [
        {"volume": "late", "name": "late", "reason": "none of its 2 backups is known to be good"}
    ]
    assert not done.failed


def manifest(folder: Path, number: int, *volumes: str) -> None:
    """A server with some volumes, as server_capture writes it."""
    entry = {
        "format": servers.FORMAT,
        "version": servers.VERSION,
        "id": f"00000000-0000-4000-8000-{number:012}",
        "name": f"server{number}",
        "flavor": {},
        "metadata": {},
        "tags": [],
        "ports": [],
        "volumes": [{"id": one, "name": f"{one}-disk", "size": 2, "root": False} for one in volumes],
        "security_groups": [],
        "omitted": [],
    }
    (folder / f"{entry['id']}.json").write_text(json.dumps(entry), encoding="utf-8")


@pytest.fixture
def folder(fake: FakeCinder, tmp_path: Path) -> Path:
    """Two servers, one volume of which both had; nothing of them is there any more."""
    manifest(tmp_path, 1, "old", "never")
    manifest(tmp_path, 2, "late", "never")
    fake.volumes.clear()
    return tmp_path


def test_the_newest_good_backup_of_each_volume_in_the_order_of_the_servers(fake: FakeCinder, folder: Path) -> None:
    done = run(fake, manifests=[str(folder)])
    assert chosen(done) == ["old-2", "never-2", "late-2"]
    assert done.values["restores"][0] == {"backup": "old-2", "name": "scs-landscape-rebuild-old"}
    assert [one["server"] for one in done.values["choices"]] == ["server1", "server1", "server2"]
    assert [one["volume_name"] for one in done.values["choices"]] == ["old-disk", "never-disk", "late-disk"]
    assert done.values["names"]["old"] == "old"
    # A backup that was refuted is passed over; an older one is taken.
    fake.backups["old-2"]["metadata"][model.REFUTED] = "2026-03-01T03:00:00+00:00"
    assert chosen(run(fake, manifests=[str(folder)]))[0] == "old-1"


def test_what_is_there_or_under_way_is_left_alone(fake: FakeCinder, folder: Path) -> None:
    fake.add_volume("old")
    fake.add_volume("new", name="scs-landscape recreating late")
    done = run(fake, manifests=[str(folder)])
    assert chosen(done) == ["never-2"]
    assert [one["reason"] for one in done.values["omitted"]] == [
        "it is still there",
        "a rebuild that was interrupted has it already",
    ]
    # A server that is there already needs nothing.
    assert chosen(run(fake, manifests=[str(folder)], servers=[])) == []
    assert chosen(run(fake, manifests=[str(folder)], servers=["00000000-0000-4000-8000-000000000001"])) == ["never-2"]


def test_a_moment_and_a_proof_narrow_the_choice(fake: FakeCinder, folder: Path) -> None:
    moment = fake.backups["never-1"]["data_timestamp"]
    done = run(fake, manifests=[str(folder)], before=moment)
    assert chosen(done) == ["old-2", "never-1", "late-2"]
    done = run(fake, manifests=[str(folder)], proven=True)
    assert chosen(done) == ["old-1", "late-2"]
    assert done.failed == "never-disk of server1 (never): no restore has proven any of its backups"
    done = run(fake, manifests=[str(folder)], before="2020-01-01T00:00:00")
    assert done.failed.count("no good backup of it is as old as 2020-01-01T00:00:00") == 3
    with pytest.raises(InputError, match="before is 'yesterday', not a moment like"):
        run(fake, manifests=[str(folder)], before="yesterday")


def test_a_volume_without_backups_is_told_before_anything_is_restored(fake: FakeCinder, folder: Path) -> None:
    manifest(folder, 3, "unknown")
    fake.backups["late-1"]["status"] = "error"
    done = run(fake, manifests=[str(folder)])
    assert done.failed == (
        "late-disk of server2 (late): none of its 2 backups is known to be good; "
        "unknown-disk of server3 (unknown): there is no backup of it"
    )
