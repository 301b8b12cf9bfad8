# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Gates: a bounded wait for a condition, with a reason when it does not come true; clock and sleep are injected.

``look(left)`` reads reality, in at most ``left`` seconds, and judges it. A gate looks at least once and for the last time
at its deadline, never later.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Callable

from .units import format_seconds


@dataclass(frozen=True)
class Verdict:
    """What one look gave.

    :param reasons: why the condition does not hold, one sentence each, every one with the name of the object; none when
        it holds.
    :param final: waiting cannot help.
    :param key: what has to stay the same while a condition is watched for being stable, for example an epoch.
    """

    reasons: tuple[str, ...] = ()
    final: bool = False
    key: Any = None

    @property
    def passed(self) -> bool:
        """Whether the condition holds."""
        return not self.reasons


@dataclass(frozen=True)
class Limits:
    """All in seconds: how long a gate waits, the pause between two looks, how long the condition has to hold."""

    within: float = 300.0
    every: float = 5.0
    stable: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """How a wait ended.

    :param reasons: of the last look, and why it was not enough.
    :param waited: seconds from the first look on.
    """

    passed: bool
    reasons: tuple[str, ...]
    waited: float
    looks: int

    @property
    def said(self) -> str:
        """One sentence."""
        after = f"after {format_seconds(self.waited)} and {self.looks} look{'' if self.looks == 1 else 's'}"
        return f"passed {after}" if self.passed else f"{'; '.join(self.reasons)} ({after})"

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "passed": self.passed,
            "reasons": list(self.reasons),
            "waited": round(self.waited, 1),
            "looks": self.looks,
        }


#: Is told every look: the verdict, and the seconds waited so far.
Progress = Callable[[Verdict, float], None]


def wait(
    look: Callable[[float], Verdict],
    limits: Limits,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    progress: Progress | None = None,
) -> Outcome:
    """Look again and again until the condition holds, has held long enough, cannot come true, or time is over.

    Whatever ``look`` raises ends the wait.
    """
    began = clock()
    deadline = began + limits.within
    holds_since, key, looks = 0.0, None, 0
    while True:
        verdict = look(max(deadline - clock(), 0.0))
        looks += 1
        now = clock()
        if progress is not None:
            progress(verdict, now - began)
        if not verdict.passed or key is None or key[0] != verdict.key:
            holds_since = now
        key = (verdict.key,) if verdict.passed else None
        stable = verdict.passed and now - holds_since >= limits.stable
        if stable or verdict.final or now >= deadline:
            reasons = verdict.reasons
            if verdict.passed and not stable:
                held = format_seconds(now - holds_since)
                reasons = (f"it has held for {held} only, not for {format_seconds(limits.stable)}",)
            return Outcome(stable, () if stable else reasons, now - began, looks)
        sleep(min(limits.every, deadline - now))
