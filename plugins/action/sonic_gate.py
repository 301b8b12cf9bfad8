# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Action plugin: whether a rolling change may go on."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import errors, gate, verify
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.changing import Seen
from ansible_collections.scs.landscape.plugins.plugin_utils.switch_link import SwitchAction, SwitchLink

_SHOWN = 10


class ActionModule(SwitchAction):
    """Reads there, judges here."""

    MODULE = "sonic_gate"

    def work(self, link: SwitchLink, options: dict[str, Any]) -> dict[str, Any]:
        """See :class:`SwitchAction`."""
        progress = gate.Progress(
            options["name"] or link.name,
            {str(port): str(name) for port, name in options["links"].items()},
            {str(prefix): int(width) for prefix, width in options["ecmp"].items()},
            frozenset(options["pending"]),
            frozenset(options["leaving"]),
            gate.State.read(options["before"]),
        )
        end, tries = time.monotonic() + options["timeout"], 0
        while True:
            answer = link.ask("read", include=verify.include(gate.CHECKS, progress.ecmp))
            if answer.get("error"):
                raise errors.error(link.name, answer)
            seen, tries = Seen.of(link.name, answer), tries + 1
            found = gate.faults(seen, progress)
            if not found or time.monotonic() >= end:
                break
            time.sleep(2)
        result = {
            "changed": False,
            "ok": not found,
            "failures": [one.as_dict() for one in found],
            "state": gate.State.of(seen).as_dict(),
            "tries": tries,
            "warnings": gate.warnings(seen),
        }
        if not found or options["on_failure"] == "report":
            return result
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        message = "; ".join(str(one) for one in found[:_SHOWN])
        return {**result, "failed": True, "msg": f"{link.name} does not let the change go on: {message}{more}"}
