# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The plan of a change of one running switch: what is written in which order, what it does there, and why not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import InputError, LandscapeError
from ...core.plan import Impact, Plan, Step
from .. import codec, diff, masking, model, plan, plan_report, targets
from ..fabric_order import waves
from ..impact_tables import ROUTING
from ..model import ConfigDb
from ..plan import FabricPlan, SwitchPlan
from . import desired, expect
from .model import Settings

_OPERATIONS = {"create": "add", "update": "replace", "delete": "remove"}
_SHOWN = 10
#: Tables whose neighbours may be given a password, which no daemon brings into FRR.
_PASSWORDS = ("BGP_NEIGHBOR", "BGP_PEER_GROUP")
#: Seconds that a configuration which is loaded as a whole must have: services start anew, and once more on the way back.
RELOAD_WITHIN = 600


@dataclass(frozen=True)
class Seen:
    """What a switch said of itself.

    :param rows: as the database has them, by ``TABLE|key``.
    :param release: release branch; empty when it is none that is known.
    """

    name: str
    rows: Mapping[str, Mapping[str, str]]
    config: ConfigDb
    digest: str
    saved: str | None
    release: str
    build: str
    answer: Mapping[str, Any]

    @classmethod
    def of(cls, name: str, answer: Mapping[str, Any]) -> Seen:
        """What an answer to ``read`` holds."""
        config = codec.from_redis(answer["rows"])
        build = str(answer["version"].get("build_version", ""))
        found = [one for one in model.RELEASE_NAMES if one in build or one == answer["version"].get("release")]
        release = found[0] if found else model.release_of(config)
        return cls(name, answer["rows"], config, answer["digest"], answer["saved"], release, build, answer)


@dataclass(frozen=True)
class Change:
    """What is to be done on one switch.

    :param steps: name, before and after of every row, as the database has them.
    :param fixups: section and line of what is added to FRR besides.
    :param strategy: ``ordered``, ``patch`` or ``reload``, and why.
    """

    plan: SwitchPlan
    steps: tuple[tuple[str, dict[str, str] | None, dict[str, str] | None], ...]
    rows: Mapping[str, Mapping[str, str]]
    fixups: tuple[tuple[str, str], ...]
    strategy: str
    reason: str

    def __bool__(self) -> bool:
        return bool(self.steps or self.fixups)

    @property
    def config(self) -> ConfigDb:
        """Where it leads."""
        return codec.from_redis(self.rows)

    @property
    def impact(self) -> Impact:
        """The worst impact of all."""
        worst = self.plan.impact
        return max(worst, Impact.UNREACHABLE) if self.strategy == "reload" and self.steps else worst

    def as_dict(self) -> dict[str, Any]:
        """The plan as it is returned, without secrets."""
        steps = [
            {
                "action": change.action,
                "object": f"{change.table}|{change.key}",
                "op": _OPERATIONS[change.action],
                "path": diff.pointer(change.table, change.key),
                "fields": list(change.fields),
                "impact": effect.impact.label,
                "reason": effect.reason,
                **({"needs": list(effect.needs)} if effect.needs else {}),
            }
            for change, effect in zip(self.plan.shown, self.plan.effects)
        ]
        for section, line in self.fixups:
            reason = "no release brings the line into FRR; a restart of SONiC's bgp service loses it"
            told = {"action": "create", "object": f"FRR {section} / {line}", "op": "frr", "path": f"{section} / {line}"}
            steps.append({**told, "impact": "none", "reason": reason})
        return {"digest": self._digest, "impact": self.impact.label, "steps": steps}

    @property
    def _digest(self) -> str:
        extra = [Step("frr", f"{self.plan.switch} {section} {line}") for section, line in self.fixups]
        return Plan((*self.plan.steps(), *extra)).digest


def make(seen: Seen, settings: Settings, running: str = "") -> Change:
    """What has to be done.

    :param running: FRR's running configuration, where lines are to be added to it.
    :raises InputError: when the release is not known, or the configuration is wrong.
    :raises LandscapeError: when rows wait for each other.
    """
    release = settings.release or seen.release
    if not release:
        hint = f"Say with release which of {', '.join(model.RELEASE_NAMES)} it is like"
        raise InputError(
            f"{seen.name} runs {seen.build or 'an image without a version'}, a release nobody knows", hint=hint
        )
    said = desired.unmasked(desired.given(settings.config, settings.state), seen.config, settings.state)
    ignore = frozenset(settings.ignore_tables) - set(said)
    wanted = desired.wanted(settings.state, seen.config, said, settings.tables)
    one = plan.plan_switch(seen.name, seen.config, wanted, release, ignore=ignore, speeds=targets.speeds(wanted))
    steps, rows = _as_rows(one, seen.rows)
    after = codec.from_redis(rows)
    fixups: tuple[tuple[str, str], ...] = ()
    if settings.frr_fixups:
        fixups = tuple(expect.lost(after, running)) if running else tuple(expect.vnis(after))
    desired.tells_no_secret(one.changes, settings.strategy)
    return Change(one, steps, rows, fixups, *_strategy(one, settings.strategy, release))


def _as_rows(
    one: SwitchPlan, rows: Mapping[str, Mapping[str, str]]
) -> tuple[tuple[tuple[str, dict[str, str] | None, dict[str, str] | None], ...], Mapping[str, Mapping[str, str]]]:
    """The changes as the database takes them, and all rows after them."""
    now = {name: dict(row) for name, row in rows.items()}
    steps = []
    for change in one.changes:
        after = None if change.after is None else codec.row_to_hash(change.after)
        steps.append((change.name, now.get(change.name), after))
        if after is None:
            now.pop(change.name, None)
        else:
            now[change.name] = after
    return tuple(steps), now


