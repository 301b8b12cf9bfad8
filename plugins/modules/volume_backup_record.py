# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: records of volume backups, out of Cinder and back into one that has lost its database."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_backup_record
short_description: Export and import records of volume backups
version_added: 0.4.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - The bytes of a backup are worth nothing without the record of it in Cinder's database. This module writes the records of
    all backups into one file, and imports them into a Cinder that has the same store and an empty database.
  - Records are for administrators. With another token an export changes nothing and says so in RV(omitted).
  - An imported backup keeps its id, its parent and its metadata, proofs among it. Those that others stand on come first.
  - Cinder imports into the project of the token, so log in to the tenant's project with the role of an administrator. Records of
    other projects are left out and returned. O(projects) says which project a project of the records is now.
  - Whether the records fit into the limits of the project is checked before the first one is imported.
  - A file with the same records is not written again. A record of a backup that is there and cannot be exported now stays in the
    file; one of a backup that is gone goes.
  - The file holds ids and names of volumes, projects and keys, and no bytes of volumes or keys. It is damaged when one character
    of it is another; then nothing is imported.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.kept_file
  - scs.landscape.openstack_auth
options:
  volumes:
    description: Ids of the volumes whose backups are meant. All when empty.
    type: list
    elements: str
    default: []
  all_projects:
    description: With O(state=exported), export the records of all projects.
    type: bool
    default: false
  projects:
    description: With O(state=imported), ids of projects as they are now, by those in the records.
    type: dict
    default: {}
  keys:
    description:
      - With O(state=imported), ids of keys of encrypted volumes as they are now, by those in the records, as
        M(scs.landscape.secret_bundle) returns them. Only an import can change which key a backup has.
    type: dict
    default: {}
  max_parallel:
    description: How many records are exported, or chains imported, at once.
    type: int
    default: 4
  timeout:
    description: Seconds in which one backup must be there.
    type: int
    default: 600
seealso:
  - module: scs.landscape.volume_backup_info
  - module: scs.landscape.volume_backup_restore
  - module: scs.landscape.secret_bundle
"""

EXAMPLES = r"""
- name: Keep the records of all backups beside their store
  scs.landscape.volume_backup_record:
    cloud: admin
    state: exported
    all_projects: true
    path: /var/backups/cinder/records.json
  delegate_to: localhost

- name: Bring those of a tenant back
  scs.landscape.volume_backup_record:
    cloud: admin-in-tenant
    state: imported
    path: /var/backups/cinder/records.json
  delegate_to: localhost
"""

RETURN = r"""
records:
  description: Ids of the backups whose records are in the file, those that were asked for.
  returned: success or when a record failed
  type: list
  elements: str
imported:
  description: Ids of the backups that are (in check mode, would be) imported.
  returned: success or when a record failed
  type: list
  elements: str
present:
  description: Ids of the backups in the file that were there already.
  returned: success or when a record failed
  type: list
  elements: str
omitted:
  description: Backups that were left out, with the reason; the C(id) is empty when the reason is the token.
  returned: success or when a record failed
  type: list
  elements: dict
  sample: [{id: 2b5a3a0e-5a0e-4f7c-9d4e-0a6a7f6f2f11, reason: it is creating}]
failed_records:
  description: Backups that could not be imported, with the reason.
  returned: success or when a record failed
  type: list
  elements: dict
  sample: []
plan:
  description: Digest, impact and steps. One for the file, or one for each import.
  returned: always
  type: dict
steps_done:
  description: Number of steps that were done.
  returned: always
  type: int
"""

import os

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core import files
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import records, recovery, views
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["exported", "imported"], "required": True},
    "volumes": {"type": "list", "elements": "str", "default": []},
    "all_projects": {"type": "bool", "default": False},
    "projects": {"type": "dict", "default": {}},
    "keys": {"type": "dict", "default": {}, "no_log": False},
    "max_parallel": {"type": "int", "default": 4},
    "timeout": {"type": "int", "default": 600},
}


def main(params, check_mode, connect=client.connect, **clock):
    """Exports or imports."""
    cloud = connect(params, parallel=params["max_parallel"])
    if params["state"] == "exported":
        return _export(params, check_mode, Cinder(cloud, everywhere=params["all_projects"]))
    return _import(params, check_mode, Cinder(cloud, everywhere=True), clock)


def _export(params, check_mode, cinder):
    path = os.path.abspath(params["path"])
    backups = [one for one in cinder.backups() if not params["volumes"] or one.volume in params["volumes"]]
    old = recovery.kept(path)
    new, missing, denied = records.exported(cinder, backups, params["max_parallel"])
    if denied:
        return Result(values=_values(omitted=[{"id": "", "reason": denied}]))
    listed = recovery.merged(old, new, [one.id for one in backups])
    plan = files.plan_paths({path: recovery.text(listed)})
    return Result(
        changed=bool(plan),
        plan=plan,
        diff=files.diff_of(plan),
        steps_done=0 if check_mode else files.apply_paths(plan),
        values=_values(records=sorted(one.id for one in listed), omitted=_pairs(missing)),
    )


def _import(params, check_mode, cinder, clock):
    found = [one.rekeyed(params["keys"]) for one in recovery.parse(recovery.read(params["path"]), params["path"])]
    todo = recovery.todo(found, cinder.backups(), cinder.cloud.project_id, params["projects"], tuple(params["volumes"]))
    if todo.lines:
        recovery.headroom(todo, cinder.limits())
    done, failed = [one.id for one in todo.records], {}
    if not check_mode:
        done, failed = recovery.Recovery(cinder, timeout=params["timeout"], **clock).apply(todo, params["max_parallel"])
    failed = {**todo.failed, **failed}
    return Result(
        changed=bool(done),
        plan=todo.plan,
        diff=views.diff(todo.plan),
        steps_done=0 if check_mode else len(done),
        values=_values(
            records=sorted(one.id for one in found if one.id not in todo.omitted),
            imported=sorted(done),
            present=sorted(todo.present),
            omitted=_pairs(todo.omitted),
            failed_records=_pairs(failed),
        ),
        failed="\n".join(f"backup {key}: {reason}" for key, reason in sorted(failed.items())),
    )


def _values(**given):
    return {**{key: [] for key in ("records", "imported", "present", "omitted", "failed_records")}, **given}


def _pairs(reasons):
    return [{"id": key, "reason": reason} for key, reason in sorted(reasons.items())]


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
