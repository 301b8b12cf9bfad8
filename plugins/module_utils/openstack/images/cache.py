# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Images on the controller's disk, named by their digest; a download that broke goes on in the next run.

A file becomes visible under its digest only after all of it had that digest. What lies beside it: ``.part`` (bytes so
far), ``.json`` (where they are from; once whole, its digests) and ``.lock`` (the kernel's lock: it ends with its owner).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Callable

from ...core.errors import LandscapeError, LockedError
from ...core.record import write_atomic
from ...core.retry import Backoff
from ...core.stream import CHUNK, Digests, Meter, SparseFile, Stopped, chunks_of
from ...core.units import format_bytes
from ..model import without_password
from . import client
from .client import Reply, SourceError
from .model import Digest
from .policy import DEFAULT_HASH

#: Fewer bytes than this within the time for a stall count as none: a server that drips would never end.
_TRICKLE = 64 * 1024
#: Bytes of a disk that are left to others.
_RESERVE = 64 * 1024 * 1024
#: Attempts at one address without a new byte, and at all.
_IDLE_ATTEMPTS, _ATTEMPTS = 4, 30


@dataclass(frozen=True)
class Cached:
    """A whole file with the digest it must have.

    :param digests: hexadecimal values by algorithm, computed from these bytes.
    """

    path: str
    size: int
    digests: dict[str, str]


@dataclass
class Patience:
    """How long a download may take; a clock for tests.

    :param stall: seconds in which something must come.
    """

    stall: float = 60.0
    backoff: Backoff = field(default_factory=lambda: Backoff(first=0.5, longest=15.0))
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.monotonic

    def wait(self, attempt: int, at_least: float = 0.0) -> None:
        """The pause after a failed attempt."""
        pause = max(self.backoff.pause(attempt, random.random()), min(at_least, 60.0))  # noqa: S311 - jitter
        if self.stop.wait(pause):
            raise Stopped("The download was given up, because the run ends")


def measure(path: str, digest: Digest, meter: Meter, stop: threading.Event | None = None) -> Cached:
    """A file of the operator's, read once.

    :raises LandscapeError: it cannot be read, or has another digest.
    """
    try:
        with open(path, "rb") as stream:
            meter.begin(os.fstat(stream.fileno()).st_size)
            digests = Digests({digest.algorithm, DEFAULT_HASH})
            for chunk in chunks_of(stream):
                if stop is not None and stop.is_set():
                    raise Stopped(f"Reading {path} was given up, because the run ends")
                digests.update(chunk)
                meter.add(len(chunk))
    except OSError as error:
        raise LandscapeError(f"{path} cannot be read: {error.strerror}") from error
    found = digests.values()
    if found[digest.algorithm] != digest.value:
        raise _mismatch(path, digest, found)
    return Cached(path, digests.size, found)


def _mismatch(where: str, digest: Digest, found: dict[str, str]) -> LandscapeError:
    return LandscapeError(
        f"{without_password(where)} holds other bytes than it should: {digest.algorithm} is"
        f" {found[digest.algorithm]}, wanted {digest.value}",
        hint="Either the source or the digest is wrong; nothing was imported",
    )


class Cache:
    """A folder of files named by their digest.

    :param folder: made when something is first kept.
    """

    def __init__(self, folder: str, patience: Patience | None = None) -> None:
        self.folder = os.path.abspath(os.path.expanduser(folder))
        self.patience = patience or Patience()

    def path(self, digest: Digest) -> str:
        """Where the bytes of a digest are, when they are."""
        return os.path.join(self.folder, f"{digest.algorithm}-{digest.value}")

    def get(self, digest: Digest, urls: tuple[str, ...], meter: Meter) -> Cached:
        """The file with a digest, downloaded when it is not there.

        :param urls: mirrors, tried in this order.
        :raises LandscapeError: no mirror gave these bytes; the message says what each did.
        """
        try:
            os.makedirs(self.folder, exist_ok=True)
            with self._locked(digest, meter):
                there = self._there(digest, meter)
                return there or self._download(digest, urls, meter)
        except OSError as error:
            raise LandscapeError(
                f"{error.filename or self.folder} cannot be used: {error.strerror or error}"
            ) from error

    def forget(self, digest: Digest) -> None:
        """Removes a file whose bytes turned out to be damaged."""
        for ending in ("", ".json", ".part"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path(digest) + ending)

    @contextlib.contextmanager
    def _locked(self, digest: Digest, meter: Meter) -> Iterator[None]:
        """One process at a time downloads a file; the others wait as long as it grows, or its owner shows that it works."""
        handle = os.open(self.path(digest) + ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            size, seen, since, attempt = -1, 0, self.patience.clock(), 0
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    pass  # another process has it
                now = _size(self.path(digest) + ".part")
                beat = os.stat(handle).st_mtime_ns
                if (now, beat) != (size, seen):
                    size, seen, since = now, beat, self.patience.clock()
                    meter.begin(0, now)
                elif self.patience.clock() - since > 2 * self.patience.stall:
                    raise LockedError(
                        f"Another process downloads {self.path(digest)} and does not get on",
                        hint="End it, and run again",
                    )
                self.patience.wait(min(attempt, 2))
                attempt += 1
            with self._beating(handle):
                yield
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def _beating(self, handle: int) -> Iterator[None]:
        """Shows those who wait that we work: hashing what is there takes long, and nothing grows."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(self.patience.stall / 4):
                os.utime(handle)

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _there(self, digest: Digest, meter: Meter) -> Cached | None:
        """The whole file; read anew when it is not as it was left."""
        path, noted = self.path(digest), self._noted(digest)
        try:
            status = os.stat(path)
        except FileNotFoundError:
            return None
        digests = noted.get("digests")
        if (
            isinstance(digests, dict)
            and noted.get("size") == status.st_size
            and noted.get("mtime") == status.st_mtime_ns
        ):
            return Cached(path, status.st_size, {str(name): str(value) for name, value in digests.items()})
        try:
            found = measure(path, digest, meter, self.patience.stop)
        except Stopped:
            raise
        except LandscapeError:
            self.forget(digest)
            return None
        self._note(digest, found)
        return found

    def _noted(self, digest: Digest) -> dict[str, Any]:
        try:
            with open(self.path(digest) + ".json", encoding="utf-8") as stream:
                noted = json.load(stream)
        except (OSError, ValueError):
            return {}  # only ever a help: without it the file is read or downloaded again
        return noted if isinstance(noted, dict) else {}

    def _note(self, digest: Digest, found: Cached) -> None:
        noted = {"digests": found.digests, "size": found.size, "mtime": os.stat(found.path).st_mtime_ns}
        write_atomic(self.path(digest) + ".json", json.dumps(noted))

    def _download(self, digest: Digest, urls: tuple[str, ...], meter: Meter) -> Cached:
        told = []
        for url in urls:
            try:
                return self._from(url, digest, meter)
            except Stopped:
                raise
            except LandscapeError as error:
                told.append(error.message)
        raise LandscapeError("; ".join(told) or "No address to download from", hint="Nothing was imported")

    def _from(self, url: str, digest: Digest, meter: Meter) -> Cached:
        """One mirror: goes on where it broke off, starts anew once when the parts do not fit together."""
        for fresh in (False, True):
            resumed = self._complete(url, digest, meter, fresh=fresh)
            part = self.path(digest) + ".part"
            digests = resumed.values()
            if digests[digest.algorithm] == digest.value:
                os.replace(part, self.path(digest))
                found = Cached(self.path(digest), _size(self.path(digest)), digests)
                self._note(digest, found)
                return found
            os.unlink(part)
            if fresh or not resumed.joined:
                raise _mismatch(url, digest, digests)
        raise AssertionError("the second attempt ends in one way or the other")

    def _complete(self, url: str, digest: Digest, meter: Meter, *, fresh: bool) -> _Running:
        """All bytes of an address, in as many attempts as it takes while each brings something."""
        part = _Part(self.path(digest) + ".part", self.path(digest) + ".json", url, digest)
        if fresh:
            part.drop()
        running = part.digests(meter, self.patience.stop)
        idle, best = 0, running.size
        for attempt in range(_ATTEMPTS):
            try:
                self._attempt(part, running, meter)
                return running
            except SourceError as error:
                idle = 0 if running.size >= best + _TRICKLE else idle + 1
                best = max(best, running.size)
                if not error.passing or idle >= _IDLE_ATTEMPTS or attempt == _ATTEMPTS - 1:
                    raise
                self.patience.wait(idle, error.wait)
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, part: _Part, running: _Running, meter: Meter) -> None:
        reply = client.ask(part.url, part.ask_for(running.size), self.patience.stall)
        with contextlib.closing(reply.stream):
            offset, total = part.begin(reply, running)
            if offset is None:
                return
            room = shutil.disk_usage(self.folder).free
            if total and total - offset > room:
                raise LandscapeError(
                    f"{self.folder} has {format_bytes(room)} left, and {format_bytes(total - offset)} are needed",
                    hint="Make room, or set cache_dir to another disk",
                )
            meter.begin(total, offset)
            file = SparseFile(part.path, offset)
            try:
                self._copy(reply, part.url, file, running, meter)
            finally:
                file.close()
        if total and running.size != total:
            raise SourceError(
                f"{without_password(part.url)} broke off after {format_bytes(running.size)}", passing=True
            )

    def _copy(self, reply: Reply, url: str, file: SparseFile, running: _Running, meter: Meter) -> None:
        clock, since, mark = self.patience.clock, self.patience.clock(), 0
        while True:
            if self.patience.stop.is_set():
                raise Stopped("The download was given up, because the run ends")
            piece = client.read_piece(reply, CHUNK, url)
            if not piece:
                return
            file.write(piece)
            running.update(piece)
            meter.add(len(piece))
            mark += len(piece)
            if mark >= _TRICKLE:
                since, mark = clock(), 0
                self._keep_room()
            elif clock() - since > self.patience.stall:
                raise SourceError(f"{without_password(url)} gives less than 64 KiB in a while", passing=True)

    def _keep_room(self) -> None:
        """A body whose length nobody said must not fill the disk."""
        room = shutil.disk_usage(self.folder).free
        if room < _RESERVE:
            raise LandscapeError(
                f"{self.folder} has only {format_bytes(room)} left", hint="Make room, or set cache_dir to another disk"
            )


class _Running(Digests):
    """Digests of a file that is being put together; ``joined`` when it is of more than one answer."""

    joined = False


class _Part:
    """The bytes so far of one address."""

    def __init__(self, path: str, note: str, url: str, digest: Digest) -> None:
        self.path, self.note, self.url, self.digest = path, note, url, digest

    def drop(self) -> None:
        """Forget what is there."""
        for path in (self.path, self.note):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _noted(self) -> dict[str, Any]:
        try:
            with open(self.note, encoding="utf-8") as stream:
                noted = json.load(stream)
        except (OSError, ValueError):
            return {}
        return noted if isinstance(noted, dict) and noted.get("url") == without_password(self.url) else {}

    def digests(self, meter: Meter, stop: threading.Event) -> _Running:
        """The digests of what is there; nothing is there when it is of another address."""
        running = _Running({self.digest.algorithm, DEFAULT_HASH})
        if not self._noted():
            self.drop()
            return running
        with contextlib.suppress(FileNotFoundError), open(self.path, "rb") as stream:
            meter.begin(_size(self.path))
            for chunk in chunks_of(stream):
                if stop.is_set():
                    raise Stopped("Reading the bytes so far was given up, because the run ends")
                running.update(chunk)
                meter.add(len(chunk))
        return running

    def ask_for(self, offset: int) -> dict[str, str]:
        """Headers that ask for the rest, if the file is still the same one (RFC 9110, 13.1.5 and 14.2)."""
        if not offset:
            return {}
        validator = self._noted().get("validator")
        return {"Range": f"bytes={offset}-", **({"If-Range": str(validator)} if validator else {})}

    def begin(self, reply: Reply, running: _Running) -> tuple[int | None, int]:
        """Where the answer goes on and the size of the whole (0 when nobody knows); no place when all is there."""
        if reply.status == 416:
            total = reply.headers.get("content-range", "").rpartition("/")[2]
            if total.isdigit() and int(total) == running.size:
                return None, running.size
            self.drop()
            running.__init__({self.digest.algorithm, DEFAULT_HASH})  # type: ignore[misc]
            raise SourceError(f"{without_password(self.url)} has become shorter", passing=True)
        offset, total = 0, reply.headers.get("content-length", "")
        if reply.status == 206:
            span, _slash, total = reply.headers.get("content-range", "").removeprefix("bytes ").partition("/")
            first = span.partition("-")[0]
            if not first.isdigit() or int(first) != running.size:
                raise SourceError(f"{without_password(self.url)} gave another part than asked for", passing=False)
            offset, running.joined = running.size, True
        elif running.size:
            # It does not know ranges, or the file has changed: from the beginning.
            running.__init__({self.digest.algorithm, DEFAULT_HASH})  # type: ignore[misc]
        self._remember(reply)
        return offset, int(total) if total.isdigit() else 0

    def _remember(self, reply: Reply) -> None:
        tag = reply.headers.get("etag", "")
        # A weak tag says that the bytes may differ.
        validator = tag if tag and not tag.startswith("W/") else reply.headers.get("last-modified", "")
        write_atomic(self.note, json.dumps({"url": without_password(self.url), "validator": validator}))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
