# SPDX-License-Identifier: Apache-2.0
"""Demos: what is started, the playbook as somebody watches it, a summary; and the end of it all."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .console import Unavailable, say
from .process import waited_for

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
        waited_for(process),
    ):
        assert process.stdout is not None

        def recorded(stream: Iterator[str]) -> Iterator[str]:
            for line in stream:
                record.write(line)
                yield line

        for line in shown(recorded(iter(process.stdout))):
            say(line) if line.startswith("  ") and not line.startswith("   ") else print(line, flush=True)
        return process.wait()


@dataclass(frozen=True)
class Demo:
    """A target of make that starts something, deploys it and shows it, and its twin that ends it.

    :param target: its name; the twin's has ``-down``.
    :param what: what was started, for a sentence of two: "the machines are", "the cloud is".
    :param play: runs the playbook; its exit code.
    :param summary: shows what there is now; gets the time of the clock at the start.
    """

    target: str
    what: str
    build: Path
    up: Callable[[], object]
    down: Callable[[], object]
    play: Callable[[], int]
    summary: Callable[[float], None]

    def main(self, arguments: Sequence[str]) -> int:
        """Starts and shows; with ``down`` ends. Its exit code is the playbook's."""
        try:
            if list(arguments) == ["down"]:
                self.down()
                say(f"{self.what} gone")
                return 0
            self.build.mkdir(parents=True, exist_ok=True)
            began = time.time()
            self.up()
            code = self.play()
        except Unavailable as reason:
            print(f"The demo cannot run here: {reason}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print(
                f"\nStopped; a second `make {self.target}` goes on, `make {self.target}-down` ends it", file=sys.stderr
            )
            return 130
        self.summary(began)
        say(f"done after {time.time() - began:.0f} s")
        return code
