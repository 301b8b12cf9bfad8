# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A server as it is wanted, of volumes and ports that are there or, in check mode, would be. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from ..flavors.match import Request, request_of

#: In the metadata of servers that we make: the machine that they are, and where the making is.
VM, STATE = "migration_vm", "migration_state"
BUILDING, DONE = "building", "done"
POWER = ("on", "off")


@dataclass(frozen=True)
class Disk:
    """A volume of the server, in the order in which the guest sees them behind the one it boots from.

    :param id: empty for one that would be made (check mode).
    :param boot: whether the server boots from it; ``None`` when nobody said.
    :param bus: of QEMU for this disk alone, empty for what the boot volume's properties say.
    """

    id: str
    name: str = ""
    boot: bool | None = None
    bus: str = ""
    tag: str = ""
    predicted: bool = False
    bootable: bool = False

    def __str__(self) -> str:
        return f"volume {self.name or self.id}"


@dataclass(frozen=True)
class Port:
    """A port of the server, in the order of its cards."""

    id: str
    name: str = ""
    mac: str = ""
    tag: str = ""
    predicted: bool = False

    def __str__(self) -> str:
        return f"port {self.name or self.mac or self.id}"


@dataclass(frozen=True)
class Wanted:
    """A server.

    :param machine: id of the machine that it is.
    :param flavor: name or id, empty for the best that has what is needed.
    :param needs: what it needs at least.
    :param properties: all image metadata of the boot volume; ``None`` leaves them alone.
    :param group: name or id of a server group.
    """

    machine: str
    name: str
    disks: tuple[Disk, ...]
    ports: tuple[Port, ...] = ()
    flavor: str = ""
    needs: Request = field(default_factory=lambda: Request("machine"))
    properties: Mapping[str, str] | None = None
    zone: str = ""
    group: str = ""
    key: str = ""
    data: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    description: str = ""
    hostname: str = ""
    drive: bool = False
    power: str = "on"

    @property
    def labels(self) -> dict[str, str]:
        """The metadata that it keeps."""
        return {**self.metadata, VM: self.machine}


def wanted_of(params: Mapping[str, Any], check_mode: bool) -> Wanted:
    """The server of a task's options.

    :raises InputError: with all that is wrong.
    """
    problems: list[str] = []
    disks = tuple(_disk(one) for one in params.get("volumes") or ())
    ports = tuple(_port(one) for one in params.get("ports") or ())
    problems += [] if disks else ["there is no volume to boot from"]
    parts: tuple[tuple[str, Sequence[Disk | Port]], ...] = (("volumes", disks), ("ports", ports))
    for what, entries in parts:
        for number, one in enumerate(entries):
            if not one.id and not (one.predicted and check_mode):
                problems.append(f"{what}[{number}] has no id")
        ids = [one.id for one in entries if one.id]
        problems += [f"{one} is there twice" for one in sorted({one for one in ids if ids.count(one) > 1})]
    if sum(bool(one.boot) for one in disks) > 1:
        problems.append(f"several volumes are to boot from: {', '.join(str(one) for one in disks if one.boot)}")
    metadata = {str(key): str(value) for key, value in (params.get("metadata") or {}).items()}
    problems += [f"the metadata {key} is ours" for key in (VM, STATE) if key in metadata]
    needs = dict(params.get("needs") or {})
    if not params.get("flavor") and not needs:
        problems.append("neither flavor nor needs say how large it shall be")
    if problems:
        raise InputError(f"server {params['name']}: {'; '.join(problems)}")
    given = params.get("image_metadata")
    return Wanted(
        machine=str(params["vm"]),
        name=str(params["name"]),
        disks=disks,
        ports=ports,
        flavor=str(params.get("flavor") or ""),
        needs=request_of({"name": params["name"], **needs}),
        properties=None if given is None else {str(key): str(value) for key, value in given.items()},
        zone=str(params.get("availability_zone") or ""),
        group=str(params.get("server_group") or ""),
        key=str(params.get("key_name") or ""),
        data=str(params.get("user_data") or ""),
        metadata=metadata,
        tags=tuple(str(one) for one in params.get("tags") or ()),
        description=str(params.get("description") or ""),
        hostname=str(params.get("hostname") or ""),
        drive=bool(params.get("config_drive")),
        power=str(params.get("power") or "on"),
    )


def _disk(entry: Mapping[str, Any]) -> Disk:
    """A volume as somebody wrote it, or as ``volume_write`` returned it."""
    return Disk(
        id=str(entry.get("id") or ""),
        name=str(entry.get("name") or ""),
        boot=None if entry.get("boot") is None else bool(entry["boot"]),
        bus=str(entry.get("disk_bus") or ""),
        tag=str(entry.get("device_tag") or ""),
        predicted=bool(entry.get("predicted")),
        bootable=bool(entry.get("bootable")),
    )


def _port(entry: Mapping[str, Any]) -> Port:
    """A port as somebody wrote it, or as ``port_claim`` returned it."""
    return Port(
        id=str(entry.get("id") or ""),
        name=str(entry.get("name") or ""),
        mac=str(entry.get("mac_address") or ""),
        tag=str(entry.get("device_tag") or ""),
        predicted=bool(entry.get("predicted")),
    )


def mine(servers: Sequence[Mapping[str, Any]], machine: str) -> list[Mapping[str, Any]]:
    """Servers that we made of a machine, the oldest first."""
    found = [one for one in servers if (one.get("metadata") or {}).get(VM) == machine]
    return sorted(found, key=lambda one: (str(one.get("created")), str(one["id"])))
