# SPDX-License-Identifier: Apache-2.0
"""Where rules end: what is allowed although it looks like a mistake, and what is found although it looks right."""

from __future__ import annotations

import time

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import cables

BOX = """
device_models:
  box:
    kind: server
    ports:
      - {names: [MGMT], use: bmc, speed: 1G, connector: rj45}
      - {names: [nic0, nic1, nic2, nic3], speed: 25G, connector: sfp28}
  switch:
    kind: switch
    ports:
      - {names: [eth0], use: management, speed: 1G, connector: rj45}
      - {names: [console0], use: console, speed: 10M, connector: rj45}
      - {names: ['Ethernet{0..7}'], speed: 25G, connector: sfp28}
environments: {prod: {}, lab: {}, test: {connects_to: [lab]}}
"""
ROLES = "roles: {node: {kind: server}, leaf: {kind: switch}}\n"


def _of(findings, *rules):
    return sorted((finding.rule, finding.object) for finding in findings if finding.rule in rules)


def _hosts(**hosts):
    rows = [f"  {name}: {{model: box, role: node, environment: prod, {more}}}\n" for name, more in hosts.items()]
    return "hosts:\n" + "".join(rows).replace(", }", "}")


def _switches(**switches):
    rows = [f"  {name}: {{model: switch, role: leaf, environment: prod, {more}}}\n" for name, more in switches.items()]
    return "switches:\n" + "".join(rows).replace(", }", "}")


def _cables(*cables):
    return "cables:\n" + "".join(f"  - {{{cable}}}\n" for cable in cables)


# Names and places


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("'[a-z'", "no regular expression"),
        ("'[[a-z]]'", "possible nested set at position 1, write a backslash before it"),
        ("'(a+)+'", "repeats a group without limit"),
        ("'(a|b){2,}'", "repeats a group without limit"),
        ("'([a-z]+)*b'", "repeats a group without limit"),
    ],
)
def test_patterns_that_cannot_be_used_are_refused_once(check_text, pattern, said):
    start = time.monotonic()
    text = f"naming: {{pattern: {pattern}}}\n" + BOX + ROLES + _hosts(**{"a" * 60: ""})
    (finding,) = [found for found in check_text(text) if found.rule == "N01"]
    assert said in finding.message
    assert finding.field == "pattern"
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("pattern", ["'a{1,60}'", "'(ab?){1,4}'", "'(a)?a+'", "'\\w+'", "'[a)+]+'"])
def test_patterns_with_bounds_are_fine(check_text, pattern):
    assert _of(check_text(f"naming: {{pattern: {pattern}}}\n" + BOX + ROLES + _hosts(aaa="")), "N01") == []


def test_exempt_names_exist_and_are_left_alone(check_text):
    text = "naming: {pattern: 'x', exempt: [a, nobody]}\n" + BOX + ROLES + _hosts(a="")
    assert _of(check_text(text), "N01", "S07") == [("S07", "naming")]


@pytest.mark.parametrize(
    ("rack", "part", "fits"),
    [("r01", "r01", True), ("st01-r01", "r01", True), ("r1", "01", True), ("r01", "02", False), ("r11", "r1", False)],
)
def test_a_part_of_a_name_means_a_rack(check_text, rack, part, fits):
    text = "naming: {pattern: '(?P<rack>[a-z0-9]+)-x'}\nsites: {st01: {}}\n" + BOX + ROLES
    text += f"racks: {{{rack}: {{site: st01, units: 9}}}}\n" + _hosts(**{f"{part}-x": f"rack: {rack}, unit: 1"})
    assert _of(check_text(text), "N02") == ([] if fits else [("N02", f"hosts/{part}-x")])


def test_nodes_of_one_chassis_share_a_unit_by_slot(check_text):
    text = "naming: {pattern: 'n[0-9]-s(?P<slot>[0-9])'}\nsites: {st01: {}}\nracks: {r1: {site: st01, units: 9}}\n"
    text += BOX + ROLES + _hosts(**dict.fromkeys(("n1-s1", "n1-s2", "n2-s2"), "rack: r1, unit: 1"))
    assert _of(check_text(text), "R01") == [("R01", "hosts/n2-s2")]


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [("retired", "planned", 0), ("planned", "retired", 0), ("active", "planned", 1), ("retired", "active", 1)],
)
def test_a_planned_device_may_take_the_place_of_a_retired_one(check_text, one, other, overlap):
    text = "sites: {st01: {}}\nracks: {r1: {site: st01, units: 9}}\n" + BOX + ROLES
    text += _hosts(a=f"rack: r1, unit: 1, state: {one}", b=f"rack: r1, unit: 1, state: {other}")
    assert len(_of(check_text(text), "R01")) == overlap


