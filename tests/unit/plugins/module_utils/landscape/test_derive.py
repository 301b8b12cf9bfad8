# SPDX-License-Identifier: Apache-2.0
"""What follows from a landscape, and that nothing can stop it from following."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.landscape.finding import Finding, Place

BASE = """\
version: 1
asn_schemes: {nodes: {kind: scs}, leaves: {kind: explicit}}
networks:
  oob: {purpose: management, v4: 10.10.23.0/24}
  loop: {purpose: loopback, v4: 10.10.21.0/24, v6: "fd0c:cc24:75a0:1::/64", scheme_v6: embed-v4}
environments: {prod: {}}
roles:
  comp: {kind: server, oob_network: oob, loopback_network: loop, asn_scheme: nodes, uplinks: 2, uplinks_to: [leaf]}
  leaf: {kind: switch, oob_network: oob, asn_scheme: leaves}
device_models:
  box:
    kind: server
    ports:
      - {names: [MGMT], use: bmc, speed: 1G, connector: rj45}
      - {names: ["nic{0..3}"], aliases: ["P{1..4}"], speed: 25G, connector: sfp28}
  sw:
    kind: switch
    ports:
      - {names: [eth0], use: management, speed: 1G, connector: rj45}
      - {names: ["Ethernet{0..47}"], speed: 25G, connector: sfp28}
"""
DEVICES = """\
hosts:
  a: {model: box, role: comp, environment: prod, index: 25, macs: {MGMT: "3c:ec:ef:00:00:01"}, groups: [extra]}
  b: {model: box, role: comp, environment: prod, index: 26, state: planned}
switches:
  l1: {model: sw, role: leaf, environment: prod, asn: 65404, index: 101}
  l2: {model: sw, role: leaf, environment: prod, asn: 65405, index: 102}
cables:
  - {a: a/nic1, b: l2/Ethernet0}
  - {a: l1/Ethernet0, b: a/nic0}
  - {a: a/nic2, b: l1/Ethernet1, state: deactivated}
  - {a: a/MGMT, b: l1/Ethernet40}
  - {a: a/nic3, b: b/nic3}
groups:
  compute: {roles: [comp]}
  all_prod: {environments: [prod], without: [l2]}
  named: {hosts: [b]}
