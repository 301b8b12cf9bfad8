# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""All images of a task: read, plan, carry out with a bounded pool, tell what became of each."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from ...core import pool
from ...core.errors import InputError, LandscapeError, LockedError
from ...core.plan import Plan, Step
from ...core.stream import say
from ..model import without_password
from . import client, digests, model, owner, plan, policy, transfer
from .cache import Cache, Patience
from .glance import Glance
from .model import Service, Wanted
from .plan import Todo
from .proof import Progress, Settings
from .transfer import Importer


@dataclass
class Item:
    """One image of a task.

    :param signed: who signed the list that its digest is from.
    """

    wanted: Wanted
    signed: Mapping[str, Any] = field(default_factory=dict)
    todo: Todo | None = None
    told: dict[str, Any] = field(default_factory=dict)
    error: LandscapeError | None = None

    @property
    def steps(self) -> list[Step]:
        """What is (or would be) done."""
        return self.todo.steps() if self.todo else []


@dataclass(frozen=True)
class Options:
    """What holds for all images of a task; see the documentation of ``image_import``."""

    cache_dir: str
    parallel: int = 4
    stall: float = 120.0
    service: float = 3600.0
    readback: bool = False
    take_over: bool = False
    weak: bool = False
    every: float = 10.0


def items_of(images: Sequence[Mapping[str, Any]], *, weak: bool = False) -> list[Item]:
    """The images of a task.

    :raises InputError: all that is wrong with any of them.
    """
    found, problems, seen = [], [], set()
    for options in images:
        try:
            wanted = model.wanted_of(options, weak=weak)
        except InputError as error:
            problems.append(str(error))
            continue
        key = wanted.id or wanted.name
        if key in seen:
            problems.append(f"image {wanted.name}: it is listed twice")
        seen.add(key)
        found.append(Item(wanted))
    if problems:
        raise InputError("\n".join(problems))
    return found


def resolve(items: Iterable[Item], options: Options) -> None:
    """Finds the digests that vendors publish; a list that many images share is read once."""
    lists: dict[Any, tuple[str, dict[str, Any]] | LandscapeError] = {}
    for item in items:
        listed = item.wanted.digests
        if listed is None:
            continue
        key = (listed.source, listed.signature)
        if key not in lists:
            try:
                lists[key] = client.signed_list(listed, min(options.stall, 60.0))
            except LandscapeError as error:
                lists[key] = error
        found = lists[key]
        if isinstance(found, LandscapeError):
            item.error = found
            continue
        name = listed.name or digests.file_name(item.wanted.source)
        try:
            digest = digests.pick(found[0], name, without_password(listed.source), weak=options.weak)
        except InputError as error:
            item.error = error
            continue
        item.wanted, item.signed = replace(item.wanted, digest=digest), found[1]


def make_plans(
    items: Iterable[Item], images: Sequence[Mapping[str, Any]], service: Service, project: str, options: Options
) -> None:
    """Plans every image that can be planned; the others get their error."""
    hashed = [str(one["os_hash_algo"]) for one in images if one.get("os_hash_algo")]
    algorithm = max(set(hashed), key=hashed.count) if hashed else policy.DEFAULT_HASH
    for item in items:
        if item.error is not None:
            continue
        try:
            _refuse_missing(item.wanted)
            item.todo = plan.plan(item.wanted, item.wanted.digest, images, service, project, algorithm)
            _refuse_living(item.todo, options)
        except LandscapeError as error:
            item.todo, item.error = None, error


def _refuse_missing(wanted: Wanted) -> None:
    if wanted.file and not os.path.isfile(os.path.expanduser(wanted.file)):
        raise InputError(f"image {wanted.name}: {wanted.file} is no file")


def _refuse_living(todo: Todo, options: Options) -> None:
    """Two runs must not work on one image: an unfinished one belongs to whoever began it, while that one lives."""
    if options.take_over:
        return
    for image in [*todo.leftovers, *([todo.image] if todo.unfinished and todo.image else [])]:
        if owner.lives(str(image.get(model.STATE)), str(image.get("updated_at") or "")):
            raise LockedError(
                f"image {todo.wanted.name}: {image['id']} is being imported ({image.get(model.STATE)})",
                hint="Wait for that run to end, or set take_over when it is gone",
            )


