# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A change of one running switch from beginning to end: read, plan, apply, reconnect, verify, confirm."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from . import changing, errors, expect
from .changing import Change, Seen
from .model import RESERVE, Answered, Link, Outcome, Settings, Unreachable
from .proof import LOOK, Proof


def run(link: Link, settings: Settings, *, check: bool = False) -> Outcome:
    """Brings a switch to what is wanted; with ``check`` only tells the plan.

    :raises LandscapeError: before anything was written.
    """
    changing.check_settings(settings)
    return _Run(link, settings).go(check)


class _Run:
    """One change."""

    def __init__(self, link: Link, settings: Settings) -> None:
        self.link, self.settings = link, settings
        self.outcome = Outcome(diff={})
        self._times: dict[str, float] = {}
        self._began = link.now()
        self._armed_at = 0.0

    def go(self, check: bool) -> Outcome:
        seen = self._read(check)
        change = changing.make(seen, self.settings, str(seen.answer.get("frr", "")))
        outcome = self.outcome
        outcome.plan, outcome.changed = change.as_dict(), bool(change)
        outcome.diff = change.plan.text_diff() if change.steps else {}
        if change.fixups:
            lines = "".join(f"{section} / {line}\n" for section, line in change.fixups)
            outcome.diff = {**outcome.diff, "after": outcome.diff.get("after", "") + lines}
            outcome.diff.setdefault("before", "")
        outcome.strategy_used, outcome.strategy_reason = change.strategy, change.reason
        outcome.warnings += (
            [f"{item.path}: {item.reason}" for item in change.plan.obstacles if item.blocks != "all"][:5]
            if (change.strategy == "patch")
            else []
        )
        if not change:
            outcome.strategy_used = ""
            return self._timed("read")
        refused = changing.refusals(change, seen, self.settings)
        if refused:
            outcome.failed = "The change is refused: " + "; ".join(refused[:20])
            outcome.changed = False
        elif not check:
            self._timed("read")
            self._change(seen, change)
        return self._timed("all")

    def _timed(self, name: str) -> Outcome:
        self._times[name] = round(self.link.now() - self._began, 3)
        self.outcome.seconds = dict(self._times)
        return self.outcome

    # reading

    def _read(self, check: bool) -> Seen:
        include, end = ["frr"] if self.settings.frr_fixups else [], self.link.now() + self.settings.lock_wait
        while True:
            answer = self._ask("read", include=include)
            waiting = answer["pending"]
            if not waiting:
                self._loaded(answer)
                break
            owner = waiting["owner"]
            if waiting["seconds"] < -RESERVE or waiting["phase"] != "armed":
                # The timer should have ended it: it was killed, or the switch was rebooted. It goes before anything else.
                if check:
                    self.outcome.warnings.append(
                        f"{self.link.name}: a change of {owner} was not ended, a run would bring it back"
                    )
                    break
                self.link.say(f"{self.link.name}: a change of {owner} was left there, ending it first")
                self._ask("rollback", token=waiting["token"])
            elif self.link.now() < end:
                self.link.sleep(2.0)
            else:
                data = {**waiting, "seconds": round(waiting["seconds"])}
                raise errors.error(self.link.name, {"error": "pending", "data": data})
        return Seen.of(self.link.name, answer)

    def _loaded(self, answer: Mapping[str, Any]) -> None:
        """Refuses a switch that is starting: what it has not loaded yet would look as if it were to be created."""
        if not answer["initialised"]:
            why = "SONiC has not loaded its configuration"
            raise errors.error(self.link.name, {"error": "database_gone", "data": {"why": why}})

    def _ask(self, call: str, **request: Any) -> dict[str, Any]:
        """One call whose error is the task's."""
        answer = self.link.ask(call, **request)
        if answer.get("error"):
            raise errors.error(self.link.name, answer)
        return answer

    # changing

    def _change(self, seen: Seen, change: Change) -> None:
        self._seen, self._wanted = seen, change
        answer = self._apply(seen, change)
        if answer is None:
            return
        if self._left() <= 0:
            self._lost("its answer came too late")
            return
        self._timed("written")
        try:
            self.link.renew()
            problems = self._verified(seen, change, answer["before"])
        except Answered as error:
            # It answers, and not as it should: to wait for its timer would only leave it down for longer.
            self.outcome.verify = {"ok": False, "problems": [str(error)], "known_before": [], "restarted_bgp": False}
            self._back(str(error))
            return
        except Unreachable as error:
            self._lost(str(error))
            return
        self._timed("verified")
        if not problems and self._left() <= 0:
            problems = [f"it took longer than confirm_within ({self.settings.confirm_within} s) leaves for it"]
        if problems:
            more = f" and {len(problems) - 10} more" if len(problems) > 10 else ""
            self._back(f"{self.link.name} does not show what it should: {'; '.join(problems[:10])}{more}")
        else:
            self._confirm()

    def _apply(self, seen: Seen, change: Change) -> dict[str, Any] | None:
        """Writes; nothing when that failed, which is told then."""
        settings, outcome = self.settings, self.outcome
        self._armed_at = self.link.now()
        request: dict[str, Any] = {
            "token": settings.token,
            "owner": settings.owner,
            "digest": seen.digest,
            "steps": [list(step) for step in change.steps],
            "confirm_within": settings.confirm_within,
            "patience": max(5, settings.lock_wait),
            "include": list(LOOK),
            "keep": settings.keep_checkpoints,
            "checkpoint": settings.checkpoint,
            "fixups": [list(one) for one in change.fixups],
            "program": changing.program(change, settings),
        }
        if settings.frr_fixups:
            request["lines"] = [list(one) for one in expect.vnis(change.config)]
        try:
            answer = self._patiently(request)
        except Unreachable as error:
            self._lost(str(error))
            return None
        outcome.steps_done, outcome.checkpoint = int(answer.get("steps_done", 0)), str(answer.get("checkpoint", ""))
        if settings.checkpoint and outcome.checkpoint not in ("", settings.checkpoint):
            outcome.warnings.append(
                f"{self.link.name}: the checkpoint {settings.checkpoint} is there already and stays as it is; "
                f"{outcome.checkpoint} is the one of this change"
            )
        if not answer.get("error"):
            return answer
        if "rolled_back" not in answer:
            raise errors.error(self.link.name, answer)  # refused before the first write
        self._told(str(errors.error(self.link.name, answer)), answer)
        return None

    def _patiently(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Asks again while somebody else holds the switch."""
        end = self.link.now() + self.settings.lock_wait
        while True:
            self._armed_at = self.link.now()
            answer = self.link.ask("apply", **request)
            if answer.get("error") not in ("locked", "pending", "busy") or self.link.now() >= end:
                return answer
            self.link.say(f"{self.link.name}: waiting for {answer['data'].get('owner', 'another run')}")
            self.link.sleep(2.0)

    def _left(self) -> float:
        """Seconds until the switch brings itself back, less what a rollback by us takes."""
        return self._armed_at + self.settings.confirm_within - RESERVE - self.link.now()

    # verifying

    def _verified(self, seen: Seen, change: Change, before: Mapping[str, Any]) -> list[str]:
        """What the switch does not show although it should; empty when all is well."""
        proof = Proof(self.link, self.settings, change, before, self._left)
        problems = proof.problems(seen)
        if problems:
            self.outcome.verify = {
                "ok": False,
                "problems": problems,
                "known_before": sorted(proof.was),
                "restarted_bgp": proof.restarted,
            }
        else:
            self._reported(proof.was, change, proof.now, proof.restarted)
            self.outcome.verify["held"] = proof.held
        return problems

    def _reported(self, was: set[str], change: Change, now: Mapping[str, Any], restarted: bool) -> None:
        left = sorted(was)
        self.outcome.verify = {"ok": True, "problems": [], "known_before": left, "restarted_bgp": restarted}
        if left:
            self.outcome.warnings.append(f"{self.link.name}: was wrong before and still may be: {'; '.join(left[:5])}")
        lost = expect.lost(change.config, str(now["frr"])) if not self.settings.frr_fixups else []
        if lost:
            lines = ", ".join(f"`{section}` / `{line}`" for section, line in lost)
            self.outcome.warnings.append(
                f"{self.link.name}: no release brings {lines} into FRR; frr_fixups adds it until bgp restarts"
            )
        self.outcome.warnings += [f"{self.link.name}: {why}" for why in changing.unjudged(change)]
        others = changing.foreign(now["rows"], change)
        if others:
            self.outcome.warnings.append(f"{self.link.name}: somebody else changed {', '.join(others[:5])} meanwhile")

    # ending

    def _confirm(self) -> None:
        try:
            answer = self.link.ask("confirm", token=self.settings.token, save=self.settings.save)
        except Unreachable as error:
            self._lost(str(error))
            return
        if answer.get("error") and "rolled_back" not in answer:
            self._lost(str(errors.error(self.link.name, answer)))
        elif answer.get("error"):
            self._told(str(errors.error(self.link.name, answer)), answer)
        else:
            self.outcome.saved = bool(answer["saved"])

    def _back(self, message: str) -> None:
        """Lets the switch come back now."""
        try:
            answer = self.link.ask("rollback", token=self.settings.token)
        except Unreachable as error:
            self._lost(f"{message}. {error}")
            return
        if answer.get("error"):
            self._told(f"{message}. {errors.error(self.link.name, answer)}", answer)
        elif "rolled_back" not in answer:
            self._lost(message)  # nothing waits any more: whatever ended it, the switch knows
        else:
            self._told(message, answer)

    def _told(self, message: str, answer: Mapping[str, Any]) -> None:
        """A failure after which the switch came back, or did not."""
        outcome = self.outcome
        outcome.rolled_back = bool(answer.get("rolled_back"))
        outcome.changed = outcome.changed and not outcome.rolled_back
        outcome.failed = f"{message.rstrip('.')}. {errors.brought_back(answer, self.settings.confirm_within)}"

    def _lost(self, why: str) -> None:
        """Nobody can say how it ended: the switch comes back by itself, which is waited for."""
        outcome, name = self.outcome, self.link.name
        self.link.say(f"{name}: no answer ({why}), waiting until the change has ended there")
        end, seen = self._armed_at + self.settings.confirm_within + 60, None
        while self.link.now() < end:
            self.link.sleep(2.0)
            try:
                self.link.renew()
                answer = self.link.ask("read")
            except Unreachable:
                continue
            if answer.get("error"):
                continue
            if answer["pending"] and answer["pending"]["token"] == self.settings.token:
                self._hurry(answer["pending"])
                continue
            seen = answer
            # Before a change waits it holds the lock only, as long as it looks around.
            if (
                answer["last"].get("token") != self.settings.token
                and answer["lock"].get("owner") == self.settings.owner
            ):
                continue
            break
        if seen is not None:
            self._found(seen, why)
            return
        outcome.failed = (
            f"{name}: the connection was lost ({why}) and did not come back within {self.settings.confirm_within + 60} s. "
            f"The switch brings itself back. {errors.AGAIN}; if it does not, log in by the console"
        )

    def _hurry(self, waiting: Mapping[str, Any]) -> None:
        """Ends a change that its timer should have ended: whoever did that was killed."""
        if waiting["phase"] == "armed" and waiting["seconds"] < -RESERVE:
            with contextlib.suppress(Unreachable):
                self.link.ask("rollback", token=self.settings.token)

    def _found(self, answer: Mapping[str, Any], why: str) -> None:
        """What the switch ended at while nobody could see it."""
        outcome, name = self.outcome, self.link.name
        last = answer["last"]
        end = str(last.get("end")) if last.get("token") == self.settings.token else ""
        if not end and not changing.differing(answer["rows"], self._wanted):
            end = "confirmed"  # it could not write down how it ended
        if end == "confirmed":
            outcome.saved = self.settings.save
            outcome.warnings.append(
                f"{name}: the answer was lost while the change was confirmed ({why}); it is confirmed"
            )
            return
        if end == "rolled_back":
            outcome.rolled_back, outcome.changed = True, False
            said = "The switch brought itself back, nothing was saved"
        elif answer["digest"] == self._seen.digest:
            outcome.changed = False
            said = "The change was not begun, the switch is as it was. Run again"
        else:
            said = f"The switch is neither as it was nor as it was to be: somebody else changed it. {errors.AGAIN}"
        outcome.failed = f"{name}: the connection was lost ({why}). {said}"
