# SPDX-License-Identifier: Apache-2.0
"""``make demo-docs``: the SCS lab validated and documented, in the words a newcomer would type."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "demo-docs"
CORRECTED = ROOT / "examples" / "scs-lab"
AS_DOCUMENTED = ROOT / "tests" / "unit" / "fixtures" / "scs-lab" / "as-documented"


@dataclass(frozen=True)
class Run:
    """One playbook of the demonstration."""

    title: str
    playbook: str
    variables: dict[str, object]
    report: Path | None = None


RUNS = (
    Run(
        "The lab as its own documents state it",
        "lab_validate",
        {
            "lab_validate_src": [str(AS_DOCUMENTED / "landscape")],
            "lab_validate_observed": [str(AS_DOCUMENTED / "observed")],
            "lab_validate_fail_on": "never",
            "lab_validate_reports": [str(BUILD / "as-documented.json"), str(BUILD / "as-documented.html")],
        },
        BUILD / "as-documented.json",
    ),
    Run(
        "The lab as corrected in examples/scs-lab",
        "lab_validate",
        {
            "lab_validate_src": [str(CORRECTED)],
            "lab_validate_observed": [str(CORRECTED / "_observed")],
            "lab_validate_fail_on": "info",
            "lab_validate_reports": [str(BUILD / "report.json"), str(BUILD / "report.html")],
        },
        BUILD / "report.json",
    ),
    Run("Its documentation", "lab_docs", {"lab_docs_src": [str(CORRECTED)], "lab_docs_dest": str(BUILD / "docs")}),
)


def play(run: Run) -> float:
    """Runs the playbook; seconds it took."""
    started = time.monotonic()
    command = ["ansible-playbook", f"scs.landscape.{run.playbook}", "-e", json.dumps(run.variables)]
    print(f"\n== {run.title}\n$ ansible-playbook scs.landscape.{run.playbook} -e ...", flush=True)
    environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise SystemExit(f"{run.playbook} failed; what it said stands above")
    return time.monotonic() - started


def summary(run: Run, seconds: float) -> str:
    """One line of the summary."""
    if run.report is None:
        pages = sum(path.suffix == ".md" for path in (BUILD / "docs").rglob("*"))
        pictures = sum(path.suffix == ".svg" for path in (BUILD / "docs").rglob("*"))
        return f"  {run.title + ':':<45} {pages} pages, {pictures} pictures in {seconds:.0f} s"
    facts = json.loads(run.report.read_text(encoding="utf-8"))["facts"]
    found = ", ".join(f"{facts[name]} {name.lower()}" for name in ("Errors", "Warnings", "Infos", "Waived"))
    return f"  {run.title + ':':<45} {found}"


def main() -> int:
    """Runs everything and says where to look."""
    BUILD.mkdir(parents=True, exist_ok=True)
    lines = [summary(run, play(run)) for run in RUNS]
    print("\n== Summary", *lines, sep="\n")
    print(f"\n  What is wrong with it:  {BUILD / 'as-documented.html'}")
    print(f"  The corrected lab:      {BUILD / 'report.html'}")
    print(f"  Documentation:          {BUILD / 'docs' / 'index.md'}")
    opener = shutil.which("xdg-open")
    if opener and sys.stdout.isatty() and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        subprocess.Popen([opener, str(BUILD / "report.html")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
