# SPDX-License-Identifier: Apache-2.0
"""``python3 -B -m tests.lab vsphere``: an ESXi or a vCenter from the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...tools.console import Unavailable
from .. import commands
from .endpoint import MODES, Vsphere


def _parser() -> argparse.ArgumentParser:
    texts = {
        "up": "start the endpoint; prints where it is and where its password lies",
        "down": "end it and leave nothing",
        "status": "print what runs, as JSON",
    }
    parser, found = commands.parser("vsphere", __doc__, texts)
    for name, command in found.items():
        command.add_argument("--mode", choices=MODES, default="esxi", help="a host alone, or a vCenter with hosts")
        if name == "up":
            command.add_argument("--description", type=Path, help="JSON file: machines and more, docs/vsphere-lab.md")
    return parser


def _described(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unavailable(f"{path} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise Unavailable(f"{path} holds no JSON object")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 0 when it did what it says, 2 when this machine does not permit it."""
    chosen = _parser().parse_args(arguments)
    return commands.guarded(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> int:
    vsphere = Vsphere(chosen.lane, chosen.mode, _described(getattr(chosen, "description", None)))
    if chosen.command == "up":
        print(json.dumps(vsphere.up(), indent=1))
    elif chosen.command == "down":
        vsphere.down()
    else:
        print(json.dumps(vsphere.status(), indent=1))
    return 0
