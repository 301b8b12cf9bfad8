# SPDX-License-Identifier: Apache-2.0
"""What the tests of rules share: a way to run all rules over files, or over a landscape written in the test."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.landscape.finding import Finding
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate

Check = Callable[..., list[Finding]]


@pytest.fixture
def check() -> Check:
    """``check(paths, observed paths, day)``: all findings."""

    def run(paths: list[Path], observed: list[Path] | None = None, today: str = "2026-01-01") -> list[Finding]:
        landscape, read = client.load([str(path) for path in paths])
        facts, misread = client.load_observed([str(path) for path in observed or []])
        day = datetime.date.fromisoformat(today)
        return validate.check(derive.resolve(landscape), read + misread, facts, today=day)

    return run


@pytest.fixture
def check_text(check: Check, tmp_path: Path) -> Check:
    """``check_text(landscape, observed, day)``: the same, from text; ``version`` is added."""

    def run(text: str, observed: str = "", today: str = "2026-01-01") -> list[Finding]:
        file, facts = tmp_path / "landscape.yml", tmp_path / "observed.yml"
        file.write_text(f"version: 1\n{text}", encoding="utf-8")
        facts.write_text(observed, encoding="utf-8")
        return check([file], [facts] if observed else [], today)

    return run
