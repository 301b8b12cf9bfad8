# SPDX-License-Identifier: Apache-2.0
"""The playbooks of the fabric on two spines, four leaves and six hosts: from bare switches to hosts that reach each other."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.switch_tests.fabric_plays import (
    Bridge,
    changed_landscape,
    done_by,
    established,
    loopbacks,
    pinging,
)
from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.tests.deploying import Done, Running, lane, limit

LEAVES = [("em01-leaf-r01-u38", "em01-leaf-r01-u39"), ("em01-leaf-r02-u38", "em01-leaf-r02-u39")]
SPINES = ("em01-spine-r01-u41", "em01-spine-r02-u41")
LEAF = LEAVES[0][0]
CHANGE = "Bring the switch to the landscape"
BACK = "Bring the switch back to the checkpoint"
#: What a rolling change is tried with: every switch gets it, FRR follows, and no session has to end for it.
ROWS = {
    "BGP_PEER_GROUP": {"default|fabric": {"keepalive": "4", "holdtime": "12"}},
    "SYSLOG_SERVER": {"10.20.0.9": {}},
}
#: Without the hosts' own routers, which take as long as everything else.
QUICK = {"fabric_deploy_frr_host": False}


@pytest.fixture(scope="module")
def bare() -> Iterator[Fabric]:
    """Switches that nobody configured, and hosts that do not route."""
    found = Fabric(lane("plays"), hosts="all", bare=True)
    found.down()
    found.up()
    yield found
    found.down()


@pytest.fixture(scope="module")
def bridge(bare: Fabric, tmp_path_factory: pytest.TempPathFactory, collections_root: Path) -> Bridge:
    return Bridge(bare, tmp_path_factory.mktemp("bridge"), collections_root)


@pytest.fixture(scope="module")
def first(bridge: Bridge) -> Done:
    """The first deploy."""
    return bridge.run("fabric_deploy")


@pytest.fixture(scope="module")
def deployed(bare: Fabric, first: Done) -> Fabric:
    assert first.rc == 0, first.output[-6000:]
    return bare


@pytest.mark.accept("S2.2")
def test_from_bare_switches_to_hosts_that_reach_each_other(deployed):
    for name in (*deployed.switches, *deployed.hosts):
        states = established(deployed, name)
        wanted = {"spine": 4, "leaf-": 6 if "r01" in name else 4}.get(name[5:10], 2)
        assert list(states.values()) == ["Established"] * wanted, (name, states)
    for name in ("em01-ctl-r01-u03", "em01-ctl-r02-u03"):
        for target in loopbacks(deployed).values():
            deployed.machine(name).run(["ping", "-c", "3", "-i", "0.2", "-W", "2", target])
    # over both spines from a leaf, over both leaves from a host
    far = loopbacks(deployed)["em01-ctl-r02-u03"]
    for name in (LEAF, "em01-ctl-r01-u03"):
        (route,) = deployed.frr(name, f"show ip route {far}/32")[f"{far}/32"]
        assert sum(1 for hop in route["nexthops"] if hop.get("fib")) == 2


@pytest.mark.accept("S2.2")
def test_a_host_announces_its_loopback_and_nothing_else(deployed):
    mine = loopbacks(deployed)["em01-ctl-r01-u03"]
    told = deployed.frr(LEAF, "show bgp ipv4 unicast neighbors Ethernet1 routes")["routes"]
    assert list(told) == [f"{mine}/32"]
    chosen = deployed.machine("em01-ctl-r01-u03").run(["ip", "route", "get", loopbacks(deployed)["em01-ctl-r02-u03"]])
    assert f"src {mine}" in chosen.stdout


def test_a_second_run_changes_nothing(deployed, bridge):
    with contextlib.ExitStack() as watching:
        seen = [watching.enter_context(deployed.monitor(name)) for name in deployed.switches]
        done = bridge.run("fabric_deploy")
    assert done.rc == 0, done.output[-6000:]
    assert done.changed() == {}
    assert [one.writes for one in seen] == [[]] * 6


def test_verify_finds_nothing_wrong(deployed, bridge):
    done = bridge.run("fabric_verify")
    assert done.rc == 0, done.output[-6000:]
    assert bridge.report()["facts"]["Machines"] == "12 of 12 well"


@pytest.mark.accept("S2.4")
@pytest.mark.accept("S2.8")
def test_a_change_goes_through_the_fabric_and_no_host_notices(deployed, bridge, tmp_path):
    target = bridge.meaning(changed_landscape(bridge.landscape, tmp_path / "landscape", ROWS, ["leaf", "spine"]))
    before = {name: deployed.config_db(name) for name in deployed.switches}
    with contextlib.ExitStack() as watching:
        seen = [watching.enter_context(deployed.monitor(name)) for name in deployed.switches]
        looked = target.run("fabric_deploy", "--check", "--diff", variables=QUICK)
    assert looked.rc == 0, looked.output[-6000:]
    assert [one.writes for one in seen] == [[]] * 6
    with pinging(deployed, ["em01-ctl-r01-u03", "em01-comp-r02-u04"]) as counted:
        done = target.run("fabric_deploy", variables=QUICK)
    assert done.rc == 0, done.output[-6000:]
    plans = {name: found for name, found in looked.plans().items() if name in deployed.switches}
    assert set(plans) == set(deployed.switches)
    assert plans == {name: found for name, found in done.plans().items() if name in deployed.switches}
    assert [pair for pair, (sent, answered) in counted.items() if sent < 100 or answered < sent] == [], counted
    order = done_by(done, CHANGE)
    assert set(order) == set(deployed.switches)
    assert set(order[:4]) == {name for leaves in LEAVES for name in leaves}, "leaves before spines"
    waves = next(result["waves"] for _task, _host, result in done.results() if result.get("waves"))
    for group in (*LEAVES, SPINES):
        assert all(len(set(wave["switches"]) & set(group)) < 2 for wave in waves), waves
    for name in deployed.switches:
        assert "timers 4 12" in deployed.vtysh(name, "show running-config")
    _rolled_back(deployed, bridge, before)


def _rolled_back(deployed: Fabric, bridge: Bridge, before: dict[str, object]) -> None:
    """By the checkpoint of the run, in waves again."""
    run = (bridge.reports / "latest").resolve().name
    done = bridge.run("fabric_rollback", variables={"fabric_rollback_to": run.replace("_", "-")})
    assert done.rc == 0, done.output[-6000:]
    assert len(done_by(done, BACK)) == 6
    asked = [result for task, _host, result in done.results() if task.endswith("Wait until the fabric is well")]
    gates = [result for result in asked if "state" in result]  # hosts skip it
    assert len(gates) == 6 * len(
        next(result["waves"] for _task, _host, result in done.results() if result.get("waves"))
    )
    leaves = [result["state"]["widths"] for result in gates if result["state"]["widths"]]
    assert leaves, "the width of ECMP is judged on the way back, too"
    assert all(set(widths.values()) == {len(SPINES)} for widths in leaves), leaves
    assert {name: deployed.config_db(name) for name in deployed.switches} == before
    # One that had the checkpoint and lost it: the others do not go back alone, neither does anybody to one that is nowhere.
    name = run.replace("_", "-")
    deployed.machine(LEAF).run(["sh", "-c", f"rm -r /var/lib/scs-landscape/checkpoints/{name}*"])
    for back_to, words in ((name, f"{LEAF} had the checkpoint"), (f"{name}x", "no switch has the checkpoint")):
        refused = bridge.run("fabric_rollback", variables={"fabric_rollback_to": back_to})
        assert refused.rc != 0
        assert f"Nothing was changed: {words}" in refused.output, refused.output[-4000:]
        assert done_by(refused, BACK) == []


@pytest.mark.accept("S2.4")
def test_a_switch_that_does_not_come_back_stops_the_change(deployed, bridge, tmp_path):
    target = bridge.meaning(changed_landscape(bridge.landscape, tmp_path / "landscape", ROWS, ["leaf", "spine"]))
    before = {name: deployed.config_db(name) for name in deployed.switches}
    shut = "neighbor Ethernet0 shutdown"
    with target.start("fabric_deploy", variables={**QUICK, "fabric_config_gate_timeout": 8}) as running:
        _await(running, "fabric_config : Keep what was done")  # the first leaf is done: a spine gives it up
        deployed.vtysh(SPINES[0], "configure terminal", "router bgp 4210002120", shut)
        done = running.wait(900.0)
    deployed.vtysh(SPINES[0], "configure terminal", "router bgp 4210002120", f"no {shut}")
    assert done.rc != 0
    changed = done_by(done, CHANGE)
    assert changed in ([LEAF], [LEAF, LEAVES[1][0]]), "that wave, or the one whose gate saw it"
    assert "does not let the change go on" in done.output
    assert "was not touched, because the change stopped at" in done.output
    for name in set(deployed.switches) - set(changed):
        assert deployed.config_db(name) == before[name]
    mended = bridge.run("fabric_deploy", variables=QUICK)
    assert mended.rc == 0, mended.output[-6000:]
    deployed.database(LEAF, "DEL", "SYSLOG_SERVER|10.20.0.9")  # the landscape does not speak of services: theirs stay
    deployed.database(LEAVES[1][0], "DEL", "SYSLOG_SERVER|10.20.0.9")
    for name in changed:
        deployed.machine(name).run(["config", "save", "-y"])
    assert {name: deployed.config_db(name) for name in deployed.switches} == before


def _await(running: Running, words: str, seconds: float = 420.0) -> None:
    end = time.monotonic() + seconds
    while words not in running.output:
        assert time.monotonic() < end, running.output[-4000:]
        assert running.process.poll() is None, running.output[-4000:]
        time.sleep(0.1)


def test_drift_has_three_sources_and_each_is_named(deployed, bridge):
    (row, frr), (saved, clean) = LEAVES
    deployed.write(row, [("PORT", "Ethernet20", {"description": "by hand"})])
    deployed.machine(row).run(["config", "save", "-y"])
    deployed.vtysh(frr, "configure terminal", "ip prefix-list BY_HAND seq 5 permit 192.0.2.0/24")
    script = "import json; p='/etc/sonic/config_db.json'; d=json.load(open(p)); d['SYSLOG_SERVER']={'10.20.0.7': {}}; json.dump(d, open(p,'w'))"
    deployed.machine(saved).run(["python3", "-c", script])
    done = bridge.run("fabric_drift", *limit(row, frr, saved, clean))
    assert done.rc != 0
    found = {
        host: [(one["check"], one["local"]) for one in result["failures"]]
        for _task, host, result in done.results()
        if "failures" in result
    }
    assert found[clean] == []
    assert found[row] == [("config", "PORT|Ethernet20")]
    assert [check for check, _local in found[frr]] == ["frr"]
    assert found[saved] == [("saved", "SYSLOG_SERVER|10.20.0.7")]
    deployed.vtysh(frr, "configure terminal", "no ip prefix-list BY_HAND")
    deployed.machine(saved).run(["config", "save", "-y"])
    deployed.database(row, "HDEL", "PORT|Ethernet20", "description")
    deployed.machine(row).run(["config", "save", "-y"])
    again = bridge.run("fabric_drift", *limit(row, frr, saved, clean))
    assert again.rc == 0, again.output[-4000:]


@pytest.mark.accept("S2.9")
def test_a_backup_is_the_same_twice_and_holds_no_secret(deployed, bridge):
    deployed.write(LEAF, [("SNMP_COMMUNITY", "canary-in-a-cage", {"TYPE": "RO"})])
    folder = bridge.folder / "backups"
    done = bridge.run("fabric_backup", *limit(LEAF, SPINES[0]), variables={"fabric_archive_dest": str(folder)})
    assert done.rc == 0, done.output[-4000:]
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(kept) == {f"{name}{end}" for name in (LEAF, SPINES[0]) for end in (".json", ".frr.conf")}
    assert b"router bgp 4210002111" in kept[f"{LEAF}.frr.conf"]
    assert json.loads(kept[f"{LEAF}.json"])["BGP_GLOBALS"]["default"]["local_asn"] == "4210002111"
    again = bridge.run("fabric_backup", *limit(LEAF, SPINES[0]), variables={"fabric_archive_dest": str(folder)})
    deployed.database(LEAF, "DEL", "SNMP_COMMUNITY|canary-in-a-cage")
    assert again.changed() == {}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept
    assert all(b"canary-in-a-cage" not in text for text in kept.values())
    assert "canary-in-a-cage" not in done.output + again.output
