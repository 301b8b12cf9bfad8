# SPDX-License-Identifier: Apache-2.0
"""A landscape of any size without a defect: for benches, mutations and kill tests.

The same numbers give the same bytes. A rack holds up to twenty hosts, a leaf pair and a management switch; fourteen
racks share a pair of spines, and several such pods share a pair of super spines. A host has a BMC cable and either two
or four data links, half of them to each leaf; the number of two-link hosts is chosen so that the cables add up.

    python tests/bench/generate.py --hosts 1000 --cables 5000 /tmp/landscape
"""

from __future__ import annotations

import argparse
import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HOSTS_PER_RACK = 20
RACKS_PER_POD = 14
#: Switches take the indexes below, hosts those above; both share the management network.
FIRST_HOST_INDEX = 1001
#: Two-link hosts stand in the last racks; three control nodes need four links.
MIN_HOSTS = 6

_HEAD = "# SPDX-License-Identifier: Apache-2.0\n"

_BASE = (
    _HEAD
    + """\
version: 1
title: Generated landscape
naming:
  pattern: '(?P<site>st01)-(?P<role>[a-z0-9]+)-(?P<rack>r[0-9]{2,3})-u(?P<unit>[0-9]{2})'
sites:
  st01: {description: One room, address: Example Street 1, contact: +49 30 0000000}
feeds:
  ups: {site: st01, kind: ups}
  direct: {site: st01, kind: mains}
environments:
  fabric: {description: Switches, connects_to: [prod, lab]}
  prod: {description: Production, connects_to: [fabric]}
  lab: {description: Test machines, protected: false, connects_to: [fabric]}
asn_schemes:
  nodes: {kind: octets, prefix: 4210}
  leaves: {kind: octets, prefix: 4220}
  spines: {kind: explicit, shared: true}
networks:
  oob:
    purpose: management
    v4: 10.10.0.0/19
    router_v4: 10.10.31.254
    vlan: 23
    ranges:
      - {start: 10.10.31.200, end: 10.10.31.250, purpose: dhcp, description: First boot of a BMC}
  nodes:
    purpose: loopback
    v4: 10.20.0.0/19
    v6: fd0c:cc24:75a0:1::/64
    scheme_v6: embed-v4
    ranges:
      - {start: 10.20.31.200, end: 10.20.31.201, purpose: virtual, description: API endpoints}
  switches: {purpose: loopback, v4: 10.30.0.0/22, v6: "fd0c:cc24:75a0:2::/64", scheme_v6: index}
  provider: {purpose: provider, v4: 10.80.0.0/20, router_v4: 10.80.0.1, vni: 80, uplink: true}
  ceph: {purpose: storage, v4: 10.90.0.0/20, vni: 90, environment: prod}
roles:
  ctl: {kind: server, oob_network: oob, loopback_network: nodes, asn_scheme: nodes, uplinks: 4, uplinks_to: [leaf]}
  comp: {kind: server, oob_network: oob, loopback_network: nodes, asn_scheme: nodes, uplinks: 4, uplinks_to: [leaf]}
  stor: {kind: server, oob_network: oob, loopback_network: nodes, asn_scheme: nodes, uplinks: 4, uplinks_to: [leaf]}
  tst: {kind: server, oob_network: oob, loopback_network: nodes, asn_scheme: nodes, uplinks: 2, uplinks_to: [leaf]}
  oob: {kind: switch, oob_network: oob, uplinks: 2, uplinks_to: [leaf]}
  leaf:
    kind: switch
    oob_network: oob
    loopback_network: switches
    asn_scheme: leaves
    uplinks: 2
    uplinks_to: [spine]
"""
)

