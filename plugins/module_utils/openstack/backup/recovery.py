# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Records in a file, and out of it into a Cinder that knows nothing of them: parents first, into the project of the tenant."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ...core.errors import InputError, LandscapeError
from ...core.plan import Plan, Step
from ...core.pool import each
from ..model import CloudError, NotFoundError
from .cinder import Cinder
from .model import Backup
from .records import Record, is_lost, record_of

_CINDER = "block-storage"
FORMAT = "scs-landscape-backup-records-1"


# The file.


def text(records: Iterable[Record]) -> str:
    """The content of a file of records; the same records give the same text."""
    found = sorted(records, key=lambda one: (str(one.facts.get("volume_id")), str(one.facts.get("created_at")), one.id))
    listed = [one.as_dict() for one in found]
    return json.dumps({"format": FORMAT, "digest": _digest(listed), "records": listed}, indent=1) + "\n"


def parse(content: str, where: str) -> list[Record]:
    """The records of a file.

    :raises InputError: it is damaged, or no such file.
    """
    try:
        data = json.loads(content)
        listed = data["records"]
        known = data["format"] == FORMAT and isinstance(listed, list)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{where} holds no records of backups: {error}") from error
    if not known:
        raise InputError(f"{where} holds no records of backups in the format {FORMAT}")
    if data.get("digest") != _digest(listed):
        raise InputError(f"{where} is damaged: its digest is that of other records", hint="Take another copy of it")
    return [record_of(str(one["service"]), str(one["url"])) for one in listed]


