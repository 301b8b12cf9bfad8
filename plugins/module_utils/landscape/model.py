# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The landscape as written by people: the document model and, at the same time, its schema.

Nothing here is derived; :mod:`derive` computes addresses, AS numbers and links from it. Every object knows the
file and the lines it came from, so that a finding can name the place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .breakout import BREAKOUT_PATTERN
from .item import Item, Source
from .model_fabric import MTU, Peering, Reach, Services, Vrf, config_db
from .schema import (
    GROUP_PATTERN,
    NAME_PATTERN,
    PORT_PATTERN,
    Spec,
    boolean,
    integer,
    mapping,
    named,
    nested,
    objects,
    reference,
    references,
    text,
    texts,
    value,
    values,
)

SPEEDS = ("10M", "100M", "1G", "2.5G", "5G", "10G", "25G", "40G", "50G", "100G", "200G", "400G", "800G")
CONNECTORS = (
    "rj45",
    "sfp",
    "sfp+",
    "sfp28",
    "sfp56",
    "qsfp+",
    "qsfp28",
    "qsfp56",
    "qsfp-dd",
    "osfp",
    "serial",
    "virtual",
)
PORT_USES = ("data", "bmc", "management", "console")
STATES = ("planned", "active", "retired")
CABLE_STATES = ("planned", "active", "deactivated")
DEVICE_SECTIONS = ("hosts", "switches")


@dataclass(frozen=True)
class Naming(Item):
    """The naming standard of devices."""

    pattern: str = text(
        "Regular expression that every name of a host or switch matches as a whole. The named groups site, role, rack "
        "and unit are compared with the placement of the device",
    )
    exempt: tuple[str, ...] = texts("Names the standard does not apply to", pattern=NAME_PATTERN)


@dataclass(frozen=True)
class Site(Item):
    """A building or room."""

    description: str = text("What it is", free=True)
    address: str = text("Postal address, for remote hands", free=True)
    contact: str = text("Whom to call", free=True)


@dataclass(frozen=True)
class Feed(Item):
    """A power feed: one thing that can fail at once."""

    site: str = reference("The site it belongs to", "sites")
    kind: str = text("What stands behind it", choices=("mains", "ups", "generator"), default="mains")
    description: str = text("What it is", free=True)


@dataclass(frozen=True)
class Rack(Item):
    """A rack."""

    site: str = reference("The site it stands in", "sites", required=True)
    units: int = integer("Height in rack units, counted from 1 at the bottom", minimum=1, maximum=60, required=True)
    feeds: tuple[str, ...] = references("The power feeds that reach it", "feeds")
    description: str = text("What it is", free=True)


@dataclass(frozen=True)
class PortGroup(Item):
    """Ports of a device model that are alike."""

    names: tuple[str, ...] = texts(
        "Names of the ports as the operating system shows them; braces count: ``Ethernet{0..47}``, ``Ethernet{48..76..4}``",
    )
    aliases: tuple[str, ...] = texts("Other names of the same ports, in the same order, as printed on the front")
    use: str = text("What the ports are for", choices=PORT_USES, default="data")
    speed: str = text("Highest speed of one port", choices=SPEEDS, required=True)
    connector: str = text("The socket", choices=CONNECTORS, required=True)


@dataclass(frozen=True)
class DeviceModel(Item):
    """A make of machine or switch."""

    vendor: str = text("Who makes it", free=True)
    part_number: str = text("The maker's order code, as in the inventory of other tools", free=True)
    description: str = text("What it is", free=True)
    kind: str = text("What it is", choices=("server", "switch", "other"), required=True)
    architecture: str = text("Processor architecture as Debian names it", choices=("amd64", "arm64"), default="")
    height: int = integer("Height in rack units; 0 for what hangs beside the rails", minimum=0, maximum=20, default=1)
    ports: tuple[PortGroup, ...] = objects("All ports that a cable may end in", PortGroup)
    psus: tuple[str, ...] = texts("Names of its power supplies", pattern=NAME_PATTERN)
    bmc: str = text("Flavour of its management controller", pattern=NAME_PATTERN)
    mac_prefixes: tuple[str, ...] = texts(
        "First three octets of its MAC addresses, as assigned to the vendor", pattern=r"[0-9a-f]{2}(:[0-9a-f]{2}){2}"
    )
    firmware: Mapping[str, str] = mapping(
        "Firmware versions that are meant to run, by component (``bios``, ``bmc``)", Spec("text", "Version", free=True)
    )
    sonic_hwsku: str = text("SONiC's name of the hardware", free=True)


