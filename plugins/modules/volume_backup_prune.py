# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: thin out backups of volumes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_backup_prune
short_description: Thin out backups of volumes, chain by chain
version_added: 0.4.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Keeps the newest backup of each of the last hours, days, weeks, months and years that have one, for every volume, and
    removes what nothing needs any more.
  - Only backups that M(scs.landscape.volume_backup_run) made are ever removed. What others made is never touched, and holds what
    it stands on.
  - A backup that stays keeps everything that it stands on. What goes, goes leaf first, and each is looked at once more right
    before, so that Cinder never has to refuse.
  - Slots are filled by backups that can be restored and whose restore never gave other bytes. The newest one that
    was proven stays in any case, with all it stands on.
  - Periods are counted where there are backups, not back from now. When backups stop, or a clock is wrong, nothing is thinned
    away, and a second run changes nothing. Periods are those of UTC; weeks are those of ISO 8601.
  - A backup that failed, that cannot be restored or that gave other bytes goes once a good one is newer and O(failed_days)
    have passed. One that Cinder is working on stays.
  - With O(digests), lists of block digests that no backup names any more are removed after the backups, when nothing failed. Only
    files are touched that are such lists, of volumes that the login sees or sees backups of, written for backups of its
    project, and older than O(digests_days).
  - Which backup stands on which is not shown by Cinder; it is worked out (see M(scs.landscape.volume_backup_info)). Where that
    is not sure, a backup stays.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
