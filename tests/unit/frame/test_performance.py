# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md and tests/bench speak of the same measurements."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROW = re.compile(
    r"^\| (?P<what>[^|]+) \| (?P<beside>[^|]+) \| (?P<ratio>[0-9.]+) \| (?P<limit>[0-9.]+) \|.*`(?P<bench>bench_\w+\.py)` \|$"
)


def _rows(repo: Path) -> list[dict[str, str]]:
    lines = (repo / "docs" / "performance.md").read_text(encoding="utf-8").splitlines()
    return [found.groupdict() for found in map(_ROW.match, lines) if found]


@pytest.mark.accept("F1.12", "L1.2", "S1.11", "S2.11", "B1.23")
def test_every_bench_has_its_figures_in_the_documentation(repo: Path) -> None:
    benches = {path.name for path in (repo / "tests" / "bench").glob("bench_*.py")}
    assert {row["bench"] for row in _rows(repo)} == benches


@pytest.mark.accept("F1.12", "L1.2", "S1.11", "S2.11", "B1.23")
def test_documented_ratios_keep_their_limits(repo: Path) -> None:
    assert [row["what"] for row in _rows(repo) if float(row["ratio"]) > float(row["limit"])] == []