@dataclass(frozen=True)
class AsnScheme(Item):
    """How AS numbers are given out."""

    kind: str = text(
        "``octets``: decimal prefix, then the third and fourth octet of the IPv4 loopback with three digits each; "
        "``scs``: the same with prefix 4210 (SCS lab); ``osism``: the same with prefix 4200; "
        "``explicit``: each device states its own",
        choices=("octets", "scs", "osism", "explicit"),
        required=True,
    )
    prefix: int = integer("Decimal prefix of the ``octets`` scheme", minimum=1, maximum=4294)
    shared: bool = boolean("Several devices may carry the same AS number (a spine set, a stripe)")


@dataclass(frozen=True)
class Role(Item):
    """What a device is there for, and what follows from that."""

    kind: str = text("What may carry the role", choices=("server", "switch", "other"), required=True)
    description: str = text("What it is there for", free=True)
    names: tuple[str, ...] = texts(
        "Spellings of the role inside device names; the role's own name when empty", pattern=NAME_PATTERN
    )
    models: tuple[str, ...] = references("Device models that may carry the role; any model when empty", "device_models")
    oob_network: str = reference(
        "Network of the management controllers (servers) or management ports (switches)", "networks"
    )
    loopback_network: str = reference("Network of the loopback addresses", "networks")
    asn_scheme: str = reference("How its AS numbers are made; none when empty", "asn_schemes")
    uplinks: int = integer("How many active uplinks each device has; not checked when absent", minimum=0, maximum=64)
    uplinks_to: tuple[str, ...] = references("Roles of the devices at the far end of an uplink", "roles")
    fabric: str = text(
        "What a switch does in the fabric. When empty: ``management`` without an AS number, ``spine`` where other switches "
        "have their uplinks or in a set of kind spine-set, else ``leaf``",
        choices=("leaf", "spine", "border", "management"),
        default="",
    )
    networks: tuple[str, ...] = references("Networks that reach its data ports with a tag", "networks")
    untagged: str = reference("Network that reaches its data ports without a tag", "networks")
    mtu: int = integer("Largest packet of its data ports, in bytes", **MTU)
    bfd: bool = boolean("Its BGP sessions are watched by BFD, where the other end's role says so too")
    config_db: Mapping[str, Any] = config_db()


@dataclass(frozen=True)
class AddressRange(Item):
    """A part of a network that is given out by something else."""

    start: str = value("ipv4", "First address", required=True)
    end: str = value("ipv4", "Last address; the first when absent")
    purpose: str = text("Who gives it out", choices=("dhcp", "reserved", "virtual", "uplink"), default="reserved")
    description: str = text("What it is for", free=True)


@dataclass(frozen=True)
class Network(Item):
    """A network: its prefixes, its tag, what it is for."""

    description: str = text("What it is", free=True)
    purpose: str = text(
        "What it carries",
        choices=("management", "loopback", "provider", "storage", "transfer", "lab", "vpn", "uplink", "internal"),
        required=True,
    )
    v4: str = value("prefix4", "IPv4 prefix")
    v6: str = value("prefix6", "IPv6 prefix")
    router_v4: str = value("ipv4", "IPv4 address of its router")
    router_v6: str = value("ipv6", "IPv6 address of its router")
    scheme_v6: str = text(
        "How IPv6 addresses are made from the index: ``embed-v4`` writes the decimal octets of the IPv4 address as the last "
        "four groups, ``index`` adds the index to the prefix, ``none`` makes none",
        choices=("embed-v4", "index", "none"),
        default="none",
    )
    vlan: int = integer("VLAN id (IEEE 802.1Q)", minimum=1, maximum=4094)
    vni: int = integer("VXLAN network identifier (RFC 7348)", minimum=1, maximum=16777215)
    vrf: str = text("Routing instance it lives in; the default one when empty", pattern=NAME_PATTERN)
    uplink: bool = boolean("Reachable from outside the landscape")
    environment: str = reference("The environment it belongs to; several when empty", "environments")
    routers: tuple[str, ...] = references("Switches that hold the addresses of its router", "switches")
    dhcp_servers: tuple[str, ...] = values("address", "Where its routers send DHCP requests (relay)")
    ranges: tuple[AddressRange, ...] = objects("Parts that are given out by something else", AddressRange)
    origin: str = text("Row of the document it was imported from", free=True)


