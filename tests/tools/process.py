# SPDX-License-Identifier: Apache-2.0
"""Runs one command line, visibly: every line as it comes, a sign of life in silence, an end in any case."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from .console import say

_SILENCE = 45.0
#: Seconds in which an interrupted command may end what it started: machines of the lab among that.
_GRACE = 60.0
_running: set[subprocess.Popen[str]] = set()


def run(argv: list[str], *, cwd: Path, environ: dict[str, str], log: IO[str], seconds: float, mark: str = "") -> int:
    """Return the exit code of a command; its output goes to the screen and to ``log``.

    :param seconds: the command and everything it started is killed after this time.
    :param mark: goes before each line on the screen, where several commands run at once.
    """
    log.write(f"$ {' '.join(argv)}\n")
    process = subprocess.Popen(
        argv,
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    with _killed_at_the_end(process), _watched(process, seconds, mark) as heard:
        assert process.stdout is not None
        for line in process.stdout:
            heard()
            log.write(line)
            print(mark + line, end="", flush=True)
        return process.wait()


@contextlib.contextmanager
def _killed_at_the_end(process: subprocess.Popen[str]) -> Iterator[None]:
    """Leave nothing running behind, also on Ctrl-C."""
    _running.add(process)
    try:
        yield
    except KeyboardInterrupt:
        interrupt()
        raise
    finally:
        _kill(process)
        _running.discard(process)
        if process.stdout:
            process.stdout.close()


def interrupt() -> None:
    """Ask every command that runs to end, give them time for that, and kill what is left."""
    asked = list(_running)
    for process in asked:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
    end = time.monotonic() + _GRACE
    for process in asked:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(end - time.monotonic(), 0.0))
        _kill(process)


@contextlib.contextmanager
def waited_for(process: subprocess.Popen[Any]) -> Iterator[None]:
    """Ctrl-C reaches what runs in the same terminal as well: it has time to end, until that or a second Ctrl-C kills it."""
    try:
        yield
    except KeyboardInterrupt:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        raise
    finally:
        process.kill()


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class _Watch(threading.Thread):
    def __init__(self, process: subprocess.Popen[str], seconds: float, mark: str) -> None:
        super().__init__(daemon=True)
        self.process, self.seconds, self.mark = process, seconds, mark
        self.last = self.started = time.monotonic()
        self.over = threading.Event()

    def heard(self) -> None:
        self.last = time.monotonic()

    def run(self) -> None:
        while not self.over.wait(1):
            now = time.monotonic()
            if now - self.started > self.seconds:
                say(f"{self.mark}stopped after {self.seconds:.0f} s")
                _kill(self.process)
                return
            if now - self.last > _SILENCE:
                say(f"{self.mark}still running, {now - self.started:.0f} s so far")
                self.last = now


@contextlib.contextmanager
def _watched(process: subprocess.Popen[str], seconds: float, mark: str) -> Iterator[Callable[[], None]]:
    watch = _Watch(process, seconds, mark)
    watch.start()
    try:
        yield watch.heard
    finally:
        watch.over.set()
