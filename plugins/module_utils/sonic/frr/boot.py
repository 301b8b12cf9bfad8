# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""CONFIG_DB -> the FRR configuration that SONiC's boot templates make of it (unified mode, frr-mgmt-framework).

The same routers can come out of three paths, which do not agree (:mod:`faults` lists where):

* ``boot``: the templates write ``frr.conf`` when the bgp container starts;
* ``live``: frrcfgd follows rows one by one, in an order that respects their references;
* ``load``: frrcfgd follows rows in the order of table names, as ``config load`` writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .fields import (
    COMMUNITIES,
    CONSTANT,
    EVPN,
    GLOBALS,
    GLOBALS_AF,
    NEIGHBOR,
    NEIGHBOR_AF,
    FieldLine,
)
from .lines import Section, Sections
from .policy import prefix_lists, route_maps
from .routes import static_routes
from .tidy import tidy

Row = Mapping[str, Any]
Config = Mapping[str, Mapping[str, Row]]

FAMILIES = {"ipv4_unicast": "ipv4 unicast", "ipv6_unicast": "ipv6 unicast", "l2vpn_evpn": "l2vpn evpn"}
#: Without a row in one of these tables no address family is written at all.
_AF_TABLES = (
    "BGP_GLOBALS_AF",
    "BGP_GLOBALS_AF_NETWORK",
    "BGP_GLOBALS_AF_AGGREGATE_ADDR",
    "ROUTE_REDISTRIBUTE",
    "BGP_PEER_GROUP_AF",
    "BGP_NEIGHBOR_AF",
)


def boot(config: Config) -> dict[Section, frozenset[str]]:
    """The sections of the boot file; constants of the template (passwords, logging, FPM) included."""
    config = tidy(config)
    found = Sections()
    found.add((), *CONSTANT)
    metadata = config.get("DEVICE_METADATA", {}).get("localhost", {})
    found.add((), f"hostname {metadata.get('hostname', 'sonic')}")
    enabled = metadata.get("nexthop_group") == "enabled"
    found.add((), ("" if enabled else "no ") + "fpm use-next-hop-groups")
    _link_detect(config, found)
    static_routes(config, found)
    prefix_lists(config, found, live=False)
    route_maps(config, found, live=False)
    _sets(config, found)
    routers(config, found)
    return found.frozen()


def fields_of(row: Row, table: tuple[FieldLine, ...], name: str = "") -> Iterator[str]:
    """The lines that single fields of a row stand for."""
    for field, wanted, line in table:
        if field in row and (not wanted or row[field] == wanted):
            value = " ".join(row[field]) if isinstance(row[field], list) else str(row[field])
            yield line.format(value, name=name)


def _link_detect(config: Config, found: Sections) -> None:
    """``link-detect`` on every routed port with an address, and on every port channel."""
    addressed = {key.split("|")[0] for key in config.get("INTERFACE", {}) if "|" in key}
    for name in addressed | set(config.get("PORTCHANNEL", {})):
        found.add((f"interface {name}",), "link-detect")


def _sets(config: Config, found: Sections) -> None:
    for name, row in config.get("AS_PATH_SET", {}).items():
        for path in row.get("as_path_set_member", ()):
            found.add((), f"bgp as-path access-list {name} permit {path}")


def routers(config: Config, found: Sections, *, in_groups: bool = True) -> None:
    """``router bgp`` of every VRF that has an AS number.

    :param in_groups: unnumbered neighbours join their peer group (they do not on the ``load`` path).
    """
    for vrf, row in config.get("BGP_GLOBALS", {}).items():
        if "local_asn" not in row:
            continue
        section = (f"router bgp {row['local_asn']}" + ("" if vrf == "default" else f" vrf {vrf}"),)
        found.add(section, *fields_of(row, GLOBALS), *_globals(row))
        for group, fields in _rows(config, "BGP_PEER_GROUP", vrf):
            found.add(section, f"neighbor {group[0]} peer-group", *_neighbor(group[0], fields, "", in_groups=True))
        for name, fields in _rows(config, "BGP_NEIGHBOR", vrf):
            how = "" if ":" in name[0] or name[0].replace(".", "").isdigit() else "interface "
            found.add(section, *_neighbor(name[0], fields, how, in_groups=in_groups))
        for prefix, fields in _rows(config, "BGP_GLOBALS_LISTEN_PREFIX", vrf):
            if "peer_group" in fields:
                found.add(section, f"bgp listen range {prefix[0]} peer-group {fields['peer_group']}")
        if any(config.get(table) for table in _AF_TABLES):
            for family in FAMILIES:
                _address_family(config, found, section, vrf, family)


