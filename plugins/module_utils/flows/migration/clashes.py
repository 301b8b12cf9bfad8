# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a plan takes of the quotas, and what collides: with what is there, and within the plan. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .model import Collision, Machine, Need
from .target import Made, TargetCloud

#: Units for people.
UNITS = {"ram": " MiB", "gigabytes": " GiB"}


def needs(machines: Sequence[Machine], target: TargetCloud) -> tuple[Need, ...]:
    """What the machines take of each quota, without what earlier runs made for them and the services count already."""
    flavors = {one.name: one for one in target.flavors}
    sums: dict[str, int] = {}

    def add(name: str, count: int) -> None:
        sums[name] = sums.get(name, 0) + max(0, count)

    for machine in machines:
        made = target.made.get(machine.uuid, Made())
        flavor = flavors.get(machine.flavor)
        if not made.instances:
            add("instances", 1)
            add("cores", flavor.vcpus if flavor else 0)
            add("ram", flavor.ram if flavor else 0)
        add("ports", len(machine.ports) - made.ports)
        for kind, sizes in _by_type(machine).items():
            there = list(made.volumes.get(kind, ()))
            for size in sizes:
                if size in there:
                    there.remove(size)
                    continue
                for quota, count in (("volumes", 1), ("gigabytes", size)):
                    add(quota, count)
                    if kind:
                        add(f"{quota}_{kind}", count)
    return tuple(_need(name, sums[name], target) for name in sorted(sums) if sums[name])


def _by_type(machine: Machine) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for disk in machine.disks:
        found.setdefault(disk.volume_type, []).append(disk.size)
    return found


def _need(name: str, need: int, target: TargetCloud) -> Need:
    bound = target.quota.get(name)
    return Need(name, need, bound.free, bound.limit) if bound else Need(name, need)


def shortages(found: Iterable[Need]) -> list[str]:
    """One sentence for each quota that does not do."""
    lines = []
    for one in found:
        unit = UNITS.get(one.name.partition("_")[0], "")
        if one.short:
            lines.append(
                f"quota {one.name}: {one.need}{unit} are needed, {one.free}{unit} of {one.limit}{unit} are free"
            )
    return lines


def collisions(machines: Sequence[Machine], target: TargetCloud) -> tuple[Collision, ...]:
    """Everything that is wanted twice, or taken by somebody else."""
    return (*_macs(machines, target), *_addresses(machines, target), *_names(machines, target))


def _wanted(pairs: Iterable[tuple[tuple[str, str], Machine]]) -> dict[tuple[str, str], list[Machine]]:
    found: dict[tuple[str, str], list[Machine]] = {}
    for key, machine in pairs:
        found.setdefault(key, []).append(machine)
    return found


def _macs(machines: Sequence[Machine], target: TargetCloud) -> Iterator[Collision]:
    pairs = (((one.network_id, one.mac), vm) for vm in machines for one in vm.ports if one.mac)
    taken = {(one.network, one.mac): one for one in target.ports}
    names = {one.id: one.name for one in target.networks}
    for (network, mac), wanting in sorted(_wanted(pairs).items()):
        where = f"{mac} on network {names.get(network, network)}"
        yield from _twice("mac", where, wanting)
        port = taken.get((network, mac))
        if port is not None and any(vm.uuid != port.vm for vm in wanting):
            message = f"{_labels(wanting)}: the MAC address {where} belongs to port {port.id}"
            yield Collision("mac", mac, _uuids(wanting), message)


def _addresses(machines: Sequence[Machine], target: TargetCloud) -> Iterator[Collision]:
    pairs = (((one.network_id, ip), vm) for vm in machines for one in vm.ports for ip in one.addresses)
    taken = {(one.network, address): one for one in target.ports for address in one.addresses}
    for (network, address), wanting in sorted(_wanted(pairs).items()):
        found = next((one for one in target.networks if one.id == network), None)
        where = f"{address} on network {found.name if found else network}"
        yield from _twice("ip", where, wanting)
        port = taken.get((network, address))
        if port is not None and any(vm.uuid != port.vm for vm in wanting):
            message = f"{_labels(wanting)}: the address {where} belongs to port {port.id}"
            yield Collision("ip", address, _uuids(wanting), message)
        elif port is None and found is not None and address in [one.gateway for one in found.subnets]:
            message = f"{_labels(wanting)}: the address {where} is the gateway of its subnet"
            yield Collision("ip", address, _uuids(wanting), message)


def _names(machines: Sequence[Machine], target: TargetCloud) -> Iterator[Collision]:
    for (_kind, name), wanting in sorted(_wanted((("name", vm.server), vm) for vm in machines).items()):
        yield from _twice("name", name, wanting)
        others = [vm for server, vm in target.servers if server == name]
        mine = {vm.uuid for vm in wanting}
        if any(vm not in mine for vm in others):
            message = f"{_labels(wanting)}: there is a server {name} at the target that did not come from it"
            yield Collision("name", name, _uuids(wanting), message)


def _twice(kind: str, value: str, wanting: Sequence[Machine]) -> Iterator[Collision]:
    if len(wanting) > 1:
        what = {"mac": "the MAC address ", "ip": "the address ", "name": "the server name "}[kind]
        first = value.partition(" on network ")[0]
        yield Collision(kind, first, _uuids(wanting), f"{_labels(wanting)} want {what}{value}")


def _labels(wanting: Iterable[Machine]) -> str:
    return ", ".join(dict.fromkeys(vm.label for vm in wanting))


def _uuids(wanting: Iterable[Machine]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(vm.uuid for vm in wanting))
