# SPDX-License-Identifier: Apache-2.0
"""What a switch with a configuration would do with a route: written from FRR's manual, not from our renderer.

Prefix list: entries by sequence, the first that covers the prefix with its length decides, no entry means deny. Route
map: statements by sequence, the first that matches decides, none means deny; a statement without a match matches all; a
list of the other address family matches nothing.
"""

from __future__ import annotations

import ipaddress
from typing import Any

Config = dict[str, dict[str, dict[str, Any]]]


def in_list(config: Config, name: str, route: str) -> bool:
    """Whether a prefix list permits a route."""
    network = ipaddress.ip_network(route)
    entries = []
    for key, row in config.get("PREFIX", {}).items():
        of, sequence, prefix, span = key.split("|")
        if of == name:
            entries.append((int(sequence), ipaddress.ip_network(prefix), span, row["action"]))
    assert len({sequence for sequence, *_rest in entries}) == len(entries), "two entries with one number"
    for _sequence, prefix, span, action in sorted(entries, key=lambda entry: entry[0]):
        if prefix.version != network.version:
            continue
        low, high = (prefix.prefixlen,) * 2 if span == "exact" else map(int, span.split(".."))
        inside = network.network_address in prefix and network.prefixlen >= prefix.prefixlen
        if inside and low <= network.prefixlen <= high:
            return bool(action == "permit")
    return False


def permits(config: Config, name: str, route: str) -> bool:
    """Whether a route map lets a route through."""
    version = f"IPv{ipaddress.ip_network(route).version}"
    statements = [
        (int(key.split("|")[1]), row) for key, row in config["ROUTE_MAP"].items() if key.split("|")[0] == name
    ]
    assert statements, f"route map {name} has no statement, FRR would let nothing through"
    assert name in config["ROUTE_MAP_SET"]
    for _sequence, row in sorted(statements, key=lambda entry: entry[0]):
        unknown = set(row) - {"route_operation", "match_prefix_set"}
        assert not unknown, unknown
        matched = row.get("match_prefix_set")
        if matched is None:
            return bool(row["route_operation"] == "permit")
        if config["PREFIX_SET"][matched]["mode"] == version and in_list(config, matched, route):
            return bool(row["route_operation"] == "permit")
    return False


def session(config: Config, port: str) -> tuple[str, str]:
    """Routing instance and peer group of the session over a port."""
    found = [
        (key.split("|")[0], row["peer_group_name"])
        for key, row in config["BGP_NEIGHBOR"].items()
        if key.split("|")[1] == port
    ]
    assert len(found) == 1
    vrf = config["INTERFACE"][port].get("vrf_name", "default")
    assert vrf == found[0][0], "the port is in another routing instance than its session"
    return found[0]


def _passes(config: Config, port: str, route: str, direction: str) -> bool:
    vrf, group = session(config, port)
    family = f"ipv{ipaddress.ip_network(route).version}_unicast"
    row = config["BGP_PEER_GROUP_AF"][f"{vrf}|{group}|{family}"]
    assert row["admin_status"] == "up"
    return all(permits(config, name, route) for name in row[f"route_map_{direction}"])


def hears(config: Config, sender: str, receiver: str, route: str) -> bool:
    """Whether what one device announces on its port reaches the device on another port of the same switch."""
    if not _passes(config, sender, route, "in"):
        return False
    there, here = session(config, sender)[0], session(config, receiver)[0]
    if there != here:
        family = f"ipv{ipaddress.ip_network(route).version}_unicast"
        row = config["BGP_GLOBALS_AF"][f"{here}|{family}"]
        if row.get("import_vrf") != there or not permits(config, row["import_vrf_route_map"], route):
            return False
    return _passes(config, receiver, route, "out")


def hears_over(near: Config, sender: str, far: Config, receiver: str, route: str) -> bool:
    """The same with a fabric between two switches, whose own maps let everything through.

    A routing instance that is not the default one passes where both switches give it the same VNI: as routes of EVPN,
    exported with a target that the other imports.
    """
    there, here = session(near, sender)[0], session(far, receiver)[0]
    if not _passes(near, sender, route, "in") or not _carried(near, far, there, route):
        return False
    if there != here:
        family = f"ipv{ipaddress.ip_network(route).version}_unicast"
        row = far["BGP_GLOBALS_AF"].get(f"{here}|{family}", {})
        if row.get("import_vrf") != there or not permits(far, row["import_vrf_route_map"], route):
            return False
    return _passes(far, receiver, route, "out")


def _carried(near: Config, far: Config, vrf: str, route: str) -> bool:
    """Whether routes of an instance get from one switch to the other."""
    if vrf == "default":
        return True
    numbers = [config.get("VRF", {}).get(vrf, {}).get("vni", "0") for config in (near, far)]
    sides = [config["BGP_GLOBALS_AF"].get(f"{vrf}|l2vpn_evpn", {}) for config in (near, far)]
    spoken = all(
        config["BGP_PEER_GROUP_AF"].get("default|fabric|l2vpn_evpn", {}).get("admin_status") == "up"
        and config["BGP_GLOBALS_AF"].get("default|l2vpn_evpn", {}).get("advertise-all-vni") == "true"
        for config in (near, far)
    )
    version = ipaddress.ip_network(route).version
    if not spoken or numbers[0] == "0" or numbers[0] != numbers[1]:
        return False
    if sides[0].get(f"advertise-ipv{version}-unicast") != "true":
        return False
    return bool(set(sides[0]["export-rts"]) & set(sides[1]["import-rts"]))


def hears_overlay(near: Config, sender: str, far: Config, receiver: str) -> bool:
    """Whether routes of EVPN of the device on one port reach the device on another, on the same or another switch.

    A statement that matches prefixes is taken to match no route of EVPN: what a host would be given is then nothing.
    """
    return _speaks_overlay(near, sender, "in") and _speaks_overlay(far, receiver, "out")


def _speaks_overlay(config: Config, port: str, direction: str) -> bool:
    vrf, group = session(config, port)
    row = config["BGP_PEER_GROUP_AF"].get(f"{vrf}|{group}|l2vpn_evpn", {})
    maps = row.get(f"route_map_{direction}", ())
    return row.get("admin_status") == "up" and all(_permits_all(config, name) for name in maps)


def _permits_all(config: Config, name: str) -> bool:
    rows = [
        (int(key.split("|")[1]), row)
        for key, row in config["ROUTE_MAP"].items()
        if key.split("|")[0] == name and set(row) == {"route_operation"}
    ]
    return bool(rows) and min(rows, key=lambda entry: entry[0])[1]["route_operation"] == "permit"
