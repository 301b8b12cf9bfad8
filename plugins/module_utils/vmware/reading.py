# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Some VMs of an endpoint, or all: read with as few calls as there can be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, Protocol

from ..core.errors import InputError
from . import facts
from .model import Endpoint, Vm

#: What says which VM is meant.
NAMES = ("name", "parent", "config.instanceUuid")
#: VMs that are read one by one in a light pass before; more of them are read with all others.
_FEW = 200


class Reader(Protocol):
    """What is needed of a session."""

    endpoint: Endpoint

    def properties(self, wanted: Any) -> list[dict[str, Any]]:
        """Trees of all objects of some kinds."""

    def properties_of(self, kind: str, moids: Iterable[str], names: Sequence[str]) -> list[dict[str, Any]]:
        """Trees of some objects."""


def read(session: Reader, wanted: Sequence[str] = ()) -> list[Vm]:
    """VMs with all facts: all of them, or those that are named, in that order, each once.

    :raises InputError: a name fits none, or several; all of that at once.
    """
    return _read(session, wanted, _refuse)[0]


def read_some(session: Reader, wanted: Sequence[str] = ()) -> tuple[list[Vm], dict[str, str]]:
    """The same, and by name why a name means no VM."""
    return _read(session, wanted, lambda _lacking: None)


def _refuse(lacking: Mapping[str, str]) -> None:
    if lacking:
        raise InputError("; ".join(lacking.values()), hint="Name VMs by their instance UUID, their path or their id")


def _read(
    session: Reader, wanted: Sequence[str], judge: Callable[[Mapping[str, str]], None]
) -> tuple[list[Vm], dict[str, str]]:
    """:param judge: gets what is lacking before more is read."""
    if not wanted or len(wanted) > _FEW:
        found = facts.vms_of(_trees(session, facts.ALL), session.endpoint)
        meant, lacking = chosen(found, wanted) if wanted else (found, {})
        judge(lacking)
        return meant, lacking
    trees = _trees(session, {**facts.AROUND, "VirtualMachine": NAMES})
    meant, lacking = chosen(facts.vms_of(trees, session.endpoint), wanted)
    judge(lacking)
    if not meant:
        return [], lacking
    around = [one for one in trees if one["kind"] != "VirtualMachine"]
    whole = session.properties_of("VirtualMachine", [vm.moid for vm in meant], facts.VM_PROPERTIES)
    by_moid = {vm.moid: vm for vm in facts.vms_of([*around, *whole], session.endpoint)}
    return [by_moid[vm.moid] for vm in meant], lacking


def _trees(session: Reader, wanted: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """What is wanted, and which VMs their hosts start."""
    trees = session.properties(wanted)
    kind, where, names = facts.STARTERS
    managers = [str(one[where]) for one in trees if one.get(where)]
    return [*trees, *session.properties_of(kind, managers, names)] if managers else trees


def chosen(vms: Sequence[Vm], wanted: Sequence[str]) -> tuple[list[Vm], dict[str, str]]:
    """The VMs that some names mean: instance UUID, managed object id, path, or a name that only one has.

    Also, by name, why others mean none: they fit no VM, or several.
    """
    found: list[Vm] = []
    lacking: dict[str, str] = {}
    for name in wanted:
        fits = _fits(vms, name)
        if len(fits) == 1:
            found += [fits[0]] if fits[0] not in found else []
        elif fits:
            some = ", ".join(f"{vm.path} ({vm.moid})" for vm in fits[:5])
            lacking[name] = f"{name!r} is the name of {len(fits)} VMs: {some}"
        else:
            lacking[name] = f"no VM is called {name!r}"
    return found, lacking


def _fits(vms: Sequence[Vm], name: str) -> list[Vm]:
    for sure in ("uuid", "moid", "path"):
        value = name.lower() if sure == "uuid" else name
        fits = [vm for vm in vms if getattr(vm, sure) == value]
        if fits:
            return fits
    return [vm for vm in vms if vm.name == name]
