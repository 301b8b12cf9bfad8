# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: render the configurations of a landscape's switches."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sonic_render
short_description: Make SONiC configurations from a landscape
version_added: 0.2.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Makes the CONFIG_DB of switches (leaf, spine, border, management) from a landscape, for community SONiC in unified mode with
    frr-mgmt-framework, and writes only the files that differ. Without O(dest) the configurations are returned.
  - No switch is touched. The files are what C(config_db.json) would be; fields that belong to the switch itself (its MAC address)
    are left out.
  - What the chosen release cannot do is refused, with its name, before anything is written.
  - C(docs/fabric.md) says which part of a landscape becomes which rows.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.folder
  - scs.landscape.sonic
  - scs.landscape.source.findings
  - scs.landscape.source
options:
  dest:
    description: Folder to write into, one file C(SWITCH.json) for each switch.
    type: path
  switches:
    description: Only these switches. All active switches whose model names a HWSKU when empty.
    type: list
    elements: str
    default: []
  release:
    description: SONiC release that the configurations are for.
    type: str
    choices: ['202211', '202305', '202311', '202405', '202411', '202505', '202511', '202605']
    default: '202605'
  prune:
    description:
      - Remove files that an earlier run made and that are not wanted any more. A file that somebody changed by hand stays.
      - With O(switches) nothing is removed.
    type: bool
    default: true
seealso:
  - module: scs.landscape.landscape_validate
"""

EXAMPLES = r"""
- name: Render the configurations of all switches
  scs.landscape.sonic_render:
    src: examples/scs-lab
    dest: build/fabric
    release: '202605'
  delegate_to: localhost

- name: Fail in CI when the committed configurations are not what the landscape says
  scs.landscape.sonic_render:
    src: [landscape/]
    dest: fabric/
  check_mode: true
  register: rendered
  failed_when: rendered is changed
  delegate_to: localhost

- name: Render with the communities from a vault, into files that only their owner may read
  scs.landscape.sonic_render:
    src: [landscape/]
    dest: build/fabric
    secrets:
      snmp_communities: ['{{ fabric_snmp_community }}']
  delegate_to: localhost

- name: Render one switch as facts
  scs.landscape.sonic_render:
    src: [landscape/]
    switches: [st01-sw25g-r01-u34]
  register: rendered
  delegate_to: localhost
"""

RETURN = r"""
configs:
  description: CONFIG_DB of each switch, when O(dest) is absent. Secrets are masked; they stand in files only.
  returned: without O(dest)
  type: dict
files:
  description: All files, relative to O(dest).
  returned: success
  type: list
  elements: str
  sample: [st01-sw25g-r01-u34.json]
issues:
  description: What cannot be rendered as the landscape says, or only with a warning, for each switch.
  returned: always
  type: list
  elements: dict
  contains:
    rule: {type: str, description: Id of the rule.}
    severity: {type: str, description: 'C(error), C(warning) or C(info).'}
    switch: {type: str, description: The switch.}
    table: {type: str, description: Table of CONFIG_DB.}
    key: {type: str, description: Key of the row; may be empty.}
    field: {type: str, description: Field; may be empty.}
    message: {type: str, description: What is wrong.}
    hint: {type: str, description: What to do.}
    releases: {type: list, elements: str, description: Releases of which it is true.}
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
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive, findings_report
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate
from ansible_collections.scs.landscape.plugins.module_utils.sonic import masking
from ansible_collections.scs.landscape.plugins.module_utils.sonic.model import RELEASE_NAMES
from ansible_collections.scs.landscape.plugins.module_utils.sonic.render import build
from ansible_collections.scs.landscape.plugins.module_utils.sonic.render import files as switch_files


def main(params, check_mode):
    """Reads the landscape, renders the switches, writes what differs."""
    landscape, misread = client.load(params["src"])
    view = derive.resolve(landscape)
    ignore = params["on_finding"] == "ignore"
    findings = misread if ignore else validate.check(view, misread, today=units.day_of(params["as_of"], "as_of"))
    errors = validate.unwaived(misread if params["on_finding"] != "fail" else findings)
    values = {"files": [], "findings": [finding.as_dict() for finding in findings], "issues": []}
    if errors:
        return Result(values=values, failed=findings_report.failure(errors))
    options = build.Options(params["release"], params["unmodelled"], params["secrets"])
    rendered = build.render_all(view, options, params["switches"])
    issues = [issue for switch in rendered for issue in switch.issues]
    values["issues"] = [issue.as_dict() for issue in issues]
    refused = [str(issue) for switch in rendered for issue in switch.refused]
    if refused:
        return Result(values=values, failed="Nothing was written, because of: " + "; ".join(refused))
    said = [str(issue) for issue in issues] + findings_report.warnings(validate.unwaived(findings))
    if params["dest"] is None:
        return Result(
            warnings=said, values={**values, "configs": {one.name: masking.config(one.config) for one in rendered}}
        )
    desired = {f"{one.name}.json": switch_files.text(one.config) for one in rendered}
    spoken = {f"{one.name}.json": sorted(one.owned) for one in rendered}
    folder = files.Folder(params["dest"], "sonic_render", switch_files.is_private, spoken)
    prune = params["prune"] and not params["switches"]
    plan = folder.plan(desired, prune=prune, adopt=params["adopt"])
    return Result(
        changed=bool(plan),
        plan=plan,
        diff=files.diff_of(switch_files.without_secrets(plan)),
        steps_done=0 if check_mode else folder.apply(plan, desired),
        warnings=said,
        values={**values, "files": sorted(desired)},
    )


if __name__ == "__main__":
    run_module(
        {
            "src": {"type": "list", "elements": "path", "required": True},
            "dest": {"type": "path"},
            "switches": {"type": "list", "elements": "str", "default": []},
            "release": {"type": "str", "choices": list(RELEASE_NAMES), "default": "202605"},
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
            "adopt": {"type": "bool", "default": False},
            "prune": {"type": "bool", "default": True},
            "on_finding": {"type": "str", "choices": ["fail", "warn", "ignore"], "default": "fail"},
            "as_of": {"type": "str"},
        },
        main,
    )
