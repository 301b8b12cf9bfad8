# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What is to be done so that a server of a manifest is there again, from what is there now. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...core.errors import InputError
from ...core.plan import Impact, Plan, Step
from ..backup.together import Together
from . import floating

#: What stands, until the server is complete, in the name of a volume and in the description of a port: a restore replaces
#: the metadata of a volume by those of its source (``BackupMetadataAPI`` in ``cinder/backup/driver.py``).
_MARK = "scs-landscape recreating"
MISSING = ("refuse", "backup", "empty")
POWER = ("captured", "on", "off")
Body = Mapping[str, Any]


@dataclass(frozen=True)
class Options:
    """What holds for all servers of a task; see the documentation of ``server_recreate``."""

    networks: Mapping[str, str] = field(default_factory=dict)
    flavors: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    keypairs: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    keep_ips: bool = True
    keep_macs: bool = True
    missing: str = "refuse"
    power: str = "captured"
    other_project: bool = False
    allow_mixed: bool = False


@dataclass(frozen=True)
class There:
    """What is there now, as the services show it.

    :param flavors: of Nova, with their sizes.
    :param images: names by id.
    :param backups: id of the backup of each volume that is gone, and ``lost`` why there is none.
    :param together: how the backups of a server belong together, by the id of its manifest.
    """

    project: str = ""
    ports: Sequence[Body] = ()
    networks: Sequence[Body] = ()
    subnets: Sequence[Body] = ()
    security_groups: Sequence[Body] = ()
    server_groups: Sequence[Body] = ()
    keypairs: Mapping[str, Body] = field(default_factory=dict)
    flavors: Sequence[Body] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    volumes: Sequence[Body] = ()
    floating: Sequence[Body] = ()
    backups: Mapping[str, str] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    together: Mapping[str, Together] = field(default_factory=dict)


@dataclass(frozen=True)
class Port:
    """A port of a manifest.

    :param there: the port that is taken, empty for one that is to be made.
    :param body: what it is made of, without its security groups.
    """

    captured: Body
    there: str
    body: Body
    floating: tuple[floating.Address, ...] = ()


@dataclass(frozen=True)
class Volume:
    """A volume of a manifest: one that is there, one out of a backup, or an empty one."""

    captured: Body
    there: str = ""
    backup: str = ""
    finished: bool = False


@dataclass(frozen=True)
class Todo:
    """What is to be done for one server.

    :param half: a server that an earlier start made and did not finish.
    :param told: what has to be known about its backups.
    """

    manifest: Body
    flavor: str = ""
    image: str = ""
    keypair: Body | None = None
    key_name: str = ""
    security_groups: tuple[Body, ...] = ()
    group: Body | None = None
    ports: tuple[Port, ...] = ()
    volumes: tuple[Volume, ...] = ()
    half: str = ""
    off: bool = False
    told: str = ""


def port_mark(port: Body) -> str:
    """Description of a port as long as its server is not complete."""
    return f"{_MARK} {port['id']}"


def volume_mark(volume: Body) -> str:
    """Name of a volume as long as its server is not complete."""
    return f"{_MARK} {volume['id']}"


def plan(manifest: Body, there: There, options: Options, half: str = "") -> Todo:
    """What is to be done for a server that is not there, or not complete.

    :param half: id of a server that carries the mark of this one.
    :raises InputError: something is missing; all of it is told at once.
    """
    problems: list[str] = []
    if manifest.get("project") not in (None, "", there.project) and not options.other_project:
        problems.append(f"it was in project {manifest['project']}, and the token is for {there.project}")
    todo = Todo(
        manifest=manifest,
        flavor=_flavor(manifest["flavor"], there, options, problems),
        image=_image(manifest.get("image"), there, options, problems),
        security_groups=_new_groups(manifest, there),
        group=_new_group(manifest.get("group"), there),
        ports=tuple(_port(one, there, options, half, problems) for one in manifest["ports"]),
        volumes=_volumes(manifest["volumes"], there, options, half, problems),
        half=half,
        off=options.power == "off" or (options.power == "captured" and manifest.get("status") == "SHUTOFF"),
        **_keypair(manifest.get("keypair"), there, options, problems),
    )
    mixed = there.together.get(str(manifest["id"])) if any(one.backup for one in todo.volumes) else None
    if mixed and mixed.torn and not options.allow_mixed:
        problems.append(f"{mixed.reason}; allow_mixed takes them all the same")
    if not manifest.get("image") and not any(one["root"] for one in manifest["volumes"]):
        problems.append("the manifest names neither an image nor a volume to boot from")
    if problems:
        name = f"{manifest['name']} ({manifest['id']})"
        raise InputError(f"server {name} cannot be made: {'; '.join(problems)}")
    return replace(todo, told=mixed.reason) if mixed else todo


