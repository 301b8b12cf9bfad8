# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a migration was busy with, and when: a bar for each machine, and a thin one for each of its disks."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...core.svg import Canvas, width_of
from ...core.units import format_seconds
from ...landscape.docs.tables import INK, QUIET, RULE

#: What lies between two states: the state at its end, words, colour. A state in between belongs to the next one here.
PHASES = (
    ("claimed", "ports", "#8d99a3"),
    ("stopped", "shut down", "#d55e00"),
    ("copied", "copied", "#0072b2"),
    ("verified", "verified", "#009e73"),
    ("started", "server", "#7b4fa3"),
    ("done", "cut over", "#5b6770"),
)
#: Between these a machine runs nowhere.
OFF = ("claimed", "started")
_DISK = "#56a3d6"
#: Machines and disks of one machine that are drawn.
_MACHINES, _DISKS = 24, 8
_MARGIN, _BAR, _THIN, _GAP, _ROOM, _WORDS = 16.0, 16.0, 8.0, 14.0, 720.0, 220.0
#: Distances of lines, in seconds.
_STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


@dataclass(frozen=True)
class Row:
    """One machine.

    :param times: seconds since the epoch at which it reached its states.
    :param disks: of each disk, begin (since the epoch), seconds, and words beside it.
    :param words: beside it.
    """

    name: str
    times: tuple[tuple[str, float], ...]
    disks: tuple[tuple[float, float, str], ...] = ()
    words: str = ""

    @property
    def phases(self) -> list[tuple[float, float, str, str]]:
        """Begin, end, words and colour of what it went through."""
        known, found = dict(self.times), []
        begin = known.get("planned", min(known.values(), default=0.0))
        for state, words, colour in PHASES:
            if state in known:
                found.append((begin, known[state], words, colour))
                begin = known[state]
        return found


def off_for(times: Sequence[tuple[str, float]]) -> float | None:
    """Seconds for which a machine ran nowhere, at most; None as long as nobody can tell."""
    known = dict(times)
    return known[OFF[1]] - known[OFF[0]] if set(OFF) <= set(known) else None


def timeline_picture(rows: Sequence[Row]) -> str:
    """The picture as SVG, those first that began first; empty when nothing was done yet."""
    shown = sorted((one for one in rows if one.phases), key=lambda one: one.phases[0][0])[:_MACHINES]
    if not shown:
        return ""
    first = min(one.phases[0][0] for one in shown)
    last = max(one.phases[-1][1] for one in shown)
    left = _MARGIN + min(max(width_of(one.name, 11, bold=True) for one in shown), 180.0) + 14
    heights = [_BAR + len(one.disks[:_DISKS]) * (_THIN + 5) + _GAP for one in shown]
    foot = _MARGIN + sum(heights)
    canvas = Canvas(left + _ROOM + 12 + _WORDS + _MARGIN, foot + 70, "Timeline of the migration")
    step, top = scale(last - first)
    per = _ROOM / top
    with canvas.group(id="scale"):
        for number in range(round(top / step) + 1):
            x = left + number * step * per
            canvas.line(x, _MARGIN - 4, x, foot, stroke=RULE)
            canvas.text(x, foot + 14, _tick(number * step), size=10, fill=QUIET, anchor="middle")
        moment = datetime.datetime.fromtimestamp(first, datetime.timezone.utc).strftime("since %Y-%m-%d %H:%M:%S UTC")
        canvas.text(left + _ROOM + 36, foot + 14, moment, size=10, fill=QUIET)
    y = _MARGIN
    for row, height in zip(shown, heights):
        _draw(canvas, row, y, left, first, per)
        y += height
    _legend(canvas, foot + 40, left)
    return canvas.render()


def scale(seconds: float) -> tuple[float, float]:
    """Distance of the lines, and the last one: at most eight, at times that people say."""
    rough = max(seconds, 1.0) / 7
    step = next((float(one) for one in _STEPS if one >= rough), 86400.0 * math.ceil(rough / 86400))
    return step, step * math.ceil(max(seconds, 1.0) / step)


def _tick(seconds: float) -> str:
    if seconds and seconds % 3600 == 0:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds and seconds % 60 == 0 else f"{seconds:g} s"


def _draw(canvas: Canvas, row: Row, y: float, left: float, first: float, per: float) -> None:
    canvas.text(_MARGIN, y + 12, row.name, size=11, bold=True, fill=INK, room=left - _MARGIN - 10)
    for begin, end, words, colour in row.phases:
        _bar(
            canvas,
            left + (begin - first) * per,
            y,
            max((end - begin) * per, 1.0),
            _BAR,
            colour,
            _tip(words, end - begin),
        )
    canvas.text(left + _ROOM + 12, y + 12, row.words, size=10, fill=INK, room=_WORDS)
    place = y + _BAR + 3
    for begin, seconds, words in row.disks[:_DISKS]:
        x = left + min(max((begin - first) * per, 0.0), _ROOM)
        _bar(canvas, x, place, max(min(seconds * per, left + _ROOM - x), 1.0), _THIN, _DISK, _tip(words, seconds))
        canvas.text(left + _ROOM + 12, place + 8, words, size=9, fill=QUIET, room=_WORDS)
        place += _THIN + 5


def _tip(words: str, seconds: float) -> str:
    return f"{words}: {format_seconds(seconds)}"


def _bar(canvas: Canvas, x: float, y: float, width: float, height: float, colour: str, tooltip: str) -> None:
    canvas.path("M", (x, y), "h", width, "v", height, "h", -width, "Z", fill=colour, tooltip=tooltip)


def _legend(canvas: Canvas, y: float, left: float) -> None:
    with canvas.group(id="key"):
        x = left
        for words, colour in [*((words, colour) for _state, words, colour in PHASES), ("one disk", _DISK)]:
            canvas.path("M", (x, y), "h", 20, "v", 11, "h", -20, "Z", fill=colour)
            x += 27 + canvas.text(x + 27, y + 9, words, size=10, fill=QUIET) + 18
