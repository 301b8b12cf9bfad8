# SPDX-License-Identifier: Apache-2.0
"""Backups of a run: the right kind for the right reason, each once, whatever fails in between."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import model as cloud_model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.plugins.modules import volume_backup_run
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import (
    HASHES,
    FakeCinder,
    Killed,
)


def run(cloud: FakeCinder, check: bool = False, **options: Any) -> Result:
    """One task; time is the fake's."""
    defaults = {name: spec.get("default") for name, spec in volume_backup_run.ARGUMENTS.items()}
    if not set(options) & {"volumes", "servers", "volume_metadata", "policy"}:
        options["all_volumes"] = True
    return volume_backup_run.main(
        {**defaults, **options},
        check,
        connect=lambda *_args, **_more: cloud,
        now=lambda: cloud.now,
        clock=cloud.clock,
        sleep=cloud.sleep,
    )


def told(result: Result) -> dict[str, dict[str, Any]]:
    return {one["volume"]: one for one in result.values["backups"]}


def one_volume(**more: Any) -> FakeCinder:
    cloud = FakeCinder()
    cloud.add_volume("a", **more)
    return cloud


def next_day(cloud: FakeCinder, **options: Any) -> Result:
    cloud.pass_by(days=1)
    return run(cloud, **options)


def test_the_first_is_full_the_second_incremental_and_a_second_run_of_a_day_changes_nothing():
    cloud = one_volume()
    predicted = run(cloud, check=True)
    assert cloud.writes == []
    first = run(cloud)
    assert (first.failed, first.changed, first.steps_done) == ("", True, 1)
    assert first.plan.digest == predicted.plan.digest
    made = told(first)["a"]
    assert (made["status"], made["kind"], made["why"]) == ("available", "full", "there is no backup to stand on")
    assert made["chain"] == made["id"] == cloud.of("a")[0]["id"]
    before = len(cloud.requests)
    again = run(cloud)
    assert (again.changed, again.plan.steps, told(again)["a"]["status"]) == (False, (), "present")
    assert [method for method, _path in cloud.requests[before:]] == ["GET", "GET"]
    second = told(next_day(cloud))["a"]
    assert (second["kind"], second["parent"], second["chain"]) == ("incremental", made["id"], made["id"])
    assert [one["is_incremental"] for one in cloud.of("a")] == [False, True]
    assert cloud.of("a")[0]["metadata"] == {
        model.RUN: "2026-03-01",
        model.LEVEL: "none",
        model.WHY: "there is no backup to stand on",
    }
