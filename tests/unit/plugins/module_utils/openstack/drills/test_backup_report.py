# SPDX-License-Identifier: Apache-2.0
"""The report of a drill has all its parts, and its pictures can be read by people and by machines."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.drills import model, times_picture
from ansible_collections.scs.landscape.plugins.module_utils.openstack.drills.chains_picture import chains_picture
from ansible_collections.scs.landscape.plugins.modules import backup_report
from ansible_collections.scs.landscape.tests.tools import pictures as drawing
from ansible_collections.scs.landscape.tests.tools import svg_check
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.drills import records

NOW = datetime.datetime.fromtimestamp(records.END, datetime.timezone.utc)
SVG = "{http://www.w3.org/2000/svg}"
#: What WCAG 2.2 asks of the contrast of small text.
READABLE = 4.5


def run(check_mode: bool = False, **options: Any) -> Result:
    defaults = {name: spec.get("default") for name, spec in backup_report.ARGUMENTS.items()}
    return backup_report.main({**defaults, **options}, check_mode, now=lambda: NOW)


def page_of(folder: Path, **options: Any) -> str:
    """The HTML form of a report."""
    return Path(run(dest=str(folder), **options).values["files"]["html"]).read_text(encoding="utf-8")


def pictures(page: str) -> list[str]:
    return re.findall(r"<svg .*?</svg>", page, re.DOTALL)


def luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def contrasts(svg: str) -> dict[str, float]:
    """The contrast of each text with the shape below it."""
    shapes: list[tuple[float, float, float, float, str]] = []
    found = {}
    for element in ElementTree.fromstring(svg).iter():
        place = [float(element.get(name, "0")) for name in ("x", "y", "width", "height")]
        if element.tag == f"{SVG}rect":
            shapes.append((place[0], place[1], place[0] + place[2], place[1] + place[3], element.get("fill", "none")))
        elif element.tag == f"{SVG}text":
            below = [one[4] for one in shapes if one[0] <= place[0] <= one[2] and one[1] <= place[1] <= one[3]]
            found["".join(element.itertext())] = contrast(element.get("fill", ""), below[-1])
    return found


@pytest.mark.accept("B1.24")
def test_the_report_of_a_drill_has_all_its_parts(tmp_path: Path) -> None:
    page = page_of(tmp_path, **records.drill())
    chains, times = pictures(page)
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert titles == [
        "What needs a hand", "Chains of backups", "Times of restores", "Servers", "Backups", "Time",
    ]  # fmt: skip
    for drawn in (chains, times):
        assert svg_check.problems(drawn) == []
        poor = {text: round(ratio, 1) for text, ratio in contrasts(drawn).items() if ratio < READABLE}
        assert poor == {}
    texts = re.findall(r"<text[^>]*>(?:<title>.*?</title>)?([^<]*)</text>", chains)
    # a chain of 3, of 3, of 1, of 2, and of one of 14 the first and the last four
    assert [texts.count(word) for word in ("full", "incremental")] == [5 + 1, 1 + 2 + 4 + 2 + 1]
    assert "... 9 more ..." in texts
    assert "proven 2026-11-29" in texts
    assert "refuted 2026-11-29" in texts
    assert "same bytes in 1 min 58 s" in texts
    assert "restored in 3 min 31 s" in texts
    assert "restore failed" in texts
    assert [text for text in re.findall(r"<text[^>]*>([^<]*)</text>", times) if " GiB, " in text] == [
        "3 min 31 s, 20 GiB, 97.2 MiB/s",
        "1 min 58 s, 20 GiB, 173.0 MiB/s",
        "1 min 4 s, 20 GiB, 320 MiB/s",
    ]
    assert "2 of 5120 blocks are not what was backed up" in times
    assert "ports[0].tags[0]: blue -&gt; (nothing)" in page
    assert not re.search(r"(?:href|src)=", page)


def test_what_it_says_and_what_it_is_worth(tmp_path: Path) -> None:
    done = run(dest=str(tmp_path), **records.drill())
    assert done.values["status"] == "failed"
    assert done.values["facts"] == {
        "Volumes with backups": "4",
        "Backups": "23",
        "Proven": "1 of 23",
        "Restored with the same bytes": "2 of 4",
        "Compared": "40 GiB",
        "Longest restore": "3 min 31 s",
        "Servers as they were": "1 of 2",
        "Time": "4 min 20 s",
        "Began (UTC)": "2026-11-29 09:10",
    }
    summary = done.values["summary"]
    assert summary[:3] == [
        "FAILED    web-data: 2 of 5120 blocks are not what was backed up",
        "FAILED    shop-web: ports[0].tags[0]: blue -> (nothing)",
        "WARNING   archive: none of its 2 backups is known to be good",
    ]
    assert summary[-1] == "FAILED  Drill of the shop"
    assert summary[-2] == f"Report    {done.values['files']['html']}"
    data = json.loads(Path(done.values["files"]["json"]).read_text(encoding="utf-8"))
    assert data["counts"] == {"passed": 3, "skipped": 0, "warning": 2, "failed": 2}
    junit = ElementTree.parse(done.values["files"]["xml"]).getroot()
    assert junit.get("failures") == "2"


def test_a_drill_that_went_well_needs_no_hand(tmp_path: Path) -> None:
    record = records.drill()
    well = {"verified": record["verified"][:1], "restores": [], "servers": record["servers"][:1], "missing": []}
    done = run(dest=str(tmp_path), **{**record, **well, "only": ["v-db"], "clock": {}})
    assert (done.values["status"], done.changed) == ("passed", False)
    assert done.values["facts"]["Backups"] == "3"
    page = Path(done.values["files"]["html"]).read_text(encoding="utf-8")
    assert "What needs a hand" not in page
    assert 'class="failed"' not in page


def test_in_check_mode_nothing_is_written(tmp_path: Path) -> None:
    done = run(True, dest=str(tmp_path / "reports"), **records.drill())
    assert (done.values["files"], list(tmp_path.iterdir())) == ({}, [])


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    record = records.drill()
    record["names"]["v-db"] = '<script>alert("x")</script>\u202e&\0'
    page = page_of(tmp_path, **record)
    assert "<script" not in page
    for drawn in pictures(page):
        assert svg_check.problems(drawn) == []


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("chains", [{"volume": "v"}], "volumes and chains are not what volume_backup_info returned"),
        ("volumes", [{"name": "x"}], "volumes and chains are not"),
        ("verified", [{"backup": "x"}], "restores or verified are not what"),
        ("servers", [{"name": "x"}], "servers are not what server_recreate returned"),
    ],
)
def test_what_is_something_else_is_refused(option: str, value: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        run(**{**records.drill(), option: value})


def test_arrows_lead_from_each_incremental_backup_to_its_parent() -> None:
    record = records.drill()
    rows = model.rows_of(record["volumes"][:2], record["chains"][:3], record["names"])
    drawn = chains_picture(rows, ())
    body = drawn.partition('<g id="chains"')[2].partition('<g id="legend"')[0]
    heads = re.findall(r'<path d="M [^"]* Z" fill', body)
    assert len(heads) == 4
    assert chains_picture((), ()) == ""


def test_many_chains_are_cut_and_said() -> None:
    chains = [records.line(f"v-{number:03}", 0, 1) for number in range(60)]
    volumes = [records.volume(f"v-{number:03}") for number in range(60)]
    drawn = chains_picture(model.rows_of(volumes, chains, {}), ())
    assert "... and 20 more chains, in the table below" in drawn
    assert svg_check.problems(drawn) == []


@pytest.mark.parametrize(
    ("longest", "step", "top"),
    [(0.0, 0.02, 0.1), (9.7, 2, 10), (10.0, 2, 10), (13.0, 5, 15), (118.4, 50, 150), (7300.0, 2000, 8000)],
)
def test_scales_are_round(longest: float, step: float, top: float) -> None:
    assert times_picture.scale(longest) == pytest.approx((step, top))


def test_the_pictures_of_the_documentation_are_those_of_this_code(repo: Path) -> None:
    for name, text in drawing.drill().items():
        shown = (repo / "docs" / "images" / name).read_text(encoding="utf-8")
        assert shown == text, f"docs/images/{name} is out of date, run `make pictures`"
        assert svg_check.problems(text) == []
