# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Action plugin: seal the secrets of a project into a file and import them; only Ansible's own process has ansible-vault."""

from __future__ import annotations

from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.openstack.keys import seal
from ansible_collections.scs.landscape.plugins.plugin_utils.controller import CloudAction
from ansible_collections.scs.landscape.plugins.plugin_utils.vaulting import vault_of


class ActionModule(CloudAction):
    """The module of the same name, in Ansible's own process where that is possible."""

    MODULE = "secret_bundle"

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """See :class:`ActionBase`."""
        with seal.vault_by(vault_of(self._loader)):
            return super().run(tmp, task_vars)
