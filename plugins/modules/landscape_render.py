# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: render a landscape for other programs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: landscape_render
short_description: Make files for other programs from a landscape
version_added: 0.1.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Makes a static OSISM inventory, an OpenSSH client configuration, a hosts file, Prometheus targets or NetBox data from a
    landscape, and writes only the files that differ.
  - Each format keeps its own record (in C(.scs-landscape) below O(dest)) of the files it wrote, so several tasks may share a
    destination, and files of others are never touched.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.folder
  - scs.landscape.source.findings
  - scs.landscape.source
options:
  dest:
    description: Folder to write into. For the OSISM formats this is the root of the configuration repository.
    type: path
    required: true
  formats:
    description:
      - What to make.
      - V(osism_host_vars) is C(inventory/host_vars/HOST/50-landscape.yml) for every host.
      - V(osism_groups) is C(inventory/10-landscape), an INI inventory of groups.
      - V(ssh_config) is C(ssh_config), for an C(Include) line in C(~/.ssh/config).
      - V(hosts) is C(hosts) in the form of C(/etc/hosts).
      - V(prometheus_sd) is C(prometheus_sd/node.json), C(ping.json) and C(snmp.json), for C(file_sd_configs).
      - V(netbox) is data for osism/netbox-manager.
    type: list
    elements: str
    required: true
    choices: [hosts, netbox, osism_groups, osism_host_vars, prometheus_sd, ssh_config]
  prune:
    description:
      - Remove files that an earlier run made in one of these O(formats) and that are not wanted any more.
      - A file that somebody changed by hand stays.
    type: bool
    default: true
  ssh_user:
    description: Login name in C(ssh_config). No name is set when absent.
    type: str
    default: ''
  jump_role:
    description:
      - Role of the jump host in C(ssh_config). Its first device, in natural order of names, is the C(ProxyJump) of all others.
    type: str
    default: ''
  management_suffix:
    description:
      - What is appended to a device's name to name its management address. Management addresses get no name of their own when
        empty.
    type: str
    default: -mgmt
  node_port:
    description: TCP port of the node exporters.
    type: int
    default: 9100
  states:
    description: Devices in these states are rendered (except V(netbox), which knows states itself).
    type: list
    elements: str
    choices: [planned, active, retired]
    default: [active]
  group_by:
    description:
      - Groups made of what every device states, with the prefix of their names, as in the inventory plugin.
      - Keys are C(site), C(rack), C(role), C(environment), C(model) and C(state). A key that is left out makes no groups.
    type: dict
    default: {site: site_, rack: rack_, role: role_, environment: environment_, model: model_, state: state_}
  group_names:
    description:
      - With V(valid), everything but letters, digits and underscores in the names of O(group_by) groups becomes an underscore.
        With V(dashes), dashes stay.
    type: str
    choices: [valid, dashes]
    default: valid
  osism_vars:
    description: Write the variables that OSISM and the SCS lab use.
    type: bool
    default: true
  landscape_vars:
    description: Write the variables named C(landscape_*).
    type: bool
    default: true
  connection_vars:
    description: Let C(vars) of a device set variables named C(ansible_*).
    type: bool
    default: false
