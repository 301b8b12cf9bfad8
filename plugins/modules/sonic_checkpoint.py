# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: what a running switch was, and the way back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sonic_checkpoint
short_description: Keep what a running SONiC switch is, and bring it back to that
version_added: 0.3.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - A checkpoint holds all rows of CONFIG_DB, the saved configuration and FRR's. It lies on the switch, below
    C(/var/lib/scs-landscape), and belongs to root, for it holds secrets.
  - M(scs.landscape.sonic_config_db) makes one before every change. These are thinned, those with a name of their own are not.
  - The way back to a checkpoint is a change like any other, in order, armed and proven.
  - Decides about a change that waits for its confirmation, too, when whoever made it is gone.
extends_documentation_fragment:
  - scs.landscape.attributes
options:
  state:
    description:
      - V(present) makes a checkpoint of what is there now unless there is one of that name, V(absent) removes it, V(listed) only looks.
      - V(rolled_back) with O(name) brings the switch to that checkpoint, without O(name) undoes the change that waits at once.
      - V(confirmed) keeps and saves the change that waits. Where it cannot be saved the switch comes back at once, and the task fails.
    type: str
    choices: [present, absent, listed, rolled_back, confirmed]
    default: present
  name:
    description: Name of the checkpoint, of letters, digits, dots, dashes.
    type: str
  max_impact:
    description: Refuse a way back that does more than this, see M(scs.landscape.sonic_config_db).
    type: str
    choices: [none, degraded, interrupted, unreachable, destroyed]
    default: destroyed
  confirm_within:
    description: Seconds after which the way back itself is undone unless it was confirmed, 15 to 3600.
    type: int
    default: 120
  hold:
    description: Seconds that the switch must go on to show what it should after the way back, see M(scs.landscape.sonic_config_db).
    type: int
    default: 10
  release:
    description: SONiC release the switch is like, where its image does not say one that is known.
    type: str
    choices: ['202211', '202305', '202311', '202405', '202411', '202505', '202511', '202605']
seealso:
  - module: scs.landscape.sonic_config_db
"""

EXAMPLES = r"""
- name: Keep what the switch is before the big change
  scs.landscape.sonic_checkpoint:
    name: before-renumbering
  become: true

- name: Go back to it
  scs.landscape.sonic_checkpoint:
    name: before-renumbering
    state: rolled_back
  become: true
"""

RETURN = r"""
checkpoints:
  description: Checkpoints on the switch, the oldest first.
  returned: success, but not after the way back to one
  type: list
  elements: dict
  sample: [{name: before-renumbering, time: 1767225600, bytes: 40960}]
pending:
  description: The change that waits for its confirmation.
  returned: success, but not after the way back to one
  type: dict
rolled_back:
  description: Whether a change that waited was undone; after the way back to a checkpoint, whether that itself was undone.
  returned: success, and for a change that could not be saved
  type: bool
saved:
  description: Whether the configuration was saved.
  returned: success, and for a change that could not be saved
  type: bool
plan:
  description: The way back to a checkpoint, see M(scs.landscape.sonic_config_db), as all else that is returned then.
  returned: for the way back to a checkpoint
  type: dict
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError

_RELEASES = ["202211", "202305", "202311", "202405", "202411", "202505", "202511", "202605"]

ARGUMENTS = {
    "state": {
        "type": "str",
        "choices": ["present", "absent", "listed", "rolled_back", "confirmed"],
        "default": "present",
    },
    "name": {"type": "str"},
    "max_impact": {
        "type": "str",
        "choices": ["none", "degraded", "interrupted", "unreachable", "destroyed"],
        "default": "destroyed",
    },
    "confirm_within": {"type": "int", "default": 120},
    "hold": {"type": "int", "default": 10},
    "release": {"type": "str", "choices": _RELEASES},
}


def main(_params, _check_mode):
    """Thinks on the controller only."""
    raise LandscapeError(
        "sonic_checkpoint thinks on the controller: its action plugin of the same name is missing there"
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
