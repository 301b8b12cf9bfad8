# SPDX-License-Identifier: Apache-2.0
"""Both ends of the scenario, those of ``make demo-migration`` with one small machine: ``up``, ``compare``, ``down`` and a folder."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, os.getcwd())  # the checkout, where Molecule was started

from tests.lab.openstack import Cloud
from tests.tools.demo_migration import Guest, Move

LANE = f"molecule-migration-{os.environ.get('SCS_LEG', 'local').replace('.', '-')}"
WEB = Guest("web", 1, "one small disk", {2000: (16, 3)}, firmware="uefi")


def main(command: str, folder: str) -> int:
    """One of the three; what ``up`` prints last says how the network of both is entered, and what roles are told."""
    move = Move(Cloud(LANE, "compute"), Path(folder), LANE, (WEB,))
    if command == "down":
        move.down()
        return 0
    if command == "compare":
        code = move.compare()
        print("\n".join(move.verdict))
        return code
    move.down()
    move.build.mkdir(mode=0o700, parents=True, exist_ok=True)
    move.up()
    variables = move.begin()
    enter = ["env", f"OS_CLIENT_CONFIG_FILE={move.clouds}", *map(str, move.cloud.entering())]
    print(json.dumps({"enter": enter, "variables": variables}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
