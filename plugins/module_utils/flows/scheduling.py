# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which of many jobs begins next, when places (hosts, datastores, converters) bear only so many at once. Pure.

Jobs begin in their order. One whose place is full lets those behind it pass, but keeps one slot of each of its other places
free for itself; so nothing waits longer than for what ran before it, and nothing stands idle for the sake of the whole queue.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar


class Placed(Protocol):
    """A job that takes one slot of each of its places while it runs."""

    @property
    def places(self) -> Sequence[Hashable]:
        """Names of places; those without a limit do no harm."""


J = TypeVar("J", bound=Placed)


@dataclass(frozen=True)
class Room:
    """How many jobs each place bears; a place that is not named bears any number.

    :param total: of all jobs together, 0 is any number.
    """

    slots: Mapping[Hashable, int]
    total: int = 0

    def startable(self, waiting: Sequence[J], running: Sequence[J]) -> list[J]:
        """The jobs to begin now, in their order."""
        taken: dict[Hashable, int] = {}
        for job in running:
            _take(taken, job)
        count, begun, held = len(running), [], False
        for job in waiting:
            if self.total and count >= self.total:
                break
            if self._fits(job, taken):
                _take(taken, job)
                count += 1
                begun.append(job)
            elif not held:
                # The first one that cannot begin: what is free of its places stays free for it.
                _take(taken, job)
                held = True
        return begun

    def _fits(self, job: J, taken: Mapping[Hashable, int]) -> bool:
        return all(taken.get(place, 0) < self.slots.get(place, 1 << 30) for place in set(job.places))


def _take(taken: dict[Hashable, int], job: Placed) -> None:
    for place in set(job.places):
        taken[place] = taken.get(place, 0) + 1
