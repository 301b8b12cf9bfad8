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
from typing import IO

from .console import say

_SILENCE = 45.0


def run(argv: list[str], *, cwd: Path, environ: dict[str, str], log: IO[str], seconds: float) -> int:
    """Return the exit code of a command; its output goes to the screen and to ``log``.

    :param seconds: the command and everything it started is killed after this time.
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
    with _killed_at_the_end(process), _watched(process, seconds) as heard:
        assert process.stdout is not None
        for line in process.stdout:
            heard()
            log.write(line)
            print(line, end="", flush=True)
        return process.wait()


@contextlib.contextmanager
def _killed_at_the_end(process: subprocess.Popen[str]) -> Iterator[None]:
    """Leave nothing running behind, also on Ctrl-C."""
    try:
        yield
    finally:
        _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class _Watch(threading.Thread):
    def __init__(self, process: subprocess.Popen[str], seconds: float) -> None:
        super().__init__(daemon=True)
        self.process, self.seconds = process, seconds
        self.last = self.started = time.monotonic()
        self.over = threading.Event()

    def heard(self) -> None:
        self.last = time.monotonic()

    def run(self) -> None:
        while not self.over.wait(1):
            now = time.monotonic()
            if now - self.started > self.seconds:
                say(f"stopped after {self.seconds:.0f} s")
                _kill(self.process)
                return
            if now - self.last > _SILENCE:
                say(f"still running, {now - self.started:.0f} s so far")
                self.last = now


@contextlib.contextmanager
def _watched(process: subprocess.Popen[str], seconds: float) -> Iterator[Callable[[], None]]:
    watch = _Watch(process, seconds)
    watch.start()
    try:
        yield watch.heard
    finally:
        watch.over.set()
