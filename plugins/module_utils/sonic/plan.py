# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The plan of a change: ordered writes with their impact, per switch and for a whole fabric. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.plan import Impact, Plan, Step
from . import diff, fabric_order, impact, masking, numbering, order, tables, targets
from .diff import RowChange
from .fabric_order import Group, Wave
from .impact import Context, Effect, Obstacle
from .model import ConfigDb, Issue, Row

#: What daemons write by themselves; it is no part of a plan unless asked for.
RUNTIME_OWNED = tuple(sorted(table.name for table in tables.TABLES.values() if table.runtime_owned))

_MEND = "mend the row: a configuration that the models refuse is no place to go to"


@dataclass(frozen=True)
class SwitchPlan:
    """What is written on one switch, in order, and what it does there."""

    switch: str
    before: ConfigDb
    changes: tuple[RowChange, ...]
    effects: tuple[Effect, ...]
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def impact(self) -> Impact:
        """The worst impact of any write."""
        return max((effect.impact for effect in self.effects), default=Impact.NONE)

    @property
    def shown(self) -> list[RowChange]:
        """The changes without secrets; keys that are secret are counted."""
        numbers: dict[diff.Place, int] = {}
        return [redacted(change, numbers.setdefault(change.place, len(numbers) + 1)) for change in self.changes]

    def steps(self) -> list[Step]:
        """The writes as steps of a plan, without secrets."""
        return [self._step(*parts) for parts in zip(self.changes, self.shown, self.effects)]

    def _step(self, change: RowChange, shown: RowChange, effect: Effect) -> Step:
        undo = {"create": "remove the row", "update": "write the row as before", "delete": "make the row again"}
        gate = "what stands in for this switch forwards" if effect.impact >= Impact.INTERRUPTED else ""
        return Step(
            change.action,
            f"{self.switch} {shown.name}",
            shown.before,
            shown.after,
            effect.impact,
            undo[change.action],
            gate,
            payload=change,
            seal=masking.seal(change.table, change.key, change.before, change.after),
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form without secrets: impact, needs, obstacles, steps with their reasons, the patch."""
        shown = self.shown
        return {
            **impact.summary(self.effects),
            "obstacles": [obstacle.as_dict() for obstacle in self.obstacles],
            "steps": [
                {
                    "action": change.action,
                    "table": change.table,
                    "key": change.key,
                    "fields": list(change.fields),
                    "impact": effect.impact.label,
                    "kind": effect.kind,
                    "reason": effect.reason,
                    **({"needs": list(effect.needs)} if effect.needs else {}),
                }
                for change, effect in zip(shown, self.effects)
            ],
            "patch": diff.patch(self.before, shown),
        }

    def text_diff(self) -> dict[str, str]:
        """Rows that differ as texts before and after, one field a line, in the form of Ansible's diff."""
        net: dict[diff.Place, tuple[Row | None, Row | None]] = {}
        for change in self.shown:
            first = net[change.place][0] if change.place in net else change.before
            net[change.place] = (first, change.after)
        sides = ["", ""]
        for (table, key), pair in sorted(net.items()):
            if not diff.equal(*pair):
                for side, row in enumerate(pair):
                    sides[side] += _text(f"{table}|{key}", row)
        return {
            "before_header": f"{self.switch} before",
            "after_header": f"{self.switch} after",
            "before": sides[0],
            "after": sides[1],
        }


@dataclass(frozen=True)
class FabricPlan:
    """The plans of many switches, and the order they go in."""

    switches: Mapping[str, SwitchPlan]
    waves: tuple[Wave, ...]

    @property
    def plan(self) -> Plan:
        """All steps in the order of the waves; new and retired switches have none."""
        changing = [wave for wave in self.waves if wave.kind == "change"]
        names = [name for wave in changing for name in wave.switches]
        gates = {wave.switches[0]: wave.gate for wave in changing}
        steps: list[Step] = []
        for name in names:
            mine = self.switches[name].steps()
            if name in gates and mine:
                first = mine[0]
                mine[0] = Step(**{**vars(first), "gate": "; ".join(filter(None, (gates[name], first.gate)))})
            steps += mine
        return Plan(tuple(steps))


def redacted(change: RowChange, number: int = 1) -> RowChange:
    """The change without secrets in its key or its fields.

    :param number: stands in the place of a key that is secret, so that two of them stay two.
    """
    before, after = (None if row is None else masking.row(change.table, row) for row in (change.before, change.after))
    return RowChange(change.table, masking.key(change.table, change.key, number), before, after)


def _text(name: str, row: Row | None) -> str:
    if row is None:
        return ""
    lines = [
        f"{name} {field}: {', '.join(value) if isinstance(value, list) else value}"
        for field, value in sorted(row.items())
    ]
    return "".join(f"{line}\n" for line in lines or [name])


def plan_switch(
    switch: str,
    before: ConfigDb,
    after: ConfigDb,
    release: str = "",
    *,
    ignore: Iterable[str] = RUNTIME_OWNED,
    speeds: Mapping[str, Iterable[str]] | None = None,
    faults: Iterable[Issue] = (),
) -> SwitchPlan:
    """What has to be written on one switch. Entries of prefix lists and statements of route maps keep their numbers.

    :param ignore: tables that are left as they are, but for rows that go with a port that goes.
    :param speeds: by port, the speeds it supports in Mbit/s.
    :param faults: what the models refuse of ``after``.
    :raises LandscapeError: when a configuration is none, or rows wait for each other.
    """
    left_out = frozenset(ignore)
    after = numbering.kept(before, after)
    changes = order.ordered(*targets.planned(before, after, left_out))
    context = Context(before, after, release, speeds or {}, left_out)
    effects = tuple(impact.effect(change, context) for change in changes)
    found = impact.obstacles(changes, context)
    if changes:
        found += tuple(Obstacle(issue.path, issue.message, issue.hint or _MEND, "all") for issue in faults)
    return SwitchPlan(switch, before, changes, effects, found)


def plan_fabric(
    plans: Iterable[SwitchPlan],
    groups: Iterable[Group] = (),
    parallel: int = 0,
    *,
    new: Iterable[str] = (),
    retired: Iterable[str] = (),
) -> FabricPlan:
    """The plans of all switches in a common order; switches without a change are in no wave.

    :param new: switches that get their whole configuration before anybody leads traffic to them.
    :param retired: switches that are taken out when nobody does any more.
    """
    switches = {plan.switch: plan for plan in plans}
    impacts = {name: plan.impact for name, plan in switches.items() if plan.changes}
    return FabricPlan(switches, fabric_order.waves(impacts, groups, parallel, new=new, retired=retired))
