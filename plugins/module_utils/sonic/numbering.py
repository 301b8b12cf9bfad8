# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Numbers of prefix list entries and route map statements: what a switch has keeps the number it has there.

Only the order of the numbers says something, and in a list with one action not even that. Whoever numbers anew for one
entry more rewrites all that follow it. FRR refuses an entry as long as the list has the same prefix and range under
another number (``plist_is_dup`` of lib/filter_nb.c), and a statement that is overwritten lets routes pass meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Optional

from .model import SEPARATOR, ConfigDb, Row

#: Highest numbers: of a route map's statement, of a prefix list's entry.
_HIGHEST = {"ROUTE_MAP": 65535, "PREFIX": 4294967295}
#: Between numbers that are made here.
_STEP = 10
#: Where numbers are far apart, no more than so many of them are looked at.
_NEAR = 10000
#: So many pairs of entries are compared at most: a tenth of a second.
_PAIRS = 250000
#: An entry: its number, what it says, and its row.
_Entry = tuple[int, Any, Row]
_Numbers = Optional[list[int]]


def kept(before: ConfigDb, after: ConfigDb) -> ConfigDb:
    """The configuration ``after`` with the numbers of ``before`` wherever they mean the same; new entries get free ones."""
    changed = {}
    for table, split, join in (("PREFIX", _entry, _entry_key), ("ROUTE_MAP", _statement, _statement_key)):
        if table in before and table in after:
            rows = _table(before[table], after[table], table, split, join)
            if rows is not None:
                changed[table] = rows
    return {**after, **changed} if changed else after


def _table(
    old: dict[str, Row],
    new: dict[str, Row],
    table: str,
    split: Callable[[str, Row], tuple[str, int, Any] | None],
    join: Callable[[str, int, Any], str],
) -> dict[str, Row] | None:
    """The rows of a table with the numbers of the old ones; nothing when they have them already."""
    sides: list[dict[str, list[_Entry]]] = [defaultdict(list), defaultdict(list)]
    rest = {}
    for side, rows in zip(sides, (old, new)):
        for key, row in rows.items():
            parts = split(key, row)
            if parts is not None:
                side[parts[0]].append((parts[1], parts[2], row))
            elif rows is new:
                rest[key] = row
    made, moved = rest, False
    for name, entries in sides[1].items():
        entries.sort(key=lambda entry: entry[0])
        there = sorted(sides[0].get(name, ()), key=lambda entry: entry[0])
        numbers = _numbers(there, entries, table) if there else None
        for (number, said, row), given in zip(entries, numbers or [entry[0] for entry in entries]):
            moved = moved or given != number
            made[join(name, given, said)] = row
    return made if moved else None


def _entry(key: str, row: Row) -> tuple[str, int, Any] | None:
    """Name, number and meaning of an entry of a prefix list."""
    parts = key.split(SEPARATOR)
    if len(parts) != 4 or not _is_number(parts[1]):
        return None
    return parts[0], int(parts[1]), (parts[2], parts[3], str(row.get("action", "")))


def _entry_key(name: str, number: int, said: Any) -> str:
    return SEPARATOR.join((name, str(number), said[0], said[1]))


def _statement(key: str, row: Row) -> tuple[str, int, Any] | None:
    """Name, number and meaning of a statement: all of it that decides whether a route passes."""
    name, _bar, number = key.partition(SEPARATOR)
    if not _is_number(number):
        return None
    said = (
        (field, tuple(sorted(value)) if isinstance(value, list) else value)
        for field, value in row.items()
        if not field.startswith("set_") and field != "NULL"
    )
    return name, int(number), tuple(sorted(said))


