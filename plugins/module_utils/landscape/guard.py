# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The one confirmation of the house: ``landscape_confirm: "<environment> <plan digest>"``.

Whoever confirms has seen exactly this plan: when another machine joins, or a step changes, the digest changes. What is
protected is read from the landscape, never from the inventory or from which machines a run was limited to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import InputError
from ..core.plan import Impact
from .decode import nearest
from .model import Landscape
from .names import natural

#: Words people use for everything at once; no run may be meant for that.
EVERYTHING = ("all", "any", "everything", "*")
#: Where machines live that the landscape does not know.
NOWHERE = "unknown"


@dataclass(frozen=True)
class Gate:
    """What is asked for one environment.

    :param digest: twelve hexadecimal digits that name the plans of all its machines together.
    :param confirmation: what has to be passed; empty when nothing has to.
    """

    environment: str
    protected: bool
    impact: Impact
    digest: str
    hosts: tuple[str, ...]
    steps: int
    confirmation: str
    confirmed: bool

    @property
    def open(self) -> bool:
        """Whether the run may go on."""
        return not self.confirmation or self.confirmed

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "environment": self.environment,
            "protected": self.protected,
            "impact": self.impact.label,
            "digest": self.digest,
            "hosts": list(self.hosts),
            "steps": self.steps,
            "confirmation": self.confirmation,
            "confirmed": self.confirmed,
        }


def joined_digest(digests: Mapping[str, Iterable[str]]) -> str:
    """One digest for the plans of many machines; the order of machines does not matter, that of plans does."""
    lines = [" ".join((name, *digests[name])) for name in sorted(digests)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def check_environment(landscape: Landscape, environment: str) -> None:
    """Refuses an environment that is everything, or none of the landscape's.

    :raises InputError: see above; the message names what there is.
    """
    known = sorted(landscape.environments, key=natural)
    listed = "The landscape has " + (", ".join(known) or "no environments")
    if environment.strip().lower() in EVERYTHING:
        raise InputError(f"The environment {environment!r} stands for everything, and is refused", hint=listed)
    if environment not in landscape.environments:
        hint = nearest(environment, known) or listed
        raise InputError(f"The landscape has no environment {environment!r}", hint=hint)


def gates(landscape: Landscape, plans: Mapping[str, Any], confirm: Iterable[str] = ()) -> list[Gate]:
    """One gate for each environment that the plans change.

    :param plans: the plans of each machine, in the form of ``Plan.as_dict``, or results that hold one; empty plans do not
        count, nor do results of tasks that failed or were skipped.
    :param confirm: what the operator passed, one ``<environment> <digest>`` each.
    :raises InputError: a plan is none, or what was passed names everything or an environment that is not there.
    """
    given = [" ".join(text.split()) for text in confirm if text.strip()]
    for text in given:
        if text.split()[0] != NOWHERE:
            check_environment(landscape, text.split()[0])
    by_environment: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for name, listed in plans.items():
        found = [plan for plan in _plans_of(name, listed) if plan["steps"]]
        if found:
            device = landscape.devices.get(name)
            by_environment.setdefault(device.environment if device else NOWHERE, {})[name] = found
    return [
        _gate(landscape, environment, by_environment[environment], given)
        for environment in sorted(by_environment, key=natural)
    ]


def _plans_of(name: str, listed: Any) -> list[Mapping[str, Any]]:
    entries = list(listed.values()) if isinstance(listed, Mapping) else listed
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise InputError(f"The plans of {name} are no list of plans", hint="Pass what modules returned")
    plans = []
    for entry in entries:
        plan = entry.get("plan", {} if entry.get("failed") or entry.get("skipped") else entry)
        if plan or not (entry.get("failed") or entry.get("skipped")):
            plans.append(_checked(name, plan))
    return plans


def _checked(name: str, plan: Any) -> Mapping[str, Any]:
    if not isinstance(plan, Mapping) or not isinstance(plan.get("steps"), list) or not plan.get("digest"):
        raise InputError(f"A plan of {name} is none: it has no digest and no steps", hint="Pass what modules returned")
    return plan


def _gate(
    landscape: Landscape, environment: str, plans: Mapping[str, list[Mapping[str, Any]]], given: list[str]
) -> Gate:
    known = landscape.environments.get(environment)
    protected = known.protected if known else True
    impact = max(_impact(plan) for listed in plans.values() for plan in listed)
    digest = joined_digest({name: [str(plan["digest"]) for plan in listed] for name, listed in plans.items()})
    needed = protected or impact >= Impact.DESTROYED
    confirmation = f"{environment} {digest}" if needed else ""
    return Gate(
        environment=environment,
        protected=protected,
        impact=impact,
        digest=digest,
        hosts=tuple(sorted(plans, key=natural)),
        steps=sum(len(plan["steps"]) for listed in plans.values() for plan in listed),
        confirmation=confirmation,
        confirmed=confirmation in given,
    )


def _impact(plan: Mapping[str, Any]) -> Impact:
    """The impact a plan says it has; one that is not known counts as the worst."""
    try:
        return Impact[str(plan.get("impact", "none")).upper()]
    except KeyError:
        return Impact.DESTROYED


def demand(gates_: Iterable[Gate], given: Iterable[str] = ()) -> str:
    """What to pass, in words; empty when nothing is missing."""
    closed = [gate for gate in gates_ if not gate.open]
    if not closed:
        return ""
    reasons = [_reason(gate) for gate in closed]
    wanted = ", ".join(gate.confirmation for gate in closed)
    stale = [text for text in given if text.split() and text.split()[0] in {gate.environment for gate in closed}]
    old = f" What was passed ({', '.join(stale)}) belongs to another plan." if stale else ""
    return f"{' '.join(reasons)}{old} Nothing was changed. To go on, look at the plan (--check --diff) and pass: -e 'landscape_confirm=\"{wanted}\"'"


def _reason(gate: Gate) -> str:
    machines = f"{len(gate.hosts)} machine{'s' if len(gate.hosts) > 1 else ''}"
    shown = ", ".join(gate.hosts[:3]) + (f" and {len(gate.hosts) - 3} more" if len(gate.hosts) > 3 else "")
    why = "is protected" if gate.protected else "would lose something"
    steps = f"{gate.steps} step{'s' if gate.steps > 1 else ''}"
    return f"The environment {gate.environment} {why}, and {steps} on {machines} ({shown}) would change it."
