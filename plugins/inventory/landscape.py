# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible inventory plugin: a landscape as an inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: landscape
short_description: Hosts, groups and variables from a landscape
version_added: 0.1.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Reads a landscape (racks, hosts, switches, networks, cables, power feeds) and makes hosts, groups and variables of it.
  - Groups come from the section C(groups) of the landscape (this is where OSISM's groups are mapped), from O(group_by), and
    from the constructed options.
  - Variables named C(landscape_*) are the collection's own. The others carry the names that OSISM and the SCS lab use.
    Both are described in L(docs/inventory.md,https://github.com/SovereignCloudStack/scs-landscape/blob/main/docs/inventory.md).
  - The configuration file must end in C(.landscape.yml) or C(.landscape.yaml). Keep it outside the folder C(inventory/) of an
    OSISM configuration repository, because OSISM's inventory reconciler reads that folder without this collection.
  - Ansible goes on with an empty inventory when no source can be read. Set C(ANSIBLE_INVENTORY_UNPARSED_FAILED=true) (no
    source) or C(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=true) (any source) where that must stop a play.
notes:
  - Texts from a landscape are never templates. C({{ }}) in a description or in C(vars) of a device stays as it is written.
  - Host names that mean the Ansible controller (C(localhost)) are not added.
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: Must be V(scs.landscape.landscape).
    type: str
    required: true
    choices: [scs.landscape.landscape]
  src:
    description:
      - Landscape files, or folders whose C(.yml) and C(.yaml) files are read in the order of their names.
      - Relative paths start at the folder of the configuration file.
    type: list
    elements: str
    required: true
  on_finding:
    description:
      - What to do about findings of severity C(error) that are not waived.
      - With V(warn) the inventory is made nevertheless, because a typing error in a cable must not lock operators out during
        an outage; plays that change things check the landscape themselves.
      - With V(ignore) the rules are not run at all.
      - A file that cannot be read as YAML always fails.
    type: str
    choices: [warn, fail, ignore]
    default: warn
  states:
    description: Devices in these states become hosts.
    type: list
    elements: str
    choices: [planned, active, retired]
    default: [active]
  group_by:
    description:
      - Groups made of what every device states, with the prefix of their names.
      - Keys are C(site), C(rack), C(role), C(environment), C(model) and C(state). A key that is left out makes no groups.
    type: dict
    default: {site: site_, rack: rack_, role: role_, environment: environment_, model: model_, state: state_}
  group_names:
    description:
      - With V(valid), everything but letters, digits and underscores in the names of O(group_by) groups becomes an underscore.
      - With V(dashes), dashes stay, as in the names of OSISM's groups. Ansible warns about them unless
        C(force_valid_group_names=ignore) is set, as OSISM does.
      - Names from the section C(groups) of the landscape are always taken as they are written.
    type: str
    choices: [valid, dashes]
    default: valid
  osism_vars:
    description: Set the variables that OSISM and the SCS lab use, such as C(internal_address) and C(frr_local_as).
    type: bool
    default: true
  landscape_vars:
    description: Set the variables named C(landscape_*).
    type: bool
    default: true
  connection_vars:
    description:
      - Let C(vars) of a device set variables named C(ansible_*).
      - Such variables decide which program Ansible runs and where it connects. Leave this off for a landscape that was
        imported from somewhere else.
    type: bool
    default: false
requirements:
  - PyYAML (comes with ansible-core)
"""

EXAMPLES = r"""
# scs-lab.landscape.yml
plugin: scs.landscape.landscape
src:
  - examples/scs-lab
---
# Only production, with switches grouped by speed, as valid names and with a cache
plugin: scs.landscape.landscape
src:
  - ../landscape
states: [active, planned]
group_by:
  role: ""
  rack: rack_
keyed_groups:
  - key: landscape_oob.network
    prefix: oob
compose:
  ansible_user: "'dragon'"
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/landscape
"""

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive, findings_report
from ansible_collections.scs.landscape.plugins.module_utils.landscape.inventory import build, options_of
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate
from ansible_collections.scs.landscape.plugins.plugin_utils.inventory import LandscapeInventory, Loaded

#: Findings that mean that a file could not be read at all.
UNREADABLE = ("S01", "S10")


class InventoryModule(LandscapeInventory):
    """Inventory plugin ``scs.landscape.landscape``."""

    NAME = "scs.landscape.landscape"
    ENDINGS = (".landscape.yml", ".landscape.yaml")

    def load(self, sources):
        """The inventory of a landscape, and the findings as warnings."""
        options = options_of(self.get_options())
        landscape, findings = client.load(sources)
        for finding in findings:
            if finding.rule in UNREADABLE:
                raise InputError(f"The landscape cannot be read: {finding}")
        view = derive.resolve(landscape)
        inventory = build(view, options)
        return Loaded(inventory, inventory.refused + self._judged(view, findings))

    def _judged(self, view, findings):
        """The errors in the landscape as warnings, or as a failure."""
        on_finding = self.get_option("on_finding")
        if on_finding == "ignore":
            return []
        errors = validate.unwaived(validate.check(view, findings))
        if errors and on_finding == "fail":
            raise InputError(findings_report.failure(errors))
        return findings_report.warnings(errors)
