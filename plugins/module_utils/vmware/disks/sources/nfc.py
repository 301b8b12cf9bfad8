# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Disks of an export lease: one stream each, decoded while it comes; the lease is kept alive from a thread of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Callable, Protocol

from ....core.errors import LandscapeError
from ....core.transfer import Piece, with_holes
from ..layout import from_start
from ..stream import Decoder
from ..web.client import SessionLike, Web, host_of_url

#: Most seconds between two calls that keep a lease.
_EVERY = 30.0


class LeaseLike(Protocol):
    """What is needed of a lease, see :class:`...leases.client.Lease`."""

    timeout: int

    def progress(self, percent: int) -> None:
        """Says how far we are, which keeps it."""


@contextlib.contextmanager
def kept(lease: LeaseLike, percent: Callable[[], float], every: float = 0.0) -> Iterator[Callable[[], None]]:
    """Keeps a lease for the time of the block, however slow the disks come; gives what raises when it is lost already.

    :param percent: how far we are, from 0 to 100.
    :param every: seconds between two calls; a quarter of the lease's timeout when left out.
    :raises LandscapeError: the lease was lost meanwhile, and the block ended without an error.
    """
    over, lost = threading.Event(), list[LandscapeError]()
    pause = every or max(1.0, min(_EVERY, lease.timeout / 4))

    def keep() -> None:
        missed = 0
        while not over.wait(pause):
            try:
                # 100 would say that all is there; that is said once, by completing it.
                lease.progress(min(99, int(percent())))
                missed = 0
            except LandscapeError as error:
                missed += 1
                if missed * pause * 2 > lease.timeout:
                    lost.append(error)
                    return

    def check() -> None:
        if not lost:
            try:
                lease.progress(min(99, int(percent())))
            except LandscapeError as error:
                lost.append(error)
        if lost:
            raise _lost(lost[0])

    thread = threading.Thread(target=keep, name="keeps-a-lease", daemon=True)
    thread.start()
    try:
        yield check
    finally:
        over.set()
        thread.join(10)
    if lost:
        raise _lost(lost[0])


def _lost(error: LandscapeError) -> LandscapeError:
    return LandscapeError(f"The lease could not be kept: {error.message}")


class LeaseSource:
    """One disk of a lease; see :class:`....core.transfer.Source`.

    :param url: as the lease says it, with a host.
    :param thumbprint: of the host, as the lease says it.
    :param size: bytes of the disk; the stream has to be of a disk like that.
    :ivar place: bytes of the disk that were decoded.
    """

    restartable = False

    def __init__(self, session: SessionLike, url: str, name: str, size: int, thumbprint: str = "") -> None:
        self.name, self.size = name, size
        self.place = 0
        self._host, self._path = host_of_url(session, url, thumbprint)

    def pieces(self, begin: int = 0) -> Iterator[Piece]:
        """See :class:`....core.transfer.Source`."""
        from_start(begin, self.name)
        self.place = 0
        web = Web(self._host)
        try:
            with web.ask("GET", self._path, self.name) as answer:
                if answer.status != 200:
                    raise answer.refusal()
                for piece in with_holes(Decoder(answer.chunks(), self.name, expected=self.size).pieces()):
                    self.place = piece.end
                    yield piece
        finally:
            web.close()
