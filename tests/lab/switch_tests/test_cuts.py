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
#: Seconds between two pings, packets of one run, packets a cut may cost.
SPACING, PACKETS, LOST = 0.02, 400, 5
#: Seconds in which BFD notices (three times 300 ms, FRR's own figures), and what may come on top.
DETECTION, GRACE = 0.9, 0.2
_SECONDS = 90.0


def eventually(condition: Callable[[], bool]) -> bool:
    return kernel.wait_for(condition, _SECONDS, 0.3)


@pytest.fixture(scope="module")
def four() -> Iterator[tuple[Fabric, str]]:
    """Two leaves, two spines, a host at each leaf; and the address of the second host."""
    found = Fabric(lane("cuts"), [*LEAVES, *SPINES], HOSTS)
    found.down()
    found.up()
    address = routers.start(found)[HOSTS[1]]["v4"]
    yield found, address
    found.down()


def width(fabric: Fabric, address: str) -> int:
    """How many ways the first leaf knows to an address."""
    found = fabric.frr(LEAVES[0], f"show ip route {address}")
    hops = [hop for routes in found.values() for route in routes for hop in route["nexthops"]]
    return sum(1 for hop in hops if hop.get("fib"))


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
    four: tuple[Fabric, str], failure: Callable[[Fabric, tuple[str, str]], AbstractContextManager[None]]
) -> list[int]:
    """What the failure of each uplink of the first leaf costs; the ping takes one of them, there and back."""
    fabric, address = four
    reach, found = ["ping", "-c", "1", "-W", "1", address], []
    for port in UPLINKS:
        assert eventually(lambda: width(fabric, address) == len(SPINES))
        assert eventually(lambda: fabric.machine(HOSTS[0]).run(reach, check=False).returncode == 0)
        found.append(lost(fabric, address, lambda port=port: failure(fabric, (LEAVES[0], port))))
    assert eventually(lambda: width(fabric, address) == len(SPINES))
    return found


@pytest.mark.full
def test_a_cut_costs_five_packets_at_most(four: tuple[Fabric, str]) -> None:
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


def test_a_silent_cut_is_noticed_by_bfd(four: tuple[Fabric, str]) -> None:
    fabric, _address = four
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
