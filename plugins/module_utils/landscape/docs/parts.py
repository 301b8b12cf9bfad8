# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Pieces that several pages use."""

from __future__ import annotations

from collections.abc import Iterable

from ..finding import Finding
from ..model import DeviceModel, Item
from .markdown import Markup, Page, escape
from .model import Book


def device_link(book: Book, page: Page, name: str) -> Markup:
    """A device by name, as a link where it has a page of its own."""
    if name in book.view.devices and book.has("devices"):
        return page.link(name, f"devices/{name}.md")
    return escape(name)


def rack_link(book: Book, page: Page, name: str) -> Markup:
    """A rack by name, as a link where it has a page of its own."""
    if name in book.view.landscape.racks and book.has("racks"):
        return page.link(name, f"racks/{name}.md")
    return escape(name)


def product(model: DeviceModel | None) -> str:
    """Vendor and order code, where both are known."""
    return f"{model.vendor} {model.part_number}".strip() if model and model.part_number else ""


def counted(number: int, thing: str) -> str:
    """``1 rack``, ``2 racks``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def state_word(state: str) -> str:
    """The state of a device or cable; what is not in use stands out."""
    return state if state == "active" else Markup(f"**{state}**")


def finding_rows(book: Book, page: Page, findings: Iterable[Finding]) -> list[list[str]]:
    """Findings as rows: severity, rule, object, what, what to do (or why it is accepted)."""
    rows = []
    for finding in findings:
        section, _slash, name = finding.object.partition("/")
        shown = device_link(book, page, name) if section in ("hosts", "switches") else escape(finding.object)
        rows.append([finding.severity, finding.rule, shown, finding.message, finding.waived or finding.hint])
    return rows


def finish(book: Book, page: Page, items: Iterable[Item]) -> str:
    """The page as a file; ``items`` are what it was made from."""
    return page.render(book.sources(items), book.options.front_matter)
