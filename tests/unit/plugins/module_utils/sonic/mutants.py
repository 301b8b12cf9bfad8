# SPDX-License-Identifier: Apache-2.0
"""Mutants of switch configurations: one small mistake each, drawn uniformly over tables and then over their fields."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: Switches that have no finding of their own but what :func:`baseline` of the test takes off.
BASES = ("b-l2vni.leaf1", "b-l2vni.spine1", "d-mgmt.mgmt1", "e-border.border1")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"


@dataclass(frozen=True)
class Mutant:
    """One mistake: where it was made, which kind it is, and the configuration with it."""

    base: str
    table: str
    key: str
    field: str
    kind: str
    config: Any

    @property
    def label(self) -> str:
        """Where and what, for people."""
        return f"{self.base} {self.table}|{self.key} {self.field or 'row'}: {self.kind}"


def typo(generator: random.Random, text: str) -> str:
    """A text with one letter wrong, missing or too many."""
    at = generator.randrange(max(1, len(text)))
    letter = generator.choice(_LETTERS)
    return generator.choice(
        [text[:at] + letter + text[at + 1 :], text[:at] + text[at + 1 :], text[:at] + letter + text[at:]]
    )


def _scalar(change: Callable[[random.Random, str], Any]) -> Callable[[random.Random, dict[str, Any], str], Any]:
    def changed(generator: random.Random, row: dict[str, Any], field: str) -> Any:
        value = row[field]
        if isinstance(value, list):
            return [change(generator, item) for item in value]
        return change(generator, value)

    return changed


def _off_by_one(generator: random.Random, text: str) -> Any:
    return str(int(text) + generator.choice([-1, 1])) if text.lstrip("-").isdigit() else typo(generator, text)


#: Mistakes in the value of a field.
VALUES: dict[str, Callable[[random.Random, dict[str, Any], str], Any]] = {
    "typo": _scalar(typo),
    "off by one": _scalar(_off_by_one),
    "empty": _scalar(lambda generator, text: ""),
    "long": _scalar(lambda generator, text: text + "x" * 300),
    "control": _scalar(lambda generator, text: text + "\x07"),
    "number": lambda generator, row, field: 7,
    "nothing": lambda generator, row, field: None,
    "object": lambda generator, row, field: {"x": "y"},
    "list": lambda generator, row, field: row[field][0] if isinstance(row[field], list) else [row[field]],
}
FIELD_KINDS = (*VALUES, "neighbour", "delete", "unknown field")
ROW_KINDS = ("delete", "text", "nothing", "key typo", "duplicate", "key empty", "unknown field", "table typo")


def draw(generator: random.Random, configs: dict[str, Any]) -> Mutant:
    """One mutant."""
    base = generator.choice(sorted(configs))
    config = copy.deepcopy(configs[base])
    table = generator.choice(sorted(config))
    rows = config[table]
    fields = sorted({field for row in rows.values() for field in row})
    field = generator.choice([*fields, ""])
    key = generator.choice(sorted(key for key, row in rows.items() if not field or field in row))
    kind = generator.choice(FIELD_KINDS if field else ROW_KINDS)
    (_field if field else _row)(generator, config, (table, key, field), kind)
    return Mutant(base, table, key, field, kind, config)


def _field(generator: random.Random, config: Any, place: tuple[str, str, str], kind: str) -> None:
    table, key, field = place
    row = config[table][key]
    if kind == "delete":
        del row[field]
    elif kind == "unknown field":
        row[typo(generator, field) + "_x"] = row.pop(field)
    elif kind == "neighbour":
        row[field] = generator.choice([other[field] for other in config[table].values() if field in other])
    else:
        row[field] = VALUES[kind](generator, row, field)


def _row(generator: random.Random, config: Any, place: tuple[str, str, str], kind: str) -> None:
    table, key, _none = place
    rows = config[table]
    if kind == "delete":
        del rows[key]
    elif kind == "text":
        rows[key] = str(rows[key])
    elif kind == "nothing":
        rows[key] = None
    elif kind == "table typo":
        config[typo(generator, table)] = config.pop(table)
    elif kind == "unknown field":
        rows[key]["brew_coffee"] = "true"
    else:
        name = "" if kind == "key empty" else typo(generator, key)
        rows[name] = copy.deepcopy(rows[key])
        if kind != "duplicate" and name != key:
            del rows[key]
