# SPDX-License-Identifier: Apache-2.0
"""Runs playbooks of the collection against machines of the lab, as a person does, and lets tests interrupt them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.tools import svg_check
from ansible_collections.scs.landscape.tests.tools.paths import REPO, digest

PROGRAMS = Path(sys.executable).parent
#: Seconds a deploy may take before the test calls it hung.
PATIENCE = 240.0
#: One machine of each kind: what `make test` looks at where `make test-all` looks at all thirteen.
KINDS = (
    "em01-jump-r01-u02",
    "em01-ctl-r01-u03",
    "em01-comp-r01-u04",
    "em01-leaf-r01-u38",
    "em01-oob-r01-u40",
    "em01-spine-r01-u41",
)
_RESULT = re.compile(
    r"^(?:ok|changed|fatal|skipping): \[(?P<host>[^\] ]+)[^\]]*\](?:: [A-Z]+!)? => (?P<result>\{.*\})$"
)


def lane(purpose: str) -> str:
    """A name for a lane that no other checkout, worker of pytest-xdist or person (``SCS_LANE``) uses at the same time."""
    mine = os.environ.get("SCS_LANE") or digest(str(REPO))[:4]
    return "-".join(filter(None, [purpose, mine, os.environ.get("PYTEST_XDIST_WORKER", "")]))


@dataclass(frozen=True)
class Done:
    """How a playbook ended.

    :param output: what it said, errors included.
    """

    rc: int
    output: str
    seconds: float

    def recap(self) -> dict[str, dict[str, int]]:
        """The counters of the last recap, by host."""
        _before, _title, text = self.output.rpartition("PLAY RECAP")
        lines = (line.split(" : ", 1) for line in text.splitlines()[1:] if " : " in line)
        return {
            host.strip(): {name: int(count) for name, _is, count in (part.partition("=") for part in counters.split())}
            for host, counters in lines
        }

    def results(self) -> list[tuple[str, str, dict[str, Any]]]:
        """What tasks returned: task, host, result; of a run with ``-v`` (and not more: then results span lines)."""
        found, task = [], ""
        for line in self.output.splitlines():
            if line.startswith(("TASK [", "RUNNING HANDLER [")):
                task = line.partition("[")[2].rpartition("]")[0]
            elif match := _RESULT.match(line):
                with contextlib.suppress(ValueError):
                    found.append((task, match["host"], json.loads(match["result"])))
        return found

    def plans(self) -> dict[str, list[dict[str, Any]]]:
        """Plans with something in them, by host, each once."""
        found: dict[str, list[dict[str, Any]]] = {}
        for _task, host, result in self.results():
            plan = result.get("plan")
            if isinstance(plan, dict) and plan.get("steps") and plan not in found.setdefault(host, []):
                found[host].append(plan)
        return found

    def changed(self) -> dict[str, int]:
        """Hosts that something was changed on."""
        return {host: counters["changed"] for host, counters in self.recap().items() if counters["changed"]}


class Controller:
    """A folder on the controller from which playbooks are run, with the landscape as inventory and the lab behind it.

    :param folder: temporary; reports and caches of Ansible land in it.
    :param landscape: another landscape than the lab's own.
    """

    def __init__(self, lab: Lab, folder: Path, root: Path, landscape: Path | None = None) -> None:
        self.lab, self.folder, self.root = lab, folder, root
        self.landscape = landscape or lab.landscape
        self.folder.mkdir(parents=True, exist_ok=True)
        self.source = folder / "lab.landscape.yml"
        self.source.write_text(f"plugin: scs.landscape.landscape\nsrc: [{self.landscape}]\n", encoding="utf-8")

    def environ(self, **more: str) -> dict[str, str]:
        """Without what the caller's shell may have set for Ansible."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHONPATH"))}
        return {
            **kept,
            "ANSIBLE_COLLECTIONS_PATH": str(self.root),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
            "ANSIBLE_FORKS": "13",
            "TMPDIR": str(self._temporary()),
            "XDG_STATE_HOME": str(self.folder / "state"),
            **more,
        }

    @property
    def reports(self) -> Path:
        """Where deploys leave their reports: a folder each, and ``latest``."""
        return self.folder / "reports"

    def report(self) -> dict[str, Any]:
        """The last report, as data."""
        return dict(json.loads((self.reports / "latest/report.json").read_text(encoding="utf-8")))

    def _temporary(self) -> Path:
        folder = self.folder / "tmp"
        folder.mkdir(exist_ok=True)
        return folder

    def argv(self, playbook: str | Path, *arguments: str, variables: dict[str, Any] | None = None) -> list[str]:
        """The command line, entered into the controller's network."""
        sources = {f"{name}_src": [str(self.landscape)] for name in ("lab_deploy", "lab_verify", "lab_status")}
        own = {**sources, "lab_report_dest": str(self.reports), "lab_docs_dest": str(self.folder / "docs")}
        extra = ["-e", json.dumps({**own, **(variables or {})})]
        inventories = ["-i", str(self.source), "-i", str(self.lab.inventory)]
        program = [str(PROGRAMS / "ansible-playbook"), *inventories, *extra, *arguments, str(playbook)]
        return [*self.lab.entering(), *program]

    def start(self, playbook: str | Path, *arguments: str, **options: Any) -> Running:
        """Starts a playbook in a process group of its own."""
        environ = self.environ(**options.pop("environ", {}))
        return Running(self.argv(playbook, *arguments, **options), self.folder, environ)

    def run(self, playbook: str | Path, *arguments: str, seconds: float = PATIENCE, **options: Any) -> Done:
        """Runs a playbook to its end."""
        with self.start(playbook, *arguments, **options) as running:
            return running.wait(seconds)


