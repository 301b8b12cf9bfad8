# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Many disks on their way at once, within limits for each host, datastore and converter; the failure of one ends no other."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Callable

from ..core.errors import LandscapeError
from ..core.pool import Outcome
from ..core.stream import say
from ..core.units import format_bytes, format_seconds
from .copying import READING_BACK, Copied, Job, Progress, copy
from .scheduling import Room

#: Seconds after which is looked whether a disk has left its host while others wait for that.
_LOOK = 0.25
#: One disk: the job, how far it is, and what ends it.
Work = Callable[[Job, Progress, threading.Event], Copied]


def room_of(jobs: Sequence[Job], host: int, datastore: int = 0, converter: int = 0, total: int = 0) -> Room:
    """The same limit for every place of a kind; 0 is none."""
    limits = {"host": host, "datastore": datastore, "converter": converter}
    slots: dict[Hashable, int] = {place: limits[place[0]] for job in jobs for place in job.places if limits[place[0]]}
    return Room(slots, total)


def copy_all(
    jobs: Sequence[Job],
    room: Room,
    *,
    stop: threading.Event | None = None,
    every: float = 10.0,
    work: Work = copy,
    clock: Callable[[], float] = time.monotonic,
    title: str = "disks",
) -> list[Outcome[Job]]:
    """What became of every job, in their order: a :class:`Copied`, or an error.

    The largest begin first: the last one to end is then none that began late.

    :param every: seconds between two lines of progress.
    :param stop: set when the caller is interrupted; what is under way then ends between two pieces.
    """
    stop = stop or threading.Event()
    outcomes: list[Outcome[Job]] = [Outcome(job) for job in jobs]
    tracks = [Progress(total=job.size) for job in jobs]
    waiting = sorted((_Numbered(number, job) for number, job in enumerate(jobs)), key=lambda one: one.rank)
    running: dict[concurrent.futures.Future[None], _Numbered] = {}
    teller = _Teller(tracks, clock, title, every)

    def one(number: int) -> None:
        try:
            outcomes[number].value = work(jobs[number], tracks[number], stop)
        except LandscapeError as error:
            outcomes[number].error = error

    with concurrent.futures.ThreadPoolExecutor(max(1, len(jobs))) as executor:
        try:
            while waiting or running:
                for begun in room.startable(waiting, [each.held(tracks[each.number]) for each in running.values()]):
                    waiting.remove(begun)
                    running[executor.submit(one, begun.number)] = begun
                pause = min(every, _LOOK) if waiting else every
                for future in concurrent.futures.wait(running, pause, concurrent.futures.FIRST_COMPLETED).done:
                    running.pop(future)
                    future.result()  # what is no LandscapeError is a defect
                teller.tell()
        finally:
            if waiting or running:
                stop.set()
    return outcomes


class _Numbered:
    """A job by its number: two jobs may be equal."""

    def __init__(self, number: int, job: Job) -> None:
        self.number, self.job, self.places, self.rank = number, job, job.places, (-job.size, number)

    def held(self, progress: Progress) -> _Numbered:
        """The same with what it takes: what is read back at the target leaves its host and its datastore to others."""
        if progress.state != READING_BACK:
            return self
        left = _Numbered(self.number, self.job)
        left.places = tuple(place for place in self.places if place[0] == "converter")
        return left


class _Teller:
    """Says how far all of them are, at most once in a while."""

    def __init__(self, tracks: Sequence[Progress], clock: Callable[[], float], title: str, every: float) -> None:
        self._tracks, self._clock, self._title, self._every = tracks, clock, title, every
        self._began = self._said = clock()

    def tell(self) -> None:
        now = self._clock()
        if now - self._said >= self._every:
            self._said = now
            say(summary(self._title, self._tracks, now - self._began))


def summary(title: str, tracks: Sequence[Progress], seconds: float) -> str:
    """One line: how many disks, how many bytes, how fast, how long still."""
    total, done = sum(one.total for one in tracks), sum(one.done for one in tracks)
    moved = sum(one.done - one.begun for one in tracks)
    states = [one.state for one in tracks]
    rate = moved / max(seconds, 0.001)
    left = f", {format_seconds((total - done) / rate)} left" if rate and total > done else ""
    kinds = [
        f"{states.count(name)} {name}"
        for name in ("looking for zeroes", "copying", READING_BACK, "waiting", "failed")
        if name in states
    ]
    parts = ", ".join([f"{states.count('done')} of {len(tracks)} done", *kinds])
    return f"{title}: {parts}; {format_bytes(done)} of {format_bytes(total)}, {format_bytes(rate)}/s{left}"


def figures(outcomes: Sequence[Outcome[Job]], seconds: float) -> Mapping[str, Any]:
    """Sums over all disks that were copied."""
    copied = [one.value for one in outcomes if isinstance(one.value, Copied)]
    moved = sum(one.size - one.resumed for one in copied)
    return {
        "disks": len(copied),
        "size": sum(one.size for one in copied),
        "data": sum(one.data for one in copied),
        "zero": sum(one.zero for one in copied),
        "resumed": sum(one.resumed for one in copied),
        "seconds": round(seconds, 3),
        "rate": round(moved / max(seconds, 0.001)),
    }
