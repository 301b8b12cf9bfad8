# SPDX-License-Identifier: Apache-2.0
"""``python3 -B -m tests.lab openstack``: the cloud from the command line."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence

from .. import commands
from .cloud import Cloud
from .place import BACKENDS, PROFILES, RELEASES


def _parser() -> argparse.ArgumentParser:
    texts = {
        "up": "start the services and wait until they answer; prints the path of clouds.yaml",
        "down": "end them and leave nothing",
        "reset": "start again with nothing that was made since",
        "status": "print what runs, as JSON",
        "enter": "run a command in the cloud's network, with OS_CLIENT_CONFIG_FILE set",
    }
    parser, found = commands.parser("openstack", __doc__, texts)
    for name, command in found.items():
        command.add_argument("--profile", choices=tuple(PROFILES), default="image", help="what runs")
        command.add_argument("--backend", choices=BACKENDS, default="file", help="where volumes lie")
        command.add_argument("--release", choices=RELEASES, default="index", help="of the Python index, or Debian's")
        if name == "enter":
            commands.takes_words(command)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 0 when it did what it says, 2 when this machine does not permit it."""
    chosen = _parser().parse_args(arguments)

    def run() -> int:
        return _run(Cloud(chosen.lane, chosen.profile, chosen.backend, release=chosen.release), chosen)

    return commands.guarded(run)


def _run(cloud: Cloud, chosen: argparse.Namespace) -> int:
    if chosen.command in ("up", "reset"):
        getattr(cloud, chosen.command)()
        print(cloud.clouds_yaml)
    elif chosen.command == "down":
        cloud.down()
    elif chosen.command == "status":
        print(json.dumps(cloud.status(), indent=1))
    else:
        command = [*cloud.entering(), *(commands.words(chosen) or [os.environ.get("SHELL", "/bin/sh")])]
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(cloud.clouds_yaml)
        os.execvp(command[0], command)  # noqa: S606 - that is what enter is for
    return 0
