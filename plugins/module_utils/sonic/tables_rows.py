# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Keys, references and list fields of CONFIG_DB's tables, as the models of 202411 and 202605 have them.

A test compares every row with the models themselves. ``>`` is a reference that must resolve, ``?`` one that may as well
be something else (an address, a text). Tables that no model has stand in :mod:`tables`.
"""

from __future__ import annotations

#: name, forms of keys, references, list fields, releases whose models have it (empty: both).
ROWS: tuple[tuple[str, str, str, str, str], ...] = (
    ("AAA", "type", "", "", ""),
    (
        "ACL_RULE",
        "ACL_TABLE_NAME|RULE_NAME",
        "ACL_TABLE_NAME>ACL_TABLE MIRROR_INGRESS_ACTION>MIRROR_SESSION MIRROR_EGRESS_ACTION>MIRROR_SESSION",
        "",
        "",
    ),
    ("ACL_TABLE", "ACL_TABLE_NAME", "type?ACL_TABLE_TYPE ports?PORT,PORTCHANNEL", "ports services", ""),
    ("ACL_TABLE_TYPE", "ACL_TABLE_TYPE_NAME", "", "ACTIONS BIND_POINTS MATCHES", ""),
    ("AS_PATH_SET", "name", "", "as_path_set_member", ""),
    ("AUTO_TECHSUPPORT", "", "", "", ""),
    ("AUTO_TECHSUPPORT_FEATURE", "feature_name", "", "", ""),
    ("BANNER_MESSAGE", "", "", "", ""),
    ("BGP_BBR", "", "", "", ""),
    ("BGP_DEVICE_GLOBAL", "", "", "", ""),
    ("BGP_GLOBALS", "vrf_name", "vrf_name?VRF", "confed_peers", ""),
    (
        "BGP_GLOBALS_AF",
        "vrf_name|afi_safi",
        (
            "vrf_name>BGP_GLOBALS import_vrf?BGP_GLOBALS import_vrf_route_map>ROUTE_MAP_SET "
            "route_download_filter>ROUTE_MAP_SET"
        ),
        "",
        "",
    ),
    (
        "BGP_GLOBALS_AF_AGGREGATE_ADDR",
        "vrf_name|afi_safi|ip_prefix",
        "vrf_name>BGP_GLOBALS policy>ROUTE_MAP_SET",
        "",
        "",
    ),
    ("BGP_GLOBALS_AF_NETWORK", "vrf_name|afi_safi|ip_prefix", "vrf_name>BGP_GLOBALS policy>ROUTE_MAP_SET", "", ""),
    ("BGP_GLOBALS_LISTEN_PREFIX", "vrf_name|ip_prefix", "vrf_name>BGP_GLOBALS peer_group>BGP_PEER_GROUP", "", ""),
    (
        "BGP_NEIGHBOR",
        "neighbor vrf_name|neighbor",
        (
            "vrf_name>BGP_GLOBALS neighbor?PORT,PORTCHANNEL peer_group_name>BGP_PEER_GROUP "
            "local_addr?PORT,PORTCHANNEL,LOOPBACK_INTERFACE"
        ),
        "",
        "",
    ),
    (
        "BGP_NEIGHBOR_AF",
        "vrf_name|neighbor|afi_safi",
        (
            "vrf_name>BGP_GLOBALS neighbor>BGP_NEIGHBOR default_rmap>ROUTE_MAP_SET "
            "route_map_in>ROUTE_MAP_SET route_map_out>ROUTE_MAP_SET unsuppress_map_name>ROUTE_MAP_SET "
            "filter_list_in>AS_PATH_SET filter_list_out>AS_PATH_SET prefix_list_in>PREFIX_SET "
            "prefix_list_out>PREFIX_SET"
        ),
        "route_map_in route_map_out",
        "",
    ),
    (
        "BGP_PEER_GROUP",
        "vrf_name|peer_group_name",
        "vrf_name>BGP_GLOBALS local_addr?PORT,PORTCHANNEL,LOOPBACK_INTERFACE",
        "",
        "",
    ),
    (
        "BGP_PEER_GROUP_AF",
        "vrf_name|peer_group_name|afi_safi",
        (
            "vrf_name>BGP_GLOBALS peer_group_name>BGP_PEER_GROUP default_rmap>ROUTE_MAP_SET "
            "route_map_in>ROUTE_MAP_SET route_map_out>ROUTE_MAP_SET unsuppress_map_name>ROUTE_MAP_SET "
            "filter_list_in>AS_PATH_SET filter_list_out>AS_PATH_SET prefix_list_in>PREFIX_SET "
            "prefix_list_out>PREFIX_SET"
        ),
        "route_map_in route_map_out",
        "",
    ),
    ("BGP_PEER_RANGE", "vrf_name|peer_range_name peer_range_name", "vrf_name>VRF,VNET", "ip_range", ""),
    ("BREAKOUT_CFG", "port", "", "", ""),
    ("BUFFER_PG", "port|pg_num", "port>PORT profile?BUFFER_PROFILE", "", ""),
    ("BUFFER_POOL", "name", "", "", ""),
    ("BUFFER_PROFILE", "name", "pool>BUFFER_POOL", "", ""),
    ("BUFFER_QUEUE", "port|qindex hostname|asic_name|port|qindex", "port>PORT profile>BUFFER_PROFILE", "", ""),
    ("COMMUNITY_SET", "name", "", "community_member", ""),
    ("COPP_GROUP", "name", "", "", ""),
    ("COPP_TRAP", "name", "trap_group>COPP_GROUP", "", ""),
    ("CRM", "", "", "", ""),
    ("DEVICE_METADATA", "", "", "anchor_route_source supporting_bulk_counter_groups t2_group_asns", ""),
    ("DEVICE_NEIGHBOR", "peer_name", "local_port>PORT", "", ""),
    ("DEVICE_NEIGHBOR_METADATA", "name", "", "", ""),
    (
        "DHCPV4_RELAY",
        "name",
        "server_vrf>VRF source_interface?PORT,PORTCHANNEL,LOOPBACK_INTERFACE",
        "dhcpv4_servers",
        "202605",
    ),
    ("DHCP_RELAY", "name", "", "dhcpv6_servers", ""),
    ("DNS_NAMESERVER", "ip", "", "", ""),
    ("DNS_OPTIONS", "", "", "search", "202605"),
    ("DOT1P_TO_TC_MAP", "name", "", "", ""),
    ("DSCP_TO_TC_MAP", "name", "", "", ""),
    ("EXTENDED_COMMUNITY_SET", "name", "", "community_member", ""),
    ("FEATURE", "name", "", "", ""),
    ("FLEX_COUNTER_TABLE", "", "", "", ""),
    ("INTERFACE", "name name|ip-prefix", "name>PORT vrf_name>VRF vnet_name>VNET", "", ""),
    ("KDUMP", "", "", "", ""),
    ("LDAP", "", "", "", ""),
    ("LDAP_SERVER", "hostname", "", "", ""),
    ("LLDP", "", "", "", ""),
    ("LLDP_PORT", "ifname", "ifname>PORT", "", ""),
    ("LOGGER", "name", "", "", ""),
    ("LOOPBACK_INTERFACE", "name name|ip-prefix", "vrf_name>VRF name>LOOPBACK_INTERFACE", "", ""),
    ("MAP_PFC_PRIORITY_TO_QUEUE", "name", "", "", ""),
    ("MCLAG_DOMAIN", "domain_id", "peer_link>PORT,PORTCHANNEL", "", ""),
    ("MCLAG_INTERFACE", "domain_id|if_name", "domain_id>MCLAG_DOMAIN if_name>PORTCHANNEL", "", ""),
    ("MCLAG_UNIQUE_IP", "if_name", "", "", ""),
    ("MGMT_INTERFACE", "name|ip_prefix", "name>MGMT_PORT", "forced_mgmt_routes", ""),
    ("MGMT_PORT", "name", "", "", ""),
    ("MGMT_VRF_CONFIG", "", "", "", ""),
    ("MIRROR_SESSION", "name", "dst_port?PORT policer>POLICER", "", ""),
    ("NEIGH", "port|neighbor", "port?PORTCHANNEL,PORT", "", ""),
    ("NTP", "", "src_intf?PORT,PORTCHANNEL,LOOPBACK_INTERFACE,MGMT_PORT", "src_intf", ""),
    ("NTP_KEY", "id", "", "", ""),
    ("NTP_SERVER", "server_address", "key>NTP_KEY", "", ""),
    ("PASSW_HARDENING", "", "", "", ""),
    ("PFC_WD", "ifname", "ifname?PORT", "", ""),
    ("POLICER", "name", "", "", ""),
    ("PORT", "name", "macsec>MACSEC_PROFILE", "adv_interface_types adv_speeds", ""),
    ("PORTCHANNEL", "name", "", "", ""),
    ("PORTCHANNEL_INTERFACE", "name name|ip_prefix", "name>PORTCHANNEL vrf_name>VRF", "", ""),
    ("PORTCHANNEL_MEMBER", "name|port", "name>PORTCHANNEL port>PORT", "", ""),
    (
        "PORT_QOS_MAP",
        "ifname",
        (
            "ifname?PORT tc_to_pg_map>TC_TO_PRIORITY_GROUP_MAP tc_to_queue_map>TC_TO_QUEUE_MAP "
            "pfc_to_queue_map>MAP_PFC_PRIORITY_TO_QUEUE pfc_to_pg_map>PFC_PRIORITY_TO_PRIORITY_GROUP_MAP "
            "dscp_to_tc_map>DSCP_TO_TC_MAP tc_to_dscp_map>TC_TO_DSCP_MAP dot1p_to_tc_map>DOT1P_TO_TC_MAP "
            "scheduler>SCHEDULER"
        ),
        "",
        "",
    ),
    ("PORT_STORM_CONTROL", "ifname|storm_type", "ifname>PORT", "", ""),
    (
        "PREFIX",
        "name|sequence_number|ip_prefix|masklength_range name|ip_prefix|masklength_range",
        "name>PREFIX_SET",
        "",
        "",
    ),
    ("PREFIX_SET", "name", "", "", ""),
    (
        "QUEUE",
        "ifname|qindex hostname|asic_name|ifname|qindex",
        "ifname?PORT scheduler>SCHEDULER wred_profile>WRED_PROFILE",
        "",
        "",
    ),
    ("RADIUS", "", "", "", ""),
    ("RADIUS_SERVER", "ipaddress", "src_intf?PORT,PORTCHANNEL,LOOPBACK_INTERFACE,MGMT_PORT", "", ""),
    (
        "ROUTE_MAP",
        "name|stmt_name",
        (
            "match_interface?PORT,PORTCHANNEL,LOOPBACK_INTERFACE match_prefix_set>PREFIX_SET "
            "match_ipv6_prefix_set>PREFIX_SET match_next_hop_set>PREFIX_SET match_src_vrf?VRF "
            "match_neighbor?PORT,PORTCHANNEL match_community>COMMUNITY_SET "
            "match_ext_community>EXTENDED_COMMUNITY_SET match_as_path>AS_PATH_SET "
            "call_route_map>ROUTE_MAP_SET set_community_ref>COMMUNITY_SET "
            "set_ext_community_ref>EXTENDED_COMMUNITY_SET"
        ),
        "match_neighbor match_tag set_community_inline set_ext_community_inline",
        "",
    ),
    ("ROUTE_MAP_SET", "name", "", "", ""),
    (
        "ROUTE_REDISTRIBUTE",
        "vrf_name|src_protocol|dst_protocol|addr_family",
        "vrf_name?VRF route_map>ROUTE_MAP_SET",
        "route_map",
        "",
    ),
    ("SCHEDULER", "name", "", "", ""),
    ("SFLOW", "", "agent_id?PORT,PORTCHANNEL,MGMT_PORT", "", ""),
    ("SFLOW_COLLECTOR", "name", "", "", ""),
    ("SFLOW_SESSION", "port", "port?PORT", "", ""),
    ("SNMP", "", "", "", ""),
    ("SNMP_COMMUNITY", "name", "", "", ""),
    ("SNMP_USER", "name", "", "", ""),
    ("SSH_SERVER", "", "", "ciphers kex_algorithms macs", ""),
    ("STATIC_ROUTE", "prefix vrf_name|prefix", "", "", ""),
    ("STP", "keyleaf", "", "", "202605"),
    ("STP_PORT", "ifname", "", "", "202605"),
    ("STP_VLAN", "name", "", "", "202605"),
    ("STP_VLAN_PORT", "vlan-name|ifname", "vlan-name>STP_VLAN ifname>STP_PORT", "", "202605"),
    ("SYSLOG_CONFIG", "", "", "", ""),
    ("SYSLOG_CONFIG_FEATURE", "service", "service>FEATURE", "", ""),
    ("SYSLOG_SERVER", "server_address", "vrf?VRF", "", ""),
    ("SYSTEM_DEFAULTS", "name", "", "", ""),
    ("TACPLUS", "", "src_intf?PORT,PORTCHANNEL,LOOPBACK_INTERFACE,MGMT_PORT", "", ""),
    ("TACPLUS_SERVER", "ipaddress", "", "", ""),
    ("TC_TO_PRIORITY_GROUP_MAP", "name", "", "", ""),
    ("TC_TO_QUEUE_MAP", "name", "", "", ""),
    ("VERSIONS", "", "", "", ""),
    ("VLAN", "name", "", "dhcp_servers dhcpv6_servers", ""),
    ("VLAN_INTERFACE", "name name|ip-prefix", "name>VLAN vrf_name>VRF vnet_name>VNET", "", ""),
    ("VLAN_MEMBER", "name|port", "name>VLAN port>PORT,PORTCHANNEL", "", ""),
    ("VLAN_SUB_INTERFACE", "name name|ip-prefix", "vrf_name>VRF name>VLAN_SUB_INTERFACE vnet_name>VNET", "", ""),
    ("VRF", "name", "", "", ""),
    ("VXLAN_EVPN_NVO", "name", "source_vtep>VXLAN_TUNNEL", "", ""),
    ("VXLAN_TUNNEL", "name", "", "", ""),
    ("VXLAN_TUNNEL_MAP", "name|mapname", "name>VXLAN_TUNNEL", "", ""),
    ("WARM_RESTART", "module", "", "", ""),
    ("WRED_PROFILE", "name", "", "", ""),
    ("XCVRD_LOG", "", "", "", ""),
)
