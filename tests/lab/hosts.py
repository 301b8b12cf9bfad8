# SPDX-License-Identifier: Apache-2.0
"""The provider ``hosts``: machines of a landscape, started, found again and ended."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..tools import apt
from ..tools.console import Unavailable, say
from ..tools.paths import REPO
from . import guests, images, kernel, launch, plugs, room, seeds, ways, wiring
from .kernel import Process
from .lane import Lane, Record
from .machine import Machine

EMBEDDED = REPO / "examples" / "embedded"
#: Machines that boot at the same time: more only wait for each other.
_AT_ONCE = max(2, 2 * (os.cpu_count() or 1))
#: Seconds a machine may take until SSH answers.
PATIENCE = 60.0
_PROGRAMS = ["systemd-container", "iproute2", "openssh-client", "util-linux"]


class Lab:
    """The machines of a landscape in one lane.

    :param landscape: file or folder of a landscape.
    :param release: the Debian of the machines.
    :param guests: names of the machines that have a kernel of their own, or ``all``.
    :param disks: bytes of each disk of a guest, by its name.
    :param memory: MiB of memory of a guest.
    :param mtu: bytes that a frame on a data port of a guest may have.
    """

    #: Disk of each machine, in MiB.
    disk = launch.DISK_MIB

    def __init__(
        self,
        lane: str = "demo",
        landscape: Path | str = EMBEDDED,
        release: str = "bookworm",
        *,
        guests: Collection[str] = (),
        disks: Mapping[str, Sequence[int]] | None = None,
        memory: int = guests.MEMORY,
        mtu: int = guests.MTU,
    ) -> None:
        self.lane = Lane(lane)
        self.landscape, self.release = Path(landscape), release
        self._wanted = (guests, disks or {}, memory, mtu)
        self._wiring: wiring.Wiring | None = None

    @property
    def wiring(self) -> wiring.Wiring:
        """The machines and cables of the landscape, read once."""
        if self._wiring is None:
            self._wiring = wiring.read(self.landscape)
        return self._wiring

    @property
    def guests(self) -> dict[str, guests.Settings]:
        """The machines that are to have a kernel of their own, and what they have."""
        return guests.settings(*self._wanted, self.wiring.machines)

    @property
    def inventory(self) -> Path:
        """Ansible's way to the machines; give it behind the inventory of the landscape."""
        return self.lane.file("inventory.json")

    @property
    def outside(self) -> Path:
        """The same for programs that cannot be started in the controller's namespace; several lanes at once are fine."""
        return self.lane.file("outside.json")

    # up and down

    def up(self, only: Iterable[str] | None = None) -> dict[str, Any]:
        """Start the machines that do not run yet, and wait until SSH answers in each; the status.

        :param only: these machines; all when left out. Machines that run already stay.
        :raises Unavailable: the machine, the landscape or a name does not permit it.
        """
        _require_root()
        wanted = self._chosen(only)
        with self.lane.locked():
            record = self.lane.load()
            if not (record.complete and self._fits(record)):
                self._clear(record)
                record = Record(self.release, self._fingerprint())
            missing = [name for name in wanted if name not in record.machines or not record.machines[name].alive]
            if missing:
                self._start(record, missing)
            self._publish(record)
        return self.status()

    def down(self) -> None:
        """End everything of the lane and remove its folder; nothing to do is fine."""
        _require_root()
        with self.lane.locked():
            self._clear(self.lane.load())

    def start(self, *names: str) -> None:
        """Start single machines again after :meth:`stop`."""
        self.up(set(names) | {name for name, process in self.lane.load().machines.items() if process.alive})

    def stop(self, *names: str) -> None:
        """Pull the plug of single machines."""
        for name in names:
            self.machine(name).stop()

    def _chosen(self, only: Iterable[str] | None) -> list[str]:
        known = self.wiring.machines
        unknown = sorted(set(only or ()) - known.keys())
        if unknown:
            raise Unavailable(f"{self.landscape} has no active machine {', '.join(unknown)}; it has {', '.join(known)}")
        return [name for name in known if only is None or name in set(only)]

    def _fingerprint(self) -> str:
        return hashlib.sha256(f"{wiring.to_json(self.wiring)} {self.guests}".encode()).hexdigest()

    def _fits(self, record: Record) -> bool:
        keeper = record.keeper is not None and record.keeper.alive
        return keeper and record.release == self.release and record.landscape == self._fingerprint()

    # starting

    def _image(self, guests: bool = False) -> Path:
        """The root of the machines, or of those with a kernel of their own."""
        return images.image(self.release, guests)

    def _furnish(self, name: str, root: Path) -> None:
        """What a provider that stands on this one puts below the root of a machine before it boots."""

    def _start(self, record: Record, names: list[str]) -> None:
        apt.ensure(_PROGRAMS, "the embedded lab")
        chosen = {name: one for name, one in self.guests.items() if name in names}
        others = [name for name in names if name not in chosen]
        image = self._image() if others else None
        larger = self._image(guests=True) if chosen else None
        began = time.monotonic()
        say(f"starting {len(names)} machines with Debian {self.release} in lane {self.lane.name}")
        record.complete = False
        fresh = record.keeper is None
        waiting: dict[str, launch.Waiting] = {}
        try:
            if fresh:
                keeper = launch.keeper(images.mirrors(), self.lane.cgroup)
                record.keeper = keeper.process
                self.lane.save(record)
                keeper.go()
            room.make()
            record.guests = sorted({*record.guests, *chosen})
            places = (self.lane.file("machines"), self.lane.cgroup)
            if image is not None:
                waiting = launch.machines(image, *places, others, self.disk)
            if larger is not None:
                waiting.update(guests.machines(larger, *places, chosen, self.wiring))
            record.machines.update({name: waiting[name].process for name in names})
            self.lane.save(record)
            self._plug(record, names, fresh)
            self._seed(waiting)
            self._boot(record, waiting)
        except BaseException:
            for one in waiting.values():
                with contextlib.suppress(OSError):
                    one.drop()
            self._clear(record)
            raise
        record.complete = True
        self.lane.save(record)
        say(f"{len(names)} machines are up after {time.monotonic() - began:.1f} s")

    def panel(self, record: Record | None = None) -> plugs.Panel:
        """Where the ends of cables are now."""
        record = record or self.lane.load()
        assert record.keeper is not None
        pids = {name: process.pid for name, process in record.machines.items() if process.alive}
        return plugs.Panel(self.wiring, pids, record.keeper.pid, frozenset(record.guests))

    def _plug(self, record: Record, names: list[str], fresh: bool) -> None:
        panel = self.panel(record)
        running = set(panel.pids)
        panel.prepare(names, fresh)
        entries = self.wiring.entries(running)
        taken = set(entries)
        cables = [
            (cable.a, cable.b, cable.active)
            for cable in self.wiring.cables
            if {cable.a[0], cable.b[0]} & set(names) and not {cable.a, cable.b} & taken
        ]
        panel.connect(cables)
        panel.enter(entries)

    def _seed(self, waiting: dict[str, launch.Waiting]) -> None:
        keys = self.lane.file("keys")
        keys.mkdir(exist_ok=True)
        keys.chmod(0o700)
        login = seeds.keypair(keys / "login")
        controller = (self.wiring.controllers or ("",))[0].partition("/")[0]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(seeds.keypair, [keys / f"{name}.host" for name in waiting]))
        for name, one in waiting.items():
            machine = self.wiring.machines[name]
            plugged = {end[1] for cable in self.wiring.cables for end in (cable.a, cable.b) if end[0] == name}
            files = seeds.seeds(machine, plugged, keys / f"{name}.host", login, controller)
            if name in self.guests:
                files += guests.seeds(machine, self.wiring)
            root = Path(f"/proc/{one.process.pid}/root{self.lane.file('machines')}/{name}/root")
            seeds.write(root, files)
            self._furnish(name, root)

    def _boot(self, record: Record, waiting: dict[str, launch.Waiting]) -> None:
        keeper = record.keeper
        assert keeper is not None
        over = threading.Event()

        def boot(name: str) -> tuple[str, float]:
            began = time.monotonic()
            waiting[name].go()
            self._await_ssh(name, waiting[name].process, keeper, over)
            return name, time.monotonic() - began

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                for name, seconds in pool.map(boot, waiting):
                    record.seconds[name] = round(seconds, 2)
            finally:
                over.set()  # after Ctrl-C nobody waits for the others

    def _await_ssh(self, name: str, process: Process, keeper: Process, over: threading.Event) -> None:
        address = self.wiring.machines[name].ip
        kernel.enter_network(f"/proc/{keeper.pid}/ns/net")
        patience = PATIENCE * (guests.SLOWER if name in self.guests else 1)
        if not kernel.wait_for(lambda: over.is_set() or answers(address) or not process.alive, patience, 0.05):
            raise Unavailable(f"SSH of {name} did not answer within {patience:.0f} s; see {self._console(name)}")
        if not process.alive:
            raise Unavailable(f"{name} ended while it started: {self._last_words(name)}")

    def _console(self, name: str) -> Path:
        return self.lane.file("machines") / f"{name}.console"

    def _last_words(self, name: str) -> str:
        try:
            lines = self._console(name).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1] if lines else "it said nothing"

    # what is there

    def machine(self, name: str) -> Machine:
        """A machine that was started."""
        record = self.lane.load()
        process = record.machines.get(name)
        if process is None:
            raise Unavailable(f"{name} was not started in lane {self.lane.name}")
        return self._machine(name, process, record)

    def _machine(self, name: str, process: Process, record: Record) -> Machine:
        known = self.wiring.machines.get(name)
        kind = guests.Guest if name in record.guests else Machine
        return kind(name, process, known.ip if known else "", self.lane.file("machines") / name)

    @property
    def machines(self) -> dict[str, Machine]:
        """All machines that run."""
        record = self.lane.load()
        return {
            name: self._machine(name, process, record) for name, process in record.machines.items() if process.alive
        }

    def run(self, argv: Sequence[str], **options: Any) -> subprocess.CompletedProcess[Any]:
        """Run a command in the controller's network namespace: from there every machine is reached by SSH."""
        return subprocess.run([*self.entering(), *argv], check=options.pop("check", False), **options)

    def entering(self) -> list[str]:
        """What to put in front of a command line so that it runs in the controller's network namespace."""
        keeper = self.lane.load().keeper
        if keeper is None or not keeper.alive:
            raise Unavailable(f"lane {self.lane.name} is not up")
        return ["nsenter", f"--net=/proc/{keeper.pid}/ns/net", "--"]

    def disconnect_ssh(self) -> None:
        """Close the SSH connections that Ansible keeps open: they would survive what a new one does not."""
        for path in self.lane.sockets.glob("*"):
            command = ["ssh", "-F", "/dev/null", "-o", f"ControlPath={path}", "-O", "exit", "lab"]
            subprocess.run(command, capture_output=True, check=False, timeout=30)
            path.unlink(missing_ok=True)

    def await_ssh(self, name: str, seconds: float = 10.0) -> None:
        """Wait until SSH of a machine answers again.

        :raises TimeoutError: it did not within so many seconds.
        """
        keeper = self.lane.load().keeper
        address = self.machine(name).address
        path = f"/proc/{keeper.pid if keeper else 0}/ns/net"

        def waits() -> bool:
            kernel.enter_network(path)
            return kernel.wait_for(lambda: answers(address), seconds)

        with ThreadPoolExecutor(1) as pool:
            if not pool.submit(waits).result():
                raise TimeoutError(f"SSH of {name} did not answer within {seconds:.0f} s")

    def status(self) -> dict[str, Any]:
        """What runs, as data."""
        record = self.lane.load()
        machines = {}
        for name, process in record.machines.items():
            machine = self._machine(name, process, record)
            machines[name] = {
                "kind": "guest" if name in record.guests else "machine",
                "state": "running" if machine.alive else "stopped",
                "address": machine.address,
                "pid": process.pid,
                "leader": machine.leader if machine.alive else 0,
                "seconds": record.seconds.get(name),
                "memory_mib": round(machine.memory(), 1) if machine.alive else 0.0,
            }
        keeper = record.keeper is not None and record.keeper.alive
        running = keeper and all(machine["state"] == "running" for machine in machines.values())
        return {
            "lane": self.lane.name,
            "state": "up" if running and record.complete else "partial" if machines else "down",
            "release": record.release,
            "landscape": str(self.landscape),
            "inventory": str(self.inventory),
            "controller": [address.partition("/")[0] for address in self.wiring.controllers],
            "machines": machines,
        }

    def _publish(self, record: Record) -> None:
        addresses = {name: self.wiring.machines[name].ip for name in record.machines}
        ways.write(self.lane, record, addresses)
        self.lane.write("status.json", self.status())

    # ending

    def _clear(self, record: Record) -> None:
        """End what a record names, and everything that was started in the lane's namespaces."""
        machines = [self._unread(name, process) for name, process in record.machines.items() if process.alive]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(Machine.stop, machines))
        keepers = {*launch.keepers(self.lane.cgroup), *filter(None, [record.keeper])}
        for keeper in keepers:
            _end_guests(keeper)
            keeper.kill()
        kernel.wait_for(lambda: not any(keeper.alive for keeper in keepers), 10)
        kernel.wait_for(lambda: launch.sweep(self.lane.folder, self.lane.cgroup), 10, 0.1)
        self.lane.remove()
        record.machines.clear()
        record.guests.clear()
        record.keeper = None

    def _unread(self, name: str, process: Process) -> Machine:
        """A machine whose landscape need not be readable any more."""
        return Machine(name, process, "", self.lane.file("machines") / name)


def answers(address: str) -> bool:
    """Whether an SSH server greets at an address, seen from the namespace of the calling thread."""
    try:
        with socket.create_connection((address, 22), timeout=1) as connection:
            return connection.recv(16).startswith(b"SSH-2.0")
    except OSError:
        return False


def _end_guests(keeper: Process) -> None:
    """End what still runs in the controller's namespace: SSH connections kept open, forgotten playbooks."""
    inside = keeper.namespace("net") if keeper.alive else 0
    if inside in (0, kernel.namespace_of(os.getpid(), "net")):
        return  # it is gone, or not yet in a namespace of its own
    spared = kernel.ancestors() | {keeper.pid}
    for pid in kernel.processes():
        if pid not in spared and kernel.namespace_of(pid, "net") == inside:
            with contextlib.suppress(ProcessLookupError):
                Process.of(pid).kill()


def _require_root() -> None:
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        raise Unavailable("the embedded lab makes namespaces and machines: run it as root on Linux")
