# SPDX-License-Identifier: Apache-2.0
"""Restores with the lab's Cinder: four points in time, as the back end has them, past every API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.volumes import RESTORED
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.openstack_tests.vault import Vault, vault_of

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def vault(volume_cloud: Cloud, tmp_path: Path) -> Iterator[Vault]:
    """Of a plain member."""
    yield from vault_of(Desk(volume_cloud, tmp_path, "member"), tmp_path)


@pytest.mark.full
@pytest.mark.accept("B1.1", "B1.16")
def test_four_points_in_time_are_restored_as_the_back_end_had_them(vault: Vault, seed: int) -> None:
    source = vault.volume("database", metadata={"who": "somebody"})
    points = []
    for number in range(4):
        vault.write(source, seed + number)
        points.append((vault.backup(source, f"point-{number}", incremental=number > 0), vault.sha256(source)))
    assert len({digest for _backup, digest in points}) == 4
    given = {
        "restores": [
            {"backup": backup, "name": f"restored-{number}"} for number, (backup, _digest) in enumerate(points)
        ],
        "digests": str(vault.digests),
        "reader": vault.reader,
        "max_parallel": 2,
    }
    began = time.time()
    planned = vault.desk.run("volume_backup_restore", check_mode=True, **given)
    assert vault.desk.cloud.writes("cinder", began) == []
    done = vault.desk.run("volume_backup_restore", **given)
    assert (done.failed, done.steps_done, done.plan.digest) == ("", 4, planned.plan.digest)
    for (_backup, digest), one in zip(points, done.values["restores"]):
        assert vault.sha256(one["volume"]["id"]) == digest
        assert one["compared"]
        assert one["volume"]["type"] == vault.show("volumes", source)["volume_type"]
    began = time.time()
    again = vault.desk.run("volume_backup_restore", **given)
    assert (again.changed, vault.desk.cloud.writes("cinder", began)) == (False, [])


@pytest.mark.full
@pytest.mark.accept("B1.1")
def test_over_a_volume_and_what_is_wrong_is_never_called_good(vault: Vault, seed: int) -> None:
    source, target = vault.volume("source"), vault.volume("target", metadata={"of": "target"})
    vault.write(source, seed)
    backup, digest = vault.backup(source, "good"), vault.sha256(source)
    vault.write(target, seed + 1)
    before = vault.sha256(target)
    over = {
        "restores": [{"backup": backup, "volume": target, "run": "first"}],
        "digests": str(vault.digests),
        "reader": vault.reader,
    }
    with pytest.raises(InputError, match="allow_overwrite is not set"):
        vault.desk.run("volume_backup_restore", **over)
    assert vault.sha256(target) == before
    done = vault.desk.run("volume_backup_restore", allow_overwrite=True, **over)
    assert (done.failed, vault.sha256(target)) == ("", digest)
    assert not vault.desk.run("volume_backup_restore", allow_overwrite=True, **over).changed
    # One bit of one object is another one now: Cinder itself finds nothing wrong with the restore.
    vault.flip(backup, seed)
    wrong = vault.desk.run("volume_backup_restore", **{**over, "restores": [{"backup": backup, "name": "wrong"}]})
    (one,) = wrong.values["restores"]
    assert (one["compared"], wrong.steps_done) == (False, 0)
    assert backup in wrong.failed
    if one["volume"]["id"] or "not what was backed up" in wrong.failed:
        made = next(volume for volume in vault.all("volumes") if volume["name"] == "wrong")
        assert vault.sha256(made["id"]) != digest
        assert made["metadata"][RESTORED] == f"wrong {backup}"
