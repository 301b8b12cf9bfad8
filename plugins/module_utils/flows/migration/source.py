# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The machines of a plan: facts of the source with what its rules and tables say of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...core.errors import InputError
from ...vmware import properties, rules, transports
from ...vmware.finding import ERROR, INFO, Finding
from ...vmware.model import Disk, Vm, vm_of
from .choices import Choices, Override


@dataclass(frozen=True)
class Candidate:
    """A machine that is to be migrated.

    :param problems: why it cannot be; ``notes``: what people should know.
    :param properties: what its boot volume must say of it.
    :param transport: the way to its disks, empty when there is none; ``fallback``: what may be tried where that is refused.
    """

    vm: Vm
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    transport: str = ""
    fallback: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The machine as people name it."""
        return f"{self.vm.name} at {self.vm.endpoint}"


def names_of(vm: Vm) -> tuple[str, str, str]:
    """All that an option may call a machine, the most exact first."""
    return vm.uuid.lower(), f"{vm.name}@{vm.endpoint}", vm.name


def vms_of(given: Sequence[Mapping[str, object]]) -> list[Vm]:
    """The machines of a task, as ``vmware_vm_info`` returns them.

    :raises InputError: one is not whole, or is there twice; all at once.
    """
    problems: list[str] = []
    found: dict[str, Vm] = {}
    for index, one in enumerate(given):
        try:
            vm = vm_of(one)
        except InputError as error:
            problems.append(f"vms[{index}]: {error.message}")
            continue
        if not vm.uuid:
            problems.append(f"vms[{index}]: {vm.name} has no instance uuid")
        elif vm.uuid in found:
            other = found[vm.uuid]
            problems.append(
                f"{vm.name} at {vm.endpoint} and {other.name} at {other.endpoint} have one uuid, {vm.uuid}:"
                " one is a copy of the other, or is listed twice"
            )
        else:
            found[vm.uuid] = vm
    if problems:
        raise InputError("\n".join(problems), hint="Give vms as vmware_vm_info returns them")
    return list(found.values())


def candidate(vm: Vm, choices: Choices, override: Override) -> Candidate:
    """What rules, tables and choices say of a machine."""
    problems: list[str] = []
    notes: list[str] = []
    for one in rules.findings(vm, choices.target, (*choices.ignore, *override.ignore)):
        stops = one.rule.severity == ERROR and not one.ignored
        if stops or one.rule.severity != INFO:
            (problems if stops else notes).append(_sentence(one))
    found = properties.properties_of(vm, override.properties, drivers=override.drivers or choices.drivers)
    names, why = _transports(vm, choices.transport)
    transport, fallback = (names[0], tuple(names[1:])) if names else ("", ())
    return Candidate(vm, (*problems, *why), tuple(notes), found.values, transport, fallback)


def _sentence(one: Finding) -> str:
    place = one.said.disk or one.said.nic
    where = f"{place.label}: " if place else ""
    return f"{where}{one.said.message} ({one.rule.id}); {one.rule.fix}" + (" (ignored)" if one.ignored else "")


def _transports(vm: Vm, wanted: str) -> tuple[list[str], list[str]]:
    """The ways to the disks, the best first, or why there is none."""
    ways = {one.name: one for one in transports.transports(vm)}
    if wanted != "auto":
        way = ways[wanted]
        return ([wanted], []) if way.usable else ([], [f"its disks cannot be read by {wanted}: {way.reason}"])
    # Those that need more than the login of the endpoint are not chosen without being told, but may be left: whether the licence gives
    # a lease is often known only when it is asked for.
    if ways["nfc"].usable or ways["folder"].usable:
        return [name for name in ("nfc", "folder", "ssh") if ways[name].usable], []
    reasons = "; ".join(f"{name}: {ways[name].reason}" for name in ("nfc", "folder"))
    return [], [f"its disks cannot be read ({reasons})"]


def matching(vms: Iterable[Vm], name: str) -> list[Vm]:
    """The machines that an option means: by uuid, else ``name@endpoint``, else the name."""
    everyone = list(vms)
    for index in range(3):
        found = [vm for vm in everyone if names_of(vm)[index] == (name.lower() if index == 0 else name)]
        if found:
            return found
    return []


def in_order(vm: Vm, boot: int | None) -> tuple[list[Disk], str]:
    """The disks as the firmware finds them, the one that is booted from first, and why it is that one.

    :param boot: key of the disk to boot from, when an option says it.
    """
    disks = sorted(vm.disks, key=lambda disk: disk.rank)
    by = {disk.key: disk for disk in disks}
    if boot is not None and boot in by:
        first, reason = by[boot], "an option says so"
    elif vm.boot_disk is not None and vm.boot_disk.key in by:
        first, reason = by[vm.boot_disk.key], vm.boot_disk.reason
    elif disks:
        first, reason = disks[0], "it is the first one that the firmware finds"
    else:
        return [], ""
    return [first, *(disk for disk in disks if disk.key != first.key)], reason
