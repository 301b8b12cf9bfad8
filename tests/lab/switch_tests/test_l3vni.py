# SPDX-License-Identifier: Apache-2.0
"""Two leaves with a kernel of their own, which knows VRFs: routing instances over VXLAN, and what keeps them apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.switch_tests import overlay
from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane

pytestmark = pytest.mark.accept("S2.2")

LEAF, FAR, SPINE = "em01-leaf-r01-u38", "em01-leaf-r02-u38", "em01-spine-r01-u41"
BLUE, RED = "VrfBlue", "VrfRed"
#: Host, its port, its address, its gateway; two in one instance on two leaves, one in another instance.
NEAR_HOST = ("em01-jump-r01-u02", "198.51.100.2/26", "198.51.100.1")
FAR_HOST = ("em01-ctl-r02-u03", "198.51.100.66/26", "198.51.100.65")
RED_HOST = ("em01-ctl-r01-u03", "198.51.100.130/26", "198.51.100.129")
_PORT = "enp65s0f0np0"
_SECONDS = 240.0


@pytest.fixture(scope="module")
def small() -> Iterator[Fabric]:
    """One spine, two leaves with a kernel of their own, three hosts."""
    hosts = [NEAR_HOST[0], FAR_HOST[0], RED_HOST[0]]
    found = Fabric(lane("l3vni"), [LEAF, FAR, SPINE], hosts, guests=[LEAF, FAR])
    found.down()
    found.up()
    yield found
    found.down()


def eventually(condition: Callable[[], bool]) -> bool:
    return kernel.wait_for(condition, _SECONDS, 1.0)


def pings(fabric: Fabric, host: str, address: str) -> bool:
    address = address.partition("/")[0]
    return fabric.machine(host).run(["ping", "-c", "1", "-W", "2", address], check=False).returncode == 0


def test_an_instance_is_routed_over_vxlan_and_hears_of_no_other(small: Fabric) -> None:
    overlay.route_over(
        small, {LEAF: ("Ethernet0", "198.51.100.1/26"), FAR: ("Ethernet0", "198.51.100.65/26")}, BLUE, 50100
    )
    small.database(LEAF, "DEL", "BGP_NEIGHBOR|default|Ethernet1")
    small.database(LEAF, "DEL", "INTERFACE|Ethernet1")
    small.write(LEAF, overlay.instance(small, LEAF, "Ethernet1", "198.51.100.129/26", RED, 30))
    small.settle(LEAF, 120)
    for host, address, gateway in (NEAR_HOST, FAR_HOST, RED_HOST):
        small.machine(host).run(["ip", "address", "add", address, "dev", _PORT])
        small.machine(host).run(["ip", "route", "add", "198.51.100.0/24", "via", gateway])
        assert eventually(lambda host=host, gateway=gateway: pings(small, host, gateway)), host

    # the known gap: the number of the instance is in CONFIG_DB and never reaches FRR, so nothing is routed
    assert small.config_db(LEAF)["VRF"][BLUE] == {"vni": "50100"}
    assert BLUE not in small.vtysh(LEAF, "show vrf vni")
    assert not pings(small, NEAR_HOST[0], FAR_HOST[1])
    # what an operator, or frr_fixups of sonic_config_db, says instead
    for leaf in (LEAF, FAR):
        small.vtysh(leaf, "configure terminal", f"vrf {BLUE}", "vni 50100")
    assert eventually(lambda: pings(small, NEAR_HOST[0], FAR_HOST[1]))
    assert eventually(lambda: pings(small, FAR_HOST[0], NEAR_HOST[1]))
    assert "198.51.100.64/26" in small.frr(LEAF, f"show ip route vrf {BLUE} bgp")

    assert small.frr(LEAF, f"show ip route vrf {RED} bgp") == {}
    for near, far in ((RED_HOST, NEAR_HOST), (RED_HOST, FAR_HOST), (NEAR_HOST, RED_HOST), (FAR_HOST, RED_HOST)):
        assert not pings(small, near[0], far[1]), f"{near[0]} reaches {far[0]} in another instance"
    # and a restart of the service forgets it again
    small.machine(LEAF).run(["systemctl", "restart", "bgp"], timeout=240)
    assert "vni 50100" not in small.vtysh(LEAF, "show running-config")
