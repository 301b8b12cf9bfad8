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
from dataclasses import dataclass, field
from typing import Any, Callable

from ...core.errors import LandscapeError
from ...core.stream import Digests, Meter, Metered, Stopped, say
from ...core.units import format_bytes, format_seconds
from ..model import CloudError, ForbiddenError, UnreachableError
from . import model, owner, plan
from .cache import Cache, Cached, measure
from .glance import Glance, ImportFailedError
from .plan import Todo
from .policy import Way

#: How often the same bytes are sent to a service that loses them.
_SENDS = 4
#: Seconds in which a service notices that a line broke.
_NOTICED = 20.0


@dataclass
class Progress:
    """Where one image is; read by the thread that tells people."""

    name: str
    phase: str = "waiting"
    meter: Meter = field(default_factory=Meter)
    sent: int = 0

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
        self.glance, self.cache, self.settings, self.fetch, self.stop = glance, cache, settings, fetch, stop
        self.mark = owner.mark()

    def carry_out(self, todo: Todo, progress: Progress) -> dict[str, Any]:
        """Does everything that a plan says; what became of the image.

        :raises LandscapeError: it failed; what this module made of it is gone again.
        """
        began = time.monotonic()
        for leftover in todo.leftovers:
            progress.phase = "removing what a killed run left"
            # Bytes that were on their way may still be: the service first has to notice that the line broke.
            if self.glance.rest(str(leftover["id"])) is not None:
                self.glance.remove(str(leftover["id"]))
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
                self._undo(str(image["id"]))
            raise
        told.update(image=image, seconds=round(time.monotonic() - began, 1))
        progress.phase = "done"
        return told

    # Bytes.

    def _bring(self, todo: Todo, progress: Progress, told: dict[str, Any]) -> dict[str, Any]:
        """The image with its bytes, proven, by the first way that works."""
        refused: list[str] = []
        for number, way in enumerate(todo.ways):
            last = number == len(todo.ways) - 1
            try:
                image = self._by(way, todo if number == 0 else _without_image(todo), progress, told)
                reasons = [*refused, way.reason]
                told.update(method=way.method, reason="; ".join(reasons))
                return image
            except Stopped:
                raise
            except (CloudError, ImportFailedError) as error:
                if last or isinstance(error, UnreachableError):
                    raise
                refused.append(f"not {way.method}: {error.message}")
                say(f"{progress.name}: {refused[-1]}")
        raise AssertionError("the last way returns or raises")

    def _by(self, way: Way, todo: Todo, progress: Progress, told: dict[str, Any]) -> dict[str, Any]:
        cached = None
        if way.method in ("upload", "glance-direct") and not _is_done(todo.image):
            cached = self._local(todo, progress)
            told["bytes"] = cached.size
        image = dict(todo.image) if todo.image else self._create(todo)
        try:
            if image["status"] == "queued" and "os_glance_import_task" not in image:
                if cached is not None:
                    image = self._push(way, todo, image, cached, progress)
                else:
                    self._order(way, todo, image)
            progress.phase, progress.meter = "importing in the service", Meter()
            image = self.glance.settle(str(image["id"]), within=self._limit(way), seen=_shows(progress))
            self._prove(way, todo, image, cached, progress, told)
        except Stopped:
            raise
        except LandscapeError:
            self._undo(str(image["id"]))
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
            "disk_format": wanted.disk_format,
            "container_format": wanted.container_format,
            "min_disk": wanted.min_disk,
            "min_ram": wanted.min_ram,
            "tags": list(wanted.tags or ()),
            **wanted.properties,
            model.STATE: self.mark,
            model.SELF: identifier,
        }
        noted = plan.mark_of(wanted, todo.digest)
        if noted:
            body[model.DIGEST] = noted
        if wanted.properties:
            body[model.OWNED] = ",".join(sorted(wanted.properties))
        return self.glance.create(body)

    def _push(self, way: Way, todo: Todo, image: dict[str, Any], cached: Cached, progress: Progress) -> dict[str, Any]:
        """Sends a file; again when the service or the line loses it on the way."""
        direct = way.method == "glance-direct"
        store = "" if direct or not todo.wanted.stores else todo.wanted.stores[0]
        for attempt in range(_SENDS):
            progress.phase = "sending"
            try:
                self._send(image, "stage" if direct else "file", cached, store, progress)
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
            if attempt == _SENDS - 1 or not _is_passing(failure):
                raise failure
            say(f"{progress.name}: sending again, {failure.message}")
            image = self._again(todo, now, image)
        if direct:
            self._order(way, todo, image)
        return image

    def _again(self, todo: Todo, now: Mapping[str, Any] | None, image: dict[str, Any]) -> dict[str, Any]:
        """An image that can take the bytes once more: the same one, or another where it cannot."""
        if now is not None and now["status"] == "queued":
            return dict(now)
        if now is not None:
            self.glance.remove(str(image["id"]))
        return self._create(todo)

    def _send(self, image: Mapping[str, Any], part: str, cached: Cached, store: str, progress: Progress) -> None:
        with open(cached.path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size != cached.size:
                raise LandscapeError(f"{cached.path} changed while it was sent")
            progress.meter.begin(size)
            body = Metered(stream, size, progress.meter, self.stop)
            self.glance.send(str(image["id"]), part, body, store=store, timeout=self.settings.stall)
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

    # Proof.

    def _prove(
        self,
        way: Way,
        todo: Todo,
        image: dict[str, Any],
        cached: Cached | None,
        progress: Progress,
        told: dict[str, Any],
    ) -> None:
        """Compares what the service holds with what was meant, while nobody else can see it.

        :raises ImportFailedError: it holds other bytes.
        """
        digest, verified = todo.digest, told["verified"]
        told["stores"] = dict.fromkeys(model.stores_of(image), "active")
        told["stores"].update(dict.fromkeys(model.failed_stores_of(image), "failed"))
        algorithm, value = str(image.get("os_hash_algo") or ""), str(image.get("os_hash_value") or "")
        verified["hash"] = f"{algorithm}:{value}" if value else None
        if digest is None:
            verified["by"] = "nothing: the other region has the digest"
            return
        verified["digest"] = str(digest)
        known = {**(cached.digests if cached else {}), digest.algorithm: digest.value}
        if todo.wanted.convert and way.method == "glance-direct":
            verified["by"] = "the bytes before they were sent; the service converts them"
            return
        if not self.settings.readback and known.get(algorithm) == value:
            verified["by"] = "the hash of the service"
            return
        if known.get(algorithm) not in (None, value):
            if cached is not None and not todo.wanted.file:
                self.cache.forget(digest)
            raise ImportFailedError(
                f"image {todo.wanted.name}: the service holds other bytes than were meant"
                f" ({algorithm} {value}, wanted {known[algorithm]})",
                hint="Where the service converts what it imports, set convert; otherwise the source or the line is damaged",
            )
        self._read_back(image, todo, progress)
        verified["by"] = "reading all bytes back"

    def _read_back(self, image: Mapping[str, Any], todo: Todo, progress: Progress) -> None:
        digest = todo.digest
        if digest is None:
            return
        progress.phase = "reading back"
        progress.meter.begin(int(image.get("size") or 0))
        digests = Digests([digest.algorithm])
        for chunk in self.fetch(str(image["id"]), self.settings.stall):
            if self.stop.is_set():
                raise Stopped("Reading back was given up, because the run ends")
            digests.update(chunk)
            progress.meter.add(len(chunk))
        found = digests.values()[digest.algorithm]
        if found != digest.value:
            raise ImportFailedError(
                f"image {todo.wanted.name}: the service holds other bytes than were meant"
                f" ({digest.algorithm} {found}, wanted {digest.value})"
            )

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
            image = self.glance.settle(str(image["id"]), within=self.settings.service, seen=_shows(progress))
        except (CloudError, ImportFailedError) as error:
            if isinstance(error, UnreachableError):
                raise
            told["stores"].update(dict.fromkeys(todo.copies, f"failed: {error.message}"))
            return self.glance.show(str(image["id"])) or image
        present = model.stores_of(image)
        told["stores"].update({store: "active" if store in present else "failed" for store in todo.copies})
        return image

    def _undo(self, identifier: str) -> None:
        """Removes an unfinished image of ours, and nothing else."""
        try:
            image = self.glance.show(identifier)
            if image is not None and image.get(model.STATE) and image.get("visibility") == "private":
                self.glance.remove(identifier)
        except CloudError as error:
            # The failure that led here is what people need to read; the mark makes the next run remove it.
            say(f"{identifier} is not removed yet: {error.message}")


def _without_image(todo: Todo) -> Todo:
    """The plan for another way: the image of the first is gone."""
    return Todo(todo.wanted, todo.digest, None, (), todo.ways, {}, todo.final, todo.copies)


def _is_done(image: Mapping[str, Any] | None) -> bool:
    """Whether the bytes of a kept image are in the service already, or on their way without us."""
    return bool(image) and (image or {})["status"] != "queued"


def _is_passing(error: CloudError | None) -> bool:
    """Whether sending once more may help: lost, expired or overloaded, but not too large and not forbidden."""
    status = getattr(error, "status", 0)
    return status in (0, 401, 404, 408, 409, 410, 429) or status >= 500


def _shows(progress: Progress) -> Callable[[str], None]:
    def seen(text: str) -> None:
        progress.phase = f"importing in the service ({text})"

    return seen


def summary(told: Mapping[str, Any]) -> str:
    """One line for people about an image that is done."""
    size, seconds = int(told.get("bytes") or 0), float(told.get("seconds") or 0)
    rate = f", {format_bytes(size / seconds)}/s" if size and seconds else ""
    return f"{told.get('method') or 'nothing to transfer'}: {format_bytes(size)} in {format_seconds(seconds)}{rate}"
