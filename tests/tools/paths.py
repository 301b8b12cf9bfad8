# SPDX-License-Identifier: Apache-2.0
"""Where things lie: the checkout, and one cache folder for everything that is built."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .console import say

REPO = Path(__file__).resolve().parents[2]
REQUIREMENTS = REPO / "tests" / "requirements"


def _cache() -> Path:
    chosen = os.environ.get("SCS_CACHE")
    if chosen:
        return Path(chosen).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().resolve() / "scs-landscape"


CACHE = _cache()
#: Staged copies, results and logs of this checkout; another clone has its own.
WORK = CACHE / "work" / hashlib.sha256(str(REPO).encode()).hexdigest()[:12]
RESULTS = WORK / "results"
LOGS = WORK / "logs"


def digest(*parts: str | bytes) -> str:
    """A short name for content: the same parts give the same twelve characters."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part.encode() if isinstance(part, str) else part)
        total.update(b"\0")
    return total.hexdigest()[:12]


#: Set by Ctrl-C, which only the main thread hears of: threads that wait give up then.
INTERRUPTED = threading.Event()


def _is_ours(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold ``<path>.lock`` so that two runs never build or use the same thing at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{path}.lock", "w", encoding="utf-8") as handle:
        told = False
        while not _is_ours(handle):
            if not told:
                say(f"waiting for another run that holds {path.name}")
                told = True
            if INTERRUPTED.wait(0.2):
                raise KeyboardInterrupt
        yield
