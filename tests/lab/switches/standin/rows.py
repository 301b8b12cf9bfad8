# SPDX-License-Identifier: Apache-2.0
"""CONFIG_DB as tables of rows, in the database and in the file of the saved configuration.

A row is a hash ``TABLE|key``; a list has ``@`` behind its name and commas between its items; a row without fields holds
``NULL: NULL``. ``CONFIG_DB_INITIALIZED`` is no row.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .resp import CONFIG, SOCKET, Connection

Row = dict[str, Any]
Config = dict[str, dict[str, Row]]

SAVED = "/etc/sonic/config_db.json"
READY = "CONFIG_DB_INITIALIZED"


def hash_of(row: Mapping[str, Any]) -> dict[str, str]:
    """A row as the database keeps it."""
    fields = {}
    for name, value in row.items():
        if isinstance(value, list):
            fields[f"{name}@"] = ",".join(map(str, value))
        else:
            fields[name] = str(value)
    return fields or {"NULL": "NULL"}


def row_of(flat: Sequence[str]) -> Row | None:
    """What the database says about a row; None when there is none."""
    if not flat:
        return None
    row: Row = {}
    for name, value in zip(flat[::2], flat[1::2], strict=True):
        if name.endswith("@"):
            row[name[:-1]] = value.split(",") if value else []
        elif (name, value) != ("NULL", "NULL"):
            row[name] = value
    return row


def read(database: Connection) -> Config:
    """The whole configuration, as it runs; tables and rows in the order of their names."""
    keys = sorted(key for key in database.call("KEYS", "*") if "|" in key)
    found: Config = {}
    for key, flat in zip(keys, database.calls([("HGETALL", key) for key in keys]), strict=True):
        row = row_of(flat)
        if row is not None:
            table, _bar, name = key.partition("|")
            found.setdefault(table, {})[name] = row
    return {table: {key: found[table][key] for key in sorted(found[table], key=natural)} for table in sorted(found)}


def write(database: Connection, config: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Write rows over what is there, tables in the order of their names, as ``config load`` does. Nothing is deleted."""
    requests = []
    for table in sorted(config):
        for key, row in config[table].items():
            words = ["HSET", f"{table}|{key}"]
            for name, value in hash_of(row).items():
                words += [name, value]
            requests.append(words)
    if requests:
        database.calls(requests)


def load(path: str = SAVED) -> Config:
    """A configuration file."""
    config: Config = json.loads(Path(path).read_text(encoding="utf-8"))
    return config


def text(config: Config) -> str:
    """The form of the file."""
    return json.dumps(config, indent=4) + "\n"


def save(config: Config, path: str = SAVED) -> None:
    """Write a configuration file in place, as ``config save`` does: a full disk leaves half a file."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text(config))
        file.flush()
        os.fsync(file.fileno())


def running(path: str = SOCKET) -> Config:
    """The configuration that runs now."""
    database = Connection(CONFIG, path)
    try:
        return read(database)
    finally:
        database.close()


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key for sorting: numbers by their value."""
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in re.split(r"(\d+)", name)]
