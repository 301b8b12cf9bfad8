# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: servers that are gone, made again of their manifests."""

from __future__ import annotations

DOCUMENTATION = r"""
module: server_recreate
short_description: Make servers again of their manifests
version_added: 0.5.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Makes servers of the manifests that M(scs.landscape.server_capture) wrote, with the ports, MAC addresses, fixed addresses,
    allowed address pairs, security groups, tags, server group, key pair, metadata, user data, volumes, power state and lock that
    they had. Security groups with their rules, server groups and key pairs that are gone are made, too.
  - A volume that is still there is taken. One that is gone comes out of a backup, with its exact type and size, or is one that
    was restored before and is named in O(volumes).
  - Everything is looked up before anything is made. What is missing for any of the servers is told at once.
  - What was made is read back and compared. What differs is returned, and lets the task fail.
  - A run that was interrupted goes on where it ended when it is started again. Until a server is complete, its volumes stay
    when it is deleted.
  - A server that is there is left alone. What differs about it is returned. One that was made again is known by the id that it
    had (metadata C(scs_landscape_recreated)), whatever was changed about it since. Another server of the same name is refused.
  - A floating address that another port has now is refused. One that was released and cannot be had again is told, and the server
    is complete without it.
  - Nova removes ports that it made itself together with a server; those of a server that was made again stay.
  - A member may choose MAC addresses and fixed addresses on networks of its own project only. On others Neutron wants its
    owner or an administrator, or O(keep_macs=false) and O(keep_ips=false).
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
options:
  manifests:
    description:
      - Files of manifests, or folders with them, on the machine where the task runs.
    type: list
    elements: path
    required: true
  user_data:
    description:
      - User data by id or name of a server, as base64, for manifests of a token that does not see it. Counts more than the file
        beside a manifest.
    type: dict
  volumes:
    description:
      - Ids of volumes by the id that each had, for volumes that were restored under new ids. They get name, description,
        metadata and image properties of the manifest.
    type: dict
    default: {}
  missing_volumes:
    description:
      - What becomes of a volume that is gone and not in O(volumes). V(refuse) makes nothing at all, V(backup) takes the newest
        good backup (see M(scs.landscape.volume_backup_choice)) and reads nothing back, V(empty) makes an empty one, but for the one
        that the server boots from.
    type: str
    choices: [refuse, backup, empty]
    default: refuse
  allow_mixed:
    description:
      - With O(missing_volumes=backup), the volumes of a server come out of the newest point that holds a good backup of each of
        them. This is whether they may come from several moments when points were taken and none holds all.
    type: bool
    default: false
  networks:
    description: Names or ids of networks by the name or id that each had.
    type: dict
    default: {}
  flavors:
    description: Names or ids of flavors by the name that each had.
    type: dict
    default: {}
  images:
    description: Names or ids of images by the name or id that each had, for servers that do not boot from a volume.
    type: dict
    default: {}
  keypairs:
    description: Names of key pairs by the name that each had.
    type: dict
    default: {}
  keep_ips:
    description: Whether ports keep their fixed addresses, allowed address pairs and floating addresses.
    type: bool
    default: true
  keep_macs:
    description: Whether ports keep their MAC addresses.
    type: bool
    default: true
  power:
    description: Whether servers run afterwards. V(captured) leaves those off that were off.
    type: str
    choices: [captured, 'on', 'off']
    default: captured
  other_project:
    description: Make servers in the project of the token although they were in another one.
    type: bool
    default: false
  max_parallel:
    description: How many servers are made at once.
    type: int
    default: 4
  timeout:
    description: Seconds that a single volume, and a single server, may take.
    type: int
    default: 3600
seealso:
  - module: scs.landscape.server_capture
"""

EXAMPLES = r"""
- name: Everything of a project is gone
  scs.landscape.server_recreate:
    cloud: shop
    manifests: [/var/backups/shop/servers]
    missing_volumes: backup
  delegate_to: localhost

- name: A copy in another project, of volumes that were restored before
  scs.landscape.server_recreate:
    cloud: shop-copy
    manifests: [/var/backups/shop/servers/5e1c6a7e-0000-4000-8000-000000000001.json]
    volumes:
      7d0c2f0e-0000-4000-8000-000000000002: 0a3b9c11-0000-4000-8000-000000000003
    networks:
      front: copy-front
    keep_ips: false
    keep_macs: false
    other_project: true
    power: 'off'
  delegate_to: localhost
"""

RETURN = r"""
servers:
  description: What became of each server, in the order of the manifests.
  returned: success or when a server could not be made
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
    old_id:
      description: The id that it had.
      type: str
    id:
      description: The id that it has, null for one that would be made or could not be.
      type: str
    status:
      description: V(present), V(made), V(planned) or V(failed).
      type: str
    predicted:
      description: Whether this is what would be done (check mode).
      type: bool
    differences:
      description: What differs from the manifest, but for ids and what the options change.
      type: list
      elements: dict
      sample: [{path: "ports[0].tags[0]", before: blue, after: (nothing)}]
    omitted:
      description: What it could not have, with C(what), C(reason) and the index of the C(port). A warning says it as well.
      type: list
      elements: dict
    volumes:
      description:
        - Ids that its volumes have now, by those they had. Empty as long as it is not there, not even half made, and when it is
          there with other volumes.
      type: dict
    message:
      description: Why it failed.
      type: str
plan:
  description: Digest, impact and steps.
  returned: always
  type: dict
steps_done:
  description: Number of servers that were made.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS
from ansible_collections.scs.landscape.plugins.module_utils.openstack.servers import plan, run

_MAP = {"type": "dict", "default": {}}
ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "manifests": {"type": "list", "elements": "path", "required": True},
    "user_data": {"type": "dict", "no_log": True},
    "volumes": _MAP,
    "missing_volumes": {"type": "str", "choices": list(plan.MISSING), "default": "refuse"},
    "allow_mixed": {"type": "bool", "default": False},
    "networks": _MAP,
    "flavors": _MAP,
    "images": _MAP,
    "keypairs": {"type": "dict", "default": {}, "no_log": False},
    "keep_ips": {"type": "bool", "default": True},
    "keep_macs": {"type": "bool", "default": True},
    "power": {"type": "str", "choices": list(plan.POWER), "default": "captured"},
    "other_project": {"type": "bool", "default": False},
    "max_parallel": {"type": "int", "default": 4},
    "timeout": {"type": "int", "default": 3600},
}


def main(params, check_mode, connect=client.connect):
    """Reads the manifests, compares them with what is there, and makes what is missing."""
    cloud = connect(params, parallel=params["max_parallel"])
    items = run.recreate(cloud, params, check_mode)
    steps = run.plan_of(items)
    return Result(
        changed=bool(steps),
        plan=steps,
        diff=steps.diff(),
        steps_done=sum(bool(item.made) for item in items),
        warnings=run.warnings(items, check_mode),
        values=run.values(items, check_mode),
        failed=run.failure(items),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
