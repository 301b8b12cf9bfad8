# SPDX-License-Identifier: Apache-2.0
"""The module landscape_validate: what fails it, what it writes, what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.modules import landscape_validate

REPO = Path(__file__).resolve().parents[4]
LAB = REPO / "examples" / "scs-lab"
DOCUMENTED = REPO / "tests" / "unit" / "fixtures" / "scs-lab" / "as-documented"


def run(*src, check=False, **options):
    params = {
        "src": [str(path) for path in src] or [str(LAB)],
        "observed": [],
        "fail_on": "error",
        "reports": [],
        "as_of": "2026-11-21",
        **options,
    }
    return landscape_validate.main(params, check)


@pytest.mark.accept("F1.3")
def test_the_corrected_lab_passes_at_every_severity():
    result = run(observed=[str(LAB / "_observed")], fail_on="info")
    assert result.failed == ""
    assert result.values["passed"]
    assert {key: result.values["counts"][key] for key in ("error", "warning", "info")} == {
        "error": 0,
        "warning": 0,
        "info": 0,
    }
    assert result.values["counts"]["waived"] > 0


def test_the_documented_lab_fails_with_all_findings_and_a_short_message():
    result = run(DOCUMENTED / "landscape", observed=[str(DOCUMENTED / "observed")])
    assert not result.values["passed"]
    assert len(result.values["findings"]) > 100
    assert result.failed.startswith("97 findings in the landscape\n")
    assert "more, all of them in the result" in result.failed
    assert len(result.failed.splitlines()) < 30


def test_it_can_be_told_not_to_fail():
    assert run(DOCUMENTED / "landscape", fail_on="never").failed == ""


@pytest.mark.accept("F1.9")
def test_check_mode_plans_the_reports_and_writes_none(tmp_path):
    reports = [str(tmp_path / "out" / f"report.{ending}") for ending in ("json", "md", "xml", "html")]
    checked = run(reports=reports, check=True)
    assert list(tmp_path.iterdir()) == []
    real = run(reports=reports)
    assert checked.plan.as_dict() == real.plan.as_dict()
    assert (checked.changed, checked.steps_done, real.steps_done) == (True, 0, 4)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "report.html",
        "report.json",
        "report.md",
        "report.xml",
    ]
    again = run(reports=reports)
    assert not again.changed
    assert again.steps_done == 0


def test_the_html_report_shows_the_network_and_the_rack(tmp_path):
    run(reports=[str(tmp_path / "report.html")])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") >= 2
    assert "Rack r01" in page


def test_the_places_of_a_report_do_not_depend_on_where_it_was_made(tmp_path):
    run(DOCUMENTED / "landscape", fail_on="never", reports=[str(tmp_path / "report.json")])
    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    (table,) = (entry for entry in json.loads(text)["tables"] if entry["title"] == "Findings")
    assert table["rows"]
    assert not any(row["Place"].startswith("/") for row in table["rows"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reports": ["report.pdf"]}, "form of the report"),
        ({"as_of": "tomorrow"}, "as_of"),
        ({"src": ["/nowhere/at/all"]}, "does not exist"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        run(**{"reports": [str(tmp_path / "report.json")], **options})
    assert list(tmp_path.iterdir()) == []


def test_a_broken_file_is_a_finding_with_its_line(tmp_path):
    (tmp_path / "lab.yml").write_text("version: 1\nhosts:\n  - [\n", encoding="utf-8")
    result = run(tmp_path)
    (finding,) = result.values["findings"]
    assert finding["rule"] == "S01"
    assert finding["line"] >= 3
    assert result.failed


def test_an_expired_waiver_counts_no_more():
    assert run(fail_on="warning", as_of="2028-01-01").failed
