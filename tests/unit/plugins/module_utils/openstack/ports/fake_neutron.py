# SPDX-License-Identifier: Apache-2.0
"""A Neutron in memory: policies, conflicts and tags are written down from the real one."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from typing import Any

from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.fake_cloud import FakeApi, Killed

__all__ = ["FakeNeutron", "Killed"]


class FakeNeutron(FakeApi):
    """A project with one network of its own and a shared one of somebody else.

    :ivar roles: of the token.
    :ivar lenient: whether the cloud's own rules let everybody choose addresses.
    """

    def __init__(self, *roles: str) -> None:
        super().__init__()
        self.roles = roles or ("member",)
        self.lenient = False
        self.number = itertools.count(1)
        self.quota = {"limit": 10, "used": 0, "reserved": 0}
        self.networks = [
            {"id": "net", "name": "front", "project_id": "p1"},
            {"id": "out", "name": "shared", "project_id": "p2"},
        ]
        self.subnets = [
            {"id": "sub", "name": "front-4", "network_id": "net", "cidr": "10.7.0.0/24", "gateway_ip": "10.7.0.1"},
            {"id": "six", "name": "front-6", "network_id": "net", "cidr": "fd00:7::/64", "gateway_ip": None},
            {"id": "far", "name": "shared-4", "network_id": "out", "cidr": "10.9.0.0/24", "gateway_ip": "10.9.0.1"},
        ]
        self.groups = [{"id": f"sg-{name}", "name": name, "project_id": "p1"} for name in ("default", "web")]
        self.ports: dict[str, dict[str, Any]] = {}

    def pages(self, _service: str, path: str, _key: str, **query: Any) -> Iterator[dict[str, Any]]:
        kept = {
            "/networks": self.networks,
            "/subnets": self.subnets,
            "/security-groups": self.groups,
            "/ports": list(self.ports.values()),
        }[path]
        yield from (copy.deepcopy(one) for one in kept if all(one.get(key) == value for key, value in query.items()))

    def _answer(self, method: str, path: list[str], body: Any) -> tuple[int, Any]:
        if path[0] == "quotas":
            return 200, {"quota": {"port": {**self.quota, "used": len(self.ports)}}}
        if method == "POST":
            return self._made(body["port"])
        found = self.ports.get(path[1])
        if found is None:
            return 404, None
        if method == "DELETE":
            del self.ports[path[1]]
            return 204, None
        if path[-1] == "tags":
            found["tags"] = sorted(body["tags"])
        elif method == "PUT":
            found.update(body["port"])
        return 200, {"port": copy.deepcopy(found)}

    def _made(self, wanted: dict[str, Any]) -> tuple[int, Any]:
        network = next(one for one in self.networks if one["id"] == wanted["network_id"])
        chosen = {"mac_address", "port_security_enabled"} & set(wanted)
        chosen |= {"fixed_ips"} if any("ip_address" in one for one in wanted.get("fixed_ips", ())) else set()
        if chosen and network["project_id"] != "p1" and not {"admin", "service"} & set(self.roles) and not self.lenient:
            return 403, None
        fixed = wanted.get("fixed_ips") or [{"subnet_id": "sub", "ip_address": f"10.7.0.{next(self.number) + 100}"}]
        if any(one["subnet_id"] not in [each["id"] for each in self.subnets] for one in fixed):
            return 404, None
        mac = wanted.get("mac_address") or f"fa:16:3e:00:00:{next(self.number):02x}"
        same = [one for one in self.ports.values() if one["network_id"] == network["id"]]
        taken = {each["ip_address"] for one in same for each in one["fixed_ips"]}
        if mac in [one["mac_address"] for one in same] or taken & {one["ip_address"] for one in fixed}:
            return 409, None
        base = {"device_id": "", "tags": [], "security_groups": ["sg-default"], "project_id": "p1", "description": ""}
        made = {"port_security_enabled": True, **base, **wanted, "mac_address": mac, "fixed_ips": fixed}
        made["id"] = f"port-{next(self.number)}"
        self.ports[made["id"]] = made
        return 201, {"port": copy.deepcopy(made)}
