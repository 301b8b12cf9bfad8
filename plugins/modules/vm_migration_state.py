# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: how far the machines of a migration are."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_migration_state
short_description: Record how far machines of a migration are
version_added: 0.6.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Keeps a journal for each machine of a migration. It says how far the machine is, by which plan, what was made of it at the target, and
    how it was at the source (power, connected network cards, autostart) before anything there was changed.
  - A play that was killed is run again. The journal says which machines need which work.
  - A state is recorded when its work is done. States follow each other; one that was passed is not recorded again, and none is left out.
  - A machine that is under way goes on by the same task only. A plan that wants something else of it is refused.
  - Journals are files for their owner alone, written before the task returns; two runs do not write at once.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.migration
options:
  folder:
    description: Folder of the journals. Keep it, and share it between those who migrate.
    type: path
    required: true
  state:
    description:
      - State that the machines have reached. Nothing is recorded, and the journals are returned, when absent.
      - V(planned) begins them. C(done) is the end of the way, V(cleaned) comes after that or after V(rolled_back).
      - From V(rolled_back) a machine can be begun anew.
    type: str
    choices: [planned, probed, claimed, stopped, copied, verified, built, started, checked, cut_over, done, rolled_back, cleaned]
  vms:
    description: Machines as RV(scs.landscape.vmware_vm_info#module:vms) has them now, for those that begin.
    type: list
    elements: dict
    default: []
  made:
    description: What was made, by uuid of the machine, with C(volumes) and C(ports) (ids by key) and C(server).
    type: dict
    default: {}
  errors:
    description:
      - What failed, by uuid of the machine. Such a machine does not reach O(state). It stays where it is, and later states leave it alone as
        well, until V(planned) is recorded for it, which every run begins with.
      - With V(planned), none of a machine that this plan has brought to V(done) or V(cleaned) counts, for its source may be gone.
    type: dict
    default: {}
  marks:
    description: Value of C(migration_source) in the metadata of a volume, by uuid of the machine, when the journals were lost.
    type: dict
    default: {}
seealso:
  - module: scs.landscape.vm_migration_plan
"""

EXAMPLES = r"""
- name: Write down how the machines of the first wave are
  scs.landscape.vm_migration_state:
    src: migration/plan.json
    folder: migration/journals
    wave: trial
    state: planned
    vms: "{{ found.vms }}"
  register: journals
  delegate_to: localhost

- name: Show what still has to be copied
  ansible.builtin.debug:
    msg: "{{ journals.due.copied }}"
"""

RETURN = r"""
vms:
  description: Journals of the machines.
  returned: success
  type: list
  elements: dict
  sample:
    - uuid: 5000cafe-0000-4000-8000-000000000001
      name: web01
      plan: 1f0c7a92d3be
      task: 77ab01c2e4d5
      state: copied
      original: {power: "on", nics: {"4000": true}, autostart: 1}
      made: {volumes: {"2000": 7d0f7c34-2e4e-4a57-8a35-0cf6e37a1d02}}
      times: {planned: 1790000000.0}
      metadata: {migration_vm: 5000cafe-0000-4000-8000-000000000001, migration_plan: 1f0c7a92d3be}
due:
  description: Uuids of the machines that still have to reach each state.
  returned: success
  type: dict
going:
  description: Uuids of the machines that have not failed since they were begun.
  returned: success
  type: list
  elements: str
errors:
  description: What failed since they were begun, by uuid of the machine.
  returned: success
  type: dict
plan:
  description: Digest, impact and one step for each journal that is (in check mode, would be) written.
  returned: always
  type: dict
steps_done:
  description: Number of journals written.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import journals, model, state

ARGUMENTS = {
    **journals.WAVE_ARGUMENTS,
    "folder": {"type": "path", "required": True},
    "state": {"type": "str", "choices": list(state.STATES)},
    "vms": {"type": "list", "elements": "dict", "default": []},
    "made": {"type": "dict", "default": {}},
    "errors": {"type": "dict", "default": {}},
    "marks": {"type": "dict", "default": {}},
}


def main(params, check_mode):
    """Reads plan and journals, and records a state."""
    found, steps = journals.advance(model.load(params["src"]), params, check_mode)
    return Result(
        changed=bool(steps),
        plan=steps,
        diff=steps.diff(),
        steps_done=0 if check_mode else len(steps),
        values=journals.values(found),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
