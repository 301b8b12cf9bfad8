# SPDX-License-Identifier: Apache-2.0
"""Machines of the provider vsphere: what is told of them, what may be done to them, and the journal of it."""

from __future__ import annotations

import re
import time

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.vsphere_tests.conftest import endpoint
from ansible_collections.scs.landscape.tests.lab.vsphere_tests.soap import Client, Fault
from ansible_collections.scs.landscape.tests.lab.vsphere_tests.test_provider import MACHINE, NAMES
from ansible_collections.scs.landscape.tests.tools.console import Unavailable


def test_a_machine_is_as_described(client, disks):
    found = client.read("VirtualMachine", client.vsphere.machines[MACHINE], "config", "guest.net", "layoutEx.file")
    for text in (
        "<firmware>efi<", "<efiSecureBootEnabled>true<", "<guestId>debian11_64Guest<", "<numCPU>4<", "<memoryMB>2048<",
        "<numCoresPerSocket>2<", "<changeTrackingEnabled>true<", 'type="VirtualVmxnet3"', 'type="VirtualE1000e"',
        'type="VirtualAHCIController"', 'type="VirtualNVMEController"', 'type="ParaVirtualSCSIController"',
        "<macAddress>00:50:56:aa:bb:cc<", "<key>2011<", "<key>2003<", "<ipAddress>192.0.2.7<", "<thinProvisioned>true<",
    ):  # fmt: skip
        assert text in found, text
    for name in NAMES:
        assert f"<capacityInBytes>{disks[name].stat().st_size}<" in found
    state = client.vsphere.state()["machines"]
    assert state[MACHINE]["snapshots"] == ["before", "after"]
    assert [state[name]["autostart"] for name in (MACHINE, "running", "deaf")] == [2, 1, 0]


def test_sizes_of_thin_disks_are_what_they_take(client, disks):
    def sizes() -> dict[str, int]:
        found = client.read("VirtualMachine", client.vsphere.machines[MACHINE], "layoutEx.file")
        pairs = re.findall(r"<name>\[[^<]*/([^<]+)-flat\.vmdk</name>.*?<size>(\d+)<", found)
        return {name: int(size) for name, size in pairs}

    before = sizes()
    assert before["böse 1_2"] < disks["empty"].stat().st_size // 10
    assert 0 < before["böse 1"] <= disks["odd"].stat().st_size // 2
    client.call("RefreshStorageInfo", client.vsphere.machines[MACHINE], "VirtualMachine")
    assert sizes() == before
    client.task("ReconfigVM_Task", client.vsphere.machines[MACHINE], inner="<spec><annotation>seen</annotation></spec>")
    assert kernel.wait_for(lambda: sizes() == before, 30)


def test_guests_that_listen_and_guests_that_do_not(esxi):
    client, running = Client(esxi).login(), esxi.machines["running"]
    with pytest.raises(Fault, match="ToolsUnavailable"):
        client.call("ShutdownGuest", esxi.machines["deaf"], "VirtualMachine")
    esxi.change(machine="running", shutdown="ignore")
    client.call("ShutdownGuest", running, "VirtualMachine")
    time.sleep(0.3)
    assert client.power(running) == "poweredOn"
    esxi.change(machine="running", shutdown="obey", shutdown_seconds=0.3)
    client.call("ShutdownGuest", running, "VirtualMachine")
    assert client.power(running) == "poweredOn"
    assert kernel.wait_for(lambda: client.power(running) == "poweredOff", 30)
    assert [nic["connected"] for nic in esxi.state()["machines"]["running"]["nics"]] == [False]
    esxi.change(machine="running", shutdown_seconds=0.0)
    for _time in range(2):
        client.task("PowerOnVM_Task", running)
        assert "guestToolsRunning<" in client.read("VirtualMachine", running, "guest.toolsRunningStatus")
        assert [nic["connected"] for nic in esxi.state()["machines"]["running"]["nics"]] == [True]
        client.call("ShutdownGuest", running, "VirtualMachine")
        assert kernel.wait_for(lambda: client.power(running) == "poweredOff", 30)
        assert "guestToolsNotRunning<" in client.read("VirtualMachine", running, "guest.toolsRunningStatus")
    client.task("PowerOnVM_Task", running)
    events = [one["event"] for one in esxi.events() if one.get("machine") == "running"]
    assert events.count("VmGuestShutdownEvent") == 2
    with pytest.raises(Unavailable, match="no machine"):
        esxi.change(machine="nobody", shutdown="obey")