@dataclass(frozen=True)
class Environment(Item):
    """Devices that live and fall together."""

    description: str = text("What it is", free=True)
    protected: bool = boolean("Plays that can harm ask for a confirmation", default=True)
    connects_to: tuple[str, ...] = references("Environments that cables from here may lead to", "environments")
    vrf: str = reference("Routing instance of its devices; the default one when empty", "vrfs")
    separated: bool = boolean(
        "Switches filter routes: its devices hear of its own networks and of ``reaches`` alone, others hear of it only "
        "when they reach it"
    )
    reaches: tuple[Reach, ...] = objects("Where its devices may go beside their own networks", Reach)
    default_route: bool = boolean("Its devices are given the default route")


@dataclass(frozen=True)
class Device(Item):
    """A host or a switch."""

    model: str = reference("What it is", "device_models", required=True)
    role: str = reference("What it is there for", "roles", required=True)
    environment: str = reference("Where it belongs", "environments", required=True)
    state: str = text(
        "``planned`` before it is there, ``retired`` when it is on its way out", choices=STATES, default="active"
    )
    rack: str = reference("The rack it stands in", "racks")
    unit: int = integer("Lowest rack unit it takes, counted from 1 at the bottom", minimum=1, maximum=60)
    index: int = integer("Its number: every derived address ends in it", minimum=1, maximum=65534)
    serial: str = text("Serial number off the sticker", free=True)
    macs: Mapping[str, str] = mapping(
        "MAC address of each port that matters (DHCP, LLDP)", Spec("mac", "MAC address"), key=PORT_PATTERN
    )
    breakout: Mapping[str, str] = mapping(
        "Ports that are broken out, with the mode: ``4x25G`` makes ``Ethernet0`` to ``Ethernet3`` of ``Ethernet0``",
        Spec("text", "Number and speed", pattern=BREAKOUT_PATTERN),
        key=PORT_PATTERN,
    )
    power: Mapping[str, str] = mapping(
        "Feed of each power supply", Spec("reference", "Feed", sections=("feeds",)), key=NAME_PATTERN
    )
    asn: int = integer("AS number, where the scheme does not give it", minimum=1, maximum=4294967295)
    oob_network: str = reference("Management network, where it is not that of the role", "networks")
    oob_address: str = value("ipv4", "Management address, where it is not derived")
    loopback_v4: str = value("ipv4", "IPv4 loopback, where it is not derived")
    loopback_v6: str = value("ipv6", "IPv6 loopback, where it is not derived")
    override_reason: str = text("Why a derived value is overridden", free=True)
    groups: tuple[str, ...] = texts("Further inventory groups", pattern=GROUP_PATTERN)
    vars: Mapping[str, Any] = mapping(
        "Further inventory variables", Spec("any", "Anything", free=True), key=r"[A-Za-z_][A-Za-z0-9_]{0,62}"
    )
    config_db: Mapping[str, Any] = config_db()
    console: str = text("Where its serial console ends", free=True)
    os: str = text("Operating system or its edition", free=True)
    delivered: str = value("date", "Day of delivery", free=True)
    description: str = text("What it is", free=True)
    origin: str = text("Row of the document it was imported from", free=True)


@dataclass(frozen=True)
class External(Item):
    """Somebody else's device that one of our cables ends in."""

    description: str = text("Whose it is", free=True)
    ports: tuple[str, ...] = texts("Its ports that we know of; braces count")
    origin: str = text("Row of the document it was imported from", free=True)


@dataclass(frozen=True)
class Cable(Item):
    """A cable. Written once; which end is ``a`` does not matter."""

    a: str = value("endpoint", "One end, as ``device/port``", required=True)
    b: str = value("endpoint", "The other end, as ``device/port``", required=True)
    state: str = text("``deactivated``: plugged in, administratively down", choices=CABLE_STATES, default="active")
    speed: str = text("Speed, where it is lower than both ports can do", choices=SPEEDS)
    connector: str = text("Kind of cable or transceiver, where both sockets take several", choices=CONNECTORS)
    lag: str = text("Link aggregation it is part of (at end ``a``)", pattern=NAME_PATTERN)
    networks: tuple[str, ...] = references("Networks it carries with a tag, instead of those of the role", "networks")
    untagged: str = reference("Network it carries without a tag, instead of that of the role", "networks")
    group: str = text("What it is for, as people group cables", free=True)
    description: str = text("What it is", free=True)
    origin: str = text("Row of the document it was imported from", free=True)


