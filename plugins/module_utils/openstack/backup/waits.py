# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Waits with an end: for something to be as wanted, with growing pauses, until the time is over or the run is stopped."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable

from ...core.errors import LandscapeError
from ...core.retry import Backoff

_BACKOFF = Backoff(first=1.0, longest=15.0)


class Waits:
    """How a run waits.

    :ivar stop: set when the run is interrupted; whoever waits ends then.
    :param sleep: for tests; by default a stop ends a pause early.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] | None = None
    ) -> None:
        self.stop = threading.Event()
        self.clock = clock
        self._sleep = sleep or self.stop.wait
        self._rest = sleep or time.sleep

    def sleep(self, seconds: float) -> None:
        """A pause that a stop ends early, and silently."""
        self._sleep(seconds)

    def rest(self, seconds: float) -> None:
        """A pause that nothing ends early: for what still asks a service after a stop."""
        self._rest(seconds)

    def pause(self, attempt: int, at_most: float = 60.0) -> None:
        """The pause after look number ``attempt``, from 0.

        :raises LandscapeError: the run was interrupted.
        """
        self.sleep(min(at_most, _BACKOFF.pause(attempt, 1.0)))
        if self.stop.is_set():
            raise LandscapeError("the run was interrupted", hint="Start it again: it goes on where it stopped")

    def until(
        self, ask: Callable[[], Any], enough: Callable[[Any], bool], within: float, late: Callable[[Any], str]
    ) -> Any:
        """What is there once it is as wanted.

        :param within: seconds.
        :param late: what to say about what is there instead.
        :raises LandscapeError: it is not in time.
        """
        began, attempt = self.clock(), 0
        while True:
            found = ask()
            if enough(found):
                return found
            left = within - (self.clock() - began)
            if left <= 0:
                hint = "The next start of this run goes on where this one stopped"
                raise LandscapeError(f"{late(found)} after {within:.0f} s", hint=hint)
            self.pause(attempt, left)
            attempt += 1
