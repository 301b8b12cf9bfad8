# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""All images of a task: found, looked for on the disk, loaded with a bounded pool, told."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core import pool
from ...core.errors import InputError, LandscapeError
from ...core.plan import Plan, Step
from ...core.stream import Meter, say
from ...core.units import format_bytes, format_seconds
from ..images.cache import Patience
from ..images.glance import Glance
from . import model, target
from .model import Image, Selection, Selector
from .target import ABSENT, FOREIGN, WHOLE, Look, Target
from .transfer import Download, Throttle, Told

#: Bytes of a disk that are left to others.
_RESERVE = 64 * 1024 * 1024
#: Seconds between two lines about what is under way.
EVERY = 10.0


@dataclass(frozen=True)
class Options:
    """What holds for all images of a task; see the documentation of ``image_export``.

    :param rate: bytes per second for all together; 0 is no bound.
    """

    folder: str
    reread: bool = False
    overwrite: bool = False
    parallel: int = 4
    rate: float = 0.0
    stall: float = 120.0


@dataclass
class Item:
    """One image of a task.

    :param server: whose root disk it is, to be written down.
    """

    image: Image
    target: Target
    server: Mapping[str, Any] | None = None
    look: Look = field(default_factory=lambda: Look(ABSENT))
    told: Told = field(default_factory=Told)
    meter: Meter = field(default_factory=Meter)
    phase: str = "waiting"
    error: LandscapeError | None = None

    @property
    def step(self) -> Step | None:
        """What is (or would be) done; nothing when the file is as it should be."""
        if self.error is not None or self.look.state == WHOLE:
            return None
        new = self.look.state == ABSENT
        noted = self.target.noted()
        before = None if new else {"digest": noted.get("digest"), "image": noted.get("image")}
        after = {**self.image.identity, "name": self.image.name}
        undo = f"remove {self.target.path}" if new else "take the file out of a backup"
        return Step("create" if new else "update", self.target.path, before, after, undo=undo)


def options_of(params: Mapping[str, Any]) -> Options:
    """What the options of a module say.

    :raises InputError: a number is too small.
    """
    for name, least in (("max_parallel", 1), ("max_rate", 0), ("stall_timeout", 1)):
        if params[name] < least:
            raise InputError(f"{name} is {params[name]}, and {least} is the least")
    return Options(
        folder=os.path.abspath(os.path.expanduser(params["dest"])),
        reread=params["check"] == "read",
        overwrite=params["overwrite"],
        parallel=params["max_parallel"],
        rate=params["max_rate"] * 1024 * 1024,
        stall=params["stall_timeout"],
    )


def find(cloud: Any, wanted: Selector) -> Selection:
    """The images that are asked for.

    :raises InputError: see :func:`model.select`.
    """
    glance = Glance(cloud)
    named = {text: _named(cloud, glance, text) for text in wanted.named}
    ruled = [one for one in glance.images(cloud.project_id) if wanted.finds(one)] if wanted.has_rule else []
    return model.select(named, sorted(ruled, key=lambda one: str(one["id"])))


def _named(cloud: Any, glance: Glance, text: str) -> list[Mapping[str, Any]]:
    """The images with an id or a name; hidden ones too, which lists leave out unless they are asked for."""
    if model.is_id(text):
        found = glance.show(text)
        if found is not None:
            return [found]
    listed: dict[str, Mapping[str, Any]] = {}
    for hidden in ("false", "true"):
        for one in cloud.pages("image", "/images", "images", name=text, os_hidden=hidden, limit=100):
            if one.get("name") == text:
                listed[str(one["id"])] = one
    return list(listed.values())


def items_of(images: Sequence[Image], template: str, options: Options) -> list[Item]:
    """The images with their files.

    :raises InputError: names of files are bad.
    """
    names = model.file_names(template, images)
    return [Item(one, Target(os.path.join(options.folder, names[one.id]))) for one in images]


def make_plans(items: Sequence[Item], options: Options, stop: threading.Event) -> None:
    """Looks what is there already; what cannot be looked at gets its error.

    :raises LandscapeError: there is no room for all of it.
    """

    def look(item: Item) -> None:
        item.phase = "reading what is there"
        item.look = item.target.look(item.image, options.reread, item.meter, stop)
        item.phase = "waiting"
        if item.look.state == FOREIGN and not options.overwrite:
            raise InputError(
                f"{item.target.path} is there, with other bytes, and not as it was left",
                hint="Move it away, or set overwrite",
            )

    for outcome in _each(items, look, options, stop):
        outcome.item.error = outcome.error
    check_room(items, options)


