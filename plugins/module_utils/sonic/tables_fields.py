# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The names of all fields that SONiC's YANG models have, by table and release. Pure data.

Written by tests/tools/gen_sonic_models.py from the models; do not edit. Parts of keys are among them, the models do not
tell them apart; ``*`` stands for any field. Tables without fields are left out. Which releases have a table says
:mod:`tables_models`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .tables_models import RELEASES

#: One table a line, or several lines with a space in front: fields, ``@`` behind those of one release only.
_TEXT = """\
AAA: debug failthrough fallback login trace type
ACL_RULE: ACL_TABLE_NAME AETH_SYNDROME BTH_OPCODE DEI DSCP DST_IP DST_IPV6 DST_MAC ETHER_TYPE ICMPV6_CODE
 ICMPV6_TYPE ICMP_CODE ICMP_TYPE INNER_ETHER_TYPE INNER_IP_PROTOCOL INNER_L4_DST_PORT INNER_L4_SRC_PORT
 INNER_SRC_IP@202605 INNER_SRC_MAC_REWRITE_ACTION@202605 IN_PORTS IP_PROTOCOL IP_TYPE L4_DST_PORT
 L4_DST_PORT_RANGE L4_SRC_PORT L4_SRC_PORT_RANGE MIRROR_EGRESS_ACTION MIRROR_INGRESS_ACTION OUT_PORTS
 PACKET_ACTION PCP PRIORITY RULE_NAME SRC_IP SRC_IPV6 SRC_MAC TC TCP_FLAGS TUNNEL_TERM TUNNEL_VNI@202605 VLAN_ID
ACL_TABLE: ACL_TABLE_NAME policy_desc ports services stage type
ACL_TABLE_TYPE: ACL_TABLE_TYPE_NAME ACTIONS BIND_POINTS MATCHES
ALARM: acknowledge-time acknowledged id resource severity text time-created type-id
ALARM_STATS: acknowledged alarms critical id major minor warning
ASIC_SENSORS: admin_status interval
AS_PATH_SET: action as_path_set_member name
AUTO_TECHSUPPORT: available_mem_threshold max_core_limit max_techsupport_limit min_available_mem
 rate_limit_interval since state
AUTO_TECHSUPPORT_FEATURE: available_mem_threshold feature_name rate_limit_interval state
BANNER_MESSAGE: login logout motd state
BGP_AGGREGATE_ADDRESS: aggregate-address aggregate-address-prefix-list as-set bbr-required
 contributing-address-prefix-list summary-only
BGP_ALLOWED_PREFIXES: community default_action deployment id neighbor neighbor_type prefixes_v4 prefixes_v6
BGP_BBR: status
BGP_DEVICE_GLOBAL: asn@202605 idf_isolation_state peers@202605 tsa_enabled wcmp_enabled
BGP_GLOBALS: always_compare_med as_path_mp_as_set coalesce_time compare_confed_as_path confed_id confed_peers
 default_ipv4_unicast default_local_preference default_show_hostname default_shutdown
 default_subgroup_pkt_queue_max deterministic_med disable_ebgp_connected_rt_check establish_wait
 external_compare_router_id fast_external_failover gr_preserve_fw_state gr_restart_time gr_stale_routes_time
 graceful_restart_enable graceful_shutdown holdtime ignore_as_path_length keepalive load_balance_mp_relax
 local_asn log_nbr_state_changes max_delay max_dynamic_neighbors max_med_admin max_med_admin_val max_med_time
 max_med_val med_confed med_missing_as_worst network_import_check read_quanta route_map_process_delay router_id
 rr_allow_out_policy rr_clnt_to_clnt_reflection rr_cluster_id vrf_name write_quanta
BGP_GLOBALS_AF: advertise-all-vni@202605 advertise-svi-ip@202605 afi_safi autort@202605 ebgp_route_distance
 ibgp_equal_cluster_length ibgp_route_distance import_vrf import_vrf_route_map local_route_distance
 max_ebgp_paths max_ibgp_paths route_download_filter route_flap_dampen route_flap_dampen_half_life
 route_flap_dampen_max_suppress route_flap_dampen_reuse_threshold route_flap_dampen_suppress_threshold vrf_name
BGP_GLOBALS_AF_AGGREGATE_ADDR: afi_safi as_set ip_prefix policy summary_only vrf_name
BGP_GLOBALS_AF_NETWORK: afi_safi backdoor ip_prefix policy vrf_name
BGP_GLOBALS_LISTEN_PREFIX: ip_prefix peer_group vrf_name
BGP_INTERNAL_NEIGHBOR: admin_status asn holdtime keepalive local_addr name neighbor nhopself rrclient
BGP_MONITORS: addr admin_status asn holdtime keepalive local_addr name nhopself rrclient
BGP_NEIGHBOR: admin_status asn auth_password bfd bfd_check_ctrl_plane_failure capability_dynamic
 capability_ext_nexthop conn_retry disable_ebgp_connected_route_check dont_negotiate_capability ebgp_multihop
 ebgp_multihop_ttl enforce_first_as enforce_multihop holdtime keepalive local_addr local_as_no_prepend
 local_as_replace_as local_asn min_adv_interval name neighbor nhopself override_capability passive_mode
 peer_group_name peer_port peer_type rrclient shutdown_message solo_peer strict_capability_match
 ttl_security_hops vrf_name
BGP_NEIGHBOR_AF: admin_status afi_safi allow_as_count allow_as_in allow_as_origin as_override cap_orf
 default_rmap filter_list_in filter_list_out max_prefix_limit max_prefix_restart_interval
 max_prefix_warning_only max_prefix_warning_threshold neighbor nexthop_self_force nhself prefix_list_in
 prefix_list_out remove_private_as_all remove_private_as_enabled replace_private_as route_map_in route_map_out
 route_server_client rrclient send_community send_default_route soft_reconfiguration_in tx_add_paths
 unchanged_as_path unchanged_med unchanged_nexthop unsuppress_map_name vrf_name weight
BGP_PEER_GROUP: admin_status asn auth_password bfd bfd_check_ctrl_plane_failure capability_dynamic
 capability_ext_nexthop conn_retry disable_ebgp_connected_route_check dont_negotiate_capability ebgp_multihop
 ebgp_multihop_ttl enforce_first_as enforce_multihop holdtime keepalive local_addr local_as_no_prepend
 local_as_replace_as local_asn min_adv_interval name override_capability passive_mode peer_group_name peer_port
 peer_type shutdown_message solo_peer strict_capability_match ttl_security_hops vrf_name
BGP_PEER_GROUP_AF: admin_status afi_safi allow_as_count allow_as_in allow_as_origin as_override cap_orf
 default_rmap filter_list_in filter_list_out max_prefix_limit max_prefix_restart_interval
 max_prefix_warning_only max_prefix_warning_threshold nexthop_self_force nhself peer_group_name prefix_list_in
 prefix_list_out remove_private_as_all remove_private_as_enabled replace_private_as route_map_in route_map_out
 route_server_client rrclient send_community send_default_route soft_reconfiguration_in tx_add_paths
 unchanged_as_path unchanged_med unchanged_nexthop unsuppress_map_name vrf_name weight
BGP_PEER_RANGE: ip_range name peer_asn peer_range_name src_address vrf_name@202605
BGP_SENTINELS: ip_range name sentinel_name src_address
BGP_VOQ_CHASSIS_NEIGHBOR: admin_status asn holdtime keepalive local_addr name neighbor nhopself rrclient
BMP: bgp_neighbor_table bgp_rib_in_table bgp_rib_out_table
BREAKOUT_CFG: brkout_mode port
BUFFER_PG: pg_num port profile
BUFFER_POOL: mode name percentage size type xoff
BUFFER_PORT_EGRESS_PROFILE_LIST: port profile_list
BUFFER_PORT_INGRESS_PROFILE_LIST: port profile_list
BUFFER_PROFILE: dynamic_th headroom_type name packet_discard_action@202605 pool size static_th xoff xon
 xon_offset
BUFFER_QUEUE: asic_name hostname port profile qindex
CABLE_LENGTH: *
CHASSIS_MODULE: admin_status graceful_shutdown_timeout@202605 name power_on_delay@202605
COMMUNITY_SET: action community_member match_action name set_type
CONSOLE_PORT: baud_rate escape_char@202605 flow_control name remote_device
CONSOLE_SWITCH: default_escape_char@202605 enabled
COPP_GROUP: cbs cir color green_action meter_type mode name pbs pir queue red_action trap_action trap_priority
 yellow_action
COPP_TRAP: always_enabled name trap_group trap_ids
CRM: acl_counter_high_threshold acl_counter_low_threshold acl_counter_threshold_type acl_entry_high_threshold
 acl_entry_low_threshold acl_entry_threshold_type acl_group_high_threshold acl_group_low_threshold
 acl_group_threshold_type acl_table_high_threshold acl_table_low_threshold acl_table_threshold_type
 dash_eni_ether_address_map_high_threshold dash_eni_ether_address_map_low_threshold
 dash_eni_ether_address_map_threshold_type dash_eni_high_threshold dash_eni_low_threshold
 dash_eni_threshold_type dash_ipv4_acl_group_high_threshold dash_ipv4_acl_group_low_threshold
 dash_ipv4_acl_group_threshold_type dash_ipv4_acl_rule_high_threshold dash_ipv4_acl_rule_low_threshold
 dash_ipv4_acl_rule_threshold_type dash_ipv4_inbound_routing_high_threshold
 dash_ipv4_inbound_routing_low_threshold dash_ipv4_inbound_routing_threshold_type
 dash_ipv4_outbound_ca_to_pa_high_threshold dash_ipv4_outbound_ca_to_pa_low_threshold
 dash_ipv4_outbound_ca_to_pa_threshold_type dash_ipv4_outbound_routing_high_threshold
 dash_ipv4_outbound_routing_low_threshold dash_ipv4_outbound_routing_threshold_type
 dash_ipv4_pa_validation_high_threshold dash_ipv4_pa_validation_low_threshold
 dash_ipv4_pa_validation_threshold_type dash_ipv6_acl_group_high_threshold dash_ipv6_acl_group_low_threshold
 dash_ipv6_acl_group_threshold_type dash_ipv6_acl_rule_high_threshold dash_ipv6_acl_rule_low_threshold
 dash_ipv6_acl_rule_threshold_type dash_ipv6_inbound_routing_high_threshold
 dash_ipv6_inbound_routing_low_threshold dash_ipv6_inbound_routing_threshold_type
 dash_ipv6_outbound_ca_to_pa_high_threshold dash_ipv6_outbound_ca_to_pa_low_threshold
 dash_ipv6_outbound_ca_to_pa_threshold_type dash_ipv6_outbound_routing_high_threshold
 dash_ipv6_outbound_routing_low_threshold dash_ipv6_outbound_routing_threshold_type
 dash_ipv6_pa_validation_high_threshold dash_ipv6_pa_validation_low_threshold
 dash_ipv6_pa_validation_threshold_type dash_vnet_high_threshold dash_vnet_low_threshold
 dash_vnet_threshold_type dnat_entry_high_threshold dnat_entry_low_threshold dnat_entry_threshold_type
 fdb_entry_high_threshold fdb_entry_low_threshold fdb_entry_threshold_type ipmc_entry_high_threshold
 ipmc_entry_low_threshold ipmc_entry_threshold_type ipv4_neighbor_high_threshold ipv4_neighbor_low_threshold
 ipv4_neighbor_threshold_type ipv4_nexthop_high_threshold ipv4_nexthop_low_threshold ipv4_nexthop_threshold_type
 ipv4_route_high_threshold ipv4_route_low_threshold ipv4_route_threshold_type ipv6_neighbor_high_threshold
 ipv6_neighbor_low_threshold ipv6_neighbor_threshold_type ipv6_nexthop_high_threshold ipv6_nexthop_low_threshold
 ipv6_nexthop_threshold_type ipv6_route_high_threshold ipv6_route_low_threshold ipv6_route_threshold_type
 mpls_inseg_high_threshold mpls_inseg_low_threshold mpls_inseg_threshold_type mpls_nexthop_high_threshold
 mpls_nexthop_low_threshold mpls_nexthop_threshold_type nexthop_group_high_threshold nexthop_group_low_threshold
 nexthop_group_member_high_threshold nexthop_group_member_low_threshold nexthop_group_member_threshold_type
 nexthop_group_threshold_type polling_interval snat_entry_high_threshold snat_entry_low_threshold
 snat_entry_threshold_type srv6_my_sid_entry_high_threshold srv6_my_sid_entry_low_threshold
 srv6_my_sid_entry_threshold_type srv6_nexthop_high_threshold srv6_nexthop_low_threshold
 srv6_nexthop_threshold_type
DASH_ACL_GROUP: guid ip_version name
DASH_ACL_IN: acl_group_id eni stage
DASH_ACL_OUT: acl_group_id eni stage
DASH_ACL_RULE: acl_group_id action dst_addr dst_port ip_protocol name priority src_addr src_port terminating
DASH_APPLIANCE: name sip vni
DASH_ENI: eni_id mac_address name qos vnet
DASH_HA_GLOBAL_CONFIG: cp_data_channel_port dp_channel_dst_port dp_channel_probe_fail_threshold
 dp_channel_probe_interval_ms dp_channel_src_port_max dp_channel_src_port_min dpu_bfd_probe_interval_in_ms
 dpu_bfd_probe_multiplier dpu_vlan dpu_vnet vnet_name
DASH_QOS: bw cps flows name
DASH_ROUTE_TABLE: action_type appliance eni overlay_dip overlay_ip overlay_sip prefix underlay_dip underlay_sip
 vnet
DASH_ROUTING_TYPE: action_name action_type encap_type name vni
DASH_VNET: address_spaces guid name vni
DASH_VNET_MAPPING_TABLE: ip_addr mac_address routing_type underlay_ip use_dst_vni vnet
DEBUG_COUNTER: alias desc drop_count_threshold drop_monitor_status group incident_count_threshold name type
 window
DEBUG_COUNTER_DROP_REASON: name reason
DEBUG_DROP_MONITOR: status
DEFAULT_LOSSLESS_BUFFER_PARAMETER: default_dynamic_th name over_subscribe_ratio
DEVICE_METADATA: anchor_route_source@202605 asic_id asic_name async_swss_rec@202605 bgp_adv_lo_prefix_as_128
 bgp_asn bgp_router_id bmc_addr@202605 bmc_if_addr@202605 bmc_if_name@202605 bmc_net_mask@202605 buffer_model
 chassis_hostname cloudtype cluster create_only_config_db_buffers default_bgp_status default_pfcwd_status
 deployment_id dhcp_server docker_routing_config_mode downstream_subrole dpu_auto_recovery@202605
 frr_mgmt_framework_config has_sonic_dhcpv4_relay@202605 hostname hwsku location_type@202605 mac max_cores
 mgmt_type nexthop_group orch_northbond_dash_zmq_enabled@202605 orch_northbond_route_zmq_enabled@202605
 orch_southbound_zmq_enabled@202605 peer_switch platform rack_mgmt_map region resource_type
 ring_thread_enabled@202605 route_state_async_publish@202605 slice_type storage_device sub_role subtype
 supporting_bulk_counter_groups suppress-fib-pending switch_id switch_type synchronous_mode
 syslog_counter@202605 syslog_with_osversion@202605 t2_group_asns@202605 timezone type
 use_template_render_for_restore@202605 yang_config_validation zebra_nexthop@202605
DEVICE_NEIGHBOR: local_port mgmt_addr name peer_name port type
DEVICE_NEIGHBOR_METADATA: cluster deployment_id hwsku lo_addr lo_addr_v6 mgmt_addr mgmt_addr_v6 name
 resource_type@202605 slice_type@202605 type
DHCPV4_RELAY: agent_relay_mode dhcpv4_servers link_selection max_hop_count name server_id_override server_vrf
 source_interface vrf_selection
DHCP_RELAY: dhcpv6_servers interface_id name rfc6939_support
DHCP_SERVER: ip
DHCP_SERVER_IPV4: customized_options gateway lease_time mode name netmask state
DHCP_SERVER_IPV4_CUSTOMIZED_OPTIONS: always_send@202605 id name type value
DHCP_SERVER_IPV4_PORT: ips name port ranges
DHCP_SERVER_IPV4_RANGE: name range
DNS_NAMESERVER: ip
DNS_OPTIONS: attempts ndots search timeout
DOT1P_TO_TC_MAP: *
DPU: dpu_id dpu_name gnmi_port local_port midplane_ipv4 orchagent_zmq_port pa_ipv4 pa_ipv6 state swbus_port
 vdpu_id vip_ipv4 vip_ipv6
DPUS: dpu_name midplane_interface
DSCP_TO_FC_MAP: *
DSCP_TO_TC_MAP: *
EVENT: action id resource severity text time-created type-id
EVENT_STATS: acked cleared events id raised
EXP_TO_FC_MAP: *
EXTENDED_COMMUNITY_SET: action community_member match_action name set_type
FABRIC_MONITOR: monCapacityThreshWarn monErrThreshCrcCells monErrThreshRxCells monPollThreshIsolation
 monPollThreshRecovery monState
FABRIC_PORT: alias forceUnisolateStatus isolateStatus lanes name
FEATURE: auto_restart check_up_status delayed has_global_scope has_per_asic_scope has_per_dpu_scope
 high_mem_alert name set_owner state support_syslog_rate_limit
FG_NHG: bucket_size match_mode max_next_hops@202605 name
FG_NHG_MEMBER: FG_NHG bank link next_hop_ip
FG_NHG_PREFIX: FG_NHG ip_prefix
FIPS: enable enforce
FLEX_COUNTER_TABLE: BULK_CHUNK_SIZE BULK_CHUNK_SIZE_PER_PREFIX FLEX_COUNTER_DELAY_STATUS FLEX_COUNTER_STATUS
 POLL_INTERVAL
FLOW_COUNTER_ROUTE_PATTERN: ip_prefix max_match_count vrf_name
GNMI: ca_crt client_auth crl_expire_duration enable_crl log_level port save_on_set server_crt server_key
 user_auth
GNMI_CLIENT_CERT: cert_cname role
GRPCCLIENT: auth_level ca_crt client_crt client_key grpc_ssl_credential log_level type
HEARTBEAT: alert_interval heartbeat_interval name
HIGH_FREQUENCY_TELEMETRY_GROUP: group_name object_counters object_names profile_name
HIGH_FREQUENCY_TELEMETRY_PROFILE: name otel_certs otel_endpoint poll_interval stream_state
INTERFACE: family ip-prefix ipv6_use_link_local_only loopback_action mac_addr@202605 mpls name nat_zone scope
 vnet_name@202605 vrf_name
KDUMP: enabled memory num_dumps remote@202605 ssh_path@202605 ssh_string@202605
KUBERNETES_MASTER: disable insecure ip port
LDAP: base_dn bind_dn bind_password bind_timeout port timeout version
LDAP_SERVER: hostname priority
LEAK_CONTROL_POLICY: rack_mgr_critical_alert_action rack_mgr_leak_policy rack_mgr_minor_alert_action
 system_critical_leak_action system_leak_policy system_minor_leak_action
LEAK_PROFILE: leak_type max_minor_duration_sec sensor_type
LLDP: enabled hello_time mode multiplier supp_mgmt_address_tlv supp_system_capabilities_tlv system_description
 system_name
LLDP_PORT: enabled ifname mode
LOGGER: LOGLEVEL LOGOUTPUT name require_manual_refresh
LOOPBACK_INTERFACE: admin_status@202605 family ip-prefix name nat_zone scope vrf_name
LOSSLESS_TRAFFIC_PATTERN: mtu name small_packet_percentage
MACSEC_PROFILE: cipher_suite enable_replay_protect fallback_cak fallback_ckn name policy primary_cak primary_ckn
 priority rekey_period replay_window send_sci
MAC_MOVE_GUARD: action action_interval detect_interval enabled threshold
MAP_PFC_PRIORITY_TO_QUEUE: *
MCLAG_DOMAIN: domain_id keepalive_interval peer_ip peer_link session_timeout source_ip
MCLAG_INTERFACE: domain_id if_name if_type
MCLAG_UNIQUE_IP: if_name unique_ip
MEMORY_STATISTICS: enabled retention_period sampling_interval
MGMT_INTERFACE: forced_mgmt_routes gwaddr ip_prefix name
MGMT_PORT: admin_status alias autoneg description mtu name speed
MGMT_VRF_CONFIG: mgmtVrfEnabled
MID_PLANE_BRIDGE: bridge ip_prefix
MIRROR_SESSION: direction dscp dst_ip dst_port gre_type name policer queue sample_rate@202605 src_ip src_port
 truncate_size@202605 ttl type
MPLS_TC_TO_TC_MAP: *
MUX_CABLE: cable_type ifname neighbor_mode@202605 prober_type@202605 server_ipv4 server_ipv6 soc_ipv4 soc_ipv6
 state
MUX_LINKMGR: interval_pck_loss_count_update interval_sec interval_v4 interval_v6 kill_radv log_verbosity
 negative_signal_count oscillation_enabled positive_signal_count src_mac suspend_timer use_well_known_mac
NAT_BINDINGS: name nat_pool nat_type twice_nat_id
NAT_GLOBAL: admin_mode nat_tcp_timeout nat_timeout nat_udp_timeout
NAT_POOL: name nat_ip nat_port
NEIGH: family neigh neighbor port
NTP: admin_state authentication dhcp server_role src_intf vrf
NTP_KEY: id@202605 trusted@202605 type@202605 value@202605
NTP_SERVER: admin_state association_type iburst key resolve_as server_address trusted version
NVGRE_TUNNEL: src_ip tunnel_name
NVGRE_TUNNEL_MAP: tunnel_map_name tunnel_name vlan_id vsid
PASSW_HARDENING: digits_class expiration expiration_warning history_cnt len_min lower_class
 reject_user_passw_match special_class state upper_class
PBH_HASH: hash_field_list hash_name
PBH_HASH_FIELD: hash_field hash_field_name ip_mask sequence_id
PBH_RULE: ether_type flow_counter gre_key hash inner_ether_type ip_protocol ipv6_next_header l4_dst_port
 packet_action priority rule_name table_name
PBH_TABLE: description interface_list table_name
PEER_SWITCH: address_ipv4 peer_switch
PFC_PRIORITY_TO_PRIORITY_GROUP_MAP: *
PFC_WD: POLL_INTERVAL action detection_time ifname pfc_stat_history@202605 restoration_time
POLICER: cbs cir color green_packet_action meter_type mode name pbs pir red_packet_action yellow_packet_action
PORT: admin_status adv_interface_types adv_speeds alias asic_port_name autoneg core_id core_port_id description
 dhcp_rate_limit dom_polling fast_linkup@202605 fec index interface_type lanes laser_freq link_training macsec
 mode mtu mux_cable name num_voq pfc_asym role speed subport tpid tx_power
PORTCHANNEL: admin_status description fallback fast_rate lacp_key min_links mode mtu name tpid
PORTCHANNEL_INTERFACE: ip_prefix ipv6_use_link_local_only loopback_action mac_addr@202605 mpls name nat_zone
 vrf_name
PORTCHANNEL_MEMBER: name port
PORT_QOS_MAP: dot1p_to_tc_map dscp_to_tc_map ifname pfc_enable pfc_to_pg_map pfc_to_queue_map pfcwd_sw_enable
 scheduler tc_to_dscp_map tc_to_pg_map tc_to_queue_map
PORT_STORM_CONTROL: ifname kbps storm_type
PREFIX: action ip_prefix masklength_range name sequence_number
PREFIX_LIST: family ip-prefix prefix_type
PREFIX_SET: mode name
QUEUE: asic_name hostname ifname qindex scheduler wred_profile
RADIUS: auth_type nas_ip passkey retransmit src_ip statistics timeout
RADIUS_SERVER: auth_port auth_type ipaddress passkey priority retransmit src_intf timeout vrf
REMOTE_DPU: dpu_id dpu_name npu_ipv4 npu_ipv6 pa_ipv4 pa_ipv6 swbus_port type
RESTAPI: allow_insecure ca_crt client_auth client_crt_cname log_level server_crt server_key
ROUTE_MAP: call_route_map match_as_path match_community match_ext_community match_interface
 match_ipv6_prefix_set match_local_pref match_med match_neighbor match_next_hop_set match_origin
 match_prefix_set match_protocol match_src_vrf match_tag name route_operation set_asn set_asn_list
 set_community_inline set_community_ref set_ext_community_inline set_ext_community_ref set_ipv6_next_hop_global
 set_ipv6_next_hop_prefer_global set_local_pref set_med set_metric set_metric_action set_next_hop set_origin
 set_repeat_asn set_tag stmt_name
ROUTE_MAP_SET: name
ROUTE_REDISTRIBUTE: addr_family dst_protocol metric route_map src_protocol vrf_name
SCHEDULER: cbs cir meter_type name pbs pir priority type weight
SERIAL_CONSOLE: inactivity_timeout sysrq_capabilities
SFLOW: admin_state agent_id polling_interval sample_direction
SFLOW_COLLECTOR: collector_ip collector_port collector_vrf name
SFLOW_SESSION: admin_state port sample_direction sample_rate
SNMP: Contact Location
SNMP_AGENT_ADDRESS_CONFIG: agent_ip port vrf_name
SNMP_COMMUNITY: TYPE name
SNMP_USER: SNMP_USER_AUTH_PASSWORD SNMP_USER_AUTH_TYPE SNMP_USER_ENCRYPTION_PASSWORD SNMP_USER_ENCRYPTION_TYPE
 SNMP_USER_PERMISSION SNMP_USER_TYPE name
SRV6_MY_LOCATORS: arg_len block_len func_len locator_name node_len prefix vrf
SRV6_MY_SIDS: action decap_dscp_mode decap_vrf ip_prefix locator
SSH_SERVER: authentication_retries ciphers@202605 inactivity_timeout kex_algorithms@202605 login_timeout
 macs@202605 max_sessions password_authentication@202605 permit_root_login@202605 ports
STATIC_NAPT: global_ip global_l4_port ip_protocol local_ip local_port nat_type twice_nat_id
STATIC_NAT: global_ip local_ip nat_type twice_nat_id
STATIC_ROUTE: advertise bfd blackhole distance ifname nexthop nexthop-vrf prefix vrf_name
STORMOND_CONFIG: daemon_polling_interval fsstats_sync_interval
STP: forward_delay hello_time keyleaf max_age mode priority rootguard_timeout
STP_MST: forward_delay hello_time hold_count keyleaf max_age max_hops name revision
STP_MST_INST: bridge_priority instance vlan
STP_MST_PORT: ifname inst_id path_cost priority
STP_PORT: bpdu_guard bpdu_guard_do_disable edge_port enabled ifname link_type path_cost portfast priority
 root_guard uplink_fast
STP_VLAN: enabled forward_delay hello_time max_age name priority vlanid
STP_VLAN_PORT: ifname path_cost priority vlan-name
SUBNET_DECAP: name src_ip src_ip_v6 status
SUPPRESS_ASIC_SDK_HEALTH_EVENT: categories max_events severity
SWITCH_FAST_LINKUP: ber_threshold guard_time polling_time
SWITCH_HASH: ecmp_hash ecmp_hash_algorithm lag_hash lag_hash_algorithm
SWITCH_TRIMMING: dscp_value queue_index size tc_value
SYSLOG_CONFIG: format rate_limit_burst rate_limit_interval severity welf_firewall_name
SYSLOG_CONFIG_FEATURE: rate_limit_burst rate_limit_interval service
SYSLOG_SERVER: filter filter_regex port protocol server_address severity source vrf
SYSTEM_DEFAULTS: name status
SYSTEM_PORT: asic_name core_index core_port_index hostname ifname num_voq speed switch_id system_port_id
TACPLUS: auth_type key_encrypt@202605 passkey src_intf timeout
TACPLUS_SERVER: auth_type ipaddress key_encrypt@202605 passkey priority tcp_port timeout vrf
TC_TO_DSCP_MAP: *
TC_TO_PRIORITY_GROUP_MAP: *
TC_TO_QUEUE_MAP: *
TELEMETRY: ca_crt client_auth crl_expire_duration enable_crl log_level port save_on_set server_crt server_key
 user_auth
TELEMETRY_CLIENT: dst_addr dst_group encoding name path_target paths prefix report_interval report_type
 retry_interval src_ip unidirectional
TUNNEL: decap_dscp_to_tc_map decap_tc_to_pg_map dscp_mode dst_ip ecn_mode encap_ecn_mode encap_tc_to_dscp_map
 encap_tc_to_queue_map mux_tunnel src_ip ttl_mode tunnel_type
VDPU: main_dpu_ids profile tier vdpu_id
VERSIONS: VERSION
VLAN: admin_status alias description dhcp_servers dhcpv6_servers mac mtu name vlanid
VLAN_INTERFACE: family grat_arp ip-prefix ipv6_use_link_local_only loopback_action mac_addr@202605 mpls name
 nat_zone proxy_arp scope secondary vnet_name@202605 vrf_name
VLAN_MEMBER: name port tagging_mode
VLAN_SUB_INTERFACE: admin_status ip-prefix loopback_action name vlan vnet_name@202605 vrf_name
VNET: advertise_prefix guid name overlay_dmac peer_list scope src_mac vni vxlan_tunnel
VNET_ROUTE: ifname nexthop prefix vnet_name
VNET_ROUTE_TUNNEL: consistent_hashing_buckets endpoint mac_address metric prefix vnet_name vni
VOQ_INBAND_INTERFACE: inband_type ip-prefix name
VRF: fallback name vni
VXLAN_EVPN_NVO: name source_vtep
VXLAN_TUNNEL: dst_ip name src_ip ttl_mode@202605
VXLAN_TUNNEL_MAP: mapname name vlan vni
WARM_RESTART: bgp_eoiu bgp_timer module neighsyncd_timer teamsyncd_timer
WRED_PROFILE: ecn green_drop_probability green_max_threshold green_min_threshold name red_drop_probability
 red_max_threshold red_min_threshold wred_green_enable wred_red_enable wred_yellow_enable
 yellow_drop_probability yellow_max_threshold yellow_min_threshold
XCVRD_LOG: log_verbosity
ZTP: inband ipv4 ipv6 out-of-band product-name profile serial-no
"""


def _fields(line: str) -> tuple[str, Mapping[str, tuple[str, ...]]]:
    table, _colon, rest = line.partition(":")
    found = {}
    for word in rest.split():
        name, _mark, release = word.partition("@")
        found[name] = (release,) if release else RELEASES[table]
    return table, MappingProxyType(found)


#: By table, the releases whose models have a field, by its name.
FIELDS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    dict(_fields(line) for line in _TEXT.replace("\n ", " ").split("\n") if line)
)
