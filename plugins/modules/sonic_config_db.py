# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: change the configuration of a running switch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sonic_config_db
short_description: Change the configuration of a running SONiC switch, and let it come back when that goes wrong
version_added: 0.3.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Compares what a switch runs (CONFIG_DB) with what is wanted, and writes the rows that differ in an order that SONiC's daemons can
    follow. What a write does to those who use the switch is known before, and limited by O(max_impact).
  - Before the first write the switch keeps a checkpoint and starts a timer. It brings itself back, rows and FRR, unless the change is
    confirmed within O(confirm_within), also when the controller is gone, the management address is, or it was rebooted meanwhile.
  - A change is confirmed when a new SSH connection works and CONFIG_DB, FRR, the kernel, LLDP and BGP show what they should.
    Otherwise the switch is brought back at once and the task fails with the reason. Saved is last of all.
  - Plans on the controller. On the switch it needs root, and Python with its standard library.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.sonic.switch
options:
  config:
    description:
      - Tables of CONFIG_DB, in them rows by key, in them fields, as C(config_db.json) has them.
      - Numbers are written as texts, truth values as C(true) and C(false).
      - Where a backup has masks in place of secrets, those of the switch stay. The task fails when it has none there.
    type: dict
  src:
    description:
      - File on the controller with the same, for example one that M(scs.landscape.sonic_render) wrote.
      - Such a file speaks for all tables that the landscape does; with O(state=overridden) those it does not have are emptied.
    type: path
  state:
    description:
      - V(merged) adds rows and fields, lists are replaced. V(replaced) makes each row that is named what is said of it.
      - V(overridden) makes each table that is named what is said of it, other rows of it are removed. Other tables stay.
      - V(deleted) removes the fields that are named, rows that are named without a field, tables that are named without a row.
      - Fields that a switch fills in by itself (its MAC address) stay, whatever the state.
    type: str
    choices: [merged, replaced, overridden, deleted]
    default: merged
  tables:
    description: For V(overridden), tables that are emptied when O(config) does not have them.
    type: list
    elements: str
    default: []
  strategy:
    description:
      - How it is written. V(ordered) writes row by row. V(patch) hands a patch to SONiC's own updater (C(config apply-patch)), which
        nobody proved with this collection on a real switch yet. V(reload) loads the whole configuration, which restarts every service,
        and needs O(confirm_within) of 600 or more, because the way back is a load as well.
      - V(auto) writes row by row and says why.
    type: str
    choices: [auto, patch, ordered, reload]
    default: auto
  max_impact:
    description:
      - Refuse a change that does more than this.
      - V(none) nobody notices, V(degraded) less bandwidth or a service restarts, V(interrupted) links or sessions go down,
        V(unreachable) the switch may not be reached any more, V(destroyed) everything.
      - bgp is restarted when FRR does not follow a change whose own plan is V(interrupted) or more. What is allowed beyond the plan
        changes nothing.
    type: str
    choices: [none, degraded, interrupted, unreachable, destroyed]
    default: degraded
  unsaved:
    description:
      - What to do when the switch runs something else than it has saved. A reboot would lose that, and saving would keep it, so
        V(refuse) lets somebody look first. V(accept) goes on, and what runs is saved in the end.
    type: str
    choices: [refuse, accept]
    default: refuse
  save:
    description: Save the configuration after the change is confirmed.
    type: bool
    default: true
  confirm_within:
    description: Seconds after which the switch brings itself back unless the change was confirmed, 15 to 3600.
    type: int
    default: 120
  verify_timeout:
    description: Seconds the switch has until it must show what it should. At least 10 less than O(confirm_within).
    type: int
    default: 30
  hold:
    description:
      - Seconds between two looks, each over a connection of its own, that must both find nothing wrong before the change is confirmed.
        At most half of what O(confirm_within) leaves is waited.
      - For a change whose plan is V(interrupted) or more, or that touches management, addresses of interfaces, ACLs, CoPP or logins. What these
        break may come late, a session goes when its hold time is over. All other changes are confirmed after one look. V(0) is one look for all.
      - Sessions with hold times above this may still end after the change was confirmed.
    type: int
    default: 10
  lock_wait:
    description: Seconds to wait for another run that holds the switch.
    type: int
    default: 0
  checkpoint:
    description:
      - Name of the checkpoint that is kept before the change. One with the time in it when absent.
      - A checkpoint that is there already stays as it is; the change gets one with the time in it then, and a warning says so.
    type: str
  keep_checkpoints:
    description:
      - How many checkpoints of changes without a name of their own are kept on the switch, and how many of those with one.
      - What M(scs.landscape.sonic_checkpoint) made stays until it is removed.
    type: int
    default: 5
  frr_fixups:
    description:
      - Add to FRR what no release brings there from CONFIG_DB (C(vrf X) with C(vni N), for EVPN between VRFs).
      - A restart of SONiC's bgp service loses it. M(scs.landscape.sonic_verify) tells then, and a further run adds it again.
    type: bool
    default: false
