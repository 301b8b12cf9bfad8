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
from . import hosts, images

#: Providers that stand on the machines and have commands of their own: ``python3 -B -m tests.lab ceph up``.
_PROVIDERS = ("ceph", "openstack")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -B -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "up": "start the machines and wait until SSH answers",
        "down": "end them and leave nothing",
        "status": "print what runs, as JSON",
        "inventory": "print the path of Ansible's inventory",
        "enter": "run a command where every machine is reached by SSH",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--lane", default="demo", help="lanes run side by side (default: %(default)s)")
        command.add_argument("--landscape", type=Path, default=hosts.EMBEDDED, help="file or folder of a landscape")
        command.add_argument("--release", choices=images.RELEASES, default="bookworm", help="Debian of the machines")
        if name == "up":
            command.add_argument("--only", default="", help="these machines, separated by commas")
        if name == "enter":
            command.add_argument("argv", nargs=argparse.REMAINDER, help="the command, behind --")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 0 when it did what it says, 2 when this machine does not permit it."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] and words[0] in _PROVIDERS:
        return int(importlib.import_module(f".{words[0]}.cli", __package__).main(words[1:]))
    chosen = _parser().parse_args(words)
    try:
        lab = hosts.Lab(chosen.lane, chosen.landscape, chosen.release)
        return _run(lab, chosen)
    except Unavailable as error:
        print(f"The lab cannot do that: {error}", file=sys.stderr)
        return 2


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
        argv = chosen.argv[1:] if chosen.argv[:1] == ["--"] else chosen.argv
        command = [*lab.entering(), *(argv or [os.environ.get("SHELL", "/bin/sh")])]
        os.execvp(command[0], command)  # noqa: S606 - that is what enter is for
    return 0
