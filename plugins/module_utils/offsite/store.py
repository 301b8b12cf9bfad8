# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What every store of off-site copies can do, and what is the same for all of them."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Callable, Protocol, TypeVar

from ..core.errors import LandscapeError
from ..core.retry import Backoff
from ..core.stream import CHUNK, Digests, Meter, Stopped

T = TypeVar("T")


class BusyError(LandscapeError):
    """The store did not answer, or asked to come again: another attempt may help."""


class AbsentError(LandscapeError):
    """There is no such object."""


class ChangedError(LandscapeError):
    """A file is not what it was when its digest was taken."""


@dataclass
class Outgoing:
    """A file on its way to a store.

    :param path: where it lies.
    :param sha256: what its bytes must be.
    :param meter: is told what was read.
    :param stop: set when the run ends.
    """

    path: str
    size: int
    sha256: str
    meter: Meter
    stop: threading.Event

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """Its bytes from front to back; the last piece is only given when all of them are what they must be.

        :raises ChangedError: they are not.
        """
        digests, held = Digests(["sha256"]), b""
        try:
            with open(self.path, "rb") as stream:
                while digests.size <= self.size:
                    if self.stop.is_set():
                        raise Stopped("The copy was given up, because the run ends")
                    chunk = stream.read(size)
                    if not chunk:
                        break
                    digests.update(chunk)
                    if held:
                        yield held
                    held = chunk
                    self.meter.add(len(chunk))
        except OSError as error:
            raise LandscapeError(f"{self.path} cannot be read: {error.strerror or error}") from error
        if digests.size != self.size or digests.values()["sha256"] != self.sha256:
            raise ChangedError(f"{self.path} was changed while it was copied", hint="Run again when nobody writes it")
        if held:
            yield held


class Store(Protocol):
    """A place for objects. Names have slashes; an object appears whole or not at all.

    Every method raises :class:`BusyError` where another attempt may help, and ``LandscapeError`` where it cannot.

    :ivar label: the store, for messages; without secrets.
    """

    label: str

    def listing(self, prefix: str) -> dict[str, int]:
        """Sizes of all objects whose names begin so, by name."""

    def get(self, name: str, offset: int = 0) -> Iterator[bytes]:
        """The bytes of an object, from a place on.

        :raises AbsentError: it is not there.
        """

    def put(self, name: str, content: bytes) -> None:
        """Writes a small object, in the place of one that is there."""

    def send(self, name: str, outgoing: Outgoing) -> None:
        """Writes a large object, going on with what a killed run has sent of it."""

    def delete(self, names: Iterable[str]) -> None:
        """Removes objects; those that are gone already count as removed."""

    def sweep(self, seconds: float) -> int:
        """Removes what killed runs have begun to send and nobody has gone on with for so long; how many."""


#: An attempt of so many seconds has moved something; the patience begins anew after it.
_LONG = 60.0
#: Most attempts at one thing, whatever they moved.
_ATTEMPTS = 100


def patient(
    operation: Callable[[], T],
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    chance: Callable[[], float] = random.random,
) -> T:
    """What an operation gives, tried again while the store is busy.

    :param seconds: how long nothing may succeed before that counts as failed. What breaks off after minutes is not counted
        with what broke before: large files are gone on with.
    :raises BusyError: of the last attempt.
    """
    backoff = Backoff(first=0.5, longest=20.0, within=seconds)
    deadline, attempt = clock() + seconds, 0
    for left in range(_ATTEMPTS, 0, -1):
        began = clock()
        try:
            return operation()
        except BusyError:
            if clock() - began > _LONG:
                deadline, attempt = clock() + seconds, 0
            pause = backoff.pause(attempt, chance())
            if left == 1 or clock() + pause > deadline:
                raise
        sleep(pause)
        attempt += 1
    raise AssertionError("the last attempt returns or raises")


def whole(store: Store, name: str, limit: int = 512 * 1024 * 1024) -> bytes:
    """All bytes of a small object.

    :raises LandscapeError: it is larger than ``limit`` bytes.
    """
    parts, size = [], 0
    for chunk in store.get(name):
        size += len(chunk)
        if size > limit:
            raise LandscapeError(f"{store.label}: {name} has more than {limit} bytes, so it is no manifest")
        parts.append(chunk)
    return b"".join(parts)


def same_place(one: str, other: str) -> bool:
    """Whether one folder is the other, or lies in it."""
    inner, outer = os.path.realpath(one), os.path.realpath(other)
    return os.path.commonpath([inner, outer]) == outer
