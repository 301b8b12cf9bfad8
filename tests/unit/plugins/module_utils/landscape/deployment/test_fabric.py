# SPDX-License-Identifier: Apache-2.0
"""What a report says about a fabric: who reaches whom, sessions, ECMP, and the pictures of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.report import to_json, to_markdown
from ansible_collections.scs.landscape.plugins.module_utils.core.report_html import to_html
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.landscape.deployment import (
    fabric,
    machines,
    picture,
    reach_picture,
    report,
)
from ansible_collections.scs.landscape.tests.tools import svg_check

EMBEDDED = Path(__file__).resolve().parents[6] / "examples" / "embedded"
RUN = "2026-11-21T13-12-13-fabric_verify-0a1b"
LEAF, SPINE = "em01-leaf-r01-u38", "em01-spine-r01-u41"
CTL, COMP, FAR = "em01-ctl-r01-u03", "em01-comp-r01-u04", "em01-ctl-r02-u03"
HOSTS = {CTL: "10.20.1.11", COMP: "10.20.1.21", FAR: "10.20.1.12"}


@pytest.fixture(scope="module")
def view():
    landscape, findings = client.load([str(EMBEDDED)])
    assert not findings
    return derive.resolve(landscape)


def session(peer, state="Established", *, expected=True):
    return {"vrf": "default", "peer": peer, "state": state, "expected": expected}


def asked(name, **special):
    """What node_probe returns; ``special``: sent, received and milliseconds by name of a host."""
    answers = []
    for other, address in HOSTS.items():
        sent, received, rtt = special.get(other, (3, 3, 0.061))
        if other != name:
            answers.append({"address": address, "sent": sent, "received": received, "rtt_ms": rtt})
    return {"host": {"answers": answers, "reached": [], "lost": []}}


def results(**special):
    ecmp = [
        {"prefix": "10.20.2.113/32", "width": 2, "expected": 2},
        {"prefix": "10.20.2.114/32", "width": 2, "expected": 2},
    ]
    return {
        LEAF: {"switch": {"sessions": [session("Ethernet48"), session("Ethernet52")], "ecmp": ecmp}},
        SPINE: {"switch": {"sessions": [session("Ethernet0")], "ecmp": []}},
        **{name: asked(name) for name in HOSTS},
        **special,
    }


def deed(view, said):
    seen = fabric.fabric_of(view, said)
    found = machines.machines_of({name: {} for name in said}, list(said))
    return report.Deed(view, "fabric_verify", RUN, found, fabric=seen)


def test_a_fabric_that_is_well(view):
    well = deed(view, results())
    made = report.report_of(well)
    assert made.status == "passed"
    facts = dict(made.facts)
    assert facts["BGP sessions"] == "3 of 3 established"
    assert facts["ECMP"] == "2 wide"
    assert facts["Hosts reach"] == "6 of 6 others"
    assert facts["Round trip"] == "0.06 ms"
    assert [table.title for table in made.tables] == ["Reachability", "Fabric", "Network", "Machines"]
    tables = {table.title: table for table in made.tables}
    assert tables["Reachability"].columns == ("From, to", COMP, CTL, FAR)
    assert tables["Reachability"].rows[0] == (COMP, "\u2013", "0.06 ms", "0.06 ms")
    assert tables["Fabric"].rows == (
        (LEAF, "leaf", "2 of 2", "2, for 2 prefixes", "as written"),
        (SPINE, "spine", "1 of 1", "", "as written"),
    )
    assert report.summary_of(well)[-3:] == [
        "Fabric    2 switches, BGP sessions 3 of 3 established, ECMP 2 wide",
        "Reach     6 of 6 ways between 3 hosts, nothing lost, round trip 0.06 ms",
        "OK  Verification of the fabric of Embedded lab in 0.0 s",
    ]


def test_a_fabric_that_is_not(view):
    narrow = [{"prefix": "10.20.2.113/32", "width": 1, "expected": 2}]
    down = {"sessions": [session("Ethernet48", "Active"), session("Ethernet52", "")], "ecmp": narrow}
    bad = deed(view, results(**{LEAF: {"switch": down}, CTL: asked(CTL, **{COMP: (4, 0, None), FAR: (3, 2, 12.4)})}))
    made = report.report_of(bad)
    assert made.status == "failed"
    facts = dict(made.facts)
    assert facts["BGP sessions"] == "1 of 3 established"
    assert facts["Hosts reach"] == "5 of 6 others"
    tables = {table.title: table for table in made.tables}
    assert tables["Reachability"].rows[1] == (CTL, "no answer", "\u2013", "12 ms, 33 % lost")
    assert tables["Fabric"].rows[0][2:] == (
        "0 of 2",
        "1, for 1 prefixes",
        "Ethernet48 is Active; Ethernet52 is not there; 10.20.2.113/32 over 1 instead of 2",
    )
    assert {case.name: case.status for case in made.cases if case.group == "reachability"} == {
        f"{CTL} - {COMP}": "failed",
        f"{CTL} - {FAR}": "warning",
        **{f"{one} - {other}": "passed" for one in (COMP, FAR) for other in HOSTS if one != other},
    }
    lines = report.summary_of(bad)
    assert "Reach     5 of 6 ways between 3 hosts, 1 of them lose packets, round trip 2.53 ms" in lines
    assert lines[-1].startswith("FAILED")
    assert set(report.verdicts(bad)) == {LEAF, CTL}
    assert ("fabric", CTL, f"does not reach {COMP}", "") in tables["What needs a hand"].rows


def test_a_machine_that_failed_says_why_once(view):
    said = results(**{CTL: asked(CTL, **{COMP: (4, 0, None)})})
    failure = {"failure": {"stage": "check", "message": "No answer from 10.20.1.21"}}
    found = machines.machines_of({CTL: failure, LEAF: {}}, [CTL, LEAF])
    bad = report.Deed(view, "fabric_verify", RUN, found, fabric=fabric.fabric_of(view, said))
    assert report.verdicts(bad) == {CTL: "check: No answer from 10.20.1.21"}


def test_sessions_that_nobody_expects_and_strangers(view):
    said = {LEAF: {"switch": {"sessions": [session("10.9.9.9", "Idle", expected=False)], "ecmp": []}}}
    said[CTL] = {"host": {"answers": [{"address": "192.0.2.9", "sent": 3, "received": 3, "rtt_ms": 123.4}]}}
    made = report.report_of(deed(view, said))
    tables = {table.title: table for table in made.tables}
    assert tables["Fabric"].rows[0][2:] == ("0 of 0", "", "as written")
    assert tables["Reachability"].rows[1] == (CTL, "123 ms", "\u2013")
    assert made.status == "passed"


@pytest.mark.parametrize(
    "said",
    [
        {},
        {LEAF: {}},
        {LEAF: {"switch": {"skipped": True}, "host": {"skipped": True}}},
        {LEAF: {"switch": {"failed": True, "msg": "no SSH", "sessions": None}}, CTL: {"host": {"answers": "odd"}}},
        {LEAF: "odd", CTL: {"host": {"answers": ["odd"]}}},
    ],
    ids=["nothing", "nobody", "skipped", "failed", "odd"],
)
def test_without_a_fabric_nothing_is_said_of_one(view, said):
    seen = fabric.fabric_of(view, said)
    assert seen == fabric.Fabric()
    assert fabric.facts(seen) == fabric.summary(seen) == fabric.cases(seen) == []
    assert fabric.reach_table(seen) is fabric.switches_table(view, seen) is None
    assert reach_picture.reach_picture(seen) == ""


def test_loss_is_never_rounded_away():
    assert fabric.Way("a", "b", 1000, 999, 0.1).words == "0.10 ms, 1 % lost"
    assert fabric.Way("a", "b", 3, 4, None).words == "reached"  # a duplicate is no loss


@pytest.mark.accept("L1.11")
def test_the_picture_of_who_reaches_whom(view):
    odd = {CTL: asked(CTL, **{COMP: (4, 0, None), FAR: (3, 2, 12.4)}), FAR: {"host": {"answers": []}}}
    drawn = reach_picture.reach_picture(fabric.fabric_of(view, results(**odd)))
    assert svg_check.problems(drawn) == []
    fields = drawn.partition('<g id="reach"')[2].partition('<g id="legend"')[0]
    assert len(re.findall("#e2f3ec", fields)) == 2
    assert len(re.findall("#fbe4e4", fields)) == len(re.findall("#fbf0dd", fields)) == 1
    assert fields.count(">?<") == 2
    assert "~ 33 % lost" in fields


def test_long_names_fit(view):
    way = fabric.Way("a" * 60, "another-host-with-a-name-that-is-long.example.org", 3, 3, 0.1)
    assert svg_check.problems(reach_picture.reach_picture(fabric.Fabric((), {(way.source, way.target): way}))) == []


@pytest.mark.accept("L1.11")
def test_cables_have_the_colour_of_their_sessions(view):
    said = results(**{SPINE: {"switch": {"sessions": [session("Ethernet0", "Active")], "ecmp": []}}})
    seen = fabric.fabric_of(view, said)
    sessions = {end: one.state == fabric.UP for end, one in seen.links.items()}
    ((title, drawn),) = picture.pictures(view, [], None, sessions)
    assert title == "Network"
    assert svg_check.problems(drawn) == []
    tips = dict(re.findall(r'<path[^>]* stroke="(#[0-9a-f]{6})"[^>]*><title>([^<]*)</title>', drawn)[::-1])
    assert f"{SPINE}/Ethernet0" in tips[picture.RED], "one end is enough to be red"
    assert f"{LEAF}/Ethernet52" in tips[picture.GREEN]


def test_every_form_shows_the_matrix(view):
    made = report.report_of(deed(view, results()))
    assert f"| {CTL} | 0.06 ms | – | 0.06 ms |" in to_markdown(made)
    html = to_html(made)
    assert html.count("<svg") == 2
    assert "Who reaches whom" in html
    (table,) = (one for one in json.loads(to_json(made))["tables"] if one["title"] == "Reachability")
    assert table["rows"][0][CTL] == "0.06 ms"
