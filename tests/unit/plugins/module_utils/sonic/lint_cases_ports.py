# SPDX-License-Identifier: Apache-2.0
"""Cases of the rules for form, ports, addresses and the overlay."""

from __future__ import annotations

from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic.lint_changes import (
    GROUP,
    LEAVES,
    Case,
    all_,
    del_,
    set_,
)

CASES: dict[str, Case] = {
    # form
    "SL002": Case(
        set_("leaf1", "MGMT_PORT", "eth0", **{"eth0|192.0.2.11/24": "{'gwaddr': '192.0.2.1'}"}),
        {("leaf1", "MGMT_PORT", "eth0", "eth0|192.0.2.11/24")},
        set_("leaf1", "PORT", "Ethernet0", description="{spare} [rack 1]"),
    ),
    "SL003": Case(
        set_("leaf1", "PORTCHANNEL", "PortChannel100.1"),
        {("leaf1", "PORTCHANNEL", "PortChannel100.1", "")},
        set_("leaf1", "PORTCHANNEL", "PortChannel9999"),
    ),
    "SL004": Case(
        all_(
            set_("leaf1", "BGP_PEER_GROUP_AF", f"{GROUP}|ipv4_unicast", route_map_in="ALLOW"),
            set_("leaf1", "PORT", "Ethernet0", mtu=["9100"]),
        ),
        {
            ("leaf1", "BGP_PEER_GROUP_AF", f"{GROUP}|ipv4_unicast", "route_map_in"),
            ("leaf1", "PORT", "Ethernet0", "mtu"),
        },
        all_(
            set_("leaf1", "PORT", "Ethernet0", adv_speeds="10000,25000"),
            set_("leaf1", "BGP_GLOBALS_AF", "VrfBlue|l2vpn_evpn", import__rts=["65100:1"]),
        ),
    ),
    "SL005": Case(
        all_(
            set_("leaf1", "VXLAN_TUNNEL_MAP", "vtep|map_10030_Vlan30", vlan="Vlan30", vni="10030"),
            set_("leaf1", "ROUTE_MAP", "OWN|10", match_prefix_set="NONE"),
        ),
        {
            ("leaf1", "VXLAN_TUNNEL_MAP", "vtep|map_10030_Vlan30", "vlan"),
            ("leaf1", "ROUTE_MAP", "OWN|10", "match_prefix_set"),
        },
        set_("leaf1", "BGP_NEIGHBOR", "default|192.0.2.99", peer_group_name="fabric"),
    ),
    "SL006": Case(
        set_("leaf1", "VLAN_MEMBER", "Vlan10", tagging_mode="tagged"),
        {("leaf1", "VLAN_MEMBER", "Vlan10", "")},
        set_("leaf1", "STATIC_ROUTE", "198.51.100.0/24", nexthop="10.20.11.2"),
    ),
    "SL007": Case(
        all_(
            set_("leaf1", "BGP_PEER_GROUP_AF", f"{GROUP}|ipv4_unicast", route_map_in=[""]),
            set_("leaf1", "VLAN", "Vlan20", dhcp_servers=["192.0.2.1,192.0.2.2"]),
        ),
        {
            ("leaf1", "BGP_PEER_GROUP_AF", f"{GROUP}|ipv4_unicast", "route_map_in"),
            ("leaf1", "VLAN", "Vlan20", "dhcp_servers"),
        },
        set_("leaf1", "VLAN", "Vlan20", dhcp_servers=[]),
    ),
    # ports
    "SL101": Case(
        set_("leaf1", "PORT", "Ethernet49", lanes="78", speed="25000", admin_status="down", alias="x", index="49"),
        {("leaf1", "PORT", "Ethernet49", "lanes")},
        all_(
            set_("leaf1", "PORT", "Ethernet52", lanes="85,86", speed="50000"),
            set_("leaf1", "PORT", "Ethernet54", lanes="87,88", speed="50000", alias="x", index="50"),
        ),
    ),
    "SL102": Case(
        all_(
            set_("leaf1", "PORT", "Ethernet52", lanes="89,90,91,92"),
            set_("leaf1", "PORT", "Ethernet0", lanes="2"),
            set_("leaf1", "PORT", "Ethernet1", lanes="3"),
        ),
        {("leaf1", "PORT", name, "lanes") for name in ("Ethernet52", "Ethernet0", "Ethernet1")},
        all_(
            set_("leaf1", "PORT", "Ethernet52", lanes="85,86", speed="50000"),
            set_("leaf1", "PORT", "Ethernet54", lanes="87,88", speed="50000", alias="x", index="50"),
        ),
    ),
    "SL110": Case(
        all_(
            set_("leaf1", "PORT", "Ethernet52", lanes="85,p86,87,88"),
            set_("leaf1", "PORT", "Ethernet0", lanes=""),
        ),
        {("leaf1", "PORT", "Ethernet52", "lanes"), ("leaf1", "PORT", "Ethernet0", "lanes")},
        set_("leaf1", "PORT", "Ethernet52", lanes="85, 86, 87, 88"),
    ),
    "SL103": Case(
        set_("leaf1", "PORT", "Ethernet0", speed="40000"),
        {("leaf1", "PORT", "Ethernet0", "speed")},
        all_(set_("leaf1", "PORT", "Ethernet0", speed="10000"), set_("leaf1", "PORT", "Ethernet52", speed="40000")),
    ),
    "SL104": Case(
        all_(
            set_("leaf1", "BREAKOUT_CFG", "Ethernet52", brkout_mode="4x25G"),
            set_("leaf1", "BREAKOUT_CFG", "Ethernet0", brkout_mode="4x25G"),
        ),
        {("leaf1", "BREAKOUT_CFG", name, "brkout_mode") for name in ("Ethernet52", "Ethernet0")},
        set_("leaf1", "BREAKOUT_CFG", "Ethernet52", brkout_mode="1x100G[40G]"),
    ),
    "SL105": Case(
        all_(
            set_("leaf1", "INTERFACE", "Ethernet0"),
            set_("leaf1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet48"),
            set_("leaf1", "VLAN_MEMBER", "Vlan20|Ethernet60", tagging_mode="tagged"),
        ),
        {
            ("leaf1", "VLAN_MEMBER", "Vlan10|Ethernet0", "port"),
            ("leaf1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet48", "port"),
            ("leaf1", "VLAN_MEMBER", "Vlan20|Ethernet60", "port"),
        },
        set_("leaf1", "VLAN_MEMBER", "Vlan20|Ethernet0", tagging_mode="tagged"),
    ),
    "SL106": Case(
        all_(
            set_("leaf1", "PORT", "Ethernet0", alias="twentyfiveGigE2"),
            set_("leaf1", "MGMT_PORT", "eth0", alias="management"),
            set_("leaf1", "MGMT_PORT", "eth1", alias="management"),
        ),
        {("leaf1", "PORT", "Ethernet1", "alias"), ("leaf1", "MGMT_PORT", "eth1", "alias")},
        set_("leaf1", "PORT", "Ethernet0", alias="hundredGigE1"),
    ),
    "SL107": Case(
        set_("leaf1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet2"),
        {("leaf1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet2", "port")},
        set_("leaf1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet64"),
    ),
    "SL108": Case(
        set_("leaf1", "PORTCHANNEL", "PortChannel1", mtu="1500"),
        {("leaf1", "PORTCHANNEL", "PortChannel1", "mtu")},
        set_("leaf1", "PORTCHANNEL", "PortChannel1", mtu=None),
    ),
    "SL109": Case(
        set_("leaf1", "PORT", "Ethernet48", admin_status="down"),
        {("leaf1", "PORT", "Ethernet48", "admin_status")},
        set_("leaf1", "PORT", "Ethernet0", admin_status="down"),
    ),
    # addresses
    "SL201": Case(
        all_(
            set_("leaf1", "VLAN_INTERFACE", "Vlan10", vrf_name="VrfBlue"),
            set_("leaf1", "VLAN_INTERFACE", "Vlan10|10.20.11.129/25"),
        ),
        {("leaf1", "VLAN_INTERFACE", "Vlan10|10.20.11.129/25", "")},
        all_(set_("leaf1", "VLAN_INTERFACE", "Vlan10"), set_("leaf1", "VLAN_INTERFACE", "Vlan10|10.20.11.129/25")),
    ),
    "SL202": Case(
        all_(
            set_("leaf1", "VLAN_INTERFACE", "Vlan20|10.30.0.0/24"),
            set_("leaf1", "VLAN_INTERFACE", "Vlan20|10.31.0.255/24"),
        ),
        {
            ("leaf1", "VLAN_INTERFACE", "Vlan20|10.30.0.0/24", ""),
            ("leaf1", "VLAN_INTERFACE", "Vlan20|10.31.0.255/24", ""),
        },
        all_(
            set_("leaf1", "VLAN_INTERFACE", "Vlan20|10.30.0.0/31"),
            set_("leaf1", "VLAN_INTERFACE", "Vlan20|fd00:2::/127"),
        ),
    ),
    "SL203": Case(
        set_("leaf1", "MGMT_INTERFACE", "eth0|192.0.2.11/24", gwaddr="192.0.3.1"),
        {("leaf1", "MGMT_INTERFACE", "eth0|192.0.2.11/24", "gwaddr")},
        set_("leaf1", "MGMT_INTERFACE", "eth0|192.0.2.11/24", gwaddr="192.0.2.1"),
    ),
    "SL204": Case(
        set_("leaf1", "LOOPBACK_INTERFACE", "Loopback0|10.1.9.1/24"),
        {("leaf1", "LOOPBACK_INTERFACE", "Loopback0|10.1.9.1/24", "")},
        set_("leaf1", "LOOPBACK_INTERFACE", "Loopback0|10.1.9.1/32"),
    ),
    "SL205": Case(
        set_("leaf1", "STATIC_ROUTE", "default|0.0.0.0/0", nexthop="10.20.11.9"),
        {("leaf1", "STATIC_ROUTE", "default|0.0.0.0/0", "nexthop")},
        all_(
            set_("leaf1", "STATIC_ROUTE", "VrfBlue|0.0.0.0/0", nexthop="10.20.11.9"),
            set_("leaf1", "STATIC_ROUTE", "default|0.0.0.0/0", **{"nexthop": "10.20.11.9", "nexthop-vrf": "VrfBlue"}),
        ),
    ),
    "SL206": Case(
        all_(set_("leaf1", "VLAN_INTERFACE", "Vlan10"), set_("leaf1", "VLAN_INTERFACE", "Vlan10|192.0.2.129/25")),
        {("leaf1", "MGMT_INTERFACE", "eth0|192.0.2.11/24", "ip_prefix")},
        set_("leaf1", "VLAN_INTERFACE", "Vlan20|192.0.2.129/25"),
    ),
    "SL207": Case(
        all_(
            set_("leaf1", "STATIC_ROUTE", "VrfBlue|198.51.100.0/25", nexthop="10.20.11.x"),
            set_("leaf1", "STATIC_ROUTE", "VrfBlue|198.51.100.128/25", ifname="Vlan999"),
            set_("leaf1", "STATIC_ROUTE", "VrfBlue|203.0.113.0/24", distance="5"),
        ),
        {
            ("leaf1", "STATIC_ROUTE", "VrfBlue|198.51.100.0/25", "nexthop"),
            ("leaf1", "STATIC_ROUTE", "VrfBlue|198.51.100.128/25", "ifname"),
            ("leaf1", "STATIC_ROUTE", "VrfBlue|203.0.113.0/24", ""),
        },
        all_(
            set_("leaf1", "STATIC_ROUTE", "VrfBlue|198.51.100.0/25", nexthop="10.20.11.2", ifname="Vlan20"),
            set_("leaf1", "STATIC_ROUTE", "VrfBlue|203.0.113.0/24", blackhole="true"),
        ),
    ),
    # overlay
    "SL301": Case(
        all_(
            set_("leaf1", "VXLAN_TUNNEL_MAP", "vtep|map_10020_Vlan20", vni="10010"),
            set_("leaf1", "VRF", "VrfGreen", vni="50100"),
        ),
        {("leaf1", "VXLAN_TUNNEL_MAP", "vtep|map_10020_Vlan20", "vni"), ("leaf1", "VRF", "VrfGreen", "vni")},
        set_("leaf1", "VRF", "VrfGreen", vni="0"),
    ),
    "SL302": Case(
        all_(
            set_("leaf1", "VXLAN_TUNNEL", "vtep", src_ip="10.1.1.99"),
            set_("leaf2", "VXLAN_TUNNEL", "vtep", src_ip=None),
        ),
        {(leaf, "VXLAN_TUNNEL", "vtep", "src_ip") for leaf in LEAVES},
        set_("leaf1", "VXLAN_TUNNEL", "vtep", src_ip="10.1.0.11"),
    ),
    "SL303": Case(
        all_(set_("leaf1", "VLAN_INTERFACE", "Vlan3100", vrf_name=None), set_("leaf2", "VRF", "VrfBlue", vni="50999")),
        {("leaf1", "VRF", "VrfBlue", "vni"), ("leaf2", "VRF", "VrfBlue", "vni")},
        set_("leaf1", "VRF", "VrfGreen"),
    ),
    "SL304": Case(
        all_(
            del_("leaf1", "VXLAN_EVPN_NVO"),
            set_("leaf2", "BGP_GLOBALS_AF", "default|l2vpn_evpn", **{"advertise-all-vni": "false"}),
        ),
        {("leaf1", "VXLAN_TUNNEL", "vtep", ""), ("leaf2", "BGP_GLOBALS_AF", "default|l2vpn_evpn", "advertise-all-vni")},
        all_(del_("leaf1", "VXLAN_EVPN_NVO"), del_("leaf1", "VXLAN_TUNNEL_MAP")),
    ),
    "SL305": Case(
        set_("spine1", "VRF", "VrfBlue", vni="50100"),
        {("spine1", "VRF", "VrfBlue", "vni")},
        set_("spine1", "VRF", "VrfBlue"),
        frozenset((name, "VRF", "VrfBlue", "vni") for name in LEAVES),
    ),
    "SL306": Case(
        del_("leaf1", "BGP_GLOBALS", "VrfBlue"),
        {("leaf1", "VRF", "VrfBlue", "vni")},
        set_("leaf1", "VRF", "VrfGreen"),
    ),
}
