# SPDX-License-Identifier: Apache-2.0
"""server_recreate: which backups it takes, by what it knows a server again, and the way of the playbook dr_rebuild."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model as backups
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.volumes import SOURCE, Patience
from ansible_collections.scs.landscape.plugins.module_utils.openstack.servers import diff, model
from ansible_collections.scs.landscape.plugins.modules import (
    server_recreate,
    volume_backup_choice,
    volume_backup_restore,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.servers.fake_project import (
    FakeProject,
    Killed,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.servers.furnished import (
    captured,
    furnished,
    run,
)


def back_up(
    cloud: FakeProject, volume: str, day: int, point: str = "", status: str = "available", size: int = 2, **more: str
) -> str:
    """One more backup of a volume; its bytes are told by what it brings."""
    identifier = f"{volume}@{day}"
    at = {backups.POINT: point, backups.LEVEL: "crash"} if point else {}
    brings = {"metadata": {"of": identifier, SOURCE: identifier}}
    cloud.kept["backups"][identifier] = {
        "id": identifier,
        "volume_id": volume,
        "size": size,
        "status": status,
        "brings": brings,
        "data_timestamp": f"2026-11-{day:02}T02:00:00",
        "created_at": f"2026-11-{day:02}T02:00:01",
        "metadata": {backups.RUN: str(day), **at, **more},
    }
    return identifier


class Lost:
    """A server that is gone, and the backups that there are of its two volumes."""

    def __init__(self, folder: Path, **shape: Any) -> None:
        self.cloud, self.folder = furnished(**shape), folder
        self.manifest = captured(self.cloud, folder)
        self.cloud.kept["backups"].clear()
        self.root, self.data = (one["id"] for one in self.manifest["volumes"])
        self.cloud.lose_everything()

    def again(self, check: bool = False, **options: Any) -> Any:
        return run(
            server_recreate,
            self.cloud,
            check,
            **{"manifests": [str(self.folder)], "missing_volumes": "backup", **options},
        )

    def planned(self, **options: Any) -> list[str]:
        """The backups that would be taken."""
        steps = self.again(check=True, **options).plan.steps
        found = [str(one.after["from"]) for one in steps if one.object.startswith("volume ")]
        return [one.removeprefix("backup ") for one in found]


def test_a_refuted_or_broken_backup_is_not_restored_and_it_is_said_that_nothing_was_read(tmp_path: Path):
    lost = Lost(tmp_path)
    for volume in (lost.root, lost.data):
        back_up(lost.cloud, volume, 1)
    good = lost.planned()
    assert good == [f"{lost.root}@1", f"{lost.data}@1"]
    # The newest one gave other bytes; one is incremental and stands on one that failed.
    back_up(lost.cloud, lost.root, 2, **{backups.REFUTED: "2026-11-03T00:00:00+00:00"})
    bad = back_up(lost.cloud, lost.data, 2, status="error")
    above = back_up(lost.cloud, lost.data, 3)
    lost.cloud.kept["backups"][bad].update(has_dependent_backups=True)
    lost.cloud.kept["backups"][above].update(is_incremental=True)
    assert lost.planned() == good
    assert lost.cloud.writes == []
    done = lost.again()
    assert done.failed == ""
    assert any("its volumes came out of backups, and nothing was read back" in one for one in done.warnings)
    assert lost.again().warnings == []


def test_without_a_good_backup_nothing_is_made_and_it_is_told_why(tmp_path: Path):
    lost = Lost(tmp_path)
    back_up(lost.cloud, lost.root, 1, **{backups.REFUTED: "2026-11-03T00:00:00+00:00"})
    with pytest.raises(InputError) as caught:
        lost.again()
    assert f"volume root ({lost.root}) is gone, and none of its 1 backups is known to be good" in str(caught.value)
    assert f"volume data ({lost.data}) is gone, and there is no backup of it" in str(caught.value)
    assert lost.cloud.writes == []


def test_volumes_come_out_of_one_point_or_it_has_to_be_allowed(tmp_path: Path):
    lost = Lost(tmp_path)
    for day, status in ((1, "available"), (2, "error")):
        back_up(lost.cloud, lost.root, day, f"p{day}")
        back_up(lost.cloud, lost.data, day, f"p{day}", status=status)
    assert lost.planned() == [f"{lost.root}@1", f"{lost.data}@1"]
    lost.cloud.kept["backups"][f"{lost.root}@1"]["status"] = "error"
    with pytest.raises(InputError, match=r"no point holds a good backup of each .* are 24 h 0 min apart; allow_mixed"):
        lost.again()
    assert lost.planned(allow_mixed=True) == [f"{lost.root}@2", f"{lost.data}@1"]
    assert "no point holds" in lost.again(allow_mixed=True).warnings[0]


def test_a_start_that_was_killed_goes_on_with_the_point_that_it_began_with(tmp_path: Path):
    def lost(name: str) -> Lost:
        found = Lost(tmp_path / name)
        for day, status in ((1, "available"), (2, "error")):
            back_up(found.cloud, found.data, day, f"p{day}")
            back_up(found.cloud, found.root, day, f"p{day}", status=status)
        return found

    whole, half = lost("whole"), lost("half")
    whole.again(max_parallel=1)
    half.cloud.kill_after = [number for number, one in enumerate(whole.cloud.writes) if one == ("POST", "/volumes")][1]
    with pytest.raises(Killed):
        half.again(max_parallel=1)
    half.cloud.kill_after = None
    assert len(half.cloud.kept["volumes"]) == 1
    assert half.planned()[1] == f"{half.data}@1"
    assert half.again().failed == ""


def test_a_server_that_was_made_again_is_known_whatever_is_changed_about_it(tmp_path: Path):
    lost = Lost(tmp_path)
    for volume in (lost.root, lost.data):
        back_up(lost.cloud, volume, 1)
    free = {"keep_macs": False, "keep_ips": False}
    done = lost.again(**free)
    assert done.failed == ""
    (server,) = lost.cloud.kept["servers"].values()
    assert server["metadata"] == {"owner": "Zoë", model.RECREATED: lost.manifest["id"]}
    server["tags"].append("mine")
    server["name"] = "renamed"
    count = len(lost.cloud.writes)
    for options in (free, {}):
        second = lost.again(**options)
        (told,) = second.values["servers"]
        assert (second.changed, told["status"], told["id"]) == (False, "present", server["id"])
        assert {"tags[2]", "name"} <= {one["path"] for one in told["differences"]}
    assert len(lost.cloud.writes) == count
    # Nor is it in a manifest of the new server, which can be made again in its turn.
    server["name"] = "shop"
    manifest = captured(lost.cloud, tmp_path / "later")
    assert model.RECREATED not in manifest["metadata"]


def test_another_server_of_the_same_name_is_refused(tmp_path: Path):
    lost = Lost(tmp_path)
    for volume in (lost.root, lost.data):
        back_up(lost.cloud, volume, 1)
    assert lost.again().failed == ""
    (server,) = lost.cloud.kept["servers"].values()
    del server["metadata"][model.RECREATED]
    count = len(lost.cloud.writes)
    # By hand, and the same in everything: that is the server.
    assert lost.again().values["servers"][0]["status"] == "present"
    server["tags"].append("mine")
    with pytest.raises(InputError, match=f"{server['id']} has its name, and differs in tags"):
        lost.again()
    # The twin of another manifest is none of ours; it has the name, and is known.
    server["metadata"][model.RECREATED] = "another"
    with pytest.raises(InputError, match=r"MAC address .* is taken by port"):
        lost.again()
    assert len(lost.cloud.writes) == count


def rebuild(lost: Lost, **options: Any) -> None:
    """What the role backup_rebuild does, task by task."""
    lost_cloud = lost.cloud
    options = {"manifests": [str(lost.folder)], "max_parallel": 1, **options}
    seen = run(server_recreate, lost_cloud, True, missing_volumes="backup", allow_mixed=True, **options)
    servers = seen.values["servers"]
    there = {old: new for one in servers for old, new in one["volumes"].items()}
    chosen = run(
        volume_backup_choice,
        lost_cloud,
        manifests=options["manifests"],
        servers=[one["old_id"] for one in servers if one["status"] == "planned"],
        restored=there,
    )
    assert not chosen.failed
    volumes = dict(there)
    if chosen.values["restores"]:
        given = {"restores": chosen.values["restores"], "allow_overwrite": False, "reader": None, "digests": None}
        params = {**given, "timeout": 600, "max_parallel": 1}
        patience = Patience(sleep=lambda _seconds: None)
        restored = volume_backup_restore.main(params, False, lambda *_a, **_m: lost_cloud, patience)
        assert not restored.failed
        ids = [one["volume"]["id"] for one in restored.values["restores"]]
        volumes.update(zip((one["volume"] for one in chosen.values["choices"]), ids))
    done = run(server_recreate, lost_cloud, volumes=volumes, **options)
    assert done.failed == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keep", "shape"),
    [(True, {"off": True, "locked": True}), (False, {"image": "i1"})],
    ids=["locked", "image-other-addresses"],
)
def test_killed_anywhere_in_dr_rebuild_the_next_start_restores_nothing_twice(
    keep: bool, shape: dict[str, Any], tmp_path: Path
):
    options = {"keep_macs": keep, "keep_ips": keep}

    def lost(name: str) -> Lost:
        found = Lost(tmp_path / name, **shape)
        for volume in (found.root, found.data):
            back_up(found.cloud, volume, 1, "p1", size=1 if volume == found.root else 2)
        return found

    whole = lost("whole")
    rebuild(whole, **options)
    total = len(whole.cloud.writes)
    assert total > 25
    for writes in range(total):
        one = lost(f"{writes}")
        one.cloud.kill_after = writes
        with pytest.raises(Killed):
            rebuild(one, **options)
        one.cloud.kill_after = None
        rebuild(one, **options)
        counts = [len(one.cloud.kept[kind]) for kind in ("servers", "ports", "volumes", "security-groups")]
        assert counts == [1, 2, 2, 3], writes
        assert sorted(volume["name"] for volume in one.cloud.kept["volumes"].values()) == ["data", "root"], writes
        (server,) = one.cloud.kept["servers"].values()
        assert model.MARK not in server["metadata"], writes
        free = [each["path"] for each in diff.differences(one.manifest, captured(one.cloud, tmp_path / f"n{writes}"))]
        assert all(path.startswith("ports[") for path in free), (writes, free)
        assert not (keep and free), (writes, free)
        count = len(one.cloud.writes)
        rebuild(one, **options)
        assert len(one.cloud.writes) == count, writes
