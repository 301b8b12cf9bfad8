# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The picture of the fabric: tiers of switches, environments below them, networks and who hears of whom at the foot."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Union

from ...core.svg import Canvas
from ..derive import ResolvedDevice
from ..model import Environment, Network
from ..names import natural
from .fabric_tables import draw_matrix, draw_networks
from .legend import header
from .model import Book
from .parts import counted
from .tables import A3_LANDSCAPE, COLOURS, FAINT, INK, PAPER, QUIET, RULE, SHADE

LEFT, CAPTION, TOP = 40.0, 110.0, 104.0
#: More switches than this in one tier are drawn as one box for each role and rack, or one for each role.
LIMIT = 14
HEIGHT, GAP, WIDEST = 50.0, 12.0, 240.0
#: Room between two tiers, for the lines.
TIER = 150.0
#: Room below the last table.
FOOT = 24.0
SWITCH, OUTSIDE = COLOURS[0], COLOURS[7]


#: A path in SVG's own notation.
Points = tuple[Union[str, tuple[float, float]], ...]


@dataclass(frozen=True)
class Box:
    """A box in a tier: one thing, or several that are drawn together; the unit is the pixel."""

    key: str
    lines: tuple[str, ...]
    members: frozenset[str]
    colours: tuple[str, str]
    dashed: bool = False
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0

    @property
    def middle(self) -> float:
        """Its horizontal middle."""
        return self.x + self.width / 2


def fabric_picture(book: Book, routers: Sequence[tuple[str, ResolvedDevice]]) -> str:
    """The picture as SVG: 1587 pixels (A3, landscape) wide."""
    canvas = Canvas(A3_LANDSCAPE[0], 0, "Fabric")
    lower = ("leaf", "border", "management")
    tiers = [
        ("Spines", _switches([device for kind, device in routers if kind == "spine"])),
        ("Leaves", _switches([device for kind, device in routers if kind in lower])),
        ("Environments", [*_environments(book, routers), *_outside(book)]),
    ]
    tiers = [(caption, boxes) for caption, boxes in tiers if boxes]
    header(canvas, book, "Fabric", ("BGP over every line between switches; AS number and loopback in the boxes",))
    placed: list[list[Box]] = []
    for position, (_caption, boxes) in enumerate(tiers):
        placed.append(_place(boxes, TOP + position * TIER))
    with canvas.group(id="sessions", stroke_opacity=0.75):
        for upper, below in zip(placed, placed[1:]):
            _lines(canvas, book, upper, below)
        for boxes in placed:
            _arcs(canvas, book, boxes)
    for (caption, _boxes), boxes in zip(tiers, placed):
        canvas.text(LEFT, boxes[0].y + HEIGHT / 2 + 4, caption, size=12, bold=True, fill=QUIET, room=CAPTION - 12)
        for box in boxes:
            _draw(canvas, box)
    y = TOP + (len(tiers) - 1) * TIER + HEIGHT + 40
    end = _foot(canvas, book, y + 30)
    if end > y + 30 + FOOT:
        canvas.line(LEFT, y, canvas.width - LEFT, y, stroke=RULE)
    canvas.height = max(end, A3_LANDSCAPE[1] / 2)
    return canvas.render()


def _foot(canvas: Canvas, book: Book, y: float) -> float:
    """Tables below the tiers, beside each other; where they end."""
    environments = sorted(book.view.landscape.environments.values(), key=lambda one: natural(one.name))
    speaking = [one for one in environments if _has_members(book, one)]
    ends = [y]
    right = canvas.width - LEFT
    if any(one.separated or one.vrf or one.reaches for one in speaking):
        width = draw_matrix(canvas, speaking, right, y, ends)
        right -= width + 50
    ends.append(draw_networks(canvas, _networks(book), book.view.landscape.vrfs, LEFT, y, right - LEFT))
    return max(ends) + FOOT


def _networks(book: Book) -> list[Network]:
    networks = book.view.landscape.networks.values()
    found = [one for one in networks if one.vlan or one.vni or one.vrf or one.environment]
    return sorted(found, key=lambda one: (natural(one.vrf), natural(one.environment), one.vlan or 0, natural(one.name)))


def _has_members(book: Book, environment: Environment) -> bool:
    return any(one.device.environment == environment.name and one.device.section == "hosts" for one in book.devices)


def _switches(devices: Sequence[ResolvedDevice]) -> list[Box]:
    if len(devices) <= LIMIT:
        return [
            Box(one.name, (one.name, f"AS {one.asn}", one.loopback_v4), frozenset({one.name}), SWITCH)
            for one in devices
        ]
    for keys in (("role", "rack"), ("role",)):
        groups: dict[str, list[ResolvedDevice]] = {}
        for one in devices:
            groups.setdefault(" ".join(getattr(one.device, key) for key in keys).strip(), []).append(one)
        if len(groups) <= LIMIT or keys == ("role",):
            break
    return [
        Box(name, (f"{len(found)} switches", name, _span(found)), frozenset(one.name for one in found), SWITCH)
        for name, found in sorted(groups.items(), key=lambda entry: natural(entry[0]))
    ]


def _span(devices: Iterable[ResolvedDevice]) -> str:
    numbers = sorted({one.asn for one in devices if one.asn is not None})
    return f"AS {numbers[0]}" if len(numbers) == 1 else f"AS {numbers[0]} to {numbers[-1]}"


