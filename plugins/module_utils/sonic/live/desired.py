# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The configuration that a state leads to, from what is there and what is said. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...core.errors import InputError
from ...core.redact import MASK
from .. import codec, masking, targets
from ..diff import RowChange
from ..model import ConfigDb, Row
from ..plan import RUNTIME_OWNED

STATES = ("merged", "replaced", "overridden", "deleted")


def given(data: Any, state: str) -> ConfigDb:
    """What a play or a file says, as a configuration; numbers and truth values become the words SONiC has for them.

    :raises InputError: naming every part that is none.
    """
    config, faults = codec.check(_words(data, state))
    if faults:
        lines = [
            f"{'|'.join(filter(None, (table, masking.key(table, key))))} {field}".strip() + f" {message}"
            for table, key, field, message in faults
        ]
        raise InputError("config is no configuration: " + "; ".join(lines[:20]))
    codec.to_redis(config)
    return config


def _words(data: Any, state: str) -> Any:
    if not isinstance(data, Mapping):
        return data
    tables: dict[str, Any] = {}
    for table, rows in data.items():
        rows = {} if rows is None and state == "deleted" else rows
        tables[str(table)] = (
            {str(key): _row({} if row is None else row) for key, row in rows.items()}
            if isinstance(rows, Mapping)
            else rows
        )
    return tables


def _row(row: Any) -> Any:
    return {str(name): _value(value) for name, value in row.items()} if isinstance(row, Mapping) else row


def _value(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return [_value(item) for item in value] if isinstance(value, (list, tuple)) else value


def unmasked(said: ConfigDb, before: ConfigDb, state: str) -> ConfigDb:
    """What is said, with the switch's own secrets where a backup has masks.

    A masked field is taken as it is there. Rows whose keys are masked are taken as they are there when they look the same.

    :raises InputError: naming what is not there, or not the same: a mask must never be written.
    """
    found, lost = {}, []
    for table, rows in said.items():
        there = before.get(table, {})
        if masking.has_secret_key(table) and any(key.startswith(MASK) for key in rows):
            if state == "deleted" or _looks(masking.config({table: there})[table]) != _looks(rows):
                lost.append(table)
            found[table] = there
            continue
        found[table] = {key: {**row} for key, row in rows.items()}
        for key, row in found[table].items() if state != "deleted" else ():
            for name in [name for name, value in row.items() if value == MASK]:
                if name not in there.get(key, {}):
                    lost.append(f"{table}|{masking.key(table, key)} {name}")
                row[name] = there.get(key, {}).get(name, "")
    if lost:
        raise InputError(
            f"config has masks in place of secrets that the switch does not have: {', '.join(lost[:10])}",
            hint="Say the secrets, leave these out, or go back to a checkpoint (sonic_checkpoint), which holds them",
        )
    return found


def _looks(rows: Mapping[str, Row]) -> list[Any]:
    """Rows by what can be seen of them; masked keys have no order."""
    return sorted(("" if key.startswith(MASK) else key, sorted(map(str, row.items()))) for key, row in rows.items())


def tells_no_secret(changes: Iterable[RowChange], strategy: str) -> None:
    """Refuses to hand secrets to SONiC's updater, which writes every patch into the switch's log.

    :raises InputError: naming the rows.
    """
    if strategy != "patch":
        return
    rows = sorted({change.shown for change in changes if _secrets(change)})
    if rows:
        raise InputError(
            f"The patch would hold secrets ({', '.join(rows[:10])}), and SONiC's own updater logs it",
            hint="Use strategy ordered",
        )


def _secrets(change: RowChange) -> bool:
    """Whether the operations of a patch would tell a secret: a key always, a field when it is written."""
    written = [name for name in change.fields if name in (change.after or {})]
    return masking.has_secret_key(change.table) or any(masking.is_secret(change.table, name) for name in written)


def wanted(state: str, before: ConfigDb, said: ConfigDb, tables: tuple[str, ...] = ()) -> ConfigDb:
    """The whole configuration that is wanted.

    :param tables: for ``overridden``, tables that are meant as a whole although nothing is said of them.
    """
    if state == "overridden":
        return targets.wanted(before, said, tables)
    whole: ConfigDb = {table: dict(rows) for table, rows in before.items()}
    for table, rows in said.items():
        if state == "deleted":
            _delete(whole, table, rows)
            continue
        there = whole.setdefault(table, {})
        for key, row in rows.items():
            there[key] = {**(there.get(key, {}) if state == "merged" else _own(table, there.get(key, {}))), **row}
    return {table: rows for table, rows in whole.items() if rows}


def at_checkpoint(
    kept: Mapping[str, Mapping[str, str]], rows: Mapping[str, Mapping[str, str]]
) -> tuple[ConfigDb, tuple[str, ...]]:
    """The way back to a checkpoint: its configuration, and all tables that are meant as a whole.

    What daemons write by themselves stays as it is now: they know better than a checkpoint.

    :param kept: rows of the checkpoint as the database had them; ``rows`` those that are there now.
    :raises InputError: the checkpoint is of another version of the database's contents, that of another image.
    """
    then, now = (codec.from_redis(side) for side in (kept, rows))
    versions = [side.get("VERSIONS", {}).get("DATABASE", {}).get("VERSION") for side in (then, now)]
    if versions[0] != versions[1]:
        old, new = (str(one or "none") for one in versions)
        raise InputError(
            f"The checkpoint is of version {old} of the database, the switch has {new}: its image was changed since",
            hint="Boot the image of then, or make the configuration anew from the landscape",
        )
    config = {table: content for table, content in then.items() if table not in RUNTIME_OWNED}
    return config, tuple(table for table in now if table not in RUNTIME_OWNED)


def _own(table: str, row: Row) -> Row:
    """The fields of a row that the switch filled in by itself."""
    return {name: row[name] for name in targets.OWN_FIELDS.get(table, ()) if name in row}


def _delete(whole: ConfigDb, table: str, rows: Mapping[str, Row]) -> None:
    """Removes fields, rows without any field named, or a table without any row named."""
    if not rows:
        whole.pop(table, None)
        return
    there = whole.get(table, {})
    for key, row in rows.items():
        if key in there and row:
            there[key] = {name: value for name, value in there[key].items() if name not in row}
        else:
            there.pop(key, None)
