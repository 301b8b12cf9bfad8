# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""One image from its plan to its end: bytes, proof, properties, and only then visibility.

What an import made is removed when it fails, and carries a mark until it is finished; so a run that is killed leaves
something that the next one finds, and nothing that anybody else can see.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, BinaryIO, Callable

from ...core.errors import LandscapeError
from ...core.stream import Meter, Stopped, say
from ...core.units import format_bytes, format_seconds
from ..model import CloudError, ForbiddenError, UnreachableError, is_passing, without_secrets
from . import model, owner, plan, proof
from .cache import Cache, Cached, measure
from .glance import Glance, ImportFailedError
from .hold import Hold
from .model import Digest
from .plan import Todo
from .policy import Way
from .proof import Progress, Sent, Settings

#: How often the same bytes are sent to a service that loses them.
_SENDS = 4
#: Seconds in which a service notices that a line broke.
_NOTICED = 20.0


class Importer:
    """Carries out plans of images; one object for a whole task, used from many threads.

    :param fetch: gives a reader for the bytes of an image in the service: ``fetch(id, timeout)`` yields chunks.
    """

    def __init__(
        self,
        glance: Glance,
        cache: Cache,
        settings: Settings,
        fetch: Callable[[str, float], Any],
        stop: threading.Event,
    ) -> None:
        self.glance, self.cache, self.settings, self.stop = glance, cache, settings, stop
        self.hold = Hold(glance)
        self._proof = proof.Proof(cache, fetch, settings, stop)

    def carry_out(self, todo: Todo, progress: Progress) -> dict[str, Any]:
        """Does everything that a plan says; what became of the image.

        :raises LandscapeError: it failed; what this module made of it is gone again.
        """
        try:
            return self._carried_out(todo, progress)
        except LandscapeError as error:
            # The service repeats addresses in its refusals.
            error.message = without_secrets(error.message, todo.wanted.urls)
            raise

    def _carried_out(self, todo: Todo, progress: Progress) -> dict[str, Any]:
        began = time.monotonic()
        for leftover in todo.leftovers:
            progress.phase = "removing what a killed run left"
            self.hold.remove_leftover(leftover)
        told: dict[str, Any] = {"method": None, "reason": None, "verified": {}, "stores": {}, "bytes": 0}
        if todo.ways:
            image = self._bring(todo, progress, told)
        else:
            image = dict(todo.image or {})
        try:
            image = self._finish(todo, image, progress, told)
        except Stopped:
            raise
        except LandscapeError:
            if todo.ways:
                self.hold.undo(todo.wanted, str(image["id"]))
            raise
        if todo.ways or todo.copies:
            for store in todo.wanted.stores:
                told["stores"].setdefault(store, "failed: the image did not get there")
        told.update(image=image, seconds=round(time.monotonic() - began, 1))
        progress.phase = "done"
        return told

    # Bytes.

    def _bring(self, todo: Todo, progress: Progress, told: dict[str, Any]) -> dict[str, Any]:
        """The image with its bytes, proven, by the first way that works."""
        refused: list[str] = []
        # That what a killed run began cannot be continued says nothing about the way: it is tried from the start, too.
        ways = [*todo.ways[:1], *todo.ways] if todo.image else [*todo.ways]
        for number, way in enumerate(ways):
            last = number == len(ways) - 1
            try:
                image = self._by(way, todo if number == 0 else self._anew(todo), progress, told)
                reasons = [*refused, way.reason]
                told.update(method=way.method, reason="; ".join(reasons))
                return image
            except Stopped:
                raise
            except (CloudError, ImportFailedError) as error:
                if last or isinstance(error, UnreachableError):
                    raise
                refused.append(f"not {way.method}: {without_secrets(error.message, todo.wanted.urls)}")
                say(f"{progress.name}: {refused[-1]}")
        raise AssertionError("the last way returns or raises")

    def _anew(self, todo: Todo) -> Todo:
        """The plan for another way: the image of the first is gone, or kept where its id is fixed."""
        kept = self.glance.show(todo.wanted.id) if todo.wanted.id else None
        ours = kept is not None and kept["status"] == "queued" and kept.get(model.STATE) == owner.NOBODY
        return replace(todo, image=kept if ours else None, leftovers=())

    def _by(self, way: Way, todo: Todo, progress: Progress, told: dict[str, Any]) -> dict[str, Any]:
        cached = None
        if way.method in ("upload", "glance-direct") and not _is_done(todo.image):
            cached = self._local(todo, progress)
            told["bytes"] = cached.size
        image = self.hold.take(todo) if todo.image else self._create(todo)
        progress.identifier = str(image["id"])
        try:
            if image["status"] == "queued" and "os_glance_import_task" not in image:
                if cached is not None:
                    image = self._push(way, todo, image, cached, progress)
                else:
                    self._order(way, todo, image)
            progress.phase, progress.meter = "importing in the service", Meter()
            image = self.glance.settle(str(image["id"]), within=self._limit(way), seen=_shows(progress, todo))
            self._proof.check(way, todo, image, cached, progress, told)
        except Stopped:
            raise
        except LandscapeError:
            self.hold.undo(todo.wanted, progress.identifier)
            raise
        return image

    def _limit(self, way: Way) -> float:
        """A download by the service shows no progress, so it has its own limit."""
        return self.settings.service if way.method != "upload" else self.settings.stall

    def _local(self, todo: Todo, progress: Progress) -> Cached:
        digest = todo.digest
        if digest is None:
            raise LandscapeError(f"image {todo.wanted.name}: bytes without a digest are not sent")
        if todo.wanted.file:
            progress.phase = "reading"
            return measure(os.path.expanduser(todo.wanted.file), digest, progress.meter, self.stop)
        progress.phase = "downloading"
        return self.cache.get(digest, todo.wanted.urls, progress.meter)

    def _create(self, todo: Todo) -> dict[str, Any]:
        wanted = todo.wanted
        identifier = wanted.id or model.new_id()
        body: dict[str, Any] = {
            "id": identifier,
            "name": wanted.name,
            "visibility": "private",
            "os_hidden": True,  # bytes that are not proven yet must not be found by name, not even in the project
            "disk_format": wanted.disk_format,
            "container_format": wanted.container_format,
            "min_disk": wanted.min_disk or 0,
            "min_ram": wanted.min_ram or 0,
            "tags": list(wanted.tags or ()),
            **wanted.properties,
            model.STATE: self.hold.mark,
            model.SELF: identifier,
        }
        noted = plan.mark_of(wanted, todo.digest)
        if noted:
            body[model.DIGEST] = noted
        if wanted.properties:
            body[model.OWNED] = ",".join(sorted(wanted.properties))
        image = self.glance.create(body)
        self.hold.keep(str(image["id"]))
        return image

    def _push(self, way: Way, todo: Todo, image: dict[str, Any], cached: Cached, progress: Progress) -> dict[str, Any]:
        """Sends a file; again when the service or the line loses it on the way."""
        direct = way.method == "glance-direct"
        store = "" if direct or not todo.wanted.stores else todo.wanted.stores[0]
        for attempt in range(_SENDS):
            progress.phase = "sending"
            try:
                self._send(image, "stage" if direct else "file", cached, store, progress, todo.digest)
                failure = None
            except CloudError as error:
                failure = error
            if failure is None:
                break
            # Where all bytes are there, the service may still be writing them: then it gets its time.
            whole = progress.meter.done >= cached.size and failure.status in (0, 502, 504)
            now = self.glance.rest(str(image["id"]), self.settings.service if whole and not direct else _NOTICED)
            if now and now["status"] == "active":
                break  # the answer was lost, not the bytes
            if attempt == _SENDS - 1 or not is_passing(failure):
                raise failure
            say(f"{progress.name}: sending again, {failure.message}")
            self.glance.pause(failure.wait, attempt)
            image = self._again(todo, now, image)
            progress.identifier = str(image["id"])
        if direct:
            proof.check_staged(todo, self.glance.show(str(image["id"])) or image, cached)
            self._order(way, todo, image)
        return image

    def _again(self, todo: Todo, now: Mapping[str, Any] | None, image: dict[str, Any]) -> dict[str, Any]:
        """An image that can take the bytes once more: the same one, or another where it cannot."""
        if now is not None:
            now = self.hold.check(str(image["id"]))
            if now["status"] == "queued":
                return now
            self.glance.remove(str(image["id"]))
        self.hold.release(str(image["id"]))
        return self._create(todo)

    def _send(
        self, image: Mapping[str, Any], part: str, cached: Cached, store: str, progress: Progress, digest: Digest | None
    ) -> None:
        with _opened(cached.path) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size != cached.size:
                raise LandscapeError(f"{cached.path} changed while it was sent")
            progress.meter.begin(size)
            body = Sent(stream, size, progress.meter, self.stop, digest if part == "stage" else None)
            self.glance.send(str(image["id"]), part, body, store=store, timeout=self.settings.stall)
            body.check(cached.path)
            progress.sent += size

    def _order(self, way: Way, todo: Todo, image: Mapping[str, Any]) -> None:
        wanted = todo.wanted
        method: dict[str, Any] = {"name": way.method}
        if way.method == "glance-download" and wanted.remote:
            method.update(glance_region=wanted.remote[0], glance_image_id=wanted.remote[1])
        if way.method != "web-download":
            self.glance.order(image, method, wanted.stores)
            return
        failure: CloudError | None = None
        for url in wanted.urls:
            try:
                self.glance.order(image, {**method, "uri": url}, wanted.stores)
                return
            except CloudError as error:
                if error.status != 400:
                    raise
                failure = error  # not a host or port that this cloud allows; perhaps the next mirror is
        if failure:
            raise failure

    # The end.

    def _finish(self, todo: Todo, image: dict[str, Any], progress: Progress, told: dict[str, Any]) -> dict[str, Any]:
        progress.phase, progress.meter = "setting properties", Meter()
        if todo.changes:
            image = self.glance.converge(image, todo.changes)
        if todo.copies:
            image = self._copy(todo, image, progress, told)
        final = dict(todo.final)
        if image.get(model.STATE):
            final[model.STATE] = None
        if not final:
            return image
        progress.phase = "publishing"
        if model.STATE in final:
            self.hold.check_alone(todo.wanted, str(image["id"]))
            self.hold.release(str(image["id"]))
        try:
            return self.glance.converge(image, final)
        except ForbiddenError as error:
            if todo.final.get("visibility") in ("public", "community"):
                error.hint = f"This token may not make images {todo.final['visibility']}; its roles do not allow it"
            raise

    def _copy(self, todo: Todo, image: dict[str, Any], progress: Progress, told: dict[str, Any]) -> dict[str, Any]:
        """Copies into further stores; one that fails is told, and does not undo what is there."""
        progress.phase = "copying to further stores"
        told["stores"] = dict.fromkeys(model.stores_of(image), "active")
        try:
            self.glance.order(image, {"name": "copy-image"}, todo.copies)
            image = self.glance.settle(str(image["id"]), within=self.settings.service, seen=_shows(progress, todo))
        except (CloudError, ImportFailedError) as error:
            if isinstance(error, UnreachableError):
                raise
            told["stores"].update(
                dict.fromkeys(todo.copies, f"failed: {without_secrets(error.message, todo.wanted.urls)}")
            )
            return self.glance.show(str(image["id"])) or image
        present = model.stores_of(image)
        told["stores"].update({store: "active" if store in present else "failed" for store in todo.copies})
        return image


