# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The overlay: VXLAN, VNIs, VRFs."""

from __future__ import annotations

from collections.abc import Iterator

from .index import DEFAULT_VRF, Switch, address_of
from .registry import Found, rule


@rule(
    "SL301",
    "error",
    "A VNI or a VLAN is mapped twice",
    why="The second map is refused by the switch daemon, or takes the place of the first.",
    source="vxlanorch of sonic-swss; the models accept it",
    hint="one VNI for one VLAN",
)
def twice(switch: Switch) -> Iterator[Found]:
    for field in ("vni", "vlan"):
        taken: dict[str, str] = {}
        for key in sorted(switch.rows("VXLAN_TUNNEL_MAP")):
            value = switch.text("VXLAN_TUNNEL_MAP", key, field)
            if value and taken.setdefault(value, key) != key:
                yield "VXLAN_TUNNEL_MAP", key, field, f"{field} {value} is mapped by {taken[value]} as well"
    vrfs: dict[str, str] = {}
    for vrf in sorted(switch.rows("VRF")):
        vni = switch.text("VRF", vrf, "vni")
        if vni and vni != "0" and vrfs.setdefault(vni, vrf) != vrf:
            yield "VRF", vrf, "vni", f"{vrfs[vni]} has VNI {vni} as well"


@rule(
    "SL302",
    "error",
    "The tunnel's source is no address of a loopback",
    why="No remote switch reaches it: tunnels come up to nowhere. An address of a link dies with the link.",
    source="The models take any address",
    hint="use the address of a loopback, and announce it",
)
def source(switch: Switch) -> Iterator[Found]:
    own = {placed.address.ip for placed in switch.loopbacks if placed.vrf == DEFAULT_VRF}
    for name in switch.rows("VXLAN_TUNNEL"):
        address = address_of(switch.text("VXLAN_TUNNEL", name, "src_ip"))
        if address is None:
            yield "VXLAN_TUNNEL", name, "src_ip", f"the tunnel {name} has no source"
        elif address not in own:
            yield "VXLAN_TUNNEL", name, "src_ip", f"{address} is on no loopback of the default VRF"


@rule(
    "SL303",
    "error",
    "A VRF's VNI has no VLAN, or one outside of the VRF",
    why="Routes of the VRF have no tunnel to leave by: the L3VNI stays down.",
    source="vrforch and vxlanorch of sonic-swss: the L3VNI needs a mapped VLAN with an interface in the VRF",
    hint="map the VNI to a VLAN, and put VLAN_INTERFACE of that VLAN into the VRF",
)
def l3vni(switch: Switch) -> Iterator[Found]:
    maps = {
        switch.text("VXLAN_TUNNEL_MAP", key, "vni"): switch.text("VXLAN_TUNNEL_MAP", key, "vlan")
        for key in switch.rows("VXLAN_TUNNEL_MAP")
    }
    for vrf in switch.rows("VRF"):
        vni = switch.text("VRF", vrf, "vni")
        if not vni or vni == "0":
            continue
        vlan = maps.get(vni, "")
        if not vlan:
            yield "VRF", vrf, "vni", f"no VLAN is mapped to VNI {vni}"
        elif switch.vrf_of.get(vlan) != vrf:
            yield "VRF", vrf, "vni", f"{vlan} of VNI {vni} is in VRF {switch.vrf_of.get(vlan, 'none at all')}"


@rule(
    "SL304",
    "error",
    "VXLAN without EVPN, or EVPN without VXLAN",
    why="VNIs are announced only where VXLAN_EVPN_NVO names the tunnel and BGP carries l2vpn_evpn with all VNIs.",
    source="vxlanorch of sonic-swss; frrcfgd",
    hint="add what is missing",
    dialects=("unified",),
)
def evpn(switch: Switch) -> Iterator[Found]:
    tunnels = {switch.text("VXLAN_EVPN_NVO", name, "source_vtep") for name in switch.rows("VXLAN_EVPN_NVO")}
    for name in switch.rows("VXLAN_TUNNEL"):
        if switch.rows("VXLAN_TUNNEL_MAP") and name not in tunnels:
            yield "VXLAN_TUNNEL", name, "", f"no VXLAN_EVPN_NVO names {name}"
    key = "default|l2vpn_evpn"
    if tunnels and switch.text("BGP_GLOBALS_AF", key, "advertise-all-vni") != "true":
        yield "BGP_GLOBALS_AF", key, "advertise-all-vni", "the VNIs of this switch are not announced"
    activated = any(
        parts[2] == "l2vpn_evpn" and switch.text(table, key, "admin_status") == "up"
        for table in ("BGP_PEER_GROUP_AF", "BGP_NEIGHBOR_AF")
        for parts, key, _row in switch.split(table, 3)
    )
    if tunnels and not activated:
        yield "BGP_PEER_GROUP_AF", "", "", "no neighbour exchanges l2vpn_evpn"


@rule(
    "SL305",
    "info",
    "The VNI of a VRF has to be given to FRR by hand",
    why="Neither the boot templates nor frrcfgd bring `vrf X / vni N` into FRR: the L3VNI stays down until vtysh is told.",
    source="Golden data: both paths of 202605 with FRR 10.3; the command moved to mgmtd",
    hint="add it with vtysh after every start of the bgp container, or use split-unified mode",
    releases=("202605",),
    dialects=("unified",),
)
def by_hand(switch: Switch) -> Iterator[Found]:
    for vrf in switch.rows("VRF"):
        vni = switch.text("VRF", vrf, "vni")
        if vni and vni != "0":
            yield "VRF", vrf, "vni", f"FRR does not learn that VRF {vrf} has VNI {vni}"


@rule(
    "SL306",
    "warning",
    "A VRF with a VNI has no BGP",
    why="Its routes are announced to nobody.",
    source="FRR: type-5 routes come from the BGP instance of the VRF",
    hint="add BGP_GLOBALS of the VRF",
    dialects=("unified",),
)
def bgp_of_vrf(switch: Switch) -> Iterator[Found]:
    for vrf in switch.rows("VRF"):
        vni = switch.text("VRF", vrf, "vni")
        if vni and vni != "0" and vrf not in switch.rows("BGP_GLOBALS"):
            yield "VRF", vrf, "vni", f"BGP_GLOBALS has no row {vrf}"
