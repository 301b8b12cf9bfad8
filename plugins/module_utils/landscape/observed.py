# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Facts from elsewhere: another tool's host variables, switch configurations, LLDP, documents.

A file of observed facts is decoded like a landscape, with the lines of everything, and compared with the landscape by
the O rules. Nothing in it is required: what a source does not say is not compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .model import Item
from .schema import NAME_PATTERN, Spec, boolean, integer, integers, mapping, named, objects, text, texts, value

#: Names as other sources spell them (a VLAN called "Provider LAN", a BIOS option with its path): any one line.
FOREIGN_NAME = r"[^\x00-\x1f\x7f]{1,300}"


@dataclass(frozen=True)
class ObservedUplink(Item):
    """A BGP session that a device is configured for."""

    interface: str = text("The interface it runs over", required=True)
    remote_asn: int = integer("The AS number expected at the far end", minimum=1, maximum=4294967295)
    origin: str = text("Where the source says so", free=True)


@dataclass(frozen=True)
class ObservedNeighbor(Item):
    """What LLDP (IEEE 802.1AB) saw at a port."""

    port: str = text("The port it was seen at", required=True)
    peer: str = text("System name of the neighbour", required=True)
    peer_port: str = text("Port name of the neighbour")
    origin: str = text("Where the source says so", free=True)


@dataclass(frozen=True)
class ObservedDevice(Item):
    """What a source says about one device."""

    model: str = text("Its make: name or order code of the device model")
    role: str = text("Its role, by the name or a spelling of the landscape")
    hostname: str = text("The host name it runs under")
    groups: tuple[str, ...] = texts("The inventory groups it is in")
    asn: int = integer("Its AS number", minimum=1, maximum=4294967295)
    loopback_v4: str = value("ipv4", "Its IPv4 loopback")
    loopback_v6: str = value("ipv6", "Its IPv6 loopback")
    oob_address: str = value("ipv4", "Its management address")
    oob_missing: bool = boolean("The source should say the management address and says that there is none")
    oob_mac: str = value("mac", "MAC address of its management port")
    uplinks: tuple[ObservedUplink, ...] = objects("BGP sessions over its data ports", ObservedUplink)
    lldp: tuple[ObservedNeighbor, ...] = objects("All neighbours seen by LLDP", ObservedNeighbor)
    firmware: Mapping[str, str] = mapping("Running firmware by component", Spec("text", "Version"))
    settings: Mapping[str, str] = mapping("Settings (BIOS, BMC) by name", Spec("text", "Value"), key=FOREIGN_NAME)
    vlans: tuple[int, ...] = integers("VLANs configured on it", minimum=1, maximum=4094)
    origin: str = text("Where the source says so", free=True)


@dataclass(frozen=True)
class ObservedNetwork(Item):
    """What a source says about one network."""

    v4: str = value("prefix4", "Its IPv4 prefix")
    router_v4: str = value("ipv4", "IPv4 address of its router")
    vlan: int = integer("Its VLAN id", minimum=1, maximum=4094)
    vni: int = integer("Its VXLAN network identifier", minimum=1, maximum=16777215)
    origin: str = text("Where the source says so", free=True)


@dataclass(frozen=True)
class Mention(Item):
    """Something a document or runbook names."""

    kind: str = text("What is named", choices=("play", "host", "vlan", "network", "group"), required=True)
    what: str = text("The name, or the number of the VLAN", required=True)
    origin: str = text("Where: document and line", free=True)


@dataclass(frozen=True)
class Observed(Item):
    """All that one source says."""

    title: str = text("What the source is", free=True)
    complete: bool = boolean("The source claims to know every active device")
    devices: Mapping[str, ObservedDevice] = named("Devices by name", ObservedDevice)
    networks: Mapping[str, ObservedNetwork] = named("Networks by name", ObservedNetwork)
    plays: tuple[str, ...] = texts(
        "The plays that exist; plays that are mentioned are looked up here", pattern=NAME_PATTERN
    )
    mentions: tuple[Mention, ...] = objects("What documents and runbooks name", Mention)