def _opened(path: str) -> BinaryIO:
    """A file that was there a moment ago.

    :raises LandscapeError: it is not any more.
    """
    try:
        return open(path, "rb")
    except OSError as error:
        raise LandscapeError(f"{path} cannot be read: {error.strerror}", hint="Run again") from error


def _is_done(image: Mapping[str, Any] | None) -> bool:
    """Whether the bytes of a kept image are in the service already, or on their way without us."""
    return bool(image) and (image or {})["status"] != "queued"


def _shows(progress: Progress, todo: Todo) -> Callable[[str], None]:
    def seen(text: str) -> None:
        progress.phase = f"importing in the service ({without_secrets(text, todo.wanted.urls)})"

    return seen


def summary(told: Mapping[str, Any]) -> str:
    """One line for people about an image that is done."""
    method, seconds = told.get("method"), float(told.get("seconds") or 0)
    if not method:
        return f"nothing to transfer, done in {format_seconds(seconds)}"
    # What the service fetched itself never passed here, but it knows how much it was.
    size = int(told.get("bytes") or (told.get("image") or {}).get("size") or 0)
    rate = f", {format_bytes(size / seconds)}/s" if size and seconds else ""
    return f"{method}: {format_bytes(size)} in {format_seconds(seconds)}{rate}"
