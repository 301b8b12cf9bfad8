# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A change that undoes itself: armed before, confirmed after somebody has proven that the host is still reached."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import LandscapeError
from ..core.record import write_atomic
from .client import Host
from .rollback import client as rollback
from .tables import RECORD_FOLDER


@dataclass(frozen=True)
class Guard:
    """One guarded change of a host; at most one of a name at a time.

    :param name: names the state file and the timer.
    """

    host: Host
    name: str

    @property
    def state_path(self) -> str:
        """The file that says what is put back."""
        return self.host.at(self._state)

    @property
    def _state(self) -> str:
        return f"{RECORD_FOLDER}/rollback-{self.name}.json"

    @property
    def program(self) -> str:
        """What the timer starts."""
        return f"{self.state_path[:-5]}.py"

    @property
    def unit(self) -> str:
        """The timer of systemd, without its ending."""
        return f"scs-landscape-rollback-{self.name}"

    def armed(self) -> dict[str, Any]:
        """What is armed: ``token``, ``deadline``, ``files``, ``commands``; empty when nothing is."""
        text = self.host.text(self._state)
        try:
            state = json.loads(text) if text else {}
        except ValueError:
            return {}
        return state if isinstance(state, dict) else {}

    def arm(self, paths: Sequence[str], commands: Sequence[Sequence[str]], seconds: int) -> str:
        """Keeps the files as they are and starts the timer; the token that confirms.

        Where an earlier change is still armed, what was there before that one is kept on.

        :raises LandscapeError: neither systemd nor a process of our own can keep the time.
        """
        earlier, token = self.armed(), uuid.uuid4().hex
        files = {**{self.host.at(path): self._pack(path) for path in paths}, **earlier.get("files", {})}
        state = {
            "token": token,
            "deadline": int(time.time()) + seconds,
            "files": files,
            "commands": [list(command) for command in commands],
        }
        folder = os.path.dirname(self.state_path)
        program = self.program
        try:
            os.makedirs(folder, 0o700, exist_ok=True)
            write_atomic(program, inspect.getsource(rollback), mode=0o600, scratch=f"{program}.new")
            write_atomic(self.state_path, json.dumps(state), mode=0o600, scratch=f"{self.state_path}.new")
        except OSError as error:
            raise LandscapeError(
                f"{folder} cannot be written: {error.strerror or error}", hint="Nothing was changed"
            ) from error
        self._start(program, token, seconds)
        return token

    def _pack(self, path: str) -> dict[str, Any] | None:
        try:
            with open(self.host.at(path), "rb") as stream:
                return rollback.pack(stream.read(), os.fstat(stream.fileno()))
        except FileNotFoundError:
            return None

    def _start(self, program: str, token: str, seconds: int) -> None:
        self._stop()
        python = sys.executable or "/usr/bin/python3"
        line = [python, "-I", program, self.state_path, token]
        if self.host.exists("/run/systemd/system"):
            timer = ["systemd-run", "--quiet", "--collect", f"--unit={self.unit}", f"--on-active={seconds}"]
            done = self.host.run([*timer, "--timer-property=AccuracySec=1s", "--", *line])
            if not done.code:
                return
        if not self.host.start([*line, str(seconds)]):
            rollback.confirm(self.state_path, token)
            raise LandscapeError(
                "No timer could be armed that rolls the change back", hint="Nothing was changed; is systemd-run there?"
            )

    def _stop(self) -> None:
        if self.host.exists("/run/systemd/system"):
            self.host.run(["systemctl", "stop", f"{self.unit}.timer"])

    def confirm(self, token: str = "") -> bool:
        """Keeps the change; false when it was rolled back before."""
        kept = rollback.confirm(self.state_path, token)
        self._clear()
        return kept

    def roll_back(self, token: str = "") -> bool:
        """Undoes the change at once; false when there was none."""
        undone = rollback.restore(self.state_path, token)
        self._clear()
        return undone

    def _clear(self) -> None:
        if not self.armed():
            self._stop()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.program)
