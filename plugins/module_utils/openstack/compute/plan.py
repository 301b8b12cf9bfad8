# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What is to be done so that a server of volumes and ports is there. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...core.errors import InputError
from ...core.plan import Impact, Plan, Step
from ..backup.model import Volume
from ..flavors.match import rank
from ..flavors.model import Flavor
from ..volumes import model as disks
from .model import BUILDING, STATE, Disk, Port, Wanted

Body = Mapping[str, Any]


@dataclass(frozen=True)
class There:
    """What is there.

    :param servers: that we made of the machine.
    :param volumes: by id, those that are wanted; ``ports`` likewise.
    :param groups: server groups; ``zones``: names, empty when nobody knows.
    """

    servers: Sequence[Body] = ()
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    ports: Mapping[str, Body] = field(default_factory=dict)
    flavors: Sequence[Flavor] = ()
    groups: Sequence[Body] = ()
    zones: Sequence[str] = ()


@dataclass(frozen=True)
class Todo:
    """What is to be done.

    :param action: none, create, finish (a killed run began it) or rebuild (what a run made has failed).
    :param boot: the volume that it boots from; ``evidence``: why that one.
    :param reasons: why this flavor.
    """

    wanted: Wanted
    action: str
    boot: Disk
    evidence: str
    flavor: Flavor | None = None
    reasons: tuple[str, ...] = ()
    group: str = ""
    server: Body | None = None
    failed: tuple[str, ...] = ()
    volume: Volume | None = None

    @property
    def ordered(self) -> list[Disk]:
        """Volumes as they are attached: the one to boot from first, the others as they were given."""
        return [self.boot, *(one for one in self.wanted.disks if one != self.boot)]


def plan(wanted: Wanted, there: There) -> Todo:
    """What is to be done.

    :raises InputError: with everything that stands against it; nothing was touched.
    """
    problems: list[str] = []
    whole = [one for one in there.servers if str(one["status"]) not in ("ERROR", "DELETED", "SOFT_DELETED")]
    failed = tuple(str(one["id"]) for one in there.servers if str(one["status"]) == "ERROR")
    server = whole[0] if whole else None
    known = [_known(one, there) for one in wanted.disks]
    boot, evidence = _boot(known, problems)
    base = Todo(replace(wanted, disks=tuple(known)), "none", boot, evidence, server=server, failed=failed)
    base = replace(base, volume=there.volumes.get(boot.id))
    if len(whole) > 1:
        problems.append(f"several servers are this machine: {', '.join(str(one['id']) for one in whole)}")
    users = {str(server["id"])} if server else set()
    for disk in known:
        _check_disk(disk, there.volumes.get(disk.id), users | set(failed), problems)
    for port in wanted.ports:
        _check_port(port, there.ports.get(port.id), users | set(failed), problems)
    if server is None:
        flavor, reasons = _flavor(wanted, there.flavors, problems)
        group = _group(wanted, there.groups, problems)
        if wanted.zone and there.zones and wanted.zone not in there.zones:
            problems.append(f"there is no availability zone {wanted.zone}, but {', '.join(sorted(there.zones))}")
        base = replace(base, action="rebuild" if failed else "create", flavor=flavor, reasons=reasons, group=group)
    elif (server.get("metadata") or {}).get(STATE) == BUILDING:
        base = replace(base, action="finish")
    if problems:
        raise InputError(f"server {wanted.name} cannot be made: {'; '.join(problems)}")
    return base


def _known(disk: Disk, there: There) -> Disk:
    found = there.volumes.get(disk.id)
    return replace(disk, name=found.name or disk.name, bootable=found.bootable) if found else disk


def _boot(volumes: Sequence[Disk], problems: list[str]) -> tuple[Disk, str]:
    """The volume to boot from, and why that one."""
    said = [one for one in volumes if one.boot]
    if said:
        return said[0], "it was named"
    free = [one for one in volumes if one.boot is None]
    if len(volumes) == 1 and free:
        return free[0], "it is the only one"
    able = [one for one in free if one.bootable]
    if len(able) == 1:
        return able[0], "it is the only one that is bootable"
    what = "none of the volumes is" if not able else f"{', '.join(str(one) for one in able)} are"
    problems.append(f"nobody says which volume it boots from, and {what} bootable")
    return volumes[0], ""