def read(path: str) -> str:
    """The content of a file.

    :raises InputError: it cannot be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', '') or error}") from error


def kept(path: str) -> list[Record]:
    """The records of a file that may be there.

    :raises InputError: it is something else, which we do not write over.
    """
    return parse(read(path), path) if os.path.exists(path) else []


def _digest(listed: Any) -> str:
    return "sha256:" + hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()


def merged(old: Sequence[Record], new: Sequence[Record], there: Iterable[str]) -> list[Record]:
    """What a file is to hold: the new records, the old text where nothing has changed, and old ones that cannot be had now.

    :param there: ids of all backups that are there.
    """
    before = {one.id: one for one in old}
    found = {one.id: before[one.id] if one.id in before and before[one.id].same_as(one) else one for one in new}
    for identifier in there:
        if identifier in before:
            found.setdefault(identifier, before[identifier])
    return list(found.values())


# What is to be imported.


@dataclass(frozen=True)
class Todo:
    """What a task has to import.

    :param lines: records of one chain each, parents first.
    :param present: ids that are there already.
    :param omitted: why a record is not for this task, by id.
    :param failed: why a record cannot be imported, by id.
    """

    lines: tuple[tuple[Record, ...], ...]
    present: tuple[str, ...]
    omitted: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def records(self) -> list[Record]:
        """All of them."""
        return [one for line in self.lines for one in line]

    @property
    def plan(self) -> Plan:
        """One step for each import."""
        return Plan(tuple(_step(one) for one in self.records))


def todo(
    records: Sequence[Record],
    backups: Iterable[Backup],
    project: str,
    projects: Mapping[str, str],
    volumes: Sequence[str] = (),
) -> Todo:
    """What is to be imported.

    :param backups: what is there, in any project: an id is there once.
    :param project: that of the token: Cinder imports into no other.
    :param projects: ids of projects as they are now, by those in the records.
    :param volumes: ids of the volumes whose backups are wanted; all when empty.
    """
    there = {one.id: one for one in backups}
    omitted, failed, wanted = {}, {}, {}
    for one in records:
        target = projects.get(one.project, one.project)
        if volumes and one.facts.get("volume_id") not in volumes:
            omitted[one.id] = "its volume was not asked for"
        elif one.id in there:
            if there[one.id].project not in ("", target):
                omitted[one.id] = f"it is in the project {there[one.id].project} already"
            elif there[one.id].status.startswith("error"):
                failed[one.id] = (
                    f"it is there and {there[one.id].status}: {there[one.id].failure or 'no reason is given'}"
                )
        elif target != project:
            omitted[one.id] = f"it belongs to the project {target}, and the token to {project}"
        else:
            wanted[one.id] = one
    lines: dict[str, list[Record]] = defaultdict(list)
    for one, first in _parents_first(wanted, set(there) - set(failed), failed):
        lines[first].append(one)
    present = tuple(one.id for one in records if one.id in there and one.id not in omitted and one.id not in failed)
    return Todo(tuple(tuple(line) for line in lines.values()), present, omitted, failed)


def _parents_first(
    wanted: Mapping[str, Record], there: set[str], failed: dict[str, str]
) -> Iterator[tuple[Record, str]]:
    """Records with the id of the first of their chain that is imported; those without a parent are written down as failed."""
    firsts: dict[str, str] = {}
    left = dict(wanted)
    while left:
        ready = [one for one in left.values() if not one.parent or one.parent in there or one.parent in firsts]
        if not ready:
            break
        for one in ready:
            firsts[one.id] = firsts.get(one.parent, one.id)
            del left[one.id]
            yield one, firsts[one.id]
    for one in left.values():
        failed[one.id] = f"it stands on {one.parent}, which neither is there nor has a usable record"


def headroom(todo_: Todo, limits: Mapping[str, int]) -> None:
    """Refuses what does not fit.

    :raises InputError: a limit of the project is too small, with its numbers.
    """
    needs = {"Backups": len(todo_.records), "BackupGigabytes": sum(one.size for one in todo_.records)}
    problems = []
    for name, need in needs.items():
        limit, used = limits.get(f"maxTotal{name}", -1), limits.get(f"total{name}Used", 0)
        if 0 <= limit < used + need:
            problems.append(f"{need} are needed, maxTotal{name} is {limit} and {used} are used")
    if problems:
        raise InputError("The records do not fit into the project: " + "; ".join(problems))


def _step(one: Record) -> Step:
    data = one.as_dict()
    after = {key: data[key] for key in ("volume", "project", "parent", "size", "taken", "service")}
    return Step("create", f"backup {one}", None, after, undo="delete the backup's record in Cinder's database")


# Importing.


class Recovery:
    """Imports records.

    :param timeout: seconds in which one must be there.
    """

    def __init__(
        self,
        cinder: Cinder,
        *,
        timeout: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cinder, self._timeout = cinder, timeout
        self._clock, self._sleep = clock, sleep

    def apply(self, wanted: Todo, parallel: int) -> tuple[list[str], dict[str, str]]:
        """Imports chains beside each other; ids that are there now, and what went wrong, by id."""
        done: list[str] = []
        failed: dict[str, str] = {}

        def work(line: Sequence[Record]) -> None:
            for one in line:
                if one.parent in failed:
                    failed[one.id] = f"it stands on {one.parent}, which was not imported"
                    continue
                try:
                    self._import(one)
                    done.append(one.id)
                except LandscapeError as error:
                    failed[one.id] = str(error)

        each(wanted.lines, work, parallel)
        return done, failed

    def _import(self, one: Record) -> None:
        end = self._clock() + self._timeout
        self._ask(one, end)
        attempt = 0
        while True:
            found = self._cinder.backup(one.id)
            if found and found.available:
                return self._restore_marks(one, found)
            if found and found.status.startswith("error"):
                raise LandscapeError(f"backup {one} was not imported: {found.failure or found.status}")
            if self._clock() >= end:
                state = found.status if found else "not there"
                raise LandscapeError(f"backup {one} is still {state} after {self._timeout:.0f} s")
            self._sleep(min(0.3 * 1.5**attempt, 3.0))
            attempt += 1

    def _ask(self, one: Record, end: float) -> None:
        """Asks once; the id is known, so what a lost answer has done can be looked for."""
        body = {"backup-record": {"backup_service": one.service, "backup_url": one.url}}
        while True:
            try:
                self._cinder.cloud.call(
                    _CINDER, "POST", "/backups/import_record", json=body, microversion=self._cinder.version
                )
                return
            except NotFoundError:
                raise
            except CloudError as error:
                if error.status == 400 and self._cinder.backup(one.id):
                    return  # a request whose answer was lost has done it
                if not is_lost(error) or self._clock() >= end:
                    raise
            self._sleep(2.0)
            if self._cinder.backup(one.id):
                return

    def _restore_marks(self, one: Record, found: Backup) -> None:
        """Our marks on a backup are part of its record; an older Cinder drops them."""
        marks = one.facts.get("metadata")
        wanted = {str(key): str(value) for key, value in marks.items()} if isinstance(marks, Mapping) else {}
        if any(found.metadata.get(key) != value for key, value in wanted.items()):
            self._cinder.mark(found, wanted)
