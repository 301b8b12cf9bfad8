# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Bytes on their way: digests while they pass, zeroes that need no disk, and how fast they go.

Memory is bounded by the chunk, never by the size of what passes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Callable

from .errors import LandscapeError
from .units import format_bytes, format_seconds

#: Bytes moved at once. Large enough that system calls do not count, small enough for many workers.
CHUNK = 1024 * 1024
_ZEROES = bytes(CHUNK)
#: Least number of bytes that is handed out at once to a library that asks for fewer.
_PIECE = 256 * 1024


def is_zero(chunk: bytes) -> bool:
    """Whether there are only zero bytes; the comparison stops at the first other one."""
    if len(chunk) <= CHUNK:
        return chunk == _ZEROES[: len(chunk)]
    return chunk.count(0) == len(chunk)


class Digests:
    """Several digests of the same bytes, computed in one pass.

    :param algorithms: names of ``hashlib``.
    :raises LandscapeError: this Python does not know one of them.
    """

    def __init__(self, algorithms: Iterable[str]) -> None:
        self._all = {}
        for name in sorted(set(algorithms)):
            try:
                self._all[name] = hashlib.new(name)
            except ValueError as error:
                raise LandscapeError(f"This Python cannot compute the digest {name}") from error
        self.size = 0

    def update(self, chunk: bytes) -> None:
        """The next bytes."""
        self.size += len(chunk)
        for one in self._all.values():
            one.update(chunk)

    def values(self) -> dict[str, str]:
        """Hexadecimal digests of what passed so far, by algorithm."""
        return {name: one.hexdigest() for name, one in self._all.items()}


def chunks_of(stream: BinaryIO, size: int = CHUNK) -> Iterator[bytes]:
    """The rest of a stream in pieces; each in memory of its own, one at a time."""
    while True:
        chunk = stream.read(size)
        if not chunk:
            return
        yield chunk


class SparseFile:
    """A file that is written from a place on; chunks of zeroes become holes.

    :param offset: where to go on; what lies behind is cut off.
    """

    def __init__(self, path: str, offset: int = 0) -> None:
        self.stream = open(path, "r+b" if os.path.exists(path) else "w+b")  # noqa: SIM115 - closed by close()
        self.stream.truncate(offset)
        self.stream.seek(offset)
        self.size = offset

    def write(self, chunk: bytes) -> None:
        """The next bytes."""
        self.size += len(chunk)
        if is_zero(chunk):
            self.stream.seek(self.size)
        else:
            self.stream.write(chunk)

    def close(self, *, durable: bool = False) -> None:
        """Ends the file at its whole size, also when that is a hole.

        :param durable: only return when the bytes are on the disk.
        """
        self.stream.flush()
        self.stream.truncate(self.size)
        if durable:
            os.fsync(self.stream.fileno())
        self.stream.close()


class Stopped(LandscapeError):
    """The work was given up because the whole run ends."""


class Meter:
    """How much of a thing has passed; many threads may ask, one counts.

    :param total: bytes expected, 0 when nobody knows.
    """

    def __init__(self, total: int = 0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self.done = total, 0
        self._clock = clock
        self._began = clock()
        self._base = 0

    def begin(self, total: int, done: int = 0) -> None:
        """A new stretch; ``done`` bytes are there already and do not count for the rate."""
        self.total, self.done, self._base, self._began = total, done, done, self._clock()

    def add(self, count: int) -> None:
        """More bytes passed."""
        self.done += count

    @property
    def rate(self) -> float:
        """Bytes per second since the stretch began."""
        return (self.done - self._base) / max(self._clock() - self._began, 0.001)

    @property
    def left(self) -> float | None:
        """Seconds left at this rate, nothing when nobody knows."""
        return (self.total - self.done) / self.rate if self.total and self.rate else None

    def __str__(self) -> str:
        whole = f" of {format_bytes(self.total)}" if self.total else ""
        left = f", {format_seconds(max(self.left, 0.0))} left" if self.left is not None else ""
        return f"{format_bytes(self.done)}{whole}, {format_bytes(self.rate)}/s{left}"


class Metered:
    """A readable file of known length that counts what is read; what HTTP libraries take as a body.

    :param stop: set when the run ends; reading then raises :class:`Stopped`.
    """

    def __init__(self, stream: BinaryIO, size: int, meter: Meter, stop: threading.Event | None = None) -> None:
        self._stream, self._size, self._meter, self._stop = stream, size, meter, stop

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        """The next bytes, perhaps more than asked for; empty at the end."""
        if self._stop is not None and self._stop.is_set():
            raise Stopped("The transfer was given up, because the run ends")
        # HTTP libraries ask for 8 or 16 KiB and send what they get; so small pieces cost more than they move.
        chunk = self._stream.read(CHUNK if size < 0 else max(size, _PIECE))
        self._meter.add(len(chunk))
        return chunk


_listeners: list[Callable[[str], None]] = []


@contextlib.contextmanager
def heard_by(listener: Callable[[str], None]) -> Iterator[None]:
    """Hands what is said by :func:`say` to a listener while the block runs: the live face of a long task."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def say(text: str) -> None:
    """One line about how far a long task is; nobody listens where a module runs as a program."""
    for listener in tuple(_listeners):
        listener(text)
