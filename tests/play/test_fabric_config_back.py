# SPDX-License-Identifier: Apache-2.0
"""The way back of a fabric: to a checkpoint that is there, for everybody who had it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

LAB = Path(__file__).resolve().parents[2] / "examples" / "embedded"
NAME, RUN = "2026-11-21T21-19-26-fabric-deploy-f6e3", "2026-11-21T21-19-26-fabric_deploy-f6e3"
LEAVES = [f"em01-leaf-r01-u{unit}" for unit in (38, 39)]
PLAY = [{"hosts": "all", "gather_facts": False, "roles": [{"role": "scs.landscape.fabric_config"}]}]

Back = Callable[..., "tuple[list[str], list[dict[str, Any]]]"]


@pytest.fixture
def back(play: Callable[..., list[dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Back:
    """Orders a way back; what failed by host, and all results.

    :param has: the switches with the checkpoint.
    :param recorded: those that got it, as a report says; no report when it is nothing.
    """

    def run(*, has: list[str], recorded: list[str] | None, fails: bool) -> tuple[list[str], list[dict[str, Any]]]:
        monkeypatch.setenv("PWD", str(tmp_path))  # paths are meant from where the operator stands
        if recorded is not None:
            for folder, names in ((RUN, recorded), ("2026-11-20T21-19-26-fabric_deploy-aaaa", LEAVES)):
                rows = [{"Checkpoint": folder.replace("_", "-"), "Machine": name} for name in names]
                (tmp_path / "runs" / folder).mkdir(parents=True)
                report = {"tables": [{"title": "Machines", "rows": []}, {"title": "Checkpoints", "rows": rows}]}
                (tmp_path / "runs" / folder / "report.json").write_text(json.dumps(report))
        plan = {"changed": False, "plan": {"digest": "0", "impact": "none", "steps": []}}
        facts = {"switch": {"config": {"PORT": {"Ethernet0": {}}}, "bgp": []}}
        hosts = {
            name: {
                "fabric_config_plan": plan,
                "fabric_baseline_facts": facts,
                "fabric_config_lacks": name not in has,
            }
            for name in LEAVES
        }
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
        (tmp_path / "play.yml").write_text(yaml.safe_dump(PLAY))
        options = {"steps": ["order"], "back_to": NAME, "reports": "runs", "src": [str(LAB)]}
        variables = {f"fabric_config_{name}": value for name, value in options.items()}
        source = tmp_path / "hosts.yml"
        results = play(tmp_path / "play.yml", source=source, variables=variables, fails=fails)
        return [str(one["msg"]) for one in results if one.get("failed")], results

    return run


def test_a_checkpoint_that_nobody_has_is_refused(back: Back) -> None:
    failed, results = back(has=[], recorded=None, fails=True)
    assert len(failed) == 2
    assert set(failed) == {
        f"Nothing was changed: no switch has the checkpoint {NAME}; sonic_facts lists those that are there"
    }
    assert [one for one in results if "waves" in one] == []


def test_a_switch_that_lost_its_checkpoint_stops_all(back: Back) -> None:
    failed, _results = back(has=LEAVES[:1], recorded=LEAVES, fails=True)
    assert len(failed) == 2
    told = f"{LEAVES[1]} had the checkpoint {NAME} and lost it to later changes; the others would go back alone."
    assert set(failed) == {f"Nothing was changed: {told} Deploy the landscape as it was then instead"}


@pytest.mark.parametrize("recorded", [None, LEAVES[:1]], ids=["no report", "not changed by that run"])
def test_a_switch_that_the_run_did_not_change_stays_and_is_named(back: Back, recorded: list[str] | None) -> None:
    failed, results = back(has=LEAVES[:1], recorded=recorded, fails=False)
    assert failed == []
    assert [one["waves"] for one in results if "waves" in one] == [[]]
    told = {
        one["host"]: one["ansible_facts"]
        for one in results
        if "Say who stays" in one["task"] and not one.get("skipped")
    }
    stays = {"fabric_config_stays": {"warnings": [f"{LEAVES[1]} has no checkpoint {NAME} and stays as it is"]}}
    assert told == {LEAVES[1]: stays}
