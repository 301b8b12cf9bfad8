# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible filter: entries of a hosts file from the inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: hosts_entries
short_description: Entries of a hosts file from the inventory of a landscape
version_added: 0.1.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Makes address and names of every host that has C(landscape_) variables, for the option O(scs.landscape.node_state#module:hosts).
  - A host is known under its name by its loopback address, where it has one, else by its management address. Where it
    has both, the management address has the name with an ending.
options:
  _input:
    description: The variable C(hostvars).
    type: dict
    required: true
  names:
    description: Hosts to take, usually C(groups['all']).
    type: list
    elements: str
    required: true
  domain:
    description: Domain that is added as the first name.
    type: str
    default: ""
  oob_suffix:
    description: Ending of the name of the management address; empty leaves these out where there is a loopback.
    type: str
    default: "-oob"
positional: names
"""

EXAMPLES = r"""
- name: Show them
  ansible.builtin.debug:
    msg: "{{ hostvars | scs.landscape.hosts_entries(groups['all'], domain='lab.example.org') }}"
"""

RETURN = r"""
_value:
  description: One entry an address, in the order of names.
  type: list
  elements: dict
  sample:
    - address: 10.10.21.10
      names: [st01-ctl-r01-u27]
"""

from ansible_collections.scs.landscape.plugins.module_utils.node import hosts


def hosts_entries(hostvars, names, domain="", oob_suffix="-oob"):
    """Reads the three variables of each host that matter."""
    found = []
    for name in sorted(names):
        # hostvars computes every host anew, so it is asked once.
        variables = hostvars[name]
        oob = variables.get("landscape_oob") or {}
        loopbacks = [variables.get("landscape_loopback_v4"), variables.get("landscape_loopback_v6")]
        found.append(
            hosts.Addresses(str(name), [str(text) for text in loopbacks if text], str(oob.get("address") or ""))
        )
    return hosts.entries(found, domain, oob_suffix)


class FilterModule:
    """What Ansible asks for."""

    def filters(self):
        """Name and function."""
        return {"hosts_entries": hosts_entries}