def test_refused_values_are_not_said_to_be_missing(check_text):
    text = BOX + "roles: {node: {kind: server, oob_network: oob}}\n"
    text += "networks: {oob: {purpose: management, v4: 10.0.0.0/24}}\n" + _hosts(a="unit: high, rack: r1, index: many")
    assert _of(check_text(text), "R06", "A09") == []


# Addresses

NETWORKS = """
networks:
  oob: {purpose: management, v4: 10.0.0.0/24}
  loop: {purpose: loopback, v4: 10.0.1.0/24}
"""


@pytest.mark.parametrize(
    ("address", "found"), [("10.0.1.7", False), ("10.0.2.7", True), ("10.0.1.0", True), ("10.0.0.7", True)]
)
def test_a_written_loopback_lies_in_some_loopback_network(check_text, address, found):
    text = BOX + ROLES + NETWORKS + _switches(s=f"loopback_v4: {address}")
    assert _of(check_text(text), "A01") == ([("A01", "switches/s")] if found else [])


def test_without_loopback_networks_nothing_is_asked_of_loopbacks(check_text):
    assert _of(check_text(BOX + ROLES + _switches(s="loopback_v4: 192.0.2.1")), "A01") == []


def test_the_same_address_in_two_routing_instances_is_allowed(check_text):
    text = (
        BOX
        + """
roles:
  node: {kind: server, loopback_network: one}
  leaf: {kind: switch, loopback_network: two}
networks:
  one: {purpose: loopback, v4: 10.0.0.0/24, vrf: blue}
  two: {purpose: loopback, v4: 10.0.0.0/24%s}
"""
    )
    text += _hosts(a="index: 1") + _switches(s="index: 1")
    assert _of(check_text(text % ""), "A02", "A06") == []
    assert _of(check_text(text % ", vrf: blue"), "A02", "A06") == [("A02", "hosts/a"), ("A06", "networks/two")]


def test_a_wide_prefix_overlaps_all_inside_it(check_text):
    text = "networks:\n" + "".join(
        f"  n{number}: {{purpose: lab, v4: {prefix}}}\n"
        for number, prefix in enumerate(("10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16", "11.0.0.0/8", "10.2.3.0/24"))
    )
    assert _of(check_text(text), "A06") == [("A06", f"networks/n{number}") for number in (1, 2, 4)]


def test_ipv6_prefixes_overlap_too_and_routers_may_be_link_local(check_text):
    text = "networks:\n  a: {purpose: lab, v6: 'fd00::/32', router_v6: 'fe80::1'}\n"
    text += "  b: {purpose: lab, v6: 'fd00:0:1::/48', router_v6: 'fd01::1'}\n"
    assert _of(check_text(text), "A04", "A06") == [("A04", "networks/b"), ("A06", "networks/b")]


def test_both_addresses_of_a_point_to_point_network_are_for_devices(check_text):
    text = (
        BOX
        + "roles: {node: {kind: server, oob_network: oob}}\nnetworks: {oob: {purpose: management, v4: 10.0.0.0/31}}\n"
    )
    assert _of(check_text(text + _hosts(a="oob_address: 10.0.0.0", b="index: 1")), "A01", "A02") == []


def test_an_asn_equal_to_the_derived_one_is_not_written(check_text):
    text = BOX + NETWORKS + "asn_schemes: {nodes: {kind: scs}}\n"
    text += "roles: {node: {kind: server, loopback_network: loop, asn_scheme: nodes}}\n"
    text += _hosts(a="index: 1, asn: 4210001001", b="index: 2, asn: 4210009999, override_reason: renumbered later")
    assert _of(check_text(text), "A05") == [("A05", "hosts/a")]


def test_other_routers_and_ranges_are_left_alone_by_addresses_without_a_network(check_text):
    text = BOX + ROLES + "networks: {vpn: {purpose: vpn, v4: 10.9.0.0/24, router_v4: 10.9.0.1}}\n"
    assert _of(check_text(text + _hosts(a="oob_address: 10.0.0.9")), "A01", "A03", "A08") == []


