# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The order in which the rows of a change are written, so that SONiC can take every single one.

Parents are made before their children and removed after them. A field that daemons read only once (``create-only``)
means: remove the row and all that stands on it, then make them again. A port is shut before it is set up anew and opened
last. What two rows cannot have at the same time (a VNI, a lane, an address, the use of a port) is given back before it
is taken. Services and policies in use are replaced by making before breaking.
"""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ..core.errors import LandscapeError
from . import diff, filters, relations, tables
from .diff import Place, RowChange, Rows
from .model import ConfigDb, Row
from .order_tables import CAPACITY, MADE_AGAIN_FOR, MAKE_BEFORE_BREAK, RANKS, SHUT_FOR

#: Phases: what is written first when nothing else decides.
_SHUT, _BREAK, _MAKE, _BREAK_AFTER, _OPEN = range(5)
_NUMBERS = re.compile(r"([0-9]+)")
_LAST = len(RANKS)
#: Entries of lists and statements of maps are written together: of both first what denies, then what permits.
_FILTERS = RANKS["ROUTE_MAP"]


@dataclass(frozen=True)
class _Node:
    """One write of one row, and the phase it belongs to.

    :param part: of filters, which of the parts of :mod:`filters` it belongs to.
    """

    change: RowChange
    phase: int
    part: int = 0

    @property
    def sort_key(self) -> tuple[object, ...]:
        """Place in the order where no edge decides: by phase, then by table, then by key as people count."""
        own = rank = RANKS.get(self.change.table, _LAST)
        if self.change.table in filters.TABLES:
            rank = _FILTERS
        if self.phase in (_BREAK, _BREAK_AFTER):
            own, rank = -own, -rank
        return (self.phase, rank, self.part, own, self.change.table, natural(self.change.key))


def natural(text: str) -> tuple[tuple[int, str], ...]:
    """A key for sorting that counts numbers: ``Ethernet4`` before ``Ethernet48``."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBERS.split(text))


def ordered(before: ConfigDb, after: ConfigDb, ignore: Iterable[str] = ()) -> tuple[RowChange, ...]:
    """The writes that lead from one configuration to the other, one row each, in their order.

    :param ignore: tables that are left alone.
    :raises LandscapeError: when rows wait for each other in a circle; says which.
    """
    left_out = frozenset(ignore)
    old = {place: row for place, row in diff.rows_of(before).items() if place[0] not in left_out}
    new = {place: row for place, row in diff.rows_of(after).items() if place[0] not in left_out}
    again: set[Place] = set()
    while True:
        work = _Work(old, new, again)
        stuck = work.sort()
        if not stuck:
            return tuple(node.change for node in work.done)
        # Rows that exchange something they cannot both have: they give it back by being made again.
        exchange = {node.change.place for node in stuck if node.change.action == "update"} - again
        if not exchange:
            names = ", ".join(sorted({node.change.shown for node in stuck})[:6])
            raise LandscapeError(
                f"these rows wait for each other: {names}",
                hint="make the change in two parts, one row less in the first",
            )
        again |= exchange


