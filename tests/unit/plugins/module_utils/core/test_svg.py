# SPDX-License-Identifier: Apache-2.0
"""The SVG writer: texts that fit, characters that cannot break out."""

from __future__ import annotations

import random
from xml.etree import ElementTree

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core import font_tables, svg
from ansible_collections.scs.landscape.tests.tools import svg_check


@pytest.mark.parametrize(("table", "file"), [("REGULAR", "DejaVuSans.ttf"), ("BOLD", "DejaVuSans-Bold.ttf")])
def test_widths_are_those_of_the_font(table, file):
    font = svg_check.Font(svg_check.FONTS / file)
    assert font.units == font_tables.UNITS_PER_EM
    widths = getattr(font_tables, table)
    assert set(map(chr, range(32, 127))) | set("äöüßé…–—→·") <= set(widths)
    assert {char: font.advance(char) for char in widths} == widths


def test_fitting_texts_keep_to_their_room_and_use_it(seed):
    chooser = random.Random(seed)
    alphabet = "iIlWm.@ -09äß日💥"
    for _attempt in range(500):
        text = "".join(chooser.choice(alphabet) for _position in range(chooser.randrange(1, 40)))
        room, size, bold = chooser.uniform(0, 200), chooser.uniform(7, 22), chooser.random() < 0.5
        shown = svg.fit(text, room, size, bold)
        assert svg.width_of(shown, size, bold) <= room
        if shown != text and shown not in ("", "…"):
            kept = len(shown) - 1
            assert text.startswith(shown[:-1])
            longer = text[: kept + 1].rstrip() + "…"
            assert len(longer) <= len(shown) or svg.width_of(longer, size, bold) > room


def test_the_longest_text_is_shortened_quickly():
    assert svg.fit("W" * 10_000, 100, 10).endswith("W…")


def test_characters_that_reorder_or_break_lines_become_blanks():
    assert svg.printable("a\u202eb\nc\x00d\ud800e\u2028f") == "a b c d e f"
    assert svg.printable("plain – é 日") == "plain – é 日"


def test_foreign_texts_cannot_leave_their_element():
    hostile = "</text><script>alert(1)</script>\" onload='x' & \x00 \ufffe ]]>"
    canvas = svg.Canvas(400, 100, hostile, hostile)
    canvas.text(10, 20, hostile, fill=hostile)
    canvas.path("M", (0, 0), "L", (5, 5), tooltip=hostile, id="a")
    root = ElementTree.fromstring(canvas.render())
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {
        "svg",
        "title",
        "desc",
        "rect",
        "text",
        "path",
    }
    assert not [element for element in root.iter() if "onload" in element.attrib]


@pytest.mark.parametrize(
    ("value", "shown"), [(1.0, "1"), (1.256, "1.26"), (-0.001, "0"), (10.5, "10.5"), (100, "100"), ("a<b", "a&lt;b")]
)
def test_numbers_are_short_and_stable(value, shown):
    assert svg.number(value) == shown


def test_definitions_are_written_once():
    canvas = svg.Canvas(10, 10, "t")
    assert canvas.hatch("h", "#000") == canvas.hatch("h", "#000") == "url(#h)"
    assert canvas.render().count("<pattern") == 1
