# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What is done about each flavor: pure, the same for check mode and for the run.

Nova can change the description, extra specs and access of a flavor, and nothing else. A flavor that differs in anything
else has drifted: that is shown and refused. Only when it is told, and only while no server uses it, a flavor is made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from ...core.plan import Impact, Plan, Step
from .model import DISK_SPEC, FIXED, HOLDER, Definition, Flavor, kept_by, without_disk

#: What drift does: the task fails, it is only reported, or the flavor is made anew when nothing uses it.
ON_DRIFT = ("refuse", "report", "recreate")

#: Said when a token may not list the servers of all projects.
_UNSEEN = "this login may not see which servers use it"


@dataclass(frozen=True)
class Rules:
    """How far a task may go.

    :param exact_specs: extra specs that are not in a definition are removed; otherwise they are the operator's and stay.
    :param exact_access: the same for projects.
    """

    exact_specs: bool = False
    exact_access: bool = False
    on_drift: str = "refuse"


@dataclass(frozen=True)
class Todo:
    """What is to be done about one flavor.

    :param kind: ``create``, ``recreate``, ``update``, ``delete``, or empty when nothing is.
    :param specs: extra specs to set; ``unset`` those to take away.
    :param drift: what Nova cannot change: name, what it is, what it should be.
    :param refused: why nothing is done, in one sentence.
    :param users: ids of servers that use the flavor, where that was asked.
    """

    definition: Definition
    flavor: Flavor | None = None
    kind: str = ""
    specs: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    grant: tuple[str, ...] = ()
    revoke: tuple[str, ...] = ()
    describe: str | None = None
    drift: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    refused: str = ""
    users: tuple[str, ...] = ()

    def steps(self) -> list[Step]:
        """The plan of this flavor."""
        title = f"flavor {self.definition.name}"
        if self.kind == "create":
            return [Step("create", title, None, self._whole(), undo="delete the flavor")]
        if self.kind == "delete":
            undo = "create it again; servers do not notice"
            return [Step("delete", title, _shown(self.flavor), None, Impact.NONE, undo, "no server uses it")]
        if self.kind == "recreate":
            before = {name: was for name, (was, _want) in self.drift.items()}
            after = {name: want for name, (_was, want) in self.drift.items()}
            return [Step("recreate", title, before, after, Impact.NONE, "make it anew once more", "no server uses it")]
        if self.kind == "update":
            return [Step("update", title, *self._differences(), undo="set the values before")]
        return []

    def _whole(self) -> dict[str, Any]:
        one = self.definition
        found = {"vcpus": one.vcpus, "ram": one.ram, "disk": one.disk, "extra_specs": dict(self.specs)}
        for name in ("id", "ephemeral", "swap", "rxtx_factor", "is_public", "description"):
            if getattr(one, name) not in (None, ""):
                found[name] = getattr(one, name)
        return {**found, "access": list(self.grant)} if self.grant else found

    def _differences(self) -> tuple[dict[str, Any], dict[str, Any]]:
        flavor = self.flavor
        current = (flavor.specs if flavor else None) or {}
        before: dict[str, Any] = {key: current.get(key) for key in (*self.specs, *self.unset)}
        after: dict[str, Any] = {**self.specs, **dict.fromkeys(self.unset)}
        if self.describe is not None:
            before["description"], after["description"] = flavor.description if flavor else None, self.describe
        if self.grant or self.revoke:
            had = (flavor.access if flavor else None) or frozenset()
            before["access"] = sorted(had)
            after["access"] = sorted((had | set(self.grant)) - set(self.revoke))
        return before, after


def _shown(flavor: Flavor | None) -> dict[str, Any]:
    if flavor is None:
        return {}
    sizes = {"id": flavor.id, "vcpus": flavor.vcpus, "ram": flavor.ram, "disk": flavor.disk}
    return {**sizes, "extra_specs": dict(flavor.specs or {})}


