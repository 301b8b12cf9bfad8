# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Copies that come back: into a folder that appears whole, with every byte proven, or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..core import pool
from ..core.errors import InputError, LandscapeError, LockedError
from ..core.plan import Plan, Step
from ..core.stream import Digests, Meter, SparseFile, Stopped, chunks_of, say
from .copying import Settings
from .model import Entry, Snapshot
from .plan import Held
from .scan import scan
from .store import AbsentError, Store, patient


class DamageError(LandscapeError):
    """An object of the store is not what its name says."""


@dataclass
class Report:
    """What came back, or was read.

    :param failed: files that could not be had, with the reason.
    :param damaged: paths whose bytes are lost in this store, with the reason.
    """

    files: int = 0
    bytes: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)


def steps(snapshot: Snapshot, dest: str) -> Plan:
    """The plan: one folder that appears."""
    after = {key: value for key, value in snapshot.summary().items() if key != "taken"}
    return Plan((Step("create", dest, None, after, undo=f"remove {dest}"),))


def is_there(snapshot: Snapshot, dest: str, parallel: int) -> bool:
    """Whether a folder already holds a snapshot; what is there besides does not count.

    :raises InputError: it holds something else: nothing is ever written over.
    """
    if not os.path.lexists(dest) or (os.path.isdir(dest) and not os.listdir(dest)):
        return False
    if not os.path.isdir(dest):
        raise InputError(f"{dest} is there and is no folder", hint="Choose another dest")
    there = {one.path: one.identity for one in scan(dest, parallel=parallel).entries}
    wrong = [one.path for one in snapshot.entries if there.get(one.path) != one.identity]
    if wrong:
        raise InputError(
            f"{dest} is there and does not hold the snapshot {snapshot.name}: {len(wrong)} entries are missing or"
            f" different, {wrong[0]} among them",
            hint="Nothing is written over; choose a dest that is not there",
        )
    return True


def restore(store: Store, snapshot: Snapshot, dest: str, settings: Settings, stop: threading.Event) -> Report:
    """Brings a snapshot into a new folder; what a killed run brought is kept.

    :raises LockedError: another run does the same.
    """
    above, name = os.path.split(dest)
    partial = os.path.join(above, f".{name}.{snapshot.tree[7:19]}.partial")
    try:
        os.makedirs(partial, mode=0o700, exist_ok=True)
        with _alone(partial):
            report = _fetch(store, snapshot, partial, settings, stop)
            if not report.failed and not report.damaged:
                _dress(snapshot, partial)
                os.rename(partial, dest)
                _sync(above)
    except OSError as error:
        said = error.strerror or error
        raise LandscapeError(
            f"{error.filename or dest} cannot be written: {said}", hint=f"Run again; what came so far is in {partial}"
        ) from error
    return report


@contextlib.contextmanager
def _alone(folder: str) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise LockedError(f"Another run is just restoring into {folder}", hint="Wait for it to end") from None
    finally:
        os.close(handle)


def _fetch(store: Store, snapshot: Snapshot, partial: str, settings: Settings, stop: threading.Event) -> Report:
    report, meter = Report(), Meter(snapshot.size)
    _open_up(partial)
    for one in snapshot.entries:
        if one.kind == "folder":
            os.makedirs(os.path.join(partial, one.path), mode=0o700, exist_ok=True)

    def work(one: Entry) -> None:
        fetch = _File(store, one, os.path.join(partial, one.path), meter, stop)
        patient(fetch.attempt, settings.timeout)

    def tick() -> None:
        say(f"{store.label}: restored {meter}")

    order = sorted(snapshot.files, key=lambda one: (-one.size, one.path))
    _judge(pool.each(order, work, settings.parallel, tick=tick, stop=stop), report)
    return report


def _judge(outcomes: list[pool.Outcome[Entry]], report: Report) -> None:
    for one in outcomes:
        if one.error is None:
            report.files += 1
            report.bytes += one.item.size
        elif isinstance(one.error, (DamageError, AbsentError)):
            report.damaged[one.item.path] = one.error.message
        else:
            report.failed[one.item.path] = str(one.error)


def _open_up(partial: str) -> None:
    """Makes what a killed run left ours to write to again; links go, so that nothing is written through them."""
    for folder, folders, files in os.walk(partial):
        for name in [*folders, *files]:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                os.unlink(path)
            elif not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
                raise LandscapeError(f"{path} is neither a file nor a folder", hint=f"Remove {partial} and run again")
            else:
                os.chmod(path, 0o700 if stat.S_ISDIR(mode) else 0o600)