class _Work:
    """One attempt: which writes there are, which wait for which, and the order that follows."""

    def __init__(self, old: Rows, new: Rows, again: set[Place]) -> None:
        self.old, self.new = old, new
        self.nodes: list[_Node] = []
        self.after: dict[int, set[int]] = defaultdict(set)
        self.made: dict[Place, int] = {}
        self.removed: dict[Place, int] = {}
        self.done: list[_Node] = []
        self.again = self._made_again(again)
        self.gone = frozenset(old.keys() - new.keys()) if self.again else frozenset()
        self.uses = filters.uses(row for rows in (old, new) for place, row in rows.items() if place[0] == "ROUTE_MAP")
        self._collect()
        self._connect()

    def _made_again(self, forced: set[Place]) -> frozenset[Place]:
        """Rows that are removed and made again: create-only fields, and every row that stands on such a row."""
        both = self.old.keys() & self.new.keys()
        again = {place for place in both if _create_only(place, self.old[place], self.new[place])}
        again |= forced & both
        if not again:
            return frozenset()
        children: dict[Place, list[Place]] = defaultdict(list)
        for place in both:
            for parent in relations.needs(place, self.old[place]) & relations.needs(place, self.new[place]):
                children[parent].append(place)
        queue = list(again)
        while queue:
            parent = queue.pop()
            for place in children[parent]:
                if place not in again and relations.without(place, self.old[place], frozenset({parent})) is None:
                    again.add(place)
                    queue.append(place)
        return frozenset(again)

    def _collect(self) -> None:
        for place in sorted(self.old.keys() | self.new.keys()):
            was, will = self.old.get(place), self.new.get(place)
            states = _states(place, was, will, place in self.again)
            if was is not None and will is not None and place not in self.again and self.again:
                states = self._around(place, was, will, states)
            earlier = None
            for one, other, phase in states:
                node = len(self.nodes)
                self.nodes.append(self._node(RowChange(*place, one, other), phase))
                if earlier is not None:
                    self.after[earlier].add(node)
                if one is None:
                    self.made[place] = node
                elif other is None:
                    self.removed[place] = node
                earlier = node

    def _node(self, change: RowChange, phase: int) -> _Node:
        if change.table not in filters.TABLES:
            return _Node(change, phase)
        part = filters.part(change, self.uses)
        # What turns to permit waits until everything that permitted is gone.
        return _Node(change, _BREAK_AFTER if part == 3 and change.action == "update" else phase, part)

    def _around(
        self, place: Place, was: Row, will: Row, states: list[tuple[Row | None, Row | None, int]]
    ) -> list[tuple[Row | None, Row | None, int]]:
        """A row with a list that names rows which are made again: leaves the list meanwhile."""
        less = relations.without(place, was, self.again | self.gone)
        if less is None:
            less = relations.without(place, was, self.again)
        if less is None or less == was:
            return states
        leaves: list[tuple[Row | None, Row | None, int]] = [(was, less, _BREAK)]
        return leaves if diff.equal(less, will) else [*leaves, (less, will, _MAKE)]

    def _connect(self) -> None:
        held: dict[str, list[tuple[int, str]]] = defaultdict(list)
        wanted: list[tuple[int, str, str]] = []
        for number, node in enumerate(self.nodes):
            change = node.change
            place = change.place
            needed_before = relations.needs(place, change.before) if change.before is not None else frozenset()
            needed_after = relations.needs(place, change.after) if change.after is not None else frozenset()
            for parent in needed_before - needed_after:
                if parent in self.removed:
                    self.after[number].add(self.removed[parent])
            for parent in needed_after - needed_before:
                if parent in self.made:
                    self.after[self.made[parent]].add(number)
            claimed_before = relations.claims(place, change.before) if change.before is not None else frozenset()
            claimed_after = relations.claims(place, change.after) if change.after is not None else frozenset()
            for resource, mode in claimed_before - claimed_after:
                held[resource].append((number, mode))
            wanted.extend((number, *claim) for claim in claimed_after - claimed_before)
        for number, resource, mode in wanted:
            for holder, other in held.get(resource, ()):
                if other != mode:
                    self.after[holder].add(number)
        self._keep_conditions()
        self._keep_apart()
        self._keep_capacity()

    def _keep_conditions(self) -> None:
        """Who asks for something that another row says comes after it is said, and goes before it is not."""
        moves: list[dict[relations.Said, list[int]]] = [defaultdict(list) for _kind in range(4)]
        said, unsaid, asked, unasked = moves
        for number, node in enumerate(self.nodes):
            place = node.change.place
            for look, more, less in ((relations.said, said, unsaid), (relations.asked, asked, unasked)):
                sides = [
                    look(place, row) if row is not None else frozenset()
                    for row in (node.change.before, node.change.after)
                ]
                for what in sides[1] - sides[0]:
                    more[what].append(number)
                for what in sides[0] - sides[1]:
                    less[what].append(number)
        for earlier, later in ((said, asked), (unasked, unsaid)):
            for what, numbers in earlier.items():
                for number in numbers:
                    self.after[number].update(later.get(what, ()))

    def _keep_apart(self) -> None:
        """No new statement permits by an old entry, no old one by a new entry: together they are nobody's policy."""
        entries: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, node in enumerate(self.nodes):
            if node.change.table == "PREFIX" and node.part == (1 if node.change.action == "create" else 2):
                entries[(node.change.key.partition("|")[0], node.change.action)].append(number)
        for number, node in enumerate(self.nodes):
            change = node.change
            if change.table != "ROUTE_MAP" or node.part not in (1, 2):
                continue
            for name in filters.lists_of(change.before or change.after or {}):
                if change.action == "create":
                    for entry in entries[(name, "delete")]:
                        self.after[entry].add(number)
                elif change.action == "delete":
                    self.after[number].update(entries[(name, "create")])

    def _keep_capacity(self) -> None:
        """Tables with a highest number of rows: so many old rows go first as new ones have no room."""
        for table, capacity in CAPACITY.items():
            order = sorted(
                (number for number, node in enumerate(self.nodes) if node.change.table == table),
                key=lambda number: self.nodes[number].sort_key,
            )
            count = sum(1 for place in self.old if place[0] == table)
            makes = [number for number in order if self.nodes[number].change.before is None]
            breaks = [number for number in order if self.nodes[number].change.after is None]
            for index, number in enumerate(makes):
                for broken in breaks[: max(0, count + index + 1 - capacity)]:
                    self.after[broken].add(number)

    def sort(self) -> list[_Node]:
        """Fills ``done``; returns the writes that wait for each other."""
        waiting = [0] * len(self.nodes)
        for followers in self.after.values():
            for number in followers:
                waiting[number] += 1
        ready = [(node.sort_key, number) for number, node in enumerate(self.nodes) if not waiting[number]]
        heapq.heapify(ready)
        while ready:
            _key, number = heapq.heappop(ready)
            self.done.append(self.nodes[number])
            for follower in self.after.get(number, ()):
                waiting[follower] -= 1
                if not waiting[follower]:
                    heapq.heappush(ready, (self.nodes[follower].sort_key, follower))
        return [node for number, node in enumerate(self.nodes) if waiting[number] > 0]


