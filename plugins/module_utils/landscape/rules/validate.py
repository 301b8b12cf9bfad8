# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Runs all rules over a landscape and applies the waivers."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Sequence

from ..decode import nearest
from ..derive import View
from ..finding import SEVERITIES, Finding
from ..model import DEVICE_SECTIONS, Landscape, Waiver
from ..names import matches
from ..observed import Observed
from . import (
    addresses,
    cables,
    consistency,
    derived,
    environments,
    groups,
    links,
    models,
    naming,
    observed_links,
    observed_rules,
    reading,
    references,
    routing,
    secrets,
    space,
)
from .index import Index, grouped
from .registry import RULES, Rule, declare, run

#: All files of rules: importing a file registers its rules.
RULE_FILES = (
    addresses,
    cables,
    consistency,
    derived,
    environments,
    groups,
    links,
    models,
    naming,
    observed_links,
    observed_rules,
    reading,
    references,
    routing,
    secrets,
    space,
)

W01 = declare(
    "W01",
    "warning",
    "A waiver has expired",
    why="What was accepted for a time is accepted no longer; its findings count again.",
    source="The waiver's own last day",
    hint="mend the cause and remove the waiver, or give it a new day",
)
W02 = declare(
    "W02",
    "warning",
    "A waiver matches nothing",
    why="A waiver that outlives its finding hides the next one of the same kind.",
    source="Practice of linters: unused suppressions are reported",
    hint="remove the waiver",
)


def check(
    view: View, findings: Iterable[Finding], observed: Sequence[Observed] = (), *, today: datetime.date | None = None
) -> list[Finding]:
    """Everything that is to be said about a landscape, the worst first.

    :param findings: what reading the landscape and the observed facts found.
    :param observed: facts from other sources, compared with the landscape (rules O01 to O10).
    :param today: the day on which waivers are judged; the day of the call when absent.
    :returns: all findings; those accepted by a waiver carry its reason in ``waived``.
    """
    found = [*findings, *run(Index(view, observed))]
    found = _waive(found, view.landscape, bool(observed), (today or datetime.date.today()).isoformat())
    return sorted(dict.fromkeys(found), key=lambda finding: finding.sort_key)


def catalogue() -> list[Rule]:
    """All rules, sorted by id."""
    return [RULES[name] for name in sorted(RULES)]


def unwaived(findings: Iterable[Finding], at_least: str = "error") -> list[Finding]:
    """The findings that count: not waived, and at least as bad as the given severity."""
    least = SEVERITIES.index(at_least)
    return [finding for finding in findings if not finding.waived and SEVERITIES.index(finding.severity) >= least]


def _waive(findings: list[Finding], landscape: Landscape, with_observed: bool, today: str) -> list[Finding]:
    used: set[int] = set()
    numbered = enumerate(landscape.waivers)
    by_rule = grouped((waiver.rule, (number, waiver)) for number, waiver in numbered if waiver.expires >= today)
    result = [_judged(finding, by_rule.get(finding.rule, []), used) for finding in findings]
    for number, waiver in enumerate(landscape.waivers):
        if not waiver.rule or not waiver.object or not waiver.expires:
            continue
        name = f"{waiver.rule} on {waiver.object}"
        if waiver.expires < today:
            message = f"the waiver of {name} expired on {waiver.expires}"
            result.append(W01.finding(waiver, "expires", message, found=waiver.expires))
        elif waiver.rule not in RULES:
            hint = nearest(waiver.rule, RULES) or "docs/rules.md lists all rules"
            message = f"the waiver of {name} names a rule that does not exist"
            result.append(W02.finding(waiver, "rule", message, hint=hint))
        elif number not in used and (with_observed or not _may_match_later(waiver, landscape)):
            result.append(W02.finding(waiver, "object", f"the waiver of {name} matches no finding"))
    return result


def _may_match_later(waiver: Waiver, landscape: Landscape) -> bool:
    """Whether a waiver of an O rule can match once observed facts are given: its object is there, or is an observed one."""
    if not waiver.rule.startswith("O"):
        return False
    if waiver.object.startswith(("devices/", "networks/", "mentions", "*")):
        return True
    return any(
        matches(waiver.object, f"{section}/{name}")
        for section in DEVICE_SECTIONS
        for name in getattr(landscape, section)
    )


def _judged(finding: Finding, waivers: Sequence[tuple[int, Waiver]], used: set[int]) -> Finding:
    last: Waiver | None = None
    for number, waiver in waivers:
        if matches(waiver.object, finding.object):
            used.add(number)
            last = waiver
    return dataclasses.replace(finding, waived=last.reason or "no reason given") if last else finding
