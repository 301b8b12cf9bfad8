# SPDX-License-Identifier: Apache-2.0
"""Which fields of a row become which commands of FRR, on the event path (frrcfgd's behaviour, SONiC 202605).

``{}`` in a command is the value of the field, ``{name}`` the neighbour the row is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """What some fields of a row say to FRR. Without the first of them nothing is said.

    :param each: the commands are members of a set: one that is gone is taken back.
    """

    fields: tuple[str, ...]
    make: Callable[[Row, str], list[str]]
    each: bool = False
    daemons: tuple[str, ...] = ()

    def commands(self, row: Row, name: str) -> list[str]:
        """The commands for a row."""
        made = self.make(row, name) if self.fields[0] in row else []
        return [" ".join(command.split()) for command in made]


def negated(command: str) -> str:
    """The opposite of a command."""
    return command[3:] if command.startswith("no ") else f"no {command}"


def value(field: str, command: str, *daemons: str) -> Line:
    """A command with the value of a field in it."""

    def make(row: Row, name: str) -> list[str]:
        found = row[field]
        return [command.format(" ".join(found) if isinstance(found, list) else found, name=name)]

    return Line((field,), make, daemons=daemons)


def flag(field: str, command: str, on: str = "true") -> Line:
    """A command, or its opposite for any other value."""

    def make(row: Row, name: str) -> list[str]:
        said = command.format(name=name)
        return [said if row[field] == on else negated(said)]

    return Line((field,), make)


def members(field: str, command: str, *daemons: str) -> Line:
    """A command for each item of a list."""

    def make(row: Row, name: str) -> list[str]:
        return [command.format(item, name=name) for item in listed(row[field])]

    return Line((field,), make, each=True, daemons=daemons)


def listed(found: Any) -> list[str]:
    """The items of a field that should be a list."""
    return found if isinstance(found, list) else [item for item in str(found).split(",") if item]


def _enabled(row: Row, field: str) -> bool:
    return row.get(field) == "true"


def _pair(first: str, second: str, command: str) -> Line:
    def make(row: Row, name: str) -> list[str]:
        return [command.format(row[first], row[second], name=name)] if second in row else []

    return Line((first, second), make)


def _relax(row: Row, _name: str) -> list[str]:
    how = {"true": "as-set", "false": "no-as-set"}.get(str(row.get("as_path_mp_as_set", "")), "")
    said = f"bgp bestpath as-path multipath-relax {how}"
    return [said if _enabled(row, "load_balance_mp_relax") else "no bgp bestpath as-path multipath-relax"]


GLOBALS = (
    value("router_id", "bgp router-id {}"),
    Line(("load_balance_mp_relax", "as_path_mp_as_set"), _relax),
    flag("log_nbr_state_changes", "bgp log-neighbor-changes"),
    flag("always_compare_med", "bgp always-compare-med"),
    flag("default_ipv4_unicast", "bgp default ipv4-unicast"),
    value("default_local_preference", "bgp default local-preference {}"),
    flag("default_show_hostname", "bgp default show-hostname"),
    flag("default_shutdown", "bgp default shutdown"),
    flag("deterministic_med", "bgp deterministic-med"),
    flag("disable_ebgp_connected_rt_check", "bgp disable-ebgp-connected-route-check"),
    flag("fast_external_failover", "bgp fast-external-failover"),
    flag("graceful_restart_enable", "bgp graceful-restart"),
    flag("gr_preserve_fw_state", "bgp graceful-restart preserve-fw-state"),
    value("gr_restart_time", "bgp graceful-restart restart-time {}"),
    value("gr_stale_routes_time", "bgp graceful-restart stalepath-time {}"),
    flag("graceful_shutdown", "bgp graceful-shutdown"),
    flag("ignore_as_path_length", "bgp bestpath as-path ignore"),
    flag("external_compare_router_id", "bgp bestpath compare-routerid"),
    flag("rr_clnt_to_clnt_reflection", "bgp client-to-client reflection"),
    value("rr_cluster_id", "bgp cluster-id {}"),
    value("max_dynamic_neighbors", "bgp listen limit {}"),
    value("coalesce_time", "coalesce-time {}"),
    value("route_map_process_delay", "bgp route-map delay-timer {}"),
    flag("network_import_check", "bgp network import-check"),
    value("read_quanta", "read-quanta {}"),
    value("write_quanta", "write-quanta {}"),
    _pair("keepalive", "holdtime", "timers bgp {} {}"),
    value("confed_id", "bgp confederation identifier {}"),
    members("confed_peers", "bgp confederation peers {}"),
)


def _distance(row: Row, _name: str) -> list[str]:
    values = [row.get(f"{kind}_route_distance", "") for kind in ("ebgp", "ibgp", "local")]
    return [f"distance bgp {' '.join(values)}"] if all(values) else []


def _ibgp_paths(row: Row, _name: str) -> list[str]:
    equal = "equal-cluster-length" if _enabled(row, "ibgp_equal_cluster_length") else ""
    return [f"maximum-paths ibgp {row['max_ibgp_paths']} {equal}"]


GLOBALS_AF = (
    Line(("ebgp_route_distance", "ibgp_route_distance", "local_route_distance"), _distance),
    value("max_ebgp_paths", "maximum-paths {}"),
    Line(("max_ibgp_paths", "ibgp_equal_cluster_length"), _ibgp_paths),
    value("route_download_filter", "table-map {}"),
    flag("advertise-all-vni", "advertise-all-vni"),
    flag("advertise-svi-ip", "advertise-svi-ip"),
    flag("advertise-default-gw", "advertise-default-gw"),
    flag("advertise-ipv4-unicast", "advertise ipv4 unicast"),
    flag("advertise-ipv6-unicast", "advertise ipv6 unicast"),
    flag("default-originate-ipv4", "default-originate ipv4"),
    flag("default-originate-ipv6", "default-originate ipv6"),
    value("autort", "autort {}"),
    value("flooding", "flooding {}"),
    flag("dad-enabled", "dup-addr-detection"),
    _pair("dad-max-moves", "dad-time", "dup-addr-detection max-moves {} time {}"),
    value("dad-freeze", "dup-addr-detection freeze {}"),
    value("route-distinguisher", "rd {}"),
    members("import-rts", "route-target import {}"),
    members("export-rts", "route-target export {}"),
    value("import_vrf", "import vrf {}"),
    value("import_vrf_route_map", "import vrf route-map {}"),
)


def _shutdown(row: Row, name: str) -> list[str]:
    if row["admin_status"] in ("up", "true"):
        return [f"no neighbor {name} shutdown"]
    return [f"neighbor {name} shutdown" + (f" message {row['shutdown_message']}" if "shutdown_message" in row else "")]


def _multihop(row: Row, name: str) -> list[str]:
    said = f"neighbor {name} ebgp-multihop"
    return [f"{said} {row.get('ebgp_multihop_ttl', '')}" if _enabled(row, "ebgp_multihop") else f"no {said}"]


def _local_as(row: Row, name: str) -> list[str]:
    words = [
        word
        for field, word in (("local_as_no_prepend", "no-prepend"), ("local_as_replace_as", "replace-as"))
        if _enabled(row, field)
    ]
    return [f"neighbor {name} local-as {row['local_asn']} {' '.join(words)}"]


_REMOTE = (value("asn", "neighbor {name} remote-as {}"), value("peer_type", "neighbor {name} remote-as {}"))
_LOCAL = Line(("local_asn", "local_as_no_prepend", "local_as_replace_as"), _local_as)
_PEER = (
    Line(("admin_status", "shutdown_message"), _shutdown),
    value("local_addr", "neighbor {name} update-source {}"),
    value("name", "neighbor {name} description {}"),
    Line(("ebgp_multihop", "ebgp_multihop_ttl"), _multihop),
    value("auth_password", "neighbor {name} password {} encrypted"),
    _pair("keepalive", "holdtime", "neighbor {name} timers {} {}"),
    value("conn_retry", "neighbor {name} timers connect {}"),
    value("min_adv_interval", "neighbor {name} advertisement-interval {}"),
    flag("passive_mode", "neighbor {name} passive"),
    flag("v6only", "neighbor {name} interface v6only"),
    flag("capability_ext_nexthop", "neighbor {name} capability extended-nexthop"),
    flag("disable_ebgp_connected_route_check", "neighbor {name} disable-connected-check"),
    flag("enforce_first_as", "neighbor {name} enforce-first-as"),
    flag("solo_peer", "neighbor {name} solo"),
    value("ttl_security_hops", "neighbor {name} ttl-security hops {}"),
    flag("bfd", "neighbor {name} bfd"),
    flag("bfd_check_ctrl_plane_failure", "neighbor {name} bfd check-control-plane-failure"),
    flag("capability_dynamic", "neighbor {name} capability dynamic"),
    flag("dont_negotiate_capability", "neighbor {name} dont-capability-negotiate"),
    flag("enforce_multihop", "neighbor {name} enforce-multihop"),
    flag("override_capability", "neighbor {name} override-capability"),
    value("peer_port", "neighbor {name} port {}"),
    flag("strict_capability_match", "neighbor {name} strict-capability-match"),
)
PEER_GROUP = (*_REMOTE, _LOCAL, *_PEER)
NEIGHBOR = (*_REMOTE, _LOCAL, value("peer_group_name", "neighbor {name} peer-group {}"), *_PEER)


def _activate(row: Row, name: str) -> list[str]:
    return [("" if row["admin_status"] in ("up", "true") else "no ") + f"neighbor {name} activate"]


def _allow_as(row: Row, name: str) -> list[str]:
    how = "origin" if _enabled(row, "allow_as_origin") else row.get("allow_as_count", "")
    said = f"neighbor {name} allowas-in"
    return [f"{said} {how}" if _enabled(row, "allow_as_in") else f"no {said}"]


def _default_route(row: Row, name: str) -> list[str]:
    policy = f" route-map {row['default_rmap']}" if "default_rmap" in row else ""
    said = f"neighbor {name} default-originate"
    return [said + policy if _enabled(row, "send_default_route") else f"no {said}"]


def _maximum(row: Row, name: str) -> list[str]:
    said = f"neighbor {name} maximum-prefix {row['max_prefix_limit']} {row.get('max_prefix_warning_threshold', '')}"
    if "max_prefix_restart_interval" in row:
        return [f"{said} restart {row['max_prefix_restart_interval']}"]
    return [f"{said} warning-only" if _enabled(row, "max_prefix_warning_only") else said]


def _communities(row: Row, name: str) -> list[str]:
    """FRR sends all kinds by itself: what is not wanted is taken back."""
    said = f"neighbor {name} send-community"
    kinds = {
        "standard": ("extended", "large"),
        "extended": ("standard", "large"),
        "large": ("both",),
        "both": ("large",),
    }
    wanted = str(row["send_community"])
    if wanted == "none":
        return [f"no {said} all"]
    return [f"{said} all", *(f"no {said} {kind}" for kind in kinds.get(wanted, ()))]


def _private_as(row: Row, name: str) -> list[str]:
    words = [
        word
        for field, word in (("remove_private_as_all", "all"), ("replace_private_as", "replace-AS"))
        if _enabled(row, field)
    ]
    said = f"neighbor {name} remove-private-AS {' '.join(words)}"
    return [said if _enabled(row, "remove_private_as_enabled") else f"no neighbor {name} remove-private-AS"]


NEIGHBOR_AF = (
    Line(("allow_as_in", "allow_as_count", "allow_as_origin"), _allow_as),
    Line(("admin_status",), _activate),
    Line(("send_default_route", "default_rmap"), _default_route),
    Line(
        (
            "max_prefix_limit",
            "max_prefix_warning_threshold",
            "max_prefix_restart_interval",
            "max_prefix_warning_only",
        ),
        _maximum,
    ),
    value("route_map_in", "neighbor {name} route-map {} in"),
    value("route_map_out", "neighbor {name} route-map {} out"),
    flag("soft_reconfiguration_in", "neighbor {name} soft-reconfiguration inbound"),
    value("unsuppress_map_name", "neighbor {name} unsuppress-map {}"),
    flag("rrclient", "neighbor {name} route-reflector-client"),
    value("weight", "neighbor {name} weight {}"),
    flag("as_override", "neighbor {name} as-override"),
    Line(("send_community",), _communities),
    value("filter_list_in", "neighbor {name} filter-list {} in"),
    value("filter_list_out", "neighbor {name} filter-list {} out"),
    flag("nhself", "neighbor {name} next-hop-self"),
    flag("nexthop_self_force", "neighbor {name} next-hop-self force"),
    value("prefix_list_in", "neighbor {name} prefix-list {} in"),
    value("prefix_list_out", "neighbor {name} prefix-list {} out"),
    Line(("remove_private_as_enabled", "remove_private_as_all", "replace_private_as"), _private_as),
    flag("route_server_client", "neighbor {name} route-server-client"),
)
