# SPDX-License-Identifier: Apache-2.0
"""What FRR must show for a CONFIG_DB, pinned to the output of SONiC's own boot templates and of frrcfgd."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic.frr import boot, faults, lines, policy
from ansible_collections.scs.landscape.plugins.module_utils.sonic.frr.fields import UNSHOWN

REPO = Path(__file__).resolve().parents[5]
#: Golden fabrics and their switches; a test compares this list with the folder.
SWITCHES = [
    *(
        f"{fabric}/{name}"
        for fabric in ("a-underlay", "b-l2vni", "c-l3vni")
        for name in ("leaf1", "leaf2", "spine1", "spine2")
    ),
    "d-mgmt/mgmt1",
    "e-border/border1",
]
NOWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound
FILES = {"boot": "frr.running.boot.txt", "live": "frr.running.txt", "load": "frr.running.load.txt"}


def fabrics() -> Path:
    """The golden fabrics beside the checkout; without them the test is skipped, in CI it fails."""
    told = os.environ.get("SCS_SHARED")
    for place in [Path(told)] if told else [folder / "shared" for folder in REPO.parents]:
        if place.joinpath("sonic", "golden", "fabrics").is_dir():
            return place / "sonic" / "golden" / "fabrics"
    reason = "the folder shared/sonic/golden is not beside the checkout (SCS_SHARED names another place)"
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(reason)
    pytest.skip(reason)


def config(switch: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((fabrics() / switch / "config_db.json").read_text(encoding="utf-8"))
    return found


def golden(switch: str, name: str) -> dict[lines.Section, frozenset[str]]:
    return lines.parse((fabrics() / switch / name).read_text(encoding="utf-8"))


def test_every_golden_switch_is_listed() -> None:
    assert sorted(f"{path.parent.name}/{path.name}" for path in fabrics().glob("*/*")) == sorted(SWITCHES)


@pytest.mark.accept("S1.4")
@pytest.mark.parametrize("switch", SWITCHES)
def test_boot_equals_the_boot_templates(switch: str) -> None:
    assert boot.boot(config(switch)) == golden(switch, "frr.boot.conf")


@pytest.mark.accept("S1.4")
@pytest.mark.parametrize("path", faults.PATHS)
@pytest.mark.parametrize("switch", SWITCHES)
def test_expected_equals_what_frr_ran(switch: str, path: str) -> None:
    assert faults.expected(config(switch), path) == lines.shown(golden(switch, FILES[path]), UNSHOWN)


@pytest.mark.accept("S1.4")
@pytest.mark.parametrize("path", ["live", "load"])
@pytest.mark.parametrize("switch", SWITCHES)
def test_every_difference_to_frrcfgd_is_a_known_fault(switch: str, path: str) -> None:
    found = faults.compare(config(switch), golden(switch, FILES[path]))
    assert found, "frrcfgd never writes the constants of the template"
    assert {item.fault for item in found} <= set(faults.FAULTS)


def test_known_faults_are_all_seen_and_have_sentences() -> None:
    seen = {
        item.fault
        for switch in SWITCHES
        for path in ("live", "load")
        for item in faults.compare(config(switch), golden(switch, FILES[path]))
    }
    # the VNI of a VRF is missing on every path alike, so no comparison of paths shows it
    assert seen == set(faults.FAULTS) - {"vrf-vni"}
    assert all(len(fault.sentence.split()) > 8 and fault.sentence.endswith(".") for fault in faults.FAULTS.values())


@pytest.mark.parametrize("name", ["frr.boot.conf", *FILES.values()])
def test_no_path_writes_the_vni_of_a_vrf(name: str) -> None:
    assert config("c-l3vni/leaf1")["VRF"]["VrfBlue"]["vni"] == "50100"
    text = (fabrics() / "c-l3vni/leaf1" / name).read_text(encoding="utf-8")
    assert "vni 50100" not in text


def test_a_switch_after_a_restart_differs_in_nothing() -> None:
    for switch in SWITCHES:
        assert faults.compare(config(switch), golden(switch, "frr.running.boot.txt")) == []


def test_a_difference_that_no_fault_explains_is_shown_as_such() -> None:
    running = dict(golden("a-underlay/leaf1", "frr.running.boot.txt"))
    section = ("router bgp 65101",)
    running[section] = running[section] - {"bgp router-id 10.1.0.21"} | {"bgp router-id 10.1.0.99"}
    assert [(item.sign, item.line, item.fault) for item in faults.compare(config("a-underlay/leaf1"), running)] == [
        ("-", "bgp router-id 10.1.0.21", ""),
        ("+", "bgp router-id 10.1.0.99", ""),
    ]


def test_text_reads_back() -> None:
    for switch in SWITCHES:
        wanted = faults.expected(config(switch))
        assert lines.parse(lines.text(wanted)) == wanted


BOUNDS = [
    ("10.1.0.0/16", "32..32", " ge 32 le 32", " ge 32"),
    ("fd00:1::/48", "128..128", " le 128", " ge 128"),
    ("198.18.0.0/15", "16..24", " ge 16 le 24", " ge 16 le 24"),
    ("10.0.0.0/8", "8..24", " le 24", " le 24"),
    ("10.0.0.0/8", "exact", "", ""),
    # as texts, 9 is above 16: the boot path writes a lower bound that FRR refuses
    ("10.1.0.0/16", "9..24", " ge 9 le 24", " le 24"),
]


@pytest.mark.parametrize(("prefix", "span", "at_boot", "alive"), BOUNDS)
def test_ranges(prefix: str, span: str, at_boot: str, alive: str) -> None:
    mode = "IPv6" if ":" in prefix else "IPv4"
    rows = {"PREFIX_SET": {"S": {"mode": mode}}, "PREFIX": {f"S|5|{prefix}|{span}": {"action": "permit"}}}
    for live, bounds in ((False, at_boot), (True, alive)):
        found = lines.Sections()
        policy.prefix_lists(rows, found, live=live)
        assert found.frozen()[()] == {f"{policy.WORDS[mode]} prefix-list S seq 5 permit {prefix}{bounds}"}


FIELDS: list[tuple[str, str, dict[str, Any], tuple[str, ...], list[str]]] = [
    (
        "BGP_NEIGHBOR",
        "default|10.0.0.1",
        {"asn": "65001", "bfd": "true"},
        (),
        ["neighbor 10.0.0.1 bfd", "neighbor 10.0.0.1 remote-as 65001"],
    ),
    (
        "BGP_NEIGHBOR",
        "default|Ethernet0",
        {"peer_type": "external"},
        (),
        ["neighbor Ethernet0 interface remote-as external"],
    ),
    (
        "BGP_NEIGHBOR",
        "default|fd00::1",
        {"admin_status": "down", "ebgp_multihop": "true"},
        (),
        ["neighbor fd00::1 ebgp-multihop 255", "neighbor fd00::1 shutdown"],
    ),
    (
        "BGP_NEIGHBOR_AF",
        "default|10.0.0.1|ipv4_unicast",
        {"nhself": "true", "nexthop_self_force": "true"},
        ("address-family ipv4 unicast",),
        ["neighbor 10.0.0.1 next-hop-self force"],
    ),
    (
        "BGP_NEIGHBOR_AF",
        "default|10.0.0.1|ipv4_unicast",
        {"allow_as_in": "true", "allow_as_count": "2"},
        ("address-family ipv4 unicast",),
        ["neighbor 10.0.0.1 allowas-in 2"],
    ),
    (
        "BGP_NEIGHBOR_AF",
        "default|10.0.0.1|ipv4_unicast",
        {"max_prefix_limit": "9", "max_prefix_warning_only": "true"},
        ("address-family ipv4 unicast",),
        ["neighbor 10.0.0.1 maximum-prefix 9 warning-only"],
    ),
    (
        "BGP_NEIGHBOR_AF",
        "default|10.0.0.1|ipv4_unicast",
        {"unchanged_as_path": "true", "unchanged_nexthop": "true"},
        ("address-family ipv4 unicast",),
        ["neighbor 10.0.0.1 attribute-unchanged as-path next-hop"],
    ),
    (
        "BGP_GLOBALS_AF",
        "default|ipv4_unicast",
        {"max_ibgp_paths": "4", "ibgp_equal_cluster_length": "true"},
        ("address-family ipv4 unicast",),
        ["maximum-paths ibgp 4 equal-cluster-length"],
    ),
    (
        "BGP_GLOBALS_AF_AGGREGATE_ADDR",
        "default|ipv4_unicast|10.0.0.0/8",
        {"summary_only": "true"},
        ("address-family ipv4 unicast",),
        ["aggregate-address 10.0.0.0/8 summary-only"],
    ),
    (
        "BGP_GLOBALS_LISTEN_PREFIX",
        "default|10.0.0.0/24",
        {"peer_group": "hosts"},
        (),
        ["bgp listen range 10.0.0.0/24 peer-group hosts"],
    ),
]


@pytest.mark.parametrize(("table", "key", "row", "inner", "wanted"), FIELDS)
def test_fields(table: str, key: str, row: dict[str, Any], inner: tuple[str, ...], wanted: list[str]) -> None:
    found = boot.boot({"BGP_GLOBALS": {"default": {"local_asn": "65000"}}, table: {key: row}})
    assert sorted(found[("router bgp 65000", *inner)] - {"no bgp default ipv4-unicast"}) == wanted


ROUTES: list[tuple[str, dict[str, str], tuple[str, ...], list[str]]] = [
    (
        "default|10.9.0.0/16",
        {"nexthop": "10.0.0.1,10.0.0.2"},
        (),
        ["ip route 10.9.0.0/16 10.0.0.1", "ip route 10.9.0.0/16 10.0.0.2"],
    ),
    (
        "VrfA|fd00::/64",
        {"nexthop": "fd00::1", "distance": "5", "bfd": "true"},
        ("vrf VrfA",),
        ["ipv6 route fd00::/64 fd00::1 5 bfd"],
    ),
    (
        "10.9.0.0/16",
        {"blackhole": "true", "nexthop": NOWHERE, "tag": "7"},
        (),
        ["ip route 10.9.0.0/16 blackhole tag 7"],
    ),
    ("default|10.9.0.0/16", {"nexthop": "10.0.0.1,10.0.0.2", "ifname": "Vlan5"}, (), []),
    ("default|10.9.0.0/16", {"nexthop": NOWHERE}, (), []),
]


@pytest.mark.parametrize(("key", "row", "section", "wanted"), ROUTES)
def test_static_routes(key: str, row: dict[str, str], section: tuple[str, ...], wanted: list[str]) -> None:
    found = boot.boot({"STATIC_ROUTE": {key: row}}).get(section, frozenset())
    assert sorted(line for line in found if " route " in line) == wanted


def odd(source: random.Random) -> Any:
    """A value that no field should have."""
    return source.choice(
        [["IPv4"], [], [""], "", "x|y", 7, None, True, {"a": "b"}, "..", "a..b", "1..", ["1", "2"], "²"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("switch", SWITCHES)
def test_nothing_breaks_on_odd_values(switch: str, seed: int) -> None:
    """Whatever a configuration holds, there is an answer; what it means is for the models and the linter to say."""
    source = random.Random(f"{seed} {switch}")
    for _draw in range(150):
        broken = config(switch)
        table = source.choice([name for name in sorted(broken) if name != "PORT"])
        key = source.choice(sorted(broken[table]))
        how = source.choice(["field", "row", "key", "table"])
        if how == "field" and broken[table][key]:
            broken[table][key][source.choice(sorted(broken[table][key]))] = odd(source)
        elif how == "key":
            broken[table][source.choice(["", "|", "default", "default|", "a|b", "a|b|c|d|e"])] = broken[table].pop(key)
        elif how == "row":
            broken[table][key] = odd(source)
        else:
            broken[table] = odd(source)
        for path in faults.PATHS:
            lines.text(faults.expected(broken, path))
        faults.compare(broken, {})
