# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""BGP: unnumbered sessions over every routed link, equal-cost paths, EVPN, routing instances of environments."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable, Iterator

from ...landscape.model import Environment
from . import separation
from .model import Switch
from .names import policy_name, vrf_name
from .policy import Prefix, Statement, route_map
from .port_rows import Attachment, is_switch

#: Equal-cost paths; more than any of the ASICs' group sizes in use.
PATHS = 64
ALLOW = "ALLOW"
KEEPALIVE, HOLDTIME = 3, 9
UNICAST = ("ipv4_unicast", "ipv6_unicast")


@dataclasses.dataclass(frozen=True)
class Group:
    """Sessions that are treated alike.

    :param environment: whose devices are at the far end; nothing for switches.
    """

    vrf: str
    name: str
    internal: bool = False
    environment: Environment | None = None


def carries_evpn(switch: Switch) -> bool:
    """Whether the fabric carries EVPN: anything in the landscape has a VNI, be its VTEPs switches or hosts."""
    landscape = switch.view.landscape
    numbers = [network.vni for network in landscape.networks.values()]
    return any([*numbers, *(vrf.vni for vrf in landscape.vrfs.values())])


def loopbacks(switch: Switch) -> list[Prefix]:
    """LOOPBACK_INTERFACE, and the addresses as prefixes."""
    found = [str(ipaddress.ip_network(text)) for text in (switch.device.loopback_v4, switch.device.loopback_v6) if text]
    for text in found:
        switch.rows.put("LOOPBACK_INTERFACE", "Loopback0")
        switch.rows.put("LOOPBACK_INTERFACE", f"Loopback0|{text}")
    return [Prefix(text) for text in found]


def routing(switch: Switch, attached: Iterable[Attachment], *, vtep: bool) -> None:
    """Everything that BGP needs on a switch with an AS number."""
    if switch.device.asn is None:
        return
    routed = [attachment for attachment in attached if attachment.routed]
    instance(switch, "default")
    evpn = carries_evpn(switch)
    if vtep:
        switch.rows.put("BGP_GLOBALS_AF", "default|l2vpn_evpn", {"advertise-all-vni": True})
    _announced(switch)
    route_map(switch.rows, ALLOW, [Statement("permit")])
    groups: set[Group] = set()
    for attachment in routed:
        group = _group(switch, attachment)
        groups.add(group)
        vrf = None if group.vrf == "default" else group.vrf
        switch.rows.put(attachment.interface_table, attachment.name, ipv6_use_link_local_only="enable", vrf_name=vrf)
        bfd = True if _both_bfd(switch, attachment) else None
        switch.rows.put("BGP_NEIGHBOR", f"{group.vrf}|{attachment.name}", peer_group_name=group.name, bfd=bfd)
    for group in sorted(groups, key=lambda group: (group.vrf, group.name)):
        _peer_group(switch, group, evpn=evpn)
    _imports(switch, {group.environment.name: group.environment for group in groups if group.environment})
    _tables_of_instances(switch)


def instance(switch: Switch, vrf: str) -> None:
    """BGP_GLOBALS and BGP_GLOBALS_AF of a routing instance, and VRF for all but the default one."""
    if vrf in switch.rows.config.get("BGP_GLOBALS", {}):
        return
    if vrf != "default":
        switch.rows.put("VRF", vrf)
    switch.rows.put(
        "BGP_GLOBALS",
        vrf,
        local_asn=switch.device.asn,
        router_id=switch.device.loopback_v4 or switch.device.oob_v4 or None,
        load_balance_mp_relax=True,
        log_nbr_state_changes=True,
    )
    for family in UNICAST:
        switch.rows.put("BGP_GLOBALS_AF", f"{vrf}|{family}", max_ebgp_paths=PATHS)


def _announced(switch: Switch) -> None:
    """What the switch announces by itself: its loopbacks and the networks that it routes in the default instance."""
    prefixes = loopbacks(switch)
    for network in switch.view.landscape.networks.values():
        if switch.name in network.routers and vrf_name(switch, network.vrf) is None:
            prefixes += [Prefix(text) for text in (network.v4, network.v6) if text]
    route_map(switch.rows, "CONNECTED", [Statement("permit", "CONNECTED", prefixes)])
    for family in ("ipv4", "ipv6"):
        switch.rows.put("ROUTE_REDISTRIBUTE", f"default|connected|bgp|{family}", route_map=["CONNECTED"])


def _group(switch: Switch, attachment: Attachment) -> Group:
    far = attachment.far
    internal = far is not None and far.asn == switch.device.asn
    if far is None or is_switch(switch, far):
        return Group("default", "fabric-internal" if internal else "fabric", internal)
    environment = switch.view.landscape.environments.get(far.device.environment)
    vrf = "default"
    if environment and environment.vrf:
        vrf = vrf_name(switch, environment.vrf) or vrf
    filtered = environment if environment and separation.separated(switch.view) else None
    words = ("hosts", environment.name if environment and (filtered or vrf != "default") else "")
    return Group(vrf, policy_name(*words, "internal" if internal else ""), internal, environment)


