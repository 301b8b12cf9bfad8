# SPDX-License-Identifier: Apache-2.0
"""Two switches with kernels of their own: clocks that are set, instances, tags and LAGs, all changed over SSH."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane

from .playing import LEAF, SPINE, Stage, change, kill, pending, rows, settled, wait_for

#: Two kernels boot for half a minute, and a program takes a tenth of a second to start there.
pytestmark = pytest.mark.full

#: The ends of the cable between the two.
ENDS = {LEAF: "Ethernet48", SPINE: "Ethernet0"}
BLUE, VNI = "VrfBlue", 50100
_SECONDS = 240.0
#: Seconds of a change on a machine that takes a tenth of a second to start a program.
SLOW = {"confirm_within": 240, "verify_timeout": 120, "max_impact": "destroyed"}


@pytest.fixture(scope="module")
def guests() -> Iterator[Fabric]:
    """A leaf and a spine, each with a kernel of its own."""
    found = Fabric(lane("guests"), [LEAF, SPINE], guests=[LEAF, SPINE])
    found.down()
    found.up()
    yield found
    found.down()


class Patient(Stage):
    """Waits longer for a login and for sudo than one who speaks to fast machines."""

    def start(self, names: list[str], *tasks: dict[str, Any], arguments: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        return super().start(names, *tasks, arguments=("--timeout", "60", *arguments))


@pytest.fixture
def desk(guests: Fabric, tmp_path: Path, collections_root: Path) -> Stage:
    """Where plays are run from."""
    return Patient(guests, tmp_path, collections_root)


def eventually(condition: Callable[[], bool]) -> bool:
    return kernel.wait_for(condition, _SECONDS, 1.0)


def pings(fabric: Fabric, name: str, source: str, address: str) -> bool:
    """One packet there and back."""
    return not fabric.machine(name).run(["ping", "-c", "1", "-W", "2", "-I", source, address], check=False).returncode


def clock(fabric: Fabric, seconds: int) -> None:
    """Sets the clock of the leaf."""
    fabric.machine(LEAF).run(["date", "-s", f"{seconds:+d} seconds"])


@pytest.mark.accept("S2.7")
@pytest.mark.parametrize("jump", [86400, -86400], ids=["a day forward", "a day back"])
def test_a_clock_that_is_set_in_the_window_moves_neither_timer_nor_lock(guests: Fabric, desk: Stage, jump: int) -> None:
    before, seconds = rows(guests, LEAF), 60
    process = desk.start([LEAF], change({"NTP_SERVER": {"192.0.2.40": {}}}, confirm_within=seconds, verify_timeout=45))
    wait_for(lambda: pending(guests, LEAF), 180, "nothing was armed")
    began = time.monotonic()
    kill(process)
    clock(guests, jump)
    try:
        other = desk.run(LEAF, change({"NTP_SERVER": {"192.0.2.41": {}}}))
        asked = time.monotonic() - began
        still = pending(guests, LEAF)
        if asked < seconds - 15:
            assert other.rc != 0, "the lock was opened by the clock"
            assert "waits there" in other.only()["msg"] or "holds it" in other.only()["msg"]
            assert still, "it came back too early"
        settled(guests, LEAF, before, seconds + 120)
        assert time.monotonic() - began >= seconds - 10, "the timer was fooled"
        assert asked < seconds - 15, f"this machine is too slow to ask within {seconds} s: {asked:.0f} s"
    finally:
        clock(guests, -jump)
    assert json.loads(before) == guests.saved(LEAF)
    said = guests.machine(LEAF).run(["journalctl", "-q", "--no-pager", "-t", "scs-landscape"]).stdout
    assert "rolled back" in said


def instance(fabric: Fabric, name: str, address: str) -> dict[str, Any]:
    """The rows of a routing instance over VXLAN: one address of its own, and what BGP says of it."""
    config = fabric.configs[name]
    loopback = next(key for key in config["LOOPBACK_INTERFACE"] if "|" in key and ":" not in key)
    vtep, own = loopback.partition("|")[2].partition("/")[0], config["BGP_GLOBALS"]["default"]
    evpn = {"admin_status": "up", "route_map_in": ["ALLOW"], "route_map_out": ["ALLOW"]}
    target = [f"65100:{VNI}"]
    told = {"advertise-ipv4-unicast": "true", "route-distinguisher": f"{vtep}:{VNI}", "import-rts": target}
    return {
        "VRF": {BLUE: {"vni": str(VNI)}},
        "VXLAN_TUNNEL": {"vtep": {"src_ip": vtep}},
        "VXLAN_EVPN_NVO": {"nvo": {"source_vtep": "vtep"}},
        "VLAN": {"Vlan3100": {"vlanid": "3100"}},
        "VLAN_INTERFACE": {"Vlan3100": {"vrf_name": BLUE}},
        "LOOPBACK_INTERFACE": {"Loopback10": {"vrf_name": BLUE}, f"Loopback10|{address}/32": {}},
        "VXLAN_TUNNEL_MAP": {f"vtep|map_{VNI}_Vlan3100": {"vlan": "Vlan3100", "vni": str(VNI)}},
        "BGP_GLOBALS": {BLUE: {"local_asn": own["local_asn"], "router_id": own["router_id"]}},
        "ROUTE_REDISTRIBUTE": {f"{BLUE}|connected|bgp|ipv4": {}},
        "BGP_PEER_GROUP_AF": {"default|fabric|l2vpn_evpn": evpn},
        "BGP_GLOBALS_AF": {
            "default|l2vpn_evpn": {"advertise-all-vni": "true"},
            f"{BLUE}|l2vpn_evpn": {**told, "export-rts": target},
        },
    }


@pytest.mark.accept("S2.2")
def test_the_line_that_no_release_brings_into_frr_is_added_and_its_loss_is_told(guests: Fabric, desk: Stage) -> None:
    near, far = "198.51.100.1", "198.51.100.2"
    line = f"vrf {BLUE} / vni {VNI}"
    wish = change(instance(guests, LEAF, near), frr_fixups=True, **SLOW)
    fixed = {"scs.landscape.sonic_verify": {"checks": ["fixups"], "on_failure": "report"}}
    done = desk.run(LEAF, wish, fixed)
    assert done.rc == 0, done.output[-4000:]
    assert desk.run(SPINE, change(instance(guests, SPINE, far), frr_fixups=True, **SLOW)).rc == 0
    changed, verified = sorted(done.results[LEAF], key=lambda result: "plan" not in result)
    (step,) = [one for one in changed["plan"]["steps"] if one["op"] == "frr"]
    assert step["object"] == f"FRR {line}"
    assert "a restart of SONiC's bgp service loses it" in step["reason"]
    assert verified["ok"], verified
    assert eventually(lambda: pings(guests, LEAF, BLUE, far)), guests.vtysh(LEAF, "show evpn vni")
    assert eventually(lambda: pings(guests, SPINE, BLUE, near))

    guests.machine(LEAF).run(["systemctl", "restart", "bgp"], timeout=240)
    assert f"vni {VNI}" not in guests.vtysh(LEAF, "show running-config")
    lost = desk.run(LEAF, fixed).only()
    assert not lost["ok"]
    (fault,) = lost["failures"]
    assert (fault["check"], fault["local"], fault["expected"]) == ("fixups", f"FRR vrf {BLUE}", f"vni {VNI}")
    assert "bgp was restarted since" in fault["got"]
    again = desk.run(LEAF, wish)
    assert again.rc == 0, again.output[-4000:]
    assert [one["op"] for one in again.only()["plan"]["steps"]] == ["frr"]
    assert eventually(lambda: pings(guests, LEAF, BLUE, far))
    assert not desk.run(LEAF, wish).only()["changed"]


@pytest.mark.accept("S2.2")
def test_a_lag_and_a_tag_carry_packets(guests: Fabric, desk: Stage) -> None:
    """The cable between the two becomes a LAG with an address, then one that carries a tagged VLAN."""
    sides = {LEAF: "198.51.100.65", SPINE: "198.51.100.66"}

    def both(rows_of: Callable[[str, str], dict[str, Any]], state: str = "merged") -> None:
        for name, address in sides.items():
            done = desk.run(name, change(rows_of(ENDS[name], address), state=state, **SLOW))
            assert done.rc == 0, done.output[-4000:]

    both(lambda port, _own: {"BGP_NEIGHBOR": {f"default|{port}": {}}, "INTERFACE": {port: {}}}, "deleted")
    both(
        lambda port, own: {
            "PORTCHANNEL": {"PortChannel1": {"admin_status": "up", "mtu": "9100"}},
            "PORTCHANNEL_MEMBER": {f"PortChannel1|{port}": {}},
            "PORTCHANNEL_INTERFACE": {"PortChannel1": {}, f"PortChannel1|{own}/30": {}},
        }
    )
    assert eventually(lambda: pings(guests, LEAF, "PortChannel1", sides[SPINE]))
    bond = guests.machine(LEAF).run(["cat", "/proc/net/bonding/PortChannel1"]).stdout
    assert "802.3ad" in bond
    assert f"Slave Interface: {ENDS[LEAF]}" in bond

    both(lambda _port, own: {"PORTCHANNEL_INTERFACE": {"PortChannel1": {}, f"PortChannel1|{own}/30": {}}}, "deleted")
    both(
        lambda _port, own: {
            "VLAN": {"Vlan40": {"vlanid": "40"}},
            "VLAN_MEMBER": {"Vlan40|PortChannel1": {"tagging_mode": "tagged"}},
            "VLAN_INTERFACE": {"Vlan40": {}, f"Vlan40|{own}/30": {}},
        }
    )
    assert eventually(lambda: pings(guests, LEAF, "Vlan40", sides[SPINE]))
    links = json.loads(guests.machine(LEAF).run(["ip", "-json", "-details", "link", "show", "type", "vlan"]).stdout)
    assert [one["linkinfo"]["info_data"]["id"] for one in links] == [40]
