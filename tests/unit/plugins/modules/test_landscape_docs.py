# SPDX-License-Identifier: Apache-2.0
"""The module landscape_docs: what it writes, what it refuses, what it says in check mode."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape.docs import tables
from ansible_collections.scs.landscape.plugins.modules import landscape_docs

LAB = Path(__file__).resolve().parents[4] / "examples" / "scs-lab"


def run(dest, *, check=False, **options):
    params = {
        "src": [str(LAB)],
        "dest": str(dest),
        "title": None,
        "include": list(tables.SECTIONS),
        "svg": True,
        "front_matter": None,
        "prune": True,
        "adopt": False,
        "stale": "report",
        "as_of": "2026-11-21",
        **options,
    }
    return landscape_docs.main(params, check)


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_writes_once_and_then_rests(tmp_path):
    first = run(tmp_path / "docs")
    assert first.changed
    assert first.steps_done == len(first.values["pages"]) == len(first.plan)
    assert first.values["stale"] == first.values["pages"]
    assert {"index.md", "racks/r01.svg", "devices/st01-ctl-r01-u27.md"} <= set(first.values["pages"])
    before = tree(tmp_path)
    second = run(tmp_path / "docs")
    assert not second.changed
    assert second.steps_done == 0
    assert second.values["stale"] == []
    assert tree(tmp_path) == before


@pytest.mark.accept("F1.9")
def test_check_mode_writes_nothing_and_plans_the_same(tmp_path):
    checked = run(tmp_path / "docs", check=True)
    assert tree(tmp_path) == {}
    assert not (tmp_path / "docs").exists()
    real = run(tmp_path / "docs")
    assert checked.plan.as_dict() == real.plan.as_dict()
    assert checked.diff == real.diff
    assert checked.steps_done == 0


def test_stale_pages_are_reported_or_fail_in_check_mode(tmp_path):
    run(tmp_path)
    (tmp_path / "cables.md").write_text("edited by hand", encoding="utf-8")
    assert run(tmp_path, check=True).values["stale"] == ["cables.md"]
    assert run(tmp_path, check=True).failed == ""
    failed = run(tmp_path, check=True, stale="fail")
    assert "cables.md" in failed.failed
    assert failed.values["stale"] == ["cables.md"]
    written = run(tmp_path, stale="fail")
    assert written.failed == ""
    assert run(tmp_path, check=True, stale="fail").failed == ""


def test_pages_that_are_not_wanted_any_more_go(tmp_path):
    (tmp_path / "mine.md").write_text("not generated", encoding="utf-8")
    run(tmp_path)
    assert run(tmp_path, include=["racks"], prune=False).values["stale"] == ["index.md", "racks/r01.md"]
    assert (tmp_path / "cables.md").exists()
    less = run(tmp_path, include=["racks"])
    assert "cables.md" in less.values["stale"]
    assert set(tree(tmp_path)) - {"mine.md"} == {
        "index.md", "racks/r01.md", "racks/r01.svg", ".scs-landscape/landscape_docs.json",
    }  # fmt: skip


def test_a_landscape_that_cannot_be_read_is_refused_with_every_reason(tmp_path):
    source = tmp_path / "broken.yml"
    source.write_text("version: 1\nracks: {r01: {site: st01, unitss: 4}}\nhosts: 7\n", encoding="utf-8")
    refused = run(tmp_path / "docs", src=[str(source)])
    assert not refused.changed
    assert refused.failed.count("broken.yml:") == len(refused.values["findings"]) >= 3
    assert "unitss" in refused.failed
    assert not (tmp_path / "docs").exists()


def test_what_contradicts_itself_is_shown_but_does_not_stop_the_pages(tmp_path):
    source = tmp_path / "lab.yml"
    source.write_text("version: 1\nracks: {r01: {site: nowhere, units: 4}}\n", encoding="utf-8")
    written = run(tmp_path / "docs", src=[str(source)])
    assert written.values["findings"]
    assert written.values["findings"][0]["rule"] in (tmp_path / "docs" / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "options", [{"front_matter": {"a b": 1}}, {"as_of": "tomorrow"}, {"src": ["/nowhere/landscape.yml"]}]
)
def test_impossible_options_are_refused_before_anything_is_written(tmp_path, options):
    with pytest.raises(InputError):
        run(tmp_path / "docs", **options)
    assert not (tmp_path / "docs").exists()


def test_title_and_pictures_are_options(tmp_path):
    run(tmp_path, title="Our lab", svg=False)
    assert (tmp_path / "index.md").read_text(encoding="utf-8").startswith("# Our lab\n")
    assert not list(tmp_path.rglob("*.svg"))


def test_a_page_somebody_else_wrote_is_not_replaced_unasked(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("my notes\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"did not write: index\.md"):
        run(tmp_path / "docs")
    assert [path.name for path in (tmp_path / "docs").iterdir()] == ["index.md"]
    assert run(tmp_path / "docs", adopt=True).changed
    assert "my notes" not in (tmp_path / "docs" / "index.md").read_text(encoding="utf-8")


def test_pages_of_others_are_only_replaced_when_told_to(tmp_path):
    (tmp_path / "cables.md").write_text("somebody else's", encoding="utf-8")
    with pytest.raises(InputError, match="adopt"):
        run(tmp_path)
    assert tree(tmp_path) == {"cables.md": b"somebody else's"}
    assert run(tmp_path, adopt=True).changed
    assert (tmp_path / "cables.md").read_text(encoding="utf-8").startswith("# Cables\n")
