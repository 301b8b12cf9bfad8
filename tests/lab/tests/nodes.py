# SPDX-License-Identifier: Apache-2.0
"""Two machines of their own for tests of one host at a time, of both Debian releases; and how a stranger logs in."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.lab.tests import state
from ansible_collections.scs.landscape.tests.lab.tests.deploying import Controller, Done, Running, lane

HOST, SECOND = "em01-ctl-r01-u03", "em01-comp-r01-u04"
RELEASES = ("bookworm", "trixie")
#: Parameters of a fixture: one release in each run; the other as well in `make test-all`.
ONE_OF_TWO = [RELEASES[0], pytest.param(RELEASES[1], marks=pytest.mark.full)]
#: A key that no machine of the lab knows.
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti other"
#: What the machines of the lab lack of real ones.
SMALL = {"memory_gib": 1, "cpus": 1, "disks": 0, "firmware": "any", "cpu_flags": [], "cpu_flags_any": []}


@contextlib.contextmanager
def machines(release: str, purpose: str, *names: str) -> Iterator[Lab]:
    """Machines in a lane of their own, gone afterwards."""
    lab = Lab(lane(f"{purpose}-{release}"), release=release)
    lab.up(only=names)
    try:
        yield lab
    finally:
        lab.down()


class Site:
    """A controller and its machines; plays are written on the spot."""

    def __init__(self, lab: Lab, folder: Path, root: Path) -> None:
        self.lab, self.folder = lab, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.controller = Controller(lab, folder / "controller", root)

    def _play(self, tasks: list[dict[str, Any]], hosts: str, play: dict[str, Any]) -> Path:
        path = self.folder / "play.yml"
        text = [{"hosts": hosts, "gather_facts": False, "become": True, "tasks": tasks, **play}]
        path.write_text(json.dumps(text), encoding="utf-8")
        return path

    def run(self, *tasks: dict[str, Any], hosts: str = HOST, arguments: tuple[str, ...] = (), **play: Any) -> Done:
        """Runs tasks with their results in the output."""
        return self.controller.run(self._play(list(tasks), hosts, play), "-v", *arguments)

    def start(self, *tasks: dict[str, Any], hosts: str = HOST) -> Running:
        """Starts tasks."""
        return self.controller.start(self._play(list(tasks), hosts, {}), "-v")

    def module(self, name: str, /, *arguments: str, play: dict[str, Any] | None = None, **options: Any):
        """Runs one module on one host and returns its result."""
        done = self.run({f"scs.landscape.{name}": options}, arguments=arguments, **(play or {}))
        found = [result for _task, _host, result in done.results()]
        assert found, done.output
        return {**found[-1], "failed": bool(done.rc)}

    def login(self, *, user: str = "", port: int = 22, name: str = HOST, options: tuple[str, ...] = ()) -> str:
        """Why a new login over its own connection fails, empty when it works."""
        variables = json.loads(self.lab.inventory.read_text(encoding="utf-8"))["all"]["vars"]
        argv = ["ssh", "-o", "ControlPath=none", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", *options]
        argv += [*variables["ansible_ssh_common_args"].split(), "-i", variables["ansible_ssh_private_key_file"]]
        target = f"{user or variables['ansible_user']}@{self.lab.machine(name).address}"
        argv += ["-p", str(port), target, "sudo -n true"]
        done = self.lab.run(argv, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
        return done.stderr.strip() or "refused" if done.returncode else ""

    def logs_in_within(self, seconds: float, **how: Any) -> bool:
        """Whether a login works in time."""
        return kernel.wait_for(lambda: not self.login(**how), seconds, 0.5)

    def inside(self, *argv: str, name: str = HOST) -> str:
        """Output of a program that root runs inside the machine."""
        return self.lab.machine(name).run(list(argv)).stdout

    def state(self, name: str = HOST) -> str:
        """Digest of everything below /etc and of the package state, with modes and owners."""
        script = (
            "cd /; { find etc home root var/lib/scs-landscape -name .ansible -prune -o -printf '%p %m %u %g %l\\n'"
            " 2>/dev/null | sort; find etc home root -name .ansible -prune -o -type f -print0 | sort -z | xargs -0 sha256sum;"
            " dpkg-query -W; hostname; } | sha256sum"
        )
        return self.inside("sh", "-c", script, name=name).split()[0]

    def look(self) -> dict[str, state.Table]:
        """Every file and package of every machine; without the folder that Ansible itself makes in a home."""
        tables = state.of_all(self.lab.machines)
        return {
            name: {path: what for path, what in table.items() if not path.startswith("/home/dragon/.ansible")}
            for name, table in tables.items()
        }


def is_left_open(site: Site) -> None:
    """After a test: a login reaches the host, and nothing waits to be rolled back."""
    site.lab.disconnect_ssh()
    assert site.logs_in_within(20), site.login()
    waiting = site.inside("sh", "-c", "ls /var/lib/scs-landscape | grep rollback- || true; systemctl list-timers --all")
    assert "rollback-" not in waiting
    assert site.inside("systemctl", "is-active", "ssh.service").strip() == "active"
