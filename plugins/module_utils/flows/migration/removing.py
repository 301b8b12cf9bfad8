# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Volumes that were made for machines and go again with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from ...core import pool, stream
from ...core.plan import Impact, Plan, Step
from ...openstack.backup.model import Volume
from ...openstack.images import owner
from ...openstack.volumes import model as volumes
from .model import Machine

#: Machines whose volumes are removed at once.
_AT_ONCE = 8


def removable(
    machines: Sequence[Machine], there: Sequence[Volume], used: bool = False
) -> tuple[list[Volume], dict[str, str]]:
    """The volumes that were made for some machines, and by uuid why none of a machine can be removed.

    What a killed run left attached to nobody is among the first; a machine whose volumes a run fills, or a server has, keeps all.

    :param used: whether those that servers have can be removed, for a look into the future.
    """
    found: list[Volume] = []
    errors: dict[str, str] = {}
    for machine in machines:
        mine = [one for one in there if one.metadata.get(volumes.VM) == machine.uuid and volumes.STATE in one.metadata]
        reason = _held(mine, used)
        if reason:
            errors[machine.uuid] = f"{machine.label}: {reason}"
        else:
            found += mine
    return found, errors


def _held(mine: Sequence[Volume], used: bool) -> str:
    busy = [one for one in mine if owner.lives(one.metadata.get(volumes.RUN, owner.NOBODY), one.updated)]
    if busy:
        return "another run works on " + ", ".join(f"{one} ({one.metadata[volumes.RUN]})" for one in busy)
    served = [] if used else [one for one in mine if any(use.server for use in one.attachments)]
    if served:
        return f"{', '.join(map(str, served))} is attached to a server. Remove the server first, with vm_build"
    return ""


def removal(found: Sequence[Volume]) -> Plan:
    """The steps that remove volumes."""
    steps = [
        Step("delete", f"volume {one}", {"size": one.size, "vm": one.metadata[volumes.VM]}, None, Impact.DESTROYED)
        for one in found
    ]
    return Plan(tuple(steps))


def carry_out(
    machines: Sequence[Machine], found: Sequence[Volume], discard: Callable[[str], None]
) -> tuple[list[str], dict[str, str]]:
    """Removes volumes, several machines at once; the ids of those that went, and by uuid why others of a machine did not.

    One that does not go holds up no other machine, but the rest of its own, which the next run removes: each is waited for long.

    :param discard: removes a volume, and returns when it is gone.
    """
    gone: set[str] = set()

    def work(machine: Machine) -> None:
        for one in found:
            if one.metadata[volumes.VM] == machine.uuid:
                discard(one.id)
                gone.add(one.id)

    owners = {one.metadata[volumes.VM] for one in found}
    mine = [one for one in machines if one.uuid in owners]
    outcomes = pool.each(
        mine, work, _AT_ONCE, tick=lambda: stream.say(f"{len(gone)} of {len(found)} volumes are removed")
    )
    errors = {one.item.uuid: f"{one.item.label}: {one.error}" for one in outcomes if one.error is not None}
    return [one.id for one in found if one.id in gone], errors
