# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which backups are proven next, and what that gave: pure planning.

A chain counts as proven while one of its members was proven within the period: a restore of the newest member reads the full
backup and every incremental one between, of the blocks that were not written since.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import InputError
from ...core.plan import Plan, Step
from . import chains, model
from .model import Backup, Volume, moment

#: Endings of a proof: the bytes are the same; others; the backup service could not restore it; nobody knows.
PROVEN, REFUTED, UNRESTORABLE, FAILED = "proven", "refuted", "unrestorable", "failed"

_DAY = datetime.timedelta(days=1)
_NEVER = moment("")


@dataclass(frozen=True)
class Choice:
    """What is proven.

    :param backups: ids; empty for a sample of all chains.
    :param volumes: ids of volumes whose chains are looked at; empty for all.
    :param policies: only backups that were made for these; empty for all. Not for ``backups``.
    :param period: days for which a proof is good enough.
    :param most: number of backups that are proven in one run at most, 0 for all.
    """

    backups: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    period: float = 30.0
    most: int = 0


@dataclass(frozen=True)
class Omitted:
    """A backup, or the newest of a chain, that is not proven now, and why."""

    backup: str
    volume: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        """JSON-able form."""
        return dict(vars(self))


def proven(backup: Backup) -> datetime.datetime:
    """When it was proven for the last time and not refuted since; the beginning of time for never."""
    return moment(chains.proven(backup))


def choose(backups: Sequence[Backup], choice: Choice, now: datetime.datetime) -> tuple[list[Backup], list[Omitted]]:
    """What is proven now, the newest first, and what is not.

    :raises InputError: a backup is named that is not there, or that cannot be proven.
    """
    found, omitted = _named(backups, choice, now) if choice.backups else _sample(backups, choice, now)
    found.sort(key=lambda one: (moment(one.taken), one.id), reverse=True)
    if choice.most and len(found) > choice.most:
        late = found[choice.most :]
        omitted += [Omitted(one.id, one.volume, f"{choice.most} in one run are enough") for one in late]
        found = found[: choice.most]
    return found, omitted


def _named(backups: Sequence[Backup], choice: Choice, now: datetime.datetime) -> tuple[list[Backup], list[Omitted]]:
    known = {one.id: one for one in backups}
    trees = chains.build(backups)
    found, omitted, problems = [], [], []
    for identifier in dict.fromkeys(choice.backups):
        one = known.get(identifier)
        if one is None:
            problems.append(f"backup {identifier} is not there, or not for this project")
            continue
        broken = _broken(one, trees)
        if broken:
            problems.append(f"backup {one} cannot be restored: {broken}")
        elif not one.metadata.get(model.DIGEST):
            problems.append(f"backup {one}: no digests were taken when it was made")
        elif now - proven(one) < choice.period * _DAY:
            omitted.append(Omitted(one.id, one.volume, f"proven on {one.metadata[model.PROVEN]}"))
        else:
            found.append(one)
    if problems:
        raise InputError("; ".join(problems))
    return found, omitted


def _broken(backup: Backup, trees: Sequence[chains.Chain]) -> str:
    chain = chains.find(trees, backup.id)
    if chain is None or backup.id not in chain.broken or backup.status == "restoring":
        return "" if backup.status in ("available", "restoring") else f"it is {backup.status}"
    bad = next((one for one in chain.path(backup.id) if one.status not in ("available", "restoring")), None)
    if bad is None:
        return ""
    return f"it is {bad.status}" if bad.id == backup.id else f"it stands on {bad}, which is {bad.status}"


def _meant(backup: Backup, choice: Choice) -> bool:
    return backup.ours and (not choice.policies or backup.metadata.get(model.POLICY) in choice.policies)


def _sample(backups: Sequence[Backup], choice: Choice, now: datetime.datetime) -> tuple[list[Backup], list[Omitted]]:
    """The newest member of every chain that nobody has proven within the period."""
    found, omitted = [], []
    for chain in chains.build(backups):
        newest = chain.newest
        if (
            (choice.volumes and chain.volume not in choice.volumes)
            or newest is None
            or not any(_meant(one, choice) for one in chain.members)
        ):
            continue
        able = [one for one in chain.restorable if _meant(one, choice) and one.metadata.get(model.DIGEST)]
        doubtful = [one for one in able if chains.refuted(one)]
        latest = max(chain.members, key=proven)
        if not able:
            omitted.append(Omitted(newest.id, chain.volume, "no digests were taken in this chain"))
        elif doubtful:
            found.append(doubtful[-1])
        elif now - proven(latest) < choice.period * _DAY:
            omitted.append(Omitted(latest.id, chain.volume, f"proven on {latest.metadata[model.PROVEN]}"))
        else:
            found.append(able[-1])
    return found, omitted


def plan_of(chosen: Iterable[Backup], orphans: Iterable[Volume]) -> Plan:
    """The steps: scratch volumes of runs that are gone, then one proof each."""
    steps = [
        Step("delete", f"volume {one}", {"size": one.size}, None, undo="it is a scratch volume of a run that is gone")
        for one in orphans
    ]
    for one in chosen:
        before = {"proven": one.metadata.get(model.PROVEN, ""), "refuted": chains.refuted(one)}
        after = {"restored into": f"a scratch volume of {one.size} GiB", "compared with": one.metadata[model.DIGEST]}
        steps.append(
            Step("prove", f"backup {one}", before, after, undo="the scratch volume is removed by the run itself")
        )
    return Plan(tuple(steps))


@dataclass
class Verdict:
    """What a proof gave.

    :param ending: ``proven``, ``refuted``, ``unrestorable`` or ``failed``.
    :param reason: why it is not proven, in one sentence.
    :param wrong: number of blocks that differ.
    :param differing: where the bytes differ, as offset and length in bytes, the first ones.
    """

    backup: Backup
    ending: str
    reason: str = ""
    date: str = ""
    blocks: int = 0
    bytes: int = 0
    wrong: int = 0
    differing: Sequence[Mapping[str, int]] = ()
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "backup": self.backup.id,
            "name": self.backup.name,
            "volume": self.backup.volume,
            "taken": self.backup.taken,
            "status": self.ending,
            "reason": self.reason,
            "date": self.date,
            "blocks": self.blocks,
            "bytes": self.bytes,
            "differing_blocks": self.wrong,
            "differing": [dict(one) for one in self.differing],
            "seconds": round(self.seconds, 1),
        }


def predicted(backup: Backup) -> dict[str, Any]:
    """What check mode returns in the place of a verdict."""
    return {**Verdict(backup, "").as_dict(), "predicted": True}


def failure(verdicts: Iterable[Verdict], others: Iterable[str]) -> str:
    """Why the task fails; empty when it does not."""
    return "; ".join([*(one.reason for one in verdicts if one.reason), *others])
