# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""One page and one elevation per rack."""

from __future__ import annotations

from ..derive import ResolvedDevice
from ..model import Item, Rack
from ..names import natural
from .markdown import Page
from .model import Book
from .parts import counted, device_link, finish, state_word
from .rack_picture import rack_picture, slots_of


def rack_pages(book: Book) -> dict[str, str]:
    """``racks/<rack>.md`` and ``.svg``."""
    files: dict[str, str] = {}
    for name, rack in sorted(book.view.landscape.racks.items(), key=lambda pair: natural(pair[0])):
        devices = book.in_rack.get(name, ())
        page = Page(f"racks/{name}.md", f"Rack {name}")
        _facts(book, page, rack)
        if book.options.svg:
            files[f"racks/{name}.svg"] = rack_picture(book, rack)
            page.picture(f"Elevation of rack {name}, front view", f"racks/{name}.svg")
        page.heading("Devices, from top to bottom")
        headers = ("Unit", "Device", "Role", "Model", "State", "Environment", "Serial number", "Management address")
        if not page.table(headers, [_row(book, page, resolved) for resolved in devices], right=(0,)):
            page.paragraph("The rack is empty.")
        items: list[Item] = [rack, *(resolved.device for resolved in devices)]
        files[page.path] = finish(book, page, items)
    return files


def _facts(book: Book, page: Page, rack: Rack) -> None:
    site = book.view.landscape.sites.get(rack.site)
    slots, _beside = slots_of(rack, book.in_rack.get(rack.name, ()))
    taken = {unit for slot in slots for unit in range(slot.unit, slot.unit + slot.height)}
    page.facts(
        (
            ("Description", rack.description),
            ("Site", rack.site),
            ("Address", site.address if site else ""),
            ("Contact", site.contact if site else ""),
            ("Height", f"{counted(rack.units, 'unit')}, {rack.units - len(taken)} free"),
            ("Power feeds", ", ".join(sorted(rack.feeds, key=natural))),
        )
    )


def _row(book: Book, page: Page, resolved: ResolvedDevice) -> list[str]:
    device = resolved.device
    height = resolved.model.height if resolved.model else 1
    unit = (
        "" if device.unit is None else str(device.unit) if height <= 1 else f"{device.unit}-{device.unit + height - 1}"
    )
    return [
        unit,
        device_link(book, page, device.name),
        device.role,
        device.model,
        state_word(device.state),
        device.environment,
        device.serial,
        resolved.oob_v4,
    ]
