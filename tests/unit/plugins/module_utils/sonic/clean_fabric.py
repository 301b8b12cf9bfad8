# SPDX-License-Identifier: Apache-2.0
"""A small fabric without a fault: two leaves and a spine, an L2VNI, a VRF with its VNI, a LAG between the leaves."""

from __future__ import annotations

from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.sonic import ports
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint import index

#: hwsku, number, local AS, cables as (port, neighbour).
_SWITCHES = {
    "leaf1": ("Accton-AS7326-56X", 11, "65101", {"Ethernet48": "spine1:Ethernet0", "Ethernet60": "leaf2:Ethernet60"}),
    "leaf2": ("Accton-AS7326-56X", 12, "65102", {"Ethernet48": "spine1:Ethernet4", "Ethernet60": "leaf1:Ethernet60"}),
    "spine1": ("Accton-AS7726-32X", 1, "65100", {"Ethernet0": "leaf1:Ethernet48", "Ethernet4": "leaf2:Ethernet48"}),
}
FABRIC_PORTS = {"leaf1": ("Ethernet48",), "leaf2": ("Ethernet48",), "spine1": ("Ethernet0", "Ethernet4")}
_FAMILIES = ("ipv4_unicast", "ipv6_unicast", "l2vpn_evpn")


def _base(name: str) -> dict[str, Any]:
    hwsku, number, asn, cables = _SWITCHES[name]
    port_map = ports.known(hwsku)
    assert port_map
    rows = {port: {**port_map.ports[port].row(), "mtu": "9100", "admin_status": "down"} for port in port_map.ports}
    for port, peer in cables.items():
        rows[port].update(admin_status="up", description=peer)
    both = {"admin_status": "up", "route_map_in": ["ALLOW"], "route_map_out": ["ALLOW"]}
    metadata = {
        "hostname": name,
        "hwsku": hwsku,
        "mac": f"02:00:5e:10:00:{number:02x}",
        "type": "SpineRouter" if name.startswith("spine") else "LeafRouter",
        "docker_routing_config_mode": "unified",
        "frr_mgmt_framework_config": "true",
    }
    return {
        "VERSIONS": {"DATABASE": {"VERSION": "version_202605_01"}},
        "DEVICE_METADATA": {"localhost": metadata},
        "PORT": rows,
        "INTERFACE": {port: {"ipv6_use_link_local_only": "enable"} for port in FABRIC_PORTS[name]},
        "LOOPBACK_INTERFACE": {
            "Loopback0": {},
            f"Loopback0|10.1.0.{number}/32": {},
            f"Loopback0|fd00:1::{number}/128": {},
        },
        "MGMT_PORT": {"eth0": {"admin_status": "up"}},
        "MGMT_INTERFACE": {f"eth0|192.0.2.{number}/24": {"gwaddr": "192.0.2.254"}},
        "NTP": {"global": {"src_intf": "eth0", "vrf": "default"}},
        "NTP_SERVER": {"192.0.2.200": {}},
        "SYSLOG_SERVER": {"192.0.2.201": {}},
        "SNMP_COMMUNITY": {"mAde-uP-1": {"TYPE": "RO"}},
        "BGP_GLOBALS": {"default": {"local_asn": asn, "router_id": f"10.1.0.{number}"}},
        "BGP_GLOBALS_AF": {"default|l2vpn_evpn": {}},
        "BGP_PEER_GROUP": {"default|fabric": {"peer_type": "external", "holdtime": "9", "keepalive": "3"}},
        "BGP_PEER_GROUP_AF": {f"default|fabric|{family}": dict(both) for family in _FAMILIES},
        "BGP_NEIGHBOR": {f"default|{port}": {"peer_group_name": "fabric"} for port in FABRIC_PORTS[name]},
        "ROUTE_MAP_SET": {"ALLOW": {}, "OWN": {}},
        "ROUTE_MAP": {
            "ALLOW|10": {"route_operation": "permit"},
            "OWN|10": {"route_operation": "permit", "match_prefix_set": "LOOPBACKS"},
        },
        "PREFIX_SET": {"LOOPBACKS": {"mode": "IPv4"}, "LOOPBACKS6": {"mode": "IPv6"}},
        "PREFIX": {
            "LOOPBACKS|10|10.1.0.0/16|32..32": {"action": "permit"},
            "LOOPBACKS6|10|fd00::/8|exact": {"action": "permit"},
        },
        "ROUTE_REDISTRIBUTE": {"default|connected|bgp|ipv4": {"route_map": ["OWN"]}},
    }


def _leaf(config: dict[str, Any], number: int) -> None:
    config["BGP_GLOBALS_AF"]["default|l2vpn_evpn"]["advertise-all-vni"] = "true"
    config["BGP_GLOBALS"]["VrfBlue"] = {**config["BGP_GLOBALS"]["default"]}
    config["PORTCHANNEL"] = {"PortChannel1": {"admin_status": "up", "mtu": "9100"}}
    config["PORTCHANNEL_MEMBER"] = {"PortChannel1|Ethernet60": {}}
    config["VLAN"] = {f"Vlan{vlan}": {"vlanid": str(vlan)} for vlan in (10, 20, 3100)}
    config["VLAN_MEMBER"] = {
        "Vlan10|Ethernet0": {"tagging_mode": "untagged"},
        "Vlan20|Ethernet1": {"tagging_mode": "untagged"},
        "Vlan10|PortChannel1": {"tagging_mode": "tagged"},
    }
    config["VLAN_INTERFACE"] = {
        "Vlan20": {"vrf_name": "VrfBlue"},
        f"Vlan20|10.20.{number}.1/24": {},
        "Vlan3100": {"vrf_name": "VrfBlue"},
    }
    config["VRF"] = {"VrfBlue": {"vni": "50100"}}
    config["LOOPBACK_INTERFACE"].update({"Loopback1": {}, f"Loopback1|10.1.1.{number}/32": {}})
    config["VXLAN_TUNNEL"] = {"vtep": {"src_ip": f"10.1.1.{number}"}}
    config["VXLAN_EVPN_NVO"] = {"nvo": {"source_vtep": "vtep"}}
    config["VXLAN_TUNNEL_MAP"] = {
        f"vtep|map_{vni}_Vlan{vlan}": {"vlan": f"Vlan{vlan}", "vni": str(vni)}
        for vlan, vni in ((10, 10010), (20, 10020), (3100, 50100))
    }


def configs() -> dict[str, dict[str, Any]]:
    """Configurations by switch, to be changed at will."""
    made = {name: _base(name) for name in _SWITCHES}
    for name in ("leaf1", "leaf2"):
        _leaf(made[name], _SWITCHES[name][1])
    return made


def fabric(made: dict[str, dict[str, Any]]) -> index.Fabric:
    """As the rules see them."""
    return index.Fabric([index.Switch(name, config) for name, config in made.items()])
