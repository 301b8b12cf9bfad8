# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The ways to the disks of machines: each is opened once, by whichever job asks first, and closed by the one that ends last."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Callable

from ...core.errors import LandscapeError
from ...vmware.model import Disk as SourceDisk
from ...vmware.model import Vm

#: Opens the way to some disks of a machine by the first transport that can be had. What it gives has ``transport``,
#: ``source(disk)``, ``state(disk)`` and ``check()``.
Open = Callable[[Vm, Sequence[SourceDisk], Sequence[str]], AbstractContextManager[Any]]


@dataclass
class Way:
    """The way to the disks of one machine, shared by its jobs.

    :param transports: that may be tried, the best first.
    :param left: jobs that have not ended.
    """

    vm: Vm
    disks: tuple[SourceDisk, ...]
    transports: tuple[str, ...]
    open: Open
    left: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    opened: Any = None
    failed: bool = False

    def get(self) -> Any:
        """What is opened; the first one who asks opens it."""
        with self.lock:
            if self.opened is None:
                self.opened = self.stack.enter_context(self.open(self.vm, self.disks, self.transports))
            return self.opened

    def end(self, error: LandscapeError | None) -> None:
        """A job has ended; the last one closes the way, as a failure when one of them failed.

        :raises LandscapeError: it could not be kept to the end, so what came by it is not to be trusted.
        """
        with self.lock:
            self.left -= 1
            self.failed = self.failed or error is not None
            if self.left or self.opened is None:
                return
            if self.failed:
                with contextlib.suppress(_SomeFailed), self.stack:
                    raise _SomeFailed(f"A disk of {self.vm.name} was not copied")
            self.stack.close()


class Once:
    """Things that are made once by their name, by whichever thread asks first."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        self._make, self._lock = make, threading.Lock()
        self._made: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        """The thing of that name."""
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]


class _SomeFailed(LandscapeError):
    """Ends a way as a failure."""
