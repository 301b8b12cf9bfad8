# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Reading ahead of what is written, and going on where a source broke off."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Protocol

from ..core.errors import LandscapeError
from ..core.retry import Backoff
from ..core.stream import Stopped
from ..core.transfer import Piece, Source, in_order, with_holes

#: Bytes that are read ahead of what is written.
AHEAD = 8 * 1024 * 1024


class Restarts(Protocol):
    """Counts how often a source was asked to go on."""

    again: int


def look(stop: threading.Event) -> None:
    """Ends a run that is to end."""
    if stop.is_set():
        raise Stopped("The copy was given up, because the run ends")


class Ahead:
    """The pieces of a source with their holes, read by a thread of its own; closing it ends the thread."""

    def __init__(
        self,
        source: Source,
        begin: int,
        broken: tuple[type[LandscapeError], ...],
        progress: Restarts,
        stop: threading.Event,
        backoff: Backoff,
    ) -> None:
        self._source, self._place, self._broken, self._progress = source, begin, broken, progress
        self._stop, self._backoff = stop, backoff
        self._queue: deque[Piece] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._ended = False
        self._executor = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="reads-ahead")
        self._reading = self._executor.submit(self._run)

    def __iter__(self) -> Iterator[Piece]:
        while True:
            with self._changed:
                while not self._queue and not self._ended:
                    self._changed.wait(1.0)
                    look(self._stop)
                if not self._queue:
                    break
                piece = self._queue.popleft()
                self._bytes -= len(piece.data or b"")
                self._changed.notify_all()
            look(self._stop)
            yield piece
        self._reading.result()  # raises what the source raised

    def close(self) -> None:
        """Ends reading; a source that is just waiting for the network ends at its own time."""
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
        self._executor.shutdown(wait=False)

    def _run(self) -> None:
        try:
            self._read()
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _read(self) -> None:
        """All pieces; a source that broke is asked to go on where it ended, as long as that helps."""
        attempt, deadline = 0, 0.0
        while not self._closed.is_set():
            place = self._place
            try:
                # Whoever leaves in the middle drops the generators, which ends the source.
                for piece in with_holes(in_order(self._source, place)):
                    if not self._put(piece):
                        return
                return
            except self._broken:
                if not self._source.restartable:
                    raise
                now = time.monotonic()
                if self._place > place or not attempt:
                    attempt, deadline = 0, now + self._backoff.within
                pause = self._backoff.pause(attempt, 0.5)
                if now + pause > deadline:
                    raise
                self._progress.again += 1
                attempt += 1
                self._closed.wait(pause)

    def _put(self, piece: Piece) -> bool:
        """Hands a piece over when there is room; false when nobody wants it any more."""
        with self._changed:
            while self._bytes >= AHEAD and not self._closed.is_set():
                self._changed.wait(1.0)
            if self._closed.is_set():
                return False
            self._queue.append(piece)
            self._bytes += len(piece.data or b"")
            self._place = piece.end
            self._changed.notify_all()
        return True
