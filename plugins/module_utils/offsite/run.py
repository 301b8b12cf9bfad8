# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""One task: a tree is copied, brought back, or read back and compared."""

from __future__ import annotations

import datetime
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import InputError
from ..core.plan import Plan
from . import copying, plan, restoring
from .copying import Settings
from .directory import Directory
from .model import checked_name
from .plan import Held, Removal
from .scan import Tree, scan
from .store import Store, same_place


@dataclass(frozen=True)
class Wanted:
    """What a task asks for.

    :param src: the folder that is copied.
    :param dest: the new folder that a copy comes back to.
    :param name: of the snapshot; empty for a made one or the newest one.
    :param keep: how many snapshots stay; nothing when none is to be removed.
    :param reread: read files also when they look as they did when they were copied.
    """

    src: str = ""
    dest: str = ""
    name: str = ""
    keep: int | None = None
    exclude: Sequence[str] = ()
    reread: bool = False


def wish_of(params: Mapping[str, Any]) -> Wanted:
    """What the options of a module ask for.

    :raises InputError: a number is too small.
    """
    low = {"keep": 1, "max_parallel": 1, "timeout": 1, "wait": 0}
    bad = [name for name, least in low.items() if params[name] is not None and params[name] < least]
    if bad:
        raise InputError("; ".join(f"{name} is {params[name]}, and {low[name]} is the least" for name in bad))
    names = ("src", "dest", "name", "keep", "exclude", "reread")
    return Wanted(**{name: params[name] for name in names if params[name] is not None})


@dataclass
class Outcome:
    """What a task returns."""

    changed: bool = False
    plan: Plan = field(default_factory=Plan)
    diff: list[dict[str, str]] = field(default_factory=list)
    steps_done: int = 0
    warnings: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    failed: str = ""


def values(**given: Any) -> dict[str, Any]:
    """Everything that is returned beside the plan."""
    empty: dict[str, Any] = {"snapshot": None, "snapshots": [], "removed": [], "damaged": [], "failed_files": []}
    return {**empty, "omitted": [], "objects": 0, "bytes": 0, "removed_objects": 0, **given}


def pairs(reasons: Mapping[str, str]) -> list[dict[str, str]]:
    """Paths and reasons as modules return them."""
    return [{"path": path, "reason": reason} for path, reason in sorted(reasons.items())]


def present(store: Store, wanted: Wanted, settings: Settings, check: bool, now: datetime.datetime) -> Outcome:
    """Copies a folder, and thins out."""
    stop = threading.Event()
    if wanted.name:
        checked_name(wanted.name)
    _refuse_circle(store, wanted.src)
    held = copying.look(store, settings)
    tree = looked_at(wanted, held, settings, stop)
    source = {"host": os.uname().nodename, "path": tree.root}
    copied = plan.copy(tree.entries, source, held, wanted.name, now)
    added = copied.snapshot if copied.new else None
    removed = Removal() if wanted.keep is None else plan.removal(held, wanted.keep, added)
    steps = plan.steps(copied, removed, store.label)
    report = copying.Report()
    if not check:
        if copied.new or copied.missing:
            report = copying.send(store, copied, tree.root, settings, stop)
        if removed and wanted.keep is not None and not report.failed:
            copying.remove(store, wanted.keep, settings, report, removed)
    else:
        report.sent, report.bytes = len(copied.missing), sum(copied.missing.values())
        report.removed, report.removed_objects = [one.name for one in removed.snapshots], len(removed.objects)
    gone = {one.name for one in removed.snapshots}
    after = [*held.snapshots, *([added] if added and not report.failed else [])]
    return Outcome(
        changed=bool(steps) if check else bool(report.sent or report.steps),
        plan=steps,
        diff=plan.diff(held.newest, copied.snapshot) if steps else [],
        steps_done=report.steps,
        warnings=[f"{why}. It was left as it is" for _key, why in sorted(held.damaged.items())],
        values=values(
            snapshot=None if report.failed else copied.snapshot.summary(),
            snapshots=[one.summary() for one in plan.by_age(one for one in after if one.name not in gone)],
            removed=report.removed,
            removed_objects=report.removed_objects,
            objects=report.sent,
            bytes=report.bytes,
            omitted=pairs(tree.omitted),
            failed_files=pairs(report.failed),
        ),
        failed=lines("No snapshot was written", report.failed),
    )


