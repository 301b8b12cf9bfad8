# SPDX-License-Identifier: Apache-2.0
"""Waivers, severities and the order of findings."""

from __future__ import annotations

import datetime
import time

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.landscape.finding import Finding, Place
from ansible_collections.scs.landscape.plugins.module_utils.landscape.model import Landscape
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate

LANDSCAPE = """
environments: {prod: {}}
device_models: {box: {kind: server, ports: [{names: [nic0], speed: 25G, connector: sfp28}]}}
roles: {node: {kind: server}}
hosts:
  a: {model: box, role: node, environment: prod, serial: S-1}
  b: {model: box, role: node, environment: prod, serial: S-1}
  c: {model: box, role: node, environment: prod, serial: S-1}
"""


def _waived(check_text, *waivers, observed="", today="2026-01-01"):
    rows = "".join(
        f"  - {{rule: {rule}, object: '{name}', reason: {reason}, expires: {expires}}}\n"
        for rule, name, reason, expires in waivers
    )
    findings = check_text(LANDSCAPE + ("waivers:\n" + rows if rows else ""), observed, today)
    return [(f.rule, f.object, f.waived) for f in findings if f.rule in ("N03", "W01", "W02", "O01")]


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("hosts/b", ["seen", ""]),
        ("hosts/*", ["seen", "seen"]),
        ("*", ["seen", "seen"]),
        ("*/c", ["", "seen"]),
    ],
)
def test_a_waived_finding_is_kept_with_the_reason(check_text, name, reasons):
    expected = [("N03", "hosts/b", reasons[0]), ("N03", "hosts/c", reasons[1])]
    assert _waived(check_text, ("N03", name, "seen", "2026-12-31")) == expected


@pytest.mark.parametrize(("today", "reason"), [("2026-12-31", "seen"), ("2027-01-01", "")])
def test_a_waiver_holds_up_to_its_last_day(check_text, today, reason):
    found = _waived(check_text, ("N03", "hosts/*", "seen", "2026-12-31"), today=today)
    expired = [] if reason else [("W01", "waivers", "")]
    assert found == [("N03", "hosts/b", reason), ("N03", "hosts/c", reason), *expired]


@pytest.mark.parametrize(
    ("rule", "name"), [("N03", "hosts/a"), ("N04", "hosts/b"), ("N99", "hosts/b"), ("O01", "hosts/nobody")]
)
def test_a_waiver_that_matches_nothing_is_said(check_text, rule, name):
    found = _waived(check_text, (rule, name, "seen", "2026-12-31"))
    assert found == [("N03", "hosts/b", ""), ("N03", "hosts/c", ""), ("W02", "waivers", "")]


def test_a_waiver_of_observed_facts_waits_for_them(check_text):
    waiver = ("O01", "hosts/a", "seen", "2026-12-31")
    assert ("W02", "waivers", "") not in _waived(check_text, waiver)
    assert ("W02", "waivers", "") in _waived(check_text, waiver, observed="devices: {a: {model: box}}\n")
    assert ("O01", "hosts/a", "seen") in _waived(check_text, waiver, observed="devices: {a: {model: tower}}\n")


def _finding(severity, waived=""):
    return Finding("N03", severity, "hosts/a", "said", Place("f.yml", 1), waived=waived)


@pytest.mark.parametrize(("least", "count"), [("error", 1), ("warning", 2), ("info", 3)])
def test_what_counts(least, count):
    findings = [_finding("error"), _finding("warning"), _finding("info"), _finding("error", "seen")]
    assert len(validate.unwaived(findings, at_least=least)) == count


def test_errors_come_first_then_the_order_of_the_files(check_text):
    findings = check_text(LANDSCAPE + "feeds: {ups: {}}\n")
    assert [f.sort_key for f in findings] == sorted(f.sort_key for f in findings)
    assert [f.severity for f in findings][:2] == ["error", "error"]
    assert findings[-1].severity == "warning"


def test_a_finding_is_said_once():
    view = derive.resolve(Landscape())
    twice = [_finding("error"), _finding("error")]
    assert validate.check(view, twice) == [_finding("error")]


def test_an_empty_landscape_has_no_finding():
    assert validate.check(derive.resolve(Landscape()), []) == []


def test_today_is_the_day_of_the_call(tmp_path):
    tomorrow = (datetime.date.today() + datetime.timedelta(days=1)).isoformat()
    yesterday = (datetime.date.today() - datetime.timedelta(days=1)).isoformat()
    for day, expected in ((tomorrow, 0), (yesterday, 1)):
        text = LANDSCAPE + f"waivers: [{{rule: N03, object: '*', reason: seen, expires: {day}}}]\n"
        (tmp_path / "landscape.yml").write_text("version: 1\n" + text, encoding="utf-8")
        landscape, read = client.load([str(tmp_path / "landscape.yml")])
        found = validate.check(derive.resolve(landscape), read)
        assert sum(f.rule == "W01" for f in found) == expected


def test_hostile_waivers_take_no_time(check_text):
    start = time.monotonic()
    _waived(check_text, ("N03", "*" * 400 + "x" + "a*" * 200, "seen", "2026-12-31"))
    assert time.monotonic() - start < 2
