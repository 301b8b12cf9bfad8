# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a fabric of switches needs beside racks and cables: routing instances, who may reach whom, the way out.

Part of the document model in :mod:`model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .item import Item
from .schema import PORT_PATTERN, Spec, boolean, integer, mapping, reference, references, text, value, values

#: Longest VLAN, VNI and so on are those of the standards; an MTU is what ASICs take.
MTU = {"minimum": 1280, "maximum": 9216}


def config_db() -> Mapping[str, Any]:
    """The field for rows of CONFIG_DB that a landscape adds to what is rendered."""
    return mapping(  # type: ignore[no-any-return]
        "Rows of SONiC's CONFIG_DB that are merged into what is rendered, as ``TABLE: {key: {field: value}}``; ``null`` "
        "takes a field or a row out. Roles come first, then groups by name, then the device",
        Spec("any", "Rows of the table", free=True),
        key=r"[A-Za-z][A-Za-z0-9_]{0,62}",
    )


@dataclass(frozen=True)
class Vrf(Item):
    """A routing instance of the fabric. Networks and environments name it; what is in none is in the default one."""

    description: str = text("What it is for", free=True)
    vni: int = integer("VNI that carries its routes between switches (L3VNI)", minimum=1, maximum=16777215)
    vlan: int = integer("VLAN id that the switches use inside for that VNI", minimum=2, maximum=4094)


@dataclass(frozen=True)
class Reach(Item):
    """Where the devices of an environment may go."""

    environment: str = reference("The environment that is reached", "environments", required=True)
    networks: tuple[str, ...] = references("Only these networks of it; all of them when empty", "networks")


@dataclass(frozen=True)
class Peering(Item):
    """A BGP session of a switch with somebody else. Only what is listed is announced, only what is listed is believed."""

    description: str = text("What it is for", free=True)
    switch: str = reference("Our end", "switches", required=True)
    port: str = text("Port of our end", pattern=PORT_PATTERN, required=True)
    network: str = reference(
        "The transfer network; its routing instance is that of the session", "networks", required=True
    )
    local_v4: str = value("ipv4", "Our IPv4 address in the transfer network")
    remote_v4: str = value("ipv4", "Their IPv4 address")
    local_v6: str = value("ipv6", "Our IPv6 address in the transfer network")
    remote_v6: str = value("ipv6", "Their IPv6 address")
    asn: int = integer("Their AS number", minimum=1, maximum=4294967295, required=True)
    announces: tuple[str, ...] = references("Networks that are announced to them; none when empty", "networks")
    accepts_v4: tuple[str, ...] = values(
        "prefix4", "IPv4 prefixes that are taken from them, exactly; ``0.0.0.0/0`` is the default route"
    )
    accepts_v6: tuple[str, ...] = values("prefix6", "IPv6 prefixes that are taken from them, exactly")
    max_prefixes: int = integer("The session is closed when they send more than this", minimum=1, maximum=4294967295)
    bfd: bool = boolean("Watched by BFD (RFC 5880)")


@dataclass(frozen=True)
class Services(Item):
    """What switches use of others. Passwords and communities are not part of a landscape."""

    ntp_servers: tuple[str, ...] = values("address", "Time servers")
    dns_servers: tuple[str, ...] = values("address", "Name servers")
    syslog_servers: tuple[str, ...] = values("address", "Where logs are sent")
    tacacs_servers: tuple[str, ...] = values("address", "Where logins are checked, before local accounts")
    snmp_location: str = text("Location that SNMP tells", free=True)
    snmp_contact: str = text("Contact that SNMP tells", free=True)
    timezone: str = text(
        "Time zone of the clocks; what a switch has when empty", pattern=r"[A-Za-z0-9_+/-]{1,40}", free=True
    )
