# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: what a Ceph cluster consists of and how it is."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ceph_cluster_info
short_description: Read what a Ceph cluster consists of and how it is
version_added: 0.1.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Reads daemons, versions, quorum, OSDs, pools, placement groups and health through the cluster's own C(ceph) command.
  - Needs no Python binding of Ceph; the command may be a wrapper that enters a container or a pod.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
options:
  command:
    description:
      - Words in front of C(status) in C(ceph status), with everything that selects cluster and key.
      - For example C([cephadm, shell, --, ceph]) or C([kubectl, -n, rook-ceph, exec, deploy/rook-ceph-tools, --, ceph]).
    type: list
    elements: str
    default: [ceph]
  command_timeout:
    description: Seconds that every single command may take.
    type: float
    default: 15
"""

EXAMPLES = r"""
- name: Read the cluster
  scs.landscape.ceph_cluster_info:
    command: [docker, exec, ceph-mon-ctl1, ceph]
  register: cluster

- name: Go on with three mons in quorum only
  ansible.builtin.assert:
    that: cluster.quorum.names | length == 3
"""

RETURN = r"""
fsid:
  description: Identity of the cluster.
  returned: always
  type: str
health:
  description: State and the checks that are raised, with details.
  returned: always
  type: dict
  sample: {status: HEALTH_WARN, checks: [{name: OSD_DOWN, severity: HEALTH_WARN, message: 1 osds down, muted: false}]}
quorum:
  description: Mons of the monmap with their addresses, mons in quorum, leader, epochs, and age of the quorum in seconds.
  returned: always
  type: dict
daemons:
  description: Names of daemons by kind. OSDs have their number. Services are named as in the cluster's service map.
  returned: always
  type: dict
  sample: {mon: [a, b, c], mgr: [a, b], osd: ["0", "1", "2"], rgw: [a.rgw0]}
mgr:
  description: The active mgr, whether it answers, and those that stand by.
  returned: always
  type: dict
osds:
  description: Every OSD with its state, device class, place in the CRUSH tree and public addresses.
  returned: always
  type: list
  elements: dict
pools:
  description: Every pool with its kind, replicas and number of placement groups.
  returned: always
  type: list
  elements: dict
pgs:
  description: Number of placement groups, by state, and counts of misplaced and degraded copies of objects.
  returned: always
  type: dict
versions:
  description: Short versions of running daemons and how many run each, by kind.
  returned: always
  type: dict
  sample: {mon: {18.2.7: 3}}
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.ceph import info
from ansible_collections.scs.landscape.plugins.module_utils.ceph.client import Ceph


def main(params, _check_mode, runner):
    """Reads the cluster."""
    return Result(values=info.read(Ceph(runner, params["command"], params["command_timeout"])))


SPEC = {
    "command": {"type": "list", "elements": "str", "default": ["ceph"]},
    "command_timeout": {"type": "float", "default": 15},
}


if __name__ == "__main__":
    run_module(SPEC, main, client=lambda runner: runner)
