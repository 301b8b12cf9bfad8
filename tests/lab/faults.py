# SPDX-License-Identifier: Apache-2.0
"""Things that go wrong, each for as long as a ``with`` block lasts.

Ends of cables are written as in a landscape: ``em01-leaf-r01-u38/Ethernet0``.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from . import kernel, launch
from .hosts import Lab
from .kernel import Process
from .wiring import Cable, End

_LLDP = bytes.fromhex("0180c200000e"), 0x88CC
_SECONDS = 30


def _end(text: str) -> End:
    device, _slash, port = text.partition("/")
    return device, port


def _cable(lab: Lab, end: str) -> Cable:
    for cable in lab.wiring.cables:
        if _end(end) in (cable.a, cable.b):
            return cable
    raise ValueError(f"no cable ends in {end}")


def _plug(lab: Lab, *cables: Cable) -> None:
    lab.panel().connect((cable.a, cable.b, cable.active) for cable in cables)


@contextlib.contextmanager
def swap_cables(lab: Lab, a: str, b: str) -> Iterator[None]:
    """The cables that end in ``a`` and ``b`` are exchanged at that end: what was in one port is in the other now."""
    first, second = _cable(lab, a), _cable(lab, b)
    far_of_first = first.b if first.a == _end(a) else first.a
    far_of_second = second.b if second.a == _end(b) else second.a
    _plug(lab, Cable(_end(a), far_of_second, True), Cable(_end(b), far_of_first, True))
    try:
        yield
    finally:
        _plug(lab, first, second)


@contextlib.contextmanager
def pull_cable(lab: Lab, end: str) -> Iterator[None]:
    """The cable is gone; so are both its ports, because an interface of the lab is the end of a cable."""
    cable = _cable(lab, end)
    lab.panel().disconnect([_end(end)])
    try:
        yield
    finally:
        _plug(lab, cable)


@contextlib.contextmanager
def cut_cable(lab: Lab, end: str) -> Iterator[None]:
    """The cable is broken: both ports are there and neither has a link."""
    cable = _cable(lab, end)
    panel = lab.panel()
    panel.link(_end(end), up=False)
    try:
        yield
    finally:
        _plug(lab, cable)


@contextlib.contextmanager
def extra_cable(lab: Lab, a: str, b: str) -> Iterator[None]:
    """A cable that the landscape does not know joins two ports that held none."""
    panel = lab.panel()
    panel.connect([(_end(a), _end(b), True)])
    try:
        yield
    finally:
        panel.disconnect([_end(a)])


@contextlib.contextmanager
def foreign_neighbour(lab: Lab, end: str, name: str = "stranger", port: str = "eth7") -> Iterator[None]:
    """A device that nobody knows is plugged into a port and speaks LLDP; a cable that was there comes back after."""
    known = [cable for cable in lab.wiring.cables if _end(end) in (cable.a, cable.b)]
    panel = lab.panel()
    panel.connect([(_end(end), ("", "stranger"), True)])
    over = threading.Event()
    speaker = threading.Thread(target=_speak, args=(panel.keeper, "stranger", name, port, over), daemon=True)
    speaker.start()
    try:
        yield
    finally:
        over.set()
        speaker.join(_SECONDS)
        panel.disconnect([_end(end)])
        _plug(lab, *known)


def frame(source: bytes, name: str, port: str, seconds: int = 6) -> bytes:
    """An LLDP frame (IEEE 802.1AB): chassis by MAC address, port by name, how long it counts, the system's name."""

    def field(kind: int, value: bytes) -> bytes:
        return struct.pack("!H", kind << 9 | len(value)) + value

    fields = field(1, b"\x04" + source) + field(2, b"\x05" + port.encode()) + field(3, struct.pack("!H", seconds))
    fields += field(4, port.encode()) + field(5, name.encode()) + field(0, b"")
    return (_LLDP[0] + source + struct.pack("!H", _LLDP[1]) + fields).ljust(60, b"\0")


def _speak(keeper: int, interface: str, name: str, port: str, over: threading.Event) -> None:
    kernel.enter_network(f"/proc/{keeper}/ns/net")
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((interface, 0))
        source = wire.getsockname()[4]
        while not over.is_set():
            with contextlib.suppress(OSError):  # the link is not up yet
                wire.send(frame(source, name, port))
            over.wait(1)


@contextlib.contextmanager
def host_down(lab: Lab, name: str) -> Iterator[None]:
    """The machine cannot be reached at all; it comes back as it was. (:meth:`Lab.stop` pulls its plug for good.)"""
    lab.disconnect_ssh()
    panel = lab.panel()
    ends = [(name, port) for port in _interfaces(lab, name)]
    for end in ends:
        panel.link(end, up=False)
    try:
        yield
    finally:
        for end in ends:
            panel.link(end, up=True)


