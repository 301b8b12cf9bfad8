# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The whole task: read, plan, switch, remove, read back."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ....core.errors import LandscapeError
from ....core.plan import Plan
from ....core.pool import Outcome, each
from ..catalogue.model import RETIRED, Entry
from ..glance import Glance
from . import expiry, plan
from .expiry import End
from .plan import Move, Rules, Turn, version_of
from .usage import Usage


@dataclass(frozen=True)
class Options:
    """How far a task may go.

    :param remove: whether images may be removed at all.
    :param grace_days: how long a replaced image stays at least.
    :param partial_view: whether images may go although the token does not see all projects.
    :param absent: services that the cloud does not have, says the operator.
    """

    rules: Rules
    remove: bool = False
    grace_days: float = 30
    partial_view: bool = False
    parallel: int = 4
    absent: tuple[str, ...] = ()


def options_of(params: Mapping[str, Any], now: float, check_mode: bool = False) -> Options:
    """The options of a task.

    :param now: seconds since 1970.
    """
    rules = Rules(
        expiry.time_text(now),
        params["old_purpose"],
        params["retired_visibility"] or "",
        tuple(params["retire"]),
        foresee=check_mode and params["foresee"],
    )
    absent = tuple(params["absent_services"])
    return Options(
        rules, params["delete"], params["grace_days"], params["partial_view"], params["max_parallel"], absent
    )


@dataclass
class Outcomes:
    """What was planned and what became of it.

    :param switched: names of the entries whose moves were all done; nothing while none was tried.
    :param gone: ids of the images that were removed; nothing while none was tried.
    """

    turns: list[Turn]
    ends: list[End]
    errors: dict[str, str] = field(default_factory=dict)
    done: int = 0
    switched: list[str] | None = None
    gone: list[str] | None = None

    @property
    def removed(self) -> list[End]:
        """Images that go, as it was planned."""
        return [end for end in self.ends if not end.reason]

    def stays(self, end: End) -> str:
        """Why an image stays, empty when it goes or went."""
        if end.reason or self.gone is None or str(end.image["id"]) in self.gone:
            return end.reason
        return self.errors.get(_title(end)) or f"not removed: {self.errors.get(end.entry.name, 'the run ended')}"

    @property
    def plan(self) -> Plan:
        """All steps: switches first, then what goes."""
        moves = [move.step() for turn in self.turns for move in turn.moves]
        return Plan((*moves, *(end.step() for end in self.removed)))


class Lifecycle:
    """Images of a catalogue in one cloud.

    :param cloud: :class:`...client.Cloud`.
    """

    def __init__(self, cloud: Any, options: Options) -> None:
        self._cloud = cloud
        self._glance = Glance(cloud)
        self._options = options

    def plan(self, entries: Sequence[Entry]) -> Outcomes:
        """What is to be done now."""
        turns = self._turns(entries)
        ends = expiry.ends(turns, self._options.rules, self._options.grace_days)
        if not self._options.remove:
            return Outcomes(turns, [_kept(end) for end in ends])
        return Outcomes(turns, self._looked_at(ends))

    def _turns(self, entries: Sequence[Entry]) -> list[Turn]:
        images = self._glance.images(self._cloud.project_id)
        generic = {"visibility": "public", "os_purpose": plan.GENERIC, "os_hidden": "false", "limit": 500}
        foreign = list(self._cloud.pages("image", "/images", "images", **generic))
        return plan.turns(entries, images, foreign, self._options.rules)

    def _looked_at(self, ends: list[End]) -> list[End]:
        """The same with those who use them now; one look for all of them."""
        usage = Usage(self._cloud, self._options.parallel, self._options.absent)
        users = usage.of([str(end.image["id"]) for end in ends if not end.reason])
        narrow = "" if self._options.partial_view else usage.narrow
        return expiry.with_users(ends, users, narrow, usage.blind)

    def apply(self, found: Outcomes) -> None:
        """Does what is planned; the failure of one image does not end the others."""
        found.switched, found.gone = [], []
        turns = [turn for turn in found.turns if turn.moves]
        for outcome in each(turns, self._switch, self._options.parallel):
            name = outcome.item.entry.name
            if self._is_done(found, outcome, name, len(outcome.item.moves)):
                found.switched.append(name)
        # What could not be switched is not removed either.
        ends = [end for end in found.removed if end.entry.name not in found.errors]
        for gone in each(self._unused(found, ends), self._remove, self._options.parallel):
            if self._is_done(found, gone, _title(gone.item), 1):
                found.gone.append(str(gone.item.image["id"]))

    @staticmethod
    def _is_done(found: Outcomes, outcome: Outcome[Any], name: str, steps: int) -> bool:
        if outcome.error:
            found.errors[name] = str(outcome.error)
        else:
            found.done += steps
        return not outcome.error

    def _unused(self, found: Outcomes, ends: list[End]) -> list[End]:
        """Those that still nobody uses: time has passed since the plan."""
        try:
            looked = self._looked_at(ends)
        except LandscapeError as error:
            found.errors.update({_title(end): str(error) for end in ends})
            return []
        found.errors.update({_title(end): end.reason for end in looked if end.reason})
        return [end for end in looked if not end.reason]

    def verify(self, entries: Sequence[Entry], found: Outcomes) -> None:
        """Reads back: nothing is left to do about what was switched."""
        changed = [one for one in entries if one.name not in found.errors]
        left = {turn.entry.name for turn in self._turns(changed) if turn.moves}
        for turn in found.turns:
            if turn.moves and turn.entry.name in left:
                found.errors.setdefault(turn.entry.name, "it is not as it should be after it was switched")

    def _switch(self, turn: Turn) -> None:
        """All moves of an entry in their order; what was done is undone when one fails."""
        begun: list[Move] = []
        try:
            for move in turn.moves:
                begun.append(move)
                self._glance.converge(move.image, move.changes)
        except LandscapeError:
            # The first error is the one that counts. Where going back fails, going further back could take the name away.
            with contextlib.suppress(LandscapeError):
                for move in reversed(begun):
                    self._undo(move)
            raise

    def _undo(self, move: Move) -> None:
        """What an image had before. The move that failed may have been done: its answer can be lost, so the image is asked."""
        now = self._glance.show(str(move.image["id"]))
        if now is not None:
            self._glance.converge(now, _settable({name: move.image.get(name) for name in move.changes}))

    def _remove(self, end: End) -> None:
        """Looks at the image once more: somebody may have changed it since the plan."""
        identifier = str(end.image["id"])
        now = self._glance.show(identifier)
        if now is None:
            return
        reason = "" if version_of(now, end.entry) else "it is no image of this entry any more"
        if reason or not now.get("os_hidden") or not now.get(RETIRED) or now.get("protected"):
            raise LandscapeError(reason or "somebody offers or protects it again", hint="It stays")
        self._glance.remove(identifier)


