# SPDX-License-Identifier: Apache-2.0
"""What the switch does when its disk, its database or its programs fail just when they are needed. Against a real database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic import codec
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import (
    agent,
    client,
    confirm,
    facts,
    sonic,
    state,
    words,
)

from .switchbox import Box, wait_for
from .test_switch import GONE, NTP, OLD, PORT, request

TOKEN = "a" * 32
READ_ONLY = 'mount --bind "{0}" "{0}"; mount -o remount,bind,ro "{0}"'
FULL = (
    'cp -a "{0}" "{0}.copy"; mount -t tmpfs -o size=256k,mode=700 none "{0}"; cp -a "{0}.copy/." "{0}"; '
    'dd if=/dev/zero of="{0}/filler" bs=4096 2>/dev/null || true'
)


@pytest.mark.parametrize("first", [READ_ONLY, FULL], ids=["read-only", "full"])
def test_a_disk_that_takes_nothing_keeps_no_row_from_coming_back(box: Box, first: str) -> None:
    box.fill(OLD)
    before = box.rows()
    box.ask("apply", **request(box, NTP, GONE, PORT))
    timer = box.timer(TOKEN, first=first.format(box.folder / "state"))
    assert timer.wait(60) == 0, (box.folder / "timer.log").read_text()
    assert box.rows() == before
    assert box.saved == OLD


def test_a_record_that_cannot_be_written_at_confirm_brings_all_back(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.fill(OLD)
    before = box.rows()
    box.ask("apply", **request(box, NTP))

    def full(_record: Any) -> None:
        raise words.SwitchError("unwritable", path="pending.json", why="No space left on device")

    monkeypatch.setattr(state, "keep", full)
    done = box.ask("confirm", token=TOKEN)
    assert (done["error"], done["rolled_back"]) == ("unwritable", True)
    assert box.rows() == before


def test_the_journal_needs_no_room_after_its_first_note(box: Box) -> None:
    (box.folder / "state").mkdir()
    state.journal(0)
    handle = os.open(state.at("journal"), os.O_RDONLY)
    try:
        state.journal(1234)
        assert os.pread(handle, 20, 0) == b"1234        ", "the same file, as long as before"
    finally:
        os.close(handle)
    assert state.journalled() == 1234


@pytest.mark.parametrize("back", ["empty", "old", "not loaded"])
@pytest.mark.parametrize("save", [True, False])
def test_a_database_that_came_back_otherwise_is_not_confirmed(box: Box, back: str, save: bool) -> None:
    box.fill(OLD)
    before = box.rows()
    box.ask("apply", **request(box, NTP, PORT))
    if back == "old":
        box.fill(OLD)
    else:
        with client.Redis(path=str(box.socket)) as redis:
            redis.call(*(["FLUSHDB"] if back == "empty" else ["DEL", client.INITIALISED]))
    done = box.ask("confirm", token=TOKEN, save=save)
    assert (done["error"], done["rolled_back"]) == ("row_changed" if back == "old" else "database_gone", True)
    assert box.saved == OLD
    assert box.rows() == before


def test_a_database_that_is_lost_while_it_is_saved_is_not_confirmed(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.fill(OLD)
    before = box.rows()
    box.ask("apply", **request(box, NTP))
    run = client.run

    def lost(argv: Any, seconds: float = 60.0) -> tuple[int, str, str]:
        if argv[:2] == ["config", "save"]:
            with client.Redis(path=str(box.socket)) as redis:
                redis.call("FLUSHDB")
        return run(argv, seconds)

    monkeypatch.setattr(client, "run", lost)
    done = box.ask("confirm", token=TOKEN)
    assert (done["error"], done["rolled_back"], box.saved) == ("database_gone", True, OLD)
    assert box.rows() == before


def test_rows_that_daemons_write_while_it_is_saved_do_no_harm(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.fill(OLD)
    box.ask("apply", **request(box, NTP))
    run = client.run

    def busy(argv: Any, seconds: float = 60.0) -> tuple[int, str, str]:
        with client.Redis(path=str(box.socket)) as redis:
            redis.call("HSET", "LOGGER|orchagent", "LOGLEVEL", "NOTICE")
            done = run(argv, seconds)
            redis.call("HSET", "LOGGER|orchagent", "LOGLEVEL", "DEBUG")
        return done

    monkeypatch.setattr(client, "run", busy)
    assert box.ask("confirm", token=TOKEN)["saved"]


def test_what_is_not_loaded_is_neither_saved_nor_changed(box: Box) -> None:
    box.fill(OLD)
    with client.Redis(path=str(box.socket)) as redis:
        redis.call("DEL", client.INITIALISED)
    assert box.ask("save")["error"] == "database_gone"
    assert box.ask("apply", **request(box, NTP))["error"] == "database_gone"
    assert (box.saved, box.ask("read")["lock"]) == (OLD, {})


@pytest.mark.slow
def test_a_program_that_takes_too_long_is_ended_with_its_children(box: Box) -> None:
    mark = box.folder / "child"
    code, _out, err = client.run(["sh", "-c", f"(sleep 2; touch {mark}) & sleep 30"], 0.3)
    assert (code, err) == (124, "sh did not end within 0 s")
    time.sleep(2.5)
    assert not mark.exists()


@pytest.mark.slow
def test_what_a_killed_run_has_started_is_ended_before_rows_come_back(box: Box) -> None:
    """The holder is killed while `config save` works; that would write the file after it was put back."""
    box.fill(OLD)
    before = box.rows()
    box.ask("apply", **request(box, NTP))
    late = box.folder / "bin" / "config"
    late.write_text(f"#!/bin/sh\ntouch {box.folder}/begun\n(sleep 3; echo '{{}}' >{box.folder}/config_db.json)\n")
    word = words.pack({"version": 1, "call": "confirm", "token": TOKEN})
    program = f"""
