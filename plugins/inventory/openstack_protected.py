# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible inventory plugin: servers or volumes of a cloud, by how well they are protected."""

from __future__ import annotations

DOCUMENTATION = r"""
name: openstack_protected
short_description: Servers and volumes by policy, project and age of their proven backups
version_added: 0.5.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Makes a host of every server or volume of a project, or of all projects, and groups them by the policy in their metadata, by
    project, zone and compute, by the age of the last backup, and by how long ago a restore proved a backup for the last time.
  - A server is as old as the weakest of its volumes. A volume that its owner excluded does not count.
  - Servers, volumes and backups are listed once each, page by page, and nothing else is asked for. With a cache, a second run
    asks for nothing.
  - The configuration file must end in C(.protected.yml) or C(.protected.yaml).
notes:
  - Names and metadata of a cloud are what its users wrote. They are never templates, and a name becomes the name of a host only
    when it is plain and nothing else has it; the id is taken otherwise.
  - Hosts get no address. Set C(ansible_host) with C(compose) where plays connect to them.
  - Groups by age are those of the moment at which the cloud was read, also out of a cache.
extends_documentation_fragment:
  - constructed
  - inventory_cache
  - scs.landscape.openstack_auth
options:
  plugin:
    description: Must be V(scs.landscape.openstack_protected).
    type: str
    required: true
    choices: [scs.landscape.openstack_protected]
  hosts:
    description: What becomes a host.
    type: str
    choices: [servers, volumes]
    default: servers
  all_projects:
    description: Those of all projects. Needs an administrator's token.
    type: bool
    default: false
  group_by:
    description:
      - Groups, with the prefix of their names.
      - Keys are C(policy), C(project), C(zone), C(host), C(backup) (age of the last one) and C(proof) (age of the last proof). A
        key that is left out makes no groups.
      - Everything but letters, digits and underscores becomes an underscore.
    type: dict
    default: {policy: policy_, project: project_, zone: zone_, host: host_, backup: backup_, proof: proof_}
  age_days:
    description:
      - Limits of the groups by age, in days. With the default there are C(proof_1d), C(proof_7d), C(proof_30d), C(proof_older)
        and C(proof_never), and the same for C(backup_).
    type: list
    elements: int
    default: [1, 7, 30]
  policy_key:
    description: Key of the metadata that names the policy of a volume or server.
    type: str
    default: "backup:policy"
  exclude_key:
    description: Key of the metadata that excludes a volume or server.
    type: str
    default: "backup:exclude"
requirements:
  - openstacksdk
"""

EXAMPLES = r"""
# shop.protected.yml
plugin: scs.landscape.openstack_protected
cloud: shop
---
# Volumes of all projects, by policy and proof alone, with a cache
plugin: scs.landscape.openstack_protected
cloud: admin
hosts: volumes
all_projects: true
group_by:
  policy: backup_policy_
  proof: proof_
age_days: [7, 90]
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/protected
"""

import datetime
import hashlib
import json

from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import protected
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.plugins.plugin_utils.inventory import LandscapeInventory, Loaded


class InventoryModule(LandscapeInventory):
    """Inventory plugin ``scs.landscape.openstack_protected``."""

    NAME = "scs.landscape.openstack_protected"
    ENDINGS = (".protected.yml", ".protected.yaml")

    def load(self, sources):
        """The inventory of what the cloud lists now."""
        del sources  # there are no files
        params = self.get_options()
        options = protected.options_of(params)
        cloud = self.connect(params)
        everywhere = params["all_projects"]
        cinder = Cinder(cloud, everywhere=everywhere)
        servers = []
        if options.hosts == "servers":
            query = {"all_tenants": "1"} if everywhere else {}
            servers = list(cloud.pages("compute", "/servers/detail", "servers", limit=500, **query))
        now = datetime.datetime.now(datetime.timezone.utc)
        inventory = protected.build(servers, cinder.volumes(), cinder.backups(), options, now)
        return Loaded(inventory, inventory.refused)

    def connect(self, params):
        """The cloud of the configuration file."""
        return client.connect(params)

    def _sources(self, path):
        del path
        return []

    def _fingerprint(self, sources):
        """Changes with every option; how long an entry counts is up to the cache."""
        del sources
        options = {name: value for name, value in self.get_options().items() if not name.startswith("cache")}
        return hashlib.sha256(json.dumps(options, sort_keys=True, default=str).encode()).hexdigest()
