# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A folder as a store: another disk, a file system of another site."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from ..core.errors import LandscapeError
from ..core.stream import CHUNK, is_zero
from .store import AbsentError, BusyError, Outgoing

#: What is not whole yet lies here, under its digest.
INCOMING = "incoming"
#: Another attempt may help: the server of a network file system is away, or somebody signals us.
_PASSING = (errno.EAGAIN, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT, errno.EIO, errno.EBUSY)


class Directory:
    """A store in a folder.

    :param path: made by the first write.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(os.path.expanduser(path))
        self.label = self.path

    def listing(self, prefix: str) -> dict[str, int]:
        """See :class:`.store.Store`."""
        with self._safely("listed"):
            top = self._place(prefix.rstrip("/"))
            return dict(_walk(top, prefix if prefix.endswith("/") else f"{prefix}/"))

    def get(self, name: str, offset: int = 0) -> Iterator[bytes]:
        """See :class:`.store.Store`."""
        with self._safely(f"read: {name}"):
            with open(self._place(name), "rb") as stream:
                stream.seek(offset)
                while True:
                    chunk = stream.read(CHUNK)
                    if not chunk:
                        return
                    yield chunk

    def put(self, name: str, content: bytes) -> None:
        """See :class:`.store.Store`."""
        path = self._place(name)
        temporary = self._incoming(f"{name.replace('/', '%')}.{os.getpid()}.new")
        with self._safely(f"written: {name}"):
            self._folder(os.path.dirname(path))
            try:
                with open(temporary, "wb", opener=_private) as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
                os.replace(temporary, path)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary)
            _sync(os.path.dirname(path))

    def send(self, name: str, outgoing: Outgoing) -> None:
        """See :class:`.store.Store`. Goes on where the bytes of a killed run end, or begin to differ."""
        path = self._place(name)
        with self._safely(f"written: {name}"):
            self._folder(os.path.dirname(path))
            part = self._incoming(f"{outgoing.sha256}.part")
            with open(part, "r+b" if os.path.exists(part) else "w+b", opener=_private) as stream:
                _alone(stream, part)
                _fill(stream, outgoing)
                os.replace(part, path)
            _sync(os.path.dirname(path))

    def sweep(self, seconds: float) -> int:
        """See :class:`.store.Store`."""
        count, now = 0, time.time()
        with self._safely("cleared"):
            for entry in _entries(self._place(INCOMING)):
                with contextlib.suppress(FileNotFoundError):
                    if now - entry.stat(follow_symlinks=False).st_mtime > seconds:
                        os.unlink(entry.path)
                        count += 1
        return count

    def delete(self, names: Iterable[str]) -> None:
        """See :class:`.store.Store`."""
        for name in names:
            path = self._place(name)
            with self._safely(f"removed: {name}"), contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _place(self, name: str) -> str:
        return os.path.join(self.path, *name.split("/"))

    def _incoming(self, name: str) -> str:
        with self._safely("written"):
            self._folder(self._place(INCOMING))
        return os.path.join(self.path, INCOMING, name)

    def _folder(self, path: str) -> None:
        os.makedirs(path, mode=0o700, exist_ok=True)

    @contextlib.contextmanager
    def _safely(self, doing: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise AbsentError(f"{self.label} cannot be {doing}: {error.strerror or error}") from error
        except OSError as error:
            kind = BusyError if error.errno in _PASSING else LandscapeError
            raise kind(f"{self.label} cannot be {doing}: {error.strerror or error}") from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """What lies in a folder; nothing when that is not there."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as found:
        return list(found)
    return []


def _sync(folder: str) -> None:
    """Makes the names in a folder last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _alone(stream: BinaryIO, path: str) -> None:
    """Keeps others away who send the same bytes.

    :raises BusyError: somebody is at it, or has just given the file its name.
    """
    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(stream.fileno()), os.stat(path)):
            return
    except (BlockingIOError, FileNotFoundError):
        pass
    raise BusyError(f"{path} is just being written by another run")


def _walk(top: str, prefix: str) -> Iterator[tuple[str, int]]:
    for entry in _entries(top):
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{prefix}{entry.name}/")
        elif entry.is_file(follow_symlinks=False):
            yield f"{prefix}{entry.name}", entry.stat(follow_symlinks=False).st_size


def _fill(stream: BinaryIO, outgoing: Outgoing) -> None:
    """Makes the bytes of a file those that are sent; what is there and the same is not written again."""
    there = stream.seek(0, os.SEEK_END)
    at = 0
    for chunk in outgoing.chunks():
        if at < there:
            stream.seek(at)
            if stream.read(len(chunk)) == chunk:
                at += len(chunk)
                continue
            stream.truncate(at)
            there = at
        stream.seek(at)
        if not is_zero(chunk):
            stream.write(chunk)
        at += len(chunk)
    stream.flush()
    stream.truncate(at)
    os.fsync(stream.fileno())
