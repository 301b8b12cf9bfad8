# SPDX-License-Identifier: Apache-2.0
"""The module sonic_verify alone: what it documents is what its action plugin takes, and without that it says so."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import verify
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.changing import Seen
from ansible_collections.scs.landscape.plugins.modules import sonic_verify


def test_without_its_action_plugin_it_says_so() -> None:
    with pytest.raises(LandscapeError, match="its action plugin of the same name is missing"):
        sonic_verify.main({}, False)


def test_its_lists_are_those_of_the_library() -> None:
    assert sonic_verify.ARGUMENTS["checks"]["choices"] == list(verify.CHECKS)


def seen(answer: dict[str, object]) -> Seen:
    rows = {
        "DEVICE_METADATA|localhost": {"docker_routing_config_mode": "unified", "frr_mgmt_framework_config": "true"},
        "BGP_NEIGHBOR|default|Ethernet48": {"peer_type": "external"},
        "BGP_NEIGHBOR|default|Ethernet52": {"admin_status": "false"},
    }
    whole = {"rows": rows, "version": {"release": "202505"}, "digest": "", "saved": None, **answer}
    return Seen.of("leaf", whole)


def test_it_tells_every_session_and_whether_it_should_be() -> None:
    peers = {"Ethernet48": {"state": "Established"}, "10.0.0.9": {"state": "Active"}}
    told = verify.sessions_of(seen({"bgp": {"ipv4Unicast": {"peers": peers}}}), verify.Expected())
    assert [(one["peer"], one["state"], one["expected"]) for one in told] == [
        ("10.0.0.9", "Active", False),
        ("Ethernet48", "Established", True),
        ("Ethernet52", "", False),
    ]
    assert verify.sessions_of(seen({}), verify.Expected()) == []


def test_sessions_with_machines_that_take_no_part_are_excused_and_named() -> None:
    one = seen({"bgp": {"ipv4Unicast": {"peers": {"Ethernet48": {"state": "Active"}}}}})
    for ports, faults in ((None, 1), (frozenset({"Ethernet48"}), 1), (frozenset({"Ethernet0"}), 0)):
        expected = verify.Expected(bgp_ports=ports)
        assert len(verify.faults(one, expected, ["bgp"])) == faults
        assert [told["expected"] for told in verify.sessions_of(one, expected)] == [bool(faults), False]
        why = {} if faults else {"bgp": "no cable leads to one of bgp_with from the session of Ethernet48 in default"}
        assert verify.unjudged(one, expected, ["bgp"]) == why


def test_it_tells_the_width_of_ways_that_it_judged() -> None:
    hops = [{"active": True, "fib": True}, {"active": True, "fib": True}, {"active": False}]
    expected = verify.Expected(ecmp={"10.0.0.1/32": 2, "10.0.0.2/32": 2})
    routes = {"10.0.0.1/32": [{"selected": True, "nexthops": hops}]}
    assert verify.ways_of(seen({"routes": routes}), expected) == [
        {"prefix": "10.0.0.1/32", "width": 2, "expected": 2},
        {"prefix": "10.0.0.2/32", "width": 0, "expected": 2},
    ]
    assert verify.ways_of(seen({}), expected) == []


@pytest.mark.parametrize("said", ["Ethernet4", "hundredGigE2"], ids=["name", "alias"])
def test_a_cable_in_the_wrong_port_is_named_as_the_inventory_and_as_the_front_do(said: str) -> None:
    heard = {"Ethernet48": {"chassis": {"spine2": {}}, "port": {"id": {"type": "local", "value": said}}}}
    names = dict.fromkeys(("Ethernet4", "hundredGigE2"), "Ethernet4 (hundredGigE2)")
    cable = verify.Cable("Ethernet48", "spine1", ("Ethernet0", "hundredGigE1"))
    expected = verify.Expected(cables=(cable,), ports={"spine2": names})
    (found,) = verify.faults(seen({"lldp": {"lldp": {"interface": [heard]}}}), expected, ["lldp"])
    assert (found.expected, found.got) == ("spine1 Ethernet0 or hundredGigE1", "spine2 Ethernet4 (hundredGigE2)")
