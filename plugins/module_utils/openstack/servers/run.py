# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""All manifests of a task: read, compare with what is there, make what is missing, compare once more."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core import pool
from ...core.errors import InputError, LandscapeError
from ...core.plan import Plan
from . import diff, folder, model, plan
from .capture import Reader
from .recreate import Maker


@dataclass
class Item:
    """One manifest of a task.

    :param there: a server that is the wanted one already.
    :param half: a server that an earlier start made and did not finish.
    :param made: the server that was made now.
    :param volumes: ids that the volumes of the server have now, by those they had; empty while nobody knows.
    :param omitted: what it could not have.
    """

    path: str
    manifest: dict[str, Any]
    user_data: str = ""
    there: str = ""
    half: str = ""
    todo: plan.Todo | None = None
    made: str = ""
    volumes: dict[str, str] = field(default_factory=dict)
    differences: list[dict[str, Any]] = field(default_factory=list)
    omitted: list[dict[str, Any]] = field(default_factory=list)
    error: LandscapeError | None = None

    @property
    def name(self) -> str:
        """The server as people name it."""
        return f"{self.manifest['name']} ({self.manifest['id']})"


def read(paths: Sequence[str], given: Mapping[str, str]) -> list[Item]:
    """The manifests of files and folders, with user data.

    :param given: user data as Nova keeps it, by id or name of a server; counts more than what lies beside a manifest.
    :raises InputError: all that is wrong with any of them.
    """
    items, problems = [], []
    for path in _files(paths):
        try:
            manifest, data = folder.read(path)
        except InputError as error:
            problems.append(str(error))
            continue
        chosen = next((given[one] for one in (manifest["id"], manifest["name"]) if one in given), data)
        items.append(Item(path, manifest, chosen))
    if not items and not problems:
        problems.append(f"there is no manifest in {', '.join(paths) or 'an empty list'}")
    double = [one.name for index, one in enumerate(items) if one.name in [other.name for other in items[:index]]]
    problems += [f"server {name} is there twice" for name in double]
    if problems:
        raise InputError("\n".join(problems))
    return items


def _files(paths: Sequence[str]) -> list[str]:
    found: list[str] = []
    for one in paths:
        path = os.path.abspath(os.path.expanduser(one))
        if os.path.isdir(path):
            found += sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith(".json"))
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def look(items: Sequence[Item], reader: Reader, params: Mapping[str, Any]) -> None:
    """Which of the servers are there, and what differs about them.

    A server is known by its id, or by the one that it had, whatever was changed about it since. One of the same name and
    nothing else must be the same in everything.

    :raises InputError: servers of the same name are others.
    """
    servers, problems = reader.servers(), []
    manifests = {str(item.manifest["id"]) for item in items}
    for item in items:
        identifier = str(item.manifest["id"])
        half = model.marked(servers, identifier)
        if half:
            item.half = str(half[0]["id"])
            _know(item, reader, item.half)
            continue
        known = [one for one in servers if one["id"] == identifier]
        again = model.marked(servers, identifier, model.RECREATED)[:1]
        named = [one for one in servers if one["name"] == item.manifest["name"] and not _claimed(one, manifests)]
        problems += _recognise(item, reader, params, known or again or named, bool(known or again))
    if problems:
        raise InputError("\n".join(problems), hint="Rename it, or delete it, if the other one is to come back")


def _recognise(
    item: Item, reader: Reader, params: Mapping[str, Any], servers: Iterable[Mapping[str, Any]], sure: bool
) -> list[str]:
    """Which of some servers is the wanted one; if none is, why each of them is another one.

    :param sure: they are known by an id, not by their name alone.
    """
    others = []
    for outcome in reader.seen(servers):
        if outcome.error is not None:
            raise outcome.error
        there, found = str(outcome.item["id"]), _compare(item, outcome.value, params)
        places = [str(one["path"]) for one in found]
        if found and not sure:
            others.append(f"server {item.name}: {there} has its name, and differs in {', '.join(places)}")
            continue
        if sure and there != item.manifest["id"] and _unlocked(item, places):
            item.half = there  # the last step was cut off
        else:
            item.there, item.differences = there, found
        if not any(one.startswith("volumes") for one in places):
            _know(item, reader, there)
        return []
    return others


def _claimed(server: Mapping[str, Any], manifests: Container[str]) -> bool:
    """Whether a server is known to be that of another manifest."""
    return server["id"] in manifests or bool({model.MARK, model.RECREATED} & set(server.get("metadata") or {}))


def _unlocked(item: Item, places: Sequence[str]) -> bool:
    """Whether the lock is all that is missing."""
    return bool(item.manifest.get("locked") and places) and {*places} <= {"locked", "locked_reason"}


def _know(item: Item, reader: Reader, server: str) -> None:
    """Which volumes it has; not of a server that was given other ones since."""
    item.volumes = plan.attached(item.manifest["volumes"], reader.volumes, server)


