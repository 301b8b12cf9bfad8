# SPDX-License-Identifier: Apache-2.0
"""What the pictures show, and that every text in them can be read."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.svg import Canvas
from ansible_collections.scs.landscape.plugins.module_utils.landscape.docs import build, model, topology_layout
from ansible_collections.scs.landscape.tests.tools import svg_check

SVG = "{http://www.w3.org/2000/svg}"


def pictures(pages):
    return {name: text for name, text in pages.items() if name.endswith(".svg")}


@pytest.mark.accept("F1.7")
@pytest.mark.parametrize("landscape", ["lab_pages", "hostile_pages", "large_pages"])
@pytest.mark.accept("S1.12")
def test_no_text_overlaps_or_leaves_its_box(landscape, request):
    drawn = pictures(request.getfixturevalue(landscape))
    assert {"topology.svg", "management.svg", "power.svg"} < set(drawn)
    assert [name for name in drawn if name.startswith("racks/")]
    assert {name: found for name, text in drawn.items() if (found := svg_check.problems(text))} == {}


@pytest.mark.accept("F1.7")
def test_the_check_finds_what_is_planted(lab_pages):
    drawn = lab_pages["racks/r01.svg"]
    place = re.search(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>st01-ctl-r01-u28</text>', drawn)
    meeting = f'<text x="{float(place[1]) + 30}" y="{float(place[2]) + 5}" font-size="11">planted</text>'
    leaving = (
        '<rect x="300" y="80" width="30" height="14" fill="#fff"/><text x="310" y="90" font-size="11">planted</text>'
    )
    hidden = f'<rect x="{place[1]}" y="{float(place[2]) - 8}" width="9" height="9" fill="#fff"/>'
    outside = '<text x="780" y="20" font-size="11">planted</text>'
    for markup, words in ((meeting, "meets"), (leaving, "leaves"), (hidden, "painted over"), (outside, "leaves")):
        found = svg_check.problems(drawn.replace("</svg>", markup + "</svg>"))
        assert [problem for problem in found if words in problem], markup


def test_the_check_finds_a_text_that_is_not_shortened(lab_pages):
    drawn = lab_pages["racks/r01.svg"].replace(">Edgecore 7726-32X-O-AC-B<", f">{'Edgecore ' * 9}<", 1)
    assert svg_check.problems(drawn)


@pytest.mark.parametrize("landscape", ["lab_pages", "hostile_pages", "large_pages"])
def test_pictures_are_well_formed_and_need_nothing_from_elsewhere(landscape, request):
    for name, text in pictures(request.getfixturevalue(landscape)).items():
        root = ElementTree.fromstring(text)
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        assert len(ids) == len(set(ids)), name
        assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9._-]*", one) for one in ids), name
        assert {element.tag.replace(SVG, "") for element in root.iter()} <= {
            "svg", "title", "desc", "defs", "pattern", "g", "rect", "line", "path", "text",
        }  # fmt: skip
        assert not re.search(r"href|url\((?!#)|style=|javascript", re.sub(r">[^<]*<", "><", text)), name
        assert all(reference in ids for reference in re.findall(r"url\(#([^)]+)\)", text)), name


def lines_of(svg):
    root = ElementTree.fromstring(svg)
    return [path for path in root.iter(f"{SVG}path") if path.get("id", "").startswith("cable")]


def test_every_cable_of_the_lab_is_one_line(lab, lab_pages):
    network, management = lines_of(lab_pages["topology.svg"]), lines_of(lab_pages["management.svg"])
    assert len(network) + len(management) == len(lab.landscape.cables) == 99
    dashed = [line for line in network + management if line.get("stroke-dasharray")]
    assert len(dashed) == sum(cable.state == "deactivated" for cable in lab.landscape.cables) > 0


def test_all_devices_are_drawn(lab, lab_pages):
    for name in ("topology.svg", "management.svg", "power.svg", "racks/r01.svg"):
        groups = {element.get("id") for element in ElementTree.fromstring(lab_pages[name]).iter(f"{SVG}g")}
        assert {f"device-{device}" for device in lab.devices} <= groups, name


def test_many_devices_are_drawn_together(large_pages):
    for name in ("topology.svg", "management.svg"):
        root = ElementTree.fromstring(large_pages[name])
        boxes = [element for element in root.iter(f"{SVG}g") if element.get("id", "").startswith(("device-", "group-"))]
        assert len(boxes) < 3 * topology_layout.LIMIT
        assert any(element.get("id").startswith("group-") for element in boxes)
        assert float(root.get("height")) < 2000


def test_devices_on_one_feed_stand_out(lab, lab_pages):
    root = ElementTree.fromstring(lab_pages["power.svg"])
    alarmed = [
        group.get("id")
        for group in root.iter(f"{SVG}g")
        if any("one feed only" in "".join(text.itertext()) for text in group.iter(f"{SVG}text"))
    ]
    single = [name for name, one in lab.devices.items() if len(set(one.device.power.values())) == 1]
    assert sorted(alarmed) == sorted(f"device-{name}" for name in single) != []


def test_states_are_hatched(hostile_pages, lab_pages):
    drawn = next(
        text for name, text in hostile_pages.items() if name.startswith("racks/rack") and name.endswith(".svg")
    )
    assert "url(#planned)" in drawn
    assert "url(#retired)" in drawn
    assert "url(#planned)" not in lab_pages["racks/r01.svg"]


def test_the_tallest_usual_rack_fits_a_page(lab_pages):
    root = ElementTree.fromstring(lab_pages["racks/r01.svg"])
    assert float(root.get("width")) <= 794
    assert float(root.get("height")) <= 1123
    for name in ("topology.svg", "management.svg"):
        root = ElementTree.fromstring(lab_pages[name])
        assert float(root.get("width")) <= 1587
        assert float(root.get("height")) <= 1123


def test_a_cable_over_a_column_runs_around_the_boxes(lab_data, view_of):
    data = {**lab_data, "cables": [*lab_data["cables"], {"a": "st01-sw100g-r01-u41/Ethernet0", "b": "S1-S48-MR/Port1"}]}
    drawn = build.pages(view_of(data), [], model.Options(include=("topology",)))["topology.svg"]
    line = next(line for line in lines_of(drawn) if "st01-sw100g-r01-u41_2f_Ethernet0" in line.get("id"))
    lowest = max(float(y) for y in re.findall(r",([\d.]+)", line.get("d")))
    root = ElementTree.fromstring(drawn)
    boxes = [rect for group in root.iter(f"{SVG}g") if group.get("id", "").startswith("device-") for rect in group]
    bottom = max(float(rect.get("y")) + float(rect.get("height")) for rect in boxes if rect.tag == f"{SVG}rect")
    assert lowest > bottom


def test_an_empty_landscape_has_pages(view_of):
    written = build.pages(view_of({"version": 1}), [], model.Options())
    assert "index.md" in written
    assert not pictures(written)


def test_a_canvas_keeps_what_it_is_told():
    canvas = Canvas(100, 50, "a & b")
    canvas.text(10, 20, "much too long for this room", room=40)
    drawn = canvas.render()
    assert "<title>a &amp; b</title>" in drawn
    assert "<title>much too long for this room</title>" in drawn
    assert svg_check.problems(drawn) == []
