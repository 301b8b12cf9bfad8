# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""How long restores took, as bars."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...core.svg import Canvas, width_of
from ...core.units import format_bytes, format_seconds
from ...landscape.docs.tables import INK, QUIET, RULE
from .model import BAD, EQUAL, UNREAD, Trial

#: Colour of a bar, and what it says.
_LOOKS = {
    EQUAL: ("#0b6e4b", "restored, read, the same bytes"),
    UNREAD: ("#5b6770", "restored, and nobody read it"),
    BAD: ("#b3261e", "failed, or other bytes"),
}
_MARGIN, _BAR, _LINE, _ROOM, _WORDS = 16.0, 18.0, 30.0, 420.0, 250.0
#: Bars that are drawn, the longest first.
_BARS = 30


def times_picture(trials: Sequence[Trial]) -> str:
    """The picture as SVG, the longest first; empty when nothing was restored."""
    if not trials:
        return ""
    shown = sorted(trials, key=lambda one: (-one.seconds, one.name, one.backup))[:_BARS]
    left = _MARGIN + min(max(width_of(one.name, 11, bold=True) for one in shown), 220.0) + 14
    width = max(left + _ROOM + 12 + _WORDS + _MARGIN, 760.0)
    foot = _MARGIN + len(shown) * _LINE
    canvas = Canvas(width, foot + 74, "Times of restores")
    step, top = scale(shown[0].seconds)
    with canvas.group(id="scale"):
        for number in range(round(top / step) + 1):
            x = left + number * step / top * _ROOM
            canvas.line(x, _MARGIN - 4, x, foot, stroke=RULE)
            canvas.text(x, foot + 15, f"{number * step:g}", size=10, fill=QUIET, anchor="middle")
        canvas.text(left + _ROOM + 24, foot + 15, "seconds", size=10, fill=QUIET)
    with canvas.group(id="times"):
        for number, one in enumerate(shown):
            y = _MARGIN + number * _LINE
            canvas.text(_MARGIN, y + 14, one.name, size=11, bold=True, fill=INK, room=left - _MARGIN - 10)
            long = max(one.seconds / top * _ROOM, 2.0)
            colour = _LOOKS[one.state][0]
            canvas.path("M", (left, y + 1), "H", left + long, "V", y + 1 + _BAR, "H", left, "Z", fill=colour)
            room = width - _MARGIN - left - _ROOM - 12
            canvas.text(left + _ROOM + 12, y + 14, _words(one), size=10, fill=INK, room=room)
    _legend(canvas, foot + 46, left)
    return canvas.render()


def scale(longest: float) -> tuple[float, float]:
    """Distance of the lines, and the last one: at most six, at round numbers."""
    rough = max(longest, 0.1) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return step, step * math.ceil(max(longest, 0.1) / step * 0.999)


def _words(one: Trial) -> str:
    if one.state == BAD:
        return one.reason or "failed"
    speed = f", {format_bytes(one.speed)}/s" if one.speed else ""
    return f"{format_seconds(one.seconds)}, {format_bytes(one.bytes)}{speed}"


def _legend(canvas: Canvas, y: float, left: float) -> None:
    with canvas.group(id="key"):
        x = left
        for colour, words in _LOOKS.values():
            canvas.path("M", (x, y), "h", 24, "v", 12, "h", -24, "Z", fill=colour)
            x += 32 + canvas.text(x + 32, y + 10, words, size=10, fill=QUIET) + 22
