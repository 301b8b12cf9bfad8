# SPDX-License-Identifier: Apache-2.0
"""The role fabric_plan plans between the two sides it is given, and between no others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Play = Callable[..., list[dict[str, Any]]]

#: A landscape without any switch: whoever plans to it, plans for none.
EMPTY = {"version": 1, "title": "Empty"}


@pytest.fixture
def planned(play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    def run(*, fails: bool = False, **variables: Any) -> dict[str, Any]:
        given = {f"fabric_plan_{name}": value for name, value in variables.items()}
        results = play("scs.landscape.fabric_plan", variables={**given, "fabric_plan_reports": []}, fails=fails)
        return next(result for result in results if result["task"].endswith("Plan the change"))

    monkeypatch.setenv("PWD", str(tmp_path))  # paths are meant from where the operator stands
    for name, title in (("backups", "x"), ("earlier", "z"), ("wanted", "y")):
        (tmp_path / name).mkdir()
        config = {"DEVICE_METADATA": {"localhost": {"hostname": title}}}
        (tmp_path / name / "leaf1.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "landscape").mkdir()
    (tmp_path / "landscape" / "landscape.yml").write_text(yaml.safe_dump(EMPTY), encoding="utf-8")
    return run


def names(result: dict[str, Any]) -> list[tuple[Any, Any]]:
    return [(step["before"]["hostname"], step["after"]["hostname"]) for step in result["plan"]["steps"]]


def test_the_files_that_are_named_are_what_is_planned(planned):
    assert names(planned(after=["wanted"])) == [("x", "y")]
    assert names(planned(before=["earlier"], after=["wanted"])) == [("z", "y")]


def test_where_nothing_is_named_the_landscape_is_meant(planned):
    assert planned()["unmatched"] == {"before": ["leaf1"], "after": []}


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_side_that_is_named_twice_is_refused(planned, side):
    both = {side: ["wanted"], f"{side}_landscape": ["landscape"]}
    assert "mutually exclusive" in planned(fails=True, **both)["msg"]
