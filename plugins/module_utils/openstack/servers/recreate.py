# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Makes servers again. Every step may be cut off and done once more: what was made carries a mark until all is complete."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable

from ...core.stream import say
from ..backup import chains, together, views
from ..backup.cinder import Cinder
from ..making import Making
from ..model import CloudError, is_unclear
from . import floating, model, plan
from .body import server_body
from .capture import CINDER, NEUTRON, NOVA, Reader
from .plan import Options, Port, There, Todo, Volume

#: Volumes can be made of backups since the release Stein; who deletes a volume can be changed since Ussuri.
_FROM_BACKUP, _WHO_DELETES = "3.47", "2.85"
_RULE = (
    "direction",
    "ethertype",
    "protocol",
    "port_range_min",
    "port_range_max",
    "remote_ip_prefix",
    "remote_address_group_id",
)


class Maker:
    """Makes what a plan says.

    :param patience: seconds that one volume, and one server, may take.
    """

    def __init__(
        self,
        cloud: Any,
        reader: Reader,
        *,
        patience: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.cloud, self.reader = cloud, reader
        self._making = Making(cloud, patience=patience, clock=clock, sleep=sleep or time.sleep)
        self._groups: dict[str, str] = {}
        self._server_groups: list[Mapping[str, Any]] = []
        self._keeps = bool(cloud.microversion(NOVA, _WHO_DELETES))

    # What is there.

    def there(self, manifests: Iterable[Mapping[str, Any]], options: Options) -> There:
        """What is there now, and which backups bring back what is not."""
        reader, cloud = self.reader, self.cloud
        flavors = cloud.pages(NOVA, "/flavors/detail", "flavors", limit=1000)
        brought = self._brought(list(manifests), options) if options.missing == "backup" else together.Brought()
        return There(
            project=cloud.project_id,
            ports=reader.ports,
            networks=reader.networks,
            subnets=reader.subnets,
            security_groups=reader.security_groups,
            server_groups=reader.server_groups,
            keypairs=reader.keypairs,
            flavors=list(flavors),
            images=reader.images,
            volumes=reader.volumes,
            floating=reader.floating,
            backups={volume: one.id for volume, one in brought.backups.items()},
            lost=brought.missing,
            together={str(manifest["id"]): one for manifest, one in brought.servers},
        )

    def _brought(self, manifests: Sequence[Mapping[str, Any]], options: Options) -> together.Brought:
        """What brings back the volumes that are gone: good backups, those of a server from one point."""
        there = {*options.volumes, *(str(one["id"]) for one in self.reader.volumes)}
        sights = views.sights([], chains.build(Cinder(self.cloud).backups()))
        return together.bring(manifests, sights, there)

    # What servers share.

    def shared(self, todos: Sequence[Todo]) -> None:
        """Key pairs and groups, each once."""
        pairs = {todo.key_name: todo.keypair for todo in todos if todo.keypair}
        for name, pair in pairs.items():
            wanted = {"name": name, "public_key": pair["public_key"], "type": pair.get("type") or "ssh"}
            self.cloud.call(
                NOVA,
                "POST",
                "/os-keypairs",
                json={"keypair": wanted},
                microversion=self.reader.version,
                repeat=True,
                accept=(409,),
            )
        self._security_groups({str(one["name"]): one for todo in todos for one in todo.security_groups})
        self._server_groups = list(self.reader.server_groups)
        for group in {str(todo.group["id"]): todo.group for todo in todos if todo.group}.values():
            self._server_groups.append(self._new_server_group(group))

    def _new_server_group(self, group: Mapping[str, Any]) -> dict[str, Any]:
        wanted = {"name": group["name"], "policy": group["policy"]}
        wanted.update({"rules": group["rules"]} if group.get("rules") else {})
        body = {"server_group": wanted}
        made = self._making.once(
            lambda: self._making.post(NOVA, "/os-server-groups", body, self.reader.version),
            lambda: self._server_group(group),
        )
        return dict(made["server_group"])

    def _server_group(self, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
        pages = self.cloud.pages(NOVA, "/os-server-groups", "server_groups", microversion=self.reader.version)
        found = [one for one in pages if plan.group_of(wanted, [one])]
        return {"server_group": found[0]} if found else None

    def _security_groups(self, wanted: Mapping[str, Mapping[str, Any]]) -> None:
        self._groups = {str(one["name"]): str(one["id"]) for one in self.reader.security_groups}
        marked = {str(one.get("description")): str(one["id"]) for one in self.reader.security_groups}
        for name, group in wanted.items():
            mark = plan.group_mark(group)
            body: dict[str, Any] = {"name": name, "description": mark}
            body.update({"stateful": False} if group.get("stateful") is False else {})
            made = marked.get(mark) or self._made(NEUTRON, "security_group", "/security-groups", body, mark)
            self._groups[name] = made
        for name, group in wanted.items():
            self._rules(self._groups[name], group)

    def _rules(self, identifier: str, group: Mapping[str, Any]) -> None:
        """The rules of a new group, which Neutron gave some of its own."""
        path = f"/security-groups/{identifier}"
        there = self.cloud.get(NEUTRON, path)["security_group"]["security_group_rules"]
        wanted = [self._rule(one) for one in group["rules"]]
        for one in there:
            shape = {name: one.get(name) for name in (*_RULE, "remote_group_id")}
            if shape not in wanted:
                self.cloud.call(NEUTRON, "DELETE", f"/security-group-rules/{one['id']}", accept=(404,))
        for shape, captured in zip(wanted, group["rules"]):
            body = {name: value for name, value in shape.items() if value is not None}
            body.update({"security_group_id": identifier, "description": captured.get("description") or ""})
            self.cloud.call(
                NEUTRON,
                "POST",
                "/security-group-rules",
                json={"security_group_rule": body},
                repeat=True,
                accept=(409,),
            )
        if group.get("tags"):
            self.cloud.call(NEUTRON, "PUT", f"{path}/tags", json={"tags": group["tags"]})
        body = {"description": group.get("description") or ""}
        self.cloud.call(NEUTRON, "PUT", path, json={"security_group": body})

    def _rule(self, captured: Mapping[str, Any]) -> dict[str, Any]:
        remote = captured.get("remote_group")
        found = {name: captured.get(name) for name in _RULE}
        return {**found, "remote_group_id": self._groups.get(remote, remote) if remote else None}

    # One server.

    def make(self, todo: Todo, user_data: str) -> tuple[str, list[dict[str, Any]]]:
        """Makes a server, or finishes it; its id, and what could not be had: the index of a port, an address, and why."""
        name = todo.manifest["name"]
        volumes = [self._volume(one) for one in todo.volumes]
        ports = [self._port(one) for one in todo.ports]
        for one, identifier in zip(todo.volumes, volumes):
            self._ready(one, identifier, todo.half)
        say(f"{name}: {len(volumes)} volumes and {len(ports)} ports are there")
        server = todo.half or self._server(todo, ports, volumes, user_data)
        self._making.wait_for(NOVA, "server", server, ("ACTIVE", "SHUTOFF"), name)
        for port, identifier in zip(todo.ports, ports):
            self._finish_port(port, identifier)
        for one, identifier in zip(todo.volumes, volumes):
            self._finish_volume(one, identifier, server)
        omitted = self._addresses(todo, ports)
        self._finish(todo, server)
        say(f"{name}: it is there")
        return server, omitted

    def _server(self, todo: Todo, ports: Sequence[str], volumes: Sequence[str], user_data: str) -> str:
        group = plan.group_of(todo.manifest.get("group"), self._server_groups)
        body = server_body(todo, ports, volumes, group, user_data, self._keeps)

        def there() -> dict[str, Any] | None:
            found = model.marked(self.reader.servers(), str(todo.manifest["id"]))
            return {"server": found[0]} if found else None

        made = self._making.once(lambda: self._making.post(NOVA, "/servers", body, self.reader.version), there)
        return str(made["server"]["id"])

    def _finish(self, todo: Todo, server: str) -> None:
        """Power, lock, and at last the mark."""
        path = f"/servers/{server}"
        if todo.off:
            self._act(path, {"os-stop": None})
            self._making.wait_for(NOVA, "server", server, ("SHUTOFF",), todo.manifest["name"])
        self.cloud.call(NOVA, "DELETE", f"{path}/metadata/{model.MARK}", accept=(404,))
        if todo.manifest.get("locked"):
            reason = todo.manifest.get("locked_reason")
            self._act(path, {"lock": {"locked_reason": reason} if reason else None})

    def _act(self, path: str, body: Mapping[str, Any]) -> None:
        """An action that changes nothing when it is done twice: then Nova says 409."""
        self.cloud.call(
            NOVA, "POST", f"{path}/action", json=body, microversion=self.reader.version, repeat=True, accept=(409,)
        )

    # Ports.

    def _port(self, port: Port) -> str:
        closed = port.captured.get("port_security_enabled") is False
        names = [] if closed else port.captured["security_groups"]
        body = {**port.body, "security_groups": [self._groups.get(str(one), str(one)) for one in names]}
        if port.there:
            body = {key: value for key, value in body.items() if key not in ("network_id", "mac_address")}
            self.cloud.call(NEUTRON, "PUT", f"/ports/{port.there}", json={"port": body})
            return port.there
        return self._made(NEUTRON, "port", "/ports", body, body["description"])

    def _made(self, service: str, kind: str, path: str, body: Mapping[str, Any], mark: str) -> str:
        """Something of Neutron with a mark in its description."""

        def there() -> dict[str, Any] | None:
            pages = self.cloud.pages(service, path, f"{kind}s", project_id=self.cloud.project_id)
            found = [one for one in pages if one.get("description") == mark]
            return {kind: found[0]} if found else None

        return str(self._making.once(lambda: self._making.post(service, path, {kind: body}, None), there)[kind]["id"])

    def _finish_port(self, port: Port, identifier: str) -> None:
        path, captured = f"/ports/{identifier}", port.captured
        if captured.get("tags"):
            self.cloud.call(NEUTRON, "PUT", f"{path}/tags", json={"tags": captured["tags"]})
        body = {"description": captured.get("description") or ""}
        self.cloud.call(NEUTRON, "PUT", path, json={"port": body})

    def _addresses(self, todo: Todo, ports: Sequence[str]) -> list[dict[str, Any]]:
        """Floating addresses; the server is complete without those that cannot be had, and they are told."""
        omitted = []
        for index, (port, identifier) in enumerate(zip(todo.ports, ports)):
            for one in port.floating:
                try:
                    why = self._float(one, identifier)
                except CloudError as error:
                    if is_unclear(error):
                        raise
                    why = str(error)
                if why:
                    omitted.append({"port": index, "what": f"floating address {one.address}", "reason": why})
        return omitted

    def _float(self, wanted: floating.Address, port: str) -> str:
        """Gives an address to a port; why it cannot have it, empty when it has.

        A released one is asked for once: Neutron lets only some users choose an address, and an address that somebody else
        got meanwhile is not to be had at all.
        """
        body = {"port_id": port, "fixed_ip_address": wanted.captured.get("fixed")}
        found = floating.of(self.reader.floating_now(), wanted.address)
        if found is None:
            more = {"floating_network_id": wanted.captured["network"], "floating_ip_address": wanted.address}
            found = self._making.once(
                lambda: self._making.post(NEUTRON, "/floatingips", {"floatingip": {**body, **more}}, None)[
                    "floatingip"
                ],
                lambda: floating.of(self.reader.floating_now(), wanted.address),
            )
        user = str(found.get("port_id") or "")
        if user not in ("", port):
            return f"it is in use by port {user}"
        if user != port:
            self.cloud.call(NEUTRON, "PUT", f"/floatingips/{found['id']}", json={"floatingip": body})
        return ""

    # Volumes.

    def _volume(self, volume: Volume) -> str:
        if volume.there:
            return volume.there
        captured, name = volume.captured, plan.volume_mark(volume.captured)
        wanted = {"size": captured["size"], "name": name}
        more = {
            "backup_id": volume.backup,
            "volume_type": captured.get("type"),
            "availability_zone": captured.get("availability_zone"),
        }
        wanted.update({key: value for key, value in more.items() if value})
        if volume.backup:  # which a run that was killed may still be restoring
            self._making.wait_for(CINDER, "backup", volume.backup, ("available",), volume.backup)

        def there() -> dict[str, Any] | None:
            found = [one for one in self.cloud.pages(CINDER, "/volumes/detail", "volumes") if one.get("name") == name]
            return {"volume": found[0]} if found else None

        made = self._making.once(lambda: self._making.post(CINDER, "/volumes", {"volume": wanted}, _FROM_BACKUP), there)
        return str(made["volume"]["id"])

    def _ready(self, volume: Volume, identifier: str, half: str) -> None:
        """Waits for the volume's data, and lets it boot as before."""
        captured = volume.captured
        states = ("available", "in-use") if half or captured.get("multiattach") else ("available",)
        found = self._making.wait_for(CINDER, "volume", identifier, states, captured["name"] or identifier)
        if volume.finished or found["status"] != "available":
            return
        if captured.get("bootable"):
            self._on_volume(identifier, {"os-set_bootable": {"bootable": True}})
        if captured.get("image") and captured["image"] != (found.get("volume_image_metadata") or {}):
            self._on_volume(identifier, {"os-set_image_metadata": {"metadata": captured["image"]}})

    def _on_volume(self, identifier: str, body: Mapping[str, Any]) -> None:
        self.cloud.call(CINDER, "POST", f"/volumes/{identifier}/action", json=body, repeat=True)

    def _finish_volume(self, volume: Volume, identifier: str, server: str) -> None:
        captured = volume.captured
        if not volume.finished:
            body = {"name": captured["name"], "description": captured.get("description")}
            self.cloud.call(CINDER, "PUT", f"/volumes/{identifier}/metadata", json={"metadata": captured["metadata"]})
            self.cloud.call(CINDER, "PUT", f"/volumes/{identifier}", json={"volume": body})
        if captured.get("delete_on_termination") and self._keeps:
            path = f"/servers/{server}/os-volume_attachments/{identifier}"
            wanted = {"volumeId": identifier, "delete_on_termination": True}
            self.cloud.call(NOVA, "PUT", path, json={"volumeAttachment": wanted}, microversion=_WHO_DELETES)
