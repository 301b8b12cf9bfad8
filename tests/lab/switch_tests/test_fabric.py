# SPDX-License-Identifier: Apache-2.0
"""The fabric of examples/embedded, from nothing but the rows that the landscape renders to: it carries packets."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.switch_tests import overlay
from ansible_collections.scs.landscape.tests.lab.switches import Fabric, routers

pytestmark = pytest.mark.accept("S2.2")

SPINES = ["em01-spine-r01-u41", "em01-spine-r02-u41"]
LEAVES = [f"em01-leaf-{rack}-{unit}" for rack in ("r01", "r02") for unit in ("u38", "u39")]
_SECONDS = 90.0


def eventually(condition: Callable[[], bool], seconds: float = _SECONDS) -> bool:
    return kernel.wait_for(condition, seconds, 0.3)


def peers(fabric: Fabric, name: str) -> dict[str, str]:
    """State of every neighbour of a router, by the port it is at."""
    summary = fabric.frr(name, "show bgp summary")
    return {port: peer["state"] for port, peer in summary.get("ipv4Unicast", {}).get("peers", {}).items()}


def cabled(fabric: Fabric, name: str) -> set[str]:
    """Ports of a machine that hold a cable to another one of the fabric."""
    return {end[1] for cable in fabric.wiring.cables for end in (cable.a, cable.b) if end[0] == name}


def loopback(fabric: Fabric, switch: str) -> str:
    keys = fabric.configs[switch]["LOOPBACK_INTERFACE"]
    return next(key.partition("|")[2] for key in keys if "|" in key and ":" not in key).partition("/")[0]


def pings(fabric: Fabric, host: str, address: str) -> bool:
    return fabric.machine(host).run(["ping", "-c", "1", "-W", "2", address], check=False).returncode == 0


@pytest.fixture(scope="module")
def hosts(fabric: Fabric) -> dict[str, dict[str, str]]:
    """The hosts route."""
    return routers.start(fabric)


def test_every_expected_session_is_established(fabric: Fabric, hosts: dict[str, dict[str, str]]) -> None:
    assert (sorted(fabric.switches), len(fabric.hosts)) == (sorted(SPINES + LEAVES), 6)
    for name in [*fabric.switches, *fabric.hosts]:
        wanted = dict.fromkeys(cabled(fabric, name), "Established")
        assert eventually(lambda name=name, wanted=wanted: peers(fabric, name) == wanted), (name, peers(fabric, name))


def test_paths_between_racks_are_as_wide_as_there_are_spines(fabric: Fabric, hosts: dict[str, dict[str, str]]) -> None:
    for leaf in LEAVES:
        for far in (one for one in LEAVES if one.split("-")[2] != leaf.split("-")[2]):

            def width(leaf: str = leaf, far: str = far) -> int:
                route = ["ip", "-json", "route", "show", loopback(fabric, far)]
                found = json.loads(fabric.machine(leaf).run(route).stdout or "[]")
                return len(found[0].get("nexthops", [0])) if found else 0

            assert eventually(lambda width=width: width() == len(SPINES)), (leaf, far, width())


def test_every_host_reaches_every_other(fabric: Fabric, hosts: dict[str, dict[str, str]]) -> None:
    pairs = [(near, far) for near in fabric.hosts for far in fabric.hosts if near != far]
    assert [
        pair for pair in pairs if not eventually(lambda pair=pair: pings(fabric, pair[0], hosts[pair[1]]["v4"]))
    ] == []


def test_nothing_runs_that_the_rows_do_not_say(fabric: Fabric) -> None:
    for name in fabric.switches:
        assert fabric.config_db(name) == fabric.saved(name) == fabric.configs[name]


def test_hosts_on_two_leaves_share_a_network_over_vxlan(fabric: Fabric) -> None:
    near, far = "em01-jump-r01-u02", "em01-ctl-r02-u03"
    leaves = {"em01-leaf-r01-u38": "Ethernet0", "em01-leaf-r02-u38": "Ethernet0"}
    overlay.stretch(fabric, leaves, 10, 10010)
    for number, host in enumerate((near, far), 1):
        fabric.machine(host).run(["ip", "address", "add", f"192.0.2.{number}/24", "dev", "enp65s0f0np0"])
    assert eventually(lambda: pings(fabric, near, "192.0.2.2"))
    spine = fabric.machine(SPINES[0])
    others = fabric.machine(SPINES[1])
    seen = [
        subprocess.Popen(
            [
                *one._entering({"PATH": "/usr/sbin:/usr/bin:/bin"}),
                "timeout",
                "20",
                "tcpdump",
                "-lnni",
                "any",
                "-c",
                "1",
                "udp port 4789",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for one in (spine, others)
    ]
    assert fabric.machine(near).run(["ping", "-c", "20", "-i", "0.2", "192.0.2.2"], check=False).returncode == 0
    said = "".join(process.communicate(timeout=60)[0] for process in seen)
    assert re.search(r"VXLAN.* vni 10010", said), said
    for spine_name in SPINES:
        assert fabric.frr(spine_name, "show evpn vni") == {}, "spines carry the routes and know no VNI"


def test_an_upstream_router_learns_what_is_announced_and_nothing_else(fabric: Fabric) -> None:
    leaf, host, port = "em01-leaf-r02-u39", "em01-comp-r02-u04", "enp65s0f1np1"
    own = loopback(fabric, leaf)
    for key in ("BGP_NEIGHBOR|default|Ethernet1", "INTERFACE|Ethernet1"):
        fabric.database(leaf, "DEL", key)
    fabric.write(
        leaf,
        [
            ("INTERFACE", "Ethernet1", {}),
            ("INTERFACE", "Ethernet1|203.0.113.0/31", {}),
            ("PREFIX_SET", "OUT", {"mode": "IPv4"}),
            ("PREFIX", f"OUT|10|{own}/32|exact", {"action": "permit"}),
            ("ROUTE_MAP_SET", "OUT", {}),
            ("ROUTE_MAP", "OUT|10", {"route_operation": "permit", "match_prefix_set": "OUT"}),
            ("BGP_NEIGHBOR", "default|203.0.113.1", {"asn": "64496", "admin_status": "up"}),
            (
                "BGP_NEIGHBOR_AF",
                "default|203.0.113.1|ipv4_unicast",
                {"admin_status": "up", "route_map_in": ["ALLOW"], "route_map_out": ["OUT"]},
            ),
        ],
    )
    fabric.settle(leaf)
    asn = fabric.configs[leaf]["BGP_GLOBALS"]["default"]["local_asn"]
    upstream = fabric.machine(host)
    text = f"router bgp 64496\n no bgp ebgp-requires-policy\n neighbor 203.0.113.0 remote-as {asn}\n"
    upstream.run(["tee", "/etc/frr/frr.conf"], input=text)
    upstream.run(["sed", "-i", "s/^bgpd=no/bgpd=yes/", "/etc/frr/daemons"])
    upstream.run(["ip", "address", "add", "203.0.113.1/31", "dev", port])
    upstream.run(["systemctl", "restart", "frr"])
    assert eventually(lambda: peers(fabric, host) == {"203.0.113.0": "Established"})
    assert eventually(lambda: set(fabric.frr(host, "show ip route bgp")) == {f"{own}/32"})
    sent = fabric.frr(leaf, "show bgp ipv4 unicast neighbors 203.0.113.1 advertised-routes")
    assert set(sent["advertisedRoutes"]) == {f"{own}/32"}
    assert pings(fabric, host, own)
