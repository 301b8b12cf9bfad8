# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Where in a config_db.json a row or field stands. Pure."""

from __future__ import annotations

import json
import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,\n]')

#: Table, key, field: the row with an empty field, the table with an empty key.
Places = dict[tuple[str, str, str], int]


def places(text: str) -> Places:
    """The line, from 1, of every table, row and field of a JSON text that is in the form of CONFIG_DB."""
    found: Places = {}
    path: list[str] = []
    line, depth, last = 1, 0, ""
    for mark in _TOKEN.findall(text):
        if mark == "\n":
            line += 1
        elif mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            del path[max(depth - 1, 0) :]
        elif mark == ":" and last.startswith('"') and depth <= 3:
            name = json.loads(last, strict=False)
            path[depth - 1 :] = [name]
            whole = [*path, "", ""]
            found.setdefault((whole[0], whole[1], whole[2]), line)
        last = mark if mark != "\n" else last
    return found


def line_of(found: Places, table: str, key: str, field: str) -> int:
    """The line of a field, else of its row, else of its table; 0 when none of them is there."""
    return found.get((table, key, field), found.get((table, key, ""), found.get((table, "", ""), 0)))
