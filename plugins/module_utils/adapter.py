# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The only file of module_utils that knows Ansible: result shape, check mode, errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

from .core.errors import LandscapeError
from .core.plan import Plan


@dataclass
class Result:
    """What every module returns.

    :param changed: whether something was (or, in check mode, would be) changed.
    :param values: the object of the module, under its own keys.
    :param failed: the task fails with this message, but still returns everything else.
    """

    changed: bool = False
    plan: Plan = field(default_factory=Plan)
    diff: Any = field(default_factory=list)
    steps_done: int = 0
    warnings: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    failed: str = ""


def run_module(argument_spec: dict[str, Any], main: Callable[[dict[str, Any], bool], Result], **rules: Any) -> None:
    """Runs ``main(params, check_mode)`` as an Ansible module and returns its result in the shape of the house.

    :param rules: further arguments of ``AnsibleModule`` (``required_one_of``, ``mutually_exclusive``...).
    """
    module = AnsibleModule(argument_spec=argument_spec, supports_check_mode=True, **rules)
    try:
        result = main(module.params, module.check_mode)
    except LandscapeError as error:
        module.fail_json(msg=str(error), **error.details)
    for warning in result.warnings:
        module.warn(warning)
    returned = {
        "changed": result.changed,
        "plan": result.plan.as_dict(),
        "diff": result.diff,
        "steps_done": result.steps_done,
        **result.values,
    }
    if result.failed:
        module.fail_json(msg=result.failed, **returned)
    module.exit_json(**returned)
