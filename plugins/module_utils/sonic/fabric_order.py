# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""In which order the switches of a fabric are changed, so that those who stand in for each other never go together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import InputError
from ..core.plan import Impact
from .order import natural

#: Kinds of redundancy groups in the order in which they are changed: what hosts hang on with two legs first, the
#: spines after it, and at last what nothing stands in for.
KINDS = ("leaf-pair", "pair", "quorum", "spine-set", "")


@dataclass(frozen=True)
class Group:
    """Switches that stand in for each other. ``kind`` as in a landscape: leaf-pair, spine-set, pair, quorum."""

    name: str
    kind: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Wave:
    """Switches that may be changed at the same time, and what is waited for before.

    :param kind: ``change``; ``new`` for switches that get their whole configuration, ``retired`` for those that lose it.
    """

    switches: tuple[str, ...]
    gate: str
    kind: str = "change"

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"switches": list(self.switches), "gate": self.gate, "kind": self.kind}


def waves(
    impacts: Mapping[str, Impact],
    groups: Iterable[Group] = (),
    parallel: int = 0,
    *,
    new: Iterable[str] = (),
    retired: Iterable[str] = (),
) -> tuple[Wave, ...]:
    """The order for a whole fabric.

    One switch goes first, alone. After it come those of one tier after the other; never two members of a group in one
    wave, spines one by one, switches in no group one by one. Before all of them come new switches, which carry nothing
    until their far ends expect them; after all of them retired ones, when no far end leads to them any more.

    :param impacts: what the change does, for every switch that changes.
    :param parallel: at most so many in one wave; 0: a third of all switches that change. Not for new and retired ones.
    :param new: switches that get their whole configuration.
    :param retired: switches that are taken out.
    :raises InputError: for a negative ``parallel``.
    """
    if parallel < 0:
        raise InputError(f"at most {parallel} switches at a time cannot be", hint="0 lets a third go together")
    known = tuple(groups)
    limit = parallel or max(1, len(impacts) // 3)
    order: list[tuple[str, ...]] = []
    for kind in KINDS:
        names = [name for name in impacts if _kind(name, known) == kind]
        names.sort(key=lambda name: (impacts[name], natural(name)))
        alone = kind in ("", "spine-set")
        order += _tier(names, known, 1 if alone else limit)
    if order and len(order[0]) > 1:
        first, rest = order[0][:1], order[0][1:]
        order[:1] = [first, rest]
    changing = [Wave(names, _gate(number, names, order, known)) for number, names in enumerate(order)]
    first, last = (tuple(sorted(names, key=natural)) for names in (new, retired))
    return _around(changing, first, last)


def _around(changing: list[Wave], first: tuple[str, ...], last: tuple[str, ...]) -> tuple[Wave, ...]:
    """The waves with new switches before them and retired ones after them."""
    found = list(changing)
    if first:
        if changing:
            gate = f"{', '.join(first)}: configured as a whole and verified; {changing[0].gate}"
            found[0] = Wave(changing[0].switches, gate)
        found.insert(0, Wave(first, "these switches answer; no far end leads traffic to them yet", "new"))
    if last:
        gate = "no session and no traffic leads to these switches any more"
        if changing:
            gate = f"{', '.join(changing[-1].switches)}: verified after the change; {gate}"
        found.append(Wave(last, gate, "retired"))
    return tuple(found)


def _kind(name: str, groups: tuple[Group, ...]) -> str:
    """The kind of the group a switch is in; of several the one that goes last."""
    kinds = [group.kind if group.kind in KINDS else "pair" for group in groups if name in group.members]
    return max(kinds, key=KINDS.index, default="")


def _together(one: str, other: str, groups: tuple[Group, ...]) -> bool:
    return not any(one in group.members and other in group.members for group in groups)


def _tier(names: list[str], groups: tuple[Group, ...], limit: int) -> list[tuple[str, ...]]:
    """Fills waves first come, first served."""
    made: list[list[str]] = []
    for name in names:
        fitting = (wave for wave in made if len(wave) < limit and all(_together(name, there, groups) for there in wave))
        wave = next(fitting, None)
        if wave is None:
            made.append([name])
        else:
            wave.append(name)
    return [tuple(sorted(wave, key=natural)) for wave in made]


def _gate(number: int, names: tuple[str, ...], order: list[tuple[str, ...]], groups: tuple[Group, ...]) -> str:
    done = [name for wave in order[:number] for name in wave]
    if not done:
        return "the partners of these switches forward; nothing else is being changed"
    partners = sorted(
        {name for group in groups if set(group.members) & set(names) for name in group.members if name in done},
        key=natural,
    )
    verified = ", ".join(partners) if partners else ", ".join(order[number - 1])
    return f"{verified}: verified after the change, links and sessions up"
