# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: flavors of a cloud, without harm to the machines that use them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: flavor_set
short_description: Manage a set of flavors without harm
version_added: 0.4.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Brings any number of flavors into line with what is wanted, in one task with one login. The mandatory and recommended
    flavors of the SCS standards (scs-0103) are built in.
  - Extra specs are merged. What an operator has set besides, C(quota:*) or C(aggregate_instance_extra_specs:*) for example,
    stays.
  - Nova cannot change the sizes of a flavor, nor whether it is public. A flavor that differs there has drifted. That is
    returned and refused. Only with O(on_drift=recreate), and only while no server uses it, such a flavor is made anew; it
    keeps its id, extra specs and projects.
  - A flavor that is refused is left alone as a whole, all others are brought into line, and the task fails at its end.
  - A flavor without a disk has no extra specs about the type of its disk, as scs-0103 asks for.
  - Needs an administrator's token as soon as something has to be changed.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
options:
  sets:
    description:
      - Named sets of flavors. V(scs-mandatory) are the 15 mandatory and V(scs-recommended) the 16 recommended flavors of
        scs-0103-v1.
      - A flavor that O(flavors) defines as well is taken from there.
    type: list
    elements: str
    choices: [scs-mandatory, scs-recommended]
    default: []
  flavors:
    description:
      - Flavors to have, or not to have.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - Name. One that begins with C(SCS-) must follow scs-0100-v3, and must not promise more than the flavor has.
        type: str
        required: true
      state:
        description:
          - V(absent) deletes the flavor, unless servers use it or O(flavors[].id) is not the id of O(flavors[].name).
        type: str
        choices: [present, absent]
        default: present
      id:
        description:
          - Id of the flavor. Without it the flavor is known by its name, and a new one gets an id that is made up.
        type: str
      vcpus:
        description: Number of vCPUs. What an SCS name says counts when it is absent.
        type: int
      ram:
        description: Memory in MiB. What an SCS name says counts when it is absent.
        type: int
      disk:
        description: Root disk in GB, 0 for none. What an SCS name says counts when it is absent, otherwise 0.
        type: int
      ephemeral:
        description: Ephemeral disk in GB.
        type: int
      swap:
        description: Swap disk in MiB.
        type: int
      rxtx_factor:
        description: Factor of the bandwidth, for back ends that know it.
        type: float
      is_public:
        description: Whether every project may use it. New flavors are public.
        type: bool
      description:
        description: Text for people.
        type: str
      extra_specs:
        description: Extra specs. Those of scs-0103 are added to a flavor with an SCS name; what is given here counts more.
        type: dict
      access:
        description: Names or ids of the projects that may use it, for a flavor that is not public.
        type: list
        elements: str
  extra_specs_mode:
    description:
      - V(merge) keeps extra specs that are not defined here.
      - V(exact) removes them.
    type: str
    choices: [merge, exact]
    default: merge
  access_mode:
    description:
      - V(merge) keeps projects that are not defined here, V(exact) removes them.
    type: str
    choices: [merge, exact]
    default: merge
  on_drift:
    description:
      - What to do about a flavor that differs in something that cannot be changed.
      - V(refuse) lets the task fail, V(report) only returns it, V(recreate) makes it anew when no server uses it and fails
        when one does.
    type: str
    choices: [refuse, report, recreate]
    default: refuse
  disk0_type:
    description:
      - Value of C(scs:disk0-type) for flavors whose SCS name leaves the type of the disk open, as those of
        V(scs-recommended) do.
    type: str
    choices: [network, hdd, ssd, nvme]
    default: network
  scs_specs:
    description:
      - Whether a flavor of O(flavors) with an SCS name gets the extra specs of scs-0103. Those of O(sets) always do.
    type: bool
    default: true
  max_parallel:
    description: How many flavors are worked on at once.
    type: int
    default: 4
