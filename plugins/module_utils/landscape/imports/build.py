# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Puts the tables of an import together: tables and settings in, a landscape document and the account of it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import networks
from .cables import Cables
from .columns import KINDS, Layout, layout_of
from .derived import settle
from .devices import Devices, observe, observe_uplinks, read_groups
from .draft import Draft
from .ledger import Ledger, Report
from .settings import Settings
from .tables import Row, Table


@dataclass(frozen=True)
class Imported:
    """The outcome of an import.

    :param document: the landscape as plain data.
    :param observed: by table: observed facts as plain data, in the format of :mod:`landscape.observed`.
    :param reports: all remarks; every row that was not used has one.
    :param counts: by table and in total: rows, used, merged, unused.
    """

    document: dict[str, Any]
    observed: dict[str, dict[str, Any]]
    reports: tuple[Report, ...]
    counts: Mapping[str, Mapping[str, int]]


def from_tables(tables: list[Table], settings: Settings) -> Imported:
    """The landscape that tables describe. Bad rows end in reports, never in an exception."""
    ledger = Ledger()
    draft = Draft(settings, ledger)
    found = _classified(tables, settings, ledger)
    devices = Devices(draft)
    cables = Cables(draft, devices.is_ours)
    for kind in ("networks", "ranges", "devices", "racks", "power"):
        for layout, rows in found.get(kind, ()):
            if "landscape" in layout.into:
                _read(kind, draft, devices, layout, rows)
    _observe(found, draft)
    devices.finish()
    settle(draft, devices.stated)
    for layout, rows in found.get("groups", ()):
        if "landscape" in layout.into:
            read_groups(draft, layout, rows, observed=False)
    for layout, rows in found.get("cables", ()):
        cables.read(layout, rows)
    cables.finish()
    ledger.close()
    document = {key: value for key, value in draft.document.items() if value not in ({}, [], None)}
    return Imported(document, draft.observed, tuple(ledger.reports), ledger.counts())


def _classified(tables: list[Table], settings: Settings, ledger: Ledger) -> dict[str, list[tuple[Layout, list[Row]]]]:
    """Tables by kind; what is no kind is reported row by row."""
    found: dict[str, list[tuple[Layout, list[Row]]]] = {}
    for table in tables:
        rows = ledger.open(table)
        layout = layout_of(table, settings.tables)
        if layout is None:
            for row in rows:
                ledger.refuse(row, "the columns fit no kind of table (" + ", ".join(KINDS) + ")")
            continue
        if layout.ignored:
            ledger.column(table, "no field takes " + ", ".join(layout.ignored))
        found.setdefault(layout.kind, []).append((layout, rows))
    return found


def _read(kind: str, draft: Draft, devices: Devices, layout: Layout, rows: list[Row]) -> None:
    if kind == "networks":
        networks.read_networks(draft, layout, rows)
    elif kind == "ranges":
        networks.read_ranges(draft, layout, rows)
    elif kind == "power":
        devices.read_power(layout, rows)
    else:
        devices.read(layout, rows)


def _observe(found: dict[str, list[tuple[Layout, list[Row]]]], draft: Draft) -> None:
    """Tables whose facts are kept beside the landscape."""
    for kind in ("racks", "devices", "host_vars"):
        for layout, rows in found.get(kind, ()):
            if "observed" in layout.into:
                observe(draft, layout, rows)
    for layout, rows in found.get("uplinks", ()):
        observe_uplinks(draft, layout, rows)
    for layout, rows in found.get("groups", ()):
        if "observed" in layout.into:
            read_groups(draft, layout, rows, observed=True)


def summary(imported: Imported) -> list[str]:
    """A warning per table of which rows were not used, for the operator's eye."""
    return [
        f"{name}: {counted['unused']} of {counted['rows']} rows could not be used, see reports"
        for name, counted in imported.counts.items()
        if counted["unused"] and name != "total"
    ]
