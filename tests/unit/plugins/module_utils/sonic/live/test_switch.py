# SPDX-License-Identifier: Apache-2.0
"""What runs on the switch: rows, lock, checkpoint, and the way back by itself. Against a real database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic import codec, plan
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import agent, client, sonic, state, words

from .switchbox import Box

OLD = {
    "DEVICE_METADATA": {"localhost": {"hostname": "leaf1", "mac": "00:00:5e:00:53:01"}},
    "PORT": {"Ethernet0": {"lanes": "1", "mtu": "9100", "admin_status": "up"}},
    "NTP_SERVER": {"192.0.2.1": {}},
    "ACL_TABLE": {"A": {"ports": []}},
    "BGP_PEER_GROUP_AF": {"default|fabric|ipv4_unicast": {"route_map_in": ["ALLOW"], "admin_status": "up"}},
}
NTP = ["NTP_SERVER|192.0.2.2", None, {"NULL": "NULL"}]
GONE = ["NTP_SERVER|192.0.2.1", {"NULL": "NULL"}, None]
PORT = [
    "PORT|Ethernet0",
    {"admin_status": "up", "lanes": "1", "mtu": "9100"},
    {"admin_status": "up", "lanes": "1", "mtu": "1500", "fec": "rs"},
]


def request(box: Box, *steps: Any, **more: Any) -> dict[str, Any]:
    """A request to write steps."""
    base = {"token": "a" * 32, "owner": "test", "confirm_within": 60, "digest": words.digest(box.rows())}
    return {**base, "steps": list(steps), **more}


def test_rows_come_and_go_as_the_database_has_them(box: Box) -> None:
    box.fill(OLD)
    assert box.rows() == codec.to_redis(OLD)
    odd = {"field@": "", "ünicode": "\udcff", "with space": "a\r\nb"}
    with client.Redis(path=str(box.socket)) as redis:
        client.write(redis, "TABLE|x y", None, odd)
        assert redis.row("TABLE|x y") == dict(sorted(odd.items()))
        client.write(redis, "TABLE|x y", odd, {"with space": "1"})
        assert redis.row("TABLE|x y") == {"with space": "1"}
        with pytest.raises(words.SwitchError, match="row_changed"):
            client.write(redis, "TABLE|x y", odd, None)
        redis.call("SET", "STRING|x", "no row")
        assert "STRING|x" not in redis.dump()


def test_a_change_is_written_and_kept(box: Box) -> None:
    box.fill(OLD)
    done = box.ask("apply", **request(box, NTP, GONE, PORT))
    assert done["steps_done"] == 3
    assert "error" not in done
    assert box.rows()["PORT|Ethernet0"] == dict(sorted(PORT[2].items()))
    assert box.saved == OLD, "nothing is saved before it is confirmed"
    (timer,) = box.calls("systemd-run")
    assert "--on-active=60" in timer
    assert timer[-2:] == ["timer", "a" * 32]
    assert (box.folder / "units" / "multi-user.target.wants").is_dir()
    assert box.ask("confirm", token="a" * 32) == {"saved": True, "checkpoint": done["checkpoint"]}
    assert codec.to_redis(box.saved) == box.rows()
    seen = box.ask("read")
    assert (seen["pending"], seen["lock"]) == ({}, {})
    assert list((box.folder / "units").rglob("*.service")) == []
    assert [call[1:3] for call in box.calls("systemctl")][-2] == ["stop", f"scs-landscape-confirm-{'a' * 32}.timer"]


def test_what_daemons_write_while_it_is_saved_does_not_stop_it(box: Box) -> None:
    box.fill({**OLD, "LOGGER": {"orchagent": {"LOGLEVEL": "NOTICE"}}})
    with client.Redis(path=str(box.socket)) as redis:
        redis.call("HSET", "LOGGER|fpmsyncd", "LOGLEVEL", "NOTICE")
    assert sonic.is_saved(box.rows())
    with client.Redis(path=str(box.socket)) as redis:
        redis.call("HSET", "NTP_SERVER|192.0.2.9", "NULL", "NULL")
    assert not sonic.is_saved(box.rows())
    assert plan.RUNTIME_OWNED == words.RUNTIME_OWNED, "what travels knows the same"


def test_nobody_confirms_and_the_switch_comes_back(box: Box) -> None:
    box.fill(OLD)
    before = box.rows()
    box.ask("apply", **request(box, NTP, GONE, PORT))
    assert box.rows() != before
    assert box.timer("a" * 32).wait(60) == 0, (box.folder / "timer.log").read_text()
    assert box.rows() == before
    assert box.saved == OLD
    assert box.ask("confirm", token="a" * 32)["error"] == "not_pending"
    assert any("rolled back" in call[-1] for call in box.calls("logger"))


def test_a_late_timer_does_nothing(box: Box) -> None:
    box.fill(OLD)
    box.ask("apply", **request(box, NTP))
    box.ask("confirm", token="a" * 32)
    after = box.rows()
    assert box.timer("a" * 32).wait(60) == 0
    assert box.rows() == after


def test_the_timer_of_another_change_does_nothing(box: Box) -> None:
    box.fill(OLD)
    box.ask("apply", **request(box, NTP))
    after = box.rows()
    assert box.timer("b" * 32).wait(60) == 0
    assert box.rows() == after
    assert box.ask("read")["pending"]["phase"] == "armed"


def test_what_changed_since_it_was_planned_is_refused(box: Box) -> None:
    box.fill(OLD)
    asked = request(box, NTP)
    box.fill({**OLD, "NTP_SERVER": {}}, saved=False)
    assert box.ask("apply", **asked)["error"] == "moved"
    assert box.ask("read")["lock"] == {}
    assert box.calls("systemd-run") == []


def test_a_row_that_is_not_as_planned_brings_all_back(box: Box) -> None:
    box.fill(OLD)
    before = box.rows()
    wrong = ["PORT|Ethernet0", {"lanes": "7"}, {"lanes": "8"}]
    done = box.ask("apply", **request(box, NTP, wrong))
    assert (done["error"], done["steps_done"], done["rolled_back"]) == ("row_changed", 1, True)
    assert box.rows() == before
    assert box.ask("read")["pending"] == {}


def test_without_a_timer_nothing_is_written(box: Box) -> None:
    box.fill(OLD)
    before = box.rows()
    box.break_("systemd-run")
    assert box.ask("apply", **request(box, NTP))["error"] == "no_timer"
    assert box.rows() == before
    assert (box.ask("read")["pending"], box.ask("read")["lock"]) == ({}, {})


def test_two_controllers_never_mix(box: Box) -> None:
    box.fill(OLD)
    box.ask("apply", **request(box, NTP))
    other = box.ask("apply", **request(box, GONE, token="b" * 32, owner="other"))
    assert other["error"] == "locked"
    assert other["data"]["owner"] == "test"
    assert box.ask("confirm", token="b" * 32)["error"] == "not_pending"
    assert box.ask("confirm", token="a" * 32)["saved"] is True


def test_a_lock_that_is_over_does_not_open_a_change_that_waits(box: Box) -> None:
    box.fill(OLD)
    box.ask("apply", **request(box, NTP))
    lock = box.folder / "state" / "lock.json"
    holder = json.loads(lock.read_text())
    lock.write_text(json.dumps({**holder, "expires": state.moment(-1)}))
    other = box.ask("apply", **request(box, GONE, token="b" * 32, owner="other"))
    assert (other["error"], other["data"]["phase"]) == ("pending", "armed")


def test_a_reboot_ends_locks_whatever_the_clock_says(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    state.take("test", "a", 900)
    assert state.lock()["owner"] == "test"
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert state.lock()["seconds"] > 800
    monkeypatch.setattr(client, "boot_id", lambda: "another")
    assert state.lock() == {}


@pytest.mark.parametrize("broken", ["config", "config_full"])
def test_a_save_that_fails_brings_all_back(box: Box, broken: str) -> None:
    box.fill(OLD)
    before, saved = box.rows(), (box.folder / "config_db.json").read_bytes()
    box.ask("apply", **request(box, NTP, PORT))
    box.break_(broken)
    done = box.ask("confirm", token="a" * 32)
    assert (done["error"], done["rolled_back"]) == ("not_saved", True)
    assert box.rows() == before
    assert (box.folder / "config_db.json").read_bytes() == saved
    assert not list(box.folder.glob("*.scs-landscape"))


@pytest.mark.slow
def test_killed_while_saving_the_switch_ends_it_one_way(box: Box) -> None:
    """Half a file: the old one, and the old rows. A whole file: the new one."""
    for content in ('{"PORT": ', ""):
        box.fill(OLD)
        before = box.rows()
        box.ask("apply", **request(box, NTP))
        state.keep({**state.pending(), "phase": "saving"})
        if content:
            (box.folder / "config_db.json").write_text(content)
        else:
            client.run(["config", "save", "-y"])
        after = box.rows()
        assert box.timer("a" * 32).wait(60) == 0
        assert box.rows() == (before if content else after)
        assert codec.to_redis(box.saved) == box.rows()
        assert box.ask("read")["pending"] == {}


def test_a_reboot_in_the_window_ends_old(box: Box) -> None:
    box.fill(OLD)
    before = box.rows()
    box.ask("apply", **request(box, NTP, PORT))
    state.keep({**state.pending(), "phase": "saving"})
    (box.folder / "config_db.json").write_text('{"half": ')
    box.stop()
    assert box.timer("", "boot").wait(60) == 0
    assert box.saved == OLD, "SONiC reads the old file"
    assert box.calls("systemd-run")[-1][-2:] == ["now", "a" * 32]
    box.start()
    box.fill(OLD)
    assert box.timer("", "now").wait(60) == 0
    assert box.rows() == before
    assert box.ask("read")["pending"] == {}


@pytest.mark.slow
def test_the_database_dies_and_the_timer_waits_for_it(box: Box) -> None:
    box.fill(OLD)
    before = box.rows()
    box.ask("apply", **request(box, NTP, PORT))
    box.stop()
    assert box.ask("read")["error"] == "database_gone"
    timer = box.timer("a" * 32)
    time.sleep(1)
    assert timer.poll() is None
    box.start()
    with client.Redis(path=str(box.socket)) as redis:
        redis.call("SET", client.INITIALISED, "1")
    assert timer.wait(60) == 0
    assert box.rows() == before


@pytest.mark.slow
def test_frr_comes_back_too(box: Box) -> None:
    box.fill(OLD)
    frr = box.folder / "frr"
    old = frr.read_text() + "vrf VrfBlue\n vni 1000\nexit-vrf\n"
    frr.write_text(old)
    (box.folder / "frr.boot").write_text(old.replace(" vni 1000\n", ""))
    row = ["BGP_GLOBALS|default", None, {"local_asn": "65001"}]
    box.ask("apply", **request(box, row))
    frr.write_text("hostname leaf1\nrouter bgp 65001\nexit\n")
    done = box.ask("rollback", token="a" * 32)
    assert done["rolled_back"]
    assert done["problems"] == []
    assert ["systemctl", "restart", "bgp"] in box.calls("systemctl")
    assert "vrf VrfBlue\n vni 1000" in frr.read_text(), "what a restart loses is added again"


@pytest.mark.slow
@pytest.mark.accept("S2.7")
@pytest.mark.parametrize("done", range(6))
def test_killed_between_any_two_rows_it_is_all_old(box: Box, done: int) -> None:
    """The run dies without a word (SIGKILL) before its step number ``done``, the timer does the rest."""
    box.fill(OLD)
    before = box.rows()
    down = {**PORT[1], "admin_status": "down"}
    steps = [
        ["PORT|Ethernet0", PORT[1], down],
        ["PORT|Ethernet0", down, None],
        NTP,
        GONE,
        ["PORT|Ethernet0", None, PORT[2]],
    ]
    word = words.pack({"version": 1, "call": "apply", **request(box, *steps)})
    program = f"""
