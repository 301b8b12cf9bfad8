# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""CONFIG_DB as Redis keeps it, and as config_db.json writes it. Lossless both ways.

Redis keeps one hash per row under ``TABLE|key``; a list field has ``@`` behind its name and its items joined with
commas; a row without fields holds ``NULL: NULL``. That mark says nothing but "the row is there": files may hold it too, and
beside other fields it is what a first write left. A list without items reads ``[""]`` in files that SONiC wrote, since it
splits an empty text at commas; here it is ``[]``. Source: sonic-py-swsssdk's configdb.py (``raw_to_typed``, ``typed_to_raw``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.errors import InputError
from . import masking
from .model import SEPARATOR, ConfigDb, Row

#: Key of CONFIG_DB that is no row.
INITIALISED = "CONFIG_DB_INITIALIZED"
_EMPTY = {"NULL": "NULL"}


def row_to_hash(row: Row) -> dict[str, str]:
    """A row as the fields of its Redis hash; the mark of an empty row is written where no field is.

    :raises InputError: for an item with a comma, which Redis could not tell from two items, or a name with ``@``.
    """
    fields: dict[str, str] = {}
    for name, value in unmarked(row).items():
        if name.endswith("@") or name == "NULL":
            raise InputError(f"A field may not be called {name}: CONFIG_DB marks lists and empty rows so")
        if isinstance(value, list):
            if any("," in item for item in value):
                raise InputError(f"The list {name} has an item that CONFIG_DB cannot keep: it has a comma")
            fields[f"{name}@"] = ",".join(value)
        else:
            fields[name] = value
    return fields or dict(_EMPTY)


def unmarked(row: Row) -> Row:
    """The row without the marks of an empty row and of empty lists. A field ``NULL`` with another value is no mark."""
    return {
        name: [] if isinstance(value, list) and value == [""] else value
        for name, value in row.items()
        if (name, value) != ("NULL", "NULL")
    }


def hash_to_row(fields: Mapping[str, str]) -> Row:
    """The fields of a Redis hash as a row."""
    row: Row = {}
    for name, value in fields.items():
        if name.endswith("@"):
            row[name[:-1]] = value.split(",") if value else []
        else:
            row[name] = value
    return unmarked(row)


def to_redis(config: ConfigDb) -> dict[str, dict[str, str]]:
    """A configuration as Redis hashes by key.

    :raises InputError: for a table with ``|`` in its name, an empty key, or a row Redis cannot keep.
    """
    hashes: dict[str, dict[str, str]] = {}
    for table, rows in config.items():
        if SEPARATOR in table or not table:
            raise InputError(f"{table!r} is no name of a table")
        for key, row in rows.items():
            if not key:
                raise InputError(f"Table {table} has a row without a key")
            try:
                hashes[f"{table}{SEPARATOR}{key}"] = row_to_hash(row)
            except InputError as error:
                raise InputError(f"{table}{SEPARATOR}{masking.key(table, key)}: {error.message}") from error
    return hashes


def from_redis(hashes: Mapping[str, Mapping[str, str]]) -> ConfigDb:
    """Redis hashes as a configuration; keys that are no rows are left out."""
    config: ConfigDb = {}
    for name, fields in hashes.items():
        table, separator, key = name.partition(SEPARATOR)
        if separator and key:
            config.setdefault(table, {})[key] = hash_to_row(fields)
    return config


def split_key(key: str) -> tuple[str, ...]:
    """The parts of a key."""
    return tuple(key.split(SEPARATOR))


def join_key(*parts: str) -> str:
    """A key of parts."""
    return SEPARATOR.join(parts)


def check(data: Any) -> tuple[ConfigDb, list[tuple[str, str, str, str]]]:
    """Anything JSON-able as a configuration, and what of it could not be one.

    :returns: the part that has the right shape, without marks of empty rows and lists, and (table, key, field, message) of each part that has not. Numbers
        and booleans, which ``config load`` would refuse, count as wrong.
    """
    faults: list[tuple[str, str, str, str]] = []
    config: ConfigDb = {}
    if not isinstance(data, dict):
        return config, [("", "", "", "is no configuration: it must be an object of tables")]
    for table, rows in data.items():
        if not isinstance(rows, dict):
            faults.append((str(table), "", "", "is no table: it must be an object of rows"))
            continue
        config[table] = {}
        for key, row in rows.items():
            if isinstance(row, dict) and key:
                config[table][key] = _row(table, key, row, faults)
            else:
                faults.append(
                    (table, key, "", "is no row: it must be an object of fields under a key that is not empty")
                )
    return config, faults


def _row(table: str, key: str, fields: dict[str, Any], faults: list[tuple[str, str, str, str]]) -> Row:
    row: Row = {}
    for name, value in fields.items():
        if isinstance(value, str):
            row[name] = value
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            row[name] = list(value)
        else:
            faults.append((table, key, name, f"must be a text or a list of texts, not {type(value).__name__}"))
    return unmarked(row)
