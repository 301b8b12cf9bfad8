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
    told = verify.sessions_of(seen({"bgp": {"ipv4Unicast": {"peers": peers}}}))
    assert [(one["peer"], one["state"], one["expected"]) for one in told] == [
        ("10.0.0.9", "Active", False),
        ("Ethernet48", "Established", True),
        ("Ethernet52", "", False),
    ]
    assert verify.sessions_of(seen({})) == []


def test_it_tells_the_width_of_ways_that_it_judged() -> None:
    hops = [{"active": True, "fib": True}, {"active": True, "fib": True}, {"active": False}]
    expected = verify.Expected(ecmp={"10.0.0.1/32": 2, "10.0.0.2/32": 2})
    routes = {"10.0.0.1/32": [{"selected": True, "nexthops": hops}]}
    assert verify.ways_of(seen({"routes": routes}), expected) == [
        {"prefix": "10.0.0.1/32", "width": 2, "expected": 2},
        {"prefix": "10.0.0.2/32", "width": 0, "expected": 2},
    ]
    assert verify.ways_of(seen({}), expected) == []
