# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""One report, four forms: JSON, Markdown, JUnit, and (:mod:`report_html`) a self-contained HTML page.

A report is tables and cases. Cases are what a CI system counts; tables are what a person reads.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

#: Worst last; a report has the worst status of its cases.
STATUSES = ("passed", "skipped", "warning", "failed")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Case:
    """One thing that was checked or done.

    :param group: what it belongs to (a rule, a host); JUnit calls it classname.
    :param seconds: how long it took, ``None`` when it was not measured.
    """

    group: str
    name: str
    status: str = "passed"
    message: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class Table:
    """Rows for people. ``svg`` is a picture shown above the rows, in the HTML form only."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    text: str = ""
    svg: str = ""


@dataclass(frozen=True)
class Report:
    """What was done or found.

    :param facts: the few figures of the summary, in order.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    cases: tuple[Case, ...] = ()

    @property
    def status(self) -> str:
        """The worst status of any case."""
        return max((case.status for case in self.cases), key=STATUSES.index, default="passed")

    @property
    def counts(self) -> dict[str, int]:
        """Number of cases by status."""
        return {status: sum(case.status == status for case in self.cases) for status in STATUSES}


def to_json(report: Report) -> str:
    """Stable JSON: keys sorted, one value a line."""
    data: dict[str, Any] = {
        "title": report.title,
        "status": report.status,
        "counts": report.counts,
        "facts": dict(report.facts),
        "tables": [
            {"title": table.title, "text": table.text, "rows": [dict(zip(table.columns, row)) for row in table.rows]}
            for table in report.tables
        ],
        "cases": [
            {key: value for key, value in vars(case).items() if value not in ("", None)} for case in report.cases
        ],
    }
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def markdown_cell(text: str) -> str:
    """A text that stays inside its table cell and is read literally."""
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", text) if text else ""


def markdown_table(columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> str:
    """A pipe table."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(markdown_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def to_markdown(report: Report) -> str:
    """Markdown for a merge request, a ticket or a terminal."""
    parts = [f"# {markdown_cell(report.title)}\n"]
    if report.facts:
        parts.append(
            "\n".join(f"- {markdown_cell(label)}: **{markdown_cell(value)}**" for label, value in report.facts) + "\n"
        )
    for table in report.tables:
        parts.append(f"## {markdown_cell(table.title)}\n")
        if table.text:
            parts.append(markdown_cell(table.text) + "\n")
        if table.rows:
            parts.append(markdown_table(table.columns, table.rows))
    return "\n".join(parts)


def to_junit(report: Report) -> str:
    """JUnit XML as CI systems read it; warnings count as passed and say so in their output."""

    def attribute(text: str) -> str:
        return quoteattr(_NOT_XML.sub("\ufffd", text))

    counts = report.counts
    head = f'tests="{len(report.cases)}" failures="{counts["failed"]}" errors="0" skipped="{counts["skipped"]}"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {head}>"]
    lines.append(f"<testsuite name={attribute(report.title)} {head}>")
    tags = {"failed": "failure", "skipped": "skipped"}
    for case in report.cases:
        seconds = f' time="{case.seconds:.3f}"' if case.seconds is not None else ""
        opening = f"<testcase classname={attribute(case.group)} name={attribute(case.name)}{seconds}"
        if case.status in tags:
            lines.append(f"{opening}><{tags[case.status]} message={attribute(case.message)}/></testcase>")
        elif case.message:
            text = _NOT_XML.sub("\ufffd", case.message).replace("]]>", "]]]]><![CDATA[>")
            lines.append(f"{opening}><system-out><![CDATA[{text}]]></system-out></testcase>")
        else:
            lines.append(f"{opening}/>")
    return "\n".join([*lines, "</testsuite>", "</testsuites>"]) + "\n"