def _strategy(one: SwitchPlan, wish: str, release: str) -> tuple[str, str]:
    if wish != "auto":
        return wish, "asked for"
    blocked = [item for item in one.obstacles if item.blocks == "updater"]
    if blocked:
        return "ordered", f"SONiC's own updater refuses it: {blocked[0].path}: {blocked[0].reason}"
    if release < "202605":
        return "ordered", f"SONiC's own updater is slow in {release}"
    return "ordered", "SONiC's own updater is not proven with this collection"


def refusals(change: Change, seen: Seen, settings: Settings) -> list[str]:
    """Why the change is not made, one sentence each."""
    fabric = FabricPlan({seen.name: change.plan}, waves({}))
    found = plan_report.refusals(fabric, settings.max_impact)
    above = change.impact > settings.max_impact
    if change.strategy == "reload" and above and not found:
        found = [f"{seen.name}: config reload is {change.impact.label} (every service starts anew)"]
    found += _passwords(change, seen)
    if settings.unsaved == "refuse":
        names = expect.unsaved(seen.config, seen.saved, plan.RUNTIME_OWNED)
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            found.append(
                f"{seen.name}: what runs and what is saved differ in {', '.join(names[:_SHOWN])}{more}; save it or take it back "
                "by hand first, or set unsaved to accept"
            )
    return [*found, f"Raise max_impact ({settings.max_impact.label}) if that is what you want"] if above else found


def _passwords(change: Change, seen: Seen) -> list[str]:
    """Passwords of BGP neighbours that would be written and that no FRR gets, in no routing mode.

    frrcfgd says ``password X encrypted``, which FRR refuses, and logs the password (sonic-buildimage 19946); bgpcfgd
    does not know the field: the session would come up without a password.
    """
    found = []
    for name, _before, after in change.steps:
        table, _bar, key = name.partition(model.SEPARATOR)
        said = (after or {}).get("auth_password")
        if table in _PASSWORDS and said and said != seen.rows.get(name, {}).get("auth_password"):
            found.append(
                f"{seen.name}: auth_password of {table}|{masking.key(table, key)} reaches FRR on no release and in no "
                "routing mode (sonic-buildimage 19946); leave it out, or say the password to FRR by hand"
            )
    return found


def unjudged(change: Change) -> list[str]:
    """Why nobody can say whether FRR does what a change of routing asks for."""
    config = change.config
    routing = [name for name, _before, _after in change.steps if name.partition(model.SEPARATOR)[0] in ROUTING]
    if not routing or model.dialect_of(config) == "unified":
        return []
    metadata = config.get("DEVICE_METADATA", {}).get("localhost", {})
    mode = metadata.get("docker_routing_config_mode", "separated")
    return [f"FRR is not judged in routing mode {mode}, where it is not written from CONFIG_DB alone"]


def program(change: Change, settings: Settings) -> dict[str, Any] | None:
    """What is handed to a program of SONiC's instead of writing rows."""
    if change.strategy == "ordered" or not change.steps:
        return None
    if change.strategy == "patch":
        content: Any = diff.patch(change.plan.before, change.plan.changes)
    else:
        content = change.config
    return {"name": change.strategy, "content": content, "seconds": max(30, settings.confirm_within - 20)}


def differing(rows: Mapping[str, Any], change: Change) -> set[str]:
    """Rows that were written and are not what was written; keys masked."""
    found = set()
    for name in {step[0] for step in change.steps}:
        if not _same(rows.get(name), change.rows.get(name)):
            table, _bar, key = name.partition(model.SEPARATOR)
            found.add(f"CONFIG_DB does not hold {table}|{masking.key(table, key)} as it was written")
    return found


def foreign(rows: Mapping[str, Any], change: Change) -> list[str]:
    """Rows that somebody else changed meanwhile; keys masked."""
    touched = {step[0] for step in change.steps}
    now, then = (codec.from_redis({n: r for n, r in side.items() if n not in touched}) for side in (rows, change.rows))
    return [one.shown for one in diff.changes(then, now, plan.RUNTIME_OWNED)]


def _same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return diff.equal(codec.hash_to_row(one), codec.hash_to_row(other))


def check_settings(settings: Settings) -> None:
    """Refuses numbers that cannot work.

    :raises InputError: naming the option.
    """
    if not 15 <= settings.confirm_within <= 3600:
        raise InputError(f"confirm_within is {settings.confirm_within}, allowed are 15 to 3600 seconds")
    if settings.verify_timeout < 1 or settings.verify_timeout > settings.confirm_within - 10:
        raise InputError(
            f"verify_timeout is {settings.verify_timeout}, allowed are 1 to {settings.confirm_within - 10} seconds",
            hint="It must end before the switch brings itself back: raise confirm_within",
        )
    if not 0 <= settings.hold <= settings.confirm_within - 5:
        raise InputError(
            f"hold is {settings.hold}, allowed are 0 to {settings.confirm_within - 5} seconds",
            hint="It must end before the switch brings itself back: raise confirm_within",
        )
    if settings.strategy == "reload" and settings.confirm_within < RELOAD_WITHIN:
        raise InputError(
            f"confirm_within is {settings.confirm_within}, strategy reload needs {RELOAD_WITHIN} seconds or more",
            hint="config reload starts every service anew: raise confirm_within, or take strategy ordered",
        )
    if settings.tables and settings.state != "overridden":
        raise LandscapeError("tables says something for the state overridden only")
