# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which backup stands on which: Cinder knows and does not show it, so it is worked out from what it shows.

Cinder chooses the parent of an incremental backup itself: the available one of the same volume and project whose data is the
newest, and older than the snapshot where there is one (``cinder/backup/api.py``). What it shows is whether a backup is
incremental and whether others stand on it. Records of backups, which administrators may export, name the parent.

Where both disagree, or where two answers are possible, a backup counts as held by everything that may stand on it.
"""

from __future__ import annotations

import bisect
import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .model import PROVEN, REFUTED, UNRESTORABLE, Backup, moment

_Key = tuple[datetime.datetime, datetime.datetime, str]

_BEGIN = moment("")

#: Backups that were never finished stand on something and hold it; nothing ever stands on them, unless Cinder says so.
_UNFINISHED = ("creating", "error", "deleting", "error_deleting")


@dataclass(frozen=True)
class Chain:
    """A full backup and everything that stands on it: a tree, a line as a rule.

    :param id: id of the backup it begins with.
    :param members: all of them, a parent before those that stand on it.
    :param parents: id of the parent by id; absent for the first.
    :param perhaps: other backups, of this chain or another, that one may stand on instead, by its id.
    :param closed: Cinder would put the next incremental backup of this volume on another chain, or on none.
    :param broken: ids of those that cannot be restored, because they or what they stand on is not available.
    :param problems: what is wrong with it, one sentence each.
    """

    id: str
    volume: str
    project: str
    members: tuple[Backup, ...]
    parents: Mapping[str, str] = field(default_factory=dict)
    perhaps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    closed: bool = False
    broken: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()

    @property
    def full(self) -> Backup:
        """What it begins with."""
        return self.members[0]

    @property
    def foreign(self) -> tuple[Backup, ...]:
        """Members that none of our runs made."""
        return tuple(one for one in self.members if not one.ours)

    @property
    def restorable(self) -> tuple[Backup, ...]:
        """Members that Cinder can restore, oldest data first."""
        found = [one for one in self.members if one.id not in self.broken]
        return tuple(sorted(found, key=_by_data))

    @property
    def newest(self) -> Backup | None:
        """The restorable member with the newest data."""
        return self.restorable[-1] if self.restorable else None

    @property
    def length(self) -> int:
        """How many backups a restore reads at most."""
        return max(self._depths().values())

    @property
    def size(self) -> int:
        """GiB of the volume, as Cinder counts them for the quota: once for each member."""
        return sum(one.size for one in self.members)

    def path(self, identifier: str) -> tuple[Backup, ...]:
        """What a restore of a member reads: the first of the chain, ..., the member itself.

        :raises KeyError: it is no member.
        """
        members = {one.id: one for one in self.members}
        found = [members[identifier]]
        while found[-1].id in self.parents:
            found.append(members[self.parents[found[-1].id]])
        return tuple(reversed(found))

    def children(self, identifier: str) -> tuple[Backup, ...]:
        """Members that stand on a member directly."""
        return tuple(one for one in self.members if self.parents.get(one.id) == identifier)

    def _depths(self) -> dict[str, int]:
        depths: dict[str, int] = {}
        for one in self.members:  # parents come first
            depths[one.id] = depths[self.parents[one.id]] + 1 if one.id in self.parents else 1
        return depths


def build(backups: Iterable[Backup], parents: Mapping[str, str] | None = None) -> tuple[Chain, ...]:
    """The chains of all backups, those of a volume and project together, the oldest data first.

    :param parents: what records say: id of the parent by id, empty for a full one. It counts more than what we work out.
    """
    groups: dict[tuple[str, str], list[Backup]] = defaultdict(list)
    for one in backups:
        groups[one.volume, one.project].append(one)
    told = parents or {}
    return tuple(chain for key in sorted(groups) for chain in _chains(groups[key], told))


def base(backups: Iterable[Backup], volume: str, project: str, before: str = "") -> Backup | None:
    """What Cinder would put an incremental backup on that is asked for at this moment; nothing when it would refuse it.

    :param before: when the snapshot was made that is to be backed up, as Cinder writes it.
    """
    found = [one for one in backups if (one.volume, one.project, one.available) == (volume, project, True)]
    if before:
        found = [one for one in found if moment(one.taken) < moment(before)]
    return max(found, key=_by_data, default=None)


def find(chains: Iterable[Chain], identifier: str) -> Chain | None:
    """The chain of a backup."""
    return next((chain for chain in chains if any(one.id == identifier for one in chain.members)), None)


def holders(chains: Iterable[Chain]) -> dict[str, tuple[Backup, ...]]:
    """By id of a backup: those that stand on it, or may do so. While one of them is there, Cinder may refuse its removal."""
    found: dict[str, list[Backup]] = defaultdict(list)
    for chain in chains:
        for one in chain.members:
            for parent in (*filter(None, [chain.parents.get(one.id)]), *chain.perhaps.get(one.id, ())):
                found[parent].append(one)
    return {identifier: tuple(ones) for identifier, ones in found.items()}


def proven(one: Backup) -> str:
    """When a restore of it gave the bytes of the source for the last time; empty when it never did, or others later."""
    said = one.metadata.get(PROVEN, "")
    return said if moment(said) > moment(_fault(one)) else ""


def refuted(one: Backup) -> str:
    """When a restore of it gave other bytes or none; empty when it never did, or the right ones later."""
    return "" if proven(one) else _fault(one)


def fault(one: Backup) -> str:
    """What came out when it was restored for the last time, and when; empty unless it is refuted."""
    date = refuted(one)
    if not date:
        return ""
    what = "gave other bytes when it was restored" if one.metadata.get(REFUTED) == date else "could not be restored"
    return f"{what}, on {date}"


def _fault(one: Backup) -> str:
    return max((one.metadata.get(key, "") for key in (REFUTED, UNRESTORABLE)), key=moment)


def sound(chain: Chain) -> list[Backup]:
    """Members that can be restored, as far as anybody knows with the bytes of the source, oldest data first.

    A refuted one spoils what stands on it, unless that was proven later.
    """
    since = spoilt(chain)
    return [one for one in chain.restorable if since[one.id] == _BEGIN]


def spoilt(chain: Chain) -> dict[str, datetime.datetime]:
    """Since when nobody trusts a member, by id: a verdict over it, or over one it stands on; the beginning of time for never."""
    since: dict[str, datetime.datetime] = {}
    for one in chain.members:  # parents come first
        worst = max(since.get(chain.parents.get(one.id, ""), _BEGIN), moment(refuted(one)))
        since[one.id] = _BEGIN if moment(proven(one)) > worst else worst
    return since


def _by_data(one: Backup) -> _Key:
    return moment(one.taken), moment(one.created), one.id


def _by_creation(one: Backup) -> _Key:
    return moment(one.created), moment(one.taken), one.id


class _Family:
    """The backups of one volume in one project, and who stands on whom."""

    def __init__(self, backups: Sequence[Backup], told: Mapping[str, str]) -> None:
        self.by_id = {one.id: one for one in backups}
        self.ordered = sorted(self.by_id.values(), key=_by_creation)
        self.told = told
        self.parents: dict[str, str] = {}
        self.perhaps: dict[str, tuple[str, ...]] = {}
        self.problems: dict[str, list[str]] = defaultdict(list)
        self._guess()
        self._mend()
        self._listen()
        self._doubt()

    def _guess(self) -> None:
        """What Cinder must have chosen when all went as a rule."""
        known: list[_Key] = []  # those that were there, by their data
        waiting: list[Backup] = []  # made in the same second: not there yet for each other
        for one in self.ordered:
            if waiting and moment(waiting[0].created) < moment(one.created):
                for other in waiting:
                    bisect.insort(known, _by_data(other))
                waiting = []
            if one.incremental:
                until = bisect.bisect_left(known, (moment(one.taken), _BEGIN, "")) if one.snapshot else len(known)
                self._stand(one, [key[2] for key in known[max(0, until - 3) : until]])
            if one.dependents or one.status not in _UNFINISHED:
                waiting.append(one)

    def _stand(self, one: Backup, candidates: Sequence[str]) -> None:
        """Puts one on the last of the candidates, and perhaps on the one before when the last was never finished."""
        if not candidates:
            return
        self.parents[one.id] = candidates[-1]
        if self.by_id[candidates[-1]].status in _UNFINISHED:
            self.perhaps[one.id] = tuple(candidates[:-1])

    def _mend(self) -> None:
        """Moves those that stand where Cinder says nothing does to where it says something does that we do not know."""
        standing = self._standing()
        unexplained = [one for one in self.ordered if one.dependents and not standing.get(one.id)]
        for one in unexplained:
            for other in self.ordered:
                guessed = self.parents.get(other.id)
                if not guessed or other.status in _UNFINISHED or self.by_id[guessed].dependents:
                    continue
                if moment(one.created) < moment(other.created) and _by_data(one) < _by_data(other):
                    self.parents[other.id] = one.id
                    self.perhaps[other.id] = (*self.perhaps.get(other.id, ()), guessed)

    def _listen(self) -> None:
        """Records know better."""
        for one in self.ordered:
            if one.id not in self.told:
                continue
            self.perhaps.pop(one.id, None)
            self.parents.pop(one.id, None)
            parent = self.told[one.id]
            if parent in self.by_id and one.id not in self._upwards(parent):
                self.parents[one.id] = parent
            elif parent:
                self.problems[one.id].append(f"{one} stands on {parent}, which is not there")

    def _upwards(self, identifier: str) -> Iterator[str]:
        """Ids from one to the first of its chain."""
        while identifier:
            yield identifier
            identifier = self.parents.get(identifier, "")

    def _standing(self) -> dict[str, list[Backup]]:
        found: dict[str, list[Backup]] = defaultdict(list)
        for one in self.ordered:
            if one.id in self.parents:
                found[self.parents[one.id]].append(one)
        return found

    def _doubt(self) -> None:
        """Says where what we worked out and what Cinder shows are different."""
        standing = self._standing()
        for one in self.ordered:
            if one.incremental and one.id not in self.parents and not self.problems.get(one.id):
                self.problems[one.id].append(f"{one} is incremental, and what it stands on is not to be seen")
            finished = [other for other in standing.get(one.id, ()) if other.status not in _UNFINISHED]
            if one.dependents and not standing.get(one.id):
                self.problems[one.id].append(f"Cinder says that others stand on {one}, and none is to be seen")
            if finished and not one.dependents:
                self.problems[one.id].append(f"Cinder says that nothing stands on {one}, yet {finished[0]} should")
            if one.status == "error":
                why = f": {one.failure}" if one.failure else ""
                self.problems[one.id].append(f"{one} failed{why}")
            if refuted(one):
                self.problems[one.id].append(f"{one} {fault(one)}")

    def broken(self, members: Sequence[Backup]) -> frozenset[str]:
        """Those that cannot be restored; parents come first."""
        found: set[str] = set()
        for one in members:
            usable = one.status in ("available", "restoring")
            orphan = one.incremental and one.id not in self.parents
            if not usable or orphan or self.parents.get(one.id) in found:
                found.add(one.id)
        return frozenset(found)

    def trees(self) -> list[list[Backup]]:
        """Members of each chain, parents first, then as they were made."""
        standing = self._standing()
        found = []
        for first in (one for one in self.ordered if one.id not in self.parents):
            members, queue = [], [first]
            while queue:
                one = queue.pop(0)
                members.append(one)
                queue += standing.get(one.id, ())
            found.append(members)
        return found


def _chains(backups: Sequence[Backup], told: Mapping[str, str]) -> Iterator[Chain]:
    family = _Family(backups, told)
    volume, project = backups[0].volume, backups[0].project
    following = base(backups, volume, project)
    for members in sorted(family.trees(), key=lambda members: _by_data(members[0])):
        ids = {one.id for one in members}
        yield Chain(
            id=members[0].id,
            volume=volume,
            project=project,
            members=tuple(members),
            parents={key: value for key, value in family.parents.items() if key in ids},
            perhaps={key: value for key, value in family.perhaps.items() if key in ids},
            closed=following is None or following.id not in ids,
            broken=family.broken(members),
            problems=tuple(text for one in members for text in family.problems.get(one.id, ())),
        )
