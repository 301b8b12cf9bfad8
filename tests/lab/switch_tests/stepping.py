# SPDX-License-Identifier: Apache-2.0
"""Stops a change at any step it goes through on a switch, so that a test can do something just there.

Every program of Python's on the switch tells its steps: files that are replaced or removed, notes of rows, programs that
are started. At one of them it waits until it may go on; nothing of the collection knows of this.
"""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.scs.landscape.tests.lab.machine import Machine
from ansible_collections.scs.landscape.tests.lab.switches import Fabric

_FOLDER = "/run/steps"
_PACKAGES = "/usr/lib/python3/dist-packages"
#: Seconds that a program waits at its step before it goes on alone.
_PATIENCE = 60
#: What runs in the switch. Daemons and the timer's own work are no steps of a change that somebody makes over SSH.
_HOOK = f"""
import os, sys, time

FOLDER, PLACES = {_FOLDER!r}, ("/var/lib/scs-landscape/", "/etc/sonic/", "/etc/systemd/system/")
OTHERS = ("bgp.service", "swss.service", "database.service", "scs-landscape-confirm")
busy = []


def label(event, args):
    if event == "subprocess.Popen":
        words = [os.path.basename(str(word)) for word in args[1] if not str(word).startswith("-")]
        return "run " + " ".join(words[: 1 if words[0] in ("vtysh", "systemd-run", "logger") else 2])
    path = os.fsdecode(args[1] if event in ("os.rename", "os.symlink") else args[0])
    if not path.startswith(PLACES) or path.endswith(".new"):
        return ""
    folder, name = os.path.split(path)
    name = {{"checkpoints": "checkpoint", "switch": f"program {{name}}"}}.get(os.path.basename(folder), name)
    if event == "open":
        writes = (args[2] or 0) & (os.O_WRONLY | os.O_RDWR)
        if name == "journal":
            return "row" if writes else ""
        return ("write " if writes else "read ") + name if name == "config_db.json" else ""
    return ("remove " if event == "os.remove" else "write ") + name


def step(event, args):
    if event not in ("os.rename", "os.symlink", "os.remove", "open", "subprocess.Popen") or busy:
        return
    busy.append(1)
    try:
        if event == "open" and not isinstance(args[0], (str, bytes)):
            return
        text = label(event, args)
        if text:
            passed(text)
    except (OSError, ValueError, IndexError):
        pass
    finally:
        busy.clear()


def passed(text):
    with open(FOLDER + "/log", "a+") as log:
        log.seek(0)
        name = f"{{text}}#{{sum(line.startswith(text + '#') for line in log) + 1}}"
        log.write(name + "\\n")
    with open(FOLDER + "/stop") as stream:
        if stream.read().strip() != name:
            return
    open(FOLDER + "/reached", "w").close()
    end = time.monotonic() + {_PATIENCE}
    while not os.path.exists(FOLDER + "/go") and time.monotonic() < end:
        time.sleep(0.02)


if os.path.exists(FOLDER + "/stop") and os.geteuid() == 0:
    with open("/proc/self/cgroup") as stream:
        if not any(name in stream.read() for name in OTHERS):
            sys.addaudithook(step)
"""


def watch(machine: Machine, stop: str = "") -> None:
    """Lets a machine tell its steps from now on, and wait at one of them: ``label#number``."""
    script = (
        f"rm -rf {_FOLDER}; mkdir {_FOLDER}; cat >{_PACKAGES}/lab_steps.py; echo 'import lab_steps' >{_PACKAGES}/lab.pth; "
        f"printf '%s' \"$0\" >{_FOLDER}/stop"
    )
    machine.run(["sh", "-c", script, stop], input=_HOOK)


def unwatch(machine: Machine) -> None:
    """No step is told any more."""
    machine.run(["rm", "-rf", _FOLDER, f"{_PACKAGES}/lab.pth", f"{_PACKAGES}/lab_steps.py"])


def passed(machine: Machine) -> list[str]:
    """The steps that a machine went through, in their order."""
    return machine.run(["cat", f"{_FOLDER}/log"]).stdout.splitlines()


def uptime() -> float:
    """Seconds of the clock that switches of the lab, which share a kernel, count their window by."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass
class Case:
    """A switch on which something happens at a step.

    :param before: its rows then, and what it had saved.
    :param at: when it was at its step, ``went`` when it was let go on, ``deadline`` the end of its window, ``end`` when nothing
        waited there any more; in seconds since the machine was started.
    """

    name: str
    step: str
    machine: Machine
    before: tuple[str, Any]
    root: Path
    at: float = 0.0
    went: float = 0.0
    deadline: float = 0.0
    end: float = 0.0
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def over(self) -> float | None:
        """Seconds between the end of its window and that nothing waited there any more; nothing when nothing ever did."""
        waited = self.went > self.deadline  # for others, until the window was over: that says nothing of the switch
        return self.end - self.deadline if self.deadline and self.end and not waited else None

    def look(self) -> None:
        """Notices whether its step is reached, and since when a change waits or does not."""
        if not self.at and (self.root / _FOLDER[1:] / "reached").exists():
            self.at = uptime()
        try:
            record = json.loads((self.root / "var/lib/scs-landscape/pending.json").read_text(encoding="utf-8"))
            self.deadline, self.end = float(record["deadline"]["uptime"]), 0.0
        except (OSError, ValueError):
            self.end = self.end or uptime()

    def go(self) -> None:
        """Lets the switch go on."""
        self.went = uptime()
        (self.root / _FOLDER[1:] / "go").touch()


def cut(fabric: Fabric, name: str, up: bool = False) -> None:
    """Takes the way between the controller and a switch down, or up again: nothing gets through, in no direction."""
    panel = fabric.panel()
    ends = sorted(panel.wiring.entries(set(panel.pids)))
    number = next(number for number, end in enumerate(ends) if end[0] == name)
    line = ["nsenter", f"--net=/proc/{panel.keeper}/ns/net", "ip", "link", "set", f"entry{number}"]
    subprocess.run([*line, "up" if up else "down"], check=True, capture_output=True, timeout=30)
