# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The way out: sessions with others that announce and believe only what is listed."""

from __future__ import annotations

import ipaddress

from ...landscape.model import Network, Peering
from .model import Switch
from .names import policy_name, vrf_name
from .policy import Prefix, Statement, route_map
from .routing import instance


def peerings(switch: Switch) -> None:
    """Every BGP session with others that ends in the switch."""
    for peering in switch.view.landscape.peerings.values():
        if peering.switch == switch.name:
            _peering(switch, peering)


def _peering(switch: Switch, peering: Peering) -> None:
    network = switch.network(peering.network)
    if switch.device.asn is None or network is None:
        message = f"session {peering.name} needs an AS number and a transfer network"
        switch.issue("SR014", "error", ("BGP_NEIGHBOR", peering.name, ""), message, "name asn_scheme in the role")
        return
    link = switch.links.get(peering.port)
    if link and not link.active:
        return  # nobody is there: the port stays shut, and a session over it would only be tried for ever
    vrf = vrf_name(switch, network.vrf)
    instance(switch, vrf or "default")
    switch.rows.put("INTERFACE", peering.port, vrf_name=vrf)
    switch.rows.put("PORT", peering.port, admin_status="up")
    for version, local, remote, prefix in (
        (4, peering.local_v4, peering.remote_v4, network.v4),
        (6, peering.local_v6, peering.remote_v6, network.v6),
    ):
        if local and remote and prefix:
            length = ipaddress.ip_network(prefix).prefixlen
            switch.rows.put("INTERFACE", f"{peering.port}|{local}/{length}")
            _session(switch, peering, vrf or "default", remote, version)


def _session(switch: Switch, peering: Peering, vrf: str, remote: str, version: int) -> None:
    family = f"ipv{version}_unicast"
    key = f"{vrf}|{remote}"
    bfd = True if peering.bfd else None
    switch.rows.put("BGP_NEIGHBOR", key, asn=peering.asn, name=peering.name, admin_status="up", bfd=bfd)
    accepts = peering.accepts_v4 if version == 4 else peering.accepts_v6
    believed = [Prefix(text) for text in accepts]
    announced = [Prefix(text) for text in _announced(switch, peering, vrf, version)]
    switch.rows.put(
        "BGP_NEIGHBOR_AF",
        f"{key}|{family}",
        admin_status="up",
        soft_reconfiguration_in=True,
        max_prefix_limit=peering.max_prefixes,
        route_map_in=[_list(switch, "IN", peering, version, believed)],
        route_map_out=[_list(switch, "OUT", peering, version, announced)],
    )


def _list(switch: Switch, word: str, peering: Peering, version: int, prefixes: list[Prefix]) -> str:
    name = policy_name(word, peering.name)
    return route_map(switch.rows, f"{name}_v{version}", [Statement("permit", name, prefixes)])


def _announced(switch: Switch, peering: Peering, vrf: str, version: int) -> list[str]:
    """Prefixes that are announced; each is made here, so that it does not hang on a host announcing exactly it."""
    found = []
    for name in peering.announces:
        network = switch.network(name)
        text = (network.v4 if version == 4 else network.v6) if network else ""
        if network is None or not text:
            continue
        if (vrf_name(switch, network.vrf) or "default") != vrf:
            message = f"network {name} is not in routing instance {vrf} of session {peering.name}"
            hint = "give network and transfer network the same vrf"
            switch.issue("SR015", "error", ("BGP_NEIGHBOR", f"{vrf}|{peering.name}", ""), message, hint)
            continue
        table = "BGP_GLOBALS_AF_NETWORK" if _is_connected(switch, network) else "BGP_GLOBALS_AF_AGGREGATE_ADDR"
        switch.rows.put(table, f"{vrf}|ipv{version}_unicast|{text}")
        found.append(text)
    return found


def _is_connected(switch: Switch, network: Network) -> bool:
    return switch.name in network.routers
