# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Whether what is at the target is what the plan of a migration says: blocks, properties, ports, servers. Pure."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ...core.blockmap import BlockMap
from ...core.errors import LandscapeError
from ...openstack.backup.model import Volume
from ...openstack.volumes import model as volumes
from .model import Disk, Machine, Port
from .target import normal_address, normal_mac

KINDS = ("blocks", "properties", "ports", "server")
#: Reads a volume back: its map, and whether what lies behind the disk is zero.
ReadBack = Callable[[Volume, Disk, BlockMap], "tuple[BlockMap, bool]"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    :param kind: one of :data:`KINDS`; ``name``: of the thing.
    :param status: ``passed``, ``failed`` or ``skipped``.
    :param ranges: offset and length in bytes of what differs.
    """

    vm: str
    kind: str
    name: str
    status: str = "passed"
    message: str = ""
    ranges: tuple[tuple[int, int], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        found = {key: getattr(self, key) for key in ("vm", "kind", "name", "status", "message")}
        return {**found, "ranges": [{"offset": offset, "length": length} for offset, length in self.ranges]}


@dataclass(frozen=True)
class There:
    """What is at the target.

    :param maps: the block map of each disk, by uuid and key; missing where nobody kept it, None where nobody said where they are.
    """

    volumes: Sequence[Volume] = ()
    ports: Sequence[Mapping[str, Any]] = ()
    servers: Sequence[Mapping[str, Any]] = ()
    maps: Mapping[tuple[str, int], BlockMap] | None = field(default_factory=dict)


def check(
    machines: Sequence[Machine],
    there: There,
    kinds: Sequence[str],
    running: bool,
    read: ReadBack | None = None,
    least: str = volumes.IMAGE,
) -> list[Check]:
    """Everything about some machines.

    :param running: whether servers have to run; else they have to be off.
    :param read: reads volumes back; else what the volumes say of their bytes is compared.
    :param least: what must have been read back of a volume that is not read now, one of ``volumes.LEVELS``.
    """
    found: list[Check] = []
    for machine in machines:
        if "blocks" in kinds:
            found += [_blocks(machine, disk, there, read, least) for disk in machine.disks]
        if "properties" in kinds:
            found += [_volume(machine, disk, there) for disk in machine.disks]
        if "ports" in kinds:
            found += [_port(machine, port, there) for port in machine.ports]
        if "server" in kinds:
            found += list(_server(machine, there, running))
    return found


def _of(machine: Machine, disk: Disk, there: There) -> list[Volume]:
    mark = {volumes.VM: machine.uuid, volumes.DISK: str(disk.key)}
    return [one for one in there.volumes if mark.items() <= dict(one.metadata).items() and one.status != "deleting"]


def _one(found: Sequence[Any], what: str) -> str:
    """Why there is not exactly one; empty when there is."""
    if len(found) == 1:
        return ""
    return f"there is a {what} {len(found)} times" if found else f"there is no {what}"


def _blocks(machine: Machine, disk: Disk, there: There, read: ReadBack | None, least: str) -> Check:
    result = functools.partial(Check, machine.uuid, "blocks", disk.label)
    found = _of(machine, disk, there)
    problem = _one(found, "volume of it")
    if problem:
        return result(status="failed", message=problem)
    volume, known = found[0], (there.maps or {}).get((machine.uuid, disk.key))
    if not volumes.is_done(volume):
        state = volume.metadata.get(volumes.STATE, "nothing")
        return result(status="failed", message=f"volume {volume} is not whole: {state}")
    if there.maps is None and read is None:
        return _recorded(result, volume, least)
    if known is None or not known.complete:
        status = "skipped" if least == volumes.NONE else "failed"
        return result(status=status, message="no block map of it was kept here, so there is nothing to compare")
    if volume.metadata.get(volumes.DIGEST) != known.root:
        return result(status="failed", message=f"volume {volume} was filled with other bytes than the map says")
    return _reread(result, volume, disk, known, read) if read else _recorded(result, volume, least)


#: What may be said of a volume that is not read now.
_SAID = {
    volumes.VOLUME: "as it was read back when it was copied",
    volumes.IMAGE: "the image that it was made from was read back, the volume was not",
    volumes.NONE: "nobody has read it back",
}


def _recorded(result: Callable[..., Check], volume: Volume, least: str) -> Check:
    level = volumes.verified(volume)
    if volumes.LEVELS.index(level) < volumes.LEVELS.index(least):
        return result(status="failed", message=f"volume {volume}: {_SAID[level]}")
    return result(status="skipped" if level == volumes.NONE else "passed", message=_SAID[level])


def _reread(result: Callable[..., Check], volume: Volume, disk: Disk, known: BlockMap, read: ReadBack) -> Check:
    try:
        now, zero = read(volume, disk, known)
    except LandscapeError as error:
        return result(status="failed", message=f"volume {volume} cannot be read: {error}")
    ranges = tuple(known.compare(now))
    if ranges:
        first = ", ".join(f"{length} bytes at {offset}" for offset, length in ranges[:4])
        return result(status="failed", message=f"volume {volume} differs in {first}", ranges=ranges)
    if not zero:
        return result(status="failed", message=f"volume {volume} has other bytes than zeroes behind the disk")
    return result(message="every block was read")


def _volume(machine: Machine, disk: Disk, there: There) -> Check:
    result = functools.partial(Check, machine.uuid, "properties", disk.volume)
    found = _of(machine, disk, there)
    problem = _one(found, f"volume of {disk.label}")
    if problem:
        return result(status="failed", message=problem)
    volume, boots = found[0], disk.position == 0
    problems = [] if volume.size == disk.size else [f"it has {volume.size} GiB, not {disk.size}"]
    if disk.volume_type and volume.type != disk.volume_type:
        problems.append(f"its type is {volume.type}, not {disk.volume_type}")
    if boots:
        problems += [] if volume.bootable else ["it is not bootable"]
        problems += list(_differences(machine.properties, volume.image))
    return result(status="failed" if problems else "passed", message="; ".join(problems))


def _differences(wanted: Mapping[str, str], has: Mapping[str, str]) -> Iterator[str]:
    for key in sorted(wanted):
        if has.get(key) != wanted[key]:
            yield f"{key} is {has.get(key, 'not set')}, not {wanted[key]}"


def _marked(ports: Iterable[Mapping[str, Any]], machine: Machine) -> list[Mapping[str, Any]]:
    """The ports of a machine: those that were made for it, and those that its server has."""
    return [one for one in ports if f"{volumes.VM}={machine.uuid}" in (one.get("tags") or ())]


def _port(machine: Machine, port: Port, there: There) -> Check:
    result = functools.partial(Check, machine.uuid, "ports", port.name)
    everyone = [one for one in there.ports if one.get("network_id") == port.network_id]
    found = [one for one in everyone if port.mac and normal_mac(str(one.get("mac_address"))) == port.mac]
    found = found or [one for one in _marked(everyone, machine) if not port.mac and one.get("name") == port.name]
    problem = _one(found, f"port on {port.network}" + (f" with {port.mac}" if port.mac else ""))
    if problem:
        return result(status="failed", message=problem)
    has = found[0]
    addresses = {normal_address(str(one["ip_address"])) for one in has.get("fixed_ips") or ()}
    problems = [f"it lacks the address {one}" for one in port.addresses if one not in addresses]
    groups = set(has.get("security_groups") or ())
    if groups != set(port.groups):
        problems.append(f"its security groups are {', '.join(sorted(groups)) or 'none'}")
    if bool(has.get("port_security_enabled", True)) != port.port_security:
        problems.append("port security is " + ("off" if port.port_security else "on"))
    return result(status="failed" if problems else "passed", message="; ".join(problems))


def _server(machine: Machine, there: There, running: bool) -> Iterator[Check]:
    result = functools.partial(Check, machine.uuid, "server", machine.server)
    found = [one for one in there.servers if (one.get("metadata") or {}).get(volumes.VM) == machine.uuid]
    problem = _one(found, "server of it")
    if problem:
        yield result(status="failed", message=problem)
        return
    server, wanted = found[0], "ACTIVE" if running else "SHUTOFF"
    problems = [] if server.get("status") == wanted else [f"it is {server.get('status')}, not {wanted}"]
    if server.get("name") != machine.server:
        problems.append(f"its name is {server.get('name')}")
    flavor = str((server.get("flavor") or {}).get("original_name") or "")
    if flavor and flavor != machine.flavor:
        problems.append(f"its flavor is {flavor}, not {machine.flavor}")
    has = {str(one["id"]) for one in server.get("os-extended-volumes:volumes_attached") or ()}
    mine = {one.id for disk in machine.disks for one in _of(machine, disk, there)}
    problems += [f"volume {one} is not attached" for one in sorted(mine - has)]
    problems += [f"volume {one} is attached, and none of its own" for one in sorted(has - mine)]
    unbound = [one["id"] for one in _marked(there.ports, machine) if one.get("device_id") != server.get("id")]
    problems += [f"port {one} is not its own" for one in sorted(map(str, unbound))]
    yield result(status="failed" if problems else "passed", message="; ".join(problems))


def failure(found: Sequence[Check], names: Mapping[str, str]) -> str:
    """What failed, one line each; empty when nothing did."""
    return "\n".join(
        f"{names.get(one.vm, one.vm)}, {one.kind}, {one.name}: {one.message}" for one in found if one.status == "failed"
    )
