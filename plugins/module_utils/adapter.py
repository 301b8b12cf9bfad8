# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The only file of module_utils that knows Ansible: result shape, check mode, errors, programs."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.validation import check_type_dict, check_type_list

from .core.errors import InputError, LandscapeError
from .core.plan import Plan
from .core.pool import Outcome, each
from .core.redact import is_secret_name
from .core.stream import say


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


#: Runs a program: ``run(argv, seconds, environment)`` gives exit status, output and errors.
Runner = Callable[[Sequence[str], float, Mapping[str, str]], tuple[int, str, str]]


def programs(module: AnsibleModule) -> Runner:
    """What runs programs for a module: without input, with our environment and what is added to it, never for ever.

    Nothing is logged. The exit status is 124 when the program was ended because it took too long, 127 when there is no
    such program and 126 when it cannot be started; then the errors say so in one sentence.
    """
    with open(os.devnull, encoding="utf-8") as nothing:
        os.dup2(nothing.fileno(), 0)  # run_command hands our own input down, which may be a terminal

    def run(argv: Sequence[str], seconds: float, environment: Mapping[str, str]) -> tuple[int, str, str]:
        limit, began = max(seconds, 0.1), time.monotonic()
        try:
            code, out, err = module.run_command(
                ["timeout", "--kill-after=2", f"{limit:.1f}", *argv],  # of coreutils: run_command has no limit
                environ_update=dict(environment),
                cwd="/",
                errors="replace",
                expand_user_and_vars=False,
                handle_exceptions=False,
            )
        except OSError as error:
            return 126, "", f"{argv[0]} cannot be started: timeout(1): {error.strerror or error}"
        # A program that does not listen to the first signal takes timeout(1) with it when it is killed.
        if code in (124, 137, -9) and time.monotonic() - began >= limit:
            return 124, out, f"{argv[0]} did not end within {seconds:.0f} s"
        return code, out, _start_failure(argv[0], err) if code in (126, 127) else err

    return run


def _start_failure(program: str, err: str) -> str:
    """What timeout(1) says of a program that it cannot start, in our words; what a program says as it is."""
    if not err.startswith("timeout: failed to run command"):
        return err
    reason = err.strip().rpartition(": ")[2]
    missing = reason == "No such file or directory"
    return f"{program} is not installed" if missing else f"{program} cannot be started: {reason}"


def returned(result: Result) -> dict[str, Any]:
    """What a task returns, but for its warnings."""
    values: dict[str, Any] = {
        "changed": result.changed,
        "plan": result.plan.as_dict(),
        "diff": result.diff,
        "steps_done": result.steps_done,
        **result.values,
    }
    return {**values, "failed": True, "msg": result.failed} if result.failed else values


