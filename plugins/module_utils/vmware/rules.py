# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What stands in the way of a VM that is to become a server of OpenStack, as rules with ids. Pure.

The list started from what the field's tools check before a migration (forklift's policies, virt-v2v's input guide) and from what
their users lost. An error is in the way, a warning changes something that its owner may miss, an information is only said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..core.errors import InputError
from . import device_rules, machine_rules
from .finding import ERROR, NOTHING_SAID, SEVERITIES, Finding, Limits, Rule
from .model import Vm

#: All rules, those of the VM as a whole first.
RULES: tuple[Rule, ...] = (*machine_rules.RULES, *device_rules.RULES)


def findings(vm: Vm, limits: Limits = NOTHING_SAID, ignore: Sequence[str] = ()) -> list[Finding]:
    """What there is to say of a VM, errors first.

    :param ignore: ids of rules, or ``id@key`` for one disk or network card alone.
    :raises InputError: no rule has such an id, or it cannot be ignored.
    """
    _checked(ignore)
    found = []
    for rule in RULES:
        for said in rule.check(vm, limits):
            place = said.disk or said.nic
            names = {rule.id, f"{rule.id}@{place.key}" if place else rule.id}
            found.append(Finding(rule, vm, said, bool(names & set(ignore))))
    return sorted(found, key=lambda one: SEVERITIES.index(one.rule.severity))


def _checked(ignore: Iterable[str]) -> None:
    known = {rule.id: rule for rule in RULES}
    for text in ignore:
        name = text.partition("@")[0]
        if name not in known:
            raise InputError(f"ignore names {name!r}, which is no rule", hint=f"There are {', '.join(sorted(known))}")
        if known[name].final:
            raise InputError(f"ignore names {name}, which cannot be ignored", hint=known[name].fix)


def is_migratable(found: Iterable[Finding]) -> bool:
    """Whether no error is left that nobody ignores."""
    return not any(one.rule.severity == ERROR and not one.ignored for one in found)


def blockers(found: Iterable[Finding]) -> list[str]:
    """Ids of the errors that are left, each once."""
    return sorted({one.rule.id for one in found if one.rule.severity == ERROR and not one.ignored})


def limits_of(target: Mapping[str, Any] | None) -> Limits:
    """The limits from a module's option."""
    return Limits(**{name: value for name, value in (target or {}).items() if value is not None})
