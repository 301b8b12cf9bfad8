# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which volumes a run is about: those that are named, and those that a rule finds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from .model import EXCLUDE_KEY, POLICY_KEY, Volume
from .points import Server
from .volumes import SCRATCH

#: A backup of these cannot be wanted: they are on their way out, or not there yet.
_PASSING = ("creating", "deleting", "downloading")
_YES = ("true", "yes", "1", "on")


@dataclass(frozen=True)
class Selector:
    """What an operator asks for; what is named and what the rules find is added up.

    :param volumes: ids or names.
    :param servers: ids or names; all volumes that are attached to them.
    :param tags: all volumes of every server that has all of these tags.
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
    tags: tuple[str, ...] = ()

    def knows(self, volumes: Iterable[Volume]) -> bool:
        """Whether volumes alone say which servers are meant: names and tags only Nova knows."""
        attached = {one.server for volume in volumes for one in volume.attachments}
        return not self.tags and attached.issuperset(self.servers)

    @property
    def by_policy(self) -> bool:
        """Whether only the volumes' own metadata selects."""
        return not (self.volumes or self.servers or self.tags or self.metadata or self.everything)

    def finds(self, volume: Volume, servers: Collection[str]) -> bool:
        """Whether a rule finds a volume.

        :param servers: ids of those that are meant.
        """
        if self.everything or any(one.server in servers for one in volume.attachments):
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
        tags=tuple(params["server_tags"]),
    )
    if selector.by_policy and not selector.policy:
        raise InputError(
            "Nothing says which volumes are meant",
            hint="Give volumes, servers, server_tags, volume_metadata, policy or all_volumes",
        )
    if any(not one for one in (*selector.volumes, *selector.servers, *selector.tags, *selector.projects)):
        raise InputError("An empty name is in volumes, servers, server_tags or projects")
    return selector


def _meant(selector: Selector, servers: Sequence[Server] | None) -> tuple[set[str], set[str], list[str]]:
    """Ids of the servers that are named, ids of those that have the tags, and what is not there or not clear."""
    if servers is None:
        return set(selector.servers), set(), []
    seen = [one for one in servers if not selector.projects or one.project in selector.projects]
    named, missing = _named({one.id: one.name for one in seen}, selector.servers, "server")
    tags = set(selector.tags)
    return named, {one.id for one in seen if tags and tags.issubset(one.tags)}, missing


def select(volumes: Sequence[Volume], selector: Selector, servers: Sequence[Server] | None = None) -> Selection:
    """The volumes that are meant.

    What is named counts more than what the volume's owner wrote on it; what a rule finds does not.

    :param servers: all that are to be seen, for a selector that names some by name or by tag.
    """
    there = [one for one in volumes if not selector.projects or one.project in selector.projects]
    named, missing = _named({one.id: one.name for one in there}, selector.volumes, "volume")
    asked, tagged, unclear = _meant(selector, servers)
    attached = {one.server for volume in there for one in volume.attachments}
    missing += [*unclear, *(f"server {one} has no volumes here" for one in sorted(asked - attached))]
    chosen, omitted = [], []
    for volume in there:
        if volume.id in named:
            chosen.append(volume)
        elif selector.finds(volume, asked | tagged):
            reason = _left_out(volume, selector)
            if reason:
                omitted.append(Omitted(volume, reason))
            else:
                chosen.append(volume)
    return Selection(tuple(chosen), tuple(omitted), tuple(missing))


def _left_out(volume: Volume, selector: Selector) -> str:
    if volume.description.startswith(SCRATCH):
        return "it is there for a proof alone"  # and has the metadata of its source, the policy among them
    if selector.excludes(volume):
        return f"its metadata say {selector.exclude_key}={volume.metadata[selector.exclude_key]}"
    return f"it is {volume.status}" if volume.status in _PASSING else ""


def _named(there: Mapping[str, str], names: Iterable[str], what: str) -> tuple[set[str], list[str]]:
    """Ids of what is named, and what is not there or not clear.

    :param there: names by id.
    :param what: ``volume`` or ``server``.
    """
    found: set[str] = set()
    missing = []
    for name in dict.fromkeys(names):
        ids = [name] if name in there else sorted(one for one, other in there.items() if other == name)
        if len(ids) == 1:
            found.add(ids[0])
        elif ids:
            missing.append(f"{len(ids)} {what}s have the name {name}: {', '.join(ids)}")
        else:
            missing.append(f"there is no {what} {name}")
    return found, missing
