# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which field of CONFIG_DB becomes which line of FRR's configuration.

Facts taken from the behaviour of the boot templates of sonic-frr-mgmt-framework (SONiC 202605): what they read, and
what they write for it. ``{}`` is the value, ``{name}`` the neighbour. A line that depends on more than one field is
made in :mod:`boot`.
"""

from __future__ import annotations

#: (field, value that counts or "" for any, line)
FieldLine = tuple[str, str, str]

GLOBALS: tuple[FieldLine, ...] = (
    ("fast_external_failover", "false", "no bgp fast-external-failover"),
    ("router_id", "", "bgp router-id {}"),
    ("log_nbr_state_changes", "true", "bgp log-neighbor-changes"),
    ("always_compare_med", "true", "bgp always-compare-med"),
    ("confed_id", "", "bgp confederation identifier {}"),
    ("confed_peers", "", "bgp confederation peers {}"),
    ("default_local_preference", "", "bgp default local-preference {}"),
    ("default_show_hostname", "true", "bgp default show-hostname"),
    ("default_shutdown", "true", "bgp default shutdown"),
    ("default_subgroup_pkt_queue_max", "", "bgp default subgroup-pkt-queue-max {}"),
    ("rr_clnt_to_clnt_reflection", "false", "no bgp client-to-client reflection"),
    ("rr_cluster_id", "", "bgp cluster-id {}"),
    ("disable_ebgp_connected_rt_check", "true", "bgp disable-ebgp-connected-route-check"),
    ("deterministic_med", "true", "bgp deterministic-med"),
    ("read_quanta", "", "read-quanta {}"),
    ("write_quanta", "", "write-quanta {}"),
    ("coalesce_time", "", "coalesce-time {}"),
    ("gr_stale_routes_time", "", "bgp graceful-restart stalepath-time {}"),
    ("gr_restart_time", "", "bgp graceful-restart restart-time {}"),
    ("graceful_restart_enable", "true", "bgp graceful-restart"),
    ("graceful_shutdown", "true", "bgp graceful-shutdown"),
    ("gr_preserve_fw_state", "true", "bgp graceful-restart preserve-fw-state"),
    # read as "is it there": the value false does the same as true
    ("ignore_as_path_length", "", "bgp bestpath as-path ignore"),
    ("compare_confed_as_path", "true", "bgp bestpath as-path confed"),
    ("rr_allow_out_policy", "true", "bgp route-reflector allow-outbound-policy"),
    ("external_compare_router_id", "", "bgp bestpath compare-routerid"),
    ("med_confed", "true", "bgp bestpath med confed"),
    ("med_missing_as_worst", "true", "bgp bestpath med confed missing-as-worst"),
    ("network_import_check", "true", "bgp network import-check"),
    ("max_dynamic_neighbors", "", "bgp listen limit {}"),
    ("route_map_process_delay", "", "bgp route-map delay-timer {}"),
)

NEIGHBOR: tuple[FieldLine, ...] = (
    ("local_asn", "", "neighbor {name} local-as {}"),
    ("name", "", "neighbor {name} description {}"),
    ("bfd", "true", "neighbor {name} bfd"),
    ("ttl_security_hops", "", "neighbor {name} ttl-security hops {}"),
    ("auth_password", "", "neighbor {name} password {} encrypted"),
    ("solo_peer", "true", "neighbor {name} solo"),
    ("peer_port", "", "neighbor {name} port {}"),
    ("passive_mode", "true", "neighbor {name} passive"),
    ("disable_ebgp_connected_route_check", "true", "neighbor {name} disable-connected-check"),
    ("enforce_first_as", "true", "neighbor {name} enforce-first-as"),
    ("local_addr", "", "neighbor {name} update-source {}"),
    ("min_adv_interval", "", "neighbor {name} advertisement-interval {}"),
    ("conn_retry", "", "neighbor {name} timers connect {}"),
    ("capability_dynamic", "true", "neighbor {name} capability dynamic"),
    ("capability_ext_nexthop", "true", "neighbor {name} capability extended-nexthop"),
    ("dont_negotiate_capability", "true", "neighbor {name} dont-capability-negotiate"),
    ("enforce_multihop", "true", "neighbor {name} enforce-multihop"),
    ("override_capability", "true", "neighbor {name} override-capability"),
)

NEIGHBOR_AF: tuple[FieldLine, ...] = (
    ("tx_add_paths", "tx_all_paths", "neighbor {name} addpath-tx-all-paths"),
    ("tx_add_paths", "tx_best_path_per_as", "neighbor {name} addpath-tx-bestpath-per-AS"),
    ("as_override", "true", "neighbor {name} as-override"),
    ("rrclient", "true", "neighbor {name} route-reflector-client"),
    ("soft_reconfiguration_in", "true", "neighbor {name} soft-reconfiguration inbound"),
    ("route_server_client", "true", "neighbor {name} route-server-client"),
    ("add_path_tx_all", "true", "neighbor {name} addpath-tx-all-paths"),
    ("add_path_tx_bestpath", "true", "neighbor {name} addpath-tx-bestpath-per-AS"),
    ("cap_orf", "", "neighbor {name} capability orf prefix-list {}"),
    ("weight", "", "neighbor {name} weight {}"),
    ("prefix_list_in", "", "neighbor {name} prefix-list {} in"),
    ("prefix_list_out", "", "neighbor {name} prefix-list {} out"),
    ("unsuppress_map_name", "", "neighbor {name} unsuppress-map {}"),
    ("filter_list_in", "", "neighbor {name} filter-list {} in"),
    ("filter_list_out", "", "neighbor {name} filter-list {} out"),
)

#: What is taken back for each value of ``send_community``; FRR sends all three kinds by itself.
COMMUNITIES: dict[str, tuple[str, ...]] = {
    "standard": (" extended", " large"),
    "extended": ("", " large"),
    "large": ("", " extended"),
    "both": (" large",),
    "none": (" all",),
}

GLOBALS_AF: tuple[FieldLine, ...] = (
    ("import_vrf", "", "import vrf {}"),
    ("import_vrf_route_map", "", "import vrf route-map {}"),
    ("max_ebgp_paths", "", "maximum-paths {}"),
    ("route_download_filter", "", "table-map {}"),
)

EVPN: tuple[FieldLine, ...] = (
    ("advertise-all-vni", "true", "advertise-all-vni"),
    ("advertise-svi-ip", "true", "advertise-svi-ip"),
    ("autort", "", "autort {}"),
    ("advertise-default-gw", "true", "advertise-default-gw"),
    ("flooding", "", "flooding {}"),
    ("dad-freeze", "", "dup-addr-detection freeze {}"),
    ("advertise-ipv4-unicast", "true", "advertise ipv4 unicast"),
    ("advertise-ipv6-unicast", "true", "advertise ipv6 unicast"),
    ("default-originate-ipv4", "true", "default-originate ipv4"),
    ("default-originate-ipv6", "true", "default-originate ipv6"),
    ("route-distinguisher", "", "rd {}"),
)

ROUTE_MAP: tuple[FieldLine, ...] = (
    ("description", "", "description {}"),
    ("match_as_path", "", "match as-path {}"),
    ("call_route_map", "", "call {}"),
    ("match_community", "", "match community {}"),
    ("match_ext_community", "", "match extcommunity {}"),
    ("match_interface", "", "match interface {}"),
    ("match_src_vrf", "", "match source-vrf {}"),
    ("match_local_pref", "", "match local-preference {}"),
    ("match_med", "", "match metric {}"),
    ("match_protocol", "", "match source-protocol {}"),
    ("set_community_ref", "", "set community {}"),
    ("set_ext_community_ref", "", "set extcommunity {}"),
    ("set_tag", "", "set tag {}"),
    ("set_next_hop", "", "set ip next-hop {}"),
    ("set_ipv6_next_hop_global", "", "set ipv6 next-hop global {}"),
    ("set_ipv6_next_hop_prefer_global", "true", "set ipv6 next-hop prefer-global"),
)

#: What the boot file says on every switch, whatever its CONFIG_DB holds.
CONSTANT = (
    "password zebra",
    "enable password zebra",
    "log syslog informational",
    "log facility local4",
    "agentx",
    "fpm address 127.0.0.1",
    "ip nht resolve-via-default",
    "ipv6 nht resolve-via-default",
)
#: What FRR takes from the boot file and does not show: its defaults, and what only SONiC's zebra knows.
UNSHOWN = frozenset(
    {
        "agentx",
        "fpm address 127.0.0.1",
        "fpm use-next-hop-groups",
        "no fpm use-next-hop-groups",
        "ip nht resolve-via-default",
        "ipv6 nht resolve-via-default",
    }
)
#: What the event path never writes: the lines of the boot file that come from no table.
BOOT_ONLY = frozenset({"password zebra", "enable password zebra", "log syslog informational", "log facility local4"})
