# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Many things at once, a bounded number at a time, one failure not ending the others."""

from __future__ import annotations

import concurrent.futures
import threading
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Callable, Generic, Protocol, TypeVar

from .errors import LandscapeError

T = TypeVar("T")


class Waiting(Protocol):
    """What lets threads wait for somebody else, such as the client of a service."""

    def cut(self) -> None:
        """Lets go who waits."""


_WAITING: weakref.WeakSet[Any] = weakref.WeakSet()


def cut_when_interrupted(one: Waiting) -> None:
    """When work is interrupted (Ctrl-C), nobody waits for this any more, as long as it lives."""
    _WAITING.add(one)


@dataclass
class Outcome(Generic[T]):
    """What became of one item: a value, or an error."""

    item: T
    value: Any = None
    error: LandscapeError | None = None


def _work_on(outcome: Outcome[T], work: Callable[[T], Any]) -> None:
    try:
        outcome.value = work(outcome.item)
    except LandscapeError as error:
        outcome.error = error


def _end(executor: concurrent.futures.Executor, stop: threading.Event | None) -> None:
    """Interrupted: what waits never starts, what runs looks at this between two pieces."""
    if stop is not None:
        stop.set()
    executor.shutdown(wait=False, cancel_futures=True)


def each(
    items: Iterable[T],
    work: Callable[[T], Any],
    limit: int,
    *,
    tick: Callable[[], None] = lambda: None,
    every: float = 10.0,
    stop: threading.Event | None = None,
) -> list[Outcome[T]]:
    """The outcome of every item, in the order of the items.

    :param limit: how many are worked on at once.
    :param tick: called in the caller's thread every ``every`` seconds while work is under way: progress.
    :param stop: set when the caller is interrupted, or ``work`` has a defect; work that looks at it ends early.
    :raises Exception: what is no ``LandscapeError`` is a defect, and is raised once nothing is under way any more.
    """
    outcomes: list[Outcome[T]] = [Outcome(item) for item in items]
    with concurrent.futures.ThreadPoolExecutor(max(1, min(limit, len(outcomes)))) as executor:
        pending = {executor.submit(_work_on, outcome, work) for outcome in outcomes}
        try:
            while pending:
                done, pending = concurrent.futures.wait(pending, every, concurrent.futures.FIRST_EXCEPTION)
                for future in done:
                    future.result()
                if pending and not done:
                    tick()
        except (KeyboardInterrupt, SystemExit):
            _end(executor, stop)  # first: who is let go looks at it
            for one in list(_WAITING):
                one.cut()
            raise
        finally:
            if pending:
                _end(executor, stop)
    return outcomes
