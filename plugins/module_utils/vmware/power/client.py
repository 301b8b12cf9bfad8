# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Calls that change power, network cards and autostart of a VM. Nothing else of a source is ever written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..client import Session
from ..model import Autostart, VmwareError
from .plan import Plug, at_once, at_start

try:
    from pyVmomi import vim
except ImportError:
    vim = None

#: Seconds for a task that changes a setting; powering on and off may take longer.
_SETTING, _POWER = 120.0, 300.0


class Power:
    """What a session can do to VMs."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def state(self, moid: str) -> str:
        """``on``, ``off`` or ``suspended``."""
        tree = self.session.properties_of("VirtualMachine", [moid], ("runtime.powerState",))[0]
        return {"poweredOn": "on", "poweredOff": "off"}.get(str(tree["runtime.powerState"]), "suspended")

    def shut_down(self, moid: str, name: str) -> None:
        """Asks the guest to shut down; it takes its time, or does not listen."""
        ask = self.session.object("VirtualMachine", moid).ShutdownGuest
        self.session.call(f"asking the guest of {name} to shut down", "ShutdownGuest", ask, again=False)

    def power_off(self, moid: str, name: str) -> None:
        """Pulls the plug; a VM that is off already is fine."""
        self._task(moid, f"powering off {name}", "PowerOffVM_Task", _POWER, done="off")

    def power_on(self, moid: str, name: str) -> None:
        """Starts the VM; one that is on already is fine."""
        self._task(moid, f"powering on {name}", "PowerOnVM_Task", _POWER, done="on")

    def _task(self, moid: str, doing: str, method: str, seconds: float, done: str) -> None:
        start = getattr(self.session.object("VirtualMachine", moid), method.replace("VM_Task", ""))
        try:
            self.session.wait(self.session.call(doing, method, start, again=False), doing, seconds)
        except VmwareError as error:
            if error.fault != "InvalidPowerState" or self.state(moid) != done:
                raise

    def set_cards(self, moid: str, name: str, wanted: Mapping[int, Plug]) -> None:
        """Connects or disconnects network cards by their keys: now, if the VM is on, and at its next start."""
        doing = f"setting network cards of {name}"
        machine = self.session.object("VirtualMachine", moid)
        hardware = self.session.live("VirtualMachine", moid, "config.hardware")["config.hardware"]
        running = self.state(moid) == "on"
        changes = []
        for device in hardware.device:
            if device.key in wanted:
                plug = device.connectable or vim.vm.device.VirtualDevice.ConnectInfo(allowGuestControl=True)
                plug.startConnected = at_start(wanted[device.key])
                plug.connected = running and at_once(wanted[device.key])
                device.connectable = plug
                edit = vim.vm.device.VirtualDeviceSpec(operation="edit", device=device)
                changes.append(edit)
        spec = vim.vm.ConfigSpec(deviceChange=changes)
        task = self.session.call(doing, "ReconfigVM_Task", lambda: machine.Reconfigure(spec), again=False)
        self.session.wait(task, doing, _SETTING)

    def set_autostart(self, moid: str, name: str, wanted: Autostart) -> None:
        """Has the host start the VM, or not. The entry is written whole, since the API knows no part of one."""
        doing = f"setting the autostart of {name}"
        machine = self.session.object("VirtualMachine", moid)
        host = self.session.live("VirtualMachine", moid, "runtime.host")["runtime.host"]
        managers = self.session.live("HostSystem", host._moId, "configManager.autoStartManager")
        manager = managers["configManager.autoStartManager"]
        info: dict[str, Any] = {
            "key": machine,
            "startOrder": wanted.order,
            "startDelay": wanted.start_delay,
            "waitForHeartbeat": wanted.heartbeat,
            "startAction": "powerOn" if wanted.enabled else "none",
            "stopDelay": wanted.stop_delay,
            "stopAction": wanted.stop_action,
        }
        spec = vim.host.AutoStartManager.Config(powerInfo=[vim.host.AutoStartManager.AutoPowerInfo(**info)])
        change = manager.ReconfigureAutostart
        self.session.call(doing, "ReconfigureAutostart", lambda: change(spec), again=False)
