# SPDX-License-Identifier: Apache-2.0
"""``make demo``: thirteen machines on this one, deployed with the command an operator would type; ``make demo-down`` ends them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

from ..lab.hosts import Lab
from .console import Unavailable, say
from .paths import REPO

#: With ``SCS_LANE`` a second demo runs beside the first.
LANE = "-".join(filter(None, ["demo", os.environ.get("SCS_LANE")]))
BUILD = REPO / "build" / LANE
LANDSCAPE = REPO / "examples" / "embedded"
#: Tasks that say nothing to somebody who watches.
_QUIET = (
    "Validating arguments",
    "Include the role",
    "Look at the clock",
    "Leave out",
    "Show the summary",
    "Fail where",
)


def command(lab: Lab) -> list[str]:
    """What an operator would type, entered into the network of the machines."""
    source = BUILD / "embedded.landscape.yml"
    source.write_text(f"plugin: scs.landscape.landscape\nsrc: [{LANDSCAPE}]\n", encoding="utf-8")
    variables = {
        "lab_deploy_src": [str(LANDSCAPE)],
        "lab_docs_dest": str(BUILD / "docs"),
        "lab_report_dest": str(BUILD / "runs"),
    }
    inventories = ["-i", str(source), "-i", str(lab.inventory)]
    program = ["ansible-playbook", *inventories, "-e", json.dumps(variables), "scs.landscape.lab_deploy"]
    return [*lab.entering(), *program]


def environ() -> dict[str, str]:
    """Settings that belong into an operator's ansible.cfg."""
    return {
        **os.environ,
        "PWD": str(BUILD),
        "ANSIBLE_FORKS": "13",
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
    }


def shown(lines: Iterator[str]) -> Iterator[str]:
    """Of all that Ansible says: the tasks, what went wrong, and the recap."""
    recap = False
    for line in lines:
        recap = recap or line.startswith("PLAY RECAP")
        if recap:
            yield line.rstrip()
        elif line.startswith("TASK [") and not any(word in line for word in _QUIET):
            yield "  " + line[len("TASK [") :].rpartition("]")[0].replace("scs.landscape.", "")
        elif line.startswith(("fatal:", "failed:")):
            yield "    " + line.rstrip()[:400]


def deploy(lab: Lab) -> int:
    """Runs the playbook and shows what it does; its exit code."""
    log = BUILD / "deploy.log"
    say(f"ansible-playbook scs.landscape.lab_deploy (everything it says: {log})")
    with (
        open(log, "w", encoding="utf-8") as record,
        subprocess.Popen(
            command(lab),
            cwd=BUILD,
            env=environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None

        def recorded(stream: Iterator[str]) -> Iterator[str]:
            for line in stream:
                record.write(line)
                yield line

        for line in shown(recorded(iter(process.stdout))):
            say(line) if line.startswith("  ") and not line.startswith("   ") else print(line, flush=True)
    if process.returncode and not (BUILD / "runs" / "latest").exists():
        sys.stdout.write(log.read_text(encoding="utf-8")[-4000:])
    return process.returncode


def summary(began: float) -> None:
    """The last run, in the words of its report, and where to look further."""
    latest = (BUILD / "runs" / "latest").resolve()
    text = latest / "report.txt"
    if not text.exists() or text.stat().st_mtime < began:
        print(f"\nThe run ended before its report; what it said is in {BUILD / 'deploy.log'}")
        return
    print("\n" + text.read_text(encoding="utf-8"))
    report = latest / "report.html"
    print(f"  Report:         {report}")
    print(f"  Documentation:  {BUILD / 'docs' / 'index.md'}")
    print(f"  Look inside:    python3 -B -m tests.lab enter --lane {LANE} -- bash   (the machines stay up)")
    print("  Run it again:   make demo          End it: make demo-down")
    opener = shutil.which("xdg-open")
    if opener and sys.stdout.isatty() and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        subprocess.Popen([opener, str(report)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main(arguments: list[str]) -> int:
    """Starts the machines and deploys them; with ``down`` ends them."""
    try:
        lab = Lab(LANE, LANDSCAPE)
        if arguments == ["down"]:
            lab.down()
            say("the machines are gone")
            return 0
        BUILD.mkdir(parents=True, exist_ok=True)
        began = time.time()
        lab.up()
        code = deploy(lab)
    except Unavailable as reason:
        print(f"The demo cannot run here: {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped; a second `make demo` goes on, `make demo-down` ends the machines", file=sys.stderr)
        return 130
    summary(began)
    say(f"done after {time.time() - began:.0f} s")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