def _refuse_circle(store: Store, src: str) -> None:
    if isinstance(store, Directory) and (same_place(store.path, src) or same_place(src, store.path)):
        raise InputError(f"The store {store.path} and the folder {src} lie in each other", hint="Choose another folder")


def looked_at(wanted: Wanted, held: Held, settings: Settings, stop: threading.Event) -> Tree:
    """The folder that is to be copied.

    :raises InputError: some of it cannot be read: a copy with gaps would look whole.
    """
    newest = held.newest
    known = {} if wanted.reread or newest is None else {one.path: one for one in newest.files}
    tree = scan(wanted.src, wanted.exclude, known, settings.parallel, stop)
    if tree.failed:
        raise InputError(lines("Nothing was copied", tree.failed), details={"failed_files": pairs(tree.failed)})
    return tree


def lines(what: str, reasons: Mapping[str, str], shown: int = 20) -> str:
    """One message for many reasons; empty when there are none."""
    if not reasons:
        return ""
    said = [f"{path}: {reason}" for path, reason in sorted(reasons.items())]
    more = [f"and {len(said) - shown} more"] if len(said) > shown else []
    return "\n".join([f"{what}:", *said[:shown], *more])


def restored(store: Store, wanted: Wanted, settings: Settings, check: bool) -> Outcome:
    """Brings a snapshot back into a new folder."""
    dest, stop = os.path.abspath(os.path.expanduser(wanted.dest)), threading.Event()
    held = copying.look(store, settings)
    snapshot = plan.chosen(held, wanted.name, store.label)
    if restoring.is_there(snapshot, dest, settings.parallel):
        return Outcome(values=values(snapshot=snapshot.summary(), snapshots=plan.listed(held)))
    missing = held.missing(snapshot)
    lost = {one.path: f"the object {one.object} is missing" for one in snapshot.files if one.object in missing}
    if lost:
        raise InputError(
            lines(f"{store.label} cannot give back the snapshot {snapshot.name}", lost),
            details={"damaged": pairs(lost)},
        )
    report = restoring.Report(len(snapshot.files), snapshot.size)
    if not check:
        report = restoring.restore(store, snapshot, dest, settings, stop)
    wrong = {**report.failed, **report.damaged}
    steps = restoring.steps(snapshot, dest)
    return Outcome(
        changed=not wrong,
        plan=steps,
        diff=plan.diff(None, snapshot),
        steps_done=0 if check or wrong else len(steps),
        values=values(
            snapshot=snapshot.summary(),
            snapshots=plan.listed(held),
            objects=report.files,
            bytes=report.bytes,
            damaged=pairs(report.damaged),
            failed_files=pairs(report.failed),
        ),
        failed=lines(f"{dest} was not made", wrong),
    )


def verified(store: Store, wanted: Wanted, settings: Settings) -> Outcome:
    """Reads a snapshot back and compares every byte; changes nothing."""
    held = copying.look(store, settings)
    snapshot = plan.chosen(held, wanted.name, store.label)
    report = restoring.verify(store, snapshot, held, settings, threading.Event())
    bad = restoring.objects_of(report, snapshot)
    failed = lines(f"The snapshot {snapshot.name} is not what was copied", {**report.damaged, **report.failed})
    if bad:
        failed += f"\nRemove {', '.join(bad[:10])} from the store and copy again while the source still has these files"
    return Outcome(
        warnings=[why for _key, why in sorted(held.damaged.items())],
        values=values(
            snapshot=snapshot.summary(),
            snapshots=plan.listed(held),
            objects=report.files,
            bytes=report.bytes,
            damaged=pairs(report.damaged),
            failed_files=pairs(report.failed),
        ),
        failed=failed,
    )