def entries(params: Mapping[str, Any], option: str, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The options of each entry of a list, where a module does several of what it otherwise does one of.

    What an entry does not say, or says null to, is as the task says it.

    :param arguments: the argument specification of an entry; ``vm`` tells entries apart.
    :raises InputError: an entry is not as it should be; all of them at once, with their places.
    """
    found: list[dict[str, Any]] = []
    problems: list[str] = []
    places: dict[str, int] = {}
    for number, entry in enumerate(params[option]):
        own, texts = _own(params, entry, arguments)
        machine = str(own.get("vm", ""))
        if places.setdefault(machine, number) != number and machine:
            texts.append(f"vm {machine} is the one of {option}[{places[machine]}]")
        problems += [f"{option}[{number}]: {text}" for text in texts]
        found.append({**params, **own})
    if problems:
        raise InputError("; ".join(problems), hint=f"An entry may have {', '.join(arguments)}")
    return found


def _own(
    params: Mapping[str, Any], entry: Mapping[str, Any], arguments: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """What an entry itself says, and what is wrong with it.

    Only that is looked into: what the task says was, and would not pass twice; and what neither says has its default there.
    """
    said = {key: entry[key] for key in arguments if entry.get(key) is not None}
    missing = [key for key, one in arguments.items() if one.get("required") and params.get(key) is None]
    checked = ArgumentSpecValidator({key: arguments[key] for key in {**said, **dict.fromkeys(missing)}}).validate(said)
    unknown = [f"there is no {one} in an entry" for one in sorted(set(map(str, entry)) - set(arguments))]
    return {key: checked.validated_parameters[key] for key in said}, [*unknown, *checked.error_messages]


def written(options: Mapping[str, Any], option: str) -> list[dict[str, Any]]:
    """The entries of a list of dictionaries as Ansible will read them, as far as it can: also those that are texts."""
    found = []
    with contextlib.suppress(TypeError):
        for one in check_type_list(options.get(option) or []):
            with contextlib.suppress(TypeError):
                found.append(check_type_dict(one))
    return found


def several(
    wanted: Sequence[dict[str, Any]], work: Callable[[dict[str, Any], threading.Event], Any], parallel: int
) -> list[Outcome[dict[str, Any]]]:
    """What became of each of several entries; how many are left is said while they are worked on.

    :param wanted: of :func:`entries`.
    :param work: is given an entry, and what is set when the run ends: it is to end early then.
    """
    stop, left = threading.Event(), {one["vm"]: str(one.get("name") or one["vm"]) for one in wanted}

    def one(entry: dict[str, Any]) -> Any:
        try:
            return work(entry, stop)
        finally:
            left.pop(entry["vm"], None)

    def tick() -> None:
        names = list(left.values())
        say(f"{len(wanted) - len(names)} of {len(wanted)} machines are done, left: {', '.join(names[:5])}")

    return each(wanted, one, parallel, tick=tick, stop=stop)


def together(
    option: str, outcomes: Sequence[Outcome[dict[str, Any]]], told: Callable[[Any], dict[str, Any]], check_mode: bool
) -> Result:
    """One result of several, where the failure of one held up no other.

    :param outcomes: by the options of their entries; each value has a ``plan``, and the details of an error may say what was
        done before it (``changed``, ``steps_done``).
    :param told: what is returned of such a value.
    """
    before = [one.error.details for one in outcomes if one.error]
    steps = Plan(tuple(step for one in outcomes if one.error is None for step in one.value.plan.steps))
    values = [
        {"vm": one.item["vm"], "error": str(one.error) if one.error else None, **({} if one.error else told(one.value))}
        for one in outcomes
    ]
    return Result(
        changed=bool(steps) or any(one.get("changed") for one in before),
        plan=steps,
        diff=steps.diff(),
        steps_done=0 if check_mode else len(steps) + sum(one.get("steps_done", 0) for one in before),
        values={option: values},
        failed="\n".join(str(one.error) for one in outcomes if one.error),
    )


class _Module(AnsibleModule):  # type: ignore[misc]
    """A module whose ``raw`` options may hold secrets, at any depth, beside what is none.

    ``no_log`` of such an option would hide every word of it in all that is returned: the name of a cloud, ``public``...

    :param hides: gives further texts that must not be shown, for the options as they were written.
    """

    def __init__(self, hides: Callable[[dict[str, Any]], Iterable[str]], **options: Any) -> None:
        self._hides = hides
        super().__init__(**options)

    def _load_params(self) -> None:
        # Here and not later: options that are refused, and what is logged about the call, would already show them.
        super()._load_params()
        for name, option in self.argument_spec.items():
            if option.get("type") == "raw":
                self.no_log_values.update(secrets_in(self.params.get(name)))
        self.no_log_values.update(self._hides(self.params))


def secrets_in(data: Any, secret: bool = False) -> Iterator[str]:
    """The texts that are kept under names of secrets, at any depth."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield from secrets_in(value, secret or is_secret_name(str(name)) or str(name) == "passcode")
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from secrets_in(value, secret)
    elif secret and isinstance(data, (str, int)) and not isinstance(data, bool) and str(data):
        yield str(data)


def run_module(
    argument_spec: dict[str, Any],
    main: Callable[..., Result],
    client: Callable[[Runner], object] | None = None,
    hides: Callable[[dict[str, Any]], Iterable[str]] = lambda _options: (),
    **rules: Any,
) -> None:
    """Runs ``main(params, check_mode)`` as an Ansible module and returns its result in the shape of the house.

    :param client: makes the third argument of ``main``, for a module that runs programs, of what runs them.
    :param hides: gives the texts in options that no answer and no log may show, where neither their names nor ``no_log`` tell.
    :param rules: further arguments of ``AnsibleModule`` (``required_one_of``, ``mutually_exclusive``...).
    """
    module = _Module(hides, argument_spec=argument_spec, supports_check_mode=True, **rules)
    try:
        world = [client(programs(module))] if client else []
        result = main(module.params, module.check_mode, *world)
    except LandscapeError as error:
        module.fail_json(msg=str(error), **error.details)
    for warning in result.warnings:
        module.warn(warning)
    values = returned(result)
    if result.failed:
        module.fail_json(**values)
    module.exit_json(**values)
