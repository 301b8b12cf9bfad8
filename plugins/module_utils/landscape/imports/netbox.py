# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Imports NetBox: answers of its REST API, or data of osism/netbox-manager, become a landscape.

Every object counts as a row, with its number in the file, so that the account is the same as that of tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from . import netbox_rest, netbox_tasks
from .build import Imported
from .ledger import Ledger
from .netbox_build import Build
from .settings import Settings
from .sweep import sweep
from .tables import Row, Table, shown

Record = dict[str, Any]
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


def from_exports(exports: Mapping[str, Any], settings: Settings) -> Imported:
    """The landscape that exports describe. Bad objects end in reports, never in an exception.

    :param exports: by file name: parsed JSON of the REST API, or parsed YAML of netbox-manager.
    """
    ledger = Ledger()
    found: list[tuple[Row, Record]] = []
    for name, data in exports.items():
        if netbox_tasks.is_device_type(data):
            found += _device_type(name, data, ledger)
        elif name.lower().endswith((".yml", ".yaml")) and netbox_tasks.is_tasks(data):
            found += _tasks(name, data, ledger)
        else:
            found += _objects(name, data, ledger)
    build = Build(settings, ledger)
    build.run(found)
    sweep(build.draft.document, ledger)
    ledger.close()
    document = {key: value for key, value in build.draft.document.items() if value not in ({}, [], None)}
    return Imported(document, {}, tuple(ledger.reports), ledger.counts())


def _row(file: str, number: int, item: Any) -> Row:
    content = shown(json.dumps(item, sort_keys=True, default=str)[:2000])
    return Row(file, number, {}, content, "" if isinstance(item, dict) else "it is no object")


def _objects(name: str, data: Any, ledger: Ledger) -> list[tuple[Row, Record]]:
    lists = netbox_rest.lists_of(name, data)
    numbered = [(source, item) for source, items in lists for item in items]
    rows = [_row(name, number, item) for number, (_source, item) in enumerate(numbered, 1)]
    ledger.open(Table(name, name, 0, (), tuple(rows)))
    found = []
    for row, (source, item) in zip(rows, numbered):
        kind = netbox_rest.kind_of(source, item)
        if row.problem:
            continue
        if kind:
            found.append((row, netbox_rest.record(kind, item)))
        else:
            ledger.refuse(row, "neither its address nor the name of the file says what kind of object it is")
    return found


def _tasks(name: str, tasks: list[Any], ledger: Ledger) -> list[tuple[Row, Record]]:
    variables: dict[str, str] = {}
    for task in tasks:
        if isinstance(task.get("vars"), dict):
            variables.update(
                {str(key): str(value) for key, value in task["vars"].items() if isinstance(value, (str, int))}
            )
    rows = [_row(name, number, task) for number, task in enumerate(tasks, 1)]
    ledger.open(Table(name, name, 0, (), tuple(rows)))
    found = []
    for row, task in zip(rows, tasks):
        if "vars" in task:
            ledger.use(row)
            continue
        records = netbox_tasks.records_of(_filled(task, variables))
        found += [(row, record) for record in records]
        if not records:
            ledger.refuse(row, f"the task {shown(str(next(iter(task))))} says nothing that a landscape holds")
    return found


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    """A task with its plain variables filled in, as netbox-manager does with the help of Ansible."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: variables.get(match[1], match[0]), value)
    if isinstance(value, dict):
        return {key: _filled(child, variables) for key, child in value.items()}
    if isinstance(value, list):
        return [_filled(child, variables) for child in value]
    return value


def _device_type(name: str, data: dict[str, Any], ledger: Ledger) -> list[tuple[Row, Record]]:
    row = _row(name, 1, data)
    ledger.open(Table(name, name, 0, (), (row,)))
    return [(row, record) for record in netbox_tasks.device_type(data)]
