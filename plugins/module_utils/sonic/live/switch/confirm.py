# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Brings the switch back to what it was. Called inside a task, and alone as a program: by a timer, and at boot.

``python3 -I -c "..." timer TOKEN`` rolls the change of that token back unless it was confirmed; ``boot`` does what a
reboot needs before SONiC reads its file, ``now`` afterwards.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

from . import client, sonic, state
from .words import Hash, Rows, SwitchError, table_of

UNIT = "scs-landscape-confirm"
UNITS = "/etc/systemd/system"
#: Seconds to wait for the database after a reboot or a crash.
PATIENCE = 300.0
#: Tables that FRR's configuration is made of; others need no look at it.
_ROUTING = (
    "BGP_",
    "ROUTE_",
    "PREFIX",
    "STATIC_ROUTE",
    "VRF",
    "COMMUNITY_SET",
    "EXTENDED_COMMUNITY_SET",
    "AS_PATH_SET",
    "BFD_",
)
#: Seconds that somebody else's rollback may take.
ROLLS_BACK = 150.0
#: Seconds until FRR shows what rows say.
FRR_FOLLOWS = 15.0


def finish(token: str = "", patience: float = 20.0, *, wait: float = 0.0) -> dict[str, Any]:
    """Ends a change that waits: rolls it back, or ends a save that was cut off.

    :param token: only the change of this token; any when empty.
    :param wait: seconds to wait for the database.
    :returns: ``rolled_back``, ``saved``, and what is left to do in ``problems``; empty when nothing waited.
    """
    _take_over(patience)
    with state.turn(5.0):
        record = state.pending()
        if not record or (token and record.get("token") != token):
            return {}
        if record.get("phase") == "saving":
            with client.database(patience=wait) as redis:
                if sonic.is_saved(redis.dump()):
                    clear(record)
                    client.log("the save that was cut off is complete, the change stays")
                    return {"rolled_back": False, "saved": True, "problems": []}
        return roll_back(record, wait)


def roll_back(record: dict[str, Any], wait: float = 0.0) -> dict[str, Any]:
    """Brings rows, saved file and FRR back to the checkpoint of a change; to be called in turn."""
    state.keep({**record, "phase": "rolling_back"})
    client.log(f"rolling back the change of {record.get('owner', 'somebody')}")
    content = state.load(state.checkpoint_path(str(record["checkpoint"])))
    if not content:
        raise SwitchError("no_checkpoint", name=str(record["checkpoint"]))
    if record.get("copied"):
        sonic.put_back()
    touched = rows_back(content["rows"], record.get("steps", []), state.journalled(), wait)
    problems = frr_back(content, record, touched)
    clear(record)
    client.log(f"rolled back, {len(touched)} rows written" + "".join(f"; {one}" for one in problems))
    return {"rolled_back": True, "saved": False, "rows": len(touched), "problems": problems}


def rows_back(wanted: Rows, steps: list[list[Any]], done: int, wait: float = 0.0) -> list[str]:
    """Makes the rows of the database those; the tables of what was written.

    :param steps: name, before and after of each step of a change, in its order: taken backwards, so that order is kept.
    :param done: how many are written for certain; the next one may be.
    """
    touched: list[str] = []
    with client.database(patience=wait) as redis:
        if wait:
            _complete(redis, wait)

        def bring(name: str, row: Hash | None) -> None:
            if redis.row(name) != row:
                client.write(redis, name, None, row, force=True)
                touched.append(table_of(name))

        last: dict[str, float] = {}
        for name, before, _after in reversed(steps[: done + 1]):
            if name in last:  # daemons read the row when they come to it, not when it was written
                time.sleep(max(0.0, last[name] + 0.5 - time.monotonic()))
            count = len(touched)
            bring(name, before)
            if len(touched) > count:
                last[name] = time.monotonic()
        for name in sorted(redis.dump().keys() | wanted.keys()):
            bring(name, wanted.get(name))
    return touched


def _complete(redis: client.Redis, wait: float) -> None:
    """Waits until SONiC has loaded its file; a database that came back empty is filled by us in the end."""
    end = time.monotonic() + min(wait, 30.0)
    while redis.call("GET", client.INITIALISED) is None and time.monotonic() < end:
        time.sleep(0.5)


