# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""From facts and wishes to the one plan of a host. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.plan import Plan, Step
from ..core.redact import MASK, redact, redact_text
from . import blocks
from .model import Facts, FileState, Unit, Want
from .tables import PACKAGES, Action, actions

_USER_OF_URL = re.compile(r"(?<=://)[^/\s\"]+(?=@)")
#: Parts that stand on a service, which therefore has to run.
_SERVICES = {"rsyslog": "rsyslog", "chrony": "chrony"}


@dataclass(frozen=True)
class FileChange:
    """Payload: one file gets its new text, or goes.

    :param late: a package that is about to be installed brings the file; the edit is done on what it brings.
    """

    want: Want
    before: FileState | None
    content: str | None
    late: bool = False


@dataclass(frozen=True)
class SetSysctl:
    """Payload: a kernel setting gets its value now."""

    key: str
    value: str


@dataclass(frozen=True)
class SetName:
    """Payload: the kernel's host name."""

    name: str


@dataclass(frozen=True)
class SetPackages:
    """Payload: one transaction of the package manager."""

    install: tuple[str, ...]
    remove: tuple[str, ...]
    repair: bool = False


@dataclass(frozen=True)
class Run:
    """Payload: something done to a service; ``key`` names it in the run record."""

    key: str
    action: Action


def plan(
    options: Mapping[str, Any], facts: Facts, wants: Sequence[Want], files: Mapping[str, FileState | None]
) -> Plan:
    """All steps, in the order in which they are done: packages, names and files, kernel, services."""
    packages = _packages(options, facts)
    changes = [change for want in wants if (change := _file(want, files.get(want.path), packages)) is not None]
    steps = [
        *_package_steps(packages),
        *(_file_step(change) for change in changes),
        *_name_steps(options, facts),
        *_sysctl_steps(options, facts),
        *_service_steps(options, facts, {key for change in changes for key in change.want.notify}),
    ]
    return Plan(tuple(steps))


def needed_packages(options: Mapping[str, Any]) -> list[str]:
    """Packages that are asked for, and those that parts stand on."""
    names = list(options.get("packages") or ())
    names += [name for part, name in PACKAGES.items() if options.get(part) and used(part, options[part])]
    return list(dict.fromkeys(names))


def used(part: str, value: Any) -> bool:
    """Whether a service part asks for something; an empty one only takes away what we wrote."""
    if part == "chrony":
        return bool(value["servers"] or value["pools"])
    return bool(value["targets"]) if part == "rsyslog" else bool(value)


def _packages(options: Mapping[str, Any], facts: Facts) -> SetPackages:
    install = tuple(name for name in needed_packages(options) if name not in facts.packages)
    remove = tuple(name for name in options.get("packages_absent") or () if name in facts.packages)
    return SetPackages(install, remove, bool(facts.broken))


def _package_steps(packages: SetPackages) -> Iterator[Step]:
    if packages.install or packages.remove or packages.repair:
        shown = [f"+{name}" for name in packages.install] + [f"-{name}" for name in packages.remove]
        shown += ["finish what was interrupted"] if packages.repair else []
        undo = "install and remove them the other way round"
        yield Step("update", "packages", None, " ".join(shown), undo=undo, payload=packages)


def _file(want: Want, current: FileState | None, packages: SetPackages) -> FileChange | None:
    if current is None and want.package and want.package in packages.install:
        return FileChange(want, None, None, late=True)
    content = want.edit(current.content if current else "")
    if current is None and not content:
        return None
    if current is not None and current.content == content and current.mode == mode_of(want, current):
        return None
    return FileChange(want, current, content)


def mode_of(want: Want, current: FileState | None) -> int:
    """Permission bits of the new file: files that others keep too hold theirs, ours get what we say."""
    shared = current is not None and want.mode == 0o644
    return current.mode if current is not None and shared else want.mode


def shown(text: str, want: Want) -> str:
    """A text of a file without its secrets: those of the options, and those of URLs that were there before."""
    return _USER_OF_URL.sub(MASK, redact_text(redact(text, want.secrets)))


def _summary(text: str | None, want: Want, mode: int) -> str | None:
    if text is None:
        return None
    digest = hashlib.sha256(shown(text, want).encode("utf-8", "surrogateescape")).hexdigest()
    return f"{digest[:12]} {mode:04o}"


