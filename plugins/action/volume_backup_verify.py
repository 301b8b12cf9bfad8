# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Action plugin: prove backups of volumes, with live progress."""

from __future__ import annotations

import importlib.util
from typing import Any

from ansible.utils.display import Display

from ansible_collections.scs.landscape.plugins.module_utils.core import stream
from ansible_collections.scs.landscape.plugins.plugin_utils.controller import ControllerAction


class ActionModule(ControllerAction):
    """The module of the same name, in Ansible's own process where that is possible: only there it can say how far it is."""

    MODULE = "volume_backup_verify"

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """See :class:`ActionBase`."""
        with stream.heard_by(lambda line: Display().display(f"  {line}")):
            return super().run(tmp, task_vars)

    def _is_ours(self) -> bool:
        # The SDK may be installed for the interpreter of the task and not for Ansible's own.
        return super()._is_ours() and importlib.util.find_spec("openstack") is not None
