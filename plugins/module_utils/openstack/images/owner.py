# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Who works on an unfinished image, and whether that one still lives."""

from __future__ import annotations

import os
import time


def mark() -> str:
    """Who imports: host, process and time, so that another run knows whether that one still lives."""
    return f"{os.uname().nodename} {os.getpid()} {started(os.getpid())} {int(time.time())}"


def started(pid: int) -> str:
    """When a process of this machine began, in the kernel's ticks (proc(5), field 22); empty when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
            return stream.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
