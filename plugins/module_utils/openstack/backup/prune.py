# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which backups go, which stay, and what holds those that stay. Pure.

Only ours go. Slots are filled by what can be restored and was not refuted; what a kept one stands on stays as well, whoever
made it. What nothing needs goes leaf first.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.plan import Impact, Plan, Step
from . import chains, gfs, model
from .chains import Chain
from .decide import only_one
from .model import Backup, moment

#: Cinder refuses to remove a backup in any other state.
_REMOVABLE = ("available", "error")


@dataclass(frozen=True)
class Rules:
    """What may go.

    :param keep: slots of each volume.
    :param now: the time of the task.
    :param failed_days: how long one stays that cannot be restored, or whose restore gave other bytes.
    :param volumes: ids of the volumes to work on, empty for all.
    :param policies: policies to work on, empty for all.
    """

    keep: gfs.Keep
    now: datetime.datetime
    failed_days: float = 7
    volumes: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()

    def covers(self, one: Backup) -> bool:
        """Whether a backup may go at all."""
        policy = one.metadata.get(model.POLICY, "")
        return (
            one.ours
            and (not self.volumes or one.volume in self.volumes)
            and (not self.policies or policy in self.policies)
        )


@dataclass(frozen=True)
class Fate:
    """What becomes of a backup.

    :param goes: whether it is to be removed.
    :param why: reasons, in words: slots that it fills, what holds it, or why it goes.
    :param holders: ids of those that stand on it and stay.
    :param needed: whether it stays for itself, and not only because something holds it.
    """

    backup: Backup
    goes: bool
    why: tuple[str, ...]
    holders: tuple[str, ...] = ()
    needed: bool = False


@dataclass(frozen=True)
class Decision:
    """All that a task found.

    :param fates: of backups that the rules cover, the newest data first.
    :param going: those to be removed, in an order in which nothing stands on the next one.
    :param others: backups that the rules do not cover: they are never touched.
    """

    fates: tuple[Fate, ...]
    going: tuple[Backup, ...]
    others: tuple[Backup, ...]

    @property
    def plan(self) -> Plan:
        """One step for each removal."""
        fates = {fate.backup.id: fate for fate in self.fates}
        return Plan(tuple(_step(fates[one.id]) for one in self.going))

    def by_volume(self) -> list[tuple[Backup, ...]]:
        """Removals of each volume and project: those of different ones have nothing to do with each other."""
        found: dict[tuple[str, str], list[Backup]] = defaultdict(list)
        for one in self.going:
            found[one.volume, one.project].append(one)
        return [tuple(ones) for ones in found.values()]


def decide(backups: Sequence[Backup], rules: Rules, parents: Mapping[str, str] | None = None) -> Decision:
    """What goes and what stays.

    :param backups: all that are to be seen, also those that the rules do not cover: they hold what they stand on.
    :param parents: what records say (:func:`chains.build`).
    """
    found = chains.build(backups, parents)
    families: dict[tuple[str, str], list[Chain]] = defaultdict(list)
    for chain in found:
        families[chain.volume, chain.project].append(chain)
    fates: list[Fate] = []
    for family in families.values():
        fates += _family(family, rules)
    going = {fate.backup.id: fate.backup for fate in fates if fate.goes}
    return Decision(
        fates=tuple(sorted(fates, key=lambda fate: (fate.backup.taken, fate.backup.id), reverse=True)),
        going=tuple(_leaf_first(going, chains.holders(found))),
        others=tuple(one for one in backups if not rules.covers(one)),
    )


def _family(family: Sequence[Chain], rules: Rules) -> list[Fate]:
    """The fates of a volume's backups that the rules cover."""
    ours = [one for chain in family for one in chain.members if rules.covers(one)]
    why = _needed(ours, family, rules)
    held = chains.holders(family)
    going = {one.id: one for one in ours if one.id not in why and not _hidden_holder(one, held)}
    while True:  # what a staying one stands on stays
        caught = [key for key in going if any(holder.id not in going for holder in held.get(key, ()))]
        if not caught:
            break
        for key in caught:
            del going[key]
    return [_fate(one, why.get(one.id, ()), one.id in going, going, held) for one in ours]


