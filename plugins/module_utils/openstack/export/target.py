# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The file of an image: the bytes so far beside it, its name only for the whole and right thing.

Beside a file lie ``.part`` and ``.part.json`` (bytes so far, and of which image) while it is loaded, and ``.scs.json`` (what
it is) afterwards. A part is held by the kernel's lock on itself, which ends with its owner and leaves nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import InputError, LandscapeError, LockedError
from ...core.record import write_atomic
from ...core.stream import CHUNK, Digests, Meter, SparseFile, Stopped, chunks_of
from ..images.model import Digest
from . import model
from .model import Image

#: Smallest hole, and what holes are aligned to; a multiple of the blocks of all file systems.
_BLOCK = 64 * 1024
_MODE = 0o600
ABSENT, WHOLE, STALE, FOREIGN = "absent", "whole", "stale", "foreign"


@dataclass(frozen=True)
class Look:
    """What is there under the name of a file.

    :param state: ``whole`` (the right bytes), ``stale`` (ours, and others), ``foreign`` (not ours, and others), ``absent``.
    :param by: how the right bytes were recognised: ``recorded`` or ``read``.
    :param part: bytes that are there already.
    """

    state: str
    by: str = ""
    part: int = 0
    renew: bool = False


class Target:
    """The file of one image.

    :param path: where it is to be.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.part, self.state, self.record = (path + ending for ending in (model.PART, model.STATE, model.RECORD))

    # What is there.

    def noted(self) -> dict[str, Any]:
        """What was written down about the whole file; empty when nothing was."""
        return _noted(self.record)

    def look(self, image: Image, reread: bool, meter: Meter, stop: threading.Event) -> Look:
        """What is there; changes nothing.

        :param reread: whether the bytes are read although the record says that they are right.
        :raises LandscapeError: what is there is no file, or cannot be read.
        """
        try:
            status = os.lstat(self.path)
        except FileNotFoundError:
            return Look(ABSENT, part=self._usable(image))
        except OSError as error:
            raise _unusable(self.path, error) from error
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{self.path} is there and no file")
        noted = self.noted()
        untouched = noted.get("mtime") == status.st_mtime_ns and noted.get("size") == status.st_size
        recorded = untouched and model.is_of(noted, image)
        if recorded and not reread:
            return Look(WHOLE, "recorded")
        if status.st_size == image.size and self._has(image, meter, stop):
            return Look(WHOLE, "read", renew=not recorded)
        return Look(STALE if untouched else FOREIGN, part=self._usable(image))

    def _has(self, image: Image, meter: Meter, stop: threading.Event) -> bool:
        digest = image.digest or Digest("", "")
        found = Digests([digest.algorithm])
        _read(self.path, found, meter, stop)
        return found.values()[digest.algorithm] == digest.value

    def _usable(self, image: Image) -> int:
        """Bytes so far that are of this image, as far as one can say without reading them."""
        if not model.is_of(_noted(self.state), image):
            return 0
        return min(_size(self.part), image.size or 0)

    # Loading it.

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The part is ours for the time of the block, and is gone afterwards when it has no bytes.

        :raises LockedError: another process loads this file.
        """
        handle = self._take()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                if os.fstat(handle).st_size == 0 and os.fstat(handle).st_nlink:
                    self._unlink()
            os.close(handle)

    def _take(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        for _again in range(5):
            handle = os.open(self.part, flags, _MODE)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever had it may have given it its name, or removed it, before we got the lock.
                if os.fstat(handle).st_ino == os.stat(self.part).st_ino:
                    return handle
            except FileNotFoundError:
                pass
            except BlockingIOError as error:
                os.close(handle)
                raise LockedError(f"Another process loads {self.path}", hint="Let it end, and run again") from error
            os.close(handle)
        raise LockedError(f"Other processes load {self.path} one after the other", hint="Let them end, and run again")

    def begin(self, image: Image, meter: Meter, stop: threading.Event) -> Running:
        """The bytes so far that can be used, read for their digest; the part must be held."""
        running = Running(image)
        size = _size(self.part)
        if size > (image.size or 0) or not model.is_of(_noted(self.state), image):
            os.truncate(self.part, 0)
            text = json.dumps({"format": model.FORMAT, "version": model.VERSION, **image.identity})
            write_atomic(self.state, text, mode=_MODE)
        elif size:
            _read(self.part, running.digests, meter, stop)
        return running

    def drop(self) -> None:
        """Forgets the bytes so far; the part stays held."""
        os.truncate(self.part, 0)

    def clear(self) -> None:
        """Removes the bytes so far, unless another process has them."""
        with contextlib.suppress(OSError, LockedError), self.held():
            os.truncate(self.part, 0)

    def finish(self, image: Image, server: Mapping[str, Any] | None = None) -> None:
        """Gives the whole and right file its name; from now on it is there, also after the power failed."""
        handle = os.open(self.part, os.O_RDWR | os.O_NOFOLLOW)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(self.part, self.path)
        self.note(image, server)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.state)

    def note(self, image: Image, server: Mapping[str, Any] | None = None) -> None:
        """Writes down what the file is."""
        found = model.record_of(image, os.stat(self.path).st_mtime_ns, server or self.noted().get("server"))
        write_atomic(self.record, json.dumps(found, indent=1, sort_keys=True) + "\n", mode=_MODE)

    def _unlink(self) -> None:
        for path in (self.part, self.state):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


