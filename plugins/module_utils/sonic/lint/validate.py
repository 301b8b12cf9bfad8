# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Runs all rules over one or more switches, and applies what was looked at and accepted."""

from __future__ import annotations

import dataclasses
import datetime
import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import InputError
from .. import masking
from ..model import SEVERITIES, Issue
from . import addresses, bgp, form, links, management, overlay, policy, port_rules, releases
from .index import Fabric
from .registry import RULES, Rule, declare, run

#: All files of rules: importing a file registers its rules.
RULE_FILES = (addresses, bgp, form, links, management, overlay, policy, port_rules, releases)

SL901 = declare(
    "SL901",
    "warning",
    "What was expected is not found",
    why="An expectation that outlives its finding hides the next one of the same kind.",
    source="Practice of linters: unused suppressions are reported",
    hint="remove the entry",
)
SY001 = declare(
    "SY001",
    "error",
    "The YANG models refuse a value",
    why="The generic config updater refuses every change of the switch, and config reload the whole file.",
    source="YANG models of the release, judged by libyang",
    hint="mend the value; the message is libyang's own",
)
SY002 = declare(
    "SY002",
    "warning",
    "No model has the table",
    why="config reload refuses the file from 202505 on, the generic config updater always.",
    source="YANG models of the release",
    hint="remove the table, or convert the configuration",
)
SY003 = declare(
    "SY003",
    "error",
    "No model judged the configuration",
    why="It was asked for, and a check that was not made is no check that was passed.",
    source="VERSIONS of the configuration; images of vendors count their databases in another way",
    hint="say which release with the option release, leave yang out of checks, or accept it as an expected finding",
)


@dataclass(frozen=True)
class Expected:
    """Findings that were looked at and accepted.

    ``rule`` is an id; ``switch``, ``table``, ``key`` and ``field`` may hold ``*``; ``reason`` is a sentence.

    :param expires: the last day, ``YYYY-MM-DD``; empty for ever.
    """

    rule: str
    reason: str
    switch: str = "*"
    table: str = "*"
    key: str = "*"
    field: str = "*"
    expires: str = ""

    def matches(self, issue: Issue) -> bool:
        """Whether a finding is meant."""
        pairs = (
            (self.switch, issue.switch),
            (self.table, issue.table),
            (self.key, issue.key),
            (self.field, issue.field),
        )
        return self.rule == issue.rule and all(_like(pattern, value) for pattern, value in pairs)


def _like(pattern: str, value: str) -> bool:
    """``*`` stands for anything; brackets, which keys may hold, stand for themselves."""
    return pattern == value or fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def expectations(entries: Iterable[Any]) -> list[Expected]:
    """Expectations as they are written in a file.

    :raises InputError: for an entry without rule or reason, with an unknown key, an unknown rule, or a wrong day.
    """
    names = {each.name for each in dataclasses.fields(Expected)}
    found = []
    for count, entry in enumerate(entries, 1):
        where = f"Entry {count} of the expected findings"
        if not isinstance(entry, Mapping) or set(entry) - names or not all(isinstance(v, str) for v in entry.values()):
            raise InputError(f"{where} is not of the right form", hint=f"It has texts under {', '.join(sorted(names))}")
        if not entry.get("rule") or len(str(entry.get("reason", "")).split()) < 3:
            raise InputError(f"{where} needs a rule and a reason in a sentence")
        if entry["rule"] not in RULES:
            raise InputError(
                f"{where} names the rule {entry['rule']}, which does not exist", hint="See docs/sonic-rules.md"
            )
        try:
            datetime.date.fromisoformat(entry.get("expires") or "2000-01-01")
        except ValueError as error:
            raise InputError(f"{where} expires on {entry['expires']}, which is no day") from error
        found.append(Expected(**entry))
    return found


def check(
    fabric: Fabric, known: Iterable[Issue] = (), *, expected: Iterable[Expected] = (), today: str = ""
) -> list[Issue]:
    """Everything that is to be said about a fabric, by switch, the worst first.

    :param known: what reading and the models found. Where they named a place, rules that say the same keep quiet.
    :param expected: what was looked at and accepted; such findings carry the reason in ``waived``.
    :param today: the day on which that is judged, ``YYYY-MM-DD``; the day of the call when empty.
    """
    found = list(known)
    told = {(issue.switch, *issue.where) for issue in found}
    rows = {(issue.switch, issue.table, issue.key) for issue in found if not issue.field}
    for issue in run(fabric):
        again = (issue.switch, *issue.where) in told or (issue.switch, issue.table, issue.key) in rows
        if not (again and RULES[issue.rule].in_models):
            found.append(issue)
    found = _accept(found, list(expected), today or datetime.date.today().isoformat())
    return sorted(dict.fromkeys(found), key=lambda issue: issue.sort_key)


def _accept(found: list[Issue], expected: list[Expected], today: str) -> list[Issue]:
    valid = [entry for entry in expected if not entry.expires or entry.expires >= today]
    by_rule: dict[str, list[Expected]] = {}
    for entry in valid:
        by_rule.setdefault(entry.rule, []).append(entry)
    used: set[Expected] = set()
    result = []
    for issue in found:
        entries = [entry for entry in by_rule.get(issue.rule, ()) if entry.matches(issue)]
        used.update(entries)
        result.append(dataclasses.replace(issue, waived=entries[0].reason) if entries else issue)
    for entry in expected:
        if entry not in used:
            gone = "has expired" if entry not in valid else "matches nothing"
            switch = "" if "*" in entry.switch else entry.switch
            key = masking.key(entry.table, entry.key) if "*" not in entry.key else entry.key
            message = f"the expected finding {entry.rule} on {entry.table} {key} {entry.field} {gone}"
            result.append(SL901.issue(switch, "" if "*" in entry.table else entry.table, "", "", message))
    return result


def catalogue() -> list[Rule]:
    """All rules, sorted by id."""
    return [RULES[name] for name in sorted(RULES)]


def unwaived(issues: Iterable[Issue], at_least: str = "error") -> list[Issue]:
    """The findings that count: not accepted, and at least as bad as the given severity."""
    least = SEVERITIES.index(at_least)
    return [issue for issue in issues if not issue.waived and SEVERITIES.index(issue.severity) >= least]
