# SPDX-License-Identifier: Apache-2.0
"""Cases of the rules for BGP, policy, management and releases."""

from __future__ import annotations

from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic.lint_changes import (
    GROUP,
    SPLIT,
    Case,
    all_,
    set_,
)

CASES: dict[str, Case] = {
    # BGP
    "SL401": Case(
        all_(
            set_("leaf1", "BGP_NEIGHBOR", "default|Ethernet52", peer_group_name="fabric"),
            set_("leaf2", "INTERFACE", "Ethernet48", ipv6_use_link_local_only=None),
            set_("spine1", "INTERFACE", "Ethernet0", vrf_name="VrfRed"),
        ),
        {
            ("leaf1", "BGP_NEIGHBOR", "default|Ethernet52", "neighbor"),
            ("leaf2", "BGP_NEIGHBOR", "default|Ethernet48", "neighbor"),
            ("spine1", "BGP_NEIGHBOR", "default|Ethernet0", "vrf_name"),
        },
        all_(
            set_("leaf1", "INTERFACE", "Ethernet48", ipv6_use_link_local_only=None),
            set_("leaf1", "INTERFACE", "Ethernet48|fd00:9::1/64"),
            set_("leaf1", "BGP_NEIGHBOR", "default|192.0.2.99", asn="65000"),
        ),
    ),
    "SL402": Case(
        set_("leaf1", "BGP_NEIGHBOR_AF", f"{GROUP}|ipv4_unicast", admin_status="up"),
        {("leaf1", "BGP_NEIGHBOR_AF", f"{GROUP}|ipv4_unicast", "neighbor")},
        set_("leaf1", "BGP_NEIGHBOR_AF", "default|Ethernet48|ipv4_unicast", admin_status="up"),
    ),
    "SL403": Case(
        set_("leaf1", "BGP_PEER_GROUP", GROUP, peer_type=None),
        {("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", "asn")},
        all_(
            set_("leaf1", "BGP_PEER_GROUP", GROUP, peer_type=None),
            set_("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", asn="65100"),
        ),
    ),
    "SL404": Case(
        all_(
            set_("leaf1", "BGP_PEER_GROUP", GROUP, asn="external"),
            set_("leaf2", "BGP_GLOBALS", "default", local_asn="65535"),
        ),
        {("leaf1", "BGP_PEER_GROUP", GROUP, "asn"), ("leaf2", "BGP_GLOBALS", "default", "local_asn")},
        set_("leaf2", "BGP_GLOBALS", "default", local_asn="4294967294"),
    ),
    "SL405": Case(
        set_("leaf1", "BGP_PEER_GROUP_AF", f"{GROUP}|ipv4_unicast", route_map_out=None),
        {("leaf1", "BGP_PEER_GROUP_AF", f"{GROUP}|ipv4_unicast", "route_map_out")},
        all_(
            set_("leaf1", "BGP_PEER_GROUP", GROUP, peer_type="internal"),
            set_("leaf1", "BGP_PEER_GROUP_AF", f"{GROUP}|ipv4_unicast", route_map_out=None),
        ),
    ),
    "SL406": Case(
        set_("leaf1", "BGP_GLOBALS", "default", router_id="10.1.0.99"),
        {("leaf1", "BGP_GLOBALS", "default", "router_id")},
        set_("leaf1", "BGP_GLOBALS", "default", router_id=None),
    ),
    "SL407": Case(
        set_("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", asn="65101", peer_type="external"),
        {("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", "peer_type")},
        set_("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", asn="65100", peer_type="external"),
    ),
    "SL408": Case(
        set_("leaf1", "BGP_PEER_GROUP", GROUP, holdtime="8"),
        {("leaf1", "BGP_PEER_GROUP", GROUP, "holdtime")},
        set_("leaf1", "BGP_PEER_GROUP", GROUP, holdtime="0"),
    ),
    "SL409": Case(
        lambda configs: (
            configs["extra"].update(configs["leaf1"]) if "extra" in configs else configs.update(extra=configs["leaf1"])
        ),
        {("extra", "BGP_NEIGHBOR", "", "peer_group_name")},
        set_("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", peer_group_name=None),
        frozenset((name, "BGP_NEIGHBOR", "", "peer_group_name") for name in ("leaf2", "spine1")),
    ),
    "SL410": Case(
        set_("leaf1", "BGP_NEIGHBOR", "default|192.0.2.99", asn="65000"),
        {("leaf1", "BGP_NEIGHBOR", "default|192.0.2.99", "")},
        all_(
            set_("leaf1", "BGP_NEIGHBOR", "default|192.0.2.99", asn="65000"),
            set_("leaf1", "BGP_NEIGHBOR_AF", "default|192.0.2.99|ipv4_unicast", admin_status="up"),
        ),
    ),
    "SL411": Case(
        set_("leaf1", "BGP_GLOBALS", "VrfBlue", local_asn=None),
        {("leaf1", "BGP_GLOBALS", "VrfBlue", "local_asn")},
        set_("leaf1", "BGP_GLOBALS", "VrfBlue", router_id=None),
    ),
    # policy
    "SL501": Case(
        all_(set_("leaf1", "ROUTE_MAP_SET", "EMPTY"), set_("leaf1", "PREFIX_SET", "NONE", mode="IPv4")),
        {("leaf1", "ROUTE_MAP_SET", "EMPTY", ""), ("leaf1", "PREFIX_SET", "NONE", "")},
        all_(set_("leaf1", "ROUTE_MAP_SET", "FULL"), set_("leaf1", "ROUTE_MAP", "FULL|10", route_operation="deny")),
    ),
    "SL502": Case(
        set_("leaf1", "ROUTE_MAP", "LOOSE|10", route_operation="permit"),
        {("leaf1", "ROUTE_MAP_SET", "LOOSE", "")},
        set_("leaf1", "ROUTE_MAP", "ALLOW|20", route_operation="permit"),
    ),
    "SL503": Case(
        set_("leaf1", "ROUTE_MAP", "OWN|10", match_ipv6_prefix_set="LOOPBACKS6"),
        {("leaf1", "ROUTE_MAP", "OWN|10", "match_ipv6_prefix_set")},
        set_("leaf1", "ROUTE_MAP", "OWN|10", match_prefix_set="LOOPBACKS6"),
    ),
    "SL504": Case(
        set_("leaf1", "ROUTE_MAP", "OWN|10", set_local_pref="200"),
        {("leaf1", "ROUTE_MAP", "OWN|10", "set_local_pref")},
        set_("leaf1", "ROUTE_MAP", "OWN|10", set_med="200"),
    ),
    "SL505": Case(
        set_("leaf1", "PREFIX", "LOOPBACKS6|20|fd00:1::/48|128..128", action="permit"),
        {("leaf1", "PREFIX", "LOOPBACKS6|20|fd00:1::/48|128..128", "masklength_range")},
        set_("leaf1", "PREFIX", "LOOPBACKS6|20|fd00:1::/48|64..128", action="permit"),
    ),
    "SL506": Case(
        all_(
            set_("leaf1", "PREFIX", "LOOPBACKS|20|10.9.0.0/16|8..32", action="permit"),
            set_("leaf1", "PREFIX", "LOOPBACKS|30|10.9.0.0/16|24..33", action="permit"),
            set_("leaf1", "PREFIX", "LOOPBACKS|40|10.9.0.0/16|28..24", action="permit"),
            set_("leaf1", "PREFIX", "LOOPBACKS|50|10.9/16|exact", action="permit"),
        ),
        {
            ("leaf1", "PREFIX", "LOOPBACKS|20|10.9.0.0/16|8..32", "masklength_range"),
            ("leaf1", "PREFIX", "LOOPBACKS|30|10.9.0.0/16|24..33", "masklength_range"),
            ("leaf1", "PREFIX", "LOOPBACKS|40|10.9.0.0/16|28..24", "masklength_range"),
            ("leaf1", "PREFIX", "LOOPBACKS|50|10.9/16|exact", "ip_prefix"),
        },
        set_("leaf1", "PREFIX", "LOOPBACKS|20|0.0.0.0/0|0..32", action="permit"),
    ),
    "SL507": Case(
        set_("leaf1", "PREFIX", "LOOPBACKS|20|fd00:9::/48|exact", action="permit"),
        {("leaf1", "PREFIX", "LOOPBACKS|20|fd00:9::/48|exact", "ip_prefix")},
        set_("leaf1", "PREFIX", "LOOPBACKS6|20|fd00:9::/48|exact", action="permit"),
    ),
    "SL508": Case(
        set_("leaf1", "BGP_GLOBALS_AF", "VrfBlue|l2vpn_evpn", **{"route-distinguisher": "10.1.0.11:1"}),
        {("leaf1", "BGP_GLOBALS_AF", "VrfBlue|l2vpn_evpn", "route-distinguisher")},
        set_("leaf1", "BGP_GLOBALS_AF", "default|ipv4_unicast", max_ebgp_paths="2"),
    ),
    "SL509": Case(
        all_(
            set_("leaf1", "PREFIX_SET", "LOOPBACKS", mode=None),
            set_("leaf1", "PREFIX", "LOOPBACKS|10|10.1.0.0/16|32..32", action=None),
            set_("leaf1", "ROUTE_MAP", "OWN|10", route_operation=None),
        ),
        {
            ("leaf1", "PREFIX_SET", "LOOPBACKS", "mode"),
            ("leaf1", "PREFIX", "LOOPBACKS|10|10.1.0.0/16|32..32", "action"),
            ("leaf1", "ROUTE_MAP", "OWN|10", "route_operation"),
        },
        set_("leaf1", "ROUTE_MAP", "OWN|10", match_prefix_set=None),
    ),
    # management
    "SL601": Case(
        all_(
            set_("leaf1", "SNMP_COMMUNITY", "public", TYPE="RO"),
            set_("leaf2", "TACPLUS", "global", passkey="testing123"),
        ),
        {("leaf1", "SNMP_COMMUNITY", "public", ""), ("leaf2", "TACPLUS", "global", "passkey")},
        all_(
            set_("leaf1", "SNMP_COMMUNITY", "publication", TYPE="RO"),
            set_("leaf1", "SNMP", "LOCATION", Location="public"),
        ),
    ),
    "SL602": Case(
        set_("leaf1", "DEVICE_METADATA", "localhost", hostname="sonic"),
        {("leaf1", "DEVICE_METADATA", "localhost", "hostname")},
        set_("leaf1", "DEVICE_METADATA", "localhost", hostname="sonic-leaf1"),
    ),
    "SL603": Case(
        all_(set_("leaf1", "NTP", "global", vrf="mgmt"), set_("leaf1", "SYSLOG_SERVER", "192.0.2.201", vrf="mgmt")),
        {("leaf1", "NTP", "global", "vrf"), ("leaf1", "SYSLOG_SERVER", "192.0.2.201", "vrf")},
        all_(
            set_("leaf1", "NTP", "global", vrf="mgmt"),
            set_("leaf1", "MGMT_VRF_CONFIG", "vrf_global", mgmtVrfEnabled="true"),
        ),
    ),
    "SL604": Case(
        all_(
            set_("leaf1", "NTP", "global", src_intf="Loopback7"),
            set_("leaf1", "SYSLOG_SERVER", "192.0.2.201", source="198.51.100.1"),
        ),
        {("leaf1", "NTP", "global", "src_intf"), ("leaf1", "SYSLOG_SERVER", "192.0.2.201", "source")},
        all_(
            set_("leaf1", "NTP", "global", src_intf="Loopback0"),
            set_("leaf1", "SYSLOG_SERVER", "192.0.2.201", source="10.1.0.11"),
        ),
    ),
    "SL605": Case(
        set_("leaf1", "VLAN", "Vlan10", dhcp_servers=["192.0.2.50"]),
        {("leaf1", "VLAN", "Vlan10", "dhcp_servers")},
        set_("leaf1", "VLAN", "Vlan20", dhcp_servers=["192.0.2.50"]),
    ),
    "SL606": Case(
        all_(set_("leaf1", "NTP_SERVER", "192.0.2.11"), set_("leaf1", "SYSLOG_SERVER", "10.1.0.11")),
        {("leaf1", "NTP_SERVER", "192.0.2.11", ""), ("leaf1", "SYSLOG_SERVER", "10.1.0.11", "")},
        set_("leaf1", "NTP_SERVER", "192.0.2.12"),
    ),
    # releases
    "SL701": Case(
        all_(
            set_("leaf1", "VERSIONS", "DATABASE", VERSION="version_202411_01"),
            set_("leaf1", "DHCPV4_RELAY", "Vlan20", dhcpv4_servers=["192.0.2.50"]),
        ),
        {("leaf1", "DHCPV4_RELAY", "", "")},
        set_("leaf1", "DHCPV4_RELAY", "Vlan20", dhcpv4_servers=["192.0.2.50"]),
    ),
    "SL702": Case(
        set_("leaf1", "MCLAG_DOMAIN", "1", source_ip="10.0.0.1"),
        {("leaf1", "MCLAG_DOMAIN", "1", "")},
        all_(
            set_("leaf1", "MCLAG_DOMAIN", "1", source_ip="10.0.0.1"),
            set_("leaf1", "PORT", "Ethernet0", parent_port="Ethernet0"),
        ),
    ),
    "SL703": Case(
        all_(set_("leaf1", "PORT", "Ethernet0", parent_port="Ethernet0"), set_("leaf2", "REST_SERVER", "default")),
        {("leaf1", "PORT", "Ethernet0", "parent_port"), ("leaf2", "REST_SERVER", "", "")},
        all_(
            set_("leaf1", "PORT", "Ethernet0", parent_port="Ethernet0"),
            set_("leaf1", "VERSIONS", "DATABASE", VERSION="version_2_0_4"),
        ),
    ),
    "SL704": Case(
        SPLIT,
        {
            ("leaf1", table, "", "")
            for table in ("BGP_GLOBALS", "BGP_GLOBALS_AF", "BGP_PEER_GROUP", "ROUTE_REDISTRIBUTE", "ROUTE_MAP")
        },
        all_(
            SPLIT,
            lambda configs: [
                configs["leaf1"].pop(table)
                for table in ("BGP_GLOBALS", "BGP_GLOBALS_AF", "BGP_PEER_GROUP", "ROUTE_REDISTRIBUTE", "ROUTE_MAP")
            ],
        ),
    ),
    "SL705": Case(
        set_("leaf1", "VERSIONS", "DATABASE", VERSION="version_202505_01"),
        {("leaf1", "VERSIONS", "DATABASE", "VERSION")},
        set_("leaf1", "VERSIONS", "DATABASE", VERSION="version_202411_01"),
    ),
    "SL706": Case(
        set_("leaf1", "DEVICE_METADATA", "localhost", docker_routing_config_mode="separated"),
        {("leaf1", "DEVICE_METADATA", "localhost", "docker_routing_config_mode")},
        SPLIT,
    ),
}