class Running:
    """The digest of the bytes so far, and how many there are."""

    def __init__(self, image: Image) -> None:
        self.algorithm = image.digest.algorithm if image.digest else "md5"
        self.digests = Digests([self.algorithm])

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self.digests.size

    @property
    def value(self) -> str:
        """The digest of them."""
        return self.digests.values()[self.algorithm]

    def update(self, piece: bytes) -> None:
        """The next bytes."""
        self.digests.update(piece)

    def restart(self) -> None:
        """From the first byte again."""
        self.digests = Digests([self.algorithm])


class Writer:
    """A file that grows by pieces of any size; blocks of zeroes become holes wherever the pieces end.

    :param offset: where to go on.
    """

    def __init__(self, path: str, offset: int) -> None:
        self._file = SparseFile(path, offset)
        self._waiting = bytearray()

    def write(self, piece: bytes) -> None:
        """The next bytes."""
        self._waiting += piece
        if len(self._waiting) >= CHUNK:
            # Up to the last border of a block in the file.
            whole = len(self._waiting) - (self._file.size + len(self._waiting)) % _BLOCK
            self._flush(whole)

    def _flush(self, count: int) -> None:
        data, begin = bytes(self._waiting[:count]), 0
        del self._waiting[:count]
        while begin < count:
            end = min(count, begin + _BLOCK - self._file.size % _BLOCK)
            self._file.write(data[begin:end])
            begin = end

    def close(self) -> None:
        """Ends the file behind the last byte."""
        try:
            self._flush(len(self._waiting))
        finally:
            self._file.close()


def _read(path: str, digests: Digests, meter: Meter, stop: threading.Event) -> None:
    try:
        with open(path, "rb") as stream:
            meter.begin(os.fstat(stream.fileno()).st_size)
            for chunk in chunks_of(stream):
                if stop.is_set():
                    raise Stopped(f"Reading {path} was given up, because the run ends")
                digests.update(chunk)
                meter.add(len(chunk))
    except OSError as error:
        raise _unusable(path, error) from error


def _noted(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return model.load(stream.read(1024 * 1024))
    except OSError:
        return {}


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _unusable(path: str, error: OSError) -> LandscapeError:
    return LandscapeError(f"{error.filename or path} cannot be used: {error.strerror or error}")


def on_disk(path: str) -> int:
    """Bytes that a file takes on the disk; fewer than its size where it has holes."""
    try:
        return os.stat(path).st_blocks * 512
    except OSError:
        return 0


def records(folder: str) -> list[tuple[str, dict[str, Any]]]:
    """Path of each file of a folder beside which lies what it is, and that; only of files that are there."""
    found = []
    for top, _folders, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(top, name.removesuffix(model.RECORD))
            if name.endswith(model.RECORD) and os.path.isfile(path):
                found.append((path, _noted(os.path.join(top, name))))
    return [one for one in found if one[1]]
