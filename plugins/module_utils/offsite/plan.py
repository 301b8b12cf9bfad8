# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What has to be sent, written and removed, decided from what is there. Pure."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import InputError
from ..core.plan import Impact, Plan, Step
from ..core.units import format_bytes
from .model import Entry, Snapshot, is_object, tree_of

#: Lines of a diff that are shown at most.
_SHOWN = 500


@dataclass(frozen=True)
class Held:
    """What a store holds.

    :param objects: sizes by name.
    :param snapshots: the oldest first.
    :param damaged: why a manifest cannot be used, by its name in the store.
    """

    objects: Mapping[str, int] = field(default_factory=dict)
    snapshots: tuple[Snapshot, ...] = ()
    damaged: Mapping[str, str] = field(default_factory=dict)

    @property
    def newest(self) -> Snapshot | None:
        """The one that was taken last."""
        return self.snapshots[-1] if self.snapshots else None

    def named(self, name: str) -> Snapshot | None:
        """A snapshot by its name."""
        return next((one for one in self.snapshots if one.name == name), None)

    def missing(self, snapshot: Snapshot) -> dict[str, int]:
        """Objects that a snapshot needs and that are not there with their size."""
        return {name: size for name, size in snapshot.objects.items() if self.objects.get(name) != size}


def by_age(snapshots: Iterable[Snapshot]) -> tuple[Snapshot, ...]:
    """The oldest first."""
    return tuple(sorted(snapshots, key=lambda one: (one.taken, one.name)))


@dataclass(frozen=True)
class Copy:
    """What makes a store hold a tree.

    :param snapshot: what the store is to hold.
    :param new: whether its manifest has to be written.
    :param missing: sizes of the objects to send, by name.
    """

    snapshot: Snapshot
    new: bool
    missing: Mapping[str, int]


@dataclass(frozen=True)
class Removal:
    """What goes: snapshots first, then what no other one names.

    :param objects: sizes by name.
    """

    snapshots: tuple[Snapshot, ...] = ()
    objects: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.snapshots or self.objects)


def copy(entries: tuple[Entry, ...], source: Mapping[str, str], held: Held, name: str, now: datetime.datetime) -> Copy:
    """What has to be sent and written for a tree.

    :param name: of the snapshot; made of the day and of the tree when empty.
    :raises InputError: there is nothing to copy, or the name is that of another tree.
    """
    if not any(one.kind == "file" for one in entries):
        raise InputError(
            f"{source.get('path')} holds no files, so nothing was copied",
            hint="Look whether something should be mounted there",
        )
    there = held.named(name) if name else held.newest
    if there is not None and there.tree == tree_of(entries):
        return Copy(there, False, held.missing(there))
    if there is not None and name:
        raise InputError(
            f"The snapshot {name} is there, and it is not what {source.get('path')} holds now",
            hint="A snapshot is never changed: give each run a name of its own, or none",
        )
    taken = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    snapshot = Snapshot(name or _free(held, entries, now), taken, dict(source), entries)
    return Copy(snapshot, True, held.missing(snapshot))


def _free(held: Held, entries: Iterable[Entry], now: datetime.datetime) -> str:
    """A name that is not taken: a tree may come back to what it was."""
    base = f"{now:%Y-%m-%d}-{tree_of(entries)[7:19]}"
    taken = {one.name for one in held.snapshots}
    return next(
        name for name in (base, *(f"{base}-{count}" for count in range(2, len(taken) + 3))) if name not in taken
    )


