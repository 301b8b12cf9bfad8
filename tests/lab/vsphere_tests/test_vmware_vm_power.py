# SPDX-License-Identifier: Apache-2.0
"""Power, cards and autostart of VMs at an endpoint that counts what it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.vmware import client
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import Autostart
from ansible_collections.scs.landscape.plugins.module_utils.vmware.power.client import Power
from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere
from ansible_collections.scs.landscape.tests.lab.vsphere_tests import desk
from ansible_collections.scs.landscape.tests.lab.vsphere_tests.conftest import endpoint


def _machine(name: str, **more: Any) -> dict[str, Any]:
    nics = [{}, {"model": "e1000e", "no_start_connect": True, "disconnected": True}]
    return {"name": name, "power": "on", "tools": "running", "disks": [{"size": 1 << 20}], "nics": nics, **more}


def running(endpoint: Vsphere, *names: str) -> list[bool]:
    """Whether VMs are on, as the endpoint itself says."""
    machines = endpoint.state()["machines"]
    return [machines[name]["power"] == "poweredOn" for name in names]


#: On the one and the other; what a vCenter does not do otherwise than its hosts is looked at there by make test-all.
BOTH = pytest.mark.parametrize("estate", ["esxi", "vcenter"], indirect=True)
HOST_FIRST = pytest.mark.parametrize("estate", ["esxi", pytest.param("vcenter", marks=pytest.mark.full)], indirect=True)


@pytest.fixture
def estate(request: pytest.FixtureRequest) -> Iterator[Vsphere]:
    machines = [_machine("web", autostart=1), _machine("db"), _machine("deaf", tools="none")]
    with endpoint("pow", request.param, {"machines": machines}) as found:
        yield found


@BOTH
def test_a_guest_shuts_down_and_everything_goes_back(estate: Vsphere) -> None:
    asked = {"power": "off", "nics": "disconnected", "autostart": False}
    checked = desk.power(estate, "web", "db", check=True, **asked)
    assert checked.changed
    assert estate.writes() == []
    estate.change(shutdown_seconds=2)
    done = desk.power(estate, "web", "db", **asked)
    assert not done.failed
    assert checked.plan.digest == done.plan.digest
    assert [vm["after"] for vm in checked.values["vms"]] == [vm["after"] for vm in done.values["vms"]]
    written = estate.writes()
    assert sorted(written) == sorted(["ShutdownGuest", "ReconfigVM_Task"] * 2 + ["ReconfigureAutostart"])
    assert running(estate, "web", "db", "deaf") == [False, False, True]
    again = desk.power(estate, "web", "db", **asked)
    assert not again.changed
    assert estate.writes() == written
    kept = {vm["uuid"]: vm["before"] for vm in done.values["vms"]}
    back = desk.power(estate, "web", "db", restore=kept)
    assert not back.failed
    assert [vm["after"] for vm in back.values["vms"]] == [vm["before"] for vm in done.values["vms"]]
    assert "PowerOffVM_Task" not in estate.writes()
    assert running(estate, "web", "db") == [True, True]
    assert not desk.power(estate, "web", "db", restore=kept).changed


@pytest.mark.accept("V1.11")
@HOST_FIRST
def test_a_guest_that_does_not_listen_stays_on_unless_force_is_said(estate: Vsphere) -> None:
    estate.change(machine="web", shutdown="ignore")
    refused = desk.power(estate, "web", power="off", shutdown_timeout=3)
    assert "did not shut down within 3 s; it is still on" in refused.failed
    assert estate.writes() == ["ShutdownGuest"]
    assert running(estate, "web") == [True]
    assert refused.values["vms"][0]["after"]["power"] == "on"
    assert refused.values["vms"][0]["seconds"] >= 3
    forced = desk.power(estate, "web", power="off", shutdown_timeout=1, force=True)
    assert forced.values["vms"][0]["forced"]
    assert estate.writes() == ["ShutdownGuest", "ShutdownGuest", "PowerOffVM_Task"]


@pytest.mark.accept("V1.11")
@HOST_FIRST
def test_a_guest_without_tools_is_told_before_another_one_is_shut_down(estate: Vsphere) -> None:
    with pytest.raises(InputError, match="deaf: its VMware Tools are missing"):
        desk.power(estate, "web", "deaf", power="off")
    assert estate.writes() == []
    assert not desk.power(estate, "deaf", power="off", force=True).failed
    assert estate.writes() == ["PowerOffVM_Task"]


@HOST_FIRST
def test_cards_of_a_vm_that_is_on_are_cut_at_once(estate: Vsphere) -> None:
    result = desk.power(estate, "db", nics="disconnected")
    assert result.plan.impact.label == "unreachable"
    first, second = desk.facts(estate)["db"]["nics"]
    assert (first["connected"], first["start_connected"]) == (False, False)
    assert (second["connected"], second["start_connected"]) == (False, False)
    kept = {result.values["vms"][0]["uuid"]: result.values["vms"][0]["before"]}
    desk.power(estate, "db", restore=kept)
    first, second = desk.facts(estate)["db"]["nics"]
    assert (first["connected"], first["start_connected"]) == (True, True)
    assert (second["connected"], second["start_connected"]) == (False, False)


@pytest.mark.accept("V1.15")
@HOST_FIRST
def test_a_card_connected_by_hand_and_the_settings_of_autostart_come_back(estate: Vsphere) -> None:
    """After the cut-over, and although the host forgets what it does not start."""
    entry = Autostart(True, 1, 30, "yes", 240, "guestShutdown")
    with client.connect(desk.login(estate)) as session:
        moid = estate.machines["web"]
        Power(session).set_cards(moid, "web", {4000: "start", 4001: "now"})
        Power(session).set_autostart(moid, "web", entry)
    known = desk.facts(estate)["web"]
    assert [(nic["connected"], nic["start_connected"]) for nic in known["nics"]] == [(False, True), (True, False)]
    assert Autostart(**known["autostart"]) == entry
    done = desk.power(estate, "web", power="off", nics="disconnected", autostart=False)
    assert not done.failed
    before = done.values["vms"][0]["before"]
    assert before["nics"] == {"4000": "start", "4001": "now"}
    off = desk.facts(estate)["web"]
    assert [(nic["connected"], nic["start_connected"]) for nic in off["nics"]] == [(False, False)] * 2
    assert not off["autostart"]["enabled"]
    back = desk.power(estate, "web", restore={done.values["vms"][0]["uuid"]: before})
    assert not back.failed
    again = desk.facts(estate)["web"]
    assert (again["nics"], again["autostart"]) == (known["nics"], known["autostart"])


@HOST_FIRST
def test_the_free_licence_is_named(estate: Vsphere) -> None:
    estate.change(licence="free")
    result = desk.power(estate, "web", power="off")
    assert "RestrictedVersion" in result.failed
    assert "free licence" in result.failed
    assert running(estate, "web") == [True]
