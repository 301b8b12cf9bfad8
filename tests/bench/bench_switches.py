# SPDX-License-Identifier: Apache-2.0
"""Running switches of the lab: what a run without a change costs, a whole underlay beside SONiC's updater, a change nobody notices."""

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

from ansible_collections.scs.landscape.tests.lab.switch_tests import fabric_plays, golden, playing
from ansible_collections.scs.landscape.tests.lab.switches import Fabric, routers
from ansible_collections.scs.landscape.tests.lab.switches.renderer import BARE
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS, lane

#: S2.11: a run without a change beside `ansible -m ping`: times it, and seconds more for each switch.
MAX_RATIO, MAX_MORE = 1.5, 0.3
#: S2.11: part of the seconds that SONiC's updater needs, which pauses for one second after each step.
PART, PAUSE = 5.0, 1.0
#: Research, (c)23: switches, and seconds a run over them may take of which one changes one row.
MANY, MAX_MANY = 48, 180.0
ROUNDS = 3
UNDERLAY = "a-underlay"
HOSTS = ("em01-ctl-r01-u03", "em01-ctl-r02-u03")


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
        """Seconds of a play that brings switches to configurations, and what it returned for each."""
        folder = self.folder / "wanted"
        folder.mkdir(exist_ok=True)
        for name, config in wanted.items():
            (folder / f"{name}.json").write_text(json.dumps(config, indent=4), encoding="utf-8")
        task = {"src": f"{folder}/{{{{ inventory_hostname }}}}.json", "state": "overridden", **options}
        play = {"hosts": list(wanted), "gather_facts": False, "become": True}
        file = self.folder / "play.json"
        file.write_text(json.dumps([{**play, "tasks": [{"scs.landscape.sonic_config_db": task}]}]), encoding="utf-8")
        seconds, said = self._run("ansible-playbook", "-v", str(file))
        found = playing._results(said)
        assert set(found) == set(wanted), said[-4000:]
        return seconds, {name: one for name, (one,) in found.items()}


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


@pytest.mark.accept("S2.11")
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
    print(f"\nsonic_config_db, nothing to change, {len(wanted)} switches: {mine:.2f} s ({ours})")
    print(f"  ansible -m ping {other:.2f} s ({theirs})")
    print(f"  limit {limit:.2f} s, ratio to it {mine / limit:.2f}")
    assert mine <= limit


def uptimes(fabric: Fabric) -> dict[tuple[str, str], tuple[int, int]]:
    """When each BGP session was established, and how often."""
    return {
        (name, peer): (facts["peerUptimeEstablishedEpoch"], facts["connectionsEstablished"])
        for name in fabric.switches
        for peer, facts in fabric.frr(name, "show bgp ipv4 unicast summary")["peers"].items()
        if facts["state"] == "Established"
    }


@pytest.mark.accept("S2.11")
def test_a_change_without_impact_on_sessions_is_not_noticed(desk: Desk) -> None:
    fabric = desk.fabric
    before = uptimes(fabric)
    more = {"SYSLOG_SERVER": {"192.0.2.30": {}}, "NTP_SERVER": {"192.0.2.20": {}}, "VLAN": {"Vlan3999": {"vlanid": "3999"}}}
    wanted = {}
    for name in fabric.switches:
        (port, row), *_others = fabric.configs[name]["PORT"].items()
        wanted[name] = {**more, "PORT": {port: {**row, "description": "told by the bench"}}}
    with fabric_plays.pinging(fabric, HOSTS[:1]) as counted:
        seconds, results = desk.bring(wanted, state="merged")
    assert all(result["steps_done"] == 4 for result in results.values()), results
    ((sent, answered),) = [found for pair, found in counted.items()]
    print(f"\n4 rows on each of {len(wanted)} switches at once, {seconds:.1f} s: {sent - answered} of {sent} pings lost")
    print(f"  {len(before)} ends of sessions, {len(set(before.items()) - set(uptimes(fabric).items()))} of them reset")
    assert sent > 50
    assert answered == sent
    assert uptimes(fabric) == before


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, collections_root: Path) -> Iterator[Desk]:
    """Switches without cables."""
    found = Fabric.plain(lane("bench-many"), int(os.environ.get("MANY", MANY)))
    found.sonic = "202605"
    found.down()
    began = time.monotonic()
    try:
        found.up()
        print(f"\n{len(found.switches)} switches up in {time.monotonic() - began:.0f} s")
        yield Desk(found, tmp_path_factory.mktemp("many"), collections_root, 8)
    finally:
        found.down()


def measured(switch: str) -> tuple[float, int, dict[str, Any]]:
    """Seconds that SONiC's updater sorted for a switch and its steps, and where they lead; the lab's own way in stays."""
    known = json.loads(golden.read(f"{UNDERLAY}/{switch}", "gcu_steps.json"))
    config = json.loads(golden.read(f"{UNDERLAY}/{switch}", "config_db.json"))
    return known["seconds"], len(known["steps"]), {k: v for k, v in config.items() if k != "MGMT_INTERFACE"}


@pytest.mark.accept("S2.11")
def test_a_whole_underlay_is_applied_in_a_fifth_of_what_the_updater_needs(many: Desk) -> None:
    fabric, one = many.fabric, many.fabric.switches[0]
    for switch in ("leaf1", "spine2"):
        sorting, steps, wanted = measured(switch)
        bare = {table: rows for table, rows in wanted.items() if table in BARE}
        fabric.reload(one, bare)
        seconds, results = many.bring({one: wanted}, max_impact="interrupted")
        result = results[one]
        theirs = sorting + PAUSE * steps
        print(f"\n{switch}: {result['steps_done']} rows in {seconds:.2f} s, the task {result['seconds']}")
        print(f"  updater: {steps} steps in {theirs:.1f} s, ratio {seconds / theirs:.2f}, limit {1 / PART:.2f}")
        assert seconds * PART <= theirs
