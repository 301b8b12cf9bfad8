# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible inventory plugin: VMs of many ESXi hosts and vCenters."""

from __future__ import annotations

DOCUMENTATION = r"""
name: vmware_vms
short_description: VMs of many ESXi hosts and vCenters, by wave, host, datastore, system and what is in their way
version_added: 0.6.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Makes a host of every VM of any number of ESXi hosts and vCenters, with all facts of M(scs.landscape.vmware_vm_info) as
    variables, and groups them by wave, endpoint, ESXi host, datastore, system, firmware, power state and by what is in the way of
    their migration.
  - Endpoints are read side by side. Each takes one login and one loop of the property collector, 250 objects in each answer; 5,000
    VMs are less than 50 calls. With a cache, a second run asks for nothing.
  - The configuration file must end in C(.vmware.yml) or C(.vmware.yaml).
  - Variables are C(vmware_vm) (the facts), C(vmware_wave), C(vmware_blockers) and C(vmware_warnings) (ids of rules of
    M(scs.landscape.vmware_vm_check)), C(vmware_migratable), C(vmware_warm_capable) and C(vmware_transports).
notes:
  - What owners of VMs wrote is never a template. The name of a host is the name of its VM, with C(_) for what Ansible could take for
    a pattern; where several VMs have it, C(@) and the name of the endpoint follow, and the id of the VM where that is not enough.
  - Hosts get no address. Set C(ansible_host) with C(compose) where plays connect to guests.
  - Passwords are in no variable and in no cache.
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: Must be V(scs.landscape.vmware_vms).
    type: str
    required: true
    choices: [scs.landscape.vmware_vms]
  endpoints:
    description: The ESXi hosts and vCenters. What an entry leaves out is taken from the options of the same name beside it.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What it is called in names of hosts and groups. O(endpoints[].hostname) when left out.
        type: str
      hostname:
        description: Name or address.
        type: str
        required: true
      port:
        description: Port of its HTTPS service.
        type: int
      username:
        description: User; may be a template.
        type: str
      password:
        description: Password; may be a template, or be vaulted.
        type: str
      validate_certs:
        description: Whether its certificate is checked.
        type: bool
      ca_path:
        description: File with authorities to trust.
        type: path
      thumbprint_sha256:
        description: SHA-256 thumbprint of its certificate, which then counts instead of authorities and names.
        type: str
      timeout:
        description: Seconds that it may keep silent.
        type: int
  username:
    description: User; may be a template. Reading needs the role C(Read-only).
    type: str
    env:
      - name: VMWARE_USER
  password:
    description: Password; may be a template, or be vaulted.
    type: str
    env:
      - name: VMWARE_PASSWORD
  port:
    description: Port of the HTTPS services.
    type: int
    default: 443
  validate_certs:
    description: Whether certificates are checked.
    type: bool
    default: true
  ca_path:
    description: File with authorities to trust, those of the system when left out.
    type: path
  timeout:
    description: Seconds that an endpoint may keep silent.
    type: int
    default: 60
  on_unreachable:
    description:
      - What happens when an endpoint cannot be read. With V(warn) its VMs are missing, which plays that count on them must bear.
    type: str
    choices: [fail, warn]
    default: fail
  max_parallel:
    description: How many endpoints are read at once.
    type: int
    default: 4
  group_by:
    description:
      - Groups, with the prefix of their names.
      - Keys are C(wave), C(endpoint), C(host) (the ESXi host), C(datastore), C(os), C(firmware), C(power), C(blocker) (ids of rules,
        V(none) for VMs that can move) and C(warm) (V(capable) or V(no)). A key that is left out makes no groups.
      - Everything but letters, digits and underscores becomes an underscore.
    type: dict
    default:
      wave: wave_
      endpoint: endpoint_
      host: host_
      datastore: datastore_
      os: os_
      firmware: firmware_
      power: power_
      blocker: blocker_
      warm: warm_
  waves:
    description: By name of a wave, patterns of names, paths or instance UUIDs of its VMs. The first wave that fits counts.
    type: dict
    default: {}
  wave_note:
    description:
      - A VM whose notes have a line of this word, C(=) and a name belongs to that wave, for example V(migration_wave=3).
      - O(waves) goes first; empty looks at no notes.
    type: str
    default: migration_wave
  folders:
    description: Only VMs whose paths are below one of these, for example V(/DC0/vm/shop).
    type: list
    elements: str
    default: []
  templates:
    description: Whether templates become hosts too.
    type: bool
    default: false
  target:
    description: What the target can take, as O(scs.landscape.vmware_vm_check#module:target).
    type: dict
    default: {}
  ignore:
    description: Ids of rules that are no blockers, as O(scs.landscape.vmware_vm_check#module:ignore).
    type: list
    elements: str
    default: []
requirements:
  - pyvmomi >= 8.0.3.0.1
seealso:
  - module: scs.landscape.vmware_vm_info
  - module: scs.landscape.vmware_vm_check
"""

