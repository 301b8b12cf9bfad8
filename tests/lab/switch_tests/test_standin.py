# SPDX-License-Identifier: Apache-2.0
"""What rows become in the kernel of a switch, the commands of a switch, and how its services come back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane

SPINE, LEAF = "em01-spine-r01-u41", "em01-leaf-r01-u38"
_SECONDS = 60.0


@pytest.fixture(scope="module")
def pair() -> Iterator[Fabric]:
    """A spine and a leaf, configured as the landscape says."""
    found = Fabric(lane("standin"), [SPINE, LEAF])
    found.down()
    found.up()
    yield found
    found.down()


@pytest.fixture
def as_before(pair: Fabric) -> Iterator[None]:
    """The leaf is brought back to what it started with."""
    yield
    pair.reload(LEAF, pair.configs[LEAF])


def link(fabric: Fabric, name: str, device: str) -> dict[str, Any]:
    """An interface of a switch, as ``ip`` tells it; empty when there is none."""
    done = fabric.machine(name).run(["ip", "-json", "-details", "address", "show", "dev", device], check=False)
    found: dict[str, Any] = json.loads(done.stdout)[0] if done.returncode == 0 else {}
    return found


def addresses(found: dict[str, Any]) -> set[str]:
    """Its addresses, but for those that it gave itself."""
    return {f"{one['local']}/{one['prefixlen']}" for one in found.get("addr_info", ()) if one.get("scope") == "global"}


def eventually(condition: Callable[[], bool]) -> bool:
    return kernel.wait_for(condition, _SECONDS, 0.2)


def established(fabric: Fabric, name: str, port: str) -> bool:
    """Whether a session is; not when FRR itself does not run just now."""
    done = fabric.machine(name).run(["vtysh", "-c", "show bgp summary json"], check=False)
    # A daemon of FRR that ended a moment ago makes vtysh say so in front of the answer.
    answer = done.stdout[done.stdout.find("{") :] if done.returncode == 0 and "{" in done.stdout else "{}"
    summary = json.loads(answer).get("ipv4Unicast", {})
    return bool(summary.get("peers", {}).get(port, {}).get("state") == "Established")


def test_ports_follow_their_rows(pair: Fabric, as_before: None) -> None:
    rows = pair.configs[LEAF]["PORT"]
    found = link(pair, LEAF, "Ethernet48")
    assert found["mtu"] == 9100
    assert "LOWER_UP" in found["flags"]
    assert "UP" not in link(pair, LEAF, "Ethernet20")["flags"], "no cable, and no row that says up"
    assert eventually(lambda: "up" in pair.database(LEAF, "HGET", "PORT_TABLE:Ethernet48", "oper_status", number=0))
    pair.write(LEAF, [("PORT", "Ethernet48", {**rows["Ethernet48"], "admin_status": "down", "mtu": "1500"})])
    pair.settle(LEAF)
    found = link(pair, LEAF, "Ethernet48")
    assert found["mtu"] == 1500
    assert "UP" not in found["flags"]
    assert pair.database(LEAF, "HGET", "PORT_TABLE:Ethernet48", "oper_status", number=0) == "down"
    assert eventually(lambda: not established(pair, SPINE, "Ethernet0"))


def test_a_session_takes_a_row_of_the_interface(pair: Fabric, as_before: None) -> None:
    assert eventually(lambda: established(pair, LEAF, "Ethernet48"))
    pair.database(LEAF, "DEL", "INTERFACE|Ethernet48")
    assert eventually(lambda: not established(pair, LEAF, "Ethernet48"))
    pair.write(LEAF, [("INTERFACE", "Ethernet48", {"ipv6_use_link_local_only": "enable"})])
    assert eventually(lambda: established(pair, LEAF, "Ethernet48"))


def test_addresses_wait_for_the_row_of_their_interface(pair: Fabric, as_before: None) -> None:
    pair.write(LEAF, [("INTERFACE", "Ethernet4|192.0.2.1/31", {})])
    pair.settle(LEAF)
    assert addresses(link(pair, LEAF, "Ethernet4")) == set()
    pair.write(LEAF, [("INTERFACE", "Ethernet4", {}), ("LOOPBACK_INTERFACE", "Loopback1|10.9.9.9/32", {})])
    pair.settle(LEAF)
    assert addresses(link(pair, LEAF, "Ethernet4")) == {"192.0.2.1/31"}
    assert link(pair, LEAF, "Loopback1") == {}
    pair.write(LEAF, [("LOOPBACK_INTERFACE", "Loopback1", {})])
    pair.settle(LEAF)
    assert addresses(link(pair, LEAF, "Loopback1")) == {"10.9.9.9/32"}
    for key in ("INTERFACE|Ethernet4", "INTERFACE|Ethernet4|192.0.2.1/31", "LOOPBACK_INTERFACE|Loopback1"):
        pair.database(LEAF, "DEL", key)
    pair.settle(LEAF)
    assert addresses(link(pair, LEAF, "Ethernet4")) == set()
    assert link(pair, LEAF, "Loopback1") == {}


def test_the_management_address_follows_its_row(pair: Fabric, as_before: None) -> None:
    own = pair.machine(LEAF).address
    pair.database(LEAF, "DEL", f"MGMT_INTERFACE|eth0|{own}/24")
    pair.write(LEAF, [("MGMT_INTERFACE", "eth0|192.0.2.9/24", {"gwaddr": "192.0.2.1"})])
    pair.settle(LEAF)
    assert addresses(link(pair, LEAF, "eth0")) == {"192.0.2.9/24"}
    with pytest.raises(TimeoutError):
        pair.await_ssh(LEAF, 2)
    pair.database(LEAF, "DEL", "MGMT_INTERFACE|eth0|192.0.2.9/24")
    pair.await_ssh(LEAF)  # without a row DHCP gives the address back


def test_vlans_and_tunnels_come_and_go(pair: Fabric, as_before: None) -> None:
    pair.write(
        LEAF,
        [
            ("VLAN", "Vlan10", {"vlanid": "10"}),
            ("VLAN_MEMBER", "Vlan10|Ethernet8", {"tagging_mode": "untagged"}),
            ("VLAN_INTERFACE", "Vlan10", {}),
            ("VLAN_INTERFACE", "Vlan10|198.51.100.1/24", {}),
            ("VXLAN_TUNNEL", "vtep", {"src_ip": "10.20.2.111"}),
            ("VXLAN_TUNNEL_MAP", "vtep|map_10010_Vlan10", {"vlan": "Vlan10", "vni": "10010"}),
        ],
    )
    pair.settle(LEAF)
    assert addresses(link(pair, LEAF, "Vlan10")) == {"198.51.100.1/24"}
    assert link(pair, LEAF, "Ethernet8")["master"] == link(pair, LEAF, "vtep-10")["master"] == "Vlan10"
    tunnel = link(pair, LEAF, "vtep-10")["linkinfo"]["info_data"]
    assert (tunnel["id"], tunnel["local"], tunnel["port"]) == (10010, "10.20.2.111", 4789)
    pair.database(LEAF, "DEL", "VXLAN_TUNNEL_MAP|vtep|map_10010_Vlan10")
    pair.database(LEAF, "DEL", "VLAN_MEMBER|Vlan10|Ethernet8")
    pair.database(LEAF, "DEL", "VLAN|Vlan10")
    pair.settle(LEAF)
    assert link(pair, LEAF, "vtep-10") == link(pair, LEAF, "Vlan10") == {}
    assert "master" not in link(pair, LEAF, "Ethernet8")


def test_what_this_kernel_cannot_do_is_said_and_leaks_nowhere(pair: Fabric, as_before: None) -> None:
    pair.write(
        LEAF,
        [
            ("VRF", "VrfRed", {}),
            ("INTERFACE", "Ethernet12", {"vrf_name": "VrfRed"}),
            ("INTERFACE", "Ethernet12|203.0.113.1/31", {}),
        ],
    )
    pair.settle(LEAF)
    journal = pair.machine(LEAF).run(["journalctl", "-u", "swss", "--no-pager", "-o", "cat"]).stdout
    assert "this kernel cannot make: VRF VrfRed" in journal
    assert addresses(link(pair, LEAF, "Ethernet12")) == set(), "not in the default instance"


def test_save_reload_load_and_the_updater_that_is_not_there(pair: Fabric, as_before: None) -> None:
    machine = pair.machine(LEAF)
    pair.write(LEAF, [("SYSLOG_SERVER", "192.0.2.4", {})])
    assert "SYSLOG_SERVER" not in pair.saved(LEAF)
    machine.run(["config", "save", "-y"])
    assert pair.saved(LEAF) == pair.config_db(LEAF) != pair.configs[LEAF]
    pair.database(LEAF, "DEL", "SYSLOG_SERVER|192.0.2.4")
    machine.run(["config", "load", "-y"])
    assert "192.0.2.4" in pair.config_db(LEAF)["SYSLOG_SERVER"], "load writes rows over what is there"
    pair.write(LEAF, [("SYSLOG_SERVER", "192.0.2.5", {})])
    machine.run(["config", "load", "-y"])
    assert "192.0.2.5" in pair.config_db(LEAF)["SYSLOG_SERVER"], "and deletes nothing"
    machine.run(["config", "reload", "-y"], timeout=300)
    assert pair.config_db(LEAF) == pair.saved(LEAF)
    for verb in ("apply-patch", "checkpoint", "rollback"):
        done = machine.run(["config", verb, "name"], check=False)
        assert done.returncode == 1
        assert "not part of this switch" in done.stderr
    broken = machine.run(["sh", "-c", "echo '{' >/root/broken.json; config reload -y /root/broken.json"], check=False)
    assert broken.returncode == 1
    assert machine.run(["systemctl", "is-active", "bgp"]).stdout.strip() == "active", "nothing was stopped for it"


def test_a_restart_of_bgp_brings_what_the_boot_file_says(pair: Fabric, as_before: None) -> None:
    pair.write(
        LEAF, [("BGP_GLOBALS", "default", {**pair.configs[LEAF]["BGP_GLOBALS"]["default"], "local_asn": "65123"})]
    )
    pair.settle(LEAF)
    assert "router bgp 4210002111" in pair.vtysh(LEAF, "show running-config")
    pair.machine(LEAF).run(["systemctl", "restart", "bgp"], timeout=120)
    assert "router bgp 65123" in pair.vtysh(LEAF, "show running-config")


def test_a_killed_database_comes_back_with_what_was_saved(pair: Fabric, as_before: None) -> None:
    machine = pair.machine(LEAF)
    pair.write(LEAF, [("SYSLOG_SERVER", "192.0.2.4", {})])
    before = machine.run(["systemctl", "show", "-p", "MainPID", "--value", "database"]).stdout.strip()
    machine.run(["kill", "-9", before])

    def back() -> bool:
        now = machine.run(["systemctl", "show", "-p", "MainPID", "--value", "database"]).stdout.strip()
        units = machine.run(["systemctl", "is-active", "database", "swss", "bgp"], check=False).stdout.split()
        return now not in ("0", before) and units == ["active"] * 3

    assert eventually(back)
    assert eventually(lambda: pair.config_db(LEAF) == pair.configs[LEAF])
    assert eventually(lambda: established(pair, LEAF, "Ethernet48"))


@pytest.mark.parametrize("pulled", [0, 4], ids=["at-once", "later"])
def test_a_port_works_again_when_its_cable_is_back(pair: Fabric, pulled: int) -> None:
    """An interface of the lab goes with its cable, which no switch does and FRR's zebra cannot cope with: FRR starts
    again at both ends. After 3 s an empty port has taken the place of the interface."""
    assert eventually(lambda: established(pair, LEAF, "Ethernet48"))
    cable = next(one for one in pair.wiring.cables if (LEAF, "Ethernet48") in (one.a, one.b))
    before = link(pair, LEAF, "Ethernet48")["ifindex"]
    pair.panel().disconnect([cable.a])
    assert eventually(lambda: not established(pair, LEAF, "Ethernet48"))
    if pulled:
        assert eventually(lambda: link(pair, LEAF, "Ethernet48").get("linkinfo", {}).get("info_kind") == "tun")
    pair.panel().connect([(cable.a, cable.b, True)])
    journal = ["journalctl", "-u", "swss", "--no-pager", "-o", "cat"]
    for name, port in (cable.a, cable.b):
        said = f"{port}: the cable is back; bgp starts again"
        assert eventually(lambda name=name, said=said: said in pair.machine(name).run(journal).stdout)
        assert eventually(lambda name=name, port=port: established(pair, name, port))
    found = link(pair, LEAF, "Ethernet48")
    assert found["mtu"] == 9100
    assert found["ifindex"] != before
