# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The whole task of ``vm_build``: what is there, what is to be done, and doing it; every step may be cut off and done again."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ...core.errors import LandscapeError
from ...core.plan import Plan, Step
from ...core.stream import Stopped, say
from ..flavors.nova import Flavors
from ..making import Making, Writes
from ..model import NotFoundError
from ..servers.body import request
from ..servers.capture import NEUTRON, NOVA, Reader
from ..volumes.service import VolumeService
from . import model, plan
from .model import Wanted
from .plan import There, Todo

_UP, _DOWN = "ACTIVE", "SHUTOFF"


@dataclass
class Found:
    """What a task found or did.

    :ivar server: as Nova shows it, nothing for one that would be made.
    """

    plan: Plan
    todo: Todo | None = None
    server: Mapping[str, Any] | None = None
    volumes: list[str] = field(default_factory=list)
    differences: list[dict[str, Any]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


class Builder:
    """Makes servers.

    :param patience: seconds that one server may take.
    :param stop: set when the run ends; what is being made then is left to the next run.
    :ivar done: how many steps were carried out.
    """

    def __init__(
        self,
        cloud: Any,
        *,
        patience: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.cloud: Any = Writes(cloud)
        self.reader, self.volumes = Reader(self.cloud), VolumeService(self.cloud)
        self.making = Making(self.cloud, patience=patience, clock=clock, sleep=sleep, stop=stop)
        self.done, self._patience = 0, patience

    # Looking.

    def there(self, wanted: Wanted) -> There:
        """What is there for a server."""
        ids = [one.id for one in wanted.disks if one.id]
        found = {one: self.volumes.cinder.volume(one) for one in ids}
        return There(
            servers=self.mine(wanted.machine),
            volumes={key: one for key, one in found.items() if one is not None},
            ports={one.id: port for one in wanted.ports if one.id and (port := self._port(one.id))},
            flavors=Flavors(self.cloud).offered(),
            groups=self.reader.server_groups if wanted.group else (),
            zones=self._zones() if wanted.zone else (),
        )

    def mine(self, machine: str) -> list[Mapping[str, Any]]:
        """Servers that we made of a machine."""
        return model.mine(self.reader.servers(), machine)

    def _port(self, identifier: str) -> dict[str, Any] | None:
        try:
            return dict(self.cloud.get(NEUTRON, f"/ports/{identifier}")["port"])
        except NotFoundError:
            return None

    def _zones(self) -> list[str]:
        answer = self.cloud.call(NOVA, "GET", "/os-availability-zone", accept=(403, 404))
        found = (answer.body or {}).get("availabilityZoneInfo") or () if answer.status == 200 else ()
        return [str(one["zoneName"]) for one in found if (one.get("zoneState") or {}).get("available", True)]

    # Doing.

    def carry_out(self, todo: Todo) -> str:
        """Makes or finishes the server; its id.

        :raises LandscapeError: it did not become what it must; what was made of it is gone, volumes and ports are there.
        :raises Stopped: the run ends; what was made of it is there, and the next run finishes it.
        """
        wanted = todo.wanted
        if todo.action == "none" and todo.server is not None:
            return str(todo.server["id"])
        self.making.go_on()
        for one in todo.failed:
            self.remove(one)
            self.done += 1
        if todo.volume is not None and todo.action != "finish":
            properties = todo.volume.image if wanted.properties is None else wanted.properties
            self.volumes.boot_from(todo.volume, True, properties)
        server = str(todo.server["id"]) if todo.server is not None else self._create(todo)
        try:
            self.making.wait_for(NOVA, "server", server, (_UP, _DOWN), wanted.name)
        except LandscapeError as error:
            # When the run ends, services are given little time: that they say nothing does not mean that it failed.
            if not (isinstance(error, Stopped) or self.making.stop.is_set()):
                self.remove(server)
            raise
        say(f"server {wanted.name} runs")
        if wanted.power == "off":
            self._act(server, {"os-stop": None})
            self.making.wait_for(NOVA, "server", server, (_DOWN,), wanted.name)
        body = {"metadata": {model.STATE: model.DONE}}
        self.cloud.call(NOVA, "POST", f"/servers/{server}/metadata", json=body, repeat=True)
        self.done += 1
        return server

    def _create(self, todo: Todo) -> str:
        body = body_of(todo)

        def there() -> dict[str, Any] | None:
            found = [one for one in self.mine(todo.wanted.machine) if str(one["id"]) not in todo.failed]
            return {"server": found[0]} if found else None

        made = self.making.once(lambda: self.making.post(NOVA, "/servers", body, self.reader.version), there)
        return str(made["server"]["id"])

    def _act(self, server: str, body: Mapping[str, Any]) -> None:
        path = f"/servers/{server}/action"
        self.cloud.call(NOVA, "POST", path, json=body, microversion=self.reader.version, repeat=True, accept=(409,))

    def remove(self, server: str) -> None:
        """Removes a server; returns when it is gone, and its volumes and ports are free.

        :raises LandscapeError: it does not go.
        :raises Stopped: the run ends.
        """
        self.making.go_on()
        end = self.making.clock() + self._patience
        while self.reader.server(server) is not None:
            self.cloud.call(NOVA, "DELETE", f"/servers/{server}", accept=(404, 409))
            if self.making.clock() > end:
                raise LandscapeError(f"server {server} is still there after {self._patience:.0f} s")
            self.making.sleep(1.0)

    # Reading back.

    def attached(self, server: str) -> list[str]:
        """Ids of the volumes of a server, the one that it boots from first."""
        found = self.cloud.get(NOVA, f"/servers/{server}/os-volume_attachments", microversion=self.reader.version)
        devices = {str(one["volumeId"]): str(one.get("device") or "") for one in found["volumeAttachments"]}
        return sorted(devices, key=lambda one: (len(devices[one]), devices[one]))

    def look(self, todo: Todo, identifier: str) -> Found:
        """What became of it, read from the services."""
        server = self.reader.server(identifier)
        if server is None:
            raise LandscapeError(f"server {identifier} is not there any more")
        attached = self.attached(identifier)
        query = {"device_id": identifier}
        ports = [
            str(one["id"])
            for one in self.cloud.pages(NEUTRON, "/ports", "ports", **query)
            if one.get("device_id") == identifier
        ]
        boot = self.volumes.cinder.volume(todo.boot.id)
        other = plan.differences(todo, server, attached, ports, boot)
        return Found(plan.steps(todo), todo, server, attached, other)


def body_of(todo: Todo) -> dict[str, Any]:
    """What Nova makes the server of."""
    wanted = todo.wanted
    disks: list[dict[str, Any]] = []
    for number, one in enumerate(todo.ordered):
        place = {"uuid": one.id, "source_type": "volume", "destination_type": "volume", "delete_on_termination": False}
        extra = {"disk_bus": one.bus, "device_type": "disk" if one.bus else "", "tag": one.tag}
        disks.append({**place, "boot_index": -1 if number else 0, **{key: text for key, text in extra.items() if text}})
    cards = [{"port": one.id, **({"tag": one.tag} if one.tag else {})} for one in wanted.ports]
    more = {
        "metadata": {**wanted.labels, model.STATE: model.BUILDING},
        "key_name": wanted.key,
        "description": wanted.description,
        "hostname": wanted.hostname,
        "tags": list(wanted.tags),
        "config_drive": wanted.drive,
        "availability_zone": wanted.zone,
        "user_data": base64.b64encode(wanted.data.encode()).decode() if wanted.data else "",
    }
    return request(wanted.name, todo.flavor.id if todo.flavor else "", disks, cards, more, todo.group)


def build(
    cloud: Any,
    params: Mapping[str, Any],
    check_mode: bool,
    stop: threading.Event | None = None,
    builder: type[Builder] = Builder,
) -> Found:
    """The server of a machine.

    :param stop: set when the run ends.
    :raises LandscapeError: something stands against it, or it failed; its details say what was done before.
    """
    wanted = model.wanted_of(params, check_mode)
    work = builder(cloud, patience=float(params.get("timeout") or 3600), stop=stop)
    todo = plan.plan(wanted, work.there(wanted))
    if todo.action == "none" and todo.server is not None:
        return work.look(todo, str(todo.server["id"]))
    if check_mode:
        return Found(plan.steps(todo), todo, todo.server)
    with work.cloud.told(lambda: work.done):
        return work.look(todo, work.carry_out(todo))


def tear_down(
    cloud: Any,
    params: Mapping[str, Any],
    check_mode: bool,
    stop: threading.Event | None = None,
    builder: type[Builder] = Builder,
) -> Found:
    """Removes the servers that we made of a machine; volumes and ports stay.

    :param stop: set when the run ends.
    :raises LandscapeError: one does not go; its details say what was done before.
    """
    work = builder(cloud, patience=float(params.get("timeout") or 3600), stop=stop)
    mine = work.mine(str(params["vm"]))
    found = Found(_removals(mine), removed=[str(one["id"]) for one in mine])
    with work.cloud.told(lambda: work.done):
        for one in () if check_mode else found.removed:
            work.remove(one)
            work.done += 1
    return found


def _removals(servers: Sequence[Mapping[str, Any]]) -> Plan:
    keys = ("name", "status", "metadata")
    return Plan(
        tuple(Step("delete", f"server {one['id']}", {key: one.get(key) for key in keys}, None) for one in servers)
    )


def values(found: Found, check_mode: bool) -> dict[str, Any]:
    """What the module returns."""
    if found.todo is None:
        return {"server": None, "removed": found.removed}
    todo, server = found.todo, found.server or {}
    predicted = check_mode and todo.action != "none"
    shown = {
        "id": server.get("id"),
        "name": todo.wanted.name,
        "status": server.get("status") or (_DOWN if todo.wanted.power == "off" else _UP),
        "flavor": (server.get("flavor") or {}).get("original_name") or (todo.flavor.name if todo.flavor else ""),
        "availability_zone": server.get("OS-EXT-AZ:availability_zone") or todo.wanted.zone,
        "metadata": {**todo.wanted.labels, **(server.get("metadata") or {})},
        **({"predicted": True} if predicted else {}),
    }
    boot = {"volume": todo.boot.id or None, "name": todo.boot.name, "evidence": todo.evidence}
    volumes = [{"id": one.id or None, "name": one.name} for one in todo.ordered]
    ports = [{"id": one.id or None, "name": one.name, "mac_address": one.mac} for one in todo.wanted.ports]
    more = {"volumes": volumes, "ports": ports, "flavor_reasons": list(todo.reasons)}
    return {"server": shown, "boot": boot, **more, "differences": found.differences, "removed": list(todo.failed)}
