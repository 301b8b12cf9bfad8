# SPDX-License-Identifier: Apache-2.0
"""Flavors are brought into line, and nobody's machine or setting is lost by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import model as nova_model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors import model, plan
from ansible_collections.scs.landscape.plugins.modules import flavor_set
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.flavors.fake_nova import (
    FakeNova,
    Killed,
    flavor,
)

QUOTA = {"quota:disk_read_iops_sec": "2000", "aggregate_instance_extra_specs:ssd": "true"}


def run(cloud: FakeNova, check: bool = False, **options: Any) -> Result:
    defaults = {name: spec.get("default") for name, spec in flavor_set.ARGUMENTS.items()}
    keys = flavor_set.ARGUMENTS["flavors"]["options"]
    options["flavors"] = [{**dict.fromkeys(keys), "state": "present", **one} for one in options.get("flavors", [])]
    return flavor_set.main({**defaults, **options}, check, connect=lambda *_args, **_more: cloud)


def test_an_empty_cloud_gets_the_whole_set_once():
    cloud = FakeNova()
    predicted = run(cloud, check=True, sets=["scs-mandatory"])
    assert cloud.writes == []
    assert all(one["predicted"] for one in predicted.values["flavors"])
    done = run(cloud, sets=["scs-mandatory"])
    assert (done.failed, done.changed, done.steps_done) == ("", True, 15)
    assert done.plan.digest == predicted.plan.digest
    assert len(cloud.flavors) == 15
    assert len(cloud.writes) == 30
    again = run(cloud, sets=["scs-mandatory"])
    assert (again.changed, again.plan.steps, len(cloud.writes)) == (False, (), 30)
    assert {one["action"] for one in again.values["flavors"]} == {"none"}


def test_what_an_operator_has_set_stays():
    cloud = FakeNova(flavor("SCS-2V-8", 2, 8192, specs={**QUOTA, "scs:cpu-type": "wrong"}))
    done = run(cloud, sets=["scs-mandatory"])
    specs = cloud.by_name("SCS-2V-8")["extra_specs"]
    assert QUOTA.items() <= specs.items()
    assert specs["scs:cpu-type"] == "shared-core"
    step = next(step for step in done.plan.steps if step.object == "flavor SCS-2V-8")
    assert step.before["scs:cpu-type"] == "wrong"
    assert "quota:disk_read_iops_sec" not in step.after


def test_exact_removes_what_is_not_defined():
    cloud = FakeNova(flavor("a", specs={**QUOTA, "hw:x": "1"}))
    run(
        cloud, flavors=[{"name": "a", "vcpus": 2, "ram": 4096, "extra_specs": {"hw:x": True}}], extra_specs_mode="exact"
    )
    assert cloud.by_name("a")["extra_specs"] == {"hw:x": "True"}


def test_a_disk_that_is_not_there_has_no_type():
    cloud = FakeNova(flavor("SCS-2V-8", 2, 8192, specs={"scs:disk0-type": "network", **QUOTA}))
    run(cloud, sets=["scs-mandatory"])
    assert not any("scs:disk0-type" in one["extra_specs"] for one in cloud.flavors.values() if not one["disk"])
    # OSISM's own list asks for it; the standard counts more.
    told = {"name": "SCS-4V-8", "extra_specs": {"scs:disk0-type": "network", "x": "y"}}
    run(cloud, flavors=[told])
    assert cloud.by_name("SCS-4V-8")["extra_specs"] == {**model.definition_of(told).specs, "x": "y"}
    assert "scs:disk0-type" not in cloud.by_name("SCS-4V-8")["extra_specs"]


@pytest.mark.parametrize("mode", ["refuse", "recreate"])
def test_drift_is_refused_while_servers_use_it_and_all_others_are_done(mode):
    servers = [f"server-{number}" for number in range(7)]
    cloud = FakeNova(flavor("SCS-2V-8", 2, 4096, specs=QUOTA), servers={"SCS-2V-8": servers})
    done = run(cloud, sets=["scs-mandatory"], on_drift=mode)
    assert "flavor SCS-2V-8 is left as it is: ram is 4096, wanted 8192; 7 servers use it" in done.failed
    assert "server-4 and 2 more" in done.failed
    assert done.values["drift"] == [{"flavor": "SCS-2V-8", "property": "ram", "is": 4096, "wanted": 8192}]
    assert done.values["in_use"] == {"SCS-2V-8": servers}
    assert cloud.by_name("SCS-2V-8") == flavor("SCS-2V-8", 2, 4096, specs=QUOTA)
    assert len(cloud.flavors) == 15
    assert done.steps_done == 14


def test_drift_is_refused_when_nothing_is_said():
    cloud = FakeNova(flavor("a", ram=1024))
    done = run(cloud, flavors=[{"name": "a", "vcpus": 2, "ram": 4096}])
    assert "Nova cannot change that, and on_drift=recreate is not given" in done.failed
    assert cloud.writes == []


def test_drift_is_only_reported():
    cloud = FakeNova(flavor("a", ram=1024))
    done = run(cloud, flavors=[{"name": "a", "vcpus": 2, "ram": 4096}], on_drift="report")
    assert (done.failed, done.changed, cloud.writes) == ("", False, [])
    assert done.values["drift"][0]["is"] == 1024


def anew(cloud: FakeNova) -> Result:
    wanted = {"name": "a", "vcpus": 4, "ram": 4096, "extra_specs": {"hw:x": "2"}}
    return run(cloud, flavors=[wanted], on_drift="recreate")


def drifted() -> FakeNova:
    cloud = FakeNova(
        flavor("a", specs={**QUOTA, "hw:x": "1"}, description="for builds", **{"os-flavor-access:is_public": False})
    )
    cloud.access["id-a"] = {"p1"}
    return cloud


def is_whole(cloud: FakeNova) -> bool:
    (one,) = cloud.flavors.values()
    kept = (one["id"], one["vcpus"], one["description"], one["os-flavor-access:is_public"])
    specs = one["extra_specs"] == {**QUOTA, "hw:x": "2"}
    return kept == ("id-a", 4, "for builds", False) and specs and cloud.access["id-a"] == {"p1"}


def test_made_anew_with_its_id_specs_and_projects():
    cloud = drifted()
    done = anew(cloud)
    assert not done.failed
    assert is_whole(cloud)
    assert done.values["flavors"][0]["action"] == "recreate"
    assert anew(cloud).changed is False


@pytest.mark.accept("O1.7")
@pytest.mark.parametrize("writes", range(8))
def test_killed_while_made_anew_nothing_is_lost(writes):
    cloud = drifted()
    cloud.kill_after = writes
    with pytest.raises(Killed):
        anew(cloud)
    cloud.kill_after = None
    done = anew(cloud)
    assert not done.failed
    assert is_whole(cloud), cloud.flavors
    assert anew(cloud).changed is False


def test_a_flavor_that_got_servers_after_a_kill_stays():
    cloud = drifted()
    cloud.kill_after = 3
    with pytest.raises(Killed):
        anew(cloud)
    cloud.kill_after, cloud.servers = None, {"a": ["s1"]}
    done = anew(cloud)
    assert "1 server uses it" in done.failed
    assert cloud.by_name("a")["vcpus"] == 2


def test_a_holder_that_says_nothing_is_left_to_people():
    cloud = FakeNova(flavor(f"a{model.HOLDER}", description="what?"))
    with pytest.raises(LandscapeError, match="does not say what it was kept for"):
        anew(cloud)
    assert cloud.writes == []


def test_absent_deletes_what_nobody_uses():
    cloud = FakeNova(flavor("a"), flavor("b"), servers={"b": ["s1"]})
    done = run(cloud, flavors=[{"name": name, "state": "absent"} for name in ("a", "b", "c")])
    assert "flavor b is left as it is: 1 server uses it, so it stays: s1" in done.failed
    assert [one["name"] for one in cloud.flavors.values()] == ["b"]
    assert [one["action"] for one in done.values["flavors"]] == ["delete", "refused", "none"]


@pytest.mark.parametrize(
    ("name", "identifier"), [("a", "id-b"), ("gone", "id-b"), ("a", "id-gone")], ids=["both", "id", "name"]
)
def test_absent_with_an_id_that_is_not_the_names_deletes_nothing(name, identifier):
    cloud = FakeNova(flavor("a"), flavor("b"))
    done = run(cloud, flavors=[{"name": name, "id": identifier, "state": "absent"}])
    assert f"{name} with {identifier} is to go" in done.failed
    assert cloud.writes == []
    assert not done.changed
    assert run(cloud, flavors=[{"name": "a", "id": "id-a", "state": "absent"}]).failed == ""
    assert list(cloud.flavors) == ["id-b"]


class Sudden(FakeNova):
    """Somebody starts a server while the plan is being made: it is seen by the second look only."""

    looks = 0

    def pages(self, service: str, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        if path == "/servers":
            self.looks += 1
            if self.looks > 1:
                self.servers = {"a": ["s1"]}
        return super().pages(service, path, key, **query)


@pytest.mark.parametrize(
    "wanted", [{"name": "a", "state": "absent"}, {"name": "a", "vcpus": 4, "ram": 4096}], ids=["delete", "recreate"]
)
def test_a_server_that_came_after_the_plan_keeps_its_flavor(wanted):
    cloud = Sudden(flavor("a", specs=QUOTA))
    done = run(cloud, flavors=[wanted], on_drift="recreate")
    assert "1 server uses it, so it stays: s1" in done.failed
    assert list(cloud.flavors.values()) == [flavor("a", specs=QUOTA)]


class Reader(FakeNova):
    """A token that may not list the servers of all projects."""

    def pages(self, service: str, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        if path == "/servers":
            raise nova_model.refusal(service, "GET", path, nova_model.Answer(403))
        return super().pages(service, path, key, **query)


def test_a_reader_sees_drift_and_plans_nothing_that_needs_the_servers():
    cloud = Reader(flavor("a", ram=1024), flavor("b"))
    wanted = [{"name": "a", "vcpus": 2, "ram": 4096}, {"name": "b", "state": "absent"}]
    for mode in ("refuse", "recreate"):
        done = run(cloud, check=True, flavors=wanted, on_drift=mode)
        assert done.values["drift"] == [{"flavor": "a", "property": "ram", "is": 1024, "wanted": 4096}]
        assert "b is left as it is: this login may not see which servers use it, so it stays" in done.failed
        assert ("so it is not made anew" in done.failed) is (mode == "recreate")
        assert done.plan.steps == ()
    assert run(cloud, check=True, flavors=wanted[:1], on_drift="report").failed == ""


def test_projects_are_merged_or_exact():
    cloud = FakeNova(flavor("a", **{"os-flavor-access:is_public": False}))
    cloud.access["id-a"] = {"p2"}
    wanted = {"name": "a", "vcpus": 2, "ram": 4096, "is_public": False, "access": ["build"]}
    run(cloud, flavors=[wanted])
    assert cloud.access["id-a"] == {"p1", "p2"}
    done = run(cloud, flavors=[wanted], access_mode="exact")
    assert cloud.access["id-a"] == {"p1"}
    assert done.plan.steps[0].before["access"] == ["p1", "p2"]
    with pytest.raises(LandscapeError, match="no project of the name or id 'nobody'"):
        run(cloud, flavors=[{**wanted, "access": ["nobody"]}])


def test_description_is_changed_in_place():
    cloud = FakeNova(flavor("a", description="old"))
    run(cloud, flavors=[{"name": "a", "vcpus": 2, "ram": 4096, "description": "new"}])
    assert cloud.by_name("a")["description"] == "new"
    assert cloud.writes == [("PUT", "/flavors/id-a")]


def test_an_id_that_is_another_flavors_is_refused():
    cloud = FakeNova(flavor("a"))
    wanted = {"name": "b", "id": "id-a", "vcpus": 2, "ram": 4096}
    done = run(cloud, flavors=[wanted], on_drift="recreate")
    assert "that id is another flavor's" in done.failed
    assert cloud.writes == []


def test_a_failure_of_one_does_not_end_the_others():
    class Broken(FakeNova):
        def _create(self, flavor: dict[str, Any]) -> tuple[int, Any]:
            return (403, None) if flavor["name"] == "SCS-1L-1" else super()._create(flavor)

    cloud = Broken()
    done = run(cloud, sets=["scs-mandatory"])
    assert "flavor SCS-1L-1: The compute service answered 403" in done.failed
    assert (done.steps_done, len(cloud.flavors)) == (14, 14)


def test_a_cloud_that_forgets_what_it_was_told_is_noticed():
    class Forgetful(FakeNova):
        def _answer(self, service: str, method: str, path: list[str], body: Any) -> tuple[int, Any]:
            done = path[-1] == "os-extra_specs"
            return (200, None) if done else super()._answer(service, method, path, body)

    done = run(Forgetful(), flavors=[{"name": "SCS-1V-2"}])
    assert done.failed == "flavor SCS-1V-2 is not as it should be after it was changed"


BAD = [
    ({"name": ""}, "a flavor has no name"),
    ({"name": "a", "vcpus": 1}, "flavor a: ram is missing"),
    ({"name": "a", "vcpus": 0, "ram": 0}, "vcpus and ram is too small"),
    ({"name": "SCS-2V-8", "ram": 4096}, "the name says 8192 MiB of memory, the flavor has 4096"),
    ({"name": "SCS-2V-8-"}, "leaves the size of the disk open"),
    ({"name": "SCS-2X-8", "vcpus": 2, "ram": 8192}, "no SCS flavor name"),
    ({"name": "a", "vcpus": 1, "ram": 1, "access": ["x"]}, "access is for flavors that are not public"),
    ({"name": f"a{model.HOLDER}", "vcpus": 1, "ram": 1}, "kept for the module"),
]


@pytest.mark.parametrize(("given", "reason"), BAD, ids=[str(number) for number in range(len(BAD))])
def test_bad_input_is_refused_before_anything(given, reason):
    cloud = FakeNova()
    with pytest.raises(InputError, match=reason):
        run(cloud, flavors=[{"name": "SCS-1V-2"}, given])
    assert cloud.writes == []


def test_two_definitions_of_one_flavor_are_refused():
    one = {"name": "a", "vcpus": 1, "ram": 1}
    with pytest.raises(InputError, match="defined twice: a"):
        run(FakeNova(), flavors=[one, one])


def test_an_own_definition_counts_more_than_the_set():
    cloud = FakeNova()
    run(cloud, sets=["scs-mandatory"], flavors=[{"name": "SCS-1V-2", "vcpus": 2}])
    assert cloud.by_name("SCS-1V-2")["vcpus"] == 2
    assert len(cloud.flavors) == 15


def test_specs_of_the_standard_can_be_left_out():
    assert model.definition_of({"name": "SCS-2V-8"}, scs_specs=False).specs == {}


def test_the_diff_shows_only_what_changes():
    cloud = FakeNova(flavor("SCS-2V-8", 2, 8192, specs=QUOTA))
    done = run(cloud, check=True, flavors=[{"name": "SCS-2V-8"}, {"name": "x", "vcpus": 1, "ram": 1, "swap": 5}])
    before, after = done.diff[0]["before"], json.loads(done.diff[0]["after"])
    assert set(json.loads(before)) == set(after) == {"scs:name-v1", "scs:name-v2", "scs:cpu-type"}
    assert done.diff[1]["before"] == ""
    assert json.loads(done.diff[1]["after"])["swap"] == 5


def test_drift_names_every_difference():
    has = model.flavor_of(flavor("a", swap=512))
    wants = model.definition_of({"name": "a", "id": "other", "vcpus": 3, "ram": 4096, "swap": 0, "ephemeral": 0})
    assert plan.drift_of(wants, has) == {"vcpus": (2, 3), "swap": (512, 0), "id": ("id-a", "other")}
