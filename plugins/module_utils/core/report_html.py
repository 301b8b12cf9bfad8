# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A report as one HTML file: no script, no link to anywhere, readable in a mail, on paper and in the dark."""

from __future__ import annotations

from html import escape

from .report import Report, Table

_STYLE = """
:root{color-scheme:light dark;--ink:#1b2733;--soft:#5b6b7a;--line:#d9e0e7;--bg:#fff;--panel:#f5f7fa;
--passed:#0f7b4f;--warning:#a05a00;--failed:#b3261e;--skipped:#5b6b7a}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa8b5;--line:#33404c;--bg:#12181f;--panel:#1b232c;
--passed:#4cc38a;--warning:#e5a13d;--failed:#ff7b72;--skipped:#9aa8b5}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,
"DejaVu Sans",sans-serif}main{max-width:76rem;margin:0 auto;padding:2rem 1.5rem 4rem}h1{font-size:1.7rem;margin:0 0 1rem;
line-height:1.2}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}.badge{display:inline-block;font-size:.8rem;font-weight:600;
padding:.15rem .6rem;border-radius:1rem;border:1px solid currentColor;vertical-align:middle;margin-left:.6rem}
.passed{color:var(--passed)}.warning{color:var(--warning)}.failed{color:var(--failed)}.skipped{color:var(--skipped)}
dl{display:flex;flex-wrap:wrap;gap:.8rem;margin:0}dl div{background:var(--panel);border:1px solid var(--line);
border-radius:.5rem;padding:.6rem 1rem;min-width:8rem}dt{color:var(--soft);font-size:.8rem}dd{margin:0;font-size:1.25rem;
font-weight:600;font-variant-numeric:tabular-nums}p{margin:.3rem 0;color:var(--soft)}.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.4rem .7rem;
border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}td[class]{white-space:nowrap;font-weight:600}
td:first-child{white-space:nowrap}th{color:var(--soft);font-weight:600;
white-space:nowrap}tbody tr:hover{background:var(--panel)}figure{margin:1rem 0;background:#fff;border:1px solid var(--line);
border-radius:.5rem;padding:1rem}figure svg{max-width:100%;height:auto;display:block;margin:auto}
@media print{main{max-width:none;padding:0}tbody tr{break-inside:avoid}}
"""


def to_html(report: Report) -> str:
    """The page. SVG pictures of tables are embedded as they are: they must come from our own writers."""
    badge = f'<span class="badge {report.status}">{report.status}</span>' if report.cases else ""
    facts = "".join(f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in report.facts)
    body = "".join(_section(table) for table in report.tables)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head>\n<body><main>"
        f"<h1>{escape(report.title)}{badge}</h1>\n<dl>{facts}</dl>\n{body}</main></body></html>\n"
    )


def _section(table: Table) -> str:
    parts = [f"<section><h2>{escape(table.title)}</h2>\n"]
    if table.text:
        parts.append(f"<p>{escape(table.text)}</p>\n")
    if table.svg:
        parts.append(f"<figure>{table.svg}</figure>\n")
    if table.rows:
        head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
        rows = "\n".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in table.rows)
        parts.append(
            f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>\n'
        )
    return "".join([*parts, "</section>\n"])


#: Words that have the colour of a status wherever they stand alone in a cell.
_WORDS = {
    **dict.fromkeys(("error", "failed", "missing", "swapped", "wrong port", "unexpected", "unreachable"), "failed"),
    **dict.fromkeys(("warning", "changed", "would change", "differs"), "warning"),
    **dict.fromkeys(("passed", "ok", "as written", "matched"), "passed"),
    **dict.fromkeys(("unknown", "not asked", "skipped"), "skipped"),
}


def _cell(text: str) -> str:
    kind = _WORDS.get(text, "")
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"
