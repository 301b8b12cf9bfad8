# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Flavors in Nova: read them, and do what a plan says. Every step may be cut off and done again."""

from __future__ import annotations

import urllib.parse
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...core import pool
from ...core.errors import LandscapeError
from ..client import Cloud
from ..model import ConflictError, ForbiddenError, NotFoundError
from .model import FIXED, Definition, Flavor, flavor_of, note_of
from .plan import Rules, Todo, drift_of, holder_name, in_use, plan, to_ask

#: Lists carry the extra specs from here on (Rocky, 2018).
_WITH_SPECS = "2.61"


class Flavors:
    """The flavors of a cloud."""

    def __init__(self, cloud: Cloud, parallel: int = 4) -> None:
        self.cloud = cloud
        self.parallel = parallel
        self._version = cloud.microversion("compute", _WITH_SPECS)
        if self._version is None:
            raise LandscapeError(f"{cloud.name}: the compute service is older than its microversion {_WITH_SPECS}")

    def read(self) -> list[Flavor]:
        """All flavors that the token may see: for an administrator those that are not public, too."""
        pages = self.cloud.pages(
            "compute", "/flavors/detail", "flavors", microversion=self._version, is_public="None", limit=1000
        )
        return [flavor_of(data) for data in pages]

    def offered(self) -> list[Flavor]:
        """Those that the token's project may start servers with: an administrator's token sees those of others, too."""
        flavors = [one for one in self.read() if not one.disabled]
        asked = [one for one in flavors if not one.is_public]
        others = {outcome.item.id for outcome in pool.each(asked, self._access, self.parallel) if self._closed(outcome)}
        return [one for one in flavors if one.id not in others]

    def _closed(self, outcome: pool.Outcome[Flavor]) -> bool:
        if isinstance(outcome.error, ForbiddenError):
            return False  # who may not ask sees only what the own project may use
        if isinstance(outcome.error, NotFoundError):
            return True  # deleted, or made public, meanwhile
        return self.cloud.project_id not in (_with_access(outcome.item, outcome).access or ())

    def with_access(self, flavors: Iterable[Flavor], names: Iterable[str]) -> list[Flavor]:
        """The same, with the projects of those flavors of some names that are not public."""
        wanted, everyone = set(names), list(flavors)
        asked = [one for one in everyone if not one.is_public and (one.name in wanted or one.kept_for in wanted)]
        found = {outcome.item.id: outcome for outcome in pool.each(asked, self._access, self.parallel)}
        return [_with_access(one, found[one.id]) if one.id in found else one for one in everyone]

    def _access(self, flavor: Flavor) -> frozenset[str]:
        body = self.cloud.get("compute", f"/flavors/{_quoted(flavor.id)}/os-flavor-access")
        return frozenset(str(entry["tenant_id"]) for entry in body["flavor_access"])

    def users(self, flavors: Iterable[Flavor]) -> dict[str, tuple[str, ...]]:
        """Ids of the servers that use each flavor, in all projects; nothing about a flavor where the token may not see them."""
        outcomes = pool.each(flavors, self._servers, self.parallel)
        for outcome in outcomes:
            if outcome.error and not isinstance(outcome.error, ForbiddenError):
                raise outcome.error
        return {outcome.item.id: outcome.value for outcome in outcomes if outcome.error is None}

    def _still_unused(self, flavor: Flavor) -> None:
        """Just before it goes: between plan and deed somebody may have started a server.

        :raises ConflictError: a server uses it.
        """
        using = self._servers(flavor)
        if using:
            raise ConflictError(f"flavor {flavor.name}: {in_use(using)}", status=409)

    def _servers(self, flavor: Flavor) -> tuple[str, ...]:
        pages = self.cloud.pages("compute", "/servers", "servers", all_tenants="1", flavor=flavor.id)
        return tuple(sorted(str(server["id"]) for server in pages))

    def project_ids(self, names: Iterable[str]) -> dict[str, str]:
        """Ids of projects by name or id.

        :raises LandscapeError: there is none, or there are several of a name.
        """
        return {name: self._project(name) for name in dict.fromkeys(names)}

    def _project(self, name: str) -> str:
        answer = self.cloud.call("identity", "GET", f"/projects/{_quoted(name)}", accept=(403, 404))
        if answer.status == 200:
            return str(answer.body["project"]["id"])
        found = [str(one["id"]) for one in self.cloud.pages("identity", "/projects", "projects", name=name)]
        if len(found) == 1:
            return found[0]
        said = "no project" if not found else f"{len(found)} projects"
        raise LandscapeError(f"There is {said} of the name or id {name!r}", hint="Give the id of the project")

    def plan(self, wanted: Sequence[Definition], rules: Rules) -> list[Todo]:
        """What is to be done, from what is there now."""
        wanted = self._with_project_ids(wanted)
        flavors = self.read()
        names = [one.name for one in wanted if one.access is not None or rules.on_drift == "recreate"]
        flavors = self.with_access(flavors, names) if names else flavors
        return plan(wanted, flavors, rules, self.users(to_ask(wanted, flavors)))

    def _with_project_ids(self, wanted: Sequence[Definition]) -> list[Definition]:
        ids = self.project_ids(sorted({name for one in wanted for name in one.access or ()}))
        return [
            one if not one.access else replace(one, access=frozenset(ids[name] for name in one.access))
            for one in wanted
        ]

    def unfinished(
        self, wanted: Sequence[Definition], rules: Rules, outcomes: Sequence[pool.Outcome[Todo]]
    ) -> list[str]:
        """Names of flavors that were changed and are not what they should be, read back."""
        changed = {outcome.item.definition.name for outcome in outcomes}
        todos = self.plan([one for one in wanted if one.name in changed], rules)
        return [todo.definition.name for todo in todos if todo.kind or todo.refused]

    # Steps.

    def apply(self, todo: Todo) -> str:
        """Does what is to be done about one flavor, and gives its id."""
        if todo.kind == "create":
            return self._create(todo.definition, todo.specs, todo.grant)
        if todo.flavor is None:
            return ""
        if todo.kind == "recreate":
            return self._recreate(todo, todo.flavor)
        if todo.kind == "delete":
            self._still_unused(todo.flavor)
            self._delete(todo.flavor.id)
        elif todo.kind == "update":
            self._update(todo, todo.flavor)
        return todo.flavor.id

    def _update(self, todo: Todo, flavor: Flavor) -> None:
        if todo.describe is not None:
            body = {"flavor": {"description": todo.describe or None}}
            self._call("PUT", flavor.id, "", body, microversion=self._version)
        self._set_specs(flavor.id, todo.specs)
        for key in todo.unset:
            self._call("DELETE", flavor.id, f"/os-extra_specs/{_quoted(key)}", accept=(404,))
        self._set_access(flavor.id, "addTenantAccess", todo.grant, 409)
        self._set_access(flavor.id, "removeTenantAccess", todo.revoke, 404)

    def _set_specs(self, flavor: str, specs: Mapping[str, str]) -> None:
        if specs:
            self._call("POST", flavor, "/os-extra_specs", {"extra_specs": dict(specs)})

    def _set_access(self, flavor: str, action: str, projects: Iterable[str], done: int) -> None:
        for project in projects:
            self._call("POST", flavor, "/action", {action: {"tenant": project}}, accept=(done,))

    def _create(self, definition: Definition, specs: Mapping[str, str], grant: Iterable[str], **more: Any) -> str:
        """A flavor under an id that we chose, so that asking again after a lost answer makes no second one."""
        wanted = {**_body(definition), **more}
        wanted.setdefault("id", str(uuid.uuid4()))
        answer = self.cloud.call(
            "compute",
            "POST",
            "/flavors",
            json={"flavor": wanted},
            microversion=self._version,
            repeat=True,
            accept=(409,),
        )
        if answer.status == 409:
            there = self.cloud.call("compute", "GET", f"/flavors/{_quoted(wanted['id'])}", accept=(404,))
            if there.status == 404 or there.body["flavor"]["name"] != wanted["name"]:
                raise ConflictError(f"flavor {wanted['name']}: {answer.reason}", status=409)
        self._set_specs(wanted["id"], specs)
        self._set_access(wanted["id"], "addTenantAccess", grant, 409)
        return str(wanted["id"])

    def _recreate(self, todo: Todo, old: Flavor) -> str:
        """Made anew under its old id; what it had is kept by another flavor meanwhile, should we be killed."""
        wanted, kept = todo.definition, holder_name(todo.definition)
        present = {one.name: one for one in self.read()}
        target, holder = present.get(wanted.name), present.get(kept)
        more = _inherited(wanted, old)
        if target is not None and drift_of(wanted, target):
            if holder is not None:
                self._delete(holder.id)  # perhaps half made; the old flavor is still there and has everything
            hidden = {"name": kept, "description": note_of(old), "os-flavor-access:is_public": False}
            made = self._create(wanted, todo.specs, todo.grant, **{**more, **hidden, "id": str(uuid.uuid4())})
            try:
                self._still_unused(target)
            except LandscapeError:
                self._delete(made)
                raise
            self._delete(target.id)
        made = self._create(wanted, todo.specs, todo.grant, **{**more, "id": wanted.id or old.id})
        holder = next((one for one in self.read() if one.name == kept), None)
        if holder is not None:
            self._delete(holder.id)
        return made

    def _delete(self, flavor: str) -> None:
        self._call("DELETE", flavor, "", accept=(404,))

    def _call(self, method: str, flavor: str, path: str, json: Any = None, **options: Any) -> None:
        """Something that has the same effect when it is done twice."""
        where = f"/flavors/{_quoted(flavor)}{path}"
        self.cloud.call("compute", method, where, json=json, repeat=True, **options)


_NAMES = {"ephemeral": "OS-FLV-EXT-DATA:ephemeral", "is_public": "os-flavor-access:is_public"}


def _body(definition: Definition) -> dict[str, Any]:
    """A definition in the words of Nova."""
    found: dict[str, Any] = {"name": definition.name}
    for name in (*FIXED, "description"):
        value = getattr(definition, name)
        if value is not None:
            found[_NAMES.get(name, name)] = value
    if definition.id:
        found["id"] = definition.id
    return found


def _inherited(definition: Definition, old: Flavor) -> dict[str, Any]:
    """What a definition leaves open, from the flavor before."""
    names = [name for name in (*FIXED, "description") if getattr(definition, name) is None]
    return {_NAMES.get(name, name): getattr(old, name) for name in names if getattr(old, name) is not None}


def _with_access(flavor: Flavor, outcome: pool.Outcome[Flavor]) -> Flavor:
    if outcome.error:
        raise outcome.error
    return replace(flavor, access=outcome.value)


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")
