# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: a server of volumes and ports that are there."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_build
short_description: Make a server of volumes and ports that are there
version_added: 0.6.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Makes a server that boots from a volume, of volumes that M(scs.landscape.volume_write) filled and ports that
    M(scs.landscape.port_claim) claimed.
  - The volume that it boots from is named by C(boot), or is the only one, or the only bootable one. Otherwise nothing is made. It is
    attached first, the others follow in their order.
  - The flavor is the one that is named, or the best one that has what is needed. A flavor that is too small is refused.
  - Everything that stands against it is told at once, before anything is made. That is a volume that is not complete or attached
    elsewhere, a port in use, and what is not there.
  - A server is found again by its metadata C(migration_vm). One that is there is left alone, and what differs about it is returned.
    One that a killed run began is finished. One that failed is removed and made again.
  - It never gets an address by itself. Volumes and ports stay when it is removed.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
options:
  vm:
    description: Id of the machine that the server is, for one of VMware its instance UUID.
    type: str
  servers:
    description:
      - Several servers, O(max_parallel) of them at once, where the failure of one holds up no other. In place of O(vm).
      - Each has a C(vm) of its own, and what of O(name), O(volumes), O(image_metadata), O(ports), O(flavor), O(needs), O(availability_zone),
        O(server_group), O(metadata), O(tags), O(description), O(hostname) and O(power) is its own; the rest is as the task says.
    type: list
    elements: dict
  max_parallel:
    description: How many of O(servers) are worked on at once.
    type: int
    default: 8
  state:
    description: V(absent) removes the servers that were made of the machine, and nothing else.
    type: str
    choices: [present, absent]
    default: present
  name:
    description: Name of the server. Required with O(state=present), of each server.
    type: str
  volumes:
    description:
      - Volumes in the order in which the guest shall see them behind the one that it boots from. Each has C(id), and may have C(boot),
        C(disk_bus) and C(device_tag). What M(scs.landscape.volume_write) returns as C(volume) can be given as it is, also in check
        mode. Further keys are not looked at.
    type: list
    elements: dict
    default: []
  image_metadata:
    description:
      - All properties of the volume that it boots from, as if that came from an image (C(hw_firmware_type), C(hw_disk_bus), C(os_type)
        and so on). Nova reads them there. Others are removed. Without this they are left as they are.
    type: dict
  ports:
    description:
      - Ports in the order of the network cards. Each has C(id), and may have C(device_tag). What M(scs.landscape.port_claim) returns
        can be given as it is, also in check mode. Without any the server has no network.
    type: list
    elements: dict
    default: []
  flavor:
    description: Name or id of the flavor. It must have what O(needs) says.
    type: str
  needs:
    description: What the server needs at least. Required where O(flavor) is not given.
    type: dict
    suboptions:
      vcpus:
        description: vCPUs.
        type: int
      ram:
        description: Memory in MiB.
        type: int
      cpu_type:
        description: The weakest type of CPU that is good enough.
        type: str
        choices: [crowded-core, shared-core, dedicated-thread, dedicated-core]
      architecture:
        description: Architecture, for example V(x86_64).
        type: str
      properties:
        description: Extra specs that the flavor must have with exactly these values.
        type: dict
      max_vcpus:
        description: The most vCPUs that may be taken.
        type: int
      max_ram:
        description: The most memory in MiB.
        type: int
      max_disk:
        description: The largest root disk of the flavor in GB, which is not used. V(0) takes flavors without one only.
        type: int
  availability_zone:
    description: Availability zone.
    type: str
  server_group:
    description: Name or id of a server group that is there.
    type: str
  key_name:
    description: Name of a key pair.
    type: str
  user_data:
    description: User data as they are, not as base64.
    type: str
  config_drive:
    description: Whether the server gets a drive with its configuration.
    type: bool
    default: false
  metadata:
    description: Further metadata of the server.
    type: dict
    default: {}
  tags:
    description: Tags of the server.
    type: list
    elements: str
    default: []
  description:
    description: Description of the server.
    type: str
  hostname:
    description: Host name that the metadata service tells the guest.
    type: str
  power:
    description: Whether the server runs afterwards. Nova starts every new one, so V(off) stops it again.
    type: str
    choices: ['on', 'off']
    default: 'on'
  timeout:
    description: Seconds that the server may take.
    type: int
    default: 3600
seealso:
  - module: scs.landscape.volume_write
  - module: scs.landscape.port_claim
  - module: scs.landscape.flavor_match
"""

EXAMPLES = r"""
- name: The server of a machine that moves here
  scs.landscape.vm_build:
    cloud: member
    vm: 5023a1f2-0000-4000-8000-000000000001
    name: web01
    volumes:
      - id: 0a3b9c11-0000-4000-8000-000000000003
      - id: 0a3b9c11-0000-4000-8000-000000000004
        boot: true
    image_metadata:
      hw_disk_bus: scsi
      hw_scsi_model: virtio-scsi
      hw_firmware_type: uefi
      hw_machine_type: q35
    ports: "{{ cards.ports }}"
    needs:
      vcpus: 2
      ram: 4096
      max_disk: 0
  delegate_to: localhost

- name: The servers of a wave
  scs.landscape.vm_build:
    cloud: member
    key_name: operators
    servers:
      - vm: 5023a1f2-0000-4000-8000-000000000001
        name: web01
        flavor: SCS-2V-4
        volumes: [{id: 0a3b9c11-0000-4000-8000-000000000003}]
      - vm: 5023a1f2-0000-4000-8000-000000000002
        name: web02
        flavor: SCS-2V-4
        volumes: [{id: 0a3b9c11-0000-4000-8000-000000000004}]
  delegate_to: localhost

