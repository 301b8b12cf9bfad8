# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Network cards of a machine as they are wanted, and ports as Neutron shows them. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError

#: Tag of ports that we make, with the machine that they are for; and the begin of the description until they are complete.
TAG, CLAIMING = "migration_vm=", "scs-landscape claiming "
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
#: Neutron's longest tag.
_LONGEST = 255


@dataclass(frozen=True)
class Fixed:
    """An address that a port shall have.

    :param subnet: name or id, empty for the one that holds the address.
    """

    address: str
    subnet: str = ""


@dataclass(frozen=True)
class Card:
    """A network card.

    :param network: name or id.
    :param mac: empty for one that Neutron chooses; then the name tells cards apart.
    :param groups: names or ids of security groups; ``None`` for Neutron's default, and for a port that is there for those it has.
    :param secured: whether port security is on; ``None`` for what the network says.
    """

    name: str
    network: str
    mac: str = ""
    fixed: tuple[Fixed, ...] = ()
    groups: tuple[str, ...] | None = None
    secured: bool | None = None
    tags: tuple[str, ...] = ()
    description: str = ""
    vnic: str = ""

    def __str__(self) -> str:
        return f"card {self.name or self.mac}"


@dataclass(frozen=True)
class There:
    """What is there.

    :param ports: of the networks that are wanted, as far as the token sees them.
    :param sets: whether the token may choose addresses on networks of other projects.
    :param room: ports that the quota still allows, ``None`` when nobody knows or there is no limit.
    """

    project: str
    networks: Sequence[Mapping[str, Any]] = ()
    subnets: Sequence[Mapping[str, Any]] = ()
    groups: Sequence[Mapping[str, Any]] = ()
    ports: Sequence[Mapping[str, Any]] = ()
    sets: bool = False
    room: int | None = None
    allowed: Mapping[str, bool] = field(default_factory=dict)


def mac_of(text: str) -> str:
    """A MAC address as Neutron writes it; empty for none.

    :raises InputError: it is none, or one of a group.
    """
    found = text.strip().lower().replace("-", ":")
    if found and (not _MAC.fullmatch(found) or int(found[:2], 16) & 1 or found == "00:00:00:00:00:00"):
        raise InputError(f"{text!r} is no MAC address of a card")
    return found


def cards_of(entries: Sequence[Mapping[str, Any]]) -> list[Card]:
    """The cards of a task's options.

    :raises InputError: with all that is wrong.
    """
    found: list[Card] = []
    problems: list[str] = []
    for number, entry in enumerate(entries):
        try:
            found.append(_card(entry))
        except InputError as error:
            problems.append(f"ports[{number}]: {error.message}")
    problems += _twice([(one.network, one.mac) for one in found if one.mac], "MAC address")
    problems += _twice([(one.network, one.name) for one in found if not one.mac], "name")
    problems += _twice([(one.network, each.address) for one in found for each in one.fixed], "address")
    if problems:
        raise InputError("; ".join(problems))
    return found


def _twice(keys: Sequence[tuple[str, str]], what: str) -> list[str]:
    double = sorted({key for key in keys if keys.count(key) > 1})
    return [f"the {what} {text} is wanted twice on network {network}" for network, text in double]


def _card(entry: Mapping[str, Any]) -> Card:
    mac = mac_of(str(entry.get("mac_address") or ""))
    name = str(entry.get("name") or "")
    if not mac and not name:
        raise InputError("neither mac_address nor name tells this card from others")
    groups, secured = entry.get("security_groups"), entry.get("port_security")
    if secured is False and groups:
        raise InputError("a port without port security has no security groups")
    tags = tuple(str(one) for one in entry.get("tags") or ())
    wrong = [one for one in tags if one.startswith(TAG) or not 0 < len(one) <= _LONGEST or "," in one]
    if wrong:
        raise InputError(f"the tag {wrong[0]!r} is ours, too long, or has a comma")
    return Card(
        name=name,
        network=str(entry["network"]),
        mac=mac,
        fixed=tuple(_fixed(one) for one in entry.get("fixed_ips") or ()),
        groups=None if groups is None else tuple(str(one) for one in groups),
        secured=secured,
        tags=tags,
        description=str(entry.get("description") or ""),
        vnic=str(entry.get("vnic_type") or ""),
    )


def _fixed(entry: Any) -> Fixed:
    given = entry if isinstance(entry, Mapping) else {"ip_address": entry}
    text = str(given.get("ip_address") or "")
    try:
        address = str(ipaddress.ip_address(text))
    except ValueError:
        raise InputError(f"{text!r} is no IP address") from None
    return Fixed(address, str(given.get("subnet_id") or given.get("subnet") or ""))


def tag_of(machine: str) -> str:
    """The tag of the ports of a machine."""
    return f"{TAG}{machine}"


def mark_of(machine: str, card: Card) -> str:
    """Description of a port until it is complete."""
    return f"{CLAIMING}{machine} {card.mac or card.name}"[:_LONGEST]


def is_ours(port: Mapping[str, Any], machine: str) -> bool:
    """Whether we made a port for a machine."""
    begun = str(port.get("description") or "").startswith(f"{CLAIMING}{machine} ")
    return begun or tag_of(machine) in (port.get("tags") or ())


def shown(port: Mapping[str, Any], status: str, *, created: bool) -> dict[str, Any]:
    """A port as modules return it."""
    return {
        "id": port.get("id"),
        "name": port.get("name"),
        "mac_address": port.get("mac_address"),
        "network_id": port.get("network_id"),
        "fixed_ips": [dict(one) for one in port.get("fixed_ips") or ()],
        "security_groups": list(port.get("security_groups") or ()),
        "device_id": port.get("device_id") or "",
        "status": status,
        "created": created,
    }
