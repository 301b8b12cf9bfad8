# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Bytes that somebody pushes and an HTTP library pulls: a bounded pipe between two threads."""

from __future__ import annotations

import queue
import threading

from ...core.errors import LandscapeError
from ...core.stream import Digests, Stopped

#: Pieces of at most a mebibyte that are under way.
_DEPTH = 8
#: Seconds between two looks whether the other side is gone.
_LOOK = 0.5


class PipeBody:
    """What is sent: of known length, and hashed on its way.

    :param size: bytes.
    :param algorithm: of the digest that is taken.
    """

    def __init__(self, size: int, algorithm: str = "sha512") -> None:
        self.size, self._digests = size, Digests([algorithm])
        self._pieces: queue.Queue[bytes] = queue.Queue(_DEPTH)
        self._over, self._broken, self._taken = threading.Event(), threading.Event(), False

    def __len__(self) -> int:
        return self.size

    # The one who has bytes.

    def put(self, data: bytes) -> None:
        """The next bytes; waits while too many are under way.

        :raises Stopped: nobody takes them any more.
        """
        while data:
            if self._over.is_set() or self._broken.is_set():
                raise Stopped("Nobody takes the bytes of the image any more")
            try:
                self._pieces.put(data, timeout=_LOOK)
                return
            except queue.Full:
                continue

    def end(self) -> None:
        """There are no more."""
        while not (self._over.is_set() or self._broken.is_set()):
            try:
                self._pieces.put(b"", timeout=_LOOK)
                return
            except queue.Full:
                continue

    def give_up(self) -> None:
        """The one who has bytes has no more although some are missing: the request breaks off."""
        self._broken.set()

    # The one who sends them.

    def read(self, size: int = -1) -> bytes:
        """The next bytes, as many as there are in a piece; empty at the end.

        :raises Stopped: there will be no more although some are missing, or all were taken before.
        """
        del size
        if self._taken:
            raise Stopped("The bytes of the image were sent, and cannot be sent once more")
        while not self._broken.is_set():
            try:
                data = self._pieces.get(timeout=_LOOK)
            except queue.Empty:
                continue
            self._digests.update(data)
            self._taken = not data
            return data
        raise Stopped("The bytes of the image ended too early")

    def leave(self) -> None:
        """The one who sends is gone."""
        self._over.set()

    # Both, at the end.

    def digest(self) -> str:
        """Hexadecimal digest of what was sent.

        :raises LandscapeError: that is not all.
        """
        if self._digests.size != self.size:
            raise LandscapeError(f"{self._digests.size} of {self.size} bytes of the image were sent")
        return next(iter(self._digests.values().values()))