- name: Take it back, volumes and ports stay
  scs.landscape.vm_build:
    cloud: member
    vm: 5023a1f2-0000-4000-8000-000000000001
    state: absent
  delegate_to: localhost
"""

RETURN = r"""
servers:
  description:
    - With O(servers), what is returned of each, in their order, with C(vm) and C(error). The last is null for one that is as it should be.
      Of one that failed there is nothing more.
    - The other values below are returned for a single server only, but for C(plan) and C(steps_done). What was done of one that
      failed counts in C(changed) and C(steps_done).
  returned: with O(servers), also when one of them failed
  type: list
  elements: dict
server:
  description: The server; its C(id) is null where it would be made (check mode), and C(predicted) is true.
  returned: success
  type: dict
  sample:
    id: 5e1c6a7e-0000-4000-8000-000000000001
    name: web01
    status: ACTIVE
    flavor: SCS-2V-4
    availability_zone: nova
    metadata: {migration_vm: 5023a1f2-0000-4000-8000-000000000001, migration_state: done}
boot:
  description: The volume that it boots from, and why that one.
  returned: success with O(state=present)
  type: dict
  sample: {volume: 0a3b9c11-0000-4000-8000-000000000004, name: web01-boot, evidence: it was named}
volumes:
  description: The volumes in the order in which they are attached.
  returned: success with O(state=present)
  type: list
  elements: dict
ports:
  description: The ports in the order of the cards.
  returned: success with O(state=present)
  type: list
  elements: dict
flavor_reasons:
  description: Why this flavor.
  returned: success with O(state=present)
  type: list
  elements: str
  sample: ["2 vCPUs, as needed", "4096 MiB of memory, as needed", "no disk: boots from a volume"]
differences:
  description: What is other than it is wanted, read back from the services.
  returned: success with O(state=present)
  type: list
  elements: dict
  sample: [{path: ports, before: [a], after: [b]}]
removed:
  description: Ids of servers that were or would be removed.
  returned: success
  type: list
  elements: str
plan:
  description: Digest, impact and steps.
  returned: always
  type: dict
steps_done:
  description: Number of steps that were carried out.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import (
    Result,
    entries,
    run_module,
    secrets_in,
    several,
    together,
    written,
)
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.compute import model, task
from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors import match
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "vm": {"type": "str"},
    "servers": {"type": "list", "elements": "dict"},
    "max_parallel": {"type": "int", "default": 8},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "name": {"type": "str"},
    "volumes": {"type": "list", "elements": "dict", "default": []},
    "image_metadata": {"type": "dict"},
    "ports": {"type": "list", "elements": "dict", "default": []},
    "flavor": {"type": "str"},
    "needs": {
        "type": "dict",
        "options": {
            "vcpus": {"type": "int"},
            "ram": {"type": "int"},
            "cpu_type": {"type": "str", "choices": list(match.CPU_ORDER)},
            "architecture": {"type": "str"},
            "properties": {"type": "dict"},
            "max_vcpus": {"type": "int"},
            "max_ram": {"type": "int"},
            "max_disk": {"type": "int"},
        },
    },
    "availability_zone": {"type": "str"},
    "server_group": {"type": "str"},
    "key_name": {"type": "str", "no_log": False},
    "user_data": {"type": "str", "no_log": True},
    "config_drive": {"type": "bool", "default": False},
    "metadata": {"type": "dict", "default": {}},
    "tags": {"type": "list", "elements": "str", "default": []},
    "description": {"type": "str"},
    "hostname": {"type": "str"},
    "power": {"type": "str", "choices": list(model.POWER), "default": "on"},
    "timeout": {"type": "int", "default": 3600},
}
#: What a server of several may have of its own.
_OWN = (
    "name",
    "volumes",
    "image_metadata",
    "ports",
    "flavor",
    "needs",
    "availability_zone",
    "server_group",
    "metadata",
    "tags",
    "description",
    "hostname",
    "power",
)
ENTRY = {"vm": {"type": "str", "required": True}, **{key: ARGUMENTS[key] for key in _OWN}}


def main(params, check_mode, connect=client.connect):
    """Looks for the server, and makes it; or for several."""
    work = task.build if params["state"] == "present" else task.tear_down
    if params["servers"] is not None:
        wanted = entries(
            params, "servers", {**ENTRY, "name": {"type": "str", "required": params["state"] == "present"}}
        )
        cloud = connect(params, parallel=params["max_parallel"])
        outcomes = several(wanted, lambda one, stop: work(cloud, one, check_mode, stop), params["max_parallel"])
        return together("servers", outcomes, lambda found: task.values(found, check_mode), check_mode)
    found = work(connect(params), params, check_mode)
    return Result(
        changed=bool(found.plan),
        plan=found.plan,
        diff=found.plan.diff(),
        steps_done=0 if check_mode else len(found.plan),
        values=task.values(found, check_mode),
    )


if __name__ == "__main__":
    run_module(
        ARGUMENTS,
        main,
        required_one_of=[["vm", "servers"]],
        mutually_exclusive=[["vm", "servers"]],
        required_if=[("state", "present", ["name", "servers"], True)],
        # An entry has none; who writes one there is told so, and need not see it printed.
        hides=lambda options: secrets_in([one.get("user_data") for one in written(options, "servers")], secret=True),
    )
