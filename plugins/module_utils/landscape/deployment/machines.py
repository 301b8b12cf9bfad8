# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a run did, machine by machine: read from what its tasks returned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.redact import redact
from ..derive import View
from ..names import natural
from ..reasons import reason_of

OK, CHANGED, PENDING, FAILED, UNREACHABLE, UNKNOWN = (
    "as written",
    "changed",
    "would change",
    "failed",
    "unreachable",
    "not asked",
)
#: From harmless to serious.
STATES = (OK, CHANGED, PENDING, UNKNOWN, FAILED, UNREACHABLE)
BROKEN = (FAILED, UNREACHABLE)


@dataclass(frozen=True)
class Machine:
    """One machine in one run.

    :param state: one of :data:`STATES`.
    :param stage: where it failed.
    :param reason: why, in one sentence.
    :param steps: what was (or would be) done: action, object, impact.
    :param warnings: what did not stop the run and still wants to be known.
    :param seconds: time its modules took, as far as they said so.
    :param checkpoint: what leads back to how it was before the run; empty when it is as it was.
    """

    name: str
    state: str
    stage: str = ""
    reason: str = ""
    steps: tuple[tuple[str, str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float | None = None
    checkpoint: str = ""

    @property
    def summary(self) -> str:
        """What is said about it in a table."""
        if self.reason:
            return f"{self.stage}: {self.reason}" if self.stage else self.reason
        if self.steps:
            return (
                f"{len(self.steps)} step{'s' if len(self.steps) > 1 else ''}: "
                + ", ".join(f"{action} {what}" for action, what, _impact in self.steps[:3])
                + (f" and {len(self.steps) - 3} more" if len(self.steps) > 3 else "")
            )
        return ""


def machines_of(
    results: Mapping[str, Mapping[str, Any]], alive: list[str], *, predicted: bool = False
) -> list[Machine]:
    """The machines of a run, in natural order.

    :param results: by machine: ``failure`` (``stage``, ``message``) when a stage failed, and what tasks returned under any
        other key.
    :param alive: machines that were still in the play at its end; others stopped answering on the way.
    :param predicted: the run was meant to change nothing, so what it says changed would change.
    """
    return [
        _machine(name, redact(dict(results[name])), name in alive, predicted) for name in sorted(results, key=natural)
    ]


def _machine(name: str, said: dict[str, Any], alive: bool, predicted: bool) -> Machine:
    failure = said.pop("failure", None)
    results = [result for result in said.values() if isinstance(result, Mapping) and not result.get("skipped")]
    steps = tuple(step for result in results for step in _steps(result))
    warnings = tuple(dict.fromkeys(text for result in results for text in _warnings(result)))
    times = [result["seconds"] for result in results if isinstance(result.get("seconds"), (int, float))]
    seconds = float(sum(times)) if times else None
    kept = "" if predicted else next(filter(None, map(_checkpoint, results)), "")
    if isinstance(failure, Mapping):
        stage = str(failure.get("stage", ""))
        state = UNREACHABLE if any(result.get("unreachable") for result in results) else FAILED
        return Machine(name, state, stage, reason_of(str(failure.get("message", ""))), (), warnings, seconds, kept)
    if not alive:
        return Machine(name, UNREACHABLE, "", "stopped answering during the run", (), warnings, seconds, kept)
    changed = any(result.get("changed") for result in results)
    state = (PENDING if predicted else CHANGED) if changed else OK
    return Machine(name, state, "", "", steps if changed else (), warnings, seconds, kept)


def _checkpoint(result: Mapping[str, Any]) -> str:
    """What a change kept before it began, unless it was taken back at once."""
    return str(result.get("checkpoint") or "") if result.get("changed") else ""


def _steps(result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    plan = result.get("plan")
    steps = plan.get("steps") if isinstance(plan, Mapping) else None
    return [
        (str(step.get("action", "")), str(step.get("object", "")), str(step.get("impact", "none")))
        for step in (steps if isinstance(steps, list) else ())
        if isinstance(step, Mapping)
    ]


def _warnings(result: Mapping[str, Any]) -> list[str]:
    findings = [
        str(finding.get("message", "")) + (f" ({finding['hint']})" if finding.get("hint") else "")
        for finding in result.get("findings") or ()
        if isinstance(finding, Mapping) and finding.get("severity") == "warning"
    ]
    return findings + [str(text) for text in result.get("warnings") or ()]


def place_of(view: View, name: str) -> tuple[str, str, str]:
    """Role, place and environment of a machine, as people say them."""
    resolved = view.devices.get(name)
    if resolved is None:
        return ("", "not in the landscape", "")
    device = resolved.device
    place = f"{device.rack}\u00a0u{device.unit:02d}" if device.rack and device.unit else device.rack
    return (device.role, place, device.environment)
