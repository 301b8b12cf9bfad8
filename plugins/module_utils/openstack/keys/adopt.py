# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Secrets out of a bundle into Barbican, and those who used them told the new ids where an API lets us.

A secret that is there under its old id is the same one: a payload never changes. Else it is one that an earlier import
marked with the old id, if the bytes are the same: compared in memory, so no digest of a key is kept anywhere.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError, LandscapeError
from ...core.plan import Impact, Plan, Step
from ...core.pool import each
from ..model import UnreachableError
from . import collect, model
from .barbican import Barbican
from .bundle import Content
from .model import Container, Secret, Use

_GLANCE = "image"
_PATCH = "application/openstack-images-v2.1-json-patch"
#: Why the API leaves these as they are (cinder/api/contrib/backups.py and volumes: no request sets the id of a key).
CANNOT = {
    "volume": "Cinder has no request that sets the key of a volume: make a new one from its backup or image",
    "backup": "Cinder has no request that sets the key of a backup: import its record with `keys` of volume_backup_record",
}


@dataclass
class Import:
    """What an import has to do.

    :ivar ids: id now, by id in the bundle, of what is there.
    :ivar begun: ids of secrets of ours that have no payload yet, by id in the bundle.
    """

    content: Content = field(repr=False)
    ids: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    begun: dict[str, str] = field(default_factory=dict)
    users: list[Use] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> list[Secret]:
        """Those that are to be made or filled."""
        return [one for one in self.content.secrets if one.id not in self.ids and one.id not in self.failed]

    @property
    def containers(self) -> list[Container]:
        """Those that are to be made."""
        lost = set(self.failed)
        return [
            one
            for one in self.content.containers
            if one.id not in self.groups and not lost & {key for _name, key in one.members}
        ]

    @property
    def images(self) -> list[Use]:
        """Images that name a secret by an id that is no longer its id."""
        return [one for one in self.users if one.kind == "image" and self._moves(one.key)]

    @property
    def stuck(self) -> list[Use]:
        """Volumes and backups that do, and cannot be told."""
        return [one for one in self.users if one.kind in CANNOT and self._moves(one.key)]

    def _moves(self, key: str) -> bool:
        return key not in self.failed and self.ids.get(key) != key

    def new(self, key: str) -> str:
        """The id now, or how an id is called that nobody knows yet."""
        return self.ids.get(key) or self.begun.get(key) or f"new secret for {key}"

    @property
    def plan(self) -> Plan:
        """Secrets, then containers of them, then images."""
        steps = [
            Step(
                "update" if one.id in self.begun else "create",
                f"secret {one.label}",
                None,
                {"of": one.id, "type": one.facts.get("secret_type"), "bit_length": one.facts.get("bit_length")},
                undo="delete the secret",
            )
            for one in self.missing
        ]
        steps += [
            Step("create", f"container {one.name or one.id}", None, {"of": one.id, "secrets": len(one.members)})
            for one in self.containers
        ]
        steps += [
            Step("update", f"image {one.id}", {one.property: one.key}, {one.property: self.new(one.key)}, Impact.NONE)
            for one in self.images
        ]
        return Plan(tuple(steps))


class Importer:
    """Imports the secrets of a bundle.

    :param parallel: how many at once.
    """

    def __init__(self, barbican: Barbican, parallel: int) -> None:
        self._barbican, self._parallel, self.cloud = barbican, parallel, barbican.cloud

    def look(self, content: Content, *, relink: bool) -> Import:
        """What there is to do; only reads.

        :raises InputError: the quota of the project is too small, with its numbers.
        """
        todo = Import(content)
        for outcome in each(content.secrets, self._found, self._parallel):
            if outcome.error:
                todo.failed[outcome.item.id] = str(outcome.error)
                continue
            there, begun = outcome.value
            if there:
                todo.ids[outcome.item.id] = there
            elif begun:
                todo.begun[outcome.item.id] = begun
        self._groups(todo)
        need = len(todo.missing) - len(todo.begun)
        limit, used = self._barbican.room() if need else (-1, 0)
        if 0 <= limit < used + need:
            raise InputError(
                f"The secrets do not fit into the project: {need} are needed, {limit} may be and {used} are there"
            )
        if relink:
            todo.users = collect.users(self.cloud, [one.id for one in content.secrets])
        return todo

    def _found(self, one: Secret) -> tuple[str, str]:
        """Id of the same secret, or of one that was begun for it."""
        body = self._barbican.secret(one.id)
        if body and body.get("content_types"):
            return one.id, ""
        begun = ""
        for other in self._barbican.named(one.label):
            identifier = model.id_of(str(other.get("secret_ref") or ""))
            mark = self._barbican.metadata(identifier).get(model.MARK)
            if not other.get("content_types"):
                # Nobody's clone: whoever clones a secret fills it at once. One without a mark lost its maker.
                mine = other.get("creator_id") in (None, self.cloud.user_id)
                begun = identifier if mark == one.id or (mark is None and mine and _alike(one, other)) else begun
            elif mark == one.id and self._same(identifier, one):
                return identifier, ""
        return "", begun

    def _same(self, identifier: str, one: Secret) -> bool:
        there = self._barbican.payload(Secret(identifier, content=one.content))
        return hmac.compare_digest(there, one.payload)

    def _groups(self, todo: Import) -> None:
        if not todo.content.containers:
            return
        there = self._barbican.containers()
        for one in todo.content.containers:
            members = sorted((name, todo.ids.get(key, "")) for name, key in one.members)
            for other in there:
                same = (other.name, other.type, sorted(other.members)) == (one.name, one.type, members)
                if other.id == one.id or same:
                    todo.groups[one.id] = other.id
                    break

    def apply(self, todo: Import) -> int:
        """Does it; how many steps were done. What fails is written down and holds up nothing else."""
        done = 0
        for made in each(list(todo.missing), lambda one: self._make(todo, one), self._parallel):
            if made.error:
                todo.failed[made.item.id] = str(made.error)
                continue
            todo.ids[made.item.id] = made.value
            done += 1
        for one in list(todo.containers):
            try:
                todo.groups[one.id] = self._barbican.group(one, todo.ids)
                done += 1
            except LandscapeError as error:
                todo.failed[one.id] = str(error)
        return done

    def _make(self, todo: Import, one: Secret) -> str:
        identifier = todo.begun.get(one.id) or self._begin(one)
        self._barbican.finish(identifier, one)
        return identifier

    def _begin(self, one: Secret) -> str:
        try:
            return self._barbican.begin(one)
        except UnreachableError:
            # Nobody knows whether it was made; if it was, it is empty and has our name.
            there, begun = self._found(one)
            return there or begun or self._barbican.begin(one)

    def relink(self, todo: Import) -> tuple[list[Use], dict[str, str]]:
        """Tells images the new ids; which were told, and why others were not, by id of the image."""
        told, failed = [], {}
        for outcome in each(todo.images, lambda one: self._tell(one, todo.ids[one.key]), self._parallel):
            if outcome.error:
                failed[outcome.item.id] = str(outcome.error)
            else:
                told.append(outcome.item)
        return told, failed

    def _tell(self, one: Use, key: str) -> None:
        self.cloud.call(
            _GLANCE,
            "PATCH",
            f"/images/{one.id}",
            json=[{"op": "replace", "path": f"/{one.property}", "value": key}],
            headers={"Content-Type": _PATCH},
            repeat=True,
        )


def _alike(one: Secret, other: Any) -> bool:
    names: Sequence[str] = ("secret_type", "algorithm", "bit_length", "mode")
    return all(one.facts.get(name) == other.get(name) for name in names)
