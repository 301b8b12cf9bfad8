# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Power as a picture: feeds as rails from top to bottom, power supplies as plugs on them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from ...core.svg import Canvas, width_of
from ..derive import ResolvedDevice
from ..names import natural
from .legend import block, draw_legend, header
from .model import Book, Style
from .parts import counted
from .tables import A4, ALARM, ALARM_TINT, COLOURS, INK, PAPER, QUIET, RULE

MARGIN = 40.0
TOP = 138.0
#: Widths of the column of names and of the remark at the right.
NAMES = 200.0
REMARKS = 120.0
ROW = 24.0
NARROWEST_RAIL = 90.0
WIDEST_RAIL = 170.0
CHIP = 132.0


def supplies_of(resolved: ResolvedDevice) -> dict[str, str]:
    """Feed of every power supply, empty where it is not known."""
    known = resolved.device.power
    names = set(known) | set(resolved.model.psus if resolved.model else ())
    return {name: known.get(name, "") for name in sorted(names, key=natural)}


def feeds_of(devices: Iterable[ResolvedDevice]) -> list[str]:
    """The feeds that devices hang on."""
    return sorted({feed for resolved in devices for feed in supplies_of(resolved).values() if feed}, key=natural)


def remark_on(resolved: ResolvedDevice) -> str:
    """What is wrong with the power of a device in two words; empty when it survives the loss of any feed."""
    supplies = supplies_of(resolved)
    feeds = set(supplies.values()) - {""}
    if not supplies:
        return ""
    if not feeds:
        return "no feed known"
    if len(feeds) == 1:
        return "one feed only"
    return "" if "" not in supplies.values() else "supply unplugged"


def style_of(book: Book, feed: str) -> Style:
    """The colour of a feed, in natural order of all feeds."""
    feeds = sorted(set(book.view.landscape.feeds) | {feed}, key=natural)
    colour, tint = COLOURS[feeds.index(feed) % len(COLOURS)]
    return Style(colour, tint, 0, 0)


def matrix_picture(book: Book, title: str, devices: Sequence[ResolvedDevice], feeds: Sequence[str]) -> str:
    """Devices as rows in the order in which they hang, feeds as columns; fits A4 for two feeds and 38 devices."""
    left = MARGIN + NAMES
    rail = min(max((A4[0] - left - REMARKS - MARGIN) / max(len(feeds), 1), NARROWEST_RAIL), WIDEST_RAIL)
    width = max(float(A4[0]), left + rail * len(feeds) + REMARKS + MARGIN)
    canvas = Canvas(math.ceil(width), 0, title)
    alarms = sum(bool(remark_on(resolved)) for resolved in devices)
    said = f"{alarms} of them would not survive the loss of a feed" if alarms else "all survive the loss of a feed"
    header(canvas, book, title, (counted(len(devices), "device"), said))
    row = min(ROW, max(18.0, (A4[1] - TOP - 90) / max(len(devices), 1)))
    bottom = TOP + row * len(devices)
    for number, resolved in enumerate(devices):
        _stripe(canvas, resolved, TOP + number * row, row, width)
    for number, feed in enumerate(feeds):
        _rail(canvas, book, feed, left + (number + 0.5) * rail, rail, bottom)
    for number, resolved in enumerate(devices):
        _device(canvas, book, resolved, TOP + number * row, row, feeds, left, rail)
    roles = sorted({resolved.device.role for resolved in devices}, key=natural)
    y = draw_legend(canvas, book, roles, MARGIN, bottom + 28, A4[0] - 2 * MARGIN)
    canvas.height = math.ceil(y + 16)
    return canvas.render()


def _alarm(canvas: Canvas, y: float, row: float, width: float) -> None:
    """The ground of a row that somebody should look at: tinted, with a bar at both ends for prints without colour."""
    canvas.rect(MARGIN, y, width - 2 * MARGIN, row, fill=ALARM_TINT)
    for x in (MARGIN, width - MARGIN - 4):
        canvas.rect(x, y, 4, row, fill=ALARM)


def _stripe(canvas: Canvas, resolved: ResolvedDevice, y: float, row: float, width: float) -> None:
    if remark_on(resolved):
        _alarm(canvas, y, row, width)
    canvas.line(MARGIN, y + row, width - MARGIN, y + row, stroke=RULE, stroke_width=0.6)


def _rail(canvas: Canvas, book: Book, feed: str, x: float, rail: float, bottom: float) -> None:
    style, known = style_of(book, feed), book.view.landscape.feeds.get(feed)
    with canvas.group(id=f"feed-{feed}"):
        canvas.rect(x - rail / 2 + 6, TOP - 48, rail - 12, 34, rx=3, fill=style.tint, stroke=style.colour)
        canvas.text(x, TOP - 33, feed, size=11, bold=True, anchor="middle", room=rail - 20, fill=INK)
        canvas.text(
            x, TOP - 20, known.kind if known else "unknown", size=9, anchor="middle", room=rail - 20, fill=QUIET
        )
        canvas.line(x, TOP - 14, x, bottom + 8, stroke=style.colour, stroke_width=3)


