# SPDX-License-Identifier: Apache-2.0
"""What a value becomes when it is right; what is wrong is in test_schema.py and test_hostile.py."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, decode
from ansible_collections.scs.landscape.plugins.module_utils.landscape.finding import Finding
from ansible_collections.scs.landscape.plugins.module_utils.landscape.model import Landscape


def _decode(text: str) -> tuple[Any, list[Finding]]:
    tree, _findings = client.parse(text.encode(), "x.yml")
    assert tree is not None
    decoder = decode.Decoder()
    return decoder.decode(tree, Landscape, "x.yml"), decoder.findings


def _device(field: str) -> Any:
    landscape, findings = _decode(f"hosts: {{a: {{model: m, role: r, environment: e, {field}}}}}")
    assert findings == []
    return landscape.hosts["a"]


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        ("index: 7", "index", 7),
        ("serial: 007", "serial", "007"),
        ("os: 1.10", "os", "1.10"),
        ("description: yes", "description", "yes"),
        ("delivered: 2026-02-28", "delivered", "2026-02-28"),
        ("macs: {MGMT: 3C-EC-EF-9E-D1-1A}", "macs", {"MGMT": "3c:ec:ef:9e:d1:1a"}),
        ("oob_address: 10.0.0.1", "oob_address", "10.0.0.1"),
        ("loopback_v6: 'FD00:0::0001'", "loopback_v6", "fd00::1"),
        ("groups: [a, b]", "groups", ("a", "b")),
        ("groups: ", "groups", ()),
        ("vars: {a: [1, {b: ~}], c: 'x'}", "vars", {"a": [1, {"b": None}], "c": "x"}),
        ("vars: ", "vars", {}),
    ],
)
def test_values(written: str, field: str, value: Any) -> None:
    assert getattr(_device(written), field) == value


@pytest.mark.parametrize(("written", "value"), [("true", True), ("no", False), ("'ON'", True), ("Off", False)])
def test_booleans(written: str, value: bool) -> None:
    landscape, findings = _decode(f"environments: {{e: {{protected: {written}}}}}")
    assert findings == []
    assert landscape.environments["e"].protected is value


def test_objects_know_their_place() -> None:
    landscape, _findings = _decode("# c\nracks:\n  r01:\n    site: s\n    units: 47\ncables:\n  - a: x/1\n    b: y/2\n")
    rack = landscape.racks["r01"]
    assert (rack.ref, str(rack.place()), str(rack.place("units")), str(rack.place("feeds"))) == (
        "racks/r01",
        "x.yml:3",
        "x.yml:5",
        "x.yml:3",
    )
    (cable,) = landscape.cables
    assert (cable.ref, str(cable.place("b"))) == ("cables/x/1 -- y/2", "x.yml:8")


def test_a_bad_value_hides_neither_the_next_nor_the_rest() -> None:
    landscape, findings = _decode(
        "racks: {r01: {site: s, units: many, feeds: [a, [], b, b]}, r02: {site: ../x, units: 7}}"
    )
    assert [(finding.rule, finding.object, finding.field) for finding in findings] == [
        ("S03", "racks/r01", "units"),
        ("S03", "racks/r01", "feeds"),
        ("S04", "racks/r01", "feeds"),
        ("S08", "racks/r02", "site"),
    ]
    assert landscape.racks["r01"].feeds == ("a", "b")
    assert landscape.racks["r02"].units == 7


def test_findings_name_the_object_that_holds_a_nested_one() -> None:
    _landscape, findings = _decode("device_models: {m: {kind: switch, ports: [{names: [x], speed: 1G}, 7]}}")
    assert [(finding.object, finding.field) for finding in findings] == [
        ("device_models/m.ports[1]", "connector"),
        ("device_models/m.ports[2]", ""),
    ]


def test_one_cable_without_ends_still_has_a_name() -> None:
    landscape, findings = _decode("cables: [{a: x/1}]")
    assert landscape.cables[0].name == "x/1 -- ?"
    assert [finding.field for finding in findings] == ["b"]


def test_a_list_of_any_length_is_searched_for_repetitions() -> None:
    names = ", ".join(f"n{number}" for number in range(5000))
    _landscape, findings = _decode(f"groups: {{g: {{hosts: [{names}, n77]}}}}")
    assert [finding.message for finding in findings] == ["hosts lists 'n77' twice"]


@pytest.mark.parametrize(("word", "hint"), [("hotss", "did you mean hosts?"), ("qqq", ""), ("h" * 100000, "")])
def test_nearest(word: str, hint: str) -> None:
    assert decode.nearest(word, ["hosts", "switches"]) == hint


def test_after_too_many_findings_the_file_is_given_up() -> None:
    text = "sites: {" + ", ".join(f"s{number}: 7" for number in range(decode.MAX_FINDINGS + 5)) + "}"
    landscape, findings = _decode(text)
    assert landscape is None
    assert len(findings) == decode.MAX_FINDINGS + 1
    assert findings[-1].rule == "S10"
