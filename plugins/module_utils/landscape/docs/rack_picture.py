# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The elevation of a rack: front view, one row per unit, as it hangs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.svg import Canvas, height_of
from ..derive import ResolvedDevice
from ..model import Rack
from ..names import natural
from .legend import block, draw_legend, header
from .model import Book
from .parts import counted, product
from .tables import A4, FAINT, INK, PAPER, QUIET, RULE, SHADE

MARGIN = 40
TOP = 96
#: Width of the columns of unit numbers left and right of the rack.
NUMBERS = 30
LEGEND = 64
#: What stands on a device, at which share of its width.
_CAPTIONS = (("Device", 0.031, "start"), ("Model", 0.35, "start"), ("Management", 0.92, "end"), ("Index", 0.988, "end"))


@dataclass(frozen=True)
class Slot:
    """Where a device hangs: lowest unit, height, its lane among ``lanes`` devices that claim the same units."""

    device: ResolvedDevice
    unit: int
    height: int
    lane: int = 0
    lanes: int = 1


def slots_of(rack: Rack, devices: Sequence[ResolvedDevice]) -> tuple[list[Slot], list[ResolvedDevice]]:
    """What can be drawn inside the rack, and what cannot (beside the rails, without a unit, or above the last one).

    Devices that claim the same unit stand side by side: two half-wide ones rightly so, others are a finding.
    """
    placed, beside = [], []
    for resolved in devices:
        unit, height = resolved.device.unit, resolved.model.height if resolved.model else 1
        if unit is None or height == 0 or unit + height - 1 > rack.units:
            beside.append(resolved)
        else:
            placed.append(Slot(resolved, unit, height))
    placed.sort(key=lambda slot: (slot.unit, slot.device.name))
    slots: list[Slot] = []
    while placed:
        cluster, top = [placed.pop(0)], 0
        top = cluster[0].unit + cluster[0].height
        while placed and placed[0].unit < top:
            cluster.append(placed.pop(0))
            top = max(top, cluster[-1].unit + cluster[-1].height)
        slots += _lanes(cluster)
    return slots, beside


def _lanes(cluster: list[Slot]) -> list[Slot]:
    ends: list[int] = []
    lanes = []
    for slot in cluster:
        lane = next((number for number, end in enumerate(ends) if end <= slot.unit), len(ends))
        ends[lane : lane + 1] = [slot.unit + slot.height]
        lanes.append(lane)
    return [Slot(slot.device, slot.unit, slot.height, lane, len(ends)) for slot, lane in zip(cluster, lanes)]


def rack_picture(book: Book, rack: Rack) -> str:
    """The elevation as SVG, 794 pixels (A4) wide; 47 units fit one page."""
    slots, beside = slots_of(rack, book.in_rack.get(rack.name, ()))
    unit = min(20.0, (A4[1] - TOP - LEGEND - MARGIN) / rack.units)
    body = unit * rack.units
    roles = sorted({slot.device.device.role for slot in slots}, key=natural)
    states = [slot.device.device.state for slot in slots]
    canvas = Canvas(
        A4[0], 0, f"Rack {rack.name}, front view", f"{counted(len(slots), 'device')} in {counted(rack.units, 'unit')}"
    )
    feeds = f"feeds {', '.join(sorted(rack.feeds, key=natural))}" if rack.feeds else ""
    header(canvas, book, f"Rack {rack.name}", ("front view", f"site {rack.site}", counted(rack.units, "unit"), feeds))
    _frame(canvas, rack, unit, body)
    for slot in slots:
        _device(canvas, book, slot, TOP + body, unit)
    y = _beside(canvas, beside, TOP + body + 24)
    y = draw_legend(canvas, book, roles, MARGIN, y, A4[0] - 2 * MARGIN, states=states)
    canvas.height = round(y + 16)
    return canvas.render()


def _frame(canvas: Canvas, rack: Rack, unit: float, body: float) -> None:
    left, width = MARGIN + NUMBERS, A4[0] - 2 * (MARGIN + NUMBERS)
    canvas.rect(left - 5, TOP - 5, width + 10, body + 10, rx=4, fill="#3a444d")
    canvas.rect(left, TOP, width, body, fill=PAPER)
    size = min(9.0, unit * 0.6)
    with canvas.group(fill=QUIET, stroke="none"):
        for number in range(1, rack.units + 1):
            y = TOP + body - number * unit
            if number % 2:
                canvas.rect(left, y, width, unit, fill=SHADE)
            baseline = y + unit / 2 + size * 0.36
            canvas.text(left - 10, baseline, str(number), size=size, anchor="end")
            canvas.text(left + width + 10, baseline, str(number), size=size)
    canvas.line(left, TOP, left, TOP + body, stroke=RULE)
    with canvas.group(id="captions", fill=QUIET):
        for text, offset, anchor in _CAPTIONS:
            canvas.text(left + 2 + offset * (width - 4), TOP - 10, text, size=8.5, anchor=anchor)


def _device(canvas: Canvas, book: Book, slot: Slot, bottom: float, unit: float) -> None:
    device = slot.device.device
    left, width = MARGIN + NUMBERS + 2.0, A4[0] - 2 * (MARGIN + NUMBERS) - 4.0
    width /= slot.lanes
    x = left + slot.lane * width
    y, height = bottom - (slot.unit + slot.height - 1) * unit + 1, slot.height * unit - 2
    with canvas.group(id=f"device-{device.name}"):
        block(canvas, book.styles[device.role], device.state, x, y, width - (2 if slot.lanes > 1 else 0), height)
        size = min(11.0, (unit - 2) / height_of(1) - 0.2)
        baseline = y + height / 2 + size * 0.36
        columns = _columns(slot, width)
        for text, offset, room, bold, anchor in columns:
            colour = INK if bold else QUIET
            canvas.text(
                x + offset,
                baseline,
                text,
                size=size if bold else size * 0.9,
                bold=bold,
                anchor=anchor,
                room=room,
                fill=colour,
            )


def _columns(slot: Slot, width: float) -> list[tuple[str, float, float, bool, str]]:
    """Text, offset, room, weight and anchor of what is written on a device; narrow ones show the name only."""
    device, model = slot.device.device, slot.device.model
    if width < 420:
        return [(device.name, 20, width - 28, True, "start")]
    index = f"#{device.index}" if device.index is not None else ""
    state = "" if device.state == "active" else device.state
    return [
        (device.name, 20, width * 0.33 - 20, True, "start"),
        (product(model) or device.model, width * 0.35, width * 0.32, False, "start"),
        (state, width * 0.69, width * 0.08, False, "start"),
        (slot.device.oob_v4, width * 0.92, width * 0.14, False, "end"),
        (index, width - 8, width * 0.07, False, "end"),
    ]


def _beside(canvas: Canvas, devices: list[ResolvedDevice], y: float) -> float:
    """Names of what is in the rack, but not between its rails; the next free ``y``."""
    if not devices:
        return y
    with canvas.group(id="beside"):
        canvas.text(MARGIN, y, "Beside the rails or without a place", size=10, bold=True, fill=QUIET)
        for resolved in devices:
            y += 15
            canvas.text(MARGIN + 12, y, resolved.name, size=10, fill=INK, room=420)
            canvas.text(MARGIN + 450, y, resolved.device.role, size=10, fill=FAINT, room=240)
    return y + 24
