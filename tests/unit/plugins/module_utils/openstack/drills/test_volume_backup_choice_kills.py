# SPDX-License-Identifier: Apache-2.0
"""A rebuild that was killed anywhere: the next start uses what is there, doubles nothing and leaves nothing over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.drills import choice
from ansible_collections.scs.landscape.plugins.module_utils.openstack.servers import diff, recreate
from ansible_collections.scs.landscape.plugins.module_utils.openstack.servers import run as task
from ansible_collections.scs.landscape.plugins.modules import (
    server_recreate,
    volume_backup_choice,
    volume_backup_restore,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.drills.fake_site import FakeSite
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.fake_cloud import Killed
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.servers.furnished import captured


def module(found: Any, site: FakeSite, check: bool = False, **options: Any) -> dict[str, Any]:
    """What a module returns."""
    defaults = {name: spec.get("default") for name, spec in found.ARGUMENTS.items()}
    more = {"patience": site.cinder.patience()} if found is volume_backup_restore else {}
    given = {**defaults, "max_parallel": 1, **options}
    done = found.main(given, check, connect=lambda *_args, **_more: site, **more)
    assert done.failed == "", done.failed
    return dict(done.values)


def rebuild(site: FakeSite, folder: Path, **limits: Any) -> list[dict[str, Any]]:
    """The modules of the role backup_rebuild, in its order; what became of the servers."""
    about = {"manifests": [str(folder)]}
    foreseen = module(server_recreate, site, check=True, missing_volumes="backup", **about)["servers"]
    there = {old: new for one in foreseen for old, new in one["volumes"].items()}
    wanted = [one["old_id"] for one in foreseen if one["status"] == "planned"]
    chosen = module(volume_backup_choice, site, servers=wanted, restored=there, **about, **limits)
    restored = module(volume_backup_restore, site, restores=chosen["restores"])["restores"]
    new = {one["volume"]: done["volume"]["id"] for one, done in zip(chosen["choices"], restored)}
    return list(module(server_recreate, site, volumes={**there, **new}, **about)["servers"])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits: servers are made in the time of the site."""

    def maker(cloud: Any, *args: Any, **options: Any) -> recreate.Maker:
        return recreate.Maker(cloud, *args, **{"clock": cloud.cinder.clock, "sleep": cloud.cinder.sleep, **options})

    monkeypatch.setattr(task, "Maker", maker)


def left(site: FakeSite) -> list[str]:
    """Names of volumes that no server has."""
    return [str(one["name"]) for one in site.cinder.volumes.values() if not one["attachments"]]


@pytest.mark.slow
@pytest.mark.parametrize("duration", [0.0, 30.0], ids=["restores-at-once", "restores-take-time"])
def test_killed_anywhere_a_rebuild_uses_what_is_there(duration: float, tmp_path: Path) -> None:
    whole = FakeSite(duration, off=True)
    before = captured(whole.project, tmp_path)
    whole.lose_everything()
    assert [one["status"] for one in rebuild(whole, tmp_path)] == ["made"]
    total = len(whole.writes)
    assert total > 30
    assert (len(whole.cinder.volumes), left(whole)) == (2, [])
    for writes in range(total):
        site = FakeSite(duration, off=True)
        site.lose_everything()
        site.kill_after = writes
        with pytest.raises(Killed):
            rebuild(site, tmp_path)
        site.kill_after = None
        (made,) = rebuild(site, tmp_path)
        assert (len(site.cinder.volumes), left(site)) == (2, []), (writes, made)
        assert diff.differences(before, captured(site.project, tmp_path / f"{writes}")) == [], writes
        count = len(site.writes)
        assert [one["status"] for one in rebuild(site, tmp_path)] == ["present"]
        assert len(site.writes) == count, writes


def test_killed_while_cinder_restores_the_next_start_waits_for_it(tmp_path: Path) -> None:
    site = FakeSite(300.0)
    captured(site.project, tmp_path)
    site.lose_everything()
    begun: list[str] = []

    def die(method: str, path: str) -> None:
        begun.extend([path] if (method, path) == ("POST", "/volumes") else [])
        if begun and (method, path) == ("GET", "/volumes/volume-1"):
            raise Killed

    site.cinder.hook = die
    with pytest.raises(Killed):
        rebuild(site, tmp_path)
    site.cinder.hook = lambda _method, _path: None
    assert sorted(one["status"] for one in site.cinder.backups.values()) == ["available", "restoring"]
    (made,) = rebuild(site, tmp_path)
    assert (made["status"], len(site.cinder.volumes), left(site)) == ("made", 2, [])
    assert sorted(made["volumes"].values()) == sorted(site.cinder.volumes)


def test_a_volume_that_two_servers_had_is_not_restored_twice(tmp_path: Path) -> None:
    """The first of them was made again, and then the run was killed."""
    site = FakeSite()
    before = captured(site.project, tmp_path)
    site.lose_everything()
    rebuild(site, tmp_path)
    second = json.loads((tmp_path / f"{before['id']}.json").read_text(encoding="utf-8"))
    (data,) = [one for one in second["volumes"] if one["name"] == "data"]
    second.update(id="00000000-0000-4000-8000-000000000002", name="second", volumes=[data], ports=[], user_data=None)
    second["image"] = {"id": "i1", "name": "debian"}
    (tmp_path / f"{second['id']}.json").write_text(json.dumps(second), encoding="utf-8")
    foreseen = module(server_recreate, site, check=True, missing_volumes="backup", manifests=[str(tmp_path)])["servers"]
    there = {old: new for one in foreseen for old, new in one["volumes"].items()}
    chosen = module(volume_backup_choice, site, manifests=[str(tmp_path)], servers=[second["id"]], restored=there)
    reason = f"a server has it already, as {there[data['id']]}"
    assert (chosen["choices"], chosen["spare"]) == ([], [])
    assert chosen["omitted"] == [{"volume": data["id"], "name": "data", "reason": reason}]


def test_what_an_earlier_rebuild_restored_of_another_backup_is_told(tmp_path: Path) -> None:
    site = FakeSite()
    before = captured(site.project, tmp_path)
    site.lose_everything()
    old = before["volumes"][0]["id"]
    about = {"manifests": [str(tmp_path)]}
    chosen = module(volume_backup_choice, site, **about)
    (first, _second) = module(volume_backup_restore, site, restores=chosen["restores"])["restores"]
    # What was chosen then is used now; what nobody chooses any more is told.
    assert module(volume_backup_choice, site, **about)["spare"] == []
    site.cinder.backups[first["backup"]]["metadata"][model.REFUTED] = "2026-03-02T00:00:00+00:00"
    site.cinder.add_backup("older", old, data_timestamp="2026-01-01T00:00:00.000000")
    chosen = module(volume_backup_choice, site, **about)
    assert chosen["choices"][0]["backup"] == "older"
    (spare,) = chosen["spare"]
    assert (spare["volume"], spare["name"]) == (first["volume"]["id"], f"{choice.PREFIX}{old}")
    assert spare["reason"].startswith("an earlier rebuild restored it, and this one does not take it")
