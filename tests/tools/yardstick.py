# SPDX-License-Identifier: Apache-2.0
"""A fixed piece of work beside a measurement, because seconds of one machine say little about another."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

_WORK = "text = 0\nfor number in range(2_500_000): text = hash((text, number)) % 1_000_003"
#: As many at once as there are cores where limits in seconds were set, and the seconds they take there.
_AT_ONCE, _SECONDS = 2, 0.50


def pace() -> float:
    """How much slower than that this machine is just now: 1 on an idle one of the same kind, 2 on one half as fast."""
    started = time.monotonic()
    running = [subprocess.Popen([sys.executable, "-S", "-c", _WORK]) for _number in range(_AT_ONCE)]
    for process in running:
        process.wait(timeout=120)
    return (time.monotonic() - started) / _SECONDS


@contextlib.contextmanager
def meanwhile(seconds: float = 30.0) -> Iterator[list[float]]:
    """The paces of a machine before, every so many seconds during, and after what takes minutes; complete at its end."""
    paces, over = [pace()], threading.Event()

    def look() -> None:
        while not over.wait(seconds):
            paces.append(pace())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield paces
    finally:
        over.set()
        looking.join()
        paces.append(pace())
