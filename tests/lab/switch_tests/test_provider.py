# SPDX-License-Identifier: Apache-2.0
"""The provider ``switches``: how fast, side by side, nothing left; and what a switch offers to those who configure it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS, lane
from ansible_collections.scs.landscape.tests.lab.tests.traces import traces
from ansible_collections.scs.landscape.tests.tools import yardstick
from ansible_collections.scs.landscape.tests.tools.paths import REPO

SPINE, LEAF = "em01-spine-r01-u41", "em01-leaf-r01-u38"
#: Seconds until six switches run with a warm cache, on a machine of usual speed.
WARM = 60.0


def left(fabric: Fabric) -> dict[str, list[str]]:
    """What still names a lane."""
    words = [str(fabric.lane.folder), fabric.lane.cgroup]
    kernel.wait_for(lambda: not any(traces(words, set()).values()), 15, 0.5)
    return {kind: names for kind, names in traces(words, set()).items() if names}


@pytest.fixture(scope="module")
def pair() -> Iterator[Fabric]:
    """A spine and a leaf, configured as the landscape says."""
    found = Fabric(lane("pair"), [SPINE, LEAF])
    found.down()
    found.up()
    yield found
    found.down()


def test_six_switches_are_up_in_time_and_leave_nothing() -> None:
    fabric, other = Fabric(lane("six")), Fabric.plain(lane("beside"), 1)
    try:
        other.up()  # the root is built, and another lane runs meanwhile
        pace = yardstick.pace()
        began = time.monotonic()
        fabric.up()
        seconds = time.monotonic() - began
        assert len(fabric.switches) == 6
        assert fabric.status()["state"] == "up"
        assert seconds < WARM * max(1.0, pace, yardstick.pace())
        fabric.down()
        assert left(fabric) == {}
        assert other.status()["state"] == "up"
        assert other.vtysh("switch-1", "show version").startswith("FRRouting 10.3")
    finally:
        fabric.down()
        other.down()
    assert left(other) == {}


def test_what_a_killed_start_leaves_is_swept() -> None:
    fabric = Fabric.plain(lane("killed"), 2)
    try:
        program = "import sys; from tests.lab.switches import Fabric; Fabric.plain(sys.argv[1], 2).up()"
        argument = lane("killed")
        starting = subprocess.Popen([sys.executable, "-B", "-c", program, argument], cwd=REPO, start_new_session=True)
        assert kernel.wait_for(lambda: bool(fabric.lane.load().machines), 60)
        os.killpg(starting.pid, signal.SIGKILL)
        starting.wait(30)
        fabric.up()
        assert fabric.status()["state"] == "up"
    finally:
        fabric.down()
    assert left(fabric) == {}


def test_the_surface_of_a_switch(pair: Fabric) -> None:
    inventory = ["-i", str(pair.inventory)]
    script = (
        "import json, os, subprocess, sys; run = lambda *words: subprocess.run(words, capture_output=True, text=True); "
        "print(json.dumps({'uid': os.getuid(), 'version': list(sys.version_info[:2]), "
        "'root': run('sudo', '-n', 'id', '-u').stdout.strip(), "
        "'ping': run('sonic-db-cli', 'CONFIG_DB', 'PING').stdout.strip(), "
        "'config': json.loads(run('sonic-cfggen', '-d', '--print-data').stdout), "
        "'bgp': list(json.loads(run('sudo', 'vtysh', '-c', 'show bgp summary json').stdout)), "
        "'lldp': list(json.loads(run('sudo', 'lldpctl', '-f', 'json').stdout)), "
        "'services': run('systemctl', 'is-active', 'database', 'swss', 'bgp', 'lldp').stdout.split(), "
        "'show': run('show', 'version').stdout}))"
    )
    command = [str(PROGRAMS / "ansible"), *inventory, LEAF, "-m", "ansible.builtin.raw", "-a", f'python3 -c "{script}"']
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert (said["uid"], said["root"], said["ping"]) == (1000, "0", "PONG")
    assert said["version"] >= [3, 9]
    assert said["config"] == pair.configs[LEAF]
    assert "ipv4Unicast" in said["bgp"]
    assert said["lldp"] == ["lldp"]
    assert said["services"] == ["active"] * 4
    assert "SONiC Software Version: SONiC.202505" in said["show"]
    machine = pair.machine(LEAF)
    assert "asic_type" in machine.run(["cat", "/etc/sonic/sonic_version.yml"]).stdout
    platform = pair.configs[LEAF]["DEVICE_METADATA"]["localhost"]["platform"]
    assert platform in machine.run(["cat", "/host/machine.conf"]).stdout
    ini = f"/usr/share/sonic/device/{platform}/Accton-AS7326-56X/port_config.ini"
    assert "Ethernet48 " in machine.run(["cat", ini]).stdout


def test_the_database_keeps_rows_as_sonic_does(pair: Fabric) -> None:
    assert pair.database(LEAF, "HGETALL", "LOOPBACK_INTERFACE|Loopback0").split() == ["NULL", "NULL"]
    key = "ROUTE_REDISTRIBUTE|default|connected|bgp|ipv4"
    assert pair.database(LEAF, "HGETALL", key).split() == ["route_map@", "CONNECTED"]
    assert pair.database(LEAF, "GET", "CONFIG_DB_INITIALIZED") == "1"
    assert set("AKE") <= set(pair.database(LEAF, "CONFIG", "GET", "notify-keyspace-events").split()[-1])
    assert pair.saved(LEAF) == pair.config_db(LEAF) == pair.configs[LEAF]


def test_the_monitor_sees_every_write_and_no_read(pair: Fabric) -> None:
    with pair.monitor(LEAF) as seen:
        pair.config_db(LEAF)
    assert seen.writes == []
    assert any("HGETALL" in command for command in seen.commands)
    with pair.monitor(LEAF) as seen:
        pair.write(LEAF, [("SYSLOG_SERVER", "192.0.2.4", {})])
        pair.database(LEAF, "DEL", "SYSLOG_SERVER|192.0.2.4")
    assert [command.split()[1] for command in seen.writes] == ["HSET", "DEL"]
