# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Findings in SARIF 2.1.0, the form that code hosting shows beside the lines of a merge request.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


@dataclass(frozen=True)
class RuleText:
    """A rule as people read it; ``help`` says why and what to do."""

    id: str
    severity: str
    title: str
    help: str


@dataclass(frozen=True)
class Result:
    """One finding.

    :param severity: ``error``, ``warning`` or ``info``.
    :param file: path of the file, relative to the repository where that is possible.
    :param line: from 1; 0 for the file as a whole.
    :param place: what is meant, as people name it.
    :param accepted: the reason why it does not count; empty when it counts.
    """

    rule: str
    severity: str
    message: str
    file: str
    line: int = 0
    place: str = ""
    accepted: str = ""


def to_sarif(tool: str, link: str, rules: Iterable[RuleText], results: Iterable[Result]) -> str:
    """The text of a SARIF file, keys sorted.

    :param link: address of the documentation of the rules.
    """
    described = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.title},
            "help": {"text": rule.help},
            "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        }
        for rule in sorted(rules, key=lambda rule: rule.id)
    ]
    indexes = {str(rule["id"]): number for number, rule in enumerate(described)}
    driver = {"name": tool, "informationUri": link, "rules": described}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(result, indexes) for result in results],
    }
    data = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _result(result: Result, indexes: dict[str, int]) -> dict[str, Any]:
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(result.file)}}}
    if result.line:
        location["physicalLocation"]["region"] = {"startLine": result.line}
    if result.place:
        location["logicalLocations"] = [{"fullyQualifiedName": result.place}]
    data: dict[str, Any] = {
        "ruleId": result.rule,
        "level": _LEVELS[result.severity],
        "message": {"text": result.message},
        "locations": [location],
    }
    if result.rule in indexes:
        data["ruleIndex"] = indexes[result.rule]
    if result.accepted:
        data["suppressions"] = [{"kind": "external", "justification": result.accepted}]
    return data


def _uri(path: str) -> str:
    uri = quote(posixpath.normpath(path))
    return f"file://{uri}" if uri.startswith("/") else uri
