# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""One run's hold on the images it works on: nobody's image but our own is sent to, removed or published.

Glance has no locks, so whoever writes the mark last has the image, and everybody looks before doing what cannot be undone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Callable

from ...core.errors import LandscapeError, LockedError
from ...core.stream import say
from ..model import CloudError
from . import model, owner, plan
from .glance import Glance
from .model import Wanted
from .plan import Todo

#: Seconds after which a mark is renewed: a few times within those after which an image counts as given up.
#: Not more often, because Glance writes a whole image back when one property of it is set.
RENEW = owner.ABANDONED / 4
#: Seconds in which a run whose image has all its bytes publishes it or takes it back, further copies included.
DECIDED = 300.0


class _Held:
    """An image that we work on."""

    def __init__(self, since: float) -> None:
        self.lock, self.since, self.over = threading.Lock(), since, False


class Hold:
    """Marks of a run; one object for a whole task, used from many threads."""

    def __init__(self, glance: Glance, clock: Callable[[], float] = time.monotonic) -> None:
        self._glance, self._clock = glance, clock
        self.mark = owner.mark()
        self._held: dict[str, _Held] = {}

    def has(self, image: Mapping[str, Any] | None) -> bool:
        """Whether an image carries our mark."""
        return image is not None and owner.same(str(image.get(model.STATE) or ""), self.mark)

    def keep(self, identifier: str) -> None:
        """From now on the mark is renewed."""
        self._held[identifier] = _Held(self._clock())

    def release(self, identifier: str) -> None:
        """From now on it is not; when this returns, no renewal is under way any more."""
        held = self._held.pop(identifier, None)
        if held is not None:
            with held.lock:
                held.over = True

    def take(self, todo: Todo) -> dict[str, Any]:
        """The image that an earlier run began, now with our mark.

        :raises LockedError: somebody else has taken it at the same time.
        """
        image = dict(todo.image or {})
        target: dict[str, Any] = {model.STATE: self.mark}
        if image["status"] == "queued":
            # Only the fixed id of an image may have led here, with a digest or formats that have changed since.
            target[model.DIGEST] = plan.mark_of(todo.wanted, todo.digest) or None
            target["disk_format"] = todo.wanted.disk_format
            target["container_format"] = todo.wanted.container_format
        self._glance.converge(image, target)
        found = self.check(str(image["id"]))
        self.keep(str(image["id"]))
        return found

    def check(self, identifier: str) -> dict[str, Any]:
        """The image as it is now.

        :raises LockedError: it is not ours, or not there any more.
        """
        image = self._glance.show(identifier)
        if image is None or not self.has(image):
            what = "was removed" if image is None else "was taken over"
            raise LockedError(
                f"Image {identifier} {what} by another run while this one worked on it",
                hint="Let that run end, and run again",
            )
        return image

    def check_alone(self, wanted: Wanted, identifier: str) -> None:
        """Looks whether our image may be the one of its name: of two runs that began at once, the younger image goes.

        One whose bytes are all there may have looked before ours was made: what becomes of it is waited for. Whoever still
        has bytes to get will look later, and find ours.

        :raises LockedError: it is not ours any more, or another one was first.
        """
        if wanted.id:
            self.check(identifier)  # the service itself sees to it that an id is there once
            return
        deadline, attempt = self._clock() + DECIDED, 0
        while True:
            ours = self.check(identifier)
            rivals = self._rivals(wanted, ours)
            first = [one for one in rivals if not one.get(model.STATE) or _age(one) < _age(ours)]
            late = first or ([] if self._clock() < deadline else rivals)
            if late:
                raise LockedError(
                    f"image {wanted.name}: another run has made {late[0]['id']} meanwhile, so {identifier} is withdrawn",
                    hint="Run again",
                )
            if not any(one["status"] == "active" for one in rivals):
                return
            self._glance.pause(0.0, attempt)
            attempt += 1

    def _rivals(self, wanted: Wanted, ours: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Images of the same name, finished or in the making by a run that lives."""
        query = dict(wanted.match) or {"name": wanted.name}
        found = []
        for other in self._glance.images(str(ours.get("owner") or ""), **query):
            if other["id"] == ours["id"] or not plan.is_meant(other, wanted) or other.get("owner") != ours.get("owner"):
                continue
            state = str(other.get(model.STATE) or "")
            if not state or owner.lives(state, str(other.get("updated_at") or "")):
                found.append(other)
        return found

    def remove_leftover(self, leftover: Mapping[str, Any]) -> None:
        """Removes what a dead run left, unless somebody has taken it since it was planned."""
        identifier = str(leftover["id"])
        # Bytes that were on their way may still be: the service first has to notice that the line broke.
        now = self._glance.rest(identifier)
        if now is not None and now.get(model.STATE) == leftover.get(model.STATE):
            self._glance.remove(identifier)

    def undo(self, wanted: Wanted, identifier: str) -> None:
        """Removes an unfinished image of ours, and nothing else. One whose id is fixed is kept for the next attempt."""
        self.release(identifier)
        try:
            image = self._glance.show(identifier)
            if image is None or not self.has(image) or image.get("visibility") != "private":
                return
            if wanted.id and image["status"] == "queued":
                self._glance.converge(image, {model.STATE: owner.NOBODY})
            else:
                self._glance.remove(identifier)
        except CloudError as error:
            # The failure that led here is what people need to read; the mark makes the next run remove it.
            say(f"{identifier} is not removed yet: {error.message}")

    def renew(self) -> None:
        """Renews the marks of images that take long, so that a run elsewhere does not take them for given up."""
        for identifier, held in list(self._held.items()):
            if self._clock() - held.since < RENEW:
                continue
            with held.lock:
                if held.over:
                    continue
                held.since = self._clock()
                try:
                    if self.has(self._glance.show(identifier)):
                        self._glance.mark_anew(identifier, owner.mark())
                except LandscapeError as error:
                    say(f"the mark of {identifier} is not renewed: {error.message}")


def _age(image: Mapping[str, Any]) -> tuple[str, str]:
    return str(image.get("created_at") or ""), str(image["id"])