seealso:
  - module: scs.landscape.flavor_match
  - module: scs.landscape.scs_check
"""

EXAMPLES = r"""
- name: All flavors of the SCS standard, and two of our own
  scs.landscape.flavor_set:
    cloud: admin
    sets: [scs-mandatory, scs-recommended]
    flavors:
      - name: SCS-4V-16-200p
        extra_specs:
          quota:disk_total_iops_sec: "20000"
      - name: build-large
        vcpus: 32
        ram: 65536
        disk: 200
        is_public: false
        access: [build]
  delegate_to: localhost

- name: Only say what would be done
  scs.landscape.flavor_set:
    cloud: admin
    sets: [scs-mandatory]
    on_drift: report
  check_mode: true
  delegate_to: localhost
"""

RETURN = r"""
flavors:
  description: What became of each flavor, in the order in which they are wanted.
  returned: success or when a flavor was refused
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
    id:
      description: Id, empty for one that is not there or would be made.
      type: str
    action:
      description: V(create), V(update), V(recreate), V(delete), V(none) or V(refused).
      type: str
    predicted:
      description: Whether this is what would be done (check mode).
      type: bool
    reason:
      description: Why it was refused, or what failed.
      type: str
drift:
  description: What differs and cannot be changed, one entry for each flavor and property.
  returned: success or when a flavor was refused
  type: list
  elements: dict
  sample: [{flavor: SCS-2V-8, property: ram, is: 4096, wanted: 8192}]
in_use:
  description: Ids of the servers that use the flavors which have drifted or should go, by name of the flavor.
  returned: success or when a flavor was refused
  type: dict
plan:
  description: Digest, impact and steps.
  returned: always
  type: dict
steps_done:
  description: Number of flavors that were changed.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core import pool
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors import nova, plan, report, sets
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "sets": {"type": "list", "elements": "str", "choices": list(sets.SETS), "default": []},
    "flavors": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "id": {"type": "str"},
            "vcpus": {"type": "int"},
            "ram": {"type": "int"},
            "disk": {"type": "int"},
            "ephemeral": {"type": "int"},
            "swap": {"type": "int"},
            "rxtx_factor": {"type": "float"},
            "is_public": {"type": "bool"},
            "description": {"type": "str"},
            "extra_specs": {"type": "dict"},
            "access": {"type": "list", "elements": "str"},
        },
    },
    "extra_specs_mode": {"type": "str", "choices": ["merge", "exact"], "default": "merge"},
    "access_mode": {"type": "str", "choices": ["merge", "exact"], "default": "merge"},
    "on_drift": {"type": "str", "choices": list(plan.ON_DRIFT), "default": "refuse"},
    "disk0_type": {"type": "str", "choices": ["network", "hdd", "ssd", "nvme"], "default": "network"},
    "scs_specs": {"type": "bool", "default": True},
    "max_parallel": {"type": "int", "default": 4},
}


def main(params, check_mode, connect=client.connect):
    """Reads the flavors, plans, and does what is planned."""
    wanted = sets.wanted(params["flavors"], params["sets"], params["disk0_type"], params["scs_specs"])
    rules = plan.Rules(params["extra_specs_mode"] == "exact", params["access_mode"] == "exact", params["on_drift"])
    flavors = nova.Flavors(connect(params, parallel=params["max_parallel"]), params["max_parallel"])
    todos = flavors.plan(wanted, rules)
    steps = plan.plan_of(todos)
    outcomes = [] if check_mode else pool.each(plan.to_do(todos), flavors.apply, params["max_parallel"])
    open_ones = flavors.unfinished(wanted, rules, outcomes) if outcomes else []
    return Result(
        changed=bool(steps),
        plan=steps,
        diff=steps.diff(),
        steps_done=sum(outcome.error is None for outcome in outcomes),
        values=report.values(todos, outcomes, check_mode),
        failed=report.failure(todos, outcomes, open_ones),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
