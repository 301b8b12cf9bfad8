# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: whether a running switch is what it should be."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sonic_verify
short_description: Compare a running SONiC switch with what is expected of it
version_added: 0.3.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Reads a switch once and compares configuration, FRR, BGP sessions, VNIs, width of ECMP, LLDP neighbours, addresses, MTU and error counters
    with what a landscape expects, or with what is said here.
  - Every difference is told with its place, what is expected and what is there. Drift has three sources, told apart, which are what should run and
    what runs (V(config)), what runs and what is saved (V(saved)), what runs and what FRR does (V(frr)).
  - One call over one connection. On the switch it needs root, and Python with its standard library. Nothing is changed.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
  - scs.landscape.sonic
  - scs.landscape.sonic.switch
options:
  checks:
    description:
      - What is compared. V(fixups) are the lines that O(scs.landscape.sonic_config_db#module:frr_fixups) added and a restart of bgp
        loses. V(kernel) are the devices of ports, VLANs, LAGs, VRFs, loopbacks and VNIs, their members, addresses, MTU and state of ports.
      - V(config), V(lldp) and V(ecmp) compare nothing unless it is said what is expected.
    type: list
    elements: str
    choices: [config, saved, frr, fixups, bgp, evpn, ecmp, lldp, kernel, errors]
    default: [config, saved, frr, fixups, bgp, evpn, ecmp, lldp, kernel, errors]
  landscape:
    description: Landscape files or folders on the controller. What they render to, their cables and the width of the fabric are expected.
    type: list
    elements: path
    default: []
  name:
    description: Name of the switch in the landscape. That of the inventory when absent.
    type: str
  config:
    description: Tables that are expected as a whole, instead of those of the landscape.
    type: dict
  src:
    description: File on the controller with the same.
    type: path
  cables:
    description: What is expected at the other end of ports, instead of the cables of the landscape.
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description: Port of this switch, as SONiC calls it.
        type: str
        required: true
      system:
        description: Name of the system at the other end.
        type: str
        required: true
      ports:
        description: What the other end may call its port, for example its name and its alias. Any when empty.
        type: list
        elements: str
        default: []
  ecmp:
    description: Number of next hops in use by prefix, instead of what the landscape makes expect.
    type: dict
    default: {}
  bgp_with:
    description:
      - Machines of the landscape. Of BGP sessions only those over cables to one of them are judged, the others are told in RV(unjudged).
      - For a fabric whose hosts do not route yet. All sessions are judged when empty.
    type: list
    elements: str
    default: []
  max_errors:
    description:
      - Errors that a port may have counted, as the switch chip tells them, received and sent together.
      - They run since SONiC set up the chip, and nothing sets them back before it starts anew (C(sonic-clear counters) is a memory of the
        person who says it). Where a port had errors once, set this to what it has, and it tells of new ones.
    type: int
    default: 0
  timeout:
    description: Seconds the switch has until all must be well. It is asked again every two seconds.
    type: int
    default: 0
  on_failure:
    description: Whether a difference fails the task, or is only told.
    type: str
    choices: [fail, report]
    default: fail
seealso:
  - module: scs.landscape.sonic_facts
  - module: scs.landscape.lldp_cables
"""

EXAMPLES = r"""
- name: The switch is what the landscape says
  scs.landscape.sonic_verify:
    landscape: [landscape/]
    timeout: 60
  become: true

- name: Look for drift without failing
  scs.landscape.sonic_verify:
    src: "build/{{ inventory_hostname }}/config_db.json"
    checks: [config, saved, frr]
    on_failure: report
  become: true
  register: drift
"""

RETURN = r"""
ok:
  description: Whether nothing differs.
  returned: always
  type: bool
failures:
  description: Every difference, with its C(check), the place (C(local)), what is C(expected) and what is there (C(got)).
  returned: always
  type: list
  elements: dict
  sample: [{check: bgp, local: session of Ethernet48 in default, expected: Established, got: Active}]
unjudged:
  description:
    - The checks that could not find a fault, or not every one, and why. They are warned of, too.
    - V(errors) is one of them where the switch chip tells no counters, since those of the kernel are of packets to and from the CPU alone.
  returned: always
  type: dict
  sample: {bgp: no neighbour is configured}
sessions:
  description:
    - Every BGP session, with its routing instance (C(vrf)), its neighbour (C(peer)), its C(state) and whether it is C(expected) to be
      Established. A session that is not there has no state.
  returned: with V(bgp) in O(checks)
  type: list
  elements: dict
  sample: [{vrf: default, peer: Ethernet48, state: Established, expected: true}]
ecmp:
  description: For each prefix the number of next hops in use (C(width)) and how many are C(expected).
  returned: with V(ecmp) in O(checks)
  type: list
  elements: dict
  sample: [{prefix: 10.20.2.113/32, width: 2, expected: 2}]
tries:
  description: How often the switch was asked.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError

_RUNTIME = ["BUFFER_PG", "BUFFER_PROFILE", "FLEX_COUNTER_TABLE", "LOGGER", "SYSTEM_DEFAULTS", "VERSIONS"]
_RELEASES = ["202211", "202305", "202311", "202405", "202411", "202505", "202511", "202605"]
_CHECKS = ["config", "saved", "frr", "fixups", "bgp", "evpn", "ecmp", "lldp", "kernel", "errors"]

ARGUMENTS = {
    "checks": {"type": "list", "elements": "str", "choices": _CHECKS, "default": _CHECKS},
    "landscape": {"type": "list", "elements": "path", "default": []},
    "name": {"type": "str"},
    "config": {"type": "dict"},
    "src": {"type": "path"},
    "cables": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "port": {"type": "str", "required": True},
            "system": {"type": "str", "required": True},
            "ports": {"type": "list", "elements": "str", "default": []},
        },
    },
    "ecmp": {"type": "dict", "default": {}},
    "bgp_with": {"type": "list", "elements": "str", "default": []},
    "max_errors": {"type": "int", "default": 0},
    "timeout": {"type": "int", "default": 0},
    "on_failure": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
    "unmodelled": {"type": "bool", "default": False},
    "secrets": {
        "type": "dict",
        "default": {},
        "no_log": True,
        "options": {
            "snmp_communities": {"type": "list", "elements": "str", "default": [], "no_log": True},
            "tacacs_passkey": {"type": "str", "no_log": True},
        },
    },
    "release": {"type": "str", "choices": _RELEASES},
    "ignore_tables": {"type": "list", "elements": "str", "default": _RUNTIME},
}
RULES = {"mutually_exclusive": [("config", "src")]}


def main(_params, _check_mode):
    """Thinks on the controller only."""
    raise LandscapeError("sonic_verify thinks on the controller: its action plugin of the same name is missing there")


if __name__ == "__main__":
    run_module(ARGUMENTS, main, **RULES)
