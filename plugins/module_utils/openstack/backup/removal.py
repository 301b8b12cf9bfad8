# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Removes what was decided to go: leaf first, and each looked at again right before, so that Cinder never has to refuse.

Cinder counts what stands on a backup a moment after that is gone, and somebody may put a new one on it at any time. A killed
task leaves nothing half done: the next one decides anew from what is there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ...core.errors import LandscapeError
from ...core.plan import Plan
from ...core.pool import each
from ..model import CloudError
from . import chains, lists, prune
from .cinder import Cinder
from .lists import Cleared, Listed
from .model import Backup
from .prune import Decision, Fate, Rules

#: Seconds in which Cinder has counted what is gone; its manager does so right after the removal.
_SETTLE = 60.0


@dataclass
class Outcome:
    """What became of a decision.

    :param removed: ids.
    :param stayed: why one stays that should have gone, by id; no failure: somebody needs it now.
    :param failed: what went wrong, by id.
    :param lists: what became of lists of digests.
    """

    removed: list[str] = field(default_factory=list)
    stayed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    lists: Cleared = field(default_factory=Cleared)


class Removal:
    """Removes backups.

    :param told: parents that records tell.
    :param timeout: seconds in which one backup must be gone.
    """

    def __init__(
        self,
        cinder: Cinder,
        rules: Rules,
        told: Mapping[str, str] | None = None,
        *,
        timeout: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cinder, self._rules, self._told = cinder, rules, told
        self._timeout, self._clock, self._sleep = timeout, clock, sleep

    def apply(self, decision: Decision, parallel: int, listed: Sequence[Listed] = ()) -> Outcome:
        """Removes what goes, volumes beside each other, the backups of one volume one after the other.

        :param listed: lists of digests that go with them, when all went well and no backup that is there then names them.
        """
        done = Outcome()
        each(decision.by_volume(), lambda ones: self._volume(ones, done), parallel)
        if listed and not done.failed:
            done.lists = lists.clear(listed, self._cinder.backups())
        return done

    def _volume(self, ones: Sequence[Backup], done: Outcome) -> None:
        for one in ones:
            try:
                reasons = self._when_free(one)
                if reasons:
                    done.stayed[one.id] = reasons
                    continue
                if reasons is not None:
                    self._remove(one)
            except LandscapeError as error:
                done.failed[one.id] = str(error)
                return  # what it stands on cannot go either
            done.removed.append(one.id)

    def _when_free(self, one: Backup) -> tuple[str, ...] | None:
        """Empty when it may go now; reasons why it stays; nothing when somebody else has removed it."""
        end, attempt = self._clock() + _SETTLE, 0
        while True:
            found = [other for other in self._cinder.backups(volume_id=one.volume) if other.project == one.project]
            if all(other.id != one.id for other in found):
                return None
            fate, holders = self._fate(one, found)
            if fate.goes and not fate.backup.dependents and not holders:
                return ()
            passing = all(holder.status == "deleting" for holder in holders)
            if fate.needed or not passing or self._clock() >= end:
                return fate.why if not fate.goes else ("others still stand on it",)
            self._sleep(min(0.5 * 2**attempt, 5.0))
            attempt += 1

    def _fate(self, one: Backup, found: Sequence[Backup]) -> tuple[Fate, tuple[Backup, ...]]:
        """What is to become of a backup now, and all that stands on it, whether that goes or stays."""
        decision = prune.decide(found, self._rules, self._told)
        fate = next((fate for fate in decision.fates if fate.backup.id == one.id), None)
        if fate is None:
            raise LandscapeError(f"backup {one} is not ours any more, so it stays")
        return fate, chains.holders(chains.build(found, self._told)).get(one.id, ())

    def _remove(self, one: Backup) -> None:
        try:
            self._cinder.delete_backup(one.id)
        except CloudError as error:
            # A request whose answer was lost was repeated, and then refused because it is under way.
            now = self._cinder.backup(one.id) if error.status == 400 else one
            if now is not None and now.status != "deleting":
                raise
        end, attempt = self._clock() + self._timeout, 0
        while True:
            now = self._cinder.backup(one.id)
            if now is None:
                return
            if now.status.startswith("error"):
                raise LandscapeError(f"backup {one} was not removed: {now.failure or now.status}")
            if self._clock() >= end:
                raise LandscapeError(f"backup {one} is still {now.status} after {self._timeout:.0f} s")
            self._sleep(min(0.3 * 1.5**attempt, 3.0))
            attempt += 1


def unnamed_lists(
    cinder: Cinder, params: Mapping[str, Any], backups: Sequence[Backup], decision: Decision, now: float
) -> lists.Unnamed:
    """Lists of digests that no backup names once a decision is carried out; nothing without the option ``digests``.

    :param now: seconds since the epoch.
    :raises InputError: the folder cannot be read.
    """
    if not params["digests"]:
        return lists.Unnamed()
    going = {one.id for one in decision.going}
    volumes = {one.volume for one in backups} | {one.id for one in cinder.volumes()}
    if params["volumes"]:
        volumes &= set(params["volumes"])
    staying = [one for one in backups if one.id not in going]
    return lists.unnamed(
        lists.listed(params["digests"]), staying, volumes, cinder.cloud.project_id, now, params["digests_days"]
    )


def plan_of(decision: Decision, found: lists.Unnamed) -> Plan:
    """All steps: backups, then lists of digests."""
    return Plan((*decision.plan.steps, *found.steps()))


def count(done: Outcome) -> int:
    """How many steps were done."""
    return len(done.removed) + len(done.lists.removed)


def values(decision: Decision, done: Outcome | None) -> dict[str, Any]:
    """The return values of a task; without an outcome, what would be."""
    tried = done or Outcome(removed=[one.id for one in decision.going])
    deleted = [fate for fate in decision.fates if fate.backup.id in tried.removed]
    kept = [prune.as_dict(fate) for fate in decision.fates if not fate.goes]
    for fate in decision.fates:
        if fate.goes and fate.backup.id not in tried.removed:
            why = tried.stayed.get(fate.backup.id) or ("it was not reached",)
            kept.append({**prune.as_dict(fate), "why": list(why)})
    return {
        "deleted": [prune.as_dict(fate) for fate in deleted],
        "kept": [one for one in kept if one["id"] not in tried.failed],
        "blocked": [one for one in kept if _is_blocked(one, decision, tried)],
        "failed_backups": [{"id": key, "reason": reason} for key, reason in sorted(tried.failed.items())],
        "untouched": len(decision.others),
    }


def _is_blocked(one: Mapping[str, Any], decision: Decision, tried: Outcome) -> bool:
    """Whether nothing needs a backup but those that stand on it."""
    if one["id"] in tried.failed:
        return False
    return any(fate.backup.id == one["id"] and not fate.needed for fate in decision.fates)


def failure(done: Outcome | None) -> str:
    """Why the task fails, empty when it does not."""
    return "\n".join(dict.fromkeys([*done.failed.values(), *done.lists.failed.values()])) if done else ""
