# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a task says about flavors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.pool import Outcome
from .plan import Todo


def values(todos: Sequence[Todo], outcomes: Sequence[Outcome[Todo]], predicted: bool) -> dict[str, Any]:
    """The return values of a task."""
    done = {outcome.item.definition.name: outcome for outcome in outcomes}
    return {
        "flavors": [_entry(todo, done.get(todo.definition.name), predicted) for todo in todos],
        "drift": [
            {"flavor": todo.definition.name, "property": name, "is": has, "wanted": wanted}
            for todo in todos
            for name, (has, wanted) in todo.drift.items()
        ],
        "in_use": {todo.definition.name: list(todo.users) for todo in todos if todo.users},
    }


def _entry(todo: Todo, outcome: Outcome[Todo] | None, predicted: bool) -> dict[str, Any]:
    known = outcome.value if outcome and outcome.error is None else todo.flavor.id if todo.flavor else ""
    reason = str(outcome.error) if outcome and outcome.error else todo.refused
    action = "refused" if todo.refused else todo.kind or "none"
    return {
        "name": todo.definition.name,
        "id": known or "",
        "action": action,
        "predicted": predicted and bool(todo.kind) and not todo.refused,
        "reason": reason,
    }


def failure(todos: Sequence[Todo], outcomes: Sequence[Outcome[Todo]], unfinished: Sequence[str]) -> str:
    """Why the task fails, empty when it does not: all reasons, one line each."""
    lines = [f"flavor {todo.definition.name} is left as it is: {todo.refused}" for todo in todos if todo.refused]
    failed = {one.item.definition.name: one.error for one in outcomes if one.error}
    lines += [f"flavor {name}: {error}" for name, error in failed.items()]
    lines += [f"flavor {name} is not as it should be after it was changed" for name in unfinished if name not in failed]
    return "\n".join(lines)