"""


def _view(tmp_path: Path, text: str) -> derive.View:
    (tmp_path / "lab.yml").write_text(text)
    landscape, _findings = client.load([str(tmp_path)])
    return derive.resolve(landscape)


@pytest.fixture
def view(tmp_path: Path) -> derive.View:
    return _view(tmp_path, BASE + DEVICES)


def test_addresses_and_numbers(view: derive.View) -> None:
    host, leaf = view.devices["a"], view.devices["l1"]
    assert (host.oob_v4, host.loopback_v4, host.loopback_v6) == (
        "10.10.23.25",
        "10.10.21.25",
        "fd0c:cc24:75a0:1:10:10:21:25",
    )
    assert (host.asn, leaf.asn, leaf.loopback_v4) == (4210021025, 65404, "")
    assert (host.oob_port, host.oob_mac, leaf.oob_port, leaf.oob_mac) == ("MGMT", "3c:ec:ef:00:00:01", "eth0", "")
    assert host.name == "a"
    assert all(not device.problems for device in view.devices.values())


def test_ports_have_aliases(view: derive.View) -> None:
    assert view.devices["a"].ports["nic2"] == derive.Port("nic2", "P3", "data", "25G", "sfp28")
    assert len(view.devices["l1"].ports) == 49


def test_links_neighbours_and_uplinks(view: derive.View) -> None:
    host = view.devices["a"]
    assert [(link.port, link.peer, link.peer_port) for link in host.links] == [
        ("MGMT", "l1", "Ethernet40"),
        ("nic0", "l1", "Ethernet0"),
        ("nic1", "l2", "Ethernet0"),
        ("nic2", "l1", "Ethernet1"),
        ("nic3", "b", "nic3"),
    ]
    assert [link.port for link in host.uplinks] == ["nic0", "nic1"]
    assert [(item.interface, item.peer, item.remote_asn) for item in host.neighbors] == [
        ("nic0", "l1", 65404),
        ("nic1", "l2", 65405),
        ("nic3", "b", 4210021026),
    ]
    assert [item.peer for item in view.devices["l1"].neighbors] == ["a"]
    assert view.devices["l1"].uplinks == ()


def test_groups(view: derive.View) -> None:
    assert view.groups == {"compute": ("a",), "all_prod": ("a", "l1"), "named": ("b",), "extra": ("a",)}
    assert view.devices["a"].groups == ("compute", "all_prod", "extra")


@pytest.mark.parametrize(
    ("field", "attribute", "value"),
    [
        ("oob_address: 10.9.9.9", "oob_v4", "10.9.9.9"),
        ("loopback_v4: 10.10.21.99", "asn", 4210021099),
        ("loopback_v6: 'fd00::9'", "loopback_v6", "fd00::9"),
        ("asn: 65000", "asn", 65000),
        ("oob_network: loop", "oob_v4", "10.10.21.25"),
    ],
)
def test_what_is_written_wins(tmp_path: Path, field: str, attribute: str, value: object) -> None:
    view = _view(tmp_path, BASE + f"hosts: {{a: {{model: box, role: comp, environment: prod, index: 25, {field}}}}}\n")
    assert getattr(view.devices["a"], attribute) == value


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ("index: 255", [("A01", "oob_address"), ("A01", "loopback_v4")]),
        ("index: 65534", [("A01", "oob_address"), ("A01", "loopback_v4")]),
        ("state: active", []),
    ],
)
def test_what_cannot_be_derived_is_kept_as_a_problem(
    tmp_path: Path, change: str, problems: list[tuple[str, str]]
) -> None:
    view = _view(tmp_path, BASE + f"hosts: {{a: {{model: box, role: comp, environment: prod, {change}}}}}\n")
    device = view.devices["a"]
    assert sorted((problem.rule, problem.field) for problem in device.problems) == sorted(problems)
    assert (device.oob_v4, device.loopback_v4, device.loopback_v6, device.asn) == ("", "", "", None)


def test_numbers_that_overflow_are_a_problem(tmp_path: Path) -> None:
    text = BASE.replace("{kind: scs}", "{kind: octets, prefix: 4294}").replace("10.10.21.0/24", "10.10.0.0/16")
    view = _view(
        tmp_path, text + "hosts: {a: {model: box, role: comp, environment: prod, loopback_v4: 10.10.255.255}}\n"
    )
    assert view.devices["a"].asn == 4294255255
    view = _view(
        tmp_path, text.replace("4294", "429") + "hosts: {a: {model: box, role: comp, environment: prod, index: 1}}\n"
    )
    assert view.devices["a"].asn == 429000001


def test_prefixes_too_long_for_the_scheme_are_a_problem(tmp_path: Path) -> None:
    text = BASE.replace("fd0c:cc24:75a0:1::/64", "fd0c:cc24:75a0:1::/80")
    view = _view(tmp_path, text + "hosts: {a: {model: box, role: comp, environment: prod, index: 1}}\n")
    assert [(problem.rule, problem.field) for problem in view.devices["a"].problems] == [("A01", "loopback_v6")]


def test_nothing_is_known_and_nothing_fails(tmp_path: Path) -> None:
    view = _view(
        tmp_path,
        "version: 1\nhosts: {a: {model: x, role: y, environment: z}}\ncables: [{a: a/1, b: b/2}, {a: a/1}, {b: a/x}]\n"
        "device_models: {m: {kind: switch, ports: [{names: ['e{', x], aliases: [one], speed: 1G, connector: rj45}]}}\n",
    )
    device = view.devices["a"]
    assert (device.model, device.role, device.ports, device.oob_network) == (None, None, {}, None)
    assert [link.peer for link in device.links if link.peer] == ["b"]
    assert list(derive.ports_of(view.landscape.device_models["m"])) == ["e{", "x"]


@pytest.mark.slow
def test_ports_are_bounded(tmp_path: Path) -> None:
    models = "".join(
        f"  m{number}: {{kind: switch, ports: [{{names: ['e{{0..1023}}', 'f{{0..1023}}', 'g{{0..1023}}', 'h{{0..1023}}',"
        " 'i{0..1023}', 'j{0..1023}'], speed: 1G, connector: rj45}]}\n"
        for number in range(60)
    )
    view = _view(
        tmp_path, "version: 1\ndevice_models:\n" + models + "hosts: {a: {model: m59, role: r, environment: e}}\n"
    )
    assert len(derive.ports_of(view.landscape.device_models["m0"])) == 5 * 1024
    assert view.devices["a"].ports == {}


def test_findings_sort_by_weight_and_place() -> None:
    findings = [
        Finding("X02", "info", "a", "m", Place("a.yml", 1)),
        Finding("X01", "error", "a", "m", Place("b.yml", 1)),
        Finding("X01", "error", "a", "m", Place("a.yml", 10), hint="do it"),
        Finding("X01", "error", "a", "m", Place("a.yml", 9)),
        Finding("X03", "warning", "a", "m", Place("a.yml", 0), field="f", waived="known"),
    ]
    ordered = sorted(findings, key=lambda finding: finding.sort_key)
    assert [str(finding.place) for finding in ordered] == ["a.yml:9", "a.yml:10", "b.yml:1", "a.yml", "a.yml:1"]
    assert str(ordered[1]) == "a.yml:10: error X01 a: m (do it)"
    assert ordered[3].as_dict()["waived"] == "known"
    assert "hint" not in ordered[0].as_dict()
