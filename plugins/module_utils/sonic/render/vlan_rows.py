# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""VLANs on ports, addresses of routers, DHCP relay, and VXLAN over the fabric."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from ...landscape.fabric import networks_on
from ...landscape.model import Network
from .model import Switch
from .names import vrf_name
from .port_rows import Attachment

VTEP = "vtep"


def vlans(switch: Switch, attached: Iterable[Attachment]) -> None:
    """VLAN, VLAN_MEMBER, VLAN_INTERFACE, DHCP_RELAY."""
    by_id = _networks_by_vlan(switch)
    for attachment in attached:
        for vlan in attachment.tagged:
            if vlan != attachment.untagged:
                switch.rows.put("VLAN_MEMBER", f"Vlan{vlan}|{attachment.name}", tagging_mode="tagged")
        if attachment.untagged:
            switch.rows.put("VLAN_MEMBER", f"Vlan{attachment.untagged}|{attachment.name}", tagging_mode="untagged")
    used = {int(key.split("|")[0][4:]) for key in switch.rows.config.get("VLAN_MEMBER", {})}
    routed = {network.vlan for network in by_id.values() if switch.name in network.routers and network.vlan}
    for vlan in sorted(used | routed):
        network = by_id.get(vlan)
        switch.rows.put("VLAN", f"Vlan{vlan}", vlanid=vlan, description=network.name if network else None)
        if network and vlan in routed:
            _router(switch, network, f"Vlan{vlan}")


def _networks_by_vlan(switch: Switch) -> Mapping[int, Network]:
    """The network behind each VLAN id that the switch routes or has on its ports; two of them are refused."""
    found: dict[int, Network] = {}
    for network in networks_on(switch.view, switch.device):
        other = found.setdefault(network.vlan or 0, network)
        if other is not network:
            message = f"networks {other.name} and {network.name} are both VLAN {network.vlan} on the switch"
            hint = (
                "one of them would lose its router or hear the other's frames: give it another VLAN, or another switch"
            )
            switch.issue("SR018", "error", ("VLAN", f"Vlan{network.vlan}", ""), message, hint)
    return found


def _router(switch: Switch, network: Network, name: str) -> None:
    others = [other for other in network.routers if other != switch.name]
    if others:
        message = f"{', '.join(others)} holds the router's address of network {network.name} as well"
        hint = f"a shared gateway needs SAG, which {switch.options.release} does not have; let one switch route the network"
        switch.issue("SR008", "error", ("VLAN_INTERFACE", name, ""), message, hint)
    switch.rows.put("VLAN_INTERFACE", name, vrf_name=vrf_name(switch, network.vrf))
    for address, prefix in ((network.router_v4, network.v4), (network.router_v6, network.v6)):
        if address and prefix:
            switch.rows.put("VLAN_INTERFACE", f"{name}|{address}/{ipaddress.ip_network(prefix).prefixlen}")
    v4 = [server for server in network.dhcp_servers if ":" not in server]
    v6 = [server for server in network.dhcp_servers if ":" in server]
    if v4:
        switch.rows.put("VLAN", name, dhcp_servers=v4)
    if v6:
        switch.rows.put("DHCP_RELAY", name, dhcpv6_servers=v6, interface_id=True)


def vxlan(switch: Switch) -> bool:
    """VXLAN_TUNNEL, its EVPN source and a map for each VLAN with a VNI; whether the switch has a VTEP.

    The source is Loopback0: one address per switch is enough where no two switches share a VTEP.
    """
    if switch.kind not in ("leaf", "border"):
        return False
    by_id = _networks_by_vlan(switch)
    present = (int(key[4:]) for key in switch.rows.config.get("VLAN", {}))
    maps = {vlan: by_id[vlan].vni for vlan in present if vlan in by_id and by_id[vlan].vni}
    maps.update(_instances(switch))
    if not maps:
        return False
    if not switch.device.loopback_v4:
        message = "the switch has VNIs but no loopback to send from"
        switch.issue("SR009", "error", ("VXLAN_TUNNEL", VTEP, "src_ip"), message, "give its role a loopback_network")
        return False
    switch.rows.put("VXLAN_TUNNEL", VTEP, src_ip=switch.device.loopback_v4)
    switch.rows.put("VXLAN_EVPN_NVO", "nvo", source_vtep=VTEP)
    for vlan, vni in sorted(maps.items()):
        switch.rows.put("VXLAN_TUNNEL_MAP", f"{VTEP}|map_{vni}_Vlan{vlan}", vlan=f"Vlan{vlan}", vni=vni)
    return True


def _instances(switch: Switch) -> dict[int, int]:
    """VLAN and VNI of every routing instance on the switch that reaches over the fabric, with their rows."""
    found = {}
    for name, row in switch.rows.config.get("VRF", {}).items():
        instance = next(
            (vrf for vrf in switch.view.landscape.vrfs.values() if vrf_name(switch, vrf.name) == name), None
        )
        if instance and instance.vni and instance.vlan:
            row["vni"] = str(instance.vni)
            switch.rows.put("VLAN", f"Vlan{instance.vlan}", vlanid=instance.vlan, description=f"L3VNI of {name}")
            switch.rows.put("VLAN_INTERFACE", f"Vlan{instance.vlan}", vrf_name=name)
            found[instance.vlan] = instance.vni
    return found
