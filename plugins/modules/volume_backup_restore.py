# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: restore backups of volumes, and look whether that gave what was backed up."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_backup_restore
short_description: Restore backups of volumes
version_added: 0.5.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Restores any number of backups in one task with one login, several at once.
  - A restore goes into a new volume of the size of the backup and of exactly the type of its source, encrypted ones included.
    An existing volume is only overwritten when it is named and O(allow_overwrite) is set.
  - With O(reader) and O(digests) the restored bytes are read and compared, block by block, with the digests that were taken
    when the backup was made. A restore that is shorter, longer or different fails the task. Without them nothing is read, and
    the task warns.
  - Before anything is asked for, all of it is checked. Backups must be restorable, lists of digests whole and of the right
    backup, volumes large enough, and the quota of the project must suffice.
  - Where a restore stands is written into the metadata of its volume (C(scs_landscape_restored)). A run that was killed is
    taken up again. A restore that is there already changes nothing.
  - A plain member of a project may do all of it.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
  - scs.landscape.backup_reader
  - scs.landscape.volume_restore
options:
  restores:
    description:
      - What to restore.
    type: list
    elements: dict
    required: true
    suboptions:
      backup:
        description: Id of the backup.
        type: str
        required: true
      name:
        description:
          - Name of the new volume, by which a second run finds it. C(restored-) and the name of the backup by default.
        type: str
      size:
        description: Size of the new volume in GiB. That of the backup by default, and never less.
        type: int
      type:
        description:
          - Type of the new volume. By default the one that was written down when the backup was made, or that of the source
            while it is there, or else the default of the cloud.
          - Has to be given for an encrypted backup whose type is not known any more.
        type: str
      availability_zone:
        description: Availability zone of the new volume.
        type: str
      metadata:
        description: Metadata of the new volume.
        type: dict
      volume:
        description:
          - Id of an existing volume that is overwritten. It must be available and large enough.
        type: str
      run:
        description:
          - Name of a restore over O(restores[].volume), a ticket for example. The same name is done once; to overwrite the
            volume again, choose another one.
        type: str
  allow_overwrite:
    description:
      - Whether volumes may be overwritten. What they hold is lost.
    type: bool
    default: false
seealso:
  - module: scs.landscape.volume_backup_verify
"""

EXAMPLES = r"""
- name: Restore a backup into a new volume, and read it back from Ceph
  scs.landscape.volume_backup_restore:
    cloud: customer
    restores:
      - backup: 2f6c1a0e-7d6b-4b0f-9d61-0a4f3f1f7f10
        name: database-restored
    digests: /var/lib/backup/digests
    reader:
      kind: rbd
      pool: volumes
      user: backup-reader

- name: Overwrite the volume of a server that is shut down and detached from it
  scs.landscape.volume_backup_restore:
    cloud: customer
    restores:
      - backup: 2f6c1a0e-7d6b-4b0f-9d61-0a4f3f1f7f10
        volume: 9a1f6f5e-0a94-4c5e-8b4e-7b5b0e1f2c3d
        run: ticket-4711
    allow_overwrite: true
  delegate_to: localhost
"""

RETURN = r"""
restores:
  description: What became of each restore, in the order in which they are wanted.
  returned: success or when a restore failed
  type: list
  elements: dict
  contains:
    backup:
      description: Id of the backup.
      type: str
    taken:
      description: When its data was read.
      type: str
    action:
      description:
        - V(create), V(overwrite), V(wait) (an earlier run had begun it), V(compare) (an earlier run had ended it and not looked)
          or V(none).
      type: str
    predicted:
      description: Whether this is what would be done (check mode).
      type: bool
    volume:
      description: The volume. Its id is null while it is not there.
      type: dict
      sample:
        id: 9a1f6f5e-0a94-4c5e-8b4e-7b5b0e1f2c3d
        name: database-restored
        size: 10
        type: ssd-luks
        availability_zone: nova
        encrypted: true
        bootable: false
    compared:
      description: Whether all bytes were read and are those that were backed up.
      type: bool
    blocks:
      description: Number of blocks that were compared.
      type: int
      returned: when it was compared
    bytes:
      description: Number of bytes that were read.
      type: int
      returned: when it was compared
    seconds:
      description: How long it took.
      type: float
    reason:
      description: Why it failed.
      type: str
plan:
  description: Digest, impact and steps.
  returned: always
  type: dict
steps_done:
  description: Number of restores that were done.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import readers, restore, restoring
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.volumes import Patience
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "restores": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "backup": {"type": "str", "required": True},
            "name": {"type": "str"},
            "size": {"type": "int"},
            "type": {"type": "str"},
            "availability_zone": {"type": "str"},
            "metadata": {"type": "dict"},
            "volume": {"type": "str"},
            "run": {"type": "str"},
        },
    },
    "allow_overwrite": {"type": "bool", "default": False},
    **restoring.ARGUMENTS,
}
RULES = {"required_together": [("reader", "digests")]}


def main(params, check_mode, connect=client.connect, patience=None):
    """Reads what is there, plans, restores and compares."""
    wanted = restore.wanted_of(params["restores"], params["allow_overwrite"])
    reader = readers.reader_of(params["reader"]) if params["reader"] else None
    cinder = Cinder(connect(params, parallel=params["max_parallel"]))
    patience = patience or Patience(within=params["timeout"])
    restorer = restoring.Restorer(cinder, patience, reader, params["digests"] or "", params["max_parallel"])
    todos = restorer.plan(wanted)
    steps = restore.plan_of(todos, restorer.compares)
    outcomes = [] if check_mode else restorer.apply(todos)
    values = restoring.values(todos, outcomes, check_mode)
    return Result(
        changed=bool(steps),
        plan=steps,
        diff=restore.diff(steps),
        steps_done=restoring.done(steps, values, todos, check_mode),
        warnings=restoring.warnings(todos, restorer.compares),
        values=values,
        failed=restoring.failure(values),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main, **RULES)
