# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Retries with a growing, jittered pause and a bounded total; clock, sleep and chance are injected for tests."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Callable, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Backoff:
    """How long to wait between attempts, in seconds.

    The pause doubles from ``first`` up to ``longest``; each is drawn between half of it and all of it, so that many
    clients do not come back at the same moment. No attempt starts later than ``within`` seconds after the first one.
    """

    first: float = 0.5
    longest: float = 15.0
    within: float = 60.0

    def pause(self, attempt: int, chance: float) -> float:
        """The pause after failed attempt number ``attempt`` (from 0); ``chance`` is drawn from 0 to 1."""
        whole = min(self.longest, self.first * 2.0 ** min(attempt, 60))
        return whole * (0.5 + chance / 2)


def retry(
    operation: Callable[[], T],
    *,
    on: tuple[type[Exception], ...],
    backoff: Backoff,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    chance: Callable[[], float] = random.random,
) -> T:
    """The result of ``operation``, tried again while it raises one of ``on``.

    :raises Exception: the last error, once another attempt would start too late.
    """
    deadline = clock() + backoff.within
    attempt = 0
    while True:
        try:
            return operation()
        except on:
            pause = backoff.pause(attempt, chance())
            if clock() + pause > deadline:
                raise
        sleep(pause)
        attempt += 1
