# SPDX-License-Identifier: Apache-2.0
"""What a landscape means for the lab: its machines, their ports, and which port is plugged into which.

The landscape is read by the collection's own library. That library needs PyYAML; where this Python has none, Debian's
reads it for us.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import ipaddress
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..tools import apt
from ..tools.console import Unavailable
from ..tools.paths import REPO

#: The bridge inside a switch that joins the out-of-band ports cabled to it, and the port the controller is plugged into.
BRIDGE, CONTROLLER = "Bridge", "controller"
#: Longest name of an interface: IFNAMSIZ of Linux less the final zero.
_LONGEST = 15
_DEBIANS_PYTHON = "/usr/bin/python3"

#: One end of a cable: machine and port.
End = tuple[str, str]


@dataclass(frozen=True)
class Machine:
    """A machine of the lab. ``kind`` is ``host`` or ``switch``; both are nspawn machines so far.

    ``address`` is the out-of-band address with the length of its prefix; ``ports`` maps every port of the model to its
    alias (may be empty), ``macs`` the ports whose MAC address the landscape states.
    """

    name: str
    kind: str
    oob_port: str
    address: str
    ports: dict[str, str]
    macs: dict[str, str]

    @property
    def ip(self) -> str:
        """The out-of-band address alone."""
        return self.address.partition("/")[0]


@dataclass(frozen=True)
class Cable:
    """A cable between two machines of the lab, or from one to a device of somebody else (``b`` is no machine then)."""

    a: End
    b: End
    active: bool


@dataclass(frozen=True)
class Wiring:
    """Machines by name, cables, and the addresses of the controller with the length of their prefix."""

    machines: dict[str, Machine]
    cables: tuple[Cable, ...]
    controllers: tuple[str, ...]

    def far(self, end: End) -> End | None:
        """What is plugged in at the other end of the cable in this port."""
        for cable in self.cables:
            if end in (cable.a, cable.b):
                return cable.b if cable.a == end else cable.a
        return None

    def is_oob(self, end: End) -> bool:
        """Whether the end is the out-of-band port of a machine."""
        machine = self.machines.get(end[0])
        return machine is not None and machine.oob_port == end[1]

    def bridged(self, switch: str) -> tuple[str, ...]:
        """Ports of a switch that carry the out-of-band network: their cables end in out-of-band ports of machines,
        or in a switch that joins such ports as well. None for every other machine."""
        if self.machines[switch].kind != "switch" or not self._joins(switch):
            return ()
        ports = []
        for near, far in self._ends(switch):
            if not self.is_oob(near) and (self.is_oob(far) or self._joins_at(far)):
                ports.append(near[1])
        return tuple(ports)

    def _ends(self, name: str) -> Iterator[tuple[End, End]]:
        for cable in self.cables:
            if cable.a[0] == name:
                yield cable.a, cable.b
            if cable.b[0] == name:
                yield cable.b, cable.a

    def _joins(self, name: str) -> bool:
        machine = self.machines.get(name)
        if machine is None or machine.kind != "switch":
            return False
        return any(self.is_oob(far) and not self.is_oob(near) for near, far in self._ends(name))

    def _joins_at(self, end: End) -> bool:
        return self._joins(end[0]) and not self.is_oob(end)

    def entries(self, running: set[str]) -> list[End]:
        """Where the controller is plugged in so that it reaches every running machine.

        A port of one switch per connected part of the out-of-band network, and the out-of-band port itself of every
        machine that no running switch joins (its cable, if it has one, is not built).
        """
        entries: list[End] = []
        reached: set[str] = set()
        joining: set[str] = set()
        for name in sorted(running):
            if name not in joining and self.bridged(name):
                entries.append((name, CONTROLLER))
                joined, switches = self._reach(name, running)
                reached |= joined
                joining |= switches
        return entries + [(name, self.machines[name].oob_port) for name in sorted(running - reached)]

    def _reach(self, start: str, running: set[str]) -> tuple[set[str], set[str]]:
        """The machines whose out-of-band ports this switch and the switches joined with it join, and those switches."""
        joined: set[str] = set()
        switches, waiting = {start}, [start]
        while waiting:
            name = waiting.pop()
            for port in self.bridged(name):
                far = self.far((name, port))
                if far is None or far[0] not in running:
                    continue
                if self.is_oob(far):
                    joined.add(far[0])
                elif far[0] not in switches:
                    switches.add(far[0])
                    waiting.append(far[0])
        return joined, switches


def read(source: Path) -> Wiring:
    """The wiring of a landscape file or folder.

    :raises Unavailable: the landscape cannot be read, or the lab cannot build it.
    """
    if importlib.util.find_spec("yaml") is None:
        return from_json(_read_by_debian(source))
    return _derive(source)


def _read_by_debian(source: Path) -> str:
    apt.ensure(["python3-yaml"], "reading the landscape")
    command = [_DEBIANS_PYTHON, "-B", "-m", "tests.lab.wiring", str(source.resolve())]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise Unavailable((done.stderr.strip().splitlines() or ["the landscape could not be read"])[-1])
    return done.stdout


def _derive(source: Path) -> Wiring:
    if str(REPO) not in sys.path:
        sys.path.insert(0, str(REPO))
    client = importlib.import_module("plugins.module_utils.landscape.client")
    derive = importlib.import_module("plugins.module_utils.landscape.derive")
    if not source.exists():
        raise Unavailable(f"there is no landscape {source}")
    landscape, findings = client.load([str(source)])
    if findings:
        first = findings[0]
        raise Unavailable(f"{source}: {first.message} ({len(findings)} findings; ask landscape_validate for all)")
    view = derive.resolve(landscape)
    machines = {
        name: _machine(resolved, name in landscape.switches)
        for name, resolved in view.devices.items()
        if resolved.device.state == "active"
    }
    cables = tuple(
        Cable(_end(cable.a), _end(cable.b), cable.state == "active")
        for cable in landscape.cables
        if cable.state != "planned" and {_end(cable.a)[0], _end(cable.b)[0]} & machines.keys()
    )
    wiring = Wiring(machines, cables, _controllers(view, machines))
    _check(wiring, source)
    return wiring


def _machine(resolved: Any, switch: bool) -> Machine:
    network = resolved.oob_network
    length = network.v4.partition("/")[2] if network is not None else "32"
    return Machine(
        name=resolved.name,
        kind="switch" if switch else "host",
        oob_port=resolved.oob_port,
        address=f"{resolved.oob_v4}/{length}" if resolved.oob_v4 else "",
        ports={port.name: port.alias for port in resolved.ports.values()},
        macs=dict(resolved.device.macs),
    )


def _end(text: str) -> End:
    device, _slash, port = text.partition("/")
    return device, port


def _controllers(view: Any, machines: dict[str, Machine]) -> tuple[str, ...]:
    """The lowest address of every out-of-band network that is nobody's."""
    networks = {resolved.oob_network.v4: resolved.oob_network for resolved in view.devices.values() if resolved.oob_v4}
    taken = {machine.ip for machine in machines.values()} | {network.router_v4 for network in networks.values()}
    found = []
    for prefix in sorted(networks):
        hosts = ipaddress.ip_network(prefix).hosts()
        free = next((str(address) for address in hosts if str(address) not in taken), "")
        if free:
            found.append(f"{free}/{prefix.partition('/')[2]}")
    return tuple(found)


