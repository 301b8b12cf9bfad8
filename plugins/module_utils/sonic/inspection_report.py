# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The findings of an inspection as reports. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.report import Case, Report, Table
from ..core.sarif import Result, RuleText, to_sarif
from .inspection import Inspection
from .lint.registry import RULES
from .model import SEVERITIES, Issue
from .places import Places, line_of

LINK = "https://github.com/SovereignCloudStack/scs-landscape/blob/main/docs/sonic-rules.md"
_STATUS = {"error": "failed", "warning": "warning", "info": "passed"}
_COLUMNS = ("Severity", "Rule", "Switch", "Place", "What", "What to do")


def count(issues: tuple[Issue, ...]) -> dict[str, int]:
    """Number of findings by severity, and of those that were accepted."""
    counts = {severity: sum(i.severity == severity and not i.waived for i in issues) for severity in SEVERITIES}
    return {**counts, "waived": sum(bool(issue.waived) for issue in issues)}


def report(found: Inspection) -> Report:
    """A report with one case per finding, and one per switch without any."""
    counts = count(found.issues)
    rows = tuple(
        (issue.severity, issue.rule, issue.switch, issue.path, issue.message, issue.hint)
        for issue in found.issues
        if not issue.waived
    )
    tables = [Table("Findings", _COLUMNS, rows, "" if rows else "Nothing to report.")]
    waived = tuple((i.rule, i.switch, i.path, i.message, i.waived) for i in found.issues if i.waived)
    if waived:
        columns = ("Rule", "Switch", "Place", "What", "Reason")
        tables.append(Table("Expected", columns, waived, "Looked at and accepted."))
    facts = (
        ("Switches", str(len(found.subjects))),
        *((f"{severity.capitalize()}s", str(counts[severity])) for severity in reversed(SEVERITIES)),
        ("Expected", str(counts["waived"])),
    )
    touched = {issue.switch for issue in found.issues}
    quiet = [Case(subject.name, "no finding") for subject in found.subjects if subject.name not in touched]
    return Report("Switch configurations: validation", facts, tuple(tables), (*map(_case, found.issues), *quiet))


def _case(issue: Issue) -> Case:
    title = RULES[issue.rule].title if issue.rule in RULES else issue.rule
    status = "skipped" if issue.waived else _STATUS[issue.severity]
    message = f"expected: {issue.waived}" if issue.waived else str(issue)
    return Case(issue.switch or "fabric", f"{issue.rule} {title}: {issue.path}", status, message)


def sarif(found: Inspection, paths: Mapping[str, str], places: Mapping[str, Places]) -> str:
    """The findings for code hosting.

    :param paths: file by switch.
    :param places: by switch, where its rows stand in its file.
    """
    rules = [RuleText(r.id, r.severity, r.title, f"{r.why} What to do: {r.hint}.") for r in RULES.values()]
    results = [
        Result(
            issue.rule,
            issue.severity,
            f"{issue.switch} {issue.path}: {issue.message}",
            paths.get(issue.switch, "."),
            line_of(places.get(issue.switch, {}), *issue.where) or 1,
            issue.path,
            issue.waived,
        )
        for issue in found.issues
    ]
    return to_sarif("scs.landscape.sonic_validate", LINK, rules, results)


def failure(issues: list[Issue], limit: int = 20) -> str:
    """The message of a task that fails on findings; empty when there is none."""
    if not issues:
        return ""
    shown = [str(issue) for issue in issues[:limit]]
    if len(issues) > limit:
        shown.append(f"... and {len(issues) - limit} more, all of them in the result under findings")
    what = "1 finding" if len(issues) == 1 else f"{len(issues)} findings"
    return f"{what} in the switch configurations\n" + "\n".join(shown)
