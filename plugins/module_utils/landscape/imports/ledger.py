# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The account of an import: every row is used, merged or unused, and every doubt is written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .tables import Row, Table

#: Kinds of reports. ``unused`` and ``merged`` stand for one row each; the others are remarks about rows that were used.
KINDS = ("unused", "merged", "contradiction", "cell", "column", "note")


@dataclass(frozen=True)
class Report:
    """One remark about one row (or, with the header's line, about a whole table)."""

    kind: str
    file: str
    row: int
    reason: str
    content: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"kind": self.kind, "file": self.file, "row": self.row, "reason": self.reason, "content": self.content}


class Ledger:
    """Counts rows and collects reports.

    :ivar reports: all remarks in the order in which they were made.
    """

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self._tables: dict[str, Table] = {}
        self._status: dict[tuple[str, int], str] = {}

    def open(self, table: Table) -> list[Row]:
        """Registers a table; its usable rows. Rows that cannot be trusted are reported at once."""
        self._tables[table.name] = table
        for row in table.rows:
            if row.problem:
                self.refuse(row, row.problem)
        return [row for row in table.rows if not row.problem]

    def use(self, row: Row) -> None:
        """The row went into the result."""
        self._status[row.file, row.line] = "used"

    def merge(self, row: Row, reason: str) -> None:
        """The row said what another row says too."""
        if self._status.get((row.file, row.line)) != "used":
            self._status[row.file, row.line] = "merged"
            self._add("merged", row, reason)

    def refuse(self, row: Row, reason: str) -> None:
        """The row cannot be used."""
        if (row.file, row.line) not in self._status:
            self._status[row.file, row.line] = "unused"
            self._add("unused", row, reason)

    def contradiction(self, row: Row, reason: str) -> None:
        """The row contradicts another one; the first one counts."""
        self._add("contradiction", row, reason)

    def cell(self, row: Row, reason: str) -> None:
        """One cell of a used row cannot be used."""
        self._add("cell", row, reason)

    def note(self, row: Row, reason: str) -> None:
        """Something was assumed."""
        self._add("note", row, reason)

    def column(self, table: Table, reason: str) -> None:
        """A column is not used."""
        self.reports.append(Report("column", table.file, table.line, reason, ", ".join(table.header)[:200]))

    def general(self, source: str, reason: str) -> None:
        """A remark that belongs to no row."""
        self.reports.append(Report("note", source, 0, reason, ""))

    def _add(self, kind: str, row: Row, reason: str) -> None:
        self.reports.append(Report(kind, row.file, row.line, reason, row.content))

    def close(self) -> None:
        """Rows that nobody spoke for are reported as unused; nothing is dropped silently."""
        for table in self._tables.values():
            for row in table.rows:
                self.refuse(row, "nothing in the row could be used")

    def counts(self) -> dict[str, dict[str, int]]:
        """Rows by table and in total: ``rows`` is always ``used`` plus ``merged`` plus ``unused``."""
        result: dict[str, dict[str, int]] = {}
        total = {"rows": 0, "used": 0, "merged": 0, "unused": 0}
        for name, table in self._tables.items():
            counted = {"rows": len(table.rows), "used": 0, "merged": 0, "unused": 0}
            for row in table.rows:
                counted[self._status.get((row.file, row.line), "unused")] += 1
            result[name] = counted
            total = {key: total[key] + counted[key] for key in total}
        return {**result, "total": total}
