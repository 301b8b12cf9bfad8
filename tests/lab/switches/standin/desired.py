# SPDX-License-Identifier: Apache-2.0
"""What CONFIG_DB asks of the kernel: what SONiC's cfgmgr daemons (ports, interfaces, VLANs, tunnels) would make of it.

As there, an address waits for the row of its interface, and an interface speaks IPv6 when a row asks for it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from .rows import Config, Row

_MTU = 9100
_TABLES = ("INTERFACE", "LOOPBACK_INTERFACE", "VLAN_INTERFACE", "PORTCHANNEL_INTERFACE")


@dataclass
class Device:
    """One interface as it should be.

    :param kind: ``port``, ``loopback``, ``vlan`` (a bridge), ``vxlan``, ``vrf``, ``lag``, ``tagged`` or ``management``.
    :param make: what stands behind ``type`` when it is made.
    :param master: the bridge, LAG or VRF it belongs to.
    """

    name: str
    kind: str
    make: str = ""
    up: bool = True
    mtu: int = 0
    master: str = ""
    ipv6: bool = False
    mac: str = ""
    addresses: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Abilities:
    """What this kernel can make besides bridges and tunnels."""

    vrf: bool = False
    tags: bool = False
    lag: bool = False
    dummy: bool = False


def devices(config: Config, can: Abilities, lease: str) -> tuple[dict[str, Device], list[str]]:
    """All interfaces by name, and what the kernel cannot do.

    :param lease: the address of the management port when no row gives one: what DHCP would say.
    """
    found: dict[str, Device] = {}
    lacking: list[str] = []
    metadata = config.get("DEVICE_METADATA", {}).get("localhost", {})
    _ports(config, found)
    _vrfs(config, found, can, lacking)
    _lags(config, found, can, lacking)
    _vlans(config, found, can, lacking, metadata.get("mac", ""))
    _tunnels(config, found)
    for name in config.get("LOOPBACK_INTERFACE", {}):
        if "|" not in name:
            found[name] = Device(name, "loopback", "dummy" if can.dummy else f"veth peer name _{name}")
    for table in _TABLES:
        _addresses(config.get(table, {}), found, can)
    found["eth0"] = Device("eth0", "management", addresses=_management(config, lease), ipv6=True)
    return found, lacking


def gateway(config: Config) -> str:
    """The way out of the management network; may be empty."""
    rows = [row for key, row in config.get("MGMT_INTERFACE", {}).items() if key.startswith("eth0|")]
    gateways = [str(row["gwaddr"]) for row in rows if "gwaddr" in row]
    return next((one for one in gateways if ":" not in one), "")


def _management(config: Config, lease: str) -> set[str]:
    rows = [key.partition("|")[2] for key in config.get("MGMT_INTERFACE", {}) if key.startswith("eth0|")]
    return set(filter(None, map(_address, rows))) or ({lease} if lease else set())


def _ports(config: Config, found: dict[str, Device]) -> None:
    for name, row in config.get("PORT", {}).items():
        up = row.get("admin_status", "down") == "up"
        found[name] = Device(name, "port", "tap", up=up, mtu=_number(row.get("mtu"), _MTU))


def _vrfs(config: Config, found: dict[str, Device], can: Abilities, lacking: list[str]) -> None:
    for number, name in enumerate(sorted(config.get("VRF", {}))):
        if can.vrf:
            found[name] = Device(name, "vrf", f"vrf table {1001 + number}")
        else:
            lacking.append(f"VRF {name}")


def _lags(config: Config, found: dict[str, Device], can: Abilities, lacking: list[str]) -> None:
    for name, row in config.get("PORTCHANNEL", {}).items():
        if not can.lag:
            lacking.append(f"PORTCHANNEL {name}")
            continue
        up = row.get("admin_status", "up") == "up"
        rate = "fast" if row.get("fast_rate") == "true" else "slow"
        make = f"bond mode 802.3ad miimon 100 lacp_rate {rate} xmit_hash_policy layer3+4"
        found[name] = Device(name, "lag", make, up=up, mtu=_number(row.get("mtu"), _MTU))
        for key in config.get("PORTCHANNEL_MEMBER", {}):
            lag, _bar, port = key.partition("|")
            if lag == name and port in found:
                found[port].master = name


def _vlans(config: Config, found: dict[str, Device], can: Abilities, lacking: list[str], mac: str) -> None:
    for name, row in config.get("VLAN", {}).items():
        up = row.get("admin_status", "up") == "up"
        found[name] = Device(name, "vlan", "bridge forward_delay 0 mcast_snooping 0", up=up, mac=mac)
    for key, row in config.get("VLAN_MEMBER", {}).items():
        vlan, _bar, port = key.partition("|")
        if vlan not in found or port not in found:
            continue
        if row.get("tagging_mode") != "tagged":
            found[port].master = vlan
        elif can.tags:
            name = f"{port.replace('PortChannel', 'Po').replace('Ethernet', 'Eth')}.{vlan.removeprefix('Vlan')}"
            make = f"link {port} {name} vlan id {vlan.removeprefix('Vlan')}"
            found[name] = Device(name, "tagged", make, up=found[port].up, master=vlan)
        else:
            lacking.append(f"VLAN_MEMBER {key} (tagged)")


def _tunnels(config: Config, found: dict[str, Device]) -> None:
    for key, row in config.get("VXLAN_TUNNEL_MAP", {}).items():
        tunnel, vlan = key.partition("|")[0], str(row.get("vlan", ""))
        source = config.get("VXLAN_TUNNEL", {}).get(tunnel, {}).get("src_ip", "")
        if source and vlan in found and "vni" in row:
            name = f"{tunnel}-{vlan.removeprefix('Vlan')}"[:15]
            make = f"vxlan id {row['vni']} local {source} dstport 4789 nolearning"
            found[name] = Device(name, "vxlan", make, mtu=_MTU, master=vlan)


def _addresses(rows: Mapping[str, Row], found: dict[str, Device], can: Abilities) -> None:
    for key, row in rows.items():
        name, separator, address = key.partition("|")
        device = found.get(name)
        base = rows.get(name)
        if device is None or base is None:
            continue  # the address waits until the interface has a row of its own
        vrf = str(base.get("vrf_name", ""))
        if vrf and not (can.vrf and vrf in found):
            continue  # never let the addresses of a VRF slip into the default one
        if separator:
            said = _address(address)
            device.addresses.update({said} if said else ())
            device.ipv6 = device.ipv6 or ":" in said
        else:
            device.master = vrf or device.master
            device.ipv6 = device.ipv6 or row.get("ipv6_use_link_local_only") == "enable"
            device.mac = str(row.get("mac_addr", device.mac))


def _address(said: str) -> str:
    """The form that the kernel tells; empty for what is no address."""
    try:
        return str(ipaddress.ip_interface(said))
    except ValueError:
        return ""


def _number(said: object, otherwise: int) -> int:
    return int(str(said)) if str(said or "").isdecimal() else otherwise
