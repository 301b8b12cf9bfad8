# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: the hand of the other sonic_* modules on a switch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sonic_switch
short_description: What the other modules for running switches do on the switch itself
version_added: 0.3.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Reads and writes rows of CONFIG_DB, keeps lock and checkpoint, and brings the switch back when nobody confirms a change.
  - It is sent by M(scs.landscape.sonic_config_db), M(scs.landscape.sonic_facts), M(scs.landscape.sonic_checkpoint) and
    M(scs.landscape.sonic_verify), which decide on the controller. There is nothing to be done with it in a play.
  - Needs root and Python 3.9 with its standard library on the switch, and nothing else.
options:
  request:
    description: What is asked for, packed. Its language belongs to this version of the collection only.
    type: str
    required: true
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the plan of a real run without changing anything.
    support: full
    details: The modules that send it only let it read then; a request that would write is refused.
  diff_mode:
    description: Returns what is (or would be) changed, when in diff mode.
    support: N/A
    details: The modules that send it return the difference.
  idempotent:
    description: A second run with the same options changes nothing.
    support: partial
    details: The modules that send it compare before they write.
seealso:
  - module: scs.landscape.sonic_config_db
"""

EXAMPLES = r"""
- name: There is nothing to be done with it in a play, this is
  scs.landscape.sonic_config_db:
    config:
      NTP_SERVER:
        192.0.2.10: {}
  become: true
"""

RETURN = r"""
answer:
  description: What the switch answers, packed.
  returned: success
  type: str
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import agent

ARGUMENTS = {"request": {"type": "str", "required": True, "no_log": True}}


def main(params, check_mode):
    """Does what is asked for."""
    if check_mode and not agent.only_reads(params["request"]):
        raise LandscapeError("The request would write, and this is check mode")
    return Result(values={"answer": agent.answer(params["request"])})


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
