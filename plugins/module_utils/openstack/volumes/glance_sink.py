# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A disk into an image of Glance while it is read: nothing is kept on this machine, and nothing can be gone on with.

Without extents the image is raw and every zero travels. With them it is a QCOW2 file with the stretches that may hold data.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...core.errors import LandscapeError
from ...core.stream import CHUNK, Stopped
from ...core.transfer import Piece, pieces_of
from ..images.glance import Glance
from ..images.model import new_id
from ..model import ConflictError
from . import qcow2
from .body import PipeBody

#: Seconds after a lost answer in which an image becomes active, or the service notices that bytes are missing.
_RESTS = 60.0
#: Seconds in which an image that nothing stands on can be removed.
_GOES = 5.0


class GlanceSink:
    """One image.

    :param glance: of the cloud that it is for.
    :param properties: further ones, by which it is found again.
    :param extents: offset and length of all that may hold other bytes than zeroes; nothing when nobody knows.
    :param store: id of a store, empty for the default.
    :param stall: seconds without progress after which it is given up.
    :ivar identifier: of the image.
    :ivar length: bytes that are sent.
    """

    resumable = False

    def __init__(
        self,
        cloud: Any,
        glance: Glance,
        name: str,
        size: int,
        properties: Mapping[str, str],
        *,
        extents: Sequence[tuple[int, int]] | None = None,
        store: str = "",
        stall: float = 300.0,
    ) -> None:
        self.name, self.size = f"image {name}", size
        self._cloud, self._glance, self._title, self._properties = cloud, glance, name, dict(properties)
        self._store, self._stall = store, stall
        self._layout = None if extents is None else qcow2.layout(size, extents)
        self._writer = qcow2.Writer(self._layout) if self._layout else None
        self.length = self._layout.length if self._layout else size
        self._body = PipeBody(self.length)
        self._sender: threading.Thread | None = None
        self._failure: LandscapeError | None = None
        self._place, self._whole = 0, False
        self.identifier = ""

    @property
    def format(self) -> str:
        """Disk format of the image."""
        return "qcow2" if self._layout else "raw"

    # Writing.

    def write(self, piece: Piece) -> None:
        """See :class:`core.transfer.Sink`; the first piece is that at 0.

        :raises CloudError: the service refused, or lost the line.
        """
        if piece.offset != self._place:
            raise LandscapeError(f"{self.name}: bytes at {piece.offset} came, and those at {self._place} were next")
        if self._sender is None:
            self._begin()
        self._place = piece.end
        if self._writer is not None:
            for part in self._writer.feed(piece):
                self._put(part)
        elif piece.data is not None:
            self._put(piece.data)
        else:
            for begin in range(0, piece.length, CHUNK):
                self._put(bytes(min(CHUNK, piece.length - begin)))

    def _begin(self) -> None:
        body: dict[str, Any] = {
            "id": new_id(),
            "name": self._title,
            "visibility": "private",
            "os_hidden": True,  # half a disk must not be found by name
            "disk_format": self.format,
            "container_format": "bare",
            **self._properties,
        }
        self.identifier = str(body["id"])  # known before, so that one whose answer is lost is removed as well
        try:
            self._glance.create(body)
        except ConflictError:
            self.identifier = ""  # somebody else's
            raise
        self._sender = threading.Thread(target=self._send, name=self.name, daemon=True)
        self._sender.start()
        for part in self._layout.head() if self._layout else ():
            self._put(part)

    def _put(self, data: bytes) -> None:
        try:
            self._body.put(data)
        except Stopped:
            raise self._why() from None

    def _why(self) -> LandscapeError:
        """Why the sender ended."""
        if self._sender is not None:
            self._sender.join()
        return self._failure or LandscapeError(f"{self.name}: the service took no more bytes, and did not say why")

    def _send(self) -> None:
        try:
            self._glance.send(self.identifier, "file", self._body, store=self._store, timeout=self._stall)
        except LandscapeError as error:
            self._failure = error
        finally:
            self._body.leave()

    def flush(self) -> None:
        """Nothing to do: there is an image when all of it is there, or none."""

    def complete(self) -> None:
        """All was written: waits for the image, and compares what the service says it has.

        :raises LandscapeError: bytes are missing, or the service has others.
        """
        if self._whole:
            return
        if self._place != self.size:
            raise LandscapeError(f"{self.name}: {self._place} of {self.size} bytes came")
        self._body.end()
        if self._sender is not None:
            self._sender.join()
        image = self._glance.rest(self.identifier, self._stall if self._failure is None else _RESTS)
        if image is None or image["status"] != "active":
            raise self._failure or LandscapeError(
                f"{self.name} ({self.identifier}) is {image['status'] if image else 'gone'} after all bytes were sent"
            )
        sent = self._body.digest()  # also when the answer was lost: the bytes were not
        if image.get("size") != self.length:
            raise LandscapeError(f"{self.name}: the service has {image.get('size')} of {self.length} bytes")
        if image.get("os_hash_algo") == "sha512" and image.get("os_hash_value") != sent:
            raise LandscapeError(f"{self.name}: the service has other bytes than were sent")
        self._whole = True

    # Afterwards.

    def read(self, begin: int = 0, end: int | None = None) -> Iterator[Piece]:
        """What the service gives back; always read from the start."""
        self.complete()
        last = self.size if end is None else min(end, self.size)
        path = f"/images/{self.identifier}/file"
        with contextlib.closing(self._cloud.stream("image", path, timeout=self._stall, size=CHUNK)) as chunks:
            found = qcow2.pieces(self._layout, chunks) if self._layout else _raw(chunks)
            for piece in found:
                low, high = max(piece.offset, begin), min(piece.end, last)
                if low < high:
                    data = piece.data[low - piece.offset : high - piece.offset] if piece.data is not None else None
                    yield Piece(low, high - low, data)

    def finish(self) -> None:
        """The image is whole; it stays hidden and private."""
        self.complete()

    def settle(self, target: Mapping[str, Any]) -> None:
        """Whole, and with properties that say so; ``None`` takes one away."""
        self.complete()
        self._glance.converge(self._glance.show(self.identifier) or {"id": self.identifier}, target)

    def abort(self) -> None:
        """Ends what is under way, and removes the image."""
        self._body.give_up()
        if self._sender is not None:
            self._sender.join(self._stall)
        if self.identifier:
            self._glance.rest(self.identifier)
            self.remove()

    def remove(self) -> None:
        """Removes the image.

        :raises ConflictError: something stands on it, as clones of Ceph do.
        """
        self._glance.remove(self.identifier, patience=_GOES)


def _raw(chunks: Iterator[bytes]) -> Iterator[Piece]:
    place = 0
    for chunk in chunks:
        for low in range(0, len(chunk), CHUNK):
            part = chunk[low : low + CHUNK]
            yield from pieces_of(part, place)
            place += len(part)
