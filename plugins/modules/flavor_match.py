# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: the flavor that fits."""

from __future__ import annotations

DOCUMENTATION = r"""
module: flavor_match
short_description: Find the flavor that fits a machine, never one that is too small
version_added: 0.4.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Ranks the flavors that a project may use for any number of machines, with the reasons, and says of each other flavor why
    it does not do.
  - Those are the public ones and those to which the project of the login has access, whatever else an administrator sees, and
    none that is disabled.
  - A flavor that has less than what is needed is never returned. What is known neither from extra specs (C(scs:cpu-type),
    C(scs:disk0-type)) nor from an SCS name counts as too little.
  - The first is the one that has the least too much. CPUs, memory and disk that were not asked for count against a flavor, and
    so do rare things (GPUs, traits, aggregates) and a better class of CPU or disk.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
  - scs.landscape.openstack_auth
options:
  requests:
    description: Machines, with what they need at least.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the machine is called in the results.
        type: str
        required: true
      vcpus:
        description: vCPUs.
        type: int
        default: 1
      ram:
        description: Memory in MiB.
        type: int
        default: 1
      disk:
        description: Root disk in GB; 0 for a machine that boots from a volume.
        type: int
        default: 0
      cpu_type:
        description: The weakest type of CPU that is good enough.
        type: str
        choices: [crowded-core, shared-core, dedicated-thread, dedicated-core]
      disk_type:
        description: The slowest type of root disk that is good enough.
        type: str
        choices: [network, hdd, ssd, nvme]
      architecture:
        description: Architecture, as the property C(architecture) of images says it, for example V(x86_64) or V(aarch64).
        type: str
      properties:
        description: Extra specs that must have exactly these values.
        type: dict
      max_vcpus:
        description: The most vCPUs that may be taken.
        type: int
      max_ram:
        description: The most memory in MiB.
        type: int
      max_disk:
        description: The largest root disk in GB. V(0) takes flavors without a disk only.
        type: int
  required:
    description: Whether the task fails when no flavor fits a machine. It returns everything all the same.
    type: bool
    default: true
seealso:
  - module: scs.landscape.flavor_set
"""

EXAMPLES = r"""
- name: Flavors for two machines that move here
  scs.landscape.flavor_match:
    cloud: member
    requests:
      - name: web01
        vcpus: 2
        ram: 6144
        cpu_type: shared-core
        max_disk: 0
      - name: db01
        vcpus: 4
        ram: 16384
        disk: 80
        disk_type: ssd
  register: flavors
  delegate_to: localhost

- name: Show what was chosen
  ansible.builtin.debug:
    msg: "{{ flavors.chosen }}"
"""

RETURN = r"""
chosen:
  description: Name of the best flavor of each machine, C(null) when none fits.
  returned: success or when none fits
  type: dict
  sample: {web01: SCS-2V-8, db01: SCS-4V-16-100s}
matches:
  description: All flavors that fit, by machine, the best first.
  returned: success or when none fits
  type: dict
  sample: {web01: [{id: a1b2, name: SCS-2V-8, vcpus: 2, ram: 8192, disk: 0, score: 0.3333, reasons: ["2 vCPUs, as needed"]}]}
rejected:
  description: Why the others do not fit, by machine and flavor.
  returned: success or when none fits
  type: dict
  sample: {web01: {SCS-1V-4: ["1 vCPUs, 2 are needed"]}}
plan:
  description: Always empty, this module only looks.
  returned: always
  type: dict
steps_done:
  description: Always 0.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors import match, nova
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "requests": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "vcpus": {"type": "int", "default": 1},
            "ram": {"type": "int", "default": 1},
            "disk": {"type": "int", "default": 0},
            "cpu_type": {"type": "str", "choices": list(match.CPU_ORDER)},
            "disk_type": {"type": "str", "choices": list(match.DISK_ORDER)},
            "architecture": {"type": "str"},
            "properties": {"type": "dict"},
            "max_vcpus": {"type": "int"},
            "max_ram": {"type": "int"},
            "max_disk": {"type": "int"},
        },
    },
    "required": {"type": "bool", "default": True},
}


def main(params, _check_mode, connect=client.connect):
    """Reads the flavors and ranks them."""
    requests = match.requests_of(params["requests"])
    flavors = nova.Flavors(connect(params)).offered()
    ranked = {one.name: match.rank(one, flavors) for one in requests}
    missing = [name for name, (fits, _rejected) in ranked.items() if not fits]
    return Result(
        values={
            "chosen": {name: fits[0].flavor.name if fits else None for name, (fits, _rejected) in ranked.items()},
            "matches": {name: [one.as_dict() for one in fits] for name, (fits, _rejected) in ranked.items()},
            "rejected": {name: rejected for name, (_fits, rejected) in ranked.items()},
        },
        failed=match.failure(missing, len(flavors)) if missing and params["required"] else "",
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
