# SPDX-License-Identifier: Apache-2.0
"""A project with Nova, Cinder, Glance and Neutron in memory: what they accept and show is written down from the real ones."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.openstack import model
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.fake_cloud import FakeApi, Killed

__all__ = ["FakeProject", "Killed", "key_of"]
_KEYS = {
    "security-groups": "security_group",
    "security-group-rules": "security_group_rule",
    "os-server-groups": "server_group",
    "os-keypairs": "keypair",
}


def key_of(collection: str) -> str:
    return _KEYS.get(collection, collection[:-1])


class FakeProject(FakeApi):
    """A project.

    :ivar kept: objects by collection and id.
    :ivar chooses: whether the token may choose a floating address.
    :ivar owned_elsewhere: a floating address that another project has.
    """

    def __init__(self, admin: bool = False) -> None:
        super().__init__()
        self.admin = admin
        self.number = itertools.count(1)
        names = ("servers", "volumes", "ports", "security-groups", "os-server-groups", "backups", "floatingips")
        self.kept: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in names}
        self.kept["networks"] = {"net": {"id": "net", "name": "front"}}
        self.kept["subnets"] = {"sub": {"id": "sub", "network_id": "net", "cidr": "10.7.0.0/24"}}
        self.kept["flavors"] = {"f1": {"id": "f1", "name": "small", "vcpus": 2, "ram": 2048, "disk": 0}}
        self.kept["images"] = {"i1": {"id": "i1", "name": "debian"}}
        self.keypairs = {"mine": {"name": "mine", "type": "ssh", "public_key": "ssh-ed25519 AAAA"}}
        self.newest = (2, 100)
        self.broken = ""
        self.chooses, self.owned_elsewhere = True, ""
        self.kept["security-groups"]["default"] = {**self._group("default"), "id": "default"}

    def _group(self, name: str) -> dict[str, Any]:
        rules = [self._rule(direction="egress", ethertype=one) for one in ("IPv4", "IPv6")]
        return {"name": name, "description": "", "security_group_rules": rules, "stateful": True, "tags": []}

    def _rule(self, **given: Any) -> dict[str, Any]:
        names = ("protocol", "port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id", "description")
        return {"id": self._new("rule"), **dict.fromkeys(names), **given}

    def _new(self, kind: str) -> str:
        return f"{kind}-{next(self.number)}"

    # What a client asks.

    def microversion(self, service: str, wanted: str) -> str | None:
        return wanted if service != "compute" or self.newest >= model.version_of(wanted) else None

    def pages(self, _service: str, path: str, _key: str, **_query: Any) -> Iterator[dict[str, Any]]:
        collection = path.strip("/").split("/")[0]
        if collection == "os-keypairs":
            yield from ({"keypair": copy.deepcopy(one)} for one in self.keypairs.values())
            return
        for one in list(self.kept[collection].values()):
            yield self._shown(collection, one)

    def _shown(self, collection: str, one: dict[str, Any]) -> dict[str, Any]:
        found = copy.deepcopy(one)
        if collection == "servers":
            if not self.admin:
                found.pop("OS-EXT-SRV-ATTR:user_data", None)
            ports = [port for port in self.kept["ports"].values() if port.get("device_id") == found["id"]]
            ports.sort(key=lambda port: found["cards"].index(port["id"]))
            found["addresses"] = {"front": [{"OS-EXT-IPS-MAC:mac_addr": port["mac_address"]} for port in ports]}
        return found

    # What the services do.

    def _answer(self, method: str, path: list[str], body: Any) -> tuple[int, Any]:
        collection = path[0]
        if method == "GET":
            return self._get(path)
        if method == "POST" and len(path) == 1:
            key = key_of(collection)
            if collection == "os-keypairs":
                self.keypairs[body[key]["name"]] = body[key]
                return 200, {key: body[key]}
            made: tuple[int, Any] = getattr(self, f"_make_{key}")(body[key], body)
            return made
        found = self.kept.get(collection, {}).get(path[1])
        if collection == "security-group-rules":
            return self._drop_rule(path[1])
        if found is None:
            return 404, None
        if path[-1] == "action":
            return self._act(found, body)
        return self._change(method, path, found, body)

    def _change(self, method: str, path: list[str], found: dict[str, Any], body: Any) -> tuple[int, Any]:
        collection = path[0]
        if path[-1] == "tags":
            found["tags"] = list(body["tags"])
        elif path[-1] == "metadata" and method == "POST":
            found["metadata"] = {**found["metadata"], **body["metadata"]}
        elif path[-1] == "metadata":
            found["metadata"] = dict(body["metadata"])
        elif len(path) == 4 and path[2] == "metadata":
            return (204 if found["metadata"].pop(path[3], None) is not None else 404), None
        elif len(path) == 4:
            found["attached"][path[3]]["delete_on_termination"] = body["volumeAttachment"]["delete_on_termination"]
        elif method == "PUT":
            found.update(body[key_of(collection)])
            for pair in found.get("allowed_address_pairs", ()):
                pair.setdefault("mac_address", found["mac_address"])
        else:
            del self.kept[collection][path[1]]
        return 200, {key_of(collection): copy.deepcopy(found)} if path[0] in self.kept else None

    def _get(self, path: list[str]) -> tuple[int, Any]:
        if path == ["floatingips"]:
            return 200, {"floatingips": copy.deepcopy(list(self.kept["floatingips"].values()))}
        if path == ["limits"]:
            return 200, {"limits": {"absolute": {}}}
        found = self.kept[path[0]].get(path[1])
        if found is None:
            return 404, None
        if path[-1] == "os-volume_attachments":
            return 200, {"volumeAttachments": list(copy.deepcopy(found["attached"]).values())}
        if path[-1] == "os-interface":
            return 200, {"interfaceAttachments": [{"port_id": one, "tag": None} for one in found["cards"]]}
        return 200, {key_of(path[0]): self._shown(path[0], found)}

    def _drop_rule(self, identifier: str) -> tuple[int, Any]:
        for group in self.kept["security-groups"].values():
            rules = group["security_group_rules"]
            group["security_group_rules"] = [one for one in rules if one["id"] != identifier]
        return 204, None

    def _make_security_group_rule(self, wanted: dict[str, Any], _body: Any) -> tuple[int, Any]:
        rules = self.kept["security-groups"][wanted.pop("security_group_id")]["security_group_rules"]
        made = self._rule(**{"description": "", **wanted})
        new = {key: value for key, value in made.items() if key not in ("id", "description")}
        if any({key: value for key, value in one.items() if key not in ("id", "description")} == new for one in rules):
            return 409, None
        rules.append(made)
        return 201, {"security_group_rule": made}

    def _make_security_group(self, wanted: dict[str, Any], _body: Any) -> tuple[int, Any]:
        made = {**self._group(wanted["name"]), **wanted, "id": self._new("sg")}
        self.kept["security-groups"][made["id"]] = made
        return 201, {"security_group": copy.deepcopy(made)}

    def _make_server_group(self, wanted: dict[str, Any], _body: Any) -> tuple[int, Any]:
        made = {"rules": {}, **wanted, "id": self._new("group"), "members": []}
        self.kept["os-server-groups"][made["id"]] = made
        return 200, {"server_group": copy.deepcopy(made)}

    def _make_port(self, wanted: dict[str, Any], _body: Any) -> tuple[int, Any]:
        mac = wanted.get("mac_address") or f"fa:16:3e:99:00:{next(self.number):02x}"
        if any(one["mac_address"] == mac for one in self.kept["ports"].values()):
            return 409, None
        fixed = wanted.get("fixed_ips") or [{"subnet_id": "sub", "ip_address": f"10.7.0.{next(self.number) + 100}"}]
        pairs = [{"mac_address": mac, **one} for one in wanted.get("allowed_address_pairs", ())]
        base = {"device_id": "", "tags": [], "port_security_enabled": True, "binding:vnic_type": "normal"}
        base["admin_state_up"] = True
        made = {**base, **wanted, "id": self._new("port"), "mac_address": mac, "fixed_ips": fixed}
        made["allowed_address_pairs"] = pairs
        self.kept["ports"][made["id"]] = made
        return 201, {"port": copy.deepcopy(made)}

    def _make_floatingip(self, wanted: dict[str, Any], _body: Any) -> tuple[int, Any]:
        address = wanted["floating_ip_address"]
        if not self.chooses:
            return 403, {"NeutronError": {"message": "(rule:create_floatingip:floating_ip_address) is disallowed"}}
        if address in (
            self.owned_elsewhere,
            *(one["floating_ip_address"] for one in self.kept["floatingips"].values()),
        ):
            return 409, {"NeutronError": {"message": f"{address} is in use"}}
        made = {**wanted, "id": self._new("fip")}
        self.kept["floatingips"][made["id"]] = made
        return 201, {"floatingip": made}

    def _make_volume(self, wanted: dict[str, Any], _body: Any) -> tuple[int, Any]:
        base = {"status": "available", "bootable": "false", "attachments": [], "metadata": {}, "volume_type": "lab"}
        made = {**base, "availability_zone": "nova", "description": None, **wanted, "id": self._new("vol")}
        # A restore brings the metadata of the source with it, and whether it boots.
        made.update(self.kept["backups"].get(made.pop("backup_id", ""), {}).get("brings", {}))
        self.kept["volumes"][made["id"]] = made
        return 202, {"volume": copy.deepcopy(made)}

    def _make_server(self, wanted: dict[str, Any], body: Any) -> tuple[int, Any]:
        identifier = self._new("server")
        disks = [one for one in wanted["block_device_mapping_v2"] if one["source_type"] == "volume"]
        attached = {}
        for index, one in enumerate(disks):
            device = f"/dev/vd{'abcdef'[index + (1 if wanted.get('imageRef') else 0)]}"
            volume = self.kept["volumes"][one["uuid"]]
            if volume["status"] != "available" or (one["boot_index"] == 0 and volume["bootable"] != "true"):
                return 400, {"badRequest": {"message": f"{one['uuid']} cannot be attached"}}
            volume.update(status="in-use", attachments=[{"server_id": identifier, "device": device}])
            keys = {"delete_on_termination": one["delete_on_termination"], "tag": one.get("tag")}
            attached[one["uuid"]] = {"volumeId": one["uuid"], "device": device, **keys}
        cards = [one["port"] for one in wanted["networks"]] if wanted["networks"] != "none" else []
        for one in cards:
            self.kept["ports"][one]["device_id"] = identifier
        flavor = self.kept["flavors"][wanted["flavorRef"]]
        group = body.get("os:scheduler_hints", {}).get("group")
        if group:
            self.kept["os-server-groups"][group]["members"].append(identifier)
        self.kept["servers"][identifier] = {
            "id": identifier,
            "name": wanted["name"],
            "tenant_id": self.project_id,
            "status": "ERROR" if self.broken else "ACTIVE",
            "fault": {"message": self.broken},
            "description": wanted.get("description"),
            "flavor": {"original_name": flavor["name"], "vcpus": 2, "ram": 2048, "disk": 0},
            "image": {"id": wanted["imageRef"]} if wanted.get("imageRef") else "",
            "key_name": wanted.get("key_name"),
            "config_drive": "True" if wanted.get("config_drive") else "",
            "OS-DCF:diskConfig": wanted.get("OS-DCF:diskConfig", "MANUAL"),
            "OS-EXT-SRV-ATTR:user_data": wanted.get("user_data"),
            "OS-EXT-SRV-ATTR:hostname": wanted.get("hostname", wanted["name"]),
            "metadata": wanted["metadata"],
            "tags": wanted.get("tags", []),
            "locked": False,
            "locked_reason": None,
            "attached": attached,
            "cards": cards,
        }
        return 202, {"server": {"id": identifier}}

    def _act(self, found: dict[str, Any], body: dict[str, Any]) -> tuple[int, Any]:
        ((action, what),) = body.items()
        if action == "os-stop":
            if found["status"] == "SHUTOFF":
                return 409, None
            found["status"] = "SHUTOFF"
        elif action == "lock":
            found.update(locked=True, locked_reason=(what or {}).get("locked_reason"))
        elif action == "os-set_bootable":
            found["bootable"] = "true"
        elif action == "os-set_image_metadata":
            found["volume_image_metadata"] = what["metadata"]
        return 202, None

    # What a test arranges.

    def lose_everything(self) -> None:
        """Somebody deletes the server and all that belongs to it."""
        for name in ("servers", "volumes", "ports", "os-server-groups"):
            self.kept[name].clear()
        self.kept["security-groups"] = {"default": self.kept["security-groups"]["default"]}
        self.writes.clear()
