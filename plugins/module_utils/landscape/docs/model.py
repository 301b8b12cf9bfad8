# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What the pages are made of: the view, in the one order in which everything is shown."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..derive import Link, ResolvedDevice, View
from ..finding import SEVERITIES, Finding
from ..model import SPEEDS, Cable, Item
from ..names import natural, split_endpoint
from .tables import COLOURS, PATTERNS, SECTIONS


@dataclass(frozen=True)
class Options:
    """What is asked for.

    :param title: title of the index page; that of the landscape when empty.
    :param include: names of :data:`tables.SECTIONS`.
    :param front_matter: keys for the head of every page; no head when absent.
    :param svg: whether pictures are made.
    """

    title: str = ""
    include: tuple[str, ...] = SECTIONS
    front_matter: Mapping[str, Any] | None = None
    svg: bool = True


@dataclass(frozen=True)
class Style:
    """How a role looks: strong colour, tint, and the lines of its bar (angle, distance)."""

    colour: str
    tint: str
    angle: int
    step: float


@dataclass(frozen=True)
class Run:
    """A cable as it is shown: the ends in natural order, with the speed and kind that follow from its ports."""

    cable: Cable
    near: tuple[str, str]
    far: tuple[str, str]
    speed: str
    kind: str
    uses: tuple[str, str]

    @property
    def out_of_band(self) -> bool:
        """Whether it ends in a management controller, a management port or a console."""
        return any(use not in ("", "data") for use in self.uses)


@dataclass(frozen=True)
class Book:
    """Everything the pages look things up in. All sequences are sorted; nothing depends on the order of the input."""

    view: View
    options: Options
    devices: tuple[ResolvedDevice, ...]
    in_rack: dict[str, tuple[ResolvedDevice, ...]]
    runs: tuple[Run, ...]
    runs_of: dict[str, tuple[tuple[Link, Run], ...]]
    findings: tuple[Finding, ...]
    findings_of: dict[str, tuple[Finding, ...]]
    styles: dict[str, Style]
    _files: dict[str, str]

    @property
    def title(self) -> str:
        """Title of the whole."""
        return self.options.title or self.view.landscape.title or "Landscape"

    def has(self, section: str) -> bool:
        """Whether a section was asked for."""
        return section in self.options.include

    def sources(self, items: Iterable[Item]) -> list[str]:
        """The files the items were written in, relative and in order."""
        return sorted({self._files[item.source.file] for item in items if item.source.file in self._files})


def shelf(resolved: ResolvedDevice) -> tuple[Any, ...]:
    """Order of devices as they hang: by rack, from top to bottom."""
    device = resolved.device
    return (natural(device.rack), -(device.unit or 0), natural(device.name))


def book_of(view: View, findings: Iterable[Finding], options: Options) -> Book:
    """Sorts and indexes a view."""
    devices = tuple(sorted(view.devices.values(), key=lambda resolved: natural(resolved.name)))
    in_rack: dict[str, list[ResolvedDevice]] = {name: [] for name in sorted(view.landscape.racks, key=natural)}
    for resolved in sorted(devices, key=shelf):
        in_rack.setdefault(resolved.device.rack, []).append(resolved)
    runs = {id(cable): _run(view, cable) for cable in view.landscape.cables}
    ordered = tuple(sorted(findings, key=_weight))
    about: dict[str, list[Finding]] = {}
    for finding in ordered:
        about.setdefault(finding.object, []).append(finding)
    return Book(
        view=view,
        options=options,
        devices=devices,
        in_rack={name: tuple(found) for name, found in in_rack.items()},
        runs=tuple(sorted(runs.values(), key=_position)),
        runs_of={
            resolved.name: tuple((link, runs[id(link.cable)]) for link in sorted(resolved.links, key=_socket))
            for resolved in devices
        },
        findings=ordered,
        findings_of={name: tuple(found) for name, found in about.items()},
        styles=_styles(view),
        _files=_relative(view),
    )


def _weight(finding: Finding) -> tuple[Any, ...]:
    """The worst first; without the line, which moves whenever somebody adds a comment."""
    rank = -SEVERITIES.index(finding.severity)
    return (bool(finding.waived), rank, finding.rule, natural(finding.object), finding.field, finding.message)


def _position(run: Run) -> tuple[Any, ...]:
    return tuple(natural(text) for end in (run.near, run.far) for text in end) + _tie(run.cable)


def _socket(link: Link) -> tuple[Any, ...]:
    return (natural(link.port), natural(link.peer), natural(link.peer_port), *_tie(link.cable))


def _tie(cable: Cable) -> tuple[str, ...]:
    """Tells cables apart that are written twice between the same ports."""
    return (cable.state, cable.speed, cable.connector, cable.group, cable.lag, cable.description)


def _run(view: View, cable: Cable) -> Run:
    ends = sorted(
        (split_endpoint(cable.a), split_endpoint(cable.b)), key=lambda end: (natural(end[0]), natural(end[1]))
    )
    near, far = ((device, port) for device, port in ends)
    ports = [view.devices[device].ports.get(port) if device in view.devices else None for device, port in ends]
    known = [port for port in ports if port is not None]
    speed = cable.speed or min((port.speed for port in known), key=SPEEDS.index, default="")
    kinds = sorted({port.connector for port in known})
    uses = [port.use if port else "" for port in ports]
    return Run(cable, near, far, speed, cable.connector or " / ".join(kinds), (uses[0], uses[1]))


def _styles(view: View) -> dict[str, Style]:
    """One style per role, in natural order; a role that is only named by a device gets one too."""
    roles = set(view.landscape.roles) | {resolved.device.role for resolved in view.devices.values()}
    styles = {}
    for position, role in enumerate(sorted(roles, key=natural)):
        colour, tint = COLOURS[position % len(COLOURS)]
        angle, step = PATTERNS[position % len(PATTERNS)]
        styles[role] = Style(colour, tint, angle, step)
    return styles


def _relative(view: View) -> dict[str, str]:
    """Source files by the name pages show: relative to the folder they have in common."""
    landscape = view.landscape
    files = {landscape.source.file}
    for section in vars(landscape).values():
        if isinstance(section, dict):
            files.update(item.source.file for item in section.values())
        elif isinstance(section, tuple):
            files.update(item.source.file for item in section)
    named = sorted(file for file in files if file)
    top = os.path.commonpath([os.path.dirname(os.path.abspath(file)) for file in named]) if named else ""
    return {file: os.path.relpath(os.path.abspath(file), top).replace(os.sep, "/") for file in named}
