# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which ports are made or changed for the cards of a machine, and what stands against it. Pure.

Who may choose addresses is read in neutron/conf/policies/port.py: ``create_port:mac_address`` and
``create_port:fixed_ips:ip_address`` are for the owner of the network, administrators and services.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from ...core.plan import Impact, Plan, Step
from . import model
from .model import Card, There

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Todo:
    """What is to be done for one card.

    :param body: what the port is made of, or what is changed about it.
    :param port: the one that is there.
    :param tags: that it gets in the end, nothing when it has them.
    """

    card: Card
    action: str
    body: Body = field(default_factory=dict)
    port: Body | None = None
    tags: tuple[str, ...] | None = None


def plan(machine: str, cards: Sequence[Card], there: There) -> list[Todo]:
    """What is to be done, in the order of the cards.

    :param machine: id of the machine that they are for.
    :raises InputError: with everything that stands against it; nothing was touched.
    """
    problems: list[str] = []
    found = [_todo(machine, one, there, problems) for one in cards]
    missing = sum(one.action == "create" for one in found)
    if there.room is not None and missing > there.room:
        problems.append(f"{missing} ports are to be made, and the quota has room for {there.room}")
    if problems:
        raise InputError(f"The ports of {machine} cannot be claimed: {'; '.join(problems)}")
    return found


def _todo(machine: str, card: Card, there: There, problems: list[str]) -> Todo:
    network = _network(card, there, problems)
    if not network:
        return Todo(card, "none")
    fixed = [_fixed(card, one, network, there, problems) for one in card.fixed]
    body: dict[str, Any] = {"network_id": network["id"], "name": card.name, "admin_state_up": True}
    body.update({"mac_address": card.mac} if card.mac else {})
    body.update({"fixed_ips": fixed} if fixed else {})
    body.update({"binding:vnic_type": card.vnic} if card.vnic else {})
    body.update({"port_security_enabled": card.secured} if card.secured is not None else {})
    if card.secured is False:
        body["security_groups"] = []
    elif card.groups is not None:
        body["security_groups"] = [_group(card, one, there, problems) for one in card.groups]
    mine = [one for one in there.ports if one["network_id"] == network["id"]]
    port = _present(machine, card, mine)
    _conflicts(machine, there.project, card, port, mine, problems)
    if port is None:
        _allowed(card, network, there, problems)
        tags = (model.tag_of(machine), *card.tags)
        return Todo(card, "create", {**body, "description": model.mark_of(machine, card)}, None, tags)
    return _change(machine, card, port, body, network, there, problems)


def _network(card: Card, there: There, problems: list[str]) -> Body:
    found = [one for one in there.networks if one["id"] == card.network]
    found = found or [one for one in there.networks if one["name"] == card.network]
    if len(found) == 1:
        return found[0]
    problems.append(
        f"{card}: there is no network {card.network}"
        if not found
        else f"{card}: several networks are called {card.network}"
    )
    return {}


def _fixed(card: Card, wanted: model.Fixed, network: Body, there: There, problems: list[str]) -> dict[str, str]:
    address = ipaddress.ip_address(wanted.address)
    mine = [one for one in there.subnets if one["network_id"] == network["id"]]
    named = [one for one in mine if wanted.subnet in (one["id"], one.get("name"))] if wanted.subnet else mine
    inside = [one for one in named if address in ipaddress.ip_network(one["cidr"])]
    if not inside:
        where = f"subnet {wanted.subnet}" if wanted.subnet else f"a subnet of network {network['name']}"
        problems.append(f"{card}: {address} is not in {where}")
        return {"ip_address": str(address)}
    subnet = inside[0]
    net = ipaddress.ip_network(subnet["cidr"])
    if subnet.get("gateway_ip") == str(address):
        problems.append(f"{card}: {address} is the gateway of subnet {subnet.get('name') or subnet['id']}")
    elif net.version == 4 and net.num_addresses > 2 and address in (net.network_address, net.broadcast_address):
        problems.append(f"{card}: {address} is no address of a machine in {net}")
    return {"subnet_id": str(subnet["id"]), "ip_address": str(address)}


def _group(card: Card, name: str, there: There, problems: list[str]) -> str:
    found = [one for one in there.groups if one["id"] == name]
    found = found or [one for one in there.groups if one["name"] == name]
    if len(found) != 1:
        problems.append(
            f"{card}: there is no security group {name}"
            if not found
            else f"{card}: several security groups are called {name}"
        )
        return name
    return str(found[0]["id"])


