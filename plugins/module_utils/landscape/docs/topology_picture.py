# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The picture of who is connected to whom: boxes in columns, one line per cable."""

from __future__ import annotations

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...core.svg import Canvas, Value
from ..model import SPEEDS
from ..names import natural
from .legend import NEUTRAL, block, draw_legend, header
from .model import Book, Run
from .tables import A3_LANDSCAPE, COLOURS, INK, PAPER, QUIET, RULE
from .topology_layout import Box, Column, height_of_columns, place

LEFT = 120.0
RIGHT = 70.0
TOP = 128.0
#: Lines that pass over a column run below all boxes; there are this many lanes.
LANES = 8
LANE = 5.0

_DASHES = {"active": "", "deactivated": "6 4", "planned": "1.5 3.5"}
_WORDS = (("active", "cable in use"), ("deactivated", "plugged in, deactivated"), ("planned", "planned"))


@dataclass(frozen=True)
class Paint:
    """How a line looks that says more than that there is a cable; the worst of several has the highest rank."""

    rank: int
    colour: str
    dash: str
    word: str


@dataclass(frozen=True)
class Look:
    """What a picture shows beside the landscape itself.

    :param lines: how the lines of cables look, by :func:`run_id`; lines that are not in it look as always.
    :param boxes: colour of the frame of devices that something is to be said about.
    """

    lines: Mapping[str, Paint] = dataclasses.field(default_factory=dict)
    boxes: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def of(self, wire: Wire) -> Paint | None:
        """The worst look of all cables behind a line."""
        found = [self.lines[name] for name in wire.cables if name in self.lines]
        return max(found, key=lambda paint: paint.rank, default=None)


@dataclass(frozen=True)
class Wire:
    """One line: a cable, or all cables of one state between two boxes that hold several devices."""

    name: str
    near: Box
    near_port: str
    far: Box
    far_port: str
    state: str
    width: float
    tooltip: str
    cables: tuple[str, ...] = ()


def topology_picture(
    book: Book, title: str, columns: Sequence[Column], runs: Iterable[Run], look: Look | None = None
) -> str:
    """The picture as SVG: 1587 pixels (A3, landscape) wide, as high as the longest column needs."""
    canvas = Canvas(A3_LANDSCAPE[0], 0, title)
    boxes = place(columns, LEFT, TOP, A3_LANDSCAPE[0] - LEFT - RIGHT)
    bottom = TOP + height_of_columns(columns)
    header(canvas, book, title, (_words(boxes).partition(";")[0] if look else _words(boxes),))
    _captions(canvas, columns, boxes)
    with canvas.group(id="cables", stroke_opacity=0.8, stroke_linecap="round"):
        painted = [(wire, look.of(wire) if look else None) for wire in wires(boxes, runs)]
        for wire, paint in sorted(painted, key=lambda pair: pair[1].rank if pair[1] else 0):
            _draw(canvas, wire, bottom, paint)
    for box in boxes:
        _box(canvas, book, box)
        if look:
            _frame(canvas, box, look)
    y = bottom + 24 + LANES * LANE
    y = _look_legend(canvas, look, y) if look else _line_legend(canvas, boxes, y)
    roles = sorted({box.node.role for box in boxes}, key=natural)
    y = draw_legend(canvas, book, roles, 40, y, A3_LANDSCAPE[0] - 80, columns=9)
    # What is printed fills the paper; what stands in a report takes the room it needs.
    canvas.height = math.ceil(y + 16) if look else max(math.ceil(y + 16), A3_LANDSCAPE[1])
    return canvas.render()


def _is_grouped(boxes: Sequence[Box]) -> bool:
    return any(len(box.node.members) > 1 for box in boxes)


def _words(boxes: Sequence[Box]) -> str:
    if _is_grouped(boxes):
        return "devices of a rack are drawn together where there are many, without the cables inside a box; cables.md lists every cable"
    return "one line per cable, at the height of its port on the device; cables.md lists every one"


