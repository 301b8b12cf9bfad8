# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: report what a run did."""

from __future__ import annotations

DOCUMENTATION = r"""
module: landscape_report
short_description: Report what a run did to a landscape
version_added: 0.2.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Puts together what a run did on every machine, how long it took, what is wrong with machines and cables, and a picture
    of the landscape with green and red cables.
  - Where a fabric was looked at, it says which host reaches which over it, with loss and round trips, in words and as a picture, and
    for every switch its BGP sessions and the width of ECMP.
  - Writes it as JSON, Markdown, JUnit and one HTML file that needs nothing from elsewhere, into a folder of its own for
    every run, and returns the lines that a person reads on the terminal.
  - A report is about a run and no part of the landscape, so writing one does not count as a change. In check mode nothing is
    written.
  - Ends the run and gives its lock back.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.report_folder
  - scs.landscape.source
options:
  run:
    description: What M(scs.landscape.landscape_run) returned as RV(scs.landscape.landscape_run#module:run).
    type: dict
    required: true
  results:
    description:
      - By machine what its tasks returned, under any key. The key C(failure) is a mapping with C(stage) and C(message) of
        the stage in which the machine failed.
    type: dict
    required: true
  alive:
    description: Machines that are still in the play; others stopped answering on the way.
    type: list
    elements: str
    required: true
  cables:
    description: What M(scs.landscape.lldp_cables) returned; cables were not looked at when absent.
    type: dict
  fabric:
    description:
      - By machine what was seen of the fabric. V(switch) is what M(scs.landscape.sonic_verify) returned, V(host) what
        M(scs.landscape.node_probe) returned. What is neither is left out.
    type: dict
    default: {}
    version_added: 0.4.0
  gates:
    description: What M(scs.landscape.landscape_guard) returned as RV(scs.landscape.landscape_guard#module:gates).
    type: list
    elements: dict
    default: []
  table:
    description: Whether the summary has a line for every machine.
    type: bool
    default: false
  predicted:
    description: Whether the run was meant to change nothing, so that what it says changed would change.
    type: bool
    default: false
seealso:
  - module: scs.landscape.landscape_run
  - module: scs.landscape.lldp_cables
  - module: scs.landscape.sonic_verify
  - module: scs.landscape.node_probe
"""

EXAMPLES = r"""
- name: Report
  scs.landscape.landscape_report:
    src: landscape/
    dest: landscape-runs
    run: "{{ begun.run }}"
    results: "{{ hostvars | scs.landscape.host_values(ansible_play_hosts_all, {'baseline': 'node_baseline_result'}) }}"
    alive: "{{ ansible_play_hosts }}"
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
status:
  description: V(failed) when a machine failed, a cable is not as written or the fabric is cut, else V(passed), or V(warning).
  returned: success
  type: str
summary:
  description: Lines for the terminal.
  returned: success
  type: list
  elements: str
verdicts:
  description: What is wrong, by machine; empty when all is well.
  returned: success
  type: dict
files:
  description: The files of the report by form.
  returned: success
  type: dict
  sample: {"html": "landscape-runs/2026-11-21T13-12-13-lab_deploy-4f1c/report.html"}
facts:
  description: The figures of the report.
  returned: success
  type: dict
plan:
  description: Always empty; a report is no change of the landscape.
  returned: always
  type: dict
steps_done:
  description: Always 0.
  returned: always
  type: int
"""

import time

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive, findings_report
from ansible_collections.scs.landscape.plugins.module_utils.landscape import run as runs
from ansible_collections.scs.landscape.plugins.module_utils.landscape.deployment import fabric, files, machines, report
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate

ARGUMENTS = {
    "src": {"type": "list", "elements": "path", "required": True},
    "dest": {"type": "path"},
    "keep": {"type": "int", "default": 20},
    "run": {"type": "dict", "required": True},
    "results": {"type": "dict", "required": True},
    "alive": {"type": "list", "elements": "str", "required": True},
    "cables": {"type": "dict"},
    "fabric": {"type": "dict", "default": {}},
    "gates": {"type": "list", "elements": "dict", "default": []},
    "clock": {"type": "dict", "default": {}},
    "table": {"type": "bool", "default": False},
    "predicted": {"type": "bool", "default": False},
}


def main(params, check_mode):
    """Puts the report together and writes it."""
    landscape, misread = client.load(params["src"])
    refused = validate.unwaived(misread, at_least="error")
    if refused:
        return Result(failed=findings_report.failure(refused, limit=len(refused)))
    run = params["run"]
    if not run.get("id") or not run.get("playbook"):
        raise InputError("The run has no id", hint="Pass what landscape_run returned as run")
    view = derive.resolve(landscape)
    deed = report.Deed(
        view=view,
        playbook=run["playbook"],
        run=run["id"],
        machines=machines.machines_of(params["results"], params["alive"], predicted=params["predicted"]),
        cables=params["cables"] or {},
        stages=files.stages(params["clock"], time.time()),
        gates=params["gates"],
        predicted=params["predicted"],
        fabric=fabric.fabric_of(view, params["fabric"]),
    )
    made = report.report_of(deed)
    written = {}
    summary = report.summary_of(deed, table=params["table"])
    if params["dest"] and not check_mode:
        written = files.write(params["dest"], run["id"], made, summary=summary, keep=params["keep"])
        summary.insert(-1, f"Report    {written['html']}")
    runs.end(run)
    return Result(
        values={
            "status": made.status,
            "summary": summary,
            "verdicts": report.verdicts(deed),
            "files": written,
            "facts": dict(made.facts),
        }
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
