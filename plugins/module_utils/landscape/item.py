# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What every object of a landscape has: a name, a section, a place in a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from .finding import Place


@dataclass(frozen=True)
class Source:
    """Where an object was written: its file, its first line, the line of each field."""

    file: str = ""
    line: int = 0
    lines: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """Base of everything that is written in a landscape."""

    section: str = dataclasses.field(default="", compare=False)
    name: str = ""
    source: Source = dataclasses.field(default_factory=Source, compare=False, repr=False)

    @property
    def ref(self) -> str:
        """``section/name``, the object's name in findings and waivers."""
        return f"{self.section}/{self.name}" if self.name else self.section

    def place(self, field: str = "") -> Place:
        """The place of the object, or of one of its fields."""
        return Place(self.source.file, self.source.lines.get(field, self.source.line))
