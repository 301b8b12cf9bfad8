# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Root disks of servers: an image by Nova, its bytes into a file, and the image gone on every way out."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ...core import pool
from ...core.errors import LandscapeError, LockedError
from ...core.plan import Plan, Step
from ...core.stream import say
from ..backup import model as backups
from ..backup.points import KIND
from ..images import owner
from ..images.cache import Patience
from ..images.glance import Glance
from ..model import CloudError, ConflictError, is_unclear
from . import model, roots, run, target
from .model import Image
from .roots import Root
from .run import Item, Options
from .target import WHOLE, Target
from .transfer import Download, Throttle

_NOVA, _GLANCE = "compute", "image"
#: Flavors are shown with their servers since Pike, and createImage answers with an id.
_SHOWS, _CREATE_IMAGE = "2.47", "2.45"
#: Seconds after which a request whose answer was lost has not arrived: Nova's API makes the image before it answers.
_ARRIVES = 20.0
#: How often an image of one server is asked for.
_ASKED = 3
#: Seconds after which an image of another controller counts as left.
LEFT = 86400.0


@dataclass
class Job:
    """One server of a task.

    :ivar item: its file, once the image or the record of an earlier start is known.
    """

    root: Root
    item: Item | None = None
    error: LandscapeError | None = None
    phase: str = "waiting"
    resumed: bool = False

    @property
    def done(self) -> bool:
        """Whether an earlier start of the run has done it."""
        return self.item is not None and self.item.look.state == WHOLE


