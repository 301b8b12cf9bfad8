# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Action plugins whose module arms a rollback on the host: prove a second login, then confirm or roll back.

The proof is an SSH connection of its own: without the control socket of the first one, with a key and nothing else.
"""

from __future__ import annotations

import shlex
import subprocess
import time
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

#: Before every other option, because SSH takes the first value of each.
_OWN = (
    "ControlMaster=no",
    "ControlPath=none",
    "BatchMode=yes",
    "PasswordAuthentication=no",
    "KbdInteractiveAuthentication=no",
    "PreferredAuthentications=publickey",
    "ConnectTimeout=8",
)
#: Seconds for one login, and how many are tried: one lost packet must not undo a change.
_SECONDS, _TRIES = 20, 2


def command_line(connection: Any, port: int, command: list[str], alias: str = "") -> list[str]:
    """The SSH command that logs in anew as the connection did, on another port perhaps.

    :param connection: a connection plugin of the type ssh; its options say how.
    :param alias: name under which the host's key is known, where that is another one.
    """

    def option(name: str) -> Any:
        try:
            return connection.get_option(name)
        except KeyError:  # of another version of the plugin
            return None

    line = [option("ssh_executable") or "ssh"]
    own = [*_OWN, *([f"HostKeyAlias={alias}"] if alias else [])]
    if option("host_key_checking") is False:
        own.append("StrictHostKeyChecking=no")
    for text in own:
        line += ["-o", text]
    for name in ("ssh_args", "ssh_common_args", "ssh_extra_args"):
        line += shlex.split(option(name) or "")
    if option("private_key_file"):
        line += ["-i", str(option("private_key_file")), "-o", "IdentitiesOnly=yes"]
    if option("remote_user"):
        line += ["-l", str(option("remote_user"))]
    return [*line, "-p", str(port), str(option("host")), "--", shlex.join(command)]


def prove(connection: Any, port: int, command: list[str]) -> str:
    """Why a new login on a port fails, empty when it works."""
    usual, said = int(connection.get_option("port") or 22), ""
    for attempt in range(_TRIES):
        time.sleep(attempt * 2)
        # The host's key may be known under its usual port only.
        alias = f"[{connection.get_option('host')}]:{usual}" if attempt and port != usual and usual != 22 else ""
        line = command_line(connection, port, command, alias)
        try:
            done = subprocess.run(
                line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            said = f"no answer within {_SECONDS} s"
            continue
        except OSError as error:
            return f"{line[0]} cannot be started: {error.strerror}"
        if not done.returncode:
            return ""
        words = [text.strip() for text in (done.stderr or done.stdout).splitlines() if text.strip()]
        said = words[-1] if words else f"exit status {done.returncode}"
    return said


class GuardedAction(ActionBase):
    """Runs the module, proves a second login when it armed a rollback, and tells the module how that went.

    :cvar MODULE: full name of the module.
    :cvar THING: what was changed, for the message.
    """

    MODULE = ""
    THING = ""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """See :class:`ActionBase`."""
        result = super().run(tmp, task_vars)
        result.update(self._module(self._task.args, task_vars))
        if result.get("failed") or not result.get("armed") or self._connection.transport != "ssh":
            return result
        ports = result.get("prove_ports") or [int(self._connection.get_option("port") or 22)]
        result["proof"] = {str(port): prove(self._connection, port, self._command()) or "ok" for port in ports[:1]}
        failed = {port: said for port, said in result["proof"].items() if said != "ok"}
        if failed:
            return self._undo(result, failed, task_vars)
        confirmed = self._module({"state": "confirmed", "token": result["token"]}, task_vars)
        if confirmed.get("failed"):
            return {**result, **confirmed, "failed": True}
        steps = result.get("steps_done", 0) + confirmed.get("steps_done", 0)
        return {**result, "armed": False, "steps_done": steps}

    def _command(self) -> list[str]:
        """What is run over the new login: with the rights of root as well, where they need no password."""
        become = self._play_context.become and self._play_context.become_method == "sudo"
        return ["sudo", "-n", "true"] if become and not self._play_context.become_pass else ["true"]

    def _module(self, arguments: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        """Runs the module on the host."""
        result: dict[str, Any] = self._execute_module(
            module_name=self.MODULE, module_args=dict(arguments), task_vars=task_vars
        )
        return result

    def _undo(self, result: dict[str, Any], failed: dict[str, str], task_vars: Any) -> dict[str, Any]:
        reasons = "; ".join(f"port {port}: {said}" for port, said in failed.items())
        message = f"A new login failed after {self.THING} was changed ({reasons})"
        try:
            undone = self._module({"state": "rolled_back", "token": result["token"]}, task_vars)
            done = bool(undone.get("rolled_back"))
        except AnsibleError:  # the way in is gone, or the rights are
            done = False
        within = result.get("confirm_within")
        after = "The change was rolled back" if done else f"The host itself rolls the change back within {within} s"
        return {
            **result,
            "failed": True,
            "changed": not done,
            "armed": not done,
            "rolled_back": done,
            "msg": f"{message}. {after}",
        }
