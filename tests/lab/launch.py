# SPDX-License-Identifier: Apache-2.0
"""Starts the processes of a lane so that a killed run leaves nothing: each waits for a word before it stays.

A machine's process has a network and a mount namespace of its own from the start. Its overlay, its disk (a tmpfs) and
its cables live in them and nowhere else, so the kernel removes all of it when the process ends, however it ends.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ..tools.console import Unavailable
from ..tools.paths import REPO
from . import kernel
from .kernel import Process

#: Disk of a machine. It takes memory only for what is written.
DISK_MIB = 1024
CGROUP = "scs-lab"
_KEEPER = "tests.lab.keeper"
_SECONDS = 30

# Nothing that is mounted from here on is seen outside. systemd-nspawn wants a root that is a mount point; in a chroot it
# is none, so it is made one. $1 a folder, the rest: a script and its arguments.
_PRIVATE = """
folder=$1
shift
mount --make-rprivate / 2>/dev/null && exec sh -c "$@"
mkdir -p "$folder" && mount --rbind / "$folder" && mount --make-rprivate "$folder" || exit 1
exec chroot "$folder" sh -c "$@"
"""

# $1 image, $2 folder of the machine, $3 name, $4 its cgroup below the root of the hierarchy, $5 disk in MiB
_MACHINE = """
set -e
cd /
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p "/sys/fs/cgroup/$4" /run/systemd/nspawn
echo $$ >"/sys/fs/cgroup/$4/cgroup.procs"
mount -t tmpfs tmpfs /run/systemd/nspawn
mount -t tmpfs -o "size=$5m,mode=755" tmpfs "$2"
mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
ip link set lo up
echo "ready $$"
read -r word || exit 1
[ "$word" = go ] || exit 1
exec </dev/null >"$2.console" 2>&1
code=133  # what systemd-nspawn says when the machine wants to boot again
while [ "$code" = 133 ]; do
  code=0
  setpriv --pdeathsig KILL systemd-nspawn --quiet --boot --register=no --keep-unit --settings=no --link-journal=no \
    --resolv-conf=off --timezone=off --console=pipe --capability=all --kill-signal=SIGRTMIN+3 \
    --network-namespace-path=/proc/$$/ns/net --directory="$2/root" --machine="$3" --hostname="$3" || code=$?
done
exit "$code"
"""

# Ends what is left in the groups of the machines, written down or not, and removes them: $1 the group, below the root of the hierarchy.
_SWEEP = """
[ -d /sys/fs/cgroup ] || mount -t sysfs sysfs /sys || exit 1
mount -t cgroup2 cgroup2 /sys/fs/cgroup && cd /sys/fs/cgroup || exit 1
[ -d "$1" ] || exit 0
echo 1 >"$1/cgroup.kill"
find "$1" -depth -type d -exec rmdir {} \\; 2>/dev/null
[ -d "$1" ] && exit 1
rmdir scs-lab 2>/dev/null
exit 0
"""


@dataclass
class Waiting:
    """A process that waits for its word; when this object or this program is gone, it ends by itself."""

    process: Process
    word: int

    def go(self) -> None:
        """Let it stay."""
        os.write(self.word, b"go\n")
        os.close(self.word)

    def drop(self) -> None:
        """Let it end."""
        os.close(self.word)


@dataclass
class _Starting:
    what: str
    word: int
    answer: int


def _begin(argv: list[str], what: str) -> _Starting:
    """Start a process that belongs to nobody, with a pipe to it and one back."""
    from_us, word = os.pipe()
    answer, to_us = os.pipe()
    try:
        command = ["setsid", "--fork", *argv]
        subprocess.run(command, cwd=REPO, stdin=from_us, stdout=to_us, stderr=to_us, check=True, timeout=_SECONDS)
    finally:
        os.close(from_us)
        os.close(to_us)
    return _Starting(what, word, answer)


def _ready(starting: _Starting, seconds: float = _SECONDS) -> Waiting:
    """Wait until it says that it is ready.

    :raises Unavailable: it ended, or said nothing in time; its last words are the reason.
    """
    said = b""
    end = time.monotonic() + seconds
    try:
        while b"ready " not in said or not said.endswith(b"\n"):
            if not select.select([starting.answer], [], [], max(0.0, end - time.monotonic()))[0]:
                raise Unavailable(f"{starting.what} was not ready within {seconds:.0f} s")
            part = os.read(starting.answer, 4096)
            if not part:
                reason = said.decode(errors="replace").strip().splitlines()[-1:] or ["it gave no reason"]
                raise Unavailable(f"{starting.what} could not be prepared: {reason[0]}")
            said += part
    except BaseException:
        os.close(starting.word)
        raise
    finally:
        os.close(starting.answer)
    return Waiting(Process.of(int(said.rpartition(b"ready ")[2])), starting.word)


def _private(folder: Path, *namespaces: str) -> list[str]:
    """What stands in front of a script and its arguments that run in namespaces of their own."""
    return [
        "unshare",
        "--mount",
        *namespaces,
        "--propagation",
        "unchanged",
        "sh",
        "-c",
        _PRIVATE,
        "private",
        str(folder),
    ]


def keeper(mirrors: dict[str, str], group: str) -> Waiting:
    """Start the controller's side of a lane; by the name of the lane's cgroup it is found again (:func:`keepers`)."""
    argv = [sys.executable, "-B", "-m", _KEEPER, json.dumps(mirrors), group]
    return _ready(_begin(argv, "the lane's controller"))


def keepers(*group: str) -> list[Process]:
    """The controllers of a lane, or of all, written down or not."""
    return kernel.running(_KEEPER, *group)


def machines(image: Path, folder: Path, group: str, names: list[str], disk: int = DISK_MIB) -> dict[str, Waiting]:
    """Start machines up to the point where their files can be written and their cables plugged in.

    :param folder: one folder per machine is made in it.
    :param group: the cgroup of the lane.
    """
    return together(
        folder,
        {
            name: [_MACHINE, "machine", str(image), str(folder / name), name, f"{group}/{name}", str(disk)]
            for name in names
        },
    )


def together(folder: Path, scripts: dict[str, list[str]]) -> dict[str, Waiting]:
    """Start a script with its arguments for every machine, in namespaces of its own, and wait until all are ready."""
    starting: dict[str, _Starting] = {}
    waiting: dict[str, Waiting] = {}
    try:
        for name, script in scripts.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            starting[name] = _begin([*_private(folder / f"{name}.outside", "--net"), *script], name)
        for name in scripts:
            waiting[name] = _ready(starting.pop(name))
    except BaseException:
        for one in starting.values():
            os.close(one.word)
            os.close(one.answer)
        for other in waiting.values():
            other.drop()
        raise
    return waiting


def sweep(folder: Path, group: str) -> bool:
    """End what is left in the cgroups of a lane and remove them; whether none is left."""
    command = [*_private(folder / "outside"), _SWEEP, "sweep", group]
    return subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS).returncode == 0
