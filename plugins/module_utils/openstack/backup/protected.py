# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""How well servers and volumes are protected, as an inventory: policy, project, age of the last backup and of its proof. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from ...landscape.inventory import CORE_GROUPS, LOCAL_NAMES, Inventory
from . import chains, model
from .model import Backup, Volume

#: What hosts can be grouped by, with the prefix that the groups carry unless told otherwise.
DEFAULT_PREFIXES: Mapping[str, str] = {
    "policy": "policy_",
    "project": "project_",
    "zone": "zone_",
    "host": "host_",
    "backup": "backup_",
    "proof": "proof_",
}
HOSTS = ("servers", "volumes")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_NOT_VALID = re.compile(r"[^A-Za-z0-9_]")
_YES = ("true", "yes", "1", "on")
#: Whoever never had it is grouped under this.
_NEVER = "never"


@dataclass(frozen=True)
class Options:
    """What goes into the inventory.

    :param hosts: ``servers`` or ``volumes``.
    :param group_by: prefix of the groups by each key of ``DEFAULT_PREFIXES``; a key that is absent makes no groups.
    :param days: limits of the groups by age, in days, ascending.
    """

    hosts: str = "servers"
    group_by: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_PREFIXES))
    days: tuple[int, ...] = (1, 7, 30)
    policy_key: str = model.POLICY_KEY
    exclude_key: str = model.EXCLUDE_KEY


def options_of(params: Mapping[str, Any]) -> Options:
    """The options from those of the plugin.

    :raises InputError: ``group_by`` has keys that nobody knows, or ``days`` are no ascending numbers.
    """
    group_by = params["group_by"] or {}
    unknown = sorted(str(key) for key in group_by if key not in DEFAULT_PREFIXES)
    if unknown:
        raise InputError(f"group_by does not know {', '.join(unknown)}", hint=f"It knows {', '.join(DEFAULT_PREFIXES)}")
    days = tuple(params["age_days"])
    if list(days) != sorted(set(days)) or any(one < 1 for one in days):
        raise InputError(f"age_days is {list(days)}, not numbers from 1 on that grow")
    prefixes = {str(key): str(prefix or "") for key, prefix in group_by.items()}
    return Options(params["hosts"], prefixes, days, params["policy_key"], params["exclude_key"])


@dataclass(frozen=True)
class _Cover:
    """What one volume has.

    :param last: when its newest usable backup was taken, empty when there is none.
    :param proven: when a backup of it was proven for the last time, empty when never.
    :param good: when the newest proven backup of it was taken.
    """

    volume: Volume
    policy: str
    excluded: bool
    backups: int
    last: str
    proven: str
    good: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "id": self.volume.id,
            "name": self.volume.name,
            "size": self.volume.size,
            "type": self.volume.type,
            "policy": self.policy,
            "excluded": self.excluded,
            "backups": self.backups,
            "last_backup": self.last,
            "proven": self.proven,
            "proven_taken": self.good,
        }


def build(
    servers: Iterable[Mapping[str, Any]],
    volumes: Iterable[Volume],
    backups: Iterable[Backup],
    options: Options,
    now: datetime.datetime,
) -> Inventory:
    """The inventory.

    :param servers: as Nova lists them; none for a cloud without Nova.
    :param now: for the groups by age, with a zone.
    """
    covers = _covers(volumes, backups, options)
    entries = _servers(servers, covers, options) if options.hosts == "servers" else _volumes(covers)
    names = _names(entries)
    hosts: dict[str, dict[str, Any]] = {}
    groups: dict[str, list[str]] = {}
    for name, entry in sorted(zip(names, entries), key=lambda pair: pair[0]):
        hosts[name] = {f"protected_{key}": value for key, value in entry.items()}
        for group in _groups(entry, options, now):
            groups.setdefault(group, []).append(name)
    refused = sorted(set(groups) & {*hosts, *CORE_GROUPS})
    kept = {name: groups[name] for name in sorted(groups) if name not in refused}
    return Inventory(hosts, kept, {}, [f"group {one} is left out: its name is taken" for one in refused])


