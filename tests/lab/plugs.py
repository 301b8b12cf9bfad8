# SPDX-License-Identifier: Apache-2.0
"""Cables: pairs of virtual interfaces whose ends lie in the network namespaces of two machines."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from . import guests
from .wiring import BRIDGE, CONTROLLER, End, Wiring

_SECONDS = 60
#: How often a cable is plugged in where something else is faster.
_TRIES = 20
#: The bridge of the controller that joins everything it is plugged into.
_OOB = "oob"


@dataclass(frozen=True)
class Panel:
    """Where the ends of cables are: the process behind every running machine, and the controller's.

    ``guests`` have a kernel of their own: a cable is plugged in where it is theirs, and everything else is done inside.
    """

    wiring: Wiring
    pids: dict[str, int]
    keeper: int
    guests: frozenset[str] = frozenset()

    def connect(self, pairs: Iterable[tuple[End, End, bool]]) -> None:
        """Plug in cables. An end whose machine does not run lies in the controller's namespace, plugged into nothing.

        A port that holds a cable already loses it. The third of each pair: whether the link is up.
        """
        chosen = list(pairs)
        creation, inside = [], Scripts()
        for near, far, active in chosen:
            creation.append(f"link add {self._place(near)} type veth peer {self._place(far)}")
            for end in (near, far):
                self._settle(end, active, inside)
        self._replace([end for near, far, _up in chosen for end in (near, far)], creation)
        self._run(inside)

    def _replace(self, ends: list[End], creation: list[str]) -> None:
        """Cables in place of what ports hold. A switch that misses a port makes an empty one, perhaps just then."""
        for left in reversed(range(_TRIES)):
            self.disconnect(ends)
            try:
                _ip(creation)
                return
            except FileExistsError:
                if not left:
                    raise

    def disconnect(self, ends: Iterable[End]) -> None:
        """Pull the cables out of ports; both ends of each vanish."""
        inside = Scripts()
        for end in ends:
            inside.add(self._pid(end), f"link delete {self._name(end)}")
        self._run(inside, force=True)

    def link(self, end: End, up: bool) -> None:
        """Take a link up or down at one end; the other end sees it."""
        _ip([f"link set {self._name(end)} {'up' if up else 'down'}"], self._pid(end))

    def prepare(self, new: Iterable[str], fresh_keeper: bool) -> None:
        """Make the bridges of new machines, and of the controller when it is new too."""
        inside = Scripts()
        for name in new:
            if name not in self.guests and self.wiring.bridged(name):
                inside.add(self.pids[name], f"link add {BRIDGE} type bridge forward_delay 0")
                inside.add(self.pids[name], f"link set {BRIDGE} up")
        if fresh_keeper:
            inside.add(self.keeper, f"link add {_OOB} type bridge forward_delay 0")
            inside.add(self.keeper, f"link set {_OOB} up")
            for address in self.wiring.controllers:
                inside.add(self.keeper, f"address add {address} dev {_OOB}")
        self._run(inside)

    def enter(self, entries: Iterable[End]) -> None:
        """Plug the controller in."""
        inside, creation = Scripts(), []
        for number, end in enumerate(sorted(entries)):
            near = f"entry{number}"
            inside.add(self.keeper, f"link delete {near}")
            creation.append(f"link add {near} netns {self.keeper} type veth peer {self._place(end)}")
        self._run(inside, force=True)
        self.disconnect(entries)
        _ip(creation)
        inside = Scripts()
        for number, end in enumerate(sorted(entries)):
            inside.add(self.keeper, f"link set entry{number} master {_OOB} up")
            self._settle(end, True, inside)
        self._run(inside)

    def _pid(self, end: End) -> int:
        return self.pids.get(end[0], self.keeper)

    def _name(self, end: End) -> str:
        """The name of the interface; outside of machines it is made from the place of the cable."""
        if end[0] in self.pids:
            return end[1]
        for number, cable in enumerate(self.wiring.cables):
            if end in (cable.a, cable.b):
                return f"far{number}{'a' if cable.a == end else 'b'}"
        return end[1]

    def _place(self, end: End) -> str:
        machine = self.wiring.machines.get(end[0])
        own = machine is not None and end[0] in self.pids and end[0] not in self.guests
        mac = machine.macs.get(end[1]) if machine is not None and own else None
        return f"name {self._name(end)} {f'address {mac} ' if mac else ''}netns {self._pid(end)}"

    def _settle(self, end: End, active: bool, inside: Scripts) -> None:
        """What an interface needs once it is there: its bridge, its address, its state."""
        name, pid = self._name(end), self._pid(end)
        if end[0] in self.pids and end[0] in self.guests:
            inside.add(pid, f"link set {name} master {guests.bridge(self.wiring, *end)}")
            for line in guests.passing(name):
                inside.add(pid, line)
        elif end[0] in self.pids:
            machine = self.wiring.machines[end[0]]
            if end[1] == CONTROLLER or end[1] in self.wiring.bridged(end[0]):
                inside.add(pid, f"link set {name} master {BRIDGE}")
            if end[1] == machine.oob_port:
                inside.add(pid, f"address replace {machine.address} dev {name}")  # a switch may be faster
        if active:
            inside.add(pid, f"link set {name} up")

    def _run(self, inside: Scripts, force: bool = False) -> None:
        for pid, lines in inside.lines.items():
            _ip(lines, pid, force)


class Scripts:
    """Lines for ``ip -batch``, by the namespace they are for."""

    def __init__(self) -> None:
        self.lines: dict[int, list[str]] = {}

    def add(self, pid: int, line: str) -> None:
        """Add a line for the namespace of a process."""
        self.lines.setdefault(pid, []).append(line)


def _ip(lines: list[str], pid: int = 0, force: bool = False) -> None:
    """Run lines of ``ip``, in a network namespace when a process is named; ``force`` goes on after an error.

    :raises FileExistsError: there is an interface of that name already.
    :raises RuntimeError: it failed otherwise.
    """
    if not lines:
        return
    command = ["nsenter", f"--net=/proc/{pid}/ns/net"] if pid else []
    command += ["ip", *(["-force"] if force else []), "-batch", "-"]
    done = subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    if done.returncode and not force:
        kind = FileExistsError if "File exists" in done.stderr else RuntimeError
        raise kind(f"{' '.join(command)}: {done.stderr.strip()}\n{chr(10).join(lines)}")
