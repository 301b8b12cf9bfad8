# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: which addresses a host reaches."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_probe
short_description: Tell which addresses a host reaches
version_added: 0.3.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Asks all addresses by ping(8) at the same time, again and again until each has answered or O(timeout) is over.
  - Fails when one does not answer, unless O(on_failure=report). What was reached before a change, given as O(targets) after it, says
    whether the change cut somebody off.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
options:
  targets:
    description: IPv4 and IPv6 addresses.
    type: list
    elements: str
    required: true
  source:
    description: Address the questions come from. What the kernel chooses when absent.
    type: str
  count:
    description: Questions to each address in one go; one answer is enough.
    type: int
    default: 3
  timeout:
    description: Seconds after which addresses that do not answer are given up. Each is asked once at least.
    type: int
    default: 0
  on_failure:
    description: Whether an address that does not answer fails the task, or is only told.
    type: str
    choices: [fail, report]
    default: fail
"""

EXAMPLES = r"""
- name: Every other host answers
  scs.landscape.node_probe:
    targets: "{{ groups['generic'] | map('extract', hostvars, 'landscape_loopback_v4') }}"
    source: "{{ landscape_loopback_v4 }}"
    timeout: 30
"""

RETURN = r"""
reached:
  description: Addresses that answered.
  returned: always
  type: list
  elements: str
lost:
  description: Addresses that did not.
  returned: always
  type: list
  elements: str
answers:
  description:
    - For each address the number of questions (C(sent)) and answers (C(received)) when it was asked last, and the milliseconds between
      them on average (C(rtt_ms)), which are absent (null) when no answer came.
  returned: always
  type: list
  elements: dict
  sample: [{address: 10.20.1.12, sent: 3, received: 3, rtt_ms: 0.071}]
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
from ansible_collections.scs.landscape.plugins.module_utils.node import probe

ARGUMENTS = {
    "targets": {"type": "list", "elements": "str", "required": True},
    "source": {"type": "str"},
    "count": {"type": "int", "default": 3},
    "timeout": {"type": "int", "default": 0},
    "on_failure": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
}


def main(params, _check_mode):
    """Asks, tells who did not answer."""
    answers = probe.asked(params["targets"], params["source"] or "", count=params["count"], timeout=params["timeout"])
    lost = [one.address for one in answers if not one.received]
    said = f"No answer from {', '.join(lost)}" if lost and params["on_failure"] == "fail" else ""
    values = {
        "reached": [one.address for one in answers if one.received],
        "lost": lost,
        "answers": [one.as_dict() for one in answers],
    }
    return Result(values=values, failed=said)


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
