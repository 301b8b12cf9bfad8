# SPDX-License-Identifier: Apache-2.0
"""Ports of several machines: the failure of one holds up no other, and what was done of it is told."""

from __future__ import annotations

import copy
import functools
import threading
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils import adapter
from ansible_collections.scs.landscape.plugins.module_utils.core import pool, stream
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.making import Writes
from ansible_collections.scs.landscape.plugins.modules import port_claim
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.ports.fake_neutron import FakeNeutron

#: Of a port of another project, which we do not see: Neutron refuses it when the port is made.
TAKEN = "00:50:56:00:00:99"


class Neutron(FakeNeutron):
    """Refuses a MAC address, and to remove some ports.

    :ivar held: MAC addresses of ports that are not removed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.held: list[str] = []

    def _made(self, wanted: dict[str, Any]) -> tuple[int, Any]:
        return (409, None) if wanted.get("mac_address") == TAKEN else super()._made(wanted)

    def _answer(self, method: str, path: list[str], body: Any) -> tuple[int, Any]:
        if method == "DELETE" and self.ports.get(path[1], {}).get("mac_address") in self.held:
            return 409, None
        return super()._answer(method, path, body)


def card(last: int, **more: Any) -> dict[str, Any]:
    return {"network": "front", "mac_address": f"00:50:56:00:00:{last:02}", **more}


def run(cloud: FakeNeutron, vms: list[dict[str, Any]], check: bool = False, **more: Any) -> Any:
    checked = ArgumentSpecValidator(port_claim.ARGUMENTS).validate({"vms": vms, **more})
    assert not checked.error_messages, checked.error_messages
    asked: dict[str, Any] = {}
    found = port_claim.main(checked.validated_parameters, check, connect=lambda _p, **more: asked.update(more) or cloud)
    assert asked == {"parallel": checked.validated_parameters["max_parallel"]}
    return found


def macs(cloud: FakeNeutron) -> list[str]:
    return sorted(one["mac_address"][-2:] for one in cloud.ports.values())


WANTED = [
    {"vm": "u1", "ports": [card(1), card(2)]},
    {"vm": "u2", "ports": [card(3), card(99), card(4)]},
    {"vm": "u3", "ports": [card(5, network="nowhere")]},
    {"vm": "u4", "ports": [card(6)]},
]


def test_the_failure_of_one_holds_up_no_other_and_what_was_done_of_it_counts() -> None:
    cloud = Neutron()
    done = run(cloud, WANTED, max_parallel=3)
    assert macs(cloud) == ["01", "02", "03", "06"]
    assert [one["vm"] for one in done.values["vms"]] == ["u1", "u2", "u3", "u4"]
    assert [len(one.get("ports", ())) for one in done.values["vms"]] == [2, 0, 0, 1]
    errors = [one["error"] for one in done.values["vms"]]
    assert (errors[0], errors[3]) == (None, None)
    assert "no network nowhere" in errors[2]
    assert done.failed == f"{errors[1]}\n{errors[2]}"
    assert (done.changed, done.steps_done, len(done.plan)) == (True, 4, 3)
    again = run(cloud, WANTED)
    assert (again.changed, again.steps_done) == (False, 0)


def test_a_machine_of_which_a_part_was_made_has_changed() -> None:
    both = {"changed": True, "steps_done": 1}
    done = run(Neutron(), WANTED[1:2])
    assert {"changed": done.changed, "steps_done": done.steps_done} == both
    checked = ArgumentSpecValidator(port_claim.ARGUMENTS).validate(WANTED[1])
    with pytest.raises(LandscapeError) as caught:
        port_claim.main(checked.validated_parameters, False, connect=lambda _params, **_more: Neutron())
    assert caught.value.details == both


def test_a_port_that_was_made_but_not_finished_is_a_change_and_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Neutron()
    answer = cloud._answer

    def refused(method: str, path: list[str], body: Any) -> Any:
        return (403, None) if path[-1] == "tags" else answer(method, path, body)

    monkeypatch.setattr(cloud, "_answer", refused)
    done = run(cloud, WANTED[:1])
    assert (bool(done.failed), done.changed, done.steps_done, len(cloud.ports)) == (True, True, 0, 1)


def test_check_mode_writes_nothing_and_plans_what_is_done() -> None:
    cloud = Neutron()
    planned = run(cloud, [WANTED[0], WANTED[3]], check=True)
    assert (cloud.writes, planned.changed, planned.steps_done) == ([], True, 0)
    assert [[one["predicted"] for one in each["ports"]] for each in planned.values["vms"]] == [[True, True], [True]]
    done = run(cloud, [WANTED[0], WANTED[3]])
    assert (done.plan.digest, done.steps_done) == (planned.plan.digest, 3)
    failed = run(Neutron(), WANTED[2:], check=True)
    assert (bool(failed.failed), failed.steps_done, len(failed.plan)) == (True, 0, 1)


def test_ports_of_several_machines_are_removed() -> None:
    cloud = Neutron()
    run(cloud, [WANTED[0], WANTED[3]])
    gone = [{"vm": "u1"}, {"vm": "u4"}, {"vm": "u5"}]
    before = copy.deepcopy(cloud.ports)
    planned = run(cloud, gone, check=True, state="absent")
    assert (cloud.ports, len(planned.plan), planned.steps_done) == (before, 3, 0)
    cloud.held = ["00:50:56:00:00:02"]
    half = run(cloud, gone, state="absent")
    assert (bool(half.failed), half.changed, half.steps_done, macs(cloud)) == (True, True, 2, ["02"])
    cloud.held = []
    done = run(cloud, gone, state="absent")
    assert (done.failed, done.steps_done, cloud.ports) == ("", 1, {})
    assert not run(cloud, gone, state="absent").changed


def test_entries_that_are_not_as_they_should_be_are_all_named_before_anything_is_made() -> None:
    cloud = Neutron()
    listed = [
        {"vm": "u1", "ports": [card(1, vnic="direct")]},
        {"ports": [card(2)]},
        {"vm": "u3", "ports": [{"mac_address": TAKEN}], "colour": "red"},
        {"vm": "u1"},
    ]
    with pytest.raises(InputError) as caught:
        run(cloud, listed)
    said = str(caught.value)
    assert "vms[0]: " in said
    assert "vnic" in said
    assert "vms[1]: missing required arguments: vm" in said
    assert "vms[2]: there is no colour in an entry" in said
    assert "vms[2]: missing required arguments: network found in ports" in said
    assert "vms[3]: vm u1 is the one of vms[0]" in said
    assert cloud.writes == []


def test_interrupted_no_further_port_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "each", functools.partial(pool.each, every=0.05))
    cloud, first, pressed = Neutron(), threading.Event(), threading.Event()
    made = cloud._made

    def slow(wanted: dict[str, Any]) -> tuple[int, Any]:
        first.set()
        assert pressed.wait(60)
        return made(wanted)

    def press(_text: str) -> None:
        if first.is_set():
            threading.Timer(0.5, pressed.set).start()
            raise KeyboardInterrupt

    monkeypatch.setattr(cloud, "_made", slow)
    with stream.heard_by(press), pytest.raises(KeyboardInterrupt):
        run(cloud, [WANTED[0], WANTED[3]], max_parallel=1)
    assert macs(cloud) == ["01"]
    pressed.set()
    run(cloud, [WANTED[0], WANTED[3]])
    assert macs(cloud) == ["01", "02", "06"]


def test_when_the_run_ends_no_port_is_changed_either() -> None:
    cloud, stop = Neutron(), threading.Event()
    run(cloud, WANTED[:1])
    count = len(cloud.writes)
    stop.set()
    renamed = {"vm": "u1", "ports": [card(1, name="new")], "probe": "rules"}
    with pytest.raises(stream.Stopped) as caught:
        port_claim.task.claim(
            cloud, ArgumentSpecValidator(port_claim.ARGUMENTS).validate(renamed).validated_parameters, False, stop
        )
    assert (len(cloud.writes), caught.value.details) == (count, {"changed": False, "steps_done": 0})


def test_what_may_have_been_done_counts_as_a_change_and_what_was_refused_does_not() -> None:
    cloud = Neutron()
    writes = Writes(cloud)
    body = {"port": {"network_id": "net", "mac_address": TAKEN}}
    with pytest.raises(LandscapeError) as caught, writes.told(lambda: 0):
        writes.call("network", "POST", "/ports", json=body)
    assert (writes.count, caught.value.details["changed"]) == (0, False)
    assert writes.call("network", "DELETE", "/ports/none", accept=(404,)).status == 404
    assert (writes.get("network", "/quotas/p1/details")["quota"]["port"]["used"], writes.count) == (0, 0)
    cloud.lose = [("POST", "/ports", False)]
    with pytest.raises(LandscapeError) as caught, writes.told(lambda: 0):
        writes.call("network", "POST", "/ports", json={"port": {"network_id": "net"}})
    assert (writes.count, caught.value.details["changed"]) == (1, True)
