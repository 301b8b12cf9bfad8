# SPDX-License-Identifier: Apache-2.0
"""The module sonic_gate: what a rolling change waits for, in every state between bare switches and a fabric that runs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import gate
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.changing import Seen
from ansible_collections.scs.landscape.plugins.modules import sonic_gate

FAR = "10.0.0.9/32"
ROWS = {
    "BGP_NEIGHBOR|default|Ethernet0": {"NULL": "NULL"},
    "BGP_NEIGHBOR|default|Ethernet4": {"NULL": "NULL"},
    "BGP_NEIGHBOR|default|Ethernet8": {"NULL": "NULL"},
    "VXLAN_TUNNEL_MAP|vtep|map_100_Vlan100": {"vni": "100", "vlan": "Vlan100"},
}
LINKS = {"Ethernet0": "spine1", "Ethernet4": "spine2"}


def seen(up: tuple[str, ...], width: int = 2, vnis: tuple[str, ...] = ("100",)) -> Seen:
    peers = {f"Ethernet{n}": {"state": "Established" if f"Ethernet{n}" in up else "Active"} for n in (0, 4, 8)}
    hops = [{"active": True, "fib": True}] * width
    answer: dict[str, Any] = {
        "rows": ROWS,
        "digest": "",
        "saved": None,
        "version": {"build_version": "202505"},
        "bgp": {"ipv4Unicast": {"peers": peers}},
        "routes": {FAR: [{"selected": True, "nexthops": hops}]},
        "evpn": {vni: {"type": "L2"} for vni in vnis},
    }
    return Seen.of("leaf1", answer)


def found(now: Seen, **progress: Any) -> list[tuple[str, str]]:
    return [
        (one.check, one.local)
        for one in gate.faults(now, gate.Progress("leaf1", **{"links": LINKS, "ecmp": {FAR: 2}, **progress}))
    ]


ALL = ("Ethernet0", "Ethernet4", "Ethernet8")
BOTH = ("Ethernet0", "Ethernet4")


def test_all_is_well_when_every_session_between_switches_is_up() -> None:
    assert found(seen(BOTH)) == []  # the host at Ethernet8 need not route yet


def test_a_session_between_two_that_are_done_has_to_be_up() -> None:
    assert found(seen(("Ethernet0",))) == [("bgp", "session of Ethernet4 in default")]


@pytest.mark.parametrize("pending", [{"spine2"}, {"leaf1", "spine1", "spine2"}], ids=["far end", "itself"])
def test_a_session_to_one_that_waits_may_be_down(pending) -> None:
    assert found(seen(("Ethernet0",), width=1), pending=frozenset(pending)) == []


def test_what_worked_before_has_to_work_whatever_waits() -> None:
    before = gate.State.of(seen(ALL))
    waiting = frozenset({"leaf1", "spine1", "spine2"})
    assert found(seen(("Ethernet4",), width=1, vnis=()), pending=waiting, before=before) == [
        ("bgp", "session of Ethernet0 in default"),
        ("bgp", "session of Ethernet8 in default"),
        ("evpn", "VNI 100"),
        ("ecmp", f"route to {FAR}"),
    ]


def test_a_path_that_is_to_go_is_not_waited_for() -> None:
    before = gate.State.of(seen(BOTH, width=4))
    assert found(seen(BOTH, width=2), pending=frozenset({"spine2"}), before=before) == []


@pytest.mark.parametrize("pending", [{"spine2"}, set()], ids=["on the way", "in the end"])
def test_a_way_that_is_wider_than_it_will_be_stops_nothing(pending) -> None:
    before = gate.State.of(seen(BOTH, width=4))
    assert found(seen(BOTH, width=4), pending=frozenset(pending), before=before) == []
    assert found(seen(BOTH, width=1), pending=frozenset(pending), before=before) == [("ecmp", f"route to {FAR}")]


def test_a_session_that_the_change_takes_away_is_not_waited_for() -> None:
    before = gate.State.of(seen(ALL))
    assert found(seen(("Ethernet4", "Ethernet8")), before=before, leaving=frozenset({"Ethernet0"})) == []


def other_mode(rows: dict[str, dict[str, str]], *up: str) -> Seen:
    answer = dict(seen(()).answer)
    answer["rows"] = rows
    answer["bgp"] = {"ipv4Unicast": {"peers": {peer: {"state": "Established"} for peer in up}}}
    return Seen.of("leaf1", answer)


def test_neighbours_of_the_default_routing_mode_count() -> None:
    rows = {"BGP_NEIGHBOR|10.0.0.1": {"asn": "1"}, "BGP_PEER_RANGE|hosts": {"ip_range@": "10.8.0.0/24"}}
    before = gate.State.of(other_mode(rows, "10.0.0.1", "10.8.0.7"))
    now = other_mode(rows)
    assert found(now, before=before, ecmp={}) == [
        ("bgp", "session of 10.0.0.1 in default"),
        ("bgp", "session of 10.8.0.7 in default"),
    ]
    assert found(now, before=before, ecmp={}, leaving=frozenset({"10.0.0.1", "10.8.0.7"})) == []
    assert found(now, ecmp={}) == [], "nothing worked before, and nobody knows the other end"


def test_sessions_that_nobody_can_judge_are_told() -> None:
    assert gate.warnings(seen(ALL)) == []
    (said,) = gate.warnings(other_mode({}, "10.0.0.1"))
    assert said == "leaf1: no row of CONFIG_DB names the BGP sessions of 10.0.0.1 in default: not judged"


def test_width_and_vnis_are_due_in_the_end() -> None:
    assert found(seen(BOTH, width=1)) == [("ecmp", f"route to {FAR}")]
    assert found(seen(BOTH, vnis=())) == [("evpn", "VNI 100")]
    assert found(seen(BOTH, vnis=()), pending=frozenset({"leaf1"})) == []


def test_a_state_survives_the_way_through_a_play() -> None:
    state = gate.State.of(seen(ALL))
    assert gate.State.read(state.as_dict()) == state
    assert gate.State.read({}) == gate.State()


def test_without_its_action_plugin_it_says_so() -> None:
    with pytest.raises(LandscapeError, match="its action plugin of the same name is missing"):
        sonic_gate.main({}, False)
