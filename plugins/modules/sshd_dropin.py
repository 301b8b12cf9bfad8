# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: change the SSH server without locking anybody out."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sshd_dropin
short_description: Harden the SSH server without losing the login
version_added: 0.1.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Writes a file into C(/etc/ssh/sshd_config.d), after C(sshd) has judged the whole configuration with it.
  - Before anything is changed a timer is armed on the host that puts the old file back. Only a confirmation stops it. A
    controller that vanishes in between therefore loses nothing but the change.
  - Over a connection of the type P(ansible.builtin.ssh#connection) the action plugin of the same name proves a second login
    by a new connection of its own, with a key and nothing else, and confirms; or rolls back at once. So passwords are never
    turned off before a key has been proven, and O(settings) that leave us out (C(AllowUsers), another port that is
    blocked) do not stay.
  - Over other connections the change waits for a task with O(state=confirmed), which the play runs after a proof of its own.
  - A new port is opened beside the old one. The old one is closed when a login over the new one is proven.
extends_documentation_fragment:
  - scs.landscape.attributes
options:
  state:
    description:
      - V(present) writes the file, V(absent) removes it, both guarded by the timer.
      - V(confirmed) keeps a change that waits. V(rolled_back) undoes it at once.
    type: str
    choices: [present, absent, confirmed, rolled_back]
    default: present
  name:
    description:
      - Name of the file without C(.conf). Files are read in the order of their names and the first value of a key wins, so
        that names should begin with a small number.
    type: str
    default: 10-scs-landscape
  settings:
    description:
      - Keys and values of sshd_config(5), merged over the defaults of O(hardening). Lists become several lines.
      - C(Match) and C(Include) are refused. A value that another file overrules is refused, too.
    type: dict
    default: {}
  hardening:
    description:
      - Whether the safe defaults are part of the file. No passwords and no empty ones, root with a key only, no X11
        forwarding, no environment of users, 4 attempts, 30 s for a login, dead connections end after 5 min.
    type: bool
    default: true
  confirm_within:
    description: Seconds after which the change is rolled back unless it was confirmed.
    type: int
    default: 120
  token:
    description: Which change is meant by V(confirmed) and V(rolled_back), as returned. The one that waits when absent.
    type: str
  lock_wait:
    description: Seconds to wait for another run on the same host.
    type: int
    default: 10
seealso:
  - module: scs.landscape.node_state
"""

EXAMPLES = r"""
- name: Harden the SSH server
  scs.landscape.sshd_dropin:
  become: true

- name: Another port, and only operators
  scs.landscape.sshd_dropin:
    settings:
      Port: 2222
      AllowGroups: [operators]
  become: true

- name: Confirm after a proof of our own, where the connection is not SSH
  scs.landscape.sshd_dropin:
    state: confirmed
    token: "{{ changed_ssh.token }}"
  become: true
"""

RETURN = r"""
plan:
  description: Digest, impact and steps.
  returned: success
  type: dict
steps_done:
  description: Number of steps done.
  returned: success
  type: int
armed:
  description: Whether the change waits for a confirmation and will be rolled back without one.
  returned: success
  type: bool
token:
  description: Names the change that waits.
  returned: success
  type: str
prove_ports:
  description: Ports on which a login has to be proven.
  returned: success
  type: list
  elements: int
confirm_within:
  description: Seconds until the change is rolled back.
  returned: success
  type: int
rolled_back:
  description: Whether a change was undone.
  returned: always
  type: bool
proof:
  description: What the second login said, by port. Over SSH connections only.
  returned: when a login was tried
  type: dict
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.node.client import Host
from ansible_collections.scs.landscape.plugins.module_utils.node.sshd import HARDENING
from ansible_collections.scs.landscape.plugins.module_utils.node.sshd_change import Change


def main(params, check_mode, host):
    """Changes the SSH server of this host."""
    settings = {**(HARDENING if params["hardening"] else {}), **params["settings"]}
    state, token = params["state"], params["token"] or ""
    change = Change(host, params["name"], settings if state == "present" else None, params["confirm_within"])
    if state == "confirmed":
        done = change.confirm(token, check=check_mode)
    elif state == "rolled_back":
        done = change.roll_back(token, check=check_mode)
    else:
        done = change.apply(check=check_mode, patience=params["lock_wait"])
    path = change.path
    shown = {"before_header": path, "after_header": path, "before": done.before, "after": done.after}
    return Result(
        changed=bool(done.plan),
        plan=done.plan,
        diff=[shown] if done.before != done.after else [],
        steps_done=done.steps_done,
        warnings=done.warnings,
        values={
            "armed": bool(done.token),
            "token": done.token,
            "prove_ports": done.prove,
            "confirm_within": params["confirm_within"],
            "rolled_back": done.rolled_back,
        },
    )


SPEC = {
    "state": {"type": "str", "choices": ["present", "absent", "confirmed", "rolled_back"], "default": "present"},
    "name": {"type": "str", "default": "10-scs-landscape"},
    "settings": {"type": "dict", "default": {}},
    "hardening": {"type": "bool", "default": True},
    "confirm_within": {"type": "int", "default": 120},
    "token": {"type": "str", "no_log": False},
    "lock_wait": {"type": "int", "default": 10},
}


if __name__ == "__main__":
    run_module(SPEC, main, client=Host)
