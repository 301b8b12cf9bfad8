# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Full or incremental, and why: pure.

Cinder chooses the parent of an incremental backup itself: the one of the same volume and project that is available and was
taken last (for a backup of a snapshot: last before the snapshot). What it refuses, or accepts and makes worthless, is
foreseen here.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import chains
from .chains import Chain
from .model import Backup, Volume, moment

MODES = ("auto", "full", "incremental")
#: What the operator may know about the driver of cinder-backup, and what we can see of it.
DRIVERS = ("auto", "ceph", "chunked")


@dataclass(frozen=True)
class Rules:
    """When a chain ends.

    :param max_chain: members of a chain at most, 0 for any number.
    :param full_days: days after which a chain gets no further members, 0 for never.
    :param own_only: incremental backups stand on our own alone.
    """

    mode: str = "auto"
    max_chain: int = 14
    full_days: float = 30.0
    own_only: bool = True
    driver: str = "auto"


@dataclass(frozen=True)
class Decision:
    """What kind of backup a volume gets.

    :param kind: ``full`` or ``incremental``; empty when it is refused.
    :param why: why it is a full one, or what it stands on.
    :param parent: what Cinder will choose, for an incremental one.
    """

    kind: str
    why: str
    parent: Backup | None = None
    chain: Chain | None = None
    refused: str = ""


_ONE = "the Ceph driver can keep one backup of a snapshot of a volume"
#: For volumes about which nothing has to be decided.
NOTHING = Decision("", "")


def is_ceph(backups: Iterable[Backup], driver: str) -> bool:
    """Whether backups are made by the Ceph driver; all others cut a volume into objects, and count them."""
    if driver != "auto":
        return driver == "ceph"
    done = [one for one in backups if one.available and one.size]
    return bool(done) and not any(one.objects for one in done)


def is_chunked(backups: Iterable[Backup], driver: str) -> bool:
    """Whether backups are known to be made by a driver that cuts a volume into objects.

    Only for these a backup of a snapshot is as good as one of the volume: Ceph's makes a full one each time, and keeps all
    backups of snapshots of a volume in one image.
    """
    if driver != "auto":
        return driver == "chunked"
    return any(one.available and one.objects for one in backups)


def only_one(backups: Iterable[Backup], driver: str) -> Backup | None:
    """The good backup of a snapshot of this volume whose bytes are in danger, with the Ceph driver.

    That driver keeps backups of snapshots of a volume in one image: a second one fails. When a failed backup of that volume
    is removed and has no image of its own, that one is removed instead (``_full_backup`` and ``_try_delete_base_image`` of
    Cinder 29.0; both were tried).
    """
    ones = list(backups)
    there = [one for one in ones if one.snapshot and one.status in ("available", "restoring") and not one.objects]
    return there[0] if there and is_ceph(ones, driver) else None


def decide(
    volume: Volume,
    backups: Sequence[Backup],
    rules: Rules,
    now: datetime.datetime,
    *,
    snapshot_at: str = "",
    refused: str = "",
) -> Decision:
    """The kind of the next backup.

    :param backups: those of this volume in our project.
    :param snapshot_at: when the snapshot was made that is backed up instead of the volume; empty for the volume.
    :param refused: why Cinder could not make an incremental one in this run.
    """
    only = only_one(backups, rules.driver) if snapshot_at else None
    if only:
        return Decision("", _ONE, refused=f"{_ONE}, and {only.id} is there")
    if rules.mode == "full":
        return Decision("full", "a full one is asked for")
    if refused:
        return _full(f"Cinder could not make an incremental one: {refused}", rules)
    base = chains.base(backups, volume.id, backups[0].project if backups else "", snapshot_at)
    chain = chains.find(chains.build(backups), base.id) if base else None
    if base is None or chain is None:
        return _full("there is no backup to stand on", rules)
    path = chain.path(base.id)
    reason = _obstacle(volume, base, chain, path, rules)
    if not reason and snapshot_at and is_ceph(backups, rules.driver):
        reason = "the Ceph driver makes every backup of a snapshot a full one"
    if reason:
        return _full(reason, rules)
    if rules.mode == "auto":
        reason = _enough(path, rules, now)
        if reason:
            return Decision("full", reason)
    return Decision("incremental", f"stands on {base.id}", base, chain)


def _full(reason: str, rules: Rules) -> Decision:
    if rules.mode == "incremental":
        return Decision("", reason, refused=f"an incremental backup is asked for, and {reason}")
    return Decision("full", reason)


def _obstacle(volume: Volume, base: Backup, chain: Chain, path: Sequence[Backup], rules: Rules) -> str:
    """Why nothing may stand on a backup; empty when it may."""
    if base.snapshot and is_ceph([base], rules.driver):
        return f"the newest backup {base.id} is of a snapshot, and nothing can stand on that with the Ceph driver"
    if volume.size > base.size:
        return f"the volume has grown from {base.size} to {volume.size} GiB"
    if rules.own_only and not base.ours:
        return f"the newest backup {base.id} is not one of ours"
    foreign = next((one for one in path if not one.ours), None)
    if rules.own_only and foreign:
        return f"the newest backup stands on {foreign.id}, which is not one of ours"
    if base.id in chain.broken:
        return (
            f"the newest backup cannot be restored: {'; '.join(chain.problems) or 'what it stands on is not available'}"
        )
    bad = next((one for one in path if chains.refuted(one)), None)
    return f"{bad.id} {chains.fault(bad)}" if bad else ""


def _enough(path: Sequence[Backup], rules: Rules, now: datetime.datetime) -> str:
    """Why a sound chain ends."""
    if rules.max_chain and len(path) >= rules.max_chain:
        return f"the chain has {len(path)} of max_chain {rules.max_chain} members"
    age = (now - moment(path[0].taken)).total_seconds() / 86400
    if rules.full_days and age >= rules.full_days:
        return f"the chain is {age:.1f} days old, and full_days is {rules.full_days:g}"
    return ""
