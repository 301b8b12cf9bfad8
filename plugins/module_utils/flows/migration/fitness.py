# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which machines of a wave can go on, and why others cannot: one that cannot holds up no other. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Callable

from ...core.errors import InputError, LandscapeError
from ...vmware.model import Vm
from . import clashes
from .model import Machine
from .moving import Item, items_of
from .target import TargetCloud


def fit(
    machines: Sequence[Machine],
    vms: Sequence[Vm],
    folder: str,
    metadata: Mapping[str, Mapping[str, str]],
    *,
    off: bool = True,
    day: str = "",
) -> tuple[list[Item], dict[str, str]]:
    """The disks of the machines that can be moved, and by uuid why others cannot; see :func:`.moving.items_of`."""
    items: list[Item] = []
    errors: dict[str, str] = {}
    for one in machines:
        try:
            items += items_of([one], vms, folder, metadata, off=off, day=day)
        except InputError as error:
            errors[one.uuid] = str(error)
    return items, errors


def each(items: Sequence[Item], look: Callable[[Sequence[Item]], None]) -> dict[str, str]:
    """What a look at the disks of each machine raises, by uuid."""
    of: dict[str, list[Item]] = {}
    for one in items:
        of.setdefault(one.machine.uuid, []).append(one)
    errors: dict[str, str] = {}
    for uuid, mine in of.items():
        try:
            look(mine)
        except LandscapeError as error:
            errors[uuid] = str(error)
    return errors


def broken(items: Sequence[Item]) -> dict[str, str]:
    """By uuid, which disks were not moved."""
    errors: dict[str, str] = {}
    for one in items:
        if one.status == "failed":
            before = f"{errors[one.machine.uuid]}\n" if one.machine.uuid in errors else ""
            errors[one.machine.uuid] = f"{before}{one.label}: {one.message}"
    return errors


def lacking(machines: Sequence[Machine], target: TargetCloud) -> dict[str, str]:
    """By uuid, what of the target a plan counts on and that is not there any more. Who has a server needs none of it.

    :raises InputError: quotas do not do for all of them.
    """
    going = [one for one in machines if not _has_server(one, target)]
    short = clashes.shortages(clashes.needs(going, target))
    if short:
        raise InputError("\n".join(short), hint="Nothing was touched yet; take a smaller wave, or ask for more")
    found = {one.uuid: [*_gone(one, target)] for one in going}
    by = {one.uuid: one.label for one in going}
    for clash in clashes.collisions(going, target):
        for uuid in clash.machines:
            found[uuid].append(clash.message.removeprefix(f"{by[uuid]}: "))
    return {uuid: f"{by[uuid]}: {'; '.join(problems)}" for uuid, problems in found.items() if problems}


def _has_server(machine: Machine, target: TargetCloud) -> bool:
    made = target.made.get(machine.uuid)
    return made is not None and made.instances > 0


def _gone(machine: Machine, target: TargetCloud) -> list[str]:
    networks, groups = {one.id for one in target.networks}, set(target.groups.values())
    found = []
    if machine.flavor_id not in {one.id for one in target.flavors}:
        found.append(f"there is no flavor {machine.flavor} ({machine.flavor_id}) any more")
    if machine.zone and machine.zone not in target.zones:
        found.append(f"there is no availability zone {machine.zone} any more")
    for port in machine.ports:
        if port.network_id not in networks:
            found.append(f"there is no network {port.network} ({port.network_id}) any more")
        found += [f"there is no security group {one} any more" for one in port.groups if one not in groups]
    return list(dict.fromkeys(found))
