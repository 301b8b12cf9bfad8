# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: servers as manifests, from which they can be made again."""

from __future__ import annotations

DOCUMENTATION = r"""
module: server_capture
short_description: Write down what servers are made of
version_added: 0.5.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Writes a manifest for each server, from which M(scs.landscape.server_recreate) makes it again. It holds flavor, image, key
    pair, metadata, tags, server group, power state and lock; every port with its MAC address, fixed addresses, allowed address
    pairs, security groups, tags and floating addresses; every volume with its type, size, properties and device; and the
    security groups with their rules.
  - The contents of volumes are not part of it. Those are in backups.
  - A manifest is sorted JSON without times, so it is the same as long as the server is, and any tool shows what changed.
  - User data is written into a file of its own beside the manifest, which only its owner may read, and appears nowhere else. A
    member's token does not see it; it is returned as omitted then.
  - The cloud is only read. A hundred servers are read with one request for each page of each list, and two for each server.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
options:
  dest:
    description:
      - Folder of the manifests, on the machine where the task runs. Each file is called after the id of its server.
      - Files of servers that are not captured now stay.
    type: path
    required: true
  servers:
    description:
      - Ids or names of servers. All servers of the project when this is empty.
    type: list
    elements: str
    default: []
  metadata:
    description:
      - Only servers with all of these metadata.
    type: dict
    default: {}
  all_projects:
    description:
      - Servers of all projects. Needs an administrator's token.
    type: bool
    default: false
  user_data:
    description:
      - Whether user data is written down where the token sees it.
    type: bool
    default: true
  max_parallel:
    description: How many servers are read at once.
    type: int
    default: 4
  timeout:
    description: Seconds for which one request is tried again.
    type: int
    default: 90
seealso:
  - module: scs.landscape.server_recreate
"""

EXAMPLES = r"""
- name: All servers of a project
  scs.landscape.server_capture:
    cloud: shop
    dest: /var/backups/shop/servers
  delegate_to: localhost

- name: Those of a policy, and only show what changed
  scs.landscape.server_capture:
    cloud: shop
    metadata:
      backup:policy: gold
    dest: /var/backups/shop/servers
  check_mode: true
  diff: true
  delegate_to: localhost
"""

RETURN = r"""
servers:
  description: What was captured of each server.
  returned: success or when a server could not be read
  type: list
  elements: dict
  contains:
    id:
      description: Id.
      type: str
    name:
      description: Name.
      type: str
    project:
      description: Id of its project.
      type: str
    path:
      description: File of the manifest.
      type: str
    sha256:
      description: Digest of the manifest.
      type: str
    status:
      description: V(captured), V(unchanged) or V(failed).
      type: str
    predicted:
      description: Whether this is what would be done (check mode).
      type: bool
    message:
      description: Why it failed.
      type: str
omitted:
  description: What the token may not see, one entry for each server and thing.
  returned: success or when a server could not be read
  type: list
  elements: dict
  sample: [{server: 5e1c6a7e-0000-4000-8000-000000000001, what: "user_data: only an administrator sees it"}]
plan:
  description: Digest, impact and steps.
  returned: always
  type: dict
steps_done:
  description: Number of files that were written.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS
from ansible_collections.scs.landscape.plugins.module_utils.openstack.servers import capture, folder, report

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "dest": {"type": "path", "required": True},
    "servers": {"type": "list", "elements": "str", "default": []},
    "metadata": {"type": "dict", "default": {}},
    "all_projects": {"type": "bool", "default": False},
    "user_data": {"type": "bool", "default": True},
    "max_parallel": {"type": "int", "default": 4},
    "timeout": {"type": "int", "default": 90},
}


def main(params, check_mode, connect=client.connect):
    """Reads the servers, compares them with their files, and writes those that differ."""
    cloud = connect(params, parallel=params["max_parallel"], patience=params["timeout"])
    reader = capture.Reader(cloud, params["max_parallel"], params["all_projects"])
    chosen = capture.select(reader.servers(), params["servers"], params["metadata"])
    outcomes = reader.seen(chosen)
    captured = report.captured(outcomes, params["user_data"])
    steps = folder.plan(params["dest"], captured.manifests, captured.user_data)
    done = 0 if check_mode else folder.apply(params["dest"], steps)
    return Result(
        changed=bool(steps),
        plan=steps,
        diff=folder.diff(steps),
        steps_done=done,
        values=report.capture_values(captured, steps, params["dest"], check_mode),
        failed=report.capture_failure(captured),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
