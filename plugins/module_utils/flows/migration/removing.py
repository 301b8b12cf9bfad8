# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Volumes that were made for machines and go again with them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.plan import Impact, Plan, Step
from ...openstack.backup.model import Volume
from ...openstack.images import owner
from ...openstack.volumes import model as volumes
from .model import Machine


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
