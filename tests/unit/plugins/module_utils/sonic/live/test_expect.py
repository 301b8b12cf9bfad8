# SPDX-License-Identifier: Apache-2.0
"""What a switch must show, against what SONiC's own code made FRR show, and against answers of FRR, lldpd and ip."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.redact import MASK
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import expect, facts, verify
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.changing import Seen
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import golden

SUMMARY = {
    "default": {
        "ipv4Unicast": {
            "vrfName": "default",
            "peers": {"Ethernet48": {"state": "Established"}, "Ethernet52": {"state": "Active"}},
        },
        "l2VpnEvpn": {"peers": {"Ethernet48": {"state": "Idle"}}},
    },
    "VrfBlue": {"ipv4Unicast": {"vrfName": "VrfBlue", "peers": {"192.0.2.1": {"state": "Established"}}}},
}
LLDP = {
    "lldp": {
        "interface": [
            {"Ethernet48": {"chassis": {"spine1": {"id": {"type": "mac"}}}, "port": {"id": {"value": "hundredGigE1"}}}},
            {"Ethernet52": {"chassis": {"spine2": {}}, "port": {"id": {"value": "hundredGigE1"}}}},
        ]
    }
}
CONFIG: dict[str, Any] = {
    "PORT": {
        "Ethernet48": {"admin_status": "up", "mtu": "9100", "alias": "hundredGigE49"},
        "Ethernet52": {"admin_status": "down"},
    },
    "BGP_NEIGHBOR": {"default|Ethernet48": {}, "default|Ethernet52": {}, "VrfBlue|192.0.2.1": {"admin_status": "down"}},
    "LOOPBACK_INTERFACE": {"Loopback0": {}, "Loopback0|10.0.0.1/32": {}},
    "VXLAN_TUNNEL_MAP": {"vtep|map_100_Vlan100": {"vni": "100", "vlan": "Vlan100"}},
    "VRF": {"VrfBlue": {"vni": "1000"}, "VrfRed": {"vni": "0"}},
}
ADDRESSES = [
    {"ifname": "Ethernet48", "mtu": 9100, "flags": ["UP"], "addr_info": []},
    {"ifname": "Ethernet52", "mtu": 9100, "flags": [], "addr_info": []},
    {"ifname": "Loopback0", "mtu": 65536, "flags": ["UP"], "addr_info": [{"local": "10.0.0.1", "prefixlen": 32}]},
    {"ifname": "VrfBlue"},
    {"ifname": "VrfRed"},
]


def test_what_sonics_own_code_shows_is_right_and_what_it_loses_is_seen() -> None:
    folders = sorted(golden.shared("golden", "fabrics").glob("*/*/config_db.json"))
    assert len(folders) > 10
    for path in folders:
        config = json.loads(path.read_text())
        for name, right in (("running", True), ("running.boot", True), ("running.load", False)):
            found = expect.frr(config, (path.parent / f"frr.{name}.txt").read_text())
            assert not found or not right, (path, name, found)
            if not right and "BGP_PEER_GROUP" in config:
                assert any("peer-group" in one for one in found), (path, found)


def test_frr_lacks_what_was_written() -> None:
    config = {
        "DEVICE_METADATA": {
            "localhost": {"frr_mgmt_framework_config": "true", "docker_routing_config_mode": "unified"}
        },
        "BGP_GLOBALS": {"default": {"local_asn": "65001"}},
        "VRF": {"VrfBlue": {"vni": "1000"}},
    }
    right = "hostname sonic\nrouter bgp 65001\n no bgp default ipv4-unicast\nexit\nvrf VrfBlue\nexit-vrf\n"
    assert expect.frr(config, right) == set()
    assert expect.frr(config, right.replace("65001", "65002")) == {
        "FRR lacks: router bgp 65001 / no bgp default ipv4-unicast",
        "FRR has too much: router bgp 65002 / no bgp default ipv4-unicast",
    }
    assert expect.frr(config, right, fixups=True) == {"FRR lacks: vrf VrfBlue / vni 1000"}
    assert expect.frr(config, right.replace("vrf VrfBlue\n", "vrf VrfBlue\n vni 1000\n"), fixups=True) == set()
    assert expect.frr(config, "") == {"FRR does not answer"}
    assert expect.frr({}, "router bgp 1\n") == set(), "bgpcfgd's configuration is not ours to judge"


def test_passwords_of_frr_are_masked_and_policies_are_not() -> None:
    assert expect.line("neighbor 192.0.2.1 password s3cret encrypted") == f"neighbor 192.0.2.1 password {MASK}"
    assert expect.line("password s3cret") == f"password {MASK}"
    assert expect.line("set community 65000:1") == "set community 65000:1"
    assert expect.line("snmp-server community s3cret") == f"snmp-server community {MASK}"


@pytest.mark.parametrize(
    "text",
    [
        "enable password s3cret",
        "ip ospf authentication-key s3cret",
        "ip ospf authentication-key s3cret 192.0.2.1",
        "ip ospf message-digest-key 1 md5 s3cret",
        "area 0.0.0.1 virtual-link 192.0.2.1 authentication-key s3cret",
        "area 0.0.0.1 virtual-link 192.0.2.1 message-digest-key 1 md5 s3cret",
        "ipv6 ospf6 authentication key-id 1 hash-algo hmac-sha-256 key s3cret",
        "ip rip authentication string s3cret",
        "ip nhrp authentication s3cret",
        "isis password md5 s3cret",
        "area-password clear s3cret",
        "domain-password md5 s3cret authenticate snp validate",
        "key-string s3cret",
        "address ip 192.0.2.1 tcp-md5-auth s3cret",
    ],
)
def test_no_canary_of_any_daemon_comes_out(text: str) -> None:
    assert "s3cret" not in expect.line(text)
    assert expect.line(text).endswith(MASK)
    running = f"interface Ethernet0\n {text}\nexit\n"
    assert "s3cret" not in json.dumps(facts.facts(seen(frr=running), ()))
    unified = {"frr_mgmt_framework_config": "true", "docker_routing_config_mode": "unified"}
    assert "s3cret" not in str(expect.frr({"DEVICE_METADATA": {"localhost": unified}}, running))


@pytest.mark.parametrize(
    "text",
    [
        "neighbor fabric send-community both",
        "area 0.0.0.1 authentication message-digest",
        "ip rip authentication mode md5",
        "bgp community-list standard X seq 5 permit 65000:1",
        "set community 65000:1 additive",
        "match community X",
        "ip ospf authentication key-chain X",
    ],
)
def test_what_is_no_secret_of_frr_is_shown(text: str) -> None:
    assert expect.line(text) == text


def test_sessions_and_neighbours_that_end_are_seen() -> None:
    states = expect.sessions(SUMMARY)
    assert states == {
        ("default", "Ethernet48"): "Idle",
        ("default", "Ethernet52"): "Active",
        ("VrfBlue", "192.0.2.1"): "Established",
    }
    now: dict[str, Any] = {"VrfBlue": {"ipv4Unicast": {"vrfName": "VrfBlue", "peers": {}}}}
    assert expect.ended(SUMMARY, now, CONFIG) == {"the BGP session of 192.0.2.1 in VrfBlue is gone, it was established"}
    assert expect.ended(SUMMARY, now, {}) == set()
    assert expect.unheard(LLDP, {"lldp": {}}, CONFIG) == {"Ethernet48 does not hear spine1 any more"}


def test_the_kernel_is_compared() -> None:
    assert expect.kernel(CONFIG, ADDRESSES) == set()
    other = [{**ADDRESSES[0], "mtu": 1500, "flags": []}, {**ADDRESSES[2], "addr_info": []}, *ADDRESSES[3:]]
    # the address is on another device, which helps nobody
    other.append({"ifname": "eth0", "addr_info": [{"local": "10.0.0.1", "prefixlen": 32}]})
    assert expect.kernel(CONFIG, other) == {
        "Ethernet48 has the MTU 1500 in the kernel, not 9100",
        "Ethernet48 is down in the kernel, not up",
        "the kernel has no Ethernet52",
        "the kernel lacks 10.0.0.1/32 on Loopback0",
    }
    assert expect.kernel(CONFIG, {"error": "x"}) == {"the kernel's addresses cannot be read"}
    assert expect.kernel(CONFIG, []) == {"the kernel tells no device at all, not even lo"}


def test_an_empty_list_is_saved_as_sonic_saves_it() -> None:
    rows = {"ACL_TABLE": {"A": {"ports": []}}}
    assert expect.unsaved(rows, '{"ACL_TABLE": {"A": {"ports": [""]}}}', ()) == []
    assert expect.unsaved(rows, '{"ACL_TABLE": {"A": {"ports": ["Ethernet0"]}}}', ()) == ["ACL_TABLE|A"]


def seen(**answer: Any) -> Seen:
    base = {"version": {"build_version": "SONiC.202505.1"}, "digest": "", "saved": json.dumps(CONFIG), "fixups": []}
    base |= {"checkpoints": [], "pending": {}, "lock": {}, "frr": "", "rows": {}}
    one = Seen.of("leaf1", {**base, **answer})
    return Seen(**{**vars(one), "config": CONFIG})


def test_every_check_finds_its_fault() -> None:
    routes = {"10.0.0.2/32": [{"selected": True, "nexthops": [{"active": True, "fib": True}, {"active": True}]}]}
    counters = {"source": "chip", "ports": {"Ethernet48": 4, "Ethernet52": 0}}
    answer = {
        "bgp": SUMMARY,
        "lldp": LLDP,
        "addresses": ADDRESSES,
        "counters": counters,
        "evpn": {"100": {"type": "L2"}},
        "routes": routes,
    }
    expected = verify.Expected(
        config={
            "PORT": {"Ethernet48": {"admin_status": "up", "mtu": "1500"}},
            "SNMP_COMMUNITY": {"s3cret": {"TYPE": "RO"}},
        },
        cables=(verify.Cable("Ethernet48", "spine2", ("Ethernet0",)), verify.Cable("Ethernet52", "spine2", ())),
        ecmp={"10.0.0.2/32": 2, "10.0.0.3/32": 2},
    )
    found = verify.faults(seen(**answer, fixups=[["vrf VrfBlue", "vni 1000"]]), expected, verify.CHECKS)
    told = [(one.check, one.local) for one in found]
    assert told == [
        ("config", "PORT|Ethernet48"),
        ("config", "PORT|Ethernet52"),
        ("config", f"SNMP_COMMUNITY|{MASK}"),
        ("fixups", "FRR vrf VrfBlue"),
        ("bgp", "session of Ethernet48 in default"),
        ("bgp", "session of Ethernet52 in default"),
        ("evpn", "VNI 1000"),
        ("ecmp", "route to 10.0.0.2/32"),
        ("ecmp", "route to 10.0.0.3/32"),
        ("lldp", "Ethernet48 (hundredGigE49)"),
        ("errors", "Ethernet48"),
    ]
    assert "s3cret" not in str(found)
    assert found[0].as_dict()["expected"] == "alias absent, mtu 1500"
    assert (
        verify.faults(seen(**answer), verify.Expected(max_errors=9), ["config", "saved", "kernel", "errors", "lldp"])
        == []
    )


BGPCFGD: dict[str, Any] = {
    "BGP_NEIGHBOR": {
        "10.0.0.1": {"asn": "65001"},
        "FC00::A": {"admin_status": "up"},
        "VrfBlue|10.0.1.1": {"admin_status": "down"},
    },
    "BGP_INTERNAL_NEIGHBOR": {"10.9.0.1": {}},
    "BGP_PEER_RANGE": {"hosts": {"ip_range": ["10.8.0.0/24"]}, "VrfBlue|hosts": {"ip_range": ["10.7.0.0/24"]}},
    "BGP_GLOBALS_LISTEN_PREFIX": {"default|fd00::/64": {}},
}


def test_neighbours_of_the_default_routing_mode_are_judged() -> None:
    one = Seen.of(
        "leaf1", {**vars(seen())["answer"], "bgp": {"ipv4Unicast": {"peers": {"10.0.0.1": {"state": "Idle"}}}}}
    )
    bare = Seen(**{**vars(one), "config": BGPCFGD})
    found = verify.faults(bare, verify.Expected(), ["bgp"])
    assert [(fault.local, fault.got) for fault in found] == [
        ("session of 10.0.0.1 in default", "Idle"),
        ("session of fc00::a in default", "no session"),
        ("session of 10.9.0.1 in default", "no session"),
    ]
    shut = {**BGPCFGD, "DEVICE_METADATA": {"localhost": {"default_bgp_status": "down"}}}
    shut = Seen(**{**vars(one), "config": shut})
    assert [fault.local for fault in verify.faults(shut, verify.Expected(), ["bgp"])] == [
        "session of fc00::a in default"
    ]


def test_sessions_of_the_default_routing_mode_that_end_are_seen() -> None:
    names = ("10.0.0.1", "10.8.0.7", "fd00::7", "10.7.0.7")
    before = {"ipv4Unicast": {"peers": {name: {"state": "Established"} for name in names}}}
    assert expect.ended(before, {}, BGPCFGD) == {
        f"the BGP session of {name} in default is gone, it was established" for name in names[:3]
    }


def test_a_check_that_could_find_nothing_says_so() -> None:
    one = seen(bgp=SUMMARY, counters={"source": "chip", "ports": {}})
    assert verify.unjudged(one, verify.Expected(), ["errors"]) == {}
    assert verify.unjudged(one, verify.Expected(config={}, cables=(), ecmp={}), ("config", "lldp", "ecmp", "bgp")) == {}
    none = Seen(**{**vars(seen(bgp=SUMMARY, counters={"source": "kernel", "ports": {}})), "config": {}})
    assert verify.unjudged(none, verify.Expected(), verify.CHECKS) == {
        "config": "it is not said what is expected",
        "ecmp": "it is not said what is expected",
        "lldp": "it is not said what is expected",
        "frr": "in its routing mode FRR is not written from CONFIG_DB alone",
        "bgp": "FRR has 3 sessions, and no row names one",
        "errors": "the switch chip tells none, and the kernel counts packets to and from the CPU alone",
    }
    quiet = Seen(**{**vars(seen(bgp={})), "config": {}})
    assert verify.unjudged(quiet, verify.Expected(), ["bgp"]) == {"bgp": "no neighbour is configured"}


def test_facts_are_told_without_secrets() -> None:
    answer = {
        "bgp": SUMMARY,
        "lldp": LLDP,
        "addresses": ADDRESSES,
        "evpn": {"100": {"type": "L2"}},
        "ports": {},
        "services": {"bgp": "active"},
    }
    answer["frr"] = "router bgp 1\n neighbor 192.0.2.1 password s3cret\n"
    told = facts.facts(seen(**answer, machine={"onie_platform": "x86_64-accton"}), ())
    assert told["release"] == "202505"
    assert told["platform"] == "x86_64-accton"
    assert told["saved_equals_running"]
    assert told["bgp"][0] == {"vrf": "VrfBlue", "neighbor": "192.0.2.1", "state": "Established"}
    assert told["lldp"]["Ethernet48"] == {"system": "spine1", "port": "hundredGigE1"}
    assert told["frr"][1] == f" neighbor 192.0.2.1 password {MASK}"
    assert told["ports"]["Ethernet48"]["mtu"] == "9100"
    assert "s3cret" not in json.dumps(told)
    assert "bgp" not in facts.facts(seen(), ())
    assert facts.include(["all"]) == facts.include(list(facts.SUBSETS))