def _covers(volumes: Iterable[Volume], backups: Iterable[Backup], options: Options) -> list[_Cover]:
    by_volume: dict[str, list[Backup]] = {}
    for one in backups:
        by_volume.setdefault(one.volume, []).append(one)
    found = []
    for volume in volumes:
        sound = [one for chain in chains.build(by_volume.get(volume.id, ())) for one in chains.sound(chain)]
        mine = sorted(sound, key=lambda one: model.moment(one.taken))
        good = [one for one in mine if chains.proven(one)]
        proofs = sorted((one.metadata[model.PROVEN] for one in good), key=model.moment)
        found.append(
            _Cover(
                volume,
                volume.metadata.get(options.policy_key, ""),
                volume.metadata.get(options.exclude_key, "").lower() in _YES,
                len(mine),
                mine[-1].taken if mine else "",
                proofs[-1] if proofs else "",
                good[-1].taken if good else "",
            )
        )
    return found


def _servers(servers: Iterable[Mapping[str, Any]], covers: Sequence[_Cover], options: Options) -> list[dict[str, Any]]:
    by_server: dict[str, list[_Cover]] = {}
    for cover in covers:
        for use in cover.volume.attachments:
            by_server.setdefault(use.server, []).append(cover)
    entries = []
    for server in servers:
        mine = by_server.get(str(server["id"]), [])
        metadata = server.get("metadata") or {}
        own = str(metadata.get(options.policy_key) or "")
        excluded = str(metadata.get(options.exclude_key) or "").lower() in _YES
        entries.append(
            {
                "kind": "server",
                "id": str(server["id"]),
                "name": str(server.get("name") or ""),
                "project": str(server.get("tenant_id") or ""),
                "status": str(server.get("status") or ""),
                "zone": str(server.get("OS-EXT-AZ:availability_zone") or ""),
                "host": str(server.get("OS-EXT-SRV-ATTR:host") or ""),
                "local_root": bool(server.get("image")),
                **_cover(own, excluded, mine),
            }
        )
    return entries


def _volumes(covers: Iterable[_Cover]) -> list[dict[str, Any]]:
    return [
        {
            "kind": "volume",
            "id": cover.volume.id,
            "name": cover.volume.name,
            "project": cover.volume.project,
            "status": cover.volume.status,
            "zone": cover.volume.zone,
            "host": "",
            **_cover("", cover.excluded, [cover]),
        }
        for cover in covers
    ]


def _cover(policy: str, excluded: bool, covers: Sequence[_Cover]) -> dict[str, Any]:
    """What holds for the weakest of some volumes; those that their owner wants out do not count."""
    counted = [one for one in covers if not one.excluded]
    policies = sorted({one for one in (policy, *(cover.policy for cover in counted)) if one})

    def weakest(name: str) -> str:
        found = [str(getattr(one, name)) for one in counted]
        return min(found, key=model.moment) if found and all(found) else ""

    return {
        "policies": [] if excluded else policies,
        "excluded": excluded,
        "last_backup": weakest("last"),
        "proven": weakest("proven"),
        "proven_taken": weakest("good"),
        "volumes": [one.as_dict() for one in covers],
    }


def _names(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of hosts: what people call them where that is one name of one thing, and can mean nothing else; else ids."""
    called = [str(one["name"]) for one in entries]
    ids = {str(one["id"]) for one in entries}
    found = []
    for entry, name in zip(entries, called):
        plain = bool(_SAFE.fullmatch(name)) and name.lower() not in (*LOCAL_NAMES, *CORE_GROUPS)
        found.append(name if plain and called.count(name) == 1 and name not in ids else str(entry["id"]))
    return found


def _groups(entry: Mapping[str, Any], options: Options, now: datetime.datetime) -> list[str]:
    values: dict[str, list[str]] = {
        "policy": list(entry["policies"]) or ["none"],
        "project": [entry["project"]],
        "zone": [entry["zone"]],
        "host": [entry["host"]],
        "backup": [_age(entry["last_backup"], options.days, now)],
        "proof": [_age(entry["proven"], options.days, now)],
    }
    return sorted(
        {_NOT_VALID.sub("_", options.group_by[key] + one) for key in options.group_by for one in values[key] if one}
    )


def _age(moment: str, days: Sequence[int], now: datetime.datetime) -> str:
    """``7d`` for what is up to seven days old, ``older`` beyond the last limit."""
    if not moment:
        return _NEVER
    age = (now - model.moment(moment)).total_seconds() / 86400
    return next((f"{limit}d" for limit in days if age <= limit), "older")
