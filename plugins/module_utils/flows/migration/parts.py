# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What becomes of the disks and network cards of one machine. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...vmware.model import Disk as SourceDisk
from ...vmware.model import Nic as SourceNic
from ..sparse import format_of
from .choices import Choices, Mapped, Override
from .model import Disk, Port
from .source import Candidate, in_order
from .target import Network, TargetCloud, normal_address, normal_mac, usable

GIB = 1024**3


@dataclass(frozen=True)
class Case:
    """One machine with everything that decides about it.

    :param server: its name at the target.
    :param problems: what stands against it, and ``notes``: what people should know; both grow.
    """

    source: Candidate
    server: str
    target: TargetCloud
    choices: Choices
    override: Override
    problems: list[str]
    notes: list[str]


def disks_of(case: Case) -> tuple[Disk, ...]:
    """The volumes of a machine, the one that it boots from first."""
    boot, wanted = None, case.override.boot_disk
    if wanted:
        named = [one.key for one in case.source.vm.disks if wanted in (str(one.key), one.label)]
        if len(named) != 1:
            there = ", ".join(one.label for one in case.source.vm.disks)
            case.problems.append(f"there is no disk {wanted}, but {there}")
        boot = named[0] if named else None
    if not case.source.vm.disks:
        case.problems.append("it has no disk to boot from")
    ordered, reason = in_order(case.source.vm, boot)
    return tuple(_disk(case, disk, position, "" if position else reason) for position, disk in enumerate(ordered))


def _disk(case: Case, disk: SourceDisk, position: int, reason: str) -> Disk:
    choices = case.choices
    kinds = choices.volume_types
    kind = case.override.volume_type or kinds.get(disk.datastore) or kinds.get("*", "")
    if kind and kind not in case.target.volume_types:
        case.problems.append(f"{disk.label}: there is no volume type {kind}")
    capacity = disk.capacity_bytes
    # A datastore that does not tell promises nothing.
    allocated = capacity if disk.allocated_bytes is None else min(disk.allocated_bytes, capacity)
    # An export by NFC carries what is allocated; a file that is read through HTTPS or SSH has no holes.
    dense = case.source.transport in ("folder", "ssh")
    read = capacity if dense else allocated
    image = choices.method == "image"
    form = format_of(choices.image_format, case.source.transport, capacity, disk.allocated_bytes) if image else ""
    return Disk(
        key=disk.key,
        label=disk.label,
        position=position,
        capacity=capacity,
        allocated=allocated,
        datastore=disk.datastore,
        volume=f"{case.server}-{position}",
        size=max(1, -(-capacity // GIB)),
        volume_type=kind or case.target.default_type,
        # Where data lies has to be known before the first byte of a sparse image, so the disk is read once more.
        read=2 * read if form == "qcow2" else read,
        # An image in raw form has no holes on its way; a volume that is written has.
        sent=capacity if form == "raw" else allocated,
        reason=reason,
        format=form,
    )


def ports_of(case: Case) -> Iterator[Port]:
    """The ports of a machine, in the order of its network cards."""
    for index, nic in enumerate(sorted(case.source.vm.nics, key=lambda one: one.key)):
        mapped = _mapping(case, nic)
        network = _network(case, nic, mapped)
        if mapped is not None and network is not None:
            yield _port(case, nic, index, mapped, network)


def _mapping(case: Case, nic: SourceNic) -> Mapped | None:
    own, common = case.override.networks, case.choices.networks
    names = [nic.network, nic.portgroup]
    found = [own[name] for name in (nic.label, *names) if name in own]
    found += [common[name] for name in (*names, "*") if name in common]
    return found[0] if found else None


def _network(case: Case, nic: SourceNic, mapped: Mapped | None) -> Network | None:
    if mapped is None:
        source = nic.network or "a network without a name"
        case.problems.append(f"{nic.label}: networks does not say where {source} goes")
        return None
    named = case.target.network_named(mapped.network)
    if len(named) == 1:
        return named[0]
    what = (
        f"{len(named)} networks are called {mapped.network}; name its id"
        if named
        else f"there is no network {mapped.network}"
    )
    case.problems.append(f"{nic.label}: {what}")
    return None


def _port(case: Case, nic: SourceNic, index: int, mapped: Mapped, network: Network) -> Port:
    keep_mac = case.choices.keep_mac if mapped.keep_mac is None else mapped.keep_mac
    wanted = _addresses(case, nic, mapped)
    outside = [one for one in wanted if not network.subnet_of(one)]
    if (keep_mac or wanted) and not case.target.may_set_address(network):
        case.problems.append(
            f"{nic.label}: network {network.name} belongs to another project, so its MAC and IP addresses cannot be chosen;"
            " set keep_mac and keep_ip to false there, or log in as an administrator"
        )
    if outside:
        case.problems.append(f"{nic.label}: {', '.join(outside)} is in no subnet of network {network.name}")
    if not nic.start_connected:
        case.notes.append(f"{nic.label} is not connected when the machine starts at the source; its port will be")
    secure = mapped.port_security is not False
    return Port(
        key=nic.key,
        label=nic.label,
        name=f"{case.server}-{index}",
        source=nic.network,
        network=network.name,
        network_id=network.id,
        mac=normal_mac(nic.mac) if keep_mac else "",
        addresses=tuple(one for one in wanted if one not in outside),
        groups=_groups(case, nic, mapped) if secure else (),
        port_security=secure,
    )


def _addresses(case: Case, nic: SourceNic, mapped: Mapped) -> tuple[str, ...]:
    given = case.override.addresses
    for name in (nic.label, str(nic.key)):
        if name in given:
            return tuple(normal_address(one) for one in given[name])
    keep = case.choices.keep_ip if mapped.keep_ip is None else mapped.keep_ip
    return usable(nic.ips) if keep else ()


def _groups(case: Case, nic: SourceNic, mapped: Mapped) -> tuple[str, ...]:
    chosen = mapped.groups if mapped.groups is not None else case.override.groups
    names = case.choices.groups if chosen is None else chosen
    missing = [one for one in names if one not in case.target.groups]
    if missing:
        case.problems.append(f"{nic.label}: there is no security group {', '.join(missing)}")
    return tuple(case.target.groups[one] for one in names if one in case.target.groups)
