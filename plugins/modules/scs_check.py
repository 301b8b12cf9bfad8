# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: the official SCS compliance tests."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scs_check
short_description: Run the official SCS compliance tests
version_added: 0.4.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Runs the compliance tests of a checkout of SovereignCloudStack/standards as a program of its own and returns the verdict of
    every case.
  - The tests are not part of this collection. They want a user with the role C(member) and neither C(admin) nor C(manager);
    with another one every case is C(ABORT).
  - Some cases make things and remove them again (a volume and its backup, a key, a security group, a machine). In check mode
    nothing is run, and the plan says what would be.
extends_documentation_fragment:
  - scs.landscape.attributes
attributes:
  idempotent:
    support: partial
    details: The tests run every time. Only a report that reads differently than before is a change.
options:
  checkout:
    description: Folder of the checkout.
    type: path
    required: true
  cloud:
    description: Name of the cloud in C(clouds.yaml).
    type: str
    required: true
  clouds_file:
    description: A C(clouds.yaml) that is not in one of the usual places.
    type: path
  spec:
    description: File with the certificate scope, relative to O(checkout).
    type: str
    default: Tests/scs-compatible-iaas.yaml
  cases:
    description: Regular expression that the beginning of a case's id must match. All cases when absent.
    type: str
  version:
    description: Version of the certificate scope, for example V(v5.1). Those that are in force when absent.
    type: str
  date:
    description: Day (C(YYYY-MM-DD)) on which versions must be in force. Today when absent.
    type: str
  python:
    description:
      - Interpreter that has what the tests need (C(Tests/requirements.txt) and C(Tests/iaas/requirements.txt)). That of the task
        when absent.
    type: path
  timeout:
    description: Seconds after which the tests are ended.
    type: int
    default: 3600
  fail_on:
    description:
      - Verdicts that fail the task. It returns everything all the same.
      - An exit status of the tests that no verdict explains, as after a crash, always fails it.
    type: list
    elements: str
    choices: [FAIL, ABORT, MISSING]
    default: [FAIL, ABORT]
  ignore:
    description: Regular expressions of whole ids whose verdict never fails the task.
    type: list
    elements: str
    default: []
  before:
    description: The C(cases) of an earlier run; what has changed since is returned.
    type: dict
    default: {}
  junit:
    description: File for the results in JUnit's format.
    type: path
seealso:
  - module: scs.landscape.flavor_set
  - module: scs.landscape.image_lifecycle
"""

EXAMPLES = r"""
- name: Flavors and images, as the certificate has them
  scs.landscape.scs_check:
    checkout: /opt/scs/standards
    cloud: member
    cases: scs-010[0234]
    junit: build/scs.xml
  delegate_to: localhost
"""

RETURN = r"""
cases:
  description: Verdict (C(PASS), C(FAIL), C(ABORT) or C(MISSING)) of each case.
  returned: when the tests have run
  type: dict
  sample: {scs-0103-flavor-2v-8: PASS}
counts:
  description: Number of cases by verdict.
  returned: when the tests have run
  type: dict
  sample: {PASS: 31, FAIL: 1, ABORT: 0, MISSING: 0}
failing:
  description: Ids of the cases that fail the task.
  returned: when the tests have run
  type: list
  elements: str
messages:
  description: Errors in the words of the tests.
  returned: when the tests have run
  type: list
  elements: str
changes:
  description: Cases whose verdict is another one than O(before), when that is given.
  returned: when the tests have run
  type: list
  elements: dict
  sample: [{case: scs-0103-flavor-2v-8, before: FAIL, after: PASS}]
versions:
  description: Versions of the certificate scope that were judged.
  returned: when the tests have run
  type: list
  elements: str
commit:
  description: Commit of the checkout, empty when it is not known.
  returned: when the tests have run
  type: str
rc:
  description: Exit status of the tests.
  returned: when the tests have run
  type: int
command:
  description: What is run.
  returned: always
  type: list
  elements: str
plan:
  description: Digest, impact and steps; a step for the report when it changes.
  returned: always
  type: dict
steps_done:
  description: Number of files written.
  returned: always
  type: int
"""

import sys

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core import files
from ansible_collections.scs.landscape.plugins.module_utils.core import report as reports
from ansible_collections.scs.landscape.plugins.module_utils.openstack import compliance

ARGUMENTS = {
    "checkout": {"type": "path", "required": True},
    "cloud": {"type": "str", "required": True},
    "clouds_file": {"type": "path"},
    "spec": {"type": "str", "default": compliance.SPEC},
    "cases": {"type": "str"},
    "version": {"type": "str"},
    "date": {"type": "str"},
    "python": {"type": "path"},
    "timeout": {"type": "int", "default": 3600},
    "fail_on": {
        "type": "list",
        "elements": "str",
        "choices": [compliance.FAIL, compliance.ABORT, compliance.MISSING],
        "default": [compliance.FAIL, compliance.ABORT],
    },
    "ignore": {"type": "list", "elements": "str", "default": []},
    "before": {"type": "dict", "default": {}},
    "junit": {"type": "path"},
}


def main(params, check_mode, programs):
    """Runs the tests and reads their output."""
    job = compliance.job_of(params, sys.executable)
    if check_mode:
        return Result(plan=compliance.plan(job), values={"command": job.argv})
    outcome = compliance.run(job, programs)
    failing = compliance.failing(outcome, params["fail_on"], params["ignore"])
    xml = reports.to_junit(compliance.report(job, outcome, failing))
    written = files.plan_paths({params["junit"]: xml} if params["junit"] else {})
    done = files.apply_paths(written)
    return Result(
        changed=bool(written),
        plan=compliance.plan(job),
        diff=files.diff_of(written),
        steps_done=done,
        values=compliance.values(job, outcome, failing, params["before"]),
        failed=compliance.failure(outcome, failing),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main, client=lambda programs: programs)
