# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The whole baseline of a host: read, plan, refuse, apply, verify."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import InputError, LandscapeError
from ..core.plan import Plan, Step
from ..core.record import RunRecord
from . import apply, facts, keys, parts, rules
from . import plan as planning
from .client import Host
from .guard import Guard
from .model import Facts, FileState
from .tables import RECORD_FOLDER

OWNER = "node_state"


@dataclass
class Baseline:
    """What a run found and did.

    :param token: confirms a change that is undone otherwise; empty when nothing waits for that.
    """

    plan: Plan
    platform: str
    proven: bool
    warnings: list[str] = field(default_factory=list)
    steps_done: int = 0
    token: str = ""


def run(
    host: Host,
    options: Mapping[str, Any],
    *,
    check: bool,
    patience: float = 10.0,
    package_wait: int = 120,
    confirm_within: int = 120,
) -> Baseline:
    """Brings a host to its baseline.

    :param check: only make the plan.
    :param confirm_within: seconds after which keys and rules of sudo that were taken away come back, unless confirmed.
    :param patience: seconds to wait for another run on the same host.
    :raises LandscapeError: with the reason; see the parts.
    """
    rules.check(options)
    if not host.is_root():
        raise InputError("node_state changes the system and needs root", hint="Set become: true")
    record = RunRecord(host.at(RECORD_FOLDER), OWNER)
    made, state = _plan(host, options, record)
    result = Baseline(made, state.platform.name, state.platform.proven, _warnings(options, state))
    # A run that was killed at its very end leaves its lock, and nothing else to do.
    if check or not (made or record.is_locked()):
        return result
    try:
        # What was there before us may not be for everybody's eyes.
        os.makedirs(record.folder, 0o700, exist_ok=True)
        with record.locked(patience=patience):
            # Another run may have been faster while we waited.
            again, state = _plan(host, options, record)
            if again:
                result.token = _execute(host, options, again, state, record, package_wait, confirm_within)
            result.plan, result.steps_done = again, len(again)
    except OSError as error:
        reason = error.strerror or str(error)
        raise LandscapeError(f"{error.filename or record.folder} cannot be written: {reason}") from error
    return result


def guard_of(host: Host) -> Guard:
    """What undoes a change that locks us out."""
    return Guard(host, OWNER)


def _execute(
    host: Host,
    options: Mapping[str, Any],
    made: Plan,
    state: Facts,
    record: RunRecord,
    package_wait: int,
    confirm_within: int,
) -> str:
    """Does the steps; the token where they wait for a proof."""
    guard, paths = guard_of(host), planning.risky(made)
    token = guard.arm(paths, [], confirm_within) if paths or guard.armed() else ""
    try:
        apply.execute(host, made, state, record, wait=package_wait)
        apply.verify(host, options, made, state)
        _keep_rights(host, paths)
    except LandscapeError:
        if token:
            guard.roll_back(token)
        raise
    apply.settle(record)
    return token


def _keep_rights(host: Host, paths: list[str]) -> None:
    """Whether whoever called us through sudo still may; over a new login that could not be undone at once."""
    caller = os.environ.get("SUDO_USER", "")
    if caller and any(path.startswith(parts.SUDOERS) for path in paths):
        done = host.run(["sudo", "-n", "-l", "-U", caller, "true"])
        if done.code:
            raise LandscapeError(
                f"The new rules of sudo leave {caller} without rights: {done.reason}", hint="The old rules are back"
            )


def _plan(host: Host, options: Mapping[str, Any], record: RunRecord) -> tuple[Plan, Facts]:
    state = facts.read(host, options, record.load(), time.time())
    wants = parts.wants(options, state)
    files: dict[str, FileState | None] = {want.path: host.read(want.path) for want in wants}
    made = planning.plan(options, state, wants, files)
    apply.refuse(host, made, RECORD_FOLDER)
    if planning.risky(made) or guard_of(host).armed():
        proof = Step("prove", "login", gate="a new SSH connection with a key, and sudo where it is used")
        made = Plan((*made.steps, proof))
    return made, state


def _warnings(options: Mapping[str, Any], state: Facts) -> list[str]:
    found = planning.hindrances(options, state)
    parsed = [keys.parse(entry) for entry in options.get("authorized_keys") or ()]
    _good, over = keys.good(parsed, state.now)
    found += [f"The key {key.shown} of {key.user} is over and was taken out" for key in over]
    return found
