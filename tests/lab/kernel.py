# SPDX-License-Identifier: Apache-2.0
"""Processes and namespaces, as far as Python's own library does not reach."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def own_network() -> None:
    """Give the calling thread a network namespace of its own."""
    _checked(_libc.unshare(_CLONE_NEWNET), "unshare")


def enter_network(path: str) -> None:
    """Move the calling thread, and no other, into a network namespace, for example ``/proc/42/ns/net``."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _checked(_libc.setns(handle, _CLONE_NEWNET), f"setns {path}")
    finally:
        os.close(handle)


@dataclass(frozen=True)
class Process:
    """A process that cannot be mistaken for a later one with the same number.

    ``started`` is the time of its start in clock ticks since boot (field 22 of ``/proc/<pid>/stat``).
    """

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has this number now.

        :raises ProcessLookupError: there is none.
        """
        return cls(pid, _stat(pid)[1])

    @property
    def alive(self) -> bool:
        """Whether it still runs; one that only waits to be reaped does not."""
        try:
            state, started = _stat(self.pid)
        except ProcessLookupError:
            return False
        return started == self.started and state not in "ZX"

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal, if it is still there."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def namespace(self, kind: str) -> int:
        """The inode number of one of its namespaces; 0 when the process is gone."""
        return namespace_of(self.pid, kind)


def _stat(pid: int) -> tuple[str, int]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        raise ProcessLookupError(f"no process {pid}") from None
    # the name of the program stands in parentheses and may hold anything
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


def namespace_of(pid: int, kind: str) -> int:
    """The inode number of a process's namespace (``net``, ``pid``, ``mnt``); 0 when it is gone."""
    try:
        return os.stat(f"/proc/{pid}/ns/{kind}").st_ino
    except OSError:
        return 0


def processes() -> Iterator[int]:
    """The numbers of all processes that we can see."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            yield int(name)


def parent_of(pid: int) -> int:
    """The number of its parent; 0 when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(text.rpartition(")")[2].split()[1])


def children_of(pid: int) -> list[int]:
    """The numbers of its children."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]
    except OSError:  # it is gone, or the kernel does not tell
        return [child for child in processes() if parent_of(child) == pid]


def running(*words: str) -> list[Process]:
    """The processes that have all of these words in their command line."""
    found = []
    for pid in processes():
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
            if set(words).issubset(line):
                found.append(Process.of(pid))
    return found


def ancestors() -> set[int]:
    """This process and everything it was started by."""
    found, pid = set(), os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        pid = parent_of(pid)
    return found


def wait_for(condition: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Whether a condition came true within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True