def check(definitions: Sequence[Definition]) -> None:
    """Whether definitions can be wanted together.

    :raises InputError: two of them are about one flavor.
    """
    for what in ("name", "id"):
        values = [getattr(one, what) for one in definitions if getattr(one, what)]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise InputError(f"These flavors are defined twice: {', '.join(twice)}")


def to_ask(definitions: Iterable[Definition], flavors: Sequence[Flavor]) -> list[Flavor]:
    """Flavors of which we must know whether servers use them: those that have drifted, and those to go."""
    found = []
    for one in definitions:
        flavor, _holder = _present(one, flavors)
        if flavor is not None and (one.absent or drift_of(one, flavor)):
            found.append(flavor)
    return found


def plan(
    definitions: Sequence[Definition], flavors: Sequence[Flavor], rules: Rules, users: Mapping[str, tuple[str, ...]]
) -> list[Todo]:
    """What has to be done about each definition.

    :param users: ids of the servers of flavors, for those of :func:`to_ask`; one that is missing could not be asked.
    """
    check(definitions)
    return [_todo(one, flavors, rules, users) for one in definitions]


def plan_of(todos: Iterable[Todo]) -> Plan:
    """All steps, in the order of the definitions."""
    return Plan(tuple(step for todo in to_do(todos) for step in todo.steps()))


def to_do(todos: Iterable[Todo]) -> list[Todo]:
    """Those of which something is done."""
    return [todo for todo in todos if todo.kind and not todo.refused]


def drift_of(definition: Definition, flavor: Flavor) -> dict[str, tuple[Any, Any]]:
    """What differs and cannot be changed: what it is and what it should be."""
    found = {}
    for name in FIXED:
        has, want = getattr(flavor, name), getattr(definition, name)
        if want is not None and has != want:
            found[name] = (has, want)
    if definition.id and flavor.id != definition.id:
        found["id"] = (flavor.id, definition.id)
    if flavor.name != definition.name and flavor.kept_for != definition.name:
        found["name"] = (flavor.name, definition.name)
    return found


def _present(definition: Definition, flavors: Sequence[Flavor]) -> tuple[Flavor | None, Flavor | None]:
    """The flavor that is meant, and the one that keeps its values when an earlier run was killed while making it anew."""
    by_name = next((one for one in flavors if one.name == definition.name), None)
    by_id = next((one for one in flavors if definition.id and one.id == definition.id), None)
    holder = next((one for one in flavors if one.kept_for == definition.name), None)
    return by_id or by_name, holder


def _todo(
    definition: Definition, flavors: Sequence[Flavor], rules: Rules, users: Mapping[str, tuple[str, ...]]
) -> Todo:
    flavor, holder = _present(definition, flavors)
    if holder is not None and not definition.absent:
        return _resumed(definition, flavor, holder, rules, users)
    if definition.absent:
        return _gone(definition, flavor, users)
    if flavor is None:
        access = tuple(sorted(definition.access or ()))
        return Todo(definition, None, "create", specs=dict(definition.specs), grant=access)
    drift = drift_of(definition, flavor)
    if drift:
        return _drifted(definition, flavor, drift, rules, users.get(flavor.id))
    return _converged(definition, flavor, rules)


def _gone(definition: Definition, flavor: Flavor | None, users: Mapping[str, tuple[str, ...]]) -> Todo:
    if flavor is None:
        return Todo(definition)
    if definition.id and (flavor.id, flavor.name) != (definition.id, definition.name):
        # One of both is a mistake, and nobody but the operator knows which.
        refused = f"flavor {flavor.name} has the id {flavor.id}, and {definition.name} with {definition.id} is to go"
        return Todo(definition, flavor, refused=refused)
    using = users.get(flavor.id)
    if using is None:
        return Todo(definition, flavor, "delete", refused=f"{_UNSEEN}, so it stays")
    refused = in_use(using) if using else ""
    return Todo(definition, flavor, "delete", users=using, refused=refused)