def _flavor(wanted: Body, there: There, options: Options, problems: list[str]) -> str:
    name = options.flavors.get(str(wanted["name"]), str(wanted["name"]))
    found = [one for one in there.flavors if name in (one["name"], one["id"])]
    if not found:
        problems.append(f"there is no flavor {name}")
        return ""
    if name == wanted["name"]:
        sizes = {"vcpus": "vcpus", "ram": "ram", "disk": "disk", "ephemeral": "OS-FLV-EXT-DATA:ephemeral"}
        other = [
            f"{ours} {found[0].get(theirs)} instead of {wanted[ours]}"
            for ours, theirs in sizes.items()
            if wanted.get(ours) is not None and found[0].get(theirs) != wanted[ours]
        ]
        if other:
            problems.append(f"flavor {name} has {', '.join(other)}")
    return str(found[0]["id"])


def _image(wanted: Body | None, there: There, options: Options, problems: list[str]) -> str:
    if not wanted:
        return ""
    name = next((options.images[one] for one in (wanted["id"], wanted["name"]) if one in options.images), wanted["id"])
    found = [key for key, title in there.images.items() if name in (key, title)]
    if len(found) != 1:
        problems.append(f"there is no image {name} ({wanted['name']}), or several; name another one in images")
        return ""
    return found[0]


def _keypair(wanted: Body | None, there: There, options: Options, problems: list[str]) -> dict[str, Any]:
    if not wanted:
        return {}
    name = options.keypairs.get(wanted["name"], wanted["name"])
    if name in there.keypairs:
        known = there.keypairs[name].get("public_key")
        if name == wanted["name"] and wanted.get("public_key") and known != wanted["public_key"]:
            problems.append(f"key pair {name} is another key now; name one in keypairs")
        return {"key_name": name}
    if name != wanted["name"] or not wanted.get("public_key"):
        problems.append(f"the token's user has no key pair {name}, and the manifest has no public key for it")
        return {}
    return {"key_name": name, "keypair": wanted}


def group_mark(group: Body) -> str:
    """Description of a security group as long as its rules are not complete."""
    return f"{_MARK} {group['id']}"


def _new_groups(manifest: Body, there: There) -> tuple[Body, ...]:
    whole = [one for one in there.security_groups if not str(one.get("description")).startswith(_MARK)]
    names = {str(one["name"]) for one in whole}
    return tuple(one for one in manifest["security_groups"] if one["name"] not in names)


def group_of(wanted: Body | None, groups: Sequence[Body]) -> str:
    """The server group that stands for one of a manifest: by its id, else by name and policy; empty when there is none."""
    if not wanted:
        return ""
    same = [one for one in groups if one["id"] == wanted["id"]]
    same += [one for one in groups if one["name"] == wanted["name"] and _policy(one) == wanted["policy"]]
    return str(same[0]["id"]) if same else ""


def _policy(group: Body) -> str:
    return str(group.get("policy") or next(iter(group.get("policies") or ()), ""))


def _new_group(wanted: Body | None, there: There) -> Body | None:
    return wanted if wanted and not group_of(wanted, there.server_groups) else None


