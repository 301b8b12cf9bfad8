# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Routing instances as a whole: their rows, and what would silently be joined or cut apart."""

from __future__ import annotations

from ...landscape.derive import View
from .model import Switch
from .names import vrf_name


def rows(switch: Switch) -> None:
    """Every routing instance that an interface is in has its row."""
    for table in ("INTERFACE", "PORTCHANNEL_INTERFACE", "VLAN_INTERFACE"):
        for row in switch.rows.config.get(table, {}).values():
            if "vrf_name" in row:
                switch.rows.put("VRF", str(row["vrf_name"]))


def shared(switch: Switch) -> None:
    """Refuses to route networks of separated environments in one instance: route maps do not part what is connected."""
    environments = switch.view.landscape.environments
    found: dict[str, dict[str, str]] = {}
    for network in switch.view.landscape.networks.values():
        if switch.name in network.routers and network.environment in environments:
            found.setdefault(vrf_name(switch, network.vrf) or "default", {})[network.environment] = network.name
    for vrf, networks in sorted(found.items()):
        apart = sorted(name for name in networks if environments[name].separated)
        if apart and len(networks) > 1:
            named = " and ".join(f"{networks[name]} ({name})" for name in sorted(networks))
            message = f"{named} are routed in the same instance {vrf}, although {apart[0]} is separated"
            switch.issue(
                "SR011", "error", ("VLAN_INTERFACE", "", ""), message, "give each environment's networks a vrf"
            )


def cut_apart(switch: Switch) -> None:
    """Refuses an instance that is on other switches as well when nothing carries its routes between them."""
    config = switch.rows.config
    instances = sorted((set(config.get("VRF", {})) | set(config.get("BGP_GLOBALS", {}))) - {"default"})
    elsewhere = members(switch.view) if instances else {}
    for name in instances:
        others = elsewhere.get(switch.vrf_names.get(name, ""), set()) - {switch.name}
        if others and config.get("VRF", {}).get(name, {}).get("vni", "0") == "0" and not _linked(switch, name):
            named = ", ".join(sorted(others))
            message = f"routing instance {name} is on {named} as well, but no route of it passes between the switches"
            hint = (
                f"give it vni and vlan, which {switch.options.release} needs unmodelled: true for; or a link of its own "
                "between the switches in config_db; or connect all of it to one switch"
            )
            switch.issue("SR017", "error", ("VRF", name, "vni"), message, hint)


def members(view: View) -> dict[str, set[str]]:
    """By routing instance of the landscape the switches that hosts, networks or sessions with others are in it on."""
    landscape = view.landscape
    found: dict[str, set[str]] = {}
    for name in landscape.switches:
        for neighbor in view.devices[name].neighbors:
            far = view.devices.get(neighbor.peer)
            environment = landscape.environments.get(far.device.environment) if far else None
            if far and far.device.section == "hosts" and environment and environment.vrf:
                found.setdefault(environment.vrf, set()).add(name)
    for network in landscape.networks.values():
        if network.vrf:
            found.setdefault(network.vrf, set()).update(set(network.routers) & set(landscape.switches))
    for peering in landscape.peerings.values():
        transfer = landscape.networks.get(peering.network)
        if transfer and transfer.vrf:
            found.setdefault(transfer.vrf, set()).add(peering.switch)
    return found


def _linked(switch: Switch, name: str) -> bool:
    """Whether the switch speaks BGP in the instance with another switch, over a link or a part of one."""
    for key in switch.rows.config.get("BGP_NEIGHBOR", {}):
        vrf, _bar, neighbor = key.partition("|")
        link = switch.links.get(neighbor)
        part = "." in neighbor and not neighbor[0].isdigit()
        if vrf == name and (part or (link and link.peer in switch.view.landscape.switches)):
            return True
    return False