EXAMPLES = r"""
# lab.vmware.yml: two stand-alone ESXi hosts and a vCenter
plugin: scs.landscape.vmware_vms
username: reader
password: "{{ lookup('ansible.builtin.env', 'ESXI_PASSWORD') }}"
endpoints:
  - hostname: esxi1.example.com
    thumbprint_sha256: 5C:A5:7F:E4:E6:91:DD:2A:2E:68:90:F3:7B:99:6D:D1:D1:11:C7:49:F7:69:12:78:F5:A4:5B:5A:22:E4:EF:EE
  - hostname: esxi2.example.com
    ca_path: /etc/ssl/certs/example-ca.pem
  - name: dc1
    hostname: vcenter.example.com
    username: reader@vsphere.local
waves:
  "1": [web*, /DC0/vm/shop/*]
  "2": [db1, 5029c1a6-7b2a-4f5e-9d1a-3c5d6c1f8a77]
compose:
  ansible_host: vmware_vm.nics[0].ips[0] | default(omit)
keyed_groups:
  - key: vmware_vm.os_guess.type
    prefix: system
---
# Only what can move, by wave, with a cache
plugin: scs.landscape.vmware_vms
endpoints:
  - hostname: vcenter.example.com
group_by:
  wave: wave_
  blocker: blocker_
ignore: [vtpm]
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/vmware
"""

import hashlib
import json

from ansible_collections.scs.landscape.plugins.module_utils.core import pool
from ansible_collections.scs.landscape.plugins.module_utils.landscape.inventory import Inventory
from ansible_collections.scs.landscape.plugins.module_utils.vmware import client, endpoints, inventory, reading
from ansible_collections.scs.landscape.plugins.plugin_utils.inventory import LandscapeInventory, Loaded


class InventoryModule(LandscapeInventory):
    """Inventory plugin ``scs.landscape.vmware_vms``."""

    NAME = "scs.landscape.vmware_vms"
    ENDINGS = (".vmware.yml", ".vmware.yaml")

    def load(self, sources):
        """The inventory of what the endpoints have now."""
        del sources  # there are no files
        params = self.get_options()
        options = inventory.options_of(params)
        logins = endpoints.logins_of(params, self._templated)
        outcomes = pool.each(logins, self._read, params["max_parallel"])
        warnings = endpoints.failures(outcomes, params["on_unreachable"])
        vms = [vm for outcome in outcomes for vm in outcome.value or ()]
        built = inventory.build(vms, options)
        return Loaded(Inventory(built.hosts, built.groups, {}, built.warnings), [*warnings, *built.warnings])

    def _read(self, login):
        with self.connect(login) as session:
            session.licence()
            return reading.read(session)

    def connect(self, login):
        """A session at one endpoint."""
        return client.connect(login, name=login["name"])

    def _templated(self, value):
        return self.templar.template(value) if isinstance(value, str) and "{{" in value else value

    def _sources(self, path):
        del path
        return []

    def _fingerprint(self, sources):
        """Changes with every option but the passwords, of which nothing may be in a cache."""
        del sources
        options = {name: value for name, value in self.get_options().items() if not name.startswith("cache")}
        return hashlib.sha256(
            json.dumps(endpoints.without_passwords(options), sort_keys=True, default=str).encode()
        ).hexdigest()
