# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: what a running switch is."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sonic_facts
short_description: Tell what a running SONiC switch is, without its secrets
version_added: 0.3.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Configuration, release, platform, and whether the saved configuration is what runs. On request BGP sessions, VNIs, FRR's configuration,
    LLDP neighbours, ports and services.
  - One call over one connection. On the switch it needs root, and Python with its standard library. Nothing is changed.
  - Passwords and SNMP communities are masked in all that is returned, so two results can be compared and kept.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
  - scs.landscape.sonic.switch
options:
  gather:
    description: What is told besides the configuration. V(all) is everything.
    type: list
    elements: str
    choices: [all, bgp, evpn, frr, lldp, ports, services]
    default: []
seealso:
  - module: scs.landscape.sonic_verify
"""

EXAMPLES = r"""
- name: Look at a switch
  scs.landscape.sonic_facts:
    gather: [bgp, lldp, ports]
  become: true
  register: seen

- name: Name the sessions that are not up
  ansible.builtin.debug:
    msg: "{{ seen.switch.bgp | rejectattr('state', 'eq', 'Established') | map(attribute='neighbor') }}"
"""

RETURN = r"""
switch:
  description:
    - C(hostname), C(release), C(build), C(asic), C(platform), C(hwsku), C(dialect), C(config) (masked), C(digest) of the rows,
      C(saved_equals_running), C(unsaved) (rows that differ), C(checkpoints), C(pending) (a change that waits for its
      confirmation), C(lock).
    - Besides what O(gather) asks for, under its name.
  returned: success
  type: dict
  sample: {hostname: leaf1, release: '202505', dialect: unified, saved_equals_running: true}
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError

_RUNTIME = ["BUFFER_PG", "BUFFER_PROFILE", "FLEX_COUNTER_TABLE", "LOGGER", "SYSTEM_DEFAULTS", "VERSIONS"]
_RELEASES = ["202211", "202305", "202311", "202405", "202411", "202505", "202511", "202605"]

ARGUMENTS = {
    "gather": {
        "type": "list",
        "elements": "str",
        "choices": ["all", "bgp", "evpn", "frr", "lldp", "ports", "services"],
        "default": [],
    },
    "release": {"type": "str", "choices": _RELEASES},
    "ignore_tables": {"type": "list", "elements": "str", "default": _RUNTIME},
}


def main(_params, _check_mode):
    """Thinks on the controller only."""
    raise LandscapeError("sonic_facts thinks on the controller: its action plugin of the same name is missing there")


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
