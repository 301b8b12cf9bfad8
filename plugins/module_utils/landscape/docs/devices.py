# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""One page per device: everything there is to know about it."""

from __future__ import annotations

from ..derive import ResolvedDevice
from ..model import Item
from ..names import natural
from .cables import CABLE_HEADERS, cable_rows
from .markdown import Markup, Page, code
from .model import Book
from .parts import device_link, finding_rows, finish, product, rack_link, state_word


def device_pages(book: Book) -> dict[str, str]:
    """``devices/<name>.md`` for every host and switch."""
    return dict(_device(book, resolved) for resolved in book.devices)


def _device(book: Book, resolved: ResolvedDevice) -> tuple[str, str]:
    device = resolved.device
    page = Page(f"devices/{device.name}.md", device.name)
    if device.description:
        page.paragraph(device.description)
    _placement(book, page, resolved)
    _addresses(page, resolved)
    _power(page, resolved)
    page.heading("Cables")
    page.table(CABLE_HEADERS, cable_rows(book, page, resolved), always=True)
    _neighbors(book, page, resolved)
    _findings(book, page, resolved)
    items: list[Item] = [device, *(link.cable for link in resolved.links)]
    if resolved.model is not None:
        items.append(resolved.model)
    return page.path, finish(book, page, items)


def _placement(book: Book, page: Page, resolved: ResolvedDevice) -> None:
    device = resolved.device
    role = resolved.role.description if resolved.role else ""
    unit = "" if device.unit is None else f", unit {device.unit}"
    made = product(resolved.model)
    page.facts(
        (
            ("State", state_word(device.state)),
            ("Role", f"{device.role}: {role}" if role else device.role),
            ("Environment", device.environment),
            ("Rack", Markup(f"{rack_link(book, page, device.rack)}{unit}") if device.rack else ""),
            ("Model", f"{device.model} ({made})" if made else device.model),
            ("Serial number", device.serial),
            ("Operating system", device.os),
            ("Serial console", device.console),
            ("Delivered", device.delivered),
            ("Groups", ", ".join(sorted(resolved.groups, key=natural))),
        )
    )


def _addresses(page: Page, resolved: ResolvedDevice) -> None:
    device = resolved.device
    network = resolved.oob_network.name if resolved.oob_network else ""
    port = ", ".join(part for part in (f"port {resolved.oob_port}" if resolved.oob_port else "", network) if part)
    rows = [
        ("Index", "" if device.index is None else str(device.index), ""),
        ("Management", code(resolved.oob_v4), port),
        ("Loopback", code(resolved.loopback_v4), ""),
        ("Loopback", code(resolved.loopback_v6), ""),
        ("AS number", "" if resolved.asn is None else str(resolved.asn), ""),
    ]
    rows += [("MAC address", code(device.macs[name]), f"port {name}") for name in sorted(device.macs, key=natural)]
    shown = [row for row in rows if row[1]]
    if shown:
        page.heading("Addresses")
        page.table(("What", "Value", "Where"), shown)
    if device.override_reason:
        page.paragraph("Not derived: ", device.override_reason)


def _power(page: Page, resolved: ResolvedDevice) -> None:
    power = resolved.device.power
    supplies = set(power) | set(resolved.model.psus if resolved.model else ())
    if supplies:
        page.heading("Power")
        page.table(("Supply", "Feed"), [(name, power.get(name, "not known")) for name in sorted(supplies, key=natural)])


def _neighbors(book: Book, page: Page, resolved: ResolvedDevice) -> None:
    rows = [
        (neighbor.interface, device_link(book, page, neighbor.peer), str(neighbor.remote_asn))
        for neighbor in sorted(resolved.neighbors, key=lambda one: (natural(one.interface), natural(one.peer)))
    ]
    if resolved.asn is not None:
        page.heading("BGP neighbours")
        page.table(("Interface", "Neighbour", "Its AS number"), rows, always=True)


def _findings(book: Book, page: Page, resolved: ResolvedDevice) -> None:
    refs = [resolved.device.ref, *(link.cable.ref for link, _run in book.runs_of[resolved.name])]
    found = [finding for ref in dict.fromkeys(refs) for finding in book.findings_of.get(ref, ())]
    if found:
        page.heading("Findings")
        page.table(("Severity", "Rule", "Object", "What", "What to do"), finding_rows(book, page, found))
