# SPDX-License-Identifier: Apache-2.0
"""Rows that put a port of two leaves into one network over VXLAN, as an operator would write them."""

from __future__ import annotations

from typing import Any

from ansible_collections.scs.landscape.tests.lab.switches import Fabric

Rows = list[tuple[str, str, dict[str, Any]]]

_EVPN = {"admin_status": "up", "route_map_in": ["ALLOW"], "route_map_out": ["ALLOW"]}


def stretch(fabric: Fabric, leaves: dict[str, str], vlan: int, vni: int) -> None:
    """Put one port of each leaf into a VLAN that VXLAN carries from leaf to leaf.

    :param leaves: port by leaf; the port has been a routed one until now.
    """
    for spine in [name for name in fabric.switches if name not in leaves]:
        fabric.write(spine, [("BGP_PEER_GROUP_AF", "default|fabric|l2vpn_evpn", _EVPN)])
    for leaf, port in leaves.items():
        for key in (f"BGP_NEIGHBOR|default|{port}", f"INTERFACE|{port}"):
            fabric.database(leaf, "DEL", key)
        fabric.write(leaf, rows(fabric, leaf, port, vlan, vni))
    for switch in fabric.switches:
        fabric.settle(switch)


def rows(fabric: Fabric, leaf: str, port: str, vlan: int, vni: int) -> Rows:
    """The rows of one leaf; its VTEP speaks from Loopback0."""
    loopbacks = fabric.configs[leaf]["LOOPBACK_INTERFACE"]
    address = next(key.partition("|")[2] for key in loopbacks if "|" in key and ":" not in key)
    name = f"Vlan{vlan}"
    return [
        ("VXLAN_TUNNEL", "vtep", {"src_ip": address.partition("/")[0]}),
        ("VXLAN_EVPN_NVO", "nvo", {"source_vtep": "vtep"}),
        ("VLAN", name, {"vlanid": str(vlan)}),
        ("VLAN_MEMBER", f"{name}|{port}", {"tagging_mode": "untagged"}),
        ("VXLAN_TUNNEL_MAP", f"vtep|map_{vni}_{name}", {"vlan": name, "vni": str(vni)}),
        ("BGP_PEER_GROUP_AF", "default|fabric|l2vpn_evpn", _EVPN),
        ("BGP_GLOBALS_AF", "default|l2vpn_evpn", {"advertise-all-vni": "true"}),
    ]


def route_over(fabric: Fabric, leaves: dict[str, tuple[str, str]], vrf: str, vni: int) -> None:
    """Give one port of each leaf a network of its own, and let VXLAN carry what is routed between them (L3VNI).

    :param leaves: port and address of the leaf in its network, by leaf.
    """
    for spine in [name for name in fabric.switches if name not in leaves]:
        fabric.write(spine, [("BGP_PEER_GROUP_AF", "default|fabric|l2vpn_evpn", _EVPN)])
    for leaf, (port, address) in leaves.items():
        for key in (f"BGP_NEIGHBOR|default|{port}", f"INTERFACE|{port}"):
            fabric.database(leaf, "DEL", key)
        fabric.write(leaf, routed(fabric, leaf, port, address, vrf, vni))
    for switch in fabric.switches:
        fabric.settle(switch, 120)


def routed(fabric: Fabric, leaf: str, port: str, address: str, vrf: str, vni: int) -> Rows:
    """The rows of one leaf: a VLAN for the hosts, one for the instance, and BGP in it."""
    loopback = next(key for key in fabric.configs[leaf]["LOOPBACK_INTERFACE"] if "|" in key and ":" not in key)
    vtep = loopback.partition("|")[2].partition("/")[0]
    globals_ = fabric.configs[leaf]["BGP_GLOBALS"]["default"]
    instance = {"local_asn": globals_["local_asn"], "router_id": globals_["router_id"]}
    target = [f"65100:{vni}"]
    evpn = {"advertise-ipv4-unicast": "true", "route-distinguisher": f"{vtep}:{vni}", "import-rts": target}
    return [
        ("VRF", vrf, {"vni": str(vni)}),
        ("VXLAN_TUNNEL", "vtep", {"src_ip": vtep}),
        ("VXLAN_EVPN_NVO", "nvo", {"source_vtep": "vtep"}),
        ("VLAN", "Vlan20", {"vlanid": "20"}),
        ("VLAN", "Vlan3100", {"vlanid": "3100"}),
        ("VLAN_MEMBER", f"Vlan20|{port}", {"tagging_mode": "untagged"}),
        ("VLAN_INTERFACE", "Vlan20", {"vrf_name": vrf}),
        ("VLAN_INTERFACE", f"Vlan20|{address}", {}),
        ("VLAN_INTERFACE", "Vlan3100", {"vrf_name": vrf}),
        ("VXLAN_TUNNEL_MAP", f"vtep|map_{vni}_Vlan3100", {"vlan": "Vlan3100", "vni": str(vni)}),
        ("BGP_GLOBALS", vrf, instance),
        ("ROUTE_REDISTRIBUTE", f"{vrf}|connected|bgp|ipv4", {}),
        ("BGP_PEER_GROUP_AF", "default|fabric|l2vpn_evpn", _EVPN),
        ("BGP_GLOBALS_AF", "default|l2vpn_evpn", {"advertise-all-vni": "true"}),
        ("BGP_GLOBALS_AF", f"{vrf}|l2vpn_evpn", {**evpn, "export-rts": target}),
    ]


def instance(fabric: Fabric, leaf: str, port: str, address: str, vrf: str, vlan: int) -> Rows:
    """The rows of a routing instance of one leaf with one port in it, and nothing that leads out."""
    globals_ = fabric.configs[leaf]["BGP_GLOBALS"]["default"]
    return [
        ("VRF", vrf, {}),
        ("VLAN", f"Vlan{vlan}", {"vlanid": str(vlan)}),
        ("VLAN_MEMBER", f"Vlan{vlan}|{port}", {"tagging_mode": "untagged"}),
        ("VLAN_INTERFACE", f"Vlan{vlan}", {"vrf_name": vrf}),
        ("VLAN_INTERFACE", f"Vlan{vlan}|{address}", {}),
        ("BGP_GLOBALS", vrf, {"local_asn": globals_["local_asn"], "router_id": globals_["router_id"]}),
        ("ROUTE_REDISTRIBUTE", f"{vrf}|connected|bgp|ipv4", {}),
    ]