notes:
  - Texts that look like templates (C({{), C({%), C({#)) are left out of rendered variables, with a warning.
seealso:
  - plugin: scs.landscape.landscape
    plugin_type: inventory
  - module: scs.landscape.landscape_validate
"""

EXAMPLES = r"""
- name: Keep the inventory of an OSISM configuration repository in step with the landscape
  scs.landscape.landscape_render:
    src: [landscape/]
    dest: ../configuration
    formats: [osism_groups, osism_host_vars]
  delegate_to: localhost

- name: Make an SSH configuration through the manager, names, and Prometheus targets
  scs.landscape.landscape_render:
    src: examples/scs-lab
    dest: build/rendered
    formats: [ssh_config, hosts, prometheus_sd]
    jump_role: manager
    ssh_user: dragon
  delegate_to: localhost

- name: Fail in CI when the committed inventory is not what the landscape says
  scs.landscape.landscape_render:
    src: [landscape/]
    dest: .
    formats: [osism_groups, osism_host_vars]
  check_mode: true
  register: rendered
  failed_when: rendered is changed
  delegate_to: localhost
"""

RETURN = r"""
files:
  description: All files of the chosen formats, relative to O(dest).
  returned: success
  type: list
  elements: str
  sample: [hosts, ssh_config]
findings:
  description: What is wrong with the landscape; see RV(scs.landscape.landscape_validate#module:findings).
  returned: always
  type: list
  elements: dict
plan:
  description: Digest, impact and steps, one for each file that is written or removed.
  returned: always
  type: dict
steps_done:
  description: Number of files written or removed.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core import files, units
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Plan
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive, findings_report
from ansible_collections.scs.landscape.plugins.module_utils.landscape.inventory import DEFAULT_PREFIXES, options_of
from ansible_collections.scs.landscape.plugins.module_utils.landscape.render.formats import FORMATS, warnings
from ansible_collections.scs.landscape.plugins.module_utils.landscape.render.options import RenderOptions
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate

ARGUMENTS = {
    "src": {"type": "list", "elements": "path", "required": True},
    "dest": {"type": "path", "required": True},
    "formats": {"type": "list", "elements": "str", "required": True, "choices": sorted(FORMATS)},
    "prune": {"type": "bool", "default": True},
    "adopt": {"type": "bool", "default": False},
    "on_finding": {"type": "str", "choices": ["fail", "warn", "ignore"], "default": "fail"},
    "as_of": {"type": "str"},
    "ssh_user": {"type": "str", "default": ""},
    "jump_role": {"type": "str", "default": ""},
    "management_suffix": {"type": "str", "default": "-mgmt"},
    "node_port": {"type": "int", "default": 9100},
    "states": {
        "type": "list",
        "elements": "str",
        "choices": ["planned", "active", "retired"],
        "default": ["active"],
    },
    "group_by": {"type": "dict", "default": dict(DEFAULT_PREFIXES)},
    "group_names": {"type": "str", "choices": ["valid", "dashes"], "default": "valid"},
    "osism_vars": {"type": "bool", "default": True},
    "landscape_vars": {"type": "bool", "default": True},
    "connection_vars": {"type": "bool", "default": False},
}


def main(params, check_mode):
    """Reads the landscape, makes the files of every format, writes what differs."""
    options = RenderOptions(
        options_of(params), params["ssh_user"], params["jump_role"], params["management_suffix"], params["node_port"]
    )
    landscape, misread = client.load(params["src"])
    view = derive.resolve(landscape)
    ignore = params["on_finding"] == "ignore"
    findings = misread if ignore else validate.check(view, misread, today=units.day_of(params["as_of"], "as_of"))
    errors = validate.unwaived(misread if params["on_finding"] != "fail" else findings)
    said = [finding.as_dict() for finding in findings]
    if errors:
        return Result(values={"files": [], "findings": said}, failed=findings_report.failure(errors))
    formats = sorted(set(params["formats"]))
    jobs = []
    for name in formats:
        folder, desired = files.Folder(params["dest"], f"landscape_render-{name}"), FORMATS[name](view, options)
        jobs.append((folder, desired, folder.plan(desired, prune=params["prune"], adopt=params["adopt"])))
    plan = Plan(tuple(step for _folder, _desired, part in jobs for step in part.steps))
    return Result(
        changed=bool(plan),
        plan=plan,
        diff=files.diff_of(plan),
        steps_done=0 if check_mode else sum(folder.apply(part, desired) for folder, desired, part in jobs),
        warnings=warnings(view, formats, options) + findings_report.warnings(validate.unwaived(findings)),
        values={"files": sorted(name for _folder, desired, _part in jobs for name in desired), "findings": said},
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
