# SPDX-License-Identifier: Apache-2.0
"""Roles of backups that work on files and on whole servers, in check mode: not one request and not one file changes anything.

Files are looked at in two ways: those that a role is about are the same afterwards, and all others lie on a file system that
nobody can write to, so that a task which tried would fail.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader

from ansible_collections.scs.landscape.plugins.module_utils.openstack.keys import seal
from ansible_collections.scs.landscape.plugins.modules import offsite_copy, secret_bundle, volume_backup_record
from ansible_collections.scs.landscape.plugins.plugin_utils.vaulting import vault_of
from ansible_collections.scs.landscape.tests.lab.openstack_tests.pretended import Pretended
from ansible_collections.scs.landscape.tests.lab.openstack_tests.test_backup_check_mode import Stage, book_of, changed
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_restores import (
    FakeRestores,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.drills.fake_site import FakeSite
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.keys.fake_barbican import (
    FakeProject as KeyProject,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.servers.furnished import captured

#: All but the folder of the test is read-only.
_SEALED = 'mount --bind "$1" "$1"; mount -o remount,bind,ro /; shift; exec "$@"'


def files(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Mode, time of change and digest of all below a folder, and of the folder itself."""
    found = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        about = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = (about.st_mode, about.st_ctime_ns, content)
    return found


@pytest.fixture
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Playbooks start where only the folder of the test can be written to."""
    for name in ("ANSIBLE_HOME", "ANSIBLE_LOCAL_TEMP", "ANSIBLE_REMOTE_TEMP", "TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    before = ("unshare", "--mount", "--propagation", "private", "sh", "-ec", _SEALED, "sh", str(tmp_path))
    with Pretended(FakeRestores(), tmp_path) as cloud:
        yield Stage(cloud, tmp_path, before)


def timers(folder: Path) -> dict[str, Any]:
    """Variables of timers that are not there, of a user that is not there."""
    name = f"check-{os.getpid()}"
    return {
        "backup_timer_name": name,
        "backup_timer_user": f"scs-{name}",
        "backup_timer_metrics": str(folder / "host" / "metrics"),
    }


@pytest.mark.accept("B1.17")
def test_check_mode_of_timers_and_copies_changes_no_file(sealed: Stage) -> None:
    source, store, fresh = (sealed.folder / "host" / name for name in ("source", "store", "fresh"))
    source.mkdir(parents=True)
    (source / "digests.json").write_text("first", encoding="utf-8")
    options = {name: spec.get("default") for name, spec in offsite_copy.ARGUMENTS.items()}
    place = {"kind": "directory", "path": str(store)}
    assert offsite_copy.main({**options, "store": place, "src": str(source), "name": "first"}, False).changed
    (source / "digests.json").write_text("second", encoding="utf-8")
    before = files(sealed.folder / "host")
    book = book_of(sealed.folder, "timer", "offsite")
    wanted = {**timers(sealed.folder), "backup_offsite_src": str(source), "backup_offsite_keep": 1}
    for where in (store, fresh):
        there = {"backup_offsite_store": {"kind": "directory", "path": str(where)}}
        status, said = sealed.play(book, "--check", "--diff", **wanted, **there)
        assert status == 0, said[-6000:]
        assert changed(said) == [
            "backup_timer : Make the user",
            "backup_timer : Make the folder of the variables",
            "backup_timer : Let the user write figures",
            "backup_timer : Write the variables",
            "backup_timer : Write the units",
            "backup_offsite : Copy, and remove what is not kept",
        ], said[-6000:]
        assert files(sealed.folder / "host") == before
    assert sealed.cloud.requests == []
    # Who is not in check mode cannot write where these roles write.
    status, said = sealed.play(book, "--tags", "apply", **wanted, **there)
    assert (status, "useradd: cannot lock /etc/passwd" in said) == (2, True), said[-6000:]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Stage]:
    """A project that has lost its server, with the manifest of it, backups of its volumes, and the record of one more."""
    found = FakeSite(0.0)
    captured(found.project, tmp_path / "servers")
    found.lose_everything()
    with Pretended(found, tmp_path) as cloud:
        stage = Stage(cloud, tmp_path)
        stage.fake.add_volume("archive")
        stage.fake.add_backup("b9", "archive")
        stage.fake.admin = True
        options = {name: spec.get("default") for name, spec in volume_backup_record.ARGUMENTS.items()}
        options.update(state="exported", path=str(tmp_path / "records.json"), volumes=["archive"])
        assert volume_backup_record.main(options, False, connect=lambda *_args, **_more: stage.fake).changed
        del stage.fake.backups["b9"]
        cloud.requests.clear()
        yield stage


def sealed_keys(path: Path, password: str) -> None:
    """The key of a volume, as it was sealed when there was another Barbican."""
    lost = KeyProject()
    lost.add_encrypted(1, bytes(range(32)))
    options = {name: spec.get("default") for name, spec in secret_bundle.ARGUMENTS.items()}
    options.update(state="exported", path=str(path), everything=True, method="vault", passphrase=password)
    with seal.vault_by(vault_of(DataLoader())):
        assert secret_bundle.main(options, False, connect=lambda *_args, **_more: lost).changed


@pytest.mark.accept("B1.17")
def test_check_mode_of_drills_and_rebuilds_sends_only_reading_requests(site: Stage) -> None:
    given: dict[str, Any] = {
        "backup_drill_reader": site.variables()["backup_reader"],
        "backup_drill_digests": str(site.digests),
        "backup_rebuild_records": "records.json",
        "backup_rebuild_records_cloud": "member",
        "backup_rebuild_keys": {"path": "keys.sealed", "passphrase": "only the operators know"},
    }
    sealed_keys(site.folder / "keys.sealed", "only the operators know")
    status, said = site.play(book_of(site.folder, "drill", "rebuild"), "--check", "--diff", **given)
    assert status == 0, said[-6000:]
    assert changed(said) == [
        "backup_drill : Restore into scratch volumes, compare, remove them",
        "backup_rebuild : Bring back the keys of encrypted volumes",
        "backup_rebuild : Bring back the records of backups",
        "backup_rebuild : Restore the volumes",
    ], said[-6000:]
    assert {("GET", "/compute/v2.1/servers/detail"), ("GET", "/network/v2.0/ports")} <= set(site.cloud.requests)
    assert site.cloud.writes == []
    assert not (site.folder / "backup-reports").exists()
    assert ("GET", "/key-manager/v1/secrets") in site.cloud.requests
    assert "only the operators know" not in said
