# SPDX-License-Identifier: Apache-2.0
"""SARIF as code hosting reads it: what the standard asks for is there."""

from __future__ import annotations

import json

from ansible_collections.scs.landscape.plugins.module_utils.core.sarif import Result, RuleText, to_sarif

RULES = [RuleText("R2", "info", "Second", "why"), RuleText("R1", "error", "First", "why")]


def run(*results):
    data = json.loads(to_sarif("tool", "https://example.org/rules", RULES, results))
    assert data["version"] == "2.1.0"
    return data["runs"][0]


def test_rules_are_sorted_and_referred_to_by_their_index():
    found = run(Result("R2", "info", "text", "a.json", 3, "A|b c"))
    rules = found["tool"]["driver"]["rules"]
    assert [(rule["id"], rule["defaultConfiguration"]["level"]) for rule in rules] == [("R1", "error"), ("R2", "note")]
    assert found["results"] == [
        {
            "ruleId": "R2",
            "ruleIndex": 1,
            "level": "note",
            "message": {"text": "text"},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": {"uri": "a.json"}, "region": {"startLine": 3}},
                    "logicalLocations": [{"fullyQualifiedName": "A|b c"}],
                }
            ],
        }
    ]


def test_what_was_accepted_is_suppressed_and_no_line_is_no_region():
    result = run(Result("R9", "warning", "text", "./a b/\u00e4#.json", accepted="known"))["results"][0]
    assert result["suppressions"] == [{"kind": "external", "justification": "known"}]
    assert result["level"] == "warning"
    assert result["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "a%20b/%C3%A4%23.json"}}}]
    assert "ruleIndex" not in result


def test_absolute_paths_are_file_addresses():
    place = run(Result("R1", "error", "text", "/tmp/a.json"))["results"][0]["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "file:///tmp/a.json"


def test_the_same_findings_make_the_same_text():
    assert to_sarif("t", "l", RULES, []) == to_sarif("t", "l", reversed(RULES), [])