@pytest.mark.parametrize(
    ("indexes", "odd"),
    [
        ((11, 12, 13, 14, 15), None),
        ((11, 12, 31, 14, 15), "n3"),
        ((11, 2, 13, 14, 15), "n2"),
        ((15, 14, 13, 12, 11), None),
        ((11, 12, 31, 14), None),
        ((11, 31, 12, 32, 13), None),
    ],
)
def test_one_index_out_of_line(check_text, indexes, odd):
    text = "sites: {st01: {}}\nracks: {r1: {site: st01, units: 9}}\n" + BOX + ROLES
    text += _hosts(**{f"n{unit}": f"rack: r1, unit: {unit}, index: {index}" for unit, index in enumerate(indexes, 1)})
    assert _of(check_text(text), "A11") == ([("A11", f"hosts/{odd}")] if odd else [])


@pytest.mark.parametrize(
    ("network", "field"),
    [
        ("{purpose: lab, router_v6: 'fd00::1'}", "router_v6"),
        ("{purpose: lab, scheme_v6: embed-v4, v6: 'fd00::/64'}", "scheme_v6"),
        ("{purpose: lab, ranges: [{start: 10.0.0.1}]}", "ranges"),
        ("{purpose: uplink, v4: 10.0.0.0/24}", "uplink"),
        ("{purpose: loopback, v4: 10.0.0.0/24, v6: 'fd00::/64'}", "scheme_v6"),
        ("{purpose: loopback, v6: 'fd00::/64', scheme_v6: index}", "v4"),
    ],
)
def test_values_of_a_network_that_contradict_each_other(check_text, network, field):
    text = BOX + "roles: {node: {kind: server, loopback_network: net}}\n" + _hosts(a="index: 1")
    text = text if "loopback" in network else BOX
    found = [finding.field for finding in check_text(f"{text}networks: {{net: {network}}}\n") if finding.rule == "A10"]
    assert found == [field]


def test_two_networks_with_one_router(check_text):
    text = "networks: {a: {purpose: lab, router_v4: 10.0.0.1}, b: {purpose: lab, router_v4: 10.0.0.1}}\n"
    assert _of(check_text(text), "A02") == [("A02", "networks/b")]


# Device models


@pytest.mark.parametrize(
    ("ports", "said"),
    [
        ("{names: ['p{1..4'], speed: 1G, connector: rj45}", "brace"),
        ("{names: ['p{4..1}'], speed: 1G, connector: rj45}", "stands for 0 names"),
        ("{names: ['p{0..10..4}'], speed: 1G, connector: rj45}", "does not reach 10 in steps of 4"),
        ("{names: [p1], aliases: [p1], speed: 1G, connector: rj45}", "as name and as alias"),
        ("{speed: 1G, connector: rj45}", "has no names"),
        (
            "{names: [a], aliases: [b], speed: 1G, connector: rj45}, {names: [c], speed: 1G, connector: rj45}",
            "no aliases",
        ),
    ],
)
def test_ports_that_are_not_well_defined(check_text, ports, said):
    found = [
        finding
        for finding in check_text(f"device_models: {{x: {{kind: other, ports: [{ports}]}}}}\n")
        if finding.rule == "M01"
    ]
    assert [said in finding.message for finding in found] == [True]


def test_ports_of_foreign_devices_are_looked_at_too(check_text):
    assert _of(check_text("externals: {provider: {ports: ['x{1..']}}\n"), "M01") == [("M01", "externals/provider")]


def test_what_all_other_models_say(check_text):
    ports = "ports: [{names: [MGMT], use: bmc, speed: 1G, connector: rj45}]"
    said = f"kind: server, architecture: amd64, mac_prefixes: ['3c:ec:ef'], bmc: ami, {ports}"
    text = f"device_models:\n  a: {{{said}}}\n  b: {{{said}}}\n  c: {{kind: server, {ports}}}\n"
    text += "environments: {prod: {}}\nroles: {node: {kind: server}}\nhosts:\n"
    text += "".join(f"  h{model}: {{model: {model}, role: node, environment: prod}}\n" for model in "abc")
    found = [finding.field for finding in check_text(text) if finding.rule == "M04"]
    assert sorted(found) == ["architecture", "bmc", "mac_prefixes"]
    one_other = text.replace("  hb: {model: b, role: node, environment: prod}\n", "")
    assert [finding.field for finding in check_text(one_other) if finding.rule == "M04"] == ["bmc"]


