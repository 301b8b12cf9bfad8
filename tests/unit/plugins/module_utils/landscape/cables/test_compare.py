# SPDX-License-Identifier: Apache-2.0
"""What a comparison of cables says about everything that can be wrong with them."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.landscape.cables import compare, lldp, model
from ansible_collections.scs.landscape.plugins.module_utils.landscape.cables.model import Neighbor, Observation

LAB = """\
version: 1
environments: {prod: {}}
sites: {s: {}}
racks: {r01: {site: s, units: 40}}
roles: {comp: {kind: server}, leaf: {kind: switch}}
device_models:
  box:
    kind: server
    ports:
      - {names: [bmc], use: bmc, speed: 1G, connector: rj45}
      - {names: ["nic{0..3}"], aliases: ["P{1..4}"], speed: 25G, connector: sfp28}
  sw:
    kind: switch
    ports:
      - {names: [eth0], use: management, speed: 1G, connector: rj45}
      - {names: ["Ethernet{0..15}"], aliases: ["Eth1/{1..16}"], speed: 25G, connector: sfp28}
hosts:
  a: {model: box, role: comp, environment: prod, rack: r01, unit: 1, macs: {nic1: "3c:ec:ef:00:00:01"}}
  b: {model: box, role: comp, environment: prod, rack: r01, unit: 2}
  later: {model: box, role: comp, environment: prod, state: planned}
switches:
  l1: {model: sw, role: leaf, environment: prod, rack: r01, unit: 30, oob_address: 10.0.0.1, asn: 1}
  l2: {model: sw, role: leaf, environment: prod, rack: r01, unit: 31, asn: 2}
externals: {uplink: {ports: [xe0]}}
cables:
  - {a: a/nic0, b: l1/Ethernet0}
  - {a: a/nic1, b: l2/Ethernet0}
  - {a: b/P1, b: l1/Eth1/2}
  - {a: b/nic1, b: l2/Ethernet1}
  - {a: l1/Ethernet8, b: l2/Ethernet8}
  - {a: l1/Ethernet9, b: uplink/xe0}
  - {a: a/bmc, b: l1/Ethernet10}
  - {a: a/nic2, b: l1/Ethernet11, state: planned}
  - {a: later/nic0, b: l1/Ethernet12}