options:
  keep:
    description:
      - How many slots there are of each kind, for each volume. At least one number must be above 0.
    type: dict
    required: true
    suboptions:
      last:
        description: How many of the newest backups stay.
        type: int
        default: 0
      hourly:
        description: For how many hours.
        type: int
        default: 0
      daily:
        description: For how many days.
        type: int
        default: 0
      weekly:
        description: For how many weeks.
        type: int
        default: 0
      monthly:
        description: For how many months.
        type: int
        default: 0
      yearly:
        description: For how many years.
        type: int
        default: 0
  volumes:
    description: Ids of the volumes whose backups are thinned out, also of volumes that are gone. All when empty.
    type: list
    elements: str
    default: []
  policies:
    description: Only backups that were made for one of these policies are thinned out. All when empty.
    type: list
    elements: str
    default: []
  failed_days:
    description: How many days a backup stays at least that failed, cannot be restored or gave other bytes.
    type: float
    default: 7
  digests:
    description:
      - Folder with lists of block digests, as O(scs.landscape.volume_backup_run#module:digests) has it. Other projects and clouds may keep their
        lists there as well.
      - Where backups of one volume are in several projects, use O(all_projects), or lists of those that are not seen may go.
    type: path
  digests_days:
    description:
      - How many days old a list must be at least. A run writes its list before there is a backup that names it, so this must be longer
        than the longest run.
    type: float
    default: 7
  all_projects:
    description: Work on the backups of all projects. Needs an administrator's token.
    type: bool
    default: false
  records:
    description:
      - Ask for the record of each incremental backup, which names what it stands on. Needs an administrator's token and one
        request for each; without such a token it is a warning.
    type: bool
    default: false
  max_parallel:
    description: Backups of how many volumes are removed at once. Those of one volume are removed one after the other.
    type: int
    default: 4
  timeout:
    description: Seconds in which one backup must be gone.
    type: int
    default: 600
seealso:
  - module: scs.landscape.volume_backup_info
  - module: scs.landscape.volume_backup_run
"""

EXAMPLES = r"""
- name: Show what would go, and what holds the others
  scs.landscape.volume_backup_prune:
    cloud: member
    keep: {last: 3, daily: 7, weekly: 4, monthly: 12, yearly: 2}
  check_mode: true
  register: plan
  delegate_to: localhost

- name: Thin out the backups of one policy
  scs.landscape.volume_backup_prune:
    cloud: member
    policies: [gold]
    keep: {daily: 14, weekly: 8}
  delegate_to: localhost

- name: Thin out, and remove the lists of digests of what is gone
  scs.landscape.volume_backup_prune:
    cloud: member
    keep: {daily: 14, weekly: 8}
    digests: /var/lib/digests
  delegate_to: localhost
"""

RETURN = r"""
deleted:
  description: Backups that are (in check mode, would be) removed, with the reason.
  returned: success or when a removal failed
  type: list
  elements: dict
  sample:
    - id: 2b5a3a0e-5a0e-4f7c-9d4e-0a6a7f6f2f11
      name: web-1
      volume: 0b6c1d1e-30f5-4b5f-9c55-7b6f3f0b7a10
      project: 7c1f0a52d06e4b6ca2f15d7f8f6a10aa
      taken: "2026-10-01T02:00:00.000000"
      kind: incremental
      status: available
      size: 20
      why: [it fills no slot]
      held_by: []
kept:
  description:
    - Backups that stay, with all reasons (C(why)), the slots they fill or what stands on them among these, and the ids of what
      holds them (C(held_by)).
  returned: success or when a removal failed
  type: list
  elements: dict
blocked:
  description: Those of RV(kept) that nothing needs but what stands on them.
  returned: success or when a removal failed
  type: list
  elements: dict
failed_backups:
  description: Backups that should be gone and are not, with the reason.
  returned: success or when a removal failed
  type: list
  elements: dict
  sample: []
lists:
  description:
    - Lists of digests that no backup names (paths), those that are (in check mode, would be) C(removed), those that are too C(young),
      those of volumes that this login does not see (C(unknown)), and those that could not be removed (C(failed), with the reason).
  returned: success or when a removal failed
  type: dict
  sample:
    removed: [/var/lib/digests/sha256-3f0a9b6c2d1e4f5a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a.blocks]
    young: []
    unknown: []
    failed: {}
untouched:
  description: How many other backups are to be seen, which are not ours or not asked for.
  returned: success or when a removal failed
  type: int
plan:
  description: Digest, impact and steps, one for each removal, in their order.
  returned: always
  type: dict
steps_done:
  description: Number of backups and lists that were removed.
  returned: always
  type: int
"""

import datetime

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import (
    gfs,
    lists,
    prune,
    records,
    removal,
)
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "keep": {
        "type": "dict",
        "required": True,
        "options": {kind: {"type": "int", "default": 0} for kind in gfs.KINDS},
    },
    "volumes": {"type": "list", "elements": "str", "default": []},
    "policies": {"type": "list", "elements": "str", "default": []},
    "failed_days": {"type": "float", "default": 7},
    "digests": {"type": "path"},
    "digests_days": {"type": "float", "default": 7},
    "all_projects": {"type": "bool", "default": False},
    "records": {"type": "bool", "default": False},
    "max_parallel": {"type": "int", "default": 4},
    "timeout": {"type": "int", "default": 600},
}


def _now():
    return datetime.datetime.now(datetime.timezone.utc)


def main(params, check_mode, connect=client.connect, now=_now, **clock):
    """Reads the backups, decides, and removes."""
    keep, parallel = gfs.keep_of(params["keep"]), params["max_parallel"]
    rules = prune.Rules(keep, now(), params["failed_days"], tuple(params["volumes"]), tuple(params["policies"]))
    cinder = Cinder(connect(params, parallel=parallel), everywhere=params["all_projects"])
    backups = cinder.backups()
    told, omitted = records.parents(cinder, backups, parallel) if params["records"] else ({}, "")
    decision = prune.decide(backups, rules, told)
    found = removal.unnamed_lists(cinder, params, backups, decision, rules.now.timestamp())
    steps = removal.plan_of(decision, found)
    done = None
    if not check_mode:
        removing = removal.Removal(cinder, rules, told, timeout=params["timeout"], **clock)
        done = removing.apply(decision, parallel, found.going)
    return Result(
        changed=removal.count(done) > 0 if done else bool(steps),
        plan=steps,
        diff=steps.diff(),
        steps_done=removal.count(done) if done else 0,
        warnings=[omitted] if omitted else [],
        values={**removal.values(decision, done), "lists": lists.values(found, done and done.lists)},
        failed=removal.failure(done),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
