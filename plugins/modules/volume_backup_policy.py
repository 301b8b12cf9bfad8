# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: policies of backups as data, and which volumes they are for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_backup_policy
short_description: Check policies of backups, and put volumes under them
version_added: 0.5.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - A policy says which volumes are backed up, how often and how, what stays, and how often a restore proves it. Policies are
    data; every mistake in them is named with its place before anything is done.
  - Returns the options of M(scs.landscape.volume_backup_run), M(scs.landscape.volume_backup_prune) and
    M(scs.landscape.volume_backup_verify) for each policy, with all defaults.
  - With O(assign) it writes the name of a policy into the metadata of volumes, by which M(scs.landscape.volume_backup_run) finds
    them. Whoever may use a volume may do so; other metadata stay, and volumes that are not named are not touched.
  - With O(coverage) it tells which volumes each policy is for, and which have none. A name of a policy on a volume that nobody
    defined means that there is no backup of it; that is found here.
  - Without O(assign) and O(coverage) nothing is asked for, and no cloud is needed.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
options:
  policies:
    description:
      - Policies by name. All keys may be left out; with none of C(volumes), C(servers), C(server_tags), C(volume_metadata) and
        C(all_volumes), a policy is for the volumes whose metadata O(policy_key) is its name.
      - C(every) is V(hour), V(day), V(week) or V(month). C(volumes), C(servers), C(server_tags), C(volume_metadata), C(all_volumes),
        C(mode), C(max_chain), C(full_days), C(own_only), C(force), C(consistency), C(backup_driver), C(container) and C(labels) are those
        of M(scs.landscape.volume_backup_run).
      - C(keep) and C(failed_days) are those of M(scs.landscape.volume_backup_prune). Without C(keep) nothing is ever removed.
      - C(prove_days) and C(prove_limit) are O(scs.landscape.volume_backup_verify#module:period_days) and
        O(scs.landscape.volume_backup_verify#module:limit).
    type: dict
    required: true
  assign:
    description: Ids or names of volumes by the name of the policy that they get.
    type: dict
    default: {}
  coverage:
    description: Tell which volumes the policies are for.
    type: bool
    default: false
  policy_key:
    description: Name in the metadata of volumes by which their owners choose a policy.
    type: str
    default: backup:policy
  exclude_key:
    description: Name in the metadata of volumes by which their owners (V(true)) want no backup.
    type: str
    default: backup:exclude
seealso:
  - module: scs.landscape.volume_backup_run
  - module: scs.landscape.volume_backup_prune
  - module: scs.landscape.volume_backup_verify
"""

EXAMPLES = r"""
- name: Put two volumes under a policy, and see which ones have none
  scs.landscape.volume_backup_policy:
    cloud: member
    policies:
      gold:
        every: day
        consistency: crash
        keep: {last: 3, daily: 7, weekly: 4}
        prove_days: 14
      archive:
        every: month
        mode: full
        keep: {monthly: 12, yearly: 5}
    assign:
      gold: [database, 0d0b4a5e-5f3c-4b0f-8b5d-0a8f0e3f3b0e]
    coverage: true
  register: backups
  delegate_to: localhost

- name: Check policies without a cloud
  scs.landscape.volume_backup_policy:
    policies: "{{ backup_policies }}"
  delegate_to: localhost
"""

RETURN = r"""
policies:
  description: For each policy the options of the modules. C(thin) is empty when nothing says what is kept.
  returned: success
  type: list
  elements: dict
  sample:
    - name: archive
      take: {policy: archive, period: month, mode: full, max_chain: 14, volumes: []}
      thin: {policies: [archive], keep: {monthly: 12, yearly: 5}, failed_days: 7}
      prove: {policies: [archive], period_days: 30, limit: 0}
covered:
  description: Ids of the volumes that each policy is for; in check mode with what would be assigned.
  returned: when O(coverage) is set
  type: dict
  sample: {gold: [0d0b4a5e-5f3c-4b0f-8b5d-0a8f0e3f3b0e]}
uncovered:
  description: Volumes that no policy is for, with the reason.
  returned: when O(coverage) is set
  type: list
  elements: dict
  sample:
    - id: 9a1f6f5e-0a94-4c5e-8b4e-7b5b0e1f2c3d
      name: web
      reason: its policy glod is not defined; did you mean gold?
missing:
  description: What a policy names and nobody finds.
  returned: when O(coverage) is set
  type: list
  elements: str
plan:
  description: Digest, impact and steps, one for each volume that gets another policy.
  returned: always
  type: dict
steps_done:
  description: Number of steps that were done.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model, policy, views
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.servers import servers_of
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "policies": {"type": "dict", "required": True},
    "assign": {"type": "dict", "default": {}},
    "coverage": {"type": "bool", "default": False},
    "policy_key": {"type": "str", "default": model.POLICY_KEY, "no_log": False},
    "exclude_key": {"type": "str", "default": model.EXCLUDE_KEY, "no_log": False},
}


def main(params, check_mode, connect=client.connect):
    """Checks the policies, marks volumes, and looks who is left over."""
    policies = policy.policies_of(params["policies"])
    values = {"policies": [one.as_dict() for one in policies]}
    if not (params["assign"] or params["coverage"]):
        return Result(warnings=policy.doubts(policies), values=values)
    cloud, key = connect(params), params["policy_key"]
    cinder = Cinder(cloud)
    volumes = cinder.volumes()
    found = policy.marks(volumes, policy.assigned(params["assign"]), policies, key)
    steps = policy.plan_of(found, key)
    if not check_mode:
        for one in found:
            cinder.label(one.volume.id, {key: one.policy})
    if params["coverage"]:
        named = servers_of(cloud, tags=True) if policy.asks_for_servers(policies) else None
        seen = policy.coverage(policy.marked(volumes, found, key), policies, key, params["exclude_key"], named)
        values.update(seen.as_dict())
    return Result(
        changed=bool(steps),
        plan=steps,
        diff=views.diff(steps),
        steps_done=0 if check_mode else len(steps),
        warnings=policy.doubts(policies),
        values=values,
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