seealso:
  - module: scs.landscape.sonic_plan
  - module: scs.landscape.sonic_checkpoint
  - module: scs.landscape.sonic_verify
"""

EXAMPLES = r"""
- name: Add a VLAN and let a port join it
  scs.landscape.sonic_config_db:
    config:
      VLAN:
        Vlan100: {vlanid: 100}
      VLAN_MEMBER:
        Vlan100|Ethernet8: {tagging_mode: tagged}
  become: true

- name: See what a rendered configuration would change
  scs.landscape.sonic_config_db:
    src: "build/{{ inventory_hostname }}/config_db.json"
    state: overridden
  become: true
  check_mode: true
  diff: true

- name: Renumber the management network, which may lock us out
  scs.landscape.sonic_config_db:
    config:
      MGMT_INTERFACE:
        eth0|192.0.2.20/24: {gwaddr: 192.0.2.1}
    state: overridden
    max_impact: unreachable
    confirm_within: 60
  become: true
"""

RETURN = r"""
plan:
  description:
    - Digest, worst impact, and the steps in their order. Each has C(action) and C(object), the same as C(op) (C(add), C(replace),
      C(remove) of a row, or C(frr)) and C(path) of a patch, C(fields), C(impact), C(reason),
      and C(needs) where more than the row is needed. Secrets are masked.
  returned: success, and when the change is refused or fails
  type: dict
  sample:
    digest: 0123456789ab
    impact: none
    steps:
      - {action: create, object: VLAN|Vlan100, op: add, path: /VLAN/Vlan100, fields: [vlanid], impact: none, reason: a VLAN is added}
diff:
  description: Rows before and after, one field a line. Secrets are masked.
  returned: success
  type: dict
steps_done:
  description: Number of rows written; 0 in check mode.
  returned: success, and when the change fails
  type: int
checkpoint:
  description: Name of the checkpoint on the switch.
  returned: success, and when the change fails
  type: str
rolled_back:
  description: Whether the switch was brought back, or brought itself back.
  returned: success, and when the change fails
  type: bool
verify:
  description:
    - C(ok), C(problems) that the change made, C(known_before) that were there already, and whether bgp was restarted (C(restarted_bgp)).
    - Seconds between both looks where there were two (C(held)).
  returned: when something was written
  type: dict
strategy_used:
  description: How it was written; empty when nothing had to be.
  returned: success
  type: str
strategy_reason:
  description: Why so.
  returned: success
  type: str
saved:
  description: Whether the configuration was saved.
  returned: success
  type: bool
seconds:
  description: Seconds since the beginning until it was C(read), C(written), C(verified), and C(all) was done.
  returned: success
  type: dict
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError

_RUNTIME = ["BUFFER_PG", "BUFFER_PROFILE", "FLEX_COUNTER_TABLE", "LOGGER", "SYSTEM_DEFAULTS", "VERSIONS"]
_RELEASES = ["202211", "202305", "202311", "202405", "202411", "202505", "202511", "202605"]

ARGUMENTS = {
    "config": {"type": "dict"},
    "src": {"type": "path"},
    "state": {"type": "str", "choices": ["merged", "replaced", "overridden", "deleted"], "default": "merged"},
    "tables": {"type": "list", "elements": "str", "default": []},
    "strategy": {"type": "str", "choices": ["auto", "patch", "ordered", "reload"], "default": "auto"},
    "max_impact": {
        "type": "str",
        "choices": ["none", "degraded", "interrupted", "unreachable", "destroyed"],
        "default": "degraded",
    },
    "release": {"type": "str", "choices": _RELEASES},
    "ignore_tables": {"type": "list", "elements": "str", "default": _RUNTIME},
    "unsaved": {"type": "str", "choices": ["refuse", "accept"], "default": "refuse"},
    "save": {"type": "bool", "default": True},
    "confirm_within": {"type": "int", "default": 120},
    "verify_timeout": {"type": "int", "default": 30},
    "hold": {"type": "int", "default": 10},
    "lock_wait": {"type": "int", "default": 0},
    "checkpoint": {"type": "str"},
    "keep_checkpoints": {"type": "int", "default": 5},
    "frr_fixups": {"type": "bool", "default": False},
}
RULES = {"mutually_exclusive": [("config", "src")], "required_one_of": [("config", "src")]}


def main(_params, _check_mode):
    """Plans on the controller only."""
    raise LandscapeError("sonic_config_db plans on the controller: its action plugin of the same name is missing there")


if __name__ == "__main__":
    run_module(ARGUMENTS, main, **RULES)