def _port(port: Body, there: There, options: Options, half: str, problems: list[str]) -> Port:
    mac = str(port["mac_address"])
    network = _network(port["network"], there, options, problems)
    marked = [one for one in there.ports if one.get("description") == port_mark(port)]
    taken = [one for one in there.ports if one.get("mac_address") == mac and one.get("network_id") == network]
    if half and not marked:  # its mark is gone already
        cards = [one for one in there.ports if one.get("device_id") == half and one.get("name") == port["name"]]
        marked = [one for one in cards if one.get("description") == port.get("description")]
    found = next(iter((taken if options.keep_macs else ()) or marked), None)
    if found and found.get("device_id") not in ("", None, half):
        problems.append(f"MAC address {mac} is taken by port {found['id']} of server {found['device_id']}")
    body: dict[str, Any] = {"network_id": network, "name": port["name"], "description": port_mark(port)}
    body["admin_state_up"] = port.get("admin_state_up", True)
    if options.keep_macs:
        body["mac_address"] = mac
    if options.keep_ips:
        body["fixed_ips"] = [_fixed(one, network, there, problems) for one in port["fixed_ips"]]
    if port.get("port_security_enabled") is False:
        body["port_security_enabled"] = False
    # Neutron writes the port's own address into a pair that has none.
    pairs = [
        {key: value for key, value in one.items() if value != mac} for one in port.get("allowed_address_pairs", ())
    ]
    more = {
        "allowed_address_pairs": pairs if options.keep_ips else [],
        "qos_policy_id": port.get("qos_policy_id"),
        "dns_name": port.get("dns_name"),
        "extra_dhcp_opts": port.get("extra_dhcp_opts"),
        "binding:vnic_type": port.get("vnic_type") if port.get("vnic_type") != "normal" else None,
    }
    body.update({key: value for key, value in more.items() if value})
    there_now = str(found["id"]) if found else ""
    mine = [there_now, *(str(one["id"]) for one in there.ports if half and one.get("device_id") == half)]
    given = floating.planned(port, mine, there.floating, there.ports, problems) if options.keep_ips else ()
    return Port(port, there_now, body, given)


def _network(wanted: Body, there: There, options: Options, problems: list[str]) -> str:
    mapped = next((options.networks[one] for one in (wanted["id"], wanted["name"]) if one in options.networks), "")
    tries = [mapped] if mapped else [wanted["id"], wanted["name"]]
    for name in tries:
        found = [str(one["id"]) for one in there.networks if name in (one["id"], one["name"])]
        if len(found) == 1:
            return found[0]
    problems.append(f"there is no network {mapped or wanted['name']}, or several; name another one in networks")
    return ""


def _fixed(wanted: Body, network: str, there: There, problems: list[str]) -> dict[str, str]:
    address = str(wanted["ip_address"])
    mine = [one for one in there.subnets if one.get("network_id") == network]
    same = [one for one in mine if one["id"] == wanted["subnet_id"]]
    inside = [one for one in mine if ipaddress.ip_address(address) in ipaddress.ip_network(one["cidr"])]
    found = next(iter(same or inside), None)
    if found is None:
        problems.append(f"no subnet of network {network or '?'} has {address}")
    return {"subnet_id": str(found["id"]) if found else "", "ip_address": address}


def _volumes(
    wanted: Sequence[Body], there: There, options: Options, half: str, problems: list[str]
) -> tuple[Volume, ...]:
    """Every volume; those of a half-made server have perhaps lost their marks, and are known by their devices."""
    found = attached(wanted, there.volumes, half)
    if found:
        return tuple(Volume(one, found[str(one["id"])], finished=found[str(one["id"])] == one["id"]) for one in wanted)
    return tuple(_volume(one, there, options, half, problems) for one in wanted)