def _states(place: Place, was: Row | None, will: Row | None, again: bool) -> list[tuple[Row | None, Row | None, int]]:
    """The writes of one row as (before, after, phase)."""
    table = place[0]
    breaks = _BREAK_AFTER if table in MAKE_BEFORE_BREAK else _BREAK
    if was is None:
        return [] if will is None else [(None, will, _MAKE)]
    if will is None or again:
        shut = _shut(table, was)
        states: list[tuple[Row | None, Row | None, int]] = [] if shut is None else [(was, shut, _SHUT)]
        states.append((was if shut is None else shut, None, _BREAK if again else breaks))
        return states if will is None else [*states, (None, will, _MAKE)]
    if diff.equal(was, will):
        return []
    return _port_states(was, will) if table == "PORT" else [(was, will, _MAKE)]


def _port_states(was: Row, will: Row) -> list[tuple[Row | None, Row | None, int]]:
    """Shut, set up, open; each only when it is needed."""
    changed = {name for name in {**was, **will} if not diff.same(was.get(name), will.get(name))}
    up, stays_up = was.get("admin_status") == "up", will.get("admin_status") == "up"
    others = changed - {"admin_status"}
    states: list[tuple[Row | None, Row | None, int]] = []
    row = was
    if up and (not stays_up or others & SHUT_FOR):
        down = dict(was, admin_status=will.get("admin_status", "down") if not stays_up else "down")
        if not stays_up and "admin_status" not in will:
            del down["admin_status"]
        states.append((row, down, _SHUT))
        row = down
    if others:
        middle = dict(will)
        middle.pop("admin_status", None)
        if "admin_status" in row:
            middle["admin_status"] = row["admin_status"]
        states.append((row, middle, _MAKE))
        row = middle
    if not diff.equal(row, will):
        states.append((row, will, _OPEN))
    return states


def _shut(table: str, row: Row) -> Row | None:
    """The row of a port that is up, shut."""
    return dict(row, admin_status="down") if table == "PORT" and row.get("admin_status") == "up" else None


def _create_only(place: Place, was: Row, will: Row) -> bool:
    """Whether a field changes that the daemons read when the row is made."""
    once = tables.table(place[0]).create_only
    changed = {name for name in {**was, **will} if not diff.same(was.get(name), will.get(name))}
    return bool(changed & MADE_AGAIN_FOR.get(place[0], frozenset()) or ("*" in once and changed) or changed & set(once))
