# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The catalogue of rules.

A rule is declared once, with its id, severity and the reason it exists; the reference page docs/rules.md is made from
the declarations. Ids are stable: a waiver written today means the same rule in ten years.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable

from ..finding import Finding, Place
from ..model import Item
from .index import Index

Check = Callable[["Rule", Index], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong with a landscape.

    :param severity: ``error``: would break, or contradicts; ``warning``: probably wrong; ``info``: worth knowing. The
        severity of most of its findings; one that weighs less says so itself.
    :param why: what goes wrong where the rule is broken.
    :param source: the standard, or the incident, that the rule comes from.
    :param hint: what to do, unless the finding knows better.
    """

    id: str
    severity: str
    title: str
    why: str
    source: str
    hint: str

    def finding(self, item: Item, field: str, message: str, *, place: Place | None = None, **more: Any) -> Finding:
        """A finding about one field of an object; ``found`` and ``expected`` are given as they are written."""
        more.setdefault("severity", self.severity)
        more.setdefault("hint", self.hint)
        more.setdefault("origin", getattr(item, "origin", ""))
        texts = {key: "" if value is None else str(value) for key, value in more.items()}
        return Finding(
            rule=self.id, object=item.ref, message=message, place=place or item.place(field), field=field, **texts
        )


#: All rules by id, in the order of the catalogue.
RULES: dict[str, Rule] = {}
_CHECKS: list[tuple[Rule, Check]] = []


def declare(id: str, severity: str, title: str, *, why: str, source: str, hint: str = "") -> Rule:
    """Adds a rule to the catalogue. Its findings are raised elsewhere (reading, waivers) or by a check.

    :raises ValueError: the id is taken.
    """
    if id in RULES:
        raise ValueError(f"rule {id} is declared twice")
    RULES[id] = Rule(id, severity, title, why, source, hint)
    return RULES[id]


def rule(id: str, severity: str, title: str, *, why: str, source: str, hint: str = "") -> Callable[[Check], Check]:
    """Declares a rule and registers the decorated function as its check.

    The function gets the rule and an :class:`.index.Index` and yields findings in the order of the landscape.
    """
    declared = declare(id, severity, title, why=why, source=source, hint=hint)

    def register(check: Check) -> Check:
        _CHECKS.append((declared, check))
        return check

    return register


def run(index: Index) -> Iterator[Finding]:
    """The findings of all checks, rule by rule."""
    for declared, check in _CHECKS:
        yield from check(declared, index)
