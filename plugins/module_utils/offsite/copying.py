# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Copies to a store: objects first, the manifest last, and then what may go."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..core import pool
from ..core.errors import LandscapeError
from ..core.stream import Meter, say
from . import locks, model, plan
from .plan import Copy, Held, Removal
from .store import AbsentError, Outgoing, Store, patient, whole

#: Seconds after which something that a killed run has begun to send counts as given up: a week.
_GIVEN_UP = 7 * 24 * 3600.0
#: Objects that are removed with one request.
_BATCH = 500


@dataclass(frozen=True)
class Settings:
    """How a store is worked on.

    :param owner: who does it, for locks.
    :param parallel: files on their way at once.
    :param timeout: seconds for which a store may be busy.
    :param wait: seconds to wait for another run.
    """

    owner: str = "offsite_copy"
    parallel: int = 4
    timeout: float = 300.0
    wait: float = 60.0


@dataclass
class Report:
    """What was done.

    :param failed: paths or objects that could not be sent or removed, with the reason.
    """

    sent: int = 0
    bytes: int = 0
    removed: list[str] = field(default_factory=list)
    removed_objects: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    steps: int = 0


def look(store: Store, settings: Settings) -> Held:
    """What a store holds; manifests that cannot be used are named with the reason."""
    keys = patient(lambda: store.listing(model.SNAPSHOTS), settings.timeout)
    found = patient(lambda: store.listing(model.OBJECTS), settings.timeout)
    wanted = [key for key in sorted(keys) if model.name_of(key)]

    def work(key: str) -> model.Snapshot:
        return model.parse(patient(lambda: whole(store, key), settings.timeout), key)

    snapshots, damaged = [], {}
    for one in pool.each(wanted, work, settings.parallel):
        if isinstance(one.error, model.ManifestError):
            damaged[one.item] = one.error.message
        elif isinstance(one.error, AbsentError):
            continue  # somebody has just removed it
        elif one.error is not None:
            raise one.error
        else:
            snapshots.append(one.value)
    return Held(found, plan.by_age(snapshots), damaged)


def send(store: Store, copy: Copy, root: str, settings: Settings, stop: threading.Event) -> Report:
    """Brings a tree to the store; its manifest is only written when everything that it names is there.

    :param root: the folder of the tree.
    """
    report = Report()
    with locks.held(store, "copy", settings.owner, patience=settings.wait):
        # What was there when the plan was made may have been removed since.
        _send_objects(store, copy, root, settings, stop, report)
        if report.failed:
            return report
        report.steps = 1 if copy.missing else 0
        _check_all_there(store, copy, settings)
        if copy.new:
            _write_manifest(store, copy, settings)
            report.steps += 1
        patient(lambda: store.sweep(_GIVEN_UP), settings.timeout)
    return report


def _send_objects(
    store: Store, copy: Copy, root: str, settings: Settings, stop: threading.Event, report: Report
) -> None:
    there = patient(lambda: store.listing(model.OBJECTS), settings.timeout)
    missing = _missing(copy, there)
    files = {one.object: one for one in reversed(copy.snapshot.files) if one.object in missing}
    meter = Meter(sum(one.size for one in files.values()))

    def work(one: model.Entry) -> None:
        path = os.path.join(root, one.path)
        patient(lambda: store.send(one.object, Outgoing(path, one.size, one.sha256, meter, stop)), settings.timeout)

    def tick() -> None:
        say(f"{store.label}: {meter}")

    # The largest first: the last one to end is then none that began late.
    order = sorted(files.values(), key=lambda one: (-one.size, one.path))
    for outcome in pool.each(order, work, settings.parallel, tick=tick, stop=stop):
        if outcome.error is not None:
            report.failed[outcome.item.path] = str(outcome.error)
        else:
            report.sent += 1
            report.bytes += outcome.item.size


def _missing(copy: Copy, there: Mapping[str, int]) -> dict[str, int]:
    """What is to be sent with these objects in the store."""
    return Held(objects=there).missing(copy.snapshot)


def _check_all_there(store: Store, copy: Copy, settings: Settings) -> None:
    missing = _missing(copy, patient(lambda: store.listing(model.OBJECTS), settings.timeout))
    if missing:
        raise LandscapeError(
            f"{store.label} does not hold {len(missing)} of the objects that were sent, {sorted(missing)[0]} among them",
            hint="Something removes them; look at the rules of the store, and run again",
        )


def _write_manifest(store: Store, copy: Copy, settings: Settings) -> None:
    snapshot = copy.snapshot
    text = snapshot.text()
    patient(lambda: store.put(snapshot.key, text), settings.timeout)
    if patient(lambda: whole(store, snapshot.key), settings.timeout) != text:
        raise LandscapeError(f"{store.label} does not give back the manifest {snapshot.key} that was written")


def remove(store: Store, keep: int, settings: Settings, report: Report, planned: Removal) -> None:
    """Removes snapshots beyond ``keep`` and what no other one names, judged again while nobody copies.

    :param planned: what was announced; more never goes.
    """
    with locks.held(store, "removal", settings.owner, patience=settings.wait):
        now = plan.removal(look(store, settings), keep)
        announced = {one.name for one in planned.snapshots}
        going = tuple(one for one in now.snapshots if one.name in announced)
        todo = replace(now, snapshots=going) if going == now.snapshots else Removal(going)
        for one in todo.snapshots:
            patient(functools.partial(store.delete, [one.key]), settings.timeout)
            report.removed.append(one.name)
            report.steps += 1
        # Without its manifest no snapshot counts, so a run that is killed here leaves nothing that looks whole.
        names = sorted(todo.objects)
        for first in range(0, len(names), _BATCH):
            batch = names[first : first + _BATCH]
            patient(functools.partial(store.delete, batch), settings.timeout)
            report.removed_objects += len(batch)
        report.steps += 1 if names else 0
