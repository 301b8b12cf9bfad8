# SPDX-License-Identifier: Apache-2.0
"""``python3 -B -m tests.lab ceph``: the cluster from the command line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from ...tools.console import Unavailable
from .cluster import CephCluster
from .layout import Layout


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -B -m tests.lab ceph", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "up": "start the cluster and wait until its data is clean",
        "down": "end it and leave nothing",
        "status": "print what runs, as JSON",
        "run": "run a command on the first host, as root",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--lane", default="demo", help="lanes run side by side (default: %(default)s)")
        command.add_argument("--osds", type=int, choices=(0, 1, 2), default=1, help="OSDs on each of the three hosts")
        command.add_argument("--mds", action="store_true", help="a file system and its metadata server too")
        command.add_argument("--no-rgw", dest="rgw", action="store_false", help="no object gateway")
        command.add_argument("--lvm", type=int, choices=range(4), default=0, help="more hosts, with OSDs on volumes")
        command.add_argument("--lvm-osds", type=int, choices=(1, 2, 3), default=1, help="OSDs on each of those")
        command.add_argument("--dmcrypt", action="store_true", help="OSDs on volumes are encrypted")
        command.add_argument("--separate-db", action="store_true", help="with databases on one more disk")
        if name == "run":
            command.add_argument("argv", nargs=argparse.REMAINDER, help="the command, behind --")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Runs one command; 0 when it did what it says, 2 when this machine does not permit it."""
    chosen = _parser().parse_args(arguments)
    volumes = {name: getattr(chosen, name) for name in ("lvm", "lvm_osds", "dmcrypt", "separate_db")}
    try:
        layout = Layout(osds=chosen.osds, rgw=chosen.rgw, mds=chosen.mds, **volumes)
        return _run(CephCluster(chosen.lane, layout), chosen)
    except Unavailable as error:
        print(f"The lab cannot do that: {error}", file=sys.stderr)
        return 2


def _run(cluster: CephCluster, chosen: argparse.Namespace) -> int:
    if chosen.command == "up":
        cluster.up()
        print(cluster.conf)
    elif chosen.command == "down":
        cluster.down()
    elif chosen.command == "status":
        print(json.dumps(cluster.status(), indent=1))
    else:
        argv = chosen.argv[1:] if chosen.argv[:1] == ["--"] else chosen.argv
        done = cluster.run(argv, check=False)
        print(done.stdout, end="")
        print(done.stderr, end="", file=sys.stderr)
        return done.returncode
    return 0