class _File:
    """One file on its way back; each attempt goes on where the one before it ended."""

    def __init__(self, store: Store, entry: Entry, path: str, meter: Meter, stop: threading.Event) -> None:
        self._store, self._entry, self._path, self._meter, self._stop = store, entry, path, meter, stop
        self._counted = 0

    def attempt(self) -> None:
        """Brings what is missing.

        :raises DamageError: what the store gives is not what its name says.
        """
        digests = self._there()
        begun = digests.size
        self._receive(digests)
        if begun and not self._is_right(digests):
            # What a killed run left may be what was wrong.
            digests = Digests(["sha256"])
            self._receive(digests)
        if not self._is_right(digests):
            os.unlink(self._path)
            raise damage(self._store, self._entry, digests)

    def _is_right(self, digests: Digests) -> bool:
        return digests.size == self._entry.size and digests.values()["sha256"] == self._entry.sha256

    def _there(self) -> Digests:
        """Digests of what is there already; nothing of it when it is too long."""
        digests = Digests(["sha256"])
        with contextlib.suppress(FileNotFoundError):
            if os.stat(self._path).st_size <= self._entry.size:
                with open(self._path, "rb") as stream:
                    for chunk in chunks_of(stream):
                        self._step(digests, chunk)
        return digests

    def _step(self, digests: Digests, chunk: bytes) -> None:
        if self._stop.is_set():
            raise Stopped("The restore was given up, because the run ends")
        digests.update(chunk)
        if digests.size > self._counted:
            self._meter.add(digests.size - self._counted)
            self._counted = digests.size

    def _receive(self, digests: Digests) -> None:
        file = SparseFile(self._path, digests.size)
        try:
            if digests.size < self._entry.size:
                for chunk in self._store.get(self._entry.object, digests.size):
                    self._step(digests, chunk)
                    file.write(chunk)
                    if digests.size > self._entry.size:
                        break
        finally:
            file.close(durable=True)


def damage(store: Store, entry: Entry, digests: Digests) -> DamageError:
    """What is wrong with an object."""
    if digests.size != entry.size:
        wrong = f"it has {'more than ' if digests.size > entry.size else ''}{min(digests.size, entry.size)} bytes"
        wrong += "" if digests.size > entry.size else f", and {entry.size} are right"
    else:
        wrong = f"its bytes have the digest {digests.values()['sha256']}"
    return DamageError(f"{store.label}: the object {entry.object} is damaged: {wrong}")


def _dress(snapshot: Snapshot, partial: str) -> None:
    """Links, modes and times; folders last and from below, since some may not be written to afterwards."""
    for one in snapshot.entries:
        path = os.path.join(partial, one.path)
        if one.kind == "link":
            os.symlink(one.target, path)
        elif one.kind == "file":
            os.chmod(path, one.mode)
            os.utime(path, ns=(one.mtime, one.mtime))
    for one in sorted(snapshot.entries, key=lambda one: one.path, reverse=True):
        if one.kind == "folder":
            path = os.path.join(partial, one.path)
            _sync(path)
            os.chmod(path, one.mode)
    _sync(partial)


def _sync(folder: str) -> None:
    handle = os.open(folder or ".", os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# Reading back.


def verify(store: Store, snapshot: Snapshot, held: Held, settings: Settings, stop: threading.Event) -> Report:
    """Reads every object of a snapshot from the store and compares its digest; writes nothing anywhere."""
    report, meter = Report(), Meter(snapshot.size)
    unique = {one.object: one for one in reversed(snapshot.files)}

    def work(one: Entry) -> None:
        size = held.objects.get(one.object)
        if size is None:
            raise AbsentError(f"{store.label}: the object {one.object} is missing")
        patient(lambda: _read_back(store, one, meter, stop), settings.timeout)

    def tick() -> None:
        say(f"{store.label}: read back {meter}")

    order = sorted(unique.values(), key=lambda one: (-one.size, one.path))
    _judge(pool.each(order, work, settings.parallel, tick=tick, stop=stop), report)
    bad = {one.object for one in snapshot.files if one.path in report.damaged}
    for one in snapshot.files:
        if one.object in bad and one.path not in report.damaged:
            report.damaged[one.path] = report.damaged[unique[one.object].path]
    return report


def _read_back(store: Store, one: Entry, meter: Meter, stop: threading.Event) -> None:
    digests = Digests(["sha256"])
    for chunk in store.get(one.object):
        if stop.is_set():
            raise Stopped("Reading back was given up, because the run ends")
        digests.update(chunk)
        meter.add(len(chunk))
        if digests.size > one.size:
            break
    if digests.size != one.size or digests.values()["sha256"] != one.sha256:
        raise damage(store, one, digests)


def objects_of(report: Report, snapshot: Snapshot) -> list[str]:
    """Names of the objects that are damaged."""
    return sorted({one.object for one in snapshot.files if one.path in report.damaged})
