# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Who reaches whom as a picture: a field for each pair of hosts, in the colours and with the signs of how well."""

from __future__ import annotations

from ...core.svg import Canvas, width_of
from ..docs.tables import FAINT, INK, PAPER, QUIET, RULE, SHADE
from .fabric import GOOD, LOSSY, LOST, Fabric, Way

#: Frame, surface and sign of a field; the sign is for whoever cannot tell the colours.
_LOOKS = {
    GOOD: ("#0f8a5f", "#e2f3ec", ""),
    LOSSY: ("#c27c0e", "#fbf0dd", "~"),
    LOST: ("#c62828", "#fbe4e4", "\u00d7"),
}
_SIZE, _MARGIN, _WIDTH = 11.0, 16.0, 74.0
#: Height of a field, and of the heads of columns: two lines of a name.
_HEIGHT, _HEAD = 34.0, 46.0


def reach_picture(fabric: Fabric) -> str:
    """The picture as SVG; empty when nobody asked. What a field has no room for is a tooltip."""
    hosts = fabric.hosts
    if not hosts:
        return ""
    left = _MARGIN + max(width_of(name, _SIZE, bold=True) for name in hosts) + 14
    foot = _HEAD + _MARGIN + len(hosts) * _HEIGHT
    width = max(left + len(hosts) * _WIDTH, 560.0) + _MARGIN
    canvas = Canvas(width, foot + 52, "Who reaches whom")
    canvas.text(_MARGIN, _MARGIN + 30, "from \u2193  to \u2192", size=10, fill=QUIET)
    with canvas.group(id="reach"):
        for number, name in enumerate(hosts):
            _head(canvas, name, left + number * _WIDTH)
            y = _HEAD + _MARGIN + number * _HEIGHT
            canvas.text(_MARGIN, y + _HEIGHT / 2 + 4, name, size=_SIZE, bold=True, fill=INK)
            for place, other in enumerate(hosts):
                _field(canvas, left + place * _WIDTH, y, name == other, fabric.ways.get((name, other)))
    _legend(canvas, foot + 28)
    return canvas.render()


def _head(canvas: Canvas, name: str, x: float) -> None:
    """The name over a column, in two lines: after its second part, where there are that many."""
    parts = name.split("-")
    lines = ["-".join(parts[:2]), "-".join(parts[2:])] if len(parts) > 2 else ["", name]
    for number, line in enumerate(lines):
        y = _MARGIN + 16 + number * 15
        canvas.text(x + _WIDTH / 2, y, line, size=10, bold=True, fill=INK, anchor="middle", room=_WIDTH - 4)


def _field(canvas: Canvas, x: float, y: float, own: bool, way: Way | None) -> None:
    size = (x + 2, y + 2, _WIDTH - 4, _HEIGHT - 4)
    if own or way is None:
        canvas.rect(*size, rx=3, fill=SHADE if own else PAPER, stroke="" if own else RULE)
        if not own:
            canvas.text(x + _WIDTH / 2, y + _HEIGHT / 2 + 4, "?", size=10, fill=FAINT, anchor="middle")
        return
    frame, surface, sign = _LOOKS[way.state]
    canvas.rect(*size, rx=3, fill=surface, stroke=frame, stroke_width=1.2)
    words = f"{sign} {way.loss} % lost" if way.state == LOSSY else sign or way.time or "reached"
    canvas.text(
        x + _WIDTH / 2,
        y + _HEIGHT / 2 + 4,
        words,
        size=10,
        bold=way.state != GOOD,
        fill=INK if way.state == GOOD else frame,
        anchor="middle",
        room=_WIDTH - 8,
    )


def _legend(canvas: Canvas, y: float) -> None:
    words = {GOOD: "reached: time of a round trip", LOSSY: "loses packets", LOST: "no answer"}
    with canvas.group(id="legend"):
        x = _MARGIN
        for state, (frame, surface, sign) in _LOOKS.items():
            canvas.rect(x, y - 11, 18, 14, rx=3, fill=surface, stroke=frame, stroke_width=1.2)
            if sign:
                canvas.text(x + 9, y, sign, size=10, bold=True, fill=frame, anchor="middle")
            x += 26 + canvas.text(x + 26, y, words[state], size=10, fill=QUIET) + 24
