# SPDX-License-Identifier: Apache-2.0
"""Per rule: what breaks it in the clean fabric and where it is seen, and what comes close without breaking it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Change = Callable[[dict[str, dict[str, Any]]], Any]
Place = tuple[str, str, str, str]


@dataclass(frozen=True)
class Case:
    """:param still: places that break the rule in every fabric of this kind."""

    broken: Change
    places: set[Place]
    close: Change
    still: frozenset[Place] = frozenset()


def _set(switch: str, table: str, key: str, **fields: Any) -> Change:
    """Adds fields to a row, which is made if it is not there; ``None`` takes one away."""

    def change(configs: dict[str, dict[str, Any]]) -> None:
        row = configs[switch].setdefault(table, {}).setdefault(key, {})
        for name, value in fields.items():
            row[name.replace("__", "-")] = value
            if value is None:
                del row[name.replace("__", "-")]

    return change


def _del(switch: str, table: str, *keys: str) -> Change:
    def change(configs: dict[str, dict[str, Any]]) -> None:
        for key in keys or list(configs[switch][table]):
            del configs[switch][table][key]

    return change


def _all(*changes: Change) -> Change:
    def change(configs: dict[str, dict[str, Any]]) -> None:
        for each in changes:
            each(configs)

    return change


def _evpn_off(configs: dict[str, dict[str, Any]]) -> None:
    for key in ("default|fabric|l2vpn_evpn",):
        configs["leaf1"]["BGP_PEER_GROUP_AF"][key]["admin_status"] = "down"


_SPLIT = _set("leaf1", "DEVICE_METADATA", "localhost", docker_routing_config_mode="split")
_MAP = "vtep|map_10010_Vlan10"
_GROUP = "default|fabric"
_LEAVES = ("leaf1", "leaf2")

CASES: dict[str, Case] = {
    # form
    "SL002": Case(
        _set("leaf1", "MGMT_PORT", "eth0", **{"eth0|192.0.2.11/24": "{'gwaddr': '192.0.2.1'}"}),
        {("leaf1", "MGMT_PORT", "eth0", "eth0|192.0.2.11/24")},
        _set("leaf1", "PORT", "Ethernet0", description="{spare} [rack 1]"),
    ),
    "SL003": Case(
        _set("leaf1", "PORTCHANNEL", "PortChannel100.1"),
        {("leaf1", "PORTCHANNEL", "PortChannel100.1", "")},
        _set("leaf1", "PORTCHANNEL", "PortChannel9999"),
    ),
    "SL004": Case(
        _all(
            _set("leaf1", "BGP_PEER_GROUP_AF", f"{_GROUP}|ipv4_unicast", route_map_in="ALLOW"),
            _set("leaf1", "PORT", "Ethernet0", mtu=["9100"]),
        ),
        {
            ("leaf1", "BGP_PEER_GROUP_AF", f"{_GROUP}|ipv4_unicast", "route_map_in"),
            ("leaf1", "PORT", "Ethernet0", "mtu"),
        },
        _all(
            _set("leaf1", "PORT", "Ethernet0", adv_speeds="10000,25000"),
            _set("leaf1", "BGP_GLOBALS_AF", "VrfBlue|l2vpn_evpn", import__rts=["65100:1"]),
        ),
    ),
    "SL005": Case(
        _all(
            _set("leaf1", "VXLAN_TUNNEL_MAP", "vtep|map_10030_Vlan30", vlan="Vlan30", vni="10030"),
            _set("leaf1", "ROUTE_MAP", "OWN|10", match_prefix_set="NONE"),
        ),
        {
            ("leaf1", "VXLAN_TUNNEL_MAP", "vtep|map_10030_Vlan30", "vlan"),
            ("leaf1", "ROUTE_MAP", "OWN|10", "match_prefix_set"),
        },
        _set("leaf1", "BGP_NEIGHBOR", "default|192.0.2.99", peer_group_name="fabric"),
    ),
    "SL006": Case(
        _set("leaf1", "VLAN_MEMBER", "Vlan10", tagging_mode="tagged"),
        {("leaf1", "VLAN_MEMBER", "Vlan10", "")},
        _set("leaf1", "STATIC_ROUTE", "198.51.100.0/24", nexthop="10.20.11.2"),
    ),
    # ports
    "SL101": Case(
        _set("leaf1", "PORT", "Ethernet49", lanes="78", speed="25000", admin_status="down", alias="x", index="49"),
        {("leaf1", "PORT", "Ethernet49", "lanes")},
        _all(
            _set("leaf1", "PORT", "Ethernet52", lanes="85,86", speed="50000"),
            _set("leaf1", "PORT", "Ethernet54", lanes="87,88", speed="50000", alias="x", index="50"),
        ),
    ),
    "SL102": Case(
        _all(
            _set("leaf1", "PORT", "Ethernet52", lanes="89,90,91,92"),
            _set("leaf1", "PORT", "Ethernet0", lanes="2"),
            _set("leaf1", "PORT", "Ethernet1", lanes="3"),
        ),
        {("leaf1", "PORT", name, "lanes") for name in ("Ethernet52", "Ethernet0", "Ethernet1")},
        _all(
            _set("leaf1", "PORT", "Ethernet52", lanes="85,86", speed="50000"),
            _set("leaf1", "PORT", "Ethernet54", lanes="87,88", speed="50000", alias="x", index="50"),
        ),
    ),
    "SL103": Case(
        _set("leaf1", "PORT", "Ethernet0", speed="40000"),
        {("leaf1", "PORT", "Ethernet0", "speed")},
        _all(_set("leaf1", "PORT", "Ethernet0", speed="10000"), _set("leaf1", "PORT", "Ethernet52", speed="40000")),
    ),
    "SL104": Case(
        _all(
            _set("leaf1", "BREAKOUT_CFG", "Ethernet52", brkout_mode="4x25G"),
            _set("leaf1", "BREAKOUT_CFG", "Ethernet0", brkout_mode="4x25G"),
        ),
        {("leaf1", "BREAKOUT_CFG", name, "brkout_mode") for name in ("Ethernet52", "Ethernet0")},
        _set("leaf1", "BREAKOUT_CFG", "Ethernet52", brkout_mode="1x100G[40G]"),
    ),
    "SL105": Case(
        _all(
            _set("leaf1", "INTERFACE", "Ethernet0"),
            _set("leaf1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet48"),
            _set("leaf1", "VLAN_MEMBER", "Vlan20|Ethernet60", tagging_mode="tagged"),
        ),
        {
            ("leaf1", "VLAN_MEMBER", "Vlan10|Ethernet0", "port"),
            ("leaf1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet48", "port"),
            ("leaf1", "VLAN_MEMBER", "Vlan20|Ethernet60", "port"),
        },
        _set("leaf1", "VLAN_MEMBER", "Vlan20|Ethernet0", tagging_mode="tagged"),
    ),
    "SL106": Case(
        _set("leaf1", "PORT", "Ethernet0", alias="twentyfiveGigE2"),
        {("leaf1", "PORT", "Ethernet1", "alias")},
        _set("leaf1", "PORT", "Ethernet0", alias="hundredGigE1"),
    ),
    "SL107": Case(
        _set("leaf1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet2"),
        {("leaf1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet2", "port")},
        _set("leaf1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet64"),
    ),
    "SL108": Case(
        _set("leaf1", "PORTCHANNEL", "PortChannel1", mtu="1500"),
        {("leaf1", "PORTCHANNEL", "PortChannel1", "mtu")},
        _set("leaf1", "PORTCHANNEL", "PortChannel1", mtu=None),
    ),
    "SL109": Case(
        _set("leaf1", "PORT", "Ethernet48", admin_status="down"),
        {("leaf1", "PORT", "Ethernet48", "admin_status")},
        _set("leaf1", "PORT", "Ethernet0", admin_status="down"),
    ),
    # addresses
    "SL201": Case(
        _all(
            _set("leaf1", "VLAN_INTERFACE", "Vlan10", vrf_name="VrfBlue"),
            _set("leaf1", "VLAN_INTERFACE", "Vlan10|10.20.11.129/25"),
        ),
        {("leaf1", "VLAN_INTERFACE", "Vlan10|10.20.11.129/25", "")},
        _all(_set("leaf1", "VLAN_INTERFACE", "Vlan10"), _set("leaf1", "VLAN_INTERFACE", "Vlan10|10.20.11.129/25")),
    ),
    "SL202": Case(
        _all(
            _set("leaf1", "VLAN_INTERFACE", "Vlan20|10.30.0.0/24"),
            _set("leaf1", "VLAN_INTERFACE", "Vlan20|10.31.0.255/24"),
        ),
        {
            ("leaf1", "VLAN_INTERFACE", "Vlan20|10.30.0.0/24", ""),
            ("leaf1", "VLAN_INTERFACE", "Vlan20|10.31.0.255/24", ""),
        },
        _all(
            _set("leaf1", "VLAN_INTERFACE", "Vlan20|10.30.0.0/31"),
            _set("leaf1", "VLAN_INTERFACE", "Vlan20|fd00:2::/127"),
        ),
    ),
    "SL203": Case(
        _set("leaf1", "MGMT_INTERFACE", "eth0|192.0.2.11/24", gwaddr="192.0.3.1"),
        {("leaf1", "MGMT_INTERFACE", "eth0|192.0.2.11/24", "gwaddr")},
        _set("leaf1", "MGMT_INTERFACE", "eth0|192.0.2.11/24", gwaddr="192.0.2.1"),
    ),
    "SL204": Case(
        _set("leaf1", "LOOPBACK_INTERFACE", "Loopback0|10.1.9.1/24"),
        {("leaf1", "LOOPBACK_INTERFACE", "Loopback0|10.1.9.1/24", "")},
        _set("leaf1", "LOOPBACK_INTERFACE", "Loopback0|10.1.9.1/32"),
    ),
    "SL205": Case(
        _set("leaf1", "STATIC_ROUTE", "default|0.0.0.0/0", nexthop="10.20.11.9"),
        {("leaf1", "STATIC_ROUTE", "default|0.0.0.0/0", "nexthop")},
        _all(
            _set("leaf1", "STATIC_ROUTE", "VrfBlue|0.0.0.0/0", nexthop="10.20.11.9"),
            _set("leaf1", "STATIC_ROUTE", "default|0.0.0.0/0", **{"nexthop": "10.20.11.9", "nexthop-vrf": "VrfBlue"}),
        ),
    ),
    "SL206": Case(
        _all(_set("leaf1", "VLAN_INTERFACE", "Vlan10"), _set("leaf1", "VLAN_INTERFACE", "Vlan10|192.0.2.129/25")),
        {("leaf1", "MGMT_INTERFACE", "eth0|192.0.2.11/24", "ip_prefix")},
        _set("leaf1", "VLAN_INTERFACE", "Vlan20|192.0.2.129/25"),
    ),
    # overlay
    "SL301": Case(
        _all(
            _set("leaf1", "VXLAN_TUNNEL_MAP", "vtep|map_10020_Vlan20", vni="10010"),
            _set("leaf1", "VRF", "VrfGreen", vni="50100"),
        ),
        {("leaf1", "VXLAN_TUNNEL_MAP", "vtep|map_10020_Vlan20", "vni"), ("leaf1", "VRF", "VrfGreen", "vni")},
        _set("leaf1", "VRF", "VrfGreen", vni="0"),
    ),
    "SL302": Case(
        _set("leaf1", "VXLAN_TUNNEL", "vtep", src_ip="10.1.1.99"),
        {("leaf1", "VXLAN_TUNNEL", "vtep", "src_ip")},
        _set("leaf1", "VXLAN_TUNNEL", "vtep", src_ip="10.1.0.11"),
    ),
    "SL303": Case(
        _all(_set("leaf1", "VLAN_INTERFACE", "Vlan3100", vrf_name=None), _set("leaf2", "VRF", "VrfBlue", vni="50999")),
        {("leaf1", "VRF", "VrfBlue", "vni"), ("leaf2", "VRF", "VrfBlue", "vni")},
        _set("leaf1", "VRF", "VrfGreen"),
    ),
    "SL304": Case(
        _all(
            _del("leaf1", "VXLAN_EVPN_NVO"),
            _set("leaf2", "BGP_GLOBALS_AF", "default|l2vpn_evpn", **{"advertise-all-vni": "false"}),
        ),
        {("leaf1", "VXLAN_TUNNEL", "vtep", ""), ("leaf2", "BGP_GLOBALS_AF", "default|l2vpn_evpn", "advertise-all-vni")},
        _all(_del("leaf1", "VXLAN_EVPN_NVO"), _del("leaf1", "VXLAN_TUNNEL_MAP")),
    ),
    "SL305": Case(
        _set("spine1", "VRF", "VrfBlue", vni="50100"),
        {("spine1", "VRF", "VrfBlue", "vni")},
        _set("spine1", "VRF", "VrfBlue"),
        frozenset((name, "VRF", "VrfBlue", "vni") for name in _LEAVES),
    ),
    "SL306": Case(
        _del("leaf1", "BGP_GLOBALS", "VrfBlue"),
        {("leaf1", "VRF", "VrfBlue", "vni")},
        _set("leaf1", "VRF", "VrfGreen"),
    ),
    # BGP
    "SL401": Case(
        _all(
            _set("leaf1", "BGP_NEIGHBOR", "default|Ethernet52", peer_group_name="fabric"),
            _set("leaf2", "INTERFACE", "Ethernet48", ipv6_use_link_local_only=None),
            _set("spine1", "INTERFACE", "Ethernet0", vrf_name="VrfRed"),
        ),
        {
            ("leaf1", "BGP_NEIGHBOR", "default|Ethernet52", "neighbor"),
            ("leaf2", "BGP_NEIGHBOR", "default|Ethernet48", "neighbor"),
            ("spine1", "BGP_NEIGHBOR", "default|Ethernet0", "vrf_name"),
        },
        _all(
            _set("leaf1", "INTERFACE", "Ethernet48", ipv6_use_link_local_only=None),
            _set("leaf1", "INTERFACE", "Ethernet48|fd00:9::1/64"),
            _set("leaf1", "BGP_NEIGHBOR", "default|192.0.2.99", asn="65000"),
        ),
    ),
    "SL402": Case(
        _set("leaf1", "BGP_NEIGHBOR_AF", f"{_GROUP}|ipv4_unicast", admin_status="up"),
        {("leaf1", "BGP_NEIGHBOR_AF", f"{_GROUP}|ipv4_unicast", "neighbor")},
        _set("leaf1", "BGP_NEIGHBOR_AF", "default|Ethernet48|ipv4_unicast", admin_status="up"),
    ),
    "SL403": Case(
        _set("leaf1", "BGP_PEER_GROUP", _GROUP, peer_type=None),
        {("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", "asn")},
        _all(
            _set("leaf1", "BGP_PEER_GROUP", _GROUP, peer_type=None),
            _set("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", asn="65100"),
        ),
    ),
    "SL404": Case(
        _all(
            _set("leaf1", "BGP_PEER_GROUP", _GROUP, asn="external"),
            _set("leaf2", "BGP_GLOBALS", "default", local_asn="65535"),
        ),
        {("leaf1", "BGP_PEER_GROUP", _GROUP, "asn"), ("leaf2", "BGP_GLOBALS", "default", "local_asn")},
        _set("leaf2", "BGP_GLOBALS", "default", local_asn="4294967294"),
    ),
    "SL405": Case(
        _set("leaf1", "BGP_PEER_GROUP_AF", f"{_GROUP}|ipv4_unicast", route_map_out=None),
        {("leaf1", "BGP_PEER_GROUP_AF", f"{_GROUP}|ipv4_unicast", "route_map_out")},
        _all(
            _set("leaf1", "BGP_PEER_GROUP", _GROUP, peer_type="internal"),
            _set("leaf1", "BGP_PEER_GROUP_AF", f"{_GROUP}|ipv4_unicast", route_map_out=None),
        ),
    ),
    "SL406": Case(
        _set("leaf1", "BGP_GLOBALS", "default", router_id="10.1.0.99"),
        {("leaf1", "BGP_GLOBALS", "default", "router_id")},
        _set("leaf1", "BGP_GLOBALS", "default", router_id=None),
    ),
    "SL407": Case(
        _set("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", asn="65101", peer_type="external"),
        {("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", "peer_type")},
        _set("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", asn="65100", peer_type="external"),
    ),
    "SL408": Case(
        _set("leaf1", "BGP_PEER_GROUP", _GROUP, holdtime="8"),
        {("leaf1", "BGP_PEER_GROUP", _GROUP, "holdtime")},
        _set("leaf1", "BGP_PEER_GROUP", _GROUP, holdtime="0"),
    ),
    "SL409": Case(
        lambda configs: (
            configs["extra"].update(configs["leaf1"]) if "extra" in configs else configs.update(extra=configs["leaf1"])
        ),
        {("extra", "BGP_NEIGHBOR", "", "peer_group_name")},
        _set("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", peer_group_name=None),
        frozenset((name, "BGP_NEIGHBOR", "", "peer_group_name") for name in ("leaf2", "spine1")),
    ),
    "SL410": Case(
        _set("leaf1", "BGP_NEIGHBOR", "default|192.0.2.99", asn="65000"),
        {("leaf1", "BGP_NEIGHBOR", "default|192.0.2.99", "")},
        _all(
            _set("leaf1", "BGP_NEIGHBOR", "default|192.0.2.99", asn="65000"),
            _set("leaf1", "BGP_NEIGHBOR_AF", "default|192.0.2.99|ipv4_unicast", admin_status="up"),
        ),
    ),
    # policy
    "SL501": Case(
        _all(_set("leaf1", "ROUTE_MAP_SET", "EMPTY"), _set("leaf1", "PREFIX_SET", "NONE", mode="IPv4")),
        {("leaf1", "ROUTE_MAP_SET", "EMPTY", ""), ("leaf1", "PREFIX_SET", "NONE", "")},
        _all(_set("leaf1", "ROUTE_MAP_SET", "FULL"), _set("leaf1", "ROUTE_MAP", "FULL|10", route_operation="deny")),
    ),
    "SL502": Case(
        _set("leaf1", "ROUTE_MAP", "LOOSE|10", route_operation="permit"),
        {("leaf1", "ROUTE_MAP_SET", "LOOSE", "")},
        _set("leaf1", "ROUTE_MAP", "ALLOW|20", route_operation="permit"),
    ),
    "SL503": Case(
        _set("leaf1", "ROUTE_MAP", "OWN|10", match_ipv6_prefix_set="LOOPBACKS6"),
        {("leaf1", "ROUTE_MAP", "OWN|10", "match_ipv6_prefix_set")},
        _set("leaf1", "ROUTE_MAP", "OWN|10", match_prefix_set="LOOPBACKS6"),
    ),
    "SL504": Case(
        _set("leaf1", "ROUTE_MAP", "OWN|10", set_local_pref="200"),
        {("leaf1", "ROUTE_MAP", "OWN|10", "set_local_pref")},
        _set("leaf1", "ROUTE_MAP", "OWN|10", set_med="200"),
    ),
    "SL505": Case(
        _set("leaf1", "PREFIX", "LOOPBACKS6|20|fd00:1::/48|128..128", action="permit"),
        {("leaf1", "PREFIX", "LOOPBACKS6|20|fd00:1::/48|128..128", "masklength_range")},
        _set("leaf1", "PREFIX", "LOOPBACKS6|20|fd00:1::/48|64..128", action="permit"),
    ),
    "SL506": Case(
        _all(
            _set("leaf1", "PREFIX", "LOOPBACKS|20|10.9.0.0/16|8..32", action="permit"),
            _set("leaf1", "PREFIX", "LOOPBACKS|30|10.9.0.0/16|24..33", action="permit"),
            _set("leaf1", "PREFIX", "LOOPBACKS|40|10.9.0.0/16|28..24", action="permit"),
            _set("leaf1", "PREFIX", "LOOPBACKS|50|10.9/16|exact", action="permit"),
        ),
        {
            ("leaf1", "PREFIX", "LOOPBACKS|20|10.9.0.0/16|8..32", "masklength_range"),
            ("leaf1", "PREFIX", "LOOPBACKS|30|10.9.0.0/16|24..33", "masklength_range"),
            ("leaf1", "PREFIX", "LOOPBACKS|40|10.9.0.0/16|28..24", "masklength_range"),
            ("leaf1", "PREFIX", "LOOPBACKS|50|10.9/16|exact", "ip_prefix"),
        },
        _set("leaf1", "PREFIX", "LOOPBACKS|20|0.0.0.0/0|0..32", action="permit"),
    ),
    "SL507": Case(
        _set("leaf1", "PREFIX", "LOOPBACKS|20|fd00:9::/48|exact", action="permit"),
        {("leaf1", "PREFIX", "LOOPBACKS|20|fd00:9::/48|exact", "ip_prefix")},
        _set("leaf1", "PREFIX", "LOOPBACKS6|20|fd00:9::/48|exact", action="permit"),
    ),
    "SL508": Case(
        _set("leaf1", "BGP_GLOBALS_AF", "VrfBlue|l2vpn_evpn", **{"route-distinguisher": "10.1.0.11:1"}),
        {("leaf1", "BGP_GLOBALS_AF", "VrfBlue|l2vpn_evpn", "route-distinguisher")},
        _set("leaf1", "BGP_GLOBALS_AF", "default|ipv4_unicast", max_ebgp_paths="2"),
    ),
    # management
    "SL601": Case(
        _all(
            _set("leaf1", "SNMP_COMMUNITY", "public", TYPE="RO"),
            _set("leaf2", "TACPLUS", "global", passkey="testing123"),
        ),
        {("leaf1", "SNMP_COMMUNITY", "public", ""), ("leaf2", "TACPLUS", "global", "passkey")},
        _all(
            _set("leaf1", "SNMP_COMMUNITY", "publication", TYPE="RO"),
            _set("leaf1", "SNMP", "LOCATION", Location="public"),
        ),
    ),
    "SL602": Case(
        _set("leaf1", "DEVICE_METADATA", "localhost", hostname="sonic"),
        {("leaf1", "DEVICE_METADATA", "localhost", "hostname")},
        _set("leaf1", "DEVICE_METADATA", "localhost", hostname="sonic-leaf1"),
    ),
    "SL603": Case(
        _all(_set("leaf1", "NTP", "global", vrf="mgmt"), _set("leaf1", "SYSLOG_SERVER", "192.0.2.201", vrf="mgmt")),
        {("leaf1", "NTP", "global", "vrf"), ("leaf1", "SYSLOG_SERVER", "192.0.2.201", "vrf")},
        _all(
            _set("leaf1", "NTP", "global", vrf="mgmt"),
            _set("leaf1", "MGMT_VRF_CONFIG", "vrf_global", mgmtVrfEnabled="true"),
        ),
    ),
    "SL604": Case(
        _all(
            _set("leaf1", "NTP", "global", src_intf="Loopback7"),
            _set("leaf1", "SYSLOG_SERVER", "192.0.2.201", source="198.51.100.1"),
        ),
        {("leaf1", "NTP", "global", "src_intf"), ("leaf1", "SYSLOG_SERVER", "192.0.2.201", "source")},
        _all(
            _set("leaf1", "NTP", "global", src_intf="Loopback0"),
            _set("leaf1", "SYSLOG_SERVER", "192.0.2.201", source="10.1.0.11"),
        ),
    ),
    "SL605": Case(
        _set("leaf1", "VLAN", "Vlan10", dhcp_servers=["192.0.2.50"]),
        {("leaf1", "VLAN", "Vlan10", "dhcp_servers")},
        _set("leaf1", "VLAN", "Vlan20", dhcp_servers=["192.0.2.50"]),
    ),
    "SL606": Case(
        _all(_set("leaf1", "NTP_SERVER", "192.0.2.11"), _set("leaf1", "SYSLOG_SERVER", "10.1.0.11")),
        {("leaf1", "NTP_SERVER", "192.0.2.11", ""), ("leaf1", "SYSLOG_SERVER", "10.1.0.11", "")},
        _set("leaf1", "NTP_SERVER", "192.0.2.12"),
    ),
    # releases
    "SL701": Case(
        _all(
            _set("leaf1", "VERSIONS", "DATABASE", VERSION="version_202411_01"),
            _set("leaf1", "DHCPV4_RELAY", "Vlan20", dhcpv4_servers=["192.0.2.50"]),
        ),
        {("leaf1", "DHCPV4_RELAY", "", "")},
        _set("leaf1", "DHCPV4_RELAY", "Vlan20", dhcpv4_servers=["192.0.2.50"]),
    ),
    "SL702": Case(
        _set("leaf1", "MCLAG_DOMAIN", "1", source_ip="10.0.0.1"),
        {("leaf1", "MCLAG_DOMAIN", "1", "")},
        _all(
            _set("leaf1", "MCLAG_DOMAIN", "1", source_ip="10.0.0.1"),
            _set("leaf1", "PORT", "Ethernet0", parent_port="Ethernet0"),
        ),
    ),
    "SL703": Case(
        _all(_set("leaf1", "PORT", "Ethernet0", parent_port="Ethernet0"), _set("leaf2", "REST_SERVER", "default")),
        {("leaf1", "PORT", "Ethernet0", "parent_port"), ("leaf2", "REST_SERVER", "", "")},
        _all(
            _set("leaf1", "PORT", "Ethernet0", parent_port="Ethernet0"),
            _set("leaf1", "VERSIONS", "DATABASE", VERSION="version_2_0_4"),
        ),
    ),
    "SL704": Case(
        _SPLIT,
        {
            ("leaf1", table, "", "")
            for table in ("BGP_GLOBALS", "BGP_GLOBALS_AF", "BGP_PEER_GROUP", "ROUTE_REDISTRIBUTE", "ROUTE_MAP")
        },
        _all(
            _SPLIT,
            lambda configs: [
                configs["leaf1"].pop(table)
                for table in ("BGP_GLOBALS", "BGP_GLOBALS_AF", "BGP_PEER_GROUP", "ROUTE_REDISTRIBUTE", "ROUTE_MAP")
            ],
        ),
    ),
    "SL705": Case(
        _set("leaf1", "VERSIONS", "DATABASE", VERSION="version_202505_01"),
        {("leaf1", "VERSIONS", "DATABASE", "VERSION")},
        _set("leaf1", "VERSIONS", "DATABASE", VERSION="version_202411_01"),
    ),
    # both ends
    "SL801": Case(
        _all(
            _set("leaf2", "BGP_GLOBALS", "default", router_id="10.1.0.11"),
            _set("leaf2", "LOOPBACK_INTERFACE", "Loopback1|10.1.1.11/32"),
            _set("leaf2", "DEVICE_METADATA", "localhost", mac="02:00:5E:10:00:0B"),
        ),
        {
            ("leaf2", "BGP_GLOBALS", "default", "router_id"),
            ("leaf2", "LOOPBACK_INTERFACE", "Loopback1|10.1.1.11/32", ""),
            ("leaf2", "DEVICE_METADATA", "localhost", "mac"),
        },
        _set("leaf2", "VLAN_INTERFACE", "Vlan20|10.20.11.1/24"),
    ),
    "SL802": Case(
        _all(_set("leaf1", "PORT", "Ethernet48", speed="40000"), _set("leaf1", "PORT", "Ethernet60", autoneg="on")),
        {("leaf1", "PORT", "Ethernet48", "speed")},
        _all(_set("leaf1", "PORT", "Ethernet48", speed="40000"), _set("spine1", "PORT", "Ethernet0", speed="40000")),
    ),
    "SL803": Case(
        _set("leaf1", "PORT", "Ethernet48", mtu="1500"),
        {("leaf1", "PORT", "Ethernet48", "mtu")},
        _set("leaf1", "PORT", "Ethernet48", mtu=None),
    ),
    "SL804": Case(
        _set("leaf1", "PORT", "Ethernet60", admin_status="down"),
        {("leaf1", "PORT", "Ethernet60", "admin_status")},
        _all(
            _set("leaf1", "PORT", "Ethernet60", admin_status="down"),
            _set("leaf2", "PORT", "Ethernet60", admin_status="down"),
        ),
    ),
    "SL805": Case(
        _del("spine1", "BGP_NEIGHBOR", "default|Ethernet0"),
        {("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", "")},
        _all(_del("spine1", "BGP_NEIGHBOR", "default|Ethernet0"), _del("leaf1", "BGP_NEIGHBOR", "default|Ethernet48")),
    ),
    "SL806": Case(
        _all(
            _set("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", asn="65199"),
            _set("leaf2", "BGP_GLOBALS", "default", local_asn="65100"),
        ),
        {
            ("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", "asn"),
            ("leaf2", "BGP_NEIGHBOR", "default|Ethernet48", "asn"),
            ("spine1", "BGP_NEIGHBOR", "default|Ethernet4", "asn"),
        },
        _set("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", asn="65100"),
    ),
    "SL807": Case(
        _del("leaf2", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet60"),
        {("leaf1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet60", "port")},
        _all(
            _del("leaf1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet60"),
            _del("leaf2", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet60"),
        ),
    ),
    "SL808": Case(
        _all(
            _set("leaf1", "VLAN_MEMBER", "Vlan20|PortChannel1", tagging_mode="tagged"),
            _set("leaf1", "VLAN_MEMBER", "Vlan10|PortChannel1", tagging_mode="untagged"),
        ),
        {
            ("leaf1", "VLAN_MEMBER", "Vlan20|PortChannel1", ""),
            ("leaf1", "VLAN_MEMBER", "Vlan10|PortChannel1", "tagging_mode"),
        },
        _all(
            _set("leaf1", "VLAN_MEMBER", "Vlan20|PortChannel1", tagging_mode="tagged"),
            _set("leaf2", "VLAN_MEMBER", "Vlan20|PortChannel1", tagging_mode="tagged"),
        ),
    ),
    "SL809": Case(
        _all(
            _set("leaf1", "PORT", "Ethernet48", description="spine1:Ethernet4"),
            _set("leaf1", "PORT", "Ethernet0", description="spine1:Ethernet99"),
        ),
        {
            ("leaf1", "PORT", "Ethernet48", "description"),
            ("leaf1", "PORT", "Ethernet0", "description"),
            ("spine1", "PORT", "Ethernet0", "description"),
        },
        _all(
            _set("leaf1", "PORT", "Ethernet48", description="spine1 hundredGigE1"),
            _set("leaf1", "PORT", "Ethernet0", description="spine1:eth0"),
        ),
    ),
    "SL810": Case(
        _all(_set("leaf2", "VRF", "VrfRed", vni="50100"), _set("leaf2", "VXLAN_TUNNEL_MAP", _MAP, vlan="Vlan20")),
        {("leaf2", "VRF", "VrfRed", "vni"), ("leaf2", "VXLAN_TUNNEL_MAP", _MAP, "vlan")},
        _set("leaf2", "VXLAN_TUNNEL_MAP", "vtep|map_50100_Vlan3100", vlan="Vlan3101"),
    ),
    "SL811": Case(
        _all(
            _set("leaf1", "INTERFACE", "Ethernet48|10.9.0.0/31"), _set("spine1", "INTERFACE", "Ethernet0|10.9.0.3/31")
        ),
        {("leaf1", "INTERFACE", "Ethernet48|10.9.0.0/31", "")},
        _all(
            _set("leaf1", "INTERFACE", "Ethernet48|10.9.0.0/31"), _set("spine1", "INTERFACE", "Ethernet0|10.9.0.1/31")
        ),
    ),
    "SL812": Case(
        _set("leaf2", "BGP_GLOBALS", "default", local_asn="65101"),
        {("leaf2", "BGP_GLOBALS", "default", "local_asn")},
        _set("spine1", "BGP_GLOBALS", "default", local_asn="65101"),
    ),
    "SL813": Case(
        _set("leaf1", "BGP_PEER_GROUP", _GROUP, bfd="true"),
        {("spine1", "BGP_NEIGHBOR", "default|Ethernet0", "bfd")},
        lambda configs: [configs[name]["BGP_PEER_GROUP"][_GROUP].update(bfd="true") for name in configs],
    ),
}
