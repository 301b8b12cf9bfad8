# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A small SVG writer: shapes, texts that fit, nothing that depends on the time or the machine.

Texts are measured with the advance widths of DejaVu Sans (:mod:`font_tables`); a text with a ``room`` is shortened
with an ellipsis before it can leave it, and keeps its full wording as a tooltip. Lengths are in user units, which are
CSS pixels (96 per inch) for pictures that are not scaled.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Union

from .font_tables import ASCENT, BOLD, DESCENT, REGULAR, UNITS_PER_EM

FONT = "DejaVu Sans, Verdana, sans-serif"
#: Width of a character outside the table, in em: wider than any glyph of the fallback fonts that was met (emoji).
UNKNOWN_EM = 1.4
#: Attributes of shapes: numbers and texts.
Value = Union[str, float]

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def printable(text: str) -> str:
    """The text on one line without control, formatting and unassigned characters (Unicode categories C and Z).

    What is left is legal in XML and cannot reorder the text around it.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " for char in text)


def escape(text: str) -> str:
    """The text for XML content and quoted attributes."""
    return printable(text).translate(_ESCAPES)


@functools.lru_cache(maxsize=16384)
def _units(text: str, bold: bool) -> int:
    table = BOLD if bold else REGULAR
    unknown = int(UNKNOWN_EM * UNITS_PER_EM)
    return sum(table.get(char, unknown) for char in text)


def width_of(text: str, size: float, bold: bool = False) -> float:
    """Width of a text of ``size`` pixels (the font size)."""
    return _units(text, bold) * size / UNITS_PER_EM


def height_of(size: float) -> float:
    """Height from the highest to the lowest glyph."""
    return (ASCENT + DESCENT) * size / UNITS_PER_EM


def fit(text: str, room: float, size: float, bold: bool = False) -> str:
    """The text, or as much of it as fits into ``room`` pixels with an ellipsis at the end; empty when nothing does."""
    text = printable(text)
    if width_of(text, size, bold) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width_of(text[:middle].rstrip() + "…", size, bold) <= room:
            low = middle
        else:
            high = middle - 1
    if low:
        return text[:low].rstrip() + "…"
    return "…" if width_of("…", size, bold) <= room else ""


def number(value: Value) -> str:
    """A number with at most two decimals and no trailing zeros; texts are escaped."""
    if isinstance(value, str):
        return escape(value)
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _attributes(values: dict[str, Value]) -> str:
    return "".join(
        f' {key.rstrip("_").replace("_", "-")}="{number(value)}"' for key, value in values.items() if value != ""
    )


class Canvas:
    """A picture on white paper that is written from back to front.

    :param width: pixels; with ``height`` the size on paper at 96 pixels per inch (A4 is 794 x 1123).
    :param title: what the picture shows, read out by screen readers.
    """

    def __init__(self, width: float, height: float, title: str, description: str = "") -> None:
        self.width, self.height = width, height
        self._title, self._description = title, description
        self._definitions: dict[str, str] = {}
        self._parts: list[str] = []

    def define(self, name: str, markup: str) -> str:
        """Adds a definition (a pattern) once; the reference to use as a fill."""
        self._definitions.setdefault(name, markup)
        return f"url(#{name})"

    def hatch(self, name: str, colour: str, *, angle: int = 45, step: float = 6, stroke: float = 1.2) -> str:
        """A fill of parallel lines."""
        line = f'<line x1="0" y1="0" x2="0" y2="{number(step)}" stroke="{colour}" stroke-width="{number(stroke)}"/>'
        return self.define(
            name,
            f'<pattern id="{name}" width="{number(step)}" height="{number(step)}" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate({angle})">{line}</pattern>',
        )

    @contextlib.contextmanager
    def group(self, **attributes: Value) -> Iterator[None]:
        """Everything drawn inside the block belongs together; ``id`` names it."""
        self._parts.append(f"<g{_attributes(attributes)}>")
        yield
        self._parts.append("</g>")

    def rect(self, x: float, y: float, width: float, height: float, **attributes: Value) -> None:
        """A rectangle."""
        shape: dict[str, Value] = {"x": x, "y": y, "width": width, "height": height}
        self._parts.append(f"<rect{_attributes({**shape, **attributes})}/>")

    def line(self, x1: float, y1: float, x2: float, y2: float, **attributes: Value) -> None:
        """A straight line."""
        shape: dict[str, Value] = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        self._parts.append(f"<line{_attributes({**shape, **attributes})}/>")

    def path(self, *segments: str | float | tuple[float, float], tooltip: str = "", **attributes: Value) -> None:
        """A path: letters, numbers and points in the order of SVG's own notation."""
        words = [
            f"{number(word[0])},{number(word[1])}" if isinstance(word, tuple) else number(word) for word in segments
        ]
        inner = f"><title>{escape(tooltip)}</title></path>" if tooltip else "/>"
        self._parts.append(f'<path d="{" ".join(words)}"{_attributes(attributes)}{inner}')

    def text(
        self,
        x: float,
        y: float,
        content: str,
        *,
        size: float = 11,
        bold: bool = False,
        anchor: str = "start",
        room: float = 0,
        **attributes: Value,
    ) -> float:
        """A line of text with its baseline at ``y``; its width as drawn.

        :param anchor: ``start``, ``middle`` or ``end``: which point of the text stands at ``x``.
        :param room: the text is shortened to this width; 0 leaves it as it is.
        """
        content = printable(content)
        shown = fit(content, room, size, bold) if room else content
        if not shown:
            return 0.0
        style: dict[str, Value] = {"x": x, "y": y, "font_size": size}
        if bold:
            style["font_weight"] = "bold"
        if anchor != "start":
            style["text_anchor"] = anchor
        tooltip = f"<title>{escape(content)}</title>" if shown != content else ""
        self._parts.append(f"<text{_attributes({**style, **attributes})}>{tooltip}{escape(shown)}</text>")
        return width_of(shown, size, bold)

    def render(self) -> str:
        """The picture as a file: UTF-8 text, one element a line, ends with a line feed."""
        box = f"{number(self.width)} {number(self.height)}"
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{number(self.width)}" height="{number(self.height)}" '
            f'viewBox="0 0 {box}" role="img" font-family="{FONT}" fill="none">'
        )
        paper = f'<rect width="{number(self.width)}" height="{number(self.height)}" fill="#ffffff"/>'
        lines = [head, f"<title>{escape(self._title)}</title>"]
        if self._description:
            lines.append(f"<desc>{escape(self._description)}</desc>")
        if self._definitions:
            lines += ["<defs>", *(self._definitions[name] for name in sorted(self._definitions)), "</defs>"]
        return "\n".join([*lines, paper, *self._parts, "</svg>"]) + "\n"
