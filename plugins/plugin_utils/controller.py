# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The second face of modules that work on the controller: the same ``main``, without packing and starting a program.

Packing a module with its hundred files and compiling them anew takes longer than reading a landscape. Where the task
runs here, as ourselves and with our own environment, the module's ``main`` is called in Ansible's worker process;
everywhere else the module is sent as usual. Both faces return the same.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.scs.landscape.plugins.module_utils.adapter import returned
from ansible_collections.scs.landscape.plugins.module_utils.core import stream
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError

_MODULES = "ansible_collections.scs.landscape.plugins.modules"


class ControllerAction(ActionBase):
    """Calls the ``main`` of the module of the same name, whose ``ARGUMENTS`` (and ``RULES``) say what it takes.

    :cvar MODULE: short name of the module.
    """

    MODULE = ""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """See :class:`ActionBase`."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        if not self._is_ours():
            name = f"scs.landscape.{self.MODULE}"
            result.update(self._execute_module(module_name=name, task_vars=task_vars))
            return result
        module = importlib.import_module(f"{_MODULES}.{self.MODULE}")
        # The values a module would get: plain ones, without tags and laziness; vaulted text is decrypted by ``str``.
        arguments = json.loads(json.dumps(self._task.args, default=str))
        with _inside(self._loader.get_basedir()):
            result.update(_call(module, arguments, self._task.check_mode))
        return result

    def _is_ours(self) -> bool:
        """Whether the task runs on this machine, as this user, in this environment, while its caller waits."""
        changed = any(self._task.environment or []) or self._task.async_val
        return self._connection.transport == "local" and not self._play_context.become and not changed


def _call(module: ModuleType, arguments: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """What the module would return."""
    checked = ArgumentSpecValidator(module.ARGUMENTS, **getattr(module, "RULES", {})).validate(arguments)
    if checked.error_messages:
        return {"failed": True, "msg": _refusal(module.__name__.rpartition(".")[2], checked.errors)}
    try:
        result = module.main(checked.validated_parameters, check_mode)
    except LandscapeError as error:
        return {"failed": True, "msg": str(error), **error.details}
    said = {"warnings": result.warnings} if result.warnings else {}
    return {**returned(result), **said}


def _refusal(name: str, errors: Any) -> str:
    """What is wrong with the arguments, in the words of ``AnsibleModule``."""
    unknown = f"Unsupported parameters for (scs.landscape.{name}) module: "
    return (unknown if isinstance(errors[0], UnsupportedError) else "") + str(errors.msg)


@contextlib.contextmanager
def _inside(folder: str) -> Iterator[None]:
    """Works in a folder for a while: a module starts in that of the playbook, and relative paths are meant so."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


class CloudAction(ControllerAction):
    """For modules that move bytes of a cloud: only in Ansible's own process can they say how far they are."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """See :class:`ActionBase`."""
        with stream.heard_by(lambda line: Display().display(f"  {line}")):
            return super().run(tmp, task_vars)

    def _is_ours(self) -> bool:
        # The SDK may be installed for the interpreter of the task and not for Ansible's own.
        return super()._is_ours() and importlib.util.find_spec("openstack") is not None
