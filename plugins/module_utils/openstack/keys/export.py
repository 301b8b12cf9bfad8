# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Secrets into a file. Payloads are read last, when everything else is known, and sealed at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...core.errors import InputError
from ...core.plan import Plan, Step
from ...core.pool import Outcome, each
from . import bundle
from .barbican import Barbican
from .bundle import Bundle, Content
from .collect import Wanted
from .model import Secret
from .seal import Sealer


@dataclass(frozen=True)
class Export:
    """What an export would write.

    :param old: the bundle that is there.
    :param failed: why a secret cannot be had, by id: then nothing is written.
    """

    path: str
    wanted: Wanted
    secrets: Sequence[Secret]
    head: dict[str, Any]
    old: Bundle | None = None
    mode: bool = True
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        """One step, or none when the bundle is there."""
        if self.failed:
            return Plan()
        before = shown(self.old.head) if self.old else None
        if self.old and self.old.head == self.head and self.mode:
            return Plan()
        action = "update" if self.old else "create"
        if self.old and self.old.head == self.head:
            return Plan((Step(action, self.path, {"private": False}, {"private": True}),))
        return Plan((Step(action, self.path, before, shown(self.head), undo=f"remove {self.path}"),))


def shown(head: Any) -> dict[str, Any]:
    """What a plan says of a bundle: ids and counts."""
    return {
        "method": head["method"],
        "recipients": head["recipients"],
        "count": head["count"],
        "secrets": [one["id"] for one in head["secrets"]],
        "containers": list(head["containers"]),
    }


def prepare(barbican: Barbican, wanted: Wanted, sealer: Sealer, path: str, *, parallel: int, less: bool) -> Export:
    """What is to be written.

    :param less: a bundle that is there may be replaced by one that lacks some of its secrets.
    :raises InputError: the bundle that is there would lose secrets, or is something else.
    """
    old = bundle.kept(path)
    secrets, failed = _parted(each(wanted.keys, barbican.known, parallel))
    lost = sorted(set(old.keys) - set(wanted.keys)) if old else []
    if lost and not less:
        raise InputError(
            f"{path} holds secrets that the new bundle would not: {', '.join(lost)}",
            hint="They may be gone from Barbican. Write to another path, or allow_less",
        )
    head = bundle.head_of(secrets, wanted, sealer) if not failed else {}
    return Export(path, wanted, secrets, head, old, bundle.is_private(path) if old else True, failed)


def write(barbican: Barbican, todo: Export, sealer: Sealer, parallel: int) -> dict[str, str]:
    """Reads the payloads, seals them and writes the file; why a payload cannot be had, by id: then nothing is written."""
    outcomes = each(todo.secrets, lambda one: replace(one, payload=barbican.payload(one)), parallel)
    failed = {one.item.id: str(one.error) for one in outcomes if one.error}
    if failed:
        return failed
    content = Content([one.value for one in outcomes], todo.wanted.containers)
    bundle.write(todo.path, bundle.text(todo.head, content, sealer))
    return {}


def _parted(outcomes: Sequence[Outcome[str]]) -> tuple[list[Secret], dict[str, str]]:
    return (
        [one.value for one in outcomes if not one.error],
        {one.item: str(one.error) for one in outcomes if one.error},
    )