def test_a_managed_device_has_a_management_port(check_text):
    text = "device_models: {x: {kind: switch, ports: [{names: [eth0], speed: 1G, connector: rj45}]}}\n"
    text += "environments: {prod: {}}\nroles: {leaf: {kind: switch, oob_network: oob}}\n" + NETWORKS
    text += "switches: {s: {model: x, role: leaf, environment: prod, index: 1}}\n"
    assert _of(check_text(text), "M04") == [("M04", "device_models/x")]
    assert _of(check_text(text.replace("names: [eth0]", "names: [eth0], use: bmc")), "M04") == [
        ("M04", "device_models/x")
    ]
    assert _of(check_text(text.replace("names: [eth0]", "names: [eth0], use: management")), "M04") == []


# Routing


def test_vlans_may_repeat_in_environments_that_no_cable_may_join(check_text):
    text = BOX + "networks:\n"
    text += "".join(f"  {name}: {{purpose: lab, vlan: 7, environment: {name}}}\n" for name in ("prod", "lab", "test"))
    assert _of(check_text(text), "V01") == [("V01", "networks/test")]


@pytest.mark.parametrize(("shared", "found"), [("true", []), ("false", [("B02", "switches/t")])])
def test_a_shared_scheme_shares_numbers(check_text, shared, found):
    text = BOX + f"asn_schemes: {{spines: {{kind: explicit, shared: {shared}}}}}\n"
    text += "roles: {leaf: {kind: switch, asn_scheme: spines}}\n" + _switches(s="asn: 65501", t="asn: 65501")
    assert _of(check_text(text), "B02") == found


def test_a_written_asn_needs_an_explicit_scheme_or_a_loopback(check_text):
    text = BOX + "asn_schemes: {nodes: {kind: scs}}\nroles: {leaf: {kind: switch, asn_scheme: nodes}}\n"
    assert _of(check_text(text + _switches(s="asn: 65404", t="")), "B03", "B05") == [
        ("B03", "switches/t"),
        ("B05", "switches/s"),
    ]


# Cables


@pytest.mark.parametrize(
    ("connector", "socket", "expected"),
    [
        ("rj45", "rj45", True),
        ("rj45", "sfp+", True),
        ("rj45", "qsfp28", True),
        ("sfp28", "sfp+", True),
        ("sfp28", "qsfp28", True),
        ("sfp28", "rj45", False),
        ("qsfp28", "sfp28", False),
        ("qsfp28", "qsfp+", True),
        ("serial", "rj45", True),
        ("serial", "sfp", False),
        ("virtual", "osfp", True),
        ("rj45", "serial", True),
    ],
)
def test_what_goes_into_which_socket(connector, socket, expected):
    assert cables.fits(connector, socket) is expected


def test_a_port_with_the_same_cable_written_twice_is_said_once(check_text):
    text = BOX + ROLES + _hosts(a="") + _switches(s="")
    text += _cables("a: a/nic0, b: s/Ethernet0", "a: s/Ethernet0, b: a/nic0", "a: a/nic0, b: s/Ethernet0")
    assert [rule for rule, _object in _of(check_text(text), "C03", "C05")] == ["C05", "C05"]


def test_a_cable_into_the_port_it_comes_from(check_text):
    text = BOX + ROLES + _switches(s="") + _cables("a: s/Ethernet0, b: s/Ethernet0")
    assert _of(check_text(text), "C03", "C10") == [
        ("C03", "switches/s"),
        ("C10", "cables/s/Ethernet0 -- s/Ethernet0"),
    ]


def test_an_alias_is_not_a_port_name_but_leads_to_it(check_text):
    text = BOX.replace("names: ['Ethernet{0..7}']", "names: ['Ethernet{0..7}'], aliases: ['port{1..8}']") + ROLES
    text += _hosts(a="") + _switches(s="") + _cables("a: a/nic0, b: s/port3")
    (finding,) = [found for found in check_text(text) if found.rule == "C02"]
    assert finding.hint == "port3 is another name of port Ethernet2, write that"


def test_a_second_finding_for_each_cable_on_a_port(check_text):
    text = BOX + ROLES + _hosts(a="") + _switches(s="")
    text += _cables(*(f"a: a/nic{number}, b: s/Ethernet0" for number in range(3)))
    found = [finding for finding in check_text(text) if finding.rule == "C03"]
    assert [finding.place.line - found[0].place.line for finding in found] == [0, 1]


