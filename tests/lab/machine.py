# SPDX-License-Identifier: Apache-2.0
"""A running machine: what is inside, how to run something in it without SSH, how to end it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import kernel
from .kernel import Process

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SECONDS = 120.0


class Machine:
    """One machine of a lane that was started. ``process`` is what keeps its namespaces, and its child systemd-nspawn."""

    def __init__(self, name: str, process: Process, address: str, folder: Path) -> None:
        self.name, self.process, self.address, self.folder = name, process, address, folder

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process.alive

    @property
    def leader(self) -> int:
        """The number, as we see it, of the machine's first process; 0 when there is none.

        It is the child of systemd-nspawn, the child of our process, that has another process namespace.
        """
        ours = kernel.namespace_of(self.process.pid, "pid")
        for nspawn in kernel.children_of(self.process.pid):
            for child in kernel.children_of(nspawn):
                if kernel.namespace_of(child, "pid") not in (0, ours):
                    return child
        return 0

    @property
    def root(self) -> Path:
        """The root of its file system. Mind absolute links below it: they lead out of the machine."""
        return Path(f"/proc/{self.leader or self.process.pid}/root")

    @property
    def network(self) -> str:
        """Its network namespace."""
        return f"/proc/{self.process.pid}/ns/net"

    def run(self, argv: Sequence[str], check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside; its output is captured as text unless ``options`` say otherwise."""
        entering = self._entering({"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8"})
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": _SECONDS, **options}
        if "input" in options:
            del options["stdin"]
        done = subprocess.run([*entering, *argv], check=False, **options)
        if check and done.returncode:
            raise RuntimeError(
                f"{self.name}: {' '.join(argv)} ended with {done.returncode}: {done.stderr or done.stdout}"
            )
        return done

    def _entering(self, environment: Mapping[str, str]) -> list[str]:
        """What to put in front of a command line so that it runs inside."""
        leader = self.leader
        if not leader:
            raise RuntimeError(f"{self.name} does not run")
        enter = ["nsenter", f"--target={leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wdns=/"]
        return [*enter, "env", "-i", *(f"{name}={value}" for name, value in environment.items())]

    def members(self) -> list[int]:
        """Numbers of all its processes, those that keep it included."""
        leader = self.leader
        inside = kernel.namespace_of(leader, "pid") if leader else 0
        return [self.process.pid, *kernel.children_of(self.process.pid)] + [
            pid for pid in kernel.processes() if inside and kernel.namespace_of(pid, "pid") == inside
        ]

    def memory(self) -> float:
        """MiB of memory it takes: its processes, shared pages counted by share, and what was written to its disk."""
        total = 0.0
        for pid in self.members():
            try:
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) / 1024
            except OSError:
                continue  # it ended meanwhile
        return total + self.written()

    def written(self) -> float:
        """MiB that were written to its disk."""
        try:
            disk = os.statvfs(f"/proc/{self.process.pid}/root{self.folder}")
        except OSError:
            return 0.0
        return (disk.f_blocks - disk.f_bfree) * disk.f_frsize / 1024 / 1024

    def stop(self) -> None:
        """Pull its plug: everything in it ends at once."""
        leader = self.leader
        if leader:
            Process.of(leader).kill()
            kernel.wait_for(lambda: not self.alive, 10)
        self.process.kill()
        kernel.wait_for(lambda: not self.alive, 10)
