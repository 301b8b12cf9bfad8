# SPDX-License-Identifier: Apache-2.0
"""What can go wrong while a switch is changed: it ends old or new, never between, and says why."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.switches import Fabric

from .playing import LEAF, Stage, change, kill, pending, rows, settled, wait_for

pytestmark = pytest.mark.accept("S2.7")
#: Some twenty rows in an order that matters.
WISH: dict[str, Any] = {
    "VLAN": {f"Vlan{number}": {"vlanid": number} for number in range(3100, 3110)},
    "NTP_SERVER": {f"192.0.2.{number}": {} for number in range(100, 110)},
}
GONE = {table: {key: {} for key in content} for table, content in WISH.items()}


@pytest.fixture(autouse=True)
def clean(pair: Fabric, stage: Stage) -> Iterator[None]:
    """Whatever a test left of the wish goes."""
    yield
    if any(key in pair.config_db(LEAF).get("NTP_SERVER", {}) for key in WISH["NTP_SERVER"]):
        done = stage.run(LEAF, change(GONE, state="deleted", max_impact="interrupted"))
        assert done.rc == 0, done.output


def interrupted(pair: Fabric, stage: Stage, **options: Any) -> str:
    """Kills a controller whose change waits for its confirmation; what the switch was before."""
    for _attempt in range(4):
        before = rows(pair, LEAF)
        process = stage.start([LEAF], change(WISH, **options))
        wait_for(lambda: pending(pair, LEAF), 120, "nothing was armed")
        kill(process)
        time.sleep(5)  # what was asked of the switch already is done there, whoever is dead
        if pending(pair, LEAF):
            return before
        # It was faster than we are: confirmed, and so new.
        assert pair.config_db(LEAF) == pair.saved(LEAF)
        done = stage.run(LEAF, change(GONE, state="deleted", max_impact="interrupted", lock_wait=60))
        assert done.rc == 0, done.output
    raise AssertionError("the controller cannot be caught")


def test_the_controller_is_killed_in_the_window(pair: Fabric, stage: Stage) -> None:
    before = interrupted(pair, stage, confirm_within=40, verify_timeout=20)
    settled(pair, LEAF, before, 90)
    assert json.loads(before) == pair.saved(LEAF)
    assert "rolled back" in pair.machine(LEAF).run(["journalctl", "-q", "--no-pager", "-t", "scs-landscape"]).stdout


def test_the_hand_on_the_switch_is_killed(pair: Fabric, stage: Stage) -> None:
    """The module on the switch dies between two rows; the lock it held opens with the timer."""
    before = rows(pair, LEAF)
    config = {"VLAN": {f"Vlan{number}": {"vlanid": number} for number in range(3100, 3900)}}
    process = stage.start([LEAF], change(config, confirm_within=20, verify_timeout=5))
    # It waits inside, for 800 rows are written in less time than a question from outside takes. The module comes through the
    # connection, so its process has no words but these.
    between = "until grep -sqx '[1-9][0-9]\\{0,2\\} *' /var/lib/scs-landscape/journal; do sleep 0.005; done"
    pair.machine(LEAF).run(["timeout", "120", "sh", "-c", f"{between}; pkill -KILL -x -f /usr/bin/python3"])
    noted = pair.machine(LEAF).run(["cat", "/var/lib/scs-landscape/journal"]).stdout
    assert 0 < int(noted) < 800, noted
    done = stage.end(process, time.monotonic())
    assert done.rc != 0
    assert "brought itself back" in done.output, done.output
    settled(pair, LEAF, before, 60)


def test_the_database_is_killed_in_the_window(pair: Fabric, stage: Stage) -> None:
    before = rows(pair, LEAF)
    process = stage.start([LEAF], change(WISH, confirm_within=25, verify_timeout=10))
    wait_for(lambda: pending(pair, LEAF), 90, "nothing was armed")
    pair.machine(LEAF).run(["systemctl", "kill", "--signal=KILL", "database"])
    done = stage.end(process, time.monotonic())
    wait_for(lambda: not pending(pair, LEAF), 120, "it waits for ever")
    wait_for(
        lambda: pair.machine(LEAF).run(["systemctl", "is-active", "bgp"], check=False).returncode == 0,
        120,
        "bgp is down",
    )
    after = rows(pair, LEAF)
    new = all(key in json.loads(after).get("NTP_SERVER", {}) for key in WISH["NTP_SERVER"])
    assert after == before or (new and done.rc == 0), done.output
    assert json.loads(after) == pair.saved(LEAF)


def test_a_reboot_in_the_window(pair: Fabric, stage: Stage) -> None:
    kept = {"NTP_SERVER": {"192.0.2.99": {}}}
    assert stage.run(LEAF, change(kept)).rc == 0
    before = interrupted(pair, stage, confirm_within=300, verify_timeout=60)
    assert "192.0.2.99" in before, "something that the switch has on its disk alone"
    pair.reboot(LEAF)
    settled(pair, LEAF, before, 120)
    assert json.loads(before) == pair.saved(LEAF)
    units = pair.machine(LEAF).run(["find", "/etc/systemd/system", "-name", "scs-landscape*"]).stdout
    assert units == ""
    assert stage.run(LEAF, change({"NTP_SERVER": {"192.0.2.100": {}}})).rc == 0


def test_two_controllers_at_once(pair: Fabric, stage: Stage) -> None:
    first = stage.start([LEAF], change({"NTP_SERVER": {"192.0.2.101": {}}}), arguments=("-v",))
    second = stage.start([LEAF], change({"NTP_SERVER": {"192.0.2.102": {}}}), arguments=("-v",))
    ends = [stage.end(process, time.monotonic()) for process in (first, second)]
    there = pair.config_db(LEAF).get("NTP_SERVER", {})
    for key, end in (("192.0.2.101", ends[0]), ("192.0.2.102", ends[1])):
        assert (key in there) == (end.rc == 0), end.output
        if end.rc:
            said = end.only()["msg"]
            assert "waits there" in said or "holds it" in said or "changed between planning and writing" in said, said
    assert any(end.rc == 0 for end in ends)
    assert pair.config_db(LEAF) == pair.saved(LEAF)
    waited = stage.run(LEAF, change(GONE, state="deleted", max_impact="interrupted", lock_wait=60))
    assert waited.rc == 0, waited.output


@contextlib.contextmanager
def _frozen(pair: Fabric, service: str = "bgp") -> Iterator[None]:
    """The daemon that brings rows into FRR sleeps; FRR itself goes on."""
    signal = ["systemctl", "kill", "--kill-whom=main", service]
    pair.machine(LEAF).run([*signal, "--signal=STOP"])
    try:
        yield
    finally:
        pair.machine(LEAF).run([*signal, "--signal=CONT"])


@pytest.mark.accept("S2.6")
def test_rows_that_frr_never_hears_of(pair: Fabric, stage: Stage) -> None:
    before, frr = rows(pair, LEAF), pair.vtysh(LEAF, "show running-config")
    wish = {
        "PREFIX_SET": {"TESTED": {"mode": "IPv4"}},
        "PREFIX": {"TESTED|10|198.51.100.0/24|exact": {"action": "permit"}},
    }
    with _frozen(pair):
        done = stage.run(LEAF, change(wish, verify_timeout=8, confirm_within=60))
    assert done.rc != 0
    result = done.only()
    assert "FRR lacks: ip prefix-list TESTED" in result["msg"], result["msg"]
    assert "a restart of bgp may help" in result["msg"]
    assert result["rolled_back"]
    settled(pair, LEAF, before, 30)
    assert pair.vtysh(LEAF, "show running-config") == frr


@pytest.mark.accept("S2.6")
def test_rows_that_the_kernel_never_hears_of(pair: Fabric, stage: Stage) -> None:
    before, port = rows(pair, LEAF), "Ethernet8"
    wish = {
        "VLAN": {"Vlan3555": {"vlanid": "3555"}},
        "VLAN_MEMBER": {f"Vlan3555|{port}": {"tagging_mode": "untagged"}},
        "LOOPBACK_INTERFACE": {"Loopback7": {}, "Loopback7|192.0.2.77/32": {}},
    }
    assert not any(port in key for table in json.loads(before).values() for key in table if "|" in key), "it is free"
    options: dict[str, Any] = {"verify_timeout": 8, "confirm_within": 60, "max_impact": "interrupted"}
    with _frozen(pair, "swss"):
        done = stage.run(LEAF, change(wish, **options))
    assert done.rc != 0
    result = done.only()
    for words in ("no Vlan3555", "no Loopback7", "lacks 192.0.2.77/32 on Loopback7"):
        assert f"the kernel {'has ' if words.startswith('no') else ''}{words}" in result["msg"], result["msg"]
    assert result["rolled_back"]
    settled(pair, LEAF, before, 30)
    # the control: with the service alive the same goes through, and back
    done = stage.run(LEAF, change(wish, **options))
    assert done.rc == 0, done.output
    gone = {table: {key: {} for key in content} for table, content in wish.items()}
    done = stage.run(LEAF, change(gone, state="deleted", **options))
    assert done.rc == 0, done.output
    settled(pair, LEAF, before, 30)


def test_a_disk_that_is_full_at_save(pair: Fabric, stage: Stage) -> None:
    before, saved = rows(pair, LEAF), pair.saved(LEAF)
    machine = pair.machine(LEAF)
    # There is room when the change begins, and none any more once it waits for its confirmation.
    script = (
        "set -e; cp -a /etc/sonic /tmp/kept; mount -t tmpfs -o size=16m full /etc/sonic; cp -a /tmp/kept/. /etc/sonic/; "
        "setsid sh -c 'n=0; while [ $n -lt 900 ] && [ ! -e /var/lib/scs-landscape/pending.json ]; do n=$((n + 1)); "
        "sleep 0.1; done; dd if=/dev/zero of=/etc/sonic/junk bs=4096' </dev/null >/dev/null 2>&1 &"
    )
    machine.run(["sh", "-c", script])
    try:
        long = {"PORT": {f"Ethernet{number}": {"description": "x" * 200} for number in (0, 1, 2, 3, 48, 52)}}
        more = {"VLAN": {f"Vlan{number}": {"vlanid": number, "description": "y" * 200} for number in range(3100, 3180)}}
        done = stage.run(LEAF, change({**long, **more}, max_impact="interrupted"))
        assert done.rc != 0, done.output
        assert "config save" in done.only()["msg"]
        assert done.only()["rolled_back"]
        assert pair.saved(LEAF) == saved
        settled(pair, LEAF, before, 10)
    finally:
        machine.run(["sh", "-c", "umount /etc/sonic && rm -rf /tmp/kept"])
    assert pair.saved(LEAF) == saved


def test_the_timer_cannot_be_started(pair: Fabric, stage: Stage) -> None:
    before, machine = rows(pair, LEAF), pair.machine(LEAF)
    machine.run(
        [
            "sh",
            "-c",
            "printf '#!/bin/sh\\nexit 1\\n' >/usr/local/sbin/systemd-run; chmod 755 /usr/local/sbin/systemd-run",
        ]
    )
    try:
        done = stage.run(LEAF, change(WISH))
    finally:
        machine.run(["rm", "/usr/local/sbin/systemd-run"])
    assert "no timer can be started" in done.only()["msg"]
    assert rows(pair, LEAF) == before
    assert not pending(pair, LEAF)
