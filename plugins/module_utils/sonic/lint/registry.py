# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The catalogue of rules for switch configurations.

A rule is declared once; the page docs/sonic-rules.md is made from the declarations. Ids are stable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Callable

from ..model import Issue
from .index import Fabric, Switch

#: Yields the table, key, field and message of each finding; a longer form may add ``severity`` or ``hint``.
Found = tuple[str, str, str, str]
Check = Callable[[Switch], Iterator[Found]]
#: The same with the switch in front.
FabricFound = tuple[str, str, str, str, str]
FabricCheck = Callable[[Fabric], Iterator[FabricFound]]


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong.

    :param why: what goes wrong where the rule is broken.
    :param source: where that is known from.
    :param releases: the releases in which it was seen; empty for a contradiction in itself, true of every one.
    :param dialects: the dialects it is about; empty for all.
    :param in_models: the models say the same of most places; where they did, the rule keeps quiet.
    """

    id: str
    severity: str
    title: str
    why: str
    source: str
    hint: str
    releases: tuple[str, ...] = ()
    dialects: tuple[str, ...] = ()
    in_models: bool = False
    switch: Check | None = field(default=None, compare=False)
    fabric: FabricCheck | None = field(default=None, compare=False)

    def issue(self, switch: str, table: str, key: str, name: str, message: str) -> Issue:
        """A finding of this rule."""
        return Issue(self.id, self.severity, switch, table, key, name, message, self.hint, self.releases)


#: All rules by id.
RULES: dict[str, Rule] = {}


def _add(rule: Rule) -> Rule:
    if rule.id in RULES:
        raise ValueError(f"rule {rule.id} is declared twice")
    RULES[rule.id] = rule
    return rule


def rule(
    id: str, severity: str, title: str, *, why: str, source: str, hint: str, **more: Any
) -> Callable[[Check], Check]:
    """Declares a rule about one switch; the decorated function finds where it is broken."""

    def register(check: Check) -> Check:
        _add(Rule(id, severity, title, why, source, hint, switch=check, **more))
        return check

    return register


def fabric_rule(
    id: str, severity: str, title: str, *, why: str, source: str, hint: str, **more: Any
) -> Callable[[FabricCheck], FabricCheck]:
    """Declares a rule about several switches together."""

    def register(check: FabricCheck) -> FabricCheck:
        _add(Rule(id, severity, title, why, source, hint, fabric=check, **more))
        return check

    return register


def declare(id: str, severity: str, title: str, *, why: str, source: str, hint: str) -> Rule:
    """Declares a rule whose findings are raised elsewhere."""
    return _add(Rule(id, severity, title, why, source, hint))


def _applies(rule: Rule, switch: Switch) -> bool:
    dialect = not rule.dialects or switch.dialect in rule.dialects
    return dialect and (not rule.releases or not switch.release or switch.release in rule.releases)


def run(fabric: Fabric) -> Iterator[Issue]:
    """The findings of all rules."""
    for name in sorted(RULES):
        rule = RULES[name]
        if rule.switch:
            for switch in fabric.switches.values():
                if _applies(rule, switch):
                    yield from (rule.issue(switch.name, *found) for found in rule.switch(switch))
        if rule.fabric:
            for at, *found in rule.fabric(fabric):
                if _applies(rule, fabric.switches[at]):
                    yield rule.issue(at, *found)
