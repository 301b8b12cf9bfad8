# SPDX-License-Identifier: Apache-2.0
"""A Nova for flavors, in memory: what it accepts and refuses is written down from the real one's API reference."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.openstack import model


class Killed(Exception):
    """The run was killed."""


class FakeNova:
    """Stands where :class:`client.Cloud` stands.

    :param servers: name of a flavor and ids of the servers that use it.
    """

    name = "fake"
    project_id = "p1"

    def __init__(self, *flavors: dict[str, Any], servers: dict[str, list[str]] | None = None) -> None:
        self.flavors = {one["id"]: copy.deepcopy(one) for one in flavors}
        self.access: dict[str, set[str]] = {}
        self.servers = servers or {}
        self.writes: list[tuple[str, str]] = []
        self.kill_after: int | None = None
        self.admin = True
        self.projects = {"p1": "build", "p2": "tests"}

    def microversion(self, _service: str, wanted: str) -> str:
        return wanted

    def by_name(self, name: str) -> dict[str, Any]:
        (found,) = [one for one in self.flavors.values() if one["name"] == name]
        return found

    def pages(self, _service: str, path: str, _key: str, **query: Any) -> Iterator[dict[str, Any]]:
        if path == "/servers":
            name = self.flavors[query["flavor"]]["name"]
            yield from ({"id": one} for one in self.servers.get(name, []))
        elif path == "/projects":
            yield from ({"id": key} for key, name in self.projects.items() if name == query["name"])
        else:
            yield from copy.deepcopy(list(self.flavors.values()))

    def get(self, _service: str, path: str) -> Any:
        flavor = path.split("/")[2]
        if not self.admin:
            raise model.refusal(_service, "GET", path, model.Answer(403))
        return {"flavor_access": [{"tenant_id": one} for one in sorted(self.access.get(flavor, ()))]}

    def call(self, service: str, method: str, path: str, *, json: Any = None, accept: Any = (), **_options: Any) -> Any:
        if method != "GET":
            if self.kill_after is not None and len(self.writes) >= self.kill_after:
                raise Killed
            self.writes.append((method, path))
        status, body = self._answer(service, method, path.split("/")[1:], json)
        answer = model.Answer(status, body=body)
        if status >= 400 and status not in accept:
            raise model.refusal(service, method, path, answer)
        return answer

    def _answer(self, service: str, method: str, path: list[str], body: Any) -> tuple[int, Any]:
        if service == "identity":
            known = path[1] in self.projects
            return (200, {"project": {"id": path[1]}}) if known else (404, None)
        if method == "POST" and len(path) == 1:
            return self._create(body["flavor"])
        flavor = self.flavors.get(path[1])
        if flavor is None:
            return 404, None
        if method == "DELETE" and len(path) == 2:
            del self.flavors[path[1]]
        elif method == "DELETE":
            key = path[3].replace("%3A", ":")
            return (200, None) if flavor["extra_specs"].pop(key, None) else (404, None)
        elif method == "PUT":
            flavor["description"] = body["flavor"]["description"]
        elif path[-1] == "os-extra_specs":
            flavor["extra_specs"].update(body["extra_specs"])
        elif path[-1] == "action":
            return self._act(path[1], body)
        return 200, {"flavor": flavor}

    def _create(self, flavor: dict[str, Any]) -> tuple[int, Any]:
        names = {one["name"] for one in self.flavors.values()}
        if flavor["id"] in self.flavors or flavor["name"] in names:
            return 409, {"conflictingRequest": {"message": "Flavor with name or ID exists"}}
        self.flavors[flavor["id"]] = {"extra_specs": {}, "os-flavor-access:is_public": True, **flavor}
        return 200, {"flavor": flavor}

    def _act(self, flavor: str, body: dict[str, Any]) -> tuple[int, Any]:
        ((action, value),) = body.items()
        has, one = self.access.setdefault(flavor, set()), value["tenant"]
        if action == "addTenantAccess":
            if one in has:
                return 409, None
            has.add(one)
        elif one not in has:
            return 404, None
        else:
            has.discard(one)
        return 200, None


def flavor(name: str, vcpus: int = 2, ram: int = 4096, disk: int = 0, specs: Any = None, **more: Any) -> dict[str, Any]:
    """A flavor as Nova lists it."""
    return {
        "id": f"id-{name}",
        "name": name,
        "vcpus": vcpus,
        "ram": ram,
        "disk": disk,
        "extra_specs": dict(specs or {}),
        "os-flavor-access:is_public": True,
        **more,
    }
