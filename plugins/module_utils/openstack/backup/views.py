# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Volumes, chains and backups as people and playbooks read them. Pure."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.plan import Plan
from . import chains, model
from .chains import Chain
from .model import Backup, Volume, moment


@dataclass(frozen=True)
class Sight:
    """A volume, there or gone, and its backups in one project.

    :param volume: nothing when it is gone, or not to be seen.
    """

    id: str
    project: str
    volume: Volume | None
    chains: tuple[Chain, ...]

    @property
    def backups(self) -> list[Backup]:
        """All of them, the oldest data first."""
        return sorted((one for chain in self.chains for one in chain.members), key=lambda one: moment(one.taken))

    @property
    def sound(self) -> list[Backup]:
        """Those that can be restored and were not refuted, the oldest data first."""
        found = [one for chain in self.chains for one in chains.sound(chain)]
        return sorted(found, key=lambda one: moment(one.taken))

    @property
    def newest(self) -> Backup | None:
        """The good one with the newest data."""
        return self.sound[-1] if self.sound else None

    @property
    def proven(self) -> Backup | None:
        """The proven one with the newest data."""
        found = [one for one in self.sound if chains.proven(one)]
        return found[-1] if found else None

    @property
    def policy(self) -> str:
        """What its volume says, else its newest backup."""
        if self.volume:
            return str(self.volume.metadata.get(model.POLICY_KEY, ""))
        return self.backups[-1].metadata.get(model.POLICY, "") if self.backups else ""


def sights(volumes: Iterable[Volume], found: Iterable[Chain], wanted: Sequence[str] = ()) -> list[Sight]:
    """Every volume with its backups, and every volume that is gone and has some.

    :param wanted: ids of volumes; all when empty.
    """
    there = {one.id: one for one in volumes}
    families: dict[tuple[str, str], list[Chain]] = defaultdict(list)
    for chain in found:
        families[chain.volume, chain.project].append(chain)
    keys = set(families)
    with_backups = {volume for volume, _project in keys}
    keys |= {(one.id, one.project) for one in there.values() if one.id not in with_backups}
    return [
        Sight(volume, project, there.get(volume), tuple(families.get((volume, project), ())))
        for volume, project in sorted(keys)
        if not wanted or volume in wanted
    ]


def sight_dict(sight: Sight, now: datetime.datetime) -> dict[str, Any]:
    """JSON-able form of a volume."""
    newest, proven = sight.newest, sight.proven
    return {
        "id": sight.id,
        "name": sight.volume.name if sight.volume else "",
        "project": sight.project,
        "exists": sight.volume is not None,
        "policy": sight.policy,
        "size": sight.volume.size if sight.volume else max((one.size for one in sight.backups), default=0),
        "backups": len(sight.backups),
        "restorable": sum(len(chain.restorable) for chain in sight.chains),
        "failed": sum(one.status == "error" for one in sight.backups),
        "foreign": sum(not one.ours for one in sight.backups),
        "chains": [chain.id for chain in sight.chains],
        "newest": newest.id if newest else None,
        "newest_age": age(newest, now),
        "proven": proven.id if proven else None,
        "proven_age": age(proven, now),
        "proof_age": since(chains.proven(proven), now) if proven else None,
        "problems": [text for chain in sight.chains for text in chain.problems],
    }


def age(one: Backup | None, now: datetime.datetime) -> int | None:
    """Seconds since the data of a backup was read."""
    return since(one.taken, now) if one else None


def since(text: str, now: datetime.datetime) -> int:
    """Whole seconds since a moment, not below 0."""
    return max(0, int((now - moment(text)).total_seconds()))


def chain_dict(chain: Chain) -> dict[str, Any]:
    """JSON-able form of a chain."""
    return {
        "id": chain.id,
        "volume": chain.volume,
        "project": chain.project,
        "length": chain.length,
        "size": chain.size,
        "closed": chain.closed,
        "restorable": len(chain.restorable),
        "foreign": [one.id for one in chain.foreign],
        "members": [_member(one, chain) for one in chain.members],
        "problems": list(chain.problems),
    }


def _member(one: Backup, chain: Chain) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "parent": chain.parents.get(one.id),
        "perhaps": list(chain.perhaps.get(one.id, ())),
        "kind": "incremental" if one.incremental else "full",
        "taken": one.taken,
        "status": one.status,
        "size": one.size,
        "ours": one.ours,
        "restorable": one.id not in chain.broken,
        "proven": chains.proven(one) or None,
        "refuted": chains.refuted(one) or None,
        "digest": one.metadata.get(model.DIGEST),
        "level": one.metadata.get(model.LEVEL),
        "policy": one.metadata.get(model.POLICY),
        "point": one.metadata.get(model.POINT),
        "server": one.metadata.get(model.SERVER),
    }


def diff(steps: Plan) -> list[dict[str, str]]:
    """What ``--diff`` shows."""
    return steps.diff()
