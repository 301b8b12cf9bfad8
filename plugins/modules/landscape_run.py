# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: begin and end a run of a playbook."""

from __future__ import annotations

DOCUMENTATION = r"""
module: landscape_run
short_description: Begin and end a run, one at a time for a landscape
version_added: 0.2.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - O(state=begun) takes the lock of a landscape on the controller and makes sure that the run would reach the machines it
    names. It fails when another run holds the lock, when several machines have one address, when a machine of the
    landscape would be the controller itself, and when variables of a host contradict the landscape. Extra variables do
    all that with one line in the wrong file.
  - O(state=ended) gives the lock back.
  - The lock belongs to the process of C(ansible-playbook). When that ends, however it ends, the lock is over; nobody has to
    clear it away.
  - In check mode the machines are judged and no lock is taken.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.source
options:
  state:
    description: Whether the run begins or ends.
    type: str
    choices: [begun, ended]
    default: begun
  playbook:
    description: Name of the playbook, for whoever is kept waiting.
    type: str
    default: run
  folder:
    description: Where the lock lives. The folder C(scs-landscape) in E(XDG_STATE_HOME) (C(~/.local/state)) when absent.
    type: path
  hold:
    description: Whether the lock is taken. A run that only looks does without.
    type: bool
    default: true
  targets:
    description:
      - The machines of the play, each with C(name) (its C(inventory_hostname)), C(address), C(port), C(connection), and its
        C(landscape_*) variables, as far as they are set.
    type: dict
    default: {}
  run:
    description: What O(state=begun) returned as RV(run); needed for O(state=ended).
    type: dict
seealso:
  - module: scs.landscape.landscape_report
"""

EXAMPLES = r"""
- name: Begin the run
  scs.landscape.landscape_run:
    src: landscape/
    playbook: lab_deploy
    targets: "{{ hostvars | scs.landscape.host_values(ansible_play_hosts_all, {'address': 'ansible_host'}) }}"
  register: begun
  run_once: true
  delegate_to: localhost

- name: End it
  scs.landscape.landscape_run:
    src: landscape/
    state: ended
    run: "{{ begun.run }}"
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
run:
  description: Its name, when it began, and its lock.
  returned: success
  type: dict
  sample: {"id": "2026-11-21T13-12-13-lab_deploy-4f1c", "playbook": "lab_deploy", "started": 1795266733.0}
released:
  description: Whether a lock was given back.
  returned: when O(state=ended)
  type: bool
plan:
  description: Always empty; a lock is no change of the landscape.
  returned: always
  type: dict
steps_done:
  description: Always 0.
  returned: always
  type: int
"""

import datetime

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape import (
    client,
    derive,
    findings_report,
    run,
    targets,
)
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate

ARGUMENTS = {
    "src": {"type": "list", "elements": "path", "required": True},
    "state": {"type": "str", "choices": ["begun", "ended"], "default": "begun"},
    "playbook": {"type": "str", "default": "run"},
    "folder": {"type": "path"},
    "hold": {"type": "bool", "default": True},
    "targets": {"type": "dict", "default": {}},
    "run": {"type": "dict"},
}
RULES = {"required_if": [("state", "ended", ["run"])]}


def main(params, check_mode):
    """Begins or ends a run."""
    if params["state"] == "ended":
        return Result(values={"run": params["run"], "released": run.end(params["run"])})
    landscape, misread = client.load(params["src"])
    refused = validate.unwaived(misread, at_least="error")
    if refused:
        return Result(failed=findings_report.failure(refused, limit=len(refused)))
    wrong = targets.misleading(derive.resolve(landscape), params["targets"])
    if wrong:
        raise InputError(
            "This run would not reach the machines it names", hint=". ".join([*wrong, "Nothing was changed"])
        )
    folder = params["folder"] or run.default_folder()
    begun = run.begin(
        params["playbook"],
        folder,
        params["src"],
        hold=params["hold"] and not check_mode,
        now=lambda: datetime.datetime.now(datetime.timezone.utc),
    )
    return Result(values={"run": begun})


if __name__ == "__main__":
    run_module(ARGUMENTS, main, **RULES)
