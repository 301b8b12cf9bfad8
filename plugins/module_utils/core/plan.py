# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Plans: what would be done, as data.

``plan(current, desired) -> Plan`` is pure. Check mode and ``--diff`` show the plan; a run executes the same object.
"""

from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any


class Impact(enum.IntEnum):
    """What the users of a thing notice while a step runs, from nothing to loss."""

    NONE = 0
    DEGRADED = 1
    INTERRUPTED = 2
    UNREACHABLE = 3
    DESTROYED = 4

    @property
    def label(self) -> str:
        """Lower-case name, as written in options and reports."""
        return self.name.lower()


@dataclass(frozen=True)
class Step:
    """One change to one object.

    :param action: a verb: ``create``, ``update``, ``delete``.
    :param object: what is changed, as people name it.
    :param before: state before, or ``None`` when there is nothing; redacted by whoever makes the step.
    :param after: state after, or ``None`` when nothing is left.
    :param undo: how it is undone, in one sentence.
    :param gate: the condition that is waited for in front of the step, in one sentence.
    :param payload: what the executor needs and nobody needs to read (file contents); not part of the digest, the
        digest covers ``before`` and ``after``.
    :param seal: stands for what ``before`` and ``after`` do not show because it is secret: another text for other
        secrets, from which none can be read. Part of the digest, never shown.
    """

    action: str
    object: str
    before: Any = None
    after: Any = None
    impact: Impact = Impact.NONE
    undo: str = ""
    gate: str = ""
    payload: Any = field(default=None, compare=False, repr=False)
    seal: str = field(default="", repr=False)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form without the payload."""
        data: dict[str, Any] = {"action": self.action, "object": self.object, "impact": self.impact.label}
        for key in ("before", "after", "undo", "gate"):
            value = getattr(self, key)
            if value not in (None, ""):
                data[key] = value
        return data


@dataclass(frozen=True)
class Plan:
    """Ordered steps."""

    steps: tuple[Step, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def impact(self) -> Impact:
        """The worst impact of any step."""
        return max((step.impact for step in self.steps), default=Impact.NONE)

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that name exactly these steps; what an operator confirms."""
        steps = [{**step.as_dict(), **({"seal": step.seal} if step.seal else {})} for step in self.steps]
        text = json.dumps(steps, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def diff(self) -> list[dict[str, str]]:
        """What Ansible shows with ``--diff``: each step with the state before and after, as JSON."""

        def text(state: Any) -> str:
            return "" if state is None else json.dumps(state, indent=1, sort_keys=True, default=str) + "\n"

        titles = [f"{step.object} ({step.action})" for step in self.steps]
        return [
            {"before_header": title, "after_header": title, "before": text(step.before), "after": text(step.after)}
            for title, step in zip(titles, self.steps)
        ]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form: digest, worst impact, steps."""
        return {"digest": self.digest, "impact": self.impact.label, "steps": [step.as_dict() for step in self.steps]}
