# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The whole configuration a change leads to, when what is wanted does not speak of everything; and what it lacks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..core.errors import InputError
from . import diff, model, ports, relations
from .model import ConfigDb, Row

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

#: Tables whose rows belong to a port and go with it: daemons write them, or nobody but the port needs them.
FOLLOWING = (
    *("BUFFER_PG", "BUFFER_PORT_EGRESS_PROFILE_LIST", "BUFFER_PORT_INGRESS_PROFILE_LIST", "BUFFER_QUEUE"),
    *("CABLE_LENGTH", "PFC_WD", "PORT_QOS_MAP", "QUEUE"),
)


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
    for name in FOLLOWING:
        if name in whole and name not in after:
            whole[name] = _following(name, whole[name], _gone(before, whole))
    return whole


def planned(before: ConfigDb, after: ConfigDb, ignore: Iterable[str]) -> tuple[ConfigDb, ConfigDb]:
    """Both sides without the tables that are left alone, but for their rows that go with a port that goes.

    No daemon removes those, and the models refuse what refers to a port that is not there.
    """
    left_out = frozenset(ignore)
    old, new = ({name: rows for name, rows in side.items() if name not in left_out} for side in (before, after))
    gone = _gone(before, after)
    for name in left_out.intersection(FOLLOWING, before) if gone else ():
        rows, stay = before[name], _following(name, before[name], gone)
        old[name] = {key: row for key, row in rows.items() if stay.get(key) != row}
        new[name] = {key: row for key, row in stay.items() if rows.get(key) != row}
    return old, new


def _gone(before: ConfigDb, after: ConfigDb) -> set[str]:
    """The ports that are removed."""
    return set(before.get("PORT") or ()) - set(after.get("PORT") or ())


def _following(table: str, rows: Mapping[str, Row], gone: set[str]) -> dict[str, Row]:
    """The rows of one of :data:`FOLLOWING` without those ports."""
    found: dict[str, Row] = {}
    for key, row in rows.items():
        head, joint, rest = key.partition(model.SEPARATOR)
        ports_of = head.split(",")
        left = [port for port in ports_of if port not in gone]
        if table in relations.PORT_FIELDS:
            found[key] = {name: value for name, value in row.items() if name not in gone}
        elif len(left) == len(ports_of):
            found[key] = row
        elif left:
            found.setdefault(f"{','.join(left)}{joint}{rest}", row)
    return found


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
