# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: the report of a migration."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_migration_report
short_description: Report a migration from VMware
version_added: 0.6.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Writes what became of the machines of a migration as HTML, Markdown, JSON and JUnit. What needs a hand and what to do about it, a
    timeline, disks with bytes, rates and digests, servers, and everything that was verified and how.
  - Figures of disks that an earlier run moved are taken from the journals, so a run that moves nothing writes the same report again.
  - The page needs nothing from elsewhere.
extends_documentation_fragment:
  - scs.landscape.attributes
options:
  title:
    description: Title of the report.
    type: str
    default: Migration
  dest:
    description: Folder for C(report.html), C(report.md), C(report.json) and C(report.xml). Nothing is written when absent.
    type: path
  vms:
    description: What M(scs.landscape.vm_migration_state) returned as RV(scs.landscape.vm_migration_state#module:vms).
    type: list
    elements: dict
    required: true
  disks:
    description: What M(scs.landscape.vm_migration_copy) returned as RV(scs.landscape.vm_migration_copy#module:disks).
    type: list
    elements: dict
    default: []
  checks:
    description: What M(scs.landscape.vm_migration_verify) returned as RV(scs.landscape.vm_migration_verify#module:checks).
    type: list
    elements: dict
    default: []
seealso:
  - module: scs.landscape.vm_migration_state
"""

EXAMPLES = r"""
- name: Write the report of a wave
  scs.landscape.vm_migration_report:
    title: First wave
    dest: reports/first
    vms: "{{ journals.vms }}"
    disks: "{{ copied.disks }}"
  delegate_to: localhost
"""

RETURN = r"""
summary:
  description: The figures in one line.
  returned: success
  type: str
status:
  description: The worst of all results, V(passed), V(skipped), V(warning) or V(failed).
  returned: success
  type: str
files:
  description: The files of the report.
  returned: success
  type: list
  elements: str
plan:
  description: Digest, impact and one step for each file that is written.
  returned: always
  type: dict
steps_done:
  description: Number of files written.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core import files
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import report, state

ARGUMENTS = {
    "title": {"type": "str", "default": "Migration"},
    "dest": {"type": "path"},
    "vms": {"type": "list", "elements": "dict", "required": True},
    "disks": {"type": "list", "elements": "dict", "default": []},
    "checks": {"type": "list", "elements": "dict", "default": []},
}


def main(params, check_mode):
    """Makes the report, and writes what differs."""
    journals = [state.journal_of(one) for one in params["vms"]]
    made = report.report_of(params["title"], journals, params["disks"], params["checks"])
    plan = files.plan_paths(report.files_of(made, params["dest"]) if params["dest"] else {})
    return Result(
        changed=bool(plan),
        plan=plan,
        diff=files.diff_of(plan),
        steps_done=0 if check_mode else files.apply_paths(plan),
        values={"summary": report.summary(made), "status": made.status, "files": [step.object for step in plan.steps]},
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