def _file_step(change: FileChange) -> Step:
    want, before = change.want, change.before
    name = f"file {want.path}"
    if change.late:
        after: str | None = f"as the package {want.package} brings it, edited"
    else:
        after = _summary(change.content, want, mode_of(want, before))
    action = "create" if before is None and not change.late else "update" if after else "delete"
    undo = f"restore {want.path} from the run record" if before else f"remove {want.path}"
    earlier = _summary(before.content, want, before.mode) if before else None
    return Step(action, name, earlier, after, undo=undo, payload=change)


def _name_steps(options: Mapping[str, Any], facts: Facts) -> Iterator[Step]:
    name = options.get("hostname")
    if name and name != facts.nodename:
        yield Step("update", "host name", facts.nodename, name, undo="set the old name", payload=SetName(name))


def _sysctl_steps(options: Mapping[str, Any], facts: Facts) -> Iterator[Step]:
    for key, value in sorted((options.get("sysctl") or {}).items()):
        current, wanted = facts.sysctl.get(key), str(value)
        if current is not None and key not in facts.fixed and current.split() != wanted.split():
            yield Step(
                "update", f"sysctl {key}", current, wanted, undo=f"set it to {current}", payload=SetSysctl(key, wanted)
            )


def _service_steps(options: Mapping[str, Any], facts: Facts, notified: set[str]) -> Iterator[Step]:
    for part, key in _SERVICES.items():
        action = actions(facts.platform)[key]
        if options.get(part) and used(part, options[part]) and not _runs(facts, action.unit):
            notified = (notified - {key, f"{key}_sources"}) | {f"{key}:start"}
    notified = notified | set(facts.pending)
    for key, action in actions(facts.platform).items():
        if f"{key}:start" in notified:
            start = Action("start", action.unit)
            yield Step("start", action.unit, "stopped", "running", payload=Run(f"{key}:start", start))
        elif key in notified and not (key == "chrony_sources" and notified & {"chrony", "chrony:start"}):
            yield Step(action.verb, action.unit, impact=action.impact, payload=Run(key, action))


def _runs(facts: Facts, unit: str) -> bool:
    return facts.units.get(unit, Unit()).active in ("active", "reloading", "activating")


def risky(steps: Plan) -> list[str]:
    """Files whose change can take a login or its rights away: keys that go, rules of sudo that change or do more than grant."""
    found = []
    for step in steps.steps:
        change = step.payload
        if not isinstance(change, FileChange):
            continue
        before, after = change.before.content if change.before else "", change.content or ""
        if change.want.part == "authorized_keys":
            is_risky = bool(set(blocks.read(before)) - set(blocks.read(after)))
        else:
            is_risky = change.want.part == "sudo" and (change.before is not None or not _only_grants(after))
        if is_risky:
            found.append(change.want.path)
    return found


def _only_grants(rules: str) -> bool:
    """Whether rules of sudo can take nothing away: the last one that matches counts, and each of these asks for no password."""
    lines = [line.strip() for line in rules.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return all("NOPASSWD:" in line and not re.search(r"!|(?<!NO)PASSWD:|^Defaults", line) for line in lines)


def diff_of(steps: Plan) -> list[dict[str, str]]:
    """The plan as Ansible shows it with ``--diff``, without secrets."""
    entries = []
    for step in steps.steps:
        change = step.payload
        if change is None:
            continue
        if isinstance(change, FileChange) and not change.late:
            before = change.before.content if change.before else ""
            texts = (shown(before, change.want), shown(change.content or "", change.want))
        else:
            texts = (f"{step.before or ''}\n", f"{step.after or step.action}\n")
        entries.append(
            {"before_header": step.object, "after_header": step.object, "before": texts[0], "after": texts[1]}
        )
    return entries


def hindrances(options: Mapping[str, Any], facts: Facts) -> list[str]:
    """What is wanted and cannot be here, and what is odd: the operator should know, and the run goes on."""
    found = []
    for key in sorted(options.get("sysctl") or {}):
        if facts.sysctl.get(key) is None:
            found.append(f"sysctl {key}: this kernel does not have it; it stays in the file for one that does")
        elif key in facts.fixed:
            why = "a container cannot set it" if facts.container else "the kernel does not let it be written"
            found.append(f"sysctl {key}: {why}; the value stays {facts.sysctl[key]}")
    return found