import sys
sys.path.insert(0, {str(agent.__file__).rpartition("/switch/")[0]!r})
from switch import agent
agent.answer({word!r})
"""
    with subprocess.Popen([sys.executable, "-c", program]) as saving:
        wait_for((box.folder / "begun").exists)
        saving.send_signal(signal.SIGKILL)
    assert box.timer(TOKEN).wait(60) == 0
    time.sleep(3.5)
    assert box.saved == OLD
    assert box.rows() == before


def test_only_programs_of_this_switch_are_ended(box: Box, tmp_path: Path) -> None:
    with state.turn(), client.marked("/elsewhere"):
        assert client.end_orphans(state.at("turn")) == 0
    environment = {**os.environ, client.HOLDER: f"{tmp_path}/other/turn 1"}
    with subprocess.Popen(["sleep", "60"], env=environment) as stranger:
        try:
            assert client.end_orphans(state.at("turn")) == 0
            assert stranger.poll() is None
            assert client.end_orphans(f"{tmp_path}/other/turn") >= 1
            assert stranger.wait(10) == -signal.SIGKILL
        finally:
            stranger.kill()


@pytest.mark.slow
def test_the_timer_tries_again_until_it_is_done(box: Box) -> None:
    """The database goes away in the middle of the rollback, and the program meets errors nobody thought of."""
    box.fill(OLD)
    before = box.rows()
    box.ask("apply", **request(box, NTP, GONE, PORT))
    path = box.folder / "state" / "program" / "switch" / "client.py"
    path.write_text(
        path.read_text()
        + """

_write, _faults = write, [SwitchError("database_gone"), OSError(5, "Input/output error"), KeyError("x")]


def write(*args, **kwargs):
    if _faults:
        raise _faults.pop()
    _write(*args, **kwargs)