def _device(
    canvas: Canvas,
    book: Book,
    resolved: ResolvedDevice,
    y: float,
    row: float,
    feeds: Sequence[str],
    left: float,
    rail: float,
) -> None:
    device, middle = resolved.device, y + row / 2
    remark, baseline = remark_on(resolved), middle + 3.8
    with canvas.group(id=f"device-{device.name}"):
        block(canvas, book.styles[device.role], device.state, MARGIN + 8, y + 3, NAMES - 16, row - 6)
        canvas.text(MARGIN + 24, baseline, device.name, size=10, bold=True, room=NAMES - 38, fill=INK)
        plugs: dict[str, list[str]] = {}
        for supply, feed in supplies_of(resolved).items():
            plugs.setdefault(feed, []).append(supply)
        for number, feed in enumerate(feeds):
            if feed in plugs:
                _plug(
                    canvas,
                    style_of(book, feed),
                    ", ".join(plugs[feed]),
                    left + (number + 0.5) * rail,
                    middle,
                    rail - 24,
                    row,
                )
        x = left + rail * len(feeds) + 8
        shown = remark if "" not in plugs or not remark else f"{remark}: {', '.join(plugs[''])}"
        canvas.text(x, baseline, shown, size=9.5, bold=True, room=REMARKS - 14, fill=ALARM)


def _plug(canvas: Canvas, style: Style, text: str, x: float, y: float, room: float, row: float) -> None:
    width = min(max(width_of(text, 9.5) + 16, 44), room)
    canvas.rect(
        x - width / 2,
        y - row / 2 + 4,
        width,
        row - 8,
        rx=(row - 8) / 2,
        fill=PAPER,
        stroke=style.colour,
        stroke_width=1.6,
    )
    canvas.text(x, y + 3.4, text, size=9.5, anchor="middle", room=width - 8, fill=INK)


def summary_picture(book: Book) -> str:
    """One row per rack with its feeds and the number of supplies on each; for landscapes of many devices."""
    racks = {rack: devices for rack, devices in book.in_rack.items() if devices}
    widest = max((len(feeds_of(devices)) for devices in racks.values()), default=0)
    width = max(float(A4[0]), MARGIN * 2 + NAMES + widest * (CHIP + 8) + REMARKS + 40)
    canvas = Canvas(math.ceil(width), math.ceil(TOP + len(racks) * ROW), "Power by rack")
    header(
        canvas,
        book,
        "Power by rack",
        (f"{counted(len(book.devices), 'device')} in {counted(len(racks), 'rack')}", "supplies per feed"),
    )
    for number, (rack, devices) in enumerate(racks.items()):
        _rack(canvas, book, rack, devices, TOP - 40 + number * ROW, width)
    return canvas.render()


def _rack(canvas: Canvas, book: Book, rack: str, devices: Sequence[ResolvedDevice], y: float, width: float) -> None:
    alarms = sum(bool(remark_on(resolved)) for resolved in devices)
    count = Counter(feed for resolved in devices for feed in supplies_of(resolved).values())
    baseline = y + ROW / 2 + 3.8
    with canvas.group(id=f"rack-{rack}"):
        if alarms:
            _alarm(canvas, y, ROW, width)
        canvas.line(MARGIN, y + ROW, width - MARGIN, y + ROW, stroke=RULE, stroke_width=0.6)
        canvas.text(MARGIN + 12, baseline, rack or "in no rack", size=10.5, bold=True, fill=INK, room=NAMES * 0.55)
        words = counted(len(devices), "device")
        canvas.text(MARGIN + NAMES - 12, baseline, words, size=9.5, anchor="end", fill=QUIET, room=NAMES * 0.4)
        for number, feed in enumerate(feeds_of(devices)):
            x, style = MARGIN + NAMES + number * (CHIP + 8), style_of(book, feed)
            canvas.rect(x, y + 3, CHIP, ROW - 6, rx=3, fill=style.tint, stroke=style.colour)
            taken = canvas.text(x + CHIP - 8, baseline, str(count[feed]), size=9.5, anchor="end", fill=QUIET)
            canvas.text(x + 8, baseline, feed, size=9.5, bold=True, fill=INK, room=CHIP - taken - 24)
        if alarms:
            x = width - MARGIN - 12
            canvas.text(x, baseline, f"{alarms} at risk", size=9.5, bold=True, anchor="end", fill=ALARM, room=REMARKS)
