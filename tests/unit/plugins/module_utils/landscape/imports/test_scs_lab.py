# SPDX-License-Identifier: Apache-2.0
"""The SCS lab: as its own documents state it, with exactly the findings that are expected, and as corrected."""

from __future__ import annotations

import datetime
from collections import Counter

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.landscape.imports import scs_lab

TODAY = datetime.date(2026, 11, 21)
AS_DOCUMENTED = scs_lab.FIXTURES / "as-documented"


def files_below(folder):
    """Content of every file by its path below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()
    }


def findings_of(source, observed):
    """Every finding about a landscape and the facts observed about it."""
    landscape, misread = client.load([str(source)])
    seen, also_misread = client.load_observed([str(observed)]) if observed else ([], [])
    return validate.check(derive.resolve(landscape), misread + also_misread, seen, today=TODAY)


@pytest.mark.accept("F1.3")
def test_the_fixture_is_what_the_importer_makes_of_the_labs_tables():
    made, kept = scs_lab.as_documented(), files_below(AS_DOCUMENTED)
    assert sorted(made) == sorted(kept)
    for name, text in made.items():
        assert text == kept[name], name


@pytest.mark.accept("F1.3")
def test_the_lab_as_documented_yields_exactly_what_is_expected():
    wanted = scs_lab.document(scs_lab.FIXTURES / "expected.yml")["findings"]
    expected = Counter((entry["rule"], entry["object"], entry["row"]) for entry in wanted)
    found = Counter(
        (finding.rule, finding.object, finding.origin)
        for finding in findings_of(AS_DOCUMENTED / "landscape", AS_DOCUMENTED / "observed")
    )
    assert list((expected - found).elements()) == [], "not found"
    assert list((found - expected).elements()) == [], "not expected"


@pytest.mark.accept("F1.3")
@pytest.mark.parametrize("observed", [None, scs_lab.EXAMPLE / "_observed"], ids=["alone", "with observed facts"])
def test_the_corrected_lab_has_no_unwaived_finding(observed):
    findings = findings_of(scs_lab.EXAMPLE, observed)
    assert [str(finding) for finding in validate.unwaived(findings, at_least="info")] == []


def test_the_observed_facts_of_the_example_are_the_labs_own():
    assert scs_lab.observed_of_example() == files_below(scs_lab.EXAMPLE / "_observed")


def test_waivers_of_the_example_end_some_day():
    landscape, _misread = client.load([str(scs_lab.EXAMPLE)])
    assert landscape.waivers
    for waiver in landscape.waivers:
        assert len(waiver.reason) > 20
        assert TODAY < datetime.date.fromisoformat(waiver.expires) < TODAY + datetime.timedelta(days=500)


def test_every_row_of_the_labs_tables_is_used_merged_or_reported():
    result = scs_lab.imported(scs_lab.shared("scs-lab"))
    for name, counted in result.counts.items():
        assert counted["rows"] == counted["used"] + counted["merged"] + counted["unused"], name
        if name != "total":
            lines = (scs_lab.shared("scs-lab") / name).read_text().splitlines()
            assert counted["rows"] == len(lines) - 1, name
    reported = Counter(report.kind for report in result.reports)
    assert reported["unused"] == result.counts["total"]["unused"] == 18
    assert reported["merged"] == result.counts["total"]["merged"] == 22
    assert result.counts["cables.csv"] == {"rows": 152, "used": 113, "merged": 22, "unused": 17}


def test_contradictions_between_rows_of_one_cable_are_told():
    reports = scs_lab.imported(scs_lab.shared("scs-lab")).reports
    told = {(report.row, report.reason.split(" ")[0]) for report in reports if report.kind == "contradiction"}
    assert (81, "state") in told
    assert (10, "group") in told
    assert (114, "bundle") in told


@pytest.mark.accept("F1.5")
def test_derived_numbers_of_all_servers_are_the_real_ones():
    landscape, _misread = client.load([str(scs_lab.EXAMPLE)])
    view = derive.resolve(landscape)
    seen, _misread = client.load_observed([str(scs_lab.EXAMPLE / "_observed" / "host_vars.yml")])
    servers = [name for name in view.landscape.hosts if name in seen[0].devices]
    assert len(servers) == 21
    for name in servers:
        real, derived = seen[0].devices[name], view.devices[name]
        assert (derived.asn, derived.loopback_v4, derived.loopback_v6, derived.oob_v4, derived.oob_mac) == (
            real.asn,
            real.loopback_v4,
            real.loopback_v6,
            real.oob_address,
            real.oob_mac,
        )
        written = view.landscape.hosts[name]
        assert (written.asn, written.loopback_v4, written.loopback_v6, written.oob_address) == (None, "", "", "")


@pytest.mark.accept("F1.6")
def test_groups_equal_the_labs_inventory_member_by_member():
    landscape, _misread = client.load([str(scs_lab.EXAMPLE)])
    view = derive.resolve(landscape)
    (seen,), _misread = client.load_observed([str(scs_lab.EXAMPLE / "_observed" / "groups.yml")])
    real: dict[str, set[str]] = {}
    for name, device in seen.devices.items():
        for group in device.groups:
            real.setdefault(group, set()).add(name)
    assert real.pop("clusterstacks") == {"k8s-clusterstacks-test-management-bootstrap1"}  # a virtual machine
    ours = {group: set(members) for group, members in view.groups.items() if members}
    assert ours == real
    assert landscape.groups["ceph-rgw"].children == ("ceph-control",)
