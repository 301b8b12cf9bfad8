# SPDX-License-Identifier: Apache-2.0
"""The switches of a landscape, and hosts on request, on machines of the provider ``hosts``, in a lane of their own."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import subprocess
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ...tools.console import Unavailable
from .. import images, kernel, launch, wiring
from ..guests import SLOWER
from ..hosts import EMBEDDED, Lab
from ..lane import Record
from ..wiring import Wiring
from . import furnish, renderer
from .monitor import Monitor
from .renderer import Config
from .standin.resp import STATE

_RELEASE = "trixie"
#: Seconds until the services of a switch run.
PATIENCE = 90.0
_SOCKET = "/run/redis/redis.sock"
#: Of switches with a kernel of their own: MiB of memory, and bytes of a frame, which is what rows say by default: their
#: ports cannot be given more than 1500 later.
_MEMORY, _MTU = 320, 9100


class Fabric(Lab):
    """Switches, and the hosts that are cabled to them.

    :param switches: names of switches; those that are no part of the out-of-band network when left out.
    :param hosts: names of hosts, or ``all``.
    :param bare: start with nothing but ports and the way to the switch; else with what the landscape renders to.
    :param configs: CONFIG_DB of single switches, instead of either.
    :param sonic: the release that the switches claim to run.
    :param guests: names of machines with a kernel of their own, which knows VRFs, tags and LAGs; slow.
    """

    def __init__(
        self,
        lane: str = "demo",
        switches: Collection[str] | None = None,
        hosts: Collection[str] = (),
        *,
        landscape: Path | str = EMBEDDED,
        bare: bool = False,
        configs: Mapping[str, Config] | None = None,
        sonic: str = "202505",
        guests: Collection[str] = (),
    ) -> None:
        super().__init__(f"fabric-{lane}", landscape, _RELEASE, guests=guests, memory=_MEMORY, mtu=_MTU)
        self._names = (None if switches is None else list(switches), hosts)
        self.bare, self.sonic = bare, sonic
        self._configs = dict(configs or {})
        self._given: dict[str, Config] | None = None

    @classmethod
    def plain(cls, lane: str, count: int, configs: Mapping[str, Config] | None = None) -> Fabric:
        """Switches of no landscape and without a cable, ``switch-1`` and on: for looking at one at a time.

        :param configs: what some of them start with; the others know their name.
        """
        found = cls(lane, configs={}, landscape="no landscape")
        machines = {
            name: wiring.Machine(name, "switch", "eth0", f"10.62.0.{10 + number}/24", {"eth0": ""}, {})
            for number, name in enumerate((f"switch-{number + 1}" for number in range(count)), 1)
        }
        found._wiring = wiring.Wiring(machines, (), ("10.62.0.2/24",))
        own = {name: {"DEVICE_METADATA": {"localhost": {"hostname": name}}} for name in machines}
        found._given = {**own, **(configs or {})}
        return found

    # what it is made of

    @property
    def wiring(self) -> wiring.Wiring:
        """The chosen machines and the cables between them. Each is plugged into the controller by its own cable."""
        if self._wiring is None:
            whole = wiring.read(self.landscape)
            chosen = self._chosen_names(whole)
            cables = [
                cable
                for cable in whole.cables
                if {cable.a[0], cable.b[0]} <= set(chosen) and not (whole.is_oob(cable.a) or whole.is_oob(cable.b))
            ]
            machines = {name: whole.machines[name] for name in chosen}
            self._wiring = wiring.Wiring(machines, tuple(cables), whole.controllers)
        return self._wiring

    def _chosen_names(self, whole: Wiring) -> list[str]:
        switches, hosts = self._names
        machines = whole.machines
        if switches is None:
            switches = [name for name, one in machines.items() if one.kind == "switch" and not whole.bridged(name)]
        if hosts == "all":
            hosts = [name for name, one in machines.items() if one.kind == "host"]
        unknown = sorted({*switches, *hosts} - machines.keys())
        if unknown:
            raise Unavailable(
                f"{self.landscape} has no active machine {', '.join(unknown)}; it has {', '.join(machines)}"
            )
        return [*switches, *hosts]

    @property
    def switches(self) -> list[str]:
        """Names of the switches."""
        return [name for name, one in self.wiring.machines.items() if one.kind == "switch"]

    @property
    def hosts(self) -> list[str]:
        """Names of the hosts."""
        return [name for name, one in self.wiring.machines.items() if one.kind == "host"]

    @property
    def inventory(self) -> Path:
        """An inventory that works from outside the lab; several lanes at once are fine."""
        return self.outside

    @property
    def configs(self) -> dict[str, Config]:
        """What each switch starts with: saved and running."""
        if self._given is None:
            wanted = [name for name in self.switches if name not in self._configs]
            rendered = renderer.configs(self.landscape, wanted, self.sonic)
            found = {name: renderer.bare(one) if self.bare else one for name, one in rendered.items()}
            for name, one in found.items():
                one["DEVICE_METADATA"]["localhost"].setdefault("mac", self._mac(name))
            self._given = {**found, **self._configs}
        return self._given

    def _mac(self, name: str) -> str:
        """What the switch reads from its EEPROM at first start."""
        known = self.wiring.machines[name].macs.get("eth0", "")
        own = hashlib.sha256(name.encode()).hexdigest()
        return known or ":".join(["02", *(own[place : place + 2] for place in range(0, 10, 2))])

    def _fingerprint(self) -> str:
        said = json.dumps([self.configs, self.sonic, dataclasses.asdict(self.wiring)], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()

    # starting

    def _image(self, guests: bool = False) -> Path:
        return images.image(_RELEASE, guests, furnish.PACKAGES)

    def _furnish(self, name: str, root: Path) -> None:
        machine = self.wiring.machines[name]
        if machine.kind == "switch":
            furnish.switch(root, machine, self.configs[name], self.sonic)
        else:
            furnish.host(root)

    def _boot(self, record: Record, waiting: dict[str, launch.Waiting]) -> None:
        super()._boot(record, waiting)
        switches = [name for name in waiting if name in self.switches]
        machines = {name: self._machine(name, record.machines[name], record) for name in switches}
        with ThreadPoolExecutor(max(1, len(switches))) as pool:
            patience = {name: PATIENCE * (SLOWER if name in self.guests else 1) for name in machines}
            list(pool.map(lambda name: _await_services(machines[name], patience[name]), machines))

    def reboot(self, name: str) -> None:
        """Let a switch boot anew, at once and without a goodbye to anybody; its disk stays as it is.

        :raises Unavailable: its services do not come back.
        """
        machine = self.machine(name)
        leader = machine.leader
        machine.run(["systemctl", "reboot", "--force", "--force"], check=False)
        if not kernel.wait_for(lambda: machine.leader not in (0, leader), PATIENCE):
            raise Unavailable(f"{name} does not boot again within {PATIENCE:.0f} s")
        _await_services(machine, PATIENCE)

    # what is there

    def config_db(self, name: str) -> Config:
        """What runs on a switch now."""
        done = self.machine(name).run(["/usr/local/bin/sonic-cfggen", "-d", "--print-data"])
        config: Config = json.loads(done.stdout)
        return config

    def saved(self, name: str) -> Config:
        """What a switch would start with."""
        config: Config = json.loads(self.machine(name).run(["cat", "/etc/sonic/config_db.json"]).stdout)
        return config

    def database(self, name: str, *words: str, number: int = 4) -> str:
        """The answer of a switch's database to a command."""
        command = ["valkey-cli", "-s", _SOCKET, "-n", str(number), *words]
        return self.machine(name).run(command).stdout.strip()

    def vtysh(self, name: str, *commands: str) -> str:
        """What FRR answers to commands."""
        words = [word for command in commands for word in ("-c", command)]
        return self.machine(name).run(["vtysh", *words]).stdout

    def frr(self, name: str, command: str) -> Any:
        """The answer of FRR to a ``show`` command, as data."""
        return json.loads(self.vtysh(name, f"{command} json") or "{}")

    def settle(self, name: str, seconds: float = 60.0) -> None:
        """Wait until the services of a switch have worked through every change of CONFIG_DB so far.

        :raises TimeoutError: they have not within so many seconds.
        """
        mark, services = uuid.uuid4().hex, ("bgp", "swss")
        self.database(name, "PUBLISH", f"__keyspace@4__:STANDIN|{mark}", "mark")

        def done() -> bool:
            return all(self.database(name, "HGET", f"STANDIN|{one}", "seen", number=STATE) == mark for one in services)

        if not kernel.wait_for(done, seconds, 0.05):
            raise TimeoutError(f"the services of {name} did not work through CONFIG_DB within {seconds:.0f} s")

    @contextlib.contextmanager
    def monitor(self, name: str) -> Iterator[Monitor]:
        """Everything that the database of a switch is told meanwhile; ``.writes`` are the commands that change it.

        Not for switches with a kernel of their own.
        """
        with Monitor(f"{self.machine(name).root}{_SOCKET}") as found:
            yield found

    def reload(self, name: str, config: Config, *, frr_starts_empty: bool = False) -> None:
        """Save a configuration on a switch and start its services with it.

        :param frr_starts_empty: FRR starts with nothing, and rows that are there already are never told to it.
        """
        machine = self.machine(name)
        flag = "mkdir -p /run/standin && touch" if frr_starts_empty else "rm -f"
        machine.run(
            ["sh", "-c", f"cat >/etc/sonic/config_db.json && {flag} /run/standin/frr-starts-empty"],
            input=json.dumps(config),
        )
        machine.run(["config", "reload", "-y", "-f"], timeout=300)

    def write(self, name: str, rows: Sequence[tuple[str, str, Mapping[str, Any]]]) -> None:
        """Write rows one after the other, as a program on the switch would: table, key, fields."""
        script = (
            "import json, sys; sys.path.insert(0, '/usr/local/lib/sonic-standin'); from standin import resp, rows; "
            "c = resp.Connection(); [rows.write(c, {t: {k: r}}) for t, k, r in json.load(sys.stdin)]"
        )
        self.machine(name).run(["python3", "-c", script], input=json.dumps(list(rows)))


def _await_services(machine: Any, seconds: float) -> None:
    """Wait until a switch has made of its configuration what it can."""
    end = time.monotonic() + seconds
    units = ["database", "swss", "bgp"]
    while True:
        with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
            if machine.run(["systemctl", "is-active", *units], check=False).stdout.split() == ["active"] * len(units):
                return
        if time.monotonic() > end:
            said = machine.run(["journalctl", "-n", "20", "--no-pager", "-o", "cat"], check=False).stdout
            raise Unavailable(f"the services of {machine.name} do not run after {seconds:.0f} s: {said[-1500:]}")
        time.sleep(0.1)
