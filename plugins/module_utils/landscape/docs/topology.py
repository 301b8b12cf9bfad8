# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Who is connected to whom, as pictures and tables."""

from __future__ import annotations

from ..model import Item
from ..names import natural
from .markdown import Markup, Page
from .model import Book, Run
from .parts import device_link, finish, state_word
from .topology_layout import data_columns, management_columns
from .topology_picture import topology_picture


def topology_pages(book: Book) -> dict[str, str]:
    """``topology.md``, ``topology.svg`` (the network) and ``management.svg`` (what everything is managed through)."""
    files: dict[str, str] = {}
    data = [run for run in book.runs if not run.out_of_band]
    management = [run for run in book.runs if run.out_of_band]
    page = Page("topology.md", "Topology")
    if book.options.svg and book.devices:
        page.heading("Network")
        files["topology.svg"] = topology_picture(book, "Network", data_columns(book), data)
        page.picture("Who is connected to whom", "topology.svg")
        page.heading("Management network")
        files["management.svg"] = topology_picture(book, "Management network", management_columns(book), management)
        page.picture("What everything is managed through", "management.svg")
    _groups(book, page)
    _switches(book, page, data)
    _hosts(book, page)
    landscape = book.view.landscape
    items: list[Item] = [*landscape.devices.values(), *landscape.cables, *landscape.redundancy_groups.values()]
    files[page.path] = finish(book, page, items)
    return files


def _groups(book: Book, page: Page) -> None:
    groups = book.view.landscape.redundancy_groups
    rows = [
        (name, groups[name].kind, _list(book, page, groups[name].members), groups[name].description)
        for name in sorted(groups, key=natural)
    ]
    if rows:
        page.heading("Devices that stand in for each other")
        page.table(("Group", "Kind", "Members", "Description"), rows)


def _list(book: Book, page: Page, names: tuple[str, ...]) -> Markup:
    return Markup(", ".join(device_link(book, page, name) for name in sorted(names, key=natural)))


def _switches(book: Book, page: Page, data: list[Run]) -> None:
    switches = book.view.landscape.switches
    rows = [
        (
            device_link(book, page, run.near[0]),
            run.near[1],
            device_link(book, page, run.far[0]),
            run.far[1],
            run.speed,
            state_word(run.cable.state),
        )
        for run in data
        if run.near[0] in switches and run.far[0] in switches
    ]
    if rows:
        page.heading("Between switches")
        page.table(("Switch", "Port", "Switch", "Port", "Speed", "State"), rows)


def _hosts(book: Book, page: Page) -> None:
    rows = []
    for resolved in book.devices:
        if resolved.device.section == "hosts":
            found = [(link, run) for link, run in book.runs_of[resolved.name] if not run.out_of_band]
            links = [
                Markup(
                    f"{link.port} → {device_link(book, page, link.peer)} {link.peer_port}" + _suffix(link.cable.state)
                )
                for link, _run in found
            ]
            asn = "" if resolved.asn is None else str(resolved.asn)
            rows.append((device_link(book, page, resolved.name), asn, Markup("<br/>".join(links))))
    if rows:
        page.heading("Hosts")
        page.table(("Host", "AS number", "Links"), rows)


def _suffix(state: str) -> str:
    return "" if state == "active" else f" ({state})"
