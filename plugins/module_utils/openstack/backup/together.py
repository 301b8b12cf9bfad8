# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which backups bring the volumes of one server back to one moment. Pure.

A database over two volumes is torn when they come back from two moments. So a point that holds all of them goes before
backups that are newer and do not belong together.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...core.units import format_seconds
from . import chains
from .model import LEVEL, POINT, RUN, SERVER, Backup, moment
from .views import Sight


@dataclass(frozen=True)
class Together:
    """What brings the volumes of a server back.

    :param backups: by volume.
    :param point: all of those that are taken at points at all are from this one; empty when no point holds them.
    :param spread: seconds between the oldest and the newest data.
    :param mixed: the data are of several moments.
    :param torn: they need not have been: points were taken, and none holds all of the volumes.
    :param newer: how many volumes have a good backup that is newer, which belongs to no point of all.
    :param kept: how many volumes of the server are still there.
    """

    backups: Mapping[str, Backup]
    point: str = ""
    spread: float = 0.0
    mixed: bool = False
    torn: bool = False
    newer: int = 0
    kept: int = 0

    @property
    def reason(self) -> str:
        """What has to be known about it; empty when all is as it should be."""
        spread, found = format_seconds(self.spread), []
        if self.torn:
            found.append(
                f"no point holds a good backup of each of its volumes, the newest good ones are {spread} apart"
            )
        elif self.mixed:
            found.append(f"its volumes were not all taken at one point, their backups are {spread} apart")
        if self.newer:
            found.append(f"{self.newer} of its volumes have newer backups than the newest point that holds all of them")
        if self.kept:
            found.append(f"{self.kept} of its volumes are still there, and have newer data than what is restored")
        return ", and ".join(found)


@dataclass(frozen=True)
class Brought:
    """What brings the volumes of several servers back.

    :param missing: why there is nothing for a volume, by its id.
    :param servers: manifests of servers that lack volumes, and what was found for each.
    """

    backups: dict[str, Backup] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    servers: list[tuple[Mapping[str, Any], Together]] = field(default_factory=list)


def bring(
    manifests: Iterable[Mapping[str, Any]],
    found: Iterable[Sight],
    there: Container[str],
    *,
    before: str = "",
    proven: bool = False,
) -> Brought:
    """What brings the volumes of servers back that are gone; those that two servers have come back once.

    :param there: ids of volumes that are not to be brought back.
    """
    sights, brought = {one.id: one for one in found}, Brought()
    for manifest in manifests:
        good: dict[str, Sequence[Backup]] = {}
        wanted = [str(one["id"]) for one in manifest["volumes"]]
        gone = [one for one in wanted if one not in there]
        for identifier in gone:
            picked = brought.backups.get(identifier)
            choice = [picked] if picked else usable(sights.get(identifier), before, proven)
            if isinstance(choice, str):
                brought.missing[identifier] = choice
            else:
                good[identifier] = choice
        if good:
            known = {identifier: sights[identifier].backups for identifier in good}
            one = replace(choose(good, known), kept=len(wanted) - len(gone))
            brought.backups.update(one.backups)
            brought.servers.append((manifest, one))
    return brought


def usable(sight: Sight | None, before: str = "", proven: bool = False) -> list[Backup] | str:
    """The good backups of a volume, the oldest data first, or why there is none.

    :param before: nothing newer than this moment.
    :param proven: only what a restore has proven.
    """
    if sight is None or not sight.backups:
        return "there is no backup of it"
    good = sight.sound
    if not good:
        return f"none of its {len(sight.backups)} backups is known to be good"
    if before:
        good = [one for one in good if moment(one.taken) <= moment(before)]
        if not good:
            return f"no good backup of it is as old as {before}"
    if proven:
        good = [one for one in good if chains.proven(one)]
        if not good:
            return "no restore has proven any of its backups"
    return good


def point_of(backup: Backup) -> str:
    """The point that a backup belongs to; empty for one that was taken by itself."""
    return "" if backup.metadata.get(LEVEL) == "none" else backup.metadata.get(POINT, "")


def apart(backups: Iterable[Backup], run: str) -> list[str]:
    """Servers whose volumes a run took at several points, one sentence each: a start that ended early let its point go, and the
    next one took the rest at another.
    """
    points: dict[str, set[str]] = {}
    for one in backups:
        if one.metadata.get(RUN) == run and one.available and point_of(one):
            points.setdefault(one.metadata.get(SERVER, ""), set()).add(point_of(one))
    return [
        f"server {server}: an earlier start of run {run} took some of its volumes at another point, so they are not of one "
        "moment; a run of another name takes all of them together"
        for server, found in sorted(points.items())
        if len(found) > 1
    ]


def choose(good: Mapping[str, Sequence[Backup]], known: Mapping[str, Sequence[Backup]]) -> Together:
    """The newest point of the volumes of a server, or the newest backup of each when there is none.

    :param good: usable backups by volume, at least one each, the oldest data first.
    :param known: all backups by volume, failed ones as well: they tell whether points were taken of it.
    """
    found = {volume: ones[-1] for volume, ones in good.items()}
    pointed = [volume for volume in good if any(point_of(one) for one in known.get(volume, ()))]
    point = _newest([good[volume] for volume in pointed]) if len(pointed) > 1 else ""
    if point:
        chosen = {volume: [one for one in good[volume] if point_of(one) == point][-1] for volume in pointed}
        newer = sum(chosen[volume].id != found[volume].id for volume in pointed)
        found.update(chosen)
    else:
        newer = 0
    torn = len(pointed) > 1 and not point
    mixed = len(found) > 1 and (not point or len(pointed) < len(found))
    times = [moment(one.taken) for one in found.values()]
    spread = (max(times) - min(times)).total_seconds() if times else 0.0
    return Together(found, point, spread, mixed, torn, newer)


def _newest(good: Sequence[Sequence[Backup]]) -> str:
    """The newest of the points that all have; empty when there is none."""
    common = set.intersection(*({point_of(one) for one in ones} for ones in good)) - {""}
    times = {point: max(moment(one.taken) for one in good[0] if point_of(one) == point) for point in common}
    return max(common, key=lambda point: (times[point], point), default="")
