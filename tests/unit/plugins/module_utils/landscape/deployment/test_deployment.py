# SPDX-License-Identifier: Apache-2.0
"""What a report says about a run: machines, cables, pictures, the terminal, the folder it is kept in."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Plan, Step
from ansible_collections.scs.landscape.plugins.module_utils.core.report import to_json, to_junit, to_markdown
from ansible_collections.scs.landscape.plugins.module_utils.core.report_html import to_html
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.landscape.cables import compare
from ansible_collections.scs.landscape.plugins.module_utils.landscape.cables.model import Neighbor, Observation
from ansible_collections.scs.landscape.plugins.module_utils.landscape.deployment import files, machines, picture, report
from ansible_collections.scs.landscape.plugins.module_utils.landscape.names import split_endpoint
from ansible_collections.scs.landscape.tests.tools import svg_check

EMBEDDED = Path(__file__).resolve().parents[6] / "examples" / "embedded"
RUN = "2026-11-21T13-12-13-lab_deploy-0a1b"
LEAF, CTL, COMP, OFF = "em01-leaf-r01-u38", "em01-ctl-r01-u03", "em01-comp-r01-u04", "em01-comp-r02-u04"
PLAN = Plan((Step("update", "file /etc/hosts", "a", "b"), Step("restart", "service x"))).as_dict()


@pytest.fixture(scope="module")
def view():
    landscape, findings = client.load([str(EMBEDDED)])
    assert not findings
    return derive.resolve(landscape)


def plugged(view):
    """Both ends of every cable of the lab."""
    return [tuple(map(tuple, (split_endpoint(c.a), split_endpoint(c.b)))) for c in view.landscape.cables]


def compared(view, links, without=()):
    said = {name: [] for name in view.devices if view.devices[name].device.state == "active"}
    for (near, port), (far, far_port) in links:
        if near in said and far in said:
            said[near].append(Neighbor(port, far, (far_port,)))
            said[far].append(Neighbor(far_port, near, (port,)))
    observed = {name: Observation(tuple(found)) for name, found in said.items() if name not in without}
    observed.update({name: Observation(reason="does not answer") for name in without})
    found = compare.compare(view, observed)
    return {
        "counts": found.counts,
        "results": [result.as_dict() for result in found.results],
        "not_asked": dict(found.not_asked),
        "silent": found.silent,
    }


def swapped(view):
    """The servers of two ports of a leaf exchanged."""
    one, other = (LEAF, "Ethernet1"), (LEAF, "Ethernet2")
    trade = {one: other, other: one}
    return [(trade.get(near, near), far) for near, far in plugged(view)]


def results(view, **special):
    whole = {name: {"baseline": {"changed": False, "plan": Plan().as_dict()}} for name in view.devices}
    del whole["em01-comp-r02-u05"]  # planned: not in the inventory
    return {**whole, **special}


def deed(view, *, links=None, without=(), predicted=False, gates=(), **special):
    found = machines.machines_of(results(view, **special), list(results(view)), predicted=predicted)
    cables = compared(view, links if links is not None else plugged(view), without)
    stages = [("reach", 1.5), ("baseline", 10.0)]
    return report.Deed(view, "lab_deploy", RUN, found, cables, stages, gates, predicted)


CHANGED = {"baseline": {"changed": True, "plan": PLAN, "seconds": 0.5}, "sshd": {"skipped": True, "changed": True}}
DOWN = {
    "failure": {"stage": "reach", "message": "ssh: connect to host 10.0.0.1 port 22: Connection timed out"},
    "reach": {"unreachable": True},
}
FULL_DISK = {
    "failure": {"stage": "baseline", "message": "[Errno 28] No space left on device"},
    "baseline": {"failed": True, "changed": False, "plan": PLAN},
}


def test_machines_say_what_was_done(view):
    found = {
        one.name: one
        for one in machines.machines_of(results(view, **{CTL: CHANGED, COMP: DOWN, OFF: FULL_DISK}), [CTL, COMP, OFF])
    }
    assert found[CTL].state == "changed"
    assert found[CTL].summary == "2 steps: update file /etc/hosts, restart service x"
    assert found[CTL].seconds == 0.5
    assert found[COMP].state == "unreachable"
    assert found[COMP].summary == "reach: does not answer: it is off, or a firewall drops SSH"
    assert found[OFF].state == "failed"
    assert "full disk" in found[OFF].reason
    assert found[OFF].steps == ()
    assert found[LEAF].state == "unreachable"
    assert found[LEAF].summary == "stopped answering during the run"


def test_a_run_that_was_to_change_nothing_predicts(view):
    (found,) = machines.machines_of({CTL: CHANGED}, [CTL], predicted=True)
    assert found.state == "would change"


def test_long_plans_are_cut_and_warnings_kept():
    plan = Plan(tuple(Step("create", f"f{number}") for number in range(9))).as_dict()
    warning = {"severity": "warning", "message": "slow disk", "hint": "replace it"}
    said = {"preflight": {"findings": [warning, {"severity": "error", "message": "x"}], "warnings": ["odd"]}}
    (found,) = machines.machines_of({"h": {**said, "baseline": {"changed": True, "plan": plan}}}, ["h"])
    assert found.summary == "9 steps: create f0, create f1, create f2 and 6 more"
    assert found.warnings == ("slow disk (replace it)", "odd")


def test_secrets_do_not_reach_the_report():
    step = {"action": "update", "object": "x", "before": {"password": "hunter2"}}
    secret = {"plan": {"steps": [step]}, "changed": True, "findings": [{"severity": "warning", "api_key": "hunter2"}]}
    said = {"failure": {"stage": "x", "message": "m", "password": "hunter2"}, "baseline": secret}
    assert "hunter2" not in repr(machines.machines_of({"h": said}, ["h"]))


def test_places(view):
    assert machines.place_of(view, CTL) == ("control", "r01\u00a0u03", "demo")
    assert machines.place_of(view, "stranger") == ("", "not in the landscape", "")


def test_a_good_run(view):
    made = report.report_of(deed(view, **{CTL: CHANGED}))
    assert made.status == "passed"
    facts = dict(made.facts)
    assert facts["Machines"] == "13 of 13 well"
    assert facts["Changed"] == "1"
    assert facts["Cables as written"] == "32 of 32"
    assert facts["Began (UTC)"] == "2026-11-21 13:12"
    titles = [table.title for table in made.tables]
    assert titles == ["Network", "Management network", "Machines", "What was done", "Cables", "Time"]
    assert report.verdicts(deed(view)) == {}
    lines = report.summary_of(deed(view))
    assert lines[-1] == "OK  Deployment of Embedded lab in 12 s"
    assert len(lines) <= 5


def test_a_bad_run_says_what_needs_a_hand_first(view):
    bad = deed(view, links=swapped(view), **{COMP: DOWN, OFF: FULL_DISK})
    made = report.report_of(bad)
    assert made.status == "failed"
    assert made.tables[0].title == "What needs a hand"
    assert [row[0] for row in made.tables[0].rows] == ["unreachable", "failed", "swapped"]
    told = report.verdicts(bad)
    assert set(told) == {COMP, OFF, LEAF}
    assert "are swapped" in told[LEAF]
    lines = report.summary_of(bad)
    assert lines[0].startswith(f"UNREACHABLE  {COMP}: does not answer")
    assert any(line.startswith("    -> At em01-leaf-r01-u38") for line in lines)
    assert lines[-1].startswith("FAILED")


def test_unknown_cables_do_not_fail_a_run(view):
    made = deed(view, links=[], without=tuple(name for name in view.devices))
    assert report.report_of(made).status == "skipped"
    assert dict(report.report_of(made).facts)["Cables not known"] == "32"
    assert "32 unknown" in "\n".join(report.summary_of(made))


def test_the_table_of_a_status(view):
    rows = report.summary_of(deed(view, links=swapped(view), **{COMP: DOWN}), table=True)
    assert re.match(rf"{COMP} +compute +r01.u04 +demo +unreachable +2/3 cables", rows[0])
    assert any("answers" in row for row in rows)


def test_many_defects_are_cut_on_the_terminal(view):
    lines = report.summary_of(deed(view, links=[]))
    assert "... and 26 more cables" in lines


def test_a_closed_gate_is_told(view):
    gate = {
        "environment": "prod", "protected": True, "impact": "none", "digest": "0123456789ab", "hosts": [CTL], "steps": 2,
        "confirmation": "prod 0123456789ab", "confirmed": False,
    }  # fmt: skip
    told = deed(view, gates=[gate], predicted=True, **{CTL: CHANGED})
    assert "To do this in prod pass: -e 'landscape_confirm=\"prod 0123456789ab\"'" in report.summary_of(told)
    tables = {table.title: table for table in report.report_of(told).tables}
    assert tables["Confirmation"].rows[0][-1] == "needed"
    assert "What would be done" in tables


def test_machines_without_cables(view):
    found = machines.machines_of({CTL: {}, "stranger": {}}, [CTL, "stranger"])
    lone = report.Deed(view, "lab_status", RUN, found)
    made = report.report_of(lone)
    assert "Cables as written" not in dict(made.facts)
    assert [table.title for table in made.tables] == ["Network", "Management network", "Machines"]
    assert lone.title == "Status of Embedded lab"


def strokes(svg):
    """Colour and dash of every cable by its tooltip."""
    root = ET.fromstring(svg)
    group = next(one for one in root.iter("{http://www.w3.org/2000/svg}g") if one.get("id") == "cables")
    return {path[0].text: (path.get("stroke"), path.get("stroke-dasharray")) for path in group}


@pytest.mark.accept("L1.11")
def test_the_picture_is_green_where_all_is_well(view):
    for _title, svg in picture.pictures(view, [], compared(view, plugged(view))["results"]):
        assert svg_check.problems(svg) == []
        colours = {colour for tip, (colour, _dash) in strokes(svg).items() if "campus-sw" not in tip}
        assert colours == {picture.GREEN}


@pytest.mark.accept("L1.11")
def test_the_picture_is_red_where_cables_are_swapped(view):
    found = machines.machines_of({COMP: DOWN, CTL: CHANGED}, [COMP, CTL])
    drawn = dict(picture.pictures(view, found, compared(view, swapped(view))["results"]))
    assert [problem for svg in drawn.values() for problem in svg_check.problems(svg)] == []
    red = {tip: dash for tip, (colour, dash) in strokes(drawn["Network"]).items() if colour == picture.RED}
    assert len(red) == 4
    assert sum(tip.endswith("written, and not there") and dash == "7 5" for tip, dash in red.items()) == 2
    assert sum(tip.endswith("there, and not written") and dash is None for tip, dash in red.items()) == 2
    assert drawn["Network"].count(f'stroke="{picture.AMBER}"') == 1
    assert drawn["Network"].count(f'stroke="{picture.RED}" stroke-width="2.4"') >= 1


def test_the_picture_is_grey_where_nobody_knows(view):
    everyone = tuple(view.devices)
    drawn = dict(picture.pictures(view, [], compared(view, [], everyone)["results"]))
    colours = {colour for tip, (colour, _dash) in strokes(drawn["Network"]).items() if "campus-sw" not in tip}
    assert colours == {picture.GREY}


def test_strangers_are_not_drawn_and_do_no_harm(view):
    links = [*plugged(view), ((LEAF, "Ethernet20"), ("printer", "lan"))]
    said = compared(view, links)
    said["results"].append(
        {"kind": "unexpected", "cables": [], "seen": [{"a": f"{LEAF}/Ethernet20", "b": "printer/lan"}]}
    )
    assert len(picture.pictures(view, [], said["results"])) == 2


@pytest.mark.parametrize("form", [to_json, to_markdown, to_junit, to_html])
def test_every_form_holds_what_matters(view, form):
    text = form(report.report_of(deed(view, links=swapped(view), **{COMP: DOWN})))
    assert "are swapped" in text
    assert COMP in text


def test_reports_are_kept_by_run(view, tmp_path):
    made = report.report_of(deed(view))
    paths = files.write(str(tmp_path), RUN, made, summary=["one", "two"])
    assert set(paths) == {"json", "md", "xml", "html", "txt"}
    assert (tmp_path / "latest" / "report.txt").read_text() == "one\ntwo\n"
    assert json.loads(Path(paths["json"]).read_text())["status"] == "passed"
    assert "http://" not in Path(paths["html"]).read_text().replace("http://www.w3.org/2000/svg", "")


def test_old_runs_go_and_nothing_else(view, tmp_path):
    made = report.report_of(deed(view))
    (tmp_path / "notes").mkdir()
    names = [f"2026-11-{day}T13-12-13-lab_deploy-0a1b" for day in range(10, 16)]
    for name in names:
        files.write(str(tmp_path), name, made, keep=3)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == [*names[-3:], "latest", "notes"]
    assert (tmp_path / "latest").resolve().name == names[-1]


def test_a_foreign_latest_stays(view, tmp_path):
    (tmp_path / "latest").mkdir()
    files.write(str(tmp_path), RUN, report.report_of(deed(view)))
    assert not (tmp_path / "latest").is_symlink()


@pytest.mark.parametrize("name", ["../evil", "", "x", "2026-11-21T13-12-13-lab/x-0a1b"])
def test_a_name_that_is_no_run_is_refused(view, tmp_path, name):
    with pytest.raises(InputError, match="no name of a run"):
        files.write(str(tmp_path), name, report.report_of(deed(view)))


def test_a_folder_that_cannot_be_written_is_one_sentence(view, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LandscapeError, match="cannot be written"):
        files.write(str(tmp_path / "file"), RUN, report.report_of(deed(view)))


def test_stages_last_until_the_next_one():
    assert files.stages({"b": 12.0, "a": 10.0}, 15.0) == [("a", 2.0), ("b", 3.0)]
    assert files.stages({}, 15.0) == []


def test_a_report_lists_who_can_go_back(view):
    """Neither who was brought back at once, nor who would have changed."""
    done = {"plan": PLAN, "changed": True, "checkpoint": "of-the-run"}
    results = {
        LEAF: {"switch": done},
        CTL: {"switch": {**done, "changed": False}},
        COMP: {"switch": done, "failure": {"stage": "switches", "message": "the gate stays shut"}},
        OFF: {"switch": {"plan": PLAN, "changed": True}},
    }
    for predicted, names in ((False, [COMP, LEAF]), (True, [])):
        found = machines.machines_of(results, list(results), predicted=predicted)
        deed = report.Deed(view=view, playbook="fabric_deploy", run=RUN, machines=found)
        tables = json.loads(to_json(report.report_of(deed)))["tables"]
        rows = [row for table in tables if table["title"] == "Checkpoints" for row in table["rows"]]
        assert rows == [{"Checkpoint": "of-the-run", "Machine": name} for name in names]