_MODELS = (
    _HEAD
    + """\
device_models:
  node-1u:
    kind: server
    vendor: Example
    architecture: amd64
    height: 1
    bmc: openbmc
    psus: [Top, Bottom]
    mac_prefixes: ["3c:ec:ef"]
    firmware: {bios: "2.7", bmc: "1.4"}
    ports: &node
      - {names: [MGMT], use: bmc, speed: 1G, connector: rj45}
      - {names: [enp65s0f0np0, enp65s0f1np1], speed: 25G, connector: sfp28}
      - {names: [enp66s0f0np0, enp66s0f1np1], speed: 25G, connector: sfp28}
  node-2u:
    kind: server
    vendor: Example
    architecture: amd64
    height: 2
    bmc: openbmc
    psus: [Top, Bottom]
    mac_prefixes: ["3c:ec:ee"]
    ports: *node
  leaf-48:
    kind: switch
    vendor: Example
    psus: [Left, Right]
    mac_prefixes: ["d0:77:ce"]
    sonic_hwsku: Example-48x25G-8x100G
    ports:
      - {names: [eth0], use: management, speed: 1G, connector: rj45}
      - {names: ["Ethernet{0..47}"], aliases: ["Port{1..48}"], speed: 25G, connector: sfp28}
      - {names: ["Ethernet{48..76..4}"], aliases: ["Port{49..56}"], speed: 100G, connector: qsfp28}
  spine-32:
    kind: switch
    vendor: Example
    psus: [Left, Right]
    mac_prefixes: ["d0:77:cf"]
    ports:
      - {names: [eth0], use: management, speed: 1G, connector: rj45}
      - {names: ["Ethernet{0..124..4}"], aliases: ["Port{1..32}"], speed: 100G, connector: qsfp28}
  oob-48:
    kind: switch
    vendor: Example
    psus: [Left, Right]
    mac_prefixes: ["d0:77:d0"]
    ports:
      - {names: [eth0], use: management, speed: 1G, connector: rj45}
      - {names: ["Ethernet{0..47}"], aliases: ["Port{1..48}"], speed: 1G, connector: rj45}
      - {names: ["Ethernet{48..51}"], aliases: ["Port{49..52}"], speed: 25G, connector: sfp28}
"""
)

_GROUPS = """\
groups:
  generic: {roles: [ctl, comp, stor], environments: [prod]}
  manager: {roles: [ctl]}
  monitoring: {roles: [ctl]}
  network: {roles: [ctl]}
  ceph-control: {roles: [ctl]}
  control: {roles: [ctl]}
  compute: {roles: [comp]}
  ceph-resource: {roles: [stor]}
  testnodes: {roles: [tst]}
  network_switches: {roles: [%s]}
"""


@dataclass(frozen=True)
class _Switch:
    name: str
    role: str
    model: str
    rack: int
    unit: int
    asn: int | None = None


@dataclass(frozen=True)
class _Host:
    name: str
    role: str
    rack: int
    slot: int
    unit: int
    number: int

    @property
    def links(self) -> int:
        return 2 if self.role == "tst" else 4


_NICS = ("enp65s0f0np0", "enp65s0f1np1", "enp66s0f0np0", "enp66s0f1np1")
_MACS = {
    "node-1u": "3c:ec:ef",
    "node-2u": "3c:ec:ee",
    "leaf-48": "d0:77:ce",
    "spine-32": "d0:77:cf",
    "oob-48": "d0:77:d0",
}


def _name(role: str, rack: int, unit: int) -> str:
    return f"st01-{role}-r{rack:02d}-u{unit:02d}"


def _mac(model: str, number: int) -> str:
    return f"{_MACS[model]}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