def _drifted(
    definition: Definition,
    flavor: Flavor,
    drift: Mapping[str, tuple[Any, Any]],
    rules: Rules,
    using: tuple[str, ...] | None,
) -> Todo:
    said = ", ".join(f"{name} is {has}, wanted {want}" for name, (has, want) in drift.items())
    if rules.on_drift == "report":
        return Todo(definition, flavor, drift=drift, users=using or ())
    if using:
        refused = f"{said}; {_count(using)} it, and a flavor in use is not made anew: {_ids(using)}"
        return Todo(definition, flavor, drift=drift, refused=refused, users=using)
    if rules.on_drift != "recreate":
        refused = f"{said}; Nova cannot change that, and on_drift=recreate is not given"
        return Todo(definition, flavor, drift=drift, refused=refused)
    if using is None:
        return Todo(definition, flavor, drift=drift, refused=f"{said}; {_UNSEEN}, so it is not made anew")
    if "name" in drift:
        return Todo(definition, flavor, drift=drift, refused=f"{said}; that id is another flavor's")
    return _anew(definition, flavor, drift, rules)


def _anew(definition: Definition, old: Flavor, drift: Mapping[str, tuple[Any, Any]], rules: Rules) -> Todo:
    """A flavor made anew: with what it had, but for what a definition says otherwise."""
    kept = {} if rules.exact_specs else without_disk(old.specs or {}, definition.disk)
    specs = {**kept, **definition.specs}
    had = frozenset() if rules.exact_access else old.access or frozenset()
    public = definition.is_public if definition.is_public is not None else old.is_public
    grant = () if public else tuple(sorted((definition.access or frozenset()) | had))
    return Todo(definition, old, "recreate", specs=specs, grant=grant, drift=drift)


def _resumed(
    definition: Definition, flavor: Flavor | None, holder: Flavor, rules: Rules, users: Mapping[str, tuple[str, ...]]
) -> Todo:
    """A run was killed while it made a flavor anew.

    As long as the old flavor is there, it counts: the holder may be half made. After that the holder has all it had.
    """
    drift = drift_of(definition, flavor) if flavor else {}
    if flavor and drift:
        return _drifted(definition, flavor, drift, rules, users.get(flavor.id))
    return _anew(definition, kept_by(holder), {"state": ("half made by a run that was killed", "made")}, rules)


def _converged(definition: Definition, flavor: Flavor, rules: Rules) -> Todo:
    current = dict(flavor.specs or {})
    specs = {key: value for key, value in definition.specs.items() if current.get(key) != value}
    unset = [key for key in current if not definition.disk and DISK_SPEC.fullmatch(key)]
    if rules.exact_specs:
        unset = [key for key in current if key not in definition.specs]
    grant: tuple[str, ...] = ()
    revoke: tuple[str, ...] = ()
    if definition.access is not None:
        has = flavor.access or frozenset()
        grant = tuple(sorted(definition.access - has))
        revoke = tuple(sorted(has - definition.access)) if rules.exact_access else ()
    text = definition.description
    describe = text if text is not None and text != (flavor.description or "") else None
    changes = specs or unset or grant or revoke or describe is not None
    return Todo(
        definition,
        flavor,
        "update" if changes else "",
        specs=specs,
        unset=tuple(sorted(unset)),
        grant=grant,
        revoke=revoke,
        describe=describe,
    )


def in_use(using: Sequence[str]) -> str:
    """Why a flavor stays that servers use."""
    return f"{_count(using)} it, so it stays: {_ids(using)}"


def _count(using: Sequence[str]) -> str:
    return f"{len(using)} server{'s use' if len(using) > 1 else ' uses'}"


def _ids(using: Sequence[str]) -> str:
    shown = ", ".join(using[:5])
    return f"{shown} and {len(using) - 5} more" if len(using) > 5 else shown


def holder_name(definition: Definition) -> str:
    """Name of the flavor that keeps what belongs to one that is made anew."""
    return definition.name + HOLDER
