# SPDX-License-Identifier: Apache-2.0
"""Looks at an SVG picture for texts that overlap, leave their box or the page.

Widths and heights come from the font file itself, read here, and not from the tables the pictures are made with.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

FONTS = Path(__file__).resolve().parents[1] / "unit" / "fixtures" / "fonts"
#: Rounding of coordinates and of hinted glyphs, in pixels.
TOLERANCE = 0.6


class Font:
    """Advance widths and ink of a TrueType font (tables head, hhea, hmtx, cmap format 4, loca, glyf)."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        count = struct.unpack_from(">H", self._data, 4)[0]
        entries = (struct.unpack_from(">4s3I", self._data, 12 + 16 * number) for number in range(count))
        self._tables = {tag.decode(): offset for tag, _checksum, offset, _length in entries}
        self.units = self._read("H", "head", 18)
        self._long = self._read("h", "head", 50)
        self._metrics = self._read("H", "hhea", 34)
        self._glyphs = self._characters()

    def _read(self, form: str, table: str, offset: int) -> int:
        return int(struct.unpack_from(">" + form, self._data, self._tables[table] + offset)[0])

    def _characters(self) -> dict[int, int]:
        start = self._tables["cmap"]
        for number in range(self._read("H", "cmap", 2)):
            start = self._tables["cmap"] + self._read("I", "cmap", 8 + 8 * number)
            if struct.unpack_from(">H", self._data, start)[0] == 4:
                break
        half = struct.unpack_from(">H", self._data, start + 6)[0] // 2
        ends, begins, deltas, offsets = (
            struct.unpack_from(f">{half}H", self._data, start + position)
            for position in (14, 16 + 2 * half, 16 + 4 * half, 16 + 6 * half)
        )
        glyphs = {}
        for segment in range(half):
            for code in range(begins[segment], min(ends[segment], 0xFFFE) + 1):
                glyph = code
                if offsets[segment]:
                    at = start + 16 + 6 * half + 2 * segment + offsets[segment] + 2 * (code - begins[segment])
                    glyph = struct.unpack_from(">H", self._data, at)[0]
                glyphs[code] = (glyph + deltas[segment]) & 0xFFFF
        return glyphs

    def advance(self, char: str) -> int | None:
        """Advance width in font units; nothing for a character the font does not have."""
        glyph = self._glyphs.get(ord(char))
        return None if glyph is None else self._read("H", "hmtx", 4 * min(glyph, self._metrics - 1))

    def ink(self, char: str) -> tuple[int, int]:
        """Lowest and highest point of a glyph in font units; both zero for a blank."""
        glyph = self._glyphs.get(ord(char), 0)
        size, form, scale = (4, "I", 1) if self._long else (2, "H", 2)
        begin, end = (self._read(form, "loca", size * (glyph + part)) * scale for part in (0, 1))
        if begin == end:
            return 0, 0
        return self._read("h", "glyf", begin + 4), self._read("h", "glyf", begin + 8)

    def measure(self, text: str, size: float) -> tuple[float, float, float]:
        """Width, height above and depth below the baseline; a missing character counts as a square."""
        widths = [self.advance(char) for char in text]
        inks = [self.ink(char) for char in text]
        scale = size / self.units
        width = sum(self.units if width is None else width for width in widths) * scale
        return (
            width,
            max((ink[1] for ink in inks), default=0) * scale,
            -min((ink[0] for ink in inks), default=0) * scale,
        )


@dataclass(frozen=True)
class Area:
    """A rectangle on the page, with what it stands for."""

    left: float
    top: float
    right: float
    bottom: float
    what: str

    def meets(self, other: Area) -> bool:
        """Whether both share more than an edge."""
        return (
            self.left < other.right - TOLERANCE
            and other.left < self.right - TOLERANCE
            and self.top < other.bottom - TOLERANCE
            and other.top < self.bottom - TOLERANCE
        )

    def holds(self, other: Area) -> bool:
        """Whether the other one lies inside."""
        return (
            self.left - TOLERANCE <= other.left
            and other.right <= self.right + TOLERANCE
            and self.top - TOLERANCE <= other.top
            and other.bottom <= self.bottom + TOLERANCE
        )


def problems(svg: str) -> list[str]:
    """Everything that is wrong with the texts of a picture, in words.

    A text must lie inside the last shape that was painted below it, nothing may be painted over it, and no two texts
    may meet. Shapes are rectangles; the first one is the page.
    """
    fonts = {"normal": Font(FONTS / "DejaVuSans.ttf"), "bold": Font(FONTS / "DejaVuSans-Bold.ttf")}
    shapes: list[Area] = []
    texts: list[Area] = []
    said: list[str] = []
    for element in ElementTree.fromstring(svg).iter():
        tag = element.tag.rpartition("}")[2]
        if tag == "rect" and element.get("fill", "none") != "none":
            shape = _shape(element)
            said += [f"{text.what!r} is painted over" for text in texts if shape.meets(text)]
            shapes.append(shape)
        elif tag == "text":
            text = _text(element, fonts)
            below = next((shape for shape in reversed(shapes) if shape.meets(text)), None)
            if below is None or not below.holds(text):
                said.append(f"{text.what!r} leaves its box")
            said += [f"{text.what!r} meets {other.what!r}" for other in texts if other.meets(text)]
            texts.append(text)
    return said


def _number(element: ElementTree.Element, name: str) -> float:
    return float(element.get(name, "0"))


def _shape(element: ElementTree.Element) -> Area:
    x, y = _number(element, "x"), _number(element, "y")
    return Area(x, y, x + _number(element, "width"), y + _number(element, "height"), "shape")


def _text(element: ElementTree.Element, fonts: dict[str, Font]) -> Area:
    shown = (element.text or "") + "".join(child.tail or "" for child in element)
    font = fonts[element.get("font-weight", "normal")]
    width, above, below = font.measure(shown, _number(element, "font-size"))
    x, y = _number(element, "x"), _number(element, "y")
    left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[element.get("text-anchor", "start")] * width
    return Area(left, y - above, left + width, y + below, shown)
