# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What rules look at. Pure; each check yields what it has to say, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Callable

from . import guests
from .finding import GIB, Limits, Said
from .model import Disk, Nic, Vm
from .transports import warm_reasons

Check = Callable[[Vm, Limits], Iterator[Said]]


def machine(test: Callable[[Vm], bool], text: Callable[[Vm], str]) -> Check:
    """Says something of the VM where the test holds."""

    def check(vm: Vm, _limits: Limits) -> Iterator[Said]:
        if test(vm):
            yield Said(f"{vm.name} {text(vm)}")

    return check


def disks(test: Callable[[Disk], bool], text: Callable[[Disk], str]) -> Check:
    """Says something of every disk for which the test holds."""

    def check(vm: Vm, _limits: Limits) -> Iterator[Said]:
        for disk in vm.disks:
            if test(disk):
                yield Said(f"{vm.name}: {disk.place} ({disk.label}) {text(disk)}", disk=disk)

    return check


def nics(test: Callable[[Nic], bool], text: Callable[[Nic], str]) -> Check:
    """Says something of every network card for which the test holds."""

    def check(vm: Vm, _limits: Limits) -> Iterator[Said]:
        for nic in vm.nics:
            if test(nic):
                yield Said(f"{vm.name}: {nic.label or nic.key} {text(nic)}", nic=nic)

    return check


def foreign(kinds: tuple[str, ...], text: str) -> Check:
    """Says something of the devices of some kinds, all together."""

    def check(vm: Vm, _limits: Limits) -> Iterator[Said]:
        found = [one.label or one.kind for one in vm.passthrough if one.kind in kinds]
        if found:
            yield Said(f"{vm.name} {text}: {', '.join(found)}")

    return check


def more(limit: str, count: Callable[[Vm], int], of: str) -> Check:
    """Says that there is more of something than the target takes."""

    def check(vm: Vm, limits: Limits) -> Iterator[Said]:
        allowed = getattr(limits, limit)
        if allowed is not None and count(vm) > allowed:
            yield Said(f"{vm.name} has {count(vm)} {of}, the target takes {allowed}")

    return check


def large(vm: Vm, limits: Limits) -> Iterator[Said]:
    for disk in vm.disks:
        size = -(-disk.capacity_bytes // GIB)
        if limits.max_disk_gib is not None and size > limits.max_disk_gib:
            text = f"{vm.name}: {disk.place} needs a volume of {size} GiB, the target takes {limits.max_disk_gib} GiB"
            yield Said(text, disk=disk)


def lacks(limit: str, needs: Callable[[Vm], bool], what: str) -> Check:
    """Says that the target cannot do what the VM needs; nothing where nobody said whether it can."""

    def check(vm: Vm, limits: Limits) -> Iterator[Said]:
        if needs(vm) and getattr(limits, limit) is False:
            yield Said(f"{vm.name} needs {what}, which the target does not have")

    return check


def shared_bus(vm: Vm, _limits: Limits) -> Iterator[Said]:
    shared = {one.key: one for one in vm.controllers if one.sharing != "none"}
    for disk in vm.disks:
        if disk.controller_key in shared:
            how = shared[disk.controller_key].sharing
            yield Said(f"{vm.name}: {disk.place} hangs at a controller that VMs share ({how})", disk=disk)


def same_mac(vm: Vm, _limits: Limits) -> Iterator[Said]:
    for mac, count in Counter(nic.mac for nic in vm.nics if nic.mac).items():
        if count > 1:
            yield Said(f"{vm.name} has {count} network cards with the address {mac}")


def cbt(vm: Vm, _limits: Limits) -> Iterator[Said]:
    reasons = warm_reasons(vm)
    if reasons:
        yield Said(f"{vm.name} cannot be copied warm by changed blocks: {'; '.join(reasons)}")
    elif not vm.cbt:
        yield Said(f"{vm.name} has no changed-block tracking switched on")


def nameless(vm: Vm) -> bool:
    """Whether nobody said what the VM runs."""
    return vm.os_guess.distro == guests.OTHER
