# SPDX-License-Identifier: Apache-2.0
"""The report of a migration says what happened, in four forms, and escapes what it is given."""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import figures, timeline_picture
from ansible_collections.scs.landscape.plugins.modules import vm_migration_report
from ansible_collections.scs.landscape.tests.tools import svg_check
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.flows import waves

MAIL = waves.UUIDS["mail"]
MIB, GIB = waves.MIB, waves.GIB


def run(dest, check=False, **more):
    vms = [waves.journal(name) for name in waves.NAMES]
    checks = [one for name in waves.NAMES for one in waves.checks(name)]
    given = {"title": "First", "dest": dest and str(dest), "vms": vms, "disks": [], "checks": checks, **more}
    return vm_migration_report.main(given, check)


def written(folder):
    data = json.loads((folder / "report.json").read_text("utf-8"))
    return data["facts"], {table["title"]: table["rows"] for table in data["tables"]}


def told(tmp_path, **more):
    """Facts and tables of a report."""
    run(tmp_path / "told", **more)
    return written(tmp_path / "told")


def test_every_form_is_written_once(tmp_path):
    vms = [waves.journal("mail", name="web <b>1</b>")]
    first = run(tmp_path / "r", check=True, vms=vms)
    assert first.changed
    assert not (tmp_path / "r").exists()
    done = run(tmp_path / "r", vms=vms)
    assert (done.steps_done, done.values["status"]) == (4, "passed")
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == [
        f"report.{end}" for end in ("html", "json", "md", "xml")
    ]
    assert not run(tmp_path / "r", vms=vms).changed
    assert "<b>1</b>" not in (tmp_path / "r/report.html").read_text("utf-8")


def test_a_wave_is_told_with_times_bytes_and_rates(tmp_path):
    facts, tables = told(tmp_path)
    assert [*tables] == ["Timeline", "Disks", "Servers", "What was verified, and how"]
    assert (facts["Machines done"], facts["Disks"], facts["Data in them"]) == ("3 of 3", "4, 176 GiB", "21 GiB")
    assert (facts["Time of copying"], facts["Rate"]) == ("3 min 50 s", "782.2 MiB/s")
    assert (facts["Volumes read back"], facts["Off for at most"]) == ("4 of 4", "5 min 14 s")
    assert [row["Machine"] for row in tables["Timeline"]] == [*waves.NAMES]
    phases = ("Ports", "Shut down", "Copied", "Verified", "Server", "Cut over", "Off for at most")
    took = tuple(tables["Timeline"][0][one] for one in phases)
    assert took == ("11 s", "31 s", "3 min 56 s", "24 s", "23 s", "22 s", "5 min 14 s")
    second = tables["Disks"][1]
    assert (second["Disk"], second["Read"], second["Data"]) == ("mail Hard disk 2", "16 GiB", "3 GiB")
    assert (second["Rate"], second["Read back"]) == ("213.3 MiB/s", "the volume")
    ports = next(row for row in tables["What was verified, and how"] if row["What"] == "ports")
    assert (ports["Machine"], ports["Result"]) == ("mail", "passed")
    assert "MAC and IP addresses" in ports["How"]


def test_a_run_that_moves_nothing_writes_the_same_report(tmp_path):
    disks = [waves.disk(name, key) for name in waves.NAMES for key in waves.DISKS[name]]
    vms = [waves.journal(name) for name in waves.NAMES]
    run(tmp_path / "r", vms=vms, disks=disks)
    facts, _tables = written(tmp_path / "r")
    assert facts["Disks"] == "4, 176 GiB"
    unmoved = ("vm", "vm_name", "key", "label", "volume", "digest", "message", "size", "transport")
    there = [{**{key: one[key] for key in unmoved}, "status": "present", "verified": ""} for one in disks]
    assert not run(tmp_path / "r", vms=vms, disks=there).changed


def test_what_a_journal_keeps_is_enough_for_the_report():
    made: dict = {}
    figures.keep(made, waves.disk("mail", 2001))
    figures.keep(made, {**waves.disk("mail", 2000), "status": "present"})
    assert [*made["figures"]] == ["2001"]
    assert made["figures"]["2001"]["rate"] == waves.disk("mail", 2001)["rate"]


def test_bytes_that_an_earlier_run_brought_were_not_read_again(tmp_path):
    resumed = waves.disk("mail", 2001, resumed=12 * GIB)
    _facts, tables = told(tmp_path, vms=[waves.journal("mail")], disks=[resumed])
    assert [row["Read"] for row in tables["Disks"]] == ["40 GiB", "4 GiB"]


