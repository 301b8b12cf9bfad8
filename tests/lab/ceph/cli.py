# SPDX-License-Identifier: Apache-2.0
"""``python3 -B -m tests.lab ceph``: the cluster from the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from .. import commands
from .cluster import CephCluster
from .layout import Layout


def _parser() -> argparse.ArgumentParser:
    texts = {
        "up": "start the cluster and wait until its data is clean",
        "down": "end it and leave nothing",
        "status": "print what runs, as JSON",
        "run": "run a command on the first host, as root",
    }
    parser, found = commands.parser("ceph", __doc__, texts)
    for name, command in found.items():
        command.add_argument("--osds", type=int, choices=(0, 1, 2), default=1, help="OSDs on each of the three hosts")
        command.add_argument("--mds", action="store_true", help="a file system and its metadata server too")
        command.add_argument("--no-rgw", dest="rgw", action="store_false", help="no object gateway")
        command.add_argument("--lvm", type=int, choices=range(4), default=0, help="more hosts, with OSDs on volumes")
        command.add_argument("--lvm-osds", type=int, choices=(1, 2, 3), default=1, help="OSDs on each of those")
        command.add_argument("--dmcrypt", action="store_true", help="OSDs on volumes are encrypted")
        command.add_argument("--separate-db", action="store_true", help="with databases on one more disk")
        if name == "run":
            commands.takes_words(command)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Runs one command; 0 when it did what it says, 2 when this machine does not permit it."""
    chosen = _parser().parse_args(arguments)
    volumes = {name: getattr(chosen, name) for name in ("lvm", "lvm_osds", "dmcrypt", "separate_db")}

    def run() -> int:
        layout = Layout(osds=chosen.osds, rgw=chosen.rgw, mds=chosen.mds, **volumes)
        return _run(CephCluster(chosen.lane, layout), chosen)

    return commands.guarded(run)


def _run(cluster: CephCluster, chosen: argparse.Namespace) -> int:
    if chosen.command == "up":
        cluster.up()
        print(cluster.conf)
    elif chosen.command == "down":
        cluster.down()
    elif chosen.command == "status":
        print(json.dumps(cluster.status(), indent=1))
    else:
        return commands.shown(cluster.run(commands.words(chosen), check=False))
    return 0
