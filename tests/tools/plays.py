# SPDX-License-Identifier: Apache-2.0
"""Playbooks as somebody watches them in a demo: tasks, failures and the recap; all the rest goes into a file."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .console import say

#: Tasks that say nothing to somebody who watches.
_QUIET = (
    "Validating arguments",
    "Include the role",
    "Look at the clock",
    "Leave out",
    "Show the summary",
    "Fail where",
)


#: Settings that belong into an operator's ansible.cfg.
_SETTINGS = {
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


def watch(argv: Sequence[str], folder: Path, log: Path, settings: Mapping[str, str]) -> int:
    """Runs a playbook in a folder and shows what it does; its exit code.

    :param log: gets everything the playbook says.
    """
    with (
        open(log, "w", encoding="utf-8") as record,
        subprocess.Popen(
            argv,
            cwd=folder,
            env={**os.environ, **_SETTINGS, "PWD": str(folder), **settings},
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
    return process.returncode
