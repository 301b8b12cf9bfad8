# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Volumes that are filled from backups: begun once, also when an answer is lost, waited for, removed for sure.

What Cinder says at the end of a restore (``cinder/backup/manager.py``): ``available``, ``error_restoring`` when the backup
service failed, ``error`` when the volume could not even be made. It replaces all metadata of the volume by those that the
source had when it had any, and leaves name and description alone when there is a name (``cinder/backup/driver.py``). So what
has to be known at any time stands in the description.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from ...core.errors import InputError, LandscapeError
from ...core.stream import Stopped
from ...core.units import format_seconds
from ..images import owner
from ..model import CloudError, ConflictError, NotFoundError, UnreachableError, is_unclear
from .cinder import Cinder
from .model import Backup, Volume

#: In the metadata of volumes, ``<state> <backup> <run>``: where a restore stands.
RESTORED = "scs_landscape_restored"
#: Cinder's own word for the backup that was restored last, in the metadata of volumes.
SOURCE = "src_backup_id"
#: Begins the description of a volume that is used only for a while; then who uses it, and until when (seconds since 1970) at
#: most. Such a volume is removed when that one is gone.
SCRATCH = "scs_landscape_scratch "
#: Names of scratch volumes begin so, for people.
PREFIX = "scs-landscape-scratch-"

#: Seconds between two looks at what Cinder is working on: the first and the longest.
_FIRST, _LONGEST = 1.0, 10.0
#: How often a creation is asked for whose answer was lost.
_ATTEMPTS = 4
#: Seconds after a lost answer before we look whether it was done all the same.
_SETTLE = 3.0
_BUSY = ("creating", "restoring-backup", "downloading", "backing-up")


