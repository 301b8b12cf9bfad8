# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The plan of a fabric as a report, for people who have to say yes or no to it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from ..core import report_html
from ..core.errors import InputError
from ..core.plan import Impact
from ..core.report import Case, Report, Table, to_json, to_junit, to_markdown
from . import order
from .plan import FabricPlan, SwitchPlan

FORMS = {".json": to_json, ".md": to_markdown, ".xml": to_junit, ".html": report_html.to_html}
#: By switch and table, keys of rows that a plan leaves as they are because nobody speaks for them.
Kept = Mapping[str, Mapping[str, list[str]]]
_COLUMNS = ("Step", "Action", "Row", "Fields", "Impact", "Why", "Needs besides")


def report(fabric: FabricPlan, max_impact: Impact = Impact.DESTROYED, kept: Kept | None = None) -> Report:
    """One table for the order, one for each switch that changes, one for what stays; one case for each switch."""
    plans = [fabric.switches[name] for name in sorted(fabric.switches, key=order.natural)]
    changing = [plan for plan in plans if plan.changes]
    waves = tuple(
        (str(number), ", ".join(wave.switches), wave.kind, wave.gate) for number, wave in enumerate(fabric.waves, 1)
    )
    columns = ("Wave", "Switches", "What", "Before it")
    tables = [Table("Order", columns, waves, "" if waves else "Nothing is to be changed.")]
    obstacles = tuple(
        (plan.switch, obstacle.path, obstacle.reason, obstacle.needs)
        for plan in changing
        for obstacle in plan.obstacles
    )
    if obstacles:
        text = "SONiC's own updater refuses these changes; what helps stands beside it."
        tables.append(Table("Obstacles", ("Switch", "Place", "Why", "What helps"), obstacles, text))
    tables += [_table(plan) for plan in changing]
    staying = tuple(
        (name, table, str(len(keys)))
        for name in sorted(kept or {}, key=order.natural)
        for table, keys in (kept or {})[name].items()
    )
    if staying:
        text = "Nobody speaks for these tables: they are an operator's, or were once written and are no longer said."
        tables.append(Table("Stays as it is", ("Switch", "Table", "Rows"), staying, text))
    facts = (
        ("Switches", str(len(plans))),
        ("Switches that change", str(len(changing))),
        ("Steps", str(sum(len(plan.changes) for plan in changing))),
        ("Worst impact", max((plan.impact for plan in plans), default=Impact.NONE).label),
        ("Digest", fabric.plan.digest),
    )
    return Report("Fabric plan", facts, tuple(tables), tuple(_case(plan, max_impact) for plan in plans))


def written(fabric: FabricPlan, paths: Iterable[str], max_impact: Impact, kept: Kept | None = None) -> dict[str, str]:
    """The report in the forms that the endings of the paths ask for.

    :raises InputError: for an ending that is not known.
    """
    made = report(fabric, max_impact, kept)
    texts = {}
    for path in paths:
        form = FORMS.get(os.path.splitext(path)[1])
        if form is None:
            raise InputError(f"The form of the report {path} is not known", hint="End the name in " + ", ".join(FORMS))
        texts[path] = form(made)
    return texts


def _table(plan: SwitchPlan) -> Table:
    rows = tuple(
        (
            str(number),
            change.action,
            change.name,
            ", ".join(change.fields),
            effect.impact.label,
            effect.reason,
            "; ".join(effect.needs),
        )
        for number, (change, effect) in enumerate(zip(plan.shown, plan.effects), 1)
    )
    return Table(plan.switch, _COLUMNS, rows)


def _case(plan: SwitchPlan, max_impact: Impact) -> Case:
    blocked = blocking(plan)
    if plan.impact > max_impact:
        return Case("fabric", plan.switch, "failed", f"{plan.impact.label} is more than {max_impact.label}")
    if blocked:
        return Case("fabric", plan.switch, "failed", "; ".join(blocked))
    said = [f"{obstacle.path}: {obstacle.reason}" for obstacle in plan.obstacles]
    if said:
        return Case("fabric", plan.switch, "warning", "; ".join(said))
    return Case("fabric", plan.switch, "passed", f"{len(plan.changes)} steps, {plan.impact.label}")


def blocking(plan: SwitchPlan) -> list[str]:
    """Why the change cannot be made in any way."""
    return [f"{item.path}: {item.reason}; {item.needs}" for item in plan.obstacles if item.blocks == "all"]


def refusals(fabric: FabricPlan, max_impact: Impact) -> list[str]:
    """Why the plan as a whole is not to be carried out: impact beyond the limit, or configurations that are wrong."""
    found = []
    for name in sorted(fabric.switches, key=order.natural):
        plan = fabric.switches[name]
        for change, effect in zip(plan.shown, plan.effects):
            if effect.impact > max_impact:
                found.append(f"{name}: {change.action} {change.name} is {effect.impact.label} ({effect.reason})")
        found += [f"{name}: {text}" for text in blocking(plan)]
    return found
