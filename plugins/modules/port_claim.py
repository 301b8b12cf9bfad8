# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: ports with the addresses that a machine has elsewhere."""

from __future__ import annotations

DOCUMENTATION = r"""
module: port_claim
short_description: Claim ports with given MAC and fixed addresses for a machine
version_added: 0.6.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Makes a port for each network card of a machine that comes from elsewhere, with its MAC address, fixed addresses and security
    groups, before anything there is shut down.
  - A port is found again by MAC address and network, or by its name where there is no MAC address. What is there is changed only
    where it differs.
  - Everything that stands against it is told at once, before anything is made. That is a MAC address or an address that another port
    has, an address outside of all subnets or of the gateway, names that are unknown or not unique, no room in the quota, and a
    network on which the token may not choose addresses.
  - Neutron lets only the owner of a network, an administrator or a service choose MAC addresses and fixed addresses. A member
    cannot do so on shared networks. Leave both out there, or let an administrator claim.
  - A member sees only ports of its own project on networks of others. A conflict there shows when the port is made.
  - What is made has the tag C(migration_vm=) with the machine. Only such ports are removed, and none that is in use.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
options:
  vm:
    description: Id of the machine that the ports are for, for one of VMware its instance UUID.
    type: str
  vms:
    description:
      - Several machines, O(max_parallel) of them at once, where the failure of one holds up no other. In place of O(vm).
      - Each has a C(vm) of its own and C(ports), as O(ports).
    type: list
    elements: dict
  max_parallel:
    description: How many of O(vms) are worked on at once.
    type: int
    default: 8
  state:
    description: V(absent) removes all ports that were made for the machine; O(ports) is not looked at then.
    type: str
    choices: [present, absent]
    default: present
  ports:
    description: Network cards of the machine, in their order.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the port.
        type: str
      network:
        description: Name or id of the network.
        type: str
        required: true
      mac_address:
        description: MAC address. Without one Neutron chooses it, and O(ports[].name) tells cards apart.
        type: str
      fixed_ips:
        description:
          - Addresses, or dictionaries with C(ip_address) and C(subnet_id) (name or id of a subnet). Without any Neutron chooses.
        type: list
        elements: raw
        default: []
      security_groups:
        description: Names or ids of security groups. Without this a new port gets the default one of the project.
        type: list
        elements: str
      port_security:
        description: Whether port security is on, by default what the network says.
        type: bool
      vnic_type:
        description: Kind of card, by default V(normal).
        type: str
      tags:
        description: Further tags.
        type: list
        elements: str
        default: []
      description:
        description: Description of the port.
        type: str
        default: ''
  probe:
    description:
      - How it is found out whether the token may choose addresses on networks of other projects.
      - V(rules) takes Neutron's own rules. V(request) asks Neutron for a port with a subnet that is not there, of which no port can
        come, for clouds with rules of their own; in check mode it is V(rules). V(none) does not ask.
    type: str
    choices: [rules, request, none]
    default: rules
seealso:
  - module: scs.landscape.vm_build
"""

EXAMPLES = r"""
- name: The two cards of a machine that moves here
  scs.landscape.port_claim:
    cloud: member
    vm: 5023a1f2-0000-4000-8000-000000000001
    ports:
      - name: web01-front
        network: front
        mac_address: 00:50:56:ab:cd:01
        fixed_ips: [10.7.0.20]
        security_groups: [web, ssh]
      - name: web01-back
        network: back
        mac_address: 00:50:56:ab:cd:02
  register: cards
  delegate_to: localhost

- name: The cards of two machines
  scs.landscape.port_claim:
    cloud: member
    vms:
      - vm: 5023a1f2-0000-4000-8000-000000000001
        ports: [{network: front, mac_address: "00:50:56:ab:cd:01"}]
      - vm: 5023a1f2-0000-4000-8000-000000000002
        ports: [{network: front, mac_address: "00:50:56:ab:cd:03"}]
  register: cards
  delegate_to: localhost

- name: Take them back
  scs.landscape.port_claim:
    cloud: member
    vm: 5023a1f2-0000-4000-8000-000000000001
    state: absent
  delegate_to: localhost
"""

RETURN = r"""
vms:
  description:
    - With O(vms), RV(ports) of each machine, in their order, with C(vm) and C(error). The last is null for one that has all its ports.
      Of one that failed there is nothing more, but what was done of it counts in C(changed) and C(steps_done).
  returned: with O(vms), also when one of them failed
  type: list
  elements: dict
ports:
  description: The ports in the order of the cards; with O(state=absent) those that were removed.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id, null for one that would be made (check mode).
      type: str
    name:
      description: Name.
      type: str
    mac_address:
      description: MAC address.
      type: str
    network_id:
      description: Id of the network.
      type: str
    fixed_ips:
      description: Addresses with their subnets.
      type: list
      elements: dict
      sample: [{ip_address: 10.7.0.20, subnet_id: 6be6f947-4440-4335-b4ab-9e1787bd2c29}]
    security_groups:
      description: Ids of security groups.
      type: list
      elements: str
    device_id:
      description: What uses the port, empty when nothing does.
      type: str
    status:
      description: V(present), V(made), V(changed), V(removed) or V(planned).
      type: str
    created:
      description: Whether this module made the port. One that was there before is used and never removed.
      type: bool
    predicted:
      description: Whether this is what would be (check mode).
      type: bool
plan:
  description: Digest, impact and steps.
  returned: always
  type: dict
steps_done:
  description: Number of ports that were made, changed or removed.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import (
    Result,
    entries,
    run_module,
    several,
    together,
)
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.making import Writes
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS
from ansible_collections.scs.landscape.plugins.module_utils.openstack.ports import task

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "vm": {"type": "str"},
    "vms": {"type": "list", "elements": "dict"},
    "max_parallel": {"type": "int", "default": 8},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "ports": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str"},
            "network": {"type": "str", "required": True},
            "mac_address": {"type": "str"},
            "fixed_ips": {"type": "list", "elements": "raw", "default": []},
            "security_groups": {"type": "list", "elements": "str"},
            "port_security": {"type": "bool"},
            "vnic_type": {"type": "str"},
            "tags": {"type": "list", "elements": "str", "default": []},
            "description": {"type": "str", "default": ""},
        },
    },
    "probe": {"type": "str", "choices": list(task.PROBES), "default": "rules"},
}
#: What a machine of several has.
ENTRY = {"vm": {"type": "str", "required": True}, "ports": ARGUMENTS["ports"]}


def work(cloud, params, check_mode, stop=None):
    """The ports of one machine."""
    if params["state"] == "present":
        return task.claim(cloud, params, check_mode, stop)
    writes = Writes(cloud)
    with writes.told(lambda: writes.count):  # a port is removed by one request
        return task.release(writes, params, check_mode)


def main(params, check_mode, connect=client.connect):
    """Looks for the ports, and makes what is missing; of one machine or of several."""
    if params["vms"] is not None:
        wanted = entries(params, "vms", ENTRY)
        cloud = connect(params, parallel=params["max_parallel"])
        outcomes = several(wanted, lambda one, stop: work(cloud, one, check_mode, stop), params["max_parallel"])
        return together("vms", outcomes, lambda found: {"ports": found.ports}, check_mode)
    found = work(connect(params), params, check_mode)
    return Result(
        changed=bool(found.plan),
        plan=found.plan,
        diff=found.plan.diff(),
        steps_done=0 if check_mode else len(found.plan),
        values={"ports": found.ports},
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main, required_one_of=[["vm", "vms"]], mutually_exclusive=[["vm", "vms"]])
