# SPDX-License-Identifier: Apache-2.0
"""The files that make a machine out of the root all of them share: its name, its keys, what its LLDP daemon says."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..tools.paths import digest
from .images import USER
from .keeper import PORT
from .wiring import CONTROLLER, Machine

#: Every seed is a file: content, mode, owner.
_UID = 1000


@dataclass(frozen=True)
class Seed:
    """One file of a machine; ``owner`` is a number."""

    path: str
    content: str
    mode: int = 0o644
    owner: int = 0


def keypair(path: Path) -> str:
    """Make a key pair unless it is there, and return its public half. The private one is for root alone."""
    if not path.exists():
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    return path.with_name(f"{path.name}.pub").read_text(encoding="utf-8").strip()


def seeds(machine: Machine, plugged: set[str], host_key: Path, login_key: str, controller: str) -> list[Seed]:
    """The files of a machine.

    :param plugged: its ports that hold a cable.
    :param host_key: its private SSH key; the public one lies beside it.
    :param login_key: who may log in.
    :param controller: address of the controller, where the forwarder of packages listens.
    """
    public = host_key.with_name(f"{host_key.name}.pub")
    home = f"home/{USER}/.ssh"
    return [
        Seed("etc/hostname", f"{machine.name}\n"),
        Seed("etc/hosts", f"127.0.0.1\tlocalhost\n127.0.1.1\t{machine.name}\n::1\tlocalhost ip6-localhost\n"),
        Seed("etc/machine-id", (digest("lab", machine.name) * 3)[:32] + "\n", 0o444),
        Seed("etc/resolv.conf", ""),
        Seed("etc/ssh/ssh_host_ed25519_key", host_key.read_text(encoding="utf-8"), 0o600),
        Seed("etc/ssh/ssh_host_ed25519_key.pub", public.read_text(encoding="utf-8")),
        Seed(f"{home}/authorized_keys", f"{login_key}\n", 0o600, _UID),
        Seed("etc/apt/apt.conf.d/91proxy", f'Acquire::http::Proxy "http://{controller}:{PORT}";\n'),
        Seed("etc/lldpd.d/lab.conf", lldp(machine, plugged)),
    ]


def lldp(machine: Machine, plugged: set[str]) -> str:
    """What the LLDP daemon is told: a switch names its ports by their alias as SONiC does, a host by their name."""
    lines = [
        "configure lldp tx-interval 2",
        "configure lldp tx-hold 3",
        f"configure system interface pattern *,!{CONTROLLER}",
    ]
    lines.append("configure lldp portidsubtype ifname")
    if machine.kind == "switch":
        for port in sorted(plugged):
            alias = machine.ports.get(port)
            if alias:
                lines.append(f"configure ports {port} lldp portidsubtype local {alias} description {port}")
    return "\n".join(lines) + "\n"


def write(root: Path, files: list[Seed]) -> None:
    """Write the files below the root of a machine that has not started yet."""
    for seed in files:
        path = root / seed.path
        for folder in reversed(path.parents):
            if not folder.is_relative_to(root) or folder.exists():
                continue
            folder.mkdir(mode=0o700 if seed.owner else 0o755)
            os.chown(folder, seed.owner, seed.owner)
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, seed.mode)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(seed.content)
        os.chmod(path, seed.mode)
        os.chown(path, seed.owner, seed.owner)
