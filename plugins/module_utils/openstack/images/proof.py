# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Whether the service holds the bytes that were meant, asked while nobody else can see them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Callable

from ...core.stream import Digests, Meter, Metered, Stopped
from . import model
from .cache import Cache, Cached
from .glance import ImportFailedError
from .model import Digest
from .plan import Todo
from .policy import Way


@dataclass
class Progress:
    """Where one image is; read by the thread that tells people.

    :ivar identifier: the image in the service that gets the bytes.
    """

    name: str
    phase: str = "waiting"
    meter: Meter = field(default_factory=Meter)
    sent: int = 0
    identifier: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.phase}" + (f", {self.meter}" if self.meter.done else "")


@dataclass(frozen=True)
class Settings:
    """Limits of a run.

    :param stall: seconds without progress after which a transfer is given up.
    :param service: seconds for work of the service that shows no progress.
    :param readback: whether the bytes are read from the service again, whatever its own hash says.
    """

    stall: float = 120.0
    service: float = 3600.0
    readback: bool = False
    check: bool = False


class Sent(Metered):
    """A file on its way to the service; what leaves is hashed, where nothing else proves it later.

    :param digest: what must leave; nothing where the service's own hash is compared.
    """

    def __init__(
        self, stream: BinaryIO, size: int, meter: Meter, stop: threading.Event | None, digest: Digest | None
    ) -> None:
        super().__init__(stream, size, meter, stop)
        self._digest = digest
        self._digests = Digests([digest.algorithm] if digest else [])

    def read(self, size: int = -1) -> bytes:
        """See :class:`Metered`."""
        chunk = super().read(size)
        self._digests.update(chunk)
        return chunk

    def check(self, path: str) -> None:
        """Compares what has left.

        :raises ImportFailedError: the file is another one than the one that was verified.
        """
        if self._digest is not None and self._digests.values()[self._digest.algorithm] != self._digest.value:
            raise ImportFailedError(f"{path} changed while it was sent: its {self._digest.algorithm} is another one")


def check_staged(todo: Todo, image: Mapping[str, Any], cached: Cached) -> None:
    """Compares what is in the staging area, as far as the service says what that is.

    :raises ImportFailedError: it is shorter or longer than the file.
    """
    size = image.get("size")
    if isinstance(size, int) and size not in (0, cached.size):
        raise ImportFailedError(
            f"image {todo.wanted.name}: the staging area of the service holds {size} bytes, {cached.size} were sent"
        )


class Proof:
    """Compares what the service holds with what was meant.

    :param fetch: gives a reader for the bytes of an image in the service: ``fetch(id, timeout)`` yields chunks.
    """

    def __init__(
        self, cache: Cache, fetch: Callable[[str, float], Any], settings: Settings, stop: threading.Event
    ) -> None:
        self._cache, self._fetch, self._settings, self._stop = cache, fetch, settings, stop

    def check(
        self,
        way: Way,
        todo: Todo,
        image: Mapping[str, Any],
        cached: Cached | None,
        progress: Progress,
        told: dict[str, Any],
    ) -> None:
        """Compares, and notes what proved it.

        :raises ImportFailedError: the service holds other bytes.
        """
        digest, verified = todo.digest, told["verified"]
        told["stores"] = dict.fromkeys(model.stores_of(image), "active")
        told["stores"].update(dict.fromkeys(model.failed_stores_of(image), "failed"))
        algorithm, value = str(image.get("os_hash_algo") or ""), str(image.get("os_hash_value") or "")
        verified["hash"] = f"{algorithm}:{value}" if value else None
        if digest is None:
            raise ImportFailedError(f"image {todo.wanted.name}: without a digest nothing is proven")
        verified["digest"] = str(digest)
        known = {**(cached.digests if cached else {}), digest.algorithm: digest.value}
        if todo.wanted.convert and way.method == "glance-direct":
            verified["by"] = _CONVERTED
            return
        if not self._settings.readback and known.get(algorithm) == value:
            verified["by"] = "the hash of the service"
            return
        if known.get(algorithm) not in (None, value):
            if cached is not None and not todo.wanted.file:
                self._cache.forget(digest)
            raise ImportFailedError(
                f"image {todo.wanted.name}: the service holds other bytes than were meant"
                f" ({algorithm} {value}, wanted {known[algorithm]})",
                hint="Where the service converts what it imports, set convert; otherwise the source or the line is damaged",
            )
        self._read_back(image, todo, digest, progress)
        verified["by"] = "reading all bytes back"

    def _read_back(self, image: Mapping[str, Any], todo: Todo, digest: Digest, progress: Progress) -> None:
        progress.phase = "reading back"
        progress.meter.begin(int(image.get("size") or 0))
        digests = Digests([digest.algorithm])
        for chunk in self._fetch(str(image["id"]), self._settings.stall):
            if self._stop.is_set():
                raise Stopped("Reading back was given up, because the run ends")
            digests.update(chunk)
            progress.meter.add(len(chunk))
        found = digests.values()[digest.algorithm]
        if found != digest.value:
            raise ImportFailedError(
                f"image {todo.wanted.name}: the service holds other bytes than were meant"
                f" ({digest.algorithm} {found}, wanted {digest.value})"
            )


_CONVERTED = (
    "the bytes while they were sent, and their number in the staging area; not proven: what the service made of them"
)
