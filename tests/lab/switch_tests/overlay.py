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
