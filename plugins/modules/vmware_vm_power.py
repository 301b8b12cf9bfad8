# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: power, network cards and autostart of VMs that move, and all of it back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vmware_vm_power
short_description: Shut down VMs and unplug them, or put them back as they were
version_added: 0.6.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Shuts down the guests of VMs and waits for them, with an end. A VM is only powered off without asking its guest when O(force)
    says so; otherwise a guest that does not listen stays on, and the task fails.
  - Disconnects the network cards of VMs and keeps the host from starting them, so that a VM that has moved does not come up beside
    its successor; and sets all of that back to what it was.
  - Everything that cannot be done without force is refused before any VM is touched, but see O(keep_going).
  - These are the only things of a source that the collection ever changes, besides snapshots that an export asks for.
notes:
  - M(vmware.vmware.vm_powerstate) asks a guest to shut down and does not wait for it, wants a datacenter, which a stand-alone host
    has none of, works on one VM for each task and login, and leaves network cards and autostart alone. So a play that must
    not go on before a VM is really off, and must be able to set all of it back, cannot stand on it.
  - Needs the privileges C(VirtualMachine.Interact.PowerOn), C(VirtualMachine.Interact.PowerOff),
    C(VirtualMachine.Interact.DeviceConnection), C(VirtualMachine.Config.EditDevice) and C(Host.Config.AutoStart). The free licence of
    ESXi refuses all of these calls.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.vmware
options:
  vms:
    description: The VMs.
    type: list
    elements: str
    required: true
  power:
    description:
      - What the VMs shall be. Left as it is when left out.
      - For V(off) the guest is asked to shut down, by VMware Tools.
    type: str
    choices: ["on", "off"]
  nics:
    description:
      - What all network cards shall be, now and at the next start. Left as they are when left out.
    type: str
    choices: [connected, disconnected]
  autostart:
    description: Whether the host starts the VMs by itself. Left as it is when left out.
    type: bool
  restore:
    description:
      - Sets the VMs back to what they were. A dictionary by instance UUID of what C(before) in RV(vms) of an earlier task was.
      - A VM that was suspended stays off, since its memory is gone.
    type: dict
  shutdown_timeout:
    description: Seconds that a guest may take to shut down.
    type: int
    default: 300
  force:
    description:
      - Power off where the guest cannot be asked (VMware Tools do not run, the VM is suspended) or did not shut down in time. What
        it had not written to its disks is lost.
    type: bool
    default: false
  keep_going:
    description:
      - Whether a VM that cannot be done without force, or is not there, holds up no other. Then it is told in RV(vms) as any other
        failure; one that is not there by the name it was given.
    type: bool
    default: false
  max_parallel:
    description: How many VMs are worked on at once.
    type: int
    default: 8
  ssh:
    description:
      - How the shell of a stand-alone ESXi host is reached, for power and autostart where its licence refuses calls that write
        (C(vim-cmd)). Network cards cannot be set so.
      - The program C(ssh) is run with a configuration of its own. The key of the host has to be known, and nobody is asked for a password.
    type: dict
    suboptions:
      host:
        description: Name or address. O(hostname) when it is left out.
        type: str
      user:
        description: User.
        type: str
        default: root
      port:
        description: Port.
        type: int
        default: 22
      key:
        description: File of the private key. The keys of the agent when it is left out.
        type: path
      known_hosts:
        description: File with the key of the host. Those of the user and the system when it is left out.
        type: path
      volumes:
        description: Where the host has its datastores.
        type: str
        default: /vmfs/volumes
seealso:
  - module: scs.landscape.vmware_vm_info
"""

EXAMPLES = r"""
- name: Shut down the guests of a wave, and fail for those that do not listen
  scs.landscape.vmware_vm_power:
    hostname: esxi1.example.com
    username: root
    password: "{{ esxi_password }}"
    thumbprint_sha256: "{{ esxi_thumbprint }}"
    vms: [web, db]
    power: "off"
    shutdown_timeout: 600
  register: down
  delegate_to: localhost

- name: Unplug the sources after the cut-over
  scs.landscape.vmware_vm_power:
    hostname: esxi1.example.com
    username: root
    password: "{{ esxi_password }}"
    thumbprint_sha256: "{{ esxi_thumbprint }}"
    vms: [web, db]
    nics: disconnected
    autostart: false
  register: unplugged
  delegate_to: localhost

