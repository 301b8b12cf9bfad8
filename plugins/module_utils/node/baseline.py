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
from ..core.plan import Plan
from ..core.record import RunRecord
from . import apply, facts, keys, parts, rules
from . import plan as planning
from .client import Host
from .model import Facts, FileState
from .tables import RECORD_FOLDER

OWNER = "node_state"


@dataclass
class Baseline:
    """What a run found and did."""

    plan: Plan
    platform: str
    proven: bool
    warnings: list[str] = field(default_factory=list)
    steps_done: int = 0


def run(
    host: Host, options: Mapping[str, Any], *, check: bool, patience: float = 10.0, package_wait: int = 120
) -> Baseline:
    """Brings a host to its baseline.

    :param check: only make the plan.
    :param patience: seconds to wait for another run on the same host.
    :raises LandscapeError: with the reason; see the parts.
    """
    rules.check(options)
    if not host.is_root():
        raise InputError("node_state changes the system and needs root", hint="Set become: true")
    record = RunRecord(host.at(RECORD_FOLDER), OWNER)
    made, state = _plan(host, options, record)
    result = Baseline(made, state.platform.name, state.platform.proven, _warnings(options, state))
    if check or not made:
        return result
    try:
        # What was there before us may not be for everybody's eyes.
        os.makedirs(record.folder, 0o700, exist_ok=True)
        with record.locked(patience=patience):
            # Another run may have been faster while we waited.
            again, state = _plan(host, options, record)
            result.steps_done = apply.execute(host, again, state, record, wait=package_wait)
            apply.verify(host, options, again, state)
            apply.settle(record)
    except OSError as error:
        reason = error.strerror or str(error)
        raise LandscapeError(f"{error.filename or record.folder} cannot be written: {reason}") from error
    return result


def _plan(host: Host, options: Mapping[str, Any], record: RunRecord) -> tuple[Plan, Facts]:
    state = facts.read(host, options, record.load(), time.time())
    wants = parts.wants(options, state)
    files: dict[str, FileState | None] = {want.path: host.read(want.path) for want in wants}
    made = planning.plan(options, state, wants, files)
    apply.refuse(host, made, RECORD_FOLDER)
    return made, state


def _warnings(options: Mapping[str, Any], state: Facts) -> list[str]:
    found = planning.hindrances(options, state)
    parsed = [keys.parse(entry) for entry in options.get("authorized_keys") or ()]
    _good, over = keys.good(parsed, state.now)
    found += [f"The key {key.shown} of {key.user} is over and was taken out" for key in over]
    return found