def test_cards_are_unplugged_by_a_change(client):
    running = client.vsphere.machines["running"]
    device = client.read("VirtualMachine", running, "config.hardware.device")
    card = re.search(r'<VirtualDevice[^>]*type="VirtualVmxnet3">(.*?)</VirtualDevice>', device).group(1)
    for plugged in ("false", "true"):
        changed = re.sub(r"<(startConnected|connected)>\w+<", rf"<\1>{plugged}<", card)
        change = f'<operation>edit</operation><device xsi:type="VirtualVmxnet3">{changed}</device>'
        inner = f'<spec><deviceChange xsi:type="VirtualDeviceConfigSpec">{change}</deviceChange></spec>'
        client.task("ReconfigVM_Task", running, inner=inner)
        nic = client.vsphere.state()["machines"]["running"]["nics"]
        assert [(one["connected"], one["start_connected"]) for one in nic] == [(plugged == "true",) * 2]


def test_autostart_is_changed_by_its_manager(client):
    manager = "autostart-ha-host" if client.vsphere.mode == "esxi" else None
    if manager is None:
        text = client.read("VirtualMachine", client.vsphere.machines["running"], "runtime.host")
        manager = "autostart-" + re.search(r'type="HostSystem"[^>]*>([^<]+)<', text).group(1)

    def entry(action: str, order: int) -> str:
        name = client.vsphere.machines["running"]
        return (
            f'<spec><powerInfo><key type="VirtualMachine">{name}</key><startOrder>{order}</startOrder><startDelay>-1</startDelay>'
            f"<waitForHeartbeat>systemDefault</waitForHeartbeat><startAction>{action}</startAction><stopDelay>-1</stopDelay>"
            f"<stopAction>systemDefault</stopAction></powerInfo></spec>"
        )

    for action, order, shown in (("none", -1, 0), ("powerOn", 1, 1)):
        client.call("ReconfigureAutostart", manager, "HostAutoStartManager", entry(action, order))
        state = client.vsphere.state()["machines"]
        assert (state["running"]["autostart"], state[MACHINE]["autostart"]) == (shown, 2)


# what tests look at


def test_the_journal_knows_reading_from_writing(seed):
    with endpoint("vs-log", "esxi", {"machines": [{"name": "m", "disks": [{"size": 1 << 20}]}]}) as own:
        client = Client(own).login()
        client.read("VirtualMachine", own.machines["m"], "name", "config")
        client.ask("GET", client.file("datastore1", "m/m.vmdk"), {"Range": "bytes=0-9"})
        assert own.writes() == []
        lease = client.export(own.machines["m"])
        lease.say("Abort")
        client.task("PowerOnVM_Task", own.machines["m"])
        with pytest.raises(Fault, match="InvalidPowerState"):
            client.task("PowerOnVM_Task", own.machines["m"])
        assert own.writes() == ["ExportVm", "PowerOnVM_Task", "PowerOnVM_Task"]
        calls = own.calls()
        assert [call["user"] for call in calls if call["method"] in ("Login", "PowerOnVM_Task")] == ["root"] * 3
        assert {call["this"] for call in calls if call["method"] == "PowerOnVM_Task"} == {own.machines["m"]}
        assert [call["range"] for call in own.calls("http")] == ["bytes=0-9"]
        assert own.password not in (own.folder / "calls.jsonl").read_text()


@pytest.mark.parametrize("licence", ["free", "free-export"])
def test_the_free_licence_only_reads(esxi, licence):
    client, machine = Client(esxi).login(), esxi.machines[MACHINE]
    esxi.change(licence=licence)
    try:
        before = esxi.state()["machines"]
        with pytest.raises(Fault, match="RestrictedVersion"):
            client.task("PowerOnVM_Task", machine)
        with pytest.raises(Fault, match="RestrictedVersion"):
            client.call(
                "CreateSnapshot_Task",
                machine,
                "VirtualMachine",
                "<name>x</name><memory>false</memory><quiesce>false</quiesce>",
            )
        if licence == "free":
            with pytest.raises(Fault, match="RestrictedVersion"):
                client.export(machine)
        else:
            client.export(machine).say("Complete")
        assert client.power(machine) == "poweredOff"
        assert esxi.state()["machines"] == before
    finally:
        esxi.change(licence="")
