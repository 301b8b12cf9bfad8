# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: what stands in the way of VMs that are to move."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vmware_vm_check
short_description: Judge whether and how VMs can move to OpenStack
version_added: 0.6.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Judges facts of VMs by rules with ids, and says of each finding what it means, what can be done about it and where it is written.
    Errors are in the way; warnings change something that an owner may miss; information is only said.
  - Also tells by which ways the disks can be read, whether changed blocks could be told, and which properties the image or boot
    volume of the server gets (complete for SCS-0102).
  - Nothing is asked of any endpoint; the facts are those of M(scs.landscape.vmware_vm_info).
  - All rules are in the documentation of the collection, under C(docs/vmware.md).
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
options:
  vms:
    description: Facts of VMs, as M(scs.landscape.vmware_vm_info) returns them.
    type: list
    elements: dict
    required: true
  target:
    description: What the target can take. A limit that is left out is not judged.
    type: dict
    suboptions:
      max_nics:
        description: Network cards of a server.
        type: int
      max_disks:
        description: Volumes of a server.
        type: int
      max_disk_gib:
        description: Size of a volume in GiB.
        type: int
      max_vcpus:
        description: CPUs of the largest flavor.
        type: int
      max_memory_mb:
        description: Memory of the largest flavor in MiB.
        type: int
      uefi:
        description: Whether servers can start with UEFI.
        type: bool
      secure_boot:
        description: Whether servers can start with secure boot.
        type: bool
      vtpm:
        description: Whether servers can have an emulated TPM.
        type: bool
  ignore:
    description:
      - Ids of rules whose findings are known and accepted, or C(id@key) for one disk or network card alone.
      - Findings stay in the answer, with C(ignored). Rules that say that the disks cannot be read rightly are not to be ignored.
    type: list
    elements: str
    default: []
  drivers:
    description:
      - Which drivers the guests have, for the disk bus and the network card in C(properties) of RV(vms).
      - V(auto) goes by the system; Windows then counts as without virtio drivers.
    type: str
    choices: [auto, virtio, none]
    default: auto
  fail:
    description: Whether the task fails when a VM cannot move.
    type: bool
    default: false
seealso:
  - module: scs.landscape.vmware_vm_info
"""

EXAMPLES = r"""
- name: Judge the VMs of a wave
  scs.landscape.vmware_vm_check:
    vms: "{{ source.vms }}"
    target:
      max_nics: 8
      max_disk_gib: 4096
      uefi: true
      secure_boot: false
    ignore:
      - vtpm
  register: judged
  delegate_to: localhost

- name: Show what is in the way
  ansible.builtin.debug:
    msg: "{{ judged.findings | selectattr('severity', 'eq', 'error') | map(attribute='message') }}"
"""

RETURN = r"""
migratable:
  description: Whether all VMs can move.
  returned: always
  type: bool
  sample: false
findings:
  description: All findings of all VMs, errors first for each. C(disk) and C(nic) are keys of devices.
  returned: always
  type: list
  elements: dict
  sample:
    - id: snapshots
      severity: warning
      vm: web
      disk:
      nic:
      message: "web has 2 snapshots: the newest state moves, they do not, and only nfc can read it"
      fix: Remove the snapshots, or leave nfc as the transport
      source: virt-v2v(1); policies of kubev2v/forklift
      ignored: false
vms:
  description:
    - For each VM its id, whether it can move, ids of what is in the way, the ways to its disks (the best first), whether it can be
      copied warm, and why not, and the properties of the image or boot volume of its server with the reasons for the hardware.
  returned: always
  type: list
  elements: dict
  sample:
    - name: web
      uuid: 5029c1a6-7b2a-4f5e-9d1a-3c5d6c1f8a77
      migratable: true
      blockers: []
      transports:
        - {transport: nfc, usable: true, reason: ""}
        - {transport: folder, usable: false, reason: scsi0:0 stands on snapshots; consolidate them or take nfc}
      warm_capable: false
      warm_reasons: ["there are snapshots: what changed before them is not told rightly"]
      properties: {architecture: x86_64, hw_disk_bus: scsi, hw_scsi_model: virtio-scsi, hw_vif_model: virtio, os_distro: debian}
      min_disk: 40
      min_ram: 512
      reasons: {hw_disk_bus: Linux has virtio drivers}
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
from ansible_collections.scs.landscape.plugins.module_utils.vmware import judging
from ansible_collections.scs.landscape.plugins.module_utils.vmware.properties import DRIVERS

LIMITS = {name: {"type": "int"} for name in ("max_nics", "max_disks", "max_disk_gib", "max_vcpus", "max_memory_mb")}
LIMITS.update({name: {"type": "bool"} for name in ("uefi", "secure_boot", "vtpm")})
ARGUMENTS = {
    "vms": {"type": "list", "elements": "dict", "required": True},
    "target": {"type": "dict", "options": LIMITS},
    "ignore": {"type": "list", "elements": "str", "default": []},
    "drivers": {"type": "str", "choices": list(DRIVERS), "default": "auto"},
    "fail": {"type": "bool", "default": False},
}


def main(params, _check_mode):
    """Judges VMs."""
    judged = judging.judge(params)
    refused = [one.vm.name for one in judged if not one.migratable]
    text = f"{len(refused)} of {len(judged)} VMs cannot move: {', '.join(refused[:20])}"
    return Result(
        values={
            "migratable": not refused,
            "findings": [finding.as_dict() for one in judged for finding in one.findings],
            "vms": [one.as_dict() for one in judged],
        },
        failed=text if refused and params["fail"] else "",
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
