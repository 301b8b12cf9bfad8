# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The standard flavors of scs-0103 as data, and what each must be.

Source: https://docs.scs.community/standards/scs-0103-v1-standard-flavors (v1.2). A flavor is derived from its recommended
name: the standard asks for exactly the sizes that it says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...core.errors import InputError
from . import names
from .model import Definition, definition_of

MANDATORY = (
    "SCS-1V-4",
    "SCS-2V-8",
    "SCS-4V-16",
    "SCS-4V-16-100s",
    "SCS-8V-32",
    "SCS-1V-2",
    "SCS-2V-4",
    "SCS-2V-4-20s",
    "SCS-4V-8",
    "SCS-8V-16",
    "SCS-16V-32",
    "SCS-1V-8",
    "SCS-2V-16",
    "SCS-4V-32",
    "SCS-1L-1",
)
RECOMMENDED = (
    "SCS-1V-4-10",
    "SCS-2V-8-20",
    "SCS-4V-16-50",
    "SCS-8V-32-100",
    "SCS-1V-2-5",
    "SCS-2V-4-10",
    "SCS-4V-8-20",
    "SCS-8V-16-50",
    "SCS-16V-32-100",
    "SCS-1V-8-20",
    "SCS-2V-16-50",
    "SCS-4V-32-100",
    "SCS-1L-1-5",
    "SCS-16V-64",
    "SCS-8V-64",
    "SCS-16V-128",
)

SETS = {"scs-mandatory": MANDATORY, "scs-recommended": RECOMMENDED}


def definition(name: str, disk_type: str = "network") -> Definition:
    """The flavor that a name of the standard describes.

    :param disk_type: value of ``scs:disk0-type`` where the name leaves the kind of disk open.
    :raises InputError: it is no such name, or it leaves the size of the disk to the cloud or has several disks: then
        there is no one flavor that it means.
    """
    meant = names.parse(name)
    if meant.disk == 0 or meant.disks > 1:
        raise InputError(f"{name!r} does not say one size of disk", hint="Give vcpus, ram and disk beside the name")
    return Definition(
        name=name,
        vcpus=meant.vcpus,
        ram=meant.ram_mib,
        disk=meant.disk or 0,
        specs=meant.specs(disk_type),
    )


def members(chosen: list[str], disk_type: str = "network") -> list[Definition]:
    """The flavors of named sets, each once.

    :raises InputError: there is no such set.
    """
    unknown = sorted(set(chosen) - set(SETS))
    if unknown:
        raise InputError(f"There is no set of flavors {', '.join(unknown)}", hint=f"Known are {', '.join(SETS)}")
    wanted = dict.fromkeys(name for one in chosen for name in SETS[one])
    return [definition(name, disk_type) for name in wanted]


def wanted(
    flavors: Sequence[Mapping[str, Any]], chosen: Sequence[str], disk_type: str, scs_specs: bool
) -> list[Definition]:
    """All flavors that a task wants: those of sets, then its own, which count more.

    :raises InputError: everything that is wrong with them.
    """
    problems, own = [], []
    for given in flavors:
        try:
            own.append(definition_of(given, disk_type=disk_type, scs_specs=scs_specs))
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("; ".join(problems))
    mine = {one.name for one in own}
    return [one for one in members(list(chosen), disk_type) if one.name not in mine] + own
