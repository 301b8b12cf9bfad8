# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: validate a landscape."""

from __future__ import annotations

DOCUMENTATION = r"""
module: landscape_validate
short_description: Find the contradictions in a landscape
version_added: 0.1.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Reads a landscape (racks, hosts, switches, networks, cables, power feeds) and reports everything in it that
    contradicts itself, a standard, or facts observed elsewhere. All findings come in one run, each with the file and
    line, what was found, what is expected and what to do.
  - The rules are listed in L(docs/rules.md,https://github.com/SovereignCloudStack/scs-landscape/blob/main/docs/rules.md).
    A finding that was looked at and accepted is waived in the landscape itself, with a reason and an expiry.
  - Nothing is written but the reports that are asked for.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.source
options:
  observed:
    description:
      - Files or folders with facts that were observed elsewhere (host variables of another tool, switch configurations,
        LLDP neighbours), to be compared with the landscape.
    type: list
    elements: path
    default: []
  fail_on:
    description:
      - The least severity that fails the task. Waived findings never do.
    type: str
    choices: [error, warning, info, never]
    default: error
  reports:
    description:
      - Files to write the findings to. The ending says the form, one of C(.json), C(.md), C(.xml) (JUnit) or
        C(.html), which also shows the network and the racks.
    type: list
    elements: path
    default: []
  as_of:
    description:
      - Day (C(YYYY-MM-DD)) on which waivers are judged. Today when absent.
    type: str
"""

EXAMPLES = r"""
- name: Stop on errors, and leave a report for people and one for CI
  scs.landscape.landscape_validate:
    src: examples/scs-lab
    reports:
      - build/landscape.html
      - build/landscape.xml
  delegate_to: localhost

- name: Compare with what the switches and the old inventory say, but do not fail
  scs.landscape.landscape_validate:
    src: [landscape/]
    observed: [observed/host_vars.yml, observed/lldp.yml]
    fail_on: never
  register: landscape_check
  delegate_to: localhost
"""

RETURN = r"""
findings:
  description: All findings, the worst first.
  returned: always
  type: list
  elements: dict
  sample:
    - rule: C03
      severity: error
      object: switches/st01-sw1g-r01-u32
      message: port Ethernet47 carries two cables, to st01-sw25g-r01-u34/eth0 and to st01-sw25g-r01-u35/eth0
      file: landscape/cables.yml
      line: 47
      hint: look where the cables really go
counts:
  description: Number of findings by severity, waived ones apart.
  returned: always
  type: dict
  sample: {error: 1, warning: 0, info: 0, waived: 2}
passed:
  description: Whether no finding is as bad as O(fail_on).
  returned: always
  type: bool
plan:
  description: Digest, impact and steps (the reports that are written).
  returned: always
  type: dict
steps_done:
  description: Number of reports written.
  returned: always
  type: int
"""

import os

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core import files, report, report_html, units
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive, findings_report
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import registry, validate

FORMS = {".json": report.to_json, ".md": report.to_markdown, ".xml": report.to_junit, ".html": report_html.to_html}

ARGUMENTS = {
    "src": {"type": "list", "elements": "path", "required": True},
    "observed": {"type": "list", "elements": "path", "default": []},
    "fail_on": {"type": "str", "choices": ["error", "warning", "info", "never"], "default": "error"},
    "reports": {"type": "list", "elements": "path", "default": []},
    "as_of": {"type": "str"},
}


def main(params, check_mode):
    """Reads, checks and reports."""
    unknown = [path for path in params["reports"] if os.path.splitext(path)[1] not in FORMS]
    if unknown:
        raise InputError(
            f"The form of the report {unknown[0]} is not known", hint="End the name in " + ", ".join(FORMS)
        )
    landscape, read = client.load(params["src"])
    observed, misread = client.load_observed(params["observed"])
    view = derive.resolve(landscape)
    findings = validate.check(view, read + misread, observed, today=units.day_of(params["as_of"], "as_of"))
    titles = {rule.id: rule.title for rule in registry.RULES.values()}
    pictures = any(path.endswith(".html") for path in params["reports"])
    summary = findings_report.report(view, findings, titles, pictures=pictures)
    plan = files.plan_paths({path: FORMS[os.path.splitext(path)[1]](summary) for path in params["reports"]})
    failing = [] if params["fail_on"] == "never" else validate.unwaived(findings, at_least=params["fail_on"])
    return Result(
        changed=bool(plan),
        plan=plan,
        diff=files.diff_of(plan),
        steps_done=0 if check_mode else files.apply_paths(plan),
        values={
            "findings": [finding.as_dict() for finding in findings],
            "counts": findings_report.count(findings),
            "passed": not failing,
        },
        failed=findings_report.failure(failing),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