def test_an_aggregation_may_end_in_a_pair(check_text):
    text = BOX + ROLES + _hosts(a="") + _switches(s="", t="", u="")
    text += "redundancy_groups: {leaves: {kind: leaf-pair, members: [s, t]}}\n"
    pair = _cables("a: a/nic0, b: s/Ethernet0, lag: bond0", "a: a/nic1, b: t/Ethernet0, lag: bond0")
    assert _of(check_text(text + pair), "C08") == []
    apart = pair.replace("t/Ethernet0", "u/Ethernet0")
    assert _of(check_text(text + apart), "C08") == [("C08", "cables/a/nic1 -- u/Ethernet0")]


def test_links_of_an_aggregation_have_one_speed_and_state(check_text):
    text = BOX + ROLES + _switches(s="", t="")
    text += _cables(
        "a: s/Ethernet0, b: t/Ethernet0, lag: one",
        "a: s/Ethernet1, b: t/Ethernet1, lag: one, speed: 10G",
        "a: s/Ethernet2, b: t/Ethernet2, lag: two",
        "a: s/Ethernet3, b: t/Ethernet3, lag: two, state: deactivated",
    )
    found = [finding.message for finding in check_text(text) if finding.rule == "C08"]
    assert len(found) == 2
    assert "speed" in found[0]
    assert "state" in found[1]


def test_a_link_beside_an_aggregation_is_noticed(check_text):
    text = BOX + ROLES + _switches(s="", t="")
    text += _cables(
        "a: s/Ethernet0, b: t/Ethernet0, lag: one",
        "a: s/Ethernet1, b: t/Ethernet1, lag: one",
        "a: t/Ethernet2, b: s/Ethernet2",
    )
    assert _of(check_text(text), "C08") == [("C08", "cables/t/Ethernet2 -- s/Ethernet2")]


UPLINKS = "roles: {node: {kind: server, uplinks: 2, uplinks_to: [leaf]}, leaf: {kind: switch}}\n"


@pytest.mark.parametrize(
    ("rack", "found"), [("r1", [("C07", "hosts/a")]), ("r2", [])], ids=["another leaf in the rack", "one leaf per rack"]
)
def test_all_uplinks_to_one_leaf(check_text, rack, found):
    text = "sites: {st01: {}}\nracks: {r1: {site: st01, units: 9}, r2: {site: st01, units: 9}}\n" + BOX + UPLINKS
    text += _hosts(a="rack: r1, unit: 1") + _switches(s="rack: r1, unit: 2", t=f"rack: {rack}, unit: 3")
    text += _cables("a: a/nic0, b: s/Ethernet0", "a: a/nic1, b: s/Ethernet1")
    assert _of(check_text(text), "C07") == found


@pytest.mark.parametrize(("count", "found"), [(1, 1), (2, 0), (3, 1)])
def test_uplinks_are_counted(check_text, count, found):
    text = BOX + UPLINKS + _hosts(a="") + _switches(s="")
    text += _cables(*(f"a: a/nic{number}, b: s/Ethernet{number}" for number in range(count)))
    assert len(_of(check_text(text), "C07")) == found


def test_without_a_number_one_uplink_is_expected(check_text):
    text = BOX + UPLINKS.replace("uplinks: 2, ", "") + _hosts(a="", b="") + _switches(s="")
    assert _of(check_text(text + _cables("a: a/nic0, b: s/Ethernet0")), "C07") == [("C07", "hosts/b")]


def test_uplinks_to_nowhere(check_text):
    text = BOX + "roles: {node: {kind: server, uplinks: 2}}\n" + _hosts(a="")
    assert _of(check_text(text), "C07") == [("C07", "roles/node")]


def test_a_landscape_without_cables_lacks_none(check_text):
    assert _of(check_text(BOX + UPLINKS + _hosts(a="") + _switches(s="")), "C06", "C07") == []


@pytest.mark.parametrize(
    ("cable", "found"),
    [
        ("a: s/eth0, b: t/Ethernet0", 0),
        ("a: s/eth0, b: t/eth0", 2),
        ("a: s/eth0, b: a/nic0", 1),
        ("a: a/MGMT, b: s/Ethernet0, speed: 1G, connector: rj45", 0),
        ("a: a/MGMT, b: s/console0", 1),
        ("a: a/nic0, b: s/console0", 1),
        ("a: a/MGMT, b: provider/x1", 0),
    ],
)
def test_management_ports_lead_to_switches(check_text, cable, found):
    text = BOX + ROLES + _hosts(a="") + _switches(s="", t="") + "externals: {provider: {ports: [x1]}}\n"
    assert len(_of(check_text(text + _cables(cable)), "C11")) == found