def removal(held: Held, keep: int, added: Snapshot | None = None) -> Removal:
    """What goes when so many snapshots stay, the newest ones.

    :param added: a snapshot that the same run writes; it stays.
    :raises InputError: ``keep`` is no number above 0, or what a manifest names is not known.
    """
    if keep < 1:
        raise InputError(
            f"keep is {keep}, so that every snapshot would go", hint="Give a number above 0, or leave it out"
        )
    if held.damaged:
        raise InputError(
            "Nothing can be removed, because it is not known what these manifests name: "
            + "; ".join(f"{key}: {why}" for key, why in sorted(held.damaged.items())),
            hint="Bring them back from another copy, or remove them by hand",
        )
    others = [one for one in held.snapshots if added is None or one.name != added.name]
    stay = keep - (added is not None)
    going = others[: max(len(others) - stay, 0)]
    needed = {name for one in [*others[len(going) :], *([added] if added else [])] for name in one.objects}
    loose = {name: size for name, size in held.objects.items() if is_object(name) and name not in needed}
    return Removal(tuple(going), loose)


def steps(copied: Copy, removed: Removal, label: str) -> Plan:
    """All of it as a plan."""
    found: list[Step] = []
    if copied.missing:
        total = sum(copied.missing.values())
        after = {"objects": len(copied.missing), "size": total, "names": _digest(copied.missing)}
        found.append(Step("send", f"{_many(copied.missing)} to {label}", None, after, undo="remove them by keep"))
    if copied.new:
        after = {key: value for key, value in copied.snapshot.summary().items() if key != "taken"}
        found.append(Step("create", f"snapshot {copied.snapshot.name}", None, after, undo="remove its manifest"))
    found += [
        Step("delete", f"snapshot {one.name}", one.summary(), None, Impact.DESTROYED) for one in removed.snapshots
    ]
    if removed.objects:
        before = {"objects": len(removed.objects), "names": _digest(removed.objects)}
        said = f"{_many(removed.objects)} of {label} that no snapshot names"
        found.append(Step("delete", said, before, None, Impact.DESTROYED))
    return Plan(tuple(found))


def _many(objects: Mapping[str, int]) -> str:
    noun = "object" if len(objects) == 1 else "objects"
    return f"{len(objects)} {noun} ({format_bytes(sum(objects.values()))})"


def _digest(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(names)).encode("ascii")).hexdigest()[:12]


def diff(before: Snapshot | None, after: Snapshot) -> list[dict[str, str]]:
    """What ``--diff`` shows: entries that come, go or change."""
    old = {one.path: one for one in before.entries} if before else {}
    new = {one.path: one for one in after.entries}
    paths = [path for path in sorted({*old, *new}) if _line(old.get(path)) != _line(new.get(path))]
    if not paths:
        return []
    cut = f"and {len(paths) - _SHOWN} more\n" if len(paths) > _SHOWN else ""
    return [
        {
            "before_header": f"snapshot {before.name}" if before else "no snapshot",
            "after_header": f"snapshot {after.name}",
            "before": "".join(_line(old.get(path)) for path in paths[:_SHOWN]),
            "after": "".join(_line(new.get(path)) for path in paths[:_SHOWN]) + cut,
        }
    ]


def _line(one: Entry | None) -> str:
    if one is None:
        return ""
    what = {"file": f"{one.size} {one.sha256[:12]}", "link": f"-> {one.target}"}.get(one.kind, "folder")
    return f"{one.path!r} {one.mode:04o} {what}\n"


def chosen(held: Held, name: str, label: str) -> Snapshot:
    """The snapshot that is meant; the newest one when no name is given.

    :raises InputError: there is none.
    """
    found = held.named(name) if name else held.newest
    if found is not None:
        return found
    for key, why in held.damaged.items():
        if not name or key.endswith(f"/{name}.json"):
            raise InputError(f"{label}: {why}")
    names: Sequence[str] = [one.name for one in held.snapshots]
    raise InputError(
        f"{label} holds no snapshot {name}".rstrip(),
        hint=f"There are: {', '.join(names[-10:])}" if names else "Copy something first",
    )


def listed(held: Held) -> list[dict[str, Any]]:
    """The snapshots as modules return them, the oldest first; whole says whether all of their objects are there."""
    return [{**one.summary(), "whole": not held.missing(one)} for one in held.snapshots]
