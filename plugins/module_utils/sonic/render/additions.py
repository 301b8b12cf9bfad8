# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rows that a landscape adds for a role, a group or a device, merged over what is rendered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...landscape.names import natural
from .model import Switch


def additions(switch: Switch) -> None:
    """Merges ``config_db`` of role, groups and device, in this order; ``null`` takes a table, row or field away."""
    for origin, tables in sources(switch):
        for table, rows in tables.items():
            if rows is None:
                switch.rows.config.pop(table, None)
            elif isinstance(rows, Mapping):
                for key, row in rows.items():
                    _row(switch, origin, table, str(key), row)
            else:
                _refuse(switch, origin, table, "", rows)


def sources(switch: Switch) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rows that role, groups and device add, and whose they are."""
    device, groups = switch.device, switch.view.landscape.groups
    if device.role:
        yield f"role {device.role.name}", device.role.config_db
    for name in sorted(device.groups, key=natural):
        if name in groups:
            yield f"group {name}", groups[name].config_db
    yield f"switch {device.name}", device.device.config_db


def _row(switch: Switch, origin: str, table: str, key: str, row: Any) -> None:
    if row is None:
        rows = switch.rows.config.get(table, {})
        rows.pop(key, None)
        if not rows:
            switch.rows.config.pop(table, None)
    elif not isinstance(row, Mapping):
        _refuse(switch, origin, table, key, row)
    else:
        switch.rows.put(table, key)
        for field, value in row.items():
            if value is None:
                switch.rows.config[table][key].pop(str(field), None)
            elif isinstance(value, Mapping):
                _refuse(switch, origin, table, key, value)
            elif isinstance(value, list) and any(item is None or isinstance(item, (list, Mapping)) for item in value):
                message = f"config_db of {origin} has something else than texts in the list {field}"
                switch.issue("SR012", "error", (table, key, str(field)), message, "write each item as a text")
            else:
                switch.rows.put(table, key, {str(field): value})


def _refuse(switch: Switch, origin: str, table: str, key: str, found: Any) -> None:
    message = f"config_db of {origin} has {type(found).__name__} where a row is expected"
    switch.issue("SR012", "error", (table, key, ""), message, "write it as TABLE: {key: {field: value}}")
