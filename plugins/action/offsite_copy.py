# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Action plugin: copies of a folder elsewhere, with live progress."""

from __future__ import annotations

import importlib.util
from typing import Any

from ansible.utils.display import Display

from ansible_collections.scs.landscape.plugins.module_utils.core import stream
from ansible_collections.scs.landscape.plugins.plugin_utils.controller import ControllerAction


class ActionModule(ControllerAction):
    """The module of the same name, in Ansible's own process where that is possible."""

    MODULE = "offsite_copy"

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """See :class:`ActionBase`."""
        with stream.heard_by(lambda line: Display().display(f"  {line}")):
            return super().run(tmp, task_vars)

    def _is_ours(self) -> bool:
        # The package may be installed for the interpreter of the task and not for Ansible's own.
        store = self._task.args.get("store")
        simple = isinstance(store, dict) and store.get("kind") == "directory"
        return super()._is_ours() and (simple or importlib.util.find_spec("boto3") is not None)
