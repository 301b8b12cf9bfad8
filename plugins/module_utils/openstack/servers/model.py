# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Manifests: what a server is made of, as text that is the same as long as the server is. Pure.

A manifest holds no time and no state that changes by itself, so that two of them can be compared by any tool. User data may
hold passwords: it lies in a file of its own, and the manifest names its digest.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError

FORMAT, VERSION = "scs.landscape.server", 1
#: Marks, while a server is made again, what belongs to it; gone when it is complete.
MARK = "scs_landscape_recreating"
#: On a server that was made again: the id that it had, so that it is known whatever is changed about it. In no manifest.
RECREATED = "scs_landscape_recreated"
#: What a manifest must have at least, and of what kind.
_SHAPE: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "name": str,
    "flavor": dict,
    "metadata": dict,
    "tags": list,
    "ports": list,
    "volumes": list,
    "security_groups": list,
    "omitted": list,
}
_PORT = ("id", "network", "mac_address", "fixed_ips", "security_groups")
_VOLUME = ("id", "size", "root")
_RULE = (
    "direction",
    "ethertype",
    "protocol",
    "port_range_min",
    "port_range_max",
    "remote_ip_prefix",
    "remote_address_group_id",
)


@dataclass(frozen=True)
class Seen:
    """What the services show of one server, as they show it.

    :param server: of Nova.
    :param attachments: of Nova, by volume.
    :param tags: of its network cards, by port.
    :param ports: of Neutron, in the order of the cards.
    :param volumes: of Cinder.
    :param groups: security groups of Neutron, by id; those that rules point at as well.
    :param networks: names, by id.
    :param floating: floating addresses of Neutron, by port.
    """

    server: Mapping[str, Any]
    attachments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[Mapping[str, Any]] = ()
    volumes: Sequence[Mapping[str, Any]] = ()
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)
    floating: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    group: Mapping[str, Any] | None = None
    keypair: Mapping[str, Any] | None = None
    root_image: str = ""


def manifest_of(seen: Seen) -> dict[str, Any]:
    """The manifest of a server."""
    server, omitted = seen.server, []
    if "OS-EXT-SRV-ATTR:user_data" not in server:
        omitted.append("user_data: only an administrator sees it")
    if server.get("key_name") and seen.keypair is None:
        omitted.append(f"keypair {server['key_name']}: it belongs to another user")
    image = server.get("image") or {}
    return {
        "format": FORMAT,
        "version": VERSION,
        "id": str(server["id"]),
        "name": str(server.get("name") or ""),
        "project": str(server.get("tenant_id") or ""),
        "description": server.get("description"),
        "hostname": server.get("OS-EXT-SRV-ATTR:hostname"),
        "status": _resting(str(server.get("status") or "")),
        "flavor": _flavor(server.get("flavor") or {}),
        "image": {"id": str(image["id"]), "name": seen.root_image} if image.get("id") else None,
        "keypair": _keypair(server.get("key_name"), seen.keypair),
        "availability_zone": server.get("pinned_availability_zone"),
        "config_drive": str(server.get("config_drive") or "").lower() == "true",
        "disk_config": server.get("OS-DCF:diskConfig"),
        "locked": bool(server.get("locked")),
        "locked_reason": server.get("locked_reason"),
        "metadata": {key: value for key, value in (server.get("metadata") or {}).items() if key != RECREATED},
        "tags": sorted(server.get("tags") or ()),
        "trusted_image_certificates": server.get("trusted_image_certificates"),
        "group": _group(seen.group),
        "user_data": digest_of(server.get("OS-EXT-SRV-ATTR:user_data")),
        "ports": [_port(one, seen) for one in seen.ports],
        "volumes": [_volume(one, seen) for one in _ordered(seen)],
        "security_groups": _security_groups(seen),
        "omitted": omitted,
    }


def _resting(status: str) -> str:
    """``SHUTOFF`` stays so; whatever else a server does at the moment, it is meant to run."""
    return "SHUTOFF" if status == "SHUTOFF" else "ACTIVE"


def _flavor(found: Mapping[str, Any]) -> dict[str, Any]:
    sizes = {name: found.get(name) for name in ("vcpus", "ram", "disk", "ephemeral", "swap")}
    return {"name": str(found.get("original_name") or ""), **sizes}


