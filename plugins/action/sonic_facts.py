# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Action plugin: what a running switch is."""

from __future__ import annotations

from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import errors, facts
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.changing import Seen
from ansible_collections.scs.landscape.plugins.plugin_utils.switch_link import SwitchAction, SwitchLink


class ActionModule(SwitchAction):
    """Reads there, tells here without secrets."""

    MODULE = "sonic_facts"

    def work(self, link: SwitchLink, options: dict[str, Any]) -> dict[str, Any]:
        """See :class:`SwitchAction`."""
        answer = link.ask("read", include=facts.include(options["gather"]))
        if answer.get("error"):
            raise errors.error(link.name, answer)
        return {"changed": False, "switch": facts.facts(Seen.of(link.name, answer), options["ignore_tables"])}
