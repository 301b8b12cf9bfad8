# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Findings: what a check has to say about one object at one place."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

#: From harmless to serious. ``error`` stops plays that change things; ``warning`` and ``info`` do not.
SEVERITIES = ("info", "warning", "error")


@dataclass(frozen=True, order=True)
class Place:
    """A place in a source file; ``line`` counts from 1, 0 means the file as a whole."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Finding:
    """One contradiction or defect.

    ``object`` names the thing as ``section/name`` (``hosts/st01-ctl-r01-u27``), a cable by both ends;
    ``field`` is the field of the object, empty when the object as a whole is meant.
    ``origin`` is the row of the document that the object was imported from, if it was imported.
    """

    rule: str
    severity: str
    object: str
    message: str
    place: Place
    field: str = ""
    found: str = ""
    expected: str = ""
    hint: str = ""
    origin: str = ""
    waived: str = dataclasses.field(default="", compare=False)

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Order for people: the worst first, then by file and line."""
        return (-SEVERITIES.index(self.severity), self.place, self.rule, self.object, self.field, self.message)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form; empty optional parts are left out."""
        data: dict[str, Any] = {
            "rule": self.rule,
            "severity": self.severity,
            "object": self.object,
            "message": self.message,
            "file": self.place.file,
            "line": self.place.line,
        }
        for key in ("field", "found", "expected", "hint", "origin", "waived"):
            value = getattr(self, key)
            if value:
                data[key] = value
        return data

    def __str__(self) -> str:
        text = f"{self.place}: {self.severity} {self.rule} {self.object}: {self.message}"
        return f"{text} ({self.hint})" if self.hint else text