def wires(boxes: Sequence[Box], runs: Iterable[Run]) -> list[Wire]:
    """The lines of all cables whose ends are in the picture, left end first; a cable written twice gets two."""
    holder = {name: box for box in reversed(boxes) for name in box.node.members}
    together: dict[tuple[str, str, str], list[tuple[Run, Box, Box]]] = {}
    lines: list[Wire] = []
    for run in runs:
        ends = [holder.get(end[0]) for end in (run.near, run.far)]
        if ends[0] is None or ends[1] is None or (ends[0] is ends[1] and len(ends[0].node.members) > 1):
            continue
        near, far = sorted((ends[0], ends[1]), key=_position)
        if len(near.node.members) > 1 or len(far.node.members) > 1:
            together.setdefault((near.node.key, far.node.key, run.cable.state), []).append((run, near, far))
        else:
            lines.append(_single(run, ends[0], ends[1]))
    lines += [_several(key, found) for key, found in sorted(together.items())]
    seen: Counter[str] = Counter()
    for position, line in enumerate(lines):
        seen[line.name] += 1
        if seen[line.name] > 1:
            lines[position] = dataclasses.replace(line, name=f"{line.name}--{seen[line.name]}")
    return lines


def _single(run: Run, near: Box, far: Box) -> Wire:
    ends = [(near, run.near[1]), (far, run.far[1])]
    ends.sort(key=lambda end: _position(end[0]))
    facts = (run.speed, run.kind, "" if run.cable.state == "active" else run.cable.state)
    tooltip = f"{'/'.join(run.near)} — {'/'.join(run.far)}  {' '.join(fact for fact in facts if fact)}"
    width = 1.2 if not run.speed else 0.8 + 0.2 * SPEEDS.index(run.speed)
    return Wire(run_id(run), *ends[0], *ends[1], run.cable.state, width, tooltip, (run_id(run),))


def _several(key: tuple[str, str, str], found: list[tuple[Run, Box, Box]]) -> Wire:
    boxes = found[0][1:]
    name = "cables-" + "--".join(_word(part) for part in key)
    tooltip = f"{len(found)} cables between {boxes[0].node.label} ({boxes[0].node.detail}) and {boxes[1].node.label}"
    width = min(5.0, 1 + math.log2(len(found)) / 2)
    cables = tuple(run_id(run) for run, _near, _far in found)
    return Wire(name, boxes[0], "", boxes[1], "", key[2], width, f"{tooltip} ({boxes[1].node.detail})", cables)


def _position(box: Box) -> tuple[int, int]:
    return box.column, box.row


def run_id(run: Run) -> str:
    """A name for the line of a cable that no other cable's line has."""
    return "cable-" + "--".join(_word(f"{device}/{port}") for device, port in (run.near, run.far))


def _word(text: str) -> str:
    """The text as part of an XML id: other characters by their code, so that two texts never meet."""
    return re.sub(r"[^A-Za-z0-9.-]", lambda match: f"_{ord(match.group()):x}_", text)


def _draw(canvas: Canvas, wire: Wire, bottom: float, paint: Paint | None = None) -> None:
    near, far = wire.near, wire.far
    y1, y2 = near.socket(wire.near_port), far.socket(wire.far_port)
    style: dict[str, Value] = {
        "stroke": _colour(near),
        "stroke_width": wire.width,
        "stroke_dasharray": _DASHES[wire.state],
    }
    if paint:
        wire = dataclasses.replace(wire, tooltip=f"{wire.tooltip}: {paint.word}")
        width = max(wire.width, 1.4) + (1.2 if paint.rank > 2 else 0)
        style = {"stroke": paint.colour, "stroke_width": width, "stroke_dasharray": paint.dash}
    if near.column == far.column:
        bulge = near.x - 18 - min(74.0, 9.0 * abs(far.row - near.row))
        points = ("M", (near.x, y1), "C", (bulge, y1), (bulge, y2), (far.x, y2))
        canvas.path(*points, id=wire.name, tooltip=wire.tooltip, **style)
        return
    x1, x2 = near.x + near.width, far.x
    if far.column - near.column == 1:
        bend = (x2 - x1) * 0.45
        points = ("M", (x1, y1), "C", (x1 + bend, y1), (x2 - bend, y2), (x2, y2))
        canvas.path(*points, id=wire.name, tooltip=wire.tooltip, **style)
        return
    lane = (near.row + 3 * far.row) % LANES
    lane_y, out, back = bottom + 10 + lane * LANE, x1 + 14 + lane * 4, x2 - 14 - lane * 4
    turn = ("M", (x1, y1), "C", (out, y1), (out, y1), (out, y1 + 14), "L", (out, lane_y - 10))
    run = ("Q", (out, lane_y), (out + 10, lane_y), "L", (back - 10, lane_y), "Q", (back, lane_y), (back, lane_y - 10))
    end = ("L", (back, y2 + 14), "C", (back, y2), (back, y2), (x2, y2))
    canvas.path(*turn, *run, *end, id=wire.name, tooltip=wire.tooltip, **style)