def _rows(config: Config, table: str, vrf: str, parts: int = 1) -> Iterator[tuple[tuple[str, ...], Row]]:
    """Rows of a VRF, with the (at least ``parts``) parts that follow it in their keys."""
    for key, row in config.get(table, {}).items():
        head, *rest = key.split("|")
        if head == vrf and len(rest) >= parts:
            yield tuple(rest), row


def _globals(row: Row) -> Iterator[str]:
    yield "bgp default ipv4-unicast" if row.get("default_ipv4_unicast") == "true" else "no bgp default ipv4-unicast"
    if "max_delay" in row:
        yield f"update-delay {row['max_delay']} {row.get('establish_wait', '')}"
    if "max_med_time" in row:
        yield f"bgp max-med on-startup {row['max_med_time']} {row.get('max_med_val', '')}"
    if "max_med_admin" in row:
        yield f"bgp max-med administrative {row.get('max_med_admin_val', '')}"
    if row.get("load_balance_mp_relax") == "true":
        as_set = {"true": "as-set", "false": "no-as-set"}.get(str(row.get("as_path_mp_as_set", "")), "")
        yield f"bgp bestpath as-path multipath-relax {as_set}"


def _neighbor(name: str, row: Row, how: str, *, in_groups: bool) -> Iterator[str]:
    """Lines of a neighbour or peer group.

    :param how: ``interface`` in front of what an unnumbered neighbour is told first.
    """
    remote = row.get("peer_type") or row.get("asn")
    if remote:
        yield f"neighbor {name} {how}remote-as {remote}"
    if "peer_group_name" in row:
        if in_groups:
            yield f"neighbor {name} {how}peer-group {row['peer_group_name']}"
        elif not remote:
            yield f"neighbor {name} {how}"
    if row.get("admin_status") in ("down", "false"):
        yield f"neighbor {name} shutdown" + (f" message {row['shutdown_message']}" if "shutdown_message" in row else "")
    hops = row.get("ebgp_multihop_ttl") or ("255" if row.get("ebgp_multihop") == "true" else "")
    if hops:
        yield f"neighbor {name} ebgp-multihop {hops}"
    if "keepalive" in row and "holdtime" in row:
        yield f"neighbor {name} timers {row['keepalive']} {row['holdtime']}"
    yield from fields_of(row, NEIGHBOR, name)


def _address_family(config: Config, found: Sections, router: Section, vrf: str, family: str) -> None:
    section = (*router, f"address-family {FAMILIES[family]}")
    found.add(section)
    _originated(config, found, section, vrf, family)
    for table in ("BGP_PEER_GROUP_AF", "BGP_NEIGHBOR_AF"):
        for key, row in _rows(config, table, vrf, 2):
            if key[1] == family:
                found.add(section, *_neighbor_af(key[0], row), *_maximum_prefix(key[0], row))
    for key, row in _rows(config, "BGP_GLOBALS_AF", vrf):
        if key[0] == family:
            found.add(section, *fields_of(row, GLOBALS_AF), *_family(row))
            if family == "l2vpn_evpn":
                found.add(section, *fields_of(row, EVPN), *_evpn(row))


