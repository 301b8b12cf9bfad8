# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Executes the plan of a host, remembers what it needs to, and reads back from those who use the files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ..core.errors import InputError, LandscapeError
from ..core.plan import Plan, Step
from ..core.record import RunRecord
from . import packages
from .client import Host
from .model import Facts
from .plan import FileChange, Run, SetName, SetPackages, SetSysctl, mode_of, shown, used
from .tables import actions

#: Room that is left for the run record and the journal, in bytes.
_SPARE = 64 * 1024


def refuse(host: Host, plan: Plan, folder: str) -> None:
    """Stops before anything is touched when a step cannot succeed; check mode asks too.

    :param folder: where the run record goes.
    :raises InputError: with all reasons.
    """
    changes = [step.payload for step in plan.steps if isinstance(step.payload, FileChange)]
    need = _SPARE + sum(len(change.content or "") for change in changes)
    found = host.obstacles([change.want.path for change in changes] + ([f"{folder}/x"] if plan else []), need)
    for change in changes:
        if change.want.check and change.content:
            said = host.judge(change.want.check, change.content)
            if said:
                found.append(f"{change.want.check[0]} does not accept {change.want.path}: {said}")
    if found:
        raise InputError("; ".join(found), hint="Nothing was changed", details={"problems": found})


def remember(plan: Plan, record: Mapping[str, Any]) -> dict[str, Any]:
    """The run record while the plan is executed: what was there before us, and what is owed if we are killed."""
    original = dict(record.get("original", {}))
    owed = dict.fromkeys(record.get("pending", ()))
    accounts = dict.fromkeys(record.get("accounts", ()))
    for step in plan.steps:
        payload = step.payload
        if isinstance(payload, FileChange):
            original.setdefault(payload.want.path, _original(payload))
            if payload.want.account:
                accounts[payload.want.account.name] = None
        elif isinstance(payload, Run):
            owed[payload.key] = None
        elif isinstance(payload, SetPackages):
            added = original.get("packages", [])
            original["packages"] = [*added, *(name for name in payload.install if name not in added)]
        elif isinstance(payload, (SetName, SetSysctl)):
            original.setdefault(step.object, step.before)
    return {"original": original, "pending": list(owed), "accounts": sorted(accounts), "digest": plan.digest}


def _original(change: FileChange) -> dict[str, Any] | None:
    before = change.before
    return {"content": shown(before.content, change.want), "mode": f"{before.mode:04o}"} if before else None


def execute(
    host: Host,
    plan: Plan,
    facts: Facts,
    record: RunRecord,
    *,
    wait: int = 120,
    progress: Callable[[Step], None] = lambda _step: None,
) -> int:
    """Does the steps and clears what was owed; the folder's lock must be held.

    :param wait: seconds to wait for the lock of the package manager.
    :returns: number of steps done.
    """
    content = remember(plan, record.load())
    try:
        record.save(content)
    except OSError as error:
        raise LandscapeError(
            f"{record.path} cannot be written: {error.strerror or error}", hint="Nothing was changed"
        ) from error
    for step in plan.steps:
        _do(host, step, facts, wait)
        progress(step)
    return len(plan)


def settle(record: RunRecord) -> None:
    """Notes that nothing is owed any more; after everything was read back."""
    content = record.load()
    content.pop("digest", None)
    record.save({**content, "pending": []})


def _do(host: Host, step: Step, facts: Facts, wait: int) -> None:
    payload = step.payload
    if isinstance(payload, SetPackages):
        packages.apply(host, facts.platform, payload, wait=wait)
    elif isinstance(payload, FileChange):
        _write(host, payload)
    elif isinstance(payload, SetName):
        host.set_nodename(payload.name)
    elif isinstance(payload, SetSysctl):
        host.set_sysctl(payload.key, payload.value)
    elif isinstance(payload, Run):
        _act(host, payload)


def _write(host: Host, change: FileChange) -> None:
    want, current = change.want, host.read(change.want.path)
    content = want.edit(current.content if current else "") if change.late else change.content
    if not change.late and current != change.before and current is not None:
        if current.content == content:
            return  # another run was faster
        raise LandscapeError(
            f"{want.path} was changed since the plan was made", hint="Look what changed it, and run again"
        )
    if content is None:
        host.remove(want.path, want.account)
        return
    if want.check:
        said = host.judge(want.check, content)
        if said:
            raise LandscapeError(f"{want.check[0]} does not accept {want.path}: {said}", hint="The old file stays")
    host.write(want.path, content, mode_of(want, current), current, want.account)


def _act(host: Host, run: Run) -> None:
    action = run.action
    lines = [["systemctl", action.verb, action.unit]]
    if action.verb == "start":
        lines = [["systemctl", "enable", action.unit], ["systemctl", "restart", action.unit]]
    elif action.command:
        lines = [list(action.command)]
    for line in lines:
        done = host.run(line, 60)
        if done.code:
            raise LandscapeError(
                f"{' '.join(line)} failed: {done.reason}",
                hint=f"Look at journalctl -u {action.unit}; the next run tries it again",
            )


def verify(host: Host, options: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    """Reads back what the plan changed, from those who use it.

    :raises LandscapeError: something is not as it was made; with all of it.
    """
    found = []
    for step in plan.steps:
        payload = step.payload
        if isinstance(payload, FileChange) and not payload.late:
            current = host.read(payload.want.path)
            if (current.content if current else None) != payload.content:
                found.append(f"{payload.want.path} does not hold what was written")
        elif isinstance(payload, SetSysctl) and (host.sysctl(payload.key)[0] or "").split() != payload.value.split():
            found.append(
                f"sysctl {payload.key} is {host.sysctl(payload.key)[0]!r} after it was set to {payload.value!r}"
            )
        elif isinstance(payload, SetName) and host.nodename() != payload.name:
            found.append(f"the host name is still {host.nodename()}")
    found += _services(host, options, plan, facts)
    if found:
        raise LandscapeError("; ".join(found), hint="Something else works against it on this host; run again")


def _services(host: Host, options: Mapping[str, Any], plan: Plan, facts: Facts) -> list[str]:
    units = list(dict.fromkeys(step.payload.action.unit for step in plan.steps if isinstance(step.payload, Run)))
    states = host.units(units)
    found = [f"{name} is {unit.active}" for name, unit in states.items() if unit.active != "active"]
    chrony = options.get("chrony")
    if actions(facts.platform)["chrony"].unit in units and chrony and used("chrony", chrony):
        done = host.run(["chronyc", "-N", "-c", "sources", "-a"])
        if done.code:
            found.append(f"chronyd does not answer: {done.reason}")
        else:
            known = {line.split(",")[2] for line in done.out.splitlines() if line.count(",") > 2}
            found += [f"chronyd does not know {name}" for name in chrony["servers"] if name not in known]
    return found
