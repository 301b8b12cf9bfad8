# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: ask for the one confirmation of the house."""

from __future__ import annotations

DOCUMENTATION = r"""
module: landscape_guard
short_description: Ask for a confirmation before a protected environment is changed
version_added: 0.2.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Stands between a plan and its execution. It fails unless every protected environment that the plans change was confirmed
    with O(confirm), and its message says exactly what to pass.
  - What is protected is read from the landscape. An environment that does not say C(protected) is protected, and so is a
    machine that the landscape does not know.
  - A confirmation names a plan by its digest; it is of no use for another plan, or when one more machine would be changed.
  - Plans that destroy something need a confirmation in every environment. Other plans in an environment that says
    C(protected=false) pass without.
  - In check mode it does not fail, but returns what would have to be passed.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
  - scs.landscape.source
options:
  plans:
    description:
      - Plans by machine. Each value is a list (or a mapping, whose keys do not matter) of plans as the modules of this
        collection return them (C(digest), C(impact), C(steps)), or of registered results that hold one.
      - Empty plans do not count, and neither do results of tasks that failed or were skipped.
    type: dict
    default: {}
  environment:
    description:
      - The environment the play is meant for. Plans for machines of another one are refused, and so is V(all).
      - Without it the plans say which environments are concerned.
    type: str
  confirm:
    description: What the operator passed, C(<environment> <digest>) each, separated by commas.
    type: list
    elements: str
    default: []
seealso:
  - name: Runbook of lab_deploy
    description: How a deployment is confirmed.
    link: https://github.com/SovereignCloudStack/scs-landscape/blob/main/docs/runbooks/lab_deploy.md
"""

EXAMPLES = r"""
- name: Ask before a protected environment is changed
  scs.landscape.landscape_guard:
    src: landscape/
    plans: "{{ plans_by_host }}"
    confirm: "{{ landscape_confirm | default([]) }}"
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
gates:
  description: Every environment that would be changed.
  returned: success
  type: list
  elements: dict
  contains:
    environment:
      description: Its name; C(unknown) for machines that the landscape does not know.
      type: str
    protected:
      description: Whether it is protected.
      type: bool
    impact:
      description: The worst impact of any step.
      type: str
    digest:
      description: Names the plans of all its machines together.
      type: str
    hosts:
      description: Machines that would be changed.
      type: list
      elements: str
    steps:
      description: Number of steps.
      type: int
    confirmation:
      description: What to pass; empty when nothing has to be passed.
      type: str
    confirmed:
      description: Whether it was passed.
      type: bool
allowed:
  description: Whether a run may go on.
  returned: success
  type: bool
demand:
  description: What to pass, in words; empty when nothing is missing.
  returned: success
  type: str
plan:
  description: Always empty, this module changes nothing.
  returned: always
  type: dict
steps_done:
  description: Always 0.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, findings_report, guard
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate

ARGUMENTS = {
    "src": {"type": "list", "elements": "path", "required": True},
    "plans": {"type": "dict", "default": {}},
    "environment": {"type": "str"},
    "confirm": {"type": "list", "elements": "str", "default": []},
}


def main(params, check_mode):
    """Reads the landscape, judges the plans."""
    landscape, misread = client.load(params["src"])
    refused = validate.unwaived(misread, at_least="error")
    if refused:
        return Result(failed=findings_report.failure(refused, limit=len(refused)))
    wanted = params["environment"]
    if wanted is not None:
        guard.check_environment(landscape, wanted)
    gates = guard.gates(landscape, params["plans"], params["confirm"])
    strange = [gate.environment for gate in gates if wanted is not None and gate.environment != wanted]
    if strange:
        hint = "Limit the play to that environment"
        raise InputError(f"The run is meant for {wanted}, but its plans change {', '.join(strange)}", hint=hint)
    demand = guard.demand(gates, params["confirm"])
    return Result(
        values={"gates": [gate.as_dict() for gate in gates], "allowed": not demand, "demand": demand},
        failed="" if check_mode else demand,
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
