# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Power: feeds, supplies, and what falls with a feed."""

from __future__ import annotations

from collections.abc import Sequence

from ..derive import ResolvedDevice
from ..model import Item
from ..names import natural
from .markdown import Markup, Page
from .model import Book, shelf
from .parts import device_link, finish
from .power_picture import feeds_of, matrix_picture, remark_on, summary_picture, supplies_of

#: What one picture can hold; beyond that there is one per rack and a summary.
MOST_DEVICES = 48
MOST_FEEDS = 6


def power_pages(book: Book) -> dict[str, str]:
    """``power.md`` and ``power.svg``; in a large landscape also ``power/<rack>.svg``."""
    page, files = Page("power.md", "Power"), {}
    if book.options.svg and book.devices:
        files["power.svg"] = _picture(book)
        page.picture("Feeds and the power supplies on them", "power.svg")
    _feeds(book, page)
    _falling(book, page)
    for rack, devices in book.in_rack.items():
        if not devices:
            continue
        page.heading(f"Rack {rack}" if rack else "In no rack")
        if book.options.svg and not _fits(book):
            name = f"power/{rack or '-'}.svg"
            files[name] = matrix_picture(book, f"Power of rack {rack}" if rack else "Power", devices, feeds_of(devices))
            page.picture(f"Power supplies of rack {rack}", name)
        rows = [row for resolved in devices for row in _rows(book, page, resolved)]
        page.table(("Device", "Supply", "Feed", "Remark"), rows)
    items: list[Item] = [*book.view.landscape.feeds.values(), *book.view.landscape.devices.values()]
    files[page.path] = finish(book, page, items)
    return files


def _fits(book: Book) -> bool:
    return len(book.devices) <= MOST_DEVICES and len(feeds_of(book.devices)) <= MOST_FEEDS


def _picture(book: Book) -> str:
    if _fits(book):
        feeds = sorted(set(book.view.landscape.feeds) | set(feeds_of(book.devices)), key=natural)
        return matrix_picture(book, "Power", sorted(book.devices, key=shelf), feeds)
    return summary_picture(book)


def _feeds(book: Book, page: Page) -> None:
    feeds = book.view.landscape.feeds
    rows = []
    for name in sorted(feeds, key=natural):
        racks = [
            rack
            for rack in sorted(book.view.landscape.racks, key=natural)
            if name in book.view.landscape.racks[rack].feeds
        ]
        count = sum(feed == name for resolved in book.devices for feed in supplies_of(resolved).values())
        rows.append((name, feeds[name].kind, feeds[name].site, ", ".join(racks), str(count), feeds[name].description))
    if rows:
        page.heading("Feeds")
        page.table(("Feed", "Kind", "Site", "Racks", "Supplies", "Description"), rows, right=(4,))


def _falling(book: Book, page: Page) -> None:
    """Which devices go dark with each feed."""
    dark: dict[str, list[str]] = {}
    for resolved in book.devices:
        feeds = set(supplies_of(resolved).values()) - {""}
        if len(feeds) == 1:
            dark.setdefault(feeds.pop(), []).append(device_link(book, page, resolved.name))
    page.heading("What goes dark with a feed")
    rows = [(feed, str(len(dark[feed])), Markup(", ".join(dark[feed]))) for feed in sorted(dark, key=natural)]
    if not page.table(("Feed", "Count", "Devices"), rows, right=(1,)):
        page.paragraph("Nothing: every device with a known feed has a second one.")


def _rows(book: Book, page: Page, resolved: ResolvedDevice) -> list[Sequence[str]]:
    remark = remark_on(resolved)
    shown = Markup(f"**{remark}**") if remark else ""
    return [
        (device_link(book, page, resolved.name), supply, feed or "not known", shown)
        for supply, feed in supplies_of(resolved).items()
    ]
