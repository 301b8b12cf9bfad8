# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The bytes of one image on their way into its file: gone on with where the store can, from the beginning where it cannot.

Glance answers a request for a part with 206 when the image lies in a store that reads from anywhere (``file`` and ``cinder``),
and with 400 when it does not (``rbd``, ``s3``, ``swift``, ``http``); read in ``glance/api/v2/image_data.py`` and the capabilities of
the drivers of glance_store. Something in between may ignore the question and send all of it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from ...core.errors import LandscapeError
from ...core.stream import Meter, Stopped
from ...core.units import format_bytes
from ..images.cache import Patience
from ..images.client import SourceError
from ..model import Answer, CloudError, UnreachableError
from . import model
from .model import Image
from .target import Running, Target, Writer

#: Fewer bytes than this within the time for a stall count as none: a server that drips would never end.
_TRICKLE = 64 * 1024
#: Attempts without a new byte, and at all.
_IDLE, _ATTEMPTS = 4, 30
_PASSING = (408, 425, 429, 500, 502, 503, 504)


class Throttle:
    """A number of bytes per second for all that share it.

    :param rate: bytes per second; 0 is no bound.
    """

    def __init__(self, rate: float, stop: threading.Event, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self._stop, self._clock = rate, stop, clock
        self._lock, self._due = threading.Lock(), clock()

    def take(self, count: int) -> None:
        """Waits until so many bytes may pass."""
        if not self.rate:
            return
        with self._lock:
            now = self._clock()
            self._due = max(self._due, now) + count / self.rate
            pause = self._due - now
        self._stop.wait(pause)


@dataclass
class Told:
    """What there is to say about one transfer.

    :ivar loaded: bytes that came.
    :ivar resumed_from: bytes that were there from an earlier run and were used.
    :ivar statuses: of HTTP, in the order of the requests; 0 where there was no answer.
    """

    loaded: int = 0
    resumed_from: int = 0
    statuses: list[int] = field(default_factory=list)
    seconds: float = 0.0


class Download:
    """One image into one file.

    :param cloud: :class:`..client.Cloud`.
    """

    def __init__(
        self, cloud: Any, image: Image, target: Target, meter: Meter, patience: Patience, throttle: Throttle
    ) -> None:
        self.cloud, self.image, self.target, self.meter = cloud, image, target, meter
        self.patience, self.throttle = patience, throttle
        self.told = Told()
        self._ranges, self._joined, self._there = True, False, 0

    def run(self, server: Mapping[str, Any] | None = None) -> Told:
        """Loads it; the file is there afterwards, whole and right.

        :param server: whose root disk it is.
        :raises LandscapeError: it is not; then there is nothing under the name of the file that was not there before.
        """
        began = time.monotonic()
        try:
            with self.target.held():
                self._load(server)
        except OSError as error:
            raise LandscapeError(
                f"{error.filename or self.target.path} cannot be written: {error.strerror or error}"
            ) from error
        finally:
            self.told.seconds = round(time.monotonic() - began, 2)
        return self.told

    def _load(self, server: Mapping[str, Any] | None) -> None:
        for fresh in (False, True):
            running = self.target.begin(self.image, self.meter, self.patience.stop)
            self._there = running.size
            self._joined = bool(running.size)
            self._complete(running)
            digest = self.image.digest
            if digest is not None and running.value == digest.value:
                self.target.finish(self.image, server)
                return
            self.target.drop()
            if fresh or not self._joined:
                raise LandscapeError(
                    f"image {self.image}: other bytes came than the service says it has: {running.algorithm} is"
                    f" {running.value}, and {digest.value if digest else 'nothing'} is wanted",
                    hint="Nothing was kept. Either the line changes bytes, or the store of the service has lost some",
                )
            self.told.resumed_from = 0

    def _complete(self, running: Running) -> None:
        """All bytes, in as many attempts as it takes while each brings something."""
        idle, best = 0, running.size
        for attempt in range(_ATTEMPTS):
            try:
                self._attempt(running)
                return
            except SourceError as error:
                idle = 0 if running.size >= best + _TRICKLE else idle + 1
                best = max(best, running.size)
                if not error.passing or idle >= _IDLE or attempt == _ATTEMPTS - 1:
                    raise
                self.patience.wait(idle, error.wait)
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, running: Running) -> None:
        if running.size == self.image.size:
            self.told.resumed_from = self._there
            return
        offset = running.size if self._ranges else 0
        if not offset:
            self._restart(running)
        self.meter.begin(self.image.size or 0, offset)
        asked = {"Accept-Encoding": "identity", **({"Range": f"bytes={offset}-"} if offset else {})}

        def begin(answer: Answer) -> None:
            self._begin(answer, running, offset)

        refused: CloudError | None = None
        try:
            self._copy(running, asked, begin)
        except CloudError as error:
            refused = error
        if refused is not None:
            self._refused(refused, running, offset)
        elif running.size != self.image.size:
            raise SourceError(
                f"image {self.image} broke off after {format_bytes(running.size)} of {format_bytes(self.image.size or 0)}",
                passing=True,
            )

    def _refused(self, error: CloudError, running: Running, offset: int) -> None:
        """What an answer that is none means: a store that cannot give parts is asked for all of it.

        :raises SourceError: anything else.
        """
        if error.status:
            self.told.statuses.append(error.status)
        if offset and error.status in (400, 416):
            self._ranges = False
            self._attempt(running)
            return
        passing = isinstance(error, UnreachableError) or error.status in _PASSING
        raise SourceError(f"image {self.image}: {error.message}", passing=passing, wait=error.wait)

    def _begin(self, answer: Answer, running: Running, offset: int) -> None:
        """Whether the answer is what was asked for; one with all the bytes starts from the beginning."""
        self.told.statuses.append(answer.status)
        problem = f"it answered {answer.status}" if answer.status not in (200, 206) else ""
        if answer.status == 206:
            problem = model.total(answer.headers, offset, self.image)
            self._joined = True
            self.told.resumed_from = self._there
        elif offset:
            self._restart(running)
            self.meter.begin(self.image.size or 0)
        length = answer.headers.get("content-length", "")
        if not problem and length.isdigit() and int(length) != (self.image.size or 0) - running.size:
            problem = f"it announces {length} bytes, and {(self.image.size or 0) - running.size} are missing"
        if problem:
            raise SourceError(f"image {self.image} cannot be read: {problem}", passing=False)

    def _restart(self, running: Running) -> None:
        running.restart()
        self.told.resumed_from, self._there, self._joined = 0, 0, False
        self.target.drop()

    def _copy(self, running: Running, asked: Mapping[str, str], begin: Callable[[Answer], None]) -> None:
        clock, stall = self.patience.clock, self.patience.stall
        path = f"/images/{self.image.id}/file"
        pieces = self.cloud.stream("image", path, timeout=stall, headers=asked, begin=begin)
        file: Writer | None = None
        since, mark = clock(), 0
        try:
            for piece in pieces:
                if self.patience.stop.is_set():
                    raise Stopped("The download was given up, because the run ends")
                if running.size + len(piece) > (self.image.size or 0):
                    raise SourceError(f"image {self.image}: more bytes came than it has", passing=False)
                file = file or Writer(self.target.part, running.size)
                file.write(piece)
                running.update(piece)
                self.meter.add(len(piece))
                self.told.loaded += len(piece)
                self.throttle.take(len(piece))
                mark += len(piece)
                if mark >= _TRICKLE:
                    since, mark = clock(), 0
                elif clock() - since > stall:
                    raise SourceError(f"image {self.image}: less than 64 KiB came in {stall:.0f} s", passing=True)
        finally:
            with contextlib.closing(pieces):
                if file is not None:
                    file.close()
