# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The image service (API v2) as far as imports need it: small calls on :class:`..client.Cloud`.

Facts about its behaviour were read in openstack/glance: api/v2/images.py, api/v2/image_data.py and
async_/flows/api_image_import.py of release 33.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Protocol

from ...core.errors import InputError, LandscapeError
from ...core.stream import Stopped
from ..model import Answer, CloudError, ConflictError, UnreachableError
from . import model
from .model import Service

_PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
_BYTES = {"Content-Type": "application/octet-stream"}
_TRIES = 5
#: Seconds between two looks at a state, first and longest.
_LOOK = (0.25, 5.0)
#: Longest pause that a service may ask for, in seconds.
_PAUSE = 120.0


class Caller(Protocol):
    """What we need of a cloud."""

    def call(self, service: str, method: str, path: str, **options: Any) -> Answer:
        """See ``Cloud.call``."""

    def pages(self, service: str, path: str, key: str, **params: Any) -> Iterable[dict[str, Any]]:
        """See ``Cloud.pages``."""


class Body(Protocol):
    """Bytes that are sent: what HTTP libraries take."""

    def __len__(self) -> int:
        """How many there are in all."""

    def read(self, size: int = -1) -> bytes:
        """The next ones, perhaps more than asked for; empty at the end."""


class ImportFailedError(LandscapeError):
    """The service took the order and could not carry it out."""


