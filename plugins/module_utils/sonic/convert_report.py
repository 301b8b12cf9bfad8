# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A conversion as a report: every row that is not what it was, and what the linter says about the result."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from ..core.errors import InputError
from ..core.report import Case, Report, Table
from . import order
from .convert import Converted, Note
from .model import Issue
from .plan_report import FORMS

_TITLES = {
    "missing": "What somebody has to write",
    "added": "Added",
    "changed": "Changed",
    "dropped": "Dropped",
}


def report(made: Mapping[str, Converted], issues: Iterable[Issue] = ()) -> Report:
    """One case for each switch; for each switch a table per kind of change, and one of the findings."""
    tables: list[Table] = []
    cases: list[Case] = []
    found = tuple(issues)
    for name in sorted(made, key=order.natural):
        mine = [issue for issue in found if issue.switch == name and not issue.waived]
        for action, title in _TITLES.items():
            rows = tuple(_row(note) for note in made[name].notes if note.action == action)
            if rows:
                tables.append(Table(f"{name}: {title.lower()}", ("Row", "Field", "Before", "After", "Why"), rows))
        if mine:
            shown = tuple((issue.severity, issue.rule, issue.path, issue.message) for issue in mine)
            tables.append(Table(f"{name}: findings", ("Severity", "Rule", "Place", "What"), shown))
        cases.append(_case(name, made[name], mine))
    facts = (
        ("Switches", str(len(made))),
        *((title, str(sum(one.counts[action] for one in made.values()))) for action, title in _TITLES.items()),
        ("Findings", str(sum(not issue.waived for issue in found))),
    )
    return Report("Conversion to community SONiC", facts, tuple(tables), tuple(cases))


def _row(note: Note) -> tuple[str, ...]:
    shown = note.as_dict()
    place = "|".join(filter(None, (shown["table"], shown.get("key", ""))))
    return (place, *(shown.get(name, "") for name in ("field", "before", "after", "why")))


def _case(name: str, made: Converted, issues: list[Issue]) -> Case:
    errors = [f"{issue.rule} {issue.path}: {issue.message}" for issue in issues if issue.severity == "error"]
    if errors:
        return Case("conversion", name, "failed", "; ".join(errors[:5]))
    missing = [f"{note.table} {note.key} {note.field}".strip() for note in made.notes if note.action == "missing"]
    if missing:
        return Case("conversion", name, "warning", f"somebody has to write: {', '.join(missing[:5])}")
    return Case("conversion", name, "passed", f"{len(made.notes)} rows or fields are not what they were")


def written(made: Mapping[str, Converted], issues: Iterable[Issue], paths: Iterable[str]) -> dict[str, str]:
    """The report in the forms that the endings of the paths ask for.

    :raises InputError: for an ending that is not known.
    """
    summary = report(made, issues)
    texts = {}
    for path in paths:
        form = FORMS.get(os.path.splitext(path)[1])
        if form is None:
            raise InputError(f"The form of the report {path} is not known", hint="End the name in " + ", ".join(FORMS))
        texts[path] = form(summary)
    return texts
