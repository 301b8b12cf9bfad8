# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which volumes a run is about: those that are named, and those that a rule finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from .model import EXCLUDE_KEY, POLICY_KEY, Volume

#: A backup of these cannot be wanted: they are on their way out, or not there yet.
_PASSING = ("creating", "deleting", "downloading")
_YES = ("true", "yes", "1", "on")


@dataclass(frozen=True)
class Selector:
    """What an operator asks for; what is named and what the rules find is added up.

    :param volumes: ids or names.
    :param servers: ids; all volumes that are attached to them.
    :param metadata: every volume that has all of these.
    :param policy: every volume whose metadata ``policy_key`` is this, when nothing else selects.
    :param everything: every volume.
    :param projects: ids; only volumes of these.
    """

    volumes: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    policy: str = ""
    everything: bool = False
    projects: tuple[str, ...] = ()
    policy_key: str = POLICY_KEY
    exclude_key: str = EXCLUDE_KEY

    @property
    def by_policy(self) -> bool:
        """Whether only the volumes' own metadata selects."""
        return not (self.volumes or self.servers or self.metadata or self.everything)

    def finds(self, volume: Volume) -> bool:
        """Whether a rule finds a volume."""
        if self.everything or any(one.server in self.servers for one in volume.attachments):
            return True
        if self.metadata:
            return all(volume.metadata.get(key) == value for key, value in self.metadata.items())
        return self.by_policy and bool(self.policy) and volume.metadata.get(self.policy_key) == self.policy

    def excludes(self, volume: Volume) -> bool:
        """Whether a volume's owner wants none of it."""
        return volume.metadata.get(self.exclude_key, "").lower() in _YES


@dataclass(frozen=True)
class Omitted:
    """What a rule would have found, and why it is left out."""

    volume: Volume
    reason: str


@dataclass(frozen=True)
class Selection:
    """The volumes of a run, in the order of the service's list.

    :param missing: what is named and cannot be found, one sentence each.
    """

    chosen: tuple[Volume, ...] = ()
    omitted: tuple[Omitted, ...] = ()
    missing: tuple[str, ...] = ()


def selector_of(params: Mapping[str, Any]) -> Selector:
    """What the options of ``volume_backup_run`` say.

    :raises InputError: they select nothing, or nobody knows what.
    """
    selector = Selector(
        volumes=tuple(params["volumes"]),
        servers=tuple(params["servers"]),
        metadata={str(key): str(value) for key, value in params["volume_metadata"].items()},
        policy=params["policy"],
        everything=params["all_volumes"],
        projects=tuple(params["projects"]),
        policy_key=params["policy_key"],
        exclude_key=params["exclude_key"],
    )
    if selector.by_policy and not selector.policy:
        raise InputError(
            "Nothing says which volumes are meant",
            hint="Give volumes, servers, volume_metadata, policy or all_volumes",
        )
    if any(not one for one in (*selector.volumes, *selector.servers, *selector.projects)):
        raise InputError("An empty name is in volumes, servers or projects")
    return selector


def select(volumes: Sequence[Volume], selector: Selector) -> Selection:
    """The volumes that are meant.

    What is named counts more than what the volume's owner wrote on it; what a rule finds does not.
    """
    there = [one for one in volumes if not selector.projects or one.project in selector.projects]
    named, missing = _named(there, selector.volumes)
    attached = {one.server for volume in there for one in volume.attachments}
    missing += [f"server {one} has no volumes here" for one in selector.servers if one not in attached]
    chosen, omitted = [], []
    for volume in there:
        if volume.id in named:
            chosen.append(volume)
        elif selector.finds(volume):
            reason = _left_out(volume, selector)
            if reason:
                omitted.append(Omitted(volume, reason))
            else:
                chosen.append(volume)
    return Selection(tuple(chosen), tuple(omitted), tuple(missing))


def _left_out(volume: Volume, selector: Selector) -> str:
    if selector.excludes(volume):
        return f"its metadata say {selector.exclude_key}={volume.metadata[selector.exclude_key]}"
    return f"it is {volume.status}" if volume.status in _PASSING else ""


def _named(volumes: Iterable[Volume], names: Iterable[str]) -> tuple[set[str], list[str]]:
    """Ids of what is named, and what is not there or not clear."""
    by_id = {one.id: one for one in volumes}
    found: set[str] = set()
    missing = []
    for name in dict.fromkeys(names):
        ids = [name] if name in by_id else sorted(one.id for one in by_id.values() if one.name == name)
        if len(ids) == 1:
            found.add(ids[0])
        elif ids:
            missing.append(f"{len(ids)} volumes have the name {name}: {', '.join(ids)}")
        else:
            missing.append(f"there is no volume {name}")
    return found, missing