"""
CLEAN = {
    ("a", "nic0"): ("l1", "Ethernet0"),
    ("a", "nic1"): ("l2", "Ethernet0"),
    ("b", "nic0"): ("l1", "Ethernet1"),
    ("b", "nic1"): ("l2", "Ethernet1"),
    ("l1", "Ethernet8"): ("l2", "Ethernet8"),
}


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    path = tmp_path_factory.mktemp("lab") / "lab.yml"
    path.write_text(LAB, encoding="utf-8")
    landscape, findings = client.load([str(path)])
    assert not findings
    return derive.resolve(landscape)


def seen_from_both(links, without=()):
    """Observations of the four devices for a set of plugged cables."""
    found = {name: [] for name in ("a", "b", "l1", "l2")}
    for (near, port), (far, far_port) in links.items():
        found.setdefault(near, []).append(Neighbor(port, far, (far_port,)))
        found.setdefault(far, []).append(Neighbor(far_port, near, (port,)))
    return {name: Observation(tuple(said)) for name, said in found.items() if name not in without}


def kinds(comparison):
    return {kind: number for kind, number in comparison.counts.items() if number}


def test_a_clean_lab_is_all_matched(view):
    result = compare.compare(view, seen_from_both(CLEAN))
    assert kinds(result) == {"matched": 5}
    assert result.silent == 4
    assert not result.not_asked
    assert {link.seen_by for one in result.results for link in one.seen} == {
        ("a", "l1"), ("a", "l2"), ("b", "l1"), ("b", "l2"), ("l1", "l2"),
    }  # fmt: skip


def test_one_end_is_enough(view):
    result = compare.compare(view, seen_from_both(CLEAN, without=("a", "b")))
    assert kinds(result) == {"matched": 5}
    assert result.not_asked == {"a": "it was not asked", "b": "it was not asked"}


def test_a_swap_on_one_switch_is_one_finding_that_names_both_ports(view):
    links = {**CLEAN, ("a", "nic0"): ("l1", "Ethernet1"), ("b", "nic0"): ("l1", "Ethernet0")}
    result = compare.compare(view, seen_from_both(links))
    assert kinds(result) == {"matched": 3, "swapped": 1}
    (found,) = result.of("swapped")
    assert "l1/Ethernet0" in found.message
    assert "l1/Ethernet1" in found.message
    assert (
        "At l1 (rack r01, unit 30) exchange the plugs in ports Ethernet0 (Eth1/1) and Ethernet1 (Eth1/2)"
        in found.advice
    )
    assert len(found.cables) == 2


def test_a_swap_at_the_host_is_said_at_the_host(view):
    links = {**CLEAN, ("a", "nic0"): ("l2", "Ethernet0"), ("a", "nic1"): ("l1", "Ethernet0")}
    (found,) = compare.compare(view, seen_from_both(links)).of("swapped")
    assert found.advice.startswith("At a (rack r01, unit 1) exchange the plugs in ports nic0 (P1) and nic1 (P2)")


def test_a_swap_across_devices_names_both(view):
    links = {**CLEAN, ("a", "nic0"): ("l2", "Ethernet1"), ("b", "nic1"): ("l1", "Ethernet0")}
    (found,) = compare.compare(view, seen_from_both(links)).of("swapped")
    assert "Exchange the plugs in port" in found.advice


def test_a_swap_seen_from_one_side_only_is_still_one_swap(view):
    links = {**CLEAN, ("a", "nic0"): ("l1", "Ethernet1"), ("b", "nic0"): ("l1", "Ethernet0")}
    for silent in (("a", "b"), ("l1", "l2")):
        assert kinds(compare.compare(view, seen_from_both(links, without=silent)))["swapped"] == 1


def test_a_pulled_cable_is_missing(view):
    links = {near: far for near, far in CLEAN.items() if near != ("a", "nic0")}
    result = compare.compare(view, seen_from_both(links))
    assert kinds(result) == {"matched": 4, "missing": 1}
    (found,) = result.of("missing")
    assert found.message == "Neither end of a/nic0 - l1/Ethernet0 sees the other"
    assert "port Ethernet0 (Eth1/1) of l1 (rack r01, unit 30)" in found.advice


def test_a_pulled_cable_is_unknown_where_an_end_was_not_asked(view):
    links = {near: far for near, far in CLEAN.items() if near != ("a", "nic0")}
    said = {**seen_from_both(links), "a": Observation(reason="a is down")}
    result = compare.compare(view, said)
    assert kinds(result) == {"matched": 4, "unknown": 1}
    assert "a is down" in result.of("unknown")[0].message


def test_a_dead_host_makes_its_cables_unknown(view):
    links = {near: far for near, far in CLEAN.items() if near[0] != "a"}
    result = compare.compare(view, {**seen_from_both(links), "a": Observation(reason="no answer")})
    assert kinds(result) == {"matched": 3, "unknown": 2}
    assert result.not_asked == {"a": "no answer"}


def test_another_port_of_the_right_device_is_a_wrong_port(view):
    result = compare.compare(view, seen_from_both({**CLEAN, ("a", "nic0"): ("l1", "Ethernet5")}))
    assert kinds(result) == {"matched": 4, "wrong_port": 1}
    (found,) = result.of("wrong_port")
    assert found.message == "The cable of a/nic0 leads to l1/Ethernet5 instead of l1/Ethernet0"
    assert "move the plug from port Ethernet5 (Eth1/6) to port Ethernet0 (Eth1/1)" in found.advice


def test_another_device_is_a_wrong_port(view):
    (found,) = compare.compare(view, seen_from_both({**CLEAN, ("a", "nic0"): ("l2", "Ethernet5")})).of("wrong_port")
    assert "Move the plug from port Ethernet5 (Eth1/6) of l2 (rack r01, unit 31)" in found.advice


def test_both_ends_elsewhere_is_one_wrong_port(view):
    links = {near: far for near, far in CLEAN.items() if near != ("l1", "Ethernet8")}
    links[("l1", "Ethernet8")] = ("b", "nic2")
    links[("l2", "Ethernet8")] = ("b", "nic3")
    result = compare.compare(view, seen_from_both(links))
    assert kinds(result) == {"matched": 4, "wrong_port": 1}
    assert "; also " in result.of("wrong_port")[0].message


def test_three_cables_in_a_circle_are_three_wrong_ports(view):
    links = {
        **CLEAN,
        ("a", "nic0"): ("l2", "Ethernet0"),
        ("a", "nic1"): ("l1", "Ethernet1"),
        ("b", "nic0"): ("l1", "Ethernet0"),
    }
    assert kinds(compare.compare(view, seen_from_both(links))) == {"matched": 2, "wrong_port": 3}


def test_an_extra_cable_is_unexpected(view):
    result = compare.compare(view, seen_from_both({**CLEAN, ("a", "nic3"): ("l1", "Ethernet15")}))
    assert kinds(result) == {"matched": 5, "unexpected": 1}
    (found,) = result.of("unexpected")
    assert found.message == "a/nic3 sees l1/Ethernet15, and no cable between them is written"


def test_a_stranger_on_a_free_port_is_unexpected(view):
    result = compare.compare(view, seen_from_both({**CLEAN, ("l1", "Ethernet14"): ("printer", "lan")}))
    assert kinds(result) == {"matched": 5, "unexpected": 1}
    assert "printer/lan, which the landscape does not know" in result.of("unexpected")[0].message


def test_a_stranger_in_place_of_a_cable_is_one_finding(view):
    links = {near: far for near, far in CLEAN.items() if near != ("a", "nic0")}
    result = compare.compare(view, seen_from_both({**links, ("l1", "Ethernet0"): ("printer", "lan")}))
    assert kinds(result) == {"matched": 4, "unexpected": 1}
    (found,) = result.of("unexpected")
    assert found.cables
    assert "instead of a/nic0" in found.message


def test_an_extra_link_on_a_port_in_use_names_the_cable(view):
    said = seen_from_both(CLEAN)
    said["l1"] = Observation((*said["l1"].neighbors, Neighbor("Ethernet0", "tap", ("x",))))
    (found,) = compare.compare(view, said).of("unexpected")
    assert "the cable a/nic0 - l1/Ethernet0 ends here too" in found.message


@pytest.mark.parametrize(
    "extra",
    [
        {("l1", "Ethernet9"): ("provider-router", "xe-0/0/1")},
        {("a", "bmc"): ("l1", "Ethernet10")},
        {("a", "nic2"): ("l1", "Ethernet11")},
    ],
    ids=["external", "bmc", "planned"],
)
def test_cables_that_need_not_speak_may_speak(view, extra):
    assert kinds(compare.compare(view, seen_from_both({**CLEAN, **extra}))) == {"matched": 5}


def test_alias_and_name_and_mac_are_the_same_port(view):
    said = {
        "a": Observation((Neighbor("P1", "L1.example.org", ("Eth1/1",)), Neighbor("nic1", "l2", ("Eth1/1",)))),
        "l1": Observation((Neighbor("Eth1/2", "b", ("52:54:00:00:00:09", "nic0")), Neighbor("Ethernet8", "l2", ("Eth1/9", "Ethernet8")))),
        "l2": Observation((Neighbor("Ethernet0", "", ("3c:ec:ef:00:00:01",), chassis="3c:ec:ef:00:00:01"), Neighbor("Ethernet1", "b", ("3c:ec:ef:99:99:99",)))),
        "b": Observation(),
    }  # fmt: skip
    assert kinds(compare.compare(view, said)) == {"matched": 5}


def test_a_neighbour_without_a_name_is_found_by_its_management_address(view):
    said = {"a": Observation((Neighbor("nic0", "", ("Ethernet0",), "aa:bb:cc:dd:ee:ff", ("10.0.0.1",)),))}
    assert kinds(compare.compare(view, said))["matched"] == 1


def test_a_port_that_nobody_names_is_completed_by_the_far_end(view):
    said = {
        "b": Observation((Neighbor("nic3", "l1", ("3c:ec:ef:77:77:77",)),)),
        "l1": Observation((Neighbor("Ethernet15", "b", ("nic3",)),)),
    }
    (found,) = compare.compare(view, said).of("unexpected")
    assert found.seen[0].ends == {model.End("b", "nic3"), model.End("l1", "Ethernet15")}


def test_the_youngest_of_our_devices_on_a_port_counts(view):
    said = seen_from_both({**CLEAN, ("a", "nic0"): ("l1", "Ethernet1"), ("b", "nic0"): ("l1", "Ethernet0")})
    old = Neighbor("nic0", "l1", ("Ethernet0",), age=4000.0)
    said["a"] = Observation((old, *said["a"].neighbors))
    assert kinds(compare.compare(view, said)) == {"matched": 3, "swapped": 1}


def test_ports_can_be_left_out(view):
    links = {**CLEAN, ("a", "docker0"): ("container", "eth0")}
    assert kinds(compare.compare(view, seen_from_both(links), ("docker*",))) == {"matched": 5}


def test_observations_of_devices_that_are_not_ours_do_not_count(view):
    said = {**seen_from_both(CLEAN), "zeppelin": Observation((Neighbor("x", "a", ("nic3",)),))}
    assert kinds(compare.compare(view, said)) == {"matched": 5}


def test_results_are_plain_data(view):
    links = {**CLEAN, ("a", "nic0"): ("l1", "Ethernet1"), ("b", "nic0"): ("l1", "Ethernet0")}
    (found,) = compare.compare(view, seen_from_both(links)).of("swapped")
    data = found.as_dict()
    assert data["kind"] == "swapped"
    assert data["cables"][0] == {"a": "a/nic0", "b": "l1/Ethernet0"}
    assert data["seen"][0]["seen_by"]
    assert data["advice"]


def test_observation_formats_meet(view):
    said = {"a": lldp.observation_of("a", {"neighbors": [{"port": "nic0", "peer": "l1", "peer_port": "Eth1/1"}]})}
    assert kinds(compare.compare(view, said))["matched"] == 1