def _interfaces(lab: Lab, name: str) -> list[str]:
    known = lab.wiring.machines[name].ports
    done = lab.machine(name).run(["ls", "/sys/class/net"])
    return [port for port in done.stdout.split() if port in known]


@contextlib.contextmanager
def ssh_hangs(lab: Lab, name: str) -> Iterator[None]:
    """Connections to port 22 are accepted, and nothing ever answers."""
    lab.disconnect_ssh()
    stopped = [Process.of(pid) for pid in lab.machine(name).members() if _program(pid) == "sshd"]
    for process in stopped:
        process.kill(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in stopped:
            process.kill(signal.SIGCONT)


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


@contextlib.contextmanager
def wrong_host_key(lab: Lab, name: str) -> Iterator[None]:
    """The machine shows another host key than the one that is known."""
    machine = lab.machine(name)
    key = "/etc/ssh/ssh_host_ed25519_key"
    machine.run(["sh", "-c", f"mkdir /run/lab-key && cp -p {key} {key}.pub /run/lab-key && rm {key} {key}.pub"])
    machine.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
    _restart_ssh(lab, name)
    try:
        yield
    finally:
        machine.run(["sh", "-c", "cp -p /run/lab-key/* /etc/ssh/ && rm -r /run/lab-key"])
        _restart_ssh(lab, name)


def _restart_ssh(lab: Lab, name: str) -> None:
    lab.machine(name).run(["systemctl", "restart", "ssh.service"])
    lab.disconnect_ssh()
    lab.await_ssh(name)


@contextlib.contextmanager
def disk_full(lab: Lab, name: str) -> Iterator[None]:
    """Nothing more fits onto the machine's disk (``/tmp`` and ``/run`` are disks of their own)."""
    machine = lab.machine(name)
    _resize(machine.process.pid, machine.folder, f"{int(machine.written() * 1024) + 4}k")
    try:
        yield
    finally:
        _resize(machine.process.pid, machine.folder, f"{launch.DISK_MIB}m")


def _resize(pid: int, folder: Path, size: str) -> None:
    command = ["nsenter", f"--target={pid}", "--mount", "--root", "mount", "-o", f"remount,size={size}", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)


@contextlib.contextmanager
def readonly_etc(lab: Lab, name: str) -> Iterator[None]:
    """``/etc`` cannot be written."""
    machine = lab.machine(name)
    machine.run(["mount", "--bind", "/etc", "/etc"])
    machine.run(["mount", "-o", "remount,bind,ro", "/etc"])
    try:
        yield
    finally:
        machine.run(["umount", "/etc"])


@contextlib.contextmanager
def no_sudo(lab: Lab, name: str) -> Iterator[None]:
    """The login may do nothing with sudo."""
    machine = lab.machine(name)
    rule = "/etc/sudoers.d/zzz-lab"  # the last match counts
    machine.run(["sh", "-c", f"umask 0337; echo 'dragon ALL=(ALL) !ALL' >{rule}"])
    try:
        yield
    finally:
        machine.run(["rm", "-f", rule])


@contextlib.contextmanager
def clock_ahead(lab: Lab, name: str, seconds: int = 86400) -> Iterator[None]:
    """Whoever logs in, and sudo, see a clock that is wrong by so many seconds; daemons do not.

    All machines share the kernel's clock, so the lie is told by a library that is loaded into every program of a
    session. Loaded into sshd itself, its sandbox would kill it.
    """
    machine = lab.machine(name)
    library = machine.run(["sh", "-c", "ls /usr/lib/*/faketime/libfaketime.so.1"]).stdout.strip()
    lies = [f"LD_PRELOAD={library}", f"FAKETIME={seconds:+d}"]
    login, lines, rule = "/etc/ssh/sshd_config.d/00-lab-clock.conf", "/etc/lab-clock", "/etc/sudoers.d/zzz-lab-clock"
    machine.run(["sh", "-c", f"echo SetEnv {' '.join(lies)} >{login}; printf '%s\\n' {' '.join(lies)} >{lines}"])
    machine.run(["sh", "-c", f"umask 0337; echo 'Defaults env_file={lines}' >{rule}"])
    _restart_ssh(lab, name)
    try:
        yield
    finally:
        machine.run(["rm", "-f", login, lines, rule])
        _restart_ssh(lab, name)


def settle(seconds: float = 5.0) -> None:
    """Long enough for LLDP daemons, which speak every two seconds, to notice what changed."""
    time.sleep(seconds)