def _originated(config: Config, found: Sections, section: Section, vrf: str, family: str) -> None:
    """What the switch announces by itself: networks, aggregates, redistributed routes."""
    for key, row in _rows(config, "BGP_GLOBALS_AF_NETWORK", vrf, 2):
        if key[0] == family:
            policy = f"route-map {row['policy']}" if "policy" in row else ""
            found.add(section, f"network {key[1]} {'backdoor' if row.get('backdoor') == 'true' else ''} {policy}")
    for key, row in _rows(config, "BGP_GLOBALS_AF_AGGREGATE_ADDR", vrf, 2):
        if key[0] == family:
            how = [word for word in ("as_set", "summary_only") if row.get(word) == "true"]
            found.add(section, f"aggregate-address {key[1]} {' '.join(how).replace('_', '-')}")
    for key, row in _rows(config, "ROUTE_REDISTRIBUTE", vrf, 3):
        if key[2] == family.split("_")[0]:
            maps = row.get("route_map") or [""]
            found.add(section, *(f"redistribute {key[0]} {'route-map ' + name if name else ''}" for name in maps))


def _neighbor_af(name: str, row: Row) -> Iterator[str]:
    if "admin_status" in row:
        yield ("" if row["admin_status"] in ("up", "true") else "no ") + f"neighbor {name} activate"
    if row.get("nhself") == "true":
        yield f"neighbor {name} next-hop-self" + (" force" if row.get("nexthop_self_force") == "true" else "")
    if row.get("remove_private_as_enabled") == "true":
        words = [word for field, word in _PRIVATE_AS if row.get(field) == "true"]
        yield " ".join((f"neighbor {name} remove-private-AS", *words))
    for kind in COMMUNITIES.get(str(row.get("send_community", "")), ()):
        yield f"no neighbor {name} send-community{kind}"
    if row.get("send_default_route") == "true":
        yield f"neighbor {name} default-originate" + (
            f" route-map {row['default_rmap']}" if "default_rmap" in row else ""
        )
    if row.get("allow_as_in") == "true":
        how = "origin" if row.get("allow_as_origin") == "true" else row.get("allow_as_count", "")
        yield f"neighbor {name} allowas-in {how}"
    for direction in ("in", "out"):
        for policy in row.get(f"route_map_{direction}", ()):
            yield f"neighbor {name} route-map {policy} {direction}"
    unchanged = [word for field, word in _UNCHANGED if row.get(field) == "true"]
    if unchanged:
        yield f"neighbor {name} attribute-unchanged {' '.join(unchanged)}"
    yield from fields_of(row, NEIGHBOR_AF, name)


_PRIVATE_AS = (("remove_private_as_all", "all"), ("replace_private_as", "replace-AS"))
_UNCHANGED = (("unchanged_as_path", "as-path"), ("unchanged_med", "med"), ("unchanged_nexthop", "next-hop"))


def _maximum_prefix(name: str, row: Row) -> Iterator[str]:
    if "max_prefix_limit" in row:
        limit = f"{row['max_prefix_limit']} {row.get('max_prefix_warning_threshold', '')}"
        if "max_prefix_restart_interval" in row:
            limit += f" restart {row['max_prefix_restart_interval']}"
        elif row.get("max_prefix_warning_only") == "true":
            limit += " warning-only"
        yield f"neighbor {name} maximum-prefix {limit}"


def _family(row: Row) -> Iterator[str]:
    distances = [row.get(f"{kind}_route_distance", "") for kind in ("ebgp", "ibgp", "local")]
    if all(distances):
        yield f"distance bgp {' '.join(distances)}"
    if "max_ibgp_paths" in row:
        equal = "equal-cluster-length" if row.get("ibgp_equal_cluster_length") == "true" else ""
        yield f"maximum-paths ibgp {row['max_ibgp_paths']} {equal}"


def _evpn(row: Row) -> Iterator[str]:
    if "dad-enabled" in row and "dad-max-moves" in row and "dad-time" in row:
        yield f"dup-addr-detection max-moves {row['dad-max-moves']} time {row['dad-time']}"
    for direction in ("import", "export"):
        for target in row.get(f"{direction}-rts", ()):
            yield f"route-target {direction} {target}"
