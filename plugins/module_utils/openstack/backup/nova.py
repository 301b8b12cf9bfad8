# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Points of servers in Nova, Cinder and Glance: taken once, found again by a run that was killed, removed on every way out."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Callable

from ...core import pool
from ...core.errors import LandscapeError, LockedError
from ..images import owner
from ..model import CloudError, ConflictError, ForbiddenError, NotFoundError, is_unclear
from . import model, points
from .cinder import Cinder
from .points import Leftover, Maker, Part, Point, Server, Way

_NOVA, _CINDER, _GLANCE = "compute", "block-storage", "image"
#: Since the release Pike ``createImage`` answers with the image's id.
_CREATE_IMAGE = "2.45"
#: Since the release Newton lists of servers show tags.
_TAGS = "2.26"
#: Seconds after which a request whose answer was lost, and that nobody noted, has not arrived.
_ARRIVES = 20.0
#: Seconds that an interrupted run takes for the removal of all its points; what is left then, the next run removes.
GRACE = 15.0


class Points:
    """Points of the servers of a cloud, made by one run.

    :param run: marks all that is made here; a second start with the same one goes on with what it finds.
    :param patience: seconds that one point may take, and that its removal may take.
    :param stop: set when the run is interrupted: then no point is taken any more, and removals end after ``GRACE`` seconds.
    :param sleep: a pause that a stop does not shorten.
    """

    def __init__(
        self,
        cloud: Any,
        cinder: Cinder,
        run: str,
        *,
        patience: float = 600.0,
        parallel: int = 4,
        stop: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.cloud, self.cinder, self.run = cloud, cinder, run
        self.patience, self.parallel, self.mark = patience, parallel, owner.mark()
        self._stop = stop or threading.Event()
        self._clock, self._sleep = clock, sleep or time.sleep
        self._known: dict[str, Server] = {}  # as they were when their points were taken
        self._hurry: float | None = None  # when an interrupted run has no time left

    # Servers.

    def servers(self, everywhere: bool = False, tags: bool = False) -> list[Server]:
        """All servers of the project; with an administrator's token those of all projects.

        :raises LandscapeError: tags are wanted, and Nova is older than they are.
        """
        query = {"all_tenants": "1"} if everywhere else {}
        if tags:
            if not self.cloud.microversion(_NOVA, _TAGS):
                raise LandscapeError(f"{self.cloud.name}: servers have no tags there (microversion {_TAGS} of Nova)")
            query["microversion"] = _TAGS
        pages = self.cloud.pages(_NOVA, "/servers/detail", "servers", limit=500, **query)
        return [points.server_of(one) for one in pages]

    def server(self, identifier: str) -> Server | None:
        """A server, or nothing when it is not there."""
        try:
            return points.server_of(self.cloud.get(_NOVA, f"/servers/{identifier}")["server"])
        except NotFoundError:
            return None

    # Taken.

    @contextlib.contextmanager
    def held(self, server: Server, consistency: str, wanted: Sequence[str] = ()) -> Iterator[Point]:
        """A point that is gone afterwards, whatever happens meanwhile.

        :param wanted: the volumes that are needed; all of the server when empty.
        :raises InputError: the server cannot be taken so; nothing was touched.
        :raises LandscapeError: it could not be taken, or something of it could not be removed.
        """
        clean = False
        try:
            yield self.take(server, consistency, wanted)
            clean = True
        finally:
            self._let_go(server, None if clean else sys.exc_info()[1])

    def _let_go(self, server: Server, reason: BaseException | None) -> None:
        """Removes a point; what is left of it is told beside the reason for which the work ended."""
        try:
            self.release(server)
        except LandscapeError as left:
            if reason is None:
                raise
            raise LandscapeError(f"{reason}\n{left}") from reason

    def take(self, server: Server, consistency: str, wanted: Sequence[str] = ()) -> Point:
        """A point of a server; that of an earlier start of this run when it is complete.

        The caller removes it with :meth:`release`, also when this fails. In a large run hours lie between the plan and this,
        so the server is looked at again, before and behind.
        """
        server = self._as_it_is(server)
        volumes = [one for one in (self.cinder.volume(each) for each in server.volumes) if one is not None]
        if not volumes:
            raise LandscapeError(f"server {server} has no volume")
        how = points.way(server, volumes, consistency)
        needed = tuple(wanted) or tuple(one.id for one in volumes)
        found = self._earlier(server, how, needed)
        if found is not None:
            return found
        taken = volumes if how.together else [one for one in volumes if one.id in needed]
        short = points.shortage(self.cinder.limits(), [one.size for one in taken])
        if short:
            raise LandscapeError(f"server {server}: no room for the snapshots of its volumes: {short}")
        if how.together:
            image = self._image(server, how)
            parts, name = self._settled(points.snapshots_of(image), server), str(image["id"])
        else:
            parts, name = self._settled([self._snapshot(server, how, one.id) for one in taken], server), ""
        kept = points.seen_again(server, self.server(server.id), how)
        if consistency == "quiesce_required" and kept.level != "quiesced":
            raise LandscapeError(f"server {server}: quiesce_required was not kept: {kept.why}")
        return self._point(server, kept, parts, name)

    def _as_it_is(self, server: Server) -> Server:
        found = self.server(server.id)
        if found is None:
            raise LandscapeError(f"server {server} is gone")
        both = tuple(dict.fromkeys((*server.volumes, *found.volumes)))
        self._known[server.id] = replace(found, volumes=both)
        return replace(found, from_volume=server.from_volume)  # a run may want its volumes one by one

    def _point(self, server: Server, how: Way, parts: Sequence[Part], image: str = "", resumed: bool = False) -> Point:
        for part in parts:
            body = {"metadata": self._marks(server, how)}
            self.cloud.call(_CINDER, "POST", f"/snapshots/{part.snapshot}/metadata", json=body, repeat=True)
        name = image or min(part.snapshot for part in parts)
        return Point(name, server.id, self.run, how.level, how.why, tuple(parts), image, resumed)

    def _marks(self, server: Server, how: Way) -> dict[str, str]:
        return {
            model.RUN: self.run,
            model.SERVER: server.id,
            model.LEVEL: how.level,
            points.KIND: points.POINT_KIND,
            points.MAKER: self.mark,
        }

    def _earlier(self, server: Server, how: Way, needed: Sequence[str]) -> Point | None:
        """What an earlier start of this run took, when it is whole; what is not is removed."""
        parts, images = self._parts(server), self._images(server)
        if how.together and parts and not images:  # Nova may still be at it
            images = self._until(lambda: self._images(server), _ARRIVES) or []
            parts = self._parts(server)
        self._is_ours(server, parts, images)
        good = ("available", "creating", "backing-up")
        for image in images if how.together else [{"id": ""}]:
            listed = points.snapshots_of(image) if how.together else tuple(part.snapshot for part in parts)
            mine = [part for part in parts if part.snapshot in listed and part.status in good]
            whole = {part.volume for part in mine} >= set(needed) and len(mine) == len(listed) > 0
            promised = {str(image.get(model.LEVEL) or ""), *(part.level for part in mine)} - {""}
            if whole and promised <= {how.level}:
                settled = self._settled([part.snapshot for part in mine], server, good)
                return self._point(server, how, settled, str(image["id"]), resumed=True)
        if parts or images:
            self.release(server)
        return None

    def _is_ours(self, server: Server, parts: Sequence[Part], images: Sequence[Mapping[str, Any]]) -> None:
        """Refuses the point of a process that still works with it.

        :raises LockedError: it does; who goes on with a point removes it in the end.
        """
        makers = [part.maker for part in parts if part.maker.mark] or [points.maker_of(one) for one in images]
        if any(self.in_use(maker) for maker in makers):
            raise LockedError(
                f"server {server}: another process backs it up in run {self.run!r}",
                hint="Let it end, or name the runs apart",
            )

    def in_use(self, maker: Maker) -> bool:
        """Whether the process that made something still works with it; of another machine nobody knows, so it has an hour."""
        return bool(maker.mark) and owner.lives(maker.mark, maker.changed)

    def _image(self, server: Server, how: Way) -> dict[str, Any]:
        """One ``createImage``, and never a second one for an answer that was lost."""
        name = points.name_of(self.run, server.id)
        body = {"createImage": {"name": name, "metadata": self._marks(server, how)}}
        known = self._actions(server)
        for attempt in (0, 1):
            lost = not self._asked(server, body)
            if lost and not self._arrived(server, known) and attempt == 0 and known is not None:
                continue
            found = self._until(lambda: self._images(server), self.patience)
            if found:
                return dict(found[0])
            break
        raise LandscapeError(f"server {server}: Nova made no image of it", hint="Look at the log of Nova's API")

    def _asked(self, server: Server, body: Mapping[str, Any]) -> bool:
        """Asks for an image; whether Nova answered."""
        try:
            path = f"/servers/{server.id}/action"
            self.cloud.call(_NOVA, "POST", path, json=body, microversion=_CREATE_IMAGE, repeat=False)
        except CloudError as error:
            if isinstance(error, ConflictError):
                error.message = f"server {server}: Nova makes no image of it now: {error.message}"
            if not is_unclear(error):
                raise
            return False
        return True

    def _arrived(self, server: Server, known: set[str] | None) -> bool:
        """Whether a request whose answer was lost was carried out, or is being."""

        def trace() -> bool:
            actions = self._actions(server)
            return bool(self._images(server) or self._parts(server) or (actions or set()) - (known or set()))

        return bool(self._until(trace, _ARRIVES))

    def _actions(self, server: Server) -> set[str] | None:
        """The requests for images that Nova noted for a server; nothing when the token may not see them."""
        try:
            found = self.cloud.get(_NOVA, f"/servers/{server.id}/os-instance-actions")["instanceActions"]
        except ForbiddenError:
            return None
        return {str(one["request_id"]) for one in found if one["action"] == "createImage"}

    def _snapshot(self, server: Server, how: Way, volume: str) -> str:
        name = points.name_of(self.run, server.id)
        wanted = {"volume_id": volume, "name": name, "force": True, "metadata": self._marks(server, how)}
        for attempt in (0, 1):
            try:
                answer = self.cloud.call(_CINDER, "POST", "/snapshots", json={"snapshot": wanted}, repeat=False)
                return str(answer.body["snapshot"]["id"])
            except CloudError as error:
                if not is_unclear(error):
                    raise

                def there() -> list[Part]:
                    return [part for part in self._parts(server) if part.volume == volume]

                found = self._until(there, _ARRIVES)
                if found:
                    return str(found[0].snapshot)
                if attempt:
                    raise
        raise AssertionError("unreachable")

    def _settled(
        self, snapshots: Iterable[str], server: Server, good: tuple[str, ...] = ("available",)
    ) -> tuple[Part, ...]:
        """The snapshots, once all of them can be read."""
        wanted = [one for one in good if one != "creating"]
        ids, parts = list(snapshots), [Part("", "")]

        def done() -> bool:
            parts[:] = [points.part_of(self.cloud.get(_CINDER, f"/snapshots/{one}")["snapshot"]) for one in ids]
            bad = [part for part in parts if part.status.startswith("error") or part.status == "deleting"]
            if bad:
                told = ", ".join(f"{part.snapshot} of volume {part.volume} is {part.status}" for part in bad)
                raise LandscapeError(f"server {server}: its volumes could not be taken: snapshot {told}")
            return all(part.status in wanted for part in parts)

        if not ids:
            raise LandscapeError(f"server {server}: the image that Nova made lists no snapshot")
        if not self._until(done, self.patience):
            late = ", ".join(f"{part.snapshot} ({part.status})" for part in parts if part.status not in wanted)
            raise LandscapeError(f"server {server}: snapshots are not ready after {self.patience:.0f} s: {late}")
        return tuple(parts)

    # Found.

    def _images(self, server: Server) -> list[dict[str, Any]]:
        """Images of this run's point of a server, complete ones, the oldest first."""
        name = points.name_of(self.run, server.id)
        pages = self.cloud.pages(_GLANCE, "/images", "images", name=name, visibility="private", limit=100)
        found = [one for one in pages if one.get("name") == name and one.get("status") == "active"]
        return sorted(found, key=lambda one: str(one.get("created_at")))

    def _parts(self, server: Server) -> list[Part]:
        """Snapshots of this run's point of a server."""
        name, found = points.name_of(self.run, server.id), []
        for volume in server.volumes:
            listed = self.cinder.snapshots(volume_id=volume)
            found += [points.part_of(one) for one in listed if str(one.get("name") or "").endswith(name)]
        return found

    # Removed.

    def release(self, server: Server) -> None:
        """Removes what this run took of a server, and waits until it is gone.

        :raises LandscapeError: something is still there; it names it.
        """
        server = self._known.get(server.id, server)
        name = points.name_of(self.run, server.id)
        pages = self.cloud.pages(_GLANCE, "/images", "images", name=name, visibility="private", limit=100)
        mine = [Leftover("image", str(one["id"]), self.run, server.id) for one in pages if one.get("name") == name]
        mine += [Leftover("snapshot", part.snapshot, self.run, server.id) for part in self._parts(server)]
        self.remove(mine)

    def leftovers(self, age: float = 86400.0) -> list[Leftover]:
        """Images and snapshots that runs before this one left and nobody needs.

        :param age: seconds; what is younger may belong to a run that is under way elsewhere.
        """
        bodies: list[tuple[str, Mapping[str, Any]]] = []
        query = {points.KIND: points.POINT_KIND, "visibility": "private", "limit": 500}
        bodies += [("image", one) for one in self.cloud.pages(_GLANCE, "/images", "images", **query)]
        bodies += [("snapshot", one) for one in self.cinder.snapshots()]
        found = [points.leftover_of(kind, body) for kind, body in bodies]
        now = time.time()
        return [one for one in found if one is not None and points.is_orphan(one, self.run, now, age)]

    def remove(self, leftovers: Iterable[Leftover]) -> None:
        """Removes images, then snapshots; waits until they are gone.

        :raises LandscapeError: something is still there; it names it.
        """
        ordered = sorted(leftovers, key=lambda one: one.kind)
        problems = []
        for kind in ("image", "snapshot"):
            mine = [one for one in ordered if one.kind == kind]
            problems += [
                f"{outcome.item} could not be removed: {outcome.error.message}"
                for outcome in pool.each(mine, self._remove, self.parallel)
                if outcome.error is not None
            ]
        if problems:
            raise LandscapeError(
                "\n".join(problems), hint="The next start of this run removes it, or any run a day later"
            )

    def _remove(self, leftover: Leftover) -> None:
        if leftover.kind == "image":
            self.cloud.call(_GLANCE, "DELETE", f"/images/{leftover.id}", accept=(404,))
            return
        path, said = f"/snapshots/{leftover.id}", ""
        asked = False

        def gone() -> bool:
            nonlocal said, asked
            answer = self.cloud.call(_CINDER, "GET", path, accept=(404,))
            if answer.status == 404:
                return True
            status = str(answer.body["snapshot"]["status"])
            said = f"it is {status}"
            if status == "deleting" or (asked and status == "error_deleting"):
                return False
            # A backup that still reads it lets Cinder refuse; a snapshot that is being made, too.
            refused = self.cloud.call(_CINDER, "DELETE", path, accept=(400, 404, 409))
            asked = refused.status == 202
            said = said if asked else f"{said}: {refused.reason}"
            return bool(refused.status == 404)

        if not self._until(gone, self.patience, even_stopped=True):
            late = "the run was interrupted" if self._stop.is_set() else f"{self.patience:.0f} s are over"
            raise LandscapeError(f"{said}, and {late}")

    def _until(self, look: Callable[[], Any], seconds: float, *, even_stopped: bool = False) -> Any:
        """What a look gives once it gives anything; the last one's when the time is over, or the run is stopped.

        :param even_stopped: a stop leaves it a moment, which all that is removed shares.
        """
        end, pause = self._clock() + seconds, 0.2
        while True:
            found = look()
            if self._stop.is_set():
                end = min(end, self._hurried() if even_stopped else 0.0)
            if found or self._clock() + pause > end:
                return found
            self._sleep(pause)
            pause = min(pause * 1.5, 5.0)

    def _hurried(self) -> float:
        if self._hurry is None:
            self._hurry = self._clock() + GRACE
        return self._hurry