def _environments(book: Book, routers: Sequence[tuple[str, ResolvedDevice]]) -> list[Box]:
    """Environments with hosts on the fabric, each in a colour of its own."""
    on_fabric = {link.peer for _kind, device in routers for link in device.links if link.active}
    boxes = []
    for position, name in enumerate(sorted(book.view.landscape.environments, key=natural)):
        environment = book.view.landscape.environments[name]
        hosts = frozenset(
            one.name
            for one in book.devices
            if one.device.environment == name and one.device.section == "hosts" and one.name in on_fabric
        )
        if hosts:
            instance = f"routing instance {environment.vrf}" if environment.vrf else "default routing instance"
            words = counted(len(hosts), "host") + (", separated" if environment.separated else "")
            colours = COLOURS[1:7][position % 6]
            boxes.append(Box(name, (name, words, instance), hosts, colours, not environment.separated))
    return boxes


def _outside(book: Book) -> list[Box]:
    peerings = book.view.landscape.peerings
    return [
        Box(
            f"peering {name}", (name, f"AS {peerings[name].asn}", _told(peerings[name].announces)), frozenset(), OUTSIDE
        )
        for name in sorted(peerings, key=natural)
    ]


def _told(networks: Sequence[str]) -> str:
    return f"is told {', '.join(sorted(networks, key=natural))}" if networks else "is told nothing"


def _place(boxes: Sequence[Box], y: float) -> list[Box]:
    left = LEFT + CAPTION
    room = A3_LANDSCAPE[0] - LEFT - left
    width = min(WIDEST, (room - GAP * (len(boxes) - 1)) / len(boxes))
    step = room / len(boxes)
    return [
        Box(box.key, box.lines, box.members, box.colours, box.dashed, left + (n + 0.5) * step - width / 2, y, width)
        for n, box in enumerate(boxes)
    ]


def _lines(canvas: Canvas, book: Book, upper: Sequence[Box], below: Sequence[Box]) -> None:
    for top in upper:
        for bottom in below:
            count = _count(book, top, bottom)
            if count:
                first, second = (top.middle, top.y + HEIGHT), (bottom.middle, bottom.y)
                bend = (second[1] - first[1]) * 0.5
                points = ("M", first, "C", (first[0], first[1] + bend), (second[0], second[1] - bend), second)
                _line(canvas, points, top, bottom, count)


def _arcs(canvas: Canvas, book: Book, boxes: Sequence[Box]) -> None:
    """Links between boxes of one tier run below it."""
    for number, near in enumerate(boxes):
        for far in boxes[number + 1 :]:
            count = _count(book, near, far) if near.members and far.members else 0
            if count:
                y = near.y + HEIGHT
                deep = y + min(26.0 + 0.07 * (far.middle - near.middle), TIER - HEIGHT - 14)
                start, end = near.middle + 16, far.middle - 16
                points = ("M", (start, y), "C", (start, deep), (end, deep), (end, y))
                _line(canvas, points, near, far, count)


def _line(canvas: Canvas, points: Points, near: Box, far: Box, count: int) -> None:
    canvas.path(
        *points,
        id=f"session-{_word(near.key)}--{_word(far.key)}",
        tooltip=f"{near.lines[0]} — {far.lines[0]}: {counted(count, 'link')}",
        stroke=far.colours[0],
        stroke_width=min(1.0 + 0.4 * (count - 1), 5.0),
    )


def _count(book: Book, top: Box, bottom: Box) -> int:
    """Cables in use between two boxes; of a session with others, the session itself."""
    if bottom.key.startswith("peering "):
        peering = book.view.landscape.peerings[bottom.key[len("peering ") :]]
        return 1 if peering.switch in top.members else 0
    ends: Counter[bool] = Counter()
    for name in top.members:
        links = book.view.devices[name].links
        ends.update(link.active and link.peer in bottom.members and _is_data(book, name, link.port) for link in links)
    return ends[True]


def _is_data(book: Book, device: str, port: str) -> bool:
    known = book.view.devices[device].ports.get(port)
    return known is not None and known.use == "data"


def _word(text: str) -> str:
    """The text as part of an XML id."""
    return re.sub(r"[^A-Za-z0-9.-]", lambda match: f"_{ord(match.group()):x}_", text)


def _draw(canvas: Canvas, box: Box) -> None:
    with canvas.group(id=f"box-{_word(box.key)}"):
        canvas.rect(box.x, box.y, box.width, HEIGHT, rx=3, fill=PAPER)
        canvas.rect(box.x, box.y, box.width, HEIGHT, rx=3, fill=box.colours[1] if not box.dashed else SHADE)
        dash = "5 3" if box.dashed else ""
        colour = box.colours[0] if not box.dashed else FAINT
        canvas.rect(box.x, box.y, box.width, HEIGHT, rx=3, stroke=colour, stroke_width=1.2, stroke_dasharray=dash)
        canvas.rect(box.x, box.y, 5, HEIGHT, rx=2, fill=box.colours[0])
        room = box.width - 18
        canvas.text(box.x + 12, box.y + 16, box.lines[0], size=11, bold=True, fill=INK, room=room)
        for number, line in enumerate(box.lines[1:]):
            if line:
                canvas.text(box.x + 12, box.y + 30 + number * 13, line, size=9.5, fill=QUIET, room=room)
