# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What all pictures share: head, blocks of devices, legend."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.svg import Canvas
from .model import Book, Style
from .tables import FAINT, INK, PAPER, QUIET, SHADE

BAR = 10.0
#: The look of what has no role: several roles together, devices of others.
NEUTRAL = Style(FAINT, SHADE, 0, 0)
_HATCHES: dict[str, tuple[int, float]] = {"planned": (45, 7), "retired": (135, 4)}
_DASHES = {"planned": "5 3", "retired": "1.5 2.5"}


def header(canvas: Canvas, book: Book, title: str, facts: Sequence[str], left: float = 40) -> None:
    """Title and a line of facts."""
    room = canvas.width - 2 * left
    canvas.text(left, 46, title, size=22, bold=True, fill=INK, room=room * 0.6)
    canvas.text(left, 68, "  ·  ".join(fact for fact in facts if fact), size=11, fill=QUIET, room=room)
    canvas.text(canvas.width - left, 46, book.title, size=11, fill=QUIET, anchor="end", room=room * 0.36)


def block(canvas: Canvas, style: Style, state: str, x: float, y: float, width: float, height: float) -> None:
    """The body of a device in the colours of its role and the hatching and outline of its state."""
    solid = state == "active"
    canvas.rect(x, y, width, height, rx=2, fill=style.tint if solid else PAPER)
    if not solid:
        angle, step = _HATCHES[state]
        canvas.rect(x, y, width, height, rx=2, fill=canvas.hatch(state, "#dfe4e8", angle=angle, step=step))
    canvas.rect(x, y, BAR, height, rx=2, fill=style.colour)
    if style.step:
        name = f"bar-{style.angle}-{style.step:g}"
        lines = canvas.hatch(name, PAPER, angle=style.angle, step=style.step, stroke=1.6)
        canvas.rect(x, y, BAR, height, rx=2, fill=lines)
    dash = "" if solid else _DASHES[state]
    canvas.rect(x, y, width, height, rx=2, stroke=style.colour, stroke_width=1, stroke_dasharray=dash)


def draw_legend(
    canvas: Canvas,
    book: Book,
    roles: Sequence[str],
    x: float,
    y: float,
    width: float,
    *,
    states: Sequence[str] = (),
    columns: int = 5,
) -> float:
    """Roles, and the states that are not the usual one, with their looks in columns; the next free ``y``."""
    cell = width / columns
    entries = [(book.styles[role], "active", role) for role in roles if role in book.styles]
    entries += [(NEUTRAL, state, state) for state in sorted(set(states) & set(_HATCHES))]
    with canvas.group(id="legend"):
        for position, (style, state, label) in enumerate(entries):
            left, top = x + (position % columns) * cell, y + (position // columns) * 20
            block(canvas, style, state, left, top, 26, 13)
            canvas.text(left + 33, top + 10, label, size=10, fill=QUIET, room=cell - 40)
    rows = -(-len(entries) // columns)
    return y + rows * 20
