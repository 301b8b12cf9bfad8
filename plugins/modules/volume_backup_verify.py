# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: prove backups of volumes by restoring them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_backup_verify
short_description: Prove backups of volumes by restoring them
version_added: 0.5.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Restores backups into scratch volumes, reads them back, and compares every block with the digests that were taken when the
    backup was made. The scratch volumes are removed in any case.
  - Without O(backups) it takes from every chain of backups the newest one with digests, unless a member of the chain was proven
    within O(period_days). A backup that was refuted is tried again every time.
  - The date of a proof is written into the metadata of the backup, as C(scs_landscape_proven), C(scs_landscape_refuted) or
    C(scs_landscape_unrestorable). Refuted is a backup whose restore is shorter, longer or different; unrestorable is one that
    the backup service failed to restore twice, while it restored others. When several are tried and none is restored, that is
    an outage, and nothing is written.
  - What could not be tried is no verdict and fails the task with its own sentence, for example a list of digests that is
    missing, damaged, of another backup or of another size, or a volume that cannot be read. Then nothing is written into the
    backup.
  - Scratch volumes that a killed run left are removed by the next one, at once on the same machine, otherwise when that run
    must be over. They are named C(scs-landscape-scratch-) and the id of the backup.
  - Whether the quota of the project has room for the scratch volumes is checked first.
  - A plain member of a project may do all of it.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
  - scs.landscape.backup_reader
  - scs.landscape.volume_restore
options:
  digests:
    required: true
  reader:
    required: true
  backups:
    description:
      - Ids of backups to prove. All chains of the project are looked at by default.
    type: list
    elements: str
    default: []
  volumes:
    description:
      - Ids of volumes whose chains are looked at. All by default. Not for O(backups).
    type: list
    elements: str
    default: []
  policies:
    description:
      - Names of policies. Only backups that were made for one of them are looked at. All by default. Not for O(backups).
    type: list
    elements: str
    default: []
  period_days:
    description:
      - Days for which a proof is good enough. With V(0) everything is proven anew.
    type: float
    default: 30
  limit:
    description:
      - How many backups are proven in one run at most, the newest first. V(0) is all.
    type: int
    default: 0
  type:
    description:
      - Type of the scratch volumes. By default the one that was written down when the backup was made, or that of the source
        while it is there.
    type: str
  availability_zone:
    description:
      - Availability zone of the scratch volumes.
    type: str
  max_parallel:
    description:
      - How many restores are under way at once, each into a scratch volume of its own.
    default: 2
seealso:
  - module: scs.landscape.volume_backup_restore
"""

EXAMPLES = r"""
- name: Prove ten chains that nobody has proven for a month, on a host that sees Ceph
  scs.landscape.volume_backup_verify:
    cloud: customer
    limit: 10
    digests: /var/lib/backup/digests
    reader:
      kind: rbd
      pool: volumes
      user: backup-reader

- name: Prove one backup, whenever it was proven before
  scs.landscape.volume_backup_verify:
    cloud: customer
    backups: [2f6c1a0e-7d6b-4b0f-9d61-0a4f3f1f7f10]
    period_days: 0
    digests: /var/lib/backup/digests
    reader:
      kind: file
      path: /var/lib/cinder/mnt/*/volume-{id}
"""

RETURN = r"""
verified:
  description: The verdict on each backup that was looked at, the newest first.
  returned: success or when a backup was not proven
  type: list
  elements: dict
  contains:
    backup:
      description: Id of the backup.
      type: str
    name:
      description: Name of the backup.
      type: str
    volume:
      description: Id of the volume that it is of.
      type: str
    taken:
      description: When its data was read.
      type: str
    status:
      description:
        - V(proven); V(refuted), its restore gave other bytes; V(unrestorable), the backup service failed twice; or V(failed), it
          could not be tried. Empty in check mode.
      type: str
    reason:
      description: Why it is not proven.
      type: str
    date:
      description: When, as written into the metadata of the backup.
      type: str
    blocks:
      description: Number of blocks.
      type: int
    bytes:
      description: Number of bytes that were read.
      type: int
    differing_blocks:
      description: Number of blocks that differ.
      type: int
    differing:
      description: Where bytes differ, the first ranges.
      type: list
      elements: dict
      sample: [{offset: 4194304, length: 4194304}]
    seconds:
      description: How long it took.
      type: float
    predicted:
      description: Whether this is what would be proven (check mode).
      type: bool
omitted:
  description: What was not looked at, and why.
  returned: success or when a backup was not proven
  type: list
  elements: dict
  sample:
    - backup: 2f6c1a0e-7d6b-4b0f-9d61-0a4f3f1f7f10
      volume: 9a1f6f5e-0a94-4c5e-8b4e-7b5b0e1f2c3d
      reason: proven on 2026-11-02T03:10:00Z
orphans:
  description: Ids of scratch volumes of killed runs that were removed, or would be.
  returned: success or when a backup was not proven
  type: list
  elements: str
plan:
  description: Digest, impact and steps.
  returned: always
  type: dict
steps_done:
  description: Number of backups with a verdict.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import (
    attached,
    readers,
    restore,
    restoring,
    verify,
)
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.verifying import Verifier
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.volumes import Patience
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    **restoring.ARGUMENTS,
    "digests": {"type": "path", "required": True},
    "reader": {**readers.ARGUMENTS, "required": True},
    "backups": {"type": "list", "elements": "str", "default": []},
    "volumes": {"type": "list", "elements": "str", "default": []},
    "policies": {"type": "list", "elements": "str", "default": []},
    "period_days": {"type": "float", "default": 30},
    "limit": {"type": "int", "default": 0},
    "type": {"type": "str"},
    "availability_zone": {"type": "str"},
    "max_parallel": {"type": "int", "default": 2},
}


def main(params, check_mode, connect=client.connect, patience=None):
    """Chooses, restores, reads, compares, writes the verdicts down."""
    lists = (tuple(params[name]) for name in ("backups", "volumes", "policies"))
    choice = verify.Choice(*lists, params["period_days"], params["limit"])
    cloud = connect(params, parallel=params["max_parallel"])
    patience = patience or Patience(within=params["timeout"])
    cinder, reader = Cinder(cloud), attached.reader_of(params["reader"], cloud, patience)
    verifier = Verifier(
        cinder,
        patience,
        reader,
        params["digests"],
        params["max_parallel"],
        params["type"] or "",
        params["availability_zone"] or "",
    )
    chosen = verifier.plan(choice)
    steps = verify.plan_of(chosen, verifier.orphans)
    verdicts = [] if check_mode or not steps else verifier.apply(chosen)
    shown = [verify.predicted(one) for one in chosen] if check_mode else [one.as_dict() for one in verdicts]
    return Result(
        changed=bool(steps),
        plan=steps,
        diff=restore.diff(steps),
        steps_done=sum(one.ending != verify.FAILED for one in verdicts),
        values={
            "verified": shown,
            "omitted": [one.as_dict() for one in verifier.omitted],
            "orphans": [one.id for one in verifier.orphans],
        },
        failed=verify.failure(verdicts, verifier.problems),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
