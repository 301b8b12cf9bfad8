# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The whole configuration a change leads to, when what is wanted does not speak of everything; and what it lacks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..core.errors import InputError
from . import diff, model, ports, relations
from .model import ConfigDb

#: Fields that a switch fills in by itself at its first start.
OWN_FIELDS = {
    "DEVICE_METADATA": (
        "mac",
        "buffer_model",
        "default_bgp_status",
        "default_pfcwd_status",
        "synchronous_mode",
        "timezone",
    )
}


@dataclass(frozen=True)
class Unmet:
    """A reference to a row that is not there.

    :param field: field or key part that refers.
    :param missing: the rows that would do, as ``TABLE|key``.
    """

    table: str
    key: str
    field: str
    missing: tuple[str, ...]


def wanted(before: ConfigDb, after: ConfigDb, owned: Iterable[str] = ()) -> ConfigDb:
    """What is meant by a configuration that does not speak of everything: the rest stays as it is.

    Tables that ``after`` does not have stay, and so do fields that belong to the switch itself.

    :param owned: tables that whoever made ``after`` would have written, had there been a row: absent, they are empty.
    """
    gone = frozenset(owned)
    whole: ConfigDb = {**{name: rows for name, rows in before.items() if name not in gone}, **after}
    for name, fields in OWN_FIELDS.items():
        rows = {key: dict(row) for key, row in whole.get(name, {}).items()}
        for key, row in before.get(name, {}).items():
            if key in rows:
                rows[key].update({field: row[field] for field in fields if field in row and field not in rows[key]})
        if rows:
            whole[name] = rows
    return whole


def unmet(config: ConfigDb, ignore: Iterable[str] = ()) -> Iterator[Unmet]:
    """Every reference of a configuration that leads nowhere.

    :param ignore: tables that daemons write by themselves: they follow what they refer to.
    """
    rows, left_out = diff.rows_of(config), frozenset(ignore)
    for place, row in sorted(rows.items()):
        if place[0] not in left_out:
            for field, targets in relations.required(place, row):
                if not any(target in rows for target in targets):
                    yield Unmet(*place, field, tuple(f"{table}|{key}" for table, key in targets))
            for condition in relations.conditions(place, row):
                other = (condition.table, condition.key)
                if condition.asks not in relations.said(other, rows.get(other, {})):
                    yield Unmet(*place, condition.source, (str(condition),))


def speeds(config: ConfigDb, told: object = None) -> dict[str, tuple[str, ...]]:
    """By port the speeds it can run at, Mbit/s: what is told, else what the port map of the hardware says.

    A port whose lanes are not those of the port map is broken out; nothing is said of it.

    :param told: by port a list, or a text as STATE_DB has it.
    :raises InputError: when it is something else.
    """
    hwsku = str(config.get("DEVICE_METADATA", {}).get("localhost", {}).get("hwsku", ""))
    known = ports.known(hwsku)
    rows = config.get("PORT", {})
    found = {
        name: tuple(str(speed) for speed in port.speeds)
        for name, port in (known.ports.items() if known else ())
        if port.speeds and model.values(rows.get(name, {}).get("lanes")) == [str(lane) for lane in port.lanes]
    }
    if not isinstance(told or {}, Mapping):
        raise InputError("Speeds are lists by port", hint="speeds: {leaf1: {Ethernet48: [100000]}}")
    for name, values in told.items() if isinstance(told, Mapping) else ():
        items = values.split(",") if isinstance(values, str) else values if isinstance(values, list) else [values]
        found[str(name)] = tuple(str(speed).strip() for speed in items)
    return found
