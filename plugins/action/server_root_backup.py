# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Action plugin: back up root disks, with live progress."""

from __future__ import annotations

from ansible_collections.scs.landscape.plugins.plugin_utils.controller import CloudAction


class ActionModule(CloudAction):
    """The module of the same name, in Ansible's own process where that is possible."""

    MODULE = "server_root_backup"
