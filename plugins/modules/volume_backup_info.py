# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: what backups of volumes there are, and what they are worth."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_backup_info
short_description: Tell chains of volume backups and what they are worth
version_added: 0.4.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Returns every volume with its backups, and the backups of volumes that are gone; which backup stands on which, who made
    them, which can be restored, and how old the newest one is that was proven by a restore.
  - Cinder does not show what an incremental backup stands on. It chooses the available backup of the same volume and project
    with the newest data, so that can be worked out. Where Cinder shows something else (C(has_dependent_backups)), that counts,
    and what stays unsure is said in C(problems). With O(records), an administrator's token reads it from the records of the
    backups.
  - It works with the token of a plain member; then it sees that project.
  - RV(metrics) is text for Prometheus, which the text file collector of its node exporter reads.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
  - scs.landscape.openstack_auth
options:
  volumes:
    description: Ids of the volumes to tell about, also of volumes that are gone. All when empty.
    type: list
    elements: str
    default: []
  all_projects:
    description: Tell about all projects. Needs an administrator's token.
    type: bool
    default: false
  records:
    description:
      - Ask for the record of each incremental backup, which names what it stands on. Needs an administrator's token and one
        request for each; with another token that is in RV(omitted).
    type: bool
    default: false
  max_parallel:
    description: How many records are asked for at once.
    type: int
    default: 4
seealso:
  - module: scs.landscape.volume_backup_run
  - module: scs.landscape.volume_backup_prune
  - module: scs.landscape.volume_backup_verify
"""

EXAMPLES = r"""
- name: Look at all backups of a project
  scs.landscape.volume_backup_info:
    cloud: member
  register: backups
  delegate_to: localhost

- name: Fail when a volume with a policy has no backup of the last two days that was ever proven
  ansible.builtin.assert:
    that: backups.volumes | selectattr('policy') | rejectattr('proven_age', 'none') | map(attribute='proven_age')
      | select('lt', 172800) | length == backups.volumes | selectattr('policy') | length
  delegate_to: localhost

- name: Hand the figures to Prometheus
  ansible.builtin.copy:
    content: "{{ backups.metrics }}"
    dest: /var/lib/prometheus/node-exporter/backups.prom
    mode: "0644"
  delegate_to: localhost
"""

RETURN = r"""
volumes:
  description:
    - Every volume, there (C(exists)) or gone. Ages are seconds since the data was read, C(proof_age) since the last restore of
      that backup, all null when there is none. C(newest) and C(proven) are ids of backups that can be restored and whose
      restore never gave other bytes.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 0b6c1d1e-30f5-4b5f-9c55-7b6f3f0b7a10
      name: web
      project: 7c1f0a52d06e4b6ca2f15d7f8f6a10aa
      exists: true
      policy: gold
      size: 20
      backups: 3
      restorable: 3
      failed: 0
      foreign: 1
      chains: [2b5a3a0e-5a0e-4f7c-9d4e-0a6a7f6f2f11]
      newest: 7d0f7c34-2e4e-4a57-8a35-0cf6e37a1d02
      newest_age: 3600
      proven: 2b5a3a0e-5a0e-4f7c-9d4e-0a6a7f6f2f11
      proven_age: 176400
      proof_age: 90000
      problems: []
chains:
  description:
    - Full backups with all that stands on them. C(length) is how many backups a restore reads at most, C(closed) says that the
      next incremental backup would not be put on it, C(foreign) are ids of members that no run of ours made. A member's
      C(perhaps) are other backups that it may stand on.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 2b5a3a0e-5a0e-4f7c-9d4e-0a6a7f6f2f11
      volume: 0b6c1d1e-30f5-4b5f-9c55-7b6f3f0b7a10
      project: 7c1f0a52d06e4b6ca2f15d7f8f6a10aa
      length: 1
      size: 20
      closed: false
      restorable: 1
      foreign: []
      members:
        - id: 2b5a3a0e-5a0e-4f7c-9d4e-0a6a7f6f2f11
          name: web-1
          parent:
          perhaps: []
          kind: full
          taken: "2026-10-01T02:00:00.000000"
          status: available
          size: 20
          ours: true
          restorable: true
          proven: "2026-10-02T01:00:00+00:00"
          refuted:
          digest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
          level: crash
          policy: gold
          point: run-1
          server:
      problems: []
problems:
  description: All problems of all chains.
  returned: success
  type: list
  elements: str
omitted:
  description: What the token may not see, one sentence each.
  returned: success
  type: list
  elements: str
metrics:
  description: The same as text for Prometheus.
  returned: success
  type: str
plan:
  description: Always empty, this module only looks.
  returned: always
  type: dict
steps_done:
  description: Always 0.
  returned: always
  type: int
"""

import datetime

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import chains, metrics, records, views
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "volumes": {"type": "list", "elements": "str", "default": []},
    "all_projects": {"type": "bool", "default": False},
    "records": {"type": "bool", "default": False},
    "max_parallel": {"type": "int", "default": 4},
}


def _now():
    return datetime.datetime.now(datetime.timezone.utc)


def main(params, _check_mode, connect=client.connect, now=_now):
    """Reads volumes and backups, and works out the chains."""
    parallel, moment = params["max_parallel"], now()
    cinder = Cinder(connect(params, parallel=parallel), everywhere=params["all_projects"])
    wanted = params["volumes"]
    backups = [one for one in cinder.backups() if not wanted or one.volume in wanted]
    told, omitted = records.parents(cinder, backups, parallel) if params["records"] else ({}, "")
    found = chains.build(backups, told)
    sights = views.sights(cinder.volumes(), found, wanted)
    return Result(
        values={
            "volumes": [views.sight_dict(sight, moment) for sight in sights],
            "chains": [views.chain_dict(chain) for chain in found],
            "problems": [text for chain in found for text in chain.problems],
            "omitted": [omitted] if omitted else [],
            "metrics": metrics.text(sights, moment),
        },
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
