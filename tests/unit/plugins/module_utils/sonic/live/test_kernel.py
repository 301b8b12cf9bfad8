# SPDX-License-Identifier: Apache-2.0
"""What rows make of the kernel, on SONiC and on switches of the lab, and what is seen when nobody makes it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import expect

CONFIG: dict[str, Any] = {
    "PORT": {
        "Ethernet0": {"admin_status": "up", "mtu": "9100"},
        "Ethernet1": {"admin_status": "up", "mtu": "9100"},
        "Ethernet2": {"mtu": "1500"},
        "Ethernet3": {"admin_status": "up"},
    },
    "VLAN": {"Vlan10": {}, "Vlan20": {}},
    "VLAN_MEMBER": {"Vlan10|Ethernet0": {"tagging_mode": "untagged"}, "Vlan20|Ethernet1": {"tagging_mode": "tagged"}},
    "VLAN_INTERFACE": {"Vlan10": {"vrf_name": "VrfBlue"}},
    "VRF": {"VrfBlue": {}, "default": {}, "mgmt": {}},
    "PORTCHANNEL": {"PortChannel1": {"mtu": "9100"}},
    "PORTCHANNEL_MEMBER": {"PortChannel1|Ethernet2": {}},
    "INTERFACE": {"Ethernet3": {"vrf_name": "VrfBlue"}, "Ethernet3|10.0.0.0/31": {}},
    "LOOPBACK_INTERFACE": {"Loopback0": {}, "Loopback0|10.0.0.1/32": {}},
    "VXLAN_TUNNEL": {"vtep": {"src_ip": "10.0.0.1"}},
    "VXLAN_TUNNEL_MAP": {"vtep|map_100_Vlan10": {"vni": "100", "vlan": "Vlan10"}},
}


def device(name: str, *addresses: str, up: bool = True, **more: Any) -> dict[str, Any]:
    held = [{"local": one.partition("/")[0], "prefixlen": int(one.partition("/")[2])} for one in addresses]
    return {"ifname": name, "flags": ["UP"] if up else [], "mtu": 9100, "addr_info": held, **more}


def vxlan(vni: int | None, **more: Any) -> dict[str, Any]:
    data = {"external": True} if vni is None else {"id": vni}
    return {"linkinfo": {"info_kind": "vxlan", "info_data": data}, **more}


COMMON = [
    device("lo", "127.0.0.1/8"),
    device("Ethernet2", master="PortChannel1"),
    device("Ethernet3", "10.0.0.0/31", master="VrfBlue"),
    device("VrfBlue"),
    device("PortChannel1"),
    device("Loopback0", "10.0.0.1/32"),
]
#: As vlanmgrd and vxlanmgrd do it: one bridge, VLANs are devices on it. A port without optics has its device, too.
SONIC = [
    *COMMON,
    device("Bridge"),
    device("Ethernet0", master="Bridge"),
    device("Ethernet1", master="Bridge", operstate="DOWN"),
    device("Vlan10", link="Bridge", master="VrfBlue"),
    device("Vlan20", link="Bridge"),
    device("vtep-10", **vxlan(100, master="Bridge")),
]
#: As switches of the lab do it: a bridge for each VLAN, a device on the port for each tag.
LAB = [
    *COMMON,
    device("Ethernet0", master="Vlan10"),
    device("Ethernet1"),
    device("Eth1.20", link="Ethernet1", master="Vlan20"),
    device("Vlan10", master="VrfBlue"),
    device("Vlan20"),
    device("vtep-10", **vxlan(100, master="Vlan10")),
]


@pytest.mark.parametrize("there", [SONIC, LAB], ids=["sonic", "lab"])
def test_nothing_is_missing_where_all_is_done(there: list[dict[str, Any]]) -> None:
    assert expect.kernel(CONFIG, there) == set()


@pytest.mark.parametrize("there", [SONIC, LAB], ids=["sonic", "lab"])
@pytest.mark.parametrize(
    ("gone", "more"),
    [
        ("Ethernet0", set()),
        ("Vlan20", set()),
        ("PortChannel1", set()),
        ("VrfBlue", set()),
        ("Loopback0", {"the kernel lacks 10.0.0.1/32 on Loopback0"}),
        ("Ethernet3", {"the kernel lacks 10.0.0.0/31 on Ethernet3"}),
    ],
)
def test_what_has_no_device_is_seen_once(there: list[dict[str, Any]], gone: str, more: set[str]) -> None:
    rest = [one for one in there if one["ifname"] != gone]
    assert expect.kernel(CONFIG, rest) == {f"the kernel has no {gone}", *more}


@pytest.mark.parametrize("there", [SONIC, LAB], ids=["sonic", "lab"])
def test_members_that_are_none_are_seen(there: list[dict[str, Any]]) -> None:
    loose = [{name: value for name, value in one.items() if name != "master"} for one in there]
    assert expect.kernel(CONFIG, loose) == {
        "Ethernet0 is no member of Vlan10 in the kernel",
        "Ethernet1 is no member of Vlan20 in the kernel",
        "Ethernet2 is no member of PortChannel1 in the kernel",
        "Ethernet3 is no member of VrfBlue in the kernel",
        "Vlan10 is no member of VrfBlue in the kernel",
    }


@pytest.mark.parametrize("there", [SONIC, LAB], ids=["sonic", "lab"])
def test_a_vni_without_its_tunnel_is_seen(there: list[dict[str, Any]]) -> None:
    rest = [one for one in there if one["ifname"] != "vtep-10"]
    assert expect.kernel(CONFIG, rest) == {"the kernel has no tunnel with the VNI 100 of Vlan10"}
    assert expect.kernel(CONFIG, [*rest, device("vtep", **vxlan(None))]) == set(), "one for all VNIs"
    assert expect.kernel({**CONFIG, "VXLAN_TUNNEL": {"vtep": {}}}, rest) == set(), "a tunnel without an address waits"


def test_a_member_of_a_lag_has_the_mtu_of_the_lag_and_is_up_unless_it_is_said() -> None:
    small = [{**one, "mtu": 1500} if one["ifname"] == "Ethernet2" else one for one in SONIC]
    assert expect.kernel(CONFIG, small) == {"Ethernet2 has the MTU 1500 in the kernel, not 9100"}
    shut = {**CONFIG, "PORT": {**CONFIG["PORT"], "Ethernet2": {"admin_status": "down"}}}
    assert expect.kernel(shut, SONIC) == {"Ethernet2 is up in the kernel, not down"}
