# SPDX-License-Identifier: Apache-2.0
"""Guests: machines with a kernel of their own (user-mode Linux), for what the kernel of this machine lacks.

A guest lives in the same two namespaces as every machine, and its cables end there under the names of its ports. From
each of them a bridge that passes everything on leads to a device of the guest. Its root is the tree of the release,
read-only, below a disk of its own; both, and its memory, are files in file systems that vanish with the process.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..tools import apt
from ..tools.console import Unavailable
from ..tools.paths import digest
from . import guests_agent, guests_client, launch
from .machine import PATH, Machine
from .seeds import Seed
from .wiring import BRIDGE, CONTROLLER, Wiring
from .wiring import Machine as Modelled

#: MiB of memory of a guest: enough for a host or a switch of the lab and an apt-get; it takes what it has touched.
MEMORY = 160
#: Bytes that a frame of a guest may have, without its header.
MTU = 1500
#: Most block devices that a guest can have beside its root: ubda is the root, ubdp the last one the kernel knows.
DISKS = 15
#: How much longer than a machine a guest may take to boot.
SLOWER = 4
_LEAST = 64
_TAP, _BRIDGE, _AGENT = "lab-tap", "lab-bridge", "lab-agent"
_FOLDER = "usr/lib/lab"
#: Bytes that a frame of any network of a landscape may have.
_MTU = 9216

# $1 image, $2 folder of the machine, $3 name, $4 its cgroup, $5 disk in MiB, $6 memory in MiB, $7 folder of modules,
# $8 lines for ip -batch, the rest: the kernel and its arguments. Bridges and taps want no addresses of their own. A kernel
# that boots again executes its own name anew, with its devices still open and therefore busy: its name is that of a
# program that only says so.
_GUEST = """
set -e
cd /
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p "/sys/fs/cgroup/$4"
echo $$ >"/sys/fs/cgroup/$4/cgroup.procs"
mount -t tmpfs -o "size=$(($6 + 16))m,mode=700" tmpfs /dev/shm
mount -t tmpfs -o "size=$5m,mode=755" tmpfs "$2"
mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
modules=usr/lib/modules/${7##*/}
mkdir -p "$2/root/$modules"
mount --bind "$7" "$2/root/$modules"
ln -s ../lab-agent.service "$2/root/usr/lib/systemd/system/sysinit.target.wants/"
truncate -s "$5m" "$2/disk"
/sbin/mkfs.ext4 -q -F -m 0 -O ^has_journal -E nodiscard "$2/disk" || exit 1
for kind in all default; do
  echo 1 >"/proc/sys/net/ipv6/conf/$kind/disable_ipv6"
done
echo "$8" | ip -batch -
echo "ready $$"
read -r word || exit 1
[ "$word" = go ] || exit 1
exec </dev/null >"$2.console" 2>&1
shift 8
export TMPDIR=/dev/shm
printf '#!/bin/sh\n: >/dev/shm/again\n' >/dev/shm/reboot
chmod 700 /dev/shm/reboot
code=0
: >/dev/shm/again
while [ -e /dev/shm/again ]; do
  rm /dev/shm/again
  setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount --mount-proc --propagation private \
    bash -c '(exec -a /dev/shm/reboot "$@"); exit $?' guest "$@" || code=$?
done
exit "$code"
"""

_INIT = f"""#!/bin/sh
export PATH={PATH}
mount -n -t proc proc /proc
mount -n -t sysfs sysfs /sys
modprobe -a overlay ipv6 tun loop dm_mod
mount -n -t tmpfs tmpfs /mnt
mkdir /mnt/disk /mnt/root
mount -n -t ext4 -o noatime,noinit_itable /dev/ubda /mnt/disk
mkdir -p /mnt/disk/upper /mnt/disk/work
mount -n -t overlay overlay -o lowerdir=/,upperdir=/mnt/disk/upper,workdir=/mnt/disk/work /mnt/root
cd /mnt/root
ip -batch {_FOLDER}/ports
ip link set lo up
echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range  # what the file says that ping may do is not seen through hostfs
for each in dev sys proc; do
  mount -n --move /$each $each
done
pivot_root . mnt
umount -n -l /mnt
exec chroot . /lib/systemd/systemd
"""
_UNIT = f"""[Unit]
Description=Runs commands for the lab
DefaultDependencies=no
Before=basic.target

[Service]
ExecStart=/usr/bin/python3 -I /{_FOLDER}/agent.py %s
KillMode=process
OOMScoreAdjust=-900
"""


@dataclass(frozen=True)
class Settings:
    """What a guest has: MiB of memory, the size of each of its disks in bytes, and the bytes that a frame on its data
    ports may have. A port of user-mode Linux cannot be given more later."""

    memory: int = MEMORY
    disks: tuple[int, ...] = ()
    mtu: int = MTU


def settings(
    names: Collection[str] | str,
    disks: Mapping[str, Sequence[int]],
    memory: int,
    mtu: int,
    machines: Collection[str],
) -> dict[str, Settings]:
    """The settings of every guest, by name.

    :param names: names of guests, or ``all``.
    :param machines: what there is.
    :raises Unavailable: a name, a disk or an amount of memory that cannot be.
    """
    chosen = set(machines) if names == "all" else {names} if isinstance(names, str) else set(names)
    for what, some in (("active machine", chosen - set(machines)), ("guest", set(disks) - chosen)):
        if some:
            raise Unavailable(f"there is no {what} {', '.join(sorted(some))} in this landscape")
    if chosen and memory < _LEAST:
        raise Unavailable(f"a guest does not start with {memory} MiB of memory: give it {_LEAST} or more")
    if chosen and not MTU <= mtu <= _MTU:
        raise Unavailable(f"ports of a guest carry frames of {MTU} to {_MTU} bytes, not {mtu}")
    for name, sizes in disks.items():
        if len(sizes) > DISKS or min(sizes, default=1) < 1:
            raise Unavailable(f"{name} can have up to {DISKS} disks of at least one byte")
    return {name: Settings(memory, tuple(disks.get(name, ())), mtu) for name in sorted(chosen)}


def program() -> tuple[Path, Path]:
    """The kernel of guests and the folder of its modules, out of Debian's package.

    :raises Unavailable: it cannot be had, or this machine cannot run it.
    """
    why = "a guest of the embedded lab"
    if os.uname().machine != "x86_64":
        raise Unavailable(f"{why} needs an x86_64 machine: user-mode Linux knows no other")
    if not os.path.exists("/dev/net/tun"):
        raise Unavailable(f"{why} needs /dev/net/tun, which this machine does not have")
    found = apt.program("linux.uml", "user-mode-linux", why).resolve()
    folders = sorted((found.parents[1] / "lib" / "uml" / "modules").iterdir())
    return found, folders[-1]


def ports(wiring: Wiring, name: str) -> list[str]:
    """The ports of a guest, in the order of its devices: those that hold a cable, and the controller's."""
    plugged = {end[1] for cable in wiring.cables for end in (cable.a, cable.b) if end[0] == name}
    plugged.add(wiring.machines[name].oob_port)
    if wiring.bridged(name):
        plugged.add(CONTROLLER)
    return sorted(plugged)


def bridge(wiring: Wiring, name: str, port: str) -> str:
    """What the cable in a port of a guest is plugged into.

    :raises ValueError: the guest has no such port.
    """
    try:
        return f"{_BRIDGE}{ports(wiring, name).index(port)}"
    except ValueError:
        raise ValueError(f"{name} is a guest and has no port {port}: ports without a cable are not there") from None


def machines(
    image: Path, folder: Path, group: str, chosen: Mapping[str, Settings], wiring: Wiring
) -> dict[str, launch.Waiting]:
    """Start guests up to the point where their files can be written and their cables plugged in.

    :param folder: one folder per machine is made in it, and the files of its disks.
    """
    if not chosen:
        return {}
    found, modules = program()
    scripts = {}
    for name, one in chosen.items():
        wanted = ports(wiring, name)
        own = [str(image), str(folder / name), name, f"{group}/{name}", str(launch.DISK_MIB), str(one.memory)]
        files = disks(folder, name, one.disks)
        line = [str(found), *_arguments(folder / name, one, files, wiring.machines[name], wanted)]
        scripts[name] = [_GUEST, "guest", *own, str(modules), "\n".join(_network(len(wanted))), *line]
    return launch.together(folder, scripts)


def disks(folder: Path, name: str, sizes: Sequence[int]) -> list[Path]:
    """Files as large as the disks that take what was written to them; those of a guest that ran before stay."""
    folder.mkdir(parents=True, exist_ok=True)
    found = [folder / f"{name}.disk{number}" for number in range(len(sizes))]
    for path, size in zip(found, sizes):
        with open(path, "ab") as file:
            file.truncate(size)
    return found


def _arguments(folder: Path, one: Settings, disks: list[Path], machine: Modelled, wanted: list[str]) -> list[str]:
    devices = [f"vec{number}:transport=tap,ifname={_TAP}{number},gro=1" for number in range(len(wanted))]
    for number, port in enumerate(wanted):
        devices[number] += f",mac={machine.macs.get(port) or _mac(machine.name, port)}"
        if port not in (machine.oob_port, CONTROLLER):
            devices[number] += f",mtu={one.mtu}"
    return [
        f"mem={one.memory}M",
        "rootfstype=hostfs",
        f"rootflags={folder}/root",
        "ro",
        f"init=/{_FOLDER}/init",
        "uml_dir=/dev/shm",
        "con=null",
        "con0=null,fd:1",
        "ssl=null",
        "quiet",
        "selinux=0",
        "audit=0",
        f"ubdat={folder}/disk",
        *(f"ubd{chr(ord('b') + number)}={path}" for number, path in enumerate(disks)),
        *devices,
        f"vec{len(wanted)}:transport=tap,ifname={_AGENT},gro=1",
    ]


def _mac(name: str, port: str) -> str:
    """A local address that a port keeps when its guest boots again."""
    text = digest("lab", name, port)
    return ":".join(["02", *(text[place : place + 2] for place in range(0, 10, 2))])


def _network(count: int) -> list[str]:
    """Lines for ``ip`` that make what lies between the cables and the devices of a guest."""
    lines = ["link set lo up"]
    for number in range(count):
        near, between = f"{_TAP}{number}", f"{_BRIDGE}{number}"
        lines += [
            f"link add {between} type bridge forward_delay 0 ageing_time 0 mcast_snooping 0",
            f"tuntap add dev {near} mode tap",
            f"link set {near} master {between} mtu {_MTU} up",
            *passing(near),
            f"link set {between} up",
        ]
    lines += [f"tuntap add dev {_AGENT} mode tap", f"address add {guests_agent.ADDRESS[0]}/30 dev {_AGENT}"]
    return [*lines, f"link set {_AGENT} up"]


def passing(link: str) -> list[str]:
    """Lines for ``ip`` that let everything pass that comes through a port of a bridge, LLDP and LACP too."""
    return [f"link set {link} mtu {_MTU}", f"link set {link} type bridge_slave group_fwd_mask 0xfffd"]


def seeds(machine: Modelled, wiring: Wiring) -> list[Seed]:
    """The files that a guest has beside those of every machine."""
    wanted = ports(wiring, machine.name)
    joined = wiring.bridged(machine.name)
    idle = {end for cable in wiring.cables if not cable.active for end in (cable.a, cable.b)}
    lines = [f"link set vec{number} name {port}" for number, port in enumerate(wanted)]
    if joined:
        lines += [f"link add {BRIDGE} type bridge forward_delay 0", f"link set {BRIDGE} up"]
        lines += [f"link set {port} master {BRIDGE}" for port in (*joined, CONTROLLER)]
    if machine.address:
        lines.append(f"address add {machine.address} dev {machine.oob_port}")
    lines += [f"link set {port} up" for port in wanted if (machine.name, port) not in idle]
    agent = Path(guests_agent.__file__).read_text(encoding="utf-8")
    return [
        Seed(f"{_FOLDER}/init", _INIT, 0o755),
        Seed(f"{_FOLDER}/ports", "\n".join(lines) + "\n"),
        Seed(f"{_FOLDER}/agent.py", agent),
        Seed("usr/lib/systemd/system/lab-agent.service", _UNIT % f"vec{len(wanted)}"),
    ]


class Guest(Machine):
    """A machine with a kernel of its own: nothing but its agent leads into it."""

    @property
    def root(self) -> Path:
        """Nothing: the file systems of a guest are its own.

        :raises RuntimeError: always.
        """
        raise RuntimeError(f"{self.name} is a guest, its files cannot be seen from outside: use run()")

    def _entering(self, environment: Mapping[str, str]) -> list[str]:
        """What to put in front of a command line; a program of a few lines that talks with the agent inside."""
        client = str(Path(guests_client.__file__).resolve())
        return [sys.executable, "-B", "-S", client, self.network, json.dumps(environment)]

    def memory(self) -> float:
        """MiB of memory it takes: what it has touched of its own, what was written to its root, and its processes."""
        total = 0.0
        for pid in self.members():
            total += _private(pid)
        return total + _used(f"/proc/{self.process.pid}/root/dev/shm") + self.written()


def _private(pid: int) -> float:
    """MiB of a process that are no part of the memory of a guest, shared pages counted by share."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0  # it ended meanwhile
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_File:"))) / 1024


def _used(path: str) -> float:
    try:
        found = os.statvfs(path)
    except OSError:
        return 0.0
    return (found.f_blocks - found.f_bfree) * found.f_frsize / 1024 / 1024
