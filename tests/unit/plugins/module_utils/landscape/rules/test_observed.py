# SPDX-License-Identifier: Apache-2.0
"""Facts from elsewhere are compared with the landscape; the contradictions known from the SCS lab are found."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client

FIXTURES = "tests/unit/fixtures/observed"
COMPUTE = [f"hosts/st01-comp-r01-u{unit:02}" for unit in (9, 11, 13, 15, 17, 19)]
STORAGE = [f"hosts/st01-stor-r01-u{unit:02}" for unit in (1, 3, 5, 7)]
SPINES = ["switches/st01-sw100g-r01-u36", "switches/st01-sw100g-r01-u37"]

#: Rule, object and what was found, per class of contradictions in the lab's own documents.
CLASSES = {
    "class-8": [
        *[("O01", spine, "none") for spine in SPINES],
        *[("O04", spine, "sonic") for spine in SPINES],
        *[("O05", board, "2.9") for board in COMPUTE + STORAGE],
    ],
    "class-9": [
        ("O08", "mentions", "scs_check_landscape"),
        ("O09", "networks/lab", "35"),
        *[("O09", "switches/st01-sw100g-r01-u41", vlan) for vlan in ("35", "36")],
        *[("O09", "switches/st01-sw1g-r01-u42", vlan) for vlan in ("35", "36")],
    ],
    "class-10": [
        ("O07", "hosts/st01-ctl-r01-u28", "Disabled"),
        ("O07", "hosts/st01-ctl-r01-u28", "Enabled"),
        ("O07", "hosts/st01-ctl-r01-u29", "1. CD/DVD, 2. Hard Disk, 3. Network"),
        ("O07", "hosts/st01-mgmt-r01-u30", "1. Hard Disk, 2. CD/DVD, 3. Network"),
    ],
}


def _run(repo, check, name):
    found = check([repo / FIXTURES / "landscape.yml"], [repo / FIXTURES / f"{name}.yml"])
    return [finding for finding in found if finding.rule[0] in "OS" and finding.rule != "S11"]


@pytest.mark.accept("F1.3", "F1.4")
@pytest.mark.parametrize("name", CLASSES)
def test_a_class_of_contradictions_is_found(repo, check, name):
    found = _run(repo, check, f"{name}.found")
    assert sorted((finding.rule, finding.object, finding.found) for finding in found) == sorted(CLASSES[name])
    for finding in found:
        assert finding.place.file.endswith(f"{name}.found.yml")
        assert finding.place.line > 1
        assert finding.origin or finding.object.startswith("mentions")


@pytest.mark.accept("F1.3", "F1.4")
@pytest.mark.parametrize("name", CLASSES)
def test_the_twin_without_contradictions_is_clean(repo, check, name):
    assert [str(finding) for finding in _run(repo, check, f"{name}.clean")] == []


def test_equal_boards_differ_in_nothing_but_masked_values(repo):
    """The mask has something to do: unmasked, all ten boards differ."""
    (source,), _findings = client.load_observed([str(repo / FIXTURES / "class-10.found.yml")])
    boards = [seen.settings for name, seen in source.devices.items() if "comp" in name or "stor" in name]
    assert len({tuple(settings.items()) for settings in boards}) == 10


LANDSCAPE = """
environments: {prod: {}}
device_models:
  box:
    kind: server
    part_number: BX-1
    vendor: Maker
    ports:
      - {names: [MGMT], use: bmc, speed: 1G, connector: rj45}
      - {names: [nic0, nic1, nic2], aliases: ['port{1..3}'], speed: 25G, connector: sfp28}
  switch: {kind: switch, ports: [{names: ['Ethernet{0..3}'], speed: 25G, connector: sfp28}]}
roles: {node: {kind: server, names: [comp]}, leaf: {kind: switch}}
hosts:
  a: {model: box, role: node, environment: prod, serial: SN-0815, macs: {nic0: '3c:ec:ef:00:00:01'}}
  b: {model: box, role: node, environment: prod}
  old: {model: box, role: node, environment: prod, state: retired}
switches: {l1: {model: switch, role: leaf, environment: prod}, l2: {model: switch, role: leaf, environment: prod}}
externals: {provider: {ports: [x1]}}
cables:
  - {a: a/nic0, b: l1/Ethernet0}
  - {a: a/nic1, b: l2/Ethernet0}
  - {a: a/MGMT, b: l1/Ethernet3}
  - {a: b/nic0, b: l1/Ethernet1, state: planned}
  - {a: l2/Ethernet3, b: provider/x1}
