# SPDX-License-Identifier: Apache-2.0
"""The proof of a change: what is done when FRR does not follow, and when the switch answers that something failed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Impact
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import change, proof
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import state

from .linked import BoxLink, settings
from .switchbox import Box

OLD: dict[str, Any] = {
    "DEVICE_METADATA": {
        "localhost": {
            "hostname": "leaf1",
            "docker_routing_config_mode": "unified",
            "frr_mgmt_framework_config": "true",
        }
    },
    "VERSIONS": {"DATABASE": {"VERSION": "version_202505_01"}},
    "BGP_GLOBALS": {"default": {"local_asn": "65001", "default_ipv4_unicast": "false"}},
}
FRR = "hostname leaf1\n!\nrouter bgp 65001\n no bgp default ipv4-unicast\nexit\n!\n"
#: One that interrupts, and one that does not; FRR follows neither.
ASN: dict[str, Any] = {"BGP_GLOBALS": {"default": {"local_asn": "65002"}}}
ROUTE: dict[str, Any] = {"STATIC_ROUTE": {"default|192.0.2.0/24": {"nexthop": "198.51.100.1"}}}


@pytest.fixture(name="unified")
def _unified(box: Box) -> Box:
    """A switch whose FRR is judged, and does not follow."""
    box.fill(OLD)
    (box.folder / "frr").write_text(FRR)
    return box


@pytest.mark.accept("S2.7")
@pytest.mark.parametrize(
    ("call", "code"),
    [("service", "service_down"), ("service", "frr_refused"), ("read", "unreadable")],
)
def test_an_answer_that_says_it_failed_is_no_lost_connection(unified: Box, call: str, code: str) -> None:
    """It is rolled back at once and does not stay down until the timer of 120 seconds comes."""
    before = unified.rows()

    def trouble(asked: str, number: int) -> Any:
        wrong = asked == call and (call == "service" or number == 2)
        return {"error": code, "data": {"service": "bgp", "why": "exit status 1", "path": "/x"}} if wrong else None

    link = BoxLink(unified, trouble)
    done = change.run(link, settings(ASN))
    assert link.calls.count("rollback") == 1
    assert link.calls[-1] == "rollback"
    assert link.skew < 30, "nobody waits for the timer"
    assert (done.rolled_back, done.changed, done.verify["ok"]) == (True, False, False)
    assert "The switch was brought back to what it was" in done.failed
    assert "connection was lost" not in done.failed
    assert (unified.rows(), state.pending(), state.lock()) == (before, {}, {})


def test_a_timer_that_is_on_its_way_is_waited_for(unified: Box) -> None:
    def trouble(asked: str, _number: int) -> Any:
        if asked != "service":
            return None
        assert unified.timer("a" * 32).wait(60) == 0
        return {"error": "not_pending", "data": {}}

    link = BoxLink(unified, trouble)
    done = change.run(link, settings(ASN))
    assert "rollback" not in link.calls
    assert "The switch brought itself back" in done.failed
    assert done.rolled_back


@pytest.mark.parametrize("allowed", [Impact.DEGRADED, Impact.INTERRUPTED, Impact.DESTROYED], ids=lambda one: one.label)
def test_a_plan_that_ends_no_session_does_not_end_all_of_them(unified: Box, allowed: Impact) -> None:
    """What is allowed beyond the plan is no reason to restart bgp."""
    before = unified.rows()
    link = BoxLink(unified)
    done = change.run(link, settings(ROUTE, max_impact=allowed))
    assert done.plan["impact"] == "degraded"
    assert "service" not in link.calls
    assert not [call for call in unified.calls("systemctl") if call[1:3] == ["restart", "bgp"]][1:], "but to come back"
    assert "FRR lacks: ip route 192.0.2.0/24" in done.failed
    assert "more than the plan says (degraded) and was not done" in done.failed
    assert not done.verify["restarted_bgp"]
    assert unified.rows() == before


@pytest.mark.parametrize(("rows", "seconds"), [(1, 6.2), (20, 10.0), (500, 15.0)])
def test_many_rows_have_more_time_to_reach_frr(unified: Box, rows: int, seconds: float) -> None:
    link = BoxLink(unified)
    waited: list[float] = []

    def trouble(asked: str, _number: int) -> Any:
        if asked == "after apply":
            waited.append(link.now())
        if asked == "service":
            waited.append(link.now())
            return {"error": "service_down", "data": {"service": "bgp", "why": "enough"}}
        return None

    link.trouble = trouble
    routes = {
        f"default|10.{number // 256}.{number % 256}.0/24": {"nexthop": "198.51.100.1"} for number in range(rows - 1)
    }
    change.run(link, settings({**ASN, "STATIC_ROUTE": routes}, verify_timeout=30))
    began, restarted = waited
    assert seconds <= restarted - began < seconds + 5 * proof.FOLLOWS


def test_what_looks_well_is_looked_at_again_over_a_new_connection(unified: Box) -> None:
    (unified.folder / "frr").write_text(FRR.replace("65001", "65002"))
    link = BoxLink(unified)
    done = change.run(link, settings(ASN, verify_timeout=30))
    assert done.failed == ""
    assert link.calls == ["read", "apply", "read", "read", "confirm"]
    assert link.renewed == 2
    assert 10 <= done.verify["held"] < 30
    assert link.skew >= 10


@pytest.mark.accept("S2.5")
def test_what_comes_late_is_seen_before_it_is_saved(unified: Box) -> None:
    """An ACL that ends sessions, an address that takes the way in away: all is well for some seconds."""
    before = unified.rows()
    link = BoxLink(unified)
    clean = [0.0]

    def trouble(asked: str, number: int) -> None:
        if asked == "after read" and number == 2:
            clean.append(link.now())
        if asked == "read" and number > 2 and link.now() - clean[-1] >= 8:
            (unified.folder / "frr").write_text(FRR.replace("65001", "65009"))

    rule = {"ACL_TABLE": {"A": {"type": "L3", "policy_desc": "late", "stage": "ingress"}}}
    link.trouble = trouble
    done = change.run(link, settings(rule))
    assert done.plan["impact"] != "interrupted", "the table alone says that it may come late"
    assert "FRR has too much: router bgp 65009" in done.failed
    assert "confirm" not in link.calls
    assert done.rolled_back
    assert (unified.rows(), unified.saved) == (before, OLD)


def test_a_fault_that_passes_is_followed_by_two_clean_looks(unified: Box) -> None:
    (unified.folder / "frr").write_text(FRR.replace("65001", "65002"))
    link = BoxLink(unified)

    def trouble(asked: str, number: int) -> None:
        if asked == "read" and number in (3, 4):
            (unified.folder / "frr").write_text(FRR.replace("65001", "65009" if number == 3 else "65002"))

    link.trouble = trouble
    done = change.run(link, settings(ASN, verify_timeout=30))
    assert done.failed == ""
    assert link.calls.count("read") == 5, "planned on; well, not well, well, well"
    assert done.verify["held"] >= 10


def test_the_second_look_comes_while_there_is_time(unified: Box) -> None:
    """It never waits so long that the switch brings itself back."""
    (unified.folder / "frr").write_text(FRR.replace("65001", "65002"))
    link = BoxLink(unified)
    done = change.run(link, settings(ASN, confirm_within=20, hold=15))
    assert done.failed == ""
    assert 4 < done.verify["held"] < 10


@pytest.mark.parametrize(("wish", "hold"), [(ROUTE, 10), (ASN, 0)], ids=["nothing late", "not wanted"])
def test_others_are_confirmed_after_one_look(unified: Box, wish: dict[str, Any], hold: int) -> None:
    text = FRR.replace("65001", "65002") if wish is ASN else f"{FRR}ip route 192.0.2.0/24 198.51.100.1\n!\n"
    (unified.folder / "frr").write_text(text)
    link = BoxLink(unified)
    done = change.run(link, settings(wish, hold=hold))
    assert done.failed == ""
    assert link.calls == ["read", "apply", "read", "confirm"]
    assert done.verify["held"] == 0


def test_an_address_that_stays_although_its_row_went_is_seen(box: Box) -> None:
    config = {
        "DEVICE_METADATA": {"localhost": {"hostname": "leaf1"}},
        "VERSIONS": OLD["VERSIONS"],
        "LOOPBACK_INTERFACE": {"Loopback0": {}, "Loopback0|192.0.2.1/32": {}, "Loopback0|2001:db8::1/128": {}},
    }
    box.fill(config)
    told = [
        {
            "ifname": "Loopback0",
            "addr_info": [{"local": "192.0.2.1", "prefixlen": 32}, {"local": "2001:db8::1", "prefixlen": 128}],
        }
    ]
    (box.folder / "bin" / "ip").write_text(f"#!/bin/sh\necho '{json.dumps(told)}'\n")
    wish = {"LOOPBACK_INTERFACE": {"Loopback0|192.0.2.1/32": {}}}
    done = change.run(BoxLink(box), settings(wish, state="deleted"))
    assert "the kernel still has 192.0.2.1/32 on Loopback0" in done.failed
    assert "2001:db8::1" not in done.failed
    assert done.rolled_back
    told[0]["addr_info"] = told[0]["addr_info"][1:]  # type: ignore[index]
    (box.folder / "bin" / "ip").write_text(f"#!/bin/sh\necho '{json.dumps(told)}'\n")
    assert change.run(BoxLink(box), settings(wish, state="deleted", token="b" * 32)).failed == ""


@pytest.mark.parametrize("hold", [-1, 116])
def test_a_hold_that_cannot_be_kept_is_refused(unified: Box, hold: int) -> None:
    with pytest.raises(InputError, match="hold is"):
        change.run(BoxLink(unified), settings(ASN, hold=hold))
