# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The landscape after a run as a picture: cables green where they are as written, red where not, grey where nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..cables import model as cables
from ..derive import View
from ..docs.model import Book, Options, Run, book_of
from ..docs.topology_layout import data_columns, management_columns
from ..docs.topology_picture import Look, Paint, run_id, topology_picture
from ..model import Cable
from ..names import natural, split_endpoint
from .machines import BROKEN, CHANGED, PENDING, UNKNOWN, Machine

GREEN, RED, GREY, PALE, AMBER = "#0f8a5f", "#c62828", "#8d99a3", "#c9d1d8", "#c27c0e"
AS_WRITTEN = Paint(2, GREEN, "", "as written")
NOT_ASKED = Paint(1, GREY, "6 4", "not known")
SILENT = Paint(0, PALE, "", "not seen by LLDP")
WRONG = Paint(3, RED, "7 5", "written, and not there")
FOUND = Paint(4, RED, "", "there, and not written")
_PAINTS = {cables.MATCHED: AS_WRITTEN, cables.UNKNOWN: NOT_ASKED}
IN_SESSION = Paint(2, GREEN, "", "BGP session established")
NO_SESSION = Paint(3, RED, "7 5", "BGP session down")
NO_ROUTER = Paint(0, PALE, "", "no BGP session expected")


def pictures(
    view: View,
    machines: Sequence[Machine],
    results: Iterable[Mapping[str, Any]] | None,
    sessions: Mapping[tuple[str, str], bool] | None = None,
) -> list[tuple[str, str]]:
    """Title and SVG of the network and, unless it is about sessions, of the management network.

    :param results: what :mod:`compare` found, as data; nothing when cables were not looked at.
    :param sessions: by switch and port whether the BGP session there is established: shown where no result of a cable is.
    """
    book = book_of(view, (), Options(title=view.landscape.title))
    look, extra = _look(book, machines, list(results) if results is not None else None)
    if results is None and sessions:
        look = Look({run_id(run): _session(run, sessions) for run in book.runs}, look.boxes)
    parts = [
        ("Network", data_columns(book), [run for run in book.runs if not run.out_of_band]),
        ("Management network", management_columns(book), [run for run in book.runs if run.out_of_band]),
    ]
    drawn = []
    for title, columns, runs in parts:
        shown = {name for column in columns for node in column.nodes for name in node.members}
        strange = [run for run in extra if run.out_of_band == (title != "Network")]
        strange = [run for run in strange if {run.near[0], run.far[0]} <= shown]
        if runs and not (results is None and sessions and title != "Network"):
            drawn.append((title, topology_picture(book, title, columns, [*runs, *strange], look)))
    return drawn


def _look(book: Book, machines: Sequence[Machine], results: list[Mapping[str, Any]] | None) -> tuple[Look, list[Run]]:
    colours = {**dict.fromkeys(BROKEN, RED), CHANGED: AMBER, PENDING: AMBER, UNKNOWN: GREY}
    boxes = {machine.name: colours[machine.state] for machine in machines if machine.state in colours}
    if results is None:
        return Look({run_id(run): SILENT for run in book.runs}, boxes), []
    found: dict[frozenset[str], Paint] = {}
    extra: list[Run] = []
    for result in results:
        paint = _PAINTS.get(str(result.get("kind")), WRONG)
        for cable in result.get("cables", ()):
            found[frozenset((cable["a"], cable["b"]))] = paint
        if paint is WRONG:
            extra += [_strange(book, link["a"], link["b"]) for link in result.get("seen", ())]
    lines = {run_id(run): found.get(_ends(run), SILENT) for run in book.runs}
    lines.update({run_id(run): FOUND for run in extra})
    return Look(lines, boxes), extra


def _session(run: Run, sessions: Mapping[tuple[str, str], bool]) -> Paint:
    """How a cable looks by the sessions at its ends: a host is not asked for its own."""
    found = [sessions[end] for end in (run.near, run.far) if end in sessions]
    return NO_ROUTER if not found else IN_SESSION if all(found) else NO_SESSION


def _ends(run: Run) -> frozenset[str]:
    return frozenset(("/".join(run.near), "/".join(run.far)))


def _strange(book: Book, a: str, b: str) -> Run:
    """A link that is there and not written, drawn as a cable."""
    ends = sorted((split_endpoint(a), split_endpoint(b)), key=lambda end: (natural(end[0]), natural(end[1])))
    devices = book.view.devices
    uses = []
    for name, port in ends:
        known = devices[name].ports.get(port) if name in devices else None
        uses.append(known.use if known else "")
    return Run(Cable(a=a, b=b), ends[0], ends[1], "", "", (uses[0], uses[1]))
