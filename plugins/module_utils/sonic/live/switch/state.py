# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What the switch remembers between two calls: who holds it, what it was like before, what waits for a confirmation.

All of it lies in one folder that belongs to root. Files are replaced as a whole. Time is counted since boot, which nobody
can set; a record of an earlier boot is over.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

from . import client
from .words import SwitchError

FOLDER = "/var/lib/scs-landscape"


def at(*parts: str) -> str:
    """A path below the folder."""
    return os.path.join(os.environ.get("SCS_LANDSCAPE_FOLDER", FOLDER), *parts)


def write(path: str, content: str) -> None:
    """Replaces a file, readable for its owner only, so that a crash leaves the old or the new content.

    :raises SwitchError: ``unwritable``.
    """
    scratch = f"{path}.new"
    try:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(scratch)
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(scratch, path)
        settle(os.path.dirname(path))
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(scratch)
        raise SwitchError("unwritable", path=path, why=error.strerror or str(error)) from error


def settle(folder: str) -> None:
    """Makes names in a folder survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load(path: str) -> dict[str, Any]:
    """A record; empty when there is none.

    :raises SwitchError: ``unreadable``: guessing could lose what it remembers.
    """
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            content = json.load(stream)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SwitchError("unreadable", path=path, why=str(error)) from error
    if not isinstance(content, dict):
        raise SwitchError("unreadable", path=path, why="it is no object")
    return content


def save(path: str, content: Mapping[str, Any]) -> None:
    """Replaces a record."""
    write(path, json.dumps(content, sort_keys=True))


def remove(path: str) -> None:
    """Removes a file that may be gone already."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


@contextlib.contextmanager
def turn(patience: float = 20.0) -> Iterator[None]:
    """One process at a time; the kernel ends the turn of one that is killed.

    :raises SwitchError: ``busy`` when the other one does not end in time.
    """
    os.makedirs(at(), 0o700, exist_ok=True)
    handle = _turn_file()
    end = time.monotonic() + patience
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise SwitchError("busy", pid=holder()) from None
                time.sleep(0.1)
        with contextlib.suppress(OSError):  # a disk that is full or read-only must not keep anybody from coming back
            os.pwrite(handle, f"{os.getpid():<12d}".encode(), 0)
        client.end_orphans(at("turn"))
        with client.marked(at("turn")):
            yield
    finally:
        os.close(handle)


def _turn_file() -> int:
    """The file that is locked; a file system that became read-only lets it be read."""
    try:
        return os.open(at("turn"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return os.open(at("turn"), os.O_RDONLY)


def holder() -> int:
    """The process that holds the turn, or held it last; 0 when nobody knows."""
    try:
        with open(at("turn"), encoding="ascii") as stream:
            return int(stream.read() or 0)
    except (OSError, ValueError):
        return 0


# What ends by itself: a moment of this boot.


def moment(seconds: float) -> dict[str, Any]:
    """The moment so many seconds from now."""
    return {"boot": client.boot_id(), "uptime": client.uptime() + seconds}


def left(when: Mapping[str, Any]) -> float:
    """Seconds until a moment; negative when it is over, also by a reboot."""
    if when.get("boot") != client.boot_id():
        return -1.0
    return float(when.get("uptime", 0)) - client.uptime()


# The lock


def lock() -> dict[str, Any]:
    """Who holds the switch (``owner``, ``token``, ``seconds`` left); empty when nobody does."""
    try:
        holder = load(at("lock.json"))
    except SwitchError:
        return {}  # half a lock is none: it is only written in turn
    seconds = left(holder.get("expires", {})) if holder else -1.0
    return {**holder, "seconds": round(seconds)} if seconds > 0 else {}


def take(owner: str, token: str, seconds: float) -> None:
    """Takes or prolongs the lock; to be called in turn.

    :raises SwitchError: ``locked`` by somebody else.
    """
    other = lock()
    if other and other.get("token") != token:
        raise SwitchError("locked", owner=other.get("owner", ""), seconds=other["seconds"])
    save(at("lock.json"), {"owner": owner, "token": token, "expires": moment(seconds)})


def give_back(token: str) -> None:
    """Frees our lock; one of somebody else stays."""
    with contextlib.suppress(SwitchError):
        if load(at("lock.json")).get("token") == token:
            remove(at("lock.json"))


# What waits for a confirmation


def pending() -> dict[str, Any]:
    """The change that waits: ``token``, ``owner``, ``phase``, ``deadline``, ``checkpoint``; empty when none does.

    Phases: ``armed`` until somebody confirms, ``saving`` afterwards, ``confirmed`` when that is done and only traces of the
    change are left, ``rolling_back`` when it was too late.
    """
    return load(at("pending.json"))


def keep(record: Mapping[str, Any]) -> None:
    """Writes the record of the change that waits; to be called in turn."""
    save(at("pending.json"), record)


def journal(done: int) -> None:
    """Notes how many steps of the change that waits are written; no flush, the database would not survive it either.

    Written in place: the first note takes the room that all others need, so that a full disk loses none.
    """
    handle = os.open(at("journal"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(handle, f"{done:<12d}".encode(), 0)
    finally:
        os.close(handle)


def journalled() -> int:
    """How many steps are noted."""
    try:
        with open(at("journal"), encoding="ascii") as stream:
            return int(stream.read() or 0)
    except (OSError, ValueError):
        return 0


# What became of the last one


def ended(token: str, end: str) -> None:
    """Remembers how a change ended (``confirmed``, ``rolled_back``, ``nothing``), for a controller that could not see it."""
    with contextlib.suppress(SwitchError):
        save(at("last.json"), {"token": token, "end": end})


def last() -> dict[str, Any]:
    """``token`` and ``end`` of the change that ended last; empty when nobody knows."""
    try:
        return load(at("last.json"))
    except SwitchError:
        return {}


# Checkpoints


def checkpoint_path(name: str) -> str:
    """The file of a checkpoint.

    :raises SwitchError: ``bad_name``.
    """
    if not name or name.startswith(".") or not all(sign.isalnum() or sign in "._-" for sign in name) or len(name) > 80:
        raise SwitchError("bad_name", name=name)
    return at("checkpoints", f"{name}.json")


def checkpoints() -> list[dict[str, Any]]:
    """What is known of every checkpoint, the oldest first, without its content."""
    found = []
    folder = at("checkpoints")
    for file in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if file.endswith(".json"):
            status = os.stat(os.path.join(folder, file))
            found.append({"name": file[:-5], "time": int(status.st_mtime), "bytes": status.st_size})
    return sorted(found, key=lambda one: (str(one["time"]), str(one["name"])))


def thin(count: int, spare: str) -> None:
    """Removes the oldest checkpoints that changes made, so that ``count`` of those with a name and of those without stay.

    :param spare: one that stays, and is counted.
    """
    names = [str(one["name"]) for one in checkpoints()]
    without = [name for name in names if name.startswith("auto-")]
    with_name = [name for name in names if name not in without and _by_change(name)]
    for own in (without, with_name):
        others = [name for name in own if name != spare]
        for name in others[: max(0, len(others) + (spare in own) - count)]:
            remove(checkpoint_path(name))


def _by_change(name: str) -> bool:
    try:
        return bool(load(checkpoint_path(name)).get("token"))
    except SwitchError:
        return False


def room(folder: str, bytes_: int) -> None:
    """Looks whether so many bytes fit.

    :raises SwitchError: ``unwritable``.
    """
    found = os.statvfs(folder)
    if found.f_bavail * found.f_frsize < bytes_:
        raise SwitchError("unwritable", path=folder, why=f"less than {bytes_ // 1_000_000 + 1} MB are free")
