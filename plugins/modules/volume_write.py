# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: a local disk into a volume."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_write
short_description: Write the bytes of a local disk into a new volume, and read them back
version_added: 0.6.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Makes a volume with exactly the bytes of a raw file or block device of the machine where the task runs. The volume has as many
    whole GiB as that needs, with zeroes behind the last byte.
  - With O(method=attach) the volume is attached by Cinder's own interface, and its bytes are written where they lie, into a file
    of a mounted share or into an image of Ceph by the program C(rbd). No server, no initiator and no second copy is needed, zeroes
    are left out, and a run that was killed is gone on with.
  - With O(method=image) the bytes are sent to Glance while they are read, and Cinder makes the volume of the image, which is
    removed afterwards. This works with any back end. An image that is cut off cannot be gone on with.
  - What the far end holds is read back and compared, block by block, before the volume counts as done. With O(method=image) that
    is what Glance gives back. Of a volume with other bytes nothing is left.
  - A volume is found again by its metadata C(migration_vm) and C(migration_disk), and its digest is kept there. When the disk has
    the same one still, nothing is written. A volume for the same disk with other bytes is never overwritten.
  - The disk is read once before anything is written, for its digest and to find zeroes. Nothing must write to it meanwhile.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
options:
  source:
    description: Raw file or block device. A QCOW2 or VMDK file is refused.
    type: path
    required: true
  name:
    description: Name of the volume.
    type: str
    required: true
  method:
    description:
      - How the bytes get there. V(auto) takes V(attach) where O(mounts), O(ceph_conf) or O(ceph_user) say that this machine reaches
        the volumes, else V(image).
    type: str
    choices: [auto, image, attach]
    default: auto
  image_format:
    description:
      - What is sent with O(method=image). V(qcow2) leaves zeroes out. V(raw) sends all of them, but lets a Ceph that holds images and
        volumes clone the image in no time. V(auto) takes V(qcow2) where that is less than three quarters.
    type: str
    choices: [auto, raw, qcow2]
    default: auto
  store:
    description: Store of Glance for the image, by default that of the service.
    type: str
  size:
    description: GiB of the volume, by default as few as the disk fits in.
    type: int
  volume_type:
    description: Type of the volume, by default Cinder's.
    type: str
  availability_zone:
    description: Availability zone of the volume.
    type: str
  description:
    description: Description of the volume.
    type: str
    default: ''
  bootable:
    description: Whether servers may boot from the volume.
    type: bool
    default: false
  image_metadata:
    description:
      - All properties that the volume has as if it came from an image (C(hw_disk_bus), C(hw_firmware_type), C(os_type) and so on).
        Nova reads them when a server boots from the volume. Others are removed.
    type: dict
    default: {}
  metadata:
    description:
      - Metadata of the volume. C(migration_vm) and C(migration_disk) name machine and disk that it is for. Without the latter it is the
        name of the volume.
    type: dict
    default: {}
  mounts:
    description:
      - Folders on this machine by the share that is mounted there, as Cinder's file drivers call it. Shares that are mounted by the
        same name are found without this.
    type: dict
    default: {}
  ceph_conf:
    description: Configuration of Ceph for volumes that are images of it.
    type: path
  ceph_user:
    description: User of Ceph, without C(client.), by default the one that Cinder names.
    type: str
  read_back:
    description: Whether everything is read back and compared. Without this a volume counts as done when it is written.
    type: bool
    default: true
  stall:
    description: Seconds without progress after which a transfer is given up.
    type: int
    default: 300
  timeout:
    description: Seconds that Cinder may take to make the volume, also of an image.
    type: int
    default: 3600
seealso:
  - module: scs.landscape.vm_build
"""

EXAMPLES = r"""
- name: The boot disk of a machine that moves here, over Glance
  scs.landscape.volume_write:
    cloud: member
    source: /var/lib/export/web01/disk-2000.raw
    name: web01-boot
    bootable: true
    image_metadata:
      hw_disk_bus: scsi
      hw_scsi_model: virtio-scsi
      hw_firmware_type: uefi
      hw_machine_type: q35
      os_distro: debian
    metadata:
      migration_vm: 5023a1f2-0000-4000-8000-000000000001
      migration_disk: '2000'
  delegate_to: converter

- name: A data disk straight into the NFS share of Cinder
  scs.landscape.volume_write:
    cloud: member
    source: /dev/vg0/web01-data
    name: web01-data
    volume_type: nfs
    mounts:
      nfs1.example.org:/volumes: /mnt/volumes
  delegate_to: converter
"""

RETURN = r"""
volume:
  description: The volume; its C(id) is null where it would be made (check mode), and C(predicted) is true.
  returned: success
  type: dict
  sample:
    id: 0a3b9c11-0000-4000-8000-000000000003
    name: web01-boot
    size: 20
    type: nfs
    availability_zone: nova
    bootable: true
    image_metadata: {hw_disk_bus: scsi}
    metadata: {migration_disk: '2000', migration_state: done}
    status: available
bytes:
  description: Bytes of the disk.
  returned: success
  type: int
digest:
  description: Digest of the disk, over the digests of its blocks; equal bytes have equal ones.
  returned: success
  type: str
  sample: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
method:
  description: V(attach) or V(image).
  returned: success
  type: str
format:
  description: What is sent, V(raw) or V(qcow2).
  returned: success
  type: str
moves:
  description: Bytes that have to travel, as the plan announces them.
  returned: success
  type: int
moved:
  description: Bytes that did.
  returned: success
  type: int
resumed_from:
  description: Bytes that a killed run had left.
  returned: success
  type: int
seconds:
  description: Time from the first to the last byte, read back included.
  returned: success
  type: float
rate:
  description: Bytes of the disk per second of that.
  returned: success
  type: int
plan:
  description: Digest, impact and steps.
  returned: always
  type: dict
steps_done:
  description: Number of steps that were carried out.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes import task, writing

_MAP = {"type": "dict", "default": {}}
ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "source": {"type": "path", "required": True},
    "name": {"type": "str", "required": True},
    "method": {"type": "str", "choices": ["auto", "image", "attach"], "default": "auto"},
    "image_format": {"type": "str", "choices": list(writing.FORMATS), "default": "auto"},
    "store": {"type": "str"},
    "size": {"type": "int"},
    "volume_type": {"type": "str"},
    "availability_zone": {"type": "str"},
    "description": {"type": "str", "default": ""},
    "bootable": {"type": "bool", "default": False},
    "image_metadata": _MAP,
    "metadata": _MAP,
    "mounts": _MAP,
    "ceph_conf": {"type": "path"},
    "ceph_user": {"type": "str"},
    "read_back": {"type": "bool", "default": True},
    "stall": {"type": "int", "default": 300},
    "timeout": {"type": "int", "default": 3600},
}


def main(params, check_mode, connect=client.connect):
    """Reads the disk, looks for its volume, and makes it."""
    found = task.write(connect(params), params, check_mode)
    steps = writing.steps(found.todo)
    return Result(
        changed=bool(steps),
        plan=steps,
        diff=steps.diff(),
        steps_done=0 if check_mode else len(steps),
        warnings=found.warnings,
        values=writing.values(found.todo, found.done, found.volume),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
