# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: whether a machine is fit for its role."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_check_info
short_description: Read what a machine is, and judge whether it is fit for its role
version_added: 0.1.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Reads processor, memory, disks, firmware mode, the way to other machines in large packets, and the clock, from the machine
    itself and never from cached facts.
  - Judges them by a profile. With O(fail_on_finding) the task fails with all reasons in one sentence.
  - Needs no root.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
options:
  profile:
    description:
      - What the machine is for. V(auto) takes what fits O(role).
      - V(network) is for switches, jump hosts and everything that carries no workload.
    type: str
    choices: [auto, control, compute, compute-arm64, storage, network]
    default: auto
  role:
    description: Name of the role in the landscape, for O(profile=auto).
    type: str
    default: ""
  profile_changes:
    description:
      - Limits that differ from the profile's. C(architectures), C(cpus), C(cpu_flags), C(cpu_flags_any), C(firmware) (V(uefi),
        V(bios), V(any)), C(memory_gib), C(disks), C(disk_gib), C(mtu), C(clock_seconds).
    type: dict
    default: {}
  mtu_targets:
    description: Ways that are tried with packets that must not be cut into pieces.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: IPv4 or IPv6 address.
        type: str
        required: true
      mtu:
        description: Size of the whole packet in bytes. 1500 when absent.
        type: int
  interfaces:
    description: Interfaces that must be there with the MTU of the profile.
    type: list
    elements: str
    default: []
  controller_time:
    description: The controller's clock in seconds since the epoch, C({{ now().timestamp() }}). Without it the clock is not judged.
    type: float
  fail_on_finding:
    description: Whether the task fails when a limit is not kept.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Refuse machines that are not fit
  scs.landscape.node_check_info:
    role: "{{ landscape_role }}"
    controller_time: "{{ now().timestamp() }}"
    fail_on_finding: true

- name: A small machine, as a compute node of a test
  scs.landscape.node_check_info:
    profile: compute
    profile_changes: {memory_gib: 2, disks: 0, cpu_flags_any: []}
  register: fit
"""

RETURN = r"""
profile:
  description: The profile that was used.
  returned: always
  type: str
ok:
  description: Whether no limit is broken; warnings do not count.
  returned: always
  type: bool
findings:
  description: Limits that are not kept.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: V(arch), V(cpus), V(cpu_flags), V(firmware), V(memory), V(disks), V(mtu) or V(clock).
      type: str
    severity:
      description: V(error) or V(warning).
      type: str
    message:
      description: One sentence.
      type: str
    found:
      description: What the machine has.
      type: str
    expected:
      description: What is needed.
      type: str
    hint:
      description: The next thing to do.
      type: str
facts:
  description: What was read. Sizes in bytes, C(clock_offset) in seconds ahead of the controller.
  returned: always
  type: dict
"""

import time

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.node import check, check_facts, rules
from ansible_collections.scs.landscape.plugins.module_utils.node.client import Host


def main(params, _check_mode, host, now=time.time):
    """Reads this machine and judges it."""
    for target in params["mtu_targets"]:
        if not rules.is_address(target["address"]):
            raise InputError(f"mtu_targets holds {target['address']!r}, no IP address")
    name = check.profile_of(params["role"]) if params["profile"] == "auto" else params["profile"]
    check.profile(name, params["profile_changes"])
    facts = check_facts.read(host, params["mtu_targets"], params["interfaces"], params["controller_time"], now())
    findings = check.judge(facts, name, params["profile_changes"])
    errors = [finding for finding in findings if finding.severity == "error"]
    said = f"Not fit for {name}: " + "; ".join(finding.message for finding in errors)
    return Result(
        values={
            "profile": name,
            "ok": not errors,
            "findings": [finding.as_dict() for finding in findings],
            "facts": facts,
        },
        failed=said if errors and params["fail_on_finding"] else "",
    )


SPEC = {
    "profile": {"type": "str", "choices": ["auto", *check.PROFILES], "default": "auto"},
    "role": {"type": "str", "default": ""},
    "profile_changes": {"type": "dict", "default": {}},
    "mtu_targets": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"address": {"type": "str", "required": True}, "mtu": {"type": "int"}},
    },
    "interfaces": {"type": "list", "elements": "str", "default": []},
    "controller_time": {"type": "float"},
    "fail_on_finding": {"type": "bool", "default": False},
}


if __name__ == "__main__":
    run_module(SPEC, main, client=Host)
