# SPDX-License-Identifier: Apache-2.0
"""frr.conf as SONiC's templates write it when the bgp container starts (unified mode, frr-mgmt-framework, 202605)."""

from __future__ import annotations

from collections.abc import Iterator

from . import policy
from .fields import GLOBALS, GLOBALS_AF, NEIGHBOR, NEIGHBOR_AF, PEER_GROUP, Line, listed
from .rows import Config, Row

_FAMILIES = ("ipv4_unicast", "ipv6_unicast", "l2vpn_evpn")
_AF_TABLES = (
    "BGP_GLOBALS_AF",
    "BGP_GLOBALS_AF_NETWORK",
    "BGP_GLOBALS_AF_AGGREGATE_ADDR",
    "ROUTE_REDISTRIBUTE",
    "BGP_PEER_GROUP_AF",
    "BGP_NEIGHBOR_AF",
)
#: Fields that the event path knows and the templates do not read.
_UNREAD = {"set_local_pref", "default_ipv4_unicast", "nexthop_self_force"}
#: Commands that say no and are written all the same.
_WRITTEN = ("send-community", "activate", "fast-external-failover", "client-to-client")


def render(config: Config) -> str:
    """The file for a configuration."""
    lines = [*_head(config), *_interfaces(config)]
    for key, row in config.get("STATIC_ROUTE", {}).items():
        vrf, _bar, network = key.rpartition("|")
        found = policy.routes(network, row)
        lines += found if vrf in ("", "default") else [f"vrf {vrf}", *(f" {one}" for one in found), "exit-vrf", "!"]
    lines += [*_policy(config), *_routers(config)]
    return "\n".join(lines) + "\n"


def _head(config: Config) -> Iterator[str]:
    metadata = config.get("DEVICE_METADATA", {}).get("localhost", {})
    yield f"hostname {metadata.get('hostname', 'sonic')}"
    yield from ("password zebra", "enable password zebra", "log syslog informational", "log facility local4", "agentx")
    # SONiC's own file has two lines about its forwarding plane manager here, which Debian's zebra does not know
    yield from ("ip nht resolve-via-default", "ipv6 nht resolve-via-default", "!")


def _interfaces(config: Config) -> Iterator[str]:
    addressed = [key.partition("|")[0] for key in config.get("INTERFACE", {}) if "|" in key]
    for name in [*addressed, *config.get("PORTCHANNEL", {})]:
        yield from (f"interface {name}", " link-detect", "!")


def _policy(config: Config) -> Iterator[str]:
    sets = config.get("PREFIX_SET", {})
    modes = {name: row.get("mode", "").lower() for name, row in sets.items()}
    for key, row in config.get("PREFIX", {}).items():
        name, _bar, rest = key.partition("|")
        if modes.get(name) in policy.WORDS:
            yield policy.prefix(name, modes[name], rest, row, boot=True)
    for name, row in config.get("AS_PATH_SET", {}).items():
        for path in listed(row.get("as_path_set_member", [])):
            yield f"bgp as-path access-list {name} permit {path}"
    for key, row in config.get("ROUTE_MAP", {}).items():
        name, _bar, sequence = key.partition("|")
        if "route_operation" in row and sequence:
            matches = policy.matched_sets(modes, row)
            yield f"route-map {name} {row['route_operation']} {sequence}"
            yield from (f" {one}" for one in said(row, (*matches, *policy.ROUTE_MAP)))
            yield "!"


def said(row: Row, lines: tuple[Line, ...], name: str = "") -> list[str]:
    """The commands of a row, without those that say no to something."""
    known = {field: found for field, found in row.items() if field not in _UNREAD}
    made = [command for line in lines for command in line.commands(known, name)]
    wanted = [one for one in made if not one.startswith("no ") or any(word in one for word in _WRITTEN)]
    return [one for one in wanted if not one.endswith("send-community all") or one.startswith("no ")]


def _rows(config: Config, table: str, vrf: str) -> Iterator[tuple[str, Row]]:
    for key, row in config.get(table, {}).items():
        head, _bar, rest = key.partition("|")
        if head == vrf and rest:
            yield rest, row


def _routers(config: Config) -> Iterator[str]:
    for vrf, row in config.get("BGP_GLOBALS", {}).items():
        if "local_asn" not in row:
            continue
        yield f"router bgp {row['local_asn']}" + ("" if vrf == "default" else f" vrf {vrf}")
        default = "" if row.get("default_ipv4_unicast") == "true" else "no "
        yield f" {default}bgp default ipv4-unicast"
        yield from (f" {one}" for one in said(row, GLOBALS))
        for name, fields in _rows(config, "BGP_PEER_GROUP", vrf):
            yield f" neighbor {name} peer-group"
            yield from (f" {one}" for one in said(fields, PEER_GROUP, name))
        for name, fields in _rows(config, "BGP_NEIGHBOR", vrf):
            yield from (f" {one}" for one in _neighbor(name, fields))
        for prefix, fields in _rows(config, "BGP_GLOBALS_LISTEN_PREFIX", vrf):
            yield f" bgp listen range {prefix} peer-group {fields.get('peer_group', '')}"
        if any(config.get(table) for table in _AF_TABLES):
            for family in _FAMILIES:
                yield from _family(config, vrf, family)
        yield "!"


def _neighbor(name: str, row: Row) -> Iterator[str]:
    """What makes an unnumbered neighbour is told with ``interface``, the rest without."""
    address = ":" in name or name.replace(".", "").isdigit()
    for command in said(row, NEIGHBOR, name):
        first = command.startswith((f"neighbor {name} remote-as", f"neighbor {name} peer-group"))
        yield command.replace(name, f"{name} interface", 1) if first and not address else command


def _family(config: Config, vrf: str, family: str) -> Iterator[str]:
    yield f" address-family {family.replace('_', ' ')}"
    for key, row in _rows(config, "BGP_GLOBALS_AF_NETWORK", vrf):
        if key.startswith(f"{family}|"):
            how = f"route-map {row['policy']}" if "policy" in row else ""
            yield f"  network {key.partition('|')[2]} {'backdoor' if row.get('backdoor') == 'true' else ''} {how}"
    for key, row in _rows(config, "BGP_GLOBALS_AF_AGGREGATE_ADDR", vrf):
        if key.startswith(f"{family}|"):
            words = [word.replace("_", "-") for word in ("as_set", "summary_only") if row.get(word) == "true"]
            yield f"  aggregate-address {key.partition('|')[2]} {' '.join(words)}"
    for key, row in _rows(config, "ROUTE_REDISTRIBUTE", vrf):
        source, _to, kind = [*key.split("|"), "", ""][:3]
        if kind == family.partition("_")[0]:
            maps = listed(row.get("route_map", [])) or [""]
            yield from (f"  redistribute {source} {f'route-map {one}' if one else ''}" for one in maps)
    for table in ("BGP_PEER_GROUP_AF", "BGP_NEIGHBOR_AF"):
        for key, row in _rows(config, table, vrf):
            name, _bar, kind = key.rpartition("|")
            if kind == family:
                yield from (f"  {one}" for one in said(row, NEIGHBOR_AF, name))
    for key, row in _rows(config, "BGP_GLOBALS_AF", vrf):
        if key == family:
            yield from (f"  {one}" for one in said(row, GLOBALS_AF))
    yield " exit-address-family"
