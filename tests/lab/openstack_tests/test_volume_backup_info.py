# SPDX-License-Identifier: Apache-2.0
"""Chains that are worked out from what a real Cinder shows are those of its database."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import past
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.histories import grown

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def desk(volume_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(volume_cloud, tmp_path, "member")
    yield found
    past.forget(found)


@pytest.mark.accept("B1.16")
def test_a_member_sees_the_chains_of_the_database(desk: Desk, seed: int) -> None:
    cloud, chance = desk.cloud, random.Random(seed)
    volumes = [str(uuid.uuid4()) for _number in range(5)]
    for volume in volumes:
        past.write(desk, grown(chance, 40, volume))
    began = time.time()
    done = desk.run("volume_backup_info", volumes=volumes)
    assert cloud.writes("cinder", began) == []
    truth = {key: row for volume in volumes for key, row in past.rows(cloud, volume).items()}
    members = {one["id"]: one for chain in done.values["chains"] for one in chain["members"]}
    assert {key: one["parent"] or "" for key, one in members.items()} == {key: row.parent for key, row in truth.items()}
    assert {key: one["ours"] for key, one in members.items()} == {key: row.ours for key, row in truth.items()}
    for one in done.values["volumes"]:
        mine = [row for row in truth.values() if row.volume == one["id"]]
        assert (one["backups"], one["exists"]) == (len(mine), False)
        assert (one["failed"], one["foreign"]) == (
            sum(row.status == "error" for row in mine),
            sum(not row.ours for row in mine),
        )
    assert done.values["metrics"].count("newest_timestamp_seconds{") == len(volumes)
    # A plain member may not read records: that is said, and is no failure.
    said = desk.run("volume_backup_info", volumes=volumes, records=True)
    assert said.failed == ""
    assert said.values["omitted"] == [
        "records of backups are for administrators, so chains are worked out from what is shown"
    ]
    assert said.values["chains"] == done.values["chains"]
