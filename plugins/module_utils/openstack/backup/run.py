# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Backups of a run: begun, found again after a lost answer or a kill, waited for, a bounded number at a time."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from ...core import pool
from ...core.errors import InputError, LandscapeError
from ...core.stream import Stopped, say
from ..model import CloudError, is_unclear
from . import chains, model, moments, plan, room
from .chains import Chain
from .cinder import Cinder, TakenError, made_by
from .decide import is_ceph, is_chunked
from .model import Backup, Volume
from .moments import Moments
from .nova import Points
from .plan import Taking, Todo, Wishes
from .points import Leftover
from .select import Selection, Selector, select
from .source import Source
from .together import apart
from .waits import Waits

#: Seconds for which a lost request is tried again, and for which what is removed or given back may take.
_PATIENCE, _AFTER = 120.0, 120.0


@dataclass(frozen=True)
class Made:
    """A backup that is there.

    :param why: why it is a full one, or what it stands on.
    :param seconds: how long this run worked on or waited for it.
    :param problem: what is wrong although the backup is there.
    """

    backup: Backup
    why: str = ""
    chain: Chain | None = None
    seconds: float = 0.0
    problem: str = ""


@dataclass
class Report:
    """What a run planned and did."""

    wishes: Wishes
    selection: Selection
    todos: list[Todo] = field(default_factory=list)
    outcomes: list[pool.Outcome[Todo]] = field(default_factory=list)
    backups: list[Backup] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    taken: dict[str, Taking] = field(default_factory=dict)
    leftovers: list[Leftover] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Runner:
    """Does what a plan says; every wait is bounded.

    :param timeout: seconds for which one backup is waited for.
    """

    def __init__(
        self,
        cinder: Cinder,
        wishes: Wishes,
        *,
        parallel: int = 4,
        timeout: float = 14400.0,
        every: float = 30.0,
        source: Source | None = None,
        waits: Waits | None = None,
        now: Callable[[], datetime.datetime] = plan.utc_now,
    ) -> None:
        self.cinder, self.wishes = cinder, wishes
        self.parallel, self.timeout, self.every = parallel, timeout, every
        self.waits, self.now, self.source = waits or Waits(), now, source
        self.points = Points(
            cinder.cloud,
            cinder,
            wishes.run,
            parallel=parallel,
            stop=self.waits.stop,
            clock=self.waits.clock,
            sleep=self.waits.rest,
        )
        self._taken: dict[str, Taking] = {}
        self._moments = Moments(self.points, wishes.consistency, {})
        self._said: dict[str, str] = {}
        self._undigested: dict[str, str] = {}

    # All of them.

    def prepare(self, selector: Selector) -> Report:
        """What is there and what is to be done.

        :raises InputError: the quota does not suffice, or nothing takes work: then nothing is begun at all.
        """
        volumes = self.cinder.volumes()
        together, known = self.wishes.consistency != "none", selector.knows(volumes)
        everywhere, tags = bool(selector.projects), bool(selector.tags)
        servers = self.points.servers(everywhere, tags) if together or not known else []
        report = Report(self.wishes, select(volumes, selector, None if known else servers))
        chosen = report.selection.chosen
        report.backups = self.ours(self.cinder.backups())
        if together:
            report.taken = plan.takings(servers, volumes, chosen, self.wishes.consistency)
        elif self.source is not None and self.source.snapshots:
            chunked = is_chunked(report.backups, self.wishes.rules.driver)
            report.taken = plan.readable(chosen) if chunked else {}
        report.todos = plan.plan(chosen, report.backups, self.wishes, self.now(), report.taken)
        if together or report.taken:
            busy = [one.taking.server for one in _work(report) if one.taking]
            report.leftovers = moments.leftovers(self.points, busy)
        if any(todo.action == "create" for todo in report.todos):
            self._room(report)
        return report

    def ours(self, backups: Iterable[Backup]) -> list[Backup]:
        """Those of the token's project: in it our backups are made, and in it Cinder looks for parents."""
        mine = self.cinder.cloud.project_id
        return [one for one in backups if one.project in ("", mine)]

    def _room(self, report: Report) -> None:
        problems = room.shortage(report.todos, self.cinder.limits())
        services = self.cinder.services()
        problems += [text for text in [room.dead_service(services)] if text]
        if problems:
            raise InputError(f"No backup was begun: {'; '.join(problems)}")
        if not services:
            report.unseen.append("services: this login may not see whether cinder-backup runs")
        driver = self.wishes.rules.driver
        if is_ceph(report.backups, driver):
            self._same_store(report)
        elif driver == "auto" and not any(one.available for one in report.backups):
            report.unseen.append("store: no backup is there yet that tells its driver; backup_driver says it")

    def _same_store(self, report: Report) -> None:
        pools = self.cinder.pools()
        if not pools:
            report.unseen.append("pools: this login may not see whether volumes and their backups lie in one cluster")
        found = room.warnings(report.todos, report.backups, room.ceph_pools(pools))
        report.warnings += found
        for text in found:
            say(f"warning: {text}")

    def carry_out(self, report: Report) -> None:
        """Does it, and says how far it is; failures stay with their volumes."""
        work = _work(report)
        self._taken = report.taken
        servers = {todo.volume.id: todo.taking.server for todo in work if todo.taking}
        together = self.wishes.consistency if self.wishes.consistency != "none" else "crash"
        self._moments = Moments(self.points, together, servers)
        # What a killed run began is under way anyway; the largest take longest, so they do not come last.
        work.sort(key=lambda todo: (todo.action != "join", -todo.volume.size))
        done: list[str] = []

        def one(todo: Todo) -> Made:
            try:
                return self.back_up(todo)
            finally:
                self._moments.done(todo.volume.id)
                self._said.pop(todo.volume.id, None)
                done.append(todo.volume.id)

        def tick() -> None:
            under_way = "; ".join(sorted(dict(self._said).values()))
            say(f"{len(done)} of {len(work)} backups done; under way: {under_way or 'nothing'}")

        report.problems += moments.cleared(self.points, report.leftovers, say) if report.leftovers else []
        whole = False
        try:
            report.outcomes = pool.each(work, one, self.parallel, tick=tick, every=self.every, stop=self.waits.stop)
            whole = True
        finally:
            if not whole:
                self.waits.stop.set()
            self._let_go(report)
        made = [outcome.value.backup for outcome in report.outcomes if outcome.value]
        report.warnings += apart([*report.backups, *made], self.wishes.run)
        for outcome in report.outcomes:
            if outcome.error is not None:
                say(f"{outcome.item.volume}: {outcome.error.message}")

    def _let_go(self, report: Report) -> None:
        """Removes what was held; what an interrupted run has no time for is named."""
        self._moments.close()
        report.problems += self._moments.problems
        for text in self._moments.problems if self.waits.stop.is_set() else ():
            say(f"interrupted: {text}")

    # One of them.

    def back_up(self, todo: Todo) -> Made:
        """The backup of one volume.

        An incremental one that Cinder cannot make is followed by a full one, and one that a killed run began and that
        failed is begun again: once. Where another run was faster, what is to be done is seen anew when that one is done.

        :raises LandscapeError: there is none.
        """
        began, backup = self.waits.clock(), Backup("", "")
        if todo.action == "create" and todo.volume.status in plan.BUSY:
            todo = self._fresh(todo.volume)
        for last in (False, True):
            if todo.refused or todo.action == "none":
                break
            self._note(todo)
            try:
                backup = self._finished(todo.backup.id if todo.backup else self._begin(todo))
            except TakenError:
                if last:
                    raise
                todo = self._fresh(todo.volume)
                continue
            if backup.available:
                return self._settled(todo, backup, began)
            joined = todo.action == "join"
            if last or not (joined or plan.needs_full(backup)):
                raise LandscapeError(f"backup {backup} ended as {backup.status}: {backup.failure or 'no reason given'}")
            todo = self._fresh(todo.volume)
        if todo.refused:
            raise LandscapeError(todo.refused)
        return self._settled(todo, todo.backup or backup, began)

    def _note(self, todo: Todo) -> None:
        what = todo.decision.kind or "begun by an earlier run"
        since = datetime.datetime.now().strftime("%H:%M:%S")
        self._said[todo.volume.id] = f"{todo.volume.name or todo.volume.id} ({what}, since {since})"

    def _fresh(self, volume: Volume) -> Todo:
        """What is to be done about a volume now, once nobody works on it."""
        found = self.waits.until(
            lambda: self.cinder.volume(volume.id),
            lambda one: one is None or one.status not in plan.BUSY,
            self.timeout,
            lambda one: f"volume {volume} is still {one.status}",
        )
        if found is None:
            raise LandscapeError(f"volume {volume} is gone")
        there = self.ours(self.cinder.backups(volume_id=volume.id))
        return plan.plan([found], there, self.wishes, self.now(), self._taken)[0]

    def _begin(self, todo: Todo) -> str:
        """The id of a new backup; a request whose answer was lost is looked for before it is sent again."""
        self._remove(todo.failed)
        known = {one.id for one in todo.failed}
        point = self._moments.of(todo.volume.id) if todo.taking else None
        snapshot = point.snapshot(todo.volume.id) if point else ""
        marks = {**(point.marks() if point else {}), **self._digest(todo, snapshot)}
        deadline, attempt, unclear = self.waits.clock() + _PATIENCE, 0, False
        while True:
            try:
                return self._post(todo, snapshot, marks)
            except CloudError as error:
                lost = is_unclear(error)
                if not lost and not unclear:
                    self._tell_room(todo, error)
                    if error.status == 400 and self._is_taken(todo.volume):
                        raise TakenError(error.message) from None
                    raise
                unclear = True
                self.waits.pause(attempt)
                found = self._look(todo.volume, known)
                if found:
                    return found
                if not lost or self.waits.clock() > deadline:
                    raise
                attempt += 1

    def _is_taken(self, volume: Volume) -> bool:
        """Whether somebody else has begun something on a volume since it was looked at."""
        found = self.cinder.volume(volume.id)
        return found is not None and found.status in plan.BUSY

    def _tell_room(self, todo: Todo, error: CloudError) -> None:
        """Writes the numbers into a refusal for want of quota: somebody else took what was there when we planned."""
        if error.status == 413:
            short = room.shortage([replace(todo, failed=())], self.cinder.limits())
            error.message = "; ".join([error.message, *short])

    def _post(self, todo: Todo, snapshot: str, marks: dict[str, str]) -> str:
        kind, why = todo.decision.kind, todo.decision.why
        read = model.DIGEST in marks and not snapshot  # of a volume that must not have been attached since
        return self.cinder.begin_backup(
            todo.volume.id,
            name=plan.name_of(todo, self.wishes),
            metadata={**plan.metadata_of(todo, self.wishes, kind, why), **marks},
            incremental=kind == "incremental",
            force=todo.force and not read,
            snapshot=snapshot,
            container=self.wishes.container,
        )

    def _digest(self, todo: Todo, snapshot: str) -> dict[str, str]:
        """What a backup says about the bytes of its source; a backup without it is better than none."""
        if self.source is None:
            return {}
        try:
            return {model.DIGEST: self.source.digest(self.cinder, todo.volume, snapshot, self.waits.stop)}
        except Stopped:
            raise
        except LandscapeError as error:
            self._undigested[todo.volume.id] = f"the backup has no digest: {error}"
            return {}

    def _look(self, volume: Volume, known: set[str]) -> str:
        """The id of what this run began on a volume; empty when nothing was."""
        there = made_by(self.cinder.backups(volume_id=volume.id), self.wishes.run)
        return next((one.id for one in there if one.id not in known and one.status != "deleting"), "")

    def _remove(self, backups: Sequence[Backup]) -> None:
        """Removes failed backups of this run, and waits until they are gone: they use up quota."""
        for one in backups:
            self.cinder.delete_backup(one.id)
        for one in backups:
            self.waits.until(
                lambda identifier=one.id: self.cinder.backup(identifier),  # type: ignore[misc]
                lambda found: found is None,
                _AFTER,
                lambda found: f"the failed backup {found} is still {found.status}",
            )

    def _finished(self, identifier: str) -> Backup:
        """A backup that Cinder works on no more."""
        found: Backup | None = self.waits.until(
            lambda: self.cinder.backup(identifier),
            lambda one: one is None or one.status not in model.UNDER_WAY,
            self.timeout,
            lambda one: f"backup {one} is still {one.status}",
        )
        if found is None:
            raise LandscapeError(f"backup {identifier} is gone, somebody has removed it")
        return found

    def _settled(self, todo: Todo, backup: Backup, began: float) -> Made:
        """A backup that is there, once, on a volume that is as it was."""
        there = self.ours(self.cinder.backups(volume_id=todo.volume.id))
        mine = [one for one in made_by(there, self.wishes.run) if one.available]
        first = min(mine, key=lambda one: (model.moment(one.created), one.id), default=backup)
        if first.id != backup.id and not backup.dependents:
            # Another run of the same name was a little faster; one of both is enough, and both choose the same.
            self.cinder.delete_backup(backup.id)
            there = [one for one in there if one.id != backup.id]
            backup = first
        backup = next((one for one in there if one.id == backup.id), backup)
        chain = chains.find(chains.build(there), backup.id)
        problems = [self._given_back(todo.volume), self._undigested.get(todo.volume.id, "")]
        seconds = self.waits.clock() - began
        return Made(backup, _why(todo, backup), chain, seconds, "; ".join(filter(None, problems)))

    def _given_back(self, before: Volume) -> str:
        """What is wrong with the volume after its backup; empty when it is as it was."""
        try:
            now: Volume | None = self.waits.until(
                lambda: self.cinder.volume(before.id),
                lambda one: one is None or one.status not in plan.BUSY,
                _AFTER,
                lambda one: f"the backup is there, and the volume is still {one.status}",
            )
        except LandscapeError as error:
            return error.message
        bad = now is not None and now.status not in plan.READY
        return f"the backup is there, and the volume is {now.status} now" if bad and now else ""


def _work(report: Report) -> list[Todo]:
    return [todo for todo in report.todos if todo.action in ("create", "join")]


def _why(todo: Todo, backup: Backup) -> str:
    """What is said about the kind of a backup that is there."""
    if not backup.incremental and todo.decision.kind == "incremental":
        return "Cinder made a full one where an incremental one was asked for; its driver decides that"
    return backup.metadata.get(model.WHY, "") or todo.decision.why


def run(cinder: Cinder, selector: Selector, wishes: Wishes, check_mode: bool, **options: Any) -> Report:
    """The whole task.

    :raises LandscapeError: nothing could be planned, or the quota does not suffice: then nothing was begun.
    """
    runner = Runner(cinder, wishes, **options)
    report = runner.prepare(selector)
    if not check_mode:
        runner.carry_out(report)
    return report