def frr_back(content: dict[str, Any], record: dict[str, Any], touched: list[str]) -> list[str]:
    """FRR as it was at the checkpoint; what could not be done in words."""
    wanted = sonic.comparable(str(content.get("frr", "")))
    fixups = [(str(one[0]), str(one[1])) for one in record.get("fixups", [])]
    if not wanted or not (fixups or record.get("restarted") or any(name.startswith(_ROUTING) for name in touched)):
        return []
    try:
        found = sonic.comparable(sonic.running())
        undo = [one for one in fixups if "\t".join(one) in found and "\t".join(one) not in wanted]
        sonic.fixups(undo, undo=True)
    except SwitchError:
        pass  # a restart takes them away, too
    if _follows(wanted, FRR_FOLLOWS):
        return []
    try:
        sonic.restart("bgp")
        lost = sorted(set(wanted) - set(sonic.comparable(sonic.running())))
        sections = [line.partition("\t") for line in lost]
        sonic.fixups(
            [(one, line) for one, _tab, line in sections if one.startswith("vrf ") and line.startswith("vni ")]
        )
    except SwitchError as error:
        return [f"bgp is to be restarted by hand ({error.code})"]
    return [] if _follows(wanted, FRR_FOLLOWS) else ["FRR differs from what it was: compare show running-config"]


def _follows(wanted: list[str], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while sonic.comparable(sonic.running()) != wanted:
        if time.monotonic() >= end:
            return False
        time.sleep(0.5)
    return True


def clear(record: dict[str, Any]) -> None:
    """Forgets the change; the record itself goes last, so that one who is killed here is followed by another."""
    state.give_back(str(record.get("token", "")))
    state.remove(state.at("journal"))
    for path in boot_paths():
        state.remove(path)
    state.remove(sonic.saved_path() + sonic.COPY)
    state.remove(state.at("pending.json"))


def _take_over(patience: float) -> None:
    """Ends whoever writes rows and does not end by himself."""
    # One that rolls back may restart bgp, and is not to be ended for that; a second one would do the same again.
    is_back = state.pending().get("phase") == "rolling_back"
    try:
        with state.turn(ROLLS_BACK if is_back else patience):
            return
    except SwitchError as error:
        pid = int(error.data.get("pid") or 0)
        if error.code != "busy" or pid <= 1 or pid == os.getpid():
            raise
        client.log(f"ending process {pid}, which holds the switch for too long")
        os.kill(pid, signal.SIGKILL)


def boot_paths() -> tuple[str, str]:
    """The link that starts the unit of the next boot, and the unit: in the order in which they go."""
    folder, name = os.environ.get("SCS_LANDSCAPE_UNITS", UNITS), f"{UNIT}-boot.service"
    return f"{folder}/multi-user.target.wants/{name}", f"{folder}/{name}"


def at_boot() -> None:
    """Before SONiC reads its file: the one that was there before the change. What waits is ended when the database is there."""
    record = state.pending()
    if not record:
        return
    if record.get("copied"):
        sonic.put_back()
        state.keep({**record, "phase": "rolling_back", "copied": False})
    arm("", 20.0, "now")


def arm(token: str, seconds: float, mode: str = "timer") -> None:
    """Starts the timer.

    :raises SwitchError: ``no_timer``.
    """
    disarm()
    program = f"import sys; sys.path.insert(0, {state.at('program')!r}); from switch import confirm; confirm.main()"
    line = ["systemd-run", "--quiet", "--collect", f"--unit={UNIT}", f"--on-active={max(1, round(seconds))}"]
    line += ["--timer-property=AccuracySec=500ms", "--property=Type=exec"]
    line += [f"--setenv={name}={value}" for name, value in os.environ.items() if name.startswith("SCS_LANDSCAPE_")]
    code, _out, err = client.run([*line, "--", "/usr/bin/python3", "-I", "-c", program, mode, token], 30.0)
    if code:
        raise SwitchError("no_timer", why=(err.strip().splitlines() or [f"exit status {code}"])[-1][:200])


def disarm() -> None:
    """Stops the timer, but not a rollback that it has started already."""
    client.run(["systemctl", "stop", f"{UNIT}.timer"], 20.0)
    client.run(["systemctl", "reset-failed", f"{UNIT}.service"], 10.0)


def main() -> None:
    """The program."""
    mode, token = [*sys.argv[1:], "", ""][:2]
    if mode == "boot":
        at_boot()
        return
    try:
        done = finish(token, 10.0, wait=PATIENCE)
    except SwitchError as error:
        client.log(
            f"the rollback did not end ({error.code}): run the play again, or sonic_checkpoint with state rolled_back"
        )
        raise
    if done and not done.get("rolled_back") and not done.get("saved"):
        client.log("nothing to roll back")