class RestoreError(LandscapeError):
    """A restore did not end well.

    :param kind: ``restoring`` (the backup service failed), ``making`` (there was no volume to restore into), ``late`` (it took
        too long) or ``gone`` (somebody removed the volume).
    """

    def __init__(self, kind: str, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


@dataclass
class Patience:
    """How long is waited, and how.

    :param within: seconds for one restore, or one removal.
    :param stop: set when the run ends.
    """

    within: float = 7200.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    stop: threading.Event = field(default_factory=threading.Event)

    def pause(self, attempt: int, deadline: float) -> None:
        """Sleeps between two looks, not beyond the end."""
        if self.stop.is_set():
            raise Stopped("Waiting was given up, because the run ends")
        self.sleep(min(_LONGEST, _FIRST * 1.5**attempt, max(deadline - self.clock(), 0.1)))


class Volumes:
    """Makes, fills and removes volumes; safe to use from many threads."""

    def __init__(self, cinder: Cinder, patience: Patience) -> None:
        self.cinder, self.patience = cinder, patience

    # Making.

    def make(self, backup: Backup, name: str, description: str, **wanted: Any) -> str:
        """Asks for a volume filled from a backup; its id. One whose answer was lost is found by name and description.

        :param description: no other volume of the same name has it.
        :param wanted: further arguments of ``Cinder.begin_volume``.
        """
        attempts = _ATTEMPTS
        while True:
            try:
                return self.cinder.begin_volume(backup=backup.id, name=name, description=description, **wanted)
            except CloudError as error:
                if not is_unclear(error):
                    raise
                self.patience.sleep(_SETTLE)
                found = self.described(description, name)
                attempts -= 1
                if not found and not attempts:
                    raise
            if found:
                return found[0].id

    def described(self, description: str, name: str = "") -> list[Volume]:
        """Volumes with a description, and with a name where it is given, the oldest first."""
        found = [one for one in self.cinder.volumes() if one.description == description and name in ("", one.name)]
        return sorted(found, key=lambda one: (one.created, one.id))

    def note(self, volume: str, changes: Mapping[str, str]) -> None:
        """Writes into the metadata of a volume; what else is there stays."""
        body = {"metadata": dict(changes)}
        self.cinder.cloud.call("block-storage", "POST", f"/volumes/{volume}/metadata", json=body, repeat=True)

    # Waiting.

    def filled(self, volume: str, backup: Backup) -> Volume:
        """The volume once a backup is restored into it.

        :raises RestoreError: that failed or took too long.
        """
        deadline, attempt = self.patience.clock() + self.patience.within, 0
        while True:
            found = self.cinder.volume(volume)
            if found is None:
                raise RestoreError("gone", f"volume {volume} was removed while backup {backup} was restored into it")
            if found.status not in _BUSY:
                return self._ended(found, backup)
            if self.patience.clock() >= deadline:
                took = format_seconds(self.patience.within)
                raise RestoreError(
                    "late",
                    f"backup {backup} is not restored after {took}: volume {found} is {found.status}",
                    "Raise timeout",
                )
            self.patience.pause(attempt, deadline)
            attempt += 1

    def _ended(self, volume: Volume, backup: Backup) -> Volume:
        if volume.status in ("available", "in-use"):
            return volume
        if volume.status == "error_restoring":
            text = (
                f"backup {backup} cannot be restored: the backup service failed, and volume {volume} is {volume.status}"
            )
            raise RestoreError("restoring", text, "The log of cinder-backup says why")
        text = f"backup {backup} was not restored: volume {volume} is {volume.status}"
        raise RestoreError("making", text, "The messages of the volume and the log of cinder-volume say why")

    def idle(self, backup: str) -> Backup:
        """The backup once nobody restores it any more.

        :raises LandscapeError: it is gone, or in a state from which it cannot be restored.
        """
        deadline, attempt = self.patience.clock() + self.patience.within, 0
        while True:
            found = self.cinder.backup(backup)
            if found is None:
                raise LandscapeError(f"backup {backup} is not there any more")
            if found.available:
                return found
            if found.status not in ("restoring", "creating") or self.patience.clock() >= deadline:
                raise LandscapeError(f"backup {found} cannot be restored: it is {found.status}")
            self.patience.pause(attempt, deadline)
            attempt += 1

    # Removing.

    def remove(self, volume: str) -> None:
        """Removes a volume; returns when it is gone.

        :raises LandscapeError: it is still there after all this time.
        """
        deadline, attempt, said = self.patience.clock() + min(self.patience.within, 900.0), 0, ""
        while True:
            found = self.cinder.volume(volume)
            if found is None:
                return
            if found.status != "deleting":
                said = self._ask(volume) or said
            if self.patience.clock() >= deadline:
                raise LandscapeError(
                    f"volume {found} cannot be removed: it is {found.status}{said and f' ({said})'}",
                    hint="Remove it by hand",
                )
            # The run may be over; what was made for a while goes all the same.
            self.patience.sleep(min(_LONGEST, _FIRST * 1.5**attempt))
            attempt += 1

    def _ask(self, volume: str) -> str:
        """Asks for the removal; why it was refused. A volume that is still being filled cannot be removed yet."""
        try:
            self.cinder.delete_volume(volume)
        except (ConflictError, NotFoundError, UnreachableError) as error:
            return str(error)
        except CloudError as error:
            if error.status != 400:
                raise
            return str(error)
        return ""


def scratch_mark(within: float, now: float) -> str:
    """Description of a scratch volume: machine, process and its start, time, and when it is over at the latest."""
    return f"{SCRATCH}{owner.mark()} {int(now + within)}"


def abandoned(mark: str, now: float) -> bool:
    """Whether whoever made a scratch volume is gone: a process of this machine that ended, or one whose time is over."""
    words = mark[len(SCRATCH) :].split(" ")
    if len(words) != 5 or not words[4].isdigit():
        return False  # not written by us
    if words[0] == owner.mark().split(" ")[0]:
        return not owner.lives(mark[len(SCRATCH) :], "")
    return now > int(words[4])


def orphans(volumes: Iterable[Volume], now: float) -> list[Volume]:
    """Scratch volumes of runs that are gone."""
    mine = [one for one in volumes if one.description.startswith(SCRATCH) and one.name.startswith(PREFIX)]
    return [one for one in mine if abandoned(one.description, now)]


def check_room(limits: Mapping[str, int], count: int, size: int, why: str) -> None:
    """Refuses what the project's quota does not allow.

    :param limits: of ``Cinder.limits``; -1 is no limit.
    :param size: GiB.
    :raises InputError: with the numbers.
    """
    problems = []
    for wanted, most, used, what in (
        (count, "maxTotalVolumes", "totalVolumesUsed", "volumes"),
        (size, "maxTotalVolumeGigabytes", "totalGigabytesUsed", "GiB of volumes"),
    ):
        limit, have = int(limits.get(most, -1)), int(limits.get(used, 0))
        if 0 <= limit < have + wanted:
            problems.append(f"{wanted} {what} more do not fit: {have} of {limit} are used")
    if problems:
        raise InputError(f"{why}: {' and '.join(problems)}", hint="Raise the quota, or remove volumes")


def kind_of(backup: Backup, source: Volume | None, wanted: str, key: str) -> str:
    """The type of a volume for a backup: what is wanted, else what the source had; empty for Cinder's default.

    :param key: in the metadata of the backup, name of the type its volume had.
    :raises InputError: the backup is encrypted, and nobody knows with what.
    """
    found = wanted or backup.metadata.get(key, "") or (source.type if source else "")
    if not found and backup.encrypted:
        raise InputError(
            f"backup {backup} is encrypted, and the type of its volume is not known any more",
            hint="Name the type; it must encrypt in the same way",
        )
    return found
