# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The findings of a validation as a report."""

from __future__ import annotations

import posixpath

from ..core.report import Case, Report, Table
from .derive import View
from .docs import build
from .docs.model import Options
from .finding import SEVERITIES, Finding

_STATUS = {"error": "failed", "warning": "warning", "info": "passed"}
#: A report is read by a person; a landscape of hundred racks has its pictures in the documentation.
PICTURE_LIMIT = 12
_COLUMNS = ("Severity", "Rule", "Object", "What", "Place", "What to do")


def count(findings: list[Finding]) -> dict[str, int]:
    """Number of findings by severity, and of those that are waived."""
    counts = {severity: sum(f.severity == severity and not f.waived for f in findings) for severity in SEVERITIES}
    return {**counts, "waived": sum(bool(f.waived) for f in findings)}


def report(view: View, findings: list[Finding], titles: dict[str, str], *, pictures: bool = False) -> Report:
    """A report with one case per finding, and one per rule that found nothing.

    :param titles: title of every rule that was applied, by id.
    :param pictures: add the network and the racks, for forms that can show them.
    """
    landscape = view.landscape
    counts = count(findings)
    quiet = sorted(set(titles) - {finding.rule for finding in findings})
    folder = _common_folder(findings)
    open_findings = tuple(_row(finding, folder) for finding in findings if not finding.waived)
    waived = tuple((f.rule, f.object, f.message, f.waived) for f in findings if f.waived)
    tables = [Table("Findings", _COLUMNS, open_findings, "" if open_findings else "Nothing to report.")]
    if waived:
        tables.append(Table("Waived", ("Rule", "Object", "What", "Reason"), waived, "Looked at and accepted."))
    if pictures:
        tables += _pictures(view, findings)
    facts: tuple[tuple[str, str], ...] = (
        ("Hosts", str(len(landscape.hosts))),
        ("Switches", str(len(landscape.switches))),
        ("Cables", str(len(landscape.cables))),
        ("Networks", str(len(landscape.networks))),
        *(
            (f"{severity.capitalize()}s" if severity != "info" else "Infos", str(counts[severity]))
            for severity in reversed(SEVERITIES)
        ),
        ("Waived", str(counts["waived"])),
    )
    cases = [_case(finding, titles) for finding in findings] + [Case(rule, titles[rule]) for rule in quiet]
    title = f"Landscape {landscape.title}" if landscape.title else "Landscape"
    return Report(f"{title}: validation", facts, tuple(tables), tuple(cases))


def _pictures(view: View, findings: list[Finding]) -> list[Table]:
    files = build.pages(view, findings, Options(include=("topology", "racks")))
    names = [name for name in files if name.endswith(".svg")][:PICTURE_LIMIT]
    return [Table(name[:-4].replace("racks/", "rack ").capitalize(), svg=files[name]) for name in names]


def _common_folder(findings: list[Finding]) -> str:
    """The folder that all places have in common; cut off, so that reports read the same wherever they were made."""
    folders = {posixpath.dirname(finding.place.file) for finding in findings}
    if not folders or len({posixpath.isabs(folder) for folder in folders}) > 1:
        return ""
    return posixpath.commonpath(sorted(folders))


def _row(finding: Finding, folder: str) -> tuple[str, ...]:
    place = str(finding.place)
    if folder and place.startswith(folder + "/"):
        place = place[len(folder) + 1 :]
    place = f"{place} ({finding.origin})" if finding.origin else place
    return (finding.severity, finding.rule, finding.object, finding.message, place, finding.hint)


def _case(finding: Finding, titles: dict[str, str]) -> Case:
    status = "skipped" if finding.waived else _STATUS[finding.severity]
    message = f"waived: {finding.waived}" if finding.waived else str(finding)
    return Case(finding.rule, f"{titles.get(finding.rule, finding.rule)}: {finding.object}", status, message)


def failure(findings: list[Finding], limit: int = 20) -> str:
    """The message of a task that fails on findings: how many, and the first of them; empty when there is none."""
    if not findings:
        return ""
    shown = [str(finding) for finding in findings[:limit]]
    if len(findings) > limit:
        shown.append(f"... and {len(findings) - limit} more, all of them in the result under findings")
    return f"{len(findings)} finding{'s' if len(findings) > 1 else ''} in the landscape\n" + "\n".join(shown)


def warnings(findings: list[Finding], limit: int = 5) -> list[str]:
    """The first findings as warnings, one each, and how many more there are."""
    shown = [f"landscape: {finding}" for finding in findings[:limit]]
    if len(findings) > limit:
        more = len(findings) - limit
        shown.append(f"landscape: {more} more findings like these; scs.landscape.landscape_validate lists all of them")
    return shown
