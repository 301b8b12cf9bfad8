# SPDX-License-Identifier: Apache-2.0
"""Servers are made of volumes and ports once, whatever interrupts, and never of what is somebody else's."""

from __future__ import annotations

import copy
import functools
import itertools
import json
import random
import runpy
import time
from typing import Any
from unittest import mock

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils import adapter
from ansible_collections.scs.landscape.plugins.module_utils.core import pool, stream
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.compute import plan, task
from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors.match import Request
from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors.model import Flavor
from ansible_collections.scs.landscape.plugins.modules import vm_build
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.servers.fake_project import (
    FakeProject,
    Killed,
)

PROPERTIES = {"hw_disk_bus": "scsi", "hw_firmware_type": "uefi"}


class Project(FakeProject):
    """A project with two volumes and a port of a machine that moves here.

    :ivar faults: what becomes of the next servers, in order; empty for one that runs.
    :ivar slow: whether servers are still being built.
    """

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.slow = False
        for name, size in (("large", 8), ("huge", 64)):
            self.kept["flavors"][name] = {"id": name, "name": name, "vcpus": size, "ram": size * 2048, "disk": 0}
        for name in ("data", "boot"):
            marks = {"migration_vm": "u1", "migration_state": "done"}
            self._make_volume({"name": name, "size": 1, "metadata": marks}, None)
        self._make_port({"network_id": "net", "name": "c0", "mac_address": "00:50:56:00:00:01"}, None)
        self.data, self.boot = self.kept["volumes"]
        (self.port,) = self.kept["ports"]
        self.kept["volumes"][self.boot]["bootable"] = "true"
        self.writes.clear()

    def _make_server(self, wanted: dict[str, Any], body: Any) -> tuple[int, Any]:
        self.broken = self.faults.pop(0) if self.faults else ""
        status, made = super()._make_server({"tags": [], **wanted}, body)
        server = self.kept["servers"][made["server"]["id"]]
        server.update(created=f"{len(self.writes):06}", asked=copy.deepcopy(wanted))
        return status, made

    def _shown(self, collection: str, one: dict[str, Any]) -> dict[str, Any]:
        shown = super()._shown(collection, one)
        return {**shown, "status": "BUILD"} if self.slow and collection == "servers" else shown

    def _change(self, method: str, path: list[str], found: dict[str, Any], body: Any) -> tuple[int, Any]:
        if path[-1] == "metadata" and method == "POST":
            found["metadata"].update(body["metadata"])
            return 200, None
        if method == "DELETE" and path[0] == "servers" and len(path) == 2:
            for one in found["attached"]:
                self.kept["volumes"][one].update(status="available", attachments=[])
            for one in found["cards"]:
                self.kept["ports"][one]["device_id"] = ""
            del self.kept["servers"][path[1]]
            return 204, None
        return super()._change(method, path, found, body)

    def _act(self, found: dict[str, Any], body: dict[str, Any]) -> tuple[int, Any]:
        if "os-set_image_metadata" in body:
            found.setdefault("volume_image_metadata", {}).update(body["os-set_image_metadata"]["metadata"])
            return 200, None
        if "os-unset_image_metadata" in body:
            found["volume_image_metadata"].pop(body["os-unset_image_metadata"]["key"])
            return 200, None
        return super()._act(found, body)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits: each look at the clock is a second later."""
    seconds = itertools.count()
    later = functools.partial(task.Builder, clock=lambda: float(next(seconds)), sleep=lambda _seconds: None)
    monkeypatch.setattr(task, "build", functools.partial(task.build, builder=later))
    monkeypatch.setattr(task, "tear_down", functools.partial(task.tear_down, builder=later))


def run(cloud: Project, check: bool = False, **more: Any) -> Any:
    base = {
        "vm": "u1",
        "name": "web01",
        "volumes": [{"id": cloud.data}, {"id": cloud.boot}],
        "ports": [{"id": cloud.port}],
    }
    given = {**base, "needs": {"vcpus": 2, "ram": 1024}, "image_metadata": PROPERTIES, **more}
    checked = ArgumentSpecValidator(vm_build.ARGUMENTS).validate(given)
    assert not checked.error_messages, checked.error_messages
    return vm_build.main(checked.validated_parameters, check, connect=lambda _params, **_more: cloud)


def left_over(cloud: Project) -> str:
    """The id of a server that failed, and that a killed run left."""
    cloud.faults = ["broken"]
    marks = {"migration_vm": "u1", "migration_state": "building"}
    wanted = {"name": "web01", "flavorRef": "f1", "metadata": marks, "block_device_mapping_v2": [], "networks": "none"}
    return str(cloud._make_server(wanted, {})[1]["server"]["id"])


def state(cloud: Project) -> Any:
    """The one server and all that belongs to it, without ids that are others each time."""
    (server,) = cloud.kept["servers"].values()
    asked = server["asked"]
    disks = [(one["uuid"], one["boot_index"], one["delete_on_termination"]) for one in asked["block_device_mapping_v2"]]
    boot = cloud.kept["volumes"][cloud.boot]
    return (
        server["status"],
        server["metadata"],
        disks,
        asked["networks"],
        boot["volume_image_metadata"],
        boot["bootable"],
    )


def test_a_server_is_made_once_of_what_is_there() -> None:
    cloud = Project()
    cloud.kept["volumes"][cloud.boot]["volume_image_metadata"] = {"container_format": "bare"}
    predicted = run(cloud, check=True)
    assert cloud.writes == []
    assert (predicted.values["server"]["id"], predicted.values["server"]["predicted"]) == (None, True)
    done = run(cloud)
    assert (done.changed, done.plan.digest, done.values["differences"]) == (True, predicted.plan.digest, [])
    assert done.values["boot"] == {
        "volume": cloud.boot,
        "name": "boot",
        "evidence": "it is the only one that is bootable",
    }
    marks = {"migration_vm": "u1", "migration_state": "done"}
    disks = [(cloud.boot, 0, False), (cloud.data, -1, False)]
    assert state(cloud) == ("ACTIVE", marks, disks, [{"port": cloud.port}], PROPERTIES, "true")
    assert done.values["server"]["flavor"] == "small"
    count = len(cloud.writes)
    again = run(cloud)
    assert (again.changed, len(cloud.writes), again.values["server"]["id"]) == (
        False,
        count,
        done.values["server"]["id"],
    )


def test_what_would_be_made_can_be_planned_with() -> None:
    cloud = Project()
    volumes = [
        {"id": None, "name": "data", "predicted": True, "bootable": False, "size": 1},
        {"id": None, "name": "boot", "predicted": True, "bootable": True, "size": 1},
    ]
    ports = [{"id": None, "name": "c0", "mac_address": "00:50:56:00:00:01", "predicted": True}]
    planned = run(cloud, check=True, volumes=volumes, ports=ports)
    real = [{**one, "id": key, "predicted": False} for one, key in zip(volumes, (cloud.data, cloud.boot))]
    assert planned.plan.digest == run(cloud, volumes=real, ports=[{**ports[0], "id": cloud.port}]).plan.digest
    with pytest.raises(InputError, match=r"volumes\[0\] has no id"):
        run(cloud, volumes=volumes)


@pytest.mark.parametrize("power", ["on", "off"])
def test_killed_anywhere_and_run_again_there_is_one_server(power: str) -> None:
    whole = Project()
    run(whole, power=power)
    assert state(whole)[0] == ("ACTIVE" if power == "on" else "SHUTOFF")
    for count in range(len(whole.writes)):
        cloud = Project()
        cloud.kill_after = count
        with pytest.raises(Killed):
            run(cloud, power=power)
        cloud.kill_after = None
        run(cloud, power=power)
        assert state(cloud) == state(whole)
        assert not run(cloud, power=power).changed


@pytest.mark.parametrize("acted", [True, False])
def test_a_lost_answer_makes_no_second_server(acted: bool) -> None:
    cloud = Project()
    cloud.lose = [("POST", "/servers", acted)]
    run(cloud)
    assert state(cloud)[0] == "ACTIVE"


def test_a_server_that_fails_goes_and_volumes_and_ports_stay() -> None:
    cloud = Project()
    before = copy.deepcopy({key: cloud.kept[key] for key in ("volumes", "ports")})
    cloud.faults = ["No valid host was found"]
    with pytest.raises(LandscapeError, match="No valid host"):
        run(cloud)
    assert cloud.kept["servers"] == {}
    for one in before["volumes"].values():
        if one["name"] == "boot":
            one["volume_image_metadata"] = PROPERTIES  # it is to boot with them the next time
    assert {key: cloud.kept[key] for key in ("volumes", "ports")} == before
    assert run(cloud).values["differences"] == []


def test_a_failed_server_that_a_killed_run_left_is_replaced() -> None:
    cloud = Project()
    old = left_over(cloud)
    done = run(cloud)
    assert ([step.action for step in done.plan.steps], done.values["removed"]) == (["delete", "create"], [old])
    assert state(cloud)[0] == "ACTIVE"


def test_what_was_done_before_a_failure_is_told() -> None:
    cloud = Project()
    left_over(cloud)
    cloud.faults = ["No valid host was found"]
    with pytest.raises(LandscapeError, match="No valid host") as caught:
        run(cloud)
    assert (caught.value.details, cloud.kept["servers"]) == ({"changed": True, "steps_done": 1}, {})
    left_over(cloud)
    cloud.faults = ["No valid host was found"]
    listed = [{"vm": "u1", "name": "web01", "volumes": [{"id": cloud.boot}]}]
    done = several(cloud, listed, flavor="large")
    assert (done.changed, done.steps_done, len(done.plan)) == (True, 1, 0)
    refused = several(cloud, [{**listed[0], "volumes": [{"id": "nowhere"}]}], flavor="large")
    assert (refused.changed, refused.steps_done) == (False, 0)


def test_what_was_removed_before_a_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Project()
    _first, last = left_over(cloud), left_over(cloud)
    change = cloud._change

    def refuse(method: str, path: list[str], found: dict[str, Any], body: Any) -> tuple[int, Any]:
        return (403, None) if method == "DELETE" and path[1] == last else change(method, path, found, body)

    monkeypatch.setattr(cloud, "_change", refuse)
    with pytest.raises(LandscapeError) as caught:
        run(cloud, state="absent")
    assert (caught.value.details, list(cloud.kept["servers"])) == ({"changed": True, "steps_done": 1}, [last])


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no volume": ({"volumes": []}, "no volume to boot from"),
    "unknown volume": ({"volumes": [{"id": "nope"}]}, "volume nope is not there"),
    "twice": ({"volumes": [{"id": "vol-2"}, {"id": "vol-2"}]}, "is there twice"),
    "two boots": (
        {"volumes": [{"id": "a", "boot": True}, {"id": "b", "boot": True}]},
        "several volumes are to boot from",
    ),
    "unknown port": ({"ports": [{"id": "nope"}]}, "port nope is not there"),
    "flavor": ({"flavor": "nope"}, "no flavor nope"),
    "small flavor": ({"flavor": "small", "needs": {"ram": 4096}}, "2048 MiB of memory, 4096 are needed"),
    "no flavor fits": ({"needs": {"vcpus": 65}}, "none of 3 flavors has what it needs"),
    "no size": ({"needs": None}, "neither flavor nor needs"),
    "group": ({"server_group": "nope"}, "no server group nope"),
    "metadata": ({"metadata": {"migration_vm": "u2"}}, "metadata migration_vm is ours"),
}


@pytest.mark.parametrize(("options", "why"), WRONG.values(), ids=WRONG)
def test_what_stands_against_it_is_told_before_anything_is_made(options: dict[str, Any], why: str) -> None:
    cloud = Project()
    with pytest.raises(InputError, match=why):
        run(cloud, **options)
    assert cloud.writes == []


def test_volumes_and_ports_of_others_are_not_taken() -> None:
    cloud = Project()
    cloud.kept["volumes"][cloud.data]["metadata"]["migration_state"] = "writing 0"
    cloud.kept["volumes"][cloud.boot].update(status="in-use", attachments=[{"server_id": "other"}])
    cloud.kept["ports"][cloud.port]["device_id"] = "other"
    with pytest.raises(InputError) as caught:
        run(cloud)
    for text in ("volume data is not complete: writing 0", "volume boot is attached to other"):
        assert text in str(caught.value)
    assert "is used by other" in str(caught.value)
    assert cloud.writes == []


def test_nobody_guesses_which_volume_boots() -> None:
    cloud = Project()
    cloud.kept["volumes"][cloud.data]["bootable"] = "true"
    with pytest.raises(InputError, match="volume data, volume boot are bootable"):
        run(cloud)
    cloud.kept["volumes"][cloud.data]["bootable"] = cloud.kept["volumes"][cloud.boot]["bootable"] = "false"
    with pytest.raises(InputError, match="none of the volumes is bootable"):
        run(cloud)
    done = run(cloud, volumes=[{"id": cloud.data}, {"id": cloud.boot, "boot": True}])
    assert done.values["boot"]["evidence"] == "it was named"
    assert state(cloud)[2][0] == (cloud.boot, 0, False)


def test_what_differs_about_a_server_that_is_there_is_told() -> None:
    cloud = Project()
    run(cloud)
    cloud.kept["volumes"][cloud.boot]["volume_image_metadata"] = {"hw_disk_bus": "ide"}
    (server,) = cloud.kept["servers"].values()
    server["name"] = "renamed"
    found = run(cloud)
    assert not found.changed
    assert [one["path"] for one in found.values["differences"]] == ["name", "image_metadata"]


def test_only_servers_of_the_machine_are_removed() -> None:
    cloud = Project()
    run(cloud)
    cloud._make_server({"name": "web01", "flavorRef": "f1", "metadata": {"migration_vm": "u10"},
                        "block_device_mapping_v2": [], "networks": "none"}, {})  # fmt: skip
    assert len(run(cloud, check=True, state="absent").plan) == 1
    assert len(cloud.kept["servers"]) == 2
    assert run(cloud, state="absent").steps_done == 1
    assert [one["metadata"]["migration_vm"] for one in cloud.kept["servers"].values()] == ["u10"]
    assert {one["status"] for one in cloud.kept["volumes"].values()} == {"available"}
    assert list(cloud.kept["ports"]) == [cloud.port]
    assert not run(cloud, state="absent").changed


def test_user_data_is_nowhere_to_be_seen() -> None:
    cloud = Project()
    done = run(cloud, user_data="Tr0ub4dor", key_name="mine")
    (server,) = cloud.kept["servers"].values()
    assert server["asked"]["user_data"] == "VHIwdWI0ZG9y"
    assert "Tr0ub4dor" not in repr([done.values, done.plan.as_dict(), done.diff])
    assert vm_build.ARGUMENTS["user_data"]["no_log"]


def test_a_flavor_is_never_smaller_and_none_that_fits_is_closer(seed: int) -> None:
    """An oracle of its own: whatever was chosen fits, and no other that fits has less of both."""
    chance = random.Random(seed)
    sizes = [1, 2, 4, 8, 16]
    for _number in range(1000):
        flavors = [
            Flavor(
                str(number), f"f{number}", chance.choice(sizes), chance.choice(sizes) * 1024, chance.choice([0, 0, 20])
            )
            for number in range(chance.randrange(1, 9))
        ]
        need = Request("m", vcpus=chance.choice(sizes), ram=chance.choice(sizes) * 1000)
        problems: list[str] = []
        wanted = task.Wanted("u", "m", (), needs=need)
        found, _reasons = plan._flavor(wanted, flavors, problems)
        able = [one for one in flavors if one.vcpus >= need.vcpus and one.ram >= need.ram]
        assert (found is None) == (not able) == bool(problems)
        if found is not None:
            assert found in able
            smaller = [
                one for one in able if one.vcpus < found.vcpus and one.ram < found.ram and one.disk <= found.disk
            ]
            assert smaller == []


def several(cloud: Project, entries: list[dict[str, Any]], check: bool = False, **more: Any) -> Any:
    checked = ArgumentSpecValidator(vm_build.ARGUMENTS).validate({"servers": entries, **more})
    assert not checked.error_messages, checked.error_messages
    return vm_build.main(checked.validated_parameters, check, connect=lambda _params, **_more: cloud)


def test_several_are_made_at_once_and_one_that_cannot_be_holds_up_no_other():
    cloud = Project()
    cloud._make_volume({"name": "other", "size": 1, "metadata": {}}, None)
    other = list(cloud.kept["volumes"])[-1]
    wanted = [
        {"vm": "u1", "name": "web01", "volumes": [{"id": cloud.boot}], "ports": [{"id": cloud.port}]},
        {"vm": "u2", "name": "gone", "volumes": [{"id": "nowhere"}]},
        {"vm": "u3", "name": "web03", "volumes": [{"id": other}], "power": "off"},
    ]
    planned = several(cloud, wanted, check=True, flavor="large")
    assert (planned.changed, cloud.kept["servers"]) == (True, {})
    done = several(cloud, wanted, flavor="large")
    assert [one["vm"] for one in done.values["servers"]] == ["u1", "u2", "u3"]
    assert [bool(one["error"]) for one in done.values["servers"]] == [False, True, False]
    assert "nowhere is not there" in done.failed
    assert sorted(one["name"] for one in cloud.kept["servers"].values()) == ["web01", "web03"]
    assert [one.get("server", {}).get("status") for one in done.values["servers"]] == ["ACTIVE", None, "SHUTOFF"]
    assert (done.plan, done.steps_done) == (planned.plan, 2)
    again = several(cloud, wanted[::2], flavor="large")
    assert (again.changed, again.failed) == (False, "")
    gone = several(cloud, [{"vm": "u1"}, {"vm": "u3"}], state="absent")
    assert (gone.steps_done, cloud.kept["servers"]) == (2, {})


def test_entries_that_are_not_as_they_should_be_are_all_named_before_anything_is_made():
    cloud = Project()
    wanted = [{"vm": "u1", "user_data": "x"}, {"name": "web01"}, {"vm": "u3", "name": "x", "power": "perhaps"}]
    with pytest.raises(InputError) as caught:
        several(cloud, wanted, flavor="large")
    said = str(caught.value)
    assert "servers[0]: there is no user_data in an entry" in said
    assert "servers[1]: missing required arguments: vm" in said
    assert "servers[2]: value of power must be one of: on, off" in said
    assert cloud.writes == []


def test_what_all_servers_need_is_said_once() -> None:
    cloud = Project()
    cloud._make_volume({"name": "other", "size": 1, "metadata": {}}, None)
    other = list(cloud.kept["volumes"])[-1]
    wanted = [
        {"vm": "u1", "name": "web01", "volumes": [{"id": cloud.boot}]},
        {"vm": "u2", "name": "web02", "volumes": [{"id": other}], "needs": {"vcpus": 9}},
    ]
    done = several(cloud, wanted, needs={"vcpus": 3, "ram": 1024})
    assert [(one["error"], one["server"]["flavor"]) for one in done.values["servers"]] == [
        (None, "large"),
        (None, "huge"),
    ]


def test_interrupted_nobody_waits_and_what_is_being_built_is_finished_by_the_next_run(monkeypatch) -> None:
    """With real pauses and a real clock: nobody is to wait until the patience is over."""
    pauseless = task.build
    monkeypatch.setattr(task, "build", pauseless.func)
    monkeypatch.setattr(adapter, "each", functools.partial(pool.each, every=0.05))
    cloud = Project()
    cloud.slow = True
    cloud._make_volume({"name": "other", "size": 1, "metadata": {}}, None)
    other = list(cloud.kept["volumes"])[-1]
    cloud.writes.clear()
    wanted = [
        {"vm": "u1", "name": "web01", "volumes": [{"id": cloud.boot}], "ports": [{"id": cloud.port}]},
        {"vm": "u2", "name": "web02", "volumes": [{"id": other}]},
    ]

    def press(text: str) -> None:
        if "machines are done" in text and cloud.kept["servers"]:
            raise KeyboardInterrupt

    began = time.monotonic()
    with stream.heard_by(press), pytest.raises(KeyboardInterrupt):
        several(cloud, wanted, flavor="large", max_parallel=1, timeout=120)
    assert time.monotonic() - began < 60
    assert [one for one in cloud.writes if one[0] == "DELETE" or one[1] == "/servers"] == [("POST", "/servers")]
    (begun,) = cloud.kept["servers"]
    cloud.slow = False
    monkeypatch.setattr(task, "build", pauseless)
    done = several(cloud, wanted, flavor="large")
    assert [step.action for step in done.plan.steps] == ["finish", "create"]
    assert done.values["servers"][0]["server"]["id"] == begun


def test_a_service_that_is_cut_off_has_not_failed() -> None:
    """The interruption reaches a thread as an error of its request: the server is still being built."""
    cloud = Project()
    with mock.patch.object(task.Making, "wait_for", side_effect=stream.Stopped("cut")), pytest.raises(stream.Stopped):
        run(cloud)
    assert [one["metadata"]["migration_state"] for one in cloud.kept["servers"].values()] == ["building"]


@pytest.mark.parametrize(
    "servers",
    [
        [{"vm": "u1", "name": "web01", "user_data": "Tr0ub4dor"}],
        [{"vm": "u1", "name": "web01", "user_data": {"users": ["Tr0ub4dor"]}}],
        ["vm=u1 name=web01 user_data=Tr0ub4dor"],
        [{"vm": "u1", "name": "web01", "user_data": "Tr0ub4dor"}, 7],
    ],
    ids=["text", "data", "written", "refused"],
)
def test_user_data_of_an_entry_are_refused_without_being_shown(module, monkeypatch, capsys, servers) -> None:
    arguments = {"_ansible_remote_tmp": "/tmp", "_ansible_verbosity": 3, "cloud": "member", "servers": servers}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
    logged: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "log", lambda _self, *words, **more: logged.append(f"{words} {more}"))
    with pytest.raises(SystemExit), mock.patch.object(basic.AnsibleModule, "warn"):
        runpy.run_path(vm_build.__file__, run_name="__main__")
    out = capsys.readouterr().out
    assert 7 in servers or "there is no user_data in an entry" in out
    assert 7 in servers or "web01" in str(logged)  # the rest of it stays readable
    assert "Tr0ub4dor" not in out + str(logged)
