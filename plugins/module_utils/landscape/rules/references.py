# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about references: names that lead nowhere, and objects that nothing leads to."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from ..decode import specs_cached
from ..finding import Finding
from ..model import Item, Landscape, Naming
from ..schema import Spec
from .index import Index, words
from .registry import Rule, declare, rule

_Reference = tuple[Item, str, str, tuple[str, ...]]


@functools.cache
def _leading_fields(model: Any) -> tuple[tuple[str, Spec], ...]:
    """The fields of a model in which references stand, directly or inside objects."""
    return tuple((name, spec) for name, spec in specs_cached(model).items() if _leads(spec))


def _leads(spec: Spec) -> bool:
    if spec.model is not None:
        return bool(_leading_fields(spec.model))
    return spec.kind == "reference" or (spec.item is not None and _leads(spec.item))


def references(item: Item) -> Iterator[_Reference]:
    """Every reference in an object or in objects inside it: where, the name, the sections it may be found in."""
    model: Any = type(item)
    for field, spec in _leading_fields(model):
        yield from _in_value(item, field, getattr(item, field), spec)


def _in_value(item: Item, field: str, value: Any, spec: Spec) -> Iterator[_Reference]:
    if not value:
        return
    if spec.kind == "reference":
        yield item, field, value, spec.sections
    elif spec.kind == "object":
        yield from references(value)
    elif spec.item is not None:
        for entry in value.values() if spec.kind == "map" else value:
            yield from _in_value(item, field, entry, spec.item)


@rule(
    "S07",
    "error",
    "A name leads to nothing",
    why="What follows from the object (ports, addresses, AS numbers, groups) is missing without a word.",
    source="Referential integrity of the landscape",
    hint="correct the name, or add the object",
)
def unknown_name(rule: Rule, index: Index) -> Iterator[Finding]:
    known = {section: getattr(index.landscape, section) for section in _sections(index.landscape)}
    for item, field, name, sections in references(index.landscape):
        if not any(name in known[section] for section in sections):
            candidates = [other for section in sections for other in known[section]]
            message = f"{field} names {name}, which is not in {' or '.join(sections)}"
            yield rule.finding(item, field, message, found=name, hint=index.nearest(name, candidates) or rule.hint)
    naming = index.landscape.naming or Naming()
    for name in naming.exempt:
        if name not in index.view.devices:
            message = f"exempt names {name}, which is neither a host nor a switch"
            hint = index.nearest(name, index.view.devices) or rule.hint
            yield rule.finding(naming, "exempt", message, found=name, hint=hint)


def _sections(landscape: Landscape) -> list[str]:
    model: Any = type(landscape)
    return [name for name, spec in specs_cached(model).items() if spec.kind == "map"]


declare(
    "S08",
    "error",
    "Name or text that is unsafe or too long",
    why="Names become file names, DNS labels, inventory names and table cells; control characters break them.",
    source="RFC 1123 (host names), house rule on foreign data",
    hint="use letters, digits, dots and dashes, at most 63 of them",
)
declare(
    "S09",
    "error",
    "A host and a switch share a name",
    why="Cables and groups name a device without saying which kind it is.",
    source="One inventory has one object of a name",
    hint="rename one of them",
)
declare(
    "S10",
    "error",
    "File too large, too deep or cyclic",
    why="An alias bomb or a runaway export would fill the memory of the controller.",
    source="House rule on foreign data",
    hint="split the file, or write out what the aliases stand for",
)

#: Sections of objects that exist for others to name them; a device's role does not count as used by a group.
_SERVING = ("sites", "feeds", "racks", "device_models", "asn_schemes", "networks", "environments", "roles", "externals")
#: Networks of other purposes are used by what the landscape does not describe (tenants, VPN clients, the provider).
_DERIVED_FROM = ("management", "loopback")


@rule(
    "S11",
    "warning",
    "Nothing leads to the object",
    why="It is a leftover, or the object that should name it names another one.",
    source="Practice of linters: unused names are reported",
    hint="remove it, or name it where it belongs",
)
def unused(rule: Rule, index: Index) -> Iterator[Finding]:
    used: dict[str, set[str]] = {section: set() for section in _SERVING}
    for item, _field, name, sections in references(index.landscape):
        if not (sections == ("roles",) and item.section in ("groups", "roles")):
            for section in sections:
                used.setdefault(section, set()).add(name)
    used["externals"] = {end.device for end in index.ends}
    for section in _SERVING:
        for name, item in getattr(index.landscape, section).items():
            if name not in used[section] and not (section == "networks" and item.purpose not in _DERIVED_FROM):
                yield rule.finding(item, "", f"nothing in the landscape leads to {item.ref}")
    for name, group in index.landscape.groups.items():
        if not index.view.groups.get(name) and not group.children:
            conditions = [field for field in ("roles", "models", "environments", "hosts") if getattr(group, field)]
            reason = f"{words(conditions)} match no active device" if conditions else "it has no condition"
            yield rule.finding(
                group, "", f"group {name} has no member: {reason}", hint="remove it, or widen its conditions"
            )
