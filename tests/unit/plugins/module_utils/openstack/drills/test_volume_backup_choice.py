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


def at(point: str, **more: Any) -> dict[str, Any]:
    """What a backup says that belongs to a point."""
    return {"metadata": {**DIGEST, model.POINT: point, model.LEVEL: "crash", **more.pop("metadata", {})}, **more}


@pytest.fixture
def points(tmp_path: Path) -> FakeCinder:
    """A database over two volumes, taken together every hour: at the last point only one of them was backed up."""
    found = FakeCinder()
    for number, broken in ((1, ""), (2, ""), (3, "vb")):
        for name in ("va", "vb"):
            status = "error" if name == broken else "available"
            found.add_backup(f"{name}-{number}", name, **at(f"p{number}", status=status))
            found.pass_by(minutes=1)
        found.pass_by(hours=1)
    manifest(tmp_path, 1, "va", "vb")
    return found


def test_volumes_of_a_server_come_back_from_the_newest_point_that_holds_all(points: FakeCinder, tmp_path: Path) -> None:
    done = run(points, manifests=[str(tmp_path)])
    assert (chosen(done), done.failed) == (["va-2", "vb-2"], "")
    assert [(one["point"], one["why"]) for one in done.values["choices"]] == [
        ("p2", "newest point of all volumes of its server")
    ] * 2
    (mixed,) = done.values["mixed"]
    assert (mixed["mixed"], mixed["torn"], mixed["point"], mixed["spread"]) == (False, False, "p2", 60.0)
    assert done.warnings == [
        "server server1: 1 of its volumes have newer backups than the newest point that holds all of them"
    ]
    # One that a restore refuted is no member of a point any more; nor one that is too new, or not proven.
    points.backups["va-2"]["metadata"][model.REFUTED] = "2026-03-01T03:00:00+00:00"
    assert chosen(run(points, manifests=[str(tmp_path)])) == ["va-1", "vb-1"]
    del points.backups["va-2"]["metadata"][model.REFUTED]
    before = points.backups["vb-1"]["data_timestamp"]
    done = run(points, manifests=[str(tmp_path)], before=before)
    assert (chosen(done), done.values["mixed"], done.warnings) == (["va-1", "vb-1"], [], [])
    # A server that is made again from the middle: the volume that it has already was of the same point.
    points.add_volume("new", name="scs-landscape recreating va")
    assert chosen(run(points, manifests=[str(tmp_path)])) == ["vb-2"]


def test_what_would_come_back_torn_is_refused_until_it_is_allowed(points: FakeCinder, tmp_path: Path) -> None:
    for name in ("va-1", "vb-2"):  # what is left: va at the points 2 and 3, vb at the point 1
        points.backups[name]["status"] = "error"
    done = run(points, manifests=[str(tmp_path)])
    words = "no point holds a good backup of each of its volumes, the newest good ones are 2 h 3 min apart"
    assert done.failed == f"server server1: {words}, see allow_mixed"
    (mixed,) = done.values["mixed"]
    assert (mixed["mixed"], mixed["torn"], mixed["point"], mixed["spread"]) == (True, True, None, 7380.0)
    done = run(points, manifests=[str(tmp_path)], allow_mixed=True)
    assert (done.failed, done.warnings, chosen(done)) == ("", [f"server server1: {words}"], ["va-3", "vb-1"])


def test_an_interrupted_run_that_took_two_points_gives_none_of_all(tmp_path: Path) -> None:
    """After a signal the point goes, and the next start of the same run takes the remaining volumes at a new one."""
    fake = FakeCinder()
    for name, point in (("va", "p1"), ("vb", "p2")):
        fake.add_backup(f"{name}-1", name, **at(point, metadata={model.LEVEL: "quiesced"}))
    manifest(tmp_path, 1, "va", "vb")
    assert "no point holds a good backup of each of its volumes" in run(fake, manifests=[str(tmp_path)]).failed


def test_volumes_that_were_never_taken_together_are_told_and_not_refused(fake: FakeCinder, folder: Path) -> None:
    done = run(fake, manifests=[str(folder)])
    assert done.failed == ""
    assert [(one["server"], one["mixed"], one["torn"]) for one in done.values["mixed"]] == [
        ("server1", True, False),
        ("server2", True, False),
    ]
    assert (
        "server server1: its volumes were not all taken at one point, their backups are 4 h 0 min apart"
        in done.warnings
    )
    # A point that is none: the snapshots were made one after another.
    for name in ("old-2", "never-2"):
        fake.backups[name]["metadata"].update({model.POINT: name, model.LEVEL: "none"})
    assert run(fake, manifests=[str(folder)]).failed == ""
    # Two of three that were taken together come from their point, whatever the third one is.
    fake.backups["old-1"]["metadata"].update({model.POINT: "p", model.LEVEL: "crash"})
    fake.backups["never-2"]["metadata"].update({model.POINT: "p", model.LEVEL: "crash"})
    manifest(folder, 1, "old", "never", "late")
    done = run(fake, manifests=[str(folder)])
    assert (chosen(done)[:3], done.failed) == (["old-1", "never-2", "late-2"], "")


def test_volumes_that_are_still_there_are_told_and_those_of_a_half_made_server_left_alone(
    points: FakeCinder, tmp_path: Path
) -> None:
    points.add_volume("va")
    done = run(points, manifests=[str(tmp_path)])
    assert (chosen(done), done.failed) == (["vb-2"], "")
    assert "1 of its volumes are still there, and have newer data than what is restored" in done.warnings[0]
    points.volumes.clear()
    points.add_volume("new-a")
    points.add_volume("new-b")
    done = run(points, manifests=[str(tmp_path)], restored={"va": "new-a", "vb": "new-b"})
    assert (done.values["restores"], done.warnings, done.failed) == ([], [], "")
    assert [one["reason"] for one in done.values["omitted"]] == [
        f"a server has it already, as new-{one}" for one in "ab"
    ]
