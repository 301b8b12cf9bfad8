# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 - the statements are of our own words and ids
"""A real Cinder loses its database and gets its backups back: same ids, same project, same bytes."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import past
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk, until_status
from ansible_collections.scs.landscape.tests.lab.openstack_tests.disks import Disks

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.full,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def desk(volume_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(volume_cloud, tmp_path, "member")
    yield found
    volume_cloud.clean("demo")


def in_tenant(desk: Desk) -> Desk:
    """An administrator in the project of a plain member."""
    project, _user = past.project(desk)
    with desk.session("admin") as cloud:
        (role,) = cloud.get("identity", "/roles", name="admin")["roles"]
        cloud.call("identity", "PUT", f"/projects/{project}/users/{cloud.user_id}/roles/{role['id']}")
    data = json.loads(desk.cloud.clouds_yaml.read_text(encoding="utf-8"))
    entry = json.loads(json.dumps(data["clouds"]["admin"]))
    entry["auth"] = {key: value for key, value in entry["auth"].items() if not key.startswith("project")}
    entry["auth"]["project_id"] = project
    path = desk.folder / "clouds.yaml"
    path.touch(0o600)
    path.write_text(json.dumps({"clouds": {"admin-in-tenant": entry}}), encoding="utf-8")
    return Desk(desk.cloud, desk.folder, "admin-in-tenant", path)


def lose(desk: Desk, volume: str) -> None:
    """An empty database: nothing is known of the backups, and nothing counted; the store is as it was."""
    project, _user = past.project(desk)
    with desk.session() as cloud:
        cloud.call("block-storage", "DELETE", f"/volumes/{volume}")
        until_status(cloud, "block-storage", f"/volumes/{volume}", 404)
    mine = f"select id from cinder.backups where project_id = '{project}'"
    desk.cloud.database(
        f"delete from cinder.backup_metadata where backup_id in ({mine});"
        f"delete from cinder.backups where project_id = '{project}';"
        f"delete from cinder.reservations where project_id = '{project}' and resource like 'backup%';"
        f"delete from cinder.quota_usages where project_id = '{project}' and resource like 'backup%';"
    )


@pytest.mark.accept("B1.13", "B1.16")
def test_records_bring_backups_back_into_an_empty_database(desk: Desk, seed: int) -> None:
    cloud, path = desk.cloud, desk.folder / "records.json"
    cloud.clean("demo")
    disks = Disks(desk, f"record-{seed}", random.Random(seed))
    volume = disks.make("source")
    full = past.back_up(desk, volume)
    recorded = {full: disks.digest(volume)}
    disks.write(volume)
    incremental = past.back_up(desk, volume, incremental=True)
    recorded[incremental] = disks.digest(volume)
    said = desk.run("volume_backup_record", state="exported", path=str(path))
    assert (said.failed, said.changed, path.exists()) == ("", False, False)
    assert said.values["omitted"][0]["reason"] == "records of backups are for administrators"
    tenant = in_tenant(desk)
    done = tenant.run("volume_backup_record", state="exported", path=str(path))
    assert (done.failed, done.values["records"]) == ("", sorted(recorded))
    assert not tenant.run("volume_backup_record", state="exported", path=str(path)).changed
    before = past.rows(cloud, volume)

    lose(desk, volume)
    assert past.rows(cloud, volume) == {}
    began = time.time()
    predicted = tenant.run("volume_backup_record", True, state="imported", path=str(path))
    assert (predicted.values["imported"], cloud.writes("cinder", began)) == (sorted(recorded), [])
    done = tenant.run("volume_backup_record", state="imported", path=str(path))
    assert (done.failed, done.values["imported"]) == ("", sorted(recorded))
    assert done.plan.digest == predicted.plan.digest
    assert [step.object for step in done.plan.steps] == [f"backup real ({key})" for key in (full, incremental)]
    assert past.rows(cloud, volume) == before
    with desk.session() as member:
        limits = member.get("block-storage", "/limits")["limits"]["absolute"]
    assert (limits["totalBackupsUsed"], limits["totalBackupGigabytesUsed"]) == (2, 2)
    # The member has them again, as chain and as bytes.
    told = desk.run("volume_backup_info", volumes=[volume])
    (chain,) = told.values["chains"]
    assert [(one["id"], one["parent"], one["ours"]) for one in chain["members"]] == [
        (full, None, True),
        (incremental, full, True),
    ]
    assert {key: disks.restored(key) for key in recorded} == recorded
    began = time.time()
    again = tenant.run("volume_backup_record", state="imported", path=str(path))
    assert (again.changed, again.failed, again.values["present"]) == (False, "", sorted(recorded))
    assert cloud.writes("cinder", began) == []
