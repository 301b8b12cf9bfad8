# SPDX-License-Identifier: Apache-2.0
"""A link between leaf and spine fails under traffic: seen by both ends, or by nobody but BFD."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.switches import Fabric, cuts, routers
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane
from ansible_collections.scs.landscape.tests.tools import yardstick

pytestmark = pytest.mark.accept("S2.3")

LEAVES = ["em01-leaf-r01-u38", "em01-leaf-r02-u38"]
SPINES = ["em01-spine-r01-u41", "em01-spine-r02-u41"]
HOSTS = ["em01-jump-r01-u02", "em01-ctl-r02-u03"]
UPLINKS = ["Ethernet48", "Ethernet52"]
#: Seconds between two pings, packets of one run, packets a cut may cost: FRR collects changes for 50 ms before it
#: decides, on the spine that lost the link and again on the far leaf; with what zebra and the kernel need that is 120 ms.
SPACING, PACKETS, LOST = 0.02, 250, 5
#: Seconds in which BFD notices (three times 300 ms, FRR's own figures), and what may come on top.
DETECTION, GRACE = 0.9, 0.2
_SECONDS = 90.0


def eventually(condition: Callable[[], bool]) -> bool:
    return kernel.wait_for(condition, _SECONDS, 0.3)


@pytest.fixture(scope="module")
def four() -> Iterator[tuple[Fabric, list[str]]]:
    """Two leaves, two spines, a host at each leaf; and the addresses of the hosts."""
    found = Fabric(lane("cuts"), [*LEAVES, *SPINES], HOSTS)
    found.down()
    found.up()
    known = routers.start(found)
    yield found, [known[host]["v4"] for host in HOSTS]
    found.down()


def ways(fabric: Fabric, leaf: str, address: str) -> tuple[int, int]:
    """How many ways a leaf uses to an address: what BGP says of it, and what the kernel was given.

    zebra gives the kernel a next hop back as soon as its port has light again, seconds before BGP has a session there.
    """
    paths = fabric.frr(leaf, f"show bgp ipv4 unicast {address}").get("paths", [])
    found = fabric.frr(leaf, f"show ip route {address}")
    hops = [hop for routes in found.values() for route in routes for hop in route["nexthops"]]
    chosen = sum(1 for path in paths if path.get("multipath") or path.get("bestpath", {}).get("overall"))
    return chosen, sum(1 for hop in hops if hop.get("fib"))


def ready(four: tuple[Fabric, list[str]]) -> bool:
    """Whether both spines carry packets, there and back: a spine tells the routes of a new session 1 s later."""
    fabric, (near, far) = four
    wanted = (len(SPINES), len(SPINES))
    if (ways(fabric, LEAVES[0], far), ways(fabric, LEAVES[1], near)) != (wanted, wanted):
        return False
    return fabric.machine(HOSTS[0]).run(["ping", "-c", "1", "-W", "1", far], check=False).returncode == 0


def lost(fabric: Fabric, address: str, failure: Callable[[], AbstractContextManager[None]]) -> int:
    """Packets of a steady ping that are lost when something fails in its midst."""
    ping = ["ping", "-q", "-i", str(SPACING), "-c", str(PACKETS), "-W", "1", address]
    entering = fabric.machine(HOSTS[0])._entering({"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
    running = subprocess.Popen([*entering, *ping], stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)
    with failure():
        said = running.communicate(timeout=60)[0]
    counted = re.search(r"(\d+) packets transmitted, (\d+) received", said)
    assert counted is not None, said
    return int(counted[1]) - int(counted[2])


def losses(
    four: tuple[Fabric, list[str]], failure: Callable[[Fabric, tuple[str, str]], AbstractContextManager[None]]
) -> list[int]:
    """What the failure of each uplink of the first leaf costs; the ping takes one of them, there and back."""
    fabric, (_near, address) = four
    found = []
    for port in UPLINKS:
        assert eventually(lambda: ready(four))
        found.append(lost(fabric, address, lambda port=port: failure(fabric, (LEAVES[0], port))))
    assert eventually(lambda: ready(four))
    return found


def test_a_cut_costs_five_packets_at_most(four: tuple[Fabric, list[str]]) -> None:
    def failure(fabric: Fabric, end: tuple[str, str]) -> AbstractContextManager[None]:
        far = fabric.wiring.far(end)
        assert far is not None
        return cuts.cut(fabric, far)

    # five on a machine that has nothing else to do; seven processes one after the other wait for a core on a busy one
    allowed = LOST * max(1.0, yardstick.pace()) ** 1.5
    tries = [losses(four, failure)]
    while max(tries[-1]) > allowed and len(tries) < 3:
        tries.append(losses(four, failure))
    assert max(tries[-1]) <= allowed, (tries, allowed)
    assert max(tries[-1]) > 0, "the ping took neither of them"


def test_a_silent_cut_is_noticed_by_bfd(four: tuple[Fabric, list[str]]) -> None:
    fabric, _addresses = four
    without = losses(four, cuts.silence)
    for name in (*LEAVES, *SPINES):
        fabric.write(name, [("BGP_PEER_GROUP", "default|fabric", {"bfd": "true"})])
        fabric.settle(name)

    def peers() -> list[str]:
        return [peer["status"] for peer in fabric.frr(LEAVES[0], "show bfd peers")]

    assert eventually(lambda: peers() == ["up"] * len(SPINES)), peers()
    found = losses(four, cuts.silence)
    allowed = (DETECTION + GRACE * max(1.0, yardstick.pace())) / SPACING
    assert 0 < max(found) <= allowed, (found, without)
    assert max(without) > 2 * max(found), "without it the hold time of BGP decides"
