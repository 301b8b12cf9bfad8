# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The points of a run: each taken once, when the first volume of its server is due, and gone when the last one is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Callable

from ...core.errors import LandscapeError
from .model import moment
from .nova import Points
from .points import Leftover, Point, Server, leftover_of

#: Seconds after which Nova has made all snapshots of a server and we have marked them.
_MARKED = 900.0


class Moments:
    """Points that are held while volumes of their servers are backed up; safe to use from many threads.

    :param servers: the server of each volume that is worked on.
    :ivar problems: what could not be removed, one sentence each.
    """

    def __init__(self, points: Points, consistency: str, servers: Mapping[str, Server]) -> None:
        self.points, self.consistency, self.servers = points, consistency, dict(servers)
        self.problems: list[str] = []
        self._waiting: dict[str, set[str]] = {}
        for volume, server in self.servers.items():
            self._waiting.setdefault(server.id, set()).add(volume)
        self._locks = {server: threading.Lock() for server in self._waiting}
        self._taken: dict[str, Point | LandscapeError] = {}

    def of(self, volume: str) -> Point:
        """The point of a volume's server; who comes first takes it for all.

        :raises LandscapeError: it could not be taken, or the volume is not in it.
        """
        server = self.servers[volume]
        with self._locks[server.id]:
            if server.id not in self._taken:
                wanted = sorted(one for one, other in self.servers.items() if other.id == server.id)
                try:
                    self._taken[server.id] = self.points.take(server, self.consistency, wanted)
                except LandscapeError as error:
                    self._taken[server.id] = error
        found = self._taken[server.id]
        if isinstance(found, LandscapeError):
            raise found
        if not found.snapshot(volume):
            raise LandscapeError(f"the point of server {server} does not hold volume {volume}, it was attached later")
        return found

    def done(self, volume: str) -> None:
        """A volume needs its point no more; the last one of a server lets it go."""
        server = self.servers.get(volume)
        if server is None:
            return
        with self._locks[server.id]:
            waiting = self._waiting[server.id]
            waiting.discard(volume)
            if not waiting:
                self._release(server)

    def close(self) -> None:
        """Lets go what is still held."""
        by_id = {server.id: server for server in self.servers.values()}
        for identifier in sorted(one for one, waiting in self._waiting.items() if waiting):
            self._waiting[identifier].clear()
            self._release(by_id[identifier])

    def _release(self, server: Server) -> None:
        try:
            self.points.release(server)
        except LandscapeError as error:
            then = "the next start of this run removes it, or any run a day later"
            self.problems.append(f"the point of server {server} is not removed: {error.message}; {then}")


def leftovers(points: Points, servers: Iterable[Server]) -> list[Leftover]:
    """What a killed run left and nobody needs: of other runs once it is old, of this run when its servers have no work left.

    Two tasks may have one name for their run, so what another process works with is left to it. Nova's own snapshots say
    nothing of their process before they are marked, so young ones are left, too.

    :param servers: those of this run whose volumes are still worked on.
    """
    busy = {one.id for one in servers}
    snapshots: Sequence[Mapping[str, object]] = points.cinder.snapshots()
    images = points.cloud.pages("image", "/images", "images", visibility="private", limit=500)
    mine = [leftover_of(kind, one) for kind, ones in (("image", images), ("snapshot", snapshots)) for one in ones]
    ours = [one for one in mine if one is not None and one.run == points.run]
    held = {one.server for one in ours if points.in_use(one.maker)} | busy
    unmarked = time.time() - _MARKED
    own = [
        one for one in ours if one.server not in held and (one.maker.mark or moment(one.created).timestamp() < unmarked)
    ]
    return [*own, *points.leftovers()]


def cleared(points: Points, found: Sequence[Leftover], say: Callable[[str], None]) -> list[str]:
    """Removes leftovers; what is still there, one sentence each."""
    for one in found:
        say(f"removing {one}, which a killed run left")
    try:
        points.remove(found)
    except LandscapeError as error:
        return [error.message]
    return []
