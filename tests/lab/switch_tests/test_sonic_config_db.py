# SPDX-License-Identifier: Apache-2.0
"""A change of a running switch over SSH: what it writes, how it is proven, and that the switch comes back by itself."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.switches import Fabric

from .playing import LEAF, Stage, change, kill, pending, rows, settled, wait_for

_STATE = [
    "sh",
    "-c",
    "find /var/lib/scs-landscape /etc/sonic -type f -exec sha256sum {} + | sort; vtysh -c 'show running-config'",
]


@pytest.mark.accept("S2.8")
def test_check_mode_writes_nothing_and_the_run_does_what_it_said(pair: Fabric, stage: Stage) -> None:
    wish = {"NTP_SERVER": {"192.0.2.20": {}}, "PORT": {"Ethernet48": {"description": "to the spine"}}}
    task = change(wish)
    before = pair.machine(LEAF).run(_STATE).stdout
    with pair.monitor(LEAF) as seen:
        checked = stage.run(LEAF, task, arguments=("--check", "--diff"))
    assert checked.rc == 0, checked.output
    assert seen.writes == []
    assert len(seen.commands) > 50, "it was read over this very socket"
    assert pair.machine(LEAF).run(_STATE).stdout == before
    with pair.monitor(LEAF) as seen:
        done = stage.run(LEAF, task, arguments=("--diff",))
    assert done.rc == 0, done.output
    assert len(seen.writes) == 2
    assert done.only()["plan"] == checked.only()["plan"]
    assert done.only()["steps_done"] == len(done.only()["plan"]["steps"]) == 2
    assert pair.saved(LEAF)["NTP_SERVER"].keys() >= {"192.0.2.20"}
    with pair.monitor(LEAF) as seen:
        again = stage.run(LEAF, task)
    assert not again.only()["changed"]
    assert seen.writes == []


def _management(pair: Fabric, name: str) -> dict[str, Any]:
    """A change that takes our way in away."""
    table = pair.config_db(name).get("MGMT_INTERFACE", {})
    row: dict[str, Any] = next(iter(table.values()), {})
    return {"MGMT_INTERFACE": {"eth0|198.51.100.7/24": {**row, "gwaddr": "198.51.100.1"}}}


@pytest.mark.accept("S2.5")
def test_a_change_that_cuts_our_way_in_comes_back_by_itself(pair: Fabric, stage: Stage) -> None:
    before, saved = rows(pair, LEAF), pair.saved(LEAF)
    options = {"state": "overridden", "max_impact": "unreachable", "confirm_within": 30, "verify_timeout": 10}
    done = stage.run(LEAF, change(_management(pair, LEAF), **options))
    assert done.rc != 0
    result = done.only()
    assert result["steps_done"] >= 1 or "connection was lost" in result["msg"], result
    assert "brought itself back" in result["msg"], result
    assert result["rolled_back"]
    assert not result["changed"]
    settled(pair, LEAF, before, 10)
    assert pair.saved(LEAF) == saved
    assert stage.run(LEAF, change({"NTP_SERVER": {"192.0.2.20": {}}})).rc == 0, "the switch is as good as before"


@pytest.mark.accept("S2.5")
def test_with_the_controller_dead_it_comes_back_too(pair: Fabric, stage: Stage) -> None:
    before, saved = rows(pair, LEAF), pair.saved(LEAF)
    options = {"state": "overridden", "max_impact": "unreachable", "confirm_within": 20, "verify_timeout": 5}
    process = stage.start([LEAF], change(_management(pair, LEAF), **options))
    wait_for(lambda: rows(pair, LEAF) != before, 90, "nothing was written")
    began = time.monotonic()
    kill(process)
    settled(pair, LEAF, before, 20 + 60)
    assert time.monotonic() - began < 20 + 60
    assert pair.saved(LEAF) == saved


@pytest.mark.accept("S2.6")
def test_another_number_of_the_switch_is_proven_in_frr(pair: Fabric, stage: Stage) -> None:
    """SONiC's daemon ignores the change of an ASN while it runs: bgp is restarted, or the run fails."""
    own = pair.config_db(LEAF)["BGP_GLOBALS"]["default"]["local_asn"]
    other = str(int(own) + 7)
    wish = {"BGP_GLOBALS": {"default": {"local_asn": other}}}
    refused = stage.run(LEAF, change(wish))
    assert "Raise max_impact" in refused.only()["msg"]
    done = stage.run(LEAF, change(wish, max_impact="interrupted", verify_timeout=60))
    assert done.rc == 0, done.output
    assert done.only()["verify"]["restarted_bgp"]
    assert f"router bgp {other}" in pair.vtysh(LEAF, "show running-config")
    back = stage.run(LEAF, change({"BGP_GLOBALS": {"default": {"local_asn": own}}}, max_impact="interrupted"))
    assert back.rc == 0, back.output
    assert f"router bgp {own}" in pair.vtysh(LEAF, "show running-config")


