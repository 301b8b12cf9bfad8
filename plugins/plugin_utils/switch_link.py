# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Action plugins for running switches: the thinking on the controller, one connection, the module sonic_switch at its end."""

from __future__ import annotations

import contextlib
import getpass
import importlib
import json
import os
import socket
import time
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.model import Unreachable
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import words

_MODULES = "ansible_collections.scs.landscape.plugins.modules"
_HAND = "scs.landscape.sonic_switch"
#: A connection to a switch that took our management address away ends after 20 s, not with TCP's patience.
_ALIVE = "-o ServerAliveInterval=5 -o ServerAliveCountMax=4"
#: What sudo says where sudoers has requiretty.
_NO_TERMINAL = "must have a tty"


def owner() -> str:
    """Who changes a switch, for those who find the lock."""
    return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"


class SwitchLink:
    """The way to one switch, over the connection of a task."""

    def __init__(self, action: SwitchAction, name: str, task_vars: Any) -> None:
        self._action, self.name, self._task_vars = action, name, task_vars

    def ask(self, call: str, **request: Any) -> dict[str, Any]:
        """One call of the module ``sonic_switch``."""
        word = words.pack({"version": words.VERSION, "call": call, **request})
        try:
            result = self._action.hand(word, self._task_vars)
        except AnsibleConnectionFailure as error:
            self._action.forget()
            raise Unreachable(f"{self.name}: {error}") from error
        except AnsibleError as error:
            self._action.forget()
            raise Unreachable(f"{self.name}: {error}") from error
        if "answer" not in result:
            self._action.forget()
            said = str(result.get("module_stderr") or result.get("msg") or "no answer").strip().splitlines()
            raise Unreachable(
                f"{self.name}: {said[-1] if said else 'no answer'}", hint="Is become: true set, and python3 there?"
            )
        answer: dict[str, Any] = words.unpack(result["answer"])
        return answer

    def renew(self) -> None:
        """The next call makes a new connection."""
        self._action.renew()

    def say(self, message: str) -> None:
        """One line for whoever waits."""
        self._action.say(message)

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)

    def now(self) -> float:
        """Seconds of a clock that nobody sets."""
        return time.monotonic()


class SwitchAction(ActionBase):
    """Checks the options of the module of the same name, then does on the controller what there is to think.

    :cvar MODULE: short name of the module, whose ``ARGUMENTS`` (and ``RULES``) say what it takes.
    """

    MODULE = ""
    TRANSFERS_FILES = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._left: list[str] = []

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """See :class:`ActionBase`."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        module = importlib.import_module(f"{_MODULES}.{self.MODULE}")
        arguments = json.loads(json.dumps(self._task.args, default=str))
        checked = ArgumentSpecValidator(module.ARGUMENTS, **getattr(module, "RULES", {})).validate(arguments)
        if checked.error_messages:
            return {**result, "failed": True, "msg": "; ".join(checked.error_messages)}
        self._set_up()
        name = str((task_vars or {}).get("inventory_hostname", "switch"))
        try:
            done = self.work(SwitchLink(self, name, task_vars), checked.validated_parameters)
        except Unreachable as error:
            if isinstance(error.__cause__, AnsibleConnectionFailure):
                raise AnsibleConnectionFailure(str(error.__cause__)) from error
            done = {"failed": True, "msg": str(error)}
        except LandscapeError as error:
            done = {"failed": True, "msg": str(error), **error.details}
        return {**result, **done}

    @abstractmethod
    def work(self, link: SwitchLink, options: dict[str, Any]) -> dict[str, Any]:
        """What the task returns."""

    def path(self, name: str) -> str:
        """A path of the controller, as playbooks mean it."""
        return os.path.join(self._loader.get_basedir(), os.path.expanduser(name))

    def hand(self, word: str, task_vars: Any) -> dict[str, Any]:
        """Runs the module on the switch; what it says is in no log of this side."""
        with self._quietly():
            given = {"module_name": _HAND, "module_args": {"request": word}, "task_vars": task_vars}
            done: dict[str, Any] = self._execute_module(**given)
            if "answer" not in done and _NO_TERMINAL in str(done.get("module_stderr")):
                self._connection.set_option("pipelining", False)  # sudo refused before anything was begun
                done = self._execute_module(**given)
            if "answer" in done:
                self._clear()
        return done

    def renew(self) -> None:
        """Closes the connection."""
        if self._connection.transport != "local":
            with contextlib.suppress(AnsibleError, AttributeError):
                self._connection.reset()

    def forget(self) -> None:
        """The folder for modules on the other side may be gone with the connection; if it is not, it holds a request."""
        shell = self._connection._shell
        if shell.tmpdir and shell.tmpdir not in self._left:
            self._left.append(shell.tmpdir)
        shell.tmpdir = None

    def _clear(self) -> None:
        """Removes the folders of calls whose connection was cut, now that there is one again."""
        shell = self._connection._shell
        for path in list(self._left):
            with contextlib.suppress(AnsibleError):
                done = self._low_level_execute_command(shell.remove(path, recurse=True), sudoable=False)
                if not done.get("rc"):
                    self._left.remove(path)

    def say(self, message: str) -> None:
        """One line for whoever waits."""
        self._display.display(f"  {message}")

    def _set_up(self) -> None:
        """Notices dead connections, and sends requests down the wire alone: a file would outlive a connection that is cut."""
        with contextlib.suppress(KeyError, AttributeError, AnsibleError):
            self._connection.set_option("pipelining", True)
        with contextlib.suppress(KeyError, AttributeError, AnsibleError):
            given = self._connection.get_option("ssh_extra_args") or ""
            self._connection.set_option("ssh_extra_args", f"{given} {_ALIVE}".strip())

    @contextlib.contextmanager
    def _quietly(self) -> Iterator[None]:
        """Says nothing of what goes over the connection, not even with -vvv: rows hold secrets."""
        contexts = [self._play_context, getattr(self._connection, "_play_context", self._play_context)]
        before = [context.no_log for context in contexts]
        for context in contexts:
            context.no_log = True
        try:
            yield
        finally:
            for context, value in zip(contexts, before):
                context.no_log = value
