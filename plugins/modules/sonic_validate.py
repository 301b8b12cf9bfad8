# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: validate configurations of SONiC switches."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sonic_validate
short_description: Find what is wrong with the configurations of SONiC switches
version_added: 0.2.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Reads configurations of switches (C(config_db.json)), as written by hand, rendered, or taken as backups, and reports all that the
    YANG models of the release refuse, and all that the models accept and no switch can run. No switch is touched.
  - Configurations that are given together are judged together, both ends of each cable.
  - The rules are listed in
    L(docs/sonic-rules.md,https://github.com/SovereignCloudStack/scs-landscape/blob/main/docs/sonic-rules.md). A finding that was
    looked at and accepted is written down in a file, with a reason, and counts no more.
  - Nothing is written but the reports that are asked for.
requirements:
  - The program C(yanglint) (package C(libyang2-tools) on Debian 12, C(libyang3-tools) on Debian 13), when O(checks) has V(yang).
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.sonic.files
options:
  release:
    description: SONiC release to judge by. The one that wrote each configuration when absent.
    type: str
    choices: ['202211', '202305', '202311', '202405', '202411', '202505', '202511', '202605']
  dialect:
    description:
      - How a configuration becomes that of FRR. What it looks like when absent.
      - V(unified) is frr-mgmt-framework, V(bgpcfgd) the default of community images, V(split) an operator's own file, and
        V(enterprise) Edgecore's image.
    type: str
    choices: [unified, bgpcfgd, split, enterprise]
  yang_dir:
    description:
      - Folder with the YANG models of the release, or with one folder of models for each release.
      - The environment variable E(SONIC_YANG_DIR) when absent, and without it C(/usr/local/yang-models), where a switch has its own.
    type: path
  checks:
    description: V(yang) judges by the models, V(lint) by the rules.
    type: list
    elements: str
    choices: [yang, lint]
    default: [yang, lint]
  landscape:
    description:
      - Landscape files or folders that tell the cables between the switches. What descriptions of ports and C(DEVICE_NEIGHBOR) say
        when absent.
    type: list
    elements: path
    default: []
  port_config:
    description:
      - Files C(port_config.ini) of switch models that this collection does not know, each called after the model
        (C(Accton-AS7326-56X.ini)).
    type: list
    elements: path
    default: []
  expected:
    description:
      - YAML or JSON file with the findings that were looked at and accepted, a list of entries with C(rule), C(reason), and where
        needed C(switch), C(table), C(key), C(field) (V(*) stands for any characters) and C(expires) (C(YYYY-MM-DD)).
    type: path
  fail_on:
    description: The least severity that fails the task. Accepted findings never do.
    type: str
    choices: [error, warning, info, never]
    default: error
  reports:
    description:
      - Files to write the findings to. The ending says the form, one of C(.json), C(.md), C(.xml) (JUnit), C(.html) or C(.sarif).
      - SARIF names files from the top of their Git repository, as code hosting does.
    type: list
    elements: path
    default: []
  as_of:
    description: Day (C(YYYY-MM-DD)) on which expected findings are judged. Today when absent.
    type: str
seealso:
  - module: scs.landscape.sonic_render
  - module: scs.landscape.sonic_plan
"""

EXAMPLES = r"""
- name: Judge a folder of backups in CI, with notes at the lines of the merge request
  scs.landscape.sonic_validate:
    src: [switches/]
    yang_dir: models/
    expected: switches/expected.yml
    reports:
      - build/switches.sarif
      - build/switches.xml
  delegate_to: localhost

- name: See what the next release would refuse
  scs.landscape.sonic_validate:
    src: [switches/]
    release: '202605'
    checks: [yang]
    fail_on: never
  register: next_release
  delegate_to: localhost
"""

RETURN = r"""
findings:
  description: All findings, by switch, the worst first.
  returned: always
  type: list
  elements: dict
  sample:
    - rule: SL101
      severity: error
      switch: st01-sw25g-r01-u34
      table: PORT
      key: Ethernet49
      field: lanes
      message: lane 78 belongs to Ethernet48 as well
      hint: one of them must go; where a port was broken out, its parent goes
counts:
  description: Number of findings by severity, accepted ones apart.
  returned: always
  type: dict
  sample: {error: 1, warning: 0, info: 2, waived: 3}
passed:
  description: Whether no finding is as bad as O(fail_on).
  returned: always
  type: bool
switches:
  description: File of each switch that was read.
  returned: always
  type: dict
  sample: {st01-sw25g-r01-u34: switches/st01-sw25g-r01-u34.json}
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
from ansible_collections.scs.landscape.plugins.module_utils.sonic import client, fleet, inspection, inspection_report
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint import validate
from ansible_collections.scs.landscape.plugins.module_utils.sonic.model import DIALECTS, RELEASE_NAMES

FORMS = {".json": report.to_json, ".md": report.to_markdown, ".xml": report.to_junit, ".html": report_html.to_html}


def main(params, check_mode):
    """Reads, judges and reports."""
    unknown = [path for path in params["reports"] if os.path.splitext(path)[1] not in (*FORMS, ".sarif")]
    if unknown:
        hint = "End the name in " + ", ".join((*FORMS, ".sarif"))
        raise InputError(f"The form of the report {unknown[0]} is not known", hint=hint)
    subjects = inspection.read(params["src"])
    view = fleet.load(params["landscape"]) if params["landscape"] else None
    settings = inspection.Settings(
        params["release"] or "",
        params["dialect"] or "",
        params["yang_dir"] or "",
        tuple(params["checks"]),
        inspection.port_maps(params["port_config"]),
        inspection.links(view, [subject.name for subject in subjects]) if view else (),
        tuple(validate.expectations(client.load_expected(params["expected"]) if params["expected"] else [])),
        units.day_of(params["as_of"], "as_of").isoformat(),
    )
    found = inspection.inspect(subjects, settings)
    plan = files.plan_paths({path: _render(path, found) for path in params["reports"]})
    failing = [] if params["fail_on"] == "never" else validate.unwaived(found.issues, params["fail_on"])
    return Result(
        changed=bool(plan),
        plan=plan,
        diff=files.diff_of(plan),
        steps_done=0 if check_mode else files.apply_paths(plan),
        values={
            "findings": [issue.as_dict() for issue in found.issues],
            "counts": inspection_report.count(found.issues),
            "passed": not failing,
            "switches": found.paths,
        },
        failed=inspection_report.failure(failing),
    )


def _render(path, found):
    form = FORMS.get(os.path.splitext(path)[1])
    if form:
        return form(inspection_report.report(found))
    return inspection_report.sarif(found, inspection.named(found), inspection.places(found))


if __name__ == "__main__":
    run_module(
        {
            "src": {"type": "list", "elements": "path", "required": True},
            "release": {"type": "str", "choices": list(RELEASE_NAMES)},
            "dialect": {"type": "str", "choices": list(DIALECTS)},
            "yang_dir": {"type": "path"},
            "checks": {"type": "list", "elements": "str", "choices": ["yang", "lint"], "default": ["yang", "lint"]},
            "landscape": {"type": "list", "elements": "path", "default": []},
            "port_config": {"type": "list", "elements": "path", "default": []},
            "expected": {"type": "path"},
            "fail_on": {"type": "str", "choices": ["error", "warning", "info", "never"], "default": "error"},
            "reports": {"type": "list", "elements": "path", "default": []},
            "as_of": {"type": "str"},
        },
        main,
    )
