# SPDX-License-Identifier: Apache-2.0
"""Whoever may list processes, looks: whether a secret is ever in an argument or an environment of any of them."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from types import TracebackType


class Samples:
    """Looks at all processes of this machine over and over, as ``ps ewww`` does, for the time of a ``with``.

    :param secret: what must be in none of them.
    :ivar count: how often it looked; ``found``: command lines of those that had it.
    """

    def __init__(self, secret: str, pause: float = 0.05) -> None:
        self.count, self.found, self.names = 0, set[str](), set[str]()
        self._secret, self._pause = secret.encode(), pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Samples:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(60)

    def _work(self) -> None:
        while not self._stop.wait(self._pause):
            for process in Path("/proc").glob("[0-9]*"):
                self._look(process)
            self.count += 1

    def _look(self, process: Path) -> None:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            arguments = (process / "cmdline").read_bytes()
            self.names.add(arguments.replace(b"\0", b" ").decode(errors="replace")[:2000])
            if self._secret in arguments or self._secret in (process / "environ").read_bytes():
                self.found.add(arguments.replace(b"\0", b" ").decode(errors="replace"))