def attached(wanted: Sequence[Body], volumes: Iterable[Body], server: str) -> dict[str, str]:
    """Which volumes stand for those of a manifest, by the ids that these had: the volumes of a server, in the order of their
    devices; empty when the server has not as many.
    """
    devices = {
        (len(str(use.get("device"))), str(use.get("device"))): str(one["id"])
        for one in volumes
        for use in one.get("attachments") or ()
        if server and use.get("server_id") == server
    }
    found = [devices[device] for device in sorted(devices)]
    return {str(one["id"]): identifier for one, identifier in zip(wanted, found)} if len(found) == len(wanted) else {}


def _volume(volume: Body, there: There, options: Options, half: str, problems: list[str]) -> Volume:
    known = {str(one["id"]): one for one in there.volumes}
    mapped = options.volumes.get(str(volume["id"]), "")
    marked = [str(one["id"]) for one in there.volumes if one.get("name") == volume_mark(volume)]
    chosen = mapped or (str(volume["id"]) if volume["id"] in known else "") or next(iter(marked), "")
    if mapped and mapped not in known:
        problems.append(f"there is no volume {mapped} (for {volume['id']})")
    elif chosen:
        found = known[chosen]
        users = {str(one.get("server_id")) for one in found.get("attachments") or ()} - {half}
        if users and not found.get("multiattach"):
            problems.append(f"volume {chosen} is attached to server {', '.join(sorted(users))}")
        if int(found.get("size") or 0) < int(volume["size"]):
            problems.append(f"volume {chosen} has {found.get('size')} GiB, {volume['size']} are needed")
        return Volume(volume, chosen, finished=chosen == volume["id"])
    elif options.missing == "refuse":
        problems.append(f"volume {volume['name']} ({volume['id']}) is gone; name a restored one in volumes")
    elif options.missing == "backup" and str(volume["id"]) not in there.backups:
        why = there.lost.get(str(volume["id"]), "there is no backup of it")
        problems.append(f"volume {volume['name']} ({volume['id']}) is gone, and {why}")
    elif options.missing == "empty" and volume["root"]:
        problems.append(f"volume {volume['name']} ({volume['id']}) is gone, and nothing boots from an empty one")
    return Volume(volume, backup=there.backups.get(str(volume["id"]), "") if options.missing == "backup" else "")


def steps(todos: Sequence[Todo]) -> Plan:
    """What would be done, to be shown."""
    found: list[Step] = []
    for todo in todos:
        if todo.keypair:
            found.append(Step("create", f"key pair {todo.key_name}", after={"name": todo.key_name}))
        found += [
            Step("create", f"security group {group['name']}", after={"rules": len(group["rules"])})
            for group in todo.security_groups
        ]
        if todo.group:
            found.append(Step("create", f"server group {todo.group['name']}", after={"policy": todo.group["policy"]}))
        for port in todo.ports:
            verb = "update" if port.there else "create"
            found.append(Step(verb, f"port {port.captured['mac_address']}", after=dict(port.body)))
            found += [_address(port, one) for one in port.floating]
        for volume in todo.volumes:
            source = volume.there or (f"backup {volume.backup}" if volume.backup else "nothing")
            verb = "use" if volume.there else "create"
            found.append(
                Step(verb, f"volume {volume.captured['name']} ({volume.captured['id']})", after={"from": source})
            )
        after = {"flavor": todo.manifest["flavor"]["name"], "power": "off" if todo.off else "on"}
        verb = "update" if todo.half else "create"
        found.append(Step(verb, f"server {todo.manifest['name']}", after=after, impact=Impact.NONE, undo="delete it"))
    return Plan(tuple(_once(found)))


def _address(port: Port, one: floating.Address) -> Step:
    after = {"port": port.captured["mac_address"], "fixed": one.captured.get("fixed")}
    undo = f"take {one.address} away from it"
    return Step("update" if one.there else "create", f"floating address {one.address}", after=after, undo=undo)


def _once(found: Sequence[Step]) -> list[Step]:
    """Without repetitions: two servers may share a group that is made."""
    seen: dict[tuple[str, str], Step] = {}
    for step in found:
        seen.setdefault((step.action, step.object), step)
    return list(seen.values())
