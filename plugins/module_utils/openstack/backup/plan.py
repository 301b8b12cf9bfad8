# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a run does about each volume: pure, the same for check mode and for the run.

A run has a name. Its backups carry it, and a volume that has an available backup of that name has what it should have. So a
run that is started again goes on where it was killed, and one that is complete does nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from ...core.plan import Plan, Step
from . import model, points
from .cinder import made_by
from .decide import NOTHING, Decision, Rules, decide, only_one
from .model import Backup, Volume
from .points import Leftover, Server

#: Runs of a policy by what they are for, each with the form of its name (UTC).
PERIODS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}
FORCE = ("auto", "always", "never")
#: Somebody works on the volume, and that passes: it is waited for.
BUSY = (
    *("backing-up", "restoring-backup", "attaching", "detaching", "extending", "retyping", "uploading", "reserved"),
    *("maintenance", "creating", "downloading"),
)
READY = ("available", "in-use")
#: States of a backup of this run, and what they leave to do; one that is being restored was available.
_THERE = ((("available", "restoring"), "none"), (("creating", "backing-up"), "join"))
#: Longest value in the metadata of a backup, and longest name of one.
_LONGEST = 255


@dataclass(frozen=True)
class Wishes:
    """What an operator wants of the backups of a run.

    :param run: name of the run, the same when it is started again.
    :param labels: further metadata.
    """

    run: str
    policy: str = ""
    rules: Rules = field(default_factory=Rules)
    force: str = "auto"
    consistency: str = "none"
    container: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Taking:
    """How an attached volume is taken together with the others of its server.

    :param level: how consistent the point will be.
    :param refused: why it cannot be taken so.
    """

    server: Server
    level: str = ""
    why: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Todo:
    """What is to be done about one volume.

    :param action: ``create``, ``join`` (a killed or parallel run began it: wait for it), ``none`` or ``refuse``.
    :param backup: the one of this run that is there.
    :param failed: those of this run that failed; removed before the next attempt.
    :param force: an attached volume is backed up.
    :param refused: why nothing is done, in one sentence.
    """

    volume: Volume
    action: str
    decision: Decision = NOTHING
    backup: Backup | None = None
    failed: tuple[Backup, ...] = ()
    force: bool = False
    taking: Taking | None = None
    refused: str = ""

    def steps(self) -> list[Step]:
        """The plan of this volume."""
        title = f"backup of volume {self.volume}"
        found = [
            Step("delete", f"failed backup {one}", {"status": one.status, "reason": one.failure}, None)
            for one in (self.failed if self.action == "create" else ())
        ]
        if self.action == "create":
            after: dict[str, Any] = {"kind": self.decision.kind, "why": self.decision.why, "size": self.volume.size}
            if self.force:
                after["force"] = True
            if self.taking:
                after.update(server=str(self.taking.server), level=self.taking.level, level_why=self.taking.why)
            found.append(Step("create", title, None, after, undo="delete the backup"))
        return found


def utc_now() -> datetime.datetime:
    """What our clock says."""
    return datetime.datetime.now(datetime.timezone.utc)


def run_name(policy: str, period: str, given: str, now: datetime.datetime) -> str:
    """The name of a run: the same for the same policy and period, or the one that is given.

    :raises InputError: it does not fit into the metadata of a backup.
    """
    name = "/".join(part for part in (policy, given or now.strftime(PERIODS[period])) if part)
    if len(name) > _LONGEST:
        raise InputError(f"The name of the run has {len(name)} characters, {_LONGEST} are possible: {name[:60]}...")
    return name


def wishes_of(params: Mapping[str, Any], now: datetime.datetime) -> Wishes:
    """What the options of ``volume_backup_run`` say.

    :raises InputError: they contradict themselves, or Cinder would refuse them.
    """
    for name, least in (("max_chain", 0), ("full_days", 0), ("max_parallel", 1), ("timeout", 1)):
        if params[name] < least:
            raise InputError(f"{name} is {params[name]}, and {least} is the least")
    labels = {str(key): str(value) for key, value in params["labels"].items()}
    check_labels(labels)
    rules = Rules(params["mode"], params["max_chain"], params["full_days"], params["own_only"], params["backup_driver"])
    name = run_name(params["policy"], params["period"], params["run_id"], now)
    more = {"force": params["force"], "consistency": params["consistency"], "container": params["container"]}
    return Wishes(name, params["policy"], rules, labels=labels, **more)


def check_labels(labels: Mapping[str, str]) -> None:
    """Refuses metadata that Cinder would refuse, or that are ours.

    :raises InputError: they are.
    """
    ours = sorted(key for key in labels if key.startswith("scs_landscape_"))
    if ours:
        raise InputError(f"labels has names that belong to this collection: {', '.join(ours)}")
    long = sorted(key for key, value in labels.items() if not 0 < len(key) <= _LONGEST or len(value) > _LONGEST)
    if long:
        raise InputError(f"labels has names or values of more than {_LONGEST} characters: {', '.join(long)[:200]}")