def _check_disk(disk: Disk, found: Volume | None, users: set[str], problems: list[str]) -> None:
    if disk.predicted and not disk.id:
        return
    if found is None:
        problems.append(f"{disk} is not there")
        return
    state = found.metadata.get(disks.STATE)
    if state and state != disks.DONE:
        problems.append(f"{disk} is not complete: {state}")
    taken = {one.server for one in found.attachments} - users
    if taken:
        problems.append(f"{disk} is attached to {', '.join(sorted(taken)) or 'something'}")
    elif found.status != "available" and not found.attachments:
        problems.append(f"{disk} is {found.status}")


def _check_port(port: Port, found: Body | None, users: set[str], problems: list[str]) -> None:
    if port.predicted and not port.id:
        return
    if found is None:
        problems.append(f"{port} is not there")
    elif found.get("device_id") and str(found["device_id"]) not in users:
        problems.append(f"{port} is used by {found['device_id']}")


def _flavor(wanted: Wanted, flavors: Sequence[Flavor], problems: list[str]) -> tuple[Flavor | None, tuple[str, ...]]:
    """The flavor: the one that is named, or the best; never one that is too small."""
    offered = [one for one in flavors if wanted.flavor in ("", one.name, one.id)]
    if wanted.flavor and not offered:
        problems.append(f"there is no flavor {wanted.flavor}")
        return None, ()
    fits, rejected = rank(wanted.needs, offered)
    if fits:
        return fits[0].flavor, fits[0].reasons
    if wanted.flavor:
        problems.append(
            f"flavor {wanted.flavor} does not do: {', '.join(next(iter(rejected.values()), ['nobody may use it']))}"
        )
    else:
        problems.append(f"none of {len(flavors)} flavors has what it needs")
    return None, ()


def _group(wanted: Wanted, groups: Sequence[Body], problems: list[str]) -> str:
    if not wanted.group:
        return ""
    found = [one for one in groups if one["id"] == wanted.group]
    found = found or [one for one in groups if one["name"] == wanted.group]
    if len(found) != 1:
        problems.append(f"there is no server group {wanted.group}, or several")
        return ""
    return str(found[0]["id"])


def steps(todo: Todo) -> Plan:
    """The plan as it is shown. Volumes and ports are named, so that a plan of what would be made is that of what was."""
    wanted, found = todo.wanted, list[Step]()
    title = f"server {wanted.name}"
    if todo.action == "rebuild":
        gone = {"status": "ERROR"}
        found += [
            Step("delete", f"{title} ({one})", gone, None, Impact.NONE, "none: it never ran") for one in todo.failed
        ]
    if todo.action in ("create", "rebuild"):
        after = {
            "flavor": todo.flavor.name if todo.flavor else "",
            "boot": todo.boot.name or todo.boot.id,
            "volumes": [one.name or one.id for one in todo.ordered],
            "ports": [one.name or one.mac or one.id for one in wanted.ports],
            "image_metadata": dict(wanted.properties) if wanted.properties is not None else "as it is",
            "availability_zone": wanted.zone,
            "server_group": wanted.group,
            "metadata": wanted.labels,
            "power": wanted.power,
        }
        gate = "the server is ACTIVE with these volumes and ports"
        found.append(Step("create", title, None, after, undo="remove the server; volumes and ports stay", gate=gate))
    elif todo.action == "finish":
        found.append(Step("finish", title, {STATE: BUILDING}, {"power": wanted.power}, undo="remove the server"))
    return Plan(tuple(found))


def differences(
    todo: Todo, server: Body, volumes: Sequence[str], ports: Sequence[str], boot: Volume | None
) -> list[dict[str, Any]]:
    """What is other about a server than is wanted.

    :param volumes: ids of what is attached, the one that it booted from first.
    :param ports: ids of its ports, in any order.
    """
    wanted = todo.wanted
    pairs: list[tuple[str, Any, Any]] = [
        ("name", wanted.name, server.get("name")),
        ("volumes", sorted(one.id for one in wanted.disks), sorted(volumes)),
        ("boot", todo.boot.id, volumes[0] if volumes else ""),
        ("ports", sorted(one.id for one in wanted.ports), sorted(ports)),
    ]
    if wanted.properties is not None and boot is not None:
        pairs.append(("image_metadata", dict(wanted.properties), dict(boot.image)))
    if wanted.power == "off":
        pairs.append(("status", "SHUTOFF", server.get("status")))
    return [{"path": path, "before": before, "after": after} for path, before, after in pairs if before != after]
