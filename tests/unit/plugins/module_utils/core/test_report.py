# SPDX-License-Identifier: Apache-2.0
"""Reports: the same facts in four forms, and nothing in them can break a form."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core import report, report_html

HOSTILE = 'a|b <script>alert(1)</script> & "x" \x00\x1b[31m ]]> `c` \n# d'


def make(**more):
    cases = (
        report.Case("C03", "port used twice: u32", "failed", f"u32: {HOSTILE}", 0.25),
        report.Case("G04", "one feed", "warning", "all on USV"),
        report.Case("R01", "units overlap"),
        report.Case("O02", "waived one", "skipped", "accepted"),
    )
    table = report.Table("Findings", ("Severity", "What"), (("error", HOSTILE), ("warning", "w")), "Two of them.")
    return report.Report(
        **{"title": "Lab <x>", "facts": (("Hosts", "21"),), "tables": (table,), "cases": cases, **more}
    )


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_status_is_that_of_the_worst_case():
    assert make().status == "failed"
    assert make(cases=make().cases[1:]).status == "warning"
    assert make(cases=()).status == "passed"
    assert make().counts == {"passed": 1, "skipped": 1, "warning": 1, "failed": 1}


def test_json_holds_everything_and_is_stable():
    data = json.loads(report.to_json(make()))
    assert data["facts"] == {"Hosts": "21"}
    assert data["tables"][0]["rows"][0] == {"Severity": "error", "What": HOSTILE}
    assert [case["group"] for case in data["cases"]] == ["C03", "G04", "R01", "O02"]
    assert report.to_json(make()) == report.to_json(make())


def test_junit_counts_failures_and_keeps_hostile_text_inside_attributes():
    suite = ET.fromstring(report.to_junit(make()))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "1")
    failure = suite.find(".//failure")
    assert "<script>" in failure.get("message")
    assert suite.find(".//testcase[@classname='C03']").get("time") == "0.250"
    assert suite.find(".//testcase[@classname='G04']/system-out").text == "all on USV"
    assert suite.find(".//testcase[@classname='R01']/*") is None


def test_junit_output_cannot_be_ended_by_its_text():
    case = report.Case("G04", "x", "warning", "before ]]> after")
    assert ET.fromstring(report.to_junit(make(cases=(case,)))).find(".//system-out").text == "before ]]> after"


def test_a_markdown_row_stays_one_row():
    lines = report.to_markdown(make()).splitlines()
    row = next(line for line in lines if line.startswith("| error"))
    assert "\\|b" in row
    assert "\\<script\\>" in row
    assert "\n" not in row
    assert sum(line.startswith("|") for line in lines) == 4


def test_html_is_well_formed_and_runs_nothing():
    parser = Tags()
    parser.feed(report_html.to_html(make()))
    assert parser.open == []
    assert "script" not in parser.seen
    assert "link" not in parser.seen
    assert "http" not in report_html.to_html(make())


@pytest.mark.parametrize(("text", "kind"), [("error", "failed"), ("warning", "warning"), ("ok", "passed")])
def test_words_of_severity_have_a_colour(text, kind):
    table = report.Table("T", ("S",), ((text,),))
    assert f'<td class="{kind}">{text}</td>' in report_html.to_html(make(tables=(table,)))


def test_pictures_are_in_the_page_and_in_no_other_form():
    page = make(tables=(report.Table("Rack", svg="<svg><title>r</title></svg>"),))
    assert "<figure><svg>" in report_html.to_html(page)
    assert "<svg>" not in report.to_markdown(page) + report.to_json(page) + report.to_junit(page)