def carry_out(
    items: Sequence[Item],
    importer: Importer,
    options: Options,
    stop: threading.Event,
    anew: Callable[[Item], None] = lambda _item: None,
) -> None:
    """Does what is planned, and says how far it is.

    :param anew: plans an image once more, from what is there now.
    """
    todo = [item for item in items if item.todo is not None and item.steps]
    progress = {id(item): Progress(item.wanted.name) for item in todo}

    def one(item: Item) -> dict[str, Any]:
        try:
            told = importer.carry_out(item.todo or Todo(item.wanted), progress[id(item)])
        except LockedError as error:
            # Another run was faster, or a killed one had sent its last request: perhaps nothing is left to do.
            say(f"{item.wanted.name}: looking once more, {error.message}")
            anew(item)
            told = importer.carry_out(item.todo or Todo(item.wanted), progress[id(item)])
        say(f"{item.wanted.name}: {transfer.summary(told)}")
        return told

    def tick() -> None:
        importer.hold.renew()
        for state in progress.values():
            if state.phase not in ("waiting", "done"):
                say(str(state))

    for outcome in pool.each(todo, one, options.parallel, tick=tick, every=options.every, stop=stop):
        item = outcome.item
        item.told, item.error = outcome.value or {}, outcome.error
        progress[id(item)].phase = "done"
        if item.error is not None:
            say(f"{item.wanted.name}: {item.error.message}")


def import_images(cloud: Any, images: Sequence[Mapping[str, Any]], options: Options, check_mode: bool) -> list[Item]:
    """The whole task; errors of single images are kept with them.

    :raises LandscapeError: nothing could be planned at all: bad options, no image service.
    """
    items = items_of(images, weak=options.weak)
    resolve(items, options)
    stop = threading.Event()
    glance = Glance(cloud, stop=stop)
    there = glance.images(cloud.project_id)
    make_plans(items, there, glance.service(), cloud.project_id, options)
    if check_mode or not any(item.steps for item in items):
        return items
    settings = Settings(options.stall, options.service, options.readback)
    cache = Cache(options.cache_dir, Patience(options.stall, stop=stop))

    def fetch(identifier: str, timeout: float) -> Any:
        return cloud.stream("image", f"/images/{identifier}/file", timeout=timeout)

    importer = Importer(glance, cache, settings, fetch, stop)

    def anew(item: Item) -> None:
        make_plans([item], glance.images(cloud.project_id), glance.service(), cloud.project_id, options)
        if item.error is not None:
            raise item.error

    carry_out(items, importer, options, stop, anew)
    return items


# What is told.


def plan_of(items: Iterable[Item]) -> Plan:
    """The steps of all images, in the order of the images."""
    return Plan(tuple(step for item in items for step in item.steps))


def result_of(item: Item, check_mode: bool) -> dict[str, Any]:
    """What is returned about one image."""
    todo, told = item.todo, item.told
    image = told.get("image") or (todo.image if todo else None) or {}
    failed_stores = [store for store, state in (told.get("stores") or {}).items() if state != "active"]
    status = "failed" if item.error else "partial" if failed_stores else "present" if not item.steps else "done"
    found = {
        "name": item.wanted.name,
        "id": image.get("id") if not item.error or (todo and todo.image and not todo.unfinished) else None,
        "actions": [step.action for step in item.steps],
        "status": "planned" if check_mode and status == "done" else status,
        "message": str(item.error) if item.error else _stores_message(failed_stores),
        "method": told.get("method") or (todo.ways[0].method if todo and todo.ways else None),
        "reason": told.get("reason") or (todo.ways[0].reason if todo and todo.ways else None),
        "verified": {**(told.get("verified") or {}), **({"signature": dict(item.signed)} if item.signed else {})},
        "stores": told.get("stores") or {},
        "bytes": int(told.get("bytes") or 0),
        "seconds": float(told.get("seconds") or 0.0),
        "image": {key: image.get(key) for key in _SHOWN} if image else None,
    }
    if check_mode and not image:
        found["predicted"] = True
    return found


_SHOWN = ("id", "name", "status", "visibility", "size", "os_hash_algo", "os_hash_value", "stores", "disk_format")


def _stores_message(failed: Sequence[str]) -> str:
    return f"not in every store: {', '.join(failed)}" if failed else ""


def failure_of(results: Sequence[Mapping[str, Any]]) -> str:
    """What the task fails with; empty when nothing did."""
    bad = [one for one in results if one["status"] in ("failed", "partial")]
    if not bad:
        return ""
    lines = "\n".join(f"{one['name']}: {one['message']}" for one in bad)
    return f"{len(bad)} of {len(results)} images are not as they should be:\n{lines}"
