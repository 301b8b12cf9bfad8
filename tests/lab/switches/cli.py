# SPDX-License-Identifier: Apache-2.0
"""``python3 -B -m tests.lab switches``: the fabric from the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from .. import commands
from ..hosts import EMBEDDED
from .fabric import Fabric


def _parser() -> argparse.ArgumentParser:
    texts = {
        "up": "start the switches and wait until FRR runs on them; prints the path of Ansible's inventory",
        "down": "end them and leave nothing",
        "status": "print what runs, as JSON",
        "inventory": "print the path of Ansible's inventory",
        "run": "run a command on a switch or host, as root",
    }
    parser, found = commands.parser("switches", __doc__, texts)
    for name, command in found.items():
        command.add_argument("--landscape", type=Path, default=EMBEDDED, help="file or folder of a landscape")
        command.add_argument("--switches", default="", help="these switches, separated by commas")
        command.add_argument("--hosts", default="", help="these hosts too, separated by commas, or all")
        command.add_argument("--bare", action="store_true", help="start with ports and management address alone")
        if name == "run":
            command.add_argument("machine", help="name of the switch or host")
            commands.takes_words(command)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Runs one command; 0 when it did what it says, 2 when this machine does not permit it."""
    chosen = _parser().parse_args(arguments)
    switches = chosen.switches.split(",") if chosen.switches else None
    hosts = "all" if chosen.hosts == "all" else list(filter(None, chosen.hosts.split(",")))

    def run() -> int:
        return _run(Fabric(chosen.lane, switches, hosts, landscape=chosen.landscape, bare=chosen.bare), chosen)

    return commands.guarded(run)


def _run(fabric: Fabric, chosen: argparse.Namespace) -> int:
    if chosen.command == "up":
        fabric.up()
        print(fabric.inventory)
    elif chosen.command == "down":
        fabric.down()
    elif chosen.command == "status":
        print(json.dumps(fabric.status(), indent=1))
    elif chosen.command == "inventory":
        print(fabric.inventory)
    else:
        return commands.shown(fabric.machine(chosen.machine).run(commands.words(chosen), check=False))
    return 0
