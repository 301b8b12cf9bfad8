# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Where in a config_db.json a row or field stands. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from . import masking

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,\n]')

#: Table, key, field: the row with an empty field, the table with an empty key.
Places = dict[tuple[str, str, str], int]


def places(text: str) -> Places:
    """The line, from 1, of every table, row and field of a JSON text that is in the form of CONFIG_DB."""
    found: Places = {}
    for place, line in _walk(text):
        found.setdefault(place, line)
    return found


def twice(text: str) -> str:
    """Where a table, row or field stands for the second time, as the end of a sentence; empty when none does.

    Keys that are secret are masked.
    """
    seen: set[tuple[str, str, str]] = set()
    for place, line in _walk(text):
        table, key, field = place
        if place in seen:
            names = filter(None, (table, masking.key(table, key), field))
            return f", the second time in line {line}: {' '.join(names)}"
        seen.add(place)
    return ""


def _walk(text: str) -> Iterator[tuple[tuple[str, str, str], int]]:
    """Every table, row and field with its line, from 1."""
    path: list[str] = []
    opened: list[str] = []
    line, last = 1, ""
    for mark in _TOKEN.findall(text):
        if mark == "\n":
            line += 1
        elif mark in "{[":
            opened.append(mark)
        elif mark in "}]":
            del opened[-1:]
            del path[max(len(opened) - 1, 0) :]
        elif mark == ":" and last.startswith('"') and len(opened) <= 3 and "[" not in opened:
            path[len(opened) - 1 :] = [json.loads(last, strict=False)]
            whole = [*path, "", ""]
            yield (whole[0], whole[1], whole[2]), line
        last = mark if mark != "\n" else last


def line_of(found: Places, table: str, key: str, field: str) -> int:
    """The line of a field, else of its row, else of its table; 0 when none of them is there."""
    return found.get((table, key, field), found.get((table, key, ""), found.get((table, "", ""), 0)))
