# SPDX-License-Identifier: Apache-2.0
"""``make demo``: thirteen machines on this one, deployed with the commands an operator would type; ``make demo-down`` ends them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..lab.whole import Whole
from . import plays
from .console import say
from .paths import REPO

#: With ``SCS_LANE`` a second demo runs beside the first.
LANE = "-".join(filter(None, ["demo", os.environ.get("SCS_LANE")]))
BUILD = REPO / "build" / LANE
LANDSCAPE = REPO / "examples" / "embedded"
#: In this order: hosts and switches as machines, then the fabric between them, which ends with who reaches whom.
PLAYBOOKS = ("lab_deploy", "fabric_deploy")
#: Seconds the fabric has until all must be well: less than a second, unless this machine is busy with something else.
_PATIENCE = 60
#: What their reports show.
_CONTENTS = {
    "lab_deploy": "machines and cables",
    "fabric_deploy": "switches and routers, who reaches whom",
}


def command(lab: Whole, playbook: str) -> list[str]:
    """What an operator would type, entered into the network of the machines."""
    source = BUILD / "embedded.landscape.yml"
    source.write_text(f"plugin: scs.landscape.landscape\nsrc: [{LANDSCAPE}]\n", encoding="utf-8")
    variables: dict[str, object] = {
        f"{playbook}_src": [str(LANDSCAPE)],
        "lab_docs_dest": str(BUILD / "docs"),
        "lab_report_dest": str(BUILD / "runs"),
    }
    if playbook.startswith("fabric_"):
        variables |= {f"hosts_{playbook}": ":".join([*lab.switches, *lab.hosts]), "fabric_check_timeout": _PATIENCE}
        variables["fabric_config_hold"] = 1  # nothing of this fabric ends late
    inventories = ["-i", str(source), "-i", str(lab.inventory)]
    program = ["ansible-playbook", *inventories, "-e", json.dumps(variables), f"scs.landscape.{playbook}"]
    return [*lab.entering(), *program]


def deploy(lab: Whole) -> int:
    """Runs the playbooks, until one fails, and shows what they do; the exit code of the last."""
    code = 0
    for playbook in PLAYBOOKS:
        log = BUILD / f"{playbook}.log"
        say(f"ansible-playbook scs.landscape.{playbook} (everything it says: {log})")
        code = plays.watch(command(lab, playbook), BUILD, log, {"ANSIBLE_FORKS": "13"})
        if code:
            if not any(BUILD.glob(f"runs/*-{playbook}-*")):
                sys.stdout.write(log.read_text(encoding="utf-8")[-4000:])
            break
    return code


def reports(began: float) -> dict[str, Path]:
    """Folder of the report of every playbook that ended since then."""
    found = {}
    for folder in sorted((BUILD / "runs").glob("*-*T*")):
        known = [playbook for playbook in PLAYBOOKS if f"-{playbook}-" in folder.name]
        if known and (folder / "report.txt").exists() and (folder / "report.txt").stat().st_mtime >= began:
            found[known[0]] = folder
    return {playbook: found[playbook] for playbook in PLAYBOOKS if playbook in found}


def summary(began: float) -> None:
    """What the playbooks did, in the words of their reports, and where to look further."""
    found = reports(began)
    for folder in found.values():
        print("\n" + (folder / "report.txt").read_text(encoding="utf-8").rstrip())
    for log in (BUILD / f"{playbook}.log" for playbook in PLAYBOOKS if playbook not in found):
        if log.exists() and log.stat().st_mtime >= began:
            print(f"\n{log.stem} ended before its report; what it said is in {log}")
    if not found:
        return
    print()
    for playbook, folder in found.items():
        print(f"  Report:         {folder / 'report.html'}   ({_CONTENTS[playbook]})")
    print(f"  Documentation:  {BUILD / 'docs' / 'index.md'}")
    print(f"  Look inside:    python3 -B -m tests.lab enter --lane {LANE} -- bash   (the machines stay up)")
    print("  Run it again:   make demo          End it: make demo-down")
    opener = shutil.which("xdg-open")
    if opener and sys.stdout.isatty() and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        last = str([*found.values()][-1] / "report.html")
        subprocess.Popen([opener, last], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main(arguments: list[str]) -> int:
    """Starts the machines and deploys them; with ``down`` ends them."""
    lab = Whole(LANE, LANDSCAPE)
    demo = plays.Demo("demo", "the machines are", BUILD, lab.up, lab.down, lambda: deploy(lab), summary)
    return demo.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
