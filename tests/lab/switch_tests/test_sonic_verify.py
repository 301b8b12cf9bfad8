# SPDX-License-Identifier: Apache-2.0
"""sonic_verify, sonic_facts and sonic_checkpoint against switches of the lab over SSH."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.scs.landscape.tests.lab.hosts import EMBEDDED
from ansible_collections.scs.landscape.tests.lab.switches import Fabric

from .playing import LEAF, SPINE, Stage, change, rows, wait_for


def verify(**options: Any) -> dict[str, Any]:
    """A task that only tells."""
    return {"scs.landscape.sonic_verify": {"on_failure": "report", **options}}


def test_two_of_eleven_switches_are_what_is_missing_around_them(pair: Fabric, stage: Stage) -> None:
    checks = ["config", "saved", "frr", "fixups", "evpn", "lldp", "kernel", "errors"]
    wait_for(lambda: "Ethernet48" in pair.machine(LEAF).run(["lldpctl"]).stdout, 60, "nobody is heard")
    done = stage.run(LEAF, verify(landscape=[str(EMBEDDED)], checks=checks))
    faults = done.only()["failures"]
    assert [(one["check"], one["local"]) for one in faults] == [("lldp", "Ethernet52 (hundredGigE50)")], faults
    strict = stage.run(LEAF, verify(landscape=[str(EMBEDDED)], on_failure="fail"))
    assert strict.rc != 0
    assert "session of Ethernet52 in default: expected Established" in strict.only()["msg"]
    assert stage.run(LEAF, verify(cables=[{"port": "Ethernet48", "system": SPINE}], checks=["lldp"])).only()["ok"]
    swapped = stage.run(LEAF, verify(cables=[{"port": "Ethernet48", "system": "other"}], checks=["lldp"])).only()
    assert swapped["failures"][0]["got"].startswith(SPINE)


def test_errors_are_those_that_the_chip_counts(pair: Fabric, stage: Stage) -> None:
    """There is no chip here: what syncd would write is written for it."""
    without = stage.run(LEAF, verify(checks=["errors"])).only()
    assert without["ok"]
    assert list(without["unjudged"]) == ["errors"]
    pair.database(LEAF, "HSET", "COUNTERS_PORT_NAME_MAP", "Ethernet48", "oid:0x1000000000001", number=2)
    pair.database(LEAF, "HSET", "COUNTERS:oid:0x1000000000001", "SAI_PORT_STAT_IF_IN_ERRORS", "7", number=2)
    try:
        found = stage.run(LEAF, verify(checks=["errors"])).only()
        enough = stage.run(LEAF, verify(checks=["errors"], max_errors=7)).only()
    finally:
        pair.database(LEAF, "DEL", "COUNTERS_PORT_NAME_MAP", "COUNTERS:oid:0x1000000000001", number=2)
    assert [(one["check"], one["local"], one["got"]) for one in found["failures"]] == [("errors", "Ethernet48", "7")]
    assert (enough["ok"], enough["unjudged"]) == (True, {})


def test_drift_of_three_sources_is_told_apart(pair: Fabric, stage: Stage) -> None:
    wanted = {"NTP_SERVER": {}, **pair.config_db(LEAF)}
    before = rows(pair, LEAF)
    task = verify(config=wanted, checks=["config", "saved", "frr"])
    assert stage.run(LEAF, task).only()["ok"]
    pair.database(LEAF, "HSET", "NTP_SERVER|192.0.2.66", "NULL", "NULL")
    pair.vtysh(LEAF, "configure terminal", "ip prefix-list BY_HAND seq 5 permit 198.51.100.0/24")
    machine = pair.machine(LEAF)
    saved = pair.saved(LEAF)
    saved["SYSLOG_SERVER"] = {"192.0.2.67": {}}
    machine.run(["sh", "-c", "cat >/etc/sonic/config_db.json"], input=json.dumps(saved))
    try:
        faults = stage.run(LEAF, task).only()["failures"]
    finally:
        pair.database(LEAF, "DEL", "NTP_SERVER|192.0.2.66")
        pair.vtysh(LEAF, "configure terminal", "no ip prefix-list BY_HAND")
        machine.run(["config", "save", "-y"])
    assert [one["check"] for one in faults] == ["config", "saved", "saved", "frr"], faults
    assert faults[0]["local"] == "NTP_SERVER|192.0.2.66"
    assert {one["local"] for one in faults[1:3]} == {"NTP_SERVER|192.0.2.66", "SYSLOG_SERVER|192.0.2.67"}
    assert "BY_HAND" in faults[3]["got"]
    assert rows(pair, LEAF) == before
    assert stage.run(LEAF, task).only()["ok"]


def test_a_checkpoint_is_the_way_back(pair: Fabric, stage: Stage) -> None:
    keep = {"scs.landscape.sonic_checkpoint": {"name": "before"}}
    assert stage.run(LEAF, keep).only()["changed"]
    assert not stage.run(LEAF, keep).only()["changed"]
    before = rows(pair, LEAF)
    wish = {"PREFIX_SET": {"NEW": {"mode": "IPv4"}}, "PREFIX": {"NEW|10|198.51.100.0/24|exact": {"action": "permit"}}}
    done = stage.run(LEAF, change({**wish, "PORT": {"Ethernet48": {"description": "changed"}}}))
    assert done.rc == 0, done.output
    assert "prefix-list NEW" in pair.vtysh(LEAF, "show running-config")
    back = {"scs.landscape.sonic_checkpoint": {"name": "before", "state": "rolled_back"}}
    checked = stage.run(LEAF, back, arguments=("--check",))
    done = stage.run(LEAF, back)
    assert done.rc == 0, done.output
    assert done.only()["plan"] == checked.only()["plan"]
    assert rows(pair, LEAF) == before
    assert "prefix-list NEW" not in pair.vtysh(LEAF, "show running-config")
    assert not stage.run(LEAF, back).only()["changed"]
    absent = stage.run(LEAF, {"scs.landscape.sonic_checkpoint": {"name": "before", "state": "absent"}})
    assert "before" not in [one["name"] for one in absent.only()["checkpoints"]]


def test_facts_of_a_switch(pair: Fabric, stage: Stage) -> None:
    told = stage.run(LEAF, {"scs.landscape.sonic_facts": {"gather": ["all"]}}).only()["switch"]
    assert told["hostname"] == LEAF
    assert told["release"] == "202505"
    assert told["dialect"] == "unified"
    assert told["saved_equals_running"]
    assert told["ports"]["Ethernet48"]["oper"] == "up"
    assert told["lldp"]["Ethernet48"]["system"] == SPINE
    assert {"vrf": "default", "neighbor": "Ethernet48", "state": "Established"} in told["bgp"]
    assert told["services"]["bgp"] == "active"
    assert any("router bgp" in line for line in told["frr"])