def _both_bfd(switch: Switch, attachment: Attachment) -> bool:
    roles = (switch.device.role, attachment.far.role if attachment.far else None)
    return all(role is not None and role.bfd for role in roles)


def _peer_group(switch: Switch, group: Group, *, evpn: bool) -> None:
    instance(switch, group.vrf)
    key = f"{group.vrf}|{group.name}"
    kind = "internal" if group.internal else "external"
    switch.rows.put("BGP_PEER_GROUP", key, peer_type=kind, keepalive=KEEPALIVE, holdtime=HOLDTIME)
    maps = {"route_map_in": [ALLOW], "route_map_out": [ALLOW]}
    filtered = maps
    if group.environment and separation.separated(switch.view):
        coming, going = separation.filters(switch.rows, switch.view, group.environment)
        filtered = {"route_map_in": [coming], "route_map_out": [going]}
    itself = True if group.internal else None
    for family in UNICAST:
        switch.rows.put("BGP_PEER_GROUP_AF", f"{key}|{family}", filtered, admin_status="up", nhself=itself)
    if evpn and group.vrf == "default" and _hears_overlay(switch, group):
        unchanged = True if switch.kind == "spine" else None
        switch.rows.put("BGP_PEER_GROUP_AF", f"{key}|l2vpn_evpn", maps, admin_status="up", unchanged_nexthop=unchanged)


def _hears_overlay(switch: Switch, group: Group) -> bool:
    """Whether EVPN is spoken in a group: with switches always, with hosts where nothing of others passes.

    A route of EVPN says which VNI it is of, and no field of the models lets a route map ask for that: hosts hear of
    every VNI or of none.
    """
    if group.environment is None or not separation.separated(switch.view):
        return True
    may, must_not = separation.overlay(switch.view, group.environment)
    if may and must_not:
        few = ", ".join(map(str, must_not[:5]))
        message = (
            f"hosts of environment {group.environment.name} need EVPN and would hear of VNI {few} of others: "
            f"no route map of {switch.options.release} tells VNIs apart"
        )
        hint = "let switches hold the VNIs (networks with a vlan on their ports), or give VNIs to one environment alone"
        switch.issue("SR019", "error", ("BGP_PEER_GROUP_AF", f"{group.vrf}|{group.name}|l2vpn_evpn", ""), message, hint)
    return bool(may and not must_not)


def _imports(switch: Switch, environments: dict[str, Environment]) -> None:
    """Routes of other instances that environments on this switch may reach."""
    wanted: dict[str, dict[str, list[Prefix]]] = {}
    for environment in environments.values():
        here = vrf_name(switch, environment.vrf) or "default"
        for there, prefixes in _reached_elsewhere(switch, environment, here):
            wanted.setdefault(here, {}).setdefault(there, []).extend(prefixes)
    for here, sources in sorted(wanted.items()):
        if len(sources) > 1:
            message = f"{here} would import from {' and '.join(sorted(sources))}, but CONFIG_DB holds one import_vrf"
            hint = "put the environments that are reached into one routing instance"
            switch.issue("SR013", "error", ("BGP_GLOBALS_AF", f"{here}|ipv4_unicast", "import_vrf"), message, hint)
        there, prefixes = sorted(sources.items())[0]
        instance(switch, there)
        word = policy_name("IMPORT", here)
        name = route_map(switch.rows, word, [Statement("permit", word, prefixes)])
        for family in UNICAST:
            switch.rows.put("BGP_GLOBALS_AF", f"{here}|{family}", import_vrf=there, import_vrf_route_map=name)


def _reached_elsewhere(switch: Switch, environment: Environment, here: str) -> Iterator[tuple[str, list[Prefix]]]:
    view = switch.view
    for reach in environment.reaches:
        other = view.landscape.environments.get(reach.environment)
        there = (vrf_name(switch, other.vrf) or "default") if other else here
        if there != here:
            yield there, separation.reached(view, dataclasses.replace(environment, reaches=(reach,)))


def _tables_of_instances(switch: Switch) -> None:
    """Instances that only routed networks are in; every instance announces what is connected to it."""
    used = {str(row["vrf_name"]) for row in switch.rows.config.get("VLAN_INTERFACE", {}).values() if "vrf_name" in row}
    for vrf in sorted(used):
        instance(switch, vrf)
    for vrf in sorted(set(switch.rows.config["BGP_GLOBALS"]) - {"default"}):
        for family in ("ipv4", "ipv6"):
            switch.rows.put("ROUTE_REDISTRIBUTE", f"{vrf}|connected|bgp|{family}")