def _keypair(name: Any, found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not name:
        return None
    return {"name": str(name), "type": (found or {}).get("type"), "public_key": (found or {}).get("public_key")}


def _group(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if found is None:
        return None
    policy = found.get("policy") or next(iter(found.get("policies") or ()), "")
    return {"id": str(found["id"]), "name": str(found["name"]), "policy": policy, "rules": found.get("rules") or {}}


def digest_of(data: Any) -> dict[str, Any] | None:
    """What stands for user data in a manifest."""
    if not data:
        return None
    content = decoded(str(data))
    return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def decoded(data: str) -> bytes:
    """User data as the guest gets it.

    :raises InputError: it is not what Nova keeps.
    """
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("user data is no base64") from error


def _port(found: Mapping[str, Any], seen: Seen) -> dict[str, Any]:
    network = str(found.get("network_id") or "")
    identifier = str(found["id"])
    addresses = [{"subnet_id": one["subnet_id"], "ip_address": one["ip_address"]} for one in found.get("fixed_ips", ())]
    pairs = [dict(one) for one in found.get("allowed_address_pairs") or ()]
    return {
        "id": identifier,
        "name": str(found.get("name") or ""),
        "description": str(found.get("description") or ""),
        "network": {"id": network, "name": seen.networks.get(network, "")},
        "mac_address": str(found.get("mac_address") or ""),
        "fixed_ips": addresses,
        "allowed_address_pairs": sorted(pairs, key=lambda one: json.dumps(one, sort_keys=True)),
        "security_groups": sorted(_name_of(seen, str(one)) for one in found.get("security_groups") or ()),
        "port_security_enabled": found.get("port_security_enabled"),
        "admin_state_up": bool(found.get("admin_state_up", True)),
        "tags": sorted(found.get("tags") or ()),
        "vnic_type": found.get("binding:vnic_type") or "normal",
        "qos_policy_id": found.get("qos_policy_id"),
        "dns_name": found.get("dns_name"),
        "extra_dhcp_opts": list(found.get("extra_dhcp_opts") or ()),
        "device_tag": seen.tags.get(identifier),
        "floating_ips": [
            {
                "id": str(one["id"]),
                "address": str(one["floating_ip_address"]),
                "fixed": one.get("fixed_ip_address"),
                "network": one.get("floating_network_id"),
            }
            for one in seen.floating.get(identifier, ())
        ],
    }


def _name_of(seen: Seen, group: str) -> str:
    return str(seen.groups[group]["name"]) if group in seen.groups else group


def _ordered(seen: Seen) -> list[Mapping[str, Any]]:
    """Volumes by device; vdb comes before vdaa."""

    def key(one: Mapping[str, Any]) -> tuple[int, str, str]:
        device = str(seen.attachments.get(str(one["id"]), {}).get("device") or "")
        return len(device) or 99, device, str(one["id"])

    return sorted(seen.volumes, key=key)


def _volume(found: Mapping[str, Any], seen: Seen) -> dict[str, Any]:
    attached = seen.attachments.get(str(found["id"]), {})
    bootable = str(found.get("bootable")).lower() == "true"
    first = next((str(one["id"]) for one in _ordered(seen) if str(one.get("bootable")).lower() == "true"), "")
    return {
        "id": str(found["id"]),
        "name": str(found.get("name") or ""),
        "description": found.get("description"),
        "size": int(found.get("size") or 0),
        "type": found.get("volume_type"),
        "encrypted": bool(found.get("encrypted")),
        "multiattach": bool(found.get("multiattach")),
        "bootable": bootable,
        "availability_zone": found.get("availability_zone"),
        "metadata": dict(found.get("metadata") or {}),
        "image": {key: str(value) for key, value in sorted((found.get("volume_image_metadata") or {}).items())},
        "device": attached.get("device"),
        "device_tag": attached.get("tag"),
        "delete_on_termination": bool(attached.get("delete_on_termination")),
        "root": not seen.server.get("image", {}) and str(found["id"]) == first,
    }


def _security_groups(seen: Seen) -> list[dict[str, Any]]:
    found = []
    for identifier, group in seen.groups.items():
        rules = [_rule(one, seen) for one in group.get("security_group_rules") or ()]
        entry = {
            "id": identifier,
            "name": str(group["name"]),
            "description": str(group.get("description") or ""),
            "stateful": group.get("stateful"),
            "tags": sorted(group.get("tags") or ()),
            "rules": sorted(rules, key=lambda one: json.dumps(one, sort_keys=True)),
        }
        found.append(entry)
    return sorted(found, key=lambda one: str(one["name"]))


def _rule(found: Mapping[str, Any], seen: Seen) -> dict[str, Any]:
    remote = found.get("remote_group_id")
    return {
        **{name: found.get(name) for name in _RULE},
        "description": str(found.get("description") or ""),  # rules that Neutron made have none at all
        "remote_group": _name_of(seen, str(remote)) if remote else None,
    }


# As text.


def dump(manifest: Mapping[str, Any]) -> str:
    """The text of a manifest; one line for each value, so that tools for differences show what changed."""
    return json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def load(text: str, name: str) -> dict[str, Any]:
    """A manifest of its text.

    :param name: where it is from, for messages.
    :raises InputError: it is none, or one of another version; all that is missing is told at once.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(f"{name} is no manifest: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError(f"{name} is no manifest of a server", hint="server_capture writes them")
    if found.get("version") != VERSION:
        raise InputError(f"{name} has version {found.get('version')!r} of the format, known is {VERSION}")
    problems = [f"{key} is missing or of a wrong kind" for key in _misshapen(found)]
    if problems:
        raise InputError(f"{name} is damaged: {'; '.join(problems)}")
    return found


def _misshapen(found: Mapping[str, Any]) -> list[str]:
    wrong = [key for key, kind in _SHAPE.items() if not isinstance(found.get(key), kind)]
    if wrong:
        return wrong
    for key, names in (("ports", _PORT), ("volumes", _VOLUME), ("security_groups", ("name", "rules"))):
        for index, one in enumerate(found[key]):
            missing = names if not isinstance(one, dict) else [name for name in names if name not in one]
            wrong += [f"{key}[{index}].{name}" for name in missing]
    return wrong


def file_name(manifest: Mapping[str, Any], kind: str = "json") -> str:
    """Name of the file of a manifest, or of its user data; an id of Nova's has no sign that leads elsewhere.

    :raises InputError: the id is none.
    """
    identifier = str(manifest["id"])
    if not identifier or set(identifier.lower()) - set("0123456789abcdefghijklmnopqrstuvwxyz-"):
        raise InputError(f"{identifier!r} is no id of a server")
    return f"{identifier}.{kind}"


def marked(found: Iterable[Mapping[str, Any]], identifier: str, key: str = MARK) -> list[Mapping[str, Any]]:
    """Servers whose metadata say that they are being made, or were made, for one that had this id."""
    return [one for one in found if (one.get("metadata") or {}).get(key) == identifier]