def _statement_key(name: str, number: int, _said: Any) -> str:
    return f"{name}{SEPARATOR}{number}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _numbers(old: Sequence[_Entry], new: Sequence[_Entry], table: str) -> _Numbers:
    """A number for every new entry; nothing where there is none to be had: then those that were given stay."""
    said = [entry[1] for entry in new]
    if [entry[:2] for entry in old] == [entry[:2] for entry in new]:
        return None
    if len(set(said)) != len(said) and table == "PREFIX":
        return None  # one of them is refused anyhow: lint says which
    if table == "PREFIX" and len({entry[1][2] for entry in (*old, *new)}) == 1:
        return _any_order(old, new, _HIGHEST[table])
    return _in_order(old, new, _HIGHEST[table])


def _any_order(old: Sequence[_Entry], new: Sequence[_Entry], highest: int) -> _Numbers:
    """Entries with one action: each keeps its number, wherever it stands."""
    there = {said: number for number, said, _row in reversed(old)}
    taken = {entry[0] for entry in old}
    numbers = []
    for number, said, _row in new:
        if said in there:
            numbers.append(there[said])
            continue
        given = number if number not in taken else _above(max(taken))
        if given > highest:
            return None
        taken.add(given)
        numbers.append(given)
    return numbers


def _in_order(old: Sequence[_Entry], new: Sequence[_Entry], highest: int) -> _Numbers:
    """Entries whose order counts: as many as possible keep their numbers, the others are fitted in between."""
    pairs = _common([entry[1] for entry in old], [entry[1] for entry in new])
    fixed = {mine: old[theirs][0] for theirs, mine in pairs}
    taken = {entry[0] for entry in old}
    numbers: list[int] = []
    index = 0
    while index < len(new):
        if index in fixed:
            numbers.append(fixed[index])
            index += 1
            continue
        end = index
        while end < len(new) and end not in fixed:
            end += 1
        low = numbers[-1] if numbers else 0
        room = _between(low, fixed[end], end - index, taken) if end < len(new) else None
        if room is None:  # at the end, or no room: all that follows goes behind everything
            fixed, end = {}, len(new)
            room = _behind([entry[0] for entry in new[index:]], low, taken)
        numbers += room
        index = end
    return numbers if all(number <= highest for number in numbers) else None


def _between(low: int, high: int, count: int, taken: set[int]) -> _Numbers:
    """So many free numbers between two, evenly spread; nothing when there are not enough."""
    free = [number for number in range(low + 1, min(high, low + _NEAR)) if number not in taken]
    if len(free) < count:
        return None
    return [free[(place + 1) * len(free) // (count + 1)] for place in range(count)] if count < len(free) else free


def _behind(wished: list[int], low: int, taken: set[int]) -> list[int]:
    """The wished numbers when they are free and behind the last one; else new ones behind everything."""
    if wished[0] > low and not taken & set(wished):
        return wished
    first = _above(max(taken | {low}))
    return [first + place * _STEP for place in range(len(wished))]


def _above(number: int) -> int:
    """The next round number."""
    return number - number % _STEP + _STEP


def _common(old: list[Any], new: list[Any]) -> list[tuple[int, int]]:
    """The longest common subsequence, as pairs of places; of long lists that differ much only both ends."""
    start, shorter = 0, min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    inner = _inner(old[start : len(old) - end], new[start : len(new) - end])
    return [
        *((place, place) for place in range(start)),
        *((one + start, other + start) for one, other in inner),
        *((len(old) - place, len(new) - place) for place in range(end, 0, -1)),
    ]


def _inner(old: list[Any], new: list[Any]) -> list[tuple[int, int]]:
    if not old or not new or len(old) * len(new) > _PAIRS:
        return []
    best = [[0] * (len(new) + 1) for _row in range(len(old) + 1)]
    for one in range(len(old) - 1, -1, -1):
        for other in range(len(new) - 1, -1, -1):
            longer = max(best[one + 1][other], best[one][other + 1])
            best[one][other] = best[one + 1][other + 1] + 1 if old[one] == new[other] else longer
    pairs = []
    one = other = 0
    while one < len(old) and other < len(new):
        if old[one] == new[other]:
            pairs.append((one, other))
            one, other = one + 1, other + 1
        elif best[one + 1][other] >= best[one][other + 1]:
            one += 1
        else:
            other += 1
    return pairs