def _title(end: End) -> str:
    return f"{end.entry.name} ({end.image['id']})"


def _settable(before: Mapping[str, Any]) -> dict[str, Any]:
    """What an image had, for going back; attributes that cannot be taken away get their default."""
    defaults: dict[str, Any] = {"os_hidden": False, "min_disk": 0, "min_ram": 0, "tags": []}
    return {name: defaults.get(name) if value is None else value for name, value in before.items()}


def _kept(end: End) -> End:
    return end if end.reason else End(end.entry, end.image, "removal is not switched on")


def values(found: Outcomes, catalogue: Sequence[str] = ()) -> dict[str, Any]:
    """The return values of a task.

    :param catalogue: files and folders that the entries are from.
    """
    # In check mode nothing was tried, and this says what would be.
    tried = found.switched is not None
    moves = [
        move for turn in found.turns for move in turn.moves if not tried or turn.entry.name in (found.switched or ())
    ]
    stays = [(end, found.stays(end)) for end in found.ends]
    imports = [(turn.entry, version) for turn in found.turns for version in turn.missing]
    return {
        "imports": [plan.import_of(*one, catalogue) for one in imports if one[1].provable],
        "rotated": _by_kind(moves, "offer", "finish"),
        "retired": _by_kind(moves, "retire"),
        "deleted": [{"id": end.image["id"], "name": end.image.get("name")} for end, reason in stays if not reason],
        "blocked": [expiry.as_dict(replace(end, reason=reason)) for end, reason in stays if reason]
        + _rivals(found.turns),
        "entries": {turn.entry.name: _entry(turn, found.errors) for turn in found.turns},
    }


def _by_kind(moves: Sequence[Move], *kinds: str) -> list[dict[str, Any]]:
    found = {str(move.image["id"]): move for move in moves if move.kind in kinds}
    return [{"id": identifier, "entry": move.entry} for identifier, move in found.items()]


def _rivals(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    return [
        {
            "id": None,
            "name": turn.entry.name,
            "entry": turn.entry.name,
            "reason": turn.blocked,
            "rivals": list(turn.rivals),
        }
        for turn in turns
        if turn.blocked
    ]


def _entry(turn: Turn, errors: Mapping[str, str]) -> dict[str, Any]:
    state = "missing" if turn.missing else "changed" if turn.moves else "unchanged"
    if turn.blocked or turn.entry.name in errors:
        state = "failed"
    return {
        "state": state,
        "missing": [version.version for version in turn.missing],
        "reason": errors.get(turn.entry.name) or turn.blocked,
    }


def warnings(found: Outcomes) -> list[str]:
    """What people should know."""
    return [
        f"image {turn.entry.name}: version {version.version} has no digest in the catalogue, so it is not imported"
        for turn in found.turns
        for version in turn.missing
        if not version.provable
    ]


def failure(found: Outcomes) -> str:
    """Why the task fails, empty when it does not."""
    blocked = {turn.entry.name: turn.blocked for turn in found.turns if turn.blocked}
    return "\n".join(f"image {name}: {reason}" for name, reason in {**blocked, **found.errors}.items())