import os, sys
sys.path.insert(0, {str(agent.__file__).rpartition("/switch/")[0]!r})
from switch import agent, client
write, left = client.write, [{done}]
def killed(*args, **kwargs):
    if not left[0]:
        os.kill(os.getpid(), 9)
    left[0] -= 1
    write(*args, **kwargs)
client.write = killed
agent.answer({word!r})
if left[0] == 0:
    os.kill(os.getpid(), 9)
"""
    ended = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert done == 0 or box.rows() != before
    assert box.ask("apply", **request(box, NTP, token="b" * 32, owner="other"))["error"] in ("locked", "pending")
    assert box.timer("a" * 32).wait(60) == 0
    assert box.rows() == before
    assert box.ask("read")["lock"] == {}


@pytest.mark.accept("S2.7")
@pytest.mark.parametrize("moment", ["confirm.arm", "state.keep"])
def test_killed_while_it_arms_nothing_waits_for_ever(box: Box, moment: str) -> None:
    """The run dies around the start of its timer: whatever is remembered by then has somebody who ends it."""
    box.fill(OLD)
    before = box.rows()
    word = words.pack({"version": 1, "call": "apply", **request(box, NTP)})
    program = f"""
import os, sys
sys.path.insert(0, {str(agent.__file__).rpartition("/switch/")[0]!r})
from switch import agent, confirm, state
def killed(*args, **kwargs):
    os.kill(os.getpid(), 9)
{moment} = killed
agent.answer({word!r})
"""
    ended = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert box.ask("read")["pending"] == {}
    assert bool(box.calls("systemd-run")) == (moment == "state.keep")
    assert box.timer("a" * 32).wait(60) == 0
    seen = box.ask("read")
    assert (seen["lock"], seen["last"]) == ({}, {"token": "a" * 32, "end": "nothing"})
    assert box.rows() == before
    assert not list((box.folder / "units").rglob("*.service"))


@pytest.mark.slow
def test_a_run_that_hangs_is_ended_by_the_timer(box: Box) -> None:
    box.fill(OLD)
    before = box.rows()
    box.ask("apply", **request(box, NTP))
    program = f"""
