# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The landscape while it is being put together, and the tools that all tables share."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import Any, Callable

from ..model import Landscape
from ..schema import TEXT_LIMIT
from .cells import BadCell, slug, text
from .columns import Layout
from .ledger import Ledger
from .settings import Settings, as_landscape
from .tables import Row


class Draft:
    """A landscape document in the making.

    :ivar document: sections as plain data; what the base says is in it from the start and wins over the tables.
    :ivar observed: by table: a document of observed facts.
    """

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.settings = settings
        self.ledger = ledger
        self.document: dict[str, Any] = {"version": 1, **copy.deepcopy(settings.base)}
        self.known: Landscape = as_landscape(self.document)
        self.observed: dict[str, dict[str, Any]] = {}
        self._origins: dict[tuple[str, str, str], str] = {}
        self._sources: dict[tuple[str, str], list[str]] = {}

    def section(self, name: str) -> dict[str, Any]:
        """A section of the document, made when it is not there."""
        found: dict[str, Any] = self.document.setdefault(name, {})
        return found

    def named(self, kind: str, name: str, row: Row, stub: Callable[[], dict[str, Any]]) -> str:
        """Makes sure that a section has an object; a new one is a stub, and the ledger says so."""
        if name not in self.section(kind):
            self.section(kind)[name] = stub()
            self.ledger.note(row, f"{kind}/{name} was not known and is made up from the table")
        return name

    def put(self, section: str, name: str, field: str, value: Any, row: Row) -> None:
        """Sets a field once; another value later is a contradiction, texts are joined."""
        target = self.section(section).setdefault(name, {})
        place = (section, name, field)
        if field not in target:
            target[field] = value
            self._origins[place] = row.origin
        elif field == "description":
            if str(value) not in str(target[field]).split("; "):
                target[field] = f"{target[field]}; {value}"[:1000]
        elif target[field] != value:
            before = f"{self._origins.get(place, 'the base')} says {_brief(target[field])}"
            self.ledger.contradiction(row, f"{section}/{name}: {field} is {_brief(value)}, but {before}")

    def add_origin(self, section: str, name: str, row: Row) -> None:
        """Notes that a row speaks of an object."""
        sources = self._sources.setdefault((section, name), [])
        sources.append(row.origin)
        self.section(section).setdefault(name, {})["origin"] = origin_of(sources)

    def read(self, row: Row, layout: Layout, field: str, parse: Callable[[str], Any]) -> Any:
        """The value of a field of a row, or nothing; a cell that cannot be read is reported.

        When several columns give the field, a second and different value is a contradiction.
        """
        values: list[Any] = []
        for cell in layout.cells(row.cells, field):
            if not text(cell):
                continue
            try:
                value = parse(cell)
            except BadCell as error:
                self.ledger.cell(row, f"{field}: {error}")
                continue
            if values and value != values[0]:
                self.ledger.contradiction(row, f"{field} is {_brief(values[0])} and {_brief(value)} in one row")
            values.append(value)
        return values[0] if values else None

    def choice(self, row: Row, layout: Layout, field: str, names: dict[str, str]) -> str:
        """A cell as the name of an object: as the mapping says, or by comparing without case and punctuation.

        :param names: what an object may be called to its name.
        """
        cell = text(layout.cell(row.cells, field))
        if not cell:
            return ""
        told = self.settings.values.get(field, {}).get(cell)
        if told is not None:
            return told
        return names.get(folded(cell), "")

    def facts(self, row: Row, name: str) -> dict[str, Any]:
        """The observed facts about a device from the table of a row."""
        source = self.observed.setdefault(row.file, {"title": row.file, "devices": {}})
        found: dict[str, Any] = source["devices"].setdefault(name, {"origin": row.origin})
        return found


def origin_of(origins: Iterable[str]) -> str:
    """Several origins as one text: ``power.csv:41, power.csv:42, groups.csv:70-75``; what a field cannot hold is cut."""
    parts: list[str] = []
    run: list[str] = []
    for origin in [*dict.fromkeys(origins), ""]:
        if run and not _follows(run[-1], origin):
            parts += run if len(run) < 3 else [f"{run[0]}-{run[-1].rpartition(':')[2]}"]
            run = []
        run.append(origin)
    text = ", ".join(parts)
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 5].rpartition(", ")[0] + ", ..."


def _follows(before: str, origin: str) -> bool:
    file, _colon, line = before.rpartition(":")
    return line.isdecimal() and origin == f"{file}:{int(line) + 1}"


def folded(name: str) -> str:
    """A name for comparison: letters and digits alone, lower case."""
    return re.sub(r"[^a-z0-9]+", "", name.lower())


def model_names(landscape: Landscape) -> dict[str, str]:
    """What a device model may be called: by its name, its order code, or vendor and order code."""
    names: dict[str, str] = {}
    for name, model in landscape.device_models.items():
        for spelling in (name, model.part_number, model.vendor + model.part_number):
            if spelling:
                names.setdefault(folded(spelling), name)
    return names


def kind_guess(text: str) -> str:
    """``switch`` or ``server``, by the words people use for switches."""
    return "switch" if re.search(r"switch|leaf|spine|router|\btor\b|(?<![a-z])sw\d", text.lower()) else "server"


def role_names(landscape: Landscape) -> dict[str, str]:
    """What a role may be called in a column of a table: its name."""
    return {folded(name): name for name in landscape.roles}


def role_spelled(landscape: Landscape, spelling: str) -> str:
    """The role whose spelling inside device names this is; the first one of several, or nothing."""
    return next((name for name, role in landscape.roles.items() if spelling in (role.names or (name,))), "")


def as_slug(cell: str) -> str | None:
    """A cell as a name of our own, or nothing when no letter is left."""
    try:
        return slug(cell)
    except BadCell:
        return None


def _brief(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