class Glance:
    """Images of one cloud.

    :param stop: set when the run ends; waiting then ends too.
    """

    def __init__(
        self,
        cloud: Caller,
        *,
        stop: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cloud = cloud
        self._stop = stop or threading.Event()
        self._clock, self._sleep = clock, sleep

    # Looking.

    def service(self) -> Service:
        """What the service can do."""
        told = self._cloud.call("image", "GET", "/info/import", accept=(403, 404)).body or {}
        methods = (told.get("import-methods") or {}).get("value") or ()
        # A cloud with one store answers 404 here.
        stores = (self._cloud.call("image", "GET", "/info/stores", accept=(403, 404)).body or {}).get("stores") or ()
        ordered = sorted(stores, key=lambda one: str(one.get("default", "")).lower() != "true")
        closed = tuple(str(one["id"]) for one in stores if str(one.get("read-only", "")).lower() == "true")
        return Service(tuple(methods), tuple(str(one["id"]) for one in ordered), closed)

    def images(self, project: str, **properties: str) -> list[dict[str, Any]]:
        """All images of a project, hidden ones too (they are missing from a list that does not ask for them).

        :param properties: what they must have.
        :raises InputError: there is no project; then the list would be that of everybody.
        """
        if not project:
            raise InputError("The token has no project, and images belong to one", hint="Log in with a project")
        query: dict[str, Any] = {**properties, "limit": 500, "owner": project}
        found: dict[str, dict[str, Any]] = {}
        for hidden in ("false", "true"):
            for image in self._cloud.pages("image", "/images", "images", os_hidden=hidden, **query):
                if image.get("owner", project) == project:
                    found[image["id"]] = image
        return list(found.values())

    def show(self, identifier: str) -> dict[str, Any] | None:
        """One image, or nothing when it is not there."""
        answer = self._cloud.call("image", "GET", f"/images/{identifier}", accept=(404,))
        return dict(answer.body) if answer.status == 200 else None

    def tasks(self, identifier: str) -> list[dict[str, Any]]:
        """Imports of an image, the newest first; none where the service is too old to say (API 2.12)."""
        answer = self._cloud.call("image", "GET", f"/images/{identifier}/tasks", accept=(403, 404))
        found = (answer.body or {}).get("tasks") or [] if answer.status == 200 else []
        return sorted(found, key=lambda task: str(task.get("created_at", "")), reverse=True)

    # Changing.

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new image with an id of our own: asked for twice, it is there once."""
        answer = self._cloud.call("image", "POST", "/images", json=dict(body), repeat=True, accept=(409,))
        if answer.status == 409:
            there = self.show(str(body["id"]))
            if there is None or there.get(model.STATE) != body.get(model.STATE):
                raise ConflictError(
                    f"The id {body['id']} of image {body['name']} is taken, or was: an image's id is used once",
                    status=409,
                )
            return there
        return dict(answer.body)

    def converge(self, image: Mapping[str, Any], target: Mapping[str, Any]) -> dict[str, Any]:
        """The image with all of ``target`` set (``None`` takes a property away), in one request where it can be.

        An answer that was lost, or a change by somebody else in between, is met by looking and setting what is missing.
        """
        current = dict(image)
        for attempt in range(_TRIES):
            operations = _operations(current, target)
            if not operations:
                return current
            path = f"/images/{image['id']}"
            try:
                current = dict(self._cloud.call("image", "PATCH", path, json=operations, headers=_PATCH).body)
            except CloudError as error:
                if not (isinstance(error, (ConflictError, UnreachableError)) or error.status >= 500):
                    raise
                if attempt == _TRIES - 1:
                    raise
                self._wait_a_little(attempt)
                current = self.show(str(image["id"])) or {}
                if not current:
                    raise
        raise ConflictError(f"Image {image['id']} does not keep what is set: {', '.join(sorted(target))}")

    def mark_anew(self, identifier: str, mark: str) -> None:
        """Renews the mark of an unfinished image; ``replace`` is refused where it has none any more."""
        operation = {"op": "replace", "path": f"/{model.STATE}", "value": mark}
        self._cloud.call("image", "PATCH", f"/images/{identifier}", json=[operation], headers=_PATCH, accept=(404, 409))

    def remove(self, identifier: str, patience: float = 60.0) -> None:
        """Removes an image that must be one of ours; one that is gone is fine. Waits while the service works on it."""
        deadline = self._clock() + patience
        attempt = 0
        while True:
            answer = self._cloud.call("image", "DELETE", f"/images/{identifier}", accept=(404, 409))
            if answer.status != 409 or self._clock() > deadline:
                break
            self._wait_a_little(attempt)
            attempt += 1
        if answer.status == 409:
            raise ConflictError(f"Image {identifier} cannot be removed: {answer.reason}", status=409)

    def send(self, identifier: str, part: str, body: Body, *, store: str = "", timeout: float) -> None:
        """The bytes, once: straight into a store (``file``) or into the staging area (``stage``).

        :raises CloudError: refused, or nobody knows what became of it; look at the image then.
        """
        headers = {**_BYTES, "X-OpenStack-Image-Size": str(len(body))}
        if store:
            headers["X-Image-Meta-Store"] = store
        path = f"/images/{identifier}/{part}"
        self._cloud.call("image", "PUT", path, data=body, headers=headers, timeout=timeout)

    def order(self, image: Mapping[str, Any], method: Mapping[str, Any], stores: Iterable[str] = ()) -> None:
        """Orders an import. A lost answer is met by looking whether the order was taken.

        The SDK's own call does not look at the answer, so a host that is not allowed would seem to be imported.
        """
        body: dict[str, Any] = {"method": dict(method)}
        wanted = list(stores)
        if wanted:
            # One store that fails must not take the others with it; each is reported.
            body.update(stores=wanted, all_stores_must_succeed=False)
        path, before = f"/images/{image['id']}/import", len(self.tasks(str(image["id"])))
        for attempt in range(_TRIES):
            try:
                self._cloud.call("image", "POST", path, json=body)
                return
            except CloudError as error:
                if not isinstance(error, UnreachableError) and error.status not in (409, 500, 502, 503, 504):
                    raise
                self._wait_a_little(attempt)
                if self._was_taken(image, before):
                    return
                if error.status == 409 or attempt == _TRIES - 1:
                    raise

    def _was_taken(self, image: Mapping[str, Any], before: int) -> bool:
        now = self.show(str(image["id"])) or {}
        if "os_glance_import_task" in now or now.get("status") == "importing":
            return True
        return len(self.tasks(str(image["id"]))) > before

    # Waiting.

    def settle(
        self, identifier: str, *, within: float, seen: Callable[[str], None] = lambda _text: None
    ) -> dict[str, Any]:
        """Waits for an import to end: the image, active, with nothing left to do.

        :param within: seconds without any sign of progress after which it is given up.
        :raises ImportFailedError: it failed, was given up, or the image went away.
        """
        attempt, sign, since = 0, "", self._clock()
        while True:
            image = self.show(identifier)
            if image is None:
                raise ImportFailedError(f"Image {identifier} went away while it was imported")
            busy = "os_glance_import_task" in image or bool(model.importing_stores_of(image))
            if not busy:
                return self._settled(image)
            newest = (self.tasks(identifier) or [{}])[0]
            told = str(newest.get("message") or image["status"])
            now = "|".join(map(str, (image["status"], image.get("updated_at"), told, newest.get("updated_at"))))
            if now != sign:
                sign, since = now, self._clock()
                seen(told)
            elif self._clock() - since > within:
                raise ImportFailedError(
                    f"The import of image {identifier} showed no progress for {within:.0f} s (status {image['status']})"
                )
            self._wait_a_little(attempt)
            attempt += 1

    def _settled(self, image: dict[str, Any]) -> dict[str, Any]:
        if image["status"] == "active":
            return image
        newest = (self.tasks(str(image["id"])) or [{}])[0]
        reason = newest.get("message") or "the service does not say why; its log does"
        failed = ", ".join(model.failed_stores_of(image))
        stores = f" (stores that failed: {failed})" if failed else ""
        raise ImportFailedError(f"The service did not import image {image['id']}: {reason}{stores}")

    def rest(self, identifier: str, patience: float = 20.0) -> dict[str, Any] | None:
        """The image after a transfer that broke, once the service has noticed; nothing when it removed it."""
        deadline, attempt = self._clock() + patience, 0
        while True:
            image = self.show(identifier)
            if image is None or image["status"] not in ("saving", "uploading") or self._clock() > deadline:
                return image
            self._wait_a_little(attempt)
            attempt += 1

    def pause(self, asked: float, attempt: int) -> None:
        """The pause before the same bytes are sent again: as long as the service asks for, within bounds."""
        if self._stop.wait(max(min(asked, _PAUSE), min(_LOOK[1], _LOOK[0] * 2.0**attempt))):
            raise Stopped("Waiting was given up, because the run ends")

    def _wait_a_little(self, attempt: int) -> None:
        if self._stop.is_set():
            raise Stopped("Waiting was given up, because the run ends")
        self._sleep(min(_LOOK[1], _LOOK[0] * 1.5 ** min(attempt, 20)))


def _operations(image: Mapping[str, Any], target: Mapping[str, Any]) -> list[dict[str, Any]]:
    """JSON patch (RFC 6902) for what differs; ``add`` also replaces, in version 2.1 of Glance's patches."""
    found: list[dict[str, Any]] = []
    for name in sorted(target):
        value, pointer = target[name], "/" + name.replace("~", "~0").replace("/", "~1")
        current = sorted(image.get(name) or ()) if name == "tags" else image.get(name)
        if value is None and name in image:
            found.append({"op": "remove", "path": pointer})
        elif value is not None and current != value:
            found.append({"op": "add", "path": pointer, "value": value})
    return found
