# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Room for backups, and whether they lie beside what they protect: as far as quotas, services and pools are shown. Pure.

Cinder tells nothing about where backups are stored. What the pools of volumes say counts for backups as well when both are in Ceph.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .model import Backup
from .plan import Todo

_BOUNDS = (
    ("backups", "maxTotalBackups", "totalBackupsUsed"),
    ("GiB of backups", "maxTotalBackupGigabytes", "totalBackupGigabytesUsed"),
)


def shortage(todos: Iterable[Todo], limits: Mapping[str, int]) -> list[str]:
    """What does not fit into the project's quota, one sentence each, with the service's numbers.

    Cinder counts an incremental backup as large as its volume. A failed one counts until it is removed.
    """
    making = [todo for todo in todos if todo.action == "create"]
    freed = [one for todo in making for one in todo.failed]
    wanted = (len(making) - len(freed), sum(one.volume.size for one in making) - sum(one.size for one in freed))
    problems = []
    for (what, bound, use), more in zip(_BOUNDS, wanted):
        limit, used = int(limits.get(bound, -1)), int(limits.get(use, 0))
        if 0 <= limit < used + more:
            left = max(0, limit - used)
            problems.append(f"{more} more {what} are needed, {bound} is {limit}, {used} are used and {left} left")
    return problems


def dead_service(services: Iterable[Mapping[str, object]]) -> str:
    """Why nothing would ever take a backup; empty when something does, or when we may not know."""
    found = [one for one in services if one.get("binary") == "cinder-backup"]
    if not found or any(one.get("state") == "up" and one.get("status") == "enabled" for one in found):
        return ""
    states = ", ".join(f"{one.get('host')} is {one.get('state')} and {one.get('status')}" for one in found)
    return f"no cinder-backup takes any work: {states}"


@dataclass(frozen=True)
class Pool:
    """A pool of Ceph with volumes.

    :param cluster: its fsid, empty when the driver does not say it.
    :param pool: its name in Ceph, empty when the driver does not say it.
    :param free: GiB, absent when the driver does not know.
    """

    name: str
    cluster: str = ""
    pool: str = ""
    free: float | None = None


def ceph_pools(pools: Iterable[Mapping[str, Any]]) -> list[Pool]:
    """The pools of ``GET /scheduler-stats/get_pools`` that are in Ceph."""
    found = []
    for one in pools:
        said = one.get("capabilities") or {}
        if str(said.get("storage_protocol") or "").lower() != "ceph":
            continue
        # As the RBD driver writes it: name of the cluster, configuration, fsid, user, pool.
        place = str(said.get("location_info") or "").split(":")
        fsid, pool = (place[2], place[4]) if len(place) == 5 else ("", "")
        free = said.get("free_capacity_gb")  # a number, or "unknown" or "infinite"
        room = float(free) if isinstance(free, (int, float)) and not isinstance(free, bool) else None
        found.append(Pool(str(one.get("name") or ""), fsid, pool, room))
    return found


def warnings(todos: Sequence[Todo], backups: Iterable[Backup], pools: Sequence[Pool]) -> list[str]:
    """What is to be said before backups are made in Ceph, one sentence each.

    :param backups: those that are there: their container is the pool they lie in.
    :param pools: of :func:`ceph_pools`.
    """
    if not pools:
        return []
    return [text for text in (_beside(backups, pools), _tight(todos, pools)) if text]


def _beside(backups: Iterable[Backup], pools: Sequence[Pool]) -> str:
    containers = {one.container for one in backups if one.container}
    same = sorted({one.pool for one in pools if one.pool in containers})
    clusters = ", ".join(sorted({one.cluster for one in pools if one.cluster}))
    which = f" (volumes are in cluster {clusters})" if clusters else ""
    if same:
        return f"Backups lie in pool {', '.join(same)} of Ceph beside volumes{which}: whatever takes the pool takes both (scs-0117)"
    return (
        f"Volumes and their backups are both in Ceph{which}: if it is the same cluster, its loss takes both (scs-0117)"
    )


def _tight(todos: Sequence[Todo], pools: Sequence[Pool]) -> str:
    """What is said when even the pool with the most room has too little."""
    making = [todo for todo in todos if todo.action == "create"]
    full = [todo.volume.size for todo in making if todo.decision.kind == "full"]
    most = max(pools, key=lambda one: -1.0 if one.free is None else one.free)
    if most.free is None or any(one.free is None for one in pools) or sum(full) <= most.free:
        return ""
    return (
        f"{len(full)} full backups of up to {sum(full)} GiB are planned, and {len(making) - len(full)} incremental ones;"
        f" pool {most.name} has {most.free:.0f} GiB free. In the same cluster that may not suffice"
    )
