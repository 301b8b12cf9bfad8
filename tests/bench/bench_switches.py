# SPDX-License-Identifier: Apache-2.0
"""Running switches of the lab: an underlay beside SONiC's updater, 48 switches, a run without a change, a change nobody notices."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.hosts import EMBEDDED
from ansible_collections.scs.landscape.tests.lab.switch_tests import fabric_plays, playing
from ansible_collections.scs.landscape.tests.lab.switches import Fabric, renderer, routers
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS, lane
from ansible_collections.scs.landscape.tests.tools import yardstick
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import golden

pytestmark = pytest.mark.accept("S2.11")

#: A run without a change beside `ansible -m ping`: times it, and seconds more for each switch.
MAX_RATIO, MAX_MORE = 1.5, 0.3
#: Part of the seconds that SONiC's updater needs for a whole underlay: it sorts, and pauses for a second after each step.
PART, PAUSE = 1 / 5, 1.0
#: Switches at once, and the seconds of a run over them that changes one row on one of them.
MANY, MAX_MANY = 48, 180.0
#: The switches of a measured underlay, and a leaf of the landscape that many switches are like.
UNDERLAY, LEAF = ("leaf1", "leaf2", "spine1", "spine2"), "em01-leaf-r01-u38"
#: Pings go between these.
HOSTS = ("em01-ctl-r01-u03", "em01-ctl-r02-u03")
ROUNDS = 3

Config = dict[str, dict[str, dict[str, Any]]]


class Desk:
    """Where both sides are run from, with the same settings.

    :param forks: switches at a time.
    """

    def __init__(self, fabric: Fabric, folder: Path, root: Path, forks: int) -> None:
        self.fabric, self.folder, self.root, self.forks = fabric, folder, root, forks
        folder.mkdir(parents=True, exist_ok=True)

    def _run(self, *argv: str) -> tuple[float, str]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHONPATH"))}
        environ |= {
            "ANSIBLE_COLLECTIONS_PATH": str(self.root),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_FORKS": str(self.forks),
        }
        began = time.monotonic()
        done = subprocess.run(
            [str(PROGRAMS / argv[0]), "-i", str(self.fabric.inventory), *argv[1:]],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=600,
        )
        seconds = time.monotonic() - began
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        return seconds, done.stdout

    def ping(self) -> float:
        """Seconds that `ansible -m ping` takes over all switches."""
        seconds, said = self._run("ansible", ",".join(self.fabric.switches), "-m", "ping")
        assert said.count("SUCCESS") == len(self.fabric.switches)
        return seconds

    def bring(self, wanted: dict[str, Any], **options: Any) -> tuple[float, dict[str, dict[str, Any]]]:
        """Seconds of a play that brings switches to configurations, and what it returned for each.

        Work is measured: seconds between two looks at a switch are a wish of the operator, and SONiC's updater has none.
        """
        folder = self.folder / "wanted"
        folder.mkdir(exist_ok=True)
        for name, config in wanted.items():
            (folder / f"{name}.json").write_text(json.dumps(config, indent=4), encoding="utf-8")
        task = {"src": f"{folder}/{{{{ inventory_hostname }}}}.json", "state": "overridden", "hold": 0, **options}
        play = {"hosts": list(wanted), "gather_facts": False, "become": True}
        file = self.folder / "play.json"
        file.write_text(json.dumps([{**play, "tasks": [{"scs.landscape.sonic_config_db": task}]}]), encoding="utf-8")
        seconds, said = self._run("ansible-playbook", "-v", str(file))
        found = playing._results(said)
        assert set(found) == set(wanted), said[-4000:]
        return seconds, {name: one for name, (one,) in found.items()}


@pytest.fixture
def one(tmp_path: Path, collections_root: Path) -> Iterator[Desk]:
    """A switch without a cable."""
    found = Fabric.plain(lane("bench-one"), 1)
    found.sonic = "202605"
    found.down()
    try:
        found.up()
        yield Desk(found, tmp_path, collections_root, 1)
    finally:
        found.down()


def measured(switch: str) -> tuple[float, int, Config]:
    """Seconds that SONiC's updater sorted for a switch, its steps, and where they lead; but for the lab's own way in."""
    folder = golden.shared("golden", "fabrics", "a-underlay", switch)
    known = json.loads((folder / "gcu_steps.json").read_text(encoding="utf-8"))
    config = json.loads((folder / "config_db.json").read_text(encoding="utf-8"))
    return (
        known["seconds"],
        len(known["steps"]),
        {name: rows for name, rows in config.items() if name != "MGMT_INTERFACE"},
    )


def test_an_underlay_takes_a_fifth_of_what_the_updater_needs(one: Desk) -> None:
    """From a switch that knows its ports to one that routes: read, planned, written, proven in FRR and saved."""
    (name,), ratios, paces = one.fabric.switches, [], [yardstick.pace()]
    print("\na whole underlay on a bare switch:")
    for switch in UNDERLAY:
        sorting, steps, wanted = measured(switch)
        one.fabric.reload(name, {table: rows for table, rows in wanted.items() if table in renderer.BARE})
        one.fabric.settle(name)
        seconds, results = one.bring({name: wanted}, max_impact="interrupted")
        result = results[name]
        assert result["saved"], result
        assert one.fabric.saved(name).keys() >= {"BGP_NEIGHBOR", "BGP_PEER_GROUP", "ROUTE_MAP"}
        mine, theirs = result["seconds"]["all"], sorting + PAUSE * steps
        ratios.append(mine / theirs)
        paces.append(yardstick.pace())
        print(f"  {switch}: {result['steps_done']} rows in {mine:.2f} s, the play with Ansible's start {seconds:.2f} s")
        print(f"    the updater: {steps} steps in {theirs:.1f} s; ratio {ratios[-1]:.3f}")
    # The updater was measured on an idle machine, and not in this run.
    allowed = PART * max(1.0, statistics.median(paces))
    print(
        f"  ratio, the middle one of {len(ratios)}: {statistics.median(ratios):.3f} (limit {PART:.2f}, here {allowed:.2f})"
    )
    assert statistics.median(ratios) <= allowed


@pytest.fixture
def many(tmp_path: Path, collections_root: Path) -> Iterator[Desk]:
    """Switches without cables, each with the rows of a leaf."""
    found = Fabric.plain(lane("bench-many"), MANY)
    (config,) = renderer.configs(EMBEDDED, [LEAF], found.sonic).values()
    del config["MGMT_INTERFACE"]  # each keeps the address that the lab gave it
    told = config["DEVICE_METADATA"]["localhost"]
    own = {name: {"DEVICE_METADATA": {"localhost": {**told, "hostname": name}}} for name in found.switches}
    found = Fabric.plain(lane("bench-many"), MANY, {name: {**config, **rows} for name, rows in own.items()})
    found.down()
    try:
        began = time.monotonic()
        memory = [machine["memory_mib"] for machine in found.up()["machines"].values()]
        print(f"\n{MANY} switches are up after {time.monotonic() - began:.0f} s, {max(memory):.0f} MiB each at most")
        yield Desk(found, tmp_path, collections_root, MANY // 3)
    finally:
        found.down()


def test_a_row_of_one_switch_among_many(many: Desk) -> None:
    """All are compared with what they should be as a whole; nobody said which of them differs."""
    fabric, odd = many.fabric, many.fabric.switches[MANY // 2]
    wanted = {name: json.loads(json.dumps(fabric.configs[name])) for name in fabric.switches}
    wanted[odd]["PORT"]["Ethernet0"]["description"] = "told by the bench"
    seconds, results = many.bring(wanted)
    changed = {name: result["steps_done"] for name, result in results.items() if result["changed"]}
    again, results = many.bring(wanted)
    print(f"  one row of one of them: {seconds:.1f} s, {seconds / MANY:.2f} s for each (limit {MAX_MANY:.0f} s)")
    print(f"  nothing to change: {again:.1f} s; {many.forks} at a time; ratio {seconds / MAX_MANY:.2f}")
    assert changed == {odd: 1}
    assert not any(result["changed"] for result in results.values())
    assert fabric.config_db(odd)["PORT"]["Ethernet0"]["description"] == "told by the bench"
    assert seconds <= MAX_MANY


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    """All switches of examples/embedded with two hosts that route."""
    found = Fabric(lane("bench-switches"), hosts=HOSTS)
    found.down()
    try:
        found.up()
        routers.start(found)
        yield found
    finally:
        found.down()


@pytest.fixture(scope="module")
def desk(fabric: Fabric, tmp_path_factory: pytest.TempPathFactory, collections_root: Path) -> Desk:
    return Desk(fabric, tmp_path_factory.mktemp("switches"), collections_root, len(fabric.switches))


def test_a_run_that_changes_nothing(desk: Desk) -> None:
    """Side by side, in turns, in one run; connections are warm for both."""
    fabric = desk.fabric
    wanted = {name: fabric.configs[name] for name in fabric.switches}
    desk.bring(wanted)
    ours, theirs = [], []
    for _turn in range(ROUNDS):
        theirs.append(desk.ping())
        with contextlib.ExitStack() as watching:
            seen = [watching.enter_context(fabric.monitor(name)) for name in fabric.switches]
            seconds, results = desk.bring(wanted)
        assert [one.writes for one in seen] == [[]] * len(wanted)
        assert not any(result["changed"] for result in results.values())
        ours.append(seconds)
    mine, other = statistics.median(ours), statistics.median(theirs)
    limit = MAX_RATIO * other + MAX_MORE * len(wanted)
    print(f"\nnothing to change, {len(wanted)} switches, the middle one of {ROUNDS} turns:")
    print(f"  sonic_config_db {mine:.2f} s, ansible -m ping {other:.2f} s, ratio {mine / other:.2f}")
    print(f"  limit {limit:.2f} s ({MAX_RATIO} x ping + {MAX_MORE} s for each), ratio to it {mine / limit:.2f}")
    assert mine <= limit


def sessions(fabric: Fabric) -> dict[tuple[str, str], tuple[int, float]]:
    """How often each BGP session was established, and when; for each of its ends on a switch."""
    return {
        (name, peer): (facts["connectionsEstablished"], facts["peerUptimeEstablishedEpoch"])
        for name in fabric.switches
        for peer, facts in fabric.frr(name, "show bgp ipv4 unicast summary")["peers"].items()
        if facts["state"] == "Established"
    }


def test_a_change_without_impact_on_sessions_is_not_noticed(desk: Desk) -> None:
    """On all switches at once, which no rollout would do; pings every 20 ms meanwhile."""
    fabric = desk.fabric
    before = sessions(fabric)
    more = {
        "SYSLOG_SERVER": {"192.0.2.30": {}},
        "NTP_SERVER": {"192.0.2.20": {}},
        "VLAN": {"Vlan3999": {"vlanid": "3999"}},
    }
    ports = {name: next(peer for one, peer in before if one == name) for name in fabric.switches}
    wanted = {name: {**more, "PORT": {port: {"description": "told by the bench"}}} for name, port in ports.items()}
    with fabric_plays.pinging(fabric, HOSTS) as counted:
        seconds, results = desk.bring(wanted, state="merged")
    after = sessions(fabric)
    reset = [end for end, (count, when) in before.items() if end not in after or after[end][0] != count]
    # FRR counts the seconds of a session, and takes them off the clock's
    younger = [end for end, (_count, when) in before.items() if end not in reset and after[end][1] > when + 2]
    lost = sum(sent - answered for sent, answered in counted.values())
    print(f"\nfour rows on each of {len(wanted)} switches at once, one of them of a fabric port, in {seconds:.1f} s:")
    print(f"  {lost} of {sum(sent for sent, _answered in counted.values())} pings lost (limit 0)")
    print(f"  {len(reset) + len(younger)} of {len(before)} ends of BGP sessions reset (limit 0)")
    assert {result["steps_done"] for result in results.values()} == {4}
    assert len(before) >= 16
    assert all(sent > 50 for sent, _answered in counted.values()), counted
    assert lost == 0, counted
    assert (reset, younger) == ([], [])
