# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: which backups a drill, or a rebuild, is to restore."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_backup_choice
short_description: Choose backups for a drill or a rebuild
version_added: 0.5.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - With O(sample), it chooses the newest good backup of some volumes for a drill. Volumes of which nothing was ever proven come
    first, then those whose proof is the oldest. So one drill after the other reaches every volume.
  - With O(manifests), it chooses the backups that bring back the volumes of servers that M(scs.landscape.server_capture) wrote
    down. A volume that is still there is left alone.
  - The volumes of a server come back from one moment where that can be. The newest point that holds a good backup of each of
    them (C(scs_landscape_point)) goes before backups that are newer. When points were taken and none holds all of them, the task
    fails unless O(allow_mixed) is set. Volumes that were never taken together are told with a warning.
  - A backup is good when it and all it stands on are available and no restore gave other bytes.
  - It only reads, and works with the token of a plain member; then it sees that project.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
  - scs.landscape.openstack_auth
options:
  sample:
    description:
      - How many volumes to choose at most. V(0) is all. Only backups with digests are chosen, others cannot be compared.
      - Needed when O(manifests) is absent.
    type: int
  volumes:
    description: Ids of the volumes that O(sample) chooses from. All when empty.
    type: list
    elements: str
    default: []
  manifests:
    description:
      - Files of manifests, or folders with them, on the machine where the task runs.
      - The task fails when a volume of theirs is gone and has no good backup.
    type: list
    elements: path
  servers:
    description: Ids that the servers had in O(manifests). All when absent, none when empty.
    type: list
    elements: str
  restored:
    description:
      - With O(manifests), ids that volumes have now, by those they had, as M(scs.landscape.server_recreate) returns them in
        RV(scs.landscape.server_recreate#module:servers[].volumes). They are not chosen again.
    type: dict
    default: {}
  before:
    description: With O(manifests), no data newer than this moment (ISO 8601, UTC) is chosen, for example to get behind an accident.
    type: str
    default: ""
  proven:
    description: With O(manifests), whether only backups that a restore has proven are chosen.
    type: bool
    default: false
  allow_mixed:
    description:
      - With O(manifests), whether volumes of one server may come back from several moments although points were taken of them. A
        database over two volumes is torn then.
    type: bool
    default: false
  max_parallel:
    description: How many requests are under way at once.
    type: int
    default: 4
seealso:
  - module: scs.landscape.volume_backup_info
  - module: scs.landscape.volume_backup_restore
  - module: scs.landscape.volume_backup_verify
"""

EXAMPLES = r"""
- name: Choose three volumes whose backups were not tried for the longest time
  scs.landscape.volume_backup_choice:
    cloud: shop
    sample: 3
  register: chosen
  delegate_to: localhost

- name: Choose what brings the servers back as they were before the accident
  scs.landscape.volume_backup_choice:
    cloud: shop
    manifests: [/var/backups/shop/servers]
    before: "2026-11-20T08:00:00"
  register: chosen
  delegate_to: localhost

- name: Restore it
  scs.landscape.volume_backup_restore:
    cloud: shop
    restores: "{{ chosen.restores }}"
  delegate_to: localhost
"""

RETURN = r"""
choices:
  description: The backups, in the order in which they were chosen.
  returned: success or when a volume has no good backup
  type: list
  elements: dict
  sample:
    - backup: 7d0f7c34-2e4e-4a57-8a35-0cf6e37a1d02
      name: db-data gold/2026-11-21
      volume: 0b6c1d1e-30f5-4b5f-9c55-7b6f3f0b7a10
      volume_name: db-data
      server: ""
      taken: "2026-11-21T02:00:00.000000"
      kind: incremental
      size: 20
      proven:
      point:
      why: never proven
restores:
  description:
    - The same as O(scs.landscape.volume_backup_restore#module:restores). The new volumes bear C(scs-landscape-rebuild-) and the id
      of the one that is gone.
  returned: success or when a volume has no good backup
  type: list
  elements: dict
omitted:
  description: Volumes that were not chosen, with C(volume), C(name) and C(reason).
  returned: success or when a volume has no good backup
  type: list
  elements: dict
missing:
  description:
    - Volumes that have no good backup, with C(volume), C(name) and C(reason). With O(manifests) they let the task fail.
  returned: success or when a volume has no good backup
  type: list
  elements: dict
spare:
  description:
    - With O(manifests), volumes that an earlier rebuild restored and that RV(restores) does not lead to, with C(volume), C(name)
      and C(reason). Nothing removes them.
  returned: success or when a volume has no good backup
  type: list
  elements: dict
mixed:
  description:
    - Servers whose volumes come back from several moments, or not all from their newest backups, with C(server), C(mixed), C(torn)
      (points were taken, and none holds all of them), C(spread) (seconds between the oldest and the newest data), C(point) and
      C(reason).
  returned: success or when a volume has no good backup
  type: list
  elements: dict
names:
  description: Names of all volumes that have backups, by id, also of those that are gone.
  returned: success or when a volume has no good backup
  type: dict
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
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import chains, views
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.plugins.module_utils.openstack.drills import choice
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS
from ansible_collections.scs.landscape.plugins.module_utils.openstack.servers import run as servers

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "sample": {"type": "int"},
    "volumes": {"type": "list", "elements": "str", "default": []},
    "manifests": {"type": "list", "elements": "path"},
    "servers": {"type": "list", "elements": "str"},
    "restored": {"type": "dict", "default": {}},
    "before": {"type": "str", "default": ""},
    "proven": {"type": "bool", "default": False},
    "allow_mixed": {"type": "bool", "default": False},
    "max_parallel": {"type": "int", "default": 4},
}
RULES = {"mutually_exclusive": [("sample", "manifests")], "required_one_of": [("sample", "manifests")]}


def _manifests(params):
    """The manifests of the servers that are wanted."""
    found = [item.manifest for item in servers.read(params["manifests"], {})]
    wanted = params["servers"]
    return found if wanted is None else [one for one in found if one["id"] in wanted]


def main(params, _check_mode, connect=client.connect):
    """Reads volumes and backups, and chooses."""
    if params["before"]:
        try:
            datetime.datetime.fromisoformat(params["before"].replace("Z", "+00:00"))
        except ValueError as error:
            raise InputError(f"before is {params['before']!r}, not a moment like 2026-11-20T08:00:00") from error
    manifests = _manifests(params) if params["manifests"] else []
    cinder = Cinder(connect(params, parallel=params["max_parallel"]))
    volumes = cinder.volumes()
    sights = views.sights(volumes, chains.build(cinder.backups()))
    if params["manifests"]:
        limits = {name: params[name] for name in ("restored", "before", "proven")}
        chosen = choice.rebuild(sights, volumes, manifests, **limits)
    else:
        chosen = choice.sample(sights, params["sample"], params["volumes"])
    lost = [f"{one['name']} ({one['volume']}): {one['reason']}" for one in chosen.missing]
    mixed = choice.mixtures(chosen)
    refused = [one for one in mixed if one["torn"] and not params["allow_mixed"]]
    lost += [f"server {one['server']}: {one['reason']}, see allow_mixed" for one in refused]
    return Result(
        values={
            "choices": [one.as_dict() for one in chosen.choices],
            "restores": [one.as_restore() for one in chosen.choices],
            "omitted": list(chosen.omitted),
            "missing": list(chosen.missing),
            "spare": list(chosen.spare),
            "mixed": mixed,
            "names": {sight.id: choice.name_of(sight) for sight in sights if sight.backups},
        },
        warnings=[f"server {one['server']}: {one['reason']}" for one in mixed if one not in refused],
        failed="; ".join(lost) if lost and params["manifests"] else "",
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main, **RULES)