groups: {compute: {roles: [node]}, special: {hosts: [b]}}
"""


def _found(check_text, observed, *rules):
    findings = check_text(LANDSCAPE, observed)
    return sorted((finding.rule, finding.object, finding.found) for finding in findings if finding.rule in rules)


@pytest.mark.parametrize("spelling", ["box", "BOX", "BX-1", "bx_1", "Maker BX-1", "maker-box"])
def test_models_are_compared_by_any_of_their_names(check_text, spelling):
    assert _found(check_text, f"devices: {{a: {{model: '{spelling}'}}}}\n", "O01") == []


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param("[{port: nic0, peer: l1, peer_port: Ethernet0}, {port: nic1, peer: l2}]", [], id="as cabled"),
        pytest.param("[{port: port1, peer: l1, peer_port: Ethernet0}, {port: port2, peer: l2}]", [], id="by alias"),
        pytest.param(
            "[{port: nic0, peer: l1, peer_port: Ethernet0}, {port: nic1, peer: l2}, {port: nic2, peer: l2}]",
            [("O03", "hosts/a", "l2/")],
            id="a cable that is not written",
        ),
        pytest.param(
            "[{port: nic0, peer: l1, peer_port: Ethernet0}]", [("O03", "hosts/a", "")], id="a cable that is not there"
        ),
        pytest.param("[]", [("O03", "hosts/a", ""), ("O03", "hosts/a", "")], id="nothing seen at all"),
        pytest.param(
            "[{port: nic0, peer: l1, peer_port: Ethernet2}, {port: nic1, peer: l2}]",
            [("O03", "hosts/a", "l1/Ethernet2")],
            id="another port of the right switch",
        ),
        pytest.param(
            "[{port: nic0, peer: l2, peer_port: Ethernet0}, {port: nic1, peer: l1, peer_port: Ethernet0}]",
            [("O03", "hosts/a", "l2/Ethernet0")],
            id="swapped: one finding for both",
        ),
        pytest.param(
            "[{port: nic0, peer: phone}, {port: nic0, peer: l1, peer_port: Ethernet0}, {port: nic1, peer: l2}]",
            [],
            id="two neighbours, one is right",
        ),
    ],
)
def test_lldp(check_text, entries, expected):
    assert _found(check_text, f"devices: {{a: {{lldp: {entries}}}}}\n", "O03") == expected


def test_lldp_of_a_device_that_says_nothing_is_not_compared(check_text):
    assert _found(check_text, "devices: {a: {hostname: a}}\n", "O03") == []


def test_lldp_knows_the_far_port_by_its_mac_and_leaves_foreign_devices_alone(check_text):
    switch = (
        "devices: {l1: {lldp: [{port: Ethernet0, peer: a, peer_port: '3c:ec:ef:00:00:01'}]}, "
        "l2: {lldp: [{port: Ethernet0, peer: a.example.org, peer_port: port2}, {port: Ethernet3, peer: x}]}}\n"
    )
    assert _found(check_text, switch, "O03") == []


def test_names_both_swapped_ports(check_text):
    swapped = "[{port: nic0, peer: l2, peer_port: Ethernet0}, {port: nic1, peer: l1, peer_port: Ethernet0}]"
    (finding,) = [one for one in check_text(LANDSCAPE, f"devices: {{a: {{lldp: {swapped}}}}}\n") if one.rule == "O03"]
    assert "nic0 and nic1 are swapped" in finding.message
    assert "swap the plugs" in finding.hint


def test_settings_of_different_models_are_not_compared(check_text):
    text = "devices: {a: {settings: {Turbo: 'On'}}, l1: {settings: {Turbo: 'Off'}}}\n"
    assert _found(check_text, text, "O07") == []


def test_settings_mask_what_belongs_to_the_machine(check_text):
    text = (
        "devices:\n"
        "  a: {settings: {Asset: SN-0815 of a rack, Boot 3C-EC-EF-00-00-01: '1', Boot 3C-EC-EF-00-00-02: '2'}}\n"
        "  b: {settings: {Asset: SN-0815 of a rack, Boot 3cecef000003: '1', Boot 3cecef000004: '2'}}\n"
    )
    assert [found for found in _found(check_text, text, "O07") if "Boot" in found[2]] == []
    assert len(_found(check_text, text, "O07")) == 1, "the serial number of another machine is a real difference"


def test_a_missing_setting_is_a_difference(check_text):
    text = "devices: {a: {settings: {Turbo: 'On'}}, b: {settings: {Turbo: 'On', SMT: 'Off'}}}\n"
    (finding,) = [one for one in check_text(LANDSCAPE, text) if one.rule == "O07"]
    assert "'(absent)' on a" in finding.message


def test_a_complete_source_must_know_all_active_devices_only(check_text):
    text = "complete: true\ndevices: {a: {}, l1: {}, l2: {}}\n"
    assert _found(check_text, text, "O06") == [("O06", "hosts/b", "unknown there")]
    assert _found(check_text, text.replace("complete: true\n", ""), "O06") == []


def test_only_groups_that_the_source_uses_are_compared(check_text):
    assert _found(check_text, "devices: {b: {groups: [compute]}}\n", "O10") == []
    both = "devices: {a: {groups: [special]}, b: {groups: [compute]}}\n"
    assert _found(check_text, both, "O10") == [
        ("O10", "hosts/a", ""),
        ("O10", "hosts/a", "special"),
        ("O10", "hosts/b", ""),
    ]


def test_roles_are_compared_by_any_spelling(check_text):
    assert _found(check_text, "devices: {a: {role: Comp}, b: {role: node}}\n", "O10") == []
    assert _found(check_text, "devices: {a: {role: leaf}}\n", "O10") == [("O10", "hosts/a", "leaf")]


def test_an_uplink_of_an_unknown_interface_is_said_once(check_text):
    text = "devices: {a: {uplinks: [{interface: eth99, remote_asn: 65001}]}}\n"
    assert _found(check_text, text, "O02") == [("O02", "hosts/a", "eth99")]


def test_misspelt_interfaces_are_still_compared_with_the_cable(check_text):
    text = "devices: {a: {uplinks: [{interface: NIC0, remote_asn: 65001}]}}\n"
    assert _found(check_text, text, "O02") == [("O02", "hosts/a", "65001"), ("O02", "hosts/a", "NIC0")]


def test_broken_files_of_observed_facts_are_findings(check_text):
    assert [(f.rule, f.object) for f in check_text(LANDSCAPE, "devices: [\n") if f.rule == "S01"] == [
        ("S01", "landscape")
    ]
    unknown = [f for f in check_text(LANDSCAPE, "devices: {a: {hostnam: a}}\n") if f.rule == "S02"]
    assert [(f.object, f.hint, f.place.line) for f in unknown] == [("devices/a", "did you mean hostname?", 1)]
