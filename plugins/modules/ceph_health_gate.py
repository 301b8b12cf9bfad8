# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: wait until a Ceph cluster is fit for the next step."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ceph_health_gate
short_description: Wait until a Ceph cluster is fit for the next step, or say why it is not
version_added: 0.1.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Looks at the whole cluster until everything that is wanted holds, and fails when that does not happen in time. The message
    names every reason with its mon, OSD, placement group or pool.
  - Works through the cluster's own C(ceph) command, which may be a wrapper that enters a container or a pod.
  - The last look begins at O(timeout) at the latest; it may take O(command_timeout) for each of its commands, though it ends
    with the first that gets no answer, and the time of its probes, a few times O(probe_seconds) for each pool that does not serve.
  - In check mode it looks once, writes nothing and does not fail; what it saw is returned.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
options:
  command:
    description: Words in front of C(status) in C(ceph status), with everything that selects cluster and key.
    type: list
    elements: str
    default: [ceph]
  rados_command:
    description:
      - The same for C(rados), which O(probe_pools) uses. When absent it is O(command) with its last C(ceph) replaced.
    type: list
    elements: str
    default: []
  checks:
    description:
      - V(quorum) - every mon is in quorum, by name, and answers itself.
      - V(pgs) - every placement group is active and clean.
      - V(recovery) - no object is misplaced or degraded.
      - V(osds) - every OSD that was not taken out is up.
      - V(mgr) - a mgr is active and another one stands by.
      - V(health) - no health check is raised but those that are muted or in O(health_allowed).
    type: list
    elements: str
    choices: [quorum, pgs, recovery, osds, mgr, health]
    default: [quorum, pgs, recovery]
  mons:
    description: Names that the monmap must have, all in quorum, and no others. Those that it has when absent.
    type: list
    elements: str
    default: []
  quorum_stable_for:
    description: Seconds for which the quorum must have been what it is.
    type: float
    default: 0
  stop_osds:
    description: Numbers of OSDs that are about to be stopped together. Ceph must say that every placement group stays served.
    type: list
    elements: int
    default: []
  stop_mons:
    description: Names of mons that are about to be stopped together. Ceph must say that the others keep a quorum.
    type: list
    elements: str
    default: []
  stop_mgrs:
    description: Names of mgrs that are about to be stopped together. One must be left.
    type: list
    elements: str
    default: []
  health_allowed:
    description: Names of health checks that V(health) of O(checks) lets pass.
    type: list
    elements: str
    default: []
  health_forbidden:
    description: Names of health checks that must not be raised, even when they are muted.
    type: list
    elements: str
    default: []
  probe_pools:
    description:
      - Pools in which a client writes a small object, reads it back and removes it.
      - That is done at the first look, and later only when everything else that is wanted holds.
    type: list
    elements: str
    default: []
  probe_seconds:
    description: Seconds that writing and reading back may take in one pool.
    type: float
    default: 5
  stable_for:
    description:
      - Seconds for which all of it must hold, seen by one look after the other, without an election of mons.
      - Not more than O(timeout).
    type: float
    default: 0
  timeout:
    description: Seconds to wait. With V(0) it looks once.
    type: float
    default: 300
  interval:
    description: Seconds between two looks.
    type: float
    default: 5
  command_timeout:
    description: Seconds that every single command may take.
    type: float
    default: 15
seealso:
  - module: scs.landscape.ceph_cluster_info
"""

EXAMPLES = r"""
- name: Go on when the next host's OSDs may be stopped
  scs.landscape.ceph_health_gate:
    command: [docker, exec, ceph-mon-ctl1, ceph]
    checks: [quorum, pgs, recovery, osds]
    mons: [ctl1, ctl2, ctl3]
    quorum_stable_for: 60
    stop_osds: "{{ osds_of_next_host }}"
    probe_pools: [volumes]
    timeout: 1800

- name: Nothing but this warning may be raised
  scs.landscape.ceph_health_gate:
    checks: [health]
    health_allowed: [OSDMAP_FLAGS]
    timeout: 0
"""

RETURN = r"""
gate:
  description: How it ended.
  returned: always
  type: dict
  contains:
    passed:
      description: Whether everything that is wanted holds.
      type: bool
    reasons:
      description: Why not, a sentence each.
      type: list
      elements: str
    waited:
      description: Seconds from the first look on.
      type: float
    looks:
      description: How often it looked.
      type: int
progress:
  description: The reasons whenever they changed, with the seconds waited until then.
  returned: always
  type: list
  elements: dict
pgs:
  description: Placement groups by state, at the last look that got an answer.
  returned: when the cluster answered
  type: dict
quorum:
  description: Names in quorum, age of the quorum in seconds, epoch of the monmap.
  returned: when the cluster answered
  type: dict
probes:
  description: Seconds that writing and reading back took when it was tried last, or the reason why it failed, by pool.
  returned: when the cluster answered
  type: dict
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.ceph import health
from ansible_collections.scs.landscape.plugins.module_utils.ceph.client import Ceph
from ansible_collections.scs.landscape.plugins.module_utils.ceph.waiting import Gate
from ansible_collections.scs.landscape.plugins.module_utils.core.gate import Limits


def main(params, check_mode, runner):
    """Waits for what is wanted."""
    stop = {"osd": params["stop_osds"], "mon": params["stop_mons"], "mgr": params["stop_mgrs"]}
    found = Gate(
        ceph=Ceph(runner, params["command"], params["command_timeout"], params["rados_command"]),
        wanted=health.Wanted(
            checks=tuple(params["checks"]),
            mons=tuple(params["mons"]),
            quorum_age=params["quorum_stable_for"],
            stop={kind: tuple(map(str, names)) for kind, names in stop.items()},
            allowed=tuple(params["health_allowed"]),
            forbidden=tuple(params["health_forbidden"]),
        ),
        limits=Limits(params["timeout"], params["interval"], params["stable_for"]),
        probes=dict.fromkeys(params["probe_pools"], params["probe_seconds"]),
        once=check_mode,
    )
    outcome = found.wait()
    said = "" if outcome.passed or check_mode else f"The Ceph cluster is not fit for the next step: {outcome.said}"
    return Result(values=found.values(outcome), failed=said)


def _list(kind="str", **more):
    return {"type": "list", "elements": kind, "default": [], **more}


SPEC = {
    "command": _list(default=["ceph"]),
    "rados_command": _list(),
    "checks": _list(choices=list(health.CHECKS), default=["quorum", "pgs", "recovery"]),
    "mons": _list(),
    "quorum_stable_for": {"type": "float", "default": 0},
    "stop_osds": _list("int"),
    "stop_mons": _list(),
    "stop_mgrs": _list(),
    "health_allowed": _list(),
    "health_forbidden": _list(),
    "probe_pools": _list(),
    "probe_seconds": {"type": "float", "default": 5},
    "stable_for": {"type": "float", "default": 0},
    "timeout": {"type": "float", "default": 300},
    "interval": {"type": "float", "default": 5},
    "command_timeout": {"type": "float", "default": 15},
}


if __name__ == "__main__":
    run_module(SPEC, main, client=lambda runner: runner)
