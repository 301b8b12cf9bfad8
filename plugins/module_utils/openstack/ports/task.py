# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The whole task of ``port_claim``: what is there, what is to be done, and doing it; every step may be cut off and done again."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...core.plan import Plan
from ..making import Making, Writes
from . import model, plan
from .model import Card, There
from .plan import Todo

_NEUTRON = "network"
PROBES = ("rules", "request", "none")


@dataclass
class Found:
    """What a task found or did.

    :ivar ports: as they are returned.
    """

    plan: Plan
    ports: list[dict[str, Any]] = field(default_factory=list)


class Ports:
    """Neutron's ports."""

    def __init__(self, cloud: Any, making: Making | None = None) -> None:
        self.cloud, self.making = cloud, making or Making(cloud)

    # Looking.

    def there(self, cards: Sequence[Card], probe: str, check_mode: bool) -> There:
        """What is there for some cards.

        :param probe: how it is found out who may choose addresses.
        """
        names = {one.network for one in cards}
        networks = [one for one in self._all("/networks", "networks") if {one["id"], one["name"]} & names]
        ids = {str(one["id"]) for one in networks}
        ports = [one for key in sorted(ids) for one in self._all("/ports", "ports", network_id=key)]
        there = There(
            project=self.cloud.project_id,
            networks=networks,
            subnets=[one for one in self._all("/subnets", "subnets") if one["network_id"] in ids],
            groups=self._all("/security-groups", "security_groups", project_id=self.cloud.project_id),
            ports=ports,
            sets=bool({"admin", "service"} & set(self.cloud.roles)),
            room=self._room(),
            allowed=dict.fromkeys(ids, True) if probe == "none" else {},
        )
        if probe == "request" and not check_mode:
            others = [one for one in networks if one.get("project_id") != there.project]
            there = replace(there, allowed={str(one["id"]): self._may(str(one["id"])) for one in others})
        return there

    def _all(self, path: str, key: str, **query: str) -> list[dict[str, Any]]:
        found = list(self.cloud.pages(_NEUTRON, path, key, **query))
        return [one for one in found if all(one.get(name, value) == value for name, value in query.items())]

    def _room(self) -> int | None:
        """Ports that the quota still allows."""
        path = f"/quotas/{self.cloud.project_id}/details"
        answer = self.cloud.call(_NEUTRON, "GET", path, accept=(403, 404))
        told = ((answer.body or {}).get("quota") or {}).get("port") if answer.status == 200 else None
        if not told or int(told["limit"]) < 0:
            return None
        return max(0, int(told["limit"]) - int(told["used"]) - int(told.get("reserved") or 0))

    def _may(self, network: str) -> bool:
        """Whether the token may choose addresses: asked for with a subnet that is not there, so that no port comes of it.

        Policies are enforced before the request is looked into (``neutron/pecan_wsgi/hooks/policy_enforcement.py``): 403 is no.
        """
        fixed = [{"subnet_id": str(uuid.uuid4()), "ip_address": "192.0.2.1"}]
        body = {"port": {"network_id": network, "mac_address": "02:00:00:00:00:01", "fixed_ips": fixed}}
        answer = self.cloud.call(_NEUTRON, "POST", "/ports", json=body, repeat=False, accept=(400, 403, 404, 409))
        if answer.status < 300:  # an older service, perhaps; what came of it goes at once
            self.remove(str(answer.body["port"]["id"]))
        return bool(answer.status != 403)

    def of(self, machine: str) -> list[dict[str, Any]]:
        """All ports that we made for a machine."""
        found = self._all("/ports", "ports", project_id=self.cloud.project_id)
        return [one for one in found if model.is_ours(one, machine)]

    # Changing.

    def carry_out(self, todo: Todo) -> dict[str, Any]:
        """Makes or changes a port; it as it is then."""
        port = todo.port or {}
        if todo.action == "create":
            port = self._made(todo)
            self._tags(port, todo)
            if todo.card.description or port.get("description"):
                # Until now it said whose it is.
                port = self._put(port, {"description": todo.card.description})
        elif todo.action == "update":
            self._tags(port, todo)
            port = self._put(port, todo.body) if todo.body else port
        return {**port, **({"tags": list(todo.tags)} if todo.tags is not None else {})}

    def _made(self, todo: Todo) -> dict[str, Any]:
        def there() -> dict[str, Any] | None:
            mine = self._all("/ports", "ports", network_id=str(todo.body["network_id"]))
            found = [one for one in mine if one.get("description") == todo.body["description"]]
            return {"port": found[0]} if found else None

        made = self.making.once(lambda: self.making.post(_NEUTRON, "/ports", {"port": dict(todo.body)}), there)
        return dict(made["port"])

    def _tags(self, port: Mapping[str, Any], todo: Todo) -> None:
        if todo.tags is not None:
            self.cloud.call(_NEUTRON, "PUT", f"/ports/{port['id']}/tags", json={"tags": list(todo.tags)})

    def _put(self, port: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.cloud.call(_NEUTRON, "PUT", f"/ports/{port['id']}", json={"port": dict(body)})
        return dict(answer.body["port"])

    def remove(self, port: str) -> None:
        """Removes a port; one that is gone is fine."""
        self.cloud.call(_NEUTRON, "DELETE", f"/ports/{port}", accept=(404,))


def claim(cloud: Any, params: Mapping[str, Any], check_mode: bool, stop: threading.Event | None = None) -> Found:
    """Ports for all cards of a machine.

    :param stop: set when the run ends; then no further port is begun.
    :raises LandscapeError: something stands against it, or it failed; its details say what was done before.
    """
    writes = Writes(cloud)
    machine, ports = str(params["vm"]), Ports(writes, Making(writes, stop=stop))
    cards = model.cards_of(params["ports"])
    todos = plan.plan(machine, cards, ports.there(cards, str(params["probe"]), check_mode))
    found = Found(plan.steps(todos))
    words = {"create": "made", "update": "changed", "none": "present"}
    with writes.told(lambda: sum(one["status"] in ("made", "changed") for one in found.ports)):
        for todo in todos:
            if check_mode and todo.action != "none":
                shown = {**(todo.port or {}), **todo.body}
                entry = model.shown(shown, "planned", created=todo.action == "create")
                found.ports.append({**entry, "predicted": True})
                continue
            ports.making.go_on()
            port = ports.carry_out(todo)
            found.ports.append(model.shown(port, words[todo.action], created=model.is_ours(port, machine)))
    return found


def release(cloud: Any, params: Mapping[str, Any], check_mode: bool) -> Found:
    """Removes all ports that we made for a machine.

    In check mode a server that has one does not count, for it may be gone by then.

    :raises LandscapeError: one is in use, or it failed.
    """
    ports = Ports(cloud)
    mine = plan.removals(str(params["vm"]), ports.of(str(params["vm"])), used=check_mode)
    for one in () if check_mode else mine:
        ports.remove(str(one["id"]))
    word = "planned" if check_mode else "removed"
    return Found(plan.removal_steps(mine), [model.shown(one, word, created=True) for one in mine])
