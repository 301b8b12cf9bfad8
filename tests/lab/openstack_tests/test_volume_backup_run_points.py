# SPDX-License-Identifier: Apache-2.0
"""Backups of servers by a real Nova and Cinder: all volumes of one moment, by one image, of which nothing stays."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.openstack_tests.disks import Disks, until

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
#: Seconds for what competes with everything else on the machine.
PATIENCE = 900


@pytest.fixture
def disks(compute_cloud: Cloud, tmp_path: Path, request: pytest.FixtureRequest, seed: int) -> Iterator[Disks]:
    mark = f"{zlib.crc32(f'{request.node.name}{seed}'.encode()):08x}"
    yield Disks(Desk(compute_cloud, tmp_path, "member"), mark, random.Random(seed))
    compute_cloud.clean("demo")


def options(disks: Disks, server: str, run_id: str, consistency: str) -> dict[str, Any]:
    """A run over the volumes of a server, with lists of digests of what was read from the snapshots."""
    path = str(disks.desk.cloud.share / "volume-{id}")
    return {
        "servers": [server],
        "policy": disks.mark,
        "run_id": run_id,
        "consistency": consistency,
        "reader": {"kind": "file", "path": path, "snapshot_path": f"{path}.snap-{{snapshot}}"},
        "digests": str(disks.desk.folder / "digests"),
        "max_parallel": 2,
    }


def interrupted(disks: Disks, volumes: list[str], given: dict[str, Any]) -> dict[str, Any]:
    """What a run returns while somebody writes to the volumes as soon as all of their snapshots are there."""
    process = disks.desk.start("volume_backup_run", **given)

    def taken() -> bool:
        rows = disks.desk.cloud.database(
            "select volume_id from cinder.snapshots where deleted = 0 and status in ('available', 'backing-up')"
        )
        return {row[0] for row in rows} >= set(volumes) or process.poll() is not None

    assert until(taken, PATIENCE)
    assert process.poll() is None, process.communicate()
    for one in volumes:
        disks.write(one)
    out, err = process.communicate(timeout=PATIENCE)
    assert out, err
    return dict(json.loads(out))


def pictured(disks: Disks, image: str) -> tuple[str, set[str]]:
    """State of an image of a server in Glance's database, and the snapshots that Nova put into it."""
    ((status,),) = disks.desk.cloud.database(f"select status from glance.images where id = '{image}'")  # noqa: S608 - an id
    ((text,),) = disks.desk.cloud.database(
        f"select value from glance.image_properties where image_id = '{image}' and name = 'block_device_mapping'"  # noqa: S608 - an id
    )
    return status, {one["snapshot_id"] for one in json.loads(text)}


def stored(cloud: Cloud, backup: str) -> int:
    """Bytes of a backup in the store, without what describes them."""
    return sum(path.stat().st_size for path in cloud.backups.rglob(f"*backup_{backup}*-[0-9]*") if path.is_file())


@pytest.mark.accept("B1.7", "B1.8", "B1.16")
def test_three_volumes_of_a_server_are_of_one_moment_twice_and_the_second_time_incremental(disks: Disks) -> None:
    cloud = disks.desk.cloud
    volumes = [disks.make(name, written=60) for name in ("root", "data", "logs")]
    with disks.desk.session() as member:
        machines.act(member, volumes[0], "os-set_bootable", bootable=True)
        server = machines.server(member, "three", volumes)
    kinds, sizes = [], []
    for run_id, consistency, level in (("1", "crash", "crash"), ("2", "quiesce_required", "quiesced")):
        before = {one: disks.digest(one) for one in volumes}
        told = interrupted(disks, volumes, options(disks, server, run_id, consistency))
        assert not told.get("failed"), told["msg"]
        made = {one["volume"]: one for one in told["backups"]}
        assert set(made) == set(volumes)
        assert {one["level"] for one in made.values()} == {level}
        backups = {one.id: one for one in disks.backups() if one.id in {each["id"] for each in made.values()}}
        (point,) = {one.metadata[model.POINT] for one in backups.values()}
        assert pictured(disks, point) == ("deleted", {one.snapshot for one in backups.values()})
        assert len({one.snapshot for one in backups.values()}) == 3
        kinds.append({one["kind"] for one in made.values()})
        sizes.append({one["volume"]: stored(cloud, one["id"]) for one in made.values()})
        with disks.desk.session() as member:
            assert len(machines.actions(member, server)) == int(run_id)
            assert machines.temporary(member) == []
            for one in volumes:
                assert member.get("block-storage", f"/volumes/{one}")["volume"]["status"] == "in-use"
        assert disks.temporary() == []
        # What was written after the moment is in none of them.
        assert {one: disks.restored(made[one]["id"]) for one in volumes} == before
        assert {one: disks.digest(one) for one in volumes}.items() & before.items() == set()
        with disks.desk.session() as member:  # from now on Nova promises to freeze the guest
            machines.act(member, volumes[0], "os-set_image_metadata", metadata=machines.AGENT)
    assert kinds == [{"full"}, {"incremental"}]
    print(f"\nbytes in the store: full {sorted(sizes[0].values())}, incremental {sorted(sizes[1].values())}")
    assert all(sizes[1][one] * 4 < sizes[0][one] for one in volumes), sizes


@pytest.mark.accept("B1.7")
def test_data_volumes_of_a_server_with_a_local_root_are_taken_too_without_an_image(disks: Disks) -> None:
    volumes = [disks.make(name) for name in ("data", "logs")]
    with disks.desk.session() as member:
        server = machines.server(member, "local root", volumes, machines.image(member, "root"))
    before = {one: disks.digest(one) for one in volumes}
    refused = disks.desk.run("volume_backup_run", **options(disks, server, "1", "quiesce_required"))
    assert "boot from a volume" in refused.failed
    assert disks.backups() == []
    told = interrupted(disks, volumes, options(disks, server, "1", "crash"))
    assert not told.get("failed"), told["msg"]
    made = {one["volume"]: one["id"] for one in told["backups"]}
    assert {one["level"] for one in told["backups"]} == {"crash"}
    assert {one: disks.restored(made[one]) for one in volumes} == before
    with disks.desk.session() as member:
        assert machines.actions(member, server) == []
        assert machines.temporary(member) == []
    assert disks.temporary() == []