def _colour(box: Box) -> str:
    """Colour of the lines that leave a box to the right: neighbours in a column differ."""
    return COLOURS[box.row % 7][0]


def _captions(canvas: Canvas, columns: Sequence[Column], boxes: Sequence[Box]) -> None:
    for column, box in zip(columns, (box for box in boxes if box.row == 0)):
        canvas.text(box.x, TOP - 22, column.caption, size=12, bold=True, fill=QUIET, room=box.width)
        canvas.line(box.x, TOP - 12, box.x + box.width, TOP - 12, stroke=RULE)


def _box(canvas: Canvas, book: Book, box: Box) -> None:
    node = box.node
    style = book.styles.get(node.role, NEUTRAL)
    prefix = "device" if len(node.members) == 1 else "group"
    with canvas.group(id=f"{prefix}-{_word(node.key)}"):
        canvas.rect(box.x, box.y, box.width, box.height, rx=2, fill=PAPER)
        block(canvas, style, node.state, box.x, box.y, box.width, box.height)
        x, room, middle = box.x + 18, box.width - 26, box.y + box.height / 2
        if box.height >= 36 and node.detail:
            canvas.text(x, middle - 3, node.label, size=11, bold=True, fill=INK, room=room)
            canvas.text(x, middle + 12, node.detail, size=10, fill=QUIET, room=room)
            return
        size = min(11.0, box.height * 0.62)
        baseline, end = middle + size * 0.36, box.x + box.width - 8
        taken = canvas.text(end, baseline, node.detail, size=size * 0.9, fill=QUIET, anchor="end", room=room * 0.45)
        canvas.text(x, baseline, node.label, size=size, bold=True, fill=INK, room=room - taken - 6)


def _frame(canvas: Canvas, box: Box, look: Look) -> None:
    """A frame around a box, when something is to be said about one of its devices."""
    colours = [look.boxes[name] for name in box.node.members if name in look.boxes]
    if colours:
        size = (box.x - 2, box.y - 2, box.width + 4, box.height + 4)
        canvas.rect(*size, rx=4, stroke=colours[0], stroke_width=2.4)


def _look_legend(canvas: Canvas, look: Look, y: float) -> float:
    with canvas.group(id="lines"):
        paints = sorted({(paint.rank, paint.word): paint for paint in look.lines.values()}.items())
        for position, (_key, paint) in enumerate(paints):
            x = 40 + position * 210
            style: dict[str, Value] = {"stroke": paint.colour, "stroke_width": 2.4, "stroke_dasharray": paint.dash}
            canvas.line(x, y, x + 40, y, **style)
            canvas.text(x + 50, y + 4, paint.word, size=10, fill=QUIET, room=150)
    return y + 18


def _line_legend(canvas: Canvas, boxes: Sequence[Box], y: float) -> float:
    with canvas.group(id="lines"):
        for position, (state, word) in enumerate(_WORDS):
            x = 40 + position * 210
            canvas.line(x, y, x + 40, y, stroke=QUIET, stroke_width=1.8, stroke_dasharray=_DASHES[state])
            canvas.text(x + 50, y + 4, word, size=10, fill=QUIET)
        wider = "more cables there are" if _is_grouped(boxes) else "faster a cable"
        note = f"The {wider}, the wider the line. A line has a colour with all others of the device at its left end."
        canvas.text(700, y + 4, note, size=10, fill=QUIET)
    return y + 18
