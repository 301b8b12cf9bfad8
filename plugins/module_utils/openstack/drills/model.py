# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a drill or a rebuild did, read from what its tasks returned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import InputError

#: What is known of a backup.
PROVEN, REFUTED, BROKEN, OPEN = "proven", "refuted", "not restorable", "not proven"
#: How a restore ended: compared and equal; restored and never read; not restored, or other bytes.
EQUAL, UNREAD, BAD = "equal", "not read", "failed"
GIB = 1024**3


@dataclass(frozen=True)
class Member:
    """A backup in its chain.

    :param parent: id of the backup that it stands on, empty for a full one.
    :param taken: when its data was read.
    :param state: ``PROVEN``, ``REFUTED``, ``BROKEN`` or ``OPEN``.
    :param judged: when it was proven or refuted.
    """

    id: str
    name: str
    parent: str
    full: bool
    taken: str
    state: str
    judged: str = ""
    size: int = 0


@dataclass(frozen=True)
class Row:
    """A volume and its chains, oldest first."""

    id: str
    name: str
    size: int
    exists: bool
    chains: tuple[tuple[Member, ...], ...] = ()

    @property
    def members(self) -> list[Member]:
        """All its backups."""
        return [one for chain in self.chains for one in chain]


@dataclass(frozen=True)
class Trial:
    """A restore, into a scratch volume or to stay.

    :param volume: id of the volume that was backed up.
    :param state: ``EQUAL``, ``UNREAD`` or ``BAD``.
    :param reason: why it is bad.
    """

    backup: str
    volume: str
    name: str
    state: str
    reason: str
    seconds: float
    bytes: int
    scratch: bool

    @property
    def speed(self) -> float:
        """Bytes a second, 0 when that is not known."""
        return self.bytes / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True)
class Machine:
    """A server that was made again, or is there."""

    name: str
    old: str
    new: str
    status: str
    differences: tuple[str, ...] = ()
    reason: str = ""

    @property
    def bad(self) -> bool:
        """Whether it is not there, or not as it was."""
        return bool(self.reason or self.differences) or self.status == "failed"


@dataclass(frozen=True)
class Deed:
    """Everything a report is made of.

    :param began: ``2026-11-22 05:01``, UTC.
    :param stages: name and seconds of every stage, in order.
    :param hands: what somebody has to look at: ``failed`` or ``warning``, where, why.
    """

    title: str
    began: str
    rows: tuple[Row, ...] = ()
    trials: tuple[Trial, ...] = ()
    machines: tuple[Machine, ...] = ()
    stages: tuple[tuple[str, float], ...] = ()
    hands: tuple[tuple[str, str, str], ...] = ()

    @property
    def failed(self) -> bool:
        """Whether something was not restored, or not as it was."""
        said = any(what == "failed" for what, _where, _why in self.hands)
        return said or any(one.state == BAD for one in self.trials) or any(one.bad for one in self.machines)


def rows_of(
    volumes: Iterable[Mapping[str, Any]], chains: Iterable[Mapping[str, Any]], names: Mapping[str, str]
) -> tuple[Row, ...]:
    """Volumes with backups, by name.

    :param volumes: what volume_backup_info returned, and ``chains`` as well.
    :param names: of volumes that are gone, by id.
    :raises InputError: it is something else.
    """
    try:
        by_volume: dict[tuple[str, str], list[tuple[Member, ...]]] = {}
        for chain in chains:
            key = (str(chain["volume"]), str(chain.get("project") or ""))
            members = sorted((_member(one) for one in chain["members"]), key=lambda one: (one.taken, one.id))
            by_volume.setdefault(key, []).append(tuple(members))
        rows = []
        for one in volumes:
            found = by_volume.get((str(one["id"]), str(one.get("project") or "")), [])
            name = str(one.get("name") or names.get(str(one["id"])) or one["id"])
            if found:
                found.sort(key=lambda chain: chain[0].taken)
                rows.append(Row(str(one["id"]), name, int(one["size"]), bool(one["exists"]), tuple(found)))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"volumes and chains are not what volume_backup_info returned: {error!r}",
            hint="Pass its return values as they are",
        ) from error
    return tuple(sorted(rows, key=lambda row: (row.name, row.id)))


def _member(one: Mapping[str, Any]) -> Member:
    judged = str(one.get("refuted") or one.get("proven") or "")
    state = REFUTED if one.get("refuted") else PROVEN if one.get("proven") else OPEN
    if not one.get("restorable"):
        state, judged = BROKEN, ""
    full = one["kind"] == "full"
    parent = "" if full else str(one.get("parent") or "")
    return Member(
        str(one["id"]), str(one["name"]), parent, full, str(one["taken"]), state, judged, int(one.get("size") or 0)
    )


def trials_of(
    restores: Sequence[Mapping[str, Any]], verified: Sequence[Mapping[str, Any]], rows: Iterable[Row]
) -> tuple[Trial, ...]:
    """What became of restores and proofs, in their order.

    :param restores: what volume_backup_restore returned as ``restores``.
    :param verified: what volume_backup_verify returned as ``verified``.
    :raises InputError: they are something else.
    """
    known = {one.id: (row, one) for row in rows for one in row.members}
    try:
        return tuple(
            [_restore(one, known) for one in restores if not one.get("predicted")]
            + [_proof(one, known) for one in verified if not one.get("predicted")]
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"restores or verified are not what volume_backup_restore and volume_backup_verify returned: {error!r}"
        ) from error


def _restore(one: Mapping[str, Any], known: Mapping[str, tuple[Row, Member]]) -> Trial:
    backup, target = str(one["backup"]), one.get("volume") or {}
    row = known[backup][0] if backup in known else None
    name = row.name if row else str(target.get("name") or backup)
    reason = str(one.get("reason") or "")
    state = BAD if reason else EQUAL if one.get("compared") else UNREAD
    size = int(one.get("bytes") or 0) or int(target.get("size") or 0) * GIB
    return Trial(backup, row.id if row else "", name, state, reason, float(one.get("seconds") or 0), size, False)


def _proof(one: Mapping[str, Any], known: Mapping[str, tuple[Row, Member]]) -> Trial:
    backup = str(one["backup"])
    row = known[backup][0] if backup in known else None
    good = one["status"] == PROVEN
    name = row.name if row else str(one.get("name") or backup)
    reason = "" if good else str(one.get("reason") or one["status"])
    seconds, size = float(one.get("seconds") or 0), int(one.get("bytes") or 0)
    return Trial(backup, str(one["volume"]), name, EQUAL if good else BAD, reason, seconds, size, True)


def machines_of(servers: Iterable[Mapping[str, Any]]) -> tuple[Machine, ...]:
    """What server_recreate returned.

    :raises InputError: it is something else.
    """
    try:
        return tuple(
            Machine(
                str(one["name"]),
                str(one["old_id"]),
                str(one.get("id") or ""),
                str(one["status"]),
                tuple(f"{each['path']}: {each['before']} -> {each['after']}" for each in one.get("differences") or ()),
                str(one.get("message") or ""),
            )
            for one in servers
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"servers are not what server_recreate returned: {error!r}") from error
