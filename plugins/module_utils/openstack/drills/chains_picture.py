# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Chains of backups as a picture: a line for each chain, a box for each backup, an arrow to what it stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...core.svg import Canvas, width_of
from ...core.units import format_seconds
from ...landscape.docs.tables import INK, PAPER, QUIET, RULE, SHADE
from .model import BAD, BROKEN, EQUAL, OPEN, PROVEN, REFUTED, UNREAD, Member, Row, Trial

#: Frame, surface and sign of a box; the sign is for whoever cannot tell the colours.
_LOOKS = {
    PROVEN: ("#0b6e4b", "#e2f3ec", "tick"),
    OPEN: ("#5b6770", "#f5f7f8", ""),
    REFUTED: ("#b3261e", "#fdecea", "cross"),
    BROKEN: ("#8f5500", "#fbf0dd", "cross"),
}
_RESTORED = "#0b5c91"
_MARGIN, _BOX, _HEIGHT, _GAP, _LINE = 16.0, 168.0, 74.0, 30.0, 96.0
#: Boxes of one chain that are drawn; of a longer one the first and the last ones are. And how many lines there are.
_BOXES, _LINES = 5, 40


def chains_picture(rows: Sequence[Row], trials: Sequence[Trial]) -> str:
    """The picture as SVG, empty when there is nothing to show.

    :param trials: what was restored just now is marked with its time.
    """
    lines = [(row, chain, number) for row in rows for number, chain in enumerate(row.chains)]
    if not lines:
        return ""
    shown, left = lines[:_LINES], _left(rows)
    width = left + max(min(len(chain), _BOXES + 1) for _row, chain, _n in shown) * (_BOX + _GAP) - _GAP + _MARGIN
    width = max(width, 760.0)
    foot = _MARGIN + len(shown) * _LINE + (18 if len(lines) > len(shown) else 0)
    canvas = Canvas(width, foot + 66, "Chains of backups")
    restored = {one.backup: one for one in trials}
    with canvas.group(id="chains"):
        for number, (row, chain, place) in enumerate(shown):
            y = _MARGIN + number * _LINE
            if number and not place:
                canvas.line(_MARGIN, y - 11, width - _MARGIN, y - 11, stroke=RULE)
            if not place:
                back = any(one.volume == row.id and not one.scratch and one.state != BAD for one in trials)
                _head(canvas, row, y, left - _MARGIN - 18, back)
            _chain(canvas, chain, left, y, restored)
    if len(lines) > len(shown):
        words = f"... and {len(lines) - len(shown)} more chains, in the table below"
        canvas.text(_MARGIN, foot - 4, words, size=10, fill=QUIET)
    _legend(canvas, foot + 16)
    return canvas.render()


def _left(rows: Sequence[Row]) -> float:
    widest = max(width_of(row.name, 12, bold=True) for row in rows)
    return _MARGIN + min(max(widest, 110.0), 220.0) + 18


def _head(canvas: Canvas, row: Row, y: float, room: float, back: bool) -> None:
    """The volume of a line.

    :param back: it was restored just now, to stay.
    """
    count = len(row.members)
    words = f"{row.size} GiB, {count} backup{'s' if count != 1 else ''}"
    there = "the volume is there" if row.exists else "gone, and restored" if back else "the volume is gone"
    canvas.text(_MARGIN, y + 24, row.name, size=12, bold=True, fill=INK, room=room)
    canvas.text(_MARGIN, y + 41, words, size=10, fill=QUIET, room=room)
    canvas.text(_MARGIN, y + 56, there, size=10, fill=QUIET, room=room)


def _chain(canvas: Canvas, chain: Sequence[Member], left: float, y: float, restored: Mapping[str, Trial]) -> None:
    """The boxes of a chain; in a long one the middle is a number."""
    hidden = max(0, len(chain) - _BOXES)
    drawn: list[Member | None] = list(chain)
    if hidden:
        drawn = [chain[0], None, *chain[hidden + 1 :]]
    places = {one.id: left + number * (_BOX + _GAP) for number, one in enumerate(drawn) if one}
    for one in drawn:
        if one and one.parent in places:
            _arrow(canvas, places[one.id], places[one.parent], y)
    for number, each in enumerate(drawn):
        x = left + number * (_BOX + _GAP)
        if each:
            _box(canvas, each, x, y, restored.get(each.id))
        else:
            words = f"... {hidden} more ..."
            canvas.text(x + _BOX / 2, y + _HEIGHT / 2 + 4, words, size=10, fill=QUIET, anchor="middle", room=_BOX)
            _arrow(canvas, x + _BOX + _GAP, x, y)