def _check(wiring: Wiring, source: Path) -> None:
    """What a landscape may say and Linux cannot build."""
    for machine in wiring.machines.values():
        if not machine.oob_port or not machine.address:
            raise Unavailable(f"{source}: {machine.name} has no out-of-band port or address, the lab cannot reach it")
    for cable in wiring.cables:
        for name, port in (cable.a, cable.b):
            if name in wiring.machines and len(port) > _LONGEST:
                raise Unavailable(
                    f"{source}: the port {name}/{port} is longer than {_LONGEST} characters, Linux's limit"
                )


def to_json(wiring: Wiring) -> str:
    """The wiring as text that :func:`from_json` takes back."""
    return json.dumps(dataclasses.asdict(wiring), sort_keys=True)


def from_json(text: str) -> Wiring:
    """What :func:`to_json` wrote."""
    data = json.loads(text)
    machines = {name: Machine(**fields) for name, fields in data["machines"].items()}
    cables = tuple(Cable(tuple(c["a"]), tuple(c["b"]), c["active"]) for c in data["cables"])
    return Wiring(machines, cables, tuple(data["controllers"]))


if __name__ == "__main__":
    try:
        print(to_json(_derive(Path(sys.argv[1]))))
    except Unavailable as error:
        sys.exit(str(error))