def check_room(items: Iterable[Item], options: Options) -> None:
    """Whether all that is to be loaded fits; holes are not counted on, nobody knows them before.

    :raises LandscapeError: it does not; nothing was loaded yet.
    """
    needed: dict[int, int] = {}
    places: dict[int, str] = {}
    for item in items:
        if item.step is None:
            continue
        place = os.path.dirname(item.target.path)
        while not os.path.isdir(place):
            place = os.path.dirname(place)
        device = os.stat(place).st_dev
        needed[device] = needed.get(device, 0) + (item.image.size or 0) - item.look.part
        places.setdefault(device, place)
    problems = []
    for device, count in needed.items():
        free = shutil.disk_usage(places[device]).free - _RESERVE
        if count > free:
            problems.append(f"{places[device]} has {format_bytes(max(free, 0))} left, {format_bytes(count)} are needed")
    if problems:
        raise LandscapeError("; ".join(problems), hint=f"Make room, or set dest to another disk than {options.folder}")


def carry_out(cloud: Any, items: Sequence[Item], options: Options, stop: threading.Event) -> None:
    """Loads what is missing, and says how far it is."""
    throttle = Throttle(options.rate, stop)

    def load(item: Item) -> None:
        if item.look.state == WHOLE:
            renew(item)
            return
        item.phase = "loading"
        make_folder(item.target.path)
        download = Download(cloud, item.image, item.target, item.meter, Patience(options.stall, stop=stop), throttle)
        item.told = download.told
        download.run(item.server)
        rate = format_bytes(item.told.loaded / max(item.told.seconds, 0.001))
        say(f"{item.image}: whole, {format_seconds(item.told.seconds)}, {rate}/s")

    todo = [item for item in items if item.error is None and (item.step is not None or item.look.renew)]
    for outcome in _each(todo, load, options, stop):
        outcome.item.error = outcome.error
        if outcome.error is not None:
            say(f"{outcome.item.image}: {outcome.error.message}")


def renew(item: Item) -> None:
    """Writes down what a file is that has the right bytes and nobody's word for it."""
    try:
        if item.look.renew:
            item.target.note(item.image, item.server)
    except OSError as error:
        raise LandscapeError(f"{item.target.record} cannot be written: {error.strerror or error}") from error


def make_folder(path: str) -> None:
    """Makes the folder of a file; images may hold secrets, so only its owner may look into it."""
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise LandscapeError(f"{folder} cannot be made: {error.strerror or error}") from error


def _each(items: Sequence[Item], work: Any, options: Options, stop: threading.Event) -> list[pool.Outcome[Item]]:
    def one(item: Item) -> None:
        try:
            work(item)
        finally:
            item.phase = "waiting"

    def tick() -> None:
        for item in items:
            if item.phase != "waiting":
                say(f"{item.image}: {item.phase}, {item.meter}")

    return pool.each(items, one, options.parallel, tick=tick, every=EVERY, stop=stop)


# What is told.


def plan_of(items: Iterable[Item]) -> Plan:
    """The steps of all images, in their order."""
    return Plan(tuple(step for step in (item.step for item in items) if step is not None))


def result_of(item: Item, check_mode: bool, steps: Plan) -> dict[str, Any]:
    """What is returned about one image.

    :param steps: what was planned for all.
    """
    planned = any(step.object == item.target.path for step in steps.steps)
    status = "failed" if item.error else "present" if not planned else "planned" if check_mode else "done"
    digest = item.image.digest
    whole = status in ("present", "done")
    return {
        "id": item.image.id,
        "name": item.image.name,
        "path": item.target.path,
        "record": item.target.record,
        "status": status,
        "message": str(item.error) if item.error else "",
        "size": item.image.size,
        "on_disk": target.on_disk(item.target.path) if whole else 0,
        "digest": str(digest) if digest else None,
        "weak": item.image.is_weak,
        "checked_by": ("loading" if planned else item.look.by) if whole else None,
        "resumed_from": item.told.resumed_from,
        "bytes": item.told.loaded,
        "seconds": item.told.seconds,
        "http_statuses": list(item.told.statuses),
    }


def warnings_of(items: Iterable[Item]) -> list[str]:
    """What an operator should know."""
    weak = [str(item.image) for item in items if item.image.is_weak]
    if not weak:
        return []
    return [f"The service knows only an MD5 digest of {', '.join(weak)}: no proof against somebody who changes bytes"]


def failure_of(results: Sequence[Mapping[str, Any]]) -> str:
    """What the task fails with; empty when nothing did."""
    bad = [one for one in results if one["status"] == "failed"]
    if not bad:
        return ""
    lines = "\n".join(one["message"] for one in bad)
    return f"{len(bad)} of {len(results)} could not be exported:\n{lines}"
