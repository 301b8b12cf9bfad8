# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A run of a playbook: its name, its time, and the lock that keeps a second one away.

The lock belongs to the process of ``ansible-playbook`` and lives beside the records of the runs: when that process ends,
however it ends, the lock is over.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import re
import secrets
from typing import Any, Callable

from ..core import lock
from ..core.errors import InputError, LandscapeError, LockedError

#: Seconds after which a run on another controller counts as gone.
LONGEST_RUN = 4 * 3600.0
_ANSIBLE = re.compile(rb"(^|/)(ansible|ansible-playbook|ansible-runner|ansible-console|molecule)$")


def default_folder() -> str:
    """Where runs are remembered: ``$XDG_STATE_HOME/scs-landscape`` or ``~/.local/state/scs-landscape``."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "scs-landscape")


def lock_path(folder: str, sources: list[str]) -> str:
    """The lock of a landscape: two paths to the same files have the same one."""
    named = "\n".join(sorted(os.path.realpath(os.path.expanduser(path)) for path in sources))
    return os.path.join(folder, f"deploy-{hashlib.sha256(named.encode()).hexdigest()[:12]}.lock")


def playbook_process(pid: int | None = None, proc: str = "/proc") -> int:
    """The process of ``ansible-playbook`` that a module on the controller belongs to; its own parent when it is not found."""
    current = start = os.getppid() if pid is None else pid
    found = 0
    for _generation in range(16):
        if current <= 1:
            break
        if any(_ANSIBLE.search(word) for word in _command(current, proc)[:3]):
            found = current
        elif found:
            break
        current = _parent(current, proc)
    return found or start


def _command(pid: int, proc: str) -> list[bytes]:
    with contextlib.suppress(OSError), open(os.path.join(proc, str(pid), "cmdline"), "rb") as stream:
        return stream.read(4096).split(b"\0")
    return []


def _parent(pid: int, proc: str) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open(os.path.join(proc, str(pid), "stat"), "rb") as stream:
            # The name stands in parentheses and may hold anything; the parent is the second field behind it.
            return int(stream.read(4096).rpartition(b")")[2].split()[1])
    return 0


def begin(
    playbook: str, folder: str, sources: list[str], *, hold: bool, now: Callable[[], datetime.datetime]
) -> dict[str, Any]:
    """Starts a run.

    :param hold: take the lock; a run that only looks leaves it alone.
    :raises LockedError: another run of the same landscape is under way.
    """
    started = now()
    name = f"{started:%Y-%m-%dT%H-%M-%S}-{playbook}-{secrets.token_hex(2)}"
    run = {"id": name, "playbook": playbook, "started": started.timestamp(), "lock": "", "token": ""}
    if hold:
        path = lock_path(folder, sources)
        try:
            os.makedirs(folder, exist_ok=True)
            run["token"] = lock.take(path, playbook, pid=playbook_process(), seconds=LONGEST_RUN)
        except LockedError as error:
            raise LockedError(
                f"Another deployment of this landscape is under way: {error.message}",
                hint="Wait for it to end, then run again; nothing was changed",
            ) from error
        except OSError as error:
            raise LandscapeError(f"The lock {path} cannot be taken: {error.strerror or error}") from error
        run["lock"] = path
    return run


def end(run: Any) -> bool:
    """Ends a run: gives its lock back. Whether there was one.

    :raises InputError: ``run`` is not what :func:`begin` gave.
    """
    if not isinstance(run, dict) or "id" not in run:
        raise InputError(f"The run is {json.dumps(run, default=str)[:80]}, not what the start of a run returned")
    if not run.get("lock"):
        return False
    try:
        return lock.give_back(str(run["lock"]), str(run.get("token", "")))
    except OSError as error:
        raise LandscapeError(f"The lock {run['lock']} cannot be given back: {error.strerror or error}") from error
