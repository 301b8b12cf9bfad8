# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules of the form: what the reader, the schema and the union of files refuse.

Their findings are raised while files are read (``client``, ``decode``, ``document``); here stands why.
"""

from __future__ import annotations

from .registry import declare

_SCHEMA = "The schema of the landscape (docs/schema.md)"

declare(
    "S01",
    "error",
    "The file cannot be read as YAML",
    why="Nothing in the file is known, so nothing in it can be checked.",
    source="YAML 1.1, UTF-8",
    hint="mend the line that the message names",
)
declare(
    "S02",
    "error",
    "Unknown key",
    why="A misspelt key is a value that silently does not count.",
    source=_SCHEMA,
    hint="use the key that the hint names",
)
declare(
    "S03", "error", "Wrong kind of value", why="A value of another kind cannot mean what it should.", source=_SCHEMA
)
declare(
    "S04",
    "error",
    "Written twice",
    why="Of two values only one can count, and YAML readers do not agree which.",
    source="YAML 1.1, section 3.2.1.1: keys of a mapping are unique",
    hint="remove one of them",
)
declare(
    "S05", "error", "Missing", why="Without the value the object cannot be placed, cabled or addressed.", source=_SCHEMA
)
declare(
    "S06",
    "error",
    "Value not allowed",
    why="The value is of the right kind, but outside what the field can hold.",
    source=_SCHEMA,
)
