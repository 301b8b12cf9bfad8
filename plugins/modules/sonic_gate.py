# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: whether a rolling change may go on."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sonic_gate
short_description: Wait until a running SONiC switch lets a rolling change go on
version_added: 0.3.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Between two waves of a change, asks a switch whether its BGP sessions, the width of ECMP and its VNIs are what they have to be by
    now. That is what worked before the change began, and what must work because both ends are done.
  - A session to a switch that is still to be changed may be down when it was before, and so may one to a host.
  - Waits until all is well, or O(timeout) is over. One call over one connection for each look. Nothing is changed.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
  - scs.landscape.sonic.switch
options:
  before:
    description: What worked before the change began, RV(state) of an earlier call. Nothing when absent.
    type: dict
    default: {}
  pending:
    description: Switches that are still to be changed.
    type: list
    elements: str
    default: []
  links:
    description: The switch at the other end of each port (RV(scs.landscape.sonic_rollout#module:links)).
    type: dict
    default: {}
  leaving:
    description: Neighbours whose session ends for good (RV(scs.landscape.sonic_rollout#module:leaving)).
    type: list
    elements: str
    default: []
  ecmp:
    description:
      - The number of next hops by prefix when all is done (RV(scs.landscape.sonic_rollout#module:ecmp)).
      - RV(state) tells of these prefixes alone, so the call before the change needs them, too.
    type: dict
    default: {}
  name:
    description: Name of the switch in O(pending). That of the inventory when absent.
    type: str
  timeout:
    description: Seconds the switch has until all must be well. It is asked again every two seconds.
    type: int
    default: 0
  on_failure:
    description: Whether a fault fails the task, or is only told.
    type: str
    choices: [fail, report]
    default: fail
seealso:
  - module: scs.landscape.sonic_rollout
  - module: scs.landscape.sonic_verify
"""

EXAMPLES = r"""
- name: Remember what works
  scs.landscape.sonic_gate:
    ecmp: "{{ rollout.ecmp[inventory_hostname] }}"
    on_failure: report
  become: true
  register: before

- name: Wait until the fabric is as before
  scs.landscape.sonic_gate:
    before: "{{ before.state }}"
    pending: "{{ wave.pending }}"
    links: "{{ rollout.links[inventory_hostname] }}"
    leaving: "{{ rollout.leaving[inventory_hostname] }}"
    ecmp: "{{ rollout.ecmp[inventory_hostname] }}"
    timeout: 60
  become: true
"""

RETURN = r"""
ok:
  description: Whether the change may go on.
  returned: always
  type: bool
failures:
  description: Every fault, as in RV(scs.landscape.sonic_verify#module:failures).
  returned: always
  type: list
  elements: dict
state:
  description: What works now, C(sessions), C(widths) and C(vnis).
  returned: always
  type: dict
tries:
  description: How often the switch was asked.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError

_RUNTIME = ["BUFFER_PG", "BUFFER_PROFILE", "FLEX_COUNTER_TABLE", "LOGGER", "SYSTEM_DEFAULTS", "VERSIONS"]
_RELEASES = ["202211", "202305", "202311", "202405", "202411", "202505", "202511", "202605"]

ARGUMENTS = {
    "before": {"type": "dict", "default": {}},
    "pending": {"type": "list", "elements": "str", "default": []},
    "links": {"type": "dict", "default": {}},
    "leaving": {"type": "list", "elements": "str", "default": []},
    "ecmp": {"type": "dict", "default": {}},
    "name": {"type": "str"},
    "timeout": {"type": "int", "default": 0},
    "on_failure": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
    "release": {"type": "str", "choices": _RELEASES},
    "ignore_tables": {"type": "list", "elements": "str", "default": _RUNTIME},
}


def main(_params, _check_mode):
    """Thinks on the controller only."""
    raise LandscapeError("sonic_gate thinks on the controller: its action plugin of the same name is missing there")


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
