# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Tables as people have them: CSV files, and the tables inside Markdown documents.

Text in, rows with line numbers out. A row that cannot be trusted (control characters, formulas, templates, endless
cells, broken quotes) keeps its place and says why; nothing is dropped.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..schema import TEXT_LIMIT

#: Cells that span more lines than this are an unclosed quote.
_MOST_LINES = 50
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
#: What a spreadsheet would run. A sign in front of a word is a formula too; a lone dash or a number is not.
_FORMULA = re.compile(r"[=@]|[+-][^\d\s.-]")
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
_MARKDOWN_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*")
_MARKDOWN_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_CONTENT_LIMIT = 200


@dataclass(frozen=True)
class Row:
    """One row: its line in the file (the header has one too), its cells by column, and why it cannot be used, if so."""

    file: str
    line: int
    cells: dict[str, str]
    content: str
    problem: str = ""

    @property
    def origin(self) -> str:
        """``cables.csv:47``, as objects and findings name the row."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Table:
    """One table. ``name`` is the file, with ``#2`` for its second table."""

    file: str
    name: str
    line: int
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def read(name: str, text: str) -> list[Table]:
    """The tables of one file; the ending of ``name`` (``.csv``, ``.tsv``, ``.md``) says what it is."""
    file = name
    text = text[1:] if text.startswith("\ufeff") else text
    lines = re.split(r"\r\n|\n|\r", text)
    if file.lower().endswith((".md", ".markdown")):
        return _markdown(file, lines)
    return _csv(file, lines)


def _csv(file: str, lines: list[str]) -> list[Table]:
    records = _records(lines, _delimiter(next((line for line in lines if line.strip()), "")))
    found = next(((line, cells) for line, cells, _problem in records if any(cell.strip() for cell in cells)), None)
    if found is None:
        return []
    header = _header(found[1])
    rows = [
        _row(file, line, header, cells, problem)
        for line, cells, problem in records
        if problem or any(c.strip() for c in cells)
    ]
    return [Table(file, file, found[0], header, tuple(rows))]


def _delimiter(header: str) -> str:
    return max(",;\t|", key=header.count) if header else ","


def _records(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Line number, cells and problem of each record; after a broken record reading goes on in the next line."""
    position = 0
    while position < len(lines):
        window = [line + "\n" for line in lines[position : position + _MOST_LINES]]
        reader = csv.reader(window, delimiter=delimiter, strict=True, skipinitialspace=True)
        try:
            cells, problem = next(reader, []), ""
            taken = reader.line_num
        except csv.Error as error:
            cells, problem, taken = [lines[position]], f"the quotes or the length of the row are wrong ({error})", 1
        yield position + 1, cells, problem
        position += taken


def _header(cells: Sequence[str]) -> tuple[str, ...]:
    """Column names; empty and repeated ones get a number so that no cell is lost."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = clean(cell)[:100] or f"column {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return tuple(names)


def _row(file: str, line: int, header: tuple[str, ...], cells: Sequence[str], problem: str) -> Row:
    content = " | ".join(shown(cell) for cell in cells)[:_CONTENT_LIMIT]
    problem = problem or next(filter(None, map(distrusted, cells)), "")
    if not problem and any(cell.strip() for cell in cells[len(header) :]):
        problem = f"it has {len(cells)} cells, the header {len(header)}"
    values = dict(zip(header, (clean(cell) for cell in cells)))
    return Row(file, line, {} if problem else {name: values.get(name, "") for name in header}, content, problem)


def distrusted(cell: str) -> str:
    """Why a cell cannot be used, or nothing."""
    if len(cell) > TEXT_LIMIT:
        return f"a cell has {len(cell)} characters, at most {TEXT_LIMIT} are allowed"
    if _CONTROL.search(cell):
        return "a cell holds control characters"
    if _FORMULA.match(cell.strip()):
        return "a cell is a spreadsheet formula"
    if _TEMPLATE.search(cell):
        return "a cell holds a template"
    return ""


def clean(cell: str) -> str:
    """One line, single spaces."""
    return " ".join(cell.split())


def shown(cell: str) -> str:
    """A cell as it may be shown in a report or a terminal."""
    return _CONTROL.sub("?", " ".join(cell[: _CONTENT_LIMIT * 2].split()))[:_CONTENT_LIMIT]


def _markdown(file: str, lines: list[str]) -> list[Table]:
    tables: list[Table] = []
    position, fenced = 0, False
    while position < len(lines):
        line = lines[position]
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        is_header = not fenced and "|" in line and position + 1 < len(lines) and "-" in lines[position + 1]
        if is_header and "|" in lines[position + 1] and _MARKDOWN_RULE.fullmatch(lines[position + 1][:2000]):
            name = file if not tables else f"{file}#{len(tables) + 1}"
            header = _header([_unmarked(cell) for cell in _cells(line)])
            end = position + 2
            while end < len(lines) and "|" in lines[end]:
                end += 1
            body = [
                _row(file, number + 1, header, [_unmarked(cell) for cell in _cells(lines[number])], "")
                for number in range(position + 2, end)
            ]
            tables.append(
                Table(
                    file,
                    name,
                    position + 1,
                    header,
                    tuple(row for row in body if row.content.strip(" |") or row.problem),
                )
            )
            position = end
        else:
            position += 1
    return tables


def _cells(line: str) -> list[str]:
    """The cells of a Markdown row; ``\\|`` is a bar inside a cell."""
    inner = line.strip()
    inner = inner[1:] if inner.startswith("|") else inner
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def _unmarked(cell: str) -> str:
    """A cell without emphasis, code marks, links and line breaks."""
    text = _MARKDOWN_LINK.sub(r"\1", cell[: TEXT_LIMIT * 2])
    text = re.sub(r"<br\s*/?>", " ", text)
    text = re.sub(r"(\*\*|__|`)(.+?)\1", r"\2", text)
    return re.sub(r"\\([_*`#~-])", r"\1", text).strip()
