# SPDX-License-Identifier: Apache-2.0
"""Cases of the rules for both ends of a link."""

from __future__ import annotations

from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic.lint_changes import (
    GROUP,
    MAP,
    Case,
    all_,
    del_,
    set_,
)

CASES: dict[str, Case] = {
    # both ends
    "SL801": Case(
        all_(
            set_("leaf2", "BGP_GLOBALS", "default", router_id="10.1.0.11"),
            set_("leaf2", "LOOPBACK_INTERFACE", "Loopback1|10.1.1.11/32"),
            set_("leaf2", "DEVICE_METADATA", "localhost", mac="02:00:5E:10:00:0B"),
        ),
        {
            ("leaf2", "BGP_GLOBALS", "default", "router_id"),
            ("leaf2", "LOOPBACK_INTERFACE", "Loopback1|10.1.1.11/32", ""),
            ("leaf2", "DEVICE_METADATA", "localhost", "mac"),
        },
        set_("leaf2", "VLAN_INTERFACE", "Vlan20|10.20.11.1/24"),
    ),
    "SL802": Case(
        all_(set_("leaf1", "PORT", "Ethernet48", speed="40000"), set_("leaf1", "PORT", "Ethernet60", autoneg="on")),
        {("leaf1", "PORT", "Ethernet48", "speed")},
        all_(set_("leaf1", "PORT", "Ethernet48", speed="40000"), set_("spine1", "PORT", "Ethernet0", speed="40000")),
    ),
    "SL803": Case(
        set_("leaf1", "PORT", "Ethernet48", mtu="1500"),
        {("leaf1", "PORT", "Ethernet48", "mtu")},
        set_("leaf1", "PORT", "Ethernet48", mtu=None),
    ),
    "SL804": Case(
        set_("leaf1", "PORT", "Ethernet60", admin_status="down"),
        {("leaf1", "PORT", "Ethernet60", "admin_status")},
        all_(
            set_("leaf1", "PORT", "Ethernet60", admin_status="down"),
            set_("leaf2", "PORT", "Ethernet60", admin_status="down"),
        ),
    ),
    "SL805": Case(
        del_("spine1", "BGP_NEIGHBOR", "default|Ethernet0"),
        {("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", "")},
        all_(del_("spine1", "BGP_NEIGHBOR", "default|Ethernet0"), del_("leaf1", "BGP_NEIGHBOR", "default|Ethernet48")),
    ),
    "SL806": Case(
        all_(
            set_("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", asn="65199"),
            set_("leaf2", "BGP_GLOBALS", "default", local_asn="65100"),
        ),
        {
            ("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", "asn"),
            ("leaf2", "BGP_NEIGHBOR", "default|Ethernet48", "asn"),
            ("spine1", "BGP_NEIGHBOR", "default|Ethernet4", "asn"),
        },
        set_("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", asn="65100"),
    ),
    "SL807": Case(
        all_(
            set_("leaf1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet48"),
            set_("spine1", "PORTCHANNEL_MEMBER", "PortChannel9|Ethernet0"),
            set_("spine1", "PORTCHANNEL_MEMBER", "PortChannel9|Ethernet4"),
        ),
        {
            ("leaf1", "PORTCHANNEL", "PortChannel1", ""),
            ("spine1", "PORTCHANNEL_MEMBER", "PortChannel9|Ethernet4", "port"),
        },
        all_(
            del_("leaf1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet60"),
            del_("leaf2", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet60"),
        ),
    ),
    "SL808": Case(
        all_(
            set_("leaf1", "VLAN_MEMBER", "Vlan20|PortChannel1", tagging_mode="tagged"),
            set_("leaf1", "VLAN_MEMBER", "Vlan10|PortChannel1", tagging_mode="untagged"),
        ),
        {
            ("leaf1", "VLAN_MEMBER", "Vlan20|PortChannel1", ""),
            ("leaf1", "VLAN_MEMBER", "Vlan10|PortChannel1", "tagging_mode"),
        },
        all_(
            set_("leaf1", "VLAN_MEMBER", "Vlan20|PortChannel1", tagging_mode="tagged"),
            set_("leaf2", "VLAN_MEMBER", "Vlan20|PortChannel1", tagging_mode="tagged"),
        ),
    ),
    "SL809": Case(
        all_(
            set_("leaf1", "PORT", "Ethernet48", description="spine1:Ethernet4"),
            set_("leaf1", "PORT", "Ethernet0", description="spine1:Ethernet99"),
        ),
        {
            ("leaf1", "PORT", "Ethernet48", "description"),
            ("leaf1", "PORT", "Ethernet0", "description"),
            ("spine1", "PORT", "Ethernet0", "description"),
        },
        all_(
            set_("leaf1", "PORT", "Ethernet48", description="spine1 hundredGigE1"),
            set_("leaf1", "PORT", "Ethernet0", description="spine1:eth0"),
        ),
    ),
    "SL810": Case(
        all_(set_("leaf2", "VRF", "VrfRed", vni="50100"), set_("leaf2", "VXLAN_TUNNEL_MAP", MAP, vlan="Vlan20")),
        {("leaf2", "VRF", "VrfRed", "vni"), ("leaf2", "VXLAN_TUNNEL_MAP", MAP, "vlan")},
        set_("leaf2", "VXLAN_TUNNEL_MAP", "vtep|map_50100_Vlan3100", vlan="Vlan3101"),
    ),
    "SL811": Case(
        all_(
            set_("leaf1", "INTERFACE", "Ethernet48|10.9.0.0/31"), set_("spine1", "INTERFACE", "Ethernet0|10.9.0.3/31")
        ),
        {("leaf1", "INTERFACE", "Ethernet48|10.9.0.0/31", "")},
        all_(
            set_("leaf1", "INTERFACE", "Ethernet48|10.9.0.0/31"), set_("spine1", "INTERFACE", "Ethernet0|10.9.0.1/31")
        ),
    ),
    "SL812": Case(
        set_("leaf2", "BGP_GLOBALS", "default", local_asn="65101"),
        {("leaf2", "BGP_GLOBALS", "default", "local_asn")},
        set_("spine1", "BGP_GLOBALS", "default", local_asn="65101"),
    ),
    "SL813": Case(
        set_("leaf1", "BGP_PEER_GROUP", GROUP, bfd="true"),
        {("spine1", "BGP_NEIGHBOR", "default|Ethernet0", "bfd")},
        lambda configs: [configs[name]["BGP_PEER_GROUP"][GROUP].update(bfd="true") for name in configs],
    ),
}
