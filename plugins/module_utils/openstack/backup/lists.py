# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Lists of digests that no backup names any more.

A folder of lists may serve several projects and clouds, so a list goes only when its volume is one that we see, no backup that we
see names it, and it is old: a run writes its list before there is a backup that names it, and writes it anew when the bytes of a
volume are those of an earlier backup.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from ...core.plan import Impact, Step
from . import manifest, model
from .model import Backup

_FILE = re.compile(r"sha256-[0-9a-f]{64}\.blocks")


@dataclass(frozen=True)
class Listed:
    """A list of digests.

    :param volume: whose blocks it has.
    :param size: bytes of the file.
    :param written: seconds since the epoch.
    :param project: id of the project for whose backups it was written.
    """

    path: str
    volume: str
    size: int
    written: float
    project: str = ""

    @property
    def root(self) -> str:
        """What backups name it by."""
        return os.path.basename(self.path)[: -len(".blocks")].replace("-", ":", 1)


@dataclass(frozen=True)
class Unnamed:
    """What no backup names.

    :param going: to be removed.
    :param young: too young for it.
    :param unknown: of volumes that we do not see: they may be somebody else's.
    """

    going: tuple[Listed, ...] = ()
    young: tuple[Listed, ...] = ()
    unknown: tuple[Listed, ...] = ()

    def steps(self) -> list[Step]:
        """One for each removal."""
        why = "no backup names it"
        return [
            Step("delete", f"list of digests {one.path}", {"volume": one.volume, "why": why}, None, Impact.NONE)
            for one in self.going
        ]


@dataclass
class Cleared:
    """What became of lists.

    :param removed: paths.
    :param failed: what went wrong, by path.
    """

    removed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def listed(folder: str) -> list[Listed]:
    """Every list of a folder, by name; whatever else lies there is not looked at.

    :raises InputError: the folder cannot be read.
    """
    found = []
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if _FILE.fullmatch(entry.name))
    except OSError as error:
        raise InputError(f"digests: {folder} cannot be read: {error.strerror or error}") from error
    for name in names:
        path = os.path.join(folder, name)
        with contextlib.suppress(OSError):  # somebody else removes it
            seen = os.lstat(path)
            head = manifest.peek(path) if stat.S_ISREG(seen.st_mode) else None
            if head is not None:
                found.append(Listed(path, head.volume, seen.st_size, seen.st_mtime, head.project))
    return found


def unnamed(
    lists: Iterable[Listed], backups: Iterable[Backup], volumes: Collection[str], project: str, now: float, days: float
) -> Unnamed:
    """What no backup names.

    Several projects may keep their lists in one folder, and nobody sees the backups of another project: an administrator's
    run keeps backups of anybody's volumes in a project of its own.

    :param backups: those that stay, whoever made them.
    :param volumes: ids of volumes that we see, or of which we see backups; only their lists may go.
    :param project: id of ours; only lists that were written for its backups may go.
    :param now: seconds since the epoch.
    """
    named = {one.metadata.get(model.DIGEST, "") for one in backups}
    free = [one for one in lists if one.root not in named]
    mine = [one for one in free if one.volume in volumes and one.project == project]
    ours = {one.path for one in mine}
    old = {one.path for one in mine if one.written + days * 86400 <= now}
    return Unnamed(
        tuple(one for one in mine if one.path in old),
        tuple(one for one in mine if one.path not in old),
        tuple(one for one in free if one.path not in ours),
    )


def clear(going: Sequence[Listed], backups: Iterable[Backup]) -> Cleared:
    """Removes lists.

    :param backups: those that are there now; what one of them names stays.
    """
    named = {one.metadata.get(model.DIGEST, "") for one in backups}
    done = Cleared()
    for one in going:
        if one.root in named:
            continue
        try:
            if _removed(one):
                done.removed.append(one.path)
        except OSError as error:
            done.failed[one.path] = f"list of digests {one.path} was not removed: {error.strerror or error}"
    return done


def _removed(one: Listed) -> bool:
    """Removes a list, unless somebody wrote it anew meanwhile: it is put aside first, so that nothing comes in between."""
    # Named like a list that was never finished: what a kill leaves here is cleared away with those.
    handle, aside = tempfile.mkstemp(".part", "pending-", os.path.dirname(one.path))
    os.close(handle)
    try:
        os.replace(one.path, aside)
    except FileNotFoundError:
        os.unlink(aside)
        return False
    if os.lstat(aside).st_mtime == one.written:
        os.unlink(aside)
        return True
    os.replace(aside, one.path)  # two of one name have the same bytes
    return False


def values(found: Unnamed, done: Cleared | None) -> dict[str, Any]:
    """What a task returns about lists; without an outcome, what would be."""
    removed = done.removed if done else [one.path for one in found.going]
    return {
        "removed": sorted(removed),
        "young": [one.path for one in found.young],
        "unknown": [one.path for one in found.unknown],
        "failed": dict(sorted(done.failed.items())) if done else {},
    }