def _present(machine: str, card: Card, ports: Sequence[Body]) -> Body | None:
    """The port of a card: by its MAC address, else by its name among ours."""
    if card.mac:
        return next((one for one in ports if str(one["mac_address"]).lower() == card.mac), None)
    return next((one for one in ports if one.get("name") == card.name and model.is_ours(one, machine)), None)


def _conflicts(
    machine: str, project: str, card: Card, port: Body | None, ports: Sequence[Body], problems: list[str]
) -> None:
    """What others have of what is wanted."""
    foreign = port is not None and not model.is_ours(port, machine)
    if foreign and port is not None and (port.get("device_id") or port.get("project_id", project) != project):
        user = f"{port.get('device_owner') or 'project'} {port.get('device_id') or port.get('project_id')}"
        problems.append(f"{card}: MAC address {card.mac} is that of port {port['id']}, which {user} uses")
    wanted = {one.address for one in card.fixed}
    for other in ports:
        if port is not None and other["id"] == port["id"]:
            continue
        taken = sorted(wanted & {str(one["ip_address"]) for one in other.get("fixed_ips") or ()})
        problems += [f"{card}: {one} is taken by port {other['id']} ({other['mac_address']})" for one in taken]


def _allowed(card: Card, network: Body, there: There, problems: list[str]) -> None:
    """Whether the token may choose what is wanted."""
    free = there.allowed.get(str(network["id"]), there.sets or network.get("project_id") == there.project)
    asked = [text for text, wanted in (("its MAC address", card.mac), ("its fixed addresses", card.fixed)) if wanted]
    asked += ["port security"] if card.secured is not None else []
    if asked and not free:
        problems.append(
            f"{card}: only the owner of network {network['name']} or an administrator may choose {' and '.join(asked)}"
        )


def _change(machine: str, card: Card, port: Body, body: Body, network: Body, there: There, problems: list[str]) -> Todo:
    """What is other about a port than is wanted."""
    changes = {}
    for key in ("name", "port_security_enabled", "admin_state_up"):
        if key in body and body[key] != port.get(key) and (key != "name" or card.name):
            changes[key] = body[key]
    if "security_groups" in body and sorted(body["security_groups"]) != sorted(port.get("security_groups") or ()):
        changes["security_groups"] = body["security_groups"]
    now = {str(one["ip_address"]) for one in port.get("fixed_ips") or ()}
    if "fixed_ips" in body and {one["ip_address"] for one in body["fixed_ips"]} != now:
        changes["fixed_ips"] = body["fixed_ips"]
        _allowed(card, network, there, problems)
    # A port that somebody made beforehand is used, and stays theirs: it is never removed by us.
    wanted = {*card.tags, *({model.tag_of(machine)} if model.is_ours(port, machine) else ())}
    tags = None if wanted <= set(port.get("tags") or ()) else tuple(sorted({*wanted, *(port.get("tags") or ())}))
    begun = str(port.get("description") or "").startswith(model.CLAIMING)
    if begun or (card.description and port.get("description") != card.description):
        changes["description"] = card.description
    return Todo(card, "update" if changes or tags is not None else "none", changes, port, tags)


def steps(todos: Sequence[Todo]) -> Plan:
    """The plan as it is shown."""
    found = []
    for todo in todos:
        title = f"port {todo.card.name or todo.card.mac}"
        tags = {"tags": list(todo.tags)} if todo.tags is not None else {}
        if todo.action == "create":
            after = {**todo.body, "description": todo.card.description, **tags}
            found.append(Step("create", title, None, after, undo="remove the port"))
        elif todo.action == "update":
            port = todo.port or {}
            before = {key: port.get(key) for key in (*todo.body, *tags)}
            moved = {"fixed_ips", "security_groups"} & set(todo.body) and port.get("device_id")
            impact = Impact.INTERRUPTED if moved else Impact.NONE
            found.append(Step("update", title, before, {**todo.body, **tags}, impact, "set the former values"))
    return Plan(tuple(found))


def removals(machine: str, ports: Sequence[Body], used: bool = False) -> list[Body]:
    """Ports that we made for a machine.

    :param used: whether those that servers have can be removed, for a look into the future.
    :raises InputError: one of them is in use.
    """
    mine = [one for one in ports if model.is_ours(one, machine)]
    busy = [] if used else [one for one in mine if one.get("device_id")]
    if busy:
        raise InputError(
            f"port {busy[0]['id']} is used by {busy[0]['device_id']} and cannot be removed",
            hint="Remove the server first",
        )
    return mine


def removal_steps(ports: Sequence[Body]) -> Plan:
    """The plan of removing some ports."""
    keys = ("name", "mac_address", "network_id", "fixed_ips", "tags")
    return Plan(tuple(Step("delete", f"port {one['id']}", {key: one.get(key) for key in keys}, None) for one in ports))
