# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The connections of a client, so that whoever waits for an answer on one can be let go."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import weakref
from typing import Any


class Lines:
    """Open connections; safe to use from many threads.

    :ivar over: set once they were cut.
    """

    def __init__(self) -> None:
        self.over = threading.Event()
        self._lock = threading.Lock()
        self._open: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def add(self, line: socket.socket) -> None:
        """Remembers a connection as long as somebody uses it."""
        with self._lock:
            self._open.add(line)

    def cut(self) -> None:
        """Ends what is under way: who reads or writes sees the end of the connection. New ones may be opened afterwards."""
        self.over.set()
        with self._lock:
            found = list(self._open)
        for line in found:
            # Not the method of a TLS connection, which would also forget its state while another thread reads by it.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)

    def pause(self, seconds: float) -> None:
        """Sleeps; what sleeps when the connections are cut is woken."""
        if self.over.is_set():
            time.sleep(seconds)
        else:
            self.over.wait(seconds)

    def watched(self, pool: Any) -> Any:
        """A class of pools of urllib3 whose connections are remembered here."""
        lines = self

        class Line(pool.ConnectionCls):  # type: ignore[misc]
            """A connection that is remembered once it is there."""

            def connect(self) -> None:
                """As the library's."""
                super().connect()
                if isinstance(self.sock, socket.socket):
                    lines.add(self.sock)

        return type(pool.__name__, (pool,), {"ConnectionCls": Line})
