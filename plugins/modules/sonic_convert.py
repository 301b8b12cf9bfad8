# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: convert backups of Edgecore's Enterprise SONiC for community SONiC."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sonic_convert
short_description: Convert backups of Edgecore's Enterprise SONiC for community SONiC
version_added: 0.2.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Turns C(config_db.json) of Edgecore's Enterprise SONiC 202211 into configurations of community SONiC in unified mode with
    frr-mgmt-framework, and lists every row and field that is not what it was, with the reason.
  - What a backup cannot tell (routing that stood in C(frr.conf), ports that are broken out without a C(platform.json)) is listed as
    missing and never made up.
  - The result is checked by the rules of the linter. No switch is touched, the backups stay as they are.
  - A configuration of another dialect is refused.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.folder
  - scs.landscape.sonic.files
options:
  dest:
    description: Folder to write the converted configurations into, one file C(SWITCH.json) each. Nothing is written when absent.
    type: path
  release:
    description: SONiC release that the configurations are checked for.
    type: str
    choices: ['202211', '202305', '202311', '202405', '202411', '202505', '202511', '202605']
    default: '202605'
  reports:
    description:
      - Files to write the list of changes to. The ending says the form, one of C(.json), C(.md), C(.xml) (JUnit) or C(.html).
    type: list
    elements: path
    default: []
seealso:
  - module: scs.landscape.sonic_plan
  - module: scs.landscape.sonic_render
"""

EXAMPLES = r"""
- name: Convert all backups and say what is not the same any more
  scs.landscape.sonic_convert:
    src: [backups/enterprise/]
    dest: build/community
    reports: [build/conversion.md]
  register: converted
  delegate_to: localhost
"""

RETURN = r"""
notes:
  description: For every switch the rows and fields that are not what they were. Secrets are masked.
  returned: success
  type: dict
  sample:
    leaf1:
      - {action: dropped, table: PORT, key: Ethernet0, field: parent_port, before: Ethernet5, why: the lanes alone say it}
counts:
  description: Number of notes by action.
  returned: success
  type: dict
  sample: {added: 1, changed: 75, dropped: 95, missing: 3}
findings:
  description: What the rules of the linter say about the converted configurations.
  returned: success
  type: list
  elements: dict
files:
  description: All files, relative to O(dest).
  returned: success
  type: list
  elements: str
  sample: [leaf1.json]
plan:
  description: Digest, impact and steps, one for each file that is written.
  returned: always
  type: dict
steps_done:
  description: Number of files written.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core import files
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Plan
from ansible_collections.scs.landscape.plugins.module_utils.sonic import convert, convert_report, fleet, masking
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint import validate
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint.index import Fabric, Switch
from ansible_collections.scs.landscape.plugins.module_utils.sonic.model import RELEASE_NAMES
from ansible_collections.scs.landscape.plugins.module_utils.sonic.render import files as switch_files


def main(params, check_mode):
    """Reads the backups, converts, checks, writes what differs."""
    made = convert.convert_all(fleet.from_files(params["src"]))
    found = validate.check(Fabric([Switch(name, one.config, params["release"]) for name, one in made.items()]))
    issues = masking.issues(found, {name: one.config for name, one in made.items()})
    desired = {f"{name}.json": switch_files.text(one.config) for name, one in made.items()} if params["dest"] else {}
    folder = files.Folder(params["dest"], "sonic_convert", switch_files.is_private) if params["dest"] else None
    written = folder.plan(desired, adopt=params["adopt"], prune=False) if folder else Plan()
    reports = files.plan_paths(convert_report.written(made, issues, params["reports"]))
    done = 0
    if not check_mode:
        done = (folder.apply(written, desired) if folder else 0) + files.apply_paths(reports)
    return Result(
        changed=bool(written or reports),
        plan=Plan((*written.steps, *reports.steps)),
        diff=files.diff_of(switch_files.without_secrets(written)) + files.diff_of(reports),
        steps_done=done,
        values={
            "notes": {name: [note.as_dict() for note in one.notes] for name, one in made.items()},
            "counts": {action: sum(one.counts[action] for one in made.values()) for action in convert.ACTIONS},
            "findings": [issue.as_dict() for issue in issues],
            "files": sorted(desired),
        },
    )


if __name__ == "__main__":
    run_module(
        {
            "src": {"type": "list", "elements": "path", "required": True},
            "dest": {"type": "path"},
            "release": {"type": "str", "choices": list(RELEASE_NAMES), "default": "202605"},
            "adopt": {"type": "bool", "default": False},
            "reports": {"type": "list", "elements": "path", "default": []},
        },
        main,
    )