def takings(
    servers: Iterable[Server], everything: Sequence[Volume], chosen: Iterable[Volume], consistency: str
) -> dict[str, Taking]:
    """How each chosen volume that a server has is taken; nothing where every volume is taken by itself.

    :param everything: all volumes that are there: a server's image properties are those of its root.
    """
    wanted, found = {one.id for one in chosen}, {}
    for server in servers if consistency != "none" else ():
        mine = wanted.intersection(server.volumes)
        if not mine:
            continue
        try:
            how = points.way(server, [one for one in everything if one.id in server.volumes], consistency)
            taking = Taking(server, how.level, how.why)
        except InputError as error:
            taking = Taking(server, refused=str(error))
        found.update(dict.fromkeys(mine, taking))
    return found


def readable(chosen: Iterable[Volume]) -> dict[str, Taking]:
    """How attached volumes are taken when their bytes are read for digests: what is read and what is backed up is one snapshot.

    Cinder's own temporary copy of an attached volume cannot be read, and the volume changes meanwhile.
    """
    attached: dict[str, list[Volume]] = {}
    for one in chosen:
        server = next((other.server for other in one.attachments if other.server), "")
        if one.in_use and server:
            attached.setdefault(server, []).append(one)
    why = "a snapshot is read for the digest, and backed up; those of a server are made one after another"
    return {
        volume.id: Taking(Server(server, status="ACTIVE", volumes=tuple(one.id for one in mine)), "crash", why)
        for server, mine in attached.items()
        for volume in mine
    }


def plan(
    volumes: Sequence[Volume],
    backups: Iterable[Backup],
    wishes: Wishes,
    now: datetime.datetime,
    taken: Mapping[str, Taking] | None = None,
) -> list[Todo]:
    """What has to be done about each volume.

    :param backups: all of our project.
    :param taken: of :func:`takings`.
    """
    by_volume: dict[str, list[Backup]] = {}
    for one in backups:
        by_volume.setdefault(one.volume, []).append(one)
    return [
        _todo(volume, by_volume.get(volume.id, []), wishes, now, (taken or {}).get(volume.id)) for volume in volumes
    ]


def _todo(
    volume: Volume, backups: Sequence[Backup], wishes: Wishes, now: datetime.datetime, taking: Taking | None
) -> Todo:
    mine = sorted(made_by(backups, wishes.run), key=lambda one: (model.moment(one.created), one.id))
    for statuses, action in _THERE:
        there = next((one for one in mine if one.status in statuses), None)
        if there is not None:
            return Todo(volume, action, backup=there, taking=taking)
    precious = only_one(backups, wishes.rules.driver)
    failed = tuple(one for one in mine if one.status == "error" and not precious)
    told = next((one.failure for one in failed if needs_full(one)), "")
    moment = now.isoformat() if taking else ""
    decision = decide(volume, backups, wishes.rules, now, snapshot_at=moment, refused=told)
    refused = _unreadable(volume, wishes, taking) or decision.refused
    if refused:
        return Todo(volume, "refuse", decision, failed=failed, refused=refused)
    force = taking is None and (wishes.force == "always" or volume.in_use)
    return Todo(volume, "create", decision, failed=failed, force=force, taking=taking)


def _unreadable(volume: Volume, wishes: Wishes, taking: Taking | None) -> str:
    """Why a volume cannot be backed up as it is wished; empty when it can."""
    if volume.status not in (*READY, *BUSY):
        return f"the volume is {volume.status}"
    if volume.in_use and wishes.force == "never":
        return "the volume is in use, and force is never"
    return taking.refused if taking else ""


def needs_full(backup: Backup) -> bool:
    """Whether Cinder could not stand an incremental backup on its parent, and says what helps."""
    return "do a full backup" in backup.failure.lower()


def plan_of(todos: Iterable[Todo], leftovers: Iterable[Leftover] = ()) -> Plan:
    """All steps: what killed runs left is removed, then the volumes in their order."""
    clearing = [Step("delete", str(one), {"created": one.created}, None) for one in leftovers]
    return Plan((*clearing, *(step for todo in todos for step in todo.steps())))


def metadata_of(todo: Todo, wishes: Wishes, kind: str, why: str) -> dict[str, str]:
    """What is written on a backup."""
    found = {**wishes.labels, model.RUN: wishes.run, model.LEVEL: "none"}
    if wishes.policy:
        found[model.POLICY] = wishes.policy
    if kind == "full":
        found[model.WHY] = why[:_LONGEST]
    if todo.volume.type:
        found[model.TYPE] = todo.volume.type[:_LONGEST]
    servers = sorted({one.server for one in todo.volume.attachments if one.server})
    if len(servers) == 1:
        found[model.SERVER] = servers[0]
    return found


def name_of(todo: Todo, wishes: Wishes) -> str:
    """What people see in lists; nothing is found by it."""
    return f"{todo.volume.name or todo.volume.id} {wishes.run}"[:_LONGEST]
