# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Action plugin: what a running switch was, and the way back to it."""

from __future__ import annotations

import uuid
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Impact
from ansible_collections.scs.landscape.plugins.module_utils.sonic import plan
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import change, desired, errors
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.model import Settings
from ansible_collections.scs.landscape.plugins.plugin_utils.switch_link import SwitchAction, SwitchLink, owner


class ActionModule(SwitchAction):
    """Keeps there, decides here."""

    MODULE = "sonic_checkpoint"

    def work(self, link: SwitchLink, options: dict[str, Any]) -> dict[str, Any]:
        """See :class:`SwitchAction`."""
        state, name = options["state"], options["name"] or ""
        if state in ("present", "absent") and not name:
            raise InputError(f"The state {state} needs a name")
        seen = self._ask(link, "read")
        if state == "rolled_back" and name:
            return self._way_back(link, name, seen, options)
        waiting, known = seen["pending"], [one["name"] for one in seen["checkpoints"]]
        changes = {
            "listed": False,
            "present": name not in known,
            "absent": name in known,
            "confirmed": bool(waiting),
            "rolled_back": bool(waiting),
        }[state]
        done: dict[str, Any] = {}
        if changes and not self._task.check_mode:
            if state in ("present", "absent"):
                self._ask(link, "checkpoint", what=state, name=name, owner=owner())
            elif state == "confirmed":
                done = link.ask("confirm", token=waiting["token"], save=True)
                if done.get("error"):
                    return self._undone(link, done, float(waiting["seconds"]))
            else:
                done = self._ask(link, "rollback", token=waiting["token"])
            seen = self._ask(link, "read")
        return {
            "changed": changes,
            "checkpoints": seen["checkpoints"],
            "pending": {key: value for key, value in seen["pending"].items() if key != "token"},
            "rolled_back": bool(done.get("rolled_back")),
            "saved": bool(done.get("saved")),
        }

    def _way_back(self, link: SwitchLink, name: str, seen: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        """To a checkpoint, as a change like any other: in order, armed and proven."""
        content = self._ask(link, "checkpoint", what="read", name=name)["content"]
        if not content:
            raise errors.error(link.name, {"error": "no_checkpoint", "data": {"name": name}})
        config, tables = desired.at_checkpoint(content["rows"], seen["rows"])
        settings = Settings(
            config=config,
            token=uuid.uuid4().hex,
            owner=owner(),
            state="overridden",
            tables=tables,
            ignore_tables=plan.RUNTIME_OWNED,
            max_impact=Impact[options["max_impact"].upper()],
            release=options["release"] or "",
            unsaved="accept",
            confirm_within=options["confirm_within"],
            hold=options["hold"],
        )
        outcome = change.run(link, settings, check=self._task.check_mode)
        values = {**outcome.as_dict(), "warnings": outcome.warnings}
        return {**values, "failed": True, "msg": outcome.failed} if outcome.failed else values

    @staticmethod
    def _undone(link: SwitchLink, answer: dict[str, Any], seconds: float) -> dict[str, Any]:
        """What became of a change that was to be confirmed and could not: it is not kept, and that is said.

        :raises LandscapeError: nothing was done.
        """
        error = errors.error(link.name, answer)
        if "rolled_back" not in answer:
            raise error
        is_back = bool(answer["rolled_back"])
        end = errors.brought_back(answer, seconds)
        return {"failed": True, "msg": f"{error}. {end}", "changed": is_back, "rolled_back": is_back, "saved": False}

    @staticmethod
    def _ask(link: SwitchLink, call: str, **request: Any) -> dict[str, Any]:
        answer = link.ask(call, **request)
        if answer.get("error"):
            raise errors.error(link.name, answer)
        return answer