def test_what_failed_is_said_first_with_what_to_do(tmp_path):
    failed = {"status": "failed", "message": "it broke off", "seconds": None, "rate": None, "volume": None}
    stopped = waves.journal("web", until="stopped")
    bad = {"vm": MAIL, "kind": "server", "name": "mail", "status": "failed", "message": "it is ERROR, not ACTIVE"}
    unread = {"vm": MAIL, "kind": "blocks", "name": "Hard disk 1", "status": "skipped", "message": "nobody read it"}
    more = {"disks": [waves.disk("web", 2000, **failed)], "checks": [bad, unread]}
    facts, tables = told(tmp_path, vms=[waves.journal("mail"), stopped], **more)
    assert next(iter(tables)) == "What needs a hand"
    rows = [(row["What"], row["Where"], row["Why"]) for row in tables["What needs a hand"]]
    assert rows == [
        ("failed", "web Hard disk 1", "it broke off"),
        ("failed", "server of mail, mail", "it is ERROR, not ACTIVE"),
        ("skipped", "blocks of mail, Hard disk 1", "nobody read it"),
        ("warning", "web", "It is stopped: it is off at the source. It runs nowhere now."),
    ]
    assert all(row["What to do"] for row in tables["What needs a hand"])
    assert (facts["Machines done"], facts["Under way"]) == ("1 of 2", "1")


def test_a_machine_that_was_off_was_not_taken_away_from_anybody(tmp_path):
    off = {"power": "off", "nics": {}, "autostart": 0}
    facts, tables = told(tmp_path, vms=[waves.journal("mail", original=off)])
    assert "Off for at most" not in facts
    assert [row["Off for at most"] for row in tables["Timeline"]] == [""]


def test_journals_alone_and_no_machine_at_all_are_told_too(tmp_path):
    facts, tables = told(tmp_path, vms=[waves.journal("mail", until="planned", figures=False)], checks=[])
    assert (facts, [*tables]) == (
        {"Machines done": "0 of 1", "Under way": "1"},
        ["What needs a hand", "Timeline", "Servers"],
    )
    facts, tables = told(tmp_path, vms=[], checks=[])
    assert (facts, [*tables]) == ({"Machines done": "0 of 0"}, [])


def test_the_picture_shows_every_machine_and_disk(tmp_path):
    long = [waves.journal("mail", name="a machine whose name is far too long for any picture of this world")]
    run(tmp_path / "r", vms=[*long, waves.journal("web", until="stopped"), waves.journal("archive")])
    (drawn,) = re.findall(r"<svg .*?</svg>", (tmp_path / "r/report.html").read_text("utf-8"), re.DOTALL)
    assert svg_check.problems(drawn) == []
    # Six bars of two machines, two of one that only got that far, three disks, and the seven of the key.
    assert drawn.partition('<g id="key">')[0].count(" Z") == 6 + 2 + 6 + 3
    assert drawn.partition('<g id="key">')[2].count(" Z") == 7
    assert "Hard disk 2: 16 GiB, 213.3 MiB/s" in drawn
    assert "it is stopped" in drawn
    assert "since 2026-09-21 14:13:20 UTC" in drawn


@pytest.mark.parametrize(
    ("seconds", "step", "top"),
    [(0, 1, 1), (7, 1, 7), (347, 60, 360), (3601, 600, 4200), (90_000, 14_400, 100_800), (9e6, 1_296_000, 9_072_000)],
)
def test_lines_stand_at_times_that_people_say(seconds, step, top):
    assert timeline_picture.scale(seconds) == (step, top)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"vms": [waves.journal("mail", until="copied")]}, "warning"),
        ({"vms": [waves.journal("mail", until="planned", state="rolled_back")]}, "skipped"),
        ({"disks": [waves.disk("mail", 2000, status="failed", message="it broke off")]}, "failed"),
        ({"checks": [{"vm": MAIL, "kind": "blocks", "name": "x", "status": "failed", "message": "differs"}]}, "failed"),
    ],
    ids=["under way", "brought back", "disk", "check"],
)
def test_the_report_is_as_bad_as_its_worst_part(change, status):
    result = run(None, **change)
    assert result.values["status"] == status
    assert result.values["files"] == []
    assert result.values["summary"].endswith(status)


def test_what_is_no_journal_is_refused():
    with pytest.raises(InputError, match="not whole"):
        run(None, vms=[{"name": "x"}])
