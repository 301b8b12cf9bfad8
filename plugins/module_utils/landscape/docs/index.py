# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The first page: what there is, what is wrong with it, where to go on."""

from __future__ import annotations

from collections import Counter

from ..model import Item
from ..names import natural
from .markdown import Markup, Page
from .model import Book
from .parts import finding_rows, finish, rack_link

#: Pages that stand alone: section, file, what it shows.
_PAGES: tuple[tuple[str, str, str, str], ...] = (
    ("topology", "topology.md", "Topology", "who is connected to whom"),
    ("fabric", "fabric.md", "Fabric", "who routes what, and who may hear of whom"),
    ("cables", "cables.md", "Cables", "every cable, by rack and device"),
    ("power", "power.md", "Power", "feeds, power supplies, and what falls with a feed"),
    ("addresses", "addresses.md", "Addresses", "every network with its addresses in order"),
    ("environments", "environments.md", "Environments", "what lives and falls together"),
    ("models", "models.md", "Device models", "makes of machines and their ports"),
)


def index_page(book: Book) -> dict[str, str]:
    """``index.md``."""
    landscape = book.view.landscape
    page = Page("index.md", book.title)
    if landscape.description:
        page.paragraph(landscape.description)
    _counts(book, page)
    _links(book, page)
    _findings(book, page)
    items: list[Item] = [landscape, *landscape.racks.values(), *landscape.devices.values(), *landscape.cables]
    return {page.path: finish(book, page, items)}


def _counts(book: Book, page: Page) -> None:
    landscape = book.view.landscape
    states = Counter(resolved.device.state for resolved in book.devices)
    rest = ", ".join(f"{states[state]} {state}" for state in ("planned", "retired") if states[state])
    page.facts(
        (
            ("Hosts", str(len(landscape.hosts))),
            ("Switches", str(len(landscape.switches))),
            ("Not in service", rest),
            ("Racks", str(len(landscape.racks))),
            ("Cables", str(len(landscape.cables))),
            ("Networks", str(len(landscape.networks))),
            ("Environments", ", ".join(sorted(landscape.environments, key=natural))),
        )
    )


def _links(book: Book, page: Page) -> None:
    page.heading("Pages")
    entries = [
        Markup(f"{page.link(title, target)}: {what}") for section, target, title, what in _PAGES if book.has(section)
    ]
    racks = sorted(book.view.landscape.racks, key=natural)
    if racks and book.has("racks"):
        entries.append(Markup("Racks: " + ", ".join(rack_link(book, page, name) for name in racks)))
    page.bullets(entries)
    if len(racks) == 1 and book.has("racks") and book.options.svg:
        page.picture(f"Elevation of rack {racks[0]}, front view", f"racks/{racks[0]}.svg")
    if book.has("devices"):
        _devices(book, page)


def _devices(book: Book, page: Page) -> None:
    page.heading("Devices")
    by_role: dict[str, list[str]] = {}
    for resolved in book.devices:
        by_role.setdefault(resolved.device.role, []).append(page.link(resolved.name, f"devices/{resolved.name}.md"))
    rows = [(role, str(len(by_role[role])), Markup(", ".join(by_role[role]))) for role in sorted(by_role, key=natural)]
    page.table(("Role", "Count", "Devices"), rows, right=(1,))


def _findings(book: Book, page: Page) -> None:
    page.heading("Findings")
    counted = [finding for finding in book.findings if not finding.waived]
    waived = [finding for finding in book.findings if finding.waived]
    if not page.table(("Severity", "Rule", "Object", "What", "What to do"), finding_rows(book, page, counted)):
        page.paragraph("None: nothing in the landscape contradicts itself.")
    if waived:
        page.heading("Looked at and accepted", 3)
        page.table(("Severity", "Rule", "Object", "What", "Why it is accepted"), finding_rows(book, page, waived))
