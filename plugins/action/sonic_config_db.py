# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Action plugin: change the configuration of a running switch."""

from __future__ import annotations

import uuid
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Impact
from ansible_collections.scs.landscape.plugins.module_utils.sonic import client, fleet
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import change
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.model import Settings
from ansible_collections.scs.landscape.plugins.plugin_utils.switch_link import SwitchAction, SwitchLink, owner

_SAME = (
    "state",
    "strategy",
    "unsaved",
    "save",
    "confirm_within",
    "verify_timeout",
    "hold",
    "lock_wait",
    "keep_checkpoints",
    "frr_fixups",
)


class ActionModule(SwitchAction):
    """Plans here, writes there."""

    MODULE = "sonic_config_db"

    def work(self, link: SwitchLink, options: dict[str, Any]) -> dict[str, Any]:
        """See :class:`SwitchAction`."""
        config, tables = options["config"], tuple(options["tables"])
        if options["src"] is not None:
            path = self.path(options["src"])
            config = client.load_json(path)
            tables += (
                tuple(sorted(frozenset().union(*fleet.written([path]).values())))
                if options["state"] == "overridden"
                else ()
            )
        settings = Settings(
            config=config,
            token=uuid.uuid4().hex,
            owner=owner(),
            tables=tables,
            max_impact=Impact[options["max_impact"].upper()],
            release=options["release"] or "",
            ignore_tables=tuple(options["ignore_tables"]),
            checkpoint=options["checkpoint"] or "",
            **{name: options[name] for name in _SAME},
        )
        outcome = change.run(link, settings, check=self._task.check_mode)
        values = {**outcome.as_dict(), "warnings": outcome.warnings}
        return {**values, "failed": True, "msg": outcome.failed} if outcome.failed else values
