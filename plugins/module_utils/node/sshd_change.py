# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Changes the SSH server so that nobody is locked out: judge, arm, write, reload, look, and wait for a proof."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import InputError, LandscapeError
from ..core.plan import Plan, Step
from ..core.record import RunRecord
from . import facts, sshd
from .client import Host
from .guard import Guard
from .model import FileState
from .tables import RECORD_FOLDER

OWNER = "sshd_dropin"


@dataclass
class Outcome:
    """What was planned and done.

    :param token: confirms the change; empty when nothing waits for a confirmation.
    :param prove: ports on which a login has to be proven.
    """

    plan: Plan
    steps_done: int = 0
    token: str = ""
    prove: list[int] = field(default_factory=list)
    before: str = ""
    after: str = ""
    rolled_back: bool = False
    warnings: list[str] = field(default_factory=list)


@dataclass
class Change:
    """One drop-in file of one host.

    :param settings: what it shall say; ``None`` takes it away.
    """

    host: Host
    name: str
    settings: Mapping[str, Any] | None = None
    seconds: int = 120

    def __post_init__(self) -> None:
        sshd.check(self.name, self.settings or {})
        if not self.host.is_root():
            raise InputError("sshd_dropin changes the SSH server and needs root", hint="Set become: true")
        self.file = f"{self.name}.conf"
        self.path = f"{sshd.FOLDER}/{self.file}"
        self.guard = Guard(self.host, "sshd")
        self.unit = facts.platform(self.host).ssh_unit
        self.main = self.host.text(sshd.MAIN)
        self.others = {
            name: self.host.text(f"{sshd.FOLDER}/{name}")
            for name in self.host.names(sshd.FOLDER)
            if name != self.file and not name.endswith(".scs-landscape")
        }

    @property
    def reload(self) -> list[str]:
        """Command that makes the server read its files anew, without ending any connection."""
        if self.host.exists("/run/systemd/system"):
            return ["systemctl", "reload", self.unit]
        return ["kill", "-HUP", self.host.text("/run/sshd.pid").strip() or "0"]

    def _texts(self, ours: str | None) -> str:
        return sshd.compose(self.main, {**self.others, **({self.file: ours} if ours is not None else {})})

    def _effective(self, ours: str | None) -> dict[str, list[str]]:
        return self._print(self._texts(ours))

    def _print(self, text: str) -> dict[str, list[str]]:
        code, said = self.host.ask([self._program, "-T", "-f", "{}"], text)
        if code:
            raise InputError(f"sshd does not accept its configuration: {said}", hint="Nothing was changed")
        return sshd.effective(said)

    @property
    def _program(self) -> str:
        # sshd insists on being called by its full path.
        return next((path for path in ("/usr/sbin/sshd", "/usr/bin/sshd") if self.host.exists(path)), "/usr/sbin/sshd")

    def plan(self) -> tuple[Plan, str | None, str | None]:
        """The plan, the text while it is not proven, and the final text.

        :raises InputError: sshd does not accept it, another file decides otherwise, or the folder is not included.
        """
        current = self.host.read(self.path)
        final = sshd.render(self.settings) if self.settings is not None else None
        if final is not None and not sshd.includes(self.main, self.file):
            raise InputError(
                f"{sshd.MAIN} does not include {sshd.FOLDER}/*.conf", hint="Put the Include line at its beginning"
            )
        old = self._effective(current.content if current else None)
        new = self._effective(final)
        if self.settings:
            wrong = sshd.unmet(self.settings, self._print(sshd.render(self.settings)), new)
            if wrong:
                raise InputError(
                    f"Another file of the SSH server decides otherwise: {'; '.join(wrong)}",
                    hint=f"The first value wins: choose a name that sorts before {min(self.others, default='it')}",
                )
        staged = self._staged(final, old, new)
        return self._steps(current, final, old, new), staged, final

    def _staged(self, final: str | None, old: Mapping[str, list[str]], new: Mapping[str, list[str]]) -> str | None:
        """The text while old ports are still open: nothing is closed before the new way in is proven."""
        closing = [port for port in old.get("port", []) if port not in new.get("port", [])]
        if not closing:
            return final
        ports = [int(port) for port in dict.fromkeys([*new.get("port", []), *closing])]
        return sshd.render(sshd.with_ports(self.settings or {}, ports))

    def _steps(
        self, current: FileState | None, final: str | None, old: Mapping[str, list[str]], new: Mapping[str, list[str]]
    ) -> Plan:
        waiting = bool(self.guard.armed())
        if (current.content if current else None) == final and not waiting:
            return Plan()
        undo = f"by itself after {self.seconds} s without a proof"
        before, after = (digest(current.content) if current else None), digest(final) if final is not None else None
        action = "create" if current is None else "update" if final is not None else "delete"
        steps = [Step(action, f"file {self.path}", before, after, undo=undo), Step("reload", self.unit, undo=undo)]
        ports = ", ".join(new.get("port", []))
        steps.append(Step("prove", "login", gate=f"a new SSH connection on port {ports}, with a key"))
        closing = [port for port in old.get("port", []) if port not in new.get("port", [])]
        if closing:
            steps.append(Step("close", f"port {', '.join(closing)}", undo=undo))
        return Plan(tuple(steps))

    def apply(self, *, check: bool, patience: float = 10.0) -> Outcome:
        """Writes and reloads; the change is undone by itself unless it is confirmed.

        :raises LandscapeError: the server did not come back; then the old file is in place again.
        """
        plan, staged, final = self.plan()
        current = self.host.text(self.path)
        outcome = Outcome(plan, before=current, after=final or "")
        record = RunRecord(self.host.at(RECORD_FOLDER), OWNER)
        if check or not (plan or record.is_locked()):
            return outcome
        problems = self.host.obstacles([self.path, f"{RECORD_FOLDER}/x"], 64 * 1024)
        if problems:
            raise InputError("; ".join(problems), hint="Nothing was changed")
        os.makedirs(record.folder, 0o700, exist_ok=True)
        with record.locked(patience=patience):
            # Another run may have been faster while we waited.
            outcome.plan, staged, final = self.plan()
            if not outcome.plan:
                return outcome
            outcome.token = self.guard.arm([self.path], [self.reload], self.seconds)
            record.save({"name": self.name, "final": final, "staged": staged})
            ports = [int(port) for port in self._effective(staged).get("port", [])]
            self._put(staged, ports, outcome.token)
        outcome.prove = [int(port) for port in self._effective(final).get("port", [])]
        outcome.steps_done = 2
        return outcome

    def _put(self, text: str | None, ports: list[int], token: str) -> None:
        try:
            if text is None:
                self.host.remove(self.path)
            else:
                self.host.write(self.path, text, 0o600, None, None)
            done = self.host.run(self.reload, 60)
            silent = [port for port in ports if not self.host.greets(port)]
            if done.code or silent:
                why = done.reason if done.code else f"nobody answers on port {', '.join(map(str, silent))}"
                raise LandscapeError(f"The SSH server did not take the change: {why}")
        except LandscapeError as error:
            self.guard.roll_back(token)
            raise LandscapeError(f"{error.message}. The old configuration is back", hint=error.hint) from error

    def confirm(self, token: str, *, check: bool) -> Outcome:
        """Keeps the change, after a login was proven; closes ports that are not wanted any more.

        :raises LandscapeError: it was undone already.
        """
        state, record = self.guard.armed(), RunRecord(self.host.at(RECORD_FOLDER), OWNER)
        if not state or (token and state.get("token") != token):
            raise LandscapeError(
                "There is no SSH change that waits for a confirmation: it was confirmed before, or rolled back in time",
                hint="Run the change again",
            )
        known = record.load()
        self.path = f"{sshd.FOLDER}/{known.get('name', self.name)}.conf"
        self.file = os.path.basename(self.path)
        self.others.pop(self.file, None)
        final = known.get("final")
        steps = (Step("confirm", f"file {self.path}"),)
        if check:
            return Outcome(Plan(steps))
        if known.get("staged") != final:
            ports = [int(port) for port in self._effective(final).get("port", [])]
            self._put(final, ports, state["token"])
        if not self.guard.confirm(state["token"]):
            raise LandscapeError("The time was over: the SSH change was rolled back", hint="Run the change again")
        return Outcome(Plan(steps), 1)

    def roll_back(self, token: str, *, check: bool) -> Outcome:
        """Undoes a change that is not confirmed, at once."""
        waiting = bool(self.guard.armed())
        steps = (Step("roll back", f"file {self.path}"),) if waiting else ()
        if check or not waiting:
            return Outcome(Plan(steps))
        done = self.guard.roll_back(token)
        return Outcome(Plan(steps), int(done), rolled_back=done)


def digest(text: str) -> str:
    """Twelve digits that tell texts apart."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]
