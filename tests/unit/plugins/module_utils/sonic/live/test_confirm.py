# SPDX-License-Identifier: Apache-2.0
"""How a change ends on the switch, and that no other one ends with it. Against a real database."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic import codec
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import (
    agent,
    client,
    confirm,
    sonic,
    state,
)

from .switchbox import Box
from .test_switch import NTP, OLD, PORT, request

MINE, OTHER = "a" * 32, "b" * 32


def stopped(box: Box) -> list[str]:
    """Every timer that was stopped."""
    return [call[2] for call in box.calls("systemctl") if call[1] == "stop"]


def held(seconds: float = 600.0) -> subprocess.Popen[str]:
    """A process that holds the switch as a run does that writes."""
    program = f"""
import sys, time
sys.path.insert(0, {str(agent.__file__).rpartition("/switch/")[0]!r})
from switch import state
with state.turn():
    print("held", flush=True)
    time.sleep({seconds})
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.accept("S2.7")
def test_a_late_rollback_leaves_the_next_change_its_timer(box: Box) -> None:
    """A controller's rollback hangs on a bad line, its own timer ends the change, another controller begins one."""
    box.fill(OLD)
    box.ask("apply", **request(box, NTP))
    assert box.timer(MINE).wait(60) == 0
    box.ask("apply", **request(box, PORT, token=OTHER, owner="other"))
    before, rows = len(stopped(box)), box.rows()
    assert box.ask("rollback", token=MINE) == {}
    assert stopped(box)[before:] == []
    assert (state.pending()["token"], state.lock()["token"], box.rows()) == (OTHER, OTHER, rows)
    assert box.ask("read")["last"] == {"token": MINE, "end": "rolled_back"}, "what is known of an end stays"
    assert box.ask("rollback", token=OTHER)["rolled_back"]
    assert stopped(box)[before:] == [f"{confirm.UNIT}-{OTHER}.timer"]


@pytest.mark.accept("S2.7")
@pytest.mark.parametrize("moment", ["writes", "looks around", "saves by hand"])
def test_a_late_rollback_ends_no_run_of_another(box: Box, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    box.fill(OLD)
    if moment == "writes":
        box.ask("apply", **request(box, NTP, token=OTHER, owner="other"))
    elif moment == "looks around":
        state.take("other", OTHER, 60)
    monkeypatch.setitem(confirm.PATIENT, "armed", 0.2)
    process = held()
    try:
        began = time.monotonic()
        assert box.ask("rollback", token=MINE) == {}
        assert time.monotonic() - began < 15, "it does not wait for somebody else's turn either"
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


def test_a_turn_that_went_to_another_meanwhile_is_left_to_him(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours ended while we waited for it: who holds the switch by then is somebody else."""
    box.fill(OLD)
    box.ask("apply", **request(box, NTP))
    process, turn = held(), state.turn

    def slow(patience: float = 20.0) -> object:
        state.keep({**state.pending(), "token": OTHER})
        return turn(0.2)

    try:
        monkeypatch.setattr(state, "turn", slow)
        assert box.ask("rollback", token=MINE) == {}
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()
    assert state.pending()["token"] == OTHER


#: What runs besides what is saved: a row of its own, and one that the change writes, too.
RUNS = {
    **OLD,
    "NTP_SERVER": {"192.0.2.1": {}, "192.0.2.8": {}},
    "PORT": {"Ethernet0": {**OLD["PORT"]["Ethernet0"], "mtu": "9000"}},
}
STEPS = [
    NTP,
    ["NTP_SERVER|192.0.2.8", {"NULL": "NULL"}, None],
    ["PORT|Ethernet0", {**PORT[1], "mtu": "9000"}, PORT[2]],
]


def rebooted(box: Box, config: Any, phase: str = "armed") -> None:
    """SONiC has loaded a configuration after a boot; the change waits from before."""
    box.fill(config, saved=False)
    state.keep({**state.pending(), "phase": phase, "deadline": {"boot": "another", "uptime": 1.0}})


def stamp(box: Box) -> list[list[str]]:
    """Calls that change something."""
    return [call for call in box.calls() if call[:1] == ["config"] or call[1:2] == ["restart"]]


@pytest.mark.accept("S2.7")
@pytest.mark.parametrize("program", ["", "reload"])
def test_a_reboot_with_unsaved_rows_ends_at_what_was_saved(
    box: Box, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    """All that ran unsaved is gone with the boot: to write those rows that the change is of would end between old and new."""
    box.fill(RUNS, saved=False)
    (box.folder / "config_db.json").write_text(json.dumps(OLD))
    box.ask("apply", **request(box, *STEPS))
    state.keep({**state.pending(), "program": program, "restarted": True})
    rebooted(box, OLD)
    before, writes = box.rows(), []
    monkeypatch.setattr(client, "write", lambda *args, **_more: writes.append(args))
    done = box.ask("rollback", token=MINE)
    assert (done["rolled_back"], done["rows"], writes, stamp(box)) == (True, 0, [], [])
    assert done["problems"] == ["what ran without being saved is gone with the reboot"]
    assert (box.rows(), box.saved, state.pending()) == (before, OLD, {})


@pytest.mark.parametrize("back", ["new", "old"])
def test_a_boot_that_could_not_put_the_file_back_is_undone_to_what_was_saved(box: Box, back: str) -> None:
    """SONiC loaded what was being saved; or only daemons of its own wrote."""
    box.fill(RUNS, saved=False)
    (box.folder / "config_db.json").write_text(json.dumps(OLD))
    box.ask("apply", **request(box, *STEPS))
    new = {**OLD, "NTP_SERVER": {"192.0.2.1": {}, "192.0.2.2": {}}, "PORT": {"Ethernet0": {**PORT[2]}}}
    rebooted(box, new if back == "new" else OLD, "rolling_back")
    assert box.ask("rollback", token=MINE)["rolled_back"]
    assert box.rows() == codec.to_redis(OLD)


def test_a_boot_that_keeps_the_database_ends_at_what_ran(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.fill(RUNS, saved=False)
    (box.folder / "config_db.json").write_text(json.dumps(OLD))
    before = box.rows()
    box.ask("apply", **request(box, *STEPS))
    state.keep({**state.pending(), "deadline": {"boot": "another", "uptime": 1.0}})
    monkeypatch.setattr(client, "keeps_database", lambda: True)
    assert box.ask("rollback", token=MINE)["problems"] == []
    assert box.rows() == before


def test_a_boot_without_a_file_is_left_as_sonic_made_it(box: Box) -> None:
    box.fill(RUNS, saved=False)
    box.ask("apply", **request(box, *STEPS))
    made = {"DEVICE_METADATA": {"localhost": {"hostname": "sonic"}}, "PORT": {"Ethernet0": {"lanes": "1"}}}
    rebooted(box, made)
    assert box.ask("rollback", token=MINE)["rows"] == 0
    assert box.rows() == codec.to_redis(made)


@pytest.mark.parametrize("text", ["", "[]", '{"PORT": 1}', '{"PORT": {"Ethernet0": []}}'])
def test_what_is_no_configuration_has_no_rows(text: str) -> None:
    assert sonic.as_rows(text) is None


def test_a_saved_file_says_rows_as_the_database_has_them() -> None:
    assert sonic.as_rows(json.dumps(OLD)) == codec.to_redis(OLD)
