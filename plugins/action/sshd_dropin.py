# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Action plugin: change the SSH server, and prove a second login before the change is kept."""

from __future__ import annotations

from ansible_collections.scs.landscape.plugins.plugin_utils.second_login import GuardedAction


class ActionModule(GuardedAction):
    """The module of the same name, with a proof."""

    MODULE = "scs.landscape.sshd_dropin"
    THING = "the SSH server"