def _fate(
    one: Backup,
    why: tuple[str, ...],
    goes: bool,
    going: Mapping[str, Backup],
    held: Mapping[str, tuple[Backup, ...]],
) -> Fate:
    if goes:
        reason = "it cannot be used" if one.status != "available" or chains.refuted(one) else "it fills no slot"
        return Fate(one, True, (reason,))
    holders = tuple(holder for holder in held.get(one.id, ()) if holder.id not in going)
    texts = [f"{_named(holder)} stands on it" for holder in holders]
    if _hidden_holder(one, held):
        texts.append("Cinder says that others stand on it, and none is to be seen")
    return Fate(one, False, (*why, *texts), tuple(holder.id for holder in holders), bool(why))


def _named(one: Backup) -> str:
    return f"backup {one}" if one.ours else f"backup {one}, which is not ours,"


def _hidden_holder(one: Backup, held: Mapping[str, tuple[Backup, ...]]) -> bool:
    return one.dependents and not held.get(one.id)


def _needed(ours: Sequence[Backup], family: Sequence[Chain], rules: Rules) -> dict[str, tuple[str, ...]]:
    """Why backups stay for their own sake, by id."""
    sound = [one for chain in family for one in chains.sound(chain) if rules.covers(one)]
    why: dict[str, list[str]] = defaultdict(list)
    for identifier, names in gfs.slots(((one.id, moment(one.taken)) for one in sound), rules.keep).items():
        why[identifier] += names
    proven = max((one for one in sound if chains.proven(one)), key=lambda one: moment(one.taken), default=None)
    if proven:
        why[proven.id].append(f"the newest that was proven, on {chains.proven(proven)}")
    good = {one.id for one in sound}
    spoilt = {key: since for chain in family for key, since in chains.spoilt(chain).items()}
    newest = max((moment(one.taken) for one in sound), default=None)
    for one in ours:
        if one.status not in _REMOVABLE:
            why[one.id].append(f"it is {one.status}")
        elif one.id not in good:
            why[one.id] += _spared(one, newest, spoilt[one.id], rules) + _twin(one, family)
    return {identifier: tuple(texts) for identifier, texts in why.items() if texts}


def _spared(one: Backup, newest: datetime.datetime | None, spoilt: datetime.datetime, rules: Rules) -> list[str]:
    """Why one stays that cannot be used.

    :param spoilt: when it, or one that it stands on, was refuted; the beginning of time for never.
    """
    state = "it was refuted" if chains.refuted(one) else "it cannot be restored"
    if state == "it cannot be restored" and one.available and spoilt > moment(""):
        state = "what it stands on was refuted"
    if newest is None or newest < moment(one.taken):
        return [f"{state}, and no good one is newer"]
    age = rules.now - max(moment(one.created), spoilt)
    if age < datetime.timedelta(days=rules.failed_days):
        return [f"{state}, and is younger than {rules.failed_days:g} days"]
    return []


def _twin(one: Backup, family: Sequence[Chain]) -> list[str]:
    """Why a failed backup stays beside a good one of a snapshot: the Ceph driver could remove the bytes of that."""
    there = only_one([other for chain in family for other in chain.members if other.id != one.id], "auto")
    failed = one.status != "available"
    return [f"the Ceph driver could remove the bytes of backup {there} with it"] if there and failed else []


def _leaf_first(going: Mapping[str, Backup], held: Mapping[str, tuple[Backup, ...]]) -> Iterable[Backup]:
    """Those that go, each after all that stand on it."""
    left = {key: {one.id for one in held.get(key, ()) if one.id in going} for key in going}
    standing: dict[str, list[str]] = defaultdict(list)
    for key, holders in left.items():
        for holder in holders:
            standing[holder].append(key)
    ready = sorted((key for key in left if not left[key]), key=lambda key: (going[key].volume, going[key].created, key))
    while ready:
        key = ready.pop()
        yield going[key]
        for below in sorted(standing[key]):
            left[below].discard(key)
            if not left[below]:
                ready.append(below)


def _step(fate: Fate) -> Step:
    one = fate.backup
    before = {
        "volume": one.volume,
        "taken": one.taken,
        "kind": "incremental" if one.incremental else "full",
        "size": one.size,
        "why": fate.why[0],
    }
    return Step("delete", f"backup {one}", before, None, Impact.DESTROYED, undo="none: what is removed is gone")


def as_dict(fate: Fate) -> dict[str, Any]:
    """JSON-able form."""
    one = fate.backup
    return {
        "id": one.id,
        "name": one.name,
        "volume": one.volume,
        "project": one.project,
        "taken": one.taken,
        "kind": "incremental" if one.incremental else "full",
        "status": one.status,
        "size": one.size,
        "why": list(fate.why),
        "held_by": list(fate.holders),
    }
