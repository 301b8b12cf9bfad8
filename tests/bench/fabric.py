# SPDX-License-Identifier: Apache-2.0
"""A fabric of any size whose switches have 64 ports: for benches. The same numbers give the same bytes.

Forty-eight leaves share a pair of spines; leaves come in pairs, and every pair has thirty hosts with a leg on each. It is
a landscape that its rules take: management ports are plugged in.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ansible_collections.scs.landscape.plugins.module_utils.sonic import port_maps

HWSKU = "Example-64x100G"
PORTS, POD, HOSTS = 64, 48, 30
#: Management ports that one switch of somebody else takes.
_MANAGED = 500

_HEAD = """\
# SPDX-License-Identifier: Apache-2.0
version: 1
title: Generated fabric
sites: {s1: {}}
environments:
  cloud: {separated: true, connects_to: [net]}
  net: {connects_to: [cloud]}
asn_schemes:
  all: {kind: octets, prefix: 4210}
  spines: {kind: explicit, shared: true}
services: {ntp_servers: [192.0.2.2, 192.0.2.3], syslog_servers: [192.0.2.4]}
networks:
  oob: {purpose: management, v4: 10.16.0.0/16, router_v4: 10.16.255.254, vlan: 100, vrf: mgmt}
  bmc: {purpose: management, v4: 10.17.0.0/16}
  fabric: {purpose: loopback, v4: 10.32.0.0/16}
  lan: {purpose: provider, v4: 10.64.0.0/16, vlan: 10, vni: 10010, environment: cloud}
device_models:
  box:
    kind: server
    ports:
      - {names: [MGMT], use: bmc, speed: 1G, connector: rj45}
      - {names: [nic0, nic1], speed: 100G, connector: qsfp28}
  switch:
    kind: switch
    sonic_hwsku: Example-64x100G
    ports:
      - {names: [eth0], use: management, speed: 1G, connector: rj45}
      - {names: ['Ethernet{0..252..4}'], speed: 100G, connector: qsfp28}
roles:
  leaf: {kind: switch, oob_network: oob, loopback_network: fabric, asn_scheme: all, uplinks: 2, uplinks_to: [spine]}
  spine: {kind: switch, oob_network: oob, loopback_network: fabric, asn_scheme: spines}
  node: {kind: server, oob_network: bmc, networks: [lan]}
"""


def know_the_switch() -> None:
    """Adds the port map of the made-up switch for this process."""
    lanes = " ".join(str(1 + 4 * number) for number in range(PORTS))
    port_maps.PORT_MAPS[HWSKU] = (port_maps.Block(0, 1, "hundredGigE", 100000, lanes, 4, 4, (40000, 100000)),)


def _port(number: int) -> str:
    return f"Ethernet{4 * number}"


def _lines(switches: int) -> Iterator[str]:
    pods = max(1, round(switches / (POD + 2)))
    spines = [f"spine{number}" for number in range(1, 2 * pods + 1)]
    leaves = [f"leaf{number}" for number in range(1, switches - len(spines) + 1)]
    yield "switches:"
    for index, name in enumerate([*spines, *leaves], 1):
        asn = ", asn: 4210000001" if name in spines else ""
        role = "spine" if name in spines else "leaf"
        yield f"  {name}: {{model: switch, role: {role}, environment: net, index: {index}{asn}}}"
    pairs = [leaves[at : at + 2] for at in range(0, len(leaves), 2)]
    yield "redundancy_groups:"
    for number, pair in enumerate(pairs, 1):
        yield f"  pair{number}: {{kind: leaf-pair, members: [{', '.join(pair)}]}}"
    yield f"  spines: {{kind: spine-set, members: [{', '.join(spines)}]}}"
    yield "hosts:"
    for number in range(len(pairs) * HOSTS):
        yield f"  node{number + 1}: {{model: box, role: node, environment: cloud, index: {number + 1}}}"
    yield "externals:"
    for number in range((switches + len(pairs) * HOSTS) // _MANAGED + 1):
        yield f"  management{number + 1}: {{ports: ['{{1..{_MANAGED}}}']}}"
    yield "cables:"
    for number, leaf in enumerate(leaves):
        for leg in range(2):
            spine = spines[2 * (number // POD % pods) + leg]
            yield f"  - {{a: {leaf}/{_port(PORTS - 2 + leg)}, b: {spine}/{_port(number % POD)}}}"
    managed = [f"{name}/eth0" for name in (*spines, *leaves)]
    managed += [f"node{number + 1}/MGMT" for number in range(len(pairs) * HOSTS)]
    for number, port in enumerate(managed):
        yield f"  - {{a: {port}, b: management{number // _MANAGED + 1}/{number % _MANAGED + 1}}}"
    for at, pair in enumerate(pairs):
        for host in range(HOSTS):
            for leg, leaf in enumerate(pair):
                yield f"  - {{a: node{at * HOSTS + host + 1}/nic{leg}, b: {leaf}/{_port(host)}}}"


def write(folder: Path, switches: int) -> Path:
    """Writes the landscape of so many switches, and returns its file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "landscape.yml"
    path.write_text(_HEAD + "\n".join(_lines(switches)) + "\n", encoding="utf-8")
    return path
