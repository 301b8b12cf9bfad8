# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible filter: the same variables of many hosts, as data for a task that handles a fleet."""

from __future__ import annotations

DOCUMENTATION = r"""
name: host_values
short_description: Variables of many hosts as one mapping
version_added: 0.2.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Picks variables of many hosts out of C(hostvars), so that one task on the controller can look at a whole fleet.
  - A variable that a host does not have is left out; a host that has none of them gets an empty mapping.
positional: hosts, names
options:
  _input:
    description: The variable C(hostvars).
    type: dict
    required: true
  hosts:
    description: Names of the hosts.
    type: list
    elements: str
    required: true
  names:
    description: Variables to pick, each under the key it gets in the result.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Where the machines of the play are reached
  ansible.builtin.debug:
    msg: "{{ hostvars | scs.landscape.host_values(ansible_play_hosts_all, {'address': 'ansible_host'}) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The picked variables by host.
  type: dict
  sample: {"st01-comp-r01-u09": {"address": "10.10.21.25"}}
"""


def host_values(hostvars, hosts, names):
    """Picks ``names`` (key to variable) of every host that ``hostvars`` knows."""
    picked = {}
    for host in hosts:
        variables = hostvars[host] if host in hostvars else {}  # noqa: SIM401 - hostvars has no get()
        picked[host] = {key: variables[variable] for key, variable in names.items() if variable in variables}
    return picked


class FilterModule:
    """What Ansible looks for."""

    def filters(self):
        """The filters of this file."""
        return {"host_values": host_values}