def _arrow(canvas: Canvas, child: float, parent: float, y: float) -> None:
    """From a backup to the one it stands on; around those between them."""
    start, end, middle = child - 2, parent + _BOX + 3, y + _HEIGHT / 2
    if child - parent <= _BOX + _GAP + 1:
        canvas.line(start, middle, end + 2, middle, stroke=INK, stroke_width=1.4)
    else:
        middle = y - 6
        corner = parent + _BOX - 14
        canvas.path(
            "M",
            (child + 14, y),
            "L",
            (child + 14, middle),
            "L",
            (corner, middle),
            "L",
            (corner, y - 2),
            stroke=INK,
            stroke_width=1.4,
        )
        canvas.path("M", (corner, y - 1), "L", (corner - 3.5, y - 6), "L", (corner + 3.5, y - 6), "Z", fill=INK)
        return
    canvas.path("M", (end, middle), "L", (end + 7, middle - 4), "L", (end + 7, middle + 4), "Z", fill=INK)


def _box(canvas: Canvas, one: Member, x: float, y: float, trial: Trial | None) -> None:
    frame, surface, sign = _LOOKS[one.state]
    canvas.rect(x, y, _BOX, _HEIGHT, rx=4, fill=surface, stroke=frame, stroke_width=1.6)
    # A full backup has a bar, in the picture of a foundation; an incremental one has none.
    if one.full:
        canvas.path("M", (x + 5, y + 6), "L", (x + 5, y + _HEIGHT - 6), stroke=frame, stroke_width=5)
    inner, room = x + 15, _BOX - 36
    canvas.text(inner, y + 17, "full" if one.full else "incremental", size=11, bold=True, fill=INK, room=room)
    _sign(canvas, sign, x + _BOX - 17, y + 13, frame)
    canvas.text(inner, y + 33, moment_of(one.taken), size=10, fill=INK, room=_BOX - 20)
    canvas.text(inner, y + 48, _words(one), size=10, fill=frame, room=_BOX - 20)
    if trial:
        time = format_seconds(trial.seconds)
        said = {EQUAL: f"same bytes in {time}", UNREAD: f"restored in {time}", BAD: "restore failed"}[trial.state]
        colour = _LOOKS[REFUTED][0] if trial.state == BAD else _RESTORED
        canvas.text(inner, y + 64, said, size=10, bold=True, fill=colour, room=_BOX - 20)


def _words(one: Member) -> str:
    if one.state in (PROVEN, REFUTED) and one.judged:
        return f"{one.state} {moment_of(one.judged)[:10]}"
    return one.state


def moment_of(text: str) -> str:
    """A time of an API as people read it: ``2026-11-22 05:01:12``."""
    return text[:19].replace("T", " ")


def _sign(canvas: Canvas, sign: str, x: float, y: float, colour: str) -> None:
    if sign == "tick":
        canvas.path("M", (x - 5, y), "L", (x - 1, y + 4), "L", (x + 6, y - 5), stroke=colour, stroke_width=2.2)
    elif sign == "cross":
        canvas.path(
            "M",
            (x - 4, y - 4),
            "L",
            (x + 4, y + 4),
            "M",
            (x + 4, y - 4),
            "L",
            (x - 4, y + 4),
            stroke=colour,
            stroke_width=2.2,
        )


def _legend(canvas: Canvas, y: float) -> None:
    """Two lines: what the boxes are, and what is known of them."""
    with canvas.group(id="legend"):
        x = _MARGIN
        canvas.rect(x, y, 30, 16, rx=3, fill=PAPER, stroke=INK, stroke_width=1.2)
        canvas.path("M", (x + 4, y + 3), "L", (x + 4, y + 13), stroke=INK, stroke_width=3)
        x += 38 + canvas.text(x + 38, y + 12, "full", size=10, fill=QUIET) + 22
        canvas.rect(x, y, 30, 16, rx=3, fill=PAPER, stroke=INK, stroke_width=1.2)
        x += 38 + canvas.text(x + 38, y + 12, "incremental", size=10, fill=QUIET) + 22
        canvas.line(x, y + 8, x + 30, y + 8, stroke=INK, stroke_width=1.4)
        canvas.path("M", (x, y + 8), "L", (x + 7, y + 4), "L", (x + 7, y + 12), "Z", fill=INK)
        canvas.text(x + 38, y + 12, "stands on: a restore reads that one as well", size=10, fill=QUIET)
        x = _MARGIN
        words = {
            PROVEN: "a restore gave the same bytes",
            OPEN: "not proven",
            REFUTED: "a restore gave other bytes",
            BROKEN: "cannot be restored",
        }
        for state, (frame, surface, sign) in _LOOKS.items():
            canvas.rect(x, y + 26, 30, 16, rx=3, fill=surface or SHADE, stroke=frame, stroke_width=1.6)
            _sign(canvas, sign, x + 14, y + 34, frame)
            x += 38 + canvas.text(x + 38, y + 38, words[state], size=10, fill=QUIET) + 22
