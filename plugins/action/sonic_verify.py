# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Action plugin: whether a running switch is what it should be."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import client
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import desired, errors, expected, verify
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.changing import Seen
from ansible_collections.scs.landscape.plugins.plugin_utils.switch_link import SwitchAction, SwitchLink

_SHOWN = 15


class ActionModule(SwitchAction):
    """Reads there, judges here."""

    MODULE = "sonic_verify"

    def work(self, link: SwitchLink, options: dict[str, Any]) -> dict[str, Any]:
        """See :class:`SwitchAction`."""
        end, wanted, tries = time.monotonic() + options["timeout"], None, 0
        while True:
            answer = self._ask(link, "read", verify.include(options["checks"], (wanted and wanted.ecmp) or ()))
            seen, tries = Seen.of(link.name, answer), tries + 1
            if wanted is None:
                wanted = self._expected(options, seen)
                if wanted.ecmp and "ecmp" in options["checks"]:  # what it is may depend on what was read
                    answer.update(self._ask(link, "look", verify.include(["ecmp"], wanted.ecmp)))
            found = verify.faults(seen, wanted, options["checks"])
            if not found or time.monotonic() >= end:
                break
            time.sleep(2)
        unjudged = verify.unjudged(seen, wanted, options["checks"])
        result = {
            "changed": False,
            "ok": not found,
            "failures": [one.as_dict() for one in found],
            "unjudged": unjudged,
            "sessions": verify.sessions_of(seen, wanted),
            "ecmp": verify.ways_of(seen, wanted),
            "tries": tries,
            "warnings": [f"{link.name}: {name} does not find every fault, {why}" for name, why in unjudged.items()],
        }
        if not found or options["on_failure"] == "report":
            return result
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        message = "; ".join(str(one) for one in found[:_SHOWN])
        return {**result, "failed": True, "msg": f"{link.name} is not as it should be: {message}{more}"}

    @staticmethod
    def _ask(link: SwitchLink, call: str, include: list[str]) -> dict[str, Any]:
        answer = link.ask(call, include=include)
        if answer.get("error"):
            raise errors.error(link.name, answer)
        return answer

    def _expected(self, options: dict[str, Any], seen: Seen) -> verify.Expected:
        """What the options say should be there."""
        base = verify.Expected()
        if options["landscape"]:
            base = expected.of(
                options["name"] or seen.name,
                [self.path(path) for path in options["landscape"]],
                options["release"] or seen.release,
                unmodelled=options["unmodelled"],
                secrets=options["secrets"],
                bgp_with=options["bgp_with"],
            )
        elif options["bgp_with"]:
            raise InputError("bgp_with needs landscape: nobody else knows which cable leads to whom")
        more: dict[str, Any] = {"ignore": tuple(options["ignore_tables"]), "max_errors": options["max_errors"]}
        config = options["config"] if options["src"] is None else client.load_json(self.path(options["src"]))
        if config is not None:
            more["config"] = desired.given(config, "overridden")
        if options["cables"]:
            more["cables"] = tuple(
                verify.Cable(one["port"], one["system"], tuple(one["ports"])) for one in options["cables"]
            )
        if options["ecmp"]:
            more["ecmp"] = {str(prefix): int(width) for prefix, width in options["ecmp"].items()}
        return expected.with_more(base, **more)
