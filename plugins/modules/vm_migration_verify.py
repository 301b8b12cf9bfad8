# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: whether machines that were migrated are what the plan says."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_migration_verify
short_description: Verify machines that were migrated from VMware
version_added: 0.6.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Compares what is at the target with the plan of a migration. Blocks of volumes, size, type and image properties, ports with MAC and IP
    addresses and security groups, and the state of the server with its volumes and flavor.
  - With O(read=all) every block of every volume is read where it lies and compared with the block map of the copy. A difference is told
    with its place, and other bytes than zeroes behind the end of the disk are told as well. The volumes must not be attached to a server
    then; they are attached for reading only as long as that takes.
  - With O(read=recorded) nothing is read. The digest that the volume carries is compared with the one of the block map, and what was
    read back when it was filled must be O(least).
  - It changes nothing. In check mode O(read) is V(recorded).
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
  - scs.landscape.migration
options:
  checks:
    description: What to look at.
    type: list
    elements: str
    choices: [blocks, properties, ports, server]
    default: [blocks, properties, ports, server]
  maps:
    description: Folder of the block maps, see O(scs.landscape.vm_migration_copy#module:maps). A disk without a map there fails.
      When left out, only what the volumes themselves say counts.
    type: path
  read:
    description: Whether volumes are read.
    type: str
    choices: [recorded, all]
    default: recorded
  least:
    description:
      - What must have been read back of volumes that are not read now, as C(migration_verified) in their metadata says. V(volume) is the
        volume itself, V(image) the image that it was made from, where the machine that filled it does not reach the block storage.
      - V(none) skips what nobody has read, instead of failing.
    type: str
    choices: [none, image, volume]
    default: image
  running:
    description: Whether servers have to run. Otherwise they have to be off.
    type: bool
    default: true
  mounts:
    description: Where shares of the block storage are mounted, see O(scs.landscape.volume_write#module:mounts).
    type: dict
    default: {}
  ceph_conf:
    description: Configuration of Ceph for volumes that are images of it.
    type: path
  ceph_user:
    description: User of Ceph, without C(client.).
    type: str
  stall:
    description: Seconds without progress after which reading is given up.
    type: int
    default: 300
  required:
    description: Whether the task fails when a check does. It returns everything all the same.
    type: bool
    default: true
seealso:
  - module: scs.landscape.vm_migration_copy
  - module: scs.landscape.vm_build
"""

EXAMPLES = r"""
- name: Read every block before the servers are made
  scs.landscape.vm_migration_verify:
    cloud: shop
    src: migration/plan.json
    wave: trial
    maps: /var/lib/scs-landscape/migration/maps
    checks: [blocks, properties]
    read: all
    mounts:
      nfs1.example.org:/volumes: /mnt/volumes
  delegate_to: converter1

- name: Look at everything after the start
  scs.landscape.vm_migration_verify:
    cloud: shop
    src: migration/plan.json
    wave: trial
  delegate_to: localhost
"""

RETURN = r"""
checks:
  description: Everything that was looked at.
  returned: success or when a check failed
  type: list
  elements: dict
  contains:
    vm:
      description: Uuid of the machine.
      type: str
    kind:
      description: V(blocks), V(properties), V(ports) or V(server).
      type: str
    name:
      description: Name of the thing.
      type: str
    status:
      description: V(passed), V(failed) or V(skipped).
      type: str
    message:
      description: What was found.
      type: str
    ranges:
      description: C(offset) and C(length) in bytes of what differs.
      type: list
      elements: dict
passed:
  description: Uuids of the machines of which no check failed.
  returned: success or when a check failed
  type: list
  elements: str
errors:
  description: What failed, by uuid of the machine.
  returned: success or when a check failed
  type: dict
counts:
  description: Number of checks by status.
  returned: success or when a check failed
  type: dict
  sample: {passed: 12, failed: 0, skipped: 1}
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
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import checks, journals, looking, model
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes import task
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes.service import VolumeService

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    **journals.WAVE_ARGUMENTS,
    "checks": {"type": "list", "elements": "str", "choices": list(checks.KINDS), "default": list(checks.KINDS)},
    "maps": {"type": "path"},
    "read": {"type": "str", "choices": ["recorded", "all"], "default": "recorded"},
    "least": {"type": "str", "choices": ["none", "image", "volume"], "default": "image"},
    "running": {"type": "bool", "default": True},
    "mounts": {"type": "dict", "default": {}},
    "ceph_conf": {"type": "path"},
    "ceph_user": {"type": "str"},
    "stall": {"type": "int", "default": 300},
    "required": {"type": "bool", "default": True},
}


def main(params, check_mode, connect=client.connect):
    """Reads the plan and the target, and compares."""
    machines = journals.chosen(model.load(params["src"]), params["wave"], params["only"])
    cloud = connect(params)
    service = VolumeService(cloud)
    there = looking.there(cloud, service, machines, params["maps"] or "", params["checks"])
    reads = params["read"] == "all" and not check_mode
    read = looking.reader(service, task.settings_of(params).reach) if reads else None
    found = checks.check(machines, there, params["checks"], params["running"], read, params["least"])
    failed = {one.vm for one in found if one.status == "failed"}
    states = [one.status for one in found]
    names = {one.uuid: one.label for one in machines}
    return Result(
        values={
            "checks": [one.as_dict() for one in found],
            "errors": {
                uuid: checks.failure([one for one in found if one.vm == uuid], names) for uuid in sorted(failed)
            },
            "passed": [one.uuid for one in machines if one.uuid not in failed],
            "counts": {name: states.count(name) for name in ("passed", "failed", "skipped")},
        },
        failed=checks.failure(found, names) if params["required"] else "",
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
