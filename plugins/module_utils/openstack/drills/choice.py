# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which backups a drill restores, and which ones bring the volumes of servers back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..backup import chains, together
from ..backup.model import DIGEST, RUN, Backup, Volume, moment
from ..backup.restore import description_of
from ..backup.together import Together
from ..backup.views import Sight

#: Volumes that a rebuild restores bear this and the id of the one that is gone, until a server has them.
PREFIX = "scs-landscape-rebuild-"


@dataclass(frozen=True)
class Choice:
    """A backup that is to be restored.

    :param name: of the volume, as people know it.
    :param why: why this volume, or this backup, in a few words.
    :param server: name of the server that had the volume.
    """

    backup: Backup
    volume: str
    name: str
    why: str
    server: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        one = self.backup
        return {
            "backup": one.id,
            "name": one.name,
            "volume": self.volume,
            "volume_name": self.name,
            "server": self.server,
            "taken": one.taken,
            "kind": "incremental" if one.incremental else "full",
            "size": one.size,
            "proven": chains.proven(one) or None,
            "point": together.point_of(one) or None,
            "why": self.why,
        }

    def as_restore(self) -> dict[str, str]:
        """What volume_backup_restore is to do with it."""
        return {"backup": self.backup.id, "name": f"{PREFIX}{self.volume}"}


@dataclass(frozen=True)
class Chosen:
    """What was chosen, and what was not.

    :param omitted: volumes that nothing is done about, with ``volume``, ``name``, ``reason``.
    :param missing: volumes that should be restored and cannot be.
    :param spare: volumes that an earlier rebuild restored, and that nothing is made of.
    :param servers: manifests of servers, and what brings the volumes of each back to one moment.
    """

    choices: tuple[Choice, ...] = ()
    omitted: tuple[Mapping[str, str], ...] = ()
    missing: tuple[Mapping[str, str], ...] = ()
    spare: tuple[Mapping[str, str], ...] = ()
    servers: tuple[tuple[Mapping[str, Any], Together], ...] = ()


def _told(volume: str, name: str, reason: str) -> dict[str, str]:
    return {"volume": volume, "name": name, "reason": reason}


def name_of(sight: Sight) -> str:
    """The name of a volume; of one that is gone, what the name of its newest backup has before the name of the run."""
    if sight.volume or not sight.backups:
        return (sight.volume.name if sight.volume else "") or sight.id
    newest = sight.backups[-1]
    run = newest.metadata.get(RUN, "")
    named = newest.name[: -len(run)].rstrip() if run and newest.name.endswith(run) else newest.name
    return named or sight.id


def sample(found: Iterable[Sight], count: int, volumes: Sequence[str] = ()) -> Chosen:
    """The newest good backup of some volumes: those that were never proven, then those whose proof is the oldest.

    :param count: how many at most, 0 for all.
    :param volumes: ids of volumes; all when empty.
    """
    queue: list[tuple[tuple[Any, ...], Choice]] = []
    omitted, missing = [], []
    for sight in found:
        if not sight.backups or (volumes and sight.id not in volumes):
            continue
        name = name_of(sight)
        if not sight.sound:
            missing.append(_told(sight.id, name, f"none of its {len(sight.backups)} backups is known to be good"))
            continue
        readable = [one for one in sight.sound if one.metadata.get(DIGEST)]
        if not readable:
            omitted.append(_told(sight.id, name, "no digests were taken when it was backed up"))
            continue
        last = max((chains.proven(one) for one in sight.backups), key=moment)
        why = f"last proven {last[:10]}" if last else "never proven"
        queue.append(((moment(last), moment(readable[-1].taken), sight.id), Choice(readable[-1], sight.id, name, why)))
    queue.sort(key=lambda pair: pair[0])
    picked = [choice for _key, choice in queue]
    rest = picked[count:] if count else []
    omitted += [_told(one.volume, one.name, f"not in this sample: {one.why}") for one in rest]
    return Chosen(tuple(picked[:count] if count else picked), tuple(omitted), tuple(missing))


def rebuild(
    found: Iterable[Sight],
    volumes: Iterable[Volume],
    manifests: Sequence[Mapping[str, Any]],
    *,
    restored: Mapping[str, str] | None = None,
    before: str = "",
    proven: bool = False,
) -> Chosen:
    """The backups that bring back the volumes of servers, in the order of their manifests; those of a server from one point.

    :param volumes: what is there now; what is still there, or is being put to a server again, is left alone.
    :param restored: ids that volumes have now, by those they had: servers have them already.
    :param before: nothing newer than this moment.
    :param proven: only what a restore has proven.
    """
    there = {one.id: one for one in volumes}
    names = {one.name for one in there.values()}
    given = {old: new for old, new in (restored or {}).items() if new in there}
    brought = together.bring(manifests, found, {*there, *given}, before=before, proven=proven)
    why = "newest good backup" + (f" before {before}" if before else "")
    points = {identifier: one.point for _manifest, one in brought.servers for identifier in one.backups}
    choices, omitted, missing = [], [], []
    seen: set[str] = set()
    for manifest in manifests:
        for one in manifest["volumes"]:
            identifier, name = str(one["id"]), str(one.get("name") or one["id"])
            if identifier in seen:
                continue
            seen.add(identifier)
            if identifier in there:
                omitted.append(_told(identifier, name, "it is still there"))
            elif f"scs-landscape recreating {identifier}" in names:
                omitted.append(_told(identifier, name, "a rebuild that was interrupted has it already"))
            elif identifier in given:
                omitted.append(_told(identifier, name, f"a server has it already, as {given[identifier]}"))
            elif identifier in brought.missing:
                missing.append(_told(identifier, f"{name} of {manifest['name']}", brought.missing[identifier]))
            else:
                backup = brought.backups[identifier]
                at = points[identifier] and points[identifier] == together.point_of(backup)
                reason = "newest point of all volumes of its server" if at else why
                choices.append(Choice(backup, identifier, name, reason, str(manifest["name"])))
    servers = [pair for pair in brought.servers if {one.volume for one in choices}.intersection(pair[1].backups)]
    return Chosen(tuple(choices), tuple(omitted), tuple(missing), _spare(there.values(), choices), tuple(servers))


def _spare(volumes: Iterable[Volume], choices: Iterable[Choice]) -> tuple[Mapping[str, str], ...]:
    """Volumes of earlier rebuilds that these choices do not lead to."""
    used = {(one.as_restore()["name"], description_of(one.backup)) for one in choices}
    idle = [one for one in volumes if one.name.startswith(PREFIX) and not one.in_use and one.status != "deleting"]
    reason = "an earlier rebuild restored it, and this one does not take it; remove it when nobody needs it"
    return tuple(_told(one.id, one.name, reason) for one in idle if (one.name, one.description) not in used)


def mixtures(chosen: Chosen) -> list[dict[str, Any]]:
    """Servers whose volumes come back from several moments, or not from the newest, as they are told."""
    return [
        {
            "server": str(manifest["name"]),
            "mixed": one.mixed,
            "torn": one.torn,
            "spread": one.spread,
            "point": one.point or None,
            "reason": one.reason,
        }
        for manifest, one in chosen.servers
        if one.reason
    ]
