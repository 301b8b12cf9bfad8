# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Cable lists for the people who plug: one table per switch, in the order of its ports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..derive import Link, ResolvedDevice
from ..model import Cable
from .markdown import Markup, Page
from .model import Book, Run
from .parts import device_link, finish, state_word

#: With more racks than this, each rack gets a page of its own.
RACKS_ON_ONE_PAGE = 4
CABLE_HEADERS = ("Port", "Label", "To", "Port", "Speed", "Kind", "State", "For")


def cable_pages(book: Book) -> dict[str, str]:
    """``cables.md``; in a landscape of many racks also ``cables/<rack>.md``."""
    page = Page("cables.md", "Cables")
    files: dict[str, str] = {}
    racks = {
        rack: [one for one in devices if one.device.section == "switches"] for rack, devices in book.in_rack.items()
    }
    page.paragraph("Every cable stands under each switch it ends in. What ends in no switch stands at the end.")
    if len(racks) > RACKS_ON_ONE_PAGE:
        page.table(("Rack", "Switches"), [_entry(book, page, rack, racks[rack]) for rack in racks if racks[rack]])
        for rack, switches in racks.items():
            if switches:
                files.update(_rack_page(book, rack, switches))
    else:
        for switch in [switch for switches in racks.values() for switch in switches]:
            _switch(book, page, switch, 2)
    others = [run for run in book.runs if not {run.near[0], run.far[0]} & set(book.view.landscape.switches)]
    if others:
        page.heading("Between other devices")
        page.table(
            ("From", "Port", "To", "Port", "Speed", "Kind", "State", "For"), [_run(book, page, run) for run in others]
        )
    files[page.path] = finish(book, page, book.view.landscape.cables)
    return files


def _entry(book: Book, page: Page, rack: str, switches: Sequence[ResolvedDevice]) -> Sequence[str]:
    names = Markup(", ".join(device_link(book, page, switch.name) for switch in switches))
    return page.link(rack or "in no rack", f"cables/{_file(rack)}"), names


def _file(rack: str) -> str:
    """Name of a rack's page; names begin with a letter or digit, so the one without a rack meets no other."""
    return f"{rack or '-'}.md"


def _rack_page(book: Book, rack: str, switches: Sequence[ResolvedDevice]) -> dict[str, str]:
    page = Page(f"cables/{_file(rack)}", f"Cables of rack {rack}" if rack else "Cables of switches in no rack")
    for switch in switches:
        _switch(book, page, switch, 2)
    cables = [link.cable for switch in switches for link, _run in book.runs_of[switch.name]]
    return {page.path: finish(book, page, cables or book.view.landscape.cables)}


def _switch(book: Book, page: Page, switch: ResolvedDevice, level: int) -> None:
    page.heading(switch.name, level)
    page.table(CABLE_HEADERS, cable_rows(book, page, switch), always=True)


def cable_rows(book: Book, page: Page, resolved: ResolvedDevice) -> Iterable[Sequence[str]]:
    """One row per cable of a device, as it is seen from there."""
    return [_link(book, page, resolved, link, run) for link, run in book.runs_of[resolved.name]]


def _link(book: Book, page: Page, resolved: ResolvedDevice, link: Link, run: Run) -> Sequence[str]:
    port = resolved.ports.get(link.port)
    return (
        link.port,
        port.alias if port else "",
        device_link(book, page, link.peer),
        link.peer_port,
        run.speed,
        run.kind,
        state_word(link.cable.state),
        _purpose(link.cable),
    )


def _run(book: Book, page: Page, run: Run) -> Sequence[str]:
    ends = [part for device, port in (run.near, run.far) for part in (device_link(book, page, device), port)]
    return (*ends, run.speed, run.kind, state_word(run.cable.state), _purpose(run.cable))


def _purpose(cable: Cable) -> str:
    words = (cable.group, f"aggregation {cable.lag}" if cable.lag else "", cable.description)
    return ", ".join(word for word in words if word)