def test_a_data_port_beside_a_cabled_bmc_is_no_mistake(check_text):
    text = BOX + ROLES + _hosts(a="", b="") + _switches(s="")
    text += _cables(
        *(f"a: {name}/MGMT, b: s/Ethernet{number}" for number, name in enumerate("ab")), "a: a/nic0, b: s/Ethernet5"
    )
    assert _of(check_text(text), "C11") == []


def test_hosts_with_one_link_or_two_at_each_leaf_are_even(check_text):
    text = BOX + ROLES + _hosts(a="", b="") + _switches(s="", t="")
    text += "redundancy_groups: {leaves: {kind: leaf-pair, members: [s, t]}}\n"
    text += _cables(
        *(
            f"a: a/nic{number}, b: {leaf}/Ethernet{port}"
            for number, leaf, port in ((0, "s", 0), (1, "s", 1), (2, "t", 1), (3, "t", 0))
        ),
        "a: b/nic0, b: s/Ethernet3",
    )
    assert _of(check_text(text), "C12") == []


def test_most_cables_say_the_speed(check_text):
    text = BOX + ROLES + _switches(s="", t="")
    rows = [f"a: s/Ethernet{number}, b: t/Ethernet{number}, speed: 10G" for number in range(3)]
    missing = [*rows, "a: s/Ethernet3, b: t/Ethernet3"]
    assert _of(check_text(text + _cables(*missing)), "C13") == [("C13", "cables/s/Ethernet3 -- t/Ethernet3")]
    assert _of(check_text(text + _cables(*rows[:1], *missing[3:])), "C13") == []


# Environments and groups


def test_either_direction_of_connects_to_is_enough(check_text):
    text = BOX + ROLES + "hosts: {a: {model: box, role: node, environment: lab}}\n"
    text += "switches: {s: {model: switch, role: leaf, environment: test}}\n" + _cables("a: a/nic0, b: s/Ethernet0")
    assert _of(check_text(text), "E01", "E03") == []


def test_a_permission_counts_as_used_by_a_cable_in_any_state(check_text):
    text = BOX + ROLES + "hosts: {a: {model: box, role: node, environment: lab}}\n"
    text += "switches: {s: {model: switch, role: leaf, environment: test}}\n"
    assert _of(check_text(text + _cables("a: a/nic0, b: s/Ethernet0, state: planned")), "E03") == []
    assert _of(check_text(text), "E03") == [], "a landscape without cables says nothing about them"


@pytest.mark.parametrize(
    ("kind", "members", "rules"),
    [
        ("quorum", "[a, b, c]", []),
        ("quorum", "[a, b]", ["G02"]),
        ("quorum", "[a]", ["G01"]),
        ("quorum", "[]", ["G01"]),
        ("spine-set", "[a, b, c]", []),
        ("pair", "[a, b]", []),
        ("pair", "[a]", ["G03"]),
        ("leaf-pair", "[a, b, c]", ["G03"]),
    ],
)
def test_numbers_of_members(check_text, kind, members, rules):
    text = BOX + ROLES + _hosts(a="", b="", c="") + f"redundancy_groups: {{g: {{kind: {kind}, members: {members}}}}}\n"
    assert [rule for rule, _object in _of(check_text(text), "G01", "G02", "G03")] == rules


FEEDS = BOX.replace("kind: server\n", "kind: server\n    psus: [left, right]\n", 1) + "feeds: {ups: {}, mains: {}}\n"


@pytest.mark.parametrize(
    ("kind", "powers", "found"),
    [
        ("pair", ("{left: ups}", "{left: ups}"), 1),
        ("pair", ("{left: ups}", "{left: mains}"), 0),
        ("pair", ("{left: ups}", "{left: ups, right: mains}"), 0),
        ("pair", ("{}", "{}"), 0),
        ("quorum", ("{left: ups}", "{left: ups}", "{left: mains}"), 1),
        ("quorum", ("{left: ups}", "{left: ups, right: mains}", "{left: mains}"), 0),
    ],
)
def test_a_group_outlives_one_feed(check_text, kind, powers, found):
    hosts = {name: f"power: {power}" for name, power in zip("abc", powers)}
    text = (
        FEEDS + ROLES + _hosts(**hosts) + f"redundancy_groups: {{g: {{kind: {kind}, members: [{', '.join(hosts)}]}}}}\n"
    )
    assert len(_of(check_text(text), "G04")) == found


