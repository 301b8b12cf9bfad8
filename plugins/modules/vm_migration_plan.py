# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: the plan of a migration from VMware to OpenStack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_migration_plan
short_description: Plan a migration from VMware to OpenStack
version_added: 0.6.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Puts together what M(scs.landscape.vmware_vm_info) found, what the target cloud has, and what people choose. Writes a file that
    people review, and that is all that a migration does.
  - For each machine the plan says flavor (never a smaller one), volumes with type and size in the order in which the machine boots
    from them, ports with MAC and IP addresses and security groups, image properties, and the way to the disks.
  - It counts what is needed of each quota, how many bytes are moved by size and by allocation, finds MAC and IP addresses and names
    that two want or somebody has, and estimates the time from rates that were measured, with what limits it.
  - A machine that cannot be migrated is left out and told. Collisions and quotas that do not do make the plan not ready.
  - It only reads, at the target. The same facts and options give the same file, and its digest names exactly that.
  - What an earlier run of the migration made for a machine is neither a collision nor needed again.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
options:
  vms:
    description: Machines, as RV(scs.landscape.vmware_vm_info#module:vms) has them.
    type: list
    elements: dict
    required: true
  dest:
    description: File of the plan (JSON). Its folder is made when it is missing. Nothing is written when absent.
    type: path
  networks:
    description:
      - Networks of the target by the name of each network of the source. V(*) is for all that are not named.
      - A value is a name or id, or a dictionary with C(network), C(security_groups), C(keep_mac), C(keep_ip) and C(port_security).
    type: dict
    default: {}
  volume_types:
    description: Volume types by datastore. V(*) is for all that are not named. The cloud's default type when nothing fits.
    type: dict
    default: {}
  overrides:
    description:
      - What holds for single machines, by uuid, C(name@endpoint) or name.
      - A value has some of C(server), C(flavor), C(zone), C(boot_disk) (key or label), C(volume_type), C(security_groups), C(ips)
        (lists by label or key of the network card), C(networks) (by label or network), C(properties), C(drivers) and C(ignore).
    type: dict
    default: {}
  waves:
    description: Machines that go together. Those that no wave names follow, in waves of O(wave_size).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the wave.
        type: str
        required: true
      vms:
        description: Machines by uuid, C(name@endpoint) or name.
        type: list
        elements: str
        default: []
  wave_size:
    description: How many machines a wave has at most that O(waves) does not name. V(0) puts them all into one.
    type: int
    default: 0
  security_groups:
    description: Names or ids of the security groups of ports.
    type: list
    elements: str
    default: [default]
  availability_zone:
    description: Zone of servers and volumes. The cloud chooses when empty.
    type: str
    default: ""
  method:
    description:
      - How bytes come into a volume. V(volume) writes it directly, and sends no zeroes.
      - V(image) uploads an image, and makes the volume of that.
    type: str
    choices: [volume, image]
    default: volume
  image_format:
    description:
      - Form of the images of O(method=image). V(raw) sends every zero, but lets a Ceph that holds images and volumes clone it in no time.
      - V(qcow2) sends no zeroes. For that disks are read twice, which needs V(folder), V(ssh) or V(local) as O(transport). A lease gives a
        disk once, so it is always sent raw.
      - V(auto) takes V(qcow2) where it can and the source keeps less than three quarters of the disk.
    type: str
    choices: [auto, raw, qcow2]
    default: auto
  transport:
    description:
      - How disks are read. V(auto) takes V(nfc) where the host has a licence for it, and else V(folder). What may be tried where the host
        refuses that is C(fallback) of the machine.
    type: str
    choices: [auto, nfc, folder, ssh, local]
    default: auto
  keep_mac:
    description: Whether ports get the MAC addresses of the source. A plain member may do that on networks of its own project only.
    type: bool
    default: true
  keep_ip:
    description: Whether ports get the IP addresses that the guests have told. As for O(keep_mac), that needs a right.
    type: bool
    default: true
  drivers:
    description: Whether the guests have drivers for virtio. V(auto) judges by their system, V(none) gives them what every system knows.
    type: str
    choices: [auto, virtio, none]
    default: auto
  ignore:
    description: Ids of findings that do not stop a machine, or C(id@key) for one disk or network card.
    type: list
    elements: str
    default: []
  target:
    description: What a server can have at most at the target, beyond quotas.
    type: dict
    suboptions:
      max_nics:
        description: Network cards.
        type: int
      max_disks:
        description: Disks.
        type: int
      max_disk_gib:
        description: GiB of one disk.
        type: int
      max_vcpus:
        description: CPUs.
        type: int
      max_memory_mb:
        description: MiB of memory.
        type: int
      uefi:
        description: Whether the cloud boots by UEFI.
        type: bool
      secure_boot:
        description: Whether the cloud has secure boot.
        type: bool
      vtpm:
        description: Whether the cloud has virtual TPMs.
        type: bool
  limits:
    description: How many disks are on their way at once. V(0) is any number.
    type: dict
    suboptions:
      host:
        description: Of one ESXi host. From 10 on its memory for transfers becomes short.
        type: int
        default: 4
      datastore:
        description: Of one datastore.
        type: int
        default: 0
      converter:
        description: At one converter.
        type: int
        default: 0
      total:
        description: Of all of them.
        type: int
        default: 0
  converters:
    description: How many converters share the work.
    type: int
    default: 1
  rates:
    description: Rates that were measured, in MiB per second. Nothing is estimated without any.
    type: dict
    suboptions:
      stream:
        description: Of one disk.
        type: float
      host:
        description: Of an ESXi host, all its disks together.
        type: float
      datastore:
        description: Of a datastore.
        type: float
      converter:
        description: Of a converter.
        type: float
      target:
        description: Of the storage of the target.
        type: float
  required:
    description: Whether the task fails when the plan is not ready. It writes and returns everything all the same.
    type: bool
    default: false
seealso:
  - module: scs.landscape.vmware_vm_info
  - module: scs.landscape.vm_migration_verify
"""

EXAMPLES = r"""
- name: Plan the migration of what an ESXi host has
  scs.landscape.vm_migration_plan:
    cloud: shop
    vms: "{{ found.vms }}"
    dest: migration/plan.json
    networks:
      VM Network: {network: front, security_groups: [web]}
      "*": back
    volume_types:
      fast-datastore: ssd
    overrides:
      db01@esx1.example:
        flavor: SCS-8V-32
        boot_disk: Hard disk 2
    waves:
      - name: trial
        vms: [test01]
    wave_size: 10
    rates: {stream: 60, host: 200}
  register: plan
  delegate_to: localhost

- name: Show what stands in the way
  ansible.builtin.debug:
    msg: "{{ plan.problems + plan.left_out }}"
"""

RETURN = r"""
digest:
  description: Twelve hexadecimal digits that name exactly this plan.
  returned: success or when the plan is not ready
  type: str
  sample: 1f0c7a92d3be
ready:
  description: Whether there is a wave, and nothing stands against the plan.
  returned: success or when the plan is not ready
  type: bool
problems:
  description: What stands against the plan as a whole.
  returned: success or when the plan is not ready
  type: list
  elements: str
  sample: ["quota volumes: 3 are needed, 2 of 10 are free"]
left_out:
  description: Machines that cannot be migrated, with the reasons.
  returned: success or when the plan is not ready
  type: list
  elements: str
document:
  description:
    - The whole plan, as it is in the file, with C(vms), C(waves), C(collisions), C(quota), C(bytes), C(estimate), C(settings) and
      C(problems).
  returned: success or when the plan is not ready
  type: dict
plan:
  description: Digest, impact and step; the step writes the file.
  returned: always
  type: dict
steps_done:
  description: Number of files written.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core import files
from ansible_collections.scs.landscape.plugins.module_utils.flows import sparse
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import choices, plan, reading, source
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

_COUNTS = ("max_nics", "max_disks", "max_disk_gib", "max_vcpus", "max_memory_mb")
ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "vms": {"type": "list", "elements": "dict", "required": True},
    "dest": {"type": "path"},
    "networks": {"type": "dict", "default": {}},
    "volume_types": {"type": "dict", "default": {}},
    "overrides": {"type": "dict", "default": {}},
    "waves": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "vms": {"type": "list", "elements": "str", "default": []},
        },
    },
    "wave_size": {"type": "int", "default": 0},
    "security_groups": {"type": "list", "elements": "str", "default": ["default"]},
    "availability_zone": {"type": "str", "default": ""},
    "method": {"type": "str", "choices": list(choices.METHODS), "default": "volume"},
    "image_format": {"type": "str", "choices": list(sparse.FORMATS), "default": "auto"},
    "transport": {"type": "str", "choices": list(choices.TRANSPORTS), "default": "auto"},
    "keep_mac": {"type": "bool", "default": True},
    "keep_ip": {"type": "bool", "default": True},
    "drivers": {"type": "str", "choices": ["auto", "virtio", "none"], "default": "auto"},
    "ignore": {"type": "list", "elements": "str", "default": []},
    "target": {
        "type": "dict",
        "options": {
            **{name: {"type": "int"} for name in _COUNTS},
            **{name: {"type": "bool"} for name in ("uefi", "secure_boot", "vtpm")},
        },
    },
    "limits": {
        "type": "dict",
        "options": {
            "host": {"type": "int", "default": choices.PER_HOST},
            **{name: {"type": "int", "default": 0} for name in ("datastore", "converter", "total")},
        },
    },
    "converters": {"type": "int", "default": 1},
    "rates": {
        "type": "dict",
        "options": {name: {"type": "float"} for name in ("stream", "host", "datastore", "converter", "target")},
    },
    "required": {"type": "bool", "default": False},
}


def main(params, check_mode, connect=client.connect):
    """Reads the target, makes the plan, writes it when it is another one."""
    chosen = choices.choices_of(params)
    vms = source.vms_of(params["vms"])
    document = plan.plan(vms, reading.read(connect(params)), chosen)
    steps = files.plan_paths({params["dest"]: document.text()} if params["dest"] else {})
    return Result(
        changed=bool(steps),
        plan=steps,
        diff=files.diff_of(steps),
        steps_done=0 if check_mode else files.apply_paths(steps),
        warnings=plan.warnings_of(document),
        values=plan.values(document),
        failed=plan.failure(document) if params["required"] else "",
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
