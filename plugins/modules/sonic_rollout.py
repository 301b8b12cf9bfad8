# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: the way of a change through a fabric."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sonic_rollout
short_description: Put planned changes of SONiC switches into waves that a fabric survives
version_added: 0.3.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Takes what M(scs.landscape.sonic_config_db) planned for each switch in check mode, and returns which switches may be changed at the same
    time, one wave after the other. Two members of a redundancy group of the landscape are never in one wave, spines go one by
    one, and the first wave is one switch alone.
  - Switches that carry nothing yet go together, before all others. Such a switch has no row for BGP neighbours or networks they may come
    from, routed ports, static routes, OSPF, VLANs with ports or addresses, LAGs or tunnels, and its facts show no established session.
  - Returns besides what M(scs.landscape.sonic_gate) has to know between the waves. No switch is touched.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
  - scs.landscape.source
options:
  switches:
    description:
      - All switches of the run by name, also those that are as they should be. Each has C(plan), a registered result of
        M(scs.landscape.sonic_config_db) or M(scs.landscape.sonic_checkpoint) in check mode, and C(facts), one of M(scs.landscape.sonic_facts)
        with V(bgp) in O(scs.landscape.sonic_facts#module:gather); without V(bgp) no switch counts as one that carries nothing.
    type: dict
    required: true
  parallel:
    description: At most so many switches in one wave. V(0) means a third of those that change.
    type: int
    default: 0
  leads_to:
    description:
      - Where the plans lead. RV(ecmp) is what V(landscape) says, or for V(plans) what the configurations in the facts give once the
        plans are done, for example on a way back to a checkpoint. Nothing is expected of a switch whose AS number its plan changes.
    type: str
    choices: [landscape, plans]
    default: landscape
seealso:
  - module: scs.landscape.sonic_gate
  - module: scs.landscape.sonic_plan
"""

EXAMPLES = r"""
- name: Put the switches into waves
  scs.landscape.sonic_rollout:
    src: landscape/
    switches: "{{ hostvars | scs.landscape.host_values(ansible_play_hosts, {'plan': 'planned', 'facts': 'seen'}) }}"
  run_once: true
  delegate_to: localhost
  register: rollout
"""

RETURN = r"""
waves:
  description:
    - Switches that may be changed at the same time, one wave after the other, what is waited for before each (C(gate)), its C(kind)
      (C(new) or C(change)), and the switches that come after it (C(pending)). Empty when nothing changes.
  returned: success
  type: list
  elements: dict
  sample: [{switches: [leaf1], gate: nothing else is being changed, kind: change, pending: [leaf2, spine1]}]
links:
  description: By switch, the switch at the other end of each port, as far as it is part of the run.
  returned: success
  type: dict
ecmp:
  description:
    - By switch, the number of next hops by prefix that it has when all is done. Empty when the run leaves out switches that are
      cabled to those of it.
  returned: success
  type: dict
leaving:
  description: By switch, the BGP neighbours whose session ends for good, because the plan of either end takes it away.
  returned: success
  type: dict
impact:
  description: The worst impact of all plans.
  returned: success
  type: str
plan:
  description: Always empty, this module changes nothing.
  returned: always
  type: dict
steps_done:
  description: Always 0.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.sonic import fleet
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import rollout

ARGUMENTS = {
    "src": {"type": "list", "elements": "path", "required": True},
    "switches": {"type": "dict", "required": True},
    "parallel": {"type": "int", "default": 0},
    "leads_to": {"type": "str", "choices": ["landscape", "plans"], "default": "landscape"},
}


def main(params, _check_mode):
    """Reads the landscape, orders the switches."""
    view = fleet.load(params["src"])
    return Result(values=rollout.of(view, params["switches"], params["parallel"], params["leads_to"]).as_dict())


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