"""
    )
    assert box.timer(TOKEN).wait(90) == 0, (box.folder / "timer.log").read_text()
    assert box.rows() == before
    assert state.pending() == {}
    assert sum("is tried again" in call[-1] for call in box.calls("logger")) == 3


def test_a_timer_that_fails_is_started_again_by_systemd(box: Box) -> None:
    box.fill(OLD)
    box.ask("apply", **request(box, NTP))
    assert "--property=Restart=on-failure" in box.calls("systemd-run")[-1]


def test_a_holder_that_ends_by_itself_is_no_fault(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.fill(OLD)
    box.ask("apply", **request(box, NTP))
    turn, gone = state.turn, [True]

    def busy(patience: float = 20.0) -> Any:
        if gone and gone.pop():
            raise words.SwitchError("busy", pid=2**22 - 1)
        return turn(patience)

    monkeypatch.setattr(state, "turn", busy)
    monkeypatch.setattr(state, "holder", lambda: 2**22 - 1)
    assert confirm.finish(TOKEN)["rolled_back"]


def test_rows_of_others_stay(box: Box) -> None:
    box.fill(OLD)
    before = box.rows()
    box.ask("apply", **request(box, NTP, PORT))
    with client.Redis(path=str(box.socket)) as redis:
        redis.call("HSET", "LOGGER|orchagent", "LOGLEVEL", "NOTICE")
        redis.call("HSET", "NTP_SERVER|192.0.2.99", "NULL", "NULL")
    done = box.ask("rollback", token=TOKEN)
    assert (done["rolled_back"], done["beyond"]) == (True, [])
    found = box.rows()
    assert found.pop("LOGGER|orchagent") == {"LOGLEVEL": "NOTICE"}
    assert found.pop("NTP_SERVER|192.0.2.99") == {"NULL": "NULL"}
    assert found == before


def test_a_database_that_lost_everything_is_filled_and_that_is_told(box: Box) -> None:
    box.fill(OLD)
    before = box.rows()
    box.ask("apply", **request(box, NTP))
    with client.Redis(path=str(box.socket)) as redis:
        redis.call("FLUSHDB")
    done = box.ask("rollback", token=TOKEN)
    assert done["beyond"] == sorted(OLD.keys() - {"NTP_SERVER"})
    assert any("written besides the change: " in call[-1] for call in box.calls("logger"))
    assert box.rows() == before


@pytest.mark.parametrize("mode", ["boot", "timer"])
def test_a_confirmed_change_is_only_cleaned_up(box: Box, mode: str) -> None:
    """The power fails after the save, before the record is gone."""
    box.fill(OLD)
    box.ask("apply", **request(box, NTP))
    kept = {**state.pending(), "phase": "confirmed"}
    box.ask("confirm", token=TOKEN)
    after = box.rows()
    state.keep(kept)
    assert box.timer(TOKEN, mode).wait(60) == 0
    assert (box.rows(), codec.to_redis(box.saved), state.pending()) == (after, after, {})


def test_the_record_says_confirmed_before_it_goes(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.fill(OLD)
    box.ask("apply", **request(box, NTP))
    seen: list[str] = []
    monkeypatch.setattr(confirm, "clear", lambda record, end: seen.append(state.pending()["phase"]))
    box.ask("confirm", token=TOKEN)
    assert seen == ["confirmed"]


@pytest.mark.parametrize("mode", ["boot", "now"])
def test_a_save_before_a_reboot_is_judged_by_the_file_alone(box: Box, mode: str) -> None:
    """After a boot daemons have written rows that the file does not have."""
    box.fill(OLD)
    box.ask("apply", **request(box, NTP))
    client.run(["config", "save", "-y"])
    state.keep({**state.pending(), "phase": "saving", "deadline": {"boot": "another", "uptime": 1.0}})
    saved = box.saved
    with client.Redis(path=str(box.socket)) as redis:
        redis.call("HSET", "FEATURE|new", "state", "enabled")
    after = box.rows()
    assert box.timer("", mode).wait(60) == 0
    assert (box.rows(), box.saved, state.pending()) == (after, saved, {})


def test_a_checkpoint_with_a_name_is_kept(box: Box) -> None:
    box.fill(OLD)
    before = box.rows()
    assert box.ask("checkpoint", what="present", name="mine", owner="test") == {}
    box.ask("apply", **request(box, NTP))
    box.ask("confirm", token=TOKEN)
    done = box.ask("apply", **request(box, GONE, token="b" * 32, checkpoint="mine"))
    assert done["checkpoint"].startswith("auto-")
    assert box.ask("checkpoint", what="read", name="mine")["content"]["rows"] == before


@pytest.mark.slow
def test_checkpoints_of_deployments_are_thinned_too(box: Box) -> None:
    box.fill(OLD)
    box.ask("checkpoint", what="present", name="mine", owner="test")
    for number in range(4):
        token = str(number) * 32
        box.ask("apply", **request(box, token=token, keep=2, checkpoint=f"run-{number}"))
        box.ask("confirm", token=token, save=False)
        os.utime(state.checkpoint_path(f"run-{number}"), (number, number))
    assert sorted(one["name"] for one in box.ask("read")["checkpoints"]) == ["mine", "run-2", "run-3"]


def test_without_room_nothing_is_begun(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.fill(OLD)
    before = box.rows()
    monkeypatch.setattr(agent, "SPARE", 10**16)
    done = box.ask("apply", **request(box, NTP))
    assert done["error"] == "unwritable"
    assert "MB are free" in done["data"]["why"]
    assert (box.rows(), box.ask("read")["pending"], box.ask("read")["lock"]) == (before, {}, {})


def test_a_program_is_undone_in_the_order_of_the_plan(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """It wrote all rows and failed then: members go before the VLAN, whatever the alphabet says."""
    box.fill(OLD)
    steps = [["VLAN|Vlan9", None, {"vlanid": "9"}], ["AAA|member", None, {"x": "1"}]]
    wrote: list[str] = []
    write = client.write

    def program(_program: Any) -> None:
        with client.Redis(path=str(box.socket)) as redis:
            for name, before, after in steps:
                write(redis, name, before, after)
        raise words.SwitchError("program_failed", program="config apply-patch", why="exit status 1")

    def noted(redis: Any, name: str, *args: Any, **more: Any) -> None:
        wrote.append(name)
        write(redis, name, *args, **more)

    monkeypatch.setattr(agent, "_by_program", program)
    monkeypatch.setattr(client, "write", noted)
    done = box.ask("apply", **request(box, *steps[:1], *steps[1:], program={"name": "patch", "content": []}))
    assert done["rolled_back"]
    assert wrote == ["AAA|member", "VLAN|Vlan9"]
    wrote.clear()
    steps.reverse()
    box.ask("apply", **request(box, *steps, token="b" * 32, program={"name": "patch", "content": []}))
    assert wrote == ["VLAN|Vlan9", "AAA|member"]


def test_a_confirmation_after_the_time_is_none(box: Box) -> None:
    box.fill(OLD)
    box.ask("apply", **request(box, NTP))
    state.keep({**state.pending(), "deadline": state.moment(-1)})
    assert box.ask("confirm", token=TOKEN)["error"] == "not_pending"
    assert box.saved == OLD


def test_a_checkpoint_in_use_stays(box: Box) -> None:
    box.fill(OLD)
    name = box.ask("apply", **request(box, NTP))["checkpoint"]
    state.remove(state.at("lock.json"))
    for what in ("absent", "present"):
        assert box.ask("checkpoint", what=what, name=name, owner="other")["error"] == "pending"
    assert box.ask("rollback", token=TOKEN)["rolled_back"]
    assert box.ask("checkpoint", what="absent", name=name, owner="other") == {}


def test_without_its_checkpoint_rows_come_back_by_the_record(box: Box) -> None:
    box.fill(OLD)
    before = box.rows()
    name = box.ask("apply", **request(box, NTP, GONE, PORT))["checkpoint"]
    state.remove(state.checkpoint_path(name))
    done = box.ask("rollback", token=TOKEN)
    assert done["rolled_back"]
    assert "its checkpoint is gone" in done["problems"][0]
    assert box.rows() == before


def test_where_no_file_was_saved_none_is_left(box: Box) -> None:
    box.fill(OLD, saved=False)
    box.ask("apply", **request(box, NTP))
    state.keep({**state.pending(), "phase": "saving"})
    (box.folder / "config_db.json").write_text('{"half": ')
    assert box.timer(TOKEN).wait(60) == 0
    assert not (box.folder / "config_db.json").exists()


@pytest.mark.parametrize(("count", "refused"), [("1", False), ("3", True)])
def test_more_than_one_asic_is_refused(
    box: Box, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, count: str, refused: bool
) -> None:
    box.fill(OLD)
    (tmp_path / "device" / "board").mkdir(parents=True)
    (tmp_path / "device" / "board" / "asic.conf").write_text(f"NUM_ASIC={count}\nDEV_ID_ASIC_0=0\n")
    monkeypatch.setattr(agent, "DEVICES", str(tmp_path / "device"))
    monkeypatch.setattr(facts, "machine", lambda: {"onie_platform": "board"})
    done = box.ask("apply", **request(box, NTP))
    assert done.get("error") == ("many_asics" if refused else None)


_RELOAD = """#!/bin/sh
echo "[\\"config\\", \\"$*\\"]" >>{box}/calls
case "$*" in
"reload -y -f "*) rm -f {box}/down; exec {python} {box}/load.py "$4" ;;
*) touch {box}/down; exec {python} {box}/load.py half ;;
esac
"""
_LOAD = """
import json, sys
sys.path.insert(0, {package!r})
from switch import client
with client.Redis(path={socket!r}) as redis:
    redis.call("FLUSHDB")
    if sys.argv[1] == "half":
        redis.call("HSET", "NTP_SERVER|half", "NULL", "NULL")
        sys.exit("killed by its own weight")
    for table, rows in json.load(open(sys.argv[1])).items():
        for key, row in rows.items():
            flat = [(f + "@", ",".join(v)) if isinstance(v, list) else (f, v) for f, v in row.items()]
            redis.call("HSET", table + "|" + key, *[part for pair in flat or [("NULL", "NULL")] for part in pair])
    redis.call("SET", client.INITIALISED, "1")
