# SPDX-License-Identifier: Apache-2.0
"""Flavors on a real Nova: from an empty cloud to the standard, and no machine harmed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors import model, sets
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk, until_status
from ansible_collections.scs.landscape.tests.lab.proxy import FaultProxy, Rule, one_in_twenty

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

NOVA = "http://127.0.0.1:8774"
QUOTA = {"quota:disk_read_iops_sec": "2000", "quota:cpu_shares": "512"}


@pytest.fixture
def desk(compute_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(compute_cloud, tmp_path)
    yield found
    mine = {*sets.MANDATORY, *sets.RECOMMENDED, "worker", "builder"}
    with found.session() as cloud:
        for one in flavors(found).values():
            if one["name"] in mine or one["name"].endswith(model.HOLDER):
                cloud.call("compute", "DELETE", f"/flavors/{one['id']}", accept=(404,))


def flavors(desk: Desk) -> dict[str, dict[str, Any]]:
    """All flavors by name."""
    with desk.session() as cloud:
        pages = cloud.pages("compute", "/flavors/detail", "flavors", microversion="2.61", is_public="None")
        return {one["name"]: one for one in pages}


@pytest.mark.accept("O1.6", "O1.9")
def test_an_empty_cloud_gets_the_standard_and_the_second_run_writes_nothing(desk: Desk) -> None:
    everything = ["scs-mandatory", "scs-recommended"]
    began = time.time()
    predicted = desk.run("flavor_set", check_mode=True, sets=everything)
    assert desk.cloud.writes("nova", began) == []
    done = desk.run("flavor_set", sets=everything)
    assert (done.failed, done.steps_done) == ("", 31)
    assert done.plan.digest == predicted.plan.digest
    there = flavors(desk)
    for wanted in sets.members(everything):
        one = there[wanted.name]
        assert (one["vcpus"], one["ram"], one["disk"]) == (wanted.vcpus, wanted.ram, wanted.disk)
        assert one["extra_specs"] == wanted.specs
        assert wanted.disk or not any("disk" in key for key in one["extra_specs"])
    began = time.time()
    again = desk.run("flavor_set", sets=everything)
    assert (again.changed, again.failed) == (False, "")
    assert desk.cloud.writes("nova", began) == []
    # A plain member finds what fits, and the best is one of the standard.
    member = Desk(desk.cloud, desk.folder, "member")
    chosen = member.run("flavor_match", requests=[{"name": "web", "vcpus": 2, "ram": 6000, "cpu_type": "shared-core"}])
    assert chosen.values["chosen"] == {"web": "SCS-2V-8"}


@pytest.mark.accept("O1.11")
def test_five_percent_of_planted_faults_leave_the_flavors_that_were_asked_for(
    desk: Desk, seed: int, tmp_path: Path
) -> None:
    everything = ["scs-mandatory", "scs-recommended"]
    with desk.session("member") as member:
        project = member.project_id
    private = {"name": "builder", "vcpus": 1, "ram": 512, "is_public": False, "access": [project]}
    chance = one_in_twenty(seed)
    certain = [Rule("cut", method="POST", path="/flavors$", skip=skip, times=1, late=True) for skip in (1, 8)]
    certain += [Rule("cut", method="POST", path="os-extra_specs", skip=3, times=1, late=True)]
    certain += [Rule(status, method="POST", path="/flavors$", skip=12, times=1) for status in (429, 503)]
    certain += [Rule("cut", method="POST", path="/action$", times=1, late=True)]
    deleting = [Rule("cut", method="DELETE", path="/flavors/", times=1, late=True)]
    wanted = {"sets": everything, "flavors": [private]}
    with FaultProxy(NOVA, [*certain, *deleting, *chance], seed=seed, namespace=desk.cloud.namespace) as nova:
        desk.clouds = desk.cloud.proxied(tmp_path / "clouds.yaml", nova=nova.url)
        done = desk.run("flavor_set", **wanted)
        assert done.failed == ""
        assert not desk.run("flavor_set", **wanted).changed
        # A flavor that is made anew passes through several requests; none of them may leave a second one.
        changed = {"sets": everything, "flavors": [{**private, "ram": 1024}], "on_drift": "recreate"}
        assert desk.run("flavor_set", **changed).failed == ""
        gone = {"sets": everything, "flavors": [{"name": "builder", "state": "absent"}]}
        kept = flavors(desk)["builder"]
        assert desk.run("flavor_set", **gone).failed == ""
    desk.clouds = None
    assert [rule for rule in [*certain, *deleting] if rule.acted != 1] == []
    assert sum(rule.acted for rule in chance) >= 1, nova.count()
    assert kept["ram"] == 1024
    there = flavors(desk)
    assert "builder" not in there
    assert not any(name.endswith(model.HOLDER) for name in there)
    for one in sets.members(everything):
        found = there[one.name]
        assert (found["vcpus"], found["ram"], found["disk"]) == (one.vcpus, one.ram, one.disk)
        assert found["extra_specs"] == one.specs
    assert not desk.run("flavor_set", sets=everything).changed


@pytest.mark.accept("O1.6")
def test_drift_is_refused_while_a_server_uses_it_and_own_specs_survive(desk: Desk) -> None:
    wrong = {"name": "worker", "vcpus": 1, "ram": 512, "disk": 1, "extra_specs": QUOTA}
    right = {"name": "worker", "vcpus": 1, "ram": 1024, "disk": 1, "extra_specs": {"hw:x": "1"}}
    assert desk.run("flavor_set", flavors=[wrong]).failed == ""
    identifier = flavors(desk)["worker"]["id"]
    server = boot(desk, identifier)
    for mode in ("refuse", "recreate"):
        done = desk.run("flavor_set", flavors=[right, {"name": "SCS-1V-2"}], on_drift=mode)
        assert (
            f"ram is 512, wanted 1024; 1 server uses it, and a flavor in use is not made anew: {server}" in done.failed
        )
        assert flavors(desk)["worker"]["ram"] == 512
    assert "SCS-1V-2" in flavors(desk)
    with desk.session() as cloud:
        cloud.call("compute", "DELETE", f"/servers/{server}")
        until_status(cloud, "compute", f"/servers/{server}", 404)
    done = desk.run("flavor_set", flavors=[right], on_drift="recreate")
    now = flavors(desk)["worker"]
    assert (done.failed, now["id"], now["ram"]) == ("", identifier, 1024)
    assert now["extra_specs"] == {**QUOTA, "hw:x": "1"}
    assert not any(name.endswith(model.HOLDER) for name in flavors(desk))


def boot(desk: Desk, flavor: str) -> str:
    """A server of another project that uses a flavor; its image is gone afterwards."""
    kind = {"Content-Type": "application/octet-stream"}
    with desk.session() as admin:
        body = {"name": "for one server", "disk_format": "raw", "container_format": "bare", "visibility": "public"}
        made = admin.call("image", "POST", "/images", json=body).body["id"]
    try:
        with desk.session() as admin:
            admin.call("image", "PUT", f"/images/{made}/file", data=b"x" * 512, headers=kind)
        with desk.session("second") as cloud:
            wanted = {"name": "user", "imageRef": made, "flavorRef": flavor, "networks": "none"}
            answer = cloud.call("compute", "POST", "/servers", json={"server": wanted}, microversion="2.60")
            server = str(answer.body["server"]["id"])
            until_status(cloud, "compute", f"/servers/{server}", 200, "server", "ACTIVE")
    finally:
        with desk.session() as admin:
            admin.call("image", "DELETE", f"/images/{made}")
    return server


@pytest.mark.accept("O1.6")
def test_projects_of_a_private_flavor_are_merged(desk: Desk) -> None:
    with desk.session("member") as member, desk.session("second") as second:
        projects = (member.project_id, second.project_id)
    wanted = {"name": "builder", "vcpus": 1, "ram": 512, "is_public": False, "access": [projects[0]]}
    assert desk.run("flavor_set", flavors=[wanted]).failed == ""
    done = desk.run("flavor_set", flavors=[{**wanted, "access": [projects[1]]}])
    assert done.plan.steps[0].after == {"access": sorted(projects)}
    assert not desk.run("flavor_set", flavors=[wanted]).changed
    desk.run("flavor_set", flavors=[wanted], access_mode="exact")
    with desk.session() as cloud:
        identifier = flavors(desk)["builder"]["id"]
        access = cloud.get("compute", f"/flavors/{identifier}/os-flavor-access")["flavor_access"]
    assert [one["tenant_id"] for one in access] == [projects[0]]
    gone = desk.run("flavor_set", flavors=[{"name": "builder", "state": "absent"}])
    assert (gone.failed, "builder" in flavors(desk)) == ("", False)


@pytest.mark.accept("O1.8")
def test_a_member_is_told_that_it_may_not(desk: Desk) -> None:
    member = Desk(desk.cloud, desk.folder, "member")
    done = member.run("flavor_set", flavors=[{"name": "SCS-1L-1"}])
    assert "403" in done.failed
    assert "SCS-1L-1" not in flavors(desk)
