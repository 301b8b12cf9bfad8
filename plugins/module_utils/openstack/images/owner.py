# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Who works on an unfinished image, and whether that one still lives."""

from __future__ import annotations

import datetime
import os
import time
from typing import Callable

#: Seconds after which an import that another controller began, and that shows no change, counts as given up.
ABANDONED = 3600.0
#: Mark of an image that failed and is kept because its id cannot be used again.
NOBODY = "nobody 0 0"


def mark() -> str:
    """Who imports: machine, process and time, so that another run knows whether that one still lives."""
    return f"{_machine()} {os.getpid()} {started(os.getpid())} {int(time.time())}"


def _machine() -> str:
    """Where the number of a process means something: this machine since it started, and this container of it."""
    name = os.uname().nodename
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
            boot = stream.read().strip()
        return f"{name}/{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return name


def same(one: str, other: str) -> bool:
    """Whether two marks are of one run; their times may differ."""
    return bool(one) and one.split(" ")[:3] == other.split(" ")[:3]


def started(pid: int) -> str:
    """When a process of this machine began, in the kernel's ticks (proc(5), field 22); empty when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
            return stream.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def lives(state: str, updated: str, now: Callable[[], float] = time.time) -> bool:
    """Whether the run that an unfinished image names still works on it.

    :param state: its mark.
    :param updated: when the image was last changed, as the service says it.
    """
    machine, _space, rest = state.partition(" ")
    pid, _space, began = rest.partition(" ")
    if state == NOBODY:
        return False
    if machine == _machine() and pid.isdigit():
        # The same process may do several tasks, one after the other, so it is not a rival of itself.
        return int(pid) != os.getpid() and started(int(pid)) == (began.partition(" ")[0] or "gone")
    try:
        changed = datetime.datetime.fromisoformat(updated.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return False
    # Those who work on a volume write their mark anew now and then; a mark's last word is the time at which it was written.
    written = state.rpartition(" ")[2]
    return now() - max(changed, float(written) if written.isdigit() else 0.0) < ABANDONED
