# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: compare cables with what LLDP sees."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lldp_cables
short_description: Compare the cables of a landscape with what LLDP sees
version_added: 0.2.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Compares every cable of a landscape with the neighbours that its devices heard (IEEE 802.1AB), for a whole fleet in one
    task, and says what a technician does about every difference.
  - A cable is C(matched), C(missing), C(wrong_port) (one end is plugged in elsewhere), C(swapped) (two cables were
    exchanged, one finding for both) or C(unknown) (a device could not be asked). A link that no cable explains is
    C(unexpected).
  - What both ends saw is put together; one end is enough. Ports are understood by their name, their alias and their
    MAC address.
  - Cables to management controllers, serial consoles and devices of others are not expected to be seen, and neither are
    planned and deactivated ones.
  - It asks nobody itself. The role P(scs.landscape.lldp_check#role) collects the observations.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
  - scs.landscape.source
options:
  observed:
    description:
      - What every device said, by its name in the landscape. Each value is a mapping with one of C(lldpctl) (what
        C(lldpctl -f json0) prints, as text or data), C(command) (the registered result of a task that ran it), C(sonic) (the
        table C(LLDP_ENTRY_TABLE) of the database C(APPL_DB)), C(neighbors) (a list of C(port), C(peer), C(peer_port)), or
        C(reason), which says why it could not be asked.
      - Devices that are absent or have an empty mapping were not asked, and make their cables C(unknown).
    type: dict
    required: true
  ignore_ports:
    description: Local ports whose neighbours do not count; C(*) stands for any characters.
    type: list
    elements: str
    default: []
  fail_on:
    description: The task fails when there is a result of one of these kinds. It returns everything all the same.
    type: list
    elements: str
    choices: [missing, wrong_port, swapped, unexpected, unknown]
    default: []
seealso:
  - module: scs.landscape.landscape_validate
"""

EXAMPLES = r"""
- name: Ask every switch and host
  ansible.builtin.command: lldpctl -f json0
  register: neighbours
  changed_when: false
  become: true

- name: Compare, once for all
  scs.landscape.lldp_cables:
    src: landscape/
    observed: "{{ hostvars | scs.landscape.host_values(ansible_play_hosts_all, {'command': 'neighbours'}) }}"
    fail_on: [missing, wrong_port, swapped]
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
counts:
  description: Number of results of each kind; a swap of two cables counts once.
  returned: success
  type: dict
  sample: {"matched": 33, "swapped": 1, "wrong_port": 0, "missing": 0, "unexpected": 0, "unknown": 0}
results:
  description: Every cable, and every link without a cable.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: One of C(matched), C(missing), C(wrong_port), C(swapped), C(unexpected), C(unknown).
      type: str
    cables:
      description: The cables it is about, by both ends.
      type: list
      elements: dict
    seen:
      description: The links that were seen, by both ends, and who saw them.
      type: list
      elements: dict
    message:
      description: What is wrong, in one sentence.
      type: str
    advice:
      description: What to do about it, and where.
      type: str
    device:
      description: The device to go to.
      type: str
advice:
  description: What to do, one sentence for each defect.
  returned: success
  type: list
  elements: str
not_asked:
  description: Devices that could not be asked, with the reason.
  returned: success
  type: dict
silent:
  description: Number of cables that LLDP says nothing about.
  returned: success
  type: int
plan:
  description: Always empty, this module only looks.
  returned: always
  type: dict
steps_done:
  description: Always 0.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive, findings_report
from ansible_collections.scs.landscape.plugins.module_utils.landscape.cables import compare, lldp
from ansible_collections.scs.landscape.plugins.module_utils.landscape.cables import model as cables
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate

ARGUMENTS = {
    "src": {"type": "list", "elements": "path", "required": True},
    "observed": {"type": "dict", "required": True},
    "ignore_ports": {"type": "list", "elements": "str", "default": []},
    "fail_on": {
        "type": "list",
        "elements": "str",
        "choices": ["missing", "wrong_port", "swapped", "unexpected", "unknown"],
        "default": [],
    },
}


def main(params, _check_mode):
    """Reads the landscape and what was observed, and compares."""
    landscape, misread = client.load(params["src"])
    refused = validate.unwaived(misread, at_least="error")
    if refused:
        return Result(failed=findings_report.failure(refused, limit=len(refused)))
    observations = {name: lldp.observation_of(name, said) for name, said in params["observed"].items()}
    comparison = compare.compare(derive.resolve(landscape), observations, tuple(params["ignore_ports"]))
    failing = comparison.of(*params["fail_on"])
    return Result(
        values={
            "counts": comparison.counts,
            "results": [result.as_dict() for result in comparison.results],
            "advice": [f"{result.message}. {result.advice}" for result in comparison.of(*cables.DEFECTS)],
            "not_asked": dict(comparison.not_asked),
            "silent": comparison.silent,
        },
        failed="\n".join(f"{one.kind}: {one.message}" + (f". {one.advice}" if one.advice else "") for one in failing),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
