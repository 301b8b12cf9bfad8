# SPDX-License-Identifier: Apache-2.0
"""A wave of 50 machines in check mode: nobody writes anything, and the run does what was foretold."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.estates import Estate, between, is_migrated, machine

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
MANY = 50
#: Their quotas, which a member of the project would have asked for.
_QUOTAS = {
    "compute": ("/os-quota-sets/{}", {"quota_set": {"instances": 60, "cores": 200, "ram": 200_000}}),
    "block-storage": ("/os-quota-sets/{}", {"quota_set": {"volumes": 60, "gigabytes": 1000}}),
    "network": ("/quotas/{}", {"quota": {"port": 200}}),
}


@pytest.fixture
def estate(compute_cloud: Cloud, tmp_path: Path, seed: int) -> Iterator[Estate]:
    """Machines of different sizes."""
    draw = random.Random(seed)
    disks = {f"vm-{number:02d}": [draw.randbytes(4096 * draw.randint(1, 32))] for number in range(MANY)}
    described = [machine(tmp_path, name, number + 1, disks[name]) for number, name in enumerate(disks)]
    with between(compute_cloud, tmp_path, described, disks) as found:
        with found.desk.session() as cloud:
            project = cloud.project_id
        with found.desk.session("admin") as cloud:
            before = {name: cloud.get(name, path.format(project)) for name, (path, _body) in _QUOTAS.items()}
            for service, (path, body) in _QUOTAS.items():
                cloud.call(service, "PUT", path.format(project), json=body)
        yield found
        with found.desk.session("admin") as cloud:
            for service, (path, body) in _QUOTAS.items():
                ((kind, keys),) = body.items()
                kept = {key: before[service][kind][key] for key in keys}
                cloud.call(service, "PUT", path.format(project), json={kind: kept})


def writes(estate: Estate, since: float) -> list[str]:
    """Requests that were meant to change something at the target."""
    services = ("keystone", "glance", "cinder", "nova", "neutron")
    found = [(name, one) for name in services for one in estate.desk.cloud.writes(name, since)]
    return [f"{name}: {one.method} {one.path}" for name, one in found]


@pytest.mark.accept("V1.12", "V1.23")
def test_fifty_machines_in_check_mode_write_nowhere_and_the_run_is_as_foretold(estate: Estate) -> None:
    chosen = {"vm_waves": [{"name": "trial", "vms": ["vm-07"]}]}
    began = time.time()
    said = estate.play("vm_plan", "--check", **chosen)
    assert not (estate.desk.folder / "migration-plan.json").exists()
    estate.play("vm_plan", **chosen)
    assert len(estate.plan["vms"]) == MANY
    assert estate.digest in said
    planned = time.time()
    said = estate.migrate("--check")
    seconds = time.time() - planned
    print(f"check mode of {MANY} machines took {seconds:.1f} s")  # for those who look
    assert writes(estate, began) == []
    assert estate.written() == []
    assert not (estate.desk.folder / "converter").exists()
    foretold = {line.split('"')[1] for line in said.splitlines() if " becomes " in line and '"' in line}
    assert {f"{name} becomes {name}" for name in estate.disks} <= foretold
    estate.migrate(vm_wave="trial")
    is_migrated(estate, "vm-07", 8)
    (server,) = estate.servers("vm-07")
    assert server["metadata"]["migration_plan"] == estate.digest
    assert [one["name"] for one in estate.volumes("vm-07")] == [
        disk["volume"] for one in estate.plan["vms"] if one["name"] == "vm-07" for disk in one["disks"]
    ]
