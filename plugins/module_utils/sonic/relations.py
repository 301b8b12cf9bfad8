# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which rows a row stands on, and what it claims for itself: pure look-ups in the tables."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from . import model, tables
from .diff import Place
from .model import Row
from .order_tables import CLAIMS, CONDITIONS, MUST, NAMES, NEEDED, UNNUMBERED, Condition

#: Tables whose fields are ports, each with what it says of one.
PORT_FIELDS = frozenset(("CABLE_LENGTH",))
_HOLE = re.compile(r"\{([^{}]*)\}")
#: What is asked of other rows: table, key, field and value.
Said = tuple[str, str, str, str]
_ASKED = frozenset((each.table, each.key) for conditions in CONDITIONS.values() for each in conditions)


def needs(place: Place, row: Row) -> frozenset[Place]:
    """The rows that have to be there before this one; of alternatives (a port or a LAG) all are named."""
    found: set[Place] = set()
    for _source, targets in _relations(place, row):
        found.update(targets)
    found.discard(place)
    return frozenset(found)


def required(place: Place, row: Row) -> Iterator[tuple[str, list[Place]]]:
    """Each reference that has to lead somewhere: field or key part, and the places of which one has to be there.

    A value of a loose reference counts when it is a name such as the rows it may mean have.
    """
    table, key = place
    spec = tables.table(table)
    parts = spec.parts_of(key)
    for reference in spec.references:
        for item in model.values(parts.get(reference.source, row.get(reference.source))):
            if item:
                keys = tables.referred(reference, {**parts, reference.source: item}, row)
                meant = [each for each in reference.targets if not reference.loose or _named_like(item, each)]
                found = sorted({(target, name) for name in keys for target in meant})
                if found and place not in found:
                    yield reference.source, found
    if table in PORT_FIELDS:
        yield from ((name, [("PORT", name)]) for name in row if _named_like(name, "PORT"))
    part, patterns = MUST.get(table, ("", ()))
    if part in parts and (table != "BGP_NEIGHBOR" or UNNUMBERED.fullmatch(parts[part])):
        split = (pattern.partition(model.SEPARATOR) for pattern in patterns)
        yield part, [(target, filled) for target, _bar, rest in split for filled in fill(rest, parts, row)]


def conditions(place: Place, row: Row) -> Iterator[Condition]:
    """What other rows have to say while this one is there."""
    table, key = place
    for condition in CONDITIONS.get(table, ()):
        told = tables.table(table).parts_of(key).get(condition.source, row.get(condition.source))
        if condition.word in model.values(told):
            yield condition


def asked(place: Place, row: Row) -> frozenset[Said]:
    """What a row asks of others, in the form of :func:`said`."""
    return frozenset(condition.asks for condition in conditions(place, row))


def said(place: Place, row: Row) -> frozenset[Said]:
    """What a row says that others may ask for: its fields with their values, and that it has them at all."""
    if place not in _ASKED:
        return frozenset()
    return frozenset((*place, name, told) for name, value in row.items() if value for told in ("", str(value)))


def _named_like(text: str, table: str) -> bool:
    """Whether a text is a name such as the rows of a table have."""
    return bool(NAMES[table].fullmatch(text)) if table in NAMES else False


def without(place: Place, row: Row, gone: frozenset[Place]) -> Row | None:
    """The row without the items of its list fields that lead to rows in ``gone``; ``None`` when others lead there too."""
    if place[0] in PORT_FIELDS:
        return {name: value for name, value in row.items() if ("PORT", name) not in gone}
    cut: dict[str, set[str]] = {}
    for source, targets in _relations(place, row):
        if targets & gone:
            name, _colon, item = source.partition(":")
            if not isinstance(row.get(name), list):
                return None
            cut.setdefault(name, set()).add(item)
    left: Row = dict(row)
    for name, items in cut.items():
        left[name] = [item for item in row[name] if item not in items]
    return left


def _relations(place: Place, row: Row) -> Iterator[tuple[str, frozenset[Place]]]:
    """Each reference of a row as ``field:item`` and the places it may mean."""
    table, key = place
    spec = tables.table(table)
    parts = spec.parts_of(key)
    for reference in spec.references:
        for item in model.values(parts.get(reference.source, row.get(reference.source))):
            keys = tables.referred(reference, {**parts, reference.source: item}, row)
            found = frozenset((target, name) for name in keys for target in reference.targets)
            yield f"{reference.source}:{item}", found
    if table in PORT_FIELDS:
        yield from ((f"{name}:", frozenset({("PORT", name)})) for name in row if _named_like(name, "PORT"))
    for pattern in NEEDED.get(table, ()):
        target, _bar, rest = pattern.partition(model.SEPARATOR)
        names = _HOLE.findall(rest)
        for filled in fill(rest, parts, row):
            yield f"{names[0] if names else ''}:", frozenset({(target, filled)})


def claims(place: Place, row: Row) -> frozenset[tuple[str, str]]:
    """What a row has for itself, as (resource, mode)."""
    table, key = place
    parts = tables.table(table).parts_of(key)
    found: set[tuple[str, str]] = set()
    for claim in CLAIMS.get(table, ()):
        if claim.where is None or row.get(claim.where[0]) == claim.where[1]:
            found.update((resource, claim.mode or f"{table}|{key}") for resource in fill(claim.resource, parts, row))
    return frozenset(found)


def fill(pattern: str, parts: dict[str, str], row: Row) -> list[str]:
    """The texts of a pattern: one per combination of list items, none when a value is missing."""
    names = list(dict.fromkeys(_HOLE.findall(pattern)))
    if not names:
        return [pattern]
    choices = [model.values(parts[name] if name in parts else row.get(name)) for name in names]
    texts = []
    for combination in itertools.product(*choices):
        values = dict(zip(names, combination))
        texts.append(_HOLE.sub(lambda match, values=values: values[match[1]], pattern))  # type: ignore[misc]
    return texts