class Roots:
    """Root disks of one run; safe to use from many threads.

    :param consistency: one of ``roots.CONSISTENCY``.
    :param patience: seconds that Nova may take for an image.
    """

    def __init__(
        self,
        cloud: Any,
        name: str,
        options: Options,
        file_name: str,
        *,
        consistency: str = "crash",
        patience: float = 3600.0,
        stop: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.cloud, self.name, self.options, self.file_name = cloud, name, options, file_name
        self.patience, self.stop = patience, stop or threading.Event()
        self.mark, self.consistency = owner.mark(), consistency
        self._glance, self._clock, self._sleep = Glance(cloud, stop=self.stop), clock, sleep or self.stop.wait
        self._throttle = Throttle(options.rate, self.stop)

    # Looking.

    def servers(self) -> list[dict[str, Any]]:
        """All servers of the project."""
        return list(self.cloud.pages(_NOVA, "/servers/detail", "servers", microversion=_SHOWS, limit=500))

    def jobs(self, chosen: Sequence[Root]) -> list[Job]:
        """The servers with the files that an earlier start of this run wrote."""
        there = target.records(self.options.folder)
        jobs = [Job(one) for one in chosen]

        def look(job: Job) -> None:
            for path, noted in there:
                about = noted.get("server") or {}
                image = roots.recorded(noted)
                if image and (about.get("id"), about.get("run")) == (job.root.server.id, self.name):
                    item = Item(image, Target(path), about)
                    item.look = item.target.look(image, self.options.reread, item.meter, self.stop)
                    if item.look.state == WHOLE:
                        job.item = item

        for outcome in pool.each(jobs, look, self.options.parallel, stop=self.stop):
            outcome.item.error = outcome.error
        return jobs

    def leftovers(self, jobs: Sequence[Job]) -> list[dict[str, Any]]:
        """Images of killed runs; not those that this run goes on with."""
        waiting = {job.root.server.id for job in jobs if not job.done}
        found = []
        for one in self._ours():
            run_name, server = roots.belongs(one) or ("", "")
            again = run_name == self.name and server in waiting
            if server and not again and not roots.lives(one, _judge):
                found.append(one)
        return found

    def _ours(self, **query: Any) -> list[dict[str, Any]]:
        query = {KIND: roots.ROOT_KIND, "visibility": "private", "limit": 500, **query}
        return list(self.cloud.pages(_GLANCE, "/images", "images", **query))

    # Doing.

    def carry_out(self, jobs: Sequence[Job], leftovers: Sequence[Mapping[str, Any]]) -> list[str]:
        """Removes what was left and backs up what is missing; what could not be removed."""
        removed = pool.each(leftovers, lambda one: self._remove(str(one["id"])), self.options.parallel)
        problems = [
            f"image {one.item['id']} of a killed run is still there: {one.error.message}"
            for one in removed
            if one.error
        ]
        todo = [job for job in jobs if job.error is None and not job.done]

        def tick() -> None:
            for job in todo:
                if job.phase != "waiting":
                    meter = f", {job.item.meter}" if job.item else ""
                    say(f"server {job.root.server}: {job.phase}{meter}")

        each = pool.each(todo, self._back_up, self.options.parallel, tick=tick, every=run.EVERY, stop=self.stop)
        for result in each:
            result.item.error = result.error
            result.item.phase = "waiting"
            said = result.error.message if result.error else "its root disk is backed up"
            say(f"server {result.item.root.server}: {said}")
        return problems

    def _back_up(self, job: Job) -> None:
        identifier = self._image(job)
        clean = False
        try:
            job.phase = "Nova makes an image"
            image = self._active(job, identifier)
            self._see_again(job)
            found, why = roots.level(job.root, image.properties.get(backups.LEVEL, ""))
            if self.consistency == "quiesce_required" and found != "quiesced":
                raise LandscapeError(f"server {job.root.server}: quiesce_required was not kept: {why}")
            self._load(job, image)
            clean = True
        finally:
            self._let_go(job, identifier, None if clean else sys.exc_info()[1])

    def _let_go(self, job: Job, identifier: str, reason: BaseException | None) -> None:
        """Removes the image; when that fails, it is told beside the reason for which the work ended."""
        job.phase = "removing the image"
        if reason is not None and job.item is not None:
            job.item.target.clear()  # nobody has the rest of these bytes any more
        try:
            self._remove(identifier)
        except LandscapeError as left:
            problem = LandscapeError(f"{reason}\n{left}" if reason else str(left))
            raise problem from reason

    def _load(self, job: Job, image: Image) -> None:
        problem = model.refusal(image)
        if problem:
            raise LandscapeError(f"server {job.root.server}: the image that Nova made of it is no good: {problem}")
        name = roots.file_name(self.file_name, job.root.server.id, self.name, image)
        path = run.items_of([image], name, self.options)[0].target.path
        item = Item(image, Target(path), roots.note_of(job.root, self.name, image))
        item.look = item.target.look(image, self.options.reread, item.meter, self.stop)
        run.check_room([item], self.options)
        job.item, job.phase = item, "loading"
        run.make_folder(path)
        patience = Patience(self.options.stall, stop=self.stop)
        download = Download(self.cloud, image, item.target, item.meter, patience, self._throttle)
        item.told = download.told
        download.run(item.server)

    def _image(self, job: Job) -> str:
        """The image of a server: the one that a killed start of this run had made, or a new one."""
        for one in self._named(job):
            if roots.lives(one, _judge):
                raise LockedError(
                    f"server {job.root.server}: another process works on its image {one['id']}", hint="Let it end"
                )
            job.resumed = True
            return str(one["id"])
        return self._made(job)

    def _see_again(self, job: Job) -> None:
        """Looks at a server again: hours may lie between the plan and its turn, and minutes until its image is there."""
        found = self.cloud.call(_NOVA, "GET", f"/servers/{job.root.server.id}", microversion=_SHOWS)
        job.root = roots.root_of(found.body["server"])

    def _made(self, job: Job) -> str:
        """A new image, and never a second one for an answer that was lost; a server that is being copied is waited for."""
        self._see_again(job)
        refused = roots.refusal(job.root, self.consistency)
        if refused:
            raise LandscapeError(f"server {job.root.server}: {refused}")
        server, name = job.root.server, roots.name_of(self.name, job.root.server.id)
        body = {"createImage": {"name": name, "metadata": roots.marks(job.root, self.name, self.mark)}}
        for attempt in range(_ASKED):
            try:
                path = f"/servers/{server.id}/action"
                answer = self.cloud.call(_NOVA, "POST", path, json=body, microversion=_CREATE_IMAGE, repeat=False)
                return str(answer.body["image_id"])
            except CloudError as error:
                last = attempt == _ASKED - 1
                if isinstance(error, ConflictError):
                    if not last and self._is_free(job):
                        continue
                    error.message = f"server {server}: Nova makes no image of it now: {error.message}"
                    raise
                if not is_unclear(error):
                    raise
                found = self._until(lambda: self._named(job), _ARRIVES)
                if found:
                    return str(found[0]["id"])
                if last:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _is_free(self, job: Job) -> bool:
        """Whether nobody copies the disk of a server any more: what a killed run asked for, Nova does to its end."""
        job.phase = "waiting for another image of it"

        def free() -> bool:
            found = self.cloud.call(_NOVA, "GET", f"/servers/{job.root.server.id}").body["server"]
            return not str(found.get("OS-EXT-STS:task_state") or "").startswith("image_")

        return bool(self._until(free, self.patience))

    def _named(self, job: Job) -> list[dict[str, Any]]:
        """Images that this run made of a server, the oldest first."""
        name = roots.name_of(self.name, job.root.server.id)
        found = [one for one in self._ours(name=name) if roots.belongs(one) == (self.name, job.root.server.id)]
        return sorted(found, key=lambda one: str(one.get("created_at")))

    def _active(self, job: Job, identifier: str) -> Image:
        """The image once Nova has uploaded it."""
        server = job.root.server

        def settled() -> dict[str, Any]:
            found = self._glance.show(identifier)
            if found is None or found.get("status") in ("killed", "deleted", "pending_delete"):
                raise LandscapeError(
                    f"server {server}: Nova gave up the image {identifier} that it made of it",
                    hint="Look at the log of nova-compute; perhaps the disk of the hypervisor is full",
                )
            return found if found.get("status") == "active" else {}

        found = self._until(settled, self.patience)
        if not found:
            raise LandscapeError(
                f"server {server}: image {identifier} is not there after {self.patience:.0f} s", hint="Look at timeout"
            )
        if job.resumed:  # not before: Glance writes a whole image back, also the state that Nova's upload has changed
            found = self._glance.converge(found, {roots.OWNER: self.mark})
        return model.image_of(found)

    def _remove(self, identifier: str) -> None:
        self.cloud.call(_GLANCE, "DELETE", f"/images/{identifier}", accept=(404,))

    def _until(self, look: Callable[[], Any], seconds: float) -> Any:
        """What a look gives once it gives anything; the last one's when the time is over, or the run is stopped."""
        end, pause = self._clock() + seconds, 0.3
        while True:
            found = look()
            if found or self.stop.is_set() or self._clock() + pause > end:
                return found
            self._sleep(pause)
            pause = min(pause * 1.5, 5.0)


def _judge(mark: str, updated: str) -> bool:
    """Whether the process of a mark still works; of another machine nobody knows, so it has a day."""
    return owner.lives(mark, updated, now=lambda: time.time() - (LEFT - owner.ABANDONED))


# What is told.


def plan_of(jobs: Sequence[Job], leftovers: Sequence[Mapping[str, Any]], name: str) -> Plan:
    """What is (or would be) done."""
    steps = [Step("delete", f"image {one['id']}", {"name": one.get("name")}, None) for one in leftovers]
    for job in jobs:
        if job.error is None and not job.done:
            found, why = roots.level(job.root)
            after = {"run": name, "level": found, "level_why": why}
            steps.append(Step("create", f"root disk of server {job.root.server}", None, after, undo="remove the file"))
    return Plan(tuple(steps))


def result_of(job: Job, name: str, before: bool, check_mode: bool) -> dict[str, Any]:
    """What is returned about one server.

    :param before: whether an earlier start had done it.
    """
    item, found = job.item, roots.level(job.root)
    status = "failed" if job.error else "present" if before else "planned" if check_mode else "done"
    note = dict(item.server or {}) if item else {}
    whole = item is not None and status in ("present", "done")
    return {
        "server": job.root.server.id,
        "name": job.root.server.name,
        "run": name,
        "status": status,
        "message": str(job.error) if job.error else "",
        "level": note.get("level") or found[0],
        "why": note.get("why") or found[1],
        "taken": note.get("taken"),
        "path": item.target.path if item and whole else None,
        "size": item.image.size if item else None,
        "on_disk": target.on_disk(item.target.path) if item and whole else 0,
        "digest": str(item.image.digest) if item and whole else None,
        "resumed": job.resumed,
        "resumed_from": item.told.resumed_from if item else 0,
        "bytes": item.told.loaded if item else 0,
        "seconds": item.told.seconds if item else 0.0,
        "http_statuses": list(item.told.statuses) if item else [],
        "import": roots.importable(item.image, item.target.path, note) if item and whole else None,
    }


def warnings_of(jobs: Sequence[Job]) -> list[str]:
    """What an operator should know."""
    return [
        f"server {job.root.server}: its flavor has {job.root.beside} GiB of other local disks, which no image holds"
        for job in jobs
        if job.root.beside
    ]
