# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The fabric as a page: who routes what, which networks travel over it, who hears of whom, the way out."""

from __future__ import annotations

from ..derive import ResolvedDevice
from ..fabric import ALL, SOME, hears, kind_of
from ..model import Environment, Item, Network
from ..names import natural
from .fabric_picture import fabric_picture
from .markdown import Markup, Page
from .model import Book
from .parts import device_link, finish

_WORDS = {ALL: "all", SOME: "part", "none": "–"}


def fabric_pages(book: Book) -> dict[str, str]:
    """``fabric.md`` and, where any switch has an AS number, ``fabric.svg``."""
    files: dict[str, str] = {}
    page = Page("fabric.md", "Fabric")
    routers = routed_switches(book)
    if book.options.svg and routers:
        files["fabric.svg"] = fabric_picture(book, routers)
        page.picture("Switches that route, environments, routing instances and networks", "fabric.svg")
    if not routers:
        page.paragraph("No switch has an AS number: nothing is routed between switches.")
    _switches(book, page, routers)
    _instances(book, page)
    _networks(book, page)
    _environments(book, page)
    _peerings(book, page)
    landscape = book.view.landscape
    items: list[Item] = [
        *landscape.switches.values(),
        *landscape.networks.values(),
        *landscape.vrfs.values(),
        *landscape.environments.values(),
        *landscape.peerings.values(),
    ]
    files[page.path] = finish(book, page, items)
    return files


def routed_switches(book: Book) -> list[tuple[str, ResolvedDevice]]:
    """Switches with an AS number and what they do, spines first."""
    order = {"spine": 0, "leaf": 1, "border": 2, "management": 3}
    found = [
        (kind_of(book.view, device), device)
        for device in book.devices
        if device.device.section == "switches" and device.asn is not None
    ]
    return sorted(found, key=lambda entry: (order[entry[0]], natural(entry[1].name)))


def _switches(book: Book, page: Page, routers: list[tuple[str, ResolvedDevice]]) -> None:
    rows = [
        (
            device_link(book, page, device.name),
            kind,
            str(device.asn),
            ", ".join(filter(None, (device.loopback_v4, device.loopback_v6))),
            str(len(device.neighbors)),
        )
        for kind, device in routers
    ]
    if rows:
        page.heading("Switches that route")
        page.table(("Switch", "Does", "AS number", "Loopback", "Sessions"), rows, right=(2, 4))


def _instances(book: Book, page: Page) -> None:
    vrfs = book.view.landscape.vrfs
    rows = [
        (name, _number(vrfs[name].vni), _number(vrfs[name].vlan), vrfs[name].description)
        for name in sorted(vrfs, key=natural)
    ]
    if rows:
        page.heading("Routing instances")
        page.table(("Name", "VNI", "VLAN", "Description"), rows, right=(1, 2))


def carried_networks(book: Book) -> list[Network]:
    """Networks that switches keep apart: by VLAN, VNI or routing instance."""
    networks = book.view.landscape.networks
    found = [network for network in networks.values() if network.vlan or network.vni or network.vrf]
    return sorted(found, key=lambda network: (natural(network.vrf), network.vlan or 0, natural(network.name)))


def _networks(book: Book, page: Page) -> None:
    rows = [
        (
            network.name,
            network.vrf,
            _number(network.vlan),
            _number(network.vni),
            ", ".join(filter(None, (network.v4, network.v6))),
            network.environment,
            Markup(", ".join(device_link(book, page, name) for name in sorted(network.routers, key=natural))),
        )
        for network in carried_networks(book)
    ]
    if rows:
        page.heading("Networks on the switches")
        page.table(
            ("Network", "Routing instance", "VLAN", "VNI", "Prefix", "Environment", "Routed by"), rows, right=(2, 3)
        )


def _environments(book: Book, page: Page) -> None:
    environments = sorted(book.view.landscape.environments.values(), key=lambda one: natural(one.name))
    if not any(one.separated or one.vrf or one.reaches for one in environments):
        return
    page.heading("Who hears of whom")
    page.paragraph(
        "A row lists whose routes the devices of an environment are given: all, part of them (those of the networks that "
        "are named), or none (–)."
    )
    page.table(
        ("Environment", "Routing instance", "Separated", "Default route", *(_plain(one.name) for one in environments)),
        [
            (
                one.name,
                one.vrf or "default",
                "yes" if one.separated else "no",
                "yes" if one.default_route or not one.separated else "no",
                *(_WORDS[hears(one, other)] for other in environments),
            )
            for one in environments
        ],
    )
    rows = [
        (one.name, reach.environment, ", ".join(sorted(reach.networks, key=natural)))
        for one in environments
        for reach in one.reaches
        if reach.networks
    ]
    page.table(("Environment", "Hears of", "These networks"), rows)


def _plain(name: str) -> str:
    """A name of an object needs no escaping in a head of a table; its pattern has no special characters."""
    return name


def _peerings(book: Book, page: Page) -> None:
    peerings = book.view.landscape.peerings
    rows = [
        (
            name,
            device_link(book, page, peerings[name].switch),
            peerings[name].port,
            str(peerings[name].asn),
            ", ".join(sorted(peerings[name].announces, key=natural)) or "nothing",
            ", ".join((*peerings[name].accepts_v4, *peerings[name].accepts_v6)) or "nothing",
        )
        for name in sorted(peerings, key=natural)
    ]
    if rows:
        page.heading("The way out")
        page.table(("Session", "Switch", "Port", "Their AS number", "We announce", "We take"), rows, right=(3,))


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


__all__ = ["Environment", "carried_networks", "fabric_pages", "routed_switches"]
