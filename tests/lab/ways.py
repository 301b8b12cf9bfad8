# SPDX-License-Identifier: Apache-2.0
"""How Ansible reaches the machines of a lane: inventories, known host keys, and an ssh that works from anywhere."""

from __future__ import annotations

from typing import Any

from . import images
from .lane import Lane, Record

#: The machines are small: what a preflight asks of real ones is not asked of them.
_SMALL = {
    "node_preflight_profile_changes": {
        "memory_gib": 1,
        "cpus": 1,
        "disks": 0,
        "firmware": "any",
        "cpu_flags": [],
        "cpu_flags_any": [],
    }
}


def write(lane: Lane, record: Record, addresses: dict[str, str]) -> None:
    """Write ``inventory.json`` for use in the controller's namespace and ``outside.json`` for use anywhere else.

    :param addresses: of the machines, by name.
    """
    known = lane.file("known_hosts")
    lines, hosts = [], {}
    for name, address in addresses.items():
        public = lane.file("keys") / f"{name}.host.pub"
        kind, key = public.read_text(encoding="utf-8").split()[:2]
        lines.append(f"{address} {kind} {key}")
        hosts[name] = {"ansible_host": address}
    known.write_text("\n".join(lines) + "\n", encoding="utf-8")
    lane.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
    variables = _variables(lane)
    lane.write("inventory.json", {"all": {"hosts": hosts, "vars": variables}})
    # variables of hosts rather than of all: several lanes may be given at once
    entering = {"ansible_ssh_executable": _ssh(lane, record), "ansible_ssh_transfer_method": "piped"}
    outside = {name: {**variables, **entering, **host} for name, host in hosts.items()}
    lane.write("outside.json", {"all": {"hosts": outside}})


def _variables(lane: Lane) -> dict[str, Any]:
    known = lane.file("known_hosts")
    options = f"-o UserKnownHostsFile={known} -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes"
    return {
        "ansible_user": images.USER,
        "ansible_ssh_private_key_file": str(lane.file("keys") / "login"),
        "ansible_ssh_common_args": f"{options} -o IdentitiesOnly=yes -o IdentityAgent=none -F /dev/null",
        # lanes have the same addresses: connections that are kept open must not be taken for each other
        "ansible_control_path_dir": str(lane.sockets),
        "ansible_python_interpreter": "/usr/bin/python3",
        **_SMALL,
    }


def _ssh(lane: Lane, record: Record) -> str:
    """Write a program that is ssh, wherever it is started: it enters the controller's namespace first."""
    assert record.keeper is not None
    space = f"/proc/{record.keeper.pid}/ns/net"
    program = lane.file("ssh")
    program.write_text(
        f'#!/bin/sh\n[ "$(stat -Lc %i {space})" = {record.keeper.namespace("net")} ] || exit 255\n'
        f'exec nsenter --net={space} ssh "$@"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    return str(program)