def _compare(item: Item, seen: model.Seen, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    now = model.manifest_of(seen)
    return diff.differences(item.manifest, now, diff.allowed(item.manifest, params, now))


def options_of(params: Mapping[str, Any]) -> plan.Options:
    """The options of a task."""
    maps = {name: {key: str(value) for key, value in params[name].items()} for name in _MAPS}
    return plan.Options(
        **maps,
        keep_ips=params["keep_ips"],
        keep_macs=params["keep_macs"],
        missing=params["missing_volumes"],
        power=params["power"],
        other_project=params["other_project"],
        allow_mixed=params["allow_mixed"],
    )


_MAPS = ("networks", "flavors", "images", "keypairs", "volumes")


def make_plans(items: Iterable[Item], maker: Maker, options: plan.Options) -> None:
    """Plans every server that is not there.

    :raises InputError: one cannot be made; all that is missing for any of them is told at once, and nothing is begun.
    """
    todo = [item for item in items if not item.there]
    if not todo:
        return
    there = maker.there([item.manifest for item in todo], options)
    problems = []
    for item in todo:
        lost = item.manifest.get("user_data") and not item.user_data
        try:
            item.todo = plan.plan(item.manifest, there, options, item.half)
        except InputError as error:
            problems.append(str(error))
        if lost:
            problems.append(f"server {item.name}: its user data is not beside {item.path}; give it in user_data")
    if problems:
        raise InputError("\n".join(problems))


def carry_out(items: Iterable[Item], maker: Maker, parallel: int) -> None:
    """Makes what is planned; the failure of one server does not end the others."""
    todo = [item for item in items if item.todo is not None]
    maker.shared([item.todo for item in todo if item.todo])

    def one(item: Item) -> tuple[str, list[dict[str, Any]]]:
        return maker.make(item.todo, item.user_data) if item.todo else ("", [])

    for outcome in pool.each(todo, one, parallel):
        outcome.item.error = outcome.error
        outcome.item.made, outcome.item.omitted = outcome.value or ("", [])


def prove(items: Iterable[Item], reader: Reader, params: Mapping[str, Any]) -> None:
    """Reads what was made back, and compares it with the manifests."""
    made = {item.made: item for item in items if item.made}
    servers = [one for one in reader.servers() if one["id"] in made]
    for outcome in reader.seen(servers):
        item = made[str(outcome.item["id"])]
        if outcome.error is not None:
            item.error = outcome.error
        else:
            item.differences = _compare(item, outcome.value, params)
            _know(item, reader, item.made)


def recreate(cloud: Any, params: Mapping[str, Any], check_mode: bool) -> list[Item]:
    """The whole task; errors of single servers are kept with them.

    :raises LandscapeError: nothing was begun: bad manifests, or something is missing.
    """
    items = read(params["manifests"], params["user_data"] or {})
    reader = Reader(cloud, params["max_parallel"])
    look(items, reader, params)
    maker = Maker(cloud, reader, patience=params["timeout"])
    make_plans(items, maker, options_of(params))
    if not check_mode and any(item.todo for item in items):
        carry_out(items, maker, params["max_parallel"])
        prove(items, Reader(cloud, params["max_parallel"]), params)
    return items


# What is told.


def plan_of(items: Iterable[Item]) -> Plan:
    """The steps of all servers."""
    return plan.steps([item.todo for item in items if item.todo])


def values(items: Iterable[Item], check_mode: bool) -> dict[str, Any]:
    """What ``server_recreate`` returns."""
    return {"servers": [_result(item, check_mode) for item in items]}


def _result(item: Item, check_mode: bool) -> dict[str, Any]:
    status = "present" if item.there else "failed" if item.error else "planned" if check_mode else "made"
    found = {
        "name": item.manifest["name"],
        "old_id": item.manifest["id"],
        "id": item.there or item.made or None,
        "status": status,
        "differences": item.differences,
        "omitted": item.omitted,
        "volumes": item.volumes,
        "message": str(item.error) if item.error else "",
    }
    return {**found, "predicted": True} if status == "planned" else found


def warnings(items: Iterable[Item], check_mode: bool) -> list[str]:
    """What was not done, or not as somebody may think."""
    found = []
    for item in items:
        if item.todo and item.todo.told:
            found.append(f"server {item.name}: {item.todo.told}")
        if item.todo and not check_mode and any(one.backup for one in item.todo.volumes):
            found.append(f"server {item.name}: its volumes came out of backups, and nothing was read back")
        found += [f"server {item.name} does not have {one['what']}: {one['reason']}" for one in item.omitted]
    return found


def _unexpected(item: Item) -> list[str]:
    """Places that differ, but for what is told to be omitted."""
    free = tuple(f"ports[{one['port']}].floating_ips" for one in item.omitted)
    return [str(one["path"]) for one in item.differences if not str(one["path"]).startswith(free)]


def failure(items: Iterable[Item]) -> str:
    """What the task fails with; empty when every server is there as it was."""
    lines = [f"{item.name}: {item.error}" for item in items if item.error]
    lines += [
        f"{item.name} was made as {item.made}, and differs in {', '.join(_unexpected(item))}"
        for item in items
        if item.made and not item.error and _unexpected(item)
    ]
    return "\n".join(lines)
