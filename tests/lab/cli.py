# SPDX-License-Identifier: Apache-2.0
"""``python3 -B -m tests.lab``: the lab from the command line."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ..tools.console import Unavailable
from . import commands, guests, hosts, images

#: Providers that stand on the machines and have commands of their own: ``python3 -B -m tests.lab ceph up``.
_PROVIDERS = ("ceph", "openstack", "switches", "vsphere")


def _parser() -> argparse.ArgumentParser:
    texts = {
        "up": "start the machines and wait until SSH answers",
        "down": "end them and leave nothing",
        "status": "print what runs, as JSON",
        "inventory": "print the path of Ansible's inventory",
        "enter": "run a command where every machine is reached by SSH",
    }
    parser, found = commands.parser("", __doc__, texts)
    for name, command in found.items():
        command.add_argument("--landscape", type=Path, default=hosts.EMBEDDED, help="file or folder of a landscape")
        command.add_argument("--release", choices=images.RELEASES, default="bookworm", help="Debian of the machines")
        if name == "up":
            command.add_argument("--only", default="", help="these machines, separated by commas")
            _add_guests(command)
        if name == "enter":
            commands.takes_words(command)
    return parser


def _add_guests(command: argparse.ArgumentParser) -> None:
    command.add_argument("--guests", default="", help="machines with a kernel of their own: names, or all")
    command.add_argument("--memory", type=int, default=guests.MEMORY, help="MiB of a guest (default: %(default)s)")
    command.add_argument("--mtu", type=int, default=guests.MTU, help="of data ports of a guest (default: %(default)s)")
    command.add_argument(
        "--disk", action="append", default=[], metavar="GUEST=MIB", help="a disk for a guest; may be said again"
    )


def _disks(said: Sequence[str]) -> dict[str, list[int]]:
    """Bytes of every disk, by guest."""
    found: dict[str, list[int]] = {}
    for text in said:
        name, _equals, size = text.partition("=")
        if not size.isdecimal():
            raise Unavailable(f"{text!r} is no disk: say the guest and the size in MiB, as in em01-comp-r01-u04=1024")
        found.setdefault(name, []).append(int(size) << 20)
    return found


def _lab(chosen: argparse.Namespace) -> hosts.Lab:
    if chosen.command != "up":
        return hosts.Lab(chosen.lane, chosen.landscape, chosen.release)
    names = chosen.guests if chosen.guests == "all" else list(filter(None, chosen.guests.split(",")))
    own = {"guests": names, "disks": _disks(chosen.disk), "memory": chosen.memory, "mtu": chosen.mtu}
    return hosts.Lab(chosen.lane, chosen.landscape, chosen.release, **own)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 0 when it did what it says, 2 when this machine does not permit it."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] and words[0] in _PROVIDERS:
        return int(importlib.import_module(f".{words[0]}.cli", __package__).main(words[1:]))
    chosen = _parser().parse_args(words)
    return commands.guarded(lambda: _run(_lab(chosen), chosen))


def _run(lab: hosts.Lab, chosen: argparse.Namespace) -> int:
    if chosen.command == "up":
        lab.up(chosen.only.split(",") if chosen.only else None)
        print(lab.inventory)
    elif chosen.command == "down":
        lab.down()
    elif chosen.command == "status":
        print(json.dumps(lab.status(), indent=1))
    elif chosen.command == "inventory":
        print(lab.inventory)
    else:
        command = [*lab.entering(), *(commands.words(chosen) or [os.environ.get("SHELL", "/bin/sh")])]
        os.execvp(command[0], command)  # noqa: S606 - that is what enter is for
    return 0
