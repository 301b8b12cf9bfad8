# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What lives and falls together, and what the machines are."""

from __future__ import annotations

from ..derive import ResolvedDevice
from ..model import DeviceModel, Environment, Item
from ..names import natural
from .markdown import Markup, Page
from .model import Book
from .parts import counted, device_link, finish


def environment_pages(book: Book) -> dict[str, str]:
    """``environments.md``."""
    environments = book.view.landscape.environments
    page = Page("environments.md", "Environments")
    for name in sorted(environments, key=natural):
        _environment(book, page, environments[name])
    lost = [one for one in book.devices if one.device.environment not in environments]
    if lost:
        page.heading("In no environment")
        page.bullets(device_link(book, page, one.name) for one in lost)
    items: list[Item] = [*environments.values(), *book.view.landscape.devices.values()]
    return {page.path: finish(book, page, items)}


def _environment(book: Book, page: Page, environment: Environment) -> None:
    networks = book.view.landscape.networks
    page.heading(environment.name)
    if environment.description:
        page.paragraph(environment.description)
    page.facts(
        (
            ("Protected", "yes, plays that can harm ask first" if environment.protected else "no, it may break"),
            ("Cables may lead to", ", ".join(sorted(environment.connects_to, key=natural))),
            (
                "Networks",
                ", ".join(
                    name for name in sorted(networks, key=natural) if networks[name].environment == environment.name
                ),
            ),
        )
    )
    by_role: dict[str, list[ResolvedDevice]] = {}
    for one in book.devices:
        if one.device.environment == environment.name:
            by_role.setdefault(one.device.role, []).append(one)
    rows = [(role, str(len(by_role[role])), _links(book, page, by_role[role])) for role in sorted(by_role, key=natural)]
    page.table(("Role", "Count", "Devices"), rows, right=(1,))


def _links(book: Book, page: Page, devices: list[ResolvedDevice]) -> Markup:
    return Markup(", ".join(device_link(book, page, one.name) for one in devices))


def model_pages(book: Book) -> dict[str, str]:
    """``models.md``."""
    models = book.view.landscape.device_models
    page = Page("models.md", "Device models")
    for name in sorted(models, key=natural):
        _model(book, page, models[name])
    items: list[Item] = [*models.values(), *book.view.landscape.devices.values()]
    return {page.path: finish(book, page, items)}


def _model(book: Book, page: Page, model: DeviceModel) -> None:
    devices = [one for one in book.devices if one.device.model == model.name]
    page.heading(model.name)
    if model.description:
        page.paragraph(model.description)
    firmware = ", ".join(f"{part} {model.firmware[part]}" for part in sorted(model.firmware, key=natural))
    page.facts(
        (
            ("Kind", model.kind),
            ("Vendor", model.vendor),
            ("Part number", model.part_number),
            ("Architecture", model.architecture),
            ("Height", counted(model.height, "unit")),
            ("Power supplies", ", ".join(model.psus)),
            ("Management controller", model.bmc),
            ("Firmware", firmware),
            ("SONiC hardware", model.sonic_hwsku),
            ("Devices", Markup(f"{len(devices)}: {_links(book, page, devices)}") if devices else "none"),
        )
    )
    rows = [
        (", ".join(group.names), ", ".join(group.aliases), group.use, group.speed, group.connector)
        for group in model.ports
    ]
    page.table(("Ports", "Labels", "Use", "Speed", "Connector"), rows)
