# SPDX-License-Identifier: Apache-2.0
"""What the switch is asked: no more than is needed, and never without end."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import verify
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import client, facts

from .switchbox import Box

HOP = {"active": True, "fib": True, "ip": "10.9.9.9", "interfaceName": "Ethernet0", "weight": 1}
THERE = {f"10.0.0.{number}/32": 2 for number in range(1, 200)}


class Frr:
    """Routes to single prefixes, in the way of a version of FRR.

    :param ends: whether vtysh ends at a prefix that is not there; ``silent`` prints nothing for it.
    """

    def __init__(self, *, ends: bool = False, silent: bool = False) -> None:
        self.ends, self.silent = ends, silent
        self.calls: list[list[str]] = []

    def run(self, argv: Sequence[str], _seconds: float = 0.0) -> tuple[int, str, str]:
        self.calls.append(list(argv))
        out = ""
        for command in argv[2::2]:
            (prefix,) = re.fullmatch(r"show ip(?:v6)? route (\S+) json", command).groups()  # type: ignore[union-attr]
            if prefix not in THERE:
                out += "" if self.silent else "{}\n"
                if self.ends:
                    return 1, out, ""
                continue
            routes: list[dict[str, Any]] = [{"protocol": "bgp", "nexthops": [HOP]}]
            routes.append({"protocol": "bgp", "selected": True, "nexthops": [HOP, HOP, {"ip": "10.9.9.8"}]})
            out += json.dumps({prefix: routes}, indent=2) + "\n"
        return 0, out, ""


@pytest.mark.parametrize(
    ("ends", "silent"), [(False, False), (True, False), (True, True)], ids=["goes on", "ends", "ends without a word"]
)
def test_only_the_routes_that_are_asked_for_travel(monkeypatch: pytest.MonkeyPatch, ends: bool, silent: bool) -> None:
    frr = Frr(ends=ends, silent=silent)
    monkeypatch.setattr(client, "run", frr.run)
    lacking = ["10.0.1.1/32", "10.0.1.2/32", "fd00::1/128"]
    prefixes = [lacking[0], *list(THERE)[:100], *lacking[1:], *list(THERE)[100:]]
    (item,) = verify.include(["ecmp"], prefixes)
    found = facts.look([item])["routes"]
    assert verify.widths_of(found) == THERE
    assert found["10.0.0.1/32"] == [{"selected": True, "nexthops": found["10.0.0.1/32"][0]["nexthops"]}]
    assert "interfaceName" not in json.dumps(found)
    assert len(frr.calls) <= 4 + (len(lacking) if ends else 0)
    assert max(map(len, frr.calls)) < 200, "no line of arguments is too long"


def test_no_prefix_no_question() -> None:
    assert verify.include(verify.CHECKS) == ["addresses", "bgp", "counters", "evpn", "frr", "lldp"]
    assert verify.include(["ecmp"], ["10.0.0.2/32", "10.0.0.1/32"]) == ["routes 10.0.0.1/32 10.0.0.2/32"]
    assert verify.include(["bgp"], ["10.0.0.2/32"]) == ["bgp"]


def test_a_dead_frr_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def dead(argv: Sequence[str], _seconds: float) -> tuple[int, str, str]:
        calls.append(argv)
        return 1, "", "failed to connect to any daemons."

    monkeypatch.setattr(client, "run", dead)
    found = facts.look([" ".join(["routes", *THERE])])["routes"]
    assert found == {"error": "failed to connect to any daemons."}
    assert verify.widths_of(found) == {}
    assert len(calls) < 20


def test_errors_are_those_of_the_chip(box: Box) -> None:
    """What the kernel counts besides is of the CPU's packets, and hides nothing."""
    counters = {
        "SAI_PORT_STAT_IF_IN_ERRORS": "40",
        "SAI_PORT_STAT_IF_OUT_ERRORS": "2",
        "SAI_PORT_STAT_IF_IN_OCTETS": "9",
    }
    with client.database(2) as redis:
        redis.call(
            "HSET", "COUNTERS_PORT_NAME_MAP", "Ethernet0", "oid:0x1", "Ethernet4", "oid:0x2", "Ethernet8", "oid:0x3"
        )
        redis.call("HSET", "COUNTERS:oid:0x1", *(word for pair in counters.items() for word in pair))
        redis.call("HSET", "COUNTERS:oid:0x2", "SAI_PORT_STAT_IF_IN_ERRORS", "N/A", "SAI_PORT_STAT_IF_OUT_ERRORS", "0")
    assert facts.look(["counters"]) == {"counters": {"source": "chip", "ports": {"Ethernet0": 42, "Ethernet4": 0}}}


@pytest.mark.parametrize("mapped", [False, True], ids=["no map", "a map and nothing counted"])
def test_without_counters_of_the_chip_the_kernel_is_asked(
    box: Box, monkeypatch: pytest.MonkeyPatch, mapped: bool
) -> None:
    links = [{"ifname": "Ethernet0", "stats64": {"rx": {"errors": 3}, "tx": {"errors": 1}}}, {"ifname": "lo"}]
    if mapped:
        with client.database(2) as redis:
            redis.call("HSET", "COUNTERS_PORT_NAME_MAP", "Ethernet0", "oid:0x1")
    monkeypatch.setattr(client, "run", lambda *_argv: (0, json.dumps(links), ""))
    assert facts.look(["counters"])["counters"] == {"source": "kernel", "ports": {"Ethernet0": 4, "lo": 0}}
    monkeypatch.setattr(client, "run", lambda *_argv: (1, "", "gone"))
    assert facts.look(["counters"])["counters"] == {"source": "kernel", "ports": {}}