"""


@pytest.mark.parametrize("works", [True, False])
def test_a_load_is_undone_by_a_load(box: Box, monkeypatch: pytest.MonkeyPatch, works: bool) -> None:
    box.fill(OLD)
    before = box.rows()
    package = str(Path(agent.__file__).parents[1])
    text = _RELOAD.format(box=box.folder, python=sys.executable)
    (box.folder / "load.py").write_text(_LOAD.format(package=package, socket=str(box.socket)))
    (box.folder / "bin" / "config").write_text(text if works else text.replace(f"rm -f {box.folder}/down; ", ""))
    active = f'if [ "$1" = is-active ]; then shift; for n; do [ -e {box.folder}/down ] && echo inactive || echo active; done; fi'
    (box.folder / "bin" / "systemctl").write_text(f"#!/bin/sh\n{active}\n")
    monkeypatch.setattr(confirm, "SERVICES_FOLLOW", 0.5)
    done = box.ask("apply", **request(box, NTP, program={"name": "reload", "content": OLD}))
    assert (done["error"], done["rolled_back"]) == ("program_failed", works)
    assert ["config", f"reload -y -f {box.folder}/state/before.json"] in box.calls("config")
    assert box.rows() == before
    if works:
        assert state.pending() == {}
        assert not (box.folder / "state" / "before.json").exists(), "it holds secrets"
        assert sonic.inactive(["swss"]) == []
    else:
        assert (done["rollback_error"], state.pending()["phase"]) == ("service_down", "rolling_back")
    assert json.loads((box.folder / "config_db.json").read_text()) == OLD


def test_a_file_that_cannot_be_put_back_at_boot_is_put_back_later(box: Box) -> None:
    box.fill(OLD)
    box.ask("apply", **request(box, NTP))
    state.keep({**state.pending(), "phase": "saving"})
    path = box.folder / "config_db.json"
    path.write_text('{"half": ')
    copy = Path(f"{path}{sonic.COPY}")
    first = f'mount --bind "{path}" "{path}"'  # a mount point cannot be renamed over
    assert box.timer(TOKEN, "boot", first).wait(60) == 0
    assert box.calls("systemd-run")[-1][-2:] == ["now", TOKEN]
    assert copy.exists()
    assert box.timer(TOKEN, "now").wait(60) == 0
    assert (box.saved, state.pending()) == (OLD, {})