def test_a_long_chain_of_groups_is_no_cycle_and_no_recursion(check_text):
    chain = "".join(f"  g{number}: {{children: [g{number + 1}]}}\n" for number in range(3000))
    text = BOX + ROLES + _hosts(a="") + "groups:\n" + chain
    assert _of(check_text(text + "  g3000: {roles: [node]}\n"), "G06") == []
    assert _of(check_text(text + "  g3000: {children: [g0]}\n"), "G06") == [("G06", "groups/g3000")]


def test_two_ways_to_a_group_are_no_cycle(check_text):
    text = BOX + ROLES + _hosts(a="")
    text += "groups: {top: {children: [left, right]}, left: {children: [low]}, right: {children: [low]}, low: {roles: [node]}}\n"
    assert _of(check_text(text), "G06") == []


# References


def test_the_nearest_known_name_is_named(check_text):
    text = BOX + "roles: {compute: {kind: server}}\nhosts: {a: {model: bxo, role: compte, environment: pord}}\n"
    hints = {finding.field: finding.hint for finding in check_text(text) if finding.rule == "S07"}
    assert hints == {
        "model": "did you mean box?",
        "role": "did you mean compute?",
        "environment": "did you mean prod?",
    }


def test_hints_are_left_out_when_all_names_are_wrong(check_text):
    """Comparing each of a thousand wrong names with a thousand known ones would take minutes."""
    text = BOX + ROLES + _hosts(**{f"host{number}": "" for number in range(500)})
    text += "groups: {g: {hosts: [" + ", ".join(f"hots{number}" for number in range(500)) + "]}}\n"
    hints = [finding.hint for finding in check_text(text) if finding.rule == "S07"]
    assert len(hints) == 500
    assert hints[0].startswith("did you mean host0")
    assert hints[-1] == "correct the name, or add the object"


def test_a_crowded_unit_is_one_finding_per_device(check_text):
    text = "sites: {st01: {}}\nracks: {r1: {site: st01, units: 9}}\n" + BOX + ROLES
    text += _hosts(**{f"n{number}": "rack: r1, unit: 1" for number in range(100)})
    found = [finding for finding in check_text(text) if finding.rule == "R01"]
    assert len(found) == 99
    assert found[-1].message.endswith("is also taken by n0, n1 and n2")


def test_references_in_lists_maps_and_either_section(check_text):
    text = FEEDS + ROLES + _hosts(a="power: {left: up, right: ups}") + _switches(s="")
    text += "redundancy_groups: {g: {kind: pair, members: [a, s, nobody]}}\ngroups: {x: {hosts: [a, s, no], roles: [none]}}\n"
    assert _of(check_text(text), "S07") == [
        ("S07", "groups/x"),
        ("S07", "groups/x"),
        ("S07", "hosts/a"),
        ("S07", "redundancy_groups/g"),
    ]


def test_only_networks_that_addresses_come_from_must_be_used(check_text):
    text = BOX + ROLES + _hosts(a="") + "networks:\n"
    text += "".join(
        f"  {purpose}: {{purpose: {purpose}, v4: 10.{number}.0.0/24}}\n"
        for number, purpose in enumerate(("management", "loopback", "provider", "storage", "vpn", "internal"))
    )
    found = [item for item in _of(check_text(text), "S11") if item[1].startswith("networks")]
    assert found == [("S11", "networks/loopback"), ("S11", "networks/management")]


# Half-read landscapes


@pytest.mark.slow
def test_no_rule_stumbles_over_a_missing_line(repo, check_text, seed):
    """Whatever line of a landscape is missing or refused, there are findings instead of a traceback."""
    import random

    source = random.Random(seed)
    for file in sorted((repo / "tests/unit/fixtures/rules").glob("*/fail.yml")):
        lines = file.read_text(encoding="utf-8").split("\n")[3:]
        for number in source.sample(range(len(lines)), min(4, len(lines))):
            check_text("\n".join([*lines[:number], *lines[number + 1 :]]))
            check_text("\n".join([*lines[:number], lines[number].replace(": ", ": [] #", 1), *lines[number + 1 :]]))
