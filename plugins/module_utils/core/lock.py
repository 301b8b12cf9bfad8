# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A lock with an owner and an expiry, kept as a file beside the thing that is changed.

A crashed owner does not block for ever: its lock expires. A lock is taken by creating a link, which is atomic on local
file systems and on NFS. Those who want to take over a lock that is over do so one after the other, under the kernel's
lock of the folder, so that nobody removes the new lock of a faster one.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import os
import socket
import time
import uuid
from collections.abc import Iterator
from typing import Any, Callable

from .errors import LockedError

#: Seconds after which an empty file is not one that somebody is about to fill.
_SETTLED = 60


def _read(path: str) -> dict[str, Any]:
    """Who holds the lock; empty when nobody does, or when the file is no lock of ours.

    :raises PermissionError: the lock is there and belongs to somebody else, so it is not ours to judge.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            content = json.load(stream)
    except PermissionError:
        raise
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def holder_of(owner: str, expires: float, pid: int) -> dict[str, Any]:
    """What a lock says of a process of this machine that holds it."""
    return {"owner": owner, "host": socket.gethostname(), "pid": pid, "expires": expires}


def is_over(holder: dict[str, Any], now: float) -> bool:
    """Whether a lock has expired, or its owner ran on this machine and is gone.

    :param holder: what :func:`holder_of` has made; anything else is no lock.
    """
    expires, pid = holder.get("expires"), holder.get("pid")
    if not isinstance(expires, (int, float)) or not isinstance(pid, int) or expires <= now:
        return True
    if holder.get("host") != socket.gethostname():
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False  # it runs, as another user
    return False


@contextlib.contextmanager
def held(path: str, owner: str, *, seconds: float = 900, clock: Callable[[], float] = time.time) -> Iterator[None]:
    """Holds the lock at ``path`` for the time of the block.

    :param owner: who holds it, for the message the other one gets.
    :param seconds: after this time others may take it.
    :raises LockedError: somebody else holds it.
    """
    mine, token = _take(path, owner, os.getpid(), seconds, clock)
    try:
        yield
    finally:
        # The lock itself goes last: a run that is killed in between leaves what the next one looks for.
        _forget(mine)
        if _read(path).get("token") == token:
            os.unlink(path)


def _forget(mine: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(mine)


def _take(path: str, owner: str, pid: int, seconds: float, clock: Callable[[], float]) -> tuple[str, str]:
    """Takes the lock; the name of the file it was linked from, and the token in both."""
    token = uuid.uuid4().hex
    mine = f"{path}.{token}"
    holder = {**holder_of(owner, clock() + seconds, pid), "token": token}
    with contextlib.ExitStack() as undo:
        undo.callback(_forget, mine)
        with _one_by_one(os.path.dirname(path) or ".") as alone:
            with open(mine, "w", encoding="utf-8") as stream:
                json.dump(holder, stream)
            _link(path, mine, clock)
            _sweep(path, mine, clock, alone)
        undo.pop_all()
    return mine, token


def _link(path: str, mine: str, clock: Callable[[], float]) -> None:
    """Makes our file the lock, in the place of one that is over; to be called in turn.

    :raises LockedError: somebody else holds it.
    """
    try:
        os.link(mine, path)
        return
    except FileExistsError:
        other = _other(path)
    if other is not None and is_over(other, clock()):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with contextlib.suppress(FileExistsError):
            os.link(mine, path)
            return
    other = other or {}
    raise LockedError(
        f"{path} is held by {other.get('owner', 'somebody')} (process {other.get('pid', '?')} on {other.get('host', '?')})",
        hint="Wait for that run to end, or remove the file if it is gone",
    )


def _sweep(path: str, mine: str, clock: Callable[[], float], alone: bool) -> None:
    """Removes what runs left beside the lock that were killed while they took it or waited for it.

    :param alone: nobody else is just writing such a file, so that one without content has lost its writer.
    """
    for other in glob.glob(glob.escape(path) + ".*"):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            holder = _read(other)
            settled = bool(holder) or alone or time.time() - os.stat(other).st_mtime > _SETTLED
            if other != mine and settled and is_over(holder, clock()):
                os.unlink(other)


@contextlib.contextmanager
def _one_by_one(folder: str) -> Iterator[bool]:
    """Lets one process at a time into the block; the kernel ends the turn of a process that is killed.

    Yields whether that was possible: some file systems know no such locks, which leaves the small chance that two
    take over at once.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        alone = False
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
            alone = True
        yield alone
    finally:
        os.close(handle)


def _other(path: str) -> dict[str, Any] | None:
    """The holder, or nothing when we may not look."""
    try:
        return _read(path)
    except PermissionError:
        return None


def take(path: str, owner: str, *, pid: int, seconds: float, clock: Callable[[], float] = time.time) -> str:
    """Takes the lock for a process that lives longer than this one; the token that gives it back.

    :param pid: the process whose end frees the lock.
    :raises LockedError: somebody else holds it.
    """
    mine, token = _take(path, owner, pid, seconds, clock)
    os.unlink(mine)
    return token


def give_back(path: str, token: str) -> bool:
    """Frees a lock that :func:`take` took; false when it is not ours any more."""
    if not token or _read(path).get("token") != token:
        return False
    os.unlink(path)
    return True
