# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Differences of two CONFIG_DBs: per row, and as a JSON patch (RFC 6902).

A configuration is the JSON form of ``config_db.json``: ``{table: {key: {field: value}}}``. The database knows rows only:
a table without rows does not exist, and a row without fields is kept with the field ``NULL``. Both spellings count as equal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Union

from ..core.errors import InputError
from . import codec, masking
from .model import ConfigDb, Row

#: Table and key of a row.
Place = tuple[str, str]
Rows = dict[Place, Row]
Operation = dict[str, Any]
_Container = Union[dict[str, Any], list[Any]]


@dataclass(frozen=True)
class RowChange:
    """One row of one table: what it is before and after; ``None`` is a row that is not there."""

    table: str
    key: str
    before: Row | None = None
    after: Row | None = None

    @property
    def action(self) -> str:
        """``create``, ``update`` or ``delete``."""
        if self.before is None:
            return "create"
        return "delete" if self.after is None else "update"

    @property
    def place(self) -> Place:
        """Table and key."""
        return (self.table, self.key)

    @property
    def name(self) -> str:
        """The row as SONiC's tools name it: ``TABLE|key``."""
        return f"{self.table}|{self.key}"

    @property
    def shown(self) -> str:
        """The same for messages: a key that is secret is masked."""
        return f"{self.table}|{masking.key(self.table, self.key)}"

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that differ, sorted."""
        before, after = self.before or {}, self.after or {}
        return tuple(sorted(name for name in {**before, **after} if not same(before.get(name), after.get(name))))

    @property
    def inverse(self) -> RowChange:
        """The change that takes this one back."""
        return RowChange(self.table, self.key, self.after, self.before)


def same(one: Any, other: Any) -> bool:
    """Whether two values of a field are the same to SONiC: lists are sets there (``ordered-by system``), ``[""]`` an empty one."""
    if one == other:
        return True
    if isinstance(one, list) and isinstance(other, list):
        return _items(one) == _items(other)
    return False


def _items(value: list[Any]) -> list[str]:
    return [] if value == [""] else sorted(map(str, value))


def clean_row(row: Row) -> Row:
    """A row without what stands for "no fields" and "no items"."""
    return codec.unmarked(row)


def rows_of(config: ConfigDb) -> Rows:
    """All rows of a configuration by table and key.

    :raises InputError: when it is not tables of rows of fields.
    """
    rows: Rows = {}
    for table, content in config.items():
        if not isinstance(content, Mapping):
            raise InputError(f"table {table} is {type(content).__name__}, allowed are rows by key")
        for key, row in content.items():
            if not isinstance(row, Mapping):
                raise InputError(
                    f"row {table}|{masking.key(table, key)} is {type(row).__name__}, allowed are fields by name",
                    hint="a row that was written as text has to be written as an object",
                )
            rows[(table, key)] = clean_row(row)
    return rows


def config_of(rows: Mapping[Place, Row]) -> ConfigDb:
    """The configuration with these rows, sorted by table and key."""
    config: ConfigDb = {}
    for (table, key), row in sorted(rows.items()):
        config.setdefault(table, {})[key] = dict(row)
    return config


def equal(one: Row | None, other: Row | None) -> bool:
    """Whether two rows are the same to SONiC."""
    if one is None or other is None:
        return one is other
    return one.keys() == other.keys() and all(same(value, other[field]) for field, value in one.items())


def changes(before: ConfigDb, after: ConfigDb, ignore: Iterable[str] = ()) -> tuple[RowChange, ...]:
    """What differs, one entry per row, sorted by table and key.

    :param ignore: tables that are left out, those that the switch's own daemons write.
    """
    old, new, left_out = rows_of(before), rows_of(after), frozenset(ignore)
    found = []
    for place in sorted(old.keys() | new.keys()):
        was, will = old.get(place), new.get(place)
        if place[0] not in left_out and not equal(was, will):
            found.append(RowChange(*place, was, will))
    return tuple(found)


def apply(config: ConfigDb, steps: Iterable[RowChange]) -> ConfigDb:
    """The configuration after the changes, in their order.

    :raises InputError: when a row is not as the change expects it.
    """
    rows = rows_of(config)
    for change in steps:
        advance(rows, change)
    return config_of(rows)


def advance(rows: Rows, change: RowChange) -> None:
    """Makes one change in ``rows``.

    :raises InputError: when the row is not as the change expects it; ``rows`` is untouched then.
    """
    place = change.place
    if not equal(rows.get(place), change.before):
        raise InputError(
            f"{change.shown} is {_shown(rows.get(place))}, expected was {_shown(change.before)}",
            hint="the configuration changed since the difference was made; make it again",
        )
    if change.after is None:
        rows.pop(place, None)
    else:
        rows[place] = dict(change.after)


def inverse(steps: Iterable[RowChange]) -> tuple[RowChange, ...]:
    """The changes that lead back, in the order that is needed."""
    return tuple(change.inverse for change in reversed(tuple(steps)))


def patch(before: ConfigDb, steps: Iterable[RowChange]) -> list[Operation]:
    """The changes as operations of RFC 6902, applicable one after the other to ``before``.

    A table is added with its first row and removed with its last, as the database does it.
    """
    counts = {table: len(content) for table, content in before.items()}
    operations: list[Operation] = []
    for change in steps:
        table, path = change.table, pointer(change.table, change.key)
        if change.before is None:
            row = dict(change.after or {})
            fresh = table not in counts
            counts[table] = counts.get(table, 0) + 1
            value = {change.key: row} if fresh else row
            operations.append({"op": "add", "path": pointer(table) if fresh else path, "value": value})
        elif change.after is None:
            counts[table] -= 1
            last = counts[table] == 0
            operations.append({"op": "remove", "path": pointer(table) if last else path})
            if last:
                del counts[table]
        else:
            operations.extend(_field_operations(change))
    return operations


def _field_operations(change: RowChange) -> list[Operation]:
    """Field by field; removals first, so that a row is never wider than before or after."""
    before, after = change.before or {}, change.after or {}
    removed = [
        {"op": "remove", "path": pointer(change.table, change.key, field)}
        for field in change.fields
        if field not in after
    ]
    written = [
        {
            "op": "replace" if field in before else "add",
            "path": pointer(change.table, change.key, field),
            "value": after[field],
        }
        for field in change.fields
        if field in after
    ]
    return [*removed, *written]


def pointer(*parts: str) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def parts_of(path: str) -> list[str]:
    """The parts of a JSON pointer.

    :raises InputError: when it does not start with a slash.
    """
    if path and not path.startswith("/"):
        raise InputError(f"{path!r} is not a JSON pointer, it starts with a slash")
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def apply_patch(config: ConfigDb, operations: Iterable[Operation]) -> ConfigDb:
    """The configuration after a patch (RFC 6902: add, remove, replace, move, copy, test).

    :raises InputError: when an operation does not fit.
    """
    document: Any = json.loads(json.dumps(config))
    for operation in operations:
        try:
            document = _operated(document, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise InputError(f"the patch does not fit: {_named(operation)} ({type(error).__name__})") from None
    done: ConfigDb = document
    return done


def _named(operation: Operation) -> str:
    """An operation for messages: without its value, which may be secret."""
    path = str(operation.get("path", ""))
    table, key, *fields = [*parts_of(path), "", ""] if path.startswith("/") else ["", ""]
    place = pointer(table, masking.key(table, key), *filter(None, fields)) if table else path
    return f"{operation.get('op')} {place}"


def _operated(document: Any, operation: Operation) -> Any:
    kind, path = operation["op"], parts_of(operation["path"])
    if kind == "test":
        if _value(document, path) != operation["value"]:
            raise InputError(f"the patch does not fit: {_named(operation)} found another value")
        return document
    if kind in ("move", "copy"):
        source = parts_of(operation["from"])
        value = json.loads(json.dumps(_value(document, source)))
        if kind == "move":
            document = _without(document, source)
        return _with(document, path, value)
    if kind == "remove":
        return _without(document, path)
    if kind == "replace":
        _value(document, path)
        return _with(_without(document, path), path, operation["value"]) if path else operation["value"]
    if kind == "add":
        return _with(document, path, json.loads(json.dumps(operation["value"])))
    raise InputError(f"{kind!r} is not an operation of RFC 6902")


def _value(document: Any, path: list[str]) -> Any:
    for part in path:
        document = document[int(part) if isinstance(document, list) else part]
    return document


def _with(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent: _Container = _value(document, path[:-1])
    if isinstance(parent, list):
        parent.insert(len(parent) if path[-1] == "-" else int(path[-1]), value)
    else:
        parent[path[-1]] = value
    return document


def _without(document: Any, path: list[str]) -> Any:
    if not path:
        return {}
    parent: _Container = _value(document, path[:-1])
    if isinstance(parent, list):
        del parent[int(path[-1])]
    else:
        del parent[path[-1]]
    return document


def _shown(row: Row | None) -> str:
    """Names of the fields, never their values: they may be secret."""
    if row is None:
        return "absent"
    return f"there with {', '.join(sorted(row)) or 'no fields'}"