@pytest.mark.accept("S2.9")
def test_secrets_are_in_no_output_and_no_log(pair: Fabric, stage: Stage) -> None:
    wish = {
        "SNMP_COMMUNITY": {"canary-snmp": {"TYPE": "RO"}},
        "SNMP_USER": {"watcher": {"SNMP_USER_TYPE": "Priv", "SNMP_USER_AUTH_PASSWORD": "canary-user"}},
        "TACPLUS_SERVER": {"192.0.2.77": {"passkey": "canary-tacacs", "priority": "1"}},
    }
    facts = {"scs.landscape.sonic_facts": {"gather": ["all"]}}
    verify = {"scs.landscape.sonic_verify": {"config": {"SNMP_COMMUNITY": {}}, "on_failure": "report"}}
    options = {"max_impact": "destroyed", "confirm_within": 60}
    done = stage.run(LEAF, change(wish, **options), facts, verify, arguments=("-vvv", "--diff"))
    assert done.rc == 0, done.output[-3000:]
    assert "canary" not in done.output.replace(json.dumps(str(stage.folder)), "")
    assert "canary" in rows(pair, LEAF)
    logs = (
        pair.machine(LEAF).run(["sh", "-c", "journalctl --no-pager -q; cat /var/log/*.log 2>/dev/null; ps axww"]).stdout
    )
    assert "canary" not in logs
    wrong = stage.run(LEAF, change({"SNMP_COMMUNITY": {"canary-snmp": "no row"}}), arguments=("-vvv",))
    assert wrong.rc != 0
    assert "canary" not in wrong.output
    gone = {"SNMP_COMMUNITY": {"canary-snmp": {}}, "SNMP_USER": {"watcher": {}}, "TACPLUS_SERVER": {"192.0.2.77": {}}}
    back = stage.run(LEAF, change(gone, state="deleted", max_impact="destroyed"), arguments=("-vvv",))
    assert back.rc == 0, back.output[-3000:]
    assert "canary" not in back.output
    others = (
        pair.machine(LEAF)
        .run(["sh", "-c", "find / -xdev -type f -not -perm 600 -path '*scs-landscape*'"], check=False)
        .stdout
    )
    assert [line for line in others.splitlines() if line.startswith("/var/lib") and "__pycache__" not in line] == []


def test_a_change_without_impact_resets_no_session(pair: Fabric, stage: Stage) -> None:
    def up() -> int:
        peer = pair.frr(LEAF, "show bgp summary")["ipv4Unicast"]["peers"]["Ethernet48"]
        return int(peer["connectionsEstablished"]) if peer["state"] == "Established" else -1

    wait_for(lambda: up() > 0, 60, "no session")
    before = up()
    done = stage.run(LEAF, change({"SYSLOG_SERVER": {"192.0.2.30": {}}, "PORT": {"Ethernet48": {"description": "x"}}}))
    assert done.rc == 0, done.output
    assert up() == before
    assert not pending(pair, LEAF)