import os, sys, time
sys.path.insert(0, {str(agent.__file__).rpartition("/switch/")[0]!r})
from switch import state
with state.turn():
    print("held", flush=True)
    time.sleep(600)
"""
    hanging = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert hanging.stdout is not None
    with hanging.stdout:
        assert hanging.stdout.readline() == "held\n"
        assert box.timer("a" * 32).wait(60) == 0
        assert hanging.wait(10) == -signal.SIGKILL
    assert box.rows() == before


@pytest.mark.slow
def test_checkpoints_are_private_and_thinned(box: Box) -> None:
    box.fill(OLD)
    for number in range(5):
        token = str(number) * 32
        assert box.ask("apply", **request(box, token=token, keep=3))["steps_done"] == 0
        assert box.ask("confirm", token=token, save=False)["saved"] is False
    assert box.ask("checkpoint", what="present", name="mine", owner="test") == {}
    names = [one["name"] for one in box.ask("read")["checkpoints"]]
    assert len(names) == 4
    assert "mine" in names
    for path in (box.folder / "state").rglob("*.json"):
        assert os.stat(path).st_mode & 0o077 == 0, path
    assert box.ask("checkpoint", what="read", name="mine")["content"]["rows"] == box.rows()
    assert box.ask("checkpoint", what="present", name="../mine", owner="test")["error"] == "bad_name"
    assert box.ask("checkpoint", what="absent", name="mine", owner="test") == {}
    assert len(box.ask("read")["checkpoints"]) == 3


def test_a_refused_line_of_frr_brings_all_back(box: Box) -> None:
    box.fill(OLD)
    before = box.rows()
    asked = request(box, NTP, fixups=[["vrf VrfBlue", "vni 1000"]])
    box.break_("vtysh")
    done = box.ask("apply", **asked)
    assert (done["error"], done["rolled_back"]) == ("frr_refused", True)
    assert box.rows() == before


def test_the_updater_of_sonic_is_asked_and_its_no_is_told(box: Box) -> None:
    box.fill(OLD)
    before = box.rows()
    done = box.ask("apply", **request(box, NTP, program={"name": "patch", "content": []}))
    assert done["error"] == "program_failed"
    assert "no such command" in done["data"]["why"]
    assert box.rows() == before


def test_other_versions_and_nonsense_are_refused(box: Box) -> None:
    assert words.unpack(agent.answer("nonsense"))["error"] == "other_version"
    assert words.unpack(agent.answer(words.pack({"version": 0, "call": "read"})))["error"] == "other_version"
    assert not agent.only_reads(words.pack({"call": "apply"}))
    assert agent.only_reads(words.pack({"call": "read"}))


def test_half_a_record_is_not_guessed(box: Box) -> None:
    box.fill(OLD)
    state.write(state.at("pending.json"), '{"token": ')
    assert box.ask("read")["error"] == "unreadable"