@dataclass(frozen=True)
class RedundancyGroup(Item):
    """Devices that stand in for each other."""

    kind: str = text("What holds them together", choices=("leaf-pair", "spine-set", "quorum", "pair"), required=True)
    members: tuple[str, ...] = references("The devices", *DEVICE_SECTIONS)
    description: str = text("What it is", free=True)


@dataclass(frozen=True)
class Group(Item):
    """An inventory group: all devices that match every given condition, plus those named."""

    roles: tuple[str, ...] = references("Roles that belong to it", "roles")
    models: tuple[str, ...] = references("Only these device models", "device_models")
    environments: tuple[str, ...] = references("Only these environments", "environments")
    hosts: tuple[str, ...] = references("Devices named one by one", *DEVICE_SECTIONS)
    without: tuple[str, ...] = references("Devices left out", *DEVICE_SECTIONS)
    children: tuple[str, ...] = references("Groups whose members belong to it", "groups")
    config_db: Mapping[str, Any] = config_db()
    description: str = text("What it is", free=True)
    origin: str = text("Row of the document it was imported from", free=True)


@dataclass(frozen=True)
class Waiver(Item):
    """A finding that was looked at and accepted, for a reason and for a time."""

    rule: str = text("Id of the rule", pattern=r"[A-Z][0-9]{2}", required=True)
    object: str = text("The object as the finding names it; ``*`` stands for anything", required=True)
    reason: str = text("Why it is accepted", required=True, free=True)
    expires: str = value("date", "Last day it is accepted", required=True)


@dataclass(frozen=True)
class Landscape(Item):
    """A landscape: everything a lab or cloud is made of, from the rack to the AS number."""

    version: int = integer("Version of this format", minimum=1, maximum=1, required=True)
    title: str = text("Name of the landscape", free=True)
    description: str = text("What it is", free=True)
    naming: Naming | None = nested("The naming standard of devices", Naming)  # noqa: RUF009 - a field, like all others
    sites: Mapping[str, Site] = named("Buildings and rooms", Site)
    feeds: Mapping[str, Feed] = named("Power feeds", Feed)
    racks: Mapping[str, Rack] = named("Racks", Rack)
    device_models: Mapping[str, DeviceModel] = named("Makes of machines and switches", DeviceModel)
    asn_schemes: Mapping[str, AsnScheme] = named("How AS numbers are given out", AsnScheme)
    networks: Mapping[str, Network] = named("Networks", Network)
    vrfs: Mapping[str, Vrf] = named("Routing instances", Vrf)
    environments: Mapping[str, Environment] = named("Environments", Environment)
    roles: Mapping[str, Role] = named("Roles", Role)
    hosts: Mapping[str, Device] = named("Hosts", Device)
    switches: Mapping[str, Device] = named("Switches", Device)
    externals: Mapping[str, External] = named("Devices of others that our cables end in", External)
    cables: tuple[Cable, ...] = objects("Cables", Cable)
    peerings: Mapping[str, Peering] = named("BGP sessions with others", Peering)
    services: Services | None = nested("What switches use of others", Services)  # noqa: RUF009 - a field, like all others
    redundancy_groups: Mapping[str, RedundancyGroup] = named("Devices that stand in for each other", RedundancyGroup)
    groups: Mapping[str, Group] = named("Inventory groups", Group, key=GROUP_PATTERN)
    waivers: tuple[Waiver, ...] = objects("Findings that were looked at and accepted", Waiver)

    @property
    def devices(self) -> dict[str, Device]:
        """Hosts and switches by name; on a clash (finding S09) the host wins."""
        return {**self.switches, **self.hosts}


#: What other files take from here, with what :mod:`item` and :mod:`model_fabric` declare.
__all__ = [
    "CABLE_STATES", "CONNECTORS", "DEVICE_SECTIONS", "PORT_USES", "SPEEDS", "STATES", "AddressRange",
    "AsnScheme", "Cable", "Device", "DeviceModel", "Environment", "External", "Feed", "Group", "Item",
    "Landscape", "Naming", "Network", "Peering", "PortGroup", "Rack", "Reach", "RedundancyGroup", "Role",
    "Services", "Site", "Source", "Vrf", "Waiver",
]  # fmt: skip