class _Plan:
    """Who stands where, before anything is written."""

    def __init__(self, hosts: int, cables: int | None) -> None:
        per_rack = min(HOSTS_PER_RACK, math.ceil(hosts / 3))
        self.racks = math.ceil(hosts / per_rack)
        self.pods = math.ceil(self.racks / RACKS_PER_POD)
        self.switches = list(self._switches())
        wired = len(list(self._fabric_cables()))
        surplus = 5 * hosts + wired - (5 * hosts if cables is None else cables)
        self.small = max(0, min(surplus // 2, hosts - 3 * per_rack))
        self.hosts = list(self._hosts(hosts, per_rack))

    def pod_of(self, rack: int) -> int:
        return (rack - 1) // RACKS_PER_POD

    def _switches(self) -> Iterator[_Switch]:
        for rack in range(1, self.racks + 1):
            yield _Switch(_name("oob", rack, 46), "oob", "oob-48", rack, 46)
            for unit in (45, 44):
                yield _Switch(_name("leaf", rack, unit), "leaf", "leaf-48", rack, unit)
        for pod in range(self.pods):
            rack = pod * RACKS_PER_POD + 1
            for unit in (43, 42):
                yield _Switch(_name("spine", rack, unit), "spine", "spine-32", rack, unit, 65100 + pod)
        if self.pods > 1:
            for rack in (2, 3):
                yield _Switch(_name("super", rack, 43), "super", "spine-32", rack, 43, 65000)

    def named(self, role: str, rack: int | None = None) -> list[str]:
        return [item.name for item in self.switches if item.role == role and rack in (None, item.rack)]

    def spines(self, pod: int) -> list[str]:
        return self.named("spine", pod * RACKS_PER_POD + 1)

    def _hosts(self, count: int, per_rack: int) -> Iterator[_Host]:
        free_unit: dict[int, int] = {}
        for number in range(count):
            rack, slot = number // per_rack + 1, number % per_rack
            role = "ctl" if slot == 0 and rack <= 3 else "stor" if slot % 4 == 3 else "comp"
            if number >= count - self.small:
                role = "tst"
            unit = free_unit.get(rack, 1)
            free_unit[rack] = unit + (2 if role == "stor" else 1)
            yield _Host(_name(role, rack, unit), role, rack, slot, unit, number)

    def _fabric_cables(self) -> Iterator[tuple[str, str, str]]:
        """Cables between switches: both ends and the rest of the entry."""
        for rack in range(1, self.racks + 1):
            (oob,), leaves = self.named("oob", rack), self.named("leaf", rack)
            (following,) = self.named("oob", rack % self.racks + 1)
            yield f"{oob}/eth0", f"{following}/Ethernet47", ", group: OOB"
            for side, leaf in enumerate(leaves):
                yield f"{leaf}/Ethernet47", f"{oob}/Ethernet{48 + side}", ", speed: 10G, group: OOB uplinks"
                for number, spine in enumerate(self.spines(self.pod_of(rack))):
                    port = 4 * (2 * ((rack - 1) % RACKS_PER_POD) + side)
                    yield f"{leaf}/Ethernet{48 + 4 * number}", f"{spine}/Ethernet{port}", ", group: Fabric"
            for number in range(2):
                peer = f"Ethernet{72 + 4 * number}"
                yield f"{leaves[0]}/{peer}", f"{leaves[1]}/{peer}", ", lag: PortChannel1, group: Peer links"
        yield from self._upper_cables()
        managed = [item for item in self.switches if item.role != "oob"]
        free: dict[int, int] = {}
        for item in managed:
            port = free.get(item.rack, 40)
            free[item.rack] = port + 1
            yield f"{item.name}/eth0", f"{self.named('oob', item.rack)[0]}/Ethernet{port}", ", group: OOB"

    def _upper_cables(self) -> Iterator[tuple[str, str, str]]:
        supers = self.named("super")
        for pod in range(self.pods):
            for side, spine in enumerate(self.spines(pod)):
                for number, upper in enumerate(supers):
                    yield (
                        f"{spine}/Ethernet{112 + 4 * number}",
                        f"{upper}/Ethernet{4 * (2 * pod + side)}",
                        ", group: Fabric",
                    )
        for number, upper in enumerate(supers or self.spines(0)):
            yield f"{upper}/Ethernet124", f"carrier/et-0/0/{number}", ", group: Uplink"

    def cables(self) -> Iterator[tuple[str, str, str]]:
        """All cables, each once."""
        for host in self.hosts:
            yield f"{host.name}/MGMT", f"{self.named_oob[host.rack]}/Ethernet{host.slot}", ", group: OOB"
            for number in range(host.links):
                leaf = self.named_leaves[host.rack][number % 2]
                yield f"{host.name}/{_NICS[number]}", f"{leaf}/Ethernet{2 * host.slot + number // 2}", ", group: Nodes"
        yield from self._fabric_cables()

    @functools.cached_property
    def named_oob(self) -> dict[int, str]:
        return {item.rack: item.name for item in self.switches if item.role == "oob"}

    @functools.cached_property
    def named_leaves(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for item in self.switches:
            if item.role == "leaf":
                found.setdefault(item.rack, []).append(item.name)
        return found


def _roles(plan: _Plan) -> str:
    spine = "  spine: {kind: switch, oob_network: oob, loopback_network: switches, asn_scheme: spines%s}\n"
    if plan.pods == 1:
        return spine % ""
    upper = "  super: {kind: switch, oob_network: oob, loopback_network: switches, asn_scheme: spines}\n"
    return spine % ", uplinks: 2, uplinks_to: [super]" + upper


def _racks(plan: _Plan) -> str:
    racks = [f"  r{rack:02d}: {{site: st01, units: 47, feeds: [ups, direct]}}\n" for rack in range(1, plan.racks + 1)]
    return _HEAD + "racks:\n" + "".join(racks)


def _hosts(plan: _Plan) -> str:
    lines = [_HEAD, "hosts:\n"]
    for host in plan.hosts:
        model = "node-2u" if host.role == "stor" else "node-1u"
        macs = ", ".join(
            f"{port}: {_mac(model, host.number * 8 + place)}" for place, port in enumerate(("MGMT", *_NICS[:2]))
        )
        lines.append(
            f"  {host.name}:\n"
            f"    model: {model}\n"
            f"    role: {host.role}\n"
            f"    environment: {'lab' if host.role == 'tst' else 'prod'}\n"
            f"    rack: r{host.rack:02d}\n"
            f"    unit: {host.unit}\n"
            f"    index: {FIRST_HOST_INDEX + host.number}\n"
            f"    serial: SN{host.number:06d}\n"
            f"    macs: {{{macs}}}\n"
            "    power: {Top: ups, Bottom: direct}\n"
        )
    return "".join(lines)


def _switches(plan: _Plan) -> str:
    lines = [_HEAD, "switches:\n"]
    for number, item in enumerate(plan.switches, 1):
        asn = "" if item.asn is None else f"    asn: {item.asn}\n"
        lines.append(
            f"  {item.name}:\n"
            f"    model: {item.model}\n"
            f"    role: {item.role}\n"
            "    environment: fabric\n"
            f"    rack: r{item.rack:02d}\n"
            f"    unit: {item.unit}\n"
            f"    index: {number}\n"
            f"{asn}"
            f"    serial: SW{number:06d}\n"
            f"    macs: {{eth0: {_mac(item.model, number)}}}\n"
            "    power: {Left: ups, Right: direct}\n"
        )
    return "".join(lines) + "externals:\n  carrier: {description: Router of the carrier, ports: ['et-0/0/{0..1}']}\n"


def _redundancy(plan: _Plan) -> str:
    pairs = plan.named_leaves.items()
    lines = [f"  leaves-r{rack:02d}: {{kind: leaf-pair, members: [{', '.join(members)}]}}\n" for rack, members in pairs]
    for pod in range(plan.pods):
        lines.append(f"  spines-{pod + 1}: {{kind: spine-set, members: [{', '.join(plan.spines(pod))}]}}\n")
    if plan.pods > 1:
        lines.append(f"  supers: {{kind: spine-set, members: [{', '.join(plan.named('super'))}]}}\n")
    control = [host.name for host in plan.hosts if host.role == "ctl"]
    lines.append(f"  control: {{kind: quorum, members: [{', '.join(control)}]}}\n")
    return "redundancy_groups:\n" + "".join(lines)


def generate(hosts: int, cables: int | None = None) -> dict[str, str]:
    """Files of a landscape folder, name to content.

    :param hosts: 6 to 2000.
    :param cables: five per host when absent. A rack wires its switches whatever is asked for, and a host has three or
        five cables, so the number is met exactly or exceeded by one where it lies between those bounds.
    """
    if not MIN_HOSTS <= hosts <= 2000:
        raise ValueError(f"{hosts} hosts; {MIN_HOSTS} to 2000 can be generated")
    plan = _Plan(hosts, cables)
    roles = ["oob", "leaf", "spine", "super"][: 4 if plan.pods > 1 else 3]
    wires = "".join(f"  - {{a: {a}, b: {b}{more}}}\n" for a, b, more in plan.cables())
    base = _BASE + _roles(plan)
    if not plan.small:
        base = "".join(line for line in base.splitlines(True) if not line.startswith(("  tst:", "  lab:"))).replace(
            "[prod, lab]", "[prod]"
        )
    groups = _GROUPS % ", ".join(roles)
    if not plan.small:
        groups = groups.replace("  testnodes: {roles: [tst]}\n", "")
    return {
        "10-landscape.yml": base,
        "20-models.yml": _MODELS,
        "30-racks.yml": _racks(plan),
        "40-hosts.yml": _hosts(plan),
        "50-switches.yml": _switches(plan),
        "60-cables.yml": _HEAD + "cables:\n" + wires,
        "70-groups.yml": _HEAD + _redundancy(plan) + groups,
    }


def one_file(hosts: int, cables: int | None = None) -> str:
    """The same landscape as one document."""
    return _HEAD + "".join(content[len(_HEAD) :] for content in generate(hosts, cables).values())


def write(folder: Path, hosts: int, cables: int | None = None) -> Path:
    """Writes the files of :func:`generate` into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in generate(hosts, cables).items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write a generated landscape into a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--cables", type=int)
    arguments = parser.parse_args()
    write(arguments.folder, arguments.hosts, arguments.cables)


if __name__ == "__main__":
    main()