- name: Put everything back as it was before the first of these tasks
  scs.landscape.vmware_vm_power:
    hostname: esxi1.example.com
    username: root
    password: "{{ esxi_password }}"
    thumbprint_sha256: "{{ esxi_thumbprint }}"
    vms: [web, db]
    restore: "{{ dict(down.vms | map(attribute='uuid') | zip(down.vms | map(attribute='before'))) }}"
  delegate_to: localhost
"""

RETURN = r"""
vms:
  description:
    - For each VM what it was (C(before), of which O(restore) is made) and what it is now, whether it was powered off by force, how
      many seconds it took, and what failed. C(nics) says by key whether a card is connected, V(now) or V(start) where that is
      true only of now or only of the next start. C(autostart) is the place in the order of starting, -1 for any and 0 for none, or
      a dictionary with C(order) and what differs from the defaults of the host (C(start_delay), C(heartbeat), C(stop_delay),
      C(stop_action)).
    - In check mode C(after) is what it would be.
  returned: always
  type: list
  elements: dict
  sample:
    - name: web
      uuid: 5029c1a6-7b2a-4f5e-9d1a-3c5d6c1f8a77
      moid: "7"
      before: {power: "on", nics: {"4000": true}, autostart: 1}
      after: {power: "off", nics: {"4000": true}, autostart: 1}
      forced: false
      seconds: 14.2
      error:
plan:
  description: What is done, step by step; what would be done in check mode.
  returned: always
  type: dict
steps_done:
  description: How many steps were done.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.vmware import client, reading
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks.sources.ssh import SSH_ARGUMENTS, ssh_of
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import ENDPOINT_ARGUMENTS
from ansible_collections.scs.landscape.plugins.module_utils.vmware.power import plan, run
from ansible_collections.scs.landscape.plugins.module_utils.vmware.power.client import Power
from ansible_collections.scs.landscape.plugins.module_utils.vmware.power.shell import Either, Shell

ARGUMENTS = {
    **ENDPOINT_ARGUMENTS,
    "vms": {"type": "list", "elements": "str", "required": True},
    "power": {"type": "str", "choices": ["on", "off"]},
    "nics": {"type": "str", "choices": ["connected", "disconnected"]},
    "autostart": {"type": "bool"},
    "restore": {"type": "dict"},
    "shutdown_timeout": {"type": "int", "default": 300},
    "force": {"type": "bool", "default": False},
    "keep_going": {"type": "bool", "default": False},
    "max_parallel": {"type": "int", "default": 8},
    "ssh": {"type": "dict", "options": SSH_ARGUMENTS},
}
RULES = {
    "required_one_of": [["power", "nics", "autostart", "restore"]],
    "mutually_exclusive": [["restore", "power"], ["restore", "nics"], ["restore", "autostart"]],
}


def hands_of(params, api):
    """The API, and the shell of the host for what its licence refuses there, where that is offered."""
    host = ssh_of(params["ssh"], params["hostname"], params["timeout"]) if params["ssh"] else None
    return Either(api, Shell(host)) if host else api


def read(session, params):
    """The VMs, and by name why others are not there; without ``keep_going`` that is an error."""
    return (
        reading.read_some(session, params["vms"])
        if params["keep_going"]
        else (reading.read(session, params["vms"]), {})
    )


def _nobody(name, reason):
    """What is told of a name that means no VM."""
    nothing = {"moid": "", "before": None, "after": None, "forced": False, "seconds": 0.0}
    return {"name": name, "uuid": name, **nothing, "error": reason}


def main(params, check_mode, connect=client.connect, hands=Power):
    """Takes VMs where they shall be."""
    if not params["vms"]:
        return Result(values={"vms": []})
    with connect(params) as session:
        session.licence()
        vms, missing = read(session, params)
        asks, refused = plan.sorted_out(vms, params)
        whole = plan.whole_plan(asks)
        if check_mode or not whole:
            done = [plan.predicted(ask) for ask in asks]
        else:
            done = run.run(hands_of(params, hands(session)), asks, params["shutdown_timeout"], params["max_parallel"])
            # One that somebody unregistered meanwhile must not lose what is to be told of the others.
            there, _gone = reading.read_some(session, [ask.vm.moid for ask in asks])
            run.read_back(done, there)
    done += refused
    told = [one.as_dict() for one in done] + [_nobody(name, reason) for name, reason in missing.items()]
    return Result(
        changed=bool(whole) if check_mode else any(one.steps_done for one in done),
        plan=whole,
        diff=whole.diff(),
        steps_done=sum(one.steps_done for one in done),
        values={"vms": told},
        failed="; ".join(one["error"] for one in told if one["error"]),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main, **RULES)