def pictures_of(run: Path) -> list[str]:
    """The pictures in the report of a run: the network, and the management network.

    :raises AssertionError: a text leaves its box, overlaps another one, or there are not two.
    """
    found = re.findall(r"<svg.*?</svg>", (run / "report.html").read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 2
    assert [problem for drawn in found for problem in svg_check.problems(drawn)] == []
    return found


def cables_of(drawn: str) -> set[str]:
    """The colours of the cables of a picture."""
    group = drawn.partition('<g id="cables"')[2].partition("</g>")[0]
    return set(re.findall(r'<path[^>]* stroke="(#[0-9a-f]{6})"', group))


def limit(*names: str) -> tuple[str, str]:
    """Arguments that leave all other machines out."""
    return "--limit", ",".join(names)


def sample(lab: Lab) -> tuple[str, ...]:
    """Machines of :data:`KINDS`; all with ``SCS_FULL``."""
    return tuple(lab.wiring.machines) if os.environ.get("SCS_FULL") else KINDS


def renew(lab: Lab, *names: str) -> None:
    """Machines as they were when they were installed; all when no name is given."""
    chosen = names or tuple(lab.machines)
    lab.stop(*chosen)
    lab.start(*chosen)


class Running:
    """A playbook that runs; leaving the block ends it and what it started."""

    def __init__(self, argv: list[str], folder: Path, environ: dict[str, str]) -> None:
        self.log = folder / f"output-{time.monotonic_ns()}"
        self.started = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                argv,
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_reason: object) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait(timeout=10)

    def signal(self, number: signal.Signals) -> None:
        """To the whole group, as a terminal does with Ctrl-C."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def end(self, number: signal.Signals, seconds: float = 90.0) -> int:
        """Its exit code after a signal; who presses Ctrl-C and sees nothing happen presses it again.

        :raises AssertionError: it did not end in time; with what it said last.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self.process.wait(timeout=15)
        raise AssertionError(f"not ended {seconds:.0f} s after {number.name}:\n{self.output[-3000:]}")

    @property
    def output(self) -> str:
        """What it said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait(self, seconds: float = PATIENCE) -> Done:
        """Waits for its end.

        :raises AssertionError: it did not end in time; with what it said last.
        """
        try:
            rc = self.process.wait(timeout=max(1.0, self.started + seconds - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not done after {seconds:.0f} s:\n{self.output[-3000:]}") from None
        return Done(rc, self.output, time.monotonic() - self.started)
