# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Objects that are asked for once, also when an answer is lost, and waited for."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any, Callable

from ..core.errors import LandscapeError
from ..core.stream import Stopped
from .model import CloudError, is_unclear

#: Seconds in which a creation whose answer was lost shows up, and between two looks for it.
_APPEARS, _LOOK = 20.0, 2.0


class Making:
    """Makes objects and waits for them; safe to use from many threads.

    :param cloud: :class:`.client.Cloud`.
    :param patience: seconds that one object may take.
    :param stop: set when the run ends; then nothing more is begun, and nobody waits any longer.
    """

    def __init__(
        self,
        cloud: Any,
        *,
        patience: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.cloud, self.patience, self.clock = cloud, patience, clock
        self.stop = stop or threading.Event()
        self._sleep = sleep or self.stop.wait

    def go_on(self) -> None:
        """Returns while the run goes on.

        :raises Stopped: it ends.
        """
        if self.stop.is_set():
            raise Stopped(
                "The work was given up, because the run ends", hint="The next run finishes what this one began"
            )

    def sleep(self, seconds: float) -> None:
        """Sleeps, no longer than the run goes on.

        :raises Stopped: it ends.
        """
        self._sleep(seconds)
        self.go_on()

    def post(self, service: str, path: str, body: Any, version: str | None = None) -> Any:
        """What a creation answers; it is asked for once."""
        self.go_on()
        return self.cloud.call(service, "POST", path, json=body, microversion=version, repeat=False).body

    def once(self, post: Callable[[], Any], there: Callable[[], Any]) -> Any:
        """What a creation gives, also when its answer is lost; it is not asked for twice as long as it may still come.

        :param there: looks for what was made; gives what ``post`` gives, or nothing.
        """
        for attempt in (0, 1):
            try:
                return post()
            except CloudError as error:
                if not is_unclear(error):
                    raise
                end = self.clock() + _APPEARS
                while self.clock() < end:
                    found = there()
                    if found:
                        return found
                    self.sleep(_LOOK)
                if attempt:
                    raise
        raise AssertionError("unreachable")

    def wait_for(self, service: str, kind: str, identifier: str, states: tuple[str, ...], name: str) -> dict[str, Any]:
        """An object, once it is in one of some states.

        :param kind: word of the service for it: ``volume``, ``server``.
        :raises LandscapeError: it failed, or took too long.
        :raises Stopped: the run ends.
        """
        end, pause = self.clock() + self.patience, 0.3
        while True:
            self.go_on()
            found: dict[str, Any] = self.cloud.get(service, f"/{kind}s/{identifier}")[kind]
            state = str(found["status"])
            if state in states:
                return found
            if state.lower().startswith("error"):
                why = (found.get("fault") or {}).get("message") or "see the log of the service"
                raise LandscapeError(
                    f"{kind} {name} ({identifier}) is {state}: {why}", hint="Delete it and start again"
                )
            if self.clock() + pause > end:
                raise LandscapeError(f"{kind} {name} ({identifier}) is {state} after {self.patience:.0f} s")
            self.sleep(pause)
            pause = min(pause * 1.5, 10.0)


class Writes:
    """A cloud, and how often it was made to change something.

    A request whose answer was lost counts: who asks whether something was changed must not be told no.

    :param cloud: :class:`.client.Cloud`.
    """

    def __init__(self, cloud: Any) -> None:
        self._cloud, self.count = cloud, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    def call(self, service: str, method: str, path: str, **more: Any) -> Any:
        """As the client's."""
        writes = method not in ("GET", "HEAD")
        try:
            answer = self._cloud.call(service, method, path, **more)
        except LandscapeError as error:
            refused = isinstance(error, CloudError) and not is_unclear(error)
            self.count += writes and not refused
            raise
        self.count += writes and answer.status < 300
        return answer

    @contextlib.contextmanager
    def told(self, done: Callable[[], int]) -> Iterator[None]:
        """An error of the block says what was done before it: ``changed`` and ``steps_done`` in its details.

        :param done: how many steps were carried out.
        """
        before = self.count
        try:
            yield
        except LandscapeError as error:
            error.details = {"changed": self.count > before, "steps_done": done(), **error.details}
            raise
