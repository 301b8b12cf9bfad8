# SPDX-License-Identifier: Apache-2.0
"""Tables as people have them: CSV in its dialects, tables in Markdown, and rows that cannot be trusted."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape.imports import tables


def one(name, text):
    """The only table of a text."""
    (table,) = tables.read(name, text)
    return table


@pytest.mark.parametrize(
    "text",
    [
        "name,unit\na,1\nb,2\n",
        "name;unit\r\na;1\r\nb;2\r\n",
        "name\tunit\na\t1\nb\t2",
        "\ufeffname,unit\na,1\nb,2\n",
        'name, unit\n"a", "1"\nb, 2\n',
        "\n\nname|unit\n\na|1\n\n\nb|2\n",
    ],
)
def test_dialects_of_csv(text):
    table = one("t.csv", text)
    assert table.header == ("name", "unit")
    assert [row.cells for row in table.rows] == [{"name": "a", "unit": "1"}, {"name": "b", "unit": "2"}]


def test_rows_know_their_line_even_behind_cells_of_several_lines():
    table = one("t.csv", 'name,comment\na,"two\nlines"\nb,x\n')
    assert [(row.line, row.origin, row.cells["comment"]) for row in table.rows] == [
        (2, "t.csv:2", "two lines"),
        (4, "t.csv:4", "x"),
    ]


def test_tables_of_a_document():
    text = """\
# Rack

Some | text, no table

| Unit | Host | Remark |
|-----:|:-----|--------|
| 1 | **node-1** | see [wiki](http://example.com/a|b) |
| 2 | `node_2` | a \\| b<br>c |

```
| not | a table |
|-----|---------|
| x | y |
```

Name | Feed
--- | ---
node-1 | A
after

| lonely | line |
"""
    first, second = tables.read("lab.md", text)
    assert (first.name, second.name) == ("lab.md", "lab.md#2")
    assert first.header == ("Unit", "Host", "Remark")
    assert first.rows[1].cells == {"Unit": "2", "Host": "node_2", "Remark": "a | b c"}
    assert first.rows[1].origin == "lab.md:8"
    assert second.rows[0].cells == {"Name": "node-1", "Feed": "A"}


def test_a_link_with_a_bar_makes_a_cell_too_many_and_is_told():
    rows = one("lab.md", "| a | b |\n|---|---|\n| x | [w](http://e/a|b) |\n").rows
    assert rows[0].problem == "it has 3 cells, the header 2"


def test_columns_without_or_with_the_same_name_keep_their_cells():
    table = one("t.csv", "name,,name\na,b,c\n")
    assert table.header == ("name", "column 2", "name (3)")
    assert table.rows[0].cells == {"name": "a", "column 2": "b", "name (3)": "c"}


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("=cmd|' /C calc'!A0", "formula"),
        ("@SUM(A1)", "formula"),
        ("+cmd", "formula"),
        ("-cmd", "formula"),
        ("{{ lookup('pipe', 'id') }}", "template"),
        ("{% raw %}", "template"),
        ("x" * 10_000, "10000 characters"),
        ("a\x00b", "control"),
        ("a\x1b[31m", "control"),
        ("a\u2028b", "control"),
    ],
)
def test_cells_that_cannot_be_trusted(cell, problem):
    row = one("t.csv", f'name,x\n"{cell}",1\nb,2\n').rows[0]
    assert problem in row.problem
    assert row.cells == {}
    assert len(row.content) <= 200
    assert row.content.isprintable()


@pytest.mark.parametrize("cell", ["-", "-5", "+49 351", "--", "- .", "a=b", "1-2", "{x}", "O'Neil", "50 %"])
def test_cells_that_only_look_odd_are_used(cell):
    assert one("t.csv", f"name,x\na,{cell}\n").rows[0].problem == ""


def test_an_open_quote_spoils_its_own_row_only():
    table = one("t.csv", 'name,x\n"a,1\nb,2\nc,"3" 4\nd,5\n')
    assert [bool(row.problem) for row in table.rows] == [True, False, True, False]
    assert [row.line for row in table.rows] == [2, 3, 4, 5]


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", ",,,\n", "# text\n\nno table\n"])
def test_nothing_in_it(text):
    assert tables.read("t.csv" if "#" not in text else "t.md", text) == []


def test_a_header_alone_is_a_table_without_rows():
    assert one("t.csv", "name,unit\n").rows == ()
