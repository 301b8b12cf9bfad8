# SPDX-License-Identifier: Apache-2.0
"""What is said of backups is what there is, ages among it, and Prometheus can read it."""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.plugins.modules import volume_backup_info
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import FakeCinder
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.histories import (
    BEGIN,
    History,
    into,
)

NOW = BEGIN.replace(tzinfo=datetime.timezone.utc) + datetime.timedelta(days=10)
DAY = 86400


def run(fake: FakeCinder, **options: Any) -> Result:
    defaults = {name: spec.get("default") for name, spec in volume_backup_info.ARGUMENTS.items()}
    done = volume_backup_info.main({**defaults, **options}, False, connect=lambda *_a, **_m: fake, now=lambda: NOW)
    assert fake.writes == []
    assert not done.changed
    return done


def a_week() -> tuple[FakeCinder, History]:
    """Five days of one volume: the first was proven, the third is a stranger's, the fourth failed."""
    history = History()
    for day in range(5):
        mark = {model.PROVEN: "2025-10-02T12:00:00+00:00", model.POLICY: "gold"} if day == 0 else {}
        history.take(day > 0, ours=day != 2, status="error" if day == 3 else "available", **mark)
        history.wait(days=1)
    fake = into(FakeCinder(), history)
    fake.add_volume("v1", name='we"b\n', metadata={model.POLICY_KEY: "gold"})
    fake.add_volume("bare", metadata={model.EXCLUDE_KEY: "true"})
    return fake, history


def test_volumes_with_their_backups_and_ages() -> None:
    fake, _history = a_week()
    done = run(fake)
    bare, web = done.values["volumes"]
    assert (bare["id"], bare["backups"], bare["newest"], bare["newest_age"]) == ("bare", 0, None, None)
    assert (web["newest"], web["newest_age"]) == ("v1-005", 6 * DAY)
    assert (web["proven"], web["proven_age"], web["proof_age"]) == ("v1-001", 10 * DAY, 10 * DAY - 34 * 3600)
    assert (web["backups"], web["restorable"], web["failed"], web["foreign"]) == (5, 4, 1, 1)
    assert (web["policy"], web["exists"]) == ("gold", True)
    (chain,) = done.values["chains"]
    assert (chain["length"], chain["closed"], chain["foreign"]) == (4, False, ["v1-003"])
    parents = {one["id"]: one["parent"] for one in chain["members"]}
    assert parents == {"v1-001": None, "v1-002": "v1-001", "v1-003": "v1-002", "v1-004": "v1-003", "v1-005": "v1-003"}
    assert done.values["problems"] == ["b4 (v1-004) failed"]
    assert fake.requests == [("GET", "/backups/detail"), ("GET", "/volumes/detail")]


def test_a_volume_that_is_gone_is_told_of() -> None:
    fake, _history = a_week()
    del fake.volumes["v1"]
    (web,) = run(fake, volumes=["v1"]).values["volumes"]
    assert (web["exists"], web["name"], web["newest"]) == (False, "", "v1-005")


def test_prometheus_reads_it() -> None:
    fake, _history = a_week()
    text = run(fake).values["metrics"]
    line = re.compile(r'[a-z_]+(\{([a-z]+="(\\\\|\\"|\\n|[^"\\\n])*",?)*\})? -?[0-9]+')
    values = {}
    for one in text.splitlines():
        assert one.startswith(("# HELP ", "# TYPE ")) or line.fullmatch(one), one
        if not one.startswith("#"):
            name, value = one.rsplit(" ", 1)
            assert name not in values
            values[name] = int(value)
    web = r'volume="v1",name="we\"b\n",project="p1",policy="gold"'
    prefix = "scs_landscape_backup"
    newest = int((NOW - datetime.timedelta(days=6)).timestamp())
    assert values[f"{prefix}_newest_timestamp_seconds{{{web}}}"] == newest
    assert values[f"{prefix}_proof_timestamp_seconds{{{web}}}"] == 1759406400
    assert values[f"{prefix}_chain_length{{{web}}}"] == 4
    numbers = {kind: values[f'{prefix}_backups{{{web},worth="{kind}"}}'] for kind in ("good", "proven", "failed")}
    assert numbers == {"good": 4, "proven": 1, "failed": 1}
    assert values[f"{prefix}_looked_timestamp_seconds"] == int(NOW.timestamp())
    assert text.endswith("\n")
    assert len(re.findall("# TYPE", text)) == len({name.partition("{")[0] for name in values})


def test_the_later_verdict_counts() -> None:
    fake, _history = a_week()
    fake.backups["v1-001"]["metadata"][model.REFUTED] = "2025-10-03T00:00:00+00:00"
    web = run(fake, volumes=["v1"]).values["volumes"][0]
    assert (web["newest"], web["proven"]) == (None, None)
    fake.backups["v1-001"]["metadata"][model.PROVEN] = "2025-10-04T00:00:00+00:00"
    web = run(fake, volumes=["v1"]).values["volumes"][0]
    assert (web["newest"], web["proven"]) == ("v1-005", "v1-001")


@pytest.mark.parametrize("admin", [True, False])
def test_records_where_the_token_may(admin: bool) -> None:
    fake, history = a_week()
    fake.admin = admin
    done = run(fake, records=True)
    (chain,) = done.values["chains"]
    assert {one["id"]: one["parent"] or "" for one in chain["members"]} == {
        key: history.parents.get(key, "") for key in history.backups
    }
    assert len(done.values["omitted"]) == (not admin)


def test_other_projects_are_told_apart() -> None:
    fake, history = a_week()
    theirs = dataclasses.replace(history, project="p2", backups={}, parents={}, volume="v9")
    theirs.take()
    into(fake, theirs)
    fake.admin = True
    done = run(fake, all_projects=True)
    assert [(one["id"], one["project"]) for one in done.values["volumes"]] == [
        ("bare", "p1"),
        ("v1", "p1"),
        ("v9", "p2"),
    ]
