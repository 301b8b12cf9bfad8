# SPDX-License-Identifier: Apache-2.0
"""Several files become one landscape; what they say twice is found."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client
from ansible_collections.scs.landscape.plugins.module_utils.landscape.document import combine
from ansible_collections.scs.landscape.plugins.module_utils.landscape.finding import Finding
from ansible_collections.scs.landscape.plugins.module_utils.landscape.model import Landscape


def _load(folder: Path, **files: str) -> tuple[Landscape, list[Finding]]:
    for name, content in files.items():
        (folder / f"{name}.yml").write_text(content)
    return client.load([str(folder)])


def test_sections_are_united_and_lists_appended(tmp_path: Path) -> None:
    landscape, findings = _load(
        tmp_path,
        a="version: 1\nsites: {s1: {}}\ncables: [{a: x/1, b: y/1}]\n",
        b="title: Lab\nsites: {s2: {}}\ncables: [{a: x/2, b: y/2}]\n",
    )
    assert findings == []
    assert list(landscape.sites) == ["s1", "s2"]
    assert [cable.a for cable in landscape.cables] == ["x/1", "x/2"]
    assert landscape.title == "Lab"
    assert str(landscape.place("title")).endswith("b.yml:1") or landscape.source.lines["title"] == 1


def test_what_two_files_say_is_found_where_it_is_said_again(tmp_path: Path) -> None:
    landscape, findings = _load(
        tmp_path,
        a="version: 1\ntitle: A\nsites: {s1: {address: here}}\n",
        b="title: B\nsites:\n  s1: {address: there}\n",
    )
    assert landscape.title == "A"
    assert landscape.sites["s1"].address == "here"
    assert sorted(
        (finding.rule, finding.object, Path(finding.place.file).name, finding.place.line) for finding in findings
    ) == [
        ("S04", "sites/s1", "b.yml", 3),
        ("S04", "title", "b.yml", 1),
    ]
    assert all("first in" in finding.message and "a.yml" in finding.message for finding in findings)


def test_a_name_is_a_host_or_a_switch(tmp_path: Path) -> None:
    device = "{model: m, role: r, environment: e}"
    landscape, findings = _load(
        tmp_path, a=f"version: 1\nhosts: {{x: {device}}}\nswitches: {{x: {device}, y: {device}}}\n"
    )
    assert [(finding.rule, finding.object) for finding in findings] == [("S09", "switches/x")]
    assert landscape.devices["x"].section == "hosts"
    assert list(landscape.devices) == ["x", "y"]


def test_the_version_is_asked_of_the_whole(tmp_path: Path) -> None:
    landscape, findings = _load(tmp_path, a="title: x\n", b="sites: {}\n")
    assert [(finding.rule, finding.field, finding.hint) for finding in findings] == [
        ("S05", "version", "add version: 1")
    ]
    assert landscape.version is None


def test_nothing_makes_an_empty_landscape() -> None:
    landscape, findings = combine([])
    assert findings == []
    assert landscape.devices == {}
    assert landscape.cables == ()
